//! Turns: however much a peer has sent, it is worked on a little at a time, and the others come in between.
//!
//! What one read brings and one turn does not finish is put aside, and its connection at the end of a queue. A batch serves who
//! is ready first, and then a few of that queue; while anybody stands in it, nobody sleeps. Who is no WebSocket yet and finds no
//! place in a batch waits in a queue of its own, for which half of the next ones' places are kept.

use std::collections::VecDeque;

use super::read::Found;
use super::{Inbox, Worker};
use crate::connection::{Connection, Phase, Turn};
use crate::id::ConnectionId;
use crate::reactor::Interest;

/// What a request costs of a turn: the application does more for it.
const REQUEST_COST: u32 = 8;
/// How many put-off turns one batch takes.
const TURNS: usize = 16;
/// What a guest costs of a batch's places, a guest being a connection that is no WebSocket yet: a whole request, or one of the later
/// flights of a TLS handshake.
const GUEST: u32 = 8;
/// What looking at a guest costs. Who dribbles takes the place of a whole request after many bytes only, and keeps nobody from his.
const GLANCE: u32 = 1;
/// What the first flight of a TLS handshake costs: a signature, a key exchange.
const HELLO: u32 = 8 * GUEST;
/// The places: so many requests and handshakes are begun in one batch.
const PLACES: u32 = 16 * GUEST;
/// How many of them are for those who had to wait, while there are any: they must not starve beside who asks again at once.
const KEPT_PLACES: u32 = PLACES / 2;
/// How much is looked at in one piece.
pub(super) const PIECE_BYTES: usize = 16 << 10;
/// A read of at least so much that is worked off in one turn shows that the next one may take more.
pub(super) const ROOMY_BYTES: usize = PIECE_BYTES / 2;
/// How much of its answers a connection keeps to itself until its next turn.
const CORK_BYTES: usize = 16 << 10;

/// What a connection may spend in its turn: a message costs one, and one more for each 16 KiB of it.
pub(super) struct Credit(u32);

impl Credit {
    pub(super) const NONE: Self = Self(0);
    pub(super) const WHOLE: Self = Self(16);

    #[inline]
    pub(super) fn is_spent(&self) -> bool {
        self.0 == 0
    }

    #[inline]
    pub(super) fn spend(&mut self, cost: u32) {
        self.0 = self.0.saturating_sub(cost);
    }
}

/// Who waits for a turn, and what is left of this batch.
#[derive(Default)]
pub(super) struct Turns {
    queue: VecDeque<ConnectionId>,
    due: usize,
    /// Those who are no WebSockets yet, and wait to begin.
    guests: VecDeque<ConnectionId>,
    guests_due: usize,
    /// What is left for guests in this batch.
    places: u32,
    /// The guest whose turn it is.
    called: Option<ConnectionId>,
}

impl Turns {
    /// Whether anybody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.guests.is_empty()
    }

    /// A batch begins. Who is put off in it comes in the next one.
    pub(super) fn begin(&mut self) {
        self.due = self.queue.len().min(TURNS);
        self.guests_due = self.guests.len();
        self.places = PLACES;
    }

    /// The next one whose turn it is in this batch.
    pub(super) fn next(&mut self) -> Option<ConnectionId> {
        if self.places > 0 && self.guests_due > 0 {
            self.guests_due -= 1;
            self.called = self.guests.pop_front();
            return self.called;
        }
        self.due = self.due.checked_sub(1)?;
        self.queue.pop_front()
    }

    #[inline]
    fn spend(&mut self, cost: u32) {
        self.places = self.places.saturating_sub(cost);
    }

    /// Whether a guest finds a place in this batch.
    fn is_full(&mut self, id: ConnectionId) -> bool {
        let is_called = self.called.take() == Some(id);
        let kept = if is_called || self.guests.is_empty() {
            0
        } else {
            KEPT_PLACES
        };
        self.places <= kept
    }
}

/// What a message costs.
#[inline]
pub(super) fn cost(bytes: usize) -> u32 {
    1 + (bytes >> 14) as u32
}

impl Worker {
    /// Puts a connection at the end of the queue, unless it stands in it.
    pub(super) fn queue_turn(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id)
            && !connection.flags.turn.is_queued()
        {
            connection.flags.turn.set(Turn::QUEUED, true);
            self.turns.queue.push_back(id);
        }
    }

    /// This connection has had its turn; what it has said beyond waits for the next one.
    #[cold]
    pub(super) fn put_off(&mut self, id: ConnectionId, inbox: &mut Inbox) -> Found {
        self.queue_turn(id);
        self.stash(id, inbox)
    }

    /// Whether a connection that is no WebSocket yet must wait because others came before it in this batch.
    pub(super) fn is_guest_too_many(&mut self, id: ConnectionId) -> bool {
        let Some(connection) = self.connections.get_mut(id) else {
            return false;
        };
        if !matches!(connection.phase, Phase::Head { .. }) {
            return false;
        }
        if self.turns.is_full(id) {
            // Who stands in a queue is not asked here.
            connection.flags.turn.set(Turn::QUEUED, true);
            self.turns.guests.push_back(id);
            return true;
        }
        let cost = match &connection.tls {
            Some(tls) if tls.is_fresh() => HELLO,
            Some(tls) if tls.is_in_handshake() => GUEST,
            _ => GLANCE,
        };
        self.turns.spend(cost);
        false
    }

    /// A guest has said all of what it asks for: the application works on it, or it is refused.
    #[inline]
    pub(super) fn count_request(&mut self, inbox: &mut Inbox) {
        inbox.credit.spend(REQUEST_COST);
        self.turns.spend(GUEST - GLANCE);
    }

    /// It is this connection's turn.
    pub(super) fn take_turn(&mut self, id: ConnectionId, inbox: &mut Inbox) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        connection.flags.turn.set(Turn::QUEUED, false);
        let waits = connection.stash_len() > 0;
        if waits && connection.may_digest() {
            if !self.is_guest_too_many(id) {
                inbox.borrow_for(id);
            }
            return;
        }
        if connection.flags.turn.has(Turn::CORKED) {
            self.flush_one(id);
        }
        if waits {
            // Something else keeps it: epoll has to know for what it waits now, as the queue no longer does.
            self.refresh_interest(id);
        } else {
            self.on_ready(id, Interest::empty(), inbox);
        }
    }

    /// Puts the next piece of what was put aside where received bytes are. False when nothing is to be looked at now.
    pub(super) fn lend_more(&mut self, id: ConnectionId, inbox: &mut Inbox) -> bool {
        let Some(connection) = self.connections.get_mut(id) else {
            return false;
        };
        if connection.stash_len() == 0 || !connection.may_digest() {
            return false;
        }
        if inbox.credit.is_spent() {
            self.queue_turn(id);
            return false;
        }
        let stash = &mut connection.rare().stash;
        inbox.start = 0;
        inbox.end = stash.lend(&mut inbox.buffer[..PIECE_BYTES]);
        true
    }

    /// Keeps what cannot be looked at yet; nothing more is read until then.
    pub(super) fn stash(&mut self, id: ConnectionId, inbox: &mut Inbox) -> Found {
        if let Some(connection) = self.connections.get_mut(id) {
            let rest = &inbox.buffer[inbox.start..inbox.end];
            let stash = &mut connection.rare().stash;
            if inbox.is_lent {
                stash.take_back(rest);
            } else {
                stash.push(rest);
            }
        }
        inbox.start = inbox.end;
        Found::Nothing
    }

    /// Reading goes on: first with what was put aside.
    pub(super) fn read_on(&mut self, id: ConnectionId) {
        match self.connections.get(id) {
            Some(connection) if connection.stash_len() > 0 => self.queue_turn(id),
            _ => self.refresh_interest(id),
        }
    }
}

impl Inbox {
    /// What was put aside for this connection is looked at, piece by piece.
    fn borrow_for(&mut self, id: ConnectionId) {
        self.fill(id, 0, 0);
        self.is_lent = true;
    }
}

impl Connection {
    /// How much one read takes: only who has shown to say much in few messages is read far ahead, for what a turn does not
    /// finish is kept.
    #[inline]
    pub(super) fn read_limit(&self, most: usize) -> usize {
        if self.flags.turn.has(Turn::ROOMY) {
            most
        } else {
            PIECE_BYTES
        }
    }

    /// Whether its answers may wait for its next turn, so that more of them leave at once.
    pub(super) fn may_cork(&self) -> bool {
        self.flags.turn.is_queued() && self.waiting_bytes() < CORK_BYTES
    }
}
