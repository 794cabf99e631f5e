//! What is held for peers, in bytes, and what happens when it is too much.

use super::Worker;
use crate::connection::Phase;
use crate::event::{ClosedBy, Ending};
use crate::id::ConnectionId;
use crate::limits::Limit;

/// The close code for "try again later".
const TRY_LATER: u16 = 1013;

/// Leaves the largest in the list, in their order.
pub(crate) fn hold_largest(held: &mut Vec<(ConnectionId, usize)>, count: usize) {
    if held.len() > count && count > 0 {
        held.select_nth_unstable_by_key(count - 1, |&(_, bytes)| std::cmp::Reverse(bytes));
    }
    held.truncate(count);
    held.sort_by_key(|&(_, bytes)| std::cmp::Reverse(bytes));
}

impl Worker {
    /// Brings the account of one connection up to date, and the budget back into its bounds.
    #[inline]
    pub(super) fn charge(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let change = connection.recharge();
        if connection.flags.squeezed {
            self.pressure.weigh_squeezed(connection.charged);
        }
        if change != 0 {
            self.add_held(change);
        }
    }

    /// Changes what is held in all, and brings it back below the budget.
    pub(super) fn add_held(&mut self, change: isize) {
        self.held_bytes = self.held_bytes.saturating_add_signed(change);
        self.weigh();
        if self.held_bytes > self.settings.held_limit_bytes && !self.settings.tries(Limit::Held) {
            self.shed();
        }
    }

    /// Charges what the application holds on a connection's account, such as messages it has not taken yet.
    pub fn set_app_held(&mut self, id: ConnectionId, bytes: usize) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.app_held = bytes.min(u32::MAX as usize) as u32;
            self.charge(id);
        }
    }

    /// The connections for which most is held, and how much; largest first. Looks at all of them.
    pub fn largest(&self, count: usize) -> Vec<(ConnectionId, usize)> {
        let all = self.connections.iter();
        let mut held: Vec<_> = all
            .map(|(id, connection)| (id, connection.charged as usize))
            .collect();
        hold_largest(&mut held, count);
        held
    }

    /// Whether an answer, or a body, is on its way: nothing can be said in between.
    fn is_answering(&self, id: ConnectionId) -> bool {
        self.connections.get(id).is_some_and(|connection| {
            matches!(connection.phase, Phase::Exchange(_)) || connection.outbox.has_file()
        })
    }

    /// Closes the largest holders until the budget holds.
    #[cold]
    fn shed(&mut self) {
        while self.held_bytes > self.settings.held_limit_bytes {
            let largest = self
                .connections
                .iter()
                .max_by_key(|(_, connection)| connection.charged);
            let Some((id, charged)) = largest.map(|(id, connection)| (id, connection.charged))
            else {
                return;
            };
            if charged == 0 {
                return;
            }
            self.stats.over_budget += 1;
            if self.is_answering(id) {
                self.tell_closed(id, Ending::new(TRY_LATER, "", ClosedBy::Server));
                self.cut(id);
                continue;
            }
            self.abandon(id);
            self.fail(id, TRY_LATER, "server is out of memory for you");
            let Some(connection) = self.connections.get_mut(id) else {
                continue;
            };
            let change = connection.recharge();
            self.held_bytes = self.held_bytes.saturating_add_signed(change);
            if connection.charged >= charged {
                // What is left is a frame half sent: it can only be cut.
                self.broken(id, None);
            } else {
                self.flush_one(id);
            }
        }
    }
}
