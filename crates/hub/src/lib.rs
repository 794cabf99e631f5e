//! Who hears what: topics, their subscribers, what happens to those who read too slowly; and what topics remember.
//!
//! Pure: no sockets and no bytes on the wire. A subscriber is a number the caller chooses; delivering is the
//! caller's business too (the crate `server`).

#![forbid(unsafe_code)]

mod channels;
mod delta;
mod history;
mod pace;
mod patterns;
mod policy;
mod presence;
mod recent;
mod topics;
mod turns;

pub use channels::{Channels, GivenUp, Options, Published, Stored};
pub use delta::delta;
pub use history::{History, Limits, Lost, Position};
pub use pace::Pace;
pub use patterns::Patterns;
pub use policy::{Policy, UnknownPolicy};
pub use presence::{Counts, Member, Presence};
pub use topics::{Stats, Topic, Topics};
