//! Since when the loop's thread has been at work, and a wait of another thread for that to become too long.
//!
//! That wait takes no GIL. A thread of Python's that looked at the clock ever so often would have to have it each time, and
//! where the loop is busy nothing costs it more: each of its looks at its sockets wakes whoever waits for the GIL, and after
//! five milliseconds it has to stand still until that thread has had its turn on some processor.
//!
//! Nor does the loop's thread say anything of the processors it has had: the one who watches looks it up whenever it finds
//! that thread at work, and once more where that has become too long.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hubbub_server::monotonic_ms;

use crate::processor::{Account, Spent};

/// See the module. One thread works, one watches.
#[derive(Default)]
pub(crate) struct Watch {
    /// In milliseconds of the monotonic clock; 0 while the loop's thread waits for its sockets.
    busy_since_ms: AtomicU64,
    told: Mutex<Told>,
    over: Condvar,
}

/// What the one who watches has been told.
#[derive(Default)]
struct Told {
    is_over: bool,
    /// The stretch of work that was seen last.
    stretch: Stretch,
}

/// A stretch of work, as far as it was watched.
#[derive(Default)]
struct Stretch {
    since_ms: u64,
    /// From when on it counts.
    from_ms: u64,
    /// When it was first seen, and what the thread had had then.
    seen: Option<(u64, Account)>,
    is_block_told: bool,
    is_famine_told: bool,
}

/// A stretch of work that has become too long.
pub(crate) struct Block {
    pub(crate) lasted: Duration,
    /// What most of it went to; None where the system does not tell.
    pub(crate) cause: Option<&'static str>,
    /// Which part of it the thread was at work.
    pub(crate) at_work: f64,
}

impl Watch {
    /// The loop's thread goes to work.
    #[inline]
    pub(crate) fn begin(&self, now_ms: u64) {
        self.busy_since_ms.store(now_ms, Ordering::Relaxed);
    }

    /// The loop's thread looks at its sockets.
    #[inline]
    pub(crate) fn end(&self) {
        self.busy_since_ms.store(0, Ordering::Relaxed);
    }

    /// Waits until the loop's thread, which the system knows by that number, has been at work for longer than `limit`.
    /// Each stretch of work is told once, and once more where it first only lacked a processor. None when it is over.
    pub(crate) fn wait(&self, limit: Duration, thread: u32) -> Option<Block> {
        let mut told = self.lock();
        let mut looked_ms = monotonic_ms();
        while !told.is_over {
            let now_ms = monotonic_ms();
            // Who comes much too late was stopped or starved itself, and cannot say what the other did meanwhile.
            let is_late = milliseconds(looked_ms, now_ms) > limit + limit / 2;
            looked_ms = now_ms;
            let since_ms = self.busy_since_ms.load(Ordering::Relaxed);
            if since_ms != 0 {
                if is_late || since_ms != told.stretch.since_ms {
                    told.stretch = Stretch::seen(since_ms, now_ms, is_late, thread);
                }
                if let Some(block) = told.stretch.look(now_ms, limit, thread) {
                    return Some(block);
                }
            }
            (told, _) = self
                .over
                .wait_timeout(told, limit / 2)
                .unwrap_or_else(PoisonError::into_inner);
        }
        None
    }

    /// Whoever waits is told that it is over, now and from now on.
    pub(crate) fn conclude(&self) {
        self.lock().is_over = true;
        self.over.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stretch {
    fn seen(since_ms: u64, now_ms: u64, is_late: bool, thread: u32) -> Self {
        Self {
            since_ms,
            from_ms: if is_late { now_ms } else { since_ms },
            seen: Account::of(thread).map(|account| (now_ms, account)),
            is_block_told: false,
            is_famine_told: false,
        }
    }

    /// What is to be told of it now. Waits for a processor are nobody's fault: they make no block.
    fn look(&mut self, now_ms: u64, limit: Duration, thread: u32) -> Option<Block> {
        let lasted = milliseconds(self.from_ms, now_ms);
        // Who has come late has seen too little of it to say why.
        let is_new = |&(seen_ms, _): &(u64, Account)| milliseconds(seen_ms, now_ms) < limit / 4;
        if lasted < limit || self.is_block_told || self.seen.as_ref().is_some_and(is_new) {
            return None;
        }
        let spent = self.spent(now_ms, thread);
        let queueing = spent.map_or(Duration::ZERO, |spent| spent.queueing);
        let cause = if lasted.saturating_sub(queueing) >= limit {
            self.is_block_told = true;
            spent.map(|spent| spent.cause())
        } else if queueing >= limit && !self.is_famine_told {
            self.is_famine_told = true;
            Some("queueing")
        } else {
            return None;
        };
        Some(Block {
            lasted,
            cause,
            at_work: spent.map_or(0.0, |spent| spent.at_work()),
        })
    }

    fn spent(&self, now_ms: u64, thread: u32) -> Option<Spent> {
        let (seen_ms, before) = self.seen?;
        Some(Account::of(thread)?.since(&before, milliseconds(seen_ms, now_ms)))
    }
}

fn milliseconds(from_ms: u64, to_ms: u64) -> Duration {
    Duration::from_millis(to_ms.saturating_sub(from_ms))
}
