//! Plain HTTP: the same GET over and over on connections that stay, every answer's status and length looked at.

use std::os::fd::OwnedFd;

use hubbub_protocol::http::{BodyReader, Framing};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use crate::crowd::Floor;
use crate::failure::Failure;
use crate::options::Options;
use crate::poll::Ready;
use crate::report::Report;
use crate::server::Server;
use crate::target::Target;
use crate::window::{Phase, Window};

/// A head longer than this is not one that a benchmark should meet.
const HEAD_BYTES: usize = 16 << 10;
/// How long an answer may take.
const PATIENCE_NS: u64 = 10_000_000_000;

pub(crate) fn run(
    options: &Options,
    depth: usize,
    target: &Target,
    server: Option<Server>,
    floor: &mut Floor,
) -> Result<Report, Failure> {
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\n\r\n",
        target.resource, target.host
    );
    let mut asker = Asker {
        requests: request.repeat(depth).into_bytes(),
        request_bytes: request.len(),
        length: None,
        window: Window::new(options, server, &floor.poll),
    };
    let mut lines = Vec::with_capacity(options.connections);
    for number in 0..options.connections {
        let socket = target.connect(number)?;
        floor.poll.add(&socket, number, true)?;
        lines.push(Line::new(socket, number, depth));
    }
    let mut last_ns = floor.poll.now();
    loop {
        let now = floor.poll.now();
        let phase = asker.window.advance(now, &floor.poll)?;
        if phase == Phase::Over {
            return Ok(asker.window.report(options));
        }
        if now - last_ns > PATIENCE_NS {
            return Err(Failure::Stalled {
                waiting_for: "an answer".to_owned(),
                seconds: (now - last_ns) as f64 / 1e9,
            });
        }
        let until = asker.window.next_ns().min(now + 100_000_000);
        for index in 0..floor.poll.turn(until)? {
            let ready = floor.poll.ready(index);
            if lines[ready.number].serve(ready, &mut asker, target, floor)? {
                last_ns = floor.poll.now();
            }
        }
    }
}

/// What all connections ask, and have been answered.
struct Asker {
    /// As many requests as may be under way, one behind the other.
    requests: Vec<u8>,
    request_bytes: usize,
    /// The length of the first answer: every other must have the same.
    length: Option<usize>,
    window: Window,
}

struct Line {
    socket: OwnedFd,
    number: usize,
    depth: usize,
    is_open: bool,
    /// When the requests that are unanswered were sent.
    asked_ns: u64,
    /// Of these, how many there are.
    waiting: usize,
    /// A head that has not come whole.
    head: Vec<u8>,
    /// The body that is coming.
    body: Option<BodyReader>,
    /// How much of it has come.
    body_bytes: usize,
}

impl Line {
    fn new(socket: OwnedFd, number: usize, depth: usize) -> Self {
        Self {
            socket,
            number,
            depth,
            is_open: false,
            asked_ns: 0,
            waiting: 0,
            head: Vec::new(),
            body: None,
            body_bytes: 0,
        }
    }

    /// Reads what has come, and asks again when all has been answered. Tells whether anything was.
    fn serve(
        &mut self,
        ready: Ready,
        asker: &mut Asker,
        target: &Target,
        floor: &mut Floor,
    ) -> Result<bool, Failure> {
        if !self.is_open {
            if ready.is_ended {
                return Err(self.closed("before it was open"));
            }
            self.is_open = true;
            target.tune(&self.socket)?;
            self.ask(asker, floor)?;
            return Ok(true);
        }
        let mut has_answers = false;
        loop {
            let length = match recv(&self.socket, &mut floor.buffer[..], RecvFlags::empty()) {
                Ok((0, _)) => return Err(self.closed("by the server")),
                Ok((length, _)) => length,
                Err(Errno::AGAIN) => return Ok(has_answers),
                Err(Errno::INTR) => continue,
                Err(error) => return Err(self.closed(&error.to_string())),
            };
            let now = floor.poll.now();
            let mut bytes = &mut floor.buffer[..length];
            while !bytes.is_empty() {
                let (taken, is_whole) = self.take(bytes, asker)?;
                bytes = &mut bytes[taken..];
                if is_whole {
                    has_answers = true;
                    self.waiting -= 1;
                    asker.window.record(1, self.asked_ns, now);
                }
            }
            if self.waiting == 0 {
                self.ask(asker, floor)?;
            }
        }
    }

    /// Takes a head, or what has come of a body. Tells how much that was, and whether an answer is whole now.
    fn take(&mut self, bytes: &mut [u8], asker: &mut Asker) -> Result<(usize, bool), Failure> {
        let mut taken = 0;
        if self.body.is_none() {
            let before = self.head.len();
            self.head
                .extend_from_slice(&bytes[..bytes.len().min(HEAD_BYTES)]);
            let Some(end) = find(&self.head, b"\r\n\r\n") else {
                if self.head.len() > HEAD_BYTES {
                    return Err(self.closed("a head without an end"));
                }
                return Ok((bytes.len(), false));
            };
            let framing = self.look_at(end)?;
            self.body = BodyReader::new(framing, u64::MAX).ok();
            self.body_bytes = 0;
            self.head.clear();
            taken = end + 4 - before;
        }
        let body = self.body.as_mut().expect("a head has come");
        let read = body.read_in_place(&mut bytes[taken..]);
        let (more, content, is_whole) = read.map_err(|bad| self.closed(bad.reason))?;
        self.body_bytes += content.len();
        if is_whole {
            self.body = None;
            if *asker.length.get_or_insert(self.body_bytes) != self.body_bytes {
                return Err(self.closed("an answer of another length"));
            }
        }
        Ok((taken + more, is_whole))
    }

    /// How the body is framed, if all is well with the head.
    fn look_at(&self, end: usize) -> Result<Framing, Failure> {
        let head = &self.head[..end];
        if !head.starts_with(b"HTTP/1.1 200 ") {
            return Err(self.closed("an answer other than 200"));
        }
        for line in head.split(|byte| *byte == b'\n').skip(1) {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else {
                continue;
            };
            let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
            if name.eq_ignore_ascii_case(b"transfer-encoding") {
                return Ok(Framing::Chunked);
            }
            if name.eq_ignore_ascii_case(b"content-length") {
                let digits = std::str::from_utf8(value).unwrap_or_default();
                let length = digits.parse().map(Framing::Length);
                return length.map_err(|_| self.closed("a length that is none"));
            }
        }
        Err(self.closed("an answer without a length"))
    }

    fn ask(&mut self, asker: &Asker, floor: &Floor) -> Result<(), Failure> {
        self.waiting = self.depth;
        self.asked_ns = floor.poll.now();
        let bytes = &asker.requests[..asker.request_bytes * self.depth];
        match send(&self.socket, bytes, SendFlags::NOSIGNAL) {
            Ok(sent) if sent == bytes.len() => Ok(()),
            Ok(_) | Err(Errno::AGAIN) => Err(self.closed("requests found no room")),
            Err(error) => Err(self.closed(&error.to_string())),
        }
    }

    fn closed(&self, reason: &str) -> Failure {
        Failure::Closed {
            connection: self.number,
            reason: reason.to_owned(),
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}
