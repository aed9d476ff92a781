//! The station: what it answers to interrogations and requests of the system, and what it reports by itself.

use std::collections::VecDeque;

use super::control::{Running, Selected};
use super::points::{Kind, Point, Points, Source, points};
use super::session::{Outcome, Session};
use crate::apci::Limits;
use crate::encode::iec104::{Asdu, Time, cause, type_id as id};
use crate::grid::{Grid, Quantity};
use crate::scenario::Station;
use crate::station::View;
use crate::wire::Prng;

/// The common address that means all stations.
const ALL: u16 = 0xffff;
/// Octets of objects in one ASDU.
const ROOM: usize = 240;

/// A controlled station.
#[derive(Debug)]
pub(crate) struct Controlled {
    /// Common address.
    pub(crate) address: u16,
    pub(super) limits: Limits,
    pub(super) sessions: Vec<Session>,
    pub(super) events: VecDeque<Asdu>,
    /// Has told that it is ready; after a restart it has not.
    pub(super) initialised: bool,
    pub(super) initialisation: u8,
    pub(super) list: Points,
    pub(super) selected: Option<Selected>,
    pub(super) running: Vec<Running>,
    pub(super) select_ns: u64,
    /// Breakers, taps and set-points are selected first.
    pub(super) select_first: bool,
    pub(super) reclosing: bool,
    pub(super) setting: f64,
    pub(super) prng: Prng,
    /// The clock is ahead by this.
    clock: i64,
    reported: Vec<f64>,
    frozen: Vec<f64>,
    freezes: u8,
    periodic_every: u64,
    periodic_at: u64,
}

impl Controlled {
    pub(crate) fn new(station: &Station, grid: &Grid, prng: Prng, now: u64, cold: bool) -> Controlled {
        let mut controlled = Controlled {
            address: station.common_address.unwrap_or(1),
            limits: Limits::default(),
            sessions: Vec::new(),
            events: VecDeque::new(),
            initialised: !cold,
            initialisation: 0,
            list: points(station, grid),
            selected: None,
            running: Vec::new(),
            select_ns: station.select_timeout.ns(),
            select_first: station.select_first,
            reclosing: true,
            setting: 600.0,
            prng,
            clock: 0,
            reported: Vec::new(),
            frozen: Vec::new(),
            freezes: 0,
            periodic_every: station.periodic_every.ns(),
            periodic_at: now + 1_000_000_000,
        };
        let view = View { grid, spoof: None };
        controlled.reported = controlled.values(&view);
        controlled.frozen.clone_from(&controlled.reported);
        controlled
    }

    pub(super) fn value(&self, point: &Point, view: &View<'_>) -> f64 {
        match point.source {
            Source::Grid(quantity, scale) => view.value(quantity) * scale,
            Source::Reclosing => f64::from(u8::from(self.reclosing)),
            Source::Setting => self.setting,
        }
    }

    fn values(&self, view: &View<'_>) -> Vec<f64> {
        self.list.points.iter().map(|point| self.value(point, view)).collect()
    }

    /// Every quantity among the points.
    pub(crate) fn quantities(&self) -> Vec<Quantity> {
        let source = |point: &Point| match point.source {
            Source::Grid(quantity, _) => Some(quantity),
            _ => None,
        };
        self.list.points.iter().filter_map(source).collect()
    }

    pub(super) fn time(&self, now: u64) -> Time {
        Time::at((now as i64 / 1_000_000).saturating_add(self.clock).max(0) as u64)
    }

    /// After a restart: no connection, no event, and it will say that it is ready.
    pub(crate) fn restart(&mut self) {
        self.sessions.clear();
        self.events.clear();
        self.selected = None;
        self.running.clear();
        self.initialised = false;
        self.initialisation = 2;
    }

    pub(super) fn request(
        &mut self,
        connection: u32,
        asdu: &Asdu,
        view: &View<'_>,
        now: u64,
        outcome: &mut Outcome,
    ) {
        let system = matches!(asdu.type_id, id::C_IC_NA_1 | id::C_CI_NA_1 | id::C_CS_NA_1 | id::C_RP_NA_1);
        let known =
            system || matches!(asdu.type_id, 45..=51 | 58..=64 | id::C_RD_NA_1 | id::C_TS_TA_1 | 110..=112);
        let right = match asdu.type_id {
            id::C_RD_NA_1 => asdu.cause == cause::REQUEST,
            id::C_CI_NA_1 | id::C_CS_NA_1 | id::C_RP_NA_1 | id::C_TS_TA_1 | 110..=112 => {
                asdu.cause == cause::ACTIVATION
            }
            _ => matches!(asdu.cause, cause::ACTIVATION | cause::DEACTIVATION),
        };
        let here = asdu.address == self.address || asdu.address == ALL && system;
        let wrong = if !known {
            Some(cause::UNKNOWN_TYPE)
        } else if !here {
            Some(cause::UNKNOWN_ADDRESS)
        } else if !right {
            Some(cause::UNKNOWN_CAUSE)
        } else {
            None
        };
        if let Some(cause) = wrong {
            return self.say(connection, &asdu.answer(cause, true), now);
        }
        let [(object, octets)] = asdu.objects.as_slice() else {
            return self.say(connection, &asdu.answer(cause::ACTIVATION_CON, true), now);
        };
        // A broadcast is answered under the own address.
        let own = Asdu { address: self.address, ..asdu.clone() };
        let qualifier = octets.first().copied().unwrap_or(0);
        match asdu.type_id {
            id::C_IC_NA_1 => self.interrogation(connection, &own, qualifier, view, now),
            id::C_CI_NA_1 => self.counters(connection, &own, qualifier, view, now),
            id::C_RD_NA_1 => self.read(connection, &own, *object, view, now),
            id::C_CS_NA_1 => {
                self.set_clock(octets, now);
                self.say(connection, &own.answer(cause::ACTIVATION_CON, false), now);
            }
            id::C_TS_TA_1 => self.say(connection, &own.answer(cause::ACTIVATION_CON, false), now),
            id::C_RP_NA_1 => {
                self.say(connection, &own.answer(cause::ACTIVATION_CON, qualifier != 1), now);
                outcome.restart |= qualifier == 1 && !asdu.test;
            }
            110..=112 => self.parameter(connection, &own, *object, octets, now),
            _ => self.command(connection, &own, view, now, outcome),
        }
    }

    fn interrogation(&mut self, connection: u32, asdu: &Asdu, group: u8, view: &View<'_>, now: u64) {
        let fits = asdu.cause == cause::ACTIVATION && group == cause::INTERROGATED;
        let confirmation =
            if asdu.cause == cause::DEACTIVATION { cause::DEACTIVATION_CON } else { cause::ACTIVATION_CON };
        self.say(connection, &asdu.answer(confirmation, !fits), now);
        if !fits {
            return;
        }
        let values = self.values(view);
        for kind in [Kind::Single, Kind::Double, Kind::Step, Kind::Float] {
            for part in self.report(kind, &values, cause::INTERROGATED) {
                self.say(connection, &part, now);
            }
        }
        self.say(connection, &asdu.answer(cause::TERMINATION, false), now);
    }

    /// Values of one kind, as many as fit into an ASDU; addresses that follow each other are counted (SQ).
    fn report(&self, kind: Kind, values: &[f64], cause: u8) -> Vec<Asdu> {
        let mut out: Vec<Asdu> = Vec::new();
        let mut last = 0;
        for (point, value) in self.list.points.iter().zip(values).filter(|(p, _)| p.kind == kind) {
            let octets = point.octets(*value, self.freezes, None);
            let fits =
                |asdu: &Asdu| (asdu.objects.len() + 1) * octets.len() <= ROOM && last + 1 == point.address;
            match out.last_mut().filter(|asdu| fits(asdu)) {
                Some(asdu) => {
                    asdu.objects.push((point.address, octets));
                    asdu.sequence = true;
                }
                None => out.push(Asdu::new(point.types().0, cause, self.address, point.address, octets)),
            }
            last = point.address;
        }
        out
    }

    fn counters(&mut self, connection: u32, asdu: &Asdu, qualifier: u8, view: &View<'_>, now: u64) {
        let (request, freeze) = (qualifier & 0x3f, qualifier >> 6);
        let refused = request != 5;
        self.say(connection, &asdu.answer(cause::ACTIVATION_CON, refused), now);
        if refused {
            return;
        }
        if freeze != 0 {
            self.frozen = self.values(view);
            self.freezes = (self.freezes + 1) & 31;
        }
        let values = if freeze == 0 && self.freezes == 0 { self.values(view) } else { self.frozen.clone() };
        for part in self.report(Kind::Counter, &values, cause::COUNTERS) {
            self.say(connection, &part, now);
        }
        self.say(connection, &asdu.answer(cause::TERMINATION, false), now);
    }

    fn read(&mut self, connection: u32, asdu: &Asdu, object: u32, view: &View<'_>, now: u64) {
        let found = self.list.points.iter().find(|point| point.address == object);
        let answer = match found {
            Some(point) => {
                let octets = point.octets(self.value(point, view), self.freezes, None);
                Asdu::new(point.types().0, cause::REQUEST, self.address, object, octets)
            }
            None => asdu.answer(cause::UNKNOWN_OBJECT, true),
        };
        self.say(connection, &answer, now);
    }

    /// Time of the clock that is set; a day of month that is none leaves it as it is.
    fn set_clock(&mut self, octets: &[u8], now: u64) {
        let [m1, m2, minute, hour, day, month, year] = *octets else { return };
        let date =
            jiff::civil::Date::new(2000 + i16::from(year & 0x7f), (month & 15) as i8, (day & 31) as i8);
        let Ok(date) = date else { return };
        let ms = i64::from(u16::from_le_bytes([m1, m2]));
        let (hour, minute) = (i64::from(hour & 31), i64::from(minute & 63));
        let Ok(midnight) = date.to_zoned(jiff::tz::TimeZone::UTC) else { return };
        let set = midnight.timestamp().as_millisecond() + (hour * 60 + minute) * 60_000 + ms;
        let off = set - now as i64 / 1_000_000;
        // A second is the transport's delay, not an error.
        self.clock = if off.abs() < 1000 { 0 } else { off };
    }

    fn parameter(&mut self, connection: u32, asdu: &Asdu, object: u32, octets: &[u8], now: u64) {
        let point = self.list.points.iter_mut().find(|p| p.address == object && p.kind == Kind::Float);
        let answer = match (point, octets) {
            (Some(point), [a, b, c, d, _]) => {
                point.threshold = f64::from(f32::from_le_bytes([*a, *b, *c, *d])).abs();
                asdu.answer(cause::ACTIVATION_CON, false)
            }
            (Some(_), _) => asdu.answer(cause::ACTIVATION_CON, true),
            (None, _) => asdu.answer(cause::UNKNOWN_OBJECT, true),
        };
        self.say(connection, &answer, now);
    }

    /// An event that has not happened.
    pub(crate) fn storm(&mut self, now: u64, outcome: &mut Outcome) {
        let Some(point) = self.list.points.first().copied() else { return };
        let value = f64::from(u8::from(self.prng.chance(50)));
        let octets = point.octets(value, 0, Some(self.time(now)));
        let event = Asdu::new(point.types().1, cause::SPONTANEOUS, self.address, point.address, octets);
        self.tell(&event, now);
        self.flush_all(outcome);
    }

    /// Time passes or the process moved: spontaneous and periodic reports, commands that are done.
    pub(crate) fn observe(&mut self, view: &View<'_>, now: u64, outcome: &mut Outcome) {
        for place in 0..self.list.points.len() {
            let point = self.list.points[place];
            let value = self.value(&point, view);
            if !point.moved(self.reported[place], value) {
                continue;
            }
            self.reported[place] = value;
            let ordered = self.running.iter().any(|running| running.reported == point.address);
            let why = if ordered { cause::RETURN_REMOTE } else { cause::SPONTANEOUS };
            let octets = point.octets(value, 0, Some(self.time(now)));
            self.tell(&Asdu::new(point.types().1, why, self.address, point.address, octets), now);
        }
        self.terminate(view, now);
        if self.periodic_every > 0 && now >= self.periodic_at {
            self.periodic_at = now + self.periodic_every;
            let values = self.values(view);
            for part in self.report(Kind::Float, &values, cause::PERIODIC) {
                self.tell(&part, now);
            }
        }
        self.flush_all(outcome);
    }
}
