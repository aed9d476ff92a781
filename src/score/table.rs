//! The score as a table for people.

use core::fmt;

use super::Score;

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |ratio: Option<f64>| ratio.map_or("-".to_owned(), |r| format!("{:.1} %", r * 100.0));
        writeln!(
            f,
            "attacks    {:>6}   found {:>6}   recall    {}",
            self.attacks,
            self.found,
            percent(self.recall)
        )?;
        writeln!(
            f,
            "findings   {:>6}   right {:>6}   precision {}",
            self.findings,
            self.right,
            percent(self.precision)
        )?;
        writeln!(f)?;
        writeln!(f, "technique    attacks  found  median s  longest s  found first by")?;
        for row in &self.techniques {
            let name = if row.technique.is_empty() { "unnamed" } else { &row.technique };
            let kinds: Vec<&str> = row.first_kinds.keys().map(String::as_str).collect();
            let time = |t: Option<f64>| t.map_or("-".to_owned(), |s| format!("{s:.3}"));
            let (median, longest) = (time(row.median_seconds), time(row.longest_seconds));
            let (attacks, found) = (row.attacks, row.found);
            writeln!(
                f,
                "{name:<12} {attacks:>7} {found:>6} {median:>9} {longest:>10}  {}",
                kinds.join(", ")
            )?;
        }
        if !self.missed.is_empty() {
            writeln!(f, "\nmissed:")?;
        }
        for missed in &self.missed {
            let name = if missed.technique.is_empty() { "unnamed" } else { &missed.technique };
            let (hosts, frames) = (missed.hosts.join(" and "), missed.frames);
            writeln!(f, "  {name} at {:.3} between {hosts}, {frames} frames", missed.from_seconds)?;
        }
        if !self.false_kinds.is_empty() {
            writeln!(f, "\nfalse findings:")?;
        }
        for (kind, count) in &self.false_kinds {
            writeln!(f, "  {count:>6}  {kind}")?;
        }
        Ok(())
    }
}
