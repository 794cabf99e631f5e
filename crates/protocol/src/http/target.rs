//! Request targets: every form RFC 9112 §3.2 has, brought to one path, or refused.
//!
//! Two spellings of one path are a way round whoever checks paths before us, so what a browser would never send
//! (dot segments, empty segments, an encoded slash) is refused rather than repaired. Knows no routes.

use std::borrow::Cow;

use super::Refusal;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target<'a> {
    /// The path in its only form: begins with `/`, percent-decoded once, no `.`, `..` or empty segment but a last one,
    /// no control characters. `*` for `OPTIONS *`.
    pub path: Cow<'a, str>,
    /// What stands behind the first `?`, as sent; printable ASCII.
    pub query: &'a str,
    /// The whole target as sent; printable ASCII.
    pub raw: &'a str,
}

impl<'a> Target<'a> {
    /// The target, and the authority if it came along (absolute-form).
    pub(super) fn parse(
        raw: &'a str,
        method: &str,
    ) -> Result<(Target<'a>, Option<&'a str>), Refusal> {
        // A fragment stays in the client (RFC 9110 §7.1).
        if !raw
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'#')
        {
            return Err(Refusal::bad(
                "the target holds a character that must be encoded",
            ));
        }
        if raw == "*" && method == "OPTIONS" {
            return Ok((
                Target {
                    path: Cow::Borrowed("*"),
                    query: "",
                    raw,
                },
                None,
            ));
        }
        let (authority, origin_form) = match raw.as_bytes().first() {
            Some(b'/') => (None, raw),
            _ => {
                let (authority, rest) = split_absolute(raw)?;
                (Some(authority), rest)
            }
        };
        let (path, query) = origin_form.split_once('?').unwrap_or((origin_form, ""));
        let path = if path.is_empty() {
            Cow::Borrowed("/")
        } else {
            normal_path(path)?
        };
        Ok((Target { path, query, raw }, authority))
    }
}

/// Authority, and path with query, of an absolute-form.
fn split_absolute(raw: &str) -> Result<(&str, &str), Refusal> {
    // Authority-form ("example.org:443") is for CONNECT, which is for proxies.
    let (scheme, rest) = raw
        .split_once("://")
        .ok_or(Refusal::bad("the target has no path"))?;
    if !["http", "https", "ws", "wss"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
    {
        return Err(Refusal::bad("the target has a foreign scheme"));
    }
    Ok(rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())))
}

fn normal_path(raw: &str) -> Result<Cow<'_, str>, Refusal> {
    // Inside a path these have no meaning of their own in RFC 3986; some servers take `\` for a slash.
    if raw.contains(['\\', '"', '<', '>', '^', '`', '{', '|', '}']) {
        return Err(Refusal::bad(
            "the path holds a character that must be encoded",
        ));
    }
    let path = if raw.contains('%') {
        Cow::Owned(decode(raw)?)
    } else {
        Cow::Borrowed(raw)
    };
    let mut segments = path[1..].split('/').peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." | ".." => return Err(Refusal::bad("the path has a dot segment")),
            "" if segments.peek().is_some() => {
                return Err(Refusal::bad("the path has an empty segment"));
            }
            _ => {}
        }
    }
    Ok(path)
}

/// Decodes `%XX` once; what comes out is data even if it looks like `%2e` again.
fn decode(raw: &str) -> Result<String, Refusal> {
    const BAD: Refusal = Refusal::bad("the path has a bad percent-encoding");
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || {
            bytes
                .next()
                .and_then(|byte| char::from(byte).to_digit(16))
                .ok_or(BAD)
        };
        let byte = (digit()? * 16 + digit()?) as u8;
        if byte == b'/' || byte == b'\\' {
            return Err(Refusal::bad("the path has an encoded slash"));
        }
        decoded.push(byte);
    }
    let path = String::from_utf8(decoded).map_err(|_| Refusal::bad("the path is not UTF-8"))?;
    // C0, DEL and C1: they end strings, split lines and steer terminals.
    if path.contains(char::is_control) {
        return Err(Refusal::bad("the path holds a control character"));
    }
    Ok(path)
}
