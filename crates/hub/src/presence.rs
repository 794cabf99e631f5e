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
}

/// What is known about a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member<I> {
    /// Whose client it is; one user may have several.
    pub user: Box<str>,
    /// What others are told about it.
    pub info: I,
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
    /// Lets a client in, or renews what is said about it; tells whether it is new.
    pub fn join(&mut self, client: C, user: &str, info: I) -> bool {
        let member = Member {
            user: user.into(),
            info,
        };
        match self.users.get_mut(user) {
            Some(clients) => *clients += 1,
            None => {
                self.users.insert(user.into(), 1);
            }
        }
        let old = self.clients.insert(client, member);
        if let Some(old) = &old {
            self.forget_user(&old.user);
        }
        old.is_none()
    }

    /// Lets a client out; tells what was known about it.
    pub fn leave(&mut self, client: C) -> Option<Member<I>> {
        let member = self.clients.remove(&client)?;
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

    fn forget_user(&mut self, user: &str) {
        if let Some(clients) = self.users.get_mut(user) {
            *clients -= 1;
            if *clients == 0 {
                self.users.remove(user);
            }
        }
    }
}

impl<C, I> Default for Presence<C, I> {
    fn default() -> Self {
        Self {
            clients: HashMap::new(),
            users: HashMap::new(),
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
        assert!(presence.join(1, "ada", ()));
        assert!(presence.join(2, "ada", ()));
        assert!(presence.join(3, "bob", ()));
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
        assert!(presence.join(1, "ada", ()));
        assert!(!presence.join(1, "ada", ()));
        assert_eq!(counts(&presence), (1, 1));
        assert!(
            !presence.join(1, "bob", ()),
            "the same client, somebody else's now"
        );
        assert_eq!(counts(&presence), (1, 1));
        presence.leave(1);
        assert_eq!(counts(&presence), (0, 0));
    }
}
