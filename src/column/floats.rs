//! A vector of floating point numbers or missing values.

use super::{Bitset, Comparison, lanes};
use std::sync::Arc;

/// Floats of one chunk; NaN marks a missing value, so no value is ever NaN. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) enum Floats {
    Constant { value: Option<f64>, len: usize },
    Values(Arc<Vec<f64>>),
}

impl FromIterator<f64> for Floats {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self::Values(Arc::new(values.into_iter().collect()))
    }
}

impl Floats {
    pub(crate) fn from_options(values: impl ExactSizeIterator<Item = Option<f64>>) -> Self {
        values.map(|value| value.unwrap_or(f64::NAN)).collect()
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
        match self {
            Self::Constant { value: n, len } => {
                let order = n.and_then(|n| n.partial_cmp(&value));
                if order.is_some_and(|order| comparison.holds(order)) {
                    Bitset::full(*len)
                } else {
                    Bitset::new(*len)
                }
            }
            // Nothing compares with NaN, so missing needs no mask.
            Self::Values(values) => match comparison {
                Comparison::Equal => lanes::mask(values, |n| n == value),
                Comparison::Less => lanes::mask(values, |n| n < value),
                Comparison::LessEqual => lanes::mask(values, |n| n <= value),
                Comparison::Greater => lanes::mask(values, |n| n > value),
                Comparison::GreaterEqual => lanes::mask(values, |n| n >= value),
            },
        }
    }

    /// The slots whose value compares so with the other vector's, of the same length; missing
    /// on either side never does.
    pub(crate) fn compare_with(&self, comparison: Comparison, other: &Self) -> Bitset {
        Bitset::from_fn(self.len(), |at| {
            let order = self.get(at).zip(other.get(at));
            let order = order.and_then(|(a, b)| a.partial_cmp(&b));
            order.is_some_and(|order| comparison.holds(order))
        })
    }

    /// The slots without a value.
    pub(crate) fn missing(&self) -> Bitset {
        match self {
            Self::Constant {
                value: Some(_),
                len,
            } => Bitset::new(*len),
            Self::Constant { value: None, len } => Bitset::full(*len),
            Self::Values(values) => lanes::mask(values, f64::is_nan),
        }
    }

    /// The sum of the selected values, and how many there are, missing left out.
    ///
    /// Slots are added in eight lanes by their number modulo eight, then the lanes in order: the
    /// same slots always give the same sum, and the loop need not wait for each addition.
    pub(crate) fn sum(&self, selection: &Bitset) -> (f64, u64) {
        let values = match self {
            Self::Values(values) => values,
            Self::Constant { value, .. } => {
                let count = selection.count() as u64;
                return value.map_or((0.0, 0), |value| (value * count as f64, count));
            }
        };
        let (mut sums, mut count) = ([0.0; 8], 0);
        for (chunk, word, _) in lanes::runs(values, selection) {
            let selected = lanes::spread(word);
            let mut here = 0_u8;
            for (eight, on) in chunk.chunks(8).zip(selected.chunks(8)) {
                for ((sum, &n), &on) in sums.iter_mut().zip(eight).zip(on) {
                    let on = (on != 0) & !n.is_nan();
                    *sum += if on { n } else { 0.0 };
                    here += u8::from(on);
                }
            }
            count += u64::from(here);
        }
        (sums.iter().sum(), count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn vectors(len: std::ops::Range<usize>) -> impl Strategy<Value = Floats> {
        let number = prop_oneof![
            (-8i32..8).prop_map(|n| f64::from(n) / 2.0),
            -1e300f64..1e300,
            Just(f64::MAX),
        ];
        let number = proptest::option::weighted(0.8, number);
        (vec(number, len), 0u8..4).prop_map(|(values, form)| match form {
            0 => Floats::Constant {
                value: values.first().copied().flatten(),
                len: values.len(),
            },
            _ => Floats::from_options(values.into_iter()),
        })
    }

    proptest! {
        #[test]
        fn kernels_are_those_of_slots(
            (a, b) in (0usize..150).prop_flat_map(|len| (vectors(len..len + 1), vectors(len..len + 1))),
            half in -9i32..9,
            words in vec(any::<u64>(), 3),
        ) {
            let value = f64::from(half) / 2.0;
            for comparison in [
                Comparison::Equal, Comparison::Less, Comparison::LessEqual,
                Comparison::Greater, Comparison::GreaterEqual,
            ] {
                let holds = |a: f64, b: f64| comparison.holds(a.partial_cmp(&b).unwrap());
                let naive = |at| a.get(at).is_some_and(|n| holds(n, value));
                prop_assert_eq!(a.compare(comparison, value), Bitset::from_fn(a.len(), naive));
                let naive = |at| a.get(at).zip(b.get(at)).is_some_and(|(a, b)| holds(a, b));
                prop_assert_eq!(a.compare_with(comparison, &b), Bitset::from_fn(a.len(), naive));
            }
            let missing = Bitset::from_fn(a.len(), |at| a.get(at).is_none());
            prop_assert_eq!(a.missing(), missing);
            let selection = Bitset::from_words(words, a.len());
            let chosen: Vec<f64> = selection.ones().filter_map(|at| a.get(at)).collect();
            prop_assert_eq!(a.sum(&selection).1, chosen.len() as u64);
        }

        #[test]
        fn sums_of_halves_are_exact(
            halves in vec(proptest::option::of(-1000i32..1000), 0..200), words in vec(any::<u64>(), 4),
        ) {
            let number = |half: &Option<i32>| half.map(|half| f64::from(half) / 2.0);
            let floats = Floats::from_options(halves.iter().map(number));
            let selection = Bitset::from_words(words, halves.len());
            let sum: i32 = selection.ones().filter_map(|at| halves[at]).sum();
            prop_assert_eq!(floats.sum(&selection).0, f64::from(sum) / 2.0);
        }
    }
}
