//! Opening WebSockets as a client: what was asked for, and the judgement of the answer.

use std::net::SocketAddr;

use hubbub_protocol::deflate;
use hubbub_protocol::handshake::{ClientRefusal, ClientRequest as Opening, verify};
use hubbub_server::{ClientRequest, ConnectionId, Ending, Target, TlsTrust};
use pyo3::exceptions::PyOSError;
use pyo3::intern;
use pyo3::prelude::*;

use crate::engine::Engine;
use crate::errors;
use crate::peers::{Move, Peer};
use crate::websocket::WebSocket;

/// RFC 6455 §7.4.1: the close code that stands for a TLS handshake that failed.
const TLS_FAILED: u16 = 1015;

/// What the application asked for.
pub(crate) struct Wish {
    pub(crate) host: String,
    pub(crate) target: String,
    pub(crate) subprotocols: Vec<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) message_limit_bytes: Option<usize>,
    pub(crate) window: Option<deflate::Window>,
}

impl Wish {
    /// Lets `act` see the request in the protocol's words.
    fn with<R>(
        &self,
        key: [u8; 16],
        settings: &deflate::Settings,
        act: impl FnOnce(&Opening<'_>) -> R,
    ) -> R {
        let protocols: Vec<&str> = self.subprotocols.iter().map(String::as_str).collect();
        let fields: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        act(&Opening {
            host: &self.host,
            target: &self.target,
            key,
            protocols: &protocols,
            deflate: (settings.window != deflate::Window::Off).then_some(settings),
            fields: &fields,
        })
    }

    fn settings(&self, default: &deflate::Settings) -> deflate::Settings {
        deflate::Settings {
            window: self.window.unwrap_or(default.window),
            ..*default
        }
    }
}

fn target(address: &str) -> PyResult<Target> {
    if let Some(path) = address.strip_prefix("unix:") {
        return Ok(Target::Unix(path.into()));
    }
    let number = address.strip_prefix("tcp://").unwrap_or(address);
    number
        .parse::<SocketAddr>()
        .map(Target::Tcp)
        .map_err(|_| PyOSError::new_err(format!("not an address: {address:?}")))
}

pub(crate) fn connect(
    engine: &Bound<'_, Engine>,
    address: &str,
    tls: Option<(TlsTrust, String)>,
    wish: Wish,
    future: Py<PyAny>,
    timeout_s: f64,
) -> PyResult<()> {
    let target = target(address)?;
    let connected = engine.get().change(engine.py(), |core| {
        let key = core.worker.handshake_key();
        let mut head = Vec::new();
        let settings = wish.settings(&core.worker.settings().deflate);
        if let Err(misuse) = wish.with(key, &settings, |opening| opening.write(&mut head)) {
            return Ok(Err(misuse));
        }
        let id = core.worker.connect(ClientRequest {
            address: target,
            head,
            timeout_s,
            tls,
        })?;
        core.peers.insert(Peer {
            id,
            route: None,
            moves: Move::Done,
            tells_read_end: false,
            head: key.into(),
            socket: None,
            wish: Some(Box::new((wish, future))),
        });
        Ok::<_, std::io::Error>(Ok(()))
    })?;
    let connected = connected.map_err(errors::os)?;
    connected.map_err(|misuse| errors::misuse(&misuse.to_string()))
}

/// The server has answered.
pub(crate) fn on_response(
    engine: &Bound<'_, Engine>,
    id: ConnectionId,
    head: &[u8],
) -> PyResult<()> {
    let py = engine.py();
    let waiting = engine.get().core.with(|core| {
        let peer = core.peers.get_mut(id)?;
        let key: [u8; 16] = peer.head.as_ref().try_into().ok()?;
        Some((key, peer.wish.take()?, core.worker.settings().clone()))
    })?;
    let Some((key, wish, settings)) = waiting else {
        return Ok(());
    };
    let (wish, future) = *wish;
    if is_done(py, &future)? {
        // Nobody waits any more.
        let _gone = engine.get().core.with(|core| {
            core.worker.abort(id);
            core.peers.remove(id)
        })?;
        return Ok(());
    }
    let offered = wish.settings(&settings.deflate);
    match wish.with(key, &offered, |opening| verify(head, opening)) {
        Ok(agreed) => {
            let limit = wish
                .message_limit_bytes
                .unwrap_or(settings.message_limit_bytes);
            let socket = Py::new(py, WebSocket::new(engine.clone().unbind(), id, 0))?;
            engine.get().core.with(|core| {
                core.worker.establish(id, agreed.deflate, limit);
                if let Some(peer) = core.peers.get_mut(id) {
                    peer.socket = Some(socket.clone_ref(py));
                }
            })?;
            socket.get().set_up(None, None, agreed.protocol)?;
            future
                .call_method1(py, intern!(py, "set_result"), (socket,))
                .map(drop)
        }
        Err(refusal) => {
            let error = match refusal {
                ClientRefusal::Answered { status, fields } => {
                    let latin1 =
                        |bytes: Vec<u8>| bytes.into_iter().map(char::from).collect::<String>();
                    let fields: Vec<(String, String)> = fields
                        .into_iter()
                        .map(|(name, value)| (name, latin1(value)))
                        .collect();
                    PyErr::from_type(
                        errors::handshake_rejected_class(py)?.clone(),
                        (status, fields),
                    )
                }
                ClientRefusal::Broken(reason) => errors::failure(reason),
                other => errors::failure(&other.to_string()),
            };
            let _gone = engine.get().core.with(|core| {
                core.worker.abort(id);
                core.peers.remove(id)
            })?;
            future
                .call_method1(py, intern!(py, "set_exception"), (error.into_value(py),))
                .map(drop)
        }
    }
}

/// The connection ended before it was open.
pub(crate) fn fail(py: Python<'_>, future: &Py<PyAny>, ending: &Ending) -> PyResult<()> {
    if is_done(py, future)? {
        return Ok(());
    }
    let error = match ending.timed_out() {
        true => PyErr::from_type(errors::handshake_timeout_class(py)?.clone(), ()),
        false if ending.code == TLS_FAILED => {
            errors::failure(&format!("TLS failed: {}", ending.reason))
        }
        false => match ending.os_error {
            Some(number) => errors::os(std::io::Error::from_raw_os_error(number)),
            None => PyOSError::new_err("the server closed the connection during the handshake"),
        },
    };
    future
        .call_method1(py, intern!(py, "set_exception"), (error.into_value(py),))
        .map(drop)
}

fn is_done(py: Python<'_>, future: &Py<PyAny>) -> PyResult<bool> {
    future.call_method0(py, intern!(py, "done"))?.is_truthy(py)
}
