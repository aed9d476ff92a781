//! BER (ITU-T X.690): tags, lengths, integers.

/// How integers are written.
#[derive(Debug, Clone, Copy, Default, Eq, PartialEq)]
pub enum Numbers {
    /// As few octets as the value needs.
    #[default]
    Shortest,
    /// Always five, as publishers with frames of fixed length do (IEC 61850-8-1, clause A.3).
    Fixed,
}

/// A length: one octet below 128, else 81 or 82 and one or two octets.
pub fn length(length: usize) -> Vec<u8> {
    match length {
        0..=127 => vec![length as u8],
        128..=255 => vec![0x81, length as u8],
        _ => vec![0x82, (length >> 8) as u8, length as u8],
    }
}

/// Tag, length and value.
pub fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    out.extend_from_slice(&length(value.len()));
    out.extend_from_slice(value);
    out
}

/// Octets of a signed integer.
pub fn signed(value: i64, numbers: Numbers) -> Vec<u8> {
    let all = value.to_be_bytes();
    if numbers == Numbers::Fixed && i32::try_from(value).is_ok() {
        return all[3..].to_vec();
    }
    // A leading octet says nothing when it only repeats the sign of the next.
    let needless = |pair: &[u8]| pair[0] == if pair[1] & 0x80 == 0 { 0 } else { 0xff };
    let first = all.windows(2).take_while(|pair| needless(pair)).count();
    all[first..].to_vec()
}

/// Octets of an unsigned integer: a leading zero where the top bit is set.
pub fn unsigned(value: u64, numbers: Numbers) -> Vec<u8> {
    let all = value.to_be_bytes();
    if numbers == Numbers::Fixed && u32::try_from(value).is_ok() {
        return all[3..].to_vec();
    }
    match i64::try_from(value) {
        Ok(small) => signed(small, Numbers::Shortest),
        Err(_) => [&[0], all.as_slice()].concat(),
    }
}
