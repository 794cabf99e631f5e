//! The memory of all channels together: what it comes to, and who has to forget when it is too much.

use std::hash::Hash;

use super::Channels;
use crate::turns::Turns;

/// What histories had to forget for want of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GivenUp {
    /// How often a history was made smaller.
    pub histories: u64,
    /// How many publications went.
    pub publications: u64,
}

impl<C: Copy + Eq + Hash, P, I> Channels<C, P, I> {
    /// How much all channels together may hold; histories forget what is beyond it.
    pub fn set_held_limit(&mut self, bytes: usize) {
        self.held_limit = bytes;
        self.relieve();
    }

    /// How many bytes all of this takes, what it costs to hold it included.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held
    }

    /// Whether it is more than may be held although there is nothing left to forget.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.held > self.held_limit
    }

    /// What had to be forgotten for want of memory.
    #[must_use]
    pub fn given_up(&self) -> GivenUp {
        self.given_up
    }

    /// Brings the sums up to date after one channel has changed.
    pub(super) fn account(&mut self, (bytes, held): (usize, usize), name: &str) {
        let Some(channel) = self.channels.get_mut(name) else {
            return;
        };
        let (bytes_now, held_now) = channel.sizes();
        self.bytes = self.bytes + bytes_now - bytes;
        self.held = self.held + held_now - held;
        if let Some(turns) = &mut self.turns
            && bytes_now > 0
            && !channel.is_queued
        {
            channel.is_queued = true;
            turns.add(channel.turn, name);
        }
    }

    /// Has histories forget until an eighth of what may be held is free; nothing while all of it fits.
    pub(super) fn relieve(&mut self) {
        if self.held <= self.held_limit || self.bytes == 0 {
            return;
        }
        self.relieve_now(self.held_limit - self.held_limit / 8);
    }

    #[cold]
    fn relieve_now(&mut self, goal: usize) {
        if self
            .turns
            .as_ref()
            .is_none_or(|it| it.is_stale(self.channels.len()))
        {
            for channel in self.channels.values_mut() {
                channel.is_queued = channel.bytes() > 0;
            }
            let queued = self.channels.iter().filter(|(_, it)| it.is_queued);
            self.turns = Some(Turns::of(queued.map(|(name, it)| (it.turn, name.clone()))));
        }
        while self.held > goal {
            let channels = &self.channels;
            let turn_of = |name: &str| channels.get(name).map(|channel| channel.turn);
            let turns = self.turns.as_mut().expect("made above");
            let Some(name) = turns.take(turn_of) else {
                return;
            };
            let channel = self.channels.get_mut(&name).expect("was looked at");
            channel.is_queued = false;
            let before = channel.sizes();
            let Some(history) = channel.history.as_mut().filter(|it| !it.is_empty()) else {
                continue;
            };
            let kept = history.len();
            history.give_back(self.held - goal);
            self.given_up.histories += 1;
            self.given_up.publications += (kept - history.len()) as u64;
            self.account(before, &name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Channel, Options};
    use super::*;
    use crate::history::{Limits, Lost, Position};

    type Few = Channels<u32, &'static str, ()>;

    /// A table whose channels say "x" a thousand times as long as they please, and how much one of them takes then.
    fn talkative(names: &[&str]) -> (Few, usize) {
        let mut channels = Few::new(1);
        let options = Options {
            history: Some(Limits::default()),
            ..Options::default()
        };
        channels.set_options("*", options, 0);
        for name in names {
            channels.publish(name, None, 0, |_| ("x", 10_000));
            channels.publish(name, None, 0, |_| ("y", 10_000));
        }
        let held = channels.held() / names.len();
        (channels, held)
    }

    #[test]
    fn when_memory_is_short_the_history_that_was_not_used_for_longest_goes_first() {
        let (mut channels, one) = talkative(&["a", "b", "c", "d"]);
        let start = |channels: &mut Few, name: &str| Position {
            offset: 0,
            ..channels
                .options(name)
                .history
                .map(|_| {
                    channels.channels[name]
                        .history
                        .as_ref()
                        .expect("kept")
                        .position()
                })
                .expect("kept")
        };
        let places: Vec<_> = ["a", "b", "c", "d"]
            .map(|name| start(&mut channels, name))
            .into();
        // Somebody resumes in the oldest: it is in use.
        assert_eq!(channels.after("a", places[0], 0).expect("kept").len(), 2);
        channels.set_held_limit(4 * one - 1);
        let kept = |channels: &Few, name: &str| channels.channels[name].bytes();
        assert_eq!(kept(&channels, "b"), 0, "nobody used it for longest");
        assert_eq!(
            ["a", "c", "d"].map(|name| kept(&channels, name)),
            [20_000; 3]
        );
        assert_eq!(channels.given_up().publications, 2);
        assert!(channels.held() <= 4 * one - one / 2);
        // Never silently: who comes back is told of the gap.
        assert_eq!(channels.after("b", places[1], 0).err(), Some(Lost::Gap));
        // The next one in need takes from the next one in line.
        channels.publish("e", None, 0, |_| ("z", 30_000));
        assert_eq!(kept(&channels, "c"), 0);
        assert_eq!(kept(&channels, "e"), 30_000);
        assert!(!channels.is_full());
    }

    #[test]
    fn a_history_that_fills_all_memory_by_itself_forgets_its_oldest() {
        let (mut channels, _) = talkative(&["a"]);
        channels.set_held_limit(100_000);
        for _ in 0..100 {
            channels.publish("a", None, 0, |_| ("x", 10_000));
            assert!(channels.held() <= 100_000);
        }
        let history = channels.history("a", 0).expect("kept");
        assert!(history.len() >= 7, "{} kept", history.len());
        assert_eq!(history.position().offset, 102);
    }

    #[test]
    fn who_has_forgotten_all_stands_in_line_again_when_it_remembers() {
        let (mut channels, one) = talkative(&["a", "b"]);
        channels.set_held_limit(2 * one - 1);
        channels.forget("b");
        let publish = |channels: &mut Few, name: &str| {
            channels.publish(name, None, 0, |_| ("x", 12_000));
        };
        for _ in 0..3 {
            // Each is the one that was not used for longest when the other one is in need.
            publish(&mut channels, "a");
            publish(&mut channels, "a");
            publish(&mut channels, "b");
            publish(&mut channels, "b");
            assert!(channels.held() < 2 * one);
            assert_eq!(channels.channels["b"].bytes(), 24_000);
        }
    }

    #[test]
    fn what_cannot_be_forgotten_is_told_as_full() {
        let mut channels = Few::new(1);
        let options = Options {
            presence: true,
            ..Options::default()
        };
        channels.set_options("room:*", options, 0);
        channels.set_held_limit(20_000);
        for client in 0..100 {
            channels.join("room:a", client, "ada", ((), 300), 0);
        }
        assert!(channels.is_full());
        for client in 0..100 {
            channels.leave("room:a", client, 0);
        }
        assert!(!channels.is_full());
    }

    #[test]
    fn the_sums_are_those_of_the_parts() {
        let (mut channels, _) = talkative(&["a", "b"]);
        channels.publish("b", Some("key"), 0, |_| ("x", 50));
        channels.publish("b", Some("key"), 90_000, |_| unreachable!("known"));
        channels.forget("a");
        let start = channels.position("b", 0).expect("kept");
        assert!(channels.after("b", start, 400_000).is_ok());
        channels.publish("b", Some("key"), 500_000, |_| ("x", 50));
        let held: usize = channels.channels.values().map(Channel::held).sum();
        assert_eq!(channels.held(), held);
        channels.sweep(100_000_000);
        channels.sweep(200_000_000);
        assert_eq!(
            (channels.len(), channels.held(), channels.bytes()),
            (0, 0, 0)
        );
    }
}
