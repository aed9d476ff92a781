//! SCL (IEC 61850-6): from the description of a substation to a profile.
//!
//! ```text
//! file -> octets     a stream within limits, and the line of an octet           input
//!      -> elements   no DTD, no entities but XML's own, no other namespace      walk
//!      -> Description  IEDs, addresses, control blocks, data sets, subscribers  here
//!                      and the types of what a data set holds                   members
//!      -> Draft      hosts and publishers as a profile names them               draft
//!      -> TOML       new, or added to an old profile                            write, merge
//! ```
//! Editions 1 (2003) and 2 (2007, 2007B) are read. What the description does not say, the profile does not judge.

mod draft;
mod input;
mod members;
mod merge;
#[cfg(test)]
mod tests;
mod walk;
mod write;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;
use std::net::IpAddr;

use parsers::MacAddr;

pub use draft::Draft;
pub use input::{
    MAX_ATTRIBUTES, MAX_DEPTH, MAX_ELEMENTS, MAX_KEPT_OCTETS, MAX_OCTETS, MAX_TOKEN_OCTETS, Place, places,
};
pub use merge::Merged;

/// Something wrong in a description: an error that ends the reading, or a part that could not be used.
#[derive(Debug, Clone, Eq, PartialEq)]
pub struct Trouble {
    /// The octet of the file at which the element begins; none if it concerns the file as a whole.
    pub at: Option<u64>,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// Parts that could not be used, and are told; further ones are counted.
const TOLD: usize = 200;

/// What a description says.
#[derive(Debug, Default)]
pub struct Description {
    /// Of the header.
    pub(crate) id: String,
    pub(crate) version: String,
    /// `2003`, `2007B4`, or what else stands there.
    pub(crate) edition: String,
    /// By name.
    pub(crate) ieds: BTreeMap<String, Ied>,
    /// Logical devices by IED and instance; the number is that of their nodes.
    devices: BTreeMap<(String, String), u32>,
    /// Types of logical nodes by device and name.
    nodes: HashMap<(u32, String), String>,
    pub(crate) blocks: BTreeMap<BlockKey, Block>,
    /// Where control blocks are sent, by the same key.
    pub(crate) sent: BTreeMap<BlockKey, Sent>,
    /// Data sets by the same kind of key.
    pub(crate) sets: BTreeMap<BlockKey, DataSet>,
    /// Who listens to what, from the subscribers' side: IED and what it takes.
    pub(crate) listens: Vec<(String, Listens)>,
    types: HashMap<(Kind, String), Vec<Part>>,
    /// What could not be used.
    pub troubles: Vec<Trouble>,
    /// Those beyond the first 200.
    pub further: usize,
}

/// IED, instance of the logical device, name.
pub(crate) type BlockKey = (String, String, String);

/// An IED.
#[derive(Debug, Default)]
pub(crate) struct Ied {
    pub(crate) words: String,
    /// Its own addresses, with the octet at which each stands.
    pub(crate) addresses: BTreeMap<IpAddr, u64>,
    pub(crate) macs: BTreeSet<MacAddr>,
    /// It is described, not only connected.
    pub(crate) described: bool,
}

/// A GOOSE control block.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) at: u64,
    /// Name of the logical device on the wire.
    pub(crate) device: String,
    pub(crate) data_set: String,
    pub(crate) revision: Option<u32>,
    pub(crate) identifier: String,
    pub(crate) words: String,
    pub(crate) subscribers: BTreeSet<String>,
}

/// Where a control block is sent.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) at: u64,
    pub(crate) access_point: String,
    pub(crate) destination: Option<MacAddr>,
    pub(crate) appid: Option<u16>,
    pub(crate) vlan: Option<u16>,
    pub(crate) priority: String,
    /// Pause after a change, and the longest one, with their units.
    pub(crate) pauses: [String; 2],
    /// Ethernet addresses of the access point itself.
    pub(crate) source: BTreeSet<MacAddr>,
}

/// A data set.
#[derive(Debug, Default)]
pub(crate) struct DataSet {
    pub(crate) members: Vec<Member>,
    /// It names something that is no single member: how many there are is not known.
    pub(crate) open: bool,
}

/// A member of a data set (FCDA).
#[derive(Debug, Default, Clone, Eq, PartialEq)]
pub(crate) struct Member {
    pub(crate) device: String,
    /// Prefix, class and instance, as on the wire.
    pub(crate) node: String,
    pub(crate) object: String,
    pub(crate) attribute: String,
    pub(crate) constraint: String,
}

/// What an IED takes from another one.
#[derive(Debug)]
pub(crate) enum Listens {
    /// A control block (edition 2).
    Block(BlockKey),
    /// A value of another IED (edition 1): whoever publishes it.
    Value(String, Member),
}

/// Kinds of types in the templates.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Hash)]
enum Kind {
    Node,
    Object,
    Attribute,
}

/// A part of a type.
#[derive(Debug, Default)]
struct Part {
    name: String,
    constraint: String,
    /// `BOOLEAN`; empty for a data object.
    basic: String,
    /// The type of a structure or a data object.
    of: String,
    array: bool,
}

impl Description {
    /// Read a description. Nothing is kept but what a profile can use, and no entity is followed.
    ///
    /// # Errors
    /// It is no XML, no SCL, or beyond a limit.
    pub fn read(input: impl Read) -> Result<Description, Trouble> {
        walk::walk(input)
    }

    /// What a profile can say of it. `file` is the name of the file, for people.
    #[must_use]
    pub fn draft(&mut self, file: &str) -> Draft {
        draft::draft(self, file)
    }

    fn trouble(&mut self, at: u64, what: String, remedy: &'static str) {
        if self.troubles.len() < TOLD {
            self.troubles.push(Trouble { at: Some(at), what, remedy });
        } else {
            self.further += 1;
        }
    }
}
