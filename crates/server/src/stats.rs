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
    /// Pings answered with a later pong only.
    pings_merged,
    /// TLS handshakes completed.
    tls_handshakes,
    /// Of these, sessions resumed by a ticket.
    tls_resumed,
    /// TLS handshakes that failed: no TLS, nothing in common, a certificate not believed, too slow.
    tls_failures,
    /// Panics caught; each closed one connection.
    panics,
    /// Connections gone.
    closed,
}
