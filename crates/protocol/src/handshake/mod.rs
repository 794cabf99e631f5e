//! The opening handshake (RFC 6455 §4): from an HTTP request to the right to speak frames.
//!
//! [`examine`] and [`accept`] are the server's half, [`ClientRequest`] and [`verify`] the client's.
//! Decides nothing about routes, users and rate; whether an [`Origin`](OriginPolicy) may come in is asked separately,
//! because the answer depends on the route.

mod client;
mod key;
mod origin;
mod server;

pub use client::{Agreed, ClientRefusal, ClientRequest, verify};
pub use origin::{BadOrigin, OriginPolicy, origin_is_same};
pub use server::{Acceptance, Offer, accept, examine, names_websocket};

/// The one version of the protocol spoken here; the drafts had others (RFC 6455 §11.6).
const VERSION: &str = "13";
