//! `Exchange`: one HTTP request that takes its time – a body that is read piece by piece, an answer in pieces, a Task.
//!
//! There is one only where it is needed: a plain function that answers at once never meets it.

use std::collections::{HashMap, VecDeque};

use hubbub_server::{ConnectionId, Sent as Outcome};
use pyo3::exceptions::{PyStopAsyncIteration, PyStopIteration};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::cell::LoopCell;
use crate::engine::Engine;
use crate::errors;
use crate::file::OpenFile;
use crate::park::Park;
use crate::route::Route;
use crate::sent::{Owner, Sent};

/// What the binding keeps of a request that is not answered yet.
#[derive(Default)]
pub(crate) struct Unanswered {
    /// A body is being collected: the request's head, and the route that gets it.
    pub(crate) collecting: Option<(Vec<u8>, Py<Route>)>,
    /// Who reads or writes in pieces.
    pub(crate) exchange: Option<Py<Exchange>>,
    /// Called when the server takes leave: ends an answer that has no end of its own.
    pub(crate) farewell: Option<Py<PyAny>>,
    /// The handler.
    pub(crate) task: Option<Py<PyAny>>,
    /// The client has hung up, so nobody waits for the answer.
    pub(crate) has_hung_up: bool,
}

/// By connection: none has two requests with the application.
pub(crate) type UnansweredTable = HashMap<ConnectionId, Unanswered>;

/// See the module.
#[pyclass(frozen, module = "hubbub")]
pub(crate) struct Exchange {
    engine: Py<Engine>,
    id: ConnectionId,
    state: LoopCell<State>,
}

#[derive(Default)]
struct State {
    /// Pieces of the request's body that have not been taken.
    pieces: VecDeque<Py<PyBytes>>,
    waiting_bytes: usize,
    is_whole: bool,
    paused: bool,
    /// The client waits until somebody reads.
    asks_first: bool,
    /// Who waits for a piece, and for room.
    reader: Option<Py<Park>>,
    writers: Vec<Py<Park>>,
    has_begun: bool,
    /// Answered, cut or gone: the connection may be another request's by now.
    is_over: bool,
}

/// Who ends an exchange: within one Task no other can be stepped.
#[derive(Clone, Copy)]
pub(crate) enum Ended {
    ByEngine,
    ByTask,
}

/// What a reader finds.
enum Next {
    Piece(Py<PyBytes>, bool),
    End,
    /// There will be no more, and it was not all.
    Broken,
    Wait(Py<Park>),
}

impl Exchange {
    pub(crate) fn new(engine: Py<Engine>, id: ConnectionId) -> Self {
        Self {
            engine,
            id,
            state: LoopCell::new(State::default()),
        }
    }

    /// The exchange of a request; made when it is first asked for.
    pub(crate) fn of(engine: &Bound<'_, Engine>, id: ConnectionId) -> PyResult<Py<Exchange>> {
        let py = engine.py();
        let known = engine.get().core.with(|core| {
            let one = core.unanswered.get(&id)?;
            Some(one.exchange.as_ref()?.clone_ref(py))
        })?;
        if let Some(known) = known {
            return Ok(known);
        }
        let made = Py::new(py, Self::new(engine.clone().unbind(), id))?;
        let is_known = engine.get().core.with(|core| {
            let is_known = core.worker.knows(id);
            if is_known {
                core.unanswered.entry(id).or_default().exchange = Some(made.clone_ref(py));
            }
            is_known
        })?;
        if !is_known {
            // Nobody would ever take it out of the table.
            made.get().end(py, Ended::ByTask)?;
        }
        Ok(made)
    }

    /// The next piece of the request's body has come.
    pub(crate) fn push(&self, py: Python<'_>, piece: &[u8], is_last: bool) -> PyResult<()> {
        let limit = self.engine.get().queue_limits.bytes;
        let made = (!piece.is_empty()).then(|| PyBytes::new(py, piece).unbind());
        let (pause, waiting, park) = self.state.with(|state| {
            state.waiting_bytes += piece.len();
            state.pieces.extend(made);
            state.is_whole |= is_last;
            let pause = state.waiting_bytes >= limit && !state.paused && !state.is_whole;
            state.paused |= pause;
            (pause, state.waiting_bytes, state.reader.take())
        })?;
        self.engine.get().core.with(|core| {
            if pause {
                core.worker.pause(self.id);
            }
            core.worker.set_app_held(self.id, waiting);
        })?;
        park.map_or(Ok(()), |park| park.get().wake(park.bind(py)))
    }

    fn next(&self, py: Python<'_>) -> PyResult<Next> {
        let next = self.state.with(|state| {
            if let Some(piece) = state.pieces.pop_front() {
                state.waiting_bytes -= piece.bind(py).as_bytes().len();
                let resume = state.paused && state.pieces.is_empty();
                state.paused &= !resume;
                return Some(Next::Piece(piece, resume));
            }
            match (state.is_whole, state.is_over) {
                (true, _) => Some(Next::End),
                (false, true) => Some(Next::Broken),
                (false, false) => None,
            }
        })?;
        match next {
            Some(Next::Piece(piece, resume)) => {
                let (waiting, is_over) = self
                    .state
                    .with(|state| (state.waiting_bytes, state.is_over))?;
                if !is_over && (resume || waiting == 0) {
                    self.engine.get().change(py, |core| {
                        core.worker.set_app_held(self.id, waiting);
                        if resume {
                            core.worker.resume(self.id);
                        }
                    })?;
                }
                Ok(Next::Piece(piece, resume))
            }
            Some(other) => Ok(other),
            None => {
                if self
                    .state
                    .with(|state| std::mem::take(&mut state.asks_first))?
                {
                    let engine = self.engine.get();
                    engine.change(py, |core| core.worker.proceed(self.id))?;
                }
                let park = self.new_park(py)?;
                let other = self
                    .state
                    .with(|state| state.reader.replace(park.clone_ref(py)))?;
                if other.is_some_and(|other| other.get().is_waiting().unwrap_or(false)) {
                    return Err(errors::misuse("two tasks read the body of one request"));
                }
                Ok(Next::Wait(park))
            }
        }
    }

    /// The client waits until its body is wanted (RFC 9110 §10.1.1): that is told when somebody reads.
    pub(crate) fn asks_first(&self) -> PyResult<()> {
        self.state.with(|state| state.asks_first = true)
    }

    fn new_park(&self, py: Python<'_>) -> PyResult<Py<Park>> {
        Py::new(py, Park::new(self.engine.get().event_loop(py)?))
    }

    pub(crate) fn has_begun(&self) -> PyResult<bool> {
        self.state.with(|state| state.has_begun)
    }

    pub(crate) fn is_over(&self) -> PyResult<bool> {
        self.state.with(|state| state.is_over)
    }

    /// Nothing more will come or go: whoever waits goes on, now if `by` says so.
    pub(crate) fn end(&self, py: Python<'_>, by: Ended) -> PyResult<()> {
        let (reader, writers) = self.state.with(|state| {
            state.is_over = true;
            (state.reader.take(), std::mem::take(&mut state.writers))
        })?;
        reader
            .into_iter()
            .chain(writers)
            .try_for_each(|park| match by {
                Ended::ByEngine => park.get().wake(park.bind(py)),
                Ended::ByTask => park.get().wake_later(park.bind(py)),
            })
    }

    /// Something to wait on while the outbox is above its mark; `None` when there is room, or no connection.
    pub(crate) fn wait_for_room(&self, py: Python<'_>) -> PyResult<Option<Py<Park>>> {
        let is_open = self.is_open()?;
        let core = &self.engine.get().core;
        if !is_open || core.with(|core| !core.worker.is_congested(self.id))? {
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

    pub(crate) fn is_open(&self) -> PyResult<bool> {
        self.state.with(|state| state.has_begun && !state.is_over)
    }

    pub(crate) fn write_now(&self, py: Python<'_>, piece: &[u8]) -> PyResult<Outcome> {
        if !self.is_open()? {
            return Ok(Outcome::Closed);
        }
        let written = self
            .engine
            .get()
            .change(py, |core| core.worker.write(self.id, piece))?;
        written.map_err(|misuse| errors::misuse(&misuse.to_string()))
    }
}

/// The request has been answered: from now on the connection is the next one's.
#[inline]
pub(crate) fn forget(engine: &Engine, py: Python<'_>, id: ConnectionId, by: Ended) -> PyResult<()> {
    let gone = engine.core.with(|core| {
        if core.unanswered.is_empty() {
            return None;
        }
        core.unanswered.remove(&id)
    })?;
    match gone.and_then(|gone| gone.exchange) {
        Some(exchange) => exchange.get().end(py, by),
        None => Ok(()),
    }
}

/// How many answers there are without an end of their own.
pub(crate) fn endless(unanswered: &UnansweredTable) -> usize {
    let all = unanswered.values();
    all.filter(|one| one.farewell.is_some()).count()
}

/// Ends so many of them, whichever; a table's order is that of its hash, which is random.
pub(crate) fn end_some(engine: &Engine, py: Python<'_>, count: usize) -> PyResult<()> {
    let some: Vec<_> = engine.core.with(|core| {
        let farewells = core.unanswered.values_mut().map(|one| &mut one.farewell);
        farewells.filter_map(Option::take).take(count).collect()
    })?;
    some.iter()
        .try_for_each(|farewell| farewell.call0(py).map(drop))
}

/// Whether the answer to this request has begun, so that another can no longer be given.
pub(crate) fn has_begun(engine: &Engine, py: Python<'_>, id: ConnectionId) -> PyResult<bool> {
    let exchange = engine.core.with(|core| {
        let one = core.unanswered.get(&id)?;
        Some(one.exchange.as_ref()?.clone_ref(py))
    })?;
    exchange.map_or(Ok(false), |exchange| exchange.get().has_begun())
}

#[pymethods]
impl Exchange {
    /// Begins the answer: status, fields, and the length of the body if it is known. False when the client has gone.
    #[pyo3(signature = (status, fields, length=None))]
    fn begin(
        &self,
        py: Python<'_>,
        status: u16,
        fields: Vec<(String, String)>,
        length: Option<u64>,
    ) -> PyResult<bool> {
        if self.is_over()? {
            return Ok(false);
        }
        if self.has_begun()? {
            return Err(errors::misuse("the answer has begun already"));
        }
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let begun = self.engine.get().change(py, |core| {
            core.worker.begin(self.id, status, &fields, length)
        })?;
        let begun = begun.map_err(|misuse| errors::misuse(&misuse.to_string()))?;
        self.state.with(|state| state.has_begun = begun)?;
        Ok(begun)
    }

    /// Names what ends this answer, which has no end of its own, when the server takes leave.
    fn on_drain(&self, py: Python<'_>, farewell: Py<PyAny>) -> PyResult<()> {
        let _old = self.engine.get().core.with(|core| {
            let one = core.unanswered.get_mut(&self.id)?;
            one.farewell.replace(farewell.clone_ref(py))
        })?;
        Ok(())
    }

    /// Sends the next piece of the body.
    fn write(slf: &Bound<'_, Self>, piece: &Bound<'_, PyBytes>) -> PyResult<Py<Sent>> {
        let outcome = slf.get().write_now(slf.py(), piece.as_bytes())?;
        let owner = || Owner::Exchange(slf.clone().unbind());
        Sent::of(slf.py(), outcome, owner, piece.as_any())
    }

    /// Sends a part of an open file as the next piece of the body.
    fn write_file(
        slf: &Bound<'_, Self>,
        file: &Bound<'_, OpenFile>,
        offset: u64,
        length: u64,
    ) -> PyResult<Py<Sent>> {
        let (py, exchange) = (slf.py(), slf.get());
        let owner = || Owner::Exchange(slf.clone().unbind());
        if !exchange.is_open()? {
            return Sent::of(py, Outcome::Closed, owner, slf.as_any());
        }
        let part = file.get().part(offset, length);
        let written = exchange
            .engine
            .get()
            .change(py, |core| core.worker.write_file(exchange.id, part))?;
        let outcome = written.map_err(|misuse| errors::misuse(&misuse.to_string()))?;
        Sent::of(py, outcome, owner, slf.as_any())
    }

    /// Ends the answer. False when the client has gone.
    fn finish(&self, py: Python<'_>) -> PyResult<bool> {
        if !self.is_open()? {
            return Ok(false);
        }
        let finished = self
            .engine
            .get()
            .change(py, |core| core.worker.finish(self.id))?;
        forget(self.engine.get(), py, self.id, Ended::ByTask)?;
        finished.map_err(|misuse| errors::misuse(&misuse.to_string()))
    }

    /// Ends the connection in the middle of the answer.
    fn cut(&self, py: Python<'_>) -> PyResult<()> {
        if self.is_over()? {
            return Ok(());
        }
        self.engine
            .get()
            .change(py, |core| core.worker.cut(self.id))?;
        forget(self.engine.get(), py, self.id, Ended::ByTask)
    }

    /// The answer has begun and can go on.
    #[getter(is_open)]
    fn get_is_open(&self) -> PyResult<bool> {
        self.is_open()
    }
}

/// The pieces of a request's body, for `async for`.
#[pyclass(frozen, module = "hubbub")]
pub(crate) struct Pieces {
    /// None once, and from the beginning where the body was at hand.
    whole: LoopCell<Option<Py<PyBytes>>>,
    exchange: Option<Py<Exchange>>,
}

impl Pieces {
    pub(crate) fn of_whole(body: Option<Py<PyBytes>>) -> Self {
        Self {
            whole: LoopCell::new(body),
            exchange: None,
        }
    }

    pub(crate) fn of_exchange(exchange: Py<Exchange>) -> Self {
        Self {
            whole: LoopCell::new(None),
            exchange: Some(exchange),
        }
    }
}

#[pymethods]
impl Pieces {
    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__(&self, py: Python<'_>) -> PyResult<NextPiece> {
        Ok(NextPiece {
            whole: self.whole.with(Option::take)?,
            exchange: self.exchange.as_ref().map(|one| one.clone_ref(py)),
        })
    }
}

/// The wait for one piece.
#[pyclass(module = "hubbub")]
pub(crate) struct NextPiece {
    whole: Option<Py<PyBytes>>,
    exchange: Option<Py<Exchange>>,
}

#[pymethods]
impl NextPiece {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Py<Park>> {
        if let Some(whole) = self.whole.take() {
            return Err(PyStopIteration::new_err((whole,)));
        }
        let Some(exchange) = &self.exchange else {
            return Err(PyStopAsyncIteration::new_err(()));
        };
        match exchange.get().next(py)? {
            Next::Piece(piece, _) => Err(PyStopIteration::new_err((piece,))),
            Next::End => Err(PyStopAsyncIteration::new_err(())),
            Next::Broken => Err(errors::connection_closed(
                py,
                1006,
                "the body ended before it was whole",
            )),
            Next::Wait(park) => Ok(park),
        }
    }
}
