//! What is true about an attack, as a line of JSON.

use serde::Serialize;

/// The ground truth of one attack.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Label {
    /// Time of its first frame, RFC 3339.
    pub from: String,
    /// Time of its last frame.
    pub to: String,
    /// Technique of ATT&CK for ICS.
    pub technique: &'static str,
    /// Name of the behaviour.
    pub behaviour: String,
    /// Who, as the file calls it.
    pub actor: String,
    /// Whom.
    pub target: String,
    /// Address of the actor.
    pub actor_ip: String,
    /// Address of the target; of a host sweep, the first.
    pub target_ip: String,
    /// First and last frame, counted from 1. Benign frames may lie between. Not known of live traffic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frames: Option<[u64; 2]>,
}

/// Labels as JSON lines.
pub fn to_lines(labels: &[Label]) -> String {
    let mut out = String::new();
    for label in labels {
        out.push_str(&serde_json::to_string(label).unwrap_or_default());
        out.push('\n');
    }
    out
}
