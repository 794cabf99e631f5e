//! What proxies in front of us say of the client: `Forwarded` (RFC 7239) and the older `X-Forwarded-*`.
//!
//! Anybody can send these fields, so they are read only as far as they were written by those we trust: from the right,
//! where the nearest proxy has added what it saw, to the first address that is no proxy of ours. That is the client. What
//! stands further left the client wrote itself. Each byte is looked at once.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::authority::Authority;
use super::fields::Fields;
use super::list::trim_blanks;
use crate::network::Networks;

/// Which fields the proxies write. Only one kind is read: a proxy passes the other one on as the client wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Spelling {
    /// `X-Forwarded-For`, `-Proto` and `-Host`.
    #[default]
    XForwarded,
    /// `Forwarded`.
    Forwarded,
    /// None.
    Off,
}

/// What trusted proxies say of a request; nothing if there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forwarded<'a> {
    /// The client, with port 0 where the proxy names none.
    pub client: Option<SocketAddr>,
    /// Whether the client came through TLS.
    pub tls: Option<bool>,
    /// The `Host` that the client asked for.
    pub host: Option<&'a str>,
}

impl<'a> Forwarded<'a> {
    /// Reads the fields of a request that came from `peer`; `None` is a Unix socket.
    pub fn of(
        fields: &Fields<'a>,
        spelling: Spelling,
        peer: Option<IpAddr>,
        trusted: &Networks,
    ) -> Self {
        if trusted.is_empty() || !trusted.contains(peer) {
            return Self::default();
        }
        match spelling {
            Spelling::Off => Self::default(),
            Spelling::Forwarded => standard(fields, trusted),
            Spelling::XForwarded => customary(fields, trusted),
        }
    }
}

/// RFC 7239 §4: one element for each hop, with what that proxy saw.
fn standard<'a>(fields: &Fields<'a>, trusted: &Networks) -> Forwarded<'a> {
    let mut found = Forwarded::default();
    let lines: Vec<&[u8]> = fields.get_all("forwarded").collect();
    for line in lines.into_iter().rev() {
        for element in split_quoted(line, b',').into_iter().rev() {
            let hop = Hop::parse(element);
            found.tls = hop.tls.or(found.tls);
            found.host = hop.host.or(found.host);
            // Not named, or malformed: whoever is behind that proxy stays unknown.
            let Some(client) = hop.client else {
                return found;
            };
            found.client = Some(client);
            if !trusted.contains(Some(client.ip())) {
                return found;
            }
        }
    }
    found
}

/// One element of `Forwarded`.
#[derive(Default)]
struct Hop<'a> {
    client: Option<SocketAddr>,
    tls: Option<bool>,
    host: Option<&'a str>,
}

impl<'a> Hop<'a> {
    fn parse(element: &'a [u8]) -> Self {
        let mut hop = Self::default();
        for pair in split_quoted(element, b';') {
            let Some(at) = pair.iter().position(|byte| *byte == b'=') else {
                continue;
            };
            let (name, value) = (trim_blanks(&pair[..at]), unquoted(&pair[at + 1..]));
            if name.eq_ignore_ascii_case(b"for") {
                hop.client = node(value);
            } else if name.eq_ignore_ascii_case(b"proto") {
                hop.tls = scheme(value);
            } else if name.eq_ignore_ascii_case(b"host") {
                hop.host = host(value);
            }
        }
        hop
    }
}

fn customary<'a>(fields: &Fields<'a>, trusted: &Networks) -> Forwarded<'a> {
    let mut client = None;
    for entry in from_the_right(fields, "x-forwarded-for") {
        // What no proxy writes ends what can be believed.
        let Some(address) = node(entry) else { break };
        client = Some(address);
        if !trusted.contains(Some(address.ip())) {
            break;
        }
    }
    // Proxies set these two, and do not add to them; of several the nearest one's counts.
    let nearest = |name| from_the_right(fields, name).into_iter().next();
    Forwarded {
        client,
        tls: nearest("x-forwarded-proto").and_then(scheme),
        host: nearest("x-forwarded-host").and_then(host),
    }
}

/// The elements of a comma list, the last one first.
fn from_the_right<'a>(fields: &Fields<'a>, name: &str) -> Vec<&'a [u8]> {
    let mut elements: Vec<&[u8]> = fields
        .get_all(name)
        .flat_map(|line| line.split(|byte| *byte == b','))
        .map(trim_blanks)
        .collect();
    elements.reverse();
    elements
}

/// The parts between separators that stand in no quoted string.
fn split_quoted(text: &[u8], separator: u8) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, &byte) in text.iter().enumerate() {
        if escaped {
            escaped = false;
        } else if quoted && byte == b'\\' {
            escaped = true;
        } else if byte == b'"' {
            quoted = !quoted;
        } else if byte == separator && !quoted {
            parts.push(trim_blanks(&text[start..at]));
            start = at + 1;
        }
    }
    parts.push(trim_blanks(&text[start..]));
    parts
}

/// The inside of a quoted string, or the token itself. Nothing we look for needs a backslash, so one that is there makes
/// the value one we do not know.
fn unquoted(value: &[u8]) -> &[u8] {
    match trim_blanks(value) {
        [b'"', inside @ .., b'"'] => inside,
        token => token,
    }
}

/// An address, perhaps with a port; `None` for `unknown`, obfuscated names (RFC 7239 §6.3) and what is malformed.
fn node(text: &[u8]) -> Option<SocketAddr> {
    let text = std::str::from_utf8(text).ok()?;
    if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let address: Ipv6Addr = address.parse().ok()?;
        let port = match port.strip_prefix(':') {
            Some(digits) => self::port(digits)?,
            None if port.is_empty() => 0,
            None => return None,
        };
        return Some(SocketAddr::new(address.into(), port));
    }
    // Not in brackets, although RFC 7239 wants them: X-Forwarded-For has none.
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(SocketAddr::new(address, 0));
    }
    let (address, digits) = text.split_once(':')?;
    Some(SocketAddr::new(address.parse().ok()?, port(digits)?))
}

fn port(digits: &str) -> Option<u16> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        digits.parse().ok()
    } else {
        // An obfuscated port (RFC 7239 §6.2) hides the port, not the address.
        digits.starts_with('_').then_some(0)
    }
}

fn scheme(text: &[u8]) -> Option<bool> {
    let is_one_of = |names: [&str; 2]| {
        names
            .iter()
            .any(|name| text.eq_ignore_ascii_case(name.as_bytes()))
    };
    match (is_one_of(["https", "wss"]), is_one_of(["http", "ws"])) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

fn host(text: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(text).ok()?;
    Authority::parse(text).map(|_| text)
}
