//! Masking: the XOR of a payload with its four-byte key (RFC 6455 §5.3).
//!
//! One loop, compiled for several instruction sets; the widest one the processor has is taken at run time.
//! Knows nothing of frames: the caller brings the key and the position in the payload.

#![allow(unsafe_code)]

/// Below this, vectors of 16 bytes are done before a dispatch and an alignment have paid for themselves.
const DISPATCH_MIN_BYTES: usize = 2048;

/// Masks or unmasks `data`, which stands `offset` bytes behind the beginning of its payload.
#[inline]
pub fn apply(data: &mut [u8], key: [u8; 4], offset: usize) {
    let key = rotate(key, offset);
    match data.len() {
        0..4 => {
            for (byte, key) in data.iter_mut().zip(key) {
                *byte ^= key;
            }
        }
        4..8 => apply_blocks::<4>(data, key),
        8..16 => apply_blocks::<8>(data, key),
        16..DISPATCH_MIN_BYTES => apply_blocks::<16>(data, key),
        _ => dispatch(data, key),
    }
}

/// The key as it stands `offset` bytes later.
#[inline]
fn rotate(key: [u8; 4], offset: usize) -> [u8; 4] {
    u32::from_be_bytes(key)
        .rotate_left(8 * (offset % 4) as u32)
        .to_be_bytes()
}

/// Does at least `N` bytes in blocks of `N`, which the compiler turns into vector instructions.
///
/// `N` is a multiple of four, so every block begins with the first byte of the key. The last block is taken from
/// the end, overlaps the one before it, and is therefore computed before that one is overwritten.
#[inline(always)]
fn apply_blocks<const N: usize>(data: &mut [u8], key: [u8; 4]) {
    let Some(&(mut last)) = data.last_chunk::<N>() else {
        return;
    };
    xor(&mut last, &repeat(rotate(key, data.len())));
    let pattern = repeat(key);
    for block in data.as_chunks_mut::<N>().0 {
        xor(block, &pattern);
    }
    if let Some(end) = data.last_chunk_mut::<N>() {
        *end = last;
    }
}

#[inline(always)]
fn repeat<const N: usize>(key: [u8; 4]) -> [u8; N] {
    std::array::from_fn(|i| key[i % 4])
}

#[inline(always)]
fn xor<const N: usize>(block: &mut [u8; N], pattern: &[u8; N]) {
    for (byte, key) in block.iter_mut().zip(pattern) {
        *byte ^= key;
    }
}

/// Brings `data` to an alignment of `N`, so that no store of the main loop crosses a cache line.
#[inline(always)]
fn apply_aligned<const N: usize>(data: &mut [u8], key: [u8; 4]) {
    let head_len = data.as_ptr().align_offset(N).min(data.len());
    let (head, body) = data.split_at_mut(head_len);
    apply(head, key, 0);
    apply_blocks::<N>(body, rotate(key, head_len));
}

#[cfg(target_arch = "x86_64")]
fn dispatch(data: &mut [u8], key: [u8; 4]) {
    // The standard library asks the processor once and remembers the answer.
    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
        // SAFETY: the processor has just been found to have AVX-512 F and BW, all that the function enables; it is
        // safe code otherwise.
        unsafe { apply_avx512(data, key) }
    } else if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has just been found to have AVX2, all that the function enables; it is safe code
        // otherwise.
        unsafe { apply_avx2(data, key) }
    } else {
        // Every x86-64 has SSE2.
        apply_aligned::<16>(data, key);
    }
}

/// Where vectors belong to the base of the architecture (NEON), or are unknown to us.
#[cfg(not(target_arch = "x86_64"))]
fn dispatch(data: &mut [u8], key: [u8; 4]) {
    apply_aligned::<16>(data, key);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw")]
fn apply_avx512(data: &mut [u8], key: [u8; 4]) {
    apply_aligned::<64>(data, key);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn apply_avx2(data: &mut [u8], key: [u8; 4]) {
    apply_aligned::<32>(data, key);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// §5.3, to the letter.
    fn apply_slowly(data: &mut [u8], key: [u8; 4], offset: usize) {
        for (i, byte) in data.iter_mut().enumerate() {
            *byte ^= key[(i + offset) % 4];
        }
    }

    fn sample(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i * 7 + i / 251) as u8).collect()
    }

    #[test]
    fn agrees_with_the_rfc_at_every_length_alignment_and_offset() {
        let key = [0x37, 0xFA, 0x21, 0x3D];
        for length in (0..300).chain([1000, 2047, 2048, 65_537]) {
            for start in [0, 1, 6, 14, 63]
                .into_iter()
                .filter(|&start| start <= length)
            {
                for offset in [0, 1, 2, 3, 4, 4093, usize::MAX] {
                    let mut expected = sample(length);
                    let mut actual = expected.clone();
                    apply_slowly(&mut expected[start..], key, offset % 4);
                    apply(&mut actual[start..], key, offset);
                    assert_eq!(actual, expected, "{length} bytes from {start} at {offset}");
                }
            }
        }
    }

    #[test]
    fn every_instruction_set_agrees() {
        let key = [1, 2, 3, 4];
        for start in 0..64 {
            let mut expected = sample(3000);
            apply_slowly(&mut expected[start..], key, 0);
            let mut plain = sample(3000);
            apply_aligned::<16>(&mut plain[start..], key);
            assert_eq!(plain, expected);
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx2") {
                let mut wide = sample(3000);
                // SAFETY: the processor has just been found to have AVX2.
                unsafe { apply_avx2(&mut wide[start..], key) };
                assert_eq!(wide, expected);
            }
        }
    }

    #[test]
    fn the_example_of_the_rfc() {
        let mut hello = [0x7F, 0x9F, 0x4D, 0x51, 0x58];
        apply(&mut hello, [0x37, 0xFA, 0x21, 0x3D], 0);
        assert_eq!(&hello, b"Hello");
    }
}
