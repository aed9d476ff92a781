//! DNP3 at the master: confirmations, and what the indications of an outstation ask for.

use std::rc::Rc;

use super::link::{Job, Kind};
use crate::encode::dnp3::{confirm, control, frames_from, unframe};
use crate::engine::World;
use crate::engine::queue::Event;
use crate::scenario::{MasterRole, TimeSync};
use crate::station::dnp3::{function as fc, iin};
use crate::wire::Side;

const MS: u64 = 1_000_000;
/// Read of classes 1, 2, 3 and 0.
const INTEGRITY: [u8; 13] = [fc::READ, 60, 2, 6, 60, 3, 6, 60, 4, 6, 60, 1, 6];
const ENABLE: [u8; 10] = [fc::ENABLE_UNSOLICITED, 60, 2, 6, 60, 3, 6, 60, 4, 6];
const CLEAR_RESTART: [u8; 7] = [fc::WRITE, 80, 1, 0, 7, 7, 0];

fn job(peer: usize, body: &[u8], kind: Kind) -> Job {
    Job { peer, body: Rc::from(body), kind }
}

impl World<'_> {
    fn commands(&self, link: u32) -> bool {
        let role = self.masters[self.links[link as usize].master].role;
        matches!(role, MasterRole::Master | MasterRole::Backup)
    }

    /// A connection stands: everything is read once, and unsolicited responses are switched on.
    pub(super) fn greet(&mut self, link: u32) {
        if !self.commands(link) {
            return;
        }
        let enable = self.masters[self.links[link as usize].master].enable_unsolicited;
        let state = &mut self.links[link as usize];
        for peer in 0..state.peers.len() {
            state.queue.push_back(job(peer, &INTEGRITY, Kind::Plain));
            if enable && state.peers[peer].unsolicited {
                state.queue.push_back(job(peer, &ENABLE, Kind::Plain));
            }
        }
    }

    pub(super) fn outstation_said(&mut self, link: u32, conn: u32, bytes: &[u8]) {
        let Some(frame) = unframe(bytes) else { return };
        let state = &self.links[link as usize];
        let Some(peer) = state.peers.iter().position(|p| p.number == frame.source) else { return };
        let current = state.current.as_ref().filter(|c| c.job.peer == peer);
        if frame.fragment.is_empty() {
            if current.is_some_and(|c| matches!(c.job.kind, Kind::LinkStatus(_))) {
                self.finished(link);
            }
            return;
        }
        let [application, function, first, _, objects @ ..] = frame.fragment.as_slice() else { return };
        let number = application & 15;
        let expected = current.is_some_and(|c| c.number == u16::from(number));
        if application & 0x20 != 0 {
            self.confirm(link, conn, peer, number, *function == fc::UNSOLICITED);
        }
        if *function == fc::RESPONSE && expected {
            if application & 0x40 == 0 {
                // More follows under the next number.
                if let Some(current) = &mut self.links[link as usize].current {
                    current.number = u16::from((number + 1) & 15);
                }
                return;
            }
            self.answered(link, peer, objects);
        }
        if self.commands(link) {
            self.indicated(link, peer, *first);
        }
    }

    fn confirm(&mut self, link: u32, conn: u32, peer: usize, number: u8, unsolicited: bool) {
        let master = self.masters[self.links[link as usize].master].link_address;
        let state = &mut self.links[link as usize].peers[peer];
        let fragment = confirm(number, unsolicited);
        let bytes = frames_from(control::MASTER_DATA, state.number, master, &fragment, state.transport);
        state.transport = (state.transport + 1) & 63;
        let at = self.now + 300_000 + self.links[link as usize].prng.below(MS);
        self.queue.push(at, Event::Send { conn, from: Side::Client, bytes });
    }

    /// The answer is complete: what follows from it goes first.
    fn answered(&mut self, link: u32, peer: usize, objects: &[u8]) {
        let state = &mut self.links[link as usize];
        let Some(current) = &state.current else { return };
        let follows = match current.job.kind {
            Kind::RecordTime => Some(job(peer, &[], Kind::WriteTime { variation: 3 })),
            Kind::MeasureDelay => Some(job(peer, &[], Kind::WriteTime { variation: 1 })),
            Kind::Select if current.job.body[1..] == *objects => {
                let mut body = current.job.body.to_vec();
                body[0] = fc::OPERATE;
                Some(job(peer, &body, Kind::Plain))
            }
            _ => None,
        };
        if let Some(job) = follows {
            state.queue.push_front(job);
        }
        self.finished(link);
    }

    fn indicated(&mut self, link: u32, peer: usize, first: u8) {
        let master = &self.masters[self.links[link as usize].master];
        let (sync, enable) = (master.time_sync, master.enable_unsolicited);
        let state = &mut self.links[link as usize];
        let known = &mut state.peers[peer];
        let before = state.queue.len();
        if first & iin::RESTART != 0 && !known.clearing {
            known.clearing = true;
            state.queue.push_back(job(peer, &CLEAR_RESTART, Kind::ClearRestart));
            state.queue.push_back(job(peer, &INTEGRITY, Kind::Plain));
            if enable && known.unsolicited {
                state.queue.push_back(job(peer, &ENABLE, Kind::Plain));
            }
        }
        if first & iin::NEED_TIME != 0 && !known.timing && sync != TimeSync::Never {
            known.timing = true;
            let (function, kind) = match sync {
                TimeSync::Serial => (fc::DELAY_MEASURE, Kind::MeasureDelay),
                _ => (fc::RECORD_CURRENT_TIME, Kind::RecordTime),
            };
            state.queue.push_back(job(peer, &[function], kind));
        }
        if before == 0 && !state.queue.is_empty() && state.current.is_none() {
            self.queue.push(self.now + 2 * MS, Event::Next { link });
        }
    }
}
