//! `gridtap profile explain`: findings of an event log, the nearest rule, the change that would allow them.

use std::io::Read;
use std::path::{Path, PathBuf};

use profiles::Compiled;
use serde_json::Value;

use super::Exit;
use super::exit::{complain, say};
use crate::explain::{Change, Edit, Event, Explained, apply, explain, holds};

/// Findings explained at a time; each may change the profile.
const MOST_FINDINGS: usize = 200;

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
    let load = || profiles::load(path).map_err(|errors| Exit::Usage(errors.to_string()));
    let mut profile = load()?;
    let mut text = read(path)?;
    let events = events(arguments)?;
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
                (text, profile) = (new, *compiled);
            }
            Changed::Elsewhere(edit, place) => {
                show(&change)?;
                say(format_args!("note: [[{}]] '{}' stands in {place}", edit.section, edit.name))?;
                if arguments.apply.is_some() {
                    return Err(Exit::failed(format_args!(
                        "nothing is written: [[{}]] '{}' stands in {place}, not in {}",
                        edit.section,
                        edit.name,
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
        Some(out) => write(path, out, &text),
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
        say(format_args!("change in [[{}]] with name = \"{}\":\n\n{edit}\n", edit.section, edit.name))?;
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
    std::fs::write(out, text).map_err(|error| Exit::failed(format_args!("{}: {error}", out.display())))?;
    say(format_args!("written: {}", out.display()))
}

fn read(path: &Path) -> Result<String, Exit> {
    std::fs::read_to_string(path).map_err(|error| Exit::failed(format_args!("{}: {error}", path.display())))
}

/// The findings, each as its last line tells it.
fn events(arguments: &ExplainArguments) -> Result<Vec<Event>, Exit> {
    let (text, wanted) = match (&arguments.events, arguments.event.as_str()) {
        (Some(log), uid) => (read(log)?, Some(uid)),
        (None, "-") => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(Exit::failed)?;
            (text, None)
        }
        (None, file) => (read(Path::new(file))?, None),
    };
    let mut found: Vec<Event> = Vec::new();
    let mut left_out = 0;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let line: Value = serde_json::from_str(line)
            .map_err(|error| Exit::Usage(format!("this is no line of an event log: {error}")))?;
        let Some(event) = Event::read(&line) else { continue };
        if wanted.is_some_and(|uid| uid != event.uid) {
            continue;
        }
        match found.iter().position(|known| known.uid == event.uid) {
            Some(place) => found[place] = event,
            None if found.len() < MOST_FINDINGS => found.push(event),
            None => left_out += 1,
        }
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
