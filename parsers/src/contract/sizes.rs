//! Sizes of fields that a standard leaves to the installation.

use core::fmt;

/// Octets of the fields of an ASDU that IEC 60870-5-101 leaves to the installation (7.2.3 to 7.2.5).
/// IEC 60870-5-104 fixes them at 2, 2 and 3; some devices keep those of 101 on TCP.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub struct FieldSizes {
    /// Cause of transmission: 1, or 2 with the originator.
    pub(crate) cause: u8,
    /// Common address: 1 or 2.
    pub(crate) common: u8,
    /// Information object address: 1 to 3.
    pub(crate) object: u8,
}

impl FieldSizes {
    /// Those of 104.
    pub const IEC104: FieldSizes = FieldSizes { cause: 2, common: 2, object: 3 };

    /// Cause of transmission, common address, information object address. `None`: 101 knows no such sizes.
    #[must_use]
    pub fn new(sizes: [i64; 3]) -> Option<FieldSizes> {
        match sizes {
            [cause @ 1..=2, common @ 1..=2, object @ 1..=3] => {
                Some(FieldSizes { cause: cause as u8, common: common as u8, object: object as u8 })
            }
            _ => None,
        }
    }
}

impl fmt::Display for FieldSizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}, {}", self.cause, self.common, self.object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sizes_that_101_knows() {
        assert_eq!(FieldSizes::new([2, 2, 3]), Some(FieldSizes::IEC104));
        assert_eq!(FieldSizes::new([1, 1, 2]).map(|sizes| sizes.to_string()).as_deref(), Some("1, 1, 2"));
        for wrong in [[0, 1, 1], [3, 1, 1], [1, 0, 1], [1, 3, 1], [1, 1, 0], [1, 1, 4], [257, 1, 1]] {
            assert_eq!(FieldSizes::new(wrong), None, "{wrong:?}");
        }
    }
}
