//! Waiting for sockets, and how much of the time was waiting.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, Event, EventData, EventFlags};
use rustix::io::Errno;

use crate::failure::Failure;
use crate::machine;

const EVENTS_PER_TURN: usize = 1024;

/// How long to look again and again before sleeping.
///
/// A sleeping client must be woken by the server's `send`, and an interrupt to an idle processor costs the server more
/// than its echo does (a virtual machine leaves for the hypervisor). A client on another machine costs it nothing.
const SPIN_NS: u64 = 200_000;

/// What happened to one socket.
#[derive(Clone, Copy)]
pub(crate) struct Ready {
    pub(crate) number: usize,
    /// The server will send no more; what it had sent can still be read.
    pub(crate) is_ended: bool,
}

/// An epoll that knows the time it spent idle.
pub(crate) struct Poll {
    epoll: OwnedFd,
    events: Vec<Event>,
    epoch: Instant,
    idle_ns: u64,
    spin_ns: u64,
}

impl Poll {
    pub(crate) fn new() -> Result<Self, Failure> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)
            .map_err(Failure::system("cannot create an epoll"))?;
        // On a single processor, spinning keeps the server from running.
        let has_company = machine::processors() > 1;
        Ok(Self {
            epoll,
            events: Vec::with_capacity(EVENTS_PER_TURN),
            epoch: Instant::now(),
            idle_ns: 0,
            spin_ns: if has_company { SPIN_NS } else { 0 },
        })
    }

    /// Nanoseconds since this was made: the clock of all measurements.
    pub(crate) fn now(&self) -> u64 {
        self.epoch.elapsed().as_nanos() as u64
    }

    /// Time in which there was nothing to do.
    pub(crate) fn idle_ns(&self) -> u64 {
        self.idle_ns
    }

    /// Edge-triggered: whoever is told of bytes reads until they are less than the buffer would have held.
    pub(crate) fn add(
        &self,
        socket: impl AsFd,
        number: usize,
        writable: bool,
    ) -> Result<(), Failure> {
        epoll::add(
            &self.epoll,
            socket,
            EventData::new_u64(number as u64),
            flags(writable),
        )
        .map_err(Failure::system("cannot watch a socket"))
    }

    pub(crate) fn watch_writable(&self, socket: impl AsFd, number: usize) -> Result<(), Failure> {
        epoll::modify(
            &self.epoll,
            socket,
            EventData::new_u64(number as u64),
            flags(true),
        )
        .map_err(Failure::system("cannot watch a socket"))
    }

    /// Waits for events, until `until_ns` at most. Then `ready` tells them one by one.
    pub(crate) fn turn(&mut self, until_ns: u64) -> Result<usize, Failure> {
        if self.wait(0)? > 0 {
            return Ok(self.events.len());
        }
        let began = self.now();
        let mut now = began;
        while now < until_ns {
            let sleep_ns = if now - began < self.spin_ns {
                // A little distance between looks keeps the epoll's lock free for the server's wake-ups.
                for _ in 0..16 {
                    std::hint::spin_loop();
                }
                0
            } else {
                until_ns - now
            };
            let count = self.wait(sleep_ns)?;
            now = self.now();
            if count > 0 {
                break;
            }
        }
        self.idle_ns += now - began;
        Ok(self.events.len())
    }

    pub(crate) fn ready(&self, index: usize) -> Ready {
        let Event { flags, data } = self.events[index];
        Ready {
            number: data.u64() as usize,
            is_ended: flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR),
        }
    }

    fn wait(&mut self, timeout_ns: u64) -> Result<usize, Failure> {
        let timeout = Timespec {
            tv_sec: (timeout_ns / 1_000_000_000) as i64,
            tv_nsec: (timeout_ns % 1_000_000_000) as _,
        };
        self.events.clear();
        match epoll::wait(
            &self.epoll,
            spare_capacity(&mut self.events),
            Some(&timeout),
        ) {
            Ok(count) => Ok(count),
            Err(Errno::INTR) => Ok(0),
            Err(error) => Err(Failure::system("cannot wait for sockets")(error)),
        }
    }
}

fn flags(writable: bool) -> EventFlags {
    let flags = EventFlags::IN | EventFlags::RDHUP | EventFlags::ET;
    if writable {
        flags | EventFlags::OUT
    } else {
        flags
    }
}
