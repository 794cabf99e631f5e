//! Routes: a path, what it leads to, and on which terms. Which of them a request meets is for the `table`.

use hubbub_protocol::deflate;
use hubbub_protocol::handshake::OriginPolicy;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// What a route leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RouteKind {
    /// A function, called for every message.
    Message,
    /// A coroutine for every connection.
    WebSocket,
    /// A function, called for every request.
    Http,
}

/// A path, what it leads to, and on which terms.
#[pyclass(frozen, module = "hubbub")]
pub(crate) struct Route {
    pub(crate) path: String,
    pub(crate) kind: RouteKind,
    pub(crate) method: String,
    pub(crate) handler: Py<PyAny>,
    pub(crate) admit: Option<Py<PyAny>>,
    pub(crate) on_open: Option<Py<PyAny>>,
    pub(crate) on_close: Option<Py<PyAny>>,
    pub(crate) subprotocols: Vec<String>,
    pub(crate) origins: OriginPolicy,
    pub(crate) message_limit_bytes: Option<usize>,
    pub(crate) outbox_limit_bytes: Option<usize>,
    pub(crate) compression: Option<deflate::Window>,
}

pub(crate) fn window(name: &str) -> PyResult<deflate::Window> {
    match name {
        "off" => Ok(deflate::Window::Off),
        "shared" => Ok(deflate::Window::Shared),
        "dedicated" => Ok(deflate::Window::Dedicated),
        other => Err(PyValueError::new_err(format!(
            "compression is off, shared or dedicated, not {other:?}"
        ))),
    }
}

#[pymethods]
impl Route {
    #[new]
    #[pyo3(signature = (path, kind, handler, *, method="GET".to_owned(), admit=None, on_open=None, on_close=None,
        subprotocols=Vec::new(), origins=None, message_limit_bytes=None, outbox_limit_bytes=None, compression=None))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        path: String,
        kind: &str,
        handler: Py<PyAny>,
        method: String,
        admit: Option<Py<PyAny>>,
        on_open: Option<Py<PyAny>>,
        on_close: Option<Py<PyAny>>,
        subprotocols: Vec<String>,
        origins: Option<Vec<String>>,
        message_limit_bytes: Option<usize>,
        outbox_limit_bytes: Option<usize>,
        compression: Option<&str>,
    ) -> PyResult<Self> {
        let kind = match kind {
            "message" => RouteKind::Message,
            "websocket" => RouteKind::WebSocket,
            "http" => RouteKind::Http,
            other => {
                return Err(PyValueError::new_err(format!(
                    "a route is message, websocket or http, not {other:?}"
                )));
            }
        };
        let origins = match origins {
            None => OriginPolicy::SameHost,
            Some(list) if list.iter().any(|origin| origin == "*") => OriginPolicy::Any,
            Some(list) => OriginPolicy::list(list.iter().map(String::as_str))
                .map_err(|bad| PyValueError::new_err(format!("not an origin: {:?}", bad.0)))?,
        };
        Ok(Self {
            path,
            kind,
            method,
            handler,
            admit,
            on_open,
            on_close,
            subprotocols,
            origins,
            message_limit_bytes,
            outbox_limit_bytes,
            compression: compression.map(window).transpose()?,
        })
    }

    fn __repr__(&self) -> String {
        format!("<Route {:?} {:?}>", self.kind, self.path)
    }
}
