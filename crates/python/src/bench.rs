//! The load generator behind `hubbub bench`, as one function.

use std::time::Duration;

use hubbub_bench::{Content, Mode, Options, run};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors;

/// Runs one measurement without the GIL and returns the report as JSON.
///
/// Raises Misuse for options that make no sense, Failure when nothing could be measured.
#[pyfunction]
pub(crate) fn bench(py: Python<'_>, options: &Bound<'_, PyDict>) -> PyResult<String> {
    let options = read(options)?;
    let report = py.detach(|| run(&options));
    report
        .map(|report| report.to_json())
        .map_err(|failure| errors::failure(&failure.to_string()))
}

fn read(given: &Bound<'_, PyDict>) -> PyResult<Options> {
    let mut options = Options::default();
    let (mut mode, mut depth, mut rate_per_s, mut senders, mut in_flight) =
        ("echo".to_owned(), 1, None, 1, 1);
    let (mut touch, mut own) = (false, false);
    for (name, value) in given {
        let name: String = name.extract()?;
        match name.as_str() {
            "mode" => mode = value.extract()?,
            "url" => options.url = value.extract()?,
            "connections" => options.connections = value.extract()?,
            "opening" => options.opening = value.extract()?,
            "duration_s" => options.duration = seconds(&value)?,
            "warm_up_s" => options.warm_up = seconds(&value)?,
            "size_bytes" => options.size_bytes = value.extract()?,
            "content" => options.content = content(&value.extract::<String>()?)?,
            "deflate" => options.deflate = value.extract()?,
            "depth" => depth = value.extract()?,
            "rate_per_s" => rate_per_s = Some(value.extract()?),
            "senders" => senders = value.extract()?,
            "in_flight" => in_flight = value.extract()?,
            "touch" => touch = value.extract()?,
            "own" => own = value.extract()?,
            "bursts" => options.bursts = value.extract()?,
            "tokens" => options.tokens = value.extract()?,
            "client_cpu" => options.client_cpu = Some(value.extract()?),
            "server_pid" => options.server_pid = Some(value.extract()?),
            other => return Err(errors::misuse(&format!("unknown option: {other:?}"))),
        }
    }
    options.mode = match mode.as_str() {
        "echo" => Mode::Echo { depth, rate_per_s },
        "fan-out" => Mode::FanOut { senders, in_flight },
        "idle" => Mode::Idle { touch },
        "handshake" => Mode::Handshake,
        "hub" => Mode::Hub { in_flight, own },
        "http" => Mode::Http { depth },
        other => return Err(errors::misuse(&format!("no such mode: {other:?}"))),
    };
    Ok(options)
}

fn seconds(value: &Bound<'_, PyAny>) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value.extract()?)
        .map_err(|error| errors::misuse(&error.to_string()))
}

fn content(name: &str) -> PyResult<Content> {
    let all = [
        Content::Ascii,
        Content::NonAscii,
        Content::Json,
        Content::Binary,
    ];
    all.into_iter()
        .find(|content| content.name() == name)
        .ok_or_else(|| errors::misuse(&format!("no such content: {name:?}")))
}
