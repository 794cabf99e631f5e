//! Whose turn it is to forget: names in the order in which they were last used, kept only while somebody asks.
//!
//! Nothing is moved when something is used; an entry that turns out to be out of date goes back to its new place. So a
//! use costs nothing here, and taking the least recently used one costs a logarithm.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Entries of names that are gone by now are worth a rebuild beyond so many.
const STALE_MIN: usize = 1024;

/// Names by the turn in which they were last used.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    heap: BinaryHeap<Reverse<(u64, Box<str>)>>,
}

impl Turns {
    /// Names with their turns, in any order.
    pub(crate) fn of(names: impl Iterator<Item = (u64, Box<str>)>) -> Self {
        Self {
            heap: names.map(Reverse).collect(),
        }
    }

    /// Adds a name; each belongs here once.
    pub(crate) fn add(&mut self, turn: u64, name: &str) {
        self.heap.push(Reverse((turn, name.into())));
    }

    /// Takes the name whose turn is longest ago.
    ///
    /// # Arguments
    /// * `turn_of`: the last turn of a name; `None` when it is none to take any more.
    pub(crate) fn take(&mut self, turn_of: impl Fn(&str) -> Option<u64>) -> Option<Box<str>> {
        loop {
            let Reverse((turn, name)) = self.heap.pop()?;
            match turn_of(&name) {
                None => {}
                // Used since: all others that are older stand before it now.
                Some(used) if used > turn => self.heap.push(Reverse((used, name))),
                Some(_) => return Some(name),
            }
        }
    }

    /// Whether most entries are of names that are gone, if there are `count` names.
    pub(crate) fn is_stale(&self, count: usize) -> bool {
        self.heap.len() > 2 * count + STALE_MIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_comes_first_whatever_its_entry_says() {
        let mut turns = Turns::of([(3, "c".into()), (1, "a".into()), (2, "b".into())].into_iter());
        let now = |name: &str| match name {
            "a" => Some(9),
            "b" => None,
            "c" => Some(3),
            _ => Some(5),
        };
        turns.add(5, "d");
        let mut taken = Vec::new();
        while let Some(name) = turns.take(now) {
            taken.push(name);
        }
        assert_eq!(taken, ["c".into(), "d".into(), Box::<str>::from("a")]);
    }

    #[test]
    fn names_that_are_gone_do_not_pile_up_unseen() {
        let mut turns = Turns::default();
        assert!(!turns.is_stale(0));
        for turn in 0..=STALE_MIN as u64 {
            turns.add(turn, "x");
        }
        assert!(turns.is_stale(0));
        assert!(!turns.is_stale(1));
    }
}
