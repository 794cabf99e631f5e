//! What the binding knows of each connection: its route, and its Python object once it has one.

use hubbub_server::ConnectionId;
use pyo3::prelude::*;

use crate::client::Wish;
use crate::route::Route;
use crate::websocket::WebSocket;

/// What a connection has to do with the newest version of its module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Move {
    /// Nothing: it is there.
    #[default]
    Done,
    /// It has a new route, which it has not gone over to yet.
    Due,
    /// Its old handler's coroutine is to end first; messages wait meanwhile.
    UnderWay,
    /// There is no such endpoint any more.
    Out,
}

/// One connection. Small, because idle connections have nothing else on this side.
pub(crate) struct Peer {
    pub(crate) id: ConnectionId,
    /// `None`: we opened it.
    pub(crate) route: Option<Py<Route>>,
    pub(crate) moves: Move,
    /// The end of each read is told, because there was a coroutine from the start.
    pub(crate) tells_read_end: bool,
    /// The request's head, for those who ask for it later.
    pub(crate) head: Box<[u8]>,
    pub(crate) socket: Option<Py<WebSocket>>,
    /// A connection that we are opening: what was asked for, and who waits.
    pub(crate) wish: Option<Box<(Wish, Py<PyAny>)>>,
}

/// By worker and slot, as in the workers' own tables.
#[derive(Default)]
pub(crate) struct Peers {
    /// Of the worker in the loop's thread.
    local: Slots,
    /// Of the other threads, from number 1 on.
    others: Vec<Slots>,
    /// The engine's bound method `drain`, where a foreign loop must be asked for a turn.
    pub(crate) drain: Option<Py<PyAny>>,
}

type Slots = Vec<Option<Peer>>;

impl Peers {
    pub(crate) fn insert(&mut self, peer: Peer) {
        let (worker, slot) = (usize::from(peer.id.worker()), peer.id.slot());
        if worker > self.others.len() {
            self.others.resize_with(worker, Vec::new);
        }
        let slots = match worker {
            0 => &mut self.local,
            number => &mut self.others[number - 1],
        };
        if slot >= slots.len() {
            slots.resize_with(slot + 1, || None);
        }
        slots[slot] = Some(peer);
    }

    #[inline]
    fn place(&mut self, id: ConnectionId) -> Option<&mut Option<Peer>> {
        let slots = match usize::from(id.worker()) {
            0 => &mut self.local,
            number => self.others.get_mut(number - 1)?,
        };
        slots.get_mut(id.slot())
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Peer> {
        self.place(id)?.as_mut().filter(|peer| peer.id == id)
    }

    pub(crate) fn remove(&mut self, id: ConnectionId) -> Option<Peer> {
        self.place(id)?.take_if(|peer| peer.id == id)
    }

    /// All of them.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Peer> {
        let others = self.others.iter_mut().flatten();
        self.local.iter_mut().chain(others).flatten()
    }

    /// All of them, taken out, so that their Python objects are dropped where that may run Python code.
    pub(crate) fn clear(&mut self) -> Vec<Option<Peer>> {
        let others = std::mem::take(&mut self.others);
        let mut all = std::mem::take(&mut self.local);
        all.extend(others.into_iter().flatten());
        all
    }
}
