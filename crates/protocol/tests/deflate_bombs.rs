//! Bombs: 200 MB that were compressed to 199 KB cost no more than the limit (threats.md C1).
//!
//! A file of its own, because the allocator that counts belongs to the whole process; so one test at a time.

use std::time::{Duration, Instant};

use flate2::{Compress, Compression, FlushCompress};
use hubbub_protocol::deflate::{Codec, Parameters, PerMessage};
use hubbub_protocol::endpoint::Role;
use hubbub_protocol::error::Violation;
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const LIMIT_BYTES: usize = 1 << 20;
const SLACK_BYTES: usize = 64 * 1024;

/// `count` times 1 MB of zeros, about a thousandth of it.
fn bomb(count: usize) -> Vec<u8> {
    let mut charge = Vec::with_capacity(8192);
    let mut deflate = Compress::new(Compression::new(9), false);
    deflate
        .compress_vec(&[0; 1_000_000], &mut charge, FlushCompress::Full)
        .expect("zlib compresses");
    let mut bomb = charge.repeat(count);
    bomb.truncate(bomb.len() - 4);
    bomb
}

fn connection(takes_over: bool) -> PerMessage {
    let parameters = Parameters {
        client_no_context_takeover: !takes_over,
        ..Parameters::default()
    };
    PerMessage::new(Role::Server, parameters, 0, 1)
}

/// What inflating allocates at most beyond what is there before it.
fn peak_bytes(
    connection: &mut PerMessage,
    codec: &mut Codec,
    payload: &[u8],
) -> (Result<usize, Violation>, usize) {
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    let verdict = connection
        .inflate(codec, payload, LIMIT_BYTES)
        .map(|message| message.len());
    (verdict, ALLOCATOR.peak_usage() - before)
}

#[test]
fn bombs_stop_at_the_limit() {
    let mut codec = Codec::new(1);
    // 1 MB that is just allowed, and bombs on either side of the size up to which libdeflate is used.
    for (count, explodes) in [(1, false), (2, true), (20, true), (200, true)] {
        let bomb = bomb(count);
        for takes_over in [false, true] {
            // The worker's buffers and the connection's window are not part of the message.
            let mut connection = connection(takes_over);
            for warm_up in [&[0_u8; 1][..], &[0; 1], &[0x06]] {
                let _ = connection.inflate(&mut codec, warm_up, LIMIT_BYTES);
            }
            if takes_over {
                connection = self::connection(true);
                connection
                    .inflate(&mut codec, &[0], LIMIT_BYTES)
                    .expect("an empty message");
            }
            let start = Instant::now();
            let (verdict, peak) = peak_bytes(&mut connection, &mut codec, &bomb);
            let took = start.elapsed();
            match verdict {
                Ok(size) => assert_eq!((size, explodes), (1_000_000, false)),
                Err(violation) => {
                    assert!(explodes && violation.close_code() == 1009, "{violation}");
                }
            }
            assert!(
                peak <= LIMIT_BYTES + SLACK_BYTES,
                "{peak} bytes for {count} MB, context taken over: {takes_over}"
            );
            assert!(
                cfg!(debug_assertions) || took < Duration::from_millis(5),
                "{took:?}"
            );
            println!("{count} MB, context taken over: {takes_over}: {took:?}, {peak} bytes");
        }
    }
}
