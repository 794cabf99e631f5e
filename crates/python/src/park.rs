//! What a waiting Task yields: it speaks the protocol of an asyncio Future, and wakes its Task on the spot.
//!
//! asyncio schedules a wake-up through the loop, which costs more than a message does. A Task that waits for an engine's
//! event is instead stepped directly from the engine's batch; and if a `Driver` stands between the Task and its coroutine,
//! only the coroutine is. To asyncio this object is a future like any other (`_asyncio_future_blocking`, see asyncio.isfuture).

#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::exceptions::asyncio::CancelledError;
use pyo3::ffi;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};

use crate::cell::LoopCell;
use crate::driver::Driver;
use crate::steps::Step;

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
    /// A driver's coroutine is being stepped, whose Task still takes this for what it waits for.
    stepping: bool,
    /// That Task was cancelled meanwhile.
    cancelled: bool,
    /// Through whose hands it went on its way to the Task.
    driver: Option<Py<Driver>>,
    /// Nearly always there is one: the Task.
    first: Option<Waiter>,
    others: Vec<Waiter>,
}

/// A Task's way of being woken, the context to do that in, and the Task itself if it has a driver.
struct Waiter {
    callback: Py<PyAny>,
    context: Option<Py<PyAny>>,
    task: Option<Py<PyAny>>,
}

/// Who is to be told that a wait has ended.
enum Told {
    /// A coroutine that can be stepped past its Task.
    Driver(Py<Driver>, Waiter),
    Tasks(Option<Waiter>, Vec<Waiter>),
}

impl Told {
    /// All of them, as Tasks.
    fn waiters(self) -> impl Iterator<Item = Waiter> {
        let (first, others) = match self {
            Self::Driver(_, waiter) => (Some(waiter), Vec::new()),
            Self::Tasks(first, others) => (first, others),
        };
        first.into_iter().chain(others)
    }
}

impl State {
    /// Ends the wait, unless it has ended.
    #[inline]
    fn end(&mut self) -> Option<Told> {
        if std::mem::replace(&mut self.done, true) {
            return None;
        }
        let first = self.first.take();
        match (self.driver.take(), first) {
            (Some(driver), Some(waiter)) if waiter.task.is_some() && self.others.is_empty() => {
                Some(Told::Driver(driver, waiter))
            }
            (_, first) => Some(Told::Tasks(first, std::mem::take(&mut self.others))),
        }
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
        let told = self.state.with(|state| {
            let told = state.end();
            state.stepping = matches!(told, Some(Told::Driver(..)));
            state.cancelled = false;
            told
        })?;
        let signal = || Signal::woken(slf.py());
        match told {
            None => Ok(()),
            Some(Told::Driver(driver, waiter)) => match self.drive(slf, driver, waiter)? {
                None => Ok(()),
                Some(waiter) => waiter.wake(slf.py(), signal()?),
            },
            Some(Told::Tasks(first, others)) => first
                .iter()
                .chain(&others)
                .try_for_each(|waiter| waiter.wake(slf.py(), signal()?)),
        }
    }

    /// The same, where another Task is being stepped: who waits is left to the loop.
    pub(crate) fn wake_later(&self, slf: &Bound<'_, Self>) -> PyResult<()> {
        let Some(told) = self.state.with(State::end)? else {
            return Ok(());
        };
        let signal = Signal::woken(slf.py())?.bind(slf.py());
        told.waiters()
            .try_for_each(|waiter| waiter.schedule(self, signal))
    }

    /// Steps a coroutine in its Task's name. Only if it does not simply wait once more, its Task must hear of it.
    fn drive(
        &self,
        slf: &Bound<'_, Self>,
        driver: Py<Driver>,
        waiter: Waiter,
    ) -> PyResult<Option<Waiter>> {
        let stepped = waiter.step(slf.py(), &self.event_loop, driver.get());
        let waits = matches!(&stepped, Ok(Ok(Step::Yield(waited))) if waited.is(slf));
        let heard = self.state.with(|state| {
            state.stepping = false;
            if waits && !state.done && !state.cancelled && state.first.is_none() {
                state.driver = Some(driver);
                state.first = Some(waiter);
                return None;
            }
            Some((driver, waiter))
        })?;
        let Some((driver, waiter)) = heard else {
            self.blocking.store(false, Ordering::Relaxed);
            return Ok(None);
        };
        driver.get().keep(stepped?)?;
        Ok(Some(waiter))
    }

    /// Whether somebody still waits.
    pub(crate) fn is_waiting(&self) -> PyResult<bool> {
        self.state.with(|state| !state.done)
    }

    /// Begins another wait. Only for an object that has been woken: its Task has been stepped and forgotten it.
    pub(crate) fn renew(&self) -> PyResult<()> {
        self.blocking.store(true, Ordering::Relaxed);
        self.state.with(|state| state.done = false)
    }

    /// Ends a wait of which no Task has heard.
    pub(crate) fn end(&self) -> PyResult<()> {
        self.state.with(State::end).map(drop)
    }

    /// It is on its way to a Task through a driver's hands.
    pub(crate) fn set_driver(&self, driver: Py<Driver>) -> PyResult<()> {
        let _old = self.state.with(|state| state.driver.replace(driver))?;
        Ok(())
    }
}

/// How one who has no future's lock enters and leaves a Task (asyncio's documentation, "Extending", Task lifetime support).
struct Entrance {
    enter: Py<PyAny>,
    leave: Py<PyAny>,
}

impl Entrance {
    fn get(py: Python<'_>) -> PyResult<&'static Self> {
        static ENTRANCE: PyOnceLock<Entrance> = PyOnceLock::new();
        ENTRANCE.get_or_try_init(py, || {
            let tasks = py.import("asyncio.tasks")?;
            Ok(Entrance {
                enter: tasks.getattr(intern!(py, "_enter_task"))?.unbind(),
                leave: tasks.getattr(intern!(py, "_leave_task"))?.unbind(),
            })
        })
    }
}

impl Waiter {
    /// What the Task does at the end of its wait, but for the Task itself: the inner error is the coroutine's.
    fn step(
        &self,
        py: Python<'_>,
        event_loop: &Py<PyAny>,
        driver: &Driver,
    ) -> PyResult<PyResult<Step>> {
        let entrance = Entrance::get(py)?;
        let task = &self.task;
        in_context(py, self.context.as_ref(), || {
            entrance.enter.call1(py, (event_loop, task))?;
            let outcome = driver.advance(py);
            entrance.leave.call1(py, (event_loop, task))?;
            Ok(outcome)
        })
    }

    fn wake(&self, py: Python<'_>, signal: &Py<Signal>) -> PyResult<()> {
        in_context(py, self.context.as_ref(), || {
            self.callback.call1(py, (signal,)).map(drop)
        })
    }

    /// Leaves the waking to the loop.
    fn schedule(self, park: &Park, signal: &Bound<'_, Signal>) -> PyResult<()> {
        let py = signal.py();
        let keywords = PyDict::new(py);
        if let Some(context) = self.context {
            keywords.set_item("context", context)?;
        }
        let arguments = PyTuple::new(py, [self.callback.bind(py), signal.as_any()])?;
        let event_loop = park.event_loop.bind(py);
        event_loop
            .call_method(intern!(py, "call_soon"), arguments, Some(&keywords))
            .map(drop)
    }
}

/// Acts the way asyncio's handles do: inside the context that came with the callback.
fn in_context<R>(
    py: Python<'_>,
    context: Option<&Py<PyAny>>,
    act: impl FnOnce() -> PyResult<R>,
) -> PyResult<R> {
    let Some(context) = context else {
        return act();
    };
    // SAFETY: `context` is what asyncio passed as context=, and PyContext_Enter checks the type itself.
    if unsafe { ffi::PyContext_Enter(context.as_ptr()) } < 0 {
        return Err(PyErr::fetch(py));
    }
    let result = act();
    // SAFETY: it was entered above, on this thread, and everything entered since has been left.
    if unsafe { ffi::PyContext_Exit(context.as_ptr()) } < 0 {
        return Err(PyErr::fetch(py));
    }
    result
}

/// What a Task's callback is called with: a future that is done. The park itself may be waited for again by then.
#[pyclass(frozen, module = "hubbub")]
struct Signal {
    /// Cancelled, perhaps with a message.
    cancelled: Option<Option<Py<PyAny>>>,
}

impl Signal {
    fn woken(py: Python<'_>) -> PyResult<&'static Py<Self>> {
        static WOKEN: PyOnceLock<Py<Signal>> = PyOnceLock::new();
        WOKEN.get_or_try_init(py, || Py::new(py, Self { cancelled: None }))
    }
}

#[pymethods]
impl Signal {
    fn result(&self, py: Python<'_>) -> PyResult<()> {
        match &self.cancelled {
            None => Ok(()),
            Some(Some(message)) => Err(CancelledError::new_err((message.clone_ref(py),))),
            Some(None) => Err(CancelledError::new_err(())),
        }
    }
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
        callback: Bound<'_, PyAny>,
        context: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let (py, park) = (slf.py(), slf.get());
        let task = match park.state.with(|state| state.driver.is_some())? {
            true => callback
                .getattr(intern!(py, "__self__"))
                .ok()
                .map(Bound::unbind),
            false => None,
        };
        let waiter = Waiter {
            callback: callback.unbind(),
            context,
            task,
        };
        let late = park.state.with(|state| {
            if state.done {
                return Some(waiter);
            }
            if state.first.is_none() {
                state.first = Some(waiter);
            } else {
                state.others.push(waiter);
            }
            None
        })?;
        match late {
            Some(waiter) => waiter.schedule(park, Signal::woken(slf.py())?.bind(slf.py())),
            None => Ok(()),
        }
    }

    /// Called by Task.cancel: the Task is woken by the loop, as with any future, and finds the cancellation in the signal.
    ///
    /// A Task whose coroutine is just being stepped is told that it does not wait, and cancels itself at its next step.
    #[pyo3(signature = (msg=None))]
    fn cancel(slf: &Bound<'_, Self>, msg: Option<Py<PyAny>>) -> PyResult<bool> {
        let park = slf.get();
        let (told, stepping) = park.state.with(|state| {
            state.cancelled = true;
            (state.end(), state.stepping)
        })?;
        let Some(told) = told else {
            return Ok(false);
        };
        // While one Task's coroutine is stepped, another Task may have begun to wait here. Which of them is being cancelled
        // cannot be told: both look after themselves, the other one by being woken for nothing.
        let signal = match stepping {
            true => Signal::woken(slf.py())?.clone_ref(slf.py()),
            false => {
                let cancelled = Some(msg);
                Py::new(slf.py(), Signal { cancelled })?
            }
        };
        for waiter in told.waiters() {
            waiter.schedule(park, signal.bind(slf.py()))?;
        }
        Ok(!stepping)
    }

    fn done(&self) -> PyResult<bool> {
        self.state.with(|state| state.done)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.event_loop)?;
        // Where the state cannot be looked at now, what it holds simply counts as alive.
        self.state
            .look(|state| {
                visit.call(&state.driver)?;
                state
                    .first
                    .iter()
                    .chain(&state.others)
                    .try_for_each(|waiter| {
                        visit.call(&waiter.callback)?;
                        visit.call(&waiter.context)?;
                        visit.call(&waiter.task)
                    })
            })
            .unwrap_or(Ok(()))
    }

    fn __clear__(&self) {
        let _old = self.state.with(std::mem::take);
    }
}
