//! What learning may remember. An attacker chooses every byte of a capture, so everything has a limit; what
//! did not fit is counted, told on the terminal and written at the head of the profile.

/// Pairs of client and station (with protocol, port and station address). What is learned of all of them still
/// makes a profile that can be read.
pub(super) const PAIRS: usize = 16_384;

/// Functions of a pair, counted with their sub-functions.
pub(super) const FUNCTIONS_OF_PAIR: usize = 64;

/// Different point ranges asked for by one function of a pair. A sweep asks for more.
pub(super) const RANGES_OF_FUNCTION: usize = 1024;

/// Point ranges of all pairs together.
pub(super) const RANGES: usize = 131_072;

/// Written points of a pair.
pub(super) const WRITTEN_OF_PAIR: usize = 4096;

/// Written points of all pairs together.
pub(super) const WRITTEN: usize = 16_384;

/// Points of a pair of which the values that are read are followed one by one.
pub(super) const READ_OF_PAIR: usize = 256;

/// The same of all pairs together.
pub(super) const READ: usize = 16_384;

/// Ways in which control blocks are published: reference, sender, destination and APPID.
pub(super) const PUBLISHERS: usize = 4096;

/// Times between requests that are kept of one range of a function; of more, every second, then every
/// fourth and so on is kept.
pub(super) const INTERVALS: usize = 64;

/// What could not be remembered.
#[derive(Debug, Clone, Copy, Default, Eq, PartialEq)]
pub struct Overflow {
    /// Operations of pairs beyond [`PAIRS`].
    pub pairs: u64,
    /// Requests with functions beyond [`FUNCTIONS_OF_PAIR`].
    pub functions: u64,
    /// Ranges asked for beyond [`RANGES_OF_FUNCTION`] or [`RANGES`].
    pub ranges: u64,
    /// Written values of points beyond [`WRITTEN_OF_PAIR`] or [`WRITTEN`].
    pub written: u64,
    /// Packets of services of hosts beyond [`PAIRS`].
    pub services: u64,
    /// Messages of publishers beyond [`PUBLISHERS`].
    pub publishers: u64,
}

impl Overflow {
    /// What did not fit, in words; nothing when all did.
    pub fn lines(&self) -> Vec<String> {
        let rows = [
            (self.pairs, "operations of pairs of client and station", PAIRS),
            (self.functions, "requests with functions", FUNCTIONS_OF_PAIR),
            (self.ranges, "point ranges", RANGES_OF_FUNCTION),
            (self.written, "written values of points", WRITTEN_OF_PAIR),
            (self.services, "packets of services of hosts", PAIRS),
            (self.publishers, "GOOSE messages of publishers", PUBLISHERS),
        ];
        rows.iter()
            .filter(|row| row.0 > 0)
            .map(|(count, what, limit)| {
                format!("{count} {what} beyond the limit of {limit} were not looked at")
            })
            .collect()
    }
}
