//! One side of an open WebSocket connection: bytes to events, messages to bytes (RFC 6455 §5-§7).

/// Which side of the connection this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Accepts connections; expects masked frames and sends unmasked ones.
    Server,
    /// Opens connections; sends masked frames and expects unmasked ones.
    Client,
}
