//! What stands before the APDU in the Ethernet payload (IEC 61850-8-1 annex C).
//!
//! ```text
//! APPID 2 | Length 2 | Reserved 1 2 | Reserved 2 2 | APDU | padding
//!           8 + APDU   S 1 bit, R 3, length of security 12 (edition 2; 0 before)
//! ```

use nom::IResult;
use nom::Parser;
use nom::number::complete::be_u16;

/// Octets of the header.
pub(super) const LENGTH: usize = 8;

/// The header.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) struct Header {
    pub(super) appid: u16,
    /// Octets from the APPID to the end of the APDU.
    pub(super) length: u16,
    pub(super) reserved1: u16,
    pub(super) reserved2: u16,
}

impl Header {
    pub(super) fn parse(input: &[u8]) -> Option<(&[u8], Header)> {
        let read: IResult<&[u8], (u16, u16, u16, u16)> = (be_u16, be_u16, be_u16, be_u16).parse(input);
        let (rest, (appid, length, reserved1, reserved2)) = read.ok()?;
        Some((rest, Header { appid, length, reserved1, reserved2 }))
    }

    /// The S bit: sent by a test set in the place of the device.
    pub(super) fn simulated(self) -> bool {
        self.reserved1 & 0x8000 != 0
    }

    /// The APDU's length by the header.
    pub(super) fn apdu(self) -> usize {
        usize::from(self.length).saturating_sub(LENGTH)
    }
}
