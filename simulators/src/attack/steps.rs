//! What an attack consists of.

/// A host and a port.
pub(super) type Place = (u32, u16);

/// One step.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Nothing for so many nanoseconds.
    Wait(u64),
    /// Send on a connection to there, opened if need be; wait for the answer or a while.
    Ask(Place, Vec<u8>),
    /// Send without waiting.
    Tell(Place, Vec<u8>),
    /// IEC 104: send an ASDU, numbered, when transfer is on; wait for an answer or a while.
    Asdu(Place, Vec<u8>),
    /// IEC 104: the actor, a master, stops the transfer with the target, or begins it again.
    Transfer { client: u32, station: usize, on: bool },
    /// A frame that a GOOSE publisher did not send, the first, second, ... of an attack of this length.
    Goose { publisher: usize, number: u32, until: u64 },
    /// Open a connection and reset it at once.
    Probe(Place),
    /// Close the connection.
    Close,
    /// The target reports something else from now on: the process times this, or as it is now.
    Spoof { station: usize, factor: Option<f64> },
    /// The target reports the truth again.
    Honest { station: usize },
    /// The outstation reports one invented event to everybody.
    Storm { station: usize },
    /// Forge answers of a station to a host until then.
    Inject { client: u32, station: usize, until: u64 },
    /// Send the station's recorded commands again.
    Replay { station: usize },
    /// Two ARP answers that are lies; traffic between the two passes the attacker.
    Poison { client: u32, station: usize },
    /// Two ARP answers that are true again.
    Heal { client: u32, station: usize },
    /// Reset the connection between the two.
    Reset { client: u32, station: usize },
    /// A decoy that dies on its way, then the real bytes at the same place of the stream.
    Overlap { place: Place, decoy: Vec<u8>, real: Vec<u8> },
}
