//! Which of the vector transcoders this processor can run. None at all is an answer: see `scalar`.

mod avx2;
mod avx512;
mod sse;
mod tables;

use super::{LoneSurrogate, Unit};
use std::mem::MaybeUninit;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// With VBMI and VBMI2, which work on bytes: Intel since Ice Lake, AMD since Zen 4.
    Avx512,
    /// Most since 2013.
    Avx2,
    /// Nearly everything since 2008.
    Sse,
}

impl Level {
    /// The standard library asks the processor once and remembers the answer.
    #[inline]
    pub(super) fn of_this_processor() -> Option<Self> {
        if is_x86_feature_detected!("avx512vbmi2")
            && is_x86_feature_detected!("avx512vbmi")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512cd")
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt")
        {
            return Some(Self::Avx512);
        }
        if !is_x86_feature_detected!("sse4.1") || !is_x86_feature_detected!("popcnt") {
            return None;
        }
        Some(match is_x86_feature_detected!("avx2") {
            true => Self::Avx2,
            false => Self::Sse,
        })
    }
}

#[inline]
pub(super) fn measure(utf8: &[u8]) -> Option<(u8, usize)> {
    Level::of_this_processor().map(|level| measure_at(level, utf8))
}

#[inline]
pub(super) fn decode<U: Unit>(utf8: &[u8], room: &mut [MaybeUninit<U>]) -> Option<usize> {
    Level::of_this_processor().map(|level| decode_at(level, utf8, room))
}

#[inline]
pub(super) fn encode<U: Unit>(
    text: &[U],
    room: &mut [MaybeUninit<u8>],
) -> Option<Result<usize, LoneSurrogate>> {
    Level::of_this_processor().map(|level| encode_at(level, text, room))
}

#[inline]
pub(super) fn measure_at(level: Level, utf8: &[u8]) -> (u8, usize) {
    match level {
        // SAFETY: a level is only made where the processor has all of its instructions.
        Level::Avx512 => unsafe { avx512::measure(utf8) },
        // SAFETY: the same.
        Level::Avx2 => unsafe { avx2::measure(utf8) },
        // SAFETY: the same.
        Level::Sse => unsafe { sse::measure(utf8) },
    }
}

#[inline]
pub(super) fn decode_at<U: Unit>(level: Level, utf8: &[u8], room: &mut [MaybeUninit<U>]) -> usize {
    match level {
        // SAFETY: a level is only made where the processor has all of its instructions.
        Level::Avx512 => unsafe { avx512::decode(utf8, room) },
        // SAFETY: the same.
        Level::Avx2 => unsafe { avx2::decode(utf8, room) },
        // SAFETY: the same.
        Level::Sse => unsafe { sse::decode(utf8, room) },
    }
}

#[inline]
pub(super) fn encode_at<U: Unit>(
    level: Level,
    text: &[U],
    room: &mut [MaybeUninit<u8>],
) -> Result<usize, LoneSurrogate> {
    match level {
        // SAFETY: a level is only made where the processor has all of its instructions.
        Level::Avx512 => unsafe { avx512::encode(text, room) },
        // SAFETY: the same.
        Level::Avx2 => unsafe { avx2::encode(text, room) },
        // SAFETY: the same.
        Level::Sse => unsafe { sse::encode(text, room) },
    }
}
