//! Frames without IP: a flow is one direction between two Ethernet addresses, in one VLAN, of one Ethertype.
//!
//! Multicast has no way back, so such a flow is never "one-way", and who sends is the client. VLAN ids belong
//! to the key: a publisher is known by its VLAN, too.

use parsers::{Chunk, Coverage, Direction, Endpoint, FlowInfo, Host, Piece, Transport};

use super::key::Key;
use super::table::FlowTable;
use super::tcp::Connection;
use super::timeout::Class;
use super::{FlowHandler, Out, Source};
use crate::decap::Packet;

/// Ethertype, octets captured, octets on the wire.
pub(super) type Payload<'a> = (u16, &'a [u8], u32);

impl<S> FlowTable<S> {
    pub(super) fn ethernet<H: FlowHandler<State = S>>(
        &mut self,
        source: Source,
        packet: &Packet<'_>,
        (ethertype, bytes, wire_len): Payload<'_>,
        handler: &mut H,
    ) {
        self.counters.ethernet_frames += 1;
        self.counters.payload_bytes += bytes.len() as u64;
        let from = packet.src_mac.unwrap_or_default();
        let to = packet.dst_mac.unwrap_or_default();
        let key = Key::of_ethernet(from, to, ethertype, packet.vlan);
        let slot = self.find(&key).unwrap_or_else(|| {
            let info = FlowInfo {
                id: self.next_id(),
                client: Endpoint { host: Host::Mac(from), port: 0 },
                server: Endpoint { host: Host::Mac(to), port: 0 },
                transport: Transport::Ethernet,
                ethertype,
                vlan: packet.vlan,
                client_mac: packet.src_mac,
                server_mac: packet.dst_mac,
                port_side: None,
                coverage: Coverage::default(),
                late: None,
                passed: None,
            };
            self.admit(key, true, Class::Datagram, info, handler)
        });
        let Some(mut flow) = self.slots[slot as usize].take() else { return };
        let Connection { info, state, .. } = &mut flow.connection;
        let is_cut = wire_len as usize > bytes.len();
        self.counters.truncated += u64::from(is_cut);
        info.coverage.truncated = is_cut;
        let pieces = [Piece { end: bytes.len(), frame: source.frame, at: source.at }];
        let mut out = Out { handler, info, state, counters: &mut self.counters, limits: &self.limits };
        out.data(&Chunk { direction: Direction::ToServer, bytes, pieces: &pieces });
        self.schedule(slot, &mut flow, handler);
        self.slots[slot as usize] = Some(flow);
        self.touch(slot, Class::Datagram);
    }
}
