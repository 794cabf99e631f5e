//! The server seen from outside: its processes, their CPU time, their memory.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::net::SocketAddr;

use nix::sys::time::TimeValLike;
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

use crate::failure::Failure;

/// Processes of a server on this machine.
pub(crate) struct Server {
    processes: Vec<u32>,
}

impl Server {
    /// The given process and its descendants.
    pub(crate) fn of(pid: u32) -> Result<Self, Failure> {
        if fs::metadata(format!("/proc/{pid}")).is_err() {
            return Err(Failure::Server(format!("no such process: {pid}")));
        }
        Ok(Self {
            processes: with_descendants(vec![pid]),
        })
    }

    /// The processes that listen at `address`, with their descendants; `None` when they are not to be seen from here.
    pub(crate) fn listening_at(address: SocketAddr) -> Option<Self> {
        let sockets = listening_sockets(address.port());
        let owners: Vec<u32> = processes()
            .filter(|pid| holds_any(*pid, &sockets))
            .collect();
        (!owners.is_empty()).then(|| Self {
            processes: with_descendants(owners),
        })
    }

    /// CPU time of all threads, also those that have ended, in nanoseconds.
    pub(crate) fn cpu_ns(&self) -> Result<u64, Failure> {
        let mut total = 0;
        for pid in &self.processes {
            // The clock of the process is exact at any moment; the figures in /proc lag by up to a scheduler tick.
            let time = clock_getcpuclockid(Pid::from_raw(*pid as i32))
                .and_then(clock_gettime)
                .map_err(|error| {
                    Failure::Server(format!(
                        "cannot read the CPU time of process {pid}: {error}"
                    ))
                })?;
            total += time.num_nanoseconds() as u64;
        }
        Ok(total)
    }

    /// CPU time of each thread that lives, in nanoseconds, with its name; exact to a tick of the scheduler.
    pub(crate) fn threads(&self) -> HashMap<u32, (String, u64)> {
        self.processes
            .iter()
            .flat_map(|&pid| threads(pid))
            .collect()
    }

    /// Memory that only these processes hold, in bytes.
    pub(crate) fn private_bytes(&self) -> Result<u64, Failure> {
        self.processes.iter().map(|pid| private_bytes(*pid)).sum()
    }
}

fn threads(pid: u32) -> impl Iterator<Item = (u32, (String, u64))> {
    numbered(&format!("/proc/{pid}/task")).filter_map(move |tid| {
        let of = |what| fs::read_to_string(format!("/proc/{pid}/task/{tid}/{what}")).ok();
        let cpu_ns = of("schedstat")?.split_whitespace().next()?.parse().ok()?;
        Some((tid, (of("comm")?.trim_end().to_owned(), cpu_ns)))
    })
}

fn private_bytes(pid: u32) -> Result<u64, Failure> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).map_err(|error| {
        Failure::Server(format!("cannot read the memory of process {pid}: {error}"))
    })?;
    let kilobytes = |name: &str| -> u64 {
        rollup
            .lines()
            .find_map(|line| line.strip_prefix(name)?.trim().strip_suffix("kB"))
            .and_then(|number| number.trim().parse().ok())
            .unwrap_or(0)
    };
    Ok(1024 * (kilobytes("Private_Clean:") + kilobytes("Private_Dirty:") + kilobytes("Swap:")))
}

fn processes() -> impl Iterator<Item = u32> {
    numbered("/proc")
}

fn numbered(folder: &str) -> impl Iterator<Item = u32> + use<> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Inodes of the sockets that listen at a port.
fn listening_sockets(port: u16) -> HashSet<String> {
    const LISTEN: &str = "0A";
    let suffix = format!(":{port:04X}");
    let mut inodes = HashSet::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let Ok(table) = fs::read_to_string(table) else {
            continue;
        };
        for line in table.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if let [_, local, _, LISTEN, _, _, _, _, _, inode, ..] = fields[..]
                && local.ends_with(&suffix)
            {
                inodes.insert(format!("socket:[{inode}]"));
            }
        }
    }
    inodes
}

fn holds_any(pid: u32, sockets: &HashSet<String>) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    descriptors.flatten().any(|entry| {
        fs::read_link(entry.path())
            .is_ok_and(|link| link.to_str().is_some_and(|link| sockets.contains(link)))
    })
}

fn with_descendants(mut family: Vec<u32>) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = processes()
        .filter_map(|pid| Some((pid, parent(pid)?)))
        .collect();
    let mut next = 0;
    while next < family.len() {
        let parent = family[next];
        for (pid, of) in &parents {
            if *of == parent && !family.contains(pid) {
                family.push(*pid);
            }
        }
        next += 1;
    }
    family
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything, parentheses and spaces too.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_listener_is_found_by_its_port() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server::listening_at(listener.local_addr().unwrap()).unwrap();
        assert!(server.processes.contains(&std::process::id()));
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert!(Server::listening_at(address).is_none());
    }

    #[test]
    fn cpu_time_grows_and_memory_is_seen() {
        let server = Server::of(std::process::id()).unwrap();
        let before = server.cpu_ns().unwrap();
        let data: Vec<u64> = (0..2_000_000).map(std::hint::black_box).collect();
        assert!(server.cpu_ns().unwrap() > before);
        assert!(server.threads().contains_key(&std::process::id()));
        assert!(server.private_bytes().unwrap() > 8 * data.len() as u64);
    }
}
