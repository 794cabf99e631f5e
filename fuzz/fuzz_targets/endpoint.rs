//! A whole connection: the same events however the stream is cut, within the limit, and an echo its peer understands.
#![no_main]

use hubbub_protocol::deflate::{Codec, Parameters, PerMessage};
use hubbub_protocol::endpoint::{Endpoint, Event, Input, Kind, Role};
use hubbub_protocol::error::Violation;
use libfuzzer_sys::fuzz_target;

const LIMITS_BYTES: [usize; 4] = [100_000, 1000, 10, 0];
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// What a zlib stream in each direction may hold.
const WINDOWS_BYTES: usize = 512 * 1024;

/// What an endpoint may hold besides the message: its assembly, and a control frame.
const SLACK_BYTES: usize = 1024;

#[derive(Debug, PartialEq)]
enum Told {
    Message(Kind, Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(u16, String),
    Violation(Violation),
}

fuzz_target!(|data: &[u8]| {
    let [setting, cut, stream @ ..] = data else {
        return;
    };
    let whole = receive(*setting, [stream]);
    let pieces = receive(*setting, Cut { stream, seed: *cut });
    assert_eq!(whole, pieces);
    echo(*setting, &whole);
});

/// An endpoint as the first byte of the input wants it: role, compression, limit.
fn endpoint(setting: u8, is_peer: bool) -> Endpoint {
    let role = if (setting & 1 != 0) == is_peer {
        Role::Server
    } else {
        Role::Client
    };
    let bits = 8 + (setting >> 5);
    let parameters = |takes_over: bool| Parameters {
        server_no_context_takeover: !takes_over,
        client_no_context_takeover: !takes_over,
        server_max_window_bits: Some(bits),
        client_max_window_bits: Some(bits),
    };
    let deflate = match setting >> 1 & 3 {
        0 => None,
        takeover => Some(PerMessage::new(role, parameters(takeover == 1), 0, 1)),
    };
    Endpoint::new(role, limit_bytes(setting), deflate)
}

fn limit_bytes(setting: u8) -> usize {
    LIMITS_BYTES[usize::from(setting >> 3 & 3)]
}

/// All that an endpoint tells of a stream that arrives in these pieces.
fn receive<'a>(setting: u8, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Told> {
    let (mut endpoint, mut codec) = (endpoint(setting, false), Codec::new(1));
    let limit_bytes = limit_bytes(setting);
    let mut told = Vec::new();
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut input = Input::new(&mut piece);
        loop {
            match endpoint.receive(&mut input, &mut codec) {
                Ok(None) => break,
                Ok(Some(event)) => told.push(tell(event, limit_bytes)),
                Err(violation) => told.push(Told::Violation(violation)),
            }
        }
        assert!(input.is_empty());
        // A compressed message may be an eighth longer than what it inflates to; a buffer grows by a quarter.
        let message_bytes = (limit_bytes + limit_bytes / 8 + 64) / 4 * 5;
        let windows_bytes = if endpoint.deflate().is_some() {
            WINDOWS_BYTES
        } else {
            0
        };
        assert!(endpoint.held_bytes() <= message_bytes + windows_bytes + SLACK_BYTES);
    }
    told
}

fn tell(event: Event<'_>, limit_bytes: usize) -> Told {
    match event {
        Event::Message { kind, payload } => {
            assert!(payload.len() <= limit_bytes);
            assert!(kind == Kind::Binary || std::str::from_utf8(&payload).is_ok());
            Told::Message(kind, payload.to_vec())
        }
        Event::Ping(payload) => Told::Ping(payload.to_vec()),
        Event::Pong(payload) => Told::Pong(payload.to_vec()),
        Event::Close { code, reason } => Told::Close(code, reason),
    }
}

/// Sends everything back, and the peer must tell the same.
fn echo(setting: u8, told: &[Told]) {
    let (mut sender, mut receiver) = (endpoint(setting, false), endpoint(setting, true));
    let mut codec = Codec::new(1);
    for thing in told {
        let mut out = Vec::new();
        let sent = match thing {
            Told::Message(kind, payload) => sender.send(*kind, payload, MASK, &mut codec, &mut out),
            Told::Ping(payload) => sender.ping(payload, MASK, &mut out),
            Told::Pong(payload) => sender.pong(payload, MASK, &mut out),
            // 1005 stands for no code; it may not be sent.
            Told::Close(code, reason) => sender.close(
                Some(*code).filter(|code| *code != 1005),
                reason,
                MASK,
                &mut out,
            ),
            Told::Violation(violation) => {
                let text = violation.to_string();
                sender.close(Some(violation.close_code()), &text, MASK, &mut out)
            }
        };
        sent.expect("what may be received may be sent");
        let mut input = Input::new(&mut out);
        let event = receiver.receive(&mut input, &mut codec);
        let heard = tell(
            event.expect("no violation").expect("an event"),
            limit_bytes(setting),
        );
        match thing {
            Told::Violation(violation) => {
                assert_eq!(
                    heard,
                    Told::Close(violation.close_code(), violation.to_string())
                );
            }
            thing => assert_eq!(heard, *thing),
        }
    }
}

/// A stream in pieces of 0 to 63 bytes.
struct Cut<'a> {
    stream: &'a [u8],
    seed: u8,
}

impl<'a> Iterator for Cut<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.stream.is_empty() {
            return None;
        }
        self.seed = self.seed.wrapping_mul(5).wrapping_add(11);
        let length = usize::from(self.seed >> 2).min(self.stream.len());
        let (piece, rest) = self.stream.split_at(length);
        self.stream = rest;
        Some(piece)
    }
}
