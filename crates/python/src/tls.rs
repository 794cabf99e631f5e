//! TLS as Python sees it: what a listener shows, whom a client believes, what was agreed upon.

use std::sync::Arc;

use hubbub_server::{
    ClientAuth, Pair, TlsContext as Context, TlsFacts, TlsRefusal, TlsSettings, TlsTrust as Trust,
    TlsVersion, TrustSettings,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;

/// Name, chain and key, the latter in PEM.
type PemPair = (String, Vec<u8>, Vec<u8>);

fn pair((name, chain, key): PemPair) -> Pair {
    Pair { name, chain, key }
}

fn refused(refusal: &TlsRefusal) -> PyErr {
    PyValueError::new_err((refusal.what.clone(), refusal.why.clone()))
}

fn settings(
    pairs: Vec<PemPair>,
    client_ca: Option<Vec<u8>>,
    client_auth: &str,
    minimum_version: &str,
) -> PyResult<TlsSettings> {
    let unknown = |what: &str, found: &str| {
        PyValueError::new_err((what.to_owned(), format!("unknown: {found:?}")))
    };
    Ok(TlsSettings {
        pairs: pairs.into_iter().map(pair).collect(),
        client_ca: client_ca.unwrap_or_default(),
        client_auth: match client_auth {
            "off" => ClientAuth::Off,
            "optional" => ClientAuth::Optional,
            "required" => ClientAuth::Required,
            other => return Err(unknown("client_auth", other)),
        },
        minimum_version: match minimum_version {
            "1.2" => TlsVersion::V1_2,
            "1.3" => TlsVersion::V1_3,
            other => return Err(unknown("minimum_version", other)),
        },
    })
}

/// What a listener shows and asks in a handshake.
#[pyclass(frozen, module = "hubbub._core")]
pub(crate) struct TlsContext {
    pub(crate) context: Arc<Context>,
}

#[pymethods]
impl TlsContext {
    #[new]
    #[pyo3(signature = (pairs, *, client_ca=None, client_auth="off", minimum_version="1.2"))]
    fn new(
        pairs: Vec<PemPair>,
        client_ca: Option<Vec<u8>>,
        client_auth: &str,
        minimum_version: &str,
    ) -> PyResult<Self> {
        let settings = settings(pairs, client_ca, client_auth, minimum_version)?;
        let context = Context::new(&settings).map_err(|refusal| refused(&refusal))?;
        Ok(Self {
            context: Arc::new(context),
        })
    }

    /// Uses others for handshakes from now on.
    #[pyo3(signature = (pairs, *, client_ca=None, client_auth="off", minimum_version="1.2"))]
    fn replace(
        &self,
        pairs: Vec<PemPair>,
        client_ca: Option<Vec<u8>>,
        client_auth: &str,
        minimum_version: &str,
    ) -> PyResult<()> {
        let settings = settings(pairs, client_ca, client_auth, minimum_version)?;
        self.context
            .replace(&settings)
            .map_err(|refusal| refused(&refusal))
    }
}

/// Whom a client believes.
#[pyclass(frozen, module = "hubbub._core")]
pub(crate) struct TlsTrust {
    pub(crate) trust: Trust,
}

#[pymethods]
impl TlsTrust {
    #[new]
    #[pyo3(signature = (*, ca=None, pair=None, no_verification=false))]
    fn new(ca: Option<Vec<u8>>, pair: Option<PemPair>, no_verification: bool) -> PyResult<Self> {
        let settings = TrustSettings {
            ca,
            pair: pair.map(self::pair),
            no_verification,
        };
        let trust = Trust::new(&settings).map_err(|refusal| refused(&refusal))?;
        Ok(Self { trust })
    }
}

/// What was agreed upon in a handshake, and who is there.
#[pyclass(frozen, module = "hubbub")]
pub(crate) struct TlsInfo {
    pub(crate) facts: TlsFacts,
}

#[pymethods]
impl TlsInfo {
    /// "TLSv1.3" or "TLSv1.2".
    #[getter]
    fn version(&self) -> &str {
        self.facts.version
    }

    /// The cipher suite's name.
    #[getter]
    fn cipher(&self) -> &str {
        self.facts.cipher
    }

    /// The name the client asked for.
    #[getter]
    fn server_name(&self) -> Option<&str> {
        self.facts.server_name.as_deref()
    }

    /// Whether the session was resumed by a ticket.
    #[getter]
    fn resumed(&self) -> bool {
        self.facts.resumed
    }

    /// The client's certificate in DER.
    #[getter]
    fn client_certificate<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        let der = self.facts.client_certificate.as_deref()?;
        Some(PyBytes::new(py, der))
    }

    /// Whom that certificate names.
    #[getter]
    fn client_subject(&self, py: Python<'_>) -> PyResult<Option<String>> {
        let Some(der) = self.client_certificate(py) else {
            return Ok(None);
        };
        static SUBJECT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let subject = SUBJECT.import(py, "hubbub.certificate", "subject_of")?;
        subject.call1((der,))?.extract().map(Some)
    }

    fn __repr__(&self) -> String {
        format!("<TlsInfo {} {}>", self.facts.version, self.facts.cipher)
    }
}
