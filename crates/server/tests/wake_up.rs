//! The wake-up of mailboxes under the interleavings of their atomics and locks: whatever is put in is taken.
//!
//! Checks the very file that the pool is built from, on loom's primitives instead of the standard library's.

// The model uses less of it than the pool does.
#[allow(dead_code)]
#[path = "../src/pool/mailbox.rs"]
mod mailbox;

mod sync {
    pub(crate) use loom::sync::atomic::{AtomicBool, Ordering};
    pub(crate) use loom::sync::{Arc, Mutex, MutexGuard};
    pub(crate) use std::sync::PoisonError;
}

use loom::sync::{Arc, Condvar, Mutex};
use mailbox::{Bell, Mailbox, Ring};

/// An eventfd in the eyes of its reader: it stays rung until somebody has waited for it.
#[derive(Default)]
struct Counter {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Counter {
    fn wait(&self) {
        let mut rung = self.rung.lock().expect("nobody panics");
        while !*rung {
            rung = self.changed.wait(rung).expect("nobody panics");
        }
        *rung = false;
    }
}

impl Ring for Counter {
    fn ring(&self) {
        *self.rung.lock().expect("nobody panics") = true;
        self.changed.notify_one();
    }
}

type Numbers = Mailbox<Vec<u32>, Counter>;

/// The sleeper's half of the protocol, until `wanted` things have come. A lost wake-up is a deadlock, which loom reports.
fn take_all(bell: &Bell<Counter>, boxes: &[Arc<Numbers>], wanted: usize) -> Vec<u32> {
    let mut taken = Vec::new();
    while taken.len() < wanted {
        bell.arm();
        if boxes.iter().all(|one| one.look(Vec::is_empty)) {
            bell.ringer().wait();
        }
        bell.disarm();
        for one in boxes {
            let mut some = Vec::new();
            one.exchange(&mut some);
            taken.extend(some);
        }
    }
    taken
}

/// All interleavings with up to three forced switches: more take minutes, and find nothing.
fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

#[test]
fn what_one_sender_puts_in_is_taken_in_its_order() {
    check(|| {
        let bell = Arc::new(Bell::new(Counter::default()));
        let mailbox = Arc::new(Numbers::new(Arc::clone(&bell)));
        let sender = loom::thread::spawn({
            let mailbox = Arc::clone(&mailbox);
            move || (1..=2).for_each(|number| mailbox.put(|numbers| numbers.push(number)))
        });
        assert_eq!(take_all(&bell, &[mailbox], 2), [1, 2]);
        sender.join().expect("the sender ends");
    });
}

#[test]
fn two_senders_with_a_mailbox_each_share_a_bell() {
    check(|| {
        let bell = Arc::new(Bell::new(Counter::default()));
        let boxes = [(); 2].map(|()| Arc::new(Numbers::new(Arc::clone(&bell))));
        let senders = boxes
            .clone()
            .map(|mailbox| loom::thread::spawn(move || mailbox.put(|numbers| numbers.push(7))));
        assert_eq!(take_all(&bell, &boxes, 2), [7, 7]);
        for sender in senders {
            sender.join().expect("the sender ends");
        }
    });
}
