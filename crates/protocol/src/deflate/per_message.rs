//! The compression of one connection: what was agreed upon, and its windows if a context is taken over.
//!
//! Owns nothing on the heap until the first message of a direction whose context is taken over; everything without
//! such a context is done by the worker's [`Codec`].

use std::fmt;

use zlib_rs::{Deflate, Inflate};

use super::codec::Codec;
use super::parameters::{Parameters, WINDOW_BITS_KEPT_MIN, WINDOW_BITS_MAX, WINDOW_BITS_MIN};
use super::stream;
use crate::endpoint::Role;
use crate::error::Violation;

/// permessage-deflate as one connection has negotiated it.
pub struct PerMessage {
    windows: Option<Box<Windows>>,
    minimum_bytes: u32,
    level: u8,
    sending: Direction,
    receiving: Direction,
}

/// The contexts that are taken over; each exists from the first message of its direction.
#[derive(Default)]
struct Windows {
    sending: Option<Deflate>,
    receiving: Option<Inflate>,
}

/// The agreement for one direction in a byte: window bits, and whether the context is taken over.
#[derive(Clone, Copy)]
struct Direction(u8);

impl Direction {
    const TAKEOVER: u8 = 0x80;

    fn new(no_context_takeover: bool, window_bits: Option<u8>) -> Self {
        let bits = window_bits
            .unwrap_or(WINDOW_BITS_MAX)
            .clamp(WINDOW_BITS_MIN, WINDOW_BITS_MAX);
        Self(if no_context_takeover {
            bits
        } else {
            bits | Self::TAKEOVER
        })
    }

    fn takes_over(self) -> bool {
        self.0 & Self::TAKEOVER != 0
    }

    fn window_bits(self) -> u8 {
        self.0 & !Self::TAKEOVER
    }
}

impl PerMessage {
    /// The compression of a connection that has agreed upon `parameters`.
    ///
    /// Messages shorter than `minimum_bytes` are not worth compressing; `level` is used by a dedicated window only
    /// (a shared one has its [`Codec`]'s).
    #[must_use]
    pub fn new(role: Role, parameters: Parameters, minimum_bytes: usize, level: u8) -> Self {
        let server = Direction::new(
            parameters.server_no_context_takeover,
            parameters.server_max_window_bits,
        );
        let client = Direction::new(
            parameters.client_no_context_takeover,
            parameters.client_max_window_bits,
        );
        let (sending, receiving) = match role {
            Role::Server => (server, client),
            Role::Client => (client, server),
        };
        let minimum_bytes = u32::try_from(minimum_bytes).unwrap_or(u32::MAX);
        Self {
            windows: None,
            minimum_bytes,
            level,
            sending,
            receiving,
        }
    }

    /// Appends `payload` compressed to `out`, ready for a frame with RSV1.
    ///
    /// Returns `false`, and appends nothing, when the message had better be sent as it is.
    pub fn compress(&mut self, codec: &mut Codec, payload: &[u8], out: &mut Vec<u8>) -> bool {
        if payload.len() < self.minimum_bytes() {
            return false;
        }
        match self.group() {
            Some(group) => codec.compress_for_group(group, payload, out),
            // zlib turns every window of 8 bits into one of 9, of which the peer knows nothing.
            None if self.sending.window_bits() < WINDOW_BITS_KEPT_MIN => false,
            None => {
                let (level, bits) = (self.level, self.sending.window_bits());
                let windows = self.windows.get_or_insert_default();
                let deflate = windows
                    .sending
                    .get_or_insert_with(|| stream::deflater(level, bits));
                // Also when it does not get smaller: the window already holds the message, so the peer must see it.
                stream::compress(deflate, payload, out);
                true
            }
        }
    }

    /// The message in `payload`, which came in frames of which the first had RSV1.
    ///
    /// # Errors
    /// [`Violation::MessageTooBig`] as soon as more than `limit_bytes` come out, [`Violation::InflatesTooMuch`] as soon as
    /// it is more than [`Codec::limit_ratio`] allows, [`Violation::BadDeflate`] when it is not DEFLATE. The connection must then be failed: its context is lost.
    pub fn inflate(
        &mut self,
        codec: &mut Codec,
        payload: &[u8],
        limit_bytes: usize,
    ) -> Result<Vec<u8>, Violation> {
        codec.inflate_fairly(payload, limit_bytes, |codec, limit_bytes| {
            if !self.receiving.takes_over() {
                return codec.inflate(payload, limit_bytes);
            }
            let windows = self.windows.get_or_insert_default();
            let inflate = windows.receiving.get_or_insert_with(stream::inflater);
            stream::inflate(inflate, payload, limit_bytes, codec.scratch())
        })
    }

    /// Receivers of one group can share a compressed message; `None` if this one has a context of its own.
    #[must_use]
    pub fn group(&self) -> Option<u8> {
        (!self.sending.takes_over()).then(|| self.sending.window_bits())
    }

    /// Messages shorter than this are sent as they are.
    #[must_use]
    pub fn minimum_bytes(&self) -> usize {
        self.minimum_bytes as usize
    }

    /// What this connection's windows hold on the heap.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let Some(windows) = &self.windows else {
            return 0;
        };
        size_of::<Windows>()
            + windows
                .sending
                .as_ref()
                .map_or(0, |_| stream::deflater_bytes(self.sending.window_bits()))
            + windows
                .receiving
                .as_ref()
                .map_or(0, |_| stream::INFLATER_BYTES)
    }
}

impl fmt::Debug for PerMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerMessage")
            .field("sending", &self.sending)
            .field("receiving", &self.receiving)
            .field("minimum_bytes", &self.minimum_bytes)
            .field("held_bytes", &self.held_bytes())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} bits, context {}",
            self.window_bits(),
            if self.takes_over() {
                "taken over"
            } else {
                "dropped"
            }
        )
    }
}
