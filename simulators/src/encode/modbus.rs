//! Modbus: PDUs of the MODBUS Application Protocol V1.1b3, MBAP and RTU framing.
//!
//! ```text
//! MBAP  transaction(2) protocol=0(2) length(2) unit(1) | function(1) data
//! RTU                                          unit(1) | function(1) data | CRC(2, low octet first)
//! ```
//! Everything is big-endian but the CRC and what is inside UMAS (function code 90).

/// An ADU for TCP or UDP; `length` follows from the PDU.
pub fn mbap(transaction: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    mbap_raw(transaction, 0, (pdu.len() + 1) as u16, unit, pdu)
}

/// An ADU with every header field as given, for damaged ones.
pub fn mbap_raw(transaction: u16, protocol: u16, length: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(7 + pdu.len());
    for field in [transaction, protocol, length] {
        out.extend_from_slice(&field.to_be_bytes());
    }
    out.push(unit);
    out.extend_from_slice(pdu);
    out
}

/// An ADU of a serial line.
pub fn rtu(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut out = vec![unit];
    out.extend_from_slice(pdu);
    let crc = crc16(&out);
    out.extend_from_slice(&crc.to_le_bytes());
    out
}

/// CRC-16/MODBUS, bit by bit: polynomial 0x8005 reflected, start 0xFFFF.
pub fn crc16(bytes: &[u8]) -> u16 {
    let mut crc = 0xffff_u16;
    for byte in bytes {
        crc ^= u16::from(*byte);
        for _ in 0..8 {
            let low = crc & 1;
            crc >>= 1;
            if low == 1 {
                crc ^= 0xa001;
            }
        }
    }
    crc
}

/// Bits packed eight to an octet, the first in the least significant place.
pub fn pack_bits(bits: &[bool]) -> Vec<u8> {
    let mut out = vec![0_u8; bits.len().div_ceil(8)];
    for (index, bit) in bits.iter().enumerate() {
        out[index / 8] |= u8::from(*bit) << (index % 8);
    }
    out
}

fn words(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_be_bytes()).collect()
}

fn pdu(function: u8, fields: &[u16], tail: &[u8]) -> Vec<u8> {
    let mut out = vec![function];
    out.extend_from_slice(&words(fields));
    out.extend_from_slice(tail);
    out
}

fn counted(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![bytes.len() as u8];
    out.extend_from_slice(bytes);
    out
}

/// A sub-request of function 20.
#[derive(Debug, Clone, Copy)]
pub struct FilePart {
    /// File number.
    pub file: u16,
    /// Record number.
    pub record: u16,
    /// Registers.
    pub length: u16,
}

/// A request.
#[derive(Debug, Clone)]
pub enum Request {
    /// Functions 1 to 4: function, first address, quantity.
    Read(u8, u16, u16),
    /// Function 5 with the raw value (0 or 0xFF00).
    WriteCoil(u16, u16),
    /// Function 6.
    WriteRegister(u16, u16),
    /// Function 7.
    ExceptionStatus,
    /// Function 8: sub-function and its data.
    Diagnostics(u16, Vec<u8>),
    /// Function 11.
    EventCounter,
    /// Function 12.
    EventLog,
    /// Function 15.
    WriteCoils(u16, Vec<bool>),
    /// Function 16.
    WriteRegisters(u16, Vec<u16>),
    /// Function 17.
    ReportServerId,
    /// Function 20.
    ReadFile(Vec<FilePart>),
    /// Function 21: file, record, registers.
    WriteFile(Vec<(u16, u16, Vec<u16>)>),
    /// Function 22: address, AND mask, OR mask.
    MaskWrite(u16, u16, u16),
    /// Function 23: read address, read quantity, write address, registers.
    ReadWrite(u16, u16, u16, Vec<u16>),
    /// Function 24.
    ReadFifo(u16),
    /// Function 43, MEI type 13, with its data.
    CanOpen(Vec<u8>),
    /// Function 43, MEI type 14: code and first object.
    DeviceId(u8, u8),
    /// Function 90: session key, UMAS function, data.
    Umas(u8, u8, Vec<u8>),
    /// Any other function with its octets.
    Other(u8, Vec<u8>),
}

impl Request {
    /// Function code.
    pub fn function(&self) -> u8 {
        self.pdu()[0]
    }

    /// The PDU.
    pub fn pdu(&self) -> Vec<u8> {
        match self {
            Request::Read(function, address, quantity) => pdu(*function, &[*address, *quantity], &[]),
            Request::WriteCoil(address, value) => pdu(5, &[*address, *value], &[]),
            Request::WriteRegister(address, value) => pdu(6, &[*address, *value], &[]),
            Request::ExceptionStatus => vec![7],
            Request::Diagnostics(sub, data) => pdu(8, &[*sub], data),
            Request::EventCounter => vec![11],
            Request::EventLog => vec![12],
            Request::WriteCoils(address, bits) => {
                pdu(15, &[*address, bits.len() as u16], &counted(&pack_bits(bits)))
            }
            Request::WriteRegisters(address, values) => {
                pdu(16, &[*address, values.len() as u16], &counted(&words(values)))
            }
            Request::ReportServerId => vec![17],
            Request::ReadFile(parts) => {
                let mut body = Vec::new();
                for part in parts {
                    body.extend_from_slice(&pdu(6, &[part.file, part.record, part.length], &[]));
                }
                pdu(20, &[], &counted(&body))
            }
            Request::WriteFile(parts) => pdu(21, &[], &counted(&write_file_parts(parts))),
            Request::MaskWrite(address, and, or) => pdu(22, &[*address, *and, *or], &[]),
            Request::ReadWrite(from, quantity, to, values) => {
                let fields = [*from, *quantity, *to, values.len() as u16];
                pdu(23, &fields, &counted(&words(values)))
            }
            Request::ReadFifo(address) => pdu(24, &[*address], &[]),
            Request::CanOpen(data) => [&[43, 13], data.as_slice()].concat(),
            Request::DeviceId(code, object) => vec![43, 14, *code, *object],
            Request::Umas(key, function, data) => [&[90, *key, *function], data.as_slice()].concat(),
            Request::Other(function, data) => [&[*function], data.as_slice()].concat(),
        }
    }
}

fn write_file_parts(parts: &[(u16, u16, Vec<u16>)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (file, record, values) in parts {
        body.extend_from_slice(&pdu(6, &[*file, *record, values.len() as u16], &words(values)));
    }
    body
}

/// A response.
#[derive(Debug, Clone)]
pub enum Response {
    /// Functions 1 and 2.
    Bits(u8, Vec<bool>),
    /// Functions 3, 4 and 23.
    Registers(u8, Vec<u16>),
    /// Functions 5, 6, 8, 21, 22: the request again.
    Echo(Box<Request>),
    /// Function 7.
    ExceptionStatus(u8),
    /// Function 8 with a value of its own: sub-function, data.
    Diagnostics(u16, Vec<u8>),
    /// Function 11: status, event count.
    EventCounter(u16, u16),
    /// Function 12: status, event count, message count, events.
    EventLog(u16, u16, u16, Vec<u8>),
    /// Functions 15 and 16: function, address, quantity.
    Written(u8, u16, u16),
    /// Function 17: what follows the byte count.
    ServerId(Vec<u8>),
    /// Function 20: registers of every part.
    File(Vec<Vec<u16>>),
    /// Function 24.
    Fifo(Vec<u16>),
    /// Function 43, MEI type 13.
    CanOpen(Vec<u8>),
    /// Function 43, MEI type 14.
    DeviceId {
        /// Code of the request.
        code: u8,
        /// Conformity level.
        conformity: u8,
        /// More follows, beginning with this object.
        next: Option<u8>,
        /// Objects: id and value.
        objects: Vec<(u8, Vec<u8>)>,
    },
    /// Function 90: session key, 0xFE or 0xFD, data.
    Umas(u8, u8, Vec<u8>),
    /// Any function's exception: function, code.
    Exception(u8, u8),
    /// Any other function with its octets.
    Other(u8, Vec<u8>),
}

impl Response {
    /// The PDU.
    pub fn pdu(&self) -> Vec<u8> {
        match self {
            Response::Bits(function, bits) => pdu(*function, &[], &counted(&pack_bits(bits))),
            Response::Registers(function, values) => pdu(*function, &[], &counted(&words(values))),
            Response::Echo(request) => request.pdu(),
            Response::ExceptionStatus(bits) => vec![7, *bits],
            Response::Diagnostics(sub, data) => pdu(8, &[*sub], data),
            Response::EventCounter(status, count) => pdu(11, &[*status, *count], &[]),
            Response::EventLog(status, events, messages, log) => {
                let body = [words(&[*status, *events, *messages]), log.clone()].concat();
                pdu(12, &[], &counted(&body))
            }
            Response::Written(function, address, quantity) => pdu(*function, &[*address, *quantity], &[]),
            Response::ServerId(bytes) => pdu(17, &[], &counted(bytes)),
            Response::File(parts) => {
                let mut body = Vec::new();
                for values in parts {
                    body.extend_from_slice(&[(1 + 2 * values.len()) as u8, 6]);
                    body.extend_from_slice(&words(values));
                }
                pdu(20, &[], &counted(&body))
            }
            Response::Fifo(values) => {
                let count = values.len() as u16;
                pdu(24, &[2 + 2 * count, count], &words(values))
            }
            Response::CanOpen(data) => [&[43, 13], data.as_slice()].concat(),
            Response::DeviceId { code, conformity, next, objects } => {
                let more = if next.is_some() { 0xff } else { 0 };
                let mut out = vec![43, 14, *code, *conformity, more, next.unwrap_or(0), objects.len() as u8];
                for (id, value) in objects {
                    out.push(*id);
                    out.extend_from_slice(&counted(value));
                }
                out
            }
            Response::Umas(key, status, data) => [&[90, *key, *status], data.as_slice()].concat(),
            Response::Exception(function, code) => vec![function | 0x80, *code],
            Response::Other(function, data) => [&[*function], data.as_slice()].concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }

    fn bits(text: &str) -> Vec<bool> {
        text.chars().map(|c| c == '1').collect()
    }

    #[test]
    fn the_crc_of_123456789_is_4b37_and_goes_low_octet_first() {
        assert_eq!(crc16(b"123456789"), 0x4b37);
        assert_eq!(hex(&rtu(1, &Request::Read(3, 0, 30).pdu())), "01030000001ec5c2");
    }

    #[test]
    fn a_whole_exchange_over_tcp_is_that_of_the_standard() {
        let request = Request::Read(3, 0x6b, 3).pdu();
        assert_eq!(hex(&mbap(1, 1, &request)), "0001000000060103006b0003");
        let response = Response::Registers(3, vec![0x22b, 0, 0x64]).pdu();
        assert_eq!(hex(&mbap(1, 1, &response)), "000100000009010306022b00000064");
    }

    #[test]
    fn requests_are_the_golden_ones_octet_for_octet() {
        use Request as R;
        let part = |file, record, length| FilePart { file, record, length };
        let cases = [
            (R::Read(1, 0x13, 0x13), "0100130013"),
            (R::Read(2, 0xc4, 0x16), "0200c40016"),
            (R::Read(3, 0x6b, 3), "03006b0003"),
            (R::Read(4, 8, 1), "0400080001"),
            (R::WriteCoil(0xac, 0xff00), "0500acff00"),
            (R::WriteRegister(1, 3), "0600010003"),
            (R::ExceptionStatus, "07"),
            (R::Diagnostics(0, vec![0xa5, 0x37]), "080000a537"),
            (R::Diagnostics(1, vec![0xff, 0]), "080001ff00"),
            (R::Diagnostics(4, vec![0, 0]), "0800040000"),
            (R::Diagnostics(10, vec![0, 0]), "08000a0000"),
            (R::EventCounter, "0b"),
            (R::EventLog, "0c"),
            (R::WriteCoils(0x13, bits("1011001110")), "0f0013000a02cd01"),
            (R::WriteRegisters(1, vec![10, 258]), "100001000204000a0102"),
            (R::ReportServerId, "11"),
            (R::ReadFile(vec![part(4, 1, 2), part(3, 9, 2)]), "140e0600040001000206000300090002"),
            (R::WriteFile(vec![(4, 7, vec![0x6af, 0x4be, 0x100d])]), "150d0600040007000306af04be100d"),
            (R::MaskWrite(4, 0xf2, 0x25), "16000400f20025"),
            (R::ReadWrite(3, 6, 14, vec![255, 255, 255]), "1700030006000e00030600ff00ff00ff"),
            (R::ReadFifo(0x4de), "1804de"),
            (R::DeviceId(1, 0), "2b0e0100"),
            (R::Umas(0, 2, vec![]), "5a0002"),
        ];
        for (request, golden) in cases {
            assert_eq!(hex(&request.pdu()), golden, "{request:?}");
        }
    }

    #[test]
    fn responses_are_the_golden_ones_octet_for_octet() {
        use Response as R;
        let objects =
            vec![(0, b"Company identification".to_vec()), (1, b"product x".to_vec()), (2, b"V2.11".to_vec())];
        let objects_hex = "0016436f6d70616e79206964656e74696669636174696f6e\
                           010970726f647563742078020556322e3131";
        let write_file = Request::WriteFile(vec![(4, 7, vec![0x6af, 0x4be, 0x100d])]);
        let cases = [
            (R::Bits(1, bits("1011001111010110101")), "0103cd6b05".to_owned()),
            (R::Bits(2, bits("0011010111011011101011")), "0203acdb35".to_owned()),
            (R::Registers(3, vec![0x22b, 0, 0x64]), "0306022b00000064".to_owned()),
            (R::Registers(4, vec![10]), "0402000a".to_owned()),
            (R::Echo(Box::new(Request::WriteCoil(0xac, 0xff00))), "0500acff00".to_owned()),
            (R::ExceptionStatus(0x6d), "076d".to_owned()),
            (R::EventCounter(0xffff, 0x108), "0bffff0108".to_owned()),
            (R::EventLog(0, 0x108, 0x121, vec![0x20, 0]), "0c080000010801212000".to_owned()),
            (R::Written(15, 0x13, 10), "0f0013000a".to_owned()),
            (R::Written(16, 1, 2), "1000010002".to_owned()),
            (R::ServerId(vec![9, 0xff, 0x41]), "110309ff41".to_owned()),
            (R::File(vec![vec![0xdfe, 0x20], vec![0x33cd, 0x40]]), "140c05060dfe0020050633cd0040".to_owned()),
            (R::Echo(Box::new(write_file)), "150d0600040007000306af04be100d".to_owned()),
            (R::Registers(23, vec![0xfe, 0xacd, 1, 3, 13, 255]), "170c00fe0acd00010003000d00ff".to_owned()),
            (R::Fifo(vec![0x1b8, 0x1284]), "180006000201b81284".to_owned()),
            (
                R::DeviceId { code: 1, conformity: 1, next: None, objects },
                format!("2b0e0101000003{objects_hex}"),
            ),
            (R::Exception(3, 2), "8302".to_owned()),
        ];
        for (response, golden) in cases {
            assert_eq!(hex(&response.pdu()), golden, "{response:?}");
        }
    }
}
