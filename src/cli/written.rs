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
    let told = |path: &Path, error: std::io::Error| Exit::failed(format!("{}: {error}", path.display()));
    // A device or a pipe is written to and never replaced; of a link, what it leads to is replaced.
    if std::fs::metadata(output).is_ok_and(|meta| !meta.is_file() && !meta.is_dir()) {
        return std::fs::write(output, text).map_err(|error| told(output, error));
    }
    let output = std::fs::canonicalize(output).unwrap_or_else(|_| output.to_owned());
    let mut beside = output.clone().into_os_string();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    std::fs::write(&beside, text).map_err(|error| told(&beside, error))?;
    if let Err(diagnostics) = profiles::load(&beside) {
        return Err(Exit::Failed(format!(
            "{what} makes no sound profile; it stands in {}:\n{diagnostics}",
            beside.display()
        )));
    }
    std::fs::rename(&beside, &output).map_err(|error| told(&output, error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::FileTypeExt;

    const SOUND: &str = "[profile]\nname = \"x\"\nversion = \"1\"\n";

    #[test]
    fn pipes_and_links_are_written_to_and_not_replaced() {
        let folder = std::env::temp_dir().join(format!("gridtap-written-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (pipe, link, site) = (folder.join("pipe"), folder.join("link.toml"), folder.join("site.toml"));
        let name = std::ffi::CString::new(pipe.to_str().unwrap()).unwrap();
        // SAFETY: a string that ends with 0, not kept by the call.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        let theirs = pipe.clone();
        let reader = std::thread::spawn(move || std::fs::read_to_string(theirs).unwrap());
        put(&pipe, SOUND, "it").unwrap();
        assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo());
        assert_eq!(reader.join().unwrap(), SOUND);
        std::fs::write(&site, "").unwrap();
        std::os::unix::fs::symlink(&site, &link).unwrap();
        put(&link, SOUND, "it").unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read_to_string(&site).unwrap(), SOUND);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
