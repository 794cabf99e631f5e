//! A world in miniature, played from a seed: clients, a server and a network that loses what it likes.
//!
//! Clients subscribe, are cut off with or without the server noticing, come back with the position they saw last, and
//! crash; the server restarts; its clock jumps. Checked all the time: nobody hears a publication twice, out of order or
//! not at all without being told so; presence and counts are exact.
//!
//! `HUBBUB_SEEDS=100000 cargo test -p hubbub-hub --release --test simulation` plays as many worlds,
//! `HUBBUB_SEED=N …` one of them again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hubbub_hub::{Channels, Limits, Lost, Options, Position, Published, Topics};

const TOPICS: [&str; 3] = ["room:a", "room:b", "plain"];
const CLIENTS: u32 = 6;
const STEPS: usize = 120;
const SEEDS: u64 = 10_000;

/// What a publication is here: its topic and a number that no other has.
type Text = (usize, u64);

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }
}

/// What travels to a client.
#[derive(Debug, Clone)]
enum Packet {
    Subscribed {
        topic: usize,
        position: Option<Position>,
        missed: Result<Vec<(u64, Text)>, Lost>,
    },
    Publication {
        topic: usize,
        offset: Option<u64>,
        text: Text,
    },
}

/// One client: what it has heard, and where it stands in each topic.
#[derive(Default)]
struct Client {
    /// The number of its present connection; `None` while it has none.
    connection: Option<u32>,
    pipe: VecDeque<Packet>,
    wanted: BTreeSet<usize>,
    seen: BTreeMap<usize, Position>,
    /// Texts heard since the last time it was told that it may have missed some.
    heard: BTreeMap<usize, Vec<u64>>,
    /// Where in the list of all texts of the topic that stretch begins.
    begun: BTreeMap<usize, usize>,
}

struct World {
    dice: Dice,
    now_ms: u64,
    topics: Topics<u32>,
    channels: Channels<u32, Text, ()>,
    /// Connections the server believes in, and whose they are.
    connections: BTreeMap<u32, usize>,
    clients: Vec<Client>,
    /// All texts of each topic in the order in which the server took them.
    published: [Vec<u64>; TOPICS.len()],
    numbers: u64,
}

fn channels(seed: u64) -> Channels<u32, Text, ()> {
    let mut channels = Channels::new(seed);
    let options = Options {
        history: Some(Limits {
            count: 8,
            age_ms: 5_000,
            bytes: 1_000,
        }),
        resumable_ms: 20_000,
        presence: true,
    };
    channels.set_options("room:*", options, 0);
    if seed.is_multiple_of(3) {
        // Memory is short in every third world: histories forget what they had promised to keep.
        channels.set_held_limit(3_000);
    }
    channels
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            // A generator of xorshift's kind stands still at zero.
            dice: Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            now_ms: 1_000,
            topics: Topics::new(),
            channels: channels(seed),
            connections: BTreeMap::new(),
            clients: (0..CLIENTS).map(|_| Client::default()).collect(),
            published: Default::default(),
            numbers: 0,
        }
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn step(&mut self) {
        let client = self.dice.roll(CLIENTS.into()) as usize;
        let topic = self.dice.roll(TOPICS.len() as u64) as usize;
        match self.dice.roll(100) {
            0..30 => self.publish(topic),
            30..55 => self.deliver(client),
            55..70 => self.connect(client),
            70..78 => self.subscribe(client, topic),
            78..82 => self.unsubscribe(client, topic),
            82..88 => self.cut(client, true),
            88..92 => self.cut(client, false),
            92..94 => self.crash(client),
            94 => self.restart(),
            95 => self.now_ms += self.dice.roll(30_000),
            96 => self.now_ms = self.now_ms.saturating_sub(self.dice.roll(3_000)),
            97 => self.notice(),
            _ => self.channels.sweep(self.now_ms),
        }
        self.now_ms += self.dice.roll(200);
        self.check_server();
    }

    fn publish(&mut self, topic: usize) {
        let number = self.number();
        let text = (topic, number);
        let key = number.to_string();
        let send = |world: &mut Self| {
            world
                .channels
                .publish(TOPICS[topic], Some(&key), world.now_ms, |_| (text, 100))
        };
        let Published::New(place) = send(self) else {
            panic!("a new key is new");
        };
        assert_eq!(
            send(self),
            Published::Repeated(place),
            "the sender tries again"
        );
        self.published[topic].push(number);
        let packet = Packet::Publication {
            topic,
            offset: place.map(|place| place.offset),
            text,
        };
        for &connection in self.topics.subscribers(TOPICS[topic]) {
            let client = &mut self.clients[self.connections[&connection]];
            // What is sent into a connection that only the server believes in is lost.
            if client.connection == Some(connection) {
                client.pipe.push_back(packet.clone());
            }
        }
    }

    /// The client takes some of what has arrived.
    fn deliver(&mut self, client: usize) {
        for _ in 0..=self.dice.roll(5) {
            let Some(packet) = self.clients[client].pipe.pop_front() else {
                return;
            };
            self.take(client, packet);
        }
    }

    fn take(&mut self, client: usize, packet: Packet) {
        let client = &mut self.clients[client];
        match packet {
            Packet::Subscribed {
                topic,
                position,
                missed,
            } => {
                match missed {
                    Ok(missed) => {
                        for (offset, text) in missed {
                            client.hear(topic, Some(offset), text);
                        }
                    }
                    Err(_) => client.begin_again(topic),
                }
                if let Some(position) = position {
                    client.seen.insert(topic, position);
                }
            }
            Packet::Publication {
                topic,
                offset,
                text,
            } => client.hear(topic, offset, text),
        }
    }

    fn connect(&mut self, at: usize) {
        if self.clients[at].connection.is_some() {
            return;
        }
        let connection = self.number() as u32;
        self.connections.insert(connection, at);
        self.clients[at].connection = Some(connection);
        for topic in self.clients[at].wanted.clone() {
            self.enter(at, connection, topic);
        }
    }

    fn subscribe(&mut self, at: usize, topic: usize) {
        let is_new = self.clients[at].wanted.insert(topic);
        if let Some(connection) = self.clients[at].connection
            && is_new
        {
            self.enter(at, connection, topic);
        }
    }

    /// The server's side of a subscription: position, what was missed, and from now on everything.
    fn enter(&mut self, at: usize, connection: u32, topic: usize) {
        let (name, now_ms) = (TOPICS[topic], self.now_ms);
        let since = self.clients[at].seen.get(&topic).copied();
        let missed = match since {
            None => Err(Lost::Epoch),
            Some(since) => self
                .channels
                .after(name, since, now_ms)
                .map(|found| found.map(|(offset, text)| (offset, *text)).collect()),
        };
        let position = self.channels.position(name, now_ms);
        self.topics.subscribe(connection, name);
        self.channels.join(
            name,
            connection,
            &format!("user{}", at / 2),
            ((), 20),
            now_ms,
        );
        // The stretch that begins here is told by where the topic stands at this moment.
        let heard_from = self.published[topic].len();
        if missed.is_err() {
            self.clients[at].begun.insert(topic, heard_from);
            self.clients[at].heard.insert(topic, Vec::new());
        }
        self.clients[at].pipe.push_back(Packet::Subscribed {
            topic,
            position,
            missed,
        });
    }

    fn unsubscribe(&mut self, at: usize, topic: usize) {
        let client = &mut self.clients[at];
        if !client.wanted.remove(&topic) {
            return;
        }
        client.forget(topic);
        if let Some(connection) = client.connection {
            client
                .pipe
                .retain(|packet| !matches!(packet, Packet::Subscribed { topic: of, .. } | Packet::Publication { topic: of, .. } if *of == topic));
            self.topics.unsubscribe(connection, TOPICS[topic]);
            self.channels.leave(TOPICS[topic], connection, self.now_ms);
        }
    }

    /// The line is cut: what was in it is lost. The server may find out later only.
    fn cut(&mut self, at: usize, is_noticed: bool) {
        let client = &mut self.clients[at];
        let Some(connection) = client.connection.take() else {
            return;
        };
        client.pipe.clear();
        // Without a stream to resume, a new subscription begins anew.
        for topic in client.wanted.clone() {
            if !client.seen.contains_key(&topic) {
                client.forget(topic);
            }
        }
        if is_noticed {
            self.close(connection);
        }
    }

    /// A client that forgets all it knew.
    fn crash(&mut self, at: usize) {
        self.cut(at, true);
        let wanted = std::mem::take(&mut self.clients[at].wanted);
        self.clients[at] = Client {
            wanted,
            ..Client::default()
        };
    }

    /// The server finds out which connections are dead.
    fn notice(&mut self) {
        let dead: Vec<u32> = self
            .connections
            .iter()
            .filter(|(connection, client)| self.clients[**client].connection != Some(**connection))
            .map(|(connection, _)| *connection)
            .collect();
        for connection in dead {
            self.close(connection);
        }
    }

    fn close(&mut self, connection: u32) {
        if self.connections.remove(&connection).is_some() {
            self.topics.drop_subscriber(connection);
            for topic in TOPICS {
                self.channels.leave(topic, connection, self.now_ms);
            }
        }
    }

    /// A server that has kept nothing: its streams are others.
    fn restart(&mut self) {
        for at in 0..self.clients.len() {
            self.cut(at, true);
        }
        self.notice();
        let seed = self.dice.roll(u64::MAX);
        self.channels = channels(seed);
        self.topics = Topics::new();
    }

    fn check_server(&self) {
        assert!(
            !self.channels.is_full() || self.channels.bytes() == 0,
            "nothing is kept beyond the memory there is"
        );
        for (topic, name) in TOPICS.iter().enumerate() {
            let heard: BTreeSet<u32> = self.topics.subscribers(*name).iter().copied().collect();
            if !self.channels.options(name).presence {
                continue;
            }
            let present = self.channels.presence(name);
            let present: BTreeSet<u32> = present
                .into_iter()
                .flat_map(|presence| presence.members())
                .map(|(connection, _)| connection)
                .collect();
            assert_eq!(present, heard, "presence of topic {topic}");
            let users: BTreeSet<usize> = present
                .iter()
                .map(|connection| self.connections[connection] / 2)
                .collect();
            let counts = self.channels.counts(name);
            assert_eq!(
                (counts.clients, counts.users),
                (present.len(), users.len()),
                "counts of topic {topic}"
            );
        }
    }

    /// Everything that is under way arrives, everybody is connected: then nobody may lack anything.
    fn settle(&mut self) {
        self.notice();
        for at in 0..self.clients.len() {
            self.connect(at);
        }
        for at in 0..self.clients.len() {
            while let Some(packet) = self.clients[at].pipe.pop_front() {
                self.take(at, packet);
            }
        }
        for (at, client) in self.clients.iter().enumerate() {
            for &topic in &client.wanted {
                let begun = client.begun[&topic];
                assert_eq!(
                    client.heard[&topic],
                    self.published[topic][begun..],
                    "client {at} in topic {topic}"
                );
            }
        }
    }
}

impl Client {
    fn hear(&mut self, topic: usize, offset: Option<u64>, (of, number): Text) {
        assert_eq!(topic, of, "a text of another topic");
        let heard = self.heard.entry(topic).or_default();
        assert!(
            heard.last().is_none_or(|last| *last < number),
            "twice or out of order: {number} after {heard:?}"
        );
        heard.push(number);
        if let (Some(offset), Some(seen)) = (offset, self.seen.get_mut(&topic)) {
            assert_eq!(offset, seen.offset + 1, "a gap that nobody told");
            seen.offset = offset;
        }
    }

    /// It was told that it may have missed something.
    fn begin_again(&mut self, topic: usize) {
        self.heard.insert(topic, Vec::new());
    }

    fn forget(&mut self, topic: usize) {
        self.seen.remove(&topic);
        self.heard.remove(&topic);
        self.begun.remove(&topic);
    }
}

fn play(seed: u64) {
    let mut world = World::new(seed);
    for _ in 0..STEPS {
        world.step();
    }
    world.settle();
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn nobody_hears_anything_twice_out_of_order_or_not_at_all() {
    if let Some(seed) = from_environment("HUBBUB_SEED") {
        return play(seed);
    }
    for seed in 0..from_environment("HUBBUB_SEEDS").unwrap_or(SEEDS) {
        let played = std::panic::catch_unwind(|| play(seed));
        assert!(played.is_ok(), "play it again with HUBBUB_SEED={seed}");
    }
}
