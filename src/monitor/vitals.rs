//! The figures below the protocols, under their names.

use parsers::Protocol;

use super::Sensor;
use crate::report::vitals::{TapVitals, Vitals};

impl Sensor {
    /// The figures below the protocols, for the summary and for `/metrics`.
    pub fn vitals(&self, taps: Vec<TapVitals>) -> Vitals {
        let (flow, worker, [selects, associations, polls, scans, points, controls, publishers], capacity) =
            self.shards();
        let decap = self.decap_counters();
        let (named, others) = self.hosts();
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
            flow_capacity: capacity as u64,
            flow_evictions: vec![
                ("idle", flow.closed_idle),
                ("closed", flow.closed_fin + flow.closed_reset + flow.closed_reused + flow.closed_end),
                ("capacity", flow.closed_evicted),
            ],
            one_way_flows: flow.one_way_flows,
            one_way_open: flow.one_way_open,
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
            assets: vec![("profiled", named as u64), ("unprofiled", others as u64)],
            profile_sound: None,
            profile_reloads: Vec::new(),
            tables_full: vec![
                ("control_points_not_remembered", points),
                ("controls_cut_short", controls),
                ("selects_not_remembered", selects),
                ("stations_not_told", self.stations_untold()),
                ("restarts_not_remembered", self.restarts_forgotten()),
                ("associations_not_remembered", associations),
                ("polls_not_followed", polls),
                ("scans_not_watched", scans),
                ("publishers_not_followed", publishers),
                ("hosts_not_remembered", self.hosts_forgotten()),
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
        ("geneve", decap.geneve),
        ("tzsp", decap.tzsp),
        ("gtp", decap.gtp),
        ("ppp", decap.ppp),
        ("backbone", decap.backbone),
        ("ether_ip", decap.ether_ip),
        ("r_tag", decap.r_tag),
        ("ip_in_ip", decap.ip_in_ip),
        ("ip_fragment", decap.fragments),
    ]
}

/// Reasons for which a packet, or part of it, was not seen. Ethernet without IP and other IP protocols are
/// no such reason: it is GOOSE, or not of the protocols decoded here.
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
        ("gre_not_followed", decap.gre_unknown),
        ("ipsec_encrypted", decap.ipsec_esp),
        ("checksum_discarded", decap.checksum_discarded),
        ("fragments_expired", decap.fragments_expired),
        ("fragments_evicted", decap.fragments_evicted),
        ("fragments_limit", decap.fragments_limit),
        ("fragments_truncated", decap.fragments_truncated),
        ("fragments_malformed", decap.fragments_malformed),
    ]
}
