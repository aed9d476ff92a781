//! What flows may cost, and what is counted.

/// Limits of the flow layer. Time is packet time in nanoseconds.
#[derive(Debug, Clone)]
pub struct FlowLimits {
    /// Flows in the table. Beyond, the flow idle for longest is given up (ended and unborn ones first).
    pub flows: usize,
    /// Unconsumed bytes kept per direction for the session.
    pub tail_bytes: usize,
    /// Out-of-order segments held per direction. Then the hole before them is a gap.
    pub held_segments: usize,
    /// Out-of-order bytes held per direction.
    pub held_bytes: usize,
    /// Tails and held segments of all flows together.
    pub total_bytes: usize,
    /// Held segments after which a hole is a gap when the receiver has acknowledged it: the tap missed it.
    pub confirmed_segments: usize,
    /// How long an acknowledged hole is waited for; also how long the first segment of a flow without SYN
    /// is held back in case an earlier one follows.
    pub confirmed_wait_ns: u64,
    /// Segments held back at the beginning of a flow without SYN.
    pub start_segments: usize,
    /// How long a hole is waited for on a one-way tap, where nobody can be seen to acknowledge it.
    pub one_way_wait_ns: u64,
    /// Bytes of delivered data kept per direction to compare retransmissions with. A stream keeps 256, and
    /// more only when its segments are larger.
    pub history_bytes: usize,
    /// Histories of all flows together. Beyond, repetitions on new flows cannot be compared.
    pub history_total_bytes: usize,
    /// Segments with payload after which a flow with one direction only is reported.
    pub one_way_segments: u32,
    /// A TCP flow without packets for so long is over.
    pub tcp_idle_ns: u64,
    /// A TCP flow idle for so long frees its buffers; one with a FIN is over.
    pub cool_ns: u64,
    /// A TCP flow that never carried payload is over.
    pub embryonic_ns: u64,
    /// How long a flow stays after FIN or RST, for what is still under way.
    pub linger_ns: u64,
    /// A UDP flow without packets for so long is over.
    pub udp_idle_ns: u64,
    /// Take VLAN ids into the key. Off by default: span ports tag the two directions differently.
    pub vlan_in_key: bool,
}

impl Default for FlowLimits {
    fn default() -> Self {
        const SECOND: u64 = 1_000_000_000;
        FlowLimits {
            flows: 100_000,
            tail_bytes: 65_536,
            held_segments: 64,
            held_bytes: 262_144,
            total_bytes: 64 << 20,
            confirmed_segments: 16,
            confirmed_wait_ns: SECOND / 4,
            start_segments: 4,
            one_way_wait_ns: 3 * SECOND,
            history_bytes: 4096,
            history_total_bytes: 128 << 20,
            one_way_segments: 20,
            // Just above the usual TCP keep-alive time of two hours.
            tcp_idle_ns: 8100 * SECOND,
            cool_ns: 60 * SECOND,
            embryonic_ns: 30 * SECOND,
            linger_ns: 5 * SECOND,
            udp_idle_ns: 600 * SECOND,
            vlan_in_key: false,
        }
    }
}

impl FlowLimits {
    /// One shard's part of the limits that count all flows together.
    #[must_use]
    pub fn of_shard(&self, shards: usize) -> FlowLimits {
        FlowLimits {
            flows: self.flows.div_ceil(shards),
            // A shard must be able to hold one unfinished PDU.
            total_bytes: (self.total_bytes / shards).max(self.tail_bytes),
            history_total_bytes: self.history_total_bytes / shards,
            ..self.clone()
        }
    }
}

/// What the flow layer has seen. All but the gauges (`flows_open`, `history_bytes`, `buffered_bytes`) only rise.
#[derive(Debug, Clone, Default, Eq, PartialEq)]
pub struct FlowCounters {
    /// Packets given.
    pub packets: u64,
    /// TCP segments.
    pub tcp_segments: u64,
    /// UDP datagrams.
    pub udp_datagrams: u64,
    /// Frames without IP of a protocol that is followed.
    pub ethernet_frames: u64,
    /// Packets that are neither TCP nor UDP over IP, nor of such a protocol: not followed here.
    pub other_payloads: u64,
    /// Payload bytes as captured, TCP and UDP, with all repetitions.
    pub payload_bytes: u64,
    /// Segments that brought nothing new.
    pub retransmitted: u64,
    /// Segments held because something before them was missing.
    pub out_of_order: u64,
    /// Segments held because they acknowledge bytes of the other direction not seen yet.
    pub held_for_ack: u64,
    /// Segments that brought some bytes again and some new.
    pub overlaps: u64,
    /// Repeated bytes that differ from those seen first.
    pub conflicting_overlaps: u64,
    /// Segments with repeated bytes too old to be compared.
    pub overlaps_unverified: u64,
    /// Payloads not remembered because the histories of all flows had reached their limit.
    pub history_refused: u64,
    /// Keep-alive probes.
    pub keep_alives: u64,
    /// Gaps reported.
    pub gaps: u64,
    /// Bytes missing in gaps of known size.
    pub gap_bytes: u64,
    /// Times a stream went back because bytes came for a place given up before.
    pub rewinds: u64,
    /// Segments and datagrams cut by the snap length.
    pub truncated: u64,
    /// Segments far outside the window, ignored.
    pub out_of_window: u64,
    /// Streams taken up elsewhere after repeated segments outside the window.
    pub resynchronised: u64,
    /// RST segments with an implausible sequence number, ignored.
    pub resets_ignored: u64,
    /// SYN segments on a live flow that nobody has answered yet.
    pub syns_doubted: u64,
    /// Payload after FIN or RST: the end was not one.
    pub data_after_end: u64,
    /// Segments without payload that belong to no flow.
    pub strays: u64,
    /// Times a session wanted more unconsumed bytes than the limit; the tail was given up.
    pub tail_overflows: u64,
    /// Times a hole was given up because too much was held for it.
    pub held_overflows: u64,
    /// Flows created.
    pub flows_opened: u64,
    /// Flows that carried payload.
    pub sessions_opened: u64,
    /// Flows with payload, without SYN.
    pub midstream_flows: u64,
    /// Flows with payload in one direction only and no packet of the other, when reported.
    pub one_way_flows: u64,
    /// Flows ended by FIN.
    pub closed_fin: u64,
    /// Flows ended by RST.
    pub closed_reset: u64,
    /// Flows ended by time.
    pub closed_idle: u64,
    /// Flows given up because the table was full.
    pub closed_evicted: u64,
    /// Flows whose addresses and ports were taken by a new connection.
    pub closed_reused: u64,
    /// Flows open at the end of the capture.
    pub closed_end: u64,
    /// Flows in the table now.
    pub flows_open: u64,
    /// Most flows in the table at a time.
    pub flows_peak: u64,
    /// Bytes in histories now.
    pub history_bytes: u64,
    /// Bytes in tails and held segments now, with their overhead.
    pub buffered_bytes: u64,
    /// Most bytes in tails and held segments at a time.
    pub buffered_peak: u64,
}

impl FlowCounters {
    /// Add what another table has seen. Peaks are added too, though they were not reached at one time: the
    /// sum is an upper bound.
    pub fn add(&mut self, other: &FlowCounters) {
        let pairs = self.all().into_iter().zip(other.clone().all().map(|count| *count));
        for (mine, theirs) in pairs {
            *mine += theirs;
        }
    }

    fn all(&mut self) -> [&mut u64; 41] {
        let FlowCounters {
            packets,
            tcp_segments,
            udp_datagrams,
            ethernet_frames,
            other_payloads,
            payload_bytes,
            retransmitted,
            out_of_order,
            held_for_ack,
            overlaps,
            conflicting_overlaps,
            overlaps_unverified,
            history_refused,
            keep_alives,
            gaps,
            gap_bytes,
            rewinds,
            truncated,
            out_of_window,
            resynchronised,
            resets_ignored,
            syns_doubted,
            data_after_end,
            strays,
            tail_overflows,
            held_overflows,
            flows_opened,
            sessions_opened,
            midstream_flows,
            one_way_flows,
            closed_fin,
            closed_reset,
            closed_idle,
            closed_evicted,
            closed_reused,
            closed_end,
            flows_open,
            flows_peak,
            history_bytes,
            buffered_bytes,
            buffered_peak,
        } = self;
        [
            packets,
            tcp_segments,
            udp_datagrams,
            ethernet_frames,
            other_payloads,
            payload_bytes,
            retransmitted,
            out_of_order,
            held_for_ack,
            overlaps,
            conflicting_overlaps,
            overlaps_unverified,
            history_refused,
            keep_alives,
            gaps,
            gap_bytes,
            rewinds,
            truncated,
            out_of_window,
            resynchronised,
            resets_ignored,
            syns_doubted,
            data_after_end,
            strays,
            tail_overflows,
            held_overflows,
            flows_opened,
            sessions_opened,
            midstream_flows,
            one_way_flows,
            closed_fin,
            closed_reset,
            closed_idle,
            closed_evicted,
            closed_reused,
            closed_end,
            flows_open,
            flows_peak,
            history_bytes,
            buffered_bytes,
            buffered_peak,
        ]
    }
    /// Account for bytes put into buffers.
    #[inline]
    pub(super) fn buffer(&mut self, bytes: usize) {
        self.buffered_bytes += bytes as u64;
        self.buffered_peak = self.buffered_peak.max(self.buffered_bytes);
    }

    /// Account for bytes taken from buffers.
    #[inline]
    pub(super) fn unbuffer(&mut self, bytes: usize) {
        self.buffered_bytes = self.buffered_bytes.saturating_sub(bytes as u64);
    }
}
