//! A client's command that publishes, in Centrifugo's client protocol (JSON, RFC 8259): read where it stands.
//!
//! Knows this one command only, and of it what clients usually write. Whatever else a frame holds is not refused but left
//! to who reads all of them; both understand the same by what both understand.

/// How deep what is published may be nested, to be understood here.
const DEPTH: usize = 32;

/// `{"id":…,"publish":{"channel":…,"data":…}}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publish<'a> {
    /// What the answer names.
    pub id: u32,
    /// Where to: nothing in it was escaped.
    pub channel: &'a str,
    /// JSON, as it came.
    pub data: &'a str,
}

impl<'a> Publish<'a> {
    /// The command that a frame consists of; `None`: it holds something else, or needs a closer look.
    #[must_use]
    pub fn read(frame: &'a str) -> Option<Self> {
        let mut json = Json { text: frame, at: 0 };
        let (mut id, mut inside) = (None, None);
        json.members(|json, name| match name {
            "id" if id.is_none() => {
                id = Some(json.id()?);
                Some(())
            }
            "publish" if inside.is_none() => {
                inside = Some(json.publication()?);
                Some(())
            }
            _ => None,
        })?;
        let (channel, data) = inside?;
        let id = id?;
        (json.at == frame.len()).then_some(Self { id, channel, data })
    }
}

struct Json<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Json<'a> {
    fn publication(&mut self) -> Option<(&'a str, &'a str)> {
        let (mut channel, mut data) = (None, None);
        self.members(|json, name| match name {
            "channel" if channel.is_none() => {
                channel = Some(json.plain()?);
                Some(())
            }
            "data" if data.is_none() => {
                let begin = json.at;
                json.value(DEPTH)?;
                data = Some(&json.text[begin..json.at]);
                Some(())
            }
            _ => None,
        })?;
        Some((channel?, data?))
    }

    /// 1 to 2^32 - 1.
    fn id(&mut self) -> Option<u32> {
        let begin = self.at;
        self.number()?;
        let digits = &self.text[begin..self.at];
        // A number has no sign in front of it here: `parse` would take "+".
        digits.parse().ok().filter(|id| *id > 0)
    }

    /// A string in which nothing is escaped, without its quotes.
    fn plain(&mut self) -> Option<&'a str> {
        let begin = self.at + 1;
        self.string()?;
        let inside = &self.text[begin..self.at - 1];
        (!inside.as_bytes().contains(&b'\\')).then_some(inside)
    }

    /// An object whose names are plain; `member` reads each value.
    fn members(&mut self, mut member: impl FnMut(&mut Self, &'a str) -> Option<()>) -> Option<()> {
        self.expect(b'{')?;
        loop {
            self.blank();
            let name = self.plain()?;
            self.blank();
            self.expect(b':')?;
            self.blank();
            member(self, name)?;
            self.blank();
            match self.next()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            b'"' => self.string(),
            b'{' => self.nested(b'}', depth.checked_sub(1)?),
            b'[' => self.nested(b']', depth.checked_sub(1)?),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            _ => self.number(),
        }
    }

    /// An object or an array.
    fn nested(&mut self, end: u8, depth: usize) -> Option<()> {
        self.at += 1;
        self.blank();
        if self.peek()? == end {
            self.at += 1;
            return Some(());
        }
        loop {
            self.blank();
            if end == b'}' {
                self.string()?;
                self.blank();
                self.expect(b':')?;
                self.blank();
            }
            self.value(depth)?;
            self.blank();
            match self.next()? {
                b',' => {}
                found if found == end => return Some(()),
                _ => return None,
            }
        }
    }

    fn string(&mut self) -> Option<()> {
        self.expect(b'"')?;
        loop {
            match self.next()? {
                b'"' => return Some(()),
                b'\\' => self.escape()?,
                0..=0x1f => return None,
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        match self.next()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                let digits = self.text.as_bytes().get(self.at..self.at + 4)?;
                // Halves of pairs are for a closer look.
                let is_half = matches!(
                    digits,
                    [b'd' | b'D', b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F', ..]
                );
                let fits = digits.iter().all(u8::is_ascii_hexdigit) && !is_half;
                self.at += 4;
                fits.then_some(())
            }
            _ => None,
        }
    }

    fn number(&mut self) -> Option<()> {
        self.skip(b'-');
        if !self.skip(b'0') {
            self.digits()?;
        }
        if self.skip(b'.') {
            self.digits()?;
        }
        if self.skip(b'e') || self.skip(b'E') {
            let _ = self.skip(b'+') || self.skip(b'-');
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        (count > 0).then_some(())
    }

    fn literal(&mut self, literal: &str) -> Option<()> {
        let is_there = self.text.as_bytes()[self.at..].starts_with(literal.as_bytes());
        self.at += literal.len();
        is_there.then_some(())
    }

    /// Passes over blanks; a line that ends within a command is for a closer look.
    fn blank(&mut self) {
        while let Some(b' ' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn skip(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.skip(byte).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(data: &str) -> Option<String> {
        let frame = format!(r#"{{"id":7,"publish":{{"channel":"a:b","data":{data}}}}}"#);
        let found = Publish::read(&frame)?;
        assert_eq!((found.id, found.channel), (7, "a:b"));
        Some(found.data.to_owned())
    }

    #[test]
    fn a_publication_is_read_however_its_client_writes_it() {
        let expected = Some(Publish {
            id: 3,
            channel: "комната",
            data: r#"{"a": [1, -2.5e+3, "\u00e9\"", null]}"#,
        });
        for frame in [
            r#"{"id":3,"publish":{"channel":"комната","data":{"a": [1, -2.5e+3, "\u00e9\"", null]}}}"#,
            r#"{"publish":{"data":{"a": [1, -2.5e+3, "\u00e9\"", null]},"channel":"комната"},"id":3}"#,
            r#"{"id": 3 , "publish": { "channel": "комната", "data": {"a": [1, -2.5e+3, "\u00e9\"", null]} } }"#,
        ] {
            assert_eq!(Publish::read(frame), expected, "{frame}");
        }
    }

    #[test]
    fn data_is_any_json_and_nothing_else() {
        for json in [
            "0",
            "-0",
            "10.25",
            "1e9",
            "true",
            "false",
            "null",
            "\"\"",
            "{}",
            "[]",
            "[[], {}]",
            r#"{"a":{"b":[]}}"#,
            "\"é\u{1f600}\"",
        ] {
            assert_eq!(data(json).as_deref(), Some(json));
        }
        for text in [
            "",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "tru",
            "nul",
            "NaN",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\"}",
            "'a'",
            "\"\n\"",
            r#""\x""#,
            r#""\u12""#,
            r#""\ud800""#,
            "1 2",
            "[",
            "\"",
        ] {
            assert_eq!(data(text), None, "{text}");
        }
        assert!(data(&("[".repeat(DEPTH) + &"]".repeat(DEPTH))).is_some());
        assert!(data(&("[".repeat(DEPTH + 1) + &"]".repeat(DEPTH + 1))).is_none());
    }

    #[test]
    fn whatever_is_unusual_is_left_to_others() {
        for frame in [
            "",
            "{}",
            r#"{"id":1}"#,
            r#"{"publish":{"channel":"a","data":1}}"#,
            r#"{"id":0,"publish":{"channel":"a","data":1}}"#,
            r#"{"id":-1,"publish":{"channel":"a","data":1}}"#,
            r#"{"id":1.0,"publish":{"channel":"a","data":1}}"#,
            r#"{"id":4294967296,"publish":{"channel":"a","data":1}}"#,
            r#"{"id":1,"id":1,"publish":{"channel":"a","data":1}}"#,
            r#"{"id":1,"publish":{"channel":"a"}}"#,
            r#"{"id":1,"publish":{"data":1}}"#,
            r#"{"id":1,"publish":{"channel":"\u0061","data":1}}"#,
            r#"{"id":1,"publish":{"channel":"a","data":1,"type":1}}"#,
            r#"{"id":1,"publish":{"channel":"a","data":1},"ping":{}}"#,
            "{\"id\":1,\"publish\":{\"channel\":\"a\",\"data\":1}}\n",
            "{\"id\":1,\"publish\":{\"channel\":\"a\",\"data\":1}}\n{\"id\":2,\"ping\":{}}",
        ] {
            assert_eq!(Publish::read(frame), None, "{frame}");
        }
    }
}
