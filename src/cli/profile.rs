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
                "{}: profile \"{}\" is sound: {}, {}, {}",
                file.display(),
                profile.name(),
                number_of(profile.profile().hosts.len(), "host"),
                number_of(profile.stations().count(), "station"),
                number_of(profile.profile().rules.len(), "rule")
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

fn number_of(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
