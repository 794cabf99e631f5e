//! A client's frame, and the server's frame that returns it, in the same bytes.
//!
//! Checks nothing: it is the lower bound that checks are weighed against.

use std::ops::Range;

pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// A masked frame that lies complete in a buffer.
pub(crate) struct Frame {
    /// FIN, RSV and opcode, as they came.
    first: u8,
    head: Range<usize>,
    payload: Range<usize>,
}

/// How much of a frame there is.
pub(crate) enum Found {
    Complete(Frame),
    /// Bytes of the whole frame, once its header has told them.
    Partial(Option<usize>),
}

impl Frame {
    /// The frame that begins at `at`.
    pub(crate) fn find(buffer: &[u8], at: usize) -> Found {
        let bytes = &buffer[at..];
        let (head, length) = match bytes {
            [_, second, ..] if second & 0x7f < 126 => (6, usize::from(second & 0x7f)),
            [_, second, a, b, ..] if second & 0x7f == 126 => {
                (8, usize::from(u16::from_be_bytes([*a, *b])))
            }
            [_, second, a, b, c, d, e, f, g, h, ..] if second & 0x7f == 127 => (
                14,
                u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]) as usize,
            ),
            _ => return Found::Partial(None),
        };
        if bytes.len() < head + length {
            return Found::Partial(Some(head + length));
        }
        Found::Complete(Frame {
            first: bytes[0],
            head: at..at + head,
            payload: at + head..at + head + length,
        })
    }

    pub(crate) fn opcode(&self) -> u8 {
        self.first & 0x0f
    }

    /// Where the next frame begins.
    pub(crate) fn end(&self) -> usize {
        self.payload.end
    }

    /// Rewrites the frame as the server's, unmasked and with `opcode`, and tells where it lies.
    ///
    /// A server's header is four bytes shorter, so there is always room before the next frame.
    /// `after` is the end of the reply before: the new one is laid behind it, so that all of them go out in one send.
    /// Without one the payload stays where it is.
    pub(crate) fn answer(
        &self,
        buffer: &mut [u8],
        opcode: u8,
        after: Option<usize>,
    ) -> Range<usize> {
        let masked_head = self.head.len();
        let head = masked_head - 4;
        let mut saved = [0; 14];
        saved[..masked_head].copy_from_slice(&buffer[self.head.clone()]);
        let key = [
            saved[head],
            saved[head + 1],
            saved[head + 2],
            saved[head + 3],
        ];
        let start = after.unwrap_or(self.payload.start - head);
        saved[0] = self.first & 0xf0 | opcode;
        saved[1] &= 0x7f;

        let to = start + head;
        if to == self.payload.start {
            unmask(&mut buffer[self.payload.clone()], key);
        } else {
            unmask_to(buffer, self.payload.clone(), to, key);
        }
        buffer[start..to].copy_from_slice(&saved[..head]);
        start..to + self.payload.len()
    }
}

/// Unmasks while moving to a lower address: what is overwritten has been read before.
fn unmask_to(buffer: &mut [u8], from: Range<usize>, to: usize, key: [u8; 4]) {
    let wide = u128::from(u32::from_ne_bytes(key)) * 0x0000_0001_0000_0001_0000_0001_0000_0001;
    let whole = from.len() & !15;
    for offset in (0..whole).step_by(16) {
        let source = from.start + offset;
        let mut block = [0; 16];
        block.copy_from_slice(&buffer[source..source + 16]);
        let plain = (u128::from_ne_bytes(block) ^ wide).to_ne_bytes();
        buffer[to + offset..to + offset + 16].copy_from_slice(&plain);
    }
    for offset in whole..from.len() {
        buffer[to + offset] = buffer[from.start + offset] ^ key[offset & 3];
    }
}

fn unmask(data: &mut [u8], key: [u8; 4]) {
    #[cfg(target_arch = "x86_64")]
    if data.len() >= 1024 && std::arch::is_x86_feature_detected!("avx2") {
        #[allow(unsafe_code)]
        // SAFETY: the processor has just been seen to have AVX2.
        unsafe {
            unmask_avx2(data, key);
        }
        return;
    }
    unmask_blocks(data, key);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn unmask_avx2(data: &mut [u8], key: [u8; 4]) {
    unmask_blocks(data, key);
}

/// Plain code in a shape that the compiler turns into the widest instructions its caller allows.
#[inline(always)]
fn unmask_blocks(data: &mut [u8], key: [u8; 4]) {
    let word = u32::from_ne_bytes(key);
    let mut blocks = data.chunks_exact_mut(128);
    for block in &mut blocks {
        for four in block.chunks_exact_mut(4) {
            let plain = u32::from_ne_bytes([four[0], four[1], four[2], four[3]]) ^ word;
            four.copy_from_slice(&plain.to_ne_bytes());
        }
    }
    for (index, byte) in blocks.into_remainder().iter_mut().enumerate() {
        *byte ^= key[index & 3];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(first: u8, payload: &[u8], key: [u8; 4]) -> Vec<u8> {
        let mut frame = vec![first];
        match payload.len() {
            length @ 0..126 => frame.push(0x80 | length as u8),
            length @ 126..65536 => {
                frame.push(0x80 | 126);
                frame.extend((length as u16).to_be_bytes());
            }
            length => {
                frame.push(0x80 | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend(key);
        frame.extend(payload.iter().zip(0..).map(|(b, i)| b ^ key[i & 3]));
        frame
    }

    fn plain(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = masked(first, payload, [0; 4]);
        frame[1] &= 0x7f;
        let head = frame.len() - payload.len();
        frame.drain(head - 4..head);
        frame
    }

    #[test]
    fn frames_of_one_read_come_back_as_one_block() {
        let payloads: Vec<Vec<u8>> = [5, 0, 64, 125, 126, 1000, 65535, 65536, 70001, 3]
            .iter()
            .map(|length| {
                (0..*length)
                    .map(|index: u32| (index * 7 + 3) as u8)
                    .collect()
            })
            .collect();
        let mut buffer = Vec::new();
        let mut expected = Vec::new();
        for payload in &payloads {
            buffer.extend(masked(0x82, payload, [1, 2, 3, 200]));
            expected.extend(plain(0x82, payload));
        }
        let (mut at, mut reply) = (0, None::<Range<usize>>);
        while let Found::Complete(frame) = Frame::find(&buffer, at) {
            at = frame.end();
            let opcode = frame.opcode();
            let answer = frame.answer(&mut buffer, opcode, reply.as_ref().map(|r| r.end));
            reply = Some(reply.map_or(answer.start, |r| r.start)..answer.end);
        }
        assert_eq!(at, buffer.len());
        assert_eq!(buffer[reply.expect("there were frames")], expected);
    }

    #[test]
    fn a_partial_frame_tells_its_size_as_soon_as_its_header_is_there() {
        let frame = masked(0x81, &[b'x'; 300], [9; 4]);
        for length in 0..frame.len() {
            match Frame::find(&frame[..length], 0) {
                Found::Partial(None) => assert!(length < 4),
                Found::Partial(Some(size)) => assert!(length >= 4 && size == frame.len()),
                Found::Complete(_) => panic!("complete after {length} bytes"),
            }
        }
    }
}
