//! HTTP/1.1, the server's half: request heads and bodies in, responses out.
//!
//! Strict on purpose: whatever two parsers could read differently (a smuggled body, a folded line, a dot segment)
//! is answered with 400 and the connection ends. Says nothing about WebSocket (see [`crate::handshake`]),
//! nor about routes, files and timeouts (see the crate `server`).

pub mod list;

pub(crate) mod authority;
mod body;
mod fields;
mod forwarded;
mod head;
mod refusal;
mod request;
pub(crate) mod response;
mod target;

pub use body::BodyReader;
pub use fields::Fields;
pub use forwarded::{Forwarded, Spelling};
pub use head::{HeadScanner, Limits};
pub use refusal::Refusal;
pub use request::{Framing, Request};
pub use response::{
    BodyEnd, CHUNK_END, CONTINUE, LAST_CHUNK, Response, ResponseHead, push_chunk, push_chunk_size,
    reason_phrase,
};
pub use target::Target;
