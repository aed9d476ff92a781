//! Encapsulation that looks like evasion: finding CNF-10.

use core::net::IpAddr;

use parsers::{FrameRef, MacAddr, Timestamp};

/// What is wrong with an encapsulation.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub enum AnomalyKind {
    /// Fragments overlap with different octets, or contradict each other's ends.
    ConflictingFragments,
    /// A first fragment too small for the transport header (RFC 1858).
    TinyFragment,
    /// A fragment with an impossible offset or length.
    MalformedFragment,
    /// More encapsulations, tags, labels or extension headers than the limits allow.
    TooDeep,
}

impl AnomalyKind {
    pub(super) const ALL: [AnomalyKind; 4] = [
        AnomalyKind::ConflictingFragments,
        AnomalyKind::TinyFragment,
        AnomalyKind::MalformedFragment,
        AnomalyKind::TooDeep,
    ];

    /// What should have been there.
    pub fn expected(self) -> &'static str {
        match self {
            AnomalyKind::ConflictingFragments => "fragments that agree in their octets and their end",
            AnomalyKind::TinyFragment => "a first fragment that holds the transport header",
            AnomalyKind::MalformedFragment => "a fragment with a possible offset and length",
            AnomalyKind::TooDeep => "no more wrappings than a network needs",
        }
    }

    /// What was there.
    pub fn observed(self) -> &'static str {
        match self {
            AnomalyKind::ConflictingFragments => "fragments that contradict each other",
            AnomalyKind::TinyFragment => "one that hides or rewrites it",
            AnomalyKind::MalformedFragment => "one that no host can use",
            AnomalyKind::TooDeep => "so many that the packet was not followed to its end",
        }
    }
}

/// A frame whose encapsulation looks like evasion.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub struct Anomaly {
    /// When.
    pub at: Timestamp,
    /// Which frame.
    pub frame: FrameRef,
    /// What.
    pub kind: AnomalyKind,
    /// Innermost IP addresses as far as the frame could be followed: source, destination.
    pub ip: Option<(IpAddr, IpAddr)>,
    /// Innermost Ethernet addresses: source, destination.
    pub mac: Option<(MacAddr, MacAddr)>,
}
