//! The opening handshake, without the checks.

use sha1::{Digest, Sha1};

const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const ANSWER: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ";

/// What the path asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Echo,
    Fan,
}

/// Length of the head with its blank line, if it is complete.
pub(crate) fn find_end(bytes: &[u8]) -> Option<usize> {
    // Nearly always the head ends where the read ends.
    if bytes.ends_with(b"\r\n\r\n") {
        return Some(bytes.len());
    }
    bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .map(|at| at + 4)
}

/// Reads the head, appends the whole answer; `None` when this is no upgrade to anything here.
pub(crate) fn accept(head: &[u8], out: &mut Vec<u8>) -> Option<Service> {
    let service = if head.starts_with(b"GET /echo ") {
        Service::Echo
    } else if head.starts_with(b"GET /fan ") {
        Service::Fan
    } else {
        return None;
    };
    let key = head.split(|byte| *byte == b'\n').find_map(|line| {
        let (name, value) = line.split_at_checked(18)?;
        name.eq_ignore_ascii_case(b"sec-websocket-key:")
            .then(|| value.trim_ascii())
    })?;
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    out.extend_from_slice(ANSWER);
    for three in digest.chunks(3) {
        let bits = three
            .iter()
            .fold(0, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (24 - 8 * three.len());
        for place in 0..4 {
            out.push(if place <= three.len() {
                ALPHABET[(bits >> (18 - 6 * place) & 63) as usize]
            } else {
                b'='
            });
        }
    }
    out.extend_from_slice(b"\r\n\r\n");
    Some(service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_rfc_gets_the_answer_of_the_rfc() {
        let head =
            b"GET /echo HTTP/1.1\r\nHost: x\r\nSEC-websocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        assert_eq!(find_end(head), Some(head.len()));
        let mut out = Vec::new();
        assert!(accept(head, &mut out) == Some(Service::Echo));
        assert!(out.ends_with(b"Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"));
    }

    #[test]
    fn bytes_behind_the_head_are_left_alone() {
        assert_eq!(find_end(b"GET / HTTP/1.1\r\n\r\n\x81\x80"), Some(18));
        assert_eq!(find_end(b"GET / HTTP/1.1\r\nHost: x\r\n"), None);
    }
}
