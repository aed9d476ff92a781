//! What the sensor could not see, told when it happens.
//!
//! Counters alone are read when somebody looks; an event is there afterwards, too. Each kind of blindness
//! is told at the first whole second of packet time after it first occurs, and then whenever its count has
//! doubled: loud, but not a flood that an attacker could make out of it.

use parsers::Timestamp;

use crate::monitor::Forgotten;
use crate::pipeline::Blind;

/// A kind of blindness: its name in events, and what it means, with `{s}` for the ending of the plural.
const KINDS: [(&str, &str); 19] = [
    (
        "tap_silent",
        "time{s} no packet came from any host for far longer than ever before: is the tap still connected? No \
         station is blamed for its silence in that time",
    ),
    ("frames_truncated", "frame{s} cut by the snap length: what was carried is seen in part"),
    ("undecodable_frames", "frame{s} of which nothing could be made"),
    ("fragments_lost", "IP datagram{s} given up because fragments were missing or too many"),
    ("duplicates_forgotten", "packet{s} forgotten so soon that copies are judged again"),
    (
        "hosts_forgotten",
        "time{s} a host or what it does was judged without memory because the inventory was full",
    ),
    ("stream_gaps", "hole{s} in TCP streams: octets the tap never saw"),
    ("one_way_flows", "flow{s} of which only one direction is seen: is the tap connected to both?"),
    ("flows_evicted", "flow{s} given up because the flow table was full"),
    ("reassembly_overflow", "stream{s} of which more had to be held back than the limits allow"),
    (
        "selects_forgotten",
        "select{s} not remembered because the table was full: what is operated next is not judged",
    ),
    ("associations_forgotten", "operation{s} judged without memory because the table of pairs was full"),
    ("polls_unfollowed", "operation{s} whose rhythm is not followed because there was no room"),
    ("scans_unwatched", "operation{s} between hosts not watched for scans because there was no room"),
    ("control_points_forgotten", "commanded point{s} followed without memory because there was no room"),
    ("controls_cut_short", "control{s} whose outcome was not waited for because too many were under way"),
    ("publishers_unfollowed", "message{s} of publishers judged without memory because there was no room"),
    ("stations_untold", "time{s} a new station answered that was not told of because the table was full"),
    (
        "restarts_forgotten",
        "command{s} to restart a station forgotten because too many stations were restarted: a restart that \
         was commanded may be told as one that was not",
    ),
];
/// Where the counts of flows begin in [`KINDS`].
const FLOWS: usize = 6;
/// Where the counts of the detections' tables begin.
const TABLES: usize = 10;
const UNTOLD: usize = 17;
const RESTARTS: usize = 18;

/// Something to tell.
#[derive(Debug, Copy, Clone)]
pub struct News {
    /// Packet time.
    pub at: Timestamp,
    /// Name of the event.
    pub what: &'static str,
    /// How often so far.
    pub count: u64,
    /// What it means; `{s}` is the ending of the plural.
    pub meaning: &'static str,
}

/// What there is and what has been told.
#[derive(Debug, Default)]
pub struct Blindspots {
    counts: [u64; KINDS.len()],
    told: [u64; KINDS.len()],
    /// Something is new since this act.
    fresh: Option<(u64, Timestamp)>,
}

impl Blindspots {
    /// What a shard could not see or hold since the last time, at the second that is this act.
    pub fn shard(&mut self, act: u64, now: Timestamp, flows: &Blind, tables: &Forgotten) {
        let (_, counts) = self.counts.split_at_mut(FLOWS);
        for (count, fresh) in counts.iter_mut().zip(flows.iter().chain(tables)) {
            *count += fresh;
        }
        self.fresh = Some((act, now));
    }

    /// What the reading thread could not see so far.
    pub fn front(&mut self, act: u64, now: Timestamp, counts: &[u64; FLOWS]) {
        self.counts[..FLOWS].copy_from_slice(counts);
        self.fresh = Some((act, now));
    }

    /// Stations that were not told of so far.
    pub fn untold(&mut self, now: Timestamp, count: u64) {
        self.counts[UNTOLD] = count;
        self.fresh.get_or_insert((0, now));
    }

    /// Commands to restart that were forgotten so far.
    pub fn restarts_forgotten(&mut self, now: Timestamp, count: u64) {
        if core::mem::replace(&mut self.counts[RESTARTS], count) != count {
            self.fresh.get_or_insert((0, now));
        }
    }

    /// The next thing to tell, if all that is new belongs to acts before `act`.
    pub fn next(&mut self, act: u64) -> Option<News> {
        let (_, at) = self.fresh.filter(|(fresh, _)| *fresh < act)?;
        for ((told, count), (what, meaning)) in self.told.iter_mut().zip(self.counts).zip(KINDS) {
            if count == 0 || (*told > 0 && count < told.saturating_mul(2)) {
                continue;
            }
            *told = count;
            return Some(News { at, what, count, meaning });
        }
        self.fresh = None;
        None
    }
}

const _: () = assert!(FLOWS + size_of::<Blind>() / size_of::<u64>() == TABLES && TABLES + 7 == UNTOLD);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_is_told_when_its_second_is_over_and_again_when_it_has_doubled() {
        let mut spots = Blindspots::default();
        let mut told = |gaps: u64, act: u64| {
            spots.shard(act, Timestamp(act), &[gaps, 0, 0, 0], &[0; 7]);
            assert!(spots.next(act).is_none(), "other shards may have more of the same second");
            let news = spots.next(act + 1).map(|news| (news.what, news.count, news.at.0));
            assert!(spots.next(act + 1).is_none());
            news
        };
        assert_eq!(told(1, 5), Some(("stream_gaps", 1, 5)));
        assert_eq!(told(0, 6), None);
        assert_eq!(told(1, 7), Some(("stream_gaps", 2, 7)));
        assert_eq!(told(1, 8), None);
        assert_eq!(told(1, 9), Some(("stream_gaps", 4, 9)));
    }
}
