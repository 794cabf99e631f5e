//! A hub on Centrifugo's client protocol: many come in, each to two channels; then they publish.
//!
//! The channels: "news", which all of them hear, "room:N", which ten of them hear, and "desk:N", which nobody hears.

use std::collections::VecDeque;

use crate::content;
use crate::crowd::{Crowd, Floor, part};
use crate::failure::Failure;
use crate::guest::{Guest, Word};
use crate::opening::PATIENCE_NS;
use crate::options::{Content, Options};
use crate::report::{Entering, Report};
use crate::server::Server;
use crate::target::Target;
use crate::window::{Phase, Window};

/// How many clients share a room.
const ROOM: usize = 10;
/// The ids of the commands by which a client comes in: connect, subscribe, subscribe.
const ENTERING_IDS: std::ops::RangeInclusive<u64> = 1..=3;
/// How many different publications there are, before they begin again.
const PUBLICATIONS: u64 = 1_000;

pub(crate) fn run(
    options: &Options,
    in_flight: usize,
    own: bool,
    target: &Target,
    server: Option<Server>,
    floor: &mut Floor,
) -> Result<Report, Failure> {
    let memory = || server.as_ref().map(Server::private_bytes).transpose();
    let cpu = || server.as_ref().map(Server::cpu_ns).transpose();
    // What the first client brings into being is not paid by each of them.
    let one = Options {
        connections: 1,
        ..options.clone()
    };
    part(enter(&one, target, floor)?, floor)?;

    let (before, cpu_before, begun_ns) = (memory()?, cpu()?, floor.poll.now());
    let guests = enter(options, target, floor)?;
    let (entered_ns, cpu_after, after) = (floor.poll.now(), cpu()?, memory()?);
    let each = |before: Option<u64>, after: Option<u64>| {
        Some((after? as f64 - before? as f64) / options.connections as f64)
    };
    let entering = Entering {
        seconds: (entered_ns - begun_ns) as f64 / 1e9,
        cpu_us_per_client: each(cpu_before, cpu_after).map(|ns| ns / 1e3),
        bytes_per_client: each(before, after),
    };

    let mut hub = Hub {
        authors: if own { guests.len() } else { 1 },
        own,
        next_ids: vec![ENTERING_IDS.end() + 1; guests.len()],
        heard: vec![0; guests.len()],
        guests,
        texts: (0..PUBLICATIONS)
            .map(|number| text(options, number))
            .collect(),
        begun_ns: vec![VecDeque::new(); if own { options.connections } else { 0 }],
        publications: VecDeque::new(),
        done: 0,
        window: Window::new(options, server, &floor.poll),
        progress_ns: floor.poll.now(),
    };
    for author in 0..hub.authors {
        hub.publish(author, in_flight, floor)?;
    }
    while hub.turn(floor)? {}
    let mut report = hub.window.report(options);
    report.entering = Some(entering);
    part(hub.guests, floor)?;
    Ok(report)
}

/// What is published, as JSON.
fn text(options: &Options, number: u64) -> String {
    let number = number as usize;
    let payload = match options.content {
        Content::Json => content::payload(Content::Json, number, options.size_bytes),
        other => {
            let inside = content::payload(other, number, options.size_bytes.saturating_sub(2));
            [b"\"", &*inside, b"\""].concat()
        }
    };
    String::from_utf8(payload).expect("binary content was refused")
}

/// Lets all of them in: each connects with its token and, when that is answered, subscribes twice in one frame, as the
/// protocol's own clients do.
fn enter(options: &Options, target: &Target, floor: &mut Floor) -> Result<Vec<Guest>, Failure> {
    let crowd = Crowd::open(options, target, floor)?;
    let opened = crowd.members.into_iter().enumerate();
    let mut guests: Vec<Guest> = opened
        .map(|(number, opened)| Guest::new(opened, number))
        .collect();
    let mut answered: Vec<u64> = vec![0; guests.len()];
    let (mut begun, mut done, mut progress_ns) = (0, 0, floor.poll.now());
    while done < guests.len() {
        while begun < guests.len() && begun - done < options.opening {
            let token = options.tokens.get(begun % options.tokens.len().max(1));
            let token = token.map_or(String::new(), |token| format!(r#""token":"{token}""#));
            guests[begun].say(&format!(r#"{{"id":1,"connect":{{{token}}}}}"#), floor);
            guests[begun].flush(&floor.poll)?;
            begun += 1;
        }
        let now = floor.poll.now();
        if now - progress_ns > PATIENCE_NS {
            return Err(Failure::Stalled {
                waiting_for: format!("{done} of {} clients are in", guests.len()),
                seconds: (now - progress_ns) as f64 / 1e9,
            });
        }
        for index in 0..floor.poll.turn(now + 100_000_000)? {
            let ready = floor.poll.ready(index);
            let guest = &mut guests[ready.number];
            let answered = &mut answered[ready.number];
            let before = *answered;
            guest.read(ready, floor, |word| match word {
                Word::Reply(id, answer) if id == *answered + 1 => {
                    let wanted: &[u8] = match id {
                        1 => b"\"connect\":{",
                        _ => b"\"subscribe\":{",
                    };
                    if !answer.starts_with(wanted) {
                        return Err(answer.escape_ascii().to_string());
                    }
                    *answered = id;
                    Ok(())
                }
                other => Err(format!("{other:?}")),
            })?;
            if before == 0 && *answered == 1 {
                let room = ready.number / ROOM;
                let news = r#"{"id":2,"subscribe":{"channel":"news"}}"#;
                let room = format!(r#"{{"id":3,"subscribe":{{"channel":"room:{room}"}}}}"#);
                guest.say(&format!("{news}\n{room}"), floor);
            }
            guest.flush(&floor.poll)?;
            done += usize::from(*answered == *ENTERING_IDS.end() && before < *answered);
            progress_ns = floor.poll.now();
        }
    }
    Ok(guests)
}

/// One that everybody hears, until everybody has heard it and its author has been answered.
struct Publication {
    begun_ns: u64,
    missing: usize,
    /// What the first one heard: the others must hear the same, byte for byte.
    line: Vec<u8>,
}

struct Hub {
    guests: Vec<Guest>,
    /// The first ones publish.
    authors: usize,
    /// Whether everybody publishes where nobody hears it.
    own: bool,
    /// By guest: the id of its next command.
    next_ids: Vec<u64>,
    /// By guest: how many publications it has heard.
    heard: Vec<u64>,
    texts: Vec<String>,
    /// By author: when its commands were sent that are not answered (`own` only).
    begun_ns: Vec<VecDeque<u64>>,
    publications: VecDeque<Publication>,
    /// How many publications are over, before these.
    done: u64,
    window: Window,
    progress_ns: u64,
}

impl Hub {
    fn publish(&mut self, author: usize, count: usize, floor: &mut Floor) -> Result<(), Failure> {
        let begun_ns = floor.poll.now();
        for _ in 0..count {
            let id = self.next_ids[author];
            self.next_ids[author] += 1;
            let place = id - ENTERING_IDS.end() - 1;
            let data = &self.texts[(place % PUBLICATIONS) as usize];
            let channel = if self.own {
                self.begun_ns[author].push_back(begun_ns);
                format!("desk:{author}")
            } else {
                self.publications.push_back(Publication {
                    begun_ns,
                    missing: self.guests.len() + 1,
                    line: Vec::new(),
                });
                "news".to_owned()
            };
            let command =
                format!(r#"{{"id":{id},"publish":{{"channel":"{channel}","data":{data}}}}}"#);
            self.guests[author].say(&command, floor);
        }
        self.guests[author].flush(&floor.poll)
    }

    /// Waits, counts what has arrived, publishes what may follow; `false` when time is over and nothing is missing.
    fn turn(&mut self, floor: &mut Floor) -> Result<bool, Failure> {
        let now = floor.poll.now();
        let phase = self.window.advance(now, &floor.poll)?;
        let missing = self.missing();
        if now - self.progress_ns > PATIENCE_NS {
            return Err(Failure::Stalled {
                waiting_for: format!("{missing} answers and deliveries are missing"),
                seconds: (now - self.progress_ns) as f64 / 1e9,
            });
        }
        if phase == Phase::Over && missing == 0 {
            return Ok(false);
        }
        let until = match phase {
            Phase::Over => now + 100_000_000,
            _ => self.window.next_ns().min(now + 100_000_000),
        };
        for index in 0..floor.poll.turn(until)? {
            let ready = floor.poll.ready(index);
            let answered = self.read(ready.number, ready, floor)?;
            self.progress_ns = floor.poll.now();
            if self.own && answered > 0 && phase != Phase::Over {
                self.publish(ready.number, answered, floor)?;
            }
        }
        let over = self.publications.iter();
        let over = over
            .take_while(|publication| publication.missing == 0)
            .count();
        self.publications.drain(..over);
        self.done += over as u64;
        if over > 0 && phase != Phase::Over {
            self.publish(0, over, floor)?;
        }
        Ok(true)
    }

    fn missing(&self) -> usize {
        let heard: usize = self.publications.iter().map(|one| one.missing).sum();
        heard + self.begun_ns.iter().map(VecDeque::len).sum::<usize>()
    }

    /// Hears what one of them is told; tells how many of its publications were answered.
    fn read(
        &mut self,
        number: usize,
        ready: crate::poll::Ready,
        floor: &mut Floor,
    ) -> Result<usize, Failure> {
        let now = floor.poll.now();
        let (window, texts, done) = (&mut self.window, &self.texts, self.done);
        let publications = &mut self.publications;
        let heard = &mut self.heard[number];
        let mut begun_ns = self.begun_ns.get_mut(number);
        // Answers come in the order of their commands.
        let mut expected = match &begun_ns {
            Some(begun_ns) => self.next_ids[number] - begun_ns.len() as u64,
            None => 0,
        };
        let mut answered = 0;
        self.guests[number].read(ready, floor, |word| match word {
            Word::Push(line) => {
                let place = usize::try_from(*heard - done).unwrap_or(usize::MAX);
                let Some(publication) = publications.get_mut(place) else {
                    return Err("a publication that was never sent".to_owned());
                };
                if publication.line.is_empty() {
                    check(line, &texts[(*heard % PUBLICATIONS) as usize])?;
                    publication.line = line.to_vec();
                } else if publication.line != line {
                    return Err(format!(
                        "others heard this otherwise: {}",
                        line.escape_ascii()
                    ));
                }
                publication.missing -= 1;
                window.record(1, publication.begun_ns, now);
                *heard += 1;
                Ok(())
            }
            Word::Reply(id, b"\"publish\":{}}") => match &mut begun_ns {
                Some(begun_ns) => {
                    let begun_ns = begun_ns.pop_front().filter(|_| id == expected);
                    let begun_ns = begun_ns.ok_or("an answer to nothing")?;
                    expected += 1;
                    answered += 1;
                    window.record(1, begun_ns, now);
                    Ok(())
                }
                None => {
                    let place = id.checked_sub(ENTERING_IDS.end() + 1 + done);
                    let place = place.and_then(|place| usize::try_from(place).ok());
                    let publication = place.and_then(|place| publications.get_mut(place));
                    publication.ok_or("an answer to nothing")?.missing -= 1;
                    Ok(())
                }
            },
            other => Err(format!("{other:?}")),
        })?;
        Ok(answered)
    }
}

/// Whether this is the publication of `text` in the channel that everybody hears.
fn check(line: &[u8], text: &str) -> Result<(), String> {
    let rest = line
        .strip_prefix(b"{\"push\":{\"channel\":\"news\",\"pub\":{\"data\":")
        .and_then(|rest| rest.strip_prefix(text.as_bytes()));
    match rest {
        Some([b',' | b'}', ..]) => Ok(()),
        _ => Err(format!("expected {text}, got {}", line.escape_ascii())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publication_is_compared_whole() {
        let line =
            |data: &str| format!(r#"{{"push":{{"channel":"news","pub":{{"data":{data}}}}}}}"#);
        assert!(check(line("\"a\"").as_bytes(), "\"a\"").is_ok());
        assert!(check(line("\"ab\"").as_bytes(), "\"a\"").is_err());
        assert!(check(line("12").as_bytes(), "1").is_err());
        assert!(check(line("\"a\",\"offset\":1").as_bytes(), "\"a\"").is_ok());
    }

    #[test]
    fn what_is_published_is_json_of_the_size_asked_for() {
        let options = Options::default();
        assert_eq!(text(&options, 7).len(), 64);
        assert!(text(&options, 7).starts_with("\"0007"));
    }
}
