//! The outstation: requests in, responses out, events from the process, unsolicited responses, restart.

use super::super::points::{Dnp3Points, Source, dnp3};
use super::super::{Effect, View};
use super::session::{Pending, Session};
use super::{function as fc, iin};
use crate::encode::dnp3::{control, frames_from, request};
use crate::grid::{Grid, Quantity};
use crate::scenario::Station;
use crate::wire::Prng;

/// Masters that get a session; a further one takes the place of the oldest.
const MOST_SESSIONS: usize = 8;
/// A confirmation is waited for this long.
pub(super) const CONFIRM_NS: u64 = 5_000_000_000;
/// Octets of objects in one fragment.
const FRAGMENT: usize = 2000;

/// A message to a master.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) connection: u32,
    pub(crate) bytes: Vec<u8>,
    /// Nobody asked for it.
    pub(crate) unsolicited: bool,
}

/// What a request or an event causes.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) sent: Vec<Sent>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) restart: bool,
}

/// A DNP3 outstation.
#[derive(Debug, Clone)]
pub(crate) struct Outstation {
    pub(crate) address: u16,
    pub(super) points: Dnp3Points,
    pub(super) latches: Vec<bool>,
    pub(super) sessions: Vec<Session>,
    pub(super) select_timeout_ns: u64,
    pub(super) prng: Prng,
    pub(super) unsolicited: bool,
    pub(super) capacity: usize,
    /// Last reported values: binary inputs, analog inputs, counters.
    pub(super) reported: [Vec<f64>; 3],
    restarted: bool,
    time_until_ns: u64,
    need_time_every_ns: u64,
    recorded: bool,
}

impl Outstation {
    pub(crate) fn new(station: &Station, grid: &Grid, prng: Prng, now_ns: u64, cold: bool) -> Outstation {
        let points = dnp3(station, grid);
        let mut outstation = Outstation {
            address: station.link_address.unwrap_or(1),
            latches: vec![true],
            sessions: Vec::new(),
            select_timeout_ns: station.select_timeout.ns(),
            prng,
            unsolicited: station.unsolicited,
            capacity: station.event_buffer,
            reported: [Vec::new(), Vec::new(), Vec::new()],
            restarted: true,
            time_until_ns: 0,
            need_time_every_ns: station.need_time_every.ns(),
            recorded: false,
            points,
        };
        outstation.restarted = cold;
        if !cold {
            // In service for a while: the next time it asks is somewhere in its cycle.
            let cycle = outstation.need_time_every_ns;
            outstation.time_until_ns = now_ns + cycle / 10 + outstation.prng.below(cycle);
        }
        let view = View { grid, spoof: None };
        outstation.reported =
            [0, 1, 2].map(|list| outstation.list(list).iter().map(|s| outstation.value(*s, &view)).collect());
        outstation
    }

    pub(super) fn list(&self, which: usize) -> &[Source] {
        match which {
            0 => &self.points.binary,
            1 => &self.points.analog,
            _ => &self.points.counters,
        }
    }

    /// Every quantity among the points.
    pub(crate) fn quantities(&self) -> Vec<Quantity> {
        let all = (0..3).flat_map(|which| self.list(which));
        all.filter_map(|source| match source {
            Source::Grid(quantity, _) => Some(*quantity),
            Source::Latch(_) => None,
        })
        .collect()
    }

    /// After a restart: no session, no event, no time, and the indication of it.
    pub(crate) fn restart(&mut self) {
        self.sessions.clear();
        self.restarted = true;
        self.time_until_ns = 0;
    }

    /// A connection is gone.
    pub(crate) fn disconnected(&mut self, connection: u32) {
        for session in self.sessions.iter_mut().filter(|s| s.connection == connection) {
            session.pending = None;
            session.rest.clear();
            session.selected = None;
            session.connection = u32::MAX;
        }
    }

    fn session(&mut self, master: u16, connection: u32) -> usize {
        if let Some(index) = self.sessions.iter().position(|s| s.master == master) {
            self.sessions[index].connection = connection;
            return index;
        }
        if self.sessions.len() == MOST_SESSIONS {
            self.sessions.remove(0);
        }
        self.sessions.push(Session::new(master, connection));
        self.sessions.len() - 1
    }

    /// A master opened a connection: an outstation with unsolicited responses says hello.
    pub(crate) fn connected(&mut self, master: u16, connection: u32, now_ns: u64, outcome: &mut Outcome) {
        let session = self.session(master, connection);
        if self.unsolicited && self.restarted && !self.sessions[session].null_sent {
            self.sessions[session].null_sent = true;
            self.send_unsolicited(session, Vec::new(), Vec::new(), now_ns, outcome);
        }
    }

    /// A fragment from a master. `broadcast`: sent to all, never answered.
    pub(crate) fn receive(
        &mut self,
        master: u16,
        connection: u32,
        fragment: &[u8],
        broadcast: bool,
        view: &View<'_>,
        now_ns: u64,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let [application, function, objects @ ..] = fragment else { return outcome };
        let session = self.session(master, connection);
        let sequence = application & 15;
        if *function == fc::CONFIRM {
            self.confirmed(session, sequence, application & 0x10 != 0, now_ns, &mut outcome);
            return outcome;
        }
        if !matches!(*function, fc::SELECT | fc::OPERATE) {
            self.sessions[session].selected = None;
        }
        // A new request ends the wait for a confirmation of the last answer.
        if self.sessions[session].pending.as_ref().is_some_and(|p| !p.unsolicited) {
            self.sessions[session].pending = None;
        }
        self.sessions[session].rest.clear();
        let (pieces, events, second) =
            self.perform(session, *function, sequence, objects, view, now_ns, &mut outcome);
        if broadcast {
            self.sessions.iter_mut().for_each(|s| s.broadcast = true);
            return outcome;
        }
        if !matches!(*function, fc::DIRECT_OPERATE_NO_ACK | fc::FREEZE_NO_ACK | 10 | 12) {
            self.respond(session, sequence, pieces, events, second, now_ns, &mut outcome);
        }
        outcome
    }

    /// Objects of the answer, events among them, second octet of the indications.
    #[allow(clippy::too_many_arguments)]
    fn perform(
        &mut self,
        session: usize,
        function: u8,
        sequence: u8,
        objects: &[u8],
        view: &View<'_>,
        now_ns: u64,
        outcome: &mut Outcome,
    ) -> (Vec<Vec<u8>>, Vec<u64>, u8) {
        let simple = |result: Result<Vec<u8>, u8>| match result {
            Ok(objects) => (vec![objects], Vec::new(), 0),
            Err(second) => (Vec::new(), Vec::new(), second),
        };
        match function {
            fc::READ => self.read(session, objects, view),
            fc::WRITE => simple(self.write(objects, now_ns)),
            fc::SELECT | fc::OPERATE | fc::DIRECT_OPERATE | fc::DIRECT_OPERATE_NO_ACK => {
                simple(self.control(session, function, sequence, objects, now_ns, outcome))
            }
            fc::FREEZE | fc::FREEZE_NO_ACK | fc::FREEZE_CLEAR | fc::ASSIGN_CLASS => simple(Ok(Vec::new())),
            fc::COLD_RESTART | fc::WARM_RESTART => {
                outcome.restart = true;
                // Group 52 variation 1: back in 20 s.
                simple(Ok(vec![52, 1, 0x07, 1, 20, 0]))
            }
            fc::ENABLE_UNSOLICITED | fc::DISABLE_UNSOLICITED => {
                for (class, enabled) in self.sessions[session].enabled.iter_mut().enumerate() {
                    if objects.chunks(3).any(|h| h == [60, class as u8 + 2, 6]) {
                        *enabled = function == fc::ENABLE_UNSOLICITED;
                    }
                }
                self.sessions[session].interested = true;
                simple(Ok(Vec::new()))
            }
            fc::DELAY_MEASURE => simple(Ok(vec![52, 2, 0x07, 1, 0, 0])),
            fc::RECORD_CURRENT_TIME => {
                self.recorded = true;
                simple(Ok(Vec::new()))
            }
            _ => simple(Err(iin::NO_FUNCTION)),
        }
    }

    fn read(&mut self, session: usize, objects: &[u8], view: &View<'_>) -> (Vec<Vec<u8>>, Vec<u64>, u8) {
        let mut pieces = Vec::new();
        let mut second = 0;
        let mut classes = [false; 3];
        let mut rest = objects;
        while let [group, variation, qualifier, tail @ ..] = rest {
            let (range, tail) = match (qualifier, tail) {
                (6, tail) => (None, tail),
                (0, [first, last, tail @ ..]) => (Some((usize::from(*first), usize::from(*last))), tail),
                (1, [a, b, c, d, tail @ ..]) => {
                    let word = |low: &u8, high: &u8| usize::from(u16::from_le_bytes([*low, *high]));
                    (Some((word(a, b), word(c, d))), tail)
                }
                _ => return (Vec::new(), Vec::new(), iin::PARAMETER),
            };
            rest = tail;
            match (group, variation) {
                (60, 1) => pieces.extend(self.class_zero(view)),
                (60, 2..=4) => classes[usize::from(*variation) - 2] = true,
                _ => match self.read_group(*group, range, view) {
                    Ok(piece) => pieces.push(piece),
                    Err(wrong) => second |= wrong,
                },
            }
        }
        let mut events = Vec::new();
        if classes.contains(&true) {
            self.sessions[session].interested = true;
            let (objects, numbers) = self.sessions[session].report(classes, usize::MAX);
            if !numbers.is_empty() {
                pieces.insert(0, objects);
            }
            events = numbers;
        }
        (pieces, events, second)
    }

    fn write(&mut self, objects: &[u8], now_ns: u64) -> Result<Vec<u8>, u8> {
        match objects {
            [80, 1, 0, 7, 7, 0] => self.restarted = false,
            [50, 1, 7, 1, time @ ..] if time.len() == 6 => {
                self.time_until_ns = now_ns + self.need_time_every_ns;
            }
            [50, 3, 7, 1, time @ ..] if time.len() == 6 && self.recorded => {
                self.recorded = false;
                self.time_until_ns = now_ns + self.need_time_every_ns;
            }
            [50 | 80, ..] => return Err(iin::PARAMETER),
            _ => return Err(iin::OBJECT_UNKNOWN),
        }
        Ok(Vec::new())
    }

    pub(super) fn indications(&mut self, session: usize, second: u8, now_ns: u64) -> [u8; 2] {
        let state = &mut self.sessions[session];
        let mut first = state.class_bits();
        if std::mem::take(&mut state.broadcast) {
            first |= iin::BROADCAST;
        }
        if now_ns >= self.time_until_ns {
            first |= iin::NEED_TIME;
        }
        if self.restarted {
            first |= iin::RESTART;
        }
        [first, second | if state.overflow { iin::OVERFLOW } else { 0 }]
    }

    /// Pieces are packed into fragments; all but the last, and any with events, want a confirmation.
    #[allow(clippy::too_many_arguments)]
    fn respond(
        &mut self,
        session: usize,
        sequence: u8,
        pieces: Vec<Vec<u8>>,
        events: Vec<u64>,
        second: u8,
        now_ns: u64,
        outcome: &mut Outcome,
    ) {
        let mut bodies: Vec<Vec<u8>> = vec![Vec::new()];
        for piece in pieces {
            match bodies.last_mut() {
                Some(body) if body.is_empty() || body.len() + piece.len() <= FRAGMENT => body.extend(piece),
                _ => bodies.push(piece),
            }
        }
        let count = bodies.len();
        let with_events = !events.is_empty();
        if with_events {
            self.sessions[session].pending = Some(Pending {
                unsolicited: false,
                sequence,
                events,
                deadline_ns: now_ns + CONFIRM_NS,
                tries: 1,
                fragment: Vec::new(),
            });
        } else if count > 1 {
            self.sessions[session].pending = Some(Pending {
                unsolicited: false,
                sequence,
                events: Vec::new(),
                deadline_ns: now_ns + CONFIRM_NS,
                tries: 1,
                fragment: Vec::new(),
            });
        }
        let indications = self.indications(session, second, now_ns);
        for (place, body) in bodies.into_iter().enumerate() {
            let (first, last) = (place == 0, place + 1 == count);
            let confirm = !last || (first && with_events);
            let control = (u8::from(first) << 7) | (u8::from(last) << 6) | (u8::from(confirm) << 5);
            let number = (usize::from(sequence) + place) as u8 & 15;
            let head = [control | number, fc::RESPONSE, indications[0], indications[1]];
            let fragment = [head.as_slice(), &body].concat();
            if first {
                self.send(session, &fragment, false, outcome);
            } else {
                self.sessions[session].rest.push_back(fragment);
            }
        }
    }

    fn confirmed(
        &mut self,
        session: usize,
        sequence: u8,
        unsolicited: bool,
        now_ns: u64,
        outcome: &mut Outcome,
    ) {
        let fits = |p: &mut Pending| p.sequence == sequence && p.unsolicited == unsolicited;
        let Some(pending) = self.sessions[session].pending.take_if(fits) else { return };
        self.sessions[session].forget(&pending.events);
        if unsolicited {
            let next = &mut self.sessions[session].unsolicited_sequence;
            *next = (*next + 1) & 15;
        } else if let Some(fragment) = self.sessions[session].rest.pop_front() {
            if fragment[0] & 0x20 != 0 {
                self.sessions[session].pending = Some(Pending {
                    sequence: fragment[0] & 15,
                    events: Vec::new(),
                    deadline_ns: now_ns + CONFIRM_NS,
                    ..pending
                });
            }
            self.send(session, &fragment, false, outcome);
        }
    }

    pub(super) fn send(&mut self, session: usize, fragment: &[u8], unsolicited: bool, outcome: &mut Outcome) {
        let state = &mut self.sessions[session];
        let bytes =
            frames_from(control::OUTSTATION_DATA, state.master, self.address, fragment, state.transport);
        state.transport = (usize::from(state.transport) + fragment.len().div_ceil(249).max(1)) as u8 & 63;
        outcome.sent.push(Sent { connection: state.connection, bytes, unsolicited });
    }
}

/// A request as a master sends it.
pub(crate) fn framed(
    master: u16,
    outstation: u16,
    sequence: u8,
    function: u8,
    objects: &[u8],
    transport: u8,
) -> Vec<u8> {
    frames_from(control::MASTER_DATA, outstation, master, &request(sequence, function, objects), transport)
}
