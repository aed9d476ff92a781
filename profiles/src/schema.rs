//! The JSON Schema of the language, for editors: made from the table of keys.

use serde_json::{Map, Value, json};

use crate::language::{FILE, Key, Section, Shape, TEMPLATE};
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
    object
}

fn described(key: &Key, template: bool) -> Value {
    let mut value = shape(key.shape, template);
    if key.name == "role" {
        let names: Vec<_> = Role::all().iter().map(|role| role.name.as_str()).collect();
        value = or_parameter(json!({ "enum": names }), template);
    }
    if let Value::Object(object) = &mut value {
        object.insert("description".to_owned(), json!(key.doc));
    }
    value
}

/// In a template, a parameter may stand for any single value.
fn or_parameter(value: Value, template: bool) -> Value {
    if template { json!({ "anyOf": [value, { "type": "string", "pattern": "\\{.+\\}" }] }) } else { value }
}

fn shape(shape: Shape, template: bool) -> Value {
    let texts = || json!({ "type": ["string", "array"], "items": { "type": "string" } });
    let tables =
        |inner: &Section| json!({ "type": "object", "additionalProperties": section(inner, template) });
    let single = match shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Word(words) => json!({ "enum": words }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Whole => json!({ "type": "integer" }),
        Shape::WholeOrAny => json!({ "anyOf": [{ "type": "integer" }, { "const": "any" }] }),
        Shape::Number => json!({ "type": "number" }),
        Shape::Duration => json!({ "type": "string", "examples": ["2 s", "10 min", "1 h 30 min"] }),
        Shape::Percent => json!({ "type": "string", "pattern": "^[0-9.]+ ?%$", "examples": ["50 %"] }),
        Shape::Rate => json!({ "type": "string", "examples": ["6 per minute"] }),
        // Editors show dates of TOML as texts.
        Shape::Date => json!({ "type": "string", "examples": ["2027-01-31T08:00:00Z"] }),
        Shape::Texts => return texts(),
        Shape::Wholes => json!({ "type": ["integer", "array"], "items": { "type": "integer" } }),
        Shape::Bounds => {
            let number = or_parameter(json!({ "type": "number" }), template);
            json!({ "type": "array", "items": number, "minItems": 2, "maxItems": 2 })
        }
        Shape::Table(inner) => return section(inner, template),
        Shape::Named(inner) if inner.keys.is_empty() => {
            // A map is points by name.
            return json!({ "type": "object", "additionalProperties": tables(&crate::language::POINT) });
        }
        Shape::Named(inner) => {
            // What a template holds has parameters; so does nothing else.
            let within = template || inner.called == TEMPLATE.called;
            return json!({ "type": "object", "additionalProperties": section(inner, within) });
        }
        Shape::List(inner) => return json!({ "type": "array", "items": section(inner, template) }),
        Shape::NamedTexts => return json!({ "type": "object", "additionalProperties": texts() }),
        Shape::Instances => return json!({ "type": ["array", "object"], "items": { "type": "object" } }),
        Shape::Thresholds => return thresholds(),
    };
    or_parameter(single, template)
}

fn thresholds() -> Value {
    let properties: Map<_, _> = Thresholds::ALL
        .iter()
        .map(|info| {
            let (shape, unit) = match info.unit {
                Unit::Count => (json!({ "type": "number", "minimum": 0 }), ""),
                Unit::Seconds => (json!({ "type": "string" }), " s"),
                Unit::Ratio => (json!({ "type": ["number", "string"] }), ""),
                Unit::PerSecond => (json!({ "type": "string" }), " per second"),
                Unit::PerMinute => (json!({ "type": "string" }), " per minute"),
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
