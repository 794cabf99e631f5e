//! Transcoding 64 bytes at a time with AVX-512 VBMI2, whose `vpcompressb` moves the wanted bytes together.
//!
//! Where a text or the room for it ends, vectors are loaded and stored under masks: nothing outside is touched, and
//! a short text is one window.

use crate::transcode::{LoneSurrogate, Unit, longest_bytes};
use std::arch::x86_64::*;
use std::mem::MaybeUninit;

/// Bytes in a vector.
const WINDOW: usize = 64;

/// The greatest byte, and how many begin a code point.
#[target_feature(enable = "avx512f,avx512bw,bmi2,popcnt")]
pub(super) fn measure(utf8: &[u8]) -> (u8, usize) {
    let (windows, rest) = utf8.as_chunks::<WINDOW>();
    // SAFETY: the mask lets as many bytes through as there are.
    let last = unsafe { _mm512_maskz_loadu_epi8(first_bits(rest.len()), rest.as_ptr().cast()) };
    let mut greatest = last;
    let mut length = (begins(last) & first_bits(rest.len())).count_ones() as usize;
    for window in windows {
        // SAFETY: a window has the size of a vector.
        let bytes = unsafe { _mm512_loadu_si512(window.as_ptr().cast()) };
        greatest = _mm512_max_epu8(greatest, bytes);
        length += begins(bytes).count_ones() as usize;
    }
    let mut lanes = [0_u8; WINDOW];
    // SAFETY: the array has the size of a vector.
    unsafe { _mm512_storeu_si512(lanes.as_mut_ptr().cast(), greatest) };
    (lanes.into_iter().fold(0, u8::max), length)
}

/// As [`crate::transcode::decode`].
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,bmi2,popcnt")]
pub(super) fn decode<U: Unit>(utf8: &[u8], room: &mut [MaybeUninit<U>]) -> usize {
    let size = size_of::<U>();
    let (mut at, mut written) = (0, 0);
    while at < utf8.len() && written < room.len() {
        let is_inside = at >= 3 && utf8.len() - at > WINDOW;
        // The window as it stands `back` bytes earlier: lane by lane, the byte before the byte.
        let load = |back: isize| {
            let start = at as isize - back;
            let from = utf8.as_ptr().wrapping_offset(start).cast::<i8>();
            if is_inside {
                // SAFETY: at least three bytes stand before the window, and one after it.
                unsafe { _mm512_loadu_si512(from.cast()) }
            } else {
                let missing = first_bits(start.min(0).unsigned_abs());
                let present = first_bits(utf8.len().wrapping_add_signed(-start));
                // SAFETY: the mask lets through what is inside the text.
                unsafe { _mm512_maskz_loadu_epi8(present & !missing, from) }
            }
        };
        let (a, b, c) = (load(0), load(1), load(2));
        let ends = begins(load(-1)) & first_bits(utf8.len() - at);

        // Every lane computes the code point that ends there. An ASCII one is `a`; otherwise `a` has the lowest six
        // bits, `b` those above, and so on until the first byte.
        let is_long = _mm512_movepi8_mask(a);
        let low = choose(0x3F, a, _mm512_slli_epi16(b, 6));
        let low = _mm512_maskz_compress_epi8(ends, _mm512_mask_blend_epi8(is_long, a, low));
        let (mut high, mut top) = (_mm512_setzero_si512(), _mm512_setzero_si512());
        if size > 1 {
            let is_longer = is_long & !begins(b);
            let of_c = _mm512_maskz_mov_epi8(is_longer, _mm512_slli_epi16(c, 4));
            high = choose(0x0F, _mm512_srli_epi16(b, 2), of_c);
            high = _mm512_maskz_compress_epi8(ends, _mm512_maskz_mov_epi8(is_long, high));
            if size > 2 {
                let is_longest = is_longer & !begins(c);
                top = choose(0x03, _mm512_srli_epi16(c, 4), _mm512_slli_epi16(load(3), 2));
                top = _mm512_and_si512(top, _mm512_set1_epi8(0x1F));
                top = _mm512_maskz_compress_epi8(ends, _mm512_maskz_mov_epi8(is_longest, top));
            }
        }

        let count = (ends.count_ones() as usize).min(room.len() - written);
        let mut stored = 0;
        while stored < count {
            let units = match size {
                1 => low,
                2 => join::<2>(low, high, top, stored),
                _ => join::<4>(low, high, top, stored),
            };
            let room = &mut room[written + stored..];
            let to = room.as_mut_ptr().cast();
            if size_of_val(room) >= WINDOW {
                // SAFETY: the room has the size of a vector or more.
                unsafe { _mm512_storeu_si512(to, units) };
            } else {
                // SAFETY: the mask lets through what belongs into the room.
                unsafe { _mm512_mask_storeu_epi8(to.cast(), first_bits(size_of_val(room)), units) };
            }
            stored += WINDOW / size;
        }
        written += count;
        at += WINDOW;
    }
    written
}

/// As many code points of `SIZE` bytes as fill a vector, beginning with the given one.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn join<const SIZE: usize>(low: __m512i, high: __m512i, top: __m512i, first: usize) -> __m512i {
    // Which lane of `low` or (from 64 on) of `high`; only where a third byte goes, of `top`.
    const fn lanes(size: usize) -> [u8; WINDOW] {
        let mut lanes = [0; WINDOW];
        let mut i = 0;
        while i < WINDOW {
            lanes[i] = (i / size + if i % size == 1 { 64 } else { 0 }) as u8;
            i += 1;
        }
        lanes
    }
    let base = const { lanes(SIZE) };
    // SAFETY: the array has the size of a vector.
    let base = unsafe { _mm512_loadu_si512(base.as_ptr().cast()) };
    let lanes = _mm512_add_epi8(base, _mm512_set1_epi8(first as i8));
    if SIZE == 2 {
        return _mm512_permutex2var_epi8(low, lanes, high);
    }
    let halves = _mm512_maskz_permutex2var_epi8(0x3333_3333_3333_3333, low, lanes, high);
    let thirds = _mm512_maskz_permutexvar_epi8(0x4444_4444_4444_4444, lanes, top);
    _mm512_or_si512(halves, thirds)
}

/// As [`crate::transcode::encode`], to the beginning of `room`, which has [`longest_bytes`].
#[target_feature(enable = "avx512f,avx512bw,avx512cd,avx512vbmi,avx512vbmi2,bmi2,popcnt")]
pub(super) fn encode<U: Unit>(
    text: &[U],
    room: &mut [MaybeUninit<u8>],
) -> Result<usize, LoneSurrogate> {
    assert!(room.len() >= longest_bytes(text));
    let size = size_of::<U>();
    let to = room.as_mut_ptr().cast::<u8>();
    let (mut at, mut written) = (0, 0);
    let mut surrogates = 0;
    while at < text.len() {
        let left = size_of_val(&text[at..]);
        let from = text[at..].as_ptr().cast();
        let units = if left >= WINDOW {
            // SAFETY: a vector or more is left.
            unsafe { _mm512_loadu_si512(from) }
        } else {
            // SAFETY: the mask lets through what is left.
            unsafe { _mm512_maskz_loadu_epi8(first_bits(left), from.cast()) }
        };
        let count = WINDOW.min(left) / size;
        let mut put = |bytes: __m512i, wanted: u64| {
            // SAFETY: what has been written is at most the longest form of what has been read, after which the room
            // has a vector's size; and no more of this vector is kept than its code points may take.
            unsafe {
                let to = to.add(written).cast();
                _mm512_storeu_si512(to, _mm512_maskz_compress_epi8(wanted, bytes));
            }
            written += wanted.count_ones() as usize;
        };
        match size {
            1 if _mm512_movepi8_mask(units) == 0 => put(units, first_bits(count)),
            1 => {
                let halves = [
                    _mm512_castsi512_si256(units),
                    _mm512_extracti64x4_epi64(units, 1),
                ];
                for (i, half) in halves.into_iter().enumerate() {
                    let (bytes, wanted) = spread_latin1(_mm512_cvtepu8_epi16(half));
                    put(bytes, wanted & first_bits(2 * count.saturating_sub(32 * i)));
                }
            }
            2 => {
                let kind = _mm512_and_si512(units, _mm512_set1_epi16(0xF800_u16 as i16));
                surrogates |=
                    _mm512_cmpeq_epi16_mask(kind, _mm512_set1_epi16(0xD800_u16 as i16)) as u32;
                let halves = [
                    _mm512_castsi512_si256(units),
                    _mm512_extracti64x4_epi64(units, 1),
                ];
                for (i, half) in halves.into_iter().enumerate() {
                    let (bytes, wanted) = spread(_mm512_cvtepu16_epi32(half));
                    put(bytes, wanted & first_bits(4 * count.saturating_sub(16 * i)));
                }
            }
            _ => {
                let kind = _mm512_and_si512(units, _mm512_set1_epi32(0xFFFF_F800_u32 as i32));
                surrogates |= _mm512_cmpeq_epi32_mask(kind, _mm512_set1_epi32(0xD800)) as u32;
                let (bytes, wanted) = spread(units);
                put(bytes, wanted & first_bits(4 * count));
            }
        }
        at += count;
    }
    if surrogates == 0 {
        Ok(written)
    } else {
        Err(LoneSurrogate)
    }
}

/// Code points of at most 0xFF as the last one or two bytes of their lanes, and which bytes are wanted.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn spread_latin1(units: __m512i) -> (__m512i, u64) {
    // 11000_0aa 10_bbbbbb, the first byte being the lower one.
    let is_long = _mm512_cmpge_epu16_mask(units, _mm512_set1_epi16(0x80));
    let lead = _mm512_srli_epi16(units, 6);
    let tail = _mm512_slli_epi16(_mm512_and_si512(units, _mm512_set1_epi16(0xBF)), 8);
    let long = _mm512_or_si512(_mm512_or_si512(lead, tail), _mm512_set1_epi16(0xC0));
    let bytes = _mm512_mask_mov_epi16(_mm512_slli_epi16(units, 8), is_long, long);
    (bytes, _mm512_movepi8_mask(bytes) | 0xAAAA_AAAA_AAAA_AAAA)
}

/// Code points as the last one to four bytes of their lanes, and which bytes are wanted.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512cd,avx512vbmi")]
fn spread(units: __m512i) -> (__m512i, u64) {
    // The marks of bytes that are wanted, the first byte being the lowest, by how many zeros a code point begins
    // with, of 32 bits; all of these is 0 here. A mark has its top bit set, also that of ASCII, which is not used.
    const MARKS: [u32; 32] = {
        let mut marks = [0x8080_80F0; 32];
        let mut zeros = 0;
        while zeros < 32 {
            let bits = if zeros == 0 { 0 } else { 32 - zeros };
            if bits <= 7 {
                marks[zeros] = 0x8000_0000;
            } else if bits <= 11 {
                marks[zeros] = 0x80C0_0000;
            } else if bits <= 16 {
                marks[zeros] = 0x8080_E000;
            }
            zeros += 1;
        }
        marks
    };
    // SAFETY: the table has the size of two vectors.
    let (few, many) = unsafe {
        let table = MARKS.as_ptr();
        (
            _mm512_loadu_si512(table.cast()),
            _mm512_loadu_si512(table.add(16).cast()),
        )
    };
    let marks = _mm512_permutex2var_epi32(few, _mm512_lzcnt_epi32(units), many);
    // Bits 18, 12, 6 and 0 of a lane and what is above them, of two lanes at a time.
    let shifts = _mm512_set1_epi64(0x2026_2C32_0006_0C12);
    let groups = _mm512_multishift_epi64_epi8(shifts, units);
    // (groups & 0x3F) | marks
    let bytes = _mm512_ternarylogic_epi32(groups, _mm512_set1_epi8(0x3F), marks, 0xEA);
    let is_ascii = _mm512_cmplt_epu32_mask(units, _mm512_set1_epi32(0x80));
    let bytes = _mm512_mask_slli_epi32(bytes, is_ascii, units, 24);
    (bytes, _mm512_movepi8_mask(marks))
}

/// Which bytes begin a code point: all but 10xxxxxx, which are the least ones if they have a sign.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn begins(bytes: __m512i) -> u64 {
    _mm512_cmpge_epi8_mask(bytes, _mm512_set1_epi8(0xC0_u8 as i8))
}

/// In every byte, the bits of `mask` from `those` and the others from `others`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn choose(mask: i8, those: __m512i, others: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32(_mm512_set1_epi8(mask), those, others, 0xCA)
}

/// As many ones, but no more than 64, beginning with the lowest.
#[inline]
#[target_feature(enable = "bmi2")]
fn first_bits(count: usize) -> u64 {
    _bzhi_u64(u64::MAX, count.min(64) as u32)
}
