//! The gate: accepting connections, and refusing them in good order when there is no room.
//!
//! Out of descriptors, accept(2) fails while the connection stays in the queue, and a level-triggered poller would spin on it.
//! A spare descriptor is therefore given up to accept and close what waits, and the listeners rest until there is room.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::net::{SocketFlags, acceptfrom_with};

use hubbub_protocol::http::Refusal;

use super::{Inbox, Preface, Worker};
use crate::connection::{Arrival, Connection, Peer, Phase, Seldom};
use crate::door::{Door, Seat};
use crate::id::ConnectionId;
use crate::limits::Limit;
use crate::listener::Listener;
use crate::reactor::{Interest, Reactor, Token};

/// How many connections one turn takes from one listener.
const ACCEPT_BATCH: usize = 16;
/// How many are refused in one turn while there are no descriptors.
const REFUSE_BATCH: usize = 64;
/// How long the listeners rest then, in ticks.
const REST_TICKS: u32 = 2;

/// The listeners and the spare descriptor.
pub(super) struct Gate {
    /// By the number in their tokens; `None` where one has been closed.
    listeners: Vec<Option<Listener>>,
    spare: Option<OwnedFd>,
    /// Resting until this tick.
    rests_until: Option<u32>,
    /// The workers it accepts for.
    host: Option<Box<dyn Host>>,
}

/// Several workers that share the work. See [`Worker::accept_for`].
pub(crate) trait Host: Send {
    /// Connections in all of them.
    fn connection_count(&self) -> usize;

    /// Chooses a worker for a connection; gives it back if that is the accepting one itself.
    fn place(&mut self, arrival: Arrival) -> Option<Arrival>;

    /// Hands on all for whom another worker was chosen: one wake-up for each worker, not for each connection.
    fn deliver(&mut self);

    /// The accepting worker keeps one.
    fn keep(&mut self);
}

impl Gate {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            listeners: Vec::new(),
            spare: Some(spare()?),
            rests_until: None,
            host: None,
        })
    }

    pub(super) fn stop(&mut self, reactor: &Reactor, group: Option<u8>) {
        for place in &mut self.listeners {
            let is_meant =
                |listener: &mut Listener| group.is_none_or(|group| listener.group() == group);
            if let Some(listener) = place.take_if(is_meant) {
                // It is being closed: a failure to take it out first changes nothing.
                let _ = reactor.delete(&listener);
            }
        }
        if self.listeners.iter().all(Option::is_none) {
            self.rests_until = None;
        }
    }

    /// The listeners of a group or, without one, all.
    pub(super) fn indices(&self, group: Option<u8>) -> impl Iterator<Item = usize> {
        let listeners = self.listeners.iter().enumerate();
        listeners.filter_map(move |(index, place)| {
            let listener = place.as_ref()?;
            group
                .is_none_or(|group| listener.group() == group)
                .then_some(index)
        })
    }

    /// When the listeners wake, if they rest.
    pub(super) fn wakes_at(&self) -> Option<u32> {
        self.rests_until
    }

    /// A descriptor has become free: the spare one comes first, then the listeners.
    pub(super) fn one_is_free(&mut self, reactor: &Reactor) {
        if self.rests_until.is_some() {
            self.wake(reactor);
        }
    }

    /// Listens again, provided there is a spare descriptor.
    pub(super) fn wake(&mut self, reactor: &Reactor) -> bool {
        if self.spare.is_none() {
            self.spare = spare().ok();
        }
        if self.spare.is_some() {
            self.rests_until = None;
            self.watch_all(reactor, Interest::IN);
        }
        self.spare.is_some()
    }

    /// There is still no descriptor to spare.
    pub(super) fn rest_more(&mut self, now: u32) {
        self.rests_until = Some(now + REST_TICKS);
    }

    fn rest(&mut self, reactor: &Reactor, until: u32) {
        self.rests_until = Some(until);
        self.watch_all(reactor, Interest::empty());
    }

    fn watch_all(&self, reactor: &Reactor, interest: Interest) {
        for (index, listener) in self.listeners.iter().enumerate() {
            let Some(listener) = listener else { continue };
            // A listener that epoll does not take any more cannot be helped from here; accept would tell.
            let _ = reactor.modify(listener, Token::Listener(index as u32), interest);
        }
    }
}

fn spare() -> io::Result<OwnedFd> {
    Ok(open(
        "/dev/null",
        OFlags::RDONLY | OFlags::CLOEXEC,
        Mode::empty(),
    )?)
}

impl Worker {
    /// Accepts connections from this listener from now on.
    ///
    /// # Errors
    /// What epoll_ctl(2) may fail with.
    pub fn listen(&mut self, listener: Listener) -> io::Result<()> {
        let token = Token::Listener(self.gate.listeners.len() as u32);
        self.reactor.add(&listener, token, Interest::IN)?;
        self.gate.listeners.push(Some(listener));
        Ok(())
    }

    /// From now on this worker accepts for others, too; they have one door.
    pub(crate) fn accept_for(&mut self, host: Box<dyn Host>) {
        self.gate.host = Some(host);
    }

    /// Counts those who come together with other workers.
    pub(crate) fn share_door(&mut self, door: &Arc<Door>) {
        self.door = Arc::clone(door);
    }

    /// The group of the listener that a connection came by.
    pub fn group(&self, id: ConnectionId) -> u8 {
        self.connections
            .get(id)
            .map_or(0, |connection| connection.group)
    }

    /// Accepts what waits, within bounds; tells whether there may be more.
    pub(super) fn accept_some(&mut self, index: usize, inbox: &mut Inbox) -> bool {
        let may_be_more = self.accept_portion(index, inbox);
        if let Some(host) = &mut self.gate.host {
            host.deliver();
        }
        may_be_more
    }

    fn accept_portion(&mut self, index: usize, inbox: &mut Inbox) -> bool {
        let mut refused = 0;
        for _ in 0..ACCEPT_BATCH {
            let Some(Some(listener)) = self.gate.listeners.get(index) else {
                return false;
            };
            match acceptfrom_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
                Ok((socket, address)) => {
                    let address = address.and_then(|address| SocketAddr::try_from(address).ok());
                    let arrival = Arrival {
                        socket,
                        peer: Peer::of(address),
                        group: listener.group(),
                        tls: listener.tls().map(Arc::clone),
                        proxied: listener.is_behind_proxy(),
                        seat: Seat::NONE,
                    };
                    self.admit(arrival, inbox);
                }
                Err(Errno::AGAIN) => return false,
                Err(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => {
                    refused += 1;
                    if refused > REFUSE_BATCH || !self.refuse_one(index) {
                        self.rest();
                        return false;
                    }
                }
                // Everything else is the fate of that one connection (accept(2): ECONNABORTED, EPROTO, ENETDOWN …).
                Err(_) => self.stats.refused += 1,
            }
        }
        true
    }

    fn admit(&mut self, mut arrival: Arrival, inbox: &mut Inbox) {
        // Who looks after the server comes in even when it is full.
        if arrival.group == 0
            && let Err(limit) = self.look_over(&mut arrival)
        {
            return self.turn_away(arrival, limit);
        }
        let arrival = match &mut self.gate.host {
            Some(host) => host.place(arrival),
            None => Some(arrival),
        };
        if let Some(arrival) = arrival {
            self.adopt(arrival, inbox);
        }
    }

    /// Whether there is room for a connection, and for one more of its address.
    fn look_over(&mut self, arrival: &mut Arrival) -> Result<(), Limit> {
        let peer = arrival.peer;
        let limit = self.settings.connection_limit;
        if limit > 0 && self.present() >= limit && self.exceeds(Limit::Connections, Some(peer)) {
            return Err(Limit::Connections);
        }
        if arrival.proxied {
            // Its client is met as soon as the proxy has named him.
            let is_trusted = self.settings.limits.may_proxy(peer.address());
            return is_trusted.then_some(()).ok_or(Limit::Proxy);
        }
        if let Some(address) = peer.address() {
            arrival.seat = match self.door.enter(address) {
                Ok(seat) => seat,
                Err(seat) if self.exceeds(Limit::AddressConnections, Some(peer)) => {
                    self.door.leave(seat);
                    return Err(Limit::AddressConnections);
                }
                Err(seat) => seat,
            };
        }
        if arrival.tls.is_some() && !self.may_shake(peer) {
            self.door.leave(arrival.seat);
            return Err(Limit::Handshakes);
        }
        Ok(())
    }

    /// Connections in all, without those that only stay to hear that they are refused.
    fn present(&self) -> usize {
        let all = match &self.gate.host {
            Some(host) => host.connection_count(),
            None => self.connections.len(),
        };
        all.saturating_sub(self.door.lingering())
    }

    /// Says why, as far as that costs nothing: a few at a time wait until they have been heard. Closing at once would answer a
    /// request that is already there with a reset, which could destroy the answer.
    fn turn_away(&mut self, arrival: Arrival, limit: Limit) {
        self.stats.refused += 1;
        let refusal = match limit {
            Limit::Proxy => {
                self.exceeds(limit, Some(arrival.peer));
                return;
            }
            Limit::AddressConnections => Refusal::too_many("too many connections from you"),
            _ => Refusal::busy("too many connections at present"),
        };
        // Before a TLS handshake nothing could be said that would be understood.
        if arrival.tls.is_some() || !self.door.may_linger() {
            return;
        }
        let deadline = self.clock.tick() + self.spans.close;
        let (socket, peer) = (arrival.socket, arrival.peer);
        self.stats.accepted += 1;
        if let Some(host) = &mut self.gate.host {
            host.keep();
        }
        if let Some(id) = self.register(socket, peer, Phase::Linger, deadline, Interest::IN) {
            self.door.linger();
            if let Some(connection) = self.connections.get_mut(id) {
                connection.flags.seldom.set(Seldom::TURNED_AWAY, true);
            }
            self.refuse(id, &refusal);
        }
    }

    /// Serves a connection that has been accepted, here or by another worker.
    pub(crate) fn adopt(&mut self, arrival: Arrival, inbox: &mut Inbox) {
        self.stats.accepted += 1;
        let Arrival {
            socket,
            peer,
            group,
            tls,
            proxied,
            seat,
        } = arrival;
        let phase = if proxied {
            Phase::Preface(Box::new(Preface::before(tls.clone())))
        } else {
            Connection::idle_head()
        };
        let deadline = self.clock.tick() + self.patience();
        let Some(id) = self.register(socket, peer, phase, deadline, Interest::IN) else {
            self.door.leave(seat);
            self.stats.refused += 1;
            return;
        };
        let connection = self.connections.get_mut(id).expect("registered above");
        connection.group = group;
        connection.seat = seat;
        connection
            .flags
            .seldom
            .set(Seldom::HAS_SHAKEN, tls.is_some());
        if let Some(context) = tls
            && !proxied
            && !self.secure(id, &context)
        {
            return;
        }
        // Usually the request is there already.
        if inbox.id.is_none() && !inbox.is_none() {
            self.on_ready(id, Interest::empty(), inbox);
        }
    }

    /// No descriptor is left: who has waited longest is accepted by means of the spare one, and closed. False when even
    /// that is not possible.
    fn refuse_one(&mut self, index: usize) -> bool {
        self.gate.spare = None;
        let Some(Some(listener)) = self.gate.listeners.get(index) else {
            return false;
        };
        let accepted = acceptfrom_with(listener, SocketFlags::CLOEXEC).map(drop);
        self.gate.spare = spare().ok();
        self.stats.refused += u64::from(accepted.is_ok());
        self.gate.spare.is_some() && matches!(accepted, Ok(()) | Err(Errno::AGAIN))
    }

    fn rest(&mut self) {
        self.stats.accept_pauses += 1;
        let until = self.clock.tick() + REST_TICKS;
        self.gate.rest(&self.reactor, until);
        self.upcoming = self.upcoming.min(until);
    }
}
