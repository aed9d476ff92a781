//! Text that can neither end its string nor steer a terminal.

/// Hexadecimal digits.
pub(super) const HEX: &[u8; 16] = b"0123456789abcdef";

/// Characters that must or should not stand in a string as they are: what JSON forbids, DEL, and the C1
/// controls, some of which terminals obey.
pub(super) fn escape(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut done = 0;
    let mut at = plain_octets(bytes);
    while let Some(&byte) = bytes.get(at) {
        let c1 = byte == 0xc2 && bytes.get(at + 1).is_some_and(|&next| next < 0xa0);
        if byte >= 0x20 && byte != b'"' && byte != b'\\' && byte != 0x7f && !c1 {
            at += 1;
            continue;
        }
        out.extend_from_slice(&bytes[done..at]);
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                // A C1 control is two octets in UTF-8, and its number is the second one.
                let code = if c1 { bytes[at + 1] } else { byte };
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(code >> 4)]);
                out.push(HEX[usize::from(code & 15)]);
            }
        }
        at += if c1 { 2 } else { 1 };
        done = at;
    }
    out.extend_from_slice(&bytes[done..]);
}

/// How many octets from the beginning surely need no escaping: all of them in most texts, looked at eight at a time.
#[inline]
pub(super) fn plain_octets(bytes: &[u8]) -> usize {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let plain = |chunk: &&[u8; 8]| are_plain(u64::from_ne_bytes(**chunk));
    let whole = chunks.iter().take_while(plain).count();
    let rest = if whole == chunks.len() { rest } else { &[] };
    whole * 8 + rest.iter().take_while(|byte| are_plain(u64::from(**byte) * ONES)).count()
}

/// One in each octet.
const ONES: u64 = 0x0101_0101_0101_0101;

/// Whether none of eight octets is a control, a quotation mark, a backslash, DEL, or not ASCII.
#[inline]
fn are_plain(octets: u64) -> bool {
    const HIGH: u64 = ONES << 7;
    // Both hold for octets below 0x80, and others are refused anyway: the highest place of an octet is set if it is
    // less than `limit`, or equal to `octet`.
    let below = |limit: u8| octets.wrapping_sub(ONES * u64::from(limit));
    let equal = |octet: u8| (octets ^ (ONES * u64::from(octet))).wrapping_sub(ONES);
    (octets | below(b' ') | equal(b'"') | equal(b'\\') | equal(0x7f)) & HIGH == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octet_that_must_be_escaped_is_wherever_it_stands() {
        for octet in 0..=255u8 {
            for place in 0..20 {
                let mut text = *b"plain text, 20 long.";
                text[place] = octet;
                let must = !matches!(octet, 0x20..0x7f) || octet == b'"' || octet == b'\\';
                assert_eq!(plain_octets(&text) < 20, must, "{octet:#x} at {place}");
                assert!(!must || plain_octets(&text) <= place);
            }
        }
    }
}
