//! `[[repeat]]`: a part of the scenario written once and made many times. In its keys and texts
//! `{n}` stands for the number, `{n+100}` and `{n-1}` for sums, `{block}` and `{slot}` for the hundreds
//! and the rest (counting from 0 and 1), so that `10.1.{block}.{slot}` is an address for every number.
//! A text that is nothing but such a place becomes a number.

use serde::Deserialize;
use toml::{Table, Value};

use super::Scenario;

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

    pub(super) fn expand_into(&self, scenario: &mut Scenario) -> Result<(), String> {
        for n in self.first..self.first.saturating_add(self.count) {
            let mut part = Table::new();
            for (key, value) in &self.part {
                part.insert(key.clone(), fill(value, n));
            }
            part.insert("site".to_owned(), Value::Table(site()));
            let made: Scenario =
                Value::Table(part).try_into().map_err(|e: toml::de::Error| format!("n = {n}: {e}"))?;
            merge(scenario, made);
        }
        Ok(())
    }
}

fn site() -> Table {
    let mut site = Table::new();
    site.insert("name".to_owned(), Value::String(String::new()));
    site.insert("start".to_owned(), Value::String("1970-01-01T00:00:00Z".to_owned()));
    site
}

fn merge(scenario: &mut Scenario, part: Scenario) {
    scenario.buses.extend(part.buses);
    scenario.lines.extend(part.lines);
    scenario.transformers.extend(part.transformers);
    scenario.loads.extend(part.loads);
    scenario.generators.extend(part.generators);
    scenario.breakers.extend(part.breakers);
    scenario.stations.extend(part.stations);
    scenario.masters.extend(part.masters);
    scenario.faults.extend(part.faults);
    scenario.noise.clients.extend(part.noise.clients);
}

fn fill(value: &Value, n: u32) -> Value {
    match value {
        Value::String(text) => {
            let filled = fill_text(text, n);
            let whole = text.starts_with('{') && text.ends_with('}') && text.matches('{').count() == 1;
            match filled.parse::<i64>() {
                Ok(number) if whole => Value::Integer(number),
                _ => Value::String(filled),
            }
        }
        Value::Array(items) => Value::Array(items.iter().map(|v| fill(v, n)).collect()),
        Value::Table(table) => {
            Value::Table(table.iter().map(|(k, v)| (fill_text(k, n), fill(v, n))).collect())
        }
        other => other.clone(),
    }
}

fn fill_text(text: &str, n: u32) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        let Some(close) = rest[open..].find('}') else { break };
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
            sum.strip_prefix('+').unwrap_or(sum).parse::<i64>().ok().map(|k| n + k)
        }
    }
}
