//! Keeping the access book: a request begins, is answered, and is over.

use hubbub_protocol::http::{Forwarded, Request};

use super::{Worker, monotonic_ns};
use crate::access::{AccessLine, Inquiry};
use crate::connection::Connection;
use crate::id::ConnectionId;

impl Worker {
    /// A request has been read. What those ask who run the server (group 1) is not for the book.
    pub(super) fn note_request(&mut self, id: ConnectionId, request: &Request<'_>) {
        if !self.tally.access.is_on() {
            return;
        }
        let limits = &self.settings.limits;
        let Some(connection) = self.connections.get_mut(id).filter(|it| it.group == 0) else {
            return;
        };
        let own = connection.client().address();
        let told = Forwarded::of(&request.fields, limits.spelling, own, &limits.trusted).client;
        connection.rare().inquiry = Some(Box::new(Inquiry {
            client: told.map(|address| address.ip()).or(own),
            method: request.method.into(),
            path: request.target.path.as_ref().into(),
            begun_ns: monotonic_ns(),
            status: 0,
            bytes: 0,
        }));
    }

    /// Its answer has begun.
    pub(super) fn note_status(&mut self, id: ConnectionId, status: u16) {
        if let Some(inquiry) = self.inquiry(id) {
            inquiry.status = status;
        }
    }

    /// So much content of its answer is on its way.
    pub(super) fn note_content(&mut self, id: ConnectionId, bytes: u64) {
        if let Some(inquiry) = self.inquiry(id) {
            inquiry.bytes += bytes;
        }
    }

    fn inquiry(&mut self, id: ConnectionId) -> Option<&mut Inquiry> {
        let rare = self.connections.get_mut(id)?.rare.as_mut()?;
        rare.inquiry.as_deref_mut()
    }

    /// It is over.
    pub(super) fn note_end(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id) {
            close(&self.tally.access, id, connection);
        }
    }

    /// It is refused before it could be read.
    pub(super) fn note_unread(&mut self, id: ConnectionId, status: u16) {
        if !self.tally.access.is_on() {
            return;
        }
        let Some(connection) = self.connections.get(id).filter(|it| it.group == 0) else {
            return;
        };
        self.tally.access.write(AccessLine {
            id,
            client: connection.client().address(),
            method: "".into(),
            path: "".into(),
            status,
            bytes: 0,
            duration_ns: 0,
        });
    }

    /// The request has become a WebSocket, which has lines of its own.
    pub(super) fn note_upgrade(&mut self, id: ConnectionId) {
        let rare = self.connections.get_mut(id).and_then(|it| it.rare.as_mut());
        if let Some(rare) = rare {
            rare.inquiry = None;
        }
    }
}

/// Writes the line of a request that is over, or whose connection is.
pub(super) fn close(
    book: &crate::access::AccessBook,
    id: ConnectionId,
    connection: &mut Connection,
) {
    let rare = connection.rare.as_mut();
    if let Some(inquiry) = rare.and_then(|rare| rare.inquiry.take()) {
        book.write(AccessLine {
            id,
            client: inquiry.client,
            method: inquiry.method,
            path: inquiry.path,
            status: inquiry.status,
            bytes: inquiry.bytes,
            duration_ns: monotonic_ns().saturating_sub(inquiry.begun_ns),
        });
    }
}
