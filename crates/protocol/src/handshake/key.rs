//! `Sec-WebSocket-Key` and the proof that it was read (RFC 6455 §4.2.2, step 5.4).
//!
//! Base64 of two fixed sizes is all that is needed of it, so it is written out here.

use sha1::{Digest, Sha1};

/// Bytes of a key: sixteen, in base64.
pub(super) const KEY_BYTES: usize = 24;
/// Bytes of the answer: a SHA-1, in base64.
pub(super) const ACCEPT_BYTES: usize = 28;

const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The key, if `value` decodes to sixteen bytes. What its unused last four bits are does not matter.
pub(super) fn parse(value: &[u8]) -> Option<&[u8; KEY_BYTES]> {
    let key: &[u8; KEY_BYTES] = value.try_into().ok()?;
    let (digits, padding) = key.split_at(KEY_BYTES - 2);
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    (padding == b"==" && digits.iter().all(is_digit)).then_some(key)
}

/// The key that sixteen random bytes make.
pub(super) fn encode(nonce: [u8; 16]) -> [u8; KEY_BYTES] {
    base64(&nonce)
}

/// What the server answers to `key`.
pub(super) fn accept(key: &[u8; KEY_BYTES]) -> [u8; ACCEPT_BYTES] {
    base64(&Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

fn base64<const N: usize>(bytes: &[u8]) -> [u8; N] {
    debug_assert_eq!(bytes.len().div_ceil(3) * 4, N);
    let mut text = [b'='; N];
    for (group, digits) in bytes.chunks(3).zip(text.chunks_exact_mut(4)) {
        let bits = group.iter().enumerate().fold(0, |bits, (at, byte)| {
            bits | u32::from(*byte) << (16 - 8 * at)
        });
        for (at, digit) in digits.iter_mut().enumerate().take(group.len() + 1) {
            *digit = ALPHABET[(bits >> (18 - 6 * at)) as usize & 63];
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc() {
        let nonce = *b"the sample nonce";
        assert_eq!(&encode(nonce), b"dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(&accept(&encode(nonce)), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn keys_of_other_sizes_are_none() {
        assert!(parse(b"AAAAAAAAAAAAAAAAAAAAAA==").is_some());
        assert!(parse(b"+/+/+/+/+/+/+/+/+/+/+/==").is_some());
        for bad in [
            "",
            "==",
            "AAAAAAAAAAAAAAAAAAAAAAA=",
            "AAAAAAAAAAAAAAAAAAAAAAAA",
            "AAAAAAAAAAAAAAAAAAAAAA=A",
            "AAAAAAAAAA=AAAAAAAAAAA==",
            "-_-_-_-_-_-_-_-_-_-_-_==",
            "AAAAAAAAAAAAAAAAAAAAA ==",
            "AAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert!(parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
