//! Information elements (IEC 60870-5-101, clause 7.2.6). Quality octets are given raw.

/// A binary time of seven octets, CP56Time2a (clause 7.2.6.18).
#[derive(Debug, Clone, Copy, Default, Eq, PartialEq)]
pub struct Time {
    /// Milliseconds since 1970, UTC. Years 2000 to 2099 can be told.
    pub ms: u64,
    /// IV: invalid.
    pub invalid: bool,
    /// RES1 or GEN: substituted.
    pub substituted: bool,
    /// SU: summer time.
    pub summer: bool,
    /// Day of week 1 (Monday) to 7, or 0 for not used.
    pub weekday: u8,
}

impl Time {
    /// A valid time without day of week.
    pub fn at(ms: u64) -> Time {
        Time { ms, ..Time::default() }
    }

    /// Milliseconds within the minute.
    pub fn millisecond(&self) -> u16 {
        (self.ms % 60_000) as u16
    }

    fn short(&self) -> [u8; 3] {
        let ms = self.millisecond().to_le_bytes();
        let minute = (self.ms / 60_000 % 60) as u8;
        [ms[0], ms[1], minute | u8::from(self.substituted) << 6 | u8::from(self.invalid) << 7]
    }

    fn long(&self) -> [u8; 7] {
        let [m1, m2, minute] = self.short();
        let hour = (self.ms / 3_600_000 % 24) as u8;
        let (year, month, day) = date(self.ms / 86_400_000);
        [
            m1,
            m2,
            minute,
            hour | u8::from(self.summer) << 7,
            day | self.weekday << 5,
            month,
            (year % 100) as u8,
        ]
    }
}

/// Year, month and day of a day counted from 1970-01-01.
fn date(days: u64) -> (u64, u8, u8) {
    let leap = |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let (mut year, mut days) = (1970, days);
    loop {
        let length = if leap(year) { 366 } else { 365 };
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = if leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days as u8 + 1)
}

/// One information element.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "fields bear the names of the standard and are told of at their element")]
pub enum Element {
    /// Single point and quality bits.
    Siq { on: bool, quality: u8 },
    /// Double point, 0 to 3, and quality bits.
    Diq { state: u8, quality: u8 },
    /// Step position, -64 to 63, and whether it is moving.
    Vti { position: i8, transient: bool },
    /// Bit string of 32 bits.
    Bsi(u32),
    /// Normalised value: times 2^-15.
    Nva(i16),
    /// Scaled value.
    Sva(i16),
    /// Short floating point number.
    R32(f32),
    /// Counter, sequence number (5 bits), and CY, CA, IV in bits 5 to 7.
    Bcr { count: i32, sequence: u8, flags: u8 },
    /// Event of protection equipment, 0 to 3, and quality.
    Sep { state: u8, quality: u8 },
    /// Start events of protection equipment.
    Spe(u8),
    /// Output circuits of protection equipment.
    Oci(u8),
    /// States (low 16 bits on the wire first) and their changes.
    Scd { states: u16, changes: u16 },
    /// Quality of a value.
    Qds(u8),
    /// Quality of an event.
    Qdp(u8),
    /// Single command.
    Sco { on: bool, qualifier: u8, select: bool },
    /// Double command: 1 off, 2 on.
    Dco { state: u8, qualifier: u8, select: bool },
    /// Step command: 1 lower, 2 higher.
    Rco { step: u8, qualifier: u8, select: bool },
    /// Qualifier of a set-point: QL and S/E.
    Qos { qualifier: u8, select: bool },
    /// Qualifier of a parameter: kind, LPC, POP.
    Qpm { kind: u8, local: bool, inactive: bool },
    /// Qualifier of parameter activation.
    Qpa(u8),
    /// Cause of initialisation, and whether parameters changed.
    Coi { cause: u8, changed: bool },
    /// Qualifier of interrogation.
    Qoi(u8),
    /// Qualifier of counter interrogation: request and freeze.
    Qcc { request: u8, freeze: u8 },
    /// Qualifier of reset process.
    Qrp(u8),
    /// Fixed test pattern.
    Fbp(u16),
    /// Test sequence counter.
    Tsc(u16),
    /// Time of two octets: milliseconds.
    Cp16(u16),
    /// Time of three octets: milliseconds of the minute and the minute.
    Cp24(Time),
    /// Time of seven octets.
    Cp56(Time),
    /// Two octets of file transfer: name of file.
    Nof(u16),
    /// Three octets of file transfer: length.
    Lof(u32),
    /// One octet of file transfer: name of section, or a qualifier.
    File(u8),
    /// Association id of type 41.
    Aid(u16),
    /// Octets without a layout here.
    Raw(Vec<u8>),
}

impl Element {
    /// Append the octets.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let bit = |flag: &bool, place: u8| u8::from(*flag) << place;
        match self {
            Element::Siq { on, quality } => out.push(bit(on, 0) | quality & 0xf0),
            Element::Diq { state, quality } => out.push(state & 3 | quality & 0xf0),
            Element::Vti { position, transient } => {
                out.push((*position as u8) & 0x7f | bit(transient, 7));
            }
            Element::Bsi(bits) => out.extend_from_slice(&bits.to_le_bytes()),
            Element::Nva(value) | Element::Sva(value) => out.extend_from_slice(&value.to_le_bytes()),
            Element::R32(value) => out.extend_from_slice(&value.to_le_bytes()),
            Element::Bcr { count, sequence, flags } => {
                out.extend_from_slice(&count.to_le_bytes());
                out.push(sequence & 0x1f | flags & 0xe0);
            }
            Element::Sep { state, quality } => out.push(state & 3 | quality & 0xf8),
            Element::Scd { states, changes } => {
                out.extend_from_slice(&states.to_le_bytes());
                out.extend_from_slice(&changes.to_le_bytes());
            }
            Element::Spe(octet)
            | Element::Oci(octet)
            | Element::Qds(octet)
            | Element::Qdp(octet)
            | Element::Qpa(octet)
            | Element::Qoi(octet)
            | Element::Qrp(octet)
            | Element::File(octet) => out.push(*octet),
            Element::Sco { on, qualifier, select } => {
                out.push(bit(on, 0) | (qualifier & 0x1f) << 2 | bit(select, 7));
            }
            Element::Dco { state: two, qualifier, select }
            | Element::Rco { step: two, qualifier, select } => {
                out.push(two & 3 | (qualifier & 0x1f) << 2 | bit(select, 7));
            }
            Element::Qos { qualifier, select } => out.push(qualifier & 0x7f | bit(select, 7)),
            Element::Qpm { kind, local, inactive } => {
                out.push(kind & 0x3f | bit(local, 6) | bit(inactive, 7));
            }
            Element::Coi { cause, changed } => out.push(cause & 0x7f | bit(changed, 7)),
            Element::Qcc { request, freeze } => out.push(request & 0x3f | freeze << 6),
            Element::Fbp(word)
            | Element::Tsc(word)
            | Element::Cp16(word)
            | Element::Nof(word)
            | Element::Aid(word) => out.extend_from_slice(&word.to_le_bytes()),
            Element::Cp24(time) => out.extend_from_slice(&time.short()),
            Element::Cp56(time) => out.extend_from_slice(&time.long()),
            Element::Lof(length) => out.extend_from_slice(&length.to_le_bytes()[..3]),
            Element::Raw(octets) => out.extend_from_slice(octets),
        }
    }
}

/// The octets of an object's elements.
pub fn octets(elements: &[Element]) -> Vec<u8> {
    let mut out = Vec::new();
    for element in elements {
        element.encode(&mut out);
    }
    out
}
