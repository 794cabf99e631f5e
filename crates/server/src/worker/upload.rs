//! Requests with bodies: asked for by the application, collected or handed out as they come.
//!
//! A body that has come whole with its head is handed out with it. Any other is announced, and not a byte of it is read
//! before somebody wants it; a client that expects a 100 is answered with it only then (RFC 9110 §10.1.1).

use hubbub_protocol::handshake::names_websocket;
use hubbub_protocol::http::{BodyReader, CONTINUE, Framing, Refusal, Request};

use rustix::net::{RecvFlags, recv};

use super::read::Found;
use super::{Inbox, Worker};
use crate::connection::{Connection, NEVER, Phase, Seldom};
use crate::event::{ClosedBy, Ending, Place, Raw};
use crate::exchange::{Answer, Asked, Exchange, Upload};
use crate::id::ConnectionId;
use crate::limits::Limit;
use crate::settings::Settings;
use crate::tally::Method;

impl Worker {
    pub(super) fn on_request(&mut self, id: ConnectionId, head: Place, inbox: &mut Inbox) -> Found {
        let bytes = match &head {
            Place::Range(start, end) => &inbox.buffer[*start..*end],
            Place::Owned(bytes) => bytes,
        };
        let request = match Request::parse(bytes, &self.settings.kept_head()) {
            Ok(request) => request,
            Err(refusal) => {
                if refusal.status == 431 {
                    self.refuses(Limit::Fields, id);
                }
                self.refuse(id, &refusal);
                return Found::Handled;
            }
        };
        let asked = Asked {
            keep_alive: request.keep_alive(),
            head_only: request.method == "HEAD",
            http11: request.http11,
        };
        let beyond = beyond(&request, bytes, &self.settings);
        let framing = request.framing();
        let has_body = !matches!(framing, Framing::None | Framing::Length(0));
        let is_handshake = names_websocket(&request.fields);
        // An upgrade has no body: what looks like one could be read as the next request by somebody else.
        if has_body && is_handshake {
            self.refuse(id, &Refusal::bad("an upgrade request has no body"));
            return Found::Handled;
        }
        if self.is_short_of_memory(id) {
            self.refuse(id, &Refusal::busy("short of memory at present"));
            return Found::Handled;
        }
        if is_handshake && let Err(refusal) = self.admit_handshake(id, &request.fields) {
            self.refuse(id, &refusal);
            return Found::Handled;
        }
        let expects_continue = request.expects_continue();
        let method = Method::of(request.method);
        self.note_request(id, &request);
        for limit in beyond.into_iter().flatten() {
            self.lets_pass(limit, id);
        }
        let connection = self
            .connections
            .get_mut(id)
            .expect("looked up by the caller");
        connection.deadline = NEVER;
        connection.flags.told = false;
        connection.flags.hung_up = false;
        connection.flags.seldom.set(Seldom::EXTENDED, false);
        connection.flags.seldom.set(Seldom::HAS_ASKED, true);
        connection.flags.method = method;
        self.stats.requests += 1;
        let at_hand = &inbox.buffer[inbox.start..inbox.end];
        let limit = self.settings.body_limit_bytes as u64;
        let mut body = Vec::new();
        let is_announced = match framing {
            Framing::None => false,
            Framing::Length(length) if length <= limit && length <= at_hand.len() as u64 => {
                body.extend_from_slice(&at_hand[..length as usize]);
                inbox.start += length as usize;
                false
            }
            _ => true,
        };
        connection.phase = if is_announced {
            Phase::Exchange(Box::new(Exchange {
                asked,
                expects_continue,
                head_bytes: bytes.len(),
                upload: Upload::Announced(framing),
                answer: Answer::Awaited,
            }))
        } else {
            Phase::Deciding(asked)
        };
        Found::Event(Raw::Request {
            id,
            head,
            body,
            is_announced,
        })
    }

    /// Asks for the body that was announced, whole; [`Event::Body`](crate::Event::Body) brings it. One that is longer is refused with 413.
    pub fn collect(&mut self, id: ConnectionId, limit_bytes: u64) {
        self.want(id, limit_bytes, |reader| Upload::Collected {
            reader,
            body: Vec::new(),
        });
    }

    /// Asks for the body that was announced, piece by piece. [`Worker::pause`] and [`Worker::resume`] hold the client to
    /// the pace of who reads them. One that expects a 100 gets it from [`Worker::proceed`].
    pub fn stream(&mut self, id: ConnectionId, limit_bytes: u64) {
        self.want(id, limit_bytes, Upload::Streamed);
    }

    /// Somebody reads the body that is streamed: a client that waits for that is told to go on.
    pub fn proceed(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get(id)
            && let Phase::Exchange(exchange) = &connection.phase
            && matches!(exchange.upload, Upload::Streamed(_))
            && exchange.expects_continue
        {
            self.begin_upload(id);
        }
    }

    /// From now on the client is waited for; one that waits for that is told to go on.
    fn begin_upload(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let Phase::Exchange(exchange) = &mut connection.phase else {
            return;
        };
        if std::mem::take(&mut exchange.expects_continue) && exchange.answer == Answer::Awaited {
            connection
                .outbox
                .append(&mut self.pool, |out| out.extend_from_slice(CONTINUE));
            self.mark_dirty(id);
        }
        self.set_deadline(id, self.spans.body);
    }

    fn want(&mut self, id: ConnectionId, limit_bytes: u64, how: impl FnOnce(BodyReader) -> Upload) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let Phase::Exchange(exchange) = &mut connection.phase else {
            return;
        };
        let Upload::Announced(framing) = exchange.upload else {
            return;
        };
        match BodyReader::new(framing, limit_bytes) {
            Err(refusal) => self.refuse_upload(id, &refusal),
            Ok(reader) => {
                exchange.upload = how(reader);
                let is_streamed = matches!(exchange.upload, Upload::Streamed(_));
                // Of what is streamed, whoever reads it says when.
                if !(is_streamed && exchange.expects_continue) {
                    self.begin_upload(id);
                }
                self.read_on(id);
            }
        }
    }

    /// Who has not waited for the 100 needs none, and is waited for from now on.
    fn has_begun_unasked(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id)
            && let Phase::Exchange(exchange) = &mut connection.phase
            && std::mem::take(&mut exchange.expects_continue)
        {
            self.set_deadline(id, self.spans.body);
        }
    }

    pub(super) fn digest_upload(&mut self, id: ConnectionId, inbox: &mut Inbox) -> Found {
        self.has_begun_unasked(id);
        let now = self.clock.tick();
        let connection = self
            .connections
            .get_mut(id)
            .expect("looked up by the caller");
        let Phase::Exchange(exchange) = &mut connection.phase else {
            unreachable!("the caller has matched the phase")
        };
        let bytes = &mut inbox.buffer[inbox.start..inbox.end];
        let read = match &mut exchange.upload {
            Upload::Collected { reader, body } => reader
                .read(bytes, body)
                .map(|(taken, is_last)| (taken, 0..0, is_last)),
            Upload::Streamed(reader) => reader.read_in_place(bytes),
            Upload::Announced(_) | Upload::Done => unreachable!("the caller has asked"),
        };
        let (taken, content, is_last) = match read {
            Ok(read) => read,
            Err(refusal) => {
                self.refuse_upload(id, &refusal);
                return Found::Handled;
            }
        };
        let start = inbox.start;
        inbox.start += taken;
        let content = match &mut exchange.upload {
            Upload::Collected { body, .. } if is_last => Place::Owned(std::mem::take(body)),
            Upload::Collected { .. } => return Found::Nothing,
            _ if content.is_empty() && !is_last => return Found::Nothing,
            _ => {
                // A byte alone renews nothing: time is given for what has come, at the slowest rate that is bearable.
                let earned = self.spans.for_bytes(content.len());
                let latest = now.saturating_add(self.spans.body);
                connection.deadline = connection.deadline.saturating_add(earned).min(latest);
                Place::Range(start + content.start, start + content.end)
            }
        };
        if is_last {
            exchange.upload = Upload::Done;
            connection.deadline = NEVER;
        }
        Found::Event(Raw::Body {
            id,
            content,
            is_last,
        })
    }

    /// A body that is too long, too slow or none at all: the request is refused if its answer has not begun.
    pub(super) fn refuse_upload(&mut self, id: ConnectionId, refusal: &Refusal) {
        self.tell_closed(id, Ending::new(1006, refusal.reason, ClosedBy::Server));
        let has_begun = self
            .connections
            .get(id)
            .is_some_and(|connection| connection.asked().is_none());
        if has_begun {
            self.stats.bad_requests += 1;
            self.cut(id);
        } else {
            self.refuse(id, refusal);
        }
    }

    /// The peer will send no more while the application is to answer.
    pub(super) fn on_hang_up(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if connection.flags.hung_up {
            return self.refresh_interest(id);
        }
        connection.flags.hung_up = true;
        // Who has asked for more waits for answers, and so may one that wanted to end with this one (RFC 9112 §9.6): unless
        // it has begun, and there is no telling how much of it will come.
        let was_last = connection.asked().is_some_and(|asked| !asked.keep_alive);
        let has_more = connection.stash_len() > 0 || has_unread(connection);
        if !connection.flags.told && !has_more && !was_last {
            self.told.push_back(Raw::HungUp { id });
        }
        self.refresh_interest(id);
    }
}

/// Whether something lies in the socket: another request, probably. What came by TLS may be a farewell, and tells nothing.
fn has_unread(connection: &Connection) -> bool {
    let peeked = || recv(&connection.socket, &mut [0; 1], RecvFlags::PEEK);
    connection.tls.is_none() && peeked().is_ok_and(|(len, _)| len > 0)
}

/// The bounds on its head that a request is beyond, and that are only tried.
fn beyond(request: &Request<'_>, head: &[u8], settings: &Settings) -> [Option<Limit>; 3] {
    let limits = &settings.head;
    let line = head.iter().position(|&byte| byte == b'\n').unwrap_or(0) + 1;
    let found = |limit, is_beyond: bool| (is_beyond && settings.tries(limit)).then_some(limit);
    [
        found(Limit::RequestLine, line > limits.request_line_bytes),
        found(Limit::Head, head.len() > limits.head_bytes),
        found(Limit::Fields, request.fields.len() > limits.fields),
    ]
}
