//! How much there is to budget with.

use rustix::system::sysinfo;

/// How much memory this machine has, in bytes.
pub fn system_memory_bytes() -> u64 {
    let info = sysinfo();
    info.totalram * u64::from(info.mem_unit)
}
