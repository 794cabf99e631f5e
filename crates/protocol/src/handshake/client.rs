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
        status = parsed.code.filter(|_| parsed.version == Some(1));
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
