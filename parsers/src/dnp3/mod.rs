//! Dnp3.

use crate::contract::*;

/// The registration row.
pub const DISSECTOR: Dissector = Dissector {
    protocol: Protocol::Dnp3,
    tcp_ports: &[20000],
    udp_ports: &[20000],
    probe: |_| Probe::No,
    open: |_, _| Box::new(Placeholder),
};

struct Placeholder;

impl Session for Placeholder {
    fn feed(&mut self, _: &FlowInfo, chunk: &Chunk<'_>, _: &mut dyn Observer) -> Progress {
        Progress::all(chunk)
    }
    fn gap(&mut self, _: &FlowInfo, _: &Gap<'_>, _: &mut dyn Observer) {}
    fn tick(&mut self, _: &FlowInfo, _: Timestamp, _: &mut dyn Observer) {}
    fn finish(&mut self, _: &FlowInfo, _: [Chunk<'_>; 2], _: &mut dyn Observer) {}
    fn memory(&self) -> usize {
        0
    }
    fn deadline(&self) -> Option<Timestamp> {
        None
    }
}
