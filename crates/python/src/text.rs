//! Text between UTF-8 and Python's `str`, past the interpreter's own codec.
//!
//! CPython's decoder and encoder take a code point at a time, and its encoder keeps what it made: `PyUnicode_AsUTF8AndSize`
//! doubles every non-ASCII text that an application sends. Ours take a vector at a time and keep nothing. The bytes
//! are transcoded by `hubbub_protocol::transcode`; here is what must be known of the insides of a `str` (PEP 393).

#![allow(unsafe_code)]

use hubbub_protocol::transcode::{self, Shape, Unit, Width};
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::cell::Cell;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A larger scratch buffer is given back after use.
const SCRATCH_KEPT_BYTES: usize = 256 * 1024;

thread_local! {
    /// Where a text is encoded on its way out. Not in the engine, which is borrowed meanwhile.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A text as `str`. It must be valid UTF-8.
#[inline]
pub(crate) fn decode<'py>(py: Python<'py>, utf8: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    if utf8.is_ascii() {
        return create::<u8>(py, utf8.len(), 0x7F, |room| {
            // SAFETY: the room has the length that was asked for, and is new.
            unsafe {
                std::ptr::copy_nonoverlapping(utf8.as_ptr(), room.as_mut_ptr().cast(), room.len())
            };
            room.len()
        });
    }
    decode_wide(py, utf8)
}

/// Apart, so that the way of the ASCII text is short.
#[inline(never)]
fn decode_wide<'py>(py: Python<'py>, utf8: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let Shape { width, length } = Shape::of(utf8);
    match width {
        Width::Ascii => create::<u8>(py, length, 0x7F, |room| transcode::decode(utf8, room)),
        Width::Latin1 => create::<u8>(py, length, 0xFF, |room| transcode::decode(utf8, room)),
        Width::Ucs2 => create::<u16>(py, length, 0xFFFF, |room| transcode::decode(utf8, room)),
        Width::Ucs4 => create::<u32>(py, length, 0x10_FFFF, |room| transcode::decode(utf8, room)),
    }
}

/// A `str` of so many code points, which `fill` must write all of.
///
/// `greatest` stands for one of the four kinds of `str`, the narrowest for the text: two equal texts that are
/// different in kind would not be equal to Python.
#[inline]
fn create<'py, U: Unit>(
    py: Python<'py>,
    length: usize,
    greatest: u32,
    fill: impl FnOnce(&mut [MaybeUninit<U>]) -> usize,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: this makes a new `str` with room for so many units of the size that belongs to `greatest`, at
    // PyUnicode_DATA and aligned for them; nobody else knows it yet. The empty `str` is shared, and has no room.
    let (text, room) = unsafe {
        let object = ffi::PyUnicode_New(length as ffi::Py_ssize_t, greatest);
        let text = Bound::from_owned_ptr_or_err(py, object)?;
        let data = ffi::PyUnicode_DATA(object).cast::<MaybeUninit<U>>();
        (text, std::slice::from_raw_parts_mut(data, length))
    };
    if fill(room) == length {
        return Ok(text);
    }
    // Only a fault of ours leads here; nobody has seen the text.
    Err(PyValueError::new_err("the text is not valid UTF-8"))
}

/// Lets `act` see a `str` as UTF-8.
#[inline]
pub(crate) fn with_utf8<R>(
    text: &Bound<'_, PyString>,
    act: impl FnOnce(&[u8]) -> R,
) -> PyResult<R> {
    let object = text.as_ptr();
    // SAFETY: the object is a `str`, and alive; after PyUnicode_READY its length, kind and data hold for ever. A `str`
    // whose data follow the shorter of its two headers is ASCII. Any other begins with the longer header, where
    // `utf8` is null or has `utf8_length` bytes that live as long as the object.
    unsafe {
        if ffi::PyUnicode_READY(object) < 0 {
            return Err(PyErr::fetch(text.py()));
        }
        let length = ffi::PyUnicode_GET_LENGTH(object) as usize;
        let data = ffi::PyUnicode_DATA(object);
        if data == object.cast::<ffi::PyASCIIObject>().add(1).cast() {
            return Ok(act(std::slice::from_raw_parts(data.cast(), length)));
        }
        let header = object.cast::<ffi::PyCompactUnicodeObject>();
        // Another thread may be filling it in, where there is no GIL; the length comes first.
        let utf8 = AtomicPtr::from_ptr(&raw mut (*header).utf8).load(Ordering::Acquire);
        if !utf8.is_null() {
            let length = (*header).utf8_length as usize;
            return Ok(act(std::slice::from_raw_parts(utf8.cast(), length)));
        }
        match ffi::PyUnicode_KIND(object) {
            ffi::PyUnicode_1BYTE_KIND => {
                encode(std::slice::from_raw_parts(data.cast::<u8>(), length), act)
            }
            ffi::PyUnicode_2BYTE_KIND => {
                encode(std::slice::from_raw_parts(data.cast::<u16>(), length), act)
            }
            _ => encode(std::slice::from_raw_parts(data.cast::<u32>(), length), act),
        }
    }
}

#[inline(never)]
fn encode<U: Unit, R>(units: &[U], act: impl FnOnce(&[u8]) -> R) -> PyResult<R> {
    // Taken, not borrowed: should `act` come back here, it finds an empty one.
    let mut scratch = SCRATCH.take();
    scratch.clear();
    let result = transcode::encode(units, &mut scratch);
    let result = result.map(|()| act(&scratch)).map_err(|_| {
        // RFC 6455 §5.6: text is UTF-8, which has no lone surrogates.
        PyValueError::new_err("the text has a lone surrogate, which UTF-8 cannot express")
    });
    if scratch.capacity() <= SCRATCH_KEPT_BYTES {
        SCRATCH.set(scratch);
    }
    result
}
