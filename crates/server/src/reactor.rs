//! epoll, and what its 64 bits of user data mean. Level-triggered.
//!
//! Knows nothing of connections but their ids.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use rustix::event::Timespec;
pub use rustix::event::epoll::EventFlags as Interest;
use rustix::event::epoll::{self, Event as Ready, EventData};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

use crate::id::ConnectionId;

const LISTENER: u64 = 1 << 63;
const FOREIGN: u64 = 1 << 62;
const TIMER: u64 = LISTENER | FOREIGN;
const BELL: u64 = TIMER | 1;

/// How many ready descriptors one wait hands over: the bound of a batch.
const BATCH: usize = 256;

/// Whose descriptor is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Connection(ConnectionId),
    Listener(u32),
    /// A descriptor of the caller's own (asyncio's), by its number.
    Foreign(RawFd),
    Timer,
    /// Another thread has put something into a mailbox.
    Bell,
}

impl Token {
    fn data(self) -> EventData {
        EventData::new_u64(match self {
            Token::Connection(id) => id.number(),
            Token::Listener(index) => LISTENER | u64::from(index),
            Token::Foreign(fd) => FOREIGN | u64::from(fd as u32),
            Token::Timer => TIMER,
            Token::Bell => BELL,
        })
    }

    #[inline]
    pub(crate) fn of(ready: &Ready) -> Self {
        let data = ready.data.u64();
        match data & TIMER {
            0 => Token::Connection(ConnectionId::from_number(data)),
            LISTENER => Token::Listener(data as u32),
            FOREIGN => Token::Foreign(data as u32 as RawFd),
            _ if data == BELL => Token::Bell,
            _ => Token::Timer,
        }
    }
}

/// One epoll instance and, where somebody else waits on it, a timer inside it.
pub(crate) struct Reactor {
    epoll: OwnedFd,
    timer: Option<OwnedFd>,
}

impl Reactor {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            timer: None,
        })
    }

    pub(crate) fn epoll(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }

    pub(crate) fn add(&self, fd: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, fd, token.data(), interest)?)
    }

    pub(crate) fn modify(&self, fd: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        Ok(epoll::modify(&self.epoll, fd, token.data(), interest)?)
    }

    pub(crate) fn delete(&self, fd: impl AsFd) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, fd)?)
    }

    /// Makes the epoll descriptor itself become readable after `after`: for callers that only watch it.
    pub(crate) fn arm_timer(&mut self, after: Option<Duration>) -> io::Result<()> {
        if self.timer.is_none() {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            self.add(&timer, Token::Timer, Interest::IN)?;
            self.timer = Some(timer);
        }
        let timer = self.timer.as_ref().expect("made above");
        // Zero would disarm it.
        let span = after.map_or(Duration::ZERO, |after| after.max(Duration::from_nanos(1)));
        let it_value = Timespec {
            tv_sec: span.as_secs() as i64,
            tv_nsec: span.subsec_nanos().into(),
        };
        let once = Itimerspec {
            it_interval: Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            },
            it_value,
        };
        timerfd_settime(timer, TimerfdTimerFlags::empty(), &once)?;
        Ok(())
    }

    /// Takes the timer's tick off, so that the descriptor is quiet until it is armed again.
    pub(crate) fn quiet_timer(&self) {
        if let Some(timer) = &self.timer {
            // It may have been armed anew meanwhile: then there is nothing to read, and that is right too.
            let _ = rustix::io::read(timer, &mut [0; 8]);
        }
    }
}

/// What one wait has found.
#[derive(Default)]
pub struct ReadyList(Vec<Ready>);

// SAFETY: the user data of an event is a union that may hold a pointer; ours is always a number (see `Token::data`), so
// nothing in the list refers to anything in this thread.
#[allow(unsafe_code)]
unsafe impl Send for ReadyList {}

impl ReadyList {
    /// Waits for ready descriptors, at most `timeout` (for ever if `None`).
    ///
    /// A signal ends the wait with nothing ready, so that the caller can look at its own flags.
    ///
    /// # Errors
    /// What epoll_wait(2) may fail with, but for `EINTR`.
    pub fn wait(&mut self, epoll: BorrowedFd<'_>, timeout: Option<Duration>) -> io::Result<()> {
        self.0.clear();
        self.0.reserve(BATCH);
        let timeout = timeout.map(|span| {
            // epoll counts milliseconds; rounding down would spin through the last one.
            let ms = span.as_nanos().div_ceil(1_000_000).min(i32::MAX as u128) as i64;
            Timespec {
                tv_sec: ms / 1000,
                tv_nsec: (ms % 1000) * 1_000_000,
            }
        });
        match epoll::wait(
            epoll,
            rustix::buffer::spare_capacity(&mut self.0),
            timeout.as_ref(),
        ) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Ready> {
        self.0.get(index)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Takes over a descriptor that was inherited by number.
///
/// # Errors
/// `EBADF` when there is no such descriptor.
#[allow(unsafe_code)]
pub(crate) fn adopt(fd: RawFd) -> io::Result<OwnedFd> {
    // A number that is not open must not become an OwnedFd: it would close somebody else's later.
    if fd < 0 || std::fs::symlink_metadata(format!("/proc/self/fd/{fd}")).is_err() {
        return Err(rustix::io::Errno::BADF.into());
    }
    // SAFETY: the descriptor is open, and whoever names it in the settings gives it to this server.
    let owned = unsafe { OwnedFd::from_raw_fd(fd) };
    rustix::io::fcntl_setfd(&owned, rustix::io::FdFlags::CLOEXEC)?;
    Ok(owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_survive_the_trip_through_the_kernel() {
        let id = ConnectionId::new(63, (1 << 24) - 1, u32::MAX);
        for token in [
            Token::Connection(id),
            Token::Listener(7),
            Token::Foreign(19_999),
            Token::Timer,
            Token::Bell,
        ] {
            let ready = Ready {
                flags: Interest::IN,
                data: token.data(),
            };
            assert_eq!(Token::of(&ready), token);
        }
    }

    #[test]
    fn the_timer_wakes_and_falls_quiet() {
        let mut reactor = Reactor::new().expect("epoll");
        reactor.arm_timer(Some(Duration::ZERO)).expect("timerfd");
        let mut ready = ReadyList::default();
        ready.wait(reactor.epoll(), None).expect("wait");
        assert_eq!(ready.get(0).map(Token::of), Some(Token::Timer));
        reactor.quiet_timer();
        ready
            .wait(reactor.epoll(), Some(Duration::ZERO))
            .expect("wait");
        assert_eq!(ready.len(), 0);
    }
}
