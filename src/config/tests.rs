//! What an engineer reads when the configuration is wrong: line, column, and what to write.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::{Config, Operations, read};

fn read_text(text: &str) -> Config {
    read::read(text, "gridtap.toml").unwrap_or_else(|errors| panic!("{errors}"))
}

/// Errors as `line:column: message | label`.
fn errors(text: &str) -> Vec<String> {
    let Err(found) = read::read(text, "gridtap.toml") else { panic!("no error in {text}") };
    found.errors.iter().map(|e| format!("{}:{}: {} | {}", e.line, e.column, e.message, e.label)).collect()
}

const HEAD: &str = "[capture]\ninterfaces = [\"eth1\"]\n";

fn errors_behind_head(rest: &str) -> Vec<String> {
    errors(&format!("{HEAD}{rest}"))
}

#[test]
fn only_interfaces_are_required() {
    let config = read_text(HEAD);
    assert_eq!(config.capture.interfaces, ["eth1"]);
    assert_eq!(config.limits.flows, 100_000);
    assert!(config.capture.promiscuous && config.capture.deduplicate);
    assert_eq!(config.events.operations, Operations::Control);
    assert!(config.profile.is_none());
}

#[test]
fn every_key_is_read() {
    let text = r#"
        sensor = { name = "north", workers = 3 }
        capture = { interfaces = ["a", "b"], ring_mib = 8, promiscuous = false, prefilter = true, snap_length = 128, verify_checksums = true, vlan_in_flow_key = true, deduplicate = false }
        protocols.modbus = { tcp_ports = [502, 1502], udp_ports = [] }
        profile.path = "p.toml"
        events = { path = "e.jsonl", operations = "all", rotate_mib = 2, rotate_hours = 3, keep = 0, queue_mib = 5 }
        serve.listen = "[::1]:1"
        limits = { flows = 16, buffer_mib = 1, pending_requests = 2, fragment_octets = 292 }
    "#;
    let config = read_text(text);
    let shown = format!("{config:?}");
    for part in [
        r#"Sensor { name: "north", workers: 3 }"#,
        r#"interfaces: ["a", "b"], ring_mib: 8, promiscuous: false, prefilter: true, snap_length: 128"#,
        "verify_checksums: true, vlan_in_flow_key: true, deduplicate: false",
        "tcp_ports: Some([502, 1502]), udp_ports: Some([])",
        r#"path: "p.toml""#,
        r#"path: "e.jsonl", operations: All, rotate_mib: 2, rotate_hours: 3, keep: 0, queue_mib: 5"#,
        "listen: [::1]:1",
        "flows: 16, buffer_mib: 1, pending_requests: 2, fragment_octets: 292",
    ] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
}

/// Giving one list of ports leaves the other, and the other protocol, at the standard's.
#[test]
fn ports_that_are_not_given_are_the_standards() {
    let config = read_text(&format!("{HEAD}[protocols.modbus]\ntcp_ports = [1502]\n"));
    assert_eq!(config.pipeline().ports.numbers(), [502, 1502, 2404, 20_000]);
    let config = read_text(&format!("{HEAD}[protocols.modbus]\ntcp_ports = [1502]\nudp_ports = []\n"));
    assert_eq!(config.pipeline().ports.numbers(), [1502, 2404, 20_000]);
}

#[test]
fn misspelt_keys_are_named_with_what_was_meant() {
    assert_eq!(
        errors_behind_head("[limits]\nflow = 5\n[serv]\nlisten = \"x\"\n"),
        [
            "4:1: unknown key `flow` in [limits] | did you mean `flows`?",
            "5:2: unknown key `serv` in the file | did you mean `serve`?"
        ]
    );
    assert_eq!(
        errors_behind_head("listen = \"127.0.0.1:1\"\n"),
        ["3:1: unknown key `listen` in [capture] | it belongs into [serve]"]
    );
}

#[test]
fn a_number_out_of_bounds_is_named_with_its_line_and_its_bounds() {
    let bounds = "write a number from 16 to 10000000";
    for (written, shown) in [("1", "1"), ("-5", "-5"), ("99999999999999999999999", "99999999999999999999999")]
    {
        assert_eq!(
            errors_behind_head(&format!("[limits]\nflows = {written}\n")),
            [format!("4:9: `flows` of [limits] is out of bounds: {shown} | {bounds}")]
        );
    }
    assert_eq!(
        errors_behind_head("[limits]\nflows = \"50\"\n"),
        [format!("4:9: `flows` of [limits] must be a number, not text | {bounds}, no quotes")]
    );
    read_text(&format!("{HEAD}[limits]\nflows = 16\n"));
}

#[test]
fn interfaces_are_a_list_of_different_names() {
    assert_eq!(
        errors("[capture]\ninterfaces = \"eth1\"\n"),
        ["2:14: `interfaces` of [capture] must be a list of names, not text | write [\"eth1\"]"]
    );
    assert_eq!(
        errors("[capture]\ninterfaces = []\n"),
        ["2:14: `interfaces` of [capture] names 0 interfaces | 1 to 64"]
    );
    assert_eq!(
        errors("[capture]\ninterfaces = [\"a\", \"a\"]\n"),
        ["2:20: `interfaces` of [capture]: `a` is named twice | leave it out here"]
    );
    assert_eq!(errors("[capture]\ninterfaces = [\"\", \"a b\"]\n").len(), 2);
    assert_eq!(errors("[capture]\nring_mib = 1\n"), ["1:1: [capture] has no `interfaces` | "]);
    assert_eq!(errors(""), ["1:1: the section [capture] is missing | "]);
}

#[test]
fn ports_are_numbers_and_belong_to_one_protocol() {
    assert_eq!(
        errors_behind_head("[protocols.modbus]\ntcp_ports = 502\n"),
        ["4:13: `tcp_ports` of [protocols.modbus] must be a list of ports, not a number | write [502]"]
    );
    assert_eq!(errors_behind_head("[protocols.modbus]\ntcp_ports = [0, 70000, \"502\"]\n").len(), 3);
    assert_eq!(
        errors_behind_head("[protocols.modbus]\ntcp_ports = [99]\n[protocols.dnp3]\ntcp_ports = [99]\n"),
        [
            "6:14: port 99 of [protocols.dnp3] is also in [protocols.modbus] | a port belongs to one protocol; \
             leave it out here"
        ]
    );
    assert_eq!(
        errors_behind_head("[protocols.dnp33]\ntcp_ports = [99]\n"),
        ["3:12: unknown key `dnp33` in [protocols] | did you mean `dnp3`?"]
    );
}

#[test]
fn other_values_say_what_to_write() {
    for listen in ["9817", "\"9817\"", "\"localhost:9817\""] {
        assert_eq!(
            errors_behind_head(&format!("[serve]\nlisten = {listen}\n")),
            ["4:10: `listen` of [serve] is no address and port | write \"ADDRESS:PORT\""]
        );
    }
    assert_eq!(
        errors_behind_head("[events]\noperations = \"All\"\n"),
        ["4:14: `operations` of [events] has an unknown value | did you mean \"all\"?"]
    );
    assert_eq!(
        errors_behind_head("promiscuous = \"yes\"\n"),
        ["3:15: `promiscuous` of [capture] must be true or false, not text | write true or false, no quotes"]
    );
    assert_eq!(
        errors("profile = \"p.toml\"\n[capture]\ninterfaces = [\"a\"]\n"),
        ["1:11: `profile` must be a section, not text | write [profile] on a line of its own, and its keys \
             below"]
    );
    assert_eq!(
        errors_behind_head("[profile]\n"),
        ["3:1: [profile] has no `path` | write path = \"site.toml\", or leave the section out"]
    );
}

#[test]
fn all_errors_are_told_at_once_and_broken_toml_alone() {
    assert_eq!(errors("[capture]\nringmib = 1\n[limits]\nflows = 0\nbuffer_mib = true\n").len(), 4);
    assert_eq!(errors("[capture]\ninterfaces = [\"a\"\n[limits]\nflows = 0\n").len(), 1);
}
