//! Connections of controlling stations, and what is told to the one that transfer is on with.

use super::station::Controlled;
use crate::apci::{Apci, Heard};
use crate::encode::iec104::{Asdu, Element, cause, octets, type_id as id};
use crate::station::{Effect, View};

/// Events kept while nobody listens; the oldest go first.
const MOST_EVENTS: usize = 200;
/// Connections; the oldest is closed for a new one.
const MOST_SESSIONS: usize = 8;

/// A connection.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) connection: u32,
    pub(super) apci: Apci,
}

/// What follows from something that happened.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Whole APDUs for a connection; and whether they answer something.
    pub(crate) sent: Vec<(u32, Vec<u8>, bool)>,
    /// What the process does.
    pub(crate) effects: Vec<Effect>,
    /// Connections to close.
    pub(crate) closed: Vec<u32>,
    /// The station restarts.
    pub(crate) restart: bool,
}

impl Controlled {
    /// A controlling station connected.
    pub(crate) fn connected(&mut self, connection: u32, now: u64, outcome: &mut Outcome) {
        if self.sessions.len() == MOST_SESSIONS {
            outcome.closed.push(self.sessions.remove(0).connection);
        }
        self.sessions.push(Session { connection, apci: Apci::new(false, self.limits, now) });
    }

    /// A connection is gone.
    pub(crate) fn disconnected(&mut self, connection: u32) {
        self.sessions.retain(|session| session.connection != connection);
        self.selected.take_if(|selected| selected.connection == connection);
        self.running.retain(|running| running.connection != connection);
    }

    /// Octets from a controlling station.
    pub(crate) fn receive(
        &mut self,
        connection: u32,
        bytes: &[u8],
        view: &View<'_>,
        now: u64,
        outcome: &mut Outcome,
    ) {
        let Some(place) = self.place(connection) else { return };
        for heard in self.sessions[place].apci.receive(bytes, now) {
            match heard {
                Heard::Asdu(asdu) => self.request(connection, &asdu, view, now, outcome),
                Heard::Started => self.start(connection, now),
                Heard::Unreadable(_) | Heard::Lost(_) => outcome.closed.push(connection),
                Heard::Stopped => {}
            }
        }
        self.flush(connection, true, outcome);
    }

    /// Transfer is on with one connection at a time: the others of its group stand by (clause 10).
    fn start(&mut self, connection: u32, now: u64) {
        if !self.initialised {
            self.initialised = true;
            let ready = octets(&[Element::Coi { cause: self.initialisation, changed: false }]);
            self.say(connection, &Asdu::new(id::M_EI_NA_1, cause::INITIALISED, self.address, 0, ready), now);
        }
        for event in std::mem::take(&mut self.events) {
            self.say(connection, &event, now);
        }
    }

    pub(super) fn place(&self, connection: u32) -> Option<usize> {
        self.sessions.iter().position(|session| session.connection == connection)
    }

    pub(super) fn say(&mut self, connection: u32, asdu: &Asdu, now: u64) {
        if let Some(place) = self.place(connection) {
            self.sessions[place].apci.send(asdu.encode(), now);
        }
    }

    /// Tell everybody with whom transfer is on; keep it if there is nobody.
    pub(super) fn tell(&mut self, asdu: &Asdu, now: u64) {
        let mut told = false;
        for session in self.sessions.iter_mut().filter(|session| session.apci.started()) {
            session.apci.send(asdu.encode(), now);
            told = true;
        }
        if !told && asdu.cause == cause::SPONTANEOUS {
            if self.events.len() == MOST_EVENTS {
                self.events.pop_front();
            }
            self.events.push_back(asdu.clone());
        }
    }

    pub(super) fn flush(&mut self, connection: u32, answers: bool, outcome: &mut Outcome) {
        if let Some(place) = self.place(connection)
            && let Some(bytes) = self.sessions[place].apci.take()
        {
            outcome.sent.push((connection, bytes, answers));
        }
    }

    pub(super) fn flush_all(&mut self, outcome: &mut Outcome) {
        for session in &mut self.sessions {
            outcome.sent.extend(session.apci.take().map(|bytes| (session.connection, bytes, false)));
        }
    }

    /// Timers of a connection.
    pub(crate) fn wake(&mut self, connection: u32, now: u64, due: u64, outcome: &mut Outcome) {
        let Some(place) = self.place(connection) else { return };
        let apci = &mut self.sessions[place].apci;
        if !apci.awake(due) {
            return;
        }
        if let Some(Heard::Lost(_)) = apci.wake(now) {
            outcome.closed.push(connection);
        }
        self.flush(connection, false, outcome);
    }

    /// Connections that want to be woken earlier than is planned, and when.
    pub(crate) fn alarms(&mut self) -> Vec<(u32, u64)> {
        let mut out = Vec::new();
        for session in &mut self.sessions {
            if let Some(due) = session.apci.plan() {
                out.push((session.connection, due));
            }
        }
        out
    }
}
