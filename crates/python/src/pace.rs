//! `Pace`: how fast somebody may go on, as Python sees it.

use pyo3::prelude::*;

use crate::cell::LoopCell;

/// How far somebody is ahead of a rate.
#[pyclass(frozen, module = "hubbub")]
pub(crate) struct Pace {
    pub(crate) pace: LoopCell<hubbub_hub::Pace>,
}

#[pymethods]
impl Pace {
    #[new]
    fn new(burst_s: f64) -> Self {
        Self {
            pace: LoopCell::new(hubbub_hub::Pace::new(burst_s)),
        }
    }

    fn take(&self, now_s: f64, each_s: f64) -> PyResult<bool> {
        self.pace.with(|pace| pace.take(now_s, each_s))
    }

    fn charge(&self, now_s: f64, seconds: f64) -> PyResult<()> {
        self.pace.with(|pace| pace.charge(now_s, seconds))
    }

    #[getter]
    fn until_s(&self) -> PyResult<f64> {
        self.pace.with(|pace| pace.until_s())
    }
}
