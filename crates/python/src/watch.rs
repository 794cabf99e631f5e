//! Since when the loop's thread has been at work, and a wait of another thread for that to become too long.
//!
//! That wait takes no GIL. A thread of Python's that looked at the clock ever so often would have to have it each time, and
//! where the loop is busy nothing costs it more: each of its looks at its sockets wakes whoever waits for the GIL, and after
//! five milliseconds it has to stand still until that thread has had its turn on some processor.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hubbub_server::monotonic_ms;

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
    /// When the stretch of work began that was told last.
    since_ms: u64,
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

    /// Waits until the loop's thread has been at work for longer than `limit`: for how long. Each stretch of work is told
    /// once. None when it is over.
    pub(crate) fn wait(&self, limit: Duration) -> Option<Duration> {
        let mut told = self.lock();
        while !told.is_over {
            let since_ms = self.busy_since_ms.load(Ordering::Relaxed);
            if since_ms != 0 && since_ms != told.since_ms {
                let blocked = Duration::from_millis(monotonic_ms().saturating_sub(since_ms));
                if blocked >= limit {
                    told.since_ms = since_ms;
                    return Some(blocked);
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
