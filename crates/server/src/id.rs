//! The name of a connection: which worker, which slot, which tenant of the slot.

/// A connection's name, unique for the life of the process and cheap to copy.
///
/// Layout: 6 bits worker, 24 bits generation, 32 bits slot; the top two bits of the word stay clear for the reactor's own tags.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ConnectionId(u64);

const GENERATION_BITS: u32 = 24;

impl ConnectionId {
    pub(crate) fn new(worker: u8, generation: u32, slot: u32) -> Self {
        debug_assert!(worker < 64 && generation < 1 << GENERATION_BITS);
        Self(u64::from(worker) << 56 | u64::from(generation) << 32 | u64::from(slot))
    }

    /// The number of the worker that owns the connection.
    pub fn worker(self) -> u8 {
        (self.0 >> 56) as u8
    }

    /// The place in the worker's table; reused after the connection is gone.
    #[inline]
    pub fn slot(self) -> usize {
        self.0 as u32 as usize
    }

    /// The whole name as one number, as logs show it.
    #[inline]
    pub fn number(self) -> u64 {
        self.0
    }

    #[inline]
    pub(crate) fn from_number(number: u64) -> Self {
        Self(number)
    }
}

impl std::fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:x}", self.0)
    }
}
