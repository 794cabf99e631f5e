//! The body of a Close frame: a code and a reason (RFC 6455 §5.5.1, §7.4).
//!
//! Knows nothing of who has closed (see `endpoint`).

use std::ops::Deref;

use crate::error::{Misuse, Violation};
use crate::frame::CONTROL_MAX_BYTES;
use crate::utf8;

/// The purpose of the connection is fulfilled.
pub const NORMAL: u16 = 1000;
/// The server goes down, or the browser leaves the page.
pub const GOING_AWAY: u16 = 1001;
/// The peer broke the protocol.
pub const PROTOCOL_ERROR: u16 = 1002;
/// A kind of data that is not accepted here, such as binary where text is expected.
pub const UNSUPPORTED_DATA: u16 = 1003;
/// Never on the wire: the Close frame had no body.
pub const NO_STATUS: u16 = 1005;
/// Never on the wire: the connection ended without a Close frame.
pub const ABNORMAL: u16 = 1006;
/// Data that is not what its frame says, such as a text that is not UTF-8.
pub const INVALID_PAYLOAD: u16 = 1007;
/// Against the rules of the house.
pub const POLICY_VIOLATION: u16 = 1008;
/// A message beyond the limit.
pub const MESSAGE_TOO_BIG: u16 = 1009;
/// The client misses an extension in the handshake.
pub const EXTENSION_MISSING: u16 = 1010;
/// The server met something unexpected.
pub const INTERNAL_ERROR: u16 = 1011;
/// The server restarts; come back.
pub const SERVICE_RESTART: u16 = 1012;
/// The server is overloaded; come back later.
pub const TRY_AGAIN_LATER: u16 = 1013;

/// The reason shares the body with two bytes of code.
pub const REASON_MAX_BYTES: usize = CONTROL_MAX_BYTES - 2;

/// Whether a code may appear in a Close frame (§7.4 and the registry at IANA).
#[must_use]
pub fn is_sendable(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// The code and the reason that a peer gave; [`NO_STATUS`] for an empty body.
pub fn parse(body: &[u8]) -> Result<(u16, String), Violation> {
    match body {
        [] => Ok((NO_STATUS, String::new())),
        [_] => Err(Violation::BadCloseBody),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            if !is_sendable(code) {
                return Err(Violation::BadCloseCode(code));
            }
            Ok((code, utf8::check(reason)?.to_owned()))
        }
    }
}

/// The body for a code and a reason; the reason is cut where it must be, between two code points.
pub fn encode(code: Option<u16>, reason: &str) -> Result<Body, Misuse> {
    let mut body = Body {
        bytes: [0; CONTROL_MAX_BYTES],
        length: 0,
    };
    let Some(code) = code else {
        return if reason.is_empty() {
            Ok(body)
        } else {
            Err(Misuse::ReasonWithoutCode)
        };
    };
    if !is_sendable(code) {
        return Err(Misuse::BadCloseCode(code));
    }
    let reason = cut(reason);
    body.bytes[..2].copy_from_slice(&code.to_be_bytes());
    body.bytes[2..2 + reason.len()].copy_from_slice(reason.as_bytes());
    body.length = 2 + reason.len();
    Ok(body)
}

/// As much of a reason as is sent.
#[must_use]
pub fn cut(reason: &str) -> &str {
    let mut end = reason.len().min(REASON_MAX_BYTES);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    &reason[..end]
}

/// An encoded body, on the stack.
#[derive(Debug, Clone, Copy)]
pub struct Body {
    bytes: [u8; CONTROL_MAX_BYTES],
    length: usize,
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_come_back() {
        let body = encode(Some(4001), "too slow").expect("the code may be sent");
        assert_eq!(parse(&body), Ok((4001, "too slow".to_owned())));
        let empty = encode(None, "").expect("a body may be empty");
        assert_eq!(parse(&empty), Ok((NO_STATUS, String::new())));
    }

    #[test]
    fn a_reason_is_cut_between_code_points() {
        for (reason, kept) in [
            ("x".repeat(124), 123),
            ("é".repeat(62), 122),
            ("😀".repeat(31), 120),
        ] {
            let body = encode(Some(NORMAL), &reason).expect("the code may be sent");
            assert_eq!(body.len(), 2 + kept);
            assert_eq!(parse(&body), Ok((NORMAL, reason[..kept].to_owned())));
        }
    }

    #[test]
    fn what_may_not_be_sent_is_misuse() {
        for code in [
            0,
            999,
            1004,
            NO_STATUS,
            ABNORMAL,
            1015,
            2999,
            5000,
            u16::MAX,
        ] {
            assert_eq!(
                encode(Some(code), "").err(),
                Some(Misuse::BadCloseCode(code))
            );
        }
        assert_eq!(encode(None, "why").err(), Some(Misuse::ReasonWithoutCode));
    }

    #[test]
    fn broken_bodies_are_refused() {
        assert_eq!(parse(&[3]), Err(Violation::BadCloseBody));
        assert_eq!(parse(&[3, 232, 0xC3]), Err(Violation::InvalidUtf8));
        assert_eq!(parse(&[3, 238]), Err(Violation::BadCloseCode(ABNORMAL)));
    }
}
