//! Connections that begin with a PROXY header: it is read before anything else, TLS included.
//!
//! Only looked at in the kernel's buffer (MSG_PEEK) and taken from it to the byte, so that whoever reads next, be it TLS or HTTP,
//! finds the client's first byte.

use std::sync::Arc;

use hubbub_protocol::proxy::{self, Client};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

use super::{Inbox, Worker};
use crate::connection::{Connection, Peer, Phase, Proxied, Seldom};
use crate::id::ConnectionId;
use crate::limits::Limit;
use crate::tls::TlsContext;

/// As much as is looked at in one go.
const PEEK_BYTES: usize = 4 << 10;

/// A header that is not whole yet, and what comes after it.
#[derive(Default)]
pub(crate) struct Preface {
    /// What has been taken from the kernel: a part of the header, and nothing else.
    partial: Vec<u8>,
    tls: Option<Arc<TlsContext>>,
}

impl Preface {
    pub(super) fn before(tls: Option<Arc<TlsContext>>) -> Self {
        Self {
            partial: Vec::new(),
            tls,
        }
    }

    pub(crate) fn held_bytes(&self) -> usize {
        size_of::<Self>() + self.partial.capacity()
    }
}

impl Worker {
    /// Reads the header, as far as it has come. True when it is whole and the connection may go on.
    pub(super) fn read_preface(&mut self, id: ConnectionId, inbox: &mut Inbox) -> bool {
        let Some(connection) = self.connections.get_mut(id) else {
            return false;
        };
        let Phase::Preface(preface) = &mut connection.phase else {
            return true;
        };
        let scratch = &mut inbox.buffer[..PEEK_BYTES];
        let peeked = match recv(&connection.socket, &mut *scratch, RecvFlags::PEEK) {
            Ok((0, _)) => {
                self.broken(id, None);
                return false;
            }
            Ok((len, _)) => len,
            Err(Errno::AGAIN | Errno::INTR) => return false,
            Err(error) => {
                self.broken(id, Some(error));
                return false;
            }
        };
        let known = preface.partial.len();
        preface.partial.extend_from_slice(&scratch[..peeked]);
        let parsed = proxy::parse(&preface.partial);
        // What is not the header's stays where it is.
        let own = match parsed {
            Ok(Some(header)) => header.length - known,
            _ => peeked,
        };
        preface.partial.truncate(known + own);
        // The bytes are there: they have just been seen.
        let taken = recv(&connection.socket, &mut scratch[..own], RecvFlags::empty());
        self.stats.bytes_in += own as u64;
        match (parsed, taken) {
            (Ok(Some(header)), Ok((len, _))) if len == own => {
                let tls = std::mem::take(&mut **preface).tls;
                connection.phase = Connection::idle_head();
                let client = match header.client {
                    Client::Itself => None,
                    Client::Unix => Some(Peer::Unix),
                    Client::Ip(address) => Some(Peer::of(Some(address))),
                };
                connection.proxied = client.map(|client| {
                    Box::new(Proxied {
                        client,
                        tls: header.tls,
                    })
                });
                self.meet(id, tls)
            }
            (Ok(None), Ok(_)) => {
                self.charge(id);
                false
            }
            _ => {
                let peer = connection.peer;
                self.refuse_proxy(peer);
                self.broken(id, None);
                false
            }
        }
    }

    /// The client is known: is the door open to him? False when the connection is of no more use.
    fn meet(&mut self, id: ConnectionId, tls: Option<Arc<TlsContext>>) -> bool {
        let Some(connection) = self.connections.get(id) else {
            return false;
        };
        let client = connection.client();
        let refused = match client.address() {
            Some(address) => self.seat(id, address, client).err(),
            None => None,
        };
        let Some(context) = tls else {
            if let Some(refusal) = refused {
                self.refuse(id, &refusal);
                self.flush_one(id);
                return false;
            }
            return true;
        };
        // Nothing that could be said before the handshake would be understood.
        if refused.is_some() || !self.may_shake(client) {
            self.broken(id, None);
            return false;
        }
        if let Some(connection) = self.connections.get_mut(id) {
            connection.flags.seldom.set(Seldom::HAS_SHAKEN, true);
        }
        self.secure(id, &context)
    }

    /// Whether there is a TLS handshake for this client.
    pub(super) fn may_shake(&mut self, client: Peer) -> bool {
        match self.door.shake(client.address(), self.now_ns()) {
            Ok(()) => true,
            Err(limit) => !self.exceeds(limit, Some(client)),
        }
    }

    /// Counts a connection without a PROXY header, or with one that may not be believed.
    #[cold]
    pub(super) fn refuse_proxy(&mut self, peer: Peer) {
        self.stats.refused += 1;
        self.exceeds(Limit::Proxy, Some(peer));
    }
}
