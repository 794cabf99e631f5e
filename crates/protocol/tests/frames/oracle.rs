//! The meaning of a stream, read slowly and all at once, straight from the RFC: no state but the place in the stream.
//!
//! Shares nothing with the endpoint but the inflating of a message whose bytes are complete.

use hubbub_protocol::deflate::Codec;
use hubbub_protocol::endpoint::Role;
use hubbub_protocol::error::Violation;

use crate::stream::{Outcome, Seen, Setting};

/// Why reading ended.
enum End {
    OutOfBytes,
    Broken(Violation),
}

type Reading<T> = Result<T, End>;

/// What the whole `stream` must lead to, however it is cut.
pub(crate) fn meaning(setting: &Setting, codec: &mut Codec, stream: &[u8]) -> Outcome {
    let mut oracle = Oracle {
        setting,
        codec,
        stream,
        place: 0,
        open: None,
        seen: Vec::new(),
    };
    let violation = loop {
        match oracle.read_frame() {
            Ok(()) if matches!(oracle.seen.last(), Some(Seen::Close(..))) => break None,
            Ok(()) => {}
            Err(End::OutOfBytes) => break None,
            Err(End::Broken(violation)) => break Some(violation),
        }
    };
    Outcome {
        seen: oracle.seen,
        violation,
    }
}

struct Oracle<'a> {
    setting: &'a Setting,
    codec: &'a mut Codec,
    stream: &'a [u8],
    place: usize,
    open: Option<Open>,
    seen: Vec<Seen>,
}

struct Open {
    is_text: bool,
    is_compressed: bool,
    bytes: Vec<u8>,
}

fn broken<T>(violation: Violation) -> Reading<T> {
    Err(End::Broken(violation))
}

impl Oracle<'_> {
    fn byte(&mut self) -> Reading<u8> {
        let byte = *self.stream.get(self.place).ok_or(End::OutOfBytes)?;
        self.place += 1;
        Ok(byte)
    }

    fn read_frame(&mut self) -> Reading<()> {
        let first = self.byte()?;
        let fin = first >= 128;
        let (rsv1, rsv2, rsv3) = (first & 64 > 0, first & 32 > 0, first & 16 > 0);
        let opcode = first % 16;
        if !matches!(opcode, 0 | 1 | 2 | 8 | 9 | 10) {
            return broken(Violation::ReservedOpCode(opcode));
        }
        let (is_control, is_data_start) = (opcode >= 8, opcode == 1 || opcode == 2);
        if rsv2 || rsv3 || (rsv1 && !is_data_start) {
            return broken(Violation::ReservedBits);
        }
        if is_control && !fin {
            return broken(Violation::ControlFragmented);
        }

        let second = self.byte()?;
        let is_masked = second >= 128;
        if is_control && second % 128 > 125 {
            return broken(Violation::ControlTooLong);
        }
        let length = self.read_length(second % 128)?;
        let key = if is_masked {
            [self.byte()?, self.byte()?, self.byte()?, self.byte()?]
        } else {
            [0; 4]
        };

        match self.setting.role {
            Role::Server if !is_masked => return broken(Violation::UnmaskedFrame),
            Role::Client if is_masked => return broken(Violation::MaskedFrame),
            _ => {}
        }
        if rsv1 && !self.setting.has_deflate {
            return broken(Violation::ReservedBits);
        }
        let has_closed = self
            .setting
            .closes_after
            .is_some_and(|events| self.seen.len() >= events);
        if has_closed && opcode != 8 {
            return self.read_payload(length, key).1;
        }
        if is_control {
            let (payload, end) = self.read_payload(length, key);
            end?;
            return self.control(opcode, payload);
        }

        if is_data_start {
            if self.open.is_some() {
                return broken(Violation::ExpectedContinuation);
            }
            self.open = Some(Open {
                is_text: opcode == 1,
                is_compressed: rsv1,
                bytes: Vec::new(),
            });
        }
        self.data(fin, length, key)
    }

    fn read_length(&mut self, short: u8) -> Reading<u64> {
        let size = match short {
            126 => 2,
            127 => 8,
            _ => return Ok(u64::from(short)),
        };
        let mut length = 0_u64;
        for read in 1..=size {
            length = length << 8 | u64::from(self.byte()?);
            let is_negative = size == 8 && read == 1 && length > 127;
            let fits_16_bits = size == 8 && read == 6 && length == 0;
            if is_negative || fits_16_bits {
                return broken(Violation::BadLength);
            }
        }
        if length < 126 {
            broken(Violation::BadLength)
        } else {
            Ok(length)
        }
    }

    /// As much of the payload as there is, unmasked, and whether that is all of it.
    fn read_payload(&mut self, length: u64, key: [u8; 4]) -> (Vec<u8>, Reading<()>) {
        let mut payload = Vec::new();
        while (payload.len() as u64) < length {
            match self.byte() {
                Ok(byte) => payload.push(byte ^ key[payload.len() % 4]),
                Err(end) => return (payload, Err(end)),
            }
        }
        (payload, Ok(()))
    }

    fn control(&mut self, opcode: u8, payload: Vec<u8>) -> Reading<()> {
        self.seen.push(match (opcode, &payload[..]) {
            (9, _) => Seen::Ping(payload),
            (10, _) => Seen::Pong(payload),
            (_, []) => Seen::Close(1005, String::new()),
            (_, [_]) => return broken(Violation::BadCloseBody),
            (_, [high, low, reason @ ..]) => {
                let code = u16::from(*high) * 256 + u16::from(*low);
                let is_defined = (1000..=1014).contains(&code) && !(1004..=1006).contains(&code);
                if !is_defined && !(3000..=4999).contains(&code) {
                    return broken(Violation::BadCloseCode(code));
                }
                match String::from_utf8(reason.to_vec()) {
                    Ok(reason) => Seen::Close(code, reason),
                    Err(_) => return broken(Violation::InvalidUtf8),
                }
            }
        });
        Ok(())
    }

    fn data(&mut self, fin: bool, length: u64, key: [u8; 4]) -> Reading<()> {
        let Some(mut open) = self.open.take() else {
            return broken(Violation::UnexpectedContinuation);
        };
        let limit = self.setting.limit_bytes;
        let size = (open.bytes.len() as u64).saturating_add(length);
        let allowance = if open.is_compressed {
            limit / 8 + 64
        } else {
            0
        };
        if size > (limit + allowance) as u64 {
            return broken(Violation::MessageTooBig { size, limit });
        }
        let (payload, end) = self.read_payload(length, key);
        open.bytes.extend(payload);
        if open.is_text && !open.is_compressed {
            match std::str::from_utf8(&open.bytes) {
                Err(error) if error.error_len().is_some() => return broken(Violation::InvalidUtf8),
                _ => {}
            }
        }
        end?;
        if !fin {
            self.open = Some(open);
            return Ok(());
        }

        let mut bytes = open.bytes;
        if open.is_compressed {
            let mut deflate = self.setting.deflate().expect("was checked at the header");
            bytes = deflate
                .inflate(self.codec, &bytes, limit)
                .map_err(End::Broken)?;
        }
        self.seen.push(if open.is_text {
            match String::from_utf8(bytes) {
                Ok(text) => Seen::Text(text),
                Err(_) => return broken(Violation::InvalidUtf8),
            }
        } else {
            Seen::Binary(bytes)
        });
        Ok(())
    }
}
