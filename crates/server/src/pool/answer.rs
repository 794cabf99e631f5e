//! Requests and their answers, where threads serve: what may be said of them is decided here, and said by the thread.

use hubbub_protocol::error::Misuse;
use hubbub_protocol::handshake::Offer;
use hubbub_protocol::http::{BodyEnd, Refusal, Response, ResponseHead};

use super::Pool;
use super::command::{Command, OwnedHead, OwnedResponse, Payload};
use super::mirror::Standing;
use crate::exchange::FilePart;
use crate::id::ConnectionId;
use crate::worker::{Accept, Sent, agree};

impl Pool {
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

    /// As [`Worker::refuse_with`].
    pub(crate) fn refuse_with(&mut self, id: ConnectionId, fields: Vec<(String, String)>) {
        if self.is_deciding(id) {
            self.tell(id, Command::RefuseWith { id, fields });
        }
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
}
