//! What happens to a subscriber that reads too slowly.
//!
//! Names only; who applies a policy is the owner of the outboxes.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for (policy, name) in Policy::NAMES {
            assert_eq!(policy.to_string(), name);
            assert_eq!(name.parse(), Ok(policy));
        }
        assert_eq!("Close".parse::<Policy>(), Err(UnknownPolicy));
    }
}
