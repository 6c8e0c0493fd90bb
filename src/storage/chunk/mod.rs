//! Column chunks and journal blocks in bytes: vectors to parts and back.
//!
//! Every part starts with the number of its encoding and its number of slots. The smallest
//! encoding wins; a part that holds no value is not stored and reads as missing.

mod bits;
mod ints;
mod patch;
mod texts;

use super::codec::Reader;
use super::fault::corrupt;
use crate::column::{Bits, Bitset, Floats, Ints, Tags, Texts, Vector};
use crate::error::Result;
use crate::value::{LabelCode, Shape};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) use patch::{patch, resize};

/// The numbers of the encodings, for ever.
pub(super) mod code {
    pub(crate) const CONSTANT_INT: u8 = 1;
    pub(crate) const INTS_8: u8 = 2;
    pub(crate) const INTS_16: u8 = 3;
    pub(crate) const INTS_32: u8 = 4;
    pub(crate) const INTS_64: u8 = 5;
    pub(crate) const CONSTANT_FLOAT: u8 = 6;
    pub(crate) const FLOATS: u8 = 7;
    pub(crate) const CONSTANT_BITS: u8 = 8;
    pub(crate) const BITS: u8 = 9;
    pub(crate) const CONSTANT_TEXT: u8 = 10;
    pub(crate) const DICTIONARY: u8 = 11;
    pub(crate) const PLAIN_TEXT: u8 = 12;
}

/// The most bytes of text in one stored value: what fits eight pages of the file. A longer chunk
/// of text goes on in the next part.
pub(super) const PIECE_BYTES: usize = 32_700;

/// Where the parts of a chunk come from.
pub(super) trait Parts {
    /// What `read` makes of a part's bytes; nothing if the part is not stored.
    fn read<T>(&self, part: u32, read: impl FnOnce(&[u8]) -> Result<T>) -> Result<Option<T>>;
}

impl Parts for BTreeMap<u32, &[u8]> {
    fn read<T>(&self, part: u32, read: impl FnOnce(&[u8]) -> Result<T>) -> Result<Option<T>> {
        self.get(&part).map(|bytes| read(bytes)).transpose()
    }
}

/// The parts of a vector that hold a value, in the smallest encodings.
pub(super) fn encode(vector: &Vector) -> Vec<(u32, Vec<u8>)> {
    let one = |bytes: Option<Vec<u8>>| bytes.map(|b| (0, b)).into_iter().collect();
    match vector {
        Vector::Bits(bits) => one(bits::encode(bits)),
        Vector::Ints(ints) => one(ints::encode(ints)),
        Vector::Floats(floats) => one(encode_floats(floats)),
        Vector::Texts(texts) => texts::encode(texts)
            .map(|bytes| {
                let pieces = bytes.chunks(PIECE_BYTES).map(<[u8]>::to_vec);
                (0_u32..).zip(pieces).collect()
            })
            .unwrap_or_default(),
        Vector::Pair(a, b) => {
            let parts = [(0, ints::encode(a)), (1, ints::encode(b))];
            parts
                .into_iter()
                .filter_map(|(part, bytes)| Some((part, bytes?)))
                .collect()
        }
        Vector::Tags(tags) => {
            let sets = tags.sets.iter().filter(|(_, set)| !set.none());
            sets.filter_map(|(code, set)| {
                let bits = Bits {
                    data: set.clone(),
                    missing: None,
                };
                Some((code.0, bits::encode(&bits)?))
            })
            .collect()
        }
        // Lists are in results alone.
        Vector::Lists(_) => Vec::new(),
    }
}

/// The reverse of [`encode`], for `len` slots. `labels` are the tags in use.
pub(super) fn decode(
    shape: Shape,
    len: usize,
    labels: &[LabelCode],
    parts: &impl Parts,
) -> Result<Vector> {
    Ok(resize(decode_stored(shape, len, labels, parts)?, len))
}

/// The same, of as many slots as are stored, at most `len`.
pub(super) fn decode_stored(
    shape: Shape,
    len: usize,
    labels: &[LabelCode],
    parts: &impl Parts,
) -> Result<Vector> {
    let ints = |bytes: &[u8]| ints::decode(bytes, len);
    let vector = match shape {
        Shape::Bits => parts.read(0, |b| bits::decode(b, len))?.map(Vector::Bits),
        Shape::Ints => parts.read(0, ints)?.map(Vector::Ints),
        Shape::Floats => parts
            .read(0, |b| decode_floats(b, len))?
            .map(Vector::Floats),
        Shape::Texts | Shape::RowOnly => decode_texts(parts, len)?.map(Vector::Texts),
        Shape::Pair => match (parts.read(0, ints)?, parts.read(1, ints)?) {
            (Some(a), Some(b)) if a.len() == b.len() => Some(Vector::Pair(a, b)),
            (None, None) => None,
            _ => return Err(corrupt("the two parts of a column do not fit")),
        },
        Shape::Tags => {
            let mut sets = BTreeMap::new();
            for &label in labels {
                if let Some(bits) = parts.read(label.0, |b| bits::decode(b, len))? {
                    sets.insert(label, bits.data);
                }
            }
            let len = sets.values().map(Bitset::len).max().unwrap_or(0);
            sets.values_mut().for_each(|set| set.resize(len));
            Some(Vector::Tags(Tags { sets, len }))
        }
    };
    Ok(vector.unwrap_or_else(|| Vector::missing(shape, 0)))
}

fn decode_texts(parts: &impl Parts, len: usize) -> Result<Option<Texts>> {
    let first = parts.read(0, |bytes| {
        if bytes.len() < PIECE_BYTES {
            texts::decode(bytes, len).map(Ok)
        } else {
            Ok(Err(bytes.to_vec()))
        }
    })?;
    let mut bytes = match first {
        None => return Ok(None),
        Some(Ok(texts)) => return Ok(Some(texts)),
        Some(Err(bytes)) => bytes,
    };
    let mut part = 1;
    let append = |all: &mut Vec<u8>, part| {
        parts.read(part, |bytes| {
            all.extend_from_slice(bytes);
            Ok(bytes.len())
        })
    };
    while append(&mut bytes, part)?.is_some_and(|len| len >= PIECE_BYTES) {
        part += 1;
    }
    texts::decode(&bytes, len).map(Some)
}

fn encode_floats(floats: &Floats) -> Option<Vec<u8>> {
    let first = floats.iter().find_map(|value| value)?;
    let constant = floats
        .iter()
        .all(|value| value.is_some_and(|n| n.to_bits() == first.to_bits()));
    let mut out = header(
        if constant {
            code::CONSTANT_FLOAT
        } else {
            code::FLOATS
        },
        floats.len(),
    );
    if constant {
        out.extend(first.to_le_bytes());
    } else {
        for value in floats.iter() {
            out.extend(value.unwrap_or(f64::NAN).to_le_bytes());
        }
    }
    Some(out)
}

fn decode_floats(bytes: &[u8], limit: usize) -> Result<Floats> {
    let (code, len, mut reader) = open(bytes, limit)?;
    let floats = match code {
        code::CONSTANT_FLOAT => Floats::Constant {
            value: Some(f64::from_le_bytes(word(&mut reader)?)).filter(|n| !n.is_nan()),
            len,
        },
        code::FLOATS => Floats::Values(Arc::new(words(&mut reader, len, f64::from_le_bytes)?)),
        _ => return Err(unknown(code)),
    };
    reader.end()?;
    Ok(floats)
}

/// An encoding's number and its slots, as every part starts.
fn header(code: u8, len: usize) -> Vec<u8> {
    let mut out = super::codec::Writer::default();
    out.put(code);
    out.put(len as u64);
    out.bytes
}

/// The encoding, the number of slots and the rest of a part of at most `limit` slots.
fn open(bytes: &[u8], limit: usize) -> Result<(u8, usize, Reader<'_>)> {
    let mut reader = Reader::new("a column chunk", bytes);
    let code = reader.get()?;
    let len: u64 = reader.get()?;
    match usize::try_from(len) {
        Ok(len) if len <= limit => Ok((code, len, reader)),
        _ => Err(corrupt("a column chunk is longer than its object")),
    }
}

fn unknown(code: u8) -> crate::error::Error {
    corrupt(format!("a column chunk has the unknown encoding {code}"))
}

fn word<const N: usize>(reader: &mut Reader<'_>) -> Result<[u8; N]> {
    let bytes = reader.take(N)?;
    bytes.try_into().map_err(|_| reader.fault())
}

fn words<const N: usize, T>(
    reader: &mut Reader<'_>,
    len: usize,
    make: impl Fn([u8; N]) -> T,
) -> Result<Vec<T>> {
    let bytes = len.checked_mul(N).ok_or_else(|| reader.fault())?;
    let (words, _) = reader.take(bytes)?.as_chunks();
    Ok(words.iter().map(|word| make(*word)).collect())
}

fn put_set(out: &mut Vec<u8>, set: &Bitset) {
    for word in set.words() {
        out.extend(word.to_le_bytes());
    }
}

fn get_set(reader: &mut Reader<'_>, len: usize) -> Result<Bitset> {
    let words = words(reader, len.div_ceil(64), u64::from_le_bytes)?;
    Ok(Bitset::from_words(words, len))
}

fn missing_ints(len: usize) -> Ints {
    Ints::Constant { value: None, len }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::CHUNK_RECORDS;
    use crate::error::Code;
    use crate::storage::model;
    use crate::value::{FieldType, Value};
    use proptest::prelude::*;

    fn round_trip(shape: Shape, vector: &Vector, len: usize) -> Result<Vector> {
        let parts = encode(vector);
        let labels: Vec<_> = parts.iter().map(|(part, _)| LabelCode(*part)).collect();
        let parts: BTreeMap<u32, &[u8]> = parts.iter().map(|(p, b)| (*p, &b[..])).collect();
        decode(shape, len, &labels, &parts)
    }

    fn ints(values: &[Option<i64>]) -> (u8, usize) {
        let values = values.iter().copied().cycle().take(CHUNK_RECORDS);
        let values: Vec<_> = values.collect();
        let parts = encode(&Vector::Ints(Ints::from_options(values.into_iter())));
        (parts[0].1[0], parts[0].1.len())
    }

    #[test]
    fn the_smallest_encoding_of_integers_wins() {
        assert_eq!(ints(&[Some(1 << 40)]).0, code::CONSTANT_INT);
        assert_eq!(ints(&[Some(7), None]).0, code::INTS_8);
        assert_eq!(ints(&[Some(7), Some(7 + 254)]).0, code::INTS_8);
        assert_eq!(ints(&[Some(7), Some(7 + 255)]).0, code::INTS_16);
        assert_eq!(ints(&[Some(-5), Some(-5 + 65_534)]).0, code::INTS_16);
        assert_eq!(ints(&[Some(-5), Some(-5 + 65_535)]).0, code::INTS_32);
        assert_eq!(ints(&[Some(0), Some(0xFFFF_FFFF)]).0, code::INTS_64);
        assert_eq!(
            ints(&[Some(i64::MIN), Some(i64::MAX), None]).0,
            code::INTS_64
        );
    }

    #[test]
    fn chunks_fit_the_pages_they_were_sized_for() {
        assert!(ints(&[Some(i64::MAX - 9), Some(i64::MAX)]).1 <= 4_072);
        assert!(ints(&[Some(0), Some(60_000)]).1 <= 2 * 4_096 - 24);
        assert!(ints(&[Some(0), Some(i64::MAX), None]).1 <= PIECE_BYTES);
        assert!(encode(&Vector::Ints(Ints::from_options([None].into_iter()))).is_empty());
    }

    #[test]
    fn the_smallest_encoding_of_text_wins() {
        let first = |texts: &[&str]| {
            let texts: Vec<_> = texts.iter().copied().cycle().take(600).map(Some).collect();
            encode(&Vector::Texts(Texts::from_options(texts.into_iter())))[0].1[0]
        };
        assert_eq!(first(&["a"]), code::CONSTANT_TEXT);
        assert_eq!(first(&["finance", "retail"]), code::DICTIONARY);
        let distinct: Vec<String> = (0..600).map(|n| format!("name {n}")).collect();
        let distinct: Vec<&str> = distinct.iter().map(String::as_str).collect();
        assert_eq!(first(&distinct), code::PLAIN_TEXT);
    }

    #[test]
    fn long_text_goes_on_in_further_parts() {
        for len in [PIECE_BYTES - 12, PIECE_BYTES, 3 * PIECE_BYTES + 5] {
            let texts = [Some("x".repeat(len)), None, Some("y".repeat(len))];
            let texts = Texts::from_options(texts.iter().map(Option::as_deref));
            let back = round_trip(Shape::Texts, &Vector::Texts(texts.clone()), 3).unwrap();
            let Vector::Texts(back) = back else { panic!() };
            assert!(back.iter().eq(texts.iter()));
        }
    }

    fn any_ints() -> impl Strategy<Value = Vec<Value>> {
        let base = prop_oneof![
            Just(i64::MIN),
            Just(0),
            Just(i64::MAX - 70_000),
            any::<i64>()
        ];
        let width = prop::sample::select(vec![1_i64, 200, 60_000, 1 << 31, i64::MAX]);
        (base, width).prop_flat_map(|(base, width)| {
            let value = prop_oneof![
                1 => Just(Value::Missing),
                4 => (0..width).prop_map(move |n| Value::Integer(base.saturating_add(n))),
            ];
            prop::collection::vec(value, 0..200)
        })
    }

    fn any_values(ty: &FieldType) -> BoxedStrategy<Vec<Value>> {
        prop::collection::vec(model::value(ty), 0..100).boxed()
    }

    proptest! {
        #[test]
        fn integers_come_back(values in any_ints()) {
            let vector = Vector::from_values(Shape::Ints, &values);
            let back = round_trip(Shape::Ints, &vector, values.len() + 3).unwrap();
            for at in 0..values.len() + 3 {
                let value = values.get(at).unwrap_or(&Value::Missing);
                prop_assert_eq!(&back.value(&FieldType::Integer, at), value);
            }
        }

        #[test]
        fn values_come_back(
            all in model::types().iter().map(any_values).collect::<Vec<_>>(),
            more in model::types().iter().map(any_values).collect::<Vec<_>>(),
        ) {
            for ((ty, values), more) in model::types().iter().zip(&all).zip(&more) {
                let shape = ty.shape();
                if shape == Shape::RowOnly {
                    continue;
                }
                let vector = Vector::from_values(shape, values);
                let back = round_trip(shape, &vector, values.len()).unwrap();
                for (at, value) in values.iter().enumerate() {
                    prop_assert_eq!(&back.value(ty, at), value);
                }
                // Patched in every other slot, and stored again.
                let changes: Vec<_> = more.iter().enumerate()
                    .map(|(at, value)| (2 * at, value))
                    .filter(|(at, _)| *at < values.len())
                    .collect();
                let patched = patch(back, &changes);
                let back = round_trip(shape, &patched, values.len()).unwrap();
                for (at, value) in values.iter().enumerate() {
                    let changed = changes.iter().find(|(slot, _)| *slot == at);
                    prop_assert_eq!(&back.value(ty, at), changed.map_or(value, |(_, v)| v));
                }
            }
        }

        #[test]
        fn damaged_chunks_are_errors_or_chunks(
            all in model::types().iter().map(any_values).collect::<Vec<_>>(),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            cut in any::<bool>(),
        ) {
            for (ty, values) in model::types().iter().zip(&all) {
                let mut parts = encode(&Vector::from_values(ty.shape(), values));
                for (_, bytes) in &mut parts {
                    let at = at.index(bytes.len());
                    bytes[at] = byte;
                    bytes.truncate(if cut { at } else { usize::MAX });
                }
                let labels: Vec<_> = parts.iter().map(|(part, _)| LabelCode(*part)).collect();
                let parts: BTreeMap<u32, &[u8]> = parts.iter().map(|(p, b)| (*p, &b[..])).collect();
                match decode(ty.shape(), values.len(), &labels, &parts) {
                    Ok(vector) => (0..vector.len()).for_each(|at| drop(vector.value(ty, at))),
                    Err(error) => prop_assert_eq!(error.code(), Code::Corrupt),
                }
            }
        }
    }
}
