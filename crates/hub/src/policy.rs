//! What happens to a subscriber that reads too slowly, and which topics that is so for.
//!
//! A table of patterns only; who applies a policy is the owner of the outboxes.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// What to do with a message for a subscriber whose outbox is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// Close the connection, so that the subscriber comes back and catches up.
    #[default]
    Close,
    /// Leave out this message.
    DropNewest,
    /// Leave out the messages that have waited longest.
    DropOldest,
    /// Replace the waiting message with the same key; without one, as [`Policy::DropOldest`].
    Conflate,
}

impl Policy {
    const NAMES: [(Policy, &'static str); 4] = [
        (Policy::Close, "close"),
        (Policy::DropNewest, "drop-newest"),
        (Policy::DropOldest, "drop-oldest"),
        (Policy::Conflate, "conflate"),
    ];
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::NAMES.iter().find(|(policy, _)| policy == self);
        f.write_str(named.map_or("", |(_, name)| name))
    }
}

impl FromStr for Policy {
    type Err = UnknownPolicy;

    fn from_str(text: &str) -> Result<Self, UnknownPolicy> {
        let named = Self::NAMES.iter().find(|(_, name)| *name == text);
        named.map(|(policy, _)| *policy).ok_or(UnknownPolicy)
    }
}

/// A text that names no [`Policy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownPolicy;

impl fmt::Display for UnknownPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not one of close, drop-newest, drop-oldest, conflate")
    }
}

impl Error for UnknownPolicy {}

/// Policies by pattern: a topic's whole name, or its beginning followed by `*`.
#[derive(Debug, Clone, Default)]
pub struct Policies {
    exact: Vec<(Box<str>, Policy)>,
    /// Without their `*`, longest first.
    prefixes: Vec<(Box<str>, Policy)>,
}

impl Policies {
    /// Sets the policy of all topics that match `pattern`, in place of the one it had.
    pub fn set(&mut self, pattern: &str, policy: Policy) {
        let (list, key) = match pattern.strip_suffix('*') {
            Some(prefix) => (&mut self.prefixes, prefix),
            None => (&mut self.exact, pattern),
        };
        match list.iter_mut().find(|(known, _)| **known == *key) {
            Some((_, known)) => *known = policy,
            None => list.push((key.into(), policy)),
        }
        self.prefixes
            .sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
    }

    /// The policy of a topic: by its whole name, else by the longest beginning, else [`Policy::Close`].
    ///
    /// Walks the patterns; [`Topics`](crate::Topics) asks once in the life of a topic.
    #[must_use]
    pub fn of(&self, topic: &str) -> Policy {
        let exact = self.exact.iter().find(|(name, _)| **name == *topic);
        let prefix = || {
            self.prefixes
                .iter()
                .find(|(prefix, _)| topic.starts_with(&**prefix))
        };
        exact
            .or_else(prefix)
            .map(|(_, policy)| *policy)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_pattern_decides() {
        let mut policies = Policies::default();
        assert_eq!(policies.of("prices/eur"), Policy::Close);
        policies.set("*", Policy::DropNewest);
        policies.set("prices/*", Policy::DropOldest);
        policies.set("prices/eur", Policy::Conflate);
        assert_eq!(policies.of("chat"), Policy::DropNewest);
        assert_eq!(policies.of("prices/"), Policy::DropOldest);
        assert_eq!(policies.of("prices/usd"), Policy::DropOldest);
        assert_eq!(policies.of("prices/eur"), Policy::Conflate);
        policies.set("prices/*", Policy::Close);
        assert_eq!(policies.of("prices/usd"), Policy::Close);
    }

    #[test]
    fn a_star_elsewhere_is_a_star() {
        let mut policies = Policies::default();
        policies.set("a*b", Policy::Conflate);
        assert_eq!(policies.of("axb"), Policy::Close);
        assert_eq!(policies.of("a*b"), Policy::Conflate);
    }

    #[test]
    fn names_are_read_back() {
        for (policy, name) in Policy::NAMES {
            assert_eq!(policy.to_string(), name);
            assert_eq!(name.parse(), Ok(policy));
        }
        assert_eq!("Close".parse::<Policy>(), Err(UnknownPolicy));
    }
}
