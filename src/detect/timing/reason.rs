//! Why a master may ask for everything out of turn.
//!
//! IEEE 1815: a master begins with an integrity poll on a connection that it opens, and asks for one again when
//! the outstation indicates a restart (IIN1.7) or an overflow of its event buffer (IIN2.3), and when answers
//! failed to come. IEC 60870-5-104: it interrogates a station behind a start of transfer, and when the station says that it
//! has been initialised (M_EI_NA_1). Each of these explains one integrity poll, the next one, whatever the beat of the others.

use parsers::{Operation, PointKind, Protocol};

/// A request without an answer for so long has timed out; before, it may be one of several under way.
const TIMED_OUT_NS: u64 = 1_000_000_000;
/// First octet of the internal indications: device restart.
const RESTART: u8 = 0x80;
/// Second octet: event buffer overflow.
const OVERFLOW: u8 = 0x08;

/// C_IC_NA_1 with the qualifier of a station interrogation.
const STATION_INTERROGATION: (u8, Option<u16>) = (100, Some(20));
/// M_EI_NA_1: end of initialisation.
const INITIALISED: u8 = 70;
/// The number that stands for U frames that are operations: transfer is stopped.
const STOPPED: u8 = 0;

/// Whether a reason has come up since the last integrity poll, and what is needed to see one.
#[derive(Debug, Default)]
pub(super) struct Reasons {
    /// The newest flow of the pair.
    flow: Option<u64>,
    /// What the last answer indicated. A station shows a restart until it is told to clear it: only the
    /// change is news.
    indicated: Option<[bool; 2]>,
    due: bool,
}

/// A read of class 0, alone or with the events; a station interrogation: everything that the station has.
pub(super) fn is_integrity(operation: &Operation<'_>) -> bool {
    match operation.protocol {
        Protocol::Dnp3 => {
            operation.ranges.iter().any(|range| range.kind() == PointKind::ClassData && range.first() == 0)
        }
        Protocol::Iec104 => (operation.function.code, operation.function.sub) == STATION_INTERROGATION,
        _ => false,
    }
}

impl Reasons {
    /// An answer or a report of the station.
    #[inline]
    pub(super) fn told(&mut self, operation: &Operation<'_>) {
        if operation.protocol != Protocol::Dnp3 {
            self.due |= operation.protocol == Protocol::Iec104 && operation.function.code == INITIALISED;
            return;
        }
        let Some(&[_, _, first, second, ..]) = operation.detail.octets().first_chunk::<4>() else { return };
        let now = [first & RESTART != 0, second & OVERFLOW != 0];
        let before = self.indicated.replace(now);
        self.due |= before.is_some_and(|before| (0..2).any(|n| now[n] && !before[n]));
    }

    /// A request of the master, and for how long the one before has been without an answer.
    #[inline]
    pub(super) fn asked(&mut self, operation: &Operation<'_>, waiting_ns: u64) {
        let flow = operation.flow.id;
        let opened = self.flow.is_some_and(|newest| flow > newest);
        self.flow = self.flow.max(Some(flow));
        let stopped = operation.protocol == Protocol::Iec104 && operation.function.code == STOPPED;
        self.due |= opened || stopped || waiting_ns >= TIMED_OUT_NS;
    }

    /// An integrity poll: whether there was a reason for one. It is used up.
    pub(super) fn take(&mut self) -> bool {
        core::mem::take(&mut self.due)
    }
}
