//! The application's answer to a request: a WebSocket, or a response.

use hubbub_protocol::deflate::{self, PerMessage};
use hubbub_protocol::endpoint::{Endpoint, Role};
use hubbub_protocol::error::Misuse;
use hubbub_protocol::extensions::negotiate;
use hubbub_protocol::handshake::{self, Acceptance, Offer};
use hubbub_protocol::http::{Refusal, Response};

use super::Worker;
use crate::connection::{Connection, NEVER, Phase};
use crate::id::ConnectionId;

/// On which terms an upgrade is accepted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Accept<'a> {
    /// The subprotocol, one of those offered.
    pub protocol: Option<&'a str>,
    /// Compression other than the worker's settings say.
    pub deflate: Option<&'a deflate::Settings>,
    /// Further fields for the 101.
    pub fields: &'a [(&'a str, &'a str)],
    /// Another limit for messages than the worker's, in bytes.
    pub message_limit_bytes: Option<usize>,
    /// Another high water mark than the worker's, in bytes.
    pub outbox_limit_bytes: Option<usize>,
    /// Whether [`Event::ReadEnd`](crate::Event::ReadEnd) shall follow the messages of each read.
    pub tell_read_end: bool,
}

impl Worker {
    /// Makes a WebSocket of a connection whose request is with the application (RFC 6455 §4.2.2).
    /// False when the connection is gone.
    ///
    /// # Errors
    /// A field or protocol that may not be sent; then the request still waits for an answer.
    pub fn accept(
        &mut self,
        id: ConnectionId,
        offer: &Offer<'_>,
        how: &Accept<'_>,
    ) -> Result<bool, Misuse> {
        let Some(connection) = self.connections.get_mut(id) else {
            return Ok(false);
        };
        if !matches!(connection.phase, Phase::Deciding { .. }) {
            return Ok(false);
        }
        let settings = how.deflate.unwrap_or(&self.settings.deflate);
        let agreed = negotiate(offer.extensions(), settings);
        let acceptance = Acceptance {
            protocol: how.protocol,
            deflate: agreed.as_ref(),
            fields: how.fields,
        };
        connection.outbox.append(&mut self.pool, |out| {
            handshake::accept(offer, &acceptance, out)
        })?;
        let deflate = agreed.map(|agreed| {
            PerMessage::new(Role::Server, agreed, settings.minimum_bytes, settings.level)
        });
        let limit = how
            .message_limit_bytes
            .unwrap_or(self.settings.message_limit_bytes);
        connection.phase = Phase::Open(Endpoint::new(Role::Server, limit, deflate));
        connection.deadline = NEVER;
        connection.seen = self.clock.tick();
        connection.flags.tell_read_end = how.tell_read_end;
        if let Some(limit) = how.outbox_limit_bytes {
            connection.outbox_limit_bytes = limit.min(u32::MAX as usize) as u32;
        }
        self.stats.upgraded += 1;
        if connection.flags.eof {
            self.broken(id, None);
            return Ok(false);
        }
        self.mark_dirty(id);
        self.arm(id);
        self.read_on(id);
        Ok(true)
    }

    /// Answers a request that is with the application. False when the connection is gone.
    ///
    /// # Errors
    /// A field that may not be sent; then the request still waits for an answer.
    pub fn respond(&mut self, id: ConnectionId, response: &Response<'_>) -> Result<bool, Misuse> {
        self.refresh_date();
        let Some(connection) = self.connections.get_mut(id) else {
            return Ok(false);
        };
        let Phase::Deciding {
            keep_alive,
            head_only,
        } = connection.phase
        else {
            return Ok(false);
        };
        let keep_alive = keep_alive && !connection.flags.eof;
        let date = &self.date.1;
        connection.outbox.append(&mut self.pool, |out| {
            response.write(keep_alive, head_only, date, out)
        })?;
        connection.flags.told = true;
        if !keep_alive {
            self.finish_after_flush(id);
            return Ok(true);
        }
        connection.phase = Connection::idle_head();
        self.mark_dirty(id);
        self.set_deadline(id, self.spans.keep_alive);
        self.read_on(id);
        Ok(true)
    }

    /// Answers a request, whole or not, with an error, and ends the connection.
    pub fn refuse(&mut self, id: ConnectionId, refusal: &Refusal) {
        self.refresh_date();
        self.stats.bad_requests += 1;
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let head_only = matches!(
            connection.phase,
            Phase::Deciding {
                head_only: true,
                ..
            }
        );
        let date = &self.date.1;
        connection
            .outbox
            .append(&mut self.pool, |out| refusal.write(head_only, date, out));
        connection.flags.told = true;
        self.finish_after_flush(id);
    }
}
