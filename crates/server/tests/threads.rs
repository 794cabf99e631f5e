//! Threads from the outside: real sockets, an application that runs beside them, and everything given back at the end.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use hubbub_protocol::frame::{Header, OpCode};
use hubbub_protocol::handshake::examine;
use hubbub_protocol::http::{Refusal, Request};
use hubbub_server::{
    Accept, Address, ConnectionId, Event, Farewell, Inbox, Listener, Publication, Sent, Settings,
    Threads, Workers,
};

const PATIENCE: Duration = Duration::from_secs(20);
const OPENING: &[u8] =
    b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// An application: everybody hears "all"; a message goes back to its sender, or to all if it begins with '*'.
struct Application {
    workers: Workers,
    inbox: Inbox,
    address: String,
    opened: Vec<ConnectionId>,
    seen: HashSet<u8>,
    closed: Vec<u16>,
}

impl Application {
    fn new(threads: usize, settings: Settings) -> Self {
        let threads = Threads {
            count: threads,
            ..Threads::default()
        };
        let mut workers = Workers::new(settings, threads).expect("threads");
        let listener = Listener::bind(&Address::Tcp("127.0.0.1".into(), 0), 1024).expect("a port");
        let address = listener.address().expect("bound").replace("tcp://", "");
        workers.listen(listener).expect("listens");
        Self {
            workers,
            inbox: Inbox::default(),
            address,
            opened: Vec::new(),
            seen: HashSet::new(),
            closed: Vec::new(),
        }
    }

    /// Serves until `is_done` says so, which is asked after every batch.
    fn serve(&mut self, mut is_done: impl FnMut(&mut Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_done(self) {
            assert!(
                Instant::now() < end,
                "it takes too long: {:?} {}",
                self.workers.stats(),
                self.workers.held_bytes()
            );
            let workers = &mut self.workers;
            let (mut ready, timeout) = workers.begin_wait(Some(Duration::from_millis(20)));
            ready.wait(workers.epoll(), timeout).expect("a wait");
            workers.end_wait(ready);
            assert_eq!(workers.take_failure(), None);
            while let Some(event) = workers.next(&mut self.inbox) {
                match event {
                    Event::Request { id, head, .. } => {
                        let limits = workers.settings().kept_head();
                        let request = Request::parse(&head, &limits).expect("parsed before");
                        match examine(&request) {
                            Ok(Some(offer)) => {
                                let how = Accept::default();
                                assert_eq!(workers.accept(id, &offer, &how), Ok(true));
                                self.opened.push(id);
                                assert!(workers.subscribe(id, "all".into()));
                                assert!(workers.is_open(id) && workers.peer(id).is_some());
                            }
                            _ => workers.refuse(id, &Refusal::upgrade_required()),
                        }
                    }
                    Event::Message { id, kind, payload } => {
                        self.seen.insert(id.worker());
                        if payload.starts_with(b"*") {
                            workers.publish("all".into(), kind, &payload, Publication::default());
                        } else {
                            let sent = workers.send(id, kind, &payload);
                            assert!(!matches!(sent, Sent::Closed | Sent::Dropped), "{sent:?}");
                        }
                    }
                    Event::Closed { id, ending } => {
                        assert!(!workers.is_open(id));
                        self.closed.push(ending.code);
                    }
                    _ => {}
                }
            }
        }
    }

    /// Serves for as long as a client has something to do.
    fn serve_client<R>(&mut self, client: JoinHandle<R>) -> R {
        self.serve(|_| client.is_finished());
        client.join().expect("the client is content")
    }
}

fn open(address: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).expect("somebody listens");
    socket.set_read_timeout(Some(PATIENCE)).expect("not zero");
    socket.write_all(OPENING).expect("room");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).expect("a head");
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    socket
}

fn frame(opcode: OpCode, payload: &[u8]) -> Vec<u8> {
    let header = Header {
        fin: true,
        rsv1: false,
        opcode,
        mask: Some([0; 4]),
        length: payload.len() as u64,
    };
    [&header.encode()[..], payload].concat()
}

/// Opcode and payload of the next frame; the server's are short here.
fn receive(socket: &mut TcpStream) -> (u8, Vec<u8>) {
    let mut head = [0; 2];
    socket.read_exact(&mut head).expect("a frame");
    assert!(head[1] < 126, "short");
    let mut payload = vec![0; head[1].into()];
    socket.read_exact(&mut payload).expect("its payload");
    (head[0] & 15, payload)
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("Linux").count()
}

fn threads_of_ours() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
    let names = tasks
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.starts_with("hubbub-")).count()
}

/// One test, since all parts count the descriptors and threads of the process.
#[test]
fn threads_serve_and_leave_nothing_behind() {
    let before = descriptors();
    a_thousand_connections(before);
    what_is_not_taken_is_not_read(before);
    a_crowd_that_is_not_taken_is_read_no_further(before);
    what_is_said_of_who_has_left_is_not_said_of_who_comes_next(before);
}

fn a_thousand_connections(before: usize) {
    let mut application = Application::new(2, Settings::default());
    let address = application.address.clone();

    // Everybody connects, and is echoed.
    let mut clients = application.serve_client(spawn(move || {
        let mut clients: Vec<_> = (0..1000).map(|_| open(&address)).collect();
        for (number, client) in clients.iter_mut().enumerate() {
            let text = number.to_string();
            // Two frames in one read stay together and in order.
            let twice = [
                frame(OpCode::Text, b"first"),
                frame(OpCode::Text, text.as_bytes()),
            ];
            client.write_all(&twice.concat()).expect("room");
            assert_eq!(receive(client), (1, b"first".to_vec()));
            assert_eq!(receive(client), (1, text.into_bytes()));
        }
        clients
    }));
    assert_eq!(application.workers.connection_counts(), [500, 500]);
    assert_eq!(application.seen, HashSet::from([1, 2]));
    assert_eq!(application.workers.subscriber_count("all".into()), 1000);

    // One message reaches everybody in both threads.
    clients = application.serve_client(spawn(move || {
        for number in 0..20 {
            let text = format!("*{number}");
            let author = number % clients.len();
            let bytes = frame(OpCode::Binary, text.as_bytes());
            clients[author].write_all(&bytes).expect("room");
            for client in &mut clients {
                assert_eq!(receive(client), (2, text.clone().into_bytes()));
            }
        }
        clients
    }));
    application.serve(|application| application.workers.stats().messages_out == 22_000);
    let stats = application.workers.stats();
    assert_eq!((stats.accepted, stats.upgraded), (1000, 1000));
    assert_eq!(stats.messages_in, 2020);

    // A ping and a close are answered though the application does nothing at all.
    let mut one = clients.pop().expect("a thousand");
    let resting = spawn(move || {
        let ping = frame(OpCode::Ping, b"there?");
        one.write_all(&ping).expect("room");
        assert_eq!(receive(&mut one), (10, b"there?".to_vec()));
        let close = frame(OpCode::Close, &4321u16.to_be_bytes());
        one.write_all(&close).expect("room");
        assert_eq!(receive(&mut one), (8, 4321u16.to_be_bytes().to_vec()));
    });
    resting.join().expect("answered by the thread");
    application.serve(|application| application.closed == [4321]);

    // Everybody is told of the end.
    let ended = spawn(move || {
        for client in &mut clients {
            let bye = [&1001u16.to_be_bytes()[..], b"bye"].concat();
            assert_eq!(receive(client), (8, bye));
            let close = frame(OpCode::Close, &1001u16.to_be_bytes());
            client.write_all(&close).expect("room");
            assert_eq!(client.read(&mut [0]).expect("no reset"), 0);
        }
    });
    application.workers.stop_listening(None, true);
    let count = application.workers.begin_drain(Farewell::Brisk);
    let left = application.workers.close_portion(count, 1001, "bye");
    assert_eq!((count, left), (999, Ok(0)));
    application.serve_client(ended);
    application.serve(|application| {
        application.closed.len() == 1000 && application.workers.connection_count() == 0
    });
    assert_eq!(application.workers.subscriber_count("all".into()), 0);
    assert_eq!(application.workers.held_bytes(), 0);

    application.workers.abort_all();
    drop(application);
    assert_eq!((threads_of_ours(), descriptors()), (0, before));
}

/// An application that does nothing for a while is sent no more than the limit, and gets everything afterwards.
fn what_is_not_taken_is_not_read(before: usize) {
    const MESSAGES: usize = 200;
    const MESSAGE_BYTES: usize = 16 << 10;
    let mut application = Application::new(2, Settings::default());
    let address = application.address.clone();
    let mut client = application.serve_client(spawn(move || open(&address)));
    let mut reading = client.try_clone().expect("a descriptor");
    let sender = spawn(move || {
        let message = frame(OpCode::Binary, &[b'x'; MESSAGE_BYTES]);
        for _ in 0..MESSAGES {
            client.write_all(&message).expect("room, sooner or later");
        }
    });
    sleep(Duration::from_millis(300));
    let in_bytes = application.workers.stats().messages_in as usize * MESSAGE_BYTES;
    assert!((128 << 10..=256 << 10).contains(&in_bytes), "{in_bytes}");
    assert!(application.workers.held_bytes() >= in_bytes);
    let reader = spawn(move || {
        let mut echoed = vec![0; MESSAGES * (MESSAGE_BYTES + 4)];
        reading.read_exact(&mut echoed).expect("all of it");
    });
    application.serve_client(reader);
    application.serve_client(sender);
    let stats = application.workers.stats();
    assert_eq!((stats.messages_in as usize, stats.dropped), (MESSAGES, 0));
    drop(application);
    assert_eq!((threads_of_ours(), descriptors()), (0, before));
}

/// Each of many is far below its own limit; together they are as good as a queue that nobody new should stand behind.
fn a_crowd_that_is_not_taken_is_read_no_further(before: usize) {
    const CLIENTS: usize = 300;
    const MESSAGES: usize = 60;
    let mut application = Application::new(2, Settings::default());
    let address = application.address.clone();
    let mut clients: Vec<TcpStream> = application.serve_client(spawn(move || {
        let clients = (0..CLIENTS).map(|_| open(&address));
        clients.collect()
    }));
    let words = frame(OpCode::Binary, b"x").repeat(MESSAGES);
    for client in &mut clients {
        client.write_all(&words).expect("room");
    }
    sleep(Duration::from_millis(300));
    let read = application.workers.stats().messages_in as usize;
    assert!((2048..=2 * 2048 + CLIENTS * 17).contains(&read), "{read}");
    let hearing = spawn(move || {
        for client in &mut clients {
            for _ in 0..MESSAGES {
                assert_eq!(receive(client), (2, b"x".to_vec()));
            }
        }
    });
    application.serve_client(hearing);
    assert_eq!(
        application.workers.stats().messages_in as usize,
        CLIENTS * MESSAGES
    );
    drop(application);
    assert_eq!((threads_of_ours(), descriptors()), (0, before));
}

/// An application says something of a connection when it has ended, and another is in its place.
fn what_is_said_of_who_has_left_is_not_said_of_who_comes_next(before: usize) {
    const MESSAGES: usize = 300;
    let mut application = Application::new(1, Settings::default());
    let address = application.address.clone();
    drop(application.serve_client(spawn(move || open(&address))));
    application.serve(|application| application.closed.len() == 1);
    let address = application.address.clone();
    let mut client = application.serve_client(spawn(move || open(&address)));
    let [left, next] = application.opened[..] else {
        panic!("two have come");
    };
    // The second one says so much that it is read no further until some of it is taken.
    let words = frame(OpCode::Binary, b"x").repeat(MESSAGES);
    client.write_all(&words).expect("room");
    let read = |application: &Application| application.workers.stats().messages_in as usize;
    let end = Instant::now() + PATIENCE;
    while read(&application) < 64 {
        assert!(Instant::now() < end, "it is read that far");
        sleep(Duration::from_millis(1));
    }
    assert!(read(&application) < MESSAGES);
    application.workers.pause(left);
    application.workers.set_app_held(left, 1 << 20);
    application.workers.resume(left);
    sleep(Duration::from_millis(50));
    assert!(application.workers.held_bytes() < 1 << 20);
    application.serve_client(spawn(move || {
        for _ in 0..MESSAGES {
            assert_eq!(receive(&mut client), (2, b"x".to_vec()));
        }
    }));
    assert_ne!(left, next);
    drop(application);
    assert_eq!((threads_of_ours(), descriptors()), (0, before));
}
