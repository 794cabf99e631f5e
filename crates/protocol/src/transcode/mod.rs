//! Between UTF-8 and arrays of code points of one, two or four bytes each, as Python keeps its text.
//!
//! One algorithm, four times: every byte of a window computes what the code point that ends there would be, all at
//! once and whether one ends there or not; then those that are wanted are moved together. `x86/avx512` has an
//! instruction for the moving, `x86/avx2` and `x86/sse` look it up in a table, `scalar` needs neither.
//! Does not validate (see `utf8`): bytes that are not UTF-8 become some code points or other, within bounds.

#![allow(unsafe_code)]

mod scalar;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::mem::MaybeUninit;

/// The narrowest array that holds every code point of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// All below 0x80: one byte each, the same in UTF-8.
    Ascii,
    /// All below 0x100, and not all ASCII.
    Latin1,
    /// All below 0x1_0000, and one beyond Latin-1.
    Ucs2,
    /// Some above 0xFFFF.
    Ucs4,
}

/// What must be known of a text before it can be unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// The narrowest array for it.
    pub width: Width,
    /// How many code points it has.
    pub length: usize,
}

impl Shape {
    /// Measures a UTF-8 text.
    #[inline]
    #[must_use]
    pub fn of(utf8: &[u8]) -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some((greatest, length)) = x86::measure(utf8) {
            return Self::new(greatest, length);
        }
        let (greatest, length) = scalar::measure(utf8);
        Self::new(greatest, length)
    }

    /// The greatest byte of a text decides: a first byte of C2 or C3 leads to at most U+00FF, one below F0 to at most
    /// U+FFFF, and what follows is less than either.
    #[inline]
    fn new(greatest: u8, length: usize) -> Self {
        let width = match greatest {
            0..0x80 => Width::Ascii,
            0x80..0xC4 => Width::Latin1,
            0xC4..0xF0 => Width::Ucs2,
            0xF0.. => Width::Ucs4,
        };
        Self { width, length }
    }
}

/// Has the size of a code point in an array.
pub trait Unit: Copy + private::Sealed {}

impl Unit for u8 {}
impl Unit for u16 {}
impl Unit for u32 {}

mod private {
    /// A type without padding of which every pattern of bits is a value, one, two or four bytes wide.
    pub trait Sealed: Copy {
        fn from_code_point(code_point: u32) -> Self;
        fn code_point(self) -> u32;
    }

    macro_rules! seal {
        ($($unit:ty),*) => {$(
            impl Sealed for $unit {
                #[inline]
                fn from_code_point(code_point: u32) -> Self {
                    code_point as $unit
                }

                #[inline]
                fn code_point(self) -> u32 {
                    self.into()
                }
            }
        )*};
    }

    seal!(u8, u16, u32);
}

/// Writes the code points of `utf8` to the beginning of `room`, and returns how many it wrote.
///
/// That is all of `room` if the text is valid and `room` has the length and at least the width of its [`Shape`].
/// Otherwise it stops where `room` ends, and the code points have lost what does not fit.
#[inline]
pub fn decode<U: Unit>(utf8: &[u8], room: &mut [MaybeUninit<U>]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if let Some(written) = x86::decode(utf8, room) {
        return written;
    }
    scalar::decode(utf8, room)
}

/// A code point from U+D800 to U+DFFF, which UTF-8 cannot express (RFC 3629 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoneSurrogate;

/// Appends code points as UTF-8; if one of them is a surrogate, nothing is appended.
///
/// Room is made for the longest that so many could become, so a buffer that lives long should be a scratch one.
/// Numbers beyond U+10FFFF are no code points; what becomes of them is not said.
#[inline]
pub fn encode<U: Unit>(text: &[U], out: &mut Vec<u8>) -> Result<(), LoneSurrogate> {
    out.reserve(longest_bytes(text));
    let spare = out.spare_capacity_mut();
    #[cfg(target_arch = "x86_64")]
    let length = x86::encode(text, spare).unwrap_or_else(|| scalar::encode(text, spare));
    #[cfg(not(target_arch = "x86_64"))]
    let length = scalar::encode(text, spare);
    let length = out.len() + length?;
    // SAFETY: the encoders return how many bytes they initialised at the beginning of the spare capacity.
    unsafe { out.set_len(length) };
    Ok(())
}

/// Room for the text if all of its code points are of the longest kind, and for a whole vector after that.
#[inline]
fn longest_bytes<U: Unit>(text: &[U]) -> usize {
    let longest = match size_of::<U>() {
        1 => 2,
        2 => 3,
        _ => 4,
    };
    text.len().saturating_mul(longest).saturating_add(64)
}

#[cfg(test)]
mod tests;
