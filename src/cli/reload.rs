//! Another profile while the sensor runs: on SIGHUP, or when one of the profile's files changes.
//!
//! A thread of its own reads and compiles, so that a large profile does not hold up the capture; the capture
//! thread puts it in force between two frames. All or nothing: a profile with an error leaves the old one in
//! force, and is told with its errors in the event log, on standard error and in a metric.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, SystemTime};

use parsers::Timestamp;
use profiles::Compiled;

use crate::monitor::Sensor;
use crate::report::record::SensorEvent;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Set by SIGHUP.
static ASKED: AtomicBool = AtomicBool::new(false);

extern "C" fn on_hangup(_: libc::c_int) {
    ASKED.store(true, Ordering::Relaxed);
}

/// What came of reading the profile again.
enum Read {
    Sound(Arc<Compiled>),
    /// It has errors.
    Refused(String),
}

/// New profiles, for the capture thread.
pub(super) struct Reload {
    news: Receiver<Read>,
    reloaded: u64,
    refused: u64,
    sound: bool,
}

/// Size and time of change of a file; `None` while it cannot be looked at.
type Trace = Option<(u64, SystemTime)>;

impl Reload {
    /// Watch the profile at `path`, which is in force as `compiled`.
    ///
    /// # Errors
    /// What the system says when the thread cannot be started.
    pub(super) fn watch(path: &Path, compiled: &Compiled) -> io::Result<Reload> {
        // SAFETY: the handler only stores into an atomic, which is allowed in a signal handler.
        unsafe {
            let handler = on_hangup as extern "C" fn(libc::c_int) as libc::sighandler_t;
            libc::signal(libc::SIGHUP, handler);
        }
        let (sender, news) = sync_channel(1);
        let (path, files) = (path.to_owned(), paths(compiled));
        std::thread::Builder::new().name("profile".to_owned()).spawn(move || look(&path, files, &sender))?;
        Ok(Reload { news, reloaded: 0, refused: 0, sound: true })
    }

    /// Put in force what has come.
    pub(super) fn apply(&mut self, sensor: &mut Sensor, now: Timestamp) {
        let Ok(read) = self.news.try_recv() else { return };
        match read {
            Read::Sound(profile) => {
                let (name, hash) = (profile.name().to_owned(), profile.sha256().to_owned());
                for warning in super::profile::warnings(&profile) {
                    tracing::warn!("{warning}");
                }
                sensor.set_profile(Some(profile));
                self.reloaded += 1;
                self.sound = true;
                tracing::info!("profile \"{name}\" ({}) is in force", short(&hash));
                self.tell(
                    sensor,
                    now,
                    "profile_changed",
                    format_args!("profile \"{name}\" ({}) is in force", short(&hash)),
                );
            }
            Read::Refused(errors) => {
                self.refused += 1;
                self.sound = false;
                tracing::error!(
                    "the profile was changed but has errors; the old one stays in force\n{errors}"
                );
                self.tell(
                    sensor,
                    now,
                    "profile_refused",
                    format_args!(
                        "the profile was changed but has errors, the old one stays in force: {errors}"
                    ),
                );
            }
        }
    }

    fn tell(&self, sensor: &mut Sensor, at: Timestamp, what: &'static str, message: std::fmt::Arguments<'_>) {
        let figures = [("reloaded", self.reloaded), ("refused", self.refused)];
        sensor.tell(&SensorEvent { at, what, capture: None, message, figures: &figures });
    }

    /// Whether the files as they were last read are in force.
    pub(super) fn is_sound(&self) -> bool {
        self.sound
    }

    /// How often the profile was changed for another, and how often another one was refused.
    pub(super) fn counts(&self) -> [u64; 2] {
        [self.reloaded, self.refused]
    }
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

fn paths(compiled: &Compiled) -> Vec<PathBuf> {
    compiled.files().iter().map(PathBuf::from).collect()
}

fn trace(path: &Path) -> Trace {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

fn traces(files: &[PathBuf]) -> Vec<Trace> {
    files.iter().map(|path| trace(path)).collect()
}

/// The watching thread: ends when nobody takes its news any more.
fn look(path: &Path, mut files: Vec<PathBuf>, news: &SyncSender<Read>) {
    let mut read = traces(&files);
    let mut before = read.clone();
    loop {
        std::thread::sleep(LOOK);
        let now = traces(&files);
        // A file that is still being written changes again until the next look, and one that is replaced is missing
        // for less than that. One that stays away may be included no longer, or is an error that must be told.
        let settled = now == before;
        before.clone_from(&now);
        let asked = ASKED.swap(false, Ordering::Relaxed);
        if !asked && (!settled || now == read) {
            continue;
        }
        read = now;
        let (result, wanted) = profiles::load_watched(path);
        // Other files may be included now, also by a profile that is refused: mending one of them mends it. Those
        // known before are held to what they were before they were read: they may have changed while they were.
        let wanted: Vec<PathBuf> = wanted.into_iter().map(PathBuf::from).collect();
        let known = |path: &PathBuf| files.iter().position(|file| file == path);
        let of = |path: &PathBuf| known(path).map_or_else(|| trace(path), |n| read[n]);
        read = wanted.iter().map(of).collect();
        before.clone_from(&read);
        files = wanted;
        let result = match result {
            Ok(profile) => Read::Sound(Arc::new(profile)),
            Err(errors) => Read::Refused(errors.to_string()),
        };
        if news.send(result).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_that_only_the_refused_profile_includes_is_watched() {
        let folder = std::env::temp_dir().join(format!("gridtap-refused-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let site = folder.join("site.toml");
        let (broken, missing) = (folder.join("broken.toml"), folder.join("missing.toml"));
        let head = "[profile]\nname = \"x\"\nversion = \"1\"\n";
        std::fs::write(&site, head).unwrap();
        std::fs::write(&broken, "[hosts.a]\nadress = \"10.0.0.1\"\n").unwrap();
        let (sender, news) = sync_channel(1);
        let path = site.clone();
        std::thread::spawn(move || look(&path, vec![path.clone()], &sender));
        std::thread::sleep(LOOK / 2);
        let next = || news.recv_timeout(Duration::from_secs(20)).unwrap();
        std::fs::write(&site, format!("include = [\"broken.toml\", \"missing.toml\"]\n{head}")).unwrap();
        assert!(matches!(next(), Read::Refused(errors) if errors.contains("missing.toml")));
        // Nothing but the included files changes from here on.
        std::fs::write(&missing, "[hosts.b]\naddress = \"10.0.0.2\"\n").unwrap();
        assert!(matches!(next(), Read::Refused(errors) if !errors.contains("missing.toml")));
        std::fs::write(&broken, "[hosts.a]\naddress = \"10.0.0.1\"\n").unwrap();
        assert!(matches!(next(), Read::Sound(profile) if profile.files().len() == 3));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn an_include_that_goes_together_with_its_file_is_noticed() {
        let folder = std::env::temp_dir().join(format!("gridtap-reload-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (site, more) = (folder.join("site.toml"), folder.join("more.toml"));
        let head = "[profile]\nname = \"x\"\nversion = \"1\"\n";
        std::fs::write(&site, format!("include = [\"more.toml\"]\n{head}")).unwrap();
        std::fs::write(&more, "[hosts.a]\naddress = \"10.0.0.1\"\n").unwrap();
        let files = paths(&profiles::load(&site).unwrap());
        assert_eq!(files.len(), 2);
        let (sender, news) = sync_channel(1);
        let path = site.clone();
        std::thread::spawn(move || look(&path, files, &sender));
        std::thread::sleep(LOOK / 2);
        std::fs::write(&site, head).unwrap();
        std::fs::remove_file(&more).unwrap();
        let read = news.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(matches!(read, Read::Sound(profile) if profile.files().len() == 1));
        // A file that stays away is told.
        std::fs::remove_file(&site).unwrap();
        let read = news.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(matches!(read, Read::Refused(_)));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
