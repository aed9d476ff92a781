//! `gridtap run`: the sensor on live interfaces.

use std::path::Path;

use super::Exit;
use crate::config::Config;

/// Check a configuration and the profile it names.
pub(super) fn check(file: &Path) -> Exit {
    let config = match Config::load(file) {
        Ok(config) => config,
        Err(error) => return Exit::Usage(error.to_string()),
    };
    if let Err(exit) = super::profile::load(config.profile.as_ref().map(|p| p.path.as_path())) {
        return exit;
    }
    println!(
        "{}: sound; listens on {}, events to {}, metrics on http://{}/metrics",
        file.display(),
        config.capture.interfaces.join(", "),
        config.events.path.display(),
        config.serve.listen
    );
    Exit::Done
}

pub(super) fn run(_: &Path) -> Exit {
    Exit::failed("not yet")
}
