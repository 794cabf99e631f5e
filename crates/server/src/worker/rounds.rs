//! Publications to many, on their way: a round at a time, in portions, so that nobody else waits for all of them.
//!
//! A round remembers who has still to hear a message as a set of slots, taken when it was published: who comes later does not
//! hear it, who unsubscribes later does. A connection that is about to hear or say anything else catches up first, with all
//! rounds at once; so its order is the application's, and what has piled up for it leaves in one system call.

use std::collections::VecDeque;
use std::sync::Arc;

use hubbub_hub::{Policy, Topic};
use rustix::net::{SendFlags, send};

use super::publish::{Heard, SharedMessage};
use super::{Worker, monotonic_ns};
use crate::id::ConnectionId;
use crate::outbox::Keep;

/// How long one portion takes, about.
const PORTION_NS: u64 = 250_000;
/// After so many connections the time is looked at.
const STRIDE: u32 = 8;
/// How many are closed in one portion: what that costs, the application pays later.
const CLOSED: usize = 16;
/// How many rounds wait, and how many bytes of theirs, before the oldest is ended at once: who publishes faster than can be
/// written is held up by that.
const ROUNDS: usize = 256;
const ROUNDS_BYTES: usize = 8 << 20;

/// One message, and who has still to hear it.
struct Round {
    message: Arc<SharedMessage>,
    policy: Policy,
    keep: Keep,
    to: Slots,
}

/// See the module.
#[derive(Default)]
pub(super) struct Rounds {
    /// Oldest first.
    queue: VecDeque<Round>,
    bytes: usize,
}

impl Rounds {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// A connection is gone: what is in its slot next hears nothing of this.
    pub(super) fn forget(&mut self, id: ConnectionId) {
        self.forget_slot(id.slot());
    }

    fn forget_slot(&mut self, slot: usize) {
        for round in &mut self.queue {
            round.to.take(slot);
        }
    }

    /// Who is next in the oldest round; rounds that everybody has heard are over.
    fn next_slot(&mut self) -> Option<usize> {
        while let Some(round) = self.queue.front_mut() {
            if let Some(slot) = round.to.first() {
                return Some(slot);
            }
            self.bytes -= round.message.payload().len();
            self.queue.pop_front();
        }
        None
    }

    fn is_full(&self) -> bool {
        self.queue.len() > ROUNDS || self.bytes > ROUNDS_BYTES
    }
}

/// A set of slots, of which the first is found quickly.
struct Slots {
    words: Vec<u64>,
    /// All words before this one are empty.
    first: usize,
}

impl Slots {
    fn of(ids: impl Iterator<Item = ConnectionId>, room: usize) -> Self {
        let mut words = vec![0; room.div_ceil(64)];
        for id in ids {
            let slot = id.slot();
            words[slot / 64] |= 1 << (slot % 64);
        }
        Self { words, first: 0 }
    }

    /// Takes one out; tells whether it was there.
    #[inline]
    fn take(&mut self, slot: usize) -> bool {
        let Some(word) = self.words.get_mut(slot / 64) else {
            return false;
        };
        let bit = 1 << (slot % 64);
        let was_there = *word & bit != 0;
        *word &= !bit;
        was_there
    }

    fn first(&mut self) -> Option<usize> {
        let empty = self.words[self.first..].iter().position(|word| *word != 0);
        self.first += empty?;
        Some(self.first * 64 + self.words[self.first].trailing_zeros() as usize)
    }
}

impl Worker {
    /// Begins a round: the subscribers hear the message by and by.
    pub(super) fn begin_round(
        &mut self,
        topic: Topic<'_>,
        message: Arc<SharedMessage>,
        keep: Keep,
        exclude: Option<ConnectionId>,
    ) {
        let subscribers = self.topics.subscribers(topic).iter().copied();
        let to = Slots::of(
            subscribers.filter(|id| exclude != Some(*id)),
            self.connections.slot_count(),
        );
        let policy = self.topics.policy(topic);
        self.rounds.bytes += message.payload().len();
        self.rounds.queue.push_back(Round {
            message,
            policy,
            keep,
            to,
        });
        while self.rounds.is_full() {
            self.visit_next();
        }
    }

    /// Before anything else happens to a connection: whatever was published before comes first.
    #[inline]
    pub(super) fn catch_up(&mut self, id: ConnectionId) {
        if !self.rounds.is_empty() {
            self.hear(id, true);
        }
    }

    /// The next portion of what is on its way.
    pub(super) fn go_round(&mut self) {
        if self.rounds.is_empty() {
            return;
        }
        let end_ns = monotonic_ns() + PORTION_NS;
        let mut closed = 0;
        for visit in 1.. {
            match self.visit_next() {
                None => return,
                Some(Heard::Slow) => closed += 1,
                Some(_) => {}
            }
            if closed >= CLOSED || visit % STRIDE == 0 && monotonic_ns() >= end_ns {
                return;
            }
        }
    }

    /// Lets the next connection hear all that is on its way to it, and sends it.
    fn visit_next(&mut self) -> Option<Heard> {
        let slot = self.rounds.next_slot()?;
        self.connections.prefetch(slot + 1);
        let Some(id) = self.connections.id_at(slot) else {
            debug_assert!(false, "who is gone is forgotten");
            self.rounds.forget_slot(slot);
            return Some(Heard::Not);
        };
        if self.pass_on(id) {
            return Some(Heard::Yes);
        }
        let heard = self.hear(id, false);
        if heard == Heard::Yes {
            self.flush_one(id);
        }
        Some(heard)
    }

    /// The short way for what is nearly always so: one message is on its way, and nothing waits for this connection. It leaves
    /// from where it is. False if it must go the long way.
    fn pass_on(&mut self, id: ConnectionId) -> bool {
        if self.rounds.queue.len() != 1 {
            return false;
        }
        let Some(round) = self.rounds.queue.front_mut() else {
            return false;
        };
        let Some(connection) = self.connections.get_mut(id) else {
            return false;
        };
        if !connection.takes_plain() {
            return false;
        }
        let frame = round.message.plain();
        // Any error shows again on the long way, which deals with it.
        let Ok(sent) = send(&connection.socket, frame, SendFlags::NOSIGNAL) else {
            return false;
        };
        round.to.take(id.slot());
        self.stats.messages_out += 1;
        self.stats.bytes_out += sent as u64;
        connection.meter.said();
        connection.meter.sent(sent);
        if sent < frame.len() {
            connection.outbox.append(&mut self.pool, |out| {
                out.extend_from_slice(&frame[sent..]);
            });
            connection.flags.blocked = true;
            connection.note_level();
            self.charge(id);
            self.refresh_interest(id);
        }
        true
    }

    /// Tells a connection all that is on its way to it. `joins`: it is flushed with the others of this batch; otherwise the
    /// caller does it.
    fn hear(&mut self, id: ConnectionId, joins: bool) -> Heard {
        let result = self.deliver_from(id, |delivery, rounds| {
            let mut result = Heard::Not;
            for round in &mut rounds.queue {
                if round.to.take(id.slot()) && result != Heard::Slow {
                    match delivery.deliver(id, &round.message, round.policy, round.keep) {
                        Heard::Not => {}
                        heard => result = heard,
                    }
                }
            }
            result
        });
        match result {
            Heard::Slow => self.close_slow(id),
            Heard::Yes if joins => self.mark_dirty(id),
            _ => {}
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_found_in_order_and_once() {
        let ids = [0, 63, 64, 130, 199].map(|slot| ConnectionId::new(1, 7, slot));
        let mut slots = Slots::of(ids.into_iter(), 200);
        assert!(slots.take(64) && !slots.take(64) && !slots.take(65) && !slots.take(1000));
        let mut found = Vec::new();
        while let Some(slot) = slots.first() {
            assert!(slots.take(slot));
            found.push(slot);
        }
        assert_eq!(found, [0, 63, 130, 199]);
        assert_eq!(slots.first(), None);
    }
}
