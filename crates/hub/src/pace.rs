//! How fast somebody may go on.

/// How far somebody is ahead of a rate, as the time until which all of it is used up. Times are seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    until_s: f64,
    burst_s: f64,
}

impl Pace {
    /// A pace of somebody who has used nothing; what comes in `burst_s` may be used at once.
    #[must_use]
    pub fn new(burst_s: f64) -> Self {
        Self {
            until_s: 0.0,
            burst_s,
        }
    }

    /// Takes one of what is there every `each_s` seconds; tells whether there was one.
    pub fn take(&mut self, now_s: f64, each_s: f64) -> bool {
        // A clock that was put back must not keep anybody out.
        self.until_s = self.until_s.min(now_s + self.burst_s);
        let has_one = self.has_one(now_s, each_s);
        if has_one {
            self.until_s = self.until_s.max(now_s) + each_s;
        }
        has_one
    }

    /// Whether there is one to take.
    #[must_use]
    pub fn has_one(&self, now_s: f64, each_s: f64) -> bool {
        let latest_s = now_s + self.burst_s;
        self.until_s.max(now_s).min(latest_s) + each_s <= latest_s
    }

    /// Uses up what comes in so many seconds, as far as there is any.
    pub fn charge(&mut self, now_s: f64, seconds: f64) {
        self.until_s = (self.until_s.max(now_s) + seconds).min(now_s + self.burst_s);
    }

    /// When nothing is used up any more.
    #[must_use]
    pub fn until_s(&self) -> f64 {
        self.until_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_there_at_once_and_then_one_after_the_other() {
        let mut pace = Pace::new(2.0);
        let taken = (0..10).filter(|_| pace.take(100.0, 0.5)).count();
        assert_eq!(taken, 4);
        assert!(!pace.take(100.25, 0.5));
        assert!(pace.has_one(100.5, 0.5));
        assert!(pace.take(100.5, 0.5));
        assert!(!pace.has_one(100.5, 0.5));
    }

    #[test]
    fn a_clock_that_goes_back_keeps_nobody_out_for_longer_than_a_burst() {
        let mut pace = Pace::new(2.0);
        assert!(pace.take(1_000.0, 0.5));
        assert!(!pace.take(10.0, 0.5));
        assert!(pace.take(10.5, 0.5));
    }

    #[test]
    fn what_is_charged_is_never_more_than_a_burst() {
        let mut pace = Pace::new(2.0);
        pace.charge(100.0, 50.0);
        assert!((pace.until_s() - 102.0).abs() < 1e-9);
        assert!(pace.take(100.5, 0.5));
    }
}
