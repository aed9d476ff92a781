//! What attackers can do: the names in files, the parameters of each, what it is aimed at.

use serde::Deserialize;

use crate::scenario::Language;

/// What an attacker does.
#[derive(Debug, Clone, Copy, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// Tries addresses of hosts: `address`, `count`, `port`, `every`.
    HostSweep,
    /// Tries Modbus units: `first`, `last`, `every`.
    UnitSweep,
    /// Tries function codes, or IEC 104 types: `first`, `last`, `every`.
    FunctionSweep,
    /// Tries holding registers, analog inputs or IEC 104 objects one by one: `first`, `last`, `every`.
    RegisterSweep,
    /// Tries DNP3 link addresses, or interrogates IEC 104 common addresses: `first`, `last`, `every`.
    LinkAddressSweep,
    /// Asks a station what it is.
    Identification,
    /// Polls like a master: `every`, `for`.
    RogueMaster,
    /// One control: `point`, `command` or `value`.
    UnauthorisedControl,
    /// Opens and closes: `point`, `count`, `every`.
    BreakerCycling,
    /// Writes registers, or an IEC 104 set-point at `first`, again and again: `first`, `last`, `value`, `count`,
    /// `every`.
    ForcedSetpoints,
    /// Restarts the station: DNP3 cold restart, Modbus restart communications, IEC 104 reset process.
    Restart,
    /// Stops it: DNP3 stop application, Modbus force listen-only mode; an IEC 104 master that is in the wrong
    /// hands stops the transfer: `for`.
    Stop,
    /// Switches unsolicited responses off.
    DisableUnsolicited,
    /// Sets the clock wrong by `value` seconds.
    TimeManipulation,
    /// The station reports its measurements times `value`: `for`.
    ValueSpoofing,
    /// The station goes on reporting what was when it began: `for`.
    FrozenValues,
    /// Answers to the actor (a master) are forged before the true ones: `for`.
    ResponseInjection,
    /// The outstation or controlled station reports invented events: `count`, `every`.
    UnsolicitedStorm,
    /// Requests that are none: `count`, `every`.
    MalformedFlood,
    /// A text hidden in registers nobody uses: `first`, `text`, `every`.
    CovertChannel,
    /// Commands seen before are sent again.
    Replay,
    /// Traffic between `victim` (a master) and the target is drawn over the actor: `every`, `for`.
    ArpSpoofing,
    /// Resets the connection between `victim` (a master) and the target: `count`, `every`.
    TcpReset,
    /// IEC 104 thresholds of measurements are changed: `first` (object), `value`.
    ParameterChange,
    /// IEC 104 I frames with numbers that are not in order: `count`, `every`.
    SequenceTampering,
    /// GOOSE with the publisher's address and a state number far ahead: `count`, `every`.
    GoosePoison,
    /// GOOSE with the next state number and a trip: `count`, `every`.
    GooseForgedTrip,
    /// GOOSE of an earlier state once more: `count`, `every`.
    GooseReplay,
    /// GOOSE of the same control block from the actor's address: `count`, `every`.
    GooseSecondPublisher,
    /// GOOSE in masses: `count`, `every`.
    GooseFlood,
    /// GOOSE marked as simulated: `count`, `every`.
    GooseSimulation,
    /// GOOSE with another configuration revision and data set: `count`, `every`.
    GooseRevision,
    /// The publisher is kept busy until it says nothing: `every`, `for`.
    GooseSilence,
    /// A write hidden behind a read at the same place of the stream: `point`, `command`.
    OverlapEvasion,
}

impl Behaviour {
    /// All of them.
    pub const ALL: [Behaviour; 34] = [
        Behaviour::HostSweep,
        Behaviour::UnitSweep,
        Behaviour::FunctionSweep,
        Behaviour::RegisterSweep,
        Behaviour::LinkAddressSweep,
        Behaviour::Identification,
        Behaviour::RogueMaster,
        Behaviour::UnauthorisedControl,
        Behaviour::BreakerCycling,
        Behaviour::ForcedSetpoints,
        Behaviour::Restart,
        Behaviour::Stop,
        Behaviour::DisableUnsolicited,
        Behaviour::TimeManipulation,
        Behaviour::ValueSpoofing,
        Behaviour::FrozenValues,
        Behaviour::ResponseInjection,
        Behaviour::UnsolicitedStorm,
        Behaviour::MalformedFlood,
        Behaviour::CovertChannel,
        Behaviour::Replay,
        Behaviour::ArpSpoofing,
        Behaviour::TcpReset,
        Behaviour::ParameterChange,
        Behaviour::SequenceTampering,
        Behaviour::GoosePoison,
        Behaviour::GooseForgedTrip,
        Behaviour::GooseReplay,
        Behaviour::GooseSecondPublisher,
        Behaviour::GooseFlood,
        Behaviour::GooseSimulation,
        Behaviour::GooseRevision,
        Behaviour::GooseSilence,
        Behaviour::OverlapEvasion,
    ];

    /// Technique of ATT&CK for ICS that the label names.
    pub fn technique(self) -> &'static str {
        match self {
            Behaviour::HostSweep | Behaviour::UnitSweep | Behaviour::LinkAddressSweep => "T0846",
            Behaviour::FunctionSweep | Behaviour::Identification => "T0888",
            Behaviour::RegisterSweep => "T0861",
            Behaviour::RogueMaster => "T0848",
            Behaviour::UnauthorisedControl
            | Behaviour::Replay
            | Behaviour::GooseForgedTrip
            | Behaviour::GooseSimulation => "T0855",
            Behaviour::BreakerCycling => "T0806",
            Behaviour::ForcedSetpoints | Behaviour::ParameterChange => "T0836",
            Behaviour::Restart => "T0816",
            Behaviour::Stop
            | Behaviour::UnsolicitedStorm
            | Behaviour::MalformedFlood
            | Behaviour::SequenceTampering
            | Behaviour::GooseFlood => "T0814",
            Behaviour::DisableUnsolicited | Behaviour::GooseSilence => "T0804",
            Behaviour::GoosePoison
            | Behaviour::GooseReplay
            | Behaviour::GooseSecondPublisher
            | Behaviour::GooseRevision => "T0856",
            Behaviour::TimeManipulation | Behaviour::ValueSpoofing | Behaviour::FrozenValues => "T0856",
            Behaviour::ResponseInjection | Behaviour::ArpSpoofing => "T0830",
            Behaviour::CovertChannel => "T0885",
            Behaviour::TcpReset => "T0803",
            Behaviour::OverlapEvasion => "T0820",
        }
    }

    /// The name in files.
    pub fn name(self) -> String {
        let mut out = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !out.is_empty() {
                out.push('_');
            }
            out.push(letter.to_ascii_lowercase());
        }
        out
    }

    /// Needs frames of its own making, which sockets do not send: forged answers, ARP, resets, overlaps.
    pub fn needs_frames(self) -> bool {
        matches!(
            self,
            Behaviour::ResponseInjection
                | Behaviour::ArpSpoofing
                | Behaviour::TcpReset
                | Behaviour::OverlapEvasion
        ) || self.is_goose()
    }

    /// Concerns a GOOSE publisher and no station.
    pub fn is_goose(self) -> bool {
        matches!(
            self,
            Behaviour::GoosePoison
                | Behaviour::GooseForgedTrip
                | Behaviour::GooseReplay
                | Behaviour::GooseSecondPublisher
                | Behaviour::GooseFlood
                | Behaviour::GooseSimulation
                | Behaviour::GooseRevision
                | Behaviour::GooseSilence
        )
    }

    /// Protocols of the stations it can be aimed at; none for a host sweep and for GOOSE.
    pub fn languages(self) -> &'static [Language] {
        use Language::{Dnp3, Iec104, Modbus};
        match self {
            behaviour if behaviour.is_goose() => &[],
            Behaviour::HostSweep => &[],
            Behaviour::UnitSweep | Behaviour::CovertChannel => &[Modbus],
            Behaviour::DisableUnsolicited => &[Dnp3],
            Behaviour::ParameterChange | Behaviour::SequenceTampering => &[Iec104],
            Behaviour::Identification | Behaviour::OverlapEvasion => &[Modbus, Dnp3],
            Behaviour::ForcedSetpoints | Behaviour::ResponseInjection => &[Modbus, Iec104],
            Behaviour::LinkAddressSweep | Behaviour::TimeManipulation | Behaviour::UnsolicitedStorm => {
                &[Dnp3, Iec104]
            }
            _ => &[Modbus, Dnp3, Iec104],
        }
    }

    /// Parameters beside `behaviour`, `at`, `actor`, `target`; a star marks those that are needed.
    pub fn parameters(self) -> &'static [&'static str] {
        match self {
            Behaviour::HostSweep => &["*address", "*count", "*port", "every"],
            Behaviour::UnitSweep | Behaviour::FunctionSweep | Behaviour::RegisterSweep => {
                &["*first", "*last", "every", "link_address"]
            }
            Behaviour::LinkAddressSweep => &["*first", "*last", "every", "link_address"],
            Behaviour::RogueMaster => &["every", "*for", "link_address"],
            Behaviour::UnauthorisedControl => &["*point", "command", "value", "link_address", "select"],
            Behaviour::BreakerCycling => &["*point", "*count", "every", "link_address", "select"],
            Behaviour::ForcedSetpoints => &["*first", "last", "*value", "*count", "every"],
            Behaviour::Identification | Behaviour::Restart => &["link_address"],
            Behaviour::Stop => &["link_address", "for"],
            Behaviour::ParameterChange => &["*first", "*value"],
            Behaviour::SequenceTampering
            | Behaviour::GoosePoison
            | Behaviour::GooseForgedTrip
            | Behaviour::GooseReplay
            | Behaviour::GooseSecondPublisher
            | Behaviour::GooseFlood
            | Behaviour::GooseSimulation
            | Behaviour::GooseRevision => &["*count", "every"],
            Behaviour::GooseSilence => &["every", "*for"],
            Behaviour::DisableUnsolicited => &["link_address"],
            Behaviour::TimeManipulation => &["*value", "link_address"],
            Behaviour::ValueSpoofing => &["*value", "*for"],
            Behaviour::FrozenValues | Behaviour::ResponseInjection => &["*for"],
            Behaviour::UnsolicitedStorm | Behaviour::MalformedFlood => &["*count", "every", "link_address"],
            Behaviour::CovertChannel => &["*first", "*text", "every"],
            Behaviour::Replay => &[],
            Behaviour::ArpSpoofing => &["*victim", "every", "*for"],
            Behaviour::TcpReset => &["*victim", "*count", "every"],
            Behaviour::OverlapEvasion => &["*point", "*command"],
        }
    }
}
