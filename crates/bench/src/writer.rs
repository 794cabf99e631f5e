//! The sending side of one connection: as many frames of the script in one system call as are due.

use rustix::io::Errno;

use crate::channel::Channel;
use crate::script::Script;

/// One connection's place in what it has to say.
pub(crate) struct Writer {
    slot: usize,
    /// Bytes of the frame at `slot` that have been sent.
    offset: usize,
    /// Messages that are due and not wholly sent.
    due: usize,
}

impl Writer {
    pub(crate) fn starting_at(slot: usize) -> Self {
        Self {
            slot,
            offset: 0,
            due: 0,
        }
    }

    /// `count` more messages may be sent.
    pub(crate) fn add(&mut self, count: usize) {
        self.due += count;
    }

    /// Sends what is due, and `answers` between two frames. `false`: the socket is full, the rest must wait until it is
    /// writable.
    pub(crate) fn write(
        &mut self,
        channel: &mut Channel,
        script: &Script,
        answers: &mut Vec<u8>,
    ) -> Result<bool, Errno> {
        loop {
            let is_answering = self.offset == 0 && !answers.is_empty();
            let count = self.due.min(script.len());
            let bytes = if is_answering {
                &answers[..]
            } else if count > 0 {
                &script.frames(self.slot, count)[self.offset..]
            } else {
                return Ok(true);
            };
            let mut sent = match channel.send(bytes) {
                Ok(sent) => sent,
                Err(Errno::AGAIN) => return Ok(false),
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error),
            };
            if is_answering {
                answers.drain(..sent);
                continue;
            }
            if sent == bytes.len() {
                self.offset = 0;
                self.slot = script.after(self.slot, count);
                self.due -= count;
                continue;
            }
            while sent > 0 {
                let left = script.frames(self.slot, 1).len() - self.offset;
                if sent < left {
                    self.offset += sent;
                    break;
                }
                sent -= left;
                self.offset = 0;
                self.slot = script.after(self.slot, 1);
                self.due -= 1;
            }
        }
    }
}
