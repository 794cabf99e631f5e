//! `bytes` for large messages: filled once, in large pages, and by and by where the message arrives by and by.

#![allow(unsafe_code)]

use hubbub_server::prefer_large_pages;
use pyo3::ffi;
use pyo3::prelude::*;

/// The same as `PyBytes::new`.
#[cold]
pub(crate) fn bytes<'py>(py: Python<'py>, payload: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let mut growing = Growing::new(py, payload.len())?;
    growing.push(payload);
    growing.finish(py, &[])
}

/// A `bytes` object that is not whole: nobody else knows it yet.
pub(crate) struct Growing {
    object: Py<PyAny>,
    length: usize,
    filled: usize,
}

impl Growing {
    /// Of so many bytes. They cost address space; memory only as they come.
    pub(crate) fn new(py: Python<'_>, length: usize) -> PyResult<Self> {
        // SAFETY: this makes a new `bytes` with room for so many of them at PyBytes_AS_STRING.
        let object = unsafe {
            let object =
                ffi::PyBytes_FromStringAndSize(std::ptr::null(), length as ffi::Py_ssize_t);
            Bound::from_owned_ptr_or_err(py, object)?
        };
        // SAFETY: as above; only addresses are computed.
        let room = unsafe { ffi::PyBytes_AS_STRING(object.as_ptr()).cast::<u8>() };
        prefer_large_pages(room..room.wrapping_add(length));
        Ok(Self {
            object: object.unbind(),
            length,
            filled: 0,
        })
    }

    /// Appends what has come; more than there is room for is left out.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let bytes = &bytes[..bytes.len().min(self.length - self.filled)];
        // SAFETY: the room has `length` bytes, of which `filled` are written, and `bytes` fit behind them. Nobody else has
        // seen the object, so that it may still be written to.
        unsafe {
            let room = ffi::PyBytes_AS_STRING(self.object.as_ptr()).cast::<u8>();
            let end = room.cast_mut().add(self.filled);
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), end, bytes.len());
        }
        self.filled += bytes.len();
    }

    /// The object, with `rest` behind what has come before.
    ///
    /// # Errors
    /// That is not all of it: only a fault of ours leads there.
    pub(crate) fn finish<'py>(
        mut self,
        py: Python<'py>,
        rest: &[u8],
    ) -> PyResult<Bound<'py, PyAny>> {
        self.push(rest);
        match self.filled == self.length {
            true => Ok(self.object.into_bound(py)),
            false => Err(crate::errors::misuse(
                "a message was not put together whole",
            )),
        }
    }
}
