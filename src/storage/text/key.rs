//! Keys of the text index: object, word and chunk in one string of bytes, ordered as they are.

use crate::error::Result;
use crate::storage::fault::corrupt;
use crate::storage::key::after;
use crate::value::ObjectId;
use std::ops::Bound;

/// Ends a word; no word has it.
const END: u8 = 0;

/// Stands before the vocabulary's words; no word begins with it.
const VOCABULARY: u8 = 1;

/// A range of keys.
pub(super) type Keys = (Vec<u8>, Option<Vec<u8>>);

/// All keys that start so.
pub(super) fn starting(prefix: Vec<u8>) -> Keys {
    let high = after(&prefix);
    (prefix, high)
}

pub(super) fn bounds(keys: &Keys) -> (Bound<&[u8]>, Bound<&[u8]>) {
    let high = keys.1.as_deref();
    (
        Bound::Included(&keys.0),
        high.map_or(Bound::Unbounded, Bound::Excluded),
    )
}

/// What all keys of an object start with.
pub(in crate::storage) fn object(object: ObjectId) -> Vec<u8> {
    let mut key = Vec::with_capacity(24);
    put_number(&mut key, object.0);
    key
}

/// What the keys of a word's blocks start with; of all words that begin so, if it is not whole.
pub(super) fn word(of: ObjectId, word: &str, whole: bool) -> Vec<u8> {
    let mut key = object(of);
    key.extend(word.as_bytes());
    if whole {
        key.push(END);
    }
    key
}

/// The key of a block of postings.
pub(super) fn block(of: ObjectId, text: &str, chunk: u32) -> Vec<u8> {
    let mut key = word(of, text, true);
    put_number(&mut key, chunk);
    key
}

/// The keys of an object's blocks.
pub(super) fn blocks(of: ObjectId) -> Keys {
    let (mut low, high) = starting(object(of));
    low.push(VOCABULARY + 1);
    (low, high)
}

/// The keys of an object's vocabulary.
pub(super) fn known(of: ObjectId) -> Keys {
    let mut key = object(of);
    key.push(VOCABULARY);
    starting(key)
}

/// What the keys of the vocabulary's words of so many letters start with.
pub(super) fn letters(of: ObjectId, letters: usize) -> Vec<u8> {
    let mut key = object(of);
    key.push(VOCABULARY);
    key.push(u8::try_from(letters).unwrap_or(u8::MAX));
    key
}

/// The key of a word of the vocabulary.
pub(super) fn vocabulary(of: ObjectId, word: &str, count: usize) -> Vec<u8> {
    let mut key = letters(of, count);
    key.extend(word.as_bytes());
    key
}

/// The object of any key.
pub(in crate::storage) fn object_of(key: &[u8]) -> Result<ObjectId> {
    number(key).map(|(object, _)| ObjectId(object))
}

/// The word and the chunk of a block's key.
pub(in crate::storage) fn word_and_chunk(key: &[u8]) -> Result<(&str, u32)> {
    let (_, rest) = number(key)?;
    let end = rest.iter().position(|&byte| byte == END).ok_or_else(bad)?;
    let (chunk, rest) = number(&rest[end + 1..]).map(|(chunk, rest)| (chunk, rest.len()))?;
    if rest > 0 {
        return Err(bad());
    }
    let (_, word) = number(key)?;
    Ok((text(&word[..end])?, chunk))
}

/// The word of a key of the vocabulary.
pub(in crate::storage) fn vocabulary_word(key: &[u8]) -> Result<&str> {
    let (_, rest) = number(key)?;
    text(rest.get(2..).ok_or_else(bad)?)
}

fn text(bytes: &[u8]) -> Result<&str> {
    str::from_utf8(bytes).map_err(|_| bad())
}

fn bad() -> crate::error::Error {
    corrupt("a key of the text index cannot be read")
}

/// One byte below 2^7, two below 2^14, else five.
fn put_number(key: &mut Vec<u8>, n: u32) {
    match n {
        0..0x80 => key.push(n.to_be_bytes()[3]),
        0x80..0x4000 => key.extend(&(n | 0x8000).to_be_bytes()[2..]),
        _ => {
            key.push(0xFF);
            key.extend(n.to_be_bytes());
        }
    }
}

/// A number in the only form it has: another form would stand out of its order.
fn number(bytes: &[u8]) -> Result<(u32, &[u8])> {
    let (n, least, rest) = match *bytes {
        [a @ 0..0x80, ref rest @ ..] => (u32::from(a), 0, rest),
        [a @ 0x80..0xC0, b, ref rest @ ..] => (u32::from(a & 0x3F) << 8 | u32::from(b), 0x80, rest),
        [0xFF, a, b, c, d, ref rest @ ..] => (u32::from_be_bytes([a, b, c, d]), 0x4000, rest),
        _ => return Err(bad()),
    };
    if n < least {
        return Err(bad());
    }
    Ok((n, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_are_ordered_and_come_back(
            a in (any::<u32>().prop_map(|n| n >> (n % 32)), "[a-c]{1,3}", any::<u16>()),
            b in (any::<u32>().prop_map(|n| n >> (n % 32)), "[a-c]{1,3}", any::<u16>()),
        ) {
            let key = |(object, word, chunk): &(u32, String, u16)| {
                block(ObjectId(*object), word, u32::from(*chunk))
            };
            prop_assert_eq!(key(&a).cmp(&key(&b)), a.cmp(&b));
            let back = key(&a);
            prop_assert_eq!(object_of(&back).unwrap(), ObjectId(a.0));
            prop_assert_eq!(word_and_chunk(&back).unwrap(), (a.1.as_str(), u32::from(a.2)));
            let known = vocabulary(ObjectId(a.0), &a.1, 3);
            prop_assert_eq!(vocabulary_word(&known).unwrap(), &a.1);
        }

        #[test]
        fn a_number_has_one_form(bytes in prop::collection::vec(any::<u8>(), 0..6)) {
            if let Ok((n, rest)) = number(&bytes) {
                let mut back = Vec::new();
                put_number(&mut back, n);
                back.extend(rest);
                prop_assert_eq!(back, bytes);
            }
        }

        #[test]
        fn damaged_keys_are_errors(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            let _ = (object_of(&bytes), word_and_chunk(&bytes), vocabulary_word(&bytes));
        }
    }
}
