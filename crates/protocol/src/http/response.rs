//! Responses: status line and fields, with a body that is at hand in full, or that follows in pieces.
//!
//! Takes the date as an argument. Where the pieces come from, and when, is the crate `server`'s affair.

use crate::error::Misuse;
use crate::http::list;

/// The interim answer to a client that [waits for it](super::Request::expects_continue).
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A final response.
#[derive(Debug, Clone, Copy)]
pub struct Response<'a> {
    /// 200 to 999.
    pub status: u16,
    /// Fields besides `Connection`, `Content-Length`, `Date` and `Transfer-Encoding`, which are ours to say.
    pub fields: &'a [(&'a str, &'a str)],
    /// The body; not sent, nor counted, with the statuses that have none.
    pub body: &'a [u8],
}

impl Response<'_> {
    /// Appends the response; nothing is appended if it may not be sent.
    ///
    /// Args: `keep_alive`: the connection stays open; `head_only`: the request was a HEAD;
    /// `date`: the current time as an IMF-fixdate (RFC 9110 §5.6.7).
    pub fn write(
        &self,
        keep_alive: bool,
        head_only: bool,
        date: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), Misuse> {
        let head = ResponseHead {
            status: self.status,
            fields: self.fields,
            end: BodyEnd::Length(self.body.len() as u64),
        };
        head.write(keep_alive, date, out)?;
        if head.has_body() && !head_only {
            out.extend_from_slice(self.body);
        }
        Ok(())
    }
}

/// The head of a final response whose body follows in pieces.
#[derive(Debug, Clone, Copy)]
pub struct ResponseHead<'a> {
    /// 200 to 999.
    pub status: u16,
    /// As in [`Response`].
    pub fields: &'a [(&'a str, &'a str)],
    /// How the client finds the end of the body.
    pub end: BodyEnd,
}

/// How the end of a response's body is found (RFC 9112 §6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyEnd {
    /// After so many bytes.
    Length(u64),
    /// At an empty chunk.
    Chunked,
    /// At the end of the connection: all that HTTP/1.0 knows besides a length.
    Connection,
}

/// What ends a chunked body without trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Appends `piece` as one chunk; nothing if it is empty, which would be the last.
pub fn push_chunk(piece: &[u8], out: &mut Vec<u8>) {
    if !piece.is_empty() {
        out.reserve(piece.len() + 20);
        push_chunk_size(piece.len() as u64, out);
        out.extend_from_slice(piece);
        out.extend_from_slice(CHUNK_END);
    }
}

/// Appends the line before a chunk of so many bytes, for who sends its content from elsewhere; [`CHUNK_END`] follows that.
pub fn push_chunk_size(bytes: u64, out: &mut Vec<u8>) {
    let first = (u64::BITS - bytes.leading_zeros()).div_ceil(4).max(1);
    for place in (0..first).rev() {
        out.push(b"0123456789abcdef"[(bytes >> (place * 4) & 15) as usize]);
    }
    out.extend_from_slice(b"\r\n");
}

/// What follows the content of a chunk.
pub const CHUNK_END: &[u8] = b"\r\n";

impl ResponseHead<'_> {
    /// Whether this status has a body, unless the request was a HEAD (RFC 9110 §6.4.1).
    pub fn has_body(&self) -> bool {
        !matches!(self.status, 204 | 304)
    }

    /// Appends the head, blank line included; nothing is appended if it may not be sent.
    ///
    /// Args: `keep_alive`: the connection stays open after the body, which one that only the connection's end ends forbids;
    /// `date`: the current time as an IMF-fixdate (RFC 9110 §5.6.7).
    pub fn write(&self, keep_alive: bool, date: &str, out: &mut Vec<u8>) -> Result<(), Misuse> {
        if !(200..=999).contains(&self.status) {
            return Err(Misuse::BadStatus(self.status));
        }
        check_fields(
            self.fields,
            &["Connection", "Content-Length", "Date", "Transfer-Encoding"],
        )?;
        out.extend_from_slice(b"HTTP/1.1 ");
        push_number(self.status.into(), out);
        push_all(&[" ", reason_phrase(self.status), "\r\n"], out);
        for (name, value) in self.fields {
            push_field(name, value, out);
        }
        push_field("Date", date, out);
        // RFC 9110 §8.6: "A server MUST NOT send a Content-Length header field in any response with a status code of
        // 1xx (Informational) or 204 (No Content)"; with 304 it would have to be the length of what is not sent.
        match self.end {
            _ if !self.has_body() => {}
            BodyEnd::Length(length) => {
                out.extend_from_slice(b"Content-Length: ");
                push_number(length, out);
                out.extend_from_slice(b"\r\n");
            }
            BodyEnd::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
            BodyEnd::Connection => {}
        }
        // RFC 9110 §7.8: a sender of Upgrade "MUST also send an "Upgrade" connection option".
        let upgrade = self
            .fields
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("Upgrade"));
        out.extend_from_slice(match (keep_alive, upgrade) {
            (true, false) => b"\r\n".as_slice(),
            (true, true) => b"Connection: Upgrade\r\n\r\n",
            (false, false) => b"Connection: close\r\n\r\n",
            (false, true) => b"Connection: close, Upgrade\r\n\r\n",
        });
        Ok(())
    }
}

/// Refuses names that are no tokens or belong to us, and values that would not stay one line.
pub(crate) fn check_fields(fields: &[(&str, &str)], ours: &[&str]) -> Result<(), Misuse> {
    for (name, value) in fields {
        let is_ours = ours.iter().any(|our| our.eq_ignore_ascii_case(name));
        if is_ours
            || !list::is_token(name.as_bytes())
            || value
                .bytes()
                .any(|byte| byte.is_ascii_control() && byte != b'\t')
        {
            return Err(Misuse::BadField((*name).to_owned()));
        }
    }
    Ok(())
}

pub(crate) fn push_field(name: &str, value: &str, out: &mut Vec<u8>) {
    push_all(&[name, ": ", value, "\r\n"], out);
}

pub(crate) fn push_all(parts: &[&str], out: &mut Vec<u8>) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

fn push_number(number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// The customary words for a status (IANA registry of HTTP status codes); empty for one without.
pub const fn reason_phrase(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        423 => "Locked",
        424 => "Failed Dependency",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        507 => "Insufficient Storage",
        508 => "Loop Detected",
        511 => "Network Authentication Required",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    fn written(response: Response<'_>, keep_alive: bool, head_only: bool) -> String {
        let mut out = Vec::new();
        response
            .write(keep_alive, head_only, DATE, &mut out)
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn bodies_and_lengths() {
        let ok = Response {
            status: 200,
            fields: &[("Content-Type", "text/plain")],
            body: b"hello",
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: {DATE}\r\nContent-Length: 5\r\n"
        );
        assert_eq!(written(ok, true, false), format!("{head}\r\nhello"));
        assert_eq!(written(ok, true, true), format!("{head}\r\n"));
        assert_eq!(
            written(ok, false, false),
            format!("{head}Connection: close\r\n\r\nhello")
        );
        for status in [204, 304] {
            let answer = written(
                Response {
                    status,
                    fields: &[],
                    body: b"hello",
                },
                true,
                false,
            );
            assert!(
                !answer.contains("Content-Length") && answer.ends_with("GMT\r\n\r\n"),
                "{answer}"
            );
        }
        let nameless = Response {
            status: 299,
            fields: &[],
            body: b"",
        };
        assert!(written(nameless, true, false).starts_with("HTTP/1.1 299 \r\n"));
    }

    #[test]
    fn bodies_in_pieces() {
        let head = |status, end, keep_alive| {
            let mut out = Vec::new();
            let head = ResponseHead {
                status,
                fields: &[],
                end,
            };
            head.write(keep_alive, DATE, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert!(head(200, BodyEnd::Chunked, true).ends_with("Transfer-Encoding: chunked\r\n\r\n"));
        assert!(
            head(200, BodyEnd::Connection, false).ends_with("GMT\r\nConnection: close\r\n\r\n")
        );
        assert!(head(204, BodyEnd::Chunked, true).ends_with("GMT\r\n\r\n"));
        let chunks = |sizes: &[usize]| {
            let mut out = Vec::new();
            for size in sizes {
                push_chunk(&vec![b'x'; *size], &mut out);
            }
            String::from_utf8(out).unwrap()
        };
        assert_eq!(chunks(&[1, 0, 2]), "1\r\nx\r\n2\r\nxx\r\n");
        assert!(chunks(&[16]).starts_with("10\r\n") && chunks(&[4095]).starts_with("fff\r\n"));
        let mut largest = Vec::new();
        push_chunk_size(u64::MAX, &mut largest);
        assert_eq!(largest, b"ffffffffffffffff\r\n");
    }

    #[test]
    fn nothing_gets_a_line_of_its_own() {
        for (name, value) in [
            ("X", "a\r\nSet-Cookie: b"),
            ("X", "a\nb"),
            ("X", "a\rb"),
            ("X", "a\0b"),
            ("X", "\x1b[31m"),
            ("X\r\nY", "a"),
            ("X:", "a"),
            ("X Y", "a"),
            ("", "a"),
            ("X\u{212a}", "a"),
            ("content-length", "5"),
            ("Transfer-Encoding", "chunked"),
            ("connection", "close"),
            ("date", DATE),
        ] {
            let mut out = b"before".to_vec();
            let response = Response {
                status: 200,
                fields: &[("Good", "one"), (name, value)],
                body: b"",
            };
            let misuse = response.write(true, false, DATE, &mut out);
            assert_eq!(misuse, Err(Misuse::BadField(name.to_owned())));
            assert_eq!(out, b"before");
        }
    }

    #[test]
    fn interim_statuses_are_not_final() {
        for status in [0, 100, 101, 199, 1000] {
            let response = Response {
                status,
                fields: &[],
                body: b"",
            };
            assert_eq!(
                response.write(true, false, DATE, &mut Vec::new()),
                Err(Misuse::BadStatus(status))
            );
        }
    }
}
