//! How often a rule was used by a pair: the times of its last uses, as many as the rate allows.

use std::collections::VecDeque;

use parsers::Timestamp;
use profiles::{Rate, RuleId};

/// Rules with a rate that are followed for a pair. More are judged without it.
const RULES: usize = 8;

/// Uses of rules by one pair.
#[derive(Debug, Default)]
pub struct Rates {
    used: Vec<Used>,
}

#[derive(Debug)]
struct Used {
    rule: RuleId,
    /// At most as many as the rate allows, oldest first.
    times: VecDeque<Timestamp>,
    /// Uses within the time, those beyond the rate too.
    beyond: u64,
}

impl Rates {
    /// Note a use. `Some`: it is the n-th within the time, and that is too many.
    pub fn exceeded(&mut self, rule: RuleId, rate: Rate, now: Timestamp) -> Option<u64> {
        let place = match self.used.iter().position(|used| used.rule == rule) {
            Some(place) => place,
            None if self.used.len() < RULES => {
                self.used.push(Used { rule, times: VecDeque::with_capacity(rate.count as usize), beyond: 0 });
                self.used.len() - 1
            }
            None => return None,
        };
        let used = self.used.get_mut(place)?;
        while used.times.front().is_some_and(|first| now.since(*first) >= rate.per_ns) {
            used.times.pop_front();
        }
        let full = used.times.len() >= rate.count as usize;
        if !full {
            used.beyond = 0;
            used.times.push_back(now);
            return None;
        }
        used.beyond += 1;
        Some(used.times.len() as u64 + used.beyond)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_allowed_in_any_stretch_of_the_time() {
        let rate = Rate { count: 3, per_ns: 60 };
        let mut rates = Rates::default();
        let mut at = |ns| rates.exceeded(RuleId(1), rate, Timestamp(ns));
        assert_eq!([at(0), at(10), at(20), at(30), at(59)], [None, None, None, Some(4), Some(5)]);
        assert_eq!(at(60), None, "the first is a minute ago");
        assert_eq!(at(61), Some(4));
        assert_eq!(at(200), None);
    }

    #[test]
    fn rules_are_counted_apart_and_their_number_is_bounded() {
        let rate = Rate { count: 1, per_ns: 60 };
        let mut rates = Rates::default();
        for rule in 0..RULES as u32 {
            assert_eq!(rates.exceeded(RuleId(rule), rate, Timestamp(0)), None);
            assert_eq!(rates.exceeded(RuleId(rule), rate, Timestamp(1)), Some(2));
        }
        for n in 0..3 {
            assert_eq!(rates.exceeded(RuleId(99), rate, Timestamp(n)), None, "no room, so not followed");
        }
    }
}
