//! The Python module `hubbub._core`: bindings only.
