//! Every message comes back: closed loop (a fixed number in flight) or open loop (a fixed rate).

use std::collections::VecDeque;
use std::time::Duration;

use crate::crowd::{Crowd, Floor, part};
use crate::failure::Failure;
use crate::line::Line;
use crate::opening::PATIENCE_NS;
use crate::options::Options;
use crate::reader::Lanes;
use crate::report::Report;
use crate::script::Script;
use crate::server::Server;
use crate::target::Target;
use crate::window::{Phase, Window};

/// In the open loop a message handed over this long after its time is late …
const LATE_NS: u64 = 1_000_000;
/// … and this share of them makes a client that could not keep its schedule.
const LATE_SHARE: f64 = 0.01;

pub(crate) fn run(
    options: &Options,
    depth: usize,
    rate_per_s: Option<f64>,
    target: &Target,
    server: Option<Server>,
    floor: &mut Floor,
) -> Result<Report, Failure> {
    let crowd = Crowd::open(options, target, floor)?;
    let is_compressed = crowd.is_compressed();
    let slots = Script::slots(options.size_bytes, depth);
    let lanes = crowd.lanes(options, 1, slots, &mut floor.codec);
    let members = crowd.members.into_iter().enumerate();
    let members: Vec<Member> = members
        .map(|(number, opened)| Member {
            line: Line::new(opened, number, 1, number % slots),
            begun: VecDeque::new(),
        })
        .collect();

    let mut echo = Echo {
        members,
        lanes,
        window: Window::new(options, server, &floor.poll),
        in_flight: 0,
        progress_ns: floor.poll.now(),
    };
    let mut schedule = rate_per_s.map(|rate| Schedule::new(rate, floor.poll.now()));
    if schedule.is_none() {
        for number in 0..echo.members.len() {
            let now = floor.poll.now();
            echo.say(number, depth, now, floor)?;
        }
    }
    while echo.turn(schedule.as_mut(), floor)? {}

    if let Some(schedule) = schedule {
        schedule.verdict()?;
    }
    let mut report = echo.window.report(options);
    report.compressed = is_compressed;
    part(
        echo.members.into_iter().map(|member| member.line).collect(),
        floor,
    )?;
    Ok(report)
}

struct Member {
    line: Line,
    /// How many messages in flight were sent, or due, at which time.
    begun: VecDeque<(usize, u64)>,
}

struct Echo {
    members: Vec<Member>,
    lanes: Lanes,
    window: Window,
    in_flight: usize,
    progress_ns: u64,
}

impl Echo {
    /// Hands over `count` messages that were due at `due_ns`.
    fn say(
        &mut self,
        number: usize,
        count: usize,
        due_ns: u64,
        floor: &Floor,
    ) -> Result<(), Failure> {
        let member = &mut self.members[number];
        if count > 0 {
            member.begun.push_back((count, due_ns));
        }
        member.line.writer.add(count);
        self.in_flight += count;
        member.line.write(&self.lanes.0[0], &floor.poll)
    }

    /// Waits, reads, answers; `false` when time is over and everything has come back.
    fn turn(
        &mut self,
        mut schedule: Option<&mut Schedule>,
        floor: &mut Floor,
    ) -> Result<bool, Failure> {
        let now = floor.poll.now();
        let phase = self.window.advance(now, &floor.poll)?;
        if phase == Phase::Over && self.in_flight == 0 {
            return Ok(false);
        }
        if self.in_flight == 0 {
            self.progress_ns = now;
        } else if now - self.progress_ns > PATIENCE_NS {
            return Err(Failure::Stalled {
                waiting_for: format!("{} messages have not come back", self.in_flight),
                seconds: (now - self.progress_ns) as f64 / 1e9,
            });
        }
        let mut until = now + 100_000_000;
        if phase != Phase::Over {
            until = until.min(self.window.next_ns());
            if let Some(schedule) = &mut schedule {
                // What falls due while these are sent waits for the next turn: answers must be read, too.
                while let Some(due_ns) = schedule.take_due(now, phase) {
                    let number = schedule.taken as usize % self.members.len();
                    self.say(number, 1, due_ns, floor)?;
                }
                until = until.min(schedule.next_ns());
            }
        }
        for index in 0..floor.poll.turn(until)? {
            let ready = floor.poll.ready(index);
            let member = &mut self.members[ready.number];
            let mut completed = 0;
            member
                .line
                .read(ready, &self.lanes, floor, |_, count| completed += count)?;
            let now = floor.poll.now();
            let mut left = completed;
            while left > 0 {
                let Some((count, begun_ns)) = member.begun.front_mut() else {
                    return Err(Failure::Mismatch {
                        connection: ready.number,
                        after: 0,
                        difference: "a message that was never sent".to_owned(),
                    });
                };
                let taken = left.min(*count);
                self.window.record(taken as u64, *begun_ns, now);
                left -= taken;
                *count -= taken;
                if *count == 0 {
                    member.begun.pop_front();
                }
            }
            if completed > 0 {
                self.in_flight -= completed;
                self.progress_ns = now;
            }
            if schedule.is_none() && phase != Phase::Over {
                self.say(ready.number, completed, now, floor)?;
            } else {
                self.say(ready.number, 0, now, floor)?;
            }
        }
        Ok(true)
    }
}

/// The open loop's timetable: message `n` is due at `begin + n * interval`, whatever the server does.
struct Schedule {
    begin_ns: u64,
    interval: Duration,
    taken: u64,
    measured: u64,
    late: u64,
}

impl Schedule {
    fn new(rate_per_s: f64, begin_ns: u64) -> Self {
        Self {
            begin_ns,
            interval: Duration::from_secs_f64(1.0 / rate_per_s),
            taken: 0,
            measured: 0,
            late: 0,
        }
    }

    fn next_ns(&self) -> u64 {
        self.begin_ns + (self.interval.as_secs_f64() * 1e9 * self.taken as f64) as u64
    }

    /// When the next message was due, if it is.
    fn take_due(&mut self, now: u64, phase: Phase) -> Option<u64> {
        let due_ns = self.next_ns();
        if due_ns > now {
            return None;
        }
        self.taken += 1;
        if phase == Phase::Measuring {
            self.measured += 1;
            self.late += u64::from(now - due_ns > LATE_NS);
        }
        Some(due_ns)
    }

    fn verdict(&self) -> Result<(), Failure> {
        let share = self.late as f64 / self.measured.max(1) as f64;
        if share <= LATE_SHARE {
            return Ok(());
        }
        Err(Failure::Saturated(format!(
            "{:.1} % of the messages were sent more than 1 ms after their time; lower the rate",
            share * 100.0
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_forgets_nothing_and_tells_when_it_was_not_kept() {
        let mut schedule = Schedule::new(1000.0, 5);
        assert_eq!(schedule.take_due(4, Phase::Measuring), None);
        assert_eq!(schedule.take_due(5, Phase::Measuring), Some(5));
        assert_eq!(schedule.take_due(1_000_004, Phase::Measuring), None);
        assert_eq!(
            schedule.take_due(2_900_000, Phase::Measuring),
            Some(1_000_005)
        );
        assert_eq!(
            schedule.take_due(2_900_000, Phase::Measuring),
            Some(2_000_005)
        );
        let failure = schedule.verdict().unwrap_err();
        assert!(failure.to_string().contains("33.3 %"), "{failure}");
    }
}
