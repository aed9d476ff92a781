//! Profiles spread over files and made from templates; roles; the JSON Schema; the examples.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use parsers::{Action, PointKind};

use super::errors::brief;
use super::support::Asked;
use crate::{AnomalyKind, Compiled, load, parse};

/// A folder of its own with files in it.
fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("gridtap-profiles-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    for (file, text) in files {
        let path = folder.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

const MAIN: &str =
    "include = [\"hosts.toml\", \"feeders/*.toml\"]\n[profile]\nname = \"x\"\n[groups]\ng = [\"A\"]\n";
const HOSTS: &str = "[hosts.scada]\naddress = \"10.0.0.5\"\n";

fn feeder(name: &str, unit: u32) -> String {
    format!(
        "[stations.{name}]\nprotocol = \"modbus\"\nhost = \"10.0.2.20\"\nunit_id = {unit}\n[groups]\ng = [\"{name}\"]\n"
    )
}

#[test]
fn a_profile_may_be_spread_over_files() {
    let (a, b) = (feeder("A", 1).replace("[groups]\ng = [\"A\"]\n", ""), feeder("B", 2));
    let files = [("site.toml", MAIN), ("hosts.toml", HOSTS), ("feeders/b.toml", &b), ("feeders/a.toml", &a)];
    let folder = folder("spread", &files);
    let profile = load(&folder.join("site.toml")).unwrap_or_else(|e| panic!("{e}"));
    let names: Vec<_> = profile.stations().map(|s| s.name.to_owned()).collect();
    assert_eq!(names, ["A", "B"], "in the order of the files' names");
    assert_eq!(profile.profile().groups[0].stations, [0, 1], "what two files say of a group is one group");
    assert_eq!(profile.files().len(), 4);
    assert_ne!(
        profile.sha256(),
        load(&folder.join("feeders/a.toml")).map_or(String::new(), |p| p.sha256().to_owned())
    );
    let before = profile.sha256().to_owned();
    std::fs::write(folder.join("feeders/b.toml"), b.replace("unit_id = 2", "unit_id = 3")).unwrap();
    assert_ne!(load(&folder.join("site.toml")).unwrap().sha256(), before, "the hash is that of all files");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn errors_of_included_files_stand_at_their_own_place() {
    let bad = "[stations.A]\nprotocol = \"modbus\"\nhost = \"rtu\"\nunit_id = 1\n";
    let circle =
        "include = \"site.toml\"\n[hosts.scada]\naddress = \"10.0.0.500\"\n[profile]\nname = \"y\"\n";
    let files =
        [("site.toml", MAIN), ("hosts.toml", circle), ("feeders/a.toml", bad), ("feeders/b.toml", "x = [")];
    let folder = folder("errors", &files);
    let brief = |folder: &Path| -> Vec<String> {
        let errors = load(&folder.join("site.toml")).unwrap_err().errors;
        let place =
            |file: &str| file.strip_prefix(&format!("{}/", folder.display())).unwrap_or(file).to_owned();
        errors.iter().map(|e| format!("{}:{}:{}: {}", place(&e.file), e.line, e.column, e.message)).collect()
    };
    let shown = brief(&folder);
    assert!(shown.iter().any(|e| e.starts_with("feeders/b.toml:1:")), "broken TOML is told alone: {shown:?}");
    std::fs::write(folder.join("feeders/b.toml"), "").unwrap();
    let shown: Vec<_> =
        brief(&folder).into_iter().map(|e| e.replace(&folder.display().to_string(), "")).collect();
    assert_eq!(
        shown,
        [
            "hosts.toml:1:11: `/site.toml` includes itself",
            "hosts.toml:3:11: `10.0.0.500` is no address",
            "hosts.toml:4:1: an included file has no [profile]",
            "feeders/a.toml:3:8: no host has the name `rtu`",
        ]
    );
    std::fs::write(folder.join("hosts.toml"), HOSTS).unwrap();
    std::fs::remove_dir_all(folder.join("feeders")).unwrap();
    assert!(brief(&folder)[0].starts_with("site.toml:1:26: `feeders/*.toml` cannot be included: the folder"));
    std::fs::remove_dir_all(folder).unwrap();
    let text = "include = \"x.toml\"\n[profile]\nname = \"x\"\n";
    assert_eq!(
        super::errors::brief(text)[0].split(" | ").next(),
        Some(
            "1:11: `x.toml` cannot be included: this profile was not read from a file, so it can include none"
        )
    );
}

pub(super) const TEMPLATE: &str = r#"[profile]
name = "t"
[hosts.scada]
address = "10.0.0.5"
[templates.feeder]
parameters = ["n", "address"]
[templates.feeder.hosts."rtu-{n}"]
address = "{address}"
[templates.feeder.stations."FDR-{n}"]
protocol = "dnp3"
host = "rtu-{n}"
link_address = "{n}"
tags = ["breaker", "no-{n}"]
[templates.feeder.stations."FDR-{n}".points.breaker]
point = "binary_output {n}"
[[templates.feeder.rules]]
name = "poll {n}"
from = "scada"
to = "FDR-{n}"
allow = ["read", "operate"]
points = ["breaker"]
[[use]]
template = "feeder"
with = [
    { n = 12, address = "10.0.1.12" },
    { n = 13, address = "10.0.1.13" },
]
"#;

#[test]
fn a_template_is_written_once_for_many() {
    let profile = parse(TEMPLATE, "t").unwrap_or_else(|e| panic!("{e}"));
    let names: Vec<_> = profile.stations().map(|s| s.name).collect();
    assert_eq!(names, ["FDR-12", "FDR-13"]);
    let station = profile.station(1).unwrap();
    assert_eq!(station.address, Some(parsers::StationAddress::Link(13)), "a parameter alone keeps its type");
    assert_eq!(station.tags, ["breaker", "no-13"]);
    assert_eq!(profile.profile().rules[1].name, "poll 13");
    let at = |server, link, point| {
        let asked = Asked::dnp3(link, Action::Operate, 4, "operate").at(server);
        asked.on(PointKind::BinaryOutput, point, point).judge(&profile)
    };
    assert!(at("10.0.1.13", 13, 13).is_ok() && at("10.0.1.13", 13, 12).is_err());
}

#[test]
fn errors_in_templates_say_which_instance() {
    let spoil = |from: &str, to: &str| {
        assert!(TEMPLATE.contains(from));
        brief(&TEMPLATE.replace(from, to))
    };
    assert_eq!(
        spoil("n = 13, address = \"10.0.1.13\"", "n = 13, address = \"10.0.1.300\""),
        [
            "8:11: `10.0.1.300` is no address | template `feeder` with n = 13, address = 10.0.1.300 (line 26) | write an IPv4 or IPv6 address (10.0.0.5, fd00::5) or a network (10.0.1.0/28)"
        ]
    );
    assert_eq!(
        spoil("protocol = \"dnp3\"", "protocol = \"dnp\""),
        [
            "10:12: unknown protocol `dnp` | did you mean `dnp3`? | template `feeder` with n = 12, address = 10.0.1.12 (line 25), and 1 more instance | protocols are: modbus, dnp3, iec104"
        ],
        "an error that all instances share is told once"
    );
    assert_eq!(
        spoil("host = \"rtu-{n}\"", "host = \"rtu-{m}\"")[0],
        "11:8: template `feeder` has no parameter `m` | did you mean `{n}`? | name it in `parameters`, or write {{ for a brace"
    );
    assert_eq!(
        spoil("{ n = 13, address", "{ m = 13, address"),
        ["26:7: template `feeder` has no parameter `m` | did you mean `n`?"]
    );
    assert_eq!(
        spoil("{ n = 13, address = \"10.0.1.13\" }", "{ n = 13 }"),
        ["26:5: `address` of template `feeder` is missing | add address = ..."]
    );
    assert_eq!(
        spoil("template = \"feeder\"", "template = \"feder\"")[0],
        "23:12: no template has the name `feder` | did you mean `feeder`? | define it: [templates.feder]"
    );
    let twice = spoil("n = 13, address", "n = 12, address");
    assert!(twice[0].contains("the host `rtu-12` has the name of a host"), "{twice:?}");
    let unused =
        TEMPLATE.replace("parameters = [\"n\", \"address\"]", "parameters = [\"n\", \"address\", \"x\"]");
    let unused = unused.replace("address = \"10.0.1.12\"", "address = \"10.0.1.12\", x = 1");
    let unused = unused.replace("address = \"10.0.1.13\"", "address = \"10.0.1.13\", x = 1");
    assert_eq!(
        parse(&unused, "t").unwrap_or_else(|e| panic!("{e}")).warnings()[0].message,
        "template `feeder` does not use its parameter `x`"
    );
}

#[test]
fn braces_can_be_written() {
    let text = TEMPLATE.replace("no-{n}", "x").replace("name = \"poll {n}\"", "name = \"poll {{{n}} {n}\"");
    let profile = parse(&text, "t").unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(profile.profile().rules[0].name, "poll {12} 12");
}

/// Time, because that is what is promised; ten times the room on a machine that is busy with tests.
#[test]
fn a_thousand_instances_load_quickly() {
    let mut text = TEMPLATE.split("with = [").next().unwrap().to_owned();
    text.push_str("with = [\n");
    for n in 0..1000 {
        writeln!(text, "  {{ n = {n}, address = \"10.1.{}.{}\" }},", n / 250, n % 250).unwrap();
    }
    text.push_str("]\n");
    let begun = std::time::Instant::now();
    let profile = parse(&text, "t").unwrap_or_else(|e| panic!("{e}"));
    let took = begun.elapsed();
    assert_eq!((profile.stations().count(), profile.profile().rules.len()), (1000, 1000));
    println!("1000 instances: {took:?}");
    assert!(took.as_millis() < 1000, "{took:?}");
}

fn example(name: &str) -> Compiled {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
    load(&path).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn the_examples_are_sound_and_without_warnings() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let profile = example(&name);
        assert!(profile.warnings().is_empty(), "{name}: {:?}", profile.warnings());
        count += 1;
    }
    assert!(count >= 8, "{count}");
    assert_eq!(example("utility.toml").stations().count(), 300);
    assert_eq!(example("roles-only.toml").stations().count(), 18);
}

#[test]
fn roles_alone_say_what_hosts_do() {
    let profile = example("roles-only.toml");
    let rtu = |action, code, name: &'static str| {
        Asked::dnp3(10, action, code, name).at("10.10.0.20").from("10.10.0.1")
    };
    assert_eq!(rtu(Action::Read, 1, "read").judge(&profile).unwrap(), "role scada_master: polls outstations");
    let operate = rtu(Action::Operate, 4, "operate").on(PointKind::BinaryOutput, 3, 3);
    assert_eq!(operate.judge(&profile).unwrap(), "role scada_master: controls outstations");
    assert_eq!(
        operate.clone().from("10.10.0.2").judge(&profile).unwrap(),
        "role backup_master: controls outstations"
    );
    let (kind, told) = operate.clone().from("10.10.0.3").judge(&profile).unwrap_err();
    assert_eq!(kind, AnomalyKind::Denied);
    assert!(
        told.starts_with(
            "no such operation, because rule 'role historian: never writes or controls' forbids"
        ),
        "{told}"
    );
    assert_eq!(operate.clone().from("10.10.0.4").judge(&profile).unwrap_err().0, AnomalyKind::Control);
    assert_eq!(
        operate.from("10.10.0.99").judge(&profile).unwrap_err().0,
        AnomalyKind::Control,
        "a rogue master"
    );
    let read = rtu(Action::Read, 1, "read").from("10.10.0.99");
    assert_eq!(read.judge(&profile).unwrap_err().0, AnomalyKind::UnknownClient);
    let restart = rtu(Action::Restart, 13, "cold_restart");
    let (kind, told) = restart.judge(&profile).unwrap_err();
    assert_eq!(kind, AnomalyKind::Denied);
    assert!(told.contains("'nobody restarts, stops or silences a station' forbids restart;"), "{told}");
    let meter =
        Asked::modbus(7, Action::Write, 6, "write_single_register").at("10.10.0.23").from("10.10.0.1");
    assert_eq!(meter.judge(&profile).unwrap_err().0, AnomalyKind::Control, "nothing is written to a meter");
    let unit =
        Asked::modbus(200, Action::Read, 3, "read_holding_registers").at("10.10.0.25").from("10.10.0.3");
    assert!(unit.judge(&profile).is_ok(), "every unit behind a gateway is its own");
    let clock = rtu(Action::Write, 2, "write").on(PointKind::Object(50), 0, 0);
    assert!(clock.by_broadcast().judge(&profile).is_ok(), "clocks are set for all at once");
}

#[test]
fn rules_of_the_file_go_before_those_of_the_roles() {
    let text = "[profile]\nname = \"x\"\n[hosts.h]\naddress = \"10.0.0.5\"\nrole = \"historian\"\n[hosts.rtu]\naddress = \"10.0.2.20\"\nrole = \"rtu\"\n[[rules]]\nname = \"own\"\nfrom = \"h\"\nto = \"rtu\"\nallow = [\"write\", \"restart\"]\npoints = \"coil 1\"\n";
    let profile = parse(text, "x").unwrap_or_else(|e| panic!("{e}"));
    let write = |coil| {
        Asked::modbus(3, Action::Write, 5, "write_single_coil")
            .on(PointKind::Coil, coil, coil)
            .judge(&profile)
    };
    assert_eq!(write(1).unwrap(), "own", "though historians never write");
    let (kind, told) = write(2).unwrap_err();
    assert_eq!(kind, AnomalyKind::Control);
    assert!(told.starts_with("what rule 'own' allows"), "{told}");
    assert!(Asked::modbus(3, Action::Restart, 8, "diagnostics").judge(&profile).is_ok());
    let file = Asked::modbus(3, Action::File, 20, "read_file_record").judge(&profile).unwrap_err();
    assert_eq!(file.0, AnomalyKind::Denied, "what the file does not speak of");
}
