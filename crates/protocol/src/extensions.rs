//! `Sec-WebSocket-Extensions`: what is offered, what is agreed upon (RFC 6455 §9.1, RFC 7692 §5 and §7.1).
//!
//! Knows one extension, permessage-deflate, and does not compress (see `deflate`). Every byte is looked at a fixed
//! number of times and nothing is allocated for what a peer sends.

use std::error::Error;
use std::fmt;

use crate::deflate::{
    Parameters, Settings, WINDOW_BITS_KEPT_MIN, WINDOW_BITS_MAX, WINDOW_BITS_MIN, Window,
};

const NAME: &[u8] = b"permessage-deflate";
const SERVER_NO_CONTEXT_TAKEOVER: &[u8] = b"server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &[u8] = b"client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &[u8] = b"server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &[u8] = b"client_max_window_bits";

/// Why a client cannot accept what the server says it agrees to; the connection must be failed (RFC 6455 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disagreement {
    /// An extension that was not offered, or one twice.
    NotOffered,
    /// A parameter that is unknown, repeated or has no legal value.
    BadParameter,
    /// The server takes over its context although it was asked not to.
    ContextTakenOver,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOffered => "extension was not offered",
            Self::BadParameter => "bad extension parameter",
            Self::ContextTakenOver => "server_no_context_takeover is missing",
        })
    }
}

impl Error for Disagreement {}

/// The server's side: the agreement on the first acceptable of the client's offers, if there is one.
///
/// `offers` are field values or single elements of them. What is unknown or malformed is an offer declined, never an
/// error: the connection then goes on without compression.
pub fn negotiate<'a>(
    offers: impl Iterator<Item = &'a [u8]>,
    settings: &Settings,
) -> Option<Parameters> {
    if settings.window == Window::Off {
        return None;
    }
    offers
        .flat_map(elements)
        .find_map(|element| Terms::parse(element).ok())
        .map(|terms| agree(&terms, settings))
}

/// Appends what the server has agreed to, as a field value.
pub fn write_agreement(parameters: &Parameters, out: &mut Vec<u8>) {
    out.extend_from_slice(NAME);
    let flags = [
        (
            SERVER_NO_CONTEXT_TAKEOVER,
            parameters.server_no_context_takeover,
        ),
        (
            CLIENT_NO_CONTEXT_TAKEOVER,
            parameters.client_no_context_takeover,
        ),
    ];
    for (name, _) in flags.iter().filter(|(_, is_set)| *is_set) {
        write_parameter(name, None, out);
    }
    let windows = [
        (SERVER_MAX_WINDOW_BITS, parameters.server_max_window_bits),
        (CLIENT_MAX_WINDOW_BITS, parameters.client_max_window_bits),
    ];
    for (name, bits) in windows.iter().filter(|(_, bits)| bits.is_some()) {
        write_parameter(name, *bits, out);
    }
}

/// Appends what a client with these settings offers, as a field value; nothing when it wants no compression.
pub fn write_offer(settings: &Settings, out: &mut Vec<u8>) {
    if settings.window == Window::Off {
        return;
    }
    out.extend_from_slice(NAME);
    if settings.window == Window::Shared {
        write_parameter(SERVER_NO_CONTEXT_TAKEOVER, None, out);
        write_parameter(CLIENT_NO_CONTEXT_TAKEOVER, None, out);
    }
    // Without a value: any limit will do.
    write_parameter(CLIENT_MAX_WINDOW_BITS, None, out);
}

/// The client's side: what the server has made of the offer of [`write_offer`].
///
/// # Errors
/// [`Disagreement`] when the server says yes to something else.
pub fn verify_agreement(
    value: &[u8],
    settings: &Settings,
) -> Result<Option<Parameters>, Disagreement> {
    let mut elements = elements(value);
    let Some(element) = elements.next() else {
        return Ok(None);
    };
    if elements.next().is_some() || settings.window == Window::Off {
        return Err(Disagreement::NotOffered);
    }
    let terms = Terms::parse(element)?;
    let mut parameters = Parameters {
        server_no_context_takeover: terms.server_no_context_takeover,
        client_no_context_takeover: terms.client_no_context_takeover,
        server_max_window_bits: terms.server_max_window_bits,
        client_max_window_bits: match terms.client_max_window_bits {
            None => None,
            Some(bits) => Some(bits.ok_or(Disagreement::BadParameter)?),
        },
    };
    // What concerns the client's own window it may tighten without telling.
    match settings.window {
        Window::Shared if !parameters.server_no_context_takeover => {
            return Err(Disagreement::ContextTakenOver);
        }
        Window::Shared | Window::Off => parameters.client_no_context_takeover = true,
        Window::Dedicated => {
            parameters.client_max_window_bits =
                limited(parameters.client_max_window_bits, settings);
            parameters.client_no_context_takeover |= !is_usable(parameters.client_max_window_bits);
        }
    }
    Ok(Some(parameters))
}

/// What one element of the header says of permessage-deflate.
#[derive(Default)]
struct Terms {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    /// May stand without a value in an offer.
    client_max_window_bits: Option<Option<u8>>,
}

impl Terms {
    fn parse(element: &[u8]) -> Result<Self, Disagreement> {
        let mut parts = Split {
            rest: Some(element),
            separator: b';',
        };
        if parts.next() != Some(NAME) {
            return Err(Disagreement::NotOffered);
        }
        let mut terms = Self::default();
        for part in parts {
            terms.add(part).ok_or(Disagreement::BadParameter)?;
        }
        Ok(terms)
    }

    /// Adds one parameter; `None` when it is unknown, repeated or has no legal value.
    fn add(&mut self, part: &[u8]) -> Option<()> {
        let mut sides = part.splitn(2, |&byte| byte == b'=');
        let name = sides.next()?.trim_ascii_end();
        let value = sides.next().map(<[u8]>::trim_ascii_start);
        match (name, value) {
            (SERVER_NO_CONTEXT_TAKEOVER, None) if !self.server_no_context_takeover => {
                self.server_no_context_takeover = true;
            }
            (CLIENT_NO_CONTEXT_TAKEOVER, None) if !self.client_no_context_takeover => {
                self.client_no_context_takeover = true;
            }
            (SERVER_MAX_WINDOW_BITS, Some(value)) if self.server_max_window_bits.is_none() => {
                self.server_max_window_bits = Some(window_bits(value)?);
            }
            (CLIENT_MAX_WINDOW_BITS, value) if self.client_max_window_bits.is_none() => {
                self.client_max_window_bits = Some(match value {
                    Some(value) => Some(window_bits(value)?),
                    None => None,
                });
            }
            _ => return None,
        }
        Some(())
    }
}

/// What the server answers to an offer; all of them can be accepted.
fn agree(offer: &Terms, settings: &Settings) -> Parameters {
    if settings.window == Window::Dedicated {
        let server_max_window_bits =
            limited(offer.server_max_window_bits, settings).or(offer.server_max_window_bits);
        return Parameters {
            server_no_context_takeover: offer.server_no_context_takeover
                || !is_usable(server_max_window_bits),
            client_no_context_takeover: offer.client_no_context_takeover,
            server_max_window_bits,
            // §7.1.2.2: only a client that has said it understands the parameter may be sent it.
            client_max_window_bits: offer
                .client_max_window_bits
                .and_then(|bits| limited(bits, settings)),
        };
    }
    Parameters {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        // §7.1.2.1: the server accepts "by including" it "with the same or smaller value", 15 too.
        server_max_window_bits: offer.server_max_window_bits,
        client_max_window_bits: None,
    }
}

/// The smaller of what the peer and what the settings allow; `None` when that is no limit at all.
fn limited(bits: Option<u8>, settings: &Settings) -> Option<u8> {
    let own = settings
        .window_bits
        .clamp(WINDOW_BITS_KEPT_MIN, WINDOW_BITS_MAX);
    Some(bits.unwrap_or(WINDOW_BITS_MAX).min(own)).filter(|&bits| bits < WINDOW_BITS_MAX)
}

/// Whether zlib can keep a window of that size; messages that stand alone and are no longer than it do without.
fn is_usable(bits: Option<u8>) -> bool {
    bits.is_none_or(|bits| bits >= WINDOW_BITS_KEPT_MIN)
}

/// 8 to 15, without leading zeros, perhaps quoted.
fn window_bits(value: &[u8]) -> Option<u8> {
    let (digits, is_quoted) = match value {
        [b'"', digits @ .., b'"'] => (digits, true),
        digits => (digits, false),
    };
    let mut bits = 0_u8;
    let mut digits = digits.iter();
    while let Some(&byte) = digits.next() {
        let digit = if byte == b'\\' && is_quoted {
            *digits.next()?
        } else {
            byte
        };
        if !digit.is_ascii_digit() || (bits == 0 && digit == b'0') {
            return None;
        }
        bits = bits.checked_mul(10)?.checked_add(digit - b'0')?;
    }
    (WINDOW_BITS_MIN..=WINDOW_BITS_MAX)
        .contains(&bits)
        .then_some(bits)
}

/// The elements of a field value; empty ones are none (RFC 9110 §5.6.1.2).
fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    Split {
        rest: Some(value),
        separator: b',',
    }
    .filter(|element| !element.is_empty())
}

/// Parts between separators that are not in a quoted string, without the blanks around them.
struct Split<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
}

impl<'a> Iterator for Split<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest.take()?;
        let mut is_quoted = false;
        let mut position = 0;
        while position < rest.len() {
            match rest[position] {
                b'"' => is_quoted = !is_quoted,
                b'\\' if is_quoted => position += 1,
                byte if byte == self.separator && !is_quoted => {
                    self.rest = Some(&rest[position + 1..]);
                    return Some(rest[..position].trim_ascii());
                }
                _ => {}
            }
            position += 1;
        }
        Some(rest.trim_ascii())
    }
}

fn write_parameter(name: &[u8], bits: Option<u8>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"; ");
    out.extend_from_slice(name);
    if let Some(bits) = bits {
        out.push(b'=');
        if bits >= 10 {
            out.push(b'0' + bits / 10);
        }
        out.push(b'0' + bits % 10);
    }
}
