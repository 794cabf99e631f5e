//! The client's half of the handshake: the request, and whether the answer belongs to it (RFC 6455 §4.1).
//!
//! Follows no redirects and knows no URLs; randomness for the key comes in as an argument.

use httparse::Status;

use super::{VERSION, key};
use crate::deflate::{Parameters, Settings};
use crate::error::Misuse;
use crate::extensions;
use crate::http::authority::Authority;
use crate::http::{Fields, list, response};

/// An opening handshake to be sent.
#[derive(Debug, Clone, Copy)]
pub struct ClientRequest<'a> {
    /// Host, with the port unless it is the default one.
    pub host: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// Sixteen random bytes, new for each connection.
    pub key: [u8; 16],
    /// Subprotocols, the favourite first.
    pub protocols: &'a [&'a str],
    /// Compression to offer.
    pub deflate: Option<&'a Settings>,
    /// Other fields, `Origin` and `Cookie` for example.
    pub fields: &'a [(&'a str, &'a str)],
}

impl ClientRequest<'_> {
    /// Appends the request; nothing is appended if it may not be sent.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), Misuse> {
        if Authority::parse(self.host).is_none() {
            return Err(Misuse::BadField("Host".to_owned()));
        }
        if !self.target.starts_with('/')
            || !self
                .target
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'#')
        {
            return Err(Misuse::BadTarget);
        }
        if !self
            .protocols
            .iter()
            .all(|protocol| list::is_token(protocol.as_bytes()))
        {
            return Err(Misuse::BadField("Sec-WebSocket-Protocol".to_owned()));
        }
        response::check_fields(self.fields, OURS)?;
        response::push_all(
            &["GET ", self.target, " HTTP/1.1\r\nHost: ", self.host],
            out,
        );
        out.extend_from_slice(
            b"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ",
        );
        out.extend_from_slice(&key::encode(self.key));
        response::push_all(&["\r\nSec-WebSocket-Version: ", VERSION, "\r\n"], out);
        if let Some((first, others)) = self.protocols.split_first() {
            response::push_all(&["Sec-WebSocket-Protocol: ", first], out);
            for other in others {
                response::push_all(&[", ", other], out);
            }
            out.extend_from_slice(b"\r\n");
        }
        if let Some(settings) = self.deflate {
            out.extend_from_slice(b"Sec-WebSocket-Extensions: ");
            extensions::write_offer(settings, out);
            out.extend_from_slice(b"\r\n");
        }
        for (name, value) in self.fields {
            response::push_field(name, value, out);
        }
        out.extend_from_slice(b"\r\n");
        Ok(())
    }
}

const OURS: &[&str] = &[
    "Connection",
    "Content-Length",
    "Host",
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Version",
    "Transfer-Encoding",
    "Upgrade",
];

/// What client and server have agreed upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// The subprotocol, one of those asked for.
    pub protocol: Option<String>,
    /// Compression, if both want it.
    pub deflate: Option<Parameters>,
}

/// Why there is no WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientRefusal {
    /// The server answered something else: not logged in, moved, come back later.
    Answered {
        /// The status of the answer.
        status: u16,
        /// The fields of the answer: `Location`, `WWW-Authenticate`, `Retry-After`.
        fields: Vec<(String, Vec<u8>)>,
    },
    /// What came back is no HTTP, or accepts what was not asked for.
    Broken(&'static str),
}

impl std::fmt::Display for ClientRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ClientRefusal::Answered { status, .. } => {
                write!(f, "server answered with status: {status}")
            }
            ClientRefusal::Broken(reason) => write!(f, "broken handshake: {reason}"),
        }
    }
}

impl std::error::Error for ClientRefusal {}

/// Checks the answer to `sent`; `head` is the whole head, as found by [`HeadScanner`](crate::http::HeadScanner).
pub fn verify(head: &[u8], sent: &ClientRequest<'_>) -> Result<Agreed, ClientRefusal> {
    let (status, fields) = parse(head)?;
    if status != 101 {
        let fields = fields
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        return Err(ClientRefusal::Answered { status, fields });
    }
    if list::contains(fields.get_all("Upgrade"), "websocket") != Ok(true) {
        return Err(ClientRefusal::Broken("no websocket in Upgrade"));
    }
    if list::contains(fields.get_all("Connection"), "upgrade") != Ok(true) {
        return Err(ClientRefusal::Broken("no upgrade in Connection"));
    }
    let expected = key::accept(&key::encode(sent.key));
    if fields.get_single("Sec-WebSocket-Accept") != Ok(Some(&expected)) {
        return Err(ClientRefusal::Broken(
            "Sec-WebSocket-Accept does not fit the key",
        ));
    }
    Ok(Agreed {
        protocol: protocol(&fields, sent)?,
        deflate: deflate(&fields, sent)?,
    })
}

fn parse(head: &[u8]) -> Result<(u16, Fields<'_>), ClientRefusal> {
    const BROKEN: ClientRefusal = ClientRefusal::Broken("not an HTTP response");
    let mut status = None;
    let fields = Fields::parse(FIELDS_MAX, |room| {
        let mut parsed = httparse::Response::new(room);
        match parsed.parse(head) {
            Ok(Status::Complete(length)) if length == head.len() => {}
            Err(httparse::Error::TooManyHeaders) => return Ok(None),
            Ok(_) | Err(_) => return Err(BROKEN),
        }
        // A proxy may say no in HTTP/1.0, but an upgrade needs 1.1.
        status = parsed
            .code
            .filter(|code| *code != 101 || parsed.version == Some(1));
        Ok(Some(parsed.headers.len()))
    })?;
    status.zip(fields).ok_or(BROKEN)
}

/// As many as our own server takes in a request.
const FIELDS_MAX: usize = 100;

/// §4.1: a subprotocol "that was not present in the client's handshake" fails the connection; none at all does not.
fn protocol(
    fields: &Fields<'_>,
    sent: &ClientRequest<'_>,
) -> Result<Option<String>, ClientRefusal> {
    const BROKEN: ClientRefusal = ClientRefusal::Broken("a subprotocol that was not asked for");
    let Some(value) = fields
        .get_single("Sec-WebSocket-Protocol")
        .map_err(|_| BROKEN)?
    else {
        return Ok(None);
    };
    let asked_for = sent
        .protocols
        .iter()
        .find(|protocol| protocol.as_bytes() == value);
    asked_for
        .map(|protocol| Some((*protocol).to_owned()))
        .ok_or(BROKEN)
}

fn deflate(
    fields: &Fields<'_>,
    sent: &ClientRequest<'_>,
) -> Result<Option<Parameters>, ClientRefusal> {
    const BROKEN: ClientRefusal = ClientRefusal::Broken("an extension that was not asked for");
    let Some(value) = fields
        .get_single("Sec-WebSocket-Extensions")
        .map_err(|_| BROKEN)?
    else {
        return Ok(None);
    };
    let settings = sent.deflate.ok_or(BROKEN)?;
    extensions::verify_agreement(value, settings).map_err(|_| BROKEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: ClientRequest<'static> = ClientRequest {
        host: "example.org:8080",
        target: "/chat?a",
        key: *b"the sample nonce",
        protocols: &["chat", "superchat"],
        deflate: None,
        fields: &[("Origin", "http://example.org")],
    };
    const ACCEPT: &str = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

    fn answer(status: &str, lines: &str) -> Result<Agreed, ClientRefusal> {
        verify(format!("{status}\r\n{lines}\r\n").as_bytes(), &SENT)
    }

    #[test]
    fn the_whole_request() {
        let mut out = Vec::new();
        SENT.write(&mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "GET /chat?a HTTP/1.1\r\nHost: example.org:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Protocol: chat, superchat\r\nOrigin: http://example.org\r\n\r\n"
        );
    }

    #[test]
    fn what_may_not_be_sent() {
        let misuse = |request: ClientRequest<'_>| {
            let mut out = Vec::new();
            let result = request.write(&mut out);
            assert!(out.is_empty());
            result.unwrap_err()
        };
        for host in ["", "a b", "a\r\nX: y", "a/b", "u@a"] {
            assert_eq!(
                misuse(ClientRequest { host, ..SENT }),
                Misuse::BadField("Host".to_owned())
            );
        }
        for target in ["", "a", "*", "/a b", "/a\r\nX: y", "/a#b", "/\u{e9}"] {
            assert_eq!(misuse(ClientRequest { target, ..SENT }), Misuse::BadTarget);
        }
        let protocols = &["chat, superchat"];
        assert_eq!(
            misuse(ClientRequest { protocols, ..SENT }),
            Misuse::BadField("Sec-WebSocket-Protocol".to_owned())
        );
        let fields = &[("Cookie", "a\nb")];
        assert_eq!(
            misuse(ClientRequest { fields, ..SENT }),
            Misuse::BadField("Cookie".to_owned())
        );
        let fields = &[("sec-websocket-key", "a")];
        assert_eq!(
            misuse(ClientRequest { fields, ..SENT }),
            Misuse::BadField("sec-websocket-key".to_owned())
        );
    }

    #[test]
    fn a_no_carries_its_fields() {
        for status in ["HTTP/1.1 503 Busy", "HTTP/1.0 503 Busy", "HTTP/1.1 503"] {
            let fields = vec![("Retry-After".to_owned(), b"5".to_vec())];
            assert_eq!(
                answer(status, "Retry-After: 5\r\n"),
                Err(ClientRefusal::Answered {
                    status: 503,
                    fields
                })
            );
        }
    }

    #[test]
    fn a_yes_must_fit_the_question() {
        let lines = format!("upgrade: WebSocket\r\nconnection: x, upgrade\r\n{ACCEPT}");
        let agreed = answer("HTTP/1.1 101 Switching Protocols", &lines);
        assert_eq!(
            agreed,
            Ok(Agreed {
                protocol: None,
                deflate: None
            })
        );
        let chosen = answer(
            "HTTP/1.1 101",
            &format!("{lines}Sec-WebSocket-Protocol: superchat\r\n"),
        );
        assert_eq!(chosen.unwrap().protocol.as_deref(), Some("superchat"));
        for broken in [
            format!("Upgrade: websocket\r\n{ACCEPT}"),
            format!("Connection: Upgrade\r\n{ACCEPT}"),
            format!("Upgrade: h2c\r\nConnection: Upgrade\r\n{ACCEPT}"),
            lines.replace("s3pP", "s3pQ"),
            lines.replace(ACCEPT, ""),
            format!("{lines}{ACCEPT}"),
            format!("{lines}Sec-WebSocket-Protocol: Chat\r\n"),
            format!("{lines}Sec-WebSocket-Protocol: chat, superchat\r\n"),
            format!("{lines}Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat\r\n"),
            format!("{lines}Sec-WebSocket-Extensions: permessage-deflate\r\n"),
        ] {
            assert!(
                matches!(
                    answer("HTTP/1.1 101 OK", &broken),
                    Err(ClientRefusal::Broken(_))
                ),
                "{broken}"
            );
        }
        assert!(matches!(
            answer("HTTP/1.0 101 OK", &lines),
            Err(ClientRefusal::Broken(_))
        ));
    }
}
