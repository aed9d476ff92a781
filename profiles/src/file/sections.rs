//! The sections of the language, one reader each.

use super::walk::{Section, Walk};
use super::*;
use crate::language;
use crate::thresholds::{Thresholds, Unit};
use crate::tree::{Node, Table, Tree};
use crate::units;
use diagnostics::Reporter;

/// Read a file, all that it includes, and what its templates make.
pub(crate) fn read(text: &str, name: &str, loader: &mut dyn Loader, reporter: &mut Reporter<'_>) -> File {
    let mut file = File::default();
    let Some(roots) = sources::roots(text, name, loader, reporter) else { return file };
    let mut walk = Walk { reporter };
    for (place, root) in roots.iter().enumerate() {
        let span = root.span.clone();
        walk.section_of("the file".to_owned(), &span, &root.value, &language::FILE);
        walk.profile(place == 0, root, &mut file);
        walk.sections(&root.value, &mut file);
        walk.thresholds(&root.value, &mut file);
    }
    let Some(instances) = templates::instances(&roots, &mut walk) else { return File::default() };
    for instance in &instances {
        walk.sections(instance, &mut file);
    }
    file
}

impl Walk<'_, '_> {
    fn profile(&mut self, main: bool, root: &At<Table>, file: &mut File) {
        match root.value.get("profile") {
            Some(node) if !main => {
                self.reporter
                    .error(&node.span, "an included file has no [profile]")
                    .label("take it out: the main file says which site this is");
            }
            Some(node) => {
                let what = "[profile]".to_owned();
                if let Some(section) = self.section(what, &node.span, node, &language::PROFILE) {
                    file.name = self.required_text(&section, "name", "\"name of the site\"");
                    file.version = self.text(&section, "version");
                    file.timezone = self.text(&section, "timezone");
                    self.text(&section, "comment");
                }
            }
            None if main && !root.value.entries.iter().any(|(key, _)| meant_profile(&key.value)) => {
                let start = root.span.start;
                self.reporter.error(&(start..start), "the section [profile] is missing").help(
                    "begin the file with\n             [profile]\n             name = \"name of the site\"",
                );
            }
            None => {}
        }
    }

    /// What a file and an instance of a template have in common.
    pub(super) fn sections(&mut self, root: &Table, file: &mut File) {
        for (name, node) in self.named(root, "hosts", "hosts.NAME", "address = \"10.0.0.5\"") {
            let what = format!("host `{}`", name.value);
            if let Some(section) = self.section(what, &name.span, node, &language::HOST) {
                let entry = self.host(name.clone(), &section);
                file.hosts.push(entry);
            }
        }
        for (name, node) in self.named(root, "groups", "groups", "masters = [\"scada-a\", \"scada-b\"]") {
            let what = format!("group `{}`", name.value);
            let members = self.texts(&what, "groups", node);
            file.groups.push(GroupEntry { name: name.clone(), members });
        }
        for (name, node) in self.named(root, "stations", "stations.NAME", "protocol = \"modbus\"") {
            let what = format!("station `{}`", name.value);
            if let Some(section) = self.section(what, &name.span, node, &language::STATION) {
                let entry = self.station(name.clone(), &section);
                file.stations.push(entry);
            }
        }
        for (name, node) in self.named(root, "maps", "maps.NAME.POINT", "point = \"coil 3\"") {
            if let Tree::Table(table) = &node.value {
                let what = format!("map `{}`", name.value);
                let points = self.points(&what, &table.entries);
                file.maps.push(MapEntry { name: name.clone(), points });
            } else {
                self.wrong_type(
                    &node.span,
                    &format!("map `{}`", name.value),
                    "a table of points",
                    &node.value,
                );
            }
        }
        for (name, node) in self.named(root, "schedules", "schedules.NAME", "hours = \"07:00-18:00\"") {
            let what = format!("schedule `{}`", name.value);
            if let Some(section) = self.section(what, &name.span, node, &language::SCHEDULE) {
                let days = self.list(&section, "days").unwrap_or_default();
                let hours = self.list(&section, "hours").unwrap_or_default();
                self.text(&section, "comment");
                file.schedules.push(ScheduleEntry { name: name.clone(), days, hours });
            }
        }
        for (name, node) in
            self.named(root, "redundancy", "redundancy.NAME", "hosts = [\"scada-a\", \"scada-b\"]")
        {
            let what = format!("redundancy group `{}`", name.value);
            if let Some(section) = self.section(what, &name.span, node, &language::REDUNDANCY) {
                let hosts = self.required_list(&section, "hosts");
                self.text(&section, "comment");
                file.redundancy.push(RedundancyEntry { name: name.clone(), hosts });
            }
        }
        let example = "control_block = \"BAY1/LLN0$GO$gcb1\"";
        for (name, node) in self.named(root, "publishers", "publishers.NAME", example) {
            let what = format!("publisher `{}`", name.value);
            if let Some(section) = self.section(what, &name.span, node, &language::PUBLISHER) {
                let publisher = self.publisher(name.clone(), &section);
                file.publishers.push(publisher);
            }
        }
        for node in self.list_of(root, "rules") {
            let entry = self.rule(node);
            file.rules.extend(entry);
        }
        for node in self.list_of(root, "deny") {
            let entry = self.deny(node);
            file.deny.extend(entry);
        }
        for node in self.list_of(root, "maintenance") {
            let entry = self.maintenance(node);
            file.maintenance.extend(entry);
        }
    }

    fn host(&mut self, name: At<String>, section: &Section<'_>) -> HostEntry {
        let by_mac = section.table.get("mac").is_some() && section.table.get("address").is_none();
        let address = if by_mac && !section.meant.contains(&"address") {
            let message = format!("{} has a `mac`, but no `address`", section.what);
            self.reporter
                .error(&section.span, message)
                .label("add address = \"10.0.0.5\", its IP address")
                .help(
                    "hosts are known by their IP addresses, `mac` says more of them; a device without one, \
                     such as a GOOSE publisher, is a section [publishers.NAME] with `source` = its mac",
                );
            Vec::new()
        } else {
            self.required_list(section, "address")
        };
        HostEntry {
            address,
            mac: self.list(section, "mac").unwrap_or_default(),
            vlan: self.wholes(section, "vlan"),
            role: self.text(section, "role"),
            tags: self.list(section, "tags").unwrap_or_default(),
            uses: self.list(section, "uses"),
            offers: self.list(section, "offers"),
            comment: self.plain_text(section, "comment"),
            name,
        }
    }

    fn station(&mut self, name: At<String>, section: &Section<'_>) -> StationEntry {
        let what = format!("station `{}`", name.value);
        let points = self.named(section.table, "points", "stations.NAME.points.POINT", "point = \"coil 3\"");
        let keys = || parsers::DISSECTORS.iter().map(|d| d.address.key);
        let addresses: Vec<_> =
            keys().filter_map(|key| Some((key, self.number(section, key, true)?))).collect();
        let written = keys().any(|key| section.table.get(key).is_some() || section.meant.contains(&key));
        StationEntry {
            protocol: self.required_text(section, "protocol", "\"modbus\" or \"dnp3\""),
            host: self.required_text(section, "host", "the name of a host, or an address"),
            bad_address: written && addresses.is_empty(),
            addresses,
            port: self.number(section, "port", false),
            field_sizes: self.wholes(section, "field_sizes"),
            role: self.text(section, "role"),
            tags: self.list(section, "tags").unwrap_or_default(),
            quirks: self.list(section, "quirks").unwrap_or_default(),
            map: self.text(section, "map"),
            points: self.points(&what, points),
            comment: self.plain_text(section, "comment"),
            name,
        }
    }

    fn publisher(&mut self, name: At<String>, section: &Section<'_>) -> PublisherEntry {
        PublisherEntry {
            control_block: self.required_text(section, "control_block", "\"BAY1/LLN0$GO$gcb1\""),
            appid: self.number(section, "appid", false),
            source: self.list(section, "source").unwrap_or_default(),
            destination: self.text(section, "destination"),
            vlan: self.number(section, "vlan", false),
            data_set: self.text(section, "data_set"),
            go_id: self.text(section, "go_id"),
            conf_rev: self.number(section, "conf_rev", false),
            entries: self.number(section, "entries", false),
            subscribers: self.list(section, "subscribers").unwrap_or_default(),
            simulation: self.flag(section, "simulation"),
            comment: self.plain_text(section, "comment"),
            name,
        }
    }

    fn points(&mut self, of: &str, entries: &[(At<String>, Node)]) -> Vec<PointEntry> {
        let mut points = Vec::with_capacity(entries.len());
        for (name, node) in entries {
            let what = format!("point `{}` of {of}", name.value);
            if let Some(section) = self.section(what, &name.span, node, &language::POINT) {
                points.push(self.point(name.clone(), &section));
            }
        }
        points
    }

    fn point(&mut self, name: At<String>, section: &Section<'_>) -> PointEntry {
        PointEntry {
            point: self.required_text(section, "point", "\"holding_register 10\""),
            data_type: self.text(section, "type"),
            word_order: self.text(section, "word_order"),
            scale: self.real(section, "scale"),
            offset: self.real(section, "offset"),
            unit: self.plain_text(section, "unit"),
            range: self.bounds(section, "range"),
            set_range: self.bounds(section, "set_range"),
            max_step: self.real(section, "max_step"),
            rate_of_change: self.change(section, "rate_of_change"),
            stuck_after: self.duration(section, "stuck_after"),
            monotonic: self.flag(section, "monotonic"),
            state: self.text(section, "state"),
            direct_operate: self.flag(section, "direct_operate"),
            operate_within: self.duration(section, "operate_within"),
            max_rate: self.rate(section, "max_rate"),
            metric: self.flag(section, "metric"),
            tags: self.list(section, "tags").unwrap_or_default(),
            comment: self.plain_text(section, "comment"),
            name,
        }
    }

    /// A table of a list, named in errors by its name if it has one.
    fn item<'t>(
        &mut self,
        node: &'t Node,
        what: &str,
        kind: &'static language::Section,
    ) -> Option<Section<'t>> {
        let name = match &node.value {
            Tree::Table(table) => table.get("name").and_then(|name| name.value.as_text()),
            _ => None,
        };
        let what = match name {
            Some(name) => format!("{what} `{name}`"),
            None => kind.called.to_owned(),
        };
        self.section(what, &node.span, node, kind)
    }

    fn name_of(&mut self, section: &Section<'_>, node: &Node, example: &str) -> At<String> {
        let name = self.required_text(section, "name", example);
        name.unwrap_or_else(|| node.map(String::new()))
    }

    fn rule(&mut self, node: &Node) -> Option<RuleEntry> {
        let section = self.item(node, "rule", &language::RULE)?;
        let name = self.name_of(&section, node, "\"what the rule is for\"");
        let values = section.table.get("values").and_then(|values| {
            let what = format!("`values` of {}", section.what);
            let inner = self.section(what, &values.span, values, &language::VALUES)?;
            let (min, max) = (self.real(&inner, "min"), self.real(&inner, "max"));
            let bounds = (min.map(|m| m.value), max.map(|m| m.value));
            if let (Some(min), Some(max)) = bounds
                && min > max
            {
                self.reporter
                    .error(&values.span, format!("`values` of {} ends before it starts", section.what))
                    .label("min is greater than max");
            }
            Some(values.map(bounds))
        });
        let poll = section.table.get("poll").and_then(|poll| {
            let what = format!("`poll` of {}", section.what);
            if !matches!(poll.value, Tree::Table(_)) {
                // Most think of the period alone.
                let period = match &poll.value {
                    Tree::Text(text) if units::duration(text).is_some() => text.clone(),
                    Tree::Whole(Some(seconds)) if *seconds > 0 => format!("{seconds} s"),
                    _ => "2 s".to_owned(),
                };
                self.wrong_type(&poll.span, &what, "a table", &poll.value)
                    .label(format!("write {{ period = \"{period}\" }}"))
                    .help("how often it is asked, and if needed by how much that may vary: { period = \"2 s\", tolerance = \"50 %\" }");
                return None;
            }
            let inner = self.section(what, &poll.span, poll, &language::POLL)?;
            if inner.table.get("period").is_none() {
                self.missing(&inner, "period", "\"2 s\"");
            }
            let period = self.duration(&inner, "period")?;
            if period.value == 0 {
                self.reporter
                    .error(&period.span, "a poll's period is longer than nothing")
                    .label("write \"2 s\", or take `poll` out");
            }
            let tolerance = self.percent(&inner, "tolerance").map(|t| t.value);
            Some(poll.map((period.value, tolerance)))
        });
        Some(RuleEntry {
            from: self.required_list(&section, "from"),
            to: self.required_list(&section, "to"),
            allow: self.required_list(&section, "allow"),
            points: self.list(&section, "points"),
            values,
            rate: self.rate(&section, "rate"),
            schedule: self.text(&section, "schedule"),
            select_before_operate: self.flag(&section, "select_before_operate"),
            poll,
            expires: self.date(&section, "expires"),
            broadcast: self.flag(&section, "broadcast").is_some_and(|flag| flag.value),
            owner: self.plain_text(&section, "owner"),
            comment: self.plain_text(&section, "comment"),
            name,
        })
    }

    fn deny(&mut self, node: &Node) -> Option<DenyEntry> {
        let section = self.item(node, "denial", &language::DENY)?;
        let name = self.name_of(&section, node, "\"what is forbidden\"");
        Some(DenyEntry {
            from: self.list(&section, "from"),
            to: self.list(&section, "to"),
            operations: self.required_list(&section, "operations"),
            points: self.list(&section, "points"),
            except: self.list(&section, "except").unwrap_or_default(),
            severity: self.word(&section, "severity", language::SEVERITIES),
            owner: self.plain_text(&section, "owner"),
            comment: self.plain_text(&section, "comment"),
            name,
        })
    }

    fn maintenance(&mut self, node: &Node) -> Option<MaintenanceEntry> {
        let section = self.item(node, "maintenance window", &language::MAINTENANCE)?;
        let name = self.name_of(&section, node, "\"what is done\"");
        for key in ["start", "end"] {
            if section.table.get(key).is_none() {
                self.missing(&section, key, "2027-01-31T08:00:00Z");
            }
        }
        let publishers = self.list(&section, "publishers");
        // A window for publishers alone concerns no stations.
        let stations = ["from", "to", "allow"].iter().any(|key| section.table.get(key).is_some());
        let mut of_stations = |key| {
            if stations || publishers.is_none() { self.required_list(&section, key) } else { Vec::new() }
        };
        Some(MaintenanceEntry {
            from: of_stations("from"),
            to: of_stations("to"),
            allow: of_stations("allow"),
            publishers,
            start: self.date(&section, "start"),
            end: self.date(&section, "end"),
            reference: self.plain_text(&section, "reference"),
            comment: self.plain_text(&section, "comment"),
            name,
        })
    }

    fn thresholds(&mut self, root: &Table, file: &mut File) {
        for (key, node) in self.named(root, "thresholds", "thresholds", "missed_polls = 3") {
            let Some(info) = Thresholds::ALL.iter().find(|info| info.name == key.value) else {
                let names = Thresholds::ALL.iter().map(|info| info.name);
                let meant = self.reporter.meant(&key.value, names.clone());
                let error = self.reporter.error(&key.span, format!("unknown threshold `{}`", key.value));
                if let Some(meant) = meant {
                    error.label(format!("did you mean `{meant}`?"));
                }
                error.help(format!("thresholds are: {}", names.collect::<Vec<_>>().join(", ")));
                continue;
            };
            if let Some((earlier, _)) = file.thresholds.iter().find(|(name, _)| name.value == key.value) {
                let message = format!("the threshold `{}` is set twice", key.value);
                self.reporter
                    .error_with(&key.span, message, &earlier.span, "the first time")
                    .label("take it out");
                continue;
            }
            match threshold(info.unit, &node.value) {
                Ok(value) => file.thresholds.push((key.clone(), value)),
                Err(example) => {
                    let what = format!("threshold `{}`", key.value);
                    let message = format!("{what} must be {example}");
                    self.reporter.error(&node.span, message).help(info.doc.trim().to_owned());
                }
            }
        }
    }
}

/// Whether a key that is not there was probably meant by this one, which is an error of its own.
fn meant_profile(key: &str) -> bool {
    key != "profile" && diagnostics::nearest(key, ["profile"]).is_some()
}

fn threshold(unit: Unit, value: &Tree) -> Result<f64, &'static str> {
    let plain = match value {
        Tree::Whole(Some(number)) if *number >= 0 => Some(*number as f64),
        Tree::Fraction(number) if number.is_finite() && *number >= 0.0 => Some(*number),
        _ => None,
    };
    let text = value.as_text();
    let per = |ns: f64| move |text: &str| units::per_time(text).map(|(n, per)| n * ns / per as f64);
    let (found, example) = match unit {
        Unit::Count => (plain, "a number, as in 3"),
        Unit::Seconds => (
            text.and_then(units::duration).map(|ns| ns as f64 / 1e9),
            "a duration, as in \"30 s\" or \"5 min\"",
        ),
        Unit::Ratio => (plain.or_else(|| text.and_then(units::percent)), "a factor, as in 1.5 or \"150 %\""),
        Unit::PerSecond => (text.and_then(per(1e9)), "a rate, as in \"50 per second\""),
        Unit::PerMinute => (text.and_then(per(60e9)), "a rate, as in \"6 per minute\""),
    };
    found.ok_or(example)
}
