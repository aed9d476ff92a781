//! What happened to a publisher (GOOSE), as a line of the event log: `publication`.

use core::fmt;

use parsers::{Endpoint, FrameRef, Protocol, Timestamp};

use super::event::{Common, head, parties};
use super::json::Json;

/// What happened.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub enum Happened {
    /// Its first message.
    FirstSeen,
    /// A new state.
    Changed,
    /// It began again with state 1.
    Restarted,
    /// It was silent for longer than it allows itself.
    Silent,
    /// It speaks again.
    Back,
    /// What was suspect is believed now: the one before has fallen silent.
    Adopted,
    /// It publishes as the profile says again.
    AsProfiled,
    /// The sensor stops, and it still publishes in another way than the profile says.
    StillDiffers,
}

impl Happened {
    /// Name in events.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Happened::FirstSeen => "first_seen",
            Happened::Changed => "state_changed",
            Happened::Restarted => "restarted",
            Happened::Silent => "silent",
            Happened::Back => "back",
            Happened::Adopted => "adopted",
            Happened::AsProfiled => "as_profiled",
            Happened::StillDiffers => "still_differs",
        }
    }
}

/// Something about a publisher.
#[derive(Copy, Clone)]
pub struct PublicationEvent<'a> {
    /// Packet time.
    pub at: Timestamp,
    /// What happened.
    pub what: Happened,
    /// The protocol.
    pub protocol: Protocol,
    /// Who publishes.
    pub publisher: Endpoint,
    /// To which group.
    pub group: Endpoint,
    /// The publisher's name in the profile.
    pub name: Option<&'a str>,
    /// Reference of the control block.
    pub control_block: &'a [u8],
    /// APPID.
    pub application: u16,
    /// VLAN id, if a tag named one.
    pub vlan: Option<u16>,
    /// Number of the state.
    pub state: u32,
    /// Number within the state.
    pub sequence: u32,
    /// The frame that shows it.
    pub frame: FrameRef,
    /// What differs from the state before.
    pub changes: Option<&'a dyn fmt::Display>,
    /// How many messages differed from the profile.
    pub differing: Option<u32>,
}

/// The line.
pub(super) fn publication_line(json: &mut Json, common: &Common, event: &PublicationEvent<'_>) {
    head(json, common, event.at, "publication");
    json.key("what");
    json.word(event.what.name());
    json.key("protocol");
    json.word(event.protocol.name());
    parties(json, event.group, event.publisher);
    if let Some(name) = event.name {
        json.key("station");
        json.text(name);
    }
    json.key("control_block");
    json.ascii_text(event.control_block);
    json.key("appid");
    json.unsigned(event.application.into());
    if let Some(vlan) = event.vlan {
        json.key("vlan");
        json.unsigned(vlan.into());
    }
    json.key("state");
    json.unsigned(event.state.into());
    json.key("sequence");
    json.unsigned(event.sequence.into());
    if let Some(changes) = event.changes {
        json.key("changes");
        json.formatted(format_args!("{changes}"));
    }
    if let Some(differing) = event.differing {
        json.key("differing");
        json.unsigned(differing.into());
    }
    common.capture_member(json, event.frame.tap);
    json.key("frame");
    json.unsigned(event.frame.number);
    json.close_object();
    json.newline();
}
