//! Profiles that commands write: sound ones only, and never half of one.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use profiles::Compiled;

use super::Exit;
use super::exit::give;

/// Names tried for a file beside another one.
const MOST_NAMES: u32 = 100;
/// Links followed to a file that does not exist yet.
const MOST_LINKS: u32 = 16;

/// A profile that is to be added to: its text, and what it says.
pub(super) fn read_old(old: &Path) -> Result<(String, Compiled), Exit> {
    let profile = profiles::load(old).map_err(|diagnostics| Exit::Usage(diagnostics.to_string()))?;
    let text =
        profiles::read_text(old).map_err(|(what, _)| Exit::failed(format!("{}: {what}", old.display())))?;
    Ok((text, profile))
}

/// Whether a profile can be put there, asked before the work that makes it: that may take a week.
pub(super) fn can_put(output: &Path) -> Result<(), Exit> {
    let refused = |why: &str| Err(Exit::failed(format!("{}: {why}", output.display())));
    match std::fs::metadata(output) {
        _ if output == Path::new("-") => return Ok(()),
        Ok(meta) if meta.is_dir() => return refused("is a folder; name a file in it"),
        Ok(meta) if !meta.is_file() => return Ok(()),
        _ => {}
    }
    match beside(&target(output), "") {
        Ok(trial) => std::fs::remove_file(trial).or_else(|error| refused(&error.to_string())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            refused("there is no such folder; make it, or write to another one")
        }
        Err(error) => refused(&format!("cannot be written: {error}")),
    }
}

/// Write a profile, if it is sound; `what` it holds is told otherwise. It is checked as if
/// it stood in its place, because it may include files that lie there, and only then takes that place.
pub(super) fn put(output: &Path, text: &str, what: &str) -> Result<(), Exit> {
    if output == Path::new("-") {
        return give(text.trim_end());
    }
    let told = |path: &Path, error: std::io::Error| Exit::failed(format!("{}: {error}", path.display()));
    // A device or a pipe cannot be replaced; of a link, what it leads to is.
    if std::fs::metadata(output).is_ok_and(|meta| !meta.is_file() && !meta.is_dir()) {
        return std::fs::write(output, text).map_err(|error| told(output, error));
    }
    let output = &target(output);
    if let Err(diagnostics) = profiles::load_changed(output, text) {
        // What was worked for is not thrown away; no file of anybody's gives way to it.
        let kept = beside(output, text).map_err(|error| told(output, error))?;
        return Err(Exit::Failed(format!(
            "{what} makes no sound profile; it stands in {}:\n{diagnostics}",
            kept.display()
        )));
    }
    replace(output, text).map_err(|error| told(output, error))
}

/// Let a text take the place of a file, all of it or nothing. Of a link, what it leads to is replaced; a device or a
/// pipe is written to.
pub(super) fn replace(output: &Path, text: &str) -> io::Result<()> {
    if std::fs::metadata(output).is_ok_and(|meta| !meta.is_file() && !meta.is_dir()) {
        return std::fs::write(output, text);
    }
    let output = target(output);
    let new = beside(&output, text)?;
    let moved = match std::fs::metadata(&output) {
        Ok(old) => std::fs::set_permissions(&new, old.permissions()),
        Err(_) => Ok(()),
    }
    .and_then(|()| std::fs::rename(&new, &output));
    if moved.is_err() {
        _ = std::fs::remove_file(&new);
    }
    moved
}

/// Where a link leads, though there be nothing yet.
fn target(output: &Path) -> PathBuf {
    let mut place = output.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(next) = std::fs::read_link(&place) else { break };
        place = place.parent().unwrap_or(Path::new("")).join(next);
    }
    place
}

/// Write a text to a new file beside another one, under a name that nobody uses.
fn beside(output: &Path, text: &str) -> io::Result<PathBuf> {
    for number in 0..MOST_NAMES {
        let mut name = output.as_os_str().to_owned();
        name.push(if number == 0 { ".new".to_owned() } else { format!(".new{number}") });
        let path = PathBuf::from(name);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
                if written.is_err() {
                    _ = std::fs::remove_file(&path);
                }
                return written.map(|()| path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "too many files named .new beside it; remove them"))
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
        // A link that leads to nothing yet stays a link, and a file of somebody's named .new stays.
        let (ahead, new) = (folder.join("ahead.toml"), folder.join("later.toml.new"));
        std::os::unix::fs::symlink("later.toml", &ahead).unwrap();
        std::fs::write(&new, "mine").unwrap();
        put(&ahead, SOUND, "it").unwrap();
        assert!(std::fs::symlink_metadata(&ahead).unwrap().is_symlink());
        assert_eq!(std::fs::read_to_string(folder.join("later.toml")).unwrap(), SOUND);
        assert_eq!(std::fs::read_to_string(&new).unwrap(), "mine");
        let refused = put(&folder.join("later.toml"), "no profile", "it");
        assert!(matches!(refused, Err(Exit::Failed(what)) if what.contains("later.toml.new1")));
        assert_eq!(std::fs::read_to_string(folder.join("later.toml.new1")).unwrap(), "no profile");
        assert_eq!(std::fs::read_to_string(folder.join("later.toml")).unwrap(), SOUND);
        let mode = |path: &Path| {
            std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).unwrap().permissions())
        };
        std::fs::set_permissions(&site, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        replace(&site, "other").unwrap();
        assert_eq!(
            (mode(&site) & 0o777, std::fs::read_to_string(&site).unwrap()),
            (0o600, "other".to_owned())
        );
        // What cannot be written is told before the work, and a trial leaves nothing behind.
        let count = || std::fs::read_dir(&folder).unwrap().count();
        let before = count();
        assert!(can_put(&site).is_ok() && can_put(&folder.join("fresh.toml")).is_ok());
        assert_eq!(count(), before);
        for (place, why) in [(folder.clone(), "is a folder"), (folder.join("none/x.toml"), "no such folder")]
        {
            assert!(matches!(can_put(&place), Err(Exit::Failed(what)) if what.contains(why)), "{why}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
