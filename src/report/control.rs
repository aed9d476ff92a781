//! A control from command to consequence: what was ordered, how it was answered, what became of it; and the
//! sentence that an operator can read aloud.

use core::fmt;

use parsers::{
    Coverage, Crob, Endpoint, FrameRef, Function, PointKind, Protocol, StationAddress, Timestamp, Value,
};

/// State or value of a point.
#[derive(Debug, Copy, Clone, PartialEq)]
pub enum Level {
    /// Off, open.
    Off,
    /// On, closed.
    On,
    /// A double-bit point between its ends, or with both ends at once.
    Between,
    /// A number as the wire gave it.
    Number(f64),
}

impl Level {
    /// The state or number in a value, if it is one.
    #[must_use]
    pub fn of(value: &Value<'_>) -> Option<Level> {
        Some(match *value {
            Value::Bit(false) | Value::DoubleBit(1) => Level::Off,
            Value::Bit(true) | Value::DoubleBit(2) => Level::On,
            Value::DoubleBit(_) => Level::Between,
            Value::Unsigned(number) => Level::Number(number as f64),
            Value::Signed(number) => Level::Number(number as f64),
            Value::Float32(number) => Level::Number(number.into()),
            Value::Float64(number) => Level::Number(number),
            _ => return None,
        })
    }

    /// The other of two states.
    #[must_use]
    pub fn is_opposite(self, other: Level) -> bool {
        matches!((self, other), (Level::Off, Level::On) | (Level::On, Level::Off))
    }
}

/// What is ordered of a point.
#[derive(Debug, Copy, Clone, PartialEq)]
pub enum Order {
    /// DNP3 trip.
    Trip,
    /// DNP3 close.
    Close,
    /// DNP3 latch on, coil on.
    On,
    /// DNP3 latch off, coil off.
    Off,
    /// DNP3 pulse on without trip or close.
    PulseOn,
    /// DNP3 pulse off without trip or close.
    PulseOff,
    /// DNP3 control code that moves nothing (nul, cancel).
    Nothing,
    /// A number.
    Set(f64),
    /// Some bits of a register.
    Mask,
    /// A value of a form that is not compared.
    Other,
}

impl Order {
    /// What a value written or commanded orders. IEEE 1815, group 12: trip/close code in bits 6 and 7,
    /// operation type in bits 0 to 3.
    #[must_use]
    pub fn of(value: &Value<'_>) -> Option<Order> {
        Some(match *value {
            Value::None => return None,
            Value::Crob(Crob { code, .. }) => match (code >> 6, code & 0x0F) {
                (_, 0) => Order::Nothing,
                (1, _) => Order::Close,
                (2, _) => Order::Trip,
                (_, 1) => Order::PulseOn,
                (_, 2) => Order::PulseOff,
                (_, 3) => Order::On,
                (_, 4) => Order::Off,
                _ => Order::Other,
            },
            Value::Mask { .. } => Order::Mask,
            ref value => match Level::of(value) {
                Some(Level::On) => Order::On,
                Some(Level::Off) => Order::Off,
                Some(Level::Number(number)) => Order::Set(number),
                Some(Level::Between) | None => Order::Other,
            },
        })
    }

    /// The state it leads to, if it says one.
    #[must_use]
    pub fn wanted(self) -> Option<Level> {
        match self {
            Order::Trip | Order::Off => Some(Level::Off),
            Order::Close | Order::On => Some(Level::On),
            Order::Set(number) => Some(Level::Number(number)),
            _ => None,
        }
    }

    /// Whether it switches rather than sets.
    #[must_use]
    pub fn switches(self) -> bool {
        matches!(self, Order::Trip | Order::Close | Order::On | Order::Off | Order::PulseOn | Order::PulseOff)
    }

    /// Lower-case name, as in events.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Order::Trip => "trip",
            Order::Close => "close",
            Order::On => "on",
            Order::Off => "off",
            Order::PulseOn => "pulse_on",
            Order::PulseOff => "pulse_off",
            Order::Nothing => "nothing",
            Order::Set(_) => "set",
            Order::Mask => "mask",
            Order::Other => "other",
        }
    }

    /// As told (`tripped`) and as tried (`trip`).
    fn verbs(self) -> (&'static str, &'static str) {
        match self {
            Order::Trip => ("tripped", "trip"),
            Order::Close => ("closed", "close"),
            Order::On => ("switched on", "switch on"),
            Order::Off => ("switched off", "switch off"),
            Order::PulseOn => ("pulsed on", "pulse on"),
            Order::PulseOff => ("pulsed off", "pulse off"),
            Order::Nothing => ("sent an empty control to", "send an empty control to"),
            Order::Set(_) => ("set", "set"),
            Order::Mask => ("changed bits of", "change bits of"),
            Order::Other => ("commanded", "command"),
        }
    }

    /// A state in the words that go with the order: a breaker is open, a latch is off.
    pub(crate) fn state(self, level: Level) -> StateWord {
        StateWord { level, breaker: matches!(self, Order::Trip | Order::Close) }
    }
}

/// How a control was given.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub enum Method {
    /// Select alone.
    Select,
    /// Select, then operate.
    SelectOperate,
    /// Operate without a select that was seen.
    Operate,
    /// Direct operate.
    DirectOperate,
    /// Direct operate that forbids an answer.
    DirectOperateNoAck,
    /// A write.
    Write,
}

impl Method {
    /// Lower-case name, as in events.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Method::Select => "select",
            Method::SelectOperate => "select_operate",
            Method::Operate => "operate",
            Method::DirectOperate => "direct_operate",
            Method::DirectOperateNoAck => "direct_operate_no_ack",
            Method::Write => "write",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Method::Select => "select",
            Method::SelectOperate => "select-operate",
            Method::Operate => "operate without a select",
            Method::DirectOperate => "direct operate",
            Method::DirectOperateNoAck => "direct operate, no acknowledgement wanted",
            Method::Write => "write",
        }
    }
}

/// What became of a control.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub enum ControlOutcome {
    /// Every point is seen as commanded.
    Done,
    /// The station refused it.
    Refused,
    /// The station did not answer in time.
    NoAnswer,
    /// Accepted, and a point that follows its commands did not, though it was read in its time.
    NoEffect,
    /// Accepted; nothing shows whether the points moved.
    NotConfirmed,
    /// Selected and never operated.
    NotOperated,
}

impl ControlOutcome {
    /// Lower-case name, as in events.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ControlOutcome::Done => "done",
            ControlOutcome::Refused => "refused",
            ControlOutcome::NoAnswer => "no_answer",
            ControlOutcome::NoEffect => "no_effect",
            ControlOutcome::NotConfirmed => "not_confirmed",
            ControlOutcome::NotOperated => "not_operated",
        }
    }
}

/// A point of a control.
#[derive(Debug, Copy, Clone)]
pub struct ControlPoint<'a> {
    /// What kind of point.
    pub kind: PointKind,
    /// Its address.
    pub address: u32,
    /// Its name in the profile, if it has one.
    pub name: Option<&'a str>,
    /// What was ordered.
    pub order: Order,
    /// Command status octet of the answer (DNP3).
    pub status: Option<u8>,
    /// Its state when it was commanded, if seen before.
    pub before: Option<Level>,
    /// Its state last seen since.
    pub after: Option<Level>,
    /// Nanoseconds until it was seen as commanded.
    pub effect_ns: Option<u64>,
}

/// A control that has come to its end.
#[derive(Copy, Clone)]
pub struct ControlEvent<'a> {
    /// Packet time at which its end was known.
    pub at: Timestamp,
    /// The protocol.
    pub protocol: Protocol,
    /// Who commanded. Port 0: the connection is not known any more.
    pub client: Endpoint,
    /// The station's side.
    pub server: Endpoint,
    /// The station's address in its protocol.
    pub station: StationAddress,
    /// The station's name in the profile.
    pub station_name: Option<&'a str>,
    /// The commanding host's name in the profile.
    pub client_name: Option<&'a str>,
    /// Function of the request.
    pub function: Function,
    /// How it was given.
    pub method: Method,
    /// What became of it.
    pub outcome: ControlOutcome,
    /// Why it was refused: the protocol's code and its name.
    pub refusal: Option<(u16, &'static str)>,
    /// When it was selected.
    pub selected: Option<Timestamp>,
    /// When it was sent (the select, if there was nothing else).
    pub sent: Timestamp,
    /// When it was answered.
    pub answered: Option<Timestamp>,
    /// Addressed to all stations.
    pub broadcast: bool,
    /// Whether an answer is due.
    pub wants_answer: bool,
    /// Its points, at least one.
    pub points: &'a [ControlPoint<'a>],
    /// Points beyond those.
    pub more_points: u32,
    /// The frames that show it.
    pub frames: &'a [FrameRef],
    /// What could not be seen.
    pub coverage: Coverage,
}

/// The sentence.
impl fmt::Display for ControlEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.client_name {
            Some(name) => write!(f, "{name} ({})", self.client.host)?,
            None => write!(f, "{}", self.client.host)?,
        }
        let order = self.points.first().map_or(Order::Other, |point| point.order);
        let (done, tried) = order.verbs();
        match self.outcome {
            _ if self.method == Method::Select => f.write_str(" selected ")?,
            ControlOutcome::Done | ControlOutcome::NotConfirmed => write!(f, " {done} ")?,
            _ => write!(f, " tried to {tried} ")?,
        }
        self.object(f)?;
        if let (Order::Set(number), 1) = (order, self.point_count()) {
            write!(f, " to {}", Number(number))?;
        }
        write!(f, " at {}: ", TimeOfDay(self.sent))?;
        if self.method == Method::Write {
            spaced(f, self.function.name)?;
        } else {
            f.write_str(self.method.words())?;
        }
        if self.broadcast {
            f.write_str(" to all stations")?;
        }
        self.answer(f)?;
        self.consequence(f)?;
        f.write_str(".")
    }
}

impl ControlEvent<'_> {
    fn point_count(&self) -> u32 {
        self.points.len() as u32 + self.more_points
    }

    /// Nanoseconds until all points were seen as commanded.
    #[must_use]
    pub fn effect_ns(&self) -> Option<u64> {
        let all = self.outcome == ControlOutcome::Done;
        self.points.iter().filter_map(|point| point.effect_ns).max().filter(|_| all)
    }

    fn object(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.points.first() else { return f.write_str("nothing") };
        if let Some(station) = self.station_name {
            write!(f, "{station} ")?;
        }
        if let Some(name) = first.name {
            f.write_str(name)?;
        } else {
            spaced(f, first.kind.name())?;
            write!(f, " {}", first.address)?;
        }
        let more = self.point_count().saturating_sub(1);
        if more > 0 {
            write!(f, " and {more} more")?;
        }
        match (self.station_name, self.station) {
            (Some(_), _) => Ok(()),
            (None, StationAddress::None) => write!(f, " of {}", self.server.host),
            (None, address) => write!(f, " of {address} at {}", self.server.host),
        }
    }

    fn answer(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.refusal, self.answered) {
            (Some((_, name)), _) => {
                f.write_str(", refused: ")?;
                spaced(f, name)
            }
            (None, Some(_)) => f.write_str(", accepted"),
            (None, None) if !self.wants_answer => Ok(()),
            (None, None) if self.coverage.is_complete() => f.write_str(", no answer"),
            (None, None) => f.write_str(", no answer seen"),
        }
    }

    fn consequence(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.points.first() else { return Ok(()) };
        let one = self.point_count() == 1;
        match self.outcome {
            ControlOutcome::Refused | ControlOutcome::NoAnswer => Ok(()),
            ControlOutcome::NotOperated => f.write_str(", never operated"),
            ControlOutcome::Done => match (self.effect_ns(), first.after) {
                (Some(effect), Some(state)) if one => {
                    write!(f, ", {} after {}", first.order.state(state), Lasted(effect))
                }
                (Some(effect), _) => write!(f, ", all as commanded after {}", Lasted(effect)),
                (None, Some(state)) if one => write!(f, ", already {}", first.order.state(state)),
                (None, _) => f.write_str(", all already as commanded"),
            },
            ControlOutcome::NoEffect | ControlOutcome::NotConfirmed => {
                let lasted = Lasted(self.at.since(self.sent));
                let differs = self.points.iter().find_map(|point| {
                    let after = point.after.filter(|_| point.effect_ns.is_none())?;
                    (point.order.wanted() != Some(after)).then_some((point, after))
                });
                match differs {
                    None => f.write_str(", effect not seen"),
                    Some((point, after)) => {
                        let still = if point.before == Some(after) { "still " } else { "" };
                        write!(f, ", {still}{} after {lasted}", point.order.state(after))
                    }
                }
            }
        }
    }
}

/// A state in words.
#[derive(Debug, Copy, Clone)]
pub(crate) struct StateWord {
    level: Level,
    breaker: bool,
}

impl fmt::Display for StateWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.level, self.breaker) {
            (Level::Off, true) => f.write_str("open"),
            (Level::On, true) => f.write_str("closed"),
            (Level::Off, false) => f.write_str("off"),
            (Level::On, false) => f.write_str("on"),
            (Level::Between, _) => f.write_str("neither open nor closed"),
            (Level::Number(number), _) => write!(f, "at {}", Number(number)),
        }
    }
}

/// A number without the digits that a conversion from 32 bits adds.
pub(crate) struct Number(pub(crate) f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match narrow(self.0) {
            Some(narrow) => write!(f, "{narrow}"),
            None => write!(f, "{}", self.0),
        }
    }
}

/// The number in 32 bits, if it is the same.
pub(super) fn narrow(number: f64) -> Option<f32> {
    let narrow = number as f32;
    (f64::from(narrow).to_bits() == number.to_bits()).then_some(narrow)
}

/// `84 ms`, `15.0 s`, `2 d 4 h`.
pub(crate) struct Lasted(pub(crate) u64);

impl fmt::Display for Lasted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ns @ ..1_000_000 => write!(f, "{:.1} ms", ns as f64 / 1e6),
            ns @ ..1_000_000_000 => write!(f, "{:.0} ms", ns as f64 / 1e6),
            ns @ ..120_000_000_000 => write!(f, "{:.1} s", ns as f64 / 1e9),
            ns => super::words::Span(ns).fmt(f),
        }
    }
}

/// `12:01:03.220`, UTC.
struct TimeOfDay(Timestamp);

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.0 / 1_000_000;
        let (hours, minutes, seconds) = (ms / 3_600_000 % 24, ms / 60_000 % 60, ms / 1000 % 60);
        write!(f, "{hours:02}:{minutes:02}:{seconds:02}.{:03}", ms % 1000)
    }
}

fn spaced(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    write!(f, "{}", parsers::Spaced(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_codes_say_what_they_order() {
        let order = |code| {
            Order::of(&Value::Crob(Crob { code, count: 1, on_time_ms: 0, off_time_ms: 0 })).map(Order::name)
        };
        let all = [0x41, 0x81, 0x03, 0x04, 0x01, 0x02, 0x00, 0x20, 0xC1, 0x0F].map(order);
        let expected = [
            "close",
            "trip",
            "on",
            "off",
            "pulse_on",
            "pulse_off",
            "nothing",
            "nothing",
            "pulse_on",
            "other",
        ];
        assert_eq!(all, expected.map(Some));
    }

    #[test]
    fn numbers_and_times_are_short() {
        assert_eq!(Number(f64::from(10.7_f32)).to_string(), "10.7");
        assert_eq!(Number(4711.0).to_string(), "4711");
        assert_eq!(Number(0.1).to_string(), "0.1");
        assert_eq!(Lasted(400_000).to_string(), "0.4 ms");
        assert_eq!(Lasted(84_000_000).to_string(), "84 ms");
        assert_eq!(Lasted(15_000_000_000).to_string(), "15.0 s");
        assert_eq!(TimeOfDay(Timestamp(43_263_220_000_000)).to_string(), "12:01:03.220");
    }
}
