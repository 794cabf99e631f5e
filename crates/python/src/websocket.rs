//! `WebSocket`: one connection, as the application sees it.

use std::collections::VecDeque;

use hubbub_protocol::endpoint::Kind;
use hubbub_server::{ClosedBy, ConnectionId, Ending, Publication, Sent as Outcome};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PySet, PyTuple};

use crate::cell::LoopCell;
use crate::convert;
use crate::engine::Engine;
use crate::errors;
use crate::park::Park;
use crate::request::Request;
use crate::sent::{Owner, Sent};
use crate::stream::{Filter, Messages, Receive};

/// One WebSocket connection.
#[pyclass(frozen, weakref, module = "hubbub", generic)]
pub(crate) struct WebSocket {
    engine: Py<Engine>,
    pub(crate) id: ConnectionId,
    /// Whose topics it hears.
    module: u16,
    state: LoopCell<State>,
}

/// The close code with which the server sheds a connection that holds too much.
const TRY_LATER: u16 = 1013;

/// What a queued message costs beside its payload: the object's head and its place in the queue.
const MESSAGE_OVERHEAD_BYTES: usize = 100;

/// What Python's side knows about a connection.
#[derive(Default)]
struct State {
    data: Option<Py<PyAny>>,
    request: Option<Py<Request>>,
    subprotocol: Option<String>,
    /// Messages that the handler has not taken yet.
    queue: VecDeque<(Py<PyAny>, Kind, usize)>,
    queued_bytes: usize,
    charged_bytes: usize,
    paused: bool,
    /// The handler waits for a message.
    reader: Option<Py<Park>>,
    reader_waits: bool,
    /// Senders wait for room, others for the end.
    writers: Vec<Py<Park>>,
    enders: Vec<Py<Park>>,
    ending: Option<Ending>,
    /// The handler's Task, and those of `spawn`.
    task: Option<Py<PyAny>>,
    spawned: Option<Py<PySet>>,
    leaving: Leaving,
}

/// Whether the handler's Task is to make room for that of a newer version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// It is the one; or it was asked to leave and would not.
    #[default]
    No,
    /// Where it next waits for a message it is to end.
    Asked,
    /// It has been cancelled there.
    Cancelled,
}

/// What a reader finds.
pub(crate) enum Next {
    Message(Py<PyAny>, Kind),
    Ended,
    Wait(Py<Park>),
}

impl WebSocket {
    pub(crate) fn new(engine: Py<Engine>, id: ConnectionId, module: u16) -> Self {
        Self {
            engine,
            id,
            module,
            state: LoopCell::new(State::default()),
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.engine.get()
    }

    pub(crate) fn set_up(
        &self,
        request: Option<Py<Request>>,
        data: Option<Py<PyAny>>,
        subprotocol: Option<String>,
    ) -> PyResult<()> {
        self.state.with(|state| {
            state.request = request;
            state.data = data;
            state.subprotocol = subprotocol;
        })
    }

    pub(crate) fn set_task(&self, task: Py<PyAny>) -> PyResult<()> {
        self.state.with(|state| state.task = Some(task))
    }

    #[inline]
    pub(crate) fn send_now(&self, message: &Bound<'_, PyAny>) -> PyResult<Outcome> {
        convert::with_message(message, |kind, bytes| {
            self.engine()
                .change(message.py(), |core| core.worker.send(self.id, kind, bytes))
        })?
    }

    /// Queues a message for the handler. Reading pauses when too much waits.
    pub(crate) fn push(&self, message: Py<PyAny>, kind: Kind, bytes: usize) -> PyResult<()> {
        let limits = self.engine().queue_limits;
        let bytes = bytes + MESSAGE_OVERHEAD_BYTES;
        let pause = self.state.with(|state| {
            state.queue.push_back((message, kind, bytes));
            state.queued_bytes += bytes;
            let over = state.queue.len() >= limits.messages || state.queued_bytes >= limits.bytes;
            let pause = over && !state.paused;
            state.paused |= pause;
            pause
        })?;
        if pause {
            self.engine().core.with(|core| core.worker.pause(self.id))?;
        }
        Ok(())
    }

    /// The end of a read: steps the handler if it waits for messages, and charges what it leaves unread.
    pub(crate) fn after_read(&self, py: Python<'_>) -> PyResult<()> {
        self.wake_reader(py)?;
        self.charge()
    }

    fn charge(&self) -> PyResult<()> {
        let left = self.state.with(|state| {
            let left = state.queued_bytes;
            let change = left != state.charged_bytes;
            state.charged_bytes = left;
            change.then_some(left)
        })?;
        match left {
            Some(bytes) => self
                .engine()
                .core
                .with(|core| core.worker.set_app_held(self.id, bytes)),
            None => Ok(()),
        }
    }

    /// Steps the handler if it waits for a message and there is one, or the end.
    pub(crate) fn wake_reader(&self, py: Python<'_>) -> PyResult<()> {
        let park = self.state.with(|state| {
            let wake = state.reader_waits
                && !(state.queue.is_empty() && state.ending.is_none())
                && (state.leaving == Leaving::No || state.ending.is_some());
            state.reader_waits &= !wake;
            wake.then(|| state.reader.as_ref().map(|park| park.clone_ref(py)))
                .flatten()
        })?;
        park.map_or(Ok(()), |park| park.get().wake(park.bind(py)))
    }

    /// The next message, or what there is instead.
    #[inline]
    pub(crate) fn take_next(&self, py: Python<'_>) -> PyResult<Next> {
        enum Step {
            Message(Py<PyAny>, Kind, bool),
            Ended,
            Wait(Option<Py<Park>>),
            Leave,
        }
        let step = self.state.with(|state| {
            if state.leaving != Leaving::No {
                return Step::Leave;
            }
            if let Some((message, kind, bytes)) = state.queue.pop_front() {
                state.queued_bytes -= bytes;
                let resume = state.paused && state.queue.is_empty();
                state.paused &= !resume;
                return Step::Message(message, kind, resume);
            }
            if state.ending.is_some() {
                return Step::Ended;
            }
            if state.reader_waits
                && state
                    .reader
                    .as_ref()
                    .is_some_and(|park| park.get().is_waiting().unwrap_or(false))
            {
                return Step::Ended;
            }
            state.reader_waits = true;
            Step::Wait(state.reader.as_ref().map(|park| park.clone_ref(py)))
        })?;
        Ok(match step {
            Step::Message(message, kind, resume) => {
                if resume {
                    self.engine()
                        .change(py, |core| core.worker.resume(self.id))?;
                    self.charge()?;
                }
                Next::Message(message, kind)
            }
            Step::Ended if self.ending(py)?.is_none() => {
                return Err(errors::misuse(
                    "two tasks wait for messages of one connection",
                ));
            }
            Step::Ended => Next::Ended,
            Step::Leave => {
                self.leave(py)?;
                if self.leaving()? == Leaving::No {
                    return self.take_next(py);
                }
                // Whoever reads here is about to be cancelled; what is queued is its successor's.
                let park = self.new_park(py)?;
                let _old = self.state.with(|state| {
                    state.reader_waits = true;
                    state.reader.replace(park.clone_ref(py))
                })?;
                Next::Wait(park)
            }
            Step::Wait(Some(park)) => {
                park.get().renew()?;
                Next::Wait(park)
            }
            Step::Wait(None) => {
                let park = self.new_park(py)?;
                self.state
                    .with(|state| state.reader = Some(park.clone_ref(py)))?;
                Next::Wait(park)
            }
        })
    }

    /// Asks the handler's Task, if there is one, to make room there where it next waits for a message.
    pub(crate) fn ask_to_leave(&self) -> PyResult<()> {
        self.state.with(|state| {
            if state.task.is_some() && state.leaving == Leaving::No {
                state.leaving = Leaving::Asked;
            }
        })
    }

    /// Cancels a Task that was asked to leave if it waits for a message, or for the end, at this moment.
    pub(crate) fn leave_if_waiting(&self, py: Python<'_>) -> PyResult<()> {
        let (is_reading, task, enders) = self.state.with(|state| {
            if state.leaving != Leaving::Asked {
                return (false, None, Vec::new());
            }
            let reader = state.reader.as_ref().filter(|_| state.reader_waits);
            let is_reading = reader.is_some_and(|park| park.get().is_waiting().unwrap_or(false));
            let enders = state.enders.iter().map(|park| park.clone_ref(py)).collect();
            (
                is_reading,
                state.task.as_ref().map(|task| task.clone_ref(py)),
                enders,
            )
        })?;
        let Some(task) = task else { return Ok(()) };
        // Another Task of the handler's may wait for the end while this one is at work.
        let waits_for_end = || -> PyResult<bool> {
            let waits_for = task.bind(py).getattr(intern!(py, "_fut_waiter"))?;
            Ok(enders.iter().any(|park: &Py<Park>| waits_for.is(park)))
        };
        if is_reading || (!enders.is_empty() && waits_for_end()?) {
            self.leave(py)?;
        }
        Ok(())
    }

    /// The moment between two messages has come. A Task that has been cancelled once and reads on is let be.
    fn leave(&self, py: Python<'_>) -> PyResult<()> {
        let task = self.state.with(|state| {
            let is_asked = state.leaving == Leaving::Asked && state.ending.is_none();
            state.leaving = if is_asked {
                Leaving::Cancelled
            } else {
                Leaving::No
            };
            let task = state.task.as_ref().filter(|_| is_asked);
            task.map(|task| task.clone_ref(py))
        })?;
        if let Some(task) = task {
            task.call_method1(py, intern!(py, "cancel"), ("the module has been reloaded",))?;
        }
        Ok(())
    }

    pub(crate) fn leaving(&self) -> PyResult<Leaving> {
        self.state.with(|state| state.leaving)
    }

    /// The old handler has ended: forgets it, and ends what it has spawned. Tells whether there is anything left to handle:
    /// a connection that lives, or messages that came before its end.
    pub(crate) fn clear_handler(&self, py: Python<'_>) -> PyResult<bool> {
        // A new reader gets a new park: an old one may not have looked yet at what has become of its own.
        let (spawned, lives, _old) = self.state.with(|state| {
            state.leaving = Leaving::No;
            state.reader_waits = false;
            let old = (state.task.take(), state.reader.take());
            let is_over = state.ending.is_some() && state.queue.is_empty();
            (state.spawned.take(), !is_over, old)
        })?;
        if let Some(spawned) = spawned {
            let tasks: Vec<_> = spawned.bind(py).iter().collect();
            for task in tasks {
                task.call_method0(intern!(py, "cancel"))?;
            }
        }
        Ok(lives)
    }

    /// The oldest message that waits, for a handler that is called with each.
    pub(crate) fn pop(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        if self.state.with(|state| state.queue.is_empty())? {
            return Ok(None);
        }
        match self.take_next(py)? {
            Next::Message(message, _) => Ok(Some(message)),
            Next::Ended | Next::Wait(_) => Ok(None),
        }
    }

    fn new_park(&self, py: Python<'_>) -> PyResult<Py<Park>> {
        Py::new(py, Park::new(self.engine().event_loop(py)?))
    }

    /// Something to wait on while the outbox is above its mark; `None` when there is room, or no connection.
    pub(crate) fn wait_for_room(&self, py: Python<'_>) -> PyResult<Option<Py<Park>>> {
        if self
            .engine()
            .core
            .with(|core| !core.worker.is_congested(self.id))?
        {
            return Ok(None);
        }
        let park = self.new_park(py)?;
        self.state
            .with(|state| state.writers.push(park.clone_ref(py)))?;
        Ok(Some(park))
    }

    /// The outbox has drained: whoever waits for room goes on.
    pub(crate) fn wake_writers(&self, py: Python<'_>) -> PyResult<()> {
        let writers = self
            .state
            .with(|state| std::mem::take(&mut state.writers))?;
        writers
            .into_iter()
            .try_for_each(|park| park.get().wake(park.bind(py)))
    }

    pub(crate) fn wait_for_end(&self, py: Python<'_>) -> PyResult<Option<Py<Park>>> {
        if self.state.with(|state| state.ending.is_some())? {
            return Ok(None);
        }
        let park = self.new_park(py)?;
        self.state
            .with(|state| state.enders.push(park.clone_ref(py)))?;
        if self.leaving()? == Leaving::Asked {
            let is_own = self.is_handlers_own(py)?;
            if is_own {
                self.leave(py)?;
            }
        }
        Ok(Some(park))
    }

    /// Whether the handler's Task is the one that runs now.
    fn is_handlers_own(&self, py: Python<'_>) -> PyResult<bool> {
        static CURRENT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let current = CURRENT
            .import(py, "asyncio", "current_task")?
            .call1((self.engine().event_loop(py)?,))?;
        self.state
            .with(|state| state.task.as_ref().is_some_and(|task| current.is(task)))
    }

    /// The connection has ended: iteration ends, waits end, and a handler that waits for something else is cancelled.
    pub(crate) fn on_closed(&self, py: Python<'_>, ending: Ending) -> PyResult<()> {
        if ending.code == TRY_LATER && ending.by == ClosedBy::Server {
            // Closed to save memory: what nobody has read yet must not outlive it.
            let _unread = self.state.with(|state| {
                state.queued_bytes = 0;
                std::mem::take(&mut state.queue)
            })?;
        }
        let (reader_waits, task, spawned, enders) = self.state.with(|state| {
            state.ending = Some(ending);
            let reading = state.reader_waits
                && state
                    .reader
                    .as_ref()
                    .is_some_and(|park| park.get().is_waiting().unwrap_or(false));
            (
                reading,
                state.task.take(),
                state.spawned.take(),
                std::mem::take(&mut state.enders),
            )
        })?;
        self.wake_writers(py)?;
        for park in enders {
            park.get().wake(park.bind(py))?;
        }
        if reader_waits {
            self.wake_reader(py)?;
        } else if let Some(task) = task {
            task.call_method0(py, intern!(py, "cancel"))?;
        }
        if let Some(spawned) = spawned {
            let tasks: Vec<_> = spawned.bind(py).iter().collect();
            for task in tasks {
                task.call_method0(intern!(py, "cancel"))?;
            }
        }
        Ok(())
    }

    pub(crate) fn ending(&self, _py: Python<'_>) -> PyResult<Option<Ending>> {
        self.state.with(|state| state.ending.clone())
    }
}

#[pymethods]
impl WebSocket {
    /// The connection's number, as logs show it.
    #[getter]
    fn id(&self) -> u64 {
        self.id.number()
    }

    /// What `auth` returned; free for the application's use.
    #[getter]
    fn data(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        self.state
            .with(|state| state.data.as_ref().map(|data| data.clone_ref(py)))
    }

    #[setter]
    fn set_data(&self, data: Py<PyAny>) -> PyResult<()> {
        // The old value must not be dropped inside: its destructor is Python code.
        let _old = self.state.with(|state| state.data.replace(data))?;
        Ok(())
    }

    /// The request that opened it.
    #[getter]
    fn request(&self, py: Python<'_>) -> PyResult<Py<Request>> {
        if let Some(request) = self
            .state
            .with(|state| state.request.as_ref().map(|request| request.clone_ref(py)))?
        {
            return Ok(request);
        }
        let request = Py::new(py, self.engine().request_of(py, self.id)?)?;
        self.state
            .with(|state| state.request = Some(request.clone_ref(py)))?;
        Ok(request)
    }

    /// The values of the placeholders in the route's path.
    #[getter]
    fn params(&self, py: Python<'_>) -> PyResult<Py<PyDict>> {
        self.request(py)?.get().params(py)
    }

    /// The path of the request, decoded.
    #[getter]
    fn path(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.request(py)?.get().path().to_owned())
    }

    /// The client's address, as trusted proxies tell it: "127.0.0.1", "::1" or "unix".
    #[getter]
    fn client(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.request(py)?.get().sender().client_text())
    }

    /// The peer's address: "127.0.0.1:5123", "[::1]:5123" or "unix".
    #[getter]
    fn peer(&self, py: Python<'_>) -> PyResult<String> {
        match self.engine().core.with(|core| core.worker.peer(self.id))? {
            Some(peer) => Ok(peer.to_string()),
            None => Ok(self.request(py)?.get().sender().peer_text()),
        }
    }

    /// The subprotocol that was agreed upon.
    #[getter]
    fn subprotocol(&self) -> PyResult<Option<String>> {
        self.state.with(|state| state.subprotocol.clone())
    }

    /// Round-trip time by the last ping, in seconds.
    #[getter]
    fn rtt(&self) -> PyResult<Option<f64>> {
        self.engine()
            .core
            .with(|core| core.worker.rtt(self.id).map(|span| span.as_secs_f64()))
    }

    /// Bytes that wait to be sent.
    #[getter]
    fn buffered(&self) -> PyResult<usize> {
        self.engine()
            .core
            .with(|core| core.worker.buffered(self.id))
    }

    /// Whether messages may be sent.
    #[getter]
    pub(crate) fn is_open(&self) -> PyResult<bool> {
        self.engine().core.with(|core| core.worker.is_open(self.id))
    }

    /// The close code, once the connection has ended; 1005 and 1006 as in RFC 6455 §7.1.5.
    #[getter]
    fn close_code(&self) -> PyResult<Option<u16>> {
        self.state
            .with(|state| state.ending.as_ref().map(|ending| ending.code))
    }

    /// The reason that came with it.
    #[getter]
    fn close_reason(&self) -> PyResult<String> {
        self.state.with(|state| {
            state
                .ending
                .as_ref()
                .map(|ending| ending.reason.clone())
                .unwrap_or_default()
        })
    }

    /// Who ended it: "peer", "app", "server" or "network".
    #[getter]
    fn closed_by(&self) -> PyResult<Option<&'static str>> {
        self.state.with(|state| {
            state.ending.as_ref().map(|ending| match ending.by {
                ClosedBy::Peer => "peer",
                ClosedBy::App => "app",
                ClosedBy::Server => "server",
                ClosedBy::Network => "network",
            })
        })
    }

    /// Messages and bytes that came, messages and bytes that went; once it has ended, where access lines are wanted.
    #[getter]
    fn traffic(&self) -> PyResult<Option<(u64, u64, u64, u64)>> {
        self.state.with(|state| {
            let traffic = state.ending.as_ref()?.traffic.as_deref()?;
            Some((
                traffic.messages_in,
                traffic.bytes_in,
                traffic.messages_out,
                traffic.bytes_out,
            ))
        })
    }

    /// The topics it is subscribed to.
    #[getter]
    fn topics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let topics = self
            .engine()
            .core
            .with(|core| core.worker.topics_of(self.id))?;
        PyTuple::new(py, topics)
    }

    /// Sends a message: `str` as text, anything else as binary.
    ///
    /// Never blocks and never raises because of the connection: the result tells.
    #[inline]
    fn send(slf: &Bound<'_, Self>, message: &Bound<'_, PyAny>) -> PyResult<Py<Sent>> {
        let outcome = slf.get().send_now(message)?;
        let owner = || Owner::Socket(slf.clone().unbind());
        Sent::of(slf.py(), outcome, owner, message)
    }

    /// Hears a topic from now on; False if it does already, or has ended.
    fn subscribe(&self, topic: &str) -> PyResult<bool> {
        self.engine().core.with(|core| {
            let topic = core.topic(self.module, topic);
            core.worker.subscribe(self.id, topic)
        })
    }

    /// Hears it no more; False if it did not.
    fn unsubscribe(&self, topic: &str) -> PyResult<bool> {
        self.engine().core.with(|core| {
            let topic = core.topic(self.module, topic);
            core.worker.unsubscribe(self.id, topic)
        })
    }

    /// Publishes to a topic's subscribers other than this connection; tells to how many.
    #[pyo3(signature = (topic, message, *, include_self=false, key=None))]
    fn publish(
        &self,
        topic: &str,
        message: &Bound<'_, PyAny>,
        include_self: bool,
        key: Option<&str>,
    ) -> PyResult<usize> {
        let how = Publication {
            exclude: (!include_self).then_some(self.id),
            key: key.map(crate::engine::hash_key),
        };
        self.engine().change(message.py(), |core| {
            let topic = core.topic(self.module, topic);
            convert::with_message(message, |kind, bytes| {
                core.worker.publish(topic, kind, bytes, how)
            })
        })?
    }

    /// Begins the closing handshake (RFC 6455 §7.1.2). Nothing happens if it has begun.
    #[pyo3(signature = (code=1000, reason=""))]
    fn close(&self, py: Python<'_>, code: u16, reason: &str) -> PyResult<()> {
        let closed = self
            .engine()
            .change(py, |core| core.worker.close(self.id, code, reason))?;
        closed.map_err(|misuse| errors::misuse(&misuse.to_string()))
    }

    /// Asks the peer for a sign of life; `rtt` has the time it took, once it came.
    fn ping(&self, py: Python<'_>) -> PyResult<()> {
        self.engine().change(py, |core| core.worker.ping(self.id))
    }

    /// Runs a coroutine that is cancelled when the connection ends.
    fn spawn<'py>(&self, py: Python<'py>, coro: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if self.state.with(|state| state.ending.is_some())? {
            coro.call_method0(intern!(py, "close"))?;
            return Err(errors::connection_closed(
                py,
                self.close_code()?.unwrap_or(1006),
                &self.close_reason()?,
            ));
        }
        let task = self
            .engine()
            .event_loop(py)?
            .bind(py)
            .call_method1(intern!(py, "create_task"), (coro,))?;
        let spawned = match self
            .state
            .with(|state| state.spawned.as_ref().map(|set| set.clone_ref(py)))?
        {
            Some(set) => set,
            None => {
                let set = PySet::empty(py)?.unbind();
                self.state
                    .with(|state| state.spawned = Some(set.clone_ref(py)))?;
                set
            }
        };
        spawned.bind(py).add(&task)?;
        task.call_method1(
            intern!(py, "add_done_callback"),
            (spawned.bind(py).getattr(intern!(py, "discard"))?,),
        )?;
        Ok(task)
    }

    /// Waits for the next message.
    fn recv(slf: Py<Self>) -> Receive {
        Receive::message(slf)
    }

    /// Waits for the end of the connection.
    fn wait_closed(slf: Py<Self>) -> Receive {
        Receive::end(slf)
    }

    fn __aiter__(slf: Py<Self>) -> Messages {
        Messages::new(slf, Filter::Any)
    }

    /// The messages as `str`; a binary one closes the connection with 1003.
    fn text(slf: Py<Self>) -> Messages {
        Messages::new(slf, Filter::Text)
    }

    /// The messages as `bytes`; a text one closes the connection with 1003.
    fn binary(slf: Py<Self>) -> Messages {
        Messages::new(slf, Filter::Binary)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let state = if self.ending(py)?.is_some() {
            "closed"
        } else {
            "open"
        };
        Ok(format!("<WebSocket {} {state}>", self.id))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.engine)?;
        // Where the state cannot be looked at now, what it holds simply counts as alive.
        self.state
            .look(|state| {
                visit.call(&state.data)?;
                visit.call(&state.task)?;
                visit.call(&state.spawned)?;
                visit.call(&state.reader)?;
                state
                    .queue
                    .iter()
                    .try_for_each(|(message, ..)| visit.call(message))
            })
            .unwrap_or(Ok(()))
    }

    fn __clear__(&self) {
        let _old = self.state.with(std::mem::take);
    }
}
