//! Reading ahead: of the connections that are ready, several are read before the first is answered, and all of these are
//! answered before anything of it is sent.
//!
//! The system's code for receiving, the application's, and the system's for sending push each other out of the processor's
//! caches; so each of them has several goes in a row. Nobody waits long for that: when the application takes its time,
//! answers leave as they come.

use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

use super::turns::PIECE_BYTES;
use super::{Inbox, READ_LIMIT_BYTES, Worker, monotonic_ns};
use crate::connection::{Connection, Phase, Turn};
use crate::id::ConnectionId;
use crate::reactor::{Interest, Token};

/// How many connections are read in a row.
const GROUP: usize = 16;
/// Where in the receive buffer they are read to: behind what one connection alone may fill.
const START: usize = READ_LIMIT_BYTES;
/// The room for that. Most reads bring little, so that a group seldom needs more.
pub(super) const AHEAD_BYTES: usize = 5 * PIECE_BYTES;
/// How long an answer waits for those of others.
const PATIENCE_NS: u64 = 200_000;

/// What a connection was found to have said.
#[derive(Clone, Copy)]
pub(super) struct Read {
    id: ConnectionId,
    start: usize,
    outcome: Result<usize, Errno>,
    /// It is ciphertext, in the buffer for that.
    is_sealed: bool,
}

/// Those that have been read and not been looked at.
#[derive(Default)]
pub(super) struct Ahead {
    group: Vec<Read>,
    at: usize,
    /// How many of the group have something to send.
    answered: usize,
    /// When answers stop waiting for each other.
    until_ns: u64,
}

impl Ahead {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.at == self.group.len()
    }

    /// Nobody has anything to send any more.
    #[inline]
    pub(super) fn forget_answers(&mut self) {
        self.answered = 0;
    }

    #[inline]
    fn next(&mut self) -> Option<Read> {
        let read = self.group.get(self.at).copied();
        self.at += usize::from(read.is_some());
        read
    }
}

impl Worker {
    /// Reads the connection that is next in the list of those ready, and whoever follows it there, as long as they are
    /// WebSockets of which a little is expected. False if it is none.
    #[inline]
    pub(super) fn read_ahead(&mut self, inbox: &mut Inbox) -> bool {
        debug_assert!(self.ahead.is_empty());
        self.ahead.group.clear();
        (self.ahead.at, self.ahead.answered) = (0, 0);
        let mut start = START;
        while self.ahead.group.len() < GROUP && start + PIECE_BYTES <= inbox.buffer.len() {
            let Some(ready) = self.ready.get(self.ready_at) else {
                break;
            };
            let Token::Connection(id) = Token::of(ready) else {
                break;
            };
            let Some(connection) = self.connections.get(id) else {
                break;
            };
            let flags = ready.flags;
            if flags != Interest::IN || !connection.is_read_ahead() {
                break;
            }
            self.ready_at += 1;
            self.prefetch_next();
            let is_sealed = connection.tls.is_some();
            let buffer = if is_sealed {
                self.sealing.received()
            } else {
                &mut inbox.buffer[..]
            };
            let room = &mut buffer[start..start + PIECE_BYTES];
            let outcome = recv(&connection.socket, room, RecvFlags::empty()).map(|(len, _)| len);
            self.ahead.group.push(Read {
                id,
                start,
                outcome,
                is_sealed,
            });
            start += outcome.unwrap_or(0);
        }
        if self.ahead.group.len() > 1 {
            self.ahead.until_ns = monotonic_ns() + PATIENCE_NS;
        }
        !self.ahead.is_empty()
    }

    /// Goes on with the next one that has been read; false when there is none.
    #[inline]
    pub(super) fn look_ahead(&mut self, inbox: &mut Inbox) -> bool {
        let Some(read) = self.ahead.next() else {
            return false;
        };
        if read.is_sealed {
            self.on_received_sealed(read.id, read.start, read.outcome, inbox);
        } else {
            self.on_received(read.id, read.start, read.outcome, inbox);
        }
        true
    }

    /// A connection of which a read is worked off may have something to send: sends it, with what the others of its group
    /// have to, as soon as the last of them has been asked. What is published to more than these waits for the end of the batch.
    #[inline]
    pub(super) fn answer_group(&mut self, id: ConnectionId) {
        let is_dirty = self
            .connections
            .get(id)
            .is_some_and(|connection| connection.flags.dirty);
        self.ahead.answered += usize::from(is_dirty);
        let waits = !self.ahead.is_empty() && monotonic_ns() < self.ahead.until_ns;
        let flushes = !waits && self.dirty.len() == self.ahead.answered;
        if !flushes || !is_dirty {
            self.charge(id);
        }
        if !flushes {
            return;
        }
        self.ahead.forget_answers();
        let mut dirty = std::mem::take(&mut self.dirty);
        for id in dirty.drain(..) {
            self.flush_or_cork(id);
        }
        dirty.append(&mut self.dirty);
        self.dirty = dirty;
    }
}

impl Connection {
    /// Whether it may be read before others have been answered: its next bytes are messages, few and small ones by what is
    /// known, and nothing keeps them from being worked off.
    #[inline]
    fn is_read_ahead(&self) -> bool {
        matches!(self.phase, Phase::Open(_))
            && self.tls.as_ref().is_none_or(|tls| tls.is_between_records())
            && !self.flags.paced
            && !self.flags.turn.has(Turn::ROOMY)
            && self.wanted_interest() == Interest::IN
    }
}
