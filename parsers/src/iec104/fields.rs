//! Which sizes the fields of a link have: those of 104, or those of 101 that some devices keep on TCP.

use super::asdu::Asdu;
use crate::contract::FieldSizes;

/// ASDUs in a row that must not fit the sizes in use, and all fit the same others. They must differ in type or number of
/// objects: the same ASDU again and again, a few octets short, is one that somebody has cut.
const ENOUGH: u8 = 3;

/// The sizes in use, and the doubt about them.
#[derive(Debug)]
pub(super) struct Fields {
    pub sizes: FieldSizes,
    /// An ASDU has fitted them, or somebody knows them.
    settled: bool,
    /// Somebody knows them.
    given: bool,
    misfits: u8,
    /// Type and number of objects of the first of them, and whether another one differs.
    shape: Option<[u8; 2]>,
    differ: bool,
    /// Bits of [`ORDER`]: those that all of the misfits have fitted.
    candidates: u16,
}

/// The others, the likelier first: with one object an ASDU tells the sum of the sizes alone.
const ORDER: [(u8, u8, u8); 11] = [
    (1, 1, 2),
    (1, 2, 2),
    (1, 1, 1),
    (1, 2, 3),
    (2, 2, 2),
    (1, 1, 3),
    (2, 1, 2),
    (1, 2, 1),
    (2, 1, 3),
    (2, 2, 1),
    (2, 1, 1),
];

fn order() -> impl Iterator<Item = FieldSizes> {
    ORDER.into_iter().map(|(cause, common, object)| FieldSizes { cause, common, object })
}

impl Fields {
    pub(super) fn new() -> Fields {
        Fields {
            sizes: FieldSizes::IEC104,
            settled: false,
            given: false,
            misfits: 0,
            shape: None,
            differ: false,
            candidates: u16::MAX,
        }
    }

    /// Somebody knows them, or knows them no longer.
    pub(super) fn give(&mut self, sizes: Option<FieldSizes>) {
        match sizes {
            Some(sizes) => (self.sizes, self.settled, self.given) = (sizes, true, true),
            None if self.given => *self = Fields::new(),
            None => {}
        }
    }

    /// Look at an ASDU. True if the sizes have changed: it is to be read by the new ones.
    pub(super) fn look(&mut self, octets: &[u8]) -> bool {
        if self.settled {
            return false;
        }
        if Asdu::new(octets, self.sizes).is_some_and(|asdu| asdu.fits()) {
            self.settled = true;
            return false;
        }
        let fitting = order().enumerate().filter(|(_, sizes)| fits(octets, *sizes));
        let mask = fitting.fold(0, |mask, (n, _)| mask | 1 << n);
        self.candidates &= mask;
        if self.candidates == 0 {
            (self.misfits, self.candidates) = (u8::from(mask != 0), if mask == 0 { u16::MAX } else { mask });
            (self.shape, self.differ) = (octets.first_chunk().copied().filter(|_| mask != 0), false);
            return false;
        }
        let shape = octets.first_chunk().copied();
        self.differ |= self.shape.is_some() && self.shape != shape;
        self.shape = self.shape.or(shape);
        self.misfits = self.misfits.saturating_add(1);
        if self.misfits < ENOUGH || !self.differ {
            return false;
        }
        let Some((_, sizes)) = order().enumerate().find(|(n, _)| self.candidates & 1 << n != 0) else {
            return false;
        };
        (self.sizes, self.settled) = (sizes, true);
        true
    }
}

/// Whether an ASDU has these sizes and a cause that its type can have.
fn fits(octets: &[u8], sizes: FieldSizes) -> bool {
    Asdu::new(octets, sizes).is_some_and(|asdu| asdu.fits() && super::cause::fits(asdu.type_id, asdu.cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    #[test]
    fn three_that_fit_nothing_else_settle_it() {
        let mut fields = Fields::new();
        // Two objects each: the size of their addresses shows.
        let asdu = hex("01 02 03 0a 0100 01 0200 00");
        assert!(!fields.look(&asdu) && !fields.look(&asdu));
        let measured = hex("09 01 03 0a 0500 1027 00");
        assert!(fields.look(&measured));
        assert_eq!(fields.sizes, FieldSizes { cause: 1, common: 1, object: 2 });
        assert!(!fields.look(&asdu), "settled");
    }

    #[test]
    fn the_same_short_one_again_and_again_settles_nothing() {
        let mut fields = Fields::new();
        // A single command in the sizes of 104, three octets short.
        for object in 0..100 {
            assert!(!fields.look(&[0x2d, 1, 6, 0, 1, object, 1]));
        }
        assert_eq!(fields.sizes, FieldSizes::IEC104);
        assert!(!fields.settled);
    }

    #[test]
    fn one_that_fits_104_settles_it_too() {
        let mut fields = Fields::new();
        let other = hex("2d 01 06 0a 9411 81");
        assert!(!fields.look(&other) && !fields.look(&other));
        assert!(!fields.look(&hex("2d 01 06 00 0a00 941100 81")));
        assert!(!fields.look(&other) && !fields.look(&other) && !fields.look(&other));
        assert_eq!(fields.sizes, FieldSizes::IEC104);
    }

    #[test]
    fn sizes_that_are_known_are_not_found_out() {
        let mut fields = Fields::new();
        let sizes = FieldSizes { cause: 1, common: 1, object: 2 };
        fields.give(Some(sizes));
        for _ in 0..5 {
            assert!(!fields.look(&hex("2d 01 06 00 0a00 941100 81")));
            assert!(!fields.look(&hex("64 01 06 00 0a00 000000 14")));
        }
        assert_eq!(fields.sizes, sizes);
        fields.give(None);
        assert_eq!(fields.sizes, FieldSizes::IEC104, "known no longer");
    }

    #[test]
    fn rubbish_settles_nothing() {
        let mut fields = Fields::new();
        for _ in 0..10 {
            assert!(!fields.look(&hex("01 02 03")));
            assert!(!fields.look(&hex("ff ff ff ff ff ff ff")));
        }
        assert_eq!(fields.sizes, FieldSizes::IEC104);
    }
}
