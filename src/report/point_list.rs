//! The points of an operation, with their values: most of what its line holds.

use parsers::{EachPoint, Operation, Point, PointKind, PointSink, Protocol, Value};

use super::event::{point_kind, ranges};
use super::json::{Json, key};

/// Points with values in an event; the rest are counted.
pub const EVENT_POINTS: usize = 128;
/// Octets of a value without a known meaning that an event shows; the rest are counted.
pub const VALUE_OCTETS: usize = 256;

/// `points`, and `ranges` where there are no values (a read request).
pub(super) fn points(json: &mut Json, operation: &Operation<'_>) {
    json.member(key!("points"));
    json.open_list();
    let mut list = PointList { json, seen: 0 };
    // Runs do not say which object their values come from; points of Modbus come from none.
    if operation.protocol == Protocol::Modbus {
        operation.detail.values(&mut list);
    } else {
        operation.detail.points(&mut |point| list.point(point));
    }
    let PointList { json, seen } = list;
    json.close_list();
    if seen > EVENT_POINTS {
        json.member(key!("points_omitted"));
        json.unsigned((seen - EVENT_POINTS) as u64);
    }
    if seen > 0 || operation.ranges.is_empty() {
        return;
    }
    json.member(key!("ranges"));
    ranges(json, operation.ranges);
    if operation.more_ranges {
        json.member(key!("more_ranges"));
        json.boolean(true);
    }
}

/// Writes points as they are handed out, the first [`EVENT_POINTS`] of them.
struct PointList<'a> {
    json: &'a mut Json,
    seen: usize,
}

impl PointList<'_> {
    /// How many of `count` more points there is room for; all are counted.
    fn room(&mut self, count: usize) -> usize {
        let room = EVENT_POINTS.saturating_sub(self.seen).min(count);
        self.seen += count;
        room
    }

    /// Points with consecutive addresses from `first`, which differ in address and value only; `write` ends each.
    fn run(&mut self, kind: PointKind, first: u32, count: usize, mut write: impl FnMut(&mut Json, usize)) {
        let room = self.room(count);
        let mut head = Head::new(self.json, kind, first);
        for nth in 0..room {
            self.json.raw_members(head.text());
            write(self.json, nth);
            head.advance();
        }
    }
}

/// Octets of a [`Head`]: the longest name of a kind and the longest address fit.
const HEAD_OCTETS: usize = 64;

/// `{"kind":"coil","address":203`, for one address after the other.
struct Head {
    text: [u8; HEAD_OCTETS],
    length: usize,
}

impl Head {
    /// The first; written into `json` to be copied, since nothing is allocated here.
    fn new(json: &mut Json, kind: PointKind, address: u32) -> Head {
        let start = json.bytes().len();
        json.open_object();
        json.member(key!("kind"));
        point_kind(json, kind);
        json.member(key!("address"));
        json.unsigned(address.into());
        let written = &json.bytes()[start..];
        let written = written.strip_prefix(b",").unwrap_or(written);
        let mut text = [0; HEAD_OCTETS];
        let length = written.len().min(HEAD_OCTETS);
        text[..length].copy_from_slice(&written[..length]);
        json.truncate(start);
        Head { text, length }
    }

    fn text(&self) -> &[u8] {
        &self.text[..self.length]
    }

    /// The next address.
    fn advance(&mut self) {
        for place in (0..self.length).rev() {
            match self.text[place] {
                b'9' => self.text[place] = b'0',
                digit @ b'0'..=b'8' => {
                    self.text[place] = digit + 1;
                    return;
                }
                // Only nines: there is a digit more.
                _ => {
                    self.text[place + 1] = b'1';
                    self.text[self.length] = b'0';
                    self.length += 1;
                    return;
                }
            }
        }
    }
}

impl PointSink for PointList<'_> {
    fn point(&mut self, point: &Point<'_>) {
        if self.room(1) > 0 {
            one_point(self.json, point);
        }
    }

    fn registers(&mut self, kind: PointKind, first: Option<u32>, words: &[[u8; 2]]) {
        let Some(first) = first.filter(|first| is_run(*first, words.len())) else {
            return EachPoint(&mut |point| self.point(point)).registers(kind, first, words);
        };
        self.run(kind, first, words.len(), |json, nth| {
            json.member(key!("value"));
            json.unsigned(u16::from_be_bytes(words[nth]).into());
            json.close_object();
        });
    }

    fn bits(&mut self, kind: PointKind, first: Option<u32>, octets: &[u8], count: usize) {
        let count = count.min(octets.len() * 8);
        let Some(first) = first.filter(|first| is_run(*first, count)) else {
            return EachPoint(&mut |point| self.point(point)).bits(kind, first, octets, count);
        };
        self.run(kind, first, count, |json, nth| {
            let bit = octets[nth / 8] >> (nth % 8) & 1 == 1;
            json.raw_members(if bit { b"\"value\":true}" } else { b"\"value\":false}" });
        });
    }

    fn addresses(&mut self, kind: PointKind, first: u32, count: u32) {
        if !is_run(first, count as usize) {
            return EachPoint(&mut |point| self.point(point)).addresses(kind, first, count);
        }
        self.run(kind, first, count as usize, |json, _| json.close_object());
    }
}

/// Whether `count` addresses from `first` follow one another to the end.
fn is_run(first: u32, count: usize) -> bool {
    u32::try_from(count).is_ok_and(|count| first.checked_add(count).is_some())
}

/// `{kind, address, object, value..., flags, flag_names, status, time}`
fn one_point(json: &mut Json, point: &Point<'_>) {
    json.open_object();
    json.member(key!("kind"));
    point_kind(json, point.kind);
    if let Some(address) = point.address {
        json.member(key!("address"));
        json.unsigned(address.into());
    }
    if let Some((group, variation)) = point.object {
        json.member(key!("group"));
        json.unsigned(group.into());
        json.member(key!("variation"));
        json.unsigned(variation.into());
    }
    value(json, &point.value);
    if let Some(flags) = point.flags {
        json.member(key!("flags"));
        json.unsigned(flags.into());
        json.member(key!("flag_names"));
        json.open_list();
        for bit in 0..8 {
            if flags & (1 << bit) != 0
                && let Some(name) = point.kind.flag_name(bit)
            {
                json.word(name);
            }
        }
        json.close_list();
    }
    if let Some(status) = point.status {
        json.member(key!("status"));
        json.unsigned(status.into());
    }
    if let Some(time_ms) = point.time_ms {
        json.member(key!("time"));
        point_time(json, time_ms);
    }
    json.close_object();
}

/// RFC 3339 where the time lies in the range of packet times, else the milliseconds as a number.
fn point_time(json: &mut Json, time_ms: u64) {
    match time_ms.checked_mul(1_000_000) {
        Some(ns) => json.time(parsers::Timestamp(ns)),
        None => json.unsigned(time_ms),
    }
}

fn value(json: &mut Json, value: &Value<'_>) {
    if matches!(value, Value::None) {
        return;
    }
    json.member(key!("value"));
    match *value {
        Value::None => {}
        Value::Bit(bit) => json.boolean(bit),
        Value::DoubleBit(0) => json.word("intermediate"),
        Value::DoubleBit(1) => json.word("off"),
        Value::DoubleBit(2) => json.word("on"),
        Value::DoubleBit(3) => json.word("indeterminate"),
        Value::DoubleBit(other) => json.unsigned(other.into()),
        Value::Unsigned(number) => json.unsigned(number),
        Value::Signed(number) => json.signed(number),
        Value::Float32(number) => json.float32(number),
        Value::Float64(number) => json.float(number),
        Value::TimeMs(time) => point_time(json, time),
        Value::Crob(crob) => {
            json.open_object();
            for (name, number) in [
                ("code", crob.code.into()),
                ("count", crob.count.into()),
                ("on_time_ms", crob.on_time_ms.into()),
                ("off_time_ms", crob.off_time_ms.into()),
            ] {
                json.key(name);
                json.unsigned(number);
            }
            json.close_object();
        }
        Value::Mask { and, or } => {
            json.open_object();
            json.member(key!("and"));
            json.unsigned(and.into());
            json.member(key!("or"));
            json.unsigned(or.into());
            json.close_object();
        }
        Value::Text(text) => {
            let shown = text.get(..VALUE_OCTETS).unwrap_or(text);
            if json.wire_text(shown) {
                json.member(key!("value_hex"));
                json.hex(shown);
            }
            omitted(json, text.len());
        }
        Value::Bytes(bytes) => {
            json.hex(bytes.get(..VALUE_OCTETS).unwrap_or(bytes));
            omitted(json, bytes.len());
        }
    }
}

fn omitted(json: &mut Json, length: usize) {
    if length > VALUE_OCTETS {
        json.member(key!("value_octets_omitted"));
        json.unsigned((length - VALUE_OCTETS) as u64);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// What a list holds that was given points in runs, and what it holds if each comes by itself.
    fn both(give: impl Fn(&mut dyn PointSink)) -> [String; 2] {
        let mut json = Json::new();
        let list = |json: &mut Json, runs: bool| {
            json.open_list();
            let mut list = PointList { json, seen: 0 };
            if runs {
                give(&mut list);
            } else {
                give(&mut EachPoint(&mut |point| list.point(point)));
            }
            let seen = list.seen;
            json.close_list();
            json.unsigned(seen as u64);
            String::from_utf8(json.take()).unwrap()
        };
        [list(&mut json, true), list(&mut json, false)]
    }

    #[test]
    fn points_in_runs_are_written_as_if_each_came_by_itself() {
        for first in [0, 1, 8, 9, 95, 99, 998, 65_530, 99_990, u32::MAX - 20, u32::MAX - 3, u32::MAX] {
            for kind in [PointKind::Coil, PointKind::DoubleBitInput, PointKind::Object(110)] {
                let words = [[0, 0], [0, 9], [0xff, 0xff], [1, 0], [2, 2], [3, 3], [4, 4]];
                let [runs, each] = both(|sink| {
                    sink.registers(kind, Some(first), &words);
                    sink.bits(kind, Some(first), &[0xa5, 0x0f, 0x3c], 19);
                    sink.addresses(kind, first, 12);
                    sink.registers(kind, None, &words);
                    sink.bits(kind, None, &[0x81], 30);
                });
                assert_eq!(runs, each, "{kind:?} {first}");
            }
        }
    }

    #[test]
    fn what_there_is_no_room_for_is_counted() {
        let words = [[1, 2]; 100];
        let [runs, each] = both(|sink| {
            sink.registers(PointKind::HoldingRegister, Some(7), &words);
            sink.registers(PointKind::HoldingRegister, Some(90), &words);
            sink.addresses(PointKind::Coil, 3, 2);
        });
        assert_eq!(runs, each);
        assert!(runs.ends_with("],202"), "{runs}");
        assert_eq!(runs.matches("kind").count(), EVENT_POINTS);
    }

    #[test]
    fn a_read_without_points_is_an_empty_list() {
        let [runs, each] = both(|sink| sink.addresses(PointKind::Coil, 3, 0));
        assert_eq!((runs.as_str(), each), ("[],0", runs.clone()));
    }
}
