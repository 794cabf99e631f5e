//! Every message goes to everybody; the next is published when the last one has it.

use std::collections::VecDeque;

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

pub(crate) fn run(
    options: &Options,
    senders: usize,
    in_flight: usize,
    target: &Target,
    server: Option<Server>,
    floor: &mut Floor,
) -> Result<Report, Failure> {
    let crowd = Crowd::open(options, target, floor)?;
    let is_compressed = crowd.is_compressed();
    let slots = Script::slots(options.size_bytes, in_flight);
    let lanes = crowd.lanes(options, senders, slots, &mut floor.codec);
    let lines = crowd.members.into_iter().enumerate();
    let mut fan = FanOut {
        lines: lines
            .map(|(number, opened)| Line::new(opened, number, senders, 0))
            .collect(),
        heard: vec![0; options.connections * senders],
        publications: (0..senders).map(|_| Publications::default()).collect(),
        lanes,
        window: Window::new(options, server, &floor.poll),
        progress_ns: floor.poll.now(),
    };
    for sender in 0..senders {
        fan.publish(sender, in_flight, floor)?;
    }
    while fan.turn(floor)? {}

    let mut report = fan.window.report(options);
    report.compressed = is_compressed;
    part(fan.lines, floor)?;
    Ok(report)
}

/// What one sender has on its way.
#[derive(Default)]
struct Publications {
    /// How many have reached everybody before these.
    done: u64,
    on_their_way: VecDeque<Publication>,
}

struct Publication {
    begun_ns: u64,
    missing: usize,
}

struct FanOut {
    /// The first ones are the senders, who hear as well.
    lines: Vec<Line>,
    /// For each line and sender: how many messages have been heard.
    heard: Vec<u64>,
    publications: Vec<Publications>,
    lanes: Lanes,
    window: Window,
    progress_ns: u64,
}

impl FanOut {
    fn publish(&mut self, sender: usize, count: usize, floor: &Floor) -> Result<(), Failure> {
        let begun_ns = floor.poll.now();
        for _ in 0..count {
            let missing = self.lines.len();
            let publication = Publication { begun_ns, missing };
            self.publications[sender]
                .on_their_way
                .push_back(publication);
        }
        let line = &mut self.lines[sender];
        line.writer.add(count);
        line.write(&self.lanes.0[sender], &floor.poll)
    }

    /// Waits, counts what has arrived, publishes what may follow; `false` when time is over and everybody has everything.
    fn turn(&mut self, floor: &mut Floor) -> Result<bool, Failure> {
        let now = floor.poll.now();
        let phase = self.window.advance(now, &floor.poll)?;
        if now - self.progress_ns > PATIENCE_NS {
            return Err(self.stalled(now));
        }
        let until = match phase {
            Phase::Over => now + 100_000_000,
            _ => self.window.next_ns().min(now + 100_000_000),
        };
        let senders = self.publications.len();
        for index in 0..floor.poll.turn(until)? {
            let ready = floor.poll.ready(index);
            let line = &mut self.lines[ready.number];
            let now = floor.poll.now();
            let heard = &mut self.heard[ready.number * senders..][..senders];
            let (publications, window) = (&mut self.publications, &mut self.window);
            let mut unknown = false;
            line.read(ready, &self.lanes, floor, |lane, count| {
                let publications = &mut publications[lane];
                for _ in 0..count {
                    let place = (heard[lane] - publications.done) as usize;
                    heard[lane] += 1;
                    match publications.on_their_way.get_mut(place) {
                        Some(publication) => {
                            publication.missing -= 1;
                            window.record(1, publication.begun_ns, now);
                        }
                        None => unknown = true,
                    }
                }
            })?;
            if unknown {
                return Err(Failure::Mismatch {
                    connection: ready.number,
                    after: heard.iter().sum(),
                    difference: "a message that was never sent".to_owned(),
                });
            }
            self.progress_ns = now;
            let own = ready.number.min(senders - 1);
            self.lines[ready.number].write(&self.lanes.0[own], &floor.poll)?;
        }
        let mut is_waiting = false;
        for sender in 0..senders {
            let publications = &mut self.publications[sender];
            let on_their_way = &mut publications.on_their_way;
            let complete = on_their_way
                .iter()
                .take_while(|publication| publication.missing == 0)
                .count();
            on_their_way.drain(..complete);
            publications.done += complete as u64;
            is_waiting |= !publications.on_their_way.is_empty();
            if complete > 0 && phase != Phase::Over {
                self.publish(sender, complete, floor)?;
            }
        }
        Ok(phase != Phase::Over || is_waiting)
    }

    fn stalled(&self, now: u64) -> Failure {
        let missing: usize = self
            .publications
            .iter()
            .flat_map(|publications| &publications.on_their_way)
            .map(|publication| publication.missing)
            .sum();
        Failure::Stalled {
            waiting_for: format!("{missing} deliveries are missing"),
            seconds: (now - self.progress_ns) as f64 / 1e9,
        }
    }
}
