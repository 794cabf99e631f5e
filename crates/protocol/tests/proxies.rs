//! What proxies say of their clients: PROXY headers and forwarding fields, against the vectors and in every cutting.

mod vectors;

use std::net::IpAddr;

use hubbub_protocol::http::{Forwarded, Limits, Request, Spelling};
use hubbub_protocol::network::Networks;
use hubbub_protocol::proxy::{self, Client};
use proptest::prelude::*;
use serde::Deserialize;
use vectors::Bytes;

#[derive(Deserialize)]
struct HeaderRow {
    name: String,
    bytes: Bytes,
    client: Option<String>,
    #[serde(default)]
    tls: bool,
    #[serde(default)]
    rest: usize,
    #[serde(default)]
    malformed: bool,
}

#[test]
fn headers() {
    for row in vectors::rows::<HeaderRow>("proxy.json") {
        let (name, bytes) = (&row.name, row.bytes.to_vec());
        let length = bytes.len() - row.rest;
        let found = proxy::parse(&bytes);
        if row.malformed {
            assert!(found.is_err(), "{name}: {found:?}");
            continue;
        }
        let header = found.expect(name).expect(name);
        let client = match header.client {
            Client::Itself => "itself".to_owned(),
            Client::Unix => "unix".to_owned(),
            Client::Ip(address) => address.to_string(),
        };
        assert_eq!(
            (header.length, Some(client), header.tls),
            (length, row.client, row.tls),
            "{name}"
        );
        for end in 0..length {
            assert_eq!(proxy::parse(&bytes[..end]), Ok(None), "{name}, {end} bytes");
        }
    }
}

#[derive(Deserialize)]
struct ForwardedRow {
    name: String,
    kind: String,
    peer: String,
    trusted: Vec<String>,
    fields: Vec<(String, Bytes)>,
    client: String,
    tls: Option<bool>,
    host: String,
}

fn head(fields: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut head = b"GET / HTTP/1.1\r\nHost: h\r\n".to_vec();
    for (name, value) in fields {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value);
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

fn peer(text: &str) -> Option<IpAddr> {
    (text != "unix").then(|| text.parse().expect("an address"))
}

#[test]
fn forwarding_fields() {
    for row in vectors::rows::<ForwardedRow>("forwarded.json") {
        let fields: Vec<_> = row
            .fields
            .iter()
            .map(|(name, value)| (name.clone(), value.to_vec()))
            .collect();
        let head = head(&fields);
        let request = Request::parse(&head, &Limits::default()).expect("a request");
        let spelling = match row.kind.as_str() {
            "forwarded" => Spelling::Forwarded,
            "x-forwarded" => Spelling::XForwarded,
            _ => Spelling::Off,
        };
        let trusted = Networks::parse(row.trusted.iter().map(String::as_str)).expect("networks");
        let found = Forwarded::of(&request.fields, spelling, peer(&row.peer), &trusted);
        let client = found.client.map_or_else(String::new, |it| it.to_string());
        assert_eq!(
            (client, found.tls, found.host.unwrap_or_default()),
            (row.client, row.tls, row.host.as_str()),
            "{}",
            row.name
        );
    }
}

proptest! {
    #[test]
    fn a_header_is_the_same_in_every_cutting(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..60),
            "PROXY (TCP4|TCP6|UNKNOWN)? ?[0-9a-f:. ]{0,50}(\r\n)?.{0,5}".prop_map(String::into_bytes),
            (prop::sample::select(vec![0x20_u8, 0x21]), any::<u8>(), prop::collection::vec(any::<u8>(), 0..80)).prop_map(
                |(command, family, rest)| {
                    let mut bytes = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
                    bytes.extend([command, family, 0, rest.len() as u8]);
                    bytes.extend(rest);
                    bytes
                }
            ),
        ]
    ) {
        let whole = proxy::parse(&bytes);
        let first = (0..=bytes.len()).map(|end| proxy::parse(&bytes[..end])).find(|found| *found != Ok(None));
        prop_assert_eq!(whole, first.unwrap_or(Ok(None)));
        if let Ok(Some(header)) = whole {
            prop_assert!(header.length <= bytes.len());
        }
    }

    // Whatever a stranger writes on the left, the rightmost address that is no proxy's is the client.
    #[test]
    fn nothing_left_of_the_client_counts(lies in "[ -~]{0,60}", proxies in 0_usize..4) {
        let mut list = format!("{lies}, 203.0.113.9");
        for number in 0..proxies {
            list += &format!(", 10.0.0.{number}");
        }
        let head = head(&[("X-Forwarded-For".to_owned(), list.into_bytes())]);
        let request = Request::parse(&head, &Limits::default()).unwrap();
        let trusted = Networks::parse(["10.0.0.0/8"]).unwrap();
        let found = Forwarded::of(&request.fields, Spelling::XForwarded, peer("10.1.2.3"), &trusted);
        prop_assert_eq!(found.client, Some("203.0.113.9:0".parse().unwrap()));
    }
}
