//! Restarts of stations, and who commanded them: any master may, and each master's traffic belongs to a shard of
//! its own. Shards tell both; here, in the order of their places, a restart without a command is told (SEQ-12).

use std::collections::BTreeSet;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use parsers::{Coverage, FlowInfo, FrameRef, Function, Host, Protocol, StationAddress, Timestamp};
use profiles::{Compiled, DurationText, Thresholds};

use crate::detect::association::AssociationKey;
use crate::detect::policy::Weighed;
use crate::detect::{FindingSink, coverage};
use crate::report::catalogue::FindingKind;
use crate::report::finding::Finding;

/// Stations whose last command to restart is remembered. Beyond, the oldest is forgotten, and counted.
pub const RESTARTS_KEPT: usize = 4096;

/// What a shard has seen of a restart.
#[derive(Debug)]
pub struct RestartSign {
    /// When.
    pub at: Timestamp,
    /// Master and station.
    pub key: AssociationKey,
    /// What was seen.
    pub what: Restart,
}

/// A command to restart, or a restart.
#[derive(Debug)]
pub enum Restart {
    /// A master commanded it.
    Commanded,
    /// The station says that it has restarted.
    Seen(Box<Evidence>),
}

/// What shows a restart.
#[derive(Debug)]
pub struct Evidence {
    /// The flow that it was told on.
    pub flow: FlowInfo,
    /// What was asked or answered.
    pub function: Function,
    /// The frames of the question and of the answer.
    pub frames: Vec<FrameRef>,
    /// The octets that tell it.
    pub octets: Vec<u8>,
    /// How the station tells it.
    pub indication: &'static str,
    /// What could not be seen.
    pub coverage: Coverage,
}

/// A station, whoever commands it.
type Station = (Host, u16, Protocol, StationAddress);

/// Commands to restart.
#[derive(Debug, Default)]
pub(crate) struct Restarts {
    commanded: HashMap<Station, Timestamp, FixedState>,
    /// The same by their times, so that the oldest is found without a search: whoever restarts one invented station
    /// after the other must not slow the sensor down.
    by_time: BTreeSet<(Timestamp, Station)>,
    forgotten: u64,
}

impl Restarts {
    /// Commands that were forgotten because too many stations were restarted.
    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// A sign from a shard.
    pub(crate) fn sign(
        &mut self,
        profile: Option<&Compiled>,
        sign: &RestartSign,
        sink: &mut dyn FindingSink,
    ) {
        let key = sign.key;
        let station = (key.server, key.service, key.protocol, key.station);
        match &sign.what {
            Restart::Commanded => self.command(station, sign.at),
            Restart::Seen(evidence) => {
                let thresholds = profile.map_or_else(Thresholds::default, |p| p.thresholds().clone());
                let explained = (thresholds.restart_explained * 1e9) as u64;
                let command = self.commanded.get(&station);
                if command.is_none_or(|at| sign.at.since(*at) > explained) {
                    tell(profile, sign, evidence, explained, &mut Weighed::new(profile, sink));
                }
            }
        }
    }

    fn command(&mut self, station: Station, at: Timestamp) {
        // Another tap's clock may be behind: what was explained stays so.
        let before = self.commanded.get(&station).copied();
        let at = before.map_or(at, |before| before.max(at));
        if let Some(before) = before {
            self.by_time.remove(&(before, station));
        } else if self.commanded.len() >= RESTARTS_KEPT
            && let Some((_, oldest)) = self.by_time.pop_first()
        {
            self.commanded.remove(&oldest);
            self.forgotten += 1;
        }
        self.commanded.insert(station, at);
        self.by_time.insert((at, station));
    }
}

/// SEQ-12.
fn tell(
    profile: Option<&Compiled>,
    sign: &RestartSign,
    evidence: &Evidence,
    explained: u64,
    sink: &mut dyn FindingSink,
) {
    let kind = FindingKind::RestartSeen;
    if !coverage::bears(kind, evidence.coverage) {
        return sink.withheld(kind);
    }
    let (key, flow) = (sign.key, &evidence.flow);
    let master_first = flow.client.host == key.master;
    let (client, server) = if master_first { (flow.client, flow.server) } else { (flow.server, flow.client) };
    let pair = profile.map(|p| p.pair(client, server, key.protocol, key.station));
    sink.finding(&Finding {
        kind,
        flow: Some(flow),
        protocol: Some(key.protocol),
        station_name: profile.zip(pair).and_then(|(profile, pair)| profile.station_name(pair)),
        client_name: profile.and_then(|profile| profile.host_name(key.master)),
        by_station: true,
        function: Some(evidence.function),
        expected: format_args!("a restart only after a command to restart"),
        observed: format_args!(
            "{}, and no such command in the last {}",
            evidence.indication,
            DurationText(explained)
        ),
        frames: &evidence.frames,
        octets: &evidence.octets,
        coverage: evidence.coverage,
        ..Finding::about(sign.at, client, server, key.station)
    });
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use parsers::MacAddr;

    fn station(n: u16) -> Station {
        (Host::Mac(MacAddr::default()), 20_000, Protocol::Dnp3, StationAddress::Link(n))
    }

    #[test]
    fn of_too_many_commands_the_oldest_is_forgotten_and_counted() {
        let mut restarts = Restarts::default();
        for n in 0..RESTARTS_KEPT {
            restarts.command(station(n as u16), Timestamp(n as u64));
        }
        restarts.command(station(0), Timestamp(9_999));
        assert_eq!((restarts.commanded.len(), restarts.forgotten()), (RESTARTS_KEPT, 0));
        restarts.command(station(60_000), Timestamp(10_000));
        assert_eq!((restarts.commanded.len(), restarts.forgotten()), (RESTARTS_KEPT, 1));
        // A command that another tap stamped earlier changes nothing.
        restarts.command(station(60_000), Timestamp(5));
        assert_eq!(restarts.commanded[&station(60_000)], Timestamp(10_000));
        assert_eq!(restarts.by_time.len(), RESTARTS_KEPT);
        assert!(restarts.commanded.contains_key(&station(0)));
        assert!(!restarts.commanded.contains_key(&station(1)));
    }
}
