//! Requests: which route they are for, and who may pass. Answers are `answers`'.

use hubbub_protocol::deflate;
use hubbub_protocol::handshake::{Offer, examine};
use hubbub_protocol::http::{Refusal, Request as Head};
use hubbub_server::{Accept, Bytes, ConnectionId};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

use crate::answers::{self, Aim, TEXT, on_answer, refuse, respond, respond_with_error};
use crate::caller::Sender;
use crate::dispatch::{fault, guard, is_fault, report};
use crate::driver::Driver;
use crate::engine::Engine;
use crate::errors;
use crate::handover;
use crate::peers::{Move, Peer};
use crate::request::Request;
use crate::route::{Route, RouteKind};
use crate::table;
use crate::websocket::{Leaving, WebSocket};

/// What the table of routes says of a request.
enum Found {
    WebSocket(Py<Route>),
    Http(Py<Route>),
    /// Nothing here, or nothing for this; the methods that there are.
    Nothing(u16, &'static str, Option<String>),
    /// Not by this method: the methods that there are, and what one of them leads to.
    Otherwise(String, Option<Py<Route>>),
}

pub(crate) fn on_request(
    engine: &Bound<'_, Engine>,
    id: ConnectionId,
    head: Bytes<'_>,
    body: &[u8],
    is_announced: bool,
) -> PyResult<()> {
    let py = engine.py();
    let request = match answers::parsed(engine, &head)? {
        Ok(request) => request,
        Err(refusal) => return refuse(engine, id, &refusal),
    };
    let offer = match examine(&request) {
        Ok(offer) => offer,
        Err(refusal) => return refuse(engine, id, &refusal),
    };
    let found = engine.get().core.with(|core| {
        let group = core.worker.group(id);
        let place = match core.table.find(group, request.host, &request.target.path) {
            table::Found::Place(place) => place,
            table::Found::Nothing => return Found::Nothing(404, "nothing here", None),
            table::Found::Misdirected => return Found::Nothing(421, "no such host here", None),
        };
        let route = |index: usize| core.table.route(index).clone_ref(py);
        match (&offer, place.websocket) {
            (Some(_), Some(index)) => Found::WebSocket(route(index)),
            (Some(_), None) => match place.any() {
                Some(index) => Found::Http(route(index)),
                None => Found::Nothing(404, "no websocket here", None),
            },
            (None, websocket) => match place.method(request.method) {
                Some(index) => Found::Http(route(index)),
                None if request.method == "OPTIONS" => {
                    Found::Nothing(204, "", Some(place.allowed()))
                }
                None if websocket.is_some() && request.method == "GET" => {
                    Found::Nothing(426, "this resource speaks WebSocket", None)
                }
                None => Found::Otherwise(place.allowed(), place.some().map(route)),
            },
        }
    })?;
    match found {
        Found::WebSocket(route) => {
            let offer = offer.expect("the table looked at it");
            let sender = engine
                .get()
                .core
                .with(|core| Sender::of(&core.worker, id, &request))?;
            let origins = &route.get().origins;
            if !origins.allows(offer.origin(), sender.host(), sender.tls()) {
                return refuse(engine, id, &Refusal::foreign_origin());
            }
            match &route.get().admit {
                None => admitted(engine, id, &route, &head, &offer, None),
                Some(admit) => {
                    let python = python_request(engine, id, &request, body)?;
                    let answer = admit.call1(py, (&python,));
                    let aim = Aim::Admission {
                        route: route.clone_ref(py),
                        request: python,
                    };
                    on_answer(engine, id, answer, aim, &head, Some(&offer))
                }
            }
        }
        Found::Http(route) => {
            if is_announced {
                answers::ask_for_body(engine, id, &route, &request, &head)
            } else {
                answers::call(engine, id, &route, &request, &head, body)
            }
        }
        Found::Nothing(426, ..) => refuse(engine, id, &Refusal::upgrade_required()),
        Found::Nothing(status, text, allow) => {
            respond_with_error(engine, id, &request, status, text, allow.as_deref(), None)
        }
        Found::Otherwise(allowed, other) => {
            let other = other.as_ref().map(Py::get);
            respond_with_error(
                engine,
                id,
                &request,
                405,
                "not by this method",
                Some(&allowed),
                other,
            )
        }
    }
}

pub(crate) fn python_request(
    engine: &Bound<'_, Engine>,
    id: ConnectionId,
    head: &Head<'_>,
    body: &[u8],
) -> PyResult<Py<Request>> {
    let (params, sender, tls) = engine.get().core.with(|core| {
        let group = core.worker.group(id);
        let params = core.table.params(group, head.host, &head.target.path);
        let sender = Sender::of(&core.worker, id, head);
        (params, sender, core.worker.tls(id))
    })?;
    let request = Request::new(engine, id, head, params, sender, body)?;
    Py::new(engine.py(), request.with_tls(tls))
}

/// Shakes hands, and starts what the route leads to.
pub(crate) fn admitted(
    engine: &Bound<'_, Engine>,
    id: ConnectionId,
    route: &Py<Route>,
    head: &[u8],
    offer: &Offer<'_>,
    admission: Option<(&Py<Request>, Py<PyAny>, Bound<'_, PyDict>)>,
) -> PyResult<()> {
    let py = engine.py();
    // While it was decided who may pass, the module may have been reloaded.
    let newer = route.get().successor(py);
    let route = match &newer {
        None => route,
        Some(Some(newest)) => newest,
        Some(None) => return respond(engine, id, 404, &[TEXT], b"nothing here"),
    };
    let admission = match (admission, &newer) {
        (Some((request, data, _)), Some(_)) => {
            let same = || Ok(request.clone_ref(py).into_any());
            let arguments = handover::arguments(py, route, same)?;
            Some((request, data, arguments))
        }
        (admission, _) => {
            admission.map(|(request, data, arguments)| (request, data, Some(arguments)))
        }
    };
    let details = route.get();
    let protocol = offer
        .protocols()
        .find(|offered| details.subprotocols.iter().any(|ours| ours == offered));
    let accepted = engine.get().core.with(|core| {
        let settings = details.compression.map(|window| deflate::Settings {
            window,
            ..core.worker.settings().deflate
        });
        let how = Accept {
            protocol,
            deflate: settings.as_ref(),
            message_limit_bytes: details.message_limit_bytes,
            outbox_limit_bytes: details.outbox_limit_bytes,
            tell_read_end: details.kind == RouteKind::WebSocket,
            ..Accept::default()
        };
        let accepted = core.worker.accept(id, offer, &how);
        if matches!(accepted, Ok(true)) {
            core.peers.insert(Peer {
                id,
                route: Some(route.clone_ref(py)),
                moves: Move::Done,
                tells_read_end: how.tell_read_end,
                head: head.into(),
                socket: None,
                wish: None,
            });
        }
        accepted
    })?;
    if !accepted.map_err(|misuse| errors::misuse(&misuse.to_string()))? {
        return Ok(());
    }
    if admission.is_none()
        && details.kind == RouteKind::Message
        && details.on_open.is_none()
        && protocol.is_none()
    {
        // The object comes with the first message.
        return Ok(());
    }
    let socket = Py::new(
        py,
        WebSocket::new(engine.clone().unbind(), id, details.module),
    )?;
    engine.get().core.with(|core| {
        if let Some(peer) = core.peers.get_mut(id) {
            peer.socket = Some(socket.clone_ref(py));
        }
    })?;
    let (request, data, arguments) = match admission {
        Some((request, data, arguments)) => (Some(request.clone_ref(py)), Some(data), arguments),
        None => (None, None, None),
    };
    socket
        .get()
        .set_up(request, data, protocol.map(str::to_owned))?;
    if let Some(hook) = &details.on_open {
        guard(engine, id, hook.call1(py, (&socket,)).map(drop))?;
    }
    if details.kind == RouteKind::Message {
        return Ok(());
    }
    begin(engine, id, route, &socket, arguments.as_ref())
}

/// Starts the coroutine of a connection.
pub(crate) fn begin(
    engine: &Bound<'_, Engine>,
    id: ConnectionId,
    route: &Py<Route>,
    socket: &Py<WebSocket>,
    arguments: Option<&Bound<'_, PyDict>>,
) -> PyResult<()> {
    let py = engine.py();
    let handler = route.get().handler.bind(py);
    let started = handler.call((socket,), arguments);
    match started.and_then(|coroutine| start(engine, &coroutine)) {
        Err(error) => fault(engine, id, error),
        Ok(task) => {
            route.get().tally.begun();
            let finished = Finished {
                engine: engine.clone().unbind(),
                id,
                route: route.clone_ref(py),
                socket: socket.clone_ref(py),
            };
            task.call_method1(intern!(py, "add_done_callback"), (Py::new(py, finished)?,))?;
            let (key, kept) = (task.as_ptr() as usize, task.clone().unbind());
            engine
                .get()
                .core
                .with(|core| core.handlers.insert(key, kept))?;
            socket.get().set_task(task.unbind())
        }
    }
}

/// Makes a Task, whose first step is run at once where Python can do that (3.12 and later), and which the engine may step.
fn start<'py>(
    engine: &Bound<'py, Engine>,
    coroutine: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = engine.py();
    let event_loop = engine.get().event_loop(py)?;
    let driver;
    let coroutine = if coroutine.get_type().is(coroutine_class(py)?) {
        driver = Bound::new(py, Driver::new(coroutine.clone().unbind()))?;
        driver.as_any()
    } else {
        // What only resembles a coroutine may be stepped in ways of its own.
        coroutine
    };
    if py.version_info() < (3, 12) {
        return event_loop
            .bind(py)
            .call_method1(intern!(py, "create_task"), (coroutine,));
    }
    let options = PyDict::new(py);
    options.set_item("loop", event_loop)?;
    options.set_item("eager_start", true)?;
    static TASK: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    TASK.import(py, "asyncio", "Task")?
        .call((coroutine,), Some(&options))
}

fn coroutine_class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    CLASS.import(py, "types", "CoroutineType")
}

/// The handler's coroutine has ended, and with it the connection.
#[pyclass(frozen, module = "hubbub")]
struct Finished {
    engine: Py<Engine>,
    id: ConnectionId,
    route: Py<Route>,
    socket: Py<WebSocket>,
}

#[pymethods]
impl Finished {
    /// Its Task knows it, and the socket knows the Task; the socket lets go (see `WebSocket.__clear__`).
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.engine)?;
        visit.call(&self.route)?;
        visit.call(&self.socket)
    }

    fn __call__(&self, task: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = task.py();
        let engine = self.engine.bind(py);
        let key = task.as_ptr() as usize;
        let _ended = engine.get().core.with(|core| core.handlers.remove(&key))?;
        let error = if task.call_method0(intern!(py, "cancelled"))?.is_truthy()? {
            None
        } else {
            Some(task.call_method0(intern!(py, "exception"))?).filter(|error| !error.is_none())
        };
        self.route.get().tally.ended();
        let code = if error.is_some() { 1011 } else { 1000 };
        if let Some(error) = error {
            self.route.get().tally.error();
            let error = PyErr::from_value(error);
            // Counted if it is ours; the Task keeps to itself even what would end the program.
            is_fault(engine, &error)?;
            report(engine, "handler", Some(error), self.id)?;
        }
        if self.socket.get().leaving()? == Leaving::Cancelled {
            return handover::old_has_ended(engine, self.id, &self.socket, &self.route);
        }
        let _ = engine
            .get()
            .change(py, |core| core.worker.close(self.id, code, ""))?;
        Ok(())
    }
}
