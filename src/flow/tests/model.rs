//! A conversation cut, shuffled, repeated and thinned out at random, against what was said.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::*;

const C: Direction = Direction::ToServer;
const S: Direction = Direction::ToClient;

/// What is done to a segment of the conversation.
#[derive(Debug, Clone)]
struct Fate {
    /// Bytes of payload.
    size: usize,
    /// How many places later it may come.
    delay: usize,
    /// A repetition so many places later, reaching so many bytes back.
    again: Option<(usize, usize)>,
    lost: bool,
}

fn fate(losses: bool) -> impl Strategy<Value = Fate> {
    let size = prop_oneof![3 => 1..4_usize, 3 => 1..40_usize, 1 => 40..400_usize];
    let again = prop::option::weighted(0.2, (0..6_usize, 0..30_usize));
    let lost = if losses { prop::bool::weighted(0.1).boxed() } else { Just(false).boxed() };
    (size, 0..5_usize, again, lost).prop_map(|(size, delay, again, lost)| Fate { size, delay, again, lost })
}

/// Messages of both sides in turn: lengths.
fn messages() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![3 => 1..30_usize, 1 => 30..300_usize], 1..12)
}

struct Conversation {
    /// In the order in which they are captured; `true` for repetitions.
    segments: Vec<Seg>,
    /// What each side said, `None` for what was lost.
    said: [Vec<Option<u8>>; 2],
}

fn converse(messages: &[usize], fates: &[Fate], starts: [u32; 2]) -> Conversation {
    let mut said = [Vec::new(), Vec::new()];
    let mut plan: Vec<(usize, Seg)> = Vec::new();
    let mut fates = fates.iter().cycle();
    let mut byte = 0_u8;
    for (turn, length) in messages.iter().enumerate() {
        let direction = if turn % 2 == 0 { C } else { S };
        let (own, other) = (direction.index(), direction.reverse().index());
        let mut left = *length;
        while left > 0 {
            let Some(fate) = fates.next() else { break };
            let size = fate.size.min(left);
            left -= size;
            let from = said[own].len();
            for _ in 0..size {
                byte = byte.wrapping_mul(5).wrapping_add(3);
                said[own].push(Some(byte));
            }
            let seg = |from: usize, said: &[Option<u8>], ack: usize| Seg {
                direction,
                seq: starts[own].wrapping_add(from as u32),
                ack: starts[other].wrapping_add(ack as u32),
                flags: ACK,
                bytes: said[from..].iter().map(|b| b.unwrap_or(0)).collect(),
                cut: 0,
            };
            let place = plan.len();
            if fate.lost {
                said[own][from..].fill(None);
                continue;
            }
            plan.push((place + fate.delay, seg(from, &said[own], said[other].len())));
            if let Some((later, back)) = fate.again {
                // Reach back only over what was not lost.
                let known = said[own][..from].iter().rev().take_while(|b| b.is_some()).count();
                let again = seg(from - back.min(known), &said[own], said[other].len());
                plan.push((place + 1 + later, again));
            }
        }
    }
    plan.sort_by_key(|(place, _)| *place);
    Conversation { segments: plan.into_iter().map(|(_, seg)| seg).collect(), said }
}

/// Runs of `None` as one, and none at the end (nobody can tell what never came from what was not said).
fn folded(bytes: &[Option<u8>]) -> Vec<Option<u8>> {
    let mut folded = bytes.to_vec();
    folded.dedup_by(|a, b| a.is_none() && b.is_none());
    while folded.last() == Some(&None) {
        folded.pop();
    }
    folded
}

fn run(
    messages: &[usize],
    fates: &[Fate],
    starts: [u32; 2],
    size: usize,
) -> Result<(Tap, Conversation), TestCaseError> {
    let conversation = converse(messages, fates, starts);
    let mut tap = Tap::new();
    tap.seen.size = size;
    tap.handshake(starts[0], starts[1]);
    for seg in &conversation.segments {
        tap.send(seg);
    }
    tap.finish();
    prop_assert_eq!(tap.counters().conflicting_overlaps, 0);
    Ok((tap, conversation))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cut_shuffled_and_repeated_streams_come_out_as_they_were_said(
        messages in messages(),
        fates in prop::collection::vec(fate(false), 1..60),
        starts in any::<[u32; 2]>(),
    ) {
        let (tap, conversation) = run(&messages, &fates, starts, 0)?;
        prop_assert_eq!(tap.counters().gaps, 0);
        prop_assert_eq!(tap.bytes(C), conversation.said[0].clone());
        prop_assert_eq!(tap.bytes(S), conversation.said[1].clone());
        // And in turn: no answer before all of its question.
        let mut lengths = [0_usize; 2];
        for event in &tap.seen.events {
            let Event::Record(_, direction, bytes, _) = event else { continue };
            lengths[direction.index()] += bytes.len();
            let mut due = [0_usize; 2];
            for (turn, length) in messages.iter().enumerate() {
                due[turn % 2] += length;
                if turn % 2 == 1 && lengths[1] > due[1] - length {
                    prop_assert!(lengths[0] >= due[0], "an answer overtook its question");
                }
            }
        }
    }

    #[test]
    fn records_are_the_same_however_the_stream_is_cut(
        messages in messages(),
        fates in prop::collection::vec(fate(false), 1..60),
        size in 1..50_usize,
    ) {
        let (tap, conversation) = run(&messages, &fates, [1, 1], size)?;
        for direction in [C, S] {
            let said = &conversation.said[direction.index()];
            let whole = said.len() / size * size;
            prop_assert_eq!(tap.bytes(direction), said[..whole].to_vec());
        }
    }

    #[test]
    fn lost_segments_are_gaps_and_everything_else_is_seen(
        messages in messages(),
        fates in prop::collection::vec(fate(true), 1..60),
        starts in any::<[u32; 2]>(),
    ) {
        let (tap, conversation) = run(&messages, &fates, starts, 0)?;
        for direction in [C, S] {
            let said = folded(&conversation.said[direction.index()]);
            prop_assert_eq!(folded(&tap.bytes(direction)), said);
        }
    }

    #[test]
    fn arbitrary_segments_break_no_limit(
        segments in prop::collection::vec(
            (any::<bool>(), prop_oneof![0..2000_u32, any::<u32>()], prop_oneof![0..2000_u32, any::<u32>()],
             any::<u8>(), 0..300_usize, any::<u8>(), 0..3_u64),
            0..200,
        ),
        size in 0..20_usize,
    ) {
        let limits = FlowLimits { tail_bytes: 1000, held_bytes: 2000, ..FlowLimits::default() };
        let mut tap = Tap::with(limits);
        tap.seen.size = size;
        for (up, seq, ack, flags, length, byte, pause) in segments {
            let direction = if up { C } else { S };
            let bytes = vec![byte; length];
            tap.send(&Seg { direction, seq, ack, flags: flags & 31, bytes, cut: u32::from(byte == 7) });
            tap.wait(pause * 200 * MS);
            prop_assert!(tap.counters().buffered_bytes < 60_000);
        }
        tap.finish();
    }
}
