//! What waits to be sent to one peer: whole frames, in order, up to a bound.
//!
//! Within a batch everything is corked here and leaves in one system call. A frame published to many is shared, not
//! copied, as soon as it would have to wait. A part of a file waits where it is, and costs nothing here. Knows nothing of
//! frames' insides, nor of the policy that decides (see `worker::publish`).

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::io::IoSlice;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use rustix::fs::sendfile;
use rustix::io::{Errno, pread};
use rustix::net::{SendAncillaryBuffer, SendFlags, send, sendmsg};

use crate::exchange::FilePart;
use crate::tls::RECORD_BYTES;

/// A shared frame up to this size is copied to its neighbours, so that several leave in one piece.
const COPY_LIMIT_BYTES: usize = 1024;
/// How many pieces one system call takes.
const PIECES: usize = 64;
/// How much of a file leaves before other connections have their turn. With a MiB, readers on the same machine sleep between the
/// kernel's portions of 64 KiB, and waking them costs the server more than sending (`make bench-http`: 390 µs a MiB, and 150).
pub(crate) const FILE_TURN_BYTES: usize = 256 << 10;
/// How much of a file is read at a time where the kernel cannot send it by itself.
const FILE_READ_BYTES: usize = 64 << 10;

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

    /// Gives back the buffers that nobody has borrowed.
    pub(crate) fn clear(&mut self) {
        self.free = Vec::new();
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
    /// Instead of a frame.
    file: Option<Box<FilePart>>,
}

/// Which of all entries that were ever put into a backlog a key's is. A key is a hash already.
type Places = HashMap<u64, u64, BuildHasherDefault<Hashed>>;

#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        debug_assert!(bytes.is_empty(), "a key is one number");
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

/// **Invariant:** before an entry that is taken out there are none with a key; so those behind it stay as far from the end
/// as they were, and that is how `places` knows them.
#[derive(Default)]
struct Backlog {
    queue: VecDeque<Entry>,
    /// How many entries were ever put in.
    ever: u64,
    /// Where each key's entry is, once there were more than one would look through.
    places: Option<Box<Places>>,
    bytes: usize,
    /// Those of `bytes` that nobody shares.
    own_bytes: usize,
    /// How many entries are files.
    files: usize,
}

impl Backlog {
    /// So many are looked through, one after the other.
    const FEW: usize = 32;

    fn put(&mut self, entry: Entry) {
        self.files += usize::from(entry.file.is_some());
        self.bytes += entry.frame.len();
        match (entry.keep, &mut self.places) {
            (Keep::Always, _) => self.own_bytes += entry.frame.len(),
            (Keep::Key(key), Some(places)) => {
                places.insert(key, self.ever);
            }
            _ => {}
        }
        self.ever += 1;
        self.queue.push_back(entry);
    }

    fn take(&mut self, at: usize) -> Option<Entry> {
        let entry = self.queue.remove(at)?;
        self.files -= usize::from(entry.file.is_some());
        self.bytes -= entry.frame.len();
        match (entry.keep, &mut self.places) {
            (Keep::Always, _) => self.own_bytes -= entry.frame.len(),
            (Keep::Key(key), Some(places)) => {
                places.remove(&key);
            }
            _ => {}
        }
        Some(entry)
    }

    /// The entry that waits under a key.
    fn of_key(&mut self, key: u64) -> Option<&mut Entry> {
        if self.places.is_none() && self.queue.len() <= Self::FEW {
            let mut waiting = self.queue.iter_mut();
            return waiting.find(|entry| entry.keep == Keep::Key(key));
        }
        let first = self.ever - self.queue.len() as u64;
        let places = self.places.get_or_insert_with(|| {
            let numbered = (first..).zip(&self.queue);
            let keyed = numbered.filter_map(|(number, entry)| match entry.keep {
                Keep::Key(key) => Some((key, number)),
                Keep::Always | Keep::Droppable => None,
            });
            Box::new(keyed.collect())
        });
        let number = *places.get(&key)?;
        let entry = self.queue.get_mut((number - first) as usize);
        debug_assert!(entry.as_ref().is_some_and(|it| it.keep == Keep::Key(key)));
        entry
    }

    fn held_bytes(&self) -> usize {
        // A table has a byte beside each place, and an eighth of its places stays free.
        let places = self.places.as_ref().map_or(0, |places| {
            size_of::<Places>() + places.capacity() * (size_of::<(u64, u64)>() + 1) * 8 / 7
        });
        size_of::<Self>() + self.queue.capacity() * size_of::<Entry>() + self.own_bytes + places
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
    /// Bytes that wait, those of files not counted: no memory holds them.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.buffer.len() - self.sent
            + self.single.as_ref().map_or(0, |frame| frame.len())
            + self.backlog.as_ref().map_or(0, |backlog| backlog.bytes)
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0 && !self.has_file()
    }

    /// Whether nothing at all is here, as nearly always.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.buffer.is_empty() && self.is_own()
    }

    /// What waits, if it is only what has been corked.
    #[inline]
    pub(crate) fn only_corked(&self) -> Option<&[u8]> {
        self.is_own().then(|| &self.buffer[self.sent..])
    }

    /// Whether nothing waits outside of the buffer.
    #[inline]
    fn is_own(&self) -> bool {
        self.single.is_none() && self.backlog.is_none()
    }

    /// The buffer, borrowed if there is none yet.
    #[inline]
    fn own(&mut self, pool: &mut Pool) -> &mut Vec<u8> {
        if self.buffer.capacity() == 0 {
            self.buffer = pool.take();
        }
        &mut self.buffer
    }

    /// Whether a part of a file waits.
    #[inline]
    pub(crate) fn has_file(&self) -> bool {
        self.backlog
            .as_ref()
            .is_some_and(|backlog| backlog.files > 0)
    }

    /// Gives back the room that nothing waits in.
    pub(crate) fn shrink(&mut self) {
        self.buffer.shrink_to_fit();
    }

    /// Memory held for this peer alone; shared frames are charged by their entry.
    pub(crate) fn held_bytes(&self) -> usize {
        self.buffer.capacity()
            + self
                .backlog
                .as_ref()
                .map_or(0, |backlog| backlog.held_bytes())
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
        write(self.own(pool))
    }

    /// Where the next frame may be appended without further ado; `None` where something else waits, or it would be more than
    /// `limit` bytes.
    #[inline]
    pub(crate) fn corked(&mut self, pool: &mut Pool, limit: usize) -> Option<&mut Vec<u8>> {
        let has_room = self.is_own() && self.buffer.len() < limit;
        has_room.then(|| self.own(pool))
    }

    /// Adds a part of a file.
    pub(crate) fn append_file(&mut self, part: FilePart) {
        self.settle_single();
        self.backlog.get_or_insert_default().put(Entry {
            frame: Arc::default(),
            keep: Keep::Always,
            file: Some(Box::new(part)),
        });
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
        let Some(entry) = backlog.of_key(key) else {
            return false;
        };
        let before = std::mem::replace(&mut entry.frame, Arc::clone(frame));
        backlog.bytes = backlog.bytes - before.len() + frame.len();
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

    /// Sends what waits and, last, `extra` (bytes of the caller's own, not queued), as `flags` say. Tells how many bytes of
    /// `extra` left.
    ///
    /// # Errors
    /// The socket's. `EAGAIN` is none: what is left simply waits.
    pub(crate) fn flush(
        &mut self,
        socket: BorrowedFd<'_>,
        pool: &mut Pool,
        extra: &[u8],
        flags: SendFlags,
    ) -> Result<Flushed, Errno> {
        let mut flushed = Flushed {
            bytes: 0,
            extra: 0,
            blocked: false,
        };
        let mut file_bytes = 0;
        loop {
            if self.is_file_next() {
                if file_bytes >= FILE_TURN_BYTES {
                    flushed.blocked = true;
                    break;
                }
                match self.send_file(socket, pool) {
                    Ok(0) | Err(Errno::INTR) => {}
                    Ok(sent) => {
                        flushed.bytes += sent;
                        file_bytes += sent;
                    }
                    Err(Errno::AGAIN) => {
                        flushed.blocked = true;
                        break;
                    }
                    Err(error) => return Err(error),
                }
                continue;
            }
            let (wanted, result) = self.offer(socket, &extra[flushed.extra..], flags);
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

    /// The frames that wait in a row, up to the first file.
    fn frames(&self) -> impl Iterator<Item = &[u8]> {
        let entries = self.backlog.iter().flat_map(|backlog| &backlog.queue);
        entries
            .take_while(|entry| entry.file.is_none())
            .map(|entry| &entry.frame[..])
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
        if self.is_own() && extra.is_empty() {
            return &own[..own.len().min(limit)];
        }
        let single = self.single.as_deref().unwrap_or_default();
        let all = [own, single]
            .into_iter()
            .chain(self.frames())
            .chain([extra]);
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

    /// Whether nothing stands before the part of a file that waits.
    #[inline]
    pub(crate) fn is_file_next(&self) -> bool {
        self.has_file()
            && self.sent == self.buffer.len()
            && self
                .backlog
                .as_ref()
                .and_then(|backlog| backlog.queue.front())
                .is_some_and(|entry| entry.file.is_some())
    }

    /// Sends of the file that is next; 0 where its bytes had to be read, and wait now.
    ///
    /// # Errors
    /// The socket's or the file's; `IO` for a file that is shorter than it was.
    fn send_file(&mut self, socket: BorrowedFd<'_>, pool: &mut Pool) -> Result<usize, Errno> {
        let part = self.next_file().expect("looked at by the caller");
        let wanted = usize::try_from(part.length).unwrap_or(usize::MAX);
        let mut offset = part.offset;
        let result = sendfile(
            socket,
            &part.file,
            Some(&mut offset),
            wanted.min(FILE_TURN_BYTES),
        );
        match result {
            Ok(sent) => self.file_left(sent).map(|()| sent),
            // Not every file system lets the kernel do it.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => self.read_file(pool).map(|()| 0),
            Err(error) => Err(error),
        }
    }

    /// Reads of the file that is next into the buffer, for sockets that want bytes.
    ///
    /// # Errors
    /// The file's; `IO` for a file that is shorter than it was.
    pub(crate) fn read_file(&mut self, pool: &mut Pool) -> Result<(), Errno> {
        let mut buffer = std::mem::take(self.own(pool));
        let part = self.next_file().expect("looked at by the caller");
        let wanted = usize::try_from(part.length)
            .unwrap_or(usize::MAX)
            .min(FILE_READ_BYTES);
        buffer.resize(wanted, 0);
        let read = pread(&part.file, &mut buffer[..], part.offset);
        buffer.truncate(*read.as_ref().unwrap_or(&0));
        self.buffer = buffer;
        self.sent = 0;
        self.file_left(read?)
    }

    fn next_file(&mut self) -> Option<&mut FilePart> {
        let entry = self.backlog.as_mut()?.queue.front_mut()?;
        entry.file.as_deref_mut()
    }

    /// So many bytes of the file that is next are dealt with.
    fn file_left(&mut self, bytes: usize) -> Result<(), Errno> {
        let part = self.next_file().expect("the one that was sent of");
        if bytes == 0 {
            return Err(Errno::IO);
        }
        part.offset += bytes as u64;
        part.length -= bytes as u64;
        if part.length == 0 {
            let backlog = self.backlog.as_mut().expect("it had a file");
            backlog.take(0);
            if backlog.queue.is_empty() {
                self.backlog = None;
            }
        }
        Ok(())
    }

    /// One system call: how many bytes were offered, and what came of it.
    fn offer(
        &self,
        socket: BorrowedFd<'_>,
        extra: &[u8],
        flags: SendFlags,
    ) -> (usize, Result<usize, Errno>) {
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
                return (bytes.len(), send(socket, bytes, flags));
            }
        }
        let mut pieces = [IoSlice::new(&[]); PIECES];
        let mut count = 0;
        let mut wanted = 0;
        let all = [own, single]
            .into_iter()
            .chain(self.frames())
            .chain([extra]);
        // A head and its file are one answer: the kernel may put them into one packet.
        let flags = match self.has_file() {
            true => flags | SendFlags::MORE,
            false => flags,
        };
        for piece in all.filter(|piece| !piece.is_empty()) {
            if count == PIECES {
                break;
            }
            pieces[count] = IoSlice::new(piece);
            count += 1;
            wanted += piece.len();
        }
        let mut none = SendAncillaryBuffer::default();
        (wanted, sendmsg(socket, &pieces[..count], &mut none, flags))
    }

    /// Marks `sent` bytes as gone; what is beyond everything queued belonged to `extra`.
    #[inline]
    pub(crate) fn advance(&mut self, mut sent: usize) -> usize {
        let own = sent.min(self.buffer.len() - self.sent);
        self.sent += own;
        sent -= own;
        if sent == 0 {
            return 0;
        }
        if let Some(frame) = self.single.take() {
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
        self.backlog.get_or_insert_default().put(Entry {
            frame,
            keep,
            file: None,
        });
    }

    fn settle_single(&mut self) {
        if let Some(frame) = self.single.take() {
            self.push(frame, Keep::Droppable);
        }
    }

    fn unshare(&mut self, pool: &mut Pool) {
        if let Some(frame) = self.single.take() {
            self.own(pool).extend_from_slice(&frame);
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

    use proptest::prelude::*;

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
        let flushed = outbox
            .flush(ours.as_fd(), &mut pool, b"ff", SendFlags::NOSIGNAL)
            .expect("room");
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
            .flush(ours.as_fd(), &mut pool, &[], SendFlags::NOSIGNAL)
            .expect("some room");
        assert!(first.blocked && first.bytes > 0);
        outbox.share(&mut pool, &frame(b'y', 10), Keep::Key(1), true);
        assert!(outbox.replace(1, &frame(b'z', 10)));
        let mut got = read(&mut theirs, first.bytes);
        while !outbox.is_empty() {
            let more = outbox
                .flush(ours.as_fd(), &mut pool, &[], SendFlags::NOSIGNAL)
                .expect("room");
            got.extend(read(&mut theirs, more.bytes));
        }
        assert_eq!(got.len(), (4 << 20) + 10);
        assert_eq!(&got[4 << 20..], b"zzzzzzzzzz");
    }

    fn part(path: &str, offset: u64, length: u64) -> FilePart {
        let file = std::fs::File::open(path).expect("a file");
        FilePart {
            file: Arc::new(file.into()),
            offset,
            length,
        }
    }

    #[test]
    fn files_keep_their_place() {
        let (ours, mut theirs) = UnixStream::pair().expect("socketpair");
        let (mut outbox, mut pool) = (Outbox::default(), Pool::default());
        let this = concat!(env!("CARGO_MANIFEST_DIR"), "/src/outbox.rs");
        let text = std::fs::read(this).expect("this file");
        outbox.append(&mut pool, |out| out.extend_from_slice(b"<"));
        outbox.append_file(part(this, 1, 3));
        outbox.append(&mut pool, |out| out.extend_from_slice(b"|"));
        outbox.append_file(part(this, 0, text.len() as u64));
        outbox.append(&mut pool, |out| out.extend_from_slice(b">"));
        assert!(outbox.len() == 3 && outbox.has_file());
        let flushed = outbox
            .flush(ours.as_fd(), &mut pool, &[], SendFlags::NOSIGNAL)
            .expect("room");
        let expected = [b"<", &text[1..4], b"|", &text, b">"].concat();
        assert_eq!((flushed.bytes, flushed.blocked), (expected.len(), false));
        assert_eq!(read(&mut theirs, expected.len()), expected);
        assert!(outbox.is_empty() && outbox.held_bytes() == 0);
    }

    #[test]
    fn what_the_kernel_will_not_send_is_read() {
        let (ours, mut theirs) = UnixStream::pair().expect("socketpair");
        let (mut outbox, mut pool) = (Outbox::default(), Pool::default());
        let this = concat!(env!("CARGO_MANIFEST_DIR"), "/src/outbox.rs");
        outbox.append_file(part(this, 0, 4));
        outbox.read_file(&mut pool).expect("a file");
        outbox.append(&mut pool, |out| out.extend_from_slice(b"!"));
        outbox
            .flush(ours.as_fd(), &mut pool, &[], SendFlags::NOSIGNAL)
            .expect("room");
        assert_eq!(read(&mut theirs, 5), b"//! !");
    }

    #[test]
    fn a_file_that_has_become_shorter_is_an_error() {
        let (ours, _theirs) = UnixStream::pair().expect("socketpair");
        let (mut outbox, mut pool) = (Outbox::default(), Pool::default());
        outbox.append_file(part("/dev/null", 0, 1));
        assert!(
            outbox
                .flush(ours.as_fd(), &mut pool, &[], SendFlags::NOSIGNAL)
                .is_err()
        );
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

    #[derive(Debug, Clone)]
    enum Act {
        /// Published under a key, to who reads slowly.
        Say(u64),
        /// Published without.
        Tell,
        Answer,
        /// So many frames leave.
        Leave(usize),
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            6 => (0..80_u64).prop_map(Act::Say),
            1 => Just(Act::Tell),
            1 => Just(Act::Answer),
            1 => (0..30_usize).prop_map(Act::Leave),
        ]
    }

    proptest! {
        #[test]
        fn the_newest_of_each_key_takes_the_place_of_the_one_that_waits(
            acts in prop::collection::vec(act(), 0..400),
            limit in 1..100_usize,
        ) {
            const BYTES: usize = 4;
            let (mut outbox, mut pool) = (Outbox::default(), Pool::default());
            let mut expected: Vec<(Keep, u32)> = Vec::new();
            for (number, act) in (0_u32..).zip(acts) {
                let frame: Arc<[u8]> = Arc::from(number.to_be_bytes());
                let keep = match act {
                    Act::Say(key) => Keep::Key(key),
                    Act::Tell => Keep::Droppable,
                    Act::Answer => {
                        outbox.append(&mut pool, |out| out.extend_from_slice(&frame));
                        expected.push((Keep::Always, number));
                        continue;
                    }
                    Act::Leave(count) => {
                        let count = count.min(expected.len());
                        assert_eq!(outbox.advance(count * BYTES), 0);
                        outbox.release(&mut pool);
                        expected.drain(..count);
                        continue;
                    }
                };
                let waiting = expected.iter_mut().find(|(other, _)| {
                    matches!(keep, Keep::Key(_)) && *other == keep
                });
                let replaced = matches!(keep, Keep::Key(key) if outbox.replace(key, &frame));
                assert_eq!(replaced, waiting.is_some());
                if let Some(waiting) = waiting {
                    waiting.1 = number;
                    continue;
                }
                outbox.make_room(BYTES, limit * BYTES);
                while expected.len() >= limit
                    && let Some(at) = expected.iter().position(|(keep, _)| *keep != Keep::Always)
                {
                    expected.remove(at);
                }
                outbox.share(&mut pool, &frame, keep, true);
                expected.push((keep, number));
            }
            let mut found = outbox.buffer[outbox.sent..].to_vec();
            found.extend(outbox.frames().flatten());
            let expected = expected.iter().flat_map(|(_, number)| number.to_be_bytes());
            assert_eq!(found, expected.collect::<Vec<_>>());
        }
    }
}
