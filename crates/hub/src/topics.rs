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
    topics: Vec<Topic<S>>,
    /// Places in `topics` that are free.
    free: Vec<TopicIndex>,
    /// Finds a topic by its name, which only `topics` holds.
    names: HashTable<TopicIndex>,
    hasher: DefaultHashBuilder,
    subscribers: HashMap<S, Memberships>,
    subscriptions: usize,
    policies: Patterns<Policy>,
}

struct Topic<S> {
    name: Box<str>,
    subscribers: Vec<S>,
    policy: Policy,
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
    pub fn subscribe(&mut self, subscriber: S, topic: &str) -> bool {
        let index = self.find_or_create(topic);
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
    pub fn unsubscribe(&mut self, subscriber: S, topic: &str) -> bool {
        let Some(index) = self.find(topic) else {
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
    pub fn subscribers(&self, topic: &str) -> &[S] {
        self.find(topic)
            .map_or(&[], |index| &self.topics[index as usize].subscribers)
    }

    /// Whether `subscriber` hears `topic`.
    #[must_use]
    pub fn is_subscribed(&self, subscriber: S, topic: &str) -> bool {
        let memberships = self.subscribers.get(&subscriber);
        memberships
            .zip(self.find(topic))
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
    pub fn count(&self, topic: &str) -> usize {
        self.subscribers(topic).len()
    }

    /// All topics that somebody hears, and how many do.
    pub fn iter(&self) -> impl Iterator<Item = (&str, usize)> {
        let used = self
            .topics
            .iter()
            .filter(|topic| !topic.subscribers.is_empty());
        used.map(|topic| (&*topic.name, topic.subscribers.len()))
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
    pub fn policy(&self, topic: &str) -> Policy {
        self.find(topic).map_or_else(
            || self.policies.of(topic),
            |index| self.topics[index as usize].policy,
        )
    }

    /// Sets the policy of all topics that match `pattern`: a whole name, or a beginning followed by `*`.
    ///
    /// The whole name goes before the longest beginning. Takes the time of all topics.
    pub fn set_policy(&mut self, pattern: &str, policy: Policy) {
        self.policies.set(pattern, policy);
        for topic in &mut self.topics {
            topic.policy = self.policies.of(&topic.name);
        }
    }

    fn find(&self, name: &str) -> Option<TopicIndex> {
        let hash = self.hasher.hash_one(name);
        self.names
            .find(hash, |&index| *self.topics[index as usize].name == *name)
            .copied()
    }

    /// A topic that is created must get a subscriber at once.
    fn find_or_create(&mut self, name: &str) -> TopicIndex {
        if let Some(index) = self.find(name) {
            return index;
        }
        let topic = Topic {
            name: name.into(),
            subscribers: Vec::new(),
            policy: self.policies.of(name),
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
        let hash = hasher.hash_one(name);
        self.names.insert_unique(hash, index, |&index| {
            hasher.hash_one(&*topics[index as usize].name)
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
        let hash = self.hasher.hash_one(&*topic.name);
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
                hasher.hash_one(&*topics[index as usize].name)
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
            policies: Patterns::default(),
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
