//! The receiving half of an endpoint: headers are judged here, and pieces find their frame and their message.
//!
//! How a message grows is `message`'s business; what a header may be by itself is `frame`'s.

use std::ops::Range;

use super::{Endpoint, Event, Input, Kind, Payload, Role};
use crate::close;
use crate::deflate::Codec;
use crate::error::Violation;
use crate::frame::{HEADER_MAX_BYTES, Header, OpCode};
use crate::mask;
use crate::message::{self, Message};
use crate::utf8;

/// What has arrived of things that are not complete.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    frame: Option<Arrival>,
    /// Payload of the control frame that is arriving.
    control: Vec<u8>,
    /// The message that is open; control frames may stand between its fragments.
    message: Option<Message>,
}

impl Assembly {
    pub(super) fn allocation(&self) -> Range<*const u8> {
        let message = self.message.as_ref();
        message.map_or(std::ptr::null()..std::ptr::null(), Message::allocation)
    }

    /// What has arrived of a message that no other frame will continue, and how many bytes of it are missing.
    pub(super) fn arrived(&self) -> Option<(&[u8], u64)> {
        let frame = self.frame.as_ref()?;
        if !frame.header.fin || frame.header.opcode.is_control() {
            return None;
        }
        let arrived = self.message.as_ref()?.arrived()?;
        Some((arrived, frame.header.length - frame.arrived))
    }

    pub(super) fn take_arrived(&mut self) {
        if let Some(message) = &mut self.message {
            message.take_arrived();
        }
    }

    pub(super) fn held_bytes(&self) -> usize {
        let message = self.message.as_ref().map_or(0, Message::held_bytes);
        size_of::<Assembly>() + self.control.capacity() + message
    }

    pub(super) fn shrink(&mut self) {
        if let Some(message) = &mut self.message {
            message.shrink();
        }
    }
}

/// The frame of which a part has arrived.
#[derive(Debug)]
struct Arrival {
    header: Header,
    arrived: u64,
}

impl Endpoint {
    /// The next message in `input`, if it is what nearly all are: uncompressed, in one frame, all of it there, and nothing else
    /// under way. Otherwise `None`, nothing is taken, and [`Endpoint::receive`] tells what it is.
    ///
    /// # Errors
    /// Text that is not UTF-8, the only fault that is found here; as with any other, everything is discarded then.
    #[inline]
    pub fn receive_plain<'b>(
        &mut self,
        input: &mut Input<'b>,
    ) -> Result<Option<(Kind, &'b mut [u8])>, Violation> {
        if self.assembly.is_some() || self.header_len > 0 || !self.is_open() {
            return Ok(None);
        }
        let Ok(Some((header, header_len))) = Header::parse(input.peek()) else {
            return Ok(None);
        };
        let Some(kind) = opened_kind(header.opcode) else {
            return Ok(None);
        };
        if !header.fin
            || header.rsv1
            || header.mask.is_some() != self.expects_masks()
            || header.length > self.limit_bytes as u64
            || header.length > (input.len() - header_len) as u64
        {
            return Ok(None);
        }
        input.take(header_len);
        let payload = take_unmasked(input, &header);
        if kind == Kind::Text && !utf8::is_valid(payload) {
            self.fail();
            input.clear();
            return Err(Violation::InvalidUtf8);
        }
        Ok(Some((kind, payload)))
    }

    /// The long way, for everything.
    pub(super) fn receive_any<'b>(
        &mut self,
        input: &mut Input<'b>,
        codec: &mut Codec,
    ) -> Result<Option<Event<'b>>, Violation> {
        while !input.is_empty() {
            // §1.4: "after receiving a control frame indicating the connection should be closed, a peer discards any
            // further data received".
            if self.is_failed || self.close_received {
                input.clear();
                break;
            }
            let is_mid_frame = self
                .assembly
                .as_ref()
                .is_some_and(|held| held.frame.is_some());
            let event = if is_mid_frame {
                self.continue_frame(input, codec)?
            } else {
                self.begin_frame(input, codec)?
            };
            if event.is_some() {
                return Ok(event);
            }
        }
        Ok(None)
    }

    fn begin_frame<'b>(
        &mut self,
        input: &mut Input<'b>,
        codec: &mut Codec,
    ) -> Result<Option<Event<'b>>, Violation> {
        let Some(header) = self.take_header(input)? else {
            return Ok(None);
        };
        self.admit(&header)?;
        if input.is_empty() && header.length > 0 {
            // Nothing but the header: what follows may still be handed out in place, and a header that lies costs
            // nothing.
            self.keep_header(&header.encode());
            return Ok(None);
        }

        if !self.is_skipped(header.opcode)
            && let Some(kind) = opened_kind(header.opcode)
        {
            if header.fin && header.length <= input.len() as u64 {
                let payload = take_unmasked(input, &header);
                return self
                    .whole_message(kind, header.rsv1, payload, codec)
                    .map(Some);
            }
            self.assembly().message = Some(Message::new(kind, header.rsv1));
        }
        if header.length > input.len() as u64 {
            self.assembly().frame = Some(Arrival { header, arrived: 0 });
            return Ok(None);
        }
        let payload = take_unmasked(input, &header);
        if self.is_skipped(header.opcode) {
            return Ok(None);
        }
        if header.opcode.is_control() {
            return self
                .control_event(header.opcode, Payload::InPlace(payload))
                .map(Some);
        }
        self.extend_message(payload, 0, header.fin)?;
        if header.fin {
            self.finish_message(codec).map(Some)
        } else {
            Ok(None)
        }
    }

    fn continue_frame<'b>(
        &mut self,
        input: &mut Input<'b>,
        codec: &mut Codec,
    ) -> Result<Option<Event<'b>>, Violation> {
        let assembly = self.assembly();
        let Some(Arrival { header, arrived }) = &mut assembly.frame else {
            return Ok(None);
        };
        let header = *header;
        let bytes = input.take(usize::try_from(header.length - *arrived).unwrap_or(usize::MAX));
        if let Some(key) = header.mask {
            mask::apply(bytes, key, (*arrived % 4) as usize);
        }
        *arrived += bytes.len() as u64;
        let missing = header.length - *arrived;
        if missing == 0 {
            assembly.frame = None;
        }

        if self.is_skipped(header.opcode) {
            self.release_assembly();
            return Ok(None);
        }
        if header.opcode.is_control() {
            let control = &mut self.assembly().control;
            control.extend_from_slice(bytes);
            if missing > 0 {
                return Ok(None);
            }
            let payload = std::mem::take(control);
            self.release_assembly();
            return self
                .control_event(header.opcode, Payload::Owned(payload))
                .map(Some);
        }
        self.extend_message(bytes, missing, header.fin)?;
        if missing == 0 && header.fin {
            self.finish_message(codec).map(Some)
        } else {
            Ok(None)
        }
    }

    /// The next header, once all of it is there.
    #[inline]
    fn take_header(&mut self, input: &mut Input<'_>) -> Result<Option<Header>, Violation> {
        if self.header_len == 0
            && let Some((header, header_len)) = Header::parse(input.peek())?
        {
            input.take(header_len);
            return Ok(Some(header));
        }
        self.take_cut_header(input)
    }

    #[cold]
    fn take_cut_header(&mut self, input: &mut Input<'_>) -> Result<Option<Header>, Violation> {
        let held = usize::from(self.header_len);
        let arriving = input.len().min(HEADER_MAX_BYTES - held);
        let end = held + arriving;
        self.header[held..end].copy_from_slice(&input.peek()[..arriving]);
        let parsed = Header::parse(&self.header[..end])?;
        let taken = parsed.map_or(end, |(_, header_len)| header_len) - held;
        input.take(taken);
        self.header_len = if parsed.is_some() { 0 } else { end as u8 };
        Ok(parsed.map(|(header, _)| header))
    }

    #[cold]
    fn keep_header(&mut self, bytes: &[u8]) {
        self.header[..bytes.len()].copy_from_slice(bytes);
        self.header_len = bytes.len() as u8;
    }

    /// What a header must satisfy on this connection, now; before a byte of payload is read.
    fn admit(&self, header: &Header) -> Result<(), Violation> {
        // §5.1: "The server MUST close the connection upon receiving a frame that is not masked", and the reverse.
        if header.mask.is_some() != self.expects_masks() {
            return Err(if self.expects_masks() {
                Violation::UnmaskedFrame
            } else {
                Violation::MaskedFrame
            });
        }
        if header.rsv1 && self.deflate.is_none() {
            return Err(Violation::ReservedBits);
        }
        if header.opcode.is_control() || self.is_skipped(header.opcode) {
            return Ok(());
        }
        let open = self
            .assembly
            .as_ref()
            .and_then(|assembly| assembly.message.as_ref());
        let (held, is_compressed) = match (open, header.opcode) {
            (Some(message), OpCode::Continuation) => (message.len(), message.is_compressed()),
            (None, OpCode::Continuation) => return Err(Violation::UnexpectedContinuation),
            (Some(_), _) => return Err(Violation::ExpectedContinuation),
            (None, _) => (0, header.rsv1),
        };
        let limit = if is_compressed {
            deflated_limit(self.limit_bytes)
        } else {
            self.limit_bytes
        };
        let size = header.length.saturating_add(held as u64);
        if size > limit as u64 {
            return Err(Violation::MessageTooBig {
                size,
                limit: self.limit_bytes,
            });
        }
        Ok(())
    }

    fn whole_message<'b>(
        &mut self,
        kind: Kind,
        is_compressed: bool,
        payload: &'b mut [u8],
        codec: &mut Codec,
    ) -> Result<Event<'b>, Violation> {
        let payload = if is_compressed {
            let (deflate, limit) = (self.deflate.as_mut(), self.limit_bytes);
            Payload::Owned(message::inflate(kind, payload, deflate, codec, limit)?)
        } else if kind == Kind::Text && !utf8::is_valid(payload) {
            return Err(Violation::InvalidUtf8);
        } else {
            Payload::InPlace(payload)
        };
        Ok(Event::Message { kind, payload })
    }

    fn extend_message(
        &mut self,
        bytes: &[u8],
        missing: u64,
        is_last: bool,
    ) -> Result<(), Violation> {
        match &mut self.assembly().message {
            Some(message) => message.push(bytes, missing, is_last),
            None => Err(Violation::UnexpectedContinuation),
        }
    }

    fn finish_message<'b>(&mut self, codec: &mut Codec) -> Result<Event<'b>, Violation> {
        let message = self.assembly.take().and_then(|assembly| assembly.message);
        let message = message.ok_or(Violation::UnexpectedContinuation)?;
        let (kind, bytes) = message.finish(self.deflate.as_mut(), codec, self.limit_bytes)?;
        Ok(Event::Message {
            kind,
            payload: Payload::Owned(bytes),
        })
    }

    fn control_event<'b>(
        &mut self,
        opcode: OpCode,
        payload: Payload<'b>,
    ) -> Result<Event<'b>, Violation> {
        Ok(match opcode {
            OpCode::Ping => Event::Ping(payload),
            OpCode::Pong => Event::Pong(payload),
            _ => {
                let (code, reason) = close::parse(&payload)?;
                self.close_received = true;
                self.assembly = None;
                Event::Close { code, reason }
            }
        })
    }

    /// After our own Close only the peer's is of interest; the rest is passed over, whatever it is.
    #[inline]
    fn is_skipped(&self, opcode: OpCode) -> bool {
        self.close_sent && opcode != OpCode::Close
    }

    #[inline]
    fn expects_masks(&self) -> bool {
        self.role == Role::Server
    }

    #[inline]
    fn assembly(&mut self) -> &mut Assembly {
        self.assembly.get_or_insert_default()
    }

    /// Gives the assembly back when nothing in it is incomplete.
    fn release_assembly(&mut self) {
        if self
            .assembly
            .as_ref()
            .is_some_and(|held| held.frame.is_none() && held.message.is_none())
        {
            self.assembly = None;
        }
    }

    pub(super) fn drop_message(&mut self) {
        if let Some(assembly) = &mut self.assembly {
            assembly.message = None;
        }
        self.release_assembly();
    }

    #[cold]
    pub(super) fn fail(&mut self) {
        self.is_failed = true;
        self.assembly = None;
        self.header_len = 0;
    }
}

/// The kind of message that a frame opens.
#[inline]
fn opened_kind(opcode: OpCode) -> Option<Kind> {
    match opcode {
        OpCode::Text => Some(Kind::Text),
        OpCode::Binary => Some(Kind::Binary),
        _ => None,
    }
}

/// Masks are undone where the bytes lie. The header must have been found to fit in `input`.
#[inline]
fn take_unmasked<'b>(input: &mut Input<'b>, header: &Header) -> &'b mut [u8] {
    let payload = input.take(header.length as usize);
    if let Some(key) = header.mask {
        mask::apply(payload, key, 0);
    }
    payload
}

/// What a message of `limit_bytes` may have compressed: DEFLATE's fixed code spends up to 9 bits on a byte.
///
/// Peers compress without a second thought (RFC 7692 lets them), and the fast ones do not look for a better code: without
/// this a picture of just the limit would be refused.
fn deflated_limit(limit_bytes: usize) -> usize {
    limit_bytes.saturating_add(limit_bytes / 8 + 64)
}
