//! A message that arrives in pieces: fragments, or one frame over several reads (RFC 6455 §5.4).
//!
//! Holds the bytes in one contiguous buffer, so that a fragment costs nothing beyond its payload. Knows nothing of
//! frames and limits (see `endpoint`).

use std::ops::Range;

use crate::deflate::{Codec, PerMessage};
use crate::error::Violation;
use crate::event::Kind;
use crate::utf8::{self, Utf8};

/// Up to here the buffer may be sized by what a header announces instead of by what has arrived.
const TRUSTED_BYTES: usize = 64 * 1024;

/// Room beyond the first bytes, so that one-byte fragments do not begin with one allocation each.
const SPARE_MIN_BYTES: usize = 16;

/// The data message that is open.
#[derive(Debug)]
pub(crate) struct Message {
    kind: Kind,
    is_compressed: bool,
    utf8: Utf8,
    bytes: Vec<u8>,
    /// What came before `bytes` and is with the caller already.
    taken: usize,
}

impl Message {
    pub(crate) fn new(kind: Kind, is_compressed: bool) -> Self {
        Self {
            kind,
            is_compressed,
            utf8: Utf8::default(),
            bytes: Vec::new(),
            taken: 0,
        }
    }

    /// What has arrived, where it may be handed out before the rest: nothing that has still to be inflated or checked.
    pub(crate) fn arrived(&self) -> Option<&[u8]> {
        let is_final = self.kind == Kind::Binary && !self.is_compressed;
        is_final.then_some(&self.bytes[..])
    }

    /// What has arrived is with the caller now.
    pub(crate) fn take_arrived(&mut self) {
        self.taken += self.bytes.len();
        self.bytes.clear();
    }

    pub(crate) fn is_compressed(&self) -> bool {
        self.is_compressed
    }

    pub(crate) fn len(&self) -> usize {
        self.taken + self.bytes.len()
    }

    /// Where it lies, with the room for what has yet to arrive.
    pub(crate) fn allocation(&self) -> Range<*const u8> {
        let start = self.bytes.as_ptr();
        start..start.wrapping_add(self.bytes.capacity())
    }

    pub(crate) fn held_bytes(&self) -> usize {
        self.taken + self.bytes.capacity()
    }

    /// Gives back the room that nothing is in yet.
    pub(crate) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
    }

    /// Appends unmasked bytes, of whose frame `missing` bytes have yet to come; no other frame follows if `is_last`.
    #[inline]
    pub(crate) fn push(
        &mut self,
        bytes: &[u8],
        missing: u64,
        is_last: bool,
    ) -> Result<(), Violation> {
        // §8.1: text is refused as soon as it cannot be valid any more. Compressed text is known only at its end.
        if self.kind == Kind::Text && !self.is_compressed {
            self.utf8.push(bytes)?;
        }
        if self.bytes.capacity() - self.bytes.len() < bytes.len() {
            self.grow(bytes.len(), missing, is_last);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Makes room for `arriving` bytes, and more.
    ///
    /// **Invariant:** what is held is at most 1.25 times what has arrived (and 16 bytes); a step of a quarter keeps the
    /// total cost of all moves linear. Where a header announces more, up to 64 KiB are taken at once when a quarter
    /// of them is there: a TLS record's worth then makes a message of 64 KiB one allocation, and a header that
    /// lies has to be paid for with a quarter of what it gets.
    fn grow(&mut self, arriving: usize, missing: u64, is_last: bool) {
        let needed = self.bytes.len() + arriving;
        let announced = needed.saturating_add(usize::try_from(missing).unwrap_or(usize::MAX));
        let spare = needed + (needed / 4).max(SPARE_MIN_BYTES);
        let trusted = announced.min(needed.saturating_mul(4)).min(TRUSTED_BYTES);
        let capacity = spare.max(trusted);
        let capacity = if is_last {
            capacity.min(announced)
        } else {
            capacity
        };
        self.bytes.reserve_exact(capacity - self.bytes.len());
    }

    /// The whole message, or what has not been taken of it, inflated and checked.
    pub(crate) fn finish(
        self,
        deflate: Option<&mut PerMessage>,
        codec: &mut Codec,
        limit_bytes: usize,
    ) -> Result<(Kind, Vec<u8>), Violation> {
        if self.is_compressed {
            let bytes = inflate(self.kind, &self.bytes, deflate, codec, limit_bytes)?;
            return Ok((self.kind, bytes));
        }
        self.utf8.finish()?;
        Ok((self.kind, self.bytes))
    }
}

/// A compressed message whose frames are complete.
pub(crate) fn inflate(
    kind: Kind,
    compressed: &[u8],
    deflate: Option<&mut PerMessage>,
    codec: &mut Codec,
    limit_bytes: usize,
) -> Result<Vec<u8>, Violation> {
    let deflate = deflate.ok_or(Violation::ReservedBits)?;
    let bytes = deflate.inflate(codec, compressed, limit_bytes)?;
    if kind == Kind::Text && !utf8::is_valid(&bytes) {
        return Err(Violation::InvalidUtf8);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pushes `pieces` of a frame of `announced` bytes and counts how often the buffer was moved.
    fn moves(pieces: &[usize], announced: usize, is_last: bool) -> (usize, Message) {
        let mut message = Message::new(Kind::Binary, false);
        let (mut missing, mut moves) = (announced, 0);
        for &piece in pieces {
            let before = message.held_bytes();
            missing -= piece;
            message
                .push(&vec![7; piece], missing as u64, is_last)
                .expect("binary is never refused");
            moves += usize::from(message.held_bytes() != before);
        }
        (moves, message)
    }

    #[test]
    fn one_byte_fragments_cost_a_quarter_more_and_few_moves() {
        let mut message = Message::new(Kind::Text, false);
        let mut moves = 0;
        for arrived in 1..=100_000 {
            let before = message.held_bytes();
            message.push(b"x", 0, false).expect("ascii is utf-8");
            moves += usize::from(message.held_bytes() != before);
            assert!(message.held_bytes() <= arrived + (arrived / 4).max(SPARE_MIN_BYTES));
        }
        assert!(moves < 50, "{moves}");
    }

    #[test]
    fn an_honest_message_of_64_kib_is_one_allocation() {
        for pieces in [&[16_384; 4][..], &[65_483, 53], &[40_000, 25_536]] {
            let (moves, message) = moves(pieces, 65_536, true);
            assert_eq!((moves, message.held_bytes()), (1, 65_536), "{pieces:?}");
        }
    }

    #[test]
    fn a_header_that_lies_gets_little() {
        assert_eq!(moves(&[], 1 << 40, true).1.held_bytes(), 0);
        assert_eq!(moves(&[1], 1 << 40, true).1.held_bytes(), 17);
        assert_eq!(moves(&[1000], 1 << 40, true).1.held_bytes(), 4000);
        assert_eq!(moves(&[65_536], 1 << 40, false).1.held_bytes(), 81_920);
    }

    #[test]
    fn a_last_frame_is_never_given_more_than_it_announced() {
        let (_, message) = moves(&[100_000, 100_000, 100_000], 300_000, true);
        assert_eq!(message.held_bytes(), 300_000);
    }
}
