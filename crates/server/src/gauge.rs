//! What a thread lets others read about one of its connections without asking: how much waits, and how far away the peer is.
//!
//! The thread that owns the connection writes; the application's side only reads (see `pool::mirror`).

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// In the place of the bytes applied: there is no outbox any more.
pub(crate) const ENDED: u64 = u64::MAX;

/// See the module. One for each connection that an application on another thread knows.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    /// Payload bytes of the application's messages that have reached the outbox, since the beginning.
    applied_bytes: AtomicU64,
    /// Bytes in the outbox.
    waiting_bytes: AtomicU64,
    /// Round-trip time of the last ping, in microseconds; 0 when none was measured.
    rtt_us: AtomicU32,
}

impl Gauge {
    /// The outbox holds so much. Told before [`Gauge::applied`], so that a reader finds a message twice rather than not at all.
    #[inline]
    pub(crate) fn waits(&self, bytes: usize) {
        let bytes = bytes as u64;
        if self.waiting_bytes.load(Ordering::Relaxed) != bytes {
            self.waiting_bytes.store(bytes, Ordering::Release);
        }
    }

    /// A message of the application's is no longer on its way here. One writer: no need to add atomically.
    #[inline]
    pub(crate) fn applied(&self, bytes: usize) {
        let so_far = self.applied_bytes.load(Ordering::Relaxed);
        self.applied_bytes
            .store(so_far + bytes as u64, Ordering::Release);
    }

    /// The connection is gone: nothing waits, and nothing more will be applied.
    pub(crate) fn end(&self) {
        self.waiting_bytes.store(0, Ordering::Release);
        self.applied_bytes.store(ENDED, Ordering::Release);
    }

    /// The last ping took so long.
    pub(crate) fn measured(&self, rtt_us: u32) {
        self.rtt_us.store(rtt_us, Ordering::Relaxed);
    }

    /// Bytes applied so far ([`ENDED`] once the connection is gone), and bytes that wait.
    #[inline]
    pub(crate) fn levels(&self) -> (u64, u64) {
        // In this order: what is counted as applied is in what waits, or has left.
        let applied = self.applied_bytes.load(Ordering::Acquire);
        (applied, self.waiting_bytes.load(Ordering::Acquire))
    }

    /// Round-trip time in microseconds; 0 when none was measured.
    pub(crate) fn rtt_us(&self) -> u32 {
        self.rtt_us.load(Ordering::Relaxed)
    }
}
