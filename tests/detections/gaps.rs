//! Answers after a hole in the stream.

use gridtap::report::catalogue::FindingKind as K;
use simulators::encode::modbus::{Request, Response};

use super::support::judge::{answer, ask, judged, modbus};

#[test]
fn an_answer_contradicts_nothing_after_a_hole() {
    const SECOND: u64 = 1_000_000_000;
    // A device that gives every request the same number; the second one reads something else.
    let two = Response::Registers(3, vec![1, 2]);
    let script = [
        ask(7, 5, &Request::Read(3, 0, 2)),
        answer(7, 5, &two),
        ask(7, 5, &Request::Read(3, 0, 2)).after(SECOND),
        answer(7, 5, &two),
        ask(7, 5, &Request::Read(3, 0, 5)).after(SECOND),
        answer(7, 5, &Response::Registers(3, vec![0; 5])),
        ask(7, 5, &Request::Read(4, 0, 2)).after(SECOND),
        answer(7, 5, &Response::Registers(4, vec![1, 2])),
    ];
    let frames = modbus(script.to_vec()).frames();
    assert_eq!(judged(&frames, None, "a.pcap").kinds(), [""; 0]);
    // Every run of up to three frames lost after the handshake: nothing is said of the answers that follow.
    let mut withheld = 0;
    for first in 3..frames.len() - 2 {
        for count in 1..=3 {
            let mut lossy = frames.clone();
            lossy.drain(first..first + count);
            let outcome = judged(&lossy, None, "a.pcap");
            assert!(outcome.of(K::ContradictingAnswer).is_empty(), "{first}, {count}: {:?}", outcome.kinds());
            withheld += outcome.withheld(K::ContradictingAnswer);
        }
    }
    assert!(withheld > 0);
}
