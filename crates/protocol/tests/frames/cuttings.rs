//! Whatever arrives means the same in every cutting (threats.md W8), and what a slow reading of the RFC says it means.
//!
//! `PROPTEST_CASES` says how many streams; each is received whole, byte by byte, and in pieces of many sizes.

use hubbub_protocol::deflate::Codec;
use hubbub_protocol::endpoint::Role;
use hubbub_protocol::error::Violation;
use hubbub_protocol::frame::{Header, OpCode};
use hubbub_protocol::mask;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::oracle::meaning;
use crate::stream::{Outcome, Setting, receive};

/// A frame before it is written down.
#[derive(Debug, Clone)]
struct Frame {
    opcode: OpCode,
    fin: bool,
    rsv1: bool,
    payload: Vec<u8>,
}

impl Frame {
    fn write(&self, key: Option<[u8; 4]>) -> Vec<u8> {
        let header = Header {
            fin: self.fin,
            rsv1: self.rsv1,
            opcode: self.opcode,
            mask: key,
            length: self.payload.len() as u64,
        };
        let mut payload = self.payload.clone();
        mask::apply(&mut payload, key.unwrap_or_default(), 0);
        [&header.encode(), &payload[..]].concat()
    }
}

/// Something to spoil in a stream that was good.
#[derive(Debug, Clone)]
enum Fault {
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Truncate(Index),
    DropFrame(Index),
    RepeatFrame(Index),
    WidenLength(Index),
    WrongMask,
}

fn control_frame() -> impl Strategy<Value = Frame> {
    let body = prop_oneof![
        4 => vec(any::<u8>(), 0..12),
        1 => vec(any::<u8>(), 120..128),
    ];
    prop_oneof![Just(OpCode::Ping), Just(OpCode::Pong)]
        .prop_flat_map(move |opcode| (Just(opcode), body.clone()))
        .prop_map(|(opcode, payload)| Frame {
            opcode,
            fin: true,
            rsv1: false,
            payload,
        })
}

fn close_frame() -> impl Strategy<Value = Frame> {
    let code = prop_oneof![Just(1000_u16), Just(1005), 3000..5000_u16, any::<u16>()];
    let body = prop_oneof![
        1 => vec(any::<u8>(), 0..2),
        4 => (code, text()).prop_map(|(code, reason)| [&code.to_be_bytes(), &reason[..]].concat()),
    ];
    body.prop_map(|mut payload| {
        payload.truncate(125);
        Frame {
            opcode: OpCode::Close,
            fin: true,
            rsv1: false,
            payload,
        }
    })
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let code_point = prop_oneof![4 => prop::char::range(' ', '~'), 1 => any::<char>()];
    vec(code_point, 0..40).prop_map(|text| text.into_iter().collect::<String>().into_bytes())
}

fn payload() -> impl Strategy<Value = (OpCode, Vec<u8>)> {
    prop_oneof![
        8 => (Just(OpCode::Text), text()),
        2 => (Just(OpCode::Text), vec(any::<u8>(), 0..8)),
        4 => (Just(OpCode::Binary), vec(any::<u8>(), 0..60)),
        1 => (Just(OpCode::Binary), vec(any::<u8>(), 120..300)),
    ]
}

/// The frames of one message, cut anywhere, with control frames in between.
fn message() -> impl Strategy<Value = Vec<Frame>> {
    let cuts = vec(
        (any::<Index>(), prop::option::weighted(0.2, control_frame())),
        0..4,
    );
    (payload(), prop::bool::weighted(0.3), cuts).prop_map(|((opcode, payload), rsv1, mut cuts)| {
        let payload = if rsv1 { stored(&payload) } else { payload };
        cuts.sort_by_key(|(cut, _)| cut.index(payload.len() + 1));
        let mut frames = Vec::new();
        let mut start = 0;
        let opcode_at = |start_of_message| {
            if start_of_message {
                opcode
            } else {
                OpCode::Continuation
            }
        };
        let mut is_first = true;
        for (cut, control) in cuts {
            let end = cut.index(payload.len() + 1);
            let payload = payload[start..end].to_vec();
            frames.push(Frame {
                opcode: opcode_at(is_first),
                fin: false,
                rsv1: rsv1 && is_first,
                payload,
            });
            frames.extend(control);
            (start, is_first) = (end, false);
        }
        let payload = payload[start..].to_vec();
        frames.push(Frame {
            opcode: opcode_at(is_first),
            fin: true,
            rsv1: rsv1 && is_first,
            payload,
        });
        frames
    })
}

/// A message as RFC 7692 §7.2.3.3 sends it without compressing it.
fn stored(payload: &[u8]) -> Vec<u8> {
    let length = payload.len() as u16;
    [
        &[0],
        &length.to_le_bytes()[..],
        &(!length).to_le_bytes(),
        payload,
        &[0],
    ]
    .concat()
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        4 => (any::<Index>(), 1..=255_u8).prop_map(|(place, bits)| Fault::Flip(place, bits)),
        2 => (any::<Index>(), vec(any::<u8>(), 1..20)).prop_map(|(place, bytes)| Fault::Insert(place, bytes)),
        2 => any::<Index>().prop_map(Fault::Truncate),
        2 => any::<Index>().prop_map(Fault::DropFrame),
        1 => any::<Index>().prop_map(Fault::RepeatFrame),
        1 => any::<Index>().prop_map(Fault::WidenLength),
        1 => Just(Fault::WrongMask),
    ]
}

fn setting() -> impl Strategy<Value = Setting> {
    let role = prop_oneof![3 => Just(Role::Server), 1 => Just(Role::Client)];
    let limit = prop_oneof![4 => Just(1_048_576_usize), 1 => 0..300_usize];
    let closes_after = prop::option::weighted(0.15, 0..4_usize);
    (role, limit, prop::bool::weighted(0.7), closes_after).prop_map(
        |(role, limit_bytes, has_deflate, closes_after)| Setting {
            role,
            limit_bytes,
            has_deflate,
            closes_after,
        },
    )
}

fn frames() -> impl Strategy<Value = Vec<Frame>> {
    let part = prop_oneof![
        8 => message(),
        2 => control_frame().prop_map(|frame| vec![frame]),
        1 => close_frame().prop_map(|frame| vec![frame]),
    ];
    vec(part, 0..8).prop_map(|parts| parts.concat())
}

fn write(frames: &[Frame], faults: &[Fault], role: Role, key: [u8; 4]) -> Vec<u8> {
    let is_wrong = faults.iter().any(|fault| matches!(fault, Fault::WrongMask));
    let key = ((role == Role::Server) != is_wrong).then_some(key);
    let mut written: Vec<Vec<u8>> = frames.iter().map(|frame| frame.write(key)).collect();
    for fault in faults.iter().filter(|_| !frames.is_empty()) {
        match fault {
            Fault::DropFrame(place) => written[place.index(frames.len())].clear(),
            Fault::RepeatFrame(place) => {
                let frame = &mut written[place.index(frames.len())];
                *frame = frame.repeat(2);
            }
            Fault::WidenLength(place) => widen_length(&mut written[place.index(frames.len())]),
            _ => {}
        }
    }
    let mut stream = written.concat();
    for fault in faults {
        match fault {
            Fault::Flip(place, bits) if !stream.is_empty() => {
                let place = place.index(stream.len());
                stream[place] ^= bits;
            }
            Fault::Insert(place, bytes) => {
                let place = place.index(stream.len() + 1);
                stream.splice(place..place, bytes.iter().copied());
            }
            Fault::Truncate(place) => stream.truncate(place.index(stream.len() + 1)),
            _ => {}
        }
    }
    stream
}

/// Writes a length of 7 bits in 64.
fn widen_length(frame: &mut Vec<u8>) {
    if let Some(&second) = frame.get(1)
        && second & 0x7F < 126
    {
        frame[1] |= 0x7F;
        frame.splice(2..2, u64::from(second & 0x7F).to_be_bytes());
    }
}

/// The stream in pieces whose sizes are `sizes`, over and over.
fn pieces<'s>(stream: &'s [u8], sizes: &[usize]) -> Vec<&'s [u8]> {
    let mut rest = stream;
    let mut pieces = Vec::new();
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at((*size).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// Data that breaks off may inflate to too much before that shows, or not: the codec appends bytes of its own choice.
fn without_luck(setting: &Setting, mut outcome: Outcome) -> Outcome {
    if let Some(Violation::MessageTooBig { size, limit }) = outcome.violation
        && setting.has_deflate
        && size == limit as u64 + 1
    {
        outcome.violation = Some(Violation::BadDeflate);
    }
    outcome
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_cutting_means_what_the_rfc_says(
        setting in setting(),
        frames in frames(),
        faults in prop_oneof![1 => Just(Vec::new()), 2 => vec(fault(), 1..3)],
        key in any::<[u8; 4]>(),
        sizes in vec(1..40_usize, 1..8),
    ) {
        let mut codec = Codec::new(1);
        let stream = write(&frames, &faults, setting.role, key);
        let expected = without_luck(&setting, meaning(&setting, &mut codec, &stream));
        for sizes in [&[usize::MAX][..], &[1], &[2], &[3], &[7], &sizes] {
            let outcome = without_luck(&setting, receive(&setting, &mut codec, pieces(&stream, sizes)));
            prop_assert_eq!(&outcome, &expected, "in pieces of {:?}", sizes);
        }
    }

    #[test]
    fn noise_means_what_the_rfc_says(
        setting in setting(),
        stream in vec(any::<u8>(), 0..64),
        sizes in vec(1..20_usize, 1..4),
    ) {
        let mut codec = Codec::new(1);
        let expected = without_luck(&setting, meaning(&setting, &mut codec, &stream));
        for sizes in [&[usize::MAX][..], &[1], &sizes] {
            let outcome = without_luck(&setting, receive(&setting, &mut codec, pieces(&stream, sizes)));
            prop_assert_eq!(&outcome, &expected, "in pieces of {:?}", sizes);
        }
    }
}

#[test]
fn a_short_stream_in_every_cutting_there_is() {
    let setting = Setting {
        role: Role::Client,
        limit_bytes: 100,
        has_deflate: true,
        closes_after: None,
    };
    let frames = [
        Frame {
            opcode: OpCode::Text,
            fin: false,
            rsv1: false,
            payload: "é".into(),
        },
        Frame {
            opcode: OpCode::Ping,
            fin: true,
            rsv1: false,
            payload: vec![7],
        },
        Frame {
            opcode: OpCode::Continuation,
            fin: true,
            rsv1: false,
            payload: "€".into(),
        },
        Frame {
            opcode: OpCode::Close,
            fin: true,
            rsv1: false,
            payload: vec![3, 232],
        },
    ];
    let stream = write(&frames, &[], Role::Client, [0; 4]);
    let mut codec = Codec::new(1);
    let expected = meaning(&setting, &mut codec, &stream);
    assert_eq!(expected.seen.len(), 3);
    // Bit `i` of `cuts` says whether the stream is cut behind byte `i`.
    for cuts in 0..1_usize << (stream.len() - 1) {
        let mut start = 0;
        let mut pieces = Vec::new();
        for end in 1..=stream.len() {
            if end == stream.len() || cuts >> (end - 1) & 1 == 1 {
                pieces.push(&stream[start..end]);
                start = end;
            }
        }
        assert_eq!(receive(&setting, &mut codec, pieces), expected, "{cuts:b}");
    }
}
