//! A vector of 64-bit integers or missing values, kept in the narrowest stored form.

use super::{Bitset, Comparison};

/// Integers of one chunk. Narrow forms hold `value - base` and mark missing by the largest code.
#[derive(Clone, Debug)]
pub(crate) enum Ints {
    Constant {
        value: Option<i64>,
        len: usize,
    },
    U8 {
        base: i64,
        codes: Vec<u8>,
    },
    U16 {
        base: i64,
        codes: Vec<u16>,
    },
    U32 {
        base: i64,
        codes: Vec<u32>,
    },
    I64 {
        values: Vec<i64>,
        missing: Option<Bitset>,
    },
}

impl Ints {
    /// A vector in the wide form, as computations make it; missing slots hold 0.
    pub(crate) fn from_options(values: impl ExactSizeIterator<Item = Option<i64>>) -> Self {
        let len = values.len();
        let mut missing: Option<Bitset> = None;
        let values = values
            .enumerate()
            .map(|(at, value)| {
                value.unwrap_or_else(|| {
                    missing
                        .get_or_insert_with(|| Bitset::new(len))
                        .set(at, true);
                    0
                })
            })
            .collect();
        Self::I64 { values, missing }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Constant { len, .. } => *len,
            Self::U8 { codes, .. } => codes.len(),
            Self::U16 { codes, .. } => codes.len(),
            Self::U32 { codes, .. } => codes.len(),
            Self::I64 { values, .. } => values.len(),
        }
    }

    pub(crate) fn get(&self, at: usize) -> Option<i64> {
        match self {
            Self::Constant { value, .. } => *value,
            Self::U8 { base, codes } => (codes[at] != u8::MAX).then(|| base + i64::from(codes[at])),
            Self::U16 { base, codes } => {
                (codes[at] != u16::MAX).then(|| base + i64::from(codes[at]))
            }
            Self::U32 { base, codes } => {
                (codes[at] != u32::MAX).then(|| base + i64::from(codes[at]))
            }
            Self::I64 { values, missing } => {
                (!missing.as_ref().is_some_and(|m| m.get(at))).then(|| values[at])
            }
        }
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = Option<i64>> + '_ {
        (0..self.len()).map(|at| self.get(at))
    }

    /// The slots whose value compares so with `value`; missing never does.
    pub(crate) fn compare(&self, comparison: Comparison, value: i64) -> Bitset {
        Bitset::from_fn(self.len(), |at| {
            self.get(at).is_some_and(|n| match comparison {
                Comparison::Equal => n == value,
                Comparison::Less => n < value,
                Comparison::LessEqual => n <= value,
                Comparison::Greater => n > value,
                Comparison::GreaterEqual => n >= value,
            })
        })
    }

    /// The slots whose value is the number of a set bit.
    pub(crate) fn in_bits(&self, set: &Bitset) -> Bitset {
        Bitset::from_fn(self.len(), |at| {
            self.get(at)
                .and_then(|n| usize::try_from(n).ok())
                .is_some_and(|n| set.get(n))
        })
    }

    /// The slots without a value.
    pub(crate) fn missing(&self) -> Bitset {
        Bitset::from_fn(self.len(), |at| self.get(at).is_none())
    }
}
