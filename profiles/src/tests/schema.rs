//! The JSON Schema: what is a profile passes it, and what is none does not.

use std::path::Path;

use super::spread::TEMPLATE;
use crate::parse;

/// An editor's view of a file: dates of TOML are texts, and the tables have no dates of their own.
fn as_json(text: &str) -> serde_json::Value {
    fn plain(value: toml::Value) -> serde_json::Value {
        match value {
            toml::Value::Datetime(date) => date.to_string().into(),
            toml::Value::Array(items) => items.into_iter().map(plain).collect(),
            toml::Value::Table(table) => table.into_iter().map(|(key, value)| (key, plain(value))).collect(),
            other => serde_json::to_value(other).unwrap(),
        }
    }
    plain(toml::Value::Table(text.parse().unwrap_or_else(|e| panic!("{e}\n{text}"))))
}

fn validator() -> jsonschema::Validator {
    let schema: serde_json::Value = serde_json::from_str(&crate::json_schema()).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
}

#[track_caller]
fn accepts(validator: &jsonschema::Validator, text: &str, what: &str) {
    let json = as_json(text);
    let errors: Vec<_> =
        validator.iter_errors(&json).map(|e| format!("{e} at {}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{what}: {errors:?}");
}

#[test]
fn the_schema_accepts_every_example_and_every_profile_of_the_documentation() {
    let validator = validator();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        accepts(&validator, &std::fs::read_to_string(&path).unwrap(), &path.display().to_string());
        count += 1;
    }
    assert!(count >= 8, "{count}");
    let page = include_str!("../../../docs/profiles.md");
    let blocks: Vec<_> =
        page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 10, "{}", blocks.len());
    for block in &blocks {
        accepts(&validator, block, block);
    }
    accepts(&validator, TEMPLATE, "the template");
}

/// A profile with every key of the language that a file without templates can have.
const SOUND: &str = r#"# A site.
include = "parts/*.toml"
[profile]
name = "x"
version = "3"
timezone = "Europe/Zurich"
[hosts.scada]
address = ["10.0.0.5", "10.0.1.0/28", "fd00::5"]
mac = "00:11:22:33:44:55"
vlan = [40, 41]
role = "scada_master"
comment = "rack 3"
[hosts.rtu]
address = "10.0.2.20"
[groups]
masters = ["scada"]
[stations.S]
protocol = "modbus"
host = "rtu"
unit_id = 5
port = 502
tags = ["breaker"]
quirks = ["CNF-06"]
map = "meter"
[stations.S.points.speed]
point = "holding_register 20"
type = "float32"
word_order = "little"
scale = 0.1
offset = 0
unit = "Hz"
range = [0, 60]
set_range = [0, 50]
max_step = 5
rate_of_change = "2 per second"
stuck_after = "1 h 30 min"
monotonic = false
max_rate = "4 per minute"
metric = true
[maps.meter.energy]
point = "input_register 2"
[schedules.day]
days = ["mon-fri", "sat"]
hours = "07:00-18:00"
[[rules]]
name = "r"
from = "masters"
to = ["S"]
allow = ["read", "fc:16", "fc:8/4"]
points = "all"
values = { min = 0, max = 9.5 }
rate = "6/min"
schedule = "day"
select_before_operate = true
poll = { period = "2 s", tolerance = "50 %" }
expires = 2027-01-31
broadcast = true
owner = "operations"
[[deny]]
name = "d"
operations = ["restart"]
severity = "high"
except = "r"
[redundancy.centre]
hosts = ["scada", "rtu"]
[[maintenance]]
name = "m"
reference = "WO-1"
from = "any"
to = "any"
allow = ["write"]
start = 2027-01-31T08:00:00Z
end = 2027-01-31T16:00:00+01:00
[thresholds]
select_timeout = "5 s"
missed_polls = 4
latency_factor = "400 %"
burst_floor = "80 per second"
"#;

/// What each line of [`SOUND`] must not be.
const BROKEN: &[(&str, &[&str])] = &[
    ("include = \"parts/*.toml\"", &["include = 3", "include = []", "banana = 1"]),
    ("name = \"x\"", &["name = 1", "name = \"\"", "nam = \"x\"", ""]),
    ("version = \"3\"", &["version = 3"]),
    ("timezone = \"Europe/Zurich\"", &["timezone = 1", "time_zone = \"UTC\""]),
    (
        "address = [\"10.0.0.5\", \"10.0.1.0/28\", \"fd00::5\"]",
        &[
            "adress = \"10.0.0.5\"",
            "address = []",
            "address = 10",
            "address = \"gateway\"",
            "address = [\"10.0.0.5\", 7]",
        ],
    ),
    ("mac = \"00:11:22:33:44:55\"", &["mac = \"00:11:22:33:44\"", "mac = \"00:11:22:33:44:5g\"", "mac = 5"]),
    ("vlan = [40, 41]", &["vlan = \"40\"", "vlan = 4095", "vlan = [-1]", "vlan = 1.5"]),
    ("role = \"scada_master\"", &["role = \"banana\"", "role = [\"rtu\"]"]),
    ("masters = [\"scada\"]", &["masters = 3", "masters = [3]", "masters = { a = \"b\" }"]),
    ("protocol = \"modbus\"", &["protocol = \"profinet\"", "protocol = \"dnp3\"", "", "protocol = 502"]),
    ("host = \"rtu\"", &["", "host = 3", "hosts = \"rtu\"", "host = [\"rtu\"]"]),
    (
        "unit_id = 5",
        &["unit_id = 256", "unit_id = -1", "unit_id = \"5\"", "unit_id = \"all\"", "link_address = 5", ""],
    ),
    ("port = 502", &["port = 0", "port = 65536", "port = \"502\"", "port = [502]"]),
    ("tags = [\"breaker\"]", &["tags = [\"two words\"]", "tags = 1"]),
    ("quirks = [\"CNF-06\"]", &["quirks = [\"CNF 06\"]", "quirks = [6]"]),
    ("map = \"meter\"", &["map = [\"meter\"]", "maps = \"meter\""]),
    (
        "point = \"holding_register 20\"",
        &["point = 20", "points = \"holding_register 20\"", "", "point = \"\""],
    ),
    ("type = \"float32\"", &["type = \"float\"", "type = 32"]),
    ("word_order = \"little\"", &["word_order = \"middle\""]),
    ("scale = 0.1", &["scale = \"0.1\""]),
    ("offset = 0", &["offset = false"]),
    ("unit = \"Hz\"", &["unit = 50"]),
    ("range = [0, 60]", &["range = [0]", "range = [0, 1, 2]", "range = 60", "range = [\"0\", \"60\"]"]),
    ("set_range = [0, 50]", &["set_range = { min = 0 }", "setrange = [0, 50]"]),
    ("max_step = 5", &["max_step = \"5\""]),
    ("rate_of_change = \"2 per second\"", &["rate_of_change = 2", "rate_of_change = \"2 each second\""]),
    (
        "stuck_after = \"1 h 30 min\"",
        &["stuck_after = 90", "stuck_after = \"90\"", "stuck_after = \"1 fortnight\""],
    ),
    ("monotonic = false", &["monotonic = \"no\"", "monotonic = 0"]),
    (
        "max_rate = \"4 per minute\"",
        &["max_rate = 4", "max_rate = \"4 per parsec\"", "max_rate = \"four per minute\""],
    ),
    ("metric = true", &["metric = 1"]),
    ("point = \"input_register 2\"", &["adress = 2", "", "point = 2"]),
    ("days = [\"mon-fri\", \"sat\"]", &["days = 5", "days = []", "days = [\"1-5\"]"]),
    (
        "hours = \"07:00-18:00\"",
        &["hours = \"7-18\"", "hours = 7", "hours = \"07:00 to 18:00\"", "hour = \"07:00-18:00\""],
    ),
    ("name = \"r\"", &["", "name = 3", "name = \"\""]),
    ("from = \"masters\"", &["", "from = []", "from = 1"]),
    ("to = [\"S\"]", &["", "to = []", "to = [1]"]),
    (
        "allow = [\"read\", \"fc:16\", \"fc:8/4\"]",
        &[
            "",
            "allow = []",
            "allow = [16]",
            "allow = \"fc:x\"",
            "allow = \"Read all\"",
            "operations = [\"read\"]",
        ],
    ),
    ("points = \"all\"", &["points = []", "points = 3", "points = [3]"]),
    (
        "values = { min = 0, max = 9.5 }",
        &["values = [0, 9]", "values = { low = 0 }", "values = { min = \"0\" }"],
    ),
    ("rate = \"6/min\"", &["rate = 6", "rate = \"6\"", "rate = \"often\"", "rate = \"6 per\""]),
    ("schedule = \"day\"", &["schedule = [\"day\"]", "shedule = \"day\""]),
    ("select_before_operate = true", &["select_before_operate = \"yes\""]),
    (
        "poll = { period = \"2 s\", tolerance = \"50 %\" }",
        &[
            "poll = \"2 s\"",
            "poll = { period = 2 }",
            "poll = { tolerance = \"50 %\" }",
            "poll = { period = \"2 s\", tolerance = 0.5 }",
        ],
    ),
    ("expires = 2027-01-31", &["expires = \"soon\"", "expires = 2027", "expires = 08:00:00"]),
    ("broadcast = true", &["broadcast = \"true\""]),
    ("owner = \"operations\"", &["owner = 5", "owners = \"operations\""]),
    ("operations = [\"restart\"]", &["", "operations = []", "allow = [\"restart\"]"]),
    ("severity = \"high\"", &["severity = \"loud\"", "severity = 4"]),
    ("except = \"r\"", &["except = []", "except = 1"]),
    ("hosts = [\"scada\", \"rtu\"]", &["", "hosts = []", "host = \"scada\""]),
    ("reference = \"WO-1\"", &["reference = 1"]),
    ("start = 2027-01-31T08:00:00Z", &["", "start = \"now\"", "start = 8"]),
    ("end = 2027-01-31T16:00:00+01:00", &["", "end = \"2027-01-31 at noon\""]),
    ("select_timeout = \"5 s\"", &["select_timeout = 5", "select_timeout = \"5\"", "select_time = \"5 s\""]),
    ("missed_polls = 4", &["missed_polls = \"4\"", "missed_polls = -1"]),
    ("latency_factor = \"400 %\"", &["latency_factor = \"4 times\"", "latency_factor = true"]),
    ("burst_floor = \"80 per second\"", &["burst_floor = 80", "burst_floor = \"80\""]),
];

/// A text that is no file can include none.
fn without_include(text: &str) -> String {
    text.replace("include = \"parts/*.toml\"\n", "")
}

#[test]
fn the_schema_refuses_what_is_broken_line_by_line() {
    let validator = validator();
    accepts(&validator, SOUND, "the sound one");
    let lines: Vec<&str> = SOUND.lines().collect();
    let told: Vec<&str> = BROKEN.iter().map(|(line, _)| *line).collect();
    for line in lines.iter().filter(|line| line.contains(" = ") && !line.starts_with('[')) {
        let free = [
            "comment = \"rack 3\"",
            "address = \"10.0.2.20\"",
            "name = \"d\"",
            "name = \"m\"",
            "from = \"any\"",
            "to = \"any\"",
            "allow = [\"write\"]",
        ];
        assert!(told.contains(line) || free.contains(line), "nothing is broken in: {line}");
    }
    for (line, broken) in BROKEN {
        assert!(lines.contains(line), "{line}");
        for other in *broken {
            let text = SOUND.replacen(&format!("\n{line}\n"), &format!("\n{other}\n"), 1);
            assert_ne!(text, SOUND, "{line}");
            assert!(!validator.is_valid(&as_json(&text)), "the schema accepts {other:?} for {line:?}");
            // The schema must not be stricter than the language.
            let text = without_include(&text);
            assert!(parse(&text, "x").is_err(), "the language accepts {other:?} for {line:?}");
        }
    }
    let sound = without_include(SOUND);
    assert!(parse(&sound, "x").is_ok(), "{}", parse(&sound, "x").unwrap_err());
}

#[test]
fn the_schema_refuses_sections_of_another_shape() {
    let validator = validator();
    for wrong in [
        "rules = 1",
        "[rules]\nname = \"x\"",
        "[[hosts]]\naddress = \"10.0.0.1\"",
        "stations = [\"a\"]",
        "[templates.t]\nhosts = {}",
        "[templates.t]\nparameters = [\"n\"]\nthresholds = {}",
        "[templates.t]\nparameters = [\"n\"]\n[templates.t.hosts.a]\nadress = \"{n}\"",
        "[templates.t]\nparameters = [\"n\"]\n[templates.t.stations.a]\nprotocol = \"dnp3\"\nhost = \"h\"\nlink_address = \"12\"",
        "[[use]]\ntemplate = \"t\"",
        "[[use]]\ntemplate = \"t\"\nwith = 3",
        "[[use]]\ntemplate = \"t\"\nwith = [{ n = [1] }]",
        "[[use]]\nwith = [{ n = 1 }]",
    ] {
        assert!(!validator.is_valid(&as_json(wrong)), "{wrong}");
    }
}
