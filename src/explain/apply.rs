//! A profile's text with a change. What the change does not concern stays to the letter.

use toml_edit::{Array, DocumentMut, Item, Table, Value};

use super::change::{Change, Edit, NewValue};

/// The text with the change; the edit whose entry does not stand in it, if there is one.
///
/// # Errors
/// The edit that found no entry.
pub fn apply<'c>(text: &str, change: &'c Change) -> Result<String, &'c Edit> {
    let mut text = text.to_owned();
    for edit in &change.edits {
        text = edited(&text, edit).ok_or(edit)?;
    }
    if !change.append.is_empty() {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&change.append);
    }
    Ok(text)
}

/// Whether the entry of an edit stands in a text.
#[must_use]
pub fn holds(text: &str, edit: &Edit) -> bool {
    edited(text, edit).is_some()
}

fn edited(text: &str, edit: &Edit) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let named = |entry: &&mut Table| entry.get("name").and_then(Item::as_str) == Some(edit.name.as_str());
    let entry = match document.get_mut(edit.section)? {
        Item::ArrayOfTables(entries) => entries.iter_mut().find(named)?,
        entries => entries.get_mut(&edit.name)?.as_table_mut()?,
    };
    let mut value: Value = match &edit.value {
        NewValue::Text(text) => text.as_str().into(),
        NewValue::Date(date) => date.parse::<toml_edit::Datetime>().ok()?.into(),
        NewValue::Number(number) => number.parse().ok()?,
        NewValue::Texts(texts) => texts.iter().map(String::as_str).collect::<Array>().into(),
    };
    match entry.get_mut(edit.key).and_then(Item::as_value_mut) {
        Some(old) => {
            // Comments and spaces around the value.
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => {
            entry.insert(edit.key, Item::Value(value));
        }
    }
    Some(document.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TEXT: &str =
        "# head\n[[rules]]   # first\nname = \"a\"\nrate = \"2 per minute\" # why\n\n[[rules]]\nname = \"b\"";

    fn rate(name: &str) -> Change {
        let value = NewValue::Text("3 per minute".to_owned());
        let edit = Edit { section: "rules", name: name.to_owned(), key: "rate", value };
        Change { edits: vec![edit], append: "\n[[rules]]\nname = \"c\"\n".to_owned(), notes: Vec::new() }
    }

    #[test]
    fn comments_and_layout_stay() {
        let added = "\n[[rules]]\nname = \"c\"\n";
        let there = TEXT.replace("2 per", "3 per");
        assert_eq!(apply(TEXT, &rate("a")).unwrap(), format!("{there}\n{added}"));
        let new = apply(TEXT, &rate("b")).unwrap();
        assert!(new.starts_with(TEXT) && new.contains("name = \"b\"\nrate = \"3 per minute\"\n"), "{new}");
    }

    #[test]
    fn an_entry_that_stands_elsewhere_is_told() {
        let change = rate("z");
        assert_eq!(apply(TEXT, &change).unwrap_err().name, "z");
        assert!(!holds(TEXT, &change.edits[0]));
        assert!(holds(TEXT, &rate("a").edits[0]));
    }
}
