//! The measured stretch of time: what is counted in it, and how busy both sides were.

use std::collections::HashMap;

use hdrhistogram::Histogram;

use crate::failure::Failure;
use crate::options::Options;
use crate::poll::Poll;
use crate::report::{Latency, Report, ServerLoad};
use crate::server::Server;

/// Busier than this, the client may have been what limits a closed loop …
const CLIENT_FULL: f64 = 0.98;
/// … unless the server had hardly a free moment either.
const SERVER_FULL: f64 = 0.90;

/// Threads that were busy for less than this share of the time are not worth a word.
const BUSY_MIN: f64 = 0.01;

const LATENCY_MAX_NS: u64 = 100_000_000_000;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    WarmUp,
    Measuring,
    Over,
}

struct Moment {
    at_ns: u64,
    idle_ns: u64,
    server_cpu_ns: Option<u64>,
    server_threads: Threads,
}

/// CPU time of threads by their id, with their names.
pub(crate) type Threads = HashMap<u32, (String, u64)>;

/// Warm-up, measurement and end of one run.
pub(crate) struct Window {
    begin_ns: u64,
    end_ns: u64,
    server: Option<Server>,
    first: Option<Moment>,
    last: Option<Moment>,
    phase: Phase,
    count: u64,
    latency: Histogram<u64>,
}

impl Window {
    pub(crate) fn new(options: &Options, server: Option<Server>, poll: &Poll) -> Self {
        let begin_ns = poll.now() + options.warm_up.as_nanos() as u64;
        Self {
            begin_ns,
            end_ns: begin_ns + options.duration.as_nanos() as u64,
            server,
            first: None,
            last: None,
            phase: Phase::WarmUp,
            count: 0,
            latency: Histogram::new_with_bounds(1, LATENCY_MAX_NS, 3)
                .expect("the bounds are in order"),
        }
    }

    /// The phase at `now`; takes the readings when it changes.
    pub(crate) fn advance(&mut self, now: u64, poll: &Poll) -> Result<Phase, Failure> {
        let due = match now {
            now if now >= self.end_ns => Phase::Over,
            now if now >= self.begin_ns => Phase::Measuring,
            _ => Phase::WarmUp,
        };
        if due > self.phase {
            let moment = Moment {
                at_ns: poll.now(),
                idle_ns: poll.idle_ns(),
                server_cpu_ns: self.server.as_ref().map(Server::cpu_ns).transpose()?,
                server_threads: self
                    .server
                    .as_ref()
                    .map(Server::threads)
                    .unwrap_or_default(),
            };
            match due {
                Phase::Over => self.last = Some(moment),
                _ => self.first = Some(moment),
            }
            self.phase = due;
        }
        Ok(self.phase)
    }

    /// When the next phase begins.
    pub(crate) fn next_ns(&self) -> u64 {
        match self.phase {
            Phase::WarmUp => self.begin_ns,
            _ => self.end_ns,
        }
    }

    /// `count` things done at `now`, which were begun, or due, at `begun_ns`.
    ///
    /// What was due in the window and comes late counts for the latency, or slow answers would hide behind the end.
    pub(crate) fn record(&mut self, count: u64, begun_ns: u64, now: u64) {
        if self.phase == Phase::Measuring {
            self.count += count;
        }
        if (self.begin_ns..self.end_ns).contains(&begun_ns) {
            self.latency.saturating_record_n(now - begun_ns, count);
        }
    }

    pub(crate) fn report(self, options: &Options) -> Report {
        let mut report = Report::new(options);
        let (Some(first), Some(last)) = (self.first, self.last) else {
            return report;
        };
        let wall_ns = (last.at_ns - first.at_ns) as f64;
        report.seconds = wall_ns / 1e9;
        report.count = self.count;
        report.client_busy = Some(1.0 - (last.idle_ns - first.idle_ns) as f64 / wall_ns);
        if let (Some(before), Some(after)) = (first.server_cpu_ns, last.server_cpu_ns) {
            let cpu_ns = (after - before) as f64;
            report.server = Some(ServerLoad {
                busy: cpu_ns / wall_ns,
                cpu_us_per_unit: cpu_ns / 1e3 / self.count.max(1) as f64,
                threads: shares(&first.server_threads, last.server_threads, wall_ns),
            });
        }
        let server_is_full = report
            .server
            .as_ref()
            .is_some_and(|server| server.busy >= SERVER_FULL);
        report.client_saturated =
            report.client_busy.is_some_and(|busy| busy >= CLIENT_FULL) && !server_is_full;
        if !self.latency.is_empty() {
            let us = |quantile: f64| self.latency.value_at_quantile(quantile) as f64 / 1e3;
            report.latency = Some(Latency {
                p50_us: us(0.5),
                p90_us: us(0.9),
                p99_us: us(0.99),
                p99_9_us: us(0.999),
                max_us: self.latency.max() as f64 / 1e3,
            });
        }
        report
    }
}

/// How busy each thread was, the busiest first.
pub(crate) fn shares(before: &Threads, after: Threads, wall_ns: f64) -> Vec<(String, f64)> {
    let share = |(tid, (name, cpu_ns)): (u32, (String, u64))| {
        let begun_ns = before.get(&tid).map_or(0, |(_, cpu_ns)| *cpu_ns);
        (name, cpu_ns.saturating_sub(begun_ns) as f64 / wall_ns)
    };
    let mut shares: Vec<_> = after.into_iter().map(share).collect();
    shares.retain(|(_, share)| *share >= BUSY_MIN);
    shares.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    shares
}
