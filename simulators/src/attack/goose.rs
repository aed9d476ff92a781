//! Attacks on GOOSE: frames of somebody who is not the publisher.

use super::steps::Step;
use super::{Attack, Behaviour};
use crate::encode::goose::{Data, UtcTime};
use crate::engine::World;
use crate::engine::frame::mac;

const MS: u64 = 1_000_000;
/// GSE management, which nobody should need.
const MANAGEMENT: [u8; 2] = [0x88, 0xb9];

/// The steps: a frame, a pause, so often.
pub(super) fn steps(attack: &Attack, publisher: usize) -> Vec<Step> {
    let default_ms = match attack.behaviour {
        Behaviour::GooseFlood => 1,
        Behaviour::GooseForgedTrip => 10,
        _ => 1000,
    };
    let every = attack.every.map_or(default_ms * MS, crate::scenario::Span::ns);
    let count = match attack.behaviour {
        Behaviour::GooseSilence => attack.length.map_or(0, crate::scenario::Span::ns) / every.max(1),
        _ => u64::from(attack.count.unwrap_or(1)),
    };
    let until = attack.length.map_or(0, crate::scenario::Span::ns);
    (0..count)
        .flat_map(|number| [Step::Goose { publisher, number: number as u32, until }, Step::Wait(every)])
        .collect()
}

impl World<'_> {
    /// One frame of an attack on a publisher.
    pub(super) fn forge_goose(
        &mut self,
        attack: u32,
        behaviour: Behaviour,
        publisher: usize,
        number: u32,
        until: u64,
    ) {
        let now = self.now;
        let own = mac(self.attack_address(attack));
        let state = &mut self.publishers[publisher];
        let mut frame = state.frame.clone();
        let pdu = &mut frame.pdu;
        pdu.sequence = number;
        let trip = |data: &mut Vec<Data>| {
            for member in data.iter_mut() {
                match member {
                    Data::Boolean(trip) => *trip = true,
                    Data::BitString(octets, 6) => *octets = vec![0x40],
                    _ => {}
                }
            }
        };
        let bytes = match behaviour {
            Behaviour::GoosePoison => {
                pdu.state = 1_000_000;
                pdu.time = UtcTime::at(now);
                trip(&mut pdu.data);
                frame.encode()
            }
            Behaviour::GooseForgedTrip => {
                pdu.state = pdu.state.wrapping_add(1);
                pdu.time = UtcTime::at(now - u64::from(number) * 10 * MS);
                trip(&mut pdu.data);
                frame.encode()
            }
            Behaviour::GooseReplay => match state.past.first() {
                Some(old) => old.clone(),
                None => return,
            },
            Behaviour::GooseSecondPublisher => {
                frame.source = own;
                pdu.state = 1;
                pdu.sequence = number + 1;
                frame.encode()
            }
            Behaviour::GooseFlood => frame.encode(),
            Behaviour::GooseSimulation => {
                frame.reserved1 = 0x8000;
                pdu.simulation = true;
                pdu.state = pdu.state.wrapping_add(1);
                trip(&mut pdu.data);
                frame.encode()
            }
            Behaviour::GooseRevision => {
                pdu.revision += 1;
                pdu.data.push(Data::Integer(0));
                pdu.state = pdu.state.wrapping_add(1);
                frame.encode()
            }
            _ => {
                // The IED is kept busy and falls silent.
                if number == 0 {
                    state.silent_until = now + until;
                }
                let mut bytes = [frame.source, own].concat();
                bytes.extend_from_slice(&MANAGEMENT);
                bytes.resize(60, 0);
                bytes
            }
        };
        self.emit_goose(&bytes);
        self.mark(attack);
    }
}
