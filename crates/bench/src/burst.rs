//! Bursts: everything is sent at once, then the load generator sleeps until the last answer has arrived, and reads.
//!
//! So a server with several threads has all processors of a small machine to itself while it works. When the last answer
//! arrived is told by the kernel, not by the reader. A burst that was read before it was over is no measurement; the next
//! ones are given more time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::crowd::{Crowd, Floor, part};
use crate::failure::Failure;
use crate::line::Line;
use crate::opening::PATIENCE_NS;
use crate::options::Options;
use crate::reader::Lanes;
use crate::report::{Report, ServerLoad};
use crate::script::Script;
use crate::server::Server;
use crate::target::Target;
use crate::window::{Threads, shares};

/// Sleeping so many times as long as the last burst took …
const REST: f64 = 1.1;
/// … and a little longer.
const REST_MORE_NS: u64 = 2_000_000;

pub(crate) fn run(
    options: &Options,
    count: usize,
    is_echo: bool,
    target: &Target,
    server: Option<Server>,
    floor: &mut Floor,
) -> Result<Report, Failure> {
    let crowd = Crowd::open(options, target, floor)?;
    let is_compressed = crowd.is_compressed();
    let slots = Script::slots(options.size_bytes, count);
    let lanes = crowd.lanes(options, 1, slots, &mut floor.codec);
    let members = crowd.members.into_iter().enumerate();
    let lines: Vec<Line> = members
        .map(|(number, opened)| Line::new(opened, number, 1, 0))
        .collect();
    for line in &lines {
        line.stamp()?;
    }
    let mut load = Load {
        speakers: if is_echo { lines.len() } else { 1 },
        lines,
        lanes,
        count,
    };
    let warm_ns = floor.poll.now() + options.warm_up.as_nanos() as u64;
    let end_ns = warm_ns + options.duration.as_nanos() as u64;
    let (mut total, mut rest_ns) = (Total::default(), 0);
    while floor.poll.now() < end_ns {
        let before = Reading::of(server.as_ref())?;
        let burst = load.burst(rest_ns, floor)?;
        let after = Reading::of(server.as_ref())?;
        rest_ns = (burst.took_ns as f64 * REST) as u64 + REST_MORE_NS;
        if floor.poll.now() > warm_ns && !burst.was_disturbed {
            total.add(&burst, &before, after);
        }
    }
    let mut report = Report::new(options);
    report.compressed = is_compressed;
    total.tell(&mut report);
    part(load.lines, floor)?;
    Ok(report)
}

/// Who says how much at once.
struct Load {
    lines: Vec<Line>,
    /// The first ones speak, all of them hear.
    speakers: usize,
    lanes: Lanes,
    count: usize,
}

struct Burst {
    took_ns: u64,
    answers: u64,
    /// Something arrived after reading had begun.
    was_disturbed: bool,
}

impl Load {
    fn burst(&mut self, rest_ns: u64, floor: &mut Floor) -> Result<Burst, Failure> {
        let begun_ns = unix_ns();
        for line in &mut self.lines[..self.speakers] {
            line.writer.add(self.count);
            line.write(&self.lanes.0[0], &floor.poll)?;
        }
        std::thread::sleep(Duration::from_nanos(rest_ns));
        let reading_ns = unix_ns();
        let expected = self.lines.len() * self.count;
        let (mut answers, mut progress_ns) = (0, floor.poll.now());
        while answers < expected {
            let now = floor.poll.now();
            if now - progress_ns > PATIENCE_NS {
                return Err(Failure::Stalled {
                    waiting_for: format!("{} answers are missing", expected - answers),
                    seconds: (now - progress_ns) as f64 / 1e9,
                });
            }
            for index in 0..floor.poll.turn(now + 100_000_000)? {
                let ready = floor.poll.ready(index);
                let line = &mut self.lines[ready.number];
                line.read(ready, &self.lanes, floor, |_, count| answers += count)?;
                line.write(&self.lanes.0[0], &floor.poll)?;
                progress_ns = floor.poll.now();
            }
        }
        let ended_ns = self.lines.iter().map(Line::arrived_ns).max().unwrap_or(0);
        Ok(Burst {
            took_ns: ended_ns.saturating_sub(begun_ns),
            answers: answers as u64,
            was_disturbed: ended_ns >= reading_ns,
        })
    }
}

/// What the server has used so far.
struct Reading {
    cpu_ns: Option<u64>,
    threads: Threads,
}

impl Reading {
    fn of(server: Option<&Server>) -> Result<Self, Failure> {
        Ok(Self {
            cpu_ns: server.map(Server::cpu_ns).transpose()?,
            threads: server.map(Server::threads).unwrap_or_default(),
        })
    }
}

/// All bursts that count.
#[derive(Default)]
struct Total {
    took_ns: u64,
    answers: u64,
    cpu_ns: Option<u64>,
    threads: Threads,
}

impl Total {
    fn add(&mut self, burst: &Burst, before: &Reading, after: Reading) {
        self.took_ns += burst.took_ns;
        self.answers += burst.answers;
        if let (Some(before), Some(after)) = (before.cpu_ns, after.cpu_ns) {
            *self.cpu_ns.get_or_insert_default() += after - before;
        }
        for (tid, (name, cpu_ns)) in after.threads {
            let begun_ns = before.threads.get(&tid).map_or(0, |(_, cpu_ns)| *cpu_ns);
            let (_, sum_ns) = self.threads.entry(tid).or_insert((name, 0));
            *sum_ns += cpu_ns.saturating_sub(begun_ns);
        }
    }

    fn tell(self, report: &mut Report) {
        report.seconds = self.took_ns as f64 / 1e9;
        report.count = self.answers;
        report.server = self.cpu_ns.map(|cpu_ns| ServerLoad {
            busy: cpu_ns as f64 / self.took_ns.max(1) as f64,
            cpu_us_per_unit: cpu_ns as f64 / 1e3 / self.answers.max(1) as f64,
            threads: shares(&Threads::new(), self.threads, self.took_ns.max(1) as f64),
        });
    }
}

fn unix_ns() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_nanos() as u64
}
