//! TLS: what stands between a connection's bytes and its socket. The protocol itself is rustls.
//!
//! Touches no socket and knows no deadline: the worker's room `sealed` reads and writes.

mod connection;
mod context;
mod resolver;
mod trust;

pub use self::connection::TlsFacts;
pub(crate) use self::connection::{RECORD_BYTES, Sealed, Tls};
pub use self::context::{ClientAuth, Pair, TlsContext, TlsRefusal, TlsSettings, TlsVersion};
#[cfg(fuzzing)]
pub mod fuzzing;

pub use self::trust::{TlsTrust, TrustSettings};
