//! Controlled stations at work: connections, timers, reports.

use super::queue::{Event, Step};
use super::{Body, World};
use crate::station::View;
use crate::station::iec104::Outcome;
use crate::wire::Side;

impl World<'_> {
    /// Let a controlled station do something, and carry out what follows. `answer`: what it says waits for
    /// the station's time to answer.
    fn with_controlled(
        &mut self,
        station: usize,
        answer: bool,
        act: impl FnOnce(&mut crate::station::iec104::Controlled, &View<'_>, u64, &mut Outcome),
    ) {
        let now = self.now;
        let state = &mut self.stations[station];
        let view = View { grid: &self.grid, spoof: state.spoof.as_ref() };
        let Body::Iec104(controlled) = &mut state.body else { return };
        let mut outcome = Outcome::default();
        act(controlled, &view, now, &mut outcome);
        let alarms = controlled.alarms();
        // What nobody asked for comes with the station's scan, which keeps no time to the microsecond.
        let scan = if outcome.sent.is_empty() { 0 } else { state.prng.below(2 * state.answer_ns + 1) };
        let delay = if answer { state.answer_ns + scan } else { scan };
        for (conn, bytes, _) in outcome.sent {
            let state = &mut self.stations[station];
            state.free_ns = (now + delay).max(state.free_ns + 1);
            let at = state.free_ns;
            self.forge(conn, station, &bytes, delay);
            self.queue.push(at, Event::Send { conn, from: Side::Server, bytes });
        }
        for (conn, due) in alarms {
            self.queue.push(due, Event::Alarm { conn, side: Side::Server, due });
        }
        self.effects(&outcome.effects, delay);
        for conn in outcome.closed {
            let at = self.now + delay + 1_000_000;
            self.queue.push(at, Event::Tcp { conn, step: Step::Close(Side::Server) });
        }
        if outcome.restart {
            self.restart(station, delay);
        }
    }

    pub(super) fn iec104_accepted(&mut self, conn: u32, station: usize) {
        self.with_controlled(station, false, |controlled, _, now, outcome| {
            controlled.connected(conn, now, outcome);
        });
    }

    pub(super) fn serve_iec104(&mut self, conn: u32, station: usize, bytes: &[u8]) {
        self.with_controlled(station, true, |controlled, view, now, outcome| {
            controlled.receive(conn, bytes, view, now, outcome);
        });
    }

    pub(super) fn observe_iec104(&mut self, station: usize) {
        self.with_controlled(station, false, |controlled, view, now, outcome| {
            controlled.observe(view, now, outcome);
        });
    }

    /// Whether a connection leads to a controlled station.
    pub(crate) fn is_iec104(&self, conn: u32) -> bool {
        let state = &self.conns[conn as usize];
        let stations = self.services.get(&(state.hosts[1], state.ports[1]));
        stations.is_some_and(|stations| matches!(self.stations[stations[0]].body, Body::Iec104(_)))
    }

    /// An invented event of a controlled station, for everybody.
    pub(crate) fn storm_iec104(&mut self, station: usize) -> Vec<(u32, Vec<u8>)> {
        let now = self.now;
        let Body::Iec104(controlled) = &mut self.stations[station].body else { return Vec::new() };
        let mut outcome = Outcome::default();
        controlled.storm(now, &mut outcome);
        outcome.sent.into_iter().map(|(conn, bytes, _)| (conn, bytes)).collect()
    }

    /// Timers of a station's end of a connection.
    pub(super) fn station_alarm(&mut self, conn: u32, due: u64) {
        let state = &self.conns[conn as usize];
        let Some(stations) = self.services.get(&(state.hosts[1], state.ports[1])) else { return };
        self.with_controlled(stations[0], false, |controlled, _, now, outcome| {
            controlled.wake(conn, now, due, outcome);
        });
    }
}
