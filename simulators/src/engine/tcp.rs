//! TCP as hosts do it: handshakes, delayed acknowledgements, closing and resetting, and, when asked for,
//! lost and reordered segments. The tap stands beside the sender: a frame is seen when it is sent.

use super::World;
use super::frame::{ACK, Ends, FIN, Mac, PSH, RST, SYN, Tcp};
use super::queue::{Event, Step};
use crate::wire::Side;

const MSS: usize = 1460;
const MS: u64 = 1_000_000;
/// A lost segment is sent again after this.
const RETRANSMIT_NS: u64 = 250 * MS;
/// An ARP entry is asked for again after about this.
const ARP_NS: u64 = 900_000 * MS;

/// Who opened a connection.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub(crate) enum Owner {
    Link(u32),
    Attack(u32),
    Noise,
    /// Live: somebody at the other end of a socket that was accepted here.
    Peer,
}

#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub(crate) enum State {
    Opening,
    Open,
    Closed,
}

/// A connection. Arrays are by side: client, server.
#[derive(Debug)]
pub(crate) struct Conn {
    pub(crate) owner: Owner,
    pub(crate) state: State,
    /// Hosts.
    pub(crate) hosts: [u32; 2],
    pub(crate) ports: [u16; 2],
    /// Sequence number of the next octet.
    pub(crate) next: [u32; 2],
    /// Sequence number expected from the other side.
    pub(crate) expected: [u32; 2],
    /// When an acknowledgement is due; 0 for none.
    ack_at: [u64; 2],
    /// A lost segment holds this side up until then.
    stalled: [u64; 2],
    arp_at: [u64; 2],
    /// The server's application knows of it.
    accepted: bool,
}

impl Conn {
    /// One that is being opened.
    pub(crate) fn new(owner: Owner, hosts: [u32; 2], ports: [u16; 2], next: [u32; 2], now: u64) -> Conn {
        Conn {
            owner,
            state: State::Opening,
            hosts,
            ports,
            next,
            expected: [0; 2],
            ack_at: [0; 2],
            stalled: [0; 2],
            arp_at: [now + ARP_NS, now + ARP_NS + 60_000 * MS],
            accepted: false,
        }
    }
}

pub(crate) fn index(side: Side) -> usize {
    usize::from(side == Side::Server)
}

pub(crate) fn other(side: Side) -> Side {
    if side == Side::Client { Side::Server } else { Side::Client }
}

impl World<'_> {
    /// Open a connection; its owner is told when it stands or is refused.
    pub(crate) fn open(&mut self, client: u32, server: u32, port: u16, owner: Owner) -> u32 {
        if self.net.is_some() {
            return self.dial(client, server, port, owner);
        }
        let own = self.hosts[client as usize].ephemeral();
        let numbers = [self.prng.next_u64() as u32, self.prng.next_u64() as u32];
        self.conns.push(Conn::new(owner, [client, server], [own, port], numbers, self.now));
        let conn = self.conns.len() as u32 - 1;
        let delay = if self.arp_known.contains(&(client, server)) { 0 } else { 400_000 };
        if delay > 0 {
            self.arp_known.insert((client, server));
            self.ask_arp(client, server);
            if let Owner::Attack(attack) = owner {
                self.mark(attack);
            }
        }
        self.queue.push(self.now + delay, Event::Tcp { conn, step: Step::Syn });
        conn
    }

    pub(crate) fn ask_arp(&mut self, from: u32, to: u32) {
        let (asker, asked) = (self.hosts[from as usize].clone(), self.hosts[to as usize].clone());
        self.framer.arp([0xff; 6], 1, (asker.mac, asker.address), ([0; 6], asked.address));
        self.emit_frame();
        if asked.exists {
            let at = self.now + 120_000 + self.prng.below(100_000);
            self.queue.push(at, Event::ArpReply { from: to, to: from });
        }
    }

    pub(crate) fn arp_reply(&mut self, from: u32, to: u32) {
        let (from, to) = (self.hosts[from as usize].clone(), self.hosts[to as usize].clone());
        self.framer.arp(to.mac, 2, (from.mac, from.address), (to.mac, to.address));
        self.emit_frame();
    }

    pub(crate) fn latency(&mut self) -> u64 {
        80_000 + self.prng.below(120_000)
    }

    /// The ends of a frame from one side. Where ARP was poisoned the other's frames pass the attacker.
    pub(crate) fn ends(&mut self, conn: u32, from: Side) -> Ends {
        let state = &self.conns[conn as usize];
        let (own, peer) = (index(from), index(other(from)));
        let (source, target) = (state.hosts[own], state.hosts[peer]);
        let ports = (state.ports[own], state.ports[peer]);
        let id = self.hosts[source as usize].next_id();
        let (source, target) = (&self.hosts[source as usize], &self.hosts[target as usize]);
        let mut macs: (Mac, Mac) = (source.mac, target.mac);
        if let Some(poison) = &self.poison {
            if poison.pair == (source.address, target.address) {
                macs.1 = poison.mac;
            } else if poison.pair == (target.address, source.address) {
                macs.0 = poison.mac;
            }
        }
        Ends { macs, addresses: (source.address, target.address), ports, ttl: source.ttl, id }
    }

    /// One segment on the wire, with an acknowledgement unless it is the first.
    pub(crate) fn segment(&mut self, conn: u32, from: Side, seq: u32, flags: u8, payload: &[u8]) {
        let ends = self.ends(conn, from);
        let own = index(from);
        let state = &mut self.conns[conn as usize];
        if flags & ACK != 0 {
            state.ack_at[own] = 0;
        }
        let ack = if flags & ACK != 0 { state.expected[own] } else { 0 };
        let window = self.hosts[state.hosts[own] as usize].window;
        self.framer.tcp(&ends, &Tcp { seq, ack, flags, window }, payload);
        self.emit_frame();
        if let Owner::Attack(attack) = self.conns[conn as usize].owner {
            self.mark(attack);
        } else if !self.attacks.is_empty() && from == Side::Server && !payload.is_empty() {
            self.mark_spoofed(conn);
        }
    }

    /// The client resets its connection.
    pub(crate) fn abort(&mut self, conn: u32) {
        if let Some(net) = &mut self.net {
            net.reset(conn);
        } else {
            let seq = self.conns[conn as usize].next[0];
            self.segment(conn, Side::Client, seq, RST | ACK, &[]);
        }
        self.conns[conn as usize].state = State::Closed;
    }

    /// An answer of a station that lies belongs to whoever makes it lie.
    pub(crate) fn mark_spoofed(&mut self, conn: u32) {
        let state = &self.conns[conn as usize];
        let Some(stations) = self.services.get(&(state.hosts[1], state.ports[1])) else { return };
        if let Some(attack) = stations.iter().find_map(|s| self.stations[*s].spoofed_by) {
            self.mark(attack);
        }
    }

    /// An application sends now.
    pub(crate) fn send(&mut self, conn: u32, from: Side, bytes: Vec<u8>) {
        let own = index(from);
        let state = &self.conns[conn as usize];
        if state.state != State::Open || bytes.is_empty() {
            return;
        }
        if self.net.is_some() {
            return self.transmit(conn, from, &bytes);
        }
        if state.stalled[own] > self.now {
            self.queue.push(state.stalled[own] + MS, Event::Send { conn, from, bytes });
            return;
        }
        if state.arp_at[own] < self.now {
            let (a, b) = (state.hosts[own], state.hosts[1 - own]);
            self.conns[conn as usize].arp_at[own] = self.now + ARP_NS + self.prng.below(ARP_NS / 4);
            self.ask_arp(a, b);
        }
        let first = self.conns[conn as usize].next[own];
        self.conns[conn as usize].next[own] = first.wrapping_add(bytes.len() as u32);
        let segments = bytes.len().div_ceil(MSS) as u8;
        if segments == 1 && self.unlucky(self.network.lost_per_million) {
            self.segment(conn, from, first, PSH | ACK, &bytes);
            self.conns[conn as usize].stalled[own] = self.now + RETRANSMIT_NS;
            self.queue.push(self.now + RETRANSMIT_NS, Event::Resend { conn, from, seq: first, bytes });
            return;
        }
        let swapped = segments > 1 && self.unlucky(self.network.reordered_per_million);
        for place in 0..usize::from(segments) {
            let place = match (swapped, place) {
                (true, 0) => 1,
                (true, 1) => 0,
                _ => place,
            };
            let range = place * MSS..bytes.len().min((place + 1) * MSS);
            let flags = if range.end == bytes.len() { PSH | ACK } else { ACK };
            self.segment(conn, from, first.wrapping_add(range.start as u32), flags, &bytes[range]);
        }
        let at = self.now + self.latency();
        self.queue.push(at, Event::Arrive { conn, to: other(from), bytes, segments });
    }

    pub(crate) fn resend(&mut self, conn: u32, from: Side, seq: u32, bytes: Vec<u8>) {
        if self.conns[conn as usize].state != State::Open {
            return;
        }
        self.segment(conn, from, seq, PSH | ACK, &bytes);
        let at = self.now + self.latency();
        self.queue.push(at, Event::Arrive { conn, to: other(from), bytes, segments: 1 });
    }

    fn unlucky(&mut self, per_million: u32) -> bool {
        per_million > 0 && self.prng.below(1_000_000) < u64::from(per_million)
    }

    /// Bytes reached an end: acknowledge them soon, and tell the application.
    pub(crate) fn arrive(&mut self, conn: u32, to: Side, bytes: Vec<u8>, segments: u8) {
        let own = index(to);
        let state = &mut self.conns[conn as usize];
        if state.state != State::Open {
            return;
        }
        state.expected[own] = state.expected[own].wrapping_add(bytes.len() as u32);
        if to == Side::Server {
            self.established(conn);
        }
        let state = &mut self.conns[conn as usize];
        let delay = self.hosts[state.hosts[own] as usize].ack_delay;
        if segments > 1 {
            let next = state.next[own];
            self.segment(conn, to, next, ACK, &[]);
        } else if state.ack_at[own] == 0 {
            state.ack_at[own] = self.now + delay;
            self.queue.push(self.now + delay, Event::Ack { conn, side: to });
        }
        self.received(conn, to, bytes);
    }

    /// The handshake is over for the server, with the client's ACK or with what the client said behind it.
    fn established(&mut self, conn: u32) {
        if !std::mem::replace(&mut self.conns[conn as usize].accepted, true) {
            self.accepted(conn);
        }
    }

    pub(crate) fn ack_due(&mut self, conn: u32, side: Side) {
        let own = index(side);
        let state = &self.conns[conn as usize];
        if state.state == State::Open && state.ack_at[own] != 0 && state.ack_at[own] <= self.now {
            let next = state.next[own];
            self.segment(conn, side, next, ACK, &[]);
        }
    }

    /// One side has nothing more to say.
    pub(crate) fn close(&mut self, conn: u32, side: Side) {
        let own = index(side);
        let state = &mut self.conns[conn as usize];
        if state.state != State::Open {
            return;
        }
        if self.net.is_some() {
            return self.shut(conn, side);
        }
        state.state = State::Closed;
        let seq = state.next[own];
        state.next[own] = seq.wrapping_add(1);
        self.segment(conn, side, seq, FIN | ACK, &[]);
        let at = self.now + self.latency();
        self.queue.push(at, Event::Tcp { conn, step: Step::Fin(other(side)) });
    }

    pub(crate) fn step(&mut self, conn: u32, step: Step) {
        let at = self.now + self.latency();
        let then = |world: &mut Self, step| world.queue.push(at, Event::Tcp { conn, step });
        match step {
            Step::Syn => {
                // Nobody answered the ARP request: there is no address to send to.
                if !self.hosts[self.conns[conn as usize].hosts[1] as usize].exists {
                    return;
                }
                let seq = self.conns[conn as usize].next[0];
                self.conns[conn as usize].next[0] = seq.wrapping_add(1);
                self.segment(conn, Side::Client, seq, SYN, &[]);
                then(self, Step::AtServer);
            }
            Step::AtServer => {
                let state = &mut self.conns[conn as usize];
                state.expected[1] = state.next[0];
                let (host, port, seq) = (state.hosts[1], state.ports[1], state.next[1]);
                if self.listens(host, port) {
                    self.conns[conn as usize].next[1] = seq.wrapping_add(1);
                    self.segment(conn, Side::Server, seq, SYN | ACK, &[]);
                    then(self, Step::AtClient);
                } else {
                    self.segment(conn, Side::Server, 0, RST | ACK, &[]);
                    then(self, Step::Refused);
                }
            }
            Step::AtClient => {
                let state = &mut self.conns[conn as usize];
                if state.state != State::Opening {
                    return;
                }
                state.expected[0] = state.next[1];
                state.state = State::Open;
                let next = state.next[0];
                self.segment(conn, Side::Client, next, ACK, &[]);
                then(self, Step::Established);
                self.connected(conn);
            }
            Step::Refused => {
                self.conns[conn as usize].state = State::Closed;
                self.disconnected(conn, Side::Client);
            }
            Step::Established => self.established(conn),
            Step::Close(side) => self.close(conn, side),
            Step::Fin(side) => {
                let own = index(side);
                let state = &mut self.conns[conn as usize];
                state.expected[own] = state.next[1 - own];
                let seq = state.next[own];
                state.next[own] = seq.wrapping_add(1);
                self.segment(conn, side, seq, FIN | ACK, &[]);
                then(self, Step::LastAck(other(side)));
                self.disconnected(conn, side);
            }
            Step::LastAck(side) => {
                let own = index(side);
                let state = &mut self.conns[conn as usize];
                state.expected[own] = state.next[1 - own];
                let next = state.next[own];
                self.segment(conn, side, next, ACK, &[]);
                self.disconnected(conn, side);
            }
            Step::Reset(side) => {
                self.conns[conn as usize].state = State::Closed;
                self.disconnected(conn, side);
            }
        }
    }
}
