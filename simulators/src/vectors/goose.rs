//! Vectors for GOOSE: every type of data, every header field at its edges, every VLAN stack.

use crate::encode::goose::{Data, Frame, Numbers, Pdu, Tag, UtcTime};
use crate::wire::{START_NS, TimedFrame};

/// A frame and its name; the frame's content is what a reader must find.
#[derive(Debug, Clone)]
pub struct GooseVector {
    /// Unique name.
    pub name: String,
    /// The frame.
    pub frame: Frame,
}

/// The usual frame: every vector is this with something changed.
pub fn plain() -> Frame {
    Frame {
        destination: [0x01, 0x0c, 0xcd, 0x01, 0x00, 0x01],
        source: [0x02, 0x30, 0xa7, 0x00, 0x00, 0x01],
        tags: vec![Tag::new(10, 4)],
        appid: 1,
        reserved1: 0,
        reserved2: 0,
        pdu: Pdu {
            control_block: "BAY1PROT/LLN0$GO$gcb1".to_owned(),
            time_allowed_to_live: 2000,
            data_set: "BAY1PROT/LLN0$dsTrip".to_owned(),
            id: Some("BAY1_TRIP".to_owned()),
            time: UtcTime::at(START_NS),
            state: 1,
            sequence: 1,
            revision: 1,
            data: vec![Data::Boolean(false), Data::quality(0)],
            ..Pdu::default()
        },
    }
}

struct Book(Vec<GooseVector>);

impl Book {
    fn add(&mut self, name: impl Into<String>, change: impl FnOnce(&mut Frame)) {
        let mut frame = plain();
        change(&mut frame);
        self.0.push(GooseVector { name: name.into(), frame });
    }

    fn data(&mut self, name: &str, data: Vec<Data>) {
        for numbers in [Numbers::Shortest, Numbers::Fixed] {
            let data = data.clone();
            self.add(format!("data {name}, {numbers:?}").to_lowercase(), |frame| {
                frame.pdu.data = data;
                frame.pdu.numbers = numbers;
            });
        }
    }
}

/// Every vector.
pub fn all() -> Vec<GooseVector> {
    let mut book = Book(Vec::new());
    headers(&mut book);
    numbers(&mut book);
    data_types(&mut book);
    tags(&mut book);
    book.0
}

fn headers(book: &mut Book) {
    book.add("plain", |_| {});
    for appid in [0, 0x3fff, 0x8000, 0xbfff, 0xffff] {
        book.add(format!("appid {appid:04x}"), |f| f.appid = appid);
    }
    book.add("simulated by the header", |f| f.reserved1 = 0x8000);
    book.add("simulated by the pdu", |f| f.pdu.simulation = true);
    book.add("simulated by both", |f| (f.reserved1, f.pdu.simulation) = (0x8000, true));
    book.add("needs commissioning", |f| f.pdu.needs_commissioning = true);
    book.add("without goID", |f| f.pdu.id = None);
    book.add("empty goID", |f| f.pdu.id = Some(String::new()));
    for quality in [0, 0x80, 0x40, 0x20, 0x1f, 0x8a] {
        book.add(format!("time quality {quality:02x}"), |f| f.pdu.time.quality = quality);
    }
    book.add("long names", |f| {
        f.pdu.control_block = format!("{}/LLN0$GO$gcb1", "L".repeat(64));
        f.pdu.data_set = format!("{}/LLN0${}", "L".repeat(64), "d".repeat(32));
        f.pdu.id = Some("i".repeat(129));
    });
    book.add("no data", |f| f.pdu.data = Vec::new());
    book.add("as long as a frame may be", |f| f.pdu.data = vec![Data::Integer(1_000_000); 270]);
}

fn numbers(book: &mut Book) {
    for number in [0, 1, 127, 128, 255, 256, 32_767, 32_768, 65_535, 8_388_607, 8_388_608, 0x7fff_ffff] {
        for form in [Numbers::Shortest, Numbers::Fixed] {
            book.add(format!("numbers {number}, {form:?}").to_lowercase(), |f| {
                f.pdu.time_allowed_to_live = number;
                (f.pdu.state, f.pdu.sequence, f.pdu.revision) = (number, number, number);
                f.pdu.numbers = form;
            });
        }
    }
    for number in [0x8000_0000, 0xffff_ffff] {
        book.add(format!("state and sequence {number}"), |f| {
            (f.pdu.state, f.pdu.sequence) = (number, number);
        });
    }
}

fn data_types(book: &mut Book) {
    book.data("booleans", vec![Data::Boolean(true), Data::Boolean(false)]);
    for state in 0..4 {
        book.data(&format!("position {state}"), vec![Data::position(state), Data::quality(0)]);
    }
    book.data(
        "bit strings",
        vec![
            Data::BitString(vec![0xff], 0),
            Data::BitString(vec![0x80], 7),
            Data::quality(0x1fff),
            Data::BitString(vec![0x12, 0x34, 0x56, 0x78], 0),
        ],
    );
    for value in [0, 1, -1, 127, -128, 128, 32_767, -32_768, 0x7fff_ffff, -0x8000_0000] {
        book.data(&format!("integer {value}"), vec![Data::Integer(value)]);
    }
    for value in [0, 1, 255, 256, 65_535, 0x7fff_ffff] {
        book.data(&format!("unsigned {value}"), vec![Data::Unsigned(value)]);
    }
    book.data("integer of 64 bits", vec![Data::Integer(i64::MIN), Data::Integer(i64::MAX)]);
    book.data("unsigned of 64 bits", vec![Data::Unsigned(0xffff_ffff), Data::Unsigned(u64::MAX)]);
    let floats = [0.0, -0.0, 1.5, -1234.5, 1.0e30, -2.5e-10, f32::INFINITY, f32::NAN];
    book.data("floats", floats.map(Data::Float32).to_vec());
    book.data("doubles", [0.0, 1.5, -1.0e300].map(Data::Float64).to_vec());
    book.data("reals", vec![Data::Real(0, 0), Data::Real(300, 1), Data::Real(-500, -2)]);
    book.data("octet strings", vec![Data::OctetString(vec![]), Data::OctetString(vec![0, 1, 0xff])]);
    let text = |text: &str| Data::VisibleString(text.to_owned());
    book.data("visible strings", vec![text("T"), text("Protection trip, stage 1")]);
    book.data("a long visible string", vec![Data::VisibleString("x".repeat(255))]);
    book.data("binary times", vec![Data::BinaryTime(0, None), Data::BinaryTime(86_399_999, Some(15_000))]);
    book.data("decimal", vec![Data::Bcd(0), Data::Bcd(12)]);
    book.data("boolean array", vec![Data::BooleanArray(vec![0xa5, 0x80], 7)]);
    book.data("mms string", vec![Data::MmsString("Schalter".to_owned()), Data::MmsString(String::new())]);
    let times = [UtcTime::default(), UtcTime::at(START_NS + 500_000_000)];
    book.data("utc times", times.map(Data::Utc).to_vec());
    let measured = Data::Structure(vec![Data::Float32(50.02), Data::quality(0), Data::Utc(times[1])]);
    book.data("structure", vec![measured.clone(), Data::Structure(vec![])]);
    book.data("array", vec![Data::Array(vec![Data::Integer(1), Data::Integer(2), Data::Integer(3)])]);
    let mut deep = Data::Boolean(true);
    for _ in 0..5 {
        deep = Data::Structure(vec![deep, Data::Array(vec![Data::Boolean(false)])]);
    }
    book.data("structures within structures", vec![deep, measured]);
}

fn tags(book: &mut Book) {
    let customer = |id, priority| Tag::new(id, priority);
    let service = |id| Tag { tpid: 0x88a8, id, priority: 4 };
    let old = |id| Tag { tpid: 0x9100, id, priority: 4 };
    let stacks = [
        ("no tag", vec![]),
        ("priority tag", vec![customer(0, 4)]),
        ("highest priority", vec![customer(4094, 7)]),
        ("two tags", vec![service(100), customer(10, 4)]),
        ("two customer tags", vec![customer(100, 4), customer(10, 4)]),
        ("old tag outside", vec![old(100), customer(0, 4)]),
        ("three tags", vec![service(100), service(200), customer(10, 4)]),
    ];
    for (name, stack) in stacks {
        book.add(name, |f| f.tags = stack);
    }
}

/// The frames of vectors, a second apart.
pub fn frames(vectors: &[GooseVector]) -> Vec<TimedFrame> {
    let frame = |(place, vector): (usize, &GooseVector)| TimedFrame {
        at_ns: START_NS + place as u64 * 1_000_000_000,
        bytes: vector.frame.encode(),
    };
    vectors.iter().enumerate().map(frame).collect()
}
