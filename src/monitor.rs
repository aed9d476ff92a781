//! The monitor: what the pipeline finds is judged, counted and logged.

use foldhash::fast::FixedState;
use hashbrown::HashSet;
use parsers::{
    Chunk, Defect, FlowInfo, Gap, Host, Operation, Origin, Protocol, StationAddress, Timestamp, Unit,
};

use crate::blindness::Blindspots;
use crate::capture::{Trouble, TroubleKind};
use crate::decap::Anomaly;
use crate::detect::{Detector, FindingSink, Judged};
use crate::flow::Overlap;
use crate::pipeline::{Consumer, FlowContext, Pipeline};
use crate::report::catalogue::FindingKind;
use crate::report::control::ControlEvent;
use crate::report::finding::Finding;
use crate::report::record::{Judgement, SensorEvent, StationEvent, StationState, Verdict};
use crate::report::sinks::Sinks;
use crate::report::vitals::{TapVitals, Vitals};

/// Stations whose first answer is remembered, so that it is told once. Beyond, no more are told; a
/// `sensor` event says so.
pub const STATIONS_TOLD: usize = 65_536;

/// Judges, counts, logs.
pub struct Monitor {
    detector: Detector,
    sinks: Sinks,
    told: HashSet<(Host, Protocol, StationAddress), FixedState>,
    untold: u64,
    blindspots: Blindspots,
}

struct ToSinks<'a>(&'a mut Sinks);

impl FindingSink for ToSinks<'_> {
    fn finding(&mut self, finding: &Finding<'_>) {
        self.0.finding(finding);
    }
    fn withheld(&mut self, kind: FindingKind) {
        self.0.withheld(kind);
    }
    fn station(&mut self, state: &StationState<'_>) {
        self.0.station_state(state);
    }
    fn control(&mut self, event: &ControlEvent<'_>) {
        self.0.control(event);
    }
}

impl Monitor {
    /// A monitor that judges with `detector` and reports to `sinks`.
    pub fn new(detector: Detector, sinks: Sinks) -> Monitor {
        Monitor { detector, sinks, told: HashSet::default(), untold: 0, blindspots: Blindspots::default() }
    }

    /// The sinks.
    pub fn sinks(&mut self) -> &mut Sinks {
        &mut self.sinks
    }

    /// The sinks, when all is done.
    pub fn into_sinks(mut self) -> Sinks {
        self.detector.finish(&mut ToSinks(&mut self.sinks));
        self.sinks
    }

    /// Trouble at a tap: into the log, and into what findings say of their coverage.
    pub fn trouble(&mut self, now: Timestamp, taps: &[String], trouble: &Trouble) {
        let capture = taps.get(usize::from(trouble.tap)).map(String::as_str);
        let event = |what, message, figures| SensorEvent { at: now, what, capture, message, figures };
        match &trouble.kind {
            TroubleKind::Damaged { offset, reason } => {
                let figures = [("offset_octets", *offset)];
                let message = format_args!("the capture is damaged at offset {offset}: {reason}");
                self.sinks.sensor(&event("capture_damaged", message, &figures));
            }
            TroubleKind::KernelDrops(count) => {
                self.detector.dropped(now);
                let figures = [("dropped_packets", *count)];
                let message = format_args!("{count} packets were lost before gridtap could read them");
                self.sinks.sensor(&event("frames_dropped", message, &figures));
            }
            TroubleKind::TapLost(reason) => {
                self.detector.dropped(now);
                let message = format_args!("the tap is lost: {reason}");
                self.sinks.sensor(&event("tap_lost", message, &[]));
            }
        }
    }

    fn tell_station(&mut self, operation: &Operation<'_>, judged: &Judged) {
        let server = operation.station_endpoint();
        let key = (server.host, operation.protocol, operation.station);
        if self.told.contains(&key) {
            return;
        }
        if self.told.len() >= STATIONS_TOLD {
            self.untold += 1;
            return;
        }
        self.told.insert(key);
        let profile = self.detector.profile();
        self.sinks.station(&StationEvent {
            at: operation.origin.at,
            what: "first_seen",
            protocol: operation.protocol,
            server,
            station: operation.station,
            station_name: profile.zip(judged.pair).and_then(|(p, pair)| p.station_name(pair)),
        });
    }
}

impl Consumer for Monitor {
    #[inline]
    fn unit(&mut self, _: &mut FlowContext, unit: &Unit<'_>) {
        self.sinks.unit(unit);
    }

    fn operation(&mut self, context: &mut FlowContext, operation: &Operation<'_>) {
        let judged = self.detector.operation(context, operation, &mut ToSinks(&mut self.sinks));
        let profile = self.detector.profile();
        let named = profile.zip(judged.pair);
        let judgement = Judgement {
            verdict: match judged.allowed {
                Some(true) => Verdict::Allowed,
                Some(false) => Verdict::Denied,
                None => Verdict::Unjudged,
            },
            rule: profile.zip(judged.rule).and_then(|(p, id)| p.rule(id)).map(|rule| rule.name.as_str()),
            station: judged.pair.and_then(|pair| pair.station_index()),
            station_name: named.and_then(|(p, pair)| p.station_name(pair)),
            client_name: named.and_then(|(p, pair)| p.client_name(pair)),
        };
        self.sinks.operation(operation, &judgement);
        if !operation.from_master && context.last_station != Some(operation.station) {
            context.last_station = Some(operation.station);
            self.tell_station(operation, &judged);
        }
    }

    fn defect(&mut self, context: &mut FlowContext, defect: &Defect<'_>) {
        let name = self.detector.defect(context, defect, &mut ToSinks(&mut self.sinks));
        self.sinks.defect(defect, name);
    }

    fn overlap(&mut self, context: Option<&mut FlowContext>, flow: &FlowInfo, overlap: &Overlap<'_>) {
        self.detector.overlap(context.as_deref(), flow, overlap, &mut ToSinks(&mut self.sinks));
    }

    fn unexpected_port(&mut self, context: &mut FlowContext, flow: &FlowInfo, chunk: &Chunk<'_>) {
        self.detector.unexpected_port(context, flow, chunk, &mut ToSinks(&mut self.sinks));
    }

    fn gap(&mut self, context: Option<&mut FlowContext>, _: &FlowInfo, gap: &Gap<'_>) {
        if let Some(context) = context {
            self.detector.gap(context, gap.origin.at);
        }
    }

    fn reset_ignored(&mut self, context: &mut FlowContext, flow: &FlowInfo, origin: &Origin) {
        self.detector.reset_ignored(context, flow, origin, &mut ToSinks(&mut self.sinks));
    }

    fn tick(&mut self, now: Timestamp, seen: Timestamp) {
        self.detector.tick(now, seen, &mut ToSinks(&mut self.sinks));
    }

    fn encapsulation(&mut self, anomaly: &Anomaly) {
        self.detector.encapsulation(anomaly, &mut ToSinks(&mut self.sinks));
    }
}

impl Pipeline<Monitor> {
    /// Say what went wrong at the taps, on standard error and in the event log.
    pub fn tell_trouble(&mut self, taps: &[String], troubles: &[Trouble]) {
        let now = self.now();
        for trouble in troubles {
            let tap = taps.get(usize::from(trouble.tap)).map_or("?", String::as_str);
            match &trouble.kind {
                TroubleKind::Damaged { offset, reason } => {
                    tracing::warn!("{tap}: damaged at offset {offset}: {reason}; read up to there");
                }
                TroubleKind::KernelDrops(count) => tracing::warn!("{tap}: {count} packets lost"),
                TroubleKind::TapLost(reason) => tracing::error!("{tap}: lost: {reason}"),
            }
            self.consumer().trouble(now, taps, trouble);
        }
        self.tell_blindness(now);
    }

    /// Tell what could not be seen.
    fn tell_blindness(&mut self, now: Timestamp) {
        let (frames, decap, flow) = (*self.counters(), *self.decap_counters(), self.flow_counters().clone());
        let duplicates = self.duplicates_forgotten();
        let Monitor { blindspots, sinks, detector, untold, .. } = self.consumer();
        let forgotten = [detector.selects_overflowed(), *untold, duplicates];
        blindspots.tell(now, &frames, &decap, &flow, forgotten, sinks);
    }

    /// The figures below the protocols, for the summary and for `/metrics`.
    pub fn vitals(&self, taps: Vec<TapVitals>) -> Vitals {
        let flow = self.flow_counters();
        let decap = self.decap_counters();
        let worker = self.worker_counters();
        let mut flows: Vec<_> =
            Protocol::ALL.into_iter().map(|p| (p.name(), worker.open[p as usize])).collect();
        let known: u64 = worker.open.iter().sum();
        flows.push(("other", flow.flows_open.saturating_sub(known)));
        let mut gaps: Vec<_> =
            Protocol::ALL.into_iter().map(|p| (p.name(), worker.gaps[p as usize])).collect();
        gaps.push(("other", flow.gaps.saturating_sub(worker.gaps.iter().sum())));
        Vitals {
            taps,
            decap_layers: decap_layers(decap),
            undecoded: undecoded(decap),
            without_ip: decap.other_ethernet,
            duplicates: self.counters().duplicates,
            flows,
            flow_capacity: self.flow_capacity() as u64,
            flow_evictions: vec![
                ("idle", flow.closed_idle),
                ("closed", flow.closed_fin + flow.closed_reset + flow.closed_reused + flow.closed_end),
                ("capacity", flow.closed_evicted),
            ],
            one_way_flows: flow.one_way_flows,
            midstream_flows: flow.midstream_flows,
            gaps,
            gap_bytes: flow.gap_bytes,
            buffered_bytes: flow.buffered_bytes,
            reassembly_dropped: vec![
                ("tail_overflow", flow.tail_overflows),
                ("held_overflow", flow.held_overflows),
                ("out_of_window", flow.out_of_window),
            ],
            unknown_flows: worker.unrecognised,
            tables_full: vec![
                ("control_points_not_remembered", self.consumer_ref().detector.controls_overflowed().0),
                ("controls_cut_short", self.consumer_ref().detector.controls_overflowed().1),
                ("selects_not_remembered", self.consumer_ref().detector.selects_overflowed()),
                ("stations_not_told", self.consumer_ref().untold),
                ("associations_not_remembered", self.consumer_ref().detector.associations_overflowed()),
                ("polls_not_followed", self.consumer_ref().detector.polls_unfollowed()),
                ("scans_not_watched", self.consumer_ref().detector.watches_overflowed()),
            ],
        }
    }
}

fn decap_layers(decap: &crate::decap::DecapCounters) -> Vec<(&'static str, u64)> {
    vec![
        ("vlan", decap.vlan),
        ("llc", decap.llc),
        ("hsr", decap.hsr),
        ("prp", decap.prp),
        ("mpls", decap.mpls),
        ("gre", decap.gre),
        ("erspan", decap.erspan),
        ("vxlan", decap.vxlan),
        ("ip_in_ip", decap.ip_in_ip),
        ("ip_fragment", decap.fragments),
    ]
}

/// Reasons for which a packet, or part of it, was not seen. Ethernet without IP and other IP protocols are
/// no such reason: they are simply not for the protocols decoded here.
fn undecoded(decap: &crate::decap::DecapCounters) -> Vec<(&'static str, u64)> {
    vec![
        ("unsupported_link", decap.unsupported_link),
        ("headers_truncated", decap.headers_truncated),
        ("too_deep", decap.too_deep),
        ("not_followed", decap.not_followed),
        ("malformed_ethernet", decap.malformed_ethernet),
        ("malformed_tag", decap.malformed_tag),
        ("malformed_link", decap.malformed_link),
        ("malformed_ipv4", decap.malformed_ipv4),
        ("malformed_ipv6", decap.malformed_ipv6),
        ("malformed_tcp", decap.malformed_tcp),
        ("malformed_udp", decap.malformed_udp),
        ("malformed_tunnel", decap.malformed_tunnel),
        ("mpls_unknown", decap.mpls_unknown),
        ("gre_not_followed", decap.gre_pptp + decap.gre_unknown),
        ("ipsec_encrypted", decap.ipsec_esp),
        ("checksum_discarded", decap.checksum_discarded),
        ("fragments_expired", decap.fragments_expired),
        ("fragments_evicted", decap.fragments_evicted),
        ("fragments_limit", decap.fragments_limit),
        ("fragments_truncated", decap.fragments_truncated),
        ("fragments_malformed", decap.fragments_malformed),
    ]
}
