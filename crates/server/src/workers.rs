//! All workers of an application: the one in its own thread and, where threads were asked for, those of the pool.
//!
//! Speaks like a [`Worker`]. Whose a connection is stands in its id: number 0 is the worker here, which serves everything if
//! there is no pool, and the connections that we open, alarms and foreign descriptors in any case.

use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::time::Duration;

use hubbub_hub::{Policy, Topic};
use hubbub_protocol::deflate::Parameters;
use hubbub_protocol::endpoint::Kind;
use hubbub_protocol::error::Misuse;
use hubbub_protocol::handshake::Offer;
use hubbub_protocol::http::{Refusal, Response};

use crate::connection::{Caller, Peer};
use crate::descriptors::make_room;
use crate::event::{ClosedBy, Event};
use crate::exchange::FilePart;
use crate::id::ConnectionId;
use crate::leave::Leave;
use crate::limits::Limit;
use crate::listener::Listener;
use crate::pool::Pool;
use crate::reactor::{Interest, ReadyList};
use crate::settings::{Settings, Threads};
use crate::stats::Stats;
use crate::tally::Tally;
use crate::tls::TlsFacts;
use crate::worker::{
    Accept, ClientRequest, Farewell, Inbox, Publication, Sent, Worker, hold_largest,
};

/// See the module.
pub struct Workers {
    local: Worker,
    pool: Option<Box<Pool>>,
    /// Whom to close, once leave is being taken.
    leave: Option<Leave>,
}

/// Calls the same method of whoever has the connection.
macro_rules! route {
    ($self:ident, $id:ident, $method:ident($($argument:expr),*), or $otherwise:expr) => {
        if $id.worker() == 0 {
            $self.local.$method($id $(, $argument)*)
        } else if let Some(pool) = &mut $self.pool {
            pool.$method($id $(, $argument)*)
        } else {
            $otherwise
        }
    };
    (& $self:ident, $id:ident, $method:ident(), or $otherwise:expr) => {
        if $id.worker() == 0 {
            $self.local.$method($id)
        } else if let Some(pool) = &$self.pool {
            pool.$method($id)
        } else {
            $otherwise
        }
    };
}

impl Workers {
    /// A worker for the calling thread and, if there are to be threads, those, started.
    ///
    /// # Errors
    /// When the system gives no epoll, no descriptor or no thread.
    pub fn new(settings: Settings, threads: Threads) -> io::Result<Self> {
        let local = Worker::new(0, settings.clone())?;
        let pool = match threads.count {
            0 => None,
            _ => Some(Box::new(Pool::start(threads, settings, &local)?)),
        };
        Ok(Self {
            local,
            pool,
            leave: None,
        })
    }

    /// What the workers were told.
    pub fn settings(&self) -> &Settings {
        self.local.settings()
    }

    /// The epoll descriptor of this thread's worker, which also becomes readable when other threads have something.
    pub fn epoll(&self) -> BorrowedFd<'_> {
        self.local.epoll()
    }

    /// As [`Worker::watch`].
    ///
    /// # Errors
    /// What epoll_ctl(2) may fail with.
    pub fn watch(&self, fd: BorrowedFd<'_>, interest: Interest) -> io::Result<()> {
        self.local.watch(fd, interest)
    }

    /// As [`Worker::rewatch`].
    ///
    /// # Errors
    /// What epoll_ctl(2) may fail with.
    pub fn rewatch(&self, fd: BorrowedFd<'_>, interest: Interest) -> io::Result<()> {
        self.local.rewatch(fd, interest)
    }

    /// As [`Worker::unwatch`].
    ///
    /// # Errors
    /// What epoll_ctl(2) may fail with.
    pub fn unwatch(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.local.unwatch(fd)
    }

    /// As [`Worker::take_foreign`].
    pub fn take_foreign(&mut self, out: &mut Vec<(RawFd, Interest)>) {
        self.local.take_foreign(out);
    }

    /// As [`Worker::begin_wait`].
    pub fn begin_wait(&mut self, timeout: Option<Duration>) -> (ReadyList, Option<Duration>) {
        let (ready, timeout) = self.local.begin_wait(timeout);
        match &self.pool {
            Some(pool) if pool.arm() => (ready, Some(Duration::ZERO)),
            _ => (ready, timeout),
        }
    }

    /// As [`Worker::end_wait`]; takes what other threads have brought, too.
    pub fn end_wait(&mut self, ready: ReadyList) {
        self.local.end_wait(ready);
        if let Some(pool) = &mut self.pool {
            pool.take();
        }
    }

    /// Why a thread has ended that should not have: its connections are gone, and the program had better end. Told once.
    pub fn take_failure(&self) -> Option<String> {
        self.pool.as_ref()?.take_failure()
    }

    /// As [`Worker::arm_timer`].
    ///
    /// # Errors
    /// What timerfd_settime(2) may fail with.
    pub fn arm_timer(&mut self) -> io::Result<()> {
        match &self.pool {
            Some(pool) if pool.arm() => self.local.arm_timer_now(),
            _ => self.local.arm_timer(),
        }
    }

    /// As [`Worker::next`].
    #[inline]
    pub fn next<'b>(&mut self, inbox: &'b mut Inbox) -> Option<Event<'b>> {
        if let Some(raw) = self.local.step(inbox) {
            return Some(inbox.lend(raw));
        }
        self.pool.as_mut()?.next(inbox)
    }

    /// As [`Worker::next_plain`], of the worker here; messages that come by other threads are found with [`Workers::next`].
    #[inline]
    pub fn next_plain<'b>(
        &mut self,
        id: ConnectionId,
        inbox: &'b mut Inbox,
    ) -> Option<(Kind, &'b [u8])> {
        self.local.next_plain(id, inbox)
    }

    /// As [`Worker::tell_arrivals`], of the worker here. Messages that come by other threads are handed over whole.
    pub fn tell_arrivals(&mut self) {
        self.local.tell_arrivals();
    }

    /// As [`Worker::take_arrived`].
    pub fn take_arrived<R>(
        &mut self,
        id: ConnectionId,
        act: impl FnOnce(&[u8], u64) -> R,
    ) -> Option<R> {
        match id.worker() {
            0 => self.local.take_arrived(id, act),
            _ => None,
        }
    }

    /// As [`Worker::flush`]. Other threads flush by themselves.
    pub fn flush(&mut self) {
        self.local.flush();
    }

    /// As [`Worker::take_alarms`].
    pub fn take_alarms(&mut self, out: &mut Vec<u32>) {
        self.local.take_alarms(out);
    }

    /// As [`Worker::alarm`].
    pub fn alarm(&mut self, after: Duration, key: u32) {
        self.local.alarm(after, key);
    }

    /// Accepts connections from this listener from now on. Threads serve group 0 alone: other groups are for the few who
    /// look after the server, and are served here.
    ///
    /// # Errors
    /// What epoll_ctl(2) may fail with.
    pub fn listen(&mut self, listener: Listener) -> io::Result<()> {
        make_room(&listener);
        match &mut self.pool {
            Some(pool) if listener.group() == 0 => pool.listen(listener),
            _ => self.local.listen(listener)?,
        }
        Ok(())
    }

    /// As [`Worker::stop_listening`].
    pub fn stop_listening(&mut self, group: Option<u8>, accept_waiting: bool) {
        self.local.stop_listening(group, accept_waiting);
        if let Some(pool) = &mut self.pool
            && matches!(group, None | Some(0))
        {
            pool.stop_listening(accept_waiting);
        }
    }

    /// As [`Worker::begin_drain`]; tells how many WebSockets [`Workers::close_portion`] is to close.
    pub fn begin_drain(&mut self, farewell: Farewell) -> usize {
        self.local.begin_drain(farewell);
        if let Some(pool) = &mut self.pool {
            pool.begin_drain(farewell);
        }
        let beside = self.pool.iter().flat_map(|pool| pool.accepted_ids());
        let leave = Leave::of(self.local.accepted_ids().chain(beside));
        self.leave.insert(leave).len()
    }

    /// Closes some of the WebSockets that are to be closed, at random; tells how many are left. Those that are opened
    /// meanwhile are among them.
    ///
    /// # Errors
    /// A code or reason that may not be sent; then nothing is.
    pub fn close_portion(
        &mut self,
        count: usize,
        code: u16,
        reason: &str,
    ) -> Result<usize, Misuse> {
        for _ in 0..count {
            let Some(id) = self.leave.as_mut().and_then(Leave::next) else {
                break;
            };
            self.close_by(id, ClosedBy::Server, code, reason)?;
        }
        Ok(self.leave.as_ref().map_or(0, Leave::len))
    }

    /// As [`Worker::drop_accepted`].
    pub fn drop_accepted(&mut self) {
        self.local.drop_accepted();
        if let Some(pool) = &mut self.pool {
            pool.drop_accepted();
        }
    }

    /// As [`Worker::group`].
    pub fn group(&self, id: ConnectionId) -> u8 {
        if id.worker() == 0 {
            self.local.group(id)
        } else {
            0
        }
    }

    /// As [`Worker::send`].
    #[inline]
    pub fn send(&mut self, id: ConnectionId, kind: Kind, payload: &[u8]) -> Sent {
        let sent = route!(self, id, send(kind, payload), or Sent::Closed);
        if id.worker() != 0 && (sent == Sent::Dropped || self.settings().tries(Limit::Outbox)) {
            self.look_at_outbox(id, sent);
        }
        sent
    }

    /// Tells of a message that has found the outbox of a connection in another thread full, or would have.
    #[cold]
    fn look_at_outbox(&mut self, id: ConnectionId, sent: Sent) {
        let peer = self.caller(id).map(|caller| caller.client);
        if sent == Sent::Dropped {
            self.local.outbox_is_full(peer, 1, false);
        } else if self
            .pool
            .as_ref()
            .is_some_and(|pool| pool.is_over_tried(id))
        {
            self.local.outbox_is_full(peer, 1, true);
        }
    }

    /// As [`Worker::publish`]. Of subscribers in other threads, too, those are counted to whom it is handed, before
    /// policies decide about the slow ones.
    pub fn publish(
        &mut self,
        topic: Topic<'_>,
        kind: Kind,
        payload: &[u8],
        how: Publication,
    ) -> usize {
        let reached = self.local.publish(topic, kind, payload, how);
        match &mut self.pool {
            Some(pool) => reached + pool.publish(topic, kind, payload, how),
            None => reached,
        }
    }

    /// Lets a connection hear a topic; false if it does already, or is not open.
    pub fn subscribe(&mut self, id: ConnectionId, topic: Topic<'_>) -> bool {
        if id.worker() == 0 {
            return self.local.is_open(id) && self.local.topics_mut().subscribe(id, topic);
        }
        self.pool
            .as_mut()
            .is_some_and(|pool| pool.subscribe(id, topic))
    }

    /// Lets a connection no longer hear a topic; false if it did not.
    pub fn unsubscribe(&mut self, id: ConnectionId, topic: Topic<'_>) -> bool {
        if id.worker() == 0 {
            return self.local.topics_mut().unsubscribe(id, topic);
        }
        self.pool
            .as_mut()
            .is_some_and(|pool| pool.unsubscribe(id, topic))
    }

    /// The topics a connection hears, in no particular order.
    pub fn topics_of(&self, id: ConnectionId) -> Vec<String> {
        if id.worker() == 0 {
            return self
                .local
                .topics()
                .topics_of(id)
                .map(str::to_owned)
                .collect();
        }
        self.pool
            .as_ref()
            .map_or_else(Vec::new, |pool| pool.topics_of(id))
    }

    /// How many hear a topic.
    pub fn subscriber_count(&self, topic: Topic<'_>) -> usize {
        let beside = self.pool.as_ref().map(|pool| pool.subscriber_count(topic));
        self.local.topics().count(topic) + beside.unwrap_or_default()
    }

    /// Sets the policy of all topics that match `pattern`: a whole name, or a beginning followed by `*`.
    pub fn set_policy(&mut self, pattern: Topic<'_>, policy: Policy) {
        self.local.topics_mut().set_policy(pattern, policy);
        if let Some(pool) = &mut self.pool {
            pool.set_policy(pattern, policy);
        }
    }

    /// As [`Worker::accept`]. In another thread the connection may be gone already; [`Event::Closed`] follows then.
    ///
    /// # Errors
    /// A field or protocol that may not be sent; then the request still waits for an answer.
    pub fn accept(
        &mut self,
        id: ConnectionId,
        offer: &Offer<'_>,
        how: &Accept<'_>,
    ) -> Result<bool, Misuse> {
        let is_open = route!(self, id, accept(offer, how), or Ok(false))?;
        if let Some(leave) = self.leave.as_mut().filter(|_| is_open) {
            leave.add(id);
        }
        Ok(is_open)
    }

    /// As [`Worker::respond`].
    ///
    /// # Errors
    /// A field that may not be sent; then the request still waits for an answer.
    pub fn respond(&mut self, id: ConnectionId, response: &Response<'_>) -> Result<bool, Misuse> {
        route!(self, id, respond(response), or Ok(false))
    }

    /// As [`Worker::collect`].
    pub fn collect(&mut self, id: ConnectionId, limit_bytes: u64) {
        route!(self, id, collect(limit_bytes), or());
    }

    /// As [`Worker::stream`].
    pub fn stream(&mut self, id: ConnectionId, limit_bytes: u64) {
        route!(self, id, stream(limit_bytes), or());
    }

    /// As [`Worker::proceed`].
    pub fn proceed(&mut self, id: ConnectionId) {
        route!(self, id, proceed(), or());
    }

    /// As [`Worker::begin`].
    ///
    /// # Errors
    /// A field that may not be sent; then the request still waits for an answer.
    pub fn begin(
        &mut self,
        id: ConnectionId,
        status: u16,
        fields: &[(&str, &str)],
        length: Option<u64>,
    ) -> Result<bool, Misuse> {
        route!(self, id, begin(status, fields, length), or Ok(false))
    }

    /// As [`Worker::write`].
    ///
    /// # Errors
    /// More than the length that was announced; then nothing is sent of it.
    pub fn write(&mut self, id: ConnectionId, piece: &[u8]) -> Result<Sent, Misuse> {
        route!(self, id, write(piece), or Ok(Sent::Closed))
    }

    /// As [`Worker::write_file`].
    ///
    /// # Errors
    /// More than the length that was announced; then nothing is sent of it.
    pub fn write_file(&mut self, id: ConnectionId, part: FilePart) -> Result<Sent, Misuse> {
        route!(self, id, write_file(part), or Ok(Sent::Closed))
    }

    /// As [`Worker::finish`].
    ///
    /// # Errors
    /// Less than the length that was announced; then the connection is cut.
    pub fn finish(&mut self, id: ConnectionId) -> Result<bool, Misuse> {
        route!(self, id, finish(), or Ok(false))
    }

    /// As [`Worker::cut`].
    pub fn cut(&mut self, id: ConnectionId) {
        route!(self, id, cut(), or());
    }

    /// As [`Worker::refuse_with`].
    pub fn refuse_with(&mut self, id: ConnectionId, fields: Vec<(String, String)>) {
        route!(self, id, refuse_with(fields), or());
    }

    /// As [`Worker::refuse`].
    pub fn refuse(&mut self, id: ConnectionId, refusal: &Refusal) {
        route!(self, id, refuse(refusal), or());
    }

    /// As [`Worker::close`].
    ///
    /// # Errors
    /// A code or reason that may not be sent; then nothing is.
    pub fn close(&mut self, id: ConnectionId, code: u16, reason: &str) -> Result<(), Misuse> {
        self.close_by(id, ClosedBy::App, code, reason)
    }

    fn close_by(
        &mut self,
        id: ConnectionId,
        by: ClosedBy,
        code: u16,
        reason: &str,
    ) -> Result<(), Misuse> {
        route!(self, id, close_by(by, code, reason), or Ok(()))
    }

    /// As [`Worker::close_slow`].
    pub fn close_slow(&mut self, id: ConnectionId) {
        route!(self, id, close_slow(), or());
    }

    /// Ends everything at once: no close frames, no lingering, no threads.
    pub fn abort_all(&mut self) {
        self.local.abort_all();
        if let Some(pool) = &mut self.pool {
            pool.stop();
        }
    }

    /// As [`Worker::ping`].
    pub fn ping(&mut self, id: ConnectionId) {
        route!(self, id, ping(), or());
    }

    /// As [`Worker::pause`].
    pub fn pause(&mut self, id: ConnectionId) {
        route!(self, id, pause(), or());
    }

    /// As [`Worker::resume`].
    pub fn resume(&mut self, id: ConnectionId) {
        route!(self, id, resume(), or());
    }

    /// As [`Worker::set_app_held`].
    pub fn set_app_held(&mut self, id: ConnectionId, bytes: usize) {
        route!(self, id, set_app_held(bytes), or());
    }

    /// As [`Worker::peer`].
    pub fn peer(&self, id: ConnectionId) -> Option<Peer> {
        route!(&self, id, peer(), or None)
    }

    /// As [`Worker::tls`]. In another thread: as it was when the connection's request came.
    pub fn tls(&self, id: ConnectionId) -> Option<TlsFacts> {
        route!(&self, id, tls(), or None)
    }

    /// Whether a connection speaks TLS.
    pub fn is_tls(&self, id: ConnectionId) -> bool {
        route!(&self, id, is_tls(), or false)
    }

    /// As [`Worker::caller`].
    pub fn caller(&self, id: ConnectionId) -> Option<Caller> {
        route!(&self, id, caller(), or None)
    }

    /// As [`Worker::rtt`].
    pub fn rtt(&self, id: ConnectionId) -> Option<Duration> {
        route!(&self, id, rtt(), or None)
    }

    /// As [`Worker::buffered`].
    pub fn buffered(&self, id: ConnectionId) -> usize {
        route!(&self, id, buffered(), or 0)
    }

    /// As [`Worker::knows`].
    pub fn knows(&self, id: ConnectionId) -> bool {
        route!(&self, id, knows(), or false)
    }

    /// As [`Worker::is_congested`].
    pub fn is_congested(&self, id: ConnectionId) -> bool {
        route!(&self, id, is_congested(), or false)
    }

    /// As [`Worker::is_open`].
    #[inline]
    pub fn is_open(&self, id: ConnectionId) -> bool {
        route!(&self, id, is_open(), or false)
    }

    /// As [`Worker::handshake_key`].
    pub fn handshake_key(&mut self) -> [u8; 16] {
        self.local.handshake_key()
    }

    /// As [`Worker::connect`]: always in this thread.
    ///
    /// # Errors
    /// What socket(2) and connect(2) may fail with at once.
    pub fn connect(&mut self, request: ClientRequest) -> io::Result<ConnectionId> {
        self.local.connect(request)
    }

    /// As [`Worker::establish`].
    pub fn establish(
        &mut self,
        id: ConnectionId,
        agreed: Option<Parameters>,
        message_limit_bytes: usize,
    ) {
        self.local.establish(id, agreed, message_limit_bytes);
    }

    /// As [`Worker::abort`]: for connections that we open.
    pub fn abort(&mut self, id: ConnectionId) {
        self.local.abort(id);
    }

    /// How many connections there are, in any phase and thread.
    pub fn connection_count(&self) -> usize {
        let beside = self.pool.as_ref().map(|pool| pool.connection_count());
        self.local.connection_count() + beside.unwrap_or_default()
    }

    /// How many of the open connections were accepted; the others are our own.
    pub fn accepted_count(&self) -> usize {
        let beside = self.pool.as_ref().map(|pool| pool.connection_count());
        self.local.accepted_count() + beside.unwrap_or_default()
    }

    /// What each worker has counted by kind.
    pub fn tallies(&self) -> impl Iterator<Item = &Tally> {
        let beside = self.pool.as_ref().map(|pool| pool.tallies());
        std::iter::once(&**self.local.tally()).chain(beside.into_iter().flatten())
    }

    /// As [`Worker::woke_ns`].
    pub fn woke_ns(&self) -> u64 {
        self.local.woke_ns()
    }

    /// As [`Worker::clock_ms`].
    pub fn clock_ms(&self) -> u64 {
        self.local.clock_ms()
    }

    /// How many connections each thread has; empty without threads.
    pub fn connection_counts(&self) -> Vec<usize> {
        self.pool
            .as_ref()
            .map_or_else(Vec::new, |pool| pool.connection_counts())
    }

    /// As [`Worker::pressure`]: that of the thread which is worst off.
    pub fn pressure(&self) -> u8 {
        let beside = self.pool.as_ref().map_or(0, |pool| pool.pressure());
        self.local.pressure().max(beside)
    }

    /// The bytes held on the heap for all peers.
    pub fn held_bytes(&self) -> usize {
        let beside = self.pool.as_ref().map(|pool| pool.held_bytes());
        self.local.held_bytes() + beside.unwrap_or_default()
    }

    /// The connections for which most is held, and how much; largest first. Of those in other threads, what waits to be
    /// sent is all that is known here.
    pub fn largest(&self, count: usize) -> Vec<(ConnectionId, usize)> {
        let mut held = self.local.largest(count);
        held.extend(self.pool.iter().flat_map(|pool| pool.buffered_by_id()));
        hold_largest(&mut held, count);
        held
    }

    /// Counts a panic that was caught on the application's side of a call.
    pub fn count_panic(&mut self) {
        self.local.count_panic();
    }

    /// What has been counted so far, in all threads.
    pub fn stats(&self) -> Stats {
        let mut stats = self.local.stats();
        if let Some(pool) = &self.pool {
            pool.add_stats(&mut stats);
        }
        stats
    }
}
