//! Connections that only come and go: connect, upgrade, close, over and over.

use hubbub_protocol::frame::{Header, OpCode};
use rustix::io::Errno;

use crate::channel::Channel;
use crate::crowd::{Floor, close_frame};
use crate::failure::Failure;
use crate::opening::{Greeting, Opening, PATIENCE_NS};
use crate::options::Options;
use crate::poll::Ready;
use crate::report::Report;
use crate::server::Server;
use crate::target::Target;
use crate::window::{Phase, Window};

/// A server that has answered the Close closes the connection itself (RFC 6455 §7.1.1); this long it may take.
const CLOSING_NS: u64 = 1_000_000_000;

pub(crate) fn run(
    options: &Options,
    target: &Target,
    server: Option<Server>,
    floor: &mut Floor,
) -> Result<Report, Failure> {
    let mut visits = Visits {
        greeting: Greeting::new(target.clone(), options.deflate)?,
        close_frame: close_frame(),
        guests: Vec::with_capacity(options.connections),
        window: Window::new(options, server, &floor.poll),
        inside: options.connections,
    };
    for number in 0..options.connections {
        let opening = Opening::begin(&visits.greeting, &floor.poll, number)?;
        visits.guests.push(Guest::Coming(opening));
    }
    let mut swept_ns = floor.poll.now();
    while visits.inside > 0 {
        let now = floor.poll.now();
        let phase = visits.window.advance(now, &floor.poll)?;
        if now - swept_ns > CLOSING_NS / 4 {
            visits.sweep(now)?;
            swept_ns = now;
        }
        let until = match phase {
            Phase::Over => now + 100_000_000,
            _ => visits.window.next_ns().min(now + 100_000_000),
        };
        for index in 0..floor.poll.turn(until)? {
            visits.serve(floor.poll.ready(index), phase, floor)?;
        }
    }
    Ok(visits.window.report(options))
}

enum Guest {
    Coming(Opening),
    Leaving(Leaving),
    Gone,
}

/// A connection on which our Close has been sent.
struct Leaving {
    channel: Channel,
    began_ns: u64,
    /// When the 101 had been checked.
    upgraded_ns: u64,
    /// The server's Close frame, as far as it has come.
    received: Vec<u8>,
}

struct Visits {
    greeting: Greeting,
    close_frame: Vec<u8>,
    guests: Vec<Guest>,
    window: Window,
    inside: usize,
}

impl Visits {
    fn serve(&mut self, ready: Ready, phase: Phase, floor: &mut Floor) -> Result<(), Failure> {
        let number = ready.number;
        let is_over = match &mut self.guests[number] {
            Guest::Coming(opening) => {
                let Some(answer) = opening.advance(&mut self.greeting, &mut floor.buffer)? else {
                    return Ok(());
                };
                let upgraded_ns = floor.poll.now();
                let Guest::Coming(opening) =
                    std::mem::replace(&mut self.guests[number], Guest::Gone)
                else {
                    return Ok(());
                };
                let began_ns = opening.began_ns;
                let mut opened = opening.finish(&answer);
                opened
                    .channel
                    .send(&self.close_frame)
                    .map_err(Failure::system("cannot close"))?;
                self.guests[number] = Guest::Leaving(Leaving {
                    channel: opened.channel,
                    began_ns,
                    upgraded_ns,
                    received: opened.early,
                });
                false
            }
            Guest::Leaving(leaving) => leaving.is_over(ready, &mut floor.buffer)?,
            Guest::Gone => false,
        };
        if !is_over {
            return Ok(());
        }
        if let Guest::Leaving(leaving) = &self.guests[number] {
            // A handshake is done when its connection is gone; the latency is that of connect and upgrade.
            let now = floor.poll.now();
            let latency = leaving.upgraded_ns - leaving.began_ns;
            self.window.record(1, now - latency, now);
        }
        self.guests[number] = Guest::Gone;
        if phase == Phase::Over {
            self.inside -= 1;
        } else {
            self.guests[number] =
                Guest::Coming(Opening::begin(&self.greeting, &floor.poll, number)?);
        }
        Ok(())
    }

    /// Finds connections that make no progress any more.
    fn sweep(&mut self, now: u64) -> Result<(), Failure> {
        for guest in &self.guests {
            let (begun_ns, patience_ns, what) = match guest {
                Guest::Coming(opening) => {
                    (opening.began_ns, PATIENCE_NS, "an upgrade is not answered")
                }
                Guest::Leaving(leaving) => (
                    leaving.upgraded_ns,
                    CLOSING_NS,
                    "a Close is not answered by closing the connection",
                ),
                Guest::Gone => continue,
            };
            if now.saturating_sub(begun_ns) > patience_ns {
                return Err(Failure::Stalled {
                    waiting_for: what.to_owned(),
                    seconds: (now - begun_ns) as f64 / 1e9,
                });
            }
        }
        Ok(())
    }
}

impl Leaving {
    fn is_over(&mut self, ready: Ready, buffer: &mut [u8]) -> Result<bool, Failure> {
        loop {
            match self.channel.recv(buffer) {
                Ok(0) | Err(Errno::AGAIN | Errno::INTR) => break,
                Ok(length) => self.received.extend_from_slice(&buffer[..length]),
                Err(error) => return Err(Failure::system("cannot close")(error)),
            }
            if !self.channel.is_secure() {
                break;
            }
        }
        if !ready.is_ended {
            return Ok(false);
        }
        let reply = Header::parse(&self.received);
        match reply {
            Ok(Some((header, _))) if header.opcode == OpCode::Close => Ok(true),
            _ => Err(Failure::Closed {
                connection: ready.number,
                reason: "without answering our Close".to_owned(),
            }),
        }
    }
}
