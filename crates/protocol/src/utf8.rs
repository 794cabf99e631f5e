//! UTF-8 as it arrives: whole at once, or cut anywhere (RFC 6455 §8.1).
//!
//! The work is done by `simdutf8`; what is ours is the code point that straddles a cut. Errors are told as soon as
//! the bytes prove them, also in the middle of a code point. Keeps no text (see `message`).

use crate::error::Violation;

/// Up to this length a plain look at the top bits is cheaper than starting the vector validator.
const SHORT_BYTES: usize = 256;

/// Bytes that are UTF-8 as a whole, as text.
#[inline]
pub fn check(bytes: &[u8]) -> Result<&str, Violation> {
    simdutf8::basic::from_utf8(bytes).map_err(|_| Violation::InvalidUtf8)
}

/// Whether the bytes are UTF-8 as a whole; quicker than [`check`] for a short ASCII text.
#[inline]
#[must_use]
pub fn is_valid(bytes: &[u8]) -> bool {
    is_short_ascii(bytes) || simdutf8::basic::from_utf8(bytes).is_ok()
}

/// The last block overlaps the one before, so that no length is left to a loop over bytes.
#[inline]
fn is_short_ascii(bytes: &[u8]) -> bool {
    if bytes.len() > SHORT_BYTES {
        return false;
    }
    let Some(last) = bytes.last_chunk::<16>() else {
        return bytes.is_ascii();
    };
    let (blocks, _) = bytes.as_chunks::<16>();
    let seen = blocks
        .iter()
        .fold(u128::from_ne_bytes(*last), |seen, block| {
            seen | u128::from_ne_bytes(*block)
        });
    seen & TOP_BITS == 0
}

const TOP_BITS: u128 = u128::from_ne_bytes([0x80; 16]);

/// A text that arrives in pieces: remembers the code point that the last cut went through.
#[derive(Debug, Clone, Copy, Default)]
pub struct Utf8 {
    /// The beginning of that code point; `held_len` bytes of it, always fewer than it needs.
    held: [u8; 4],
    held_len: u8,
}

impl Utf8 {
    /// Takes the next piece; fails at the first byte after which no text can be valid.
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        if self.held_len == 0 && is_short_ascii(bytes) {
            return Ok(());
        }
        self.push_cut(bytes)
    }

    /// The text is over; it may not end inside a code point.
    #[inline]
    pub fn finish(&self) -> Result<(), Violation> {
        if self.held_len == 0 {
            Ok(())
        } else {
            Err(Violation::InvalidUtf8)
        }
    }

    fn push_cut(&mut self, mut bytes: &[u8]) -> Result<(), Violation> {
        while self.held_len > 0 {
            let Some((&byte, rest)) = bytes.split_first() else {
                return Ok(());
            };
            self.hold(&[byte])?;
            bytes = rest;
        }
        let (whole, cut) = bytes.split_at(bytes.len() - cut_len(bytes));
        if is_valid(whole) {
            self.hold(cut)
        } else {
            Err(Violation::InvalidUtf8)
        }
    }

    /// Adds to the code point that is held, and forgets it once it is whole.
    fn hold(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        let start = usize::from(self.held_len);
        let end = start + bytes.len();
        self.held[start..end].copy_from_slice(bytes);
        self.held_len = match std::str::from_utf8(&self.held[..end]) {
            Ok(_) => 0,
            // No error length: the bytes are good, but more must follow.
            Err(error) if error.error_len().is_none() => end as u8,
            Err(_) => return Err(Violation::InvalidUtf8),
        };
        Ok(())
    }
}

/// How many bytes at the end begin a code point without completing it (0-3), going by its first byte alone.
fn cut_len(bytes: &[u8]) -> usize {
    for (back, &byte) in bytes.iter().rev().take(3).enumerate() {
        let needed = match byte {
            0x00..=0x7F => 1,
            0x80..=0xBF => continue,
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xFF => 4,
        };
        return if back + 1 < needed { back + 1 } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many bytes of `bytes` are taken one by one before the first error.
    fn taken_singly(bytes: &[u8]) -> usize {
        let mut utf8 = Utf8::default();
        bytes
            .iter()
            .take_while(|&&byte| utf8.push(&[byte]).is_ok())
            .count()
    }

    #[test]
    fn any_cut_of_a_good_text_is_good() {
        let text = "κόσμε ÿ ߿ ࠀ \u{FFFD} \u{10000} \u{10FFFF} plain".as_bytes();
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let mut utf8 = Utf8::default();
                for piece in [&text[..first], &text[first..second], &text[second..]] {
                    assert_eq!(utf8.push(piece), Ok(()));
                }
                assert_eq!(utf8.finish(), Ok(()));
            }
        }
    }

    #[test]
    fn the_first_impossible_byte_is_refused() {
        let broken: [(&[u8], usize); 11] = [
            (b"ab\x80", 2),
            (b"\xC0\xAF", 0),
            (b"\xC1", 0),
            (b"\xC3a", 1),
            (b"\xE0\x9F\xBF", 1),
            (b"\xED\xA0\x80", 1),
            (b"\xE2\x82\xE2", 2),
            (b"\xF0\x8F\xBF\xBF", 1),
            (b"\xF4\x90\x80\x80", 1),
            (b"\xF5\x80\x80\x80", 0),
            (b"\xFF", 0),
        ];
        for (bytes, good) in broken {
            assert_eq!(taken_singly(bytes), good, "{bytes:02x?}");
            assert_eq!(
                Utf8::default().push(bytes),
                Err(Violation::InvalidUtf8),
                "{bytes:02x?}"
            );
            assert_eq!(Utf8::default().push(&bytes[..good]), Ok(()), "{bytes:02x?}");
            assert!(!is_valid(bytes) && check(bytes).is_err(), "{bytes:02x?}");
        }
    }

    #[test]
    fn a_text_may_not_end_inside_a_code_point() {
        let mut utf8 = Utf8::default();
        assert_eq!(utf8.push(b"caf\xC3"), Ok(()));
        assert_eq!(utf8.finish(), Err(Violation::InvalidUtf8));
        assert_eq!(utf8.push(b"\xA9"), Ok(()));
        assert_eq!(utf8.finish(), Ok(()));
    }

    #[test]
    fn state_is_small() {
        assert!(size_of::<Utf8>() <= 8);
    }
}
