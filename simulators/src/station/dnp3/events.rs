//! Changes of the process as events, unsolicited responses, and what is not confirmed.

use super::super::View;
use super::super::points::Source;
use super::function as fc;
use super::outstation::{CONFIRM_NS, Outcome, Outstation};
use super::session::{Event, Pending};
use crate::grid::Quantity;

/// Unsolicited responses are tried this often, then again with the next event.
const MOST_TRIES: u8 = 3;

impl Outstation {
    pub(super) fn send_unsolicited(
        &mut self,
        session: usize,
        objects: Vec<u8>,
        events: Vec<u64>,
        now_ns: u64,
        outcome: &mut Outcome,
    ) {
        let sequence = self.sessions[session].unsolicited_sequence;
        let pending = Pending {
            unsolicited: true,
            sequence,
            events,
            deadline_ns: now_ns + CONFIRM_NS,
            tries: 1,
            fragment: Vec::new(),
        };
        self.sessions[session].pending = Some(pending);
        let indications = self.indications(session, 0, now_ns);
        let head = [0xf0 | sequence, fc::UNSOLICITED, indications[0], indications[1]];
        let fragment = [head.as_slice(), &objects].concat();
        self.send(session, &fragment, true, outcome);
        if let Some(pending) = &mut self.sessions[session].pending {
            pending.fragment = fragment;
        }
    }

    /// Time passes or the process moved: new events, unsolicited responses, missing confirmations.
    pub(crate) fn observe(&mut self, view: &View<'_>, now_ns: u64, outcome: &mut Outcome) {
        self.collect(view, now_ns);
        for index in 0..self.sessions.len() {
            let session = &mut self.sessions[index];
            if session.connection == u32::MAX {
                continue;
            }
            match &mut session.pending {
                Some(pending) if now_ns < pending.deadline_ns => {}
                Some(pending) if pending.unsolicited && pending.tries < MOST_TRIES => {
                    pending.tries += 1;
                    pending.deadline_ns = now_ns + CONFIRM_NS;
                    let fragment = pending.fragment.clone();
                    self.send(index, &fragment, true, outcome);
                }
                Some(_) => session.pending = None,
                None if self.unsolicited && session.enabled.contains(&true) => {
                    let (objects, events) = session.report(session.enabled, 20);
                    if !events.is_empty() {
                        self.send_unsolicited(index, objects, events, now_ns, outcome);
                    }
                }
                None => {}
            }
        }
    }

    fn collect(&mut self, view: &View<'_>, now_ns: u64) {
        const OBJECTS: [(u8, u8); 3] = [(2, 2), (32, 3), (22, 5)];
        for (list, object) in OBJECTS.into_iter().enumerate() {
            for index in 0..self.reported[list].len() {
                let value = self.value(self.list(list)[index], view);
                let before = self.reported[list][index];
                let band = match list {
                    0 => 0.0,
                    1 => (before.abs() * 0.03).max(3.0),
                    _ => 100.0,
                };
                // Every operation of a breaker is told; energy only every 100 kWh.
                let counts = matches!(self.list(list)[index], Source::Grid(Quantity::Operations(_), _));
                if (value - before).abs() <= if counts { 0.0 } else { band } {
                    continue;
                }
                self.reported[list][index] = value;
                let event = Event {
                    class: list as u8 + 1,
                    object,
                    index: index as u16,
                    value,
                    time_ms: now_ns / 1_000_000,
                };
                let capacity = self.capacity;
                self.sessions.iter_mut().for_each(|s| s.push(event, capacity));
            }
        }
    }

    /// An unsolicited response with one invented event, whatever was enabled: for a storm.
    pub(crate) fn storm(&mut self, now_ns: u64, outcome: &mut Outcome) {
        for session in 0..self.sessions.len() {
            if self.sessions[session].connection == u32::MAX {
                continue;
            }
            let sequence = self.sessions[session].unsolicited_sequence;
            self.sessions[session].unsolicited_sequence = (sequence + 1) & 15;
            let state = if self.prng.chance(50) { 0x81 } else { 0x01 };
            let time = (now_ns / 1_000_000).to_le_bytes();
            let mut fragment = vec![0xf0 | sequence, fc::UNSOLICITED, 0, 0, 2, 2, 0x17, 1, 0, state];
            fragment.extend_from_slice(&time[..6]);
            self.send(session, &fragment, true, outcome);
        }
    }
}
