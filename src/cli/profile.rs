//! `gridtap profile`: profiles as files.

use std::path::Path;

use profiles::Compiled;

use super::Exit;
use super::exit::say;

/// Read a profile and say what is wrong with it, all at once.
pub(super) fn check(file: &Path) -> Exit {
    match profiles::load(file) {
        Ok(profile) => {
            let said = say(format_args!(
                "{}: profile \"{}\" is sound: {} hosts, {} stations, {} rules",
                file.display(),
                profile.name(),
                profile.profile().hosts.len(),
                profile.stations().count(),
                profile.profile().rules.len()
            ));
            said.err().unwrap_or(Exit::Done)
        }
        Err(diagnostics) => Exit::Usage(diagnostics.to_string()),
    }
}

/// The profile named on the command line, if one is.
pub(super) fn load(file: Option<&Path>) -> Result<Option<Compiled>, Exit> {
    file.map(profiles::load).transpose().map_err(|diagnostics| Exit::Usage(diagnostics.to_string()))
}
