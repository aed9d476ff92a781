//! `gridtap profile explain`: findings of an event log, the nearest rule, the change that would allow them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use profiles::Compiled;
use serde_json::Value;

use super::Exit;
use super::exit::{complain, present, say};
use super::replay::same_file;
use crate::explain::{Change, Edit, Event, Explained, apply, explain, holds};

/// Findings explained at a time; each may change the profile.
const MOST_FINDINGS: usize = 200;
/// Octets of a line of an event log; the sensor writes none of a tenth of that.
const LONGEST_LINE: usize = 1 << 20;

/// Arguments of `gridtap profile explain`.
#[derive(clap::Args)]
pub(super) struct ExplainArguments {
    /// Findings: a file with lines of the event log, `-` for standard input, or a uid with --events
    #[arg(value_name = "EVENT")]
    event: String,
    /// The profile that raised them
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    /// The event log in which the uid is looked for
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Write the profile with all changes to this file
    #[arg(long, value_name = "OUT")]
    apply: Option<PathBuf>,
}

pub(super) fn run(arguments: &ExplainArguments) -> Exit {
    match explained(arguments) {
        Ok(()) => Exit::Done,
        Err(exit) => exit,
    }
}

fn explained(arguments: &ExplainArguments) -> Result<(), Exit> {
    let path = arguments.profile.as_path();
    let log = arguments.events.clone().unwrap_or_else(|| PathBuf::from(&arguments.event));
    if arguments.apply.as_ref().is_some_and(|out| same_file(out, &log)) {
        return Err(Exit::Usage(format!(
            "--apply {} would overwrite the event log; write the profile to another file",
            log.display()
        )));
    }
    let load = || profiles::load(path).map_err(|errors| Exit::Usage(errors.to_string()));
    let mut profile = load()?;
    let mut text = read(path)?;
    let events = events(arguments)?;
    let mut changes = 0;
    for (place, event) in events.iter().enumerate() {
        if place > 0 {
            say("")?;
        }
        say(&event.explanation)?;
        let (why, change) = match explain(event, &profile) {
            Explained::Advice(lines) => {
                lines.iter().try_for_each(say)?;
                continue;
            }
            Explained::Policy { why, change } => (why, change),
        };
        why.iter().try_for_each(say)?;
        let change = match change {
            Ok(change) => change,
            Err(reason) => {
                say(format_args!("no change can be proposed: {reason}"))?;
                continue;
            }
        };
        // The next finding is explained by the profile with this change in it.
        match changed(path, &text, &change, &profile)? {
            Changed::Sound(new, compiled) => {
                show(&change)?;
                changes += 1;
                (text, profile) = (new, *compiled);
            }
            Changed::Elsewhere(edit, place) => {
                show(&change)?;
                say(format_args!("note: {} stands in {place}", edit.entry()))?;
                if arguments.apply.is_some() {
                    return Err(Exit::failed(format_args!(
                        "nothing is written: {} stands in {place}, not in {}",
                        edit.entry(),
                        path.display()
                    )));
                }
            }
            Changed::Refused(errors) => {
                complain(errors);
                say("no change can be proposed: the one that was made is refused by the profile language")?;
            }
        }
    }
    match &arguments.apply {
        // A file that says the same would pass for one in which the finding is allowed.
        Some(out) if changes == 0 => Err(Exit::failed(format_args!(
            "nothing is changed, and {} is not written: no change of the profile allows {}; why is said above",
            out.display(),
            if events.len() == 1 { "this finding" } else { "any of these findings" }
        ))),
        Some(out) => {
            write(path, out, &text)?;
            match events.len() - changes {
                0 => Ok(()),
                left => say(format_args!("findings that no change allows: {left} of {}", events.len())),
            }
        }
        None => Ok(()),
    }
}

enum Changed<'c> {
    /// The text with the change, and what it means.
    Sound(String, Box<Compiled>),
    /// The entry of an edit is not in the main file, but there.
    Elsewhere(&'c Edit, String),
    Refused(String),
}

fn changed<'c>(path: &Path, text: &str, change: &'c Change, profile: &Compiled) -> Result<Changed<'c>, Exit> {
    match apply(text, change) {
        Ok(new) => Ok(match profiles::load_changed(path, &new) {
            Ok(compiled) => Changed::Sound(new, Box::new(compiled)),
            Err(errors) => Changed::Refused(errors.to_string()),
        }),
        Err(edit) => {
            for file in profile.files().iter().skip(1) {
                if holds(&read(Path::new(file))?, edit) {
                    return Ok(Changed::Elsewhere(edit, file.clone()));
                }
            }
            Ok(Changed::Elsewhere(edit, "a template, or in a list that is written in one line".to_owned()))
        }
    }
}

fn show(change: &Change) -> Result<(), Exit> {
    change.notes.iter().try_for_each(|note| say(format_args!("note: {note}")))?;
    for edit in &change.edits {
        say(format_args!("change in {}:\n\n{edit}\n", edit.entry()))?;
    }
    if change.append.is_empty() {
        return Ok(());
    }
    say(format_args!("append:\n{}", change.append.trim_end()))
}

fn write(path: &Path, out: &Path, text: &str) -> Result<(), Exit> {
    let folder = |path: &Path| path.parent().map(|folder| folder.components().collect::<PathBuf>());
    let includes = text.parse::<toml_edit::DocumentMut>().is_ok_and(|doc| doc.contains_key("include"));
    if includes && folder(path) != folder(out) {
        return Err(Exit::failed(format_args!(
            "{} includes files by names relative to its folder: write to the same folder",
            path.display()
        )));
    }
    super::written::replace(out, text)
        .map_err(|error| Exit::failed(format_args!("{}: {error}", out.display())))?;
    say(format_args!("written: {}", out.display()))
}

fn read(path: &Path) -> Result<String, Exit> {
    std::fs::read_to_string(path).map_err(|error| Exit::failed(format_args!("{}: {error}", path.display())))
}

/// The findings, each as its last line tells it. A log may be as long as it likes: one line of it is held at a time.
fn events(arguments: &ExplainArguments) -> Result<Vec<Event>, Exit> {
    let open = |path: &Path| -> Result<Box<dyn BufRead>, Exit> {
        match File::open(path) {
            Ok(file) => Ok(Box::new(BufReader::new(file))),
            Err(error) => Err(Exit::failed(format_args!("{}: {error}", path.display()))),
        }
    };
    let (mut log, wanted) = match (&arguments.events, arguments.event.as_str()) {
        (Some(log), uid) => {
            present("--events", log)?;
            (open(log)?, Some(uid))
        }
        (None, "-") => (Box::new(io::stdin().lock()) as Box<dyn BufRead>, None),
        (None, file) => {
            present("EVENT", Path::new(file))?;
            (open(Path::new(file))?, None)
        }
    };
    let mut found: Vec<Event> = Vec::new();
    let mut left_out = 0_u64;
    let (mut whole, mut broken, mut why) = (0_u64, 0_u64, None);
    let mut line = Vec::new();
    while next_line(&mut log, &mut line)? {
        if line.trim_ascii().is_empty() {
            continue;
        }
        // A crash or a full disk leaves half a line behind, and so does the sensor while it writes.
        let parsed: Value = match serde_json::from_slice(&line) {
            Ok(parsed) => parsed,
            Err(error) => {
                broken += 1;
                why = Some(error);
                continue;
            }
        };
        whole += 1;
        let Some(event) = Event::read(&parsed) else { continue };
        if wanted.is_some_and(|uid| uid != event.uid) {
            continue;
        }
        match found.iter().position(|known| known.uid == event.uid) {
            Some(place) => found[place] = event,
            None if found.len() < MOST_FINDINGS => found.push(event),
            None => left_out += 1,
        }
    }
    if let Some(error) = why {
        if whole == 0 {
            return Err(Exit::Usage(format!("this is no event log: {error}")));
        }
        complain(format_args!("lines that are not whole and were left out: {broken}; the last: {error}"));
    }
    if found.is_empty() {
        return Err(Exit::failed("there is no such finding"));
    }
    if left_out > 0 {
        complain(format_args!(
            "the first {MOST_FINDINGS} findings are explained; {left_out} lines are left out"
        ));
    }
    Ok(found)
}

/// Read the next line; false at the end.
fn next_line(log: &mut dyn BufRead, line: &mut Vec<u8>) -> Result<bool, Exit> {
    line.clear();
    log.take(LONGEST_LINE as u64 + 1).read_until(b'\n', line).map_err(Exit::failed)?;
    if line.len() > LONGEST_LINE {
        return Err(Exit::Usage("this is no event log: a line is longer than 1 MiB".to_owned()));
    }
    Ok(!line.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn half_a_line_does_not_hide_the_others_and_the_log_is_not_overwritten() {
        let folder = std::env::temp_dir().join(format!("gridtap-explain-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let log = folder.join("events.jsonl");
        let arguments = |apply| ExplainArguments {
            event: log.display().to_string(),
            profile: folder.join("site.toml"),
            events: None,
            apply,
        };
        std::fs::write(&log, "{\"event\":\"sen\n{\"event\":\"sensor\"}\n{\"ev").unwrap();
        assert!(
            matches!(events(&arguments(None)), Err(Exit::Failed(what)) if what.contains("no such finding"))
        );
        std::fs::write(&log, "no log\n").unwrap();
        assert!(matches!(events(&arguments(None)), Err(Exit::Usage(_))));
        let refused = explained(&arguments(Some(log.clone())));
        assert!(matches!(refused, Err(Exit::Usage(what)) if what.contains("would overwrite the event log")));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn lines_are_read_one_by_one_and_none_without_an_end() {
        let mut line = Vec::new();
        let mut log: &[u8] = b"one\n\nlast";
        let mut lines = Vec::new();
        while next_line(&mut log, &mut line).unwrap() {
            lines.push(line.clone());
        }
        assert_eq!(lines, [&b"one\n"[..], b"\n", b"last"]);
        let mut endless = BufReader::new(io::repeat(b'x'));
        assert!(matches!(next_line(&mut endless, &mut line), Err(Exit::Usage(_))));
        assert!(line.capacity() <= 4 * LONGEST_LINE);
    }
}
