//! Everyday ADUs take a short way ([`super::super::everyday`]). Here every stream goes both ways, and what is told of
//! it must be the same to the letter.

use proptest::prelude::*;

use super::super::session::ModbusSession;
use super::*;
use Direction::{ToClient, ToServer};

#[derive(Debug, Clone)]
enum Step {
    /// A read or an answer, as the standard has it but for what the numbers may do.
    Adu { answer: bool, id: u16, unit: u8, code: u8, address: u16, quantity: u16 },
    /// The same with one octet changed, or cut off.
    Spoilt { step: Box<Step>, at: prop::sample::Index, octet: Option<u8> },
    /// Any other PDU.
    Other { answer: bool, octets: Vec<u8> },
    /// Octets that were not seen.
    Lost(bool),
    /// Seconds pass.
    Wait(u64),
}

impl Step {
    fn octets(&self) -> Vec<u8> {
        match self {
            Step::Adu { answer: false, id, unit, code, address, quantity } => {
                let pdu = [&[*code][..], &address.to_be_bytes(), &quantity.to_be_bytes()].concat();
                framed(*id, *unit, &pdu)
            }
            Step::Adu { id, unit, code, address, quantity, .. } => {
                let octets = if *code <= 2 { quantity.div_ceil(8) } else { quantity.wrapping_mul(2) } as u8;
                let data = (0..octets).map(|n| if *code <= 2 { 0x15 } else { n ^ *address as u8 });
                framed(*id, *unit, &[*code, octets].into_iter().chain(data).collect::<Vec<_>>())
            }
            Step::Spoilt { step, at, octet } => {
                let mut octets = step.octets();
                let at = at.index(octets.len().max(1));
                match octet {
                    Some(octet) if at < octets.len() => octets[at] = *octet,
                    _ => octets.truncate(at),
                }
                octets
            }
            Step::Other { octets, .. } => octets.clone(),
            Step::Lost(_) | Step::Wait(_) => Vec::new(),
        }
    }

    fn direction(&self) -> Direction {
        match self {
            Step::Adu { answer: true, .. } | Step::Other { answer: true, .. } | Step::Lost(true) => ToClient,
            Step::Spoilt { step, .. } => step.direction(),
            _ => ToServer,
        }
    }
}

fn framed(id: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let length = pdu.len() as u16 + 1;
    [&id.to_be_bytes()[..], &[0, 0], &length.to_be_bytes(), &[unit], pdu].concat()
}

fn plain() -> impl Strategy<Value = Step> {
    let quantity = prop_oneof![8 => 1..20_u16, 1 => Just(0), 1 => 120..130_u16, 1 => 1990..2010_u16];
    let address = prop_oneof![4 => 0..8_u16, 1 => 65_530..=65_535_u16];
    (any::<bool>(), 0..3_u16, 0..3_u8, 1..6_u8, address, quantity).prop_map(
        |(answer, id, unit, code, address, quantity)| Step::Adu { answer, id, unit, code, address, quantity },
    )
}

/// A question and its answer.
fn exchange() -> impl Strategy<Value = Vec<Step>> {
    (0..4_u16, 1..3_u8, 1..5_u8, 0..9_u16, 1..20_u16).prop_map(|(id, unit, code, address, quantity)| {
        [false, true].map(|answer| Step::Adu { answer, id, unit, code, address, quantity }).to_vec()
    })
}

fn step() -> impl Strategy<Value = Vec<Step>> {
    let spoilt = (plain(), any::<prop::sample::Index>(), any::<Option<u8>>())
        .prop_map(|(step, at, octet)| vec![Step::Spoilt { step: Box::new(step), at, octet }]);
    let other =
        (any::<bool>(), prop::sample::select(vec!["06 0001 0002", "83 02", "08 0000 a537", "2b 0e 01 00"]))
            .prop_map(|(answer, pdu)| vec![Step::Other { answer, octets: framed(1, 1, &hex(pdu)) }]);
    prop_oneof![
        12 => exchange(),
        4 => plain().prop_map(|step| vec![step]),
        1 => spoilt,
        1 => other,
        1 => any::<bool>().prop_map(|answer| vec![Step::Lost(answer)]),
        1 => (0..50_u64).prop_map(|seconds| vec![Step::Wait(seconds)]),
    ]
}

fn run(steps: &[Step], shortcut: bool, port_known: bool, limit: usize) -> Vec<String> {
    let limits = Limits { pending_requests: limit, ..Limits::default() };
    let mut flow = flow(Transport::Tcp, 502);
    flow.port_side = flow.port_side.filter(|_| port_known);
    let mut wire = Wire::new(&DISSECTOR, flow, &limits);
    let mut session = ModbusSession::new(&limits);
    session.shortcut = shortcut;
    wire.session = Box::new(session);
    for step in steps {
        match step {
            Step::Lost(_) => wire.lose(step.direction(), None),
            Step::Wait(seconds) => wire.wait(seconds * 1_000_000_000),
            _ => wire.send(step.direction(), &step.octets()),
        }
    }
    wire.finish();
    wire.seen.lines
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_short_way_tells_the_same(
        steps in prop::collection::vec(step(), 1..60),
        port_known in any::<bool>(),
        limit in prop_oneof![Just(64_usize), 1..4_usize],
    ) {
        let steps: Vec<Step> = steps.into_iter().flatten().collect();
        let (short, long) =
            (run(&steps, true, port_known, limit), run(&steps, false, port_known, limit));
        for (short, long) in short.iter().zip(&long) {
            prop_assert_eq!(short, long);
        }
        prop_assert_eq!(short.len(), long.len());
    }
}

#[test]
fn a_poll_takes_the_short_way() {
    let wire = |shortcut: bool| {
        let poll = |id| {
            [false, true].map(|answer| Step::Adu { answer, id, unit: 1, code: 3, address: 7, quantity: 9 })
        };
        run(&(0..5).flat_map(poll).collect::<Vec<_>>(), shortcut, true, 64)
    };
    assert_eq!(wire(true), wire(false));
    assert!(wire(true).iter().all(|line| !line.starts_with("defect")));
}
