//! What spans pairs of hosts: one owner on the reading thread, beside the shards.
//!
//! [`Site`] sees every packet that is not a copy, in order, before its shard does, and the whole seconds of
//! packet time; its findings go into the log at the place of that packet. A shard that has something for more
//! than its pair of hosts tells a [`Fact`]; facts come to [`crate::report::sinks`] in the order of the packets,
//! but any time after the packet itself has been seen here: what is drawn from facts must not depend on
//! packets that came later, or it would depend on the number of workers.

use std::sync::Arc;

use parsers::{FrameRef, Timestamp};
use profiles::Compiled;

use crate::decap::Packet;
use crate::detect::FindingSink;
use crate::report::record::StationEvent;

/// Something a shard has learned that concerns more than a pair of hosts.
#[derive(Debug)]
pub enum Fact {
    /// A station answered, for the first time as far as this shard remembers.
    Station {
        /// Which and when; the name is beside it.
        event: StationEvent<'static>,
        /// Its name in the profile, if it has one.
        name: Option<Box<str>>,
    },
}

/// What is known of all hosts together.
#[derive(Default)]
pub struct Site {
    profile: Option<Arc<Compiled>>,
    last_drop: Option<Timestamp>,
}

impl Site {
    /// Nothing seen yet.
    pub fn new(profile: Option<Arc<Compiled>>) -> Site {
        Site { profile, last_drop: None }
    }

    /// Another profile is in force from here on.
    pub fn set_profile(&mut self, profile: Option<Arc<Compiled>>) {
        self.profile = profile;
    }

    /// The taps lost packets at about `now`.
    pub fn dropped(&mut self, now: Timestamp) {
        self.last_drop = Some(now);
    }

    /// A packet.
    #[inline]
    pub fn packet(
        &mut self,
        _at: Timestamp,
        _frame: FrameRef,
        _packet: &Packet<'_>,
        _sink: &mut dyn FindingSink,
    ) {
    }

    /// When [`Site::tick`] is wanted, if at all; it is called at the first whole second at or after that.
    #[inline]
    pub fn next_due(&self) -> Option<Timestamp> {
        None
    }

    /// Packet time has passed the whole second `now`.
    pub fn tick(&mut self, _now: Timestamp, _sink: &mut dyn FindingSink) {}
}
