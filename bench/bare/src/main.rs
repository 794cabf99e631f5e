//! `hubbub-bare [--port PORT [--tls CERT KEY]]`: the limit that Hubbub is measured against.
//!
//! A single-threaded epoll server that echoes (`/echo`) and fans out (`/fan`) and does nothing else: it is not a server
//! to use. Whatever a real server adds shows as a ratio to this one.

mod connection;
mod frame;
mod handshake;
mod server;
mod tls;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (port, files) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => (Some(0), None),
        ["--port", port] => (port.parse().ok(), None),
        ["--port", port, "--tls", cert, key] => (port.parse().ok(), Some((cert, key))),
        _ => (None, None),
    };
    let Some(port) = port else {
        eprintln!("usage: hubbub-bare [--port PORT [--tls CERT KEY]]");
        return ExitCode::from(2);
    };
    match serve(port, files) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hubbub-bare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(port: u16, files: Option<(&str, &str)>) -> Result<(), Box<dyn std::error::Error>> {
    let config = files
        .map(|(cert, key)| tls::config(cert, key))
        .transpose()?;
    let server = server::Server::bind(port, config)?;
    println!("listening on 127.0.0.1:{}", server.port()?);
    Ok(server.run()?)
}
