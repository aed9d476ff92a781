//! The application service data unit: its header and where its objects stand (IEC 60870-5-101, clause 7).
//!
//! ```text
//!  type | SQ, N | T, P/N, cause | OA | CA | IOA element, IOA element ...
//!                                         | IOA element element ...       (SQ)
//! ```

use nom::IResult;
use nom::bytes::complete::take;
use nom::number::complete::{le_u8, le_u16, le_u24};

use super::types::{self, Size};
use crate::contract::{FieldSizes, PointKind};

impl FieldSizes {
    /// Octets before the first object.
    pub(super) fn head(self) -> usize {
        usize::from(2 + self.cause + self.common)
    }

    /// Octets of an object's address.
    pub(super) fn of_object(self) -> usize {
        usize::from(self.object)
    }
}

/// An ASDU whose header is there.
#[derive(Debug, Copy, Clone)]
pub(super) struct Asdu<'a> {
    pub sizes: FieldSizes,
    /// All of it.
    pub octets: &'a [u8],
    pub type_id: u8,
    /// The objects follow one another: one address for all.
    pub sequence: bool,
    pub count: u8,
    pub test: bool,
    pub negative: bool,
    pub cause: u8,
    /// Originator address, where the cause has two octets.
    pub originator: Option<u8>,
    pub common: u16,
    /// What follows the header.
    pub body: &'a [u8],
}

fn small_or_wide(size: u8) -> impl Fn(&[u8]) -> IResult<&[u8], u16> {
    move |input| match size {
        1 => le_u8(input).map(|(input, octet)| (input, octet.into())),
        _ => le_u16(input),
    }
}

fn originator(size: u8) -> impl Fn(&[u8]) -> IResult<&[u8], Option<u8>> {
    move |input| match size {
        1 => Ok((input, None)),
        _ => le_u8(input).map(|(input, octet)| (input, Some(octet))),
    }
}

/// An address of an information object.
fn object_address(size: u8) -> impl Fn(&[u8]) -> IResult<&[u8], u32> {
    move |input| match size {
        1 => le_u8(input).map(|(input, octet)| (input, octet.into())),
        2 => le_u16(input).map(|(input, word)| (input, word.into())),
        _ => le_u24(input),
    }
}

fn parse(octets: &[u8], sizes: FieldSizes) -> IResult<&[u8], Asdu<'_>> {
    let input = octets;
    let (input, type_id) = le_u8(input)?;
    let (input, variable) = le_u8(input)?;
    let (input, cause) = le_u8(input)?;
    let (input, originator) = originator(sizes.cause)(input)?;
    let (input, common) = small_or_wide(sizes.common)(input)?;
    let asdu = Asdu {
        sizes,
        octets,
        type_id,
        sequence: variable & 0x80 != 0,
        count: variable & 0x7F,
        test: cause & 0x80 != 0,
        negative: cause & 0x40 != 0,
        cause: cause & 0x3F,
        originator,
        common: global(common, sizes.common),
        body: input,
    };
    Ok((input, asdu))
}

/// The global address of an octet is that of two.
fn global(common: u16, size: u8) -> u16 {
    if size == 1 && common == 0xFF { 0xFFFF } else { common }
}

/// One information object.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) struct Object<'a> {
    pub address: u32,
    /// Its element, without the address. Empty for a read; all that is left for a type of unknown size.
    pub element: &'a [u8],
    /// Where the element begins in the ASDU.
    pub offset: usize,
}

impl<'a> Asdu<'a> {
    /// `None` if the header is not whole.
    pub(super) fn new(octets: &'a [u8], sizes: FieldSizes) -> Option<Asdu<'a>> {
        parse(octets, sizes).ok().map(|(_, asdu)| asdu)
    }

    /// Octets that the body must have; `None` for a type whose size is not known.
    pub(super) fn due(&self) -> Option<usize> {
        let address = self.sizes.of_object();
        let count = usize::from(self.count);
        match types::size(self.type_id) {
            Size::Of(element) if self.sequence => Some(address + count * element),
            Size::Of(element) => Some(count * (address + element)),
            Size::Segment => {
                let length = *self.body.get(address + types::SEGMENT_HEAD - 1)?;
                Some(address + types::SEGMENT_HEAD + usize::from(length))
            }
            Size::Unknown => None,
        }
    }

    /// Whether type, number and length go together, and the type is known.
    pub(super) fn fits(&self) -> bool {
        self.count > 0 && self.due() == Some(self.body.len())
    }

    /// Whether number and length cannot go together. Nothing is known of types without a size.
    pub(super) fn misfits(&self) -> bool {
        self.count == 0 || self.due().is_some_and(|due| due != self.body.len())
    }

    /// The objects that are whole. A type of unknown size, and a segment, is one.
    pub(super) fn objects(&self) -> Objects<'a> {
        let element = match types::size(self.type_id) {
            Size::Of(element) => Some(element),
            Size::Segment | Size::Unknown => None,
        };
        Objects {
            sizes: self.sizes,
            rest: self.body,
            offset: self.octets.len() - self.body.len(),
            left: if element.is_some() { self.count } else { self.count.min(1) },
            element,
            sequence: self.sequence,
            next: None,
        }
    }

    /// The lowest and the highest address that its objects can have, told without a walk over them.
    pub(super) fn reach(&self) -> (u32, u32) {
        match self.first_address() {
            Some(first) if self.sequence => {
                (first, first.saturating_add(u32::from(self.count.saturating_sub(1))))
            }
            Some(first) if self.count == 1 => (first, first),
            _ => (0, PointKind::InformationObject.highest()),
        }
    }

    /// The address of the first object, if it is there.
    pub(super) fn first_address(&self) -> Option<u32> {
        object_address(self.sizes.object)(self.body).ok().map(|(_, address)| address)
    }
}

/// A walk over the objects of an ASDU.
#[derive(Debug, Clone)]
pub(super) struct Objects<'a> {
    sizes: FieldSizes,
    rest: &'a [u8],
    offset: usize,
    left: u8,
    element: Option<usize>,
    sequence: bool,
    next: Option<u32>,
}

impl<'a> Objects<'a> {
    /// The octets behind the objects walked so far.
    pub(super) fn rest(&self) -> (&'a [u8], usize) {
        (self.rest, self.offset)
    }

    #[inline]
    fn step(&self) -> IResult<&'a [u8], (u32, &'a [u8])> {
        let input = self.rest;
        let (input, address) = match self.next {
            Some(address) if self.sequence => (input, address),
            _ => object_address(self.sizes.object)(input)?,
        };
        let (input, element) = take(self.element.unwrap_or(input.len()))(input)?;
        Ok((input, (address, element)))
    }
}

impl<'a> Iterator for Objects<'a> {
    type Item = Object<'a>;

    #[inline]
    fn next(&mut self) -> Option<Object<'a>> {
        if self.left == 0 {
            return None;
        }
        let (rest, (address, element)) = self.step().ok()?;
        self.left -= 1;
        self.next = Some(address.wrapping_add(1));
        self.offset += self.rest.len() - rest.len();
        self.rest = rest;
        Some(Object { address, element, offset: self.offset - element.len() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::hex;

    #[test]
    fn one_address_for_all_or_one_for_each() {
        let octets = hex("01 84 14 00 0a00 010000 01 00 01 80");
        let asdu = Asdu::new(&octets, FieldSizes::IEC104).unwrap();
        assert!(asdu.fits() && asdu.sequence);
        assert_eq!(
            asdu.objects().map(|o| (o.address, o.element[0])).collect::<Vec<_>>(),
            [(1, 1), (2, 0), (3, 1), (4, 0x80)]
        );
        let octets = hex("0d 02 03 00 0a00 140500 0000c842 00 150500 00004843 00");
        let asdu = Asdu::new(&octets, FieldSizes::IEC104).unwrap();
        assert!(asdu.fits() && !asdu.sequence);
        assert_eq!(
            asdu.objects().map(|o| (o.address, o.offset)).collect::<Vec<_>>(),
            [(1300, 9), (1301, 17)]
        );
    }

    #[test]
    fn what_is_cut_off_is_no_object_and_stays_behind() {
        let octets = hex("0d 02 03 00 0a00 140500 0000c842 00 150500 0000");
        let asdu = Asdu::new(&octets, FieldSizes::IEC104).unwrap();
        let mut objects = asdu.objects();
        assert_eq!(objects.by_ref().count(), 1);
        assert_eq!(objects.rest(), (&hex("150500 0000")[..], 14));
        assert!(!asdu.fits());
    }

    #[test]
    fn the_sizes_of_101_are_read_when_they_are_asked_for() {
        let sizes = FieldSizes { cause: 1, common: 1, object: 2 };
        let octets = hex("2d 01 06 0a 9411 81");
        let asdu = Asdu::new(&octets, sizes).unwrap();
        assert!(asdu.fits());
        assert_eq!((asdu.common, asdu.originator, asdu.first_address()), (10, None, Some(4500)));
        assert!(!Asdu::new(&octets, FieldSizes::IEC104).unwrap().fits());
        assert_eq!(
            Asdu::new(&hex("64 01 06 ff 0000 14"), sizes).unwrap().common,
            0xFFFF,
            "the global address"
        );
    }
}
