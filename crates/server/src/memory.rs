//! Large buffers in large pages, and what will be needed soon in the cache.
//!
//! A message of 16 MiB is 4,096 pages, in each place it passes through; that the system finds and clears them one by one costs
//! more than all copying. Where it offers pages of 2 MiB on demand, it is asked for them.

#![allow(unsafe_code)]

use std::ops::Range;

use rustix::mm::{Advice, madvise};

/// From here on it is worth a system call: of what is smaller, the ends would be half of it.
const LARGE_BYTES: usize = 4 << 20;
const PAGE_BYTES: usize = 4096;

/// Asks for large pages where an allocation has none yet. A wish: nothing happens where it cannot be granted.
///
/// It must be asked for all of an allocation that may yet grow: the system moves as one only what is alike.
#[inline]
pub fn prefer_large_pages(allocation: Range<*const u8>) {
    let length = allocation.end.addr() - allocation.start.addr();
    if length >= LARGE_BYTES {
        advise(allocation.start, length);
    }
}

#[cold]
fn advise(start: *const u8, length: usize) {
    let before = start.addr() % PAGE_BYTES;
    let pages = start.wrapping_sub(before).cast_mut();
    // SAFETY: the advice changes neither what stands in memory nor who may touch it, whosever it is.
    let _ = unsafe { madvise(pages.cast(), length + before, Advice::LinuxHugepage) };
}

const LINE_BYTES: usize = 64;

/// Fetches what will be needed soon while something else is done. A system call leaves little of ours in the cache, and
/// thousands of connections do not fit in it anyway.
#[inline]
pub(crate) fn prefetch<T>(wanted: &T) {
    let start = std::ptr::from_ref(wanted).cast::<i8>();
    for offset in (0..size_of::<T>()).step_by(LINE_BYTES) {
        prefetch_line(start.wrapping_add(offset));
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn prefetch_line(line: *const i8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: a hint: it reads nothing that the program could see, and an address that cannot be read is no fault.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(line) }
}

/// The others look ahead well enough, or offer nothing that is stable.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn prefetch_line(_line: *const i8) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_can_be_used_and_grows() {
        for size in [
            0,
            1,
            PAGE_BYTES,
            LARGE_BYTES - 1,
            LARGE_BYTES,
            LARGE_BYTES + 5,
        ] {
            let mut bytes: Vec<u8> = Vec::with_capacity(size);
            let start = bytes.as_ptr();
            prefer_large_pages(start..start.wrapping_add(bytes.capacity()));
            bytes.resize(size, 7);
            bytes.resize(2 * size, 7);
            assert!(bytes.iter().all(|&byte| byte == 7));
        }
    }
}
