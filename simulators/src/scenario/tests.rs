//! Scenarios are read strictly and their mistakes named.

use super::*;

const SITE: &str = "[site]\nname = \"x\"\nstart = \"2026-06-15T00:00:00Z\"\n";

fn error(text: &str) -> String {
    Scenario::parse(&format!("{SITE}{text}"), "s.toml").expect_err("it is wrong").to_string()
}

/// The first lines of the errors, with their places.
fn errors(text: &str) -> Vec<String> {
    let found = Scenario::parse(&format!("{SITE}{text}"), "s.toml").expect_err("it is wrong");
    assert_eq!(found.file, "s.toml");
    found.errors.iter().map(|e| format!("{}:{} {}", e.line, e.column, e.message)).collect()
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_what_was_meant() {
    assert_eq!(
        error("[buses]\nA = { kvs = 20, kv = 20 }\n[generators]\nG = { bus = \"A\", kind = \"grid\" }\n"),
        "error: unknown key `kvs` in [buses.A]\n  --> s.toml:5:7\n   |\n 5 | A = { kvs = 20, kv = 20 }\n   \
         |       ^^^ did you mean `kv`?\n   = help: [buses.A] has the keys: kv\n\ns.toml: 1 error"
    );
}

#[test]
fn mistakes_of_form_are_told_all_at_once() {
    let text = "[buses]\nA = { kv = \"20\" }\nB = { kw = 20 }\nC = 5\n[stations.R]\nkind = \"reclosr\"\naddress = \"10.0.0\"\n\
                link_address = -3\nevent_buffer = 2.5\n[masters.s]\naddress = \"10.0.0.5\"\noutages = [[\"09:00\"], [\"9\", \"1 h\"]]\n\
                polls = [{ stations = \"R\", every = \"5\" }]\n[station.X]\nkind = \"meter\"\n";
    assert_eq!(
        errors(text),
        [
            "5:12 `kv` of [buses.A] cannot be text",
            "6:5 [buses.B] has no `kv`",
            "6:7 unknown key `kw` in [buses.B]",
            "7:5 `C` of [buses] cannot be a number",
            "9:8 `kind` of [stations.R] cannot be \"reclosr\"",
            "10:11 `address` of [stations.R] is no IPv4 address",
            "11:16 `link_address` of [stations.R] is out of bounds: -3",
            "12:16 `event_buffer` of [stations.R] cannot be a number with a fraction",
            "15:12 item 1 of `outages` of [masters.s] has too many or too few items",
            "15:23 item 2 of `outages` of [masters.s]: `9` is no time of day",
            "16:23 `stations` of [[masters.s.polls]] 1 cannot be text",
            "16:36 `every` of [[masters.s.polls]] 1: `5` is no length of time",
            "17:2 unknown section `station` in the file",
        ]
    );
}

#[test]
fn what_does_not_exist_is_told_all_at_once() {
    let text = "[buses]\nA = { kv = 20 }\n[generators]\nG = { bus = \"A\", kind = \"grid\" }\n\
                [lines]\nL = { from = \"A\", to = \"B\" }\n[breakers]\nCB = { in = \"M\" }\n\
                [stations.R]\nkind = \"recloser\"\naddress = \"10.0.0.1\"\nbreakers = [\"CX\"]\n\
                [stations.S]\nkind = \"meter\"\naddress = \"10.0.0.1\"\nport = 20000\nunit_id = 11\nlink_address = 5\n\
                lines = [\"L\"]\nbuses = [\"A\"]\n[masters.m]\naddress = \"10.0.0.1\"\npolls = [{ stations = [\"S\", \"Q\"], \
                read = [\"events\", \"coil 9-0\"], every = \"2 s\", jitter = \"2 s\" }]\n";
    assert_eq!(
        errors(text),
        [
            "9:24 `L` ends at bus `B`, which does not exist",
            "11:13 breaker `CB` is in `M`, which is no line or transformer",
            "12:1 station `R` needs a link_address below 65520",
            "14:11 station `R` and master `m` have the same address",
            "15:13 station `R` switches breaker `CX`, which does not exist",
            "18:11 station `S` and master `m` have the same address",
            "21:16 station `S` speaks Modbus and has a link_address",
            "26:29 master `m` polls `Q`, and no station is called so",
            "26:43 master `m` reads `events` from `S`, which speaks Modbus",
            "26:53 master `m` reads `coil 9-0`, which is not understood",
            "26:90 a poll of `m` has a jitter as long as its period",
        ]
    );
}

#[test]
fn numbers_have_bounds() {
    let text = "tick = \"0 s\"\n[network]\nvlan = 4095\nlost_per_million = 1000001\n[buses]\nA = { kv = 0 }\n[generators]\n\
                G = { bus = \"A\", kind = \"grid\", mw = -1 }\n[stations.M]\nkind = \"modbus_rtu\"\naddress = \"224.0.0.1\"\n\
                spare_registers = 65400\nport = 0\n";
    assert_eq!(
        errors(text),
        [
            "4:8 `tick` of [site] is out of bounds",
            "6:8 `vlan` of [network] is out of bounds",
            "7:20 `lost_per_million` of [network] is out of bounds",
            "9:12 `kv` of [buses.A] is out of bounds",
            "11:38 `mw` of [generators.G] is out of bounds",
            "14:11 `M` has the address 224.0.0.1, which no host can have",
            "15:19 `spare_registers` of [stations.M] is out of bounds",
            "16:8 `port` of [stations.M] is out of bounds",
        ]
    );
}

#[test]
fn a_repeated_part_is_made_once_for_each_number() {
    let text = format!(
        "{SITE}[[repeat]]\ncount = 250\n[repeat.part.stations.\"R-{{n}}\"]\nkind = \"feeder_relay\"\n\
         address = \"10.1.{{block}}.{{slot}}\"\nlink_address = \"{{n+100}}\"\n"
    );
    let scenario = Scenario::parse(&text, "s.toml").expect("it is right");
    assert_eq!(scenario.stations.len(), 250);
    let last = &scenario.stations["R-250"];
    assert_eq!((last.address.to_string().as_str(), last.link_address), ("10.1.2.50", Some(350)));
}

#[test]
fn a_mistake_in_a_repeated_part_is_told_once() {
    let head = "[[repeat]]\ncount = 300\n[repeat.part.stations.\"R-{n}\"]\nkind = \"feeder_relay\"\n";
    let text = format!("{head}address = \"10.1.1.{{n}}\"\nlink_address = \"{{n}}\"\nbreakers = [\"CB\"]\n");
    assert_eq!(errors(&text), ["8:11 `address` of [stations.R-256] is no IPv4 address"]);
    let text = text.replace("1.{n}", "{block}.{slot}");
    let shown = error(&text);
    assert!(shown.contains("station `R-1` switches breaker `CB`"), "{shown}");
    assert!(shown.contains("in the part with n = 1, and 299 more instances"), "{shown}");
    assert_eq!(errors(&text.replace("R-{n}", "R")), ["6:23 `R` is defined twice"]);
    assert_eq!(errors(&text.replace("300", "10001")), ["4:1 10001 repeated parts"]);
    assert_eq!(
        errors("[[repeat]]\ncount = 1\n[repeat.part.network]\nvlan = 3\n"),
        ["6:14 `network` cannot be repeated"]
    );
    // A file may be hostile: the sum of all parts counts, and no number is beyond what it can be.
    assert!(error("[[repeat]]\ncount = 4294967295\npart = {}\n").contains("at most 10000 in all"));
}

#[test]
fn lengths_of_time_are_read_as_people_write_them() {
    for (text, ms) in [("250 ms", 250), ("2 s", 2000), ("1h30m", 5_400_000), ("1d", 86_400_000)] {
        assert_eq!(text.parse::<Span>(), Ok(Span::from_ms(ms)), "{text}");
    }
    for text in ["", "5", "s", "3 weeks", "9999999999999999 h", "3661 d", "+1 s"] {
        assert!(text.parse::<Span>().is_err(), "{text}");
    }
    assert!("3660 d".parse::<Span>().is_ok());
}

#[test]
fn numbers_in_texts_have_no_signs() {
    assert!("09:30:15".parse::<ClockTime>().is_ok() && "9:30".parse::<ClockTime>().is_ok());
    for text in ["+9:30", "09:+3", "9", "009:30", ":", "24:00", "09:60"] {
        assert!(text.parse::<ClockTime>().is_err(), "{text}");
    }
    assert!("01:0c:cd:01:00:fF".parse::<Mac>().is_ok());
    for text in ["+1:0c:cd:01:00:01", "01:0c:cd:01:00", "01:0c:cd:01:00:01:02", "1:0c:cd:01:00:01"] {
        assert!(text.parse::<Mac>().is_err(), "{text}");
    }
}

#[test]
fn simulated_time_is_within_what_it_can_count() {
    for year in ["1969", "2200", "9999"] {
        let text = SITE.replace("2026", year);
        let found = Scenario::parse(&text, "s.toml").expect_err("it is wrong").to_string();
        assert!(found.contains("is not in the years 1970 to 2199"), "{found}");
    }
    assert!(Scenario::parse(&SITE.replace("2026", "2199"), "s.toml").is_ok());
}

#[test]
fn what_is_no_place_for_a_number_stays_as_it_is() {
    let part = |name: &str| {
        format!(
            "[[repeat]]\ncount = 1\n[repeat.part.stations.\"{name}\"]\nkind = \"meter\"\naddress = \"10.0.0.1\"\n"
        )
    };
    for (name, made) in [
        ("R{", "R{"),
        ("R{n", "R{n"),
        ("R{n}{", "R1{"),
        ("R{m}", "R{m}"),
        ("R{n+9223372036854775807}", "R{n+9223372036854775807}"),
        ("R{n-1}", "R0"),
    ] {
        let told = error(&part(name));
        assert!(told.contains(&format!("meter `{made}` needs a line")), "{name}: {told}");
    }
}
