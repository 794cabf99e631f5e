//! The load generator on its own, for developers of the engine; users have `hubbub bench`.

use std::process::ExitCode;
use std::time::Duration;

use hubbub_bench::{Content, Mode, Options};
use lexopt::prelude::*;

const USAGE: &str = "\
usage: hubbub-bench MODE [OPTIONS] ws[s]://HOST:PORT/PATH

echo         --depth N        messages in flight on each connection [1]
             --rate R         open loop: messages per second in all
fan-out      --in-flight N    messages on their way from each sender [1]
             --senders N      connections that publish [1]
echo, fan-out --bursts        sleep until all of a burst has arrived
idle         --touch          then echo one message on each connection
handshake
hub          --in-flight N    publications on their way [1]
             --own            all publish, each where nobody listens
             --tokens FILE    a token a line, for the clients in turn
http         --depth N        requests under way on each connection [1]

-c, --connections N [100]     -s, --size BYTES [64]
    --opening N [128]             --content ascii|non-ascii|json|binary [ascii]
-d, --duration SECONDS [4]        --deflate
-w, --warm-up SECONDS [1]         --json
    --pin CPU                     --server-pid PID";

fn main() -> ExitCode {
    let (options, json) = match parse() {
        Ok(parsed) => parsed,
        Err(error) => {
            eprintln!("hubbub-bench: {error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match hubbub_bench::run(&options) {
        Ok(report) if json => println!("{}", report.to_json()),
        Ok(report) => print!("{report}"),
        Err(failure) => {
            eprintln!("hubbub-bench: {failure}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn parse() -> Result<(Options, bool), lexopt::Error> {
    let mut options = Options::default();
    let (mut depth, mut rate_per_s, mut senders, mut in_flight) = (1, None, 1, 1);
    let (mut touch, mut own, mut json) = (false, false, false);
    let mut words = Vec::new();
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('c') | Long("connections") => options.connections = parser.value()?.parse()?,
            Short('s') | Long("size") => options.size_bytes = parser.value()?.parse()?,
            Short('d') | Long("duration") => options.duration = seconds(&mut parser)?,
            Short('w') | Long("warm-up") => options.warm_up = seconds(&mut parser)?,
            Long("opening") => options.opening = parser.value()?.parse()?,
            Long("content") => options.content = content(&parser.value()?.string()?)?,
            Long("deflate") => options.deflate = true,
            Long("pin") => options.client_cpu = Some(parser.value()?.parse()?),
            Long("server-pid") => options.server_pid = Some(parser.value()?.parse()?),
            Long("depth") => depth = parser.value()?.parse()?,
            Long("rate") => rate_per_s = Some(parser.value()?.parse()?),
            Long("senders") => senders = parser.value()?.parse()?,
            Long("in-flight") => in_flight = parser.value()?.parse()?,
            Long("touch") => touch = true,
            Long("own") => own = true,
            Long("bursts") => options.bursts = true,
            Long("tokens") => {
                let text =
                    std::fs::read_to_string(parser.value()?).map_err(|error| error.to_string())?;
                options.tokens = text.lines().map(str::to_owned).collect();
            }
            Long("json") => json = true,
            Value(word) => words.push(word.string()?),
            other => return Err(other.unexpected()),
        }
    }
    let Ok([mode, url]) = <[String; 2]>::try_from(words) else {
        return Err("a mode and a URL are needed".into());
    };
    options.url = url;
    options.mode = match &*mode {
        "echo" => Mode::Echo { depth, rate_per_s },
        "fan-out" => Mode::FanOut { senders, in_flight },
        "idle" => Mode::Idle { touch },
        "handshake" => Mode::Handshake,
        "hub" => Mode::Hub { in_flight, own },
        "http" => Mode::Http { depth },
        _ => return Err(format!("no such mode: {mode}").into()),
    };
    Ok((options, json))
}

fn seconds(parser: &mut lexopt::Parser) -> Result<Duration, lexopt::Error> {
    let seconds: f64 = parser.value()?.parse()?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string().into())
}

fn content(name: &str) -> Result<Content, lexopt::Error> {
    [
        Content::Ascii,
        Content::NonAscii,
        Content::Json,
        Content::Binary,
    ]
    .into_iter()
    .find(|content| content.name() == name)
    .ok_or_else(|| format!("no such content: {name}").into())
}
