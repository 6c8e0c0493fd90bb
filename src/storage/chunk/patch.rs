//! Changes laid over a decoded vector, keeping its small codes where they still fit.

use crate::column::{Bits, Bitset, Floats, Ints, Tags, TextBlock, Texts, Vector};
use crate::value::Value;
use std::borrow::Borrow;
use std::sync::Arc;

/// The vector with missing slots appended up to `len`.
pub(in crate::storage) fn resize(vector: Vector, len: usize) -> Vector {
    if vector.len() >= len {
        return vector;
    }
    match vector {
        Vector::Bits(Bits { mut data, missing }) => {
            let old = data.len();
            data.resize(len);
            let mut missing = missing.unwrap_or_else(|| Bitset::new(old));
            missing.resize(len);
            (old..len).for_each(|at| missing.set(at, true));
            Vector::Bits(Bits {
                data,
                missing: Some(missing),
            })
        }
        Vector::Ints(ints) => Vector::Ints(resize_ints(ints, len)),
        Vector::Pair(a, b) => Vector::Pair(resize_ints(a, len), resize_ints(b, len)),
        Vector::Floats(Floats::Values(mut values)) => {
            Arc::make_mut(&mut values).resize(len, f64::NAN);
            Vector::Floats(Floats::Values(values))
        }
        Vector::Floats(floats) => Vector::Floats(Floats::from_options(
            (0..len).map(|at| (at < floats.len()).then(|| floats.get(at)).flatten()),
        )),
        Vector::Texts(Texts::Dictionary { mut codes, entries }) => {
            Arc::make_mut(&mut codes).resize(len, u16::MAX);
            Vector::Texts(Texts::Dictionary { codes, entries })
        }
        Vector::Texts(texts) => Vector::Texts(Texts::from_options(
            (0..len).map(|at| (at < texts.len()).then(|| texts.get(at)).flatten()),
        )),
        Vector::Tags(Tags { mut sets, .. }) => {
            sets.values_mut().for_each(|set| set.resize(len));
            Vector::Tags(Tags { sets, len })
        }
        // Lists are in results alone.
        lists @ Vector::Lists(_) => lists,
    }
}

fn resize_ints(ints: Ints, len: usize) -> Ints {
    match ints {
        Ints::Constant { value: None, .. } => Ints::Constant { value: None, len },
        Ints::U8 { base, mut codes } => {
            Arc::make_mut(&mut codes).resize(len, u8::MAX);
            Ints::U8 { base, codes }
        }
        Ints::U16 { base, mut codes } => {
            Arc::make_mut(&mut codes).resize(len, u16::MAX);
            Ints::U16 { base, codes }
        }
        Ints::U32 { base, mut codes } => {
            Arc::make_mut(&mut codes).resize(len, u32::MAX);
            Ints::U32 { base, codes }
        }
        ints => {
            Ints::from_options((0..len).map(|at| (at < ints.len()).then(|| ints.get(at)).flatten()))
        }
    }
}

/// The vector with other values in some slots; the values have the vector's shape.
pub(in crate::storage) fn patch<V: Borrow<Value>>(
    vector: Vector,
    changes: &[(usize, V)],
) -> Vector {
    if changes.is_empty() {
        return vector;
    }
    match vector {
        Vector::Bits(Bits { mut data, missing }) => {
            let mut missing = missing.unwrap_or_else(|| Bitset::new(data.len()));
            for (at, value) in each(changes) {
                data.set(at, *value == Value::Boolean(true));
                missing.set(at, value.is_missing());
            }
            let missing = (!missing.none()).then_some(missing);
            Vector::Bits(Bits { data, missing })
        }
        Vector::Ints(ints) => Vector::Ints(patch_ints(ints, changes, Value::as_int)),
        Vector::Pair(a, b) => Vector::Pair(
            patch_ints(a, changes, |value| value.as_pair().map(|pair| pair.0)),
            patch_ints(b, changes, |value| value.as_pair().map(|pair| pair.1)),
        ),
        Vector::Floats(floats) => {
            let mut values: Vec<f64> = match floats {
                Floats::Values(values) => Arc::unwrap_or_clone(values),
                Floats::Constant { value, len } => vec![value.unwrap_or(f64::NAN); len],
            };
            for (at, value) in each(changes) {
                values[at] = match value {
                    Value::Number(n) => *n,
                    _ => f64::NAN,
                };
            }
            Vector::Floats(values.into_iter().collect())
        }
        Vector::Texts(texts) => Vector::Texts(patch_texts(texts, changes)),
        Vector::Tags(mut tags) => {
            for (at, value) in each(changes) {
                tags.sets.values_mut().for_each(|set| set.set(at, false));
                let Value::Tags(codes) = value else { continue };
                for &code in codes.iter() {
                    let set = tags.sets.entry(code);
                    set.or_insert_with(|| Bitset::new(tags.len)).set(at, true);
                }
            }
            Vector::Tags(tags)
        }
        lists @ Vector::Lists(_) => lists,
    }
}

fn each<V: Borrow<Value>>(changes: &[(usize, V)]) -> impl Iterator<Item = (usize, &Value)> {
    changes.iter().map(|(at, value)| (*at, value.borrow()))
}

fn patch_ints<V: Borrow<Value>>(
    mut ints: Ints,
    changes: &[(usize, V)],
    number: impl Fn(&Value) -> Option<i64>,
) -> Ints {
    /// The code of a value over a base, if it lies below the code for missing.
    fn code(base: i64, value: Option<i64>, missing: u64) -> Option<u64> {
        let Some(n) = value else {
            return Some(missing);
        };
        (n >= base)
            .then(|| n.abs_diff(base))
            .filter(|&code| code < missing)
    }
    macro_rules! in_place {
        ($base:expr, $codes:expr, $int:ty) => {{
            let fits = |(at, value): (usize, &Value)| {
                let code = code(*$base, number(value), u64::from(<$int>::MAX))?;
                Some((at, <$int>::try_from(code).ok()?))
            };
            let coded: Option<Vec<(usize, $int)>> = each(changes).map(fits).collect();
            if let Some(coded) = coded {
                let codes = Arc::make_mut($codes);
                coded.into_iter().for_each(|(at, code)| codes[at] = code);
                return ints;
            }
        }};
    }
    match &mut ints {
        Ints::U8 { base, codes } => in_place!(base, codes, u8),
        Ints::U16 { base, codes } => in_place!(base, codes, u16),
        Ints::U32 { base, codes } => in_place!(base, codes, u32),
        Ints::Constant { value, .. } => {
            if each(changes).all(|(_, changed)| number(changed) == *value) {
                return ints;
            }
        }
        Ints::I64 { values, missing } => {
            let known = each(changes).map(|(at, value)| Some((at, number(value)?)));
            if let Some(known) = known.collect::<Option<Vec<_>>>() {
                let values = Arc::make_mut(values);
                for (at, n) in known {
                    values[at] = n;
                    missing.iter_mut().for_each(|set| set.set(at, false));
                }
                return ints;
            }
        }
    }
    let mut values: Vec<Option<i64>> = ints.iter().collect();
    for (at, value) in each(changes) {
        values[at] = number(value);
    }
    Ints::pack(&values)
}

/// Beyond this many changes a dictionary is not searched for each.
const FEW: usize = 64;

fn patch_texts<V: Borrow<Value>>(texts: Texts, changes: &[(usize, V)]) -> Texts {
    let text = |value: &'_ Value| match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    };
    match texts {
        Texts::Dictionary {
            mut codes,
            mut entries,
        } if changes.len() <= FEW && entries.len() + FEW < usize::from(u16::MAX) => {
            let (all, known) = (Arc::make_mut(&mut codes), Arc::make_mut(&mut entries));
            for (at, value) in each(changes) {
                all[at] = text(value).map_or(u16::MAX, |text| entry(known, &text));
            }
            Texts::Dictionary { codes, entries }
        }
        texts => {
            let mut values: Vec<Option<&str>> = texts.iter().collect();
            for (at, value) in each(changes) {
                values[at] = match value {
                    Value::Text(text) => Some(text),
                    _ => None,
                };
            }
            Texts::from_options(values.into_iter())
        }
    }
}

fn entry(entries: &mut TextBlock, text: &str) -> u16 {
    let known = entries.iter().position(|entry| entry == text);
    let at = known.unwrap_or_else(|| {
        entries.push(text);
        entries.len() - 1
    });
    u16::try_from(at).unwrap_or(u16::MAX)
}
