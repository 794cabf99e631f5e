//! What a listener shows and asks in a TLS handshake, replaceable while it serves.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{
    NoClientAuth, NoServerSessionStorage, ParsedCertificate, ProducesTickets, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion, version};

use super::resolver::Resolver;

/// A certificate chain and its key, in PEM.
#[derive(Clone)]
pub struct Pair {
    /// How errors call it: usually the file's name.
    pub name: String,
    /// The chain, the server's own certificate first.
    pub chain: Vec<u8>,
    /// The private key, not encrypted.
    pub key: Vec<u8>,
}

/// Whether clients show a certificate of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// They are not asked.
    #[default]
    Off,
    /// They are asked; who has none is let in, too. A wrong one is refused.
    Optional,
    /// Who has none is refused.
    Required,
}

/// The oldest version spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsVersion {
    /// RFC 5246, with modern cipher suites only.
    #[default]
    V1_2,
    /// RFC 8446.
    V1_3,
}

impl TlsVersion {
    pub(super) fn and_newer(self) -> &'static [&'static SupportedProtocolVersion] {
        static ALL: [&SupportedProtocolVersion; 2] = [&version::TLS13, &version::TLS12];
        match self {
            Self::V1_2 => &ALL,
            Self::V1_3 => &ALL[..1],
        }
    }
}

/// All that a [`TlsContext`] is made of.
#[derive(Clone, Default)]
pub struct TlsSettings {
    /// Certificates, chosen by the name a client asks for; the first is the default.
    pub pairs: Vec<Pair>,
    /// Who may sign clients' certificates, in PEM.
    pub client_ca: Vec<u8>,
    /// Whether clients show a certificate.
    pub client_auth: ClientAuth,
    /// The oldest version spoken.
    pub minimum_version: TlsVersion,
}

/// Why settings cannot be used: which file, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsRefusal {
    /// The name of the pair, or what else it is about.
    pub what: String,
    /// What is wrong.
    pub why: String,
}

impl TlsRefusal {
    pub(super) fn new(what: &str, why: impl fmt::Display) -> Self {
        Self {
            what: what.to_owned(),
            why: why.to_string(),
        }
    }
}

impl fmt::Display for TlsRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.why, self.what)
    }
}

impl std::error::Error for TlsRefusal {}

/// See the module. Shared by every thread that serves the listener.
pub struct TlsContext {
    current: RwLock<Current>,
}

struct Current {
    config: Arc<ServerConfig>,
    /// Tickets stay valid across a replacement, unless it changes who is let in.
    tickets: Arc<dyn ProducesTickets>,
    admits: (ClientAuth, Vec<u8>),
}

impl fmt::Debug for TlsContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsContext").finish_non_exhaustive()
    }
}

impl TlsContext {
    /// Reads and checks everything once.
    ///
    /// # Errors
    /// Which part cannot be used, and why.
    pub fn new(settings: &TlsSettings) -> Result<Self, TlsRefusal> {
        let tickets = new_tickets()?;
        Ok(Self {
            current: RwLock::new(Current {
                config: configure(settings, Arc::clone(&tickets))?,
                tickets,
                admits: (settings.client_auth, settings.client_ca.clone()),
            }),
        })
    }

    /// Uses other settings for handshakes that begin from now on. Connections that exist are not touched.
    ///
    /// # Errors
    /// Which part cannot be used, and why; then everything stays as it was.
    pub fn replace(&self, settings: &TlsSettings) -> Result<(), TlsRefusal> {
        let admits = (settings.client_auth, settings.client_ca.clone());
        let mut tickets = {
            let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
            (current.admits == admits).then(|| Arc::clone(&current.tickets))
        };
        // A ticket vouches for the client's certificate without looking at it again.
        let tickets = match tickets.take() {
            Some(tickets) => tickets,
            None => new_tickets()?,
        };
        let config = configure(settings, Arc::clone(&tickets))?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Current {
            config,
            tickets,
            admits,
        };
        Ok(())
    }

    pub(super) fn current(&self) -> Arc<ServerConfig> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current.config)
    }
}

/// Keys change every six hours; the ones before are still accepted for as long again.
fn new_tickets() -> Result<Arc<dyn ProducesTickets>, TlsRefusal> {
    ring::Ticketer::new().map_err(|error| TlsRefusal::new("session tickets", error))
}

/// The cryptography of both sides.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn configure(
    settings: &TlsSettings,
    tickets: Arc<dyn ProducesTickets>,
) -> Result<Arc<ServerConfig>, TlsRefusal> {
    let provider = provider();
    let mut resolver: Option<Resolver> = None;
    for pair in &settings.pairs {
        let key = Arc::new(certify(pair, &provider)?);
        let resolver = resolver.get_or_insert_with(|| Resolver::new(Arc::clone(&key)));
        for name in names(pair, &key)? {
            resolver.add(&name, &key);
        }
    }
    let resolver = resolver.ok_or_else(|| TlsRefusal::new("TLS", "there is no certificate"))?;
    let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(settings.minimum_version.and_newer())
        .map_err(|error| TlsRefusal::new("minimum version", error))?
        .with_client_cert_verifier(verifier(settings, provider)?)
        .with_cert_resolver(Arc::new(resolver));
    // RFC 7301; a client that insists on anything else is told so by an alert.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.ticketer = tickets;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(Arc::new(config))
}

/// The chain of certificates in a PEM text.
pub(super) fn chain(name: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsRefusal> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match chain {
        Ok(chain) if chain.is_empty() => Err(TlsRefusal::new(name, "no certificate in it")),
        Ok(chain) => Ok(chain),
        Err(error) => Err(TlsRefusal::new(name, error)),
    }
}

/// The key that belongs to a chain.
pub(super) fn certify(pair: &Pair, provider: &CryptoProvider) -> Result<CertifiedKey, TlsRefusal> {
    let chain = chain(&pair.name, &pair.chain)?;
    let key = PrivateKeyDer::from_pem_slice(&pair.key)
        .map_err(|_| TlsRefusal::new(&pair.name, "no usable private key"))?;
    let key = provider
        .key_provider
        .load_private_key(key)
        .map_err(|error| TlsRefusal::new(&pair.name, error))?;
    let certified = CertifiedKey::new(chain, key);
    certified.keys_match().map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            TlsRefusal::new(&pair.name, "certificate and key do not belong together")
        }
        other => TlsRefusal::new(&pair.name, other),
    })?;
    Ok(certified)
}

fn names(pair: &Pair, key: &CertifiedKey) -> Result<Vec<String>, TlsRefusal> {
    let refusal = |error: &dyn fmt::Display| TlsRefusal::new(&pair.name, error);
    let own = key.end_entity_cert().map_err(|error| refusal(&error))?;
    ParsedCertificate::try_from(own).map_err(|error| refusal(&error))?;
    let parsed = webpki::EndEntityCert::try_from(own).map_err(|error| refusal(&error))?;
    Ok(parsed.valid_dns_names().map(str::to_owned).collect())
}

fn verifier(
    settings: &TlsSettings,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsRefusal> {
    if settings.client_auth == ClientAuth::Off {
        return Ok(Arc::new(NoClientAuth));
    }
    let mut roots = RootCertStore::empty();
    for root in chain("client_ca", &settings.client_ca)? {
        roots
            .add(root)
            .map_err(|error| TlsRefusal::new("client_ca", error))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = match settings.client_auth {
        ClientAuth::Optional => builder.allow_unauthenticated(),
        _ => builder,
    };
    builder
        .build()
        .map_err(|error| TlsRefusal::new("client_ca", error))
}
