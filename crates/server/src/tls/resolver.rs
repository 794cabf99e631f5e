//! Which certificate is shown: chosen by the name that the client asks for (SNI, RFC 6066 §3).

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

thread_local! {
    /// The name last asked for in this thread. rustls tells it to the resolver alone, within the call that reads the hello.
    static ASKED: Cell<Option<Box<str>>> = const { Cell::new(None) };
}

/// The name that was asked for since the last call.
pub(super) fn take_asked() -> Option<Box<str>> {
    ASKED.take()
}

/// Certificates by name; the first one serves whoever asks for no name, or for one that nobody has.
#[derive(Debug)]
pub(super) struct Resolver {
    first: Arc<CertifiedKey>,
    exact: HashMap<Box<str>, Arc<CertifiedKey>>,
    /// By what follows the first label: `*.example.org` stands under `example.org`.
    wildcards: HashMap<Box<str>, Arc<CertifiedKey>>,
}

impl Resolver {
    pub(super) fn new(first: Arc<CertifiedKey>) -> Self {
        Self {
            first,
            exact: HashMap::new(),
            wildcards: HashMap::new(),
        }
    }

    /// Shows `key` to whoever asks for `name`. Who came first keeps a name.
    pub(super) fn add(&mut self, name: &str, key: &Arc<CertifiedKey>) {
        let name = name.to_ascii_lowercase();
        let (table, name) = match name.strip_prefix("*.") {
            Some(parent) => (&mut self.wildcards, parent),
            None => (&mut self.exact, name.as_str()),
        };
        table.entry(name.into()).or_insert_with(|| Arc::clone(key));
    }

    fn choose(&self, name: &str) -> &Arc<CertifiedKey> {
        // RFC 9525 §6.3: a wildcard stands for exactly one label.
        let by_wildcard = || self.wildcards.get(name.split_once('.')?.1);
        self.exact
            .get(name)
            .or_else(by_wildcard)
            .unwrap_or(&self.first)
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().map(str::to_ascii_lowercase);
        let chosen = name
            .as_deref()
            .map_or(&self.first, |name| self.choose(name));
        ASKED.set(name.map(Into::into));
        Some(Arc::clone(chosen))
    }
}
