//! One message for many: encoded once, compressed once for each window, shared by reference.

use std::sync::{Arc, OnceLock};

use hubbub_hub::{Policy, Topic};
use hubbub_protocol::deflate::Codec;
use hubbub_protocol::endpoint::{Kind, encode_message};

use super::Worker;
use super::client::Masks;
use super::rounds::Rounds;
use super::sealed::Sealing;
use crate::connection::{Connection, Peer, Phase};
use crate::id::ConnectionId;
use crate::limits::Limit;
use crate::outbox::{Keep, Pool};
use crate::slab::Slab;
use crate::stats::Stats;

/// The close code for a peer that reads too slowly; it may come back.
const TOO_SLOW: u16 = 4001;

/// How a message is published.
#[derive(Clone, Copy, Debug, Default)]
pub struct Publication {
    /// A subscriber that shall not hear it: usually its author.
    pub exclude: Option<ConnectionId>,
    /// Under the policy "conflate": which waiting message this one replaces.
    pub key: Option<u64>,
}

impl Publication {
    fn keep(&self, policy: Policy) -> Keep {
        match (policy, self.key) {
            (Policy::Conflate, Some(key)) => Keep::Key(key),
            _ => Keep::Droppable,
        }
    }
}

/// So many subscribers hear a message at once; more of them in rounds.
const AT_ONCE: usize = 64;

/// How many window sizes there are to compress for: 8 to 15 bits.
const GROUPS: usize = 16;

/// One message for many, perhaps in several threads: encoded once, compressed by whichever thread needs it first.
pub(crate) struct SharedMessage {
    kind: Kind,
    plain: Arc<[u8]>,
    /// Where the payload begins in the plain frame.
    payload_at: usize,
    compressed: [OnceLock<Option<Arc<[u8]>>>; GROUPS],
}

impl SharedMessage {
    pub(crate) fn new(kind: Kind, payload: &[u8]) -> Self {
        let plain: Arc<[u8]> = Arc::from(encode_message(kind, false, payload));
        Self {
            kind,
            payload_at: plain.len() - payload.len(),
            plain,
            compressed: Default::default(),
        }
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.plain[self.payload_at..]
    }

    /// The frame for peers without compression.
    #[inline]
    pub(super) fn plain(&self) -> &[u8] {
        &self.plain
    }

    /// For peers that agreed on this window; the plain frame where compression does not pay.
    fn compressed(&self, group: u8, codec: &mut Codec) -> &Arc<[u8]> {
        let make = || compress(self.kind, self.payload(), group, codec);
        let frame = match self.compressed.get(usize::from(group)) {
            Some(place) => place.get_or_init(make).as_ref(),
            None => None,
        };
        frame.unwrap_or(&self.plain)
    }
}

/// The frame for one window size; `None` where compression does not pay.
fn compress(kind: Kind, payload: &[u8], group: u8, codec: &mut Codec) -> Option<Arc<[u8]>> {
    let mut bytes = Vec::new();
    codec
        .compress_for_group(group, payload, &mut bytes)
        .then(|| Arc::from(encode_message(kind, true, &bytes)))
}

/// What became of a message at one subscriber.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// It is not open, or the message was dropped.
    Not,
    Yes,
    /// It is full, and the topic's policy is to close it.
    Slow,
}

/// What is needed to hand messages to subscribers, and what that has led to.
pub(super) struct Delivery<'a> {
    connections: &'a mut Slab<Connection>,
    pool: &'a mut Pool,
    sealing: &'a mut Sealing,
    codec: &'a mut Codec,
    masks: &'a mut Masks,
    stats: &'a mut Stats,
    tries_outbox: bool,
    /// By how much more is held.
    held: isize,
    /// A socket was found to take no more.
    has_blocked: bool,
    /// How many found no room, or would have found none, and who was the last of them.
    full: (u64, Option<Peer>),
    tried: (u64, Option<Peer>),
}

impl Delivery<'_> {
    /// Puts a message into one subscriber's outbox, if it is open and the policy finds room there.
    #[inline]
    pub(super) fn deliver(
        &mut self,
        id: ConnectionId,
        message: &SharedMessage,
        policy: Policy,
        keep: Keep,
    ) -> Heard {
        let Some(connection) = self.connections.get_mut(id) else {
            return Heard::Not;
        };
        if !connection.is_open() {
            return Heard::Not;
        }
        let mask = self.masks.of(connection);
        let is_client = connection.flags.is_client;
        let Phase::Open(endpoint) = &mut connection.phase else {
            return Heard::Not;
        };
        let deflate = endpoint
            .deflate()
            .filter(|deflate| message.payload().len() >= deflate.minimum_bytes());
        // What is compressed into a window of its own has to arrive, or all that follows is read wrongly.
        let may_be_dropped = policy != Policy::Close;
        let group = match is_client {
            true => Some(None),
            false => deflate
                .map(|deflate| deflate.group())
                .filter(|group| group.is_some() || !may_be_dropped),
        };
        let own: Arc<[u8]>;
        let frame = match group {
            None => &message.plain,
            Some(Some(group)) => message.compressed(group, self.codec),
            // A window or a mask of its own: nobody else can read what this peer gets.
            Some(None) => {
                let mut bytes = Vec::new();
                let (kind, payload) = (message.kind, message.payload());
                let sent = match may_be_dropped {
                    true => endpoint.send_plain(kind, payload, mask, &mut bytes),
                    false => endpoint.send(kind, payload, mask, self.codec, &mut bytes),
                };
                if sent.is_err() {
                    return Heard::Not;
                }
                own = Arc::from(bytes);
                &own
            }
        };
        let is_full =
            connection.is_full_for(frame.len()) || self.tries_outbox && connection.is_over_tried();
        if is_full && !connection.flags.blocked {
            // What is full only because this batch has not been sent yet is not slow.
            if let Ok(flushed) = connection.write(self.pool, self.sealing, &[]) {
                self.stats.bytes_out += flushed.bytes as u64;
                connection.flags.blocked = flushed.blocked;
                self.has_blocked |= flushed.blocked;
            }
        }
        let blocked = connection.flags.blocked;
        if let Keep::Key(key) = keep
            && connection.outbox.replace(key, frame)
        {
            self.stats.conflated += 1;
            self.stats.messages_out += 1;
            connection.meter.said();
            return Heard::Yes;
        }
        if connection.is_full_for(frame.len()) {
            self.full = (self.full.0 + 1, Some(connection.client()));
            let sealed = connection.waiting_bytes() - connection.outbox.len();
            let limit = (connection.outbox_limit_bytes as usize).saturating_sub(sealed);
            match policy {
                Policy::Close => return Heard::Slow,
                Policy::DropNewest => {
                    self.stats.dropped += 1;
                    return Heard::Not;
                }
                Policy::DropOldest | Policy::Conflate => {
                    self.stats.dropped += connection.outbox.make_room(frame.len(), limit);
                    if connection.is_full_for(frame.len()) {
                        self.stats.dropped += 1;
                        return Heard::Not;
                    }
                }
            }
        }
        connection.outbox.share(self.pool, frame, keep, blocked);
        self.stats.messages_out += 1;
        connection.meter.said();
        if blocked {
            self.held += connection.recharge();
            connection.note_level();
            if self.tries_outbox && connection.is_over_tried() {
                self.tried = (self.tried.0 + 1, Some(connection.client()));
            }
        }
        Heard::Yes
    }
}

impl Worker {
    /// Sends a message to every subscriber of a topic; tells to how many it goes, which for many is told before policies
    /// decide about the slow ones.
    pub fn publish(
        &mut self,
        topic: Topic<'_>,
        kind: Kind,
        payload: &[u8],
        how: Publication,
    ) -> usize {
        match self.topics.count(topic) {
            0 => 0,
            1..=AT_ONCE => self.fan_out(topic, &SharedMessage::new(kind, payload), how),
            _ => self.send_round(topic, Arc::new(SharedMessage::new(kind, payload)), how),
        }
    }

    /// The same for a message that goes to other workers as well.
    pub(crate) fn publish_shared(
        &mut self,
        topic: Topic<'_>,
        message: Arc<SharedMessage>,
        how: Publication,
    ) {
        match self.topics.count(topic) {
            0 => 0,
            1..=AT_ONCE => self.fan_out(topic, &message, how),
            _ => self.send_round(topic, message, how),
        };
    }

    fn send_round(
        &mut self,
        topic: Topic<'_>,
        message: Arc<SharedMessage>,
        how: Publication,
    ) -> usize {
        let excluded = how
            .exclude
            .is_some_and(|id| self.topics.is_subscribed(id, topic));
        let count = self.topics.count(topic) - usize::from(excluded);
        let keep = how.keep(self.topics.policy(topic));
        self.begin_round(topic, message, keep, how.exclude);
        count
    }

    /// Lets `act` deliver something to one connection, and sees to the consequences but for the flush.
    #[inline]
    pub(super) fn deliver(
        &mut self,
        id: ConnectionId,
        act: impl FnOnce(&mut Delivery<'_>) -> Heard,
    ) -> Heard {
        self.deliver_from(id, |delivery, _| act(delivery))
    }

    /// The same for what is on its way in rounds.
    #[inline]
    pub(super) fn deliver_from(
        &mut self,
        id: ConnectionId,
        act: impl FnOnce(&mut Delivery<'_>, &mut Rounds) -> Heard,
    ) -> Heard {
        let mut delivery = Delivery {
            tries_outbox: self.settings.tries(Limit::Outbox),
            connections: &mut self.connections,
            pool: &mut self.pool,
            sealing: &mut self.sealing,
            codec: &mut self.codec,
            masks: &mut self.masks,
            stats: &mut self.stats,
            held: 0,
            has_blocked: false,
            full: (0, None),
            tried: (0, None),
        };
        let heard = act(&mut delivery, &mut self.rounds);
        let Delivery {
            held,
            has_blocked,
            full,
            tried,
            ..
        } = delivery;
        if held != 0 {
            self.add_held(held);
        }
        for ((times, peer), dry_run) in [(full, false), (tried, true)] {
            if times > 0 {
                self.outbox_is_full(peer, times, dry_run);
            }
        }
        if has_blocked {
            self.refresh_interest(id);
        }
        heard
    }

    fn fan_out(&mut self, topic: Topic<'_>, message: &SharedMessage, how: Publication) -> usize {
        let policy = self.topics.policy(topic);
        let keep = how.keep(policy);
        let mut reached = 0;
        // Few, and copied: what each leads to may change who subscribes.
        let mut subscribers = [None; AT_ONCE];
        for (place, id) in subscribers.iter_mut().zip(self.topics.subscribers(topic)) {
            *place = (how.exclude != Some(*id)).then_some(*id);
        }
        for id in subscribers.into_iter().flatten() {
            self.catch_up(id);
            match self.deliver(id, |delivery| delivery.deliver(id, message, policy, keep)) {
                Heard::Not => {}
                Heard::Yes => {
                    reached += 1;
                    self.mark_dirty(id);
                }
                Heard::Slow => self.close_slow(id),
            }
        }
        reached
    }

    /// The peer is behind by more than it may: a close it can come back from.
    pub fn close_slow(&mut self, id: ConnectionId) {
        // What is full only because this batch has not been sent yet is not slow.
        if self
            .connections
            .get(id)
            .is_some_and(|connection| !connection.flags.blocked)
        {
            self.flush_one(id);
        }
        let still_full = self
            .connections
            .get(id)
            .is_some_and(|connection| connection.flags.blocked);
        if still_full {
            self.stats.slow_closed += 1;
            self.abandon(id);
            self.fail(id, TOO_SLOW, "reads too slowly");
        }
    }
}
