//! A link: one connection of a master to a station's host, requests one after the other, polls on time.

use std::collections::VecDeque;
use std::rc::Rc;

use super::poll::Read;
use crate::apci::Apci;
use crate::encode::dnp3::{control, link_frame};
use crate::encode::modbus::mbap;
use crate::engine::World;
use crate::engine::queue::Event;
use crate::engine::tcp::Owner;
use crate::scenario::{Language, MasterRole};
use crate::station::dnp3::framed;
use crate::wire::{Prng, Side};

const MS: u64 = 1_000_000;
/// Silent answers in a row before the connection is given up.
const MOST_SILENT: u32 = 3;

/// Why a request is made.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Poll(u32),
    LinkStatus(u32),
    Plain,
    ClearRestart,
    /// Time: then the clock is written.
    RecordTime,
    /// Delay: then the clock is written.
    MeasureDelay,
    WriteTime {
        variation: u8,
    },
    /// Operate follows when the answer is the same.
    Select,
}

/// A request that waits its turn.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// Position in the link's list of stations.
    pub(crate) peer: usize,
    /// Modbus: PDU. DNP3: function and objects. IEC 104: type, cause, address of the object, octets.
    pub(crate) body: Rc<[u8]>,
    pub(crate) kind: Kind,
}

/// What a link knows of a station.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) station: usize,
    /// Unit id, link address or common address.
    pub(crate) number: u16,
    pub(crate) sequence: u8,
    pub(crate) transport: u8,
    pub(crate) unsolicited: bool,
    pub(crate) clearing: bool,
    pub(crate) timing: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct LinkPoll {
    peer: usize,
    reads: Vec<Rc<[u8]>>,
    link_status: bool,
    every: u64,
    jitter: u64,
    first: u64,
    waiting: u32,
}

/// A request under way.
#[derive(Debug, Clone)]
pub(crate) struct Current {
    pub(crate) job: Job,
    /// Transaction id, application sequence number or type.
    pub(crate) number: u16,
}

/// One connection of a master to a host.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) master: usize,
    pub(crate) host: u32,
    pub(crate) port: u16,
    pub(crate) language: Language,
    /// IEC 104: this end of the connection.
    pub(crate) apci: Option<Apci>,
    /// IEC 104: nothing is sent before this.
    pub(crate) free_ns: u64,
    pub(crate) peers: Vec<Peer>,
    pub(crate) polls: Vec<LinkPoll>,
    pub(crate) conn: Option<u32>,
    pub(crate) open: bool,
    pub(crate) active: bool,
    pub(crate) queue: VecDeque<Job>,
    pub(crate) current: Option<Current>,
    pub(crate) prng: Prng,
    serial: u64,
    transaction: u16,
    silent: u32,
}

impl Link {
    pub(crate) fn new(master: usize, host: u32, port: u16, language: Language, prng: Prng) -> Link {
        Link {
            master,
            host,
            port,
            language,
            apci: None,
            free_ns: 0,
            peers: Vec::new(),
            polls: Vec::new(),
            conn: None,
            open: false,
            active: false,
            queue: VecDeque::new(),
            current: None,
            prng,
            serial: 0,
            transaction: 0,
            silent: 0,
        }
    }

    /// Keeps a connection open: a master's backup at IEC 104 too, where it stands by.
    fn connects(&self, role: MasterRole) -> bool {
        let stands_by = self.language == Language::Iec104 && role == MasterRole::Backup;
        (self.active || stands_by) && role != MasterRole::Engineering
    }

    pub(crate) fn add_poll(&mut self, peer: usize, reads: &[String], every: u64, jitter: u64, now: u64) {
        let parsed: Vec<Read> = reads.iter().filter_map(|r| r.parse().ok()).collect();
        let link_status = parsed.contains(&Read::LinkStatus);
        let body = |read: Read| match read {
            Read::Objects(objects) => Some([&[1], objects.as_slice()].concat().into()),
            Read::Pdu(octets) | Read::Asdu(octets) => Some(octets.into()),
            Read::LinkStatus => None,
        };
        let reads = parsed.into_iter().filter_map(body).collect();
        let first = now + 500 * MS + self.prng.below(every);
        self.polls.push(LinkPoll { peer, reads, link_status, every, jitter, first, waiting: 0 });
    }
}

impl World<'_> {
    pub(super) fn role(&self, link: u32) -> MasterRole {
        self.masters[self.links[link as usize].master].role
    }

    /// Begin to poll: connections open, timers run.
    pub(crate) fn start_link(&mut self, link: u32) {
        for poll in 0..self.links[link as usize].polls.len() {
            let first = self.links[link as usize].polls[poll].first;
            self.queue.push(first, Event::Poll { link, poll: poll as u32, round: 0 });
        }
        let state = &mut self.links[link as usize];
        state.active = self.masters[state.master].role != MasterRole::Backup;
        if state.connects(self.masters[state.master].role) {
            let at = self.now + state.prng.below(400 * MS);
            self.queue.push(at, Event::Connect { link });
        }
        self.plan_reopen(link);
    }

    fn plan_reopen(&mut self, link: u32) {
        let state = &mut self.links[link as usize];
        if let Some(mean) = self.masters[state.master].reconnect_ns {
            let at = self.now + mean / 2 + state.prng.below(mean);
            self.queue.push(at, Event::Reopen { link });
        }
    }

    pub(crate) fn connect_link(&mut self, link: u32) {
        let state = &self.links[link as usize];
        let standing_by = state.language == Language::Iec104 && self.role(link) == MasterRole::Backup;
        if state.active && standing_by && state.conn.is_some() {
            return self.start_transfer(link, true);
        }
        if !(state.active || standing_by) || state.conn.is_some() {
            return;
        }
        let (client, host, port) = (self.masters[state.master].host, state.host, state.port);
        let conn = self.open(client, host, port, Owner::Link(link));
        self.links[link as usize].conn = Some(conn);
    }

    pub(crate) fn link_connected(&mut self, link: u32, conn: u32) {
        let engineering = self.role(link) == MasterRole::Engineering;
        let iec104 = self.links[link as usize].language == Language::Iec104;
        let state = &mut self.links[link as usize];
        state.open = !iec104;
        state.conn = Some(conn);
        state.current = None;
        state.silent = 0;
        state.transaction = 0;
        if iec104 {
            return self.iec104_connected(link);
        }
        if state.language == Language::Dnp3 && !engineering {
            self.greet(link);
        }
        self.queue.push(self.now + 2 * MS, Event::Next { link });
    }

    pub(crate) fn link_lost(&mut self, link: u32, conn: u32) {
        let state = &mut self.links[link as usize];
        if state.conn != Some(conn) {
            return;
        }
        state.conn = None;
        state.open = false;
        state.apci = None;
        state.current = None;
        state.queue.clear();
        state.polls.iter_mut().for_each(|p| p.waiting = 0);
        state.peers.iter_mut().for_each(|p| (p.clearing, p.timing) = (false, false));
        let role = self.masters[state.master].role;
        if state.connects(role) {
            let wait = 2000 * MS + self.links[link as usize].prng.below(1000 * MS);
            self.queue.push(self.now + wait, Event::Connect { link });
        }
    }

    pub(crate) fn hang_up(&mut self, link: u32) {
        if let Some(conn) = self.links[link as usize].conn {
            self.close(conn, Side::Client);
        }
    }

    /// An orderly end: not while an answer is still to come.
    pub(crate) fn hang_up_when_idle(&mut self, link: u32) {
        let state = &self.links[link as usize];
        if state.active {
            return;
        }
        if state.current.is_some() {
            self.queue.push(self.now + 100 * MS, Event::HangUp { link });
        } else if state.language == Language::Iec104 && self.role(link) == MasterRole::Backup {
            self.start_transfer(link, false);
        } else {
            self.hang_up(link);
        }
    }

    pub(crate) fn reopen_link(&mut self, link: u32) {
        let state = &self.links[link as usize];
        if state.open && (state.current.is_some() || !state.queue.is_empty()) {
            self.queue.push(self.now + 100 * MS, Event::Reopen { link });
            return;
        }
        self.hang_up(link);
        self.plan_reopen(link);
    }

    pub(crate) fn poll_due(&mut self, link: u32, poll: u32, round: u64) {
        let engineering = self.role(link) == MasterRole::Engineering;
        let state = &mut self.links[link as usize];
        let own = &mut state.polls[poll as usize];
        // The rhythm does not drift: every moment is counted from the first.
        let early = own.jitter;
        let at = own.first + (round + 1) * own.every + state.prng.below(2 * early + 1);
        self.queue
            .push(at.saturating_sub(early).max(self.now + 1), Event::Poll { link, poll, round: round + 1 });
        if own.waiting > 0 || !state.active || (!state.open && !engineering) {
            return;
        }
        let peer = own.peer;
        if own.link_status {
            own.waiting += 1;
            state.queue.push_back(Job { peer, body: Rc::from([]), kind: Kind::LinkStatus(poll) });
        }
        for read in &own.reads {
            own.waiting += 1;
            state.queue.push_back(Job { peer, body: Rc::clone(read), kind: Kind::Poll(poll) });
        }
        if state.open {
            self.next_request(link);
        } else {
            self.connect_link(link);
        }
    }

    /// Send the next request, if none is under way.
    pub(crate) fn next_request(&mut self, link: u32) {
        let now_ms = self.now / MS;
        let engineering = self.role(link) == MasterRole::Engineering;
        let state = &mut self.links[link as usize];
        let (true, None, Some(conn)) = (state.open, &state.current, state.conn) else { return };
        let Some(job) = state.queue.pop_front() else {
            if engineering {
                self.hang_up(link);
            }
            return;
        };
        let master = &self.masters[state.master];
        let peer = &mut state.peers[job.peer];
        let (bytes, number) = if state.language == Language::Iec104 {
            (Vec::new(), u16::from(job.body[0]))
        } else if matches!(job.kind, Kind::LinkStatus(_)) {
            (link_frame(control::LINK_STATUS_REQUEST, peer.number, master.link_address, &[]), 0)
        } else if state.language == Language::Dnp3 {
            let body = match job.kind {
                Kind::WriteTime { variation } => write_time(variation, now_ms).into(),
                _ => Rc::clone(&job.body),
            };
            let number = peer.sequence;
            peer.sequence = (number + 1) & 15;
            let transport = peer.transport;
            peer.transport = (transport + 1) & 63;
            let bytes = framed(master.link_address, peer.number, number, body[0], &body[1..], transport);
            (bytes, u16::from(number))
        } else {
            state.transaction = state.transaction.wrapping_add(1);
            (mbap(state.transaction, peer.number as u8, &job.body), state.transaction)
        };
        state.serial += 1;
        let (serial, timeout) = (state.serial, master.timeout_ns);
        state.current = Some(Current { job, number });
        let language = state.language;
        let station = peer.station;
        self.queue.push(self.now + timeout, Event::Timeout { link, serial });
        if language == Language::Iec104 {
            return self.ask_iec104(link);
        }
        if is_command(language, &bytes) {
            self.record(station, &bytes);
        }
        self.send(conn, Side::Client, bytes);
    }

    pub(crate) fn request_timeout(&mut self, link: u32, serial: u64) {
        let state = &mut self.links[link as usize];
        if state.serial != serial || state.current.is_none() {
            return;
        }
        state.silent += 1;
        let give_up = state.silent >= MOST_SILENT;
        self.finished(link);
        if give_up {
            self.hang_up(link);
        }
    }

    /// The request under way is over; the next may follow.
    pub(crate) fn finished(&mut self, link: u32) {
        let state = &mut self.links[link as usize];
        let Some(current) = state.current.take() else { return };
        match current.job.kind {
            Kind::Poll(poll) | Kind::LinkStatus(poll) => {
                let waiting = &mut state.polls[poll as usize].waiting;
                *waiting = waiting.saturating_sub(1);
            }
            Kind::ClearRestart => state.peers[current.job.peer].clearing = false,
            Kind::WriteTime { .. } => state.peers[current.job.peer].timing = false,
            _ => {}
        }
        if !state.queue.is_empty() || self.role(link) == MasterRole::Engineering {
            let wait = MS + self.links[link as usize].prng.below(4 * MS);
            self.queue.push(self.now + wait, Event::Next { link });
        }
    }

    pub(crate) fn link_received(&mut self, link: u32, conn: u32, bytes: &[u8]) {
        let state = &mut self.links[link as usize];
        if state.conn != Some(conn) {
            return;
        }
        state.silent = 0;
        match state.language {
            Language::Dnp3 => self.outstation_said(link, conn, bytes),
            Language::Modbus => self.modbus_answered(link, bytes),
            Language::Iec104 => self.iec104_received(link, bytes),
        }
    }
}

fn write_time(variation: u8, now_ms: u64) -> Vec<u8> {
    let time = now_ms.to_le_bytes();
    [&[2, 50, variation, 7, 1], &time[..6]].concat()
}

/// A message that operates something.
fn is_command(language: Language, bytes: &[u8]) -> bool {
    if language == Language::Dnp3 {
        bytes.get(12).is_some_and(|function| (3..=6).contains(function))
    } else {
        bytes.get(7).is_some_and(|function| matches!(function, 5 | 6 | 15 | 16))
    }
}
