//! Counts by kind: how WebSockets ended, how requests were answered. Bounded, whatever peers do.
//!
//! One thread writes, others may read at any time: each count is stored, never added atomically, so it costs what a plain
//! integer costs. Counts without kinds are in `stats`.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::access::AccessBook;
use crate::event::ClosedBy;

/// What may stand for the method of a request: those of RFC 9110 §9 and RFC 5789; every other is one of "other".
const METHODS: [&str; 9] = [
    "other", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE",
];
const STATUSES: std::ops::Range<u16> = 100..600;

/// 1000 to 1015 each by itself, then all of 3000 to 3999, then all of 4000 to 4999 (RFC 6455 §7.4.2).
const CODES: usize = 18;
const REGISTERED: usize = 16;
const PRIVATE: usize = 17;

/// The method of a request, as far as it is counted by itself; by default "other", so also of one that was never read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Method(u8);

impl Method {
    pub(crate) fn of(name: &str) -> Self {
        let known = METHODS.iter().position(|&known| known == name);
        Self(known.unwrap_or_default() as u8)
    }
}

/// See the module.
#[derive(Debug)]
pub struct Tally {
    closed: [[AtomicU64; CODES]; 4],
    /// By method, then by status. Memory that is never written to is never there.
    answered: Box<[AtomicU64]>,
    /// The requests themselves, if somebody wants to read of them.
    pub access: AccessBook,
}

impl Default for Tally {
    fn default() -> Self {
        let statuses = METHODS.len() * STATUSES.len();
        Self {
            closed: std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0))),
            answered: (0..statuses).map(|_| AtomicU64::new(0)).collect(),
            access: AccessBook::default(),
        }
    }
}

impl Tally {
    /// A WebSocket has ended.
    pub(crate) fn closed(&self, code: u16, by: ClosedBy) {
        let code = match code {
            1000..=1015 => usize::from(code - 1000),
            3000..=3999 => REGISTERED,
            4000..=4999 => PRIVATE,
            // Nothing else passes the endpoint.
            _ => return,
        };
        let by = match by {
            ClosedBy::Peer => 0,
            ClosedBy::App => 1,
            ClosedBy::Server => 2,
            ClosedBy::Network => 3,
        };
        add_one(&self.closed[by][code]);
    }

    /// A request has been answered, by whomever.
    pub(crate) fn answered(&self, method: Method, status: u16) {
        if STATUSES.contains(&status) {
            let row = usize::from(method.0) * STATUSES.len();
            add_one(&self.answered[row + usize::from(status - STATUSES.start)]);
        }
    }

    /// Close code, who closed, how often; what never happened is left out.
    pub fn closes(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        const BY: [&str; 4] = ["peer", "app", "server", "network"];
        const NAMES: [&str; CODES] = [
            "1000", "1001", "1002", "1003", "1004", "1005", "1006", "1007", "1008", "1009", "1010",
            "1011", "1012", "1013", "1014", "1015", "3xxx", "4xxx",
        ];
        self.closed.iter().zip(BY).flat_map(|(codes, by)| {
            let seen = codes.iter().zip(NAMES);
            seen.map(move |(count, code)| (code, by, count.load(Ordering::Relaxed)))
                .filter(|&(.., count)| count > 0)
        })
    }

    /// Method, status, how often; what never happened is left out.
    pub fn answers(&self) -> impl Iterator<Item = (&'static str, u16, u64)> {
        self.answered
            .chunks(STATUSES.len())
            .zip(METHODS)
            .flat_map(|(statuses, method)| {
                let seen = statuses.iter().zip(STATUSES);
                seen.map(move |(count, status)| (method, status, count.load(Ordering::Relaxed)))
                    .filter(|&(.., count)| count > 0)
            })
    }
}

/// There is one writer, so nothing comes between.
fn add_one(count: &AtomicU64) {
    count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_cannot_add_kinds() {
        let tally = Tally::default();
        for code in 0..=u16::MAX {
            for by in [ClosedBy::Peer, ClosedBy::Network] {
                tally.closed(code, by);
            }
            tally.answered(Method::of("BREW"), code);
        }
        assert_eq!(tally.closes().count(), 2 * CODES);
        assert_eq!(tally.answers().count(), STATUSES.len());
        assert!(tally.closes().any(|kind| kind == ("4xxx", "peer", 1000)));
    }

    #[test]
    fn what_happened_is_told_by_kind() {
        let tally = Tally::default();
        tally.closed(1000, ClosedBy::App);
        tally.closed(1000, ClosedBy::App);
        tally.answered(Method::of("GET"), 200);
        tally.answered(Method::of("get"), 404);
        assert_eq!(tally.closes().collect::<Vec<_>>(), [("1000", "app", 2)]);
        assert_eq!(
            tally.answers().collect::<Vec<_>>(),
            [("other", 404, 1), ("GET", 200, 1)]
        );
    }
}
