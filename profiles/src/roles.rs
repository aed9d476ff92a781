//! The library of roles: what a kind of device does and never does, by protocol. The data are in
//! `roles.toml`; [`expand`] turns the roles of a profile's hosts into stations, rules and denials.

use std::sync::LazyLock;

use parsers::{Action, Protocol};
use serde::Deserialize;

use crate::functions::function_by_name;
use crate::limits::{Budget, MAX_LINKS, Taken};
use crate::points;
use crate::profile::{Allow, Deny, HostEntry, Rule, Severity, Station, merge};
use crate::services::{Services, service_by_key};

/// What kind of device a host or a station is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Name in a profile: `scada_master`.
    #[serde(skip)]
    pub name: String,
    /// A few words: "SCADA master".
    pub title: String,
    /// What such a device is, in a sentence.
    pub about: String,
    /// Protocols that it answers as a station, by name.
    #[serde(default, rename = "answers")]
    answers_names: Vec<String>,
    /// What it does as a master.
    #[serde(default)]
    pub(crate) does: Vec<Does>,
    /// What it never does.
    #[serde(default)]
    pub(crate) never: Vec<Never>,
    /// What it never uses.
    #[serde(skip)]
    never_uses: Services,
}

/// Something a role does.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Does {
    /// "polls outstations"
    pub(crate) what: String,
    /// Roles of stations, or a class of them.
    pub(crate) to: Vec<String>,
    pub(crate) allow: Vec<String>,
    #[serde(default)]
    pub(crate) points: Vec<String>,
    /// Only in these protocols; empty: in all.
    #[serde(default)]
    pub(crate) protocols: Vec<String>,
    #[serde(default)]
    pub(crate) broadcast: bool,
}

/// Something a role never does.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Never {
    pub(crate) what: String,
    pub(crate) operations: Vec<String>,
    #[serde(default)]
    pub(crate) severity: Option<String>,
}

/// Services that some roles never use.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NeverUses {
    /// Roles, or a class of them.
    roles: Vec<String>,
    services: Vec<String>,
}

impl Role {
    /// Services that such a device never uses on other hosts.
    #[must_use]
    pub fn never_uses(&self) -> Services {
        self.never_uses
    }

    /// Protocols that it answers as a station.
    pub fn answers(&self) -> impl Iterator<Item = Protocol> + '_ {
        self.answers_names.iter().filter_map(|name| Protocol::from_name(name))
    }

    /// Whether it answers as a station.
    #[must_use]
    pub fn is_station(&self) -> bool {
        !self.answers_names.is_empty()
    }

    /// Whether it commands stations, or reads them.
    #[must_use]
    pub fn is_master(&self) -> bool {
        !self.does.is_empty()
    }

    /// All roles, by name.
    #[must_use]
    pub fn all() -> &'static [Role] {
        &LIBRARY.roles
    }

    /// The role with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<&'static Role> {
        LIBRARY.roles.iter().find(|role| role.name == name)
    }
}

/// The data file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Library {
    /// Names for several roles.
    pub(crate) classes: std::collections::BTreeMap<String, Vec<String>>,
    /// What nobody does.
    pub(crate) nobody: Vec<Never>,
    /// Services that some roles never use.
    never_uses: Vec<NeverUses>,
    #[serde(rename = "roles")]
    by_name: std::collections::BTreeMap<String, Role>,
    #[serde(skip)]
    roles: Vec<Role>,
}

/// The library. A test makes sure that the data can be read.
pub(crate) static LIBRARY: LazyLock<Library> = LazyLock::new(|| {
    let mut library: Library = toml::from_str(include_str!("roles.toml")).unwrap_or_default();
    let by_name = std::mem::take(&mut library.by_name);
    library.roles = by_name.into_iter().map(|(name, role)| Role { name, ..role }).collect();
    for never in &library.never_uses {
        let is_meant = |name: &String| {
            let within =
                |class: &String| library.classes.get(class).is_some_and(|roles| roles.contains(name));
            never.roles.contains(name) || never.roles.iter().any(within)
        };
        for role in library.roles.iter_mut().filter(|role| is_meant(&role.name)) {
            for place in never.services.iter().filter_map(|key| service_by_key(key)) {
                role.never_uses.insert(place);
            }
        }
    }
    library
});

/// Stations for hosts with the role of a station for which the profile lists none: whatever unit id or link
/// address is behind such a host, it is this station.
pub(crate) fn stations(hosts: &[HostEntry], stations: &mut Vec<Station>) {
    let listed: std::collections::HashSet<_> = stations.iter().map(|s| s.host).collect();
    for (index, host) in hosts.iter().enumerate() {
        let Some(role) = host.role.filter(|_| !listed.contains(&index)) else { continue };
        for protocol in role.answers() {
            stations.push(Station {
                name: host.name.clone(),
                protocol,
                host: index,
                address: None,
                port: None,
                role: Some(role),
                tags: Vec::new(),
                quirks: Vec::new(),
                points: Vec::new(),
                field_sizes: None,
                from_role: true,
                comment: None,
            });
        }
    }
}

/// Roles that connect more hosts with stations than [`MAX_LINKS`].
#[derive(Debug)]
pub(crate) struct TooMany {
    pub(crate) role: &'static str,
    pub(crate) hosts: usize,
    pub(crate) stations: usize,
}

/// Rules and denials of the roles that hosts have.
pub(crate) fn expand(
    hosts: &[HostEntry],
    stations: &[Station],
    rules: &mut Vec<Rule>,
    denials: &mut Vec<Deny>,
) -> Result<(), TooMany> {
    if hosts.iter().all(|host| host.role.is_none()) {
        return Ok(());
    }
    let links = Budget::new(MAX_LINKS);
    for never in &LIBRARY.nobody {
        denials.push(denial(format!("nobody {}", never.what), None, never));
    }
    for role in Role::all() {
        let has_role = |host: &HostEntry| host.role.is_some_and(|r| r.name == role.name);
        let from: Vec<usize> = (0..hosts.len()).filter(|i| hosts.get(*i).is_some_and(has_role)).collect();
        if from.is_empty() {
            continue;
        }
        for never in &role.never {
            denials.push(denial(
                format!("role {}: never {}", role.name, never.what),
                Some(from.clone()),
                never,
            ));
        }
        for does in &role.does {
            let Some(rule) = rule(role, does, &from, stations) else { continue };
            let (hosts, stations) = (rule.from.len(), rule.to.len());
            if links.take(hosts.saturating_mul(stations)) != Taken::Yes {
                return Err(TooMany { role: &role.name, hosts, stations });
            }
            rules.push(rule);
        }
    }
    Ok(())
}

fn rule(role: &Role, does: &Does, from: &[usize], stations: &[Station]) -> Option<Rule> {
    let roles = roles_of(&does.to);
    let spoken = |station: &Station| {
        does.protocols.is_empty() || does.protocols.iter().any(|p| p == station.protocol.name())
    };
    let is_meant = |station: &Station| {
        spoken(station) && station.role.is_some_and(|role| roles.contains(&role.name.as_str()))
    };
    let to: Vec<usize> =
        stations.iter().enumerate().filter(|(_, station)| is_meant(station)).map(|(i, _)| i).collect();
    if to.is_empty() {
        return None;
    }
    let ranges =
        does.points.iter().filter_map(|text| points::parse(text, &Protocol::ALL, false).ok()).flatten();
    Some(Rule {
        name: format!("role {}: {}", role.name, does.what),
        from: from.to_vec(),
        to,
        allow: operations(&does.allow),
        points: if does.points.is_empty() { None } else { Some(merge(ranges.collect())) },
        named_points: Vec::new(),
        values: None,
        rate: None,
        schedule: None,
        select_before_operate: None,
        poll: None,
        expires: None,
        broadcast: does.broadcast,
        from_role: true,
        owner: None,
        comment: None,
    })
}

fn denial(name: String, from: Option<Vec<usize>>, never: &Never) -> Deny {
    Deny {
        name,
        from,
        to: None,
        operations: operations(&never.operations),
        points: None,
        named_points: Vec::new(),
        except: Vec::new(),
        severity: never.severity.as_deref().and_then(Severity::from_name),
        from_role: true,
        owner: None,
        comment: None,
    }
}

/// Roles by name, classes of roles resolved.
fn roles_of(names: &[String]) -> Vec<&'static str> {
    let mut roles: Vec<&'static str> = Vec::new();
    for name in names {
        match LIBRARY.classes.get(name) {
            Some(class) => roles.extend(class.iter().map(String::as_str)),
            None => roles.extend(Role::from_name(name).map(|role| role.name.as_str())),
        }
    }
    roles
}

/// Operations by class or by the name of a function in whatever protocol has it.
fn operations(words: &[String]) -> Vec<Allow> {
    let by_name = |word: &String| {
        if let Some(action) = Action::from_name(word) {
            return vec![Allow::Action(action)];
        }
        let functions = Protocol::ALL.into_iter().filter_map(|protocol| {
            let (code, sub) = function_by_name(protocol, word)?;
            Some(Allow::Function { protocol, code, sub })
        });
        functions.collect()
    };
    words.iter().flat_map(by_name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_sound() {
        let text = include_str!("roles.toml");
        let library: Result<Library, _> = toml::from_str(text);
        assert!(library.is_ok(), "{:?}", library.err());
        assert!(Role::all().len() >= 15);
        for role in Role::all() {
            assert!(!role.title.is_empty() && role.about.ends_with('.'), "{}", role.name);
            assert!(role.answers_names.iter().all(|p| Protocol::from_name(p).is_some()), "{}", role.name);
            for does in &role.does {
                assert!(does.protocols.iter().all(|p| Protocol::from_name(p).is_some()), "{}", does.what);
                assert!(
                    does.points.iter().all(|p| points::parse(p, &Protocol::ALL, false).is_ok()),
                    "{}",
                    does.what
                );
                for to in &does.to {
                    let known = LIBRARY.classes.contains_key(to) || Role::from_name(to).is_some();
                    assert!(known, "{to} in {}", does.what);
                }
            }
            let words =
                role.does.iter().flat_map(|d| &d.allow).chain(role.never.iter().flat_map(|n| &n.operations));
            for word in words.chain(LIBRARY.nobody.iter().flat_map(|n| &n.operations)) {
                assert!(!operations(std::slice::from_ref(word)).is_empty(), "{word} of {}", role.name);
            }
        }
        for never in &LIBRARY.never_uses {
            let known = |name: &String| LIBRARY.classes.contains_key(name) || Role::from_name(name).is_some();
            assert!(never.roles.iter().all(known), "{:?}", never.roles);
            assert!(never.services.iter().all(|s| service_by_key(s).is_some()), "{:?}", never.services);
        }
        for name in LIBRARY.classes.values().flatten() {
            assert!(Role::from_name(name).is_some_and(Role::is_station), "{name}");
        }
        for never in LIBRARY.nobody.iter().chain(Role::all().iter().flat_map(|r| &r.never)) {
            assert!(
                never.severity.as_deref().is_none_or(|s| Severity::from_name(s).is_some()),
                "{}",
                never.what
            );
        }
    }
}
