//! Errors in rules, word for word.

use super::errors::{GOOD, brief, spoil};
use crate::parse;

#[test]
fn rules_refer_to_hosts_and_stations() {
    assert_eq!(
        spoil("from = \"scada\"", "from = [\"scda\", \"METER\", \"scada\", \"scada\"]"),
        [
            "23:9: no host has the name `scda` | did you mean `scada`? | define it:\n             [hosts.scda]\n             address = \"...\"",
            "23:17: no host has the name `METER` | this is a station; here, hosts are named",
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
