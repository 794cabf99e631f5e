//! From Rust's errors to Python's: one file, one table. The classes live in `hubbub.errors`.

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

macro_rules! classes {
    ($($function:ident = $name:literal),* $(,)?) => {
        $(pub(crate) fn $function(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
            static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
            CLASS.import(py, "hubbub.errors", $name)
        })*
    };
}

classes! {
    misuse_class = "Misuse",
    failure_class = "Failure",
    reject_class = "Reject",
    connection_closed_class = "ConnectionClosed",
    handshake_rejected_class = "HandshakeRejected",
    handshake_timeout_class = "HandshakeTimeout",
}

/// The caller asked for what cannot be.
pub(crate) fn misuse(text: &str) -> PyErr {
    Python::attach(|py| match misuse_class(py) {
        Ok(class) => PyErr::from_type(class.clone(), (text.to_owned(),)),
        Err(error) => error,
    })
}

/// The world did not go along.
pub(crate) fn failure(text: &str) -> PyErr {
    Python::attach(|py| match failure_class(py) {
        Ok(class) => PyErr::from_type(class.clone(), (text.to_owned(),)),
        Err(error) => error,
    })
}

/// The connection has ended.
pub(crate) fn connection_closed(py: Python<'_>, code: u16, reason: &str) -> PyErr {
    match connection_closed_class(py) {
        Ok(class) => PyErr::from_type(class.clone(), (code, reason.to_owned())),
        Err(error) => error,
    }
}

/// What the system said, with its number: Python makes ConnectionRefusedError and its kin of that.
pub(crate) fn os(error: std::io::Error) -> PyErr {
    let Some(number) = error.raw_os_error() else {
        return error.into();
    };
    let text = error.to_string();
    let text = text.split(" (os error ").next().unwrap_or_default();
    PyOSError::new_err((number, text.to_owned()))
}
