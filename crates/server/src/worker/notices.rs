//! What an operator should hear of: a limit that somebody came up against. Counted each time, told once in a while.

use super::Worker;
use crate::connection::Peer;
use crate::event::Raw;
use crate::limits::Limit;

/// How often one limit is told of at most, in milliseconds of the worker's time.
const INTERVAL_MS: u64 = 10_000;

/// Something for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Which limit.
    pub limit: Limit,
    /// How often since it was last told of, the present time included.
    pub times: u64,
    /// Who it was the last time, where it was somebody.
    pub peer: Option<Peer>,
    /// Nobody was refused: the limit is only tried.
    pub dry_run: bool,
    /// With [`Limit::Held`]: the step that has been taken because memory is short; see [`Worker::pressure`].
    pub step: u8,
}

/// By limit: how often it has not been told of, and when it may be again.
#[derive(Default)]
pub(super) struct Notices {
    untold: [u64; Limit::ALL.len()],
    next_ms: [u64; Limit::ALL.len()],
}

impl Worker {
    /// Somebody is over a limit: counts that, and tells whether anything is to be done about it.
    #[cold]
    pub(super) fn exceeds(&mut self, limit: Limit, peer: Option<Peer>) -> bool {
        let stats = &mut self.stats;
        let counter = match limit {
            Limit::Connections => &mut stats.over_connection_limit,
            Limit::AddressConnections => &mut stats.over_address_connection_limit,
            Limit::Handshakes => &mut stats.over_handshake_rate,
            Limit::AddressHandshakes => &mut stats.over_address_handshake_rate,
            Limit::Messages => &mut stats.over_message_rate,
            Limit::Bytes => &mut stats.over_byte_rate,
            Limit::Held => &mut stats.over_budget,
            Limit::Proxy => &mut stats.proxy_refused,
        };
        *counter += 1;
        let dry_run = self.settings.limits.dry_run.has(limit);
        stats.let_pass += u64::from(dry_run);
        let (index, now_ms) = (limit as usize, self.clock.now_ms());
        self.notices.untold[index] += 1;
        if now_ms >= self.notices.next_ms[index] {
            self.notices.next_ms[index] = now_ms + INTERVAL_MS;
            self.told.push_back(Raw::Notice(Notice {
                limit,
                times: std::mem::take(&mut self.notices.untold[index]),
                peer,
                dry_run,
                step: 0,
            }));
        }
        !dry_run
    }
}
