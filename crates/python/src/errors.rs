//! From Rust's errors to Python's: one file, one table. The classes live in `hubbub.errors`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::exceptions::PyOSError;
use pyo3::panic::PanicException;
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

/// Lets nothing unwind past here: a panic of ours becomes an exception.
///
/// PyO3 lets one go on as a panic as soon as it comes back out of Python, so that a handler's call may end with one.
#[inline]
pub(crate) fn catch<R>(act: impl FnOnce() -> PyResult<R>) -> PyResult<R> {
    // What is half done when a panic comes are values that nobody uses any more, or cells that are released by a guard.
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned());
        Err(PanicException::new_err((text.unwrap_or_default(),)))
    })
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
