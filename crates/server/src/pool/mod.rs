//! Threads that serve while the application runs in another one: each a worker of its own, joined by mailboxes.
//!
//! The application's side never waits for a thread, but where it is faster than the threads can write (see [`Pool::pace`]),
//! and the threads never wait for the application. **Order:** everything about one connection happens in the order the
//! application commanded it, and every subscriber hears publications in the order they were published: each thread has one
//! mailbox, and its commands are carried out one by one. Between connections in different threads there is no order.
//!
//! **How much can be queued for one peer:** `outbox_limit_bytes`, and beyond it at most 64 KiB and one message: so much may
//! be granted before the gauge is looked at again. A message that was said to be queued is never dropped afterwards.

mod command;
mod mailbox;
mod mirror;
mod thread;

/// Where `mailbox` takes its primitives from; its test under every interleaving brings others.
mod sync {
    pub(crate) use std::sync::atomic::{AtomicBool, Ordering};
    pub(crate) use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
}

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hubbub_hub::{Policy, Topic, Topics};
use hubbub_protocol::endpoint::Kind;
use hubbub_protocol::error::Misuse;
use hubbub_protocol::handshake::Offer;
use hubbub_protocol::http::{BodyEnd, Refusal, Response, ResponseHead};

use self::command::{Batch, Command, Mail, OwnedHead, OwnedResponse, Payload};
use self::mailbox::Bell;
use self::mirror::{Mirror, Mirrors, Standing};
use self::thread::{EventFd, Shared, Spread, Thread};
use crate::connection::{Caller, Peer};
use crate::door::Door;
use crate::event::{Event, Place, Raw};
use crate::exchange::FilePart;
use crate::id::ConnectionId;
use crate::limits::TRIED_TIMES;
use crate::listener::Listener;
use crate::settings::{Settings, Threads};
use crate::slices::prefer_short_slices;
use crate::stats::Stats;
use crate::tally::Tally;
use crate::tls::TlsFacts;
use crate::worker::{Accept, Farewell, Inbox, Publication, Sent, SharedMessage, Worker, agree};

/// Most threads there can be: a connection's id has six bits for its worker, and the application's own is number 0.
pub(crate) const THREADS_MAX: usize = 63;
/// How much work may wait for one thread, in deliveries, before the application's side waits, too.
const BACKLOG: usize = 1 << 16;
/// So many bytes weigh as much as one delivery.
const BYTES_PER_DELIVERY: usize = 4 << 10;
/// How long the application's side waits for a thread that gets no processor, before it treats the outbox as full.
const PATIENCE: Duration = Duration::from_secs(1);

/// One thread, as seen from the application's side.
struct Remote {
    shared: Arc<Shared>,
    mirrors: Mirrors,
    /// Who in that thread hears what; the thread keeps the same table, changed by the same commands.
    topics: Topics<ConnectionId>,
    tally: Arc<Tally>,
    handle: Option<JoinHandle<()>>,
}

impl Remote {
    #[inline]
    fn tell(&self, command: Command, weight: usize) {
        let backlog = self.shared.commands.put(|commands| {
            commands.list.push(command);
            commands.weight += weight;
            commands.weight
        });
        if backlog > BACKLOG {
            self.pace();
        }
    }

    /// Waits until the thread has taken what it was told: an application that publishes faster than a thread can write
    /// would otherwise fill the memory. With the worker in its own thread it would have done that writing itself.
    #[cold]
    fn pace(&self) {
        wait_until(|| {
            self.shared.is_over() || self.shared.commands.look(|told| told.weight) <= BACKLOG
        });
    }
}

/// Looks again and again, at first eagerly. False when patience has run out.
fn wait_until(mut is_so: impl FnMut() -> bool) -> bool {
    const EAGERLY: u32 = 32;
    let start = Instant::now();
    let mut turn = 0;
    while !is_so() {
        if turn < EAGERLY {
            turn += 1;
            std::thread::yield_now();
        } else if start.elapsed() > PATIENCE {
            return false;
        } else {
            std::thread::sleep(Duration::from_micros(50));
        }
    }
    true
}

/// See the module.
pub(crate) struct Pool {
    settings: Settings,
    remotes: Vec<Remote>,
    bell: Arc<Bell<EventFd>>,
    /// Batches that have arrived, with the index of their thread.
    arrived: VecDeque<(usize, Box<Batch>)>,
    /// The one whose events are being handed out; its bytes are in the inbox.
    current: Option<(usize, Box<Batch>)>,
    /// What mailboxes are exchanged with.
    empty: VecDeque<Box<Batch>>,
    /// A connection whose end was the last event: it can still be asked about until the next one.
    ended: Option<ConnectionId>,
    /// Messages refused on this side.
    dropped: u64,
}

impl Pool {
    /// Starts the threads. `application` is the worker in the caller's thread, whose wait they end.
    ///
    /// # Errors
    /// When the system gives no descriptors or no threads.
    pub(crate) fn start(
        threads: Threads,
        settings: Settings,
        application: &Worker,
    ) -> io::Result<Self> {
        let count = threads.count.min(THREADS_MAX);
        let bell = Arc::new(Bell::new(EventFd::new()?));
        application.watch_bell(bell.ringer())?;
        let shared = (0..count)
            .map(|_| Shared::new(&bell).map(Arc::new))
            .collect::<io::Result<Vec<_>>>()?;
        let own = Settings {
            // One budget: connections are spread evenly, and so is what they may hold.
            held_limit_bytes: settings.held_limit_bytes / count,
            ..settings.clone()
        };
        let mut pool = Self {
            remotes: Vec::with_capacity(count),
            bell,
            arrived: VecDeque::new(),
            current: None,
            empty: VecDeque::new(),
            ended: None,
            dropped: 0,
            settings,
        };
        let door = Arc::new(Door::new(&own.limits));
        for (index, one) in shared.iter().enumerate() {
            let mut worker = Worker::new(index as u8 + 1, own.clone())?;
            worker.share_door(&door);
            if index == 0 {
                worker.accept_for(Box::new(Spread::new(shared.clone())));
            }
            let tally = Arc::clone(worker.tally());
            let thread = Thread::new(worker, Arc::clone(one), threads)?;
            let handle = std::thread::Builder::new()
                .name(format!("hubbub-{}", index + 1))
                .spawn({
                    let shared = Arc::clone(one);
                    move || live(thread, &shared)
                })?;
            pool.remotes.push(Remote {
                shared: Arc::clone(one),
                mirrors: Mirrors::default(),
                topics: Topics::new(),
                tally,
                handle: Some(handle),
            });
        }
        Ok(pool)
    }

    /// Before a wait: from now on threads ring. True when something has arrived already.
    pub(crate) fn arm(&self) -> bool {
        self.bell.set_busy(false);
        self.bell.arm();
        self.has_events()
    }

    /// Whether there are events to hand out, or to take.
    pub(crate) fn has_events(&self) -> bool {
        self.current.is_some()
            || !self.arrived.is_empty()
            || self
                .remotes
                .iter()
                .any(|remote| remote.shared.events.look(|queue| !queue.is_empty()))
    }

    /// After a wait: takes what has arrived, which is the bound of this batch.
    pub(crate) fn take(&mut self) {
        self.bell.disarm();
        for (index, remote) in self.remotes.iter().enumerate() {
            remote.shared.events.exchange(&mut self.empty);
            self.arrived
                .extend(self.empty.drain(..).map(|batch| (index, batch)));
        }
        let events = self.arrived.iter().map(|(_, batch)| batch.mail.len());
        self.bell.set_busy(events.sum::<usize>() > 1);
    }

    /// The next event that has arrived.
    pub(crate) fn next<'b>(&mut self, inbox: &'b mut Inbox) -> Option<Event<'b>> {
        if let Some(id) = self.ended.take() {
            self.forget(id);
        }
        let raw = self.step(inbox)?;
        Some(raw.in_buffer(&mut inbox.mail))
    }

    #[inline]
    fn step(&mut self, inbox: &mut Inbox) -> Option<Raw> {
        loop {
            let Some((index, batch)) = &mut self.current else {
                let (index, mut batch) = self.arrived.pop_front()?;
                std::mem::swap(&mut inbox.mail, &mut batch.bytes);
                self.current = Some((index, batch));
                continue;
            };
            let limit = self
                .settings
                .kept_outbox_bytes(self.settings.outbox_limit_bytes);
            let remote = &mut self.remotes[*index];
            match batch.mail.pop_front() {
                Some(Mail::Event(raw)) => {
                    match &raw {
                        Raw::Drained { id } => {
                            if let Some(mirror) = remote.mirrors.get_mut(*id) {
                                mirror.is_congested = false;
                            }
                        }
                        Raw::Closed { id, .. } => {
                            if let Some(mirror) = remote.mirrors.get_mut(*id) {
                                mirror.standing = Standing::Closing;
                            }
                            remote.topics.drop_subscriber(*id);
                            self.ended = Some(*id);
                        }
                        _ => {}
                    }
                    return Some(raw);
                }
                Some(Mail::Opened(acquaintance)) => {
                    remote.mirrors.insert(Mirror::new(acquaintance, limit));
                }
                None => self.give_back(inbox),
            }
        }
    }

    /// The current batch has been worked off: its receipt goes to its thread.
    fn give_back(&mut self, inbox: &mut Inbox) {
        let Some((index, mut batch)) = self.current.take() else {
            return;
        };
        std::mem::swap(&mut inbox.mail, &mut batch.bytes);
        let shared = &self.remotes[index].shared;
        shared.commands.put_lazily(
            |commands| commands.list.push(Command::Taken(batch)),
            || shared.awaits_receipts(),
        );
    }

    /// Why a thread has ended that should not have. Each failure is told once.
    pub(crate) fn take_failure(&self) -> Option<String> {
        self.remotes.iter().enumerate().find_map(|(index, remote)| {
            let failure = remote
                .shared
                .is_over()
                .then(|| remote.shared.take_failure());
            failure
                .flatten()
                .map(|text| format!("thread {}: {text}", index + 1))
        })
    }

    fn remote(&self, id: ConnectionId) -> Option<&Remote> {
        self.remotes.get(usize::from(id.worker()).checked_sub(1)?)
    }

    #[inline]
    fn remote_mut(&mut self, id: ConnectionId) -> Option<&mut Remote> {
        self.remotes
            .get_mut(usize::from(id.worker()).checked_sub(1)?)
    }

    fn mirror_mut(&mut self, id: ConnectionId) -> Option<&mut Mirror> {
        self.remote_mut(id)?.mirrors.get_mut(id)
    }

    fn mirror(&self, id: ConnectionId) -> Option<&Mirror> {
        self.remote(id)?.mirrors.get(id)
    }

    fn tell(&self, id: ConnectionId, command: Command) {
        if let Some(remote) = self.remote(id) {
            remote.tell(command, 1);
        }
    }

    fn tell_all(&self, command: impl Fn() -> Command) {
        for remote in &self.remotes {
            remote.tell(command(), 1);
        }
    }

    /// As [`Worker::send`].
    #[inline]
    pub(crate) fn send(&mut self, id: ConnectionId, kind: Kind, payload: &[u8]) -> Sent {
        if !self.is_open(id) {
            return Sent::Closed;
        }
        self.grant(id, payload, |id, payload| Command::Send {
            id,
            kind,
            payload,
        })
    }

    /// Hands bytes for an outbox to its thread, if they find room there.
    #[inline]
    fn grant(
        &mut self,
        id: ConnectionId,
        payload: &[u8],
        command: impl FnOnce(ConnectionId, Place) -> Command,
    ) -> Sent {
        let Some(remote) = self.remote_mut(id) else {
            return Sent::Closed;
        };
        let Some(mirror) = remote.mirrors.get_mut(id) else {
            return Sent::Closed;
        };
        let limit = mirror.outbox_limit_bytes;
        let mut level = mirror.level_bytes(payload.len());
        if level >= limit {
            // Whether the peer is slow, or only the thread behind, is known when the thread has caught up.
            wait_until(|| mirror.read() || remote.shared.is_over());
            level = mirror.level_bytes(payload.len());
        }
        if !mirror.takes_bytes() {
            return Sent::Closed;
        }
        let sent = if level >= limit {
            Sent::Dropped
        } else if level + payload.len() as u64 >= limit {
            Sent::Backpressure
        } else {
            Sent::Queued
        };
        let congests = sent != Sent::Queued && !mirror.is_congested;
        mirror.is_congested |= congests;
        if sent == Sent::Dropped {
            self.dropped += 1;
        } else {
            mirror.sent(payload.len());
            let kept = Payload::of(payload);
            let weight = 1 + payload.len() / BYTES_PER_DELIVERY;
            let backlog = remote.shared.commands.put(|commands| {
                let payload = commands.keep(kept);
                commands.list.push(command(id, payload));
                commands.weight += weight;
                commands.weight
            });
            if backlog > BACKLOG {
                remote.pace();
            }
        }
        if congests {
            self.tell(id, Command::TellDrained { id });
        }
        sent
    }

    /// As [`Worker::publish`]; tells to how many subscribers the message was handed.
    pub(crate) fn publish(
        &mut self,
        topic: Topic<'_>,
        kind: Kind,
        payload: &[u8],
        how: Publication,
    ) -> usize {
        let mut message: Option<(Arc<str>, Arc<SharedMessage>)> = None;
        let mut reached = 0;
        for remote in &self.remotes {
            let mut count = remote.topics.count(topic);
            if let Some(id) = how.exclude {
                count -= usize::from(remote.topics.is_subscribed(id, topic));
            }
            if count == 0 {
                continue;
            }
            reached += count;
            let (name, message) = message.get_or_insert_with(|| {
                (
                    Arc::from(topic.name),
                    Arc::new(SharedMessage::new(kind, payload)),
                )
            });
            let command = Command::Publish {
                space: topic.space,
                topic: Arc::clone(name),
                message: Arc::clone(message),
                how,
            };
            remote.tell(command, count);
        }
        reached
    }

    /// Lets a connection hear a topic; false if it does already, or is not open.
    pub(crate) fn subscribe(&mut self, id: ConnectionId, topic: Topic<'_>) -> bool {
        let Some(remote) = self.remote_mut(id) else {
            return false;
        };
        let is_open = remote.mirrors.get(id).is_some_and(Mirror::is_open);
        let is_new = is_open && remote.topics.subscribe(id, topic);
        if is_new {
            let (space, topic) = (topic.space, topic.name.into());
            remote.tell(Command::Subscribe { id, space, topic }, 1);
        }
        is_new
    }

    /// Lets a connection no longer hear a topic; false if it did not.
    pub(crate) fn unsubscribe(&mut self, id: ConnectionId, topic: Topic<'_>) -> bool {
        let Some(remote) = self.remote_mut(id) else {
            return false;
        };
        let is_known = remote.topics.unsubscribe(id, topic);
        if is_known {
            let (space, topic) = (topic.space, topic.name.into());
            remote.tell(Command::Unsubscribe { id, space, topic }, 1);
        }
        is_known
    }

    /// The topics a connection hears.
    pub(crate) fn topics_of(&self, id: ConnectionId) -> Vec<String> {
        self.remote(id).map_or_else(Vec::new, |remote| {
            remote.topics.topics_of(id).map(str::to_owned).collect()
        })
    }

    /// How many hear a topic.
    pub(crate) fn subscriber_count(&self, topic: Topic<'_>) -> usize {
        self.remotes
            .iter()
            .map(|remote| remote.topics.count(topic))
            .sum()
    }

    pub(crate) fn set_policy(&mut self, pattern: Topic<'_>, policy: Policy) {
        let space = pattern.space;
        let pattern: Arc<str> = Arc::from(pattern.name);
        self.tell_all(|| Command::SetPolicy {
            space,
            pattern: Arc::clone(&pattern),
            policy,
        });
    }

    /// As [`Worker::accept`]. The 101 is written here, so that what may not be sent is told at once.
    pub(crate) fn accept(
        &mut self,
        id: ConnectionId,
        offer: &Offer<'_>,
        how: &Accept<'_>,
    ) -> Result<bool, Misuse> {
        let settings = self.settings.deflate;
        let outbox_limit_bytes = how
            .outbox_limit_bytes
            .map(|limit| self.settings.kept_outbox_bytes(limit));
        let Some(remote) = self.remote_mut(id) else {
            return Ok(false);
        };
        let Some(mirror) = remote.mirrors.get_mut(id) else {
            return Ok(false);
        };
        if mirror.standing != Standing::Deciding {
            return Ok(false);
        }
        let mut answer = Vec::new();
        let terms = agree(offer, how, &settings, &mut answer)?;
        mirror.standing = Standing::Open;
        if let Some(limit) = outbox_limit_bytes {
            mirror.outbox_limit_bytes = limit as u64;
        }
        let terms = Box::new(terms);
        remote.shared.commands.put(|commands| {
            let answer = commands.keep(Payload::of(&answer));
            commands.list.push(Command::Upgrade { id, answer, terms });
        });
        Ok(true)
    }

    /// As [`Worker::respond`].
    pub(crate) fn respond(
        &mut self,
        id: ConnectionId,
        response: &Response<'_>,
    ) -> Result<bool, Misuse> {
        if !self.is_deciding(id) {
            return Ok(false);
        }
        // Only to see whether it may be sent; the thread knows date and connection.
        response.write(true, true, "", &mut Vec::new())?;
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        let response = Box::new(OwnedResponse {
            status: response.status,
            fields: response.fields.iter().map(owned).collect(),
            body: response.body.to_vec(),
        });
        self.forget(id);
        self.tell(id, Command::Respond { id, response });
        Ok(true)
    }

    /// As [`Worker::refuse`].
    pub(crate) fn refuse(&mut self, id: ConnectionId, refusal: &Refusal) {
        if self.is_deciding(id) {
            self.forget(id);
            let refusal = *refusal;
            self.tell(id, Command::Refuse { id, refusal });
        }
    }

    /// As [`Worker::collect`].
    pub(crate) fn collect(&mut self, id: ConnectionId, limit_bytes: u64) {
        self.tell(id, Command::Collect { id, limit_bytes });
    }

    /// As [`Worker::stream`].
    pub(crate) fn stream(&mut self, id: ConnectionId, limit_bytes: u64) {
        self.tell(id, Command::Stream { id, limit_bytes });
    }

    /// As [`Worker::knows`].
    pub(crate) fn knows(&self, id: ConnectionId) -> bool {
        self.mirror(id).is_some()
    }

    /// As [`Worker::proceed`].
    pub(crate) fn proceed(&mut self, id: ConnectionId) {
        self.tell(id, Command::Proceed { id });
    }

    /// As [`Worker::begin`].
    pub(crate) fn begin(
        &mut self,
        id: ConnectionId,
        status: u16,
        fields: &[(&str, &str)],
        length: Option<u64>,
    ) -> Result<bool, Misuse> {
        if !self.is_deciding(id) {
            return Ok(false);
        }
        let head = ResponseHead {
            status,
            fields,
            end: BodyEnd::Chunked,
        };
        // As in `respond`.
        head.write(true, "", &mut Vec::new())?;
        let head_only = self.mirror(id).is_some_and(|mirror| mirror.head_only);
        let left = length.filter(|_| head.has_body() && !head_only);
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        let head = Box::new(OwnedHead {
            status,
            fields: fields.iter().map(owned).collect(),
            length,
        });
        self.tell(id, Command::Begin { id, head });
        if let Some(mirror) = self.mirror_mut(id) {
            mirror.standing = Standing::Answering { left };
        }
        Ok(true)
    }

    /// Counts a piece of an answer off what was announced. False when no answer has begun, or the connection is gone.
    fn owe_less(&mut self, id: ConnectionId, bytes: u64) -> Result<bool, Misuse> {
        let Some(mirror) = self.mirror_mut(id) else {
            return Ok(false);
        };
        let Standing::Answering { left } = &mut mirror.standing else {
            return Ok(false);
        };
        if let Some(left) = left {
            let off = bytes.saturating_sub(*left);
            *left = left.checked_sub(bytes).ok_or(Misuse::BadLength { off })?;
        }
        Ok(true)
    }

    /// As [`Worker::write`].
    pub(crate) fn write(&mut self, id: ConnectionId, piece: &[u8]) -> Result<Sent, Misuse> {
        if !self.owe_less(id, piece.len() as u64)? {
            return Ok(Sent::Closed);
        }
        let sent = self.grant(id, piece, |id, piece| Command::Write { id, piece });
        if sent == Sent::Dropped
            && let Some(mirror) = self.mirror_mut(id)
            && let Standing::Answering { left: Some(left) } = &mut mirror.standing
        {
            *left += piece.len() as u64;
        }
        Ok(sent)
    }

    /// As [`Worker::write_file`].
    pub(crate) fn write_file(&mut self, id: ConnectionId, part: FilePart) -> Result<Sent, Misuse> {
        if !self.owe_less(id, part.length)? {
            return Ok(Sent::Closed);
        }
        let part = Box::new(part);
        self.tell(id, Command::WriteFile { id, part });
        self.tell(id, Command::TellDrained { id });
        if let Some(mirror) = self.mirror_mut(id) {
            mirror.is_congested = true;
        }
        Ok(Sent::Backpressure)
    }

    /// As [`Worker::finish`].
    pub(crate) fn finish(&mut self, id: ConnectionId) -> Result<bool, Misuse> {
        match self.mirror(id).map(|mirror| mirror.standing) {
            Some(Standing::Answering {
                left: Some(off @ 1..),
            }) => {
                self.cut(id);
                Err(Misuse::BadLength { off })
            }
            Some(Standing::Answering { .. }) => {
                self.forget(id);
                self.tell(id, Command::Finish { id });
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// As [`Worker::cut`].
    pub(crate) fn cut(&mut self, id: ConnectionId) {
        self.forget(id);
        self.tell(id, Command::Cut { id });
    }

    fn is_deciding(&self, id: ConnectionId) -> bool {
        self.mirror(id)
            .is_some_and(|mirror| mirror.standing == Standing::Deciding)
    }

    /// It has ended, or its request has been answered and the next one introduces it again.
    fn forget(&mut self, id: ConnectionId) {
        if let Some(remote) = self.remote_mut(id) {
            remote.mirrors.remove(id);
        }
    }

    /// As [`Worker::close`].
    pub(crate) fn close(
        &mut self,
        id: ConnectionId,
        code: u16,
        reason: &str,
    ) -> Result<(), Misuse> {
        let Some(remote) = self.remote_mut(id) else {
            return Ok(());
        };
        let Some(mirror) = remote.mirrors.get_mut(id).filter(|mirror| mirror.is_open()) else {
            return Ok(());
        };
        hubbub_protocol::close::encode(Some(code), reason)?;
        mirror.standing = Standing::Closing;
        let reason = reason.into();
        remote.tell(Command::Close { id, code, reason }, 1);
        Ok(())
    }

    /// As [`Worker::close_slow`].
    pub(crate) fn close_slow(&mut self, id: ConnectionId) {
        self.tell(id, Command::CloseSlow { id });
    }

    /// As [`Worker::ping`].
    pub(crate) fn ping(&mut self, id: ConnectionId) {
        self.tell(id, Command::Ping { id });
    }

    /// As [`Worker::pause`].
    pub(crate) fn pause(&mut self, id: ConnectionId) {
        self.tell(id, Command::Pause { id });
    }

    /// As [`Worker::resume`].
    pub(crate) fn resume(&mut self, id: ConnectionId) {
        self.tell(id, Command::Resume { id });
    }

    /// As [`Worker::set_app_held`].
    pub(crate) fn set_app_held(&mut self, id: ConnectionId, bytes: usize) {
        self.tell(id, Command::AppHeld { id, bytes });
    }

    pub(crate) fn peer(&self, id: ConnectionId) -> Option<Peer> {
        self.mirror(id).map(|mirror| mirror.caller.peer)
    }

    /// Whether as much is on its way to one of its connections as may be if the limit, which is only tried, were enforced.
    pub(crate) fn is_over_tried(&self, id: ConnectionId) -> bool {
        let mirror = self.remote(id).and_then(|remote| remote.mirrors.get(id));
        mirror.is_some_and(|it| it.buffered_bytes() >= it.outbox_limit_bytes / TRIED_TIMES as u64)
    }

    pub(crate) fn caller(&self, id: ConnectionId) -> Option<Caller> {
        self.mirror(id).map(|mirror| mirror.caller)
    }

    pub(crate) fn rtt(&self, id: ConnectionId) -> Option<Duration> {
        let us = self.mirror(id)?.gauge.rtt_us();
        (us > 0).then(|| Duration::from_micros(us.into()))
    }

    pub(crate) fn is_open(&self, id: ConnectionId) -> bool {
        self.mirror(id).is_some_and(Mirror::is_open)
    }

    pub(crate) fn is_congested(&self, id: ConnectionId) -> bool {
        self.mirror(id)
            .is_some_and(|mirror| mirror.is_congested && mirror.takes_bytes())
    }

    /// Bytes on their way to the outbox, and in it.
    pub(crate) fn buffered(&self, id: ConnectionId) -> usize {
        self.mirror(id)
            .map_or(0, |mirror| mirror.buffered_bytes() as usize)
    }

    /// The first thread accepts, and hands connections on.
    pub(crate) fn listen(&mut self, listener: Listener) {
        for remote in &self.remotes {
            remote.shared.listens_again();
        }
        self.remotes[0].tell(Command::Listen(listener), 1);
    }

    /// Waits until nobody can connect any more: whoever looks afterwards finds the port closed.
    pub(crate) fn stop_listening(&mut self, accept_waiting: bool) {
        self.tell_all(|| Command::StopListening { accept_waiting });
        let first = &self.remotes[0].shared;
        wait_until(|| first.is_over() || first.has_stopped_listening());
    }

    /// As [`Worker::begin_drain`].
    pub(crate) fn begin_drain(&mut self, farewell: Farewell) {
        self.tell_all(|| Command::Drain(farewell));
    }

    /// The WebSockets that are open.
    pub(crate) fn accepted_ids(&self) -> impl Iterator<Item = ConnectionId> {
        let mirrors = self.remotes.iter().flat_map(|remote| remote.mirrors.iter());
        mirrors
            .filter(|mirror| mirror.is_open())
            .map(|mirror| mirror.id)
    }

    /// As [`Worker::drop_accepted`].
    pub(crate) fn drop_accepted(&mut self) {
        self.tell_all(|| Command::DropAll);
    }

    /// Ends all threads, and with them every connection and listener.
    pub(crate) fn stop(&mut self) {
        self.tell_all(|| Command::Stop);
        for remote in &mut self.remotes {
            if let Some(handle) = remote.handle.take() {
                // A thread's panic has been caught, and is told by `take_failure`.
                let _ = handle.join();
            }
            remote.mirrors.clear();
            remote.topics = Topics::new();
            // What was handed to it after its last turn: sockets among it.
            remote.shared.commands.exchange(&mut Default::default());
        }
        self.arrived.clear();
        self.current = None;
    }

    /// Connections in any phase; one that has ended counts until the application has been told.
    pub(crate) fn connection_count(&self) -> usize {
        let known = self.remotes.iter().map(|remote| {
            if remote.shared.is_over() {
                // Nobody will tell of their ends any more.
                return 0;
            }
            // In this order: a thread tells of an end before it counts it.
            let count = remote.shared.connection_count();
            count.max(remote.mirrors.count())
        });
        let known: usize = known.sum();
        known.max(usize::from(self.has_events()))
    }

    /// As [`Worker::is_tls`].
    pub(crate) fn is_tls(&self, id: ConnectionId) -> bool {
        self.mirror(id).is_some_and(|mirror| mirror.tls.is_some())
    }

    /// As [`Worker::tls`].
    pub(crate) fn tls(&self, id: ConnectionId) -> Option<TlsFacts> {
        self.mirror(id)?.tls.as_deref().cloned()
    }

    /// How many connections each thread has.
    pub(crate) fn connection_counts(&self) -> Vec<usize> {
        self.remotes
            .iter()
            .map(|remote| remote.shared.connection_count())
            .collect()
    }

    /// Adds what the threads had counted at the end of their last turns.
    pub(crate) fn add_stats(&self, stats: &mut Stats) {
        for remote in &self.remotes {
            stats.add(&remote.shared.counts().stats);
        }
        stats.dropped += self.dropped;
    }

    /// Every connection known here, with what waits to be sent to it.
    pub(crate) fn buffered_by_id(&self) -> impl Iterator<Item = (ConnectionId, usize)> {
        let mirrors = self.remotes.iter().flat_map(|remote| remote.mirrors.iter());
        mirrors.map(|mirror| (mirror.id, mirror.buffered_bytes() as usize))
    }

    /// What each thread has counted by kind.
    pub(crate) fn tallies(&self) -> impl Iterator<Item = &Tally> {
        self.remotes.iter().map(|remote| &*remote.tally)
    }

    pub(crate) fn pressure(&self) -> u8 {
        let levels = self
            .remotes
            .iter()
            .map(|remote| remote.shared.counts().pressure);
        levels.max().unwrap_or(0)
    }

    pub(crate) fn held_bytes(&self) -> usize {
        self.remotes
            .iter()
            .map(|remote| remote.shared.counts().held_bytes)
            .sum()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A thread's life. However it ends, the application's side learns of it.
fn live(mut thread: Thread, shared: &Shared) {
    prefer_short_slices();
    let failure = match catch_unwind(AssertUnwindSafe(|| thread.run())) {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(panic) => {
            let text = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned());
            Some(format!("panicked: {}", text.unwrap_or_default()))
        }
    };
    // Its sockets are closed before anybody learns that it is over.
    drop(thread);
    shared.end(failure);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_dies_is_told_once_and_hangs_nobody() {
        let threads = Threads {
            count: 2,
            ..Threads::default()
        };
        let mut local = Worker::new(0, Settings::default()).expect("a worker");
        let mut pool = Pool::start(threads, Settings::default(), &local).expect("threads");
        pool.remotes[1].tell(Command::Panic, 1);
        let failure = loop {
            let (mut ready, _) = local.begin_wait(None);
            pool.arm();
            ready.wait(local.epoll(), None).expect("a wait");
            local.end_wait(ready);
            pool.take();
            if let Some(failure) = pool.take_failure() {
                break failure;
            }
        };
        assert_eq!(failure, "thread 2: panicked: as the test wants it");
        assert_eq!(pool.take_failure(), None);
        // Whoever goes on meanwhile waits for nothing.
        pool.remotes[1].tell(Command::Drain(Farewell::Brisk), 2 * BACKLOG);
        assert_eq!(pool.connection_count(), 0);
    }
}
