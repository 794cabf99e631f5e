//! The sending half of an endpoint: messages and control frames are written down.
//!
//! Whether they may be sent is decided in `endpoint`.

use super::Kind;
use crate::deflate::{Codec, PerMessage};
use crate::frame::{HEADER_MAX_BYTES, Header, OpCode};
use crate::mask;

/// One message as one frame for many receivers, as a server sends it; `rsv1` says that `payload` is compressed.
#[must_use]
pub fn encode_message(kind: Kind, rsv1: bool, payload: &[u8]) -> Vec<u8> {
    let header = whole_header(kind.into(), rsv1, None, payload.len()).encode();
    let mut frame = Vec::with_capacity(header.len() + payload.len());
    frame.extend_from_slice(&header);
    frame.extend_from_slice(payload);
    frame
}

/// Appends one uncompressed message as one frame, as a server sends it.
#[inline]
pub fn append_message(kind: Kind, payload: &[u8], out: &mut Vec<u8>) {
    let header = whole_header(kind.into(), false, None, payload.len());
    match header.encode_short() {
        Some(short) => {
            out.reserve(short.len() + payload.len());
            out.extend_from_slice(&short);
            out.extend_from_slice(payload);
        }
        None => write_frame(kind.into(), payload, None, out),
    }
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
pub(super) fn write_frame(
    opcode: OpCode,
    payload: &[u8],
    mask: Option<[u8; 4]>,
    out: &mut Vec<u8>,
) {
    let header = whole_header(opcode, false, mask, payload.len()).encode();
    out.reserve(HEADER_MAX_BYTES + payload.len());
    header.append_to(out);
    let start = out.len();
    out.extend_from_slice(payload);
    if let Some(key) = mask {
        mask::apply(&mut out[start..], key, 0);
    }
}

/// Writes a compressed message, or nothing and returns `false` where that is not worth it.
pub(super) fn write_compressed(
    kind: Kind,
    payload: &[u8],
    mask: Option<[u8; 4]>,
    deflate: &mut PerMessage,
    codec: &mut Codec,
    out: &mut Vec<u8>,
) -> bool {
    // The length is known afterwards: room is made for the header of the uncompressed length, mostly just enough.
    let start = out.len();
    let room = whole_header(kind.into(), true, mask, payload.len()).encode();
    out.extend_from_slice(&room);
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
