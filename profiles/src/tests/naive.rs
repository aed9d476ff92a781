//! The index against a judge that walks the rules as they are written.

use std::fmt::Write as _;

use parsers::{Action, Function, PointKind, PointRange, StationAddress};
use proptest::prelude::*;

use super::support::Asked;
use crate::{AnomalyKind, Profile, Reason, Verdict};

const CLIENTS: [&str; 6] = ["10.0.0.1", "10.0.0.2", "10.0.1.1", "10.0.1.14", "fd00::1", "192.168.0.9"];
const SERVERS: [&str; 4] = ["10.0.2.1", "10.0.2.2", "10.0.0.1", "192.168.0.8"];
const ACTIONS: [Action; 5] =
    [Action::Read, Action::Write, Action::Operate, Action::Identify, Action::Diagnose];
const KINDS: [PointKind; 3] = [PointKind::Coil, PointKind::HoldingRegister, PointKind::DeviceData];
const ALLOW: [&str; 8] =
    ["read", "write", "operate", "fc:3", "write_multiple_registers", "fc:8", "fc:8/4", "return_query_data"];

/// Two clients (one a network, one with two addresses) and up to four stations behind two hosts.
fn profile() -> impl Strategy<Value = String> {
    let pick = |n: usize| prop::collection::btree_set(0..n, 1..=n);
    let points = prop::option::of(prop::collection::vec((0..2_usize, 0..20_u32, 0..8_u32), 1..4));
    let rule = (pick(3), pick(4), pick(ALLOW.len()), points, any::<bool>());
    let some = |n: usize| prop::option::of(prop::collection::btree_set(0..n, 1..=n));
    let point = prop::option::of((0..2_usize, 0..20_u32, 0..8_u32));
    let denial = (some(3), some(4), pick(ALLOW.len()), point);
    let denials = prop::collection::vec(denial, 0..3);
    (prop::collection::vec(rule, 0..6), denials).prop_map(|(rules, denials)| {
        let mut text = r#"
            [profile]
            name = "random"
            [hosts]
            a = { address = ["10.0.0.1", "fd00::1"] }
            b = { address = "10.0.1.0/28" }
            c = { address = "10.0.0.2" }
            h = { address = "10.0.2.1" }
            [stations]
            s0 = { protocol = "modbus", host = "h", unit_id = 1, points = { named = { point = "holding_register 12", type = "uint32" } } }
            s1 = { protocol = "modbus", host = "h", unit_id = "any", points = { named = { point = "coil 7" } } }
            s2 = { protocol = "modbus", host = "h", unit_id = 2, port = 502, points = { named = { point = "holding_register 12" } } }
            s3 = { protocol = "modbus", host = "10.0.2.2", unit_id = 0, points = { named = { point = "coil 7" } } }
        "#
        .to_owned();
        for (i, (from, to, allow, points, broadcast)) in rules.into_iter().enumerate() {
            let list = |items: Vec<String>| format!("[\"{}\"]", items.join("\", \""));
            let from = list(from.iter().map(|i| ["a", "b", "c"][*i].to_owned()).collect());
            let to = list(to.iter().map(|i| format!("s{i}")).collect());
            let allow = list(allow.iter().map(|i| ALLOW[*i].to_owned()).collect());
            let _ = write!(text, "[[rules]]\nname = \"r{i}\"\nfrom = {from}\nto = {to}\nallow = {allow}\nbroadcast = {broadcast}\n");
            if let Some(points) = points {
                let one = |(k, first, n): &(usize, u32, u32)| format!("{} {first}-{}", KINDS[*k].name(), first + n);
                let mut points: Vec<_> = points.iter().map(one).collect();
                if i % 2 == 0 {
                    points.push("named".to_owned());
                }
                let _ = writeln!(text, "points = {}", list(points));
            }
        }
        for (i, (from, to, operations, point)) in denials.into_iter().enumerate() {
            let list = |items: Vec<String>| format!("[\"{}\"]", items.join("\", \""));
            let _ = writeln!(text, "[[deny]]\nname = \"d{i}\"");
            if let Some(from) = from {
                let from = from.iter().map(|i| ["a", "b", "c"][*i].to_owned());
                let _ = writeln!(text, "from = {}", list(from.collect()));
            }
            if let Some(to) = to {
                let _ = writeln!(text, "to = {}", list(to.iter().map(|i| format!("s{i}")).collect()));
            }
            let operations = operations.iter().map(|i| ALLOW[*i].to_owned());
            let _ = writeln!(text, "operations = {}", list(operations.collect()));
            if let Some((kind, first, n)) = point {
                let _ = writeln!(text, "points = [\"{} {first}-{}\", \"named\"]", KINDS[kind].name(), first + n);
            }
        }
        text
    })
}

fn asked() -> impl Strategy<Value = Asked> {
    let function = prop::sample::select(vec![(3, None), (16, None), (8, Some(0)), (8, Some(4)), (17, None)]);
    let ranges = prop::collection::vec((0..KINDS.len(), 0..24_u32, 0..6_u32), 0..3);
    let who = (0..CLIENTS.len(), 0..SERVERS.len(), 0..4_u8, prop::sample::select(vec![502_u16, 1502]));
    (who, 0..ACTIONS.len(), function, ranges, any::<bool>(), prop::bool::weighted(0.2)).prop_map(
        |((client, server, unit, port), action, (code, sub), ranges, more_ranges, broadcast)| Asked {
            client: CLIENTS[client],
            server: SERVERS[server],
            port,
            station: StationAddress::Unit(unit),
            action: ACTIONS[action],
            function: Function { code, sub, name: "" },
            ranges: ranges
                .iter()
                .map(|(k, first, n)| PointRange::new(KINDS[*k], *first, first + n))
                .collect(),
            more_ranges: more_ranges && !ranges.is_empty(),
            broadcast,
            ..Asked::modbus(unit, ACTIONS[action], code, "")
        },
    )
}

/// What the reference says: the reason of a denial, or the first rule that allows.
fn naive(profile: &Profile, asked: &Asked) -> Result<String, Reason> {
    let host = |ip: &str| {
        let ip: std::net::IpAddr = ip.parse().unwrap();
        profile.hosts.iter().position(|h| h.addresses.iter().any(|net| net.contains(&ip)))
    };
    if profile.denials.iter().any(|deny| forbids(profile, deny, asked, &host)) {
        return Err(Reason::Denied);
    }
    let client = host(asked.client).ok_or(Reason::UnknownClient)?;
    let server = host(asked.server).ok_or(Reason::UnknownStation)?;
    let fits = |i: &usize, address: Option<StationAddress>, port: Option<u16>| {
        let s = &profile.stations[*i];
        s.host == server && s.address == address && s.port == port
    };
    let all = 0..profile.stations.len();
    let exact = [Some(asked.port), None]
        .into_iter()
        .find_map(|port| all.clone().find(|i| fits(i, Some(asked.station), port)));
    let any = [Some(asked.port), None].into_iter().find_map(|port| all.clone().find(|i| fits(i, None, port)));
    let by_broadcast = asked.broadcast && exact.is_none();
    let station = exact.or(any);
    let applies = |rule: &&crate::Rule| {
        let to_host = rule.to.iter().any(|i| {
            let s = &profile.stations[*i];
            s.host == server && s.port.is_none_or(|port| port == asked.port)
        });
        let to_station = station.is_some_and(|station| rule.to.contains(&station));
        rule.from.contains(&client) && if by_broadcast { rule.broadcast && to_host } else { to_station }
    };
    if !by_broadcast && station.is_none() {
        return Err(Reason::UnknownStation);
    }
    let rules: Vec<_> = profile.rules.iter().filter(applies).collect();
    if rules.is_empty() {
        return Err(if by_broadcast { Reason::Broadcast } else { Reason::NoRule });
    }
    let allows = |rule: &crate::Rule| {
        rule.allow.iter().any(|allow| match *allow {
            crate::Allow::Action(action) => action == asked.action,
            crate::Allow::Function { code, sub, .. } => {
                code == asked.function.code && (sub.is_none() || sub == asked.function.sub)
            }
        })
    };
    // Point by point, as slow as can be.
    let point_allowed = |points: &[PointRange], kind: PointKind, at: u32| {
        points.iter().any(|p| p.kind() == kind && p.first() <= at && at <= p.last())
    };
    let covers_at = |rule: &crate::Rule, station: usize| match rule.points_at(profile, station) {
        None => true,
        Some(points) => {
            !asked.more_ranges
                && asked
                    .ranges
                    .iter()
                    .filter(|r| r.kind() != PointKind::DeviceData)
                    .all(|r| (r.first()..=r.last()).all(|at| point_allowed(&points, r.kind(), at)))
        }
    };
    let covers = |rule: &crate::Rule| {
        // A broadcast goes to every station of the host that the rule names.
        let on_host = |i: &&usize| {
            let s = &profile.stations[**i];
            s.host == server && s.port.is_none_or(|port| port == asked.port)
        };
        let mut at = rule.to.iter().filter(|i| if by_broadcast { on_host(i) } else { Some(**i) == station });
        at.any(|at| covers_at(rule, *at))
    };
    let allowing: Vec<_> = rules.into_iter().filter(|rule| allows(rule)).collect();
    if allowing.is_empty() {
        return Err(Reason::Function);
    }
    allowing.into_iter().find(|rule| covers(rule)).map(|rule| rule.name.clone()).ok_or(Reason::Range)
}

/// Whether a denial forbids it, point by point.
fn forbids(
    profile: &Profile,
    deny: &crate::Deny,
    asked: &Asked,
    host: &dyn Fn(&str) -> Option<usize>,
) -> bool {
    let station = host(asked.server).and_then(|server| {
        let fits = |i: &usize, address: Option<StationAddress>, port: Option<u16>| {
            let s = &profile.stations[*i];
            s.host == server && s.address == address && s.port == port
        };
        let all = || 0..profile.stations.len();
        let places = [Some(asked.station), None].into_iter();
        let mut places = places.flat_map(|a| [Some(asked.port), None].into_iter().map(move |p| (a, p)));
        places.find_map(|(address, port)| all().find(|i| fits(i, address, port)))
    });
    let among = |list: &Option<Vec<usize>>, one: Option<usize>| {
        list.as_ref().is_none_or(|list| one.is_some_and(|one| list.contains(&one)))
    };
    let function = asked.function;
    let operation =
        deny.operations.iter().any(|allow| allow.holds(parsers::Protocol::Modbus, asked.action, function));
    if !operation || !among(&deny.from, host(asked.client)) || !among(&deny.to, station) {
        return false;
    }
    let Some(mut points) = deny.points.clone() else { return true };
    let named = station.and_then(|s| profile.stations[s].point("named"));
    points.extend(named.filter(|_| !deny.named_points.is_empty()).map(crate::PointSpec::addresses));
    let touched = |r: &PointRange| {
        (r.first()..=r.last())
            .any(|at| points.iter().any(|p| p.kind() == r.kind() && p.first() <= at && at <= p.last()))
    };
    asked.more_ranges || asked.ranges.iter().any(touched)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_index_judges_like_a_walk_over_the_rules(
        text in profile(),
        operations in prop::collection::vec(asked(), 40),
    ) {
        let compiled = crate::parse(&text, "random").unwrap();
        for asked in &operations {
            let expected = naive(compiled.profile(), asked);
            asked.with(|operation| {
                let pair = compiled.pair(
                    operation.master_endpoint(),
                    operation.station_endpoint(),
                    operation.protocol,
                    operation.station,
                );
                let verdict = compiled.judge(pair, operation);
                let got = match verdict {
                    Verdict::Allowed(rule) => Ok(compiled.rule(rule.unwrap()).unwrap().name.clone()),
                    Verdict::Denied(anomaly) => Err(anomaly.reason),
                };
                prop_assert_eq!(&got, &expected, "{:?} in {}", asked, text);
                if let Some(anomaly) = verdict.anomaly() {
                    let control = asked.action.is_control() && anomaly.reason != Reason::Denied;
                    prop_assert_eq!(anomaly.kind == AnomalyKind::Control, control);
                    prop_assert!(!anomaly.to_string().is_empty());
                }
                Ok(())
            })?;
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "(\\[\\[?(profile|hosts|rules|stations)?(\\.[a-c])?\\]?\\]?\n|(name|from|to|allow|points|address|host|unit_id|protocol) = (\"[ -~]{0,9}\"|\\[\"[a-z]{0,3}\"\\]|-?[0-9]{1,6}|x)\n){0,12}[\\PC\n]{0,20}") {
        if let Err(errors) = crate::parse(&text, "random") {
            prop_assert!(!errors.errors.is_empty());
            prop_assert!(!errors.to_string().is_empty());
        }
    }
}
