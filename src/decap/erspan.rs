//! Mirrored frames in GRE: ERSPAN types I, II and III.
//!
//! ```text
//! II:  version 4 bits (1) | VLAN 12 | COS 3 | En 2 | T 1 | session 10 | reserved 12 | index 20
//! III: version 4 bits (2) | VLAN 12 | COS 3 | BSO 2 | T 1 | session 10 | timestamp 32
//!      SGT 16 | P 1 | frame type 5 | hardware 6 | D 1 | granularity 2 | O 1 | [ subheader 64 ] if O
//! ```
//! En: 1 and 2 say that the mirrored frame's tag was taken out and only this header's VLAN field keeps
//! it. T: the switch cut the frame. Frame type: 0 Ethernet, 2 IP.

use super::counters::Layer;
use super::walk::{Outcome, View, Walk};
use super::{Tunnels, ethernet};

const TRUNCATED: u16 = 0x0400;
const VLAN_ID: u16 = 0x0FFF;

impl<'a> Walk<'a> {
    /// Type I: the frame, right behind GRE.
    pub(super) fn erspan_1(&mut self, view: View<'a>) -> Outcome {
        self.mirrored();
        self.ethernet(view)
    }

    /// Type II.
    pub(super) fn erspan_2(&mut self, view: View<'a>) -> Outcome {
        let Some((&[v0, v1, s0, s1, _, _, _, _], _)) = view.bytes.split_first_chunk::<8>() else {
            return self.short(view, 8, Layer::Tunnel);
        };
        let version_and_vlan = u16::from_be_bytes([v0, v1]);
        let session = u16::from_be_bytes([s0, s1]);
        if version_and_vlan >> 12 != 1 {
            return self.malformed(Layer::Tunnel);
        }
        self.mirrored();
        if matches!(session >> 11 & 3, 1 | 2) {
            self.packet.tunnels.insert(Tunnels::VLAN);
            self.packet.vlan.push(version_and_vlan & VLAN_ID);
        }
        self.mirror_cut(session);
        self.ethernet(view.skip(8))
    }

    /// Type III.
    pub(super) fn erspan_3(&mut self, view: View<'a>) -> Outcome {
        let Some((header, _)) = view.bytes.split_first_chunk::<12>() else {
            return self.short(view, 12, Layer::Tunnel);
        };
        let [v0, v1, s0, s1, _, _, _, _, _, _, t0, t1] = *header;
        let version_and_vlan = u16::from_be_bytes([v0, v1]);
        if version_and_vlan >> 12 != 2 {
            return self.malformed(Layer::Tunnel);
        }
        let kind = u16::from_be_bytes([t0, t1]);
        let length = if kind & 1 == 0 { 12 } else { 20 };
        if view.bytes.len() < length {
            return self.short(view, length, Layer::Tunnel);
        }
        let inner = view.skip(length);
        self.mirrored();
        self.mirror_cut(u16::from_be_bytes([s0, s1]));
        // no En field here: take the VLAN from this header unless the frame still has its tag
        let vlan = version_and_vlan & VLAN_ID;
        if vlan != 0 && !has_tag(inner.bytes) {
            self.packet.tunnels.insert(Tunnels::VLAN);
            self.packet.vlan.push(vlan);
        }
        match kind >> 10 & 0x1F {
            2 => self.raw_ip(inner),
            _ => self.ethernet(inner),
        }
    }

    fn mirrored(&mut self) {
        self.counters.erspan += 1;
        self.packet.tunnels.insert(Tunnels::ERSPAN);
    }

    fn mirror_cut(&mut self, session: u16) {
        self.counters.erspan_truncated += u64::from(session & TRUNCATED != 0);
    }
}

/// Whether an Ethernet frame begins with a VLAN tag.
fn has_tag(frame: &[u8]) -> bool {
    matches!(frame.get(12..14), Some(&[t0, t1]) if ethernet::is_vlan(u16::from_be_bytes([t0, t1])))
}
