//! JSON text, written straight into a reusable buffer.
//!
//! The way an event takes from its record to a line of the log. No tree is built and, once the buffer has
//! grown to the longest line, nothing is allocated. Text that came from the wire is escaped so that it can
//! neither end its string nor steer a terminal.

use core::fmt::{self, Write as _};

use parsers::Timestamp;

use super::escape::{HEX, escape, plain_octets};

pub use super::json_fields::JsonFields;

/// Octets of a formatted text, before escaping.
pub const FORMATTED_OCTETS: usize = 1024;

/// A key with its quotation marks and its colon, for [`Json::member`]: written in one piece, since lines of operations
/// are full of them.
macro_rules! key {
    ($name:literal) => {
        concat!("\"", $name, "\":")
    };
}
pub(super) use key;

/// Writes one JSON text after the other into a buffer.
#[derive(Debug, Default)]
pub struct Json {
    out: Vec<u8>,
    comma: bool,
    /// The second of the time written last, and its text: lines of a busy log share it.
    second: Option<(u64, [u8; SECOND_OCTETS])>,
}

impl Json {
    /// An empty writer.
    pub fn new() -> Json {
        Json::default()
    }

    /// What was written so far.
    pub fn bytes(&self) -> &[u8] {
        &self.out
    }

    /// Octets of memory.
    pub fn capacity(&self) -> usize {
        self.out.capacity()
    }

    /// Throw the text away, keep the memory.
    pub fn clear(&mut self) {
        self.out.clear();
        self.comma = false;
    }

    /// Cut the text back to `length` octets, as if what came after had not been written.
    pub fn truncate(&mut self, length: usize) {
        self.out.truncate(length);
        self.comma = !matches!(self.out.last(), None | Some(b'{' | b'[' | b'\n'));
    }

    /// The text itself, for handing it over; the writer is empty afterwards.
    pub fn take(&mut self) -> Vec<u8> {
        self.comma = false;
        core::mem::take(&mut self.out)
    }

    /// Put an empty buffer with memory back.
    pub fn give(&mut self, mut buffer: Vec<u8>) {
        buffer.clear();
        if buffer.capacity() > self.out.capacity() && self.out.is_empty() {
            self.out = buffer;
        }
    }

    /// Have room for `octets` more.
    pub fn reserve(&mut self, octets: usize) {
        self.out.reserve(octets);
    }

    /// Append text that is JSON already: members without their leading comma.
    pub fn raw_members(&mut self, members: &[u8]) {
        if !members.is_empty() {
            self.separate();
            self.out.extend_from_slice(members);
        }
    }

    /// Append whole lines.
    pub fn raw_lines(&mut self, lines: &[u8]) {
        self.out.extend_from_slice(lines);
        self.comma = false;
    }

    /// End of a line.
    pub fn newline(&mut self) {
        self.out.push(b'\n');
        self.comma = false;
    }

    #[inline]
    fn separate(&mut self) {
        if self.comma {
            self.out.push(b',');
        }
        self.comma = true;
    }

    /// A key; a value must follow. `name` must need no escaping.
    #[inline]
    pub fn key(&mut self, name: &str) {
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.comma = false;
    }

    /// A key as [`key!`](crate::report::json::key) makes it; a value must follow.
    #[inline(always)]
    pub(super) fn member(&mut self, key: &'static str) {
        self.separate();
        self.out.extend_from_slice(key.as_bytes());
        self.comma = false;
    }

    /// A key made of two parts; a value must follow.
    pub fn key_with_ending(&mut self, name: &str, ending: &str) {
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(ending.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.comma = false;
    }

    /// `{`
    #[inline]
    pub fn open_object(&mut self) {
        self.separate();
        self.out.push(b'{');
        self.comma = false;
    }

    /// `}`
    #[inline]
    pub fn close_object(&mut self) {
        self.out.push(b'}');
        self.comma = true;
    }

    /// `[`
    #[inline]
    pub fn open_list(&mut self) {
        self.separate();
        self.out.push(b'[');
        self.comma = false;
    }

    /// `]`
    #[inline]
    pub fn close_list(&mut self) {
        self.out.push(b']');
        self.comma = true;
    }

    /// An unsigned number.
    #[inline]
    pub fn unsigned(&mut self, value: u64) {
        self.separate();
        self.digits(value);
    }

    #[inline]
    fn digits(&mut self, value: u64) {
        self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }

    /// A number with sign.
    pub fn signed(&mut self, value: i64) {
        self.separate();
        if value < 0 {
            self.out.push(b'-');
        }
        self.digits(value.unsigned_abs());
    }

    /// A 64-bit float: shortest text that reads back to the same value; `"NaN"`, `"Infinity"` and
    /// `"-Infinity"` as strings, since JSON has no such numbers.
    pub fn float(&mut self, value: f64) {
        self.separate();
        if value.is_finite() {
            let _ = write!(Plain(&mut self.out), "{value:?}");
        } else {
            self.non_finite(value.is_nan(), value.is_sign_negative());
        }
    }

    /// A 32-bit float, as [`Json::float`].
    pub fn float32(&mut self, value: f32) {
        self.separate();
        if value.is_finite() {
            let _ = write!(Plain(&mut self.out), "{value:?}");
        } else {
            self.non_finite(value.is_nan(), value.is_sign_negative());
        }
    }

    fn non_finite(&mut self, nan: bool, negative: bool) {
        let text: &[u8] = match (nan, negative) {
            (true, _) => b"\"NaN\"",
            (false, false) => b"\"Infinity\"",
            (false, true) => b"\"-Infinity\"",
        };
        self.out.extend_from_slice(text);
    }

    /// Nanoseconds as milliseconds, exact, with as many decimals as needed.
    pub fn milliseconds(&mut self, nanoseconds: u64) {
        self.unsigned(nanoseconds / 1_000_000);
        let mut rest = *b"000000";
        put(&mut rest, nanoseconds % 1_000_000);
        let used = rest.iter().rposition(|&digit| digit != b'0').map_or(0, |last| last + 1);
        if used > 0 {
            self.out.push(b'.');
            self.out.extend_from_slice(&rest[..used]);
        }
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, value: bool) {
        self.separate();
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// `null`
    pub fn null(&mut self) {
        self.separate();
        self.out.extend_from_slice(b"null");
    }

    /// A name this program made: needs no escaping.
    #[inline]
    pub fn word(&mut self, value: &str) {
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(value.as_bytes());
        self.out.push(b'"');
    }

    /// A name this program made, with a number behind it, as one string.
    pub fn numbered(&mut self, name: &str, number: u64) {
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.digits(number);
        self.out.push(b'"');
    }

    /// Text.
    pub fn text(&mut self, value: &str) {
        self.separate();
        self.out.push(b'"');
        escape(&mut self.out, value);
        self.out.push(b'"');
    }

    /// Text of the wire. Octets that are no UTF-8 become U+FFFD; returns whether there were any, so that
    /// the caller can add the octets as hex.
    pub fn wire_text(&mut self, value: &[u8]) -> bool {
        self.separate();
        self.out.push(b'"');
        let mut lossy = false;
        for chunk in value.utf8_chunks() {
            escape(&mut self.out, chunk.valid());
            if !chunk.invalid().is_empty() {
                self.out.extend_from_slice(b"\\ufffd");
                lossy = true;
            }
        }
        self.out.push(b'"');
        lossy
    }

    /// Text of the wire in ASCII. Every other octet becomes U+FFFD; returns whether there were any.
    pub fn ascii_text(&mut self, value: &[u8]) -> bool {
        self.separate();
        self.out.push(b'"');
        for run in value.chunk_by(|one, other| one.is_ascii() == other.is_ascii()) {
            match core::str::from_utf8(run) {
                Ok(text) if run.is_ascii() => escape(&mut self.out, text),
                _ => run.iter().for_each(|_| self.out.extend_from_slice(b"\\ufffd")),
            }
        }
        self.out.push(b'"');
        !value.is_ascii()
    }

    /// Text of the wire that should be graphic characters of ASCII, as the reference reading shows it: it ends at a
    /// NUL, white space is a blank, another control character is `\x1b`, another octet U+FFFD. Returns whether
    /// anything but graphic characters was there, so that the caller can add the octets as hex.
    pub fn graphic_text(&mut self, value: &[u8]) -> bool {
        self.separate();
        self.out.push(b'"');
        for octet in value.iter().take_while(|octet| **octet != 0) {
            match *octet {
                b'"' | b'\\' => self.out.extend_from_slice(&[b'\\', *octet]),
                0x20..=0x7e => self.out.push(*octet),
                b'\t' | b'\n' | b'\r' => self.out.push(b' '),
                0x80.. => self.out.extend_from_slice(b"\\ufffd"),
                _ => {
                    self.out.extend_from_slice(b"\\\\x");
                    let digits =
                        [octet >> 4, octet & 0x0F].map(|digit| b"0123456789abcdef"[usize::from(digit)]);
                    self.out.extend_from_slice(&digits[usize::from(digits[0] == b'0')..]);
                }
            }
        }
        self.out.push(b'"');
        value.iter().any(|octet| !matches!(octet, 0x20..=0x7e))
    }

    /// Text made by formatting, cut at [`FORMATTED_OCTETS`]: what is formatted may hold text of the wire.
    pub fn formatted(&mut self, value: fmt::Arguments<'_>) {
        self.separate();
        self.out.push(b'"');
        let start = self.out.len();
        let _ = Cut { out: &mut self.out, room: FORMATTED_OCTETS }.write_fmt(value);
        // Formatted text comes in many small pieces: it is looked at as a whole, and most often stays as it is.
        if plain_octets(&self.out[start..]) < self.out.len() - start {
            let text = self.out.split_off(start);
            escape(&mut self.out, str::from_utf8(&text).unwrap_or_default());
        }
        self.out.push(b'"');
    }

    /// Octets as lower-case hex.
    pub fn hex(&mut self, value: &[u8]) {
        self.separate();
        self.out.push(b'"');
        self.out.reserve(value.len() * 2);
        for octet in value {
            self.out.push(HEX[usize::from(octet >> 4)]);
            self.out.push(HEX[usize::from(octet & 15)]);
        }
        self.out.push(b'"');
    }

    /// A point of time, RFC 3339 in UTC with nanoseconds.
    pub fn time(&mut self, at: Timestamp) {
        let second = at.0 / 1_000_000_000;
        let text = match self.second {
            Some((same, text)) if same == second => text,
            _ => self.second.insert((second, to_the_second(second))).1,
        };
        let mut rest = *b".000000000Z";
        put(&mut rest[1..10], at.0 % 1_000_000_000);
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(&text);
        self.out.extend_from_slice(&rest);
        self.out.push(b'"');
    }
}

/// Passes formatted text on as it is (numbers need no escaping).
struct Plain<'a>(&'a mut Vec<u8>);

impl fmt::Write for Plain<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// Takes formatted text as far as there is room.
struct Cut<'a> {
    out: &'a mut Vec<u8>,
    room: usize,
}

impl fmt::Write for Cut<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() <= self.room {
            self.room -= text.len();
            self.out.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        self.out.extend_from_slice(&text.as_bytes()[..text.floor_char_boundary(self.room)]);
        self.out.extend_from_slice("\u{2026}".as_bytes());
        // Ends the formatting; what was written stays.
        Err(fmt::Error)
    }
}

/// Octets of a time without what comes behind its second.
const SECOND_OCTETS: usize = 19;

/// `2023-11-14T22:13:20`, of a second since 1970. Every [`Timestamp`] lies between the years 1970 and 2554.
pub(super) fn to_the_second(seconds: u64) -> [u8; SECOND_OCTETS] {
    let (year, month, day) = civil(seconds / 86_400);
    let of_day = seconds % 86_400;
    let mut text = *b"0000-00-00T00:00:00";
    put(&mut text[0..4], year);
    put(&mut text[5..7], month);
    put(&mut text[8..10], day);
    put(&mut text[11..13], of_day / 3600);
    put(&mut text[14..16], of_day / 60 % 60);
    put(&mut text[17..19], of_day % 60);
    text
}

fn put(digits: &mut [u8], mut value: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// Year, month and day of a day counted from 1970-01-01. Works on eras of 400 years that begin in March,
/// so that the leap day is the last of its year.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn written(write: impl FnOnce(&mut Json)) -> String {
        let mut json = Json::new();
        write(&mut json);
        String::from_utf8(json.take()).unwrap()
    }

    #[test]
    fn numbers_and_nesting_are_valid_json() {
        let text = written(|j| {
            j.open_object();
            j.key("a");
            j.unsigned(u64::MAX);
            j.key("b");
            j.open_list();
            j.signed(i64::MIN);
            j.float(0.1);
            j.float32(0.1);
            j.float(1e300);
            j.float(f64::NAN);
            j.float32(f32::NEG_INFINITY);
            j.null();
            j.open_object();
            j.close_object();
            j.close_list();
            j.key("c");
            j.boolean(true);
            j.close_object();
        });
        assert_eq!(
            text,
            r#"{"a":18446744073709551615,"b":[-9223372036854775808,0.1,0.1,1e300,"NaN","-Infinity",null,{}],"c":true}"#
        );
    }

    #[test]
    fn text_of_the_wire_cannot_break_out_of_its_string() {
        let nasty = b"a\"b\\c\n\x00\x1b[31m\x7f\xc2\x9bz\xff\xc3\xa9";
        let text = written(|j| {
            assert!(j.wire_text(nasty));
        });
        assert_eq!(text, "\"a\\\"b\\\\c\\n\\u0000\\u001b[31m\\u007f\\u009bz\\ufffd\u{e9}\"");
        let back: String = serde_json::from_str(&text).unwrap();
        assert_eq!(back, "a\"b\\c\n\0\u{1b}[31m\u{7f}\u{9b}z\u{fffd}\u{e9}");
    }

    #[test]
    fn times_are_rfc_3339_in_nanoseconds() {
        let text = |ns| written(|j| j.time(Timestamp(ns)));
        assert_eq!(text(1_700_000_000_000_000_000), "\"2023-11-14T22:13:20.000000000Z\"");
        assert_eq!(text(0), "\"1970-01-01T00:00:00.000000000Z\"");
        assert_eq!(text(951_782_400_000_000_001), "\"2000-02-29T00:00:00.000000001Z\"");
        assert_eq!(text(u64::MAX), "\"2554-07-21T23:34:33.709551615Z\"");
    }

    #[test]
    fn formatted_text_is_cut_at_a_character() {
        let long = "\u{e9}".repeat(2000);
        let text = written(|j| j.formatted(format_args!("a{long}{long}")));
        assert_eq!(text, format!("\"a{}\u{2026}\"", "\u{e9}".repeat(511)));
    }

    #[test]
    fn milliseconds_are_exact() {
        let text = |ns| written(|j| j.milliseconds(ns));
        assert_eq!(text(0), "0");
        assert_eq!(text(1_000_000), "1");
        assert_eq!(text(1_500_000), "1.5");
        assert_eq!(text(12_000_001), "12.000001");
    }

    #[test]
    fn dates_agree_with_a_calendar_for_every_day_of_the_range() {
        use jiff::civil::date;
        let mut day = date(1970, 1, 1);
        for days in 0..213_503u64 {
            let (y, m, d) = civil(days);
            assert_eq!((y as i16, m as i8, d as i8), (day.year(), day.month(), day.day()));
            day = day.tomorrow().unwrap();
        }
    }
}
