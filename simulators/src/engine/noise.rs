//! Ordinary IT traffic: names are asked for, pages are fetched.

use super::World;
use super::frame::Ends;
use super::queue::Event;
use super::tcp::Owner;
use crate::wire::Side;

const NAMES: [&str; 6] = [
    "time.corp.example",
    "av.corp.example",
    "files.corp.example",
    "hist.corp.example",
    "mail.corp.example",
    "update.corp.example",
];

impl World<'_> {
    pub(super) fn build_noise(&mut self) {
        let noise = &self.scenario.noise;
        let Some(server) = noise.server else { return };
        self.host(server, false);
        for (index, client) in noise.clients.iter().enumerate() {
            self.host(*client, false);
            let at = self.now + self.prng.below(self.noise_period());
            self.queue.push(at, Event::Noise(index as u32));
        }
    }

    fn noise_period(&self) -> u64 {
        self.scenario.noise.every.map_or(60_000_000_000, |every| every.ns().max(1_000_000))
    }

    pub(crate) fn is_noise_server(&self, host: u32, port: u16) -> bool {
        port == 80 && self.scenario.noise.server == Some(self.hosts[host as usize].address)
    }

    pub(super) fn make_noise(&mut self, client: u32) {
        let wait = self.noise_period() / 2 + self.prng.below(self.noise_period());
        self.queue.push(self.now + wait, Event::Noise(client));
        let noise = &self.scenario.noise;
        let (Some(server), Some(address)) = (noise.server, noise.clients.get(client as usize)) else {
            return;
        };
        let (from, to) = (self.host(*address, false), self.host(server, false));
        if self.arp_known.insert((from, to)) {
            self.ask_arp(from, to);
            self.queue.push(self.now + 1_000_000, Event::Noise(client));
            return;
        }
        if self.prng.chance(50) {
            self.name_lookup(from, to);
        } else {
            self.open(from, to, 80, Owner::Noise);
        }
    }

    /// Question and answer: all names are those of the one server.
    fn name_lookup(&mut self, client: u32, server: u32) {
        let name = NAMES[self.prng.below(NAMES.len() as u64) as usize];
        let id = self.prng.next_u64() as u16;
        let port = 49_152 + self.prng.below(16_000) as u16;
        let mut question = Vec::new();
        for label in name.split('.') {
            question.push(label.len() as u8);
            question.extend_from_slice(label.as_bytes());
        }
        question.extend_from_slice(&[0, 0, 1, 0, 1]);
        let head = |flags: u16, answers: u16| {
            [id, flags, 1, answers, 0, 0].iter().flat_map(|f| f.to_be_bytes()).collect::<Vec<u8>>()
        };
        let asked = [head(0x0100, 0), question.clone()].concat();
        let record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4];
        let address = self.hosts[server as usize].address.octets();
        let answered = [head(0x8180, 1), question, record.to_vec(), address.to_vec()].concat();
        self.datagram(client, server, (port, 53), &asked);
        let at = self.now + self.latency() + 150_000 + self.prng.below(600_000);
        let answer = Event::Datagram { from: server, to: client, ports: (53, port), payload: answered };
        self.queue.push(at, answer);
    }

    /// A UDP datagram on the wire.
    pub(super) fn datagram(&mut self, from: u32, to: u32, ports: (u16, u16), payload: &[u8]) {
        let id = self.hosts[from as usize].next_id();
        let (source, target) = (&self.hosts[from as usize], &self.hosts[to as usize]);
        let ends = Ends {
            macs: (source.mac, target.mac),
            addresses: (source.address, target.address),
            ports,
            ttl: source.ttl,
            id,
        };
        self.framer.udp(&ends, payload);
        self.emit_frame();
    }

    pub(super) fn noise_connected(&mut self, conn: u32) {
        let page = self.prng.below(40);
        let request = format!(
            "GET /status/{page} HTTP/1.1\r\nHost: intranet.corp.example\r\nConnection: close\r\n\r\n"
        );
        self.send(conn, Side::Client, request.into_bytes());
    }

    pub(crate) fn noise_answer(&mut self, conn: u32, _request: &[u8]) {
        let size = 200 + self.prng.below(6000) as usize;
        let body = "<p>all is well</p>\n".repeat(size / 19 + 1);
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n", body.len());
        let bytes = format!("{head}{body}").into_bytes();
        let at = self.now + 2_000_000 + self.prng.below(20_000_000);
        self.queue.push(at, Event::Send { conn, from: Side::Server, bytes });
    }

    pub(super) fn noise_done(&mut self, conn: u32) {
        self.close(conn, Side::Client);
    }
}
