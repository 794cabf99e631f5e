//! Where a head ends: the blank line, found while the bytes dribble in.
//!
//! Looks at line ends and lengths only; what the lines say is for [`Request`](super::Request).

use super::Refusal;

/// How large a head may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest request line, with its line end; a longer one is answered with 414.
    pub request_line_bytes: usize,
    /// Longest head, with the blank line; a longer one is answered with 431.
    pub head_bytes: usize,
    /// Most field lines; more are answered with 431.
    pub fields: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            request_line_bytes: 8192,
            head_bytes: 16384,
            fields: 100,
        }
    }
}

/// Remembers how far the search for the blank line has come, so that no byte is looked at twice.
#[derive(Debug, Clone, Copy, Default)]
pub struct HeadScanner {
    /// Bytes known to hold no further line end.
    scanned: u32,
    /// Where the line begins whose end is being looked for.  line_start <= scanned
    line_start: u32,
}

impl HeadScanner {
    /// The length of the head in `bytes`, blank line included; `None` until it is there.
    ///
    /// `bytes` are all that has arrived since the head began: the same as in the last call, and more after them.
    pub fn find_end(&mut self, bytes: &[u8], limits: &Limits) -> Result<Option<usize>, Refusal> {
        // Anything else (a TLS hello on the plain port, say) would only be found out at its first line feed.
        if let Some(first) = bytes.first()
            && !first.is_ascii_alphabetic()
            && *first != b'\r'
        {
            return Err(Refusal::bad("this is not HTTP"));
        }
        let window = &bytes[..bytes.len().min(limits.head_bytes)];
        while let Some(found) = memchr::memchr(
            b'\n',
            window.get(self.scanned as usize..).unwrap_or_default(),
        ) {
            let line_end = self.scanned as usize + found;
            let line = &bytes[self.line_start as usize..line_end];
            if self.in_request_line() && line_end + 1 > limits.request_line_bytes {
                return Err(Refusal::new(414, "the request line is too long"));
            }
            // RFC 9112 §2.2 lets a recipient take a bare LF for a line end; one that does not see it as such
            // reads other fields than we do.
            if line.last() != Some(&b'\r') {
                return Err(Refusal::bad("a line ends without CR"));
            }
            if line.len() == 1 {
                match self.line_start {
                    0 => {} // §2.2: "SHOULD ignore at least one empty line (CRLF) received prior to the request-line"
                    2 => return Err(Refusal::bad("blank lines instead of a request")),
                    _ => return Ok(Some(line_end + 1)),
                }
            }
            self.scanned = line_end as u32 + 1;
            self.line_start = self.scanned;
        }
        self.scanned = window.len() as u32;
        if self.in_request_line() && window.len() >= limits.request_line_bytes {
            return Err(Refusal::new(414, "the request line is too long"));
        }
        if window.len() >= limits.head_bytes {
            return Err(Refusal::new(431, "the head is too long"));
        }
        Ok(None)
    }

    /// Whether the line being looked for is the first; a line of two bytes before it can only be blank.
    fn in_request_line(&self) -> bool {
        self.line_start == 0 || self.line_start == 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_byte_is_looked_at_twice() {
        let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET ";
        let mut scanner = HeadScanner::default();
        for length in 0..27 {
            assert_eq!(
                scanner.find_end(&head[..length], &Limits::default()),
                Ok(None)
            );
            assert_eq!(scanner.scanned as usize, length);
        }
        assert_eq!(scanner.find_end(head, &Limits::default()), Ok(Some(27)));
    }

    #[test]
    fn limits_hold_to_the_byte() {
        let limits = Limits {
            request_line_bytes: 8,
            head_bytes: 16,
            fields: 9,
        };
        let find_end = |bytes: &[u8]| {
            HeadScanner::default()
                .find_end(bytes, &limits)
                .map_err(|refusal| refusal.status)
        };
        assert_eq!(find_end(b"GET /a\r\n\r\n"), Ok(Some(10)));
        assert_eq!(find_end(b"GET /ab\r\n\r\n"), Err(414));
        assert_eq!(find_end(b"GET /ab"), Ok(None));
        assert_eq!(find_end(b"GET /ab\r"), Err(414));
        assert_eq!(find_end(b"GET /a\r\nab:c\r\n\r\n"), Ok(Some(16)));
        assert_eq!(find_end(b"GET /a\r\nabc:d\r\n\r\n"), Err(431));
        assert_eq!(find_end(b"GET /a\r\nabc:d\r\n"), Ok(None));
        assert_eq!(find_end(b"GET /a\r\nabc:d\r\n\r"), Err(431));
    }

    #[test]
    fn one_blank_line_may_precede() {
        let find_end = |bytes: &[u8]| HeadScanner::default().find_end(bytes, &Limits::default());
        assert_eq!(find_end(b"\r\nGET / HTTP/1.1\r\n\r\n"), Ok(Some(20)));
        assert_eq!(find_end(b"\r\n"), Ok(None));
        assert!(find_end(b"\r\n\r\n").is_err());
    }
}
