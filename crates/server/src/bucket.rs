//! Token buckets of eight bytes each. Pure: time is an argument.
//!
//! A bucket is the moment at which it will be full again; whoever takes something moves that moment on (ITU-T I.371 calls
//! it the virtual scheduling algorithm). So nothing has to be refilled, and a bucket nobody uses costs nothing.

/// Nanoseconds of a second.
const SECOND_NS: u64 = 1_000_000_000;

/// How fast a bucket fills, and how much it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    per_second: u64,
    /// How long an empty bucket takes to fill.
    full_ns: u64,
}

impl Rate {
    /// `None` for a rate of 0, which means no limit. The bucket holds at least one unit.
    pub(crate) fn new(per_second: u64, burst: u64) -> Option<Self> {
        (per_second > 0).then(|| Self {
            per_second,
            full_ns: span_ns(burst.max(1), per_second),
        })
    }

    /// The same, holding what a second brings.
    pub(crate) fn even(per_second: u64) -> Option<Self> {
        Self::new(per_second, per_second)
    }
}

/// How long `units` take to come.
fn span_ns(units: u64, per_second: u64) -> u64 {
    let span = u128::from(units) * u128::from(SECOND_NS) / u128::from(per_second);
    u64::try_from(span).unwrap_or(u64::MAX)
}

/// See the module. A new one is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bucket {
    full_at_ns: u64,
}

impl Bucket {
    /// The bucket that is full from this moment on.
    pub(crate) fn full_at(ns: u64) -> Self {
        Self { full_at_ns: ns }
    }

    /// When it will be full.
    pub(crate) fn full_at_ns(self) -> u64 {
        self.full_at_ns
    }

    /// Takes so many units if they are there; otherwise takes nothing, and tells how long until they will be.
    pub(crate) fn take(&mut self, rate: Rate, units: u64, now_ns: u64) -> Result<(), u64> {
        let mut after = *self;
        match after.charge(rate, units, now_ns) {
            0 => {
                *self = after;
                Ok(())
            }
            missing_ns => Err(missing_ns),
        }
    }

    /// Takes so many units whether they are there or not; tells how long until what is owed has come, 0 for nothing.
    pub(crate) fn charge(&mut self, rate: Rate, units: u64, now_ns: u64) -> u64 {
        self.full_at_ns = self
            .full_at_ns
            .max(now_ns)
            .saturating_add(span_ns(units, rate.per_second));
        self.owed_ns(rate, now_ns)
    }

    /// How long until what is owed has come.
    pub(crate) fn owed_ns(self, rate: Rate, now_ns: u64) -> u64 {
        let empty_for = now_ns.saturating_add(rate.full_ns);
        self.full_at_ns.saturating_sub(empty_for)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let rate = Rate::new(10, 3).expect("a rate");
        let mut bucket = Bucket::default();
        let now = 5 * SECOND_NS;
        for _ in 0..3 {
            assert_eq!(bucket.take(rate, 1, now), Ok(()));
        }
        assert_eq!(bucket.take(rate, 1, now), Err(SECOND_NS / 10));
        assert_eq!(bucket.take(rate, 1, now + SECOND_NS / 10), Ok(()));
        assert_eq!(bucket.take(rate, 3, now + SECOND_NS), Ok(()));
    }

    #[test]
    fn a_debt_is_worked_off() {
        let rate = Rate::even(1000).expect("a rate");
        let mut bucket = Bucket::default();
        assert_eq!(bucket.charge(rate, 1000, SECOND_NS), 0);
        assert_eq!(bucket.charge(rate, 500, SECOND_NS), SECOND_NS / 2);
        assert_eq!(bucket.owed_ns(rate, SECOND_NS * 3 / 2), 0);
    }

    #[test]
    fn no_rate_is_no_limit() {
        assert_eq!(Rate::new(0, 5), None);
        assert_eq!(size_of::<Bucket>(), 8);
    }

    #[test]
    fn the_largest_numbers_do_no_harm() {
        let rate = Rate::new(1, u64::MAX).expect("a rate");
        let mut bucket = Bucket::full_at(u64::MAX);
        assert_eq!(bucket.charge(rate, u64::MAX, u64::MAX), 0);
        let slow = Rate::new(1, 1).expect("a rate");
        assert!(Bucket::default().charge(slow, u64::MAX, 1) > 0);
    }

    proptest! {
        // The oracle: a bucket with a level, filled step by step, in exact arithmetic.
        #[test]
        fn it_gives_what_a_bucket_with_a_level_gives(
            per_second in 1_u64..5000,
            burst in 1_u64..50,
            steps in prop::collection::vec((0_u64..50_000_000, 1_u64..8), 1..200),
        ) {
            let rate = Rate::new(per_second, burst).unwrap();
            // Both count in nanoseconds' worth of tokens, so that rounding is the same.
            let most = u128::from(span_ns(burst, per_second));
            let (mut bucket, mut now) = (Bucket::default(), SECOND_NS);
            let mut level = most;
            for (pause, units) in steps {
                now += pause;
                level = (level + u128::from(pause)).min(most);
                let cost = u128::from(span_ns(units, per_second));
                let found = bucket.take(rate, units, now);
                if cost <= level {
                    level -= cost;
                    prop_assert_eq!(found, Ok(()));
                } else {
                    prop_assert_eq!(found, Err((cost - level) as u64));
                }
            }
        }

        #[test]
        fn never_more_than_burst_and_rate(
            per_second in 1_u64..2000,
            burst in 1_u64..100,
            pauses in prop::collection::vec(0_u64..20_000_000, 1..300),
        ) {
            let rate = Rate::new(per_second, burst).unwrap();
            let (mut bucket, mut now, mut given) = (Bucket::default(), SECOND_NS, 0);
            for pause in pauses {
                now += pause;
                given += u64::from(bucket.take(rate, 1, now).is_ok());
                // One for the rounding of a unit's span down to whole nanoseconds.
                let most = burst + 1 + (u128::from(now - SECOND_NS) * u128::from(per_second) / u128::from(SECOND_NS)) as u64;
                prop_assert!(given <= most, "{given} of {most}");
            }
        }

        #[test]
        fn who_waits_as_told_is_served(per_second in 1_u64..2000, burst in 1_u64..9, units in 1_u64..9) {
            let rate = Rate::new(per_second, burst.max(units)).unwrap();
            let (mut bucket, now) = (Bucket::default(), SECOND_NS);
            bucket.charge(rate, 20, now);
            if let Err(wait) = bucket.take(rate, units, now) {
                prop_assert!(bucket.take(rate, units, now + wait - 1).is_err());
                prop_assert_eq!(bucket.take(rate, units, now + wait), Ok(()));
            }
        }

        // Another processor's clock may be behind.
        #[test]
        fn time_that_steps_back_gives_nothing(back in 0_u64..SECOND_NS) {
            let rate = Rate::new(10, 1).unwrap();
            let mut bucket = Bucket::default();
            prop_assert_eq!(bucket.take(rate, 1, 2 * SECOND_NS), Ok(()));
            prop_assert!(bucket.take(rate, 1, 2 * SECOND_NS - back).is_err());
        }
    }
}
