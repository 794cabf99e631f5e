//! Values by pattern: a whole name, or its beginning followed by `*`.

use std::cmp::Reverse;

/// What names are to be treated how.
#[derive(Debug, Clone, Default)]
pub struct Patterns<T> {
    exact: Vec<(Box<str>, T)>,
    /// Without their `*`, longest first.
    prefixes: Vec<(Box<str>, T)>,
}

impl<T: Copy + Default> Patterns<T> {
    /// Sets the value of all names that match `pattern`, in place of the one it had.
    pub fn set(&mut self, pattern: &str, value: T) {
        let (list, key) = match pattern.strip_suffix('*') {
            Some(prefix) => (&mut self.prefixes, prefix),
            None => (&mut self.exact, pattern),
        };
        match list.iter_mut().find(|(known, _)| **known == *key) {
            Some((_, known)) => *known = value,
            None => list.push((key.into(), value)),
        }
        self.prefixes
            .sort_by_key(|(prefix, _)| Reverse(prefix.len()));
    }

    /// The value for a name: by the whole of it, else by the longest beginning, else the default.
    ///
    /// Walks the patterns; [`Topics`](crate::Topics) and [`Channels`](crate::Channels) ask once in the life of a name.
    #[must_use]
    pub fn of(&self, name: &str) -> T {
        let exact = self.exact.iter().find(|(known, _)| **known == *name);
        let prefix = || {
            self.prefixes
                .iter()
                .find(|(prefix, _)| name.starts_with(&**prefix))
        };
        exact
            .or_else(prefix)
            .map(|(_, value)| *value)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_pattern_decides() {
        let mut patterns = Patterns::default();
        assert_eq!(patterns.of("prices/eur"), 0);
        patterns.set("*", 1);
        patterns.set("prices/*", 2);
        patterns.set("prices/eur", 3);
        assert_eq!(patterns.of("chat"), 1);
        assert_eq!(patterns.of("prices/"), 2);
        assert_eq!(patterns.of("prices/usd"), 2);
        assert_eq!(patterns.of("prices/eur"), 3);
        patterns.set("prices/*", 4);
        assert_eq!(patterns.of("prices/usd"), 4);
    }

    #[test]
    fn a_star_elsewhere_is_a_star() {
        let mut patterns = Patterns::default();
        patterns.set("a*b", 1);
        assert_eq!(patterns.of("axb"), 0);
        assert_eq!(patterns.of("a*b"), 1);
    }
}
