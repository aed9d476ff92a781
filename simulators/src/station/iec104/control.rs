//! Commands: select and execute, refusals, termination when the process has obeyed (IEC 60870-5-5, clause
//! 6.8).

use super::points::address::{SETTING, TAP};
use super::points::{Order, Target, control, selects};
use super::session::Outcome;
use super::station::Controlled;
use crate::encode::iec104::{Asdu, cause};
use crate::grid::{Control, Quantity};
use crate::station::{View, effect};

/// A command that has not done its work by then is terminated all the same, negatively.
const PATIENCE_NS: u64 = 10_000_000_000;

/// A selection.
#[derive(Debug, Clone)]
pub(super) struct Selected {
    pub(super) connection: u32,
    type_id: u8,
    object: u32,
    /// Octets as an execute must repeat them.
    octets: Vec<u8>,
    until: u64,
}

/// A command under way.
#[derive(Debug, Clone)]
pub(super) struct Running {
    pub(super) connection: u32,
    asdu: Asdu,
    /// Object that reports what it does.
    pub(super) reported: u32,
    goal: Goal,
    until: u64,
}

#[derive(Debug, Clone, Copy)]
enum Goal {
    Reached(Quantity, f64),
    Moved(Quantity, f64),
    Done,
}

/// The octets of an object with the S/E bit of its qualifier as given.
fn with_select(type_id: u8, octets: &[u8], select: bool) -> Vec<u8> {
    let place = if matches!(type_id, 50 | 63) { 4 } else { 0 };
    let mut out = octets.to_vec();
    if let Some(octet) = out.get_mut(place) {
        *octet = *octet & 0x7f | u8::from(select) << 7;
    }
    // The time tag of a select is not that of the execute.
    if matches!(type_id, 58..=64) {
        out.truncate(out.len().saturating_sub(7));
    }
    out
}

impl Controlled {
    pub(super) fn command(
        &mut self,
        connection: u32,
        asdu: &Asdu,
        view: &View<'_>,
        now: u64,
        outcome: &mut Outcome,
    ) {
        let (object, octets) = &asdu.objects[0];
        let Some((_, target)) = self.list.commands.iter().find(|(address, _)| address == object).copied()
        else {
            return self.say(connection, &asdu.answer(cause::UNKNOWN_OBJECT, true), now);
        };
        let plain = with_select(asdu.type_id, octets, false);
        let fits = |s: &Selected| s.type_id == asdu.type_id && s.object == *object && s.octets == plain;
        self.selected.take_if(|selected| selected.until < now);
        if asdu.cause == cause::DEACTIVATION {
            let ours = self.selected.take_if(|s| s.connection == connection && fits(s)).is_some();
            return self.say(connection, &asdu.answer(cause::DEACTIVATION_CON, !ours), now);
        }
        let order = control(asdu.type_id, target, octets);
        let select = selects(asdu.type_id, octets);
        let taken = self.selected.as_ref().is_some_and(|s| s.connection != connection);
        let selected = self.selected.as_ref().is_some_and(|s| s.connection == connection && fits(s));
        let needs = self.select_first && target != Target::Reclosing && !selected;
        let busy = self.running.iter().any(|running| running.asdu.objects[0].0 == *object);
        let (Some(order), false) = (order, taken || busy || needs && !select) else {
            return self.say(connection, &asdu.answer(cause::ACTIVATION_CON, true), now);
        };
        self.say(connection, &asdu.answer(cause::ACTIVATION_CON, false), now);
        if select {
            let until = now + self.select_ns;
            let (type_id, object) = (asdu.type_id, *object);
            self.selected = Some(Selected { connection, type_id, object, octets: plain, until });
            return;
        }
        self.selected = None;
        // A test has no effect.
        let (reported, goal) =
            if asdu.test { (0, Goal::Done) } else { self.carry_out(order, *object, view, outcome) };
        let running = Running { connection, asdu: asdu.clone(), reported, goal, until: now + PATIENCE_NS };
        self.running.push(running);
        self.terminate(view, now);
    }

    fn carry_out(
        &mut self,
        order: Order,
        object: u32,
        view: &View<'_>,
        outcome: &mut Outcome,
    ) -> (u32, Goal) {
        let mut chance = || self.prng.next_u64();
        match order {
            Order::Reclosing(on) => {
                self.reclosing = on;
                (object - 1000, Goal::Done)
            }
            Order::Setting(value) => {
                self.setting = value;
                (SETTING, Goal::Done)
            }
            Order::Grid(command) => {
                outcome.effects.push(effect(command, chance()));
                match command {
                    Control::Breaker(index, on) => {
                        let goal = Goal::Reached(Quantity::Closed(index), f64::from(u8::from(on)));
                        (object - 1000, goal)
                    }
                    Control::Step(branch, _) => {
                        let tap = Quantity::Tap(branch);
                        (TAP, Goal::Moved(tap, view.value(tap)))
                    }
                    Control::Limit(..) => (SETTING, Goal::Done),
                }
            }
        }
    }

    /// Commands that have done their work, or never will.
    pub(super) fn terminate(&mut self, view: &View<'_>, now: u64) {
        let mut place = 0;
        while let Some(running) = self.running.get(place) {
            let done = match running.goal {
                Goal::Reached(quantity, wanted) => (view.grid.value(quantity) - wanted).abs() < 0.5,
                Goal::Moved(quantity, before) => (view.grid.value(quantity) - before).abs() > 0.5,
                Goal::Done => true,
            };
            if !done && now < running.until {
                place += 1;
                continue;
            }
            let running = self.running.remove(place);
            self.say(running.connection, &running.asdu.answer(cause::TERMINATION, !done), now);
        }
    }
}
