//! Explanations word for word, of kinds whose own tests look at other things.

use gridtap::report::catalogue::FindingKind as K;

use super::messages::{Goose, MS, OFF, ON, SECOND, goose, says, seen, seen_by, steady, trip};
use super::support::judge::{Outcome, judged};

const NAMED: &str = "[profile]\nname = \"bay\"\n[publishers.bay1-trip]\ncontrol_block = \"BAY1/LLN0$GO$gcb1\"\n\
                     appid = 0x0001\n";

const SAID: &[&str] = &[
    "Publisher in another way than the profile says: bay1-trip (02:00:00:00:00:01) published to 01:0c:cd:01:00:01; expected publisher 'bay1-trip' with APPID 0x0001, observed APPID 0x0007.",
    "Two sequences of one control block side by side: 02:00:00:00:00:01 published to 01:0c:cd:01:00:01; expected one sequence of states of 'BAY1/LLN0$GO$gcb1', observed state 1, sqNum 6 goes on after state 2 had begun.",
    "GOOSE message of a state that is over: 02:00:00:00:00:01 published to 01:0c:cd:01:00:01; expected what follows state 1, sqNum 8 of 'BAY1/LLN0$GO$gcb1', observed state 1, sqNum 3: a message that was there before.",
    "GOOSE sequence number does not follow: 02:00:00:00:00:01 published to 01:0c:cd:01:00:01; expected what follows state 1, sqNum 5 of 'BAY1/LLN0$GO$gcb1', observed state 1, sqNum 9999: messages that cannot all have been missed.",
    "Flood of GOOSE messages: 02:00:00:00:00:01 published to 01:0c:cd:01:00:01; expected at most 200 messages of 'BAY1/LLN0$GO$gcb1' in a second, observed more than 200.",
    "Time of a GOOSE state is wrong: 02:00:00:00:00:01 published to 01:0c:cd:01:00:01; expected a state that begins when its message comes, observed t of state 2 of 'BAY1/LLN0$GO$gcb1' is 59 min 59 s later than its message.",
    "Simulated or test GOOSE message: 02:00:00:00:00:09 published to 01:0c:cd:01:00:01; expected no simulated or test messages in operation, observed 'BAY1/LLN0$GO$gcb1' with the simulation or test bit.",
    "GOOSE configuration changed or incomplete: 02:00:00:00:00:01 published to 01:0c:cd:01:00:01; expected configuration revision 1 of 'BAY1/LLN0$GO$gcb1', observed revision 2.",
    "GOOSE data set changed: 02:00:00:00:00:01 published to 01:0c:cd:01:00:01; expected the data set of 'BAY1/LLN0$GO$gcb1' as it was, with 1 member, observed 'BAY1/LLN0$Trip' with 2 members, or members of other types, under the same revision.",
    "GSE management traffic: 02:00:00:00:00:01 sent gse management (function 0) to 01:0c:cd:01:00:01; expected GOOSE alone in operation, observed GSE management, 2 octets.",
    "GOOSE publisher began again: 02:00:00:00:00:01 published to 01:0c:cd:01:00:01; expected a publisher that runs on, observed 'BAY1/LLN0$GO$gcb1' begins again with state 1, 300 ms after a message that allowed 2500 ms.",
];

/// A steady publisher of which this message is changed.
fn with(place: usize, change: impl Fn(&mut Goose)) -> Outcome {
    let mut messages = steady(0, 20, 1);
    change(&mut messages[place]);
    seen(&messages)
}

/// A steady publisher, and one more message.
fn and(message: Goose) -> Outcome {
    seen(&[steady(0, 20, 1), vec![message]].concat())
}

fn outcomes() -> Vec<(K, Outcome)> {
    let mut late = [steady(0, 10, 1), trip(10 * SECOND + 300 * MS, 2)].concat();
    late.iter_mut().skip(11).for_each(|m| m.t += 3600);
    let anew = |n: u64| Goose { t: 10, ..goose(n * SECOND + 300 * MS, 1, u32::try_from(n - 9).unwrap()) };
    let anew = (10..=30).map(anew).collect();
    let flood = (0..300).map(|n| goose(5 * SECOND + n * MS, 1, u32::try_from(n + 5).unwrap())).collect();
    let mut management = goose(0, 1, 0).frame();
    management.bytes.truncate(14);
    management.bytes.extend([0, 1, 0, 12, 0, 0, 0, 0, 0x60, 2, 0x80, 0]);
    let simulated = Goose { simulated: true, from: 9, ..goose(5 * SECOND + 300 * MS, 77, 0) };
    let next = Goose { t: 5, data: ON.to_vec(), ..goose(5 * SECOND + 100 * MS, 2, 0) };
    let other: Vec<_> = steady(0, 3, 1).into_iter().map(|m| Goose { appid: 7, ..m }).collect();
    vec![
        (K::PublisherDiffers, seen_by(&[], Some(NAMED), &other)),
        (K::GooseTwoSequences, and(next)),
        (K::GooseReplay, and(goose(8 * SECOND + 400 * MS, 1, 3))),
        (K::GooseSequence, with(6, |m| m.sequence = 9999)),
        (K::GooseFlood, seen(&[steady(0, 4, 1), flood].concat())),
        (K::GooseTime, seen(&late)),
        (K::GooseSimulation, and(simulated)),
        (K::GooseConfiguration, with(5, |m| m.revision = 2)),
        (K::GooseDataSet, with(5, |m| m.data = [OFF, OFF].concat())),
        (K::GseManagement, judged(&[management], None, "goose")),
        (K::GooseRestart, seen(&[steady(0, 10, 40), anew].concat())),
    ]
}

#[test]
fn what_is_told_of_publishers_in_words() {
    let said: Vec<String> =
        outcomes().iter().map(|(kind, outcome)| says(outcome.of(*kind)[0]).to_owned()).collect();
    assert_eq!(said, SAID, "{said:#?}");
}
