//! Whom a server that ends has still to say goodbye to, in random order: neighbours in time were neighbours in load.

use std::hash::{BuildHasher, RandomState};

use crate::id::ConnectionId;

/// WebSockets that are to be closed, a few at a time.
pub(crate) struct Leave {
    ids: Vec<ConnectionId>,
    dice: Dice,
}

impl Leave {
    /// All of these, shuffled.
    pub(crate) fn of(ids: impl Iterator<Item = ConnectionId>) -> Self {
        let mut leave = Self {
            ids: Vec::new(),
            dice: Dice(RandomState::new().hash_one(0u8) | 1),
        };
        for id in ids {
            leave.add(id);
        }
        leave
    }

    /// One more, somewhere among the others (Fisher and Yates, from the inside out).
    pub(crate) fn add(&mut self, id: ConnectionId) {
        let place = self.dice.below(self.ids.len() + 1);
        self.ids.push(id);
        let last = self.ids.len() - 1;
        self.ids.swap(place, last);
    }

    pub(crate) fn next(&mut self) -> Option<ConnectionId> {
        self.ids.pop()
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }
}

/// Xorshift (Marsaglia 2003): nobody is harmed by who guesses it.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_leaves_once_and_not_in_the_order_of_arrival() {
        let all: Vec<_> = (0..1000)
            .map(|slot| ConnectionId::new(0, 0, slot))
            .collect();
        let mut leave = Leave::of(all.iter().copied());
        assert_eq!(leave.len(), 1000);
        let mut left: Vec<_> = std::iter::from_fn(|| leave.next()).collect();
        // The first hundred are from everywhere: one in ten million shuffles has fewer than 10 of either half.
        let early = left[..100].iter().filter(|id| id.slot() < 500).count();
        assert!((10..=90).contains(&early), "{early}");
        left.sort_by_key(|id| id.slot());
        assert_eq!(left, all);
    }
}
