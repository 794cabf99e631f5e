//! Request heads: what is asked for, by which host, and how the body is framed.
//!
//! `httparse` takes the head apart; the checks below refuse what it (or RFC 9112) lets pass although another parser
//! in front of us might read it differently. Finding the end of the head is for [`HeadScanner`](super::HeadScanner).

use httparse::Status;

use super::{Fields, Limits, Refusal, Target, list};
use crate::http::authority::Authority;

/// A request head that can be understood in one way only.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The method as sent; methods are case-sensitive.
    pub method: &'a str,
    /// What is asked for.
    pub target: Target<'a>,
    /// Host and port this request is for: the authority of the target, else the field `Host`.
    /// Empty only when an HTTP/1.0 client named none.
    pub host: &'a str,
    /// HTTP/1.1, not 1.0.
    pub http11: bool,
    /// The fields.
    pub fields: Fields<'a>,
    framing: Framing,
    keep_alive: bool,
}

/// How the end of a body is found (RFC 9112 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    None,
    /// So many bytes.
    Length(u64),
    /// Chunks, up to an empty one.
    Chunked,
}

impl<'a> Request<'a> {
    /// Reads one head, from its first byte to the end of its blank line, as [`HeadScanner`](super::HeadScanner) finds it.
    ///
    /// Every refusal means that what follows on the connection can no longer be told apart: close it.
    pub fn parse(head: &'a [u8], limits: &Limits) -> Result<Request<'a>, Refusal> {
        refuse_bare_line_feeds(head)?;
        let head = head.strip_prefix(b"\r\n").unwrap_or(head);
        let mut line = (None, None, None);
        let fields = Fields::parse(limits.fields, |room| {
            let mut parsed = httparse::Request::new(room);
            match parsed.parse(head) {
                Ok(Status::Complete(length)) if length == head.len() => {}
                Ok(_) => return Err(Refusal::bad("the head is not one head")),
                Err(httparse::Error::TooManyHeaders) => return Ok(None),
                Err(error) => return Err(explain(error, head)),
            }
            line = (parsed.method, parsed.path, parsed.version);
            Ok(Some(parsed.headers.len()))
        })?
        .ok_or(Refusal::new(431, "too many fields"))?;
        let (Some(method), Some(raw_target), Some(version)) = line else {
            return Err(Refusal::bad("the request line is incomplete"));
        };
        let http11 = version == 1;
        let (target, authority) = Target::parse(raw_target, method)?;
        let host = host(&fields, authority, http11)?;
        let framing = framing(&fields, http11)?;
        let keep_alive = keep_alive(&fields, http11)?;
        Ok(Request {
            method,
            target,
            host,
            http11,
            fields,
            framing,
            keep_alive,
        })
    }

    /// How the body is framed.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Whether another request may follow on this connection.
    pub fn keep_alive(&self) -> bool {
        self.keep_alive
    }

    /// Whether the client waits for [`CONTINUE`](super::CONTINUE) before it sends the body.
    pub fn expects_continue(&self) -> bool {
        self.http11
            && self
                .fields
                .get("Expect")
                .is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"))
    }
}

fn refuse_bare_line_feeds(head: &[u8]) -> Result<(), Refusal> {
    if memchr::memchr_iter(b'\n', head).all(|at| at > 0 && head[at - 1] == b'\r') {
        Ok(())
    } else {
        Err(Refusal::bad("a line ends without CR"))
    }
}

/// RFC 9112 §3.2: "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that
/// lacks a Host header field and to any request message that contains more than one Host header field line or a Host
/// header field with an invalid field value", whether or not the target brings an authority, which then wins (§3.2.2).
fn host<'a>(
    fields: &Fields<'a>,
    authority: Option<&'a str>,
    http11: bool,
) -> Result<&'a str, Refusal> {
    let named = fields
        .get_single("Host")
        .map_err(|_| Refusal::bad("more than one Host"))?;
    let named = match named {
        Some(value) => std::str::from_utf8(value).unwrap_or_default(),
        None if http11 => return Err(Refusal::bad("no Host")),
        None => "",
    };
    if (http11 || !named.is_empty()) && Authority::parse(named).is_none() {
        return Err(Refusal::bad("not a host and port in Host"));
    }
    match authority {
        Some(authority) if Authority::parse(authority).is_none() => {
            Err(Refusal::bad("not a host and port in the target"))
        }
        Some(authority) => Ok(authority),
        None => Ok(named),
    }
}

/// RFC 9112 §6.3, without the leeway it leaves for repeated lengths and for codings besides a length.
fn framing(fields: &Fields<'_>, http11: bool) -> Result<Framing, Refusal> {
    let length = fields
        .get_single("Content-Length")
        .map_err(|_| Refusal::bad("more than one Content-Length"))?;
    let mut codings = fields.get_all("Transfer-Encoding").peekable();
    let Some(_) = codings.peek() else {
        return length.map_or(Ok(Framing::None), |value| {
            Ok(Framing::Length(content_length(value)?))
        });
    };
    if length.is_some() {
        return Err(Refusal::bad("both Content-Length and Transfer-Encoding"));
    }
    if !http11 {
        return Err(Refusal::bad("Transfer-Encoding in HTTP/1.0"));
    }
    let (mut last_is_chunked, mut others) = (false, false);
    for coding in list::tokens(codings) {
        let coding = coding.map_err(|_| Refusal::bad("bad Transfer-Encoding"))?;
        if last_is_chunked {
            return Err(Refusal::bad("chunked is not the last Transfer-Encoding"));
        }
        last_is_chunked = coding.eq_ignore_ascii_case("chunked");
        others |= !last_is_chunked;
    }
    match (last_is_chunked, others) {
        (true, false) => Ok(Framing::Chunked),
        (true, true) => Err(Refusal::new(
            501,
            "the only Transfer-Encoding here is chunked",
        )),
        (false, _) => Err(Refusal::bad("chunked is not the last Transfer-Encoding")),
    }
}

fn content_length(value: &[u8]) -> Result<u64, Refusal> {
    const BAD: Refusal = Refusal::bad("bad Content-Length");
    // Nineteen digits always fit; `parse` alone would take a sign too.
    if value.len() > 19 || !value.iter().all(u8::is_ascii_digit) {
        return Err(BAD);
    }
    std::str::from_utf8(value)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .ok_or(BAD)
}

/// A client of HTTP/1.0 that would like to go on has to ask, and to be answered; it may as well connect again.
fn keep_alive(fields: &Fields<'_>, http11: bool) -> Result<bool, Refusal> {
    let close = list::contains(fields.get_all("Connection"), "close");
    Ok(http11 && !close.map_err(|_| Refusal::bad("bad Connection"))?)
}

fn explain(error: httparse::Error, head: &[u8]) -> Refusal {
    match error {
        httparse::Error::Version if names_other_version(head) => {
            Refusal::new(505, "this server speaks HTTP/1.1")
        }
        httparse::Error::HeaderName => Refusal::bad("bad field name, or a folded line"),
        httparse::Error::HeaderValue => Refusal::bad("bad field value"),
        httparse::Error::NewLine => Refusal::bad("bad line end"),
        _ => Refusal::bad("bad request line"),
    }
}

/// Whether all that is wrong with the request line is a version other than ours.
fn names_other_version(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ').skip(2);
    let version = words.next().unwrap_or_default();
    words.next().is_none()
        && matches!(
            version,
            [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9']
        )
        && !matches!(version, b"HTTP/1.0" | b"HTTP/1.1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(lines: &str) -> Result<Request<'_>, Refusal> {
        Request::parse(lines.as_bytes(), &Limits::default())
    }

    #[test]
    fn what_a_head_says() {
        let request = parse(
            "POST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n",
        )
        .unwrap();
        assert_eq!(
            (request.method, request.host, request.http11),
            ("POST", "a", true)
        );
        assert_eq!(
            (
                request.framing(),
                request.keep_alive(),
                request.expects_continue()
            ),
            (Framing::Length(5), true, true)
        );
    }

    #[test]
    fn connections_are_kept_unless() {
        assert!(
            parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\n\r\n")
                .unwrap()
                .keep_alive()
        );
        assert!(
            !parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n")
                .unwrap()
                .keep_alive()
        );
        assert!(
            !parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                .unwrap()
                .keep_alive()
        );
    }

    #[test]
    fn only_one_whole_head() {
        for text in [
            "",
            "\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\r\nG",
        ] {
            assert_eq!(parse(text).unwrap_err().status, 400, "{text}");
        }
    }
}
