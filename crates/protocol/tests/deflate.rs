//! permessage-deflate against an independent peer, the C zlib: whatever one side compresses the other inflates.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use hubbub_protocol::deflate::{Codec, Parameters, PerMessage, UNSUSPICIOUS_BYTES};
use hubbub_protocol::endpoint::Role;
use hubbub_protocol::error::Violation;
use proptest::prelude::*;

const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
const LIMIT_BYTES: usize = 1 << 20;

/// The peer's side of one direction, as RFC 7692 §7.2 describes it.
struct Peer {
    deflate: Compress,
    inflate: Decompress,
    takes_over: bool,
}

impl Peer {
    fn new(window_bits: u8, takes_over: bool, level: u32) -> Self {
        // zlib knows no raw stream of 8 bits; 9 are what it takes instead.
        let bits = window_bits.max(9);
        Self {
            deflate: Compress::new_with_window_bits(Compression::new(level), false, bits),
            inflate: Decompress::new_with_window_bits(false, bits),
            takes_over,
        }
    }

    fn compress(&mut self, message: &[u8]) -> Vec<u8> {
        if !self.takes_over {
            self.deflate.reset();
        }
        let mut out = Vec::with_capacity(message.len() * 2 + 64);
        let before = self.deflate.total_in();
        self.deflate
            .compress_vec(message, &mut out, FlushCompress::Sync)
            .expect("zlib compresses");
        assert_eq!(self.deflate.total_in() - before, message.len() as u64);
        match out.strip_suffix(&TAIL) {
            Some(payload) => payload.to_vec(),
            None => vec![0],
        }
    }

    fn inflate(&mut self, payload: &[u8]) -> Vec<u8> {
        if !self.takes_over {
            self.inflate.reset(false);
        }
        let input = [payload, &TAIL].concat();
        let (mut read, mut out) = (0, Vec::new());
        loop {
            // In small steps: only what lies before the current step must be in zlib's window, and a distance beyond
            // the window that was agreed upon is found.
            let mut step = [0; 64];
            let (total_in, total_out) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self
                .inflate
                .decompress(&input[read..], &mut step, FlushDecompress::Sync);
            read += (self.inflate.total_in() - total_in) as usize;
            let written = (self.inflate.total_out() - total_out) as usize;
            out.extend_from_slice(&step[..written]);
            // Peers may end a stream (see below), but not all of them survive it when we do.
            assert_ne!(
                status.expect("our payload is DEFLATE within its window"),
                Status::StreamEnd
            );
            if read == input.len() && written < step.len() {
                return out;
            }
        }
    }
}

fn endpoint(window_bits: u8, takes_over: bool) -> PerMessage {
    let parameters = Parameters {
        server_no_context_takeover: !takes_over,
        client_no_context_takeover: !takes_over,
        server_max_window_bits: Some(window_bits),
        client_max_window_bits: Some(window_bits),
    };
    PerMessage::new(Role::Server, parameters, 0, 1)
}

/// Messages that are worth compressing, and some that are not: words, runs, noise; across the sizes of windows.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "room",
        "said",
        "\"time\":",
        "{\"id\":17,",
        "\n",
        "été",
        "日本",
        "0000000000",
    ]);
    prop_oneof![
        4 => prop::collection::vec(words, 0..300).prop_map(|words| words.concat().into_bytes()),
        2 => prop::collection::vec(any::<u8>(), 0..600),
        2 => (any::<u8>(), 0..100_000usize).prop_map(|(byte, length)| vec![byte; length]),
        1 => (prop::collection::vec(any::<u8>(), 1..40_000), 1..4usize).prop_map(|(noise, times)| noise.repeat(times)),
    ]
}

proptest! {
    #[test]
    fn the_peer_inflates_what_we_compress(
        bits in 8..=15u8, takes_over: bool, level in prop_oneof![Just(1), 0..=12u8],
        messages in prop::collection::vec(message(), 1..5),
    ) {
        let mut codec = Codec::new(level);
        let mut ours = endpoint(bits, takes_over);
        let mut peer = Peer::new(bits, takes_over, 6);
        for message in messages {
            let mut out = b"before".to_vec();
            if ours.compress(&mut codec, &message, &mut out) {
                prop_assert!(takes_over || out.len() - 6 < message.len());
                if let Some(group) = ours.group() {
                    // What was compressed before leaves no trace, or a message would tell of another one.
                    let mut alone = b"before".to_vec();
                    Codec::new(level).compress_for_group(group, &message, &mut alone);
                    prop_assert_eq!(&alone, &out);
                }
                prop_assert_eq!(peer.inflate(&out[6..]), message);
            } else {
                prop_assert_eq!(out.len(), 6);
            }
            prop_assert!(out.starts_with(b"before"));
        }
        prop_assert_eq!(ours.group().is_none(), takes_over);
    }

    #[test]
    fn we_inflate_what_the_peer_compresses(
        bits in 8..=15u8, takes_over: bool, level in 0..=9u32, messages in prop::collection::vec(message(), 1..5),
    ) {
        let mut codec = Codec::new(1);
        let mut ours = endpoint(bits, takes_over);
        let mut peer = Peer::new(bits, takes_over, level);
        for message in messages {
            let payload = peer.compress(&message);
            let inflated = ours.inflate(&mut codec, &payload, message.len());
            prop_assert_eq!(inflated.as_ref(), Ok(&message));
            prop_assert!(inflated.expect("compared above").capacity() <= message.len() * 9 / 8 + 8);
        }
    }

    #[test]
    fn one_byte_above_the_limit_is_too_big(bits in 9..=15u8, takes_over: bool, message in message()) {
        prop_assume!(!message.is_empty());
        let payload = Peer::new(bits, takes_over, 6).compress(&message);
        let limit = message.len() - 1;
        let verdict = endpoint(bits, takes_over).inflate(&mut Codec::new(1), &payload, limit);
        let is_too_big = matches!(verdict, Err(Violation::MessageTooBig { size, .. }) if size > limit as u64);
        prop_assert!(is_too_big, "{:?}", verdict);
    }

    #[test]
    fn a_block_with_bfinal_does_not_end_the_message(takes_over: bool, parts in prop::collection::vec(message(), 1..4)) {
        let mut payload = Vec::new();
        for part in &parts {
            let mut block = Vec::with_capacity(part.len() * 2 + 64);
            let mut deflate = Compress::new(Compression::new(6), false);
            deflate.compress_vec(part, &mut block, FlushCompress::Finish).expect("zlib compresses");
            payload.extend(block);
        }
        let (mut codec, mut ours) = (Codec::new(1), endpoint(15, takes_over));
        let message = parts.concat();
        // With the byte §7.2.3.4 asks for, and without, as some peers send it.
        prop_assert_eq!(ours.inflate(&mut codec, &payload, LIMIT_BYTES), Ok(message.clone()));
        payload.push(0);
        prop_assert_eq!(ours.inflate(&mut codec, &payload, LIMIT_BYTES), Ok(message.clone()));
        // And a block without BFINAL behind it.
        payload.pop();
        payload.extend(Peer::new(15, false, 6).compress(b"more"));
        prop_assert_eq!(ours.inflate(&mut codec, &payload, LIMIT_BYTES), Ok([&message[..], b"more"].concat()));
    }

    #[test]
    fn what_was_damaged_or_cut_stays_within_the_limit(
        message in message(), flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(), limit in 0..100_000usize,
    ) {
        let mut payload = Peer::new(15, false, 6).compress(&message);
        payload.truncate(cut.index(payload.len()) + 1);
        for (index, byte) in flips {
            let index = index.index(payload.len());
            payload[index] = byte;
        }
        let mut codec = Codec::new(1);
        for takes_over in [false, true] {
            if let Ok(inflated) = endpoint(15, takes_over).inflate(&mut codec, &payload, limit) {
                prop_assert!(inflated.len() <= limit);
            }
        }
    }
}

#[test]
fn the_peer_inflates_matches_of_all_lengths_at_all_distances() {
    let distances = (1..=14).flat_map(|bit| [1 << bit, (3 << bit) / 2, 2 << bit]);
    let distances = distances.flat_map(|edge| [edge - 1, edge, edge + 1]);
    let mut noise = 1u32;
    let mut byte = || {
        noise = noise.wrapping_mul(0x915f_77f5).wrapping_add(1);
        (noise >> 24) as u8
    };
    let mut codec = Codec::new(1);
    for distance in distances.filter(|distance| *distance <= 1 << 15) {
        for length in (4..=40)
            .chain([66, 67, 82, 83, 130, 131, 162, 163])
            .chain(226..=260)
        {
            // Noise, nothing, and the same again from so far away.
            let mut message: Vec<u8> = (0..distance.min(length)).map(|_| byte()).collect();
            message.resize(distance, 0);
            message.extend_from_within(..distance.min(length));
            for at in distance..distance + length.saturating_sub(distance) {
                message.push(message[at]);
            }
            message.resize(message.len() + 40, 0);
            let mut out = Vec::new();
            assert!(
                codec.compress_for_group(15, &message, &mut out),
                "{length} at {distance}"
            );
            assert_eq!(
                Peer::new(15, false, 6).inflate(&out),
                message,
                "{length} at {distance}"
            );
            let most_bytes = length.min(distance) * 9 / 8 + distance / 100 + 24;
            assert!(
                out.len() <= most_bytes,
                "{length} at {distance}: {} > {most_bytes}",
                out.len()
            );
        }
    }
}

#[test]
fn the_examples_of_the_rfc_inflate() {
    // RFC 7692 §7.2.3.1-§7.2.3.6.
    let cases: [(&[u8], &[u8]); 6] = [
        (&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], b"Hello"),
        (
            &[
                0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
            ],
            b"Hello",
        ),
        (&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00], b"Hello"),
        (
            &[
                0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
            ],
            b"Hello",
        ),
        (&[0x02, 0x00], b""),
        (&[0x00], b""),
    ];
    for (payload, message) in cases {
        for takes_over in [false, true] {
            let inflated = endpoint(15, takes_over).inflate(&mut Codec::new(1), payload, 5);
            assert_eq!(inflated.as_deref(), Ok(message), "{payload:02x?}");
        }
    }
    let mut ours = endpoint(15, true);
    let mut codec = Codec::new(1);
    for payload in [
        &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..],
        &[0xf2, 0x00, 0x11, 0x00, 0x00],
    ] {
        assert_eq!(
            ours.inflate(&mut codec, payload, 5).as_deref(),
            Ok(&b"Hello"[..])
        );
    }
}

#[test]
fn what_is_not_deflate_is_refused() {
    // C3: a reserved block type, a stored block that lies about its length, a tail that was not cut off, a distance
    // beyond the beginning.
    let cases: [&[u8]; 4] = [
        &[0x06, 0x00],
        &[0x00, 0x05, 0x00, 0x05, 0x00, 0x48],
        &[
            0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00, 0x00, 0xff, 0xff,
        ],
        &[0xf2, 0x00, 0x11, 0x00, 0x00],
    ];
    for payload in cases {
        let verdict = endpoint(15, false).inflate(&mut Codec::new(1), payload, LIMIT_BYTES);
        assert_eq!(verdict, Err(Violation::BadDeflate), "{payload:02x?}");
    }
    let mut ours = endpoint(15, true);
    assert_eq!(
        ours.inflate(&mut Codec::new(1), cases[0], LIMIT_BYTES),
        Err(Violation::BadDeflate)
    );
}

#[test]
fn a_dedicated_window_remembers_and_an_idle_one_costs_nothing() {
    let message =
        br#"{"type":"said","room":"lobby","name":"zoe","text":"the same again and again"}"#;
    let mut codec = Codec::new(1);
    let mut ours = endpoint(12, true);
    assert_eq!(ours.held_bytes(), 0);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    assert!(ours.compress(&mut codec, message, &mut first));
    assert!(ours.compress(&mut codec, message, &mut second));
    assert!(
        second.len() < first.len() / 3,
        "{} then {}",
        first.len(),
        second.len()
    );
    assert!(ours.held_bytes() > 1 << 12);
    // An empty message is one byte (§7.2.3.6), also between others.
    let mut empty = Vec::new();
    assert!(ours.compress(&mut codec, b"", &mut empty));
    assert_eq!(empty, [0]);
    let mut peer = Peer::new(12, true, 6);
    for (payload, message) in [(first, &message[..]), (second, &message[..]), (empty, b"")] {
        assert_eq!(peer.inflate(&payload), message);
    }
}

#[test]
fn short_messages_and_unusable_windows_are_left_alone() {
    let parameters = Parameters {
        server_no_context_takeover: true,
        server_max_window_bits: Some(8),
        ..Default::default()
    };
    let mut ours = PerMessage::new(Role::Server, parameters, 64, 1);
    let (mut codec, mut out) = (Codec::new(6), Vec::new());
    assert!(
        !ours.compress(&mut codec, &[b'a'; 63], &mut out),
        "shorter than the minimum"
    );
    assert!(
        ours.compress(&mut codec, &[b'a'; 256], &mut out),
        "no longer than the window"
    );
    out.clear();
    assert!(
        !ours.compress(&mut codec, &[b'a'; 257], &mut out),
        "zlib cannot do 8 bits"
    );
    assert!(
        ours.compress(&mut Codec::new(1), &[b'a'; 257], &mut out),
        "without zlib"
    );
    out.clear();
    let parameters = Parameters {
        server_max_window_bits: Some(8),
        ..Default::default()
    };
    assert!(!PerMessage::new(Role::Server, parameters, 0, 1).compress(
        &mut codec,
        &[b'a'; 99],
        &mut out
    ));
    assert!(out.is_empty());
}

#[test]
fn a_connection_carries_sixteen_bytes() {
    assert_eq!(size_of::<PerMessage>(), 16);
    assert!(size_of::<Option<PerMessage>>() <= 24);
}

/// A message of 2 MiB that compresses a thousandfold.
fn blank(takes_over: bool) -> (Vec<u8>, Vec<u8>) {
    let message = vec![b'x'; 2 << 20];
    let payload = Peer::new(15, takes_over, 9).compress(&message);
    assert!(message.len() / payload.len() > 500);
    (message, payload)
}

#[test]
fn what_inflates_beyond_the_ratio_is_refused_while_inflating() {
    for takes_over in [false, true] {
        let (_, payload) = blank(takes_over);
        let mut codec = Codec::new(1);
        codec.limit_ratio(200, false);
        let verdict = endpoint(15, takes_over).inflate(&mut codec, &payload, 16 << 20);
        assert_eq!(verdict, Err(Violation::InflatesTooMuch { ratio: 200 }));
        // One of a fair size passes however well it compresses, and what the limit forbids is told by the limit.
        let fair = vec![b'x'; UNSUSPICIOUS_BYTES];
        let payload = Peer::new(15, takes_over, 9).compress(&fair);
        let verdict = endpoint(15, takes_over).inflate(&mut codec, &payload, 16 << 20);
        assert_eq!(verdict, Ok(fair));
        let verdict = endpoint(15, takes_over).inflate(&mut codec, &payload, 1000);
        assert!(matches!(
            verdict,
            Err(Violation::MessageTooBig { limit: 1000, .. })
        ));
    }
}

#[test]
fn a_ratio_that_is_tried_tells_and_lets_pass() {
    for takes_over in [false, true] {
        let (message, payload) = blank(takes_over);
        let mut codec = Codec::new(1);
        codec.limit_ratio(200, true);
        let verdict = endpoint(15, takes_over).inflate(&mut codec, &payload, 16 << 20);
        assert_eq!(verdict, Ok(message));
        assert!(codec.take_exceeded());
        assert!(!codec.take_exceeded(), "once");
        codec.limit_ratio(2000, true);
        let verdict = endpoint(15, takes_over).inflate(&mut codec, &payload, 16 << 20);
        assert!(verdict.is_ok() && !codec.take_exceeded());
    }
}
