//! From nothing to an open WebSocket: connect, ask, check the answer.

use hubbub_protocol::deflate::{Parameters, Settings, Window};
use hubbub_protocol::handshake::{ClientRequest, verify};
use hubbub_protocol::http::{HeadScanner, Limits};
use rustix::io::Errno;

use crate::channel::Channel;
use crate::failure::Failure;
use crate::poll::Poll;
use crate::target::Target;

/// Time without any progress after which there will be none.
pub(crate) const PATIENCE_NS: u64 = 20_000_000_000;

/// The same for every connection: what a random key protects from (caches between) is not in the way here.
const KEY: [u8; 16] = *b"hubbub measures.";

/// The offer of a browser: no demands, any window.
const DEFLATE: Settings = Settings {
    window: Window::Dedicated,
    window_bits: 15,
    minimum_bytes: 0,
    level: 1,
};

/// What is asked, and what has been answered before.
pub(crate) struct Greeting {
    target: Target,
    deflate: bool,
    request: Vec<u8>,
    /// A head that has been checked: the next one is nearly always the same.
    accepted: Vec<u8>,
    agreed: Option<Parameters>,
}

impl Greeting {
    pub(crate) fn new(target: Target, deflate: bool) -> Result<Self, Failure> {
        let mut request = Vec::new();
        client_request(&target, deflate)
            .write(&mut request)
            .map_err(|misuse| Failure::Options(misuse.to_string()))?;
        Ok(Self {
            target,
            deflate,
            request,
            accepted: Vec::new(),
            agreed: None,
        })
    }

    fn check(&mut self, head: &[u8]) -> Result<Option<Parameters>, Failure> {
        if head != self.accepted {
            let agreed = verify(head, &client_request(&self.target, self.deflate))
                .map_err(|refusal| Failure::Upgrade(refusal.to_string()))?;
            self.agreed = agreed.deflate;
            self.accepted = head.to_vec();
        }
        Ok(self.agreed)
    }
}

fn client_request(target: &Target, deflate: bool) -> ClientRequest<'_> {
    ClientRequest {
        host: &target.host,
        target: &target.resource,
        key: KEY,
        protocols: &[],
        deflate: deflate.then_some(&DEFLATE),
        fields: &[],
    }
}

/// An open connection and what the server has sent beyond its answer.
pub(crate) struct Opened {
    pub(crate) channel: Channel,
    pub(crate) early: Vec<u8>,
    pub(crate) deflate: Option<Parameters>,
}

/// A connection on its way.
pub(crate) struct Opening {
    channel: Channel,
    pub(crate) began_ns: u64,
    sent: usize,
    received: Vec<u8>,
    scanner: HeadScanner,
}

impl Opening {
    pub(crate) fn begin(greeting: &Greeting, poll: &Poll, number: usize) -> Result<Self, Failure> {
        let began_ns = poll.now();
        let mut opening = Self {
            channel: greeting.target.open(number)?,
            began_ns,
            sent: 0,
            received: Vec::new(),
            scanner: HeadScanner::default(),
        };
        // On the loopback the connection is there when `connect` returns.
        let is_asked = opening.ask(greeting)?;
        let watches_writable = !is_asked || opening.channel.is_secure();
        poll.add(&opening.channel, number, watches_writable)?;
        Ok(opening)
    }

    fn ask(&mut self, greeting: &Greeting) -> Result<bool, Failure> {
        let rest = &greeting.request[self.sent..];
        if !rest.is_empty() {
            match self.channel.send(rest) {
                Ok(sent) => self.sent += sent,
                Err(Errno::AGAIN | Errno::NOTCONN | Errno::INTR) => {}
                Err(error) => return Err(Failure::system("cannot connect")(error)),
            }
        }
        Ok(self.sent == greeting.request.len())
    }

    /// What can be done after an event; `true` when the whole answer is there and good.
    pub(crate) fn advance(
        &mut self,
        greeting: &mut Greeting,
        buffer: &mut [u8],
    ) -> Result<Option<Answer>, Failure> {
        if !self.ask(greeting)? {
            return Ok(None);
        }
        match self.channel.recv(buffer) {
            Ok(0) => {
                let what = "the server closed the connection without an answer";
                return Err(Failure::Upgrade(what.to_owned()));
            }
            Ok(length) => self.received.extend_from_slice(&buffer[..length]),
            Err(Errno::AGAIN | Errno::INTR) => return Ok(None),
            Err(error) => return Err(Failure::system("cannot connect")(error)),
        }
        let end = self
            .scanner
            .find_end(&self.received, &Limits::default())
            .map_err(|refusal| Failure::Upgrade(refusal.reason.to_owned()))?;
        let Some(end) = end else { return Ok(None) };
        Ok(Some(Answer {
            deflate: greeting.check(&self.received[..end])?,
            head_bytes: end,
        }))
    }

    pub(crate) fn finish(mut self, answer: &Answer) -> Opened {
        self.received.drain(..answer.head_bytes);
        Opened {
            channel: self.channel,
            early: self.received,
            deflate: answer.deflate,
        }
    }
}

/// A checked 101.
pub(crate) struct Answer {
    deflate: Option<Parameters>,
    head_bytes: usize,
}
