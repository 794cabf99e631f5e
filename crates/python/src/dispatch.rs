//! A batch: every event that a wait has brought goes to the handler it is for.
//!
//! Whatever a handler raises stays with its connection: reported, closed with 1011, nobody else touched. Only what is meant to
//! end the program (KeyboardInterrupt, SystemExit) goes up.

use std::collections::hash_map::Entry;

use hubbub_protocol::endpoint::Kind;
use hubbub_server::{Bytes, ConnectionId, Ending, Event, Inbox, Limit, Notice, Sent as Outcome};
use pyo3::exceptions::{PyKeyboardInterrupt, PySystemExit, PyTypeError};
use pyo3::intern;
use pyo3::panic::PanicException;
use pyo3::prelude::*;

use crate::answers;
use crate::client;
use crate::convert;
use crate::engine::Engine;
use crate::errors;
use crate::handover;
use crate::large::Growing;
use crate::peers::Move;
use crate::requests;
use crate::route::{Route, RouteKind, Tally};
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
        let (id, is_request) = (event.id(), matches!(event, Event::Request { .. }));
        match (errors::catch(|| on_event(engine, &mut speaker, event)), id) {
            (Ok(()), _) => {}
            (Err(error), Some(id)) => match is_request {
                true => answers::on_fault(engine, id, error)?,
                false => fault(engine, id, error)?,
            },
            (Err(error), None) => return Err(error),
        }
        if let Some(speaker) = &speaker {
            let rest = errors::catch(|| rest_of_read(engine, speaker, inbox));
            guard(engine, speaker.id, rest)?;
        }
    }
    alarms(engine)
}

/// Gives the handler of who has just spoken all else that the same read has brought, as far as it is plain.
#[inline]
fn rest_of_read(engine: &Bound<'_, Engine>, speaker: &Speaker, inbox: &mut Inbox) -> PyResult<()> {
    let (id, core) = (speaker.id, &engine.get().core);
    while let Some((kind, payload)) = core.with(|core| core.worker.next_plain(id, inbox))? {
        match convert::message(engine.py(), kind, payload) {
            Ok(message) => speaker.hear(engine, kind, payload.len(), message)?,
            Err(error) => fault(engine, id, error)?,
        }
    }
    Ok(())
}

#[inline]
fn on_event(
    engine: &Bound<'_, Engine>,
    speaker: &mut Option<Speaker>,
    event: Event<'_>,
) -> PyResult<()> {
    match event {
        Event::Message {
            id,
            kind: Kind::Binary,
            payload: Bytes::Owned(rest),
        } => on_assembled(engine, speaker, id, &rest),
        Event::Message { id, kind, payload } => on_message(engine, speaker, id, kind, &payload),
        Event::Arrived { id } => on_arrived(engine, id),
        Event::ReadEnd { id } => {
            let socket = match speaker.take_if(|speaker| speaker.id == id) {
                Some(speaker) => Some(speaker.socket),
                // What was read came in a batch before this one: a thread hands a large message over at once.
                None => known(engine, id)?,
            };
            socket.map_or(Ok(()), |socket| {
                guard(engine, id, socket.get().after_read(engine.py()))
            })
        }
        Event::Request {
            id,
            head,
            body,
            is_announced,
        } => requests::on_request(engine, id, head, &body, is_announced),
        Event::Body {
            id,
            content,
            is_last,
        } => answers::on_body(engine, id, &content, is_last),
        Event::HungUp { id } => answers::on_hung_up(engine, id),
        Event::Response { id, head } => client::on_response(engine, id, &head),
        Event::Drained { id } => match known(engine, id)? {
            Some(socket) => guard(engine, id, socket.get().wake_writers(engine.py())),
            None => answers::on_drained(engine, id),
        },
        Event::Closed { id, ending } => on_closed(engine, id, ending),
        Event::Notice(notice) => on_notice(engine, &notice),
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
pub(crate) type Known = (Py<WebSocket>, Option<Py<Route>>);

/// The connection's Python object, made when it is first needed.
pub(crate) fn socket(engine: &Bound<'_, Engine>, id: ConnectionId) -> PyResult<Option<Known>> {
    let py = engine.py();
    let found = engine.get().core.with(|core| {
        let peer = core.peers.get_mut(id)?;
        let route = peer.route.as_ref().map(|route| route.clone_ref(py));
        let socket = peer.socket.as_ref().map(|socket| socket.clone_ref(py));
        Some((socket, route))
    })?;
    let Some((socket, route)) = found else {
        return Ok(None);
    };
    if let Some(socket) = socket {
        return Ok(Some((socket, route)));
    }
    let module = route.as_ref().map_or(0, |route| route.get().module);
    let made = Py::new(py, WebSocket::new(engine.clone().unbind(), id, module))?;
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
    route: Option<Py<Route>>,
    is_called: IsCalled,
}

/// How messages reach the handler.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IsCalled {
    /// It is a function, called with each.
    WithEach,
    /// They wait for it to take them; it is told at the end of a read.
    AfterRead,
    /// It is told at once, as nothing tells of the end of a read.
    AtOnce,
}

impl Speaker {
    fn find(engine: &Bound<'_, Engine>, id: ConnectionId) -> PyResult<Option<Self>> {
        let py = engine.py();
        let found = engine.get().core.with(|core| {
            let peer = core.peers.get_mut(id)?;
            let socket = peer.socket.as_ref().map(|socket| socket.clone_ref(py));
            let route = peer.route.as_ref().map(|route| route.clone_ref(py));
            let tells_read_end = peer.tells_read_end || route.is_none();
            Some((socket, route, peer.moves, tells_read_end))
        })?;
        let Some((known, route, moves, tells_read_end)) = found else {
            return Ok(None);
        };
        if moves == Move::Due {
            // What comes from now on is for the new version.
            handover::one(engine, id)?;
            return Self::find(engine, id);
        }
        let socket = match known {
            Some(socket) => socket,
            None => match socket(engine, id)? {
                Some((socket, _)) => socket,
                None => return Ok(None),
            },
        };
        let is_function = moves != Move::UnderWay
            && route
                .as_ref()
                .is_some_and(|route| route.get().kind == RouteKind::Message);
        let is_called = match (is_function, tells_read_end) {
            (true, _) => IsCalled::WithEach,
            (false, true) => IsCalled::AfterRead,
            (false, false) => IsCalled::AtOnce,
        };
        Ok(Some(Self {
            id,
            socket,
            route,
            is_called,
        }))
    }

    /// Gives the handler a message, and keeps count.
    #[inline]
    fn hear(
        &self,
        engine: &Bound<'_, Engine>,
        kind: Kind,
        length: usize,
        message: Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let tally = self.route.as_ref().map(|route| &route.get().tally);
        let since = tally.and_then(Tally::message);
        let handled = match (self.is_called, &self.route) {
            (IsCalled::WithEach, Some(route)) => {
                answer(engine, &self.socket, route, self.id, &message).map(drop)
            }
            (how, _) => {
                let socket = self.socket.get();
                socket.push(message.unbind(), kind, length)?;
                match how {
                    IsCalled::AtOnce => guard(engine, self.id, socket.after_read(engine.py())),
                    _ => Ok(()),
                }
            }
        };
        if let Some(tally) = tally {
            tally.handled(since);
        }
        handled
    }
}

/// More of a large message has come: it goes where the whole of it will be, so that its end costs no more than its middle.
fn on_arrived(engine: &Bound<'_, Engine>, id: ConnectionId) -> PyResult<()> {
    let py = engine.py();
    let grown = engine.get().core.with(|core| {
        let (worker, arriving) = (&mut core.worker, &mut core.arriving);
        worker.take_arrived(id, |bytes, missing| {
            let growing = match arriving.entry(id) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => {
                    let length = bytes.len() + usize::try_from(missing).unwrap_or(usize::MAX);
                    place.insert(Growing::new(py, length)?)
                }
            };
            growing.push(bytes);
            Ok(())
        })
    })?;
    guard(engine, id, grown.unwrap_or(Ok(())))
}

/// A binary message that came in pieces, or what had not been taken of it.
fn on_assembled(
    engine: &Bound<'_, Engine>,
    speaker: &mut Option<Speaker>,
    id: ConnectionId,
    rest: &[u8],
) -> PyResult<()> {
    let py = engine.py();
    let growing = engine.get().core.with(|core| core.arriving.remove(&id))?;
    let Some(growing) = growing else {
        return on_message(engine, speaker, id, Kind::Binary, rest);
    };
    match growing.finish(py, rest) {
        Ok(message) => {
            let length = message.len()?;
            hand_out(engine, speaker, id, Kind::Binary, length, message)
        }
        Err(error) => fault(engine, id, error),
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
    match convert::message(engine.py(), kind, payload) {
        Ok(message) => hand_out(engine, speaker, id, kind, payload.len(), message),
        Err(error) => fault(engine, id, error),
    }
}

/// Gives a message to the handler it is for.
#[inline]
fn hand_out(
    engine: &Bound<'_, Engine>,
    speaker: &mut Option<Speaker>,
    id: ConnectionId,
    kind: Kind,
    length: usize,
    message: Bound<'_, PyAny>,
) -> PyResult<()> {
    if speaker.as_ref().is_none_or(|speaker| speaker.id != id) {
        *speaker = Speaker::find(engine, id)?;
    }
    match speaker {
        Some(speaker) => speaker.hear(engine, kind, length, message),
        None => Ok(()),
    }
}

/// Calls a message handler, and sends what it returns; tells whether the connection goes on.
#[inline]
pub(crate) fn answer(
    engine: &Bound<'_, Engine>,
    socket: &Py<WebSocket>,
    route: &Py<Route>,
    id: ConnectionId,
    message: &Bound<'_, PyAny>,
) -> PyResult<bool> {
    let py = engine.py();
    let failed = match route.get().handler.bind(py).call1((socket, message)) {
        Ok(reply) if reply.is_none() => return Ok(true),
        Ok(reply) => match socket.get().send_now(&reply) {
            Ok(Outcome::Dropped) => fault_slow(engine, id),
            Ok(_) => return Ok(true),
            Err(error) => fault(engine, id, wrong_reply(py, error)),
        },
        Err(error) => fault(engine, id, error),
    };
    failed.map(|()| false)
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

/// A limit that somebody came up against, in words.
fn on_notice(engine: &Bound<'_, Engine>, notice: &Notice) -> PyResult<()> {
    let mut text = match notice.limit {
        Limit::Proxy => "refused for want of a trusted PROXY header".to_owned(),
        Limit::Held => match notice.step {
            1 => "held bytes at 70 % of held_limit: buffers are shrunk".to_owned(),
            2 => "held bytes at 80 % of held_limit: the largest are not read".to_owned(),
            3 => "held bytes at 90 % of held_limit: new requests are refused".to_owned(),
            _ => "held bytes at held_limit: the largest are closed".to_owned(),
        },
        Limit::Tls => format!("TLS handshake failed: {}", notice.why),
        limit => format!("{} reached", limit.name()),
    };
    if let Some(peer) = notice.peer {
        let with = if notice.limit == Limit::Tls {
            "with"
        } else {
            "by"
        };
        text += &format!(", {with} {peer}");
    }
    if notice.times > 1 {
        text += &format!(", {} times", notice.times);
    }
    if notice.dry_run {
        text += ", let pass: dry run";
    }
    let nothing = engine.py().None();
    let told = engine
        .get()
        .report
        .call1(engine.py(), ("limit", nothing, 0, text));
    told.map(drop)
}

fn on_closed(engine: &Bound<'_, Engine>, id: ConnectionId, ending: Ending) -> PyResult<()> {
    let py = engine.py();
    let _part = engine.get().core.with(|core| core.arriving.remove(&id))?;
    answers::on_gone(engine, id)?;
    let Some((is_ours, has_hook)) = engine.get().core.with(|core| {
        let peer = core.peers.get_mut(id)?;
        let hook = peer
            .route
            .as_ref()
            .is_some_and(|route| route.get().on_close.is_some());
        Some((peer.route.is_some(), hook))
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
        if is_ours {
            // Afterwards the head is gone; whoever holds the object may still ask.
            let _ = socket.bind(py).getattr(intern!(py, "request"));
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
            let (interval_s, callback) = core.timers.get(key)?;
            core.worker
                .alarm(std::time::Duration::from_secs_f64(*interval_s), key);
            Some(callback.clone_ref(py))
        })?;
        let Some(callback) = callback else { continue };
        if let Err(error) = errors::catch(|| callback.call0(py)) {
            if !is_fault(engine, &error)? {
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
    if !is_fault(engine, &error)? {
        return Err(error);
    }
    // RFC 6455 §7.4.1: 1011, "an unexpected condition". The peer learns no more than that.
    let _ = engine
        .get()
        .core
        .with(|core| core.worker.close(id, 1011, ""))?;
    let route = engine.get().core.with(|core| {
        let peer = core.peers.get_mut(id)?;
        peer.route
            .as_ref()
            .map(|route| route.clone_ref(engine.py()))
    })?;
    if let Some(route) = route {
        route.get().tally.error();
    }
    report(engine, "handler", Some(error), id)
}

/// Whether an error is one handler's affair, and not meant to end the program.
pub(crate) fn is_fault(engine: &Bound<'_, Engine>, error: &PyErr) -> PyResult<bool> {
    let py = engine.py();
    // A panic inside a call of the handler's is as bad as an exception, and no worse.
    if is_panic(error, py) {
        engine.get().core.with(|core| core.worker.count_panic())?;
        return Ok(true);
    }
    // Also a cancellation that a plain function has met in the result of a Future, say.
    Ok(!error.is_instance_of::<PyKeyboardInterrupt>(py)
        && !error.is_instance_of::<PySystemExit>(py))
}

/// A panic of ours, or of any other module made with PyO3: each of these has a class of its own for it.
fn is_panic(error: &PyErr, py: Python<'_>) -> bool {
    let class = error.get_type(py);
    error.is_instance_of::<PanicException>(py)
        || class
            .fully_qualified_name()
            .is_ok_and(|name| name == "pyo3_runtime.PanicException")
}

/// Tells Python's side what happened, by connection and path.
pub(crate) fn report(
    engine: &Bound<'_, Engine>,
    event: &str,
    error: Option<PyErr>,
    id: ConnectionId,
) -> PyResult<()> {
    let path = engine.get().request_of(engine.py(), id);
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
