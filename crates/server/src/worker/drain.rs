//! Taking leave: the last guests are let in, requests under way are the last of their connections, who is idle is let go.
//!
//! When each WebSocket is closed is the caller's to say, a few at a time (see `leave`); so is until when to wait.

use super::{Inbox, Worker};
use crate::clock::{Tick, ticks};
use crate::connection::{Phase, Seldom};
use crate::id::ConnectionId;

/// Most turns of accepting for what waits in one listener's queue; the kernel's own bound for it is 65,535.
const LAST_TURNS: usize = 4096;

/// How connections without a request are let go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Farewell {
    /// At once: whoever stops the server waits for it.
    Brisk,
    /// Who has just come may ask within this time, in seconds, and closing is left to the peer.
    Polite(f64),
}

impl Worker {
    /// Accepts no more, in this group or, without one, at all; what is connected stays. `accept_waiting`: what waits in the queues is let in first, as it would be
    /// reset with them. If another process accepts from the same queues, it is left there.
    pub fn stop_listening(&mut self, group: Option<u8>, accept_waiting: bool) {
        // Nothing of theirs is read now: a batch may be under way. The poller tells, as soon as there is something.
        let mut inbox = Inbox::none();
        for index in self
            .gate
            .indices(group)
            .filter(|_| accept_waiting)
            .collect::<Vec<_>>()
        {
            for _ in 0..LAST_TURNS {
                if !self.accept_some(index, &mut inbox) {
                    break;
                }
            }
        }
        self.gate.stop(&self.reactor, group);
    }

    /// From now on every response is the last of its connection, and who has not asked anything is let go.
    pub fn begin_drain(&mut self, farewell: Farewell) {
        self.farewell = Some(farewell);
        let now = self.clock.tick();
        let idle: Vec<_> = self
            .connections
            .iter()
            .filter(|(_, connection)| !connection.flags.is_client)
            .filter_map(|(id, connection)| match &connection.phase {
                Phase::Head { partial, .. }
                    if farewell == Farewell::Brisk || partial.is_empty() =>
                {
                    Some((id, connection.flags.seldom.has(Seldom::HAS_ASKED)))
                }
                _ => None,
            })
            .collect();
        for (id, has_asked) in idle {
            // Deadlines are looked at in portions; closing thousands of sockets here would hold up all others.
            let patience = if has_asked { 0 } else { self.patience() };
            if let Some(connection) = self.connections.get_mut(id) {
                connection.deadline = connection.deadline.min(now.saturating_add(patience));
            }
            self.arm(id);
        }
    }

    /// Whether responses still promise to keep their connection.
    pub(super) fn keeps_alive(&self) -> bool {
        self.farewell.is_none()
    }

    /// How long a connection may be silent before its first request, in ticks.
    pub(super) fn patience(&self) -> Tick {
        match self.farewell {
            None => self.spans.head,
            Some(Farewell::Brisk) => 0,
            Some(Farewell::Polite(seconds)) => self.spans.head.min(ticks(seconds)),
        }
    }

    /// Ends a connection that has asked nothing when its time was over. True if it was its time because of a drain.
    pub(super) fn let_go(&mut self, id: ConnectionId) -> bool {
        match self.farewell {
            None => return false,
            Some(Farewell::Brisk) => self.broken(id, None),
            // A request may be on its way: reading on until the peer has seen the end spares it a reset.
            Some(Farewell::Polite(_)) => self.finish_after_flush(id),
        }
        true
    }

    /// The accepted connections that are WebSockets, and open.
    pub(crate) fn accepted_ids(&self) -> impl Iterator<Item = ConnectionId> {
        self.connections
            .iter()
            .filter(|(_, connection)| connection.is_open() && !connection.flags.is_client)
            .map(|(id, _)| id)
    }

    /// Ends everything that was accepted, at once: no close frames, no lingering. The application is told.
    pub fn drop_accepted(&mut self) {
        let all: Vec<_> = self
            .connections
            .iter()
            .filter(|(_, connection)| !connection.flags.is_client)
            .map(|(id, _)| id)
            .collect();
        for id in all {
            if let Some(connection) = self.connections.get(id)
                && connection.is_mid_answer()
            {
                connection.end_by_reset();
            }
            self.broken(id, None);
        }
    }
}
