//! What waits to be sent to one peer: whole frames, in order, up to a bound.
//!
//! Within a batch everything is corked here and leaves in one system call. A frame published to many is shared, not
//! copied, as soon as it would have to wait. Knows nothing of frames' insides, nor of the policy that decides (see
//! `worker::publish`).

use std::collections::VecDeque;
use std::io::IoSlice;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendFlags, send, sendmsg};

use crate::tls::RECORD_BYTES;

/// A shared frame up to this size is copied to its neighbours, so that several leave in one piece.
const COPY_LIMIT_BYTES: usize = 1024;
/// How many pieces one system call takes.
const PIECES: usize = 64;

/// Buffers that connections borrow while they have something to send.
#[derive(Default)]
pub(crate) struct Pool {
    free: Vec<Vec<u8>>,
}

impl Pool {
    const BUFFERS: usize = 1024;
    const BUFFER_LIMIT_BYTES: usize = 16 << 10;

    fn take(&mut self) -> Vec<u8> {
        self.free.pop().unwrap_or_else(|| Vec::with_capacity(256))
    }

    fn give(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() <= Self::BUFFER_LIMIT_BYTES
            && self.free.len() < Self::BUFFERS
            && buffer.capacity() > 0
        {
            buffer.clear();
            self.free.push(buffer);
        }
    }
}

/// What may happen to a frame that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// It must be sent.
    Always,
    /// It may give way to newer ones.
    Droppable,
    /// It may be replaced by a newer one of the same key.
    Key(u64),
}

struct Entry {
    frame: Arc<[u8]>,
    keep: Keep,
}

#[derive(Default)]
struct Backlog {
    queue: VecDeque<Entry>,
    bytes: usize,
    /// Those of `bytes` that nobody shares.
    own_bytes: usize,
}

impl Backlog {
    fn take(&mut self, at: usize) -> Option<Entry> {
        let entry = self.queue.remove(at)?;
        self.bytes -= entry.frame.len();
        if entry.keep == Keep::Always {
            self.own_bytes -= entry.frame.len();
        }
        Some(entry)
    }
}

/// See the module. **Invariant:** bytes leave in the order `buffer`, `single`, `backlog`; `single` and `backlog` are
/// never both in use, and the first frame of `backlog` has not been begun.
#[derive(Default)]
pub(crate) struct Outbox {
    buffer: Vec<u8>,
    /// Bytes of `buffer` that have left. sent <= buffer.len()
    sent: usize,
    /// One shared frame: a publication needs no buffer of its own.
    single: Option<Arc<[u8]>>,
    backlog: Option<Box<Backlog>>,
}

impl Outbox {
    /// Bytes that wait.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.buffer.len() - self.sent
            + self.single.as_ref().map_or(0, |frame| frame.len())
            + self.backlog.as_ref().map_or(0, |backlog| backlog.bytes)
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Memory held for this peer alone; shared frames are charged by their entry.
    pub(crate) fn held_bytes(&self) -> usize {
        self.buffer.capacity()
            + self.backlog.as_ref().map_or(0, |backlog| {
                size_of::<Backlog>()
                    + backlog.queue.capacity() * size_of::<Entry>()
                    + backlog.own_bytes
            })
    }

    /// Lets `write` append whole frames, and tells how many bytes they are.
    #[inline]
    pub(crate) fn append<R>(
        &mut self,
        pool: &mut Pool,
        write: impl FnOnce(&mut Vec<u8>) -> R,
    ) -> R {
        if self.backlog.is_some() {
            let mut frame = pool.take();
            let result = write(&mut frame);
            if !frame.is_empty() {
                self.push(Arc::from(&frame[..]), Keep::Always);
            }
            pool.give(frame);
            return result;
        }
        self.unshare(pool);
        if self.buffer.capacity() == 0 {
            self.buffer = pool.take();
        }
        write(&mut self.buffer)
    }

    /// Adds a frame shared with other peers. `waiting`: the socket does not take more at present.
    #[inline]
    pub(crate) fn share(&mut self, pool: &mut Pool, frame: &Arc<[u8]>, keep: Keep, waiting: bool) {
        let apart = waiting || self.backlog.is_some() || matches!(keep, Keep::Key(_));
        if apart || frame.len() > COPY_LIMIT_BYTES && !self.is_empty() {
            self.settle_single();
            self.push(Arc::clone(frame), keep);
        } else if self.is_empty() {
            self.single = Some(Arc::clone(frame));
        } else {
            self.append(pool, |buffer| buffer.extend_from_slice(frame));
        }
    }

    /// Replaces the waiting frame of this key. False if there is none.
    pub(crate) fn replace(&mut self, key: u64, frame: &Arc<[u8]>) -> bool {
        let Some(backlog) = &mut self.backlog else {
            return false;
        };
        let Some(entry) = backlog
            .queue
            .iter_mut()
            .find(|entry| entry.keep == Keep::Key(key))
        else {
            return false;
        };
        backlog.bytes = backlog.bytes - entry.frame.len() + frame.len();
        entry.frame = Arc::clone(frame);
        true
    }

    /// Takes out the oldest frames that may go until `room` bytes fit below `limit`; tells how many went.
    pub(crate) fn make_room(&mut self, room: usize, limit: usize) -> u64 {
        let mut gone = 0;
        let mut at = 0;
        while self.len() + room > limit {
            let Some(backlog) = &mut self.backlog else {
                break;
            };
            match backlog.queue.get(at) {
                None => break,
                Some(Entry {
                    keep: Keep::Always, ..
                }) => at += 1,
                Some(_) => {
                    backlog.take(at);
                    gone += 1;
                }
            }
        }
        gone
    }

    /// Drops all that has not been begun: nobody will read it.
    pub(crate) fn abandon(&mut self) -> u64 {
        self.backlog
            .take()
            .map_or(0, |backlog| backlog.queue.len() as u64)
    }

    /// Sends what waits and, last, `extra` (bytes of the caller's own, not queued). Tells how many bytes of `extra` left.
    ///
    /// # Errors
    /// The socket's. `EAGAIN` is none: what is left simply waits.
    pub(crate) fn flush(
        &mut self,
        socket: BorrowedFd<'_>,
        pool: &mut Pool,
        extra: &[u8],
    ) -> Result<Flushed, Errno> {
        let mut flushed = Flushed {
            bytes: 0,
            extra: 0,
            blocked: false,
        };
        loop {
            let (wanted, result) = self.offer(socket, &extra[flushed.extra..]);
            if wanted == 0 {
                break;
            }
            match result {
                Ok(sent) => {
                    flushed.bytes += sent;
                    flushed.extra += self.advance(sent);
                    if sent < wanted {
                        flushed.blocked = true;
                        break;
                    }
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    flushed.blocked = true;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        self.release(pool);
        Ok(flushed)
    }

    /// Gives the buffer back once everything in it has left.
    pub(crate) fn release(&mut self, pool: &mut Pool) {
        if self.sent == self.buffer.len() && self.buffer.capacity() > 0 {
            self.sent = 0;
            pool.give(std::mem::take(&mut self.buffer));
        }
    }

    /// The first bytes that wait, `extra` being the last of them: a whole record's worth if there are so many. Several short
    /// pieces are put together in `gather`, so that they share a record.
    pub(crate) fn portion<'a>(
        &'a self,
        extra: &'a [u8],
        limit: usize,
        gather: &'a mut Vec<u8>,
    ) -> &'a [u8] {
        let own = &self.buffer[self.sent..];
        let single = self.single.as_deref().unwrap_or_default();
        let waiting = self
            .backlog
            .iter()
            .flat_map(|backlog| backlog.queue.iter().map(|entry| &entry.frame[..]));
        let all = [own, single].into_iter().chain(waiting).chain([extra]);
        let mut pieces = all.filter(|piece| !piece.is_empty()).peekable();
        let Some(first) = pieces.next() else {
            return &[];
        };
        if pieces.peek().is_none() || first.len() >= RECORD_BYTES {
            return &first[..first.len().min(limit)];
        }
        gather.clear();
        for piece in [first].into_iter().chain(pieces) {
            let room = RECORD_BYTES - gather.len();
            gather.extend_from_slice(&piece[..piece.len().min(room)]);
            if gather.len() == RECORD_BYTES {
                break;
            }
        }
        gather
    }

    /// One system call: how many bytes were offered, and what came of it.
    fn offer(&self, socket: BorrowedFd<'_>, extra: &[u8]) -> (usize, Result<usize, Errno>) {
        let own = &self.buffer[self.sent..];
        let single = self.single.as_deref().unwrap_or_default();
        if self.backlog.is_none() {
            let only = match (own.is_empty(), single.is_empty(), extra.is_empty()) {
                (true, true, true) => return (0, Ok(0)),
                (false, true, true) => Some(own),
                (true, false, true) => Some(single),
                (true, true, false) => Some(extra),
                _ => None,
            };
            if let Some(bytes) = only {
                return (bytes.len(), send(socket, bytes, SendFlags::NOSIGNAL));
            }
        }
        let mut pieces = [IoSlice::new(&[]); PIECES];
        let mut count = 0;
        let mut wanted = 0;
        let waiting = self
            .backlog
            .iter()
            .flat_map(|backlog| backlog.queue.iter().map(|entry| &entry.frame[..]));
        let all = [own, single].into_iter().chain(waiting).chain([extra]);
        for piece in all.filter(|piece| !piece.is_empty()) {
            if count == PIECES {
                break;
            }
            pieces[count] = IoSlice::new(piece);
            count += 1;
            wanted += piece.len();
        }
        let mut none = SendAncillaryBuffer::default();
        (
            wanted,
            sendmsg(socket, &pieces[..count], &mut none, SendFlags::NOSIGNAL),
        )
    }

    /// Marks `sent` bytes as gone; what is beyond everything queued belonged to `extra`.
    pub(crate) fn advance(&mut self, mut sent: usize) -> usize {
        let own = sent.min(self.buffer.len() - self.sent);
        self.sent += own;
        sent -= own;
        if let Some(frame) = self.single.take_if(|_| sent > 0) {
            sent -= self.took(&frame, sent);
        }
        while sent > 0 {
            let Some(backlog) = &mut self.backlog else {
                break;
            };
            let Some(entry) = backlog.take(0) else {
                break;
            };
            sent -= self.took(&entry.frame, sent);
        }
        if self
            .backlog
            .as_ref()
            .is_some_and(|backlog| backlog.queue.is_empty())
        {
            self.backlog = None;
        }
        sent
    }

    /// A shared frame has left, or its beginning: then the rest becomes our own.
    fn took(&mut self, frame: &[u8], sent: usize) -> usize {
        if sent >= frame.len() {
            return frame.len();
        }
        self.buffer.clear();
        self.sent = 0;
        self.buffer.extend_from_slice(&frame[sent..]);
        sent
    }

    fn push(&mut self, frame: Arc<[u8]>, keep: Keep) {
        let backlog = self.backlog.get_or_insert_default();
        backlog.bytes += frame.len();
        if keep == Keep::Always {
            backlog.own_bytes += frame.len();
        }
        backlog.queue.push_back(Entry { frame, keep });
    }

    fn settle_single(&mut self) {
        if let Some(frame) = self.single.take() {
            self.push(frame, Keep::Droppable);
        }
    }

    fn unshare(&mut self, pool: &mut Pool) {
        if let Some(frame) = self.single.take() {
            if self.buffer.capacity() == 0 {
                self.buffer = pool.take();
            }
            self.buffer.extend_from_slice(&frame);
        }
    }
}

/// What a flush has done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Flushed {
    /// Bytes that left, `extra` included.
    pub(crate) bytes: usize,
    /// Bytes of `extra` that left.
    pub(crate) extra: usize,
    /// The socket takes no more at present.
    pub(crate) blocked: bool,
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn frame(byte: u8, len: usize) -> Arc<[u8]> {
        Arc::from(vec![byte; len])
    }

    fn read(peer: &mut UnixStream, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        peer.read_exact(&mut bytes).expect("what was sent");
        bytes
    }

    #[test]
    fn order_is_kept_across_all_three_places() {
        let (ours, mut theirs) = UnixStream::pair().expect("socketpair");
        let (mut outbox, mut pool) = (Outbox::default(), Pool::default());
        outbox.share(&mut pool, &frame(b'a', 3), Keep::Droppable, false);
        outbox.append(&mut pool, |out| out.extend_from_slice(b"bb"));
        outbox.share(&mut pool, &frame(b'c', 2), Keep::Droppable, false);
        outbox.share(&mut pool, &frame(b'd', 2000), Keep::Droppable, false);
        outbox.append(&mut pool, |out| out.extend_from_slice(b"e"));
        assert_eq!(outbox.len(), 3 + 2 + 2 + 2000 + 1);
        let flushed = outbox.flush(ours.as_fd(), &mut pool, b"ff").expect("room");
        assert_eq!(
            flushed,
            Flushed {
                bytes: 2010,
                extra: 2,
                blocked: false
            }
        );
        let bytes = read(&mut theirs, 2010);
        assert_eq!(
            (&bytes[..7], &bytes[2007..]),
            (&b"aaabbcc"[..], &b"eff"[..])
        );
        assert!(outbox.is_empty() && outbox.held_bytes() == 0);
    }

    #[test]
    fn a_frame_half_sent_is_finished_first() {
        let (ours, mut theirs) = UnixStream::pair().expect("socketpair");
        ours.set_nonblocking(true).expect("nonblocking");
        let (mut outbox, mut pool) = (Outbox::default(), Pool::default());
        outbox.share(&mut pool, &frame(b'x', 4 << 20), Keep::Droppable, false);
        let first = outbox
            .flush(ours.as_fd(), &mut pool, &[])
            .expect("some room");
        assert!(first.blocked && first.bytes > 0);
        outbox.share(&mut pool, &frame(b'y', 10), Keep::Key(1), true);
        assert!(outbox.replace(1, &frame(b'z', 10)));
        let mut got = read(&mut theirs, first.bytes);
        while !outbox.is_empty() {
            let more = outbox.flush(ours.as_fd(), &mut pool, &[]).expect("room");
            got.extend(read(&mut theirs, more.bytes));
        }
        assert_eq!(got.len(), (4 << 20) + 10);
        assert_eq!(&got[4 << 20..], b"zzzzzzzzzz");
    }

    #[test]
    fn only_what_may_go_makes_room() {
        let (mut outbox, mut pool) = (Outbox::default(), Pool::default());
        outbox.share(&mut pool, &frame(1, 100), Keep::Droppable, true);
        outbox.append(&mut pool, |out| out.extend_from_slice(&[2; 100]));
        outbox.share(&mut pool, &frame(3, 100), Keep::Key(9), true);
        outbox.share(&mut pool, &frame(4, 100), Keep::Droppable, true);
        assert_eq!(outbox.make_room(100, 300), 2);
        assert_eq!(outbox.len(), 200);
        assert_eq!(outbox.make_room(1000, 300), 1);
        assert_eq!(outbox.len(), 100);
    }
}
