//! Commands in a rhythm that no human hand keeps: evenly spaced, less than a second apart, to one object
//! after the other.

use parsers::Timestamp;
use profiles::Thresholds;

/// Commands remembered.
const KEPT: usize = 16;

/// The last commands, newest first.
#[derive(Debug, Default)]
pub(super) struct Rhythm {
    commands: [(Timestamp, u64); KEPT],
    count: usize,
    told: bool,
}

/// Commands like a machine's.
#[derive(Debug, Copy, Clone, PartialEq)]
pub(super) struct Even {
    pub(super) commands: usize,
    pub(super) objects: usize,
    /// Mean nanoseconds between two, and how much they vary, as a share of it.
    pub(super) spacing_ns: u64,
    pub(super) variation: f64,
}

impl Rhythm {
    /// A command to what `object` stands for. Says so when it makes a series that is too even, once a series.
    pub(super) fn command(&mut self, at: Timestamp, object: u64, thresholds: &Thresholds) -> Option<Even> {
        let pause = self.commands[0].0;
        if self.count == 0 || at.since(pause) as f64 >= thresholds.rhythm_spacing * 1e9 {
            self.count = 0;
            self.told = false;
        }
        self.commands.rotate_right(1);
        self.commands[0] = (at, object);
        self.count = (self.count + 1).min(KEPT);
        let needed = (thresholds.rhythm_commands as usize).clamp(3, KEPT);
        if self.told || self.count < needed {
            return None;
        }
        let even = Even::of(&self.commands[..needed])?;
        if even.variation >= thresholds.rhythm_variation || (even.objects as f64) < thresholds.rhythm_objects
        {
            return None;
        }
        self.told = true;
        Some(even)
    }
}

impl Even {
    fn of(commands: &[(Timestamp, u64)]) -> Option<Even> {
        let gaps = || commands.windows(2).map(|pair| pair[0].0.since(pair[1].0) as f64);
        let count = (commands.len() - 1) as f64;
        let mean = gaps().sum::<f64>() / count;
        if mean <= 0.0 {
            return None;
        }
        let variance = gaps().map(|gap| (gap - mean) * (gap - mean)).sum::<f64>() / count;
        let first_of = |place: usize| commands[..place].iter().all(|(_, o)| *o != commands[place].1);
        Some(Even {
            commands: commands.len(),
            objects: (0..commands.len()).filter(|&place| first_of(place)).count(),
            spacing_ns: mean as u64,
            variation: variance.sqrt() / mean,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(spacing_ms: &[u64], objects: u64) -> usize {
        let thresholds = Thresholds::default();
        let mut rhythm = Rhythm::default();
        let mut at = 1_700_000_000_000;
        let commands = spacing_ms.iter().enumerate().filter_map(|(n, ms)| {
            at += ms;
            rhythm.command(Timestamp(at * 1_000_000), n as u64 % objects, &thresholds)
        });
        commands.count()
    }

    #[test]
    fn an_even_series_is_told_once_and_a_hand_is_not_even() {
        assert_eq!(told(&[0, 100, 100, 101, 100, 99, 100, 100, 100], 3), 1);
        assert_eq!(told(&[0, 100, 100, 101, 100, 99, 100, 100, 100], 2), 0, "two objects");
        assert_eq!(told(&[0, 1100, 1100, 1100, 1100, 1100, 1100], 3), 0, "slow");
        assert_eq!(told(&[0, 300, 450, 210, 700, 330, 500, 800], 3), 0, "by hand");
        assert_eq!(told(&[0, 100, 100, 100, 100, 100, 5000, 100, 100, 100, 100, 100], 4), 2, "two series");
    }
}
