//! The smallest server: every message goes back to its sender. `cargo run --release --example echo -- 127.0.0.1:9001`

use std::io;
use std::time::Duration;

use hubbub_protocol::handshake::examine;
use hubbub_protocol::http::{Refusal, Request};
use hubbub_server::{Accept, Address, Event, Inbox, Listener, Settings, Worker};

fn main() -> io::Result<()> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let address = Address::parse(&address).map_err(io::Error::other)?;
    let settings = Settings {
        message_limit_bytes: 64 << 20,
        outbox_limit_bytes: 64 << 20,
        ..Settings::default()
    };
    let head_limits = settings.head;
    let listener = Listener::bind(&address, 4096)?;
    println!(
        "listening on {}",
        listener.address()?.trim_start_matches("tcp://")
    );

    let mut worker = Worker::new(0, settings)?;
    worker.listen(listener)?;
    let mut inbox = Inbox::default();
    loop {
        let (mut ready, timeout) = worker.begin_wait(None::<Duration>);
        ready.wait(worker.epoll(), timeout)?;
        worker.end_wait(ready);
        while let Some(event) = worker.next(&mut inbox) {
            match event {
                Event::Message { id, kind, payload } => {
                    worker.send(id, kind, &payload);
                }
                Event::Request { id, head, .. } => {
                    let request =
                        Request::parse(&head, &head_limits).expect("the worker has parsed it");
                    match examine(&request) {
                        Ok(Some(offer)) => {
                            worker
                                .accept(id, &offer, &Accept::default())
                                .expect("no fields of our own");
                        }
                        Ok(None) => worker.refuse(id, &Refusal::upgrade_required()),
                        Err(refusal) => worker.refuse(id, &refusal),
                    }
                }
                _ => {}
            }
        }
    }
}
