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

/// The counters, and the list of them that adds them up.
macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What the flow layer has seen. All but the gauges (`flows_open`, `history_bytes`, `buffered_bytes`)
        /// only rise.
        #[derive(Debug, Clone, Default, Eq, PartialEq)]
        pub struct FlowCounters {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl FlowCounters {
            /// Add what another table has seen. Peaks are added too, though they were not reached at one
            /// time: the sum is an upper bound.
            pub fn add(&mut self, other: &FlowCounters) {
                $(self.$name += other.$name;)*
            }
        }
    };
}

counters! {
    /// Packets given.
    packets,
    /// TCP segments.
    tcp_segments,
    /// UDP datagrams.
    udp_datagrams,
    /// Frames without IP of a protocol that is followed.
    ethernet_frames,
    /// Packets that are neither TCP nor UDP over IP, nor of such a protocol: not followed here.
    other_payloads,
    /// Payload bytes as captured, TCP and UDP, with all repetitions.
    payload_bytes,
    /// Segments that brought nothing new.
    retransmitted,
    /// Segments held because something before them was missing.
    out_of_order,
    /// Segments held because they acknowledge bytes of the other direction not seen yet.
    held_for_ack,
    /// Segments that brought some bytes again and some new.
    overlaps,
    /// Repeated bytes that differ from those seen first.
    conflicting_overlaps,
    /// Segments with repeated bytes too old to be compared.
    overlaps_unverified,
    /// Payloads not remembered because the histories of all flows had reached their limit.
    history_refused,
    /// Keep-alive probes.
    keep_alives,
    /// Gaps reported.
    gaps,
    /// Bytes missing in gaps of known size.
    gap_bytes,
    /// Times a stream went back because bytes came for a place given up before.
    rewinds,
    /// Segments and datagrams cut by the snap length.
    truncated,
    /// Segments far outside the window, ignored.
    out_of_window,
    /// Streams taken up elsewhere after repeated segments outside the window.
    resynchronised,
    /// RST segments with an implausible sequence number, ignored.
    resets_ignored,
    /// SYN segments on a live flow that nobody has answered yet.
    syns_doubted,
    /// Payload after FIN or RST: the end was not one.
    data_after_end,
    /// Segments without payload that belong to no flow.
    strays,
    /// Times a session wanted more unconsumed bytes than the limit; the tail was given up.
    tail_overflows,
    /// Times a hole was given up because too much was held for it.
    held_overflows,
    /// Flows created.
    flows_opened,
    /// Flows that carried payload.
    sessions_opened,
    /// Flows with payload, without SYN.
    midstream_flows,
    /// Flows with payload in one direction only and no packet of the other, when reported.
    one_way_flows,
    /// Of these, flows in the table now of which still only one direction was seen.
    one_way_open,
    /// Flows ended by FIN.
    closed_fin,
    /// Flows ended by RST.
    closed_reset,
    /// Flows ended by time.
    closed_idle,
    /// Flows given up because the table was full.
    closed_evicted,
    /// Flows whose addresses and ports were taken by a new connection.
    closed_reused,
    /// Flows open at the end of the capture.
    closed_end,
    /// Flows in the table now.
    flows_open,
    /// Most flows in the table at a time.
    flows_peak,
    /// Bytes in histories now.
    history_bytes,
    /// Bytes in tails and held segments now, with their overhead.
    buffered_bytes,
    /// Most bytes in tails and held segments at a time.
    buffered_peak,
}

impl FlowCounters {
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
