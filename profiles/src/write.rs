//! Parts of a profile as text, for those who write one: as people would write it, line by line.

use std::fmt::Write as _;

use crate::profile::Publisher;

/// Longest line of a list, in octets.
const WIDTH: usize = 110;

/// A text as a value.
#[must_use]
pub fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A name as a key: in quotes where it needs them, and never over several lines as a value may be.
#[must_use]
pub fn key(name: &str) -> String {
    toml_edit::Key::new(name).to_string()
}

/// Texts as a list, one a line when they are many.
#[must_use]
pub fn list<T: ToString>(words: impl IntoIterator<Item = T>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| quoted(&word.to_string())).collect();
    let line = format!("[{}]", words.join(", "));
    if line.len() <= WIDTH { line } else { format!("[\n    {},\n]", words.join(",\n    ")) }
}

/// The section of a publisher: what is not known of it has no line.
pub fn publisher(text: &mut String, publisher: &Publisher) {
    let Publisher { name, control_block, subscribers, simulation, comment, .. } = publisher;
    let of_people = [
        ("subscribers", (!subscribers.is_empty()).then(|| list(subscribers))),
        ("simulation", simulation.then(|| "true".to_owned())),
        ("comment", comment.as_deref().map(quoted)),
    ];
    _ = writeln!(text, "[publishers.{}]", key(name));
    _ = writeln!(text, "control_block = {}", quoted(control_block));
    for (key, value) in judged(publisher).into_iter().chain(of_people) {
        if let Some(value) = value {
            _ = writeln!(text, "{key} = {value}");
        }
    }
}

/// What is judged of a publisher beside its control block: keys and values as they are written.
fn judged(publisher: &Publisher) -> [(&'static str, Option<String>); 8] {
    let Publisher { application, source, destination, vlan, data_set, .. } = publisher;
    let Publisher { identifier, revision, entries, .. } = publisher;
    [
        ("appid", application.map(|appid| format!("{appid:#06x}"))),
        ("source", (!source.is_empty()).then(|| list(source))),
        ("destination", destination.map(|mac| quoted(&mac.to_string()))),
        ("vlan", vlan.map(|vlan| vlan.to_string())),
        ("data_set", data_set.as_deref().map(quoted)),
        ("go_id", identifier.as_deref().map(quoted)),
        ("conf_rev", revision.map(|revision| revision.to_string())),
        ("entries", entries.map(|entries| entries.to_string())),
    ]
}

/// Something that a profile says of a publisher and another source of knowledge (a capture, a description) says
/// otherwise.
#[derive(Debug, Clone, Eq, PartialEq)]
pub struct Difference {
    /// The key.
    pub key: &'static str,
    /// Its value in the profile, as it is written; `None`: the profile has no such key, and does not judge it.
    pub ours: Option<String>,
    /// The other's value, as it would be written.
    pub theirs: String,
}

/// What `theirs` says otherwise than `ours`, in the order of the keys. What it does not say is no difference, nor is a
/// sender that is one of several in `ours`.
#[must_use]
pub fn differences(ours: &Publisher, theirs: &Publisher) -> Vec<Difference> {
    let known = theirs.source.iter().all(|source| ours.source.contains(source));
    let rows = judged(ours).into_iter().zip(judged(theirs));
    rows.filter(|((key, _), _)| !(*key == "source" && known))
        .filter_map(|((key, ours), (_, theirs))| Some(Difference { key, theirs: theirs?, ours }))
        .filter(|difference| difference.ours.as_ref() != Some(&difference.theirs))
        .collect()
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use parsers::MacAddr;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_difference_is_what_the_other_says_otherwise() {
        let macs = [1, 2].map(|n| MacAddr([2, 0, 0, 0, 0, n]));
        let of = |source: &[MacAddr], vlan, revision| Publisher {
            name: String::new(),
            control_block: "B".to_owned(),
            application: None,
            source: source.to_vec(),
            destination: None,
            vlan,
            data_set: None,
            identifier: None,
            revision,
            entries: None,
            subscribers: Vec::new(),
            simulation: false,
            comment: None,
        };
        let ours = of(&macs, None, Some(4));
        assert_eq!(
            differences(&ours, &of(&macs[..1], None, None)),
            [],
            "one of our sources, and nothing else said"
        );
        let told = differences(&ours, &of(&[MacAddr([9; 6])], Some(7), Some(3)));
        let told: Vec<_> = told.iter().map(|d| (d.key, d.ours.as_deref(), d.theirs.as_str())).collect();
        assert_eq!(
            told,
            [
                ("source", Some("[\"02:00:00:00:00:01\", \"02:00:00:00:00:02\"]"), "[\"09:09:09:09:09:09\"]"),
                ("vlan", None, "7"),
                ("conf_rev", Some("4"), "3"),
            ]
        );
    }

    #[test]
    fn what_is_written_is_read_as_the_same() {
        let whole = Publisher {
            name: "Bay 1 \"trip\"".to_owned(),
            control_block: "BAY1/LLN0$GO$gcb1".to_owned(),
            application: Some(0x3FFF),
            source: vec![MacAddr([0, 1, 2, 3, 4, 5]), MacAddr([0, 1, 2, 3, 4, 6])],
            destination: Some(MacAddr([1, 0x0C, 0xCD, 1, 0, 1])),
            vlan: Some(10),
            data_set: Some("BAY1/LLN0$ds".to_owned()),
            identifier: Some("it's \\ \"this\"".to_owned()),
            revision: Some(7),
            entries: Some(3),
            subscribers: (0..20).map(|n| format!("bay-{n}")).collect(),
            simulation: true,
            comment: Some("one\ntwo".to_owned()),
        };
        let bare = Publisher {
            name: "bare".to_owned(),
            control_block: "X/LLN0$GO$g".to_owned(),
            application: None,
            source: Vec::new(),
            destination: None,
            vlan: None,
            data_set: None,
            identifier: None,
            revision: None,
            entries: None,
            subscribers: Vec::new(),
            simulation: false,
            comment: None,
        };
        for one in [whole, bare] {
            let mut text = "[profile]\nname = \"x\"\n".to_owned();
            publisher(&mut text, &one);
            let read = crate::parse(&text, "x").unwrap_or_else(|errors| panic!("{errors}\n{text}"));
            let again = format!("{:?}", read.profile().publishers[0]);
            assert_eq!(again, format!("{one:?}"), "{text}");
        }
    }

    #[test]
    fn names_are_quoted_where_they_must_be() {
        assert_eq!([key("bay-1_a"), key("bay 1"), key("")], ["bay-1_a", "\"bay 1\"", "\"\""]);
        // A value may go over several lines, a key may not.
        assert_eq!(key("a\nb"), "\"a\\nb\"");
    }

    fn read(text: &str) -> toml::Table {
        toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    proptest! {
        /// Any name and text, above all of what TOML gives a meaning to.
        #[test]
        fn any_name_and_text_is_read_as_it_was_written(
            name in "([\"'\\\\\n\r\t\\x00-\\x1f\\x7f .#=\\[\\]{}a-c0-1_-]|\\PC){0,12}",
            text in "([\"'\\\\\n\r\t\\x00-\\x1f\\x7f .#=\\[\\]{}a-c0-1_-]|\\PC){0,12}",
        ) {
            let table = read(&format!("[hosts.{}]\n{} = {}\n", key(&name), key(&text), list([&text])));
            let host = table["hosts"].as_table().and_then(|hosts| hosts.get(&name)?.as_table());
            let values = host.and_then(|host| host.get(&text)?.as_array()).map(Vec::as_slice);
            prop_assert_eq!(values, Some(&[toml::Value::String(text)][..]));
        }
    }
}
