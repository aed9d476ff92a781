//! The elements of IEDs, data sets and templates.

use super::{Attributes, TOO_LARGE, Walk, Wrong, cut};
use crate::scl::{Block, BlockKey, DataSet, Kind, Listens, Member, Part};

/// Elements that matter, each at its place only.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Tag {
    Scl,
    Header,
    Communication,
    SubNetwork,
    ConnectedAp,
    Address,
    Parameter,
    Gse,
    GseAddress,
    MinTime,
    MaxTime,
    Ied,
    AccessPoint,
    Server,
    Device,
    Node,
    DataSet,
    Fcda,
    Control,
    Subscriber,
    Inputs,
    ExtRef,
    Templates,
    Type(Kind),
    Part,
    Other,
}

impl Tag {
    pub(super) fn of(parent: Option<Tag>, name: &str) -> Tag {
        let Some(parent) = parent else { return Tag::Scl };
        match (parent, name) {
            (Tag::Scl, "Header") => Tag::Header,
            (Tag::Scl, "Communication") => Tag::Communication,
            (Tag::Communication, "SubNetwork") => Tag::SubNetwork,
            (Tag::SubNetwork, "ConnectedAP") => Tag::ConnectedAp,
            (Tag::ConnectedAp, "Address") => Tag::Address,
            (Tag::ConnectedAp, "GSE") => Tag::Gse,
            (Tag::Gse, "Address") => Tag::GseAddress,
            (Tag::Gse, "MinTime") => Tag::MinTime,
            (Tag::Gse, "MaxTime") => Tag::MaxTime,
            (Tag::Address | Tag::GseAddress, "P") => Tag::Parameter,
            (Tag::Scl, "IED") => Tag::Ied,
            (Tag::Ied, "AccessPoint") => Tag::AccessPoint,
            (Tag::AccessPoint, "Server") => Tag::Server,
            (Tag::Server, "LDevice") => Tag::Device,
            // Clients have nodes without a device.
            (Tag::Device, "LN0" | "LN") | (Tag::AccessPoint, "LN") => Tag::Node,
            (Tag::Node, "DataSet") => Tag::DataSet,
            (Tag::DataSet, "FCDA") => Tag::Fcda,
            (Tag::Node, "GSEControl") => Tag::Control,
            (Tag::Control, "IEDName") => Tag::Subscriber,
            (Tag::Node, "Inputs") => Tag::Inputs,
            (Tag::Inputs, "ExtRef") => Tag::ExtRef,
            (Tag::Scl, "DataTypeTemplates") => Tag::Templates,
            (Tag::Templates, "LNodeType") => Tag::Type(Kind::Node),
            (Tag::Templates, "DOType") => Tag::Type(Kind::Object),
            (Tag::Templates, "DAType") => Tag::Type(Kind::Attribute),
            (Tag::Type(_), "DO" | "SDO" | "DA" | "BDA") => Tag::Part,
            _ => Tag::Other,
        }
    }

    /// Whether its text is wanted.
    pub(super) fn has_text(self) -> bool {
        matches!(self, Tag::Parameter | Tag::MinTime | Tag::MaxTime | Tag::Subscriber)
    }
}

/// What the walk is within.
#[derive(Default)]
pub(super) struct Now {
    pub(super) ied: String,
    pub(super) access_point: String,
    /// Address parameters: of which type.
    pub(super) parameter: String,
    pub(super) unit: String,
    pub(super) gse: Option<BlockKey>,
    /// Control blocks that the access point sends.
    pub(super) sends: Vec<BlockKey>,
    pub(super) macs: Vec<parsers::MacAddr>,
    /// Instance of the logical device, its name on the wire, and its number.
    device: (String, String, Option<u32>),
    set: Option<BlockKey>,
    control: Option<BlockKey>,
    of_type: Option<(Kind, String)>,
}

impl Walk {
    pub(super) fn element(&mut self, tag: Tag, a: &Attributes<'_>) -> Result<(), Wrong> {
        match tag {
            Tag::Scl => {
                let edition = [a.get("version"), a.get("revision"), a.get("release")].concat();
                self.found.edition = cut(if edition.is_empty() { "2003" } else { &edition });
            }
            Tag::Header => {
                self.found.id = cut(a.get("id"));
                self.found.version = cut(a.get("version"));
            }
            Tag::ConnectedAp => {
                self.now.ied = self.keep(a.get("iedName"))?;
                self.now.access_point = self.keep(a.get("apName"))?;
                (self.now.sends, self.now.macs) = (Vec::new(), Vec::new());
            }
            Tag::Gse => self.gse(a)?,
            Tag::Parameter => a.get("type").clone_into(&mut self.now.parameter),
            Tag::MinTime | Tag::MaxTime => {
                let or = |text: &str, default: &str| cut(if text.is_empty() { default } else { text });
                self.now.unit = or(a.get("multiplier"), "m") + &or(a.get("unit"), "s");
            }
            Tag::Ied => self.ied(a)?,
            Tag::AccessPoint => self.now.device = (String::new(), String::new(), None),
            Tag::Device => self.device(a)?,
            Tag::Node => self.node(a)?,
            Tag::DataSet => {
                let key = self.own(a.get("name"))?;
                self.found.sets.insert(key.clone(), DataSet::default());
                self.now.set = Some(key);
            }
            Tag::Fcda => self.member(a)?,
            Tag::Other if self.path.last() == Some(&Tag::DataSet) => self.open_set(),
            Tag::Control => self.control(a)?,
            Tag::ExtRef => self.subscription(a)?,
            Tag::Type(kind) => self.now.of_type = Some((kind, self.keep(a.get("id"))?)),
            Tag::Part => self.part(a)?,
            _ => {}
        }
        Ok(())
    }

    pub(super) fn element_ends(&mut self, tag: Tag, text: &str) -> Result<(), Wrong> {
        match tag {
            Tag::Parameter => self.parameter(text)?,
            Tag::MinTime | Tag::MaxTime => self.pause(usize::from(tag == Tag::MaxTime), text)?,
            Tag::Gse => self.now.gse = None,
            Tag::ConnectedAp => self.access_point_ends(),
            Tag::DataSet => self.now.set = None,
            Tag::Control => self.now.control = None,
            Tag::Type(_) => self.now.of_type = None,
            Tag::Subscriber if !text.is_empty() => {
                let name = self.keep(text)?;
                let block = self.now.control.as_ref().and_then(|key| self.found.blocks.get_mut(key));
                if let Some(block) = block {
                    block.subscribers.insert(name);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn ied(&mut self, a: &Attributes<'_>) -> Result<(), Wrong> {
        let name = self.keep(a.get("name"))?;
        if name.is_empty() {
            self.trouble("an IED without a name".to_owned(), "its publishers are named as if it had none");
        } else if name == "TEMPLATE" {
            let what = "the IED is called TEMPLATE: this describes a kind of device".to_owned();
            self.trouble(what, "import the file of the configured device (.cid) or the substation (.scd)");
        }
        let texts = [a.get("manufacturer"), a.get("type"), a.get("desc")];
        let words = texts.into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" ");
        let words = self.keep(&described(&words))?;
        let ied = self.found.ieds.entry(name.clone()).or_default();
        let twice = std::mem::replace(&mut ied.described, true);
        ied.words = words;
        if twice {
            self.trouble(format!("two IEDs have the name `{}`", cut(&name)), "they are taken for one");
        }
        self.now.ied = name;
        Ok(())
    }

    fn device(&mut self, a: &Attributes<'_>) -> Result<(), Wrong> {
        let inst = self.keep(a.get("inst"))?;
        let name = match a.get("ldName") {
            "" => format!("{}{inst}", self.now.ied),
            name => name.to_owned(),
        };
        let name = self.keep(&name)?;
        let next = u32::try_from(self.found.devices.len()).unwrap_or(u32::MAX);
        let key = (self.now.ied.clone(), inst.clone());
        let number = *self.found.devices.entry(key).or_insert(next);
        self.now.device = (inst, name, Some(number));
        Ok(())
    }

    fn node(&mut self, a: &Attributes<'_>) -> Result<(), Wrong> {
        let Some(number) = self.now.device.2 else { return Ok(()) };
        let name = self.keep(&[a.get("prefix"), a.get("lnClass"), a.get("inst")].concat())?;
        let of = self.keep(a.get("lnType"))?;
        self.found.nodes.insert((number, name), of);
        Ok(())
    }

    fn own(&mut self, name: &str) -> Result<BlockKey, Wrong> {
        Ok((self.now.ied.clone(), self.now.device.0.clone(), self.keep(name)?))
    }

    fn member(&mut self, a: &Attributes<'_>) -> Result<(), Wrong> {
        if a.get("doName").is_empty() || a.get("fc").is_empty() {
            // All objects of a node: how many, the standard leaves to the device.
            self.open_set();
        }
        let member = self.member_of(a, [a.get("prefix"), a.get("lnClass"), a.get("lnInst")])?;
        if let Some(set) = self.now.set.as_ref().and_then(|key| self.found.sets.get_mut(key)) {
            set.members.push(member);
        }
        Ok(())
    }

    fn open_set(&mut self) {
        if let Some(set) = self.now.set.as_ref().and_then(|key| self.found.sets.get_mut(key)) {
            set.open = true;
        }
    }

    fn member_of(&mut self, a: &Attributes<'_>, node: [&str; 3]) -> Result<Member, Wrong> {
        Ok(Member {
            device: self.keep(a.get("ldInst"))?,
            node: self.keep(&node.concat())?,
            object: self.keep(a.get("doName"))?,
            attribute: self.keep(a.get("daName"))?,
            constraint: self.keep(a.get("fc"))?,
        })
    }

    fn control(&mut self, a: &Attributes<'_>) -> Result<(), Wrong> {
        if a.get("type") == "GSSE" {
            let what = format!("the control block `{}` is of GSSE, not of GOOSE", cut(a.get("name")));
            self.trouble(what, "it is left out");
            return Ok(());
        }
        let key = self.own(a.get("name"))?;
        let revision = a.get("confRev").parse().ok();
        if revision.is_none() {
            let what = format!("`{}` is no revision of a configuration", cut(a.get("confRev")));
            self.trouble(what, "`confRev` is a number; the revision is not judged");
        }
        let block = Block {
            at: self.at,
            device: self.keep(&self.now.device.1.clone())?,
            data_set: self.keep(a.get("datSet"))?,
            revision,
            identifier: self.keep(a.get("appID"))?,
            words: self.keep(&described(a.get("desc")))?,
            ..Block::default()
        };
        if self.found.blocks.insert(key.clone(), block).is_some() {
            let what = format!("two GOOSE control blocks have the name `{}` in one device", cut(&key.2));
            self.trouble(what, "the second one is taken");
        }
        self.now.control = Some(key);
        Ok(())
    }

    /// A subscriber names the control block that it listens to, or only the value that it takes.
    fn subscription(&mut self, a: &Attributes<'_>) -> Result<(), Wrong> {
        if a.get("iedName").is_empty() || !matches!(a.get("serviceType"), "GOOSE" | "") {
            return Ok(());
        }
        let from = match a.get("iedName") {
            "@" => self.now.ied.clone(),
            name => name.to_owned(),
        };
        let from = self.keep(&from)?;
        let listens = if a.get("srcCBName").is_empty() {
            Listens::Value(from, self.member_of(a, [a.get("prefix"), a.get("lnClass"), a.get("lnInst")])?)
        } else {
            let device = if a.get("srcLDInst").is_empty() { a.get("ldInst") } else { a.get("srcLDInst") };
            Listens::Block((from, self.keep(device)?, self.keep(a.get("srcCBName"))?))
        };
        let ied = self.keep(&self.now.ied.clone())?;
        self.found.listens.push((ied, listens));
        Ok(())
    }

    fn part(&mut self, a: &Attributes<'_>) -> Result<(), Wrong> {
        let part = Part {
            name: self.keep(a.get("name"))?,
            constraint: self.keep(a.get("fc"))?,
            basic: self.keep(a.get("bType"))?,
            of: self.keep(a.get("type"))?,
            array: !matches!(a.get("count"), "" | "0"),
        };
        let Some(key) = self.now.of_type.clone() else { return Ok(()) };
        let parts = self.found.types.entry(key).or_default();
        if parts.len() >= 10_000 {
            return Err(("a type of more than 10000 parts".to_owned(), TOO_LARGE));
        }
        parts.push(part);
        Ok(())
    }
}

/// As much of an engineer's words as is kept.
fn described(text: &str) -> String {
    text.chars().take(200).collect()
}
