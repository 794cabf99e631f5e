//! What is known here of connections in other threads, and of these threads: as of their last turns.

use std::time::Duration;

use super::Pool;
use super::mirror::Mirror;
use crate::connection::{Caller, Peer};
use crate::id::ConnectionId;
use crate::limits::TRIED_TIMES;
use crate::stats::Stats;
use crate::tally::Tally;
use crate::tls::TlsFacts;

impl Pool {
    /// As [`Worker::knows`].
    pub(crate) fn knows(&self, id: ConnectionId) -> bool {
        self.mirror(id).is_some()
    }

    pub(crate) fn peer(&self, id: ConnectionId) -> Option<Peer> {
        self.mirror(id).map(|mirror| mirror.caller.peer)
    }

    /// Whether as much is on its way to one of its connections as may be if the limit, which is only tried, were enforced.
    pub(crate) fn is_over_tried(&self, id: ConnectionId) -> bool {
        let mirror = self.remote(id).and_then(|remote| remote.mirrors.get(id));
        mirror.is_some_and(|it| it.buffered_bytes() >= it.outbox_limit_bytes / TRIED_TIMES as u64)
    }

    pub(crate) fn caller(&self, id: ConnectionId) -> Option<Caller> {
        self.mirror(id).map(|mirror| mirror.caller)
    }

    pub(crate) fn rtt(&self, id: ConnectionId) -> Option<Duration> {
        let us = self.mirror(id)?.gauge.rtt_us();
        (us > 0).then(|| Duration::from_micros(us.into()))
    }

    pub(crate) fn is_open(&self, id: ConnectionId) -> bool {
        self.mirror(id).is_some_and(Mirror::is_open)
    }

    pub(crate) fn is_congested(&self, id: ConnectionId) -> bool {
        self.mirror(id)
            .is_some_and(|mirror| mirror.is_congested && mirror.takes_bytes())
    }

    /// Bytes on their way to the outbox, and in it.
    pub(crate) fn buffered(&self, id: ConnectionId) -> usize {
        self.mirror(id)
            .map_or(0, |mirror| mirror.buffered_bytes() as usize)
    }

    /// Connections in any phase; one that has ended counts until the application has been told.
    pub(crate) fn connection_count(&self) -> usize {
        let known = self.remotes.iter().map(|remote| {
            if remote.shared.is_over() {
                // Nobody will tell of their ends any more.
                return 0;
            }
            // In this order: a thread tells of an end before it counts it.
            let count = remote.shared.connection_count();
            count.max(remote.mirrors.count())
        });
        let known: usize = known.sum();
        known.max(usize::from(self.has_events()))
    }

    /// As [`Worker::is_tls`].
    pub(crate) fn is_tls(&self, id: ConnectionId) -> bool {
        self.mirror(id).is_some_and(|mirror| mirror.tls.is_some())
    }

    /// As [`Worker::tls`].
    pub(crate) fn tls(&self, id: ConnectionId) -> Option<TlsFacts> {
        self.mirror(id)?.tls.as_deref().cloned()
    }

    /// How many connections each thread has.
    pub(crate) fn connection_counts(&self) -> Vec<usize> {
        self.remotes
            .iter()
            .map(|remote| remote.shared.connection_count())
            .collect()
    }

    /// Adds what the threads had counted at the end of their last turns.
    pub(crate) fn add_stats(&self, stats: &mut Stats) {
        for remote in &self.remotes {
            stats.add(&remote.shared.counts().stats);
        }
        stats.dropped += self.dropped;
    }

    /// Every connection known here, with what waits to be sent to it.
    pub(crate) fn buffered_by_id(&self) -> impl Iterator<Item = (ConnectionId, usize)> {
        let mirrors = self.remotes.iter().flat_map(|remote| remote.mirrors.iter());
        mirrors.map(|mirror| (mirror.id, mirror.buffered_bytes() as usize))
    }

    /// What each thread has counted by kind.
    pub(crate) fn tallies(&self) -> impl Iterator<Item = &Tally> {
        self.remotes.iter().map(|remote| &*remote.tally)
    }

    pub(crate) fn pressure(&self) -> u8 {
        let levels = self
            .remotes
            .iter()
            .map(|remote| remote.shared.counts().pressure);
        levels.max().unwrap_or(0)
    }

    pub(crate) fn held_bytes(&self) -> usize {
        self.remotes
            .iter()
            .map(|remote| remote.shared.counts().held_bytes)
            .sum()
    }
}
