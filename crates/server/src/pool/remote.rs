//! One thread, as seen from the application's side.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hubbub_hub::Topics;

use super::command::{Command, Commands};
use super::mirror::Mirrors;
use super::thread::Shared;
use crate::id::ConnectionId;
use crate::tally::Tally;

/// How much work may wait for one thread, in deliveries, before the application's side waits, too.
pub(super) const BACKLOG: usize = 1 << 16;
/// How long the application's side waits for a thread that gets no processor, before it treats the outbox as full.
const PATIENCE: Duration = Duration::from_secs(1);

/// See the module.
pub(super) struct Remote {
    pub(super) shared: Arc<Shared>,
    pub(super) mirrors: Mirrors,
    /// Who in that thread hears what; the thread keeps the same table, changed by the same commands.
    pub(super) topics: Topics<ConnectionId>,
    pub(super) tally: Arc<Tally>,
    pub(super) handle: Option<JoinHandle<()>>,
}

impl Remote {
    #[inline]
    pub(super) fn tell(&self, command: Command, weight: usize) {
        self.put(weight, |commands| commands.list.push(command));
    }

    /// Hands the thread commands that are so much work for it.
    #[inline]
    pub(super) fn put(&self, weight: usize, put: impl FnOnce(&mut Commands)) {
        let backlog = self.shared.commands.put(|commands| {
            put(commands);
            commands.weight += weight;
            commands.weight
        });
        if backlog > BACKLOG {
            self.pace();
        }
    }

    /// Waits until the thread has taken what it was told: an application that publishes faster than a thread can write
    /// would otherwise fill the memory. With the worker in its own thread it would have done that writing itself.
    #[cold]
    fn pace(&self) {
        wait_until(|| {
            self.shared.is_over() || self.shared.commands.look(|told| told.weight) <= BACKLOG
        });
    }
}

/// Looks again and again, at first eagerly. False when patience has run out.
pub(super) fn wait_until(mut is_so: impl FnMut() -> bool) -> bool {
    const EAGERLY: u32 = 32;
    let start = Instant::now();
    let mut turn = 0;
    while !is_so() {
        if turn < EAGERLY {
            turn += 1;
            std::thread::yield_now();
        } else if start.elapsed() > PATIENCE {
            return false;
        } else {
            std::thread::sleep(Duration::from_micros(50));
        }
    }
    true
}
