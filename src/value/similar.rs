//! How alike two texts are: the share of trigrams they have in common.
//!
//! Dice's coefficient (1945) over the set of trigrams of every word, each word with two blanks
//! before and one after it, as PostgreSQL's `pg_trgm` cuts them. It suits names of people and
//! companies: the order of words does not count, beginnings of words count more than ends, and
//! one wrong letter costs a few trigrams.

use super::fold;

/// The trigrams of a text's words, in order, each once.
pub(crate) struct Trigrams {
    parts: Vec<[char; 3]>,
    folded: String,
}

impl Trigrams {
    pub(crate) fn of(text: &str) -> Self {
        let folded = fold(text).into_owned();
        let mut parts = Vec::new();
        for word in folded.split(|c: char| !c.is_alphanumeric()) {
            if word.is_empty() {
                continue;
            }
            let mut last = [' ', ' ', ' '];
            for c in word.chars().chain([' ']) {
                last = [last[1], last[2], c];
                parts.push(last);
            }
        }
        parts.sort_unstable();
        parts.dedup();
        Self { parts, folded }
    }

    /// Each trigram once.
    pub(crate) fn parts(&self) -> &[[char; 3]] {
        &self.parts
    }

    /// From 0 (no trigram in common) to 1 (all).
    pub(crate) fn similarity(&self, other: &Self) -> f64 {
        let all = self.parts.len() + other.parts.len();
        if all == 0 {
            return f64::from(u8::from(self.folded == other.folded));
        }
        let common = |part: &&[char; 3]| other.parts.binary_search(part).is_ok();
        2.0 * self.parts.iter().filter(common).count() as f64 / all as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn similar(a: &str, b: &str) -> f64 {
        Trigrams::of(a).similarity(&Trigrams::of(b))
    }

    #[test]
    fn counted_by_hand() {
        // 11 trigrams, 15 trigrams, 11 in common.
        assert_eq!(similar("Mesa Tools", "MESA Tools, Inc."), 22.0 / 26.0);
        // 9, 13, 8 in common.
        assert_eq!(similar("Gus Hall", "Gustavo Hall"), 16.0 / 22.0);
        // 11, 10, 9 in common.
        assert_eq!(similar("mesa tools", "mesa tols"), 18.0 / 21.0);
        assert_eq!(similar("Tools Mesa", "mesa tools"), 1.0);
        assert_eq!(similar("Jos\u{e9}", "jose"), 1.0);
        assert_eq!(similar("acme", "borealis"), 0.0);
        assert_eq!(similar("", ""), 1.0);
        assert_eq!(similar("", "a"), 0.0);
        assert_eq!(similar("+", "-"), 0.0);
    }

    proptest! {
        #[test]
        fn it_is_a_share_both_ways(a in "\\PC{0,12}", b in "[a-d ]{0,8}") {
            let share = similar(&a, &b);
            prop_assert!((0.0..=1.0).contains(&share));
            prop_assert_eq!(share, similar(&b, &a));
            prop_assert_eq!(similar(&a, &a), 1.0);
        }
    }
}
