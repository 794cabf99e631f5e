//! What is called every so many seconds, until somebody ends it.

use std::collections::HashMap;

use pyo3::prelude::*;

use crate::engine::Engine;

/// What is called, with the seconds between two calls, by the key of its alarm.
#[derive(Default)]
pub(crate) struct Timers {
    calls: HashMap<u32, (f64, Py<PyAny>)>,
    next: u32,
}

impl Timers {
    /// One more; the key that its alarm is to bear.
    pub(crate) fn add(&mut self, interval_s: f64, callback: Py<PyAny>) -> u32 {
        let key = self.next;
        self.next = self.next.wrapping_add(1);
        self.calls.insert(key, (interval_s, callback));
        key
    }

    /// What an alarm means, unless that has been ended.
    pub(crate) fn get(&self, key: u32) -> Option<&(f64, Py<PyAny>)> {
        self.calls.get(&key)
    }

    fn remove(&mut self, key: u32) -> Option<(f64, Py<PyAny>)> {
        self.calls.remove(&key)
    }
}

/// Ends what `Engine.every` began.
#[pyclass(frozen, module = "hubbub")]
pub(crate) struct Cancel {
    engine: Py<Engine>,
    key: u32,
}

impl Cancel {
    pub(crate) fn new(engine: &Bound<'_, Engine>, key: u32) -> Self {
        Self {
            engine: engine.clone().unbind(),
            key,
        }
    }
}

#[pymethods]
impl Cancel {
    fn __call__(&self) -> PyResult<()> {
        let _old = self
            .engine
            .get()
            .core
            .with(|core| core.timers.remove(self.key))?;
        Ok(())
    }
}
