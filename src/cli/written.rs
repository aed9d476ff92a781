//! Profiles that commands write: sound ones only, and never half of one.

use std::path::{Path, PathBuf};

use profiles::Compiled;

use super::Exit;
use super::exit::give;

/// A profile that is to be added to: its text, and what it says.
pub(super) fn read_old(old: &Path) -> Result<(String, Compiled), Exit> {
    let profile = profiles::load(old).map_err(|diagnostics| Exit::Usage(diagnostics.to_string()))?;
    let text =
        profiles::read_text(old).map_err(|(what, _)| Exit::failed(format!("{}: {what}", old.display())))?;
    Ok((text, profile))
}

/// Write a profile, if it is sound; `what` it holds is told otherwise. It is checked under another name beside its
/// place, because it may include files that lie there, and only then takes the place of what was there before.
pub(super) fn put(output: &Path, text: &str, what: &str) -> Result<(), Exit> {
    if output == Path::new("-") {
        return give(text.trim_end());
    }
    let mut beside = output.to_owned().into_os_string();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    std::fs::write(&beside, text).map_err(|e| Exit::failed(format!("{}: {e}", beside.display())))?;
    if let Err(diagnostics) = profiles::load(&beside) {
        return Err(Exit::Failed(format!(
            "{what} makes no sound profile; it stands in {}:\n{diagnostics}",
            beside.display()
        )));
    }
    std::fs::rename(&beside, output).map_err(|error| Exit::failed(format!("{}: {error}", output.display())))
}
