//! docs/scenarios.md and the program know the same keys, defaults and behaviours, and its examples load.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::Deserialize;
use serde::de::value::Error;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use simulators::attack::{self, Attack, Behaviour};
use simulators::scenario::{self, Language, Scenario};

const PAGE: &str = include_str!("../../docs/scenarios.md");

/// Tells which names a type is read by, and reads nothing.
#[derive(Default)]
struct Names(Vec<&'static str>);

impl<'de> Deserializer<'de> for &mut Names {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        self.0 = fields.to_vec();
        Err(Error::custom("only asked"))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        self.0 = variants.to_vec();
        Err(Error::custom("only asked"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("no struct and no enum"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map identifier ignored_any
    }
}

fn names<T: DeserializeOwned>() -> Vec<&'static str> {
    let mut names = Names::default();
    let _ = T::deserialize(&mut names);
    names.0
}

/// The rows of the first table whose head begins with `first`, after a heading.
fn table(heading: &str, first: &str) -> Vec<Vec<String>> {
    let after = PAGE.split(&format!("\n{heading}\n")).nth(1).unwrap_or_else(|| panic!("no `{heading}`"));
    let section = after.split("\n#").next().unwrap();
    let table =
        section.split(&format!("| {first} |")).nth(1).unwrap_or_else(|| panic!("no table: {heading}"));
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// The text within the back quotes.
fn code(cell: &str) -> Option<&str> {
    cell.strip_prefix('`')?.split('`').next()
}

/// The keys of a section are those of its type; what is needed is missed; a default is what stands for a key that is
/// left out. `least` has the keys that are needed.
fn agrees<T: DeserializeOwned + Debug>(heading: &str, least: &str) {
    let rows = table(heading, "key");
    let listed: Vec<&str> = rows.iter().map(|row| code(&row[0]).unwrap()).collect();
    let (mut here, mut there) = (listed.clone(), names::<T>());
    here.sort_unstable();
    there.sort_unstable();
    assert_eq!(here, there, "keys of {heading} on the page and in the program");

    let least: toml::Table = least.parse().unwrap();
    let read = |table: &toml::Table| table.clone().try_into::<T>().map_err(|e| e.to_string());
    let plain = format!("{:?}", read(&least).unwrap());
    for row in &rows {
        let (key, default) = (code(&row[0]).unwrap(), row[2].as_str());
        let mut changed = least.clone();
        if default == "needed" {
            changed.remove(key);
            let error = read(&changed).expect_err("a needed key is left out");
            assert!(error.contains(&format!("missing field `{key}`")), "{heading} {key}: {error}");
            continue;
        }
        assert!(!least.contains_key(key), "{heading}: `{key}` is not needed");
        if default != "none" {
            let default = code(default).unwrap_or_else(|| panic!("{heading} {key}: default `{default}`"));
            let value: toml::Table = format!("x = {default}").parse().unwrap();
            changed.insert(key.to_owned(), value["x"].clone());
            let stated = format!("{:?}", read(&changed).unwrap_or_else(|e| panic!("{heading} {key}: {e}")));
            assert_eq!(stated, plain, "{heading}: the default of `{key}`");
        }
    }
}

#[test]
fn every_key_stands_on_the_page_with_its_default() {
    agrees::<scenario::Site>("### `[site]`", "name = \"x\"\nstart = \"2026-06-15T00:00:00Z\"");
    agrees::<scenario::Network>("### `[network]`", "");
    agrees::<scenario::Noise>("### `[noise]`", "");
    agrees::<scenario::Bus>("### `[buses.NAME]`", "kv = 20");
    agrees::<scenario::Line>("### `[lines.NAME]`", "from = \"A\"\nto = \"B\"");
    agrees::<scenario::Transformer>("### `[transformers.NAME]`", "from = \"A\"\nto = \"B\"");
    agrees::<scenario::Load>("### `[loads.NAME]`", "bus = \"A\"\nmw = 4");
    agrees::<scenario::Generator>("### `[generators.NAME]`", "bus = \"A\"\nkind = \"grid\"");
    agrees::<scenario::Breaker>("### `[breakers.NAME]`", "in = \"L\"");
    agrees::<scenario::Fault>("### `[[faults]]`", "at = \"10:00\"\nbreaker = \"CB\"");
    agrees::<scenario::Station>("### `[stations.NAME]`", "kind = \"meter\"\naddress = \"10.0.0.1\"");
    agrees::<scenario::Master>("### `[masters.NAME]`", "address = \"10.0.0.5\"");
    let poll = "stations = [\"R\"]\nread = [\"events\"]\nevery = \"2 s\"";
    agrees::<scenario::Poll>("### `[[masters.NAME.polls]]`", poll);
    let action = "at = \"10:00\"\nstation = \"R\"\npoint = \"CB\"";
    agrees::<scenario::Action>("### `[[masters.NAME.actions]]`", action);
    let publisher = "source = \"00:30:a7:00:00:01\"\ndestination = \"01:0c:cd:01:00:01\"\nappid = 1\n\
                     control_block = \"C\"\ndata_set = \"D\"";
    agrees::<scenario::Publisher>("### `[publishers.NAME]`", publisher);
    agrees::<scenario::Subscriber>("### `[subscribers.NAME]`", "publisher = \"P\"\nbreaker = \"CB\"");
    agrees::<scenario::Repeat>("### `[[repeat]]`", "count = 3\n[part]");
    let attack = "behaviour = \"replay\"\nat = \"5 s\"\nactor = \"10.0.0.66\"";
    agrees::<Attack>("### `[[attacks]]`", attack);
    // Every section has a heading of its own.
    let headings: Vec<&str> = PAGE.lines().filter(|line| line.starts_with("### `[")).collect();
    for section in names::<Scenario>() {
        let heads =
            [format!("### `[{section}]`"), format!("### `[{section}.NAME]`"), format!("### `[[{section}]]`")];
        assert!(heads.iter().any(|head| headings.contains(&head.as_str())), "no heading for {section}");
    }
    assert_eq!(headings.len(), names::<Scenario>().len() + 3, "polls, actions and attacks besides");
}

#[test]
fn every_word_that_may_stand_for_a_value_is_on_the_page() {
    let words = |heading: &str, key: &str| {
        let rows = table(heading, "key");
        let row = rows.into_iter().find(|row| code(&row[0]) == Some(key)).unwrap();
        let words: Vec<String> = row[1].split(", ").map(|w| w.trim_matches(['`', '"']).to_owned()).collect();
        words
    };
    assert_eq!(words("### `[loads.NAME]`", "curve"), names::<scenario::Curve>());
    assert_eq!(words("### `[generators.NAME]`", "kind"), names::<scenario::GeneratorKind>());
    assert_eq!(words("### `[masters.NAME]`", "role"), names::<scenario::MasterRole>());
    assert_eq!(words("### `[masters.NAME]`", "time_sync"), names::<scenario::TimeSync>());
    assert_eq!(words("### `[[masters.NAME.actions]]`", "mode"), names::<scenario::Mode>());
    let kinds = table("### `[stations.NAME]`", "kind");
    let cell =
        |row: &Vec<String>| row[0].split(", ").map(|k| k.trim_matches('`').to_owned()).collect::<Vec<_>>();
    let mut listed: Vec<String> = kinds.iter().flat_map(cell).collect();
    let mut known = names::<scenario::StationKind>();
    listed.sort();
    known.sort_unstable();
    assert_eq!(listed, known);
    // What the table of polls says can be read is understood, at the protocol it is said of.
    for row in table("### `[[masters.NAME.polls]]`", "protocol") {
        for word in row[1].split('`').skip(1).step_by(2) {
            let read: simulators::master::Read = word.parse().unwrap_or_else(|()| panic!("`{word}`"));
            assert_eq!(read.language().to_string(), row[0], "{word}");
        }
    }
}

fn behaviour(name: &str) -> Behaviour {
    let deserializer = serde::de::value::StrDeserializer::<Error>::new(name);
    Behaviour::deserialize(deserializer).unwrap()
}

#[test]
fn every_behaviour_stands_on_the_page_with_its_parameters() {
    let rows = table("### `[[attacks]]`", "behaviour");
    let listed: BTreeMap<&str, &Vec<String>> = rows.iter().map(|row| (code(&row[0]).unwrap(), row)).collect();
    let known = names::<Behaviour>();
    assert_eq!((rows.len(), Behaviour::ALL.len()), (known.len(), known.len()));
    for name in known {
        let (behaviour, row) = (behaviour(name), listed[name]);
        assert_eq!(row[1], behaviour.technique(), "{name}");
        let at = match behaviour.languages() {
            [] if behaviour.is_goose() => "GOOSE publisher".to_owned(),
            [_, _, _] => "any station".to_owned(),
            some => some.iter().map(Language::to_string).collect::<Vec<_>>().join(", "),
        };
        assert_eq!(row[2], at, "{name}");
        let quoted = |names: Vec<&str>| names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
        let all = behaviour.parameters();
        let needed = all.iter().filter_map(|p| p.strip_prefix('*')).collect();
        let others = all.iter().copied().filter(|p| !p.starts_with('*')).collect();
        assert_eq!((row[3].as_str(), row[4].as_str()), (&*quoted(needed), &*quoted(others)), "{name}");
    }
}

#[test]
fn every_example_of_the_page_loads() {
    let blocks: Vec<&str> =
        PAGE.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let whole = blocks.iter().find(|block| block.starts_with("[site]")).unwrap();
    let site = Scenario::parse(whole, "page").unwrap();
    for block in &blocks {
        if block.starts_with("[[attacks]]") {
            let attacks = attack::parse(block, "page", &site).unwrap();
            // The attack of the first scenario leaves its mark within the ten minutes that the page tells of.
            let (_, labels) =
                simulators::site::capture(&site, &attacks, 1, std::time::Duration::from_mins(10));
            assert_eq!(labels.len(), attacks.len());
        } else if !block.starts_with("[site]") {
            Scenario::parse(&format!("{whole}\n{block}"), "page").unwrap();
        }
    }
    assert!(blocks.len() >= 3, "{} examples", blocks.len());
}
