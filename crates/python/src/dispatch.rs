//! A batch: every event that a wait has brought goes to the handler it is for.
//!
//! Whatever a handler raises stays with its connection: reported, closed with 1011, nobody else touched. Only what is meant to
//! end the program (KeyboardInterrupt, SystemExit) goes up.

use hubbub_protocol::endpoint::Kind;
use hubbub_server::{ConnectionId, Ending, Event, Inbox, Sent as Outcome};
use pyo3::exceptions::{PyException, PyTypeError};
use pyo3::panic::PanicException;
use pyo3::prelude::*;

use crate::client;
use crate::convert;
use crate::engine::Engine;
use crate::peers::NO_ROUTE;
use crate::requests;
use crate::route::{Route, RouteKind};
use crate::websocket::WebSocket;

/// Puts the inbox back and tells the engine that the batch is over, whatever happens.
struct Batch<'a, 'py> {
    engine: &'a Bound<'py, Engine>,
    inbox: Option<Inbox>,
}

impl Drop for Batch<'_, '_> {
    fn drop(&mut self) {
        let inbox = self.inbox.take();
        // It fails only on another thread, where no batch begins.
        let _ = self.engine.get().core.with(|core| core.inbox = inbox);
    }
}

pub(crate) fn batch(engine: &Bound<'_, Engine>) -> PyResult<()> {
    let Some(inbox) = engine.get().core.with(|core| core.inbox.take())? else {
        // A handler has entered the loop again; this batch goes on when it is back.
        return Ok(());
    };
    let mut batch = Batch {
        engine,
        inbox: Some(inbox),
    };
    let inbox = batch.inbox.as_mut().expect("put there above");
    let mut speaker = None;
    while let Some(event) = engine.get().core.with(|core| core.worker.next(inbox))? {
        if let Event::Message { id, kind, payload } = event {
            on_message(engine, &mut speaker, id, kind, &payload)?;
        } else if let Event::ReadEnd { id } = event {
            if let Some(speaker) = speaker.take_if(|speaker| speaker.id == id) {
                guard(engine, id, speaker.socket.get().after_read(engine.py()))?;
            }
        } else {
            on_event(engine, event)?;
        }
    }
    alarms(engine)
}

fn on_event(engine: &Bound<'_, Engine>, event: Event<'_>) -> PyResult<()> {
    match event {
        Event::Request { id, head, body } => requests::on_request(engine, id, head, body),
        Event::Response { id, head } => client::on_response(engine, id, &head),
        Event::Drained { id } => match known(engine, id)? {
            Some(socket) => guard(engine, id, socket.get().wake_writers(engine.py())),
            None => Ok(()),
        },
        Event::Closed { id, ending } => on_closed(engine, id, ending),
        _ => Ok(()),
    }
}

/// The connection's Python object, if it has one.
fn known(engine: &Bound<'_, Engine>, id: ConnectionId) -> PyResult<Option<Py<WebSocket>>> {
    let py = engine.py();
    engine.get().core.with(|core| {
        core.peers
            .get_mut(id)
            .and_then(|peer| peer.socket.as_ref().map(|socket| socket.clone_ref(py)))
    })
}

/// A connection's Python object and its route, if the route is ours.
type Known = (Py<WebSocket>, Option<Py<Route>>);

/// The connection's Python object, made when it is first needed.
fn socket(engine: &Bound<'_, Engine>, id: ConnectionId) -> PyResult<Option<Known>> {
    let py = engine.py();
    let found = engine.get().core.with(|core| {
        let peer = core.peers.get_mut(id)?;
        let route = core
            .table
            .route(peer.route)
            .map(|route| route.clone_ref(py));
        Some((
            peer.route,
            peer.socket.as_ref().map(|socket| socket.clone_ref(py)),
            route,
        ))
    })?;
    let Some((index, socket, route)) = found else {
        return Ok(None);
    };
    if let Some(socket) = socket {
        return Ok(Some((socket, route)));
    }
    let made = Py::new(py, WebSocket::new(engine.clone().unbind(), id, index))?;
    engine.get().core.with(|core| {
        if let Some(peer) = core.peers.get_mut(id) {
            peer.socket = Some(made.clone_ref(py));
        }
    })?;
    Ok(Some((made, route)))
}

/// Whose messages are being handed out: a read often brings several.
struct Speaker {
    id: ConnectionId,
    socket: Py<WebSocket>,
    /// The function to call with each; without one they wait for the handler to take them.
    handler: Option<Py<PyAny>>,
}

impl Speaker {
    fn find(engine: &Bound<'_, Engine>, id: ConnectionId) -> PyResult<Option<Self>> {
        let Some((socket, route)) = socket(engine, id)? else {
            return Ok(None);
        };
        let handler = route
            .filter(|route| route.get().kind == RouteKind::Message)
            .map(|route| route.get().handler.clone_ref(engine.py()));
        Ok(Some(Self {
            id,
            socket,
            handler,
        }))
    }
}

#[inline]
fn on_message(
    engine: &Bound<'_, Engine>,
    speaker: &mut Option<Speaker>,
    id: ConnectionId,
    kind: Kind,
    payload: &[u8],
) -> PyResult<()> {
    let py = engine.py();
    if speaker.as_ref().is_none_or(|speaker| speaker.id != id) {
        *speaker = Speaker::find(engine, id)?;
    }
    let Some(speaker) = speaker else {
        return Ok(());
    };
    let message = match convert::message(py, kind, payload) {
        Ok(message) => message,
        Err(error) => return fault(engine, id, error),
    };
    let Some(handler) = &speaker.handler else {
        return speaker
            .socket
            .get()
            .push(message.unbind(), kind, payload.len());
    };
    match handler.bind(py).call1((&speaker.socket, &message)) {
        Ok(reply) if reply.is_none() => Ok(()),
        Ok(reply) => match speaker.socket.get().send_now(&reply) {
            Ok(Outcome::Dropped) => fault_slow(engine, id),
            Ok(_) => Ok(()),
            Err(error) => fault(engine, id, wrong_reply(py, error)),
        },
        Err(error) => fault(engine, id, error),
    }
}

fn wrong_reply(py: Python<'_>, error: PyErr) -> PyErr {
    if !error.is_instance_of::<PyTypeError>(py) {
        return error;
    }
    let told = PyTypeError::new_err("a message handler returns str, bytes or None");
    told.set_cause(py, Some(error));
    told
}

/// A reply that finds no room: the peer asks faster than it reads the answers.
fn fault_slow(engine: &Bound<'_, Engine>, id: ConnectionId) -> PyResult<()> {
    engine.get().core.with(|core| core.worker.close_slow(id))?;
    report(engine, "slow-consumer", None, id)
}

fn on_closed(engine: &Bound<'_, Engine>, id: ConnectionId, ending: Ending) -> PyResult<()> {
    let py = engine.py();
    let Some((index, has_hook)) = engine.get().core.with(|core| {
        let peer = core.peers.get_mut(id)?;
        let hook = core
            .table
            .route(peer.route)
            .is_some_and(|route| route.get().on_close.is_some());
        Some((peer.route, hook))
    })?
    else {
        return Ok(());
    };
    let waits = engine
        .get()
        .core
        .with(|core| core.peers.get_mut(id).and_then(|peer| peer.wish.take()))?;
    if let Some(wish) = waits {
        client::fail(py, &wish.1, &ending)?;
    } else if (has_hook || known(engine, id)?.is_some())
        && let Some((socket, route)) = socket(engine, id)?
    {
        if index != NO_ROUTE {
            // Afterwards the head is gone; whoever holds the object may still ask.
            let _ = socket.bind(py).getattr("request");
        }
        guard(engine, id, socket.get().on_closed(py, ending))?;
        if let Some(hook) = route
            .as_ref()
            .and_then(|route| route.get().on_close.as_ref())
        {
            guard(engine, id, hook.call1(py, (&socket,)).map(drop))?;
        }
    }
    let _gone = engine.get().core.with(|core| core.peers.remove(id))?;
    Ok(())
}

/// Handles the alarms that have gone off.
fn alarms(engine: &Bound<'_, Engine>) -> PyResult<()> {
    let py = engine.py();
    let mut due = Vec::new();
    engine
        .get()
        .core
        .with(|core| core.worker.take_alarms(&mut due))?;
    for key in due {
        let callback = engine.get().core.with(|core| {
            let (interval_s, callback) = core.timers.get(&key)?;
            core.worker
                .alarm(std::time::Duration::from_secs_f64(*interval_s), key);
            Some(callback.clone_ref(py))
        })?;
        let Some(callback) = callback else { continue };
        if let Err(error) = callback.call0(py) {
            if !error.is_instance_of::<PyException>(py) {
                return Err(error);
            }
            engine
                .get()
                .report
                .call1(py, ("timer", error.into_value(py), 0, ""))?;
        }
    }
    Ok(())
}

/// Whatever went wrong in a handler ends at its connection.
pub(crate) fn guard(
    engine: &Bound<'_, Engine>,
    id: ConnectionId,
    result: PyResult<()>,
) -> PyResult<()> {
    result.or_else(|error| fault(engine, id, error))
}

#[cold]
pub(crate) fn fault(engine: &Bound<'_, Engine>, id: ConnectionId, error: PyErr) -> PyResult<()> {
    let py = engine.py();
    // A panic of ours inside a call of the handler's is as bad as an exception, and no worse.
    let is_panic = error.is_instance_of::<PanicException>(py);
    if !is_panic && !error.is_instance_of::<PyException>(py) {
        return Err(error);
    }
    // RFC 6455 §7.4.1: 1011, "an unexpected condition". The peer learns no more than that.
    let _ = engine
        .get()
        .core
        .with(|core| core.worker.close(id, 1011, ""))?;
    report(engine, "handler", Some(error), id)
}

/// Tells Python's side what happened, by connection and path.
pub(crate) fn report(
    engine: &Bound<'_, Engine>,
    event: &str,
    error: Option<PyErr>,
    id: ConnectionId,
) -> PyResult<()> {
    let path = engine.get().request_of(id);
    let path = path.map_or_else(|_| String::new(), |request| request.path().to_owned());
    report_at(engine, event, error, id, &path)
}

/// The same, where the path is known but the connection has no WebSocket.
pub(crate) fn report_at(
    engine: &Bound<'_, Engine>,
    event: &str,
    error: Option<PyErr>,
    id: ConnectionId,
    path: &str,
) -> PyResult<()> {
    let py = engine.py();
    let error = error.map(|error| error.into_value(py));
    engine
        .get()
        .report
        .call1(py, (event, error, id.number(), path))
        .map(drop)
}
