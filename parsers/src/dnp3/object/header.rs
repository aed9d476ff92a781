//! Object headers and the walk over a fragment's objects, IEEE 1815 clauses 4.2.2.7 and 4.2.2.8.
//!
//! ```text
//! +-----+---------+---------+-------------+--------+--------+--------+---
//! |GROUP|VARIATION|QUALIFIER| range field | prefix | object | prefix | ...
//! +-----+---------+---------+-------------+--------+--------+--------+---
//! QUALIFIER: bit 7 reserved, bits 6-4 prefix code, bits 3-0 range specifier
//! ```

use nom::number::complete::{le_u8, le_u16, le_u32};
use nom::{IResult, Parser};

use super::layout::{self, Shape, Size};
use crate::contract::DefectKind;
use crate::dnp3::function;

/// The range field.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(in crate::dnp3) enum Range {
    /// Range specifiers 0, 1, 2: first and last index.
    Indices(u32, u32),
    /// Range specifiers 3, 4, 5: first and last virtual address.
    Addresses(u32, u32),
    /// Range specifier 6: all points.
    All,
    /// Range specifiers 7, 8, 9 and B: so many objects follow.
    Count(u32),
    /// A range specifier without a meaning.
    Reserved,
}

/// Something wrong with objects. The texts are borrowed from the program.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(in crate::dnp3) struct Trouble {
    pub kind: DefectKind,
    pub check: &'static str,
    /// Offset in the fragment's body where it begins.
    pub offset: usize,
    pub expected: &'static str,
    pub observed: &'static str,
}

/// One object header with what follows it.
#[derive(Debug, Copy, Clone)]
pub(in crate::dnp3) struct ObjectHeader<'a> {
    pub group: u8,
    pub variation: u8,
    pub qualifier: u8,
    pub range: Range,
    /// Offset of the header in the fragment's body.
    pub offset: usize,
    /// Offset of what follows the header in the fragment's body.
    pub data_offset: usize,
    /// Prefixes and objects.
    pub data: &'a [u8],
    /// Shape of the objects; `None` if unknown.
    pub shape: Option<Shape>,
    /// Whether the objects themselves follow, and not only their prefixes.
    pub has_objects: bool,
    /// What is wrong with it.
    pub trouble: Option<Trouble>,
}

impl<'a> ObjectHeader<'a> {
    /// Prefix code.
    pub(in crate::dnp3) fn prefix(&self) -> u8 {
        self.qualifier >> 4 & 7
    }

    /// Range specifier.
    pub(in crate::dnp3) fn range_code(&self) -> u8 {
        self.qualifier & 0x0F
    }

    /// Objects announced by the range field.
    fn announced(&self) -> u64 {
        match self.range {
            Range::Indices(first, last) | Range::Addresses(first, last) => {
                (u64::from(last) + 1).saturating_sub(first.into())
            }
            Range::Count(count) => count.into(),
            Range::All | Range::Reserved => 0,
        }
    }

    /// Octets of each prefix.
    fn prefix_size(&self) -> usize {
        match self.prefix() {
            1 | 4 => 1,
            2 | 5 => 2,
            3 | 6 => 4,
            _ => 0,
        }
    }

    /// Whether each object is preceded by its size.
    fn has_sizes(&self) -> bool {
        matches!(self.prefix(), 4..=6)
    }

    /// Size of one object without a size prefix, as this header places it.
    fn size(&self) -> Size {
        if !self.has_objects {
            return Size::Nothing;
        }
        match self.shape.map(Shape::size) {
            // A bit with a prefix cannot be packed: it takes an octet of its own.
            Some(Size::Bits(_)) if self.prefix() != 0 => Size::Octets(1),
            Some(size) => size,
            None => Size::Prefixed,
        }
    }

    /// The objects, one by one.
    pub(in crate::dnp3) fn items(&self) -> Items<'a> {
        let first = match self.range {
            Range::Indices(first, _) | Range::Addresses(first, _) => Some(first),
            _ => None,
        };
        // Objects without an octet on the wire are not walked: a range could name four thousand million.
        let silent = self.data.is_empty() || (self.prefix_size() == 0 && self.size() == Size::Nothing);
        Items {
            data: self.data,
            offset: self.data_offset,
            left: if silent { 0 } else { self.announced() },
            index: first,
            prefix: self.prefix(),
            size: self.size(),
            sized: self.has_sizes(),
            bit: 0,
        }
    }
}

/// One object.
#[derive(Debug, Copy, Clone)]
pub(in crate::dnp3) struct Item<'a> {
    /// Its index, from the range or the prefix.
    pub index: Option<u32>,
    /// Its octets; for a packed bit the octet that holds it.
    pub octets: &'a [u8],
    /// Position of the lowest bit in the octet, for packed bits.
    pub bit: u32,
    /// Offset of `octets` in the fragment's body.
    pub offset: usize,
}

/// Walks the objects behind one header.
#[derive(Debug, Clone)]
pub(in crate::dnp3) struct Items<'a> {
    data: &'a [u8],
    offset: usize,
    left: u64,
    index: Option<u32>,
    prefix: u8,
    size: Size,
    sized: bool,
    bit: u32,
}

impl<'a> Items<'a> {
    fn take(&mut self, octets: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.data.split_at_checked(octets)?;
        self.data = rest;
        self.offset += octets;
        Some(taken)
    }

    fn prefix(&mut self) -> Option<u32> {
        let octets = match self.prefix {
            1 | 4 => 1,
            2 | 5 => 2,
            3 | 6 => 4,
            _ => return None,
        };
        self.take(octets).map(little_endian)
    }

    /// Bits stay in their octet until the last of them was handed out.
    fn next_bits(&mut self, width: u32) -> Option<Item<'a>> {
        let octets = self.data.get(..1)?;
        let item = Item { index: self.index, octets, bit: self.bit, offset: self.offset };
        self.bit += width;
        if self.bit >= 8 || self.left == 0 {
            self.bit = 0;
            self.take(1)?;
        }
        Some(item)
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let item = if let (Size::Bits(width), 0) = (self.size, self.prefix) {
            self.next_bits(width)
        } else {
            self.next_octets()
        };
        if item.is_none() {
            self.left = 0;
        }
        self.index = self.index.map(|index| index.wrapping_add(1));
        item
    }
}

impl<'a> Items<'a> {
    fn next_octets(&mut self) -> Option<Item<'a>> {
        let prefix = if self.prefix == 0 || self.prefix == 7 { None } else { Some(self.prefix()?) };
        let octets = match self.size {
            _ if self.sized => usize::try_from(prefix?).ok()?,
            Size::Nothing => 0,
            Size::Octets(octets) => usize::try_from(octets).ok()?,
            Size::Attribute => attribute_size(self.data)?,
            Size::Private => private_size(self.data)?,
            Size::Bits(_) | Size::Prefixed => return None,
        };
        let index = if self.sized { self.index } else { prefix.or(self.index) };
        let offset = self.offset;
        Some(Item { index, octets: self.take(octets)?, bit: 0, offset })
    }
}

/// Octets of a device attribute (type, length, value). The extended list counts from 256.
fn attribute_size(octets: &[u8]) -> Option<usize> {
    match octets {
        [255, length, ..] => Some(2 + 256 + usize::from(*length)),
        [_, length, ..] => Some(2 + usize::from(*length)),
        _ => None,
    }
}

/// Octets of a private registration object (vendor, object id, length, value).
fn private_size(octets: &[u8]) -> Option<usize> {
    let length = octets.get(6..8)?;
    Some(8 + usize::try_from(little_endian(length)).ok()?)
}

/// A number of up to four octets.
pub(in crate::dnp3) fn little_endian(octets: &[u8]) -> u32 {
    octets.iter().rev().fold(0, |number, octet| number << 8 | u32::from(*octet))
}

/// Walks the object headers of a fragment. Ends at the first header it cannot step over; what it
/// leaves is [`Walk::rest`].
#[derive(Debug, Clone)]
pub(in crate::dnp3) struct Walk<'a> {
    body: &'a [u8],
    at: usize,
    function: u8,
    stopped: bool,
}

impl<'a> Walk<'a> {
    /// Walk the octets behind function code and IIN.
    pub(in crate::dnp3) fn new(body: &'a [u8], function: u8) -> Walk<'a> {
        Walk { body, at: 0, function, stopped: !function::is_defined(function) }
    }

    /// What was not walked over.
    pub(in crate::dnp3) fn rest(&self) -> &'a [u8] {
        self.body.get(self.at..).unwrap_or_default()
    }

    fn stop(
        &mut self,
        kind: DefectKind,
        check: &'static str,
        offset: usize,
        texts: [&'static str; 2],
    ) -> Trouble {
        self.stopped = true;
        let [expected, observed] = texts;
        Trouble { kind, check, offset, expected, observed }
    }

    /// Whether the objects themselves follow a header of this group under the walk's function.
    fn has_objects(&self, group: u8, variation: u8) -> bool {
        match (self.function, group) {
            // Authentication rides on any function; a freeze at a time needs the time.
            (_, 120) | (function::FREEZE_AT_TIME | function::FREEZE_AT_TIME_NR, 50) => true,
            // Reading a file means naming handle and block.
            (function::READ, 70) => variation == 5,
            (code, _) => !function::is_header_only(code),
        }
    }

    fn step(&mut self) -> Result<ObjectHeader<'a>, Trouble> {
        let offset = self.at;
        let Ok((data, mut header)) = header(self.rest(), offset) else {
            return Err(self.stop(
                DefectKind::Malformed,
                "DN-C13",
                offset,
                ["a whole object header", "the fragment ends inside it"],
            ));
        };
        header.shape = layout::shape(header.group, header.variation);
        header.has_objects = self.has_objects(header.group, header.variation);
        header.data = data;
        header.data_offset = self.body.len() - data.len();
        header.trouble = self.check(&header);
        if self.stopped {
            self.at = header.data_offset;
            return Ok(header);
        }
        match extent(&header) {
            Ok(octets) => {
                header.data = data.get(..octets).unwrap_or_default();
                self.at = header.data_offset + octets;
            }
            Err([kind_unknown, observed]) => {
                let (kind, check) = if kind_unknown.is_empty() {
                    (DefectKind::UnknownObject, "DN-C11")
                } else {
                    (DefectKind::Malformed, "DN-C13")
                };
                let expected = if kind_unknown.is_empty() { "an object of known size" } else { kind_unknown };
                header.trouble = Some(self.stop(kind, check, header.data_offset, [expected, observed]));
                self.at = header.data_offset;
            }
        }
        Ok(header)
    }

    /// Faults of the header itself; those that leave the extent open stop the walk.
    fn check(&mut self, header: &ObjectHeader<'_>) -> Option<Trouble> {
        use DefectKind::{FieldRange, Malformed, ReservedBits, UnknownObject};
        let offset = header.offset;
        match header.range {
            Range::Indices(first, last) | Range::Addresses(first, last) if first > last => {
                return Some(self.stop(Malformed, "DN-C13", offset, ["start <= stop", "start > stop"]));
            }
            Range::Reserved if header.has_objects => {
                let texts = ["range specifier 0 to 9 or B", "a reserved range specifier"];
                return Some(self.stop(FieldRange, "DN-C12", offset, texts));
            }
            _ => {}
        }
        if header.prefix() == 7 {
            let texts = ["prefix code 0 to 6", "reserved prefix code 7"];
            return Some(self.stop(FieldRange, "DN-C12", offset, texts));
        }
        let mild =
            |kind, check, expected, observed| Some(Trouble { kind, check, offset, expected, observed });
        if header.range == Range::Reserved {
            return mild(FieldRange, "DN-C12", "range specifier 0 to 9 or B", "a reserved range specifier");
        }
        if header.qualifier & 0x80 != 0 {
            return mild(ReservedBits, "DN-C12", "qualifier bit 7 clear", "qualifier bit 7 set");
        }
        if header.range == Range::Count(0) {
            return mild(FieldRange, "DN-C13", "a count of at least 1", "count 0");
        }
        // Variation 0 asks for the outstation's choice; a request needs no size for it.
        let steppable = !header.has_objects || header.has_sizes() || header.announced() == 0;
        if header.shape.is_none() && steppable && !is_known_request(header.group, header.variation) {
            return mild(UnknownObject, "DN-C11", "a defined object", "an undefined group or variation");
        }
        None
    }
}

/// Whether a header without objects may name this group and variation.
fn is_known_request(group: u8, variation: u8) -> bool {
    let any = variation == 0;
    layout::shape(group, variation).is_some() || (any && (0..=8).any(|v| layout::shape(group, v).is_some()))
}

impl<'a> Iterator for Walk<'a> {
    type Item = Result<ObjectHeader<'a>, Trouble>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.stopped || self.at >= self.body.len() {
            return None;
        }
        Some(self.step())
    }
}

/// Read the header at the beginning of `octets`.
fn header(octets: &[u8], offset: usize) -> IResult<&[u8], ObjectHeader<'_>> {
    let (rest, group) = le_u8(octets)?;
    let (rest, variation) = le_u8(rest)?;
    let (rest, qualifier) = le_u8(rest)?;
    let (rest, range) = range_field(rest, qualifier & 0x0F)?;
    let header = ObjectHeader {
        group,
        variation,
        qualifier,
        range,
        offset,
        data_offset: 0,
        data: &[],
        shape: None,
        has_objects: false,
        trouble: None,
    };
    Ok((rest, header))
}

fn range_field(octets: &[u8], specifier: u8) -> IResult<&[u8], Range> {
    let pair = |(first, last)| (u32::from(first), u32::from(last));
    let wide = |(first, last): (u16, u16)| (u32::from(first), u32::from(last));
    match specifier {
        0 => (le_u8, le_u8).map(pair).map(|(a, b)| Range::Indices(a, b)).parse(octets),
        1 => (le_u16, le_u16).map(wide).map(|(a, b)| Range::Indices(a, b)).parse(octets),
        2 => (le_u32, le_u32).map(|(a, b)| Range::Indices(a, b)).parse(octets),
        3 => (le_u8, le_u8).map(pair).map(|(a, b)| Range::Addresses(a, b)).parse(octets),
        4 => (le_u16, le_u16).map(wide).map(|(a, b)| Range::Addresses(a, b)).parse(octets),
        5 => (le_u32, le_u32).map(|(a, b)| Range::Addresses(a, b)).parse(octets),
        6 => Ok((octets, Range::All)),
        7 | 0xB => le_u8.map(|n| Range::Count(n.into())).parse(octets),
        8 => le_u16.map(|n| Range::Count(n.into())).parse(octets),
        9 => le_u32.map(Range::Count).parse(octets),
        _ => Ok((octets, Range::Reserved)),
    }
}

/// How many octets follow the header, or what one expects and finds instead (no expectation: the
/// object is unknown).
fn extent(header: &ObjectHeader<'_>) -> Result<usize, [&'static str; 2]> {
    const OVERRUN: [&str; 2] = ["objects within the fragment", "objects overrun it"];
    let count = header.announced();
    let prefix = header.prefix_size();
    if count == 0 || (!header.has_objects && prefix == 0) {
        return Ok(0);
    }
    if header.has_sizes() || matches!(header.size(), Size::Attribute | Size::Private) {
        return walked(header).ok_or(OVERRUN);
    }
    let bits = |width: u64| count.saturating_mul(width).div_ceil(8);
    let each = |octets: u64| count.saturating_mul(octets + prefix as u64);
    let octets = match header.size() {
        Size::Bits(width) => bits(width.into()),
        Size::Octets(octets) => each(octets.into()),
        Size::Nothing => each(0),
        Size::Attribute | Size::Private | Size::Prefixed if header.shape.is_some() => {
            return Err(["a size prefix", "an object of variable size without one"]);
        }
        Size::Attribute | Size::Private | Size::Prefixed => {
            return Err(["", "an undefined group or variation"]);
        }
    };
    let octets = usize::try_from(octets).map_err(|_| OVERRUN)?;
    if octets > header.data.len() { Err(OVERRUN) } else { Ok(octets) }
}

/// Octets of objects that have to be stepped over one by one.
fn walked(header: &ObjectHeader<'_>) -> Option<usize> {
    let mut items = header.items();
    while items.left > 0 {
        items.next()?;
    }
    Some(header.data.len() - items.data.len())
}
