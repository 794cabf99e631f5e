//! Who may come in: how many of one address, and how many handshakes a second.
//!
//! All threads of a server share one door: connections are accepted in one of them, but a proxy names its client where the
//! connection is served. Everything in here is therefore an atomic, and nobody waits.
//!
//! Addresses are counted in a table of fixed size, so that whoever has many of them cannot fill our memory. Two cells belong to
//! each address, chosen by a hash that nobody outside can predict, and the emptier one is believed (a count-min sketch):
//! a stranger is refused in error only if both of his cells happen to be those of somebody who is over the limit.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use crate::bucket::{Bucket, Rate};
use crate::limits::{Limit, Limits};

/// Cells of one row; two rows of counts and of buckets are 384 KiB, taken when the first stranger comes.
const CELLS: usize = 1 << 14;
/// How many that have been refused may wait at a time for the end of what they are told.
const LINGERING_MAX: usize = 128;

/// Where an address is counted; [`Seat::NONE`] for who is not. Given back with [`Door::leave`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seat(u64);

impl Seat {
    /// Nobody's.
    pub(crate) const NONE: Self = Self(0);

    fn cells(self) -> [usize; 2] {
        let row = |shift: u32| (self.0 >> shift) as usize % CELLS;
        [row(0), CELLS + row(32)]
    }
}

/// See the module.
pub(crate) struct Door {
    limits: Limits,
    handshakes: Option<Rate>,
    address_handshakes: Option<Rate>,
    all: AtomicU64,
    table: OnceLock<Table>,
    hasher: RandomState,
    lingering: AtomicUsize,
}

struct Table {
    counts: Box<[AtomicU32]>,
    buckets: Box<[AtomicU64]>,
}

impl Table {
    fn new() -> Self {
        Self {
            counts: (0..2 * CELLS).map(|_| AtomicU32::new(0)).collect(),
            buckets: (0..2 * CELLS).map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

impl Door {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            handshakes: Rate::new(limits.handshakes_per_s, limits.handshake_burst),
            address_handshakes: Rate::new(
                limits.address_handshakes_per_s,
                limits.address_handshake_burst,
            ),
            limits: limits.clone(),
            all: AtomicU64::new(0),
            table: OnceLock::new(),
            hasher: RandomState::new(),
            lingering: AtomicUsize::new(0),
        }
    }

    /// Whether the limits hold for an address; `None` is a Unix socket. They hold for a trusted proxy's clients, and not for
    /// the proxy.
    pub(crate) fn minds(&self, address: Option<IpAddr>) -> bool {
        !self.limits.exempt.contains(address) && !self.limits.trusted.contains(address)
    }

    /// A connection of this address comes in.
    ///
    /// # Errors
    /// The address has as many as it may. Nothing is counted then, unless the limit is only tried.
    pub(crate) fn enter(&self, address: IpAddr) -> Result<Seat, Seat> {
        if self.limits.address_connections == 0 || !self.minds(Some(address)) {
            return Ok(Seat::NONE);
        }
        let table = self.table.get_or_init(Table::new);
        let seat = self.seat(address);
        let before = seat
            .cells()
            .map(|cell| table.counts[cell].fetch_add(1, Ordering::Relaxed))
            .into_iter()
            .min();
        if before.is_some_and(|before| before as usize >= self.limits.address_connections) {
            return Err(seat);
        }
        Ok(seat)
    }

    /// Gives a seat back.
    pub(crate) fn leave(&self, seat: Seat) {
        if seat != Seat::NONE
            && let Some(table) = self.table.get()
        {
            for cell in seat.cells() {
                table.counts[cell].fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    /// Somebody wants to shake hands.
    ///
    /// # Errors
    /// The limit that stands against it.
    pub(crate) fn shake(&self, address: Option<IpAddr>, now_ns: u64) -> Result<(), Limit> {
        if !self.minds(address) {
            return Ok(());
        }
        if let (Some(rate), Some(address)) = (self.address_handshakes, address) {
            let table = self.table.get_or_init(Table::new);
            let cells = self.seat(address).cells();
            // Both are charged, but for one that has nothing left and belongs, it seems, to somebody else as well.
            let given = cells.map(|cell| take(&table.buckets[cell], rate, now_ns));
            if given == [false, false] {
                return Err(Limit::AddressHandshakes);
            }
        }
        match self.handshakes {
            Some(rate) if !take(&self.all, rate, now_ns) => Err(Limit::Handshakes),
            _ => Ok(()),
        }
    }

    /// Whether one more that has been refused may stay until it has heard so.
    pub(crate) fn may_linger(&self) -> bool {
        self.lingering() < LINGERING_MAX
    }

    /// How many do.
    pub(crate) fn lingering(&self) -> usize {
        self.lingering.load(Ordering::Relaxed)
    }

    pub(crate) fn linger(&self) {
        self.lingering.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn linger_no_more(&self) {
        self.lingering.fetch_sub(1, Ordering::Relaxed);
    }

    fn seat(&self, address: IpAddr) -> Seat {
        // Who has one IPv6 address has 2^64 of them.
        let key = match address.to_canonical() {
            IpAddr::V4(v4) => (4_u8, u64::from(v4.to_bits())),
            IpAddr::V6(v6) => (6_u8, (v6.to_bits() >> 64) as u64),
        };
        Seat(self.hasher.hash_one(key).max(1))
    }
}

/// Takes one from a bucket that several threads share.
fn take(place: &AtomicU64, rate: Rate, now_ns: u64) -> bool {
    place
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at_ns| {
            let mut bucket = Bucket::full_at(full_at_ns);
            bucket.take(rate, 1, now_ns).ok()?;
            Some(bucket.full_at_ns())
        })
        .is_ok()
}

#[cfg(test)]
mod tests {
    use hubbub_protocol::network::Networks;

    use super::*;

    const SECOND_NS: u64 = 1_000_000_000;

    fn door() -> Door {
        Door::new(&Limits {
            address_connections: 3,
            handshakes_per_s: 1_000,
            handshake_burst: 1_000,
            address_handshakes_per_s: 10,
            address_handshake_burst: 5,
            trusted: Networks::parse(["10.0.0.0/8"]).expect("a network"),
            ..Limits::default()
        })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_has_its_number_and_others_have_theirs() {
        let door = door();
        let seats: Vec<_> = (0..3)
            .map(|_| door.enter(ip("192.0.2.1")).expect("room"))
            .collect();
        let over = door.enter(ip("192.0.2.1")).expect_err("no room");
        door.leave(over);
        assert!(door.enter(ip("192.0.2.2")).is_ok());
        door.leave(seats[0]);
        assert!(door.enter(ip("192.0.2.1")).is_ok());
    }

    #[test]
    fn a_network_of_64_bits_is_one_address() {
        let door = door();
        for host in 0..3 {
            assert!(door.enter(ip(&format!("2001:db8::{host}"))).is_ok());
        }
        assert!(door.enter(ip("2001:db8:0:0:ffff::1")).is_err());
        assert!(door.enter(ip("2001:db8:0:1::1")).is_ok());
        // However an IPv4 address is written.
        for _ in 0..3 {
            assert!(door.enter(ip("::ffff:192.0.2.9")).is_ok());
        }
        assert!(door.enter(ip("192.0.2.9")).is_err());
    }

    #[test]
    fn who_is_exempt_takes_no_seat() {
        let door = door();
        for _ in 0..100 {
            assert_eq!(door.enter(ip("127.0.0.1")), Ok(Seat::NONE));
            assert_eq!(door.enter(ip("10.1.2.3")), Ok(Seat::NONE));
            assert_eq!(door.shake(None, 0), Ok(()));
            assert_eq!(door.shake(Some(ip("::1")), 0), Ok(()));
        }
        assert!(door.table.get().is_none());
    }

    #[test]
    fn handshakes_are_rationed_by_address_and_in_all() {
        let door = door();
        let now = 5 * SECOND_NS;
        let shakes = |address: u32, now| {
            let address = IpAddr::V4(address.into());
            (0..100)
                .take_while(|_| door.shake(Some(address), now).is_ok())
                .count()
        };
        assert_eq!(shakes(1, now), 5);
        let now = now + SECOND_NS / 10;
        assert_eq!(shakes(1, now), 1);
        // 5 of each: the bucket of all is empty before everybody had his own.
        let given: usize = (2..1000).map(|address| shakes(address, now)).sum();
        assert_eq!(given, 999);
        assert_eq!(
            door.shake(Some(ip("192.0.2.200")), now),
            Err(Limit::Handshakes)
        );
    }

    #[test]
    fn a_crowd_of_addresses_is_not_mistaken_for_one() {
        let door = Door::new(&Limits {
            address_connections: 64,
            ..Limits::default()
        });
        let refused = (0..20_000_u32)
            .filter(|address| {
                door.enter(IpAddr::V4((0x0b00_0000 + address).into()))
                    .is_err()
            })
            .count();
        assert_eq!(refused, 0);
    }
}
