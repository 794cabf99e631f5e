//! `hubbub-bare [--port PORT]`: the limit that Hubbub is measured against.
//!
//! A single-threaded epoll server that echoes (`/echo`) and fans out (`/fan`) and does nothing else: it is not a server
//! to use. Whatever a real server adds shows as a ratio to this one.

mod connection;
mod frame;
mod handshake;
mod server;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let port = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Some(0),
        ["--port", port] => port.parse().ok(),
        _ => None,
    };
    let Some(port) = port else {
        eprintln!("usage: hubbub-bare [--port PORT]");
        return ExitCode::from(2);
    };
    let outcome = server::Server::bind(port).and_then(|server| {
        println!("listening on 127.0.0.1:{}", server.port()?);
        server.run()
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hubbub-bare: {error}");
            ExitCode::FAILURE
        }
    }
}
