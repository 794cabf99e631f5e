//! What a worker may be told, with the values that hold when it is told nothing.

use hubbub_protocol::{deflate, http};

use crate::limits::{Limit, Limits, TRIED_TIMES};

/// Limits, timeouts and habits of a worker. The defaults are safe on the open internet.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Bounds on a request's head.
    pub head: http::Limits,
    /// Longest request body that is collected, in bytes.
    pub body_limit_bytes: usize,
    /// From the first byte (or the accept) to the end of the request's head, in seconds.
    pub head_timeout_s: f64,
    /// From the head to the end of the request's body, in seconds; of one that is streamed, the longest without a byte.
    pub body_timeout_s: f64,
    /// How long a client may leave an answer untaken, in seconds.
    pub write_timeout_s: f64,
    /// Slowest transfer of a streamed body and of an answer that is longer than the socket's buffers, in bytes per second.
    pub transfer_rate_bytes: usize,
    /// How long an HTTP connection may idle between requests, in seconds.
    pub keep_alive_timeout_s: f64,
    /// Largest message, after inflation, in bytes.
    pub message_limit_bytes: usize,
    /// How many times as long a message may become by inflating; 0: no limit. See [`Codec::limit_ratio`](deflate::Codec::limit_ratio).
    pub inflated_ratio: u32,
    /// From a message's first byte to its last, in seconds.
    pub message_timeout_s: f64,
    /// From our close frame to the end of the connection, in seconds.
    pub close_timeout_s: f64,
    /// Silence after which the peer is pinged, in seconds; 0 never.
    pub ping_interval_s: f64,
    /// Silence after that ping, in seconds, which proves the peer dead.
    pub ping_timeout_s: f64,
    /// Time without any message after which a WebSocket is closed, in seconds; 0 never.
    pub idle_timeout_s: f64,
    /// High water mark: what may wait for one slow peer, in bytes.
    pub outbox_limit_bytes: usize,
    /// Low water mark: below it, a sender that was told of backpressure may go on.
    pub outbox_low_bytes: usize,
    /// All bytes held for all peers of this worker; beyond it the largest holder is closed with 1013.
    pub held_limit_bytes: usize,
    /// Most connections at once; 0 without bound (but for descriptors).
    pub connection_limit: usize,
    /// Who may come in, and how fast a peer may talk.
    pub limits: Limits,
    /// permessage-deflate: window, smallest message, level.
    pub deflate: deflate::Settings,
}

impl Settings {
    /// Whether a limit is only tried.
    #[inline]
    pub(crate) fn tries(&self, limit: Limit) -> bool {
        self.limits.dry_run.has(limit)
    }

    /// What a size is kept at: itself, or several times itself while it is only tried.
    fn kept(&self, limit: Limit, size: usize) -> usize {
        if self.tries(limit) {
            size.saturating_mul(TRIED_TIMES)
        } else {
            size
        }
    }

    /// The bounds on a request's head that are kept.
    pub fn kept_head(&self) -> http::Limits {
        http::Limits {
            request_line_bytes: self.kept(Limit::RequestLine, self.head.request_line_bytes),
            head_bytes: self.kept(Limit::Head, self.head.head_bytes),
            fields: self.kept(Limit::Fields, self.head.fields),
        }
    }

    /// The longest message that is taken where the limit is this one.
    pub(crate) fn kept_message_bytes(&self, limit_bytes: usize) -> usize {
        self.kept(Limit::Message, limit_bytes)
    }

    /// How much waits for one peer where the limit is this one.
    pub(crate) fn kept_outbox_bytes(&self, limit_bytes: usize) -> usize {
        self.kept(Limit::Outbox, limit_bytes)
    }
}

/// How many threads serve, and how much an application may leave untaken in them.
#[derive(Clone, Copy, Debug)]
pub struct Threads {
    /// Threads besides the application's own; 0: that one serves.
    pub count: usize,
    /// Messages of one connection that may wait for the application before the connection is no longer read.
    pub queue_limit: usize,
    /// Bytes of one connection that may wait.
    pub queue_limit_bytes: usize,
}

impl Default for Threads {
    fn default() -> Self {
        Self {
            count: 0,
            queue_limit: 64,
            queue_limit_bytes: 256 << 10,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            head: http::Limits::default(),
            body_limit_bytes: 1 << 20,
            head_timeout_s: 10.0,
            body_timeout_s: 30.0,
            write_timeout_s: 30.0,
            transfer_rate_bytes: 1024,
            keep_alive_timeout_s: 75.0,
            message_limit_bytes: 1 << 20,
            inflated_ratio: 200,
            message_timeout_s: 30.0,
            close_timeout_s: 5.0,
            ping_interval_s: 20.0,
            ping_timeout_s: 20.0,
            idle_timeout_s: 0.0,
            outbox_limit_bytes: 1 << 20,
            outbox_low_bytes: 64 << 10,
            held_limit_bytes: usize::MAX,
            connection_limit: 0,
            limits: Limits::default(),
            deflate: deflate::Settings::default(),
        }
    }
}
