//! The loop: wait, receive, answer, publish.
//!
//! Level-triggered, one `recv` and one `send` per readable connection and turn, one `send` per subscriber and turn.
//! No limits, no timeouts, no checks.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, Event, EventData, EventFlags};
use rustix::io::{Errno, Result};
use rustix::net::sockopt::{set_socket_reuseaddr, set_tcp_nodelay};
use rustix::net::{
    AddressFamily, Shutdown, SocketFlags, SocketType, accept_with, bind, getsockname, listen,
    shutdown, socket_with,
};
use rustls::ServerConfig;

use crate::connection::{Buffers, Connection, Received, Stage};
use crate::frame::{CLOSE, Found, Frame, PING, PONG};
use crate::handshake::{self, Service};
use crate::tls::Session;

const BUFFER_BYTES: usize = 512 * 1024;
/// Ciphertext of one read: less than a buffer of plaintext, which may hold the beginning of a frame already.
const CIPHER_BYTES: usize = 256 * 1024;
const EVENTS_PER_TURN: usize = 1024;
const ACCEPTS_PER_TURN: usize = 64;

pub(crate) struct Server {
    poll: OwnedFd,
    listener: OwnedFd,
    /// By descriptor: the kernel gives the lowest free number, so this stays dense.
    connections: Vec<Option<Connection>>,
    subscribers: Vec<u32>,
    /// Frames published in this turn.
    published: Vec<u8>,
    buffers: Buffers,
    tls: Option<Arc<ServerConfig>>,
}

impl Server {
    pub(crate) fn bind(port: u16, tls: Option<Arc<ServerConfig>>) -> Result<Self> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let listener = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        set_socket_reuseaddr(&listener, true)?;
        // Accepted sockets inherit it: one system call less for each.
        set_tcp_nodelay(&listener, true)?;
        bind(&listener, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))?;
        listen(&listener, 4096)?;
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&poll, &listener, token(&listener), EventFlags::IN)?;
        Ok(Self {
            poll,
            listener,
            connections: Vec::new(),
            subscribers: Vec::new(),
            published: Vec::new(),
            buffers: Buffers {
                plain: vec![0; BUFFER_BYTES],
                cipher: vec![0; if tls.is_some() { CIPHER_BYTES } else { 0 }],
                sealed: vec![0; if tls.is_some() { BUFFER_BYTES } else { 0 }],
            },
            tls,
        })
    }

    pub(crate) fn port(&self) -> Result<u16> {
        Ok(SocketAddrV4::try_from(getsockname(&self.listener)?)?.port())
    }

    pub(crate) fn run(mut self) -> Result<()> {
        let mut events: Vec<Event> = Vec::with_capacity(EVENTS_PER_TURN);
        loop {
            events.clear();
            match epoll::wait(&self.poll, spare_capacity(&mut events), None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
            for event in &events {
                let Event { flags, data } = *event;
                let number = data.u64() as usize;
                if number == self.listener.as_raw_fd() as usize {
                    self.accept()?;
                } else if flags.contains(EventFlags::OUT) {
                    self.flush(number)?;
                } else {
                    self.receive(number)?;
                }
            }
            self.deliver()?;
        }
    }

    fn accept(&mut self) -> Result<()> {
        for _ in 0..ACCEPTS_PER_TURN {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            let socket = match accept_with(&self.listener, flags) {
                Ok(socket) => socket,
                Err(Errno::AGAIN | Errno::CONNABORTED | Errno::INTR) => break,
                Err(error) => return Err(error),
            };
            let number = socket.as_raw_fd() as usize;
            epoll::add(&self.poll, &socket, token(&socket), EventFlags::IN)?;
            if self.connections.len() <= number {
                self.connections.resize_with(number + 1, || None);
            }
            let session = self
                .tls
                .as_ref()
                .and_then(|config| Session::new(config).ok());
            self.connections[number] = Some(Connection::new(socket, session));
        }
        Ok(())
    }

    fn receive(&mut self, number: usize) -> Result<()> {
        let Some(connection) = &mut self.connections[number] else {
            return Ok(());
        };
        let mut own;
        let mut bytes = match connection.receive(&mut self.buffers) {
            Received::Shared(length) => &mut self.buffers.plain[..length],
            Received::Own(vector) => {
                own = vector;
                &mut own[..]
            }
            Received::End => return self.drop_connection(number),
        };
        if connection.stage == Stage::Head {
            let Some(end) = handshake::find_end(bytes) else {
                connection.keep(bytes, None);
                return Ok(());
            };
            let mut answer = Vec::with_capacity(160);
            let Some(service) = handshake::accept(&bytes[..end], &mut answer) else {
                connection.send(
                    b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                    &mut self.buffers.sealed,
                );
                return self.drop_connection(number);
            };
            connection.send(&answer, &mut self.buffers.sealed);
            connection.stage = Stage::Open(service);
            if service == Service::Fan {
                connection.subscription = self.subscribers.len() as u32;
                self.subscribers.push(number as u32);
            }
            bytes = &mut bytes[end..];
        }
        let Stage::Open(service) = connection.stage else {
            return Ok(());
        };
        let sealed = &mut self.buffers.sealed;
        let closing = answer_all(connection, service, bytes, sealed, &mut self.published);
        if connection.has_unsent() {
            let socket = &connection.socket;
            epoll::modify(&self.poll, socket, token(socket), EventFlags::OUT)?;
        } else if closing {
            shutdown(&connection.socket, Shutdown::Write)?;
        }
        if closing {
            connection.stage = Stage::Closing;
            if service == Service::Fan {
                self.unsubscribe(number);
            }
        }
        Ok(())
    }

    fn flush(&mut self, number: usize) -> Result<()> {
        let Some(connection) = &mut self.connections[number] else {
            return Ok(());
        };
        if connection.flush() {
            let socket = &connection.socket;
            epoll::modify(&self.poll, socket, token(socket), EventFlags::IN)?;
            if connection.stage == Stage::Closing {
                shutdown(socket, Shutdown::Write)?;
            }
        }
        Ok(())
    }

    /// Everything published in this turn, to everybody, in one `send` each.
    fn deliver(&mut self) -> Result<()> {
        if self.published.is_empty() {
            return Ok(());
        }
        for number in &self.subscribers {
            let Some(connection) = &mut self.connections[*number as usize] else {
                continue;
            };
            let waited = connection.has_unsent();
            if !connection.send(&self.published, &mut self.buffers.sealed) && !waited {
                let socket = &connection.socket;
                epoll::modify(&self.poll, socket, token(socket), EventFlags::OUT)?;
            }
        }
        self.published.clear();
        Ok(())
    }

    fn unsubscribe(&mut self, number: usize) {
        let Some(connection) = &self.connections[number] else {
            return;
        };
        let place = connection.subscription as usize;
        self.subscribers.swap_remove(place);
        if let Some(moved) = self.subscribers.get(place)
            && let Some(other) = &mut self.connections[*moved as usize]
        {
            other.subscription = place as u32;
        }
    }

    fn drop_connection(&mut self, number: usize) -> Result<()> {
        if self.connections[number]
            .as_ref()
            .is_some_and(|connection| connection.stage == Stage::Open(Service::Fan))
        {
            self.unsubscribe(number);
        }
        // Closing the only descriptor takes it out of the epoll as well.
        self.connections[number] = None;
        Ok(())
    }
}

/// Answers every complete frame in `bytes` with one send; tells whether the last was a close frame.
fn answer_all(
    connection: &mut Connection,
    service: Service,
    bytes: &mut [u8],
    sealed: &mut [u8],
    published: &mut Vec<u8>,
) -> bool {
    let mut at = 0;
    let mut reply = None;
    let mut closing = false;
    while at < bytes.len() && !closing {
        let frame = match Frame::find(bytes, at) {
            Found::Complete(frame) => frame,
            Found::Partial(size) => {
                connection.keep(&bytes[at..], size);
                break;
            }
        };
        at = frame.end();
        let opcode = match frame.opcode() {
            PING => PONG,
            PONG => continue,
            opcode => opcode,
        };
        closing = opcode == CLOSE;
        let after = reply
            .as_ref()
            .map(|reply: &std::ops::Range<usize>| reply.end);
        let answer = frame.answer(bytes, opcode, after);
        if service == Service::Fan && opcode < CLOSE {
            published.extend_from_slice(&bytes[answer]);
        } else {
            let start = reply.map_or(answer.start, |reply| reply.start);
            reply = Some(start..answer.end);
        }
    }
    if let Some(reply) = reply {
        connection.send(&bytes[reply], sealed);
    }
    closing
}

fn token(socket: &OwnedFd) -> EventData {
    EventData::new_u64(socket.as_raw_fd() as u64)
}
