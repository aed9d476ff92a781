//! Layout of every object, IEEE 1815 annex A: which fields an object has and in which order.
//!
//! The size of an object follows from its shape, so the two cannot disagree.

use crate::contract::PointKind;

/// How a number is coded.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(in crate::dnp3) enum Number {
    U8,
    U16,
    U32,
    I16,
    I32,
    F32,
    F64,
}

impl Number {
    /// Octets.
    pub(in crate::dnp3) const fn size(self) -> u32 {
        match self {
            Number::U8 => 1,
            Number::U16 | Number::I16 => 2,
            Number::U32 | Number::I32 | Number::F32 => 4,
            Number::F64 => 8,
        }
    }
}

/// What stands before a number.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(in crate::dnp3) enum Lead {
    None,
    Flags,
    Status,
}

/// What stands behind a number.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(in crate::dnp3) enum Tail {
    None,
    Time,
    Status,
}

/// The time of a state event.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(in crate::dnp3) enum When {
    None,
    /// 48-bit milliseconds since 1970.
    Absolute,
    /// 16-bit milliseconds since the common time of occurrence.
    Relative,
}

/// The fields of one object.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(in crate::dnp3) enum Shape {
    /// Nothing but the header (class data).
    Nothing,
    /// One packed bit.
    Bit,
    /// Two packed bits.
    TwoBits,
    /// Flags octet with the state in bit 7.
    State(When),
    /// Flags octet with the state in bits 7 and 6.
    DoubleState(When),
    /// Command event: status in bits 6 to 0, commanded state in bit 7.
    CommandEvent(When),
    /// A number with what stands around it.
    Number(Lead, Number, Tail),
    /// Control relay output block or pattern control block, 11 octets.
    Crob,
    /// 48-bit time.
    Time,
    /// 48-bit time and 32-bit interval in milliseconds.
    TimeInterval,
    /// 48-bit time, 32-bit interval, interval's units.
    TimeIntervalUnits,
    /// 16-bit delay in seconds.
    DelaySeconds,
    /// 16-bit delay in milliseconds.
    DelayMilliseconds,
    /// Buffer overflow, group, variation.
    Storage,
    /// Packed binary coded decimal of that many octets.
    Bcd(u8),
    /// Security statistic: flags, association, count, perhaps a time.
    Statistic(When),
    /// Aggressive mode request: sequence and user.
    AuthAggressive,
    /// Session key status request: user.
    AuthStatusRequest,
    /// As many octets as the variation says.
    Octets(u8),
    /// Device attribute: type, length, value.
    Attribute,
    /// Private registration object: vendor, object id, length, octets.
    Private,
    /// Delimited by the size prefix before it.
    Sized,
}

/// How many octets objects of a shape take.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(in crate::dnp3) enum Size {
    /// None.
    Nothing,
    /// So many bits, packed.
    Bits(u32),
    /// So many octets.
    Octets(u32),
    /// Type, length (one octet), value.
    Attribute,
    /// Vendor, object id, length (two octets), value.
    Private,
    /// Only a size prefix tells.
    Prefixed,
}

impl Shape {
    /// Its size.
    #[inline]
    pub(in crate::dnp3) const fn size(self) -> Size {
        match self {
            Shape::Nothing => Size::Nothing,
            Shape::Bit => Size::Bits(1),
            Shape::TwoBits => Size::Bits(2),
            Shape::State(when) | Shape::DoubleState(when) | Shape::CommandEvent(when) => {
                Size::Octets(1 + when.size())
            }
            Shape::Number(lead, number, tail) => Size::Octets(lead.size() + number.size() + tail.size()),
            Shape::Crob | Shape::TimeIntervalUnits => Size::Octets(11),
            Shape::Time | Shape::AuthAggressive => Size::Octets(6),
            Shape::TimeInterval => Size::Octets(10),
            Shape::DelaySeconds | Shape::DelayMilliseconds | Shape::AuthStatusRequest => Size::Octets(2),
            Shape::Storage => Size::Octets(3),
            Shape::Bcd(octets) | Shape::Octets(octets) => Size::Octets(octets as u32),
            Shape::Statistic(when) => Size::Octets(7 + when.size()),
            Shape::Attribute => Size::Attribute,
            Shape::Private => Size::Private,
            Shape::Sized => Size::Prefixed,
        }
    }
}

impl Lead {
    const fn size(self) -> u32 {
        match self {
            Lead::None => 0,
            Lead::Flags | Lead::Status => 1,
        }
    }
}

impl Tail {
    const fn size(self) -> u32 {
        match self {
            Tail::None => 0,
            Tail::Time => 6,
            Tail::Status => 1,
        }
    }
}

impl When {
    const fn size(self) -> u32 {
        match self {
            When::None => 0,
            When::Absolute => 6,
            When::Relative => 2,
        }
    }
}

/// The shape of an object; `None` for one that the standard does not define.
#[inline]
pub(in crate::dnp3) fn shape(group: u8, variation: u8) -> Option<Shape> {
    use Shape::{Bit, Crob, Sized, Time, TwoBits};
    use When::{Absolute, Relative};
    let shape = match (group, variation) {
        (0, 1..) => Shape::Attribute,
        (1 | 10 | 80, 1) | (12, 3) => Bit,
        (1 | 10, 2) | (2 | 11, 1) => Shape::State(When::None),
        (2 | 11, 2) => Shape::State(Absolute),
        (2, 3) => Shape::State(Relative),
        (3, 1) => TwoBits,
        (3, 2) | (4, 1) => Shape::DoubleState(When::None),
        (4, 2) => Shape::DoubleState(Absolute),
        (4, 3) => Shape::DoubleState(Relative),
        (12, 1 | 2) => Crob,
        (13, 1) => Shape::CommandEvent(When::None),
        (13, 2) => Shape::CommandEvent(Absolute),
        (20..=23, _) => return counter(group, variation),
        (30..=34 | 40..=43, _) => return analog(group, variation),
        (50, 1 | 3) | (51, 1 | 2) => Time,
        (50, 2) => Shape::TimeInterval,
        (50, 4) => Shape::TimeIntervalUnits,
        (52, 1) => Shape::DelaySeconds,
        (52, 2) => Shape::DelayMilliseconds,
        (60, 1..=4) => Shape::Nothing,
        (70, 2..=8) => Sized,
        (81, 1) => Shape::Storage,
        (83, 1) => Shape::Private,
        (82 | 85 | 87 | 88 | 90, 1) | (83, 2) | (86, 1..=3) | (91, 1..) => Sized,
        (101, 1) => Shape::Bcd(2),
        (101, 2) => Shape::Bcd(4),
        (101, 3) => Shape::Bcd(8),
        (102, 1) => Shape::Number(Lead::None, Number::U8, Tail::None),
        (110..=113, 1..) => Shape::Octets(variation),
        (120, 3) => Shape::AuthAggressive,
        (120, 4) => Shape::AuthStatusRequest,
        (120, 1..=15) => Sized,
        (121 | 122, 1) => Shape::Statistic(When::None),
        (122, 2) => Shape::Statistic(Absolute),
        _ => return None,
    };
    Some(shape)
}

/// Counters (20), frozen counters (21) and their events (22, 23).
fn counter(group: u8, variation: u8) -> Option<Shape> {
    use Lead::Flags;
    use Number::{U16, U32};
    let plain = |number| Shape::Number(Lead::None, number, Tail::None);
    Some(match (group, variation) {
        (_, 1 | 3) => Shape::Number(Flags, U32, Tail::None),
        (_, 2 | 4) => Shape::Number(Flags, U16, Tail::None),
        (20, 5 | 7) | (21, 9 | 11) => plain(U32),
        (20, 6 | 8) | (21, 10 | 12) => plain(U16),
        (21..=23, 5 | 7) => Shape::Number(Flags, U32, Tail::Time),
        (21..=23, 6 | 8) => Shape::Number(Flags, U16, Tail::Time),
        _ => return None,
    })
}

/// Analog inputs (30 to 33), dead-bands (34) and outputs (40 to 43).
fn analog(group: u8, variation: u8) -> Option<Shape> {
    use Number::{F32, F64, I16, I32, U16, U32};
    let plain = |number| Some(Shape::Number(Lead::None, number, Tail::None));
    let flagged = |number| Some(Shape::Number(Lead::Flags, number, Tail::None));
    let timed = |number| Some(Shape::Number(Lead::Flags, number, Tail::Time));
    match (group, variation) {
        (30, 3) | (31, 5) => plain(I32),
        (30, 4) | (31, 6) => plain(I16),
        (34, 1) => plain(U16),
        (34, 2) => plain(U32),
        (34, 3) => plain(F32),
        (30..=33 | 40 | 42, 1) => flagged(I32),
        (30..=33 | 40 | 42, 2) => flagged(I16),
        (31..=33 | 42, 3) => timed(I32),
        (31..=33 | 42, 4) => timed(I16),
        (30 | 32 | 33 | 42, 5) | (31, 7) | (40, 3) => flagged(F32),
        (30 | 32 | 33 | 42, 6) | (31, 8) | (40, 4) => flagged(F64),
        (32 | 33 | 42, 7) => timed(F32),
        (32 | 33 | 42, 8) => timed(F64),
        (41, _) => command(variation, Lead::None, Tail::Status),
        (43, 1 | 2 | 5 | 6) => command(variation, Lead::Status, Tail::None),
        (43, 3 | 4 | 7 | 8) => command(variation, Lead::Status, Tail::Time),
        _ => None,
    }
}

/// Commands carry the status behind the value, command events before it.
fn command(variation: u8, lead: Lead, tail: Tail) -> Option<Shape> {
    let number = match (tail, variation) {
        (Tail::Status, 3) => Number::F32,
        (Tail::Status, 4) => Number::F64,
        (_, 1 | 3) => Number::I32,
        (_, 2 | 4) => Number::I16,
        (Tail::None | Tail::Time, 5 | 7) => Number::F32,
        (Tail::None | Tail::Time, 6 | 8) => Number::F64,
        _ => return None,
    };
    Some(Shape::Number(lead, number, tail))
}

/// What kind of points a group holds.
pub(in crate::dnp3) fn kind(group: u8) -> PointKind {
    match group {
        0 => PointKind::DeviceAttribute,
        1 | 2 => PointKind::BinaryInput,
        3 | 4 => PointKind::DoubleBitInput,
        10..=13 => PointKind::BinaryOutput,
        20 | 22 => PointKind::Counter,
        21 | 23 => PointKind::FrozenCounter,
        30 | 32 => PointKind::AnalogInput,
        31 | 33 => PointKind::FrozenAnalogInput,
        34 => PointKind::AnalogDeadband,
        40..=43 => PointKind::AnalogOutput,
        60 => PointKind::ClassData,
        80 => PointKind::InternalIndication,
        110 | 111 => PointKind::OctetString,
        112 | 113 => PointKind::VirtualTerminal,
        other => PointKind::Object(other),
    }
}
