//! Answers: what a handler returns, at once or later, becomes status, fields and body; what it raises becomes an error.
//!
//! Bodies that are still to come are asked for here, and handed to whoever wants them. Routing is `requests`'.

use hubbub_protocol::handshake::{Offer, examine};
use hubbub_protocol::http::{Refusal, Request as Head, Response};
use hubbub_server::ConnectionId;
use pyo3::exceptions::PyBaseException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

use crate::dispatch::{guard, is_fault, report, report_at};
use crate::engine::Engine;
use crate::errors;
use crate::exchange::{Ended, Exchange, forget, has_begun};
use crate::file::OpenFile;
use crate::request::Request;
use crate::requests::{admitted, python_request};
use crate::route::Route;

pub(crate) const TEXT: (&str, &str) = ("Content-Type", "text/plain; charset=utf-8");

/// Calls the handler of a request that is whole.
pub(crate) fn call(
    engine: &Bound<'_, Engine>,
    id: ConnectionId,
    route: &Py<Route>,
    request: &Head<'_>,
    head: &[u8],
    body: &[u8],
) -> PyResult<()> {
    let py = engine.py();
    if !body.is_empty() && body.len() as u64 > body_limit(engine, route)? {
        refuse_with(engine, id, route, request)?;
        return refuse(engine, id, &Refusal::new(413, "the body is too large"));
    }
    let python = python_request(engine, id, request, body)?;
    if route.get().streams {
        python.get().comes_in_pieces(None)?;
    }
    let since = route.get().tally.request();
    let answer = route.get().handler.call1(py, (python,));
    route.get().tally.answered(since);
    let aim = Aim::Response(route.clone_ref(py));
    on_answer(engine, id, answer, aim, head, None)
}

/// A body is to come: the route says how its handler wants it.
pub(crate) fn ask_for_body(
    engine: &Bound<'_, Engine>,
    id: ConnectionId,
    route: &Py<Route>,
    request: &Head<'_>,
    head: &[u8],
) -> PyResult<()> {
    let py = engine.py();
    let limit = body_limit(engine, route)?;
    refuse_with(engine, id, route, request)?;
    if !route.get().streams {
        return engine.get().core.with(|core| {
            core.unanswered.entry(id).or_default().collecting =
                Some((head.to_vec(), route.clone_ref(py)));
            core.worker.collect(id, limit);
        });
    }
    let exchange = Exchange::of(engine, id)?;
    if request.expects_continue() {
        exchange.get().asks_first()?;
    }
    engine
        .get()
        .core
        .with(|core| core.worker.stream(id, limit))?;
    let python = python_request(engine, id, request, b"")?;
    python.get().comes_in_pieces(Some(exchange))?;
    let since = route.get().tally.request();
    let answer = route.get().handler.call1(py, (python,));
    route.get().tally.answered(since);
    let aim = Aim::Response(route.clone_ref(py));
    on_answer(engine, id, answer, aim, head, None)
}

fn body_limit(engine: &Bound<'_, Engine>, route: &Py<Route>) -> PyResult<u64> {
    match route.get().body_limit_bytes {
        Some(limit) => Ok(limit),
        None => engine
            .get()
            .core
            .with(|core| core.worker.settings().body_limit_bytes as u64),
    }
}

/// A body, or a piece of one.
pub(crate) fn on_body(
    engine: &Bound<'_, Engine>,
    id: ConnectionId,
    content: &[u8],
    is_last: bool,
) -> PyResult<()> {
    let py = engine.py();
    let (collecting, exchange) = engine.get().core.with(|core| {
        let one = core.unanswered.get_mut(&id);
        one.map_or((None, None), |one| {
            let exchange = one.exchange.as_ref();
            (
                one.collecting.take(),
                exchange.map(|exchange| exchange.clone_ref(py)),
            )
        })
    })?;
    let Some((head, route)) = collecting else {
        return match exchange {
            Some(exchange) => guard(engine, id, exchange.get().push(py, content, is_last)),
            None => Ok(()),
        };
    };
    let request = parsed(engine, &head)?.map_err(|bad| errors::failure(bad.reason))?;
    call(engine, id, &route, &request, &head, content)
}

/// Nobody waits for the answer any more, as far as can be told: the handler is cancelled.
pub(crate) fn on_hung_up(engine: &Bound<'_, Engine>, id: ConnectionId) -> PyResult<()> {
    let py = engine.py();
    let task = engine.get().core.with(|core| {
        let one = core.unanswered.get_mut(&id)?;
        one.has_hung_up = true;
        one.task.as_ref().map(|task| task.clone_ref(py))
    })?;
    match task {
        Some(task) => task.call_method0(py, intern!(py, "cancel")).map(drop),
        None => Ok(()),
    }
}

pub(crate) fn on_drained(engine: &Bound<'_, Engine>, id: ConnectionId) -> PyResult<()> {
    let py = engine.py();
    let exchange = engine.get().core.with(|core| {
        let one = core.unanswered.get(&id)?;
        Some(one.exchange.as_ref()?.clone_ref(py))
    })?;
    match exchange {
        Some(exchange) => guard(engine, id, exchange.get().wake_writers(py)),
        None => Ok(()),
    }
}

/// The connection has ended before the answer: who works on it is told.
pub(crate) fn on_gone(engine: &Bound<'_, Engine>, id: ConnectionId) -> PyResult<()> {
    let py = engine.py();
    let gone = engine.get().core.with(|core| core.unanswered.remove(&id))?;
    let Some(gone) = gone else {
        return Ok(());
    };
    if let Some(exchange) = gone.exchange {
        guard(engine, id, exchange.get().end(py, Ended::ByEngine))?;
    }
    match gone.task {
        // Once: what a handler does to end well is not to be cancelled, too.
        Some(task) if !gone.has_hung_up => task.call_method0(py, intern!(py, "cancel")).map(drop),
        _ => Ok(()),
    }
}

/// What is to be done with what Python answers.
pub(crate) enum Aim {
    Response(Py<Route>),
    Admission {
        route: Py<Route>,
        request: Py<Request>,
    },
}

impl Aim {
    fn route(&self) -> &Route {
        match self {
            Self::Response(route) | Self::Admission { route, .. } => route.get(),
        }
    }
}

impl Later {
    /// The handler has ended, and no answer can be given any more: it has been, it broke off, or nobody waits for it.
    fn after_the_end(
        &self,
        engine: &Bound<'_, Engine>,
        is_ours: bool,
        has_hung_up: bool,
        answer: PyResult<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let py = engine.py();
        if is_ours {
            engine.get().core.with(|core| core.worker.cut(self.id))?;
            forget(engine.get(), py, self.id, Ended::ByEngine)?;
        }
        // Who is gone, or broke off what they sent, is no fault of the handler's.
        let is_theirs = |error: &PyErr| -> PyResult<bool> {
            let is_cancelled =
                error.is_instance_of::<pyo3::exceptions::asyncio::CancelledError>(py);
            Ok(is_cancelled
                || !is_ours && error.is_instance(py, errors::connection_closed_class(py)?))
        };
        match answer {
            Err(error) if is_theirs(&error)? => Ok(()),
            Err(error) => self.tell(engine, error),
            // Who has hung up is owed no answer.
            Ok(_) if is_ours && !has_hung_up => self.tell(
                engine,
                errors::misuse("the answer was begun and not finished"),
            ),
            _ => Ok(()),
        }
    }

    fn tell(&self, engine: &Bound<'_, Engine>, error: PyErr) -> PyResult<()> {
        self.aim.route().tally.error();
        report_at(
            engine,
            "handler",
            Some(error),
            self.id,
            &path(engine, &self.head)?,
        )
    }
}

/// A head, by the bounds that hold.
pub(crate) fn parsed<'h>(
    engine: &Bound<'_, Engine>,
    head: &'h [u8],
) -> PyResult<Result<Head<'h>, Refusal>> {
    let limits = engine
        .get()
        .core
        .with(|core| core.worker.settings().kept_head())?;
    Ok(Head::parse(head, &limits))
}

/// The path in a head that was kept.
fn path(engine: &Bound<'_, Engine>, head: &[u8]) -> PyResult<String> {
    let path = parsed(engine, head)?.map(|head| head.target.path.into_owned());
    Ok(path.unwrap_or_default())
}

/// Acts on an answer, or waits for it if it is a coroutine.
pub(crate) fn on_answer(
    engine: &Bound<'_, Engine>,
    id: ConnectionId,
    answer: PyResult<Py<PyAny>>,
    aim: Aim,
    head: &[u8],
    offer: Option<&Offer<'_>>,
) -> PyResult<()> {
    let py = engine.py();
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return reject(engine, id, aim.route(), head, error),
    };
    if answer.bind(py).is_instance_of::<PyTuple>() {
        let acted = act(engine, id, answer.bind(py), &aim, head, offer);
        return acted.or_else(|error| reject(engine, id, aim.route(), head, error));
    }
    let task =
        match engine
            .get()
            .event_loop(py)?
            .call_method1(py, intern!(py, "create_task"), (answer,))
        {
            Ok(task) => task,
            Err(error) => return reject(engine, id, aim.route(), head, error),
        };
    aim.route().tally.begun();
    engine.get().core.with(|core| {
        core.unanswered.entry(id).or_default().task = Some(task.clone_ref(py));
    })?;
    let later = Later {
        engine: engine.clone().unbind(),
        id,
        aim,
        head: head.to_vec(),
    };
    task.call_method1(py, intern!(py, "add_done_callback"), (Py::new(py, later)?,))?;
    let key = task.as_ptr() as usize;
    engine
        .get()
        .core
        .with(|core| core.handlers.insert(key, task))
        .map(drop)
}

fn act(
    engine: &Bound<'_, Engine>,
    id: ConnectionId,
    answer: &Bound<'_, PyAny>,
    aim: &Aim,
    head: &[u8],
    offer: Option<&Offer<'_>>,
) -> PyResult<()> {
    match (aim, offer) {
        (Aim::Admission { route, request }, Some(offer)) => {
            let (data, arguments): (Py<PyAny>, Bound<'_, PyDict>) = answer.extract()?;
            admitted(
                engine,
                id,
                route,
                head,
                offer,
                Some((request, data, arguments)),
            )
        }
        _ => {
            let (status, fields, body) =
                answer.extract::<(u16, Vec<(String, String)>, Bound<'_, PyAny>)>()?;
            let fields: Vec<_> = borrowed(&fields).collect();
            match body.cast::<PyBytes>() {
                Ok(body) => try_to_respond(engine, id, status, &fields, body.as_bytes()),
                Err(_) => respond_in_parts(engine, id, status, &fields, body.cast::<PyList>()?),
            }
        }
    }
}

/// The rest of an exchange whose answer is a Task.
#[pyclass(frozen, module = "hubbub")]
struct Later {
    engine: Py<Engine>,
    id: ConnectionId,
    aim: Aim,
    head: Vec<u8>,
}

#[pymethods]
impl Later {
    fn __call__(&self, task: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = task.py();
        let engine = self.engine.bind(py);
        self.aim.route().tally.ended();
        // The request is answered outside a batch: see to it that the answer leaves.
        let key = task.as_ptr() as usize;
        let _ended = engine.get().change(py, |core| core.handlers.remove(&key))?;
        let (is_ours, has_hung_up) = engine.get().core.with(|core| {
            let one = core.unanswered.get(&self.id);
            one.map_or((false, false), |one| {
                let is_ours = one.task.as_ref().is_some_and(|ours| ours.is(task));
                (is_ours, one.has_hung_up)
            })
        })?;
        let answer = errors::catch(|| task.call_method0(intern!(py, "result")));
        if !is_ours || has_begun(engine.get(), py, self.id)? || has_hung_up {
            return self.after_the_end(engine, is_ours, has_hung_up, answer);
        }
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return reject(engine, self.id, self.aim.route(), &self.head, error),
        };
        let request =
            parsed(engine, &self.head)?.map_err(|refusal| errors::failure(refusal.reason))?;
        let offer = examine(&request).ok().flatten();
        let acted = act(
            engine,
            self.id,
            &answer,
            &self.aim,
            &self.head,
            offer.as_ref(),
        );
        acted.or_else(|error| reject(engine, self.id, self.aim.route(), &self.head, error))
    }
}

/// An answer by exception: `Reject` says which; anything else is our fault.
fn reject(
    engine: &Bound<'_, Engine>,
    id: ConnectionId,
    route: &Route,
    head: &[u8],
    error: PyErr,
) -> PyResult<()> {
    let py = engine.py();
    let may_say = !has_begun(engine.get(), py, id)?;
    if may_say && error.is_instance(py, errors::reject_class(py)?) {
        let value = error.value(py);
        // An exception that is kept, as a constant say, would keep each frame it ever passed through.
        value.setattr(intern!(py, "__traceback__"), py.None())?;
        let (status, reason, given) = match refusal_of(value) {
            Ok(refusal) => refusal,
            Err(error) => return fail(engine, id, route, head, error),
        };
        let is_kind = |name: &str| name.eq_ignore_ascii_case("content-type");
        let mut fields = Vec::with_capacity(given.len() + 1);
        if !given.iter().any(|(name, _)| is_kind(name)) {
            fields.push(TEXT);
        }
        fields.extend(borrowed(&given));
        let text = if reason.is_empty() {
            hubbub_protocol::http::reason_phrase(status).to_owned()
        } else {
            reason
        };
        return respond(engine, id, status, &fields, text.as_bytes());
    }
    fail(engine, id, route, head, error)
}

fn borrowed(fields: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    let fields = fields.iter();
    fields.map(|(name, value)| (name.as_str(), value.as_str()))
}

/// Status, reason and fields.
type Refused = (u16, String, Vec<(String, String)>);

/// What a `Reject` says.
fn refusal_of(reject: &Bound<'_, PyBaseException>) -> PyResult<Refused> {
    let py = reject.py();
    Ok((
        reject.getattr(intern!(py, "status"))?.extract()?,
        reject.getattr(intern!(py, "reason"))?.extract()?,
        reject.getattr(intern!(py, "headers"))?.extract()?,
    ))
}

/// The handler has failed: it is told to us, and to the client as little as can be.
fn fail(
    engine: &Bound<'_, Engine>,
    id: ConnectionId,
    route: &Route,
    head: &[u8],
    error: PyErr,
) -> PyResult<()> {
    if !is_fault(engine, &error)? {
        return Err(error);
    }
    route.tally.error();
    let request = parsed(engine, head)?.ok();
    let path = request.as_ref().map_or("", |head| &head.target.path);
    report_at(engine, "handler", Some(error), id, path)?;
    let fields = request.as_ref().map_or(Ok(Vec::new()), |request| {
        route.error_fields(engine.py(), request)
    })?;
    let as_json = request.as_ref().is_some_and(wants_json);
    give_up(engine, id, as_json, &fields)
}

/// Whether a client that accepts this would rather have an error as JSON than as text.
#[pyfunction]
pub(crate) fn prefers_json(accept: &str) -> bool {
    let accept = accept.to_ascii_lowercase();
    accept.contains("json") && !accept.contains("text/html")
}

fn wants_json(request: &Head<'_>) -> bool {
    let accept = request.fields.get("accept").unwrap_or_default();
    prefers_json(&String::from_utf8_lossy(accept))
}

/// What goes wrong before a handler is found, or because of it.
pub(crate) fn respond_with_error(
    engine: &Bound<'_, Engine>,
    id: ConnectionId,
    request: &Head<'_>,
    status: u16,
    text: &str,
    allow: Option<&str>,
    neighbour: Option<&Route>,
) -> PyResult<()> {
    let as_json = wants_json(request) && !text.is_empty();
    let (kind, body) = error_body(as_json, status, text);
    let besides = neighbour.map_or(Ok(Vec::new()), |route| {
        route.error_fields(engine.py(), request)
    })?;
    let mut fields = vec![kind];
    fields.extend(borrowed(&besides));
    fields.extend(allow.map(|methods| ("Allow", methods)));
    respond(engine, id, status, &fields, body.as_bytes())
}

/// Words of our own, which need no escapes.
fn error_body(as_json: bool, status: u16, text: &str) -> ((&'static str, &'static str), String) {
    if as_json {
        let body = format!(r#"{{"status":{status},"error":"{text}"}}"#);
        (("Content-Type", "application/json"), body)
    } else {
        (TEXT, text.to_owned())
    }
}

/// Something went wrong while a request was dealt with, and nothing is left of that but whose it was.
pub(crate) fn on_fault(engine: &Bound<'_, Engine>, id: ConnectionId, error: PyErr) -> PyResult<()> {
    if !is_fault(engine, &error)? {
        return Err(error);
    }
    report_at(engine, "handler", Some(error), id, "")?;
    give_up(engine, id, false, &[])
}

/// There will be no answer but this one, or no more of it.
fn give_up(
    engine: &Bound<'_, Engine>,
    id: ConnectionId,
    as_json: bool,
    besides: &[(String, String)],
) -> PyResult<()> {
    let py = engine.py();
    if has_begun(engine.get(), py, id)? {
        engine.get().core.with(|core| core.worker.cut(id))?;
        return forget(engine.get(), py, id, Ended::ByEngine);
    }
    let (kind, body) = error_body(as_json, 500, "internal server error");
    let mut fields = vec![kind];
    fields.extend(borrowed(besides));
    respond(engine, id, 500, &fields, body.as_bytes())
}

pub(crate) fn respond(
    engine: &Bound<'_, Engine>,
    id: ConnectionId,
    status: u16,
    fields: &[(&str, &str)],
    body: &[u8],
) -> PyResult<()> {
    if let Err(error) = try_to_respond(engine, id, status, fields, body) {
        report(engine, "handler", Some(error), id)?;
        try_to_respond(engine, id, 500, &[TEXT], b"internal server error")?;
    }
    Ok(())
}

/// Raises `Misuse` where that may not be sent; the request waits for another answer then.
fn try_to_respond(
    engine: &Bound<'_, Engine>,
    id: ConnectionId,
    status: u16,
    fields: &[(&str, &str)],
    body: &[u8],
) -> PyResult<()> {
    let response = Response {
        status,
        fields,
        body,
    };
    let responded = engine
        .get()
        .core
        .with(|core| core.worker.respond(id, &response))?;
    responded.map_err(|misuse| errors::misuse(&misuse.to_string()))?;
    forget(engine.get(), engine.py(), id, Ended::ByEngine)
}

/// A refusal in the place of the route's handler says what its errors say.
fn refuse_with(
    engine: &Bound<'_, Engine>,
    id: ConnectionId,
    route: &Py<Route>,
    request: &Head<'_>,
) -> PyResult<()> {
    let fields = route.get().error_fields(engine.py(), request)?;
    if fields.is_empty() {
        return Ok(());
    }
    engine
        .get()
        .core
        .with(|core| core.worker.refuse_with(id, fields))
}

pub(crate) fn refuse(
    engine: &Bound<'_, Engine>,
    id: ConnectionId,
    refusal: &Refusal,
) -> PyResult<()> {
    engine
        .get()
        .core
        .with(|core| core.worker.refuse(id, refusal))?;
    forget(engine.get(), engine.py(), id, Ended::ByEngine)
}

/// Answers with bytes and parts of files, one behind the other.
fn respond_in_parts(
    engine: &Bound<'_, Engine>,
    id: ConnectionId,
    status: u16,
    fields: &[(&str, &str)],
    parts: &Bound<'_, PyList>,
) -> PyResult<()> {
    enum Part<'py> {
        Bytes(Bound<'py, PyBytes>),
        File(Bound<'py, OpenFile>, u64, u64),
    }
    let mut body = Vec::with_capacity(parts.len());
    let mut length = 0;
    for part in parts {
        body.push(match part.cast_into::<PyBytes>() {
            Ok(bytes) => {
                length += bytes.as_bytes().len() as u64;
                Part::Bytes(bytes)
            }
            Err(other) => {
                let (file, offset, count) = other.into_inner().extract()?;
                length += count;
                Part::File(file, offset, count)
            }
        });
    }
    let answered = engine.get().core.with(|core| {
        if !core.worker.begin(id, status, fields, Some(length))? {
            return Ok(());
        }
        for part in &body {
            match part {
                Part::Bytes(bytes) => core.worker.write(id, bytes.as_bytes())?,
                Part::File(file, offset, count) => core
                    .worker
                    .write_file(id, file.get().part(*offset, *count))?,
            };
        }
        core.worker.finish(id).map(drop)
    })?;
    forget(engine.get(), engine.py(), id, Ended::ByEngine)?;
    answered.map_err(|misuse: hubbub_protocol::error::Misuse| errors::misuse(&misuse.to_string()))
}
