//! `gridtap profile import`: descriptions of substations as a user meets them, and what the profile is worth.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;
use simulators::scenario::Scenario;
use simulators::{attack, site};
use support::net::Folder;

fn gridtap(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_gridtap")).args(arguments).output().unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    (status.code(), text(stdout), text(stderr))
}

fn file(name: &str) -> String {
    format!("{}/tests/scl/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The publishers of the transmission substation, without anybody else.
fn publishers() -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("simulators/scenarios/transmission.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let at = |mark: &str| text.find(mark).unwrap();
    let grid = &text[..at("[stations.RTU-NORTH]")];
    let publishers = &text[at("[publishers.PROT-TOWN]")..at("[masters.centre-a]")];
    Scenario::parse(&format!("{grid}{publishers}"), "publishers").unwrap_or_else(|e| panic!("{e}"))
}

/// The findings of a capture with an imported profile.
fn findings(folder: &Folder, profile: &str, attacks: &str, minutes: u64) -> Vec<Value> {
    let scenario = publishers();
    let attacks = attack::parse(attacks, "attacks", &scenario).unwrap_or_else(|e| panic!("{e}"));
    let (capture, labels) = site::capture(&scenario, &attacks, 7, Duration::from_mins(minutes));
    assert_eq!(labels.len(), attacks.len());
    let path = folder.file("site.pcap");
    std::fs::write(&path, capture).unwrap();
    let path = path.to_str().unwrap();
    let (status, out, err) =
        gridtap(&["replay", path, "--profile", profile, "--operations", "none", "--events", "-"]);
    assert_eq!(status, Some(0), "{err}");
    let events = out.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    events.filter(|event| event["event"] == "finding").collect()
}

#[test]
fn what_a_description_says_is_silent_and_what_is_forged_is_not() {
    let folder = Folder::new("import-judged");
    let profile = folder.file("site.toml");
    let profile = profile.to_str().unwrap();
    let (status, _, err) = gridtap(&["profile", "import", &file("transmission.scd"), "-o", profile]);
    assert_eq!((status, err), (Some(0), format!("{profile}: hosts: 3, publishers: 4; review it\n")));
    let (status, out, err) = gridtap(&["profile", "check", profile]);
    assert_eq!((status, err.as_str()), (Some(0), ""), "{out}");
    // With the fault of the scenario: a trip, a lost line, and reclosing.
    let told = findings(&folder, profile, "", 45);
    assert_eq!(told, [Value::Null; 0]);
    let forged = "[[attacks]]\nbehaviour = \"goose_second_publisher\"\nat = \"2m\"\nactor = \"10.1.0.66\"\n\
                  target = \"PROT-PARK\"\ncount = 5\nevery = \"1 s\"\n\
                  [[attacks]]\nbehaviour = \"goose_revision\"\nat = \"3m\"\nactor = \"10.1.0.66\"\n\
                  target = \"PROT-TOWN\"\ncount = 3\nevery = \"500 ms\"\n";
    let told = findings(&folder, profile, forged, 5);
    let says = |kind: &str, what: &str| {
        let told = told.iter().filter(|f| f["kind"] == kind);
        let texts: Vec<_> = told.map(|f| f["explanation"].as_str().unwrap_or_default()).collect();
        assert!(texts.iter().any(|text| text.contains(what)), "{what}: {texts:#?}");
    };
    says(
        "publisher_differs",
        "expected publisher 'PARKPROT-gcb01' with source 02:a1:00:00:00:14, observed source ",
    );
    says("publisher_differs", "expected publisher 'TOWNPROT-gcbTrip' with conf");
}

#[test]
fn what_is_wrong_is_told_at_its_place_with_a_remedy() {
    let folder = Folder::new("import-errors");
    let wrong = folder.file("wrong.scd");
    let output = folder.file("site.toml");
    let (wrong_name, output_name) = (wrong.to_str().unwrap(), output.to_str().unwrap());
    let import = |text: &str| {
        std::fs::write(&wrong, text).unwrap();
        gridtap(&["profile", "import", wrong_name, "-o", output_name])
    };
    let (status, _, err) = import("<?xml version=\"1.0\"?>\n<!DOCTYPE SCL [<!ENTITY a \"b\">]>\n<SCL/>\n");
    let told = format!(
        "gridtap: error: a document type (DTD) is refused\n  --> {wrong_name}:2:1\n   |\n \
         2 | <!DOCTYPE SCL [<!ENTITY a \"b\">]>\n   | ^\n   \
         = help: SCL needs no document type and no entities: take them out\n"
    );
    assert_eq!((status, err), (Some(2), told));
    let (status, _, err) = import("");
    let told = format!(
        "gridtap: error: the file holds no XML element\n  --> {wrong_name}\n   \
         = help: name a description of IEC 61850-6: .scd, .cid, .iid or .icd\n"
    );
    assert_eq!((status, err), (Some(2), told));
    let (status, _, err) = import("<SCL><IED name=\"A\"/></SCL>");
    assert_eq!(status, Some(1));
    assert!(err.contains("no IED of it has an IP address, and none publishes GOOSE"), "{err}");
    assert!(!output.exists(), "nothing is written");
    // What can be left out does not end the reading.
    let (status, _, err) = import(
        "<SCL><Communication><SubNetwork name=\"s\"><ConnectedAP iedName=\"A\" apName=\"P\"><Address>\n  \
         <P type=\"IP\">10.0.0.1</P>\n  <P type=\"IP\">10.0.0.256</P>\n\
         </Address></ConnectedAP></SubNetwork></Communication></SCL>",
    );
    let told = format!(
        "warning: `10.0.0.256` is no IP address\n  --> {wrong_name}:3:26\n   |\n \
         3 |   <P type=\"IP\">10.0.0.256</P>\n   |                          ^\n   = help: it is left out\n\n\
         {output_name}: hosts: 1, publishers: 0; review it\n"
    );
    assert_eq!((status, err), (Some(0), told));
}

#[test]
fn a_merge_leaves_what_stands_there_and_the_input_is_safe() {
    let folder = Folder::new("import-merge");
    let site = folder.file("site.toml");
    let name = site.to_str().unwrap();
    let old = "# ours\n[profile]\nname = \"East\"\n\n[publishers.trip] # looked at\n\
               control_block = \"TOWNPROT/LLN0$GO$gcbTrip\"\nconf_rev = 7\n";
    std::fs::write(&site, old).unwrap();
    let (status, _, err) =
        gridtap(&["profile", "import", &file("transmission.scd"), "--merge", name, "-o", name]);
    assert_eq!(status, Some(0), "{err}");
    assert!(
        err.contains("different: publisher `trip`: the profile says conf_rev = 7, the description 1\n"),
        "{err}"
    );
    assert!(err.ends_with(&format!("{name}: 1 known already, 6 added, 8 different\n")), "{err}");
    let text = std::fs::read_to_string(&site).unwrap();
    assert!(
        text.starts_with(old) && text.contains("# Added by gridtap profile import from transmission.scd"),
        "{text}"
    );
    assert_eq!(gridtap(&["profile", "check", name]).0, Some(0));
    let (status, _, err) = gridtap(&["profile", "import", &file("bay.cid"), "-o", &file("bay.cid")]);
    assert_eq!(status, Some(2));
    assert!(err.contains("would overwrite the description"), "{err}");
    let (status, out, _) = gridtap(&["profile", "import", &file("bay.cid"), "-o", "-"]);
    assert_eq!(status, Some(0));
    assert!(out.contains("\ncontrol_block = \"BAY1LD0/LLN0$GO$gcb\"\n"), "{out}");
}
