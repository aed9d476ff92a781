//! Templates: sections with parameters, written once for many devices that are alike.
//!
//! A parameter stands in braces, in texts and in keys: `address = "10.0.1.{n}"`, `[hosts."rtu-{n}"]`. A text
//! that is nothing but a parameter becomes its value, a number too: `link_address = "{n}"`. `{{` is a brace.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::At;
use super::walk::Walk;
use crate::language;
use crate::limits::{MAX_INSTANCES, MAX_PARAMETERS, MAX_TEMPLATE_BYTES, MAX_VALUES, grouped};
use crate::tree::{Node, Table, Tree};

/// Keys of a template that are not part of what it makes.
const OWN_KEYS: &[&str] = &["parameters", "comment"];

struct Template<'t> {
    name: &'t At<String>,
    parameters: Vec<At<String>>,
    table: &'t Table,
    /// Values of an instance.
    values: usize,
}

/// All templates, by name.
type Templates<'t> = HashMap<&'t str, Template<'t>>;

/// What templates have made, and how much that is.
#[derive(Default)]
struct Made {
    instances: Vec<Table>,
    values: usize,
    octets: usize,
    /// A limit is reached, which has been said.
    full: bool,
}

/// What all templates make, one table an instance.
/// `None`: too much, which has been reported.
pub(super) fn instances(roots: &[At<Table>], walk: &mut Walk<'_, '_>) -> Option<Vec<Table>> {
    let mut templates = Templates::new();
    for root in roots {
        for (name, node) in walk.named(&root.value, "templates", "templates.NAME", "parameters = [\"n\"]") {
            if let Some(earlier) = templates.get(name.value.as_str()) {
                let message = format!("two templates have the name `{}`", name.value);
                walk.reporter
                    .error_with(&name.span, message, &earlier.name.span, "the first one")
                    .label("give it another name");
                continue;
            }
            if let Some(template) = template(name, node, walk) {
                templates.insert(&name.value, template);
            }
        }
    }
    let mut made = Made::default();
    for root in roots {
        for node in walk.list_of(&root.value, "use") {
            used(node, &templates, &mut made, walk);
        }
    }
    (!made.full).then_some(made.instances)
}

fn template<'t>(name: &'t At<String>, node: &'t Node, walk: &mut Walk<'_, '_>) -> Option<Template<'t>> {
    let section =
        walk.section(format!("template `{}`", name.value), &name.span, node, &language::TEMPLATE)?;
    let parameters = walk.required_list(&section, "parameters");
    if let Some(beyond) = parameters.get(MAX_PARAMETERS) {
        let message = format!("template `{}` has more than {MAX_PARAMETERS} parameters", name.value);
        walk.reporter.error(&beyond.span, message).label("make several templates of it");
        return None;
    }
    let mut used = vec![false; parameters.len()];
    for (key, node) in section.table.entries.iter().filter(|(key, _)| !OWN_KEYS.contains(&key.value.as_str()))
    {
        each_text(key, node, &mut |text| {
            for word in braces(&text.value) {
                match (word, parameters.iter().position(|p| Some(p.value.as_str()) == word)) {
                    (_, Some(place)) => used[place] = true,
                    (None, None) => {
                        walk.reporter
                            .error(&text.span, format!("a brace of `{}` is not closed", text.value))
                            .label("write {name}, or {{ for a brace");
                    }
                    (Some(word), None) => {
                        let message = format!("template `{}` has no parameter `{word}`", name.value);
                        let meant = walk.reporter.meant(word, parameters.iter().map(|p| p.value.as_str()));
                        let error = walk.reporter.error(&text.span, message);
                        if let Some(meant) = meant {
                            error.label(format!("did you mean `{{{meant}}}`?"));
                        }
                        error.help("name it in `parameters`, or write {{ for a brace");
                    }
                }
            }
        });
    }
    for (parameter, _) in parameters.iter().zip(used).filter(|(_, used)| !used) {
        let message = format!("template `{}` does not use its parameter `{}`", name.value, parameter.value);
        walk.reporter
            .warning(&parameter.span, message)
            .label(format!("write {{{}}} somewhere", parameter.value));
    }
    Some(Template { name, parameters, table: section.table, values: section.table.count() })
}

fn used(node: &Node, templates: &Templates<'_>, made: &mut Made, walk: &mut Walk<'_, '_>) {
    let Some(section) = walk.section("a use of a template".to_owned(), &node.span, node, &language::USE)
    else {
        return;
    };
    let Some(name) = walk.required_text(&section, "template", "\"name of a template\"") else { return };
    let Some(template) = templates.get(name.value.as_str()) else {
        let names = || {
            let mut names: Vec<&str> = templates.keys().copied().collect();
            names.sort_unstable();
            names
        };
        let meant = if walk.reporter.can_guess() { walk.reporter.meant(&name.value, names()) } else { None };
        let error = walk.reporter.error(&name.span, format!("no template has the name `{}`", name.value));
        if let Some(meant) = meant {
            error.label(format!("did you mean `{meant}`?"));
        }
        error.help(format!("define it: [templates.{}]", name.value));
        return;
    };
    let Some(with) = section.table.get("with") else {
        return walk.missing(&section, "with", "[{ n = 1 }, { n = 2 }]");
    };
    let items = match &with.value {
        Tree::List(items) => items.as_slice(),
        Tree::Table(_) => std::slice::from_ref(with),
        other => {
            walk.wrong_type(&with.span, "`with` of a use of a template", "a list of tables", other)
                .label("write [{ n = 1 }, { n = 2 }]");
            return;
        }
    };
    for item in items {
        if made.full {
            return;
        }
        let Some(values) = values(template, item, walk) else { continue };
        let mut words = String::new();
        for (parameter, value) in template.parameters.iter().zip(&values) {
            let _ = write!(
                words,
                "{}{} = {}",
                if words.is_empty() { "" } else { ", " },
                parameter.value,
                value.text
            );
        }
        let place = walk.reporter.place(item.span.start, template.name.span.start);
        let note = format!("template `{}` with {words} ({place})", template.name.value);
        let shift = walk.reporter.add_instance(&template.name.span, note);
        let filling =
            Filling { parameters: &template.parameters, values: &values, shift, octets: made.octets.into() };
        let own = |key: &At<String>| OWN_KEYS.contains(&key.value.as_str());
        let entries = template.table.entries.iter().filter(|(key, _)| !own(key));
        let table =
            Table { entries: entries.map(|(key, node)| (filling.text(key), filling.node(node))).collect() };
        made.octets = filling.octets.get();
        made.values += template.values;
        made.instances.push(table);
        let beyond = if made.instances.len() > MAX_INSTANCES {
            format!("{} instances", grouped(MAX_INSTANCES))
        } else if made.values > MAX_VALUES {
            format!("{} values", grouped(MAX_VALUES))
        } else if made.octets > MAX_TEMPLATE_BYTES {
            format!("{} MiB of text", MAX_TEMPLATE_BYTES >> 20)
        } else {
            continue;
        };
        made.full = true;
        walk.reporter
            .error(&item.span, format!("templates make more than {beyond}"))
            .label(format!("with this instance of `{}`", template.name.value))
            .help("let stations share a point map, [maps.NAME], instead of points of their own; or split the site");
        return;
    }
}

/// A parameter's value, and how it looks within a text.
struct Value {
    tree: Tree,
    text: String,
}

/// The values of an instance in the order of the parameters.
fn values(template: &Template<'_>, item: &Node, walk: &mut Walk<'_, '_>) -> Option<Vec<Value>> {
    let Tree::Table(given) = &item.value else {
        walk.wrong_type(&item.span, "an instance of a template", "a table", &item.value)
            .label("write { n = 1 }");
        return None;
    };
    let mut sound = true;
    for (key, _) in &given.entries {
        if !template.parameters.iter().any(|p| p.value == key.value) {
            sound = false;
            let message = format!("template `{}` has no parameter `{}`", template.name.value, key.value);
            let meant = walk.reporter.meant(&key.value, template.parameters.iter().map(|p| p.value.as_str()));
            let error = walk.reporter.error(&key.span, message);
            if let Some(meant) = meant {
                error.label(format!("did you mean `{meant}`?"));
            }
        }
    }
    let mut values = Vec::with_capacity(template.parameters.len());
    for parameter in &template.parameters {
        let Some(node) = given.get(&parameter.value) else {
            if sound {
                let message =
                    format!("`{}` of template `{}` is missing", parameter.value, template.name.value);
                walk.reporter.error(&item.span, message).label(format!("add {} = ...", parameter.value));
            }
            sound = false;
            continue;
        };
        let text = match &node.value {
            Tree::Text(text) => text.clone(),
            Tree::Whole(Some(number)) => number.to_string(),
            Tree::Fraction(number) => number.to_string(),
            Tree::Flag(flag) => flag.to_string(),
            Tree::Date(date) => date.to_string(),
            other => {
                sound = false;
                let what = format!("the parameter `{}`", parameter.value);
                walk.wrong_type(&node.span, &what, "text or a number", other);
                continue;
            }
        };
        values.push(Value { tree: node.value.clone(), text });
    }
    sound.then_some(values)
}

/// Puts the values of an instance into the template.
struct Filling<'f> {
    parameters: &'f [At<String>],
    values: &'f [Value],
    /// How far the instance's places are from the template's.
    shift: usize,
    /// Octets of all texts made so far. Beyond the limit no more are made.
    octets: std::cell::Cell<usize>,
}

impl Filling<'_> {
    fn value(&self, name: &str) -> Option<&Value> {
        let place = self.parameters.iter().position(|p| p.value == name)?;
        self.values.get(place)
    }

    fn span(&self, span: &std::ops::Range<usize>) -> std::ops::Range<usize> {
        span.start + self.shift..span.end + self.shift
    }

    fn text(&self, text: &At<String>) -> At<String> {
        At { value: self.filled(&text.value), span: self.span(&text.span) }
    }

    fn filled(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            if self.octets.get() + filled.len() > MAX_TEMPLATE_BYTES {
                break;
            }
            filled.push_str(before);
            if let Some(behind) = behind.strip_prefix('{') {
                filled.push('{');
                rest = behind;
                continue;
            }
            let Some((name, behind)) = behind.split_once('}') else {
                rest = behind;
                continue;
            };
            filled.push_str(self.value(name).map_or("", |value| &value.text));
            rest = behind;
        }
        filled.push_str(rest);
        self.octets.set(self.octets.get() + filled.len());
        filled
    }

    fn node(&self, node: &Node) -> Node {
        let value = match &node.value {
            Tree::Text(text) => {
                let whole = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
                match whole.and_then(|name| self.value(name)) {
                    Some(value) => {
                        self.octets.set(self.octets.get() + value.text.len());
                        value.tree.clone()
                    }
                    None => Tree::Text(self.filled(text)),
                }
            }
            Tree::List(items) => Tree::List(items.iter().map(|item| self.node(item)).collect()),
            Tree::Table(table) => Tree::Table(Table {
                entries: table.entries.iter().map(|(key, node)| (self.text(key), self.node(node))).collect(),
            }),
            other => other.clone(),
        };
        At { value, span: self.span(&node.span) }
    }
}

/// Every text of a value, keys too.
fn each_text(key: &At<String>, node: &Node, look: &mut dyn FnMut(&At<String>)) {
    look(key);
    match &node.value {
        Tree::Text(text) => look(&node.map(text.clone())),
        Tree::List(items) => {
            let nameless = node.map(String::new());
            for item in items {
                each_text(&nameless, item, look);
            }
        }
        Tree::Table(table) => {
            for (key, node) in &table.entries {
                each_text(key, node, look);
            }
        }
        _ => {}
    }
}

/// The names in braces; `None` for a brace that is not closed.
fn braces(text: &str) -> Vec<Option<&str>> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once('{') {
        if let Some(behind) = behind.strip_prefix('{') {
            rest = behind;
            continue;
        }
        let Some((name, behind)) = behind.split_once('}') else {
            names.push(None);
            break;
        };
        names.push(Some(name));
        rest = behind;
    }
    names
}
