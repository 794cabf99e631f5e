//! Transcoding 32 bytes at a time with AVX2, where a code point takes two of them in an array: nearly all scripts but Latin.
//!
//! What is narrower, wider or short, and the ends of what is long, are `sse`'s. Two bytes have room for three bytes of UTF-8
//! at most, which saves the steps for the fourth.

use super::sse::{self, Units};
use super::tables::{LAST_AND_MORE, PAIRS, Shuffle};
use crate::transcode::{LoneSurrogate, Unit, longest_bytes};
use std::arch::x86_64::*;
use std::mem::MaybeUninit;

/// Bytes in a vector.
const WINDOW: usize = 32;
/// Bytes before the first window, which looks at what stands before it.
const BEFORE: usize = 16;
/// Code points of two bytes in a vector.
const PAIRS_IN_WINDOW: usize = WINDOW / 2;

/// The greatest byte, and how many begin a code point.
#[target_feature(enable = "avx2,popcnt")]
pub(super) fn measure(utf8: &[u8]) -> (u8, usize) {
    let (windows, rest) = utf8.as_chunks::<WINDOW>();
    let mut greatest = _mm256_setzero_si256();
    let mut length = 0;
    for window in windows {
        // SAFETY: a window has the size of a vector.
        let bytes = unsafe { _mm256_loadu_si256(window.as_ptr().cast()) };
        greatest = _mm256_max_epu8(greatest, bytes);
        length += begins(bytes).count_ones() as usize;
    }
    let mut lanes = [0_u8; WINDOW];
    // SAFETY: the array has the size of a vector.
    unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), greatest) };
    let (last, more) = sse::measure(rest);
    (lanes.into_iter().fold(last, u8::max), length + more)
}

/// As [`crate::transcode::decode`].
#[target_feature(enable = "avx2,popcnt")]
pub(super) fn decode<U: Unit>(utf8: &[u8], room: &mut [MaybeUninit<U>]) -> usize {
    if size_of::<U>() != 2 || utf8.len() <= BEFORE + WINDOW {
        return sse::decode(utf8, room);
    }
    let mut units = Units { room, written: 0 };
    sse::decode_range(utf8, 0..BEFORE, &mut units);
    let mut at = BEFORE;
    // No window has more code points than bytes, and none writes behind the room for these.
    while utf8.len() - at > WINDOW && units.room.len() - units.written >= WINDOW {
        // SAFETY: 16 bytes or more stand before the window, and one or more behind it; and there is room for a unit of two
        // bytes for each of its bytes.
        units.written += unsafe {
            let to = units.room.as_mut_ptr().add(units.written);
            decode_window(utf8.as_ptr().add(at), to.cast())
        };
        at += WINDOW;
    }
    sse::decode_range(utf8, at..utf8.len(), &mut units);
    units.written
}

/// Writes the code points that end in a window, and returns how many these are.
///
/// # Safety
/// From two bytes before the window to one behind it may be read, and 32 code points written.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn decode_window(window: *const u8, to: *mut u16) -> usize {
    // Lane by lane, the byte itself, those before it and the one behind it.
    // SAFETY: the caller's.
    let [a, b, c, next] =
        unsafe { [0, -1, -2, 1].map(|back| _mm256_loadu_si256(window.offset(back).cast())) };
    let ends = begins(next);

    // As in `sse`.
    let low = choose(0x3F, a, _mm256_slli_epi16(b, 6));
    let low = _mm256_blendv_epi8(a, low, a);
    let of_c = _mm256_and_si256(_mm256_slli_epi16(c, 4), is_continuation(b));
    let high = choose(0x0F, _mm256_srli_epi16(b, 2), of_c);
    let is_long = _mm256_cmpgt_epi8(_mm256_setzero_si256(), a);
    let high = _mm256_and_si256(high, is_long);
    let eights = in_order(
        _mm256_unpacklo_epi8(low, high),
        _mm256_unpackhi_epi8(low, high),
    );

    let mut written = 0;
    for (units, ends) in eights.into_iter().zip(ends.to_le_bytes()) {
        let units = shuffle(units, &PAIRS[usize::from(ends)]);
        // SAFETY: before the last eight at most 24 have been written, which leaves room for eight.
        unsafe { _mm_storeu_si128(to.add(written).cast(), units) };
        written += ends.count_ones() as usize;
    }
    written
}

/// As [`crate::transcode::encode`], to the beginning of `room`, which has [`longest_bytes`].
#[target_feature(enable = "avx2,popcnt")]
pub(super) fn encode<U: Unit>(
    text: &[U],
    room: &mut [MaybeUninit<u8>],
) -> Result<usize, LoneSurrogate> {
    assert!(room.len() >= longest_bytes(text));
    if size_of::<U>() != 2 {
        return sse::encode(text, room);
    }
    let to = room.as_mut_ptr().cast::<u8>();
    let mut written = 0;
    let mut surrogates = _mm256_setzero_si256();
    let (windows, rest) = text.as_chunks::<PAIRS_IN_WINDOW>();
    for window in windows {
        // SAFETY: a window has the size of a vector.
        let units = unsafe { _mm256_loadu_si256(window.as_ptr().cast()) };
        let kind = _mm256_and_si256(units, all(0xF800));
        surrogates = _mm256_or_si256(surrogates, _mm256_cmpeq_epi16(kind, all(0xD800)));
        let (fours, keys) = spread(units);
        for (bytes, key) in fours.into_iter().zip(keys) {
            let bytes = shuffle(bytes, &LAST_AND_MORE[usize::from(key)]);
            // SAFETY: what has been written is at most the longest form of what has been read, after which the room has
            // more than a vector's size; and no more of this one is kept than its code points may take.
            unsafe { _mm_storeu_si128(to.add(written).cast(), bytes) };
            written += 4 + key.count_ones() as usize;
        }
    }
    if _mm256_testz_si256(surrogates, surrogates) == 0 {
        return Err(LoneSurrogate);
    }
    Ok(written + sse::encode(rest, &mut room[written..])?)
}

/// Sixteen code points, four by four, as the last one to three bytes of four; and for each four, the index into [`LAST_AND_MORE`].
#[inline]
#[target_feature(enable = "avx2")]
fn spread(units: __m256i) -> ([__m128i; 4], [u8; 4]) {
    let is_two = _mm256_cmpeq_epi16(_mm256_max_epu16(units, all(0x80)), units);
    let is_three = _mm256_cmpeq_epi16(_mm256_max_epu16(units, all(0x800)), units);

    // The last two bytes, the first being the lower one: the last has seven bits of its own if it is the only one.
    let last = _mm256_andnot_si256(
        _mm256_and_si256(is_two, all(0xC000)),
        _mm256_slli_epi16(units, 8),
    );
    let middle = _mm256_and_si256(_mm256_srli_epi16(units, 6), all(0x3F));
    // Marks of two bytes, then what changes them into those of three.
    let marks = _mm256_xor_si256(
        _mm256_and_si256(is_two, all(0x80C0)),
        _mm256_and_si256(is_three, all(0x0040)),
    );
    let lasts = _mm256_or_si256(_mm256_or_si256(last, middle), marks);
    // What stands before these, behind a byte that is never wanted.
    let head = _mm256_and_si256(_mm256_srli_epi16(units, 4), all(0x0F00));
    let heads = _mm256_or_si256(head, all(0xE000));

    // A bit for each: of a half of a vector, four and four that are long, between these the same four that are longer.
    let kinds = _mm256_shuffle_epi32::<0b11_01_10_00>(_mm256_packs_epi16(is_two, is_three));
    let keys = _mm256_movemask_epi8(kinds) as u32;
    let fours = in_order(
        _mm256_unpacklo_epi16(heads, lasts),
        _mm256_unpackhi_epi16(heads, lasts),
    );
    (fours, keys.to_le_bytes())
}

/// What was unpacked, as it stood: each half of a vector is unpacked for itself, into the same half of both results.
#[inline]
#[target_feature(enable = "avx2")]
fn in_order(low: __m256i, high: __m256i) -> [__m128i; 4] {
    [
        _mm256_castsi256_si128(low),
        _mm256_castsi256_si128(high),
        _mm256_extracti128_si256::<1>(low),
        _mm256_extracti128_si256::<1>(high),
    ]
}

#[inline]
#[target_feature(enable = "avx2")]
fn shuffle(bytes: __m128i, shuffle: &Shuffle) -> __m128i {
    // SAFETY: the array has the size of a vector.
    _mm_shuffle_epi8(bytes, unsafe { _mm_loadu_si128(shuffle.as_ptr().cast()) })
}

/// A bit for each byte that begins a code point.
#[inline]
#[target_feature(enable = "avx2")]
fn begins(bytes: __m256i) -> u32 {
    !_mm256_movemask_epi8(is_continuation(bytes)) as u32
}

/// Bytes of 10xxxxxx, which are the least ones if they have a sign.
#[inline]
#[target_feature(enable = "avx2")]
fn is_continuation(bytes: __m256i) -> __m256i {
    _mm256_cmpgt_epi8(_mm256_set1_epi8(0xC0_u8 as i8), bytes)
}

/// The same two bytes everywhere.
#[inline]
#[target_feature(enable = "avx2")]
fn all(bits: u16) -> __m256i {
    _mm256_set1_epi16(bits as i16)
}

/// In every byte, the bits of `mask` from `those` and the others from `others`.
#[inline]
#[target_feature(enable = "avx2")]
fn choose(mask: i8, those: __m256i, others: __m256i) -> __m256i {
    let mask = _mm256_set1_epi8(mask);
    _mm256_or_si256(
        _mm256_and_si256(mask, those),
        _mm256_andnot_si256(mask, others),
    )
}
