//! Helpers of the tests.
#![allow(clippy::panic)]

use std::path::PathBuf;

/// Says that a test is skipped and why; with `GRIDTAP_NO_SKIP=1` in the environment that is a failure.
pub(crate) fn skip(name: &str, reason: &str) {
    let insist = std::env::var_os("GRIDTAP_NO_SKIP").is_some_and(|value| value == "1");
    assert!(!insist, "{name} would be skipped: {reason}");
    eprintln!("SKIPPED {name}: {reason}");
}

/// The directory of real captures: `GRIDTAP_CORPUS`, by default `../shared/corpus` beside the project.
/// Without it the test `name` is skipped.
pub(crate) fn corpus(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("GRIDTAP_CORPUS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus")),
        PathBuf::from,
    );
    if root.join("MANIFEST.toml").is_file() {
        return Some(root);
    }
    skip(name, &format!("no corpus at {} (set GRIDTAP_CORPUS)", root.display()));
    None
}
