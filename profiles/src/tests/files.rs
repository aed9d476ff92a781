//! Files as a whole: the example, a large one, one that cannot be read.

use std::path::Path;

use parsers::{Host, Protocol};

use super::support::example;
use crate::{Compiled, load, parse};

#[test]
fn the_example_loads_from_disk_and_knows_its_names() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/first-form.toml");
    let profile = load(&path).unwrap();
    assert_eq!((profile.name(), profile.version()), ("North substation", "3"));
    assert_eq!(profile.sha256(), example().sha256());
    assert_eq!(profile.sha256().len(), 64);
    let stations: Vec<_> = profile.stations().map(|s| (s.name, s.protocol)).collect();
    assert_eq!(stations[0], ("FDR-12", Protocol::Dnp3));
    assert_eq!(stations[5], ("WEATHER", Protocol::Modbus));
    let name = |ip: &str| profile.host_name(Host::Ip(ip.parse().unwrap()));
    assert_eq!(name("10.0.1.15"), Some("historians"), "the last address of 10.0.1.0/28");
    assert_eq!(name("10.0.1.16"), None, "just behind it");
    assert_eq!(name("fd00:2::12"), Some("feeder-rtu"));
    assert_eq!(name("10.0.2.30"), Some("10.0.2.30"), "a host that only a station names");
    let rule = profile.profile().rules.iter().find(|r| r.name.contains("read the meters")).unwrap();
    assert_eq!(
        rule.to_string(),
        "rule 'masters read the meters' allows function 3 read_holding_registers, \
         function 4 read_input_registers of input_register 0-49, input_register 100-119, \
         holding_register 0-99"
    );
}

#[test]
fn the_hash_is_that_of_the_octets() {
    let text = "[profile]\nname = \"x\"\n";
    let profile = parse(text, "x").unwrap();
    let by_sha256sum = "7036523afd638599d532f737dfa93108790a01bc9ea2124a5a06179b0995d6e9";
    assert_eq!(profile.sha256(), by_sha256sum);
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_with_a_remedy() {
    let error = load(Path::new("/nowhere/site.toml")).unwrap_err();
    assert_eq!((error.errors[0].line, error.errors[0].column), (0, 0));
    assert_eq!(
        error.to_string(),
        "error: the profile cannot be read: No such file or directory (os error 2)\n  --> /nowhere/site.toml\n   \
         = help: check the path and who may read it\n\n/nowhere/site.toml: 1 error"
    );
}

fn large(stations: usize) -> Compiled {
    use std::fmt::Write;
    let mut text =
        "[profile]\nname = \"large\"\n[hosts.a]\naddress = \"10.9.0.1\"\n[hosts.b]\naddress = \"10.9.0.2\"\n"
            .to_owned();
    let mut all = Vec::new();
    for i in 0..stations {
        let (host, unit) = (i / 4, i % 4);
        if unit == 0 {
            writeln!(text, "[hosts.h{host}]\naddress = \"10.1.{}.{}\"", host / 256, host % 256).unwrap();
        }
        writeln!(text, "[stations.S{i}]\nprotocol = \"modbus\"\nhost = \"h{host}\"\nunit_id = {unit}")
            .unwrap();
        all.push(format!("\"S{i}\""));
    }
    for rule in ["read", "write", "identify"] {
        writeln!(text, "[[rules]]\nname = \"{rule}\"\nfrom = [\"a\", \"b\"]\nto = [{}]", all.join(", "))
            .unwrap();
        writeln!(text, "allow = [\"{rule}\"]\npoints = [\"holding_register 0-99\"]").unwrap();
    }
    parse(&text, "large.toml").unwrap_or_else(|e| panic!("{e}"))
}

/// Work, not time: one pair for every client and station, and one table however many they are.
#[test]
fn a_thousand_stations_are_indexed_with_work_in_proportion() {
    let (pairs, tables) = large(1000).work();
    assert_eq!((pairs, tables), (2000, 2), "2 clients x 1000 stations share one table, beside the empty one");
    let (pairs, tables) = large(4000).work();
    assert_eq!((pairs, tables), (8000, 2));
}

#[test]
fn the_documentation_names_every_role_class_and_kind() {
    let page = include_str!("../../../docs/profiles.md");
    for role in crate::Role::all() {
        assert!(page.contains(&format!("`{}`", role.name)), "{}", role.name);
    }
    for action in parsers::Action::ALL {
        assert!(page.contains(&format!("`{}`", action.name())), "{}", action.name());
    }
    for kind in parsers::PointKind::NAMED {
        let shown = page.contains(&format!("`{}`", kind.name()));
        assert!(shown || kind == parsers::PointKind::DeviceData, "{}", kind.name());
    }
}

#[test]
fn files_from_windows_are_read_too() {
    let text = format!("\u{feff}{}", super::support::EXAMPLE.replace('\n', "\r\n"));
    assert_eq!(parse(&text, "x").unwrap_or_else(|e| panic!("{e}")).stations().count(), 6);
    let error = parse(&text.replace("\"10.0.2.20\"", "\"10.0.2\""), "x").unwrap_err();
    assert_eq!((error.errors[0].line, error.errors[0].column), (24, 11));
    assert!(!error.to_string().contains('\r'));
    let error = parse("\u{feff}oops = 1\n[profile]\nname = \"x\"\n", "x").unwrap_err();
    assert_eq!((error.errors[0].line, error.errors[0].column), (1, 1), "the mark is no character");
}
