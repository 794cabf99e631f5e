//! A table of descriptors that need not grow while people come in.
//!
//! Linux doubles a process's table when it is full, and a process with several threads then waits until no processor can still
//! be looking at the old one (`expand_fdtable` in fs/file.c): ten to forty milliseconds, in which thousands may knock, each
//! time that twice as many are connected. A table never shrinks, so to have used a high number once is enough.

use std::os::fd::AsFd;

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource, getrlimit};

/// So many descriptors are made room for at most, which takes half a MiB of the kernel's memory.
const MOST: u64 = 1 << 16;

/// Makes room for as many descriptors as the process may have. A wish: where it fails, the table grows later.
pub(crate) fn make_room(any: impl AsFd) {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(MOST);
    let highest = limit.min(MOST).saturating_sub(1);
    drop(fcntl_dupfd_cloexec(any, highest as i32));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `/proc` calls the size of the table.
    fn table_size() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("FDSize:"));
        line.expect("it is there").trim().parse().expect("a number")
    }

    #[test]
    fn there_is_room_for_all_that_may_be() {
        make_room(std::io::stdin());
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(MOST);
        assert!(table_size() >= limit.min(MOST));
    }
}
