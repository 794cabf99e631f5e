//! What a worker tells its caller.

use std::ops::Deref;

use hubbub_protocol::endpoint::Kind;

use crate::access::Traffic;
use crate::id::ConnectionId;
use crate::worker::Notice;

/// Something the application should know or decide.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'b> {
    /// A request. Answer it with [`Worker::accept`](crate::Worker::accept), [`Worker::respond`](crate::Worker::respond) or
    /// [`Worker::begin`](crate::Worker::begin), now or later.
    Request {
        /// Who asks.
        id: ConnectionId,
        /// The head, as received, up to and with the blank line; it has been parsed successfully once.
        head: Bytes<'b>,
        /// The body, decoded; empty where it is announced.
        body: Vec<u8>,
        /// A body is to come. Ask for it with [`Worker::collect`](crate::Worker::collect) or [`Worker::stream`](crate::Worker::stream), or answer without it.
        is_announced: bool,
    },
    /// A body that was asked for, or the next piece of it. A refusal, a timeout or the peer's end show as [`Event::Closed`].
    Body {
        /// Whose.
        id: ConnectionId,
        /// The content, decoded.
        content: Bytes<'b>,
        /// Nothing follows.
        is_last: bool,
    },
    /// The peer, whose request is not answered in full, will send no more: probably it has gone. Told once for a request.
    HungUp {
        /// Which.
        id: ConnectionId,
    },
    /// The server's answer to a request made with [`Worker::connect`](crate::Worker::connect). Judge it, then [`Worker::establish`](crate::Worker::establish) or close.
    Response {
        /// The connection.
        id: ConnectionId,
        /// The response's head.
        head: Bytes<'b>,
    },
    /// A whole message; text is valid UTF-8.
    Message {
        /// From whom.
        id: ConnectionId,
        /// Text or binary.
        kind: Kind,
        /// The payload.
        payload: Bytes<'b>,
    },
    /// More of a large message has arrived: it may be taken already, see [`Worker::take_arrived`](crate::Worker::take_arrived).
    /// Only told after [`Worker::tell_arrivals`](crate::Worker::tell_arrivals).
    Arrived {
        /// Of whom.
        id: ConnectionId,
    },
    /// Every message of one read has been handed out; only told where [`Accept::tell_read_end`](crate::Accept::tell_read_end) asks for it.
    ReadEnd {
        /// Of whom.
        id: ConnectionId,
    },
    /// The outbox, once full, has drained below the low water mark.
    Drained {
        /// Of whom.
        id: ConnectionId,
    },
    /// The connection has ended for the application; told once, and nothing after it.
    Closed {
        /// Which.
        id: ConnectionId,
        /// How.
        ending: Ending,
    },
    /// Something for the log.
    Notice(Notice),
}

/// Bytes in the receive buffer, or a message that had to be put together elsewhere.
#[derive(Debug)]
pub enum Bytes<'b> {
    /// In the receive buffer; gone with the next event.
    Borrowed(&'b mut [u8]),
    /// On its own.
    Owned(Vec<u8>),
}

impl Deref for Bytes<'_> {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Borrowed(bytes) => bytes,
            Bytes::Owned(bytes) => bytes,
        }
    }
}

/// Who ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosedBy {
    /// The peer, by its close frame.
    Peer,
    /// The application.
    App,
    /// The server: a violation, a timeout, a limit, a shutdown.
    Server,
    /// Nobody: the connection broke.
    Network,
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The close code; 1005 for a close without one, 1006 for no close at all (RFC 6455 §7.1.5).
    pub code: u16,
    /// The reason, possibly empty; ours where we closed, and the peer has answered without one or not at all.
    pub reason: String,
    /// By whom.
    pub by: ClosedBy,
    /// The system's error number where there was one; `ETIMEDOUT` where the peer missed a deadline.
    pub os_error: Option<i32>,
    /// What has gone over it; only of a WebSocket, and only where access lines are wanted.
    pub traffic: Option<Box<Traffic>>,
}

impl Event<'_> {
    /// The connection it is of, if it is of one.
    #[inline]
    pub fn id(&self) -> Option<ConnectionId> {
        match self {
            Event::Request { id, .. }
            | Event::Body { id, .. }
            | Event::HungUp { id }
            | Event::Response { id, .. }
            | Event::Message { id, .. }
            | Event::Arrived { id }
            | Event::ReadEnd { id }
            | Event::Drained { id }
            | Event::Closed { id, .. } => Some(*id),
            Event::Notice(_) => None,
        }
    }
}

impl Ending {
    pub(crate) fn new(code: u16, reason: impl Into<String>, by: ClosedBy) -> Self {
        Self {
            code,
            reason: reason.into(),
            by,
            os_error: None,
            traffic: None,
        }
    }

    /// Whether the peer missed a deadline.
    pub fn timed_out(&self) -> bool {
        self.os_error == Some(rustix::io::Errno::TIMEDOUT.raw_os_error())
    }
}

/// [`Event`] without the borrow: payloads as places in the receive buffer. The worker works with these.
pub(crate) enum Raw {
    Request {
        id: ConnectionId,
        head: Place,
        body: Vec<u8>,
        is_announced: bool,
    },
    Body {
        id: ConnectionId,
        content: Place,
        is_last: bool,
    },
    HungUp {
        id: ConnectionId,
    },
    Response {
        id: ConnectionId,
        head: Place,
    },
    Message {
        id: ConnectionId,
        kind: Kind,
        payload: Place,
    },
    Arrived {
        id: ConnectionId,
    },
    ReadEnd {
        id: ConnectionId,
    },
    Drained {
        id: ConnectionId,
    },
    Closed {
        id: ConnectionId,
        ending: Ending,
    },
    Notice(Notice),
}

pub(crate) enum Place {
    Range(usize, usize),
    Owned(Vec<u8>),
}

impl Raw {
    #[inline]
    pub(crate) fn in_buffer(self, buffer: &mut [u8]) -> Event<'_> {
        fn bytes(place: Place, buffer: &mut [u8]) -> Bytes<'_> {
            match place {
                Place::Range(start, end) => Bytes::Borrowed(&mut buffer[start..end]),
                Place::Owned(bytes) => Bytes::Owned(bytes),
            }
        }
        match self {
            Raw::Message { id, kind, payload } => Event::Message {
                id,
                kind,
                payload: bytes(payload, buffer),
            },
            Raw::Request {
                id,
                head,
                body,
                is_announced,
            } => Event::Request {
                id,
                head: bytes(head, buffer),
                body,
                is_announced,
            },
            Raw::Body {
                id,
                content,
                is_last,
            } => Event::Body {
                id,
                content: bytes(content, buffer),
                is_last,
            },
            Raw::HungUp { id } => Event::HungUp { id },
            Raw::Response { id, head } => Event::Response {
                id,
                head: bytes(head, buffer),
            },
            Raw::Arrived { id } => Event::Arrived { id },
            Raw::ReadEnd { id } => Event::ReadEnd { id },
            Raw::Drained { id } => Event::Drained { id },
            Raw::Closed { id, ending } => Event::Closed { id, ending },
            Raw::Notice(notice) => Event::Notice(notice),
        }
    }
}
