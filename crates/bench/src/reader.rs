//! Checks that what arrives at one connection is what its script says, byte for byte.
//!
//! As long as the server writes frames as this client expects them, checking is comparing. At the first difference a
//! protocol endpoint takes over, which knows fragments, pings and compression, and only payloads are compared.

use hubbub_protocol::close;
use hubbub_protocol::deflate::{Codec, PerMessage};
use hubbub_protocol::endpoint::{Endpoint, Event, Input, Role};

use crate::content;
use crate::failure::Failure;
use crate::script::{MASK, Script};

/// Scripts, one for each sender, with numbers that follow each other.
pub(crate) struct Lanes(pub(crate) Vec<Script>);

impl Lanes {
    fn of(&self, payload: &[u8]) -> usize {
        if self.0.len() == 1 {
            return 0;
        }
        let lane = content::number(payload).map_or(0, |number| number / self.0[0].len());
        lane.min(self.0.len() - 1)
    }
}

/// One connection's place in the scripts.
pub(crate) struct Reader {
    connection: usize,
    /// For each lane the slot that comes next.
    slots: Box<[u32]>,
    /// Bytes of the next reply that have been checked (one lane only).
    offset: usize,
    verified: u64,
    endpoint: Option<Box<Endpoint>>,
    /// To be sent by whoever holds the socket: pongs.
    pub(crate) answers: Vec<u8>,
}

impl Reader {
    pub(crate) fn new(connection: usize, lanes: usize, deflate: Option<PerMessage>) -> Self {
        let endpoint = (lanes > 1 || deflate.is_some()).then(|| Box::new(client(deflate)));
        Self {
            connection,
            slots: vec![0; lanes].into(),
            offset: 0,
            verified: 0,
            endpoint,
            answers: Vec::new(),
        }
    }

    /// Begins elsewhere in the script than at its front, so that neighbours do not say the same at the same time.
    pub(crate) fn starting_at(mut self, slot: usize) -> Self {
        self.slots[0] = slot as u32;
        self
    }

    /// Checks `bytes` and tells `completed` in which lane how many messages ended.
    pub(crate) fn read(
        &mut self,
        mut bytes: &mut [u8],
        lanes: &Lanes,
        codec: &mut Codec,
        mut completed: impl FnMut(usize, usize),
    ) -> Result<(), Failure> {
        if self.endpoint.is_none() {
            let script = &lanes.0[0];
            let same = self.compare(bytes, script, &mut completed);
            if same == bytes.len() {
                return Ok(());
            }
            // What was equal to the beginning of a reply is that beginning.
            let mut endpoint = client(None);
            let mut beginning = script.replies(self.slots[0] as usize)[..self.offset].to_vec();
            let nothing = endpoint.receive(&mut Input::new(&mut beginning), codec);
            debug_assert!(matches!(nothing, Ok(None)));
            self.endpoint = Some(Box::new(endpoint));
            bytes = &mut bytes[same..];
        }
        self.parse(bytes, lanes, codec, completed)
    }

    /// Compares until the first difference; returns how much was equal.
    fn compare(
        &mut self,
        bytes: &[u8],
        script: &Script,
        mut completed: impl FnMut(usize, usize),
    ) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            let slot = self.slots[0] as usize;
            let expected = &script.replies(slot)[self.offset..];
            let length = expected.len().min(bytes.len() - at);
            let (expected, got) = (&expected[..length], &bytes[at..at + length]);
            let same = if expected == got {
                length
            } else {
                let differs = expected.iter().zip(got).position(|(a, b)| a != b);
                differs.expect("the slices are not equal")
            };
            at += same;
            let count = (self.offset + same) / script.reply_bytes();
            self.offset = (self.offset + same) - count * script.reply_bytes();
            if count > 0 {
                // What is left of a doubled script may be more than one round.
                self.slots[0] = ((slot + count) % script.len()) as u32;
                self.verified += count as u64;
                completed(0, count);
            }
            if same < length {
                break;
            }
        }
        at
    }

    fn parse(
        &mut self,
        bytes: &mut [u8],
        lanes: &Lanes,
        codec: &mut Codec,
        mut completed: impl FnMut(usize, usize),
    ) -> Result<(), Failure> {
        let Some(endpoint) = &mut self.endpoint else {
            return Ok(());
        };
        let connection = self.connection;
        let mut input = Input::new(bytes);
        loop {
            let event = endpoint.receive(&mut input, codec);
            match event {
                Ok(None) => return Ok(()),
                Ok(Some(Event::Message { kind, payload })) => {
                    let lane = lanes.of(&payload);
                    let script = &lanes.0[lane];
                    let slot = self.slots[lane] as usize;
                    let expected = script.payload(slot);
                    if *payload != *expected || kind != script.kind() {
                        return Err(Failure::Mismatch {
                            connection,
                            after: self.verified,
                            difference: difference(expected, &payload),
                        });
                    }
                    self.slots[lane] = script.after(slot, 1) as u32;
                    self.verified += 1;
                    completed(lane, 1);
                }
                Ok(Some(Event::Ping(payload))) => {
                    // A connection that is closing answers nothing any more.
                    let _ = endpoint.pong(&payload, MASK, &mut self.answers);
                }
                Ok(Some(Event::Pong(_))) => {}
                Ok(Some(Event::Close { code, reason })) => {
                    let reason = match code {
                        close::NO_STATUS => "without a code".to_owned(),
                        code => format!("{code} {reason}").trim_end().to_owned(),
                    };
                    return Err(Failure::Closed { connection, reason });
                }
                Err(violation) => {
                    return Err(Failure::Protocol {
                        connection,
                        violation: violation.to_string(),
                    });
                }
            }
        }
    }
}

fn client(deflate: Option<PerMessage>) -> Endpoint {
    Endpoint::new(Role::Client, usize::MAX, deflate)
}

fn difference(expected: &[u8], got: &[u8]) -> String {
    let at = expected.iter().zip(got).position(|(a, b)| a != b);
    match at {
        Some(at) => {
            let around = |bytes: &[u8]| {
                let near = &bytes[at.saturating_sub(8)..bytes.len().min(at + 24)];
                near.escape_ascii().to_string()
            };
            format!(
                "at byte {at}: sent \"{}\", got \"{}\"",
                around(expected),
                around(got)
            )
        }
        None if expected.len() == got.len() => "text became binary or binary text".to_owned(),
        None => format!("sent {} bytes, got {}", expected.len(), got.len()),
    }
}

#[cfg(test)]
mod tests {
    use hubbub_protocol::frame::{Header, OpCode};

    use super::*;
    use crate::options::Content;

    fn lanes(count: usize) -> Lanes {
        let mut codec = Codec::new(1);
        let script = |lane| Script::new(Content::Ascii, 200, lane * 5, 5, None, &mut codec);
        Lanes((0..count).map(script).collect())
    }

    fn read(reader: &mut Reader, bytes: &[u8], lanes: &Lanes) -> Result<Vec<usize>, Failure> {
        let mut counts = vec![0; lanes.0.len()];
        let mut bytes = bytes.to_vec();
        reader.read(&mut bytes, lanes, &mut Codec::new(1), |lane, count| {
            counts[lane] += count;
        })?;
        Ok(counts)
    }

    fn control(opcode: OpCode, body: &[u8]) -> Vec<u8> {
        let header = Header {
            fin: true,
            rsv1: false,
            opcode,
            mask: None,
            length: body.len() as u64,
        };
        [&*header.encode(), body].concat()
    }

    #[test]
    fn any_cut_of_the_right_bytes_is_right() {
        let lanes = lanes(1);
        let stream: Vec<u8> = (0..13)
            .flat_map(|n| lanes.0[0].replies(n % 5)[..lanes.0[0].reply_bytes()].to_vec())
            .collect();
        for cut in [1, 3, 203, 204, 205, 1000, 5000] {
            let mut reader = Reader::new(0, 1, None);
            let total: usize = stream
                .chunks(cut)
                .map(|bytes| read(&mut reader, bytes, &lanes).unwrap()[0])
                .sum();
            assert_eq!((total, reader.endpoint.is_none()), (13, true));
        }
    }

    #[test]
    fn a_ping_between_two_cut_replies_is_answered_and_nothing_lost() {
        let lanes = lanes(1);
        let one = &lanes.0[0].replies(0)[..lanes.0[0].reply_bytes()];
        let two = &lanes.0[0].replies(1)[..lanes.0[0].reply_bytes()];
        let stream = [one, &control(OpCode::Ping, b"?"), two].concat();
        for cut in 1..stream.len() {
            let mut reader = Reader::new(0, 1, None);
            let total: usize = stream
                .chunks(cut)
                .map(|bytes| read(&mut reader, bytes, &lanes).unwrap()[0])
                .sum();
            assert_eq!((total, reader.answers.len()), (2, 2 + 4 + 1));
        }
    }

    #[test]
    fn wrong_order_wrong_bytes_and_closing_are_found() {
        let lanes = lanes(1);
        let second = lanes.0[0].replies(1)[..lanes.0[0].reply_bytes()].to_vec();
        let mut reader = Reader::new(3, 1, None);
        let failure = read(&mut reader, &second, &lanes).unwrap_err();
        assert!(matches!(
            failure,
            Failure::Mismatch {
                connection: 3,
                after: 0,
                ..
            }
        ));

        let mut wrong = lanes.0[0].replies(0)[..lanes.0[0].reply_bytes()].to_vec();
        wrong[150] ^= 1;
        let failure = read(&mut Reader::new(0, 1, None), &wrong, &lanes).unwrap_err();
        assert!(failure.to_string().contains("at byte 146"), "{failure}");

        let goodbye = control(OpCode::Close, &1001u16.to_be_bytes());
        let failure = read(&mut Reader::new(0, 1, None), &goodbye, &lanes).unwrap_err();
        assert_eq!(
            failure,
            Failure::Closed {
                connection: 0,
                reason: "1001".to_owned()
            }
        );
    }

    #[test]
    fn lanes_may_interleave_but_each_keeps_its_order() {
        let lanes = lanes(2);
        let reply = |lane: usize, slot| &lanes.0[lane].replies(slot)[..lanes.0[0].reply_bytes()];
        let mut reader = Reader::new(0, 2, None);
        let stream = [reply(1, 0), reply(0, 0), reply(1, 1), reply(1, 2)].concat();
        assert_eq!(read(&mut reader, &stream, &lanes), Ok(vec![1, 3]));
        assert!(read(&mut reader, reply(0, 2), &lanes).is_err());
    }
}
