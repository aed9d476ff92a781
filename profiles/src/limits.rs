//! How large a profile may be. A profile is a file that somebody sends: it must neither fill the memory nor
//! keep the sensor busy, whatever is in it. Each limit is far above what a site needs (300 stations of the
//! example utility come to some thousand values), and each is told at the place that goes beyond it.

/// Largest file of a profile that is read, in octets: a wrong path must not fill the memory.
pub const MAX_FILE_BYTES: u64 = 16 << 20;
/// Largest profile with all that it includes, in octets.
pub(crate) const MAX_TOTAL_BYTES: usize = 32 << 20;
/// Most files of a profile.
pub(crate) const MAX_FILES: usize = 4096;
/// How deep files may include each other.
pub(crate) const MAX_INCLUDE_DEPTH: usize = 16;
/// Most values (texts, numbers, lists, tables) of all files, and of what their templates make.
pub(crate) const MAX_VALUES: usize = 1_000_000;
/// Most octets of texts that templates make.
pub(crate) const MAX_TEMPLATE_BYTES: usize = 32 << 20;
/// Most instances of all templates together.
pub(crate) const MAX_INSTANCES: usize = 100_000;
/// Most parameters of a template.
pub(crate) const MAX_PARAMETERS: usize = 64;
/// Most hosts and stations that all groups, rules, denials and windows name, groups counted with their
/// members.
pub(crate) const MAX_NAMED: usize = 4_000_000;
/// Most pairs of a host and a station that rules connect, counted for every rule.
pub(crate) const MAX_LINKS: usize = 1_000_000;
/// Most points of all stations, those of shared maps counted for every station.
pub(crate) const MAX_POINTS: usize = 1_000_000;
/// Most comparisons of the points that rules name with those that their stations have.
pub(crate) const MAX_COMPARISONS: usize = 20_000_000;
/// Most ranges of hours of a schedule: they are looked through for every operation under it.
pub(crate) const MAX_HOURS: usize = 100;

/// `1,000,000`
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How much of a limit is left.
#[derive(Debug)]
pub(crate) struct Budget {
    left: std::cell::Cell<usize>,
    told: std::cell::Cell<bool>,
}

/// What taking from a [`Budget`] came to.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(crate) enum Taken {
    /// There was enough.
    Yes,
    /// There was not, which is to be reported.
    Beyond,
    /// There was not, and it has been said before.
    Told,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Budget {
        Budget { left: limit.into(), told: false.into() }
    }

    pub(crate) fn take(&self, amount: usize) -> Taken {
        if let Some(left) = self.left.get().checked_sub(amount) {
            self.left.set(left);
            return Taken::Yes;
        }
        if self.told.replace(true) { Taken::Told } else { Taken::Beyond }
    }

    /// Whether nobody has gone beyond it.
    pub(crate) fn is_left(&self) -> bool {
        !self.told.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([7, 4096, 100_000, 1_000_000].map(grouped), ["7", "4,096", "100,000", "1,000,000"]);
    }

    #[test]
    fn going_beyond_a_limit_is_told_once() {
        let budget = Budget::new(10);
        let taken = [4, 6, 0, 1, 1].map(|n| budget.take(n));
        assert_eq!(taken, [Taken::Yes, Taken::Yes, Taken::Yes, Taken::Beyond, Taken::Told]);
    }
}
