//! Short slices of the processor: who has little to do should not wait until others have done much.
//!
//! Linux lets a thread that works go on until its slice of about 3 ms is over, even where one is woken that has waited long and has
//! more of a claim (EEVDF, since 6.6). Since 6.12 a thread may ask for shorter slices: it gets the same share of the processor in
//! smaller pieces, and sooner, for who is woken for a short one interrupts a long one (`sched(7)`, `sched_setattr(2)`). For a
//! server that shares its processors this is the difference between answers after half a millisecond and after four.

#![allow(unsafe_code)]

use std::io;

/// More than a batch usually takes.
const SLICE_NS: u64 = 300_000;
/// `struct sched_attr` as it was first, which all kernels know.
const SIZE_BYTES: usize = size_of::<libc::sched_attr>();

/// Asks for short slices for the calling thread, not for those that it starts. A wish: nothing happens where it cannot be granted.
///
/// It changes neither policy nor priority: a thread that somebody has made a real-time one, or one that only works when nobody else
/// does, stays that.
pub fn prefer_short_slices() {
    let _ = ask_for(SLICE_NS);
}

fn ask_for(slice_ns: u64) -> io::Result<()> {
    let mut wanted = scheduling()?;
    if wanted.sched_policy != libc::SCHED_OTHER as u32 {
        return Ok(());
    }
    wanted.sched_runtime = slice_ns;
    if wanted.sched_nice >= 0 {
        // What is started from here works long as a rule: helpers, threads for what blocks. The flag would take a priority
        // above the usual from them, too, and that is not ours to take.
        wanted.sched_flags |= libc::SCHED_FLAG_RESET_ON_FORK as u64;
    }
    // SAFETY: the structure lives until the call is over, says its size itself, and is only read.
    let told = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const wanted, 0) };
    is_done(told)
}

/// How the calling thread is scheduled.
fn scheduling() -> io::Result<libc::sched_attr> {
    let mut found = libc::sched_attr {
        size: SIZE_BYTES as u32,
        sched_policy: 0,
        sched_flags: 0,
        sched_nice: 0,
        sched_priority: 0,
        sched_runtime: 0,
        sched_deadline: 0,
        sched_period: 0,
    };
    // SAFETY: the system writes no more than it is told that the structure has, all of whose patterns of bits are values.
    let told = unsafe {
        libc::syscall(
            libc::SYS_sched_getattr,
            0,
            &raw mut found,
            SIZE_BYTES as u32,
            0,
        )
    };
    is_done(told).map(|()| found)
}

fn is_done(told: libc::c_long) -> io::Result<()> {
    match told {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kernels before 6.12 tell no slices.
    fn slice(of: &libc::sched_attr) -> Option<u64> {
        Some(of.sched_runtime).filter(|&slice| slice > 0)
    }

    #[test]
    fn only_the_slice_changes_and_only_here() {
        let test = || {
            let before = scheduling().expect("one's own can be seen");
            ask_for(SLICE_NS).expect("this needs no rights");
            let after = scheduling().expect("as before");
            assert_eq!(
                (after.sched_policy, after.sched_nice, after.sched_priority),
                (
                    before.sched_policy,
                    before.sched_nice,
                    before.sched_priority
                )
            );
            assert_eq!(slice(&after), slice(&before).map(|_| SLICE_NS));
            let started = std::thread::spawn(|| scheduling().expect("as before"));
            let started = started.join().expect("it cannot panic");
            assert_eq!(slice(&started), slice(&before));
        };
        std::thread::spawn(test).join().expect("as asserted");
    }

    #[test]
    fn who_works_only_when_nobody_else_does_stays_so() {
        let test = || {
            let idle = libc::sched_attr {
                sched_policy: libc::SCHED_IDLE as u32,
                ..scheduling().expect("one's own can be seen")
            };
            // SAFETY: as above.
            let told = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const idle, 0) };
            is_done(told).expect("this needs no rights");
            prefer_short_slices();
            let after = scheduling().expect("as before");
            assert_eq!(after.sched_policy, libc::SCHED_IDLE as u32);
        };
        std::thread::spawn(test).join().expect("as asserted");
    }
}
