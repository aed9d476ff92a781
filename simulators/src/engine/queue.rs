//! What will happen, in order of time; what happens at the same time, in the order it was planned.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use tokio::sync::oneshot;

use crate::grid::Control;
use crate::wire::Side;

/// Something that happens.
#[derive(Debug)]
pub(crate) enum Event {
    /// Time passes for the process and the outstations.
    Tick,
    /// An application hands bytes to its end of a connection.
    Send { conn: u32, from: Side, bytes: Vec<u8> },
    /// Bytes reach the other end, in so many segments.
    Arrive { conn: u32, to: Side, bytes: Vec<u8>, segments: u8 },
    /// A lost segment is sent again.
    Resend { conn: u32, from: Side, seq: u32, bytes: Vec<u8> },
    /// A delayed acknowledgement is due.
    Ack { conn: u32, side: Side },
    /// A step of opening or closing.
    Tcp { conn: u32, step: Step },
    /// An answer to an ARP request.
    ArpReply { from: u32, to: u32 },
    /// A poll is due.
    Poll { link: u32, poll: u32, round: u64 },
    /// The next request may go out.
    Next { link: u32 },
    /// A request has waited long enough.
    Timeout { link: u32, serial: u64 },
    /// A link opens its connection.
    Connect { link: u32 },
    /// A link closes its connection, to open it again.
    Reopen { link: u32 },
    /// A link closes its connection for now.
    HangUp { link: u32 },
    /// An operator acts.
    Act { master: u32, action: u32 },
    /// A master goes out of service, or comes back.
    Outage { master: u32, outage: u32, begins: bool },
    /// The process obeys.
    Effect(Control),
    /// A GOOSE publisher repeats; void when it has planned another time since.
    Publish { publisher: u32, due: u64 },
    /// Publishers look at the process.
    Look,
    /// Timers of one end of an IEC 104 connection; void when another time was planned since.
    Alarm { conn: u32, side: Side, due: u64 },
    /// A fault trips a breaker.
    Fault(u32),
    /// A host asks something that has nothing to do with control.
    Noise(u32),
    /// A host sends a datagram.
    Datagram { from: u32, to: u32, ports: (u16, u16), payload: Vec<u8> },
    /// An attack goes on.
    Attack { attack: u32 },
    /// A forged answer goes out.
    Forged { conn: u32, attack: u32, bytes: Vec<u8> },
    /// An answer did not come in time.
    AttackTimeout { attack: u32, serial: u64 },
    /// Live: the answer of a Modbus station goes to its connection.
    Reply { to: oneshot::Sender<Vec<u8>>, pdu: Vec<u8> },
}

/// A step of opening or closing a connection, where it is felt.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// The client asks.
    Syn,
    /// The question reached the server.
    AtServer,
    /// The answer reached the client.
    AtClient,
    /// Refused.
    Refused,
    /// The last of the three reached the server.
    Established,
    /// This side closes.
    Close(Side),
    /// One side has finished: felt by the other.
    Fin(Side),
    /// Both have: felt by the first.
    LastAck(Side),
    /// Reset: felt by this side.
    Reset(Side),
}

#[derive(Debug)]
struct Entry {
    at: u64,
    serial: u64,
    event: Event,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        (self.at, self.serial) == (other.at, other.serial)
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    /// The earliest is the greatest: it comes out of the heap first.
    fn cmp(&self, other: &Entry) -> Ordering {
        (other.at, other.serial).cmp(&(self.at, self.serial))
    }
}

#[derive(Debug, Default)]
pub(crate) struct Queue {
    heap: BinaryHeap<Entry>,
    serial: u64,
}

impl Queue {
    pub(crate) fn push(&mut self, at: u64, event: Event) {
        self.serial += 1;
        self.heap.push(Entry { at, serial: self.serial, event });
    }

    /// When the next event happens.
    pub(crate) fn next_at(&self) -> Option<u64> {
        self.heap.peek().map(|entry| entry.at)
    }

    pub(crate) fn pop(&mut self) -> Option<(u64, Event)> {
        self.heap.pop().map(|entry| (entry.at, entry.event))
    }
}
