//! The worker's time: monotonic, in ticks, and standing still while the process does.
//!
//! Deadlines must not fall due because *we* were suspended, stopped or blocked in a handler: the peers had no chance
//! to be heard meanwhile. Time that passed without the worker looking at its sockets is therefore left out.

/// Ticks since the worker started; one tick is 100 ms. Wraps after 13 years.
pub(crate) type Tick = u32;

/// Length of a tick in milliseconds.
pub(crate) const TICK_MS: u64 = 100;

/// What may pass between two looks at the sockets, beyond the time asked for, before it counts as a stall.
const STALL_MS: u64 = 1_000;

/// Turns the system's monotonic time into the worker's.
pub(crate) struct Clock {
    last_ms: u64,
    /// Stalls so far: how far the worker's time lags behind the system's.
    stalled_ms: u64,
    origin_ms: u64,
}

impl Clock {
    pub(crate) fn new(system_ms: u64) -> Self {
        Self {
            last_ms: system_ms,
            stalled_ms: 0,
            origin_ms: system_ms,
        }
    }

    /// Takes the system's time after a wait that was to last at most `asked_ms`, and tells the length of a stall, if it was one.
    pub(crate) fn advance(&mut self, system_ms: u64, asked_ms: u64) -> Option<u64> {
        let passed = system_ms.saturating_sub(self.last_ms);
        self.last_ms = self.last_ms.max(system_ms);
        let excess = passed.saturating_sub(asked_ms);
        if excess <= STALL_MS {
            return None;
        }
        self.stalled_ms += excess;
        Some(excess)
    }

    /// The system's time when [`Clock::advance`] was last told it.
    pub(crate) fn system_ms(&self) -> u64 {
        self.last_ms
    }

    /// The worker's time in milliseconds.
    pub(crate) fn now_ms(&self) -> u64 {
        self.last_ms - self.origin_ms - self.stalled_ms
    }

    /// The worker's time in whole ticks.
    #[inline]
    pub(crate) fn tick(&self) -> Tick {
        (self.now_ms() / TICK_MS) as Tick
    }
}

/// A span in seconds as ticks, rounded up; at least one.
pub(crate) fn ticks(seconds: f64) -> Tick {
    ((seconds * 1000.0 / TICK_MS as f64).ceil() as Tick).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_does_not_count() {
        let mut clock = Clock::new(5_000);
        assert_eq!(clock.advance(5_900, 0), None);
        assert_eq!(clock.tick(), 9);
        assert_eq!(clock.advance(3_605_900, 100), Some(3_599_900));
        assert_eq!(clock.tick(), 10);
        assert_eq!(clock.advance(3_606_900, 1_000), None);
        assert_eq!(clock.tick(), 20);
    }

    #[test]
    fn a_clock_that_jumps_back_stands_still() {
        let mut clock = Clock::new(5_000);
        clock.advance(6_000, 0);
        assert_eq!(clock.advance(1_000, 0), None);
        assert_eq!(clock.now_ms(), 1_000);
    }
}
