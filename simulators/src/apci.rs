//! One end of an IEC 104 connection (IEC 60870-5-104, clause 5): numbers, windows, acknowledgements, timers,
//! start and stop of data transfer. Without sockets and clocks.

use std::collections::VecDeque;

use crate::encode::iec104::{Asdu, Frame, Unframed, frame_i, frame_s, frame_u, u, unframe};

const S: u64 = 1_000_000_000;
/// ASDUs that wait for the window to open; older ones are dropped beyond it.
const MOST_WAITING: usize = 1000;
/// Numbers have 15 bits.
const MODULUS: u16 = 0x8000;

/// Parameters of clause 9.6; times in nanoseconds.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub(crate) struct Limits {
    /// I frames sent and not acknowledged.
    pub(crate) k: u16,
    /// I frames received after which an acknowledgement goes at once.
    pub(crate) w: u16,
    /// Longest wait for an answer.
    pub(crate) t1: u64,
    /// Longest delay of an acknowledgement.
    pub(crate) t2: u64,
    /// Silence after which the connection is tested.
    pub(crate) t3: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { k: 12, w: 8, t1: 15 * S, t2: 10 * S, t3: 20 * S }
    }
}

/// What the other end did.
#[derive(Debug, Clone, Eq, PartialEq)]
pub(crate) enum Heard {
    /// An ASDU came.
    Asdu(Asdu),
    /// An ASDU came that cannot be read.
    Unreadable(Vec<u8>),
    /// Data transfer begins.
    Started,
    /// Data transfer ends.
    Stopped,
    /// The connection must be closed.
    Lost(&'static str),
}

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Apci {
    controlling: bool,
    limits: Limits,
    started: bool,
    lost: bool,
    /// V(S), V(R).
    sent: u16,
    received: u16,
    /// Acknowledged by the other end; acknowledged to the other end.
    acknowledged: u16,
    confirmed: u16,
    /// When the I frames under way were sent.
    under_way: VecDeque<u64>,
    waiting: VecDeque<Vec<u8>>,
    unconfirmed_since: Option<u64>,
    heard_at: u64,
    tested_at: Option<u64>,
    asked_at: Option<u64>,
    input: Vec<u8>,
    out: Vec<u8>,
    /// When somebody was last told to come back; for whoever plans the wake-ups.
    planned: u64,
}

impl Apci {
    /// A connection that has just been opened.
    pub(crate) fn new(controlling: bool, limits: Limits, now: u64) -> Apci {
        Apci {
            controlling,
            limits,
            started: false,
            lost: false,
            sent: 0,
            received: 0,
            acknowledged: 0,
            confirmed: 0,
            under_way: VecDeque::new(),
            waiting: VecDeque::new(),
            unconfirmed_since: None,
            heard_at: now,
            tested_at: None,
            asked_at: None,
            input: Vec::new(),
            out: Vec::new(),
            planned: u64::MAX,
        }
    }

    /// Data transfer is on.
    pub(crate) fn started(&self) -> bool {
        self.started
    }

    /// The next numbers: N(S) and N(R).
    #[cfg(test)]
    pub(crate) fn numbers(&self) -> (u16, u16) {
        (self.sent, self.received)
    }

    /// Begin or end data transfer; the controlling station does.
    pub(crate) fn ask(&mut self, start: bool, now: u64) {
        if !start {
            self.acknowledge();
        }
        self.out.extend(frame_u(if start { u::STARTDT_ACT } else { u::STOPDT_ACT }));
        self.asked_at = Some(now);
    }

    /// What is to be sent now: whole APDUs.
    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        (!self.out.is_empty()).then(|| std::mem::take(&mut self.out))
    }

    /// Send an ASDU as soon as transfer is on and the window open.
    pub(crate) fn send(&mut self, asdu: Vec<u8>, now: u64) {
        if self.waiting.len() == MOST_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(asdu);
        self.advance(now);
    }

    fn advance(&mut self, now: u64) {
        while self.started && self.under_way.len() < usize::from(self.limits.k) {
            let Some(asdu) = self.waiting.pop_front() else { return };
            self.out.extend(frame_i(self.sent, self.received, &asdu));
            self.sent = (self.sent + 1) % MODULUS;
            self.under_way.push_back(now);
            self.confirmed = self.received;
            self.unconfirmed_since = None;
        }
    }

    fn acknowledge(&mut self) {
        if self.confirmed != self.received {
            self.out.extend(frame_s(self.received));
            self.confirmed = self.received;
        }
        self.unconfirmed_since = None;
    }

    fn fail(&mut self, why: &'static str) -> Heard {
        self.lost = true;
        Heard::Lost(why)
    }

    /// Octets from the other end.
    pub(crate) fn receive(&mut self, bytes: &[u8], now: u64) -> Vec<Heard> {
        let mut heard = Vec::new();
        self.input.extend_from_slice(bytes);
        while !self.lost {
            match unframe(&self.input) {
                Unframed::More => break,
                Unframed::Wrong => heard.push(self.fail("no APDU")),
                Unframed::Frame(frame, length) => {
                    self.input.drain(..length);
                    self.heard_at = now;
                    heard.extend(self.frame(frame, now));
                }
            }
        }
        heard
    }

    fn frame(&mut self, frame: Frame, now: u64) -> Option<Heard> {
        match frame {
            Frame::I(send, receive, asdu) => {
                if !self.started {
                    return Some(self.fail("an I frame while transfer is off"));
                }
                if send != self.received {
                    return Some(self.fail("N(S) out of order"));
                }
                self.received = (self.received + 1) % MODULUS;
                self.unconfirmed_since.get_or_insert(now);
                if let Err(why) = self.take_acknowledgement(receive, now) {
                    return Some(self.fail(why));
                }
                let open = (self.received + MODULUS - self.confirmed) % MODULUS;
                if open >= self.limits.w {
                    self.acknowledge();
                }
                Some(Asdu::parse(&asdu).map_or(Heard::Unreadable(asdu), Heard::Asdu))
            }
            Frame::S(receive) => self.take_acknowledgement(receive, now).err().map(|why| self.fail(why)),
            Frame::U(function) => self.unnumbered(function, now),
        }
    }

    fn take_acknowledgement(&mut self, receive: u16, now: u64) -> Result<(), &'static str> {
        let count = (receive + MODULUS - self.acknowledged) % MODULUS;
        if usize::from(count) > self.under_way.len() {
            return Err("N(R) of what was not sent");
        }
        self.acknowledged = receive;
        self.under_way.drain(..usize::from(count));
        self.advance(now);
        Ok(())
    }

    fn unnumbered(&mut self, function: u8, now: u64) -> Option<Heard> {
        match (function, self.controlling) {
            (u::TESTFR_ACT, _) => self.out.extend(frame_u(u::TESTFR_CON)),
            (u::TESTFR_CON, _) => self.tested_at = None,
            (u::STARTDT_ACT, false) => {
                self.out.extend(frame_u(u::STARTDT_CON));
                self.started = true;
                self.advance(now);
                return Some(Heard::Started);
            }
            (u::STARTDT_CON, true) => {
                self.asked_at = None;
                self.started = true;
                self.advance(now);
                return Some(Heard::Started);
            }
            (u::STOPDT_ACT, false) => {
                self.acknowledge();
                self.out.extend(frame_u(u::STOPDT_CON));
                self.started = false;
                return Some(Heard::Stopped);
            }
            (u::STOPDT_CON, true) => {
                self.asked_at = None;
                self.started = false;
                return Some(Heard::Stopped);
            }
            _ => return Some(self.fail("a U frame that does not belong here")),
        }
        None
    }

    /// When it must be woken at the latest.
    fn due(&self) -> u64 {
        if self.lost {
            return u64::MAX;
        }
        let Limits { t1, t2, t3, .. } = self.limits;
        let silent = if self.tested_at.is_none() { self.heard_at + t3 } else { u64::MAX };
        let answers = [self.tested_at, self.asked_at, self.under_way.front().copied()];
        let late = answers.into_iter().flatten().map(|at| at + t1).min().unwrap_or(u64::MAX);
        let confirm = self.unconfirmed_since.map_or(u64::MAX, |at| at + t2);
        silent.min(late).min(confirm)
    }

    /// The next wake-up, if it is earlier than the one that is planned.
    pub(crate) fn plan(&mut self) -> Option<u64> {
        let due = self.due();
        (due < self.planned).then(|| {
            self.planned = due;
            due
        })
    }

    /// A wake-up for `due` has come; false for one that was planned anew since, of which another is on its way.
    pub(crate) fn awake(&mut self, due: u64) -> bool {
        let planned = self.planned == due;
        if planned {
            self.planned = u64::MAX;
        }
        planned
    }

    /// Time passes.
    pub(crate) fn wake(&mut self, now: u64) -> Option<Heard> {
        if self.lost {
            return None;
        }
        let Limits { t1, t2, t3, .. } = self.limits;
        let answers = [self.tested_at, self.asked_at, self.under_way.front().copied()];
        if answers.into_iter().flatten().any(|at| now >= at + t1) {
            return Some(self.fail("no answer within t1"));
        }
        if self.unconfirmed_since.is_some_and(|at| now >= at + t2) {
            self.acknowledge();
        }
        if self.tested_at.is_none() && now >= self.heard_at + t3 {
            self.out.extend(frame_u(u::TESTFR_ACT));
            self.tested_at = Some(now);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tshark::hex;

    fn shown(apci: &mut Apci) -> String {
        apci.take().map(|bytes| hex(&bytes)).unwrap_or_default()
    }

    /// A controlled and a controlling end that have started.
    fn pair() -> (Apci, Apci) {
        let mut station = Apci::new(false, Limits::default(), 0);
        let mut master = Apci::new(true, Limits::default(), 0);
        master.ask(true, 0);
        assert_eq!(station.receive(&master.take().unwrap_or_default(), 0), [Heard::Started]);
        assert_eq!(master.receive(&station.take().unwrap_or_default(), 0), [Heard::Started]);
        (station, master)
    }

    fn point(number: u32) -> Vec<u8> {
        Asdu::new(1, 3, 1, number, vec![1]).encode()
    }

    #[test]
    fn transfer_starts_and_stops_at_the_word_of_the_controlling_station() {
        let mut station = Apci::new(false, Limits::default(), 0);
        station.send(point(1), 0);
        assert_eq!(shown(&mut station), "", "nothing before STARTDT");
        assert_eq!(station.receive(&[0x68, 4, 7, 0, 0, 0], 0), [Heard::Started]);
        assert_eq!(shown(&mut station), "68040b000000680e0000000001010300010001000001");
        assert_eq!(station.receive(&[0x68, 4, 0x13, 0, 0, 0], 0), [Heard::Stopped]);
        assert_eq!(shown(&mut station), "680423000000");
        assert!(matches!(station.receive(&[0x68, 4, 0x0b, 0, 0, 0], 0)[..], [Heard::Lost(_)]));
    }

    #[test]
    fn no_more_than_k_frames_are_under_way_and_w_frames_are_acknowledged_at_once() {
        let (mut station, mut master) = pair();
        for number in 0..20 {
            station.send(point(number), S);
        }
        let first = station.take().unwrap_or_default();
        assert_eq!(first.len(), 12 * 16, "k = 12");
        assert_eq!(master.receive(&first, S).len(), 12);
        assert_eq!(shown(&mut master), "680401001000", "w = 8");
        // Eight are acknowledged, so eight more may go.
        assert_eq!(station.receive(&[0x68, 4, 1, 0, 0x10, 0], S), []);
        let more = station.take().unwrap_or_default();
        assert_eq!(more.len(), 8 * 16);
        assert_eq!(master.receive(&more, S).len(), 8);
        assert_eq!(shown(&mut master), "680401002000", "eight more");
        // The last four are acknowledged after t2, and not before.
        assert_eq!(master.due(), 11 * S);
        assert_eq!(master.wake(11 * S - 1), None);
        assert_eq!(shown(&mut master), "");
        assert_eq!(master.wake(11 * S), None);
        assert_eq!(shown(&mut master), "680401002800");
    }

    #[test]
    fn silence_is_tested_and_a_test_without_answer_ends_it() {
        let (_, mut master) = pair();
        assert_eq!(master.due(), 20 * S);
        assert_eq!(master.wake(20 * S), None);
        assert_eq!(shown(&mut master), "680443000000");
        assert_eq!(master.due(), 35 * S);
        assert_eq!(master.wake(35 * S), Some(Heard::Lost("no answer within t1")));
    }

    #[test]
    fn frames_that_are_not_acknowledged_within_t1_end_the_connection() {
        let (mut station, _) = pair();
        station.send(point(1), S);
        assert_eq!(station.due(), 16 * S);
        assert_eq!(station.wake(16 * S), Some(Heard::Lost("no answer within t1")));
    }

    #[test]
    fn wrong_numbers_and_garbage_end_the_connection() {
        let (mut station, _) = pair();
        let skipped = frame_i(1, 0, &point(1));
        assert_eq!(station.receive(&skipped, 0), [Heard::Lost("N(S) out of order")]);
        let (mut station, _) = pair();
        assert_eq!(station.receive(&frame_s(1), 0), [Heard::Lost("N(R) of what was not sent")]);
        let (mut station, _) = pair();
        assert_eq!(station.receive(&[0x69], 0), [Heard::Lost("no APDU")]);
        let mut stopped = Apci::new(false, Limits::default(), 0);
        assert!(matches!(stopped.receive(&frame_i(0, 0, &point(1)), 0)[..], [Heard::Lost(_)]));
        let (mut station, _) = pair();
        assert_eq!(station.receive(&frame_i(0, 0, &[1, 1, 3]), 0), [Heard::Unreadable(vec![1, 1, 3])]);
    }

    #[test]
    fn numbers_go_round_after_32767_and_streams_may_be_cut_anywhere() {
        let (mut station, mut master) = pair();
        for number in 0..33_000_u32 {
            station.send(point(number), 0);
            let bytes = station.take().unwrap_or_default();
            let (head, tail) = bytes.split_at((number % 16) as usize);
            assert_eq!(master.receive(head, 0).len() + master.receive(tail, 0).len(), 1);
            if let Some(bytes) = master.take() {
                assert_eq!(station.receive(&bytes, 0), []);
            }
        }
        assert_eq!(station.numbers(), (33_000 - 32_768, 0));
    }
}
