//! Channels: what topics remember and who is in them, each with the options of its name.
//!
//! Decides; delivers nothing. Publications are whatever the caller makes them, clients are numbers it chooses, time and
//! chance come in as arguments. Who hears a topic is known to [`Topics`](crate::Topics), not here: a channel may be
//! remembered though nobody listens.
//!
//! All of it has one limit of memory. Beyond it the histories that were not used for longest forget first; whoever
//! resumes there is told of the gap, as if they were too old.
//!
//! **Invariant:** a channel is there exactly as long as it remembers something, has somebody in it, is heard by somebody
//! who was counted, or could still be resumed; then it is gone, and its next epoch is another one.

use std::hash::Hash;

use hashbrown::HashMap;

use crate::history::{History, Limits, Lost, Position};
use crate::patterns::Patterns;
use crate::presence::{Counts, Member, Presence};
use crate::recent::Recent;
use crate::turns::Turns;

mod memory;

pub use memory::GivenUp;

/// How long a key keeps a publication from being repeated.
const IDEMPOTENCY_WINDOW_MS: u64 = 120_000;
/// How many keys one channel remembers.
const IDEMPOTENCY_KEYS: usize = 10_000;
/// How many channels one call of [`Channels::sweep`] looks at.
const SWEEP_PORTION: usize = 256;
/// What a channel takes besides what it holds: its entries in the tables, and what allocations cost.
const CHANNEL_BYTES: usize = 256;

/// What channels of one kind do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How much is remembered; `None`: nothing, and publications have no offsets.
    pub history: Option<Limits>,
    /// How long a stream without publications may still be resumed, in milliseconds.
    pub resumable_ms: u64,
    /// Whether it is known who is in it.
    pub presence: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            history: None,
            resumable_ms: 86_400_000,
            presence: false,
        }
    }
}

/// What became of a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// It is new; its place, where the channel remembers.
    New(Option<Position>),
    /// The same key has been published before: nobody is to hear it again.
    Repeated(Option<Position>),
}

/// A publication that a store has kept.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'k, P> {
    /// What was published.
    pub publication: P,
    /// How much of the history it takes.
    pub bytes: usize,
    /// When it was published.
    pub at_ms: u64,
    /// Under which key.
    pub key: Option<&'k str>,
}

/// The table of channels.
#[derive(Debug)]
pub struct Channels<C, P, I> {
    channels: HashMap<Box<str>, Channel<C, P, I>>,
    /// Names in the order in which [`Channels::sweep`] looks at them; each channel stands here once.
    rounds: std::collections::VecDeque<Box<str>>,
    options: Patterns<Options>,
    /// Where the next epoch comes from.
    chance: u64,
    /// Of all histories.
    bytes: usize,
    /// All that is held, with what it costs to hold it.
    held: usize,
    held_limit: usize,
    /// Counts uses, so that it is known which was longest ago.
    turn: u64,
    /// The channels with something to forget, while memory is short; see `Channel::is_queued`.
    turns: Option<Turns>,
    given_up: GivenUp,
}

#[derive(Debug)]
struct Channel<C, P, I> {
    options: Options,
    history: Option<History<P>>,
    presence: Option<Presence<C, I>>,
    recent: Option<Recent>,
    /// How many hear it; see [`Channels::hear`].
    hearers: usize,
    used_ms: u64,
    /// When it was used last, counted in uses.
    turn: u64,
    /// Whether it stands in `Channels::turns`.
    is_queued: bool,
    name_bytes: usize,
}

impl<C: Copy + Eq + Hash, P, I> Channels<C, P, I> {
    /// A table without channels; `seed` makes its epochs differ from those of others.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            channels: HashMap::new(),
            rounds: std::collections::VecDeque::new(),
            options: Patterns::default(),
            chance: seed,
            bytes: 0,
            held: 0,
            held_limit: usize::MAX,
            turn: 0,
            turns: None,
            given_up: GivenUp::default(),
        }
    }

    /// Sets what channels do that match `pattern`, those that are there included: a whole name, or its beginning followed
    /// by `*`.
    pub fn set_options(&mut self, pattern: &str, options: Options, now_ms: u64) {
        self.options.set(pattern, options);
        let (mut bytes, mut held) = (0, 0);
        for (name, channel) in &mut self.channels {
            channel.options = self.options.of(name);
            match (&mut channel.history, channel.options.history) {
                (Some(history), Some(limits)) => history.set_limits(limits, now_ms),
                (history, None) => *history = None,
                (None, Some(_)) => {}
            }
            if !channel.options.presence {
                channel.presence = None;
            }
            bytes += channel.bytes();
            held += channel.held();
        }
        (self.bytes, self.held) = (bytes, held);
    }

    /// What a channel of this name does.
    #[must_use]
    pub fn options(&self, name: &str) -> Options {
        match self.channels.get(name) {
            Some(channel) => channel.options,
            None => self.options.of(name),
        }
    }

    /// Remembers a publication of so many bytes; with a key, once within two minutes.
    ///
    /// `make` is called with the place that the publication gets: it may have to stand in it.
    pub fn publish(
        &mut self,
        name: &str,
        key: Option<&str>,
        now_ms: u64,
        make: impl FnOnce(Option<Position>) -> (P, usize),
    ) -> Published {
        let options = self.options(name);
        if options.history.is_none() && key.is_none() {
            let _ = make(None);
            return Published::New(None);
        }
        let channel = self.channel(name, now_ms);
        let before = channel.sizes();
        if let (Some(key), Some(recent)) = (key, &mut channel.recent)
            && let Some(offset) = recent.find(key, now_ms, IDEMPOTENCY_WINDOW_MS)
        {
            let place = channel.history.as_ref().map(|history| Position {
                offset,
                ..history.position()
            });
            self.account(before, name);
            return Published::Repeated(place);
        }
        let place = channel.history.as_ref().map(|history| {
            let Position { epoch, offset } = history.position();
            Position {
                epoch,
                offset: offset + 1,
            }
        });
        let (publication, bytes) = make(place);
        if let Some(history) = &mut channel.history {
            history.append(publication, bytes, now_ms);
        }
        if let Some(key) = key {
            let offset = place.map_or(0, |place| place.offset);
            channel
                .recent
                .get_or_insert_default()
                .insert(key, offset, now_ms, IDEMPOTENCY_KEYS);
        }
        self.account(before, name);
        self.relieve();
        Published::New(place)
    }

    /// Where a channel's stream stands, from now on; `None` where nothing is remembered.
    pub fn position(&mut self, name: &str, now_ms: u64) -> Option<Position> {
        self.options(name).history?;
        let history = self.channel(name, now_ms).history.as_ref();
        history.map(History::position)
    }

    /// All that was published after `since`; see [`History::after`].
    ///
    /// # Errors
    /// When that would not be all; [`Lost::Epoch`] where nothing is remembered.
    pub fn after(
        &mut self,
        name: &str,
        since: Position,
        now_ms: u64,
    ) -> Result<impl ExactSizeIterator<Item = (u64, &P)> + DoubleEndedIterator, Lost> {
        if self.options(name).history.is_none() {
            return Err(Lost::Epoch);
        }
        self.expire(name, now_ms);
        let history = self.channel(name, now_ms).history.as_mut();
        history.ok_or(Lost::Epoch)?.after(since, now_ms)
    }

    /// What a channel remembers, if it does.
    pub fn history(&mut self, name: &str, now_ms: u64) -> Option<&History<P>> {
        self.options(name).history?;
        self.expire(name, now_ms);
        self.channel(name, now_ms).history.as_ref()
    }

    /// Puts back what a store has kept of a stream that ended at `position`: its publications, oldest first.
    pub fn restore<'k>(
        &mut self,
        name: &str,
        position: Position,
        publications: impl ExactSizeIterator<Item = Stored<'k, P>>,
        now_ms: u64,
    ) {
        let Some(limits) = self.options(name).history else {
            return;
        };
        let first = position.offset.saturating_sub(publications.len() as u64);
        let mut history = History::resumed(
            Position {
                offset: first,
                ..position
            },
            limits,
        );
        let mut recent = Recent::default();
        for stored in publications {
            let offset = history.append(stored.publication, stored.bytes, stored.at_ms);
            if let Some(key) = stored.key {
                recent.insert(key, offset, stored.at_ms, IDEMPOTENCY_KEYS);
            }
        }
        history.expire(now_ms);
        let channel = self.channel(name, now_ms);
        let before = channel.sizes();
        channel.history = Some(history);
        channel.recent = Some(recent);
        self.account(before, name);
        self.relieve();
    }

    /// Forgets what a channel has published; its stream stands where it stood.
    pub fn forget(&mut self, name: &str) {
        let Some(channel) = self.channels.get_mut(name) else {
            return;
        };
        let before = channel.sizes();
        if let Some(history) = &mut channel.history {
            history.shrink_to(0);
        }
        self.account(before, name);
    }

    /// Lets a client into a channel, with so many bytes of info; tells whether it is new there.
    ///
    /// Does nothing where presence is off.
    pub fn join(
        &mut self,
        name: &str,
        client: C,
        user: &str,
        (info, bytes): (I, usize),
        now_ms: u64,
    ) -> bool {
        if !self.options(name).presence {
            return false;
        }
        let channel = self.channel(name, now_ms);
        let before = channel.sizes();
        let presence = channel.presence.get_or_insert_default();
        let is_new = presence.join(client, user, info, bytes);
        self.account(before, name);
        self.relieve();
        is_new
    }

    /// Lets a client out; tells what was known about it there.
    pub fn leave(&mut self, name: &str, client: C, now_ms: u64) -> Option<Member<I>> {
        let channel = self.channels.get_mut(name)?;
        let before = channel.sizes();
        let presence = channel.presence.as_mut()?;
        let member = presence.leave(client);
        if presence.counts().clients == 0 {
            channel.presence = None;
        }
        channel.used_ms = now_ms;
        self.account(before, name);
        member
    }

    /// Counts somebody who hears a channel that remembers, so that it is not forgotten meanwhile; tells whether it does.
    pub fn hear(&mut self, name: &str, now_ms: u64) -> bool {
        if self.options(name).history.is_none() {
            return false;
        }
        self.channel(name, now_ms).hearers += 1;
        true
    }

    /// Counts somebody no longer whom [`Channels::hear`] has counted.
    pub fn ignore(&mut self, name: &str, now_ms: u64) {
        if let Some(channel) = self.channels.get_mut(name) {
            channel.hearers = channel.hearers.saturating_sub(1);
            channel.used_ms = channel.used_ms.max(now_ms);
        }
    }

    /// Who is in a channel.
    #[must_use]
    pub fn presence(&self, name: &str) -> Option<&Presence<C, I>> {
        self.channels.get(name)?.presence.as_ref()
    }

    /// How many are in a channel.
    #[must_use]
    pub fn counts(&self, name: &str) -> Counts {
        self.presence(name)
            .map(Presence::counts)
            .unwrap_or_default()
    }

    /// Whether a channel is there.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.channels.contains_key(name)
    }

    /// How many channels there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.channels.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.channels.is_empty()
    }

    /// How many bytes all histories keep.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Forgets what has had its time, in a portion of all channels: to be called now and then.
    pub fn sweep(&mut self, now_ms: u64) {
        for _ in 0..SWEEP_PORTION.min(self.rounds.len()) {
            let Some(name) = self.rounds.pop_front() else {
                return;
            };
            let Some(channel) = self.channels.get_mut(&name) else {
                continue;
            };
            let before = channel.sizes();
            let is_over = channel.is_over(now_ms);
            self.account(before, &name);
            if is_over && let Some(gone) = self.channels.remove(&name) {
                self.held -= gone.held();
            } else {
                self.rounds.push_back(name);
            }
        }
    }

    /// Forgets what is too old in one channel.
    fn expire(&mut self, name: &str, now_ms: u64) {
        let Some(channel) = self.channels.get_mut(name) else {
            return;
        };
        let before = channel.sizes();
        if let Some(history) = &mut channel.history {
            history.expire(now_ms);
        }
        self.account(before, name);
    }

    fn channel(&mut self, name: &str, now_ms: u64) -> &mut Channel<C, P, I> {
        if !self.channels.contains_key(name) {
            let options = self.options.of(name);
            let epoch = next(&mut self.chance);
            let channel = Channel {
                history: options.history.map(|limits| History::new(epoch, limits)),
                options,
                presence: None,
                recent: None,
                hearers: 0,
                used_ms: now_ms,
                turn: 0,
                is_queued: false,
                name_bytes: name.len(),
            };
            self.held += channel.held();
            self.rounds.push_back(name.into());
            self.channels.insert(name.into(), channel);
            self.relieve();
        }
        let channel = self.channels.get_mut(name).expect("inserted above");
        channel.used_ms = channel.used_ms.max(now_ms);
        self.turn += 1;
        channel.turn = self.turn;
        if channel.history.is_none()
            && let Some(limits) = channel.options.history
        {
            channel.history = Some(History::new(next(&mut self.chance), limits));
        }
        channel
    }
}

impl<C: Copy + Eq + Hash, P, I> Channel<C, P, I> {
    fn bytes(&self) -> usize {
        self.history.as_ref().map_or(0, History::bytes)
    }

    /// All that it takes.
    fn held(&self) -> usize {
        CHANNEL_BYTES
            + size_of::<Self>()
            + 2 * self.name_bytes
            + self.history.as_ref().map_or(0, History::held)
            + self.presence.as_ref().map_or(0, Presence::held)
            + self.recent.as_ref().map_or(0, Recent::held)
    }

    fn sizes(&self) -> (usize, usize) {
        (self.bytes(), self.held())
    }

    /// Forgets what is too old; tells whether nothing is left that anybody could ask for.
    fn is_over(&mut self, now_ms: u64) -> bool {
        if let Some(history) = &mut self.history {
            history.expire(now_ms);
        }
        if let Some(recent) = &mut self.recent
            && recent.expire(now_ms, IDEMPOTENCY_WINDOW_MS) == 0
        {
            self.recent = None;
        }
        let remembers = self.history.as_ref().is_some_and(|it| !it.is_empty());
        let idle_ms = now_ms.saturating_sub(self.used_ms);
        let resumable = self.history.is_some() && idle_ms < self.options.resumable_ms;
        let is_used = self.hearers > 0 || self.presence.is_some() || self.recent.is_some();
        !remembers && !resumable && !is_used
    }
}

/// SplitMix64: enough that two streams do not share an epoch by accident; no secret depends on it.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Few = Channels<u32, &'static str, ()>;

    fn channels() -> Few {
        let mut channels = Few::new(1);
        let options = Options {
            history: Some(Limits {
                count: 2,
                age_ms: 100,
                bytes: 100,
            }),
            resumable_ms: 1_000,
            presence: true,
        };
        channels.set_options("room:*", options, 0);
        channels
    }

    fn publish(channels: &mut Few, name: &str, text: &'static str, now_ms: u64) -> Published {
        channels.publish(name, None, now_ms, |_| (text, text.len()))
    }

    #[test]
    fn the_longest_beginning_decides() {
        let mut channels = channels();
        channels.set_options("room:quiet:*", Options::default(), 0);
        assert!(channels.options("room:a").presence);
        assert!(!channels.options("room:quiet:a").presence);
        assert!(!channels.options("other").presence);
    }

    #[test]
    fn what_is_remembered_can_be_resumed_and_what_is_not_costs_nothing() {
        let mut channels = channels();
        assert_eq!(publish(&mut channels, "news", "x", 0), Published::New(None));
        assert!(channels.is_empty());
        let start = channels.position("room:a", 0).expect("remembered");
        publish(&mut channels, "room:a", "one", 0);
        publish(&mut channels, "room:a", "two", 0);
        let found: Vec<_> = channels.after("room:a", start, 0).expect("kept").collect();
        assert_eq!(found, [(1, &"one"), (2, &"two")]);
        assert_eq!(channels.bytes(), 6);
        publish(&mut channels, "room:a", "three", 0);
        assert_eq!(channels.after("room:a", start, 0).err(), Some(Lost::Gap));
        assert_eq!(channels.bytes(), 8);
    }

    #[test]
    fn a_key_is_published_once() {
        let mut channels = channels();
        let first = channels.publish("room:a", Some("k"), 0, |_| ("x", 1));
        let Published::New(Some(place)) = first else {
            panic!("new: {first:?}");
        };
        let again = channels.publish("room:a", Some("k"), 5, |_| unreachable!("not made twice"));
        assert_eq!(again, Published::Repeated(Some(place)));
        let late = channels.publish("room:a", Some("k"), IDEMPOTENCY_WINDOW_MS, |_| ("x", 1));
        assert!(matches!(late, Published::New(_)));
    }

    #[test]
    fn a_channel_that_nobody_can_ask_for_is_gone_and_its_epoch_with_it() {
        let mut channels = channels();
        publish(&mut channels, "room:a", "one", 0);
        assert!(channels.join("room:a", 1, "ada", ((), 0), 0));
        let seen = channels.position("room:a", 0).expect("remembered");
        channels.sweep(5_000);
        assert_eq!(channels.len(), 1, "somebody is in it");
        assert_eq!(channels.bytes(), 0, "what it said is too old");
        assert!(channels.leave("room:a", 1, 5_000).is_some());
        channels.sweep(5_999);
        assert_eq!(channels.position("room:a", 5_999), Some(seen));
        channels.sweep(6_999);
        assert!(channels.is_empty());
        assert_eq!(
            channels.after("room:a", seen, 6_999).err(),
            Some(Lost::Epoch)
        );
    }

    #[test]
    fn what_somebody_hears_goes_on_however_long_nothing_is_said() {
        let mut channels = channels();
        assert!(channels.hear("room:a", 0));
        assert!(channels.hear("room:a", 0));
        publish(&mut channels, "room:a", "one", 0);
        let seen = channels.position("room:a", 0).expect("remembered");
        channels.ignore("room:a", 10);
        channels.sweep(5_000);
        assert_eq!(channels.len(), 1, "one is left");
        channels.ignore("room:a", 5_000);
        channels.sweep(5_999);
        assert_eq!(channels.position("room:a", 5_999), Some(seen));
        channels.sweep(6_999);
        assert!(channels.is_empty());
        assert!(!channels.hear("news", 6_999), "nothing to forget");
        channels.ignore("news", 6_999);
        assert!(channels.is_empty());
    }

    #[test]
    fn what_a_store_has_kept_goes_on() {
        let mut channels = channels();
        let position = Position {
            epoch: 9,
            offset: 5,
        };
        let kept = ["four", "five"].map(|publication| Stored {
            publication,
            bytes: 4,
            at_ms: 0,
            key: Some(publication),
        });
        channels.restore("room:a", position, kept.into_iter(), 0);
        let again = channels.publish("room:a", Some("five"), 0, |_| unreachable!("known"));
        assert_eq!(again, Published::Repeated(Some(position)));
        assert_eq!(channels.position("room:a", 0), Some(position));
        let since = Position {
            epoch: 9,
            offset: 4,
        };
        let found: Vec<_> = channels.after("room:a", since, 0).expect("kept").collect();
        assert_eq!(found, [(5, &"five")]);
        assert_eq!(channels.bytes(), 8);
    }
}
