//! `[publishers.NAME]` and `[subscribers.NAME]`: IEDs that speak and listen to GOOSE.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, de::Error};

use super::time::Span;

/// An Ethernet address: `"01:0c:cd:01:00:01"`.
#[derive(Debug, Clone, Copy, Default, Eq, PartialEq)]
pub struct Mac(pub [u8; 6]);

impl FromStr for Mac {
    type Err = String;

    fn from_str(text: &str) -> Result<Mac, String> {
        let wrong = || format!("`{text}` is no Ethernet address; write \"01:0c:cd:01:00:01\"");
        let mut out = [0; 6];
        let mut parts = text.split(':');
        for octet in &mut out {
            // A number might also have a sign.
            let digits = |part: &&str| part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_hexdigit());
            let part = parts.next().filter(digits).ok_or_else(wrong)?;
            *octet = u8::from_str_radix(part, 16).map_err(|_| wrong())?;
        }
        if parts.next().is_some() { Err(wrong()) } else { Ok(Mac(out)) }
    }
}

impl std::fmt::Display for Mac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let octets = self.0.map(|octet| format!("{octet:02x}"));
        f.write_str(&octets.join(":"))
    }
}

impl<'de> Deserialize<'de> for Mac {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Mac, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// `[publishers.NAME]`: one GOOSE control block of an IED. Its data set has a trip, position and quality of
/// each breaker, current and quality of each line.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publisher {
    /// Ethernet address of the IED.
    pub source: Mac,
    /// Group address.
    pub destination: Mac,
    /// APPID.
    pub appid: u16,
    /// VLAN; 0 for a priority tag, none for no tag.
    pub vlan: Option<u16>,
    /// Priority in the tag.
    #[serde(default = "Publisher::priority")]
    pub priority: u8,
    /// Control block reference.
    pub control_block: String,
    /// Reference of the data set.
    pub data_set: String,
    /// Identifier of the messages.
    pub id: Option<String>,
    /// Configuration revision.
    #[serde(default = "Publisher::revision")]
    pub revision: u32,
    /// Integers always take five octets.
    #[serde(default)]
    pub fixed_length: bool,
    /// Pause after a change of state.
    #[serde(default = "Publisher::shortest")]
    pub shortest: Span,
    /// Longest pause.
    #[serde(default = "Publisher::longest")]
    pub longest: Span,
    /// Breakers.
    #[serde(default)]
    pub breakers: Vec<String>,
    /// Lines or transformers.
    #[serde(default)]
    pub lines: Vec<String>,
}

impl Publisher {
    fn priority() -> u8 {
        4
    }

    fn revision() -> u32 {
        1
    }

    fn shortest() -> Span {
        Span::from_ms(4)
    }

    fn longest() -> Span {
        Span::from_ms(1000)
    }
}

/// `[subscribers.NAME]`: an IED that opens a breaker when a publisher says trip.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscriber {
    /// The publisher it listens to.
    pub publisher: String,
    /// The breaker it opens.
    pub breaker: String,
}
