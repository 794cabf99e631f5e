//! The fields of one head, in the order they came.
//!
//! Names and values are slices of the head. Knows which names are equal, not what any of them means.

use httparse::{EMPTY_HEADER, Header};

/// A browser's upgrade through a proxy has about twenty fields; up to this many cost no allocation.
const INLINE: usize = 24;

/// Field lines as they stand in the head: names as sent, values without the blanks around them.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    inline: [Header<'a>; INLINE],
    inline_len: usize,
    /// All of them, when there are more than [`INLINE`].
    heap: Vec<Header<'a>>,
}

impl<'a> Fields<'a> {
    /// Lets `parse` fill in at most `limit` fields. It is called a second time, with more room, if it says that there
    /// are more than usual; `None` is its way to say that even `limit` are not enough.
    pub(crate) fn parse<E>(
        limit: usize,
        mut parse: impl FnMut(&mut [Header<'a>]) -> Result<Option<usize>, E>,
    ) -> Result<Option<Fields<'a>>, E> {
        let mut fields = Fields {
            inline: [EMPTY_HEADER; INLINE],
            inline_len: 0,
            heap: Vec::new(),
        };
        if let Some(count) = parse(&mut fields.inline[..limit.min(INLINE)])? {
            fields.inline_len = count;
            return Ok(Some(fields));
        }
        if limit <= INLINE {
            return Ok(None);
        }
        fields.heap.resize(limit, EMPTY_HEADER);
        let Some(count) = parse(&mut fields.heap)? else {
            return Ok(None);
        };
        fields.heap.truncate(count);
        Ok(Some(fields))
    }

    fn lines(&self) -> &[Header<'a>] {
        if self.heap.is_empty() {
            &self.inline[..self.inline_len]
        } else {
            &self.heap
        }
    }

    /// How many field lines there are.
    pub fn len(&self) -> usize {
        self.lines().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lines().is_empty()
    }

    /// Name and value of each line.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.lines().iter().map(|line| (line.name, line.value))
    }

    /// The first value of the field `name`, whose case does not matter.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.get_all(name).next()
    }

    /// Every value of the field `name`, line by line.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &'a [u8]> + Clone {
        self.lines()
            .iter()
            .filter(move |line| line.name.eq_ignore_ascii_case(name))
            .map(|line| line.value)
    }

    /// The value of a field that may come once only.
    pub fn get_single(&self, name: &str) -> Result<Option<&'a [u8]>, Repeated> {
        let mut values = self.get_all(name);
        let first = values.next();
        if values.next().is_some() {
            Err(Repeated)
        } else {
            Ok(first)
        }
    }
}

/// A field that may come once only came twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeated;

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(count: usize, limit: usize) -> Option<Fields<'static>> {
        Fields::parse(limit, |room| {
            if room.len() < count {
                return Ok::<_, ()>(None);
            }
            for (at, line) in room[..count].iter_mut().enumerate() {
                *line = Header {
                    name: ["Even", "odd"][at % 2],
                    value: b"value",
                };
            }
            Ok(Some(count))
        })
        .unwrap()
    }

    #[test]
    fn any_number_up_to_the_limit() {
        for count in [0, 1, INLINE - 1, INLINE, INLINE + 1, 100] {
            let fields = fields(count, 100).unwrap();
            assert_eq!(fields.len(), count);
            assert_eq!(fields.is_empty(), count == 0);
            assert_eq!(fields.iter().count(), count);
            assert_eq!(fields.get_all("even").count(), count.div_ceil(2));
            assert_eq!(fields.heap.is_empty(), count <= INLINE);
        }
        assert!(fields(101, 100).is_none());
        assert!(fields(3, 2).is_none());
    }

    #[test]
    fn once_only() {
        assert_eq!(
            fields(2, 9).unwrap().get_single("ODD"),
            Ok(Some(b"value".as_slice()))
        );
        assert_eq!(fields(4, 9).unwrap().get_single("odd"), Err(Repeated));
        assert_eq!(fields(4, 9).unwrap().get_single("other"), Ok(None));
    }
}
