//! A vector of floating point numbers or missing values.

use super::{Bitset, Comparison};

/// Floats of one chunk; NaN marks a missing value, so no value is ever NaN.
#[derive(Clone, Debug)]
pub(crate) enum Floats {
    Constant { value: Option<f64>, len: usize },
    Values(Vec<f64>),
}

impl Floats {
    pub(crate) fn from_options(values: impl ExactSizeIterator<Item = Option<f64>>) -> Self {
        Self::Values(values.map(|value| value.unwrap_or(f64::NAN)).collect())
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Constant { len, .. } => *len,
            Self::Values(values) => values.len(),
        }
    }

    pub(crate) fn get(&self, at: usize) -> Option<f64> {
        match self {
            Self::Constant { value, .. } => *value,
            Self::Values(values) => Some(values[at]).filter(|value| !value.is_nan()),
        }
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = Option<f64>> + '_ {
        (0..self.len()).map(|at| self.get(at))
    }

    /// The slots whose value compares so with `value`; missing never does.
    pub(crate) fn compare(&self, comparison: Comparison, value: f64) -> Bitset {
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

    /// The slots without a value.
    pub(crate) fn missing(&self) -> Bitset {
        Bitset::from_fn(self.len(), |at| self.get(at).is_none())
    }
}
