//! What the sensor could not see, told when it happens.
//!
//! Counters alone are read when somebody looks; an event is there afterwards, too. Each kind of blindness
//! is told when it first occurs and then whenever its count has doubled: loud, but not a flood that an
//! attacker could make out of it.

use parsers::Timestamp;

use crate::decap::DecapCounters;
use crate::flow::FlowCounters;
use crate::pipeline::FrameCounters;
use crate::report::record::SensorEvent;
use crate::report::sinks::Sinks;

/// A kind of blindness: its name in events, and what it means.
const KINDS: [(&str, &str); 11] = [
    (
        "tap_silent",
        "times no packet came from any host for far longer than ever before: is the tap still connected? No \
         station is blamed for its silence in that time",
    ),
    ("frames_truncated", "frames cut by the snap length: what they carried is seen in part"),
    ("stream_gaps", "holes in TCP streams: octets the tap never saw"),
    ("one_way_flows", "flows of which only one direction is seen: is the tap connected to both?"),
    ("flows_evicted", "flows given up because the flow table was full"),
    ("reassembly_overflow", "streams of which more had to be held back than the limits allow"),
    ("undecodable_frames", "frames of which nothing could be made"),
    ("fragments_lost", "IP datagrams given up because fragments were missing or too many"),
    ("selects_forgotten", "selects not remembered because the table was full: their operates are not judged"),
    ("stations_untold", "times a new station answered that was not told of because the table was full"),
    ("duplicates_forgotten", "packets forgotten so soon that a copy of them is judged again"),
];

/// What has been told.
#[derive(Debug, Default)]
pub struct Blindspots {
    told: [u64; KINDS.len()],
}

impl Blindspots {
    /// Tell what is new. `forgotten`: selects, stations and packets that full tables could not remember.
    pub fn tell(
        &mut self,
        now: Timestamp,
        frames: &FrameCounters,
        decap: &DecapCounters,
        flow: &FlowCounters,
        forgotten: [u64; 3],
        sinks: &mut Sinks,
    ) {
        let counts = [
            frames.pauses,
            frames.truncated,
            flow.gaps,
            flow.one_way_flows,
            flow.closed_evicted,
            flow.tail_overflows + flow.held_overflows,
            decap.undecodable,
            decap.fragments_expired + decap.fragments_evicted + decap.fragments_limit,
            forgotten[0],
            forgotten[1],
            forgotten[2],
        ];
        for ((told, count), (what, meaning)) in self.told.iter_mut().zip(counts).zip(KINDS) {
            if count == 0 || (*told > 0 && count < told.saturating_mul(2)) {
                continue;
            }
            *told = count;
            sinks.sensor(&SensorEvent {
                at: now,
                what,
                capture: None,
                message: format_args!("{count} {meaning}"),
                figures: &[("count", count)],
            });
        }
    }
}
