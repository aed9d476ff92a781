//! Frames with the right length and check sums around bytes, which a mutation would hardly ever hit.
//! (Not the simulators': a fuzz target is built with as little as possible.)

/// A remainder, bit by bit, low bit first.
fn remainder(bytes: &[u8], polynomial: u16, start: u16) -> u16 {
    bytes.iter().fold(start, |sum, byte| {
        (0..8).fold(
            sum ^ u16::from(*byte),
            |sum, _| if sum & 1 == 1 { sum >> 1 ^ polynomial } else { sum >> 1 },
        )
    })
}

/// A Modbus ADU for TCP.
pub fn mbap(transaction: u8, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let length = (pdu.len() as u16 + 1).to_be_bytes();
    [&[0, transaction, 0, 0, length[0], length[1], unit], pdu].concat()
}

/// A Modbus ADU of a serial line.
pub fn rtu(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut adu = [&[unit], pdu].concat();
    let sum = remainder(&adu, 0xa001, 0xffff);
    adu.extend(sum.to_le_bytes());
    adu
}

/// A DNP3 link frame; at most 250 octets of user data.
pub fn link_frame(control: u8, to: u8, from: u8, user: &[u8]) -> Vec<u8> {
    let block = |bytes: &[u8]| [bytes, &(!remainder(bytes, 0xa6bc, 0)).to_le_bytes()].concat();
    let header = block(&[0x05, 0x64, 5 + user.len() as u8, control, to, 0, from, 0]);
    user.chunks(16).fold(header, |frame, part| [frame, block(part)].concat())
}
