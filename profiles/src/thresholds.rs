//! Every threshold of the detections, once: its name in `[thresholds]`, its default, its unit, what it is
//! for. Defaults are those of the detection catalogue, section 12, unless the comment says otherwise.

macro_rules! thresholds {
    ($($name:ident: $unit:ident = $default:expr, $doc:literal;)+) => {
        /// Thresholds in force at a site.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Thresholds { $(#[doc = $doc] pub $name: f64,)+ }

        impl Default for Thresholds {
            fn default() -> Thresholds {
                Thresholds { $($name: $default,)+ }
            }
        }

        impl Thresholds {
            /// All of them, in the order of the table.
            pub const ALL: &'static [ThresholdInfo] = &[
                $(ThresholdInfo { name: stringify!($name), unit: Unit::$unit, default: $default,
                    doc: $doc },)+
            ];

            /// The value of the one with this name.
            #[must_use]
            pub fn get(&self, name: &str) -> Option<f64> {
                match name { $(stringify!($name) => Some(self.$name),)+ _ => None }
            }

            /// Set the one with this name. False if there is none.
            pub fn set(&mut self, name: &str, value: f64) -> bool {
                match name { $(stringify!($name) => self.$name = value,)+ _ => return false }
                true
            }
        }
    };
}

/// What a threshold is measured in.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub enum Unit {
    /// How many.
    Count,
    /// Seconds of packet time; durations in a profile are written as text (`"30 s"`, `"5 min"`).
    Seconds,
    /// A factor or a share.
    Ratio,
    /// Events in a second.
    PerSecond,
    /// Events in a minute.
    PerMinute,
}

/// One row of the table.
#[derive(Debug, Copy, Clone)]
pub struct ThresholdInfo {
    /// Key in `[thresholds]`.
    pub name: &'static str,
    /// Unit.
    pub unit: Unit,
    /// Value when nobody says otherwise.
    pub default: f64,
    /// What it is for.
    pub doc: &'static str,
}

thresholds! {
    answer_timeout: Seconds = 10.0, "SEQ-07: how long a request may stay unanswered.";
    blind_time: Seconds = 30.0, "Findings drawn from absence: how long after a hole in a stream, a loss of the tap or a late start no finding is drawn from what is absent; longer than the time-outs of the exchanges concerned.";
    select_timeout: Seconds = 10.0, "SEQ-01: how long a select is good for.";
    maintenance_overrun: Seconds = 86400.0, "POL-18: how long after its end a maintenance window is remembered, so that work that goes on is told as such.";
    missed_polls: Count = 3.0, "TIM-02, TIM-03: polls or answers missing in a row before a station counts as lost.";
    takeover_within: Seconds = 60.0, "TIM-02: how long a change-over between the masters of a redundancy group takes at most.";
    split_brain_within: Seconds = 10.0, "POL-19: commands to one station by two masters of a redundancy group so close together are no change-over.";
    silence_floor: Seconds = 5.0, "TIM-02, TIM-03: shortest silence that counts, however fast the polls.";
    poll_change_factor: Ratio = 1.5, "TIM-01: how many times slower or faster a poll must have become.";
    poll_change_deviations: Count = 8.0, "TIM-01: how many usual deviations (median) its period must have moved.";
    poll_change_floor: Seconds = 0.05, "TIM-01: by how much its period must have moved. Not in the catalogue: below, it is the load of the network.";
    latency_factor: Ratio = 3.0, "TIM-04: how many times slower answers must have become (95th percentile).";
    latency_floor: Seconds = 0.2, "TIM-04: answers quicker than this are never slow.";
    latency_time: Seconds = 300.0, "TIM-04: how long they must stay slow.";
    burst_factor: Ratio = 2.0, "TIM-05: how many times the most requests in a second make a burst.";
    burst_floor: PerSecond = 50.0, "TIM-05: requests in a second that are never a burst.";
    flood_unanswered: Count = 500.0, "TIM-05: requests within flood_unanswered_window, without any answer, that make a flood.";
    flood_unanswered_window: Seconds = 60.0, "TIM-05: the time for flood_unanswered.";
    rhythm_commands: Count = 5.0, "TIM-06: commands in a row that make a rhythm, at most 16.";
    rhythm_objects: Count = 3.0, "TIM-06: different objects among them.";
    rhythm_variation: Ratio = 0.1, "TIM-06: how much their spacing may vary to be a machine's.";
    rhythm_spacing: Seconds = 1.0, "TIM-06: commands further apart make no rhythm.";
    idle_master: Seconds = 2592000.0, "TIM-11: how long a master was silent, to be told when it comes back.";
    sweep_window: Seconds = 60.0, "REC-01, REC-02, REC-03: the time within which new things make a sweep.";
    sweep_learning: Seconds = 300.0, "REC-01, REC-02, REC-03, REC-04: where no profile names a host, what a master asks for in this time counts as usual.";
    sweep_functions: Count = 8.0, "REC-01: different functions, at least three of them unusual.";
    sweep_functions_refused: Count = 5.0, "REC-01: different functions refused as unknown.";
    sweep_points: Count = 20.0, "REC-02: new points, in at least sweep_requests requests; more than its rule allows, where a master asks with a function that the rule allows it.";
    sweep_requests: Count = 10.0, "REC-02: requests below which no number of points is a sweep: the profile tells of each by itself. Without a profile five, twenty in the slow form.";
    sweep_points_refused: Count = 10.0, "REC-02: different ranges refused as unknown.";
    sweep_points_day: Count = 50.0, "REC-02: slow form: new points within 24 hours.";
    sweep_stations: Count = 5.0, "REC-03, REC-05: new unit ids or link addresses.";
    host_learning: Seconds = 600.0, "REC-06, TOP-01, TOP-02, TOP-05, TOP-08, TOP-09: without a profile, hosts that come later than this after the beginning are new.";
    address_flood: Count = 1000.0, "TOP-07: new IP or Ethernet addresses within a minute.";
    arp_flips: Count = 3.0, "TOP-04: changes of an address in a row by ARP.";
    arp_flip_window: Seconds = 60.0, "TOP-04: the longest time between two of them.";
    arp_alive: Seconds = 60.0, "TOP-04: a device heard of within this time is alive: an answer by ARP in its name is no replacement.";
    scan_window: Seconds = 60.0, "REC-09, REC-13: the time within which targets make a scan.";
    scan_ports: Count = 10.0, "REC-09: different hosts and ports that refuse or do not answer.";
    scan_answer: Seconds = 3.0, "REC-09, DEN-07: how long a host may take to answer before a connection counts as left open.";
    scan_ports_day: Count = 30.0, "REC-09: slow form: the same within 24 hours.";
    scan_addresses: Count = 30.0, "REC-13: addresses that nobody has, asked for by ARP.";
    flood_half_open: Count = 200.0, "DEN-07: connections to one host left open within flood_window.";
    flood_connections: Count = 500.0, "DEN-07: connections to one host within flood_window.";
    flood_window: Seconds = 10.0, "DEN-07: the time in which connections to one host are counted.";
    traffic_left: Ratio = 0.1, "CAP-03: share of the quietest of traffic_minutes below which traffic has vanished.";
    traffic_minutes: Count = 10.0, "CAP-03: minutes that make what is usual, 1 to 60.";
    traffic_floor: Count = 600.0, "CAP-03: packets a minute below which nothing is said: a quiet network has quiet minutes.";
    clock_jump: Seconds = 1.0, "CAP-04: how far packet time of a tap may go back.";
    teardown_resets: Count = 3.0, "DEN-08: RST segments that do not fit their flow.";
    teardown_window: Seconds = 60.0, "DEN-08: the time for teardown_resets.";
    unsolicited_rate: PerSecond = 10.0, "DEN-09: unsolicited reports of one station's host, over unsolicited_window.";
    unsolicited_window: Seconds = 10.0, "DEN-09: the time in which unsolicited reports are counted.";
    selects_abandoned: Count = 3.0, "SEQ-02: selects without an operate, within selects_window between a master and a station, from which the severity is medium; below it is low.";
    selects_window: Seconds = 600.0, "SEQ-02: the time within which selects without an operate add up.";
    restart_explained: Seconds = 600.0, "restart_seen: how long after a command to restart a restart is no news.";
    session_takeover: Seconds = 5.0, "SEQ-16: how soon after the end of one master's connection another one that commands has taken it over.";
    contradiction_within: Seconds = 30.0, "SEQ-13: how soon after a command the opposite one contradicts it (the time of the mechanism).";
    command_rate: PerMinute = 3.0, "SEQ-14: switching commands to one point above which the severity is medium.";
    command_storm: PerMinute = 6.0, "SEQ-14: switching commands to one point above which the severity is critical.";
    time_set_tolerance: Seconds = 2.0, "SEQ-15: how far a time that is set may be from that of the packets.";
    operate_within: Seconds = 15.0, "VAL-05: how soon a point must follow an accepted command; three readings are waited for.";
    goose_silence: Seconds = 30.0, "GO-08: silence of a publisher from which the severity is high; from the time that its last message allowed it is low. Not in the catalogue: an IED that restarts takes that long.";
    goose_flood: PerSecond = 200.0, "GO-09: messages of one control block in a second that make a flood.";
    denial_chain: Seconds = 600.0, "DEN-13: how long after a restart, stop or silencing a control that is not allowed belongs to it.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_threshold_is_set_and_read_by_its_name() {
        let mut thresholds = Thresholds::default();
        for info in Thresholds::ALL {
            assert_eq!(thresholds.get(info.name), Some(info.default), "{}", info.name);
            assert!(thresholds.set(info.name, info.default + 1.0));
            assert_eq!(thresholds.get(info.name), Some(info.default + 1.0));
            assert!(!info.doc.is_empty());
        }
        assert!(!thresholds.set("no_such_thing", 1.0));
    }
}
