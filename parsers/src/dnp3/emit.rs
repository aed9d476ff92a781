//! Frames and segments as the observer is told of them.

use super::application::Fragment;
use super::association::Key;
use super::detail::{LinkView, View};
use super::exchange::Frame;
use super::link;
use super::transport::{self, Outcome as Step};
use crate::contract::*;
use crate::scene::Scene;

/// Tell of a frame.
pub(super) fn unit(
    flow: &FlowInfo,
    frame: &Frame<'_>,
    link: LinkView<'_>,
    fragment: Option<Fragment<'_>>,
    observer: &mut dyn Observer,
) {
    let view = View { link, fragment, of_fragment: false };
    observer.unit(&Unit {
        flow,
        direction: frame.direction,
        origin: frame.origin,
        head: frame.origin,
        protocol: Protocol::Dnp3,
        recovered: frame.recovered,
        opens: false,
        detail: &view,
    });
}

/// Show a frame that no station accepts, whole or cut off, as far as its octets go.
pub(super) fn unaccepted(
    flow: &FlowInfo,
    frame: &Frame<'_>,
    header_crc_ok: bool,
    observer: &mut dyn Observer,
) {
    let whole = frame.octets.len() >= frame.header.wire();
    let blocks = link::whole_blocks(frame.octets, frame.header);
    let mut user_data = link::UserData::<{ link::MAX_USER_DATA }>::new();
    let good = user_data.load(blocks);
    let data_crc_ok = (blocks.len() > link::HEADER).then_some(good);
    let octet = frame.octets.get(link::HEADER).filter(|_| frame.has_segment());
    let transport = octet.map(|octet| transport::Header(*octet));
    // The octets are accounted for as skipped, by the defect that goes with this.
    let link = LinkView { octets: &[], header: frame.header, header_crc_ok, data_crc_ok, transport };
    let alone = transport.is_some_and(|octet| octet.fir() && octet.fin());
    let fragment = user_data.octets().get(1..).filter(|_| whole && good && alone);
    unit(flow, frame, link, fragment.and_then(Fragment::new), observer);
}

/// A frame that belongs to the link layer alone.
pub(super) fn link_operation(
    flow: &FlowInfo,
    frame: &Frame<'_>,
    link: LinkView<'_>,
    observer: &mut dyn Observer,
) {
    let control = frame.header.control;
    if control.carries_user_data() {
        return;
    }
    let outcome = match (control.primary(), control.function()) {
        (false, 0 | 11) => Outcome::Success,
        (false, code @ (1 | 14 | 15)) => {
            Outcome::Refused { code: code.into(), name: control.function_name() }
        }
        _ => Outcome::None,
    };
    let (outstation, master) = frame.parties();
    let view = View { link, fragment: None, of_fragment: true };
    observer.operation(&Operation {
        flow,
        direction: frame.direction,
        origin: frame.origin,
        protocol: Protocol::Dnp3,
        exchange: Exchange::Link,
        from_master: frame.is_from_master(),
        station: StationAddress::Link(outstation),
        master: StationAddress::Link(master),
        action: Action::Link,
        function: Function { code: control.function(), sub: None, name: control.function_name() },
        requested: None,
        ranges: &[],
        more_ranges: false,
        outcome,
        answers: None,
        sequence: 0,
        broadcast: link::is_broadcast(frame.header.destination),
        wants_answer: false,
        body: &[],
        recovered: frame.recovered,
        detail: &view,
    });
}

/// Tell what a segment broke.
pub(super) fn segment_defect(
    scene: &Scene<'_>,
    header: transport::Header,
    step: Step,
    limit: usize,
    observer: &mut dyn Observer,
) {
    let number = header.sequence();
    match step {
        Step::NoSeries => {
            let texts =
                (format_args!("FIR in the first segment"), format_args!("segment {number} without it"));
            scene.report(observer, (DefectKind::IncompleteFragment, "DN-C08"), texts.0, texts.1);
        }
        Step::OutOfSequence { expected } => {
            let texts = (format_args!("segment {expected}"), format_args!("segment {number}"));
            scene.report(observer, (DefectKind::SequenceError, "DN-C08"), texts.0, texts.1);
        }
        Step::TooLong => {
            let texts = (format_args!("a fragment of at most {limit} octets"), format_args!("more"));
            scene.report(observer, (DefectKind::LimitReached, "DN-C08"), texts.0, texts.1);
        }
        Step::Whole | Step::Complete | Step::Waiting | Step::Tolerated => {}
    }
}

/// A fragment whose last segment has not come `by` some time.
pub(super) fn unfinished(
    flow: &FlowInfo,
    key: Key,
    from_master: bool,
    series: &transport::Series,
    by: core::fmt::Arguments<'_>,
    observer: &mut dyn Observer,
) {
    let side = if from_master { key.master_sends } else { key.master_sends.reverse() };
    let mut scene = Scene::new(Protocol::Dnp3, flow, side, series.origin, series.octets());
    scene.station = StationAddress::Link(key.outstation);
    scene.from_master = Some(from_master);
    let octets = series.octets().len();
    let texts =
        (format_args!("the last segment of a fragment {by}"), format_args!("{octets} octets without an end"));
    scene.report(observer, (DefectKind::IncompleteFragment, "DN-C08"), texts.0, texts.1);
}
