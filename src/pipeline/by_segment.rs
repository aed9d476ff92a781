//! What a reader finds who takes each TCP segment for itself, as many simple devices do, and the reference
//! reading too.
//!
//! ```text
//! segments   [ 00 01 00 00 00 ][ 06 01 03 00 00 00 01 | 00 02 00 00 00 06 01 ... ]
//! stream       first PDU: its header is cut             second PDU
//! segments     too short for a header                   begins inside a PDU: nothing is found in it
//! ```
//!
//! Such a reader looks for a header at the beginning of a segment, follows PDUs from there, and takes a
//! segment out of turn for a repetition. The stream is what counts here, and nothing of it is lost; but for
//! a dissection, which others hold against their own, this says which PDUs the other reader cannot have,
//! and shows what it alone has: the PDU at the beginning of a segment where the stream is out of step.

use parsers::{Chunk, FlowInfo, FrameRef, Observer, Operation, Piece, Protocol, Transport, Unit};

/// One that trusts a wrong length waits for as many octets.
const LONGEST_WAIT: u64 = 6 + 0xFFFF;
/// Header and function code of Modbus/TCP.
const HEAD: usize = 8;

/// One direction of a flow.
#[derive(Debug, Clone, Copy, Default)]
pub struct SegmentReader {
    /// The frame in which the last PDU of the stream ended.
    ended: FrameRef,
    /// The frame that was last read for itself.
    read: FrameRef,
    /// The last PDU whose first octets came at the beginning of a segment: that frame, and the octets.
    begun: (FrameRef, [u8; HEAD]),
    /// The same of the last PDU that was shown because a segment holds it by itself.
    shown: (FrameRef, [u8; HEAD]),
    /// The last PDU was found by such a reader too, so it can go on behind it.
    in_step: bool,
    /// Octets still to come in which it may be waiting for the end of something that was no PDU.
    may_wait: u64,
    /// A segment that begins inside a PDU whose beginning came after it. Such a reader finds no header at its
    /// beginning, so it has none of the PDUs behind that one.
    headless: Option<FrameRef>,
    /// The frame of the last PDU that is malformed. Such a reader does not wait for what else begins in it.
    malformed: Option<FrameRef>,
}

impl SegmentReader {
    /// Whether such a reader finds this PDU, the next of its direction.
    pub fn sees(&mut self, unit: &Unit<'_>) -> bool {
        if unit.flow.transport != Transport::Tcp {
            return true;
        }
        let (head, end) = (unit.head, unit.origin);
        let octets = unit.detail.octets();
        let is_of_it = |frame: FrameRef| frame == end.frame || frame == end.first_frame;
        let late = [unit.flow.late, unit.flow.passed].into_iter().flatten().any(is_of_it);
        if late && end.first_frame != end.frame {
            self.headless = Some(end.first_frame);
        }
        let late = late || self.headless == Some(head.first_frame);
        if unit.protocol == Protocol::Dnp3 {
            return !late;
        }
        if unit.protocol != Protocol::Modbus {
            // Others find their next header again; only what came out of turn is missed, and what is
            // behind a malformed PDU.
            self.in_step |= head.first_frame != self.ended;
            self.in_step &= self.malformed != Some(head.first_frame) || end.frame == head.first_frame;
            self.ended = end.frame;
            return !late && self.in_step;
        }
        if head.first_frame != self.ended {
            self.in_step = head.first_frame == head.frame;
            self.begun = (head.first_frame, octets.first_chunk().copied().unwrap_or_default());
        }
        self.in_step &= !late;
        self.ended = end.frame;
        self.may_wait = self.may_wait.saturating_sub(octets.len() as u64);
        self.in_step && self.may_wait == 0
    }

    /// Whether this PDU was shown as what a segment holds by itself, before the stream had come so far.
    #[must_use]
    pub fn has_shown(&self, unit: &Unit<'_>) -> bool {
        let head = unit.detail.octets().first_chunk().copied();
        head.is_some_and(|head| self.shown == (unit.head.first_frame, head))
            && unit.flow.transport == Transport::Tcp
    }

    /// Whether the PDU that the stream is waiting for, at the start of a chunk, begins with what is no header
    /// to such a reader.
    fn is_lost_in(&self, chunk: &Chunk<'_>) -> bool {
        let Some(first) = chunk.pieces.first() else { return false };
        let is_cut = first.end < HEAD && first.frame != self.ended;
        is_cut || claimed(chunk.bytes).is_none()
    }

    /// A PDU was met that is malformed, and ends in this frame.
    pub fn pass_malformed(&mut self, frame: FrameRef) {
        self.malformed = Some(frame);
    }

    /// A PDU was met whose header such a reader does not accept.
    pub fn stumble(&mut self) {
        self.in_step = false;
    }

    /// Octets were met that are no PDU. Such a reader may take them for one, of any length.
    pub fn lose(&mut self) {
        self.in_step = false;
        self.may_wait = LONGEST_WAIT;
    }
}

/// Show the PDUs of a segment that stands for itself, read like a datagram.
pub(super) fn alone(
    flow: &FlowInfo,
    protocol: Protocol,
    chunk: &Chunk<'_>,
    limits: &parsers::Limits,
    show: impl FnMut(&Unit<'_>),
) {
    if let Some(dissector) = parsers::dissector(protocol) {
        let flow = FlowInfo { transport: Transport::Udp, ..flow.clone() };
        (dissector.open)(&flow, limits).feed(&flow, chunk, &mut Units(show));
    }
}

/// Show what stands at the beginning of the segments that are new in a chunk, if the stream is out of step:
/// each is read like a datagram. Questions and answers are the stream's, so only units are shown.
pub(super) fn read(
    flow: &FlowInfo,
    reader: &mut SegmentReader,
    chunk: &Chunk<'_>,
    limits: &parsers::Limits,
    mut show: impl FnMut(&Unit<'_>),
) {
    let known = chunk.pieces.iter().rposition(|piece| piece.frame == reader.read);
    let mut start = 0;
    for (i, piece) in chunk.pieces.iter().enumerate() {
        let octets = chunk.bytes.get(start..piece.end).unwrap_or_default();
        start = piece.end;
        if known.is_some_and(|known| i <= known) {
            continue;
        }
        reader.read = piece.frame;
        let is_known = |head: &[u8; HEAD]| reader.begun == (piece.frame, *head);
        let in_step = reader.in_step && reader.may_wait == 0 && !(i > 0 && reader.is_lost_in(chunk));
        if in_step || octets.first_chunk().is_some_and(is_known) {
            continue;
        }
        let Some(claimed) = claimed(octets) else { continue };
        if claimed > octets.len() {
            reader.may_wait = reader.may_wait.max((claimed - octets.len()) as u64);
            continue;
        }
        reader.shown = (piece.frame, octets.first_chunk().copied().unwrap_or_default());
        let whole = [Piece { end: octets.len(), ..*piece }];
        let chunk = Chunk { direction: chunk.direction, bytes: octets, pieces: &whole };
        alone(flow, Protocol::Modbus, &chunk, limits, &mut show);
    }
}

/// How many octets a header at the beginning claims, if there is one.
fn claimed(octets: &[u8]) -> Option<usize> {
    let [_, _, 0, 0, high, low, _, _] = octets.first_chunk::<HEAD>()? else { return None };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    (length >= 2).then_some(6 + length)
}

/// Lets units through, as recovered ones.
struct Units<F>(F);

impl<F: FnMut(&Unit<'_>)> Observer for Units<F> {
    fn unit(&mut self, unit: &Unit<'_>) {
        (self.0)(&Unit { recovered: true, ..*unit });
    }
    fn operation(&mut self, _: &Operation<'_>) {}
    fn defect(&mut self, _: &parsers::Defect<'_>) {}
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use parsers::Timestamp;

    use crate::capture::{Frame, LinkType};
    use crate::pipeline::{Consumer, FlowContext, Pipeline, PipelineOptions};

    /// Transaction id, frame and "-" for what such a reader cannot have, "+" for what is shown for it alone.
    #[derive(Default)]
    struct Seen(Vec<String>);

    impl Consumer for Seen {
        fn unit(&mut self, context: &mut FlowContext, unit: &Unit<'_>) {
            let sees = context.by_segment()[unit.direction.index()].sees(unit);
            let mark = match (sees, unit.flow.transport) {
                (_, Transport::Udp) => "+",
                (true, _) => "",
                (false, _) => "-",
            };
            let octets = unit.detail.octets();
            // DNP3: the address of the sender.
            let id = if unit.protocol == Protocol::Dnp3 { octets[6] } else { octets[1] };
            self.0.push(format!("{mark}{id}@{}", unit.origin.frame.number));
        }
        fn operation(&mut self, _: &mut FlowContext, _: &Operation<'_>) {}
        fn defect(&mut self, context: &mut FlowContext, defect: &parsers::Defect<'_>) {
            if defect.kind == parsers::DefectKind::Malformed {
                context.by_segment()[defect.direction.index()].pass_malformed(defect.origin.frame);
            }
        }
        fn reads_segments(&self) -> bool {
            true
        }
    }

    /// Segments from 10.0.0.1 to port 502 of 10.0.0.2, one behind the other; frame 1 is the SYN.
    fn read<'a>(segments: &[&'a str]) -> Vec<String> {
        let mut seq: u32 = 1;
        let place = |payload: &&'a str| {
            let at = seq;
            seq += u32::try_from(hex(payload).len()).unwrap();
            (at, *payload)
        };
        read_at(502, &segments.iter().map(place).collect::<Vec<_>>())
    }

    /// The same with sequence numbers, to some port.
    fn read_at(port: u16, segments: &[(u32, &str)]) -> Vec<String> {
        read_flagged(port, "08", segments)
    }

    /// The same, the last with these flags.
    fn read_flagged(port: u16, flags: &str, segments: &[(u32, &str)]) -> Vec<String> {
        let mut pipeline = Pipeline::new(&PipelineOptions::default(), Seen::default());
        for (number, (seq, payload)) in (1..).zip([(0, "")].iter().chain(segments)) {
            let octets = hex(payload);
            let total = u16::try_from(40 + octets.len()).unwrap();
            let mut frame = hex("020000000002 020000000001 0800 4500");
            frame.extend(total.to_be_bytes());
            frame.extend(hex("0000 4000 40 06 0000 0a000001 0a000002 9c40"));
            frame.extend(port.to_be_bytes());
            frame.extend(seq.to_be_bytes());
            let flags = match number as usize {
                1 => "02",
                last if last > segments.len() => flags,
                _ => "08",
            };
            frame.extend(hex("00000000 50"));
            frame.extend(hex(flags));
            frame.extend(hex("2000 0000 0000"));
            frame.extend(&octets);
            let at = Timestamp(1_000_000_000 + number * 1_000_000);
            let place = FrameRef { tap: 0, number };
            let wire_len = u32::try_from(frame.len()).unwrap();
            pipeline.frame(&Frame { place, at, link: LinkType::Ethernet, bytes: &frame, wire_len });
        }
        pipeline.finish();
        pipeline.into_consumer().0
    }

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        let pair = |pair: &[u8]| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(pair).collect()
    }

    const SECOND: &str = "0002 0000 0006 01 03 0000 0001";
    const THIRD: &str = "0003 0000 0006 01 03 0000 0001";

    #[test]
    fn both_readings_agree_where_segments_begin_with_pdus() {
        assert_eq!(read(&[SECOND, THIRD]), ["2@2", "3@3"]);
        let two = [SECOND, THIRD].concat();
        assert_eq!(read(&[&two]), ["2@2", "3@2"]);
        // The header says how much to wait for, and the next PDU begins where that ends.
        let rest = ["0000 0001", SECOND].concat();
        assert_eq!(read(&["0001 0000 0006 01 03", &rest, THIRD]), ["1@3", "2@3", "3@4"]);
    }

    #[test]
    fn a_cut_header_hides_its_pdu_and_those_behind_it_in_the_segment() {
        let rest = ["06 01 03 0000 0001", SECOND].concat();
        assert_eq!(read(&["0001 0000 00", &rest, THIRD]), ["-1@3", "-2@3", "3@4"]);
    }

    #[test]
    fn where_the_stream_is_out_of_step_a_segment_is_read_for_itself_once() {
        // The stream takes the second header for the end of the first PDU.
        assert_eq!(read(&["0001 0000", SECOND, THIRD]), ["-1@3", "+2@3", "3@4"]);
    }

    #[test]
    fn segments_are_read_for_themselves_however_long_the_stream_waits() {
        // Four octets too many: the stream takes them for a header and waits for 247 octets.
        let shifted = "00f1 0000 0006 01 03 0000 0001";
        assert_eq!(read(&["0000 0000", shifted, SECOND, THIRD]), ["+241@3", "+2@4", "+3@5"]);
    }

    #[test]
    fn a_segment_that_the_stream_does_not_believe_is_read_for_itself() {
        let far = 0x2000_0000;
        assert_eq!(read_at(502, &[(1, SECOND), (far, THIRD)]), ["2@2", "+3@3"]);
        assert_eq!(read_at(502, &[(1, SECOND), (far, "55 55 55 55")]), ["2@2"]);
    }

    #[test]
    fn a_segment_that_begins_inside_an_overtaken_dnp3_frame_hides_the_frames_behind_it() {
        // RESET_LINK_STATES to station 10 from the masters 1, 2 and 3.
        const ONE: &str = "056405c00a000100b1ac";
        const TWO: &str = "056405c00a0002001a1c";
        const THREE: &str = "056405c00a00030054b7";
        let rest = [&ONE[8..], TWO].concat();
        let next = (21, THREE);
        assert_eq!(read_at(20000, &[(1, "056405c0"), (5, &rest), next]), ["1@3", "2@3", "3@4"]);
        assert_eq!(read_at(20000, &[(5, &rest), (1, "056405c0"), next]), ["-1@3", "-2@2", "3@4"]);
        // A segment that begins with a frame hides nothing, whatever came late.
        assert_eq!(read_at(20000, &[(11, TWO), (1, ONE), next]), ["-1@3", "2@2", "3@4"]);
    }

    #[test]
    fn a_segment_that_begins_inside_an_overtaken_modbus_adu_hides_the_adus_behind_it() {
        let rest = [&SECOND[15..], THIRD].concat();
        // The second half of id 2 with id 3; then the first half, in front of which nothing was missed.
        let first = &SECOND[..15];
        assert_eq!(read_at(502, &[(7, &rest), (1, first)]), ["-2@3", "-3@2"]);
        assert_eq!(read_at(502, &[(1, first), (7, &rest)]), ["-2@3", "-3@3"]);
    }

    #[test]
    fn a_syn_that_does_not_belong_to_the_flow_is_read_for_itself() {
        let syn = |text| [(1, SECOND), (13, text)];
        assert_eq!(read_flagged(502, "02", &syn(THIRD)), ["2@2", "+3@3"]);
        const ONE: &str = "056405c00a000100b1ac";
        assert_eq!(read_flagged(20000, "02", &[(1, ONE), (99, ONE)]), ["1@2", "+1@3"]);
    }

    #[test]
    fn an_apdu_that_is_not_whole_behind_a_malformed_one_is_not_waited_for() {
        // By their lengths: an ASDU of no objects, one of one object, an S frame.
        const NONE: &str = "680a 0000 0000 01 00 03 00 0100";
        const ONE: &str = "680e 0200 0000 01 01 03 00 0100 010000 01";
        const S: &str = "6804 0100 0200";
        let (half, rest) = ONE.split_at(20);
        let segments = [[NONE, half].concat(), [rest, S].concat(), S.to_owned()];
        let places = [(1, &*segments[0]), (21, &segments[1]), (35, &segments[2])];
        assert_eq!(read_at(2404, &places), ["10@2", "-14@3", "-4@3", "4@4"]);
        let sound = [[ONE, half].concat(), [rest, S].concat()];
        assert_eq!(read_at(2404, &[(1, &sound[0]), (25, &sound[1])]), ["14@2", "14@3", "4@3"]);
    }

    #[test]
    fn values_that_look_like_a_pdu_are_values_while_the_stream_is_in_step() {
        let values = [SECOND, "0000 0000"].concat();
        assert_eq!(read(&["0001 0000 0017 01 10 0000 0008 10", &values, THIRD]), ["1@3", "3@4"]);
    }
}
