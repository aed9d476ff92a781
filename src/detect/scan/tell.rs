//! The findings of this group, in words.

use core::fmt;

use parsers::{Coverage, Endpoint, FlowInfo, Host, Origin, Protocol, StationAddress, Timestamp};
use profiles::Compiled;

use super::recent::Within;
use super::sweep::{NUMBERS, Running, Telling};
use super::watch::{Over, Step, Watch};
use crate::detect::coverage;
use crate::detect::raise::{Frames, Subject};
use crate::detect::{FindingSink, SiteView};
use crate::flow::Forged;
use crate::pipeline::FlowContext;
use crate::report::catalogue::{FindingKind, Severity};
use crate::report::finding::Finding;

/// A sweep with its extent. `step` is the operation that shows it; without one it is over.
pub(super) fn sweep(
    watch: &mut Watch,
    over: Over,
    telling: Telling,
    now: Timestamp,
    step: Option<&Step<'_>>,
    site: SiteView<'_>,
    sink: &mut dyn FindingSink,
) {
    let (key, by_link) = (watch.key, watch.by_link);
    let Some(running) = watch.sweep(over).as_deref() else { return };
    let kind = match over {
        Over::Functions => FindingKind::FunctionSweep,
        Over::Points => FindingKind::PointSweep,
        Over::Stations if by_link => FindingKind::LinkScan,
        Over::Stations => FindingKind::StationSweep,
    };
    let coverage = step
        .map_or_else(|| Coverage { drops: site.losses.bear_on(now), ..Coverage::default() }, Step::coverage);
    let expected = Expected { over, protocol: key.protocol, site };
    let observed = Extent { over, running, protocol: key.protocol, finished: telling.over };
    sink.finding(&Finding {
        kind,
        severity: running.is_unheard().then_some(Severity::Medium),
        flow: step.map(|step| step.operation.flow),
        protocol: Some(key.protocol),
        client_name: site.profile.and_then(|p| p.host_name(key.master)),
        expected: format_args!("{expected}"),
        observed: format_args!("{observed}"),
        frames: &running.frames,
        coverage,
        fold_key: telling.number,
        ..Finding::about(
            now,
            step.map_or(end(key.master), |step| step.operation.master_endpoint()),
            step.map_or(end(key.server), |step| step.operation.station_endpoint()),
            StationAddress::None,
        )
    });
}

fn end(host: Host) -> Endpoint {
    Endpoint { host, port: 0 }
}

/// What is normal.
struct Expected<'a> {
    over: Over,
    protocol: Protocol,
    site: SiteView<'a>,
}

impl fmt::Display for Expected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let usual = match self.over {
            Over::Functions => "functions",
            Over::Points => "points",
            Over::Stations => addresses(self.protocol),
        };
        if self.site.judging().is_some() {
            return write!(f, "requests for the {usual} that the profile allows");
        }
        let learning = Seconds((self.site.thresholds.sweep_learning * 1e9) as u64);
        match self.over {
            Over::Functions => write!(f, "the functions that a master uses"),
            Over::Points => write!(
                f,
                "points that this master has asked for before (those of its first {learning} count)"
            ),
            Over::Stations => write!(f, "{usual} that answer, or were asked for in its first {learning}"),
        }
    }
}

/// What the addresses of a protocol's stations are called.
fn addresses(protocol: Protocol) -> &'static str {
    parsers::dissector(protocol).map_or("stations", |d| d.address.plural)
}

/// How far a sweep has come.
struct Extent<'a> {
    over: Over,
    running: &'a Running,
    protocol: Protocol,
    finished: bool,
}

impl fmt::Display for Extent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let running = self.running;
        let count = running.covered.points();
        if running.covered.is_coarse() {
            f.write_str("up to ")?;
        }
        let (kind, first, last) = running.covered.extent().unwrap_or((NUMBERS, 0, 0));
        match self.over {
            Over::Functions => write!(f, "{count} functions ({} to {})", first >> 16, last >> 16)?,
            Over::Points => {
                write!(f, "{count} points ({} {first} to {last})", kind.name().replace('_', " "))?;
            }
            Over::Stations => write!(f, "{count} {} ({first} to {last})", addresses(self.protocol))?,
        }
        let span = Seconds(running.last.since(running.began));
        write!(f, " in {} requests within {span}", running.requests)?;
        match self.over {
            Over::Stations if running.is_unheard() => {
                f.write_str("; answers cannot be seen, but the asking side acknowledges none (N(R))")?;
            }
            Over::Stations => write!(f, ", {} answered", running.answered)?,
            Over::Functions | Over::Points => write!(f, ", {} refused", running.refused)?,
        }
        if self.finished {
            f.write_str("; it is over")?;
        }
        if running.folded > 0 {
            write!(f, "; {} other findings are part of it", running.folded)?;
        }
        Ok(())
    }
}

/// A time in a sentence, in seconds unless it is long.
struct Seconds(u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 as f64 / 1e9;
        if seconds >= 120.0 {
            crate::report::words::Span(self.0).fmt(f)
        } else if self.0 < 100_000_000 {
            f.write_str("less than 0.1 s")
        } else if seconds >= 10.0 || self.0.is_multiple_of(1_000_000_000) {
            write!(f, "{seconds:.0} s")
        } else {
            write!(f, "{seconds:.1} s")
        }
    }
}

/// One operation, of a kind, with its words.
fn one(
    step: &Step<'_>,
    kind: FindingKind,
    severity: Option<Severity>,
    (expected, observed): (fmt::Arguments<'_>, fmt::Arguments<'_>),
    profile: Option<&Compiled>,
    sink: &mut dyn FindingSink,
) {
    let subject = Subject::of_operation(step.operation, profile);
    let coverage = step.coverage();
    let frames = Frames::of_operation(step.operation);
    let finding = Finding { kind, severity, expected, observed, ..subject.finding(coverage, &frames) };
    if !coverage::bears(kind, coverage) {
        return sink.withheld(kind);
    }
    sink.finding(&finding);
}

pub(super) fn identification(
    step: &Step<'_>,
    severity: Option<Severity>,
    site: SiteView<'_>,
    sink: &mut dyn FindingSink,
) {
    let words = (
        format_args!("such a question only from an inventory tool that the profile names"),
        format_args!("{}", crate::detect::raise::Asked(step.operation)),
    );
    one(step, FindingKind::DeviceIdentification, severity, words, site.profile, sink);
}

pub(super) fn self_address(step: &Step<'_>, site: SiteView<'_>, sink: &mut dyn FindingSink) {
    let words = (
        format_args!("a station's own link address"),
        format_args!("the self-address 65532, to which any station may answer"),
    );
    one(step, FindingKind::LinkScan, None, words, site.profile, sink);
}

pub(super) fn integrity_poll(step: &Step<'_>, site: SiteView<'_>, sink: &mut dyn FindingSink) {
    let asked = crate::detect::raise::Asked(step.operation);
    let observed = format_args!("{asked} as one of its first requests");
    let minutes = site.thresholds.host_learning / 60.0;
    if site.judging().is_some() {
        let words = (format_args!("polls by the masters that the profile names"), observed);
        return one(step, FindingKind::IntegrityPoll, None, words, site.profile, sink);
    }
    let expected = format_args!("polls by masters that were there in the first {minutes:.0} min");
    one(step, FindingKind::IntegrityPoll, None, (expected, observed), site.profile, sink);
}

pub(super) fn storm(step: &Step<'_>, count: u32, ns: u64, site: SiteView<'_>, sink: &mut dyn FindingSink) {
    let words = (
        format_args!("at most {} unsolicited reports a second", site.thresholds.unsolicited_rate),
        format_args!("{count} within {}", Seconds(ns)),
    );
    one(step, FindingKind::UnsolicitedStorm, None, words, site.profile, sink);
}

/// A RST that contradicts what its connection shows: nothing has to be counted.
pub(super) fn torn(
    context: &FlowContext,
    flow: &FlowInfo,
    sign: Forged,
    origin: &Origin,
    site: SiteView<'_>,
    sink: &mut dyn FindingSink,
) {
    let mut subject = Subject::of_flow(flow, origin.at, site.profile);
    subject.protocol = Some(context.protocol);
    let coverage = context.blindness.at(flow, origin.at, &site.losses);
    let (expected, observed) = match sign {
        Forged::GoesOn => (
            "nothing more from a side that has reset its connection",
            "new octets from the side in whose name a RST came",
        ),
        Forged::BothSides | Forged::Numbers => (
            "a connection reset by one of its sides, to which the other says nothing",
            "RST segments in the name of both sides within 1 s",
        ),
    };
    sink.finding(&Finding {
        kind: FindingKind::TcpTeardown,
        expected: format_args!("{expected}"),
        observed: format_args!("{observed}"),
        fold_key: 1,
        ..subject.finding(coverage, &Frames::of_origin(origin))
    });
}

pub(super) fn teardown(
    context: &FlowContext,
    flow: &FlowInfo,
    origin: &Origin,
    within: Within,
    site: SiteView<'_>,
    sink: &mut dyn FindingSink,
) {
    let mut subject = Subject::of_flow(flow, origin.at, site.profile);
    subject.protocol = Some(context.protocol);
    let coverage = context.blindness.at(flow, origin.at, &site.losses);
    let frames = Frames::of_origin(origin);
    let finding = Finding {
        kind: FindingKind::TcpTeardown,
        expected: format_args!("RST segments with sequence numbers of their connection"),
        observed: format_args!(
            "{} RST segments within {} that fit no connection",
            within.count,
            Seconds(within.span_ns)
        ),
        ..subject.finding(coverage, &frames)
    };
    if !coverage::bears(finding.kind, coverage) {
        return sink.withheld(finding.kind);
    }
    sink.finding(&finding);
}
