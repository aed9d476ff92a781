//! The JSON Schema of the language, for editors: made from the table of keys.

use serde_json::{Map, Value, json};

use crate::language::{FILE, Key, POINT, STATION, Section, Shape, TEMPLATE};
use crate::roles::Role;
use crate::thresholds::{Thresholds, Unit};

/// The JSON Schema of a profile, as text. Names and references are not checked by it: `gridtap profile
/// check` does.
#[must_use]
pub fn json_schema() -> String {
    let mut schema = section(&FILE, false);
    if let Value::Object(object) = &mut schema {
        object.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        object.insert("title".to_owned(), json!("gridtap profile"));
        // An included file is a file without [profile].
        object.remove("required");
    }
    format!("{schema:#}\n")
}

fn section(section: &Section, template: bool) -> Value {
    let properties: Map<_, _> =
        section.keys.iter().map(|key| (key.name.to_owned(), described(key, template))).collect();
    let required: Vec<_> = section.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    let mut object = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if let (Value::Object(object), false) = (&mut object, required.is_empty()) {
        object.insert("required".to_owned(), json!(required));
    }
    if let (Value::Object(object), true) = (&mut object, section.called == STATION.called) {
        object.insert("allOf".to_owned(), address_of_protocol());
    }
    object
}

fn described(key: &Key, template: bool) -> Value {
    let mut value = shape(key, template);
    if let Value::Object(object) = &mut value {
        object.insert("description".to_owned(), json!(key.doc));
    }
    value
}

/// In a template, a parameter may stand for any single value.
fn or_parameter(value: Value, template: bool) -> Value {
    if template { json!({ "anyOf": [value, { "type": "string", "pattern": "\\{.+\\}" }] }) } else { value }
}

/// `"1 h 30 min"`
const DURATION: &str = "[0-9.]+ *(ns|us|ms|s|seconds?|min|minutes?|h|hours?|d|days?) *";

fn of_duration() -> Value {
    json!({ "type": "string", "pattern": format!("^ *({DURATION})+$"), "examples": ["2 s", "1 h 30 min"] })
}

/// `"6 per minute"`, `"1 per 10 s"`
fn of_rate() -> Value {
    let unit = "(ns|us|ms|s|second|seconds|min|minute|minutes|h|hour|hours|d|day|days)";
    let pattern = format!("^ *[0-9.]+( per |/) *({unit} *|({DURATION})+)$");
    json!({ "type": "string", "pattern": pattern, "examples": ["6 per minute", "1 per 10 s"] })
}

fn of_percent() -> Value {
    json!({ "type": "string", "pattern": "^ *[0-9]+(\\.[0-9]*)? *%$", "examples": ["50 %"] })
}

/// One text, or several.
fn of_texts(key: &str, template: bool) -> Value {
    let pattern = match key {
        "mac" => Some("^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$"),
        "address" => Some("^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$"),
        "hours" => Some("^ *[0-2][0-9]:[0-5][0-9] *- *[0-2][0-9]:[0-5][0-9] *$"),
        "days" => Some("^[A-Za-z]{3,9}( *- *[A-Za-z]{3,9})?$"),
        "tags" | "quirks" => Some("^[A-Za-z0-9_-]+$"),
        "allow" | "operations" => Some("^([a-z][a-z0-9_]*|fc:[0-9]{1,3}(/[0-9]{1,5})?)$"),
        _ => None,
    };
    let text = pattern.map_or(
        json!({ "type": "string", "minLength": 1 }),
        |pattern| json!({ "type": "string", "pattern": pattern }),
    );
    let text = or_parameter(text, template);
    let fewest = usize::from(!crate::language::MAY_BE_EMPTY.contains(&key));
    json!({ "anyOf": [text, { "type": "array", "items": text, "minItems": fewest }] })
}

/// A whole number, and what it may be.
fn of_whole(key: &str) -> Value {
    let of_address = parsers::DISSECTORS.iter().find(|dissector| dissector.address.key == key);
    let (least, most) = match (key, of_address) {
        (_, Some(dissector)) => (*dissector.address.stations.start(), *dissector.address.stations.end()),
        ("port", _) => (1, u16::MAX),
        ("vlan", _) => (0, 4094),
        ("field_sizes", _) => (1, 3),
        _ => return json!({ "type": "integer" }),
    };
    json!({ "type": "integer", "minimum": least, "maximum": most })
}

fn shape(key: &Key, template: bool) -> Value {
    let single = match key.shape {
        Shape::Text if key.name == "role" => {
            json!({ "enum": Role::all().iter().map(|role| role.name.as_str()).collect::<Vec<_>>() })
        }
        Shape::Text => json!({ "type": "string", "minLength": usize::from(key.required) }),
        Shape::Word(words) => json!({ "enum": words }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Whole => of_whole(key.name),
        Shape::WholeOrAny => json!({ "anyOf": [of_whole(key.name), { "const": "any" }] }),
        Shape::Number => json!({ "type": "number" }),
        Shape::Duration => of_duration(),
        Shape::Percent => of_percent(),
        Shape::Rate => of_rate(),
        // Editors show dates of TOML as texts.
        Shape::Date => json!({
            "type": "string",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}.*)?$",
            "examples": ["2027-01-31T08:00:00Z"],
        }),
        Shape::Texts => return of_texts(key.name, template),
        Shape::Wholes => {
            let whole = or_parameter(of_whole(key.name), template);
            return json!({ "anyOf": [whole, { "type": "array", "items": whole }] });
        }
        Shape::Bounds => {
            let number = or_parameter(json!({ "type": "number" }), template);
            json!({ "type": "array", "items": number, "minItems": 2, "maxItems": 2 })
        }
        Shape::Table(inner) => return section(inner, template),
        Shape::Named(inner) => {
            // What a template holds has parameters; so does nothing else.
            let within = template || inner.called == TEMPLATE.called;
            return named(section(inner, within));
        }
        Shape::Points => return named(named(section(&POINT, template))),
        Shape::List(inner) => return json!({ "type": "array", "items": section(inner, template) }),
        Shape::NamedTexts => return named(of_texts("groups", template)),
        Shape::Instances => {
            let value = json!({ "type": ["string", "number", "boolean"] });
            let one = named(value);
            return json!({ "anyOf": [one, { "type": "array", "items": one }] });
        }
        Shape::Thresholds => return thresholds(),
    };
    or_parameter(single, template)
}

/// Values by names that are free.
fn named(value: Value) -> Value {
    json!({ "type": "object", "additionalProperties": value, "propertyNames": { "minLength": 1 } })
}

/// Each protocol has an address of its own, and a station has no other. In a template it may be a parameter
/// which protocol it is.
fn address_of_protocol() -> Value {
    let keys: Vec<_> = parsers::DISSECTORS
        .iter()
        .filter(|dissector| dissector.protocol.has_stations())
        .map(|dissector| (dissector.protocol.name(), dissector.address.key))
        .collect();
    let rule = |(protocol, key): &(&str, &str)| {
        let others: Vec<_> = keys.iter().filter(|(_, other)| other != key).collect();
        let others: Vec<_> = others.iter().map(|(_, other)| json!({ "required": [other] })).collect();
        json!({
            "if": { "properties": { "protocol": { "const": protocol } }, "required": ["protocol"] },
            "then": { "required": [key], "not": { "anyOf": others } },
        })
    };
    Value::Array(keys.iter().map(rule).collect())
}

fn thresholds() -> Value {
    let properties: Map<_, _> = Thresholds::ALL
        .iter()
        .map(|info| {
            let (shape, unit) = match info.unit {
                Unit::Count => (json!({ "type": "number", "minimum": 0 }), ""),
                Unit::Seconds => (of_duration(), " s"),
                Unit::Ratio => (json!({ "anyOf": [{ "type": "number", "minimum": 0 }, of_percent()] }), ""),
                Unit::PerSecond => (of_rate(), " per second"),
                Unit::PerMinute => (of_rate(), " per minute"),
            };
            let mut value = shape;
            if let Value::Object(object) = &mut value {
                let text = format!("{} Default: {}{unit}.", info.doc.trim(), info.default);
                object.insert("description".to_owned(), json!(text));
            }
            (info.name.to_owned(), value)
        })
        .collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

#[cfg(test)]
mod tests {

    #[test]
    fn the_language_knows_every_protocol() {
        let with_stations = parsers::Protocol::ALL.into_iter().filter(|protocol| protocol.has_stations());
        let names: Vec<_> = with_stations.map(parsers::Protocol::name).collect();
        assert_eq!(names, crate::language::PROTOCOLS);
    }
}
