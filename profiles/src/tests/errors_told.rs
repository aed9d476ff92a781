//! Errors that many make, told so that what is proposed is right: each remedy is put in and the profile is good.

use std::fs;

use super::errors::{GOOD, spoil};
use crate::parse;

const POLL: &str = "points = \"holding_register 0-9, 20\"\n";

fn with(line: &str) -> Vec<String> {
    spoil(POLL, &format!("{POLL}{line}\n"))
}

fn good(from: &str, to: &str) {
    parse(&GOOD.replacen(from, to, 1), "site.toml").unwrap();
}

#[test]
fn a_poll_without_a_table() {
    let help = "how often it is asked, and if needed by how much that may vary: { period = \"2 s\", tolerance = \"50 %\" }";
    for (written, kind, period) in
        [("\"fast\"", "text", "2 s"), ("\"5 s\"", "text", "5 s"), ("5", "a number", "5 s")]
    {
        assert_eq!(
            with(&format!("poll = {written}")),
            [format!(
                "27:8: `poll` of rule `poll` must be a table, not {kind} | write {{ period = \"{period}\" }} | {help}"
            )]
        );
        good(POLL, &format!("{POLL}poll = {{ period = \"{period}\" }}\n"));
    }
    assert_eq!(
        with("poll = { period = \"0 s\" }"),
        ["27:19: a poll's period is longer than nothing | write \"2 s\", or take `poll` out"]
    );
}

#[test]
fn dates_in_the_order_of_the_country() {
    let help = "write 2027-01-31 or 2027-01-31T08:00:00Z, without quotes";
    for (written, label) in [
        ("01.02.2027", "the year stands first: write 2027-02-01, without quotes"),
        ("2027/2/1", "the year stands first: write 2027-02-01, without quotes"),
        // The first of February, or the second of January.
        ("01/02/2027", "a date is the year, the month and the day, with hyphens"),
        ("31.02.2027", "a date is the year, the month and the day, with hyphens"),
        ("2027-02-31", "there is no such month, day or hour"),
    ] {
        assert_eq!(
            with(&format!("expires = \"{written}\"")),
            [format!("27:11: `expires` of rule `poll` is no date: `{written}` | {label} | {help}")]
        );
    }
    good(POLL, &format!("{POLL}expires = 2027-02-01\n"));
}

#[test]
fn a_severity_is_a_word() {
    let deny = |severity: &str| {
        format!(
            "{POLL}[[deny]]\nname = \"no\"\nto = \"METER\"\noperations = [\"restart\"]\nseverity = {severity}\n"
        )
    };
    assert_eq!(
        spoil(POLL, &deny("3")),
        [
            "31:12: `severity` of denial `no` must be a word, not a number | write one of: \"info\", \"low\", \"medium\", \"high\", \"critical\""
        ]
    );
    good(POLL, &deny("\"medium\""));
    // A number in quotes is no role either.
    assert_eq!(
        spoil("address = \"10.0.2.20\"", "address = \"10.0.2.20\"\nrole = 3"),
        ["10:8: `role` of host `gateway` must be text, not a number"]
    );
}

#[test]
fn a_host_by_its_mac_alone() {
    let (from, mac) = ("address = \"10.0.2.20\"", "mac = \"00:11:22:33:44:55\"");
    assert_eq!(
        spoil(from, mac),
        [
            "8:8: host `gateway` has a `mac`, but no `address` | add address = \"10.0.0.5\", its IP address | hosts are known by their IP addresses, `mac` says more of them; a device without one, such as a GOOSE publisher, is a section [publishers.NAME] with `source` = its mac"
        ]
    );
    good(from, &format!("{mac}\n{from}"));
    let publisher =
        "[publishers.bay]\ncontrol_block = \"BAY1/LLN0$GO$gcb1\"\nsource = \"00:11:22:33:44:55\"\n";
    parse(&format!("{GOOD}{publisher}"), "site.toml").unwrap();
}

#[test]
fn limits_beyond_what_a_register_can_hold() {
    let point = |more: &str| {
        let text = format!("{GOOD}[stations.METER.points.SP]\npoint = \"holding_register 5\"\n{more}\n");
        let profile = parse(&text, "site.toml").unwrap();
        profile
            .warnings()
            .iter()
            .map(|w| {
                format!(
                    "{}:{}: {} | {} | {}",
                    w.line,
                    w.column,
                    w.message,
                    w.label,
                    w.help.clone().unwrap_or_default()
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        point("set_range = [0, 70000]"),
        [
            "29:13: `set_range` of point `SP` is beyond what it can hold | write [0, 65535], or give it another `type` or `scale` | a uint16 with scale 1 and offset 0 goes from 0 to 65535"
        ]
    );
    assert_eq!(
        point("range = [-5, 10]\nscale = 0.5\nunit = \"kV\""),
        [
            "29:9: `range` of point `SP` is beyond what it can hold | write [0, 10], or give it another `type` or `scale` | a uint16 with scale 0.5 and offset 0 goes from 0 to 32767.5 kV"
        ]
    );
    assert!(
        point("set_range = [70000, 80000]")[0]
            .contains("| give it another `type` or `scale`: no value is within |")
    );
    for near in [
        "set_range = [0, 65535]",
        "set_range = [0, 6553.5]\nscale = 0.1",
        "set_range = [0, 70000]\ntype = \"uint32\"",
        "set_range = [-5, 10]\ntype = \"int16\"",
        "set_range = [-65535, 0]\nscale = -1",
        "set_range = [0, 1e9]\ntype = \"float32\"",
    ] {
        assert_eq!(point(near), Vec::<String>::new(), "{near}");
    }
}

#[test]
fn files_in_other_encodings_and_missing_ones() {
    let folder = std::env::temp_dir().join(format!("gridtap-told-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let site = folder.join("site.toml");
    let told = |octets: &[u8]| {
        fs::write(&site, octets).unwrap();
        let errors = crate::load(&site).unwrap_err().errors;
        let error = errors.first().unwrap();
        (error.line, error.column, error.message.clone(), error.help.clone().unwrap_or_default())
    };
    let wide = |mark: &str, octets: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("{mark}{GOOD}").encode_utf16().flat_map(octets).collect()
    };
    for octets in [
        wide("\u{feff}", u16::to_le_bytes),
        wide("\u{feff}", u16::to_be_bytes),
        wide("", u16::to_le_bytes),
        wide("", u16::to_be_bytes),
    ] {
        let (.., message, help) = told(&octets);
        assert_eq!(message, "the profile is UTF-16 text");
        assert!(help.starts_with("save it as UTF-8: "), "{help}");
    }
    let (.., message, _) = told(b"[profile]\nname = \"S\xc3\xbcd S\xfcd\"\n");
    assert_eq!(message, "the profile is not UTF-8 text: octet 0xfc in line 2, column 14");
    // The mark that some editors put in front of UTF-8 is nothing.
    fs::write(&site, format!("\u{feff}{GOOD}")).unwrap();
    crate::load(&site).unwrap();

    let here = folder.display().to_string();
    let (line, column, message, _) = told(format!("include = [\"more.toml\"]\n{GOOD}").as_bytes());
    let missing = folder.join("more.toml").display().to_string();
    assert_eq!((line, column), (1, 12));
    assert_eq!(
        message,
        format!("`{missing}` cannot be included: there is no such file in the folder {here}")
    );
    let (.., message, _) = told(format!("include = [\"bays/a.toml\"]\n{GOOD}").as_bytes());
    assert!(message.ends_with(&format!("in the folder {here}/bays, which is missing")), "{message}");
    let (.., message, _) = told(format!("include = [\"*.tml\"]\n{GOOD}").as_bytes());
    assert_eq!(message, format!("`*.tml` cannot be included: no file in the folder {here} has such a name"));
    fs::remove_dir_all(folder).unwrap();
}
