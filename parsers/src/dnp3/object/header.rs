//! Object headers and the objects behind them, IEEE 1815 clauses 4.2.2.7 and 4.2.2.8.
//!
//! ```text
//! +-----+---------+---------+-------------+--------+--------+--------+---
//! |GROUP|VARIATION|QUALIFIER| range field | prefix | object | prefix | ...
//! +-----+---------+---------+-------------+--------+--------+--------+---
//! QUALIFIER: bit 7 reserved, bits 6-4 prefix code, bits 3-0 range specifier
//! ```

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
    /// Size of one object without a size prefix: see [`ObjectHeader::size_of`].
    pub(super) size: Size,
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
    pub(super) fn size_of(shape: Option<Shape>, has_objects: bool, prefix: u8) -> Size {
        if !has_objects {
            return Size::Nothing;
        }
        match shape.map(Shape::size) {
            // A bit with a prefix cannot be packed: it takes an octet of its own.
            Some(Size::Bits(_)) if prefix != 0 => Size::Octets(1),
            Some(size) => size,
            None => Size::Prefixed,
        }
    }

    /// How many packed states of one bit follow, if that is what follows.
    #[inline]
    pub(in crate::dnp3) fn packed_states(&self) -> Option<usize> {
        let states = matches!(self.group, 1 | 10) && self.shape == Some(Shape::Bit);
        let packed = states && self.has_objects && self.prefix() == 0 && !self.data.is_empty();
        let there = self.data.len().saturating_mul(8);
        packed.then(|| usize::try_from(self.announced()).map_or(there, |count| count.min(there)))
    }

    /// First index or address, if the range field has one.
    #[inline]
    fn first(&self) -> Option<u32> {
        match self.range {
            Range::Indices(first, _) | Range::Addresses(first, _) => Some(first),
            _ => None,
        }
    }

    /// The objects, one by one, if they all have the same size and stand in whole octets.
    #[inline]
    pub(in crate::dnp3) fn records(&self) -> Option<Records<'a>> {
        let Size::Octets(size @ 1..) = self.size else { return None };
        (self.prefix() <= 3).then(|| Records {
            data: self.data,
            offset: self.data_offset,
            left: self.announced(),
            index: self.first(),
            prefix: self.prefix_size(),
            size: size as usize,
        })
    }

    /// The objects, one by one.
    pub(in crate::dnp3) fn items(&self) -> Items<'a> {
        // Objects without an octet on the wire are not walked: a range could name four thousand million.
        let silent = self.data.is_empty() || (self.prefix_size() == 0 && self.size == Size::Nothing);
        Items {
            data: self.data,
            offset: self.data_offset,
            left: if silent { 0 } else { self.announced() },
            index: self.first(),
            prefix: self.prefix(),
            size: self.size,
            sized: self.has_sizes(),
            bit: 0,
        }
    }
}

/// Walks objects that all have the same size, with or without an index before each: what nearly all headers have
/// behind them. The same as [`Items`] of these, in fewer steps.
#[derive(Debug, Clone)]
pub(in crate::dnp3) struct Records<'a> {
    data: &'a [u8],
    /// Octets walked over, before those the header's data begins with.
    offset: usize,
    left: u64,
    index: Option<u32>,
    prefix: usize,
    size: usize,
}

impl<'a> Iterator for Records<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let (prefix, rest) = self.data.split_at_checked(self.prefix)?;
        let (octets, rest) = rest.split_at_checked(self.size)?;
        let index = match *prefix {
            [] => self.index,
            [a] => Some(a.into()),
            [a, b] => Some(u16::from_le_bytes([a, b]).into()),
            _ => Some(little_endian(prefix)),
        };
        let item = Item { index, octets, bit: 0, offset: self.offset + self.prefix };
        self.data = rest;
        self.offset += self.prefix + self.size;
        self.index = self.index.map(|index| index.wrapping_add(1));
        Some(item)
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

/// The fields of the header at the beginning of `octets` (group, variation, qualifier, range), and what follows it;
/// `None` if it is cut.
#[inline]
pub(super) fn header(octets: &[u8]) -> Option<([u8; 3], Range, &[u8])> {
    let (fixed, rest) = octets.split_first_chunk::<3>()?;
    let (range, rest) = range_field(rest, fixed[2] & 0x0F)?;
    Some((*fixed, range, rest))
}

#[inline]
fn range_field(octets: &[u8], specifier: u8) -> Option<(Range, &[u8])> {
    let narrow =
        || octets.split_first_chunk::<2>().map(|([a, b], rest)| ((u32::from(*a), u32::from(*b)), rest));
    let wide = || {
        let ([a, b, c, d], rest) = octets.split_first_chunk::<4>()?;
        Some(((u32::from(u16::from_le_bytes([*a, *b])), u32::from(u16::from_le_bytes([*c, *d]))), rest))
    };
    let widest = || {
        let (first, rest) = octets.split_first_chunk::<4>()?;
        let (last, rest) = rest.split_first_chunk::<4>()?;
        Some(((u32::from_le_bytes(*first), u32::from_le_bytes(*last)), rest))
    };
    let indices = |((first, last), rest)| (Range::Indices(first, last), rest);
    let addresses = |((first, last), rest)| (Range::Addresses(first, last), rest);
    match specifier {
        0 => narrow().map(indices),
        1 => wide().map(indices),
        2 => widest().map(indices),
        3 => narrow().map(addresses),
        4 => wide().map(addresses),
        5 => widest().map(addresses),
        6 => Some((Range::All, octets)),
        7 | 0xB => octets.split_first_chunk::<1>().map(|([n], rest)| (Range::Count((*n).into()), rest)),
        8 => octets
            .split_first_chunk::<2>()
            .map(|(n, rest)| (Range::Count(u16::from_le_bytes(*n).into()), rest)),
        9 => octets.split_first_chunk::<4>().map(|(n, rest)| (Range::Count(u32::from_le_bytes(*n)), rest)),
        _ => Some((Range::Reserved, octets)),
    }
}
