//! Every transcoder this machine can run, against the standard library.

use super::*;
use proptest::prelude::*;

/// One of the four; what the public functions choose from.
#[derive(Debug, Clone, Copy)]
enum Transcoder {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Vector(x86::Level),
}

impl Transcoder {
    fn all() -> Vec<Self> {
        #[cfg(not(target_arch = "x86_64"))]
        return vec![Self::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            use x86::Level;
            let levels: &[Level] = match Level::of_this_processor() {
                Some(Level::Avx512) => &[Level::Avx512, Level::Avx2, Level::Sse],
                Some(Level::Avx2) => &[Level::Avx2, Level::Sse],
                Some(Level::Sse) => &[Level::Sse],
                None => &[],
            };
            let vectors = levels.iter().map(|&level| Self::Vector(level));
            [Self::Scalar].into_iter().chain(vectors).collect()
        }
    }

    fn shape(self, utf8: &[u8]) -> Shape {
        let (greatest, length) = match self {
            Self::Scalar => scalar::measure(utf8),
            #[cfg(target_arch = "x86_64")]
            Self::Vector(level) => x86::measure_at(level, utf8),
        };
        Shape::new(greatest, length)
    }

    fn decode<U: Unit>(self, utf8: &[u8], room: &mut [MaybeUninit<U>]) -> usize {
        match self {
            Self::Scalar => scalar::decode(utf8, room),
            #[cfg(target_arch = "x86_64")]
            Self::Vector(level) => x86::decode_at(level, utf8, room),
        }
    }

    fn encode<U: Unit>(self, text: &[U]) -> Result<Vec<u8>, LoneSurrogate> {
        let mut out = Vec::with_capacity(longest_bytes(text));
        let spare = out.spare_capacity_mut();
        let length = match self {
            Self::Scalar => scalar::encode(text, spare),
            #[cfg(target_arch = "x86_64")]
            Self::Vector(level) => x86::encode_at(level, text, spare),
        }?;
        // SAFETY: so many bytes were initialised.
        unsafe { out.set_len(length) };
        Ok(out)
    }
}

/// Decodes into the middle of something that must not change, and looks at it.
fn decode_guarded<U: Unit + PartialEq + std::fmt::Debug>(
    transcoder: Transcoder,
    utf8: &[u8],
    length: usize,
    align: usize,
) -> Vec<U> {
    const GUARD: u32 = 0xA5A5_A5A5;
    let guard = U::from_code_point(GUARD);
    let mut units = vec![guard; length + align + 80];
    let room = &mut units[align..align + length];
    // SAFETY: a `MaybeUninit` may hold what its type holds, and nothing uninitialised is ever written into it.
    let room = unsafe { &mut *(std::ptr::from_mut(room) as *mut [MaybeUninit<U>]) };
    let written = transcoder.decode(utf8, room);
    assert!(written <= length, "{transcoder:?}");
    let around = units[..align].iter().chain(&units[align + length..]);
    assert!(around.copied().all(|unit| unit == guard), "{transcoder:?}");
    units[align..align + written].to_vec()
}

fn check_width<U: Unit + PartialEq + std::fmt::Debug>(text: &str, align: usize) {
    let expected: Vec<U> = text
        .chars()
        .map(|char| U::from_code_point(char.into()))
        .collect();
    // Not at the beginning of an allocation, and followed by what would be seen if it were read.
    let bytes = [&[0x80; 7][..align % 8], text.as_bytes(), &[0x80; 4]].concat();
    let bytes = &bytes[align % 8..][..text.len()];
    for transcoder in Transcoder::all() {
        let decoded = decode_guarded::<U>(transcoder, bytes, expected.len(), align);
        assert_eq!(decoded, expected, "{transcoder:?} decodes {text:?}");
        // Where room is too short, what there is must be the same.
        let short = expected.len() / 2;
        let decoded = decode_guarded::<U>(transcoder, bytes, short, align);
        assert_eq!(decoded, expected[..short], "{transcoder:?}");
        let encoded = transcoder.encode(&expected);
        assert_eq!(encoded.as_deref(), Ok(text.as_bytes()), "{transcoder:?}");
    }
}

fn check(text: &str, align: usize) {
    let greatest = text.chars().max().map_or(0, u32::from);
    let width = match greatest {
        0..0x80 => Width::Ascii,
        0x80..0x100 => Width::Latin1,
        0x100..0x1_0000 => Width::Ucs2,
        _ => Width::Ucs4,
    };
    let length = text.chars().count();
    for transcoder in Transcoder::all() {
        let shape = transcoder.shape(text.as_bytes());
        assert_eq!(shape, Shape { width, length }, "{transcoder:?}: {text:?}");
    }
    check_width::<u32>(text, align);
    if greatest < 0x1_0000 {
        check_width::<u16>(text, align);
    }
    if greatest < 0x100 {
        check_width::<u8>(text, align);
    }
}

/// The least and the greatest code point of each length, and of each width.
const EDGES: &str = "\0\u{7F}\u{80}\u{BF}\u{C0}\u{FF}\u{100}\u{7FF}\u{800}\u{D7FF}\u{E000}\u{FFFF}\u{10000}\u{3FFFF}\u{40000}\u{10FFFF}";

#[test]
fn every_code_point_goes_both_ways() {
    for plane in 0..=0x10 {
        let text: String = (plane << 16..=plane << 16 | 0xFFFF)
            .filter_map(char::from_u32)
            .collect();
        check(&text, 0);
    }
    check(&('\0'..='\u{FF}').collect::<String>(), 0);
}

#[test]
fn every_length_around_the_windows() {
    for char in EDGES.chars() {
        for length in (0..=70).chain(125..=131) {
            check(&char.to_string().repeat(length), length % 5);
        }
    }
}

#[test]
fn every_code_point_at_every_place_in_a_window() {
    for char in EDGES.chars() {
        for around in ["a", "é", "я", "語", "😀"] {
            for before in 0..66 {
                let mut text = "a".repeat(before);
                text.push(char);
                text.push_str(around);
                text.push_str(&"z".repeat(66 - before));
                check(&text, before % 3);
            }
        }
    }
}

#[test]
fn surrogates_are_refused_wherever_they_stand() {
    for length in [1, 7, 8, 9, 16, 31, 32, 33, 40, 64, 65] {
        for at in 0..length {
            for surrogate in [0xD800, 0xDBFF, 0xDC00, 0xDFFF] {
                let mut narrow = vec![0x4E2D_u16; length];
                let mut wide = vec![0x1_F600_u32; length];
                narrow[at] = surrogate;
                wide[at] = surrogate.into();
                for transcoder in Transcoder::all() {
                    assert_eq!(transcoder.encode(&narrow), Err(LoneSurrogate));
                    assert_eq!(transcoder.encode(&wide), Err(LoneSurrogate));
                }
                let mut out = b"before".to_vec();
                assert_eq!(encode(&narrow, &mut out), Err(LoneSurrogate));
                assert_eq!(out, b"before");
            }
        }
    }
}

#[test]
fn appends() {
    let mut out = b"before ".to_vec();
    assert_eq!(encode(&[0x43F_u16, 0x440, 0x438], &mut out), Ok(()));
    assert_eq!(encode(&[0x21_u8], &mut out), Ok(()));
    assert_eq!(out, "before при!".as_bytes());
}

/// Words and symbols of all lengths, as they stand together in texts, and anything.
fn texts() -> impl Strategy<Value = String> {
    let runs = prop_oneof![
        "[ -~]{1,70}",
        "[à-ÿ ]{1,40}",
        "[а-я ]{1,40}",
        "[一-龥。]{1,40}",
        "[😀-🙏 ]{1,40}",
        "\\PC{0,40}",
        prop::collection::vec(any::<char>(), 0..40)
            .prop_map(|chars| chars.into_iter().collect::<String>()),
    ];
    prop::collection::vec(runs, 0..6).prop_map(|runs| runs.concat())
}

proptest! {
    #[test]
    fn texts_go_both_ways(text in texts(), align in 0..64_usize) {
        check(&text, align);
    }

    #[test]
    fn narrow_texts_go_both_ways(text in "[ -~à-ÿ]{0,200}", align in 0..64_usize) {
        check(&text, align);
    }

    /// No promise but this one: bytes that are no text stay within bounds.
    #[test]
    fn what_is_no_text_does_no_harm(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        length in 0..300_usize,
        align in 0..64_usize,
    ) {
        for transcoder in Transcoder::all() {
            transcoder.shape(&bytes);
            decode_guarded::<u8>(transcoder, &bytes, length, align);
            decode_guarded::<u16>(transcoder, &bytes, length, align);
            decode_guarded::<u32>(transcoder, &bytes, length, align);
        }
    }

    #[test]
    fn numbers_that_are_no_code_points_do_no_harm(
        units in prop::collection::vec(any::<u32>(), 0..100),
    ) {
        for transcoder in Transcoder::all() {
            let _ = transcoder.encode(&units);
        }
    }
}
