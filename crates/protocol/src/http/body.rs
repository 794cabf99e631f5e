//! Bodies of requests: a known length, or chunks.
//!
//! Hands out the content and drops chunk extensions and trailers. Keeps nothing of the body itself, and takes no
//! notice of how it arrives: whatever the cuts, each byte is looked at once.

use std::ops::Range;

use super::{Framing, Refusal};

/// Longest line with a chunk's size and extensions; longest trailer section.
const SIZE_LINE_BYTES_MAX: u32 = 256;
const TRAILER_BYTES_MAX: u32 = 4096;

/// Where in a body we are.
#[derive(Debug, Clone, Copy)]
pub struct BodyReader {
    state: State,
    /// How much more content may come.
    room: u64,
    /// Bytes of the present size line, or of all trailers.
    overhead: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Content of a body of known length.
    Fixed(u64),
    /// In the digits of a chunk's size; whether one has come.
    Size { size: u64, digits: u8 },
    /// Behind the size.
    Extension(u64),
    /// Behind the CR of a size line.
    SizeEnd(u64),
    /// Content of a chunk.
    Chunk(u64),
    /// Behind the content of a chunk.
    ChunkEnd,
    /// Behind the CR that follows the content.
    ChunkEndLf,
    /// At the beginning of a trailer line, or of the blank one.
    Trailer,
    /// In the name of a trailer field.
    TrailerName,
    /// In its value.
    TrailerValue,
    /// Behind the CR of a trailer.
    TrailerLf,
    /// Behind the CR of the blank line.
    LastLf,
    /// Nothing more belongs to the body.
    Done,
}

impl BodyReader {
    /// Refuses a body that announces more than `limit_bytes`.
    pub fn new(framing: Framing, limit_bytes: u64) -> Result<BodyReader, Refusal> {
        let state = match framing {
            Framing::None | Framing::Length(0) => State::Done,
            Framing::Length(length) if length > limit_bytes => return Err(TOO_LARGE),
            Framing::Length(length) => State::Fixed(length),
            Framing::Chunked => FIRST_CHUNK,
        };
        Ok(BodyReader {
            state,
            room: limit_bytes,
            overhead: 0,
        })
    }

    /// Takes what belongs to the body from the front of `bytes` and appends its content to `body`.
    ///
    /// Returns: how many bytes were taken, and whether the body is complete.
    pub fn read(&mut self, bytes: &[u8], body: &mut Vec<u8>) -> Result<(usize, bool), Refusal> {
        let mut taken = 0;
        while taken < bytes.len() && self.state != State::Done {
            let run = self.next_run(&bytes[taken..])?;
            body.extend_from_slice(&bytes[taken + run.start..taken + run.end]);
            taken += run.end;
        }
        Ok((taken, self.state == State::Done))
    }

    /// As [`BodyReader::read`], with the content moved together at the front of what was taken: for who hands it on from there.
    ///
    /// Returns: how many bytes were taken, where the content lies in them, and whether the body is complete.
    pub fn read_in_place(
        &mut self,
        bytes: &mut [u8],
    ) -> Result<(usize, Range<usize>, bool), Refusal> {
        let (mut taken, mut content) = (0, 0..0);
        while taken < bytes.len() && self.state != State::Done {
            let run = self.next_run(&bytes[taken..])?;
            let run = taken + run.start..taken + run.end;
            taken = run.end;
            if content.is_empty() {
                content = run;
            } else {
                let len = run.len();
                bytes.copy_within(run, content.end);
                content.end += len;
            }
        }
        Ok((taken, content, self.state == State::Done))
    }

    /// The next run of content. What stands before it has been taken, too; it is empty where `bytes` end without any.
    fn next_run(&mut self, bytes: &[u8]) -> Result<Range<usize>, Refusal> {
        let mut at = 0;
        while at < bytes.len() && self.state != State::Done {
            if let State::Fixed(left) | State::Chunk(left) = self.state {
                return Ok(at..at + self.pass(left, bytes.len() - at));
            }
            self.state = self.step(bytes[at])?;
            at += 1;
        }
        Ok(at..at)
    }

    /// Counts content off.
    fn pass(&mut self, left: u64, at_hand: usize) -> usize {
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(at_hand);
        let left = left - count as u64;
        self.state = match self.state {
            State::Fixed(_) if left == 0 => State::Done,
            State::Fixed(_) => State::Fixed(left),
            _ if left == 0 => State::ChunkEnd,
            _ => State::Chunk(left),
        };
        count
    }

    /// One byte of what is not content.
    fn step(&mut self, byte: u8) -> Result<State, Refusal> {
        self.overhead += 1;
        let in_trailers = matches!(
            self.state,
            State::Trailer
                | State::TrailerName
                | State::TrailerValue
                | State::TrailerLf
                | State::LastLf
        );
        if self.overhead
            > if in_trailers {
                TRAILER_BYTES_MAX
            } else {
                SIZE_LINE_BYTES_MAX
            }
        {
            return Err(Refusal::new(
                431,
                "the chunk extensions or trailers are too long",
            ));
        }
        match (self.state, byte) {
            // Sixteen digits are all that a length has; more could only be zeros, or an overflow for somebody.
            (State::Size { size, digits }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F')
                if digits < 16 =>
            {
                let digit = char::from(byte).to_digit(16).expect("matched above");
                Ok(State::Size {
                    size: size << 4 | u64::from(digit),
                    digits: digits + 1,
                })
            }
            (State::Size { size, digits: 1.. }, b';') => Ok(State::Extension(size)),
            (State::Size { size, digits: 1.. } | State::Extension(size), b'\r') => {
                Ok(State::SizeEnd(size))
            }
            (State::Extension(_), b'\t' | b' '..=b'~') => Ok(self.state),
            (State::SizeEnd(size), b'\n') => self.begin_chunk(size),
            (State::ChunkEnd, b'\r') => Ok(State::ChunkEndLf),
            (State::ChunkEndLf, b'\n') => {
                self.overhead = 0;
                Ok(FIRST_CHUNK)
            }
            (State::Trailer, b'\r') => Ok(State::LastLf),
            (State::Trailer | State::TrailerName, _) if super::list::is_token(&[byte]) => {
                Ok(State::TrailerName)
            }
            (State::TrailerName, b':') => Ok(State::TrailerValue),
            (State::TrailerValue, b'\r') => Ok(State::TrailerLf),
            (State::TrailerValue, b'\t' | b' '..=b'~' | 0x80..) => Ok(State::TrailerValue),
            (State::TrailerLf, b'\n') => Ok(State::Trailer),
            (State::LastLf, b'\n') => Ok(State::Done),
            _ => Err(Refusal::bad("bad chunk")),
        }
    }

    fn begin_chunk(&mut self, size: u64) -> Result<State, Refusal> {
        self.overhead = 0;
        self.room = self.room.checked_sub(size).ok_or(TOO_LARGE)?;
        Ok(if size == 0 {
            State::Trailer
        } else {
            State::Chunk(size)
        })
    }
}

const FIRST_CHUNK: State = State::Size { size: 0, digits: 0 };
const TOO_LARGE: Refusal = Refusal::new(413, "the body is too large");

#[cfg(test)]
mod tests {
    use super::*;

    fn read(
        framing: Framing,
        limit_bytes: u64,
        bytes: &[u8],
    ) -> Result<(usize, bool, Vec<u8>), u16> {
        let mut body = Vec::new();
        let mut reader = BodyReader::new(framing, limit_bytes).map_err(|refusal| refusal.status)?;
        let (taken, complete) = reader
            .read(bytes, &mut body)
            .map_err(|refusal| refusal.status)?;
        Ok((taken, complete, body))
    }

    #[test]
    fn what_follows_is_left() {
        assert_eq!(read(Framing::None, 0, b"GET"), Ok((0, true, b"".to_vec())));
        assert_eq!(
            read(Framing::Length(0), 0, b"GET"),
            Ok((0, true, b"".to_vec()))
        );
        assert_eq!(
            read(Framing::Length(2), 2, b"hiGET"),
            Ok((2, true, b"hi".to_vec()))
        );
        assert_eq!(
            read(Framing::Length(3), 3, b"hi"),
            Ok((2, false, b"hi".to_vec()))
        );
        assert_eq!(
            read(Framing::Chunked, 2, b"2\r\nhi\r\n0\r\n\r\nGET"),
            Ok((12, true, b"hi".to_vec()))
        );
    }

    #[test]
    fn in_place_the_content_moves_together() {
        let mut bytes = b"1\r\na\r\n3\r\nbcd\r\n2\r\nef".to_vec();
        let mut reader = BodyReader::new(Framing::Chunked, 9).unwrap();
        let (taken, content, complete) = reader.read_in_place(&mut bytes).unwrap();
        assert_eq!(
            (taken, &bytes[content], complete),
            (19, &b"abcdef"[..], false)
        );
        let mut rest = b"\r\n0\r\n\r\nGET".to_vec();
        let (taken, content, complete) = reader.read_in_place(&mut rest).unwrap();
        assert_eq!((taken, content.len(), complete), (7, 0, true));
    }

    #[test]
    fn the_limit_is_checked_before_the_content_comes() {
        assert_eq!(read(Framing::Length(3), 2, b""), Err(413));
        assert_eq!(read(Framing::Chunked, 2, b"3\r\n"), Err(413));
        assert_eq!(read(Framing::Chunked, 2, b"1\r\na\r\n2\r\n"), Err(413));
        assert_eq!(
            read(
                Framing::Chunked,
                u64::MAX,
                b"1\r\na\r\nffffffffffffffff\r\n"
            ),
            Err(413)
        );
        assert_eq!(
            read(Framing::Chunked, u64::MAX, b"ffffffffffffffff\r\nab"),
            Ok((20, false, b"ab".to_vec()))
        );
    }

    #[test]
    fn extensions_and_trailers_are_bounded() {
        let size_line =
            |length: usize| [b"1;".to_vec(), vec![b'x'; length], b"\r\na".to_vec()].concat();
        let room = SIZE_LINE_BYTES_MAX as usize - 4;
        assert!(read(Framing::Chunked, 1, &size_line(room)).is_ok());
        assert_eq!(read(Framing::Chunked, 1, &size_line(room + 1)), Err(431));
        let trailer = |length: usize| {
            [
                b"0\r\nX:".to_vec(),
                vec![b'x'; length],
                b"\r\n\r\n".to_vec(),
            ]
            .concat()
        };
        let room = TRAILER_BYTES_MAX as usize - 6;
        assert!(read(Framing::Chunked, 1, &trailer(room)).is_ok_and(|(_, complete, _)| complete));
        assert_eq!(read(Framing::Chunked, 1, &trailer(room + 1)), Err(431));
    }
}
