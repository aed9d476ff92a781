//! Modbus answers at the master.

use crate::engine::World;

impl World<'_> {
    pub(super) fn modbus_answered(&mut self, link: u32, bytes: &[u8]) {
        let state = &self.links[link as usize];
        let [t1, t2, ..] = bytes else { return };
        let transaction = u16::from_be_bytes([*t1, *t2]);
        if state.current.as_ref().is_some_and(|c| c.number == transaction) {
            self.finished(link);
        }
    }
}
