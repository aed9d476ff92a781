//! What a member of a data set is: its name, and its type by the templates.

use super::{Description, Kind, Member, Part};

/// Types of a structure that are named; the rest is counted.
const NAMED: usize = 12;
/// Structures within one another; a type that contains itself has no end.
const DEPTH: usize = 8;

/// Parts of types that may be looked at for all members together: templates can be made that have no end.
pub(super) struct Steps(usize);

impl Default for Steps {
    fn default() -> Steps {
        Steps(20_000_000)
    }
}

impl Steps {
    fn take(&mut self, count: usize) -> Option<()> {
        self.0 = self.0.checked_sub(count)?;
        Some(())
    }
}

impl Member {
    /// `PTRC1.Tr.general [ST]`
    pub(super) fn name(&self) -> String {
        let parts = [self.node.as_str(), &self.object, &self.attribute];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        format!("{} [{}]", parts.join("."), self.constraint)
    }
}

/// The type of a member of an IED's data set, as far as the templates tell: `Dbpos`, or `structure of Dbpos,
/// Quality, Timestamp`.
pub(super) fn type_of(
    description: &Description,
    ied: &str,
    member: &Member,
    steps: &mut Steps,
) -> Option<String> {
    let device = description.devices.get(&(ied.to_owned(), member.device.clone()))?;
    let mut of = description.nodes.get(&(*device, member.node.clone()))?;
    let mut kind = Kind::Node;
    for name in member.object.split('.') {
        of = &part(description, (kind, of), name, None, steps)?.of;
        kind = Kind::Object;
    }
    let mut leaves = Leaves { steps, types: Vec::new(), more: 0, structure: false, open: false };
    if member.attribute.is_empty() {
        leaves.add(description, (kind, of), Some(&member.constraint), 0);
        return leaves.text();
    }
    let mut last = None;
    for name in member.attribute.split('.') {
        // Below the first one, all have its constraint.
        let constraint = (kind == Kind::Object).then_some(member.constraint.as_str());
        let found = part(description, (kind, of), name, constraint, leaves.steps)?;
        (of, kind, last) = (&found.of, Kind::Attribute, Some(found));
    }
    leaves.part(description, last?, 0);
    leaves.text()
}

fn part<'d>(
    description: &'d Description,
    (kind, of): (Kind, &str),
    name: &str,
    constraint: Option<&str>,
    steps: &mut Steps,
) -> Option<&'d Part> {
    // An element of an array: `phsAHar(3)`.
    let name = name.split('(').next().unwrap_or(name);
    let parts = description.types.get(&(kind, of.to_owned()))?;
    steps.take(parts.len())?;
    parts.iter().find(|part| part.name == name && constraint.is_none_or(|wanted| wanted == part.constraint))
}

/// The types at the ends of a structure, in their order.
struct Leaves<'s> {
    steps: &'s mut Steps,
    types: Vec<String>,
    more: usize,
    /// There is a structure.
    structure: bool,
    /// Something of it is not known.
    open: bool,
}

impl Leaves<'_> {
    fn add(&mut self, description: &Description, of: (Kind, &str), constraint: Option<&str>, depth: usize) {
        self.structure = true;
        let parts = description.types.get(&(of.0, of.1.to_owned())).filter(|_| depth < DEPTH);
        let Some(parts) = parts.filter(|parts| self.steps.take(parts.len() + 1).is_some()) else {
            self.open = true;
            return;
        };
        for part in parts {
            if part.basic.is_empty() {
                self.add(description, (Kind::Object, &part.of), constraint, depth + 1);
            } else if constraint.is_none_or(|wanted| wanted == part.constraint) {
                self.part(description, part, depth);
            }
        }
    }

    fn part(&mut self, description: &Description, part: &Part, depth: usize) {
        if part.basic == "Struct" && !part.array {
            self.add(description, (Kind::Attribute, &part.of), None, depth + 1);
        } else if self.types.len() >= NAMED {
            self.more += 1;
        } else {
            let basic: String = part.basic.chars().take(30).collect();
            self.types.push(format!("{}{basic}", if part.array { "array of " } else { "" }));
        }
    }

    fn text(self) -> Option<String> {
        if self.types.is_empty() {
            return None;
        }
        let mut text = self.types.join(", ");
        if self.more > 0 {
            text = format!("{text} and {} more", self.more);
        }
        if self.open {
            text.push_str(" and what the templates do not describe");
        }
        Some(if self.structure { format!("structure of {text}") } else { text })
    }
}
