//! How fast a WebSocket may talk: messages and bytes a second, each out of a bucket.
//!
//! Whoever talks faster is not read until the bucket has made up for it, so that the peer's own buffers fill and it slows down;
//! or it is closed, if the policy says so. Connections without rates own no buckets and are not looked at.

use super::Worker;
use crate::bucket::{Bucket, Rate};
use crate::clock::{TICK_MS, Tick};
use crate::connection::NEVER;
use crate::id::ConnectionId;
use crate::limits::{Limit, Limits, RatePolicy};

/// RFC 6455 §7.4.1: a message that violates the server's policy.
const POLICY: u16 = 1008;
const TICK_NS: u64 = TICK_MS * 1_000_000;

/// What one connection has taken.
#[derive(Clone, Copy, Default)]
struct Pace {
    messages: Bucket,
    bytes: Bucket,
}

/// The rates, and what connections have taken, by slot.
pub(super) struct Paces {
    messages: Option<Rate>,
    bytes: Option<Rate>,
    taken: Vec<Pace>,
}

impl Paces {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            messages: Rate::even(limits.messages_per_s),
            bytes: Rate::even(limits.bytes_per_s),
            taken: Vec::new(),
        }
    }

    /// A connection begins with full buckets. False if there are no rates.
    fn begin(&mut self, slot: usize) -> bool {
        if self.messages.is_none() && self.bytes.is_none() {
            return false;
        }
        if slot >= self.taken.len() {
            self.taken.resize(slot + 1, Pace::default());
        }
        self.taken[slot] = Pace::default();
        true
    }

    /// How long until both buckets have made up for what was taken.
    fn owed_ns(&self, slot: usize, now_ns: u64) -> u64 {
        let Some(taken) = self.taken.get(slot) else {
            return 0;
        };
        let owed = |rate: Option<Rate>, bucket: Bucket| {
            rate.map_or(0, |rate| bucket.owed_ns(rate, now_ns))
        };
        owed(self.messages, taken.messages).max(owed(self.bytes, taken.bytes))
    }
}

impl Worker {
    /// From now on the rates hold for this connection, if there are any and it is a stranger's.
    pub(super) fn begin_pace(&mut self, id: ConnectionId) {
        let minds = self.door.minds(self.address(id));
        let paced = minds && self.paces.begin(id.slot());
        if let Some(connection) = self.connections.get_mut(id) {
            connection.flags.paced = paced;
        }
    }

    /// A message has come.
    pub(super) fn pace_message(&mut self, id: ConnectionId) {
        let now_ns = self.now_ns();
        if let (Some(rate), Some(taken)) =
            (self.paces.messages, self.paces.taken.get_mut(id.slot()))
            && taken.messages.charge(rate, 1, now_ns) > 0
        {
            self.exceeds_rate(id, Limit::Messages);
        }
    }

    /// Bytes have come, and all that is in them has been worked off.
    pub(super) fn pace_bytes(&mut self, id: ConnectionId, bytes: usize) {
        let now_ns = self.now_ns();
        if let (Some(rate), Some(taken)) = (self.paces.bytes, self.paces.taken.get_mut(id.slot()))
            && taken.bytes.charge(rate, bytes as u64, now_ns) > 0
        {
            self.exceeds_rate(id, Limit::Bytes);
        }
    }

    #[cold]
    fn exceeds_rate(&mut self, id: ConnectionId, limit: Limit) {
        let Some(connection) = self.connections.get(id) else {
            return;
        };
        if connection.flags.throttled || !connection.is_open() {
            return;
        }
        let peer = connection.client();
        if !self.exceeds(limit, Some(peer)) {
            // Nothing is owed for what was let pass, or each further message would count as too much.
            self.paces.taken[id.slot()] = Pace::default();
            return;
        }
        if self.settings.limits.rate_policy == RatePolicy::Close {
            let what = match limit {
                Limit::Bytes => "bytes come too fast",
                _ => "messages come too fast",
            };
            return self.fail(id, POLICY, what);
        }
        let pause = self.owed_ticks(id);
        if let Some(connection) = self.connections.get_mut(id) {
            connection.flags.throttled = true;
            if connection.deadline != NEVER {
                // A message that waits for us is not late.
                connection.deadline = connection.deadline.saturating_add(pause);
            }
        }
        self.arm(id);
    }

    /// When reading of a connection that talks too fast goes on, in ticks from now; 0: it may.
    pub(super) fn owed_ticks(&self, id: ConnectionId) -> Tick {
        let owed_ns = self.paces.owed_ns(id.slot(), self.now_ns());
        Tick::try_from(owed_ns.div_ceil(TICK_NS)).unwrap_or(NEVER / 2)
    }

    /// Reads on.
    pub(super) fn end_throttle(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id)
            && connection.flags.throttled
        {
            connection.flags.throttled = false;
            connection.seen = self.clock.tick();
            connection.pinged = NEVER;
            self.read_on(id);
        }
    }

    /// The system's time of the last wait's end, in nanoseconds.
    pub(super) fn now_ns(&self) -> u64 {
        self.clock.system_ms() * 1_000_000
    }
}
