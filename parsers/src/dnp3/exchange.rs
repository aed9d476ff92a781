//! From checked frames to operations: transport series, fragments, and who answers whom.

use super::application::{self, Fragment, Headers};
use super::association::{Association, Associations, Key, Lookup};
use super::checks;
use super::detail::{LinkView, View};
use super::emit;
use super::function;
use super::link;
use super::matching::{self, Match};
use super::object::Observed;
use super::pairing::{self, Pending};
use super::survey::{self, Survey};
use super::transport::{self, Outcome as Step};
use crate::contract::*;
use crate::scene::Scene;

/// One frame with a good header.
pub(super) struct Frame<'a> {
    pub direction: Direction,
    pub origin: Origin,
    pub recovered: bool,
    pub header: link::Header,
    pub octets: &'a [u8],
}

impl Frame<'_> {
    pub(super) fn is_from_master(&self) -> bool {
        self.header.control.dir()
    }

    /// Addresses of the outstation and of the master, by the DIR bit.
    pub(super) fn parties(&self) -> (u16, u16) {
        let link::Header { source, destination, .. } = self.header;
        if self.is_from_master() { (destination, source) } else { (source, destination) }
    }

    fn key(&self) -> Key {
        let (outstation, master) = self.parties();
        let side = if self.is_from_master() { self.direction } else { self.direction.reverse() };
        Key { master, outstation, master_sends: side }
    }

    fn scene<'s>(&'s self, flow: &'s FlowInfo) -> Scene<'s> {
        let mut scene = Scene::new(Protocol::Dnp3, flow, self.direction, self.origin, self.octets);
        scene.station = StationAddress::Link(self.parties().0);
        scene.from_master = Some(self.is_from_master());
        scene
    }

    /// Whether the octets behind the header are a transport segment. Functions that carry nothing keep
    /// their octets to themselves; the undefined ones are looked into, so that nothing hides there.
    pub(super) fn has_segment(&self) -> bool {
        self.header.user_data() > 0 && !matches!(self.header.control.function(), 0 | 9 | 11)
    }
}

/// Everything above the link layer on one flow.
pub(super) struct Exchanges {
    associations: Associations,
    pending: Pending,
    fragment_limit: usize,
    /// Nanoseconds after which the next segment of a fragment is overdue.
    patience_ns: u64,
    /// No segment is overdue before.
    segment_due: Option<Timestamp>,
    /// Ranges of the operation at hand.
    ranges: Vec<PointRange>,
    /// Master, sequence and function of the last broadcast.
    broadcast: Option<matching::Broadcast>,
}

impl Exchanges {
    pub(super) fn set_answer_timeout(&mut self, ns: u64) {
        self.pending.set_timeout(ns);
        self.patience_ns = ns;
    }

    pub(super) fn new(limits: &Limits) -> Exchanges {
        Exchanges {
            associations: Associations::new(limits.links),
            pending: Pending::new(limits.pending_requests, limits.answer_timeout_ns, limits.late_answer_ns),
            fragment_limit: limits.fragment_bytes,
            patience_ns: limits.answer_timeout_ns,
            segment_due: None,
            ranges: Vec::new(),
            broadcast: None,
        }
    }

    /// Take a frame with its user data, and whether the CRCs of those hold.
    pub(super) fn frame(
        &mut self,
        flow: &FlowInfo,
        frame: &Frame<'_>,
        (user_data, good): (&[u8], bool),
        observer: &mut dyn Observer,
    ) {
        self.expire(flow, frame.origin.at, observer);
        let scene = frame.scene(flow);
        let transport = user_data.first().filter(|_| frame.has_segment()).map(|o| transport::Header(*o));
        let data_crc_ok = (frame.header.user_data() > 0).then_some(good);
        let link = LinkView {
            octets: frame.octets,
            header: frame.header,
            header_crc_ok: true,
            data_crc_ok,
            transport,
        };
        checks::link(&scene, frame.header, observer);
        if !good {
            let mut scene = scene;
            scene.offset = link::first_bad_block(frame.octets).unwrap_or(0);
            let texts = (
                format_args!("good block CRCs"),
                format_args!("a wrong CRC in the block at {}", scene.offset),
            );
            scene.report(observer, (DefectKind::BadChecksum, "DN-C02"), texts.0, texts.1);
            emit::unit(flow, frame, link, None, observer);
            return;
        }
        let index = self.association(flow, frame, observer);
        if let (Some(header), [_, segment @ ..]) = (transport, user_data) {
            self.segment(flow, frame, link, index, (header, segment), observer);
            return;
        }
        emit::unit(flow, frame, link, None, observer);
        emit::link_operation(flow, frame, link, observer);
    }

    /// The pair that the frame belongs to.
    fn association(&mut self, flow: &FlowInfo, frame: &Frame<'_>, observer: &mut dyn Observer) -> usize {
        let whole = !flow.coverage.midstream && flow.coverage.gaps == 0 && !frame.recovered;
        let found = self.associations.look_up(frame.key(), frame.direction, whole);
        let index = match found {
            Lookup::Known(index) | Lookup::New(index) => index,
            Lookup::InPlace(index) => {
                if self.associations.tell_full() {
                    let limit = self.associations.limit();
                    let (expected, observed) = (
                        format_args!("at most {limit} pairs of link addresses on one connection (links)"),
                        format_args!("one more; the pair unused for longest is forgotten, and so on"),
                    );
                    frame.scene(flow).report(observer, (DefectKind::LimitReached, ""), expected, observed);
                }
                self.pending.abandon(index);
                index
            }
        };
        if self.associations.get_mut(index).is_some_and(|pair| pair.reversed) {
            let (expected, observed) = (
                format_args!("the role this address had"),
                format_args!("DIR {}", u8::from(frame.is_from_master())),
            );
            frame.scene(flow).report(observer, (DefectKind::RoleReversal, "DN-C06"), expected, observed);
        }
        index
    }

    fn segment(
        &mut self,
        flow: &FlowInfo,
        frame: &Frame<'_>,
        link: LinkView<'_>,
        index: usize,
        (header, segment): (transport::Header, &[u8]),
        observer: &mut dyn Observer,
    ) {
        let side = usize::from(!frame.is_from_master());
        let limit = self.fragment_limit;
        let Some(pair) = self.associations.get_mut(index) else { return };
        let Some(series) = pair.series.get_mut(side) else { return };
        let (step, cut_off) = if frame.header.control.carries_user_data() {
            series.push(header, segment, limit, (frame.origin, frame.recovered))
        } else if header.fir() && header.fin() {
            // No station takes such a frame for a segment, so it must not disturb the series.
            (Step::Whole, false)
        } else {
            (Step::Tolerated, false)
        };
        if cut_off {
            let texts = (format_args!("the rest of the fragment begun"), format_args!("FIR: a new one"));
            frame.scene(flow).report(observer, (DefectKind::IncompleteFragment, "DN-C08"), texts.0, texts.1);
        }
        if step == Step::Waiting {
            let due = frame.origin.at.plus(self.patience_ns);
            self.segment_due = Some(self.segment_due.map_or(due, |before| before.min(due)));
        }
        match step {
            Step::Whole => {
                let about = (frame.origin, frame.recovered);
                self.fragment(flow, frame, link, index, (segment, about), observer);
            }
            Step::Complete => {
                let about = (series.origin, series.recovered);
                let octets = series.lend();
                self.fragment(flow, frame, link, index, (&octets, about), observer);
                if let Some(series) = self.associations.get_mut(index).and_then(|p| p.series.get_mut(side)) {
                    series.put_back(octets);
                }
            }
            other => {
                emit::unit(flow, frame, link, None, observer);
                emit::segment_defect(&frame.scene(flow), header, other, limit, observer);
            }
        }
    }

    /// A whole fragment.
    fn fragment(
        &mut self,
        flow: &FlowInfo,
        frame: &Frame<'_>,
        link: LinkView<'_>,
        index: usize,
        (octets, (origin, recovered)): (&[u8], (Origin, bool)),
        observer: &mut dyn Observer,
    ) {
        let Some(fragment) = Fragment::new(octets) else {
            emit::unit(flow, frame, link, None, observer);
            let texts = (format_args!("a fragment of at least 2 octets"), format_args!("{}", octets.len()));
            frame.scene(flow).report(observer, (DefectKind::Malformed, "DN-C13"), texts.0, texts.1);
            return;
        };
        emit::unit(flow, frame, link, Some(fragment), observer);
        let mut scene = frame.scene(flow);
        scene.origin = origin;
        scene.octets = octets;
        scene.function = Some(function::function(fragment.function));
        checks::application(&scene, &fragment, observer);
        let now_ms = origin.at.0 / 1_000_000;
        let mut headers = Headers::new();
        let survey =
            survey::survey(&fragment, now_ms, &mut headers, &mut self.ranges, &mut |trouble, header| {
                let mut scene = scene;
                scene.offset = fragment.body_offset() + trouble.offset;
                let (fault, words) = (trouble.fault, trouble.fault.words());
                let texts =
                    (format_args!("{}", words.expected), format_args!("{}", Observed { fault, header }));
                scene.report(observer, (words.kind, words.check), texts.0, texts.1);
            });
        let fragment = fragment.with(&headers);
        let found = self.matched(&scene, frame, index, &fragment, &survey, observer);
        self.operation(&scene, frame, link, fragment, (&survey, found, recovered), observer);
    }

    /// Who answers whom.
    fn matched(
        &mut self,
        scene: &Scene<'_>,
        frame: &Frame<'_>,
        index: usize,
        fragment: &Fragment<'_>,
        survey: &Survey,
        observer: &mut dyn Observer,
    ) -> Match {
        let Some(pair) = self.associations.get_mut(index) else { return Match::default() };
        let code = fragment.function;
        // A party that speaks out of its role was reported; it neither asks nor answers.
        if function::is_response(code) == frame.is_from_master() {
            return Match::default();
        }
        let mut table = matching::Table {
            pair,
            index,
            pending: &mut self.pending,
            broadcast: &mut self.broadcast,
            ranges: &mut self.ranges,
        };
        match code {
            function::CONFIRM => table.confirm(scene, fragment, observer),
            function::UNSOLICITED_RESPONSE => table.unsolicited(scene, fragment),
            function::RESPONSE | function::AUTHENTICATE_RESP => {
                table.response(scene, fragment, survey, observer)
            }
            _ if function::is_response(code) => Match::default(),
            _ => table.request(scene, frame.parties(), fragment, survey, observer),
        }
    }

    fn operation(
        &self,
        scene: &Scene<'_>,
        frame: &Frame<'_>,
        link: LinkView<'_>,
        fragment: Fragment<'_>,
        (survey, found, recovered): (&Survey, Match, bool),
        observer: &mut dyn Observer,
    ) {
        let code = fragment.function;
        let (exchange, outcome) = match code {
            function::CONFIRM => (Exchange::Confirm, Outcome::None),
            function::UNSOLICITED_RESPONSE => (Exchange::Unsolicited, Outcome::None),
            code if function::is_response(code) => (Exchange::Response, survey::outcome(&fragment, survey)),
            _ => (Exchange::Request, Outcome::None),
        };
        let action = match (exchange, found.action) {
            (Exchange::Request, _) => survey::request_action(code, survey),
            // What a read brings is a report.
            (Exchange::Response, Some(Action::Read)) => Action::Report,
            (Exchange::Response, Some(action)) if code == function::RESPONSE => action,
            _ => function::action(code),
        };
        let (outstation, master) = frame.parties();
        let view = View { link, fragment: Some(fragment), of_fragment: true };
        observer.operation(&Operation {
            flow: scene.flow,
            direction: scene.direction,
            origin: scene.origin,
            protocol: Protocol::Dnp3,
            exchange,
            from_master: frame.is_from_master(),
            station: StationAddress::Link(outstation),
            master: StationAddress::Link(master),
            action,
            function: function::function(code),
            requested: found.requested.map(function::function),
            ranges: &self.ranges,
            more_ranges: survey.more_ranges || found.more_ranges,
            outcome,
            answers: found.answers,
            sequence: fragment.control.sequence().into(),
            broadcast: link::is_broadcast(frame.header.destination),
            wants_answer: exchange == Exchange::Request
                && matching::wants_answer(frame.parties().0, code, survey),
            body: fragment.body(),
            recovered,
            detail: &view,
        });
    }

    /// Report what was due before `now`.
    pub(super) fn expire(&mut self, flow: &FlowInfo, now: Timestamp, observer: &mut dyn Observer) {
        while let Some(row) = self.pending.next_forgotten(now) {
            self.pending.remove(row);
        }
        while let Some(row) = self.pending.next_due(now) {
            matching::unanswered(flow, &self.pending, row, observer);
        }
        if self.segment_due.is_some_and(|due| due < now) {
            self.overdue_segments(flow, now, observer);
        }
    }

    /// Report fragments that do not go on, once each; what comes after all is taken all the same.
    #[cold]
    fn overdue_segments(&mut self, flow: &FlowInfo, now: Timestamp, observer: &mut dyn Observer) {
        let patience = self.patience_ns;
        self.segment_due = None;
        for pair in self.associations.all_mut() {
            let Association { key, series, .. } = pair;
            for (series, from_master) in series.iter_mut().zip([true, false]) {
                let Some(due) = series.last_segment_at().map(|at| at.plus(patience)) else { continue };
                if due < now {
                    let waited = Wait(patience);
                    emit::unfinished(
                        flow,
                        *key,
                        from_master,
                        series,
                        format_args!("within {waited}"),
                        observer,
                    );
                    series.told();
                } else {
                    self.segment_due = Some(self.segment_due.map_or(due, |before| before.min(due)));
                }
            }
        }
    }

    /// The flow ends. A fragment that is longer than any station has to take and has no end is told of at once; for
    /// a short one this may be no more than the end of the capture.
    pub(super) fn finish(&mut self, flow: &FlowInfo, observer: &mut dyn Observer) {
        for pair in self.associations.all_mut() {
            let Association { key, series, .. } = pair;
            for (series, from_master) in series.iter_mut().zip([true, false]) {
                if series.last_segment_at().is_some() && series.octets().len() > application::USUAL_FRAGMENT {
                    emit::unfinished(
                        flow,
                        *key,
                        from_master,
                        series,
                        format_args!("by the end of the flow"),
                        observer,
                    );
                    series.told();
                }
            }
        }
    }

    /// Octets were lost in one direction.
    pub(super) fn interrupt(&mut self, flow: &FlowInfo, gap: &Gap<'_>, observer: &mut dyn Observer) {
        for pair in self.associations.all_mut() {
            let Association { key, series, .. } = pair;
            let from_master = key.master_sends == gap.direction;
            let side = usize::from(!from_master);
            if series.get_mut(side).is_some_and(transport::Series::interrupt) {
                let mut scene = Scene::new(Protocol::Dnp3, flow, gap.direction, gap.origin, &[]);
                scene.station = StationAddress::Link(key.outstation);
                scene.from_master = Some(from_master);
                let texts =
                    (format_args!("the rest of the fragment begun"), format_args!("a hole in the octets"));
                scene.report(observer, (DefectKind::IncompleteFragment, ""), texts.0, texts.1);
            }
        }
    }

    /// When the oldest open request, or the next segment of a fragment, is due.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        match (self.pending.deadline(), self.segment_due) {
            (Some(answer), Some(segment)) => Some(answer.min(segment)),
            (answer, segment) => answer.or(segment),
        }
    }

    /// Heap octets held.
    pub(super) fn memory(&self) -> usize {
        self.associations.memory()
            + self.pending.memory()
            + self.ranges.capacity() * size_of::<PointRange>()
            + pairing::KEPT_RANGES
    }
}
