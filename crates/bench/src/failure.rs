//! Why there is no report.

use std::fmt;

use rustix::io::Errno;

/// Why there is no report.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Failure {
    /// The options contradict themselves or ask for what cannot be done.
    Options(String),
    /// The system refused something.
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        error: Errno,
    },
    /// The server answered the upgrade with something else than a valid 101.
    Upgrade(String),
    /// The server closed a connection that was in use.
    Closed {
        /// Which connection.
        connection: usize,
        /// What it said, if it said something.
        reason: String,
    },
    /// The server broke the protocol.
    Protocol {
        /// Which connection.
        connection: usize,
        /// How.
        violation: String,
    },
    /// What came back is not what was sent, or not in the order of sending.
    Mismatch {
        /// Which connection.
        connection: usize,
        /// How many messages had come back right.
        after: u64,
        /// The first difference.
        difference: String,
    },
    /// Nothing arrived for too long.
    Stalled {
        /// What was waited for.
        waiting_for: String,
        /// How long.
        seconds: f64,
    },
    /// The load generator could not keep its own schedule, so its figures would describe itself.
    Saturated(String),
    /// The server's CPU time or memory cannot be read.
    Server(String),
}

impl Failure {
    pub(crate) fn system(what: &'static str) -> impl Fn(Errno) -> Failure {
        move |error| Failure::System { what, error }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Options(what) => write!(out, "{what}"),
            Failure::System { what, error } => write!(out, "{what}: {error}"),
            Failure::Upgrade(what) => write!(out, "upgrade refused: {what}"),
            Failure::Closed { connection, reason } => {
                write!(
                    out,
                    "connection {connection} was closed by the server: {reason}"
                )
            }
            Failure::Protocol {
                connection,
                violation,
            } => write!(
                out,
                "the server broke the protocol on connection {connection}: {violation}"
            ),
            Failure::Mismatch {
                connection,
                after,
                difference,
            } => write!(
                out,
                "wrong payload on connection {connection} after {after} messages: {difference}"
            ),
            Failure::Stalled {
                waiting_for,
                seconds,
            } => write!(out, "nothing arrived for {seconds:.1} s: {waiting_for}"),
            Failure::Saturated(why) => write!(out, "the load generator was saturated: {why}"),
            Failure::Server(what) => write!(out, "{what}"),
        }
    }
}

impl std::error::Error for Failure {}
