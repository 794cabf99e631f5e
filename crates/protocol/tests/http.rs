//! Request heads, targets and bodies against the vectors, and against themselves under every cut.

mod vectors;

use std::collections::HashMap;

use hubbub_protocol::http::{BodyReader, HeadScanner, Limits, Refusal, Request, list};
use proptest::prelude::*;
use serde::Deserialize;
use vectors::Bytes;

#[derive(Deserialize)]
struct HeadRow {
    name: String,
    request: Bytes,
    outcome: Outcome,
}

#[derive(Deserialize, Debug, PartialEq)]
#[serde(untagged)]
enum Outcome {
    Refused(u16),
    Said(String),
}

const BODY_LIMIT_BYTES: u64 = 1 << 20;

/// What comes of a request that arrives in these pieces: its content, or the refusal. `None`: it is not complete.
fn read_request(pieces: &[&[u8]]) -> Option<Result<Vec<u8>, Refusal>> {
    let limits = Limits::default();
    let (mut scanner, mut received, mut body) = (HeadScanner::default(), Vec::new(), Vec::new());
    let mut reader: Option<BodyReader> = None;
    for piece in pieces {
        let mut rest = *piece;
        if reader.is_none() {
            received.extend_from_slice(piece);
            let end = match scanner.find_end(&received, &limits) {
                Ok(None) => continue,
                Ok(Some(end)) => end,
                Err(refusal) => return Some(Err(refusal)),
            };
            match Request::parse(&received[..end], &limits)
                .and_then(|request| BodyReader::new(request.framing(), BODY_LIMIT_BYTES))
            {
                Ok(new) => reader = Some(new),
                Err(refusal) => return Some(Err(refusal)),
            }
            rest = &piece[piece.len() - (received.len() - end)..];
        }
        match reader.as_mut().expect("set above").read(rest, &mut body) {
            Ok((_, true)) => return Some(Ok(body)),
            Ok((consumed, false)) => assert_eq!(consumed, rest.len()),
            Err(refusal) => return Some(Err(refusal)),
        }
    }
    None
}

#[test]
fn heads_and_bodies() {
    let rows = vectors::rows::<HeadRow>("http_heads.json");
    assert!(
        rows.iter()
            .filter(|row| row.outcome == Outcome::Refused(400))
            .count()
            >= 60
    );
    for HeadRow {
        name,
        request,
        outcome,
    } in rows
    {
        let request = request.to_vec();
        let whole = read_request(&[&request]).unwrap_or_else(|| panic!("{name}: not complete"));
        match &outcome {
            Outcome::Said(word) => {
                assert!(word == "accepted" && whole.is_ok(), "{name}: {whole:?}")
            }
            Outcome::Refused(status) => {
                assert_eq!(
                    whole.as_ref().map_err(|refusal| refusal.status),
                    Err(*status),
                    "{name}: {whole:?}"
                );
            }
        }
        // A byte at a time comes to the same end, and never later than all at once.
        if request.len() <= 1 << 17 {
            let dribble: Vec<&[u8]> = request.chunks(1).collect();
            assert_eq!(read_request(&dribble), Some(whole), "{name}");
        }
    }
}

#[derive(Deserialize)]
struct TargetRow {
    name: String,
    method: String,
    target: String,
    outcome: Option<u16>,
    path: Option<String>,
    query: Option<String>,
    host: Option<String>,
}

#[test]
fn targets() {
    for row in vectors::rows::<TargetRow>("targets.json") {
        let name = &row.name;
        let head = format!(
            "{} {} HTTP/1.1\r\nHost: example.org\r\n\r\n",
            row.method, row.target
        );
        let parsed = Request::parse(head.as_bytes(), &Limits::default());
        match (row.path, parsed) {
            (Some(path), Ok(request)) => {
                assert_eq!(request.target.path, path, "{name}");
                assert_eq!(Some(request.target.query), row.query.as_deref(), "{name}");
                assert_eq!(Some(request.host), row.host.as_deref(), "{name}");
                assert_eq!(request.target.raw, row.target, "{name}");
            }
            (None, Err(refusal)) => assert_eq!(Some(refusal.status), row.outcome, "{name}"),
            (_, parsed) => panic!("{name}: {parsed:?}"),
        }
    }
}

/// Bytes that look like a request often enough to get past the first check.
fn nearly_a_request() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        4 => "[A-Za-z-]{1,12}: ?[ -~]{0,20}",
        1 => "Content-Length: [0-9]{1,3}",
        1 => "(Host|Connection|Upgrade|Transfer-Encoding): [a-z,; \t]{0,12}",
        1 => "[\\x00-\\x7f]{0,10}",
    ];
    let end = prop_oneof![20 => Just("\r\n"), 1 => Just("\n"), 1 => Just("\r"), 1 => Just("\r\n\r\n"), 1 => Just("")];
    let first = prop_oneof![8 => Just("GET / HTTP/1.1\r\nHost: a\r\n"), 1 => Just("\r\n"), 1 => Just("POST /%2e")];
    (
        first,
        prop::collection::vec((line, end), 0..12),
        prop::collection::vec(any::<u8>(), 0..8),
    )
        .prop_map(|(first, lines, tail)| {
            let lines: String = lines.into_iter().map(|(line, end)| line + end).collect();
            [first.as_bytes(), lines.as_bytes(), b"\r\n", &tail].concat()
        })
}

/// Cuts `bytes` at places chosen by `cuts`.
fn cut<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places
        .windows(2)
        .map(|pair| &bytes[pair[0]..pair[1]])
        .collect()
}

proptest! {
    #[test]
    fn cuts_make_no_difference(
        bytes in nearly_a_request(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    ) {
        prop_assert_eq!(read_request(&cut(&bytes, &cuts)), read_request(&[&bytes]));
    }

    #[test]
    fn no_bytes_make_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let limits = Limits { request_line_bytes: 64, head_bytes: 128, fields: 3 };
        let _ = HeadScanner::default().find_end(&bytes, &limits);
        let _ = Request::parse(&bytes, &limits);
        let _ = read_request(&[&[b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", &*bytes].concat()]);
    }

    /// What is accepted has one form: free of what routes could stumble over, and the same when it is sent again.
    #[test]
    fn paths_are_normal(raw in "/([a-c./\\\\]|%2[EeFf5]|%[0-9a-f]{2}|%){0,8}") {
        let head = format!("GET {raw} HTTP/1.1\r\nHost: a\r\n\r\n");
        let Ok(request) = Request::parse(head.as_bytes(), &Limits::default()) else { return Ok(()) };
        let path = request.target.path;
        prop_assert!(path.starts_with('/') && !path.contains("//") && !path.contains(char::is_control));
        prop_assert!(path.split('/').all(|segment| segment != "." && segment != ".."));
        let encoded: String = path.bytes().map(|byte| match byte {
            b'/' => "/".to_owned(),
            other => format!("%{other:02x}"),
        }).collect();
        let head = format!("GET {encoded} HTTP/1.1\r\nHost: a\r\n\r\n");
        let again = Request::parse(head.as_bytes(), &Limits::default());
        prop_assert_eq!(again.map(|again| again.target.path.into_owned()), Ok(path.into_owned()));
    }

    #[test]
    fn fields_are_those_of_a_naive_parser(
        lines in prop::collection::vec(("[A-Za-z]{1,6}", "[!-~]{0,8}"), 0..60),
        wanted in "[A-Za-z]{1,2}",
    ) {
        let lines: Vec<(String, String)> =
            lines.into_iter().map(|(name, value)| (format!("X-{name}"), value)).collect();
        let text: String = lines.iter().map(|(name, value)| format!("{name}:{value}\r\n")).collect();
        let head = format!("GET / HTTP/1.1\r\n{text}Host: a\r\n\r\n");
        let request = Request::parse(head.as_bytes(), &Limits::default()).unwrap();
        prop_assert_eq!(request.fields.len(), lines.len() + 1);
        let mut naive: HashMap<String, Vec<&[u8]>> = HashMap::new();
        for (name, value) in &lines {
            naive.entry(name.to_lowercase()).or_default().push(value.as_bytes());
        }
        let wanted = format!("x-{wanted}");
        let expected = naive.remove(&wanted.to_lowercase()).unwrap_or_default();
        prop_assert_eq!(request.fields.get(&wanted), expected.first().copied());
        prop_assert_eq!(request.fields.get_all(&wanted).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn lists_are_those_of_a_naive_splitter(lines in prop::collection::vec("[a-c,, \t;]{0,12}", 0..4)) {
        let tokens: Result<Vec<&str>, _> = list::tokens(lines.iter().map(|line| line.as_bytes())).collect();
        let joined = lines.join(",");
        let naive: Vec<&str> =
            joined.split(',').map(|part| part.trim_matches([' ', '\t'])).filter(|part| !part.is_empty()).collect();
        let has_others = naive.iter().any(|part| !part.bytes().all(|byte| byte.is_ascii_alphabetic()));
        prop_assert_eq!(tokens.is_err(), has_others);
        if let Ok(tokens) = tokens {
            prop_assert_eq!(tokens, naive);
        }
    }

    #[test]
    fn chunks_make_up_the_body(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..8),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        next in prop::collection::vec(any::<u8>(), 0..5),
    ) {
        let head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        let mut bytes = chunks.iter().fold(head, |mut bytes, chunk| {
            bytes.extend_from_slice(format!("{:x};note=\"x\"\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
            bytes
        });
        bytes.extend_from_slice(b"0\r\nTrailer: x\r\n\r\n");
        bytes.extend_from_slice(&next);
        prop_assert_eq!(read_request(&cut(&bytes, &cuts)), Some(Ok(chunks.concat())));
    }
}
