//! The limits by name: which there are, what they are set to, and which are only tried.
//!
//! Who keeps them is said elsewhere: `door` for those who come, `worker::pace` for those who talk, `worker::budget` for memory.
//! A size or a time that is only tried is kept all the same at [`TRIED_TIMES`] itself: nothing grows without an end.

use std::net::IpAddr;

use hubbub_protocol::http::Spelling;
use hubbub_protocol::network::Networks;

/// How many times as much a peer gets while a limit of size or time is only tried.
pub const TRIED_TIMES: usize = 8;

/// A limit that a peer may come up against. Named as its setting is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Limit {
    /// Connections in all.
    Connections,
    /// Connections of one address.
    AddressConnections,
    /// Handshakes a second in all.
    Handshakes,
    /// Handshakes a second of one address.
    AddressHandshakes,
    /// Messages a second of one connection.
    Messages,
    /// Bytes a second of one connection.
    Bytes,
    /// Bytes held for all peers together.
    Held,
    /// Bytes of a request line.
    RequestLine,
    /// Bytes of a request head.
    Head,
    /// Fields of a request head.
    Fields,
    /// Time for a request head.
    HeadTime,
    /// Bytes of a message.
    Message,
    /// Time for a message.
    MessageTime,
    /// How many times as long a message becomes by inflating.
    InflatedRatio,
    /// Bytes that wait for one peer.
    Outbox,
    /// Those who may send a PROXY header. Never only tried.
    Proxy,
    /// A TLS handshake has failed: no limit, but told of like one. Never only tried.
    Tls,
}

impl Limit {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Connections,
        Self::AddressConnections,
        Self::Handshakes,
        Self::AddressHandshakes,
        Self::Messages,
        Self::Bytes,
        Self::Held,
        Self::RequestLine,
        Self::Head,
        Self::Fields,
        Self::HeadTime,
        Self::Message,
        Self::MessageTime,
        Self::InflatedRatio,
        Self::Outbox,
        Self::Proxy,
        Self::Tls,
    ];

    /// Its setting, without a unit.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connections => "connection_limit",
            Self::AddressConnections => "address_connection_limit",
            Self::Handshakes => "handshake_rate",
            Self::AddressHandshakes => "address_handshake_rate",
            Self::Messages => "message_rate",
            Self::Bytes => "byte_rate",
            Self::Held => "held_limit",
            Self::RequestLine => "request_line_limit",
            Self::Head => "head_limit",
            Self::Fields => "field_limit",
            Self::HeadTime => "head_timeout",
            Self::Message => "message_limit",
            Self::MessageTime => "message_timeout",
            Self::InflatedRatio => "inflated_ratio",
            Self::Outbox => "outbox_limit",
            Self::Proxy => "proxy_protocol",
            Self::Tls => "tls",
        }
    }

    /// Whether it may be tried without being enforced.
    fn can_be_tried(self) -> bool {
        !matches!(self, Self::Proxy | Self::Tls)
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// Limits that are tried without being enforced: what they would refuse is counted and told, and let pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DryRun(u32);

impl DryRun {
    /// Only tries the limit of this name; "all": every one.
    ///
    /// # Errors
    /// A sentence that names what was found.
    pub fn add(&mut self, name: &str) -> Result<(), String> {
        if name == "all" {
            for limit in Limit::ALL.into_iter().filter(|limit| limit.can_be_tried()) {
                self.0 |= limit.bit();
            }
            return Ok(());
        }
        let limit = Limit::ALL
            .into_iter()
            .find(|limit| limit.name() == name && limit.can_be_tried());
        self.0 |= limit
            .ok_or_else(|| format!("no limit that can be tried: {name:?}"))?
            .bit();
        Ok(())
    }

    /// Whether this limit is only tried.
    #[inline]
    pub fn has(self, limit: Limit) -> bool {
        self.0 & limit.bit() != 0
    }
}

/// What happens to a connection that talks too fast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RatePolicy {
    /// It is not read for as long as its rate needs.
    #[default]
    Pause,
    /// It is closed with 1008.
    Close,
}

/// Who may come in, and how fast a peer may talk; 0 is no limit.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Most connections of one IPv4 address, or one IPv6 network of 64 bits.
    pub address_connections: usize,
    /// Handshakes a second, in all: upgrades, and TLS handshakes.
    pub handshakes_per_s: u64,
    /// How many may come at once.
    pub handshake_burst: u64,
    /// Handshakes a second of one address.
    pub address_handshakes_per_s: u64,
    /// How many of those may come at once.
    pub address_handshake_burst: u64,
    /// Messages a second of one WebSocket.
    pub messages_per_s: u64,
    /// Bytes a second of one WebSocket.
    pub bytes_per_s: u64,
    /// What happens beyond these two.
    pub rate_policy: RatePolicy,
    /// Those for whom the limits above do not hold.
    pub exempt: Networks,
    /// Proxies that are believed when they name their clients.
    pub trusted: Networks,
    /// In which fields they do.
    pub spelling: Spelling,
    /// What is only tried.
    pub dry_run: DryRun,
}

impl Limits {
    /// Whether this address may send PROXY headers: a trusted proxy; as long as none is named, whoever is on this machine.
    pub(crate) fn may_proxy(&self, address: Option<IpAddr>) -> bool {
        if self.trusted.is_empty() {
            Networks::local().contains(address)
        } else {
            self.trusted.contains(address)
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            address_connections: 512,
            handshakes_per_s: 5_000,
            handshake_burst: 10_000,
            address_handshakes_per_s: 100,
            address_handshake_burst: 500,
            messages_per_s: 10_000,
            bytes_per_s: 128 << 20,
            rate_policy: RatePolicy::default(),
            exempt: Networks::local(),
            trusted: Networks::default(),
            spelling: Spelling::default(),
            dry_run: DryRun::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_a_name_and_a_place_of_its_own() {
        for (index, limit) in Limit::ALL.into_iter().enumerate() {
            assert_eq!(limit as usize, index);
            let mut tried = DryRun::default();
            if !limit.can_be_tried() {
                assert!(tried.add(limit.name()).is_err(), "never only tried");
                continue;
            }
            tried.add(limit.name()).expect("its name");
            assert!(
                Limit::ALL
                    .into_iter()
                    .all(|other| tried.has(other) == (other == limit))
            );
        }
        let mut tried = DryRun::default();
        assert!(tried.add("body_limit").is_err());
        tried.add("all").expect("all of them");
        assert!(
            Limit::ALL
                .into_iter()
                .all(|limit| tried.has(limit) == limit.can_be_tried())
        );
    }
}
