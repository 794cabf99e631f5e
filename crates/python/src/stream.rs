//! Waiting for messages: `async for`, `recv`, `wait_closed`. No future, no task, no allocation for a message.

use hubbub_protocol::endpoint::Kind;
use pyo3::exceptions::{PyStopAsyncIteration, PyStopIteration};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use crate::errors;
use crate::steps::{Step, Stepped};
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

impl Messages {
    pub(crate) fn new(socket: Py<WebSocket>, filter: Filter) -> Self {
        Self { socket, filter }
    }

    #[inline]
    fn take(&self, py: Python<'_>) -> PyResult<Step> {
        match self.socket.get().take_next(py)? {
            Next::Message(message, kind) if self.filter.takes(kind) => Ok(Step::Return(message)),
            Next::Message(..) => {
                self.socket.call_method1(
                    py,
                    intern!(py, "close"),
                    (1003, "unexpected kind of message"),
                )?;
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
        self.take(py)?.into_next()
    }

    /// It may be kept in the socket's `data`; the socket lets go (see `WebSocket.__clear__`).
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.socket)
    }
}

impl Stepped for Messages {
    #[inline]
    fn step(slf: &Bound<'_, Self>, _value: &Bound<'_, PyAny>) -> PyResult<Step> {
        slf.get().take(slf.py())
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
