//! TLS in as few steps as rustls allows: records are decrypted where they lie and encrypted into the caller's buffer.
//!
//! No tickets, no checks of what is asked for, one certificate.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, UnbufferedStatus};
use rustls::{Error, ServerConfig};

/// One connection's session.
pub(crate) struct Session {
    engine: UnbufferedServerConnection,
    /// The beginning of a record whose end has not arrived.
    partial: Vec<u8>,
}

/// What a read came to.
pub(crate) struct Opened {
    /// Bytes of plaintext.
    pub(crate) plain: usize,
    /// Bytes of the handshake that are to be sent.
    pub(crate) answer: usize,
}

impl Session {
    pub(crate) fn new(config: &Arc<ServerConfig>) -> Result<Self, Error> {
        Ok(Self {
            engine: UnbufferedServerConnection::new(Arc::clone(config))?,
            partial: Vec::new(),
        })
    }

    /// Puts what is left of the last read at the beginning of `cipher`, and tells how much that is.
    pub(crate) fn begin(&mut self, cipher: &mut [u8]) -> usize {
        let kept = self.partial.len();
        cipher[..kept].copy_from_slice(&self.partial);
        self.partial.clear();
        kept
    }

    /// Decrypts `cipher` into `plain`; `None` when the session has ended.
    pub(crate) fn open(
        &mut self,
        cipher: &mut [u8],
        plain: &mut [u8],
        answer: &mut [u8],
    ) -> Option<Opened> {
        let mut opened = Opened {
            plain: 0,
            answer: 0,
        };
        let mut used = 0;
        let mut waits = false;
        while !waits {
            let UnbufferedStatus { mut discard, state } =
                self.engine.process_tls_records(&mut cipher[used..]);
            match state.ok()? {
                ConnectionState::ReadTraffic(mut traffic) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record.ok()?;
                        discard += record.discard;
                        let end = opened.plain + record.payload.len();
                        plain[opened.plain..end].copy_from_slice(record.payload);
                        opened.plain = end;
                    }
                }
                ConnectionState::EncodeTlsData(mut data) => {
                    opened.answer += data.encode(&mut answer[opened.answer..]).ok()?;
                }
                ConnectionState::TransmitTlsData(data) => data.done(),
                ConnectionState::WriteTraffic(_) | ConnectionState::BlockedHandshake => {
                    waits = true;
                }
                _ => return None,
            }
            used += discard;
        }
        self.partial.extend_from_slice(&cipher[used..]);
        Some(opened)
    }

    /// Encrypts `plain` into `out`; `None` when the session has ended.
    pub(crate) fn seal(&mut self, plain: &[u8], out: &mut [u8]) -> Option<usize> {
        match self.engine.process_tls_records(&mut self.partial).state {
            Ok(ConnectionState::WriteTraffic(mut writer)) => writer.encrypt(plain, out).ok(),
            _ => None,
        }
    }
}

/// A configuration with the certificate and key of two PEM files.
pub(crate) fn config(
    cert: &str,
    key: &str,
) -> Result<Arc<ServerConfig>, Box<dyn std::error::Error>> {
    let chain = CertificateDer::pem_file_iter(cert)?.collect::<Result<_, _>>()?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(Arc::new(config))
}
