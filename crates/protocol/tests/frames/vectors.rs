//! Endpoints, close codes and texts against `tests/vectors/{frames,close,utf8}.json`.

use hubbub_protocol::close;
use hubbub_protocol::deflate::Codec;
use hubbub_protocol::endpoint::Role;
use hubbub_protocol::error::Misuse;
use hubbub_protocol::utf8::{self, Utf8};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::stream::{Outcome, Seen, Setting, receive};

#[derive(Deserialize)]
struct Frames {
    streams: Vec<Stream>,
}

#[derive(Deserialize)]
struct Stream {
    why: String,
    to: String,
    limit: Option<usize>,
    #[serde(default)]
    deflate: bool,
    bytes: String,
    events: Vec<Told>,
    fails: Option<Failure>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    Text { text: String },
    Binary { binary: String },
    Ping { ping: String },
    Pong { pong: String },
    Close { close: u16, reason: String },
}

#[derive(Deserialize)]
struct Failure {
    code: u16,
    text: String,
    at: usize,
}

#[derive(Deserialize)]
struct Closes {
    codes: Vec<Codes>,
    reasons: Vec<Reason>,
}

#[derive(Deserialize)]
struct Codes {
    first: u16,
    last: u16,
    sendable: bool,
}

#[derive(Deserialize)]
struct Reason {
    why: String,
    reason: String,
    bytes: usize,
}

#[derive(Deserialize)]
struct Texts {
    texts: Vec<Text>,
}

#[derive(Deserialize)]
struct Text {
    why: String,
    bytes: String,
    valid: bool,
    taken: usize,
}

fn read<T: DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).expect("vectors are JSON of the expected shape")
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !matches!(c, ' ' | '|'))
        .map(|c| c.to_digit(16).expect("a hexadecimal digit") as u8)
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

impl From<&Told> for Seen {
    fn from(told: &Told) -> Seen {
        match told {
            Told::Text { text } => Seen::Text(text.clone()),
            Told::Binary { binary } => Seen::Binary(unhex(binary)),
            Told::Ping { ping } => Seen::Ping(unhex(ping)),
            Told::Pong { pong } => Seen::Pong(unhex(pong)),
            Told::Close { close, reason } => Seen::Close(*close, reason.clone()),
        }
    }
}

fn assert_outcome(stream: &Stream, outcome: &Outcome, how: &str) {
    let events: Vec<Seen> = stream.events.iter().map(Seen::from).collect();
    assert_eq!(outcome.seen, events, "{}, {how}", stream.why);
    let fails = stream
        .fails
        .as_ref()
        .map(|failure| (failure.code, failure.text.clone()));
    let failed = outcome
        .violation
        .as_ref()
        .map(|v| (v.close_code(), v.to_string()));
    assert_eq!(failed, fails, "{}, {how}", stream.why);
}

#[test]
fn streams_mean_what_the_vectors_say_in_every_cutting() {
    let mut codec = Codec::new(1);
    let frames: Frames = read(include_str!("../../../../tests/vectors/frames.json"));
    for stream in &frames.streams {
        let bytes = unhex(&stream.bytes);
        let setting = Setting {
            role: if stream.to == "server" {
                Role::Server
            } else {
                Role::Client
            },
            limit_bytes: stream.limit.unwrap_or(1_048_576),
            has_deflate: stream.deflate,
            closes_after: None,
        };
        for size in 1..=bytes.len() {
            let outcome = receive(&setting, &mut codec, bytes.chunks(size));
            assert_outcome(stream, &outcome, &format!("in pieces of {size}"));
        }
        for cut in 0..=bytes.len() {
            let outcome = receive(&setting, &mut codec, [&bytes[..cut], &bytes[cut..]]);
            assert_outcome(stream, &outcome, &format!("cut at {cut}"));
        }
        if let Some(failure) = &stream.fails {
            let proved = receive(&setting, &mut codec, [&bytes[..failure.at]]);
            assert_outcome(stream, &proved, "as soon as it is proved");
            let before = receive(&setting, &mut codec, [&bytes[..failure.at - 1]]);
            assert_eq!(before.violation, None, "{}, a byte before", stream.why);
        }
    }
}

#[test]
fn close_codes_are_those_of_the_registry() {
    let closes: Closes = read(include_str!("../../../../tests/vectors/close.json"));
    let mut next = 0;
    for codes in closes.codes {
        assert_eq!(u32::from(codes.first), next, "every code is spoken of once");
        next = u32::from(codes.last) + 1;
        for code in codes.first..=codes.last {
            assert_eq!(close::is_sendable(code), codes.sendable, "{code}");
            assert_eq!(
                close::parse(&code.to_be_bytes()).is_ok(),
                codes.sendable,
                "{code}"
            );
            let misuse = close::encode(Some(code), "").err();
            let expected = (!codes.sendable).then_some(Misuse::BadCloseCode(code));
            assert_eq!(misuse, expected, "{code}");
        }
    }
    assert_eq!(next, 65_536);
}

#[test]
fn close_reasons_are_cut_between_code_points() {
    let closes: Closes = read(include_str!("../../../../tests/vectors/close.json"));
    for Reason { why, reason, bytes } in closes.reasons {
        let body = close::encode(Some(1000), &reason).expect("1000 may be sent");
        assert_eq!(&body[2..], &reason.as_bytes()[..bytes], "{why}");
    }
}

#[test]
fn texts_are_taken_as_far_as_they_are_utf8() {
    let texts: Texts = read(include_str!("../../../../tests/vectors/utf8.json"));
    for Text {
        why,
        bytes,
        valid,
        taken,
    } in texts.texts
    {
        let bytes = unhex(&bytes);
        assert_eq!(utf8::is_valid(&bytes), valid, "{why}");
        assert_eq!(utf8::check(&bytes).is_ok(), valid, "{why}");
        for size in 1..=bytes.len().max(1) {
            let mut utf8 = Utf8::default();
            let is_good = bytes.chunks(size).all(|piece| utf8.push(piece).is_ok());
            assert_eq!(is_good, taken == bytes.len(), "{why}, in pieces of {size}");
            assert_eq!(
                is_good && utf8.finish().is_ok(),
                valid,
                "{why}, in pieces of {size}"
            );
        }
        let mut utf8 = Utf8::default();
        let singly = bytes
            .iter()
            .take_while(|&&byte| utf8.push(&[byte]).is_ok())
            .count();
        assert_eq!(singly, taken, "{why}, one by one");
    }
}
