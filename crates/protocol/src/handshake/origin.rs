//! Which web pages may open a WebSocket here (RFC 6455 §10.2, RFC 6454).
//!
//! A browser attaches the user's cookies to a WebSocket whichever page opens it, so the page's origin is the only
//! thing that tells our own page from a stranger's. Programs that are not browsers send none, or any they like:
//! this protects users, not the server.

use crate::http::authority::{Authority, Host};

/// Which origins may open a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum OriginPolicy {
    /// The host the request is for; see [`origin_is_same`].
    #[default]
    SameHost,
    /// Every page of the web: only where no cookie and no address decides what a client may do.
    Any,
    /// These and no others, not even the server's own; made by [`OriginPolicy::list`].
    List(Vec<String>),
}

/// What [`OriginPolicy::list`] was given is not an origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadOrigin(pub String);

impl OriginPolicy {
    /// A list of origins like `https://example.org` or `http://localhost:8000`; `null` is one too, though it stands
    /// for every page that hides its own.
    pub fn list<'a>(origins: impl IntoIterator<Item = &'a str>) -> Result<OriginPolicy, BadOrigin> {
        let check =
            |origin: &str| match origin == "null" || Origin::parse(origin.as_bytes()).is_some() {
                true => Ok(origin.to_owned()),
                false => Err(BadOrigin(origin.to_owned())),
            };
        Ok(OriginPolicy::List(
            origins.into_iter().map(check).collect::<Result<_, _>>()?,
        ))
    }

    /// Whether a request from a page of `origin` for `host` may go on; `tls`: it came to us through TLS.
    pub fn allows(&self, origin: Option<&[u8]>, host: &str, tls: bool) -> bool {
        let Some(origin) = origin else { return true };
        match self {
            OriginPolicy::SameHost => origin_is_same(origin, host.as_bytes(), tls),
            OriginPolicy::Any => true,
            OriginPolicy::List(allowed) => {
                let parsed = Origin::parse(origin);
                allowed.iter().any(|allowed| match &parsed {
                    Some(parsed) => Origin::parse(allowed.as_bytes()).as_ref() == Some(parsed),
                    None => origin == b"null" && allowed == "null",
                })
            }
        }
    }
}

/// Whether a page of `origin` was served by the host that this request is for, on the same port.
///
/// Behind a proxy that ends TLS (`tls` is false) the page may be `https` although we see plain HTTP; a page that came
/// without TLS may have been anybody's on the way, so it does not open a WebSocket through TLS.
pub fn origin_is_same(origin: &[u8], host: &[u8], tls: bool) -> bool {
    let Some(origin) = Origin::parse(origin) else {
        return false;
    };
    let Some(host) = std::str::from_utf8(host).ok().and_then(Authority::parse) else {
        return false;
    };
    // A host without a port is at the default port of the scheme that the *client* used.
    origin.host == host.host
        && origin.port == host.port.unwrap_or(origin.scheme.port())
        && (origin.scheme == Scheme::Https || !tls)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

/// An origin that is scheme, host and port, not an opaque one.
#[derive(Debug, PartialEq, Eq)]
struct Origin<'a> {
    scheme: Scheme,
    host: Host<'a>,
    port: u16,
}

impl<'a> Origin<'a> {
    fn parse(text: &'a [u8]) -> Option<Origin<'a>> {
        let (scheme, authority) = std::str::from_utf8(text).ok()?.split_once("://")?;
        let scheme = match scheme {
            _ if scheme.eq_ignore_ascii_case("http") => Scheme::Http,
            _ if scheme.eq_ignore_ascii_case("https") => Scheme::Https,
            _ => return None,
        };
        let Authority { host, port } = Authority::parse(authority)?;
        // Browsers leave out what is empty or the default, and write no zeros in front (RFC 6454 §6.2).
        let after_address = authority.rsplit(']').next().unwrap_or_default();
        if after_address
            .split_once(':')
            .is_some_and(|(_, port)| port.is_empty() || port.starts_with('0'))
        {
            return None;
        }
        Some(Origin {
            scheme,
            host,
            port: port.unwrap_or(scheme.port()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_have_no_origin() {
        for policy in [
            OriginPolicy::SameHost,
            OriginPolicy::Any,
            OriginPolicy::list([]).unwrap(),
        ] {
            assert!(policy.allows(None, "example.org", false));
        }
    }

    #[test]
    fn a_list_is_all_there_is() {
        let policy = OriginPolicy::list(["https://Example.org", "http://[::1]:8000"]).unwrap();
        let allows = |origin: &str| policy.allows(Some(origin.as_bytes()), "our.host", false);
        assert!(
            allows("https://example.org")
                && allows("https://example.org:443")
                && allows("http://[0::1]:8000")
        );
        for origin in [
            "http://our.host",
            "http://example.org",
            "https://example.org:444",
            "https://a.example.org",
            "null",
            "",
        ] {
            assert!(!allows(origin), "{origin}");
        }
        let null = OriginPolicy::list(["null"]).unwrap();
        assert!(
            null.allows(Some(b"null"), "our.host", false)
                && !null.allows(Some(b"nul"), "our.host", false)
        );
    }

    #[test]
    fn what_is_no_origin_is_named() {
        for bad in [
            "example.org",
            "https://example.org/",
            "https://*.example.org",
            "ws://example.org",
            "",
        ] {
            assert_eq!(
                OriginPolicy::list(["null", bad]),
                Err(BadOrigin(bad.to_owned()))
            );
        }
    }

    #[test]
    fn anybody_is_somebody() {
        assert!(OriginPolicy::Any.allows(Some(b"null"), "example.org", true));
    }
}
