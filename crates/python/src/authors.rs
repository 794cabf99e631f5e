//! `Authors`: a short way for clients that publish again where they just have.
//!
//! Decides nothing: that somebody may publish somewhere is decided in `hubbub.hub` and kept here until something changes
//! that it depended on. What is not plain takes the long way, as if nobody had looked at it here.

use std::collections::HashMap;

use hubbub_protocol::command::Publish;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::cell::LoopCell;
use crate::channels::{Channels, Said, as_text};
use crate::pace::Pace;

/// In how many channels a client's right is kept.
const RIGHTS: usize = 16;

/// Who may publish where, for the time being.
#[pyclass(frozen, module = "hubbub")]
pub(crate) struct Authors {
    rights: LoopCell<HashMap<u64, Vec<Right>>>,
}

/// One client's, in one channel.
struct Right {
    channel: Box<str>,
    topic: Py<PyString>,
    /// Whether the channel has to be there: to call it into being is another right.
    is_remembered: bool,
    /// Whose client it was and what it said of itself: it may change.
    user: Py<PyString>,
    conn_info: Py<PyBytes>,
    /// What others are told about it, made of these.
    info: Box<[u8]>,
    /// What it uses up, at which rate.
    paces: Vec<(Py<Pace>, f64)>,
}

impl Right {
    /// Takes one of each pace; none of any if one is used up.
    fn take(&self, now_s: f64) -> PyResult<bool> {
        for (pace, each_s) in &self.paces {
            if !pace.get().pace.with(|pace| pace.has_one(now_s, *each_s))? {
                return Ok(false);
            }
        }
        for (pace, each_s) in &self.paces {
            pace.get().pace.with(|pace| pace.take(now_s, *each_s))?;
        }
        Ok(true)
    }

    /// Publishes; `None`: not by this right, now.
    fn publish(&self, data: &str, channels: &Channels, now_s: f64) -> PyResult<Option<Vec<u8>>> {
        if self.is_remembered && !channels.contains(&self.channel)? || !self.take(now_s)? {
            return Ok(None);
        }
        let said = Said {
            data: data.as_bytes(),
            info: Some(&self.info),
            tags: None,
        };
        let (_, frame) = channels.say(&self.channel, &said, now_s, None)?;
        Ok(Some(frame))
    }
}

#[pymethods]
impl Authors {
    #[new]
    fn new() -> Self {
        Self {
            rights: LoopCell::new(HashMap::new()),
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn allow(
        &self,
        client: u64,
        channel: &str,
        topic: Py<PyString>,
        is_remembered: bool,
        user: Py<PyString>,
        conn_info: Py<PyBytes>,
        info: &[u8],
        paces: Vec<(Py<Pace>, f64)>,
    ) -> PyResult<()> {
        let right = Right {
            channel: channel.into(),
            topic,
            is_remembered,
            user,
            conn_info,
            info: info.into(),
            paces,
        };
        // What is dropped is dropped outside: it may run Python code.
        let _gone = self.rights.with(|rights| {
            let rights = rights.entry(client).or_default();
            let full = rights.len() >= RIGHTS;
            let old = rights.iter().position(|old| old.channel == right.channel);
            let gone = old.or(full.then_some(0)).map(|at| rights.swap_remove(at));
            rights.push(right);
            gone
        })?;
        Ok(())
    }

    fn forget(&self, client: u64) -> PyResult<()> {
        let _gone = self.rights.with(|rights| rights.remove(&client))?;
        Ok(())
    }

    fn clear(&self) -> PyResult<()> {
        let _gone = self.rights.with(std::mem::take)?;
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    fn publish<'py>(
        &self,
        client: u64,
        frame: &Bound<'py, PyAny>,
        user: &Bound<'py, PyAny>,
        conn_info: &Bound<'py, PyAny>,
        channels: &Channels,
        now_s: f64,
        tell: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyString>>> {
        let py = frame.py();
        let found = self.rights.with(|rights| {
            let Some(rights) = rights.get(&client) else {
                return Ok(None);
            };
            let text = frame.cast::<PyString>().ok();
            let text = text.and_then(|text| text.to_str().ok());
            let Some(command) = text.and_then(Publish::read) else {
                return Ok(None);
            };
            let mut rights = rights.iter();
            let Some(right) = rights.find(|right| *right.channel == *command.channel) else {
                return Ok(None);
            };
            if !right.user.is(user) || !right.conn_info.is(conn_info) {
                return Ok(None);
            }
            let frame = right.publish(command.data, channels, now_s)?;
            PyResult::Ok(frame.map(|frame| (command.id, right.topic.clone_ref(py), frame)))
        })??;
        let Some((id, topic, frame)) = found else {
            return Ok(None);
        };
        tell.call1((topic, as_text(py, &frame)?))?;
        let answer = format!("{{\"id\":{id},\"publish\":{{}}}}");
        Ok(Some(PyString::new(py, &answer)))
    }

    fn __len__(&self) -> PyResult<usize> {
        self.rights
            .with(|rights| rights.values().map(Vec::len).sum())
    }
}
