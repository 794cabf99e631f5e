//! What open connections cost that do nothing, and how long the longest took to open.

use std::time::Duration;

use crate::crowd::{Crowd, Floor, part};
use crate::failure::Failure;
use crate::line::Line;
use crate::opening::PATIENCE_NS;
use crate::options::Options;
use crate::reader::Lanes;
use crate::report::{Idle, Report};
use crate::server::Server;
use crate::target::Target;

pub(crate) fn run(
    options: &Options,
    touch: bool,
    target: &Target,
    server: Option<Server>,
    floor: &mut Floor,
) -> Result<Report, Failure> {
    let memory = || server.as_ref().map(Server::private_bytes).transpose();
    let each = |before: Option<u64>, after: Option<u64>| {
        Some((after? as f64 - before? as f64) / options.connections as f64)
    };
    // What the first connection brings into being is not paid by each of them.
    let one = Options {
        connections: 1,
        ..options.clone()
    };
    let first = Crowd::open(&one, target, floor)?;
    part(
        first
            .members
            .into_iter()
            .map(|opened| opened.channel)
            .collect(),
        floor,
    )?;

    let before = memory()?;
    let begun_ns = floor.poll.now();
    let crowd = Crowd::open(options, target, floor)?;
    let opened_ns = floor.poll.now();
    let is_compressed = crowd.is_compressed();
    let lanes = crowd.lanes(options, 1, 4, &mut floor.codec);
    let members = crowd.members.into_iter().enumerate();
    let mut lines: Vec<Line> = members
        .map(|(number, opened)| Line::new(opened, number, 1, 0))
        .collect();
    hold(&mut lines, &lanes, options.duration, floor)?;
    let held = memory()?;
    let mut touched = None;
    if touch {
        echo_once(&mut lines, &lanes, options.opening, floor)?;
        touched = memory()?;
    }

    let mut report = Report::new(options);
    report.compressed = is_compressed;
    report.idle = Some(Idle {
        longest_wait_ms: crowd.longest_wait_ns as f64 / 1e6,
        opening_seconds: (opened_ns - begun_ns) as f64 / 1e9,
        bytes_per_connection: each(before, held),
        touched_bytes_per_connection: each(before, touched),
    });
    part(lines, floor)?;
    Ok(report)
}

/// Answers pings and waits; nothing else may arrive.
fn hold(
    lines: &mut [Line],
    lanes: &Lanes,
    time: Duration,
    floor: &mut Floor,
) -> Result<(), Failure> {
    let end_ns = floor.poll.now() + time.as_nanos() as u64;
    while floor.poll.now() < end_ns {
        for index in 0..floor.poll.turn(end_ns)? {
            let ready = floor.poll.ready(index);
            let line = &mut lines[ready.number];
            let mut messages = 0;
            line.read(ready, lanes, floor, |_, count| messages += count)?;
            line.write(&lanes.0[0], &floor.poll)?;
            if messages > 0 {
                return Err(Failure::Mismatch {
                    connection: ready.number,
                    after: 0,
                    difference: "a message that was never sent".to_owned(),
                });
            }
        }
    }
    Ok(())
}

/// One message on every connection, `window` of them at a time.
fn echo_once(
    lines: &mut [Line],
    lanes: &Lanes,
    window: usize,
    floor: &mut Floor,
) -> Result<(), Failure> {
    let (mut sent, mut back, mut progress_ns) = (0, 0, floor.poll.now());
    while back < lines.len() {
        while sent < lines.len() && sent - back < window {
            lines[sent].writer.add(1);
            lines[sent].write(&lanes.0[0], &floor.poll)?;
            sent += 1;
        }
        let now = floor.poll.now();
        if now - progress_ns > PATIENCE_NS {
            return Err(Failure::Stalled {
                waiting_for: format!("{} messages have not come back", sent - back),
                seconds: (now - progress_ns) as f64 / 1e9,
            });
        }
        for index in 0..floor.poll.turn(now + 100_000_000)? {
            let ready = floor.poll.ready(index);
            let line = &mut lines[ready.number];
            line.read(ready, lanes, floor, |_, count| back += count)?;
            line.write(&lanes.0[0], &floor.poll)?;
            progress_ns = floor.poll.now();
        }
    }
    Ok(())
}
