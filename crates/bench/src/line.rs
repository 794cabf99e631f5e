//! One open connection: its socket, what it says, what it hears.

use std::os::fd::{AsFd, BorrowedFd};

use hubbub_protocol::deflate::PerMessage;
use hubbub_protocol::endpoint::Role;
use rustix::io::Errno;

use crate::channel::Channel;
use crate::crowd::Floor;
use crate::failure::Failure;
use crate::opening::Opened;
use crate::poll::{Poll, Ready};
use crate::reader::{Lanes, Reader};
use crate::script::Script;
use crate::writer::Writer;

pub(crate) struct Line {
    channel: Channel,
    number: usize,
    reader: Reader,
    pub(crate) writer: Writer,
    /// What came along with the 101.
    early: Vec<u8>,
    watches_writable: bool,
}

impl Line {
    /// Speaks and hears the script from `slot` on.
    pub(crate) fn new(opened: Opened, number: usize, lanes: usize, slot: usize) -> Self {
        let deflate = opened
            .deflate
            .map(|parameters| PerMessage::new(Role::Client, parameters, 0, 1));
        Self {
            channel: opened.channel,
            number,
            reader: Reader::new(number, lanes, deflate).starting_at(slot),
            writer: Writer::starting_at(slot),
            early: opened.early,
            watches_writable: false,
        }
    }

    /// Reads and checks what has arrived, after an event; tells `completed` in which lane how many messages ended.
    pub(crate) fn read(
        &mut self,
        ready: Ready,
        lanes: &Lanes,
        floor: &mut Floor,
        mut completed: impl FnMut(usize, usize),
    ) -> Result<(), Failure> {
        if !self.early.is_empty() {
            let mut early = std::mem::take(&mut self.early);
            self.reader
                .read(&mut early, lanes, &mut floor.codec, &mut completed)?;
        }
        loop {
            let length = match self.channel.recv(&mut floor.buffer) {
                Ok(0) => return Err(self.closed("without a close frame")),
                Ok(length) => length,
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => continue,
                Err(error) => return Err(self.closed(&error.to_string())),
            };
            let bytes = &mut floor.buffer[..length];
            self.reader
                .read(bytes, lanes, &mut floor.codec, &mut completed)?;
            // Edge-triggered: there is more only if this was all the buffer could hold, or the end is near.
            if length < floor.buffer.len() && !ready.is_ended && !self.channel.is_secure() {
                return Ok(());
            }
        }
    }

    /// Sends what is due.
    pub(crate) fn write(&mut self, script: &Script, poll: &Poll) -> Result<(), Failure> {
        let is_done = self
            .channel
            .flush()
            .and_then(|_| {
                let answers = &mut self.reader.answers;
                self.writer.write(&mut self.channel, script, answers)
            })
            .and_then(|is_done| Ok(self.channel.flush()? && is_done))
            .map_err(|error| self.closed(&error.to_string()))?;
        if !is_done && !self.watches_writable {
            poll.watch_writable(&self.channel, self.number)?;
            self.watches_writable = true;
        }
        Ok(())
    }

    /// As [`Channel::stamp`].
    pub(crate) fn stamp(&self) -> Result<(), Failure> {
        self.channel.stamp()
    }

    /// As [`Channel::arrived_ns`].
    pub(crate) fn arrived_ns(&self) -> u64 {
        self.channel.arrived_ns()
    }

    fn closed(&self, reason: &str) -> Failure {
        Failure::Closed {
            connection: self.number,
            reason: reason.to_owned(),
        }
    }
}

impl AsMut<Channel> for Line {
    fn as_mut(&mut self) -> &mut Channel {
        &mut self.channel
    }
}

impl AsFd for Line {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.channel.as_fd()
    }
}
