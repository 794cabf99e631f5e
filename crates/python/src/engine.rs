//! `Engine`: the workers, and the event loop they serve.
//!
//! Two ways in: `select`, where the engine is the selector of a stock asyncio loop, and `drain`, where another loop watches the
//! engine's descriptor. Both end in the same batch (see `dispatch`).

#![allow(unsafe_code)]

use std::collections::{HashMap, VecDeque};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hubbub_hub::{Patterns, Topic};
use hubbub_protocol::error::Misuse;
use hubbub_protocol::http::Request as Head;
use hubbub_server::{
    Address, ConnectionId, Farewell, Inbox, Interest, Listener, Publication, Workers, monotonic_ns,
};
use pyo3::exceptions::{PyKeyError, PySystemExit, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::caller::Sender;
use crate::cell::LoopCell;
use crate::convert;
use crate::errors;
use crate::exchange::{self, UnansweredTable};
use crate::lag::Lag;
use crate::large::Growing;
use crate::peers::Peers;
use crate::request::Request;
use crate::route::{Route, window};
use crate::settings::{self, QueueLimits};
use crate::table::Table;
use crate::timers::{Cancel, Timers};
use crate::tls::{TlsContext, TlsTrust};
use crate::watch::Watch;

/// Everything that belongs to the loop's thread.
pub(crate) struct Core {
    pub(crate) worker: Workers,
    /// `None` while a batch is being worked on.
    pub(crate) inbox: Option<Inbox>,
    pub(crate) table: Table,
    pub(crate) peers: Peers,
    /// Requests that are not answered yet, where that is not done at once.
    pub(crate) unanswered: UnansweredTable,
    /// Large messages that are not whole yet.
    pub(crate) arriving: HashMap<ConnectionId, Growing>,
    pub(crate) home: Option<Home>,
    /// Connections that are to go over to a new route.
    pub(crate) movers: VecDeque<ConnectionId>,
    /// By module: the topics that it shares with others.
    shared: HashMap<u16, Patterns<bool>>,
    pub(crate) timers: Timers,
    /// The Tasks of handlers that have not ended, by their addresses.
    pub(crate) handlers: HashMap<usize, Py<PyAny>>,
    foreign: HashMap<RawFd, Py<PyAny>>,
    foreign_ready: Vec<(RawFd, Interest)>,
    pub(crate) lag: Lag,
}

impl Core {
    /// Which topic a module means by a name: one of its own, unless it shares that.
    #[inline]
    pub(crate) fn topic<'a>(&self, module: u16, name: &'a str) -> Topic<'a> {
        let is_shared = |patterns: &Patterns<bool>| patterns.of(name);
        let space = match self.shared.is_empty() {
            false if self.shared.get(&module).is_some_and(is_shared) => 0,
            _ => module,
        };
        Topic { space, name }
    }

    /// Whether somebody else's loop is now to be asked for a drain; it is asked once.
    #[inline]
    fn begin_settling(&mut self) -> bool {
        match &mut self.home {
            Some(home) if home.nested => !std::mem::replace(&mut home.settling, true),
            _ => false,
        }
    }
}

/// The loop, and how it is entered.
pub(crate) struct Home {
    pub(crate) event_loop: Py<PyAny>,
    nested: bool,
    /// A drain has been asked for by something that happened outside a batch.
    settling: bool,
    watched: Option<Watched>,
}

/// asyncio's own queue: as long as it is empty, nothing but the engine wants the thread.
struct Watched {
    ready: Py<PyAny>,
}

/// Sockets, timers and topics of one event loop; with `threads`, the sockets are served by threads that run no Python.
#[pyclass(frozen, weakref, module = "hubbub")]
pub(crate) struct Engine {
    pub(crate) core: LoopCell<Core>,
    pub(crate) report: Py<PyAny>,
    pub(crate) queue_limits: QueueLimits,
    epoll: RawFd,
    watch: Watch,
}

/// A publication's key as the outboxes compare it.
pub(crate) fn hash_key(key: &str) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    static STATE: std::sync::OnceLock<RandomState> = std::sync::OnceLock::new();
    STATE.get_or_init(RandomState::new).hash_one(key)
}

impl Engine {
    /// Lets `act` change something outside a batch as well as inside one, and sees to it that the consequences follow.
    #[inline]
    pub(crate) fn change<R>(
        &self,
        py: Python<'_>,
        act: impl FnOnce(&mut Core) -> R,
    ) -> PyResult<R> {
        let (result, settles) = self.core.with(|core| {
            let result = act(core);
            let is_outside = core.inbox.is_some();
            (result, is_outside && core.begin_settling())
        })?;
        if settles {
            self.settle_soon(py)?;
        }
        Ok(result)
    }

    /// In a loop of somebody else's nobody flushes for us: one drain at the end of this turn does.
    #[cold]
    fn settle_soon(&self, py: Python<'_>) -> PyResult<()> {
        let event_loop = self.event_loop(py)?;
        let drain = self
            .core
            .with(|core| core.peers.drain.as_ref().map(|drain| drain.clone_ref(py)))?;
        if let Some(drain) = drain {
            event_loop.call_method1(py, intern!(py, "call_soon"), (drain,))?;
        }
        Ok(())
    }

    pub(crate) fn event_loop(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.core
            .with(|core| core.home.as_ref().map(|home| home.event_loop.clone_ref(py)))?
            .ok_or_else(|| errors::misuse("the engine is not attached to an event loop"))
    }

    pub(crate) fn request_of(&self, py: Python<'_>, id: ConnectionId) -> PyResult<Request> {
        let kept = self.core.with(|core| {
            let kept = core.peers.get_mut(id).map(|peer| {
                let route = peer.route.as_ref().map(|route| route.clone_ref(py));
                (peer.head.to_vec(), route)
            });
            let tls = core.worker.tls(id);
            kept.map(|(head, route)| (head, route, tls, core.worker.settings().kept_head()))
        })?;
        let (head, route, tls, limits) = kept.ok_or_else(|| {
            errors::misuse("the connection is gone, and its request was never asked for")
        })?;
        let params = |path: &str| {
            let route = route.as_ref();
            route.map_or_else(Vec::new, |route| route.get().params(path))
        };
        let sender = |head: &Head<'_>| self.core.with(|core| Sender::of(&core.worker, id, head));
        let request = Request::of_kept(py, id, &head, &limits, params, sender)?;
        Ok(request.with_tls(tls))
    }

    /// What asyncio has to do besides: None when that cannot be told.
    fn has_other_work(
        &self,
        py: Python<'_>,
        scheduled: Option<&(Bound<'_, PyAny>, usize)>,
    ) -> PyResult<bool> {
        let watched = self.core.with(|core| {
            let home = core.home.as_ref()?;
            let watched = home.watched.as_ref()?;
            Some((home.event_loop.clone_ref(py), watched.ready.clone_ref(py)))
        })?;
        let (Some((event_loop, ready)), Some((timers, before))) = (watched, scheduled) else {
            return Ok(true);
        };
        Ok(ready.bind(py).len()? > 0
            || timers.len()? != *before
            || event_loop
                .bind(py)
                .getattr(intern!(py, "_stopping"))
                .map_or(Ok(true), |stopping| stopping.is_truthy())?)
    }

    /// asyncio's timers and their number. Asked for anew each time: the loop puts another list in the place of one that
    /// holds too many cancelled timers.
    fn scheduled<'py>(&self, py: Python<'py>) -> PyResult<Option<(Bound<'py, PyAny>, usize)>> {
        let event_loop = self.core.with(|core| {
            let home = core.home.as_ref()?;
            home.watched.as_ref()?;
            Some(home.event_loop.clone_ref(py))
        })?;
        let Some(event_loop) = event_loop else {
            return Ok(None);
        };
        let timers = event_loop.bind(py).getattr(intern!(py, "_scheduled"))?;
        let count = timers.len()?;
        Ok(Some((timers, count)))
    }

    /// Waits without the GIL, which is taken back for the whole batch.
    fn wait(&self, py: Python<'_>, timeout: Option<Duration>) -> PyResult<()> {
        let (mut ready, timeout) = self.core.with(|core| {
            let begun = core.worker.begin_wait(timeout);
            core.lag.end(monotonic_ns());
            begun
        })?;
        // SAFETY: the descriptor belongs to the worker, which lives as long as this engine, which is borrowed for the call.
        let epoll = unsafe { BorrowedFd::borrow_raw(self.epoll) };
        self.watch.end();
        let waited = match timeout {
            Some(Duration::ZERO) => ready.wait(epoll, timeout),
            _ => py.detach(|| ready.wait(epoll, timeout)),
        };
        let (now_ms, failure) = self.core.with(|core| {
            core.worker.end_wait(ready);
            core.lag.begin(core.worker.woke_ns());
            (core.worker.clock_ms(), core.worker.take_failure())
        })?;
        self.watch.begin(now_ms);
        if let Some(failure) = failure {
            // Its connections are gone and their handlers would wait for ever: what a supervisor can mend, it should.
            let text = format!("hubbub: a thread of the server has died: {failure}");
            return Err(PySystemExit::new_err(text));
        }
        waited.map_err(PyErr::from)
    }
}

#[pymethods]
impl Engine {
    #[new]
    fn new(settings: &Bound<'_, PyDict>, report: Py<PyAny>) -> PyResult<Self> {
        let queue_limits = settings::queue(settings)?;
        let threads = settings::threads(settings, queue_limits)?;
        let mut worker = Workers::new(settings::worker(settings)?, threads)?;
        worker.tell_arrivals();
        let epoll = worker.epoll().as_raw_fd();
        let core = Core {
            worker,
            inbox: Some(Inbox::default()),
            table: Table::default(),
            peers: Peers::default(),
            unanswered: UnansweredTable::default(),
            arriving: HashMap::new(),
            home: None,
            movers: VecDeque::new(),
            shared: HashMap::new(),
            timers: Timers::default(),
            handlers: HashMap::new(),
            foreign: HashMap::new(),
            foreign_ready: Vec::new(),
            lag: Lag::default(),
        };
        Ok(Self {
            core: LoopCell::new(core),
            report,
            queue_limits,
            epoll,
            watch: Watch::default(),
        })
    }

    /// Moves into a loop. `nested`: the loop watches `fileno()` and calls `drain`; otherwise it calls `select`.
    #[pyo3(signature = (event_loop, *, nested))]
    fn attach(slf: &Bound<'_, Self>, event_loop: Py<PyAny>, nested: bool) -> PyResult<()> {
        let py = slf.py();
        slf.get().core.adopt();
        let bound = event_loop.bind(py);
        let watched = match (
            bound.getattr(intern!(py, "_ready")),
            bound.getattr(intern!(py, "_scheduled")),
            bound.hasattr("_stopping")?,
        ) {
            (Ok(ready), Ok(scheduled), true) if !nested => {
                (ready.len().is_ok() && scheduled.is_instance_of::<PyList>()).then(|| Watched {
                    ready: ready.unbind(),
                })
            }
            _ => None,
        };
        let drain = slf.getattr(intern!(py, "drain"))?.unbind();
        slf.get().core.with(|core| {
            core.home = Some(Home {
                event_loop,
                nested,
                settling: false,
                watched,
            });
            core.peers.drain = nested.then_some(drain);
        })
    }

    /// Waits, without the GIL, until the loop's thread has been at work for `limit_s` without looking at its sockets. Returns
    /// for how many seconds, what most of them went to, and which part of them it was at work, once for each stretch of work;
    /// None after `conclude_watch`. From any thread.
    fn watch_for_block(
        &self,
        py: Python<'_>,
        limit_s: f64,
        thread: u32,
    ) -> PyResult<Option<(f64, Option<&'static str>, f64)>> {
        let limit = Duration::try_from_secs_f64(limit_s)
            .map_err(|_| PyValueError::new_err("limit_s is no duration"))?;
        let block = py.detach(|| self.watch.wait(limit, thread));
        Ok(block.map(|block| (block.lasted.as_secs_f64(), block.cause, block.at_work)))
    }

    /// Ends `watch_for_block`. From any thread.
    fn conclude_watch(&self) {
        self.watch.conclude();
    }

    fn fileno(&self) -> RawFd {
        self.epoll
    }

    fn register(&self, fd: RawFd, events: u32, key: Py<PyAny>) -> PyResult<()> {
        self.core.with(|core| {
            // SAFETY: the caller owns the descriptor and unregisters it before closing it, as selectors demand.
            let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
            core.worker.watch(borrowed, interest(events))?;
            core.foreign.insert(fd, key);
            Ok(())
        })?
    }

    fn modify(&self, fd: RawFd, events: u32, key: Py<PyAny>) -> PyResult<()> {
        self.core.with(|core| {
            // SAFETY: as in `register`.
            let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
            core.worker.rewatch(borrowed, interest(events))?;
            core.foreign.insert(fd, key);
            Ok(())
        })?
    }

    fn unregister(&self, fd: RawFd) -> PyResult<()> {
        let known = self.core.with(|core| {
            let known = core.foreign.remove(&fd);
            // SAFETY: epoll_ctl(2) with a number that is not open fails with EBADF, which is harmless: selectors allow a
            // descriptor to be closed before it is unregistered.
            let _ = core.worker.unwatch(unsafe { BorrowedFd::borrow_raw(fd) });
            known
        })?;
        known.map(drop).ok_or_else(|| PyKeyError::new_err(fd))
    }

    /// Waits, serves, and returns asyncio's own descriptors that are ready: as selectors.BaseSelector.select does.
    ///
    /// Stays inside for as long as only the engine's sockets want something.
    #[pyo3(signature = (timeout=None))]
    fn select<'py>(slf: &Bound<'py, Self>, timeout: Option<f64>) -> PyResult<Bound<'py, PyList>> {
        let (py, engine) = (slf.py(), slf.get());
        let timeout = timeout.map(|seconds| Duration::from_secs_f64(seconds.clamp(0.0, 86_400.0)));
        let end = timeout.map(|span| Instant::now() + span);
        let scheduled = engine.scheduled(py)?;
        let mut left = timeout;
        loop {
            engine.wait(py, left)?;
            crate::dispatch::batch(slf)?;
            py.check_signals()?;
            let found = PyList::empty(py);
            let ready: Vec<(Py<PyAny>, u32)> = engine.core.with(|core| {
                let mut ready = std::mem::take(&mut core.foreign_ready);
                core.worker.take_foreign(&mut ready);
                let found = ready
                    .iter()
                    .filter_map(|(fd, flags)| {
                        Some((core.foreign.get(fd)?.clone_ref(py), events(*flags)))
                    })
                    .collect();
                ready.clear();
                core.foreign_ready = ready;
                found
            })?;
            for found_one in ready {
                found.append(found_one)?;
            }
            if !found.is_empty() || engine.has_other_work(py, scheduled.as_ref())? {
                return Ok(found);
            }
            if let Some(end) = end {
                left = Some(end.saturating_duration_since(Instant::now()));
                if left == Some(Duration::ZERO) {
                    return Ok(found);
                }
            }
        }
    }

    /// One bounded batch, without waiting: the callback of `loop.add_reader(engine.fileno(), engine.drain)`.
    fn drain(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (py, engine) = (slf.py(), slf.get());
        let attached = engine.core.with(|core| match &mut core.home {
            Some(home) => {
                home.settling = false;
                true
            }
            None => false,
        })?;
        if !attached {
            return Ok(());
        }
        engine.wait(py, Some(Duration::ZERO))?;
        let batch = crate::dispatch::batch(slf);
        engine.core.with(|core| core.worker.flush())?;
        engine.core.with(|core| {
            core.lag.end(monotonic_ns());
            core.worker.arm_timer()
        })??;
        // What the foreign loop does from here on cannot be told from waiting.
        engine.watch.end();
        batch
    }

    /// Listens at "tcp://HOST:PORT", "unix:PATH" or "fd:N"; returns the address that was bound, in the same form.
    /// With `tls`, whoever connects there speaks TLS; with `proxy_protocol` each connection begins with a PROXY header of
    /// a trusted proxy.
    #[pyo3(signature = (address, *, backlog=4096, group=0, tls=None, proxy_protocol=false))]
    fn listen(
        &self,
        address: &str,
        backlog: i32,
        group: u8,
        tls: Option<&TlsContext>,
        proxy_protocol: bool,
    ) -> PyResult<String> {
        let address = Address::parse(address).map_err(PyValueError::new_err)?;
        let mut listener = Listener::bind(&address, backlog)
            .map_err(errors::os)?
            .in_group(group);
        if let Some(tls) = tls {
            listener = listener.with_tls(Arc::clone(&tls.context));
        }
        if proxy_protocol {
            listener = listener.behind_proxy();
        }
        let bound = listener.address().map_err(errors::os)?;
        self.core
            .with(|core| core.worker.listen(listener))?
            .map_err(errors::os)?;
        Ok(bound)
    }

    /// Adds a route for the connections of one group and, perhaps, for one host only.
    #[pyo3(signature = (route, *, group=0, host=None))]
    fn route(&self, route: Py<Route>, group: u8, host: Option<&str>) -> PyResult<()> {
        self.core.with(|core| core.table.add(route, group, host))?
    }

    /// Puts these routes in the place of all that a module has; its connections go over to them (see `hand_over`).
    fn replace_routes(
        &self,
        py: Python<'_>,
        module: u16,
        routes: Vec<(Py<Route>, u8, Option<String>)>,
    ) -> PyResult<usize> {
        crate::handover::replace(self, py, module, routes)
    }

    /// Lets some connections go over to their new routes; returns how many have yet to.
    fn hand_over(slf: &Bound<'_, Self>, limit: usize) -> PyResult<usize> {
        crate::handover::some(slf, limit)
    }

    /// Says which topics a module shares with all others that do, instead of what it said before.
    fn share(&self, module: u16, patterns: Vec<String>) -> PyResult<()> {
        let mut shared = Patterns::default();
        for pattern in &patterns {
            shared.set(pattern, true);
        }
        self.core.with(|core| {
            if patterns.is_empty() {
                core.shared.remove(&module);
            } else {
                core.shared.insert(module, shared);
            }
        })
    }

    /// Sends a message to every subscriber of a topic; returns to how many.
    #[pyo3(signature = (topic, message, *, key=None, module=0))]
    fn publish(
        &self,
        topic: &str,
        message: &Bound<'_, PyAny>,
        key: Option<&str>,
        module: u16,
    ) -> PyResult<usize> {
        let how = Publication {
            exclude: None,
            key: key.map(hash_key),
        };
        self.change(message.py(), |core| {
            let topic = core.topic(module, topic);
            convert::with_message(message, |kind, bytes| {
                core.worker.publish(topic, kind, bytes, how)
            })
        })?
    }

    /// How many hear a topic.
    #[pyo3(signature = (topic, *, module=0))]
    fn subscribers(&self, topic: &str, module: u16) -> PyResult<usize> {
        self.core.with(|core| {
            let topic = core.topic(module, topic);
            core.worker.subscriber_count(topic)
        })
    }

    /// What happens to subscribers of these topics that read too slowly.
    #[pyo3(signature = (pattern, policy, *, module=0))]
    fn policy(&self, pattern: &str, policy: &str, module: u16) -> PyResult<()> {
        use hubbub_hub::Policy;
        let policy = match policy {
            "close" => Policy::Close,
            "drop-newest" => Policy::DropNewest,
            "drop-oldest" => Policy::DropOldest,
            "conflate" => Policy::Conflate,
            other => {
                let text = format!(
                    "a policy is close, drop-newest, drop-oldest or conflate, not {other:?}"
                );
                return Err(PyValueError::new_err(text));
            }
        };
        self.core.with(|core| {
            let pattern = core.topic(module, pattern);
            core.worker.set_policy(pattern, policy);
        })
    }

    /// Calls `callback` every so many seconds; returns what ends it.
    fn every(slf: &Bound<'_, Self>, interval_s: f64, callback: Py<PyAny>) -> PyResult<Cancel> {
        if !(interval_s > 0.0 && interval_s < 1e9) {
            return Err(PyValueError::new_err(format!(
                "not an interval in seconds: {interval_s}"
            )));
        }
        let key = slf.get().change(slf.py(), |core| {
            let key = core.timers.add(interval_s, callback);
            core.worker.alarm(Duration::from_secs_f64(interval_s), key);
            key
        })?;
        Ok(Cancel::new(slf, key))
    }

    /// Accepts no more, in one group or in all; with `accept_waiting`, those that wait in the queues are the last.
    #[pyo3(signature = (*, group=None, accept_waiting=false))]
    fn stop_listening(
        &self,
        py: Python<'_>,
        group: Option<u8>,
        accept_waiting: bool,
    ) -> PyResult<()> {
        self.change(py, |core| {
            core.worker.stop_listening(group, accept_waiting);
        })
    }

    /// Every response is the last of its connection from now on; returns how many WebSockets are to be closed, and answers
    /// without an end of their own to be ended.
    fn begin_drain(&self, py: Python<'_>, patience_s: f64) -> PyResult<usize> {
        let farewell = if patience_s > 0.0 {
            Farewell::Polite(patience_s)
        } else {
            Farewell::Brisk
        };
        self.change(py, |core| {
            core.worker.begin_drain(farewell) + exchange::endless(&core.unanswered)
        })
    }

    /// Closes some of the WebSockets that are to be closed, and ends some of the answers without an end, as many of each as
    /// there are of all; returns how many are left.
    fn close_portion(
        &self,
        py: Python<'_>,
        count: usize,
        code: u16,
        reason: &str,
    ) -> PyResult<usize> {
        let endless = self.core.with(|core| exchange::endless(&core.unanswered))?;
        let closed = self.change(py, |core| {
            let sockets = core.worker.close_portion(0, code, reason)?;
            let ended = (count * endless).div_ceil((sockets + endless).max(1));
            let left = core.worker.close_portion(count - ended, code, reason)?;
            Ok((left, ended))
        })?;
        let (sockets, ended) =
            closed.map_err(|misuse: Misuse| errors::misuse(&misuse.to_string()))?;
        exchange::end_some(self, py, ended)?;
        Ok(sockets + endless - ended.min(endless))
    }

    /// Drops every accepted connection at once; handlers are told.
    fn drop_accepted(&self, py: Python<'_>) -> PyResult<()> {
        self.change(py, |core| core.worker.drop_accepted())
    }

    /// Cancels every coroutine of a handler that has not ended.
    fn cancel_handlers(&self, py: Python<'_>) -> PyResult<()> {
        let tasks: Vec<_> = self.core.with(|core| {
            let tasks = core.handlers.values();
            tasks.map(|task| task.clone_ref(py)).collect()
        })?;
        for task in tasks {
            task.call_method0(py, intern!(py, "cancel"))?;
        }
        Ok(())
    }

    /// How many coroutines of handlers have not ended.
    #[getter]
    fn handlers(&self) -> PyResult<usize> {
        self.core.with(|core| core.handlers.len())
    }

    /// Drops every connection and listener at once, leaves the loop, and lets go of all that it was given: what a handler knows
    /// knows the engine, and the collector sees no cycle that leads through here.
    fn shutdown(&self) -> PyResult<()> {
        let _old = self.core.with(|core| {
            core.worker.abort_all();
            (
                (core.home.take(), core.peers.drain.take()),
                std::mem::take(&mut core.table),
                core.peers.clear(),
                std::mem::take(&mut core.unanswered),
                std::mem::take(&mut core.arriving),
                std::mem::take(&mut core.handlers),
                std::mem::take(&mut core.timers),
                std::mem::take(&mut core.foreign),
            )
        })?;
        Ok(())
    }

    #[getter]
    fn accepted(&self) -> PyResult<usize> {
        self.core.with(|core| core.worker.accepted_count())
    }

    #[getter]
    fn connections(&self) -> PyResult<usize> {
        self.core.with(|core| core.worker.connection_count())
    }

    /// Counters since the start, and gauges.
    fn stats(&self) -> PyResult<HashMap<&'static str, u64>> {
        self.core.with(|core| {
            let mut all: HashMap<&'static str, u64> = core.worker.stats().iter().collect();
            all.insert("connections", core.worker.connection_count() as u64);
            all.insert("pressure", u64::from(core.worker.pressure()));
            all.insert("held_bytes", core.worker.held_bytes() as u64);
            all
        })
    }

    /// Counts and gauges that have kinds.
    fn observed<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyDict>> {
        crate::insight::observed(slf)
    }

    /// Says whether access lines are wanted.
    fn log_access(&self, on: bool) -> PyResult<()> {
        crate::insight::log_access(self, on)
    }

    /// Takes the access lines written since the last call, and how many found no room.
    fn take_access(&self) -> PyResult<(Vec<crate::insight::Line>, u64)> {
        crate::insight::take_access(self)
    }

    /// The connections for which most is held, largest first.
    fn largest<'py>(slf: &Bound<'py, Self>, count: usize) -> PyResult<Bound<'py, PyList>> {
        crate::insight::largest(slf, count)
    }

    /// Opens a WebSocket as a client; the future gets it, or what went wrong.
    #[pyo3(signature = (address, host, target, future, *, subprotocols=Vec::new(), headers=Vec::new(),
        message_limit_bytes=None, compression=None, timeout_s=10.0, tls=None))]
    #[allow(clippy::too_many_arguments)]
    fn connect(
        slf: &Bound<'_, Self>,
        address: &str,
        host: String,
        target: String,
        future: Py<PyAny>,
        subprotocols: Vec<String>,
        headers: Vec<(String, String)>,
        message_limit_bytes: Option<usize>,
        compression: Option<&str>,
        timeout_s: f64,
        tls: Option<(PyRef<'_, TlsTrust>, String)>,
    ) -> PyResult<()> {
        let tls = tls.map(|(trust, name)| (trust.trust.clone(), name));
        let window = compression.map(window).transpose()?;
        let wish = crate::client::Wish {
            host,
            target,
            subprotocols,
            headers,
            message_limit_bytes,
            window,
        };
        crate::client::connect(slf, address, tls, wish, future, timeout_s)
    }
}

const EVENT_READ: u32 = 1;
const EVENT_WRITE: u32 = 2;

fn interest(events: u32) -> Interest {
    let mut interest = Interest::empty();
    interest.set(Interest::IN, events & EVENT_READ != 0);
    interest.set(Interest::OUT, events & EVENT_WRITE != 0);
    interest
}

/// As the standard library's EpollSelector sees it: trouble is readable and writable.
fn events(flags: Interest) -> u32 {
    let read = flags.intersects(!Interest::OUT);
    let write = flags.intersects(!Interest::IN);
    u32::from(read) * EVENT_READ + u32::from(write) * EVENT_WRITE
}
