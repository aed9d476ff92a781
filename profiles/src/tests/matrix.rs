//! The judge, case by case, on the example profile.
//!
//! Every denial stands beside a near miss that is allowed.

use parsers::{Action, Exchange, Function, PointKind, StationAddress};

use super::support::{Asked, example};
use crate::AnomalyKind::{self, Control, Range, UnknownClient, UnknownStation};

fn allowed(asked: &Asked) -> String {
    asked.judge(&example()).unwrap_or_else(|(kind, text)| panic!("denied: {kind:?}: {text}"))
}

fn denied(asked: &Asked) -> (AnomalyKind, String) {
    match asked.judge(&example()) {
        Ok(rule) => panic!("allowed by '{rule}'"),
        Err(denial) => denial,
    }
}

fn read_registers(unit: u8) -> Asked {
    Asked::modbus(unit, Action::Read, 3, "read_holding_registers")
}

fn write_registers(unit: u8) -> Asked {
    Asked::modbus(unit, Action::Write, 16, "write_multiple_registers")
}

#[test]
fn a_read_within_the_rule_is_allowed_and_one_register_more_is_not() {
    let inside = read_registers(1).on(PointKind::HoldingRegister, 0, 99);
    assert_eq!(allowed(&inside), "masters read the meters");
    let outside = read_registers(1).on(PointKind::HoldingRegister, 90, 100);
    assert_eq!(
        denied(&outside),
        (
            Range,
            "what rule 'masters read the meters' allows (function 3 read_holding_registers, function 4 \
             read_input_registers of input_register 0-49, input_register 100-119, holding_register 0-99); \
             asked was read holding registers (function 3) of holding_register 90-100"
                .to_owned()
        )
    );
}

#[test]
fn the_hole_between_two_ranges_is_not_allowed() {
    let read = |first, last| {
        Asked::modbus(1, Action::Read, 4, "read_input_registers").on(PointKind::InputRegister, first, last)
    };
    allowed(&read(0, 49));
    allowed(&read(100, 119));
    assert_eq!(denied(&read(50, 50)).0, Range);
    assert_eq!(denied(&read(40, 110)).0, Range, "both ends are allowed, the middle is not");
}

#[test]
fn every_range_of_an_operation_must_be_allowed() {
    let both = Asked::modbus(7, Action::Read, 1, "read_coils").on(PointKind::Coil, 5, 6);
    assert_eq!(allowed(&both), "masters move the tap changer");
    let (kind, text) = denied(&both.on(PointKind::HoldingRegister, 10, 13));
    assert_eq!(kind, Range);
    assert!(
        text.ends_with(
            "read coils (function 1) of coil 5-6, holding_register 10-13 (holding_register 10-13 is not allowed)"
        ),
        "{text}"
    );
}

#[test]
fn ranges_beyond_the_listed_ones_are_denied_unless_all_points_are_allowed() {
    let mut write = Asked::dnp3(10, Action::Operate, 4, "operate").on(PointKind::BinaryOutput, 0, 3);
    allowed(&write);
    write.more_ranges = true;
    let (kind, text) = denied(&write);
    assert_eq!(kind, Control);
    assert!(text.ends_with("of binary_output 0-3 and more (too many ranges to check)"), "{text}");
    let mut read = Asked::dnp3(10, Action::Read, 1, "read").on(PointKind::ClassData, 1, 3);
    read.more_ranges = true;
    assert_eq!(allowed(&read), "masters poll the feeders", "this rule allows all points");
}

#[test]
fn a_write_where_only_reads_are_allowed_is_an_unprofiled_control() {
    let write = write_registers(1).on(PointKind::HoldingRegister, 0, 1);
    let (kind, text) = denied(&write);
    assert_eq!(kind, Control);
    assert!(
        text.ends_with("; asked was write multiple registers (function 16) of holding_register 0-1"),
        "{text}"
    );
    // fc:6 is allowed for the tap changer, 16 is not.
    let six = Asked::modbus(7, Action::Write, 6, "write_single_register");
    assert_eq!(allowed(&six.on(PointKind::HoldingRegister, 10, 10)), "masters move the tap changer");
    assert_eq!(denied(&write_registers(7).on(PointKind::HoldingRegister, 10, 10)).0, Control);
}

#[test]
fn an_allowed_control_outside_its_points_is_a_control_that_explains_the_range() {
    let operate = Asked::dnp3(10, Action::Operate, 4, "operate");
    assert_eq!(allowed(&operate.clone().on(PointKind::BinaryOutput, 3, 3)), "masters switch the breakers");
    assert_eq!(
        denied(&operate.on(PointKind::BinaryOutput, 4, 4)),
        (
            Control,
            "what rule 'masters switch the breakers' allows (select, operate of binary_output 0-3); \
             asked was operate (function 4) of binary_output 4"
                .to_owned()
        )
    );
}

#[test]
fn direct_operate_is_denied_where_select_and_operate_are_allowed() {
    let direct =
        Asked::dnp3(10, Action::DirectOperate, 5, "direct_operate").on(PointKind::BinaryOutput, 1, 1);
    let (kind, text) = denied(&direct);
    assert_eq!(kind, Control);
    assert!(
        text.starts_with("what rule 'masters poll the feeders' allows (read, report); asked was direct operate (function 5)"),
        "{text}"
    );
}

#[test]
fn a_function_that_is_no_control_is_a_function_anomaly() {
    let restart = Asked::dnp3(10, Action::Restart, 13, "cold_restart");
    assert_eq!(denied(&restart).0, AnomalyKind::Function);
    let identify = Asked::modbus(1, Action::Identify, 43, "read_device_identification");
    assert_eq!(denied(&identify).0, AnomalyKind::Function);
    assert_eq!(allowed(&identify.from("10.0.0.20")), "historians read the meters");
}

#[test]
fn a_function_without_points_needs_the_function_alone() {
    let identify = Asked::modbus(1, Action::Identify, 17, "report_server_id").from("10.0.0.20");
    allowed(&identify);
    let device_data = identify.clone().on(PointKind::DeviceData, 0, 0);
    assert_eq!(allowed(&device_data), "historians read the meters", "device data has no address to compare");
    assert_eq!(denied(&identify.on(PointKind::FileRecord, 1, 1)).0, Range);
}

#[test]
fn an_unknown_client_is_told_who_may() {
    let read = read_registers(1).on(PointKind::HoldingRegister, 0, 9).from("10.0.0.99");
    let (kind, text) = denied(&read);
    assert_eq!(kind, UnknownClient);
    assert!(
        text.starts_with("a client that the profile knows; rule 'masters read the meters' allows this"),
        "{text}"
    );
    assert!(
        text.ends_with(
            "to 'scada-a', 'scada-b'; asked was read holding registers (function 3) of holding_register 0-9 by 10.0.0.99"
        ),
        "{text}"
    );
    // The same read by a host of the network 10.0.1.0/28 is allowed; just behind the network it is not.
    let read = |client| read_registers(1).on(PointKind::HoldingRegister, 0, 9).from(client);
    assert_eq!(allowed(&read("10.0.1.15")), "historians read the meters");
    assert_eq!(denied(&read("10.0.1.16")).0, UnknownClient);
}

#[test]
fn a_control_by_an_unknown_client_or_to_an_unknown_station_is_a_control() {
    let write = write_registers(7).on(PointKind::HoldingRegister, 10, 10);
    assert_eq!(denied(&write.from("10.0.0.99")).0, Control);
    let (kind, text) = denied(&write_registers(9).on(PointKind::HoldingRegister, 10, 10));
    assert_eq!(kind, Control);
    assert_eq!(
        text,
        "a station that the profile knows behind host 'gateway'; asked was write multiple registers (function 16) \
         of holding_register 10 at 10.0.2.20:502 unit 9"
    );
}

#[test]
fn a_known_host_without_a_rule_for_the_station_is_not_its_client() {
    let read = Asked::dnp3(10, Action::Read, 1, "read").on(PointKind::ClassData, 0, 3);
    allowed(&read);
    let (kind, text) = denied(&read.from("10.0.0.20"));
    assert_eq!(kind, UnknownClient);
    assert_eq!(
        text,
        "a rule from 'historians' to 'FDR-12'; rule 'masters poll the feeders' allows this \
         to 'scada-a', 'scada-b'; asked was read (function 1) of class_data 0-3"
    );
}

#[test]
fn a_station_is_its_host_its_protocol_and_its_address() {
    let read = |unit| read_registers(unit).on(PointKind::HoldingRegister, 0, 0);
    allowed(&read(2));
    assert_eq!(denied(&read(3)).0, UnknownStation);
    assert_eq!(denied(&read(0)).0, UnknownStation);
    assert_eq!(denied(&read(255)).0, UnknownStation);
    let (kind, text) = denied(&read(1).at("10.0.2.21"));
    assert_eq!(kind, UnknownStation);
    assert!(text.starts_with("a station that the profile knows; asked"), "{text}");
    // "any" takes every unit.
    allowed(&read(0).at("10.0.2.30"));
    allowed(&read(255).at("10.0.2.30"));
    // A host with two addresses is one host.
    let poll = Asked::dnp3(11, Action::Read, 1, "read");
    allowed(&poll);
    assert_eq!(allowed(&poll.at("fd00:2::12")), "masters poll the feeders");
}

#[test]
fn the_answer_to_a_request_that_was_seen_is_not_judged_twice() {
    let mut answer = read_registers(9).exchanging(Exchange::Response).from("10.0.0.99");
    answer.answered = true;
    assert_eq!(allowed(&answer), "");
}

#[test]
fn an_answer_alone_needs_a_pair_with_some_rule() {
    let answer = |unit| read_registers(unit).exchanging(Exchange::Response);
    assert_eq!(allowed(&answer(1)), "");
    let (kind, text) = denied(&answer(9));
    assert_eq!(kind, UnknownStation);
    assert!(
        text.ends_with("; seen was an answer to read holding registers (function 3) at 10.0.2.20:502 unit 9"),
        "{text}"
    );
    assert_eq!(denied(&answer(1).from("10.0.0.99")).0, UnknownClient);
    assert_eq!(denied(&answer(7).from("10.0.0.20")).0, UnknownClient, "no rule connects them");
    // An answer is no order, even to a write.
    assert_eq!(denied(&write_registers(9).exchanging(Exchange::Response)).0, UnknownStation);
}

#[test]
fn unsolicited_reports_need_a_rule_for_report_or_read() {
    let report =
        |link| {
            Asked::dnp3(link, Action::Report, 130, "unsolicited_response")
                .exchanging(Exchange::Unsolicited)
                .on(PointKind::BinaryInput, 5, 5)
        };
    assert_eq!(allowed(&report(10)), "masters poll the feeders");
    let (kind, text) = denied(&report(12));
    assert_eq!(kind, UnknownStation);
    assert!(
        text.contains(
            "seen was an unsolicited report, unsolicited response (function 130) of binary_input 5 at"
        ),
        "{text}"
    );
    assert_eq!(denied(&report(10).from("10.0.0.99")).0, UnknownClient);
    let controls_only = EXAMPLE_CONTROLS_ONLY;
    let profile = crate::parse(controls_only, "x").unwrap();
    assert_eq!(report(10).judge(&profile).unwrap_err().0, AnomalyKind::Function);
    let by_name = controls_only.replace("[\"operate\"]", "[\"unsolicited_response\"]");
    let profile = crate::parse(&by_name, "x").unwrap();
    assert_eq!(report(10).judge(&profile).unwrap(), "r");
}

const EXAMPLE_CONTROLS_ONLY: &str = r#"
[profile]
name = "x"
[hosts.m]
address = "10.0.0.5"
[stations.s]
protocol = "dnp3"
host = "10.0.2.12"
link_address = 10
[[rules]]
name = "r"
from = ["m"]
to = ["s"]
allow = ["operate"]
"#;

#[test]
fn confirms_and_link_traffic_need_a_pair_with_some_rule() {
    for exchange in [Exchange::Confirm, Exchange::Link] {
        let asked = |link| Asked::dnp3(link, Action::Link, 0, "confirm").exchanging(exchange);
        assert_eq!(allowed(&asked(10)), "");
        assert_eq!(denied(&asked(12)).0, UnknownStation);
        assert_eq!(denied(&asked(10).from("10.0.0.99")).0, UnknownClient);
        assert_eq!(denied(&asked(10).from("10.0.0.20")).0, UnknownClient, "no rule connects them");
    }
}

#[test]
fn broadcasts_need_a_rule_that_says_so() {
    let set_clock =
        Asked::dnp3(0xFFFF, Action::Time, 2, "write").on(PointKind::Object(50), 0, 0).by_broadcast();
    assert_eq!(allowed(&set_clock), "masters keep the feeders running");
    let (kind, text) = denied(&set_clock.clone().from("10.0.0.20"));
    assert_eq!(kind, AnomalyKind::Function);
    assert_eq!(
        text,
        "a rule with broadcast = true from 'historians' to a station of 'feeder-rtu'; \
         asked was write (function 2) of g50 0 by broadcast"
    );
    let operate =
        Asked::dnp3(0xFFFD, Action::DirectOperate, 6, "direct_operate_nr").on(PointKind::BinaryOutput, 0, 0);
    assert_eq!(denied(&operate.by_broadcast()).0, Control);
    assert_eq!(denied(&set_clock.clone().from("10.0.0.99")).0, UnknownClient);
    assert_eq!(denied(&set_clock.at("10.0.2.99")).0, UnknownStation);
}

#[test]
fn a_station_for_any_address_does_not_take_broadcasts() {
    let any = EXAMPLE_CONTROLS_ONLY.replace("link_address = 10", "link_address = \"any\"");
    let profile = crate::parse(&any, "x").unwrap();
    let operate = |link| Asked::dnp3(link, Action::Operate, 4, "operate");
    assert_eq!(operate(77).judge(&profile).unwrap(), "r");
    assert_eq!(operate(0xFFFF).by_broadcast().judge(&profile).unwrap_err().0, Control);
    // Unit 0 of Modbus is a station when the profile names it.
    let unit0 = any
        .replace("dnp3", "modbus")
        .replace("link_address = \"any\"", "unit_id = 0")
        .replace("operate", "write");
    let profile = crate::parse(&unit0, "x").unwrap();
    let write = write_registers(0).at("10.0.2.12").by_broadcast();
    assert_eq!(write.judge(&profile).unwrap(), "r");
}

#[test]
fn a_port_tells_lines_behind_one_address_apart() {
    let text = r#"
        [profile]
        name = "x"
        [hosts.m]
        address = "10.0.0.5"
        [hosts.server]
        address = "10.0.2.20"
        [stations.line-1]
        protocol = "modbus"
        host = "server"
        unit_id = 1
        port = 4001
        [stations.line-2]
        protocol = "modbus"
        host = "server"
        unit_id = 1
        port = 4002
        [[rules]]
        name = "one"
        from = ["m"]
        to = ["line-1"]
        allow = ["read"]
        broadcast = true
        [[rules]]
        name = "two"
        from = ["m"]
        to = ["line-2"]
        allow = ["read"]
    "#;
    let profile = crate::parse(text, "x").unwrap();
    let read = |port| Asked { port, ..read_registers(1) };
    assert_eq!(read(4001).judge(&profile).unwrap(), "one");
    assert_eq!(read(4002).judge(&profile).unwrap(), "two");
    assert_eq!(read(502).judge(&profile).unwrap_err().0, UnknownStation);
    let broadcast = |port| Asked { port, ..read_registers(0) }.by_broadcast();
    assert_eq!(broadcast(4001).judge(&profile).unwrap(), "one");
    assert_eq!(broadcast(4002).judge(&profile).unwrap_err().0, AnomalyKind::Function);
}

#[test]
fn sub_functions_are_told_apart() {
    let diagnose = |sub| Asked {
        function: Function { code: 8, sub: Some(sub), name: "diagnostics" },
        ..Asked::modbus(1, Action::Diagnose, 8, "diagnostics")
    };
    let text = EXAMPLE_CONTROLS_ONLY
        .replace("dnp3", "modbus")
        .replace("link_address = 10", "unit_id = 1")
        .replace("10.0.2.12", "10.0.2.20");
    let only_echo = crate::parse(&text.replace("\"operate\"", "\"fc:8/0\""), "x").unwrap();
    assert_eq!(diagnose(0).judge(&only_echo).unwrap(), "r");
    assert_eq!(diagnose(4).judge(&only_echo).unwrap_err().0, AnomalyKind::Function);
    let all = crate::parse(&text.replace("\"operate\"", "\"diagnostics\""), "x").unwrap();
    assert_eq!(diagnose(4).judge(&all).unwrap(), "r");
}

#[test]
fn a_mac_address_is_nobody_the_profile_knows() {
    use parsers::{Endpoint, Host, MacAddr, Protocol};
    let profile = example();
    let mac = Endpoint { host: Host::Mac(MacAddr([0; 6])), port: 0 };
    let pair = profile.pair(mac, mac, Protocol::Modbus, StationAddress::None);
    assert!(!pair.knows_client() && !pair.knows_station());
    assert_eq!((profile.client_name(pair), profile.station_name(pair)), (None, None));
}
