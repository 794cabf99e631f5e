//! Sockets, timers and the worker that joins them to the protocol.
//!
//! A [`Worker`] owns one epoll and everything connected to it; the caller waits and pulls [`Event`]s. It knows no Python,
//! no threads and no application. [`Workers`] is the same for several threads: one worker here, any number beside it (`pool`).
//! See `examples/echo.rs` for all it takes to serve from Rust alone.

mod access;
mod bucket;
mod budget;
mod clock;
mod connection;
mod descriptors;
mod door;
mod event;
mod exchange;
mod files;
mod gauge;
mod id;
mod leave;
mod limits;
mod listener;
mod memory;
mod outbox;
mod pool;
mod reactor;
mod settings;
mod slab;
mod slices;
mod stash;
mod stats;
mod tally;
mod tls;
mod wheel;
mod worker;
mod workers;

#[cfg(fuzzing)]
pub use tls::fuzzing;

pub use access::{AccessBook, AccessLine, Traffic};
pub use budget::system_memory_bytes;
pub use connection::{Caller, Peer};
pub use event::{Bytes, ClosedBy, Ending, Event};
pub use exchange::FilePart;
pub use files::{Entry, OpenFile, Root};
pub use id::ConnectionId;
pub use limits::{DryRun, Limit, Limits, RatePolicy, TRIED_TIMES};
pub use listener::{Address, Listener};
pub use memory::prefer_large_pages;
pub use reactor::{Interest, ReadyList};
pub use settings::{Settings, Threads};
pub use slices::prefer_short_slices;
pub use stats::Stats;
pub use tally::Tally;
pub use tls::{
    ClientAuth, Pair, TlsContext, TlsFacts, TlsRefusal, TlsSettings, TlsTrust, TlsVersion,
    TrustSettings,
};
pub use worker::{
    Accept, ClientRequest, Farewell, Inbox, Notice, Publication, Sent, Target, Worker,
    monotonic_ms, monotonic_ns,
};
pub use workers::Workers;
