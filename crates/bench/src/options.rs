//! What to measure: one value from the command line to the loop.

use std::time::Duration;

/// One measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// `ws://host:port/path`, `wss://` with any certificate, or `http://`.
    pub url: String,
    /// What the connections do.
    pub mode: Mode,
    /// How many connections are open at a time.
    pub connections: usize,
    /// How many of them may be on their way through connect and upgrade at a time.
    pub opening: usize,
    /// How long is measured (`Mode::Idle`: how long the connections are held).
    pub duration: Duration,
    /// How long the load runs before measuring begins.
    pub warm_up: Duration,
    /// What the messages are made of.
    pub content: Content,
    /// Payload of one message, before compression.
    pub size_bytes: usize,
    /// Whether permessage-deflate is offered.
    pub deflate: bool,
    /// Processor the load generator is bound to.
    pub client_cpu: Option<usize>,
    /// Whether the load comes in bursts between which the load generator sleeps until the last answer has arrived (echo in a
    /// closed loop, and fan-out from one sender): then the machine is the server's alone.
    pub bursts: bool,
    /// Tokens for the clients of a hub, one after the other and from the first again; without any they come as nobody.
    pub tokens: Vec<String>,
    /// Process whose CPU time and memory are read; without it, the one that listens at the URL's port on this machine.
    pub server_pid: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            url: "ws://127.0.0.1:8000/echo".to_owned(),
            mode: Mode::Echo {
                depth: 1,
                rate_per_s: None,
            },
            connections: 100,
            opening: 128,
            duration: Duration::from_secs(4),
            warm_up: Duration::from_secs(1),
            content: Content::Ascii,
            size_bytes: 64,
            deflate: false,
            client_cpu: None,
            bursts: false,
            tokens: Vec::new(),
            server_pid: None,
        }
    }
}

/// What the connections do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    /// Every message comes back to its sender.
    Echo {
        /// Messages in flight on each connection (closed loop).
        depth: usize,
        /// Messages per second over all connections, sent at their time whether answers have come or not (open loop).
        rate_per_s: Option<f64>,
    },
    /// Every message goes to every connection.
    FanOut {
        /// How many of the connections publish.
        senders: usize,
        /// Messages that each of them has on their way to everybody.
        in_flight: usize,
    },
    /// Connections are opened and held.
    Idle {
        /// Whether each of them then echoes one message, so that what the server makes lazily is counted too.
        touch: bool,
    },
    /// Connections are opened, upgraded and closed again, over and over.
    Handshake,
    /// Clients of a hub come in, and then publish by its protocol (Centrifugo's, in JSON).
    Hub {
        /// Publications under way, of each client that publishes.
        in_flight: usize,
        /// Whether all of them publish, each where nobody listens; else one does, and all of them hear it.
        own: bool,
    },
    /// A page is asked for again and again, on connections that stay.
    Http {
        /// Requests under way on each connection.
        depth: usize,
    },
}

impl Mode {
    /// The word for it on the command line and in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Mode::Echo { .. } => "echo",
            Mode::FanOut { .. } => "fan-out",
            Mode::Idle { .. } => "idle",
            Mode::Handshake => "handshake",
            Mode::Http { .. } => "http",
            Mode::Hub { .. } => "hub",
        }
    }

    /// What is counted, in the singular.
    pub fn unit(&self) -> &'static str {
        match self {
            Mode::Echo { .. } => "message",
            Mode::FanOut { .. } | Mode::Hub { own: false, .. } => "delivery",
            Mode::Hub { own: true, .. } => "publication",
            Mode::Idle { .. } | Mode::Handshake => "connection",
            Mode::Http { .. } => "request",
        }
    }
}

/// What the messages are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Text of ASCII letters.
    Ascii,
    /// Text of two- and three-byte characters: Cyrillic, Greek, Arabic, Devanagari, Chinese, Japanese, Korean.
    NonAscii,
    /// Text that compresses as chat messages in JSON do.
    Json,
    /// Binary messages of random bytes.
    Binary,
}

impl Content {
    /// The word for it on the command line and in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Content::Ascii => "ascii",
            Content::NonAscii => "non-ascii",
            Content::Json => "json",
            Content::Binary => "binary",
        }
    }
}
