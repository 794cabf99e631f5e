//! Where the load goes: a `ws://`, `wss://` or `http://` URL taken apart, and sockets that connect to it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, ToSocketAddrs};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::io::Errno;
use rustix::net::sockopt::{set_tcp_congestion, set_tcp_nodelay};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use crate::channel::{self, Channel};
use crate::failure::Failure;

/// A source address has some 28,000 ports; this many of them are used before the next address takes over.
const CONNECTIONS_PER_SOURCE: usize = 25_000;

/// A parsed and resolved URL.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// For the `Host` field.
    pub(crate) host: String,
    /// Path and query.
    pub(crate) resource: String,
    /// For `wss://`.
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

impl Target {
    pub(crate) fn parse(url: &str) -> Result<Self, Failure> {
        let wrong = |what: &str| Failure::Options(format!("{what}: {url}"));
        let known = [("ws", false), ("http", false), ("wss", true)];
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let (_, is_secure) = known
            .into_iter()
            .find(|(name, _)| *name == scheme)
            .ok_or_else(|| wrong("not a ws://, wss:// or http:// URL"))?;
        let (host, path) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let has_port = host
            .rsplit_once(':')
            .is_some_and(|(_, port)| !port.ends_with(']'));
        let resolved = if has_port {
            host.to_socket_addrs()
        } else {
            let port = if is_secure { 443 } else { 80 };
            format!("{host}:{port}").to_socket_addrs()
        };
        let addresses: Vec<SocketAddr> = resolved
            .map_err(|error| wrong(&format!("unknown host ({error})")))?
            .collect();
        let address = addresses
            .iter()
            .find(|address| address.is_ipv4())
            .or(addresses.first())
            .ok_or_else(|| wrong("unknown host"))?;
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Self {
            address: *address,
            host: host.to_owned(),
            resource: format!("{slash}{path}"),
            // Whoever the name belongs to, the certificate is not looked at.
            tls: is_secure.then(|| (channel::config(), ServerName::from(address.ip()))),
        })
    }

    /// A connection on its way to the server.
    pub(crate) fn open(&self, number: usize) -> Result<Channel, Failure> {
        let socket = self.connect(number)?;
        match &self.tls {
            None => Ok(Channel::plain(socket)),
            Some((config, name)) => Channel::secure(socket, config, name),
        }
    }

    /// A socket on its way to the server; `number` spreads many of them over source addresses.
    pub(crate) fn connect(&self, number: usize) -> Result<OwnedFd, Failure> {
        let family = match self.address {
            SocketAddr::V4(_) => AddressFamily::INET,
            SocketAddr::V6(_) => AddressFamily::INET6,
        };
        let mut source = number / CONNECTIONS_PER_SOURCE;
        loop {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            let socket = socket_with(family, SocketType::STREAM, flags, None)
                .map_err(Failure::system("cannot open a socket"))?;
            if source > 0 {
                let address = self.source(source)?;
                bind(&socket, &address).map_err(Failure::system("cannot bind a source address"))?;
            }
            match connect(&socket, &self.address) {
                Ok(()) | Err(Errno::INPROGRESS) => return Ok(socket),
                // Every port of this source address is taken, be it by connections that have just ended.
                Err(Errno::ADDRNOTAVAIL) if source < 250 => source += 1,
                Err(error) => return Err(Failure::system("cannot connect")(error)),
            }
        }
    }

    /// Prepares a connection for many messages.
    pub(crate) fn tune(&self, socket: impl AsFd) -> Result<(), Failure> {
        if self.address.ip().is_loopback() {
            // The usual choices pace what is sent, for the sake of networks; here that only delays the load.
            let _ = set_tcp_congestion(&socket, "reno");
        }
        set_tcp_nodelay(socket, true).map_err(Failure::system("cannot set TCP_NODELAY"))
    }

    /// All of 127.0.0.0/8 is this machine.
    fn source(&self, index: usize) -> Result<SocketAddrV4, Failure> {
        match self.address.ip() {
            IpAddr::V4(ip) if ip.is_loopback() => {
                let [_, _, high, low] = (index as u32 + 1).to_be_bytes();
                Ok(SocketAddrV4::new(Ipv4Addr::new(127, 0, high, low), 0))
            }
            _ => Err(Failure::Options(format!(
                "more than {CONNECTIONS_PER_SOURCE} connections only to 127.0.0.1"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let target = Target::parse("ws://127.0.0.1:81/a/b?c=d").unwrap();
        assert_eq!(target.address, "127.0.0.1:81".parse().unwrap());
        assert_eq!(
            (&*target.host, &*target.resource),
            ("127.0.0.1:81", "/a/b?c=d")
        );
        let target = Target::parse("ws://[::1]").unwrap();
        assert_eq!(target.address, "[::1]:80".parse().unwrap());
        assert_eq!((&*target.host, &*target.resource), ("[::1]", "/"));
        let target = Target::parse("ws://[::1]:9?x").unwrap();
        assert_eq!((&*target.host, &*target.resource), ("[::1]:9", "/?x"));
        let target = Target::parse("wss://127.0.0.1/").unwrap();
        assert_eq!(target.address, "127.0.0.1:443".parse().unwrap());
        assert!(Target::parse("https://127.0.0.1/").is_err());
        assert!(Target::parse("ws:///x").is_err());
    }
}
