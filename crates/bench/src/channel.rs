//! What bytes go through: a socket, or a socket behind TLS.
//!
//! Certificates are not verified: who measures a server knows which one it is, and the load must not depend on it.

use std::cell::Cell;
use std::io::{self, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use nix::cmsg_space;
use nix::sys::socket::sockopt::ReceiveTimestampns;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt};
use nix::sys::time::{TimeSpec, TimeValLike};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};

use crate::failure::Failure;

/// See the module.
pub(crate) struct Channel {
    socket: Socket,
    tls: Option<Box<ClientConnection>>,
}

impl Channel {
    pub(crate) fn plain(socket: OwnedFd) -> Self {
        Self {
            socket: Socket::new(socket),
            tls: None,
        }
    }

    pub(crate) fn secure(
        socket: OwnedFd,
        config: &Arc<ClientConfig>,
        name: &ServerName<'static>,
    ) -> Result<Self, Failure> {
        let mut session = ClientConnection::new(Arc::clone(config), name.clone())
            .map_err(|error| Failure::Options(error.to_string()))?;
        session.set_buffer_limit(None);
        Ok(Self {
            socket: Socket::new(socket),
            tls: Some(Box::new(session)),
        })
    }

    /// Whether a read may leave something behind although it did not fill the buffer.
    pub(crate) fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// From now on the kernel's time of arrival is kept of what is received.
    pub(crate) fn stamp(&self) -> Result<(), Failure> {
        setsockopt(&self.socket.descriptor, ReceiveTimestampns, &true)
            .map_err(|error| Failure::system("cannot ask for times of arrival")(plain(error)))?;
        self.socket.is_stamped.set(true);
        Ok(())
    }

    /// When what was received last had arrived, in nanoseconds since the epoch of Unix.
    pub(crate) fn arrived_ns(&self) -> u64 {
        self.socket.arrived_ns.get()
    }

    /// As send(2); what TLS has taken and the socket has not is sent by [`Channel::flush`].
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<usize, Errno> {
        let Some(tls) = &mut self.tls else {
            return send(&self.socket.descriptor, bytes, SendFlags::NOSIGNAL);
        };
        if tls.wants_write() && !write(tls, &self.socket)? && !tls.is_handshaking() {
            return Err(Errno::AGAIN);
        }
        let taken = tls.writer().write(bytes).map_err(|error| errno(&error))?;
        write(tls, &self.socket)?;
        Ok(taken)
    }

    /// Sends what is left of earlier calls; `false`: the socket is full.
    pub(crate) fn flush(&mut self) -> Result<bool, Errno> {
        match &mut self.tls {
            Some(tls) => write(tls, &self.socket),
            None => Ok(true),
        }
    }

    /// As recv(2).
    pub(crate) fn recv(&mut self, buffer: &mut [u8]) -> Result<usize, Errno> {
        let Some(tls) = &mut self.tls else {
            return self.socket.recv(buffer);
        };
        loop {
            match tls.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
                other => return other.map_err(|error| errno(&error)),
            }
            if tls
                .read_tls(&mut Wire(&self.socket))
                .map_err(|error| errno(&error))?
                == 0
            {
                return Ok(0);
            }
            let processed = tls.process_new_packets();
            write(tls, &self.socket)?;
            processed.map_err(|_| Errno::PROTO)?;
        }
    }
}

impl AsMut<Channel> for Channel {
    fn as_mut(&mut self) -> &mut Channel {
        self
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.descriptor.as_fd()
    }
}

fn write(tls: &mut ClientConnection, socket: &Socket) -> Result<bool, Errno> {
    while tls.wants_write() {
        match tls
            .write_tls(&mut Wire(socket))
            .map_err(|error| errno(&error))
        {
            Ok(_) | Err(Errno::INTR) => {}
            Err(Errno::AGAIN | Errno::NOTCONN) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

fn errno(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(match error.kind() {
        io::ErrorKind::WouldBlock => Errno::AGAIN,
        _ => Errno::PROTO,
    })
}

/// A socket that can say when what it received had arrived.
struct Socket {
    descriptor: OwnedFd,
    is_stamped: Cell<bool>,
    arrived_ns: Cell<u64>,
}

impl Socket {
    fn new(descriptor: OwnedFd) -> Self {
        Self {
            descriptor,
            is_stamped: Cell::new(false),
            arrived_ns: Cell::new(0),
        }
    }

    fn recv(&self, buffer: &mut [u8]) -> Result<usize, Errno> {
        if !self.is_stamped.get() {
            return recv(&self.descriptor, buffer, RecvFlags::empty()).map(|(length, _)| length);
        }
        let mut control = cmsg_space!(TimeSpec);
        let mut slices = [IoSliceMut::new(buffer)];
        let descriptor = self.descriptor.as_raw_fd();
        let flags = MsgFlags::empty();
        let message = recvmsg::<()>(descriptor, &mut slices, Some(&mut control), flags);
        let message = message.map_err(plain)?;
        for control in message.cmsgs().map_err(plain)? {
            if let ControlMessageOwned::ScmTimestampns(time) = control {
                self.arrived_ns.set(time.num_nanoseconds() as u64);
            }
        }
        Ok(message.bytes)
    }
}

fn plain(error: nix::errno::Errno) -> Errno {
    Errno::from_raw_os_error(error as i32)
}

/// The socket as rustls wants it.
struct Wire<'a>(&'a Socket);

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(self.0.recv(buffer)?)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(send(&self.0.descriptor, bytes, SendFlags::NOSIGNAL)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A client that believes anybody and resumes nothing, so that every handshake costs the same.
pub(crate) fn config() -> Arc<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(Anybody(Arc::clone(&provider)));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring knows both versions")
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    Arc::new(config)
}

#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
