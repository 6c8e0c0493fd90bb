//! A vector of texts or missing values.

use super::{Bitset, lanes};
use crate::value::fold;
use memchr::memmem::Finder;
use std::sync::Arc;

/// Texts one after the other in a single buffer.
#[derive(Clone, Debug, Default)]
pub(crate) struct TextBlock {
    /// Where each text ends in `text`.
    ends: Vec<u32>,
    text: String,
}

impl TextBlock {
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends
            .push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }

    fn bytes(&self) -> usize {
        self.text.len() + 4 * self.ends.len()
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn get(&self, at: usize) -> &str {
        let start = if at == 0 {
            0
        } else {
            self.ends[at - 1] as usize
        };
        &self.text[start..self.ends[at] as usize]
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &str> + '_ {
        (0..self.len()).map(|at| self.get(at))
    }

    /// The texts that contain the needle once they are folded: one search over all of them.
    fn contains(&self, finder: &Finder<'_>) -> Bitset {
        if finder.needle().is_empty() {
            return Bitset::full(self.len());
        }
        if self.text.is_ascii() {
            return hits(&self.ends, &self.text.to_ascii_lowercase(), finder);
        }
        let mut folded = Self::default();
        self.iter().for_each(|text| folded.push(&fold(text)));
        hits(&folded.ends, &folded.text, finder)
    }

    /// The texts of `text` cut at `ends`; nothing if those are not places between characters.
    pub(crate) fn from_parts(text: String, ends: Vec<u32>) -> Option<Self> {
        let mut last = 0;
        for &end in &ends {
            if end < last || !text.is_char_boundary(end as usize) {
                return None;
            }
            last = end;
        }
        (last as usize == text.len()).then_some(Self { ends, text })
    }
}

/// The texts, ending in `text` at `ends`, in which the needle lies as a whole.
fn hits(ends: &[u32], text: &str, finder: &Finder<'_>) -> Bitset {
    let mut hits = Bitset::new(ends.len());
    let (mut slot, mut from) = (0, 0);
    while let Some(found) = finder.find(&text.as_bytes()[from..]) {
        let at = from + found;
        slot += ends[slot..].partition_point(|&end| end as usize <= at);
        let end = ends[slot] as usize;
        if at + finder.needle().len() <= end {
            hits.set(slot, true);
            from = end;
        } else {
            from = at + 1;
        }
    }
    hits
}

/// Texts of one chunk. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) enum Texts {
    Constant {
        value: Option<Arc<str>>,
        len: usize,
    },
    /// Code `u16::MAX` is missing; others index `entries`, which are distinct.
    Dictionary {
        codes: Arc<Vec<u16>>,
        entries: Arc<TextBlock>,
    },
    /// Missing slots hold empty text.
    Plain {
        texts: Arc<TextBlock>,
        missing: Option<Bitset>,
    },
}

impl Texts {
    /// The texts of a block, but for the missing ones.
    pub(crate) fn plain(texts: TextBlock, missing: Option<Bitset>) -> Self {
        Self::Plain {
            texts: Arc::new(texts),
            missing,
        }
    }

    pub(crate) fn from_options<'a>(values: impl ExactSizeIterator<Item = Option<&'a str>>) -> Self {
        let len = values.len();
        let mut missing: Option<Bitset> = None;
        let mut texts = TextBlock::default();
        for (at, value) in values.enumerate() {
            if value.is_none() {
                missing
                    .get_or_insert_with(|| Bitset::new(len))
                    .set(at, true);
            }
            texts.push(value.unwrap_or(""));
        }
        Self::plain(texts, missing)
    }

    /// About how many bytes of memory the texts take.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Constant { value, .. } => value.as_ref().map_or(0, |text| text.len()),
            Self::Dictionary { codes, entries } => 2 * codes.len() + entries.bytes(),
            Self::Plain { texts, missing } => {
                texts.bytes() + missing.as_ref().map_or(0, |set| set.len() / 8)
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Constant { len, .. } => *len,
            Self::Dictionary { codes, .. } => codes.len(),
            Self::Plain { texts, .. } => texts.len(),
        }
    }

    pub(crate) fn get(&self, at: usize) -> Option<&str> {
        match self {
            Self::Constant { value, .. } => value.as_deref(),
            Self::Dictionary { codes, entries } => {
                (codes[at] != u16::MAX).then(|| entries.get(codes[at] as usize))
            }
            Self::Plain { texts, missing } => {
                (!missing.as_ref().is_some_and(|m| m.get(at))).then(|| texts.get(at))
            }
        }
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = Option<&str>> + '_ {
        (0..self.len()).map(|at| self.get(at))
    }

    /// The slots whose text passes `test`, which is asked once for each dictionary entry.
    pub(crate) fn matching(&self, mut test: impl FnMut(&str) -> bool) -> Bitset {
        match self {
            Self::Constant { value, len } => {
                if value.as_deref().is_some_and(test) {
                    Bitset::full(*len)
                } else {
                    Bitset::new(*len)
                }
            }
            Self::Dictionary { codes, entries } => {
                let hits = Bitset::from_fn(entries.len(), |at| test(entries.get(at)));
                in_entries(codes, &hits)
            }
            Self::Plain { texts, missing } => {
                let mut hits = Bitset::from_fn(texts.len(), |at| test(texts.get(at)));
                if let Some(missing) = missing {
                    hits.and_not(missing);
                }
                hits
            }
        }
    }

    /// The slots whose text is `text`.
    pub(crate) fn equals(&self, text: &str) -> Bitset {
        match self {
            Self::Dictionary { codes, entries } => {
                match entries.iter().position(|entry| entry == text) {
                    Some(entry) => lanes::mask(codes, |code| usize::from(code) == entry),
                    None => Bitset::new(codes.len()),
                }
            }
            _ => self.matching(|found| found == text),
        }
    }

    /// The slots whose text, folded, contains `needle`, which is folded already.
    pub(crate) fn contains(&self, needle: &str) -> Bitset {
        let finder = Finder::new(needle);
        match self {
            Self::Constant { .. } => {
                self.matching(|text| finder.find(fold(text).as_bytes()).is_some())
            }
            Self::Dictionary { codes, entries } => in_entries(codes, &entries.contains(&finder)),
            Self::Plain { texts, missing } => {
                let mut hits = texts.contains(&finder);
                if let Some(missing) = missing {
                    hits.and_not(missing);
                }
                hits
            }
        }
    }

    /// The slots without a value.
    pub(crate) fn missing(&self) -> Bitset {
        match self {
            Self::Constant {
                value: Some(_),
                len,
            } => Bitset::new(*len),
            Self::Constant { value: None, len } => Bitset::full(*len),
            Self::Dictionary { codes, .. } => lanes::mask(codes, |code| code == u16::MAX),
            Self::Plain { texts, missing } => {
                missing.clone().unwrap_or_else(|| Bitset::new(texts.len()))
            }
        }
    }
}

/// The slots whose code is one of `hits`.
fn in_entries(codes: &[u16], hits: &Bitset) -> Bitset {
    let mut ones = hits.ones();
    match (ones.next(), ones.next()) {
        (None, _) => Bitset::new(codes.len()),
        (Some(only), None) => lanes::mask(codes, |code| usize::from(code) == only),
        _ if hits.all() => lanes::mask(codes, |code| code != u16::MAX),
        _ => {
            let hits: Vec<bool> = (0..hits.len()).map(|entry| hits.get(entry)).collect();
            lanes::mask(codes, |code| hits.get(usize::from(code)) == Some(&true))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::option::weighted;
    use proptest::prelude::*;

    fn dictionary(values: &[Option<String>]) -> Texts {
        let mut entries: Vec<&str> = values.iter().flatten().map(String::as_str).collect();
        entries.sort_unstable();
        entries.dedup();
        let code = |value: &Option<String>| {
            let text = value.as_deref()?;
            u16::try_from(entries.binary_search(&text).ok()?).ok()
        };
        let codes = values.iter().map(|v| code(v).unwrap_or(u16::MAX));
        let codes = Arc::new(codes.collect());
        let mut block = TextBlock::default();
        entries.iter().for_each(|entry| block.push(entry));
        Texts::Dictionary {
            codes,
            entries: Arc::new(block),
        }
    }

    #[test]
    fn hits_do_not_cross_texts() {
        let texts = ["aa", "ab", "", "xAAb", "\u{c4}ab"].map(Some);
        for ascii in [4, 5] {
            let texts = Texts::from_options(texts[..ascii].iter().copied());
            let ones = |needle| texts.contains(needle).ones().collect::<Vec<_>>();
            let more: &[usize] = if ascii == 5 { &[4] } else { &[] };
            assert_eq!(ones("aab"), [&[3], more].concat());
            assert_eq!(ones("aa"), [&[0, 3], more].concat());
            assert_eq!(ones(""), (0..ascii).collect::<Vec<_>>());
            assert_eq!(ones("aabx"), [0; 0]);
        }
    }

    proptest! {
        #[test]
        fn kernels_are_those_of_slots(
            values in vec(weighted(0.8, prop_oneof!["[aAb]{0,4}", "[ab\u{c4}\u{e4}\u{df}sS]{0,3}"]), 0..140),
            ascii in any::<bool>(),
            needle in "[abs]{0,3}",
        ) {
            let values: Vec<Option<String>> = if ascii {
                values.into_iter().map(|v| v.filter(|v| v.is_ascii())).collect()
            } else {
                values
            };
            let first = values.first().cloned().flatten();
            for texts in [
                Texts::from_options(values.iter().map(Option::as_deref)),
                dictionary(&values),
                Texts::Constant { value: first.map(Arc::from), len: values.len() },
            ] {
                let naive = |test: &dyn Fn(&str) -> bool| {
                    Bitset::from_fn(texts.len(), |at| texts.get(at).is_some_and(test))
                };
                let contains = |text: &str| fold(text).contains(&needle);
                prop_assert_eq!(texts.contains(&needle), naive(&contains));
                prop_assert_eq!(texts.matching(contains), naive(&contains));
                prop_assert_eq!(texts.equals(&needle), naive(&|text| text == needle));
                let missing = Bitset::from_fn(texts.len(), |at| texts.get(at).is_none());
                prop_assert_eq!(texts.missing(), missing);
            }
        }
    }
}
