//! Messages through a zlib stream: to compress, for contexts that are taken over, and whatever libdeflate cannot do.
//!
//! Free functions over zlib-rs: the state belongs to the caller, a connection or the worker's [`Codec`](super::Codec).

use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Inflate, InflateFlush, Status};

use super::TAIL;
use crate::error::Violation;

/// What an inflater holds on the heap; zlib-rs allocates the full window whatever the bits.
pub(super) const INFLATER_BYTES: usize = (1 << 15) + 15 * 1024;

/// Room made at a time for output of unknown size.
const STEP_BYTES: usize = 64 * 1024;

/// DEFLATE cannot make more than this of one byte (a match of 258 bytes in two bits), so no message needs more room.
const EXPANSION_MAX: usize = 1032;

/// A raw DEFLATE compressor for windows of 9 to 15 bits.
pub(super) fn deflater(level: u8, window_bits: u8) -> Deflate {
    Deflate::new_with_config(DeflateConfig {
        level: i32::from(level.clamp(1, 9)),
        window_bits: -i32::from(window_bits),
        mem_level: memory_level(window_bits),
        ..DeflateConfig::default()
    })
}

/// A raw DEFLATE decompressor for windows of all sizes.
pub(super) fn inflater() -> Inflate {
    Inflate::new(false, 15)
}

/// What a compressor holds on the heap: window twice, chains, hash heads, and buffers for symbols and output.
pub(super) fn deflater_bytes(window_bits: u8) -> usize {
    (4 << window_bits) + (128 << 10) + (7 << (memory_level(window_bits) + 6)) + 6 * 1024
}

/// Small windows do not profit from large blocks: 8 (zlib's default) at 15 bits, 5 at 12.
fn memory_level(window_bits: u8) -> i32 {
    (i32::from(window_bits) - 7).clamp(4, 8)
}

/// Appends `payload`, compressed and flushed, to `out`; the context goes on.
pub(super) fn compress(deflate: &mut Deflate, payload: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    let mut filled = start;
    let mut input = payload;
    // zlib wants more than six spare bytes, or it may repeat the marker of the flush.
    out.resize(start + payload.len() / 2 + 64, 0);
    loop {
        let (read, written) = compress_some(deflate, input, &mut out[filled..]);
        input = &input[read..];
        filled += written;
        if filled < out.len() {
            break;
        }
        out.resize(out.len() + input.len() + 64, 0);
    }
    out.truncate(filled);
    if filled == start {
        // Nothing new to flush, as with an empty message: an empty stored block, without its tail (§7.2.3.6).
        out.push(0);
    } else {
        debug_assert!(
            out.ends_with(&TAIL),
            "a sync flush ends with an empty stored block"
        );
        out.truncate(filled - TAIL.len());
    }
}

/// One call of the compressor: bytes read, bytes written.
fn compress_some(deflate: &mut Deflate, input: &[u8], room: &mut [u8]) -> (usize, usize) {
    let (total_in, total_out) = (deflate.total_in(), deflate.total_out());
    deflate
        .compress(input, room, DeflateFlush::SyncFlush)
        .expect("compression has no invalid input");
    (
        (deflate.total_in() - total_in) as usize,
        (deflate.total_out() - total_out) as usize,
    )
}

/// The message in `payload`, inflated with a context that goes on.
///
/// Whether the last block was whole cannot be seen from outside the inflater: of a message that was cut its next one
/// tells.
pub(super) fn inflate(
    inflate: &mut Inflate,
    payload: &[u8],
    limit_bytes: usize,
    scratch: &mut [u8],
) -> Result<Vec<u8>, Violation> {
    let mut output = Output::new(payload.len(), limit_bytes, scratch);
    if !inflate_part(inflate, payload, &mut output)? {
        inflate_part(inflate, &TAIL, &mut output)?;
    }
    Ok(output.finish())
}

/// The message in `payload`, which stands alone and must be whole.
pub(super) fn inflate_alone(
    inflate: &mut Inflate,
    payload: &[u8],
    limit_bytes: usize,
    scratch: &mut [u8],
) -> Result<Vec<u8>, Violation> {
    // The tail, then an empty stored block that is the last one: reaching its end proves that nothing was missing.
    const END: [u8; 9] = [0x00, 0x00, 0xff, 0xff, 0x01, 0x00, 0x00, 0xff, 0xff];
    inflate.reset(false);
    let mut output = Output::new(payload.len(), limit_bytes, scratch);
    if inflate_part(inflate, payload, &mut output)? || inflate_part(inflate, &END, &mut output)? {
        Ok(output.finish())
    } else {
        Err(Violation::BadDeflate)
    }
}

/// Inflates all of `input`; whether its last byte was also the last one of a final block.
fn inflate_part(
    inflate: &mut Inflate,
    mut input: &[u8],
    output: &mut Output<'_>,
) -> Result<bool, Violation> {
    loop {
        let room = output.room()?;
        let (total_in, total_out) = (inflate.total_in(), inflate.total_out());
        let status = inflate
            .decompress(input, room, InflateFlush::SyncFlush)
            .map_err(|_| Violation::BadDeflate)?;
        let read = (inflate.total_in() - total_in) as usize;
        let written = (inflate.total_out() - total_out) as usize;
        let is_full = written == room.len();
        input = &input[read..];
        output.filled += written;
        if status == Status::StreamEnd {
            // A block with BFINAL does not end the message (§7.2.3.4). What follows cannot refer to what was before
            // it: a compressor that ends its stream begins a new one.
            inflate.reset(false);
            if input.is_empty() {
                return output.check().map(|()| true);
            }
        } else if input.is_empty() && !is_full {
            return output.check().map(|()| false);
        } else if read == 0 && written == 0 {
            return Err(Violation::BadDeflate);
        }
    }
}

/// Where inflated bytes go: the scratch buffer first, a vector once that is full.
struct Output<'s> {
    scratch: &'s mut [u8],
    vec: Vec<u8>,
    /// Bytes written so far, to `scratch` while `vec` is empty.
    filled: usize,
    limit_bytes: usize,
    /// More than this cannot come.
    most_bytes: usize,
}

impl<'s> Output<'s> {
    fn new(payload_bytes: usize, limit_bytes: usize, scratch: &'s mut [u8]) -> Self {
        // One byte above the limit tells a message that is too big from one that just fits.
        let most_bytes = payload_bytes
            .saturating_add(1)
            .saturating_mul(EXPANSION_MAX)
            .min(limit_bytes.saturating_add(1));
        Self {
            scratch,
            vec: Vec::new(),
            filled: 0,
            limit_bytes,
            most_bytes,
        }
    }

    fn check(&self) -> Result<(), Violation> {
        if self.filled > self.limit_bytes {
            return Err(Violation::MessageTooBig {
                size: self.filled as u64,
                limit: self.limit_bytes,
            });
        }
        Ok(())
    }

    /// Where to write next; never empty.
    fn room(&mut self) -> Result<&mut [u8], Violation> {
        self.check()?;
        if self.vec.is_empty() {
            if self.filled < self.scratch.len() {
                let end = self.scratch.len().min(self.most_bytes.max(self.filled + 1));
                return Ok(&mut self.scratch[self.filled..end]);
            }
            // All at once, as growing would copy and for a moment hold both; pages never written to cost nothing.
            self.vec.reserve_exact(self.most_bytes.max(self.filled + 1));
            self.vec.extend_from_slice(&self.scratch[..self.filled]);
        }
        if self.filled == self.vec.len() {
            let end = (self.filled + STEP_BYTES)
                .min(self.most_bytes)
                .max(self.filled + 1);
            self.vec.resize(end, 0);
        }
        Ok(&mut self.vec[self.filled..])
    }

    fn finish(self) -> Vec<u8> {
        if self.vec.is_empty() {
            return self.scratch[..self.filled].to_vec();
        }
        fitted(self.vec, self.filled)
    }
}

/// The first `length` bytes of `vec`, with little room behind them.
pub(super) fn fitted(mut vec: Vec<u8>, length: usize) -> Vec<u8> {
    vec.truncate(length);
    // Not for little: an allocator that cannot give back a part of a block copies it.
    if vec.capacity() - length > length / 8 {
        vec.shrink_to_fit();
    }
    vec
}
