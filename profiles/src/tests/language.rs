//! The wider language: groups, named points, schedules, denials, maintenance, thresholds; their errors.

use parsers::{Action, Function, Host, PointKind, PointRange, Protocol, Timestamp};

use super::errors::{GOOD, brief};
use super::support::Asked;
use crate::{AnomalyKind, Compiled, Severity, parse};

fn sound(text: &str) -> Compiled {
    parse(text, "site.toml").unwrap_or_else(|e| panic!("{e}"))
}

fn with(more: &str) -> Vec<String> {
    brief(&format!("{GOOD}{more}"))
}

const POINTS: &str = r#"
[profile]
name = "points"
timezone = "Europe/Zurich"
[hosts.scada]
address = "10.0.0.5"
mac = ["00:11:22:33:44:55", "00-11-22-33-44-56"]
vlan = 10
role = "scada_master"
[hosts.gateway]
address = "10.0.2.20"
[groups]
all-meters = ["meters"]
meters = ["METER", "METER-2"]
[maps.meter.power]
point = "holding_register 10"
type = "float32"
word_order = "little"
unit = "kW"
range = [0, 500.5]
rate_of_change = "300 per minute"
stuck_after = "10 min"
[maps.meter.limit]
point = "holding_register 20"
type = "int16"
scale = 0.1
offset = -5
set_range = [0, 100]
max_step = 20
max_rate = "12 per minute"
tags = ["breaker"]
[stations.METER]
protocol = "modbus"
host = "gateway"
unit_id = 1
map = "meter"
tags = "protection"
quirks = ["CNF-06", "late_answers"]
[stations.METER.points.limit]
point = "holding_register 30"
direct_operate = true
operate_within = "15 s"
state = "discrete_input 7"
monotonic = true
metric = true
[stations.METER-2]
protocol = "modbus"
host = "gateway"
unit_id = 2
map = "meter"
[[rules]]
name = "set"
from = "scada"
to = "all-meters"
allow = ["write", "read"]
points = ["limit", "coil 3"]
"#;

#[test]
fn a_map_is_shared_and_a_station_says_more_of_a_point() {
    let profile = sound(POINTS);
    let at = |station, address| {
        let (id, spec) = profile.point(station, PointKind::HoldingRegister, address)?;
        assert_eq!(profile.spec(id).unwrap(), spec);
        Some(spec.name.as_str())
    };
    assert_eq!(at(0, 10), Some("power"));
    assert_eq!(at(0, 11), Some("power"), "the second register of a float");
    assert_eq!(at(0, 12), None);
    assert_eq!((at(0, 20), at(0, 30)), (None, Some("limit")), "its own point replaces the map's");
    assert_eq!((at(1, 20), at(1, 30)), (Some("limit"), None));
    let within: Vec<_> = profile
        .points_within(0, PointRange::new(PointKind::HoldingRegister, 11, 30))
        .map(|(_, spec)| spec.name.as_str())
        .collect();
    assert_eq!(within, ["power", "limit"]);
    let (_, power) = profile.point(0, PointKind::HoldingRegister, 10).unwrap();
    assert_eq!((power.range, power.rate_of_change), (Some((0.0, 500.5)), Some(5.0)));
    assert_eq!(power.stuck_after, Some(600_000_000_000));
    assert_eq!(power.of_registers(&[0, 0x42C8]), Some(100.0));
    let (_, limit) = profile.point(1, PointKind::HoldingRegister, 20).unwrap();
    assert!((limit.scaled(100.0) - 5.0).abs() < 1e-9, "100 * 0.1 - 5");
    assert_eq!(limit.max_rate.unwrap().to_string(), "12 per minute");
    let own = profile.station(0).unwrap().point("limit").unwrap();
    assert_eq!((own.direct_operate, own.state), (Some(true), Some((PointKind::DiscreteInput, 7))));
    assert!(own.monotonic && own.metric && limit.has_tag("breaker"));
    assert!(profile.station(0).unwrap().has_tag("protection"));
    assert!(profile.is_quirk(0, &["late_answers"]) && !profile.is_quirk(1, &["late_answers"]));
    let scada = profile.host(profile.host_index(Host::Ip("10.0.0.5".parse().unwrap())).unwrap()).unwrap();
    assert_eq!((scada.macs.len(), scada.vlans.as_slice()), (2, &[10][..]));
    assert_eq!(scada.macs[1].to_string(), "00:11:22:33:44:56");
}

#[test]
fn a_named_point_is_at_its_own_address_at_every_station() {
    let profile = sound(POINTS);
    let write = |unit, address| {
        Asked::modbus(unit, Action::Write, 6, "write_single_register")
            .on(PointKind::HoldingRegister, address, address)
            .judge(&profile)
    };
    assert_eq!(write(1, 30).unwrap(), "set");
    assert_eq!(write(2, 20).unwrap(), "set");
    assert!(write(1, 20).is_err());
    assert_eq!(
        write(2, 30).unwrap_err().1,
        "what rule 'set' allows (write, read of coil 3, limit); asked was write single register (function 6) of holding_register 30"
    );
    assert_eq!(profile.profile().groups.len(), 2);
    assert_eq!(profile.profile().groups[0].stations, [0, 1]);
}

#[test]
fn written_values_are_held_against_the_limits_of_the_rule() {
    let text = POINTS.replace("points = [\"limit\", \"coil 3\"]", "values = { min = 0, max = 50.5 }");
    let profile = sound(&text);
    let write = |unit, first, words: &[u16]| {
        let points = words.iter().enumerate().map(|(i, w)| (first + i as u32, f64::from(*w)));
        Asked::modbus(unit, Action::Write, 16, "write_multiple_registers")
            .on(PointKind::HoldingRegister, first, first + words.len() as u32 - 1)
            .writing(points.collect())
            .judge(&profile)
    };
    assert!(write(1, 100, &[50]).is_ok(), "raw, where no point has a name");
    let (kind, told) = write(1, 100, &[50, 51]).unwrap_err();
    assert_eq!(kind, AnomalyKind::Value);
    assert_eq!(
        told,
        "values from 0 to 50.5, by rule 'set'; asked was write multiple registers (function 16) of holding_register 100-101, \
         51 for holding_register 101"
    );
    assert!(write(2, 20, &[555]).is_ok(), "555 * 0.1 - 5 = 50.5");
    assert!(write(2, 20, &[556]).unwrap_err().1.ends_with("for 'limit'"));
    assert!(write(2, 20, &[40]).is_err(), "below the minimum when scaled");
    assert!(write(2, 10, &[0, 0x4248]).is_ok(), "the float 50.0, low word first");
    let (_, told) = write(2, 10, &[0, 0x42C8]).unwrap_err();
    assert!(told.starts_with("values from 0 to 50.5 kW, by rule 'set';"), "{told}");
    assert!(told.ends_with("holding_register 10-11, 100 for 'power'"), "{told}");
    assert!(write(2, 10, &[0, 0x7FC0]).is_err(), "NaN is within no limits");
    assert!(write(2, 11, &[0x42C8]).is_ok(), "half a value says nothing");
    assert!(write(2, 100, &[]).is_ok());
}

const TIMES: &str = r#"
[profile]
name = "times"
timezone = "Europe/Zurich"
[hosts.scada]
address = "10.0.0.5"
[stations.METER]
protocol = "modbus"
host = "10.0.2.20"
unit_id = 1
[schedules.office]
days = ["mon-fri"]
hours = ["07:00-18:00"]
[[rules]]
name = "by day"
from = "scada"
to = "METER"
allow = "write"
schedule = "office"
[[rules]]
name = "last year"
from = "scada"
to = "METER"
allow = "read"
expires = 2026-01-01
[[maintenance]]
name = "relay test"
from = "scada"
to = "METER"
allow = ["diagnose"]
start = 2026-07-15T08:00:00
end = 2026-07-15T16:00:00+02:00
reference = "WO-4711"
"#;

fn time(text: &str) -> Timestamp {
    let time: jiff::Timestamp = text.parse().unwrap();
    Timestamp(u64::try_from(time.as_nanosecond()).unwrap())
}

#[test]
fn schedules_and_ends_are_judged_by_packet_time() {
    let profile = sound(TIMES);
    let ask = |action, code, at: &str| Asked::modbus(1, action, code, "f").when(time(at)).judge(&profile);
    assert_eq!(ask(Action::Write, 6, "2026-07-15T05:00:00Z").unwrap(), "by day");
    let (kind, told) = ask(Action::Write, 6, "2026-07-15T16:00:00Z").unwrap_err();
    assert_eq!(kind, AnomalyKind::Schedule);
    assert_eq!(
        told,
        "this within the schedule 'office' of rule 'by day'; asked was f (function 6) at 2026-07-15T16:00:00Z"
    );
    assert_eq!(ask(Action::Read, 3, "2025-12-31T22:59:59Z").unwrap(), "last year", "midnight in Zurich");
    let (kind, told) = ask(Action::Read, 3, "2025-12-31T23:00:00Z").unwrap_err();
    assert_eq!(kind, AnomalyKind::Function);
    assert_eq!(
        told,
        "a rule in force, but rule 'last year' ended at 2025-12-31T23:00:00Z; asked was f (function 3) at 2025-12-31T23:00:00Z"
    );
}

#[test]
fn a_maintenance_window_concerns_who_what_and_when() {
    let profile = sound(TIMES);
    let asked = Asked::modbus(1, Action::Diagnose, 8, "diagnostics");
    let pair = asked.with(|o| profile.pair(o.master_endpoint(), o.station_endpoint(), o.protocol, o.station));
    let what = |action| (Protocol::Modbus, action, Function { code: 8, sub: None, name: "diagnostics" });
    let at = |text: &str, action| {
        profile.maintenance(time(text), pair, what(action)).map(|w| w.reference.as_deref().unwrap())
    };
    assert_eq!(at("2026-07-15T06:00:00Z", Action::Diagnose), Some("WO-4711"), "08:00 in summer");
    assert_eq!(at("2026-07-15T05:59:59Z", Action::Diagnose), None);
    assert_eq!(at("2026-07-15T14:00:00Z", Action::Diagnose), None, "the end is not included");
    assert_eq!(at("2026-07-15T06:00:00Z", Action::Write), None, "other work");
    let over =
        |text: &str| profile.maintenance_over(time(text), 3_600_000_000_000, pair, what(Action::Diagnose));
    assert!(over("2026-07-15T14:00:00Z").is_some() && over("2026-07-15T15:00:00Z").is_some());
    assert!(over("2026-07-15T13:59:59Z").is_none() && over("2026-07-15T15:00:01Z").is_none());
}

#[test]
fn denials_go_before_rules() {
    let deny = r#"
        [[deny]]
        name = "never the limit"
        from = "any"
        to = ["METER"]
        operations = ["write"]
        points = ["limit"]
        severity = "critical"
        [[deny]]
        name = "nobody restarts"
        operations = ["restart"]
    "#;
    let profile = sound(&format!("{POINTS}{deny}"));
    let write = |unit, first, last| {
        Asked::modbus(unit, Action::Write, 16, "write_multiple_registers").on(
            PointKind::HoldingRegister,
            first,
            last,
        )
    };
    let (kind, told) = write(1, 30, 30).judge(&profile).unwrap_err();
    assert_eq!(kind, AnomalyKind::Denied);
    assert_eq!(
        told,
        "no such operation, because rule 'never the limit' forbids write of limit; asked was \
         write multiple registers (function 16) of holding_register 30"
    );
    assert_eq!(write(1, 25, 31).judge(&profile).unwrap_err().0, AnomalyKind::Denied, "it touches the point");
    assert_eq!(write(1, 31, 31).judge(&profile).unwrap_err().0, AnomalyKind::Control);
    assert!(write(2, 20, 20).judge(&profile).is_ok(), "another station");
    let restart = Asked::modbus(9, Action::Restart, 8, "diagnostics").from("10.9.9.9");
    assert_eq!(restart.judge(&profile).unwrap_err().0, AnomalyKind::Denied, "whoever, wherever");
    restart.with(|o| {
        let pair = profile.pair(o.master_endpoint(), o.station_endpoint(), o.protocol, o.station);
        let verdict = profile.judge(pair, o);
        let anomaly = verdict.anomaly().unwrap();
        assert_eq!(
            (anomaly.severity(), anomaly.nearest_name()),
            (Some(Severity::High), Some("nobody restarts"))
        );
    });
}

#[test]
fn thresholds_are_those_of_the_table() {
    let profile = sound(&format!("{GOOD}[thresholds]\nselect_timeout = \"30 s\"\n"));
    assert!((profile.thresholds().select_timeout - 30.0).abs() < 1e-9);
    assert_eq!(
        with("[thresholds]\nselect_timeuot = \"30 s\"\n")[0].split(" | ").take(2).collect::<Vec<_>>(),
        ["28:1: unknown threshold `select_timeuot`", "did you mean `select_timeout`?"]
    );
    assert_eq!(
        with("[thresholds]\nselect_timeout = 30\n"),
        [
            "28:18: threshold `select_timeout` must be a duration, as in \"30 s\" or \"5 min\" | SEQ-01: how long a select is good for."
        ]
    );
}

#[test]
fn errors_in_groups() {
    let group = |text: &str| with(&format!("[groups]\n{text}\n"));
    assert_eq!(
        group("a = [\"scada\", \"METER\"]"),
        ["28:15: the group `a` mixes hosts and stations | make two groups | line 28: `scada`"]
    );
    assert_eq!(
        group("a = [\"b\"]\nb = [\"a\"]"),
        ["29:6: the group `b` contains itself | groups must not contain each other in a circle"]
    );
    assert_eq!(
        group("a = [\"scda\"]"),
        ["28:6: no host, station or group has the name `scda` | did you mean `scada`?"]
    );
    assert_eq!(
        group("gateway = [\"METER\"]")[0].split(" | ").next(),
        Some("28:1: the group `gateway` has the name of a host")
    );
    let rule =
        "[[rules]]\nname = \"r\"\nfrom = \"g\"\nto = \"METER\"\nallow = \"read\"\n[groups]\ng = \"METER\"\n";
    assert_eq!(with(rule), ["29:8: the group `g` is one of stations | here, hosts are named"]);
}

#[test]
fn errors_in_points() {
    let point = |text: &str| with(&format!("[stations.METER.points.p]\n{text}\n"));
    assert_eq!(point("pont = \"coil 3\"").len(), 1, "a misspelt key that is required is one error");
    assert_eq!(
        point("point = \"coil 3-4\""),
        ["28:9: `coil 3-4` is not one point | write a kind and one address, as in \"holding_register 10\""]
    );
    assert_eq!(
        point("point = \"coil 3\"\ntype = \"float32\""),
        ["29:8: `type` is for registers, not for a coil | take it out"]
    );
    assert_eq!(
        point("point = \"holding_register 3\"\ntype = \"float23\""),
        [
            "29:8: unknown type `float23` | did you mean `float32`? | write one of: uint16, int16, uint32, int32, uint64, int64, float32, float64, bits"
        ]
    );
    assert_eq!(
        point("point = \"holding_register 65535\"\ntype = \"float32\""),
        ["28:9: a float32 does not fit at holding_register 65535"]
    );
    assert_eq!(
        point("point = \"coil 3\"\nrange = [5, 1]"),
        ["29:9: `range` of point `p` of station `METER` ends before it starts | write [1, 5]"]
    );
    assert_eq!(
        point("point = \"coil 3\"\nstuck_after = \"10 mim\""),
        [
            "29:15: `stuck_after` of point `p` of station `METER` cannot be read: `10 mim` | write it as in \"2 s\", \"10 min\" or \"1 h 30 min\""
        ]
    );
    assert_eq!(
        point(
            "point = \"holding_register 3\"\ntype = \"uint32\"\n[stations.METER.points.q]\npoint = \"holding_register 4\""
        ),
        [
            "30:24: the points `p` and `q` share addresses | one address is one point | line 27: the point `p` | a value of 32 bits takes two registers, one of 64 bits takes four"
        ]
    );
    assert_eq!(
        with(
            "[[rules]]\nname = \"r\"\nfrom = \"scada\"\nto = [\"METER\", \"FDR\"]\nallow = \"read\"\npoints = \"p\"\n[stations.METER.points.p]\npoint = \"coil 3\"\n"
        ),
        [
            "32:10: station `FDR` has no point `p` | every station of the rule must have it | name the point at each station, or give the stations a shared point map"
        ]
    );
}

#[test]
fn errors_in_times_and_roles() {
    assert_eq!(
        brief(&GOOD.replace("version = \"1\"", "timezone = \"Europe/Zurch\""))[0].split(" | ").nth(1),
        Some("did you mean `Europe/Zurich`?")
    );
    assert_eq!(
        with("[schedules.x]\ndays = \"mon-fry\"\nhours = \"7-18\"\n"),
        [
            "28:8: `mon-fry` is no day | write \"mon\" or \"mon-fri\" | days are: mon, tue, wed, thu, fri, sat, sun",
            "29:9: `7-18` is no range of hours | write \"07:00-18:00\"; a night is \"22:00-06:00\""
        ]
    );
    let rule = |more: &str| brief(&format!("{GOOD}{more}\n"));
    assert_eq!(rule("schedule = \"x\"")[0].split(" | ").next(), Some("27:12: no schedule has the name `x`"));
    assert_eq!(
        rule("expires = \"soon\""),
        [
            "27:11: `expires` of rule `poll` must be a date, not text | write 2027-01-31 or 2027-01-31T08:00:00Z, without quotes"
        ]
    );
    assert_eq!(
        rule("rate = \"often\""),
        [
            "27:8: `rate` of rule `poll` cannot be read: `often` | write it as in \"6 per minute\" or \"1 per 10 s\""
        ]
    );
    assert_eq!(
        brief(&GOOD.replace("[hosts.gateway]", "[hosts.gateway]\nrole = \"historan\""))[0]
            .split(" | ")
            .nth(1),
        Some("did you mean `historian`?")
    );
    let window = "[[maintenance]]\nname = \"w\"\nfrom = \"any\"\nto = \"any\"\nallow = \"write\"\n";
    assert_eq!(
        with(&format!("{window}start = 2026-01-02\nend = 2026-01-01\n")),
        ["33:7: the maintenance window `w` ends before it starts | this is not after `start`"]
    );
}

#[test]
fn a_maintenance_window_names_somebody() {
    let window = "[[maintenance]]\nname = \"w\"\nstart = 2026-01-01\nend = 2026-01-02\npublishers = []\n";
    assert_eq!(
        brief(&format!("{GOOD}{window}")),
        ["31:14: `publishers` of maintenance window `w` is empty | name at least one"]
    );
}

#[test]
fn what_is_most_likely_not_meant_is_warned_of() {
    let warned = |text: &str| -> Vec<String> {
        let show = |w: &crate::Diagnostic| format!("{}:{}: {} | {}", w.line, w.column, w.message, w.label);
        sound(text).warnings().iter().map(show).collect()
    };
    assert!(warned(GOOD).is_empty());
    assert_eq!(
        warned(&GOOD.replace("holding_register 0-9, 20", "holding_register 40001-40010")),
        [
            "26:10: `holding_register 40001` looks like a number of a manual | address 0 on the wire: write \"holding_register 0\""
        ]
    );
    assert!(warned(&GOOD.replace("holding_register 0-9, 20", "holding_register 40000-40069")).is_empty());
    assert_eq!(
        warned(&format!("{GOOD}values = {{ max = 5 }}\n")),
        [
            "27:10: `values` of rule `poll` limits nothing | they are limits on what is written; the rule allows reading only"
        ]
    );
    let learning = "[thresholds]\nsweep_learning = \"1 min\"\n";
    assert_eq!(
        warned(&format!("{GOOD}{learning}")),
        [
            "28:1: `sweep_learning` has no effect here | nothing is learned of masters: the profile says what they may ask for"
        ]
    );
    assert!(warned(&format!("[profile]\nname = \"x\"\n{learning}")).is_empty());
}

#[test]
fn a_backup_master_stands_in_for_the_one_scada_master() {
    let group_of = |more: &str| {
        let text = format!(
            r#"
            [profile]
            name = "masters"
            [hosts.scada]
            address = "10.0.0.5"
            role = "scada_master"
            [hosts.backup]
            address = "10.0.0.6"
            role = "backup_master"
            [hosts.historian]
            address = "10.0.0.7"
            role = "historian"
            {more}
            "#
        );
        let profile = sound(&text);
        let group = |host| profile.redundancy_of(host).map(|g| (g.name.clone(), g.hosts.clone()));
        [group(0), group(1), group(2)]
    };
    let both = Some(("SCADA and backup master".to_owned(), vec![0, 1]));
    assert_eq!(group_of(""), [both.clone(), both, None]);
    let second = "[hosts.other]\naddress = \"10.0.0.8\"\nrole = \"scada_master\"";
    assert_eq!(group_of(second), [None, None, None], "whose backup it is would be a guess");
    let named = "[redundancy.pair]\nhosts = [\"backup\", \"historian\"]";
    let pair = Some(("pair".to_owned(), vec![1, 2]));
    assert_eq!(group_of(named), [None, pair.clone(), pair], "what is written goes before");
}
