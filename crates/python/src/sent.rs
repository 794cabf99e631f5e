//! What became of a message: `Sent`, truthy and awaitable.

use hubbub_server::Sent as Outcome;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::park::Park;
use crate::websocket::WebSocket;

/// What became of a message given to `WebSocket.send`: truthy when it was queued; awaiting it waits only under backpressure.
#[pyclass(frozen, module = "hubbub")]
pub(crate) struct Sent {
    outcome: Outcome,
    /// Only where there is something to wait for.
    waiting: Option<(Py<WebSocket>, Option<Py<PyAny>>)>,
}

static QUEUED: PyOnceLock<Py<Sent>> = PyOnceLock::new();
static CLOSED: PyOnceLock<Py<Sent>> = PyOnceLock::new();

impl Sent {
    #[inline]
    pub(crate) fn of(
        py: Python<'_>,
        outcome: Outcome,
        socket: &Py<WebSocket>,
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
                    waiting: Some((socket.clone_ref(py), None)),
                },
            ),
            Outcome::Dropped => {
                let message = message.clone().unbind();
                Py::new(
                    py,
                    Sent {
                        outcome,
                        waiting: Some((socket.clone_ref(py), Some(message))),
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

    fn __await__(&self, py: Python<'_>) -> Room {
        let (socket, message) = match &self.waiting {
            Some((socket, message)) => (
                Some(socket.clone_ref(py)),
                message.as_ref().map(|message| message.clone_ref(py)),
            ),
            None => (None, None),
        };
        Room {
            is_open: self.outcome != Outcome::Closed,
            socket,
            message,
        }
    }
}

/// The wait for room in an outbox; a message that was refused for want of it is sent then.
#[pyclass(module = "hubbub")]
pub(crate) struct Room {
    is_open: bool,
    socket: Option<Py<WebSocket>>,
    message: Option<Py<PyAny>>,
}

#[pymethods]
impl Room {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Py<Park>> {
        let done = |is_open: bool| Err(pyo3::exceptions::PyStopIteration::new_err((is_open,)));
        let Some(socket) = &self.socket else {
            return done(self.is_open);
        };
        if let Some(park) = socket.get().wait_for_room(py)? {
            return Ok(park);
        }
        let socket = self.socket.take().expect("looked at above");
        match self.message.take() {
            None => done(socket.get().is_open()?),
            Some(message) => match socket.get().send_now(message.bind(py))? {
                Outcome::Dropped => {
                    // Others were quicker: once more.
                    self.message = Some(message);
                    self.socket = Some(socket);
                    self.__next__(py)
                }
                outcome => done(outcome != Outcome::Closed),
            },
        }
    }
}
