//! Recognising DNP3 on any port: by its checksums, for the start octets alone are not rare enough.

use super::link::{self, Scan};
use crate::contract::{Beginning, Direction, Probe};

/// Yes needs a frame whose header and user data CRCs hold, or two good headers in a row. The flow
/// has to begin with a frame in one direction: a tap that came late waits for a named port.
pub(super) fn probe(beginning: &Beginning<'_>) -> Probe {
    let sides = [Direction::ToServer, Direction::ToClient].map(|direction| side(beginning.of(direction)));
    match sides {
        [Probe::Yes, _] | [_, Probe::Yes] => Probe::Yes,
        [Probe::No, _] | [_, Probe::No] => Probe::No,
        [Probe::More, Probe::More] => Probe::More,
    }
}

fn side(octets: &[u8]) -> Probe {
    let (mut rest, mut frames) = (octets, 0);
    loop {
        match link::scan(rest) {
            Scan::Need(_) => return Probe::More,
            Scan::Junk(_) | Scan::BadHeader | Scan::Short(_) => return Probe::No,
            Scan::Frame(header) => {
                let (frame, later) = rest.split_at_checked(header.wire()).unwrap_or((rest, &[]));
                if link::first_bad_block(frame).is_some() {
                    return Probe::No;
                }
                frames += 1;
                if header.user_data() > 0 || frames == 2 {
                    return Probe::Yes;
                }
                rest = later;
            }
        }
    }
}
