//! What became of each request, for access lines: written by one thread, fetched by whoever logs, many at a time.
//!
//! Switched off, it costs one load for each request. Only the path is kept of a target: a query may carry tokens.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::id::ConnectionId;

/// Lines that may wait to be fetched; further ones are counted, and lost.
const LINES_MAX: usize = 10_000;

/// A request, from its head to the end of its answer.
#[derive(Debug)]
pub(crate) struct Inquiry {
    pub(crate) client: Option<IpAddr>,
    pub(crate) method: Box<str>,
    pub(crate) path: Box<str>,
    pub(crate) begun_ns: u64,
    /// Of the answer; 0 as long as there is none.
    pub(crate) status: u16,
    /// Of the answer's content, so far.
    pub(crate) bytes: u64,
}

impl Inquiry {
    /// Bytes on the heap.
    pub(crate) fn held_bytes(&self) -> usize {
        size_of::<Self>() + self.method.len() + self.path.len()
    }
}

/// What has gone over one WebSocket, where access lines are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Messages that came.
    pub messages_in: u64,
    /// Bytes that were received, as they are on the wire.
    pub bytes_in: u64,
    /// Messages that were queued for it, publications included.
    pub messages_out: u64,
    /// Bytes that were sent, as they are on the wire.
    pub bytes_out: u64,
}

/// Counts the traffic of one connection; of one that nobody wants to read of, nothing.
#[derive(Debug, Default)]
pub(crate) struct Meter(Option<Box<Traffic>>);

impl Meter {
    pub(crate) fn running() -> Self {
        Self(Some(Box::default()))
    }

    /// So many bytes have been received.
    #[inline]
    pub(crate) fn received(&mut self, bytes: usize) {
        if let Some(traffic) = &mut self.0 {
            traffic.bytes_in += bytes as u64;
        }
    }

    /// So many bytes have been sent.
    #[inline]
    pub(crate) fn sent(&mut self, bytes: usize) {
        if let Some(traffic) = &mut self.0 {
            traffic.bytes_out += bytes as u64;
        }
    }

    /// A message has come.
    #[inline]
    pub(crate) fn heard(&mut self) {
        if let Some(traffic) = &mut self.0 {
            traffic.messages_in += 1;
        }
    }

    /// A message has been queued.
    #[inline]
    pub(crate) fn said(&mut self) {
        if let Some(traffic) = &mut self.0 {
            traffic.messages_out += 1;
        }
    }

    /// Takes what was counted, and counts no more.
    pub(crate) fn take(&mut self) -> Option<Box<Traffic>> {
        self.0.take()
    }

    /// Bytes on the heap.
    pub(crate) fn held_bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |_| size_of::<Traffic>())
    }
}

/// One request that is over.
#[derive(Debug)]
#[non_exhaustive]
pub struct AccessLine {
    /// By which connection it came.
    pub id: ConnectionId,
    /// Who asked, as trusted proxies tell it; `None`: a Unix socket.
    pub client: Option<IpAddr>,
    /// The method; empty if the request could not be read.
    pub method: Box<str>,
    /// The path in its normal form; empty if the request could not be read.
    pub path: Box<str>,
    /// The status of the answer; 0 if the client went away before.
    pub status: u16,
    /// Content of the answer, in bytes.
    pub bytes: u64,
    /// From the request's head to the end of the answer, in nanoseconds.
    pub duration_ns: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub struct AccessBook {
    is_on: AtomicBool,
    page: Mutex<Page>,
}

#[derive(Debug, Default)]
struct Page {
    lines: Vec<AccessLine>,
    lost: u64,
}

impl AccessBook {
    /// Whether lines are wanted.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    /// Says whether lines are wanted, from the next request on.
    pub fn turn(&self, on: bool) {
        self.is_on.store(on, Ordering::Relaxed);
    }

    pub(crate) fn write(&self, line: AccessLine) {
        let mut page = self.page.lock().unwrap_or_else(PoisonError::into_inner);
        if page.lines.len() < LINES_MAX {
            page.lines.push(line);
        } else {
            page.lost += 1;
        }
    }

    /// Takes what has been written, and how much found no room.
    pub fn take(&self) -> (Vec<AccessLine>, u64) {
        let mut page = self.page.lock().unwrap_or_else(PoisonError::into_inner);
        (
            std::mem::take(&mut page.lines),
            std::mem::take(&mut page.lost),
        )
    }
}
