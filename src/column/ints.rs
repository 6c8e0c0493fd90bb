//! A vector of 64-bit integers or missing values, kept in the narrowest stored form.

use super::codes::{self, Code};
use super::{Bitset, Comparison, lanes};
use std::sync::Arc;

/// Integers of one chunk. Narrow forms hold `value - base` and mark missing by the largest code.
/// Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) enum Ints {
    Constant {
        value: Option<i64>,
        len: usize,
    },
    U8 {
        base: i64,
        codes: Arc<Vec<u8>>,
    },
    U16 {
        base: i64,
        codes: Arc<Vec<u16>>,
    },
    U32 {
        base: i64,
        codes: Arc<Vec<u32>>,
    },
    I64 {
        values: Arc<Vec<i64>>,
        missing: Option<Bitset>,
    },
}

/// Calls the body with base and codes of a narrow form.
macro_rules! narrow {
    (
        $ints:expr, $base:ident, $codes:ident => $body:expr,
        $($other:pat => $result:expr),* $(,)?
    ) => {
        match $ints {
            Ints::U8 { base: $base, codes: $codes } => $body,
            Ints::U16 { base: $base, codes: $codes } => $body,
            Ints::U32 { base: $base, codes: $codes } => $body,
            $($other => $result,)*
        }
    };
}

impl Ints {
    /// A vector in the narrowest form that holds the values.
    pub(crate) fn pack(values: &[Option<i64>]) -> Self {
        fn codes<T: Code>(values: &[Option<i64>], base: i64) -> Arc<Vec<T>> {
            let code =
                |value: &Option<i64>| value.map_or(T::MISSING, |n| T::narrow(n.abs_diff(base)));
            Arc::new(values.iter().map(code).collect())
        }
        let present = || values.iter().flatten().copied();
        let (Some(base), Some(max)) = (present().min(), present().max()) else {
            return Self::Constant {
                value: None,
                len: values.len(),
            };
        };
        let span = max.abs_diff(base);
        if span == 0 && values.iter().all(Option::is_some) {
            Self::Constant {
                value: Some(base),
                len: values.len(),
            }
        } else if span < u8::MAX.into() {
            let codes = codes(values, base);
            Self::U8 { base, codes }
        } else if span < u16::MAX.into() {
            let codes = codes(values, base);
            Self::U16 { base, codes }
        } else if span < u32::MAX.into() {
            let codes = codes(values, base);
            Self::U32 { base, codes }
        } else {
            Self::from_options(values.iter().copied())
        }
    }

    /// A vector in the wide form, as computations make it; missing slots hold 0.
    pub(crate) fn from_options(values: impl ExactSizeIterator<Item = Option<i64>>) -> Self {
        let len = values.len();
        let mut missing: Option<Bitset> = None;
        let values: Vec<i64> = values
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
        Self::I64 {
            values: Arc::new(values),
            missing,
        }
    }

    /// About how many bytes of memory the numbers take.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Constant { .. } => 0,
            Self::U8 { codes, .. } => codes.len(),
            Self::U16 { codes, .. } => 2 * codes.len(),
            Self::U32 { codes, .. } => 4 * codes.len(),
            Self::I64 { values, missing } => {
                8 * values.len() + missing.as_ref().map_or(0, |set| set.len() / 8)
            }
        }
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
        let range = match comparison {
            Comparison::Equal => Some((value, value)),
            Comparison::Less => value.checked_sub(1).map(|high| (i64::MIN, high)),
            Comparison::LessEqual => Some((i64::MIN, value)),
            Comparison::Greater => value.checked_add(1).map(|low| (low, i64::MAX)),
            Comparison::GreaterEqual => Some((value, i64::MAX)),
        };
        match range {
            Some((low, high)) => self.between(low, high),
            None => Bitset::new(self.len()),
        }
    }

    /// The slots whose value compares so with the other vector's, of the same length; missing
    /// on either side never does.
    pub(crate) fn compare_with(&self, comparison: Comparison, other: &Self) -> Bitset {
        match (self, other) {
            (_, Self::Constant { value, .. }) => match value {
                Some(value) => self.compare(comparison, *value),
                None => Bitset::new(self.len()),
            },
            (Self::Constant { .. }, _) => {
                let mirrored = match comparison {
                    Comparison::Equal => Comparison::Equal,
                    Comparison::Less => Comparison::Greater,
                    Comparison::LessEqual => Comparison::GreaterEqual,
                    Comparison::Greater => Comparison::Less,
                    Comparison::GreaterEqual => Comparison::LessEqual,
                };
                other.compare_with(mirrored, self)
            }
            _ => {
                let (mut a, mut b) = ([0; 64], [0; 64]);
                let words = (0..self.len().div_ceil(64)).map(|index| {
                    let present = self.load(index, &mut a) & other.load(index, &mut b);
                    present
                        & match comparison {
                            Comparison::Equal => lanes::mask_pairs(&a, &b, |a, b| a == b),
                            Comparison::Less => lanes::mask_pairs(&a, &b, |a, b| a < b),
                            Comparison::LessEqual => lanes::mask_pairs(&a, &b, |a, b| a <= b),
                            Comparison::Greater => lanes::mask_pairs(&a, &b, |a, b| a > b),
                            Comparison::GreaterEqual => lanes::mask_pairs(&a, &b, |a, b| a >= b),
                        }
                });
                Bitset::from_words(words.collect(), self.len())
            }
        }
    }

    /// Decodes the values at slots `64 * index ..` into `out` and gives the word of those that are
    /// not missing; the others hold any number.
    pub(crate) fn load(&self, index: usize, out: &mut [i64; 64]) -> u64 {
        let from = index * 64;
        let len = self.len().saturating_sub(from).min(64);
        let full = u64::MAX.checked_shr(64 - len as u32).unwrap_or(0);
        match self {
            Self::Constant { value, .. } => {
                *out = [value.unwrap_or(0); 64];
                if value.is_some() { full } else { 0 }
            }
            Self::I64 { values, missing } => {
                out[..len].copy_from_slice(&values[from..from + len]);
                full & !missing.as_ref().map_or(0, |m| m.words()[index])
            }
            _ => narrow!(self, base, codes => codes::load(&codes[from..from + len], *base, out),
                Self::Constant { .. } | Self::I64 { .. } => 0),
        }
    }

    /// The slots whose value lies from `low` to `high`, both included; missing never does.
    pub(crate) fn between(&self, low: i64, high: i64) -> Bitset {
        let within = |n: i64| (low <= n) & (n <= high);
        narrow!(self, base, codes => match codes::range(*base, low, high) {
                Some((low, high)) => codes::in_ranges(codes, &[(low, high)]),
                None => Bitset::new(codes.len()),
            },
            Self::Constant { value, len } => match value {
                Some(value) if within(*value) => Bitset::full(*len),
                _ => Bitset::new(*len),
            },
            Self::I64 { values, missing } => {
                let mut hits = lanes::mask(values, within);
                if let Some(missing) = missing {
                    hits.and_not(missing);
                }
                hits
            },
        )
    }

    /// The slots whose value is the number of a set bit.
    pub(crate) fn in_bits(&self, set: &Bitset) -> Bitset {
        self.in_bits_from(set, 0)
    }

    /// The slots whose value is one of `set`, which is sorted.
    pub(crate) fn in_set(&self, set: &[i64]) -> Bitset {
        let (Some(&first), Some(&last)) = (set.first(), set.last()) else {
            return Bitset::new(self.len());
        };
        match usize::try_from(last.abs_diff(first)) {
            Ok(span) if span < 1 << 16 => {
                let mut bits = Bitset::new(span + 1);
                for n in set {
                    bits.set(n.abs_diff(first) as usize, true);
                }
                self.in_bits_from(&bits, first)
            }
            _ => Bitset::from_fn(self.len(), |at| {
                self.get(at).is_some_and(|n| set.binary_search(&n).is_ok())
            }),
        }
    }

    /// The slots whose value less `first` is the number of a set bit.
    fn in_bits_from(&self, set: &Bitset, first: i64) -> Bitset {
        // A number before `first` wraps to one that no set reaches.
        let has = |n: i64| codes::bit(set, n.wrapping_sub(first).cast_unsigned());
        let has = |n: i64| n >= first && has(n);
        narrow!(self, base, codes => codes::in_bits(codes, *base, set, first),
            Self::Constant { value, len } => match value {
                Some(value) if has(*value) => Bitset::full(*len),
                _ => Bitset::new(*len),
            },
            Self::I64 { values, missing } => {
                let mut hits = lanes::mask(values, has);
                if let Some(missing) = missing {
                    hits.and_not(missing);
                }
                hits
            },
        )
    }

    /// The slots without a value.
    pub(crate) fn missing(&self) -> Bitset {
        narrow!(self, _base, codes => codes::missing(codes),
            Self::Constant { value: Some(_), len } => Bitset::new(*len),
            Self::Constant { value: None, len } => Bitset::full(*len),
            Self::I64 { values, missing } => {
                missing.clone().unwrap_or_else(|| Bitset::new(values.len()))
            },
        )
    }

    /// The exact sum of the selected values, and how many there are, missing left out.
    pub(crate) fn sum(&self, selection: &Bitset) -> (i128, u64) {
        narrow!(self, base, codes => {
                let (sum, count) = codes::sum(codes, selection);
                (i128::from(sum) + i128::from(*base) * i128::from(count), count)
            },
            Self::Constant { value, .. } => value.map_or((0, 0), |value| {
                let count = selection.count() as u64;
                (i128::from(value) * i128::from(count), count)
            }),
            Self::I64 { values, missing } => sum_wide(values, missing.as_ref(), selection),
        )
    }

    /// The smallest and the largest of the selected values.
    pub(crate) fn min_max(&self, selection: &Bitset) -> Option<(i64, i64)> {
        narrow!(self, base, codes => {
                let (min, max) = codes::min_max(codes, selection)?;
                Some((base.wrapping_add_unsigned(min), base.wrapping_add_unsigned(max)))
            },
            Self::Constant { value, .. } => {
                value.filter(|_| !selection.none()).map(|value| (value, value))
            },
            Self::I64 { values, missing } => {
                let mut range = None;
                for (chunk, word, index) in lanes::runs(values, selection) {
                    let word = word & !missing.as_ref().map_or(0, |m| m.words()[index]);
                    for at in lanes::ones(word) {
                        let n = chunk[at];
                        let (min, max) = range.unwrap_or((n, n));
                        range = Some((n.min(min), n.max(max)));
                    }
                }
                range
            },
        )
    }
}

/// Adds halves of 32 bits, of which 64 cannot overflow; the sign bit is turned so that both
/// halves are without sign.
fn sum_wide(values: &[i64], missing: Option<&Bitset>, selection: &Bitset) -> (i128, u64) {
    const TURN: u64 = 1 << 63;
    let (mut sum, mut count) = (0_i128, 0_u64);
    for (chunk, word, index) in lanes::runs(values, selection) {
        let word = word & !missing.map_or(0, |m| m.words()[index]);
        let (mut low, mut high) = (0_u64, 0_u64);
        if word.count_ones() > 8 {
            for (&n, on) in chunk.iter().zip(lanes::spread(word)) {
                let n = if on != 0 { n.cast_unsigned() ^ TURN } else { 0 };
                low += n & 0xffff_ffff;
                high += n >> 32;
            }
        } else {
            for at in lanes::ones(word) {
                let n = chunk[at].cast_unsigned() ^ TURN;
                low += n & 0xffff_ffff;
                high += n >> 32;
            }
        }
        let here = u64::from(word.count_ones());
        sum += (i128::from(high) << 32) + i128::from(low) - i128::from(TURN) * i128::from(here);
        count += here;
    }
    (sum, count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    const COMPARISONS: [Comparison; 5] = [
        Comparison::Equal,
        Comparison::Less,
        Comparison::LessEqual,
        Comparison::Greater,
        Comparison::GreaterEqual,
    ];

    /// Vectors of every form, with and without missing values, and odd lengths.
    fn vectors(len: std::ops::Range<usize>) -> impl Strategy<Value = Ints> {
        let base = prop_oneof![Just(0), Just(i64::MIN), -300i64..300, any::<i64>()];
        let width = prop_oneof![
            Just(0u64),
            Just(254),
            Just(255),
            Just(65_534),
            Just(1 << 33)
        ];
        (base, width, 0u8..3, len).prop_flat_map(|(base, width, gaps, len)| {
            let base = base.min(i64::MAX - width.cast_signed());
            let value = (0..=width).prop_map(move |n| base.wrapping_add_unsigned(n));
            let value = match gaps {
                0 => value.prop_map(Some).boxed(),
                _ => proptest::option::weighted(0.7, value).boxed(),
            };
            (vec(value, len), any::<bool>()).prop_map(|(values, wide)| {
                if wide {
                    Ints::from_options(values.into_iter())
                } else {
                    Ints::pack(&values)
                }
            })
        })
    }

    /// A number near the vector's values, or at an end.
    fn literal(ints: &Ints, pick: usize, near: i64) -> i64 {
        match pick % 5 {
            0 => i64::MIN,
            1 => i64::MAX,
            2 => near,
            _ => {
                let some = ints.iter().flatten().nth(pick % ints.len().max(1));
                some.unwrap_or(0).saturating_add(near % 2)
            }
        }
    }

    fn by_slot(ints: &Ints, test: impl Fn(i64) -> bool) -> Bitset {
        Bitset::from_fn(ints.len(), |at| ints.get(at).is_some_and(&test))
    }

    #[test]
    fn packing_takes_the_narrowest_form() {
        let pack =
            |values: &[i64]| Ints::pack(&values.iter().map(|&n| Some(n)).collect::<Vec<_>>());
        assert!(matches!(
            Ints::pack(&[]),
            Ints::Constant {
                value: None,
                len: 0
            }
        ));
        assert!(matches!(
            pack(&[7, 7]),
            Ints::Constant {
                value: Some(7),
                len: 2
            }
        ));
        assert!(matches!(
            Ints::pack(&[Some(7), None]),
            Ints::U8 { base: 7, .. }
        ));
        assert!(matches!(pack(&[-1, 253]), Ints::U8 { base: -1, .. }));
        assert!(matches!(pack(&[0, 255]), Ints::U16 { .. }));
        assert!(matches!(pack(&[0, 65_535]), Ints::U32 { .. }));
        assert!(matches!(pack(&[0, 1 << 32]), Ints::I64 { .. }));
        assert!(matches!(pack(&[i64::MIN, i64::MAX]), Ints::I64 { .. }));
    }

    proptest! {
        #[test]
        fn packing_keeps_values(values in vec(proptest::option::of(any::<i64>()), 0..5)) {
            prop_assert_eq!(Ints::pack(&values).iter().collect::<Vec<_>>(), values.clone());
            let small: Vec<_> = values.iter().map(|v| v.map(|n| n % 100_000)).collect();
            prop_assert_eq!(Ints::pack(&small).iter().collect::<Vec<_>>(), small);
        }

        #[test]
        fn comparisons_are_those_of_slots(
            ints in vectors(0..200), pick in any::<usize>(), near in -400i64..400,
        ) {
            let value = literal(&ints, pick, near);
            for comparison in COMPARISONS {
                let hits = ints.compare(comparison, value);
                prop_assert_eq!(hits, by_slot(&ints, |n| comparison.holds(n.cmp(&value))));
            }
            let high = literal(&ints, pick / 5, near + 3);
            let hits = ints.between(value, high);
            prop_assert_eq!(hits, by_slot(&ints, |n| value <= n && n <= high));
            prop_assert_eq!(
                ints.missing(),
                Bitset::from_fn(ints.len(), |at| ints.get(at).is_none())
            );
        }

        #[test]
        fn vectors_compare_slot_by_slot(
            (a, b) in (0usize..150).prop_flat_map(|len| {
                (vectors(len..len + 1), vectors(len..len + 1))
            }),
        ) {
            for (a, b) in [(&a, &b), (&a, &a)] {
                for comparison in COMPARISONS {
                    let naive = Bitset::from_fn(a.len(), |at| match (a.get(at), b.get(at)) {
                        (Some(a), Some(b)) => comparison.holds(a.cmp(&b)),
                        _ => false,
                    });
                    prop_assert_eq!(a.compare_with(comparison, b), naive);
                }
            }
        }

        #[test]
        fn sets_hold_their_numbers(
            ints in vectors(0..200),
            bits in vec(any::<bool>(), 0..400),
            runs in vec((0usize..70_000, 0usize..300), 0..4),
            mut set in vec(any::<i64>(), 0..4),
        ) {
            let long = runs.iter().map(|(at, len)| at + len).max().unwrap_or(0);
            let mut in_runs = Bitset::new(long);
            for &(at, len) in &runs {
                (at..at + len).for_each(|at| in_runs.set(at, true));
            }
            let mixed = Bitset::from_fn(bits.len(), |at| bits[at]);
            for bits in [mixed, in_runs] {
                let has = |n| usize::try_from(n).is_ok_and(|n| bits.get(n));
                prop_assert_eq!(ints.in_bits(&bits), by_slot(&ints, has));
            }
            set.extend(ints.iter().flatten().step_by(3));
            set.sort_unstable();
            prop_assert_eq!(ints.in_set(&set), by_slot(&ints, |n| set.contains(&n)));
        }

        #[test]
        fn sums_and_ranges_are_those_of_slots(
            ints in vectors(0..200), words in vec(any::<u64>(), 4), dense in any::<bool>(),
        ) {
            let mut selection = Bitset::from_words(words, ints.len());
            if dense {
                selection.or(&Bitset::from_fn(ints.len(), |at| at % 7 != 3 || at < 64));
            }
            let chosen: Vec<i64> = selection.ones().filter_map(|at| ints.get(at)).collect();
            let sum = chosen.iter().map(|&n| i128::from(n)).sum();
            prop_assert_eq!(ints.sum(&selection), (sum, chosen.len() as u64));
            let range = chosen.iter().min().copied().zip(chosen.iter().max().copied());
            prop_assert_eq!(ints.min_max(&selection), range);
        }
    }
}
