//! A set of slots, one bit each.

/// A fixed number of bits; bits past `len` in the last word are always zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bitset {
    words: Vec<u64>,
    len: usize,
}

impl Bitset {
    /// `len` bits, all clear.
    pub(crate) fn new(len: usize) -> Self {
        Self {
            words: vec![0; len.div_ceil(64)],
            len,
        }
    }

    /// `len` bits, all set.
    pub(crate) fn full(len: usize) -> Self {
        let mut bits = Self {
            words: vec![u64::MAX; len.div_ceil(64)],
            len,
        };
        bits.clear_tail();
        bits
    }

    /// Set at these places alone, and as long as the last one needs.
    pub(crate) fn of(places: impl Iterator<Item = usize> + Clone) -> Self {
        let mut bits = Self::new(places.clone().max().map_or(0, |last| last + 1));
        places.for_each(|place| bits.set(place, true));
        bits
    }

    /// The bits for which `test` holds, asked in order.
    pub(crate) fn from_fn(len: usize, mut test: impl FnMut(usize) -> bool) -> Self {
        let mut bits = Self::new(len);
        for (index, word) in bits.words.iter_mut().enumerate() {
            for bit in 0..64.min(len - index * 64) {
                *word |= u64::from(test(index * 64 + bit)) << bit;
            }
        }
        bits
    }

    pub(crate) fn from_words(words: Vec<u64>, len: usize) -> Self {
        let mut bits = Self { words, len };
        bits.words.resize(len.div_ceil(64), 0);
        bits.clear_tail();
        bits
    }

    fn clear_tail(&mut self) {
        if let Some(last) = self
            .words
            .last_mut()
            .filter(|_| !self.len.is_multiple_of(64))
        {
            *last &= (1 << (self.len % 64)) - 1;
        }
    }

    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether bit `at` is set; bits past the end are clear.
    pub(crate) fn get(&self, at: usize) -> bool {
        at < self.len && self.words[at / 64] >> (at % 64) & 1 == 1
    }

    pub(crate) fn set(&mut self, at: usize, on: bool) {
        let mask = 1 << (at % 64);
        if on {
            self.words[at / 64] |= mask;
        } else {
            self.words[at / 64] &= !mask;
        }
    }

    /// Makes room for `len` bits; new ones are clear.
    pub(crate) fn resize(&mut self, len: usize) {
        self.words.resize(len.div_ceil(64), 0);
        self.len = len;
        self.clear_tail();
    }

    pub(crate) fn count(&self) -> usize {
        self.words
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    pub(crate) fn none(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    pub(crate) fn all(&self) -> bool {
        self.count() == self.len
    }

    pub(crate) fn and(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    pub(crate) fn or(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// Clears the bits that are set in `other`.
    pub(crate) fn and_not(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }

    pub(crate) fn not(&mut self) {
        for word in &mut self.words {
            *word = !*word;
        }
        self.clear_tail();
    }

    /// The set bits in order.
    pub(crate) fn ones(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(index, &word)| {
            std::iter::successors((word != 0).then_some(word), |&rest| {
                let rest = rest & (rest - 1);
                (rest != 0).then_some(rest)
            })
            .map(move |rest| index * 64 + rest.trailing_zeros() as usize)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn operations_are_those_of_bits(
            pairs in vec(any::<(bool, bool)>(), 0..200), longer in 0usize..100,
        ) {
            let len = pairs.len();
            let a = Bitset::from_fn(len, |at| pairs[at].0);
            let b = Bitset::from_fn(len, |at| pairs[at].1);
            let apply = |change: &dyn Fn(&mut Bitset)| {
                let mut a = a.clone();
                change(&mut a);
                a
            };
            let naive = |test: &dyn Fn(bool, bool) -> bool| {
                Bitset::from_fn(len, |at| test(pairs[at].0, pairs[at].1))
            };
            prop_assert_eq!(apply(&|a| a.and(&b)), naive(&|a, b| a && b));
            prop_assert_eq!(apply(&|a| a.or(&b)), naive(&|a, b| a || b));
            prop_assert_eq!(apply(&|a| a.and_not(&b)), naive(&|a, b| a && !b));
            prop_assert_eq!(apply(&|a| a.not()), naive(&|a, _| !a));
            prop_assert_eq!(a.count(), pairs.iter().filter(|pair| pair.0).count());
            prop_assert_eq!(a.all(), pairs.iter().all(|pair| pair.0));
            prop_assert_eq!(a.none(), !pairs.iter().any(|pair| pair.0));
            let ones: Vec<_> = (0..len).filter(|&at| pairs[at].0).collect();
            prop_assert_eq!(a.ones().collect::<Vec<_>>(), ones);
            prop_assert_eq!(Bitset::from_words(vec![u64::MAX; 9], len), Bitset::full(len));
            let mut resized = a.clone();
            resized.resize(len + longer);
            prop_assert_eq!(resized.count(), a.count());
            resized.resize(len);
            prop_assert_eq!(resized, a);
        }
    }
}
