//! Reading ahead from the outside: several connections are read before the first is answered, and nobody can tell.

mod echo;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread::sleep;
use std::time::Duration;

use echo::{Echo, frame};
use hubbub_server::ConnectionId;

/// More than one group.
const CROWD: usize = 40;

fn crowd(echo: &mut Echo) -> Vec<(TcpStream, ConnectionId)> {
    (0..CROWD).map(|_| echo.open()).collect()
}

fn word(number: usize) -> Vec<u8> {
    format!("{number:04}").into_bytes()
}

fn say_all(crowd: &mut [(TcpStream, ConnectionId)]) {
    for (number, (stream, _)) in crowd.iter_mut().enumerate() {
        stream.write_all(&frame(&word(number))).expect("room");
    }
}

fn hears(stream: &mut TcpStream, number: usize) {
    let mut heard = [0; 6];
    stream.read_exact(&mut heard).expect("an answer");
    assert_eq!(heard[2..], word(number));
}

fn hears_nothing(stream: &mut TcpStream) {
    stream.set_nonblocking(true).expect("a socket");
    let nothing = stream.read(&mut [0; 6]).expect_err("nothing has come");
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
    stream.set_nonblocking(false).expect("a socket");
}

#[test]
fn each_of_a_crowd_hears_its_own() {
    let mut echo = Echo::new();
    let mut crowd = crowd(&mut echo);
    for _ in 0..3 {
        say_all(&mut crowd);
        let mut served = Vec::new();
        while served.len() < CROWD {
            served.extend(echo.batch());
        }
        echo.worker.flush();
        for (number, (stream, _)) in crowd.iter_mut().enumerate() {
            hears(stream, number);
        }
        served.sort_unstable_by_key(|id| id.number());
        served.dedup();
        assert_eq!(served.len(), CROWD);
    }
}

#[test]
fn who_is_paused_after_being_read_is_heard_later_and_who_is_closed_hears_the_close() {
    let mut echo = Echo::new();
    let mut crowd = crowd(&mut echo);
    let (paused, closed) = (crowd[3].1, crowd[5].1);
    say_all(&mut crowd);
    echo.wait();
    let mut is_first = true;
    let served = echo.work_off(|worker, _| {
        if std::mem::take(&mut is_first) {
            worker.pause(paused);
            worker.close(closed, 1000, "enough").expect("may be sent");
        }
    });
    assert!(!served.contains(&paused), "it is paused");
    let mut served = served;
    while served.len() < CROWD - 2 {
        served.extend(echo.batch());
    }
    echo.worker.flush();
    hears_nothing(&mut crowd[3].0);
    let held_bytes = echo.worker.held_bytes();
    assert!(held_bytes > 0, "it was read before it was paused");
    let mut heard = [0; 4];
    crowd[5].0.read_exact(&mut heard).expect("the close");
    assert_eq!(heard, [0x88, 8, 0x03, 0xe8]);
    echo.worker.resume(paused);
    while !echo.batch().contains(&paused) {}
    echo.worker.flush();
    hears(&mut crowd[3].0, 3);
}

#[test]
fn what_is_held_of_messages_that_do_not_end_is_charged() {
    const LEN: usize = 10_000;
    let mut echo = Echo::new();
    let mut crowd = crowd(&mut echo);
    let mut begun = vec![0x82, 0x80 | 126, (LEN >> 8) as u8, LEN as u8, 0, 0, 0, 0];
    begun.resize(8 + LEN - 1, 0);
    let before = echo.worker.stats().bytes_in;
    for (stream, _) in &mut crowd {
        stream.write_all(&begun).expect("room");
    }
    let all = before + (CROWD * begun.len()) as u64;
    while echo.worker.stats().bytes_in < all {
        echo.batch();
    }
    assert!(echo.worker.held_bytes() >= CROWD * (LEN - 1));
}

#[test]
fn an_end_among_messages_ends_only_its_connection() {
    let mut echo = Echo::new();
    let mut crowd = crowd(&mut echo);
    crowd[7].0.shutdown(Shutdown::Write).expect("open");
    let (_, gone) = crowd.remove(7);
    say_all(&mut crowd);
    let mut served = Vec::new();
    while served.len() < CROWD - 1 || echo.worker.is_open(gone) {
        served.extend(echo.batch());
    }
    echo.worker.flush();
    for (number, (stream, _)) in crowd.iter_mut().enumerate() {
        hears(stream, number);
    }
    assert_eq!(echo.worker.connection_count(), CROWD - 1);
}

#[test]
fn no_answer_waits_for_an_application_that_takes_its_time() {
    let mut echo = Echo::new();
    let mut crowd = crowd(&mut echo);
    say_all(&mut crowd);
    echo.wait();
    let mut before = None;
    echo.work_off(|_, id| {
        if let Some(number) = before {
            let (stream, _): &mut (TcpStream, ConnectionId) = &mut crowd[number];
            hears(stream, number);
        }
        before = crowd.iter().position(|(_, other)| *other == id);
        sleep(Duration::from_millis(1));
    });
}
