//! State that belongs to the thread of one event loop.

#![allow(unsafe_code)]

use std::cell::{Cell, UnsafeCell};
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::PyResult;

use crate::errors;

unsafe extern "C" {
    /// POSIX's name for the calling thread: two instructions, a thread-local variable of a shared library is some thirty.
    safe fn pthread_self() -> usize;
}

/// A value that only its owner's thread may touch, one caller at a time.
///
/// Python lets any thread call any method. An engine takes no lock for that: a call from a foreign thread is the
/// caller's mistake and is told as such.
pub(crate) struct LoopCell<T> {
    owner: AtomicUsize,
    busy: Cell<bool>,
    value: UnsafeCell<T>,
}

// SAFETY: `value` and `busy` are reached only through `with`, which refuses every thread but the owner's; `owner` is atomic.
// The value may be dropped on another thread, but only when nobody holds a reference any more.
unsafe impl<T> Sync for LoopCell<T> {}
// SAFETY: as above.
unsafe impl<T> Send for LoopCell<T> {}

impl<T> LoopCell<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            owner: AtomicUsize::new(pthread_self()),
            busy: Cell::new(false),
            value: UnsafeCell::new(value),
        }
    }

    /// From now on the value belongs to the calling thread. Only for the start of a loop, before anything is shared.
    pub(crate) fn adopt(&self) {
        self.owner.store(pthread_self(), Ordering::Relaxed);
    }

    pub(crate) fn is_owned(&self) -> bool {
        self.owner.load(Ordering::Relaxed) == pthread_self()
    }

    /// The same for who must not touch Python, such as its garbage collector: `None` on another thread, or within `with`.
    pub(crate) fn look<R>(&self, act: impl FnOnce(&T) -> R) -> Option<R> {
        if !self.is_owned() || self.busy.replace(true) {
            return None;
        }
        let _release = Release(&self.busy);
        // SAFETY: as in `with`.
        Some(act(unsafe { &*self.value.get() }))
    }

    /// Lets `act` see the value. It must not run Python code that could come back here.
    #[inline]
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut T) -> R) -> PyResult<R> {
        if !self.is_owned() {
            return Err(errors::misuse(
                "called from another thread than the event loop's: use loop.call_soon_threadsafe",
            ));
        }
        if self.busy.replace(true) {
            return Err(errors::misuse("called from within the engine"));
        }
        let _release = Release(&self.busy);
        // SAFETY: this is the owner's thread, and `busy` shows that no other reference is alive: it is set for as long as
        // `act` runs, and it is cleared by a guard even if `act` panics.
        Ok(act(unsafe { &mut *self.value.get() }))
    }
}

struct Release<'a>(&'a Cell<bool>);

impl Drop for Release<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}
