//! Frames of an attacker's own making, in the networks of a site's hosts and nowhere else: what a listener on the
//! mirror port knows of every connection, and sockets that send whole frames from a host's interface.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};

use super::RawSocket;
use super::netns::{Entrances, OUTSIDER};
use crate::engine::World;

const IPV4: u16 = 0x0800;
/// The interface of a host in its network.
const INTERFACE: &str = "eth0";
/// Directions of connections that are remembered.
const REMEMBERED: usize = 4096;

/// One direction of a connection, as last heard.
#[derive(Debug, Clone, Default)]
struct Heard {
    /// Sequence number of the next octet.
    next: u32,
    /// What it last said, until the other direction said something.
    last: Vec<u8>,
    /// Frames heard before; the greatest is the latest.
    at: u64,
}

/// A listener on the mirror port, and senders in the networks of hosts.
#[derive(Debug)]
pub(crate) struct Wire {
    listener: RawSocket,
    entrances: Entrances,
    senders: HashMap<Ipv4Addr, RawSocket>,
    heard: HashMap<(SocketAddrV4, SocketAddrV4), Heard>,
    frames: u64,
}

impl Wire {
    pub(super) fn open(mirror: &str, entrances: Entrances) -> io::Result<Wire> {
        let listener = RawSocket::open(mirror, IPV4)?;
        Ok(Wire { listener, entrances, senders: HashMap::new(), heard: HashMap::new(), frames: 0 })
    }

    /// Take in what has come.
    pub(super) fn listen(&mut self) {
        let mut buffer = [0; 1518];
        while let Some(frame) = self.listener.receive(&mut buffer) {
            let Some((from, to, next, payload)) = segment(frame) else { continue };
            self.frames += 1;
            if self.heard.len() >= REMEMBERED {
                self.heard.clear();
            }
            if !payload.is_empty()
                && let Some(other) = self.heard.get_mut(&(to, from))
            {
                other.last.clear();
            }
            let heard = self.heard.entry((from, to)).or_default();
            (heard.next, heard.at) = (next, self.frames);
            if !payload.is_empty() {
                heard.last = payload.to_vec();
            }
        }
    }

    /// The client's port, the next numbers of client and server, and what the client asks, of the latest connection.
    fn connection(&mut self, client: Ipv4Addr, server: SocketAddrV4) -> Option<(u16, [u32; 2], Vec<u8>)> {
        self.listen();
        let of_client = self.heard.iter().filter(|((from, to), _)| *from.ip() == client && *to == server);
        let ((from, _), asked) = of_client.max_by_key(|(_, heard)| heard.at)?;
        let answered = self.heard.get(&(server, *from))?;
        Some((from.port(), [asked.next, answered.next], asked.last.clone()))
    }

    /// A host passes on what is not for it, so that traffic drawn over it arrives.
    fn forward(&self, host: Ipv4Addr) -> io::Result<()> {
        self.entrances.within(host, || {
            for (name, value) in [("ip_forward", "1"), ("conf/all/send_redirects", "0")] {
                std::fs::write(format!("/proc/sys/net/ipv4/{name}"), value)?;
            }
            std::fs::write(format!("/proc/sys/net/ipv4/conf/{INTERFACE}/send_redirects"), "0")
        })
    }

    /// Send a frame from a host's network. The attacker who is none of the hosts has one, too.
    fn send(&mut self, host: Ipv4Addr, frame: &[u8]) -> io::Result<()> {
        if !self.senders.contains_key(&host) {
            let socket = self.entrances.within(host, || RawSocket::open(INTERFACE, 0))?;
            self.senders.insert(host, socket);
        }
        if let Some(socket) = self.senders.get_mut(&host) {
            socket.send(frame);
        }
        Ok(())
    }
}

/// From, to, the sequence number after it, and the payload of a TCP segment over IPv4.
fn segment(frame: &[u8]) -> Option<(SocketAddrV4, SocketAddrV4, u32, &[u8])> {
    let ip = frame.get(14..)?;
    let header = usize::from(ip.first()? & 0x0f) * 4;
    let total = usize::from(u16::from_be_bytes([*ip.get(2)?, *ip.get(3)?]));
    if frame[12..14] != IPV4.to_be_bytes() || *ip.get(9)? != 6 {
        return None;
    }
    let address = |at: usize| Some(Ipv4Addr::from(<[u8; 4]>::try_from(ip.get(at..at + 4)?).ok()?));
    let tcp = ip.get(header..total)?;
    let port = |at: usize| Some(u16::from_be_bytes([*tcp.get(at)?, *tcp.get(at + 1)?]));
    let sequence = u32::from_be_bytes(tcp.get(4..8)?.try_into().ok()?);
    let payload = tcp.get(usize::from(*tcp.get(12)? >> 4) * 4..)?;
    // SYN and FIN take a number each.
    let marks = (*tcp.get(13)? & 3).count_ones();
    let next = sequence.wrapping_add(payload.len() as u32).wrapping_add(marks);
    Some((
        SocketAddrV4::new(address(12)?, port(0)?),
        SocketAddrV4::new(address(16)?, port(2)?),
        next,
        payload,
    ))
}

impl World<'_> {
    /// Live: what the mirror port tells of a connection, its ports and numbers, where the kernel keeps them. Returns
    /// what its client asks and nobody answered yet.
    pub(crate) fn overhear(&mut self, conn: u32) -> Option<Vec<u8>> {
        let wire = self.wire.as_mut()?;
        let state = &mut self.conns[conn as usize];
        let [client, server] = state.hosts.map(|host| self.hosts[host as usize].address);
        let (port, next, asked) = wire.connection(client, SocketAddrV4::new(server, state.ports[1]))?;
        state.ports[0] = port;
        state.next = next;
        state.expected = [next[1], next[0]];
        Some(asked)
    }

    /// The frame under construction is sent by an attack from a host, or from an attacker's port if there is none.
    pub(crate) fn emit_forged(&mut self, attack: u32, host: Option<u32>) {
        self.emit_frame();
        if let Some(wire) = &mut self.wire {
            let host = host.map_or(OUTSIDER, |host| self.hosts[host as usize].address);
            if let (Err(error), Some(net)) = (wire.send(host, &self.framer.bytes), &mut self.net) {
                net.complain(format!("a frame of an attack was not sent: {error}"));
            }
        }
        self.mark(attack);
    }

    /// Live: an attacker passes on what it draws over itself.
    pub(crate) fn pass_on(&mut self, host: u32) {
        let Some(wire) = &self.wire else { return };
        if let (Err(error), Some(net)) = (wire.forward(self.hosts[host as usize].address), &mut self.net) {
            net.complain(format!("an attacker passes nothing on: {error}"));
        }
    }

    /// Live: the forged answer to a Modbus request that a host has just sent, if an attack waits for it.
    pub(super) fn forge_live(&mut self, station: usize, unit: u8, pdu: &[u8], answer: &[u8], delay: u64) {
        let Some(injection) = self.injection.filter(|i| i.station == station) else { return };
        let Some(conn) = self.between(injection.client, injection.station) else { return };
        let Some(asked) = self.overhear(conn) else { return };
        // Others ask the same station.
        if asked.get(6) != Some(&unit) || asked.get(7..) != Some(pdu) {
            return;
        }
        let bytes = crate::encode::modbus::mbap(u16::from_be_bytes([asked[0], asked[1]]), unit, answer);
        self.forge(conn, injection.station, &bytes, delay);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::frame::{ACK, Ends, Framer, PSH, SYN, Tcp};

    #[test]
    fn numbers_and_payload_of_segments_are_read() {
        let (a, b) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
        let ends = Ends { macs: ([2; 6], [4; 6]), addresses: (a, b), ports: (40_000, 502), ttl: 64, id: 1 };
        let mut framer = Framer::default();
        let (from, to) = (SocketAddrV4::new(a, 40_000), SocketAddrV4::new(b, 502));
        framer.tcp(&ends, &Tcp { seq: u32::MAX, ack: 0, flags: SYN, window: 1 }, &[]);
        assert_eq!(segment(&framer.bytes), Some((from, to, 0, &[][..])));
        // Octets that fill up the shortest frame are no payload.
        framer.tcp(&ends, &Tcp { seq: 7, ack: 1, flags: PSH | ACK, window: 1 }, &[1, 2]);
        assert_eq!(segment(&framer.bytes), Some((from, to, 9, &[1, 2][..])));
        for end in 0..framer.bytes.len() - 4 {
            assert_eq!(segment(&framer.bytes[..end]), None, "{end}");
        }
        framer.udp(&ends, &[0; 40]);
        assert_eq!(segment(&framer.bytes), None);
    }
}
