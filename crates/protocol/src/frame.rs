//! Frame headers: bytes to `Header` and back (RFC 6455 §5.2).
//!
//! Knows nothing of roles, fragments and limits (see `endpoint`), nor of payloads (see `mask`, `utf8`).

use std::ops::Deref;

use crate::error::Violation;

/// A header is 2 bytes, up to 8 more of length and 4 of mask.
pub const HEADER_MAX_BYTES: usize = 14;

/// §5.5: "All control frames MUST have a payload length of 125 bytes or less".
pub const CONTROL_MAX_BYTES: usize = 125;

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const RSV2_RSV3: u8 = 0x30;
const MASKED: u8 = 0x80;

/// What a frame is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum OpCode {
    /// More of the message that is open.
    Continuation = 0,
    /// Begins a text message.
    Text = 1,
    /// Begins a binary message.
    Binary = 2,
    /// Begins or answers the closing handshake.
    Close = 8,
    /// Asks for a pong.
    Ping = 9,
    /// Answers a ping, or comes unasked.
    Pong = 10,
}

impl OpCode {
    /// Close, ping and pong; they may stand between the fragments of a message.
    #[inline]
    #[must_use]
    pub fn is_control(self) -> bool {
        self as u8 >= 8
    }

    #[inline]
    fn from_bits(bits: u8) -> Result<OpCode, Violation> {
        Ok(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            reserved => return Err(Violation::ReservedOpCode(reserved)),
        })
    }
}

/// All that stands before the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The last frame of its message.
    pub fin: bool,
    /// The message is compressed (RFC 7692 §6); only on the first frame of a data message.
    pub rsv1: bool,
    /// What the frame is for.
    pub opcode: OpCode,
    /// The key, when the payload is masked.
    pub mask: Option<[u8; 4]>,
    /// Length of the payload.
    pub length: u64,
}

impl Header {
    /// The header at the beginning of `bytes` and its own length, or `None` while bytes are missing.
    ///
    /// Checks all that needs no knowledge of the connection, each at the earliest byte that proves it.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<Option<(Header, usize)>, Violation> {
        let Some(&first) = bytes.first() else {
            return Ok(None);
        };
        let opcode = OpCode::from_bits(first & 0x0F)?;
        let fin = first & FIN != 0;
        let rsv1 = first & RSV1 != 0;
        // RFC 7692 §6.1: RSV1 is set on the first frame of a message, never on a continuation or a control frame.
        if first & RSV2_RSV3 != 0 || (rsv1 && !matches!(opcode, OpCode::Text | OpCode::Binary)) {
            return Err(Violation::ReservedBits);
        }
        if opcode.is_control() && !fin {
            return Err(Violation::ControlFragmented);
        }

        let Some(&second) = bytes.get(1) else {
            return Ok(None);
        };
        let short = second & 0x7F;
        if opcode.is_control() && usize::from(short) > CONTROL_MAX_BYTES {
            return Err(Violation::ControlTooLong);
        }
        let (length, mut end) = match short {
            126 => match bytes.get(2..4) {
                Some(field) => (u64::from(u16::from_be_bytes([field[0], field[1]])), 4),
                None => return Ok(None),
            },
            127 => match bytes.get(2..10) {
                Some(field) => (
                    u64::from_be_bytes(field.try_into().expect("8 bytes were taken")),
                    10,
                ),
                None => return reject_long_length_early(&bytes[2..]),
            },
            length => (u64::from(length), 2),
        };
        // §5.2: "the minimal number of bytes MUST be used", "the most significant bit MUST be 0".
        if (short == 126 && length < 126)
            || (short == 127 && (length >> 16 == 0 || length >> 63 == 1))
        {
            return Err(Violation::BadLength);
        }

        let mask = if second & MASKED == 0 {
            None
        } else {
            let Some(key) = bytes.get(end..end + 4) else {
                return Ok(None);
            };
            end += 4;
            Some([key[0], key[1], key[2], key[3]])
        };
        Ok(Some((
            Header {
                fin,
                rsv1,
                opcode,
                mask,
                length,
            },
            end,
        )))
    }

    /// The same as [`Header::encode`] where two bytes are enough: without a mask, for a short payload.
    #[inline]
    pub(crate) fn encode_short(&self) -> Option<[u8; 2]> {
        (self.mask.is_none() && self.length < 126).then(|| [self.first_byte(), self.length as u8])
    }

    #[inline]
    fn first_byte(&self) -> u8 {
        self.opcode as u8 | if self.fin { FIN } else { 0 } | if self.rsv1 { RSV1 } else { 0 }
    }

    /// The header as it goes over the wire.
    #[inline]
    #[must_use]
    pub fn encode(&self) -> Encoded {
        let mut bytes = [0; HEADER_MAX_BYTES];
        bytes[0] = self.first_byte();
        let mut end = if self.length < 126 {
            bytes[1] = self.length as u8;
            2
        } else if let Ok(length) = u16::try_from(self.length) {
            bytes[1] = 126;
            bytes[2..4].copy_from_slice(&length.to_be_bytes());
            4
        } else {
            bytes[1] = 127;
            bytes[2..10].copy_from_slice(&self.length.to_be_bytes());
            10
        };
        if let Some(key) = self.mask {
            bytes[1] |= MASKED;
            bytes[end..end + 4].copy_from_slice(&key);
            end += 4;
        }
        Encoded {
            bytes,
            length: end as u8,
        }
    }
}

/// What an incomplete 64-bit length already proves: a top bit, or that 16 bits would have been enough.
#[cold]
fn reject_long_length_early(field: &[u8]) -> Result<Option<(Header, usize)>, Violation> {
    let too_big = field.first().is_some_and(|byte| byte & 0x80 != 0);
    let too_small = field.get(..6).is_some_and(|high| high == [0; 6]);
    if too_big || too_small {
        Err(Violation::BadLength)
    } else {
        Ok(None)
    }
}

/// An encoded header, on the stack.
#[derive(Debug, Clone, Copy)]
pub struct Encoded {
    bytes: [u8; HEADER_MAX_BYTES],
    length: u8,
}

impl Encoded {
    /// Appends the header to `out`.
    #[inline]
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) {
        // All of the room at once, then cut: a copy of a length that is known takes two instructions.
        let end = out.len() + usize::from(self.length);
        out.extend_from_slice(&self.bytes);
        out.truncate(end);
    }
}

impl Deref for Encoded {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_parses_back() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, u64::MAX >> 1] {
            for mask in [None, Some([1, 2, 3, 4])] {
                let header = Header {
                    fin: false,
                    rsv1: true,
                    opcode: OpCode::Text,
                    mask,
                    length,
                };
                let encoded = header.encode();
                if let Some(short) = header.encode_short() {
                    assert_eq!(short, *encoded);
                }
                assert_eq!(Header::parse(&encoded), Ok(Some((header, encoded.len()))));
                for end in 0..encoded.len() {
                    assert_eq!(
                        Header::parse(&encoded[..end]),
                        Ok(None),
                        "{end} of {length}"
                    );
                }
            }
        }
    }

    #[test]
    fn each_fault_shows_at_its_first_byte() {
        let faults: [(&[u8], Violation); 12] = [
            (&[0x83], Violation::ReservedOpCode(3)),
            (&[0x8F], Violation::ReservedOpCode(15)),
            (&[0xA1], Violation::ReservedBits),
            (&[0x91], Violation::ReservedBits),
            (&[0xC0], Violation::ReservedBits),
            (&[0xC9], Violation::ReservedBits),
            (&[0x09], Violation::ControlFragmented),
            (&[0x89, 0x7E], Violation::ControlTooLong),
            (&[0x88, 0xFF], Violation::ControlTooLong),
            (&[0x82, 0x7E, 0x00, 0x7D], Violation::BadLength),
            (&[0x82, 0x7F, 0x80], Violation::BadLength),
            (&[0x82, 0x7F, 0, 0, 0, 0, 0, 0], Violation::BadLength),
        ];
        for (bytes, violation) in faults {
            assert_eq!(Header::parse(bytes), Err(violation), "{bytes:02x?}");
            assert_eq!(
                Header::parse(&bytes[..bytes.len() - 1]),
                Ok(None),
                "{bytes:02x?} without its last byte"
            );
        }
    }
}
