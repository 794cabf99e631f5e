//! What goes into an endpoint (`Input`) and what comes out of it (`Event`).
//!
//! Decides nothing; see `endpoint`, which re-exports all of this.

use std::ops::Deref;

/// Whether a message is text or binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// UTF-8, checked.
    Text,
    /// Any bytes.
    Binary,
}

/// Bytes that have arrived; an endpoint takes them from the front and unmasks them where they are.
#[derive(Debug)]
pub struct Input<'b> {
    bytes: &'b mut [u8],
}

impl<'b> Input<'b> {
    /// Begins with all of `bytes`.
    #[inline]
    pub fn new(bytes: &'b mut [u8]) -> Self {
        Self { bytes }
    }

    /// Whether everything has been taken.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How many bytes are left.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes that are left.
    #[inline]
    #[must_use]
    pub fn remaining(self) -> &'b mut [u8] {
        self.bytes
    }

    #[inline]
    pub(crate) fn peek(&self) -> &[u8] {
        self.bytes
    }

    /// Takes the next `count` bytes, or as many as there are.
    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> &'b mut [u8] {
        let bytes = std::mem::take(&mut self.bytes);
        let (taken, rest) = bytes.split_at_mut(count.min(bytes.len()));
        self.bytes = rest;
        taken
    }

    #[inline]
    pub(crate) fn clear(&mut self) {
        self.bytes = &mut [];
    }
}

/// The payload of an event.
#[derive(Debug)]
pub enum Payload<'b> {
    /// Lies in the caller's buffer: one frame, which arrived whole.
    InPlace(&'b mut [u8]),
    /// Was put together from pieces, or inflated.
    Owned(Vec<u8>),
}

impl Payload<'_> {
    /// The payload beyond the life of the caller's buffer; copies only what lies in it.
    #[inline]
    #[must_use]
    pub fn into_owned(self) -> Vec<u8> {
        match self {
            Self::InPlace(bytes) => bytes.to_vec(),
            Self::Owned(bytes) => bytes,
        }
    }
}

impl Deref for Payload<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::InPlace(bytes) => bytes,
            Self::Owned(bytes) => bytes,
        }
    }
}

/// Two payloads are equal when their bytes are, wherever these lie.
impl PartialEq for Payload<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Payload<'_> {}

/// Something the peer did.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'b> {
    /// A whole message.
    Message {
        /// Text or binary.
        kind: Kind,
        /// The message; valid UTF-8 if it is text, guaranteed.
        payload: Payload<'b>,
    },
    /// Wants a pong with the same payload (RFC 6455 §5.5.2); the caller answers, for it knows how much waits to be sent.
    Ping(Payload<'b>),
    /// Answers a ping, or came unasked (§5.5.3).
    Pong(Payload<'b>),
    /// Closes the connection; the caller answers with `Endpoint::close`. Nothing follows.
    Close {
        /// As given by the peer, [`NO_STATUS`](crate::close::NO_STATUS) if it gave none.
        code: u16,
        /// As given by the peer.
        reason: String,
    },
}
