//! The MBAP header (Messaging on TCP/IP V1.0b, clause 3.1.3): where a Modbus PDU begins and ends on TCP.
//!
//! ```text
//!  0        2        4        6      7
//! +--------+--------+--------+------+----- ... -----+
//! | trans- | proto- | length | unit | PDU: function |
//! | action | col    |        | id   | code, data    |
//! +--------+--------+--------+------+----- ... -----+
//!            must be  unit id and PDU: 2 to 254
//!            0
//! ```

/// Octets in front of the PDU.
pub(crate) const HEADER: usize = 7;
/// Octets that `length` does not count.
pub(crate) const UNCOUNTED: usize = 6;
/// Header and function code: enough to judge a header.
pub(crate) const JUDGED: usize = 8;
/// The longest length the standard allows: unit id and a PDU of 253 octets.
pub(crate) const LONGEST: u16 = 254;

/// The header's fields.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(crate) struct Header {
    pub(crate) transaction: u16,
    pub(crate) protocol: u16,
    pub(crate) length: u16,
    pub(crate) unit: u8,
}

impl Header {
    /// The header at the start of some octets, if they are long enough.
    #[inline]
    pub(crate) fn at(octets: &[u8]) -> Option<Header> {
        let &[t0, t1, p0, p1, l0, l1, unit] = octets.first_chunk::<HEADER>()?;
        let [transaction, protocol, length] = [[t0, t1], [p0, p1], [l0, l1]].map(u16::from_be_bytes);
        Some(Header { transaction, protocol, length, unit })
    }

    /// Octets of the whole ADU by what the header says.
    pub(crate) fn adu(&self) -> usize {
        UNCOUNTED + usize::from(self.length)
    }

    /// Octets of the PDU by what the header says.
    pub(crate) fn pdu(&self) -> usize {
        usize::from(self.length).saturating_sub(1)
    }

    /// Whether the length is one that the standard allows.
    pub(crate) fn length_is_legal(&self) -> bool {
        (2..=LONGEST).contains(&self.length)
    }
}
