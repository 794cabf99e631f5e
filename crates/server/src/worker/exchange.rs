//! The application's answer to a request: a WebSocket. Ordinary answers are `answer`'s.

use hubbub_protocol::deflate::{self, Parameters, PerMessage};
use hubbub_protocol::endpoint::{Endpoint, Role};
use hubbub_protocol::error::Misuse;
use hubbub_protocol::extensions::negotiate;
use hubbub_protocol::handshake::{self, Acceptance, Offer};

use super::Worker;
use crate::access::Meter;
use crate::connection::{NEVER, Phase, Seldom};
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

/// What was agreed upon in a handshake.
pub(crate) struct Terms {
    deflate: Option<(Parameters, deflate::Settings)>,
    message_limit_bytes: Option<usize>,
    outbox_limit_bytes: Option<usize>,
    tell_read_end: bool,
}

/// Appends the 101 that accepts an upgrade, and tells the terms.
///
/// # Errors
/// A field or protocol that may not be sent; then nothing is appended.
pub(crate) fn agree(
    offer: &Offer<'_>,
    how: &Accept<'_>,
    default: &deflate::Settings,
    out: &mut Vec<u8>,
) -> Result<Terms, Misuse> {
    let settings = how.deflate.unwrap_or(default);
    let agreed = negotiate(offer.extensions(), settings);
    let acceptance = Acceptance {
        protocol: how.protocol,
        deflate: agreed.as_ref(),
        fields: how.fields,
    };
    handshake::accept(offer, &acceptance, out)?;
    Ok(Terms {
        deflate: agreed.map(|agreed| (agreed, *settings)),
        message_limit_bytes: how.message_limit_bytes,
        outbox_limit_bytes: how.outbox_limit_bytes,
        tell_read_end: how.tell_read_end,
    })
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
        if !matches!(connection.phase, Phase::Deciding(_)) {
            return Ok(false);
        }
        let default = &self.settings.deflate;
        let terms = connection
            .outbox
            .append(&mut self.pool, |out| agree(offer, how, default, out))?;
        Ok(self.establish_on(id, &terms))
    }

    /// The same by a 101 that was written elsewhere.
    pub(crate) fn upgrade(&mut self, id: ConnectionId, answer: &[u8], terms: &Terms) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if matches!(connection.phase, Phase::Deciding(_)) {
            connection
                .outbox
                .append(&mut self.pool, |out| out.extend_from_slice(answer));
            self.establish_on(id, terms);
        }
    }

    /// The 101 is in the outbox: from now on this is a WebSocket. False when the peer is gone.
    fn establish_on(&mut self, id: ConnectionId, terms: &Terms) -> bool {
        let Some(connection) = self.connections.get_mut(id) else {
            return false;
        };
        let deflate = terms.deflate.map(|(agreed, settings)| {
            PerMessage::new(Role::Server, agreed, settings.minimum_bytes, settings.level)
        });
        let limit = terms
            .message_limit_bytes
            .unwrap_or(self.settings.message_limit_bytes);
        let limit = self.settings.kept_message_bytes(limit);
        connection.phase = Phase::Open(Endpoint::new(Role::Server, limit, deflate));
        connection.deadline = NEVER;
        connection.seen = self.clock.tick();
        connection.spoken = connection.seen;
        // What looks after the server (group 1) is not for the book.
        if connection.group == 0 && self.tally.access.is_on() {
            connection.meter = Meter::running();
        }
        connection
            .flags
            .seldom
            .set(Seldom::TELL_READ_END, terms.tell_read_end);
        if let Some(limit) = terms.outbox_limit_bytes {
            let kept = self.settings.kept_outbox_bytes(limit);
            connection.outbox_limit_bytes = kept.min(u32::MAX as usize) as u32;
        }
        self.stats.upgraded += 1;
        let method = std::mem::take(&mut connection.flags.method);
        self.tally.answered(method, 101);
        self.note_upgrade(id);
        let Some(connection) = self.connections.get_mut(id) else {
            return false;
        };
        if connection.flags.eof {
            self.broken(id, None);
            return false;
        }
        self.begin_pace(id);
        self.mark_dirty(id);
        self.arm(id);
        self.read_on(id);
        true
    }
}
