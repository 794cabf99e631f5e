//! Payloads: each different from the others, each the same in every run.

use crate::options::Content;

/// Room at the front of a payload for its number.
const NUMBER_DIGITS: usize = 4;

const WORDS: &str = "again also answer because before between board call change channel close come could down early \
    every find first from good great have hello here idea just know later like line little long look maybe meeting \
    message minutes more morning need never next note number only open other page people please point queue question \
    quick read ready really right room same second send should show some soon speak start still sure take talk thanks \
    that their then there thing think this time today tomorrow topic turn under very wait want well what when which \
    while with word work would write year";

const NON_ASCII_WORDS: &str = "привет сообщение комната собрание завтра вопрос очередь γειά μήνυμα δωμάτιο σήμερα ερώτηση \
    مرحبا رسالة غرفة اجتماع سؤال नमस्ते संदेश कमरा बैठक 你好 消息 房间 会议 明天 问题 こんにちは メッセージ 部屋 会議 \
    안녕하세요 메시지 회의 내일 질문";

/// The payload with the given number, of exactly `size_bytes`.
pub(crate) fn payload(content: Content, number: usize, size_bytes: usize) -> Vec<u8> {
    let mut dice =
        Dice(0x9e37_79b9_7f4a_7c15 ^ (number as u64 + 1).wrapping_mul(0xbf58_476d_1ce4_e5b9));
    let mut payload = Vec::with_capacity(size_bytes + 200);
    payload.extend_from_slice(format!("{number:0NUMBER_DIGITS$}").as_bytes());
    match content {
        Content::Ascii => {
            while payload.len() < size_bytes {
                payload.push(b'a' + (dice.roll() % 26) as u8);
            }
        }
        Content::Binary => {
            while payload.len() < size_bytes {
                payload.extend_from_slice(&dice.roll().to_ne_bytes());
            }
        }
        Content::NonAscii => {
            let words: Vec<&str> = NON_ASCII_WORDS.split_whitespace().collect();
            while payload.len() < size_bytes {
                payload.push(b' ');
                payload.extend_from_slice(dice.pick(&words).as_bytes());
            }
            let mut end = size_bytes;
            while end > 0 && payload.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
                end -= 1;
            }
            payload.truncate(end);
            payload.resize(size_bytes, b'.');
        }
        Content::Json => {
            let words: Vec<&str> = WORDS.split_whitespace().collect();
            payload.push(b'[');
            while payload.len() < size_bytes {
                let (id, user, time) = (
                    dice.roll() % 1_000_000,
                    dice.roll() % 500,
                    dice.roll() % 86_400_000,
                );
                let text: Vec<&str> = (0..6 + dice.roll() % 6)
                    .map(|_| dice.pick(&words))
                    .collect();
                payload.extend_from_slice(
                    format!(
                        r#"{{"type":"message","id":{id},"room":"lobby","user":{{"id":{user},"name":"{}"}},"time":{},"text":"{}"}},"#,
                        dice.pick(&words),
                        1_790_000_000_000 + time,
                        text.join(" ")
                    )
                    .as_bytes(),
                );
            }
        }
    }
    payload.truncate(size_bytes);
    payload
}

/// The number at the front of a payload.
pub(crate) fn number(payload: &[u8]) -> Option<usize> {
    std::str::from_utf8(payload.get(..NUMBER_DIGITS)?)
        .ok()?
        .parse()
        .ok()
}

/// Whether payloads of this size differ, and tell their number.
pub(crate) fn is_numbered(size_bytes: usize) -> bool {
    size_bytes >= NUMBER_DIGITS
}

/// A small generator: the payloads have to look random, not to be it (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 8
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll() as usize % from.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_have_their_size_and_number_and_are_text_where_they_must_be() {
        for content in [
            Content::Ascii,
            Content::NonAscii,
            Content::Json,
            Content::Binary,
        ] {
            for size in [0, 3, 4, 5, 64, 1000, 1001, 1002, 65536] {
                for at in [0, 1, 63] {
                    let payload = payload(content, at, size);
                    assert_eq!(payload.len(), size);
                    assert_eq!(number(&payload), is_numbered(size).then_some(at));
                    assert!(content == Content::Binary || std::str::from_utf8(&payload).is_ok());
                }
            }
        }
        assert_ne!(
            payload(Content::Ascii, 1, 64)[4..],
            payload(Content::Ascii, 2, 64)[4..]
        );
    }
}
