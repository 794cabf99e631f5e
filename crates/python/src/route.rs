//! Routes: a path, what it leads to, and on which terms. Which of them a request meets is for the `table`.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use hubbub_protocol::deflate;
use hubbub_protocol::handshake::OriginPolicy;
use hubbub_protocol::http::Request;
use matchit::Router;
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
    /// Longest body, where it is not the server's.
    pub(crate) body_limit_bytes: Option<u64>,
    /// The handler reads the body as it comes.
    pub(crate) streams: bool,
    /// Whose it is: what it publishes reaches its own subscribers.
    pub(crate) module: u16,
    /// The arguments of the coroutine once more, for a connection that comes from an older route.
    pub(crate) resume: Option<Py<PyAny>>,
    pub(crate) on_handover: Option<Py<PyAny>>,
    /// What an error that is told in the handler's place says besides, to a page of that origin.
    pub(crate) error_fields: Option<Py<PyAny>>,
    pub(crate) tally: Tally,
    /// What took its place, if anything did; unset while it is in the table.
    successor: OnceLock<Option<Py<Route>>>,
}

/// What has happened on a route. Written by the loop's thread alone, so that nothing need be locked.
#[derive(Default)]
pub(crate) struct Tally {
    requests: AtomicU64,
    messages: AtomicU64,
    errors: AtomicU64,
    busy_ns: AtomicU64,
    running: AtomicUsize,
}

/// Of so many messages one is timed, and counts for all: two looks at the clock cost as much as a small handler.
const TIMED_EVERY: u64 = 16;

fn add(counter: &AtomicU64, count: u64) {
    let sum = counter.load(Ordering::Relaxed).wrapping_add(count);
    counter.store(sum, Ordering::Relaxed);
}

impl Tally {
    /// One message; tells whether its handling is to be timed.
    #[inline]
    pub(crate) fn message(&self) -> Option<Instant> {
        add(&self.messages, 1);
        let is_timed = self
            .messages
            .load(Ordering::Relaxed)
            .is_multiple_of(TIMED_EVERY);
        is_timed.then(Instant::now)
    }

    /// The end of what `message` began.
    #[inline]
    pub(crate) fn handled(&self, since: Option<Instant>) {
        if let Some(since) = since {
            self.busy(since, TIMED_EVERY);
        }
    }

    fn busy(&self, since: Instant, times: u64) {
        let span_ns = since.elapsed().as_nanos() as u64;
        add(&self.busy_ns, span_ns.saturating_mul(times));
    }

    pub(crate) fn request(&self) -> Instant {
        add(&self.requests, 1);
        Instant::now()
    }

    pub(crate) fn answered(&self, since: Instant) {
        self.busy(since, 1);
    }

    pub(crate) fn error(&self) {
        add(&self.errors, 1);
    }

    /// A coroutine of the handler's has begun.
    pub(crate) fn begun(&self) {
        self.running.fetch_add(1, Ordering::Relaxed);
    }

    /// It has ended.
    pub(crate) fn ended(&self) {
        self.running.fetch_sub(1, Ordering::Relaxed);
    }
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
        subprotocols=Vec::new(), origins=None, message_limit_bytes=None, outbox_limit_bytes=None, compression=None,
        module=0, resume=None, on_handover=None, body_limit_bytes=None, streams=false,
        error_fields=None))]
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
        module: u16,
        resume: Option<Py<PyAny>>,
        on_handover: Option<Py<PyAny>>,
        body_limit_bytes: Option<u64>,
        streams: bool,
        error_fields: Option<Py<PyAny>>,
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
            module,
            resume,
            on_handover,
            error_fields,
            tally: Tally::default(),
            successor: OnceLock::new(),
            body_limit_bytes,
            streams,
        })
    }

    #[getter]
    fn path(&self) -> &str {
        &self.path
    }

    /// How many coroutines of its handler have not ended.
    #[getter]
    fn running(&self) -> usize {
        self.tally.running.load(Ordering::Relaxed)
    }

    /// Requests, messages, errors, and seconds spent in the handler.
    #[getter]
    fn tally(&self) -> (u64, u64, u64, f64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let tally = &self.tally;
        let busy_s = read(&tally.busy_ns) as f64 / 1e9;
        (
            read(&tally.requests),
            read(&tally.messages),
            read(&tally.errors),
            busy_s,
        )
    }

    fn __repr__(&self) -> String {
        format!("<Route {:?} {:?}>", self.kind, self.path)
    }
}

impl Route {
    /// From now on this one has its place, or nobody has.
    pub(crate) fn give_way(&self, successor: Option<Py<Route>>) {
        // A route leaves the table once.
        let _ = self.successor.set(successor);
    }

    /// What has taken its place, the last of several; `None` while it is in the table itself.
    pub(crate) fn successor(&self, py: Python<'_>) -> Option<Option<Py<Route>>> {
        let mut last = self.successor.get()?;
        while let Some(route) = last {
            match route.get().successor.get() {
                Some(next) => last = next,
                None => break,
            }
        }
        Some(last.as_ref().map(|route| route.clone_ref(py)))
    }

    /// What an error that is told in the handler's place says besides.
    pub(crate) fn error_fields(
        &self,
        py: Python<'_>,
        request: &Request<'_>,
    ) -> PyResult<Vec<(String, String)>> {
        let Some(tell) = &self.error_fields else {
            return Ok(Vec::new());
        };
        let origin = request.fields.get("origin").map(String::from_utf8_lossy);
        tell.call1(py, (origin,))?.extract(py)
    }

    /// The values of the pattern's names in a path that leads here.
    pub(crate) fn params(&self, path: &str) -> Vec<(String, String)> {
        let mut alone = Router::new();
        if alone.insert(&self.path, ()).is_err() {
            return Vec::new();
        }
        alone
            .at(path)
            .map_or_else(|_| Vec::new(), |found| owned(&found.params))
    }
}

/// Parameters that outlive the path they were found in.
pub(crate) fn owned(params: &matchit::Params<'_, '_>) -> Vec<(String, String)> {
    params
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
