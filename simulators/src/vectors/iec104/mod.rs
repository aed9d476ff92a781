//! Vectors for IEC 60870-5-104: every type in both forms with every cause that it can have, and every U
//! and S frame.

mod special;
mod types;

use super::{Expected, Vector};
use crate::encode::iec104::{Asdu, Element, Frame, Time, frame_i, frame_s, frame_u, octets, u};
use crate::wire::Side;

/// Common address in every vector, unless its name says otherwise.
pub const STATION: u16 = 10;
/// The time in every time tag: 2023-11-14T22:13:20.000Z and up.
pub const BASE_MS: u64 = 1_700_000_000_000;

/// What a reader must find in an APDU.
#[derive(Debug, Clone, PartialEq)]
pub struct Apdu {
    /// The frame.
    pub frame: Frame,
    /// Its ASDU, if it is an I frame.
    pub asdu: Option<Asdu>,
    /// The elements of each of its objects.
    pub elements: Vec<Vec<Element>>,
}

/// Every vector.
pub fn all() -> Vec<Vector> {
    let mut book = Book { vectors: Vec::new() };
    types::monitoring(&mut book);
    types::control(&mut book);
    types::causes(&mut book);
    special::frames(&mut book);
    special::times(&mut book);
    special::headers(&mut book);
    special::files(&mut book);
    special::private(&mut book);
    book.vectors
}

/// One utterance of a vector.
enum Said {
    /// An ASDU whose objects have these elements.
    Asdu(Side, Asdu, Vec<Vec<Element>>),
    U(Side, u8),
    S(Side),
}

/// An ASDU with objects at these addresses.
fn asdu(type_id: u8, cause: u8, objects: &[(u32, Vec<Element>)]) -> (Asdu, Vec<Vec<Element>>) {
    let asdu = Asdu {
        type_id,
        cause,
        address: STATION,
        objects: objects.iter().map(|(address, elements)| (*address, octets(elements))).collect(),
        ..Asdu::default()
    };
    (asdu, objects.iter().map(|(_, elements)| elements.clone()).collect())
}

/// A time tag of its own for each object, all flags in turn.
fn time(index: usize) -> Time {
    Time {
        ms: BASE_MS + 86_461_001 * index as u64,
        invalid: index % 5 == 1,
        substituted: index % 5 == 2,
        summer: index % 5 == 3,
        weekday: (index % 8) as u8,
    }
}

/// Collects vectors: each a connection of its own that is started first, with numbers in order.
struct Book {
    vectors: Vec<Vector>,
}

impl Book {
    fn add(&mut self, name: impl Into<String>, said: Vec<Said>) {
        let started = [Said::U(Side::Client, u::STARTDT_ACT), Said::U(Side::Server, u::STARTDT_CON)];
        self.add_raw(name, started.into_iter().chain(said));
    }

    /// Without the start.
    fn add_raw(&mut self, name: impl Into<String>, said: impl IntoIterator<Item = Said>) {
        let mut sent = [0_u16; 2];
        let mut lines = Vec::new();
        for said in said {
            let side = match &said {
                Said::Asdu(side, ..) | Said::U(side, _) | Said::S(side) => *side,
            };
            let own = usize::from(side == Side::Server);
            let (bytes, apdu) = match said {
                Said::Asdu(_, asdu, elements) => {
                    let body = asdu.encode();
                    let bytes = frame_i(sent[own], sent[1 - own], &body);
                    let frame = Frame::I(sent[own], sent[1 - own], body);
                    sent[own] += 1;
                    (bytes, Apdu { frame, asdu: Some(asdu), elements })
                }
                Said::U(_, function) => {
                    (frame_u(function), Apdu { frame: Frame::U(function), asdu: None, elements: vec![] })
                }
                Said::S(_) => {
                    let number = sent[1 - own];
                    (frame_s(number), Apdu { frame: Frame::S(number), asdu: None, elements: vec![] })
                }
            };
            let (function, station) = apdu.asdu.as_ref().map_or((0, 0), |a| (a.type_id, a.address));
            let expected = Expected { function, station, apdu: Some(apdu), ..Expected::default() };
            lines.push((side, bytes, expected));
        }
        self.vectors.push(Vector::new(name, lines));
    }

    /// One ASDU of one side.
    fn one(&mut self, name: impl Into<String>, side: Side, asdu: (Asdu, Vec<Vec<Element>>)) {
        self.add(name, vec![Said::Asdu(side, asdu.0, asdu.1)]);
    }
}
