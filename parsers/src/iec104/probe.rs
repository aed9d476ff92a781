//! Recognising IEC 104 on any port. A start octet and a length are not rare; a connection begins with a U frame,
//! whose six octets are all fixed.

use super::apci::{self, Kind, Scan};
use crate::contract::FieldSizes;
use crate::contract::{Beginning, Direction, Probe, Transport};

/// Yes needs a U frame, or two other frames in a row that are sound in themselves.
pub(super) fn probe(beginning: &Beginning<'_>) -> Probe {
    if beginning.transport != Transport::Tcp {
        return Probe::No;
    }
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
        match apci::due(rest) {
            Scan::Need(_) => return Probe::More,
            Scan::Junk | Scan::Unsound(_) => return Probe::No,
            Scan::Frame(octets) => {
                let (frame, later) = rest.split_at_checked(octets).unwrap_or((rest, &[]));
                if apci::found(frame, FieldSizes::IEC104) != Scan::Frame(octets) {
                    return Probe::No;
                }
                frames += 1;
                let unnumbered =
                    apci::head(frame).is_some_and(|head| matches!(head.kind, Kind::Unnumbered(_)));
                if unnumbered || frames == 2 {
                    return Probe::Yes;
                }
                rest = later;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    fn of(up: &str, down: &str) -> Probe {
        probe(&Beginning { bytes: [&hex(up), &hex(down)], transport: Transport::Tcp })
    }

    #[test]
    fn a_u_frame_is_enough_and_a_start_octet_is_not() {
        assert_eq!(of("680407000000", ""), Probe::Yes);
        assert_eq!(of("", "680443000000"), Probe::Yes);
        assert_eq!(of("6804", ""), Probe::More);
        assert_eq!(of("680417000000", ""), Probe::No, "two functions");
        assert_eq!(of("6803", ""), Probe::No);
        assert_eq!(of("474554202f", ""), Probe::No, "GET /");
    }

    #[test]
    fn data_must_be_sound_twice() {
        let one = "680e00000000 64 01 06 00 0a00 000000 14";
        assert_eq!(of(one, ""), Probe::More);
        assert_eq!(of(&format!("{one}{one}"), ""), Probe::Yes);
        assert_eq!(of("680e00000000 64 02 06 00 0a00 000000 14", ""), Probe::No, "it does not fit");
    }
}
