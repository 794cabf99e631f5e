//! A table of tenants with generations, so that a stale id never meets the next tenant of its slot.

use crate::id::ConnectionId;
use crate::memory::prefetch;

const GENERATION_LIMIT: u32 = 1 << 24;

struct Slot<T> {
    generation: u32,
    tenant: Option<T>,
}

/// Tenants by [`ConnectionId`]; insertion and removal are O(1), freed slots are reused last in, first out.
pub(crate) struct Slab<T> {
    worker: u8,
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub(crate) fn new(worker: u8) -> Self {
        Self {
            worker,
            slots: Vec::new(),
            free: Vec::new(),
        }
    }

    /// How many tenants there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// How many slots have ever been in use: all are below.
    pub(crate) fn slot_count(&self) -> usize {
        self.slots.len()
    }

    /// Whose slot it is at present.
    pub(crate) fn id_at(&self, slot: usize) -> Option<ConnectionId> {
        let place = self.slots.get(slot)?;
        let is_taken = place.tenant.is_some();
        is_taken.then(|| self.id_of(place.generation, slot))
    }

    /// Fetches a tenant into the cache; nothing happens beyond the last slot.
    #[inline]
    pub(crate) fn prefetch(&self, slot: usize) {
        if let Some(place) = self.slots.get(slot) {
            prefetch(place);
        }
    }

    pub(crate) fn insert(&mut self, tenant: T) -> ConnectionId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                generation: 0,
                tenant: None,
            });
            (self.slots.len() - 1) as u32
        });
        let place = &mut self.slots[slot as usize];
        place.tenant = Some(tenant);
        ConnectionId::new(self.worker, place.generation, slot)
    }

    #[inline]
    pub(crate) fn get(&self, id: ConnectionId) -> Option<&T> {
        let place = self.slots.get(id.slot())?;
        if self.id_of(place.generation, id.slot()) != id {
            return None;
        }
        place.tenant.as_ref()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut T> {
        let worker = self.worker;
        let place = self.slots.get_mut(id.slot())?;
        if ConnectionId::new(worker, place.generation, id.slot() as u32) != id {
            return None;
        }
        place.tenant.as_mut()
    }

    pub(crate) fn remove(&mut self, id: ConnectionId) -> Option<T> {
        self.get(id)?;
        let place = &mut self.slots[id.slot()];
        place.generation = (place.generation + 1) % GENERATION_LIMIT;
        self.free.push(id.slot() as u32);
        place.tenant.take()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ConnectionId, &T)> {
        self.slots.iter().enumerate().filter_map(|(slot, place)| {
            place
                .tenant
                .as_ref()
                .map(|tenant| (self.id_of(place.generation, slot), tenant))
        })
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.slots
            .iter_mut()
            .filter_map(|place| place.tenant.as_mut())
    }

    fn id_of(&self, generation: u32, slot: usize) -> ConnectionId {
        ConnectionId::new(self.worker, generation, slot as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_id_does_not_reach_the_next_tenant() {
        let mut slab = Slab::new(3);
        let first = slab.insert("first");
        assert_eq!(slab.remove(first), Some("first"));
        let second = slab.insert("second");
        assert_eq!(first.slot(), second.slot());
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.remove(first), None);
        assert_eq!(slab.get(second), Some(&"second"));
        assert_eq!((second.worker(), slab.len()), (3, 1));
    }

    #[test]
    fn generations_wrap_inside_their_bits() {
        let mut slab = Slab::new(63);
        let id = slab.insert(());
        slab.remove(id);
        slab.slots[0].generation = GENERATION_LIMIT - 1;
        let last = slab.insert(());
        assert_eq!(last.number() >> 62, 0);
        slab.remove(last);
        assert_eq!(slab.insert(()).number(), id.number());
    }
}
