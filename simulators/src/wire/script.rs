//! What is said in a conversation, and what the network does to it.

/// Who speaks.
#[derive(Debug, Clone, Copy, Eq, PartialEq, Hash)]
pub enum Side {
    /// Who opened the connection.
    Client,
    /// Who was called.
    Server,
}

impl Side {
    pub(super) fn index(self) -> usize {
        usize::from(self == Side::Server)
    }
}

/// One utterance.
#[derive(Debug, Clone)]
pub struct Line {
    /// Who speaks.
    pub from: Side,
    /// What.
    pub bytes: Vec<u8>,
    /// Nanoseconds after the line before.
    pub delay_ns: u64,
}

impl Line {
    /// The client speaks, a millisecond after the line before.
    pub fn client(bytes: impl Into<Vec<u8>>) -> Line {
        Line { from: Side::Client, bytes: bytes.into(), delay_ns: 1_000_000 }
    }

    /// The server speaks, a millisecond after the line before.
    pub fn server(bytes: impl Into<Vec<u8>>) -> Line {
        Line { from: Side::Server, ..Line::client(bytes) }
    }

    /// The same after another delay.
    pub fn after(self, delay_ns: u64) -> Line {
        Line { delay_ns, ..self }
    }
}

/// How lines are cut into segments.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub enum Segmentation {
    /// A segment a line, unless it is longer than 1460 octets.
    Lines,
    /// Segments of this size at most.
    Size(usize),
    /// Segments of 1 to this many octets, at random.
    Random(usize),
}

/// Segments sent again with other bounds.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub enum Overlap {
    /// None.
    None,
    /// The repeated octets are the same.
    Consistent,
    /// The repeated octets differ: evasion.
    Conflicting,
}

/// What the network does to a conversation.
#[derive(Debug, Clone, Copy)]
pub struct Disturbance {
    /// Everything random depends on this.
    pub seed: u64,
    /// How lines are cut.
    pub segmentation: Segmentation,
    /// Segments change places within a window of this many frames; 0 or 1 keeps the order.
    pub window: usize,
    /// Percentage of data segments seen twice.
    pub duplicate_percent: u8,
    /// Percentage of data segments that the tap never sees.
    pub drop_percent: u8,
    /// Overlapping segments.
    pub overlap: Overlap,
}

impl Default for Disturbance {
    fn default() -> Disturbance {
        Disturbance {
            seed: 0,
            segmentation: Segmentation::Lines,
            window: 0,
            duplicate_percent: 0,
            drop_percent: 0,
            overlap: Overlap::None,
        }
    }
}
