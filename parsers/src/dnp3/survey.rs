//! One look at every object of a fragment: which points it names, what is wrong with it, and what it
//! says about the exchange. The checks are those of IEEE 1815 that one fragment can break by itself.

use super::application::{Fragment, Headers};
use super::function;
use super::object::header::Item;
use super::object::layout::Shape;
use super::object::{Fault, ObjectHeader, Range, Trouble, layout, names, value};
use crate::contract::{Action, Outcome, PointKind, PointRange, Value};

/// Ranges listed with an operation; there may be more.
pub(super) const RANGES: usize = 32;

/// 2000-01-01T00:00:00Z in milliseconds: DNP3 was young then, and clocks that were never set say 1970.
const YEAR_2000_MS: u64 = 946_684_800_000;
/// A day in milliseconds: how far a clock may be ahead.
const DAY_MS: u64 = 86_400_000;

/// What the objects of a fragment amount to.
#[derive(Debug, Copy, Clone, Default)]
pub(super) struct Survey {
    /// There were more than [`RANGES`] ranges.
    pub more_ranges: bool,
    /// The first command, file or authentication status that is no success.
    pub refusal: Option<(u16, &'static str)>,
    /// Object headers.
    pub headers: u32,
    /// Headers of device attributes, file objects, and of times.
    attributes: u32,
    files: u32,
    times: u32,
    indications: u32,
    /// An authentication challenge (g120v1): the request it is about stays open.
    pub challenge: bool,
    /// An authentication reply (g120v2): it is answered by the answer to the challenged request.
    pub reply: bool,
    common_time: bool,
    time_fault: bool,
}

/// Look at all objects. `now_ms` is packet time; `ranges` is emptied and filled, `headers` is filled. `report` is told
/// of trouble and the header it is about, unless that is cut.
pub(super) fn survey<'a>(
    fragment: &Fragment<'a>,
    now_ms: u64,
    headers: &mut Headers<'a>,
    ranges: &mut Vec<PointRange>,
    report: &mut dyn FnMut(&Trouble, Option<&ObjectHeader<'_>>),
) -> Survey {
    ranges.clear();
    let mut survey = Survey::default();
    let mut walk = fragment.objects();
    while let Some(step) = headers.next(&mut walk) {
        let header = match step {
            Ok(header) => header,
            Err(trouble) => {
                report(&trouble, None);
                // What stands behind the damage is not known: a rule for certain points must not pass it.
                survey.more_ranges = true;
                break;
            }
        };
        survey.headers += 1;
        survey.note_group(header);
        let mut report = |trouble: &Trouble| report(trouble, Some(header));
        if let Some(trouble) = &header.trouble {
            report(trouble);
        }
        if let Some(trouble) = misplaced(fragment.function, header) {
            report(&trouble);
        }
        survey.collect(header, ranges);
        survey.look_into(header, now_ms, &mut report);
    }
    survey
}

/// The class of a request, by its function and objects.
pub(super) fn request_action(code: u8, survey: &Survey) -> Action {
    let all = |some: u32| some > 0 && some == survey.headers;
    match code {
        function::READ | function::WRITE if survey.files > 0 => Action::File,
        function::READ if all(survey.attributes) => Action::Identify,
        function::WRITE if all(survey.times) => Action::Time,
        // Writing internal indications clears the restart flag; writing attributes changes a device.
        function::WRITE if all(survey.indications) || all(survey.attributes) => Action::Configure,
        code => function::action(code),
    }
}

/// How a response answers: error bits first, then status octets.
pub(super) fn outcome(fragment: &Fragment<'_>, survey: &Survey) -> Outcome {
    let error = fragment.iin.map_or(0, |[_, second]| second & super::application::REFUSALS);
    if error != 0 {
        let name = super::application::iin_names([0, error]).next().unwrap_or("unknown");
        return Outcome::Refused { code: error.into(), name };
    }
    match survey.refusal {
        Some((code, name)) => Outcome::Refused { code, name },
        None => Outcome::Success,
    }
}

impl Survey {
    fn note_group(&mut self, header: &ObjectHeader<'_>) {
        match (header.group, header.variation) {
            (0, _) => self.attributes += 1,
            (50, _) => self.times += 1,
            (51, _) => self.common_time = true,
            (70, _) => self.files += 1,
            (80, _) => self.indications += 1,
            (120, 1) => self.challenge = true,
            (120, 2) => self.reply = true,
            _ => {}
        }
    }

    fn add(&mut self, ranges: &mut Vec<PointRange>, range: PointRange) {
        if ranges.len() < RANGES {
            ranges.push(range);
        } else {
            self.more_ranges = true;
        }
    }

    /// The points a header names.
    fn collect(&mut self, header: &ObjectHeader<'_>, ranges: &mut Vec<PointRange>) {
        let kind = layout::kind(header.group);
        match (header.group, header.variation, header.range) {
            // Neither a common time nor authentication is a point.
            (51 | 120, ..) => {}
            (60, 1..=4, _) => {
                self.add(ranges, PointRange::one(PointKind::ClassData, u32::from(header.variation) - 1));
            }
            (0, variation, _) => self.add(ranges, PointRange::one(kind, variation.into())),
            (_, _, Range::Indices(first, last) | Range::Addresses(first, last)) => {
                self.add(ranges, PointRange::new(kind, first, last));
            }
            (_, _, Range::Count(_)) if matches!(header.prefix(), 1..=3) => self.indices(header, kind, ranges),
            _ => self.add(ranges, PointRange::all(kind)),
        }
    }

    /// Runs of consecutive indices.
    fn indices(&mut self, header: &ObjectHeader<'_>, kind: PointKind, ranges: &mut Vec<PointRange>) {
        let mut run: Option<(u32, u32)> = None;
        let (mut records, mut items) = (header.records(), header.items());
        let next = || if let Some(records) = &mut records { records.next() } else { items.next() };
        for index in core::iter::from_fn(next).filter_map(|item| item.index) {
            run = match run {
                Some((first, last)) if last.checked_add(1) == Some(index) => Some((first, index)),
                Some((first, last)) => {
                    self.add(ranges, PointRange::new(kind, first, last));
                    if self.more_ranges {
                        return;
                    }
                    Some((index, index))
                }
                None => Some((index, index)),
            };
        }
        if let Some((first, last)) = run {
            self.add(ranges, PointRange::new(kind, first, last));
        }
    }

    /// Checks that need the objects themselves; only of the groups that have something to check.
    fn look_into(&mut self, header: &ObjectHeader<'_>, now_ms: u64, report: &mut dyn FnMut(&Trouble)) {
        if !header.has_objects {
            return;
        }
        let relative = matches!((header.group, header.variation), (2 | 4, 3));
        if relative && !self.common_time {
            report(&Trouble { fault: Fault::RelativeTime, offset: header.offset });
        }
        match header.group {
            12 | 41 => match header.records() {
                Some(records) => records.for_each(|item| self.command(header, &item, report)),
                None => header.items().for_each(|item| self.command(header, &item, report)),
            },
            70 | 120 => header.items().for_each(|item| self.status(header, &item)),
            50 | 51 => header.items().for_each(|item| self.time(header, &item, now_ms, report)),
            _ => {}
        }
    }

    /// DN-C14, and the status of a command.
    fn command(&mut self, header: &ObjectHeader<'_>, item: &Item<'_>, report: &mut dyn FnMut(&Trouble)) {
        if let (Some(Shape::Crob), [code, _, _, _, _, _, _, _, _, _, 0]) = (header.shape, item.octets)
            && code & 0x0F <= 4
            && code >> 6 != 3
        {
            return;
        }
        let point = value::point(header, item, None);
        let fault = match point.value {
            Value::Crob(crob) if crob.code & 0x0F > 4 => Some(Fault::OperationType),
            Value::Crob(crob) if crob.code >> 6 == 3 => Some(Fault::TripClose),
            Value::Float32(number) if !number.is_finite() => Some(Fault::NotFinite),
            Value::Float64(number) if !number.is_finite() => Some(Fault::NotFinite),
            _ => None,
        };
        if let Some(fault) = fault {
            report(&Trouble { fault, offset: item.offset });
        }
        if let (Some(status @ 1..), None) = (point.status, self.refusal) {
            self.refusal = Some((status.into(), names::command_status(status)));
        }
    }

    fn status(&mut self, header: &ObjectHeader<'_>, item: &Item<'_>) {
        let code = |offset: usize| item.octets.get(offset).copied();
        let refusal = match (header.group, header.variation) {
            (70, 4) => code(12).filter(|c| *c != 0).map(|c| (c, names::file_status(c))),
            (70, 6) => code(8).filter(|c| *c != 0).map(|c| (c, names::file_status(c))),
            (120, 7) => code(8).map(|c| (c, names::auth_error(c))),
            _ => None,
        };
        if let (Some((code, name)), None) = (refusal, self.refusal) {
            self.refusal = Some((code.into(), name));
        }
    }

    /// DN-C19, once per fragment.
    fn time(
        &mut self,
        header: &ObjectHeader<'_>,
        item: &Item<'_>,
        now_ms: u64,
        report: &mut dyn FnMut(&Trouble),
    ) {
        let Value::TimeMs(time) = value::point(header, item, None).value else { return };
        if self.time_fault || (YEAR_2000_MS..=now_ms.saturating_add(DAY_MS)).contains(&time) {
            return;
        }
        self.time_fault = true;
        report(&Trouble { fault: Fault::ImpossibleTime, offset: item.offset });
    }
}

/// DN-C11: an object that has no business under its function.
fn misplaced(code: u8, header: &ObjectHeader<'_>) -> Option<Trouble> {
    let (group, variation) = (header.group, header.variation);
    let fits = match code {
        _ if group == 120 => true,
        function::SELECT | function::OPERATE | function::DIRECT_OPERATE | function::DIRECT_OPERATE_NR => {
            matches!(group, 12 | 41)
        }
        function::FREEZE_AT_TIME | function::FREEZE_AT_TIME_NR if group == 50 => variation == 2,
        function::IMMED_FREEZE..=function::FREEZE_AT_TIME_NR => matches!(group, 20 | 21 | 30 | 31),
        function::ENABLE_UNSOLICITED | function::DISABLE_UNSOLICITED => group == 60 && variation >= 2,
        code => !function::takes_no_objects(code),
    };
    (!fits).then_some(Trouble { fault: Fault::Misplaced, offset: header.offset })
}
