//! Who is in a topic: clients, whose users they are, and what is said about them. Counting takes constant time.
//!
//! **Invariant:** `users[u]` is the number of clients of `u`; a user without a client is gone.

use std::hash::Hash;

use hashbrown::HashMap;

/// The clients in one topic.
#[derive(Debug)]
pub struct Presence<C, I> {
    clients: HashMap<C, Member<I>>,
    users: HashMap<Box<str>, usize>,
    /// Names and infos of all clients.
    bytes: usize,
}

/// What a client takes besides names and info: its places in two tables, and what allocations cost.
const CLIENT_BYTES: usize = 128;

/// What is known about a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member<I> {
    /// Whose client it is; one user may have several.
    pub user: Box<str>,
    /// What others are told about it.
    pub info: I,
    /// How many bytes that takes.
    pub bytes: usize,
}

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Clients.
    pub clients: usize,
    /// Different users among them.
    pub users: usize,
}

impl<C: Copy + Eq + Hash, I> Presence<C, I> {
    /// Lets a client in, or renews what is said about it, in so many bytes; tells whether it is new.
    pub fn join(&mut self, client: C, user: &str, info: I, bytes: usize) -> bool {
        let member = Member {
            user: user.into(),
            info,
            bytes,
        };
        self.bytes += member.held();
        match self.users.get_mut(user) {
            Some(clients) => *clients += 1,
            None => {
                self.users.insert(user.into(), 1);
            }
        }
        let old = self.clients.insert(client, member);
        if let Some(old) = &old {
            self.bytes -= old.held();
            self.forget_user(&old.user);
        }
        old.is_none()
    }

    /// Lets a client out; tells what was known about it.
    pub fn leave(&mut self, client: C) -> Option<Member<I>> {
        let member = self.clients.remove(&client)?;
        self.bytes -= member.held();
        self.forget_user(&member.user);
        Some(member)
    }

    /// Everybody, in no particular order.
    pub fn members(&self) -> impl ExactSizeIterator<Item = (C, &Member<I>)> {
        self.clients
            .iter()
            .map(|(&client, member)| (client, member))
    }

    /// How many there are.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            clients: self.clients.len(),
            users: self.users.len(),
        }
    }

    /// How much memory it takes.
    #[must_use]
    pub fn held(&self) -> usize {
        self.bytes + self.clients.len() * (CLIENT_BYTES + size_of::<(C, Member<I>)>())
    }

    fn forget_user(&mut self, user: &str) {
        if let Some(clients) = self.users.get_mut(user) {
            *clients -= 1;
            if *clients == 0 {
                self.users.remove(user);
            }
        }
    }
}

impl<I> Member<I> {
    fn held(&self) -> usize {
        // The name stands here and, for one client of each user, in the table of users.
        2 * self.user.len() + self.bytes
    }
}

impl<C, I> Default for Presence<C, I> {
    fn default() -> Self {
        Self {
            clients: HashMap::new(),
            users: HashMap::new(),
            bytes: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(presence: &Presence<u32, ()>) -> (usize, usize) {
        let Counts { clients, users } = presence.counts();
        (clients, users)
    }

    #[test]
    fn a_user_is_there_as_long_as_one_client_is() {
        let mut presence = Presence::default();
        assert!(presence.join(1, "ada", (), 0));
        assert!(presence.join(2, "ada", (), 0));
        assert!(presence.join(3, "bob", (), 0));
        assert_eq!(counts(&presence), (3, 2));
        assert!(
            presence
                .leave(1)
                .is_some_and(|member| &*member.user == "ada")
        );
        assert_eq!(counts(&presence), (2, 2));
        assert!(presence.leave(1).is_none());
        presence.leave(2);
        assert_eq!(counts(&presence), (1, 1));
    }

    #[test]
    fn who_comes_again_is_there_once() {
        let mut presence = Presence::default();
        assert!(presence.join(1, "ada", (), 0));
        assert!(!presence.join(1, "ada", (), 0));
        assert_eq!(counts(&presence), (1, 1));
        assert!(
            !presence.join(1, "bob", (), 0),
            "the same client, somebody else's now"
        );
        assert_eq!(counts(&presence), (1, 1));
        presence.leave(1);
        assert_eq!(counts(&presence), (0, 0));
    }
}
