//! tshark as a second reader. Tests that need it call [`run`] and say so when it is missing.

use std::path::PathBuf;
use std::process::Command;

use crate::wire::{ByteOrder, Resolution, TimedFrame, pcap};

/// A field's values in one frame; a frame may hold several.
pub type Row = Vec<Vec<String>>;

/// Octets as a text of two hexadecimal digits each.
pub fn hex(bytes: &[u8]) -> String {
    use core::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What tshark reads in each frame, field by field; `None` when tshark is not installed. With
/// `GRIDTAP_NO_SKIP=1` in the environment a missing tshark is a failure instead.
///
/// `options` are further `-o` and `-d` arguments. Each value is as tshark prints it.
pub fn run(
    name: &str,
    frames: &[TimedFrame],
    link_type: u32,
    options: &[&str],
    fields: &[&str],
) -> Option<Vec<Row>> {
    if !installed() {
        assert!(
            std::env::var_os("GRIDTAP_NO_SKIP").is_none_or(|v| v != "1"),
            "{name}: tshark is not installed, and GRIDTAP_NO_SKIP=1 forbids to skip"
        );
        println!("SKIPPED {name}: tshark is not installed");
        return None;
    }
    let file = Scratch::new(name);
    let capture = pcap(frames, link_type, ByteOrder::Little, Resolution::Nano, 262_144);
    std::fs::write(&file.0, capture).expect("the capture can be written");
    let mut command = Command::new("tshark");
    command.args(["-n", "-r"]).arg(&file.0).args(options);
    command.args(["-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=;"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.output().expect("tshark can be started");
    let trouble = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: tshark failed: {trouble}");
    let text = String::from_utf8_lossy(&output.stdout);
    let split = |cell: &str| match cell {
        "" => Vec::new(),
        cell => cell.split(';').map(str::to_owned).collect(),
    };
    Some(text.lines().map(|line| line.split('\t').map(split).collect()).collect())
}

fn installed() -> bool {
    Command::new("tshark").arg("--version").output().is_ok_and(|o| o.status.success())
}

/// A file that goes away with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        Scratch(std::env::temp_dir().join(format!("gridtap-{}-{plain}.pcap", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
