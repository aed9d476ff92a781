//! Attack files are read strictly, and an attack that passes leaves its mark.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use super::*;
use crate::scenario::Language;

const SITE: &str = r#"
[site]
name = "x"
start = "2026-06-15T10:00:00Z"
[buses]
A = { kv = 20 }
B = { kv = 20 }
[generators]
G = { bus = "A", kind = "grid" }
[loads]
D = { bus = "B", mw = 2 }
[lines]
L = { from = "A", to = "B" }
[breakers]
CB = { in = "L" }
[stations.MODBUS]
kind = "modbus_rtu"
address = "10.0.0.1"
breakers = ["CB"]
lines = ["L"]
buses = ["B"]
[stations.DNP3]
kind = "recloser"
address = "10.0.0.2"
link_address = 2
breakers = ["CB"]
lines = ["L"]
buses = ["B"]
unsolicited = true
[stations.IEC104]
kind = "iec104"
address = "10.0.0.3"
breakers = ["CB"]
lines = ["L"]
buses = ["B"]
[masters.m]
address = "10.0.0.5"
operators_late = "0 s"
polls = [
    { stations = ["MODBUS"], read = ["input_register 0-2"], every = "1 s" },
    { stations = ["DNP3"], read = ["integrity"], every = "1 s" },
    { stations = ["IEC104"], read = ["interrogation"], every = "5 s" },
]
actions = [
    { at = "10:00:05", station = "MODBUS", point = "CB", command = "close" },
    { at = "10:00:05", station = "DNP3", point = "CB", command = "close" },
    { at = "10:00:05", station = "IEC104", point = "CB", command = "close" },
]
"#;

fn attack(behaviour: &str, more: &str) -> String {
    format!("[[attacks]]\nbehaviour = \"{behaviour}\"\nat = \"20 s\"\nactor = \"m\"\n{more}\n")
}

fn errors(text: &str) -> Vec<String> {
    let site = Scenario::parse(SITE, "s.toml").unwrap();
    let found = parse(text, "a.toml", &site).unwrap_err();
    found.errors.iter().map(|e| format!("{}:{} {}", e.line, e.column, e.message)).collect()
}

#[test]
fn every_behaviour_leaves_its_mark_at_every_station_it_can_be_aimed_at() {
    let site = Scenario::parse(SITE, "s.toml").unwrap();
    let stations = [("MODBUS", Language::Modbus), ("DNP3", Language::Dnp3), ("IEC104", Language::Iec104)];
    let mut tried = 0;
    for behaviour in Behaviour::ALL.into_iter().filter(|b| !b.is_goose() && *b != Behaviour::HostSweep) {
        for (station, language) in stations {
            let mut more = format!("target = \"{station}\"\n");
            for key in behaviour.parameters().iter().filter_map(|key| key.strip_prefix('*')) {
                more.push_str(match key {
                    "first" => "first = 201\n",
                    "last" => "last = 203\n",
                    "count" => "count = 2\n",
                    "for" => "for = \"10 s\"\n",
                    "value" => "value = 2\n",
                    "text" => "text = \"ab\"\n",
                    "victim" => "victim = \"m\"\n",
                    "point" => "point = \"CB\"\n",
                    "command" => "command = \"open\"\n",
                    other => unreachable!("{other}"),
                });
            }
            if behaviour == Behaviour::UnauthorisedControl {
                more.push_str("command = \"open\"\n");
            }
            let attacks = parse(&attack(&behaviour.name(), &more), "a.toml", &site);
            assert_eq!(
                attacks.is_ok(),
                behaviour.languages().contains(&language),
                "{behaviour:?} at {station}"
            );
            let Ok(attacks) = attacks else { continue };
            let (_, labels) = crate::site::capture(&site, &attacks, 7, Duration::from_mins(2));
            assert!(labels.iter().any(|l| l.frames.is_some()), "{behaviour:?} at {station} left nothing");
            tried += 1;
        }
    }
    assert!(tried >= 50, "{tried}");
}

#[test]
fn mistakes_are_told_all_at_once() {
    let text = [
        attack("unit_sweep", "target = \"DNP3\"\nfirst = 5\nlast = 3\ntext = \"x\""),
        attack("breaker_cycling", "target = \"MODBU\"\npoint = \"CB\"\ncount = 0"),
        attack("unauthorised_control", "target = \"MODBUS\"\npoint = \"CB\"\ncommand = \"trip\""),
        attack("tcp_reset", "target = \"DNP3\"\nvictim = \"n\""),
        attack("replay", "").replace("\"m\"", "\"nobody\""),
        attack("response_injection", "target = \"MODBUS\"\nfor = \"0 s\"").replace("\"m\"", "\"10.0.0.66\""),
        attack("goose_flood", "target = \"P\"\ncount = 3"),
    ];
    assert_eq!(
        errors(&text.concat()),
        [
            "5:10 attack 1 (unit_sweep): `DNP3` speaks DNP3, which has nothing of the kind",
            "7:8 attack 1 (unit_sweep): it ends before it begins",
            "8:8 attack 1 (unit_sweep): `text` means nothing here",
            "13:10 attack 2 (breaker_cycling): the target `MODBU` is no station",
            "15:9 attack 2 (breaker_cycling): `count` is out of bounds",
            "21:9 attack 3 (unauthorised_control): point `CB` has no command `trip`",
            "24:13 attack 4 (tcp_reset): `count` is missing",
            "28:10 attack 4 (tcp_reset): the victim `n` is no master",
            "29:1 attack 5 (replay): `target` is missing; it is aimed at a station",
            "32:9 attack 5 (replay): the actor `nobody` is no address and no master",
            "37:9 attack 6 (response_injection): the actor must be a master that talks with the target",
            "39:7 attack 6 (response_injection): `for` is no time at all",
            "44:10 attack 7 (goose_flood): the target `P` is no publisher",
        ]
    );
    assert_eq!(errors("[[atacks]]\n"), ["1:3 unknown section `atacks` in the file"]);
    let wrong = attack("replay", "target = \"DNP3\"\nfirst = 70000").replace("20 s", "-20 s");
    assert_eq!(
        errors(&wrong),
        [
            "3:6 `at` of [[attacks]] 1: `-20 s` is no length of time",
            "6:9 `first` of [[attacks]] 1 is out of bounds: 70000"
        ]
    );
}

#[test]
fn an_attack_is_not_tried_more_often_than_can_be_kept() {
    let rogue = |every: &str, length: &str| {
        attack("rogue_master", &format!("target = \"MODBUS\"\n{every}for = \"{length}\""))
    };
    let told = |key: &str| [format!("{key} attack 1 (rogue_master): it is tried too often")];
    assert_eq!(errors(&rogue("every = \"0 s\"\n", "1 d")), told("6:9"));
    assert_eq!(errors(&rogue("every = \"1 ms\"\n", "1000 s")), told("6:9"));
    assert_eq!(errors(&rogue("", "2000000 s")), told("6:7"));
    let site = Scenario::parse(SITE, "s.toml").unwrap();
    assert!(parse(&rogue("every = \"1 ms\"\n", "999 s"), "a.toml", &site).is_ok());
}
