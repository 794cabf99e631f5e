//! A stream of bytes read by an endpoint in given pieces, and what came of it in a form that can be compared.

use hubbub_protocol::deflate::{Codec, Parameters, PerMessage};
use hubbub_protocol::endpoint::{Endpoint, Event, Input, Kind, Role};
use hubbub_protocol::error::Violation;

/// An event that outlives its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(u16, String),
}

impl From<Event<'_>> for Seen {
    fn from(event: Event<'_>) -> Seen {
        match event {
            Event::Message {
                kind: Kind::Text,
                payload,
            } => Seen::Text(String::from_utf8(payload.into_owned()).expect("text is UTF-8")),
            Event::Message {
                kind: Kind::Binary,
                payload,
            } => Seen::Binary(payload.into_owned()),
            Event::Ping(payload) => Seen::Ping(payload.into_owned()),
            Event::Pong(payload) => Seen::Pong(payload.into_owned()),
            Event::Close { code, reason } => Seen::Close(code, reason),
        }
    }
}

/// All that a stream led to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) seen: Vec<Seen>,
    pub(crate) violation: Option<Violation>,
}

/// How the stream is received.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) role: Role,
    pub(crate) limit_bytes: usize,
    pub(crate) has_deflate: bool,
    /// We close of our own accord after this many events.
    pub(crate) closes_after: Option<usize>,
}

impl Setting {
    pub(crate) fn deflate(&self) -> Option<PerMessage> {
        let parameters = Parameters {
            server_no_context_takeover: true,
            client_no_context_takeover: true,
            server_max_window_bits: None,
            client_max_window_bits: None,
        };
        self.has_deflate
            .then(|| PerMessage::new(self.role, parameters, 0, 1))
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::new(self.role, self.limit_bytes, self.deflate())
    }
}

/// Reads `pieces` one after the other, and watches what the endpoint holds meanwhile.
pub(crate) fn receive<'p>(
    setting: &Setting,
    codec: &mut Codec,
    pieces: impl IntoIterator<Item = &'p [u8]>,
) -> Outcome {
    let mut endpoint = setting.endpoint();
    let mut outcome = Outcome::default();
    let mut arrived = 0;
    for piece in pieces {
        arrived += piece.len();
        let mut bytes = piece.to_vec();
        let mut input = Input::new(&mut bytes);
        loop {
            if setting.closes_after == Some(outcome.seen.len()) {
                let mut out = Vec::new();
                endpoint
                    .close(Some(1000), "", [0; 4], &mut out)
                    .expect("1000 may be sent");
            }
            match endpoint.receive(&mut input, codec) {
                Ok(Some(event)) => outcome.seen.push(event.into()),
                Ok(None) => break,
                Err(violation) => {
                    assert_eq!(outcome.violation.replace(violation), None, "told twice");
                }
            }
        }
        assert!(input.is_empty(), "not everything was taken");
        // Four times a beginning that is vouched for by its header, or a quarter more; and the state itself.
        assert!(
            endpoint.held_bytes() <= 4 * arrived + 256,
            "{} held",
            endpoint.held_bytes()
        );
        let is_over = outcome.violation.is_some() || endpoint.close_received();
        assert!(!is_over || endpoint.held_bytes() == 0, "held after the end");
        assert!(!is_over || !endpoint.is_mid_message() && !endpoint.is_open());
    }
    outcome
}
