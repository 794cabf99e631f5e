//! The worker: one epoll, its connections, and a stream of events to pull.
//!
//! The caller waits ([`Worker::begin_wait`], [`crate::ReadyList::wait`], [`Worker::end_wait`]), pulls events with [`Worker::next`] until
//! there are none, and ends the batch with [`Worker::flush`]. Between two events it may call anything here: nothing is
//! borrowed, so a handler that sends, closes or publishes meets no lock and no re-entry. A batch is bounded by what one wait
//! hands over and by one turn for each ready connection ([`turns`]), so none starves another.

mod accept;
mod account;
mod admission;
mod ahead;
mod answer;
mod budget;
mod client;
mod deadlines;
mod drain;
mod exchange;
mod notices;
mod pace;
#[cfg(test)]
mod panics;
mod preface;
mod pressure;
mod publish;
mod read;
mod rounds;
mod sealed;
mod turns;
mod upload;
mod write;

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use hubbub_hub::Topics;
use hubbub_protocol::deflate::Codec;
use rustix::io::Errno;

pub(crate) use self::accept::Host;
pub(crate) use self::budget::hold_largest;
pub use self::client::{Request as ClientRequest, Target};
pub use self::drain::Farewell;
pub use self::exchange::Accept;
pub(crate) use self::exchange::{Terms, agree};
pub use self::notices::Notice;
pub(crate) use self::preface::Preface;
pub use self::publish::Publication;
pub(crate) use self::publish::SharedMessage;
pub use self::write::Sent;
use crate::clock::{Clock, Tick};
use crate::connection::{Acquaintance, Caller, Connection, NEVER, Peer, Phase};
use crate::door::Door;
use crate::event::{ClosedBy, Ending, Event, Raw};
use crate::id::ConnectionId;
use crate::limits::Limit;
use crate::memory::prefetch;
use crate::outbox::Pool;
use crate::reactor::{Interest, Reactor, ReadyList, Token};
use crate::settings::Settings;
use crate::slab::Slab;
use crate::stats::Stats;
use crate::tally::Tally;
use crate::tls::TlsFacts;
use crate::wheel::Wheel;
use accept::Gate;
use deadlines::{Alarms, Spans};
use sealed::Sealing;

/// The most that one read takes from one connection: more than a 64 KiB message with its header.
const READ_LIMIT_BYTES: usize = 128 << 10;

/// The receive buffer of a worker, and whose bytes are in it. Kept outside the worker so that events may borrow from it.
pub struct Inbox {
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// Whose bytes `start..end` are.
    id: Option<ConnectionId>,
    /// How many bytes were read for that; those put aside before count no more.
    received: usize,
    /// They were put aside before, and more of them may wait.
    is_lent: bool,
    /// What is left of this connection's turn.
    credit: turns::Credit,
    /// The end of this read has been told.
    ended: bool,
    /// The bytes of a batch from another thread.
    pub(crate) mail: Vec<u8>,
}

impl Inbox {
    /// The receive buffer, in which the places of events lie.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Turns places in the receive buffer into the bytes themselves.
    #[inline]
    pub(crate) fn lend(&mut self, raw: Raw) -> Event<'_> {
        raw.in_buffer(&mut self.buffer)
    }

    /// One that nothing can be read into.
    fn none() -> Self {
        Self {
            buffer: Box::default(),
            start: 0,
            end: 0,
            id: None,
            received: 0,
            is_lent: false,
            credit: turns::Credit::NONE,
            ended: true,
            mail: Vec::new(),
        }
    }

    fn is_none(&self) -> bool {
        self.buffer.is_empty()
    }

    fn fill(&mut self, id: ConnectionId, start: usize, len: usize) {
        (self.id, self.start, self.end, self.ended) = (Some(id), start, start + len, false);
        (self.received, self.is_lent) = (len, false);
        self.credit = turns::Credit::WHOLE;
    }
}

impl Default for Inbox {
    fn default() -> Self {
        Self {
            buffer: vec![0; READ_LIMIT_BYTES + ahead::AHEAD_BYTES].into(),
            start: 0,
            end: 0,
            id: None,
            received: 0,
            is_lent: false,
            credit: turns::Credit::NONE,
            ended: true,
            mail: Vec::new(),
        }
    }
}

/// See the module.
pub struct Worker {
    settings: Settings,
    spans: Spans,
    reactor: Reactor,
    clock: Clock,
    /// What the last wait was asked to last, in milliseconds.
    asked_ms: u64,
    wheel: Wheel<ConnectionId>,
    alarms: Alarms,
    connections: Slab<Connection>,
    gate: Gate,
    topics: Topics<ConnectionId>,
    /// Publications to many, on their way.
    rounds: rounds::Rounds,
    codec: Codec,
    pool: Pool,
    masks: client::Masks,
    /// Where TLS works.
    sealing: Sealing,
    /// What the last wait found, and how far it has been worked off.
    ready: ReadyList,
    ready_at: usize,
    foreign: Vec<(RawFd, Interest)>,
    /// Connections with something to send.
    dirty: Vec<ConnectionId>,
    turns: turns::Turns,
    ahead: ahead::Ahead,
    /// Events that no read brings.
    told: VecDeque<Raw>,
    overdue: deadlines::Overdue,
    /// This batch has had its portion of deadlines.
    has_looked: bool,
    /// The tick before which no deadline falls due.
    upcoming: Tick,
    held_bytes: usize,
    /// See [`Worker::tell_arrivals`].
    tells_arrivals: bool,
    /// See [`Worker::has_concluded`].
    has_concluded: bool,
    /// How leave is being taken, if it is.
    farewell: Option<Farewell>,
    date: (u64, String),
    stats: Stats,
    tally: Arc<Tally>,
    /// When the last wait ended.
    woke_ns: u64,
    notices: notices::Notices,
    pressure: pressure::Pressure,
    door: Arc<Door>,
    paces: pace::Paces,
}

impl Worker {
    /// A worker without listeners.
    ///
    /// # Errors
    /// When the system gives no epoll or no descriptor.
    pub fn new(number: u8, settings: Settings) -> io::Result<Self> {
        let clock = Clock::new(monotonic_ms());
        Ok(Self {
            spans: Spans::of(&settings),
            reactor: Reactor::new()?,
            wheel: Wheel::new(clock.tick()),
            clock,
            asked_ms: 0,
            alarms: Alarms::default(),
            connections: Slab::new(number),
            gate: Gate::new()?,
            topics: Topics::new(),
            rounds: rounds::Rounds::default(),
            codec: codec(&settings),
            pool: Pool::default(),
            masks: client::Masks::default(),
            sealing: Sealing::default(),
            ready: ReadyList::default(),
            ready_at: 0,
            foreign: Vec::new(),
            dirty: Vec::new(),
            turns: turns::Turns::default(),
            ahead: ahead::Ahead::default(),
            told: VecDeque::new(),
            overdue: deadlines::Overdue::default(),
            has_looked: false,
            upcoming: NEVER,
            held_bytes: 0,
            tells_arrivals: false,
            has_concluded: false,
            farewell: None,
            date: (0, String::new()),
            stats: Stats::default(),
            tally: Arc::default(),
            woke_ns: 0,
            notices: notices::Notices::default(),
            pressure: pressure::Pressure::new(settings.held_limit_bytes),
            door: Arc::new(Door::new(&settings.limits)),
            paces: pace::Paces::new(&settings.limits),
            settings,
        })
    }

    /// What this worker was told.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn count_panic(&mut self) {
        self.stats.panics += 1;
    }

    /// What has been counted so far.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// What has been counted by kind; it goes on counting.
    pub fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// Whether there is such a connection, in any phase.
    pub(crate) fn knows(&self, id: ConnectionId) -> bool {
        self.connections.get(id).is_some()
    }

    /// How many connections there are, in any phase.
    pub fn connection_count(&self) -> usize {
        self.connections.len()
    }

    /// The bytes held on the heap for all peers.
    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// The table of topics: policies, counts.
    pub fn topics(&self) -> &Topics<ConnectionId> {
        &self.topics
    }

    /// The same, to be changed.
    pub fn topics_mut(&mut self) -> &mut Topics<ConnectionId> {
        &mut self.topics
    }

    /// The epoll descriptor, to wait on or to put into another poller.
    pub fn epoll(&self) -> BorrowedFd<'_> {
        self.reactor.epoll()
    }

    /// Watches a descriptor of the caller's; readiness is found in [`Worker::take_foreign`].
    ///
    /// # Errors
    /// What epoll_ctl(2) may fail with.
    pub fn watch(&self, fd: BorrowedFd<'_>, interest: Interest) -> io::Result<()> {
        self.reactor.add(
            fd,
            Token::Foreign(std::os::fd::AsRawFd::as_raw_fd(&fd)),
            interest,
        )
    }

    /// Changes what a watched descriptor is watched for.
    ///
    /// # Errors
    /// What epoll_ctl(2) may fail with.
    pub fn rewatch(&self, fd: BorrowedFd<'_>, interest: Interest) -> io::Result<()> {
        self.reactor.modify(
            fd,
            Token::Foreign(std::os::fd::AsRawFd::as_raw_fd(&fd)),
            interest,
        )
    }

    /// Watches a descriptor no more.
    ///
    /// # Errors
    /// What epoll_ctl(2) may fail with.
    pub fn unwatch(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.reactor.delete(fd)
    }

    /// The caller's own descriptors that were found ready since the last call.
    pub fn take_foreign(&mut self, out: &mut Vec<(RawFd, Interest)>) {
        out.append(&mut self.foreign);
    }

    /// Lets a bell end a wait.
    pub(crate) fn watch_bell(&self, bell: impl AsFd) -> io::Result<()> {
        // Edge-triggered: each ring is told once, and nobody needs to read it off.
        self.reactor
            .add(bell, Token::Bell, Interest::IN | Interest::ET)
    }

    /// Who a connection is, for an application in another thread.
    pub(crate) fn introduce(&mut self, id: ConnectionId) -> Option<Acquaintance> {
        let connection = self.connections.get_mut(id)?;
        let head_only = connection.asked().is_some_and(|asked| asked.head_only);
        let gauge = connection.gauge.get_or_insert_default();
        let gauge = Arc::clone(gauge);
        Some(Acquaintance {
            id,
            caller: connection.caller(),
            tls: connection
                .tls
                .as_ref()
                .and_then(|tls| tls.facts())
                .map(Box::new),
            gauge,
            head_only,
        })
    }

    /// Whether a connection speaks TLS.
    pub fn is_tls(&self, id: ConnectionId) -> bool {
        self.connections
            .get(id)
            .is_some_and(|connection| connection.tls.is_some())
    }

    /// What TLS has found out about a connection; nothing if it does not speak TLS.
    pub fn tls(&self, id: ConnectionId) -> Option<TlsFacts> {
        self.connections.get(id)?.tls.as_ref()?.facts()
    }

    /// Flushes, and tells how long the caller may wait: no longer than `timeout`, and not past the next deadline.
    /// Hands out the list to wait with; give it back to [`Worker::end_wait`].
    pub fn begin_wait(&mut self, timeout: Option<Duration>) -> (ReadyList, Option<Duration>) {
        self.flush();
        let own = self.next_deadline();
        let timeout = match (timeout, own) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.ask(timeout);
        (std::mem::take(&mut self.ready), timeout)
    }

    /// Takes what the wait has found, and the time.
    pub fn end_wait(&mut self, ready: ReadyList) {
        self.ready = ready;
        self.ready_at = 0;
        self.has_looked = false;
        self.turns.begin();
        self.woke_ns = monotonic_ns();
        self.clock.advance(self.woke_ns / 1_000_000, self.asked_ms);
        self.asked_ms = 0;
    }

    /// The monotonic clock in milliseconds, as it was when the last wait ended.
    pub fn clock_ms(&self) -> u64 {
        self.clock.system_ms()
    }

    /// The monotonic clock in nanoseconds, as it was when the last wait ended.
    pub fn woke_ns(&self) -> u64 {
        self.woke_ns
    }

    /// How long until something must be done without any descriptor being ready; zero when there is work now.
    pub fn next_deadline(&self) -> Option<Duration> {
        if self.ready_at < self.ready.len()
            || !self.told.is_empty()
            || !self.ahead.is_empty()
            || !self.turns.is_empty()
            || !self.rounds.is_empty()
        {
            return Some(Duration::ZERO);
        }
        let now = self.clock.now_ms();
        let looks = [self.next_look_ms(), self.alarms.next_ms()];
        let first = looks.into_iter().flatten().min()?;
        Some(Duration::from_millis(first.saturating_sub(now)))
    }

    /// Makes the epoll descriptor readable when the next deadline comes: for those who cannot pass a timeout.
    ///
    /// # Errors
    /// What timerfd_settime(2) may fail with.
    pub fn arm_timer(&mut self) -> io::Result<()> {
        let after = self.next_deadline();
        self.ask(after);
        self.reactor.arm_timer(after)
    }

    /// Until the next look at the sockets so much time may pass: it is no stall.
    fn ask(&mut self, span: Option<Duration>) {
        let ms = span.map_or(u64::MAX, |span| span.as_millis() as u64);
        self.asked_ms = self.asked_ms.max(ms);
    }

    /// The same as if there were a deadline now.
    pub(crate) fn arm_timer_now(&mut self) -> io::Result<()> {
        self.reactor.arm_timer(Some(Duration::ZERO))
    }

    /// The next event, or `None` when the batch is worked off.
    #[inline]
    pub fn next<'b>(&mut self, inbox: &'b mut Inbox) -> Option<Event<'b>> {
        let raw = self.step(inbox)?;
        Some(inbox.lend(raw))
    }

    #[inline]
    pub(crate) fn step(&mut self, inbox: &mut Inbox) -> Option<Raw> {
        loop {
            if let Some(id) = inbox.id {
                if inbox.start < inbox.end
                    && let Some(raw) = self.digest(id, inbox)
                {
                    return Some(raw);
                }
                if inbox.is_lent && inbox.start == inbox.end && self.lend_more(id, inbox) {
                    continue;
                }
                if !std::mem::replace(&mut inbox.ended, true) && self.wants_read_end(id) {
                    return Some(Raw::ReadEnd { id });
                }
                inbox.id = None;
                self.finish_read(id, inbox.received);
            }
            if let Some(raw) = self.told.pop_front() {
                return Some(raw);
            }
            if self.look_ahead(inbox) || self.read_ahead(inbox) {
                continue;
            }
            let Some(ready) = self.ready.get(self.ready_at) else {
                if let Some(id) = self.turns.next() {
                    self.take_turn(id, inbox);
                    continue;
                }
                let now_ms = self.clock.now_ms();
                if !self.has_looked && self.next_look_ms().is_some_and(|ms| ms <= now_ms) {
                    self.look_at_deadlines();
                    continue;
                }
                return None;
            };
            let (token, flags) = (Token::of(ready), ready.flags);
            self.ready_at += 1;
            self.prefetch_next();
            match token {
                Token::Connection(id) => self.on_ready(id, flags, inbox),
                Token::Foreign(fd) => self.foreign.push((fd, flags)),
                Token::Listener(index) => {
                    self.accept_some(index as usize, inbox);
                }
                Token::Timer => self.reactor.quiet_timer(),
                // It has done its work by ending the wait.
                Token::Bell => {}
            }
        }
    }

    /// Whoever comes next shall be in the cache by then, with what TLS keeps of it; so the one behind is fetched, too.
    #[inline]
    fn prefetch_next(&self) {
        let id_at = |at| match self.ready.get(at).map(Token::of) {
            Some(Token::Connection(id)) => Some(id),
            _ => None,
        };
        if let Some(id) = id_at(self.ready_at + 1) {
            self.connections.prefetch(id.slot());
        }
        if let Some(id) = id_at(self.ready_at)
            && let Some(connection) = self.connections.get(id)
            && let Some(tls) = &connection.tls
        {
            prefetch(&**tls);
        }
    }

    /// The keys of alarms that have gone off since the last call; see [`Worker::alarm`].
    pub fn take_alarms(&mut self, out: &mut Vec<u32>) {
        self.alarms.take(self.clock.now_ms(), out);
    }

    /// Sets an alarm; [`Worker::take_alarms`] hands `key` out once `after` has passed.
    pub fn alarm(&mut self, after: Duration, key: u32) {
        let at = self.now_ms_live() + after.as_millis() as u64;
        self.alarms.set(at, key);
    }

    /// The peer's address, while the connection is there.
    pub fn peer(&self, id: ConnectionId) -> Option<Peer> {
        self.connections.get(id).map(|connection| connection.peer)
    }

    /// Who is at the other end and for whom, while the connection is there.
    pub fn caller(&self, id: ConnectionId) -> Option<Caller> {
        self.connections.get(id).map(Connection::caller)
    }

    /// Round-trip time by the last ping.
    pub fn rtt(&self, id: ConnectionId) -> Option<Duration> {
        let us = self.connections.get(id)?.rtt_us;
        (us > 0).then(|| Duration::from_micros(us.into()))
    }

    /// Bytes that wait to be sent to this peer.
    pub fn buffered(&self, id: ConnectionId) -> usize {
        self.connections
            .get(id)
            .map_or(0, Connection::waiting_bytes)
    }

    /// Whether the outbox has been full and has not drained since.
    pub fn is_congested(&self, id: ConnectionId) -> bool {
        self.connections
            .get(id)
            .is_some_and(|connection| connection.flags.congested && connection.takes_bytes())
    }

    /// Whether messages may be sent.
    pub fn is_open(&self, id: ConnectionId) -> bool {
        self.connections.get(id).is_some_and(Connection::is_open)
    }

    /// The ids of all WebSockets that are open.
    pub fn open_ids(&self) -> Vec<ConnectionId> {
        self.connections
            .iter()
            .filter(|(_, connection)| connection.is_open())
            .map(|(id, _)| id)
            .collect()
    }

    /// Ends everything at once: no close frames, no lingering.
    pub fn abort_all(&mut self) {
        let all: Vec<_> = self.connections.iter().map(|(id, _)| id).collect();
        for id in all {
            self.remove(id);
        }
        self.gate.stop(&self.reactor, None);
    }

    fn now_ms_live(&self) -> u64 {
        // Between waits the clock stands at the last wait's end; an alarm must not be early by a long handler.
        self.clock.now_ms() + monotonic_ms().saturating_sub(self.clock.system_ms())
    }

    /// The value of a `Date` field (RFC 9110 §6.6.1), made once a second.
    fn refresh_date(&mut self) {
        let now = SystemTime::now();
        let second = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |span| span.as_secs());
        if self.date.0 != second {
            self.date = (second, httpdate::fmt_http_date(now));
        }
    }

    /// Tells the application, once, that a connection has ended for it.
    fn tell_closed(&mut self, id: ConnectionId, mut ending: Ending) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if connection.flags.told {
            return;
        }
        connection.flags.told = true;
        if ending.reason.is_empty()
            && let Some(rare) = &mut connection.rare
        {
            ending.reason = std::mem::take(&mut rare.farewell).into();
        }
        if matches!(connection.phase, Phase::Open(_)) && !connection.flags.is_client {
            self.tally.closed(ending.code, ending.by);
        }
        ending.traffic = connection.meter.take();
        self.topics.drop_subscriber(id);
        self.told.push_back(Raw::Closed { id, ending });
    }

    /// Forgets a connection and closes its socket.
    fn remove(&mut self, id: ConnectionId) {
        let Some(mut connection) = self.connections.remove(id) else {
            return;
        };
        self.rounds.forget(id);
        account::close(&self.tally.access, id, &mut connection);
        if let Some(gauge) = &connection.gauge {
            gauge.end();
        }
        self.unseat(&connection);
        self.held_bytes -= connection.charged as usize;
        self.weigh();
        self.stats.closed += 1;
        self.gate.one_is_free(&self.reactor);
    }

    /// Brings epoll in line with what the connection wants.
    fn refresh_interest(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get(id) {
            let wanted = connection.wanted_interest();
            if wanted != connection.interest {
                self.set_interest(id, wanted);
            }
        }
    }

    /// Has epoll watch for this from now on.
    fn set_interest(&mut self, id: ConnectionId, wanted: Interest) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if wanted == connection.interest {
            return;
        }
        connection.interest = wanted;
        if self
            .reactor
            .modify(&connection.socket, Token::Connection(id), wanted)
            .is_err()
        {
            self.broken(id, None);
        }
    }

    /// The connection is of no more use: tells, and forgets it.
    fn broken(&mut self, id: ConnectionId, error: Option<Errno>) {
        let by = match self.connections.get(id) {
            Some(connection) => connection.flags.closed_by.unwrap_or(ClosedBy::Network),
            None => return,
        };
        let os_error = error.map(Errno::raw_os_error);
        self.tell_closed(
            id,
            Ending {
                os_error,
                ..Ending::new(1006, "", by)
            },
        );
        self.remove(id);
    }

    fn register(
        &mut self,
        socket: OwnedFd,
        peer: Peer,
        phase: Phase,
        deadline: Tick,
        interest: Interest,
    ) -> Option<ConnectionId> {
        let now = self.clock.tick();
        let connection = Connection::new(
            socket,
            peer,
            phase,
            now,
            deadline,
            self.settings
                .kept_outbox_bytes(self.settings.outbox_limit_bytes),
        );
        let id = self.connections.insert(connection);
        let connection = self.connections.get_mut(id).expect("inserted above");
        connection.interest = interest;
        if self
            .reactor
            .add(connection.socket.as_fd(), Token::Connection(id), interest)
            .is_err()
        {
            self.remove(id);
            return None;
        }
        self.arm(id);
        Some(id)
    }
}

fn codec(settings: &Settings) -> Codec {
    let mut codec = Codec::new(settings.deflate.level);
    let is_tried = settings.tries(Limit::InflatedRatio);
    codec.limit_ratio(settings.inflated_ratio, is_tried);
    codec
}

/// The monotonic clock in milliseconds since some time before the first worker; never 0.
pub fn monotonic_ms() -> u64 {
    monotonic_ns() / 1_000_000
}

/// The same in nanoseconds.
pub fn monotonic_ns() -> u64 {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    const BEFORE: Duration = Duration::from_secs(1);
    (ORIGIN.get_or_init(Instant::now).elapsed() + BEFORE).as_nanos() as u64
}
