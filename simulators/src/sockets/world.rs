//! What sockets tell the world, and what it asks of them.

use std::net::{Ipv4Addr, SocketAddrV4};

use super::net::{Message, Service};
use crate::engine::queue::Event;
use crate::engine::tcp::{Conn, Owner, State};
use crate::engine::{Body, World};
use crate::wire::Side;

impl World<'_> {
    /// A socket has something to say.
    pub(super) fn take(&mut self, message: Message) {
        self.last_frame = (self.now, 0);
        match message {
            Message::Modbus { host, port, unit, pdu: asked, reply } => {
                let Some(stations) = self.services.get(&(host, port)).cloned() else { return };
                let mut delay = 0;
                let (station, answer) = self.modbus_answer(&stations, unit, &asked, &mut delay);
                if let Some(attack) = station.and_then(|s| self.stations[s].spoofed_by) {
                    self.mark(attack);
                }
                if let Some(pdu) = answer {
                    if let Some(station) = station {
                        self.forge_live(station, unit, &asked, &pdu, delay);
                    }
                    if let Some(net) = &mut self.net {
                        net.answers += 1;
                    }
                    self.queue.push(self.now + delay, Event::Reply { to: reply, pdu });
                }
            }
            Message::Accepted { host, port, stream, from } => {
                if !self.listens(host, port) {
                    return;
                }
                let client = self.host(from, false);
                let conn = self.connection(Owner::Peer, client, host, port);
                self.conns[conn as usize].state = State::Open;
                let service = self.service(host, port);
                if let Some(net) = &mut self.net {
                    net.adopt(conn, stream, Side::Server, service);
                }
                self.accepted(conn);
            }
            Message::Connected { conn, stream } => {
                let state = &mut self.conns[conn as usize];
                if state.state != State::Opening {
                    return;
                }
                state.state = State::Open;
                let (host, port) = (state.hosts[1], state.ports[1]);
                let service = self.service(host, port);
                if let Some(net) = &mut self.net {
                    net.adopt(conn, stream, Side::Client, service);
                }
                self.mark_live(conn);
                self.connected(conn);
            }
            Message::Data { conn, to, bytes } => {
                self.mark_live(conn);
                if self.conns[conn as usize].state == State::Open {
                    self.received(conn, to, bytes);
                }
            }
            Message::Ended { conn, side } => {
                self.conns[conn as usize].state = State::Closed;
                self.mark_live(conn);
                if let Some(net) = &mut self.net {
                    net.forget(conn);
                }
                self.disconnected(conn, side);
            }
        }
    }

    fn connection(&mut self, owner: Owner, client: u32, server: u32, port: u16) -> u32 {
        self.conns.push(Conn::new(owner, [client, server], [0, port], [0; 2], self.now));
        self.conns.len() as u32 - 1
    }

    fn service(&self, host: u32, port: u16) -> Service {
        match self.services.get(&(host, port)).map(|stations| &self.stations[stations[0]].body) {
            Some(Body::Modbus(_)) => Service::Modbus,
            Some(Body::Dnp3(_)) => Service::Dnp3,
            _ => Service::Raw,
        }
    }

    /// What happens on an attacker's connection belongs to the attack.
    fn mark_live(&mut self, conn: u32) {
        if let Owner::Attack(attack) = self.conns[conn as usize].owner {
            self.last_frame = (self.now, 0);
            self.mark(attack);
        }
    }

    /// Open a connection from one host to another.
    pub(crate) fn dial(&mut self, client: u32, server: u32, port: u16, owner: Owner) -> u32 {
        let conn = self.connection(owner, client, server, port);
        let (from, to) = (self.hosts[client as usize].address, self.hosts[server as usize].address);
        if let Some(net) = &mut self.net {
            net.dial(conn, from, SocketAddrV4::new(to, port));
        }
        self.mark_live(conn);
        conn
    }

    /// Send on an open connection.
    pub(crate) fn transmit(&mut self, conn: u32, from: Side, bytes: &[u8]) {
        self.last_frame = (self.now, 0);
        let Some(net) = &mut self.net else { return };
        if !net.transmit(conn, bytes) {
            self.conns[conn as usize].state = State::Closed;
            return self.disconnected(conn, from);
        }
        if from == Side::Server {
            self.mark_spoofed(conn);
        }
        self.mark_live(conn);
    }

    /// One side closes. Of a connection between two hosts of the site there are two ends here, each with a
    /// number of its own: a station's end is that which was accepted.
    pub(crate) fn shut(&mut self, conn: u32, side: Side) {
        let state = &mut self.conns[conn as usize];
        if (state.owner == Owner::Peer) != (side == Side::Server) {
            return;
        }
        state.state = State::Closed;
        if let Some(net) = &mut self.net {
            net.finish_sending(conn);
        }
        self.mark_live(conn);
    }

    /// Places that are out of service are not listened on.
    pub(crate) fn tend_listeners(&mut self) {
        let Some(mut net) = self.net.take() else { return };
        net.tend(|host, port| self.listens(host, port));
        self.net = Some(net);
        if let Some(wire) = &mut self.wire {
            wire.listen();
        }
    }

    pub(super) fn noise_server(&self) -> Option<(u32, Ipv4Addr)> {
        let address = self.scenario.noise.server?;
        Some((self.known_host(address)?, address))
    }
}
