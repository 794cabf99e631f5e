//! Threads that serve while the application runs in another one: each a worker of its own, joined by mailboxes.
//!
//! The application's side never waits for a thread, but where it is faster than the threads can write (see [`Remote::pace`]),
//! and the threads never wait for the application. **Order:** everything about one connection happens in the order the
//! application commanded it, and every subscriber hears publications in the order they were published: each thread has one
//! mailbox, and its commands are carried out one by one. Between connections in different threads there is no order.
//!
//! **How much can be queued for one peer:** `outbox_limit_bytes`, and beyond it at most 64 KiB and one message: so much may
//! be granted before the gauge is looked at again. A message that was said to be queued is never dropped afterwards.

mod answer;
mod command;
mod facts;
mod mailbox;
mod mirror;
mod publish;
mod remote;
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

use hubbub_hub::Topics;
use hubbub_protocol::endpoint::Kind;
use hubbub_protocol::error::Misuse;

use self::command::{Batch, Command, Mail, Payload};
use self::mailbox::Bell;
use self::mirror::{Mirror, Mirrors, Standing};
use self::remote::{Remote, wait_until};
use self::thread::{EventFd, Shared, Spread, Thread};
use crate::door::Door;
use crate::event::{ClosedBy, Event, Place, Raw};
use crate::id::ConnectionId;
use crate::listener::Listener;
use crate::settings::{Settings, Threads};
use crate::slices::prefer_short_slices;
use crate::worker::{Farewell, Inbox, Sent, Worker};

/// Most threads there can be: a connection's id has six bits for its worker, and the application's own is number 0.
pub(crate) const THREADS_MAX: usize = 63;
/// So many bytes weigh as much as one delivery.
const BYTES_PER_DELIVERY: usize = 4 << 10;

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
            remote.put(weight, |commands| {
                let payload = commands.keep(kept);
                commands.list.push(command(id, payload));
            });
        }
        if congests {
            self.tell(id, Command::TellDrained { id });
        }
        sent
    }

    /// It has ended, or its request has been answered and the next one introduces it again.
    fn forget(&mut self, id: ConnectionId) {
        if let Some(remote) = self.remote_mut(id) {
            remote.mirrors.remove(id);
        }
    }

    /// As [`Worker::close_by`].
    pub(crate) fn close_by(
        &mut self,
        id: ConnectionId,
        by: ClosedBy,
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
        let close = Command::Close {
            id,
            by,
            code,
            reason: reason.into(),
        };
        remote.tell(close, 1);
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
    use super::remote::BACKLOG;
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
