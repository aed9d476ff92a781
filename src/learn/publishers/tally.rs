//! Values of one kind, counted in a few places: who chooses every octet can put rare values among them, but not push
//! out the one that comes most of the time (space-saving counters).

/// Places. A value that makes up more than a quarter of all is always among them.
const PLACES: usize = 4;
/// A value is the only one that counts if all others together make up at most this part of all.
const STRAY: u64 = 10;

/// A few values and how often each came, at most.
#[derive(Debug, Clone)]
pub(super) struct Tally<T> {
    all: u64,
    places: Vec<Place<T>>,
}

#[derive(Debug, Clone)]
struct Place<T> {
    value: T,
    count: u64,
    /// How much of the count may be that of values that had the place before.
    before: u64,
}

impl<T> Default for Tally<T> {
    fn default() -> Self {
        Tally { all: 0, places: Vec::new() }
    }
}

impl<T> Tally<T> {
    /// The value came once more. It is made only if it is new.
    pub(super) fn note(&mut self, is: impl Fn(&T) -> bool, make: impl FnOnce() -> T) {
        self.all += 1;
        if let Some(place) = self.places.iter_mut().find(|place| is(&place.value)) {
            place.count += 1;
        } else if self.places.len() < PLACES {
            self.places.push(Place { value: make(), count: 1, before: 0 });
        } else if let Some(least) = self.places.iter_mut().min_by_key(|place| place.count) {
            *least = Place { value: make(), count: least.count + 1, before: least.count };
        }
    }

    /// The value that came nearly always.
    pub(super) fn usual(&self) -> Option<&T> {
        let place = self.places.iter().max_by_key(|place| place.count)?;
        let others = self.all - (place.count - place.before);
        (others * STRAY <= self.all).then_some(&place.value)
    }

    /// The values that are remembered, the most frequent first.
    pub(super) fn values(&self) -> Vec<&T> {
        let mut places: Vec<_> = self.places.iter().collect();
        places.sort_by_key(|place| std::cmp::Reverse(place.count));
        places.into_iter().map(|place| &place.value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(values: impl IntoIterator<Item = u32>) -> Tally<u32> {
        let mut tally = Tally::default();
        values.into_iter().for_each(|value| tally.note(|own| *own == value, || value));
        tally
    }

    #[test]
    fn strays_do_not_push_out_the_usual_value_nor_count_beside_it() {
        assert_eq!(tally([7; 3]).usual(), Some(&7));
        assert_eq!(tally((100..104).chain([7; 60])).usual(), Some(&7), "junk came first");
        assert_eq!(tally([7; 60].into_iter().chain(100..105)).usual(), Some(&7));
        assert_eq!(tally([7, 8]).usual(), None);
        assert_eq!(tally(0..1000).usual(), None, "none of many");
        assert_eq!(tally([]).usual(), None);
    }
}
