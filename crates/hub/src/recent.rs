//! Idempotency: what was published under a key not long ago is not published again.
//!
//! Bounded by time and by number: beyond either, the oldest key is forgotten, and a repetition of it would be new.

use std::collections::VecDeque;

use hashbrown::HashMap;

/// The keys of one topic's newest publications, and which offsets they got.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    offsets: HashMap<Box<str>, u64>,
    ages: VecDeque<(u64, Box<str>)>,
    key_bytes: usize,
}

/// What a key takes besides its two copies.
const KEY_BYTES: usize = 96;

impl Recent {
    /// The offset of what was published under `key` within the last `window_ms`.
    pub(crate) fn find(&mut self, key: &str, now_ms: u64, window_ms: u64) -> Option<u64> {
        self.expire(now_ms, window_ms);
        self.offsets.get(key).copied()
    }

    /// Remembers a key that [`Recent::find`] did not know, and at most `count` of them.
    pub(crate) fn insert(&mut self, key: &str, offset: u64, now_ms: u64, count: usize) {
        while self.ages.len() >= count.max(1) {
            self.forget_oldest();
        }
        if self.offsets.insert(key.into(), offset).is_none() {
            self.ages.push_back((now_ms, key.into()));
            self.key_bytes += key.len();
        }
    }

    /// How much memory it takes.
    pub(crate) fn held(&self) -> usize {
        2 * self.key_bytes + self.ages.len() * KEY_BYTES
    }

    /// Forgets what is older than `window_ms`; tells how many are left.
    pub(crate) fn expire(&mut self, now_ms: u64, window_ms: u64) -> usize {
        while let Some((at_ms, _)) = self.ages.front()
            && now_ms.saturating_sub(*at_ms) >= window_ms
        {
            self.forget_oldest();
        }
        if self.ages.is_empty() {
            *self = Self::default();
        }
        self.ages.len()
    }

    fn forget_oldest(&mut self) {
        if let Some((_, key)) = self.ages.pop_front() {
            self.offsets.remove(&key);
            self.key_bytes -= key.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_for_its_window() {
        let mut recent = Recent::default();
        assert_eq!(recent.find("a", 0, 10), None);
        recent.insert("a", 1, 0, 2);
        assert_eq!(recent.find("a", 9, 10), Some(1));
        assert_eq!(recent.find("a", 10, 10), None);
        assert_eq!(recent.expire(10, 10), 0);
    }

    #[test]
    fn of_too_many_keys_the_oldest_goes() {
        let mut recent = Recent::default();
        for (offset, key) in (1..).zip(["a", "b", "c"]) {
            recent.insert(key, offset, 0, 2);
        }
        assert_eq!(recent.find("a", 0, 10), None);
        assert_eq!(recent.find("b", 0, 10), Some(2));
        assert_eq!(recent.find("c", 0, 10), Some(3));
    }
}
