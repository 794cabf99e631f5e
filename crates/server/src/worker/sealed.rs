//! Connections that speak TLS: between the socket and the rest of the worker, which sees plaintext only.
//!
//! Ciphertext is read into one buffer of the worker's and decrypted from there into the inbox; what waits in the outbox is
//! encrypted when it is flushed, so that corked and shared frames stay plain until the last moment. Whatever the socket does
//! not take stays with the connection as ciphertext, and counts as waiting like everything else.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hubbub_protocol::http::Refusal;
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv, send};

use super::ahead::AHEAD_BYTES;
use super::{Inbox, READ_LIMIT_BYTES, Worker};
use crate::connection::{Connection, Phase};
use crate::event::{ClosedBy, Ending};
use crate::id::ConnectionId;
use crate::outbox::{FILE_TURN_BYTES, Flushed, Outbox, Pool};
use crate::tls::{RECORD_BYTES, Sealed, Tls, TlsContext};

/// How much plaintext one system call carries: more records at a time would only leave the cache.
const PORTION_BYTES: usize = 4 * RECORD_BYTES;
/// RFC 6455 §7.4.1: no frame carries it; it means that the TLS handshake failed.
const TLS_FAILED: u16 = 1015;

/// Buffers that all connections of a worker use in turn. Empty until the first of them speaks TLS.
#[derive(Default)]
pub(super) struct Sealing {
    received: Vec<u8>,
    gather: Vec<u8>,
    sealed: Sealed,
}

impl Sealing {
    /// Where ciphertext is read to: as much room, and as divided, as an inbox has for plaintext.
    #[inline]
    pub(super) fn received(&mut self) -> &mut [u8] {
        if self.received.is_empty() {
            self.received.resize(READ_LIMIT_BYTES + AHEAD_BYTES, 0);
        }
        &mut self.received
    }
}

impl Worker {
    /// Puts TLS before a connection that has just been accepted. False when it is gone.
    pub(super) fn secure(&mut self, id: ConnectionId, context: &TlsContext) -> bool {
        match (Tls::accept(context), self.connections.get_mut(id)) {
            (Ok(tls), Some(connection)) => {
                connection.tls = Some(Box::new(tls));
                self.charge(id);
                true
            }
            _ => {
                self.tls_failed(id, "no memory, or no certificate");
                self.remove(id);
                false
            }
        }
    }

    /// As for any other connection: one read, and what is in it is put into the inbox.
    pub(super) fn read_sealed(&mut self, id: ConnectionId, inbox: &mut Inbox) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let limit = connection.read_limit(READ_LIMIT_BYTES);
        let Some(tls) = &mut connection.tls else {
            return;
        };
        let received = self.sealing.received();
        let kept = tls.partial().len();
        let end = READ_LIMIT_BYTES.min(kept + limit);
        let room = &mut received[kept..end];
        let outcome = recv(&connection.socket, room, RecvFlags::empty());
        self.on_received_sealed(id, 0, outcome.map(|(len, _)| len), inbox);
    }

    /// What a read of ciphertext came to; what it brought lies in the buffer for that, from `start` on but behind the
    /// beginning of a record that was kept.
    pub(super) fn on_received_sealed(
        &mut self,
        id: ConnectionId,
        start: usize,
        outcome: Result<usize, Errno>,
        inbox: &mut Inbox,
    ) {
        let len = match outcome {
            Ok(0) => {
                self.give_up_handshake(id, "the peer has gone in the middle of it");
                return self.on_eof(id);
            }
            Ok(len) => len,
            Err(Errno::AGAIN | Errno::INTR) => return self.refresh_interest(id),
            Err(error) => {
                self.judge(id);
                return self.broken(id, Some(error));
            }
        };
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let Some(tls) = &mut connection.tls else {
            return;
        };
        let received = &mut self.sealing.received[start..];
        self.stats.bytes_in += len as u64;
        connection.meter.received(len);
        if matches!(connection.phase, Phase::Linger) {
            return;
        }
        if tls.is_fresh() && received[0].is_ascii_alphabetic() && !connection.flags.is_client {
            return self.answer_plainly(id);
        }
        let kept = tls.partial().len();
        tls.take_partial(received);
        let cipher = &mut received[..kept + len];
        let was_in_handshake = tls.is_in_handshake();
        let opened = catch_unwind(AssertUnwindSafe(|| tls.open(cipher, &mut inbox.buffer)));
        match opened {
            Ok(Ok(plain_bytes)) => {
                if was_in_handshake && !tls.is_in_handshake() {
                    self.stats.tls_handshakes += 1;
                    self.stats.tls_resumed += u64::from(tls.is_resumed());
                }
                let has_to_send = !tls.unsent().is_empty() || was_in_handshake;
                if has_to_send {
                    self.mark_dirty(id);
                }
                // Also with nothing in it: the read has to be brought to its end.
                inbox.fill(id, 0, plain_bytes);
            }
            Ok(Err(error)) => self.fail_sealed(id, &error.to_string()),
            Err(_) => {
                self.stats.panics += 1;
                self.tell_closed(id, Ending::new(1011, "", ClosedBy::Server));
                self.remove(id);
            }
        }
    }

    /// The connection is about to end: if a handshake has begun and not come to its end, it has failed.
    pub(super) fn give_up_handshake(&mut self, id: ConnectionId, why: &str) {
        if let Some(connection) = self.connections.get(id)
            && let Some(tls) = &connection.tls
            && tls.is_in_handshake()
            && !tls.is_fresh()
        {
            self.tls_failed(id, why);
        }
    }

    /// The peer has announced its end by TLS: as good as a FIN, once all before it has been read.
    pub(super) fn end_sealed(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get(id)
            && connection.tls.as_ref().is_some_and(|tls| tls.has_ended())
            && !connection.flags.eof
            && !connection.flags.is_held()
            && connection.stash_len() == 0
        {
            self.on_eof(id);
        }
    }

    /// Somebody speaks HTTP where TLS is expected: a person, probably, who can read what is wrong.
    #[cold]
    fn answer_plainly(&mut self, id: ConnectionId) {
        self.tls_failed(id, "plain HTTP where TLS is spoken");
        if let Some(connection) = self.connections.get_mut(id) {
            connection.tls = None;
        }
        self.refuse(
            id,
            &Refusal::bad("this port speaks TLS: ask with https:// or wss://"),
        );
        self.flush_one(id);
    }

    /// The peer broke TLS. It gets the alert, and nothing else any more.
    #[cold]
    fn fail_sealed(&mut self, id: ConnectionId, why: &str) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        // What waits cannot be encrypted.
        connection.outbox = Outbox::default();
        let has_begun = matches!(connection.phase, Phase::Open(_));
        let code = if has_begun {
            self.stats.violations += 1;
            1006
        } else {
            self.tls_failed(id, why);
            TLS_FAILED
        };
        let ending = Ending {
            os_error: Some(Errno::PROTO.raw_os_error()),
            ..Ending::new(code, why, ClosedBy::Network)
        };
        self.tell_closed(id, ending);
        self.finish_after_flush(id);
        self.flush_one(id);
    }
}

impl Connection {
    /// As [`Outbox::flush`], through TLS. Bytes of `extra` that were encrypted count as gone: they wait as ciphertext.
    pub(super) fn write_sealed(
        &mut self,
        pool: &mut Pool,
        sealing: &mut Sealing,
        extra: &[u8],
    ) -> Result<Flushed, Errno> {
        let Some(tls) = &mut self.tls else {
            return Err(Errno::INVAL);
        };
        let mut flushed = Flushed {
            bytes: 0,
            extra: 0,
            blocked: false,
        };
        while !tls.unsent().is_empty() {
            match send(&self.socket, tls.unsent(), self.flags.send_flags()) {
                Ok(sent) => {
                    flushed.bytes += sent;
                    tls.advance(sent);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    flushed.blocked = true;
                    return Ok(flushed);
                }
                Err(error) => return Err(error),
            }
        }
        while tls.may_seal() {
            let out = &mut sealing.sealed;
            out.clear();
            while out.bytes().len() < PORTION_BYTES {
                if self.outbox.is_file_next() {
                    self.outbox.read_file(pool)?;
                }
                let rest = &extra[flushed.extra..];
                let limit = PORTION_BYTES - out.bytes().len();
                let portion = self.outbox.portion(rest, limit, &mut sealing.gather);
                if portion.is_empty() {
                    break;
                }
                let len = portion.len();
                tls.seal(portion, out).map_err(|_| Errno::PROTO)?;
                flushed.extra += self.outbox.advance(len);
                if self.outbox.is_empty() && flushed.extra == extra.len() {
                    break;
                }
            }
            let is_all = self.outbox.is_empty() && flushed.extra == extra.len();
            if self.flags.finishing && is_all {
                tls.seal_end(out).map_err(|_| Errno::PROTO)?;
            }
            let out = out.bytes();
            if out.is_empty() {
                break;
            }
            let sent = loop {
                match send(&self.socket, out, self.flags.send_flags()) {
                    Ok(sent) => break sent,
                    Err(Errno::INTR) => {}
                    Err(Errno::AGAIN) => break 0,
                    Err(error) => return Err(error),
                }
            };
            flushed.bytes += sent;
            // Others have their turn, too: the socket will be found writable again at once.
            let is_enough = self.outbox.has_file() && flushed.bytes >= FILE_TURN_BYTES;
            if is_enough || sent < out.len() {
                tls.keep(&out[sent..]);
                flushed.blocked = true;
                break;
            }
            if is_all {
                break;
            }
        }
        self.outbox.release(pool);
        Ok(flushed)
    }
}
