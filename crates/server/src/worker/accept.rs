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

use super::{Inbox, Worker};
use crate::connection::{Arrival, Connection, Peer};
use crate::id::ConnectionId;
use crate::listener::Listener;
use crate::reactor::{Interest, Reactor, Token};

/// How many connections one turn takes from one listener.
const ACCEPT_BATCH: usize = 128;
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
    /// Finds a place for a connection in another worker, or gives it back.
    host: Option<Host>,
}

/// See [`Worker::accept_for`].
pub(crate) type Host = Box<dyn FnMut(Arrival) -> Option<Arrival> + Send>;

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

    /// Asks `host` of every accepted connection whether it is for another worker.
    pub(crate) fn accept_for(&mut self, host: Host) {
        self.gate.host = Some(host);
    }

    /// The group of the listener that a connection came by.
    pub fn group(&self, id: ConnectionId) -> u8 {
        self.connections
            .get(id)
            .map_or(0, |connection| connection.group)
    }

    /// Accepts what waits, within bounds; tells whether there may be more.
    pub(super) fn accept_some(&mut self, index: usize, inbox: &mut Inbox) -> bool {
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
                    };
                    match &mut self.gate.host {
                        None => self.admit(arrival, inbox),
                        Some(host) => {
                            if let Some(arrival) = host(arrival) {
                                self.adopt(arrival, inbox);
                            }
                        }
                    }
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

    fn admit(&mut self, arrival: Arrival, inbox: &mut Inbox) {
        let limit = self.settings.connection_limit;
        if limit > 0 && self.connections.len() >= limit {
            // Dropping the socket closes it; a 503 would need a place to wait.
            self.stats.refused += 1;
            return;
        }
        self.adopt(arrival, inbox);
    }

    /// Serves a connection that has been accepted, here or by another worker.
    pub(crate) fn adopt(&mut self, arrival: Arrival, inbox: &mut Inbox) {
        self.stats.accepted += 1;
        let Arrival {
            socket,
            peer,
            group,
            tls,
        } = arrival;
        let deadline = self.clock.tick() + self.patience();
        let Some(id) = self.register(
            socket,
            peer,
            Connection::idle_head(),
            deadline,
            Interest::IN,
        ) else {
            self.stats.refused += 1;
            return;
        };
        let connection = self.connections.get_mut(id).expect("registered above");
        connection.group = group;
        if let Some(context) = tls
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
