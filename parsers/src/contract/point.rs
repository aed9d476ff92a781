//! Points: addresses, values, quality.

use super::Protocol;

/// What kind of point an address names.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub enum PointKind {
    /// Modbus coil (0xxxx).
    Coil,
    /// Modbus discrete input (1xxxx).
    DiscreteInput,
    /// Modbus input register (3xxxx).
    InputRegister,
    /// Modbus holding register (4xxxx).
    HoldingRegister,
    /// Modbus file record; address is file * 65536 + record.
    FileRecord,
    /// Modbus FIFO queue pointer.
    FifoQueue,
    /// Modbus exception status, diagnostics, identification: a value without an address.
    DeviceData,
    /// DNP3 binary input, static or event (groups 1, 2).
    BinaryInput,
    /// DNP3 double-bit binary input (groups 3, 4).
    DoubleBitInput,
    /// DNP3 binary output status, event or command (groups 10 to 13).
    BinaryOutput,
    /// DNP3 counter (groups 20, 22).
    Counter,
    /// DNP3 frozen counter (groups 21, 23).
    FrozenCounter,
    /// DNP3 analog input (groups 30, 32).
    AnalogInput,
    /// DNP3 frozen analog input (groups 31, 33).
    FrozenAnalogInput,
    /// DNP3 analog input dead-band (group 34).
    AnalogDeadband,
    /// DNP3 analog output status, event or command (groups 40 to 43).
    AnalogOutput,
    /// DNP3 octet string (groups 110, 111).
    OctetString,
    /// DNP3 virtual terminal (groups 112, 113).
    VirtualTerminal,
    /// DNP3 internal indication (group 80).
    InternalIndication,
    /// DNP3 class data (group 60); address 0 to 3 is the class.
    ClassData,
    /// DNP3 device attribute (group 0); address is the variation.
    DeviceAttribute,
    /// IEC 60870-5 information object. One number space a station: the type of the ASDU says what is there.
    InformationObject,
    /// Member of a published data set (GOOSE); address is its place, from 0.
    DataSetMember,
    /// Any other DNP3 object group.
    Object(u8),
}

impl PointKind {
    /// Kinds that a profile can name, that is, all but [`PointKind::Object`] and [`PointKind::DataSetMember`].
    pub const NAMED: [PointKind; 22] = [
        PointKind::Coil,
        PointKind::DiscreteInput,
        PointKind::InputRegister,
        PointKind::HoldingRegister,
        PointKind::FileRecord,
        PointKind::FifoQueue,
        PointKind::DeviceData,
        PointKind::BinaryInput,
        PointKind::DoubleBitInput,
        PointKind::BinaryOutput,
        PointKind::Counter,
        PointKind::FrozenCounter,
        PointKind::AnalogInput,
        PointKind::FrozenAnalogInput,
        PointKind::AnalogDeadband,
        PointKind::AnalogOutput,
        PointKind::OctetString,
        PointKind::VirtualTerminal,
        PointKind::InternalIndication,
        PointKind::ClassData,
        PointKind::DeviceAttribute,
        PointKind::InformationObject,
    ];

    /// The protocol whose points these are.
    #[must_use]
    pub fn protocol(self) -> Protocol {
        match self {
            PointKind::Coil
            | PointKind::DiscreteInput
            | PointKind::InputRegister
            | PointKind::HoldingRegister
            | PointKind::FileRecord
            | PointKind::FifoQueue
            | PointKind::DeviceData => Protocol::Modbus,
            PointKind::InformationObject => Protocol::Iec104,
            PointKind::DataSetMember => Protocol::Goose,
            _ => Protocol::Dnp3,
        }
    }

    /// The highest address that a point of this kind can have.
    #[must_use]
    pub fn highest(self) -> u32 {
        match self {
            PointKind::Coil
            | PointKind::DiscreteInput
            | PointKind::InputRegister
            | PointKind::HoldingRegister
            | PointKind::FifoQueue => 0xFFFF,
            PointKind::DeviceData => 0,
            PointKind::InternalIndication => 15,
            PointKind::ClassData => 3,
            PointKind::DeviceAttribute => 255,
            PointKind::InformationObject => 0x00FF_FFFF,
            _ => u32::MAX,
        }
    }

    /// `snake_case` name, as in events and profiles; `"object"` for other groups.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            PointKind::Coil => "coil",
            PointKind::DiscreteInput => "discrete_input",
            PointKind::InputRegister => "input_register",
            PointKind::HoldingRegister => "holding_register",
            PointKind::FileRecord => "file_record",
            PointKind::FifoQueue => "fifo_queue",
            PointKind::DeviceData => "device_data",
            PointKind::BinaryInput => "binary_input",
            PointKind::DoubleBitInput => "double_bit_input",
            PointKind::BinaryOutput => "binary_output",
            PointKind::Counter => "counter",
            PointKind::FrozenCounter => "frozen_counter",
            PointKind::AnalogInput => "analog_input",
            PointKind::FrozenAnalogInput => "frozen_analog_input",
            PointKind::AnalogDeadband => "analog_deadband",
            PointKind::AnalogOutput => "analog_output",
            PointKind::OctetString => "octet_string",
            PointKind::VirtualTerminal => "virtual_terminal",
            PointKind::InternalIndication => "internal_indication",
            PointKind::ClassData => "class_data",
            PointKind::DeviceAttribute => "device_attribute",
            PointKind::InformationObject => "information_object",
            PointKind::DataSetMember => "data_set_member",
            PointKind::Object(_) => "object",
        }
    }

    /// A number for the kind that no other has. It may change from one version to the next.
    #[must_use]
    pub fn number(self) -> u16 {
        match self {
            PointKind::Coil => 0,
            PointKind::DiscreteInput => 1,
            PointKind::InputRegister => 2,
            PointKind::HoldingRegister => 3,
            PointKind::FileRecord => 4,
            PointKind::FifoQueue => 5,
            PointKind::DeviceData => 6,
            PointKind::BinaryInput => 7,
            PointKind::DoubleBitInput => 8,
            PointKind::BinaryOutput => 9,
            PointKind::Counter => 10,
            PointKind::FrozenCounter => 11,
            PointKind::AnalogInput => 12,
            PointKind::FrozenAnalogInput => 13,
            PointKind::AnalogDeadband => 14,
            PointKind::AnalogOutput => 15,
            PointKind::OctetString => 16,
            PointKind::VirtualTerminal => 17,
            PointKind::InternalIndication => 18,
            PointKind::ClassData => 19,
            PointKind::DeviceAttribute => 20,
            PointKind::InformationObject => 21,
            PointKind::DataSetMember => 22,
            PointKind::Object(group) => 0x100 | group as u16,
        }
    }

    /// Name of a bit of the flags octet of this kind of point, IEEE 1815 clause 11.6 or IEC 60870-5-101 clause
    /// 7.2.6; `None` for bits that are reserved or part of a state.
    #[must_use]
    pub fn flag_name(self, bit: u8) -> Option<&'static str> {
        if self == PointKind::InformationObject {
            return quality_name(bit);
        }
        let name = match bit {
            0 => "online",
            1 => "restart",
            2 => "comm_lost",
            3 => "remote_forced",
            4 => "local_forced",
            _ => return self.upper_flag_name(bit),
        };
        self.has_flags().then_some(name)
    }

    fn upper_flag_name(self, bit: u8) -> Option<&'static str> {
        use PointKind::{
            AnalogInput, AnalogOutput, BinaryInput, BinaryOutput, Counter, DoubleBitInput, FrozenAnalogInput,
            FrozenCounter,
        };
        match (self, bit) {
            (BinaryInput | DoubleBitInput, 5) => Some("chatter_filter"),
            (BinaryInput | BinaryOutput, 7) => Some("state"),
            (Counter | FrozenCounter, 5) => Some("rollover"),
            (Counter | FrozenCounter, 6) => Some("discontinuity"),
            (AnalogInput | FrozenAnalogInput | AnalogOutput, 5) => Some("over_range"),
            (AnalogInput | FrozenAnalogInput | AnalogOutput, 6) => Some("reference_err"),
            _ => None,
        }
    }

    /// Whether a station that reports a point with these flags vouches for its value: in DNP3 it is online and
    /// its source is reached, in IEC 60870-5 it is neither invalid nor not topical.
    #[must_use]
    pub fn vouches(self, flags: u8) -> bool {
        const ONLINE: u8 = 0x01;
        const COMM_LOST: u8 = 0x04;
        const NOT_TOPICAL_OR_INVALID: u8 = 0xC0;
        match self {
            PointKind::InformationObject => flags & NOT_TOPICAL_OR_INVALID == 0,
            _ => flags & (ONLINE | COMM_LOST) == ONLINE,
        }
    }

    fn has_flags(self) -> bool {
        matches!(
            self,
            PointKind::BinaryInput
                | PointKind::DoubleBitInput
                | PointKind::BinaryOutput
                | PointKind::Counter
                | PointKind::FrozenCounter
                | PointKind::AnalogInput
                | PointKind::FrozenAnalogInput
                | PointKind::AnalogOutput
        )
    }

    /// The named kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<PointKind> {
        PointKind::NAMED.into_iter().find(|k| k.name() == name)
    }
}

/// Quality bits as [`Point::flags`] has them, whatever octet of the element they stood in.
fn quality_name(bit: u8) -> Option<&'static str> {
    Some(match bit {
        0 => "overflow",
        3 => "elapsed_time_invalid",
        4 => "blocked",
        5 => "substituted",
        6 => "not_topical",
        7 => "invalid",
        _ => return None,
    })
}

/// A run of points of one kind. Cannot end before it starts.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Hash)]
pub struct PointRange {
    kind: PointKind,
    first: u32,
    last: u32,
}

impl PointRange {
    /// From `first` to `last`, both included; the ends are swapped if given the wrong way round.
    #[must_use]
    pub fn new(kind: PointKind, first: u32, last: u32) -> PointRange {
        PointRange { kind, first: first.min(last), last: first.max(last) }
    }

    /// One point.
    #[must_use]
    pub const fn one(kind: PointKind, address: u32) -> PointRange {
        PointRange { kind, first: address, last: address }
    }

    /// Every point of a kind (DNP3 qualifier 06).
    #[must_use]
    pub fn all(kind: PointKind) -> PointRange {
        PointRange { kind, first: 0, last: u32::MAX }
    }

    /// What kind the points are.
    #[must_use]
    pub fn kind(&self) -> PointKind {
        self.kind
    }

    /// First address, as on the wire (0-based).
    #[must_use]
    pub fn first(&self) -> u32 {
        self.first
    }

    /// Last address, included.
    #[must_use]
    pub fn last(&self) -> u32 {
        self.last
    }
}

/// A value as the wire gave it.
#[derive(Debug, Copy, Clone, PartialEq)]
pub enum Value<'a> {
    /// No value: the address alone (a read request).
    None,
    /// One bit.
    Bit(bool),
    /// Double-bit state (DNP3, IEC 60870-5): 0 intermediate, 1 off, 2 on, 3 indeterminate.
    DoubleBit(u8),
    /// Unsigned number.
    Unsigned(u64),
    /// Signed number.
    Signed(i64),
    /// 32-bit float.
    Float32(f32),
    /// 64-bit float.
    Float64(f64),
    /// Milliseconds since 1970-01-01T00:00:00Z (DNP3 time; IEC 60870-5 time, which may be local time).
    TimeMs(u64),
    /// DNP3 control relay output block or pattern control block.
    Crob(Crob),
    /// Modbus mask write.
    Mask {
        /// AND mask.
        and: u16,
        /// OR mask.
        or: u16,
    },
    /// Printable text of the wire, not checked for encoding.
    Text(&'a [u8]),
    /// Bytes without a known meaning.
    Bytes(&'a [u8]),
}

/// DNP3 control relay output block, IEEE 1815 group 12.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub struct Crob {
    /// Control code octet: trip/close code, clear, queue, operation type.
    pub code: u8,
    /// Repetitions.
    pub count: u8,
    /// On time in milliseconds.
    pub on_time_ms: u32,
    /// Off time in milliseconds.
    pub off_time_ms: u32,
}

/// One point with its value.
#[derive(Debug, Copy, Clone, PartialEq)]
pub struct Point<'a> {
    /// What kind of point.
    pub kind: PointKind,
    /// Address or index; `None` when the wire gave none (a response whose request was not seen).
    pub address: Option<u32>,
    /// The value.
    pub value: Value<'a>,
    /// Flags octet (DNP3), raw; quality (IEC 60870-5), the bits of the element's quality descriptor alone.
    pub flags: Option<u8>,
    /// Command status octet (DNP3 group 12, 41, 13, 43), raw.
    pub status: Option<u8>,
    /// Time of the event, milliseconds since 1970, relative times already added to their base. That of IEC
    /// 60870-5 may be local time; one without a date (three octets) is not here.
    pub time_ms: Option<u64>,
    /// DNP3 object group and variation; `None` for other protocols.
    pub object: Option<(u8, u8)>,
    /// The value is what a command or a set-point orders (or an answer that repeats it), not a state.
    pub ordered: bool,
}

impl<'a> Point<'a> {
    /// A point with a value and nothing else.
    #[must_use]
    pub fn new(kind: PointKind, address: Option<u32>, value: Value<'a>) -> Point<'a> {
        Point { kind, address, value, flags: None, status: None, time_ms: None, object: None, ordered: false }
    }
}

/// Receives values: points one by one, and what stands on the wire as an array in one call. A register poll
/// carries a hundred values; whoever does not want a [`Point`] of each saves most of their cost.
pub trait PointSink {
    /// One point.
    fn point(&mut self, point: &Point<'_>);

    /// Whether points of this kind with addresses from `first` to `last` are wanted: others need not be decoded, but
    /// may come all the same.
    fn wants(&self, _kind: PointKind, _first: u32, _last: u32) -> bool {
        true
    }

    /// Sixteen-bit values with consecutive addresses from `first`.
    fn registers(&mut self, kind: PointKind, first: Option<u32>, words: &[[u8; 2]]) {
        let mut address = first;
        for word in words {
            self.point(&Point::new(kind, address, Value::Unsigned(u16::from_be_bytes(*word).into())));
            address = address.map(|a| a.saturating_add(1));
        }
    }

    /// `count` bits with consecutive addresses from `first`, the first in the lowest place of the first
    /// octet.
    fn bits(&mut self, kind: PointKind, first: Option<u32>, octets: &[u8], count: usize) {
        let all = octets.iter().flat_map(|octet| (0..8).map(move |place| octet >> place & 1 == 1));
        let mut address = first;
        for bit in all.take(count) {
            self.point(&Point::new(kind, address, Value::Bit(bit)));
            address = address.map(|a| a.saturating_add(1));
        }
    }

    /// `count` addresses from `first`, without values.
    fn addresses(&mut self, kind: PointKind, first: u32, count: u32) {
        for i in 0..count {
            self.point(&Point::new(kind, Some(first.saturating_add(i)), Value::None));
        }
    }
}

/// A closure as a [`PointSink`].
pub struct EachPoint<'f>(pub &'f mut dyn FnMut(&Point<'_>));

impl PointSink for EachPoint<'_> {
    fn point(&mut self, point: &Point<'_>) {
        (self.0)(point);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_number_of_its_own() {
        let all = PointKind::NAMED
            .into_iter()
            .chain([PointKind::DataSetMember])
            .chain((0..=255).map(PointKind::Object));
        let mut numbers: Vec<_> = all.map(PointKind::number).collect();
        let count = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), count);
    }
}
