//! Messages between Rust and Python: one allocation in, none out.

use crate::large;
use crate::text;
use hubbub_protocol::endpoint::Kind;
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// From here on `bytes` are made in large pages.
const LARGE_BYTES: usize = 4 << 20;

/// A received message as `str` or `bytes`. The payload of a text message must be valid UTF-8.
#[inline]
pub(crate) fn message<'py>(
    py: Python<'py>,
    kind: Kind,
    payload: &[u8],
) -> PyResult<Bound<'py, PyAny>> {
    match kind {
        Kind::Binary if payload.len() >= LARGE_BYTES => large::bytes(py, payload),
        Kind::Binary => Ok(PyBytes::new(py, payload).into_any()),
        Kind::Text => text::decode(py, payload),
    }
}

/// Lets `act` see a message that an application wants to send: `str`, `bytes`, or anything with a contiguous buffer.
///
/// The bytes are Python's own memory where that has them as they travel: of an object that cannot change, and lives.
#[inline]
pub(crate) fn with_message<R>(
    message: &Bound<'_, PyAny>,
    act: impl FnOnce(Kind, &[u8]) -> R,
) -> PyResult<R> {
    if let Ok(text) = message.cast::<PyString>() {
        return text::with_utf8(text, |utf8| act(Kind::Text, utf8));
    }
    if let Ok(bytes) = message.cast::<PyBytes>() {
        return Ok(act(Kind::Binary, bytes.as_bytes()));
    }
    let buffer = PyBuffer::<u8>::get(message).map_err(|_| {
        let name = message
            .get_type()
            .name()
            .map_or_else(|_| "?".to_owned(), |name| name.to_string());
        PyTypeError::new_err(format!(
            "a message is str, bytes, bytearray or memoryview, not {name}"
        ))
    })?;
    // A buffer that others may write to meanwhile is copied.
    let bytes = buffer.to_vec(message.py())?;
    Ok(act(Kind::Binary, &bytes))
}
