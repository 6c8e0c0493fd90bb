//! Kernels over the small codes of narrow integer vectors.

use super::{Bitset, lanes};

/// Ranges of codes that are cheaper to compare with one by one than to look up.
const FEW_RANGES: usize = 4;

/// A stored code: the largest means missing, any other is `value - base`.
pub(super) trait Code: Copy + Ord + Default {
    const MISSING: Self;
    fn narrow(code: u64) -> Self;
    fn wide(self) -> u64;
    /// Whether `low <= self <= low + span`, in one comparison.
    fn within(self, low: Self, span: Self) -> bool;
    fn sum(run: &[Self; 64]) -> u64;
    /// The sum of the codes beside which `selected` is 255 and not 0.
    fn sum_selected(run: &[Self; 64], selected: &[u8; 64]) -> u64;
}

macro_rules! code {
    ($($int:ty, $signed:ty, $sum:ty;)*) => {$(
        impl Code for $int {
            const MISSING: Self = Self::MAX;

            fn narrow(code: u64) -> Self {
                Self::try_from(code).unwrap_or(Self::MAX)
            }

            fn wide(self) -> u64 {
                u64::from(self)
            }

            fn within(self, low: Self, span: Self) -> bool {
                self.wrapping_sub(low) <= span
            }

            fn sum(run: &[Self; 64]) -> u64 {
                u64::from(run.iter().map(|&code| <$sum>::from(code)).sum::<$sum>())
            }

            fn sum_selected(run: &[Self; 64], selected: &[u8; 64]) -> u64 {
                let mut sum: $sum = 0;
                for (&code, &on) in run.iter().zip(selected) {
                    let on = <$signed>::from(on.cast_signed()).cast_unsigned();
                    sum += <$sum>::from(code & on);
                }
                u64::from(sum)
            }
        }
    )*};
}
// 64 codes of one or two bytes add up in 32 bits.
code! {
    u8, i8, u32;
    u16, i16, u32;
    u32, i32, u64;
}

pub(super) fn load<T: Code>(codes: &[T], base: i64, out: &mut [i64; 64]) -> u64 {
    let mut padded = [T::MISSING; 64];
    let codes = codes.as_array().unwrap_or_else(|| {
        padded[..codes.len()].copy_from_slice(codes);
        &padded
    });
    for (out, code) in out.iter_mut().zip(codes) {
        *out = base.wrapping_add_unsigned(code.wide());
    }
    lanes::mask_pairs(codes, codes, |code, _| code != T::MISSING)
}

/// The codes of the values from `low` to `high`, if any code over `base` can be one.
pub(super) fn range(base: i64, low: i64, high: i64) -> Option<(u64, u64)> {
    (low <= high && high >= base).then(|| {
        let low = if low <= base { 0 } else { low.abs_diff(base) };
        (low, high.abs_diff(base))
    })
}

pub(super) fn missing<T: Code>(codes: &[T]) -> Bitset {
    lanes::mask(codes, |code| code == T::MISSING)
}

/// The slots whose code lies in one of the ranges, both ends included.
pub(super) fn in_ranges<T: Code>(codes: &[T], ranges: &[(u64, u64)]) -> Bitset {
    let mut hits: Option<Bitset> = None;
    for &(low, high) in ranges {
        let high = high.min(T::MISSING.wide() - 1);
        if low > high {
            continue;
        }
        let (low, span) = (T::narrow(low), T::narrow(high - low));
        let found = if span == T::default() {
            lanes::mask(codes, |code| code == low)
        } else {
            lanes::mask(codes, |code| code.within(low, span))
        };
        match &mut hits {
            Some(hits) => hits.or(&found),
            None => hits = Some(found),
        }
    }
    hits.unwrap_or_else(|| Bitset::new(codes.len()))
}

pub(super) fn bit(set: &Bitset, at: u64) -> bool {
    let word = usize::try_from(at / 64).ok();
    let word = word.and_then(|index| set.words().get(index));
    word.copied().unwrap_or(0) >> (at % 64) & 1 == 1
}

pub(super) fn in_bits<T: Code>(codes: &[T], base: i64, set: &Bitset, first: i64) -> Bitset {
    // Bit `code + shift` stands for a code; before the set's first bit there is none.
    let shift = i128::from(base) - i128::from(first);
    let (shift, skipped) = match u64::try_from(shift) {
        Ok(shift) => (shift, 0),
        Err(_) => (0, u64::try_from(-shift).unwrap_or(u64::MAX)),
    };
    let codes_end = T::MISSING.wide().saturating_sub(skipped);
    match ranges_of(set, shift, codes_end) {
        Some(mut ranges) => {
            for (low, high) in &mut ranges {
                (*low, *high) = (*low + skipped, *high + skipped);
            }
            in_ranges(codes, &ranges)
        }
        None => {
            // A code before the set's first bit wraps to one that no set reaches.
            let shift = shift.wrapping_sub(skipped);
            let has = |code: u64| bit(set, code.wrapping_add(shift));
            if T::MISSING.wide() == 255 {
                let table: [bool; 256] = std::array::from_fn(|code| code < 255 && has(code as u64));
                return lanes::mask(codes, |code| table[(code.wide() & 255) as usize]);
            }
            let mut hits = lanes::mask(codes, |code| has(code.wide()));
            if has(T::MISSING.wide()) {
                hits.and_not(&missing(codes));
            }
            hits
        }
    }
}

/// The runs of set bits from `shift` on, as ranges of `bit - shift` below `end`, if they are few.
fn ranges_of(set: &Bitset, shift: u64, end: u64) -> Option<Vec<(u64, u64)>> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    let stop = shift.saturating_add(end).min(set.len() as u64);
    let mut at = shift;
    while at < stop {
        // Whole words of one kind are passed at once.
        let word = set.words()[(at / 64) as usize] >> (at % 64);
        let zeros = u64::from(word.trailing_zeros()).min(64 - at % 64);
        if zeros > 0 {
            at += zeros;
            continue;
        }
        let ones = u64::from(word.trailing_ones())
            .min(64 - at % 64)
            .min(stop - at);
        let full = ranges.len() == FEW_RANGES;
        match ranges.last_mut() {
            Some((_, high)) if *high + 1 == at - shift => *high += ones,
            _ if full => return None,
            _ => ranges.push((at - shift, at - shift + ones - 1)),
        }
        at += ones;
    }
    Some(ranges)
}

/// The sum and the number of the selected codes that are not missing.
pub(super) fn sum<T: Code>(codes: &[T], selection: &Bitset) -> (u64, u64) {
    let largest = codes.iter().fold(T::default(), |max, &code| max.max(code));
    let mut present;
    let selection = if largest == T::MISSING {
        present = selection.clone();
        present.and_not(&missing(codes));
        &present
    } else {
        selection
    };
    let mut sum = 0;
    for (chunk, word, _) in lanes::runs(codes, selection) {
        sum += match (chunk.as_array::<64>(), word.count_ones()) {
            (Some(chunk), 64) => T::sum(chunk),
            (Some(chunk), 9..) => T::sum_selected(chunk, &lanes::spread(word)),
            _ => lanes::ones(word).map(|at| chunk[at].wide()).sum(),
        };
    }
    (sum, selection.count() as u64)
}

/// The smallest and the largest selected code that is not missing.
pub(super) fn min_max<T: Code>(codes: &[T], selection: &Bitset) -> Option<(u64, u64)> {
    let (mut min, mut max) = (T::MISSING, T::default());
    for (chunk, word, _) in lanes::runs(codes, selection) {
        let selected = lanes::spread(word);
        for (&code, on) in chunk.iter().zip(selected) {
            let on = (on != 0) & (code != T::MISSING);
            min = min.min(if on { code } else { T::MISSING });
            max = max.max(if on { code } else { T::default() });
        }
    }
    (min != T::MISSING).then(|| (min.wide(), max.wide()))
}
