//! What changed from one publication to the next, in the format of Fossil's deltas.
//!
//! A delta is the length of the new text and a line feed; then `LENGTH@OFFSET,` to copy from the old text and
//! `LENGTH:TEXT` to insert; at the end a checksum and a semicolon. Numbers are written in base 64 with an alphabet of
//! their own. Source: <https://fossil-scm.org/home/doc/trunk/www/delta_format.wiki>.
//!
//! Only writes; clients read. The tests read, too.

use hashbrown::HashMap;

/// How many bytes must agree to be worth a copy.
const BLOCK: usize = 16;
/// How many places with the same block are tried.
const TRIES: usize = 8;

const DIGITS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";

/// The delta that makes `new` of `old`; `None` when it would not be shorter than `new`.
///
/// Texts are cut between characters only, so that the delta of two texts is text itself and can travel in JSON.
#[must_use]
pub fn delta(old: &[u8], new: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(new.len() / 4 + BLOCK);
    push_number(new.len(), &mut out);
    out.push(b'\n');
    let index = Index::of(old);
    // Everything before `done` is in the delta; what lies between it and `at` matches nothing so far.
    let (mut done, mut at) = (0, 0);
    while at + BLOCK <= new.len() && out.len() < new.len() {
        let found = index.longest(old, new, done, at);
        match found.and_then(|found| found.of_whole_characters(new, at)) {
            Some(found) => {
                let begin = at - found.before;
                insert(&new[done..begin], &mut out);
                push_number(found.length, &mut out);
                out.push(b'@');
                push_number(found.offset, &mut out);
                out.push(b',');
                done = begin + found.length;
                at = done;
            }
            None => at += 1,
        }
    }
    insert(&new[done..], &mut out);
    push_number(checksum(new) as usize, &mut out);
    out.push(b';');
    (out.len() < new.len()).then_some(out)
}

fn insert(text: &[u8], out: &mut Vec<u8>) {
    if !text.is_empty() {
        push_number(text.len(), out);
        out.push(b':');
        out.extend_from_slice(text);
    }
}

fn push_number(number: usize, out: &mut Vec<u8>) {
    let mut digits = [0; 11];
    let (mut rest, mut at) = (number, digits.len());
    loop {
        at -= 1;
        digits[at] = DIGITS[rest % 64];
        rest /= 64;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// The sum of the text's words, big-endian, the last one filled up with zeros.
fn checksum(text: &[u8]) -> u32 {
    text.chunks(4).fold(0, |sum: u32, chunk| {
        let mut word = [0; 4];
        word[..chunk.len()].copy_from_slice(chunk);
        sum.wrapping_add(u32::from_be_bytes(word))
    })
}

/// Where the old text's blocks are.
struct Index<'o> {
    first: HashMap<&'o [u8], usize>,
    /// For each block the next one that is the same.
    next: Vec<usize>,
}

struct Match {
    /// Where the copy begins in the old text.
    offset: usize,
    length: usize,
    /// How many of its bytes lie before the place that was asked for.
    before: usize,
}

impl Match {
    /// Without the halves of characters at its ends; `None` when then it does not reach beyond `at`.
    fn of_whole_characters(mut self, new: &[u8], at: usize) -> Option<Self> {
        let begin = at - self.before;
        let is_inside = |place: usize| new.get(place).is_some_and(|byte| byte & 0xc0 == 0x80);
        let mut end = begin + self.length;
        while is_inside(end) && end > at {
            end -= 1;
        }
        let skipped = (begin..end).take_while(|place| is_inside(*place)).count();
        (begin + skipped <= at && at < end).then(|| {
            self.offset += skipped;
            self.before -= skipped;
            self.length = end - begin - skipped;
            self
        })
    }
}

const NONE: usize = usize::MAX;

impl<'o> Index<'o> {
    fn of(old: &'o [u8]) -> Self {
        let blocks = old.chunks_exact(BLOCK);
        let mut first = HashMap::with_capacity(blocks.len());
        let mut next = vec![NONE; blocks.len()];
        for (number, block) in blocks.enumerate() {
            next[number] = first.insert(block, number).unwrap_or(NONE);
        }
        Self { first, next }
    }

    /// The longest stretch of `old` that agrees with `new` around `at`, and not before `done`.
    fn longest(&self, old: &[u8], new: &[u8], done: usize, at: usize) -> Option<Match> {
        let mut number = *self.first.get(&new[at..at + BLOCK])?;
        let mut best: Option<Match> = None;
        for _ in 0..TRIES {
            let place = number * BLOCK;
            let after = common(old[place..].iter(), new[at..].iter());
            let before = common(old[..place].iter().rev(), new[done..at].iter().rev());
            if best
                .as_ref()
                .is_none_or(|best| before + after > best.length)
            {
                best = Some(Match {
                    offset: place - before,
                    length: before + after,
                    before,
                });
            }
            number = self.next[number];
            if number == NONE {
                break;
            }
        }
        best
    }
}

fn common<'a>(old: impl Iterator<Item = &'a u8>, new: impl Iterator<Item = &'a u8>) -> usize {
    old.zip(new).take_while(|(old, new)| old == new).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads a delta, as the format's description has it.
    fn apply(old: &[u8], delta: &[u8]) -> Vec<u8> {
        let mut rest = delta;
        let mut number = || {
            let mut value = 0;
            while let Some(digit) = DIGITS.iter().position(|digit| *digit == rest[0]) {
                value = value * 64 + digit;
                rest = &rest[1..];
            }
            let mark = rest[0];
            rest = &rest[1..];
            let text = (mark == b':').then(|| {
                let (text, behind) = rest.split_at(value);
                rest = behind;
                text.to_vec()
            });
            (value, mark, text)
        };
        let (length, mark, _) = number();
        assert_eq!(mark, b'\n');
        let mut new = Vec::new();
        loop {
            match number() {
                (length, b'@', _) => {
                    let (offset, mark, _) = number();
                    assert_eq!(mark, b',');
                    new.extend_from_slice(&old[offset..offset + length]);
                }
                (_, b':', Some(text)) => new.extend(text),
                (sum, b';', _) => {
                    assert_eq!(sum, checksum(&new) as usize);
                    assert_eq!(new.len(), length);
                    return new;
                }
                (_, mark, _) => panic!("not a command: {mark}"),
            }
        }
    }

    #[test]
    fn a_small_change_makes_a_small_delta() {
        let old =
            br#"{"price":{"bid":101.25,"ask":101.50},"venue":"some exchange","time":1700000000}"#;
        let new =
            br#"{"price":{"bid":101.75,"ask":101.50},"venue":"some exchange","time":1700000001}"#;
        let delta = delta(old, new).expect("much is the same");
        assert!(delta.len() < 50, "{}", String::from_utf8_lossy(&delta));
        assert_eq!(apply(old, &delta), new);
    }

    #[test]
    fn what_is_all_new_has_no_delta() {
        assert_eq!(delta(b"", b"x"), None);
        assert_eq!(delta(b"0123456789abcdef", b"entirely different"), None);
        assert_eq!(delta(b"abc", b""), None);
    }

    #[test]
    fn characters_stay_whole() {
        let old = "ääääääääääääääääääääää".as_bytes();
        let new = "ääääääääääääääääääääöä".as_bytes();
        let delta = delta(old, new).expect("much is the same");
        assert!(std::str::from_utf8(&delta).is_ok());
        assert_eq!(apply(old, &delta), new);
    }

    proptest! {
        #[test]
        fn the_delta_of_texts_is_text(old in "[aäö€😀]{0,60}", new in "[aäö€😀]{0,60}") {
            let new = format!("{old}{new}{old}");
            if let Some(delta) = delta(old.as_bytes(), new.as_bytes()) {
                prop_assert!(std::str::from_utf8(&delta).is_ok());
                prop_assert_eq!(apply(old.as_bytes(), &delta), new.as_bytes());
            }
        }

        #[test]
        fn a_delta_leads_to_the_new_text(
            pieces in prop::collection::vec(prop::collection::vec(0u8..4, 0..40), 1..8),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let old: Vec<u8> = pieces.concat();
            let new: Vec<u8> = order.iter().flat_map(|at| at.get(&pieces).clone()).collect();
            if let Some(delta) = delta(&old, &new) {
                prop_assert!(delta.len() < new.len());
                prop_assert_eq!(apply(&old, &delta), new);
            }
        }
    }
}
