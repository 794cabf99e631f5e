//! How long the loop's thread was at work between two looks at its sockets: the time for which everybody else waited.
//!
//! Plain integers, two additions a turn; the clock has been read anyway at the turn's beginning.

/// Upper bounds of the buckets in microseconds; the last one has none.
const BOUNDS_US: [u64; 14] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
    5_000_000,
];

/// See the module.
#[derive(Default)]
pub(crate) struct Lag {
    counts: [u64; BOUNDS_US.len() + 1],
    sum_ns: u64,
    /// Since when the thread has not been waiting; 0 while it waits.
    since_ns: u64,
}

impl Lag {
    /// A wait has ended.
    #[inline]
    pub(crate) fn begin(&mut self, now_ns: u64) {
        self.since_ns = now_ns;
    }

    /// The next wait begins.
    #[inline]
    pub(crate) fn end(&mut self, now_ns: u64) {
        let since_ns = std::mem::take(&mut self.since_ns);
        if since_ns == 0 {
            return;
        }
        let ns = now_ns.saturating_sub(since_ns);
        let us = ns / 1000;
        // Nearly always the first few.
        let bucket = BOUNDS_US.iter().position(|&bound| us <= bound);
        self.counts[bucket.unwrap_or(BOUNDS_US.len())] += 1;
        self.sum_ns += ns;
    }

    /// Upper bound in seconds and count of each bucket, not summed up, and the sum of all in seconds.
    pub(crate) fn read(&self) -> (Vec<(f64, u64)>, f64) {
        let bounds = BOUNDS_US.iter().map(|&us| us as f64 / 1e6);
        let buckets = bounds.chain([f64::INFINITY]).zip(self.counts);
        (buckets.collect(), self.sum_ns as f64 / 1e9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_counted_once_in_the_smallest_bucket_that_holds_it() {
        let mut lag = Lag::default();
        lag.end(5);
        for us in [50, 51, 6_000_000] {
            lag.begin(1);
            lag.end(1 + us * 1000);
            lag.end(7);
        }
        let (buckets, sum_s) = lag.read();
        assert_eq!(buckets[0], (0.000_05, 1));
        assert_eq!(buckets[1], (0.000_1, 1));
        assert_eq!(buckets.last(), Some(&(f64::INFINITY, 1)));
        assert_eq!(buckets.iter().map(|bucket| bucket.1).sum::<u64>(), 3);
        assert!((sum_s - 6.000_101).abs() < 1e-9);
    }
}
