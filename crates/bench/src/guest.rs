//! One client of a hub: as much of Centrifugo's client protocol in JSON as a load needs.
//!
//! Knows frames, lines and who is asked what; not what a whole crowd does with it (see `hub`).

use hubbub_protocol::close;
use hubbub_protocol::endpoint::{Endpoint, Event, Input, Kind, Role};
use rustix::io::Errno;

use crate::channel::Channel;
use crate::crowd::Floor;
use crate::failure::Failure;
use crate::opening::Opened;
use crate::poll::{Poll, Ready};
use crate::script::MASK;

/// What a hub says.
#[derive(Debug, PartialEq)]
pub(crate) enum Word<'a> {
    /// The answer to a command: its id, and what stands behind it.
    Reply(u64, &'a [u8]),
    /// What nobody asked for.
    Push(&'a [u8]),
    /// To be answered by the same.
    Ping,
}

impl<'a> Word<'a> {
    /// Reads a line as this server and Centrifugo write it: the id comes first.
    fn read(line: &'a [u8]) -> Option<Self> {
        if line == b"{}" {
            return Some(Self::Ping);
        }
        if line.starts_with(b"{\"push\":") {
            return Some(Self::Push(line));
        }
        let rest = line.strip_prefix(b"{\"id\":")?;
        let end = rest.iter().position(|byte| !byte.is_ascii_digit())?;
        let id = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
        Some(Self::Reply(id, rest[end..].strip_prefix(b",")?))
    }
}

/// See the module.
pub(crate) struct Guest {
    channel: Channel,
    number: usize,
    endpoint: Endpoint,
    /// What came along with the 101.
    early: Vec<u8>,
    /// Frames that the socket has not taken yet.
    outgoing: Vec<u8>,
    watches_writable: bool,
    heard: u64,
}

impl Guest {
    pub(crate) fn new(opened: Opened, number: usize) -> Self {
        Self {
            channel: opened.channel,
            number,
            endpoint: Endpoint::new(Role::Client, usize::MAX, None),
            early: opened.early,
            outgoing: Vec::new(),
            watches_writable: false,
            heard: 0,
        }
    }

    /// Puts a frame of commands, a line each, behind what has not been sent; see [`Guest::flush`].
    pub(crate) fn say(&mut self, commands: &str, floor: &mut Floor) {
        self.endpoint
            .send(
                Kind::Text,
                commands.as_bytes(),
                MASK,
                &mut floor.codec,
                &mut self.outgoing,
            )
            .expect("nothing was said that ends the connection");
    }

    /// Sends what was said.
    pub(crate) fn flush(&mut self, poll: &Poll) -> Result<(), Failure> {
        let mut sent = 0;
        while sent < self.outgoing.len() {
            match self.channel.send(&self.outgoing[sent..]) {
                Ok(length) => sent += length,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(error) => return Err(self.closed(&error.to_string())),
            }
        }
        self.outgoing.drain(..sent);
        let is_flushed = self
            .channel
            .flush()
            .map_err(|error| self.closed(&error.to_string()))?;
        let is_done = is_flushed && self.outgoing.is_empty();
        if !is_done && !self.watches_writable {
            poll.watch_writable(&self.channel, self.number)?;
            self.watches_writable = true;
        }
        if self.outgoing.is_empty() {
            self.outgoing = Vec::new();
        }
        Ok(())
    }

    /// Reads what has arrived, after an event, and tells it word by word; answers pings.
    pub(crate) fn read(
        &mut self,
        ready: Ready,
        floor: &mut Floor,
        mut hear: impl FnMut(Word<'_>) -> Result<(), String>,
    ) -> Result<(), Failure> {
        if !self.early.is_empty() {
            let mut early = std::mem::take(&mut self.early);
            self.parse(&mut early, floor, &mut hear)?;
        }
        loop {
            let mut buffer = std::mem::take(&mut floor.buffer);
            let received = self.channel.recv(&mut buffer);
            let parsed = match received {
                Ok(0) => Err(self.closed("without a close frame")),
                Ok(length) => self.parse(&mut buffer[..length], floor, &mut hear),
                Err(Errno::AGAIN | Errno::INTR) => Ok(()),
                Err(error) => Err(self.closed(&error.to_string())),
            };
            let capacity = buffer.len();
            floor.buffer = buffer;
            parsed?;
            match received {
                Err(Errno::AGAIN) => return Ok(()),
                // Edge-triggered: see `Line::read`.
                Ok(length) if length < capacity && !ready.is_ended && !self.channel.is_secure() => {
                    return Ok(());
                }
                _ => {}
            }
        }
    }

    fn parse(
        &mut self,
        bytes: &mut [u8],
        floor: &mut Floor,
        hear: &mut impl FnMut(Word<'_>) -> Result<(), String>,
    ) -> Result<(), Failure> {
        let mut pings = 0;
        let mut input = Input::new(bytes);
        loop {
            match self.endpoint.receive(&mut input, &mut floor.codec) {
                Ok(None) => break,
                Ok(Some(Event::Message { payload, .. })) => {
                    for line in payload.split(|&byte| byte == b'\n') {
                        let told = match Word::read(line) {
                            Some(Word::Ping) => {
                                pings += 1;
                                continue;
                            }
                            Some(word) => hear(word),
                            None if line.is_empty() => Ok(()),
                            None => Err(line.escape_ascii().to_string()),
                        };
                        told.map_err(|difference| Failure::Mismatch {
                            connection: self.number,
                            after: self.heard,
                            difference,
                        })?;
                        self.heard += 1;
                    }
                }
                Ok(Some(Event::Ping(payload))) => {
                    // A connection that is closing answers nothing any more.
                    let _ = self.endpoint.pong(&payload, MASK, &mut self.outgoing);
                }
                Ok(Some(Event::Pong(_))) => {}
                Ok(Some(Event::Close { code, reason })) => {
                    let reason = match code {
                        close::NO_STATUS => "without a code".to_owned(),
                        code => format!("{code} {reason}").trim_end().to_owned(),
                    };
                    return Err(self.closed(&reason));
                }
                Err(violation) => {
                    return Err(Failure::Protocol {
                        connection: self.number,
                        violation: violation.to_string(),
                    });
                }
            }
        }
        for _ in 0..pings {
            self.say("{}", floor);
        }
        if self.outgoing.is_empty() {
            Ok(())
        } else {
            self.flush(&floor.poll)
        }
    }

    fn closed(&self, reason: &str) -> Failure {
        Failure::Closed {
            connection: self.number,
            reason: reason.to_owned(),
        }
    }
}

impl AsMut<Channel> for Guest {
    fn as_mut(&mut self) -> &mut Channel {
        &mut self.channel
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart() {
        let read = |line: &'static str| Word::read(line.as_bytes());
        assert_eq!(read("{}"), Some(Word::Ping));
        assert_eq!(
            read(r#"{"id":12,"publish":{}}"#),
            Some(Word::Reply(12, br#""publish":{}}"#))
        );
        let push = r#"{"push":{"channel":"news","pub":{"data":1}}}"#;
        assert_eq!(read(push), Some(Word::Push(push.as_bytes())));
        assert_eq!(read(r#"{"publish":{}}"#), None);
        assert_eq!(read(""), None);
    }
}
