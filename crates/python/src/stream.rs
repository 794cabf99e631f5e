//! Waiting for messages: `async for`, `recv`, `wait_closed`. No future, no task, no allocation for a message.

#![allow(unsafe_code)]

use hubbub_protocol::endpoint::Kind;
use pyo3::exceptions::{PyStopAsyncIteration, PyStopIteration};
use pyo3::ffi;
use pyo3::prelude::*;

use crate::errors;
use crate::websocket::{Next, WebSocket};

/// Which messages an iteration takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filter {
    Any,
    Text,
    Binary,
}

impl Filter {
    fn takes(self, kind: Kind) -> bool {
        match self {
            Filter::Any => true,
            Filter::Text => kind == Kind::Text,
            Filter::Binary => kind == Kind::Binary,
        }
    }
}

/// The messages of one connection, up to its end. It is its own awaitable: asking for the next message makes no object.
#[pyclass(frozen, module = "hubbub")]
pub(crate) struct Messages {
    socket: Py<WebSocket>,
    filter: Filter,
}

/// What an awaitable tells the interpreter.
enum Step {
    Return(Py<PyAny>),
    Yield(Py<PyAny>),
}

impl Messages {
    pub(crate) fn new(socket: Py<WebSocket>, filter: Filter) -> Self {
        Self { socket, filter }
    }

    #[inline]
    fn step(&self, py: Python<'_>) -> PyResult<Step> {
        match self.socket.get().take_next(py)? {
            Next::Message(message, kind) if self.filter.takes(kind) => Ok(Step::Return(message)),
            Next::Message(..) => {
                self.socket
                    .call_method1(py, "close", (1003, "unexpected kind of message"))?;
                Err(PyStopAsyncIteration::new_err(()))
            }
            Next::Ended => Err(PyStopAsyncIteration::new_err(())),
            Next::Wait(park) => Ok(Step::Yield(park.into_any())),
        }
    }
}

#[pymethods]
impl Messages {
    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self.step(py)? {
            Step::Yield(park) => Ok(park),
            Step::Return(message) => Err(PyStopIteration::new_err((message,))),
        }
    }
}

/// Gives `Messages` the slot `am_send`, by which CPython 3.11 awaits without an exception for every result.
///
/// Later versions ask `__next__`, which does the same.
pub(crate) fn install_send(py: Python<'_>) {
    let class = py.get_type::<Messages>();
    // SAFETY: the class was made by PyO3 as a heap type, whose `tp_as_async` points into the type object itself, and nobody
    // has used it yet: this runs while the module is being initialised.
    unsafe {
        let slots = (*class.as_type_ptr()).tp_as_async;
        if let Some(slots) = slots.as_mut() {
            slots.am_send = Some(send);
            slots.am_anext = Some(itself);
            slots.am_await = Some(itself);
        }
    }
}

/// Messages are their own awaitable and their own iterator: two slots that nothing need be done for.
unsafe extern "C" fn itself(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls this attached, with an object that is alive.
    unsafe { ffi::Py_INCREF(slf) };
    slf
}

unsafe extern "C" fn send(
    slf: *mut ffi::PyObject,
    _value: *mut ffi::PyObject,
    result: *mut *mut ffi::PyObject,
) -> ffi::PySendResult {
    // SAFETY: the interpreter calls this attached, with an object of the class whose slot this is and a place for the result.
    unsafe {
        let py = Python::assume_attached();
        let messages = Bound::from_borrowed_ptr(py, slf).cast_into_unchecked::<Messages>();
        match messages.get().step(py) {
            Ok(Step::Return(message)) => {
                *result = message.into_ptr();
                ffi::PySendResult::PYGEN_RETURN
            }
            Ok(Step::Yield(park)) => {
                *result = park.into_ptr();
                ffi::PySendResult::PYGEN_NEXT
            }
            Err(error) => {
                error.restore(py);
                *result = std::ptr::null_mut();
                ffi::PySendResult::PYGEN_ERROR
            }
        }
    }
}

/// One wait: for a message, or for the end.
#[pyclass(frozen, module = "hubbub")]
pub(crate) struct Receive {
    socket: Py<WebSocket>,
    until_end: bool,
}

impl Receive {
    pub(crate) fn message(socket: Py<WebSocket>) -> Self {
        Self {
            socket,
            until_end: false,
        }
    }

    pub(crate) fn end(socket: Py<WebSocket>) -> Self {
        Self {
            socket,
            until_end: true,
        }
    }
}

#[pymethods]
impl Receive {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let socket = self.socket.get();
        if self.until_end {
            return match socket.wait_for_end(py)? {
                Some(park) => Ok(park.into_any()),
                None => Err(PyStopIteration::new_err(())),
            };
        }
        match socket.take_next(py)? {
            Next::Message(message, _) => Err(PyStopIteration::new_err((message,))),
            Next::Wait(park) => Ok(park.into_any()),
            Next::Ended => {
                let ending = socket.ending(py)?;
                let (code, reason) =
                    ending.map_or((1006, String::new()), |ending| (ending.code, ending.reason));
                Err(errors::connection_closed(py, code, &reason))
            }
        }
    }
}
