//! What can go wrong, sorted by who is guilty: the peer (`Violation`) or the caller (`Misuse`).
//!
//! Knows nothing of HTTP statuses (see `http::Refusal`) and nothing of I/O: this crate does none.

use std::error::Error;
use std::fmt;

use crate::close;

/// The peer broke the protocol; the connection must be failed (RFC 6455 §7.1.7).
///
/// The text is lower case, tells nothing of the inside and may be sent as the reason of the Close frame.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// A client sent a frame without a mask (§5.1).
    UnmaskedFrame,
    /// A server sent a frame with a mask (§5.1).
    MaskedFrame,
    /// RSV1, RSV2 or RSV3 is set where no negotiated extension gives it a meaning (§5.2).
    ReservedBits,
    /// One of the opcodes 3-7 or 11-15 (§5.2).
    ReservedOpCode(u8),
    /// The length is not in its shortest form, or its most significant bit is set (§5.2).
    BadLength,
    /// A control frame announces more than 125 bytes (§5.5).
    ControlTooLong,
    /// A control frame without FIN (§5.5).
    ControlFragmented,
    /// A continuation while no message is open (§5.4).
    UnexpectedContinuation,
    /// A new message while another one is open (§5.4).
    ExpectedContinuation,
    /// A text message or a close reason that is not UTF-8 (§8.1).
    InvalidUtf8,
    /// A close code that may not appear on the wire (§7.4).
    BadCloseCode(u16),
    /// A Close frame with a body of one byte (§5.5.1).
    BadCloseBody,
    /// A message beyond the limit, by what its frames announce or by what it inflates to.
    MessageTooBig {
        /// Bytes known to be in the message; there may be more.
        size: u64,
        /// The configured limit.
        limit: usize,
    },
    /// A message that becomes so many times as long by inflating that it can only be meant to.
    InflatesTooMuch {
        /// How many times as long it may become.
        ratio: u32,
    },
    /// Compressed data that does not inflate (RFC 7692 §7.2.2).
    BadDeflate,
}

impl Violation {
    /// The code for the Close frame that fails the connection (§7.4.1).
    #[must_use]
    pub fn close_code(&self) -> u16 {
        match self {
            Self::InvalidUtf8 | Self::BadDeflate => close::INVALID_PAYLOAD,
            Self::MessageTooBig { .. } | Self::InflatesTooMuch { .. } => close::MESSAGE_TOO_BIG,
            _ => close::PROTOCOL_ERROR,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnmaskedFrame => f.write_str("frame without a mask"),
            Self::MaskedFrame => f.write_str("frame with a mask"),
            Self::ReservedBits => f.write_str("reserved bit without a negotiated meaning"),
            Self::ReservedOpCode(opcode) => write!(f, "reserved opcode: {opcode}"),
            Self::BadLength => f.write_str("length not in its shortest form"),
            Self::ControlTooLong => f.write_str("control frame longer than 125 bytes"),
            Self::ControlFragmented => f.write_str("fragmented control frame"),
            Self::UnexpectedContinuation => f.write_str("continuation without a message"),
            Self::ExpectedContinuation => f.write_str("new message inside another one"),
            Self::InvalidUtf8 => f.write_str("invalid utf-8"),
            Self::BadCloseCode(code) => write!(f, "invalid close code: {code}"),
            Self::BadCloseBody => f.write_str("close frame with a body of one byte"),
            Self::MessageTooBig { limit, .. } => {
                write!(f, "message over the limit of bytes: {limit}")
            }
            Self::InflatesTooMuch { ratio } => {
                write!(f, "message inflates by more than times: {ratio}")
            }
            Self::BadDeflate => f.write_str("invalid compressed data"),
        }
    }
}

impl Error for Violation {}

/// The caller asked for something that may not be sent; nothing was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// A ping or pong of more than 125 bytes (RFC 6455 §5.5).
    ControlTooLong,
    /// A close code that may not appear on the wire (§7.4).
    BadCloseCode(u16),
    /// A close reason without a code; the body of a Close frame begins with the code (§5.5.1).
    ReasonWithoutCode,
    /// A closing handshake has begun, or the connection has failed.
    NotOpen,
    /// An HTTP field with this name may not be sent, or its value holds a CR, LF or NUL.
    BadField(String),
    /// A status that no final response has.
    BadStatus(u16),
    /// A request target that is not a path in printable ASCII.
    BadTarget,
    /// A body that is longer, or shorter, than was announced; `off` bytes too many, or too few.
    BadLength {
        /// How many.
        off: u64,
    },
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ControlTooLong => f.write_str("control payload longer than 125 bytes"),
            Self::BadCloseCode(code) => write!(f, "close code may not be sent: {code}"),
            Self::ReasonWithoutCode => f.write_str("close reason without a close code"),
            Self::NotOpen => f.write_str("connection is not open"),
            Self::BadField(name) => write!(f, "field may not be sent: {name:?}"),
            Self::BadStatus(status) => write!(f, "status may not be sent: {status}"),
            Self::BadTarget => f.write_str("request target is not a path in ascii"),
            Self::BadLength { off } => {
                write!(f, "body is not as long as announced, off by bytes: {off}")
            }
        }
    }
}

impl Error for Misuse {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_fits_a_close_frame() {
        let longest = [
            Violation::ReservedBits,
            Violation::ReservedOpCode(15),
            Violation::BadCloseCode(u16::MAX),
            Violation::MessageTooBig {
                size: u64::MAX,
                limit: usize::MAX,
            },
            Violation::InflatesTooMuch { ratio: u32::MAX },
        ];
        for violation in longest {
            assert!(violation.to_string().len() <= 123, "{violation}");
        }
    }

    #[test]
    fn codes_tell_the_kind_of_violation() {
        assert_eq!(Violation::UnmaskedFrame.close_code(), 1002);
        assert_eq!(Violation::InvalidUtf8.close_code(), 1007);
        assert_eq!(Violation::BadDeflate.close_code(), 1007);
        assert_eq!(
            Violation::MessageTooBig { size: 2, limit: 1 }.close_code(),
            1009
        );
    }
}
