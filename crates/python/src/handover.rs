//! Reloading: the open connections of a module go over to its new routes, and none of them is closed for it.
//!
//! From the moment that the routes are replaced, no message reaches the old code. A handler that is a function simply gives
//! way to the new one. A coroutine is cancelled where it waits for a message, or when it next does; what arrives meanwhile
//! is queued for the coroutine of the new version, which starts as soon as the old one has ended.

use hubbub_server::ConnectionId;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::dispatch::{answer, guard, socket};
use crate::engine::Engine;
use crate::errors;
use crate::peers::Move;
use crate::requests;
use crate::route::{Route, RouteKind};
use crate::websocket::{Leaving, WebSocket};

/// RFC 6455's registry: "Service Restart". Who comes back finds out what is there now.
const SERVICE_RESTART: u16 = 1012;

/// Puts a module's new routes in the place of its old ones; returns how many connections are to go over.
pub(crate) fn replace(
    engine: &Engine,
    py: Python<'_>,
    module: u16,
    routes: Vec<(Py<Route>, u8, Option<String>)>,
) -> PyResult<usize> {
    let replaced = engine.core.with(|core| {
        if core.inbox.is_none() {
            // Between two messages of one read somebody may be in the middle of a handler.
            return Err(errors::misuse(
                "routes cannot be replaced from within a handler",
            ));
        }
        let mut old = core.table.replace(py, module, routes)?;
        let (mut count, mut sockets) = (0, Vec::new());
        for peer in core.peers.iter_mut() {
            let Some(successor) = peer
                .route
                .as_ref()
                .and_then(|route| route.get().successor(py))
            else {
                continue;
            };
            count += 1;
            if matches!(peer.moves, Move::Done | Move::UnderWay) {
                core.movers.push_back(peer.id);
            }
            match successor {
                Some(route) => {
                    old.extend(peer.route.replace(route));
                    peer.moves = Move::Due;
                    sockets.extend(peer.socket.as_ref().map(|socket| socket.clone_ref(py)));
                }
                None => peer.moves = Move::Out,
            }
        }
        Ok((count, sockets, old))
    })?;
    let (count, sockets, _old) = replaced?;
    for socket in sockets {
        socket.get().ask_to_leave()?;
    }
    Ok(count)
}

/// Lets so many connections go over; returns how many wait for their turn.
pub(crate) fn some(engine: &Bound<'_, Engine>, limit: usize) -> PyResult<usize> {
    for _ in 0..limit {
        let next = engine.get().core.with(|core| core.movers.pop_front())?;
        let Some(id) = next else { break };
        one(engine, id)?;
    }
    engine.get().change(engine.py(), |core| core.movers.len())
}

/// Lets one connection go over, as far as that is possible now.
pub(crate) fn one(engine: &Bound<'_, Engine>, id: ConnectionId) -> PyResult<()> {
    let py = engine.py();
    let found = engine.get().core.with(|core| {
        let peer = core.peers.get_mut(id)?;
        let moves = peer.moves;
        let has_handler = peer.socket.as_ref().is_some_and(|socket| {
            let leaving = socket.get().leaving();
            leaving.is_ok_and(|leaving| leaving != Leaving::No)
        });
        if moves == Move::Due {
            peer.moves = if has_handler {
                Move::UnderWay
            } else {
                Move::Done
            };
        }
        let route = peer.route.as_ref().map(|route| route.clone_ref(py))?;
        let is_plain = route.get().kind == RouteKind::Message && route.get().on_handover.is_none();
        let wants_object = !is_plain || peer.socket.is_some();
        Some((moves, has_handler, wants_object))
    })?;
    match found {
        Some((Move::Out, ..)) => {
            let closed = engine.get().core.with(|core| {
                core.worker
                    .close(id, SERVICE_RESTART, "there is no such endpoint any more")
            })?;
            closed.map_err(|misuse| errors::misuse(&misuse.to_string()))
        }
        Some((Move::Due, has_handler, true)) => match socket(engine, id)? {
            Some((socket, _)) if has_handler => socket.get().leave_if_waiting(py),
            Some((socket, Some(route))) => take_over(engine, id, &socket, &route),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

/// The old handler's coroutine has ended because it was to: the connection goes to the newest version.
pub(crate) fn old_has_ended(
    engine: &Bound<'_, Engine>,
    id: ConnectionId,
    socket: &Py<WebSocket>,
    route: &Py<Route>,
) -> PyResult<()> {
    let py = engine.py();
    // A connection that has ended may have left messages that nobody has handled.
    engine.get().change(py, |core| {
        if let Some(peer) = core.peers.get_mut(id)
            && matches!(peer.moves, Move::UnderWay | Move::Due)
        {
            peer.moves = Move::Done;
        }
    })?;
    match route.get().successor(py) {
        Some(Some(newest)) => take_over(engine, id, socket, &newest),
        _ => Ok(()),
    }
}

/// The old handler is gone, or was a function: the new one begins, with the messages that have waited.
fn take_over(
    engine: &Bound<'_, Engine>,
    id: ConnectionId,
    socket: &Py<WebSocket>,
    route: &Py<Route>,
) -> PyResult<()> {
    let py = engine.py();
    if !socket.get().clear_handler(py)? {
        return Ok(());
    }
    if let Some(hook) = &route.get().on_handover {
        guard(engine, id, hook.call1(py, (socket,)).map(drop))?;
    }
    if route.get().kind == RouteKind::Message {
        while let Some(message) = socket.get().pop(py)? {
            if !answer(engine, socket, route, id, message.bind(py))? {
                break;
            }
        }
        return guard(engine, id, socket.get().after_read(py));
    }
    let request = || Ok(socket.bind(py).getattr(intern!(py, "request"))?.unbind());
    match arguments(py, route, request) {
        Ok(arguments) => requests::begin(engine, id, route, socket, arguments.as_ref()),
        Err(error) => guard(engine, id, Err(error)),
    }
}

/// The arguments of the new coroutine, from the request that opened the connection.
pub(crate) fn arguments<'py>(
    py: Python<'py>,
    route: &Py<Route>,
    request: impl FnOnce() -> PyResult<Py<PyAny>>,
) -> PyResult<Option<Bound<'py, PyDict>>> {
    let Some(resume) = &route.get().resume else {
        return Ok(None);
    };
    let arguments = resume.bind(py).call1((request()?,))?;
    Ok(Some(arguments.cast_into::<PyDict>()?))
}
