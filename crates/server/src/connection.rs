//! One connection: its socket, where it stands in its life, and what is held for it.
//!
//! Decides nothing by itself: the worker's rooms (`read`, `write`, `deadlines` …) move it from phase to phase.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use hubbub_protocol::endpoint::Endpoint;
use hubbub_protocol::error::Violation;
use hubbub_protocol::http::HeadScanner;
use rustix::net::SendFlags;
use rustix::net::sockopt::set_socket_linger;

use crate::access::{Inquiry, Meter};
use crate::clock::Tick;
use crate::door::Seat;
use crate::event::ClosedBy;
use crate::exchange::{Answer, Asked, Exchange, Upload};
use crate::gauge::Gauge;
use crate::id::ConnectionId;
use crate::outbox::Outbox;
use crate::reactor::Interest;
use crate::stash::Stash;
use crate::tally::Method;
use crate::tls::{Tls, TlsContext, TlsFacts};
use crate::worker::Preface;

/// Where a connection stands.
pub(crate) enum Phase {
    /// Waiting for a PROXY header, or in the middle of it.
    Preface(Box<Preface>),
    /// Waiting for a request, or in the middle of its head.
    Head {
        scanner: HeadScanner,
        partial: Vec<u8>,
    },
    /// A request is with the application, whole, and not answered yet.
    Deciding(Asked),
    /// The same, where more than one answer in one piece is to come.
    Exchange(Box<Exchange>),
    /// Our own connect(2) is under way, with the request to send then.
    Connecting { request: Box<[u8]> },
    /// We have asked and wait for the response's head.
    Response {
        scanner: HeadScanner,
        partial: Vec<u8>,
    },
    /// The response is with the application.
    Judging,
    /// A WebSocket.
    Open(Endpoint),
    /// All has been said. What still arrives is thrown away until the peer has closed too (RFC 6455 §7.1.1).
    Linger,
}

/// What a proxy has said of the connection it has opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proxied {
    /// Who connected to it.
    pub(crate) client: Peer,
    /// And did so through TLS.
    pub(crate) tls: bool,
}

/// Who is at the other end, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The other end of the socket.
    pub peer: Peer,
    /// The client: the peer itself, or whom it has named in a PROXY header.
    pub client: Peer,
    /// The client came through TLS, to us or, by that header, to the proxy.
    pub tls: bool,
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// An IPv4 address and port.
    V4([u8; 4], u16),
    /// An IPv6 address and port.
    V6([u8; 16], u16),
    /// A Unix socket: somebody on this machine.
    Unix,
}

impl Peer {
    pub(crate) fn of(address: Option<SocketAddr>) -> Self {
        match address {
            Some(SocketAddr::V4(v4)) => Self::V4(v4.ip().octets(), v4.port()),
            Some(SocketAddr::V6(v6)) => Self::V6(v6.ip().octets(), v6.port()),
            None => Self::Unix,
        }
    }

    /// The address without the port; `None` for a Unix socket.
    pub fn address(self) -> Option<IpAddr> {
        match self {
            Self::V4(ip, _) => Some(ip.into()),
            Self::V6(ip, _) => Some(ip.into()),
            Self::Unix => None,
        }
    }
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::V4(ip, port) => write!(f, "{}", SocketAddr::from((ip, port))),
            Self::V6(ip, port) => write!(f, "{}", SocketAddr::from((ip, port))),
            Self::Unix => f.write_str("unix"),
        }
    }
}

/// A deadline that never comes.
pub(crate) const NEVER: Tick = Tick::MAX;

pub(crate) struct Connection {
    pub(crate) socket: OwnedFd,
    pub(crate) flags: Flags,
    pub(crate) interest: Interest,
    pub(crate) phase: Phase,
    pub(crate) outbox: Outbox,
    pub(crate) outbox_limit_bytes: u32,
    /// When something was last received.
    pub(crate) seen: Tick,
    /// When the last message was complete.
    pub(crate) spoken: Tick,
    /// When what the phase waits for must have happened.
    pub(crate) deadline: Tick,
    /// When a client whose socket takes no more of an answer must have taken something.
    pub(crate) stalled: Tick,
    /// When the ping that is unanswered was sent, or [`NEVER`].
    pub(crate) pinged: Tick,
    /// The earliest tick for which the wheel holds an entry, or [`NEVER`].
    pub(crate) armed: Tick,
    /// Round-trip time of the last ping, in microseconds; 0 when none was measured.
    pub(crate) rtt_us: u32,
    /// What the worker has charged for this connection, in bytes.
    pub(crate) charged: u32,
    /// Bytes that the application holds for this connection.
    pub(crate) app_held: u32,
    pub(crate) peer: Peer,
    /// Whom the peer speaks for, as its PROXY header says.
    pub(crate) proxied: Option<Box<Proxied>>,
    /// Where its client is counted.
    pub(crate) seat: Seat,
    /// That of the listener it came by; 0 for our own.
    pub(crate) group: u8,
    pub(crate) rare: Option<Box<Rare>>,
    /// Between the outbox and the socket, and between the socket and whoever reads.
    pub(crate) tls: Option<Box<Tls>>,
    /// For an application in another thread.
    pub(crate) gauge: Option<Arc<Gauge>>,
    pub(crate) meter: Meter,
}

/// A connection that has been accepted, and what its listener wants of it.
pub(crate) struct Arrival {
    pub(crate) socket: OwnedFd,
    pub(crate) peer: Peer,
    pub(crate) group: u8,
    pub(crate) tls: Option<Arc<TlsContext>>,
    /// It begins with a PROXY header.
    pub(crate) proxied: bool,
    /// Where its peer is counted.
    pub(crate) seat: Seat,
}

/// A connection as it is made known to an application in another thread.
pub(crate) struct Acquaintance {
    pub(crate) id: ConnectionId,
    pub(crate) caller: Caller,
    pub(crate) tls: Option<Box<TlsFacts>>,
    pub(crate) gauge: Arc<Gauge>,
    /// Its answer has no body.
    pub(crate) head_only: bool,
}

/// What few connections need at a time.
#[derive(Default)]
pub(crate) struct Rare {
    /// Received, but not to be looked at before reading goes on.
    pub(crate) stash: Stash,
    /// The newest ping that waits for room to be answered.
    pub(crate) late_pong: Option<Vec<u8>>,
    /// How it ends as soon as the application has answered what came before.
    pub(crate) verdict: Option<Verdict>,
    /// The request that is not answered in full, where access lines are wanted.
    pub(crate) inquiry: Option<Box<Inquiry>>,
    /// The reason that went with our close frame: a peer that answers it seldom says one.
    pub(crate) farewell: Box<str>,
    /// What a refusal of the request that is not answered yet says besides.
    pub(crate) besides: Fields,
}

/// Header fields by name.
pub(crate) type Fields = Vec<(String, String)>;

impl Rare {
    pub(crate) fn is_empty(&self) -> bool {
        self.stash.is_empty()
            && self.late_pong.is_none()
            && self.verdict.is_none()
            && self.inquiry.is_none()
            && self.farewell.is_empty()
            && self.besides.is_empty()
    }

    /// Bytes on the heap.
    fn held_bytes(&self) -> usize {
        let inquiry = self.inquiry.as_ref().map_or(0, |it| it.held_bytes());
        let fields = self.besides.iter();
        let besides: usize = fields
            .map(|(name, value)| size_of::<(String, String)>() + name.len() + value.len())
            .sum();
        size_of::<Self>() + self.stash.capacity() + inquiry + self.farewell.len() + besides
    }
}

/// What ended a connection, as far as its reading goes.
pub(crate) enum Verdict {
    /// The peer's close frame.
    Close { code: u16, reason: String },
    /// The peer broke the protocol.
    Violation(Violation),
}

/// Small facts about a connection.
#[derive(Clone, Copy, Default)]
pub(crate) struct Flags {
    /// We opened it: our frames are masked.
    pub(crate) is_client: bool,
    /// In the list of those to be flushed.
    pub(crate) dirty: bool,
    /// The socket takes no more; epoll will tell.
    pub(crate) blocked: bool,
    /// The application has asked for a pause in reading.
    pub(crate) paused: bool,
    /// The rates for messages and bytes hold for it.
    pub(crate) paced: bool,
    /// It talks too fast: reading pauses until its rate has made up for that.
    pub(crate) throttled: bool,
    /// It holds much while memory is short: reading pauses until there is more.
    pub(crate) squeezed: bool,
    /// Somebody was told of backpressure and waits for [`Event::Drained`](crate::Event::Drained).
    pub(crate) congested: bool,
    /// Once the outbox is empty: shut down our side and linger.
    pub(crate) finishing: bool,
    /// The application knows that it has ended (or never knew that it was).
    pub(crate) told: bool,
    /// Who of us began the close that is under way.
    pub(crate) closed_by: Option<ClosedBy>,
    /// The peer has sent FIN.
    pub(crate) eof: bool,
    /// The application has been told so while it was to answer.
    pub(crate) hung_up: bool,
    pub(crate) turn: Turn,
    pub(crate) seldom: Seldom,
    /// A message was completed since the last read began.
    pub(crate) completed: bool,
    /// Messages are on their way to an application in another thread.
    pub(crate) has_untaken: bool,
    /// Of the request that is not answered yet.
    pub(crate) method: Method,
}

/// Facts that share a byte: they are as many as connections.
macro_rules! facts {
    ($(#[$of:meta])* $name:ident: $($(#[$what:meta])* $fact:ident = $bit:literal),* $(,)?) => {
        $(#[$of])*
        #[derive(Clone, Copy, Default)]
        pub(crate) struct $name(u8);

        impl $name {
            $($(#[$what])* pub(crate) const $fact: u8 = $bit;)*

            #[inline]
            pub(crate) fn has(self, fact: u8) -> bool {
                self.0 & fact != 0
            }

            #[inline]
            pub(crate) fn set(&mut self, fact: u8, holds: bool) {
                self.0 = if holds { self.0 | fact } else { self.0 & !fact };
            }
        }
    };
}

facts! {
    /// How a connection stands with its turns (see `worker::turns`).
    Turn:
    /// It waits for its turn.
    QUEUED = 1,
    /// Its last reads brought much, and no more than a turn's worth each: large messages, not many.
    ROOMY = 2,
    /// Its answers wait for its next turn, in which they are flushed; it is in no list of those to be.
    CORKED = 4,
}

facts! {
    /// What is asked seldom, or changes once.
    Seldom:
    /// It has been refused, and only stays to hear so.
    TURNED_AWAY = 1,
    /// It has been at the door already, with its TLS handshake.
    HAS_SHAKEN = 2,
    /// A time limit that is only tried has passed once.
    EXTENDED = 4,
    /// There has been a request.
    HAS_ASKED = 8,
    /// The application wants to know when a read has been worked off.
    TELL_READ_END = 16,
}

impl Turn {
    #[inline]
    pub(crate) fn is_queued(self) -> bool {
        self.has(Self::QUEUED)
    }
}

impl Flags {
    /// Whether reading pauses, for whatever reason.
    #[inline]
    pub(crate) fn is_held(self) -> bool {
        self.paused | self.throttled | self.squeezed
    }

    /// How to send: what is the last shares its packet with our FIN, for shutdown(2) follows at once.
    #[inline]
    pub(crate) fn send_flags(self) -> SendFlags {
        match self.finishing {
            true => SendFlags::NOSIGNAL | SendFlags::MORE,
            false => SendFlags::NOSIGNAL,
        }
    }

    /// Whether what has been read already must wait, too.
    #[inline]
    pub(crate) fn is_halted(self) -> bool {
        self.paused | self.throttled
    }
}

impl Connection {
    pub(crate) fn new(
        socket: OwnedFd,
        peer: Peer,
        phase: Phase,
        now: Tick,
        deadline: Tick,
        outbox_limit_bytes: usize,
    ) -> Self {
        Self {
            socket,
            flags: Flags {
                told: true,
                ..Flags::default()
            },
            interest: Interest::empty(),
            phase,
            outbox: Outbox::default(),
            outbox_limit_bytes: outbox_limit_bytes.min(u32::MAX as usize) as u32,
            seen: now,
            spoken: now,
            deadline,
            stalled: NEVER,
            pinged: NEVER,
            armed: NEVER,
            rtt_us: 0,
            charged: 0,
            app_held: 0,
            peer,
            proxied: None,
            seat: Seat::NONE,
            group: 0,
            rare: None,
            tls: None,
            gauge: None,
            meter: Meter::default(),
        }
    }

    /// Lets an application in another thread read how much waits.
    #[inline]
    pub(crate) fn note_level(&self) {
        if let Some(gauge) = &self.gauge {
            gauge.waits(self.waiting_bytes());
        }
    }

    /// Bytes that wait to be sent.
    #[inline]
    pub(crate) fn waiting_bytes(&self) -> usize {
        let sealed = self.tls.as_ref().map_or(0, |tls| tls.unsent().len());
        self.outbox.len() + sealed
    }

    /// Whether anything waits to be sent, files included.
    #[inline]
    pub(crate) fn has_to_send(&self) -> bool {
        self.waiting_bytes() > 0 || self.outbox.has_file()
    }

    /// Less than a whole TLS record has come, or less than a whole message.
    pub(crate) fn is_mid_message(&self) -> bool {
        let is_mid_record = || self.tls.as_ref().is_some_and(|tls| tls.is_mid_record());
        matches!(&self.phase, Phase::Open(endpoint) if endpoint.is_mid_message()) || is_mid_record()
    }

    /// Waits for the first byte of a request.
    pub(crate) fn idle_head() -> Phase {
        Phase::Head {
            scanner: HeadScanner::default(),
            partial: Vec::new(),
        }
    }

    pub(crate) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    pub(crate) fn take_besides(&mut self) -> Fields {
        let rare = self.rare.as_mut();
        rare.map_or_else(Vec::new, |rare| std::mem::take(&mut rare.besides))
    }

    pub(crate) fn stash_len(&self) -> usize {
        self.rare.as_ref().map_or(0, |rare| rare.stash.len())
    }

    /// It ends as soon as the application has answered; until then its answers go out.
    pub(crate) fn is_judged(&self) -> bool {
        self.rare
            .as_ref()
            .is_some_and(|rare| rare.verdict.is_some())
    }

    /// A WebSocket on which messages may be sent.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        matches!(&self.phase, Phase::Open(endpoint) if endpoint.is_open()) && !self.flags.finishing
    }

    /// An open WebSocket to which a frame for many may be sent as it is, at once: nothing waits, and nothing else is to be done.
    #[inline]
    pub(crate) fn takes_plain(&self) -> bool {
        let flags = self.flags;
        matches!(&self.phase, Phase::Open(endpoint) if endpoint.is_open() && endpoint.deflate().is_none())
            && !(flags.finishing | flags.blocked | flags.congested | flags.is_client)
            && self.tls.is_none()
            && self.rare.is_none()
            && self.outbox.is_idle()
    }

    /// Whether a frame as it is may join what is corked: it will be sent at the end of the batch, and nothing else is to be done.
    #[inline]
    pub(crate) fn takes_corked(&self) -> bool {
        let flags = self.flags;
        matches!(&self.phase, Phase::Open(endpoint) if endpoint.deflate().is_none())
            && !(flags.blocked | flags.is_client)
    }

    /// A WebSocket, or an answer that has begun.
    pub(crate) fn takes_bytes(&self) -> bool {
        self.is_open()
            || matches!(&self.phase, Phase::Exchange(exchange) if exchange.answer != Answer::Awaited)
    }

    /// All bytes that live on the heap because of this peer.
    pub(crate) fn held_bytes(&self) -> usize {
        let phase = match &self.phase {
            Phase::Head { partial, .. } | Phase::Response { partial, .. } => partial.capacity(),
            Phase::Exchange(exchange) => exchange.held_bytes(),
            Phase::Preface(preface) => preface.held_bytes(),
            Phase::Connecting { request } => request.len(),
            Phase::Open(endpoint) => endpoint.held_bytes(),
            Phase::Deciding(_) | Phase::Judging | Phase::Linger => 0,
        };
        let rare = self.rare.as_ref().map_or(0, |rare| rare.held_bytes());
        let tls = self.tls.as_ref().map_or(0, |tls| tls.held_bytes());
        self.meter.held_bytes()
            + phase
            + rare
            + tls
            + self.outbox.held_bytes()
            + self.app_held as usize
    }

    /// Gives back the room of buffers that nothing is in.
    pub(crate) fn shrink(&mut self) {
        self.outbox.shrink();
        match &mut self.phase {
            Phase::Head { partial, .. } => partial.shrink_to_fit(),
            Phase::Open(endpoint) => endpoint.shrink(),
            _ => {}
        }
        if let Some(rare) = &mut self.rare {
            rare.stash.shrink();
        }
    }

    /// Brings the account up to date; tells by how much it has changed.
    pub(crate) fn recharge(&mut self) -> isize {
        let held = self.held_bytes().min(u32::MAX as usize) as u32;
        let change = held as isize - self.charged as isize;
        self.charged = held;
        change
    }

    /// The client: the peer, or whom it has named in a PROXY header.
    pub(crate) fn client(&self) -> Peer {
        self.proxied
            .as_ref()
            .map_or(self.peer, |proxied| proxied.client)
    }

    pub(crate) fn caller(&self) -> Caller {
        let by_proxy = self.proxied.as_ref().is_some_and(|proxied| proxied.tls);
        Caller {
            peer: self.peer,
            client: self.client(),
            tls: self.tls.is_some() || by_proxy,
        }
    }

    /// A peer is read no further once half of its outbox is full: the answers to what one more read may bring must find room.
    #[inline]
    pub(crate) fn has_answer_room(&self) -> bool {
        self.waiting_bytes() < self.outbox_limit_bytes as usize / 2 && !self.outbox.has_file()
    }

    /// Whether what has arrived may be looked at now.
    pub(crate) fn may_digest(&self) -> bool {
        !self.flags.is_halted()
            && match &self.phase {
                Phase::Open(_) => true,
                Phase::Head { .. } => self.has_answer_room(),
                Phase::Exchange(exchange) => exchange.upload.is_wanted(),
                _ => false,
            }
    }

    /// What its request said about the answer, as long as none has begun.
    pub(crate) fn asked(&self) -> Option<Asked> {
        match &self.phase {
            Phase::Deciding(asked) => Some(*asked),
            Phase::Exchange(exchange) if exchange.answer == Answer::Awaited => Some(exchange.asked),
            _ => None,
        }
    }

    /// Sees to it that no client takes the end of this connection for the end of the answer, where it would be that.
    ///
    /// If a reset cannot be had, the missing bytes, or the missing chunk, say it.
    pub(crate) fn end_by_reset(&self) {
        let _ = set_socket_linger(&self.socket, Some(Duration::ZERO));
    }

    /// Whether an answer has begun, and not all of it has been sent.
    pub(crate) fn is_mid_answer(&self) -> bool {
        match &self.phase {
            Phase::Exchange(exchange) => exchange.answer != Answer::Awaited,
            Phase::Linger | Phase::Head { .. } => self.has_to_send(),
            _ => false,
        }
    }

    /// Whether the application has us read no further, so that what is to come is not late: a body, or messages.
    pub(crate) fn is_unread(&self) -> bool {
        self.flags.paused
            && match &self.phase {
                Phase::Exchange(_) => true,
                Phase::Open(endpoint) => endpoint.is_open() && !self.is_judged(),
                _ => false,
            }
    }

    /// Whether all of the request has been handed out.
    pub(crate) fn is_request_whole(&self) -> bool {
        match &self.phase {
            Phase::Deciding(_) => true,
            Phase::Exchange(exchange) => matches!(exchange.upload, Upload::Done),
            _ => false,
        }
    }

    /// What epoll should watch for.
    #[inline]
    pub(crate) fn wanted_interest(&self) -> Interest {
        let flags = self.flags;
        if matches!(self.phase, Phase::Open(_))
            && !(flags.is_held() | flags.blocked | flags.eof | flags.turn.is_queued())
            && self.outbox.is_idle()
            && self.rare.is_none()
            && self.tls.as_ref().is_none_or(|tls| tls.unsent().is_empty())
        {
            return Interest::IN;
        }
        self.find_interest()
    }

    fn find_interest(&self) -> Interest {
        let mut wanted = Interest::empty();
        let reads = match &self.phase {
            Phase::Deciding(_) | Phase::Judging | Phase::Connecting { .. } => false,
            Phase::Linger => true,
            Phase::Exchange(exchange) => !self.flags.is_held() && exchange.upload.is_wanted(),
            _ => !self.flags.is_held() && self.has_answer_room(),
        };
        // Who waits for an answer sends nothing, but may go away.
        if !reads && !self.flags.eof && !self.flags.hung_up && self.is_request_whole() {
            wanted |= Interest::RDHUP;
        }
        if reads && !self.flags.eof && self.stash_len() == 0 && !self.flags.turn.is_queued() {
            wanted |= Interest::IN;
        }
        if self.flags.blocked || matches!(self.phase, Phase::Connecting { .. }) {
            wanted |= Interest::OUT;
        }
        wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_connection_is_small() {
        assert!(
            size_of::<Connection>() <= 256,
            "{}",
            size_of::<Connection>()
        );
    }
}
