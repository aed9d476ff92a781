//! Object headers and the objects behind them, IEEE 1815 clauses 4.2.2.7 and 4.2.2.8.
//!
//! ```text
//! +-----+---------+---------+-------------+--------+--------+--------+---
//! |GROUP|VARIATION|QUALIFIER| range field | prefix | object | prefix | ...
//! +-----+---------+---------+-------------+--------+--------+--------+---
//! QUALIFIER: bit 7 reserved, bits 6-4 prefix code, bits 3-0 range specifier
//! ```

use nom::number::complete::{le_u8, le_u16, le_u32};
use nom::{IResult, Parser};

use super::fault::Trouble;
use super::layout::{Shape, Size};

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
    #[inline]
    pub(super) fn announced(&self) -> u64 {
        match self.range {
            Range::Indices(first, last) | Range::Addresses(first, last) => {
                (u64::from(last) + 1).saturating_sub(first.into())
            }
            Range::Count(count) => count.into(),
            Range::All | Range::Reserved => 0,
        }
    }

    /// Octets of each prefix.
    #[inline]
    pub(super) fn prefix_size(&self) -> usize {
        match self.prefix() {
            1 | 4 => 1,
            2 | 5 => 2,
            3 | 6 => 4,
            _ => 0,
        }
    }

    /// Whether each object is preceded by its size.
    #[inline]
    pub(super) fn has_sizes(&self) -> bool {
        matches!(self.prefix(), 4..=6)
    }

    /// Size of one object without a size prefix, as this header places it.
    #[inline]
    pub(super) fn size(&self) -> Size {
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
    /// Objects still to come.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Octets not walked yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.data
    }

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

/// Read the header at the beginning of `octets`.
#[inline]
pub(super) fn header(octets: &[u8], offset: usize) -> IResult<&[u8], ObjectHeader<'_>> {
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

#[inline]
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
