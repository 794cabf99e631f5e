//! Steps: how a coroutine and what it awaits hand values to each other, without an exception for every result.
//!
//! CPython 3.11 asks the slot `am_send` of what is awaited, and so does every version's Task of its coroutine; later versions'
//! `await` asks `__next__`. PyO3 knows no `am_send`: it is put there by hand.

#![allow(unsafe_code)]

use pyo3::PyClass;
use pyo3::exceptions::PyStopIteration;
use pyo3::ffi;
use pyo3::prelude::*;

use crate::errors;

/// What one step ends with, if not with an exception.
pub(crate) enum Step {
    Return(Py<PyAny>),
    Yield(Py<PyAny>),
}

impl Step {
    /// The same for `__next__`, which returns by exception.
    pub(crate) fn into_next(self) -> PyResult<Py<PyAny>> {
        match self {
            Step::Yield(value) => Ok(value),
            Step::Return(value) => Err(PyStopIteration::new_err((value,))),
        }
    }
}

/// A class whose objects can be stepped.
pub(crate) trait Stepped: PyClass {
    /// Goes on with what the last yield is answered with.
    fn step(slf: &Bound<'_, Self>, value: &Bound<'_, PyAny>) -> PyResult<Step>;
}

/// Steps a coroutine, a generator, or anything else that can be.
#[inline]
pub(crate) fn resume(stepped: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<Step> {
    let py = stepped.py();
    let mut result = std::ptr::null_mut();
    // SAFETY: both objects are alive for the call; where it succeeds, the result is an owned reference.
    unsafe {
        match ffi::PyIter_Send(stepped.as_ptr(), value.as_ptr(), &mut result) {
            ffi::PySendResult::PYGEN_NEXT => {
                Ok(Step::Yield(Bound::from_owned_ptr(py, result).unbind()))
            }
            ffi::PySendResult::PYGEN_RETURN => {
                Ok(Step::Return(Bound::from_owned_ptr(py, result).unbind()))
            }
            ffi::PySendResult::PYGEN_ERROR => errors::catch(|| Err(PyErr::fetch(py))),
        }
    }
}

/// Gives a class the slot `am_send`. Only while the module is being initialised.
pub(crate) fn install<T: Stepped>(py: Python<'_>) {
    let class = py.get_type::<T>();
    // SAFETY: the class was made by PyO3 as a heap type, whose `tp_as_async` points into the type object itself, and nobody
    // has used it yet: this runs while the module is being initialised.
    unsafe {
        let slots = (*class.as_type_ptr()).tp_as_async;
        if let Some(slots) = slots.as_mut() {
            slots.am_send = Some(send::<T>);
        }
    }
}

/// Lets a class be its own awaitable, and its own asynchronous iterator if it is one: slots that nothing need be done for.
pub(crate) fn install_itself<T: Stepped>(py: Python<'_>) {
    let class = py.get_type::<T>();
    // SAFETY: as in `install`.
    unsafe {
        let slots = (*class.as_type_ptr()).tp_as_async;
        if let Some(slots) = slots.as_mut() {
            slots.am_await = Some(itself);
            slots.am_anext = slots.am_anext.and(Some(itself));
        }
    }
}

unsafe extern "C" fn itself(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls this attached, with an object that is alive.
    unsafe { ffi::Py_INCREF(slf) };
    slf
}

unsafe extern "C" fn send<T: Stepped>(
    slf: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
    result: *mut *mut ffi::PyObject,
) -> ffi::PySendResult {
    // SAFETY: the interpreter calls this attached, with an object of the class whose slot this is, a value, and a place for the
    // result; all of them live as long as the call.
    unsafe {
        let py = Python::assume_attached();
        let stepped = Bound::from_borrowed_ptr(py, slf).cast_into_unchecked::<T>();
        let value = Bound::from_borrowed_ptr(py, value);
        let (told, object) = match T::step(&stepped, &value) {
            Ok(Step::Return(value)) => (ffi::PySendResult::PYGEN_RETURN, value.into_ptr()),
            Ok(Step::Yield(value)) => (ffi::PySendResult::PYGEN_NEXT, value.into_ptr()),
            Err(error) => {
                error.restore(py);
                (ffi::PySendResult::PYGEN_ERROR, std::ptr::null_mut())
            }
        };
        *result = object;
        told
    }
}
