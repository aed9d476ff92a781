//! A description of a substation.

use std::io::Read;

use gridtap::scl::{Description, Trouble, places};

/// Hands out one octet at a time.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = out.len().min(1);
        self.0.read(&mut out[..count])
    }
}

/// The body of the target `scl`.
pub fn check(data: &[u8]) {
    let whole = imported(data);
    assert_eq!(whole, imported(Slow(data)), "how a file is cut makes no difference");
    let trouble = match whole {
        Ok((_, troubles)) => troubles,
        Err(trouble) => vec![trouble],
    };
    let octets: Vec<u64> = trouble.iter().filter_map(|trouble| trouble.at).collect();
    assert!(octets.iter().all(|at| *at <= data.len() as u64), "{octets:?}");
    let mut sorted = octets;
    sorted.sort_unstable();
    let found = places(data, &sorted);
    assert_eq!(found.len(), sorted.len());
    assert!(found.iter().all(|place| place.line >= 1 && place.at <= place.text.len().max(400)));
}

/// The profile, which is sound, and what could not be used.
fn imported(input: impl Read) -> Result<(String, Vec<Trouble>), Trouble> {
    let mut description = Description::read(input)?;
    let draft = description.draft("fuzz.scd");
    let text = draft.to_toml();
    let profile = profiles::parse(&text, "fuzz.toml").unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    assert!(profile.profile().rules.is_empty() && profile.profile().denials.is_empty(), "{text}");
    let again = draft.merge_into(&text, profile.profile());
    assert_eq!((again.added, again.differences.len()), (0, 0), "{text}");
    Ok((text, description.troubles))
}
