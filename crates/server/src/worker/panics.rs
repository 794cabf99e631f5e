//! Panics while a peer's bytes are looked at, provoked as nothing in a shipped build can provoke them.
//!
//! No peer is known to be able to; that one who could would hurt nobody else is tested here.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use hubbub_protocol::handshake::examine;
use hubbub_protocol::http::{Refusal, Request};

use super::{Inbox, Worker};
use crate::event::{ClosedBy, Event};
use crate::listener::{Address, Listener};
use crate::settings::{Settings, Threads};
use crate::workers::Workers;
use crate::{Accept, Sent};

/// What a peer says, unmasked, to meet a panic.
const TRIGGER: &[u8] = b"a fault in a parser";
const PATIENCE: Duration = Duration::from_secs(20);
const OPENING: &[u8] =
    b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

impl Worker {
    /// Stands where received bytes are worked on.
    pub(super) fn meet_trigger(received: &[u8]) {
        let met = received
            .windows(TRIGGER.len())
            .any(|window| window == TRIGGER);
        assert!(!met, "provoked");
    }
}

/// A text frame whose masking changes nothing.
fn frame(text: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81, 0x80 | text.len() as u8, 0, 0, 0, 0];
    frame.extend_from_slice(text);
    frame
}

/// An echo, and what became of its connections.
struct Echo {
    workers: Workers,
    inbox: Inbox,
    address: String,
    ended: Vec<(u16, ClosedBy)>,
}

impl Echo {
    fn new(threads: usize) -> Self {
        let threads = Threads {
            count: threads,
            ..Threads::default()
        };
        let mut workers = Workers::new(Settings::default(), threads).expect("workers");
        let listener = Listener::bind(&Address::Tcp("127.0.0.1".into(), 0), 16).expect("a port");
        let address = listener.address().expect("bound").replace("tcp://", "");
        workers.listen(listener).expect("listens");
        Self {
            workers,
            inbox: Inbox::default(),
            address,
            ended: Vec::new(),
        }
    }

    fn serve(&mut self, mut is_done: impl FnMut(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_done(self) {
            assert!(Instant::now() < end, "it takes too long");
            let (mut ready, timeout) = self.workers.begin_wait(Some(Duration::from_millis(10)));
            ready.wait(self.workers.epoll(), timeout).expect("a wait");
            self.workers.end_wait(ready);
            assert_eq!(self.workers.take_failure(), None);
            while let Some(event) = self.workers.next(&mut self.inbox) {
                match event {
                    Event::Request { id, head, .. } => {
                        let limits = self.workers.settings().kept_head();
                        let request = Request::parse(&head, &limits).expect("parsed before");
                        match examine(&request) {
                            Ok(Some(offer)) => {
                                let accepted = self.workers.accept(id, &offer, &Accept::default());
                                assert_eq!(accepted, Ok(true));
                            }
                            _ => self.workers.refuse(id, &Refusal::upgrade_required()),
                        }
                    }
                    Event::Message { id, kind, payload } => {
                        assert_eq!(self.workers.send(id, kind, &payload), Sent::Queued);
                    }
                    Event::Closed { ending, .. } => self.ended.push((ending.code, ending.by)),
                    _ => {}
                }
            }
        }
    }

    fn open(&mut self) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        stream.write_all(OPENING).expect("an opening");
        let head = self.hear(&mut stream, |heard| heard.ends_with(b"\r\n\r\n"));
        assert!(head.starts_with(b"HTTP/1.1 101"));
        stream
    }

    /// Serves until what a peer has heard is enough, or its connection has ended.
    fn hear(&mut self, stream: &mut TcpStream, is_enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        stream.set_nonblocking(true).expect("a socket");
        let mut heard = Vec::new();
        self.serve(|_| {
            let mut buffer = [0; 1024];
            match stream.read(&mut buffer) {
                Ok(0) => return true,
                Ok(len) => heard.extend_from_slice(&buffer[..len]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return true,
            }
            is_enough(&heard)
        });
        heard
    }
}

fn one_connection_pays(threads: usize) {
    let mut echo = Echo::new(threads);
    let mut others: Vec<TcpStream> = (0..8).map(|_| echo.open()).collect();
    for round in 1..=3 {
        let mut guilty = echo.open();
        let mut first_word = frame(b"first");
        first_word.extend(frame(TRIGGER));
        guilty.write_all(&first_word).expect("room");
        let last_words = echo.hear(&mut guilty, |_| false);
        assert!(last_words.is_empty() || last_words == [0x88, 2, 0x03, 0xf3]);
        echo.serve(|echo| echo.ended.len() == round && echo.workers.stats().panics == round as u64);
        assert_eq!(echo.ended[round - 1], (1011, ClosedBy::Server));
        for other in &mut others {
            other.write_all(&frame(b"still here")).expect("room");
            let heard = echo.hear(other, |heard| heard.len() == 12);
            assert_eq!(heard, b"\x81\x0astill here");
        }
    }
    assert_eq!(echo.workers.connection_count(), others.len());
    drop(others);
    echo.serve(|echo| echo.workers.connection_count() == 0);
    assert_eq!(echo.workers.held_bytes(), 0);
}

#[test]
fn a_panic_costs_one_connection() {
    one_connection_pays(0);
}

#[test]
fn a_panic_in_a_thread_costs_one_connection() {
    one_connection_pays(2);
}

#[test]
fn a_panic_over_a_head_costs_one_connection() {
    let mut echo = Echo::new(0);
    let mut other = echo.open();
    let mut guilty = TcpStream::connect(&echo.address).expect("a connection");
    guilty.write_all(b"GET /a fault in a parser").expect("room");
    assert_eq!(echo.hear(&mut guilty, |_| false), b"");
    assert_eq!(echo.workers.stats().panics, 1);
    other.write_all(&frame(b"x")).expect("room");
    assert_eq!(
        echo.hear(&mut other, |heard| heard.len() == 3),
        b"\x81\x01x"
    );
}
