//! An echo made of a worker, that says batch by batch whom it has served; shared by the tests of turns and of reading ahead.

#![allow(dead_code)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use hubbub_protocol::handshake::examine;
use hubbub_protocol::http::{Request, Response};
use hubbub_server::{
    Accept, Address, ConnectionId, Event, Inbox, Listener, Sent, Settings, Worker,
};

const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const OPENING: &[u8] =
    b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
/// A text frame whose masking changes nothing.
pub(crate) fn frame(text: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81, 0x80 | text.len() as u8, 0, 0, 0, 0];
    frame.extend_from_slice(text);
    frame
}

/// An echo that says, batch by batch, whom it has served.
pub(crate) struct Echo {
    pub(crate) worker: Worker,
    pub(crate) inbox: Inbox,
    address: String,
}

impl Echo {
    pub(crate) fn new() -> Self {
        let mut worker = Worker::new(0, Settings::default()).expect("a worker");
        let listener = Listener::bind(&Address::Tcp("127.0.0.1".into(), 0), 1024).expect("a port");
        let address = listener.address().expect("bound").replace("tcp://", "");
        worker.listen(listener).expect("listens");
        Self {
            worker,
            inbox: Inbox::default(),
            address,
        }
    }

    /// One batch: who was served in it, once for each message and each request.
    pub(crate) fn batch(&mut self) -> Vec<ConnectionId> {
        self.wait();
        self.work_off(|_, _| ())
    }

    /// Waits until somebody is ready.
    pub(crate) fn wait(&mut self) {
        let (mut ready, timeout) = self.worker.begin_wait(Some(PATIENCE));
        ready.wait(self.worker.epoll(), timeout).expect("a wait");
        self.worker.end_wait(ready);
    }

    /// Works off what a wait has found. `meanwhile` may act after each message.
    pub(crate) fn work_off(
        &mut self,
        mut meanwhile: impl FnMut(&mut Worker, ConnectionId),
    ) -> Vec<ConnectionId> {
        let mut served = Vec::new();
        while let Some(event) = self.worker.next(&mut self.inbox) {
            match event {
                Event::Message { id, kind, payload } => {
                    assert_eq!(self.worker.send(id, kind, &payload), Sent::Queued);
                    served.push(id);
                    meanwhile(&mut self.worker, id);
                }
                Event::Request { id, head, .. } => {
                    let limits = self.worker.settings().kept_head();
                    let request = Request::parse(&head, &limits).expect("parsed before");
                    let offer = examine(&request).expect("well formed");
                    let answered = match offer {
                        Some(offer) => self.worker.accept(id, &offer, &Accept::default()),
                        None => self.worker.respond(
                            id,
                            &Response {
                                status: 200,
                                fields: &[],
                                body: b"yes",
                            },
                        ),
                    };
                    assert_eq!(answered, Ok(true));
                    served.push(id);
                }
                _ => {}
            }
        }
        served
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream
    }

    pub(crate) fn open(&mut self) -> (TcpStream, ConnectionId) {
        let mut stream = self.connect();
        stream.write_all(OPENING).expect("room");
        let id = loop {
            if let [id] = self.batch()[..] {
                break id;
            }
        };
        self.worker.flush();
        let mut head = [0; 4096];
        let len = stream.read(&mut head).expect("an answer");
        assert!(head[..len].starts_with(b"HTTP/1.1 101"));
        (stream, id)
    }

    /// Whether it would look for more without sleeping.
    pub(crate) fn is_awake(&self) -> bool {
        self.worker.next_deadline() == Some(Duration::ZERO)
    }
}
