//! Scenarios are read strictly and their mistakes named.

use super::*;

const SITE: &str = "[site]\nname = \"x\"\nstart = \"2026-06-15T00:00:00Z\"\n";

fn error(text: &str) -> String {
    Scenario::parse(&format!("{SITE}{text}"), "s.toml").expect_err("it is wrong").to_string()
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let text = error("[buses]\nA = { kv = 20, colour = \"red\" }\n");
    assert!(text.contains("line 5") && text.contains("unknown field `colour`"), "{text}");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = error(
        "[buses]\nA = { kv = 20 }\n[generators]\nG = { bus = \"A\", kind = \"grid\" }\n\
         [lines]\nL = { from = \"A\", to = \"B\" }\n[breakers]\nCB = { in = \"M\" }\n\
         [stations.R]\nkind = \"recloser\"\naddress = \"10.0.0.1\"\nbreakers = [\"CX\"]\n",
    );
    assert_eq!(
        text.lines().collect::<Vec<_>>(),
        [
            "s.toml: `L` ends at bus `B`, which does not exist",
            "s.toml: breaker `CB` is in `M`, which is no line or transformer",
            "s.toml: station `R` switches breaker `CX`, which does not exist",
            "s.toml: station `R` needs a link_address below 65520",
        ]
    );
}

#[test]
fn a_poll_of_the_wrong_protocol_is_a_mistake() {
    let text = error(
        "[stations.M]\nkind = \"modbus_rtu\"\naddress = \"10.0.0.1\"\n[masters.s]\naddress = \"10.0.0.5\"\n\
         polls = [{ stations = [\"M\"], read = [\"events\"], every = \"2 s\" }]\n",
    );
    assert_eq!(text, "s.toml: master `s` reads from `M` what its protocol does not have");
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
fn lengths_of_time_are_read_as_people_write_them() {
    for (text, ms) in [("250 ms", 250), ("2 s", 2000), ("1h30m", 5_400_000), ("1d", 86_400_000)] {
        assert_eq!(text.parse::<Span>(), Ok(Span::from_ms(ms)), "{text}");
    }
    for text in ["", "5", "s", "3 weeks", "9999999999999999 h"] {
        assert!(text.parse::<Span>().is_err(), "{text}");
    }
}
