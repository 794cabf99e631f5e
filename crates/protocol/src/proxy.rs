//! The PROXY protocol, versions 1 and 2: what a proxy says of its client before it passes on the client's first byte.
//!
//! Follows HAProxy's `proxy-protocol.txt` (§2.1 text, §2.2 binary). Reads one header and says how long it was; whether
//! the one who sent it may be believed is for the server to decide.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The longest header of version 1, with its CR LF (§2.1).
const TEXT_MAX_BYTES: usize = 107;
/// The longest header of version 2 that is waited for: addresses, and a few KiB of extensions.
const BINARY_MAX_BYTES: usize = 4096;
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version and command, family, length.
const FIXED_BYTES: usize = 16;

const TLV_CRC32C: u8 = 0x03;
const TLV_SSL: u8 = 0x20;
/// The client connected over TLS (§2.2.6).
const CLIENT_SSL: u8 = 0x01;

/// A header that is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Its length in bytes; what follows is the client's.
    pub length: usize,
    /// Who the client is.
    pub client: Client,
    /// The client came to the proxy through TLS, as far as the proxy says so.
    pub tls: bool,
}

/// Who connected to the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// Nobody, or it is not told: the connection is the proxy's own, such as a health check.
    Itself,
    /// This address and port.
    Ip(SocketAddr),
    /// Somebody on the proxy's machine.
    Unix,
}

/// This is no PROXY header; static text, so nothing of the peer's gets into a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Malformed {}

/// Reads the header at the beginning of `bytes`; `None` while it is not whole.
///
/// # Errors
/// These bytes do not begin a header.
pub fn parse(bytes: &[u8]) -> Result<Option<Header>, Malformed> {
    let common = bytes.len().min(SIGNATURE.len());
    if bytes[..common] == SIGNATURE[..common] {
        return parse_binary(bytes);
    }
    parse_text(bytes)
}

fn parse_text(bytes: &[u8]) -> Result<Option<Header>, Malformed> {
    const PREFIX: &[u8] = b"PROXY ";
    let common = bytes.len().min(PREFIX.len());
    if bytes[..common] != PREFIX[..common] {
        return Err(Malformed("not a PROXY header"));
    }
    let window = &bytes[..bytes.len().min(TEXT_MAX_BYTES)];
    let Some(end) = window.windows(2).position(|pair| pair == b"\r\n") else {
        return match bytes.len() {
            TEXT_MAX_BYTES.. => Err(Malformed("a PROXY line without an end")),
            _ => Ok(None),
        };
    };
    let line = std::str::from_utf8(&bytes[PREFIX.len()..end])
        .map_err(|_| Malformed("a PROXY line is ASCII"))?;
    let client = if line == "UNKNOWN" || line.starts_with("UNKNOWN ") {
        Client::Itself
    } else {
        Client::Ip(text_source(line).ok_or(Malformed("addresses or ports in a PROXY line"))?)
    };
    Ok(Some(Header {
        length: end + 2,
        client,
        tls: false,
    }))
}

/// `TCP4 192.0.2.1 198.51.100.1 56324 443`: the first address and port.
fn text_source(line: &str) -> Option<SocketAddr> {
    let mut words = line.split(' ');
    let family = words.next()?;
    let mut address = || -> Option<IpAddr> {
        let word = words.next()?;
        match family {
            "TCP4" => word.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
            "TCP6" => word.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            _ => None,
        }
    };
    let (source, _) = (address()?, address()?);
    let mut port = || -> Option<u16> {
        let word = words.next()?;
        let is_plain = word.bytes().all(|byte| byte.is_ascii_digit())
            && (word == "0" || !word.starts_with('0'));
        is_plain.then(|| word.parse().ok())?
    };
    let (port, _) = (port()?, port()?);
    words
        .next()
        .is_none()
        .then(|| SocketAddr::new(source, port))
}

fn parse_binary(bytes: &[u8]) -> Result<Option<Header>, Malformed> {
    let Some((fixed, _)) = bytes.split_at_checked(FIXED_BYTES) else {
        return Ok(None);
    };
    let is_proxied = match fixed[12] {
        0x20 => false,
        0x21 => true,
        _ => return Err(Malformed("version or command of a PROXY header")),
    };
    let length = FIXED_BYTES + usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    if length > BINARY_MAX_BYTES {
        return Err(Malformed("a PROXY header that is too long"));
    }
    let Some(whole) = bytes.get(..length) else {
        return Ok(None);
    };
    let mut header = Header {
        length,
        client: Client::Itself,
        tls: false,
    };
    if !is_proxied {
        // §2.2: of LOCAL the receiver "must discard the protocol block including the family which is ignored".
        return Ok(Some(header));
    }
    let rest = &whole[FIXED_BYTES..];
    // Family, and STREAM: a listener for streams has no datagrams to pass on.
    let (client, addresses_bytes) = match fixed[13] {
        0x00 => (Client::Itself, 0),
        0x11 => (binary_v4(rest)?, 12),
        0x21 => (binary_v6(rest)?, 36),
        0x31 if rest.len() >= 216 => (Client::Unix, 216),
        _ => return Err(Malformed("family or addresses of a PROXY header")),
    };
    header.client = client;
    if fixed[13] != 0x00 {
        header.tls = read_extensions(whole, FIXED_BYTES + addresses_bytes)?;
    }
    Ok(Some(header))
}

const SHORT: Malformed = Malformed("a PROXY header shorter than its addresses");

fn binary_v4(rest: &[u8]) -> Result<Client, Malformed> {
    let block: &[u8; 12] = rest.first_chunk().ok_or(SHORT)?;
    let [a, b, c, d, _, _, _, _, high, low, _, _] = *block;
    Ok(Client::Ip(SocketAddr::from((
        [a, b, c, d],
        u16::from_be_bytes([high, low]),
    ))))
}

fn binary_v6(rest: &[u8]) -> Result<Client, Malformed> {
    let block: &[u8; 36] = rest.first_chunk().ok_or(SHORT)?;
    let source: [u8; 16] = *block.first_chunk().ok_or(SHORT)?;
    Ok(Client::Ip(SocketAddr::from((
        source,
        u16::from_be_bytes([block[32], block[33]]),
    ))))
}

/// Walks the type-length-value fields from `at` on; tells whether one says that the client came through TLS.
fn read_extensions(whole: &[u8], mut at: usize) -> Result<bool, Malformed> {
    const BROKEN: Malformed = Malformed("an extension of a PROXY header is cut");
    let mut tls = false;
    while at < whole.len() {
        let &[kind, high, low] = whole[at..].first_chunk().ok_or(BROKEN)?;
        let start = at + 3;
        let end = start + usize::from(u16::from_be_bytes([high, low]));
        let value = whole.get(start..end).ok_or(BROKEN)?;
        match kind {
            TLV_CRC32C => {
                let told: [u8; 4] = value.try_into().map_err(|_| BROKEN)?;
                // §2.2.4: computed with zeros in its own place.
                let found = crc32c(&[&whole[..start], &[0; 4], &whole[end..]]);
                if u32::from_be_bytes(told) != found {
                    return Err(Malformed("the checksum of a PROXY header is wrong"));
                }
            }
            TLV_SSL => {
                let bits = value.first().ok_or(BROKEN)?;
                tls |= bits & CLIENT_SSL != 0;
            }
            _ => {}
        }
        at = end;
    }
    Ok(tls)
}

/// CRC-32C (RFC 4960, appendix B), a bit at a time: headers are short and come once a connection.
fn crc32c(parts: &[&[u8]]) -> u32 {
    let mut crc = !0_u32;
    for &byte in parts.iter().copied().flatten() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ (0x82f6_3b78 & 0_u32.wrapping_sub(crc & 1));
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_everybody_computes() {
        assert_eq!(crc32c(&[b"123456789"]), 0xe306_9283);
        assert_eq!(crc32c(&[b"1234", b"", b"56789"]), 0xe306_9283);
    }

    #[test]
    fn a_request_is_refused_at_its_first_byte_that_is_none_of_a_header() {
        assert!(parse(b"G").is_err());
        assert_eq!(parse(b"P"), Ok(None));
        assert!(parse(b"POST").is_err());
        assert_eq!(parse(b"\r\n\r\n"), Ok(None));
        assert!(parse(b"\r\n\r\nG").is_err());
        assert_eq!(parse(b""), Ok(None));
    }
}
