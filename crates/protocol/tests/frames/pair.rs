//! A client and a server that talk in memory: what one sends, the other is told, whatever the reads look like.

use hubbub_protocol::close;
use hubbub_protocol::deflate::{Codec, Parameters, PerMessage};
use hubbub_protocol::endpoint::{Endpoint, Input, Kind, Role, encode_message};
use hubbub_protocol::error::Misuse;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::stream::Seen;

const LIMIT_BYTES: usize = 1_048_576;

struct Pair {
    server: Endpoint,
    client: Endpoint,
    codec: Codec,
}

impl Pair {
    fn new(parameters: Option<Parameters>) -> Pair {
        let side = |role| {
            let deflate = parameters.map(|parameters| PerMessage::new(role, parameters, 16, 1));
            Endpoint::new(role, LIMIT_BYTES, deflate)
        };
        Pair {
            server: side(Role::Server),
            client: side(Role::Client),
            codec: Codec::new(1),
        }
    }

    /// What the other side is told when it reads `wire` in pieces of `size`.
    fn deliver(&mut self, to: Role, wire: &[u8], size: usize) -> Vec<Seen> {
        let receiver = match to {
            Role::Server => &mut self.server,
            Role::Client => &mut self.client,
        };
        let mut seen = Vec::new();
        for piece in wire.to_vec().chunks_mut(size) {
            let mut input = Input::new(piece);
            while let Some(event) = receiver
                .receive(&mut input, &mut self.codec)
                .expect("a good peer")
            {
                seen.push(Seen::from(event));
            }
        }
        seen
    }
}

fn parameters() -> impl Strategy<Value = Option<Parameters>> {
    let bits = || prop::option::of(9..=15_u8);
    let some = (any::<bool>(), any::<bool>(), bits(), bits()).prop_map(|(server, client, s, c)| {
        Some(Parameters {
            server_no_context_takeover: server,
            client_no_context_takeover: client,
            server_max_window_bits: s,
            client_max_window_bits: c,
        })
    });
    prop_oneof![1 => Just(None), 3 => some]
}

/// A message before it is written out, so that a failure prints in a line.
#[derive(Debug, Clone)]
struct Recipe {
    kind: Kind,
    length: usize,
    noise: Vec<u8>,
}

impl Recipe {
    fn payload(&self) -> Vec<u8> {
        let noise = self.noise.iter().cycle();
        match self.kind {
            Kind::Binary => noise.copied().take(self.length).collect(),
            Kind::Text => {
                let words = ["κόσμε", "chat", "{\"id\":", "😀", " "];
                let mut text = String::new();
                for &byte in noise {
                    let word = words[usize::from(byte) % words.len()];
                    if text.len() + word.len() > self.length {
                        break;
                    }
                    text.push_str(word);
                }
                text.extend(std::iter::repeat_n('.', self.length - text.len()));
                text.into_bytes()
            }
        }
    }
}

/// Lengths on both sides of every change of header.
fn recipe() -> impl Strategy<Value = Recipe> {
    let length = prop_oneof![
        6 => 0..40_usize,
        3 => prop::sample::select(vec![125_usize, 126, 127, 128, 1000]),
        1 => prop::sample::select(vec![65_535_usize, 65_536, 70_000, 200_000]),
    ];
    let kind = prop_oneof![Just(Kind::Text), Just(Kind::Binary)];
    (kind, length, vec(any::<u8>(), 1..64)).prop_map(|(kind, length, noise)| Recipe {
        kind,
        length,
        noise,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn messages_arrive_as_they_were_sent(
        parameters in parameters(),
        recipes in vec((any::<bool>(), recipe()), 1..8),
        key in any::<[u8; 4]>(),
        size in prop_oneof![1..20_usize, 1000..100_000_usize],
    ) {
        let mut pair = Pair::new(parameters);
        for (to_server, recipe) in recipes {
            let (kind, payload) = (recipe.kind, recipe.payload());
            let mut wire = Vec::new();
            let (sender, to) = if to_server {
                (&mut pair.client, Role::Server)
            } else {
                (&mut pair.server, Role::Client)
            };
            sender.send(kind, &payload, key, &mut pair.codec, &mut wire).expect("open");
            sender.ping(b"between", key, &mut wire).expect("open");
            let told = pair.deliver(to, &wire, size);
            let sent = match kind {
                Kind::Text => Seen::Text(String::from_utf8(payload).expect("written as text")),
                Kind::Binary => Seen::Binary(payload),
            };
            prop_assert!(told == [sent, Seen::Ping(b"between".to_vec())]);
        }
        prop_assert!(!pair.server.is_mid_message() && !pair.client.is_mid_message());
    }
}

#[test]
fn a_frame_encoded_once_is_the_frame_that_is_sent() {
    let mut pair = Pair::new(None);
    for (kind, length) in [
        (Kind::Text, 0),
        (Kind::Binary, 125),
        (Kind::Text, 126),
        (Kind::Binary, 65_536),
    ] {
        let payload = vec![b'x'; length];
        let mut sent = Vec::new();
        pair.server
            .send(kind, &payload, [0; 4], &mut pair.codec, &mut sent)
            .expect("open");
        assert_eq!(encode_message(kind, false, &payload), sent);
    }
}

#[test]
fn a_message_compressed_for_a_group_reaches_each_of_it() {
    let parameters = Parameters {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        server_max_window_bits: Some(12),
        client_max_window_bits: None,
    };
    let mut pair = Pair::new(Some(parameters));
    let text = "all of you, ".repeat(20);
    let group = pair
        .server
        .deflate()
        .and_then(PerMessage::group)
        .expect("no context is taken over");
    let mut compressed = Vec::new();
    assert!(
        pair.codec
            .compress_for_group(group, text.as_bytes(), &mut compressed)
    );
    let frame = encode_message(Kind::Text, true, &compressed);
    assert_eq!(
        pair.deliver(Role::Client, &frame, 5),
        vec![Seen::Text(text)]
    );
}

#[test]
fn closing_takes_one_frame_from_each() {
    let mut pair = Pair::new(None);
    let (mut from_client, mut from_server) = (Vec::new(), Vec::new());
    pair.client
        .close(
            Some(close::GOING_AWAY),
            "bye",
            [1, 2, 3, 4],
            &mut from_client,
        )
        .expect("may be sent");
    pair.client
        .close(Some(close::NORMAL), "again", [1, 2, 3, 4], &mut from_client)
        .expect("does nothing");
    assert!(pair.client.close_sent() && !pair.client.is_open());

    let told = pair.deliver(Role::Server, &from_client, 1);
    assert_eq!(told, vec![Seen::Close(close::GOING_AWAY, "bye".to_owned())]);
    assert!(pair.server.close_received() && !pair.server.close_sent() && !pair.server.is_open());
    pair.server
        .close(Some(close::GOING_AWAY), "", [0; 4], &mut from_server)
        .expect("may be sent");
    assert_eq!(from_server, [0x88, 2, 3, 233]);

    let told = pair.deliver(Role::Client, &from_server, 1);
    assert_eq!(told, vec![Seen::Close(close::GOING_AWAY, String::new())]);
    assert!(pair.client.close_received());
}

#[test]
fn after_our_close_only_the_peers_is_told() {
    let mut pair = Pair::new(None);
    let mut wire = Vec::new();
    pair.client
        .send(Kind::Binary, &[7; 3000], [9; 4], &mut pair.codec, &mut wire)
        .expect("open");
    let (early, late) = wire.split_at(2000);
    assert_eq!(pair.deliver(Role::Server, early, 100), []);
    assert!(pair.server.is_mid_message() && pair.server.held_bytes() > 1900);
    pair.server
        .close(Some(close::NORMAL), "", [0; 4], &mut Vec::new())
        .expect("may be sent");
    assert!(!pair.server.is_mid_message() && pair.server.held_bytes() < 300);

    let mut rest = late.to_vec();
    pair.client
        .send(Kind::Binary, &[0; 3000], [9; 4], &mut pair.codec, &mut rest)
        .expect("open");
    pair.client
        .ping(b"still there?", [9; 4], &mut rest)
        .expect("open");
    pair.client
        .close(None, "", [9; 4], &mut rest)
        .expect("may be sent");
    let told = pair.deliver(Role::Server, &rest, 100);
    assert_eq!(told, vec![Seen::Close(close::NO_STATUS, String::new())]);
    assert_eq!(pair.server.held_bytes(), 0);
}

#[test]
fn what_may_not_be_sent_is_misuse_and_writes_nothing() {
    let mut pair = Pair::new(None);
    let mut out = Vec::new();
    let server = &mut pair.server;
    assert_eq!(
        server.ping(&[0; 126], [0; 4], &mut out),
        Err(Misuse::ControlTooLong)
    );
    assert_eq!(
        server.pong(&[0; 126], [0; 4], &mut out),
        Err(Misuse::ControlTooLong)
    );
    assert_eq!(
        server.close(Some(1005), "", [0; 4], &mut out),
        Err(Misuse::BadCloseCode(1005))
    );
    assert_eq!(
        server.close(None, "why", [0; 4], &mut out),
        Err(Misuse::ReasonWithoutCode)
    );
    assert!(server.is_open() && out.is_empty());

    server
        .close(Some(close::NORMAL), "", [0; 4], &mut out)
        .expect("may be sent");
    let length = out.len();
    assert_eq!(server.ping(b"", [0; 4], &mut out), Err(Misuse::NotOpen));
    let sent = server.send(Kind::Text, b"late", [0; 4], &mut pair.codec, &mut out);
    assert_eq!((sent, out.len()), (Err(Misuse::NotOpen), length));
}

#[test]
fn a_failed_endpoint_tells_why_and_hears_nothing_more() {
    let mut pair = Pair::new(None);
    let mut wire = [0x83, 0x81, 0x80, 0, 0, 0, 0];
    let mut input = Input::new(&mut wire);
    let violation = pair
        .server
        .receive(&mut input, &mut pair.codec)
        .expect_err("the opcode is reserved");
    assert_eq!(pair.deliver(Role::Server, &[0x81, 0x80, 0, 0, 0, 0], 1), []);
    assert!(!pair.server.is_open());

    let mut out = Vec::new();
    let code = violation.close_code();
    pair.server
        .close(Some(code), &violation.to_string(), [0; 4], &mut out)
        .expect("may be sent");
    let told = pair.deliver(Role::Client, &out, 100);
    assert_eq!(
        told,
        vec![Seen::Close(1002, "reserved opcode: 3".to_owned())]
    );
}
