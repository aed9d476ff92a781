//! What else may speak on a Modbus port: recognised by its first octets, to be named in a defect.

/// How many octets [`recognise`] looks at.
pub(crate) const LOOKED_AT: usize = 8;

/// The name of the protocol that begins like this, if it is a common one.
pub(crate) fn recognise(octets: &[u8]) -> Option<&'static str> {
    let name = match octets {
        [0x16, 3, 0..=4, _, _, 1, ..] => "TLS client hello",
        [0x16, 3, 0..=4, _, _, 2, ..] => "TLS server hello",
        [0x14..=0x17, 3, 0..=4, ..] => "TLS record",
        [b'S', b'S', b'H', b'-', ..] => "SSH",
        [b'H', b'T', b'T', b'P', b'/', ..] => "HTTP response",
        [0, _, _, _, 0xFF | 0xFE, b'S', b'M', b'B', ..] => "SMB",
        [0x05, 0x64, ..] => "DNP3",
        [3, 0, _, _, _, 0xE0 | 0xD0 | 0xF0, ..] => "ISO transport (S7, MMS or RDP)",
        [b'R', b'F', b'B', b' ', ..] => "VNC",
        [0x30, _, 2, 1, ..] => "SNMP or LDAP",
        _ if is_http(octets) => "HTTP request",
        _ if is_text(octets) => "text",
        _ => return None,
    };
    Some(name)
}

fn is_http(octets: &[u8]) -> bool {
    const METHODS: [&[u8]; 9] =
        [b"GET ", b"POST ", b"PUT ", b"HEAD ", b"OPTIONS ", b"DELETE ", b"CONNECT ", b"PATCH ", b"PRI * HT"];
    METHODS.iter().any(|m| octets.starts_with(m))
}

fn is_text(octets: &[u8]) -> bool {
    octets.len() >= LOOKED_AT
        && octets.iter().take(LOOKED_AT).all(|o| matches!(o, b' '..=b'~' | b'\r' | b'\n' | b'\t'))
}
