//! What became of a message: `Sent`, truthy and awaitable.

use hubbub_server::Sent as Outcome;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes};

use crate::exchange::Exchange;
use crate::park::Park;
use crate::steps::{Step, Stepped};
use crate::websocket::WebSocket;

/// What became of a message given to `WebSocket.send`: truthy when it was queued; awaiting it waits only under backpressure.
#[pyclass(frozen, module = "hubbub")]
pub(crate) struct Sent {
    outcome: Outcome,
    /// Only where there is something to wait for.
    waiting: Option<(Owner, Option<Py<PyAny>>)>,
}

/// Whose outbox it is.
pub(crate) enum Owner {
    Socket(Py<WebSocket>),
    Exchange(Py<Exchange>),
}

impl Owner {
    fn clone_ref(&self, py: Python<'_>) -> Self {
        match self {
            Self::Socket(socket) => Self::Socket(socket.clone_ref(py)),
            Self::Exchange(exchange) => Self::Exchange(exchange.clone_ref(py)),
        }
    }

    fn wait_for_room(&self, py: Python<'_>) -> PyResult<Option<Py<Park>>> {
        match self {
            Self::Socket(socket) => socket.get().wait_for_room(py),
            Self::Exchange(exchange) => exchange.get().wait_for_room(py),
        }
    }

    fn is_open(&self) -> PyResult<bool> {
        match self {
            Self::Socket(socket) => socket.get().is_open(),
            Self::Exchange(exchange) => exchange.get().is_open(),
        }
    }

    fn send_now(&self, message: &Bound<'_, PyAny>) -> PyResult<Outcome> {
        match self {
            Self::Socket(socket) => socket.get().send_now(message),
            Self::Exchange(exchange) => {
                let piece = message.cast::<PyBytes>()?;
                exchange.get().write_now(message.py(), piece.as_bytes())
            }
        }
    }
}

static QUEUED: PyOnceLock<Py<Sent>> = PyOnceLock::new();
static CLOSED: PyOnceLock<Py<Sent>> = PyOnceLock::new();

impl Sent {
    #[inline]
    pub(crate) fn of(
        py: Python<'_>,
        outcome: Outcome,
        owner: impl FnOnce() -> Owner,
        message: &Bound<'_, PyAny>,
    ) -> PyResult<Py<Sent>> {
        let constant = |cell: &'static PyOnceLock<Py<Sent>>| {
            cell.get_or_try_init(py, || {
                Py::new(
                    py,
                    Sent {
                        outcome,
                        waiting: None,
                    },
                )
            })
            .map(|sent| sent.clone_ref(py))
        };
        match outcome {
            Outcome::Queued => constant(&QUEUED),
            Outcome::Closed => constant(&CLOSED),
            Outcome::Backpressure => Py::new(
                py,
                Sent {
                    outcome,
                    waiting: Some((owner(), None)),
                },
            ),
            Outcome::Dropped => {
                let message = message.clone().unbind();
                Py::new(
                    py,
                    Sent {
                        outcome,
                        waiting: Some((owner(), Some(message))),
                    },
                )
            }
        }
    }
}

#[pymethods]
impl Sent {
    /// "queued", "backpressure", "dropped" or "closed".
    #[getter]
    fn status(&self) -> &'static str {
        match self.outcome {
            Outcome::Queued => "queued",
            Outcome::Backpressure => "backpressure",
            Outcome::Dropped => "dropped",
            Outcome::Closed => "closed",
        }
    }

    fn __bool__(&self) -> bool {
        self.outcome == Outcome::Queued
    }

    fn __repr__(&self) -> String {
        format!("<Sent {}>", self.status())
    }

    fn __await__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let Some((owner, message)) = &self.waiting else {
            return Ready::of(py, self.outcome == Outcome::Queued)
                .map(|ready| ready.clone_ref(py).into_any());
        };
        let room = Room {
            owner: Some(owner.clone_ref(py)),
            message: message.as_ref().map(|message| message.clone_ref(py)),
        };
        Ok(Py::new(py, room)?.into_any())
    }
}

/// The awaitable of what is decided already. There are two of them.
#[pyclass(frozen, module = "hubbub")]
pub(crate) struct Ready {
    is_open: Py<PyBool>,
}

impl Ready {
    fn of(py: Python<'_>, is_open: bool) -> PyResult<&'static Py<Self>> {
        static OPEN: PyOnceLock<Py<Ready>> = PyOnceLock::new();
        static CLOSED: PyOnceLock<Py<Ready>> = PyOnceLock::new();
        let cell = if is_open { &OPEN } else { &CLOSED };
        cell.get_or_try_init(py, || {
            let is_open = PyBool::new(py, is_open).to_owned().unbind();
            Py::new(py, Self { is_open })
        })
    }
}

impl Stepped for Ready {
    #[inline]
    fn step(slf: &Bound<'_, Self>, _value: &Bound<'_, PyAny>) -> PyResult<Step> {
        Ok(Step::Return(
            slf.get().is_open.clone_ref(slf.py()).into_any(),
        ))
    }
}

#[pymethods]
impl Ready {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        Self::step(slf, slf.as_any())?.into_next()
    }
}

/// The wait for room in an outbox; a message that was refused for want of it is sent then.
#[pyclass(module = "hubbub")]
pub(crate) struct Room {
    owner: Option<Owner>,
    message: Option<Py<PyAny>>,
}

#[pymethods]
impl Room {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Py<Park>> {
        let done = |is_open: bool| Err(pyo3::exceptions::PyStopIteration::new_err((is_open,)));
        let Some(owner) = self.owner.take() else {
            return done(false);
        };
        if let Some(park) = owner.wait_for_room(py)? {
            self.owner = Some(owner);
            return Ok(park);
        }
        match self.message.take() {
            None => done(owner.is_open()?),
            Some(message) => match owner.send_now(message.bind(py))? {
                Outcome::Dropped => {
                    // Others were quicker: once more.
                    self.message = Some(message);
                    self.owner = Some(owner);
                    self.__next__(py)
                }
                outcome => done(outcome != Outcome::Closed),
            },
        }
    }
}
