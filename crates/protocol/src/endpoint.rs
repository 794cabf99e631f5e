//! One side of an open WebSocket connection: bytes to events, messages to bytes (RFC 6455 §5-§7).
//!
//! Decides; holds no socket and no clock. Knows nothing of the handshake (see `handshake`); answers nothing by itself:
//! pongs and the reply to a Close are the caller's, who knows how much already waits to be sent.

use crate::close;
use crate::deflate::{Codec, PerMessage};
use crate::error::{Misuse, Violation};
use crate::frame::{CONTROL_MAX_BYTES, HEADER_MAX_BYTES, Header, OpCode};
use crate::mask;
use crate::message::{self, Message};
use crate::utf8;

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
    /// The beginning of a header that the last read cut.
    header: [u8; HEADER_MAX_BYTES],
    header_len: u8,
    role: Role,
    is_failed: bool,
    close_sent: bool,
    close_received: bool,
}

/// What has arrived of things that are not complete.
#[derive(Debug, Default)]
struct Assembly {
    frame: Option<Arrival>,
    /// Payload of the control frame that is arriving.
    control: Vec<u8>,
    /// The message that is open; control frames may stand between its fragments.
    message: Option<Message>,
}

/// The frame of which a part has arrived.
#[derive(Debug)]
struct Arrival {
    header: Header,
    arrived: u64,
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
        match self.receive_whole(input) {
            Ok(None) => {}
            event => return event,
        }
        self.receive_any(input, codec)
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

    /// Capacity of all that this endpoint holds on the heap.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let assembly = self.assembly.as_ref().map_or(0, |assembly| {
            size_of::<Assembly>()
                + assembly.control.capacity()
                + assembly.message.as_ref().map_or(0, Message::held_bytes)
        });
        assembly + self.deflate.as_ref().map_or(0, PerMessage::held_bytes)
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
}

/// Receiving.
impl Endpoint {
    /// The short way for what nearly all traffic is: one uncompressed message in one frame, all of it in `input`.
    ///
    /// Takes nothing, and finds no fault but bad UTF-8, unless that is what it is.
    #[inline]
    fn receive_whole<'b>(&mut self, input: &mut Input<'b>) -> Result<Option<Event<'b>>, Violation> {
        if self.assembly.is_some() || self.header_len > 0 || !self.is_open() {
            return Ok(None);
        }
        let Ok(Some((header, header_len))) = Header::parse(input.peek()) else {
            return Ok(None);
        };
        let kind = match header.opcode {
            OpCode::Text => Kind::Text,
            OpCode::Binary => Kind::Binary,
            _ => return Ok(None),
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
        Ok(Some(Event::Message {
            kind,
            payload: Payload::InPlace(payload),
        }))
    }

    /// The long way, for everything.
    fn receive_any<'b>(
        &mut self,
        input: &mut Input<'b>,
        codec: &mut Codec,
    ) -> Result<Option<Event<'b>>, Violation> {
        while !input.is_empty() {
            // §5.5.1: "After both sending and receiving a Close message, an endpoint considers the WebSocket
            // connection closed"; §1.4: after receiving one, "discards any further data received".
            if self.is_failed || self.close_received {
                input.clear();
                break;
            }
            let event = if self
                .assembly
                .as_ref()
                .is_some_and(|assembly| assembly.frame.is_some())
            {
                self.continue_frame(input, codec)
            } else {
                self.begin_frame(input, codec)
            };
            match event {
                Ok(None) => {}
                Ok(event) => return Ok(event),
                Err(violation) => {
                    self.fail();
                    input.clear();
                    return Err(violation);
                }
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

        if !self.is_skipped(header.opcode) && matches!(header.opcode, OpCode::Text | OpCode::Binary)
        {
            let kind = if header.opcode == OpCode::Text {
                Kind::Text
            } else {
                Kind::Binary
            };
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
        self.header[held..held + arriving].copy_from_slice(&input.peek()[..arriving]);
        let Some((header, header_len)) = Header::parse(&self.header[..held + arriving])? else {
            input.take(arriving);
            self.header_len = (held + arriving) as u8;
            return Ok(None);
        };
        input.take(header_len - held);
        self.header_len = 0;
        Ok(Some(header))
    }

    /// What a header must satisfy on this connection, now; before a byte of payload is read.
    fn admit(&self, header: &Header) -> Result<(), Violation> {
        // §5.1: "The server MUST close the connection upon receiving a frame that is not masked", and the reverse.
        match (self.role, header.mask) {
            (Role::Server, None) => return Err(Violation::UnmaskedFrame),
            (Role::Client, Some(_)) => return Err(Violation::MaskedFrame),
            _ => {}
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

    fn drop_message(&mut self) {
        if let Some(assembly) = &mut self.assembly {
            assembly.message = None;
        }
        self.release_assembly();
    }

    fn fail(&mut self) {
        self.is_failed = true;
        self.assembly = None;
        self.header_len = 0;
    }
}

/// Sending.
impl Endpoint {
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

/// One message as one frame for many receivers, as a server sends it; `rsv1` says that `payload` is compressed.
#[must_use]
pub fn encode_message(kind: Kind, rsv1: bool, payload: &[u8]) -> Vec<u8> {
    let header = whole_header(kind.into(), rsv1, None, payload.len()).encode();
    let mut frame = Vec::with_capacity(header.len() + payload.len());
    frame.extend_from_slice(&header);
    frame.extend_from_slice(payload);
    frame
}

impl From<Kind> for OpCode {
    #[inline]
    fn from(kind: Kind) -> OpCode {
        match kind {
            Kind::Text => OpCode::Text,
            Kind::Binary => OpCode::Binary,
        }
    }
}

#[inline]
fn whole_header(opcode: OpCode, rsv1: bool, mask: Option<[u8; 4]>, length: usize) -> Header {
    Header {
        fin: true,
        rsv1,
        opcode,
        mask,
        length: length as u64,
    }
}

#[inline]
fn write_frame(opcode: OpCode, payload: &[u8], mask: Option<[u8; 4]>, out: &mut Vec<u8>) {
    let header = whole_header(opcode, false, mask, payload.len()).encode();
    out.reserve(header.len() + payload.len());
    out.extend_from_slice(&header);
    let start = out.len();
    out.extend_from_slice(payload);
    if let Some(key) = mask {
        mask::apply(&mut out[start..], key, 0);
    }
}

/// Writes a compressed message, or nothing and returns `false` where that is not worth it.
fn write_compressed(
    kind: Kind,
    payload: &[u8],
    mask: Option<[u8; 4]>,
    deflate: &mut PerMessage,
    codec: &mut Codec,
    out: &mut Vec<u8>,
) -> bool {
    // The length is known afterwards: the header is made for the uncompressed length, and seldom has another size.
    let start = out.len();
    let guess = whole_header(kind.into(), true, mask, payload.len()).encode();
    out.extend_from_slice(&guess);
    let body = out.len();
    if !deflate.compress(codec, payload, out) {
        out.truncate(start);
        return false;
    }
    if let Some(key) = mask {
        mask::apply(&mut out[body..], key, 0);
    }
    let header = whole_header(kind.into(), true, mask, out.len() - body).encode();
    out.splice(start..body, header.iter().copied());
    true
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

/// What a message of `limit_bytes` may have compressed: DEFLATE stores what it cannot shrink, at 5 bytes a block.
///
/// RFC 7692 lets a peer compress everything, so without this a picture of just the limit would be refused.
fn deflated_limit(limit_bytes: usize) -> usize {
    limit_bytes.saturating_add(limit_bytes / 256 + 64)
}
