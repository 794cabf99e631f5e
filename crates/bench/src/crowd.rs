//! Many connections: opened side by side, but not all at once; closed in good order.

use hubbub_protocol::deflate::Codec;
use hubbub_protocol::endpoint::{Endpoint, Role};
use rustix::io::Errno;

use crate::channel::Channel;
use crate::failure::Failure;
use crate::opening::{Greeting, Opened, Opening, PATIENCE_NS};
use crate::options::Options;
use crate::poll::Poll;
use crate::reader::Lanes;
use crate::script::{MASK, Script};
use crate::target::Target;

const BUFFER_BYTES: usize = 512 * 1024;
/// How long servers have for their goodbyes.
const FAREWELL_NS: u64 = 2_000_000_000;

/// The poll, the buffer, the codec: what all modes work with.
pub(crate) struct Floor {
    pub(crate) poll: Poll,
    pub(crate) buffer: Vec<u8>,
    pub(crate) codec: Codec,
}

impl Floor {
    pub(crate) fn new() -> Result<Self, Failure> {
        Ok(Self {
            poll: Poll::new()?,
            buffer: vec![0; BUFFER_BYTES],
            codec: Codec::new(1),
        })
    }
}

/// All connections, and the longest time that one of them took.
pub(crate) struct Crowd {
    pub(crate) members: Vec<Opened>,
    pub(crate) longest_wait_ns: u64,
}

impl Crowd {
    pub(crate) fn open(
        options: &Options,
        target: &Target,
        floor: &mut Floor,
    ) -> Result<Self, Failure> {
        let mut greeting = Greeting::new(target.clone(), options.deflate)?;
        let mut openings: Vec<Option<Opening>> = Vec::with_capacity(options.connections);
        let mut members: Vec<Option<Opened>> = Vec::with_capacity(options.connections);
        members.resize_with(options.connections, || None);
        let (mut done, mut longest_wait_ns, mut last_ns) = (0, 0, floor.poll.now());
        while done < options.connections {
            while openings.len() < options.connections && openings.len() - done < options.opening {
                let opening = Opening::begin(&greeting, &floor.poll, openings.len())?;
                openings.push(Some(opening));
            }
            let now = floor.poll.now();
            if now - last_ns > PATIENCE_NS {
                return Err(Failure::Stalled {
                    waiting_for: format!("{done} of {} connections are open", options.connections),
                    seconds: (now - last_ns) as f64 / 1e9,
                });
            }
            for index in 0..floor.poll.turn(now + 100_000_000)? {
                let number = floor.poll.ready(index).number;
                let Some(opening) = &mut openings[number] else {
                    continue;
                };
                let Some(answer) = opening.advance(&mut greeting, &mut floor.buffer)? else {
                    continue;
                };
                last_ns = floor.poll.now();
                longest_wait_ns = longest_wait_ns.max(last_ns - opening.began_ns);
                members[number] = openings[number]
                    .take()
                    .map(|opening| opening.finish(&answer));
                done += 1;
            }
        }
        let members: Vec<Opened> = members.into_iter().flatten().collect();
        for member in &members {
            target.tune(&member.channel)?;
        }
        Ok(Self {
            members,
            longest_wait_ns,
        })
    }

    /// What speakers say, each in a lane of their own, from `slots` messages that differ.
    pub(crate) fn lanes(
        &self,
        options: &Options,
        speakers: usize,
        slots: usize,
        codec: &mut Codec,
    ) -> Lanes {
        let deflate = self.members.first().and_then(|member| member.deflate);
        let (content, size_bytes) = (options.content, options.size_bytes);
        let script = |lane| Script::new(content, size_bytes, lane * slots, slots, deflate, codec);
        Lanes((0..speakers).map(script).collect())
    }

    /// Whether compression was agreed upon.
    pub(crate) fn is_compressed(&self) -> bool {
        self.members
            .first()
            .is_some_and(|member| member.deflate.is_some())
    }
}

/// A Close frame with code 1000, as a client sends it.
pub(crate) fn close_frame() -> Vec<u8> {
    let mut frame = Vec::new();
    Endpoint::new(Role::Client, 0, None)
        .close(Some(1000), "", MASK, &mut frame)
        .expect("1000 may be sent");
    frame
}

/// Says goodbye on every connection and waits, not for long, until the server has closed them.
pub(crate) fn part(members: Vec<impl AsMut<Channel>>, floor: &mut Floor) -> Result<(), Failure> {
    let frame = close_frame();
    let mut members: Vec<_> = members.into_iter().map(Some).collect();
    let mut left = members.len();
    for member in members.iter_mut().flatten() {
        // Whoever is gone already needs no goodbye.
        let _ = member.as_mut().send(&frame);
    }
    let deadline = floor.poll.now() + FAREWELL_NS;
    while left > 0 && floor.poll.now() < deadline {
        for index in 0..floor.poll.turn(deadline)? {
            let number = floor.poll.ready(index).number;
            let Some(Some(member)) = members.get_mut(number) else {
                continue;
            };
            let is_ended = loop {
                match member.as_mut().recv(&mut floor.buffer) {
                    Ok(0) => break true,
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(Errno::AGAIN) => break false,
                    Err(_) => break true,
                }
            };
            if is_ended {
                members[number] = None;
                left -= 1;
            }
        }
    }
    Ok(())
}
