//! Networks of addresses: `192.0.2.0/24`, `2001:db8::/32`, and lists of them.
//!
//! Decides whether an address is on a list, not what that means. An IPv4 address is the same as the IPv6 address it is
//! mapped to (RFC 4291 §2.5.5.2): a socket for both families names its peers by the latter.

use std::net::IpAddr;

/// One network: all addresses with the same first bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    bits: u128,
    /// How many of them count: 0 to 128.
    prefix: u8,
}

/// A list of networks, and perhaps whoever comes by a Unix socket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks {
    list: Vec<Network>,
    unix: bool,
}

/// What [`Networks::parse`] was given is no network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadNetwork(pub String);

impl std::fmt::Display for BadNetwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "expected an address, a network such as 192.0.2.0/24, \"unix\" or \"*\": {:?}",
            self.0
        )
    }
}

impl std::error::Error for BadNetwork {}

impl Networks {
    /// Reads addresses (`192.0.2.7`), networks (`2001:db8::/32`), `unix` and, for everybody, `*`.
    ///
    /// # Errors
    /// The first text that is none of these; a network whose address has bits behind the prefix is none, for one of its
    /// two halves is a mistake.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, BadNetwork> {
        let mut networks = Self::default();
        for text in texts {
            match text {
                "unix" => networks.unix = true,
                "*" => {
                    networks.unix = true;
                    networks.list.push(Network { bits: 0, prefix: 0 });
                }
                _ => networks
                    .list
                    .push(Network::parse(text).ok_or_else(|| BadNetwork(text.to_owned()))?),
            }
        }
        Ok(networks)
    }

    /// This machine: both loopback networks and Unix sockets.
    pub fn local() -> Self {
        Self::parse(["127.0.0.0/8", "::1", "unix"]).expect("written correctly")
    }

    /// Whether nobody is on the list.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty() && !self.unix
    }

    /// Whether an address is in one of the networks; `None` is whoever comes by a Unix socket.
    pub fn contains(&self, address: Option<IpAddr>) -> bool {
        let Some(address) = address else {
            return self.unix;
        };
        let bits = bits(address);
        self.list.iter().any(|network| network.has(bits))
    }
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => width,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok().filter(|prefix| *prefix <= width)?
            }
            Some(_) => return None,
        };
        let network = Self {
            bits: bits(address),
            prefix: 128 - width + prefix,
        };
        (network.bits & !network.mask() == 0).then_some(network)
    }

    fn mask(self) -> u128 {
        match self.prefix {
            0 => 0,
            prefix => u128::MAX << (128 - prefix),
        }
    }

    fn has(self, bits: u128) -> bool {
        (bits ^ self.bits) & self.mask() == 0
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn has(networks: &[&str], address: &str) -> bool {
        let networks = Networks::parse(networks.iter().copied()).expect("networks");
        networks.contains(Some(address.parse().expect("an address")))
    }

    #[test]
    fn addresses_are_inside_or_not() {
        assert!(has(&["192.0.2.0/24"], "192.0.2.255"));
        assert!(has(&["192.0.2.0/24"], "::ffff:192.0.2.1"));
        assert!(has(&["::ffff:192.0.2.0/120"], "192.0.2.1"));
        assert!(!has(&["192.0.2.0/24"], "192.0.3.0"));
        assert!(!has(&["0.0.0.0/0"], "::1"));
        assert!(has(&["10.0.0.1", "2001:db8::/32"], "2001:db8:ffff::1"));
        assert!(!has(&["10.0.0.1", "2001:db8::/32"], "10.0.0.2"));
        assert!(!has(&["unix"], "127.0.0.1"));
        assert!(has(&["*"], "203.0.113.9") && has(&["*"], "2001:db8::1"));
    }

    #[test]
    fn who_comes_by_a_unix_socket_has_no_address() {
        let has = |text| Networks::parse([text]).expect("a network").contains(None);
        assert!(has("unix") && has("*") && !has("::/0"));
        assert!(Networks::local().contains(None) && !Networks::default().contains(None));
        assert!(Networks::default().is_empty() && !Networks::local().is_empty());
    }

    #[test]
    fn what_is_no_network_is_named() {
        for bad in [
            "",
            "localhost",
            "192.0.2",
            "192.0.2.1/24",
            "192.0.2.0/33",
            "192.0.2.0/",
            "192.0.2.0/+8",
            "192.0.2.0/-1",
            "::/129",
            "192.0.2.0/24/24",
            "01.2.3.4",
            "[::1]",
            " ::1",
            "UNIX",
        ] {
            assert_eq!(
                Networks::parse(["::1", bad]),
                Err(BadNetwork(bad.to_owned()))
            );
        }
    }

    proptest! {
        #[test]
        fn a_network_has_exactly_those_with_its_first_bits(
            network in any::<u32>(), prefix in 0_u8..=32, other in any::<u32>()
        ) {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            let base = std::net::Ipv4Addr::from(network & mask);
            let networks = Networks::parse([format!("{base}/{prefix}").as_str()]).unwrap();
            for address in [other, network ^ (other & !mask), network ^ 1] {
                let found = networks.contains(Some(std::net::Ipv4Addr::from(address).into()));
                prop_assert_eq!(found, address & mask == network & mask);
            }
        }
    }
}
