//! A load generator for WebSocket and HTTP that verifies what it measures; behind `hubbub bench`.
//!
//! It measures the server's work, so it does as little as it can itself: one thread, prepared frames, one comparison for
//! all that a read brings. It knows what it costs and says so, or refuses to report, when it was the limit.
//!
//! Knows nothing of the server it measures but its URL and its processes.

mod burst;
mod channel;
mod content;
mod crowd;
mod echo;
mod failure;
mod fan_out;
mod guest;
mod handshake;
mod http;
mod hub;
mod idle;
mod line;
mod machine;
mod opening;
mod options;
mod poll;
mod reader;
mod report;
mod script;
mod server;
mod target;
mod window;
mod writer;

pub use failure::Failure;
pub use options::{Content, Mode, Options};
pub use report::{Entering, Idle, Latency, Report, ServerLoad};

use crowd::Floor;
use server::Server;
use target::Target;

/// Runs one measurement; returns when it is over.
///
/// # Errors
/// The server cannot be reached, breaks the protocol, sends something wrong or nothing; the options make no sense; or the
/// load generator could not keep the rate it was asked for.
pub fn run(options: &Options) -> Result<Report, Failure> {
    check(options)?;
    let target = Target::parse(&options.url)?;
    machine::allow_sockets(options.connections)?;
    let server = match options.server_pid {
        Some(pid) => Some(Server::of(pid)?),
        None if target.address.ip().is_loopback() => Server::listening_at(target.address),
        None => None,
    };
    // A thread of its own: the caller's must not stay bound to a processor.
    std::thread::scope(|scope| {
        scope
            .spawn(|| run_here(options, &target, server))
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn run_here(options: &Options, target: &Target, server: Option<Server>) -> Result<Report, Failure> {
    if let Some(cpu) = options.client_cpu {
        machine::pin(cpu)?;
    }
    let mut floor = Floor::new()?;
    let floor = &mut floor;
    match options.mode {
        Mode::Echo { depth, .. } if options.bursts => {
            burst::run(options, depth, true, target, server, floor)
        }
        Mode::FanOut { in_flight, .. } if options.bursts => {
            burst::run(options, in_flight, false, target, server, floor)
        }
        Mode::Echo { depth, rate_per_s } => {
            echo::run(options, depth, rate_per_s, target, server, floor)
        }
        Mode::FanOut { senders, in_flight } => {
            fan_out::run(options, senders, in_flight, target, server, floor)
        }
        Mode::Idle { touch } => idle::run(options, touch, target, server, floor),
        Mode::Hub { in_flight, own } => hub::run(options, in_flight, own, target, server, floor),
        Mode::Handshake => handshake::run(options, target, server, floor),
        Mode::Http { depth } => http::run(options, depth, target, server, floor),
    }
}

fn check(options: &Options) -> Result<(), Failure> {
    let wrong = |what: &str| Err(Failure::Options(what.to_owned()));
    if options.connections == 0 || options.opening == 0 {
        return wrong("at least one connection is needed");
    }
    if options.duration.is_zero() && !matches!(options.mode, Mode::Idle { .. }) {
        return wrong("nothing can be measured in no time");
    }
    match options.mode {
        Mode::Echo { depth: 0, .. }
        | Mode::Http { depth: 0 }
        | Mode::Hub { in_flight: 0, .. }
        | Mode::FanOut { in_flight: 0, .. }
        | Mode::FanOut { senders: 0, .. } => wrong("at least one message must be in flight"),
        Mode::Echo {
            rate_per_s: Some(_),
            ..
        } if options.bursts => wrong("bursts have no rate"),
        Mode::FanOut { senders, .. } if options.bursts && senders > 1 => {
            wrong("a burst has one sender")
        }
        Mode::Hub { .. } if options.content == Content::Binary => {
            wrong("what a hub carries is JSON")
        }
        Mode::Echo {
            rate_per_s: Some(rate),
            ..
        } if !(rate.is_finite() && rate > 0.0) => wrong("the rate must be above 0"),
        Mode::FanOut { senders, .. } if senders > options.connections => {
            wrong("senders are subscribers too: there cannot be more of them")
        }
        Mode::FanOut { senders, in_flight } if senders > 1 => {
            let numbers = senders * script::Script::slots(options.size_bytes, in_flight);
            if !content::is_numbered(options.size_bytes) || numbers > 10_000 {
                return wrong(
                    "several senders need messages with room for their number, and fewer of them",
                );
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
