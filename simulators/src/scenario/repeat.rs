//! `[[repeat]]`: a part of the scenario written once and made many times. In its keys and texts
//! `{n}` stands for the number, `{n+100}` and `{n-1}` for sums, `{block}` and `{slot}` for the hundreds
//! and the rest (counting from 0 and 1), so that `10.1.{block}.{slot}` is an address for every number.
//! A text that is nothing but such a place becomes a number.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::ops::Range;

use serde::Deserialize;
use toml::de::DeValue;
use toml::{Spanned, Table};

use super::Source;

/// One repeated part.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// How many times.
    pub count: u32,
    /// The first number.
    #[serde(default = "Repeat::one")]
    pub first: u32,
    /// The part: sections as in the scenario itself.
    pub part: Table,
}

impl Repeat {
    fn one() -> u32 {
        1
    }
}

/// Most times that all parts together are made.
const MAX_REPEATED: u32 = 10_000;
/// Sections of a part that are put into those of the scenario, name by name.
const NAMED: [&str; 10] = [
    "buses",
    "lines",
    "transformers",
    "loads",
    "generators",
    "breakers",
    "stations",
    "publishers",
    "subscribers",
    "masters",
];

/// Numbers that places became, as text: the tree borrows all it holds.
pub(super) type Numbers = OnceCell<BTreeSet<String>>;

impl<'a> Source<'a> {
    /// Put the parts that repeat into the tree, each with a place of its own; false when one cannot be.
    pub(super) fn repeat(&mut self, repeats: &[Repeat], numbers: &'a Numbers) -> bool {
        let all = repeats.iter().fold(0_u32, |sum, repeat| sum.saturating_add(repeat.count));
        if all > MAX_REPEATED {
            self.error(&["repeat"], format!("{all} repeated parts"))
                .label(format!("at most {MAX_REPEATED} in all"));
            return false;
        }
        let Some(written) = self.root.remove("repeat") else { return false };
        let DeValue::Array(written) = written.into_inner() else { return false };
        let parts: Vec<_> = written
            .iter()
            .zip(repeats)
            .filter_map(|(item, repeat)| item.get_ref().get("part").map(|part| (item.span(), repeat, part)))
            .collect();
        let mut texts = BTreeSet::new();
        for (_, repeat, part) in &parts {
            repeat.numbers().for_each(|n| gather(part.get_ref(), n, &mut texts));
        }
        let texts = numbers.get_or_init(|| texts);
        let mut sound = true;
        for (place, repeat, part) in parts {
            for n in repeat.numbers() {
                let shift = self.reporter.add_instance(&place, format!("in the part with n = {n}"));
                let DeValue::Table(made) = fill(part, n, shift, texts).into_inner() else { continue };
                for (section, value) in made {
                    sound &= self.merge(section, value);
                }
            }
        }
        sound
    }

    fn merge(&mut self, section: Spanned<Cow<'a, str>>, value: Spanned<DeValue<'a>>) -> bool {
        let name = section.get_ref().to_string();
        let known = NAMED.contains(&name.as_str()) || name == "faults";
        match (self.root.get_mut(name.as_str()).map(Spanned::get_mut), value.get_ref()) {
            (None, _) if known => drop(self.root.insert(section, value)),
            (Some(DeValue::Table(there)), DeValue::Table(_)) if known => {
                let DeValue::Table(more) = value.into_inner() else { return false };
                let mut twice = None;
                for (key, value) in more {
                    if let Some((other, _)) = there.get_key_value(key.get_ref().as_ref()) {
                        twice.get_or_insert((key.clone(), other.span()));
                        continue;
                    }
                    there.insert(key, value);
                }
                if let Some((key, other)) = twice {
                    let message = format!("`{}` is defined twice", key.get_ref());
                    self.reporter
                        .error_with(&key.span(), message, &other, "first defined here")
                        .label("defined here again; write {n} into the name");
                    return false;
                }
            }
            (Some(DeValue::Array(there)), DeValue::Array(_)) if known => {
                let DeValue::Array(more) = value.into_inner() else { return false };
                more.into_iter().for_each(|item| there.push(item));
            }
            (there, DeValue::Table(noise))
                if name == "noise" && noise.keys().all(|k| k.get_ref() == "clients") =>
            {
                let clients = noise.get("clients").map(Spanned::get_ref);
                let there = match there {
                    Some(DeValue::Table(there)) => there.get_mut("clients").map(Spanned::get_mut),
                    _ => None,
                };
                let (Some(DeValue::Array(there)), Some(DeValue::Array(more))) = (there, clients) else {
                    self.reporter
                        .error(
                            &section.span(),
                            "clients of the noise are repeated, and there are none to add to",
                        )
                        .label("write `clients = []` into [noise]");
                    return false;
                };
                more.iter().for_each(|client| there.push(client.clone()));
            }
            _ => {
                let sections = NAMED.join(", ");
                self.reporter.error(&section.span(), format!("`{name}` cannot be repeated")).help(format!(
                    "a part has the sections: {sections}, faults, and noise with clients alone"
                ));
                return false;
            }
        }
        true
    }
}

impl Repeat {
    fn numbers(&self) -> std::ops::Range<u32> {
        self.first..self.first.saturating_add(self.count)
    }
}

/// The number that a text is once it is filled in, if it is nothing but a place for one.
fn whole(text: &str, n: u32) -> Option<String> {
    let place = text.starts_with('{') && text.ends_with('}') && text.matches('{').count() == 1;
    let filled = place.then(|| fill_text(text, n))?;
    filled.parse::<i64>().is_ok().then_some(filled)
}

fn gather(value: &DeValue<'_>, n: u32, texts: &mut BTreeSet<String>) {
    match value {
        DeValue::String(text) => texts.extend(whole(text, n)),
        DeValue::Array(items) => items.iter().for_each(|item| gather(item.get_ref(), n, texts)),
        DeValue::Table(table) => table.values().for_each(|value| gather(value.get_ref(), n, texts)),
        _ => {}
    }
}

fn fill<'a>(
    value: &Spanned<DeValue<'a>>,
    n: u32,
    shift: usize,
    texts: &'a BTreeSet<String>,
) -> Spanned<DeValue<'a>> {
    let moved = |span: Range<usize>| span.start + shift..span.end + shift;
    let filled = match value.get_ref() {
        DeValue::String(text) => {
            let number = whole(text, n).and_then(|text| texts.get(&text));
            match number.and_then(|text| DeValue::parse(text).ok()) {
                Some(number) => number.into_inner(),
                None => DeValue::String(Cow::Owned(fill_text(text, n))),
            }
        }
        DeValue::Array(items) => {
            DeValue::Array(items.iter().map(|item| fill(item, n, shift, texts)).collect())
        }
        DeValue::Table(table) => {
            let entry = |(key, value): (&Spanned<Cow<'a, str>>, &Spanned<DeValue<'a>>)| {
                let name = Cow::Owned(fill_text(key.get_ref(), n));
                (Spanned::new(moved(key.span()), name), fill(value, n, shift, texts))
            };
            DeValue::Table(table.iter().map(entry).collect())
        }
        other => other.clone(),
    };
    Spanned::new(moved(value.span()), filled)
}

fn fill_text(text: &str, n: u32) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let Some(close) = rest[open..].find('}') else { break };
        out.push_str(&rest[..open]);
        let name = &rest[open + 1..open + close];
        match number(name, n) {
            Some(number) => out.push_str(&number.to_string()),
            None => out.push_str(&rest[open..=open + close]),
        }
        rest = &rest[open + close + 1..];
    }
    out.push_str(rest);
    out
}

fn number(name: &str, n: u32) -> Option<i64> {
    let n = i64::from(n);
    match name {
        "n" => Some(n),
        "block" => Some((n - 1) / 100),
        "slot" => Some((n - 1) % 100 + 1),
        _ => {
            let sum = name.strip_prefix('n')?;
            sum.strip_prefix('+').unwrap_or(sum).parse::<i64>().ok().and_then(|k| n.checked_add(k))
        }
    }
}
