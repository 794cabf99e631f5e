//! This process's place on the machine: processor, descriptors.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::failure::Failure;

/// How many processors the machine has online, whichever of them this thread may use.
pub(crate) fn processors() -> usize {
    std::fs::read_to_string("/proc/stat").map_or(1, |stat| {
        stat.lines()
            .filter(|line| line.starts_with("cpu") && !line.starts_with("cpu "))
            .count()
    })
}

/// Binds the calling thread to one processor.
pub(crate) fn pin(cpu: usize) -> Result<(), Failure> {
    if cpu >= CpuSet::MAX_CPU {
        return Err(Failure::Options(format!("no such processor: {cpu}")));
    }
    let mut set = CpuSet::new();
    set.set(cpu);
    sched_setaffinity(None, &set).map_err(Failure::system("cannot bind to the processor"))
}

/// Lets this process open `count` sockets.
pub(crate) fn allow_sockets(count: usize) -> Result<(), Failure> {
    // Standard streams, the epoll, files in /proc while they are read, whatever the host process has open.
    let needed = count as u64 + 200;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let maximum = limit.maximum.unwrap_or(needed);
    if maximum < needed {
        return Err(Failure::Options(format!(
            "{count} connections need {needed} file descriptors, the limit is {maximum}"
        )));
    }
    let raised = Rlimit {
        current: limit.maximum.or(Some(needed)),
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).map_err(Failure::system(
        "cannot raise the limit of file descriptors",
    ))
}
