//! Which flow has been idle for longest, and which is due: the table's lists and deadlines at work.

use parsers::Timestamp;

use super::table::{Flow, FlowTable};
use super::timeout::{Class, Due, Link, NEVER, NONE};
use super::{CloseReason, FlowHandler};

/// Idle flows are looked for this often, in packet time.
const SWEEP_NS: u64 = 100_000_000;
/// A flow moves to the end of its list at most this often.
pub(super) const STAMP_NS: u64 = 1_000_000_000;
/// A session that is due again at once is called again after this time.
const TICK_MIN_NS: u64 = 1_000_000;

impl<S> FlowTable<S> {
    /// The table is full: ended flows go first, then those that never carried anything, then the idlest.
    pub(super) fn evict<H: FlowHandler<State = S>>(&mut self, handler: &mut H) {
        let head = |class: Class| self.lists[class as usize].head;
        let idle = [Class::Cold, Class::Hot, Class::Datagram]
            .into_iter()
            .map(head)
            .filter_map(|slot| self.stamp(slot).map(|stamp| (stamp, slot)))
            .min_by_key(|(stamp, _)| *stamp)
            .map(|(_, slot)| slot);
        let first = [head(Class::Closing), head(Class::Embryonic)].into_iter().find(|slot| *slot != NONE);
        if let Some(slot) = first.or(idle) {
            self.close(slot, CloseReason::Evicted, handler);
        }
    }

    fn stamp(&self, slot: u32) -> Option<u64> {
        self.slots.get(slot as usize)?.as_ref().map(|flow| flow.link.stamp)
    }

    /// Packet time is `now`: end idle flows, give up waits, call sessions that are due.
    #[inline]
    pub fn advance<H: FlowHandler<State = S>>(&mut self, now: Timestamp, handler: &mut H) {
        let set_back = self.clock.set(now);
        if set_back || self.clock.now >= self.next_check {
            self.check(handler);
        }
    }

    #[cold]
    fn check<H: FlowHandler<State = S>>(&mut self, handler: &mut H) {
        let now = self.clock.now;
        while let Some(due) = self.deadlines.pop(now) {
            let Some(mut flow) = self.slots.get_mut(due.slot as usize).and_then(Option::take) else {
                continue;
            };
            if flow.connection.info.id == due.flow && flow.due == due.at {
                flow.due = NEVER;
                let connection = &mut flow.connection;
                connection.expire(now, &mut self.counters, &self.limits, handler);
                if let Some(state) = &mut connection.state
                    && handler.deadline(state).is_some_and(|at| at <= now)
                {
                    handler.tick(&mut connection.info, state, now);
                }
                self.schedule(due.slot, &mut flow, handler);
            }
            self.slots[due.slot as usize] = Some(flow);
        }
        for class in Class::ALL {
            while self.expire_head(class, handler) {}
        }
        if self.deadlines.len() > 1024 + 4 * self.counters.flows_open as usize {
            let slots = &self.slots;
            self.deadlines.retain(|due| {
                let flow = slots.get(due.slot as usize).and_then(Option::as_ref);
                flow.is_some_and(|flow| flow.connection.info.id == due.flow && flow.due == due.at)
            });
        }
        let idle = Class::ALL.into_iter().filter_map(|class| self.head_ends(class)).min();
        let idle = idle.map_or(NEVER, |at| at.max(now.plus(SWEEP_NS)));
        self.next_check = self.deadlines.next().unwrap_or(NEVER).min(idle);
    }

    /// How long a flow of this class may be idle.
    fn allowed(&self, class: Class) -> u64 {
        match class {
            Class::Embryonic => self.limits.embryonic_ns,
            Class::Closing => self.limits.linger_ns,
            Class::Hot => self.limits.cool_ns,
            Class::Cold => self.limits.tcp_idle_ns,
            Class::Datagram => self.limits.udp_idle_ns,
        }
    }

    /// When the flow at the head of a list has been idle for long enough.
    fn head_ends(&self, class: Class) -> Option<Timestamp> {
        let stamp = self.stamp(self.lists[class as usize].head)?;
        Some(self.idle_ends(class, stamp))
    }

    fn idle_ends(&self, class: Class, stamp: u64) -> Timestamp {
        let end = stamp.saturating_add(self.allowed(class));
        self.clock.now.plus(end.saturating_sub(self.clock.elapsed))
    }

    /// End (or cool) the flow of this class that was idle for longest, if it is time.
    fn expire_head<H: FlowHandler<State = S>>(&mut self, class: Class, handler: &mut H) -> bool {
        let slot = self.lists[class as usize].head;
        let Some(flow) = self.slots.get(slot as usize).and_then(Option::as_ref) else { return false };
        let stamp = flow.link.stamp;
        let half_closed = flow.connection.streams.iter().any(|stream| stream.finished);
        if self.clock.elapsed.saturating_sub(stamp) < self.allowed(class) {
            return false;
        }
        if class == Class::Hot && !half_closed {
            let Some(flow) = self.slots.get_mut(slot as usize).and_then(Option::as_mut) else { return false };
            for stream in &mut flow.connection.streams {
                stream.cool(&mut self.counters);
            }
            self.relink(slot, Class::Cold);
            return true;
        }
        let ended = self.slots.get(slot as usize).and_then(Option::as_ref).and_then(|f| f.connection.ended);
        self.close(slot, ended.unwrap_or(CloseReason::Idle), handler);
        true
    }

    /// Enter when the flow wants to be called, if that is earlier than what is entered.
    #[inline]
    pub(super) fn schedule<H: FlowHandler<State = S>>(
        &mut self,
        slot: u32,
        flow: &mut Flow<S>,
        handler: &mut H,
    ) {
        let session = flow.connection.state.as_ref().and_then(|state| handler.deadline(state));
        let wait = flow.connection.wait_ends(&self.limits);
        let at = session.unwrap_or(NEVER).min(wait.unwrap_or(NEVER));
        if at >= flow.due {
            return;
        }
        // Never in the past: one turn of `check` calls each flow once.
        let at = at.max(self.clock.now.plus(TICK_MIN_NS));
        if at < flow.due {
            flow.due = at;
            self.deadlines.push(Due { at, flow: flow.connection.info.id, slot });
            self.next_check = self.next_check.min(at);
        }
    }

    /// The same of a flow that waits for nothing itself, whose session wants to be called at `at`.
    #[inline(never)]
    pub(super) fn due_at(&mut self, slot: u32, at: Timestamp) {
        let at = at.max(self.clock.now.plus(TICK_MIN_NS));
        let Some(Some(flow)) = self.slots.get_mut(slot as usize) else { return };
        if at < flow.due {
            flow.due = at;
            self.deadlines.push(Due { at, flow: flow.connection.info.id, slot });
            self.next_check = self.next_check.min(at);
        }
    }

    /// A packet came: to the end of its list.
    #[inline]
    pub(super) fn touch(&mut self, slot: u32, class: Class) {
        let Some(flow) = &mut self.slots[slot as usize] else { return };
        let stale = self.clock.elapsed - flow.link.stamp >= STAMP_NS && class != Class::Closing;
        if flow.link.class != class || stale {
            flow.link.stamp = self.clock.elapsed;
            self.relink(slot, class);
        }
    }

    fn relink(&mut self, slot: u32, class: Class) {
        self.unlink(slot);
        if let Some(flow) = &mut self.slots[slot as usize] {
            flow.link.class = class;
        }
        self.append(slot);
    }

    pub(super) fn append(&mut self, slot: u32) {
        let Some(flow) = &mut self.slots[slot as usize] else { return };
        let (class, stamp) = (flow.link.class, flow.link.stamp);
        let list = &mut self.lists[class as usize];
        let last = list.tail;
        flow.link.before = last;
        flow.link.after = NONE;
        list.tail = slot;
        if last == NONE {
            list.head = slot;
        } else if let Some(previous) = &mut self.slots[last as usize] {
            previous.link.after = slot;
        }
        self.next_check = self.next_check.min(self.idle_ends(class, stamp));
    }

    pub(super) fn unlink(&mut self, slot: u32) {
        let Some(Link { before, after, class, .. }) = self.slots[slot as usize].as_ref().map(|f| f.link)
        else {
            return;
        };
        match self.slots.get_mut(before as usize).and_then(Option::as_mut) {
            Some(previous) => previous.link.after = after,
            None => self.lists[class as usize].head = after,
        }
        match self.slots.get_mut(after as usize).and_then(Option::as_mut) {
            Some(next) => next.link.before = before,
            None => self.lists[class as usize].tail = before,
        }
    }
}
