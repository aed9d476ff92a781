//! Elements of the basic encoding rules (ITU-T X.690 clause 8.1): tag, length, value.
//!
//! ```text
//! tag      class 2 bits | constructed 1 | number 5 bits     31: the number follows, 7 bits an octet
//! length   0nnnnnnn                                         short form
//!          1nnnnnnn, then n octets                          long form, also where the short one would do
//!          10000000                                         indefinite: closed by 00 00
//! ```
//! An indefinite length may hold elements with definite ones, none of its own kind. A length beyond what is there
//! gives what is there,
//! and says how much is missing.

use nom::IResult;
use nom::Parser;
use nom::bytes::complete::take;
use nom::number::complete::u8;

/// Octets of a length in long form, and of a tag number, that are accepted. Nothing in a frame needs more.
const MAX_LENGTH_OCTETS: usize = 4;

/// A tag as one number: the first octet without the bit for constructed in bits 24 to 31, the number below.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) struct Tag {
    /// Class, bits 7 and 6 of the first octet.
    pub(super) class: u8,
    /// Tag number.
    pub(super) number: u32,
}

impl Tag {
    pub(super) const fn context(number: u32) -> Tag {
        Tag { class: 0x80, number }
    }

    pub(super) const fn application(number: u32) -> Tag {
        Tag { class: 0x40, number }
    }
}

/// One element.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) struct Element<'a> {
    pub(super) tag: Tag,
    pub(super) constructed: bool,
    /// The whole element, tag and length included, as far as it is there.
    pub(super) octets: &'a [u8],
    /// The value, as far as it is there.
    pub(super) value: &'a [u8],
    /// Octets of the value that its length claims and that are not there.
    pub(super) missing: usize,
    /// Its length is indefinite: it is closed by 00 00 behind its last element.
    pub(super) indefinite: bool,
}

/// Why no element can be read.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Fault {
    /// The octets end within tag or length.
    Cut,
    /// Indefinite length.
    Indefinite,
    /// A tag number or length with more octets than any frame needs.
    TooLong,
}

/// The element at the beginning, and what follows it.
#[inline]
pub(super) fn element(input: &[u8]) -> Result<(&[u8], Element<'_>), Fault> {
    // Nearly all have one octet of tag, one of length (two where a whole message stands in it), and are whole.
    let (head, length, rest) = match input {
        [_, length @ 0..=0x7F, rest @ ..] => (2, usize::from(*length), rest),
        [_, 0x81, length, rest @ ..] => (3, usize::from(*length), rest),
        _ => return unusual(input),
    };
    if let Some(first) = input.first().filter(|first| **first & 0x1F != 0x1F)
        && let Some((value, after)) = rest.split_at_checked(length)
    {
        let tag = Tag { class: first & 0xC0, number: u32::from(first & 0x1F) };
        let octets = input.get(..head + length).unwrap_or(input);
        let constructed = first & 0x20 != 0;
        return Ok((after, Element { tag, constructed, octets, value, missing: 0, indefinite: false }));
    }
    unusual(input)
}

/// The same for whatever it is.
#[inline(never)]
fn unusual(input: &[u8]) -> Result<(&[u8], Element<'_>), Fault> {
    match definite(input) {
        Err(Fault::Indefinite) if input.first().is_some_and(|first| first & 0x20 != 0) => indefinite(input),
        read => read,
    }
}

/// An element that is closed by 00 00.
fn indefinite(input: &[u8]) -> Result<(&[u8], Element<'_>), Fault> {
    let (tag, inner) = tag(input)?;
    let inner = inner.get(1..).unwrap_or_default();
    let mut rest = inner;
    loop {
        let value = inner.get(..inner.len() - rest.len()).unwrap_or_default();
        let (after, missing) = match rest {
            [] => (rest, 2),
            [0, 0, after @ ..] => (after, 0),
            _ => {
                rest = definite(rest)?.0;
                continue;
            }
        };
        let octets = input.get(..input.len() - after.len()).unwrap_or(input);
        return Ok((after, Element { tag, constructed: true, octets, value, missing, indefinite: true }));
    }
}

fn tag(input: &[u8]) -> Result<(Tag, &[u8]), Fault> {
    let (rest, first) = octet(input)?;
    let (rest, number) =
        if first & 0x1F == 0x1F { long_number(rest)? } else { (rest, u32::from(first & 0x1F)) };
    Ok((Tag { class: first & 0xC0, number }, rest))
}

fn definite(input: &[u8]) -> Result<(&[u8], Element<'_>), Fault> {
    let (tag, rest) = tag(input)?;
    let constructed = input.first().is_some_and(|first| first & 0x20 != 0);
    let (rest, length) = length(rest)?;
    let there = length.min(rest.len());
    let (value, after) = rest.split_at_checked(there).ok_or(Fault::Cut)?;
    let octets = input.get(..input.len() - after.len()).unwrap_or(input);
    Ok((after, Element { tag, constructed, octets, value, missing: length - there, indefinite: false }))
}

fn octet(input: &[u8]) -> Result<(&[u8], u8), Fault> {
    let read: IResult<&[u8], u8> = u8(input);
    read.map_err(|_| Fault::Cut)
}

fn long_number(mut input: &[u8]) -> Result<(&[u8], u32), Fault> {
    let mut number = 0;
    for _ in 0..MAX_LENGTH_OCTETS {
        let (rest, next) = octet(input)?;
        number = number << 7 | u32::from(next & 0x7F);
        input = rest;
        if next & 0x80 == 0 {
            return Ok((input, number));
        }
    }
    Err(Fault::TooLong)
}

fn length(input: &[u8]) -> Result<(&[u8], usize), Fault> {
    let (rest, first) = octet(input)?;
    match first {
        0..=0x7F => Ok((rest, usize::from(first))),
        0x80 => Err(Fault::Indefinite),
        _ => {
            let count = usize::from(first & 0x7F);
            let read: IResult<&[u8], &[u8]> = take(count).parse(rest);
            let (rest, octets) = read.map_err(|_| Fault::Cut)?;
            let significant = octets.iter().position(|o| *o != 0).map_or(&[][..], |n| &octets[n..]);
            if significant.len() > MAX_LENGTH_OCTETS {
                return Err(Fault::TooLong);
            }
            Ok((rest, significant.iter().fold(0, |all, o| all << 8 | usize::from(*o))))
        }
    }
}

/// An INTEGER (X.690 clause 8.3): two's complement, of at most 8 octets behind leading ones that say nothing.
pub(super) fn integer(value: &[u8]) -> Option<i64> {
    if let &[one] = value {
        return Some((one as i8).into());
    }
    let first = *value.first()?;
    let fill = if first & 0x80 == 0 { 0 } else { 0xFF };
    let (lead, low) = value.split_at(value.len().saturating_sub(8));
    if lead.iter().any(|o| *o != fill) {
        return None;
    }
    let start: u64 = if fill == 0 { 0 } else { u64::MAX };
    let bits = low.iter().fold(start, |all, o| all << 8 | u64::from(*o));
    // Nine octets with a leading 00 hold more than the eight behind it can show as a signed number.
    (lead.is_empty() || (bits >> 63 == 1) == (fill == 0xFF)).then_some(bits as i64)
}

/// A number without sign: an INTEGER that is not negative, or one of fixed length whose first bit counts, as
/// some publishers send it.
pub(super) fn unsigned(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    if let &[one] = value {
        return Some(one.into());
    }
    let significant = value.iter().position(|o| *o != 0).map_or(&[][..], |n| &value[n..]);
    (significant.len() <= 8).then(|| significant.iter().fold(0, |all, o| all << 8 | u64::from(*o)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::hex;

    fn read(octets: &str) -> (u32, Vec<u8>, usize) {
        let octets = hex(octets);
        let (_, e) = element(&octets).unwrap();
        (e.tag.number, e.value.to_vec(), e.missing)
    }

    #[test]
    fn the_short_way_reads_what_the_long_one_reads() {
        for first in 0..=255 {
            for length in 0..=255 {
                for there in [0, 1, 2, 3, 7, 8, 127, 128, 200] {
                    let octets = [&[first, length][..], &vec![7; there]].concat();
                    assert_eq!(element(&octets), unusual(&octets));
                }
            }
        }
    }

    #[test]
    fn lengths_in_short_and_long_form_mean_the_same() {
        assert_eq!(read("80 02 41 42 FF"), (0, b"AB".to_vec(), 0));
        assert_eq!(read("80 81 02 41 42 FF"), (0, b"AB".to_vec(), 0));
        assert_eq!(read("80 82 00 02 41 42"), (0, b"AB".to_vec(), 0));
        assert_eq!(read("80 86 00 00 00 00 00 02 41 42"), (0, b"AB".to_vec(), 0));
        assert_eq!(read("9F 22 01 07"), (34, vec![7], 0));
        assert_eq!(read("9F 81 00 01 07"), (128, vec![7], 0));
    }

    #[test]
    fn an_indefinite_length_ends_behind_its_elements() {
        let octets = hex("61 80 83 01 00 85 01 05 00 00 FF");
        let (after, e) = element(&octets).unwrap();
        assert_eq!((after, e.value, e.missing, e.indefinite), (&[0xFF][..], &octets[2..8], 0, true));
        let (_, open) = element(&octets[..8]).unwrap();
        assert_eq!((open.value, open.missing), (&octets[2..8], 2));
    }

    #[test]
    fn a_length_beyond_the_end_gives_what_is_there() {
        assert_eq!(read("80 05 41 42"), (0, b"AB".to_vec(), 3));
    }

    #[test]
    fn what_is_no_element_is_told_by_its_reason() {
        let fault = |octets: &str| element(&hex(octets)).unwrap_err();
        assert_eq!(fault(""), Fault::Cut);
        assert_eq!(fault("80"), Fault::Cut);
        assert_eq!(fault("80 82 00"), Fault::Cut);
        assert_eq!(fault("80 80 41 42 00 00"), Fault::Indefinite, "only what holds elements may have it");
        assert_eq!(fault("61 80 62 80 00 00 00 00"), Fault::Indefinite, "no more than one within another");
        assert_eq!(fault("80 85 01 00 00 00 00"), Fault::TooLong);
        assert_eq!(fault("9F 81 81 81 81 01 00"), Fault::TooLong);
    }

    #[test]
    fn integers_have_any_length_that_makes_sense() {
        let int = |octets: &str| integer(&hex(octets));
        assert_eq!(int(""), None);
        assert_eq!(int("00"), Some(0));
        assert_eq!(int("FF"), Some(-1));
        assert_eq!(int("00 FF"), Some(255));
        assert_eq!(int("FF 7F FF FF FF FF FF FF FF"), None);
        assert_eq!(int("FF FF FF FF FF FF FF FF FF"), Some(-1));
        assert_eq!(int("00 FF FF FF FF FF FF FF FF"), None);
        assert_eq!(unsigned(&hex("00 FF FF FF FF FF FF FF FF")), Some(u64::MAX));
        assert_eq!(unsigned(&hex("FF FF FF FF")), Some(0xFFFF_FFFF));
        assert_eq!(unsigned(&hex("")), None);
        assert_eq!(unsigned(&hex("01 00 00 00 00 00 00 00 00")), None);
    }
}
