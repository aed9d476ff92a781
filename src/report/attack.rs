//! The techniques of MITRE ATT&CK for ICS that findings name, from the versioned table `attack-ics.toml`.

use std::sync::OnceLock;

use serde::Deserialize;

/// One technique.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Technique {
    /// Its id in version 18.
    pub id: String,
    /// Its id in version 19, where that differs.
    pub id_v19: Option<String>,
    /// Its name.
    pub name: String,
    /// The tactics it serves.
    pub tactics: Vec<String>,
}

/// The table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attack {
    /// Version of the knowledge base whose ids are in `id`.
    pub version: String,
    /// Version of the knowledge base whose ids are in `id_v19`.
    pub newer_version: String,
    /// All techniques, by id.
    #[serde(rename = "technique")]
    pub techniques: Vec<Technique>,
}

impl Attack {
    /// The technique with this version 18 id.
    pub fn find(&self, id: &str) -> Option<&Technique> {
        self.techniques.iter().find(|technique| technique.id == id)
    }
}

/// The table that is built in.
pub fn attack() -> &'static Attack {
    static TABLE: OnceLock<Attack> = OnceLock::new();
    TABLE.get_or_init(|| {
        // The text is part of the program and read by a test, so this cannot fail at a user's.
        toml::from_str(include_str!("attack-ics.toml")).unwrap_or_else(|_| Attack {
            version: String::new(),
            newer_version: String::new(),
            techniques: Vec::new(),
        })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::report::catalogue::CATALOGUE;

    #[test]
    fn every_technique_of_the_catalogue_is_in_the_table_and_none_is_there_for_nothing() {
        let table: Attack = toml::from_str(include_str!("attack-ics.toml")).unwrap();
        let mut used: Vec<&str> = CATALOGUE.iter().flat_map(|kind| kind.techniques()).copied().collect();
        used.sort_unstable();
        used.dedup();
        let listed: Vec<&str> = table.techniques.iter().map(|t| t.id.as_str()).collect();
        assert_eq!(used, listed, "the table is sorted by id and complete");
        assert!(table.techniques.iter().all(|t| !t.tactics.is_empty() && !t.name.is_empty()));
    }

    #[test]
    fn techniques_that_version_19_renumbered_have_both_ids() {
        let newer = |id| attack().find(id).and_then(|t| t.id_v19.as_deref());
        assert_eq!(newer("T0855"), Some("T1692.001"));
        assert_eq!(newer("T0856"), Some("T1692.002"));
        assert_eq!(newer("T0803"), Some("T1691.001"));
        assert_eq!(newer("T0804"), Some("T1691.002"));
        assert_eq!(newer("T0857"), Some("T1693.001"));
        assert_eq!(newer("T0839"), Some("T1693.002"));
        assert_eq!(newer("T0814"), None);
    }
}
