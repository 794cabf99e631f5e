//! Who hears what: topics, their subscribers, and what happens to those who read too slowly.
//!
//! Pure: no sockets and no bytes on the wire. A subscriber is a number the caller chooses; delivering is the
//! caller's business too (the crate `server`).

#![forbid(unsafe_code)]

mod policy;
mod topics;

pub use policy::{Policies, Policy};
pub use topics::{Stats, Topics};
