//! What travels between the application's thread and the others: commands one way, events the other, in batches.
//!
//! Payloads lie one behind the other in the batch's own buffer: one copy, no allocation for each message.

use std::collections::VecDeque;
use std::sync::Arc;

use hubbub_hub::Policy;
use hubbub_protocol::endpoint::Kind;
use hubbub_protocol::http::Refusal;

use crate::connection::{Acquaintance, Arrival};
use crate::event::{ClosedBy, Place, Raw};
use crate::exchange::FilePart;
use crate::id::ConnectionId;
use crate::listener::Listener;
use crate::worker::{Farewell, Publication, SharedMessage, Terms};

/// A payload from this size on has an allocation of its own: it is copied outside the lock, and buffers stay small.
const OWN_BYTES: usize = 16 << 10;
/// A buffer larger than this is given back when its batch has been worked off.
const BUFFER_LIMIT_BYTES: usize = 1 << 20;
/// A batch of events is handed over when it holds so many bytes, though the turn is not over.
const BATCH_BYTES: usize = 128 << 10;
/// Or so many events.
const BATCH_EVENTS: usize = 128;

/// What a thread is told to do. Carried out in the order given, so what was sent before a close goes out before it.
pub(crate) enum Command {
    Send {
        id: ConnectionId,
        kind: Kind,
        payload: Place,
    },
    Publish {
        space: u16,
        topic: Arc<str>,
        message: Arc<SharedMessage>,
        how: Publication,
    },
    Subscribe {
        id: ConnectionId,
        space: u16,
        topic: Box<str>,
    },
    Unsubscribe {
        id: ConnectionId,
        space: u16,
        topic: Box<str>,
    },
    SetPolicy {
        space: u16,
        pattern: Arc<str>,
        policy: Policy,
    },
    Upgrade {
        id: ConnectionId,
        answer: Place,
        terms: Box<Terms>,
    },
    Respond {
        id: ConnectionId,
        response: Box<OwnedResponse>,
    },
    /// The body that was announced is wanted: whole, or as it comes.
    Collect {
        id: ConnectionId,
        limit_bytes: u64,
    },
    Stream {
        id: ConnectionId,
        limit_bytes: u64,
    },
    /// Somebody reads what is streamed.
    Proceed {
        id: ConnectionId,
    },
    Begin {
        id: ConnectionId,
        head: Box<OwnedHead>,
    },
    Write {
        id: ConnectionId,
        piece: Place,
    },
    WriteFile {
        id: ConnectionId,
        part: Box<FilePart>,
    },
    Finish {
        id: ConnectionId,
    },
    Cut {
        id: ConnectionId,
    },
    /// What a refusal says besides.
    RefuseWith {
        id: ConnectionId,
        fields: Vec<(String, String)>,
    },
    Refuse {
        id: ConnectionId,
        refusal: Refusal,
    },
    Close {
        id: ConnectionId,
        by: ClosedBy,
        code: u16,
        reason: Box<str>,
    },
    CloseSlow {
        id: ConnectionId,
    },
    Ping {
        id: ConnectionId,
    },
    /// The application's own queue for this connection is full.
    Pause {
        id: ConnectionId,
    },
    Resume {
        id: ConnectionId,
    },
    /// How much that queue holds.
    AppHeld {
        id: ConnectionId,
        bytes: usize,
    },
    /// Somebody waits for room in the outbox.
    TellDrained {
        id: ConnectionId,
    },
    /// A batch of events has been worked off.
    Taken(Box<Batch>),
    Listen(Listener),
    /// A connection that another thread has accepted.
    Adopt(Arrival),
    StopListening {
        accept_waiting: bool,
    },
    Drain(Farewell),
    DropAll,
    Stop,
    #[cfg(test)]
    Panic,
}

/// A response that owns what it says.
pub(crate) struct OwnedResponse {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// The head of one whose body follows.
pub(crate) struct OwnedHead {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) length: Option<u64>,
}

/// Commands in order, with their bytes.
#[derive(Default)]
pub(crate) struct Commands {
    pub(crate) list: Vec<Command>,
    pub(crate) bytes: Vec<u8>,
    /// How much work they are, in deliveries.
    pub(crate) weight: usize,
}

impl Commands {
    /// Keeps a payload for a command that is about to be added.
    #[inline]
    pub(crate) fn keep(&mut self, payload: Payload<'_>) -> Place {
        payload.into_place(&mut self.bytes)
    }

    /// Empties it, keeping its buffers unless they have become large.
    pub(crate) fn clear(&mut self) {
        self.list.clear();
        clear(&mut self.bytes);
        self.weight = 0;
    }
}

/// A payload on its way into a batch.
pub(crate) enum Payload<'a> {
    Small(&'a [u8]),
    Large(Vec<u8>),
}

impl<'a> Payload<'a> {
    /// Copies a large one now, before any lock is taken.
    #[inline]
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        if bytes.len() < OWN_BYTES {
            Self::Small(bytes)
        } else {
            Self::Large(bytes.to_vec())
        }
    }

    #[inline]
    fn into_place(self, buffer: &mut Vec<u8>) -> Place {
        match self {
            Self::Small(bytes) => {
                let start = buffer.len();
                buffer.extend_from_slice(bytes);
                Place::Range(start, buffer.len())
            }
            Self::Large(bytes) => Place::Owned(bytes),
        }
    }
}

/// What a thread has to tell.
pub(crate) enum Mail {
    /// A connection has become known to the application; its request follows.
    Opened(Acquaintance),
    Event(Raw),
}

/// Messages of one connection in a batch: what is owed until the batch comes back.
pub(crate) struct Due {
    pub(crate) id: ConnectionId,
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

/// Events of one turn, or of a part of it. Goes to the application and comes back as the receipt.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) mail: VecDeque<Mail>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) dues: Vec<Due>,
    /// Bytes outside the buffer.
    large_bytes: usize,
}

impl Batch {
    /// Adds an event whose payload, if it has one, lies in `inbox`.
    #[inline]
    pub(crate) fn add(&mut self, raw: Raw, inbox: &[u8]) {
        let raw = match raw {
            Raw::Message { id, kind, payload } => Raw::Message {
                id,
                kind,
                payload: self.keep(payload, inbox),
            },
            Raw::Request {
                id,
                head,
                body,
                is_announced,
            } => Raw::Request {
                id,
                head: self.keep(head, inbox),
                body,
                is_announced,
            },
            Raw::Body {
                id,
                content,
                is_last,
            } => Raw::Body {
                id,
                content: self.keep(content, inbox),
                is_last,
            },
            Raw::Response { id, head } => Raw::Response {
                id,
                head: self.keep(head, inbox),
            },
            other => other,
        };
        self.mail.push_back(Mail::Event(raw));
    }

    #[inline]
    fn keep(&mut self, place: Place, inbox: &[u8]) -> Place {
        let kept = match place {
            Place::Range(start, end) => Payload::of(&inbox[start..end]).into_place(&mut self.bytes),
            owned @ Place::Owned(_) => owned,
        };
        if let Place::Owned(bytes) = &kept {
            self.large_bytes += bytes.len();
        }
        kept
    }

    /// Whether it is time to hand it over.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.mail.len() >= BATCH_EVENTS || self.bytes.len() + self.large_bytes >= BATCH_BYTES
    }

    /// Empties it, keeping its buffers unless they have become large.
    pub(crate) fn clear(&mut self) {
        self.mail.clear();
        clear(&mut self.bytes);
        self.dues.clear();
        self.large_bytes = 0;
    }
}

fn clear(bytes: &mut Vec<u8>) {
    if bytes.capacity() > BUFFER_LIMIT_BYTES {
        *bytes = Vec::new();
    }
    bytes.clear();
}
