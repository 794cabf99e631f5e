//! Whom a client believes.

use std::fmt;
use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::context::{Pair, TlsRefusal, TlsVersion, certify, chain, provider};

/// All that a [`TlsTrust`] is made of.
#[derive(Clone, Default)]
pub struct TrustSettings {
    /// Who may sign servers' certificates, in PEM. Without it: whom the system trusts.
    pub ca: Option<Vec<u8>>,
    /// The certificate to show to a server that asks for one.
    pub pair: Option<Pair>,
    /// Believe anybody. Whoever sits on the way can then read and change everything.
    pub no_verification: bool,
}

/// See the module. Also keeps the tickets by which sessions are resumed.
#[derive(Clone)]
pub struct TlsTrust {
    config: Arc<ClientConfig>,
}

impl fmt::Debug for TlsTrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTrust").finish_non_exhaustive()
    }
}

impl TlsTrust {
    /// Reads and checks everything once.
    ///
    /// # Errors
    /// Which part cannot be used, and why.
    pub fn new(settings: &TrustSettings) -> Result<Self, TlsRefusal> {
        let provider = provider();
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(TlsVersion::V1_2.and_newer())
            .map_err(|error| TlsRefusal::new("minimum version", error))?;
        let builder = if settings.no_verification {
            let verifier = Arc::new(Anybody(Arc::clone(&provider)));
            builder
                .dangerous()
                .with_custom_certificate_verifier(verifier)
        } else {
            builder.with_root_certificates(roots(settings.ca.as_deref())?)
        };
        let mut config = match &settings.pair {
            None => builder.with_no_client_auth(),
            Some(pair) => {
                let key: CertifiedKey = certify(pair, &provider)?;
                let shown: Arc<dyn ResolvesClientCert> = Arc::new(SingleCertAndKey::from(key));
                builder.with_client_cert_resolver(shown)
            }
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            config: Arc::new(config),
        })
    }

    pub(super) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }
}

/// The certificates to believe: those of `ca`, or the system's, which an administrator can add to.
fn roots(ca: Option<&[u8]>) -> Result<RootCertStore, TlsRefusal> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(pem) => {
            for root in chain("ca", pem)? {
                roots
                    .add(root)
                    .map_err(|error| TlsRefusal::new("ca", error))?;
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                let why = found
                    .errors
                    .first()
                    .map_or_else(|| "it is empty".to_owned(), |error| error.to_string());
                return Err(TlsRefusal::new("the system's certificate store", why));
            }
        }
    }
    Ok(roots)
}

/// Believes every certificate, but not that somebody else's is their own.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, cert, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, cert, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
