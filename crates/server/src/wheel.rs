//! A timer wheel: who must be looked at, and at which tick.
//!
//! Knows no deadlines. An entry only says "look again then"; the owner compares with the deadline it keeps and enters
//! itself anew if that has moved. So a deadline that moves with every message costs nothing here.

use crate::clock::Tick;

const BUCKETS: usize = 1024;

/// Entries in buckets by tick; a turn of the wheel is 102 s, later entries wait for their round.
pub(crate) struct Wheel<K> {
    buckets: Vec<Vec<(Tick, K)>>,
    /// Everything before this tick has been handed out.
    next: Tick,
    len: usize,
}

impl<K: Copy> Wheel<K> {
    pub(crate) fn new(now: Tick) -> Self {
        Self {
            buckets: (0..BUCKETS).map(|_| Vec::new()).collect(),
            next: now,
            len: 0,
        }
    }

    /// Enters `key` to be handed out once `due` has been reached.
    pub(crate) fn insert(&mut self, due: Tick, key: K) {
        let due = due.max(self.next);
        self.buckets[due as usize % BUCKETS].push((due, key));
        self.len += 1;
    }

    /// Moves everything that is due at `now` into `out`.
    pub(crate) fn advance(&mut self, now: Tick, out: &mut Vec<K>) {
        if now < self.next {
            return;
        }
        // After a long sleep one turn over all buckets finds everything.
        let steps = ((now - self.next) as usize + 1).min(BUCKETS);
        for step in 0..steps {
            let bucket = &mut self.buckets[(self.next as usize + step) % BUCKETS];
            let before = bucket.len();
            bucket.retain(|&(due, key)| {
                if due <= now {
                    out.push(key);
                }
                due > now
            });
            self.len -= before - bucket.len();
            if bucket.is_empty() && bucket.capacity() > 64 {
                *bucket = Vec::new();
            }
        }
        self.next = now + 1;
    }

    /// The first tick at which something may be due, looking no further than `horizon` ticks ahead.
    pub(crate) fn upcoming(&self, horizon: Tick) -> Option<Tick> {
        if self.len == 0 {
            return None;
        }
        let end = self.next + horizon.min(BUCKETS as Tick);
        (self.next..end)
            .find(|tick| {
                self.buckets[*tick as usize % BUCKETS]
                    .iter()
                    .any(|(due, _)| due <= tick)
            })
            .or(Some(end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(wheel: &mut Wheel<u32>, now: Tick) -> Vec<u32> {
        let mut out = Vec::new();
        wheel.advance(now, &mut out);
        out.sort_unstable();
        out
    }

    #[test]
    fn hands_out_what_is_due_and_keeps_the_rest() {
        let mut wheel = Wheel::new(10);
        for at in [10, 11, 11, 12, 1034, 5000] {
            wheel.insert(at, at);
        }
        assert_eq!(wheel.upcoming(50), Some(10));
        assert_eq!(due(&mut wheel, 11), [10, 11, 11]);
        assert_eq!(wheel.upcoming(50), Some(12));
        assert_eq!(due(&mut wheel, 1033), [12]);
        assert_eq!(due(&mut wheel, 1034), [1034]);
        assert_eq!(due(&mut wheel, 9000), [5000]);
        assert_eq!(wheel.upcoming(50), None);
    }

    #[test]
    fn what_is_late_is_handed_out_next() {
        let mut wheel = Wheel::new(100);
        due(&mut wheel, 200);
        wheel.insert(7, 7);
        assert_eq!(due(&mut wheel, 200), []);
        assert_eq!(due(&mut wheel, 201), [7]);
    }
}
