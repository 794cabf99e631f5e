//! DEFLATE at its fastest, for messages that stand alone: one pass, greedy, in the fixed codes of RFC 1951 §3.2.6.
//!
//! zlib's level 1 compresses as much, but has a table of 128 KiB to clear for each message that must not look back at
//! the one before. Clearing it takes as long as compressing 1 KiB does, and drives what the worker needs next out of
//! the processor's caches. Here nothing is cleared: positions count on from message to message, and what lies before
//! the message itself is not looked at. So the output depends on the message alone, and never tells of another one.

use super::WINDOW_BITS_MAX;

/// A table of 16 KiB leaves half of a usual first-level cache to the message and its output.
const HASH_BITS: u32 = 12;

/// A match is found by its first four bytes; DEFLATE knows matches of three, but they hardly pay.
const MATCH_BYTES_MIN: usize = 4;

/// RFC 1951 §3.2.5.
const MATCH_BYTES_MAX: usize = 258;

/// Positions are of 32 bits; a longer message is not compressed.
const MESSAGE_BYTES_MAX: usize = 1 << 31;

/// Bytes that may be written beyond those that count.
const SLACK_BYTES: usize = size_of::<u64>();

/// The compressor of one worker.
pub(super) struct Quick {
    /// Where four bytes of that hash were seen last.
    heads: Box<[u32; 1 << HASH_BITS]>,
    /// The position of the next message's first byte. Never 0, which is what the table begins with.
    begin: u32,
}

impl Quick {
    pub(super) fn new() -> Self {
        Self {
            heads: Box::new([0; 1 << HASH_BITS]),
            begin: 1,
        }
    }

    /// Appends `payload` compressed and flushed, without the tail, in which no match is farther away than
    /// `1 << window_bits`; `false`, and nothing is appended, if that is not shorter than it was.
    pub(super) fn compress(&mut self, window_bits: u8, payload: &[u8], out: &mut Vec<u8>) -> bool {
        if payload.len() > MESSAGE_BYTES_MAX {
            return false;
        }
        let length = payload.len() as u32;
        if self.begin.checked_add(length).is_none() {
            *self = Self::new();
        }
        let start = out.len();
        out.resize(start + payload.len() + SLACK_BYTES, 0);
        let window = 1 << window_bits.min(WINDOW_BITS_MAX);
        let written = self.write(window, payload, &mut out[start..]);
        self.begin += length;
        out.truncate(start + written.unwrap_or(0));
        written.is_some()
    }

    /// The same into `room`, which is [`SLACK_BYTES`] longer than the payload; how many bytes it became.
    fn write(&mut self, window: usize, payload: &[u8], room: &mut [u8]) -> Option<usize> {
        let mut bits = Bits::new(room);
        bits.put(FIXED_BLOCK, 3);
        let mut at = 0;
        while let Some(next) = four(payload, at) {
            let position = self.begin.wrapping_add(at as u32);
            let head = &mut self.heads[hash(next)];
            let distance = position.wrapping_sub(*head) as usize;
            *head = position;
            if distance <= at.min(window) && four(payload, at - distance) == Some(next) {
                let length = MATCH_BYTES_MIN
                    + common(
                        &payload[at - distance + MATCH_BYTES_MIN..],
                        &payload[at + MATCH_BYTES_MIN..],
                    );
                bits.put_match(length, distance);
                at += length;
                // The last of them begins what may come again together with what follows.
                if let Some(last) = four(payload, at - 1) {
                    self.heads[hash(last)] = self.begin.wrapping_add(at as u32 - 1);
                }
            } else {
                bits.put_literal(payload[at]);
                at += 1;
            }
            bits.flush()?;
        }
        for &byte in &payload[at..] {
            bits.put_literal(byte);
            bits.flush()?;
        }
        bits.put(END_OF_BLOCK, 7);
        bits.put(STORED_BLOCK, 3);
        let written = bits.finish()?;
        (written < payload.len()).then_some(written)
    }
}

/// BFINAL 0, BTYPE 01.
const FIXED_BLOCK: u32 = 0b010;

/// BFINAL 0, BTYPE 00; what follows of it, from the next byte on, is the tail.
const STORED_BLOCK: u32 = 0b000;

/// Symbol 256.
const END_OF_BLOCK: u32 = 0b000_0000;

/// The place in the table of four bytes.
fn hash(four: u32) -> usize {
    // Knuth's multiplicative hashing: 2^32 divided by the golden ratio.
    (four.wrapping_mul(0x9e37_79b1) >> (u32::BITS - HASH_BITS)) as usize
}

fn four(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*four))
}

/// How many bytes of `later` are as in `earlier`, up to what a match may still have.
fn common(earlier: &[u8], later: &[u8]) -> usize {
    let most = later.len().min(MATCH_BYTES_MAX - MATCH_BYTES_MIN);
    let (earlier, later) = (&earlier[..most], &later[..most]);
    let mut length = 0;
    for (ours, theirs) in earlier.chunks_exact(8).zip(later.chunks_exact(8)) {
        let (ours, theirs) = (eight(ours), eight(theirs));
        if ours != theirs {
            return length + ((ours ^ theirs).trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    let rest = earlier[length..].iter().zip(&later[length..]);
    length + rest.take_while(|(ours, theirs)| ours == theirs).count()
}

fn eight(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("chunks of eight bytes"))
}

/// Bits on their way into bytes, from the lowest to the highest.
struct Bits<'r> {
    room: &'r mut [u8],
    written: usize,
    waiting: u64,
    count: u32,
}

impl<'r> Bits<'r> {
    fn new(room: &'r mut [u8]) -> Self {
        Self {
            room,
            written: 0,
            waiting: 0,
            count: 0,
        }
    }

    /// Between two flushes at most 56 bits.
    #[inline]
    fn put(&mut self, bits: u32, count: u32) {
        self.waiting |= u64::from(bits) << self.count;
        self.count += count;
    }

    #[inline]
    fn put_literal(&mut self, byte: u8) {
        let code = LITERALS[usize::from(byte)];
        self.put(code.bits.into(), code.count.into());
    }

    #[inline]
    fn put_match(&mut self, length: usize, distance: usize) {
        let code = LENGTHS[length - 3];
        self.put(code.bits.into(), code.count.into());
        // From 4 on there are two codes for each power of two, which the bit below the highest tells apart; the other
        // bits follow the code.
        let distance = (distance - 1) as u32;
        let extra = distance.max(2).ilog2() - 1;
        let code = 2 * extra + (distance >> extra);
        self.put(code.reverse_bits() >> (u32::BITS - 5), 5);
        self.put(distance & ((1 << extra) - 1), extra);
    }

    /// Moves whole bytes out; `None` when there is no room for more.
    #[inline]
    fn flush(&mut self) -> Option<()> {
        let room = self.room.get_mut(self.written..)?.first_chunk_mut()?;
        *room = self.waiting.to_le_bytes();
        let whole = self.count / 8;
        self.written += whole as usize;
        self.waiting >>= 8 * whole;
        self.count %= 8;
        Some(())
    }

    /// Fills the last byte with zeros; how many bytes there are.
    fn finish(mut self) -> Option<usize> {
        self.count = self.count.next_multiple_of(8);
        self.flush()?;
        Some(self.written)
    }
}

/// A code, and the bits that follow it.
#[derive(Clone, Copy)]
struct Code {
    bits: u16,
    count: u8,
}

/// The codes of bytes (RFC 1951 §3.2.6).
static LITERALS: [Code; 256] = literals();

/// The codes of matches, with their extra bits, from 3 bytes on (RFC 1951 §3.2.5).
static LENGTHS: [Code; MATCH_BYTES_MAX - 2] = lengths();

const fn literals() -> [Code; 256] {
    let mut codes = [Code { bits: 0, count: 0 }; 256];
    let mut byte = 0;
    while byte < 256 {
        codes[byte] = fixed(byte as u16);
        byte += 1;
    }
    codes
}

const fn lengths() -> [Code; MATCH_BYTES_MAX - 2] {
    let mut codes = [Code { bits: 0, count: 0 }; MATCH_BYTES_MAX - 2];
    let mut index = 0;
    while index < codes.len() {
        // As with distances, but four codes for each power of two; and the longest match has one for itself.
        let over = index as u16;
        let extra = if over < 8 { 0 } else { over.ilog2() as u16 - 2 };
        let code = if index == codes.len() - 1 {
            fixed(285)
        } else {
            fixed(257 + 4 * extra + (over >> extra))
        };
        let extra = if index == codes.len() - 1 { 0 } else { extra };
        codes[index] = Code {
            bits: code.bits | (over & ((1 << extra) - 1)) << code.count,
            count: code.count + extra as u8,
        };
        index += 1;
    }
    codes
}

/// The fixed code of a symbol, its first bit the lowest.
const fn fixed(symbol: u16) -> Code {
    let (code, count) = match symbol {
        0..144 => (0b0011_0000 + symbol, 8),
        144..256 => (0b1_1001_0000 + (symbol - 144), 9),
        256..280 => (symbol - 256, 7),
        _ => (0b1100_0000 + (symbol - 280), 8),
    };
    Code {
        bits: code.reverse_bits() >> (u16::BITS - count),
        count: count as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_begin_anew_before_they_run_out() {
        let message = b"again and again and again and again, and never before the message itself";
        let (mut fresh, mut expected) = (Quick::new(), Vec::new());
        assert!(fresh.compress(15, message, &mut expected));
        let mut quick = Quick::new();
        quick.begin = u32::MAX - 200;
        for turn in 0..5 {
            let mut out = Vec::new();
            assert!(quick.compress(15, message, &mut out));
            assert_eq!(out, expected, "turn {turn}");
        }
        assert!(quick.begin < 1000);
    }
}
