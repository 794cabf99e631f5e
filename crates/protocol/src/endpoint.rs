//! One side of an open WebSocket connection: bytes to events, messages to bytes (RFC 6455 §5-§7).
//!
//! Decides; holds no socket and no clock. Knows nothing of the handshake (see `handshake`); answers nothing by itself:
//! pongs and the reply to a Close are the caller's, who knows how much already waits to be sent.

mod receiving;
mod sending;

use std::ops::Range;

use self::receiving::Assembly;
use self::sending::{write_compressed, write_frame};
use crate::close;
use crate::deflate::{Codec, PerMessage};
use crate::error::{Misuse, Violation};
use crate::frame::{CONTROL_MAX_BYTES, HEADER_MAX_BYTES, OpCode};

pub use self::sending::{append_message, encode_message};
pub use crate::event::{Event, Input, Kind, Payload};

/// Which side of the connection this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Accepts connections; expects masked frames and sends unmasked ones.
    Server,
    /// Opens connections; sends masked frames and expects unmasked ones.
    Client,
}

/// The state of one side. An idle endpoint owns nothing on the heap but the windows of its compression, if any.
#[derive(Debug)]
pub struct Endpoint {
    limit_bytes: usize,
    deflate: Option<PerMessage>,
    /// Exists while a frame or a message is incomplete.
    assembly: Option<Box<Assembly>>,
    /// The header that the last read cut, or cut from its payload.
    header: [u8; HEADER_MAX_BYTES],
    header_len: u8,
    role: Role,
    is_failed: bool,
    close_sent: bool,
    close_received: bool,
}

impl Endpoint {
    /// A connection whose handshake is done. A message may have `limit_bytes`, before and after inflating.
    #[must_use]
    pub fn new(role: Role, limit_bytes: usize, deflate: Option<PerMessage>) -> Endpoint {
        Endpoint {
            limit_bytes,
            deflate,
            assembly: None,
            header: [0; HEADER_MAX_BYTES],
            header_len: 0,
            role,
            is_failed: false,
            close_sent: false,
            close_received: false,
        }
    }

    /// The next event in `input`, or `None` when all of it has been taken.
    ///
    /// What is incomplete is kept inside, so the caller's buffer is free afterwards. A frame that lies whole in `input`
    /// is unmasked where it is and handed out without a copy. After a violation, or the peer's Close, everything is
    /// discarded; after our own Close, everything but the peer's.
    #[inline]
    pub fn receive<'b>(
        &mut self,
        input: &mut Input<'b>,
        codec: &mut Codec,
    ) -> Result<Option<Event<'b>>, Violation> {
        if let Some((kind, payload)) = self.receive_plain(input)? {
            let payload = Payload::InPlace(payload);
            return Ok(Some(Event::Message { kind, payload }));
        }
        let event = self.receive_any(input, codec);
        if event.is_err() {
            self.fail();
            input.clear();
        }
        event
    }

    /// Appends a message, compressed where that was agreed upon and is worth it. Only a client uses `mask`.
    #[inline]
    pub fn send(
        &mut self,
        kind: Kind,
        payload: &[u8],
        mask: [u8; 4],
        codec: &mut Codec,
        out: &mut Vec<u8>,
    ) -> Result<(), Misuse> {
        if !self.is_open() {
            return Err(Misuse::NotOpen);
        }
        let mask = self.mask(mask);
        if let Some(deflate) = &mut self.deflate
            && write_compressed(kind, payload, mask, deflate, codec, out)
        {
            return Ok(());
        }
        write_frame(kind.into(), payload, mask, out);
        Ok(())
    }

    /// Appends a message as it is, compression or no: a window that is kept from message to message does not know of it, so
    /// that it may be thrown away before it is sent.
    pub fn send_plain(
        &self,
        kind: Kind,
        payload: &[u8],
        mask: [u8; 4],
        out: &mut Vec<u8>,
    ) -> Result<(), Misuse> {
        if !self.is_open() {
            return Err(Misuse::NotOpen);
        }
        write_frame(kind.into(), payload, self.mask(mask), out);
        Ok(())
    }

    /// Appends a ping of at most 125 bytes.
    pub fn ping(&mut self, payload: &[u8], mask: [u8; 4], out: &mut Vec<u8>) -> Result<(), Misuse> {
        self.send_control(OpCode::Ping, payload, mask, out)
    }

    /// Appends a pong of at most 125 bytes.
    pub fn pong(&mut self, payload: &[u8], mask: [u8; 4], out: &mut Vec<u8>) -> Result<(), Misuse> {
        self.send_control(OpCode::Pong, payload, mask, out)
    }

    /// Appends a Close frame: begins the closing handshake, answers the peer's, or tells why the connection fails.
    ///
    /// A reason beyond 123 bytes is cut between two code points. Another call does nothing.
    pub fn close(
        &mut self,
        code: Option<u16>,
        reason: &str,
        mask: [u8; 4],
        out: &mut Vec<u8>,
    ) -> Result<(), Misuse> {
        if self.close_sent {
            return Ok(());
        }
        let body = close::encode(code, reason)?;
        write_frame(OpCode::Close, &body, self.mask(mask), out);
        self.close_sent = true;
        self.drop_message();
        Ok(())
    }

    /// Whether messages may be sent: nobody has closed, and nothing has failed.
    #[inline]
    #[must_use]
    pub fn is_open(&self) -> bool {
        !(self.close_sent || self.close_received || self.is_failed)
    }

    /// Whether our Close has been written.
    #[must_use]
    pub fn close_sent(&self) -> bool {
        self.close_sent
    }

    /// Whether the peer's Close has arrived.
    #[must_use]
    pub fn close_received(&self) -> bool {
        self.close_received
    }

    /// The longest message that it takes, in bytes.
    #[inline]
    #[must_use]
    pub fn limit_bytes(&self) -> usize {
        self.limit_bytes
    }

    /// Capacity of all that this endpoint holds on the heap.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let assembly = self.assembly.as_deref().map_or(0, Assembly::held_bytes);
        assembly + self.deflate.as_ref().map_or(0, PerMessage::held_bytes)
    }

    /// Where in memory a message is being put together; empty if none is.
    #[must_use]
    pub fn assembling(&self) -> Range<*const u8> {
        let assembly = self.assembly.as_deref();
        assembly.map_or(std::ptr::null()..std::ptr::null(), Assembly::allocation)
    }

    /// What has arrived of a binary message whose last frame is under way, and how many bytes are missing: the caller may put
    /// a large message together itself, where it will need it, if it takes all of this each time.
    #[must_use]
    pub fn arrived(&self) -> Option<(&[u8], u64)> {
        self.assembly.as_deref()?.arrived()
    }

    /// The caller has what [`Endpoint::arrived`] told: the message's event will bring only what is not among it.
    pub fn take_arrived(&mut self) {
        if let Some(assembly) = &mut self.assembly {
            assembly.take_arrived();
        }
    }

    /// Gives back the room that a message not yet whole was given in advance.
    pub fn shrink(&mut self) {
        if let Some(assembly) = &mut self.assembly {
            assembly.shrink();
        }
    }

    /// Whether the peer owes the rest of a frame or of a message, for which there is a deadline.
    #[inline]
    #[must_use]
    pub fn is_mid_message(&self) -> bool {
        self.is_open() && (self.header_len > 0 || self.assembly.is_some())
    }

    /// The compression that was agreed upon.
    #[inline]
    #[must_use]
    pub fn deflate(&self) -> Option<&PerMessage> {
        self.deflate.as_ref()
    }

    fn send_control(
        &mut self,
        opcode: OpCode,
        payload: &[u8],
        mask: [u8; 4],
        out: &mut Vec<u8>,
    ) -> Result<(), Misuse> {
        if payload.len() > CONTROL_MAX_BYTES {
            return Err(Misuse::ControlTooLong);
        }
        if !self.is_open() {
            return Err(Misuse::NotOpen);
        }
        write_frame(opcode, payload, self.mask(mask), out);
        Ok(())
    }

    #[inline]
    fn mask(&self, key: [u8; 4]) -> Option<[u8; 4]> {
        (self.role == Role::Client).then_some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: [u8; 11] = [
        0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58,
    ];

    /// Receives `pieces` and tells of the only message in them: was it handed out where it lay?
    fn is_in_place(pieces: &[&[u8]]) -> bool {
        let (mut endpoint, mut codec) = (Endpoint::new(Role::Server, 100, None), Codec::new(1));
        let mut told = Vec::new();
        for piece in pieces {
            let mut bytes = piece.to_vec();
            let mut input = Input::new(&mut bytes);
            while let Some(event) = endpoint
                .receive(&mut input, &mut codec)
                .expect("a good stream")
            {
                let Event::Message {
                    kind: Kind::Text,
                    payload,
                } = event
                else {
                    panic!("{event:?}")
                };
                assert_eq!(&*payload, b"Hello");
                told.push(matches!(payload, Payload::InPlace(_)));
            }
        }
        assert_eq!(told.len(), 1);
        told[0]
    }

    #[test]
    fn a_payload_that_arrives_whole_is_not_copied() {
        assert!(is_in_place(&[&HELLO]));
        for end_of_header in 1..=6 {
            let (header, rest) = HELLO.split_at(end_of_header);
            assert!(is_in_place(&[header, rest]), "{end_of_header}");
        }
        assert!(!is_in_place(&[&HELLO[..8], &HELLO[8..]]));
    }

    #[test]
    fn what_waits_for_more_is_known() {
        let (mut endpoint, mut codec) = (Endpoint::new(Role::Server, 100, None), Codec::new(1));
        for end in 1..HELLO.len() {
            let mut byte = [HELLO[end - 1]];
            let event = endpoint.receive(&mut Input::new(&mut byte), &mut codec);
            assert_eq!(event, Ok(None));
            assert!(endpoint.is_mid_message());
            assert_eq!(
                endpoint.held_bytes() > 0,
                end > 6,
                "a header is kept inline"
            );
        }
        let mut last = [HELLO[10]];
        let mut input = Input::new(&mut last);
        assert!(matches!(
            endpoint.receive(&mut input, &mut codec),
            Ok(Some(_))
        ));
        assert!(!endpoint.is_mid_message());
        assert_eq!(endpoint.held_bytes(), 0);
    }

    #[test]
    fn a_message_may_be_taken_while_it_arrives() {
        let (mut endpoint, mut codec) = (Endpoint::new(Role::Server, 100, None), Codec::new(1));
        let payload: Vec<u8> = (0..90).collect();
        let header = [0x82, 0x80 | 90, 0, 0, 0, 0];
        let mut bytes = [&header[..], &payload].concat();
        let (mut taken, mut ended) = (Vec::new(), false);
        for piece in bytes.chunks_mut(20) {
            assert!(!ended);
            let mut input = Input::new(piece);
            match endpoint.receive(&mut input, &mut codec) {
                Ok(None) => {
                    let (arrived, missing) = endpoint.arrived().expect("binary, in one frame");
                    taken.extend_from_slice(arrived);
                    assert_eq!(taken.len() + missing as usize, payload.len());
                    endpoint.take_arrived();
                    assert!(endpoint.held_bytes() >= taken.len(), "it is still charged");
                }
                Ok(Some(Event::Message { payload, .. })) => {
                    taken.extend_from_slice(&payload);
                    ended = true;
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(ended && taken == payload);
        assert_eq!(endpoint.arrived(), None);
    }

    #[test]
    fn text_and_fragments_are_not_taken_while_they_arrive() {
        let (mut endpoint, mut codec) = (Endpoint::new(Role::Server, 100, None), Codec::new(1));
        for start in [
            [0x81, 0x85, 0, 0, 0, 0, b'x'],
            [0x02, 0x85, 0, 0, 0, 0, b'x'],
        ] {
            let mut bytes = start;
            assert_eq!(
                endpoint.receive(&mut Input::new(&mut bytes), &mut codec),
                Ok(None)
            );
            assert_eq!(endpoint.arrived(), None);
            endpoint = Endpoint::new(Role::Server, 100, None);
        }
    }

    #[test]
    fn state_is_small() {
        assert!(size_of::<Endpoint>() <= 64);
    }
}
