//! A finding, as the detections raise it.

use core::fmt;

use parsers::{
    Coverage, Endpoint, FlowInfo, FrameRef, Function, PointRange, Protocol, StationAddress, Timestamp,
};

use super::catalogue::{FindingKind, Severity};

/// A finding on its way to the sinks. Borrowed: nothing is allocated unless it is written.
#[derive(Copy, Clone)]
pub struct Finding<'a> {
    /// Packet time at which it holds: of the completing frame, or the deadline of what did not come.
    pub at: Timestamp,
    /// What kind.
    pub kind: FindingKind,
    /// How bad, where it is not what the kind says (tags raise it, a maintenance window lowers it).
    pub severity: Option<Severity>,
    /// The flow, where one is involved.
    pub flow: Option<&'a FlowInfo>,
    /// The protocol, where one is known.
    pub protocol: Option<Protocol>,
    /// The commanding side.
    pub client: Endpoint,
    /// The station's side.
    pub server: Endpoint,
    /// The station's address in its protocol.
    pub station: StationAddress,
    /// The station's name in the profile, if it has one.
    pub station_name: Option<&'a str>,
    /// The commanding host's name in the profile, if it has one.
    pub client_name: Option<&'a str>,
    /// The station sent what shows it (an answer, a report), not the commanding side.
    pub by_station: bool,
    /// The function concerned.
    pub function: Option<Function>,
    /// The points concerned.
    pub ranges: &'a [PointRange],
    /// What was expected.
    pub expected: fmt::Arguments<'a>,
    /// What was observed.
    pub observed: fmt::Arguments<'a>,
    /// The check within the id (`MB-C03`), or "".
    pub check: &'static str,
    /// The rule nearest to allowing it, by its name in the profile.
    pub rule: Option<&'a str>,
    /// Who answers for that rule, if the profile says so.
    pub owner: Option<&'a str>,
    /// The frames that show it.
    pub frames: &'a [FrameRef],
    /// The octets that show it (writers cut them at 64).
    pub octets: &'a [u8],
    /// What could not be seen at that time.
    pub coverage: Coverage,
    /// What, besides kind, client host, server host and station, keeps repeats apart when they are folded
    /// (a function code, a point address).
    pub fold_key: u64,
}

impl Finding<'_> {
    /// A finding about a station of which nothing else is said yet: to be completed with `..`.
    #[must_use]
    pub fn about(
        at: Timestamp,
        client: Endpoint,
        server: Endpoint,
        station: StationAddress,
    ) -> Finding<'static> {
        Finding {
            at,
            kind: FindingKind::Peculiar,
            severity: None,
            flow: None,
            protocol: None,
            client,
            server,
            station,
            station_name: None,
            client_name: None,
            by_station: false,
            function: None,
            ranges: &[],
            expected: format_args!(""),
            observed: format_args!(""),
            check: "",
            rule: None,
            owner: None,
            frames: &[],
            octets: &[],
            coverage: Coverage::default(),
            fold_key: 0,
        }
    }

    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity.unwrap_or_else(|| self.kind.severity())
    }
}
