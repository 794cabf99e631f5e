//! What happens when nothing happens: timeouts, pings, alarms.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use hubbub_protocol::http::Refusal;

use rustix::io::Errno;

use super::{Farewell, Worker, monotonic_ns};
use crate::clock::{TICK_MS, Tick, ticks};
use crate::connection::{Connection, NEVER, Phase, Seldom};
use crate::event::{ClosedBy, Ending};
use crate::id::ConnectionId;
use crate::limits::{Limit, TRIED_TIMES};
use crate::settings::Settings;

/// A crowd that is overdue at once is dealt with in portions, one a millisecond, within about this time: closing sockets is
/// dear, for their peers too, and others must not be kept waiting.
const SPREAD_MS: u64 = 500;
/// So many are in a portion at least, and at most, however late it is …
const PORTION: usize = 8;
const PORTION_MAX: usize = 64;
/// … and how long it may take, looked at that often: a connection whose memory has rested can take ten times what another does.
const PORTION_NS: u64 = 1_000_000;
/// How far ahead the wheel is searched for the next deadline, in ticks.
const HORIZON_TICKS: Tick = 100;

/// The settings' spans in ticks; [`NEVER`] where a span is switched off.
pub(super) struct Spans {
    pub(super) head: Tick,
    pub(super) body: Tick,
    pub(super) write: Tick,
    pub(super) keep_alive: Tick,
    pub(super) message: Tick,
    pub(super) close: Tick,
    ping_interval: Tick,
    ping_timeout: Tick,
    idle: Tick,
    transfer_rate_bytes: usize,
}

impl Spans {
    pub(super) fn of(settings: &Settings) -> Self {
        let optional = |seconds: f64| if seconds > 0.0 { ticks(seconds) } else { NEVER };
        Self {
            head: ticks(settings.head_timeout_s),
            body: ticks(settings.body_timeout_s),
            write: ticks(settings.write_timeout_s),
            keep_alive: ticks(settings.keep_alive_timeout_s),
            message: ticks(settings.message_timeout_s),
            close: ticks(settings.close_timeout_s),
            ping_interval: optional(settings.ping_interval_s),
            ping_timeout: ticks(settings.ping_timeout_s),
            idle: optional(settings.idle_timeout_s),
            transfer_rate_bytes: settings.transfer_rate_bytes,
        }
    }

    /// How long so many bytes may take at the slowest rate that is allowed.
    pub(super) fn for_bytes(&self, bytes: usize) -> Tick {
        earned(bytes, self.transfer_rate_bytes)
    }
}

/// The application's own timers, by the worker's time in milliseconds.
#[derive(Default)]
pub(super) struct Alarms {
    heap: BinaryHeap<Reverse<(u64, u32)>>,
}

impl Alarms {
    pub(super) fn set(&mut self, at_ms: u64, key: u32) {
        self.heap.push(Reverse((at_ms, key)));
    }

    pub(super) fn next_ms(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    pub(super) fn take(&mut self, now_ms: u64, out: &mut Vec<u32>) {
        while self.next_ms().is_some_and(|at| at <= now_ms) {
            out.extend(self.heap.pop().map(|Reverse((_, key))| key));
        }
    }
}

/// Connections that are overdue, and at what pace they are dealt with.
#[derive(Default)]
pub(super) struct Overdue {
    ids: Vec<ConnectionId>,
    /// How many they were, and since when.
    total: u64,
    begun_ms: u64,
    /// When the next portion is due, by the worker's time.
    next_ms: u64,
}

impl Overdue {
    pub(super) fn next_ms(&self) -> Option<u64> {
        (!self.ids.is_empty()).then_some(self.next_ms)
    }

    fn begin(&mut self, now_ms: u64) {
        (self.total, self.begun_ms) = (self.ids.len() as u64, now_ms);
    }

    /// How many are left after the portion that is due now.
    fn later(&self, now_ms: u64) -> usize {
        let left = self.ids.len();
        let passed_ms = now_ms + 1 - self.begun_ms;
        let left_then = self
            .total
            .saturating_sub(self.total * passed_ms / SPREAD_MS);
        let portion = left
            .saturating_sub(left_then as usize)
            .clamp(PORTION, PORTION_MAX);
        left.saturating_sub(portion)
    }
}

/// Ticks that so many bytes earn at a rate of bytes per second.
fn earned(bytes: usize, rate_bytes: usize) -> Tick {
    let ms = (bytes as u64).saturating_mul(1000) / rate_bytes.max(1) as u64;
    (ms / TICK_MS).min(u64::from(Tick::MAX / 2)) as Tick
}

impl Worker {
    /// The tick at which this connection must be looked at if nothing comes.
    fn due(&self, id: ConnectionId, connection: &Connection) -> Tick {
        let mut due = connection.deadline;
        if connection.is_unread() {
            // What nobody reads cannot be late.
            due = NEVER;
        }
        if connection.flags.blocked && !connection.is_open() {
            due = due.min(connection.stalled);
        }
        if let Phase::Open(endpoint) = &connection.phase
            && endpoint.is_open()
        {
            let alive = if connection.pinged == NEVER {
                connection.seen.saturating_add(self.spans.ping_interval)
            } else {
                connection.pinged.saturating_add(self.spans.ping_timeout)
            };
            if connection.flags.throttled {
                due = due.min(self.clock.tick().saturating_add(self.owed_ticks(id)));
            }
            due = due.min(alive);
            if !connection.is_unread() {
                due = due.min(connection.spoken.saturating_add(self.spans.idle));
            }
        }
        due
    }

    /// Sees to it that the wheel holds an entry early enough.
    #[inline]
    pub(super) fn arm(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get(id) else {
            return;
        };
        let due = self.due(id, connection);
        if due >= connection.armed {
            return;
        }
        if let Some(connection) = self.connections.get_mut(id) {
            connection.armed = due;
        }
        self.wheel.insert(due, id);
        self.upcoming = self.upcoming.min(due);
    }

    /// Sets what the present phase waits for, at most `span` from now.
    pub(super) fn set_deadline(&mut self, id: ConnectionId, span: Tick) {
        let now = self.clock.tick();
        if let Some(connection) = self.connections.get_mut(id) {
            connection.deadline = now.saturating_add(span);
        }
        self.arm(id);
    }

    /// When deadlines are to be looked at next, by the worker's time; the others wait while a crowd is dealt with.
    pub(super) fn next_look_ms(&self) -> Option<u64> {
        let tick = (self.upcoming != NEVER).then(|| u64::from(self.upcoming) * TICK_MS);
        self.overdue.next_ms().or(tick)
    }

    pub(super) fn look_at_deadlines(&mut self) {
        let (now, now_ms) = (self.clock.tick(), self.clock.now_ms());
        self.has_looked = true;
        let mut overdue = std::mem::take(&mut self.overdue);
        if overdue.ids.is_empty() {
            self.wheel.advance(now, &mut overdue.ids);
            overdue.begin(now_ms);
        }
        let (later, began_ns) = (overdue.later(now_ms), monotonic_ns());
        while overdue.ids.len() > later {
            let rest = overdue.ids.len().saturating_sub(PORTION).max(later);
            for id in overdue.ids.drain(rest..) {
                self.look_at(id, now);
            }
            if monotonic_ns() - began_ns > PORTION_NS {
                break;
            }
        }
        overdue.next_ms = now_ms + 1;
        self.overdue = overdue;
        if self.gate.wakes_at().is_some_and(|tick| tick <= now) && !self.gate.wake(&self.reactor) {
            self.gate.rest_more(now);
        }
        self.upcoming = self
            .wheel
            .upcoming(HORIZON_TICKS)
            .unwrap_or(NEVER)
            .min(self.gate.wakes_at().unwrap_or(NEVER));
    }

    /// What the wheel says of a connection may have passed: it has the last word itself.
    fn look_at(&mut self, id: ConnectionId, now: Tick) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if connection.armed > now {
            return;
        }
        connection.armed = NEVER;
        let connection = self.connections.get(id).expect("looked up above");
        if self.due(id, connection) <= now {
            self.on_overdue(id, now);
        }
        self.arm(id);
    }

    fn on_overdue(&mut self, id: ConnectionId, now: Tick) {
        let Some(connection) = self.connections.get(id) else {
            return;
        };
        let deadline_passed = connection.deadline <= now;
        if connection.flags.blocked && !connection.is_open() && connection.stalled <= now {
            return self.stall(id);
        }
        match &connection.phase {
            // Its answers are still on their way: no pause of the client's.
            Phase::Head { partial, .. } if partial.is_empty() && connection.flags.blocked => {
                self.set_deadline(id, self.spans.keep_alive);
            }
            Phase::Head { partial, .. } if partial.is_empty() => {
                let has_asked = connection.flags.seldom.has(Seldom::HAS_ASKED);
                if !self.let_go(id) && (has_asked || self.is_late(id, Limit::HeadTime)) {
                    self.expire(id);
                }
            }
            Phase::Head { .. } if self.farewell == Some(Farewell::Brisk) => self.broken(id, None),
            Phase::Head { .. } => {
                if self.is_late(id, Limit::HeadTime) {
                    self.stats.timeouts += 1;
                    self.refuse(id, &Refusal::new(408, "the request took too long"));
                }
            }
            Phase::Exchange(exchange) if exchange.upload.is_wanted() => {
                self.stats.timeouts += 1;
                self.refuse_upload(id, &Refusal::new(408, "the request's body took too long"));
            }
            Phase::Preface(_)
            | Phase::Linger
            | Phase::Connecting { .. }
            | Phase::Response { .. } => self.expire(id),
            Phase::Deciding(_) | Phase::Exchange(_) | Phase::Judging => {}
            Phase::Open(_) if connection.flags.throttled && self.owed_ticks(id) == 0 => {
                self.end_throttle(id);
            }
            Phase::Open(_) if connection.is_judged() => self.judge(id),
            Phase::Open(endpoint) if endpoint.close_sent() => self.expire(id),
            Phase::Open(_)
                if deadline_passed && connection.is_mid_message() && !connection.is_unread() =>
            {
                if self.is_late(id, Limit::MessageTime) {
                    self.stats.timeouts += 1;
                    self.fail(id, 1008, "message took too long");
                }
            }
            Phase::Open(_) if connection.pinged != NEVER && !connection.flags.is_held() => {
                if connection.pinged.saturating_add(self.spans.ping_timeout) <= now {
                    self.expire(id);
                }
            }
            Phase::Open(_)
                if connection.spoken.saturating_add(self.spans.idle) <= now
                    && !connection.is_unread() =>
            {
                self.stats.timeouts += 1;
                self.fail(id, 1001, "idle");
            }
            Phase::Open(_) => self.ping(id),
        }
    }

    /// A peer has had the time that a limit grants, and it is counted. False if that is only tried: it gets more of it, once.
    fn is_late(&mut self, id: ConnectionId, limit: Limit) -> bool {
        let Some(connection) = self.connections.get_mut(id) else {
            return true;
        };
        if !self.settings.tries(limit)
            || connection.flags.seldom.has(Seldom::EXTENDED)
            || self.farewell.is_some()
        {
            self.refuses(limit, id);
            return true;
        }
        connection.flags.seldom.set(Seldom::EXTENDED, true);
        let span = match limit {
            Limit::HeadTime => self.spans.head,
            _ => self.spans.message,
        };
        self.lets_pass(limit, id);
        self.set_deadline(id, span.saturating_mul(TRIED_TIMES as Tick - 1));
        false
    }

    /// The client does not take what it asked for.
    fn stall(&mut self, id: ConnectionId) {
        self.stats.timeouts += 1;
        let error = Some(Errno::TIMEDOUT.raw_os_error());
        self.tell_closed(
            id,
            Ending {
                os_error: error,
                ..Ending::new(1006, "", ClosedBy::Network)
            },
        );
        self.cut(id);
    }

    /// The peer had its time: no more words.
    fn expire(&mut self, id: ConnectionId) {
        self.stats.timeouts += 1;
        self.give_up_handshake(id, "it took too long");
        self.broken(id, Some(Errno::TIMEDOUT));
    }

    /// Asks for a sign of life (RFC 6455 §5.5.2); the answer gives the round-trip time.
    pub fn ping(&mut self, id: ConnectionId) {
        let now = self.clock.tick();
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if connection.flags.blocked {
            // A peer whose buffers are full gets no ping through; time runs from now all the same.
            connection.pinged = now;
            return;
        }
        let mask = self.masks.of(connection);
        let Phase::Open(endpoint) = &mut connection.phase else {
            return;
        };
        let payload = monotonic_ns().to_be_bytes();
        if connection
            .outbox
            .append(&mut self.pool, |out| endpoint.ping(&payload, mask, out))
            .is_ok()
        {
            connection.pinged = now;
            self.mark_dirty(id);
        }
    }

    /// An answer to our ping carries the time at which it left; who lies about it deceives only themselves.
    pub(super) fn pong(&mut self, id: ConnectionId, payload: &[u8]) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        // Whether we asked is not known any more: every read forgets the ping, also the one in which it was asked for.
        if let Ok(sent) = payload.try_into() {
            let us = monotonic_ns().saturating_sub(u64::from_be_bytes(sent)) / 1000;
            connection.rtt_us = us.clamp(1, u32::MAX.into()) as u32;
            if let Some(gauge) = &connection.gauge {
                gauge.measured(connection.rtt_us);
            }
        }
    }

    /// Ends a WebSocket on the server's own account: close frame, then no more reading (RFC 6455 §7.1.7).
    pub(super) fn fail(&mut self, id: ConnectionId, code: u16, reason: &str) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let mask = self.masks.of(connection);
        if let Phase::Open(endpoint) = &mut connection.phase {
            let closed = connection.outbox.append(&mut self.pool, |out| {
                endpoint.close(Some(code), reason, mask, out)
            });
            debug_assert!(closed.is_ok(), "codes and reasons of our own are valid");
        }
        self.tell_closed(id, Ending::new(code, reason, ClosedBy::Server));
        self.finish_after_flush(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many are dealt with at each of these times.
    fn portions(count: u32, times_ms: impl Iterator<Item = u64>) -> Vec<usize> {
        let mut overdue = Overdue {
            ids: (0..count)
                .map(|slot| ConnectionId::new(0, 0, slot))
                .collect(),
            ..Overdue::default()
        };
        overdue.begin(1000);
        let portion = |now_ms| {
            let later = overdue.later(1000 + now_ms);
            overdue.ids.drain(later..).count()
        };
        times_ms.map(portion).collect()
    }

    #[test]
    fn a_crowd_is_spread_over_its_time() {
        let each = portions(5000, 0..1000);
        assert!(each[..500].iter().all(|&count| count == 10), "{each:?}");
        assert_eq!(each[500..].iter().sum::<usize>(), 0);
    }

    #[test]
    fn a_few_are_dealt_with_at_once_and_the_late_catch_up() {
        assert_eq!(portions(8, 0..2), [8, 0]);
        assert_eq!(portions(20, 0..3), [8, 8, 4]);
        assert_eq!(portions(5000, [0, 3, 100].into_iter()), [10, 30, 64]);
    }
}
