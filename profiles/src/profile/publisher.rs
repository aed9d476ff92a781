//! Publishers (GOOSE): who may speak, and how.

use core::fmt;

use parsers::{MacAddr, Publication};

/// A publisher. What is `None` or empty is not judged.
#[derive(Debug, Clone, Eq, PartialEq)]
pub struct Publisher {
    /// Its name.
    pub name: String,
    /// Reference of its control block.
    pub control_block: String,
    /// APPID.
    pub application: Option<u16>,
    /// Ethernet addresses that it sends from.
    pub source: Vec<MacAddr>,
    /// The multicast address that it sends to.
    pub destination: Option<MacAddr>,
    /// VLAN id; frames without a tag are not judged by it, since mirror ports take tags away.
    pub vlan: Option<u16>,
    /// Reference of its data set.
    pub data_set: Option<String>,
    /// Its goID.
    pub identifier: Option<String>,
    /// Revision of its configuration.
    pub revision: Option<u32>,
    /// Members of its data set.
    pub entries: Option<u32>,
    /// Who listens; told to people only.
    pub subscribers: Vec<String>,
    /// It may send with the simulation or test bit.
    pub simulation: bool,
    /// The engineer's comment.
    pub comment: Option<String>,
}

/// A publication and the way it took.
#[derive(Debug, Copy, Clone)]
pub struct Publishing<'a> {
    /// Who sent it.
    pub source: MacAddr,
    /// To which group.
    pub destination: MacAddr,
    /// In which VLAN, if the frame had a tag with one.
    pub vlan: Option<u16>,
    /// What it says.
    pub said: &'a Publication<'a>,
}

/// What the profile says of a publication.
#[derive(Debug, Copy, Clone)]
pub enum Published<'a> {
    /// It names no publishers at all.
    Unjudged,
    /// It names others.
    Unknown {
        /// Of whom it is.
        publishing: Publishing<'a>,
    },
    /// It names this one, which speaks in another way.
    Differs {
        /// The one that comes nearest.
        publisher: &'a Publisher,
        /// Its place.
        index: u32,
        /// In what it differs.
        field: Field,
        /// What was there.
        publishing: Publishing<'a>,
    },
    /// As it should be.
    Fits {
        /// Which one.
        publisher: &'a Publisher,
        /// Its place.
        index: u32,
    },
}

/// What may differ.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub enum Field {
    /// Ethernet address of the sender.
    Source,
    /// Multicast address.
    Destination,
    /// APPID.
    Application,
    /// VLAN id.
    Vlan,
    /// Data set.
    DataSet,
    /// goID.
    Identifier,
    /// Revision.
    Revision,
    /// Members.
    Entries,
}

impl Publisher {
    /// Whether it judges as another does, whatever both are called.
    #[must_use]
    pub fn judges_as(&self, other: &Publisher) -> bool {
        let way = |p: &Publisher| (p.application, p.destination, p.vlan, p.revision, p.entries);
        (&self.control_block, &self.source) == (&other.control_block, &other.source)
            && (&self.data_set, &self.identifier) == (&other.data_set, &other.identifier)
            && way(self) == way(other)
    }

    /// The first thing in which a publication differs.
    pub(crate) fn differs(&self, it: &Publishing<'_>) -> Option<Field> {
        let said = it.said;
        let text = |wanted: &Option<String>, is: &[u8]| wanted.as_ref().is_some_and(|w| w.as_bytes() != is);
        let checks = [
            (Field::Source, !self.source.is_empty() && !self.source.contains(&it.source)),
            (Field::Destination, self.destination.is_some_and(|d| d != it.destination)),
            (Field::Application, self.application.is_some_and(|a| a != said.application)),
            (Field::Vlan, self.vlan.zip(it.vlan).is_some_and(|(wanted, is)| wanted != is)),
            (Field::DataSet, text(&self.data_set, said.data_set)),
            // A message need not have a goID (`Publication::identifier`). Without one it is known by the reference of
            // its control block, which is judged in any case: a forger gains nothing by leaving the goID out.
            (Field::Identifier, !said.identifier.is_empty() && text(&self.identifier, said.identifier)),
            (Field::Revision, self.revision.zip(said.revision).is_some_and(|(wanted, is)| wanted != is)),
            (Field::Entries, self.entries.zip(said.entries).is_some_and(|(wanted, is)| wanted != is)),
        ];
        checks.into_iter().find(|(_, differs)| *differs).map(|(field, _)| field)
    }
}

impl<'a> Published<'a> {
    /// The publisher's name in the profile.
    #[must_use]
    pub fn name(&self) -> Option<&'a str> {
        match self {
            Published::Differs { publisher, .. } | Published::Fits { publisher, .. } => Some(&publisher.name),
            _ => None,
        }
    }

    /// Its place in the profile.
    #[must_use]
    pub fn index(&self) -> Option<u32> {
        match self {
            Published::Differs { index, .. } | Published::Fits { index, .. } => Some(*index),
            _ => None,
        }
    }

    /// Whether it is allowed; `None` where the profile says nothing.
    #[must_use]
    pub fn allowed(&self) -> Option<bool> {
        match self {
            Published::Unjudged => None,
            Published::Fits { .. } => Some(true),
            _ => Some(false),
        }
    }

    /// Whether it may be simulated.
    #[must_use]
    pub fn may_simulate(&self) -> bool {
        matches!(self, Published::Fits { publisher, .. } if publisher.simulation)
    }

    /// What the profile expects, where the publication is something else.
    #[must_use]
    pub fn expected(&self) -> Option<Words<'_>> {
        matches!(self, Published::Unknown { .. } | Published::Differs { .. })
            .then_some(Words { published: self, observed: false })
    }

    /// What was there instead.
    #[must_use]
    pub fn observed(&self) -> Option<Words<'_>> {
        self.expected().map(|words| Words { observed: true, ..words })
    }
}

/// Displays what was expected, or what was there.
#[derive(Debug, Copy, Clone)]
pub struct Words<'a> {
    published: &'a Published<'a>,
    observed: bool,
}

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.published {
            Published::Unknown { .. } if !self.observed => {
                f.write_str("control blocks that the profile names")
            }
            Published::Unknown { publishing } => {
                write!(
                    f,
                    "'{}', APPID {:#06x}",
                    Shown(publishing.said.control_block),
                    publishing.said.application
                )
            }
            Published::Differs { publisher, field, publishing, .. } => {
                if !self.observed {
                    write!(f, "publisher '{}' with ", publisher.name)?;
                }
                self.field(f, publisher, *field, publishing)
            }
            _ => Ok(()),
        }
    }
}

impl Words<'_> {
    fn field(
        &self,
        f: &mut fmt::Formatter<'_>,
        publisher: &Publisher,
        field: Field,
        it: &Publishing<'_>,
    ) -> fmt::Result {
        let said = it.said;
        let was = self.observed;
        match field {
            Field::Source if was => write!(f, "source {}", it.source),
            Field::Source => {
                f.write_str("source ")?;
                for (n, mac) in publisher.source.iter().take(4).enumerate() {
                    write!(f, "{}{mac}", if n > 0 { " or " } else { "" })?;
                }
                Ok(())
            }
            Field::Destination if was => write!(f, "destination {}", it.destination),
            Field::Destination => write!(f, "destination {}", publisher.destination.unwrap_or_default()),
            Field::Application if was => write!(f, "APPID {:#06x}", said.application),
            Field::Application => write!(f, "APPID {:#06x}", publisher.application.unwrap_or_default()),
            Field::Vlan if was => write!(f, "VLAN {}", it.vlan.unwrap_or_default()),
            Field::Vlan => write!(f, "VLAN {}", publisher.vlan.unwrap_or_default()),
            Field::DataSet if was => write!(f, "data set '{}'", Shown(said.data_set)),
            Field::DataSet => write!(f, "data set '{}'", publisher.data_set.as_deref().unwrap_or_default()),
            Field::Identifier if was => write!(f, "goID '{}'", Shown(said.identifier)),
            Field::Identifier => write!(f, "goID '{}'", publisher.identifier.as_deref().unwrap_or_default()),
            Field::Revision if was => write!(f, "confRev {}", said.revision.unwrap_or_default()),
            Field::Revision => write!(f, "confRev {}", publisher.revision.unwrap_or_default()),
            Field::Entries if was => write!(f, "{} members", said.entries.unwrap_or_default()),
            Field::Entries => write!(f, "{} members", publisher.entries.unwrap_or_default()),
        }
    }
}

/// Text of the wire; what is no visible character is shown as one that says so.
struct Shown<'a>(&'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        self.0.iter().take(129).try_for_each(|octet| {
            f.write_char(if (0x20..0x7F).contains(octet) { char::from(*octet) } else { '\u{FFFD}' })
        })
    }
}
