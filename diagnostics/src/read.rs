//! The text of a file, and what the values in it are called.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use toml::de::DeValue;

/// The text of a file that is called `what`, of at most `most` octets in UTF-8; else what is wrong and what to do
/// about it. Only regular files are read: a pipe may never end, and opening one may wait forever.
pub fn read_text(path: &Path, what: &str, most: u64) -> Result<String, (String, &'static str)> {
    let unreadable =
        |e: std::io::Error| (format!("the {what} cannot be read: {e}"), "check the path and who may read it");
    let regular = |meta: fs::Metadata| {
        let wrong = format!("the {what} is no regular file");
        if meta.is_file() { Ok(()) } else { Err((wrong, "name a file, not a folder, a pipe or a device")) }
    };
    regular(fs::metadata(path).map_err(unreadable)?)?;
    let file = fs::File::open(path).map_err(unreadable)?;
    regular(file.metadata().map_err(unreadable)?)?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > most {
        return Err((format!("the {what} is larger than {} MiB", most >> 20), "is this the right file?"));
    }
    utf8(bytes, what)
}

/// The octets of a file that is called `what` as text; else what is wrong and what to do about it.
pub fn utf8(bytes: Vec<u8>, what: &str) -> Result<String, (String, &'static str)> {
    // By its mark, or by the zeros of its first letters: no text of these files has an octet 0.
    let wide =
        matches!(bytes.as_slice(), [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, _, 0, _, ..] | [_, 0, _, 0, ..]);
    if wide {
        let remedy =
            "save it as UTF-8: choose the encoding in the editor's \"save as\", or: iconv -f UTF-16 -t UTF-8";
        return Err((format!("the {what} is UTF-16 text"), remedy));
    }
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        let before = e.as_bytes().get(..at).unwrap_or_default();
        let line = before.split(|octet| *octet == b'\n').count();
        let begun = before.rsplit(|octet| *octet == b'\n').next().unwrap_or_default();
        let column = String::from_utf8_lossy(begun).chars().count() + 1;
        let octet = e.as_bytes().get(at).copied().unwrap_or_default();
        let message =
            format!("the {what} is not UTF-8 text: octet 0x{octet:02x} in line {line}, column {column}");
        (message, "save it as UTF-8 in the editor's \"save as\"; is this the right file?")
    })
}

/// What a value is, in the words of an engineer.
pub fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
