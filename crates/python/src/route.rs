//! Routes, and the table that finds them by path and method.

use hubbub_protocol::deflate;
use hubbub_protocol::handshake::OriginPolicy;
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

/// All that one path leads to: indices into the table of routes.
#[derive(Default)]
pub(crate) struct Place {
    pub(crate) websocket: Option<usize>,
    pub(crate) http: Vec<(String, usize)>,
}

impl Place {
    /// The route for a method; HEAD is answered by GET's.
    pub(crate) fn method(&self, method: &str) -> Option<usize> {
        let find = |wanted: &str| {
            self.http
                .iter()
                .find(|(known, _)| known == wanted)
                .map(|(_, index)| *index)
        };
        find(method).or_else(|| (method == "HEAD").then(|| find("GET")).flatten())
    }

    /// The value of an `Allow` field (RFC 9110 §10.2.1).
    pub(crate) fn allowed(&self) -> String {
        let mut methods: Vec<&str> = self
            .http
            .iter()
            .map(|(method, _)| method.as_str())
            .collect();
        if methods.contains(&"GET") || self.websocket.is_some() {
            methods.push("HEAD");
        }
        if self.websocket.is_some() && !methods.contains(&"GET") {
            methods.push("GET");
        }
        methods.push("OPTIONS");
        methods.sort_unstable();
        methods.join(", ")
    }
}

/// Paths to places.
#[derive(Default)]
pub(crate) struct Table {
    router: Router<usize>,
    places: Vec<Place>,
    paths: Vec<String>,
    pub(crate) routes: Vec<Py<Route>>,
}

impl Table {
    pub(crate) fn add(&mut self, route: Py<Route>) -> PyResult<()> {
        let details = route.get();
        let at = match self.paths.iter().position(|path| *path == details.path) {
            Some(at) => at,
            None => {
                self.router
                    .insert(&details.path, self.places.len())
                    .map_err(|error| {
                        PyValueError::new_err(format!("route {:?}: {error}", details.path))
                    })?;
                self.paths.push(details.path.clone());
                self.places.push(Place::default());
                self.places.len() - 1
            }
        };
        let (index, place) = (self.routes.len(), &mut self.places[at]);
        if details.kind == RouteKind::Http {
            if place
                .http
                .iter()
                .any(|(method, _)| *method == details.method)
            {
                return Err(PyValueError::new_err(format!(
                    "two routes for {} {:?}",
                    details.method, details.path
                )));
            }
            place.http.push((details.method.clone(), index));
        } else if place.websocket.replace(index).is_some() {
            return Err(PyValueError::new_err(format!(
                "two websocket routes for {:?}",
                details.path
            )));
        }
        self.routes.push(route);
        Ok(())
    }

    #[inline]
    pub(crate) fn find(&self, path: &str) -> Option<&Place> {
        self.router
            .at(path)
            .ok()
            .map(|found| &self.places[*found.value])
    }

    pub(crate) fn params(&self, path: &str) -> Vec<(String, String)> {
        self.router.at(path).map_or_else(
            |_| Vec::new(),
            |found| {
                found
                    .params
                    .iter()
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect()
            },
        )
    }
}
