//! From a message to the socket: queueing, water marks, flushing, and the last steps of a connection.

use std::os::fd::AsFd;

use hubbub_protocol::close;
use hubbub_protocol::endpoint::{Kind, append_message, encode_message};
use hubbub_protocol::error::Misuse;
use hubbub_protocol::frame::{Header, OpCode};
use rustix::io::Errno;
use rustix::net::{SendFlags, Shutdown, send, shutdown};

use super::Worker;
use super::sealed::Sealing;
use crate::connection::{Connection, NEVER, Phase, Turn};
use crate::event::{ClosedBy, Raw};
use crate::id::ConnectionId;
use crate::limits::{Limit, TRIED_TIMES};
use crate::memory::prefer_large_pages;
use crate::outbox::{Flushed, Pool};
use crate::reactor::Interest;

/// A message of this size is sent from the caller's memory if the socket takes it, without a copy.
const DIRECT_BYTES: usize = 8 << 10;
/// A message below this size takes a short way as long as little else waits.
const SHORT_BYTES: usize = 1 << 10;
/// So much may be corked before it is sent ahead of the batch's end.
pub(super) const CORK_BYTES: usize = 64 << 10;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It will be sent.
    Queued,
    /// It will be sent, but the outbox is above its high water mark: wait for [`Event::Drained`](crate::Event::Drained).
    Backpressure,
    /// The outbox was full; the message was not taken.
    Dropped,
    /// The connection is not open; the message was not taken.
    Closed,
}

impl Worker {
    /// Sends one message.
    #[inline]
    pub fn send(&mut self, id: ConnectionId, kind: Kind, payload: &[u8]) -> Sent {
        self.catch_up(id);
        let tries_outbox = self.settings.tries(Limit::Outbox);
        let Some(connection) = self.connections.get_mut(id) else {
            return Sent::Closed;
        };
        if !connection.is_open() {
            return Sent::Closed;
        }
        let cork_bytes = CORK_BYTES.min(connection.outbox_limit_bytes as usize);
        if payload.len() < SHORT_BYTES
            && !tries_outbox
            && connection.takes_corked()
            && let Some(buffer) = connection
                .outbox
                .corked(&mut self.pool, cork_bytes.saturating_sub(2 * SHORT_BYTES))
        {
            append_message(kind, payload, buffer);
            connection.meter.said();
            self.stats.messages_out += 1;
            if !connection.flags.dirty {
                connection.flags.dirty = true;
                self.dirty.push(id);
            }
            return Sent::Queued;
        }
        if connection.waiting_bytes() >= cork_bytes && !self.has_room(id) {
            self.stats.dropped += 1;
            self.refuses(Limit::Outbox, id);
            return Sent::Dropped;
        }
        if tries_outbox {
            self.try_outbox(id);
        }
        self.queue(id, kind, payload)
    }

    /// Tells of a message that would find no room if the limit were enforced.
    #[cold]
    fn try_outbox(&mut self, id: ConnectionId) {
        let is_over = |worker: &Self| {
            let connection = worker.connections.get(id);
            connection.is_some_and(Connection::is_over_tried)
        };
        if is_over(self) {
            // What is full only because this batch has not been sent yet is not slow.
            self.has_room(id);
        }
        if is_over(self) {
            self.lets_pass(Limit::Outbox, id);
        }
    }

    /// Whether the outbox is below its high water mark, after sending what the socket takes.
    pub(super) fn has_room(&mut self, id: ConnectionId) -> bool {
        if self
            .connections
            .get(id)
            .is_some_and(|connection| !connection.flags.blocked)
        {
            self.flush_one(id);
        }
        let Some(connection) = self.connections.get_mut(id) else {
            return false;
        };
        let room = connection.waiting_bytes() < connection.outbox_limit_bytes as usize;
        connection.flags.congested |= !room;
        room
    }

    #[inline]
    fn queue(&mut self, id: ConnectionId, kind: Kind, payload: &[u8]) -> Sent {
        let Some(connection) = self.connections.get_mut(id) else {
            return Sent::Closed;
        };
        let mask = self.masks.of(connection);
        let Phase::Open(endpoint) = &mut connection.phase else {
            return Sent::Closed;
        };
        self.stats.messages_out += 1;
        connection.meter.said();
        let plain = endpoint.deflate().is_none() && !connection.flags.is_client;
        if plain && payload.len() >= DIRECT_BYTES && !connection.flags.blocked {
            return self.send_direct(id, kind, payload);
        }
        let (codec, pool) = (&mut self.codec, &mut self.pool);
        // It fails only when the endpoint is not open, which has been looked at.
        let queued = connection
            .outbox
            .append(pool, |out| endpoint.send(kind, payload, mask, codec, out));
        debug_assert!(queued.is_ok());
        let over = connection.waiting_bytes() >= connection.outbox_limit_bytes as usize;
        connection.flags.congested |= over;
        if connection.flags.blocked {
            // No flush will come by soon to see what is held.
            self.charge(id);
        } else if !connection.flags.dirty {
            connection.flags.dirty = true;
            self.dirty.push(id);
        }
        if over {
            Sent::Backpressure
        } else {
            Sent::Queued
        }
    }

    /// Sends a message that an application in another thread has been told is queued: it is not refused any more.
    #[inline]
    pub(crate) fn send_granted(&mut self, id: ConnectionId, kind: Kind, payload: &[u8]) {
        self.catch_up(id);
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if connection.is_open() {
            let cork_bytes = CORK_BYTES.min(connection.outbox_limit_bytes as usize);
            self.queue(id, kind, payload);
            // Whoever reads the gauge now must not take for a slow peer what has only not been sent yet.
            if let Some(connection) = self.connections.get(id)
                && connection.waiting_bytes() >= cork_bytes
                && !connection.flags.blocked
            {
                self.flush_one(id);
            }
        } else if connection.is_judged() && !connection.flags.finishing {
            // The answer to what came before the end. The endpoint takes nothing more, but a frame may still be written.
            connection.outbox.append(&mut self.pool, |out| {
                out.extend_from_slice(&encode_message(kind, false, payload));
            });
            self.mark_dirty(id);
        }
        if let Some(connection) = self.connections.get_mut(id) {
            connection.note_level();
            if let Some(gauge) = &connection.gauge {
                gauge.applied(payload.len());
            }
        }
    }

    /// Tells [`Event::Drained`](crate::Event::Drained) as soon as the outbox is below the low water mark, at once if it is now.
    pub(crate) fn tell_drained(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        connection.flags.congested = true;
        if !connection.flags.blocked {
            self.flush_one(id);
        }
    }

    /// Header from the outbox, payload from where it is: one system call, no copy but of what the socket leaves.
    fn send_direct(&mut self, id: ConnectionId, kind: Kind, payload: &[u8]) -> Sent {
        let Some(connection) = self.connections.get_mut(id) else {
            return Sent::Closed;
        };
        let opcode = match kind {
            Kind::Text => OpCode::Text,
            Kind::Binary => OpCode::Binary,
        };
        let header = Header {
            fin: true,
            rsv1: false,
            opcode,
            mask: None,
            length: payload.len() as u64,
        }
        .encode();
        connection
            .outbox
            .append(&mut self.pool, |out| out.extend_from_slice(&header));
        match connection.write(&mut self.pool, &mut self.sealing, payload) {
            Err(error) => {
                self.broken(id, Some(error));
                Sent::Closed
            }
            Ok(flushed) => {
                self.stats.bytes_out += flushed.bytes as u64;
                let rest = &payload[flushed.extra..];
                if !rest.is_empty() {
                    connection.outbox.append(&mut self.pool, |out| {
                        out.reserve(rest.len());
                        let start = out.as_ptr();
                        prefer_large_pages(start..start.wrapping_add(out.capacity()));
                        out.extend_from_slice(rest);
                    });
                }
                connection.flags.blocked = flushed.blocked;
                connection.note_level();
                let over = connection.waiting_bytes() >= connection.outbox_limit_bytes as usize;
                connection.flags.congested |= over;
                self.charge(id);
                self.refresh_interest(id);
                if over {
                    Sent::Backpressure
                } else {
                    Sent::Queued
                }
            }
        }
    }

    /// Begins the closing handshake on the application's behalf. Nothing happens if it has begun already.
    ///
    /// # Errors
    /// A code or reason that may not be sent; then nothing is.
    pub fn close(&mut self, id: ConnectionId, code: u16, reason: &str) -> Result<(), Misuse> {
        self.close_by(id, ClosedBy::App, code, reason)
    }

    /// The same on behalf of either.
    pub(crate) fn close_by(
        &mut self,
        id: ConnectionId,
        by: ClosedBy,
        code: u16,
        reason: &str,
    ) -> Result<(), Misuse> {
        self.catch_up(id);
        let Some(connection) = self.connections.get_mut(id) else {
            return Ok(());
        };
        let mask = self.masks.of(connection);
        let Phase::Open(endpoint) = &mut connection.phase else {
            return Ok(());
        };
        if endpoint.close_sent() {
            return Ok(());
        }
        connection.outbox.append(&mut self.pool, |out| {
            endpoint.close(Some(code), reason, mask, out)
        })?;
        if !reason.is_empty() {
            connection.rare().farewell = close::cut(reason).into();
        }
        connection.flags.closed_by = Some(by);
        connection.flags.paced = false;
        if connection.flags.is_held() {
            // The peer's answer must be found behind whatever is still unread.
            connection.flags.squeezed = false;
            self.end_throttle(id);
            self.resume(id);
            self.read_on(id);
        }
        self.mark_dirty(id);
        self.set_deadline(id, self.spans.close);
        self.time_close(id);
        Ok(())
    }

    /// The time that closing may take begins when our close frame has left: until then the peer's pace is what counts.
    fn time_close(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if !matches!(&connection.phase, Phase::Open(endpoint) if endpoint.close_sent()) {
            return;
        }
        if connection.flags.blocked {
            connection.deadline = NEVER;
            self.note_stall(id, 0);
        } else if connection.deadline == NEVER && !connection.has_to_send() {
            self.set_deadline(id, self.spans.close);
        }
    }

    /// Sends what connections have to say, and another portion of what was published to many.
    #[inline]
    pub fn flush(&mut self) {
        if self.pressure.is_due() {
            self.relieve();
        }
        let mut dirty = std::mem::take(&mut self.dirty);
        for id in dirty.drain(..) {
            self.flush_one(id);
        }
        self.ahead.forget_answers();
        self.go_round();
        // Flushing may have made others dirty (a late pong): they keep their place for the next batch.
        dirty.append(&mut self.dirty);
        self.dirty = dirty;
    }

    #[inline]
    pub(super) fn mark_dirty(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id)
            && !connection.flags.dirty
            && !connection.flags.blocked
        {
            connection.flags.dirty = true;
            self.dirty.push(id);
        }
    }

    /// At the end of a turn: sends what waits or, where another turn follows soon, leaves it for that.
    pub(super) fn flush_or_cork(&mut self, id: ConnectionId) {
        match self.connections.get_mut(id) {
            Some(connection) if connection.may_cork() => {
                connection.flags.turn.set(Turn::CORKED, true);
                self.charge(id);
            }
            _ => self.flush_one(id),
        }
    }

    pub(super) fn flush_one(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        connection.flags.dirty = false;
        connection.flags.turn.set(Turn::CORKED, false);
        if connection.flags.blocked {
            return;
        }
        let sent = connection.send_corked(&mut self.pool);
        self.stats.bytes_out += sent as u64;
        if sent > 0 && connection.outbox.is_idle() {
            if connection.flags.closed_by.is_some() {
                self.time_close(id);
            }
            return self.charge(id);
        }
        match connection.write(&mut self.pool, &mut self.sealing, &[]) {
            Err(error) => self.broken(id, Some(error)),
            Ok(flushed) => {
                self.stats.bytes_out += flushed.bytes as u64;
                connection.flags.blocked = flushed.blocked;
                connection.note_level();
                if !flushed.blocked {
                    connection.stalled = NEVER;
                } else if !connection.is_open() {
                    self.note_stall(id, flushed.bytes);
                }
                let Some(connection) = self.connections.get_mut(id) else {
                    return;
                };
                if connection.flags.closed_by.is_some() {
                    self.time_close(id);
                }
                let Some(connection) = self.connections.get_mut(id) else {
                    return;
                };
                if connection.flags.finishing
                    || flushed.blocked
                    || connection.flags.congested
                    || connection.rare.is_some()
                {
                    self.after_flush(id);
                } else if connection.interest != connection.wanted_interest() {
                    self.refresh_interest(id);
                }
                self.charge(id);
            }
        }
    }

    /// The socket takes no more of an answer: until when it must have taken something, given what it took just now.
    fn note_stall(&mut self, id: ConnectionId, bytes: usize) {
        let latest = self.clock.tick().saturating_add(self.spans.write);
        let earned = self.spans.for_bytes(bytes);
        if let Some(connection) = self.connections.get_mut(id) {
            connection.stalled = connection.stalled.saturating_add(earned).min(latest);
        }
        self.arm(id);
    }

    /// The peer sends no more, but may take what is left for it.
    pub(super) fn outlast(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id)
            && matches!(connection.phase, Phase::Head { .. })
        {
            self.finish_after_answer(id);
        }
        self.refresh_interest(id);
    }

    /// What a flush may set free.
    fn after_flush(&mut self, id: ConnectionId) {
        let low = self.settings.outbox_low_bytes;
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if connection.flags.finishing && !connection.has_to_send() {
            return self.half_close(id);
        }
        if connection.flags.congested
            && connection.waiting_bytes() <= low
            && !connection.outbox.has_file()
        {
            connection.flags.congested = false;
            self.told.push_back(Raw::Drained { id });
        }
        let mask = self.masks.of(connection);
        if !connection.flags.blocked
            && let Some(rare) = &mut connection.rare
            && let Some(payload) = rare.late_pong.take()
            && let Phase::Open(endpoint) = &mut connection.phase
        {
            let _ = connection
                .outbox
                .append(&mut self.pool, |out| endpoint.pong(&payload, mask, out));
            self.mark_dirty(id);
        }
        self.drop_empty_rare(id);
        match self.connections.get(id) {
            // Requests that were put off until their answers find room.
            Some(connection)
                if matches!(connection.phase, Phase::Head { .. })
                    && connection.stash_len() > 0
                    && connection.may_digest() =>
            {
                self.read_on(id);
            }
            _ => self.refresh_interest(id),
        }
    }

    fn drop_empty_rare(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id)
            && connection.rare.as_ref().is_some_and(|rare| rare.is_empty())
        {
            connection.rare = None;
        }
    }

    /// Everything has been said that will be: once it has left, our side is shut down (RFC 6455 §7.1.1 lets the server go first).
    pub(super) fn finish_after_flush(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        connection.phase = Phase::Linger;
        connection.flags.finishing = true;
        super::account::close(&self.tally.access, id, connection);
        connection.rare = None;
        self.mark_dirty(id);
        self.set_deadline(id, self.spans.close);
    }

    /// The same behind an answer: until it has left, the client's pace is what counts, not the time that closing may take.
    pub(super) fn finish_after_answer(&mut self, id: ConnectionId) {
        self.finish_after_flush(id);
        if let Some(connection) = self.connections.get_mut(id) {
            connection.deadline = NEVER;
        }
    }

    /// Half-closes. Closing at once would answer whatever the peer still sends with a reset, and that could destroy what
    /// it has not read yet, our close frame among it.
    fn half_close(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        connection.flags.finishing = false;
        // What still comes is thrown away unread.
        connection.tls = None;
        if connection.flags.eof || shutdown(&connection.socket, Shutdown::Write).is_err() {
            return self.broken(id, None);
        }
        if connection.deadline == NEVER {
            self.set_deadline(id, self.spans.close);
        }
        self.refresh_interest(id);
    }

    /// Sends no more of what waits to a peer that does not read it; tells how much was given up.
    pub(super) fn abandon(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id) {
            self.stats.dropped += connection.outbox.abandon();
        }
    }
}

impl Connection {
    /// The short way for what is nearly always so: answers have been corked, and nothing is to be done once they have left but
    /// that. Tells how many bytes the socket has taken; the long way deals with the rest, and meets any error again.
    #[inline]
    fn send_corked(&mut self, pool: &mut Pool) -> usize {
        let flags = self.flags;
        if flags.finishing | flags.congested
            || self.interest != Interest::IN
            || self.tls.is_some()
            || self.rare.is_some()
            || self.gauge.is_some()
            || !matches!(self.phase, Phase::Open(_))
        {
            return 0;
        }
        let corked = self.outbox.only_corked().unwrap_or_default();
        if corked.is_empty() {
            return 0;
        }
        let Ok(sent) = send(&self.socket, corked, SendFlags::NOSIGNAL) else {
            return 0;
        };
        self.outbox.advance(sent);
        self.outbox.release(pool);
        self.stalled = NEVER;
        self.meter.sent(sent);
        sent
    }

    /// Sends what waits and then `extra`, as far as the socket takes it.
    #[inline]
    pub(super) fn write(
        &mut self,
        pool: &mut Pool,
        sealing: &mut Sealing,
        extra: &[u8],
    ) -> Result<Flushed, Errno> {
        let flushed = if self.tls.is_some() {
            self.write_sealed(pool, sealing, extra)
        } else {
            let flags = self.flags.send_flags();
            self.outbox.flush(self.socket.as_fd(), pool, extra, flags)
        };
        if let Ok(flushed) = &flushed {
            self.meter.sent(flushed.bytes);
        }
        flushed
    }

    /// Whether as much waits as may if the limit, which is only tried, were enforced.
    pub(crate) fn is_over_tried(&self) -> bool {
        self.waiting_bytes() >= self.outbox_limit_bytes as usize / TRIED_TIMES
    }

    /// Whether a frame of this size would exceed the high water mark.
    #[inline]
    pub(crate) fn is_full_for(&self, bytes: usize) -> bool {
        let waiting = self.waiting_bytes();
        waiting > 0 && waiting + bytes > self.outbox_limit_bytes as usize
    }
}
