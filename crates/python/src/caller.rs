//! Who asks: the peer of the socket, and what trusted proxies say about whom it speaks for.

use std::net::{IpAddr, SocketAddr};

use hubbub_protocol::http::{Forwarded, Request as Head};
use hubbub_server::{Caller, ConnectionId, Workers};

/// What a request tells of its sender, proxies taken into account.
#[derive(Clone)]
pub(crate) struct Sender {
    /// Nothing, if the connection was gone before anybody asked.
    caller: Option<Caller>,
    client: Option<SocketAddr>,
    tls: bool,
    host: Box<str>,
}

impl Sender {
    pub(crate) fn of(workers: &Workers, id: ConnectionId, head: &Head<'_>) -> Self {
        let caller = workers.caller(id);
        let limits = &workers.settings().limits;
        let forwarded = caller.map_or_else(Forwarded::default, |caller| {
            let address = caller.client.address();
            Forwarded::of(&head.fields, limits.spelling, address, &limits.trusted)
        });
        Self {
            caller,
            client: forwarded.client,
            tls: forwarded
                .tls
                .unwrap_or(caller.is_some_and(|caller| caller.tls)),
            host: forwarded.host.unwrap_or(head.host).into(),
        }
    }

    /// The other end of the socket: "127.0.0.1:5123", "[::1]:5123" or "unix".
    pub(crate) fn peer_text(&self) -> String {
        self.caller
            .map_or_else(String::new, |caller| caller.peer.to_string())
    }

    /// The client's address: "127.0.0.1", "::1" or "unix".
    pub(crate) fn client_text(&self) -> String {
        let address = self.client.map(|address| address.ip());
        match (address, self.caller) {
            (Some(address), _) => text(address),
            (None, Some(caller)) => caller
                .client
                .address()
                .map_or_else(|| "unix".to_owned(), text),
            (None, None) => String::new(),
        }
    }

    /// Whether the client came through TLS, to us or to the proxy in front of us.
    pub(crate) fn tls(&self) -> bool {
        self.tls
    }

    /// The host the client asked for, with its port if it named one.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }
}

fn text(address: IpAddr) -> String {
    address.to_canonical().to_string()
}
