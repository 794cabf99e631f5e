//! `tls_forwarder PORT CA.pem`: plain on one side, TLS on the other.
//!
//! Lets a client that knows no TLS test a server that speaks it, and costs little beside the two. Prints the plain port
//! that it listens at, leads every connection to the TLS port of this machine, and ends with its standard input.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

const BUFFER_BYTES: usize = 64 << 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, authority] = &arguments[..] else {
        return Err("usage: tls_forwarder PORT CA.pem".into());
    };
    let (port, config) = (port.parse()?, config(authority)?);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?.port());
    thread::spawn(move || {
        for plain in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            // Whatever ends a connection ends both of its halves; the one who tests sees that.
            thread::spawn(move || Pair::new(plain, port, config)?.run());
        }
    });
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

fn config(authority: &str) -> Result<Arc<ClientConfig>, Box<dyn std::error::Error>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(authority)? {
        roots.add(certificate?)?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// One connection: the client's socket, and the session with the server.
struct Pair {
    plain: TcpStream,
    server: TcpStream,
    session: ClientConnection,
    buffer: Vec<u8>,
    /// What the client's socket has not taken yet.
    owed: Vec<u8>,
    has_client_ended: bool,
    has_server_ended: bool,
}

impl Pair {
    fn new(plain: TcpStream, port: u16, config: Arc<ClientConfig>) -> io::Result<Self> {
        let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        for socket in [&plain, &server] {
            socket.set_nodelay(true)?;
            socket.set_nonblocking(true)?;
        }
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        let mut session = ClientConnection::new(config, name).map_err(io::Error::other)?;
        session.set_buffer_limit(None);
        Ok(Self {
            plain,
            server,
            session,
            buffer: vec![0; BUFFER_BYTES],
            owed: Vec::new(),
            has_client_ended: false,
            has_server_ended: false,
        })
    }

    fn run(&mut self) -> io::Result<()> {
        loop {
            self.write()?;
            // Neither side is read before the other has taken what was read last.
            let mut plain_flags = PollFlags::empty();
            let mut server_flags = PollFlags::empty();
            plain_flags.set(PollFlags::OUT, !self.owed.is_empty());
            server_flags.set(PollFlags::OUT, self.session.wants_write());
            let may_read = !self.has_client_ended && !self.session.wants_write();
            plain_flags.set(PollFlags::IN, may_read && !self.session.is_handshaking());
            let may_read = !self.has_server_ended && self.owed.is_empty();
            server_flags.set(PollFlags::IN, may_read);

            // Who is not waited for is not asked: the end of a connection is always reported.
            let mut sockets = Vec::with_capacity(2);
            for (socket, flags) in [(&self.plain, plain_flags), (&self.server, server_flags)] {
                if !flags.is_empty() {
                    sockets.push(PollFd::new(socket, flags));
                }
            }
            if sockets.is_empty() {
                return Ok(());
            }
            poll(&mut sockets, None)?;
            if plain_flags.contains(PollFlags::IN) {
                self.read_plain()?;
            }
            if server_flags.contains(PollFlags::IN) {
                self.read_server()?;
            }
        }
    }

    fn read_plain(&mut self) -> io::Result<()> {
        match found(self.plain.read(&mut self.buffer))? {
            Some(0) => {
                // The end of the one is the end of the other.
                self.has_client_ended = true;
                self.session.send_close_notify();
            }
            Some(length) => self.session.writer().write_all(&self.buffer[..length])?,
            None => {}
        }
        Ok(())
    }

    fn read_server(&mut self) -> io::Result<()> {
        let Some(length) = found(self.session.read_tls(&mut self.server))? else {
            return Ok(());
        };
        self.session
            .process_new_packets()
            .map_err(io::Error::other)?;
        self.has_server_ended = length == 0;
        while !self.has_server_ended {
            match found(self.session.reader().read(&mut self.buffer))? {
                Some(0) => self.has_server_ended = true,
                Some(length) => self.owed.extend_from_slice(&self.buffer[..length]),
                None => break,
            }
        }
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        while self.session.wants_write()
            && found(self.session.write_tls(&mut self.server))?.is_some()
        {}
        while !self.owed.is_empty() {
            let Some(written) = found(self.plain.write(&self.owed))? else {
                break;
            };
            self.owed.drain(..written);
        }
        if self.has_client_ended && !self.session.wants_write() {
            self.server.shutdown(Shutdown::Write)?;
        }
        if self.has_server_ended && self.owed.is_empty() {
            self.plain.shutdown(Shutdown::Write)?;
        }
        Ok(())
    }
}

/// What a call on a socket gave; `None`: nothing for now.
fn found(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            Ok(None)
        }
        other => other.map(Some),
    }
}
