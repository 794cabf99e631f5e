//! `bytes` for large messages: filled once, in large pages.

#![allow(unsafe_code)]

use hubbub_server::prefer_large_pages;
use pyo3::ffi;
use pyo3::prelude::*;

/// The same as `PyBytes::new`.
#[cold]
pub(crate) fn bytes<'py>(py: Python<'py>, payload: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: this makes a new `bytes` with room for so many of them at PyBytes_AS_STRING; nobody else knows it before
    // they are all written.
    unsafe {
        let length = payload.len() as ffi::Py_ssize_t;
        let object = ffi::PyBytes_FromStringAndSize(std::ptr::null(), length);
        let bytes = Bound::from_owned_ptr_or_err(py, object)?;
        let room = ffi::PyBytes_AS_STRING(object).cast::<u8>();
        prefer_large_pages(room..room.add(payload.len()));
        std::ptr::copy_nonoverlapping(payload.as_ptr(), room.cast_mut(), payload.len());
        Ok(bytes)
    }
}
