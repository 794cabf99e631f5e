//! TLS from the outside: a rustls client over real sockets, and what is not TLS at all.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use hubbub_protocol::frame::{Header, OpCode};
use hubbub_protocol::handshake::examine;
use hubbub_protocol::http::{Refusal, Request};
use hubbub_server::{
    Accept, Address, Event, Inbox, Listener, Pair, Settings, Stats, Threads, TlsContext, TlsFacts,
    TlsSettings, Workers,
};
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

const PATIENCE: Duration = Duration::from_secs(20);
const OPENING: &[u8] =
    b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

type Client = StreamOwned<ClientConnection, TcpStream>;

struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        Self { issuer }
    }

    fn pair(&self, names: &[&str]) -> Pair {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let params = CertificateParams::new(names).expect("names");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a signature");
        Pair {
            name: "test".to_owned(),
            chain: certificate.pem().into_bytes(),
            key: key.serialize_pem().into_bytes(),
        }
    }

    fn config(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        let pem = self.issuer.pem();
        roots
            .add(CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM"))
            .expect("an authority");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config)
    }
}

/// An echo server in a thread of its own.
struct Server {
    address: String,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<(Stats, Vec<TlsFacts>)>>,
}

impl Server {
    fn start(context: &Arc<TlsContext>, threads: usize, settings: Settings) -> Self {
        let listener = Listener::bind(&Address::Tcp("127.0.0.1".into(), 0), 1024).expect("a port");
        let address = listener.address().expect("bound").replace("tcp://", "");
        let listener = listener.with_tls(Arc::clone(context));
        let is_over = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let is_over = Arc::clone(&is_over);
            move || {
                let threads = Threads {
                    count: threads,
                    ..Threads::default()
                };
                let mut workers = Workers::new(settings, threads).expect("threads");
                workers.listen(listener).expect("listens");
                let facts = echo(&mut workers, &is_over);
                (workers.stats(), facts)
            }
        });
        Self {
            address,
            is_over,
            thread: Some(thread),
        }
    }

    fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(&self.address).expect("somebody listens");
        socket.set_read_timeout(Some(PATIENCE)).expect("not zero");
        socket.set_nodelay(true).expect("TCP");
        socket
    }

    fn open(&self, config: &Arc<ClientConfig>, name: &'static str) -> Client {
        let name = ServerName::try_from(name).expect("a name");
        let session = ClientConnection::new(Arc::clone(config), name).expect("a client");
        let mut client = StreamOwned::new(session, self.connect());
        client.write_all(OPENING).expect("room");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte).expect("an answer");
            head.extend(byte);
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "), "{head:?}");
        client
    }

    fn stop(mut self) -> (Stats, Vec<TlsFacts>) {
        self.is_over.store(true, Ordering::Release);
        let thread = self.thread.take().expect("stopped once");
        thread.join().expect("the server is content")
    }
}

fn echo(workers: &mut Workers, is_over: &AtomicBool) -> Vec<TlsFacts> {
    let mut inbox = Inbox::default();
    let mut facts = Vec::new();
    while !is_over.load(Ordering::Acquire) {
        let (mut ready, timeout) = workers.begin_wait(Some(Duration::from_millis(5)));
        ready.wait(workers.epoll(), timeout).expect("a wait");
        workers.end_wait(ready);
        while let Some(event) = workers.next(&mut inbox) {
            match event {
                Event::Request { id, head, .. } => {
                    facts.extend(workers.tls(id));
                    let limits = workers.settings().kept_head();
                    let request = Request::parse(&head, &limits).expect("parsed before");
                    match examine(&request) {
                        Ok(Some(offer)) => {
                            let accepted = workers.accept(id, &offer, &Accept::default());
                            accepted.expect("no fields");
                        }
                        _ => workers.refuse(id, &Refusal::upgrade_required()),
                    }
                }
                Event::Message { id, kind, payload } => {
                    workers.send(id, kind, &payload);
                }
                _ => {}
            }
        }
    }
    facts
}

fn frame(opcode: OpCode, payload: &[u8]) -> Vec<u8> {
    let header = Header {
        fin: true,
        rsv1: false,
        opcode,
        mask: Some([0; 4]),
        length: payload.len() as u64,
    };
    let mut bytes = header.encode().to_vec();
    bytes.extend_from_slice(payload);
    bytes
}

/// Reads one frame of a server; its opcode and payload.
fn receive(client: &mut impl Read) -> (u8, Vec<u8>) {
    let mut head = [0; 2];
    client.read_exact(&mut head).expect("a header");
    let len = match head[1] {
        126 => {
            let mut long = [0; 2];
            client.read_exact(&mut long).expect("a length");
            u64::from(u16::from_be_bytes(long))
        }
        127 => {
            let mut long = [0; 8];
            client.read_exact(&mut long).expect("a length");
            u64::from_be_bytes(long)
        }
        short => u64::from(short),
    };
    let mut payload = vec![0; len as usize];
    client.read_exact(&mut payload).expect("a payload");
    (head[0] & 15, payload)
}

fn context(pairs: Vec<Pair>) -> Arc<TlsContext> {
    let settings = TlsSettings {
        pairs,
        ..TlsSettings::default()
    };
    Arc::new(TlsContext::new(&settings).expect("usable"))
}

#[test]
fn messages_of_every_size_come_back_here_and_in_threads() {
    for threads in [0, 2] {
        let authority = Authority::new();
        let context = context(vec![authority.pair(&["localhost"])]);
        let server = Server::start(&context, threads, Settings::default());
        let config = authority.config();
        for _ in 0..3 {
            let mut client = server.open(&config, "localhost");
            for size in [
                0,
                1,
                125,
                126,
                8191,
                8192,
                16_384,
                16_385,
                65_535,
                65_536,
                1 << 20,
            ] {
                let payload: Vec<u8> = (0..size).map(|at: usize| (at % 251) as u8).collect();
                client
                    .write_all(&frame(OpCode::Binary, &payload))
                    .expect("room");
                assert!(receive(&mut client) == (2, payload), "{size} bytes");
            }
            client
                .write_all(&frame(OpCode::Close, &[0x03, 0xe8]))
                .expect("room");
            assert_eq!(receive(&mut client), (8, vec![0x03, 0xe8]));
            // A clean end: `close_notify`, not a cut, which rustls would report as an error.
            assert_eq!(client.read(&mut [0]).expect("close_notify"), 0);
        }
        let (stats, facts) = server.stop();
        assert_eq!(
            (stats.tls_handshakes, stats.tls_resumed, stats.tls_failures),
            (3, 2, 0)
        );
        assert_eq!(facts.len(), 3);
        assert_eq!(facts[0].server_name.as_deref(), Some("localhost"));
        assert_eq!((facts[0].version, facts[0].resumed), ("TLSv1.3", false));
        assert!(facts[2].resumed);
    }
}

#[test]
fn a_peer_that_does_not_read_is_held_to_its_limit_and_gets_everything_in_order() {
    let authority = Authority::new();
    let context = context(vec![authority.pair(&["localhost"])]);
    let server = Server::start(&context, 0, Settings::default());
    let config = authority.config();
    let mut client = server.open(&config, "localhost");
    let mut sent: u32 = 0;
    client
        .sock
        .set_write_timeout(Some(Duration::from_millis(300)))
        .expect("not zero");
    // Until neither side takes any more.
    loop {
        let mut payload = sent.to_be_bytes().to_vec();
        payload.resize(30_000, 0);
        if client.write_all(&frame(OpCode::Binary, &payload)).is_err() {
            break;
        }
        sent += 1;
    }
    // Whoever reads also tries to send what is left.
    let briefly = Some(Duration::from_millis(1));
    client.sock.set_write_timeout(briefly).expect("not zero");
    for number in 0..sent {
        let (_, payload) = receive(&mut client);
        assert_eq!(payload[..4], number.to_be_bytes());
    }
    let (stats, _) = server.stop();
    assert!(
        stats.messages_in >= u64::from(sent) && stats.dropped == 0,
        "{stats:?}"
    );
}

#[test]
fn whoever_speaks_http_is_told_that_this_is_tls() {
    let authority = Authority::new();
    let context = context(vec![authority.pair(&["localhost"])]);
    let server = Server::start(&context, 0, Settings::default());
    let mut socket = server.connect();
    socket
        .write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        .expect("room");
    let mut answer = String::new();
    socket
        .read_to_string(&mut answer)
        .expect("an answer and an end");
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("speaks TLS"), "{answer}");
    assert_eq!(server.stop().0.tls_failures, 1);
}

/// The bytes that a client sends first.
fn hello(config: &Arc<ClientConfig>) -> Vec<u8> {
    let name = ServerName::try_from("localhost").expect("a name");
    let mut session = ClientConnection::new(Arc::clone(config), name).expect("a client");
    let mut bytes = Vec::new();
    session.write_tls(&mut bytes).expect("a vector");
    bytes
}

#[test]
fn a_hello_in_records_of_one_byte_is_understood() {
    let authority = Authority::new();
    let context = context(vec![authority.pair(&["localhost"])]);
    let server = Server::start(&context, 0, Settings::default());
    let whole = hello(&authority.config());
    let mut socket = server.connect();
    for byte in &whole[5..] {
        socket.write_all(&[22, 3, 1, 0, 1, *byte]).expect("room");
    }
    let mut answer = [0; 6];
    socket.read_exact(&mut answer).expect("an answer");
    // A handshake record with a ServerHello.
    assert_eq!((answer[0], answer[5]), (22, 2));
    server.stop();
}

#[test]
fn a_hello_cut_anywhere_or_followed_by_an_alert_ends_in_good_order() {
    let authority = Authority::new();
    let context = context(vec![authority.pair(&["localhost"])]);
    let server = Server::start(&context, 0, Settings::default());
    let whole = hello(&authority.config());
    for cut in 0..whole.len() {
        let mut socket = server.connect();
        socket.write_all(&whole[..cut]).expect("room");
        if cut % 2 == 0 {
            socket.write_all(&[21, 3, 3, 0, 2, 2, 40]).ok();
        }
        socket.shutdown(Shutdown::Write).ok();
        let mut rest = Vec::new();
        match socket.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
        }
    }
    // It still serves.
    server.open(&authority.config(), "localhost");
    let (stats, _) = server.stop();
    assert_eq!((stats.panics, stats.tls_handshakes), (0, 1));
    assert!(stats.tls_failures as usize >= whole.len() - 2, "{stats:?}");
}

#[test]
fn a_record_that_was_tampered_with_ends_the_connection() {
    let authority = Authority::new();
    let context = context(vec![authority.pair(&["localhost"])]);
    let server = Server::start(&context, 0, Settings::default());
    let config = authority.config();
    let mut client = server.open(&config, "localhost");
    client.sock.write_all(&[23, 3, 3, 0, 32]).expect("room");
    client.sock.write_all(&[7; 32]).expect("room");
    let error = client.read(&mut [0]).expect_err("an alert");
    assert!(error.to_string().contains("BadRecordMac"), "{error}");
    let (stats, _) = server.stop();
    assert_eq!((stats.violations, stats.tls_failures), (1, 0));
}

#[test]
fn a_dribbled_hello_ends_at_the_deadline() {
    let authority = Authority::new();
    let context = context(vec![authority.pair(&["localhost"])]);
    let settings = Settings {
        head_timeout_s: 0.4,
        ..Settings::default()
    };
    let server = Server::start(&context, 0, settings);
    let whole = hello(&authority.config());
    let mut socket = server.connect();
    socket
        .set_read_timeout(Some(Duration::from_millis(20)))
        .expect("not zero");
    let start = std::time::Instant::now();
    for byte in whole.iter().cycle() {
        let _ = socket.write_all(&[*byte]);
        match socket.read(&mut [0]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            _ => break,
        }
        assert!(start.elapsed() < PATIENCE, "it goes on for ever");
    }
    assert!(start.elapsed() >= Duration::from_millis(300));
    let (stats, _) = server.stop();
    assert_eq!((stats.timeouts, stats.tls_failures), (1, 1));
}

#[test]
fn a_name_chooses_its_certificate_and_replacing_them_leaves_old_connections_alone() {
    let authority = Authority::new();
    let pairs = vec![
        authority.pair(&["first.test"]),
        authority.pair(&["*.wild.test"]),
    ];
    let context = context(pairs);
    let server = Server::start(&context, 0, Settings::default());
    let config = authority.config();
    let shown = |client: &Client| client.conn.peer_certificates().expect("shown")[0].to_vec();
    let mut first = server.open(&config, "first.test");
    let wild = server.open(&config, "a.wild.test");
    assert_ne!(shown(&first), shown(&wild));
    let failed = ClientConnection::new(
        Arc::clone(&config),
        ServerName::try_from("a.b.wild.test").expect("a name"),
    )
    .map(|session| {
        StreamOwned::new(session, server.connect())
            .write_all(OPENING)
            .expect_err("not for two labels")
    });
    assert!(
        failed
            .expect("a client")
            .to_string()
            .contains("not valid for name")
    );
    let renewed = TlsSettings {
        pairs: vec![authority.pair(&["first.test", "second.test"])],
        ..TlsSettings::default()
    };
    context.replace(&renewed).expect("usable");
    // Neither the chain of one pair with the key of another …
    let mixed = Pair {
        key: authority.pair(&["x.test"]).key,
        ..renewed.pairs[0].clone()
    };
    let refused = context.replace(&TlsSettings {
        pairs: vec![mixed],
        ..TlsSettings::default()
    });
    assert_eq!(
        refused.expect_err("mismatched").to_string(),
        "certificate and key do not belong together: test"
    );
    // … disturbs the good one, nor has anything happened to who was there before.
    let second = server.open(&config, "second.test");
    assert_ne!(shown(&first), shown(&second));
    first
        .write_all(&frame(OpCode::Text, b"still here"))
        .expect("room");
    assert_eq!(receive(&mut first), (1, b"still here".to_vec()));
    server.stop();
}

#[test]
fn a_flood_of_key_updates_is_the_end() {
    let authority = Authority::new();
    let context = context(vec![authority.pair(&["localhost"])]);
    let server = Server::start(&context, 0, Settings::default());
    let config = authority.config();
    let mut client = server.open(&config, "localhost");
    let mut sent = 0;
    // Each asks for one in return, and none carries anything.
    let error = loop {
        client.conn.refresh_traffic_keys().expect("TLS 1.3");
        sent += 1;
        if let Err(error) = client.flush() {
            break error;
        }
        if sent > 40 {
            break client.read(&mut [0]).expect_err("an alert");
        }
        assert!(sent < 100, "it goes on for ever");
    };
    assert!(sent > 32, "{error}");
    let (stats, _) = server.stop();
    assert_eq!((stats.violations, stats.panics), (1, 0), "{error}");
}
