//! First layer: the TOML text as a [`File`]: the right keys with the right types, every value with its
//! place. What the values mean is checked by [`crate::check`]. The walk is by hand and not by `serde`
//! derive because serde stops at the first error, and an engineer wants all of them.
//!
//! `include` and templates are resolved here too, so that the checks see one file. A new key of the language
//! is a row in [`crate::language`] and a line in `sections.rs`.

mod sections;
mod sources;
mod templates;
mod walk;

use toml::value::Datetime;

pub(crate) use sections::read;
pub(crate) use sources::{FileSystem, Loader, NoFiles, read_text};

pub(crate) use crate::tree::At;
use crate::units::Rate;

/// What the file says, well typed but not yet understood.
#[derive(Debug, Default)]
pub(crate) struct File {
    pub(crate) name: Option<At<String>>,
    pub(crate) version: Option<At<String>>,
    pub(crate) timezone: Option<At<String>>,
    pub(crate) hosts: Vec<HostEntry>,
    pub(crate) groups: Vec<GroupEntry>,
    pub(crate) stations: Vec<StationEntry>,
    pub(crate) maps: Vec<MapEntry>,
    pub(crate) schedules: Vec<ScheduleEntry>,
    pub(crate) rules: Vec<RuleEntry>,
    pub(crate) deny: Vec<DenyEntry>,
    pub(crate) redundancy: Vec<RedundancyEntry>,
    pub(crate) maintenance: Vec<MaintenanceEntry>,
    pub(crate) publishers: Vec<PublisherEntry>,
    pub(crate) thresholds: Vec<(At<String>, f64)>,
}

#[derive(Debug)]
pub(crate) struct HostEntry {
    pub(crate) name: At<String>,
    pub(crate) address: Vec<At<String>>,
    pub(crate) mac: Vec<At<String>>,
    pub(crate) vlan: Vec<At<i64>>,
    pub(crate) role: Option<At<String>>,
    pub(crate) tags: Vec<At<String>>,
    pub(crate) uses: Option<Vec<At<String>>>,
    pub(crate) offers: Option<Vec<At<String>>>,
    pub(crate) comment: Option<String>,
}

#[derive(Debug)]
pub(crate) struct GroupEntry {
    pub(crate) name: At<String>,
    pub(crate) members: Vec<At<String>>,
}

#[derive(Debug)]
pub(crate) struct StationEntry {
    pub(crate) name: At<String>,
    pub(crate) protocol: Option<At<String>>,
    pub(crate) host: Option<At<String>>,
    /// By the keys of the protocols: `unit_id`.
    pub(crate) addresses: Vec<(&'static str, At<Number>)>,
    /// Whether one was written that is none, which has been told.
    pub(crate) bad_address: bool,
    pub(crate) port: Option<At<Number>>,
    pub(crate) field_sizes: Vec<At<i64>>,
    pub(crate) role: Option<At<String>>,
    pub(crate) tags: Vec<At<String>>,
    pub(crate) quirks: Vec<At<String>>,
    pub(crate) map: Option<At<String>>,
    pub(crate) points: Vec<PointEntry>,
    pub(crate) comment: Option<String>,
}

#[derive(Debug)]
pub(crate) struct MapEntry {
    pub(crate) name: At<String>,
    pub(crate) points: Vec<PointEntry>,
}

#[derive(Debug)]
pub(crate) struct PointEntry {
    pub(crate) name: At<String>,
    pub(crate) point: Option<At<String>>,
    pub(crate) data_type: Option<At<String>>,
    pub(crate) word_order: Option<At<String>>,
    pub(crate) scale: Option<At<f64>>,
    pub(crate) offset: Option<At<f64>>,
    pub(crate) unit: Option<String>,
    pub(crate) range: Option<At<(f64, f64)>>,
    pub(crate) set_range: Option<At<(f64, f64)>>,
    pub(crate) max_step: Option<At<f64>>,
    pub(crate) rate_of_change: Option<At<f64>>,
    pub(crate) stuck_after: Option<At<u64>>,
    pub(crate) monotonic: Option<At<bool>>,
    pub(crate) state: Option<At<String>>,
    pub(crate) direct_operate: Option<At<bool>>,
    pub(crate) operate_within: Option<At<u64>>,
    pub(crate) max_rate: Option<At<Rate>>,
    pub(crate) metric: Option<At<bool>>,
    pub(crate) tags: Vec<At<String>>,
    pub(crate) comment: Option<String>,
}

#[derive(Debug)]
pub(crate) struct ScheduleEntry {
    pub(crate) name: At<String>,
    pub(crate) days: Vec<At<String>>,
    pub(crate) hours: Vec<At<String>>,
}

#[derive(Debug)]
pub(crate) struct RuleEntry {
    pub(crate) name: At<String>,
    pub(crate) from: Vec<At<String>>,
    pub(crate) to: Vec<At<String>>,
    pub(crate) allow: Vec<At<String>>,
    /// `None`: all points.
    pub(crate) points: Option<Vec<At<String>>>,
    /// Lowest, highest.
    pub(crate) values: Option<At<(Option<f64>, Option<f64>)>>,
    pub(crate) rate: Option<At<Rate>>,
    pub(crate) schedule: Option<At<String>>,
    pub(crate) select_before_operate: Option<At<bool>>,
    /// Period in nanoseconds, tolerance as a share.
    pub(crate) poll: Option<At<(u64, Option<f64>)>>,
    pub(crate) expires: Option<At<Datetime>>,
    pub(crate) broadcast: bool,
    pub(crate) owner: Option<String>,
    pub(crate) comment: Option<String>,
}

#[derive(Debug)]
pub(crate) struct DenyEntry {
    pub(crate) name: At<String>,
    /// `None`: left out.
    pub(crate) from: Option<Vec<At<String>>>,
    pub(crate) to: Option<Vec<At<String>>>,
    pub(crate) operations: Vec<At<String>>,
    pub(crate) points: Option<Vec<At<String>>>,
    /// Names of rules.
    pub(crate) except: Vec<At<String>>,
    pub(crate) severity: Option<At<String>>,
    pub(crate) owner: Option<String>,
    pub(crate) comment: Option<String>,
}

#[derive(Debug)]
pub(crate) struct RedundancyEntry {
    pub(crate) name: At<String>,
    pub(crate) hosts: Vec<At<String>>,
}

#[derive(Debug)]
pub(crate) struct MaintenanceEntry {
    pub(crate) name: At<String>,
    pub(crate) from: Vec<At<String>>,
    pub(crate) to: Vec<At<String>>,
    pub(crate) allow: Vec<At<String>>,
    pub(crate) publishers: Option<Vec<At<String>>>,
    pub(crate) start: Option<At<Datetime>>,
    pub(crate) end: Option<At<Datetime>>,
    pub(crate) reference: Option<String>,
    pub(crate) comment: Option<String>,
}

#[derive(Debug)]
pub(crate) struct PublisherEntry {
    pub(crate) name: At<String>,
    pub(crate) control_block: Option<At<String>>,
    pub(crate) appid: Option<At<Number>>,
    pub(crate) source: Vec<At<String>>,
    pub(crate) destination: Option<At<String>>,
    pub(crate) vlan: Option<At<Number>>,
    pub(crate) data_set: Option<At<String>>,
    pub(crate) go_id: Option<At<String>>,
    pub(crate) conf_rev: Option<At<Number>>,
    pub(crate) entries: Option<At<Number>>,
    pub(crate) subscribers: Vec<At<String>>,
    pub(crate) simulation: Option<At<bool>>,
    pub(crate) comment: Option<String>,
}

/// An address of a station.
#[derive(Debug, Clone, Eq, PartialEq)]
pub(crate) enum Number {
    /// `"any"`.
    Any,
    /// A number, as written.
    Is(i64),
}
