//! An honest conversation: however its segments are cut, and though they change places and repeat, what
//! comes out is what was said.
//!
//! ```text
//! step: side and length | length | delay and repetition | cut
//! ```

use gridtap::flow::{FlowCounters, FlowLimits};

use super::reassembly::{ACK, Checker, SYN, Sent, Tap, content, segment};

/// Octets of a step.
const STEP: usize = 4;
/// More steps show nothing new.
const STEPS: usize = 80;
const MS: u64 = 1_000_000;
/// Where the server's and the client's streams begin; the client's numbers come round.
const STARTS: [u32; 2] = [5000, 0xffff_ff80];

/// A segment, how much later it comes, how long after that once more, and where it is cut.
struct Planned {
    sent: Sent,
    delay: usize,
    again: Option<usize>,
    cut: usize,
}

fn plan(steps: &[u8]) -> (Vec<Planned>, [u32; 2]) {
    let mut heads = STARTS;
    let mut all = Vec::new();
    for step in steps.chunks_exact(STEP).take(STEPS) {
        let &[head, length, order, cut] = step else { continue };
        let from_client = head & 0x80 == 0;
        // One in sixteen as long as two full segments.
        let length = usize::from(length).max(1) * if head & 0x0f == 0x0f { 12 } else { 1 };
        let own = usize::from(from_client);
        let sent = segment(from_client, heads[own], heads[1 - own], length);
        heads[own] = heads[own].wrapping_add(length as u32);
        let again = (order & 0x10 != 0).then_some(usize::from(order >> 5));
        all.push(Planned { sent, delay: usize::from(order & 3), again, cut: usize::from(cut) });
    }
    (all, heads)
}

/// A segment in two parts, or in many.
fn cut(sent: &Sent, at: usize) -> Vec<Sent> {
    let bounds: Vec<usize> = if at == 0 {
        (0..sent.bytes.len()).step_by(1 + sent.bytes.len() / 40).collect()
    } else {
        vec![0, at % sent.bytes.len()]
    };
    let ends = bounds.iter().skip(1).copied().chain([sent.bytes.len()]);
    let parts = bounds.iter().zip(ends).filter(|(from, to)| *from < to);
    parts
        .map(|(from, to)| Sent {
            place: sent.place.wrapping_add(*from as u32),
            bytes: sent.bytes[*from..to].to_vec(),
            ..sent.clone()
        })
        .collect()
}

fn play(size: u8, steps: &[u8], is_cut: bool) -> (Checker, FlowCounters, [u32; 2]) {
    let (planned, ends) = plan(steps);
    let ordered = planned.iter().all(|p| p.delay == 0);
    let mut order: Vec<(usize, usize, Sent)> = Vec::new();
    for (place, planned) in planned.into_iter().enumerate() {
        // Many small parts out of order would reach the limits.
        let at = if ordered { planned.cut } else { planned.cut.max(1) };
        let parts = if is_cut { cut(&planned.sent, at) } else { vec![planned.sent] };
        for part in parts {
            if let Some(later) = planned.again {
                order.push((place + planned.delay + later, place, part.clone()));
            }
            order.push((place + planned.delay, place, part));
        }
    }
    order.sort_by_key(|(when, place, _)| (*when, *place));
    let mut tap = Tap::new(FlowLimits::default(), usize::from(size));
    let opening = |from_client: bool, flags| Sent {
        flags,
        at: MS,
        ..segment(from_client, STARTS[usize::from(from_client)], STARTS[usize::from(!from_client)], 0)
    };
    tap.send(opening(true, SYN));
    tap.send(opening(false, SYN | ACK));
    for (when, _, sent) in order {
        tap.send(Sent { at: (when as u64 + 2) * MS, ..sent });
    }
    let (seen, counters) = tap.finish();
    (seen, counters, ends)
}

/// The body of the target `reassembly` for conversations.
pub fn check(size: u8, steps: &[u8]) {
    // A session that never takes anything reaches the limit of the tail.
    let size = size & 0x3f;
    for is_cut in [false, true] {
        let (seen, counters, ends) = play(size, steps, is_cut);
        assert_eq!((seen.gaps, counters.conflicting_overlaps), (0, 0), "cut: {is_cut}, {counters:?}");
        for from_client in [false, true] {
            let (start, end) = (STARTS[usize::from(from_client)], ends[usize::from(from_client)]);
            let length = end.wrapping_sub(start);
            let said: Vec<u8> = (0..length).map(|i| content(from_client, start.wrapping_add(i))).collect();
            let heard = seen.streams.get(&(40_000, from_client)).cloned().unwrap_or_default();
            // The session is not called for less than it wants.
            assert!(said.starts_with(&heard), "cut: {is_cut}");
            assert!(said.len() - heard.len() < usize::from(size).max(1), "cut: {is_cut}");
        }
    }
}
