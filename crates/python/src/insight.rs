//! What an engine shows to those who look inside: counts by kind, the loop's lag, the largest connections.
//!
//! Asked for by metrics and status pages, now and then; nothing here is on the path of a message.

use std::collections::HashMap;

use hubbub_server::ConnectionId;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::engine::Engine;

/// Counts and gauges that have kinds; those without are in `stats`.
pub(crate) fn observed<'py>(engine: &Bound<'py, Engine>) -> PyResult<Bound<'py, PyDict>> {
    let found = PyDict::new(engine.py());
    engine.get().core.with(|core| {
        let (buckets, sum_s) = core.lag.read();
        found.set_item("lag_buckets", buckets)?;
        found.set_item("lag_sum_s", sum_s)?;
        let closes = core.worker.tallies().flat_map(|tally| tally.closes());
        found.set_item("closes", closes.collect::<Vec<_>>())?;
        let answers = core.worker.tallies().flat_map(|tally| tally.answers());
        found.set_item("answers", answers.collect::<Vec<_>>())?;
        let mut websockets = HashMap::<u16, usize>::new();
        for peer in core.peers.iter_mut().filter(|peer| peer.wish.is_none()) {
            if let Some(route) = &peer.route {
                *websockets.entry(route.get().module).or_default() += 1;
            }
        }
        found.set_item("websockets", websockets)?;
        found.set_item("threads", core.worker.connection_counts())?;
        found.set_item("held_limit_bytes", core.worker.settings().held_limit_bytes)
    })??;
    Ok(found)
}

/// The connections for which most is held, largest first.
pub(crate) fn largest<'py>(
    engine: &Bound<'py, Engine>,
    count: usize,
) -> PyResult<Bound<'py, PyList>> {
    let py = engine.py();
    let found = engine.get().core.with(|core| core.worker.largest(count))?;
    let list = PyList::empty(py);
    for (id, held_bytes) in found {
        list.append(described(engine, id, held_bytes)?)?;
    }
    Ok(list)
}

/// An access line: connection, client ("unix" for a Unix socket), method, path, status, bytes, seconds.
pub(crate) type Line = (u64, String, String, String, u16, u64, f64);

/// Says whether access lines are wanted.
pub(crate) fn log_access(engine: &Engine, on: bool) -> PyResult<()> {
    engine.core.with(|core| {
        core.worker
            .tallies()
            .for_each(|tally| tally.access.turn(on))
    })
}

/// Takes the access lines that have been written since the last call, and how many found no room.
pub(crate) fn take_access(engine: &Engine) -> PyResult<(Vec<Line>, u64)> {
    let taken = engine.core.with(|core| {
        let books = core.worker.tallies().map(|tally| tally.access.take());
        books.collect::<Vec<_>>()
    })?;
    let lost = taken.iter().map(|(_, lost)| lost).sum();
    let lines = taken.into_iter().flat_map(|(lines, _)| lines).map(|line| {
        let client = line
            .client
            .map_or_else(|| "unix".to_owned(), |ip| ip.to_string());
        let seconds = line.duration_ns as f64 / 1e9;
        (
            line.id.number(),
            client,
            line.method.into(),
            line.path.into(),
            line.status,
            line.bytes,
            seconds,
        )
    });
    Ok((lines.collect(), lost))
}

fn described<'py>(
    engine: &Bound<'py, Engine>,
    id: ConnectionId,
    held_bytes: usize,
) -> PyResult<Bound<'py, PyDict>> {
    let path = engine.get().request_of(engine.py(), id);
    let path = path.map_or_else(|_| String::new(), |request| request.path().to_owned());
    let about = PyDict::new(engine.py());
    engine.get().core.with(|core| {
        about.set_item("id", id.number())?;
        let peer = core.worker.peer(id);
        about.set_item("peer", peer.map(|peer| peer.to_string()))?;
        about.set_item("path", path)?;
        about.set_item("held_bytes", held_bytes)?;
        about.set_item("buffered_bytes", core.worker.buffered(id))?;
        let rtt = core.worker.rtt(id);
        about.set_item("rtt_s", rtt.map(|span| span.as_secs_f64()))
    })??;
    Ok(about)
}
