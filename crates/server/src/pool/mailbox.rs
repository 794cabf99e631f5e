//! Mailboxes and the bell beside them: how threads hand each other batches without a wake-up for each message.
//!
//! **The protocol.** A sleeper arms the bell, *then* looks into every mailbox, and sleeps only if all are empty. A sender
//! puts something in, *then* looks at the bell, and rings if it was armed. The mailbox's mutex orders the two: either the
//! sleeper's look comes later and sees what was put in, or the sender's lock comes later and the armed bell is visible.
//! So no wake-up is lost, and a sleeper is woken once however much is put in. `tests/wake_up.rs` checks the interleavings of
//! this very file; that is why it takes its primitives from `super::sync`.

use super::sync::{Arc, AtomicBool, Mutex, MutexGuard, Ordering, PoisonError};

/// Makes a sleeper's wait end.
pub(crate) trait Ring {
    /// Ends the wait that is going on, or the next one.
    fn ring(&self);
}

/// Whether somebody sleeps, and what wakes them. One sleeper; any number of mailboxes.
pub(crate) struct Bell<R> {
    armed: AtomicBool,
    /// The sleeper is awake, and has so much to do that more will be heard of it soon.
    busy: AtomicBool,
    ringer: R,
}

impl<R: Ring> Bell<R> {
    pub(crate) fn new(ringer: R) -> Self {
        Self {
            // Whoever has not waited yet is not looking into its mailboxes either.
            armed: AtomicBool::new(true),
            busy: AtomicBool::new(false),
            ringer,
        }
    }

    /// From now on senders ring. The caller looks into its mailboxes after this, and before it sleeps.
    pub(crate) fn arm(&self) {
        self.armed.swap(true, Ordering::AcqRel);
    }

    /// The sleeper is awake, and looks into its mailboxes again before it sleeps.
    pub(crate) fn disarm(&self) {
        self.armed.swap(false, Ordering::AcqRel);
    }

    /// The sleeper tells whether more will be heard of it soon. A hint: no wake-up depends on it.
    pub(crate) fn set_busy(&self, is_busy: bool) {
        self.busy.store(is_busy, Ordering::Relaxed);
    }

    /// Whether more will be heard of the sleeper soon.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed)
    }

    /// Wakes the sleeper if it may be asleep.
    fn ring_if_armed(&self) {
        if self.armed.swap(false, Ordering::AcqRel) {
            self.ringer.ring();
        }
    }

    /// Wakes the sleeper, whatever it thinks.
    pub(crate) fn ring(&self) {
        self.ringer.ring();
    }

    /// What rings.
    pub(crate) fn ringer(&self) -> &R {
        &self.ringer
    }
}

/// Something that one side fills and the other takes, and the bell of the side that takes.
pub(crate) struct Mailbox<T, R> {
    content: Mutex<T>,
    bell: Arc<Bell<R>>,
}

impl<T: Default, R: Ring> Mailbox<T, R> {
    pub(crate) fn new(bell: Arc<Bell<R>>) -> Self {
        Self {
            content: Mutex::new(T::default()),
            bell,
        }
    }

    pub(crate) fn bell(&self) -> &Bell<R> {
        &self.bell
    }

    /// Puts something in, and wakes whoever takes it if they sleep.
    #[inline]
    pub(crate) fn put<A>(&self, act: impl FnOnce(&mut T) -> A) -> A {
        let result = act(&mut self.lock());
        self.bell.ring_if_armed();
        result
    }

    /// Puts something in that can wait until there is another reason to wake, unless it is urgent. That is asked afterwards:
    /// a sleeper that says so before its last look into the mailbox misses nothing, by the same argument as above.
    pub(crate) fn put_lazily(&self, act: impl FnOnce(&mut T), is_urgent: impl FnOnce() -> bool) {
        act(&mut self.lock());
        if is_urgent() {
            self.bell.ring_if_armed();
        }
    }

    /// Takes everything, and leaves an empty vessel in its place.
    pub(crate) fn exchange(&self, empty: &mut T) {
        std::mem::swap(&mut *self.lock(), empty);
    }

    /// Looks in without taking.
    pub(crate) fn look<A>(&self, act: impl FnOnce(&T) -> A) -> A {
        act(&self.lock())
    }

    /// A sender that panicked has put in a whole thing or nothing: what is there can be used.
    fn lock(&self) -> MutexGuard<'_, T> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
