//! GOOSE: every header field and every type of data as the encoder wrote it.

use parsers::{
    Chunk, ClockTime, Defect, Direction, FrameRef, Limits, Observer, Operation, Piece, Progress, Timestamp,
    Value,
};
use simulators::encode::goose::{Data, Frame, UtcTime};

/// Why a frame is not as it was written.
#[derive(Default)]
struct Compared<'f> {
    frame: Option<&'f Frame>,
    wrong: Vec<String>,
    values: usize,
    operations: usize,
}

impl Compared<'_> {
    fn check(&mut self, what: &str, found: impl core::fmt::Debug, wanted: impl core::fmt::Debug) {
        let (found, wanted) = (format!("{found:?}"), format!("{wanted:?}"));
        self.values += 1;
        if found != wanted {
            self.wrong.push(format!("{what} is {found}, not {wanted}"));
        }
    }
}

impl Observer for Compared<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        self.operations += 1;
        let (Some(said), Some(frame)) = (operation.detail.publication(), self.frame) else {
            self.wrong.push("no publication".to_owned());
            return;
        };
        let pdu = &frame.pdu;
        self.check("APPID", said.application, frame.appid);
        self.check("gocbRef", said.control_block, pdu.control_block.as_bytes());
        self.check("datSet", said.data_set, pdu.data_set.as_bytes());
        self.check("goID", said.identifier, pdu.id.as_deref().unwrap_or_default().as_bytes());
        self.check("timeAllowedtoLive", said.allowed_to_live_ms, Some(pdu.time_allowed_to_live));
        self.check("t", said.changed_at, Some(clock(pdu.time)));
        self.check("stNum", said.state, Some(pdu.state));
        self.check("sqNum", said.sequence, Some(pdu.sequence));
        self.check("confRev", said.revision, Some(pdu.revision));
        self.check("numDatSetEntries", said.entries, Some(pdu.data.len() as u32));
        self.check("simulated", said.simulated, pdu.simulation || frame.reserved1 & 0x8000 != 0);
        self.check("ndsCom", said.needs_commissioning, pdu.needs_commissioning);
        self.check("members", (said.shape)(said.members).0, pdu.data.len());
        let mut wanted = Vec::new();
        for (place, data) in pdu.data.iter().enumerate() {
            flat(place as u32, data, &mut wanted);
        }
        let mut found = Vec::new();
        (said.points)(said.members, &mut |point| found.push((point.address.unwrap(), shown(&point.value))));
        self.check("values", found, &wanted);
        self.values += wanted.len();
    }

    fn defect(&mut self, defect: &Defect<'_>) {
        self.wrong
            .push(format!("{} expected {}, observed {}", defect.check, defect.expected, defect.observed));
    }
}

fn clock(time: UtcTime) -> ClockTime {
    ClockTime {
        ns: u64::from(time.seconds) * 1_000_000_000 + ((u64::from(time.fraction) * 1_000_000_000) >> 24),
        failed: time.quality & 0x40 != 0,
        unsynchronised: time.quality & 0x20 != 0,
        accuracy_bits: time.quality & 0x1F,
    }
}

fn shown(value: &Value<'_>) -> String {
    format!("{value:?}")
}

/// The values of a member, those within structures and arrays in their order.
fn flat(place: u32, data: &Data, out: &mut Vec<(u32, String)>) {
    // Bit strings: how many bits are not used, then the bits.
    let bits = |octets: &[u8], unused: u8| [&[unused], octets].concat();
    let mut put = |value: Value<'_>| out.push((place, shown(&value)));
    match data {
        Data::Array(parts) | Data::Structure(parts) => parts.iter().for_each(|part| flat(place, part, out)),
        Data::Boolean(flag) => put(Value::Bit(*flag)),
        Data::BitString(octets, unused) | Data::BooleanArray(octets, unused) => {
            put(Value::Bytes(&bits(octets, *unused)));
        }
        Data::Integer(number) => put(Value::Signed(*number)),
        Data::Unsigned(number) => put(Value::Unsigned(*number)),
        Data::Float32(number) => put(Value::Float32(*number)),
        Data::Float64(number) => put(Value::Float64(*number)),
        Data::OctetString(octets) => put(Value::Bytes(octets)),
        Data::VisibleString(text) | Data::MmsString(text) => put(Value::Text(text.as_bytes())),
        // Days since 1984-01-01; without them it is no moment.
        Data::BinaryTime(ms, Some(days)) => {
            put(Value::TimeMs(441_763_200_000 + u64::from(*days) * 86_400_000 + u64::from(*ms)));
        }
        Data::BinaryTime(ms, None) => put(Value::Bytes(&ms.to_be_bytes())),
        Data::Bcd(number) => put(Value::Unsigned((*number).into())),
        Data::Utc(time) => put(Value::TimeMs(clock(*time).ns / 1_000_000)),
        Data::Real(..) => {
            // Shown as the octets of its BER form, as the encoder makes them.
            let octets = data.encode(simulators::encode::goose::Numbers::Shortest);
            put(Value::Bytes(&octets[2..]));
        }
    }
}

#[test]
fn every_goose_vector_is_decoded_as_it_was_encoded() {
    let vectors = simulators::vectors::goose::all();
    let (mut wrong, mut values) = (Vec::new(), 0);
    for vector in &vectors {
        let bytes = vector.frame.encode();
        let payload = &bytes[14 + 4 * vector.frame.tags.len()..];
        let (transport, ethertype) = (parsers::Transport::Ethernet, parsers::goose::ETHERTYPE);
        let flow = parsers::FlowInfo { transport, ethertype, ..super::flow(0) };
        let mut session = (parsers::goose::DISSECTOR.open)(&flow, &Limits::default());
        let pieces = [Piece { end: payload.len(), frame: FrameRef::default(), at: Timestamp(1) }];
        let chunk = Chunk { direction: Direction::ToServer, bytes: payload, pieces: &pieces };
        let mut compared = Compared { frame: Some(&vector.frame), ..Compared::default() };
        assert_eq!(session.feed(&flow, &chunk, &mut compared), Progress::all(&chunk));
        if compared.operations != 1 {
            wrong.push(format!("{}: {} messages, not one", vector.name, compared.operations));
        }
        // Neither a state number nor a time to live may be 0: that is told, and nothing else is wrong.
        let (told, others): (Vec<_>, Vec<_>) =
            compared.wrong.iter().partition(|what| what.starts_with("GO-C08"));
        let wanted = if vector.name.starts_with("numbers 0,") { 2 } else { 0 };
        if told.len() != wanted {
            wrong.push(format!("{}: {told:?}, not {wanted} of GO-C08", vector.name));
        }
        wrong.extend(others.iter().map(|what| format!("{}: {what}", vector.name)));
        values += compared.values;
    }
    println!("{} vectors, {values} values", vectors.len());
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    assert!(values > 1_000, "{values} values are too few to mean anything");
}
