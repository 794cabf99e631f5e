//! What the binding knows of each connection: its route, and its Python object once it has one.

use hubbub_server::ConnectionId;
use pyo3::prelude::*;

use crate::client::Wish;
use crate::websocket::WebSocket;

/// A connection without a route of ours: we opened it.
pub(crate) const NO_ROUTE: usize = usize::MAX;

/// One connection. Small, because idle connections have nothing else on this side.
pub(crate) struct Peer {
    pub(crate) id: ConnectionId,
    pub(crate) route: usize,
    /// The request's head, for those who ask for it later.
    pub(crate) head: Box<[u8]>,
    pub(crate) socket: Option<Py<WebSocket>>,
    /// A connection that we are opening: what was asked for, and who waits.
    pub(crate) wish: Option<Box<(Wish, Py<PyAny>)>>,
}

/// By slot, as in the worker's own table.
#[derive(Default)]
pub(crate) struct Peers {
    slots: Vec<Option<Peer>>,
    /// The engine's bound method `drain`, where a foreign loop must be asked for a turn.
    pub(crate) drain: Option<Py<PyAny>>,
}

impl Peers {
    pub(crate) fn insert(&mut self, peer: Peer) {
        let slot = peer.id.slot();
        if slot >= self.slots.len() {
            self.slots.resize_with(slot + 1, || None);
        }
        self.slots[slot] = Some(peer);
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Peer> {
        self.slots
            .get_mut(id.slot())?
            .as_mut()
            .filter(|peer| peer.id == id)
    }

    pub(crate) fn head(&self, id: ConnectionId) -> Option<&[u8]> {
        let peer = self
            .slots
            .get(id.slot())?
            .as_ref()
            .filter(|peer| peer.id == id)?;
        Some(&peer.head)
    }

    pub(crate) fn remove(&mut self, id: ConnectionId) -> Option<Peer> {
        self.slots.get_mut(id.slot())?.take_if(|peer| peer.id == id)
    }

    /// All of them, so that their Python objects are dropped where that may run Python code.
    pub(crate) fn clear(&mut self) -> Vec<Option<Peer>> {
        std::mem::take(&mut self.slots)
    }
}
