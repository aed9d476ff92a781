#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::attack;

/// The lab on addresses of this process alone, with ports that need no privileges.
fn lab(attacks: &str) -> (Scenario, Vec<Attack>) {
    let own = format!(".{}.7.", std::process::id() % 250 + 1);
    let text = include_str!("../../scenarios/lab.toml").replace(".168.7.", &own);
    let mut scenario = Scenario::parse(&text, "lab.toml").unwrap();
    let mut attacks = attack::parse(&attacks.replace(".168.7.", &own), "attacks", &scenario).unwrap();
    onto_loopback(&mut scenario, &mut attacks).unwrap();
    Ports { modbus: 1502, dnp3: 20_000 }.set(&mut scenario, &mut attacks);
    (scenario, attacks)
}

#[test]
fn a_site_runs_over_sockets_with_masters_attackers_and_a_station_that_restarts() {
    let (mut scenario, attacks) = lab(r#"
        [[attacks]]
        behaviour = "host_sweep"
        at = "1s"
        actor = "192.168.7.66"
        address = "192.168.7.10"
        count = 8
        port = 502
        every = "20 ms"

        [[attacks]]
        behaviour = "unauthorised_control"
        at = "1500ms"
        actor = "192.168.7.66"
        target = "RTU"
        point = "CB-2"
        command = "open"

        [[attacks]]
        behaviour = "restart"
        at = "2s"
        actor = "192.168.7.66"
        target = "RECLOSER"

        [[attacks]]
        behaviour = "malformed_flood"
        at = "2s"
        actor = "192.168.7.67"
        target = "METER"
        count = 20
        every = "10 ms"

        [[attacks]]
        behaviour = "unsolicited_storm"
        at = "1500 ms"
        actor = "192.168.7.11"
        target = "RECLOSER"
        count = 5
        every = "20 ms"
    "#);
    for station in scenario.stations.values_mut() {
        station.restart_time = crate::scenario::Span::from_ms(1500);
    }
    let options = Options { seed: 7, length: Some(Duration::from_secs(9)), ..Options::default() };
    let mut places = Vec::new();
    let never = std::future::pending();
    let summary = run(&scenario, &attacks, &options, |p| places = p.to_vec(), never).unwrap();
    assert_eq!(places.len(), 5, "{places:?}");
    assert_eq!(summary.troubles, [""; 0]);
    let names: Vec<&str> = summary.labels.iter().map(|l| l.behaviour.as_str()).collect();
    assert_eq!(
        names,
        ["host_sweep", "unauthorised_control", "restart", "malformed_flood", "unsolicited_storm"]
    );
    assert!(summary.labels.iter().all(|l| l.frames.is_none() && l.from <= l.to), "{:?}", summary.labels);
    // Four Modbus stations, asked every second or two for 8 s.
    assert!(summary.answers > 30, "{summary:?}");
    // The recloser's connection is opened again after its restart; each connection has two ends but those to
    // Modbus servers.
    assert!(summary.connections >= 8 + 5 + 6, "{summary:?}");
}

#[test]
fn a_port_that_is_taken_is_told_with_its_place() {
    let (scenario, _) = lab("");
    let place = scenario.stations["METER"].address;
    let _taken = std::net::TcpListener::bind((place, 1503)).unwrap();
    let mut scenario = scenario;
    scenario.stations.values_mut().for_each(|s| s.port = Some(1503));
    let options = Options::default();
    let error = run(&scenario, &[], &options, |_| {}, std::future::pending()).unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot listen on {place}:1503")), "{error}");
    assert!(error.ends_with("is another site running?"), "{error}");
}

#[test]
fn two_hosts_with_one_address_on_the_loopback_are_a_mistake() {
    let (mut scenario, _) = lab("");
    scenario.stations.get_mut("METER").unwrap().address = "10.9.9.9".parse().unwrap();
    scenario.stations.get_mut("RTU").unwrap().address = "11.9.9.9".parse().unwrap();
    let error = onto_loopback(&mut scenario, &mut []).unwrap_err();
    assert!(error.contains("would both be 127.9.9.9 on the loopback"), "{error}");
}
