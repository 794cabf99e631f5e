//! permessage-deflate: the payload of one message, compressed and back (RFC 7692 §7).
//!
//! Knows nothing of frames and RSV1 (see `endpoint`), nor of the header in which the parameters are agreed upon
//! (see `extensions`).
//!
//! Where no context is taken over from message to message, which is what [`Window::Shared`] negotiates, a message is
//! a block of bytes of known size and one [`Codec`] per worker serves every connection: no state between messages,
//! libdeflate to inflate, compressed results that many receivers can share. Where a context is taken over ([`Window::Dedicated`])
//! each connection owns a zlib stream per direction, which costs it about 200 KiB for better compression.

mod codec;
mod parameters;
mod per_message;
mod quick;
mod stream;

pub use codec::{Codec, UNSUSPICIOUS_BYTES};
pub use parameters::{Parameters, Settings, Window};
pub(crate) use parameters::{WINDOW_BITS_KEPT_MIN, WINDOW_BITS_MAX, WINDOW_BITS_MIN};
pub use per_message::PerMessage;

/// What a sync flush ends with and the wire leaves out (§7.2.1): length and complement of an empty stored block.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
