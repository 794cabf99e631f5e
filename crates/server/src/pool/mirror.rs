//! What the application's side knows of connections that live in other threads, so that it can be asked without waiting.
//!
//! Changed by the commands given and the events received, both in order; the level of an outbox is read from its gauge.

use std::sync::Arc;

use crate::connection::{Acquaintance, Caller};
use crate::gauge::{ENDED, Gauge};
use crate::id::ConnectionId;
use crate::tls::TlsFacts;

/// While less than this may be waiting, by what was last read of the gauge, it is not read again: it is another core's memory.
const UNREAD_BYTES: u64 = 64 << 10;

/// Where a connection stands, as far as the application has been told or has decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its request waits for an answer.
    Deciding,
    /// Its answer has begun; of one with a length, so many bytes are still owed.
    Answering { left: Option<u64> },
    /// A WebSocket.
    Open,
    /// A WebSocket that is being closed, or is closed.
    Closing,
}

/// One connection.
pub(super) struct Mirror {
    pub(super) id: ConnectionId,
    pub(super) standing: Standing,
    pub(super) caller: Caller,
    pub(super) tls: Option<Box<TlsFacts>>,
    pub(super) gauge: Arc<Gauge>,
    /// The answer has no body.
    pub(super) head_only: bool,
    /// Somebody was told of backpressure, and `Drained` has not come yet.
    pub(super) is_congested: bool,
    pub(super) outbox_limit_bytes: u64,
    /// Payload bytes sent so far, as the gauge counts those applied.
    sent_bytes: u64,
    /// What was last read of the gauge.
    applied_bytes: u64,
    waiting_bytes: u64,
}

impl Mirror {
    pub(super) fn new(acquaintance: Acquaintance, limit: usize) -> Self {
        let Acquaintance {
            id,
            caller,
            tls,
            gauge,
            head_only,
        } = acquaintance;
        // The gauge goes on counting from request to request. All that was written for the last one has been applied, or
        // this one would not have been read.
        let applied_bytes = match gauge.levels().0 {
            ENDED => 0,
            applied => applied,
        };
        Self {
            id,
            standing: Standing::Deciding,
            caller,
            tls,
            gauge,
            head_only,
            is_congested: false,
            outbox_limit_bytes: limit as u64,
            sent_bytes: applied_bytes,
            applied_bytes,
            waiting_bytes: 0,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.standing == Standing::Open
    }

    /// A WebSocket, or an answer that has begun.
    pub(super) fn takes_bytes(&self) -> bool {
        matches!(self.standing, Standing::Open | Standing::Answering { .. })
    }

    /// Bytes on their way to the outbox, by what is known.
    fn ahead_bytes(&self) -> u64 {
        self.sent_bytes.saturating_sub(self.applied_bytes)
    }

    /// Bytes on their way to the outbox and in it. Exact where it matters: from [`UNREAD_BYTES`] on, and from half the limit on.
    #[inline]
    pub(super) fn level_bytes(&mut self, more: usize) -> u64 {
        let known = self.ahead_bytes() + self.waiting_bytes + more as u64;
        if known >= UNREAD_BYTES.min(self.outbox_limit_bytes / 2) {
            self.read();
        }
        self.ahead_bytes() + self.waiting_bytes
    }

    /// Bytes on their way to the outbox and in it, read afresh.
    pub(super) fn buffered_bytes(&self) -> u64 {
        let (applied, waiting) = self.gauge.levels();
        self.sent_bytes.saturating_sub(applied) + waiting
    }

    /// Reads the gauge; tells whether nothing is on its way any more, so that what waits is all there is.
    pub(super) fn read(&mut self) -> bool {
        (self.applied_bytes, self.waiting_bytes) = self.gauge.levels();
        if self.applied_bytes == ENDED {
            self.standing = Standing::Closing;
        }
        self.ahead_bytes() == 0
    }

    /// A message has been given to the thread.
    #[inline]
    pub(super) fn sent(&mut self, bytes: usize) {
        self.sent_bytes += bytes as u64;
    }
}

/// The connections of one thread, by slot as in its own table.
#[derive(Default)]
pub(super) struct Mirrors {
    slots: Vec<Option<Mirror>>,
    count: usize,
}

impl Mirrors {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn insert(&mut self, mirror: Mirror) {
        let slot = mirror.id.slot();
        if slot >= self.slots.len() {
            self.slots.resize_with(slot + 1, || None);
        }
        let old = self.slots[slot].replace(mirror);
        self.count += usize::from(old.is_none());
    }

    #[inline]
    pub(super) fn get(&self, id: ConnectionId) -> Option<&Mirror> {
        self.slots
            .get(id.slot())?
            .as_ref()
            .filter(|mirror| mirror.id == id)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Mirror> {
        self.slots
            .get_mut(id.slot())?
            .as_mut()
            .filter(|mirror| mirror.id == id)
    }

    pub(super) fn remove(&mut self, id: ConnectionId) {
        if let Some(place) = self.slots.get_mut(id.slot()) {
            let old = place.take_if(|mirror| mirror.id == id);
            self.count -= usize::from(old.is_some());
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Mirror> {
        self.slots.iter().flatten()
    }

    pub(super) fn clear(&mut self) {
        self.slots.clear();
        self.count = 0;
    }
}
