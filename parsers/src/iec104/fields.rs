//! Which sizes the fields of a link have: those of 104, or those of 101 that some devices keep on TCP.

use super::asdu::Asdu;
use crate::contract::FieldSizes;

/// ASDUs in a row that must not fit the sizes in use, and all fit the same others. They must differ in type or number of
/// objects: the same ASDU again and again, a few octets short, is one that somebody has cut.
const ENOUGH: u8 = 3;

/// ASDUs that must not fit the sizes concluded, and all fit the same others that are left, before those are used: one
/// may be damaged or forged.
const DOUBTS: u8 = 2;

/// The sizes in use, and the doubt about them.
#[derive(Debug)]
pub(super) struct Fields {
    pub sizes: FieldSizes,
    /// An ASDU has fitted them, or somebody knows them.
    settled: bool,
    /// Somebody knows them.
    given: bool,
    /// They were concluded, and `candidates` holds others that fit all that was seen as well.
    concluded: bool,
    /// ASDUs since then that fit only others, and those that all of these fit.
    doubts: u8,
    doubted: u16,
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
            concluded: false,
            doubts: 0,
            doubted: u16::MAX,
            misfits: 0,
            shape: None,
            differ: false,
            candidates: u16::MAX,
        }
    }

    /// Somebody knows them, or knows them no longer.
    pub(super) fn give(&mut self, sizes: Option<FieldSizes>) {
        match sizes {
            Some(sizes) => *self = Fields { sizes, settled: true, given: true, ..Fields::new() },
            None if self.given => *self = Fields::new(),
            None => {}
        }
    }

    /// Look at an ASDU. True if the sizes have changed: it is to be read by the new ones.
    pub(super) fn look(&mut self, octets: &[u8]) -> bool {
        if self.settled {
            return self.concluded && self.doubt(octets);
        }
        if Asdu::new(octets, self.sizes).is_some_and(|asdu| asdu.fits()) {
            self.settled = true;
            return false;
        }
        let mask = fitting(octets, u16::MAX);
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
        self.conclude()
    }

    /// Use the likeliest of those left.
    fn conclude(&mut self) -> bool {
        let Some((_, sizes)) = order().enumerate().find(|(n, _)| self.candidates & 1 << n != 0) else {
            return false;
        };
        self.concluded = self.candidates.count_ones() > 1;
        (self.sizes, self.settled) = (sizes, true);
        (self.doubts, self.doubted) = (0, u16::MAX);
        true
    }

    /// An ASDU came after sizes were concluded. With several objects it may tell what those before it did not: the size of
    /// the addresses by itself. True if the sizes have changed.
    fn doubt(&mut self, octets: &[u8]) -> bool {
        let mask = fitting(octets, self.candidates);
        let in_use = order().position(|sizes| sizes == self.sizes).map_or(0, |n| 1 << n);
        if mask & in_use != 0 {
            self.candidates = mask;
            self.concluded = mask.count_ones() > 1;
            return false;
        }
        if mask == 0 {
            return false;
        }
        if self.doubted & mask == 0 {
            (self.doubts, self.doubted) = (0, u16::MAX);
        }
        self.doubts += 1;
        self.doubted &= mask;
        if self.doubts < DOUBTS {
            return false;
        }
        self.candidates = self.doubted;
        self.conclude()
    }
}

/// Bits of [`ORDER`], of those asked for: those that an ASDU fits.
fn fitting(octets: &[u8], of: u16) -> u16 {
    let asked = order().enumerate().filter(|(n, _)| of & 1 << n != 0);
    asked.filter(|(_, sizes)| fits(octets, *sizes)).fold(0, |mask, (n, _)| mask | 1 << n)
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
    fn several_objects_tell_later_what_one_could_not() {
        // Cause, common address and object address of two octets each; with one object (1, 2, 3) fits as well.
        let single = hex("01 01 03 00 0a00 0100 01");
        let measured = hex("09 01 03 00 0a00 0500 1027 00");
        let double = hex("01 02 03 00 0a00 0100 01 0200 00");
        let concluded = || {
            let mut fields = Fields::new();
            assert!(!fields.look(&single) && !fields.look(&measured) && fields.look(&single));
            assert_eq!(fields.sizes, FieldSizes { cause: 1, common: 2, object: 3 });
            fields
        };
        let mut fields = concluded();
        assert!(!fields.look(&double), "one may be damaged");
        assert!(fields.look(&double));
        assert_eq!(fields.sizes, FieldSizes { cause: 2, common: 2, object: 2 });
        assert!(!fields.look(&hex("01 02 03 0a 00 010000 01 020000 00")), "settled");

        // What fits the sizes in use ends the doubt.
        let mut fields = concluded();
        assert!(!fields.look(&hex("01 02 03 0a00 010000 01 020000 00")));
        assert!(!fields.look(&double) && !fields.look(&double) && !fields.look(&double));
        assert_eq!(fields.sizes, FieldSizes { cause: 1, common: 2, object: 3 });
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
