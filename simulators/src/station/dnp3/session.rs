//! What an outstation keeps for one master.

use std::collections::VecDeque;

use crate::encode::dnp3::{Header, Prefix, Range, Sample, object};
use crate::value::Value;

/// Most events in one response: they fit into a fragment of 2048 octets.
pub(super) const MOST_EVENTS: usize = 120;

/// A change of a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Event {
    /// 1 to 3.
    pub(super) class: u8,
    /// Object group and variation it is reported as.
    pub(super) object: (u8, u8),
    pub(super) index: u16,
    pub(super) value: f64,
    pub(super) time_ms: u64,
}

/// A response that waits for its confirmation.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub(super) unsolicited: bool,
    pub(super) sequence: u8,
    /// Events reported in it, from the front of the buffer by their numbers.
    pub(super) events: Vec<u64>,
    pub(super) deadline_ns: u64,
    pub(super) tries: u8,
    /// The fragment, to be sent again.
    pub(super) fragment: Vec<u8>,
}

/// A selection.
#[derive(Debug, Clone)]
pub(super) struct Selected {
    pub(super) sequence: u8,
    pub(super) objects: Vec<u8>,
    pub(super) until_ns: u64,
}

/// What an outstation keeps for one master.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// Link address of the master.
    pub(super) master: u16,
    pub(super) connection: u32,
    /// Unsolicited responses by class.
    pub(super) enabled: [bool; 3],
    /// Takes part in events: has asked for them once.
    pub(super) interested: bool,
    pub(super) events: VecDeque<(u64, Event)>,
    pub(super) next_event: u64,
    pub(super) overflow: bool,
    pub(super) unsolicited_sequence: u8,
    pub(super) transport: u8,
    pub(super) pending: Option<Pending>,
    pub(super) selected: Option<Selected>,
    /// Fragments of a long response that follow after confirmation.
    pub(super) rest: VecDeque<Vec<u8>>,
    pub(super) null_sent: bool,
    pub(super) broadcast: bool,
}

impl Session {
    pub(super) fn new(master: u16, connection: u32) -> Session {
        Session {
            master,
            connection,
            enabled: [false; 3],
            interested: false,
            events: VecDeque::new(),
            next_event: 0,
            overflow: false,
            unsolicited_sequence: 0,
            transport: 0,
            pending: None,
            selected: None,
            rest: VecDeque::new(),
            null_sent: false,
            broadcast: false,
        }
    }

    pub(super) fn push(&mut self, event: Event, capacity: usize) {
        if !self.interested {
            return;
        }
        if self.events.len() >= capacity {
            self.events.pop_front();
            self.overflow = true;
        }
        self.events.push_back((self.next_event, event));
        self.next_event += 1;
    }

    /// Indications of events that are not on their way.
    pub(super) fn class_bits(&self) -> u8 {
        let under_way = |number: &u64| self.pending.as_ref().is_some_and(|p| p.events.contains(number));
        let open = self.events.iter().filter(|(number, _)| !under_way(number));
        open.fold(0, |bits, (_, event)| bits | (super::iin::CLASS_1 << (event.class - 1)))
    }

    /// Up to `most` events of these classes as objects, and their numbers.
    pub(super) fn report(&self, classes: [bool; 3], most: usize) -> (Vec<u8>, Vec<u64>) {
        let wanted = |event: &Event| classes[usize::from(event.class - 1)];
        let chosen: Vec<&(u64, Event)> =
            self.events.iter().filter(|(_, e)| wanted(e)).take(most.min(MOST_EVENTS)).collect();
        let mut out = Vec::with_capacity(16 + 12 * chosen.len());
        // One header for each run of the same object.
        for run in chosen.chunk_by(|a, b| a.1.object == b.1.object) {
            let (group, variation) = run[0].1.object;
            let header = Header::prefixed(group, variation, Prefix::Index8, Range::Count8(run.len() as u8));
            out.extend_from_slice(&header.encode());
            for (_, event) in run {
                out.push(event.index as u8);
                out.extend_from_slice(&object(group, variation, &sample(event)));
            }
        }
        (out, chosen.iter().map(|(number, _)| *number).collect())
    }

    /// The master has them.
    pub(super) fn forget(&mut self, numbers: &[u64]) {
        self.events.retain(|(number, _)| !numbers.contains(number));
        if self.events.is_empty() {
            self.overflow = false;
        }
    }
}

fn sample(event: &Event) -> Sample {
    let value = match event.object.0 {
        2 | 11 => Value::Bit(event.value > 0.5),
        22 => Value::Unsigned(event.value as u64),
        _ => Value::Signed(event.value as i64),
    };
    Sample { value, flags: 1, status: 0, time_ms: event.time_ms, base_ms: 0 }
}
