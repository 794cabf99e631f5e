//! Host and port, as `Host`, absolute-form targets and origins write them.
//!
//! Compares text, and IPv6 addresses by value; resolves nothing and knows no default ports.

use core::net::Ipv6Addr;

/// An authority without userinfo (RFC 3986 §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Authority<'a> {
    pub(crate) host: Host<'a>,
    /// `None` where there was none, or an empty one.
    pub(crate) port: Option<u16>,
}

/// A host; equal to another spelling of the same.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Host<'a> {
    /// A registered name or an IPv4 address.
    Name(&'a str),
    /// An address in brackets.
    V6(Ipv6Addr),
}

impl PartialEq for Host<'_> {
    fn eq(&self, other: &Host<'_>) -> bool {
        match (self, other) {
            (Host::Name(a), Host::Name(b)) => a.eq_ignore_ascii_case(b),
            (Host::V6(a), Host::V6(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Host<'_> {}

impl<'a> Authority<'a> {
    /// `None` unless all of `text` is a host and perhaps a port.
    pub(crate) fn parse(text: &'a str) -> Option<Authority<'a>> {
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (address, port) = rest.split_once(']')?;
            (Host::V6(address.parse().ok()?), port)
        } else {
            let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            if name.is_empty() || !name.bytes().all(is_name_byte) {
                return None;
            }
            (Host::Name(name), port)
        };
        let port = match port.strip_prefix(':') {
            Some("") => None,
            Some(digits) if digits.len() <= 5 && digits.bytes().all(|b| b.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            Some(_) => return None,
            None if port.is_empty() => None,
            None => return None,
        };
        Some(Authority { host, port })
    }
}

/// What occurs in names of hosts; RFC 3986 would allow escapes and punctuation too, which no resolver knows.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports() {
        let parse = |text| Authority::parse(text).map(|authority| authority.port);
        assert_eq!(parse("example.org"), Some(None));
        assert_eq!(parse("example.org:"), Some(None));
        assert_eq!(parse("example.org:65535"), Some(Some(65535)));
        assert_eq!(parse("[::1]:80"), Some(Some(80)));
        for bad in [
            "", ":80", "a:65536", "a:000001", "a:+1", "a:1:1", "[::1", "::1", "[::1]80", "[a]",
            "a@b", "\u{212a}",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn spellings_of_one_host() {
        let host = |text| Authority::parse(text).unwrap().host;
        assert_eq!(host("EXAMPLE.org"), host("example.ORG"));
        assert_eq!(host("[::1]"), host("[0:0::0:1]"));
        assert_ne!(host("127.0.0.1"), host("[::ffff:127.0.0.1]"));
        assert_ne!(host("example.org"), host("example.org."));
    }
}
