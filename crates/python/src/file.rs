//! `OpenFile` and `Directory`: files that answers are made of.

use std::path::PathBuf;

use hubbub_server::{Entry, FilePart, OpenFile as File, Root};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::errors;

/// A regular file, open for reading, and what was known of it when it was opened.
#[pyclass(frozen, module = "hubbub")]
pub(crate) struct OpenFile(File);

impl OpenFile {
    pub(crate) fn part(&self, offset: u64, length: u64) -> FilePart {
        FilePart {
            file: self.0.file.clone(),
            offset,
            length,
        }
    }
}

#[pymethods]
impl OpenFile {
    /// Opens a file by a path that is trusted.
    #[new]
    fn new(path: PathBuf) -> PyResult<Self> {
        File::open(&path).map(Self).map_err(errors::os)
    }

    /// All that is in it.
    fn read<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let content = self.0.read().map_err(errors::os)?;
        Ok(PyBytes::new(py, &content))
    }

    /// Its length in bytes.
    #[getter]
    fn size(&self) -> u64 {
        self.0.size
    }

    /// When it was last changed, in nanoseconds since 1970.
    #[getter]
    fn modified_ns(&self) -> i128 {
        self.0.modified_ns
    }

    /// Its number in the file system.
    #[getter]
    fn inode(&self) -> u64 {
        self.0.inode
    }

    /// The number of the file system.
    #[getter]
    fn device(&self) -> u64 {
        self.0.device
    }
}

/// A directory whose files may be read, and nothing outside it.
#[pyclass(frozen, module = "hubbub")]
pub(crate) struct Directory(Root);

#[pymethods]
impl Directory {
    #[new]
    fn new(path: PathBuf) -> PyResult<Self> {
        Root::open(&path).map(Self).map_err(errors::os)
    }

    /// The file at a path below; "directory" for a directory, None for nothing that may be read.
    fn open(&self, py: Python<'_>, path: &str) -> PyResult<Option<Py<PyAny>>> {
        Ok(match self.0.entry(path).map_err(errors::os)? {
            Entry::File(file) => Some(Py::new(py, OpenFile(file))?.into_any()),
            Entry::Directory => Some(PyString::intern(py, "directory").into_any().unbind()),
            Entry::Nothing => None,
        })
    }
}
