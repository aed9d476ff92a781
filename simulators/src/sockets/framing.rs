//! Where a message ends in a stream. The world is given whole messages: a Modbus ADU, all link frames of a
//! DNP3 fragment, or whatever came when nothing is known of the stream.

use crate::encode::dnp3::crc;

/// Octets that may wait for the end of a message: more than the longest fragment.
const MOST: usize = 1 << 17;

/// What a stream carries.
#[derive(Debug)]
pub(super) enum Framing {
    /// Nothing known.
    Raw,
    /// Modbus/TCP.
    Modbus(Vec<u8>),
    /// DNP3: octets of the next link frame, and the frames of the fragment under way.
    Dnp3(Vec<u8>, Vec<u8>),
}

impl Framing {
    pub(super) fn modbus() -> Framing {
        Framing::Modbus(Vec::new())
    }

    pub(super) fn dnp3() -> Framing {
        Framing::Dnp3(Vec::new(), Vec::new())
    }

    /// Take what came; the messages that are whole now.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        match self {
            Framing::Raw => vec![bytes.to_vec()],
            Framing::Modbus(waiting) => {
                waiting.extend_from_slice(bytes);
                modbus(waiting)
            }
            Framing::Dnp3(waiting, fragment) => {
                waiting.extend_from_slice(bytes);
                dnp3(waiting, fragment)
            }
        }
    }
}

fn modbus(waiting: &mut Vec<u8>) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    while let [_, _, p1, p2, l1, l2, ..] = *waiting.as_slice() {
        let end = 6 + usize::from(u16::from_be_bytes([l1, l2]));
        // What is no ADU is handed on as it came.
        let end = if (p1, p2) == (0, 0) && (8..=260).contains(&end) { end } else { waiting.len() };
        if waiting.len() < end {
            break;
        }
        out.push(waiting.drain(..end).collect());
    }
    out
}

fn dnp3(waiting: &mut Vec<u8>, fragment: &mut Vec<u8>) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(head) = waiting.get(at..at + 10) {
        let sound = head[..2] == [0x05, 0x64] && head[2] >= 5 && crc(&head[..8]).to_le_bytes() == head[8..10];
        if !sound {
            at += 1;
            continue;
        }
        let data = usize::from(head[2]) - 5;
        let Some(frame) = waiting.get(at..at + 10 + data + 2 * data.div_ceil(16)) else { break };
        at += frame.len();
        // Primary frames with user data, confirmed or not, carry a transport octet.
        let carries = head[3] & 0x40 != 0 && matches!(head[3] & 0x0f, 3 | 4) && data > 0;
        if !carries {
            out.push(frame.to_vec());
            continue;
        }
        let transport = frame[10];
        if transport & 0x40 != 0 {
            fragment.clear();
        } else if fragment.is_empty() || fragment.len() > MOST {
            // The rest of something whose beginning is not known.
            fragment.clear();
            continue;
        }
        fragment.extend_from_slice(frame);
        if transport & 0x80 != 0 {
            out.push(std::mem::take(fragment));
        }
    }
    waiting.drain(..at);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::dnp3::{control, frames_from, link_frame};
    use crate::encode::modbus::mbap;

    /// The messages when the octets come in pieces of this size.
    fn cut(mut framing: Framing, bytes: &[u8], size: usize) -> Vec<Vec<u8>> {
        bytes.chunks(size).flat_map(|piece| framing.push(piece)).collect()
    }

    #[test]
    fn modbus_messages_come_out_however_the_stream_is_cut() {
        let messages = [mbap(1, 1, &[3, 0, 0, 0, 1]), mbap(2, 7, &[0x83, 2]), mbap(3, 1, &[3, 2, 0, 9])];
        let stream = messages.concat();
        for size in 1..=stream.len() {
            // A piece that holds an unfinished header waits; nothing is lost and nothing is made up.
            assert_eq!(cut(Framing::modbus(), &stream, size), messages, "{size}");
        }
        let garbage = [0xff; 12];
        assert_eq!(cut(Framing::modbus(), &garbage, 12), [garbage.to_vec()]);
    }

    #[test]
    fn dnp3_messages_come_out_however_the_stream_is_cut() {
        let long: Vec<u8> = (0..600_u32).map(|n| n as u8).collect();
        let messages = [
            link_frame(control::LINK_STATUS_REQUEST, 10, 1, &[]),
            frames_from(control::MASTER_DATA, 10, 1, &[0xc0, 1, 60, 1, 6], 0),
            frames_from(control::OUTSTATION_DATA, 1, 10, &long, 61),
        ];
        let stream = messages.concat();
        for size in 1..=stream.len() {
            assert_eq!(cut(Framing::dnp3(), &stream, size), messages, "{size}");
        }
    }

    #[test]
    fn dnp3_is_found_again_behind_garbage_and_a_lost_beginning() {
        let whole = frames_from(control::MASTER_DATA, 10, 1, &[0xc0, 1, 60, 1, 6], 0);
        let long: Vec<u8> = vec![7; 600];
        let tail = frames_from(control::OUTSTATION_DATA, 1, 10, &long, 0).split_off(292);
        let stream = [&[0x05, 0x64, 0x05], tail.as_slice(), &[0; 40], &whole].concat();
        for size in [1, 7, stream.len()] {
            assert_eq!(cut(Framing::dnp3(), &stream, size), std::slice::from_ref(&whole), "{size}");
        }
    }
}
