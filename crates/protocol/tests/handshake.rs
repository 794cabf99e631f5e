//! The opening handshake against the vectors, and our client against our server.

mod vectors;

use std::collections::HashMap;

use hubbub_protocol::deflate::{Settings, Window};
use hubbub_protocol::extensions;
use hubbub_protocol::handshake::{
    self, Acceptance, Agreed, ClientRefusal, ClientRequest, origin_is_same,
};
use hubbub_protocol::http::{HeadScanner, Limits, Refusal, Request};
use proptest::prelude::*;
use serde::Deserialize;
use vectors::Bytes;

#[derive(Deserialize)]
struct Row {
    name: String,
    request: Bytes,
    outcome: Outcome,
    accept: Option<String>,
    protocols: Option<Vec<String>>,
    extensions: Option<Vec<String>>,
    origin: Option<String>,
    #[serde(default)]
    fields: HashMap<String, String>,
}

#[derive(Deserialize, Debug, PartialEq)]
#[serde(untagged)]
enum Outcome {
    Status(u16),
    Said(String),
}

fn head(bytes: &[u8]) -> Result<&[u8], Refusal> {
    let end = HeadScanner::default().find_end(bytes, &Limits::default())?;
    Ok(&bytes[..end.expect("vectors hold whole heads")])
}

#[test]
fn opening_handshakes() {
    for row in vectors::rows::<Row>("handshakes.json") {
        let name = &row.name;
        let bytes = row.request.to_vec();
        let request = head(&bytes).and_then(|head| Request::parse(head, &Limits::default()));
        match request
            .as_ref()
            .map_err(Clone::clone)
            .and_then(handshake::examine)
        {
            Ok(None) => assert_eq!(row.outcome, Outcome::Said("plain".to_owned()), "{name}"),
            Ok(Some(offer)) => {
                assert_eq!(row.outcome, Outcome::Status(101), "{name}");
                let mut answer = Vec::new();
                handshake::accept(&offer, &Acceptance::default(), &mut answer).unwrap();
                assert_eq!(
                    String::from_utf8(answer).unwrap(),
                    format!(
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                         Sec-WebSocket-Accept: {}\r\n\r\n",
                        row.accept.as_ref().unwrap()
                    ),
                    "{name}"
                );
                assert_eq!(
                    offer.protocols().collect::<Vec<_>>(),
                    row.protocols.unwrap_or_default(),
                    "{name}"
                );
                let extensions: Vec<&[u8]> = offer.extensions().collect();
                let expected = row.extensions.unwrap_or_default();
                assert_eq!(
                    extensions,
                    expected
                        .iter()
                        .map(|value| value.as_bytes())
                        .collect::<Vec<_>>(),
                    "{name}"
                );
                assert_eq!(
                    offer.origin(),
                    row.origin.as_deref().map(str::as_bytes),
                    "{name}"
                );
            }
            Err(refusal) => {
                assert_eq!(
                    row.outcome,
                    Outcome::Status(refusal.status),
                    "{name}: {refusal}"
                );
                for (field, value) in &row.fields {
                    assert!(
                        refusal.fields.contains(&(field, value)),
                        "{name}: {:?}",
                        refusal.fields
                    );
                }
            }
        }
    }
}

#[derive(Deserialize)]
struct OriginRow {
    name: String,
    origin: Bytes,
    host: String,
    tls: bool,
    same: bool,
}

#[test]
fn origins() {
    let rows = vectors::rows::<OriginRow>("origins.json");
    assert!(rows.iter().filter(|row| !row.same).count() >= 40);
    for row in rows {
        assert_eq!(
            origin_is_same(&row.origin.to_vec(), row.host.as_bytes(), row.tls),
            row.same,
            "{}",
            row.name
        );
    }
}

/// One whole handshake in memory. The server takes the subprotocol `choice` counts to, if there is one.
fn shake(sent: &ClientRequest<'_>, choice: usize, settings: &Settings) -> (Agreed, Option<String>) {
    let mut bytes = Vec::new();
    sent.write(&mut bytes).unwrap();
    let request = Request::parse(head(&bytes).unwrap(), &Limits::default()).unwrap();
    assert_eq!((request.host, request.target.raw), (sent.host, sent.target));
    let offer = handshake::examine(&request)
        .unwrap()
        .expect("this is an upgrade");
    let protocol = offer.protocols().nth(choice);
    let deflate = extensions::negotiate(offer.extensions(), settings);
    let acceptance = Acceptance {
        protocol,
        deflate: deflate.as_ref(),
        fields: &[("Set-Cookie", "a=b")],
    };
    let mut answer = Vec::new();
    handshake::accept(&offer, &acceptance, &mut answer).unwrap();
    let agreed = handshake::verify(head(&answer).unwrap(), sent).unwrap();
    assert_eq!(agreed.deflate, deflate);
    (agreed, protocol.map(str::to_owned))
}

proptest! {
    #[test]
    fn client_and_server_agree(
        key in any::<[u8; 16]>(),
        protocols in prop::collection::vec("[a-zA-Z0-9.!]{1,8}", 0..4),
        choice in 0_usize..4,
        offers_deflate in any::<bool>(),
        window in prop::sample::select(vec![Window::Off, Window::Shared, Window::Dedicated]),
    ) {
        let settings = Settings::default();
        let protocols: Vec<&str> = protocols.iter().map(String::as_str).collect();
        let sent = ClientRequest {
            host: "[2001:db8::1]:8080",
            target: "/chat?room=1",
            key,
            protocols: &protocols,
            deflate: offers_deflate.then_some(&settings),
            fields: &[("Origin", "http://example.org")],
        };
        let (agreed, chosen) = shake(&sent, choice, &Settings { window, ..settings });
        prop_assert_eq!(agreed.protocol, chosen);
        prop_assert_eq!(agreed.deflate.is_some(), offers_deflate && window != Window::Off);
    }

    #[test]
    fn no_answer_makes_a_client_panic(
        status in prop_oneof![Just(101_u16), 0_u16..1000],
        lines in prop::collection::vec("(Upgrade|Connection|Sec-WebSocket-(Accept|Protocol|Extensions)): [ -~]{0,30}", 0..6),
        bytes in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let sent = ClientRequest { host: "a", target: "/", key: [0; 16], protocols: &[], deflate: None, fields: &[] };
        let lines: String = lines.into_iter().map(|line| line + "\r\n").collect();
        let answer = format!("HTTP/1.1 {status} \r\n{lines}\r\n");
        prop_assert!(handshake::verify(answer.as_bytes(), &sent).is_err());
        prop_assert!(matches!(handshake::verify(&bytes, &sent), Err(ClientRefusal::Broken(_))));
    }
}
