//! The server's half of the handshake: is this request an upgrade, and what does it ask for (RFC 6455 §4.2)?
//!
//! The checks are those of §4.2.1 in an order that gives old drafts an answer they can use. What the application has
//! to say (no such path, not logged in, this subprotocol) comes between [`examine`] and [`accept`].

use super::{VERSION, key};
use crate::deflate::Parameters;
use crate::error::Misuse;
use crate::extensions;
use crate::http::{Fields, Framing, Refusal, Request, list, response};

/// What an acceptable upgrade asks for.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    key: &'a [u8; key::KEY_BYTES],
    origin: Option<&'a [u8]>,
    fields: &'a Fields<'a>,
}

impl<'a> Offer<'a> {
    /// The subprotocols, the client's favourite first.
    pub fn protocols(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        list::tokens(self.fields.get_all(PROTOCOL)).filter_map(Result::ok)
    }

    /// The values of `Sec-WebSocket-Extensions`, line by line; see [`extensions::negotiate`].
    pub fn extensions(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.fields.get_all(EXTENSIONS)
    }

    /// The origin of the page that asks; programs other than browsers have none. See [`OriginPolicy`](super::OriginPolicy).
    pub fn origin(&self) -> Option<&'a [u8]> {
        self.origin
    }
}

/// Tells whether a request is an opening handshake; `None` is a request like any other.
pub fn examine<'a>(request: &'a Request<'a>) -> Result<Option<Offer<'a>>, Refusal> {
    let fields = &request.fields;
    if !asks_for_websocket(fields)? {
        return Ok(None);
    }
    if request.method != "GET" {
        return Err(Refusal::not_get());
    }
    if !request.http11 {
        return Err(Refusal::new(505, "an opening handshake needs HTTP/1.1"));
    }
    // What follows the head of an upgrade is frames. A body there would be a request in the eyes of whoever does not
    // believe in the upgrade, and frames (or the other way round) to us.
    if !matches!(request.framing(), Framing::None | Framing::Length(0)) {
        return Err(Refusal::bad("an opening handshake has no body"));
    }
    check_version(fields)?;
    let key = fields
        .get_single("Sec-WebSocket-Key")
        .map_err(|_| Refusal::bad("more than one Sec-WebSocket-Key"))?;
    let key = key.and_then(key::parse).ok_or(Refusal::bad(
        "Sec-WebSocket-Key is not sixteen bytes in base64",
    ))?;
    let origin = fields
        .get_single("Origin")
        .map_err(|_| Refusal::bad("more than one Origin"))?;
    if list::tokens(fields.get_all(PROTOCOL)).any(|token| token.is_err()) {
        return Err(Refusal::bad("bad Sec-WebSocket-Protocol"));
    }
    Ok(Some(Offer {
        key,
        origin,
        fields,
    }))
}

/// Whether `Upgrade` names WebSocket, be it that `Connection` does not: what somebody may take for an opening handshake.
/// Other protocols are none of ours, and such a request is one like any other (RFC 9110 §7.8).
pub fn names_websocket(fields: &Fields<'_>) -> bool {
    list::elements(fields.get_all("Upgrade"))
        .any(|protocol| protocol.eq_ignore_ascii_case(b"websocket"))
}

/// Whether `Connection` and `Upgrade` both say so. One alone means nothing (RFC 9110 §7.8): a proxy may have dropped
/// the other.
fn asks_for_websocket(fields: &Fields<'_>) -> Result<bool, Refusal> {
    for protocol in list::elements(fields.get_all("Upgrade")) {
        // protocol = protocol-name ["/" protocol-version]; that of RFC 6455 has no version.
        if !protocol.splitn(2, |byte| *byte == b'/').all(list::is_token) {
            return Err(Refusal::bad("bad Upgrade"));
        }
    }
    Ok(names_websocket(fields)
        && list::contains(fields.get_all("Connection"), "upgrade").unwrap_or(false))
}

fn check_version(fields: &Fields<'_>) -> Result<(), Refusal> {
    let version = fields.get_single("Sec-WebSocket-Version");
    match version.map_err(|_| Refusal::bad("more than one Sec-WebSocket-Version"))? {
        Some(value) if value == VERSION.as_bytes() => Ok(()),
        // §4.2.1: a value "in the range 0 to 255"; without leading zeros (§4.3).
        Some([b'0'] | [b'1'..=b'9'] | [b'1'..=b'9', b'0'..=b'9']) => Err(Refusal::other_version()),
        Some([b'1'..=b'9', b'0'..=b'9', b'0'..=b'9']) => Err(Refusal::other_version()),
        Some(_) => Err(Refusal::bad("bad Sec-WebSocket-Version")),
        // hixie-76 had two keys and no version.
        None if fields.get("Sec-WebSocket-Key1").is_some() => Err(Refusal::other_version()),
        None => Err(Refusal::bad("no Sec-WebSocket-Version")),
    }
}

/// What the server agrees to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Acceptance<'a> {
    /// One of the offered subprotocols.
    pub protocol: Option<&'a str>,
    /// What [`extensions::negotiate`] made of the offer.
    pub deflate: Option<&'a Parameters>,
    /// Other fields, `Set-Cookie` for example.
    pub fields: &'a [(&'a str, &'a str)],
}

/// Appends the whole answer to an offer; nothing is appended if it may not be sent.
pub fn accept(
    offer: &Offer<'_>,
    acceptance: &Acceptance<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Misuse> {
    response::check_fields(acceptance.fields, OURS)?;
    if let Some(protocol) = acceptance.protocol
        && !offer.protocols().any(|offered| offered == protocol)
    {
        return Err(Misuse::BadField(PROTOCOL.to_owned()));
    }
    out.extend_from_slice(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ",
    );
    out.extend_from_slice(&key::accept(offer.key));
    out.extend_from_slice(b"\r\n");
    if let Some(protocol) = acceptance.protocol {
        response::push_field(PROTOCOL, protocol, out);
    }
    if let Some(parameters) = acceptance.deflate {
        response::push_all(&[EXTENSIONS, ": "], out);
        extensions::write_agreement(parameters, out);
        out.extend_from_slice(b"\r\n");
    }
    for (name, value) in acceptance.fields {
        response::push_field(name, value, out);
    }
    out.extend_from_slice(b"\r\n");
    Ok(())
}

const PROTOCOL: &str = "Sec-WebSocket-Protocol";
const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

/// Fields of a 101 that an application does not set itself.
const OURS: &[&str] = &[
    "Connection",
    "Content-Length",
    "Sec-WebSocket-Accept",
    EXTENSIONS,
    PROTOCOL,
    "Transfer-Encoding",
    "Upgrade",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Limits;

    const HEAD: &[u8] =
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Protocol: chat, superchat\r\n\r\n";

    #[test]
    fn the_whole_answer() {
        let request = Request::parse(HEAD, &Limits::default()).unwrap();
        let offer = examine(&request).unwrap().unwrap();
        let parameters = Parameters::default();
        let acceptance = Acceptance {
            protocol: Some("superchat"),
            deflate: Some(&parameters),
            fields: &[("Set-Cookie", "a=b")],
        };
        let mut out = Vec::new();
        accept(&offer, &acceptance, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: superchat\r\n\
             Sec-WebSocket-Extensions: permessage-deflate\r\nSet-Cookie: a=b\r\n\r\n"
        );
    }

    #[test]
    fn what_may_not_be_sent() {
        let request = Request::parse(HEAD, &Limits::default()).unwrap();
        let offer = examine(&request).unwrap().unwrap();
        let refused = |acceptance: Acceptance<'_>| {
            let mut out = Vec::new();
            let misuse = accept(&offer, &acceptance, &mut out);
            out.is_empty() && matches!(misuse, Err(Misuse::BadField(_)))
        };
        for protocol in ["", "Chat", "chat, superchat", "chat\r\nX: y"] {
            assert!(
                refused(Acceptance {
                    protocol: Some(protocol),
                    ..Acceptance::default()
                }),
                "{protocol}"
            );
        }
        for field in [
            ("X", "a\r\nY: b"),
            ("X\n", "a"),
            ("X", "\0"),
            ("upgrade", "h2c"),
            ("content-length", "0"),
        ] {
            assert!(
                refused(Acceptance {
                    fields: &[field],
                    ..Acceptance::default()
                }),
                "{field:?}"
            );
        }
    }
}
