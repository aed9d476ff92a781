//! What a read of static data answers: the present values, object by object.

use super::super::View;
use super::super::points::Source;
use super::iin;
use super::outstation::Outstation;
use crate::encode::dnp3::{Header, Range, Sample, object};
use crate::value::Value;

impl Outstation {
    pub(super) fn value(&self, source: Source, view: &View<'_>) -> f64 {
        match source {
            Source::Grid(quantity, scale) => (view.value(quantity) * scale).round(),
            Source::Latch(index) => f64::from(u8::from(self.latches[index])),
        }
    }

    fn count(&self, group: u8) -> usize {
        match group {
            1 => self.points.binary.len(),
            10 => self.points.outputs.len(),
            20 => self.points.counters.len(),
            30 => self.points.analog.len(),
            40 => self.points.settings.len(),
            _ => 0,
        }
    }

    fn sample(&self, group: u8, index: usize, view: &View<'_>) -> Sample {
        let bit = |source| Value::Bit(self.value(source, view) > 0.5);
        let value = match group {
            1 => bit(self.points.binary[index]),
            10 => Value::Bit(self.output_state(index, view)),
            20 => Value::Unsigned(self.value(self.points.counters[index], view) as u64),
            30 => Value::Signed(self.value(self.points.analog[index], view) as i64),
            _ => Value::Float32(self.points.settings[index] as f32),
        };
        Sample { value, flags: 1, status: 0, time_ms: 0, base_ms: 0 }
    }

    /// Points `first..=last` of a group in its usual variation, one object header.
    fn objects(&self, group: u8, first: usize, last: usize, view: &View<'_>) -> Vec<u8> {
        let variation = match group {
            1 | 10 => 2,
            40 => 3,
            _ => 1,
        };
        let mut out = Header::new(group, variation, Range::Points8(first as u8, last as u8)).encode();
        for index in first..=last {
            out.extend_from_slice(&object(group, variation, &self.sample(group, index, view)));
        }
        out
    }

    /// All static data, one piece for each group that has points.
    pub(super) fn class_zero(&self, view: &View<'_>) -> Vec<Vec<u8>> {
        let groups = [1, 10, 20, 30, 40].into_iter().filter(|group| self.count(*group) > 0);
        groups.map(|group| self.objects(group, 0, self.count(group) - 1, view)).collect()
    }

    /// Points of one group by range; `None` for the range: all. The error is the second octet of the
    /// indications.
    pub(super) fn read_group(
        &self,
        group: u8,
        range: Option<(usize, usize)>,
        view: &View<'_>,
    ) -> Result<Vec<u8>, u8> {
        let count = self.count(group);
        if count == 0 {
            return Err(iin::OBJECT_UNKNOWN);
        }
        let (first, last) = range.unwrap_or((0, count - 1));
        if first > last || last >= count {
            return Err(iin::PARAMETER);
        }
        Ok(self.objects(group, first, last, view))
    }
}
