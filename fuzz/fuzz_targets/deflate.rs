//! Compressed messages: anything is inflated within its limit, and what we compress comes back.
#![no_main]

use hubbub_protocol::deflate::{Codec, Parameters, PerMessage};
use hubbub_protocol::endpoint::Role;
use libfuzzer_sys::fuzz_target;

const LIMITS_BYTES: [usize; 4] = [1 << 20, 70_000, 100, 0];

fuzz_target!(|data: &[u8]| {
    let Some((&setting, bytes)) = data.split_first() else {
        return;
    };
    let mut codec = Codec::new(setting >> 4);
    let limit_bytes = LIMITS_BYTES[usize::from(setting) % 4];
    let alone = connection(Role::Server, false, 15).inflate(&mut codec, bytes, limit_bytes);
    let first = connection(Role::Server, true, 15).inflate(&mut codec, bytes, limit_bytes);
    if let Ok(message) = &alone {
        assert!(message.len() <= limit_bytes);
        // libdeflate and zlib agree about what a first message says. Not always about what is none: zlib cannot see
        // that one was cut, libdeflate takes the two length codes that RFC 1951 leaves unused for the longest one.
        assert!(first.is_err() || first.as_ref() == Ok(message));
    }

    let (takes_over, bits) = (setting & 4 != 0, 8 + (setting >> 4) % 8);
    let mut sender = connection(Role::Server, takes_over, bits);
    let mut receiver = connection(Role::Client, takes_over, bits);
    for message in [bytes, &bytes[bytes.len() / 2..], bytes] {
        let mut payload = Vec::new();
        if sender.compress(&mut codec, message, &mut payload) {
            let inflated = receiver.inflate(&mut codec, &payload, message.len());
            assert_eq!(inflated.as_deref(), Ok(message));
        } else {
            assert!(payload.is_empty());
        }
    }
});

fn connection(role: Role, takes_over: bool, window_bits: u8) -> PerMessage {
    let parameters = Parameters {
        server_no_context_takeover: !takes_over,
        client_no_context_takeover: !takes_over,
        server_max_window_bits: Some(window_bits),
        client_max_window_bits: Some(window_bits),
    };
    PerMessage::new(role, parameters, 0, 1)
}
