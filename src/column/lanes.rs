//! Loops over 64 values at a time, one word of a bitset, in forms the compiler vectorises.

use super::Bitset;

/// The slots whose value passes `test`, which should be a comparison without branches.
pub(super) fn mask<T: Copy>(values: &[T], test: impl Fn(T) -> bool) -> Bitset {
    let mut words = Vec::with_capacity(values.len().div_ceil(64));
    let (chunks, rest) = values.as_chunks::<64>();
    for chunk in chunks {
        words.push(word(&std::array::from_fn(|at| u8::from(test(chunk[at])))));
    }
    if !rest.is_empty() {
        let byte = |at: usize| rest.get(at).map_or(0, |&value| u8::from(test(value)));
        words.push(word(&std::array::from_fn(byte)));
    }
    Bitset::from_words(words, values.len())
}

/// The slots where `a` and `b`, of one length, pass `test` together.
pub(super) fn mask_pairs<T: Copy>(a: &[T; 64], b: &[T; 64], test: impl Fn(T, T) -> bool) -> u64 {
    word(&std::array::from_fn(|at| u8::from(test(a[at], b[at]))))
}

/// Packs 64 bytes of 0 or 1 into bits: each multiplication gathers eight in its top byte.
fn word(bytes: &[u8; 64]) -> u64 {
    let mut word = 0;
    for (at, eight) in bytes.as_chunks::<8>().0.iter().enumerate() {
        let bits = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        word |= bits << (at * 8);
    }
    word
}

/// The reverse of [`word`], with 255 for a set bit.
pub(super) fn spread(word: u64) -> [u8; 64] {
    let mut bytes = [0; 64];
    for (at, eight) in bytes.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let copies = (word >> (at * 8) & 0xff) * 0x0101_0101_0101_0101;
        let bits = copies & 0x8040_2010_0804_0201;
        // A set bit anywhere in a byte carries into its top bit.
        let ones = (((bits & !0x8080_8080_8080_8080) + 0x7f7f_7f7f_7f7f_7f7f) | bits) >> 7;
        *eight = ((ones & 0x0101_0101_0101_0101) * 255).to_le_bytes();
    }
    bytes
}

/// Calls `visit` with each run of up to 64 values, the word of `selection` over it, and where it
/// starts; runs without a selected slot are left out.
pub(super) fn runs<'a, T>(
    values: &'a [T],
    selection: &'a Bitset,
) -> impl Iterator<Item = (&'a [T], u64, usize)> {
    let words = selection.words().iter().enumerate();
    values
        .chunks(64)
        .zip(words)
        .filter(|(_, (_, word))| **word != 0)
        .map(|(chunk, (index, &word))| (chunk, word, index))
}

/// The numbers of the set bits of a word.
pub(crate) fn ones(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let at = (word != 0).then(|| word.trailing_zeros() as usize)?;
        word &= word - 1;
        Some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn words_and_bytes_are_the_same(bits in any::<u64>()) {
            let bytes = spread(bits);
            for (at, byte) in bytes.iter().enumerate() {
                prop_assert_eq!(*byte, if bits >> at & 1 == 1 { 255 } else { 0 });
            }
            prop_assert_eq!(word(&bytes.map(|byte| byte & 1)), bits);
            prop_assert_eq!(ones(bits).fold(0, |word, at| word | 1 << at), bits);
        }
    }
}
