//! The other side: connections that we open.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use hubbub_protocol::deflate::{Parameters, PerMessage};
use hubbub_protocol::endpoint::{Endpoint, Role};
use hubbub_protocol::http::HeadScanner;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, ipproto, socket_with, sockopt,
};
use rustix::rand::{GetRandomFlags, getrandom};
use rustls::pki_types::ServerName;

use super::Worker;
use crate::clock::ticks;
use crate::connection::{Connection, NEVER, Peer, Phase, Seldom};
use crate::event::Raw;
use crate::id::ConnectionId;
use crate::reactor::Interest;
use crate::tls::{Tls, TlsTrust};

/// Masking keys "derived from a strong source of entropy" (RFC 6455 §5.3), fetched by the kilobyte.
#[derive(Default)]
pub(super) struct Masks {
    random: Vec<u8>,
}

impl Masks {
    /// The key for the next frame on this connection; only a client's frames are masked (§5.1).
    #[inline]
    pub(super) fn of(&mut self, connection: &Connection) -> [u8; 4] {
        if connection.flags.is_client {
            self.fresh()
        } else {
            [0; 4]
        }
    }

    /// A key no peer can foresee.
    fn fresh(&mut self) -> [u8; 4] {
        if self.random.len() < 4 {
            self.random.resize(1024, 0);
            // Fails only before the kernel's pool is seeded, early in boot; an all-zero key is legal even so.
            let _ = getrandom(&mut self.random[..], GetRandomFlags::empty());
        }
        let at = self.random.len() - 4;
        let mask = [
            self.random[at],
            self.random[at + 1],
            self.random[at + 2],
            self.random[at + 3],
        ];
        self.random.truncate(at);
        mask
    }
}

/// What to ask for, and of whom.
pub struct Request {
    /// Where to connect.
    pub address: Target,
    /// The bytes of the handshake's request.
    pub head: Vec<u8>,
    /// From now to the end of the response's head, in seconds.
    pub timeout_s: f64,
    /// By TLS: whom to believe, and by which name or address the certificate must vouch.
    pub tls: Option<(TlsTrust, String)>,
}

/// Where to connect.
pub enum Target {
    /// By TCP.
    Tcp(SocketAddr),
    /// By a Unix socket.
    Unix(PathBuf),
}

impl Worker {
    /// How many of the open connections were accepted; the others are our own. Counts one by one.
    pub fn accepted_count(&self) -> usize {
        let accepted = |connection: &Connection| !connection.flags.is_client;
        self.connections
            .iter()
            .filter(|(_, connection)| accepted(connection))
            .count()
    }

    /// Random bytes for the `Sec-WebSocket-Key` of a request.
    pub fn handshake_key(&mut self) -> [u8; 16] {
        let mut key = [0; 16];
        for quarter in key.chunks_exact_mut(4) {
            quarter.copy_from_slice(&self.masks.fresh());
        }
        key
    }

    /// Opens a connection and sends a request on it; [`Event::Response`](crate::Event::Response) or
    /// [`Event::Closed`](crate::Event::Closed) follows.
    ///
    /// # Errors
    /// What socket(2) and connect(2) may fail with at once; a name that no certificate can carry.
    pub fn connect(&mut self, request: Request) -> std::io::Result<ConnectionId> {
        let tls = match request.tls {
            None => None,
            Some((trust, name)) => Some(Box::new(hello(&trust, name)?)),
        };
        let (socket, peer) = open(&request.address)?;
        let phase = Phase::Connecting {
            request: request.head.into(),
        };
        let deadline = self.clock.tick() + ticks(request.timeout_s);
        let id = self
            .register(socket, peer, phase, deadline, Interest::OUT)
            .ok_or_else(|| std::io::Error::from(Errno::NOMEM))?;
        if let Some(connection) = self.connections.get_mut(id) {
            connection.flags.told = false;
            connection.flags.is_client = true;
            connection.tls = tls;
        }
        Ok(id)
    }

    /// connect(2) has come to its end: the request goes out, or there was nobody.
    pub(super) fn on_connected(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if let Ok(Err(error)) | Err(error) = sockopt::socket_error(&connection.socket) {
            return self.broken(id, Some(error));
        }
        let response = Phase::Response {
            scanner: HeadScanner::default(),
            partial: Vec::new(),
        };
        if let Phase::Connecting { request } = std::mem::replace(&mut connection.phase, response) {
            connection
                .outbox
                .append(&mut self.pool, |out| out.extend_from_slice(&request));
            self.mark_dirty(id);
        }
        self.refresh_interest(id);
    }

    /// The response was right: from now on this is a WebSocket, of which we are the client.
    pub fn establish(
        &mut self,
        id: ConnectionId,
        agreed: Option<Parameters>,
        message_limit_bytes: usize,
    ) {
        let settings = &self.settings.deflate;
        let deflate = agreed.map(|agreed| {
            PerMessage::new(Role::Client, agreed, settings.minimum_bytes, settings.level)
        });
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let limit = self.settings.kept_message_bytes(message_limit_bytes);
        connection.phase = Phase::Open(Endpoint::new(Role::Client, limit, deflate));
        connection.flags.seldom.set(Seldom::TELL_READ_END, true);
        connection.deadline = NEVER;
        connection.seen = self.clock.tick();
        connection.spoken = connection.seen;
        self.arm(id);
        self.read_on(id);
    }

    /// Ends a connection at once, without a word; the application is not told again.
    pub fn abort(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.flags.told = true;
        }
        self.topics.drop_subscriber(id);
        self.told
            .retain(|raw| !matches!(raw, Raw::Closed { id: closed, .. } if *closed == id));
        self.remove(id);
    }
}

fn hello(trust: &TlsTrust, name: String) -> std::io::Result<Tls> {
    let name = ServerName::try_from(name).map_err(std::io::Error::other)?;
    Tls::connect(trust, name).map_err(std::io::Error::other)
}

fn open(target: &Target) -> std::io::Result<(OwnedFd, Peer)> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let (socket, peer, connected) = match target {
        Target::Tcp(address) => {
            let family = if address.is_ipv4() {
                AddressFamily::INET
            } else {
                AddressFamily::INET6
            };
            let socket = socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))?;
            sockopt::set_tcp_nodelay(&socket, true)?;
            let connected = connect(&socket, address);
            (socket, Peer::of(Some(*address)), connected)
        }
        Target::Unix(path) => {
            let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
            let connected = connect(&socket, &SocketAddrUnix::new(path)?);
            (socket, Peer::Unix, connected)
        }
    };
    match connected {
        Ok(()) | Err(Errno::INPROGRESS) => Ok((socket, peer)),
        Err(error) => Err(error.into()),
    }
}
