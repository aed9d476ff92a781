//! Templates: sections with parameters, written once for many devices that are alike.
//!
//! A parameter stands in braces, in texts and in keys: `address = "10.0.1.{n}"`, `[hosts."rtu-{n}"]`. A text
//! that is nothing but a parameter becomes its value, a number too: `link_address = "{n}"`. `{{` is a brace.

use std::fmt::Write as _;

use super::At;
use super::walk::Walk;
use crate::language;
use crate::nearest::nearest;
use crate::tree::{Node, Table, Tree};

/// Most instances of all templates together.
const MAX_INSTANCES: usize = 100_000;

/// Keys of a template that are not part of what it makes.
const OWN_KEYS: &[&str] = &["parameters", "comment"];

struct Template<'t> {
    name: &'t At<String>,
    parameters: Vec<At<String>>,
    table: &'t Table,
}

/// What all templates make, one table an instance.
pub(super) fn instances(roots: &[At<Table>], walk: &mut Walk<'_, '_>) -> Vec<Table> {
    let mut templates: Vec<Template<'_>> = Vec::new();
    for root in roots {
        for (name, node) in walk.named(&root.value, "templates", "templates.NAME", "parameters = [\"n\"]") {
            if let Some(earlier) = templates.iter().find(|t| t.name.value == name.value) {
                let message = format!("two templates have the name `{}`", name.value);
                walk.reporter
                    .error_with(&name.span, message, &earlier.name.span, "the first one")
                    .label("give it another name");
                continue;
            }
            templates.extend(template(name, node, walk));
        }
    }
    let mut made = Vec::new();
    for root in roots {
        for node in walk.list_of(&root.value, "use") {
            used(node, &templates, &mut made, walk);
        }
    }
    made
}

fn template<'t>(name: &'t At<String>, node: &'t Node, walk: &mut Walk<'_, '_>) -> Option<Template<'t>> {
    let section =
        walk.section(format!("template `{}`", name.value), &name.span, node, &language::TEMPLATE)?;
    let parameters = walk.required_list(&section, "parameters");
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
                        let error = walk.reporter.error(&text.span, message);
                        if let Some(meant) = nearest(word, parameters.iter().map(|p| p.value.as_str())) {
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
    Some(Template { name, parameters, table: section.table })
}

fn used(node: &Node, templates: &[Template<'_>], made: &mut Vec<Table>, walk: &mut Walk<'_, '_>) {
    let Some(section) = walk.section("a use of a template".to_owned(), &node.span, node, &language::USE)
    else {
        return;
    };
    let Some(name) = walk.required_text(&section, "template", "\"name of a template\"") else { return };
    let Some(template) = templates.iter().find(|t| t.name.value == name.value) else {
        let error = walk.reporter.error(&name.span, format!("no template has the name `{}`", name.value));
        if let Some(meant) = nearest(&name.value, templates.iter().map(|t| t.name.value.as_str())) {
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
        let Some(values) = values(template, item, walk) else { continue };
        if made.len() >= MAX_INSTANCES {
            let message = format!("templates make more than {MAX_INSTANCES} instances");
            walk.reporter.error(&item.span, message);
            return;
        }
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
        let filling = Filling { parameters: &template.parameters, values: &values, shift };
        let own = |key: &At<String>| OWN_KEYS.contains(&key.value.as_str());
        let entries = template.table.entries.iter().filter(|(key, _)| !own(key));
        made.push(Table {
            entries: entries.map(|(key, node)| (filling.text(key), filling.node(node))).collect(),
        });
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
            let error = walk.reporter.error(&key.span, message);
            if let Some(meant) = nearest(&key.value, template.parameters.iter().map(|p| p.value.as_str())) {
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
        filled
    }

    fn node(&self, node: &Node) -> Node {
        let value = match &node.value {
            Tree::Text(text) => {
                let whole = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
                match whole.and_then(|name| self.value(name)) {
                    Some(value) => value.tree.clone(),
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
