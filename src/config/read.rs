//! The text of `gridtap.toml` to a [`Config`]: a walk over spanned tables, so that every error names its
//! line and column, and all of them are told at once, in the same form as the errors of a profile.
//!
//! A new key is one entry in a key list and one line in its section's reader.

use std::net::SocketAddr;
use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;

use profiles::{Diagnostics, Reporter, nearest, report_syntax, type_name};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{
    Capture, Config, ConfigLimits, Events, Operations, Ports, ProfilePath, Protocols, Sensor, Serve,
};
use crate::capture::live::MAX_INTERFACES;
use crate::dispatch::MAX_WORKERS;

use parsers::Protocol;

type Keys = &'static [&'static str];
type Value<'t> = Spanned<DeValue<'t>>;

/// Sections of the file.
const FILE: Keys = &["sensor", "capture", "protocols", "profile", "events", "serve", "limits"];
const PROTOCOLS: Keys = &["modbus", "dnp3", "iec104"];
const PORTS: Keys = &["tcp_ports", "udp_ports"];
/// Sections with plain keys.
const SECTIONS: [(&str, Keys); 6] = [
    ("sensor", &["name", "workers"]),
    (
        "capture",
        &[
            "interfaces",
            "ring_mib",
            "promiscuous",
            "prefilter",
            "snap_length",
            "verify_checksums",
            "vlan_in_flow_key",
            "deduplicate",
        ],
    ),
    ("profile", &["path"]),
    ("events", &["path", "operations", "rotate_mib", "rotate_hours", "keep", "queue_mib"]),
    ("serve", &["listen", "series_per_family"]),
    ("limits", &["flows", "buffer_mib", "pending_requests", "fragment_octets"]),
];
/// Longest name of an interface that Linux knows, in octets.
const INTERFACE_NAME: usize = 15;

/// How lists and sections of a configuration are written.
const FORMS: &str = "lists stand in [ ], a section begins with its name in brackets: [capture]";

/// Read the text; `file` is how errors name it.
pub(super) fn read(text: &str, file: &str) -> Result<Config, Diagnostics> {
    let mut reporter = Reporter::new(text, file);
    let (root, errors) = DeTable::parse_recoverable(text);
    let config = if report_syntax(text, FORMS, &errors, &mut reporter) {
        Some(Walk { reporter: &mut reporter }.file(root.get_ref()))
    } else {
        // What was recovered from broken TOML would only raise errors that are not there.
        None
    };
    config.filter(|_| reporter.is_clean()).ok_or_else(|| reporter.into_diagnostics())
}

/// One section; without a table every key has its default.
struct Section<'t> {
    /// As it stands in the file: `capture`, `protocols.modbus`.
    name: String,
    table: Option<&'t DeTable<'t>>,
    /// Its header.
    span: Range<usize>,
}

impl<'t> Section<'t> {
    fn missing() -> Section<'t> {
        Section { name: String::new(), table: None, span: 0..0 }
    }

    fn get(&self, key: &str) -> Option<&'t Value<'t>> {
        self.table?.get(key)
    }

    fn key(&self, key: &str) -> String {
        format!("`{key}` of [{}]", self.name)
    }
}

struct Walk<'r, 'a> {
    reporter: &'r mut Reporter<'a>,
}

impl Walk<'_, '_> {
    fn file<'t>(&mut self, root: &'t DeTable<'t>) -> Config {
        self.unknown_keys(root, "the file", FILE);
        let [sensor, capture, profile, events, serve, limits] =
            SECTIONS.map(|(name, keys)| self.section(root, "", name, keys));
        Config {
            sensor: self.sensor(&sensor),
            capture: self.capture(&capture),
            protocols: self.protocols(root),
            profile: self.profile(&profile),
            events: self.events(&events),
            serve: self.serve(&serve),
            limits: self.limits(&limits),
        }
    }

    fn sensor(&mut self, section: &Section<'_>) -> Sensor {
        let default = Sensor::default();
        Sensor {
            name: self.text(section, "name").unwrap_or(default.name),
            workers: self.size(section, "workers", 1..=MAX_WORKERS as u64, default.workers),
        }
    }

    fn capture(&mut self, section: &Section<'_>) -> Capture {
        let default = Capture::default();
        Capture {
            interfaces: self.interfaces(section),
            ring_mib: self.size(section, "ring_mib", 1..=1024, default.ring_mib),
            promiscuous: self.flag(section, "promiscuous", default.promiscuous),
            prefilter: self.flag(section, "prefilter", default.prefilter),
            snap_length: self
                .number(section, "snap_length", 64..=262_144, u64::from(default.snap_length))
                .try_into()
                .unwrap_or(default.snap_length),
            verify_checksums: self.flag(section, "verify_checksums", default.verify_checksums),
            vlan_in_flow_key: self.flag(section, "vlan_in_flow_key", default.vlan_in_flow_key),
            deduplicate: self.flag(section, "deduplicate", default.deduplicate),
        }
    }

    fn profile(&mut self, section: &Section<'_>) -> Option<ProfilePath> {
        if section.table?.get("path").is_none() {
            self.reporter
                .error(&section.span, "[profile] has no `path`")
                .label("write path = \"site.toml\", or leave the section out");
        }
        let path = self.text(section, "path")?;
        Some(ProfilePath { path: PathBuf::from(path) })
    }

    fn events(&mut self, section: &Section<'_>) -> Events {
        let default = Events::default();
        Events {
            path: self.text(section, "path").map_or(default.path, PathBuf::from),
            operations: self.operations(section),
            rotate_mib: self.number(section, "rotate_mib", 1..=1_048_576, default.rotate_mib),
            rotate_hours: self.number(section, "rotate_hours", 1..=8760, default.rotate_hours),
            keep: self.size(section, "keep", 0..=100_000, default.keep),
            queue_mib: self.size(section, "queue_mib", 1..=4096, default.queue_mib),
        }
    }

    fn limits(&mut self, section: &Section<'_>) -> ConfigLimits {
        let default = ConfigLimits::default();
        ConfigLimits {
            flows: self.size(section, "flows", 16..=10_000_000, default.flows),
            buffer_mib: self.size(section, "buffer_mib", 1..=65_536, default.buffer_mib),
            pending_requests: self.size(section, "pending_requests", 1..=4096, default.pending_requests),
            fragment_octets: self.size(section, "fragment_octets", 292..=1_048_576, default.fragment_octets),
        }
    }

    fn serve(&mut self, section: &Section<'_>) -> Serve {
        let mut serve = Serve::default();
        if section.get("series_per_family").is_some() {
            serve.series_per_family = Some(self.size(section, "series_per_family", 16..=100_000, 2_000));
        }
        let Some(value) = section.get("listen") else { return serve };
        let address = value.get_ref().as_str().and_then(|text| text.parse::<SocketAddr>().ok());
        if let Some(address) = address {
            return Serve { listen: address, ..serve };
        }
        self.reporter
            .error(&value.span(), format!("{} is no address and port", section.key("listen")))
            .label("write \"ADDRESS:PORT\"")
            .help("\"127.0.0.1:9817\" for this machine only, \"0.0.0.0:9817\" or \"[::]:9817\" for all");
        serve
    }

    fn protocols<'t>(&mut self, root: &'t DeTable<'t>) -> Protocols {
        let all = self.section(root, "", "protocols", PROTOCOLS);
        let mut used = Vec::new();
        let mut ports = |walk: &mut Self, name: &str| {
            let section = match all.table {
                Some(table) => walk.section(table, "protocols.", name, PORTS),
                None => Section::missing(),
            };
            Ports {
                tcp_ports: walk.ports(&section, "tcp_ports", &mut used),
                udp_ports: walk.ports(&section, "udp_ports", &mut used),
            }
        };
        let known = Protocol::ALL.into_iter().filter(|protocol| PROTOCOLS.contains(&protocol.name()));
        Protocols { ports: known.map(|protocol| (protocol, ports(self, protocol.name()))).collect() }
    }

    /// A list of ports, `None` where the file says nothing. `used` holds what other protocols have.
    fn ports(
        &mut self,
        section: &Section<'_>,
        key: &'static str,
        used: &mut Vec<(String, &'static str, u16)>,
    ) -> Option<Vec<u16>> {
        let value = section.get(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            let error = self.wrong_type(value, &section.key(key), "a list of ports");
            if let DeValue::Integer(port) = value.get_ref() {
                error.label(format!("write [{port}]"));
            }
            return None;
        };
        let mut ports = Vec::new();
        for item in items {
            let number = integer(item.get_ref()).and_then(|n| u16::try_from(n).ok()).filter(|n| *n > 0);
            let Some(port) = number else {
                self.reporter
                    .error(&item.span(), format!("no port number in {}", section.key(key)))
                    .label("write a number from 1 to 65535, without quotes");
                continue;
            };
            if let Some((other, _, _)) = used.iter().find(|(_, k, p)| (*k, *p) == (key, port)) {
                let message = format!("port {port} of [{}] is also in [{other}]", section.name);
                self.reporter
                    .error(&item.span(), message)
                    .label("a port belongs to one protocol; leave it out here");
                continue;
            }
            used.push((section.name.clone(), key, port));
            ports.push(port);
        }
        Some(ports)
    }

    fn interfaces(&mut self, section: &Section<'_>) -> Vec<String> {
        const REMEDY: &str = "name the interface that gets the mirrored traffic: interfaces = [\"eth1\"]";
        let Some(value) = section.get("interfaces") else {
            if section.table.is_none() {
                self.reporter
                    .error(&(0..0), "the section [capture] is missing")
                    .help("write\n             [capture]\n             interfaces = [\"eth1\"]");
            } else {
                self.reporter.error(&section.span, "[capture] has no `interfaces`").help(REMEDY);
            }
            return Vec::new();
        };
        let what = section.key("interfaces");
        let DeValue::Array(items) = value.get_ref() else {
            let error = self.wrong_type(value, &what, "a list of names");
            if let DeValue::String(name) = value.get_ref() {
                error.label(format!("write [\"{name}\"]"));
            }
            return Vec::new();
        };
        if items.is_empty() || items.len() > MAX_INTERFACES {
            let message = format!("{what} names {} interfaces", items.len());
            self.reporter.error(&value.span(), message).label(format!("1 to {MAX_INTERFACES}")).help(REMEDY);
        }
        let mut names: Vec<String> = Vec::new();
        for item in items {
            let Some(name) = item.get_ref().as_str() else {
                self.wrong_type(item, &format!("every item of {what}"), "text");
                continue;
            };
            let usual = |c: char| !c.is_whitespace() && !c.is_control() && c != '/';
            if name.is_empty() || name.len() > INTERFACE_NAME || !name.chars().all(usual) {
                self.reporter
                    .error(&item.span(), format!("{what}: no interface can have this name"))
                    .label(format!("1 to {INTERFACE_NAME} characters, no spaces; `ip link` lists them"));
            } else if names.iter().any(|n| n == name) {
                self.reporter
                    .error(&item.span(), format!("{what}: `{name}` is named twice"))
                    .label("leave it out here");
            } else {
                names.push(name.to_owned());
            }
        }
        names
    }

    fn operations(&mut self, section: &Section<'_>) -> Operations {
        let Some(value) = section.get("operations") else { return Operations::default() };
        let words = ["all", "control", "none"];
        match value.get_ref().as_str() {
            Some("all") => return Operations::All,
            Some("control") => return Operations::Control,
            Some("none") => return Operations::None,
            found => {
                let error = self
                    .reporter
                    .error(&value.span(), format!("{} has an unknown value", section.key("operations")));
                if let Some(meant) = found.and_then(|word| nearest(word, words)) {
                    error.label(format!("did you mean \"{meant}\"?"));
                }
                error.help(
                    "write \"all\", \"control\" (everything but plain reads and their answers) or \"none\"",
                );
            }
        }
        Operations::default()
    }

    fn section<'t>(
        &mut self,
        parent: &'t DeTable<'t>,
        prefix: &str,
        key: &str,
        keys: &[&str],
    ) -> Section<'t> {
        let name = format!("{prefix}{key}");
        let value = parent.get(key);
        let table = value.and_then(|value| match value.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => None,
        });
        if let (Some(value), None) = (value, table) {
            self.wrong_type(value, &format!("`{key}`"), "a section")
                .label(format!("write [{name}] on a line of its own, and its keys below"))
                .help(format!("[{name}] has the keys: {}", keys.join(", ")));
        }
        if let Some(table) = table {
            self.unknown_keys(table, &format!("[{name}]"), keys);
        }
        let span = value.map_or(0..0, Spanned::span);
        Section { name, table, span }
    }

    fn unknown_keys(&mut self, table: &DeTable<'_>, what: &str, keys: &[&str]) {
        for (key, _) in table {
            let word: &str = key.get_ref();
            if keys.contains(&word) {
                continue;
            }
            let home = SECTIONS.iter().find(|(_, keys)| keys.contains(&word));
            let error = self.reporter.error(&key.span(), format!("unknown key `{word}` in {what}"));
            if let Some(meant) = nearest(word, keys.iter().copied()) {
                error.label(format!("did you mean `{meant}`?"));
            } else if let Some((section, _)) = home {
                error.label(format!("it belongs into [{section}]"));
            }
            let kind = if keys == FILE { "sections" } else { "keys" };
            error.help(format!("{what} has the {kind}: {}", keys.join(", ")));
        }
    }

    fn wrong_type(&mut self, value: &Value<'_>, what: &str, expected: &str) -> &mut profiles::Diagnostic {
        let found = type_name(value.get_ref());
        self.reporter.error(&value.span(), format!("{what} must be {expected}, not {found}"))
    }

    fn number(&mut self, section: &Section<'_>, key: &str, range: RangeInclusive<u64>, default: u64) -> u64 {
        let Some(value) = section.get(key) else { return default };
        let remedy = format!("write a number from {} to {}", range.start(), range.end());
        match value.get_ref() {
            DeValue::Integer(written) => match integer(value.get_ref()).and_then(|n| u64::try_from(n).ok()) {
                Some(number) if range.contains(&number) => return number,
                _ => self
                    .reporter
                    .error(&value.span(), format!("{} is out of bounds: {written}", section.key(key)))
                    .label(remedy),
            },
            DeValue::String(_) => {
                self.wrong_type(value, &section.key(key), "a number").label(format!("{remedy}, no quotes"))
            }
            _ => self.wrong_type(value, &section.key(key), "a number").label(remedy),
        }
        .help(format!("without this key it is {default}"));
        default
    }

    fn size(
        &mut self,
        section: &Section<'_>,
        key: &str,
        range: RangeInclusive<u64>,
        default: usize,
    ) -> usize {
        usize::try_from(self.number(section, key, range, default as u64)).unwrap_or(default)
    }

    fn flag(&mut self, section: &Section<'_>, key: &str, default: bool) -> bool {
        let Some(value) = section.get(key) else { return default };
        if let DeValue::Boolean(flag) = value.get_ref() {
            return *flag;
        }
        self.wrong_type(value, &section.key(key), "true or false").label("write true or false, no quotes");
        default
    }

    /// Text that is not empty.
    fn text(&mut self, section: &Section<'_>, key: &str) -> Option<String> {
        let value = section.get(key)?;
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() => return Some(text.to_owned()),
            Some(_) => {
                self.reporter
                    .error(&value.span(), format!("{} is empty", section.key(key)))
                    .label("write something, or leave the key out");
            }
            None => {
                self.wrong_type(value, &section.key(key), "text").label("text stands in quotes");
            }
        }
        None
    }
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    let DeValue::Integer(number) = value else { return None };
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}
