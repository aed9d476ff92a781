//! A GOOSE frame's payload: the first octet chooses Ethertype and coverage, then the payload, as it is or with
//! header and length put before the APDU's elements.

use super::session::{Log, ethernet_flow};
use parsers::{Chunk, Direction, FrameRef, Limits, Observer, Operation, Piece, Progress, Timestamp};

/// Option: the bytes are the elements of a goosePdu; what stands before them is added.
pub const WRAP: u8 = 1;

/// The body of the target `goose`.
pub fn check(data: &[u8]) {
    let (options, bytes) = data.split_first().map_or((0, data), |(o, r)| (*o, r));
    let payload = if options & WRAP == 0 { bytes.to_vec() } else { framed(bytes) };
    let dissector = &parsers::goose::DISSECTOR;
    let flow = ethernet_flow(parsers::goose::ETHERTYPE + u16::from(options >> 1 & 1), options & 4 != 0);
    let mut session = (dissector.open)(&flow, &Limits::default());
    let pieces = [Piece { end: payload.len(), frame: FrameRef::default(), at: Timestamp(1) }];
    let chunk = Chunk { direction: Direction::ToServer, bytes: &payload, pieces: &pieces };
    let mut logs = [String::new(), String::new()];
    for text in &mut logs {
        let mut seen = Seen::default();
        assert_eq!(session.feed(&flow, &chunk, &mut seen), Progress::all(&chunk));
        assert!(seen.units <= 1 && seen.operations <= seen.units, "one message a frame");
        assert!(seen.units + seen.defects > 0, "nothing is dropped in silence");
        *text = seen.log.into_text();
    }
    assert_eq!(logs[0], logs[1], "what a session remembers changes nothing");
    assert!(session.memory() <= 2048, "{} octets remembered", session.memory());
    assert_eq!(session.deadline(), None);
    let subject = (dissector.subject)(&payload);
    assert!(subject.len() <= payload.len());
}

fn framed(elements: &[u8]) -> Vec<u8> {
    let length = (elements.len() as u16).to_be_bytes();
    let apdu = [&[0x61, 0x82, length[0], length[1]], elements].concat();
    let all = (apdu.len() as u16 + 8).to_be_bytes();
    [&[0, 1, all[0], all[1], 0, 0, 0, 0], &apdu[..]].concat()
}

#[derive(Default)]
struct Seen {
    log: Log,
    units: usize,
    operations: usize,
    defects: usize,
}

impl Observer for Seen {
    fn unit(&mut self, unit: &parsers::Unit<'_>) {
        self.units += 1;
        self.log.unit(unit);
    }

    fn operation(&mut self, operation: &Operation<'_>) {
        self.operations += 1;
        self.log.operation(operation);
        let Some(said) = operation.detail.publication() else { return };
        let mut values = 0;
        (said.points)(said.members, &mut |_| values += 1);
        assert!(values <= parsers::goose::MAX_MEMBERS, "{values} values");
        let (members, _) = (said.shape)(said.members);
        assert!(members as usize <= parsers::goose::MAX_MEMBERS);
    }

    fn defect(&mut self, defect: &parsers::Defect<'_>) {
        self.defects += 1;
        self.log.defect(defect);
    }
}
