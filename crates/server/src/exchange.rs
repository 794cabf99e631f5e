//! One request that takes more than a moment: a body still to come, an answer in pieces, or both at once.
//!
//! Data only; what moves it on is `worker::upload` and `worker::answer`. A request without a body that is answered in one
//! piece never has one of these.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use hubbub_protocol::http::{BodyReader, Framing};

/// What a request says about its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Another request may follow.
    pub(crate) keep_alive: bool,
    /// It was a HEAD: the answer has no body.
    pub(crate) head_only: bool,
    /// The client knows chunks.
    pub(crate) http11: bool,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) asked: Asked,
    /// The client waits for a 100 before it sends the body.
    pub(crate) expects_continue: bool,
    /// The head, which the application keeps until it has answered.
    pub(crate) head_bytes: usize,
    pub(crate) upload: Upload,
    pub(crate) answer: Answer,
}

/// The body of the request.
#[derive(Debug)]
pub(crate) enum Upload {
    /// It is to come; the application has not said whether it wants it, and how.
    Announced(Framing),
    /// It is put together, to be handed out whole.
    Collected { reader: BodyReader, body: Vec<u8> },
    /// It is handed out as it comes.
    Streamed(BodyReader),
    /// All of it has been handed out, or there was none.
    Done,
}

impl Upload {
    /// Whether bytes that arrive belong to it and may be looked at.
    pub(crate) fn is_wanted(&self) -> bool {
        matches!(self, Self::Collected { .. } | Self::Streamed(_))
    }
}

/// The body of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Nothing has been said yet.
    Awaited,
    /// So many bytes are still owed. `is_silent`: to be counted, not to be sent.
    Length { left: u64, is_silent: bool },
    /// As many as come, in chunks.
    Chunked,
    /// As many as come, until the connection ends.
    UntilClose,
    /// As many as come, none of which is sent: the answer to a HEAD, or one whose status has no body.
    Silent,
}

impl Exchange {
    /// Bytes on the heap.
    pub(crate) fn held_bytes(&self) -> usize {
        let body = match &self.upload {
            Upload::Collected { body, .. } => body.capacity(),
            _ => 0,
        };
        size_of::<Self>() + self.head_bytes + body
    }
}

/// A part of a file, to be sent from where it is.
#[derive(Clone, Debug)]
pub struct FilePart {
    /// The open file.
    pub file: Arc<OwnedFd>,
    /// Where the part begins.
    pub offset: u64,
    /// How long it is.
    pub length: u64,
}
