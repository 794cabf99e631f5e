//! One message for many: encoded once, compressed once for each window, shared by reference.

use std::sync::{Arc, OnceLock};

use hubbub_hub::{Policy, Topic};
use hubbub_protocol::deflate::Codec;
use hubbub_protocol::endpoint::{Kind, encode_message};

use super::Worker;
use crate::connection::Phase;
use crate::id::ConnectionId;
use crate::limits::Limit;
use crate::outbox::Keep;

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

/// How many window sizes there are to compress for: 8 to 15 bits.
const GROUPS: usize = 16;

/// One message for the subscribers in several threads: encoded once, compressed by whichever thread needs it first.
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
}

/// The frame for one window size; `None` where compression does not pay.
fn compress(kind: Kind, payload: &[u8], group: u8, codec: &mut Codec) -> Option<Arc<[u8]>> {
    let mut bytes = Vec::new();
    codec
        .compress_for_group(group, payload, &mut bytes)
        .then(|| Arc::from(encode_message(kind, true, &bytes)))
}

/// The encodings of one message, made when the first peer needs them.
struct Frames<'a> {
    kind: Kind,
    payload: &'a [u8],
    plain: Option<Arc<[u8]>>,
    compressed: Vec<(u8, Option<Arc<[u8]>>)>,
    /// For a peer whose window or mask nobody shares.
    own: Option<Arc<[u8]>>,
    shared: Option<&'a SharedMessage>,
}

impl Frames<'_> {
    fn plain(&mut self) -> &Arc<[u8]> {
        self.plain
            .get_or_insert_with(|| Arc::from(encode_message(self.kind, false, self.payload)))
    }

    /// For peers that agreed on this window; the plain frame where compression does not pay.
    fn compressed(&mut self, group: u8, codec: &mut Codec) -> &Arc<[u8]> {
        let at = self
            .compressed
            .iter()
            .position(|(known, _)| *known == group)
            .unwrap_or_else(|| {
                let shared = self
                    .shared
                    .and_then(|shared| shared.compressed.get(usize::from(group)));
                let mut make = || compress(self.kind, self.payload, group, codec);
                let frame = match shared {
                    Some(place) => place.get_or_init(make).clone(),
                    None => make(),
                };
                self.compressed.push((group, frame));
                self.compressed.len() - 1
            });
        if self.compressed[at].1.is_none() {
            return self.plain();
        }
        self.compressed[at].1.as_ref().expect("looked at above")
    }
}

impl Worker {
    /// Sends a message to every subscriber of a topic; tells to how many it went.
    pub fn publish(
        &mut self,
        topic: Topic<'_>,
        kind: Kind,
        payload: &[u8],
        how: Publication,
    ) -> usize {
        let frames = Frames {
            kind,
            payload,
            plain: None,
            compressed: Vec::new(),
            own: None,
            shared: None,
        };
        self.fan_out(topic, frames, how)
    }

    /// The same for a message that goes to other workers as well.
    pub(crate) fn publish_shared(
        &mut self,
        topic: Topic<'_>,
        message: &SharedMessage,
        how: Publication,
    ) -> usize {
        let frames = Frames {
            kind: message.kind,
            payload: message.payload(),
            plain: Some(Arc::clone(&message.plain)),
            compressed: Vec::new(),
            own: None,
            shared: Some(message),
        };
        self.fan_out(topic, frames, how)
    }

    fn fan_out(&mut self, topic: Topic<'_>, mut frames: Frames<'_>, how: Publication) -> usize {
        let (kind, payload) = (frames.kind, frames.payload);
        let policy = self.topics.policy(topic);
        let keep = match (policy, how.key) {
            (Policy::Conflate, Some(key)) => Keep::Key(key),
            _ => Keep::Droppable,
        };
        let (mut reached, mut slow, mut blocked_now, mut held) = (0, Vec::new(), Vec::new(), 0);
        let tries_outbox = self.settings.tries(Limit::Outbox);
        // How many found no room, or would have found none, and who was the last of them.
        let (mut full, mut tried) = ((0, None), (0, None));
        for &id in self.topics.subscribers(topic) {
            if how.exclude == Some(id) {
                continue;
            }
            let Some(connection) = self.connections.get_mut(id) else {
                continue;
            };
            if !connection.is_open() {
                continue;
            }
            let mask = self.masks.of(connection);
            let own = connection.flags.is_client;
            let Phase::Open(endpoint) = &mut connection.phase else {
                continue;
            };
            let deflate = endpoint
                .deflate()
                .filter(|deflate| payload.len() >= deflate.minimum_bytes());
            let group = if own {
                Some(None)
            } else {
                deflate.map(|deflate| deflate.group())
            };
            let frame = match group {
                None => frames.plain(),
                Some(Some(group)) => frames.compressed(group, &mut self.codec),
                // A window or a mask of its own: nobody else can read what this peer gets.
                Some(None) => {
                    let mut own = Vec::new();
                    if endpoint
                        .send(kind, payload, mask, &mut self.codec, &mut own)
                        .is_err()
                    {
                        continue;
                    }
                    frames.own.insert(Arc::from(own))
                }
            };
            if !connection.flags.blocked && connection.is_full_for(frame.len()) {
                // What is full only because this batch has not been sent yet is not slow.
                if let Ok(flushed) = connection.write(&mut self.pool, &mut self.sealing, &[]) {
                    self.stats.bytes_out += flushed.bytes as u64;
                    connection.flags.blocked = flushed.blocked;
                    blocked_now.extend(flushed.blocked.then_some(id));
                }
            }
            let blocked = connection.flags.blocked;
            if let Keep::Key(key) = keep
                && connection.outbox.replace(key, frame)
            {
                self.stats.conflated += 1;
                connection.meter.said();
                reached += 1;
                continue;
            }
            if connection.is_full_for(frame.len()) {
                full = (full.0 + 1, Some(connection.client()));
                let sealed = connection.waiting_bytes() - connection.outbox.len();
                let limit = (connection.outbox_limit_bytes as usize).saturating_sub(sealed);
                match policy {
                    Policy::Close => {
                        slow.push(id);
                        continue;
                    }
                    Policy::DropNewest => {
                        self.stats.dropped += 1;
                        continue;
                    }
                    Policy::DropOldest | Policy::Conflate => {
                        self.stats.dropped += connection.outbox.make_room(frame.len(), limit);
                        if connection.is_full_for(frame.len()) {
                            self.stats.dropped += 1;
                            continue;
                        }
                    }
                }
            }
            connection
                .outbox
                .share(&mut self.pool, frame, keep, blocked);
            if blocked {
                held += connection.recharge();
            }
            connection.meter.said();
            reached += 1;
            if blocked {
                connection.note_level();
                if tries_outbox && connection.is_over_tried() {
                    tried = (tried.0 + 1, Some(connection.client()));
                }
            } else if !connection.flags.dirty {
                connection.flags.dirty = true;
                self.dirty.push(id);
            }
        }
        self.stats.messages_out += reached as u64;
        self.add_held(held);
        for ((times, peer), dry_run) in [(full, false), (tried, true)] {
            if times > 0 {
                self.outbox_is_full(peer, times, dry_run);
            }
        }
        for id in blocked_now {
            self.refresh_interest(id);
        }
        for id in slow {
            self.close_slow(id);
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
