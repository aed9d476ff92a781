//! Publishers (GOOSE) that the profile does not name, or has in another way.

use std::fmt::Write as _;

use profiles::write::{key, quoted};
use profiles::{Compiled, Publisher};

use super::Event;
use super::change::{Change, Edit, NewValue};
use super::rule::unused;
use crate::learn::publisher_name;
use crate::report::catalogue::FindingKind as K;

/// The publisher that the finding names.
fn publisher<'p>(event: &Event, profile: &'p Compiled) -> Option<&'p Publisher> {
    profile.profile().publishers.iter().find(|publisher| publisher.name == event.named)
}

pub(super) fn why(event: &Event, profile: &Compiled) -> Vec<String> {
    if event.kind == K::UnprofiledPublisher {
        return vec!["no publisher has this control block".to_owned()];
    }
    match publisher(event, profile) {
        Some(_) => vec![format!("the nearest: {}", event.expected), format!("  fails: {}", event.observed)],
        None => vec!["no publisher comes near".to_owned()],
    }
}

pub(super) fn change(event: &Event, profile: &Compiled) -> Result<Change, String> {
    let mut change = match event.kind {
        K::UnprofiledPublisher => section(event, profile),
        _ => edit(event, profile),
    }?;
    if event.count > 1 {
        change.notes.push(format!(
            "{} messages are folded into this finding; the change allows the one that it tells of",
            event.count
        ));
    }
    Ok(change)
}

/// Text of the wire that a profile can hold: what was no visible character is not told.
fn plain(text: &str) -> Result<&str, String> {
    if text.contains('\u{fffd}') {
        return Err("what was sent holds octets that no profile can name".to_owned());
    }
    Ok(text)
}

/// A section for a publisher that speaks as this one did.
fn section(event: &Event, profile: &Compiled) -> Result<Change, String> {
    let told = event.observed.strip_prefix('\'').and_then(|text| text.rsplit_once("', APPID "));
    let (block, appid) = told.ok_or("the finding names no control block")?;
    let block = plain(block)?;
    let publishers = &profile.profile().publishers;
    let name = unused(&publisher_name(block), |name| {
        publishers.iter().any(|publisher| publisher.name.eq_ignore_ascii_case(name))
    });
    let mut text = format!("\n[publishers.{}]\ncontrol_block = {}\n", key(&name), quoted(block));
    // Writing to a string does not fail.
    let _ = writeln!(text, "appid = {appid}");
    if let Some(source) = &event.macs[1] {
        let _ = writeln!(text, "source = [{}]", quoted(source));
    }
    if let Some(destination) = &event.macs[0] {
        let _ = writeln!(text, "destination = {}", quoted(destination));
    }
    if let Some(vlan) = event.vlan.iter().rev().find(|id| **id != 0) {
        let _ = writeln!(text, "vlan = {vlan}");
    }
    let notes =
        vec!["data set, goID, confRev and members are not judged: add them from its SCL file".to_owned()];
    Ok(Change { append: text, notes, ..Change::default() })
}

/// The value in which it differs, put in the place of the old one; one more source.
fn edit(event: &Event, profile: &Compiled) -> Result<Change, String> {
    fn text(quoted: &str) -> Result<&str, String> {
        plain(quoted.strip_suffix('\'').ok_or("the value is not told")?)
    }
    let publisher = publisher(event, profile).ok_or("the profile has no such publisher any more")?;
    let observed = event.observed.as_str();
    let behind = |word: &str| observed.strip_prefix(word);
    let mut notes = vec!["the old value is told from now on".to_owned()];
    let (key, value) = if let Some(source) = behind("source ") {
        notes = vec!["as long as the other source speaks, too, there are two publishers (GO-01)".to_owned()];
        let sources = publisher.source.iter().map(ToString::to_string);
        ("source", NewValue::Texts(sources.chain([source.to_owned()]).collect()))
    } else if let Some(destination) = behind("destination ") {
        ("destination", NewValue::Text(destination.to_owned()))
    } else if let Some(appid) = behind("APPID ") {
        ("appid", NewValue::Number(appid.to_owned()))
    } else if let Some(vlan) = behind("VLAN ") {
        ("vlan", NewValue::Number(vlan.to_owned()))
    } else if let Some(set) = behind("data set '") {
        ("data_set", NewValue::Text(text(set)?.to_owned()))
    } else if let Some(id) = behind("goID '") {
        ("go_id", NewValue::Text(text(id)?.to_owned()))
    } else if let Some(revision) = behind("confRev ") {
        ("conf_rev", NewValue::Number(revision.to_owned()))
    } else if let Some(entries) = observed.strip_suffix(" members") {
        ("entries", NewValue::Number(entries.to_owned()))
    } else {
        return Err("the finding does not say in what it differs".to_owned());
    };
    let edit = Edit { section: "publishers", name: publisher.name.clone(), key, value };
    Ok(Change { edits: vec![edit], notes, ..Change::default() })
}
