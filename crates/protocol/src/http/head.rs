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
