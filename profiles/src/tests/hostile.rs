//! Profiles that somebody made to harm whoever reads them: each ends in an error that says which limit it
//! went beyond and where, soon and with little memory.
#![allow(clippy::format_collect)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::{Diagnostics, load, parse};

const HEAD: &str = "[profile]\nname = \"x\"\n";

fn list(name: &str, count: usize) -> String {
    (0..count).map(|i| format!("\"{name}{i}\", ")).collect()
}

fn hosts(count: usize, more: impl Fn(usize) -> String) -> String {
    let address = |i: usize| format!("10.{}.{}.{}", i >> 16, (i >> 8) & 255, i & 255);
    (0..count).map(|i| format!("[hosts.h{i}]\naddress = \"{}\"\n{}", address(i), more(i))).collect()
}

fn errors(text: &str) -> Diagnostics {
    parse(text, "x.toml").err().unwrap_or_else(|| panic!("no error"))
}

/// The only error: message, line, label.
fn only(text: &str) -> (String, usize, String) {
    let found = errors(text);
    assert_eq!(found.errors.len(), 1, "{found}");
    let error = &found.errors[0];
    (error.message.clone(), error.line, error.label.clone())
}

#[test]
fn groups_nested_without_end_are_resolved_or_refused_without_recursion() {
    let count = 20_000;
    let chain = |order: &mut dyn Iterator<Item = usize>| {
        let mut text = format!("{HEAD}[hosts.h]\naddress = \"10.0.0.1\"\n[groups]\n");
        order.for_each(|i| match i {
            0 => text.push_str("g0 = [\"h\"]\n"),
            i => writeln!(text, "g{i} = [\"g{}\"]", i - 1).unwrap(),
        });
        text
    };
    for text in [chain(&mut (0..count)), chain(&mut (0..count).rev())] {
        let profile = parse(&text, "x").unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(profile.profile().groups.len(), count);
        assert!(profile.profile().groups.iter().all(|group| group.hosts == [0]));
    }
    let circle = format!("{HEAD}[groups]\na = [\"b\"]\nb = [\"c\"]\nc = [\"a\"]\nd = [\"d\"]\n");
    let found = errors(&circle).errors;
    let told: Vec<_> = found.iter().map(|e| (e.line, e.message.as_str())).collect();
    assert_eq!(told, [(6, "the group `c` contains itself"), (7, "the group `d` contains itself")]);
}

/// Each group holds one host more than the one before: half of the square of their number in all.
#[test]
fn groups_that_add_up_are_told_of() {
    let count = 5000;
    let mut text = format!("{HEAD}{}[groups]\ng0 = [\"h0\"]\n", hosts(count, |_| String::new()));
    for i in 1..count {
        writeln!(text, "g{i} = [\"h{i}\", \"g{}\"]", i - 1).unwrap();
    }
    let (message, line, _) = only(&text);
    assert_eq!(message, "groups and rules name more than 4,000,000 hosts and stations in all");
    assert!(line > 2 * count, "{line}");
}

#[test]
fn rules_that_connect_everybody_with_everybody_are_told_of() {
    let count = 1001;
    let station = |i| format!("[stations.s{i}]\nprotocol = \"modbus\"\nhost = \"h{i}\"\nunit_id = 1\n");
    let mut text = HEAD.to_owned() + &hosts(count, station);
    write!(text, "[groups]\nH = [{}]\nS = [{}]\n", list("h", count), list("s", count)).unwrap();
    let before = text.lines().count();
    for i in 0..1000 {
        write!(text, "[[rules]]\nname = \"r{i}\"\nfrom = \"H\"\nto = \"S\"\nallow = \"read\"\n").unwrap();
    }
    let (message, line, label) = only(&text);
    assert_eq!(message, "rules connect more than 1,000,000 pairs of host and station");
    assert_eq!((line, label.as_str()), (before + 4, "this one 1,001 hosts with 1,001 stations"));
}

#[test]
fn roles_that_connect_everybody_with_everybody_are_told_of() {
    let role = |i: usize| format!("role = \"{}\"\n", if i % 2 == 1 { "scada_master" } else { "rtu" });
    let (message, line, label) = only(&(HEAD.to_owned() + &hosts(20_000, role)));
    assert_eq!(message, "the roles connect more than 1,000,000 pairs of host and station");
    assert_eq!(line, 8);
    let expected = "10,000 hosts have this role, and 30,000 stations are commanded by such a host";
    assert_eq!(label, expected);
    // As many outstations with two masters are no trouble.
    let role = |i: usize| format!("role = \"{}\"\n", if i < 2 { "scada_master" } else { "rtu" });
    let profile = parse(&(HEAD.to_owned() + &hosts(20_000, role)), "x").unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(profile.profile().stations.len(), 3 * 19_998);
}

#[test]
fn points_that_maps_multiply_are_told_of() {
    let mut text = format!("{HEAD}[hosts.h]\naddress = \"10.0.0.1\"\n");
    for i in 0..10_000 {
        writeln!(text, "[maps.m.p{i}]\npoint = \"holding_register {i}\"").unwrap();
    }
    for i in 0..120 {
        write!(
            text,
            "[stations.s{i}]\nprotocol = \"modbus\"\nhost = \"h\"\nunit_id = {i}\nmap = \"m\"\n\
             points.own.point = \"coil 1\"\n"
        )
        .unwrap();
    }
    let (message, _, label) = only(&text);
    assert_eq!(message, "stations have more than 1,000,000 points in all");
    assert_eq!(label, "with the 10,001 of this one");
}

#[test]
fn comparisons_of_named_points_are_bounded() {
    let mut text = format!("{HEAD}[hosts.h]\naddress = \"10.0.0.1\"\n");
    let points = 2000;
    for i in 0..points {
        writeln!(text, "[maps.m.p{i}]\npoint = \"holding_register {i}\"").unwrap();
    }
    for i in 0..50 {
        write!(text, "[stations.s{i}]\nprotocol = \"modbus\"\nhost = \"h\"\nunit_id = {i}\nmap = \"m\"\n")
            .unwrap();
    }
    let (to, names) = (list("s", 50), list("p", points));
    write!(
        text,
        "[[rules]]\nname = \"r\"\nfrom = \"h\"\nto = [{to}]\nallow = \"read\"\npoints = [{names}]\n"
    )
    .unwrap();
    let found = errors(&text);
    assert_eq!(found.errors[0].message, "rules compare too many points with those of their stations");
    assert_eq!(found.errors[0].label, "100,050 with this one");
}

#[test]
fn templates_that_make_too_much_are_told_of() {
    let filled = |with: &str| {
        format!(
            "{HEAD}[templates.t]\nparameters = [\"n\"]\n[templates.t.hosts.\"h{{n}}\"]\n\
             address = \"10.0.0.1\"\ncomment = \"{}\"\n[[use]]\ntemplate = \"t\"\nwith = [{with}]\n",
            "{n}".repeat(1000)
        )
    };
    let with = format!("{{ n = \"{}\" }}, ", "A".repeat(10_000)).repeat(1000);
    let label = "with this instance of `t`".to_owned();
    let message = "templates make more than 32 MiB of text".to_owned();
    assert_eq!(only(&filled(&with)), (message, 10, label));

    let values = (0..400).fold(String::new(), |mut text, i| {
        write!(text, "[templates.t.hosts.\"h{{n}}-{i}\"]\naddress = \"10.0.0.1\"\n").unwrap();
        text
    });
    let with: String = (0..2000).map(|i| format!("{{ n = {i} }}, ")).collect();
    let text = format!(
        "{HEAD}[templates.t]\nparameters = [\"n\"]\n{values}[[use]]\ntemplate = \"t\"\nwith = [{with}]\n"
    );
    assert_eq!(only(&text).0, "templates make more than 1,000,000 values");

    let parameters = list("p", 65);
    let text = format!("{HEAD}[templates.t]\nparameters = [{parameters}]\n");
    assert_eq!(only(&text).0, "template `t` has more than 64 parameters");
}

#[test]
fn a_thousand_instances_are_no_trouble() {
    let with: String =
        (0..1000).map(|i| format!("{{ n = {i}, a = {}, b = {} }}, ", i / 250, i % 250)).collect();
    let text = format!(
        "{HEAD}[hosts.m]\naddress = \"10.9.0.1\"\n[templates.t]\nparameters = [\"n\", \"a\", \"b\"]\n\
         [templates.t.hosts.\"rtu-{{n}}\"]\naddress = \"10.0.{{a}}.{{b}}\"\n\
         [templates.t.stations.\"F-{{n}}\"]\nprotocol = \"dnp3\"\nhost = \"rtu-{{n}}\"\nlink_address = 1\n\
         [templates.t.groups]\nfeeders = [\"F-{{n}}\"]\n[[use]]\ntemplate = \"t\"\nwith = [{with}]\n\
         [[rules]]\nname = \"r\"\nfrom = \"m\"\nto = \"feeders\"\nallow = \"read\"\n"
    );
    let profile = parse(&text, "x").unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(profile.profile().rules[0].to.len(), 1000);
}

#[test]
fn errors_beyond_a_thousand_are_counted() {
    let text: String = HEAD.to_owned() + &hosts(3000, |_| "adres = 1\n".to_owned());
    let found = errors(&text);
    assert_eq!((found.errors.len(), found.further), (1000, (2000, 0)));
    assert!(found.to_string().ends_with("x.toml: 3000 errors; 2000 of the errors are not shown"), "{found}");
}

#[test]
fn values_beyond_the_limit_are_told_of() {
    let text = format!("{HEAD}[groups]\ng = [{}]\n", "\"h\",".repeat(1_000_001));
    assert_eq!(only(&text).0, "the profile has more than 1,000,000 values");
}

#[test]
fn names_that_deceive_are_refused() {
    for (name, why) in [
        ("\\u202egpj", "contains a character that cannot be seen, or that turns the text about"),
        ("a\\u2028b", "contains a character that cannot be seen, or that turns the text about"),
        ("a\\u200bb", "contains a character that cannot be seen, or that turns the text about"),
        ("a\\u001b[2J", "contains a control character"),
    ] {
        let text = format!("{HEAD}[hosts.\"{name}\"]\naddress = \"10.0.0.1\"\n");
        assert_eq!(only(&text).0, format!("the name of a host {why}"));
        let text = format!("[profile]\nname = \"{name}\"\n");
        assert_eq!(only(&text).0, format!("the name of a site {why}"));
    }
}

#[test]
fn what_an_error_quotes_does_not_reach_the_terminal_raw() {
    let text = format!(
        "{HEAD}[hosts.h]\naddress = \"10.0.0.1\"\nrole = \"\\u001b[31m\\u202e{}\"\n",
        "A".repeat(100_000)
    );
    let shown = parse(&text, "a\x1b[2J.toml").unwrap_err().to_string();
    assert!(!shown.contains(['\x1b', '\u{202e}']), "{shown}");
    assert!(shown.len() < 10_000, "{}", shown.len());
    let folder = Folder::new("hostile-names");
    let path = folder.write("a\x1b.toml", "x\n");
    assert!(!load(&path).unwrap_err().to_string().contains('\x1b'));
}

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("gridtap-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn told(path: &Path) -> String {
    load(path).unwrap_err().errors[0].message.clone()
}

#[test]
fn pipes_folders_and_devices_are_refused_and_waited_for_by_nobody() {
    let folder = Folder::new("hostile-pipe");
    let pipe = folder.0.join("pipe.toml");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    assert_eq!(told(&pipe), "the profile is no regular file");
    assert_eq!(told(&folder.0), "the profile is no regular file");
    assert_eq!(told(Path::new("/dev/zero")), "the profile is no regular file");
    let main = folder.write("main.toml", "include = \"pipe.toml\"\n[profile]\nname = \"x\"\n");
    let message = told(&main);
    assert!(message.ends_with("pipe.toml` cannot be included: the profile is no regular file"), "{message}");
}

#[test]
fn files_too_large_too_many_or_too_deep_are_refused() {
    let folder = Folder::new("hostile-files");
    let large = std::fs::File::create(folder.0.join("large.toml")).unwrap();
    large.set_len(crate::MAX_FILE_BYTES + 1).unwrap();
    assert_eq!(told(&folder.0.join("large.toml")), "the profile is larger than 16 MiB");
    for i in 0..20 {
        folder.write(&format!("deep{i}.toml"), &format!("include = \"deep{}.toml\"\n", i + 1));
    }
    let deep = folder.write("deep.toml", "include = \"deep0.toml\"\n[profile]\nname = \"x\"\n");
    assert_eq!(told(&deep), "files include each other more than 16 deep");
    let spaces = " ".repeat(15 << 20);
    for i in 0..3 {
        folder.write(&format!("wide{i}.toml"), &spaces);
    }
    let wide = folder
        .write("wide.toml", "include = \"wide?.toml\"\n[profile]\nname = \"x\"\n".replace('?', "*").as_str());
    assert_eq!(told(&wide), "the files of the profile are larger than 32 MiB");
    let star = folder.write(&format!("{}.toml", "a".repeat(240)), "");
    let text = "include = \"*a*a*a*a*a*a*a*a*b\"\n[profile]\nname = \"x\"\n";
    let main = folder.write("star.toml", text);
    assert!(star.exists());
    let none = told(&main);
    assert!(none.starts_with("`*a*a*a*a*a*a*a*a*b` cannot be included: no file in the folder"), "{none}");
}

/// However many errors there are: the time for each is that of the first thousand, and far less after that,
/// because nothing is guessed for what is not told.
#[test]
fn many_errors_take_time_in_proportion() {
    const MANY: usize = 8_000;
    let list = |word: &str| (0..MANY).map(|n| format!("\"{word}{n}\"")).collect::<Vec<_>>().join(", ");
    let site = "[profile]\nname = \"x\"\n[hosts.h]\naddress = \"10.0.0.1\"\n[stations.S]\nprotocol = \"modbus\"\nhost = \"h\"\nunit_id = 1\n";
    let rule = |key: &str, word: &str| {
        let keys = [("from", "\"h\""), ("to", "\"S\""), ("allow", "\"read\"")];
        let keys: Vec<_> =
            keys.iter().filter(|(name, _)| *name != key).map(|(k, v)| format!("{k} = {v}\n")).collect();
        format!("{site}[[rules]]\nname = \"r\"\n{}{key} = [{}]\n", keys.concat(), list(word))
    };
    let sections =
        |write: &dyn Fn(usize) -> String| format!("{site}{}", (0..MANY / 4).map(write).collect::<String>());
    let cases = [
        ("operations", rule("allow", "raed")),
        ("hosts", rule("from", "host")),
        ("stations", rule("to", "station")),
        ("kinds of points", rule("points", "coill ")),
        ("named points", rule("points", "point")),
        (
            "manual numbers",
            rule("points", "holding_register 4").replace("holding_register 4", "holding_register 4000"),
        ),
        (
            "schedules",
            sections(&|n| {
                format!(
                    "[schedules.s{n}]\n[[rules]]\nname = \"r{n}\"\nfrom = \"h\"\nto = \"S\"\nallow = \"read\"\nschedule = \"t{n}\"\n"
                )
            }),
        ),
        (
            "maps",
            sections(&|n| {
                format!(
                    "[maps.m{n}.p]\npoint = \"coil 1\"\n[stations.s{n}]\nprotocol = \"modbus\"\nhost = \"h\"\nunit_id = 1\nmap = \"n{n}\"\n"
                )
            }),
        ),
        ("keys", sections(&|n| format!("[hosts.h{n}]\nadress = \"10.0.0.1\"\n"))),
        (
            "roles",
            sections(&|n| {
                format!(
                    "[hosts.h{n}]\naddress = \"10.1.{}.{}\"\nrole = \"scada-mastr{n}\"\n",
                    n / 250,
                    n % 250
                )
            }),
        ),
        ("addresses", sections(&|n| format!("[hosts.h{n}]\naddress = \"10.1.2.3\"\n"))),
        ("groups", format!("{site}[groups]\ng = [{}]\n", list("x"))),
        (
            "templates",
            sections(&|n| {
                format!(
                    "[templates.t{n}]\nparameters = \"n\"\n[[use]]\ntemplate = \"u{n}\"\nwith = {{ n = 1 }}\n"
                )
            }),
        ),
        ("defined twice", format!("{site}[thresholds]\n{}", "missed_polls = 3\n".repeat(MANY))),
        ("not TOML", format!("{site}{}", "x y\n".repeat(MANY))),
        ("one line", format!("{site}x = [{}", "y, ".repeat(MANY))),
    ];
    for (what, text) in cases {
        let begun = std::time::Instant::now();
        let sound = parse(&text, "x").is_ok();
        let took = begun.elapsed();
        println!("{what}: {took:?}");
        assert!(!sound || what == "manual numbers", "{what}");
        assert!(took.as_secs() < 30, "{what}: {took:?}");
    }
}
