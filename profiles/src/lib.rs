//! Profiles: what is allowed at a site, written down by engineers, and the judging of operations by it.
//!
//! ```text
//! file (TOML, with places) -> Profile (checked) -> Compiled (indexed) -> Verdict
//!      file.rs                 check.rs             compiled.rs          judge.rs
//! ```
//!
//! [`load`] or [`parse`] a profile once, [`Compiled::pair`] once per flow and station, and
//! [`Compiled::judge`] for every operation. Everything is denied that no rule allows. The language is
//! described in `docs/profiles.md`.

mod anomaly;
mod check;
mod compiled;
mod diff;
mod file;
mod functions;
mod judge;
mod language;
mod limits;
mod points;
mod profile;
mod roles;
mod schema;
mod services;
#[cfg(test)]
mod tests;
mod thresholds;
mod tree;
mod units;
mod values;
pub mod write;

use std::path::Path;

use sha2::{Digest, Sha256};

pub use anomaly::{Anomaly, AnomalyKind, BadValue, Expected, Observed, Reason};
pub use compiled::{Compiled, Pair, PointId, RuleId, StationLabel};
pub use diagnostics::{
    Diagnostic, Diagnostics, Reporter, nearest, report_syntax, shown, shown_lines, type_name, utf8,
};
pub use diff::{Difference, diff};
pub use functions::{function_by_name, function_name, function_names};
pub use judge::Verdict;
pub use limits::MAX_FILE_BYTES;
pub use points::RangeText;
pub use profile::{
    Allow, DataType, Deny, Field, Group, HostEntry, Limits, Maintenance, PointSpec, Poll, Profile, Published,
    Publisher, Publishing, Redundancy, Rule, Schedule, Severity, Station, What, WordOrder, Words,
};
pub use roles::Role;
pub use schema::json_schema;
pub use services::{SERVICES, Service, Services, service_by_key, service_by_port};
pub use thresholds::{ThresholdInfo, Thresholds, Unit};
pub use units::{DurationText, Rate, duration};
pub use values::{each_number, number};

/// Read a profile from a file, and what it includes. The only I/O of this crate.
pub fn load(path: &Path) -> Result<Compiled, Diagnostics> {
    load_watched(path).0
}

/// [`load`], and the files that it read or looked for, the main one first. Those of a refused profile are told
/// too: when one of them changes, the profile may be sound.
pub fn load_watched(path: &Path) -> (Result<Compiled, Diagnostics>, Vec<String>) {
    let name = path.display().to_string();
    let mut files = file::FileSystem::default();
    let result = file::read_text(path)
        .map_err(|(message, help)| Diagnostics::of_file(&name, message, help))
        .and_then(|text| read(&text, &name, &mut files));
    (result, std::iter::once(name).chain(files.wanted).collect())
}

/// The text of a file of a profile, or of another small text file: a regular file of at most
/// [`MAX_FILE_BYTES`], in UTF-8. Else what is wrong, and what to do about it.
pub fn read_text(path: &Path) -> Result<String, (String, &'static str)> {
    file::read_text(path)
}

/// [`load`], with this text in place of the file's own: what a change would make of it.
pub fn load_changed(path: &Path, text: &str) -> Result<Compiled, Diagnostics> {
    read(text, &path.display().to_string(), &mut file::FileSystem::default())
}

/// Read a profile from text; it can include no files. `file_name` is how errors name it.
pub fn parse(text: &str, file_name: &str) -> Result<Compiled, Diagnostics> {
    read(text, file_name, &mut file::NoFiles)
}

fn read(text: &str, file_name: &str, loader: &mut dyn file::Loader) -> Result<Compiled, Diagnostics> {
    let mut reporter = Reporter::new(text, file_name);
    let file = file::read(text, file_name, loader, &mut reporter);
    match check::check(file, &mut reporter) {
        Some(profile) => {
            let (files, texts): (Vec<_>, Vec<_>) = reporter.sources().unzip();
            let hash = sha256(&texts);
            let files = files.into_iter().map(str::to_owned).collect();
            let (warnings, quirks) = reporter.into_warnings();
            Ok(Compiled::new(profile, hash).with(warnings, quirks, files))
        }
        None => Err(reporter.into_diagnostics()),
    }
}

/// Of the octets of all files, one behind the other.
fn sha256(texts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for text in texts {
        digest.update(text.as_bytes());
    }
    let mut hex = String::with_capacity(64);
    for byte in digest.finalize() {
        for nibble in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(nibble.into(), 16).unwrap_or('0'));
        }
    }
    hex
}
