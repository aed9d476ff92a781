//! `gridtap profile`: profiles as files.

use std::path::Path;

use profiles::Compiled;

use super::Exit;
use super::exit::{complain, say};
use crate::report::catalogue::CATALOGUE;

/// What the ids of the parsers' checks begin with.
const CHECKS: &[&str] = &["MB", "DN", "I4", "GO"];

/// Read a profile and say what is wrong with it, all at once.
pub(super) fn check(file: &Path) -> Exit {
    match profiles::load(file) {
        Ok(profile) => {
            warn(&profile);
            let said = say(format_args!(
                "{}: profile \"{}\" is sound: {}, {}, {}{}",
                profiles::shown(&file.display().to_string()),
                profile.name(),
                number_of(profile.profile().hosts.len(), "host"),
                number_of(profile.stations().count(), "station"),
                number_of(profile.profile().rules.len(), "rule"),
                if profile.judges_operations() {
                    ""
                } else {
                    "; control traffic is judged as without a profile"
                }
            ));
            said.err().unwrap_or(Exit::Done)
        }
        Err(diagnostics) => Exit::Usage(diagnostics.to_string()),
    }
}

/// The profile named on the command line, if one is. What it warns of goes to standard error.
pub(super) fn load(file: Option<&Path>) -> Result<Option<Compiled>, Exit> {
    let profile =
        file.map(profiles::load).transpose().map_err(|diagnostics| Exit::Usage(diagnostics.to_string()))?;
    if let Some(profile) = &profile {
        warn(profile);
    }
    Ok(profile)
}

/// Say what a profile allows that most likely was not meant.
fn warn(profile: &Compiled) {
    for warning in warnings(profile) {
        complain(warning);
    }
}

/// What a profile allows that most likely was not meant, in the order of the file. A quirk that is no id and no
/// kind of finding silences nothing.
pub(super) fn warnings(profile: &Compiled) -> Vec<profiles::Diagnostic> {
    let words: Vec<&str> = CATALOGUE.iter().flat_map(|kind| [kind.id(), kind.name()]).collect();
    // Ids of single checks, as MB-C03 and DN-C04, are the parsers' own.
    let is_check = |quirk: &str| quirk.split_once('-').is_some_and(|(group, _)| CHECKS.contains(&group));
    let mut warnings = profile.warnings().to_vec();
    warnings.extend(profile.unknown_quirks(&words, is_check));
    warnings.sort_by_key(|warning| warning.span.start);
    warnings
}

/// Say which operations a change of a profile allows or no longer allows.
pub(super) fn diff(old: &Path, new: &Path) -> Exit {
    let read = |path| profiles::load(path).map_err(|diagnostics| Exit::Usage(diagnostics.to_string()));
    let difference = match read(old).and_then(|old| Ok((old, read(new)?))) {
        Ok((old, new)) => profiles::diff(old.profile(), new.profile()),
        Err(exit) => return exit,
    };
    say(difference).err().unwrap_or(Exit::Done)
}

fn number_of(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
