//! Checks of publishers.

use std::collections::HashMap;

use parsers::MacAddr;

use super::hosts::{mac, vlan};
use crate::file::{At, File, Number, PublisherEntry};
use crate::profile::Publisher;
use diagnostics::Reporter;

/// All publishers that are right.
pub(super) fn publishers(file: &File, reporter: &mut Reporter<'_>) -> Vec<Publisher> {
    let mut seen: HashMap<(&str, Vec<MacAddr>), &At<String>> = HashMap::new();
    let mut checked = Vec::with_capacity(file.publishers.len());
    for entry in &file.publishers {
        let Some(publisher) = publisher(entry, reporter) else { continue };
        let block = entry.control_block.as_ref().map_or("", |block| block.value.as_str());
        if let Some(first) = seen.get(&(block, publisher.source.clone())) {
            reporter
                .error_with(
                    &entry.name.span,
                    format!(
                        "the publishers `{}` and `{}` have the same control block and source",
                        first.value, entry.name.value
                    ),
                    &first.span,
                    "the first one",
                )
                .label("one of them must differ, by `source`");
        }
        seen.insert((block, publisher.source.clone()), &entry.name);
        checked.push(publisher);
    }
    checked
}

fn publisher(entry: &PublisherEntry, reporter: &mut Reporter<'_>) -> Option<Publisher> {
    let block = entry.control_block.as_ref()?;
    if block.value.is_empty() || block.value.len() > 129 {
        reporter
            .error(&block.span, "a reference of a control block has 1 to 129 characters")
            .label("write it as in \"BAY1/LLN0$GO$gcb1\"");
        return None;
    }
    let whole = |number: &Option<At<Number>>, most: i64, what: &str, reporter: &mut Reporter<'_>| {
        let At { value: Number::Is(value), span } = number.as_ref()? else { return None };
        if !(0..=most).contains(value) {
            reporter.error(span, format!("{what} is a number from 0 to {most}"));
        }
        u32::try_from(*value).ok()
    };
    let application = whole(&entry.appid, 0xFFFF, "an APPID", reporter);
    let vlan = entry.vlan.as_ref().and_then(|number| match number {
        At { value: Number::Is(value), span } => vlan(&At { value: *value, span: span.clone() }, reporter),
        At { .. } => None,
    });
    Some(Publisher {
        name: entry.name.value.clone(),
        control_block: block.value.clone(),
        application: application.and_then(|a| u16::try_from(a).ok()),
        source: entry.source.iter().filter_map(|text| mac(text, reporter)).collect(),
        destination: entry.destination.as_ref().and_then(|text| mac(text, reporter)),
        vlan,
        data_set: entry.data_set.as_ref().map(|text| text.value.clone()),
        identifier: entry.go_id.as_ref().map(|text| text.value.clone()),
        revision: whole(&entry.conf_rev, u32::MAX.into(), "a configuration revision", reporter),
        entries: whole(&entry.entries, 65_535, "a number of members", reporter),
        subscribers: entry.subscribers.iter().map(|text| text.value.clone()).collect(),
        simulation: entry.simulation.as_ref().is_some_and(|flag| flag.value),
        comment: entry.comment.clone(),
    })
}
