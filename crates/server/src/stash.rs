//! Bytes that were received and must wait to be looked at.

/// Handed out piece by piece, and taken back as far as they were not wanted: however much waits, a piece costs the same.
#[derive(Default)]
pub(crate) struct Stash {
    bytes: Vec<u8>,
    /// Bytes that have been handed out for good. start <= bytes.len()
    start: usize,
}

impl Stash {
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The room they take.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Adds what came after them.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.start > self.len() {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        if self.bytes.is_empty() && self.bytes.capacity() / 2 > bytes.len() {
            // Much came once; it need not take that room ever after.
            self.bytes = Vec::new();
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Hands out the first of them, as many as `room` holds; tells how many.
    pub(crate) fn lend(&mut self, room: &mut [u8]) -> usize {
        let rest = &self.bytes[self.start..];
        let len = rest.len().min(room.len());
        room[..len].copy_from_slice(&rest[..len]);
        self.start += len;
        len
    }

    /// Takes back the last of those that were just handed out.
    pub(crate) fn take_back(&mut self, bytes: &[u8]) {
        self.start -= bytes.len();
        debug_assert!(self.bytes[self.start..].starts_with(bytes));
    }

    /// Gives back room: all of it once nothing waits.
    pub(crate) fn shrink(&mut self) {
        self.bytes.drain(..self.start);
        self.start = 0;
        self.bytes.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_back_comes_again_and_before_what_came_later() {
        let mut stash = Stash::default();
        stash.push(b"abcdef");
        let mut room = [0; 4];
        assert_eq!(stash.lend(&mut room), 4);
        stash.take_back(b"cd");
        stash.push(b"gh");
        assert_eq!(stash.len(), 6);
        let mut all = [0; 16];
        assert_eq!(stash.lend(&mut all), 6);
        assert_eq!(&all[..6], b"cdefgh");
        assert!(stash.is_empty());
        stash.shrink();
        assert_eq!(stash.capacity(), 0);
    }

    #[test]
    fn what_has_been_handed_out_takes_no_room_for_ever() {
        let mut stash = Stash::default();
        let mut room = [0; 1000];
        for _ in 0..1000 {
            stash.push(&[7; 1000]);
            assert_eq!(stash.lend(&mut room), 1000);
            stash.take_back(&room[..1]);
            assert_eq!(stash.lend(&mut room[..1]), 1);
        }
        assert!(stash.capacity() < 10_000, "{}", stash.capacity());
    }
}
