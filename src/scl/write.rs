//! The profile as text, for an engineer to read and change.

use std::fmt::Write as _;

use profiles::Publisher;
use profiles::write::{self, key, list, quoted};

use super::draft::{Draft, Host};

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
    _ = writeln!(text, "address = {}", list(&host.addresses));
    if !host.macs.is_empty() {
        _ = writeln!(text, "mac = {}", list(&host.macs));
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
    write::publisher(text, publisher);
}

pub(super) fn number_of(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
