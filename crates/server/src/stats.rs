//! What a worker has counted so far.

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Counters since the worker started.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[allow(clippy::exhaustive_structs)]
        pub struct Stats { $($(#[$doc])* pub $name: u64),* }

        impl Stats {
            /// Every counter with its name, in the order of declaration.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name)),*].into_iter()
            }

            /// Adds what another worker has counted.
            pub fn add(&mut self, other: &Stats) {
                $(self.$name += other.$name;)*
            }
        }
    };
}

counters! {
    /// Connections accepted.
    accepted,
    /// Connections refused for want of descriptors or by the connection limit.
    refused,
    /// Times the listener was paused for want of descriptors.
    accept_pauses,
    /// Connections beyond the limit for all.
    over_connection_limit,
    /// Connections beyond the limit for one address.
    over_address_connection_limit,
    /// Handshakes beyond the rate for all.
    over_handshake_rate,
    /// Handshakes beyond the rate for one address.
    over_address_handshake_rate,
    /// Times a connection sent more messages than its rate.
    over_message_rate,
    /// Times a connection sent more bytes than its rate.
    over_byte_rate,
    /// Requests whose line was too long.
    over_request_line_limit,
    /// Requests whose head was too long.
    over_head_limit,
    /// Requests with too many fields.
    over_field_limit,
    /// Request heads that took too long.
    over_head_timeout,
    /// Messages that were too long.
    over_message_limit,
    /// Messages that took too long.
    over_message_timeout,
    /// Messages that became too many times as long by inflating.
    over_inflated_ratio,
    /// Messages that found the outbox of their peer full.
    over_outbox_limit,
    /// Of all that was beyond a limit, what passed because the limit is only tried.
    let_pass,
    /// Connections closed for a PROXY header that was none, or a stranger's.
    proxy_refused,
    /// Handshakes that became WebSockets.
    upgraded,
    /// HTTP requests handed to the application.
    requests,
    /// Requests answered with an error by the server itself.
    bad_requests,
    /// Answers that broke off in the middle: their connections were cut.
    answers_cut,
    /// Messages received.
    messages_in,
    /// Bytes received.
    bytes_in,
    /// Messages queued for sending, each delivery of a publication counted.
    messages_out,
    /// Bytes sent.
    bytes_out,
    /// Messages refused or discarded because a peer read too slowly.
    dropped,
    /// Messages replaced by a newer one of the same key.
    conflated,
    /// Peers closed because they read too slowly.
    slow_closed,
    /// Peers closed because they broke the protocol.
    violations,
    /// Peers that missed a deadline.
    timeouts,
    /// Connections closed because all held bytes exceeded the budget.
    over_budget,
    /// Times buffers were shrunk because the held bytes came near the budget.
    memory_shrinks,
    /// Times reading from the largest holders was to stop.
    memory_squeezes,
    /// Times new requests were to be refused.
    memory_closures,
    /// Times the largest holders were to be closed.
    memory_sheds,
    /// Connections that were not read for a while because they held much.
    memory_paused,
    /// Requests refused for want of memory.
    memory_refused,
    /// Pings answered with a later pong only.
    pings_merged,
    /// TLS handshakes completed.
    tls_handshakes,
    /// Of these, sessions resumed by a ticket.
    tls_resumed,
    /// TLS handshakes that failed: no TLS, nothing in common, a certificate not believed, too slow.
    tls_failures,
    /// Panics caught; each cost one connection, or a call of the application's.
    panics,
    /// Connections gone.
    closed,
}
