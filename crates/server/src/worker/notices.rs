//! What an operator should hear of: a limit that somebody came up against. Counted each time, told once in a while.

use super::Worker;
use crate::connection::{Connection, Peer};
use crate::event::Raw;
use crate::id::ConnectionId;
use crate::limits::Limit;

/// How often one limit is told of at most, in milliseconds of the worker's time.
const INTERVAL_MS: u64 = 10_000;

/// Something for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// With [`Limit::Tls`]: why the last one failed.
    pub why: Box<str>,
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
        let dry_run = self.settings.tries(limit);
        self.beyond(limit, peer, 1, dry_run, "");
        !dry_run
    }

    /// A peer is over a limit and is refused, also while it is only tried: it is over even more than that lets pass.
    #[cold]
    pub(super) fn refuses(&mut self, limit: Limit, id: ConnectionId) {
        let peer = self.connections.get(id).map(Connection::client);
        self.beyond(limit, peer, 1, false, "");
    }

    /// A peer has come up against a limit that is only tried.
    #[cold]
    pub(super) fn lets_pass(&mut self, limit: Limit, id: ConnectionId) {
        let peer = self.connections.get(id).map(Connection::client);
        self.beyond(limit, peer, 1, true, "");
    }

    /// A TLS handshake has failed.
    #[cold]
    pub(super) fn tls_failed(&mut self, id: ConnectionId, why: &str) {
        let peer = self.connections.get(id).map(Connection::client);
        self.beyond(Limit::Tls, peer, 1, false, why);
    }

    /// So many messages have found a full outbox.
    #[cold]
    pub(crate) fn outbox_is_full(&mut self, peer: Option<Peer>, times: u64, dry_run: bool) {
        self.beyond(Limit::Outbox, peer, times, dry_run, "");
    }

    fn beyond(&mut self, limit: Limit, peer: Option<Peer>, times: u64, dry_run: bool, why: &str) {
        let stats = &mut self.stats;
        let counter = match limit {
            Limit::Connections => &mut stats.over_connection_limit,
            Limit::AddressConnections => &mut stats.over_address_connection_limit,
            Limit::Handshakes => &mut stats.over_handshake_rate,
            Limit::AddressHandshakes => &mut stats.over_address_handshake_rate,
            Limit::Messages => &mut stats.over_message_rate,
            Limit::Bytes => &mut stats.over_byte_rate,
            Limit::Held => &mut stats.over_budget,
            Limit::RequestLine => &mut stats.over_request_line_limit,
            Limit::Head => &mut stats.over_head_limit,
            Limit::Fields => &mut stats.over_field_limit,
            Limit::HeadTime => &mut stats.over_head_timeout,
            Limit::Message => &mut stats.over_message_limit,
            Limit::MessageTime => &mut stats.over_message_timeout,
            Limit::InflatedRatio => &mut stats.over_inflated_ratio,
            Limit::Outbox => &mut stats.over_outbox_limit,
            Limit::Proxy => &mut stats.proxy_refused,
            Limit::Tls => &mut stats.tls_failures,
        };
        *counter += times;
        stats.let_pass += u64::from(dry_run) * times;
        let (index, now_ms) = (limit as usize, self.clock.now_ms());
        self.notices.untold[index] += times;
        if now_ms >= self.notices.next_ms[index] {
            self.notices.next_ms[index] = now_ms + INTERVAL_MS;
            self.told.push_back(Raw::Notice(Notice {
                limit,
                times: std::mem::take(&mut self.notices.untold[index]),
                peer,
                dry_run,
                step: 0,
                why: why.into(),
            }));
        }
    }
}
