//! The sections and keys of the language, once: what the reader accepts, what errors list, and what the
//! JSON Schema says.

/// What may stand behind a key.
#[derive(Debug, Copy, Clone)]
pub(crate) enum Shape {
    /// Text.
    Text,
    /// A list of texts; one text may stand without brackets.
    Texts,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Whole,
    /// A whole number, or `"any"`.
    WholeOrAny,
    /// Whole numbers.
    Wholes,
    /// A number.
    Number,
    /// `[lowest, highest]`.
    Bounds,
    /// `"2 s"`.
    Duration,
    /// `"50 %"`.
    Percent,
    /// `"6 per minute"`.
    Rate,
    /// A date, or a date with a time.
    Date,
    /// A table with these keys.
    Table(&'static Section),
    /// Points by name, by the name of a map: `[maps.NAME.POINT]`.
    Points,
    /// Tables by name: `[hosts.NAME]`.
    Named(&'static Section),
    /// A list of tables: `[[rules]]`.
    List(&'static Section),
    /// Lists of texts by name: `[groups]`.
    NamedTexts,
    /// A list of tables with keys that a template's parameters give.
    Instances,
    /// Thresholds by name.
    Thresholds,
}

/// A key.
#[derive(Debug, Copy, Clone)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
    pub(crate) doc: &'static str,
}

/// A section of a kind.
#[derive(Debug)]
pub(crate) struct Section {
    /// "a host"
    pub(crate) called: &'static str,
    pub(crate) keys: &'static [Key],
}

impl Section {
    pub(crate) fn key_names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.keys.iter().map(|key| key.name)
    }

    /// "name, from, to"
    pub(crate) fn listed(&self) -> String {
        self.key_names().collect::<Vec<_>>().join(", ")
    }
}

const fn key(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    Key { name, shape, required: false, doc }
}

const fn must(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    Key { name, shape, required: true, doc }
}

use Shape::{
    Bounds, Date, Duration, Flag, Instances, List, Named, NamedTexts, Number, Percent, Rate, Text, Texts,
    Whole, WholeOrAny, Wholes, Word,
};

/// Types of a point's value in registers.
pub(crate) const DATA_TYPES: &[&str] =
    &["uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64", "bits"];
/// Orders of the registers of a value.
pub(crate) const WORD_ORDERS: &[&str] = &["big", "little"];
/// Severities, lowest first.
pub(crate) const SEVERITIES: &[&str] = &["info", "low", "medium", "high", "critical"];
/// Protocols.
pub(crate) const PROTOCOLS: &[&str] = &["modbus", "dnp3", "iec104"];

const COMMENT: Key = key("comment", Text, "Why it is there; told by `gridtap profile explain`.");

pub(crate) const PROFILE: Section = Section {
    called: "[profile]",
    keys: &[
        must("name", Text, "Name of the site."),
        key("version", Text, "Version of the profile; in metrics and events."),
        key("timezone", Text, "IANA time zone of schedules and of dates without a zone; UTC if left out."),
        COMMENT,
    ],
};

pub(crate) const HOST: Section = Section {
    called: "a host",
    keys: &[
        must("address", Texts, "Its addresses and networks, IPv4 or IPv6. No address belongs to two hosts."),
        key("mac", Texts, "Its Ethernet addresses, when they are pinned."),
        key("vlan", Wholes, "The VLANs it is seen in."),
        key("role", Text, "What kind of device it is, from the library of roles."),
        key("tags", Texts, "`protection` and `breaker` raise the severity of findings about it by one step."),
        key(
            "uses",
            Texts,
            "Services beside the control protocols that it uses on other hosts: \"https\", \"smb\". Any other of \
             those that gridtap knows is a finding; `[]`: it uses none. Left out: what its role says.",
        ),
        key("offers", Texts, "The same for services that it offers to other hosts. Left out: not judged."),
        COMMENT,
    ],
};

pub(crate) const STATION: Section = Section {
    called: "a station",
    keys: &[
        must("protocol", Word(PROTOCOLS), "The protocol it answers."),
        must("host", Text, "The host it stands behind: its name, or an address that no host has."),
        key("unit_id", WholeOrAny, "Modbus: its unit id, or any that no other station of the host has."),
        key(
            "link_address",
            WholeOrAny,
            "DNP3: its link address, or any that no other station of the host has.",
        ),
        key(
            "common_address",
            WholeOrAny,
            "IEC 104: its common address of ASDU, or any that no other station of the host has.",
        ),
        key("port", Whole, "Only on this port of the host."),
        key(
            "field_sizes",
            Wholes,
            "IEC 104: octets of cause of transmission, common address and information object address on its \
             connections, if they are those of IEC 60870-5-101: [1, 1, 2]. Left out: found out, see the manual.",
        ),
        key("role", Text, "What kind of device it is; left out: the role of its host."),
        key("tags", Texts, "`protection` and `breaker` raise the severity of findings by one step."),
        key(
            "quirks",
            Texts,
            "What must not alarm for this station: catalogue ids, check ids, kinds of findings.",
        ),
        key("map", Text, "A shared point map, [maps.NAME]."),
        key("points", Named(&POINT), "Its points by name."),
        COMMENT,
    ],
};

pub(crate) const POINT: Section = Section {
    called: "a point",
    keys: &[
        must("point", Text, "Its kind and address: \"holding_register 10\", \"binary_output 3\"."),
        key("type", Word(DATA_TYPES), "Type of the value in registers; uint16 if left out."),
        key(
            "word_order",
            Word(WORD_ORDERS),
            "Which register of a value of several comes first: the high one (big) or the low one.",
        ),
        key("scale", Number, "Factor from the raw value to the unit."),
        key("offset", Number, "Added after the factor."),
        key("unit", Text, "Unit of the scaled value."),
        key("range", Bounds, "Plausible values when read, in the unit."),
        key("set_range", Bounds, "Values that may be written, in the unit."),
        key("max_step", Number, "Largest change of a written value against the last one, in the unit."),
        key(
            "rate_of_change",
            Rate,
            "Fastest plausible change of a read value, in the unit: \"50 per second\".",
        ),
        key("stuck_after", Duration, "A read value that has not changed for so long is stuck."),
        key("monotonic", Flag, "A counter: it never runs backwards."),
        key("state", Text, "The point that shows the state of this control: \"binary_input 7\"."),
        key("direct_operate", Flag, "Whether it may be operated without a select."),
        key("operate_within", Duration, "How soon the state must follow an accepted control."),
        key("max_rate", Rate, "How often it may be commanded; overrides the threshold for command storms."),
        key("metric", Flag, "Export its value as a metric."),
        key("tags", Texts, "`protection` and `breaker` raise the severity of findings by one step."),
        COMMENT,
    ],
};

pub(crate) const SCHEDULE: Section = Section {
    called: "a schedule",
    keys: &[
        key("days", Texts, "Days: \"mon\", \"mon-fri\"; every day if left out."),
        key("hours", Texts, "Hours: \"07:00-18:00\"; a range may run over midnight; all day if left out."),
        COMMENT,
    ],
};

pub(crate) const VALUES: Section = Section {
    called: "values",
    keys: &[
        key("min", Number, "Lowest value that may be written: raw, or in the unit of a named point."),
        key("max", Number, "Highest value that may be written."),
    ],
};

pub(crate) const POLL: Section = Section {
    called: "a poll",
    keys: &[
        must("period", Duration, "How often the polls of this rule come."),
        key("tolerance", Percent, "How far a period may be off, as a share of it."),
    ],
};

pub(crate) const RULE: Section = Section {
    called: "a rule",
    keys: &[
        must("name", Text, "What the rule is for; findings name it."),
        must("from", Texts, "Commanding hosts, or groups of them."),
        must("to", Texts, "Stations, or groups of them."),
        must("allow", Texts, "Classes of operations, functions by name, functions by number."),
        key("points", Texts, "Kinds and addresses, or names of points; all points if left out."),
        key("values", Shape::Table(&VALUES), "Limits on what may be written."),
        key("rate", Rate, "How often, for each host and station: \"6 per minute\"."),
        key("schedule", Text, "When, [schedules.NAME]; always if left out."),
        key(
            "select_before_operate",
            Flag,
            "Whether a control needs a select before it; if `true`, no direct operate.",
        ),
        key("poll", Shape::Table(&POLL), "The polling to expect."),
        key("expires", Date, "The rule allows nothing from then on."),
        key("broadcast", Flag, "Also allows requests to the broadcast address of its stations' hosts."),
        key("owner", Text, "Who answers for the rule."),
        COMMENT,
    ],
};

pub(crate) const DENY: Section = Section {
    called: "a denial",
    keys: &[
        must("name", Text, "What is forbidden; findings name it."),
        key("from", Texts, "Commanding hosts, groups, or \"any\" (also if left out)."),
        key("to", Texts, "Stations, groups, or \"any\" (also if left out)."),
        must("operations", Texts, "Classes of operations, functions by name, functions by number."),
        key("points", Texts, "Kinds and addresses, or names of points; all points if left out."),
        key("except", Texts, "Names of rules that go before it: what they allow, it does not forbid."),
        key("severity", Word(SEVERITIES), "Severity of the finding; that of the operation if left out."),
        key("owner", Text, "Who answers for it."),
        COMMENT,
    ],
};

pub(crate) const REDUNDANCY: Section = Section {
    called: "a redundancy group",
    keys: &[must("hosts", Texts, "Hosts that stand in for each other, or groups of them."), COMMENT],
};

pub(crate) const MAINTENANCE: Section = Section {
    called: "a maintenance window",
    keys: &[
        must("name", Text, "What is done; findings name it."),
        key("from", Texts, "Hosts that work, groups, or \"any\". With `publishers` it may be left out."),
        key("to", Texts, "Stations worked on, groups, or \"any\". With `publishers` it may be left out."),
        key("allow", Texts, "Operations that are expected. With `publishers` it may be left out."),
        key("publishers", Texts, "Publishers (GOOSE) worked on, or \"any\"."),
        must("start", Date, "From when."),
        must("end", Date, "Until when."),
        key("reference", Text, "Number of the work order."),
        COMMENT,
    ],
};

pub(crate) const PUBLISHER: Section = Section {
    called: "a publisher",
    keys: &[
        must("control_block", Text, "GOOSE: reference of its control block (gocbRef)."),
        key("appid", Whole, "Its APPID: 0x0001."),
        key("source", Texts, "Ethernet addresses that it sends from; not judged if left out."),
        key("destination", Text, "The multicast address that it sends to."),
        key("vlan", Whole, "Its VLAN; frames without a tag are not judged by it."),
        key("data_set", Text, "Reference of its data set (datSet)."),
        key("go_id", Text, "Its goID; messages without one are known by their control block alone."),
        key("conf_rev", Whole, "Revision of its configuration (confRev)."),
        key("entries", Whole, "Members of its data set (numDatSetEntries)."),
        key("subscribers", Texts, "Who listens; told to people, not judged."),
        key("simulation", Flag, "Whether it may send with the simulation or test bit."),
        COMMENT,
    ],
};

pub(crate) const USE: Section = Section {
    called: "a use of a template",
    keys: &[
        must("template", Text, "Which template, [templates.NAME]."),
        must("with", Instances, "The parameters of every instance."),
    ],
};

/// Lists that may be empty: they say something of what has them, and are no choice. Elsewhere an empty list is a
/// mistake.
pub(crate) const MAY_BE_EMPTY: &[&str] = &["tags", "quirks", "groups", "uses", "offers"];

/// Sections that any file and any template may have.
const SHARED: [Key; 10] = [
    key("hosts", Named(&HOST), "Who commands, and what stations stand behind."),
    key("groups", NamedTexts, "Hosts or stations under one name. What several places add is one group."),
    key("stations", Named(&STATION), "Who is commanded."),
    key("maps", Shape::Points, "Point maps that stations share."),
    key("schedules", Named(&SCHEDULE), "When rules hold."),
    key("rules", List(&RULE), "What is allowed."),
    key("deny", List(&DENY), "What is forbidden, whatever the rules allow."),
    key("redundancy", Named(&REDUNDANCY), "Masters that stand in for each other."),
    key("maintenance", List(&MAINTENANCE), "Planned work: its findings are for information."),
    key(
        "publishers",
        Named(&PUBLISHER),
        "Who publishes (GOOSE), and how. With one of them, all others are told.",
    ),
];

/// Keys, then those that files and templates share: `N` is how many in all, which the compiler checks.
const fn with_shared<const N: usize>(own: &[Key]) -> [Key; N] {
    assert!(N == own.len() + SHARED.len());
    let mut keys = [SHARED[0]; N];
    let mut at = 0;
    while at < N {
        keys[at] = if at < own.len() { own[at] } else { SHARED[at - own.len()] };
        at += 1;
    }
    keys
}

pub(crate) const TEMPLATE: Section = Section {
    called: "a template",
    keys: &with_shared::<12>(&[
        must("parameters", Texts, "Names that stand in braces within the template."),
        COMMENT,
    ]),
};

pub(crate) const FILE: Section = Section {
    called: "a profile",
    keys: &with_shared::<15>(&[
        key(
            "include",
            Texts,
            "Further files, relative to this one; `*` in the name of a file stands for anything.",
        ),
        must("profile", Shape::Table(&PROFILE), "The site."),
        key("thresholds", Shape::Thresholds, "Thresholds of the detections."),
        key("templates", Named(&TEMPLATE), "Sections with parameters."),
        key("use", List(&USE), "Instances of templates."),
    ]),
};
