//! Messages that stand alone, compressed and inflated: one codec serves all connections of a worker.
//!
//! Keeps nothing from one message to the next but its buffers. Contexts that are taken over are in `per_message`.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

use libdeflater::{CompressionLvl, Compressor, DecompressionError, Decompressor};
use zlib_rs::{Deflate, Inflate};

use super::{TAIL, WINDOW_BITS_KEPT_MIN, WINDOW_BITS_MAX, stream};
use crate::error::Violation;

/// Most messages inflate to no more than 64 KiB; the buffer is kept.
const SCRATCH_BYTES: usize = 64 * 1024 + SEAL_BYTES;

/// Payloads up to this are copied to where libdeflate can find their end; a larger one is inflated where it lies.
const FRAMED_BYTES_MAX: usize = 32 * 1024;

/// Bytes that follow every message through libdeflate, see [`Codec::inflate_sealed`].
const SEAL_BYTES: usize = 8;

/// The windows zlib is needed for: smaller than DEFLATE's own 32 KiB, larger than 256 bytes.
const SMALL_WINDOWS: std::ops::Range<u8> = WINDOW_BITS_KEPT_MIN..WINDOW_BITS_MAX;

/// Compressor, decompressor and buffers of one worker. Everything in it is made when first used.
pub struct Codec {
    level: u8,
    compressor: Option<Compressor>,
    decompressor: Option<Decompressor>,
    small_windows: [Option<Deflate>; SMALL_WINDOWS.end as usize - SMALL_WINDOWS.start as usize],
    inflater: Option<Inflate>,
    framed: Vec<u8>,
    scratch: Vec<u8>,
    /// Never the same twice, and not to be guessed: nothing a peer sends can contain the next one but by accident.
    seal: u64,
}

impl Codec {
    /// A codec that compresses with the effort `level`, 1 (fast) to 12 (small).
    #[must_use]
    pub fn new(level: u8) -> Self {
        Self {
            level,
            compressor: None,
            decompressor: None,
            small_windows: Default::default(),
            inflater: None,
            framed: Vec::new(),
            scratch: Vec::new(),
            // As with the seeds of a hash table, nothing that can be seen from outside depends on it.
            seal: RandomState::new().hash_one(level),
        }
    }

    /// Appends `payload` compressed for all receivers of `group` (see [`PerMessage::group`](super::PerMessage::group)).
    ///
    /// Returns `false`, and appends nothing, when it would not get smaller.
    pub fn compress_for_group(&mut self, group: u8, payload: &[u8], out: &mut Vec<u8>) -> bool {
        let start = out.len();
        let written = if payload.len() <= 1 << group || group >= SMALL_WINDOWS.end {
            self.compress_final(payload, out)
        } else if SMALL_WINDOWS.contains(&group) {
            self.compress_within_window(group, payload, out)
        } else {
            None
        };
        out.truncate(start + written.unwrap_or(0));
        written.is_some()
    }

    /// By libdeflate, which knows no window but the largest: only for messages no longer than the receiver's.
    fn compress_final(&mut self, payload: &[u8], out: &mut Vec<u8>) -> Option<usize> {
        let start = out.len();
        let level = i32::from(self.level.clamp(1, 12));
        let compressor = self.compressor.get_or_insert_with(|| {
            Compressor::new(CompressionLvl::new(level).expect("level was clamped above"))
        });
        // Room for what is worth sending and no more. libdeflate sets BFINAL; §7.2.3.4 then wants a byte 0x00, the
        // header of an empty stored block, so that the tail the receiver appends completes it.
        out.resize(start + payload.len().checked_sub(2)?, 0);
        let written = compressor
            .deflate_compress(payload, &mut out[start..])
            .ok()?;
        out.truncate(start + written);
        out.push(0);
        Some(written + 1)
    }

    /// By zlib: for messages longer than the receiver's window.
    fn compress_within_window(
        &mut self,
        bits: u8,
        payload: &[u8],
        out: &mut Vec<u8>,
    ) -> Option<usize> {
        let start = out.len();
        let level = self.level;
        let deflate = self.small_windows[usize::from(bits - SMALL_WINDOWS.start)]
            .get_or_insert_with(|| stream::deflater(level, bits));
        // Before, not after: a reset is only sure to be one (zlib-rs 0.6.8) where a flush has come to its end, so the
        // output is not cut short either when it turns out to be too long.
        deflate.reset();
        stream::compress(deflate, payload, out);
        let written = out.len() - start;
        (written < payload.len()).then_some(written)
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
