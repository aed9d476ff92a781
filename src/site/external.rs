//! POL-14: addresses of the internet that talk to what controls the process.

use core::net::IpAddr;

use super::{Now, Site, plan, tell};
use crate::detect::FindingSink;

/// Public addresses of one host told one by one; then only at every doubling.
const TOLD: u32 = 8;

impl Site {
    pub(super) fn external(&mut self, now: Now, (from, to): (IpAddr, IpAddr), sink: &mut dyn FindingSink) {
        let (peer, asset) = match (plan::is_public(from), plan::is_public(to)) {
            (true, false) => (from, to),
            (false, true) => (to, from),
            // A site may use public addresses as its own plan: then nothing tells inside from outside.
            _ => return,
        };
        if self.plan.names(peer) {
            return;
        }
        let Some(host) = self.hosts.get(asset).filter(|host| host.is_asset()) else { return };
        host.externals = host.externals.saturating_add(1);
        let count = host.externals;
        if count <= TOLD || count.is_power_of_two() {
            tell::external(self.view(now), (peer, asset), from == asset, sink);
        }
    }
}
