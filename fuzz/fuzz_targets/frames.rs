//! Frame headers and UTF-8 in pieces, against their definitions.
#![no_main]

use hubbub_protocol::frame::Header;
use hubbub_protocol::utf8::{self, Utf8};
use hubbub_protocol::{close, mask};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    header(data);
    text(data);
    let _ = close::parse(data);
    if let Some((key, rest)) = data.split_first_chunk::<4>() {
        unmask(*key, rest);
    }
});

fn header(data: &[u8]) {
    let verdict = Header::parse(data);
    if let Ok(Some((header, length))) = &verdict {
        // §5.2: "the minimal number of bytes MUST be used", so there is one way to write a header.
        assert_eq!(*header.encode(), data[..*length]);
    }
    // What a header is does not depend on how much of it is looked at.
    let early = (0..data.len())
        .map(|end| Header::parse(&data[..end]))
        .find(|early| *early != Ok(None));
    assert!(early.is_none_or(|early| early == verdict));
}

fn text(data: &[u8]) {
    let expected = std::str::from_utf8(data);
    assert_eq!(utf8::check(data).is_ok(), expected.is_ok());
    for size in [1, 2, 3, 7, 64] {
        let mut utf8 = Utf8::default();
        let mut taken = 0;
        let is_valid = data.chunks(size).all(|piece| {
            taken += piece.len();
            utf8.push(piece).is_ok()
        });
        assert_eq!(is_valid && utf8.finish().is_ok(), expected.is_ok());
        // Fail-fast: not before the fault, and not a piece later.
        if let Err(fault) = expected {
            assert_eq!(is_valid, fault.error_len().is_none());
            assert!(is_valid || taken > fault.valid_up_to());
            assert!(is_valid || taken < fault.valid_up_to() + 4 + size);
        }
    }
}

fn unmask(key: [u8; 4], data: &[u8]) {
    for offset in 0..4 {
        let mut unmasked = data.to_vec();
        mask::apply(&mut unmasked, key, offset);
        let naive = data.iter().zip(key.iter().cycle().skip(offset));
        assert!(
            unmasked
                .iter()
                .copied()
                .eq(naive.map(|(byte, key)| byte ^ key))
        );
    }
}
