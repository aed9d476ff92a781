//! Transport function, IEEE 1815 clause 8: segments become fragments.
//!
//! ```text
//! | FIN(7) FIR(6) SEQ(5-0) | up to 249 octets of the fragment |
//! ```
//! The two bits stand the other way round than in the application control octet.

use crate::contract::{Origin, Timestamp};

/// The transport octet.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) struct Header(pub u8);

impl Header {
    pub(super) fn fin(self) -> bool {
        self.0 & 0x80 != 0
    }
    pub(super) fn fir(self) -> bool {
        self.0 & 0x40 != 0
    }
    pub(super) fn sequence(self) -> u8 {
        self.0 & 0x3F
    }
}

/// What became of a segment.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Outcome {
    /// The segment is a whole fragment by itself; nothing was copied.
    Whole,
    /// It completed the series: the fragment is in [`Series::fragment`].
    Complete,
    /// It was put behind the others, or repeated the one before.
    Waiting,
    /// It belongs to no series, and nobody could have expected more.
    Tolerated,
    /// It belongs to no series: FIR is missing.
    NoSeries,
    /// Its number does not follow; the series was given up.
    OutOfSequence {
        /// The number that would have followed.
        expected: u8,
    },
    /// The fragment grew beyond the limit; the series was given up.
    TooLong,
}

#[derive(Debug, Copy, Clone, Eq, PartialEq)]
enum State {
    /// The beginning was not seen, so segments without FIR are no wonder.
    Unknown,
    /// No series is open.
    Idle,
    /// A series is open.
    Open,
    /// The series was given up; its remaining segments are expected and of no use.
    GivenUp,
}

/// The open series of one sender to one receiver.
pub(super) struct Series {
    state: State,
    /// Segments so far, without their transport octets. Stays after the last one, to know a repetition.
    octets: Vec<u8>,
    /// Where the last segment begins in `octets`.
    last: usize,
    /// The last segment's transport octet.
    header: Header,
    /// Frames of the segments so far.
    pub origin: Origin,
    /// Whether any segment was found after resynchronising.
    pub recovered: bool,
    /// That it does not go on was reported.
    told: bool,
}

impl Series {
    /// A series that was watched from its beginning, or not.
    pub(super) fn new(from_the_beginning: bool) -> Series {
        Series {
            state: if from_the_beginning { State::Idle } else { State::Unknown },
            octets: Vec::new(),
            last: 0,
            header: Header(0),
            origin: Origin::default(),
            recovered: false,
            told: false,
        }
    }

    /// Take a segment. The flag says whether a FIR cut an unfinished series off.
    pub(super) fn push(
        &mut self,
        header: Header,
        segment: &[u8],
        limit: usize,
        (origin, recovered): (Origin, bool),
    ) -> (Outcome, bool) {
        if self.repeats(header, segment) {
            return (Outcome::Waiting, false);
        }
        if header.fir() {
            let cut_off = self.state == State::Open;
            self.octets.clear();
            if header.fin() {
                self.state = State::Idle;
                return (Outcome::Whole, cut_off);
            }
            self.begin(header, segment, limit);
            (self.origin, self.recovered) = (origin, recovered);
            let outcome = if self.state == State::Open { Outcome::Waiting } else { Outcome::TooLong };
            return (outcome, cut_off);
        }
        (self.go_on(header, segment, limit, (origin, recovered)), false)
    }

    /// A segment that says the same as the one before, under the same number.
    fn repeats(&self, header: Header, segment: &[u8]) -> bool {
        // A fragment of one segment is never kept, hence never taken for a repetition.
        !self.octets.is_empty()
            && matches!(self.state, State::Open | State::Idle)
            && header == self.header
            && self.octets.get(self.last..) == Some(segment)
    }

    fn begin(&mut self, header: Header, segment: &[u8], limit: usize) {
        self.state = State::Open;
        self.told = false;
        self.append(header, segment, limit);
    }

    fn append(&mut self, header: Header, segment: &[u8], limit: usize) -> bool {
        self.header = header;
        if self.octets.len() + segment.len() > limit {
            self.give_up();
            self.state = State::GivenUp;
            return false;
        }
        self.last = self.octets.len();
        self.octets.extend_from_slice(segment);
        true
    }

    fn go_on(
        &mut self,
        header: Header,
        segment: &[u8],
        limit: usize,
        (origin, recovered): (Origin, bool),
    ) -> Outcome {
        match self.state {
            State::Unknown => return Outcome::Tolerated,
            State::Idle => {
                self.octets.clear();
                return Outcome::NoSeries;
            }
            State::GivenUp => {
                if header.fin() {
                    self.state = State::Idle;
                }
                return Outcome::Tolerated;
            }
            State::Open => {}
        }
        let expected = (self.header.sequence() + 1) & 0x3F;
        if header.sequence() != expected {
            self.give_up();
            self.state = if header.fin() { State::Idle } else { State::GivenUp };
            return Outcome::OutOfSequence { expected };
        }
        if !self.append(header, segment, limit) {
            if header.fin() {
                self.state = State::Idle;
            }
            return Outcome::TooLong;
        }
        self.origin = self.origin.join(origin);
        self.recovered |= recovered;
        if !header.fin() {
            return Outcome::Waiting;
        }
        self.state = State::Idle;
        Outcome::Complete
    }

    fn give_up(&mut self) {
        self.octets.clear();
        self.last = 0;
    }

    /// When the last segment of an open series came; `None` if none is open, or was told of.
    pub(super) fn last_segment_at(&self) -> Option<Timestamp> {
        (self.state == State::Open && !self.told).then_some(self.origin.at)
    }

    /// That it does not go on has been reported.
    pub(super) fn told(&mut self) {
        self.told = true;
    }

    /// The octets so far.
    pub(super) fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Octets were lost: what was begun cannot be completed. True if something was.
    pub(super) fn interrupt(&mut self) -> bool {
        let open = self.state == State::Open;
        self.give_up();
        self.state = State::Unknown;
        open
    }

    /// Lend the octets out, so that the series' owner can be used meanwhile; give them back with
    /// [`Series::put_back`].
    pub(super) fn lend(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.octets)
    }

    /// Take the octets back.
    pub(super) fn put_back(&mut self, octets: Vec<u8>) {
        self.octets = octets;
    }

    /// Heap octets held.
    pub(super) fn memory(&self) -> usize {
        self.octets.capacity()
    }
}
