//! What a topic remembers: a ring of publications, each with its place in the topic's stream.
//!
//! Bounded by count, age and bytes. Time is an argument, an epoch a number that the caller draws. Knows neither who
//! listens (see `topics`) nor what a publication looks like on the wire.
//!
//! **Invariant:** the offsets kept are consecutive and end with the last one given; the first one ever is 1.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;

/// What an allocation costs beside its content.
const ALLOCATION_BYTES: usize = 16;

/// A place in a stream: everything up to and with `offset` has been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Which stream: drawn when it began. Another epoch is another stream, whatever its offsets.
    pub epoch: u64,
    /// The last publication seen; 0 before the first.
    pub offset: u64,
}

/// How much is kept. What exceeds any of them goes, the oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Publications.
    pub count: usize,
    /// Their age, in milliseconds.
    pub age_ms: u64,
    /// Their bytes together, as the caller counts them.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            count: 1_000,
            age_ms: 300_000,
            bytes: 4 << 20,
        }
    }
}

/// Why what follows a position cannot be told in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// The position is of another stream.
    Epoch,
    /// The oldest publication kept is not the next one: there is a gap.
    Gap,
    /// Nobody was ever given this offset.
    Ahead,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Epoch => "the position is of another stream",
            Self::Gap => "some publications since are no longer kept",
            Self::Ahead => "the position is ahead of the stream",
        })
    }
}

impl Error for Lost {}

/// The newest publications of one topic.
#[derive(Debug)]
pub struct History<P> {
    epoch: u64,
    last: u64,
    kept: VecDeque<Kept<P>>,
    bytes: usize,
    limits: Limits,
}

#[derive(Debug)]
struct Kept<P> {
    at_ms: u64,
    bytes: usize,
    publication: P,
}

impl<P> History<P> {
    /// A stream without publications.
    #[must_use]
    pub fn new(epoch: u64, limits: Limits) -> Self {
        Self::resumed(Position { epoch, offset: 0 }, limits)
    }

    /// A stream that goes on after `position`, whose publications are no longer at hand.
    #[must_use]
    pub fn resumed(position: Position, limits: Limits) -> Self {
        Self {
            epoch: position.epoch,
            last: position.offset,
            kept: VecDeque::new(),
            bytes: 0,
            limits,
        }
    }

    /// Appends a publication of so many bytes; tells its offset.
    pub fn append(&mut self, publication: P, bytes: usize, now_ms: u64) -> u64 {
        self.last += 1;
        self.bytes += bytes;
        self.kept.push_back(Kept {
            at_ms: now_ms,
            bytes,
            publication,
        });
        self.trim(now_ms);
        self.last
    }

    /// Forgets what is too old by now; tells how many bytes are left.
    pub fn expire(&mut self, now_ms: u64) -> usize {
        self.trim(now_ms);
        self.bytes
    }

    /// Forgets the oldest publications until at most `bytes` are left: somebody else needs the room.
    pub fn shrink_to(&mut self, bytes: usize) {
        while self.bytes > bytes {
            self.drop_oldest();
        }
        self.kept.shrink_to_fit();
    }

    /// Forgets the oldest publications until so many bytes of memory are free, or nothing is left.
    pub fn give_back(&mut self, bytes: usize) {
        let before = self.held();
        while !self.kept.is_empty() && before - self.held() < bytes {
            self.drop_oldest();
        }
        self.kept.shrink_to_fit();
    }

    /// How much memory it takes: what is kept, and what it costs to keep it.
    #[must_use]
    pub fn held(&self) -> usize {
        self.bytes
            + self.kept.len() * ALLOCATION_BYTES
            + self.kept.capacity() * size_of::<Kept<P>>()
    }

    /// Changes how much is kept from now on.
    pub fn set_limits(&mut self, limits: Limits, now_ms: u64) {
        self.limits = limits;
        self.trim(now_ms);
    }

    /// Where the stream stands.
    #[must_use]
    pub fn position(&self) -> Position {
        Position {
            epoch: self.epoch,
            offset: self.last,
        }
    }

    /// How many bytes are kept.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many publications are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether none are.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// All that was published after `position`, oldest first, with its offsets.
    ///
    /// # Errors
    /// When that would not be all. What is too old at `now_ms` counts as gone, whether or not anybody has looked since.
    pub fn after(
        &mut self,
        position: Position,
        now_ms: u64,
    ) -> Result<impl ExactSizeIterator<Item = (u64, &P)> + DoubleEndedIterator, Lost> {
        self.trim(now_ms);
        if position.epoch != self.epoch {
            return Err(Lost::Epoch);
        }
        let missed = self.last.checked_sub(position.offset).ok_or(Lost::Ahead)?;
        match usize::try_from(missed) {
            Ok(missed) if missed <= self.kept.len() => Ok(self.newest(missed)),
            _ => Err(Lost::Gap),
        }
    }

    /// The newest publications, at most `count`, oldest first, with their offsets. What is too old may still be among
    /// them: see [`History::expire`].
    pub fn newest(
        &self,
        count: usize,
    ) -> impl ExactSizeIterator<Item = (u64, &P)> + DoubleEndedIterator {
        let count = count.min(self.kept.len());
        let first = self.last + 1 - count as u64;
        let range = self.kept.range(self.kept.len() - count..);
        range
            .enumerate()
            .map(move |(at, kept)| (first + at as u64, &kept.publication))
    }

    fn trim(&mut self, now_ms: u64) {
        let Limits {
            count,
            age_ms,
            bytes,
        } = self.limits;
        while let Some(oldest) = self.kept.front()
            && (self.kept.len() > count
                || self.bytes > bytes
                || now_ms.saturating_sub(oldest.at_ms) >= age_ms)
        {
            self.drop_oldest();
        }
        if self.kept.is_empty() {
            self.kept = VecDeque::new();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(gone) = self.kept.pop_front() {
            self.bytes -= gone.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        count: 3,
        age_ms: 100,
        bytes: 10,
    };

    fn at(offset: u64) -> Position {
        Position { epoch: 7, offset }
    }

    fn after(history: &mut History<char>, offset: u64, now_ms: u64) -> Result<String, Lost> {
        let found = history.after(at(offset), now_ms)?;
        Ok(found.map(|(_, publication)| publication).collect())
    }

    #[test]
    fn what_follows_a_position_is_told_whole_or_not_at_all() {
        let mut history = History::new(7, LIMITS);
        assert_eq!(after(&mut history, 0, 0).as_deref(), Ok(""));
        for (offset, publication) in (1..).zip("abcd".chars()) {
            assert_eq!(history.append(publication, 1, 0), offset);
        }
        assert_eq!(history.position(), at(4));
        assert_eq!(after(&mut history, 1, 0).as_deref(), Ok("bcd"));
        assert_eq!(after(&mut history, 3, 0).as_deref(), Ok("d"));
        assert_eq!(after(&mut history, 4, 0).as_deref(), Ok(""));
        assert_eq!(after(&mut history, 0, 0), Err(Lost::Gap));
        assert_eq!(after(&mut history, 5, 0), Err(Lost::Ahead));
        let foreign = Position {
            epoch: 8,
            offset: 4,
        };
        assert_eq!(history.after(foreign, 0).err(), Some(Lost::Epoch));
    }

    #[test]
    fn offsets_stand_beside_what_they_are_of() {
        let mut history = History::resumed(at(40), LIMITS);
        history.append('a', 1, 0);
        history.append('b', 1, 0);
        let found: Vec<_> = history.after(at(40), 0).expect("kept").collect();
        assert_eq!(found, [(41, &'a'), (42, &'b')]);
        assert_eq!(history.newest(1).collect::<Vec<_>>(), [(42, &'b')]);
        assert_eq!(after(&mut history, 39, 0), Err(Lost::Gap));
    }

    #[test]
    fn age_and_bytes_bound_it_too() {
        let mut history = History::new(7, LIMITS);
        history.append('a', 4, 0);
        history.append('b', 4, 50);
        history.append('c', 4, 60);
        assert_eq!((history.len(), history.bytes()), (2, 8));
        assert_eq!(history.expire(150), 4);
        // The stream stands where it stood: whoever has seen all of it has missed nothing.
        assert_eq!(after(&mut history, 3, 1_000).as_deref(), Ok(""));
        assert_eq!(after(&mut history, 2, 1_000), Err(Lost::Gap));
        history.append('d', 11, 1_000);
        assert!(history.is_empty(), "larger than all that may be kept");
        assert_eq!(history.position(), at(4));
    }

    #[test]
    fn a_clock_that_goes_back_makes_nothing_younger_than_new() {
        let mut history = History::new(7, LIMITS);
        history.append('a', 1, 1_000);
        assert_eq!(history.expire(0), 1);
    }
}
