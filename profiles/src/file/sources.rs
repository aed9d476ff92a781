//! The files of a profile: the main one and all that it includes, parsed one after the other.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::At;
use super::walk::Walk;
use crate::MAX_FILE_BYTES;
use crate::reporter::Reporter;
use crate::syntax;
use crate::tree::{self, Table};

/// Most files of a profile.
const MAX_FILES: usize = 4096;

/// A file as it was found.
pub(crate) struct Found {
    /// How errors name it.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Finds included files.
pub(crate) trait Loader {
    /// The files that `pattern` means in the file called `from`, in the order of their names.
    fn find(&mut self, pattern: &str, from: &str) -> Result<Vec<Found>, String>;
    /// What tells whether two names are one file.
    fn identity(&self, name: &str) -> String {
        name.to_owned()
    }
}

/// For a profile that is only a text.
pub(crate) struct NoFiles;

impl Loader for NoFiles {
    fn find(&mut self, _: &str, _: &str) -> Result<Vec<Found>, String> {
        Err("this profile was not read from a file, so it can include none".to_owned())
    }
}

/// Files on disk. Names are relative to the file that includes them.
pub(crate) struct FileSystem;

impl Loader for FileSystem {
    fn find(&mut self, pattern: &str, from: &str) -> Result<Vec<Found>, String> {
        let folder = Path::new(from).parent().unwrap_or(Path::new(""));
        let path = folder.join(pattern);
        let paths = if pattern.contains('*') { matching(&path)? } else { vec![path] };
        if paths.is_empty() {
            return Err("no file has such a name".to_owned());
        }
        let found = |path: &PathBuf| {
            let text = read_text(path).map_err(|trouble| trouble.0)?;
            Ok(Found { name: path.display().to_string(), text })
        };
        paths.iter().map(found).collect()
    }

    fn identity(&self, name: &str) -> String {
        fs::canonicalize(name).map_or_else(|_| name.to_owned(), |path| path.display().to_string())
    }
}

/// Files whose name fits one with stars, by name. Stars are for the last part of a path only.
fn matching(pattern: &Path) -> Result<Vec<PathBuf>, String> {
    let folder = pattern.parent().unwrap_or(Path::new(""));
    let wanted = pattern.file_name().and_then(|name| name.to_str()).unwrap_or("");
    if folder.to_string_lossy().contains('*') {
        return Err("`*` can only stand in the name of a file, not of a folder".to_owned());
    }
    let listed = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = fs::read_dir(listed).map_err(|e| format!("the folder cannot be read: {e}"))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| fits(name, wanted) && !name.starts_with('.'))
        .collect();
    names.sort_unstable();
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

/// Whether a name fits a pattern in which `*` stands for any characters.
fn fits(name: &str, pattern: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return name == pattern };
    let Some(name) = name.strip_prefix(head) else { return false };
    (0..=name.len()).filter(|at| name.is_char_boundary(*at)).any(|at| fits(&name[at..], rest))
}

/// A file's text; what is wrong and what to do about it.
pub(crate) fn read_text(path: &Path) -> Result<String, (String, &'static str)> {
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|e| (format!("the profile cannot be read: {e}"), "check the path and who may read it"))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(("the profile is larger than 64 MiB".to_owned(), "is this the right file?"));
    }
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        (format!("the profile is not UTF-8 text: offset {at}"), "save it as UTF-8; is this the right file?")
    })
}

/// The top tables of all files, the main file's first. `None`: the text is no TOML, which has been
/// reported.
pub(super) fn roots(
    text: &str,
    name: &str,
    loader: &mut dyn Loader,
    reporter: &mut Reporter<'_>,
) -> Option<Vec<At<Table>>> {
    let mut loading =
        Loading { loader, roots: Vec::new(), known: HashMap::new(), open: Vec::new(), sound: true };
    loading.file(text, name, 0, reporter);
    loading.sound.then_some(loading.roots)
}

struct Loading<'l> {
    loader: &'l mut dyn Loader,
    roots: Vec<At<Table>>,
    /// Where each file was included first.
    known: HashMap<String, Range<usize>>,
    /// Files that are being read, the main one first.
    open: Vec<String>,
    sound: bool,
}

impl Loading<'_> {
    /// Read one file whose first character has the offset `base`, and what it includes.
    fn file(&mut self, text: &str, name: &str, base: usize, reporter: &mut Reporter<'_>) {
        let (root, errors) = DeTable::parse_recoverable(text);
        if !syntax::report_at(text, base, &errors, reporter) {
            // What was recovered from broken TOML would only raise errors that are not there.
            self.sound = false;
            return;
        }
        let span = root.span().start + base..root.span().end + base;
        let table = tree::table(root.get_ref(), base);
        let include = table.get("include").cloned();
        self.roots.push(At { value: table, span });
        let Some(include) = include else { return };
        self.open.push(self.loader.identity(name));
        let patterns = Walk { reporter: &mut *reporter }.texts("`include`", "include", &include);
        for pattern in patterns {
            match self.loader.find(&pattern.value, name) {
                Ok(found) => {
                    for one in found {
                        self.included(&one, &pattern, reporter);
                    }
                }
                Err(trouble) => {
                    reporter
                        .error(&pattern.span, format!("`{}` cannot be included: {trouble}", pattern.value))
                        .help("names are relative to the file that includes them");
                }
            }
        }
        self.open.pop();
    }

    fn included(&mut self, found: &Found, pattern: &At<String>, reporter: &mut Reporter<'_>) {
        let identity = self.loader.identity(&found.name);
        if self.open.contains(&identity) {
            // A pattern such as `*.toml` also means the file it stands in, which is no mistake.
            if !pattern.value.contains('*') {
                reporter
                    .error(&pattern.span, format!("`{}` includes itself", found.name))
                    .label("files must not include each other in a circle");
            }
            return;
        }
        if let Some(first) = self.known.get(&identity) {
            let message = format!("`{}` is included twice", found.name);
            reporter.error_with(&pattern.span, message, first, "the first time").label("take one out");
            return;
        }
        if self.known.len() >= MAX_FILES {
            reporter.error(&pattern.span, format!("more than {MAX_FILES} files are included"));
            return;
        }
        self.known.insert(identity, pattern.span.clone());
        let base = reporter.add_file(&found.text, &found.name);
        self.file(&found.text, &found.name, base, reporter);
    }
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
        ] {
            assert_eq!(fits(name, pattern), expected, "{name} {pattern}");
        }
    }
}
