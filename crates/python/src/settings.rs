//! The engine's settings, from a dict of their names as `hubbub.config` has them.

use hubbub_protocol::deflate;
use hubbub_protocol::http::Spelling;
use hubbub_protocol::network::Networks;
use hubbub_server::{RatePolicy, Settings, Threads};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::route::window;

/// What may wait for a handler before reading from its peer pauses.
#[derive(Clone, Copy)]
pub(crate) struct QueueLimits {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

/// How much may wait for a handler.
pub(crate) fn queue(given: &Bound<'_, PyDict>) -> PyResult<QueueLimits> {
    Ok(QueueLimits {
        messages: number(given, "receive_queue_message_limit")?.unwrap_or(1024),
        bytes: number(given, "receive_queue_limit_bytes")?.unwrap_or(256 << 10),
    })
}

/// How many threads serve beside the application's, which reads no more from them than may wait for a handler.
pub(crate) fn threads(given: &Bound<'_, PyDict>, queue: QueueLimits) -> PyResult<Threads> {
    Ok(Threads {
        count: number(given, "threads")?
            .filter(|&count| count > 1)
            .unwrap_or(0),
        queue_limit: queue.messages,
        queue_limit_bytes: queue.bytes,
    })
}

fn number(given: &Bound<'_, PyDict>, name: &str) -> PyResult<Option<usize>> {
    given
        .get_item(name)?
        .map(|value| value.extract())
        .transpose()
}

/// What the workers go by.
pub(crate) fn worker(given: &Bound<'_, PyDict>) -> PyResult<Settings> {
    let mut settings = Settings::default();
    let mut compression = None;
    for (name, value) in given {
        let name: String = name.extract()?;
        match name.as_str() {
            "request_line_limit_bytes" => settings.head.request_line_bytes = value.extract()?,
            "head_limit_bytes" => settings.head.head_bytes = value.extract()?,
            "field_limit" => settings.head.fields = value.extract()?,
            "head_timeout_s" => settings.head_timeout_s = value.extract()?,
            "body_limit_bytes" => settings.body_limit_bytes = value.extract()?,
            "body_timeout_s" => settings.body_timeout_s = value.extract()?,
            "write_timeout_s" => settings.write_timeout_s = value.extract()?,
            "transfer_rate_bytes" => settings.transfer_rate_bytes = value.extract()?,
            "keep_alive_timeout_s" => settings.keep_alive_timeout_s = value.extract()?,
            "message_limit_bytes" => settings.message_limit_bytes = value.extract()?,
            "inflated_ratio" => settings.inflated_ratio = value.extract()?,
            "message_timeout_s" => settings.message_timeout_s = value.extract()?,
            "close_timeout_s" => settings.close_timeout_s = value.extract()?,
            "ping_interval_s" => settings.ping_interval_s = value.extract()?,
            "ping_timeout_s" => settings.ping_timeout_s = value.extract()?,
            "idle_timeout_s" => settings.idle_timeout_s = value.extract()?,
            "outbox_limit_bytes" => settings.outbox_limit_bytes = value.extract()?,
            "outbox_low_bytes" => settings.outbox_low_bytes = value.extract()?,
            "held_limit_bytes" => settings.held_limit_bytes = value.extract()?,
            "connection_limit" => settings.connection_limit = value.extract()?,
            "address_connection_limit" => settings.limits.address_connections = value.extract()?,
            "handshake_rate" => settings.limits.handshakes_per_s = value.extract()?,
            "handshake_burst" => settings.limits.handshake_burst = value.extract()?,
            "address_handshake_rate" => {
                settings.limits.address_handshakes_per_s = value.extract()?;
            }
            "address_handshake_burst" => {
                settings.limits.address_handshake_burst = value.extract()?;
            }
            "message_rate" => settings.limits.messages_per_s = value.extract()?,
            "byte_rate_bytes" => settings.limits.bytes_per_s = value.extract()?,
            "rate_policy" => {
                settings.limits.rate_policy = match value.extract::<&str>()? {
                    "close" => RatePolicy::Close,
                    _ => RatePolicy::Pause,
                }
            }
            "exempt_networks" => settings.limits.exempt = networks(&value)?,
            "trusted_proxies" => settings.limits.trusted = networks(&value)?,
            "proxy_headers" => {
                settings.limits.spelling = match value.extract::<&str>()? {
                    "forwarded" => Spelling::Forwarded,
                    "off" => Spelling::Off,
                    _ => Spelling::XForwarded,
                }
            }
            "dry_run" => {
                for name in value.extract::<Vec<String>>()? {
                    settings
                        .limits
                        .dry_run
                        .add(&name)
                        .map_err(PyValueError::new_err)?;
                }
            }
            "compression" => compression = Some(value.extract::<String>()?),
            "compression_window_bits" => settings.deflate.window_bits = value.extract()?,
            "compression_minimum_bytes" => settings.deflate.minimum_bytes = value.extract()?,
            "compression_level" => settings.deflate.level = value.extract()?,
            // See `queue` and `threads`.
            "receive_queue_message_limit" | "receive_queue_limit_bytes" | "threads" => {}
            other => return Err(PyValueError::new_err(format!("unknown setting: {other:?}"))),
        }
    }
    settings.deflate.window = compression
        .as_deref()
        .map_or(Ok(deflate::Window::Shared), window)?;
    if matches!(settings.held_limit_bytes, 0 | usize::MAX) {
        settings.held_limit_bytes = (hubbub_server::system_memory_bytes() / 4) as usize;
    }
    Ok(settings)
}

fn networks(given: &Bound<'_, PyAny>) -> PyResult<Networks> {
    let texts: Vec<String> = given.extract()?;
    Networks::parse(texts.iter().map(String::as_str))
        .map_err(|bad| PyValueError::new_err(bad.to_string()))
}
