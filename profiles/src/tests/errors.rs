//! Every error, word for word, and beside it what is right.

use crate::{Diagnostics, parse};

fn errors(text: &str) -> Diagnostics {
    match parse(text, "site.toml") {
        Ok(_) => panic!("no error in:\n{text}"),
        Err(errors) => errors,
    }
}

/// `LINE:COLUMN: message | label | note | help`, one line an error.
fn brief(text: &str) -> Vec<String> {
    let one = |e: &crate::Diagnostic| {
        let mut line = format!("{}:{}: {}", e.line, e.column, e.message);
        let more = [Some(e.label.clone()), e.note.clone(), e.help.clone()];
        for part in more.into_iter().flatten().filter(|part| !part.is_empty()) {
            line.push_str(" | ");
            line.push_str(&part);
        }
        line
    };
    errors(text).errors.iter().map(one).collect()
}

/// A sound profile of 23 lines; tests spoil one part of it.
const GOOD: &str = r#"[profile]
name = "site"
version = "1"

[hosts.scada]
address = ["10.0.0.5", "10.0.1.0/28"]

[hosts.gateway]
address = "10.0.2.20"

[stations.FDR]
protocol = "dnp3"
host = "10.0.2.12"
link_address = 10

[stations.METER]
protocol = "modbus"
host = "gateway"
unit_id = 1

[[rules]]
name = "poll"
from = "scada"
to = ["METER"]
allow = ["read"]
points = "holding_register 0-9, 20"
"#;

/// The good profile with one text replaced.
fn spoil(from: &str, to: &str) -> Vec<String> {
    assert!(GOOD.contains(from), "{from}");
    brief(&GOOD.replacen(from, to, 1))
}

#[test]
fn the_unspoiled_profile_is_good() {
    parse(GOOD, "site.toml").unwrap();
}

#[test]
fn an_error_is_rendered_with_place_line_underline_and_remedy() {
    let text = GOOD.replace("address = \"10.0.2.20\"", "adress = \"10.0.2.20\"");
    assert_eq!(
        errors(&text).to_string(),
        "\
error: host `gateway` has no `address`
  --> site.toml:8:8
   |
 8 | [hosts.gateway]
   |        ^^^^^^^ add address = \"10.0.0.5\" or [\"10.0.0.5\", \"10.0.1.0/28\"]

error: unknown key `adress` in host `gateway`
  --> site.toml:9:1
   |
 9 | adress = \"10.0.2.20\"
   | ^^^^^^ did you mean `address`?
   = help: a host has the keys: address, comment

site.toml: 2 errors"
    );
}

#[test]
fn an_error_with_a_second_place_names_its_line() {
    let text = GOOD.replace("10.0.2.20", "10.0.1.3");
    assert_eq!(
        errors(&text).to_string(),
        "\
error: an address of host `gateway` also belongs to host `scada`
  --> site.toml:9:11
   |
 9 | address = \"10.0.1.3\"
   |           ^^^^^^^^^^ an address belongs to one host
   = note: line 6: the other address, of host `scada`
   = help: take it out of one of them, or split the network

site.toml: 1 error"
    );
}

#[test]
fn all_errors_come_at_once_in_the_order_of_the_file() {
    let text = GOOD
        .replace("version", "verson")
        .replace("10.0.0.5", "10.0.0.500")
        .replace("host = \"gateway\"", "host = \"gatway\"")
        .replace("\"read\"", "\"raed\"")
        .replace("0-9", "9-0");
    let lines: Vec<_> = errors(&text).errors.iter().map(|e| (e.line, e.column)).collect();
    assert_eq!(lines, [(3, 1), (6, 12), (18, 8), (25, 10), (26, 10)]);
}

#[test]
fn broken_toml_is_told_with_every_place() {
    assert_eq!(
        brief("[profile]\nname = x\naddress = [10.0.0.5]\n"),
        [
            "2:8: not TOML: string values must be quoted, expected literal string | text stands in quotes: \"x\" | lists stand in [ ], a section begins with [section.name], a rule with [[rules]]",
            "3:16: not TOML: invalid float, expected nothing | text stands in quotes: \"10.0.0.5\" | lists stand in [ ], a section begins with [section.name], a rule with [[rules]]",
        ]
    );
}

#[test]
fn the_profile_section_needs_a_name() {
    assert_eq!(
        brief(""),
        [
            "1:1: the section [profile] is missing | begin the file with\n             [profile]\n             name = \"name of the site\""
        ]
    );
    assert_eq!(
        spoil("name = \"site\"", ""),
        ["1:1: [profile] has no `name` | add name = \"name of the site\""]
    );
    assert_eq!(
        spoil("name = \"site\"", "name = \" \""),
        ["2:8: `name` of [profile] is empty | write \"name of the site\""]
    );
    assert_eq!(
        spoil("version = \"1\"", "version = 1"),
        ["3:11: `version` of [profile] must be text, not a number | write \"1\""]
    );
}

#[test]
fn unknown_keys_are_errors_everywhere() {
    assert_eq!(
        spoil("[hosts.gateway]", "[host.gateway]")[0],
        "8:2: unknown key `host` in the file | did you mean `hosts`? | a profile has the keys: profile, hosts, stations, rules"
    );
    assert_eq!(
        spoil("version", "banana"),
        ["3:1: unknown key `banana` in [profile] | [profile] has the keys: name, version, comment"]
    );
    assert_eq!(
        spoil("link_address = 10", "link_address = 10\nlink_adress = 11"),
        [
            "15:1: unknown key `link_adress` in station `FDR` | did you mean `link_address`? | a station has the keys: protocol, host, unit_id, link_address, port, comment"
        ]
    );
    assert_eq!(
        spoil("points", "point"),
        [
            "26:1: unknown key `point` in rule `poll` | did you mean `points`? | a rule has the keys: name, from, to, allow, points, broadcast, owner, comment"
        ]
    );
}

#[test]
fn names_must_not_overlap() {
    assert_eq!(
        spoil("[hosts.gateway]", "[hosts.scada]")[0],
        "8:8: `scada` is defined twice | defined here again | give one of them another name, or put both into one"
    );
    assert_eq!(
        spoil("[stations.FDR]", "[stations.gateway]"),
        [
            "11:11: the station `gateway` has the name of a host | give it another name | line 8: the host `gateway` | hosts and stations share one set of names, so that a finding names one thing"
        ]
    );
    assert_eq!(
        spoil("[hosts.gateway]", "[hosts.Scada]")[0],
        "8:8: the host `Scada` has the name of a host (names must differ in more than case) | give it another name | line 5: the host `scada` | hosts and stations share one set of names, so that a finding names one thing"
    );
    let twice =
        format!("{GOOD}[[rules]]\nname = \"poll\"\nfrom = \"scada\"\nto = \"FDR\"\nallow = \"read\"\n");
    assert_eq!(
        brief(&twice),
        [
            "28:8: two rules have the name `poll` | give it another name: findings name the rule | line 22: the first one"
        ]
    );
}

#[test]
fn names_must_be_names() {
    assert_eq!(
        spoil("[hosts.gateway]", "[hosts.\"10.0.2.20\"]")[0],
        "8:8: the name of a host is an address | give it another name"
    );
    assert_eq!(
        spoil("[stations.FDR]", "[stations.any]"),
        ["11:11: the name of a station is a word of the profile language | give it another name"]
    );
    assert_eq!(
        spoil("[stations.FDR]", "[stations.\" FDR\"]"),
        ["11:11: the name of a station is empty or begins or ends with a space | give it another name"]
    );
    assert_eq!(
        spoil("[stations.FDR]", "[stations.\"a\\u0007b\"]"),
        ["11:11: the name of a station contains a control character | give it another name"]
    );
    assert_eq!(
        spoil("[stations.FDR]", &format!("[stations.{}]", "x".repeat(101))),
        ["11:11: the name of a station is longer than 100 characters | give it another name"]
    );
    parse(&GOOD.replace("[stations.FDR]", &format!("[stations.{}]", "x".repeat(100))), "x").unwrap();
}

#[test]
fn addresses_must_be_addresses() {
    let help = "write an IPv4 or IPv6 address (10.0.0.5, fd00::5) or a network (10.0.1.0/28)";
    let address = |text: &str| spoil("\"10.0.2.20\"", text);
    assert_eq!(address("\"10.0.2.300\""), [format!("9:11: `10.0.2.300` is no address | {help}")]);
    assert_eq!(
        address("\"10.0.2.20:502\""),
        [format!("9:11: `10.0.2.20:502` is no address | a host has no port: write \"10.0.2.20\" | {help}")]
    );
    assert_eq!(
        address("\"10.0.2.0/33\""),
        [format!("9:11: `10.0.2.0/33` is no address | `33` is no prefix length: 0 to 32 | {help}")]
    );
    assert_eq!(
        address("\"10.0.2.20/24\""),
        [
            "9:11: `10.0.2.20/24` names a host within a network | write \"10.0.2.0/24\" for the network, or \"10.0.2.20\" for the host"
        ]
    );
    assert_eq!(address("[]"), ["9:11: `address` of host `gateway` is empty | name at least one"]);
    assert_eq!(
        address("5"),
        ["9:11: `address` of host `gateway` must be text, or a list of texts, not a number"]
    );
    assert_eq!(
        address("[5]"),
        ["9:12: every item of `address` of host `gateway` must be text, not a number | write \"5\""]
    );
}

#[test]
fn addresses_must_not_overlap() {
    let note = "line 6: the other address, of host `scada`";
    let help = "take it out of one of them, or split the network";
    let label = "an address belongs to one host";
    for address in ["10.0.0.5", "10.0.1.15", "10.0.1.0/30", "10.0.1.0/28"] {
        assert_eq!(
            spoil("\"10.0.2.20\"", &format!("\"{address}\"")),
            [format!(
                "9:11: an address of host `gateway` also belongs to host `scada` | {label} | {note} | {help}"
            )],
            "{address}"
        );
    }
    assert_eq!(
        spoil("\"10.0.0.5\"", "\"10.0.1.4\""),
        [format!("6:24: an address of host `scada` is written twice | {label} | {note} | {help}")]
    );
    parse(&GOOD.replace("10.0.2.20", "10.0.1.16"), "x").unwrap();
}

#[test]
fn stations_name_a_host_and_a_protocol() {
    assert_eq!(
        spoil("\"modbus\"", "\"modbuss\""),
        ["17:12: unknown protocol `modbuss` | did you mean `modbus`? | protocols are: modbus, dnp3"]
    );
    assert_eq!(
        spoil("protocol = \"modbus\"", ""),
        ["16:11: station `METER` has no `protocol` | add protocol = \"modbus\" or \"dnp3\""]
    );
    assert_eq!(
        spoil("host = \"gateway\"", "host = \"gatewya\""),
        [
            "18:8: no host has the name `gatewya` | did you mean `gateway`? | name a host of this file ([hosts.NAME]), or write its address"
        ]
    );
    assert_eq!(
        spoil("\"10.0.2.12\"", "\"10.0.1.7\""),
        ["13:8: 10.0.1.7 is an address of the host `scada` | write \"scada\""]
    );
    assert_eq!(
        spoil("host = \"gateway\"", "host = \"gateway\"\nport = 0"),
        ["19:8: a port is a number from 1 to 65535"]
    );
    assert_eq!(
        spoil("host = \"gateway\"", "host = \"gateway\"\nport = \"502\""),
        ["19:8: `port` of station `METER` must be a number, not text | no quotes"]
    );
}

#[test]
fn station_addresses_are_those_of_their_protocol() {
    assert_eq!(
        spoil("unit_id = 1", "unit_id = 256"),
        ["19:11: unit_id 256 is out of bounds | a unit id is a number from 0 to 255"]
    );
    assert_eq!(
        spoil("unit_id = 1", "link_address = 1"),
        ["19:16: a modbus station has no `link_address` | write `unit_id`"]
    );
    assert_eq!(
        spoil("unit_id = 1", ""),
        ["16:11: station `METER` has no `unit_id` | add unit_id = 1, or unit_id = \"any\""]
    );
    assert_eq!(
        spoil("unit_id = 1", "unit_id = \"1\""),
        [
            "16:11: station `METER` has no `unit_id` | add unit_id = 1, or unit_id = \"any\"",
            "19:11: `unit_id` of station `METER` must be a number or \"any\", not text | no quotes"
        ]
    );
    assert_eq!(
        spoil("link_address = 10", "link_address = 65520"),
        ["14:16: link_address 65520 is out of bounds | a link address is a number from 0 to 65519"]
    );
    assert_eq!(
        spoil("link_address = 10", "link_address = 0xFFFF"),
        [
            "14:16: 65535 is a broadcast address, not a station | to allow broadcasts write `broadcast = true` in a rule for a station of that host"
        ]
    );
    for good in ["0", "255", "\"any\""] {
        parse(&GOOD.replace("unit_id = 1", &format!("unit_id = {good}")), "x").unwrap();
    }
    parse(&GOOD.replace("link_address = 10", "link_address = 65519"), "x").unwrap();
}

#[test]
fn two_stations_must_not_share_a_place() {
    let second = |port: &str| {
        format!("{GOOD}[stations.TWIN]\nprotocol = \"modbus\"\nhost = \"gateway\"\nunit_id = 1\n{port}\n")
    };
    assert_eq!(
        brief(&second("")),
        [
            "27:11: the stations `METER` and `TWIN` have the same host and address | one of them must differ | line 16: the station `METER` | two lines behind one host can be told apart by `port`, when both stations have one"
        ]
    );
    assert_eq!(brief(&second("port = 4001")).len(), 1, "the first has no port, so it takes every port");
    parse(&second("port = 4001").replace("[stations.METER]", "[stations.METER]\nport = 4002"), "x").unwrap();
}

#[test]
fn rules_refer_to_hosts_and_stations() {
    assert_eq!(
        spoil("from = \"scada\"", "from = [\"scda\", \"METER\", \"scada\", \"scada\"]"),
        [
            "23:9: no host has the name `scda` | did you mean `scada`? | define it:\n             [hosts.scda]\n             address = \"...\"",
            "23:17: no host has the name `METER` | this is a station; `from` names the hosts that command it",
            "23:35: `scada` stands here twice | take it out",
        ]
    );
    assert_eq!(
        spoil("to = [\"METER\"]", "to = [\"METR 2\", \"gateway\"]"),
        [
            "24:7: no station has the name `METR 2` | define it:\n             [stations.\"METR 2\"]\n             protocol = \"modbus\"\n             host = \"...\"\n             unit_id = 1",
            "24:17: no station has the name `gateway` | this is a host; `to` names stations",
        ]
    );
    assert_eq!(
        spoil("to = [\"METER\"]", "to = []"),
        ["24:6: `to` of rule `poll` is empty | name at least one"]
    );
    assert_eq!(
        spoil("to = [\"METER\"]", ""),
        ["21:1: rule `poll` has no `to` | add to = [\"name of a station\"]"]
    );
    assert_eq!(
        spoil("name = \"poll\"", "broadcast = \"yes\""),
        [
            "21:1: a rule has no `name` | add name = \"what the rule is for\"",
            "22:13: `broadcast` of a rule must be true or false, not text | no quotes"
        ]
    );
}

#[test]
fn a_rule_that_names_a_broken_station_is_not_a_second_error() {
    assert_eq!(spoil("unit_id = 1", "unit_id = 999").len(), 1);
}

#[test]
fn rules_allow_operations_that_exist_in_the_stations_protocol() {
    let allow = |text: &str| spoil("[\"read\"]", text);
    assert!(
        allow("\"raed\"")[0].starts_with("25:9: unknown operation `raed` | did you mean `read`? | write a class of operations (read, report, write, ")
    );
    assert!(
        allow("\"16\"")[0]
            .starts_with("25:9: unknown operation `16` | for a function code write \"fc:16\" | write")
    );
    assert_eq!(
        allow("[16]"),
        ["25:10: every item of `allow` of rule `poll` must be text, not a number | write \"fc:16\""]
    );
    assert_eq!(
        allow("\"cold_restart\""),
        ["25:9: `cold_restart` is a function of dnp3 | the rule's stations speak modbus"]
    );
    assert_eq!(allow("\"fc:128\""), ["25:9: modbus has no function 128 | function codes are 1 to 127"]);
    for wrong in ["fc:x", "fc:256", "fc:8/65536", "fc:"] {
        assert_eq!(
            allow(&format!("\"{wrong}\"")),
            [format!(
                "25:9: `{wrong}` is no function number | write fc:CODE (0 to 255) or fc:CODE/SUBFUNCTION (0 to 65535)"
            )]
        );
    }
    assert_eq!(allow("[\"read\", \"read\"]"), ["25:18: `read` stands here twice | take it out"]);
    let dnp3 = |text: &str| {
        brief(
            &GOOD
                .replace("\"METER\"", "\"FDR\"")
                .replace("[\"read\"]", text)
                .replace("holding_register", "counter"),
        )
    };
    assert_eq!(dnp3("\"fc:1/2\""), ["25:9: dnp3 functions have no sub-functions | write \"fc:1\""]);
    assert_eq!(
        dnp3("\"read_coils\""),
        ["25:9: `read_coils` is a function of modbus | the rule's stations speak dnp3"]
    );
    let both = GOOD.replace("[\"METER\"]", "[\"METER\", \"FDR\"]");
    assert_eq!(
        brief(&both.replace("[\"read\"]", "\"fc:16\"")),
        [
            "25:9: `fc:16` means another function in each protocol | the rule's stations speak more than one: use the function's name, or two rules"
        ]
    );
    parse(&both.replace("[\"read\"]", "[\"cold_restart\", \"read_coils\"]"), "x").unwrap();
}

#[test]
fn rules_name_points_that_exist_in_the_stations_protocol() {
    let points = |text: &str| spoil("\"holding_register 0-9, 20\"", &format!("\"{text}\""));
    assert_eq!(points("coil 9-0"), ["26:10: the range 9-0 ends before it starts | write 0-9"]);
    assert_eq!(
        points("coil 0-65536"),
        ["26:10: address of a coil 65536 is out of bounds | the highest address of a coil is 65535"]
    );
    assert_eq!(
        points("coil 5x"),
        ["26:10: `5x` is no address of a coil | write numbers and ranges, as in \"0-99, 120\""]
    );
    assert_eq!(points("coil 5,").len(), 1);
    assert_eq!(
        points("coils 5"),
        [
            "26:10: unknown kind of point `coils` | did you mean `coil`? | write a kind, then addresses: \"coil 0-99, 120\"; kinds are: coil, discrete_input, input_register, holding_register, file_record, fifo_queue, device_data, all"
        ]
    );
    assert_eq!(
        points("binary_input 5"),
        [
            "26:10: `binary_input` is a point of dnp3 | the rule's stations speak modbus | modbus has: coil, discrete_input, input_register, holding_register, file_record, fifo_queue, device_data, all"
        ]
    );
    assert_eq!(points("file_record 1:9-3"), ["26:10: the range 9-3 ends before it starts | write 3-9"]);
    let dnp3 =
        |text: &str| brief(&GOOD.replace("\"METER\"", "\"FDR\"").replace("holding_register 0-9, 20", text));
    assert_eq!(dnp3("g30 5"), ["26:10: object group 30 has a name of its own here | write `analog_input`"]);
    assert_eq!(
        dnp3("class_data 4"),
        ["26:10: address of a class_data 4 is out of bounds | the highest address of a class_data is 3"]
    );
    assert_eq!(
        spoil("\"holding_register 0-9, 20\"", "[]"),
        ["26:10: `points` of rule `poll` is empty | leave `points` out to allow all points"]
    );
    assert_eq!(
        spoil("\"holding_register 0-9, 20\"", "[\"all\", \"coil\"]"),
        ["26:11: `all` stands beside other points | take out `all`, or the others"]
    );
    for good in ["coil", "coil 0-65535", "file_record 1-3", "file_record 4:0-99", "all", " coil  1 - 2 ,5 "] {
        parse(&GOOD.replace("holding_register 0-9, 20", good), "x").unwrap();
    }
}

#[test]
fn sections_must_be_tables() {
    assert_eq!(
        brief("hosts = 1\nrules = 2\n[profile]\nname = \"x\"\n[stations]\nA = 1\n"),
        [
            "1:9: `hosts` must be a table, not a number | write every one as a section of its own:\n             [hosts.NAME]\n             address = \"10.0.0.5\"",
            "2:9: `rules` must be a list of tables, not a number | begin every rule with [[rules]]",
            "6:5: station `A` must be a table, not a number | a station has the keys: protocol, host, unit_id, link_address, port, comment",
        ]
    );
}
