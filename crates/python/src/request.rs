//! `Request` and its `Headers`: what a client asked for, parsed when somebody looks.

use hubbub_protocol::http::{Limits, Request as Head};
use hubbub_server::{ConnectionId, TlsFacts};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::caller::Sender;
use crate::engine::Engine;
use crate::errors;
use crate::exchange::{Exchange, Pieces};
use crate::tls::TlsInfo;

/// A request's head, in fields that live as long as it does.
#[pyclass(frozen, module = "hubbub")]
pub(crate) struct Headers {
    fields: Vec<(String, Vec<u8>)>,
}

impl Headers {
    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = String> + 'a {
        let matching = self
            .fields
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name));
        matching.map(|(_, value)| latin1(value))
    }
}

/// Every byte is a character: what HTTP/1.1 fields are by tradition (RFC 9110 §5.5).
fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

#[pymethods]
impl Headers {
    /// The first field of this name, in any case.
    #[pyo3(signature = (name, default=None))]
    fn get(&self, name: &str, default: Option<String>) -> Option<String> {
        self.values(name).next().or(default)
    }

    /// Every field of this name, in order.
    fn get_all(&self, name: &str) -> Vec<String> {
        self.values(name).collect()
    }

    /// All fields, in order.
    fn items(&self) -> Vec<(String, String)> {
        self.fields
            .iter()
            .map(|(name, value)| (name.clone(), latin1(value)))
            .collect()
    }

    fn __getitem__(&self, name: &str) -> PyResult<String> {
        self.values(name)
            .next()
            .ok_or_else(|| PyKeyError::new_err(name.to_owned()))
    }

    fn __contains__(&self, name: &Bound<'_, PyAny>) -> bool {
        name.extract::<String>()
            .is_ok_and(|name| self.values(&name).next().is_some())
    }

    fn __len__(&self) -> usize {
        self.fields.len()
    }

    fn __iter__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let names = PyList::new(py, self.fields.iter().map(|(name, _)| name.as_str()))?;
        Ok(names.try_iter()?.into_any().unbind())
    }

    fn __repr__(&self) -> String {
        format!("<Headers {:?}>", self.items())
    }
}

/// A request: an ordinary one, or the one that opened a WebSocket.
#[pyclass(frozen, module = "hubbub")]
pub(crate) struct Request {
    pub(crate) id: ConnectionId,
    method: String,
    path: String,
    query_string: String,
    raw_target: String,
    sender: Sender,
    params: Vec<(String, String)>,
    headers: Py<Headers>,
    body: Py<PyBytes>,
    /// The body is read piece by piece; without an exchange it has come already.
    stream: PyOnceLock<Option<Py<Exchange>>>,
    /// Where the answer goes.
    engine: Option<Py<Engine>>,
    tls: Option<TlsFacts>,
}

impl Request {
    pub(crate) fn new(
        engine: &Bound<'_, Engine>,
        id: ConnectionId,
        head: &Head<'_>,
        params: Vec<(String, String)>,
        sender: Sender,
        body: &[u8],
    ) -> PyResult<Self> {
        let engine_too = Some(engine.clone().unbind());
        Self::made(engine.py(), engine_too, id, head, params, sender, body)
    }

    fn made(
        py: Python<'_>,
        engine: Option<Py<Engine>>,
        id: ConnectionId,
        head: &Head<'_>,
        params: Vec<(String, String)>,
        sender: Sender,
        body: &[u8],
    ) -> PyResult<Self> {
        let fields = head
            .fields
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_vec()))
            .collect();
        Ok(Self {
            id,
            method: head.method.to_owned(),
            path: head.target.path.clone().into_owned(),
            query_string: head.target.query.to_owned(),
            raw_target: head.target.raw.to_owned(),
            sender,
            params,
            headers: Py::new(py, Headers { fields })?,
            body: PyBytes::new(py, body).unbind(),
            stream: PyOnceLock::new(),
            engine,
            tls: None,
        })
    }

    /// The same, having come by TLS.
    pub(crate) fn with_tls(self, tls: Option<TlsFacts>) -> Self {
        Self { tls, ..self }
    }

    /// From a head that was kept. It has been parsed once, so it parses.
    pub(crate) fn of_kept(
        py: Python<'_>,
        id: ConnectionId,
        head: &[u8],
        limits: &Limits,
        params: impl FnOnce(&str) -> Vec<(String, String)>,
        sender: impl FnOnce(&Head<'_>) -> PyResult<Sender>,
    ) -> PyResult<Self> {
        let head =
            Head::parse(head, limits).map_err(|refusal| crate::errors::failure(refusal.reason))?;
        let params = params(&head.target.path);
        let sender = sender(&head)?;
        Self::made(py, None, id, &head, params, sender, b"")
    }

    /// The route reads its bodies piece by piece: this way, unless it is at hand.
    pub(crate) fn comes_in_pieces(&self, exchange: Option<Py<Exchange>>) -> PyResult<()> {
        Python::attach(|py| {
            let _ = self.stream.set(py, exchange);
        });
        Ok(())
    }

    pub(crate) fn sender(&self) -> &Sender {
        &self.sender
    }
}

#[pymethods]
impl Request {
    /// The number of the connection it came by.
    #[getter]
    fn connection_id(&self) -> u64 {
        self.id.number()
    }

    /// "GET", "POST" …
    #[getter]
    fn method(&self) -> &str {
        &self.method
    }

    /// The path, percent-decoded once, without dot segments.
    #[getter]
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Path and query as sent.
    #[getter]
    fn raw_target(&self) -> &str {
        &self.raw_target
    }

    /// What stands behind the question mark, as sent.
    #[getter]
    fn query_string(&self) -> &str {
        &self.query_string
    }

    /// The fields of the head.
    #[getter]
    fn headers(&self, py: Python<'_>) -> Py<Headers> {
        self.headers.clone_ref(py)
    }

    /// The values of the placeholders in the route's path.
    #[getter]
    pub(crate) fn params(&self, py: Python<'_>) -> PyResult<Py<PyDict>> {
        let params = PyDict::new(py);
        for (name, value) in &self.params {
            params.set_item(name, value)?;
        }
        Ok(params.unbind())
    }

    /// The query's parameters; of several with one name, the last.
    #[getter]
    fn query<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let options = PyDict::new(py);
        options.set_item("keep_blank_values", true)?;
        static PARSE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let parse = PARSE.import(py, "urllib.parse", "parse_qsl")?;
        let pairs = parse.call((&self.query_string,), Some(&options))?;
        let query = PyDict::new(py);
        for pair in pairs.try_iter()? {
            let (name, value): (String, String) = pair?.extract()?;
            query.set_item(name, value)?;
        }
        Ok(query)
    }

    /// The cookies of the request.
    #[getter]
    fn cookies<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let cookies = PyDict::new(py);
        for line in self.headers.get().get_all("cookie") {
            for pair in line.split(';') {
                if let Some((name, value)) = pair.split_once('=') {
                    // Blanks are SP and HTAB: what looks like one beyond ASCII may be half a letter, in UTF-8.
                    let is_blank = |letter| matches!(letter, ' ' | '\t');
                    let value = value.trim_matches(is_blank).trim_matches('"');
                    cookies.set_item(name.trim_matches(is_blank), value)?;
                }
            }
        }
        Ok(cookies)
    }

    /// The peer's address: "127.0.0.1:5123", "[::1]:5123" or "unix".
    #[getter]
    fn peer(&self) -> String {
        self.sender.peer_text()
    }

    /// The client's address, as trusted proxies tell it: "127.0.0.1", "::1" or "unix".
    #[getter]
    fn client(&self) -> String {
        self.sender.client_text()
    }

    /// "http" or "https", as the client used it.
    #[getter]
    fn scheme(&self) -> &'static str {
        if self.sender.tls() { "https" } else { "http" }
    }

    /// The host that the client asked for.
    #[getter]
    fn host(&self) -> &str {
        self.sender.host()
    }

    /// What TLS has found out; None without TLS.
    #[getter]
    fn tls(&self) -> Option<TlsInfo> {
        let facts = self.tls.clone()?;
        Some(TlsInfo { facts })
    }

    /// The body, whole.
    #[getter]
    fn body(&self, py: Python<'_>) -> PyResult<Py<PyBytes>> {
        if self.stream.get(py).is_some() {
            return Err(errors::misuse(
                "the body of this request is read by request.stream()",
            ));
        }
        Ok(self.body.clone_ref(py))
    }

    /// The body, piece by piece as it comes, for `async for`.
    fn stream(&self, py: Python<'_>) -> Pieces {
        match self.stream.get(py) {
            Some(Some(exchange)) => Pieces::of_exchange(exchange.clone_ref(py)),
            _ => {
                let is_empty = self.body.bind(py).as_bytes().is_empty();
                Pieces::of_whole((!is_empty).then(|| self.body.clone_ref(py)))
            }
        }
    }

    /// Where the answer goes, for who sends it piece by piece.
    fn exchange(&self, py: Python<'_>) -> PyResult<Py<Exchange>> {
        match &self.engine {
            Some(engine) => Exchange::of(engine.bind(py), self.id),
            None => Err(errors::misuse(
                "this request has been answered: with a websocket",
            )),
        }
    }

    fn __repr__(&self) -> String {
        format!("<Request {} {:?}>", self.method, self.path)
    }
}
