//! The command line as a user meets it: exit statuses, messages, what goes to which output.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use simulators::captures::{blind_spots, encapsulations};
use simulators::wire::{ByteOrder, Line, Resolution, TcpTalk, TimedFrame, pcap};
use support::net::{Folder, json_lines};

/// Octets of a pcap file's header, and of a record's.
const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

/// A generated capture as a pcap file, and its frames.
fn capture(name: &str) -> (Vec<u8>, Vec<TimedFrame>) {
    let scenario = encapsulations().into_iter().chain(blind_spots()).find(|s| s.name == name).unwrap();
    let file = pcap(&scenario.frames, scenario.link_type, ByteOrder::Little, Resolution::Nano, 262_144);
    (file, scenario.frames)
}

fn gridtap(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gridtap")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn gridtap_with(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gridtap"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[track_caller]
fn ends_with(output: &Output, status: i32) -> (String, String) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "stdout:\n{out}\nstderr:\n{err}");
    (out.into_owned(), err.into_owned())
}

#[track_caller]
fn summary(output: &Output) -> Value {
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    for key in ["packets", "pdus", "findings", "coverage"] {
        assert!(value.get(key).is_some(), "no {key} in {value}");
    }
    value
}

#[test]
fn a_missing_file_is_told_with_its_argument() {
    let folder = Folder::new("cli-missing");
    let there = folder.write("there.jsonl", "");
    let (gone, site) = (folder.file("gone.jsonl"), folder.write("site.toml", "[profile]\nname = \"x\"\n"));
    let (there, gone, site) = (text(&there), text(&gone), text(&site));
    for (arguments, argument) in [
        (vec!["score", "--findings", gone, "--labels", there], "--findings"),
        (vec!["score", "--findings", there, "--labels", gone], "--labels"),
        (vec!["score", "--findings", there, "--labels", there, "--capture", gone], "--capture"),
        (vec!["learn", there, "--labels", gone, "-o", "-"], "--labels"),
        (vec!["profile", "explain", gone, "--profile", site], "EVENT"),
        (vec!["profile", "explain", "uid", "--events", gone, "--profile", site], "--events"),
    ] {
        let (_, err) = ends_with(&gridtap(&arguments), 1);
        assert_eq!(err, format!("gridtap: {argument} {gone}: there is no such file; check the path\n"));
    }
    let (_, err) = ends_with(&gridtap(&["score", "--findings", "gone.jsonl", "--labels", there]), 1);
    assert!(err.contains("check the path, which is relative to the folder /"), "{err}");
}

#[test]
fn a_sensor_whose_address_is_taken_leaves_no_file() {
    let folder = Folder::new("cli-taken");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let config = folder.write(
        "gridtap.toml",
        format!("[capture]\ninterfaces = [\"lo\"]\n[events]\npath = \"events.jsonl\"\n[serve]\nlisten = \"{address}\"\n"),
    );
    let (_, err) = ends_with(&gridtap(&["run", "--config", text(&config)]), 1);
    assert!(err.contains(&format!("cannot listen on {address}")) && err.contains("choose another"), "{err}");
    assert!(!folder.file("events.jsonl").exists());
}

#[test]
fn a_replay_ends_with_a_summary_and_status_0() {
    let folder = Folder::new("cli-replay");
    let (file, frames) = capture("plain");
    let path = folder.write("plain.pcap", file);
    let (out, err) = ends_with(&gridtap(&["replay", text(&path)]), 0);
    assert!(out.contains("packets") && out.contains("modbus"), "{out}");
    assert_eq!(err, "", "nothing to complain about");
    let output = gridtap(&["replay", "--json", text(&path)]);
    ends_with(&output, 0);
    let summary = summary(&output);
    assert_eq!(summary["packets"], frames.len());
    assert!(summary["pdus"]["modbus"].as_u64().unwrap() > 0);
    assert_eq!(summary["coverage"]["complete"], true, "{summary}");
}

#[test]
fn standard_input_compressed_files_and_plain_ones_give_the_same() {
    let folder = Folder::new("cli-inputs");
    let (file, _) = capture("plain");
    let path = folder.write("plain.pcap", &file);
    let plain = gridtap(&["replay", "--json", text(&path)]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&file).unwrap();
    let gzip = gzip.finish().unwrap();
    let zipped = folder.write("plain.pcap.gz", &gzip);
    let zstd = folder.write("plain.pcap.zst", zstd::encode_all(&file[..], 3).unwrap());
    let others = [
        gridtap(&["replay", "--json", text(&zipped)]),
        gridtap(&["replay", "--json", text(&zstd)]),
        gridtap_with(&["replay", "--json", "-"], &file),
        gridtap_with(&["replay", "--json", "-"], &gzip),
    ];
    let expected = summary(&plain);
    assert!(expected["packets"].as_u64().unwrap() > 0);
    for other in &others {
        ends_with(other, 0);
        let found = summary(other);
        for key in ["packets", "pdus", "findings", "operations"] {
            assert_eq!(found[key], expected[key], "{key}");
        }
    }
}

#[test]
fn several_files_are_merged_by_time() {
    let folder = Folder::new("cli-merged");
    let (whole, frames) = capture("plain");
    // Every second frame in a file of its own: only in the order of time does the conversation make sense.
    let part = |odd: usize| {
        let part: Vec<_> = frames.iter().skip(odd).step_by(2).cloned().collect();
        pcap(&part, 1, ByteOrder::Little, Resolution::Nano, 262_144)
    };
    let (whole, even, odd) = (
        folder.write("whole.pcap", whole),
        folder.write("even.pcap", part(0)),
        folder.write("odd.pcap", part(1)),
    );
    let one = gridtap(&["replay", "--json", text(&whole)]);
    let two = gridtap(&["replay", "--json", text(&odd), text(&even)]);
    ends_with(&two, 0);
    let (one, two) = (summary(&one), summary(&two));
    for key in ["packets", "pdus", "findings", "operations"] {
        assert_eq!(one[key], two[key], "{key}");
    }
    assert_eq!(two["coverage"]["complete"], true, "{two}");
}

#[test]
fn what_cannot_be_done_is_status_1_with_the_name_of_the_file() {
    let folder = Folder::new("cli-failed");
    let missing = folder.file("missing.pcap");
    let (out, err) = ends_with(&gridtap(&["replay", text(&missing)]), 1);
    assert!(out.is_empty() && err.contains("missing.pcap") && err.contains("No such file"), "{err}");
    assert!(err.contains("check the path of the capture"), "{err}");
    let other = folder.write("letter.txt", "Dear reader, this is no capture.");
    for command in [&["replay"][..], &["dissect", "--json"]] {
        let (_, err) = ends_with(&gridtap(&[command, &[text(&other)]].concat()), 1);
        assert!(err.contains("letter.txt") && err.contains("expected a pcap or pcapng file"), "{err}");
    }
    let empty = folder.write("empty.pcap", "");
    let (_, err) = ends_with(&gridtap(&["replay", text(&empty)]), 1);
    assert!(err.contains("is empty"), "{err}");
    let (file, _) = capture("plain");
    let path = folder.write("plain.pcap", file);
    let nowhere = folder.file("no/such/folder/events.jsonl");
    let (_, err) = ends_with(&gridtap(&["replay", text(&path), "--events", text(&nowhere)]), 1);
    assert!(err.contains("events.jsonl") && err.contains("cannot be written"), "{err}");
}

#[test]
fn wrong_usage_is_status_2_and_says_what_is_right() {
    let folder = Folder::new("cli-usage");
    let (file, _) = capture("plain");
    let path = folder.write("plain.pcap", file);
    let (out, err) = ends_with(&gridtap(&["replay", text(&path), "--events", "-", "--json"]), 2);
    assert!(out.is_empty() && err.contains("give --events a file"), "{err}");
    let (_, err) = ends_with(&gridtap(&["replay", text(&path), "--jason"]), 2);
    assert!(err.contains("--jason") && err.contains("--json"), "{err}");
    let (_, err) = ends_with(&gridtap(&["replay"]), 2);
    assert!(err.contains("<FILE>"), "{err}");
    let (_, err) = ends_with(&gridtap(&["listen"]), 2);
    assert!(err.contains("listen") && err.contains("--help"), "{err}");
}

#[test]
fn a_bad_profile_is_status_2_with_line_and_column() {
    let folder = Folder::new("cli-profile");
    let (file, _) = capture("plain");
    let path = folder.write("plain.pcap", file);
    let good = "[profile]\nname = \"Site\"\n\n[hosts.a]\naddress = \"10.0.0.1\"\n";
    let sound = folder.write("sound.toml", good);
    let (out, _) = ends_with(&gridtap(&["profile", "check", text(&sound)]), 0);
    assert!(out.contains("sound.toml") && out.contains("1 host"), "{out}");
    let bad = folder.write("bad.toml", format!("{good}adress = \"10.0.0.2\"\n"));
    for arguments in
        [&["profile", "check", text(&bad)][..], &["replay", text(&path), "--profile", text(&bad)]]
    {
        let (out, err) = ends_with(&gridtap(arguments), 2);
        assert!(out.is_empty(), "{out}");
        assert!(err.contains("bad.toml:6:1") && err.contains("adress"), "{err}");
    }
    let (_, err) = ends_with(&gridtap(&["profile", "check", text(&folder.file("none.toml"))]), 2);
    assert!(err.contains("none.toml"), "{err}");
}

#[test]
fn a_bad_configuration_is_status_2_with_line_and_column() {
    let folder = Folder::new("cli-config");
    let check = |content: &str| {
        let path = folder.write("gridtap.toml", content);
        gridtap(&["config", "check", text(&path)])
    };
    let (out, _) = ends_with(&check("[capture]\ninterfaces = [\"eth1\"]\n"), 0);
    assert!(out.contains("eth1") && out.contains("127.0.0.1:9817"), "{out}");
    let (_, err) = ends_with(&check("[capture]\ninterfaces = [\"eth1\"]\nring_mb = 4\n"), 2);
    assert!(err.contains("gridtap.toml:3:1"), "{err}");
    assert!(err.contains("ring_mb") && err.contains("ring_mib"), "{err}");
    let (_, err) = ends_with(&check("[capture]\ninterfaces = [\"eth1\"]\nring_mib = 0\n"), 2);
    assert!(err.contains("gridtap.toml:3:12") && err.contains("from 1 to 1024"), "{err}");
    let (_, err) = ends_with(&check("[capture]\ninterfaces = [\"a\", \"a\"]\n"), 2);
    assert!(err.contains("gridtap.toml:2:20") && err.contains("`a` is named twice"), "{err}");
    let (_, err) = ends_with(&check("[capture]\ninterfaces = []\n"), 2);
    assert!(err.contains("names 0 interfaces"), "{err}");
    let (_, err) = ends_with(&check("profile.path = \"none.toml\"\ncapture.interfaces = [\"a\"]\n"), 2);
    assert!(err.contains("none.toml"), "{err}");
    let path = folder.write("gridtap.toml", "[capture]\ninterfaces = [\"eth1\"]\nring_mb = 4\n");
    let (_, err) = ends_with(&gridtap(&["run", "--config", text(&path)]), 2);
    assert!(err.contains("gridtap.toml:3:1"), "{err}");
}

#[test]
fn events_are_never_written_over_an_input() {
    let folder = Folder::new("cli-overwrite");
    let (file, _) = capture("plain");
    let path = folder.write("plain.pcap", &file);
    let link = folder.file("link.jsonl");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for events in [&path, &link] {
        let (_, err) = ends_with(&gridtap(&["replay", text(&path), "--events", text(events)]), 2);
        assert!(err.contains("would overwrite the input"), "{err}");
        assert_eq!(std::fs::read(&path).unwrap(), file);
    }
    ends_with(&gridtap(&["replay", text(&path), "--events", text(&folder.file("events.jsonl"))]), 0);
}

#[test]
fn the_sensor_does_not_write_events_over_its_own_configuration_or_profile() {
    let folder = Folder::new("events-over-configuration");
    folder.write("site.toml", b"[profile]\nname = \"site\"\n");
    std::fs::create_dir_all(folder.file("other")).unwrap();
    for events in ["gridtap.toml", "./site.toml", "other/../site.toml"] {
        let content = format!(
            "[capture]\ninterfaces = [\"lo\"]\n[profile]\npath = \"site.toml\"\n[events]\npath = \"{events}\"\n"
        );
        let config = folder.write("gridtap.toml", &content);
        for command in [&["config", "check"][..], &["run", "--config"]] {
            let (_, err) = ends_with(&gridtap(&[command, &[text(&config)]].concat()), 2);
            assert!(err.contains("the events would go into"), "{err}");
        }
        assert_eq!(std::fs::read_to_string(&config).unwrap(), content);
    }
}

#[test]
fn every_interface_that_cannot_be_watched_is_named_and_the_status_is_1() {
    let folder = Folder::new("cli-interfaces");
    let config = "capture.interfaces = [\"nosuch0\", \"nosuch1\"]\nserve.listen = \"127.0.0.1:0\"\n";
    let path = folder.write("gridtap.toml", config);
    let (_, err) = ends_with(&gridtap(&["run", "--config", text(&path)]), 1);
    // Without the privilege to capture, that is what is said of both.
    assert!(err.contains("interface nosuch0: ") && err.contains("interface nosuch1: "), "{err}");
    assert!(err.contains("there are: ") || err.contains("setcap cap_net_raw+ep"), "{err}");
    assert!(!folder.file("events.jsonl").exists(), "no event log for a sensor that never ran");
}

#[test]
fn a_truncated_capture_is_read_up_to_the_offset_that_is_named_with_status_3() {
    let folder = Folder::new("cli-truncated");
    let (file, frames) = capture("plain");
    // Into the last record's frame.
    let path = folder.write("short.pcap", &file[..file.len() - 5]);
    let last = file.len() - frames.last().unwrap().bytes.len() - RECORD_HEADER;
    let output = gridtap(&["replay", "--json", text(&path)]);
    let (_, err) = ends_with(&output, 3);
    assert!(err.contains("short.pcap") && err.contains(&format!("offset {last}")), "{err}");
    assert_eq!(summary(&output)["packets"], frames.len() - 1);
    let (out, err) = ends_with(&gridtap(&["dissect", "--json", text(&path)]), 3);
    assert!(out.lines().count() > 0 && err.contains(&format!("offset {last}")), "{err}");
    let (out, err) = ends_with(&gridtap(&["bench", text(&path)]), 3);
    assert!(out.contains("ns a packet") && err.contains(&format!("offset {last}")), "{err}");
    let events = folder.file("events.jsonl");
    ends_with(&gridtap(&["replay", text(&path), "--events", text(&events)]), 3);
    let damaged: Vec<_> =
        json_lines(&events).into_iter().filter(|line| line["what"] == "capture_damaged").collect();
    assert_eq!(damaged.len(), 1, "the log says it too");
    assert_eq!(damaged[0]["figures"]["offset_octets"], last);
}

#[test]
fn field_sizes_of_101_can_be_given_to_a_dissection_and_to_learning() {
    let folder = Folder::new("cli-sizes");
    // One command of 101, again and again: no two ASDUs that differ, from which the sizes could be found out.
    let command = [0x68, 11, 0, 0, 0, 0, 0x2D, 1, 6, 10, 0x94, 0x11, 1];
    let ends = ["10.0.0.1:40000", "10.0.0.2:2404"].map(|end| end.parse().unwrap());
    let lines = (0..4).map(|n| {
        let mut octets = command.to_vec();
        octets[2] = n * 2;
        Line::client(octets)
    });
    let frames = TcpTalk::new(ends[0], ends[1], lines.collect()).frames();
    let file = pcap(&frames, 1, ByteOrder::Little, Resolution::Nano, 262_144);
    let path = folder.write("sizes.pcap", file);
    let (out, _) = ends_with(&gridtap(&["dissect", "--json", text(&path)]), 0);
    assert!(out.contains("\"common_address\":4500"), "{out}");
    let sizes = ["dissect", "--json", "--iec104-sizes", "1,1,2", text(&path)];
    let (out, _) = ends_with(&gridtap(&sizes), 0);
    assert_eq!(out.matches("\"common_address\":10,\"ioas\":[4500]").count(), 4, "{out}");
    // The same for learning, which writes them for the station: here every command is confirmed.
    let said = (0..8).map(|n: u8| {
        let mut octets = command.to_vec();
        (octets[2], octets[4]) = (n / 2 * 2, n.div_ceil(2) * 2);
        if n.is_multiple_of(2) {
            return Line::client(octets);
        }
        (octets[2], octets[4], octets[8]) = (n / 2 * 2, n.div_ceil(2) * 2, 7);
        Line::server(octets)
    });
    let frames = TcpTalk::new(ends[0], ends[1], said.collect()).frames();
    let path = folder.write("answered.pcap", pcap(&frames, 1, ByteOrder::Little, Resolution::Nano, 262_144));
    let (profile, _) = ends_with(&gridtap(&["learn", text(&path), "-o", "-", "--iec104-sizes", "1,1,2"]), 0);
    assert!(profile.contains("field_sizes = [1, 1, 2]") && profile.contains("4500"), "{profile}");
    let (_, err) = ends_with(&gridtap(&["learn", text(&path), "-o", "-"]), 4);
    assert!(err.contains("Nothing was learned"), "{err}");
    for wrong in ["1,1", "0,1,2", "1,1,4", "a,1,2", ""] {
        let (_, err) = ends_with(&gridtap(&["dissect", "--json", "--iec104-sizes", wrong, text(&path)]), 2);
        assert!(err.contains("three numbers"), "{wrong}: {err}");
    }
}

#[test]
fn standard_input_is_not_compared_with_itself() {
    let folder = Folder::new("cli-against");
    let profile = text(&folder.write("site.toml", b"[profile]\nname = \"x\"\n")).to_owned();
    let (_, err) = ends_with(&gridtap(&["profile", "test", &profile, "-", "--against", &profile]), 2);
    assert!(err.contains("save it as a file"), "{err}");
}

/// What a change of a profile does to the findings of a capture, for who reviews it and for continuous integration.
#[test]
fn the_findings_of_a_profile_and_of_its_change_are_told_with_a_status() {
    let folder = Folder::new("cli-time-travel");
    let adu = |pdu: &[u8]| [&[0, 1, 0, 0, 0, pdu.len() as u8 + 1, 5][..], pdu].concat();
    let write: [u8; 5] = [6, 0, 20, 0, 7];
    let talk = TcpTalk::new(
        "10.10.0.1:40000".parse().unwrap(),
        "10.10.0.20:502".parse().unwrap(),
        vec![
            Line::client(adu(&[3, 0, 0, 0, 1])),
            Line::server(adu(&[3, 2, 0, 7])),
            Line::client(adu(&write)),
            Line::server(adu(&write)),
        ],
    );
    let file = pcap(&talk.frames(), 1, ByteOrder::Little, Resolution::Nano, 262_144);
    let path = folder.write("talk.pcap", file);
    let profile = |name: &str, allow: &str| {
        let text = format!(
            "[profile]\nname = \"site\"\n[hosts.scada]\naddress = \"10.10.0.1\"\n[stations.pump]\nprotocol = \"modbus\"\n\
             host = \"10.10.0.20\"\nunit_id = 5\n[[rules]]\nname = \"scada\"\nfrom = \"scada\"\nto = \"pump\"\nallow = {allow}\n"
        );
        folder.write(name, text)
    };
    let (old, new) = (profile("old.toml", "[\"read\", \"write\"]"), profile("new.toml", "[\"read\"]"));
    let test = |arguments: &[&str]| gridtap(&[&["profile", "test"], arguments].concat());
    let (old, new, path) = (text(&old), text(&new), text(&path));
    assert_eq!(ends_with(&test(&[old, path]), 0), (String::new(), String::new()));
    let told = "critical  POL-01  Control that the profile does not allow: scada (10.10.0.1) sent write single register \
                (function 6) to pump (unit 5 at 10.10.0.20) for holding register 20; expected what rule 'scada' allows \
                (read), observed write single register (function 6) of holding_register 20.\n";
    let (out, err) = ends_with(&test(&[new, path]), 1);
    assert_eq!((out.as_str(), err.contains("1 finding of medium severity or higher")), (told, true), "{err}");
    let (out, err) = ends_with(&test(&[new, path, "--against", old]), 1);
    assert_eq!(out, format!("+ {told}0 findings are the same\n"));
    assert!(err.contains("1 finding added of medium severity or higher"), "{err}");
    let (out, _) = ends_with(&test(&[old, path, "--against", new]), 0);
    assert_eq!(out, format!("- {told}0 findings are the same\n"));
    let (out, _) = ends_with(&test(&[new, path, "--against", new]), 0);
    assert_eq!(out, "1 finding is the same\n");
    // The same in operations.
    let diff = gridtap(&["profile", "diff", old, new]);
    let out = String::from_utf8(diff.stdout).unwrap();
    assert!(out.lines().any(|line| line.starts_with("- ") && line.contains("write")), "{out}");
    assert!(out.lines().all(|line| !line.starts_with("+ ")), "{out}");
}

#[test]
fn damage_in_the_file_header_and_in_compression_is_status_3() {
    let folder = Folder::new("cli-header");
    let (file, _) = capture("plain");
    let header = folder.write("header.pcap", &file[..FILE_HEADER - 4]);
    let output = gridtap(&["replay", "--json", text(&header)]);
    let (_, err) = ends_with(&output, 3);
    assert!(err.contains("header.pcap") && err.contains("offset 0"), "{err}");
    assert_eq!(summary(&output)["packets"], 0);
    let (_, err) = ends_with(&gridtap(&["dissect", "--json", text(&header)]), 3);
    assert!(err.contains("offset 0"), "{err}");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    gzip.write_all(&file).unwrap();
    let gzip = gzip.finish().unwrap();
    let path = folder.write("short.pcap.gz", &gzip[..gzip.len() / 2]);
    let output = gridtap(&["replay", "--json", text(&path)]);
    let (_, err) = ends_with(&output, 3);
    assert!(err.contains("short.pcap.gz"), "{err}");
    assert!(summary(&output)["packets"].as_u64().unwrap() > 0);
    // Another file that is sound is read to its end.
    let sound = folder.write("sound.pcap", &file);
    let output = gridtap(&["replay", "--json", text(&header), text(&sound)]);
    ends_with(&output, 3);
    assert!(summary(&output)["pdus"]["modbus"].as_u64().unwrap() > 0);
}

#[test]
fn event_lines_are_json_with_time_and_event() {
    let folder = Folder::new("cli-events");
    let (file, _) = capture("plain");
    let path = folder.write("plain.pcap", file);
    let profile = folder.write("nothing.toml", "[profile]\nname = \"Nothing is allowed\"\n");
    let events = folder.file("events.jsonl");
    let arguments = ["replay", text(&path), "--profile", text(&profile), "--operations", "all"];
    ends_with(&gridtap(&[&arguments[..], &["--events", text(&events)]].concat()), 0);
    let lines = json_lines(&events);
    for kind in ["finding", "operation", "station"] {
        assert!(lines.iter().any(|line| line["event"] == kind), "no {kind}");
    }
    for line in &lines {
        let time: jiff::Timestamp = line["time"].as_str().unwrap().parse().unwrap();
        assert!(time.as_nanosecond() >= i128::from(simulators::wire::START_NS), "{line}");
        assert!(line["time"].as_str().unwrap().ends_with('Z'), "{line}");
        assert!(line["event"].is_string(), "{line}");
    }
    let finding = lines.iter().find(|line| line["event"] == "finding").unwrap();
    assert_eq!(finding["profile"]["name"], "Nothing is allowed");
    // On standard output the same lines, and the summary goes to standard error.
    let (out, err) = ends_with(&gridtap(&[&arguments[..], &["--events", "-"]].concat()), 0);
    assert_eq!(out, std::fs::read_to_string(&events).unwrap());
    assert!(err.contains("packets"), "{err}");
}

#[test]
fn a_reader_that_has_had_enough_is_no_error() {
    let folder = Folder::new("cli-pipe");
    // Long enough that no pipe holds it all: the same conversation many times, later each time.
    let (_, frames) = capture("plain");
    let many: Vec<_> = (0..2000_u64)
        .flat_map(|round| {
            frames
                .iter()
                .map(move |f| TimedFrame { at_ns: f.at_ns + round * 1_000_000_000, bytes: f.bytes.clone() })
        })
        .collect();
    let path = folder.write("long.pcap", pcap(&many, 1, ByteOrder::Little, Resolution::Nano, 262_144));
    for arguments in [
        &["dissect", "--json", text(&path)][..],
        &["replay", text(&path), "--operations", "all", "--events", "-"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gridtap"));
        let mut child =
            command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::with_capacity(512, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with('{'));
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{err}");
        assert_eq!(err, "", "quiet");
    }
    // A summary that nobody reads.
    let mut command = Command::new(env!("CARGO_BIN_EXE_gridtap"));
    let mut child =
        command.args(["replay", text(&path)]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let (_, err) = ends_with(&output, 0);
    assert_eq!(err, "", "quiet");
}

#[test]
fn help_tells_a_newcomer_what_there_is() {
    let (out, _) = ends_with(&gridtap(&["--help"]), 0);
    for word in
        ["replay", "run", "dissect", "profile", "config", "Exit status", "3  ", "Examples", "never sends"]
    {
        assert!(out.contains(word), "no {word} in\n{out}");
    }
    for (command, words) in [
        (&["replay"][..], &["--profile", "--events", "--json", "--operations", "standard input"][..]),
        (&["run"], &["--config"]),
        (&["dissect"], &["--protocol", "--json"]),
        (&["profile", "check"], &["<FILE>"]),
        (&["config", "check"], &["<FILE>"]),
    ] {
        let (out, _) = ends_with(&gridtap(&[command, &["--help"]].concat()), 0);
        for word in words {
            assert!(out.contains(word), "{command:?}: no {word} in\n{out}");
        }
        assert!(out.lines().all(|line| line.len() <= 112), "{command:?}: lines too long");
    }
    let (out, _) = ends_with(&gridtap(&["--version"]), 0);
    assert_eq!(out.trim(), format!("gridtap {}", env!("CARGO_PKG_VERSION")));
}

/// The blocks of TOML on a page, in their order.
fn toml_blocks(page: &str) -> Vec<&str> {
    page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// The file that a block says it is, in a comment at its beginning.
fn file_of(block: &str) -> Option<&str> {
    block
        .strip_prefix("# ")?
        .lines()
        .next()
        .filter(|name| Path::new(name).extension().is_some_and(|end| end == "toml"))
}

#[test]
fn every_profile_of_the_documentation_is_sound_and_without_a_warning() {
    let folder = Folder::new("cli-profile-page");
    let blocks = toml_blocks(include_str!("../docs/profiles.md"));
    let (mains, parts): (Vec<&str>, Vec<&str>) =
        blocks.iter().copied().partition(|block| block.contains("[profile]"));
    for part in &parts {
        let name = file_of(part).unwrap_or_else(|| panic!("neither a profile nor a file of one:\n{part}"));
        let path = folder.file(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, part).unwrap();
    }
    assert!(mains.len() >= 8 && parts.len() >= 3, "{} and {}", mains.len(), parts.len());
    let mut loaded = 0;
    for (place, main) in mains.iter().enumerate() {
        let path = folder.file(file_of(main).unwrap_or(&format!("block-{place}.toml")));
        std::fs::write(&path, main).unwrap();
        let (said, troubles) = ends_with(&gridtap(&["profile", "check", text(&path)]), 0);
        assert!(said.contains(" is sound: "), "{said}");
        assert_eq!(troubles, "", "{main}");
        loaded += profiles::load(&path).unwrap().files().len();
    }
    assert_eq!(loaded, blocks.len(), "every file is included by a profile");
    for section in [
        "[schedules.",
        "[[maintenance]]",
        "[[deny]]",
        "except = ",
        "[thresholds]",
        "[redundancy.",
        "quirks = ",
        "[templates.",
        "include = ",
        "role = ",
        "[maps.",
    ] {
        assert!(mains.iter().any(|main| main.contains(section)), "no example of {section}");
    }
}

#[test]
fn a_quirk_that_means_nothing_is_warned_of_at_its_place() {
    let folder = Folder::new("cli-quirk");
    let path = folder.file("site.toml");
    let profile = "[profile]\nname = \"x\"\n[hosts.h]\naddress = \"10.0.0.1\"\n[stations.S]\nprotocol = \"modbus\"\n\
                   host = \"h\"\nunit_id = 1\nquirks = [\"CNF-06\", \"MB-C03\", \"unanswered_requests\"]\n\
                   [stations.T]\nprotocol = \"modbus\"\nhost = \"h\"\nunit_id = 2\nquirks = \"unanswered_requests\"\n";
    std::fs::write(&path, profile).unwrap();
    let (_, troubles) = ends_with(&gridtap(&["profile", "check", text(&path)]), 0);
    let path = text(&path);
    assert_eq!(
        troubles,
        format!(
            "warning: the quirk `unanswered_requests` is no id and no kind of finding\n  --> {path}:9:31\n   |\n \
             9 | quirks = [\"CNF-06\", \"MB-C03\", \"unanswered_requests\"]\n   |                               \
             ^^^^^^^^^^^^^^^^^^^^^ did you mean `unanswered_request`?\n   = note: 1 more of this word\n\n"
        )
    );
}

/// Whoever writes a file, or speaks on the wire, must not write on the terminal of who reads of it.
#[test]
fn nothing_of_a_file_or_of_the_wire_reaches_the_terminal_as_it_is() {
    let folder = Folder::new("cli-terminal");
    let write = |name: &str, text: &str| {
        let path = folder.file(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let escape = "\\u001b]0;owned\\u0007\\u009b2J\\u202e";
    let site = |comment: &str, unit: u8| {
        format!(
            "[profile]\nname = \"x\"\n[hosts.h]\naddress = \"10.0.0.1\"\n[stations.S]\nprotocol = \"modbus\"\nhost = \
             \"h\"\nunit_id = {unit}\n[stations.S.points.p]\npoint = \"holding_register 1\"\nunit = \"{comment}\"\n\
             [[maintenance]]\nname = \"m\"\nreference = \"{comment}\"\nfrom = \"any\"\nto = \"any\"\nallow = \
             \"read\"\nstart = 2026-01-01\nend = 2026-01-02\n"
        )
    };
    let (old, new) = (write("old.toml", &site("", 1)), write("new.toml", &site(escape, 2)));
    let bad = write(
        "bad.toml",
        &format!("[profile]\nname = \"{escape}\"\n[hosts.\"{escape}\"]\naddress = \"{escape}\"\n"),
    );
    let event = format!(
        "{{\"event\":\"finding\",\"time\":\"2026-01-01T00:00:00Z\",\"first\":\"2026-01-01T00:00:00Z\",\"last\":\"2026-01-01T00:00:00Z\",\"uid\":\"1\",\"id\":\"VAL-01\",\"kind\":\
         \"value_limit\",\"severity\":\"high\",\"client\":\"10.0.0.9:1\",\"server\":\"10.0.0.1:502\",\"points\":[],\"explanation\":\
         \"{escape}\"}}\n"
    );
    let events = write("events.jsonl", &event);
    let label = format!(
        "{{\"from\":\"2026-01-01T00:00:00Z\",\"to\":\"2026-01-01T00:01:00Z\",\"technique\":\"{escape}\",\
         \"actor_ip\":\"10.0.0.9\",\"target_ip\":\"10.0.0.1\"}}\n"
    );
    let labels = write("labels.jsonl", &label);
    let junk = write("junk\u{1b}[2J.pcap", "no capture");
    // With what of it is shown.
    let commands: [(&[&str], &str); 8] = [
        (&["profile", "check", &new], "sound"),
        (&["profile", "check", &bad], "owned"),
        (&["profile", "diff", &old, &new], "owned"),
        (&["profile", "explain", &events, "--profile", &new], "owned"),
        (&["profile", "test", &new, &junk], "[2J"),
        (&["score", "--findings", &events, "--labels", &labels], "owned"),
        (&["learn", &junk, "-o", "-"], "[2J"),
        (&["replay", &junk, "--profile", &new], "[2J"),
    ];
    for (command, shows) in commands {
        let output = gridtap(command);
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        assert!(said.contains(shows), "{command:?}: {said:?}");
        let deceives = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!said.chars().any(deceives), "{command:?}: {said:?}");
    }
}
