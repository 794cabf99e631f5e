//! Transcoding, against the standard library; and bytes that are no text, which must stay within bounds.
#![no_main]

use hubbub_protocol::transcode::{Shape, Unit, Width, decode, encode};
use libfuzzer_sys::fuzz_target;
use std::mem::MaybeUninit;

fuzz_target!(|data: &[u8]| {
    for width in 0..3 {
        let room = data.len().saturating_sub(width);
        decoded::<u8>(data, room);
        decoded::<u16>(data, room);
        decoded::<u32>(data, room);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        round_trip(text);
    }
    let (pairs, _) = data.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().copied().map(u16::from_le_bytes).collect();
    let chars: Option<String> = units
        .iter()
        .map(|&unit| char::from_u32(unit.into()))
        .collect();
    let mut out = Vec::new();
    assert_eq!(encode(&units, &mut out).is_ok(), chars.is_some());
    assert_eq!(out, chars.unwrap_or_default().as_bytes());
});

fn round_trip(text: &str) {
    let Shape { width, length } = Shape::of(text.as_bytes());
    let greatest = text.chars().max().map_or(0, u32::from);
    assert_eq!(length, text.chars().count());
    let mut out = Vec::new();
    match width {
        Width::Ascii => assert!(text.is_ascii()),
        Width::Latin1 => {
            assert!((0x80..0x100).contains(&greatest));
            let units = decoded::<u8>(text.as_bytes(), length);
            assert!(
                text.chars()
                    .map(u32::from)
                    .eq(units.iter().map(|&unit| unit.into()))
            );
            assert!(encode(&units, &mut out).is_ok());
        }
        Width::Ucs2 => {
            assert!((0x100..0x1_0000).contains(&greatest));
            let units = decoded::<u16>(text.as_bytes(), length);
            assert!(
                text.chars()
                    .map(u32::from)
                    .eq(units.iter().map(|&unit| unit.into()))
            );
            assert!(encode(&units, &mut out).is_ok());
        }
        Width::Ucs4 => {
            assert!(greatest >= 0x1_0000);
            let units = decoded::<u32>(text.as_bytes(), length);
            assert!(text.chars().map(u32::from).eq(units.iter().copied()));
            assert!(encode(&units, &mut out).is_ok());
        }
    }
    assert!(width == Width::Ascii || out == text.as_bytes());
}

fn decoded<U: Unit>(data: &[u8], length: usize) -> Vec<U> {
    let mut units = Vec::<U>::with_capacity(length);
    let room: &mut [MaybeUninit<U>] = &mut units.spare_capacity_mut()[..length];
    let written = decode(data, room);
    assert!(written <= length);
    // SAFETY: so many were written.
    unsafe { units.set_len(written) };
    units
}
