//! Publishers and subscribers at work.

use super::World;
use super::queue::Event;
use crate::encode::goose::{Frame, parse};
use crate::grid::Control;
use crate::station::effect;
use crate::station::goose::{Listening, Publishing};

impl World<'_> {
    pub(super) fn build_goose(&mut self) {
        let scenario = self.scenario;
        for (place, (name, spec)) in scenario.publishers.iter().enumerate() {
            // Devices were not switched on at the same moment.
            let offset = super::prng(place as u64, name).below(spec.longest.ns().max(1));
            let mut publishing = Publishing::new(name, spec, &self.grid, self.now);
            publishing.due = self.now + offset;
            self.queue.push(publishing.due, Event::Publish { publisher: place as u32, due: publishing.due });
            self.publishers.push(publishing);
        }
        for subscriber in scenario.subscribers.values() {
            let Some(publisher) = scenario.publishers.get(&subscriber.publisher) else { continue };
            let Some(breaker) = self.grid.breaker(&subscriber.breaker) else { continue };
            self.subscribers.push(Listening::new(&publisher.control_block, publisher.appid, breaker));
        }
    }

    /// A repetition is due, unless something else came between.
    pub(super) fn publish(&mut self, publisher: u32, due: u64) {
        self.hear_others();
        let state = &mut self.publishers[publisher as usize];
        if state.due != due {
            return;
        }
        let bytes = state.next_frame(self.now);
        let (next, silent) = (state.due, self.now < state.silent_until);
        self.queue.push(next, Event::Publish { publisher, due: next });
        if !silent {
            self.emit_goose(&bytes);
        }
    }

    /// A GOOSE frame on the network, from whomever.
    pub(crate) fn emit_goose(&mut self, bytes: &[u8]) {
        self.framer.bytes.clear();
        self.framer.bytes.extend_from_slice(bytes);
        self.emit_frame();
        if let Some(raw) = &mut self.raw {
            raw.send(bytes);
        }
        self.hear_goose(bytes);
    }

    /// What others have sent on the interface, when live.
    fn hear_others(&mut self) {
        let mut buffer = [0; 1518];
        // Not for ever, however much there is.
        for _ in 0..1000 {
            let Some(raw) = &self.raw else { return };
            let Some(bytes) = raw.receive(&mut buffer).map(<[u8]>::to_vec) else { return };
            self.hear_goose(&bytes);
        }
    }

    fn hear_goose(&mut self, bytes: &[u8]) {
        let Some(heard) = parse(bytes) else { return };
        for place in 0..self.subscribers.len() {
            if self.subscribers[place].hear(&heard, self.now) {
                let control = Control::Breaker(self.subscribers[place].breaker, false);
                let effect = effect(control, self.prng.next_u64());
                self.queue.push(self.now + effect.after_ns, Event::Effect(effect.control));
            }
        }
    }

    /// Publishers look at the process.
    pub(super) fn observe_goose(&mut self) {
        for place in 0..self.publishers.len() {
            if self.publishers[place].observe(&self.grid, self.now) {
                let due = self.publishers[place].due;
                self.queue.push(due, Event::Publish { publisher: place as u32, due });
            }
        }
    }

    /// Protection of a breaker trips: its publishers say so, for a moment.
    pub(super) fn tell_trip(&mut self, breaker: usize) {
        let now = self.now;
        for publisher in self.publishers.iter_mut().filter(|p| p.switches(breaker)) {
            publisher.trip(now);
            self.queue.push(publisher.trip_until(), Event::Look);
        }
        self.observe_goose();
    }

    /// The frame a publisher would send next, and its position by name.
    pub(crate) fn publisher(&self, name: &str) -> Option<(usize, &Frame)> {
        let place = self.publishers.iter().position(|p| p.name == name)?;
        Some((place, &self.publishers[place].frame))
    }
}
