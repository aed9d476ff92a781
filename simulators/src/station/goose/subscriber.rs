//! An IED that listens: it follows the state number of one control block, and trips.

use crate::encode::goose::Heard;

/// A subscriber.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listening {
    pub(crate) control_block: String,
    pub(crate) appid: u16,
    /// Breaker it opens.
    pub(crate) breaker: usize,
    state: u32,
    sequence: u32,
    /// What was heard holds until then.
    until: u64,
    tripped: bool,
}

impl Listening {
    /// Listens to nothing yet.
    pub(crate) fn new(control_block: &str, appid: u16, breaker: usize) -> Listening {
        Listening { control_block: control_block.to_owned(), appid, breaker, ..Listening::default() }
    }

    /// A frame came. True when it says trip and has not said so before.
    ///
    /// As most devices do it believes any source: a state number below the last one is old and ignored, as
    /// long as what was heard before has not expired; simulated frames are ignored.
    pub(crate) fn hear(&mut self, heard: &Heard, now: u64) -> bool {
        if heard.control_block != self.control_block || heard.appid != self.appid || heard.simulation {
            return false;
        }
        let fresh = (heard.state, heard.sequence) > (self.state, self.sequence);
        if !fresh && now < self.until {
            return false;
        }
        (self.state, self.sequence) = (heard.state, heard.sequence);
        self.until = now + u64::from(heard.time_allowed_to_live) * 1_000_000;
        let trip = heard.data.starts_with(&[0x83, 1]) && heard.data.get(2).is_some_and(|octet| *octet != 0);
        let begins = trip && !self.tripped;
        self.tripped = trip;
        begins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn frame(state: u32, sequence: u32, trip: bool) -> Heard {
        Heard {
            control_block: "A".to_owned(),
            state,
            sequence,
            time_allowed_to_live: 100,
            data: vec![0x83, 1, if trip { 0xff } else { 0 }],
            ..Heard::default()
        }
    }

    #[test]
    fn a_trip_counts_once_and_what_is_old_does_not_count_until_it_expires() {
        let mut ied = Listening::new("A", 0, 0);
        assert!(!ied.hear(&frame(5, 1, false), 0));
        assert!(ied.hear(&frame(6, 0, true), MS));
        assert!(!ied.hear(&frame(6, 1, true), 2 * MS), "said already");
        assert!(!ied.hear(&frame(7, 0, false), 3 * MS));
        assert!(!ied.hear(&frame(6, 0, true), 4 * MS), "a replay");
        assert!(ied.hear(&frame(6, 0, true), 104 * MS), "nothing else holds any more");
    }

    #[test]
    fn a_forged_high_number_shuts_the_true_publisher_out() {
        let mut ied = Listening::new("A", 0, 0);
        ied.hear(&frame(5, 1, false), 0);
        assert!(ied.hear(&frame(9000, 0, true), MS), "believed");
        ied.hear(&frame(9001, 0, false), 2 * MS);
        assert!(!ied.hear(&frame(6, 0, true), 3 * MS), "the true trip is not heard");
        assert!(!ied.hear(&Heard { control_block: "B".to_owned(), ..frame(9002, 0, true) }, 4 * MS));
        assert!(!ied.hear(&Heard { simulation: true, ..frame(9002, 0, true) }, 4 * MS));
    }
}
