//! The walk over the object headers of a fragment, and how far each of them reaches.

use super::fault::{Fault, Trouble};
use super::header::{self, ObjectHeader, Range};
use super::layout::{self, Size};
use crate::dnp3::function;

/// Walks the object headers of a fragment. Ends at the first header it cannot step over; what it
/// leaves is [`Walk::rest`].
#[derive(Debug, Clone)]
pub(in crate::dnp3) struct Walk<'a> {
    body: &'a [u8],
    at: usize,
    function: u8,
    header_only: bool,
    stopped: bool,
    lenient: bool,
}

impl<'a> Walk<'a> {
    /// Walk the octets behind function code and IIN.
    pub(in crate::dnp3) fn new(body: &'a [u8], function: u8) -> Walk<'a> {
        let header_only = function::is_header_only(function);
        Walk { body, at: 0, function, header_only, stopped: !function::is_defined(function), lenient: false }
    }

    /// Walk on where a header says something impossible, taking it for one without objects, and trust an
    /// object's own size more than the size before it. What lies behind is a guess: good for a list of the
    /// headers, as an analyser shows it, but nothing is concluded from it.
    pub(in crate::dnp3) fn lenient(mut self) -> Walk<'a> {
        self.lenient = true;
        self
    }

    /// What was not walked over.
    pub(in crate::dnp3) fn rest(&self) -> &'a [u8] {
        self.body.get(self.at..).unwrap_or_default()
    }

    /// Whether the objects themselves follow a header of this group under the walk's function.
    #[inline]
    fn has_objects(&self, group: u8, variation: u8, sized: bool) -> bool {
        if !self.header_only {
            return true;
        }
        match (self.function, group) {
            // Authentication rides on any function; a freeze at a time needs the time.
            (_, 120) | (function::FREEZE_AT_TIME | function::FREEZE_AT_TIME_NR, 50) => true,
            // Reading a file means naming handle and block.
            (function::READ, 70) => variation == 5 && sized,
            _ => false,
        }
    }

    /// The next header. The trouble it brings, if any, stands in it, unless it is cut off.
    pub(in crate::dnp3) fn step(&mut self) -> Option<Result<ObjectHeader<'a>, Trouble>> {
        if self.stopped || self.at >= self.body.len() {
            return None;
        }
        let offset = self.at;
        let Some(([group, variation, qualifier], range, data)) = header::header(self.rest()) else {
            self.stopped = true;
            return Some(Err(Trouble { fault: Fault::CutHeader, offset }));
        };
        let mut header = ObjectHeader {
            group,
            variation,
            qualifier,
            range,
            offset,
            data_offset: self.body.len() - data.len(),
            data,
            shape: layout::shape(group, variation),
            has_objects: self.has_objects(group, variation, matches!(qualifier >> 4 & 7, 4..=6)),
            size: Size::Nothing,
            trouble: None,
        };
        // Sizes announce objects, even where none belong.
        header.has_objects |= self.lenient && header.has_sizes();
        header.size = ObjectHeader::size_of(header.shape, header.has_objects, header.prefix());
        self.at = header.data_offset;
        if let Some(fault) = broken(&header).filter(|_| !self.lenient) {
            self.stopped = true;
            header.trouble = Some(Trouble { fault, offset });
            return Some(Ok(header));
        }
        let extent = if self.lenient { nominal(&header) } else { extent(&header) };
        match extent {
            Ok(octets) => {
                header.data = data.get(..octets).unwrap_or_default();
                self.at += octets;
                header.trouble = odd(&header).map(|fault| Trouble { fault, offset });
            }
            Err(fault) => {
                self.stopped = true;
                header.trouble = Some(Trouble { fault, offset: header.data_offset });
            }
        }
        Some(Ok(header))
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Result<ObjectHeader<'a>, Trouble>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.step()
    }
}

/// A fault that leaves open where the next header begins.
#[inline]
fn broken(header: &ObjectHeader<'_>) -> Option<Fault> {
    match header.range {
        Range::Indices(first, last) | Range::Addresses(first, last) if first > last => {
            Some(Fault::StartAfterStop)
        }
        Range::Reserved if header.has_objects => Some(Fault::ReservedRange),
        _ if header.prefix() == 7 => Some(Fault::ReservedPrefix),
        _ => None,
    }
}

/// A fault that can be stepped over.
#[inline]
fn odd(header: &ObjectHeader<'_>) -> Option<Fault> {
    if header.range == Range::Reserved {
        return Some(Fault::ReservedRange);
    }
    if header.qualifier & 0x80 != 0 {
        return Some(Fault::ReservedBit);
    }
    if header.range == Range::Count(0) {
        return Some(Fault::NoObjects);
    }
    if header.shape.is_none() {
        return (!is_any_variation(header.group, header.variation)).then_some(Fault::Unknown);
    }
    match header.size {
        Size::Octets(size) if header.has_sizes() => {
            let fits = |item: header::Item<'_>| u32::try_from(item.octets.len()) == Ok(size);
            (!header.items().all(fits)).then_some(Fault::WrongSize)
        }
        _ => None,
    }
}

/// Variation 0 asks for the outstation's choice; it needs no size.
fn is_any_variation(group: u8, variation: u8) -> bool {
    variation == 0 && (1..=8).any(|v| layout::shape(group, v).is_some())
}

/// How many octets follow the header.
#[inline]
fn extent(header: &ObjectHeader<'_>) -> Result<usize, Fault> {
    let count = header.announced();
    let prefix = header.prefix_size();
    if count == 0 || (!header.has_objects && prefix == 0) {
        return Ok(0);
    }
    if header.has_sizes() {
        return walked(header);
    }
    let each = |octets: u32| count.saturating_mul(u64::from(octets) + prefix as u64);
    let octets = match header.size {
        Size::Bits(width) => count.saturating_mul(width.into()).div_ceil(8),
        Size::Octets(octets) => each(octets),
        Size::Nothing => each(0),
        Size::Attribute | Size::Private => return walked(header),
        Size::Prefixed if header.shape.is_some() => return Err(Fault::NoSize),
        Size::Prefixed => return Err(Fault::Unknown),
    };
    match usize::try_from(octets) {
        Ok(octets) if octets <= header.data.len() => Ok(octets),
        _ => Err(Fault::Overrun),
    }
}

/// How many octets follow the header if every object has the size that its kind has. A kind without a size
/// (any variation, class data) has nothing to follow a prefix, so the first prefix is taken for the last.
fn nominal(header: &ObjectHeader<'_>) -> Result<usize, Fault> {
    let prefix = header.prefix_size() as u64;
    let any_variation =
        header.shape.is_none() && header.group != 0 && is_any_variation(header.group, header.variation);
    let octets = match header.size {
        Size::Octets(size) if header.has_sizes() => {
            header.announced().saturating_mul(u64::from(size) + prefix)
        }
        Size::Nothing if header.has_objects => prefix * header.announced().min(1),
        Size::Prefixed if any_variation => prefix * header.announced().min(1),
        _ => return extent(header),
    };
    match usize::try_from(octets) {
        Ok(octets) if octets <= header.data.len() => Ok(octets),
        _ => Err(Fault::Overrun),
    }
}

/// Octets of objects that have to be stepped over one by one.
fn walked(header: &ObjectHeader<'_>) -> Result<usize, Fault> {
    let mut items = header.items();
    while items.left() > 0 {
        if items.next().is_none() {
            return Err(Fault::Overrun);
        }
    }
    Ok(header.data.len() - items.rest().len())
}
