//! The frame: start, length, control field (IEC 60870-5-104, clause 5).
//!
//! ```text
//!  68 | LEN | C1 C2 | C3 C4 | ASDU ...
//!  I  C1.0 = 0:   N(S) * 2,  N(R) * 2
//!  S  C1 = 01:    0,         N(R) * 2
//!  U  C1.1-0 = 3: one function bit
//! ```

use nom::IResult;
use nom::number::complete::{le_u8, le_u16};

use super::asdu::Asdu;
use crate::contract::FieldSizes;

/// First octet of a frame.
pub(super) const START: u8 = 0x68;
/// Octets before the ASDU.
pub(super) const HEAD: usize = 6;
/// Octets that the length does not count.
pub(super) const OUTSIDE: usize = 2;
/// What the length may be: the control field alone, or as much as the standard lets a frame hold.
pub(super) const LENGTHS: core::ops::RangeInclusive<u8> = 4..=253;

/// Whether a frame has so many octets, allowed or not: 254 and 255 are more than the standard lets a frame hold,
/// but receivers read them, and so do we. Below 4 there is no control field.
fn holds_control(length: u8) -> bool {
    length >= *LENGTHS.start()
}

/// What a frame is, by its control field.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Kind {
    /// Carries an ASDU, numbered.
    Information { sent: u16, received: u16 },
    /// Acknowledges.
    Supervisory { received: u16 },
    /// Starts, stops or tests; the function bits as they stand in the first octet.
    Unnumbered(u8),
}

/// The six octets before the ASDU.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) struct Head {
    pub length: u8,
    pub kind: Kind,
    /// Bits that the standard keeps at 0, or that make no function.
    pub reserved: bool,
}

/// The octets of a frame whose start and length are sound.
fn parse(input: &[u8]) -> IResult<&[u8], Head> {
    let (input, _start) = le_u8(input)?;
    let (input, length) = le_u8(input)?;
    let (input, first) = le_u16(input)?;
    let (input, second) = le_u16(input)?;
    Ok((input, Head { length, kind: kind(first, second), reserved: reserved(first, second) }))
}

/// The head of a frame; `None` if there are not enough octets.
pub(super) fn head(octets: &[u8]) -> Option<Head> {
    parse(octets).ok().map(|(_, head)| head)
}

fn kind(first: u16, second: u16) -> Kind {
    match first & 3 {
        3 => Kind::Unnumbered((first & 0xFC) as u8),
        1 => Kind::Supervisory { received: second >> 1 },
        _ => Kind::Information { sent: first >> 1, received: second >> 1 },
    }
}

fn reserved(first: u16, second: u16) -> bool {
    match first & 3 {
        3 => first & 0xFF00 != 0 || second != 0,
        1 => first != 1 || second & 1 != 0,
        _ => second & 1 != 0,
    }
}

/// The functions of a U frame, by their bits in the first octet (its two lowest left out).
pub(super) mod function {
    pub(in super::super) const STARTDT_ACT: u8 = 0x04;
    pub(in super::super) const STARTDT_CON: u8 = 0x08;
    pub(in super::super) const STOPDT_ACT: u8 = 0x10;
    pub(in super::super) const STOPDT_CON: u8 = 0x20;
    pub(in super::super) const TESTFR_ACT: u8 = 0x40;
    pub(in super::super) const TESTFR_CON: u8 = 0x80;
}

/// Name of a U function.
pub(super) fn function_name(bits: u8) -> &'static str {
    match bits {
        function::STARTDT_ACT => "startdt_act",
        function::STARTDT_CON => "startdt_con",
        function::STOPDT_ACT => "stopdt_act",
        function::STOPDT_CON => "stopdt_con",
        function::TESTFR_ACT => "testfr_act",
        function::TESTFR_CON => "testfr_con",
        _ => "unknown",
    }
}

/// What octets that should begin a frame say.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Scan {
    /// A frame of so many octets.
    Frame(usize),
    /// Start and length are there, but nothing bears out that these octets are a frame.
    Unsound(usize),
    /// No frame begins here.
    Junk,
    /// So many octets are needed to tell.
    Need(usize),
}

/// Octets of the frame that begins here by start and length, as far as they are there; `None` without a control
/// field.
pub(super) fn shown(octets: &[u8]) -> Option<usize> {
    match *octets {
        [START, length, ..] if holds_control(length) && octets.len() >= HEAD => {
            Some(octets.len().min(usize::from(length) + OUTSIDE))
        }
        _ => None,
    }
}

/// Where a frame is due: start and length must be there, whatever the rest.
pub(super) fn due(octets: &[u8]) -> Scan {
    match *octets {
        [] => Scan::Need(0),
        [START] => Scan::Need(OUTSIDE),
        [START, length, ..] if holds_control(length) => {
            let whole = usize::from(length) + OUTSIDE;
            if octets.len() < whole { Scan::Need(whole) } else { Scan::Frame(whole) }
        }
        _ => Scan::Junk,
    }
}

/// Where nothing is known of what stands before: a start octet is as likely data. The frame must be sound in
/// itself, or another must follow.
pub(super) fn found(octets: &[u8], sizes: FieldSizes) -> Scan {
    let Some(start) = octets.first() else { return Scan::Need(1) };
    if *start != START {
        return Scan::Junk;
    }
    let Some(length) = octets.get(1) else { return Scan::Need(OUTSIDE) };
    if !holds_control(*length) {
        return Scan::Junk;
    }
    let Some(head) = head(octets) else { return Scan::Need(HEAD) };
    let whole = usize::from(head.length) + OUTSIDE;
    let sound = match head.kind {
        Kind::Unnumbered(bits) => whole == HEAD && !head.reserved && bits.is_power_of_two(),
        Kind::Supervisory { .. } => whole == HEAD && !head.reserved,
        Kind::Information { .. } if head.reserved || whole < HEAD + sizes.head() => false,
        Kind::Information { .. } if !LENGTHS.contains(&head.length) => false,
        Kind::Information { .. } => {
            let Some(asdu) = octets.get(HEAD..whole) else { return Scan::Need(whole) };
            let next = octets.get(whole..).unwrap_or_default();
            match next {
                _ if Asdu::new(asdu, sizes).is_some_and(|asdu| asdu.fits()) => true,
                // No more than what may settle it, or it would matter how the octets were cut.
                [] => return Scan::Need(whole + 1),
                [START] => return Scan::Need(whole + OUTSIDE),
                _ => matches!(next, [START, length, ..] if LENGTHS.contains(length)),
            }
        }
    };
    match sound {
        true => Scan::Frame(whole),
        false if octets.len() < whole => Scan::Need(whole),
        false => Scan::Unsound(whole),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::hex;

    fn of(text: &str) -> Head {
        head(&hex(text)).unwrap()
    }

    #[test]
    fn the_control_field_says_what_a_frame_is() {
        assert_eq!(of("68 04 07 00 00 00").kind, Kind::Unnumbered(function::STARTDT_ACT));
        assert_eq!(of("68 04 01 00 0a 00").kind, Kind::Supervisory { received: 5 });
        let kind = of("68 0e 02 00 04 00").kind;
        assert_eq!(kind, Kind::Information { sent: 1, received: 2 });
        let kind = of("68 0e fe ff fe ff").kind;
        assert_eq!(kind, Kind::Information { sent: 32767, received: 32767 });
    }

    #[test]
    fn reserved_bits_are_seen_in_all_three() {
        for good in ["680407000000", "680401000a00", "680e02000400"] {
            assert!(!of(good).reserved, "{good}");
        }
        for bad in ["680407010000", "680407000001", "680405000a00", "680401000b00", "680e02000500"] {
            assert!(of(bad).reserved, "{bad}");
        }
    }

    #[test]
    fn a_start_octet_within_data_is_no_frame() {
        let sizes = FieldSizes::IEC104;
        assert_eq!(found(&hex("680443000000"), sizes), Scan::Frame(6));
        assert_eq!(found(&hex("680447000000"), sizes), Scan::Unsound(6), "two functions at once");
        assert_eq!(found(&hex("680547000000"), sizes), Scan::Need(7), "it is shown when it is whole");
        assert_eq!(found(&hex("6803"), sizes), Scan::Junk);
        assert_eq!(found(&hex("680e00000000 64 01 06 00 0a00 000000 14"), sizes), Scan::Frame(16));
        let two_objects = hex("680e00000000 64 02 06 00 0a00 000000 14");
        assert_eq!(
            found(&two_objects, sizes),
            Scan::Need(17),
            "it does not fit: the next one must bear it out"
        );
        assert_eq!(found(&[two_objects.clone(), hex("6804")].concat(), sizes), Scan::Frame(16));
        assert_eq!(found(&[two_objects, hex("0104")].concat(), sizes), Scan::Unsound(16));
    }
}
