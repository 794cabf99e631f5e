//! Comma lists (RFC 9110 §5.6.1), which may be spread over several field lines.
//!
//! By hand and in linear time: each byte is looked at once, however many blanks and commas there are.
//! Knows tokens; parameters and quoted strings belong to [`crate::extensions`].

/// An element of a list is not made of the characters of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAToken;

/// The tokens of a list, in the order they came; empty elements do not count.
pub fn tokens<'a>(
    values: impl Iterator<Item = &'a [u8]>,
) -> impl Iterator<Item = Result<&'a str, NotAToken>> {
    elements(values).map(|element| {
        if is_token(element) {
            ascii(element)
        } else {
            Err(NotAToken)
        }
    })
}

/// Whether `wanted` is among the tokens, in any case of letters.
///
/// The whole list is read either way: a malformed one holds nothing we could rely on.
pub fn contains<'a>(
    values: impl Iterator<Item = &'a [u8]>,
    wanted: &str,
) -> Result<bool, NotAToken> {
    let mut found = false;
    for token in tokens(values) {
        found |= token?.eq_ignore_ascii_case(wanted);
    }
    Ok(found)
}

/// Whether `text` is a token (RFC 9110 §5.6.2): one or more of the characters that need no quotes.
pub fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| TOKEN[usize::from(*byte)])
}

/// The elements of a list without the blanks around them, whatever they are made of; empty ones do not count.
pub(crate) fn elements<'a>(
    values: impl Iterator<Item = &'a [u8]>,
) -> impl Iterator<Item = &'a [u8]> {
    values
        .flat_map(|value| value.split(|byte| *byte == b','))
        .map(trim_blanks)
        .filter(|element| !element.is_empty())
}

/// Takes away the optional whitespace of RFC 9110 §5.6.3, which is less than what `trim_ascii` takes.
pub(crate) fn trim_blanks(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

fn ascii(token: &[u8]) -> Result<&str, NotAToken> {
    std::str::from_utf8(token).map_err(|_| NotAToken)
}

static TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b"!#$%&'*+-.^_`|~";
    let mut index = 0;
    while index < others.len() {
        table[others[index] as usize] = true;
        index += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    fn contains_close(values: &[&str]) -> Result<bool, NotAToken> {
        contains(values.iter().map(|value| value.as_bytes()), "close")
    }

    #[test]
    fn lines_make_one_list() {
        assert_eq!(contains_close(&["a, b", "", " ,\tCLOSE ,"]), Ok(true));
        assert_eq!(contains_close(&["closed", "clo", "se"]), Ok(false));
        assert_eq!(contains_close(&[]), Ok(false));
    }

    #[test]
    fn malformed_lists_hold_nothing() {
        for bad in [
            "close, a b",
            "close, \"\"",
            "close;a",
            "clo\u{17f}e",
            "close\u{a0}",
            "\u{b}close",
        ] {
            assert_eq!(contains_close(&[bad]), Err(NotAToken), "{bad}");
        }
    }
}
