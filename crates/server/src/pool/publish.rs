//! Who hears what, where threads serve: a thread gets of a publication what its own connections hear.

use std::sync::Arc;

use hubbub_hub::{Policy, Topic};
use hubbub_protocol::endpoint::Kind;

use super::Pool;
use super::command::Command;
use super::mirror::Mirror;
use crate::id::ConnectionId;
use crate::worker::{Publication, SharedMessage};

impl Pool {
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
}
