//! The Ethernet frame around a PDU (IEC 61850-8-1, annex C), and what a subscriber reads of it.

use super::Pdu;

const ETHERTYPE: u16 = 0x88b8;

/// A VLAN tag.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub struct Tag {
    /// 0x8100, 0x88a8 or 0x9100.
    pub tpid: u16,
    /// 12 bits; 0 for a mere priority tag.
    pub id: u16,
    /// 3 bits.
    pub priority: u8,
}

impl Tag {
    /// A customer's tag.
    pub fn new(id: u16, priority: u8) -> Tag {
        Tag { tpid: 0x8100, id, priority }
    }
}

/// A frame.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Frame {
    /// Destination, a group address.
    pub destination: [u8; 6],
    /// Source.
    pub source: [u8; 6],
    /// Tags, the outermost first.
    pub tags: Vec<Tag>,
    /// APPID.
    pub appid: u16,
    /// Reserved 1: bit 15 says simulated.
    pub reserved1: u16,
    /// Reserved 2.
    pub reserved2: u16,
    /// Content.
    pub pdu: Pdu,
}

impl Frame {
    /// Octets, padded to Ethernet's shortest frame without check sequence.
    pub fn encode(&self) -> Vec<u8> {
        let pdu = self.pdu.encode();
        let mut out = [self.destination, self.source].concat();
        for tag in &self.tags {
            out.extend_from_slice(&tag.tpid.to_be_bytes());
            out.extend_from_slice(&(u16::from(tag.priority) << 13 | tag.id & 0xfff).to_be_bytes());
        }
        for word in [ETHERTYPE, self.appid, 8 + pdu.len() as u16, self.reserved1, self.reserved2] {
            out.extend_from_slice(&word.to_be_bytes());
        }
        out.extend_from_slice(&pdu);
        if out.len() < 60 {
            out.resize(60, 0);
        }
        out
    }
}

/// What a subscriber reads.
#[derive(Debug, Clone, Default, Eq, PartialEq)]
pub struct Heard {
    /// APPID.
    pub appid: u16,
    /// Control block reference.
    pub control_block: String,
    /// Milliseconds.
    pub time_allowed_to_live: u32,
    /// State number.
    pub state: u32,
    /// Sequence number.
    pub sequence: u32,
    /// Simulation.
    pub simulation: bool,
    /// Data, as encoded, without the outer tag.
    pub data: Vec<u8>,
}

/// One element of BER: tag, content, what follows.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (size, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81 => (usize::from(*rest.first()?), &rest[1..]),
        0x82 => (usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])), &rest[2..]),
        _ => return None,
    };
    (rest.len() >= size).then(|| (*tag, &rest[..size], &rest[size..]))
}

/// Read a frame; `None` for anything that is no GOOSE or cut short.
pub fn parse(bytes: &[u8]) -> Option<Heard> {
    let mut rest = bytes.get(12..)?;
    while matches!(rest, [0x81 | 0x91, 0, ..] | [0x88, 0xa8, ..]) {
        rest = rest.get(4..)?;
    }
    let [0x88, 0xb8, a1, a2, l1, l2, _, _, _, _, ..] = rest else { return None };
    let end = 2 + usize::from(u16::from_be_bytes([*l1, *l2]));
    let (0x61, mut fields, _) = element(rest.get(10..end)?)? else { return None };
    let mut heard = Heard { appid: u16::from_be_bytes([*a1, *a2]), ..Heard::default() };
    while !fields.is_empty() {
        let (tag, value, others) = element(fields)?;
        fields = others;
        let number = || value.iter().fold(0_u32, |n, octet| n << 8 | u32::from(*octet));
        match tag {
            0x80 => heard.control_block = String::from_utf8_lossy(value).into_owned(),
            0x81 => heard.time_allowed_to_live = number(),
            0x85 => heard.state = number(),
            0x86 => heard.sequence = number(),
            0x87 => heard.simulation = number() != 0,
            0xab => heard.data = value.to_vec(),
            _ => {}
        }
    }
    Some(heard)
}
