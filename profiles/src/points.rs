//! Points as rules write them: `holding_register 0-99, 120`, `class_data 1-3`, `file_record 4:0-99`,
//! `g87 0-3`, `coil` (every coil). Addresses are those of the wire, counted from 0.

use std::fmt;
use std::ops::Range;

use parsers::{PointKind, PointRange, Protocol};

use diagnostics::Reporter;
use diagnostics::nearest;

/// Why a point specification is wrong, and what to write instead.
pub(crate) struct PointError {
    pub(crate) message: String,
    pub(crate) label: String,
    pub(crate) help: Option<String>,
}

impl PointError {
    pub(crate) fn report(self, span: &Range<usize>, reporter: &mut Reporter<'_>) {
        let error = reporter.error(span, self.message).label(self.label);
        if let Some(help) = self.help {
            error.help(help);
        }
    }
}

/// What only profiles say that number registers as the wire does.
const AS_THE_WIRE: [&str; 2] = ["holding_register 40000", "SunSpec"];

/// Numbers of a manual (40001) instead of addresses (0) match nothing on the wire, so they are warned of:
/// by the convention the first digit is the kind and the rest counts from 1. Where a profile writes 40000,
/// or names SunSpec, it counts as the wire does: the registers of SunSpec begin there, and no manual has
/// that number.
pub(crate) fn warn_of_manual_numbers(text: &str, span: &Range<usize>, reporter: &mut Reporter<'_>) {
    let Some((word, numbers)) = text.trim().split_once(char::is_whitespace) else { return };
    let lead = match PointKind::from_name(word) {
        Some(PointKind::DiscreteInput) => 10_000,
        Some(PointKind::InputRegister) => 30_000,
        Some(PointKind::HoldingRegister) => 40_000,
        _ => return,
    };
    let from_manual = |digits: &str| {
        let number: u32 = digits.trim().parse().ok()?;
        (lead < number && number <= lead + 9_999).then(|| (number, number - lead - 1))
    };
    let Some((number, address)) = numbers.split(['-', ',']).find_map(from_manual) else { return };
    if AS_THE_WIRE.iter().any(|mark| reporter.mentions(mark)) {
        return;
    }
    reporter
        .warning(span, format!("`{word} {number}` looks like a number of a manual"))
        .label(format!("address {address} on the wire: write \"{word} {address}\""))
        .help("gridtap counts as the wire does, from 0 and without the leading digit of the kind");
}

/// The kind with a name of its own for a DNP3 object group, if there is one.
fn kind_of_group(group: u8) -> Option<PointKind> {
    Some(match group {
        0 => PointKind::DeviceAttribute,
        1 | 2 => PointKind::BinaryInput,
        3 | 4 => PointKind::DoubleBitInput,
        10..=13 => PointKind::BinaryOutput,
        20 | 22 => PointKind::Counter,
        21 | 23 => PointKind::FrozenCounter,
        30 | 32 => PointKind::AnalogInput,
        31 | 33 => PointKind::FrozenAnalogInput,
        34 => PointKind::AnalogDeadband,
        40..=43 => PointKind::AnalogOutput,
        60 => PointKind::ClassData,
        80 => PointKind::InternalIndication,
        110 | 111 => PointKind::OctetString,
        112 | 113 => PointKind::VirtualTerminal,
        _ => return None,
    })
}

/// Read one specification into ranges. `protocols` are those that the rule's stations speak. `guess`: say what
/// was probably meant by an unknown word.
pub(crate) fn parse(text: &str, protocols: &[Protocol], guess: bool) -> Result<Vec<PointRange>, PointError> {
    let text = text.trim();
    let (word, addresses) = match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim()),
        None => (text, ""),
    };
    let kind = kind_by_word(word, protocols, guess)?;
    if let (false, Some(other)) = (protocols.contains(&kind.protocol()), protocols.first()) {
        return Err(PointError {
            message: format!("`{word}` is a point of {}", kind.protocol().name()),
            label: format!("the rule's stations speak {}", other.name()),
            help: Some(format!("{} has: {}", other.name(), kind_names(&[*other]).join(", "))),
        });
    }
    if addresses.is_empty() {
        return Ok(vec![PointRange::all(kind)]);
    }
    addresses.split(',').map(|part| range(kind, word, part.trim())).collect()
}

fn kind_by_word(word: &str, protocols: &[Protocol], guess: bool) -> Result<PointKind, PointError> {
    if let Some(kind) = PointKind::from_name(word) {
        return Ok(kind);
    }
    if let Some(group) = word.strip_prefix('g').and_then(|digits| digits.parse::<u8>().ok()) {
        return match kind_of_group(group) {
            None => Ok(PointKind::Object(group)),
            Some(kind) => Err(PointError {
                message: format!("object group {group} has a name of its own here"),
                label: format!("write `{}`", kind.name()),
                help: None,
            }),
        };
    }
    let names = kind_names(protocols);
    Err(PointError {
        message: format!("unknown kind of point `{word}`"),
        label: Some(word)
            .filter(|_| guess)
            .and_then(|word| nearest(word, names.iter().copied()))
            .map_or(String::new(), |meant| format!("did you mean `{meant}`?")),
        help: Some(format!(
            "write a kind, then addresses: \"{} 0-99, 120\"; kinds are: {}",
            names.first().unwrap_or(&"coil"),
            names.join(", ")
        )),
    })
}

fn kind_names(protocols: &[Protocol]) -> Vec<&'static str> {
    let spoken = |kind: &PointKind| protocols.is_empty() || protocols.contains(&kind.protocol());
    let mut names: Vec<_> = PointKind::NAMED.into_iter().filter(spoken).map(PointKind::name).collect();
    if protocols.is_empty() || protocols.contains(&Protocol::Dnp3) {
        names.push("g<object group>");
    }
    names.push("all");
    names
}

fn range(kind: PointKind, word: &str, part: &str) -> Result<PointRange, PointError> {
    if kind == PointKind::FileRecord {
        return file_range(part);
    }
    let (first, last) = bounds(part, kind.highest(), &format!("address of a {word}"))?;
    // The whole of a bounded kind is the whole of the kind: it also holds a request for "all".
    if first == 0 && last == kind.highest() {
        return Ok(PointRange::all(kind));
    }
    Ok(PointRange::new(kind, first, last))
}

/// `FILE`, `FILE-FILE` or `FILE:RECORDS`.
fn file_range(part: &str) -> Result<PointRange, PointError> {
    let kind = PointKind::FileRecord;
    let Some((file, records)) = part.split_once(':') else {
        let (first, last) = bounds(part, 0xFFFF, "file number")?;
        return Ok(PointRange::new(kind, first << 16, (last << 16) | 0xFFFF));
    };
    let (file, _) = bounds_of_one(file.trim(), 0xFFFF, "file number")?;
    let (first, last) = bounds(records.trim(), 0xFFFF, "record number")?;
    Ok(PointRange::new(kind, (file << 16) | first, (file << 16) | last))
}

fn bounds_of_one(part: &str, highest: u32, what: &str) -> Result<(u32, u32), PointError> {
    let n = number(part, highest, what)?;
    Ok((n, n))
}

/// `A` or `A-B`.
fn bounds(part: &str, highest: u32, what: &str) -> Result<(u32, u32), PointError> {
    let Some((first, last)) = part.split_once('-') else { return bounds_of_one(part, highest, what) };
    let (first, last) = (number(first.trim(), highest, what)?, number(last.trim(), highest, what)?);
    if first > last {
        return Err(PointError {
            message: format!("the range {first}-{last} ends before it starts"),
            label: format!("write {last}-{first}"),
            help: None,
        });
    }
    Ok((first, last))
}

fn number(digits: &str, highest: u32, what: &str) -> Result<u32, PointError> {
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    match digits.parse::<u32>() {
        Ok(n) if plain && n <= highest => Ok(n),
        _ if plain => Err(PointError {
            message: format!("{what} {digits} is out of bounds"),
            label: format!("the highest {what} is {highest}"),
            help: None,
        }),
        _ => Err(PointError {
            message: format!("`{digits}` is no {what}"),
            label: "write numbers and ranges, as in \"0-99, 120\"".to_owned(),
            help: None,
        }),
    }
}

/// A range in the words of the profile: `holding_register 0-99`.
#[derive(Debug, Copy, Clone)]
pub struct RangeText(pub PointRange);

impl fmt::Display for RangeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, first, last) = (self.0.kind(), self.0.first(), self.0.last());
        match kind {
            PointKind::Object(group) => write!(f, "g{group}")?,
            _ => f.write_str(kind.name())?,
        }
        if (first, last) == (0, u32::MAX) || kind == PointKind::DeviceData {
            return Ok(());
        }
        if kind == PointKind::FileRecord {
            return file_text(first, last, f);
        }
        write!(f, " {first}")?;
        if last > first { write!(f, "-{last}") } else { Ok(()) }
    }
}

fn file_text(first: u32, last: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (file, record) = (first >> 16, first & 0xFFFF);
    let (last_file, last_record) = (last >> 16, last & 0xFFFF);
    write!(f, " {file}")?;
    match (last_file == file, record == 0 && last_record == 0xFFFF) {
        (true, true) => Ok(()),
        (false, true) => write!(f, "-{last_file}"),
        (true, false) if record == last_record => write!(f, ":{record}"),
        (true, false) => write!(f, ":{record}-{last_record}"),
        (false, false) => write!(f, ":{record} to {last_file}:{last_record}"),
    }
}

/// A list of ranges, cut after a few.
pub(crate) struct RangesText<'a>(pub(crate) &'a [PointRange], pub(crate) bool);

/// Ranges written out before "and N more".
const SHOWN_RANGES: usize = 8;

impl fmt::Display for RangesText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, range) in self.0.iter().take(SHOWN_RANGES).enumerate() {
            write!(f, "{}{}", if i > 0 { ", " } else { "" }, RangeText(*range))?;
        }
        match self.0.len().saturating_sub(SHOWN_RANGES) {
            0 if self.1 => f.write_str(" and more"),
            0 => Ok(()),
            n => write!(f, " and {n} {}", if self.1 { "or more others" } else { "more" }),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn what_is_written_is_what_is_shown() {
        let both = Protocol::ALL;
        for text in [
            "coil",
            "holding_register 0-99",
            "coil 5",
            "file_record 4",
            "file_record 4-6",
            "file_record 4:7",
            "file_record 4:7-9",
            "class_data 1-3",
            "g50",
            "g87 3",
            "device_data",
        ] {
            let Ok(ranges) = parse(text, &both, true) else { panic!("{text}") };
            assert_eq!(RangesText(&ranges, false).to_string(), text);
        }
        let Ok(whole) = parse("coil 0-65535", &both, true) else { panic!() };
        assert_eq!(whole, [PointRange::all(PointKind::Coil)], "the whole of a kind is all of it");
        let Ok(most) = parse("binary_input 0-65535", &both, true) else { panic!() };
        assert_ne!(most, [PointRange::all(PointKind::BinaryInput)], "DNP3 indexes go to 32 bits");
    }

    #[test]
    fn long_lists_are_cut() {
        let ranges: Vec<_> = (0..10).map(|i| PointRange::one(PointKind::Coil, i * 2)).collect();
        assert!(RangesText(&ranges, false).to_string().ends_with("coil 14 and 2 more"));
        assert!(RangesText(&ranges, true).to_string().ends_with("coil 14 and 2 or more others"));
    }
}
