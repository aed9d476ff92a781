//! The profile as text, for an engineer to read and change.

use std::fmt::Write as _;

use profiles::Publisher;

use super::draft::{Draft, Host};

/// Longest line of a list.
const WIDTH: usize = 110;

impl Draft {
    /// The whole profile.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        let what =
            format!("{} and {}", number_of(self.ieds, "IED"), number_of(self.publishers.len(), "publisher"));
        _ = writeln!(
            text,
            "# Imported by gridtap {} from {}, SCL {}: {what} of GOOSE.",
            env!("CARGO_PKG_VERSION"),
            self.file,
            self.edition
        );
        text.push_str(concat!(
            "# What the description does not say is not judged: rules for IEC 104, DNP3 and Modbus, and the\n",
            "# Ethernet addresses of publishers whose access point has none. `gridtap learn --merge` adds rules.\n",
        ));
        _ = writeln!(text, "\n[profile]\nname = {}", quoted(&self.name));
        if !self.version.is_empty() {
            _ = writeln!(text, "version = {}", quoted(&self.version));
        }
        for host in &self.hosts {
            write_host(&mut text, host, &host.name);
        }
        for (publisher, notes) in &self.publishers {
            write_publisher(&mut text, publisher, notes);
        }
        self.write_elsewhere(&mut text);
        text
    }

    pub(super) fn write_elsewhere(&self, text: &mut String) {
        if !self.elsewhere.is_empty() {
            text.push_str("\n# IEDs of this file listen to control blocks that stand in another one. Import it with --merge:\n");
            for block in &self.elsewhere {
                _ = writeln!(text, "#   {block}");
            }
        }
    }

    /// Nothing in it that a profile could use.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty() && self.publishers.is_empty()
    }

    /// Hosts and publishers.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.hosts.len(), self.publishers.len())
    }
}

pub(super) fn write_host(text: &mut String, host: &Host, name: &str) {
    _ = writeln!(text, "\n[hosts.{}]", key(name));
    let addresses: Vec<String> = host.addresses.iter().map(ToString::to_string).collect();
    _ = writeln!(text, "address = {}", list(&addresses));
    if !host.macs.is_empty() {
        let macs: Vec<String> = host.macs.iter().map(ToString::to_string).collect();
        _ = writeln!(text, "mac = {}", list(&macs));
    }
    if !host.words.is_empty() {
        _ = writeln!(text, "comment = {}", quoted(&host.words));
    }
}

pub(super) fn write_publisher(text: &mut String, publisher: &Publisher, notes: &[String]) {
    text.push('\n');
    for note in notes {
        _ = writeln!(text, "# {note}");
    }
    _ = writeln!(text, "[publishers.{}]", key(&publisher.name));
    let mut line = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            _ = writeln!(text, "{key} = {value}");
        }
    };
    let macs: Vec<String> = publisher.source.iter().map(ToString::to_string).collect();
    line("control_block", Some(quoted(&publisher.control_block)));
    line("appid", publisher.application.map(|appid| format!("{appid:#06x}")));
    line("source", (!macs.is_empty()).then(|| list(&macs)));
    line("destination", publisher.destination.map(|mac| quoted(&mac.to_string())));
    line("vlan", publisher.vlan.map(|vlan| vlan.to_string()));
    line("data_set", publisher.data_set.as_deref().map(quoted));
    line("go_id", publisher.identifier.as_deref().map(quoted));
    line("conf_rev", publisher.revision.map(|revision| revision.to_string()));
    line("entries", publisher.entries.map(|entries| entries.to_string()));
    line("subscribers", (!publisher.subscribers.is_empty()).then(|| list(&publisher.subscribers)));
    line("comment", publisher.comment.as_deref().map(quoted));
}

pub(super) fn number_of(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A text as TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A key as TOML.
fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { quoted(name) }
}

fn list(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    let line = format!("[{}]", words.join(", "));
    if line.len() <= WIDTH { line } else { format!("[\n    {},\n]", words.join(",\n    ")) }
}
