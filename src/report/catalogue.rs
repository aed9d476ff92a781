//! Every kind of finding, once: id, severity, techniques, title.
//!
//! Ids are those of the detection catalogue and never change meaning.

pub use profiles::Severity;

macro_rules! findings {
    ($($variant:ident { $id:literal, $name:literal, $severity:ident, [$($technique:literal),*], $title:literal })+) => {
        /// Every kind of finding. Closed, so it is safe as a metric label.
        #[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
        pub enum FindingKind { $(#[doc = $title] $variant),+ }

        /// All kinds, in the order of the catalogue.
        pub const CATALOGUE: &[FindingKind] = &[$(FindingKind::$variant),+];

        impl FindingKind {
            /// Stable id from the detection catalogue. Several kinds may share one.
            pub fn id(self) -> &'static str {
                match self { $(FindingKind::$variant => $id),+ }
            }
            /// `snake_case` name, unique, as in metrics.
            pub fn name(self) -> &'static str {
                match self { $(FindingKind::$variant => $name),+ }
            }
            /// Severity when nothing raises or lowers it.
            pub fn severity(self) -> Severity {
                match self { $(FindingKind::$variant => Severity::$severity),+ }
            }
            /// ATT&CK for ICS techniques, by their ids before version 19.
            pub fn techniques(self) -> &'static [&'static str] {
                match self { $(FindingKind::$variant => &[$($technique),*]),+ }
            }
            /// A few words for people.
            pub fn title(self) -> &'static str {
                match self { $(FindingKind::$variant => $title),+ }
            }
        }
    };
}

/// Whose doing a finding is, for its explanation.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub enum Actor {
    /// The commanding side.
    Client,
    /// The station.
    Station,
    /// Not known, or both.
    Nobody,
}

impl FindingKind {
    /// Whose doing it is.
    pub fn actor(self) -> Actor {
        match self {
            FindingKind::AnswerWithoutRequest
            | FindingKind::ContradictingAnswer
            | FindingKind::ValueLimit
            | FindingKind::RateOfChange
            | FindingKind::StuckValue
            | FindingKind::CounterBackwards
            | FindingKind::NotANumber
            | FindingKind::UnsolicitedStorm
            | FindingKind::MovedWithoutCommand
            | FindingKind::RestartSeen
            | FindingKind::UnsolicitedBeforeEnable
            | FindingKind::UnprofiledPublisher
            | FindingKind::PublisherDiffers
            | FindingKind::GooseSecondPublisher
            | FindingKind::GooseTwoSequences
            | FindingKind::GooseReplay
            | FindingKind::GooseStateJump
            | FindingKind::GooseStateContradicted
            | FindingKind::GooseEmptyChange
            | FindingKind::GooseSequence
            | FindingKind::GooseFlood
            | FindingKind::GooseTime
            | FindingKind::GooseSimulation
            | FindingKind::GooseConfiguration
            | FindingKind::GooseDataSet
            | FindingKind::GseManagement
            | FindingKind::GooseRestart => Actor::Station,
            FindingKind::UnprofiledControl
            | FindingKind::UnprofiledClient
            | FindingKind::UnprofiledStation
            | FindingKind::UnprofiledFunction
            | FindingKind::UnprofiledRange
            | FindingKind::Denied
            | FindingKind::SetpointOutsideRule
            | FindingKind::OutsideSchedule
            | FindingKind::RateExceeded
            | FindingKind::MaintenanceOverrun
            | FindingKind::SplitBrain
            | FindingKind::OperateWithoutSelect
            | FindingKind::SelectAbandoned
            | FindingKind::DirectOperateOfSelected
            | FindingKind::ContradictoryCommand
            | FindingKind::CommandStorm
            | FindingKind::TimeSetAnomaly
            | FindingKind::CommandWithoutEffect
            | FindingKind::ControlAfterDenial
            | FindingKind::NoResponseControl
            | FindingKind::BroadcastControl
            | FindingKind::UnansweredRequest
            | FindingKind::RequestBurst
            | FindingKind::UnansweredFlood
            | FindingKind::MachineRhythm
            | FindingKind::IdleMasterBack
            | FindingKind::OffSchedulePoll
            | FindingKind::SetPointLimit
            | FindingKind::SetPointJump
            | FindingKind::DeadbandChange
            | FindingKind::RestartCommand
            | FindingKind::StopCommand
            | FindingKind::SilenceCommand
            | FindingKind::ClearCommand
            | FindingKind::LogErase
            | FindingKind::FirmwareUpdate
            | FindingKind::ExternalTraffic
            | FindingKind::SessionTakeover
            | FindingKind::NewMaster
            | FindingKind::UnprofiledService
            | FindingKind::HostRoleChange
            | FindingKind::HostSweep
            | FindingKind::PortScan
            | FindingKind::ArpScan
            | FindingKind::ConnectionFlood
            | FindingKind::FunctionSweep
            | FindingKind::PointSweep
            | FindingKind::StationSweep
            | FindingKind::DeviceIdentification
            | FindingKind::LinkScan
            | FindingKind::IntegrityPoll => Actor::Client,
            _ => Actor::Nobody,
        }
    }

    /// Place in [`CATALOGUE`].
    pub fn index(self) -> usize {
        self as usize
    }
}

findings! {
    UnprofiledControl { "POL-01", "unprofiled_control", Critical, ["T0855", "T0831"], "Control that the profile does not allow" }
    Denied { "POL-01", "denied", High, ["T0855", "T0831"], "Operation that the profile forbids" }
    UnprofiledClient { "POL-02", "unprofiled_client", High, ["T0848", "T0846", "T0886"], "Host that no rule lets command this station" }
    UnprofiledStation { "POL-02", "unprofiled_station", High, ["T0848", "T0846", "T0886"], "Station that the profile does not know" }
    UnprofiledFunction { "POL-03", "unprofiled_function", High, ["T0855", "T0871"], "Function that the profile does not allow" }
    UnprofiledRange { "POL-04", "unprofiled_range", High, ["T0861", "T0836"], "Points that the profile does not allow" }
    SetpointOutsideRule { "POL-08", "setpoint_outside_rule", High, ["T0836"], "Value that the profile does not allow" }
    ExternalTraffic { "POL-14", "external_traffic", High, ["T0883", "T0869", "T0884"], "Traffic between the internet and the process" }
    UnexpectedPort { "POL-15", "unexpected_port", Medium, ["T0885", "T0869"], "Control protocol on an unexpected port" }
    OutsideSchedule { "POL-18", "outside_schedule", Medium, ["T0855"], "Operation outside its schedule" }
    RateExceeded { "POL-18", "rate_exceeded", Medium, ["T0855", "T0806"], "Operation more often than the profile allows" }
    MaintenanceOverrun { "POL-18", "maintenance_overrun", Medium, ["T0855"], "Work goes on after its maintenance window" }
    SplitBrain { "POL-19", "split_brain", High, ["T0848", "T0855"], "Two masters of a redundancy group command" }
    MalformedPdu { "CNF-01", "malformed_pdu", Medium, ["T0814", "T0866"], "Malformed PDU" }
    UnknownFunction { "CNF-02", "unknown_function", Medium, ["T0846"], "Undefined function" }
    UnknownObject { "CNF-02", "unknown_object", Medium, ["T0846"], "Undefined object" }
    FieldRange { "CNF-03", "field_range", Medium, ["T0814"], "Field outside its range" }
    BadChecksum { "CNF-04", "bad_checksum", High, ["T0856"], "Checksum failure" }
    BrokenFraming { "CNF-05", "broken_framing", Medium, ["T0814"], "Broken framing" }
    ReservedBits { "CNF-06", "reserved_bits", Low, ["T0849"], "Reserved bits or illegal flags" }
    ConflictingOverlap { "CNF-07", "conflicting_overlap", High, ["T0866", "T0814"], "TCP segments overlap with different content" }
    Peculiar { "CNF-08", "peculiar", Info, ["T0849"], "Unusual but harmless form" }
    ForeignProtocol { "CNF-09", "foreign_protocol", Medium, ["T0885", "T0869"], "Other traffic on a control protocol's port" }
    EncapsulationAnomaly { "CNF-10", "encapsulation_anomaly", Low, ["T0884"], "Encapsulation anomaly" }
    OperateWithoutSelect { "SEQ-01", "operate_without_select", Critical, ["T0855", "T0821"], "Operate without select" }
    SelectAbandoned { "SEQ-02", "select_abandoned", Medium, ["T0855", "T0806"], "Select without operate" }
    DirectOperateOfSelected { "SEQ-03", "direct_operate_of_selected", High, ["T0855", "T0831"], "Direct operate of a point that is selected first" }
    NoResponseControl { "SEQ-04", "no_response_control", High, ["T0855", "T0803"], "Control that forbids an answer" }
    BroadcastControl { "SEQ-05", "broadcast_control", High, ["T0855", "T0814"], "Control by broadcast" }
    AnswerWithoutRequest { "SEQ-06", "answer_without_request", High, ["T0856", "T0830"], "Answer without a request" }
    UnansweredRequest { "SEQ-07", "unanswered_request", Medium, ["T0804", "T0815"], "Request never answered" }
    ContradictingAnswer { "SEQ-08", "contradicting_answer", High, ["T0856", "T0831"], "Answer contradicts its request" }
    SequenceAnomaly { "SEQ-09", "sequence_anomaly", Medium, ["T0830", "T0856"], "Sequence number anomaly" }
    UnsolicitedBeforeEnable { "SEQ-10", "unsolicited_before_enable", Medium, ["T0856", "T0838"], "Unsolicited report while disabled" }
    NotStarted { "SEQ-11", "not_started", Medium, ["T0855"], "Data before transfer is started" }
    RestartSeen { "SEQ-12", "restart_seen", Low, ["T0816", "T0826"], "Restart without a command" }
    ContradictoryCommand { "SEQ-13", "contradictory_command", Critical, ["T0806", "T0831", "T0879"], "Command against the one before" }
    CommandStorm { "SEQ-14", "command_storm", Critical, ["T0806", "T0803"], "Too many commands to one point" }
    TimeSetAnomaly { "SEQ-15", "time_set_anomaly", High, ["T0856", "T0878", "T0872"], "Clock set to another time" }
    SessionTakeover { "SEQ-16", "session_takeover", High, ["T0830", "T0848", "T0803"], "Session taken over" }
    RoleReversal { "SEQ-19", "role_reversal", High, ["T0848", "T0849"], "Roles of master and station reversed" }
    PollPeriodChanged { "TIM-01", "poll_period_changed", Medium, ["T0801", "T0802"], "Polled at another pace" }
    DoubledPoller { "TIM-01", "doubled_poller", Medium, ["T0801", "T0802"], "Polled twice by one master" }
    StationNotPolled { "TIM-02", "station_not_polled", High, ["T0815", "T0826", "T0813"], "Station no longer polled" }
    PollStopped { "TIM-02", "poll_stopped", Low, ["T0815"], "One poll among others stopped" }
    StationSilent { "TIM-03", "station_silent", High, ["T0829", "T0815", "T0804"], "Station silent, loss of view" }
    SlowAnswers { "TIM-04", "slow_answers", Medium, ["T0814", "T0830"], "Answers have become slow" }
    RequestBurst { "TIM-05", "request_burst", Medium, ["T0814", "T0806"], "Burst of requests" }
    UnansweredFlood { "TIM-05", "unanswered_flood", Medium, ["T0814", "T0806"], "Flood of requests without answers" }
    MachineRhythm { "TIM-06", "machine_rhythm", High, ["T0855", "T0806"], "Commands in a machine's rhythm" }
    IdleMasterBack { "TIM-11", "idle_master_back", Low, ["T0859", "T0864"], "Master back after a long silence" }
    OffSchedulePoll { "TIM-12", "off_schedule_poll", Low, ["T0801"], "Integrity poll off its schedule" }
    ValueLimit { "VAL-01", "value_limit", Medium, ["T0836", "T0832"], "Value outside its range" }
    SetPointLimit { "VAL-01", "set_point_limit", High, ["T0836"], "Set-point outside its limits" }
    RateOfChange { "VAL-02", "rate_of_change", Medium, ["T0836", "T0856"], "Value changes faster than it can" }
    SetPointJump { "VAL-03", "set_point_jump", High, ["T0836"], "Set-point jump" }
    StuckValue { "VAL-04", "stuck_value", Medium, ["T0832", "T0856", "T0804"], "Value does not change any more" }
    CommandWithoutEffect { "VAL-05", "command_without_effect", High, ["T0803", "T0831", "T0837"], "Command without effect" }
    MovedWithoutCommand { "VAL-06", "moved_without_command", Medium, ["T0831", "T0856"], "Point moved without a command" }
    CounterBackwards { "VAL-10", "counter_backwards", Medium, ["T0872", "T0836"], "Counter runs backwards" }
    DeadbandChange { "VAL-12", "deadband_change", High, ["T0838", "T0804"], "Analog dead-band changed" }
    TestMode { "VAL-13", "test_mode", Medium, ["T0856", "T0837"], "Marked as a test" }
    NotANumber { "VAL-14", "not_a_number", Medium, ["T0856"], "Value is no number" }
    NewHost { "TOP-01", "new_host", Medium, ["T0864", "T0883", "T0848"], "New host" }
    NewMaster { "TOP-02", "new_master", High, ["T0848"], "New master of a station" }
    AddressConflict { "TOP-03", "address_conflict", High, ["T0830", "T0849"], "Two devices with one address" }
    ArpSpoofing { "TOP-04", "arp_spoofing", Critical, ["T0830", "T0842"], "ARP spoofing" }
    MacChange { "TOP-05", "mac_change", High, ["T0830", "T0849"], "Another Ethernet address" }
    UnexpectedVlan { "TOP-07", "unexpected_vlan", High, ["T0830", "T0842"], "Host in another VLAN" }
    AddressFlood { "TOP-07", "address_flood", High, ["T0830", "T0842", "T0814"], "Flood of addresses" }
    HostRoleChange { "TOP-08", "host_role_change", High, ["T0849", "T0869", "T0884"], "Station that begins to command" }
    StationsConnected { "TOP-08", "stations_connected", Medium, ["T0869", "T0884"], "Devices that talk to each other" }
    UnprofiledService { "POL-16", "unprofiled_service", Medium, ["T0886"], "Service that the profile does not allow" }
    NewProtocol { "TOP-09", "new_protocol", Medium, ["T0885", "T0869"], "Service never used before" }
    FunctionSweep { "REC-01", "function_sweep", High, ["T0846", "T0888"], "Sweep over function codes" }
    PointSweep { "REC-02", "point_sweep", High, ["T0861", "T0846"], "Sweep over point addresses" }
    StationSweep { "REC-03", "station_sweep", High, ["T0846"], "Sweep over station addresses" }
    HostSweep { "REC-03", "host_sweep", High, ["T0846"], "Sweep over stations' hosts" }
    DeviceIdentification { "REC-04", "device_identification", Medium, ["T0888"], "Device identification" }
    LinkScan { "REC-05", "link_scan", High, ["T0846"], "Scan for stations on the link layer" }
    IntegrityPoll { "REC-06", "integrity_poll", Medium, ["T0801", "T0802"], "Class poll by a new master" }
    PortScan { "REC-09", "port_scan", Medium, ["T0846", "T0840"], "Port scan" }
    ArpScan { "REC-13", "arp_scan", Medium, ["T0842", "T0846"], "Scan for addresses" }
    RestartCommand { "DEN-01", "restart_command", Critical, ["T0816", "T0826"], "Restart command" }
    StopCommand { "DEN-02", "stop_command", Critical, ["T0881", "T0858"], "Stop command" }
    SilenceCommand { "DEN-03", "silence_command", High, ["T0803", "T0804"], "Command that silences a station" }
    ClearCommand { "DEN-04", "clear_command", Critical, ["T0809", "T0872"], "Delete or clear command" }
    LogErase { "DEN-05", "log_erase", High, ["T0872"], "Log or counters erased" }
    FirmwareUpdate { "DEN-06", "firmware_update", Critical, ["T0857", "T0839", "T0800"], "Firmware update" }
    ConnectionFlood { "DEN-07", "connection_flood", High, ["T0814"], "Flood of connections" }
    TcpTeardown { "DEN-08", "tcp_teardown", High, ["T0803", "T0804", "T0814"], "Forged ends of connections" }
    UnsolicitedStorm { "DEN-09", "unsolicited_storm", High, ["T0814", "T0804"], "Storm of unsolicited reports" }
    ControlAfterDenial { "DEN-13", "control_after_denial", Critical, ["T0831", "T0837", "T0826"], "Control after a restart or stop" }
    UnprofiledPublisher { "GO-15", "unprofiled_publisher", High, ["T0856", "T0830"], "Publisher that the profile does not know" }
    PublisherDiffers { "GO-14", "publisher_differs", High, ["T0856", "T0830"], "Publisher in another way than the profile says" }
    GooseSecondPublisher { "GO-01", "goose_second_publisher", Critical, ["T0830", "T0856"], "Second publisher of one control block" }
    GooseTwoSequences { "GO-01", "goose_two_sequences", Critical, ["T0830", "T0856"], "Two sequences of one control block side by side" }
    GooseReplay { "GO-02", "goose_replay", Critical, ["T0856", "T0831"], "GOOSE message of a state that is over" }
    GooseStateJump { "GO-03", "goose_state_jump", Critical, ["T0856", "T0830"], "GOOSE state number jumps ahead" }
    GooseStateContradicted { "GO-04", "goose_state_contradicted", Critical, ["T0856", "T0831"], "Other values in the same GOOSE state" }
    GooseEmptyChange { "GO-05", "goose_empty_change", Medium, ["T0856"], "New GOOSE state without a new value" }
    GooseSequence { "GO-06", "goose_sequence", Low, ["T0856", "T0830"], "GOOSE sequence number does not follow" }
    GooseSilent { "GO-08", "goose_silent", High, ["T0815", "T0804"], "GOOSE publisher silent, loss of protection signals" }
    GooseFlood { "GO-09", "goose_flood", High, ["T0814", "T0804"], "Flood of GOOSE messages" }
    GooseTime { "GO-10", "goose_time", Medium, ["T0856"], "Time of a GOOSE state is wrong" }
    GooseSimulation { "GO-11", "goose_simulation", High, ["T0856", "T0837"], "Simulated or test GOOSE message" }
    GooseConfiguration { "GO-12", "goose_configuration", High, ["T0836", "T0830"], "GOOSE configuration changed or incomplete" }
    GooseDataSet { "GO-13", "goose_data_set", High, ["T0836", "T0856"], "GOOSE data set changed" }
    GseManagement { "GO-17", "gse_management", Medium, ["T0861"], "GSE management traffic" }
    GooseRestart { "SEQ-12", "goose_restart", Low, ["T0816"], "GOOSE publisher began again" }
    TrafficVanished { "CAP-03", "traffic_vanished", High, [], "Traffic nearly stopped" }
    ClockJump { "CAP-04", "clock_jump", High, [], "Clock of a tap goes back" }
    LimitReached { "CAP-08", "limit_reached", Medium, [], "A limit of the sensor was reached" }
}
