//! The table of topics against a naive one: whatever is done to both, they tell the same.

use std::collections::{BTreeMap, BTreeSet};

use hubbub_hub::{Policy, Topic, Topics};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Subscribe(u64, u8),
    Unsubscribe(u64, u8),
    Drop(u64),
    SetPolicy(u8, bool, Policy),
}

/// Few subscribers and topics, so that they meet; one subscriber in many topics, one topic with many subscribers.
fn step() -> impl Strategy<Value = Step> {
    let subscriber = prop_oneof![0..6_u64, 0..200_u64];
    let topic = prop_oneof![0..4_u8, 0..60_u8];
    let policies = vec![
        Policy::Close,
        Policy::DropNewest,
        Policy::DropOldest,
        Policy::Conflate,
    ];
    prop_oneof![
        12 => (subscriber.clone(), topic.clone()).prop_map(|(s, t)| Step::Subscribe(s, t)),
        6 => (subscriber.clone(), topic.clone()).prop_map(|(s, t)| Step::Unsubscribe(s, t)),
        2 => subscriber.prop_map(Step::Drop),
        1 => (topic, any::<bool>(), prop::sample::select(policies)).prop_map(|(t, star, p)| Step::SetPolicy(t, star, p)),
    ]
}

fn name(topic: u8) -> String {
    format!("room/{topic}")
}

#[derive(Default)]
struct Naive {
    pairs: BTreeSet<(String, u64)>,
    policies: BTreeMap<String, Policy>,
}

impl Naive {
    fn subscribers(&self, topic: &str) -> Vec<u64> {
        self.pairs
            .iter()
            .filter(|(name, _)| name == topic)
            .map(|(_, subscriber)| *subscriber)
            .collect()
    }

    fn topics_of(&self, subscriber: u64) -> Vec<&str> {
        self.pairs
            .iter()
            .filter(|(_, known)| *known == subscriber)
            .map(|(name, _)| &**name)
            .collect()
    }

    fn policy(&self, topic: &str) -> Policy {
        let patterns = (0..=topic.len())
            .rev()
            .map(|length| format!("{}*", &topic[..length]));
        let patterns = std::iter::once(topic.to_owned()).chain(patterns);
        patterns
            .filter_map(|pattern| self.policies.get(&pattern).copied())
            .next()
            .unwrap_or_default()
    }
}

fn sorted<T: Ord + Copy>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    items.sort_unstable();
    items
}

proptest! {
    #[test]
    fn both_tables_tell_the_same(steps in prop::collection::vec(step(), 0..600)) {
        let (mut topics, mut naive) = (Topics::new(), Naive::default());
        for step in steps {
            match step {
                Step::Subscribe(subscriber, topic) => {
                    let is_new = naive.pairs.insert((name(topic), subscriber));
                    prop_assert_eq!(topics.subscribe(subscriber, &name(topic)), is_new);
                }
                Step::Unsubscribe(subscriber, topic) => {
                    let was_there = naive.pairs.remove(&(name(topic), subscriber));
                    prop_assert_eq!(topics.unsubscribe(subscriber, &name(topic)), was_there);
                }
                Step::Drop(subscriber) => {
                    let count = naive.topics_of(subscriber).len();
                    naive.pairs.retain(|(_, known)| *known != subscriber);
                    prop_assert_eq!(topics.drop_subscriber(subscriber), count);
                }
                Step::SetPolicy(topic, star, policy) => {
                    let pattern = if star { format!("{}*", name(topic)) } else { name(topic) };
                    topics.set_policy(&pattern, policy);
                    naive.policies.insert(pattern, policy);
                }
            }
        }
        for topic in 0..60 {
            let name = name(topic);
            let expected = naive.subscribers(&name);
            prop_assert_eq!(topics.count(&name), expected.len());
            prop_assert_eq!(sorted(topics.subscribers(&name).iter().copied()), expected);
            prop_assert_eq!(topics.policy(&name), naive.policy(&name));
        }
        for subscriber in 0..200 {
            prop_assert_eq!(sorted(topics.topics_of(subscriber)), naive.topics_of(subscriber));
            prop_assert_eq!(topics.is_subscribed(subscriber, "room/1"), naive.pairs.contains(&("room/1".to_owned(), subscriber)));
        }
        let names: BTreeSet<&str> = naive.pairs.iter().map(|(name, _)| &**name).collect();
        prop_assert_eq!(sorted(topics.iter().map(|(topic, _)| topic.name)), sorted(names.iter().copied()));
        let stats = topics.stats();
        prop_assert_eq!(stats.subscriptions, naive.pairs.len());
        prop_assert_eq!(stats.topics, names.len());
        let subscribers: BTreeSet<u64> = naive.pairs.iter().map(|(_, subscriber)| *subscriber).collect();
        prop_assert_eq!(stats.subscribers, subscribers.len());
    }
}

#[test]
fn names_in_different_spaces_have_nothing_to_do_with_each_other() {
    let here = |name| Topic { space: 7, name };
    let mut topics = Topics::new();
    assert!(topics.subscribe(1, "news"));
    assert!(topics.subscribe(1, here("news")));
    assert!(topics.subscribe(2, here("news")));
    assert_eq!(topics.subscribers("news"), [1]);
    assert_eq!(topics.count(here("news")), 2);
    topics.set_policy(here("n*"), Policy::Conflate);
    assert_eq!(topics.policy(here("news")), Policy::Conflate);
    assert_eq!(topics.policy("news"), Policy::Close);
    assert!(topics.unsubscribe(1, "news"));
    assert!(topics.is_subscribed(1, here("news")));
    assert_eq!(topics.drop_subscriber(1), 1);
    assert_eq!(topics.subscribers(here("news")), [2]);
}
