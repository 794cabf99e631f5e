//! Messages that stand alone, compressed and inflated: one codec serves all connections of a worker.
//!
//! Keeps nothing from one message to the next but its buffers. Contexts that are taken over are in `per_message`.
//!
//! At level 1 `quick` compresses, above it zlib; libdeflate inflates. libdeflate compresses, too, but can only end a
//! stream (BFINAL), which §7.2.3.4 allows but some peers do not survive: kosoku 0.1 spins for ever.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::ops::RangeInclusive;

use libdeflater::{DecompressionError, Decompressor};
use zlib_rs::{Deflate, Inflate};

use super::quick::Quick;
use super::{TAIL, WINDOW_BITS_KEPT_MIN, WINDOW_BITS_MAX, stream};
use crate::error::Violation;

/// Most messages inflate to no more than 64 KiB; the buffer is kept.
const SCRATCH_BYTES: usize = 64 * 1024 + SEAL_BYTES;

/// Payloads up to this are copied to where libdeflate can find their end; a larger one is inflated where it lies.
const FRAMED_BYTES_MAX: usize = 32 * 1024;

/// Bytes that follow every message through libdeflate, see [`Codec::inflate_sealed`].
const SEAL_BYTES: usize = 8;

/// However little it was before, a message may inflate to this: a blank picture is no attack, and nobody can do harm with it.
pub const UNSUSPICIOUS_BYTES: usize = 1024 * 1024;

/// The windows that zlib compresses with, in bits.
const WINDOWS: RangeInclusive<u8> = WINDOW_BITS_KEPT_MIN..=WINDOW_BITS_MAX;

/// How many they are.
const WINDOW_COUNT: usize = (WINDOW_BITS_MAX - WINDOW_BITS_KEPT_MIN + 1) as usize;

/// Compressors, decompressors and buffers of one worker. Everything in it is made when first used.
pub struct Codec {
    level: u8,
    quick: Option<Quick>,
    deflaters: [Option<Deflate>; WINDOW_COUNT],
    decompressor: Option<Decompressor>,
    inflater: Option<Inflate>,
    framed: Vec<u8>,
    scratch: Vec<u8>,
    /// How many times as long a message may become by inflating; 0: as often as DEFLATE can.
    ratio: u32,
    /// That limit is only tried, and the last message was beyond it.
    is_ratio_tried: bool,
    has_exceeded: bool,
    /// Never the same twice, and not to be guessed: nothing a peer sends can contain the next one but by accident.
    seal: u64,
}

impl Codec {
    /// A codec that compresses with the effort `level`, 1 (fast) to 9 (small).
    #[must_use]
    pub fn new(level: u8) -> Self {
        Self {
            level,
            quick: None,
            deflaters: Default::default(),
            decompressor: None,
            inflater: None,
            framed: Vec::new(),
            scratch: Vec::new(),
            ratio: 0,
            is_ratio_tried: false,
            has_exceeded: false,
            // As with the seeds of a hash table, nothing that can be seen from outside depends on it.
            seal: RandomState::new().hash_one(level),
        }
    }

    /// From now on a message that inflates to more than [`UNSUSPICIOUS_BYTES`] may become at most `ratio` times as long; 0: no
    /// limit. `is_tried`: it passes all the same, and [`Codec::take_exceeded`] tells.
    pub fn limit_ratio(&mut self, ratio: u32, is_tried: bool) {
        (self.ratio, self.is_ratio_tried) = (ratio, is_tried);
    }

    /// Whether a message has been let pass, since the last call, that became too long for the limit that is only tried.
    #[inline]
    pub fn take_exceeded(&mut self) -> bool {
        std::mem::take(&mut self.has_exceeded)
    }

    /// What `compressed_bytes` may become, by the ratio.
    fn fair_bytes(&self, compressed_bytes: usize) -> usize {
        match self.ratio {
            0 => usize::MAX,
            ratio => compressed_bytes
                .saturating_mul(ratio as usize)
                .max(UNSUSPICIOUS_BYTES),
        }
    }

    /// Inflates by `act` within the limit, and within what the ratio allows.
    pub(super) fn inflate_fairly(
        &mut self,
        payload: &[u8],
        limit_bytes: usize,
        act: impl FnOnce(&mut Self, usize) -> Result<Vec<u8>, Violation>,
    ) -> Result<Vec<u8>, Violation> {
        let fair = self.fair_bytes(payload.len());
        if fair >= limit_bytes {
            return act(self, limit_bytes);
        }
        if self.is_ratio_tried {
            let message = act(self, limit_bytes)?;
            self.has_exceeded |= message.len() > fair;
            return Ok(message);
        }
        let ratio = self.ratio;
        act(self, fair).map_err(|violation| match violation {
            Violation::MessageTooBig { .. } => Violation::InflatesTooMuch { ratio },
            other => other,
        })
    }

    /// Appends `payload` compressed for all receivers of `group` (see [`PerMessage::group`](super::PerMessage::group)).
    ///
    /// Returns `false`, and appends nothing, when it would not get smaller.
    pub fn compress_for_group(&mut self, group: u8, payload: &[u8], out: &mut Vec<u8>) -> bool {
        if self.level <= 1 {
            let quick = self.quick.get_or_insert_with(Quick::new);
            return quick.compress(group, payload, out);
        }
        // A message that is no longer than a window cannot look beyond it, whatever zlib's own is.
        let bits = if payload.len() <= 1 << group {
            group.max(WINDOW_BITS_KEPT_MIN)
        } else {
            group
        };
        if !WINDOWS.contains(&bits) {
            return false;
        }
        let level = self.level;
        let deflate = self.deflaters[usize::from(bits - WINDOW_BITS_KEPT_MIN)]
            .get_or_insert_with(|| stream::deflater(level, bits));
        let start = out.len();
        // Before, not after: a reset is only sure to be one (zlib-rs 0.6.8) where a flush has come to its end, so the
        // output is not cut short either when it turns out to be too long.
        deflate.reset();
        stream::compress(deflate, payload, out);
        let is_smaller = out.len() - start < payload.len();
        if !is_smaller {
            out.truncate(start);
        }
        is_smaller
    }

    /// The message in `payload`, which stands alone.
    pub(super) fn inflate(
        &mut self,
        payload: &[u8],
        limit_bytes: usize,
    ) -> Result<Vec<u8>, Violation> {
        // A first block with BFINAL is likely the only one, and libdeflate cannot tell: see below.
        let begins_with_last = payload.first().is_some_and(|byte| byte & 1 == 1);
        if !begins_with_last
            && payload.len() <= FRAMED_BYTES_MAX
            && let Some(message) = self.inflate_sealed(payload, limit_bytes)
        {
            return Ok(message);
        }
        let inflater = self.inflater.get_or_insert_with(stream::inflater);
        stream::inflate_alone(inflater, payload, limit_bytes, scratch(&mut self.scratch))
    }

    /// By libdeflate; `None` when zlib has to decide, as about everything that is not to be accepted.
    ///
    /// libdeflate stops after the first block with BFINAL and does not say where that was, but a message may go on
    /// after one. So a last block is appended that holds a seal, a number used once: if the output ends with it,
    /// everything before it has been inflated too.
    fn inflate_sealed(&mut self, payload: &[u8], limit_bytes: usize) -> Option<Vec<u8>> {
        self.seal = self
            .seal
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(1);
        let seal = self.seal.to_le_bytes();
        self.framed.clear();
        self.framed.extend_from_slice(payload);
        self.framed.extend_from_slice(&TAIL);
        self.framed
            .extend_from_slice(&[0x01, SEAL_BYTES as u8, 0x00, !SEAL_BYTES as u8, 0xff]);
        self.framed.extend_from_slice(&seal);

        let decompressor = self.decompressor.get_or_insert_with(Decompressor::new);
        let most_bytes = limit_bytes.saturating_add(SEAL_BYTES);
        let scratch = scratch(&mut self.scratch);
        let mut room_bytes = scratch.len().min(most_bytes);
        match decompressor.deflate_decompress(&self.framed, &mut scratch[..room_bytes]) {
            Ok(written) => return scratch[..written].strip_suffix(&seal).map(<[u8]>::to_vec),
            Err(DecompressionError::BadData) => return None,
            Err(DecompressionError::InsufficientSpace) => {}
        }
        // Four times as much at each attempt: all attempts before the last cost at most a third of it.
        let mut next_bytes = (4 * SCRATCH_BYTES).max(4 * payload.len());
        while room_bytes < most_bytes {
            room_bytes = next_bytes.min(most_bytes);
            next_bytes = room_bytes.saturating_mul(4);
            let mut message = vec![0; room_bytes];
            match decompressor.deflate_decompress(&self.framed, &mut message) {
                Ok(written) if message[..written].ends_with(&seal) => {
                    return Some(stream::fitted(message, written - SEAL_BYTES));
                }
                Ok(_) | Err(DecompressionError::BadData) => return None,
                Err(DecompressionError::InsufficientSpace) => {}
            }
        }
        None
    }

    /// A buffer for output of unknown size.
    pub(super) fn scratch(&mut self) -> &mut [u8] {
        scratch(&mut self.scratch)
    }
}

/// The scratch buffer at its full size; a function of the field, so that the others stay free.
fn scratch(buffer: &mut Vec<u8>) -> &mut [u8] {
    if buffer.is_empty() {
        buffer.resize(SCRATCH_BYTES, 0);
    }
    buffer
}

impl fmt::Debug for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Codec")
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}
