//! Frames, built into one buffer that is used again and again. Only what a site needs: Ethernet with or
//! without a VLAN tag, ARP, IPv4, TCP and UDP. Everything else is in [`crate::wire`].

use std::net::Ipv4Addr;

use crate::wire::internet_checksum;

pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const PSH: u8 = 8;
pub(crate) const ACK: u8 = 16;

/// An Ethernet address.
pub(crate) type Mac = [u8; 6];

/// Both ends of a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) macs: (Mac, Mac),
    pub(crate) addresses: (Ipv4Addr, Ipv4Addr),
    pub(crate) ports: (u16, u16),
    pub(crate) ttl: u8,
    pub(crate) id: u16,
}

/// The TCP header's own fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tcp {
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) flags: u8,
    pub(crate) window: u16,
}

/// The frame under construction.
#[derive(Debug, Default)]
pub(crate) struct Framer {
    pub(crate) vlan: Option<u16>,
    pub(crate) bytes: Vec<u8>,
}

impl Framer {
    fn ethernet(&mut self, destination: Mac, source: Mac, ethertype: u16) {
        self.bytes.clear();
        self.bytes.extend_from_slice(&destination);
        self.bytes.extend_from_slice(&source);
        if let Some(vlan) = self.vlan {
            self.bytes.extend_from_slice(&[0x81, 0]);
            self.bytes.extend_from_slice(&(vlan & 0xfff).to_be_bytes());
        }
        self.bytes.extend_from_slice(&ethertype.to_be_bytes());
    }

    fn ipv4(&mut self, ends: &Ends, protocol: u8, length: usize) {
        self.ethernet(ends.macs.1, ends.macs.0, 0x0800);
        let at = self.bytes.len();
        let total = (20 + length) as u16;
        self.bytes.extend_from_slice(&[0x45, 0]);
        self.bytes.extend_from_slice(&total.to_be_bytes());
        self.bytes.extend_from_slice(&ends.id.to_be_bytes());
        self.bytes.extend_from_slice(&[0x40, 0, ends.ttl, protocol, 0, 0]);
        self.bytes.extend_from_slice(&ends.addresses.0.octets());
        self.bytes.extend_from_slice(&ends.addresses.1.octets());
        let sum = internet_checksum(&[&self.bytes[at..]]);
        self.bytes[at + 10..at + 12].copy_from_slice(&sum.to_be_bytes());
    }

    fn pseudo(ends: &Ends, protocol: u8, length: usize) -> [u8; 12] {
        let (a, b) = (ends.addresses.0.octets(), ends.addresses.1.octets());
        let n = (length as u16).to_be_bytes();
        [a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3], 0, protocol, n[0], n[1]]
    }

    /// A TCP segment. A SYN carries the maximum segment size.
    pub(crate) fn tcp(&mut self, ends: &Ends, tcp: &Tcp, payload: &[u8]) {
        let options: &[u8] = if tcp.flags & SYN != 0 { &[2, 4, 0x05, 0xb4] } else { &[] };
        let length = 20 + options.len() + payload.len();
        self.ipv4(ends, 6, length);
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&ends.ports.0.to_be_bytes());
        self.bytes.extend_from_slice(&ends.ports.1.to_be_bytes());
        self.bytes.extend_from_slice(&tcp.seq.to_be_bytes());
        self.bytes.extend_from_slice(&tcp.ack.to_be_bytes());
        self.bytes.extend_from_slice(&[((5 + options.len() / 4) as u8) << 4, tcp.flags]);
        self.bytes.extend_from_slice(&tcp.window.to_be_bytes());
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(options);
        self.bytes.extend_from_slice(payload);
        let sum = internet_checksum(&[&Framer::pseudo(ends, 6, length), &self.bytes[at..]]);
        self.bytes[at + 16..at + 18].copy_from_slice(&sum.to_be_bytes());
        self.pad();
    }

    /// A UDP datagram.
    pub(crate) fn udp(&mut self, ends: &Ends, payload: &[u8]) {
        let length = 8 + payload.len();
        self.ipv4(ends, 17, length);
        let at = self.bytes.len();
        for field in [ends.ports.0, ends.ports.1, length as u16, 0] {
            self.bytes.extend_from_slice(&field.to_be_bytes());
        }
        self.bytes.extend_from_slice(payload);
        let sum = internet_checksum(&[&Framer::pseudo(ends, 17, length), &self.bytes[at..]]);
        let sum = if sum == 0 { 0xffff } else { sum };
        self.bytes[at + 6..at + 8].copy_from_slice(&sum.to_be_bytes());
        self.pad();
    }

    /// An ARP packet: operation 1 asks, 2 answers.
    pub(crate) fn arp(&mut self, to: Mac, operation: u16, sender: (Mac, Ipv4Addr), target: (Mac, Ipv4Addr)) {
        self.ethernet(to, sender.0, 0x0806);
        self.bytes.extend_from_slice(&[0, 1, 8, 0, 6, 4]);
        self.bytes.extend_from_slice(&operation.to_be_bytes());
        for (mac, address) in [sender, target] {
            self.bytes.extend_from_slice(&mac);
            self.bytes.extend_from_slice(&address.octets());
        }
        self.pad();
    }

    /// Ethernet's shortest frame, without the check sequence.
    fn pad(&mut self) {
        if self.bytes.len() < 60 {
            self.bytes.resize(60, 0);
        }
    }
}

/// The Ethernet address of a host: locally administered, from its IP address.
pub(crate) fn mac(address: Ipv4Addr) -> Mac {
    let [a, b, c, d] = address.octets();
    [0x02, 0x1a, a, b, c, d]
}
