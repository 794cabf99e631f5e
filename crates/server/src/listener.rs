//! Listening sockets: TCP over IPv4 and IPv6, Unix sockets, descriptors inherited from a supervisor.

use std::fs;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::reactor;
use crate::tls::TlsContext;

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Host (name or number) and port; port 0 lets the system choose.
    Tcp(String, u16),
    /// A path in the file system.
    Unix(PathBuf),
    /// A descriptor that is already bound.
    Inherited(RawFd),
}

impl Address {
    /// Reads `tcp://HOST:PORT`, `unix:PATH` and `fd:N`.
    ///
    /// # Errors
    /// A sentence that names what was found.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Self::Unix(PathBuf::from(path)));
        }
        if let Some(number) = text.strip_prefix("fd:") {
            return number
                .parse()
                .map(Self::Inherited)
                .map_err(|_| format!("not a descriptor: {number:?}"));
        }
        let rest = text.strip_prefix("tcp://").unwrap_or(text);
        let (host, port) = rest
            .rsplit_once(':')
            .ok_or_else(|| format!("no port in address: {text:?}"))?;
        let port = port.parse().map_err(|_| format!("not a port: {port:?}"))?;
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        Ok(Self::Tcp(host.to_owned(), port))
    }
}

/// A socket that listens.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    /// Removed from the file system when we stop.
    path: Option<PathBuf>,
    group: u8,
    tls: Option<Arc<TlsContext>>,
    proxied: bool,
}

impl Listener {
    /// Binds and listens.
    ///
    /// # Errors
    /// The system's, such as an address in use.
    pub fn bind(address: &Address, backlog: i32) -> io::Result<Self> {
        let (socket, path) = match address {
            Address::Tcp(host, port) => (bind_tcp(host, *port)?, None),
            Address::Unix(path) => (bind_unix(path)?, Some(path.clone())),
            Address::Inherited(fd) => (inherit(*fd)?, None),
        };
        socket.set_nonblocking(true)?;
        if socket.local_addr()?.as_socket().is_some() {
            // Accepted sockets inherit it: one system call less for each.
            socket.set_tcp_nodelay(true)?;
        }
        socket.listen(backlog)?;
        Ok(Self {
            socket,
            path,
            group: 0,
            tls: None,
            proxied: false,
        })
    }

    /// The same, its connections being of this group: what a server offers to one group, it does not offer to another.
    #[must_use]
    pub fn in_group(mut self, group: u8) -> Self {
        self.group = group;
        self
    }

    /// The group of its connections; 0 unless [`Listener::in_group`] said otherwise.
    pub fn group(&self) -> u8 {
        self.group
    }

    /// Whoever connects here speaks TLS.
    #[must_use]
    pub fn with_tls(mut self, context: Arc<TlsContext>) -> Self {
        self.tls = Some(context);
        self
    }

    /// Whoever connects here is a proxy, and says for whom in a PROXY header.
    #[must_use]
    pub fn behind_proxy(mut self) -> Self {
        self.proxied = true;
        self
    }

    pub(crate) fn is_behind_proxy(&self) -> bool {
        self.proxied
    }

    pub(crate) fn tls(&self) -> Option<&Arc<TlsContext>> {
        self.tls.as_ref()
    }

    /// The address as [`Address::parse`] reads it, with the port that the system chose.
    ///
    /// # Errors
    /// The system's.
    pub fn address(&self) -> io::Result<String> {
        let address = self.socket.local_addr()?;
        Ok(match (address.as_socket(), address.as_pathname()) {
            (Some(address), _) => format!("tcp://{address}"),
            (None, Some(path)) => format!("unix:{}", path.display()),
            (None, None) => "unix:".to_owned(),
        })
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // Somebody else may have taken the name away already; there is nobody left to tell.
            let _ = fs::remove_file(path);
        }
    }
}

fn bind_tcp(host: &str, port: u16) -> io::Result<Socket> {
    let mut last = None;
    for address in (host, port).to_socket_addrs()? {
        match try_bind(address) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| {
        io::Error::new(io::ErrorKind::AddrNotAvailable, "the host has no address")
    }))
}

fn try_bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    if let SocketAddr::V6(v6) = address {
        // [::] serves both families; any other address serves its own.
        socket.set_only_v6(!v6.ip().is_unspecified())?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

fn bind_unix(path: &Path) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    let address = SockAddr::unix(path)?;
    match socket.bind(&address) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_abandoned(path, &address) => {
            fs::remove_file(path)?;
            socket.bind(&address)?;
        }
        other => other?,
    }
    Ok(socket)
}

/// Whether a socket file is left of a server that is gone: nobody answers there.
fn is_abandoned(path: &Path, address: &SockAddr) -> bool {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    let answers =
        Socket::new(Domain::UNIX, Type::STREAM, None).and_then(|probe| probe.connect(address));
    is_socket && answers.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

fn inherit(fd: RawFd) -> io::Result<Socket> {
    let socket = Socket::from(reactor::adopt(fd)?);
    // Fails with ENOTSOCK for anything but a socket.
    socket.local_addr()?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_written() {
        let tcp = |host: &str, port| Ok(Address::Tcp(host.to_owned(), port));
        assert_eq!(Address::parse("tcp://127.0.0.1:80"), tcp("127.0.0.1", 80));
        assert_eq!(Address::parse("[::1]:0"), tcp("::1", 0));
        assert_eq!(
            Address::parse("unix:/run/x"),
            Ok(Address::Unix("/run/x".into()))
        );
        assert_eq!(Address::parse("fd:3"), Ok(Address::Inherited(3)));
        for wrong in ["localhost", "a:b", "fd:x", "1.2.3.4:70000"] {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_abandoned_socket_file_is_taken_over_and_a_live_one_is_not() {
        let path = std::env::temp_dir().join(format!("hubbub-listener-{}", std::process::id()));
        let address = Address::Unix(path.clone());
        let mut first = Listener::bind(&address, 1).expect("free");
        assert_eq!(
            Listener::bind(&address, 1).expect_err("in use").kind(),
            io::ErrorKind::AddrInUse
        );
        first.path = None;
        drop(first);
        drop(Listener::bind(&address, 1).expect("abandoned"));
        assert!(!path.exists());
    }

    #[test]
    fn a_descriptor_that_is_not_open_is_refused() {
        let error = Listener::bind(&Address::Inherited(19_998), 1).expect_err("not open");
        assert_eq!(
            error.raw_os_error(),
            Some(rustix::io::Errno::BADF.raw_os_error())
        );
    }
}
