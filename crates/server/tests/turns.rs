//! Turns from the outside: however much one peer sends, the others come in between, and nothing of it is lost.

mod echo;

use std::collections::{HashMap, HashSet};
use std::io::{Read, Write};
use std::net::TcpStream;

use echo::{Echo, OPENING, frame};

const QUESTION: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";

#[test]
fn a_pipeline_of_messages_is_worked_off_in_turns() {
    let mut echo = Echo::new();
    let (mut loud, loud_id) = echo.open();
    let (mut quiet, quiet_id) = echo.open();
    let words: Vec<Vec<u8>> = (0..1000u32)
        .map(|number| format!("{number:04}").into_bytes())
        .collect();
    let said: Vec<u8> = words.iter().flat_map(|word| frame(word)).collect();
    loud.write_all(&said).expect("room");
    let mut served = 0;
    while served < words.len() {
        quiet.write_all(&frame(b"and I?")).expect("room");
        let batch = echo.batch();
        let of_loud = batch.iter().filter(|&&id| id == loud_id).count();
        assert!(of_loud <= 16, "{of_loud} in one turn");
        assert_eq!(batch.iter().filter(|&&id| id == quiet_id).count(), 1);
        served += of_loud;
        assert!(served == words.len() || echo.is_awake());
        echo.worker.flush();
        let mut heard = [0; 8];
        quiet.read_exact(&mut heard).expect("an answer");
        assert_eq!(&heard, b"\x81\x06and I?");
    }
    echo.worker.flush();
    for word in words {
        let mut heard = [0; 6];
        loud.read_exact(&mut heard).expect("an answer");
        assert_eq!(heard[2..], word);
    }
    assert!(!echo.is_awake());
}

#[test]
fn sixteen_messages_are_one_turn() {
    let mut echo = Echo::new();
    let (mut stream, id) = echo.open();
    for _ in 0..3 {
        stream.write_all(&frame(b"x").repeat(16)).expect("room");
        assert_eq!(echo.batch(), [id; 16]);
        assert!(!echo.is_awake());
        let mut heard = [0; 16 * 3];
        stream.read_exact(&mut heard).expect("answers");
    }
}

#[test]
fn a_pipeline_of_pings_and_one_of_fragments_end_as_they_should() {
    let mut echo = Echo::new();
    let (mut stream, id) = echo.open();
    let mut said = [0x89, 0x80, 0, 0, 0, 0].repeat(100);
    said.extend([0x01, 0x81, 0, 0, 0, 0, b'a']);
    said.extend([0x00, 0x81, 0, 0, 0, 0, b'a'].repeat(99));
    said.extend([0x80, 0x80, 0, 0, 0, 0]);
    said.extend([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);
    stream.write_all(&said).expect("room");
    let mut served = Vec::new();
    while echo.worker.stats().messages_in == 0 {
        served.extend(echo.batch());
    }
    assert_eq!(served, [id]);
    while echo.is_awake() {
        echo.batch();
    }
    echo.worker.flush();
    let mut heard = vec![0; 200 + 2 + 100 + 4];
    stream.read_exact(&mut heard).expect("answers");
    assert_eq!(heard[..200], [0x8a, 0].repeat(100));
    assert_eq!(heard[302..], [0x88, 2, 0x03, 0xe8]);
}

#[test]
fn a_pipeline_of_requests_is_worked_off_in_turns() {
    let mut echo = Echo::new();
    let mut loud = echo.connect();
    loud.write_all(&QUESTION.repeat(100)).expect("room");
    let mut served = 0;
    while served < 100 {
        let batch = echo.batch();
        assert!(batch.len() <= 2, "{} in one turn", batch.len());
        served += batch.len();
        assert!(served == 100 || echo.is_awake());
    }
    while echo.is_awake() {
        echo.batch();
    }
    echo.worker.flush();
    let mut heard = Vec::new();
    let mut piece = [0; 1 << 16];
    while heard
        .windows(7)
        .filter(|window| window == b"\r\n\r\nyes")
        .count()
        < 100
    {
        let len = loud.read(&mut piece).expect("answers");
        assert!(len > 0, "it has ended too early");
        heard.extend_from_slice(&piece[..len]);
    }
}

#[test]
fn a_crowd_at_the_door_comes_in_a_few_at_a_time() {
    let mut echo = Echo::new();
    let (mut guest, guest_id) = echo.open();
    let mut crowd: Vec<TcpStream> = (0..200).map(|_| echo.connect()).collect();
    // All are let in before the first of them asks anything.
    while echo.worker.connection_count() <= crowd.len() {
        assert_eq!(echo.batch(), []);
    }
    for stream in &mut crowd {
        stream.write_all(OPENING).expect("room");
    }
    let mut served = 0;
    while served < crowd.len() {
        guest.write_all(&frame(b"and I?")).expect("room");
        let batch = echo.batch();
        let of_guest = batch.iter().filter(|&&id| id == guest_id).count();
        assert_eq!(of_guest, 1, "after {served}");
        assert!(batch.len() <= 33, "{} in one batch", batch.len());
        served += batch.len() - of_guest;
        assert!(served == crowd.len() || echo.is_awake());
    }
    for stream in &mut crowd {
        stream.write_all(&frame(b"in")).expect("room");
    }
    let mut heard = 0;
    while heard < crowd.len() {
        heard += echo.batch().len();
    }
}

#[test]
fn who_dribbles_takes_no_place_of_those_who_ask() {
    let mut echo = Echo::new();
    let mut crowd: Vec<TcpStream> = (0..120).map(|_| echo.connect()).collect();
    let mut guest = echo.connect();
    while echo.worker.connection_count() <= crowd.len() {
        assert_eq!(echo.batch(), []);
    }
    for byte in b"GET / HTTP/1.1" {
        for stream in &mut crowd {
            stream.write_all(&[*byte]).expect("room");
        }
        guest.write_all(QUESTION).expect("room");
        assert_eq!(echo.batch().len(), 1);
        echo.worker.flush();
        let len = guest.read(&mut [0; 1024]).expect("an answer");
        assert!(len > 0, "it has ended");
    }
}

#[test]
fn who_asks_again_at_once_does_not_overtake_those_who_wait() {
    const CLIENTS: usize = 60;
    let mut echo = Echo::new();
    let mut clients: HashMap<_, TcpStream> = (0..CLIENTS)
        .map(|_| {
            let stream = echo.connect();
            (stream.local_addr().expect("connected").to_string(), stream)
        })
        .collect();
    while echo.worker.connection_count() < CLIENTS {
        echo.batch();
    }
    for stream in clients.values_mut() {
        stream.write_all(QUESTION).expect("room");
    }
    let mut served = HashSet::new();
    // Eight who have waited begin in each batch, beside eight who have not.
    for _ in 0..2 * CLIENTS / 8 {
        for id in echo.batch() {
            let address = echo.worker.peer(id).expect("it is there").to_string();
            echo.worker.flush();
            let client = clients.get_mut(&address).expect("one of them");
            let len = client.read(&mut [0; 1024]).expect("an answer");
            assert!(len > 0, "it has ended");
            client.write_all(QUESTION).expect("room");
            served.insert(address);
        }
    }
    assert_eq!(served.len(), CLIENTS);
}
