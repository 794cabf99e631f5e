//! What subscriptions cost, and that they cost nothing once they are gone.
//!
//! A file of its own, because the allocator that counts belongs to the whole process; so one test.

use hubbub_hub::Topics;
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const SUBSCRIBERS: u64 = 19_000;

#[test]
fn a_subscription_costs_about_64_bytes_and_leaves_nothing() {
    let before = ALLOCATOR.current_usage();
    let mut topics = Topics::new();
    for subscriber in 0..SUBSCRIBERS {
        topics.subscribe(subscriber, "lobby");
    }
    let each = (ALLOCATOR.current_usage() - before) / SUBSCRIBERS as usize;
    assert!(each <= 64, "{each} bytes each in one room");

    for subscriber in 0..SUBSCRIBERS {
        topics.subscribe(subscriber, &format!("inbox/{subscriber}"));
    }
    let each = (ALLOCATOR.current_usage() - before) / SUBSCRIBERS as usize;
    assert!(each <= 512, "{each} bytes each with an inbox of their own");

    for subscriber in 0..SUBSCRIBERS {
        assert_eq!(topics.drop_subscriber(subscriber), 2);
    }
    let left = ALLOCATOR.current_usage() - before;
    assert!(left <= 8 * 1024, "{left} bytes left behind");
}
