//! Messages between Rust and Python: one allocation in, none out.

#![allow(unsafe_code)]

use hubbub_protocol::endpoint::Kind;
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyTypeError, PyUnicodeEncodeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// A received message as `str` or `bytes`. The payload of a text message must be valid UTF-8.
#[inline]
pub(crate) fn message<'py>(
    py: Python<'py>,
    kind: Kind,
    payload: &[u8],
) -> PyResult<Bound<'py, PyAny>> {
    match kind {
        Kind::Binary => Ok(PyBytes::new(py, payload).into_any()),
        Kind::Text => text(py, payload),
    }
}

#[inline]
fn text<'py>(py: Python<'py>, payload: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    if !payload.is_ascii() || payload.is_empty() {
        // SAFETY: pointer and length are those of a live slice.
        return unsafe {
            let object = ffi::PyUnicode_DecodeUTF8(
                payload.as_ptr().cast(),
                payload.len() as ffi::Py_ssize_t,
                std::ptr::null(),
            );
            Bound::from_owned_ptr_or_err(py, object)
        };
    }
    // SAFETY: a fresh string of this length with the greatest character 127 holds one byte for each, at PyUnicode_DATA, and
    // nobody else knows it yet. The payload is ASCII, as was just looked at.
    unsafe {
        let object = ffi::PyUnicode_New(payload.len() as ffi::Py_ssize_t, 127);
        let object = Bound::from_owned_ptr_or_err(py, object)?;
        let data = ffi::PyUnicode_DATA(object.as_ptr()).cast::<u8>();
        std::ptr::copy_nonoverlapping(payload.as_ptr(), data, payload.len());
        Ok(object)
    }
}

/// Lets `act` see a message that an application wants to send: `str`, `bytes`, or anything with a contiguous buffer.
///
/// The bytes are Python's own memory: `act` must not run Python code.
#[inline]
pub(crate) fn with_message<R>(
    message: &Bound<'_, PyAny>,
    act: impl FnOnce(Kind, &[u8]) -> R,
) -> PyResult<R> {
    if let Ok(text) = message.cast::<PyString>() {
        return Ok(act(Kind::Text, utf8(text)?));
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

#[inline]
fn utf8<'a>(text: &'a Bound<'_, PyString>) -> PyResult<&'a [u8]> {
    text.to_str().map(str::as_bytes).map_err(|error| {
        if error.is_instance_of::<PyUnicodeEncodeError>(text.py()) {
            // RFC 6455 §5.6: text is UTF-8, which has no lone surrogates.
            return pyo3::exceptions::PyValueError::new_err(
                "the text has a lone surrogate, which UTF-8 cannot express",
            );
        }
        error
    })
}
