//! The files of a profile: the main one and all that it includes, parsed one after the other.

use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::At;
use super::walk::Walk;
use crate::limits::{MAX_FILE_BYTES, MAX_FILES, MAX_INCLUDE_DEPTH, MAX_TOTAL_BYTES, MAX_VALUES, grouped};
use crate::tree::{self, Table};
use diagnostics::Reporter;

/// Finds included files.
pub(crate) trait Loader {
    /// The names of the files that `pattern` means in the file called `from`, in their order.
    fn find(&mut self, pattern: &str, from: &str) -> Result<Vec<String>, String>;
    /// The text of one of them.
    fn read(&mut self, name: &str) -> Result<String, String>;
    /// What tells whether two names are one file.
    fn identity(&self, name: &str) -> String {
        name.to_owned()
    }
}

/// For a profile that is only a text.
pub(crate) struct NoFiles;

impl Loader for NoFiles {
    fn find(&mut self, _: &str, _: &str) -> Result<Vec<String>, String> {
        Err("this profile was not read from a file, so it can include none".to_owned())
    }

    fn read(&mut self, _: &str) -> Result<String, String> {
        Ok(String::new())
    }
}

/// Files on disk. Names are relative to the file that includes them.
#[derive(Default)]
pub(crate) struct FileSystem {
    /// Included files that were read or looked for in vain.
    pub(crate) wanted: Vec<String>,
}

impl Loader for FileSystem {
    fn find(&mut self, pattern: &str, from: &str) -> Result<Vec<String>, String> {
        let folder = Path::new(from).parent().unwrap_or(Path::new(""));
        let path = folder.join(pattern);
        let paths = if pattern.contains('*') { matching(&path)? } else { vec![path.clone()] };
        if paths.is_empty() {
            return Err(format!("no file in {} has such a name", folder_of(&path)));
        }
        Ok(paths.iter().map(|path| path.display().to_string()).collect())
    }

    fn read(&mut self, name: &str) -> Result<String, String> {
        let path = Path::new(name);
        self.wanted.push(name.to_owned());
        match path.try_exists() {
            Ok(false) => Err(format!("there is no such file in {}", folder_of(path))),
            _ => read_text(path).map_err(|trouble| trouble.0),
        }
    }

    fn identity(&self, name: &str) -> String {
        fs::canonicalize(name).map_or_else(|_| name.to_owned(), |path| path.display().to_string())
    }
}

/// "the folder /etc/gridtap/feeders", in full: people do not know where they are looked for.
fn folder_of(path: &Path) -> String {
    let folder = path.parent().unwrap_or(Path::new(""));
    let whole = match std::path::absolute(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
    {
        Ok(whole) => whole,
        Err(_) => folder.to_owned(),
    };
    let missing = if whole.is_dir() { "" } else { ", which is missing" };
    format!("the folder {}{missing}", whole.display())
}

/// Files whose name fits one with stars, by name. Stars are for the last part of a path only.
fn matching(pattern: &Path) -> Result<Vec<PathBuf>, String> {
    let folder = pattern.parent().unwrap_or(Path::new(""));
    let wanted = pattern.file_name().and_then(|name| name.to_str()).unwrap_or("");
    if folder.to_string_lossy().contains('*') {
        return Err("`*` can only stand in the name of a file, not of a folder".to_owned());
    }
    let listed = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = fs::read_dir(listed)
        .map_err(|e| format!("the folder cannot be read: {e}: {}", folder_of(pattern)))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| fits(name, wanted) && !name.starts_with('.'))
        .take(MAX_FILES + 1)
        .collect();
    if names.len() > MAX_FILES {
        return Err(format!("more than {} files have such a name", grouped(MAX_FILES)));
    }
    names.sort_unstable();
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

/// Whether a name fits a pattern in which `*` stands for any characters. Each star is tried from the place
/// where the one before it was satisfied, and never an earlier one again: the time is the product of both
/// lengths at most.
fn fits(name: &str, pattern: &str) -> bool {
    let (name, pattern) = (name.as_bytes(), pattern.as_bytes());
    let (mut at, mut place) = (0, 0);
    // Behind the last star, and where in the name it began.
    let mut star: Option<(usize, usize)> = None;
    while let Some(octet) = name.get(at) {
        if pattern.get(place) == Some(&b'*') {
            place += 1;
            star = Some((place, at));
        } else if pattern.get(place) == Some(octet) {
            (at, place) = (at + 1, place + 1);
        } else if let Some((behind, began)) = star {
            (at, place) = (began + 1, behind);
            star = Some((behind, began + 1));
        } else {
            return false;
        }
    }
    pattern.get(place..).is_some_and(|rest| rest.iter().all(|octet| *octet == b'*'))
}

/// A file's text; what is wrong and what to do about it.
pub(crate) fn read_text(path: &Path) -> Result<String, (String, &'static str)> {
    diagnostics::read_text(path, "profile", MAX_FILE_BYTES)
}

/// The top tables of all files, the main file's first. `None`: the text is no TOML, which has been
/// reported.
pub(super) fn roots(
    text: &str,
    name: &str,
    loader: &mut dyn Loader,
    reporter: &mut Reporter<'_>,
) -> Option<Vec<At<Table>>> {
    let mut loading = Loading {
        loader,
        roots: Vec::new(),
        known: HashMap::new(),
        open: Vec::new(),
        octets: 0,
        values: 0,
        sound: true,
    };
    loading.file(text, name, 0, reporter);
    loading.sound.then_some(loading.roots)
}

/// How lists and sections of a profile are written.
const FORMS: &str = "lists stand in [ ], a section begins with [section.name], a rule with [[rules]]";

struct Loading<'l> {
    loader: &'l mut dyn Loader,
    roots: Vec<At<Table>>,
    /// Where each file was included first.
    known: HashMap<String, Range<usize>>,
    /// Files that are being read, the main one first.
    open: Vec<String>,
    /// Of all files so far.
    octets: usize,
    values: usize,
    sound: bool,
}

impl Loading<'_> {
    /// Read one file whose first character has the offset `base`, and what it includes.
    fn file(&mut self, text: &str, name: &str, base: usize, reporter: &mut Reporter<'_>) {
        let (root, errors) = DeTable::parse_recoverable(text);
        if !diagnostics::report_syntax_at(text, base, FORMS, &errors, reporter) {
            // What was recovered from broken TOML would only raise errors that are not there.
            self.sound = false;
            return;
        }
        let span = root.span().start + base..root.span().end + base;
        let table = tree::table(root.get_ref(), base);
        self.octets += text.len();
        self.values += table.count();
        if self.values > MAX_VALUES {
            let message = format!("the profile has more than {} values", grouped(MAX_VALUES));
            reporter
                .error(&(base..base), message)
                .label("with this file")
                .help("write networks and groups instead of single hosts, or split the site");
            self.sound = false;
            return;
        }
        let include = table.get("include").cloned();
        self.roots.push(At { value: table, span });
        let Some(include) = include else { return };
        self.open.push(self.loader.identity(name));
        let patterns = Walk { reporter: &mut *reporter }.texts("`include`", "include", &include);
        for pattern in patterns {
            match self.loader.find(&pattern.value, name) {
                Ok(found) => {
                    for one in found {
                        if !self.included(&one, &pattern, reporter) {
                            return;
                        }
                    }
                }
                Err(trouble) => cannot_include(&pattern, &pattern.value, &trouble, reporter),
            }
        }
        self.open.pop();
    }

    /// False: a limit is reached, and no more files are read.
    fn included(&mut self, name: &str, pattern: &At<String>, reporter: &mut Reporter<'_>) -> bool {
        let identity = self.loader.identity(name);
        if self.open.contains(&identity) {
            // A pattern such as `*.toml` also means the file it stands in, which is no mistake.
            if !pattern.value.contains('*') {
                reporter
                    .error(&pattern.span, format!("`{name}` includes itself"))
                    .label("files must not include each other in a circle");
            }
            return true;
        }
        if let Some(first) = self.known.get(&identity) {
            let message = format!("`{name}` is included twice");
            reporter.error_with(&pattern.span, message, first, "the first time").label("take one out");
            return true;
        }
        let beyond = if self.known.len() >= MAX_FILES {
            Some(format!("more than {} files are included", grouped(MAX_FILES)))
        } else if self.open.len() >= MAX_INCLUDE_DEPTH {
            Some(format!("files include each other more than {MAX_INCLUDE_DEPTH} deep"))
        } else {
            None
        };
        if let Some(message) = beyond {
            reporter.error(&pattern.span, message).help("name all files in one place, or write one file");
            self.sound = false;
            return false;
        }
        let text = match self.loader.read(name) {
            Ok(text) => text,
            Err(trouble) => {
                cannot_include(pattern, name, &trouble, reporter);
                return true;
            }
        };
        if self.octets + text.len() > MAX_TOTAL_BYTES {
            let message = format!("the files of the profile are larger than {} MiB", MAX_TOTAL_BYTES >> 20);
            reporter.error(&pattern.span, message).label(format!("with `{name}`"));
            self.sound = false;
            return false;
        }
        self.known.insert(identity, pattern.span.clone());
        let base = reporter.add_file(&text, name);
        self.file(&text, name, base, reporter);
        self.sound
    }
}

fn cannot_include(pattern: &At<String>, name: &str, trouble: &str, reporter: &mut Reporter<'_>) {
    reporter
        .error(&pattern.span, format!("`{name}` cannot be included: {trouble}"))
        .help("names are relative to the file that includes them");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_characters() {
        for (name, pattern, expected) in [
            ("a.toml", "*.toml", true),
            ("feeder-12.toml", "feeder-*.toml", true),
            ("feeder-12.toml.bak", "feeder-*.toml", false),
            ("x", "*", true),
            ("abcabc", "a*bc", true),
            ("abcab", "a*bc", false),
            ("", "*", true),
            ("", "", true),
            ("x", "", false),
            ("é.toml", "*.toml", true),
            ("aXbXc", "a*b*c", true),
            ("aXbXcd", "a*b*c", false),
            (&"a".repeat(250), "*a*a*a*a*a*a*a*a*b", false),
        ] {
            assert_eq!(fits(name, pattern), expected, "{name} {pattern}");
        }
    }
}
