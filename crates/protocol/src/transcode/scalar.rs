//! Transcoding code point by code point: for processors whose vectors we do not know, and what the others must agree with.
//!
//! Safe code; runs of ASCII go by eights.

use super::{LoneSurrogate, Unit};
use std::mem::MaybeUninit;

/// The greatest byte, and how many begin a code point. The compiler makes vectors of it.
pub(super) fn measure(utf8: &[u8]) -> (u8, usize) {
    let greatest = utf8.iter().copied().max().unwrap_or(0);
    let length = utf8.iter().filter(|&&byte| !is_continuation(byte)).count();
    (greatest, length)
}

pub(super) fn decode<U: Unit>(mut utf8: &[u8], room: &mut [MaybeUninit<U>]) -> usize {
    let mut written = 0;
    while written < room.len() {
        if let (Some(block), Some(room)) = (
            utf8.first_chunk::<8>(),
            room[written..].first_chunk_mut::<8>(),
        ) && block.is_ascii()
        {
            for (unit, byte) in room.iter_mut().zip(block) {
                unit.write(U::from_code_point((*byte).into()));
            }
            utf8 = &utf8[8..];
            written += 8;
            continue;
        }
        let Some((code_point, length)) = first(utf8) else {
            break;
        };
        room[written].write(U::from_code_point(code_point));
        utf8 = &utf8[length..];
        written += 1;
    }
    written
}

/// The first code point and its length, which is never beyond the end.
#[inline]
fn first(utf8: &[u8]) -> Option<(u32, usize)> {
    let bits = |byte: u8| u32::from(byte & 0x3F);
    Some(match *utf8 {
        [] => return None,
        [a @ 0xF0..=0xFF, b, c, d, ..] => (
            u32::from(a & 0x07) << 18 | bits(b) << 12 | bits(c) << 6 | bits(d),
            4,
        ),
        [a @ 0xE0..0xF0, b, c, ..] => (u32::from(a & 0x0F) << 12 | bits(b) << 6 | bits(c), 3),
        [a @ 0xC0..0xE0, b, ..] => (u32::from(a & 0x1F) << 6 | bits(b), 2),
        [a, ..] => (a.into(), 1),
    })
}

#[inline]
fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// `room` has [`super::longest_bytes`].
pub(super) fn encode<U: Unit>(
    mut text: &[U],
    room: &mut [MaybeUninit<u8>],
) -> Result<usize, LoneSurrogate> {
    let mut written = 0;
    loop {
        if let (Some(block), Some(room)) = (
            text.first_chunk::<8>(),
            room[written..].first_chunk_mut::<8>(),
        ) && block.iter().fold(0, |seen, unit| seen | unit.code_point()) < 0x80
        {
            for (byte, unit) in room.iter_mut().zip(block) {
                byte.write(unit.code_point() as u8);
            }
            text = &text[8..];
            written += 8;
            continue;
        }
        let [unit, rest @ ..] = text else {
            return Ok(written);
        };
        let code_point = unit.code_point();
        if code_point & 0xFFFF_F800 == 0xD800 {
            return Err(LoneSurrogate);
        }
        let tail = |shift: u32| (code_point >> shift) as u8 & 0x3F | 0x80;
        let head = |shift: u32, mark: u8| (code_point >> shift) as u8 | mark;
        let mut put = |bytes: &[u8]| {
            for (slot, byte) in room[written..][..bytes.len()].iter_mut().zip(bytes) {
                slot.write(*byte);
            }
            written += bytes.len();
        };
        match code_point {
            0..0x80 => put(&[code_point as u8]),
            0x80..0x800 => put(&[head(6, 0xC0), tail(0)]),
            0x800..0x1_0000 => put(&[head(12, 0xE0), tail(6), tail(0)]),
            _ => put(&[head(18, 0xF0), tail(12), tail(6), tail(0)]),
        }
        text = rest;
    }
}
