//! Read requests: every group with every qualifier, no object octets behind the headers.

use super::values::{indexed, ranged};
use super::{Book, Fragment, kind};
use crate::encode::dnp3::{Header, Range};

/// Groups that a master reads point by point.
const READABLE: [u8; 29] = [
    1, 2, 3, 4, 10, 11, 13, 20, 21, 22, 23, 30, 31, 32, 33, 34, 40, 42, 43, 80, 87, 101, 102, 110, 111, 112,
    113, 121, 122,
];

pub(super) fn reads(book: &mut Book) {
    for group in READABLE {
        let mut add = |name: &str, octets: &[u8], ranges: Option<(u32, u32)>| {
            let mut request = Fragment::request(1, 1, octets, vec![]);
            request.expected.ranges = ranges.map(|(first, last)| vec![(kind(group), first, last)]);
            book.add(format!("read g{group}v0 qualifier {name}"), vec![request]);
        };
        add("06", &Header::new(group, 0, Range::All).encode(), Some((0, u32::MAX)));
        for (name, first, range) in ranged(5) {
            add(name, &Header::new(group, 0, range).encode(), Some((first, first + 4)));
        }
        // Virtual addresses are no indexes.
        for (name, width) in [("03", 1), ("04", 2), ("05", 4)] {
            add(name, &Header::new(group, 0, Range::Virtual(width, 16, 20)).encode(), None);
        }
        for (name, range) in [("07", Range::Count8(5)), ("08", Range::Count16(5)), ("09", Range::Count32(5))]
        {
            add(name, &Header::new(group, 0, range).encode(), None);
        }
        for (name, prefix, range) in indexed(2) {
            let header = Header::prefixed(group, 0, prefix, range).encode();
            add(name, &[header, prefix.encode(9), prefix.encode(4)].concat(), None);
        }
    }
    for class in 1..=4_u8 {
        for (name, range) in [("06", Range::All), ("07", Range::Count8(10)), ("08", Range::Count16(10))] {
            let octets = Header::new(60, class, range).encode();
            let address = u32::from(class) - 1;
            let request = Fragment::request(1, 1, &octets, vec![]).ranges(vec![(kind(60), address, address)]);
            book.add(format!("read g60v{class} qualifier {name}"), vec![request]);
        }
    }
}
