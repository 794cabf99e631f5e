//! One thread: a worker, what it is told to do, and what it tells.
//!
//! Never waits for the application: not for room, not for an answer. What it may read ahead for each connection is bounded
//! instead, and receipts (`Command::Taken`) give the room back.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hubbub_hub::Topic;
use hubbub_protocol::http::Response;
use rustix::event::{EventfdFlags, eventfd};

use super::command::{Batch, Command, Commands, Due, Mail};
use super::mailbox::{Bell, Mailbox, Ring};
use crate::connection::Arrival;
use crate::event::{Place, Raw};
use crate::id::ConnectionId;
use crate::settings::Threads;
use crate::stats::Stats;
use crate::worker::{Host, Inbox, Worker};

/// Published bytes after which connections are flushed, though more commands wait: outboxes must not fill for that reason alone.
const FLUSH_BYTES: usize = 64 << 10;
/// What a connection may have with the application before it is charged for it, in bytes.
const UNCHARGED_BYTES: usize = 16 << 10;
/// What a message takes besides its payload until the application has taken it, roughly: its event, an object, its place in a queue.
const MESSAGE_OVERHEAD_BYTES: usize = 100;
/// So many messages may wait for the application before those who have sent most of them are read no further: whoever sends one
/// waits behind all of them.
const CROWD: usize = 512;
/// What each connection may have among them even then.
const CROWD_SHARE: usize = 4;
/// How often ringing is tried.
const RINGS: usize = 8;
/// How many used batches a thread keeps for the next ones.
const SPARE_BATCHES: usize = 4;

/// An eventfd(2), watched edge-triggered: nobody needs to read it.
pub(crate) struct EventFd(OwnedFd);

impl EventFd {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(eventfd(
            0,
            EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC,
        )?))
    }
}

impl AsFd for EventFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Ring for EventFd {
    fn ring(&self) {
        // A ring that is lost would leave somebody asleep with work to do: whatever fails once is tried again.
        let mut tries = 0..RINGS;
        while tries.next().is_some() && rustix::io::write(&self.0, &1u64.to_ne_bytes()).is_err() {}
    }
}

/// What a thread and the application's side have in common.
pub(crate) struct Shared {
    pub(crate) commands: Mailbox<Commands, EventFd>,
    pub(crate) events: Mailbox<VecDeque<Box<Batch>>, EventFd>,
    /// Connections given to this thread. Only the accepting thread adds.
    pub(crate) placed: AtomicU64,
    /// Of these, those that are gone. Only this thread writes.
    gone: AtomicU64,
    counts: Mutex<Counts>,
    has_stopped_listening: AtomicBool,
    awaits_receipts: AtomicBool,
    is_over: AtomicBool,
    failure: Mutex<Option<String>>,
}

/// What a thread has counted, as of its last turn.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) stats: Stats,
    pub(crate) held_bytes: usize,
    pub(crate) pressure: u8,
}

impl Shared {
    pub(crate) fn new(loop_bell: &Arc<Bell<EventFd>>) -> io::Result<Self> {
        Ok(Self {
            commands: Mailbox::new(Arc::new(Bell::new(EventFd::new()?))),
            events: Mailbox::new(Arc::clone(loop_bell)),
            placed: AtomicU64::new(0),
            gone: AtomicU64::new(0),
            counts: Mutex::default(),
            has_stopped_listening: AtomicBool::new(false),
            awaits_receipts: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            failure: Mutex::default(),
        })
    }

    /// Connections in this thread, those on their way to it included.
    pub(crate) fn connection_count(&self) -> usize {
        let gone = self.gone.load(Ordering::Acquire);
        self.placed.load(Ordering::Acquire).saturating_sub(gone) as usize
    }

    pub(crate) fn counts(&self) -> Counts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this thread has closed its listeners.
    pub(crate) fn has_stopped_listening(&self) -> bool {
        self.has_stopped_listening.load(Ordering::Acquire)
    }

    /// Whether a connection can only go on, or end, when batches have come back.
    pub(crate) fn awaits_receipts(&self) -> bool {
        self.awaits_receipts.load(Ordering::Acquire)
    }

    /// Connections may be handed to this thread again.
    pub(crate) fn listens_again(&self) {
        self.has_stopped_listening.store(false, Ordering::Release);
    }

    /// Whether the thread has ended, in whatever way: nothing put into its mailbox will be taken.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Why it ended, if it should not have. Told once.
    pub(crate) fn take_failure(&self) -> Option<String> {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// The last words of a thread.
    pub(crate) fn end(&self, failure: Option<String>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
        self.gone
            .store(self.placed.load(Ordering::Acquire), Ordering::Release);
        self.is_over.store(true, Ordering::Release);
        self.events.bell().ring();
    }
}

/// What a connection has with the application, and why it does not read.
#[derive(Default)]
struct Account {
    id: Option<ConnectionId>,
    /// Messages and bytes handed over and not yet taken.
    messages: usize,
    bytes: usize,
    /// Bytes in the application's own queue.
    app_bytes: usize,
    /// Reading has stopped until receipts come.
    waits: bool,
    /// Reading has stopped until the application says so.
    paused: bool,
}

/// See the module.
pub(crate) struct Thread {
    worker: Worker,
    inbox: Inbox,
    shared: Arc<Shared>,
    limits: Threads,
    commands: Commands,
    batch: Box<Batch>,
    // They travel in boxes.
    #[allow(clippy::vec_box)]
    spare: Vec<Box<Batch>>,
    /// Batches handed over so far, those that have come back, and up to which one they are awaited.
    handed_over: u64,
    came_back: u64,
    awaited: u64,
    /// By slot.
    accounts: Vec<Account>,
    /// Messages of all connections that were handed over and not yet taken.
    underway: usize,
    /// In this turn there was something to obey.
    was_told: bool,
}

impl Thread {
    pub(crate) fn new(worker: Worker, shared: Arc<Shared>, limits: Threads) -> io::Result<Self> {
        worker.watch_bell(shared.commands.bell().ringer())?;
        Ok(Self {
            worker,
            inbox: Inbox::default(),
            shared,
            limits,
            commands: Commands::default(),
            batch: Box::default(),
            spare: Vec::new(),
            handed_over: 0,
            came_back: 0,
            awaited: 0,
            accounts: Vec::new(),
            underway: 0,
            was_told: false,
        })
    }

    /// Serves until it is told to stop.
    ///
    /// # Errors
    /// What epoll may fail with; nothing that a peer does.
    pub(crate) fn run(&mut self) -> io::Result<()> {
        loop {
            let (mut ready, timeout) = self.worker.begin_wait(None);
            self.give_way();
            self.shared.commands.bell().arm();
            let is_told = self.shared.commands.look(|told| !told.list.is_empty());
            let timeout = if is_told {
                Some(Duration::ZERO)
            } else {
                timeout
            };
            ready.wait(self.worker.epoll(), timeout)?;
            self.shared.commands.bell().disarm();
            self.worker.end_wait(ready);
            if !self.obey()? {
                return Ok(());
            }
            while let Some(raw) = self.worker.step(&mut self.inbox) {
                self.tell(raw);
            }
            self.hand_over();
            if self.worker.has_concluded() {
                self.await_receipts(self.handed_over);
            }
            self.count();
        }
    }

    /// Lets the application finish where both share a processor. Who is woken there interrupts who wakes them: the thread would do
    /// what little it was told and fall asleep, and the next word would wake it again, thousands of times a second. Where nobody
    /// else wants the processor nothing happens.
    fn give_way(&mut self) {
        if std::mem::take(&mut self.was_told) && self.shared.events.bell().is_busy() {
            std::thread::yield_now();
        }
    }

    /// Carries out what was commanded; false when that was to stop.
    fn obey(&mut self) -> io::Result<bool> {
        let mut commands = std::mem::take(&mut self.commands);
        self.shared.commands.exchange(&mut commands);
        self.was_told = !commands.list.is_empty();
        let mut published_bytes = 0;
        for command in commands.list.drain(..) {
            match command {
                Command::Send { id, kind, payload } => {
                    let payload = bytes(&payload, &commands.bytes);
                    self.worker.send_granted(id, kind, payload);
                }
                Command::Publish {
                    space,
                    topic,
                    message,
                    how,
                } => {
                    let topic = Topic {
                        space,
                        name: &topic,
                    };
                    published_bytes += message.payload().len();
                    self.worker.publish_shared(topic, message, how);
                    if published_bytes >= FLUSH_BYTES {
                        published_bytes = 0;
                        self.worker.flush();
                    }
                }
                Command::Write { id, piece } => {
                    let piece = bytes(&piece, &commands.bytes);
                    self.worker.write_granted(id, piece);
                }
                Command::Upgrade { id, answer, terms } => {
                    let answer = bytes(&answer, &commands.bytes);
                    self.worker.upgrade(id, answer, &terms);
                }
                Command::Listen(listener) => self.worker.listen(listener)?,
                Command::Stop => return Ok(false),
                #[cfg(test)]
                Command::Panic => panic!("as the test wants it"),
                other => self.obey_one(other),
            }
        }
        commands.clear();
        self.commands = commands;
        Ok(true)
    }

    fn obey_one(&mut self, command: Command) {
        let worker = &mut self.worker;
        match command {
            Command::Subscribe { id, space, topic } => {
                if worker.is_open(id) {
                    let topic = Topic {
                        space,
                        name: &topic,
                    };
                    worker.topics_mut().subscribe(id, topic);
                }
            }
            Command::Unsubscribe { id, space, topic } => {
                let topic = Topic {
                    space,
                    name: &topic,
                };
                worker.topics_mut().unsubscribe(id, topic);
            }
            Command::SetPolicy {
                space,
                pattern,
                policy,
            } => {
                let pattern = Topic {
                    space,
                    name: &pattern,
                };
                worker.topics_mut().set_policy(pattern, policy);
            }
            Command::RefuseWith { id, fields } => worker.refuse_with(id, fields),
            Command::Collect { id, limit_bytes } => worker.collect(id, limit_bytes),
            Command::Stream { id, limit_bytes } => worker.stream(id, limit_bytes),
            Command::Proceed { id } => worker.proceed(id),
            Command::Begin { id, head } => {
                let begun = worker.begin(id, head.status, &borrowed(&head.fields), head.length);
                debug_assert!(begun.is_ok(), "looked at before it was commanded");
            }
            Command::WriteFile { id, part } => {
                let written = worker.write_file(id, *part);
                debug_assert!(written.is_ok(), "looked at before it was commanded");
            }
            Command::Finish { id } => {
                let finished = worker.finish(id);
                debug_assert!(finished.is_ok(), "looked at before it was commanded");
                self.is_answered(id);
            }
            Command::Cut { id } => worker.cut(id),
            Command::Respond { id, response } => {
                let fields = borrowed(&response.fields);
                let sent = worker.respond(
                    id,
                    &Response {
                        status: response.status,
                        fields: &fields,
                        body: &response.body,
                    },
                );
                debug_assert!(sent.is_ok(), "looked at before it was commanded");
                self.is_answered(id);
            }
            Command::Refuse { id, refusal } => worker.refuse(id, &refusal),
            Command::Close {
                id,
                by,
                code,
                reason,
            } => {
                let closed = worker.close_by(id, by, code, &reason);
                debug_assert!(closed.is_ok(), "looked at before it was commanded");
            }
            Command::CloseSlow { id } => worker.close_slow(id),
            Command::Ping { id } => worker.ping(id),
            Command::Pause { id } => {
                worker.pause(id);
                self.set_paused(id, true);
            }
            Command::Resume { id } => {
                self.set_paused(id, false);
                self.read_on(id);
            }
            Command::AppHeld { id, bytes } => {
                if let Some(account) = self.account(id) {
                    account.app_bytes = bytes;
                    self.charge(id);
                }
            }
            Command::TellDrained { id } => worker.tell_drained(id),
            Command::Taken(batch) => self.settle(batch),
            Command::Adopt(arrival) => worker.adopt(arrival, &mut self.inbox),
            Command::StopListening { accept_waiting } => {
                worker.stop_listening(None, accept_waiting);
                let stopped = &self.shared.has_stopped_listening;
                stopped.store(true, Ordering::Release);
            }
            Command::Drain(farewell) => worker.begin_drain(farewell),
            Command::DropAll => worker.drop_accepted(),
            _ => unreachable!("carried out by the caller"),
        }
    }

    /// Puts an event into the batch.
    #[inline]
    fn tell(&mut self, raw: Raw) {
        match &raw {
            Raw::Message { id, payload, .. }
            | Raw::Body {
                id,
                content: payload,
                ..
            } => {
                let bytes = match payload {
                    Place::Range(start, end) => end - start,
                    Place::Owned(bytes) => bytes.len(),
                };
                self.owe(*id, bytes);
            }
            Raw::Request { id, .. } => {
                if let Some(acquaintance) = self.worker.introduce(*id) {
                    self.batch.mail.push_back(Mail::Opened(acquaintance));
                }
            }
            _ => {}
        }
        self.batch.add(raw, self.inbox.bytes());
        if self.batch.is_full() {
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        if self.batch.mail.is_empty() {
            return;
        }
        self.handed_over += 1;
        let next = self.spare.pop().unwrap_or_default();
        let batch = std::mem::replace(&mut self.batch, next);
        self.shared.events.put(|queue| queue.push_back(batch));
    }

    /// From now on the return of batches up to this one is worth a wake-up.
    fn await_receipts(&mut self, last: u64) {
        self.awaited = last;
        if self.came_back < last {
            self.shared.awaits_receipts.store(true, Ordering::Release);
        }
    }

    /// A message is about to be handed over: enters it, and stops reading where too much has not been taken.
    #[inline]
    fn owe(&mut self, id: ConnectionId, bytes: usize) {
        let limits = self.limits;
        let bytes = bytes + MESSAGE_OVERHEAD_BYTES;
        self.underway += 1;
        match self.batch.dues.last_mut() {
            Some(due) if due.id == id => {
                due.messages += 1;
                due.bytes += bytes;
            }
            _ => self.batch.dues.push(Due {
                id,
                messages: 1,
                bytes,
            }),
        }
        let is_crowded = self.underway > CROWD;
        let Some(account) = self.account(id) else {
            return;
        };
        account.messages += 1;
        account.bytes += bytes;
        let is_over = account.messages >= limits.queue_limit
            || account.bytes >= limits.queue_limit_bytes
            || is_crowded && account.messages > CROWD_SHARE;
        let begins_to_wait = is_over && !account.waits;
        account.waits |= is_over;
        let is_charged = account.bytes >= UNCHARGED_BYTES;
        let is_first = account.messages == 1;
        if is_over {
            self.await_receipts(self.handed_over + 1);
        }
        if is_first {
            self.worker.set_untaken(id, true);
        }
        if begins_to_wait {
            self.worker.pause(id);
        }
        if is_charged {
            self.charge(id);
        }
    }

    /// A batch has come back: what was in it has been taken.
    fn settle(&mut self, mut batch: Box<Batch>) {
        for due in &batch.dues {
            let limits = self.limits;
            self.underway = self.underway.saturating_sub(due.messages);
            let is_crowded = self.underway > CROWD;
            let Some(account) = self.account(due.id) else {
                continue;
            };
            let was_charged = account.bytes >= UNCHARGED_BYTES;
            account.messages = account.messages.saturating_sub(due.messages);
            account.bytes = account.bytes.saturating_sub(due.bytes);
            let has_room = account.messages <= limits.queue_limit / 2
                && account.bytes <= limits.queue_limit_bytes / 2
                && (!is_crowded || account.messages <= CROWD_SHARE / 2);
            let is_settled = account.messages == 0;
            let goes_on = account.waits && has_room;
            account.waits &= !has_room;
            if is_settled {
                self.worker.set_untaken(due.id, false);
            }
            if goes_on {
                self.read_on(due.id);
            }
            if was_charged {
                self.charge(due.id);
            }
        }
        self.came_back += 1;
        if self.came_back >= self.awaited {
            self.shared.awaits_receipts.store(false, Ordering::Release);
        }
        batch.clear();
        if self.spare.len() < SPARE_BATCHES {
            self.spare.push(batch);
        }
    }

    /// Reads again if nothing stands against it any more.
    fn read_on(&mut self, id: ConnectionId) {
        let account = self.account(id);
        if account.is_some_and(|account| !account.waits && !account.paused) {
            self.worker.resume(id);
        }
    }

    fn set_paused(&mut self, id: ConnectionId, is_paused: bool) {
        if let Some(account) = self.account(id) {
            account.paused = is_paused;
        }
    }

    /// The next request is not read more slowly, nor charged, for what was left of this one's body.
    fn is_answered(&mut self, id: ConnectionId) {
        if let Some(account) = self.account(id) {
            account.paused = false;
            account.app_bytes = 0;
            self.charge(id);
        }
    }

    fn charge(&mut self, id: ConnectionId) {
        if let Some(account) = self.account(id) {
            let bytes = account.bytes + account.app_bytes;
            self.worker.set_app_held(id, bytes);
        }
    }

    /// The account of a connection; the one before it in its slot is forgotten. There is none for who has left: what is still
    /// said of them must not reach who has their slot now.
    #[inline]
    fn account(&mut self, id: ConnectionId) -> Option<&mut Account> {
        let slot = id.slot();
        if slot >= self.accounts.len() {
            self.accounts.resize_with(slot + 1, Account::default);
        }
        let account = &mut self.accounts[slot];
        if account.id != Some(id) {
            if !self.worker.knows(id) {
                return None;
            }
            *account = Account {
                id: Some(id),
                ..Account::default()
            };
        }
        Some(account)
    }

    fn count(&self) {
        let stats = self.worker.stats();
        *self
            .shared
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Counts {
            stats,
            held_bytes: self.worker.held_bytes(),
            pressure: self.worker.pressure(),
        };
        self.shared.gone.store(stats.closed, Ordering::Release);
    }
}

fn borrowed(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    let borrowed = fields.iter();
    borrowed
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

#[inline]
fn bytes<'a>(place: &'a Place, buffer: &'a [u8]) -> &'a [u8] {
    match place {
        Place::Range(start, end) => &buffer[*start..*end],
        Place::Owned(bytes) => bytes,
    }
}

/// Gives accepted connections to the thread that has the fewest, the accepting one included.
pub(crate) struct Spread {
    threads: Vec<Arc<Shared>>,
    /// Where the search begins, so that equals take turns.
    turn: usize,
    /// Who is on the way to each thread.
    chosen: Vec<Vec<Arrival>>,
}

impl Spread {
    pub(crate) fn new(threads: Vec<Arc<Shared>>) -> Self {
        let chosen = threads.iter().map(|_| Vec::new()).collect();
        Self {
            threads,
            turn: 0,
            chosen,
        }
    }
}

impl Host for Spread {
    fn connection_count(&self) -> usize {
        self.threads
            .iter()
            .map(|thread| thread.connection_count())
            .sum()
    }

    fn place(&mut self, arrival: Arrival) -> Option<Arrival> {
        let count = self.threads.len();
        let chosen = (0..count)
            .map(|step| (self.turn + step) % count)
            .min_by_key(|&index| self.threads[index].connection_count())?;
        self.turn = (chosen + 1) % count;
        let thread = &self.threads[chosen];
        thread.placed.fetch_add(1, Ordering::Release);
        if chosen == 0 {
            return Some(arrival);
        }
        self.chosen[chosen].push(arrival);
        None
    }

    fn deliver(&mut self) {
        for (thread, chosen) in self.threads.iter().zip(&mut self.chosen) {
            if !chosen.is_empty() {
                let adopt = chosen.drain(..).map(Command::Adopt);
                thread.commands.put(|commands| commands.list.extend(adopt));
            }
        }
    }

    fn keep(&mut self) {
        self.threads[0].placed.fetch_add(1, Ordering::Release);
    }
}
