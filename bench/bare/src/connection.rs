//! One socket and the little that is kept about it.

use std::os::fd::OwnedFd;

use rustix::buffer::spare_capacity;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use crate::frame::{Found, Frame};
use crate::handshake::Service;
use crate::tls::Session;

/// What the next bytes of a connection are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Head,
    Open(Service),
    /// Close frame sent and write side shut: only the peer's end of file is waited for.
    Closing,
}

/// A connection. What only some need lies behind one pointer, so that idle ones cost nothing.
pub(crate) struct Connection {
    pub(crate) socket: OwnedFd,
    pub(crate) stage: Stage,
    pub(crate) subscription: u32,
    rest: Option<Box<Rest>>,
    tls: Option<Box<Session>>,
}

/// Buffers that all connections use in turn.
pub(crate) struct Buffers {
    pub(crate) plain: Vec<u8>,
    pub(crate) cipher: Vec<u8>,
    pub(crate) sealed: Vec<u8>,
}

/// Where the bytes of a `receive` lie.
pub(crate) enum Received {
    Shared(usize),
    Own(Vec<u8>),
    End,
}

#[derive(Default)]
struct Rest {
    /// The beginning of a frame whose end has not arrived.
    received: Vec<u8>,
    /// What the socket would not take.
    unsent: Vec<u8>,
}

impl Connection {
    pub(crate) fn new(socket: OwnedFd, tls: Option<Session>) -> Self {
        Self {
            socket,
            stage: Stage::Head,
            subscription: 0,
            rest: None,
            tls: tls.map(Box::new),
        }
    }

    /// One `recv`: into the shared buffer, or behind the beginning of a frame that has been kept.
    pub(crate) fn receive(&mut self, buffers: &mut Buffers) -> Received {
        if self.tls.is_some() {
            return self.receive_sealed(buffers);
        }
        let shared = &mut buffers.plain[..];
        let kept = self
            .rest
            .as_mut()
            .map(|rest| std::mem::take(&mut rest.received))
            .unwrap_or_default();
        if kept.is_empty() {
            return match recv(&self.socket, &mut *shared, RecvFlags::empty()) {
                Ok((0, _)) => Received::End,
                Ok((length, _)) => Received::Shared(self.receive_rest(shared, length)),
                Err(Errno::AGAIN | Errno::INTR) => Received::Shared(0),
                Err(_) => Received::End,
            };
        }
        let mut own = kept;
        match recv(&self.socket, spare_capacity(&mut own), RecvFlags::empty()) {
            Ok((0, _)) => Received::End,
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Received::Own(own),
            Err(_) => Received::End,
        }
    }

    /// The same through TLS: the plaintext is always laid into the shared buffer.
    fn receive_sealed(&mut self, buffers: &mut Buffers) -> Received {
        let Buffers {
            plain,
            cipher,
            sealed,
        } = buffers;
        let Some(tls) = &mut self.tls else {
            return Received::End;
        };
        let begun = tls.begin(cipher);
        let end = match recv(&self.socket, &mut cipher[begun..], RecvFlags::empty()) {
            Ok((0, _)) => return Received::End,
            Ok((length, _)) => begun + length,
            Err(Errno::AGAIN | Errno::INTR) => begun,
            Err(_) => return Received::End,
        };
        let mut kept = 0;
        if let Some(rest) = &mut self.rest {
            kept = rest.received.len();
            plain[..kept].copy_from_slice(&rest.received);
            rest.received = Vec::new();
        }
        let Some(opened) = tls.open(&mut cipher[..end], &mut plain[kept..], sealed) else {
            return Received::End;
        };
        if opened.answer > 0 {
            self.transmit(&sealed[..opened.answer]);
        }
        Received::Shared(kept + opened.plain)
    }

    /// A long frame comes in several segments, and the last ones are often just arriving: looking once more costs less
    /// than keeping the first ones.
    fn receive_rest(&self, shared: &mut [u8], length: usize) -> usize {
        match Frame::find(&shared[..length], 0) {
            Found::Partial(Some(size))
                if matches!(self.stage, Stage::Open(_)) && size <= shared.len() =>
            {
                match recv(&self.socket, &mut shared[length..], RecvFlags::empty()) {
                    Ok((more, _)) => length + more,
                    Err(_) => length,
                }
            }
            _ => length,
        }
    }

    /// Keeps the beginning of a frame of `size` bytes, where that is known, for the next `receive`.
    pub(crate) fn keep(&mut self, bytes: &[u8], size: Option<usize>) {
        let received = &mut self.rest.get_or_insert_default().received;
        received.reserve_exact(size.unwrap_or(bytes.len() + 4096));
        received.extend_from_slice(bytes);
    }

    /// One `send`, through `sealed` where TLS is spoken. Tells whether all is gone; the rest waits for `flush`.
    pub(crate) fn send(&mut self, bytes: &[u8], sealed: &mut [u8]) -> bool {
        let Some(tls) = &mut self.tls else {
            return self.transmit(bytes);
        };
        match tls.seal(bytes, sealed) {
            Some(length) => self.transmit(&sealed[..length]),
            None => true,
        }
    }

    fn transmit(&mut self, bytes: &[u8]) -> bool {
        if self.has_unsent() {
            self.rest
                .get_or_insert_default()
                .unsent
                .extend_from_slice(bytes);
            return false;
        }
        let sent = match send(&self.socket, bytes, SendFlags::NOSIGNAL) {
            Ok(sent) => sent,
            Err(Errno::AGAIN) => 0,
            // The peer is gone; the reading side will find out.
            Err(_) => return true,
        };
        if sent == bytes.len() {
            return true;
        }
        self.rest
            .get_or_insert_default()
            .unsent
            .extend_from_slice(&bytes[sent..]);
        false
    }

    /// Sends what had to wait. Tells whether all is gone.
    pub(crate) fn flush(&mut self) -> bool {
        let Some(rest) = &mut self.rest else {
            return true;
        };
        match send(&self.socket, &rest.unsent, SendFlags::NOSIGNAL) {
            Ok(sent) => drop(rest.unsent.drain(..sent)),
            Err(Errno::AGAIN) => {}
            Err(_) => rest.unsent.clear(),
        }
        rest.unsent.is_empty()
    }

    pub(crate) fn has_unsent(&self) -> bool {
        self.rest
            .as_ref()
            .is_some_and(|rest| !rest.unsent.is_empty())
    }
}
