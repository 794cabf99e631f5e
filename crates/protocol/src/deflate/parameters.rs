//! What one side wants of permessage-deflate, and what both have agreed upon.
//!
//! Values only: the text of the header is in `extensions`.

/// The largest window DEFLATE knows, 32 KiB, as the base-2 logarithm; the value of a parameter that is not there.
pub(crate) const WINDOW_BITS_MAX: u8 = 15;

/// The smallest window RFC 7692 knows, 256 bytes.
pub(crate) const WINDOW_BITS_MIN: u8 = 8;

/// The smallest window zlib compresses with; asked for 8 bits it silently takes 9.
pub(crate) const WINDOW_BITS_KEPT_MIN: u8 = 9;

/// Whose window a message is compressed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Window {
    /// No compression at all: offers are declined.
    Off,
    /// Each message stands alone (no context is taken over in either direction) and connections share a [`Codec`](super::Codec).
    #[default]
    Shared,
    /// Each connection keeps its windows from message to message: smaller frames, about 200 KiB for a connection that
    /// uses both directions.
    Dedicated,
}

/// What this side wants of permessage-deflate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Whose window a message is compressed with.
    pub window: Window,
    /// Base-2 logarithm of a dedicated window in bytes, 9 to 15.
    pub window_bits: u8,
    /// Messages shorter than this are sent as they are.
    pub minimum_bytes: usize,
    /// Effort of compression, 1 (fast) to 9 (small).
    pub level: u8,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            window: Window::Shared,
            window_bits: 12,
            minimum_bytes: 64,
            level: 1,
        }
    }
}

/// What both sides have agreed upon (RFC 7692 §7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parameters {
    /// The server forgets its window after each message it sends.
    pub server_no_context_takeover: bool,
    /// The client forgets its window after each message it sends.
    pub client_no_context_takeover: bool,
    /// The server's window in bits, 8 to 15; `None` is not in the header and means 15.
    pub server_max_window_bits: Option<u8>,
    /// The client's window in bits, 8 to 15; `None` is not in the header and means 15.
    pub client_max_window_bits: Option<u8>,
}
