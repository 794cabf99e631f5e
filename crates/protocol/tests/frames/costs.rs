//! What a peer can make an endpoint hold or do, against what it has to send for that (threats.md W2, F1-F4, C1).

use std::time::{Duration, Instant};

use hubbub_protocol::deflate::{Codec, Parameters, PerMessage};
use hubbub_protocol::endpoint::{Endpoint, Event, Input, Kind, Role};
use hubbub_protocol::error::Violation;
use hubbub_protocol::frame::{Header, OpCode};

const MASK: [u8; 4] = [0; 4];
const LIMIT_BYTES: usize = 1_048_576;

/// A frame whose mask changes nothing.
fn frame(opcode: OpCode, fin: bool, rsv1: bool, payload: &[u8]) -> Vec<u8> {
    let header = Header {
        fin,
        rsv1,
        opcode,
        mask: Some(MASK),
        length: payload.len() as u64,
    };
    [&header.encode(), payload].concat()
}

fn server() -> Endpoint {
    Endpoint::new(Role::Server, LIMIT_BYTES, None)
}

fn receive(
    endpoint: &mut Endpoint,
    codec: &mut Codec,
    bytes: &mut [u8],
) -> Result<usize, Violation> {
    let mut input = Input::new(bytes);
    let mut events = 0;
    while endpoint.receive(&mut input, codec)?.is_some() {
        events += 1;
    }
    Ok(events)
}

/// The time for a message of `count` fragments with `payload` each, the best of five.
fn time_of_fragments(count: usize, payload: &[u8]) -> Duration {
    let first = frame(OpCode::Text, false, false, payload);
    let next = frame(OpCode::Continuation, false, false, payload);
    let stream = [first, next.repeat(count - 1)].concat();
    let run = || {
        let mut bytes = stream.clone();
        let start = Instant::now();
        let events = receive(&mut server(), &mut Codec::new(1), &mut bytes);
        assert_eq!(events, Ok(0));
        start.elapsed()
    };
    (0..5).map(|_| run()).min().expect("five runs")
}

#[test]
fn an_endpoint_is_small_and_an_idle_one_owns_nothing() {
    assert!(size_of::<Endpoint>() <= 64, "{}", size_of::<Endpoint>());
    let (mut endpoint, mut codec) = (server(), Codec::new(1));
    let mut stream = frame(OpCode::Text, true, false, b"hello");
    for size in 1..=stream.len() {
        for piece in stream.clone().chunks_mut(size) {
            receive(&mut endpoint, &mut codec, piece).expect("a good message");
        }
        assert_eq!(endpoint.held_bytes(), 0);
    }
    let mut input = Input::new(&mut stream);
    let event = endpoint
        .receive(&mut input, &mut codec)
        .expect("a good message");
    assert!(matches!(event, Some(Event::Message { .. })));
}

#[test]
fn a_header_alone_costs_nothing() {
    let header = Header {
        fin: true,
        rsv1: false,
        opcode: OpCode::Binary,
        mask: Some(MASK),
        length: 1_000_000,
    };
    let (mut endpoint, mut codec) = (server(), Codec::new(1));
    receive(&mut endpoint, &mut codec, &mut header.encode().to_vec()).expect("within the limit");
    assert!(endpoint.is_mid_message());
    assert_eq!(endpoint.held_bytes(), 0);
}

#[test]
fn one_byte_fragments_are_held_as_their_payload_and_a_quarter() {
    let (mut endpoint, mut codec) = (server(), Codec::new(1));
    receive(
        &mut endpoint,
        &mut codec,
        &mut frame(OpCode::Binary, false, false, b"x"),
    )
    .expect("good");
    let next = frame(OpCode::Continuation, false, false, b"x");
    for payload in 2..=100_000 {
        receive(&mut endpoint, &mut codec, &mut next.clone()).expect("good");
        assert!(endpoint.held_bytes() <= payload + payload / 4 + 256);
    }
}

#[test]
fn a_small_fragment_takes_less_than_100_ns_and_an_empty_one_too() {
    // Without optimisation the figure means nothing.
    let bound = Duration::from_nanos(if cfg!(debug_assertions) { 2_000 } else { 100 });
    for payload in [&b""[..], b"x"] {
        let time = time_of_fragments(200_000, payload);
        assert!(
            time < bound * 200_000,
            "{:?} a fragment of {payload:?}",
            time / 200_000
        );
    }
}

#[test]
fn the_bytes_that_are_moved_while_a_message_grows_are_linear() {
    let (mut endpoint, mut codec) = (server(), Codec::new(1));
    receive(
        &mut endpoint,
        &mut codec,
        &mut frame(OpCode::Binary, false, false, b"x"),
    )
    .expect("good");
    let next = frame(OpCode::Continuation, false, false, &[b'x'; 10]);
    let mut moved = 0;
    for arrived in (11..=1_000_000).step_by(10) {
        let before = endpoint.held_bytes();
        receive(&mut endpoint, &mut codec, &mut next.clone()).expect("good");
        moved += if endpoint.held_bytes() == before {
            0
        } else {
            arrived
        };
        assert!(moved <= 6 * arrived, "{moved} moved for {arrived}");
    }
}

#[test]
#[ignore = "a ratio of times, for a quiet machine: cargo test --release -- --ignored"]
fn putting_together_takes_linear_time() {
    let once = time_of_fragments(400_000, b"x");
    let twice = time_of_fragments(800_000, b"x");
    let ratio = twice.as_secs_f64() / once.as_secs_f64();
    assert!(ratio <= 2.2, "{ratio}");
}

#[test]
fn a_bomb_is_stopped_at_the_limit() {
    let parameters = Parameters {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        server_max_window_bits: None,
        client_max_window_bits: None,
    };
    let mut codec = Codec::new(6);
    let mut bomb = Vec::new();
    let mut client = PerMessage::new(Role::Client, parameters, 0, 6);
    assert!(client.compress(&mut codec, &vec![0; 64 * LIMIT_BYTES], &mut bomb));
    assert!(bomb.len() < LIMIT_BYTES, "{}", bomb.len());

    let whole = frame(OpCode::Binary, true, true, &bomb);
    let half = bomb.len() / 2;
    let fragments = [
        frame(OpCode::Binary, false, true, &bomb[..half]),
        frame(OpCode::Continuation, true, false, &bomb[half..]),
    ]
    .concat();
    for mut stream in [whole, fragments] {
        let deflate = PerMessage::new(Role::Server, parameters, 0, 6);
        let mut endpoint = Endpoint::new(Role::Server, LIMIT_BYTES, Some(deflate));
        let end = receive(&mut endpoint, &mut codec, &mut stream);
        assert!(
            matches!(
                end,
                Err(Violation::MessageTooBig {
                    limit: LIMIT_BYTES,
                    ..
                })
            ),
            "{end:?}"
        );
        assert_eq!(endpoint.held_bytes(), 0);
    }
}

#[test]
fn an_incompressible_message_of_just_the_limit_is_taken_from_a_peer_that_compresses_all() {
    let parameters = Parameters {
        server_no_context_takeover: true,
        client_no_context_takeover: false,
        server_max_window_bits: None,
        client_max_window_bits: None,
    };
    // An xorshift generator: nothing that DEFLATE could shrink.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    })
    .take(LIMIT_BYTES)
    .collect();
    let (mut codec, mut wire) = (Codec::new(1), Vec::new());
    let mut client = Endpoint::new(
        Role::Client,
        LIMIT_BYTES,
        Some(PerMessage::new(Role::Client, parameters, 0, 1)),
    );
    client
        .send(Kind::Binary, &noise, MASK, &mut codec, &mut wire)
        .expect("open");
    assert!(wire.len() > LIMIT_BYTES + 14, "{} on the wire", wire.len());
    let deflate = PerMessage::new(Role::Server, parameters, 0, 1);
    let mut server = Endpoint::new(Role::Server, LIMIT_BYTES, Some(deflate));
    assert_eq!(receive(&mut server, &mut codec, &mut wire), Ok(1));
}
