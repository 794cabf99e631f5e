//! What came out: plain values, a table, JSON.

use std::fmt::{self, Write};

use crate::options::{Mode, Options};

/// What came out of one measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// What was asked for.
    pub options: Options,
    /// How long was really measured.
    pub seconds: f64,
    /// Messages, deliveries or connections in that time, see [`Mode::unit`].
    pub count: u64,
    /// From handing a message over (open loop: from the moment it was due) to its return; handshake: connect and upgrade.
    pub latency: Option<Latency>,
    /// What the server's processes did meanwhile, if they are on this machine.
    pub server: Option<ServerLoad>,
    /// What idle connections cost, `Mode::Idle` only.
    pub idle: Option<Idle>,
    /// What coming in costs, `Mode::Hub` only.
    pub entering: Option<Entering>,
    /// Share of the time in which the load generator had something to do.
    pub client_busy: Option<f64>,
    /// The load generator, not the server, limited a closed loop: the throughput is its own.
    pub client_saturated: bool,
    /// Whether permessage-deflate was agreed upon.
    pub compressed: bool,
}

/// A distribution in a few points, microseconds.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct Latency {
    pub p50_us: f64,
    pub p90_us: f64,
    pub p99_us: f64,
    pub p99_9_us: f64,
    pub max_us: f64,
}

/// What the server's processes did.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerLoad {
    /// CPU time by wall time; above 1 where there are several threads.
    pub busy: f64,
    /// CPU time for one message, delivery or connection.
    pub cpu_us_per_unit: f64,
    /// The threads that were busy for at least a hundredth of the time, the busiest first: name, CPU time by wall time.
    pub threads: Vec<(String, f64)>,
}

/// What it costs to let clients into a hub: to connect, to say who they are, to subscribe twice.
#[derive(Debug, Clone, PartialEq)]
pub struct Entering {
    /// From the first `connect` to the last answer.
    pub seconds: f64,
    /// CPU time of the server for each client.
    pub cpu_us_per_client: Option<f64>,
    /// Private memory of the server for each client.
    pub bytes_per_client: Option<f64>,
}

/// What idle connections cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Idle {
    /// The longest time from `connect` to the checked 101.
    pub longest_wait_ms: f64,
    /// From the first `connect` to the last 101.
    pub opening_seconds: f64,
    /// Private memory of the server for each connection.
    pub bytes_per_connection: Option<f64>,
    /// The same after each connection has echoed one message.
    pub touched_bytes_per_connection: Option<f64>,
}

enum Value {
    Text(String),
    Count(u64),
    Number(f64),
    Flag(bool),
}

/// One line of the table, one member of the JSON object.
struct Row {
    key: &'static str,
    label: String,
    value: Value,
    unit: &'static str,
}

impl Report {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            options: options.clone(),
            seconds: 0.0,
            count: 0,
            latency: None,
            server: None,
            idle: None,
            entering: None,
            client_busy: None,
            client_saturated: false,
            compressed: false,
        }
    }

    /// Messages, deliveries or connections per second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        if self.seconds > 0.0 {
            self.count as f64 / self.seconds
        } else {
            0.0
        }
    }

    /// One JSON object without nesting; keys end in their unit, values that were not measured are missing.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = String::from("{");
        for (index, row) in self.rows().iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let _ = write!(json, "{comma}\"{}\": ", row.key);
            let _ = match &row.value {
                Value::Text(text) => write!(json, "{}", quoted(text)),
                Value::Count(count) => write!(json, "{count}"),
                Value::Number(number) => write!(json, "{number:.4}"),
                Value::Flag(flag) => write!(json, "{flag}"),
            };
        }
        json.push('}');
        json
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        self.option_rows(&mut rows);
        let mut add = |key, label: &str, value, unit| {
            rows.push(Row {
                key,
                label: label.to_owned(),
                value,
                unit,
            });
        };
        if self.count > 0 {
            let unit = self.options.mode.unit();
            add("seconds", "measured", Value::Number(self.seconds), "s");
            add("unit", "what is counted", Value::Text(unit.to_owned()), "");
            add(
                "count",
                "counted and verified",
                Value::Count(self.count),
                "",
            );
            add(
                "per_second",
                "throughput",
                Value::Number(self.per_second()),
                "/s",
            );
        }
        if let Some(server) = &self.server {
            let label = format!("server CPU per {}", self.options.mode.unit());
            add(
                "server_cpu_us",
                &label,
                Value::Number(server.cpu_us_per_unit),
                "µs",
            );
            add(
                "server_busy_share",
                "server busy",
                Value::Number(server.busy),
                "",
            );
            let threads = server.threads.iter();
            let threads: Vec<String> = threads
                .map(|(name, share)| format!("{name} {share:.3}"))
                .collect();
            add(
                "server_threads",
                "its threads",
                Value::Text(threads.join(", ")),
                "",
            );
        }
        if let Some(latency) = &self.latency {
            add(
                "latency_p50_us",
                "latency p50",
                Value::Number(latency.p50_us),
                "µs",
            );
            add(
                "latency_p90_us",
                "latency p90",
                Value::Number(latency.p90_us),
                "µs",
            );
            add(
                "latency_p99_us",
                "latency p99",
                Value::Number(latency.p99_us),
                "µs",
            );
            add(
                "latency_p99_9_us",
                "latency p99.9",
                Value::Number(latency.p99_9_us),
                "µs",
            );
            add(
                "latency_max_us",
                "latency max",
                Value::Number(latency.max_us),
                "µs",
            );
        }
        if let Some(idle) = &self.idle {
            add(
                "longest_wait_ms",
                "longest connect + upgrade",
                Value::Number(idle.longest_wait_ms),
                "ms",
            );
            add(
                "opening_s",
                "opening all",
                Value::Number(idle.opening_seconds),
                "s",
            );
            if let Some(bytes) = idle.bytes_per_connection {
                add(
                    "bytes_per_connection",
                    "server memory per connection",
                    Value::Number(bytes),
                    "B",
                );
            }
            if let Some(bytes) = idle.touched_bytes_per_connection {
                add(
                    "touched_bytes_per_connection",
                    "… after one message",
                    Value::Number(bytes),
                    "B",
                );
            }
        }
        if let Some(entering) = &self.entering {
            add(
                "entering_s",
                "coming in, all",
                Value::Number(entering.seconds),
                "s",
            );
            if let Some(cpu_us) = entering.cpu_us_per_client {
                add(
                    "entering_cpu_us",
                    "server CPU per client",
                    Value::Number(cpu_us),
                    "µs",
                );
            }
            if let Some(bytes) = entering.bytes_per_client {
                add(
                    "bytes_per_client",
                    "server memory per client",
                    Value::Number(bytes),
                    "B",
                );
            }
        }
        if let Some(busy) = self.client_busy {
            add("client_busy_share", "client busy", Value::Number(busy), "");
            add(
                "client_saturated",
                "client saturated",
                Value::Flag(self.client_saturated),
                "",
            );
        }
        rows
    }

    fn option_rows(&self, rows: &mut Vec<Row>) {
        let options = &self.options;
        let mut add = |key, label: &str, value, unit| {
            rows.push(Row {
                key,
                label: label.to_owned(),
                value,
                unit,
            });
        };
        add(
            "mode",
            "mode",
            Value::Text(options.mode.name().to_owned()),
            "",
        );
        add("url", "server", Value::Text(options.url.clone()), "");
        add(
            "connections",
            "connections",
            Value::Count(options.connections as u64),
            "",
        );
        match options.mode {
            Mode::Echo {
                rate_per_s: Some(rate),
                ..
            } => add("rate_per_s", "rate (open loop)", Value::Number(rate), "/s"),
            Mode::Echo { depth, .. } => {
                add("depth", "in flight on each", Value::Count(depth as u64), "");
            }
            Mode::FanOut { senders, in_flight } => {
                add("senders", "senders", Value::Count(senders as u64), "");
                add(
                    "in_flight",
                    "in flight from each",
                    Value::Count(in_flight as u64),
                    "",
                );
            }
            Mode::Hub { in_flight, own } => {
                add(
                    "in_flight",
                    "publications under way",
                    Value::Count(in_flight as u64),
                    "",
                );
                add("own", "all publish, unheard", Value::Flag(own), "");
            }
            Mode::Http { depth } => {
                add("depth", "in flight on each", Value::Count(depth as u64), "");
                return;
            }
            Mode::Idle { .. } | Mode::Handshake => return,
        }
        add(
            "content",
            "content",
            Value::Text(options.content.name().to_owned()),
            "",
        );
        add(
            "size_bytes",
            "message size",
            Value::Count(options.size_bytes as u64),
            "B",
        );
        add(
            "compressed",
            "permessage-deflate",
            Value::Flag(self.compressed),
            "",
        );
    }
}

/// The table.
impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows();
        let width = rows.iter().map(|row| row.label.chars().count()).max();
        let width = width.unwrap_or(0);
        for Row {
            label, value, unit, ..
        } in rows
        {
            let text = match value {
                Value::Text(text) => text,
                Value::Count(count) => count.to_string(),
                Value::Number(number) if unit.is_empty() => format!("{:.0} %", number * 100.0),
                Value::Number(number) if number >= 1000.0 => format!("{number:.0}"),
                Value::Number(number) => format!("{number:.3}"),
                Value::Flag(flag) => (if flag { "yes" } else { "no" }).to_owned(),
            };
            writeln!(out, "{label:<width$}  {text} {unit}")?;
        }
        Ok(())
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            control if u32::from(control) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_and_json_tell_the_same() {
        let mut report = Report::new(&Options {
            url: "ws://host/\"\n".to_owned(),
            ..Options::default()
        });
        report.seconds = 2.0;
        report.count = 100;
        report.server = Some(ServerLoad {
            busy: 0.5,
            cpu_us_per_unit: 3.37,
            threads: vec![("one".to_owned(), 0.25), ("two".to_owned(), 0.25)],
        });
        let json = report.to_json();
        assert!(json.starts_with("{\"mode\": \"echo\", \"url\": \"ws://host/\\\"\\u000a\", "));
        assert!(json.contains("\"per_second\": 50.0000, \"server_cpu_us\": 3.3700"));
        assert!(json.contains("\"server_threads\": \"one 0.250, two 0.250\""));
        assert!(!json.contains("latency"));
        let table = report.to_string();
        assert!(
            table.contains("server CPU per message  3.370 µs"),
            "{table}"
        );
        assert!(table.contains("server busy             50 %"), "{table}");
    }
}
