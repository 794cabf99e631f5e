//! What it costs to transcode a text, on this machine:
//! `cargo test --release -p hubbub-protocol --test transcode_costs -- --ignored --nocapture`.

use hubbub_protocol::transcode::{Shape, Unit, Width, decode, encode};
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::time::Instant;

const TEXTS: [(&str, &str); 5] = [
    ("French", "déjà vu, où êtes-vous mon ami "),
    ("Cyrillic", "привет сообщение комната собрание "),
    ("Chinese", "你好消息房间会议明天问题"),
    (
        "a mix",
        "привет сообщение γειά μήνυμα مرحبا رسالة नमस्ते संदेश 你好 消息 こんにちは 部屋 안녕하세요 질문 ",
    ),
    ("emoji", "nice 😀😎🎉 ok 👍 "),
];

#[test]
#[ignore = "measures"]
fn costs() {
    for (name, words) in TEXTS {
        for size in [64, 1024, 65_536] {
            let mut text = words.repeat(size / words.len() + 1);
            while text.len() > size {
                text.pop();
            }
            let [decoding, encoding] = match Shape::of(text.as_bytes()).width {
                Width::Ascii | Width::Latin1 => cost_ns(&text, |code_point| code_point as u8),
                Width::Ucs2 => cost_ns(&text, |code_point| code_point as u16),
                Width::Ucs4 => cost_ns(&text, |code_point| code_point),
            };
            println!(
                "{name:9} {size:6} bytes: {decoding:7.0} ns to decode, {encoding:7.0} ns to encode"
            );
        }
    }
}

fn cost_ns<U: Unit>(text: &str, unit: impl Fn(u32) -> U) -> [f64; 2] {
    let utf8 = text.as_bytes();
    let units: Vec<U> = text.chars().map(|char| unit(char.into())).collect();
    let mut room = vec![MaybeUninit::<U>::uninit(); units.len()];
    let decoding = best_ns(utf8.len(), || {
        black_box(Shape::of(black_box(utf8)));
        black_box(decode(black_box(utf8), &mut room));
    });
    let mut out = Vec::new();
    let encoding = best_ns(utf8.len(), || {
        out.clear();
        black_box(encode(black_box(&units), &mut out)).expect("a text has no surrogates");
    });
    [decoding, encoding]
}

/// The best of several rounds: other work on the machine only ever adds.
fn best_ns(bytes: usize, mut act: impl FnMut()) -> f64 {
    let times = 1_000_000 / bytes;
    let round = |_| {
        let began = Instant::now();
        (0..times).for_each(|_| act());
        began.elapsed().as_nanos() as f64 / times as f64
    };
    (0..40).map(round).fold(f64::INFINITY, f64::min)
}
