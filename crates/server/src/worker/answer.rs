//! Answers: in one piece, or a head and then pieces, from memory or from files.
//!
//! A client finds the end of an answer only where there was one: whatever breaks off in the middle ends in a reset.

use hubbub_protocol::error::Misuse;
use hubbub_protocol::http::{
    BodyEnd, CHUNK_END, LAST_CHUNK, Refusal, Response, ResponseHead, push_chunk, push_chunk_size,
};

use super::Worker;
use super::write::{CORK_BYTES, Sent};
use crate::connection::{Connection, Phase};
use crate::exchange::{Answer, Exchange, FilePart, Upload};
use crate::id::ConnectionId;

/// A part of a file up to this size is read and sent along with the head: cheaper than a system call of its own.
const INLINE_FILE_BYTES: u64 = 16 << 10;

impl Worker {
    /// Answers a request that is with the application. False when the connection is gone.
    ///
    /// # Errors
    /// A field that may not be sent; then the request still waits for an answer.
    pub fn respond(&mut self, id: ConnectionId, response: &Response<'_>) -> Result<bool, Misuse> {
        self.refresh_date();
        let keeps_alive = self.keeps_alive();
        let Some(connection) = self.connections.get_mut(id) else {
            return Ok(false);
        };
        let Some(asked) = connection.asked() else {
            return Ok(false);
        };
        // What is left of the request's body will not be read, so nothing behind it can be.
        let keep_alive = asked.keep_alive
            && keeps_alive
            && !connection.flags.eof
            && connection.is_request_whole();
        let date = &self.date.1;
        connection.outbox.append(&mut self.pool, |out| {
            response.write(keep_alive, asked.head_only, date, out)
        })?;
        self.tally_answer(id, response.status);
        if !asked.head_only {
            self.note_content(id, response.body.len() as u64);
        }
        self.answered(id, keep_alive);
        Ok(true)
    }

    /// Begins an answer whose body follows by [`Worker::write`] and [`Worker::write_file`], up to [`Worker::finish`].
    /// Without a length it is sent in chunks, or to a client that knows none until the connection ends. False when the
    /// connection is gone.
    ///
    /// # Errors
    /// A field that may not be sent; then the request still waits for an answer.
    pub fn begin(
        &mut self,
        id: ConnectionId,
        status: u16,
        fields: &[(&str, &str)],
        length: Option<u64>,
    ) -> Result<bool, Misuse> {
        self.refresh_date();
        let keeps_alive = self.keeps_alive();
        let Some(connection) = self.connections.get_mut(id) else {
            return Ok(false);
        };
        let Some(asked) = connection.asked() else {
            return Ok(false);
        };
        let (end, answer) = match length {
            Some(left) => (
                BodyEnd::Length(left),
                Answer::Length {
                    left,
                    is_silent: asked.head_only,
                },
            ),
            None if asked.http11 => (BodyEnd::Chunked, Answer::Chunked),
            None => (BodyEnd::Connection, Answer::UntilClose),
        };
        let head = ResponseHead {
            status,
            fields,
            end,
        };
        let is_unread = matches!(&connection.phase, Phase::Exchange(exchange)
            if matches!(exchange.upload, Upload::Announced(_)));
        let keep_alive = asked.keep_alive && keeps_alive && !connection.flags.eof && !is_unread;
        let date = &self.date.1;
        connection
            .outbox
            .append(&mut self.pool, |out| head.write(keep_alive, date, out))?;
        let answer = match answer {
            Answer::Chunked | Answer::UntilClose if !head.has_body() || asked.head_only => {
                Answer::Silent
            }
            _ if !head.has_body() => Answer::Silent,
            other => other,
        };
        match &mut connection.phase {
            Phase::Exchange(exchange) => {
                exchange.answer = answer;
                exchange.asked.keep_alive = keep_alive;
            }
            phase => {
                *phase = Phase::Exchange(Box::new(Exchange {
                    asked: crate::exchange::Asked {
                        keep_alive,
                        ..asked
                    },
                    expects_continue: false,
                    head_bytes: 0,
                    upload: Upload::Done,
                    answer,
                }));
            }
        }
        self.tally_answer(id, status);
        self.mark_dirty(id);
        Ok(true)
    }

    fn tally_answer(&mut self, id: ConnectionId, status: u16) {
        if let Some(connection) = self.connections.get_mut(id) {
            let method = std::mem::take(&mut connection.flags.method);
            self.tally.answered(method, status);
        }
        self.note_status(id, status);
    }

    /// Sends the next piece of an answer that was begun.
    ///
    /// # Errors
    /// More than the length that was announced; then nothing is sent of it.
    pub fn write(&mut self, id: ConnectionId, piece: &[u8]) -> Result<Sent, Misuse> {
        let Some(connection) = self.connections.get(id) else {
            return Ok(Sent::Closed);
        };
        let cork_bytes = CORK_BYTES.min(connection.outbox_limit_bytes as usize);
        if connection.waiting_bytes() >= cork_bytes && !self.has_room(id) {
            return Ok(Sent::Dropped);
        }
        self.write_on(id, piece)
    }

    /// The same for a piece that an application in another thread has been told is queued.
    pub(crate) fn write_granted(&mut self, id: ConnectionId, piece: &[u8]) {
        let written = self.write_on(id, piece);
        debug_assert!(written.is_ok(), "looked at before it was commanded");
        if let Some(connection) = self.connections.get_mut(id) {
            connection.note_level();
            if let Some(gauge) = &connection.gauge {
                gauge.applied(piece.len());
            }
        }
    }

    fn write_on(&mut self, id: ConnectionId, piece: &[u8]) -> Result<Sent, Misuse> {
        let Some(connection) = self.connections.get_mut(id) else {
            return Ok(Sent::Closed);
        };
        let Phase::Exchange(exchange) = &mut connection.phase else {
            return Ok(Sent::Closed);
        };
        let length = piece.len() as u64;
        match &mut exchange.answer {
            Answer::Awaited => return Ok(Sent::Closed),
            Answer::Silent => return Ok(Sent::Queued),
            Answer::Length { left, is_silent } => {
                *left = left.checked_sub(length).ok_or(Misuse::BadLength {
                    off: length - *left,
                })?;
                if *is_silent {
                    return Ok(Sent::Queued);
                }
                connection
                    .outbox
                    .append(&mut self.pool, |out| out.extend_from_slice(piece));
            }
            Answer::UntilClose => connection
                .outbox
                .append(&mut self.pool, |out| out.extend_from_slice(piece)),
            Answer::Chunked => connection
                .outbox
                .append(&mut self.pool, |out| push_chunk(piece, out)),
        }
        self.note_content(id, length);
        Ok(self.after_write(id))
    }

    /// Sends a part of a file as the next piece of an answer that was begun.
    ///
    /// # Errors
    /// More than the length that was announced; then nothing is sent of it.
    pub fn write_file(&mut self, id: ConnectionId, part: FilePart) -> Result<Sent, Misuse> {
        let Some(connection) = self.connections.get_mut(id) else {
            return Ok(Sent::Closed);
        };
        let Phase::Exchange(exchange) = &mut connection.phase else {
            return Ok(Sent::Closed);
        };
        let mut is_chunk = false;
        match &mut exchange.answer {
            Answer::Awaited => return Ok(Sent::Closed),
            Answer::Silent => return Ok(Sent::Queued),
            Answer::Length { left, is_silent } => {
                let off = part.length.saturating_sub(*left);
                *left = left
                    .checked_sub(part.length)
                    .ok_or(Misuse::BadLength { off })?;
                if *is_silent {
                    return Ok(Sent::Queued);
                }
            }
            Answer::UntilClose => {}
            Answer::Chunked => is_chunk = true,
        }
        if part.length == 0 {
            return Ok(Sent::Queued);
        }
        let length = part.length;
        let (outbox, pool) = (&mut connection.outbox, &mut self.pool);
        if is_chunk {
            outbox.append(pool, |out| push_chunk_size(part.length, out));
        }
        let read = if part.length <= INLINE_FILE_BYTES && !outbox.has_file() {
            outbox.append(pool, |out| read_part(&part, out))
        } else {
            outbox.append_file(part);
            Ok(())
        };
        if is_chunk {
            outbox.append(pool, |out| out.extend_from_slice(CHUNK_END));
        }
        if read.is_err() {
            self.cut(id);
            return Ok(Sent::Closed);
        }
        self.note_content(id, length);
        Ok(self.after_write(id))
    }

    fn after_write(&mut self, id: ConnectionId) -> Sent {
        let Some(connection) = self.connections.get_mut(id) else {
            return Sent::Closed;
        };
        let over = connection.waiting_bytes() >= connection.outbox_limit_bytes as usize
            || connection.outbox.has_file();
        connection.flags.congested |= over;
        let is_corked = connection.waiting_bytes() < CORK_BYTES;
        if connection.flags.blocked {
            self.charge(id);
        } else if is_corked {
            self.mark_dirty(id);
        } else {
            self.flush_one(id);
        }
        match self.connections.get(id) {
            None => Sent::Closed,
            Some(connection) if connection.flags.congested => Sent::Backpressure,
            Some(_) => Sent::Queued,
        }
    }

    /// Ends an answer that was begun. False when the connection is gone.
    ///
    /// # Errors
    /// Less than the length that was announced; then the connection is cut.
    pub fn finish(&mut self, id: ConnectionId) -> Result<bool, Misuse> {
        let Some(connection) = self.connections.get_mut(id) else {
            return Ok(false);
        };
        let Phase::Exchange(exchange) = &mut connection.phase else {
            return Ok(false);
        };
        let is_whole = matches!(exchange.upload, Upload::Done);
        let keep_alive = exchange.asked.keep_alive && is_whole && !connection.flags.eof;
        match exchange.answer {
            Answer::Awaited => return Ok(false),
            Answer::Length {
                left,
                is_silent: false,
            } if left > 0 => {
                self.cut(id);
                return Err(Misuse::BadLength { off: left });
            }
            Answer::Chunked => connection
                .outbox
                .append(&mut self.pool, |out| out.extend_from_slice(LAST_CHUNK)),
            Answer::Length { .. } | Answer::UntilClose | Answer::Silent => {}
        }
        self.answered(id, keep_alive);
        Ok(true)
    }

    /// Ends a connection in the middle of an answer, in a way that no client takes for the answer's end.
    pub fn cut(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        connection.flags.told = true;
        connection.end_by_reset();
        self.stats.answers_cut += 1;
        self.remove(id);
    }

    /// The answer has been given: the next request, or the end.
    fn answered(&mut self, id: ConnectionId, keep_alive: bool) {
        // An answer that was begun before the drain has promised more than it will get.
        let keep_alive = keep_alive && self.keeps_alive();
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        connection.flags.told = true;
        connection.flags.paused = false;
        connection.flags.congested = false;
        connection.take_besides();
        // What the application has not taken of the body is its own affair now.
        self.set_app_held(id, 0);
        self.note_end(id);
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if keep_alive {
            connection.phase = Connection::idle_head();
            self.mark_dirty(id);
            self.set_deadline(id, self.spans.keep_alive);
            self.read_on(id);
        } else {
            self.finish_after_answer(id);
        }
    }

    /// Whatever the request that is with the application is refused with, from here or by itself, says these, too.
    pub fn refuse_with(&mut self, id: ConnectionId, fields: Vec<(String, String)>) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.rare().besides = fields;
        }
    }

    /// Answers a request, whole or not, with an error, and ends the connection.
    pub fn refuse(&mut self, id: ConnectionId, refusal: &Refusal) {
        self.refresh_date();
        self.stats.bad_requests += 1;
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let head_only = connection.asked().is_some_and(|asked| asked.head_only);
        let date = &self.date.1;
        let besides = connection.take_besides();
        let besides: Vec<_> = besides
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        connection.outbox.append(&mut self.pool, |out| {
            refusal.write(&besides, head_only, date, out)
        });
        connection.flags.told = true;
        let is_read = connection
            .rare
            .as_ref()
            .is_some_and(|rare| rare.inquiry.is_some());
        self.tally_answer(id, refusal.status);
        if is_read {
            self.note_end(id);
        } else {
            self.note_unread(id, refusal.status);
        }
        self.finish_after_flush(id);
    }
}

fn read_part(part: &FilePart, out: &mut Vec<u8>) -> Result<(), rustix::io::Errno> {
    let before = out.len();
    out.resize(before + part.length as usize, 0);
    let mut filled = before;
    while filled < out.len() {
        let offset = part.offset + (filled - before) as u64;
        match rustix::io::pread(&part.file, &mut out[filled..], offset) {
            Ok(0) => return Err(rustix::io::Errno::IO),
            Ok(count) => filled += count,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
