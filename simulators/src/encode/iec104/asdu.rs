//! ASDUs (IEC 60870-5-101, clause 7.2): header and information objects.

use super::types::size;

/// Causes of transmission.
pub mod cause {
    /// Periodic, cyclic.
    pub const PERIODIC: u8 = 1;
    /// Background scan.
    pub const BACKGROUND: u8 = 2;
    /// Spontaneous.
    pub const SPONTANEOUS: u8 = 3;
    /// Initialised.
    pub const INITIALISED: u8 = 4;
    /// Request or requested.
    pub const REQUEST: u8 = 5;
    /// Activation.
    pub const ACTIVATION: u8 = 6;
    /// Activation confirmation.
    pub const ACTIVATION_CON: u8 = 7;
    /// Deactivation.
    pub const DEACTIVATION: u8 = 8;
    /// Deactivation confirmation.
    pub const DEACTIVATION_CON: u8 = 9;
    /// Activation termination.
    pub const TERMINATION: u8 = 10;
    /// Return information caused by a remote command.
    pub const RETURN_REMOTE: u8 = 11;
    /// Interrogated by station interrogation.
    pub const INTERROGATED: u8 = 20;
    /// Requested by general counter request.
    pub const COUNTERS: u8 = 37;
    /// Unknown type identification.
    pub const UNKNOWN_TYPE: u8 = 44;
    /// Unknown cause of transmission.
    pub const UNKNOWN_CAUSE: u8 = 45;
    /// Unknown common address.
    pub const UNKNOWN_ADDRESS: u8 = 46;
    /// Unknown information object address.
    pub const UNKNOWN_OBJECT: u8 = 47;
}

/// An information object: its address (24 bits) and the octets of its elements.
pub type Object = (u32, Vec<u8>);

/// An ASDU.
#[derive(Debug, Clone, Default, Eq, PartialEq)]
pub struct Asdu {
    /// Type identification.
    pub type_id: u8,
    /// SQ: one address, the others follow by counting.
    pub sequence: bool,
    /// Cause of transmission, 6 bits.
    pub cause: u8,
    /// P/N: negative confirmation.
    pub negative: bool,
    /// T: test.
    pub test: bool,
    /// Originator address.
    pub originator: u8,
    /// Common address.
    pub address: u16,
    /// Objects.
    pub objects: Vec<Object>,
}

impl Asdu {
    /// One object, SQ = 0.
    pub fn new(type_id: u8, cause: u8, address: u16, object: u32, octets: Vec<u8>) -> Asdu {
        Asdu { type_id, cause, address, objects: vec![(object, octets)], ..Asdu::default() }
    }

    /// The same with another cause, as a confirmation is.
    pub fn answer(&self, cause: u8, negative: bool) -> Asdu {
        Asdu { cause, negative, ..self.clone() }
    }

    /// Octets. With SQ only the first object's address is sent.
    pub fn encode(&self) -> Vec<u8> {
        let count = self.objects.len() as u8 & 0x7f;
        let cause = self.cause & 0x3f | u8::from(self.negative) << 6 | u8::from(self.test) << 7;
        let mut out = vec![self.type_id, count | u8::from(self.sequence) << 7, cause, self.originator];
        out.extend_from_slice(&self.address.to_le_bytes());
        for (place, (address, octets)) in self.objects.iter().enumerate() {
            if place == 0 || !self.sequence {
                out.extend_from_slice(&address.to_le_bytes()[..3]);
            }
            out.extend_from_slice(octets);
        }
        out
    }

    /// Read an ASDU as a station does. `None` when its length does not fit or its type has no fixed
    /// length and more than one object.
    pub fn parse(bytes: &[u8]) -> Option<Asdu> {
        let [type_id, qualifier, cause, originator, a1, a2, rest @ ..] = bytes else { return None };
        let (count, sequence) = (usize::from(qualifier & 0x7f), qualifier & 0x80 != 0);
        let addresses = if sequence { 1 } else { count };
        let spare = rest.len().checked_sub(3 * addresses)?;
        let each = match size(*type_id) {
            Some(each) => each,
            None if count == 1 => spare,
            None => return None,
        };
        if count == 0 || spare != count * each {
            return None;
        }
        let mut objects = Vec::with_capacity(count);
        let mut at = 0;
        let mut address = 0;
        for place in 0..count {
            if place == 0 || !sequence {
                address = u32::from_le_bytes([rest[at], rest[at + 1], rest[at + 2], 0]);
                at += 3;
            } else {
                address = (address + 1) & 0x00ff_ffff;
            }
            objects.push((address, rest[at..at + each].to_vec()));
            at += each;
        }
        Some(Asdu {
            type_id: *type_id,
            sequence,
            cause: cause & 0x3f,
            negative: cause & 0x40 != 0,
            test: cause & 0x80 != 0,
            originator: *originator,
            address: u16::from_le_bytes([*a1, *a2]),
            objects,
        })
    }
}
