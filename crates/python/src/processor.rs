//! What a thread has had of the processors, as Linux tells it (proc(5)). Elsewhere nobody knows.

use std::fs;
use std::time::Duration;

/// See the module: since the thread began.
#[derive(Clone, Copy)]
pub(crate) struct Account {
    worked: Duration,
    /// It could have gone on, and had no processor. A wait that still lasts is not in it.
    queued: Duration,
    /// How often it has stopped to wait for something else.
    rests: u64,
    /// It works, or would if it had a processor.
    is_ready: bool,
}

/// What became of a span of a thread's time.
#[derive(Clone, Copy)]
pub(crate) struct Spent {
    working: Duration,
    /// It would have worked, and had no processor.
    pub(crate) queueing: Duration,
    /// For something else.
    waiting: Duration,
}

impl Spent {
    /// What the thread did while nobody kept a processor from it.
    pub(crate) fn cause(&self) -> &'static str {
        if self.working >= self.waiting {
            "working"
        } else {
            "waiting"
        }
    }

    /// Which part of the span it worked.
    pub(crate) fn at_work(&self) -> f64 {
        let span = self.working + self.queueing + self.waiting;
        if span.is_zero() {
            0.0
        } else {
            self.working.div_duration_f64(span)
        }
    }
}

impl Account {
    /// That of a thread of this process, by the system's number; None where it cannot be read.
    pub(crate) fn of(thread: u32) -> Option<Self> {
        let read = |name| fs::read_to_string(format!("/proc/self/task/{thread}/{name}")).ok();
        let times = read("schedstat")?;
        let mut times = times.split_whitespace().map(str::parse);
        let mut next = || Some(Duration::from_nanos(times.next()?.ok()?));
        let status = read("status")?;
        let field = |name| status.lines().find_map(|line| line.strip_prefix(name));
        Some(Self {
            worked: next()?,
            queued: next()?,
            rests: field("voluntary_ctxt_switches:")?.trim().parse().ok()?,
            is_ready: field("State:")?.trim().starts_with('R'),
        })
    }

    /// What became of a span that began when the account was `before`.
    pub(crate) fn since(&self, before: &Self, span: Duration) -> Spent {
        let working = self.worked.saturating_sub(before.worked).min(span);
        let rest = span - working;
        let queueing = if self.is_ready && self.rests == before.rests {
            // It has never stopped by itself: whenever it did not work, it would have.
            rest
        } else {
            self.queued.saturating_sub(before.queued).min(rest)
        };
        Spent {
            working,
            queueing,
            waiting: rest - queueing,
        }
    }
}
