#![allow(clippy::unwrap_used)]
use super::*;
use parsers::PointKind;

const OLD: &str = r#"
[profile]
name = "x"
[hosts.a]
address = "10.0.0.1"
[hosts.b]
address = "10.0.0.2"
[stations.S]
protocol = "modbus"
host = "10.0.2.1"
unit_id = 1
[stations.T]
protocol = "modbus"
host = "10.0.2.1"
unit_id = 2
[[rules]]
name = "read"
from = ["a", "b"]
to = ["S", "T"]
allow = ["read", "write"]
points = ["holding_register 0-99"]
"#;

fn shown(old: &str, new: &str) -> String {
    let read = |text: &str| crate::parse(text, "x").unwrap();
    diff(read(old).profile(), read(new).profile()).to_string()
}

#[test]
fn text_is_no_difference() {
    assert_eq!(shown(OLD, OLD), "both profiles allow the same");
    let split = OLD.replace(
        "points = [\"holding_register 0-99\"]",
        "points = [\"holding_register 0-49\"]\n[[rules]]\nname = \"more\"\nfrom = \"g\"\nto = [\"S\", \"T\"]\nallow = [\"write\", \"read\"]\npoints = [\"holding_register 50-99\"]\n[groups]\ng = [\"a\", \"b\"]",
    );
    assert_eq!(shown(OLD, &split), "both profiles allow the same", "two rules for the one");
}

#[test]
fn operations_gained_and_lost_are_told_for_hosts_and_stations_together() {
    let new = OLD.replace("0-99", "10-120");
    assert_eq!(
        shown(OLD, &new),
        "+ a, b may now read holding_register 100-120 at S, T\n\
         + a, b may now write holding_register 100-120 at S, T\n\
         - a, b may no longer read holding_register 0-9 at S, T\n\
         - a, b may no longer write holding_register 0-9 at S, T"
    );
    let new = OLD
        .replace("from = [\"a\", \"b\"]", "from = \"a\"")
        .replace("points = [", "values = { max = 50 }\nrate = \"6 per minute\"\npoints = [");
    assert_eq!(
        shown(OLD, &new).lines().next().unwrap(),
        "+ a may now read holding_register 0-99 at S, T, only with values of at most 50, at most 6 per minute"
    );
    let new =
        format!("{}[[deny]]\nname = \"no\"\noperations = \"restart\"\n", OLD.replace("10.0.0.2", "10.0.0.3"));
    assert_eq!(
        shown(OLD, &new),
        "~ host b: 10.0.0.3/32 (was: 10.0.0.2/32)\n+ denial no: restart from any to any"
    );
}

#[test]
fn what_else_is_judged_is_told_in_words() {
    let old = format!(
        "{OLD}schedule = \"day\"\n[schedules.day]\nhours = \"07:00-18:00\"\n[stations.S.points.p]\npoint = \
         \"holding_register 3\"\nrange = [0, 10]\n"
    );
    let new = old
        .replace("07:00", "06:00")
        .replace("[0, 10]", "[0, 12]\ntags = [\"breaker\"]")
        .replace("name = \"x\"", "name = \"x\"\ntimezone = \"Europe/Zurich\"")
        .replace("unit_id = 2", "unit_id = 3")
        .replace("[hosts.a]\n", "[hosts.a]\nmac = \"02:00:00:00:00:01\"\nvlan = 40\n");
    assert_eq!(
        shown(&old, &new),
        "~ host a: 10.0.0.1/32, 02:00:00:00:00:01, VLAN 40 (was: 10.0.0.1/32)\n\
         ~ station T (modbus): modbus at 10.0.2.1, unit 3, 0 named points (was: modbus at 10.0.2.1, unit 2, \
         0 named points)\n\
         ~ point p of S: holding_register 3, uint16, plausible 0 to 12, tags breaker (was: holding_register \
         3, uint16, plausible 0 to 10)\n\
         ~ time zone of schedules: Europe/Zurich (was: UTC)\n\
         ~ schedule day: every day, 06:00-18:00 (was: every day, 07:00-18:00)"
    );
}

#[test]
fn publishers_of_a_window_are_told() {
    let with = |publishers: &str| {
        format!(
            "{OLD}[publishers.trip]\ncontrol_block = \"x\"\n[[maintenance]]\nname = \"w\"\npublishers = \
             {publishers}\nstart = 2026-01-01\nend = 2026-01-02\n"
        )
    };
    let (one, any) = (with("\"trip\""), with("\"any\""));
    let text = shown(&one, &any);
    assert!(text.contains("~ maintenance window w: ") && text.contains(", any publisher (was: "), "{text}");
    assert!(text.ends_with(", publishers trip)"), "{text}");
}

#[test]
fn services_roles_and_tags_of_hosts_are_compared() {
    let of = |more: &str| OLD.replace("[hosts.a]\n", &format!("[hosts.a]\n{more}\n"));
    assert_eq!(
        shown(OLD, &of("uses = [\"https\", \"ssh\"]\noffers = []\ntags = \"protection\"")),
        "~ host a: 10.0.0.1/32, uses ssh and https, offers nothing, tags protection (was: 10.0.0.1/32)"
    );
    assert_eq!(
        shown(&of("uses = [\"https\"]"), &of("uses = []")),
        "~ host a: 10.0.0.1/32, uses nothing (was: 10.0.0.1/32, uses https)"
    );
    assert_eq!(shown(&of("offers = [\"ssh\"]"), &of("offers = [\"ssh\"]")), "both profiles allow the same");
}

#[test]
fn what_a_window_expects_and_each_name_and_range_of_a_long_list_is_compared() {
    let window = |rest: &str| {
        format!("{OLD}[[maintenance]]\nname = \"w\"\nstart = 2026-01-01\nend = 2026-01-02\n{rest}\n")
    };
    let before = window("from = \"a\"\nto = \"S\"\nallow = \"read\"");
    for rest in [
        "from = \"b\"\nto = \"S\"\nallow = \"read\"",
        "from = \"a\"\nto = \"T\"\nallow = \"read\"",
        "from = \"a\"\nto = \"S\"\nallow = \"write\"",
    ] {
        let told = shown(&before, &window(rest));
        assert!(told.starts_with("~ maintenance window w: "), "{rest}: {told}");
    }
    let denial = |last: u8, registers: &str| {
        let names = ["c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8"];
        let hosts: Vec<_> = (1..=8).map(|n| format!("[hosts.c{n}]\naddress = \"10.0.9.{n}\"\n")).collect();
        let hosts = hosts.concat();
        let last = format!("c{last}");
        let from = [&names[..6], &[last.as_str()]].concat();
        format!(
            "{OLD}{hosts}[[deny]]\nname = \"no\"\nfrom = {from:?}\noperations = \"write\"\npoints = [{registers}]\n"
        )
    };
    let many: Vec<String> = (0..9).map(|n| format!("\"coil {}\"", n * 2)).collect();
    let first = many.join(", ");
    let told = shown(&denial(7, &first), &denial(8, &first));
    assert!(told.starts_with("~ denial no: "), "another seventh host: {told}");
    let told = shown(&denial(7, &first), &denial(7, &first.replace("coil 16", "coil 17")));
    assert!(told.starts_with("~ denial no: "), "another ninth range: {told}");
    let polled = |tolerance: &str| {
        OLD.replace("points = [", &format!("poll = {{ period = \"2 s\"{tolerance} }}\npoints = ["))
    };
    for share in ["50 %", "7 %", "12.5 %"] {
        let told = shown(&polled(""), &polled(&format!(", tolerance = \"{share}\"")));
        assert!(told.contains(&format!("polled every 2 s, tolerance {share}")), "{told}");
    }
}

#[test]
fn ranges_are_subtracted() {
    let range = |first, last| PointRange::new(PointKind::Coil, first, last);
    let all = [range(0, 9), range(20, u32::MAX)];
    assert_eq!(without(&all, &[]), all);
    assert_eq!(without(&all, &all), []);
    assert_eq!(
        without(&all, &[range(3, 24), range(30, 30)]),
        [range(0, 2), range(25, 29), range(31, u32::MAX)]
    );
    assert_eq!(without(&all, &[PointRange::new(PointKind::DiscreteInput, 0, 9)]), all);
}
