//! What happens before memory runs out: a ladder, whose steps are taken one by one as the held bytes approach the budget.
//!
//! From 70 % on buffers are shrunk to what is in them; from 80 % on the largest holders are not read; from 90 % on new requests are
//! refused; and at the budget itself the largest are closed (see `budget`). A step is left ten points below where it was taken,
//! so that nobody dances on an edge; each is told once when it is taken.

use super::{Notice, Worker};
use crate::event::Raw;
use crate::id::ConnectionId;
use crate::limits::Limit;

/// Where each step begins, in percent of the budget.
const STEPS: [usize; 4] = [70, 80, 90, 100];
/// So far below that it ends.
const BACK: usize = 10;
/// Who holds as much is among the largest: more than a read brings, or an idle connection ever has.
const LARGE_BYTES: u32 = 64 << 10;

/// See the module.
pub(super) struct Pressure {
    /// How many steps have been taken: 0 to 4.
    level: u8,
    limit_bytes: usize,
    /// From here on, the next step; below the other, the one before.
    up_bytes: usize,
    down_bytes: usize,
    /// Something is to be done before the next wait.
    is_due: bool,
    shrinks: bool,
    /// Those that are not read, because they hold much.
    squeezed: Vec<ConnectionId>,
}

impl Pressure {
    pub(super) fn new(limit_bytes: usize) -> Self {
        let mut pressure = Self {
            level: 0,
            limit_bytes,
            up_bytes: 0,
            down_bytes: 0,
            is_due: false,
            shrinks: false,
            squeezed: Vec::new(),
        };
        pressure.take(0);
        pressure
    }

    /// How many steps have been taken.
    pub(super) fn level(&self) -> u8 {
        self.level
    }

    #[inline]
    pub(super) fn is_due(&self) -> bool {
        self.is_due
    }

    /// So much is held now by somebody who is not read for holding much: to be looked at, if that is little.
    #[inline]
    pub(super) fn weigh_squeezed(&mut self, charged: u32) {
        self.is_due |= holds_little(charged);
    }

    fn part(&self, percent: usize) -> usize {
        (self.limit_bytes as u128 * percent as u128 / 100) as usize
    }

    fn take(&mut self, level: u8) {
        self.level = level;
        let index = usize::from(level);
        self.up_bytes = STEPS.get(index).map_or(usize::MAX, |step| self.part(*step));
        self.down_bytes = match index.checked_sub(1) {
            Some(below) => self.part(STEPS[below] - BACK),
            None => 0,
        };
    }

    /// The level for so many bytes, given the present one.
    #[inline]
    fn is_left(&self, held_bytes: usize) -> bool {
        held_bytes >= self.up_bytes || held_bytes < self.down_bytes
    }
}

/// Whether who was not read for holding much is read again.
fn holds_little(charged: u32) -> bool {
    charged < LARGE_BYTES / 2
}

impl Worker {
    /// How close the held bytes are to their budget: 0, or the step that has been taken, 1 to 4.
    pub fn pressure(&self) -> u8 {
        self.pressure.level()
    }

    /// After a change of what is held.
    #[inline]
    pub(super) fn weigh(&mut self) {
        if self.pressure.is_left(self.held_bytes) {
            self.change_step();
        }
    }

    #[cold]
    fn change_step(&mut self) {
        let before = self.pressure.level;
        while self.held_bytes >= self.pressure.up_bytes {
            let level = self.pressure.level + 1;
            self.pressure.take(level);
            match level {
                1 => {
                    self.pressure.shrinks = true;
                    self.stats.memory_shrinks += 1;
                }
                2 => self.stats.memory_squeezes += 1,
                3 => self.stats.memory_closures += 1,
                _ => self.stats.memory_sheds += 1,
            }
        }
        while self.held_bytes < self.pressure.down_bytes {
            self.pressure.take(self.pressure.level - 1);
        }
        self.pressure.is_due = true;
        if self.pressure.level > before {
            self.told.push_back(Raw::Notice(Notice {
                limit: Limit::Held,
                times: 1,
                peer: None,
                dry_run: false,
                step: self.pressure.level,
                why: "".into(),
            }));
        }
    }

    /// Does what a change of step asks for, where nothing else is under way.
    #[cold]
    pub(super) fn relieve(&mut self) {
        self.pressure.is_due = false;
        if std::mem::take(&mut self.pressure.shrinks) {
            self.shrink_all();
        }
        let all_go = self.pressure.level < 2;
        let mut squeezed = std::mem::take(&mut self.pressure.squeezed);
        squeezed.retain(|&id| {
            let Some(connection) = self.connections.get_mut(id) else {
                return false;
            };
            let goes = all_go || holds_little(connection.charged);
            if goes {
                connection.flags.squeezed = false;
                connection.seen = self.clock.tick();
                self.read_on(id);
            }
            !goes
        });
        squeezed.append(&mut self.pressure.squeezed);
        self.pressure.squeezed = squeezed;
    }

    /// Gives back what buffers have room for and do not hold.
    fn shrink_all(&mut self) {
        self.pool.clear();
        let mut change = 0;
        for connection in self.connections.iter_mut() {
            if connection.charged > 0 {
                connection.shrink();
                change += connection.recharge();
            }
        }
        self.add_held(change);
    }

    /// After a read: whoever holds much is read no further for now, if memory is short.
    #[inline]
    pub(super) fn squeeze(&mut self, id: ConnectionId) {
        if self.pressure.level < 2 {
            return;
        }
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if !connection.flags.squeezed
            && connection.charged >= LARGE_BYTES
            && !self.settings.tries(Limit::Held)
        {
            connection.flags.squeezed = true;
            self.stats.memory_paused += 1;
            self.pressure.squeezed.push(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_taken_in_order_and_left_lower() {
        let mut pressure = Pressure::new(1000);
        let mut levels = Vec::new();
        for held in [
            0, 699, 700, 650, 600, 599, 850, 790, 700, 699, 599, 1000, 905, 899, 0,
        ] {
            while held >= pressure.up_bytes {
                pressure.take(pressure.level + 1);
            }
            while held < pressure.down_bytes {
                pressure.take(pressure.level - 1);
            }
            levels.push(pressure.level());
        }
        assert_eq!(levels, [0, 0, 1, 1, 1, 0, 2, 2, 2, 1, 0, 4, 4, 3, 0]);
    }

    #[test]
    fn a_budget_without_end_has_no_steps() {
        let pressure = Pressure::new(usize::MAX);
        assert!(!pressure.is_left(0) && !pressure.is_left(1 << 40));
    }
}
