//! What a waiting Task yields: it speaks the protocol of an asyncio Future, and wakes its Task on the spot.
//!
//! asyncio schedules a wake-up through the loop, which costs more than a message does. A Task that waits for an engine's
//! event is instead stepped directly from the engine's batch. To asyncio this object is a future like any other
//! (`_asyncio_future_blocking`, see asyncio.isfuture).

#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::exceptions::asyncio::CancelledError;
use pyo3::exceptions::asyncio::InvalidStateError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::cell::LoopCell;

/// The waiting of one Task at a time.
#[pyclass(frozen, module = "hubbub")]
pub(crate) struct Park {
    event_loop: Py<PyAny>,
    blocking: AtomicBool,
    state: LoopCell<State>,
}

#[derive(Default)]
struct State {
    done: bool,
    cancelled: Option<Option<Py<PyAny>>>,
    /// Nearly always there is one: the Task.
    first: Option<Waiter>,
    others: Vec<Waiter>,
}

/// A callback and the context to call it in.
type Waiter = (Py<PyAny>, Option<Py<PyAny>>);

impl State {
    /// Ends the wait; hands out who is to be told, unless they have been.
    fn end(&mut self) -> Option<(Option<Waiter>, Vec<Waiter>)> {
        if std::mem::replace(&mut self.done, true) {
            return None;
        }
        Some((self.first.take(), std::mem::take(&mut self.others)))
    }
}

impl Park {
    pub(crate) fn new(event_loop: Py<PyAny>) -> Self {
        Self {
            event_loop,
            blocking: AtomicBool::new(true),
            state: LoopCell::new(State::default()),
        }
    }

    /// Ends the wait and runs who waits, now. Exceptions that a Task does not keep to itself are the caller's.
    pub(crate) fn wake(&self, slf: &Bound<'_, Self>) -> PyResult<()> {
        let Some((first, others)) = self.state.with(State::end)? else {
            return Ok(());
        };
        for (callback, context) in first.into_iter().chain(others) {
            run_in_context(
                slf.py(),
                context.as_ref(),
                callback.bind(slf.py()),
                slf.as_any(),
            )?;
        }
        Ok(())
    }

    /// Whether somebody still waits.
    pub(crate) fn is_waiting(&self) -> PyResult<bool> {
        self.state.with(|state| !state.done)
    }

    /// Begins another wait. Only for an object that has been woken: its Task has been stepped and forgotten it.
    pub(crate) fn renew(&self) -> PyResult<()> {
        self.blocking.store(true, Ordering::Relaxed);
        let _old = self.state.with(|state| {
            state.done = false;
            state.cancelled.take()
        })?;
        Ok(())
    }
}

/// Calls `callback(argument)` the way asyncio's handles do: inside the context it was registered with.
fn run_in_context(
    py: Python<'_>,
    context: Option<&Py<PyAny>>,
    callback: &Bound<'_, PyAny>,
    argument: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let Some(context) = context else {
        return callback.call1((argument,)).map(drop);
    };
    // SAFETY: `context` is what asyncio passed as context=, and PyContext_Enter checks the type itself.
    if unsafe { ffi::PyContext_Enter(context.as_ptr()) } < 0 {
        return Err(PyErr::fetch(py));
    }
    let result = callback.call1((argument,)).map(drop);
    // SAFETY: it was entered above, on this thread, and everything entered since has been left.
    if unsafe { ffi::PyContext_Exit(context.as_ptr()) } < 0 {
        return Err(PyErr::fetch(py));
    }
    result
}

#[pymethods]
impl Park {
    #[getter(_asyncio_future_blocking)]
    fn blocking(&self) -> bool {
        self.blocking.load(Ordering::Relaxed)
    }

    #[setter(_asyncio_future_blocking)]
    fn set_blocking(&self, blocking: bool) {
        self.blocking.store(blocking, Ordering::Relaxed);
    }

    /// asyncio looks here when there is no `get_loop`: an attribute costs it less than a call.
    #[getter(_loop)]
    fn event_loop(&self, py: Python<'_>) -> Py<PyAny> {
        self.event_loop.clone_ref(py)
    }

    #[pyo3(signature = (callback, *, context=None))]
    fn add_done_callback(
        slf: &Bound<'_, Self>,
        callback: Py<PyAny>,
        context: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let late = slf.get().state.with(|state| {
            if state.done {
                return Some((callback, context));
            }
            let waiter = (callback, context);
            if state.first.is_none() {
                state.first = Some(waiter);
            } else {
                state.others.push(waiter);
            }
            None
        })?;
        match late {
            Some((callback, context)) => schedule(slf, callback, context),
            None => Ok(()),
        }
    }

    fn remove_done_callback(&self, callback: &Bound<'_, PyAny>) -> PyResult<usize> {
        let waiting: Vec<Waiter> = self.state.with(|state| {
            let first = state.first.take().into_iter();
            first.chain(std::mem::take(&mut state.others)).collect()
        })?;
        let before = waiting.len();
        let mut kept = Vec::with_capacity(before);
        for (known, context) in waiting {
            if !known.bind(callback.py()).eq(callback)? {
                kept.push((known, context));
            }
        }
        let removed = before - kept.len();
        self.state.with(|state| state.others.extend(kept))?;
        Ok(removed)
    }

    /// Called by Task.cancel: the Task is woken by the loop, as with any future, and finds the cancellation in `result`.
    #[pyo3(signature = (msg=None))]
    fn cancel(slf: &Bound<'_, Self>, msg: Option<Py<PyAny>>) -> PyResult<bool> {
        let ended = slf.get().state.with(|state| {
            let ended = state.end();
            if ended.is_some() {
                state.cancelled = Some(msg);
            }
            ended
        })?;
        let Some((first, others)) = ended else {
            return Ok(false);
        };
        for (callback, context) in first.into_iter().chain(others) {
            schedule(slf, callback, context)?;
        }
        Ok(true)
    }

    fn done(&self) -> PyResult<bool> {
        self.state.with(|state| state.done)
    }

    fn cancelled(&self) -> PyResult<bool> {
        self.state.with(|state| state.cancelled.is_some())
    }

    fn result(&self, py: Python<'_>) -> PyResult<()> {
        enum Outcome {
            Woken,
            Cancelled(Option<Py<PyAny>>),
            Waiting,
        }
        let outcome = self.state.with(|state| match &state.cancelled {
            Some(message) => {
                Outcome::Cancelled(message.as_ref().map(|message| message.clone_ref(py)))
            }
            None if state.done => Outcome::Woken,
            None => Outcome::Waiting,
        })?;
        match outcome {
            Outcome::Woken => Ok(()),
            Outcome::Cancelled(Some(message)) => Err(CancelledError::new_err((message,))),
            Outcome::Cancelled(None) => Err(CancelledError::new_err(())),
            Outcome::Waiting => Err(InvalidStateError::new_err("result is not ready")),
        }
    }

    fn exception(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        self.result(py).map(|()| None)
    }
}

/// Leaves a callback to the loop.
fn schedule(
    slf: &Bound<'_, Park>,
    callback: Py<PyAny>,
    context: Option<Py<PyAny>>,
) -> PyResult<()> {
    let py = slf.py();
    let keywords = PyDict::new(py);
    if let Some(context) = context {
        keywords.set_item("context", context)?;
    }
    let arguments = PyTuple::new(py, [callback.bind(py), slf.as_any()])?;
    slf.get()
        .event_loop
        .bind(py)
        .call_method("call_soon", arguments, Some(&keywords))?;
    Ok(())
}
