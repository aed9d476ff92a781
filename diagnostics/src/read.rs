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
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        (format!("the {what} is not UTF-8 text: offset {at}"), "save it as UTF-8; is this the right file?")
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
