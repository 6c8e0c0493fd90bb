//! A vector of texts or missing values.

use super::Bitset;
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

    /// All texts joined, and where each ends.
    pub(crate) fn parts(&self) -> (&str, &[u32]) {
        (&self.text, &self.ends)
    }

    /// The reverse of [`TextBlock::parts`]; nothing if the ends do not cut `text` at characters.
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

/// Texts of one chunk.
#[derive(Clone, Debug)]
pub(crate) enum Texts {
    Constant {
        value: Option<Arc<str>>,
        len: usize,
    },
    /// Code `u16::MAX` is missing; others index `entries`, which are distinct.
    Dictionary {
        codes: Vec<u16>,
        entries: TextBlock,
    },
    /// Missing slots hold empty text.
    Plain {
        texts: TextBlock,
        missing: Option<Bitset>,
    },
}

impl Texts {
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
        Self::Plain { texts, missing }
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
                Bitset::from_fn(codes.len(), |at| hits.get(codes[at] as usize))
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

    /// The slots without a value.
    pub(crate) fn missing(&self) -> Bitset {
        Bitset::from_fn(self.len(), |at| self.get(at).is_none())
    }
}
