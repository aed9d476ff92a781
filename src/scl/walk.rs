//! The walk over the elements of a description (IEC 61850-6 clause 9), in the order in which they come.
//!
//! ```text
//! SCL @version @revision @release
//!   Header @id @version
//!   Communication / SubNetwork / ConnectedAP @iedName @apName
//!     Address / P @type=IP, MAC-Address
//!     GSE @ldInst @cbName / Address / P @type=MAC-Address, APPID, VLAN-ID, VLAN-PRIORITY; MinTime, MaxTime
//!   IED @name / AccessPoint / Server / LDevice @inst @ldName / LN0, LN
//!     DataSet @name / FCDA
//!     GSEControl @name @datSet @confRev @appID @type / IEDName
//!     Inputs / ExtRef @iedName @srcLDInst @srcCBName
//!   DataTypeTemplates / LNodeType / DO;  DOType / SDO, DA;  DAType / BDA
//! ```

use std::borrow::Cow;
use std::io::{BufRead, Read};

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::{Error, NsReader, XmlVersion};

use super::input::{
    Beyond, Bounded, MAX_ATTRIBUTES, MAX_DEPTH, MAX_ELEMENTS, MAX_KEPT_OCTETS, MAX_OCTETS, MAX_TOKEN_OCTETS,
};
use super::{Description, Trouble};

mod communication;
mod elements;

use elements::Tag;

/// What is wrong, and what to do about it.
type Wrong = (String, &'static str);

/// What every kept name costs beside its octets.
const NAME_OCTETS: usize = 48;
/// Longest name; the standard allows 64 characters, and 255 for descriptions.
const NAME_LONGEST: usize = 1000;
/// Longest text of an element that is kept.
const TEXT_OCTETS: usize = 1000;

const BROKEN: &str = "the file is no well-formed XML here: export it once more from the engineering tool";
const NO_SCL: &str = "name a description of IEC 61850-6: .scd, .cid, .iid or .icd";
const CONVERT: &str = "convert the file to UTF-8";
const NO_ENTITIES: &str = "SCL needs no document type and no entities: take them out";
const TOO_LARGE: &str =
    "this is no usual description of a substation; import parts of it (.cid) one after the other";

/// Where the walk stands.
#[derive(Default)]
struct Walk {
    found: Description,
    path: Vec<Tag>,
    /// Elements within one another that are of no interest, with all below them.
    skipped: usize,
    /// Namespace of the root element: what is in another one belongs to a tool.
    namespace: Option<String>,
    elements: u64,
    kept: usize,
    text: String,
    at: u64,
    now: elements::Now,
}

/// The attributes of an element that belong to SCL.
struct Attributes<'e>(Vec<(&'e str, Cow<'e, str>)>);

impl Attributes<'_> {
    /// The value, without spaces around it; empty if there is none.
    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value.trim())
    }
}

pub(super) fn walk(input: impl Read) -> Result<Description, Trouble> {
    let mut input = Bounded::new(input).map_err(|error| unreadable(&error))?;
    let mark = byte_order(&mut input)?;
    let mut reader = NsReader::from_reader(input);
    reader.config_mut().expand_empty_elements = true;
    let mut walk = Walk::default();
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        walk.at = mark + reader.buffer_position();
        let place = walk.at;
        let told = |(what, remedy): Wrong| Trouble { at: Some(place), what, remedy };
        let event = match reader.read_resolved_event_into(&mut buffer) {
            Ok(event) => event,
            Err(error) => {
                let beyond = reader.get_mut().beyond;
                return Err(xml_error(&error, beyond, place, mark + reader.error_position()));
            }
        };
        match event {
            (_, Event::Eof) => break,
            (space, Event::Start(element)) => walk.start(&space, &element).map_err(told)?,
            (_, Event::End(_)) => walk.end().map_err(told)?,
            (_, event) => walk.content(&event).map_err(told)?,
        }
        reader.get_mut().token_done();
    }
    let unclosed = walk.path.len() + walk.skipped;
    if unclosed > 0 {
        let what = format!("the file ends within {unclosed} element{}", if unclosed == 1 { "" } else { "s" });
        return Err(Trouble { at: Some(walk.at), what, remedy: "the file was cut: get the whole one" });
    }
    if walk.elements == 0 {
        return Err(Trouble { at: None, what: "the file holds no XML element".into(), remedy: NO_SCL });
    }
    Ok(walk.found)
}

/// Octets of the mark in front of the text. Other encodings than UTF-8 are told before anything looks at them.
fn byte_order(input: &mut Bounded<impl Read>) -> Result<u64, Trouble> {
    let head = input.fill_buf().map_err(|error| unreadable(&error))?;
    match head {
        [0xEF, 0xBB, 0xBF, ..] => Ok(3),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, _, ..] | [_, 0, ..] => {
            Err(Trouble { at: None, what: "the file is written in UTF-16 or UTF-32".into(), remedy: CONVERT })
        }
        _ => Ok(0),
    }
}

fn unreadable(error: &std::io::Error) -> Trouble {
    let what = format!("the description cannot be read: {error}");
    Trouble { at: None, what, remedy: "check the path and who may read it" }
}

fn xml_error(error: &Error, beyond: Option<Beyond>, began: u64, place: u64) -> Trouble {
    let (at, what, remedy) = match (beyond, error) {
        (Some(Beyond::Token), _) => {
            (began, format!("a tag, a comment or a text of more than {MAX_TOKEN_OCTETS} octets"), TOO_LARGE)
        }
        (Some(Beyond::File), _) => (began, format!("a file of more than {MAX_OCTETS} octets"), TOO_LARGE),
        (None, Error::Io(error)) => return unreadable(error),
        (None, Error::Encoding(_)) => (began, "octets that are no UTF-8".to_owned(), CONVERT),
        (None, error) => (place.max(began), error.to_string(), BROKEN),
    };
    Trouble { at: Some(at), what, remedy }
}

impl Walk {
    fn start(&mut self, space: &ResolveResult<'_>, element: &BytesStart<'_>) -> Result<(), Wrong> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err((format!("more than {MAX_ELEMENTS} elements"), TOO_LARGE));
        }
        if self.path.len() + self.skipped >= MAX_DEPTH {
            return Err((format!("more than {MAX_DEPTH} elements within one another"), TOO_LARGE));
        }
        let attributes = attributes(element)?;
        let space = match space {
            ResolveResult::Bound(space) => Some(space.0),
            ResolveResult::Unbound => None,
            ResolveResult::Unknown(prefix) => {
                return Err((format!("the prefix `{}` is not declared", cut(prefix)), BROKEN));
            }
        };
        let name = element.local_name();
        let name: &str = name.as_ref();
        if self.path.is_empty() {
            if name != "SCL" || self.elements > 1 {
                return Err((format!("the root element is <{}> instead of <SCL>", cut(name)), NO_SCL));
            }
            self.namespace = space.map(str::to_owned);
        } else if self.skipped > 0 || space != self.namespace.as_deref() || name == "Private" {
            self.skipped += 1;
            return Ok(());
        }
        self.text.clear();
        let tag = Tag::of(self.path.last().copied(), name);
        self.element(tag, &attributes)?;
        self.path.push(tag);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Wrong> {
        if self.skipped > 0 {
            self.skipped -= 1;
            return Ok(());
        }
        let Some(tag) = self.path.pop() else { return Ok(()) };
        let text = std::mem::take(&mut self.text);
        self.element_ends(tag, text.trim())
    }

    /// What is no tag.
    fn content(&mut self, event: &Event<'_>) -> Result<(), Wrong> {
        match event {
            Event::DocType(_) => Err(("a document type (DTD) is refused".to_owned(), NO_ENTITIES)),
            Event::Decl(declaration) => {
                let encoding = declaration.encoding().transpose().map_err(|e| (e.to_string(), BROKEN))?;
                let known = ["utf-8", "us-ascii", "ascii"];
                match encoding {
                    Some(name) if !known.iter().any(|known| name.eq_ignore_ascii_case(known)) => {
                        Err((format!("the encoding `{}` is not read", cut(&name)), CONVERT))
                    }
                    _ => Ok(()),
                }
            }
            Event::Text(text) => {
                self.push(text);
                Ok(())
            }
            Event::CData(text) => {
                self.push(text);
                Ok(())
            }
            Event::GeneralRef(reference) => {
                let known = match reference.as_ref() {
                    "amp" => Some('&'),
                    "lt" => Some('<'),
                    "gt" => Some('>'),
                    "quot" => Some('"'),
                    "apos" => Some('\''),
                    _ => reference.resolve_char_ref().map_err(|e| (e.to_string(), BROKEN))?,
                };
                let Some(known) = known else {
                    return Err((format!("the entity `{}` is refused", cut(reference)), NO_ENTITIES));
                };
                self.push(known.encode_utf8(&mut [0; 4]));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn push(&mut self, text: &str) {
        let wanted = self.skipped == 0 && self.path.last().is_some_and(|tag| tag.has_text());
        if wanted && self.text.len() + text.len() <= TEXT_OCTETS {
            self.text.push_str(text);
        }
    }

    /// A name that is kept.
    fn keep(&mut self, text: &str) -> Result<String, Wrong> {
        if text.len() > NAME_LONGEST {
            return Err((format!("a name of more than {NAME_LONGEST} octets"), TOO_LARGE));
        }
        self.kept += text.len() + NAME_OCTETS;
        if self.kept > MAX_KEPT_OCTETS {
            return Err(("more names than are kept".to_owned(), TOO_LARGE));
        }
        Ok(text.to_owned())
    }

    fn trouble(&mut self, what: String, remedy: &'static str) {
        self.found.trouble(self.at, what, remedy);
    }
}

/// All attributes are looked at, whatever they belong to; those with a prefix are a tool's.
fn attributes<'e>(element: &'e BytesStart<'_>) -> Result<Attributes<'e>, Wrong> {
    let mut list = Vec::new();
    for (count, attribute) in element.attributes().enumerate() {
        if count >= MAX_ATTRIBUTES {
            return Err((format!("an element with more than {MAX_ATTRIBUTES} attributes"), TOO_LARGE));
        }
        let attribute = attribute.map_err(|error| (error.to_string(), BROKEN))?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        let value = value.map_err(|error| match error {
            Error::Escape(quick_xml::escape::EscapeError::UnrecognizedEntity(_, name)) => {
                (format!("the entity `{}` is refused", cut(&name)), NO_ENTITIES)
            }
            error => (error.to_string(), BROKEN),
        })?;
        let key = attribute.key.into_inner();
        if !key.contains(':') {
            list.push((key, value));
        }
    }
    Ok(Attributes(list))
}

/// As much of a text of the file as a sentence has room for.
fn cut(text: &str) -> String {
    let shown: String = text.chars().take(60).collect();
    if shown.len() < text.len() { format!("{shown}...") } else { shown }
}
