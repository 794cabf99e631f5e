//! Transcoding 16 bytes at a time with SSE4.1, where `pshufb` with a table moves the wanted bytes together.

use super::tables::{BYTES, LAST_OR_BOTH, LAST_OR_MORE, PAIRS, QUADS, Shuffle};
use crate::transcode::{LoneSurrogate, Unit, longest_bytes};
use std::arch::x86_64::*;
use std::mem::MaybeUninit;
use std::ops::Range;

/// Bytes in a vector.
const WINDOW: usize = 16;

/// The greatest byte, and how many begin a code point.
#[target_feature(enable = "sse4.1,popcnt")]
pub(super) fn measure(utf8: &[u8]) -> (u8, usize) {
    let (windows, rest) = utf8.as_chunks::<WINDOW>();
    let mut greatest = _mm_setzero_si128();
    let mut length = 0;
    for window in windows {
        let bytes = load(window);
        greatest = _mm_max_epu8(greatest, bytes);
        length += WINDOW - continuations(bytes).count_ones() as usize;
    }
    let mut lanes = [0_u8; WINDOW];
    // SAFETY: the array has the size of a vector.
    unsafe { _mm_storeu_si128(lanes.as_mut_ptr().cast(), greatest) };
    let (last, more) = crate::transcode::scalar::measure(rest);
    (lanes.into_iter().fold(last, u8::max), length + more)
}

/// As [`crate::transcode::decode`].
#[target_feature(enable = "sse4.1,popcnt")]
pub(super) fn decode<U: Unit>(utf8: &[u8], room: &mut [MaybeUninit<U>]) -> usize {
    let mut units = Units { room, written: 0 };
    decode_range(utf8, 0..utf8.len(), &mut units);
    units.written
}

/// The code points that end within a range of a text: of whole windows, or up to its end.
#[inline]
#[target_feature(enable = "sse4.1,popcnt")]
pub(super) fn decode_range<U: Unit>(utf8: &[u8], range: Range<usize>, units: &mut Units<'_, U>) {
    let before = utf8[..range.start].last_chunk::<WINDOW>();
    let mut before = before.map_or_else(|| _mm_setzero_si128(), |window| load(window));
    let mut at = range.start;
    let (windows, rest) = utf8[range].as_chunks::<WINDOW>();
    for window in windows {
        at += WINDOW;
        let continues = utf8.get(at).is_some_and(|byte| byte & 0xC0 == 0x80);
        let bytes = load(window);
        decode_window(before, bytes, WINDOW, continues, units);
        before = bytes;
    }
    if !rest.is_empty() {
        let mut window = [0; WINDOW];
        window[..rest.len()].copy_from_slice(rest);
        decode_window(before, load(&window), rest.len(), false, units);
    }
}

/// The code points that end within the first `length` bytes of `a`, given what stands before.
#[inline]
#[target_feature(enable = "sse4.1,popcnt")]
fn decode_window<U: Unit>(
    before: __m128i,
    a: __m128i,
    length: usize,
    continues: bool,
    units: &mut Units<'_, U>,
) {
    let size = size_of::<U>();
    let after = continuations(a) >> 1 | u32::from(continues) << 15;
    let ends = !after & ((1 << length) - 1);
    // Lane by lane, the byte before the byte, and so on.
    let b = _mm_alignr_epi8(a, before, 15);
    let c = _mm_alignr_epi8(a, before, 14);

    // Every lane computes the code point that ends there. An ASCII one is `a`; otherwise `a` has the lowest six bits,
    // `b` those above, and so on until the first byte.
    let low = choose(0x3F, a, _mm_slli_epi16(b, 6));
    let low = _mm_blendv_epi8(a, low, a);
    if size == 1 {
        units.put(low, &BYTES, ends & 0xFF);
        units.put(_mm_srli_si128(low, 8), &BYTES, ends >> 8);
        return;
    }
    let is_long = _mm_cmplt_epi8(a, _mm_setzero_si128());
    let is_longer = _mm_and_si128(is_long, is_continuation(b));
    let high = choose(
        0x0F,
        _mm_srli_epi16(b, 2),
        _mm_and_si128(_mm_slli_epi16(c, 4), is_longer),
    );
    let high = _mm_and_si128(high, is_long);
    let pairs = [_mm_unpacklo_epi8(low, high), _mm_unpackhi_epi8(low, high)];
    if size == 2 {
        units.put(pairs[0], &PAIRS, ends & 0xFF);
        units.put(pairs[1], &PAIRS, ends >> 8);
        return;
    }
    let d = _mm_alignr_epi8(a, before, 13);
    let is_longest = _mm_and_si128(is_longer, is_continuation(c));
    let top = choose(0x03, _mm_srli_epi16(c, 4), _mm_slli_epi16(d, 2));
    let top = _mm_and_si128(top, _mm_and_si128(is_longest, _mm_set1_epi8(0x1F)));
    let zero = _mm_setzero_si128();
    let tops = [_mm_unpacklo_epi8(top, zero), _mm_unpackhi_epi8(top, zero)];
    for i in 0..2 {
        let ends = ends >> (8 * i);
        units.put(_mm_unpacklo_epi16(pairs[i], tops[i]), &QUADS, ends & 0xF);
        units.put(
            _mm_unpackhi_epi16(pairs[i], tops[i]),
            &QUADS,
            ends >> 4 & 0xF,
        );
    }
}

/// Where code points go.
pub(super) struct Units<'r, U> {
    pub(super) room: &'r mut [MaybeUninit<U>],
    pub(super) written: usize,
}

impl<U: Unit> Units<'_, U> {
    /// Adds the lanes whose bits are set, as far as there is room.
    #[inline]
    #[target_feature(enable = "sse4.1,popcnt")]
    fn put(&mut self, lanes: __m128i, shuffles: &[Shuffle], bits: u32) {
        let lanes = _mm_shuffle_epi8(lanes, load(&shuffles[bits as usize]));
        let room = &mut self.room[self.written..];
        let count = (bits.count_ones() as usize).min(room.len());
        let to = room.as_mut_ptr().cast();
        if size_of_val(room) >= WINDOW {
            // SAFETY: the room has the size of a vector or more.
            unsafe { _mm_storeu_si128(to, lanes) };
        } else {
            let mut bytes = [0_u8; WINDOW];
            // SAFETY: the array has the size of a vector; and of that, no more is copied than the room has.
            unsafe {
                _mm_storeu_si128(bytes.as_mut_ptr().cast(), lanes);
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), to.cast(), count * size_of::<U>());
            }
        }
        self.written += count;
    }
}

/// As [`crate::transcode::encode`], to the beginning of `room`, which has [`longest_bytes`].
#[target_feature(enable = "sse4.1,popcnt")]
pub(super) fn encode<U: Unit>(
    text: &[U],
    room: &mut [MaybeUninit<u8>],
) -> Result<usize, LoneSurrogate> {
    assert!(room.len() >= longest_bytes(text));
    let to = room.as_mut_ptr().cast::<u8>();
    let mut written = 0;
    let mut put = |bytes: __m128i, shuffle: &Shuffle, length: u32| {
        // SAFETY: what has been written is at most the longest form of what has been read, after which the room has
        // more than a vector's size; and no more of this vector is kept than its code points may take.
        unsafe {
            let to = to.add(written).cast();
            _mm_storeu_si128(to, _mm_shuffle_epi8(bytes, load(shuffle)));
        }
        written += length as usize;
    };
    let mut surrogates = _mm_setzero_si128();
    let (windows, rest) = text.as_chunks::<8>();
    for window in windows {
        if size_of::<U>() == 1 {
            // SAFETY: eight code points of one byte are as long as what is loaded.
            let units = unsafe { _mm_loadl_epi64(window.as_ptr().cast()) };
            let units = _mm_cvtepu8_epi16(units);
            let is_long = _mm_cmpgt_epi16(units, _mm_set1_epi16(0x7F));
            // 110000_aa 10_bbbbbb, the first byte being the lower one.
            let lead = _mm_or_si128(_mm_srli_epi16(units, 6), _mm_set1_epi16(0xC0));
            let long = _mm_slli_epi16(_mm_and_si128(units, _mm_set1_epi16(0xBF)), 8);
            let short = _mm_slli_epi16(units, 8);
            let bytes = _mm_or_si128(lead, _mm_blendv_epi8(short, long, is_long));
            let bits = _mm_movemask_epi8(_mm_packs_epi16(is_long, _mm_setzero_si128())) as u32;
            put(bytes, &LAST_OR_BOTH[bits as usize], 8 + bits.count_ones());
            continue;
        }
        let halves = if size_of::<U>() == 2 {
            // SAFETY: eight code points of two bytes are a vector.
            let units = unsafe { _mm_loadu_si128(window.as_ptr().cast()) };
            [
                _mm_cvtepu16_epi32(units),
                _mm_unpackhi_epi16(units, _mm_setzero_si128()),
            ]
        } else {
            // SAFETY: eight code points of four bytes are two vectors.
            unsafe {
                [
                    _mm_loadu_si128(window.as_ptr().cast()),
                    _mm_loadu_si128(window.as_ptr().add(4).cast()),
                ]
            }
        };
        for units in halves {
            let kind = _mm_and_si128(units, _mm_set1_epi32(0xFFFF_F800_u32 as i32));
            let is_surrogate = _mm_cmpeq_epi32(kind, _mm_set1_epi32(0xD800));
            surrogates = _mm_or_si128(surrogates, is_surrogate);
            let (bytes, key, more) = spread(units);
            put(bytes, &LAST_OR_MORE[key as usize], 4 + more);
        }
    }
    if _mm_testz_si128(surrogates, surrogates) == 0 {
        return Err(LoneSurrogate);
    }
    let last = crate::transcode::scalar::encode(rest, &mut room[written..])?;
    Ok(written + last)
}

/// Four code points as the last one to four bytes of their lanes, the index into [`LAST_OR_MORE`], and how many bytes
/// they have beyond one each.
#[inline]
#[target_feature(enable = "sse4.1,popcnt")]
fn spread(units: __m128i) -> (__m128i, u32, u32) {
    let is_two = _mm_cmpgt_epi32(units, _mm_set1_epi32(0x7F));
    let is_three = _mm_cmpgt_epi32(units, _mm_set1_epi32(0x7FF));
    let is_four = _mm_cmpgt_epi32(units, _mm_set1_epi32(0xFFFF));
    // The marks of two bytes, then what changes them into those of three, and of four; the first byte is the lowest.
    let marks = _mm_and_si128(is_two, _mm_set1_epi32(0x80C0_0000_u32 as i32));
    let marks = _mm_xor_si128(marks, _mm_and_si128(is_three, _mm_set1_epi32(0x0040_E000)));
    let marks = _mm_xor_si128(marks, _mm_and_si128(is_four, _mm_set1_epi32(0x0000_60F0)));
    let part = |bits: i32| _mm_and_si128(units, _mm_set1_epi32(bits));
    let last = _mm_blendv_epi8(part(0x7F), part(0x3F), is_two);
    let bytes = _mm_or_si128(
        _mm_or_si128(_mm_slli_epi32(last, 24), _mm_slli_epi32(part(0xFC0), 10)),
        _mm_or_si128(
            _mm_srli_epi32(part(0x3_F000), 4),
            _mm_srli_epi32(part(0x1C_0000), 18),
        ),
    );
    let bits = |lanes: __m128i| _mm_movemask_ps(_mm_castsi128_ps(lanes)) as u32;
    let (two, three, four) = (bits(is_two), bits(is_three), bits(is_four));
    let more = two.count_ones() + three.count_ones() + four.count_ones();
    (
        _mm_or_si128(bytes, marks),
        (two ^ three ^ four) | three << 4,
        more,
    )
}

#[inline]
#[target_feature(enable = "sse4.1")]
fn load(bytes: &[u8; WINDOW]) -> __m128i {
    // SAFETY: the array has the size of a vector.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

/// Bytes of 10xxxxxx, which are the least ones if they have a sign.
#[inline]
#[target_feature(enable = "sse4.1")]
fn is_continuation(bytes: __m128i) -> __m128i {
    _mm_cmplt_epi8(bytes, _mm_set1_epi8(0xC0_u8 as i8))
}

#[inline]
#[target_feature(enable = "sse4.1")]
fn continuations(bytes: __m128i) -> u32 {
    _mm_movemask_epi8(is_continuation(bytes)) as u32
}

/// In every byte, the bits of `mask` from `those` and the others from `others`.
#[inline]
#[target_feature(enable = "sse4.1")]
fn choose(mask: i8, those: __m128i, others: __m128i) -> __m128i {
    let mask = _mm_set1_epi8(mask);
    _mm_or_si128(_mm_and_si128(mask, those), _mm_andnot_si128(mask, others))
}
