//! `Driver`: a handler's coroutine, as its Task sees it.
//!
//! A Task cannot be asked to step its coroutine without bookkeeping that costs more than a message. So it is given this in the
//! coroutine's place. While the coroutine waits for nothing but one connection's messages, the engine steps it directly, in
//! its Task's name, and the Task sleeps on; as soon as the coroutine does anything else – waits for something foreign, returns,
//! raises – that outcome is kept here, the Task is woken, and finds it as if it had made the step itself.

use pyo3::exceptions::asyncio::CancelledError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::cell::LoopCell;
use crate::park::Park;
use crate::steps::{Step, Stepped, resume};

/// A coroutine that two may step: its Task, and the engine on behalf of it.
#[pyclass(frozen, weakref, module = "hubbub")]
pub(crate) struct Driver {
    coroutine: Py<PyAny>,
    /// What the engine's last step ended with, until the Task takes it.
    outcome: LoopCell<Option<PyResult<Step>>>,
}

impl Driver {
    pub(crate) fn new(coroutine: Py<PyAny>) -> Self {
        Self {
            coroutine,
            outcome: LoopCell::new(None),
        }
    }

    /// Steps the coroutine, on behalf of its Task: whoever calls this has entered the Task and its context.
    #[inline]
    pub(crate) fn advance(&self, py: Python<'_>) -> PyResult<Step> {
        resume(self.coroutine.bind(py), py.None().bind(py))
    }

    /// Keeps the outcome of such a step for the Task, which must be woken.
    pub(crate) fn keep(&self, outcome: PyResult<Step>) -> PyResult<()> {
        let _old = self.outcome.with(|kept| kept.replace(outcome))?;
        Ok(())
    }

    fn take(&self) -> PyResult<Option<PyResult<Step>>> {
        self.outcome.with(Option::take)
    }
}

/// The Task gets to see what is yielded; if that is a wait of ours, the next message need not wake it.
fn yielded(slf: &Bound<'_, Driver>, value: Py<PyAny>) -> PyResult<Step> {
    if let Ok(park) = value.cast_bound::<Park>(slf.py()) {
        park.get().set_driver(slf.clone().unbind())?;
    }
    Ok(Step::Yield(value))
}

impl Stepped for Driver {
    fn step(slf: &Bound<'_, Self>, value: &Bound<'_, PyAny>) -> PyResult<Step> {
        let outcome = match slf.get().take()? {
            Some(outcome) => outcome,
            None => resume(slf.get().coroutine.bind(slf.py()), value),
        };
        match outcome? {
            Step::Yield(value) => yielded(slf, value),
            done => Ok(done),
        }
    }
}

#[pymethods]
impl Driver {
    fn send(slf: &Bound<'_, Self>, value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Self::step(slf, value)?.into_next()
    }

    /// Raises an exception where the coroutine waits.
    ///
    /// A Task that is cancelled while the engine steps its coroutine hears the outcome and the cancellation at once. Had it made
    /// the step itself, it would then have cancelled what is waited for, or itself instead of returning a result.
    #[pyo3(signature = (*exception))]
    fn throw(slf: &Bound<'_, Self>, exception: &Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        match slf.get().take()? {
            None => {}
            Some(Ok(Step::Yield(waited))) => {
                if let Ok(park) = waited.cast_bound::<Park>(py) {
                    park.get().end()?;
                } else if cancel(waited.bind(py), exception)? {
                    return yielded(slf, waited)?.into_next();
                }
            }
            Some(Ok(Step::Return(_))) => return Err(PyErr::from_value(exception.get_item(0)?)),
            Some(Err(error)) => return Err(error),
        }
        let value = slf
            .get()
            .coroutine
            .bind(py)
            .call_method1(intern!(py, "throw"), exception)?;
        yielded(slf, value.unbind())?.into_next()
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        drop(self.take()?);
        self.coroutine
            .call_method0(py, intern!(py, "close"))
            .map(drop)
    }

    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        Self::step(slf, slf.py().None().bind(slf.py()))?.into_next()
    }

    /// Everything else – its name, its frame, what it waits for – is the coroutine's.
    fn __getattr__<'py>(&self, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        self.coroutine.bind(name.py()).getattr(name)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.coroutine.bind(py).repr()?.to_string())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.coroutine)
    }
}

/// Cancels what a coroutine waits for, as Task.cancel does; whether that will wake who waits.
fn cancel(waited: &Bound<'_, PyAny>, exception: &Bound<'_, PyTuple>) -> PyResult<bool> {
    let py = waited.py();
    let Ok(method) = waited.getattr(intern!(py, "cancel")) else {
        return Ok(false);
    };
    let error = exception.get_item(0)?;
    if !error.is_instance_of::<CancelledError>() {
        return Ok(false);
    }
    let message = error.getattr(intern!(py, "args"))?.cast_into::<PyTuple>()?;
    method.call1(message)?.is_truthy()
}
