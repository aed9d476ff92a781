//! Objects of variable layout: files (group 70), device attributes (group 0), authentication (group 120).
//! Each function gives the object's octets, without header and size prefix.

use super::objects::time48;

/// Group 0: type code, length, value.
pub fn attribute(kind: u8, value: &[u8]) -> Vec<u8> {
    [&[kind, value.len() as u8], value].concat()
}

/// Group 70 variation 2: user name and password.
pub fn file_authentication(user: &str, password: &str, key: u32) -> Vec<u8> {
    let mut out = Vec::new();
    for field in [12, user.len(), 12 + user.len(), password.len()] {
        out.extend_from_slice(&(field as u16).to_le_bytes());
    }
    out.extend_from_slice(&key.to_le_bytes());
    out.extend_from_slice(user.as_bytes());
    out.extend_from_slice(password.as_bytes());
    out
}

/// Group 70 variation 3: file command. Mode: 0 null, 1 read, 2 write, 3 append.
pub fn file_command(name: &str, created_ms: u64, size: u32, mode: u16, request: u16) -> Vec<u8> {
    let mut out = Vec::new();
    for field in [26, name.len() as u16] {
        out.extend_from_slice(&field.to_le_bytes());
    }
    out.extend_from_slice(&time48(created_ms));
    out.extend_from_slice(&0o644_u16.to_le_bytes());
    out.extend_from_slice(&0_u32.to_le_bytes()); // authentication key
    out.extend_from_slice(&size.to_le_bytes());
    for field in [mode, 1024, request] {
        out.extend_from_slice(&field.to_le_bytes());
    }
    out.extend_from_slice(name.as_bytes());
    out
}

/// Group 70 variation 4: file command status.
pub fn file_status(handle: u32, size: u32, request: u16, status: u8, text: &str) -> Vec<u8> {
    let mut out = [handle.to_le_bytes(), size.to_le_bytes()].concat();
    out.extend_from_slice(&1024_u16.to_le_bytes());
    out.extend_from_slice(&request.to_le_bytes());
    out.push(status);
    out.extend_from_slice(text.as_bytes());
    out
}

/// Group 70 variation 5: file transport; bit 31 of the block number marks the last block.
pub fn file_block(handle: u32, block: u32, last: bool, data: &[u8]) -> Vec<u8> {
    let number = block | (u32::from(last) << 31);
    [handle.to_le_bytes().as_slice(), &number.to_le_bytes(), data].concat()
}

/// Group 70 variation 6: file transport status.
pub fn file_block_status(handle: u32, block: u32, status: u8, text: &str) -> Vec<u8> {
    let mut out = [handle.to_le_bytes(), block.to_le_bytes()].concat();
    out.push(status);
    out.extend_from_slice(text.as_bytes());
    out
}

/// Group 70 variation 7: file descriptor. Type: 0 directory, 1 file.
pub fn file_descriptor(name: &str, kind: u16, size: u32, created_ms: u64, request: u16) -> Vec<u8> {
    let mut out = Vec::new();
    for field in [20, name.len() as u16, kind] {
        out.extend_from_slice(&field.to_le_bytes());
    }
    out.extend_from_slice(&size.to_le_bytes());
    out.extend_from_slice(&time48(created_ms));
    out.extend_from_slice(&0o644_u16.to_le_bytes());
    out.extend_from_slice(&request.to_le_bytes());
    out.extend_from_slice(name.as_bytes());
    out
}

/// Group 120 variation 1: challenge.
pub fn challenge(sequence: u32, user: u16, algorithm: u8, reason: u8, data: &[u8]) -> Vec<u8> {
    [sequence.to_le_bytes().as_slice(), &user.to_le_bytes(), &[algorithm, reason], data].concat()
}

/// Group 120 variations 2, 3 and 6: sequence number, user, and what follows (MAC, nothing, wrapped keys).
pub fn keyed(sequence: u32, user: u16, data: &[u8]) -> Vec<u8> {
    [sequence.to_le_bytes().as_slice(), &user.to_le_bytes(), data].concat()
}

/// Group 120 variation 5: session key status.
pub fn key_status(sequence: u32, user: u16, status: u8, challenge: &[u8], mac: &[u8]) -> Vec<u8> {
    let length = (challenge.len() as u16).to_le_bytes();
    // Key wrap AES-128, MAC HMAC-SHA256 of 16 octets.
    let middle = [1, status, 4];
    [sequence.to_le_bytes().as_slice(), &user.to_le_bytes(), &middle, &length, challenge, mac].concat()
}

/// Group 120 variation 7: error.
pub fn security_error(
    sequence: u32,
    user: u16,
    association: u16,
    code: u8,
    time_ms: u64,
    text: &str,
) -> Vec<u8> {
    let mut out = keyed(sequence, user, &association.to_le_bytes());
    out.push(code);
    out.extend_from_slice(&time48(time_ms));
    out.extend_from_slice(text.as_bytes());
    out
}

/// Group 120 variation 10: user status change.
pub fn user_status_change(sequence: u32, name: &str, key: &[u8], certificate: &[u8]) -> Vec<u8> {
    let mut out = vec![4, 1]; // key change method, operation: add
    out.extend_from_slice(&sequence.to_le_bytes());
    for field in [2, 365, name.len(), key.len(), certificate.len()] {
        out.extend_from_slice(&(field as u16).to_le_bytes()); // role, expiry in days, three lengths
    }
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(key);
    out.extend_from_slice(certificate);
    out
}

/// Group 120 variation 11: update key change request.
pub fn update_key_request(name: &str, challenge: &[u8]) -> Vec<u8> {
    let lengths = [(name.len() as u16).to_le_bytes(), (challenge.len() as u16).to_le_bytes()].concat();
    [&[4], lengths.as_slice(), name.as_bytes(), challenge].concat()
}

/// Group 120 variations 12 and 13: sequence number, user, length, challenge or encrypted key.
pub fn update_key(sequence: u32, user: u16, data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u16).to_le_bytes();
    [sequence.to_le_bytes().as_slice(), &user.to_le_bytes(), &length, data].concat()
}
