//! Whether a request may go on to the application: who the client is, and whether the door is open to him.

use std::net::IpAddr;

use hubbub_protocol::http::{Fields, Forwarded, Refusal};

use super::Worker;
use crate::connection::{Connection, Peer, Seldom};
use crate::id::ConnectionId;
use crate::limits::Limit;

impl Worker {
    /// The address of a connection's client, as far as the connection itself tells it; `None` for a Unix socket.
    pub(super) fn address(&self, id: ConnectionId) -> Option<IpAddr> {
        self.connections
            .get(id)
            .and_then(|connection| connection.client().address())
    }

    /// Whether nothing new is taken on, because memory is short. Who looks after the server is served all the same.
    pub(super) fn is_short_of_memory(&mut self, id: ConnectionId) -> bool {
        let is_refused =
            self.pressure() >= 3 && !self.settings.tries(Limit::Held) && self.group(id) == 0;
        self.stats.memory_refused += u64::from(is_refused);
        is_refused
    }

    /// An upgrade has been asked for.
    ///
    /// # Errors
    /// The answer, if it is too much.
    pub(super) fn admit_handshake(
        &mut self,
        id: ConnectionId,
        fields: &Fields<'_>,
    ) -> Result<(), Refusal> {
        let Some(connection) = self.connections.get(id) else {
            return Ok(());
        };
        if connection.group != 0 {
            return Ok(());
        }
        let own = connection.client();
        let limits = &self.settings.limits;
        let told = Forwarded::of(fields, limits.spelling, own.address(), &limits.trusted).client;
        let client = told.map_or(own, |address| Peer::of(Some(address)));
        // One who came through TLS has been at the door with that.
        if (told.is_some() || !connection.flags.seldom.has(Seldom::HAS_SHAKEN))
            && let Err(limit) = self.door.shake(client.address(), self.now_ns())
            && self.exceeds(limit, Some(client))
        {
            return Err(match limit {
                Limit::AddressHandshakes => Refusal::too_many("too many handshakes from you"),
                _ => Refusal::busy("too many handshakes at present"),
            });
        }
        match told {
            Some(address) => self.seat(id, address.ip(), client),
            None => Ok(()),
        }
    }

    /// The client of a connection has become known: from now on it counts as his.
    pub(super) fn seat(
        &mut self,
        id: ConnectionId,
        address: IpAddr,
        client: Peer,
    ) -> Result<(), Refusal> {
        let seat = match self.door.enter(address) {
            Ok(seat) => seat,
            Err(seat) if self.exceeds(Limit::AddressConnections, Some(client)) => {
                self.door.leave(seat);
                return Err(Refusal::too_many("too many connections from you"));
            }
            Err(seat) => seat,
        };
        if let Some(connection) = self.connections.get_mut(id) {
            let before = std::mem::replace(&mut connection.seat, seat);
            self.door.leave(before);
        }
        Ok(())
    }

    /// A connection is gone, and counts no more.
    pub(super) fn unseat(&self, connection: &Connection) {
        self.door.leave(connection.seat);
        if connection.flags.seldom.has(Seldom::TURNED_AWAY) {
            self.door.linger_no_more();
        }
    }
}
