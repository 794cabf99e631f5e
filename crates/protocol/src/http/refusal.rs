//! Refusals: the status, the reason and the fields with which a request is turned away.
//!
//! Everything in here is static text, so nothing the peer sent can find its way back into an answer or a log.

use super::Response;

/// Why a request is not served; the connection closes after it has been told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The status code of the answer.
    pub status: u16,
    /// What was wrong, in words that may be sent and logged.
    pub reason: &'static str,
    /// The fields this status needs: `Allow` with 405, `Upgrade` and `Sec-WebSocket-Version` with 426.
    pub fields: &'static [(&'static str, &'static str)],
}

const TEXT: (&str, &str) = ("Content-Type", "text/plain; charset=utf-8");

impl Refusal {
    /// A refusal with no fields of its own.
    pub const fn new(status: u16, reason: &'static str) -> Refusal {
        Refusal {
            status,
            reason,
            fields: &[TEXT],
        }
    }

    /// 400: the request is malformed, or could be read in two ways.
    pub const fn bad(reason: &'static str) -> Refusal {
        Refusal::new(400, reason)
    }

    /// 405: an opening handshake is a GET (RFC 6455 §4.1).
    pub const fn not_get() -> Refusal {
        Refusal {
            status: 405,
            reason: "an opening handshake is a GET",
            fields: &[TEXT, ("Allow", "GET")],
        }
    }

    /// 403: the page that asks is not one of those that may; see [`OriginPolicy`](crate::handshake::OriginPolicy).
    pub const fn foreign_origin() -> Refusal {
        Refusal::new(403, "pages of this origin may not connect")
    }

    /// 429: this client has had what there is for one; it may come back in a second.
    pub const fn too_many(reason: &'static str) -> Refusal {
        Refusal {
            status: 429,
            reason,
            fields: &[TEXT, ("Retry-After", "1")],
        }
    }

    /// 503: there is too much to do at present, whoever asks.
    pub const fn busy(reason: &'static str) -> Refusal {
        Refusal {
            status: 503,
            reason,
            fields: &[TEXT, ("Retry-After", "2")],
        }
    }

    /// 426: the resource speaks WebSocket only. For a plain request to such a resource.
    pub const fn upgrade_required() -> Refusal {
        Refusal {
            status: 426,
            reason: "this resource speaks WebSocket",
            fields: UPGRADE_FIELDS,
        }
    }

    /// 426: a draft of WebSocket older (or younger) than RFC 6455, which asks for a list of the versions we speak (§4.4).
    pub const fn other_version() -> Refusal {
        Refusal {
            status: 426,
            reason: "this server speaks WebSocket version 13",
            fields: UPGRADE_FIELDS,
        }
    }

    /// Appends the whole answer; the connection closes after it. `besides`: more fields, of which none is sent if one may not be.
    pub fn write(&self, besides: &[(&str, &str)], head_only: bool, date: &str, out: &mut Vec<u8>) {
        let mut write = |fields: &[(&str, &str)]| {
            let response = Response {
                status: self.status,
                fields,
                body: self.reason.as_bytes(),
            };
            response.write(false, head_only, date, out)
        };
        if besides.is_empty() || write(&[self.fields, besides].concat()).is_err() {
            write(self.fields).expect("static fields hold no control characters");
        }
    }
}

// RFC 9110 §15.5.22: "The server MUST send an Upgrade header field in a 426 response".
const UPGRADE_FIELDS: &[(&str, &str)] = &[
    TEXT,
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
];

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, self.reason)
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_tell_what_the_status_needs() {
        let mut out = Vec::new();
        Refusal::other_version().write(&[], false, "Sun, 06 Nov 1994 08:49:37 GMT", &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "HTTP/1.1 426 Upgrade Required\r\nContent-Type: text/plain; charset=utf-8\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 39\r\n\
             Connection: close, Upgrade\r\n\r\nthis server speaks WebSocket version 13"
        );
    }

    #[test]
    fn what_is_said_besides_is_sent_if_it_may_be() {
        let told = |besides: &[(&str, &str)]| {
            let mut out = Vec::new();
            Refusal::bad("no").write(besides, false, "now", &mut out);
            String::from_utf8(out).unwrap()
        };
        assert!(told(&[("vary", "origin")]).contains("\r\nvary: origin\r\n"));
        for bad in [("date", "never"), ("x", "a\r\nb: c")] {
            assert_eq!(told(&[("vary", "origin"), bad]), told(&[]));
        }
    }
}
