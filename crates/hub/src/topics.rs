//! Topics and their subscribers, both ways round.
//!
//! **Invariant:** `topics[t].subscribers[p] == s` exactly if the memberships of `s` map `t` to `p`. A topic has at
//! least one subscriber and a subscriber at least one membership; what would be empty is gone.

use std::hash::{BuildHasher, Hash};

use hashbrown::hash_map::Entry;
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use crate::patterns::Patterns;
use crate::policy::Policy;

/// Where a topic is in the table; used again when the topic is gone.
type TopicIndex = u32;

/// Where a subscriber is in the array of a topic.
type Position = u32;

/// Room for so many is not worth giving back.
const SPARE_MIN: usize = 16;

/// The table of topics: who hears what.
///
/// A publish walks one dense array. Subscribing, unsubscribing and counting take constant time, a subscriber leaves
/// in the time of its subscriptions. A subscriber of one topic takes about 64 bytes.
pub struct Topics<S> {
    topics: Vec<Audience<S>>,
    /// Places in `topics` that are free.
    free: Vec<TopicIndex>,
    /// Finds a topic by its name, which only `topics` holds.
    names: HashTable<TopicIndex>,
    hasher: DefaultHashBuilder,
    subscribers: HashMap<S, Memberships>,
    subscriptions: usize,
    /// By space.
    policies: HashMap<u16, Patterns<Policy>>,
}

/// A topic's name, and in which space: names in different spaces have nothing to do with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Topic<'a> {
    /// The space; 0 where nothing else is said.
    pub space: u16,
    /// The name within it.
    pub name: &'a str,
}

impl<'a> From<&'a str> for Topic<'a> {
    fn from(name: &'a str) -> Self {
        Self { space: 0, name }
    }
}

impl<'a> From<&'a String> for Topic<'a> {
    fn from(name: &'a String) -> Self {
        Self::from(name.as_str())
    }
}

struct Audience<S> {
    space: u16,
    name: Box<str>,
    subscribers: Vec<S>,
    policy: Policy,
}

impl<S> Audience<S> {
    fn key(&self) -> Topic<'_> {
        Topic {
            space: self.space,
            name: &self.name,
        }
    }
}

/// The topics of one subscriber, and where it is in each.
enum Memberships {
    One(TopicIndex, Position),
    Many(Box<HashMap<TopicIndex, Position>>),
}

/// How much there is in a table of topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Topics with at least one subscriber.
    pub topics: usize,
    /// Subscribers of at least one topic.
    pub subscribers: usize,
    /// Pairs of a subscriber and a topic.
    pub subscriptions: usize,
}

impl<S: Copy + Eq + Hash> Topics<S> {
    /// A table without topics.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `subscriber` hear `topic`; `false` when it did already.
    pub fn subscribe<'a>(&mut self, subscriber: S, topic: impl Into<Topic<'a>>) -> bool {
        let index = self.find_or_create(topic.into());
        let subscribers = &mut self.topics[index as usize].subscribers;
        let position = Position::try_from(subscribers.len())
            .expect("fewer subscribers than 2^32 fit in memory");
        match self.subscribers.entry(subscriber) {
            Entry::Vacant(vacant) => {
                vacant.insert(Memberships::One(index, position));
            }
            Entry::Occupied(mut occupied) => {
                if !occupied.get_mut().insert(index, position) {
                    return false;
                }
            }
        }
        push_tightly(subscribers, subscriber);
        self.subscriptions += 1;
        true
    }

    /// Lets `subscriber` no longer hear `topic`; `false` when it did not.
    pub fn unsubscribe<'a>(&mut self, subscriber: S, topic: impl Into<Topic<'a>>) -> bool {
        let Some(index) = self.find(topic.into()) else {
            return false;
        };
        let Entry::Occupied(mut occupied) = self.subscribers.entry(subscriber) else {
            return false;
        };
        let memberships = occupied.get_mut();
        let Some(position) = memberships.get(index) else {
            return false;
        };
        if !memberships.remove(index) {
            occupied.remove();
            self.shrink_subscribers();
        }
        self.take_out(index, position);
        true
    }

    /// Forgets a subscriber; tells how many topics it heard.
    pub fn drop_subscriber(&mut self, subscriber: S) -> usize {
        let Some(memberships) = self.subscribers.remove(&subscriber) else {
            return 0;
        };
        self.shrink_subscribers();
        match memberships {
            Memberships::One(index, position) => {
                self.take_out(index, position);
                1
            }
            Memberships::Many(many) => {
                for (&index, &position) in many.iter() {
                    self.take_out(index, position);
                }
                many.len()
            }
        }
    }

    /// Who hears `topic`, in no particular order, each once.
    #[must_use]
    pub fn subscribers<'a>(&self, topic: impl Into<Topic<'a>>) -> &[S] {
        self.find(topic.into())
            .map_or(&[], |index| &self.topics[index as usize].subscribers)
    }

    /// Whether `subscriber` hears `topic`.
    #[must_use]
    pub fn is_subscribed<'a>(&self, subscriber: S, topic: impl Into<Topic<'a>>) -> bool {
        let memberships = self.subscribers.get(&subscriber);
        memberships
            .zip(self.find(topic.into()))
            .is_some_and(|(memberships, index)| memberships.get(index).is_some())
    }

    /// The topics `subscriber` hears, in no particular order.
    pub fn topics_of(&self, subscriber: S) -> impl Iterator<Item = &str> {
        let (one, many) = match self.subscribers.get(&subscriber) {
            None => (None, None),
            Some(Memberships::One(index, _)) => (Some(index), None),
            Some(Memberships::Many(many)) => (None, Some(many.keys())),
        };
        one.into_iter()
            .chain(many.into_iter().flatten())
            .map(|&index| &*self.topics[index as usize].name)
    }

    /// How many hear `topic`.
    #[must_use]
    pub fn count<'a>(&self, topic: impl Into<Topic<'a>>) -> usize {
        self.subscribers(topic).len()
    }

    /// All topics that somebody hears, and how many do.
    pub fn iter(&self) -> impl Iterator<Item = (Topic<'_>, usize)> {
        let used = self
            .topics
            .iter()
            .filter(|topic| !topic.subscribers.is_empty());
        used.map(|topic| (topic.key(), topic.subscribers.len()))
    }

    /// How much there is in the table.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            topics: self.names.len(),
            subscribers: self.subscribers.len(),
            subscriptions: self.subscriptions,
        }
    }

    /// What happens to those who read `topic` too slowly.
    #[must_use]
    pub fn policy<'a>(&self, topic: impl Into<Topic<'a>>) -> Policy {
        let topic = topic.into();
        self.find(topic).map_or_else(
            || self.policy_of(topic.space, topic.name),
            |index| self.topics[index as usize].policy,
        )
    }

    /// Sets the policy of all topics of a space that match `pattern`: a whole name, or a beginning followed by `*`.
    ///
    /// The whole name goes before the longest beginning. Takes the time of all topics.
    pub fn set_policy<'a>(&mut self, pattern: impl Into<Topic<'a>>, policy: Policy) {
        let Topic { space, name } = pattern.into();
        let policies = self.policies.entry(space).or_default();
        policies.set(name, policy);
        for topic in self.topics.iter_mut().filter(|topic| topic.space == space) {
            topic.policy = policies.of(&topic.name);
        }
    }

    fn policy_of(&self, space: u16, name: &str) -> Policy {
        let policies = self.policies.get(&space);
        policies.map_or_else(Policy::default, |policies| policies.of(name))
    }

    fn find(&self, topic: Topic<'_>) -> Option<TopicIndex> {
        let hash = self.hasher.hash_one(topic);
        self.names
            .find(hash, |&index| self.topics[index as usize].key() == topic)
            .copied()
    }

    /// A topic that is created must get a subscriber at once.
    fn find_or_create(&mut self, wanted: Topic<'_>) -> TopicIndex {
        if let Some(index) = self.find(wanted) {
            return index;
        }
        let topic = Audience {
            space: wanted.space,
            name: wanted.name.into(),
            subscribers: Vec::new(),
            policy: self.policy_of(wanted.space, wanted.name),
        };
        let index = match self.free.pop() {
            Some(index) => {
                self.topics[index as usize] = topic;
                index
            }
            None => {
                self.topics.push(topic);
                TopicIndex::try_from(self.topics.len() - 1)
                    .expect("fewer topics than 2^32 fit in memory")
            }
        };
        let (topics, hasher) = (&self.topics, &self.hasher);
        let hash = hasher.hash_one(wanted);
        self.names.insert_unique(hash, index, |&index| {
            hasher.hash_one(topics[index as usize].key())
        });
        index
    }

    /// Takes the subscriber at `position` out of a topic; its own membership is gone already.
    fn take_out(&mut self, index: TopicIndex, position: Position) {
        self.subscriptions -= 1;
        let subscribers = &mut self.topics[index as usize].subscribers;
        subscribers.swap_remove(position as usize);
        if let Some(moved) = subscribers.get(position as usize) {
            let memberships = self
                .subscribers
                .get_mut(moved)
                .expect("a subscriber has memberships");
            memberships.relocate(index, position);
        } else if subscribers.is_empty() {
            return self.remove_topic(index);
        }
        if subscribers.capacity() > SPARE_MIN && subscribers.capacity() / 4 > subscribers.len() {
            subscribers.shrink_to(subscribers.len() * 2);
        }
    }

    /// Gives back what a crowd has left behind.
    fn shrink_subscribers(&mut self) {
        if self.subscribers.capacity() > SPARE_MIN
            && self.subscribers.capacity() / 8 > self.subscribers.len()
        {
            self.subscribers.shrink_to(self.subscribers.len() * 2);
        }
    }

    fn remove_topic(&mut self, index: TopicIndex) {
        let topic = &mut self.topics[index as usize];
        let hash = self.hasher.hash_one(topic.key());
        self.names
            .find_entry(hash, |&known| known == index)
            .expect("a topic has a name")
            .remove();
        topic.name = Box::default();
        topic.subscribers = Vec::new();
        self.free.push(index);
        if self.names.is_empty() {
            self.topics.clear();
            self.topics.shrink_to(SPARE_MIN);
            self.free.clear();
            self.free.shrink_to(SPARE_MIN);
        }
        if self.names.capacity() > SPARE_MIN && self.names.capacity() / 8 > self.names.len() {
            let (topics, hasher) = (&self.topics, &self.hasher);
            self.names.shrink_to(self.names.len() * 2, |&index| {
                hasher.hash_one(topics[index as usize].key())
            });
        }
    }
}

impl<S> Default for Topics<S> {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            free: Vec::new(),
            names: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            subscribers: HashMap::default(),
            subscriptions: 0,
            policies: HashMap::default(),
        }
    }
}

impl Memberships {
    fn get(&self, topic: TopicIndex) -> Option<Position> {
        match self {
            Self::One(index, position) => (*index == topic).then_some(*position),
            Self::Many(many) => many.get(&topic).copied(),
        }
    }

    /// Adds a membership; `false` when there is one already.
    fn insert(&mut self, topic: TopicIndex, position: Position) -> bool {
        match self {
            Self::One(index, _) if *index == topic => false,
            Self::One(index, at) => {
                *self = Self::Many(Box::new(HashMap::from_iter([
                    (*index, *at),
                    (topic, position),
                ])));
                true
            }
            Self::Many(many) => match many.entry(topic) {
                Entry::Occupied(_) => false,
                Entry::Vacant(vacant) => {
                    vacant.insert(position);
                    true
                }
            },
        }
    }

    /// Removes a membership there is; `false` when it is the last one, which goes with the whole.
    fn remove(&mut self, topic: TopicIndex) -> bool {
        let Self::Many(many) = self else { return false };
        many.remove(&topic);
        if let (1, Some((&index, &position))) = (many.len(), many.iter().next()) {
            *self = Self::One(index, position);
        }
        true
    }

    fn relocate(&mut self, topic: TopicIndex, position: Position) {
        match self {
            Self::One(_, at) => *at = position,
            Self::Many(many) => {
                *many
                    .get_mut(&topic)
                    .expect("whoever is in a topic has a membership") = position
            }
        }
    }
}

/// Grows by a quarter: the arrays of large topics are most of the memory.
fn push_tightly<S>(subscribers: &mut Vec<S>, subscriber: S) {
    if subscribers.len() == subscribers.capacity() {
        subscribers.reserve_exact((subscribers.len() / 4).max(2));
    }
    subscribers.push(subscriber);
}
