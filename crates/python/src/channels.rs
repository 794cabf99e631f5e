//! `Channels`: what topics remember and who is in them, as Python sees it.
//!
//! Puts publications together as they travel (JSON), so that one that is kept need not be encoded again for whoever
//! resumes. Sends nothing: the frames it makes are published by the engine.

use std::io::Write;

use hubbub_hub::{Channels as Table, Limits, Options, Position, Published, Stored};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::cell::LoopCell;
use crate::errors;

/// What is said about a client: its name, and the JSON that others are shown.
type About = (Box<str>, Box<[u8]>);

/// The channels of one hub.
#[pyclass(frozen, module = "hubbub")]
pub(crate) struct Channels {
    table: LoopCell<Table<u64, Box<[u8]>, About>>,
}

/// A publication that was taken, or had been before.
///
/// Frame for the subscribers (none for a repetition), offset, epoch; 0 and "" where nothing is remembered.
type Taken<'py> = (Option<Bound<'py, PyString>>, u64, String);

/// A publication as a store keeps it: data, info and tags as JSON, key, time in seconds.
type Kept = (
    Vec<u8>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Option<String>,
    f64,
);

fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1000.0) as u64
}

/// An epoch as it travels.
fn epoch_text(epoch: u64) -> String {
    format!("{epoch:x}")
}

fn position(epoch: &str, offset: u64) -> Position {
    // What is no number is nobody's epoch; 0 is none of ours but once in 2^64.
    let epoch = u64::from_str_radix(epoch, 16).unwrap_or(0);
    Position { epoch, offset }
}

/// What is said with a publication, as JSON; `None` is left out.
pub(crate) struct Said<'a> {
    pub(crate) data: &'a [u8],
    pub(crate) info: Option<&'a [u8]>,
    pub(crate) tags: Option<&'a [u8]>,
}

impl Said<'_> {
    /// At most so long is [`Said::push`], but for a number's digits.
    fn bytes(&self) -> usize {
        let optional = self.info.map_or(0, <[u8]>::len) + self.tags.map_or(0, <[u8]>::len);
        self.data.len() + optional + 40
    }

    /// `{"data":…,"offset":…,"info":…,"tags":…}`.
    fn push(&self, offset: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"data\":");
        out.extend_from_slice(self.data);
        if offset > 0 {
            write!(out, ",\"offset\":{offset}").expect("memory takes all");
        }
        if let Some(info) = self.info {
            out.extend_from_slice(b",\"info\":");
            out.extend_from_slice(info);
        }
        if let Some(tags) = self.tags {
            out.extend_from_slice(b",\"tags\":");
            out.extend_from_slice(tags);
        }
        out.push(b'}');
    }
}

/// A name as JSON (RFC 8259 §7).
fn push_quoted(name: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for character in name.chars() {
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            control if control < ' ' => {
                write!(out, "\\u{:04x}", u32::from(control)).expect("memory takes all");
            }
            other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

pub(crate) fn as_text<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyString>> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| errors::misuse("a publication is JSON, which is UTF-8"))?;
    Ok(PyString::new(py, text))
}

fn copied<'py, 'k>(
    py: Python<'py>,
    kept: impl Iterator<Item = (u64, &'k Box<[u8]>)>,
) -> Vec<Bound<'py, PyBytes>> {
    kept.map(|(_, json)| PyBytes::new(py, json)).collect()
}

impl Channels {
    /// Takes a publication; tells what became of it, and the frame for its subscribers: none for a repetition.
    pub(crate) fn say(
        &self,
        channel: &str,
        said: &Said<'_>,
        now_s: f64,
        key: Option<&str>,
    ) -> PyResult<(Published, Vec<u8>)> {
        let mut frame = Vec::with_capacity(said.bytes() + channel.len() + 64);
        let published = self.table.with(|table| {
            table.publish(channel, key, milliseconds(now_s), |place| {
                frame.extend_from_slice(b"{\"push\":{\"channel\":");
                push_quoted(channel, &mut frame);
                frame.extend_from_slice(b",\"pub\":");
                let begin = frame.len();
                said.push(place.map_or(0, |place| place.offset), &mut frame);
                // Copied, it takes not a byte more than it has.
                let kept = place.map_or_else(Box::default, |_| frame[begin..].into());
                let bytes = frame.len() - begin;
                frame.extend_from_slice(b"}}");
                (kept, bytes)
            })
        })?;
        Ok((published, frame))
    }

    pub(crate) fn contains(&self, channel: &str) -> PyResult<bool> {
        self.table.with(|table| table.contains(channel))
    }
}

#[pymethods]
impl Channels {
    #[new]
    fn new(seed: u64) -> Self {
        Self {
            table: LoopCell::new(Table::new(seed)),
        }
    }

    #[pyo3(signature = (pattern, now_s, *, history_limit, history_age_s, history_limit_bytes, resumable_s, presence, numbered=false))]
    #[allow(clippy::too_many_arguments)]
    fn set_options(
        &self,
        pattern: &str,
        now_s: f64,
        history_limit: usize,
        history_age_s: f64,
        history_limit_bytes: usize,
        resumable_s: f64,
        presence: bool,
        numbered: bool,
    ) -> PyResult<()> {
        let limits = Limits {
            count: history_limit,
            age_ms: milliseconds(history_age_s),
            bytes: history_limit_bytes,
        };
        let options = Options {
            // A stream that keeps nothing still counts.
            history: (history_limit > 0 || numbered).then_some(limits),
            resumable_ms: milliseconds(resumable_s),
            presence,
        };
        self.table
            .with(|table| table.set_options(pattern, options, milliseconds(now_s)))
    }

    #[pyo3(signature = (channel, data, now_s, *, info=None, tags=None, key=None))]
    #[allow(clippy::too_many_arguments)]
    fn publish<'py>(
        &self,
        py: Python<'py>,
        channel: &str,
        data: &[u8],
        now_s: f64,
        info: Option<&[u8]>,
        tags: Option<&[u8]>,
        key: Option<&str>,
    ) -> PyResult<Taken<'py>> {
        let said = Said { data, info, tags };
        let (published, frame) = self.say(channel, &said, now_s, key)?;
        let (place, frame) = match published {
            Published::New(place) => (place, Some(as_text(py, &frame)?)),
            Published::Repeated(place) => (place, None),
        };
        let (offset, epoch) = place.map_or((0, String::new()), |place| {
            (place.offset, epoch_text(place.epoch))
        });
        Ok((frame, offset, epoch))
    }

    fn position(&self, channel: &str, now_s: f64) -> PyResult<Option<(String, u64)>> {
        let place = self
            .table
            .with(|table| table.position(channel, milliseconds(now_s)))?;
        Ok(place.map(|place| (epoch_text(place.epoch), place.offset)))
    }

    fn after<'py>(
        &self,
        py: Python<'py>,
        channel: &str,
        epoch: &str,
        offset: u64,
        now_s: f64,
    ) -> PyResult<Option<Vec<Bound<'py, PyBytes>>>> {
        self.table.with(|table| {
            let found = table.after(channel, position(epoch, offset), milliseconds(now_s));
            found.ok().map(|found| copied(py, found))
        })
    }

    #[pyo3(signature = (channel, now_s, *, limit, since=None, reverse=false))]
    fn history<'py>(
        &self,
        py: Python<'py>,
        channel: &str,
        now_s: f64,
        limit: usize,
        since: Option<u64>,
        reverse: bool,
    ) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        self.table.with(|table| {
            let Some(history) = table.history(channel, milliseconds(now_s)) else {
                return Vec::new();
            };
            let all = history.newest(usize::MAX);
            let wanted = |offset: u64| match since {
                None => true,
                Some(since) if reverse => offset < since,
                Some(since) => offset > since,
            };
            if reverse {
                let found = all.rev().filter(|(offset, _)| wanted(*offset));
                copied(py, found.take(limit))
            } else {
                copied(py, all.filter(|(offset, _)| wanted(*offset)).take(limit))
            }
        })
    }

    fn restore(
        &self,
        channel: &str,
        epoch: &str,
        offset: u64,
        publications: Vec<Kept>,
        now_s: f64,
    ) -> PyResult<()> {
        let first = offset + 1 - publications.len() as u64;
        let publications = (first..).zip(&publications).map(|(offset, kept)| {
            let (data, info, tags, key, at_s) = kept;
            let said = Said {
                data,
                info: info.as_deref(),
                tags: tags.as_deref(),
            };
            let mut json = Vec::with_capacity(said.bytes());
            said.push(offset, &mut json);
            Stored {
                bytes: json.len(),
                publication: json.into_boxed_slice(),
                at_ms: milliseconds(*at_s),
                key: key.as_deref(),
            }
        });
        let publications: Vec<_> = publications.collect();
        self.table.with(|table| {
            table.restore(
                channel,
                position(epoch, offset),
                publications.into_iter(),
                milliseconds(now_s),
            );
        })
    }

    fn join(
        &self,
        channel: &str,
        client: u64,
        name: &str,
        user: &str,
        about: &[u8],
        now_s: f64,
    ) -> PyResult<bool> {
        let info: About = (name.into(), about.into());
        let bytes = name.len() + about.len();
        self.table
            .with(|table| table.join(channel, client, user, (info, bytes), milliseconds(now_s)))
    }

    fn leave(&self, channel: &str, client: u64, now_s: f64) -> PyResult<bool> {
        let left = self
            .table
            .with(|table| table.leave(channel, client, milliseconds(now_s)))?;
        Ok(left.is_some())
    }

    fn hear(&self, channel: &str, now_s: f64) -> PyResult<bool> {
        self.table
            .with(|table| table.hear(channel, milliseconds(now_s)))
    }

    fn ignore(&self, channel: &str, now_s: f64) -> PyResult<()> {
        self.table
            .with(|table| table.ignore(channel, milliseconds(now_s)))
    }

    fn presence<'py>(
        &self,
        py: Python<'py>,
        channel: &str,
    ) -> PyResult<Vec<(String, Bound<'py, PyBytes>)>> {
        self.table.with(|table| {
            let present = table.presence(channel).into_iter();
            present
                .flat_map(|presence| presence.members())
                .map(|(_, member)| (member.info.0.to_string(), PyBytes::new(py, &member.info.1)))
                .collect()
        })
    }

    fn counts(&self, channel: &str) -> PyResult<(usize, usize)> {
        let counts = self.table.with(|table| table.counts(channel))?;
        Ok((counts.clients, counts.users))
    }

    fn sweep(&self, now_s: f64) -> PyResult<()> {
        self.table.with(|table| table.sweep(milliseconds(now_s)))
    }

    fn forget(&self, channel: &str) -> PyResult<()> {
        self.table.with(|table| table.forget(channel))
    }

    fn set_held_limit(&self, limit_bytes: usize) -> PyResult<()> {
        self.table.with(|table| table.set_held_limit(limit_bytes))
    }

    #[getter]
    fn held_bytes(&self) -> PyResult<usize> {
        self.table.with(|table| table.held())
    }

    #[getter]
    fn is_full(&self) -> PyResult<bool> {
        self.table.with(|table| table.is_full())
    }

    #[getter]
    fn given_up(&self) -> PyResult<(u64, u64)> {
        let given_up = self.table.with(|table| table.given_up())?;
        Ok((given_up.histories, given_up.publications))
    }

    fn __contains__(&self, channel: &str) -> PyResult<bool> {
        self.contains(channel)
    }

    fn __len__(&self) -> PyResult<usize> {
        self.table.with(|table| table.len())
    }
}

/// What changed from one publication's data to the next, as Fossil's delta; `None` when it would not be shorter.
#[pyfunction]
pub(crate) fn delta<'py>(py: Python<'py>, old: &[u8], new: &[u8]) -> Option<Bound<'py, PyBytes>> {
    hubbub_hub::delta(old, new).map(|delta| PyBytes::new(py, &delta))
}
