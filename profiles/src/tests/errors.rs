//! Every error, word for word, and beside it what is right.

use crate::{Diagnostics, parse};

fn errors(text: &str) -> Diagnostics {
    match parse(text, "site.toml") {
        Ok(_) => panic!("no error in:\n{text}"),
        Err(errors) => errors,
    }
}

/// `LINE:COLUMN: message | label | note | help`, one line an error.
pub(super) fn brief(text: &str) -> Vec<String> {
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
pub(super) const GOOD: &str = r#"[profile]
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
pub(super) fn spoil(from: &str, to: &str) -> Vec<String> {
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
error: unknown key `adress` in host `gateway`
  --> site.toml:9:1
   |
 9 | adress = \"10.0.2.20\"
   | ^^^^^^ did you mean `address`?
   = help: a host has the keys: address, mac, vlan, role, tags, uses, offers, comment

site.toml: 1 error"
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
        "8:2: unknown key `host` in the file | did you mean `hosts`? | a profile has the keys: include, profile, thresholds, templates, use, hosts, groups, stations, maps, schedules, rules, deny, redundancy, maintenance, publishers"
    );
    assert_eq!(
        spoil("version", "banana"),
        ["3:1: unknown key `banana` in [profile] | [profile] has the keys: name, version, timezone, comment"]
    );
    assert_eq!(
        spoil("link_address = 10", "link_address = 10\nlink_adress = 11"),
        [
            "15:1: unknown key `link_adress` in station `FDR` | did you mean `link_address`? | a station has the keys: protocol, host, unit_id, link_address, common_address, port, field_sizes, role, tags, quirks, map, points, comment"
        ]
    );
    assert_eq!(
        spoil("points", "point"),
        [
            "26:1: unknown key `point` in rule `poll` | did you mean `points`? | a rule has the keys: name, from, to, allow, points, values, rate, schedule, select_before_operate, poll, expires, broadcast, owner, comment"
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
            "11:11: the station `gateway` has the name of a host | give it another name | line 8: the host `gateway` | hosts, stations and groups share one set of names, so that a finding names one thing"
        ]
    );
    assert_eq!(
        spoil("[hosts.gateway]", "[hosts.Scada]")[0],
        "8:8: the host `Scada` has the name of a host (names must differ in more than case) | give it another name | line 5: the host `scada` | hosts, stations and groups share one set of names, so that a finding names one thing"
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
        spoil("[stations.FDR]", "[stations._other]"),
        [
            "11:11: the name of a station begins with _, which metrics keep for `_other` and `_unprofiled` | give it another name"
        ]
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
        spoil("\n[hosts.gateway]", "vlan = []\n[hosts.gateway]"),
        ["7:8: `vlan` of host `scada` is empty | name at least one, or leave `vlan` out"]
    );
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
fn an_address_is_only_offered_where_one_was_written() {
    let help = "write an IPv4 or IPv6 address (10.0.0.5, fd00::5) or a network (10.0.1.0/28)";
    let address = |text: &str| spoil("\"10.0.2.20\"", &format!("\"{text}\""));
    let without_remedy = [
        "",
        " ",
        "...",
        "10.0.2.",
        "10..2.5",
        ".0.2.5",
        "10.0.2.+1",
        "+1.0.0.1",
        "0x0A.0.0.1",
        "10.0.2.2O",
        "10.0.2.x",
        "1O.0.2.20",
        "10.0.2.5a",
        "fd00::5::zz",
        "fd00::5:zz",
        "10.0.2.20:http",
        "10.0.2.0/24/8",
        "a b",
        "_.",
    ];
    for text in without_remedy {
        assert_eq!(address(text), [format!("9:11: `{text}` is no address | {help}")]);
    }
    let port = |text: &str, plain: &str| {
        assert_eq!(
            address(text)[0].split(" | ").nth(1),
            Some(&*format!("a host has no port: write \"{plain}\""))
        );
    };
    port("10.0.2.20:502", "10.0.2.20");
    port("[fd00::5]:20000", "fd00::5");
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
        ["17:12: unknown protocol `modbuss` | did you mean `modbus`? | protocols are: modbus, dnp3, iec104"]
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
        ["19:11: `unit_id` of station `METER` must be a number or \"any\", not text | no quotes"]
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
fn sizes_of_fields_are_those_of_101_and_one_on_a_connection() {
    let good = "[profile]\nname = \"x\"\n[stations.A]\nprotocol = \"iec104\"\nhost = \"10.0.0.1\"\n\
                common_address = 1\nfield_sizes = [1, 1, 2]\n[stations.B]\nprotocol = \"iec104\"\n\
                host = \"10.0.0.1\"\ncommon_address = 2\n";
    let compiled = parse(good, "x").unwrap();
    let end = |port| parsers::Endpoint { host: parsers::Host::Ip([10, 0, 0, 1].into()), port };
    assert_eq!(compiled.field_sizes(end(2404)), parsers::FieldSizes::new([1, 1, 2]));
    for wrong in ["[1, 1]", "[1, 1, 4]", "[0, 1, 2]", "1", "[3, 1, 1]"] {
        let told = brief(&good.replace("[1, 1, 2]", wrong));
        assert!(told[0].contains("`field_sizes` are three numbers"), "{wrong}: {told:?}");
    }
    let another = format!("{good}field_sizes = [1, 2, 2]\n");
    assert_eq!(
        brief(&another),
        [
            "8:11: the stations `A` and `B` have different sizes of fields on one connection | write the same `field_sizes`, or give both stations a `port` | line 3: the station `A`"
        ]
    );
    let apart = another.replace("common_address = 1", "port = 1\ncommon_address = 1");
    assert_eq!(brief(&apart).len(), 1, "the second has no port, so it is on every connection");
    let apart = apart.replace("common_address = 2", "port = 2\ncommon_address = 2");
    let compiled = parse(&apart, "x").unwrap();
    assert_eq!(compiled.field_sizes(end(2)), parsers::FieldSizes::new([1, 2, 2]));
    assert_eq!(compiled.field_sizes(end(2404)), None);
    assert_eq!(
        spoil("unit_id = 1", "unit_id = 1\nfield_sizes = [1, 1, 2]"),
        ["20:16: a modbus station has no `field_sizes` | only IEC 104 has fields of different sizes"]
    );
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
fn sections_must_be_tables() {
    assert_eq!(
        brief("hosts = 1\nrules = 2\n[profile]\nname = \"x\"\n[stations]\nA = 1\n"),
        [
            "1:9: `hosts` must be a table, not a number | write every one as a section of its own:\n             [hosts.NAME]\n             address = \"10.0.0.5\"",
            "2:9: `rules` must be a list of tables, not a number | begin every rule with [[rules]]",
            "6:5: station `A` must be a table, not a number | a station has the keys: protocol, host, unit_id, link_address, common_address, port, field_sizes, role, tags, quirks, map, points, comment",
        ]
    );
}

#[test]
fn what_people_write_is_told_with_its_own_remedy() {
    let schedule = spoil("points =", "schedule = \"Mo-Fr 8-17\"\npoints =");
    assert_eq!(
        schedule,
        [
            "26:12: no schedule has the name `Mo-Fr 8-17` | define it:\n             [schedules.\"Mo-Fr 8-17\"]\n             days = [\"mon-fri\"]\n             hours = \"07:00-18:00\""
        ]
    );
    let expires = spoil("points =", "expires = 2026-02-30\npoints =");
    assert_eq!(
        expires,
        [
            "26:11: not TOML: invalid date, expected day between 01 and 28 | there is no such day: day between 01 and 28 | write a date as 2027-01-31, without quotes"
        ]
    );
    let header = spoil("[hosts.gateway]", "[templates.feeder.hosts.relay-{n}]");
    assert!(
        header[0].contains("| such a name stands in quotes: [templates.feeder.hosts.\"relay-{n}\"] |"),
        "{header:?}"
    );
    // A section that stands there twice is one error, not one for each of its keys as well.
    let twice = format!("{GOOD}\n[stations.METER]\nprotocol = \"modbus\"\nhost = \"gateway\"\nunit_id = 3\n");
    assert_eq!(
        brief(&twice),
        [
            "28:11: `METER` is defined twice | defined here again | give one of them another name, or put both into one"
        ]
    );
    assert_eq!(
        spoil("unit_id = 1", "unit_id = 1\nunit_id = 2"),
        ["20:1: `unit_id` is defined twice | defined here again | take one of them out"]
    );
    assert_eq!(
        spoil("unit_id = 1", "unitid = 1").len(),
        1,
        "a key that is nearly right is not missing as well"
    );
    let address = |text: &str| {
        let told = spoil("\"10.0.2.20\"", &format!("\"{text}\"")).remove(0);
        told.split(" | ").nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(address("010.0.0.001"), "no zeros in front: write \"10.0.0.1\"");
    assert_eq!(address("10.0.0.1-10.0.0.9"), "list the addresses, or write the network");
    assert_eq!(address("relay.example.com"), "names are not looked up: write the address");
    for name in ["relay", "plc-1.site", "10-0-0-5.example.com", "4-20.example.com"] {
        assert_eq!(address(name), "names are not looked up: write the address", "{name}");
    }
}
