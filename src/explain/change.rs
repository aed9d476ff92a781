//! The smallest change of a profile that would allow what a finding tells of.

use parsers::Host;
use profiles::{Compiled, Rate, SERVICES};

use super::rule::narrow;
use super::{Event, nearest};
use crate::report::catalogue::FindingKind as K;

/// Uses of a rule that its rate can count to.
const MOST_USES: u64 = 1024;

/// What to do with a profile.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// TOML for the end of the file; may be empty.
    pub append: String,
    /// Values of entries that are there.
    pub edits: Vec<Edit>,
    /// What one should know of it, a line each.
    pub notes: Vec<String>,
}

/// A new value for a key of an entry of a list of tables, or of a table of tables.
#[derive(Debug, Clone, Eq, PartialEq)]
pub struct Edit {
    /// `rules`, `deny`, `maintenance`, `hosts`, `publishers`.
    pub section: &'static str,
    /// The entry's name.
    pub name: String,
    /// Its key.
    pub key: &'static str,
    /// The new value.
    pub value: NewValue,
}

/// A value of an edit.
#[derive(Debug, Clone, Eq, PartialEq)]
pub enum NewValue {
    /// A text.
    Text(String),
    /// A date with its time, as TOML writes it.
    Date(String),
    /// A whole number, as TOML writes it.
    Number(String),
    /// The texts that stand there, and the last of these beside them.
    Texts(Vec<String>),
}

impl Edit {
    /// The entry, as one looks for it in the file.
    #[must_use]
    pub fn entry(&self) -> String {
        match self.section {
            "hosts" | "publishers" => format!("[{}.{}]", self.section, toml_edit::Key::new(&self.name)),
            section => format!("[[{section}]] with name = {}", toml_edit::Value::from(self.name.as_str())),
        }
    }
}

impl std::fmt::Display for Edit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} = ", self.key)?;
        match &self.value {
            NewValue::Text(text) => write!(f, "{}", toml_edit::Value::from(text.as_str())),
            NewValue::Date(text) | NewValue::Number(text) => f.write_str(text),
            NewValue::Texts(list) => {
                write!(f, "{}", list.iter().map(String::as_str).collect::<toml_edit::Array>())
            }
        }
    }
}

/// The change, or why there is none.
pub(super) fn change(event: &Event, profile: &Compiled) -> Result<Change, String> {
    match event.kind {
        K::RateExceeded => rate(event, profile),
        K::MaintenanceOverrun => window(event, profile),
        K::Denied => denied(event, profile),
        K::UnprofiledService => service(event, profile),
        _ => narrow(event, profile).map(|(_, change)| change),
    }
}

/// The service in the host's list; one that its role forbids: in a list of all that the role does not.
fn service(event: &Event, profile: &Compiled) -> Result<Change, String> {
    let Some(Host::Ip(ip)) = event.client.map(|client| client.host) else {
        return Err("the host has no IP address".to_owned());
    };
    let hosts = &profile.profile().hosts;
    let host = hosts.iter().find(|host| host.addresses.iter().any(|net| net.contains(&ip)));
    let host = host.ok_or("the profile has no such host any more")?;
    let said = |verb: &str, before: &str| {
        SERVICES.iter().find(|s| event.observed.starts_with(&format!("it {verb} {} {before} ", s.name)))
    };
    let (key, listed, found) = match said("offers", "to") {
        Some(service) => ("offers", host.offers, service),
        None => ("uses", host.uses, said("uses", "with").ok_or("there is no such service any more")?),
    };
    let mut notes = Vec::new();
    let mut keys: Vec<String> = if let Some(listed) = listed {
        listed.iter().map(|service| service.key.to_owned()).collect()
    } else {
        notes.push("a list takes the place of what the role never uses".to_owned());
        let never = host.role.map(profiles::Role::never_uses).unwrap_or_default();
        let others = SERVICES.iter().enumerate().filter(|(place, _)| !never.contains(*place));
        others.map(|(_, service)| service.key.to_owned()).collect()
    };
    keys.push(found.key.to_owned());
    let edit = Edit { section: "hosts", name: host.name.clone(), key, value: NewValue::Texts(keys) };
    Ok(Change { edits: vec![edit], notes, ..Change::default() })
}

fn rate(event: &Event, profile: &Compiled) -> Result<Change, String> {
    let rule = nearest::rule(event, profile).ok_or("the profile has no such rule any more")?;
    let rate = rule.rate.ok_or_else(|| format!("rule '{}' has no rate any more", rule.name))?;
    let allowed = u64::from(rate.count);
    // Every occurrence was one use too many; the first one tells how many there were until then.
    let beyond = event.number().map_or(0, |number| number + event.count - 1);
    let needed = beyond.max(allowed + event.count);
    if needed > MOST_USES {
        return Err(format!(
            "{needed} uses are more than a rate can count to: raise it by hand, over a shorter time"
        ));
    }
    let rate = Rate { count: needed as u32, ..rate };
    let value = NewValue::Text(rate.to_string());
    Ok(Change {
        edits: vec![Edit { section: "rules", name: rule.name.clone(), key: "rate", value }],
        notes: vec!["the rate holds for every host and station of the rule, each by itself".to_owned()],
        ..Change::default()
    })
}

fn window(event: &Event, profile: &Compiled) -> Result<Change, String> {
    let name = event.rule.as_deref().unwrap_or_default();
    let windows = &profile.profile().maintenance;
    let window = windows.iter().find(|window| window.name == name);
    let window = window.ok_or("the profile has no such maintenance window any more")?;
    if window.end.0 > event.last.0 {
        return Err("the window ends later than the last of this work by now".to_owned());
    }
    // The end is not part of the window.
    let second = i64::try_from(event.last.0 / 1_000_000_000 + 1).unwrap_or(i64::MAX);
    let end = jiff::Timestamp::from_second(second).map_err(|error| error.to_string())?;
    let value = NewValue::Date(end.to_string());
    let notes = vec!["what is done within the window is still told, for information".to_owned()];
    Ok(Change {
        edits: vec![Edit { section: "maintenance", name: name.to_owned(), key: "end", value }],
        notes,
        ..Change::default()
    })
}

fn denied(event: &Event, profile: &Compiled) -> Result<Change, String> {
    let name = event.rule.as_deref().unwrap_or_default();
    let denial = profile.profile().denials.iter().find(|denial| denial.name == name);
    let denial = denial.ok_or("the profile has no such denial any more")?;
    let (rule, mut change) = narrow(event, profile)?;
    if denial.from_role {
        change.notes.push("a rule of the profile goes before the denials of roles".to_owned());
        return Ok(change);
    }
    let rules = &profile.profile().rules;
    let mut except: Vec<String> =
        denial.except.iter().filter_map(|i| rules.get(*i)).map(|rule| rule.name.clone()).collect();
    except.push(rule);
    let value = NewValue::Texts(except);
    change.edits.push(Edit { section: "deny", name: name.to_owned(), key: "except", value });
    Ok(change)
}
