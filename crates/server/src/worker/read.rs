//! From a ready socket to events: one read, then everything that is in it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hubbub_protocol::endpoint::{self, Endpoint, Input, Kind, Payload};
use hubbub_protocol::error::Violation;
use hubbub_protocol::http::HeadScanner;
use rustix::io::Errno;
use rustix::net::sockopt::socket_error;
use rustix::net::{RecvFlags, recv};

use super::turns::{ROOMY_BYTES, cost};
use super::{Inbox, READ_LIMIT_BYTES, Worker};
use crate::clock::Tick;
use crate::connection::{NEVER, Phase, Seldom, Turn, Verdict};
use crate::event::{ClosedBy, Ending, Place, Raw};
use crate::id::ConnectionId;
use crate::limits::{Limit, TRIED_TIMES};
use crate::memory::prefer_large_pages;
use crate::reactor::Interest;

/// How long a close waits for the application's answers to what came before it.
const ANSWER_TICKS: Tick = 5;

/// From here on it is worth a word that more of a message has arrived.
const LARGE_BYTES: u64 = 512 << 10;

/// What one call of [`Worker::digest`] found in the bytes at hand.
pub(super) enum Found {
    /// Nothing yet: all has been consumed.
    Nothing,
    /// Something was dealt with; there may be more.
    Handled,
    Event(Raw),
}

impl Worker {
    pub(super) fn on_ready(&mut self, id: ConnectionId, flags: Interest, inbox: &mut Inbox) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if matches!(connection.phase, Phase::Connecting { .. }) {
            return self.on_connected(id);
        }
        if matches!(connection.phase, Phase::Preface(_)) && !self.read_preface(id, inbox) {
            return;
        }
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if flags.contains(Interest::OUT) {
            connection.flags.blocked = false;
            self.flush_one(id);
            if flags == Interest::OUT {
                return;
            }
        }
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if connection.flags.turn.is_queued() {
            // Its turn will come. What epoll need not tell until then, it does not.
            return self.refresh_interest(id);
        }
        if !connection.wanted_interest().contains(Interest::IN) {
            if flags.intersects(Interest::ERR | Interest::HUP) {
                if self.is_put_by(id) {
                    return;
                }
            } else if flags.contains(Interest::RDHUP) {
                return self.on_hang_up(id);
            } else {
                return self.refresh_interest(id);
            }
        }
        let Some(mut connection) = self.connections.get_mut(id) else {
            return;
        };
        if matches!(connection.phase, Phase::Head { .. }) {
            if self.is_guest_too_many(id) {
                return;
            }
            let Some(again) = self.connections.get_mut(id) else {
                return;
            };
            connection = again;
        }
        if connection.tls.is_some() {
            return self.read_sealed(id, inbox);
        }
        let room = &mut inbox.buffer[..connection.read_limit(READ_LIMIT_BYTES)];
        let outcome = recv(&connection.socket, room, RecvFlags::empty());
        self.on_received(id, 0, outcome.map(|(len, _)| len), inbox);
    }

    /// The peer has gone in both directions, and nothing is to be read now. False if reading tells all that there is to it.
    fn is_put_by(&mut self, id: ConnectionId) -> bool {
        let Some(connection) = self.connections.get_mut(id) else {
            return true;
        };
        if connection.is_request_whole() {
            // Nobody can hear the answer any more.
            let error = socket_error(&connection.socket).ok().and_then(Result::err);
            self.broken(id, error);
            return true;
        }
        let waits = connection.flags.is_held() || connection.stash_len() > 0;
        // Who holds much while memory is short is let go of at once.
        if !waits || connection.flags.squeezed {
            return false;
        }
        // What has come before its end is worked off first. Until then epoll would tell of the end again and again.
        self.set_interest(id, Interest::ONESHOT);
        true
    }

    /// What a read came to; what it brought lies in the inbox from `start` on.
    #[inline]
    pub(super) fn on_received(
        &mut self,
        id: ConnectionId,
        start: usize,
        outcome: Result<usize, Errno>,
        inbox: &mut Inbox,
    ) {
        match outcome {
            Ok(0) => self.on_eof(id),
            Ok(len) => {
                let Some(connection) = self.connections.get_mut(id) else {
                    return;
                };
                self.stats.bytes_in += len as u64;
                connection.meter.received(len);
                inbox.fill(id, start, len);
            }
            Err(Errno::AGAIN | Errno::INTR) => self.refresh_interest(id),
            Err(error) => {
                self.judge(id);
                self.broken(id, Some(error));
            }
        }
    }

    /// The peer will send no more. It may still be listening.
    pub(super) fn on_eof(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        connection.flags.eof = true;
        self.judge(id);
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        match connection.phase {
            // A client may close its half after the request: whether the answer is still wanted, the application decides.
            _ if connection.is_request_whole() => self.on_hang_up(id),
            Phase::Linger | Phase::Head { .. } if connection.has_to_send() => self.outlast(id),
            _ => self.broken(id, None),
        }
    }

    /// Works on the bytes in `inbox`, which are of this connection, up to the next event.
    #[inline]
    pub(super) fn digest(&mut self, id: ConnectionId, inbox: &mut Inbox) -> Option<Raw> {
        // A fault in a parser must cost one connection, not the server.
        let found = catch_unwind(AssertUnwindSafe(|| {
            loop {
                match self.digest_one(id, inbox) {
                    Found::Nothing => return None,
                    Found::Handled => {}
                    Found::Event(raw) => return Some(raw),
                }
            }
        }));
        found.unwrap_or_else(|_| {
            self.stats.panics += 1;
            self.tell_closed(id, Ending::new(1011, "", ClosedBy::Server));
            self.remove(id);
            None
        })
    }

    /// The next message of the read that is being worked off, if it is of this connection and a plain one. What
    /// [`Worker::next`] would tell next is the same: this is the short way for whoever calls a function with each message.
    #[inline]
    pub fn next_plain<'b>(
        &mut self,
        id: ConnectionId,
        inbox: &'b mut Inbox,
    ) -> Option<(Kind, &'b [u8])> {
        if inbox.id != Some(id) || inbox.start == inbox.end || inbox.credit.is_spent() {
            return None;
        }
        let connection = self.connections.get_mut(id)?;
        if connection.flags.is_halted() | connection.flags.paced {
            return None;
        }
        let Phase::Open(endpoint) = &mut connection.phase else {
            return None;
        };
        let mut input = Input::new(&mut inbox.buffer[inbox.start..inbox.end]);
        let received = endpoint.receive_plain(&mut input);
        inbox.start = inbox.end - input.len();
        match received {
            Ok(message) => {
                let (kind, payload) = message?;
                inbox.credit.spend(cost(payload.len()));
                connection.flags.completed = true;
                connection.meter.heard();
                self.stats.messages_in += 1;
                if payload.len() > endpoint.limit_bytes() / TRIED_TIMES {
                    self.note_size(id, true);
                }
                Some((kind, payload))
            }
            Err(violation) => {
                self.conclude(id, Verdict::Violation(violation));
                None
            }
        }
    }

    #[inline]
    fn digest_one(&mut self, id: ConnectionId, inbox: &mut Inbox) -> Found {
        if inbox.start == inbox.end {
            return Found::Nothing;
        }
        #[cfg(test)]
        Self::meet_trigger(&inbox.buffer[inbox.start..inbox.end]);
        let Some(connection) = self.connections.get_mut(id) else {
            return Found::Nothing;
        };
        if !connection.may_digest()
            && !matches!(connection.phase, Phase::Response { .. } | Phase::Linger)
        {
            return self.stash(id, inbox);
        }
        if inbox.credit.is_spent() && !matches!(connection.phase, Phase::Linger) {
            return self.put_off(id, inbox);
        }
        match &mut connection.phase {
            Phase::Open(endpoint) => {
                let mut input = Input::new(&mut inbox.buffer[inbox.start..inbox.end]);
                let received = endpoint.receive(&mut input, &mut self.codec);
                inbox.start = inbox.end - input.len();
                match received {
                    Ok(Some(endpoint::Event::Message { kind, payload })) => {
                        connection.flags.completed = true;
                        self.stats.messages_in += 1;
                        connection.meter.heard();
                        let is_long = payload.len() > endpoint.limit_bytes() / TRIED_TIMES;
                        inbox.credit.spend(cost(payload.len()));
                        let payload = place(payload, inbox.start);
                        if connection.flags.paced {
                            self.pace_message(id);
                        }
                        if is_long || matches!(payload, Place::Owned(_)) {
                            self.note_size(id, is_long);
                        }
                        Found::Event(Raw::Message { id, kind, payload })
                    }
                    Ok(None)
                        if self.tells_arrivals
                            && is_large(endpoint)
                            && !self.settings.tries(Limit::Message) =>
                    {
                        Found::Event(Raw::Arrived { id })
                    }
                    Ok(None) => {
                        prefer_large_pages(endpoint.assembling());
                        Found::Nothing
                    }
                    Ok(Some(endpoint::Event::Ping(payload))) => {
                        inbox.credit.spend(1);
                        self.answer_ping(id, &payload);
                        Found::Handled
                    }
                    Ok(Some(endpoint::Event::Pong(payload))) => {
                        inbox.credit.spend(1);
                        self.pong(id, &payload);
                        Found::Handled
                    }
                    Ok(Some(endpoint::Event::Close { code, reason })) => {
                        self.conclude(id, Verdict::Close { code, reason });
                        Found::Handled
                    }
                    Err(violation) => {
                        self.conclude(id, Verdict::Violation(violation));
                        Found::Handled
                    }
                }
            }
            Phase::Head { .. } | Phase::Response { .. } => self.digest_head(id, inbox),
            Phase::Exchange(_) => {
                inbox.credit.spend(1);
                self.digest_upload(id, inbox)
            }
            Phase::Deciding(_) | Phase::Judging | Phase::Connecting { .. } | Phase::Preface(_) => {
                self.stash(id, inbox)
            }
            Phase::Linger => {
                inbox.start = inbox.end;
                Found::Nothing
            }
        }
    }

    /// A message that would be too long if a limit were enforced.
    fn note_size(&mut self, id: ConnectionId, is_long: bool) {
        if is_long && self.settings.tries(Limit::Message) {
            self.lets_pass(Limit::Message, id);
        }
        if self.codec.take_exceeded() {
            self.lets_pass(Limit::InflatedRatio, id);
        }
    }

    /// From now on large messages are told of while they arrive: who copies them anyway may do so piece by piece.
    pub fn tell_arrivals(&mut self) {
        self.tells_arrivals = true;
    }

    /// Lets `act` have what has arrived of a message, and how many bytes of it are missing; [`Event::Message`](crate::Event::Message) will bring only
    /// the rest. Nothing happens if no such message is under way.
    pub fn take_arrived<R>(
        &mut self,
        id: ConnectionId,
        act: impl FnOnce(&[u8], u64) -> R,
    ) -> Option<R> {
        let Phase::Open(endpoint) = &mut self.connections.get_mut(id)?.phase else {
            return None;
        };
        let (bytes, missing) = endpoint.arrived()?;
        let result = act(bytes, missing);
        endpoint.take_arrived();
        Some(result)
    }

    /// Stops reading from this peer: the application has more than it can work on.
    pub fn pause(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id)
            && !connection.flags.paused
            // Behind our close frame the peer's is looked for, and nobody would ask to go on.
            && !matches!(&connection.phase, Phase::Open(endpoint) if endpoint.close_sent())
        {
            // epoll is told when the present read is over, or when more arrives.
            connection.flags.paused = true;
        }
    }

    /// Reads again.
    pub fn resume(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id)
            && connection.flags.paused
        {
            connection.flags.paused = false;
            connection.seen = self.clock.tick();
            connection.spoken = connection.seen;
            connection.pinged = NEVER;
            // While nobody read, the time was not the client's.
            match &connection.phase {
                Phase::Exchange(exchange) if exchange.upload.is_wanted() => {
                    self.set_deadline(id, self.spans.body);
                }
                Phase::Open(endpoint) if endpoint.is_open() && connection.is_mid_message() => {
                    self.set_deadline(id, self.spans.message);
                }
                // The time without a message begins anew, too.
                _ => self.arm(id),
            }
            if self
                .connections
                .get(id)
                .is_some_and(|it| !it.flags.is_held())
            {
                self.read_on(id);
            }
        }
    }

    #[inline]
    pub(super) fn wants_read_end(&self, id: ConnectionId) -> bool {
        self.connections.get(id).is_some_and(|connection| {
            connection.flags.seldom.has(Seldom::TELL_READ_END) && connection.flags.completed
        })
    }

    /// After a read: time, memory, and what was said meanwhile.
    #[inline]
    pub(super) fn finish_read(&mut self, id: ConnectionId, received: usize) {
        let now = self.clock.tick();
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        connection.seen = now;
        connection.pinged = NEVER;
        let paced = connection.flags.paced;
        let turn = &mut connection.flags.turn;
        let is_corked = turn.has(Turn::CORKED);
        let is_roomy = turn.has(Turn::ROOMY) || received >= ROOMY_BYTES;
        turn.set(Turn::ROOMY, is_roomy && !turn.is_queued());
        let completed = std::mem::take(&mut connection.flags.completed);
        if completed {
            connection.spoken = now;
        }
        if let Phase::Open(endpoint) = &connection.phase
            && endpoint.is_open()
        {
            if !connection.is_mid_message() {
                connection.deadline = NEVER;
            } else if completed || connection.deadline == NEVER {
                connection.flags.seldom.set(Seldom::EXTENDED, false);
                self.set_deadline(id, self.spans.message);
            }
        }
        if paced {
            self.pace_bytes(id, received);
        }
        if is_corked {
            self.flush_or_cork(id);
        } else {
            self.answer_group(id);
        }
        self.squeeze(id);
        let Some(connection) = self.connections.get(id) else {
            return;
        };
        if connection.tls.is_some() {
            self.end_sealed(id);
        }
        let Some(connection) = self.connections.get(id) else {
            return;
        };
        if connection.stash_len() > 0 && connection.may_digest() {
            self.read_on(id);
        } else if !connection.flags.turn.is_queued()
            && connection.interest != connection.wanted_interest()
        {
            self.refresh_interest(id);
        }
    }

    fn answer_ping(&mut self, id: ConnectionId, payload: &[u8]) {
        let low = self.settings.outbox_low_bytes;
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if connection.waiting_bytes() > low / 2 && !connection.flags.blocked {
            self.flush_one(id);
        }
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if connection.flags.blocked || connection.waiting_bytes() > low / 2 {
            // §5.5.3: of several pings pending, only the newest need be answered.
            if connection
                .rare()
                .late_pong
                .replace(payload.to_vec())
                .is_some()
            {
                self.stats.pings_merged += 1;
            }
            return;
        }
        let mask = self.masks.of(connection);
        let Phase::Open(endpoint) = &mut connection.phase else {
            return;
        };
        // Fails only after our close frame, when pongs are no longer due.
        let _ = connection
            .outbox
            .append(&mut self.pool, |out| endpoint.pong(payload, mask, out));
        self.mark_dirty(id);
    }

    /// The last thing that is read of a WebSocket. Answers to what came before it in the same read go out first; an
    /// application in another thread is waited for, though not for long.
    fn conclude(&mut self, id: ConnectionId, verdict: Verdict) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let waits = connection.flags.has_untaken && !connection.is_judged();
        connection.rare().verdict = Some(verdict);
        if waits {
            self.has_concluded = true;
            self.set_deadline(id, ANSWER_TICKS);
        } else {
            self.judge(id);
        }
    }

    /// Carries out the verdict, if there is one.
    pub(super) fn judge(&mut self, id: ConnectionId) {
        let rare = self.connections.get_mut(id).and_then(|it| it.rare.as_mut());
        match rare.and_then(|rare| rare.verdict.take()) {
            Some(Verdict::Close { code, reason }) => self.on_close_frame(id, code, reason),
            Some(Verdict::Violation(violation)) => self.on_violation(id, &violation),
            None => {}
        }
    }

    /// Whether the end of a connection has had to wait for answers since the last call.
    pub(crate) fn has_concluded(&mut self) -> bool {
        std::mem::take(&mut self.has_concluded)
    }

    /// Whether messages of this connection are on their way to an application in another thread.
    pub(crate) fn set_untaken(&mut self, id: ConnectionId, has_untaken: bool) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.flags.has_untaken = has_untaken;
            if !has_untaken {
                self.judge(id);
            }
        }
    }

    fn on_close_frame(&mut self, id: ConnectionId, code: u16, reason: String) {
        self.catch_up(id);
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let mask = self.masks.of(connection);
        let Phase::Open(endpoint) = &mut connection.phase else {
            return;
        };
        let ours = endpoint.close_sent();
        if !ours {
            // §5.5.1: an endpoint that receives a Close "MUST send a Close frame in response".
            let echo = (code != 1005).then_some(code);
            let replied = connection
                .outbox
                .append(&mut self.pool, |out| endpoint.close(echo, "", mask, out));
            debug_assert!(replied.is_ok(), "a code that was received may be sent");
        }
        let by = if ours {
            connection.flags.closed_by.unwrap_or(ClosedBy::Server)
        } else {
            ClosedBy::Peer
        };
        self.tell_closed(id, Ending::new(code, reason, by));
        self.finish_after_flush(id);
    }

    fn on_violation(&mut self, id: ConnectionId, violation: &Violation) {
        self.stats.violations += 1;
        match violation {
            Violation::MessageTooBig { .. } => self.refuses(Limit::Message, id),
            Violation::InflatesTooMuch { .. } => self.refuses(Limit::InflatedRatio, id),
            _ => {}
        }
        self.catch_up(id);
        self.fail(id, violation.close_code(), &violation.to_string());
    }

    fn digest_head(&mut self, id: ConnectionId, inbox: &mut Inbox) -> Found {
        let limits = self.settings.kept_head();
        let connection = self
            .connections
            .get_mut(id)
            .expect("looked up by the caller");
        let (Phase::Head { scanner, partial } | Phase::Response { scanner, partial }) =
            &mut connection.phase
        else {
            unreachable!("the caller has matched the phase");
        };
        let before = partial.len();
        let fresh = before == 0;
        let bytes = &inbox.buffer[inbox.start..inbox.end];
        let scanned = if fresh {
            scanner.find_end(bytes, &limits)
        } else {
            let room = limits.head_bytes + 1 - before.min(limits.head_bytes);
            partial.extend_from_slice(&bytes[..bytes.len().min(room)]);
            scanner.find_end(partial, &limits)
        };
        let head = match scanned {
            Err(_) if connection.flags.is_client => {
                // A server that does not speak HTTP is told nothing; who wanted to connect is.
                self.broken(id, Some(Errno::PROTO));
                return Found::Nothing;
            }
            Err(refusal) => {
                match refusal.status {
                    414 => self.refuses(Limit::RequestLine, id),
                    431 => self.refuses(Limit::Head, id),
                    _ => {}
                }
                self.count_request(inbox);
                self.refuse(id, &refusal);
                return Found::Handled;
            }
            Ok(None) => {
                if fresh {
                    partial.extend_from_slice(bytes);
                    // From the first byte on; the next ones do not renew it.
                    let end = self.clock.tick().saturating_add(self.spans.head);
                    connection.deadline = connection.deadline.min(end);
                }
                inbox.start = inbox.end;
                self.arm(id);
                return Found::Nothing;
            }
            Ok(Some(len)) if fresh => {
                let start = inbox.start;
                inbox.start += len;
                Place::Range(start, start + len)
            }
            Ok(Some(len)) => {
                let mut head = std::mem::take(partial);
                inbox.start += len - before;
                head.truncate(len);
                Place::Owned(head)
            }
        };
        *scanner = HeadScanner::default();
        if matches!(connection.phase, Phase::Response { .. }) {
            connection.phase = Phase::Judging;
            return Found::Event(Raw::Response { id, head });
        }
        self.count_request(inbox);
        self.on_request(id, head, inbox)
    }
}

/// Whether a large message is arriving that can be taken meanwhile.
fn is_large(endpoint: &Endpoint) -> bool {
    let arrived = endpoint.arrived();
    arrived.is_some_and(|(bytes, missing)| bytes.len() as u64 + missing >= LARGE_BYTES)
}

/// Where a payload lies, given that it ends where the rest of the input begins.
#[inline]
fn place(payload: Payload<'_>, end: usize) -> Place {
    match payload {
        Payload::InPlace(bytes) => Place::Range(end - bytes.len(), end),
        Payload::Owned(bytes) => Place::Owned(bytes),
    }
}
