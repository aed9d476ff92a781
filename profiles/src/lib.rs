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
mod check_rules;
mod compiled;
mod diagnostics;
mod file;
mod functions;
mod judge;
mod points;
mod profile;
mod syntax;
#[cfg(test)]
mod tests;
mod thresholds;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

pub use anomaly::{Anomaly, AnomalyKind, Expected, Observed, Reason};
pub use compiled::{Compiled, Pair, RuleId, StationLabel};
pub use diagnostics::{Diagnostic, Diagnostics, Reporter, nearest};
pub use file::type_name;
pub use functions::{function_by_name, function_name, function_names};
pub use judge::Verdict;
pub use points::RangeText;
pub use profile::{Allow, HostEntry, Profile, Rule, Station};
pub use syntax::report as report_syntax;
pub use thresholds::{ThresholdInfo, Thresholds, Unit};

/// Largest profile that is read, in bytes: a wrong path must not fill the memory.
pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// Read a profile from a file. The only I/O of this crate.
pub fn load(path: &Path) -> Result<Compiled, Diagnostics> {
    let name = path.display().to_string();
    let fail = |message: String, help: &str| Diagnostics::of_file(&name, message, help);
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)).map_err(|e| {
        fail(format!("the profile cannot be read: {e}"), "check the path and who may read it")
    })?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(fail("the profile is larger than 64 MiB".to_owned(), "is this the right file?"));
    }
    let text = String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        fail(
            format!("the profile is not UTF-8 text: offset {at}"),
            "save it as UTF-8; is this the right file?",
        )
    })?;
    parse(&text, &name)
}

/// Read a profile from text. `file_name` is how errors name it.
pub fn parse(text: &str, file_name: &str) -> Result<Compiled, Diagnostics> {
    let mut reporter = diagnostics::Reporter::new(text, file_name);
    let file = file::read(text, &mut reporter);
    match check::check(file, &mut reporter) {
        Some(profile) => Ok(Compiled::new(profile, sha256(text))),
        None => Err(reporter.into_diagnostics()),
    }
}

fn sha256(text: &str) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        for nibble in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(nibble.into(), 16).unwrap_or('0'));
        }
    }
    hex
}
