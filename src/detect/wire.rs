//! What the layers below the operations complain of: defects of PDUs, streams that contradict themselves,
//! ports and encapsulations where nobody expects them.

use parsers::{
    Chunk, Coverage, Defect, Endpoint, FlowInfo, Host, MacAddr, Origin, Protocol, StationAddress, Unit,
};
use profiles::Compiled;

use super::policy::Weighed;
use super::raise::{self, Frames, Subject};
use super::timing::unanswered;
use super::{Detector, FindingSink, coverage, defects};
use crate::decap::Anomaly;
use crate::flow::{Forged, Overlap};
use crate::pipeline::FlowContext;
use crate::report::catalogue::FindingKind;
use crate::report::finding::Finding;

impl Detector {
    /// Turn a parser's defect into a finding. Returns the station's name in the profile.
    pub fn defect(
        &mut self,
        context: &mut FlowContext,
        defect: &Defect<'_>,
        sink: &mut dyn FindingSink,
    ) -> Option<&str> {
        let sink = &mut Weighed::new(self.common.profile.as_deref(), sink);
        let subject = Subject::of_defect(defect, self.common.profile.as_deref());
        let name = self.common.profile.as_deref().and_then(|profile| subject.name_in(profile));
        let Some(kind) = defects::finding(defect.kind) else { return name };
        if self.scans.defect(context, defect) {
            return name;
        }
        match kind {
            FindingKind::ForeignProtocol => context.foreign = true,
            // The octets of a foreign protocol fit no framing; that has been said.
            FindingKind::BrokenFraming if context.foreign => return name,
            _ => {}
        }
        let words = [kind.name(), kind.id(), defect.check];
        if self.common.profile.as_deref().is_some_and(|profile| subject.has_quirk(profile, &words)) {
            return name;
        }
        if unanswered::is_known(&mut self.associations, defect) {
            return name;
        }
        let coverage = context.blindness.at(defect.flow, defect.origin.at, &self.common.losses);
        let frames = Frames::of_origin(&defect.origin);
        let function = defect.function.map_or(0, |f| u64::from(f.code) + 1);
        let finding = Finding {
            kind,
            expected: defect.expected,
            observed: defect.observed,
            check: defect.check,
            octets: defect.octets,
            fold_key: raise::name_key(defect.check) ^ function.rotate_left(48),
            ..subject.finding(coverage, &frames)
        };
        Self::unless_blind(&finding, sink);
        if coverage::bears(kind, coverage) {
            unanswered::told(&mut self.associations, defect);
        }
        name
    }

    /// A host starts the transfer of what stations behind another have: only who may command one of them does.
    pub fn opened(&self, context: &FlowContext, unit: &Unit<'_>, sink: &mut dyn FindingSink) {
        let Some(profile) = self.common.judging() else { return };
        let (master, station) = (unit.flow.sender(unit.direction), unit.flow.receiver(unit.direction));
        if profile.is_line(master.host, station.host, unit.protocol) {
            return;
        }
        let sink = &mut Weighed::new(Some(profile), sink);
        let subject = Subject::of_unit(unit, Some(profile));
        let coverage = context.blindness.at(unit.flow, unit.origin.at, &self.common.losses);
        sink.finding(&Finding {
            kind: FindingKind::UnprofiledClient,
            expected: format_args!("a host that a rule lets command a station behind {}", station.host),
            observed: format_args!("a start of transfer by {}", master.host),
            ..subject.finding(coverage, &Frames::of_origin(&unit.origin))
        });
    }

    /// Two segments disagree about the same octets of a stream.
    pub fn overlap(
        &self,
        context: Option<&FlowContext>,
        flow: &FlowInfo,
        overlap: &Overlap<'_>,
        sink: &mut dyn FindingSink,
    ) {
        let now = overlap.new_origin.at;
        let coverage = match context {
            Some(context) => context.blindness.at(flow, now, &self.common.losses),
            // Nobody keeps times for what no protocol speaks.
            None => Coverage { drops: self.common.losses.bear_on(now), ..flow.coverage },
        };
        let frames = Frames::of_pair(overlap.old_origin.as_ref(), &overlap.new_origin);
        let mut subject = Subject::of_flow(flow, now, self.common.profile.as_deref());
        subject.protocol = context.map(|c| c.protocol);
        sink.finding(&Finding {
            kind: FindingKind::ConflictingOverlap,
            expected: format_args!("a retransmission to carry the same octets"),
            observed: format_args!(
                "{} octets sent again with other content ({} first, then {})",
                overlap.new.len(),
                raise::Hex(overlap.old),
                raise::Hex(overlap.new)
            ),
            octets: overlap.new,
            ..subject.finding(coverage, &frames)
        });
    }

    /// A RST came that its sender can hardly have sent.
    pub fn reset_forged(
        &mut self,
        context: &FlowContext,
        flow: &FlowInfo,
        sign: Forged,
        origin: &Origin,
        sink: &mut dyn FindingSink,
    ) {
        let site = self.common.view();
        self.scans.reset(context, flow, sign, origin, site, sink);
    }

    /// A control protocol was recognised on a port where nobody expects it.
    pub fn unexpected_port(
        &self,
        context: &FlowContext,
        flow: &FlowInfo,
        chunk: &Chunk<'_>,
        sink: &mut dyn FindingSink,
    ) {
        let Some(piece) = chunk.pieces.last() else { return };
        let mut subject = Subject::of_flow(flow, piece.at, self.common.profile.as_deref());
        subject.protocol = Some(context.protocol);
        if self.common.profile.as_deref().is_some_and(|p| expects_port(p, flow, context.protocol)) {
            return;
        }
        let origin = parsers::Origin::of(piece);
        let frames = Frames::of_origin(&origin);
        let coverage = context.blindness.at(flow, piece.at, &self.common.losses);
        sink.finding(&Finding {
            kind: FindingKind::UnexpectedPort,
            expected: format_args!("{} on its own ports only", context.protocol.name()),
            observed: format_args!("{} between {} and {}", context.protocol.name(), flow.client, flow.server),
            octets: chunk.bytes,
            fold_key: u64::from(flow.server.port),
            ..subject.finding(coverage, &frames)
        });
    }

    /// The encapsulation of a frame looks like evasion.
    pub fn encapsulation(&self, anomaly: &Anomaly, sink: &mut dyn FindingSink) {
        let ends = match (anomaly.ip, anomaly.mac) {
            (Some((from, to)), _) => [Host::Ip(from), Host::Ip(to)],
            (None, Some((from, to))) => [Host::Mac(from), Host::Mac(to)],
            (None, None) => [Host::Mac(MacAddr::default()); 2],
        };
        let [client, server] = ends.map(|host| Endpoint { host, port: 0 });
        let drops = self.common.losses.bear_on(anomaly.at);
        sink.finding(&Finding {
            kind: FindingKind::EncapsulationAnomaly,
            client_name: self.common.profile.as_deref().and_then(|p| p.host_name(client.host)),
            expected: format_args!("{}", anomaly.kind.expected()),
            observed: format_args!("{}", anomaly.kind.observed()),
            frames: &[anomaly.frame],
            coverage: Coverage { drops, ..Coverage::default() },
            fold_key: anomaly.kind as u64,
            ..Finding::about(anomaly.at, client, server, StationAddress::None)
        });
    }
}

/// Whether a station of the profile is to be reached on this very port.
fn expects_port(profile: &Compiled, flow: &FlowInfo, protocol: Protocol) -> bool {
    let expects = |end: Endpoint| {
        let Host::Ip(address) = end.host else { return false };
        let profile = profile.profile();
        profile.stations.iter().filter(|s| s.protocol == protocol && s.port == Some(end.port)).any(|s| {
            profile.hosts.get(s.host).is_some_and(|h| h.addresses.iter().any(|net| net.contains(&address)))
        })
    };
    expects(flow.server) || expects(flow.client)
}
