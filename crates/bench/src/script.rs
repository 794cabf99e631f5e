//! What one sender says, over and over, and what must come back: both as bytes ready to send and to compare.
//!
//! The frames of a script lie end to end, twice, so that any run of messages is one slice: it is sent by one system call,
//! and what came back is checked by one comparison. Each frame has its own payload, so order is checked along with content.

use hubbub_protocol::deflate::{Codec, Parameters, PerMessage};
use hubbub_protocol::endpoint::{Kind, Role};
use hubbub_protocol::frame::{Header, OpCode};
use hubbub_protocol::mask;

use crate::content;
use crate::options::Content;

/// Any key will do: this client has no browser's attacker inside (RFC 6455 §10.3).
pub(crate) const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Frames to keep in the processor's cache, in bytes.
const CACHED_BYTES: usize = 256 * 1024;
const SLOTS_MAX: usize = 64;

pub(crate) struct Script {
    kind: Kind,
    slots: usize,
    /// Masked frames.
    frames: Vec<u8>,
    /// Where each frame begins, and where the last one ends.
    frame_starts: Vec<usize>,
    /// The frames that come back when nothing is compressed.
    replies: Vec<u8>,
    reply_bytes: usize,
    reply_head_bytes: usize,
}

impl Script {
    /// How many different messages fit `depth` in flight.
    pub(crate) fn slots(size_bytes: usize, depth: usize) -> usize {
        (CACHED_BYTES / (size_bytes + 14))
            .min(SLOTS_MAX)
            .max(depth + 3)
    }

    /// A script of `slots` messages whose numbers begin at `first_number`.
    pub(crate) fn new(
        content: Content,
        size_bytes: usize,
        first_number: usize,
        slots: usize,
        deflate: Option<Parameters>,
        codec: &mut Codec,
    ) -> Self {
        let opcode = match content {
            Content::Binary => OpCode::Binary,
            _ => OpCode::Text,
        };
        // Messages that stand alone may be sent whatever was agreed upon, and the same bytes again and again.
        let mut deflate = deflate.map(|parameters| {
            let alone = Parameters {
                client_no_context_takeover: true,
                ..parameters
            };
            PerMessage::new(Role::Client, alone, 0, 1)
        });
        let mut frames = Vec::new();
        let mut frame_starts = vec![0];
        let mut replies = Vec::new();
        for slot in 0..2 * slots {
            let payload = content::payload(content, first_number + slot % slots, size_bytes);
            replies.extend_from_slice(&header(opcode, false, None, payload.len()));
            replies.extend_from_slice(&payload);

            let mut compressed = Vec::new();
            let rsv1 = deflate
                .as_mut()
                .is_some_and(|deflate| deflate.compress(codec, &payload, &mut compressed));
            let mut body = if rsv1 { compressed } else { payload };
            mask::apply(&mut body, MASK, 0);
            frames.extend_from_slice(&header(opcode, rsv1, Some(MASK), body.len()));
            frames.extend_from_slice(&body);
            frame_starts.push(frames.len());
        }
        let reply_bytes = replies.len() / (2 * slots);
        Self {
            kind: match content {
                Content::Binary => Kind::Binary,
                _ => Kind::Text,
            },
            slots,
            frames,
            frame_starts,
            replies,
            reply_bytes,
            reply_head_bytes: reply_bytes - size_bytes,
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// How many messages there are before they begin again.
    pub(crate) fn len(&self) -> usize {
        self.slots
    }

    /// The slot `count` after `slot`; `count` is at most `len()`.
    pub(crate) fn after(&self, slot: usize, count: usize) -> usize {
        // Cheaper than a division.
        let next = slot + count;
        if next < self.slots {
            next
        } else {
            next - self.slots
        }
    }

    /// `count` frames to send, from `slot`; `count` is at most `len()`.
    pub(crate) fn frames(&self, slot: usize, count: usize) -> &[u8] {
        &self.frames[self.frame_starts[slot]..self.frame_starts[slot + count]]
    }

    /// The replies from `slot`, at least `len()` of them.
    pub(crate) fn replies(&self, slot: usize) -> &[u8] {
        &self.replies[slot * self.reply_bytes..]
    }

    /// Bytes of one reply.
    pub(crate) fn reply_bytes(&self) -> usize {
        self.reply_bytes
    }

    /// The payload of the message at `slot`.
    pub(crate) fn payload(&self, slot: usize) -> &[u8] {
        &self.replies[slot * self.reply_bytes + self.reply_head_bytes..]
            [..self.reply_bytes - self.reply_head_bytes]
    }
}

fn header(
    opcode: OpCode,
    rsv1: bool,
    mask: Option<[u8; 4]>,
    length: usize,
) -> impl std::ops::Deref<Target = [u8]> {
    Header {
        fin: true,
        rsv1,
        opcode,
        mask,
        length: length as u64,
    }
    .encode()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_and_replies_say_the_same() {
        let mut codec = Codec::new(1);
        for size in [4, 125, 126, 70_000] {
            let slots = Script::slots(size, 2);
            let script = Script::new(Content::Ascii, size, 7, slots, None, &mut codec);
            for slot in [0, 1, slots - 1] {
                let frame = script.frames(slot, 1);
                let (parsed, head) = Header::parse(frame).unwrap().unwrap();
                assert_eq!(parsed.mask, Some(MASK));
                let mut body = frame[head..].to_vec();
                mask::apply(&mut body, MASK, 0);
                assert_eq!(body, script.payload(slot));
                assert_eq!(content::number(&body), Some(7 + slot));
                let (_, head) = Header::parse(script.replies(slot)).unwrap().unwrap();
                assert_eq!(&script.replies(slot)[head..script.reply_bytes()], body);
            }
            let all = script.frames(1, slots).len();
            assert_eq!(all, slots * script.frames(0, 1).len());
        }
    }
}
