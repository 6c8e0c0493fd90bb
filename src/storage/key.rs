//! Order-preserving keys: the order of their bytes is the order of the values.
//!
//! A key is the encodings of its fields one after the other. None is a proper prefix of another,
//! so a range over the first fields of a key is a range of bytes. By type:
//!
//! | value | bytes |
//! |---|---|
//! | missing | `ff`: after every value |
//! | any other | `01`, then as below, big-endian |
//! | boolean | one byte, 0 or 1 |
//! | integer, moment, duration | 8 bytes, sign bit flipped |
//! | number, percent | 8 bytes of the float, -0 as 0; all bits flipped if negative, else the sign |
//! | date | 4 bytes, sign bit flipped |
//! | money | 2 bytes of currency, then units as an integer |
//! | period | start and end as dates |
//! | label | 4 bytes |
//! | tags | each `01` and 4 bytes; then `00` |
//! | reference | 8 bytes |
//! | reference to any of several | 4 bytes of object, 8 bytes |
//! | text | its bytes with `00` written as `00 ff`; then `00 00`, or `00 01` if it was cut |
//!
//! Text is cut to the longest prefix of whole characters within 64 bytes. Texts that agree up to
//! there have equal keys; who needs more looks at the row.

use crate::error::{Code, Error, Result};
use crate::value::{FieldType, RecordId, Value, fold};

/// The most bytes of a text that a key holds.
pub(super) const TEXT_BYTES: usize = 64;

/// A record's number is below this in every index of references.
pub(super) const TARGET_LIMIT: u64 = 1 << 40;

/// A key being written.
pub(super) struct KeyWriter {
    pub(super) bytes: Vec<u8>,
    /// Whether a text was cut.
    pub(super) cut: bool,
    /// The most bytes of a text.
    limit: usize,
}

impl KeyWriter {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            cut: false,
            limit: TEXT_BYTES,
        }
    }

    /// A key behind other bytes.
    pub(super) fn after(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            ..Self::new()
        }
    }

    /// A key in which no text is cut: never stored, but ordered as the values are.
    pub(super) fn exact() -> Self {
        Self {
            limit: usize::MAX,
            ..Self::new()
        }
    }

    /// Appends the key of `value` for a field of type `ty`; text is folded first if asked.
    pub(super) fn put(&mut self, ty: &FieldType, value: &Value, folded: bool) -> Result<()> {
        let out = &mut self.bytes;
        if value.is_missing() {
            out.push(0xFF);
            return Ok(());
        }
        out.push(0x01);
        match (ty, value) {
            (FieldType::Number | FieldType::Percent, Value::Integer(n)) => {
                put_float(out, *n as f64)
            }
            (_, Value::Boolean(b)) => out.push(u8::from(*b)),
            (_, Value::Integer(n)) => put_int(out, *n),
            (_, Value::Number(n)) => put_float(out, *n),
            (_, Value::Money(m)) => {
                out.extend(m.currency().code().to_be_bytes());
                put_int(out, m.units());
            }
            (_, Value::Text(text)) if folded => self.put_text(&fold(text)),
            (_, Value::Text(text)) => self.put_text(text),
            (_, Value::Date(date)) => put_day(out, date.days()),
            (_, Value::DateTime(moment)) => put_int(out, moment.micros()),
            (_, Value::Period(period)) => {
                put_day(out, period.start().days());
                put_day(out, period.end().days());
            }
            (_, Value::Duration(length)) => put_int(out, length.seconds()),
            (_, Value::Label(code)) => out.extend(code.0.to_be_bytes()),
            (_, Value::Tags(codes)) => {
                for code in codes.iter() {
                    out.push(0x01);
                    out.extend(code.0.to_be_bytes());
                }
                out.push(0x00);
            }
            (_, Value::Reference(id)) => out.extend(id.0.to_be_bytes()),
            (_, Value::AnyReference(object, id)) => {
                out.extend(object.0.to_be_bytes());
                out.extend(id.0.to_be_bytes());
            }
            (_, Value::Missing | Value::Record(_) | Value::List(_) | Value::Nested(_)) => {
                return Err(Error::new(
                    Code::Internal,
                    format!("{value:?} cannot be part of a key"),
                ));
            }
        }
        Ok(())
    }

    fn put_text(&mut self, text: &str) {
        let kept = &text[..text.floor_char_boundary(self.limit)];
        self.cut |= kept.len() < text.len();
        for byte in kept.bytes() {
            self.bytes.push(byte);
            if byte == 0 {
                self.bytes.push(0xFF);
            }
        }
        self.bytes.extend([0x00, u8::from(kept.len() < text.len())]);
    }
}

fn put_int(out: &mut Vec<u8>, n: i64) {
    out.extend((n.cast_unsigned() ^ 1 << 63).to_be_bytes());
}

fn put_day(out: &mut Vec<u8>, n: i32) {
    out.extend((n.cast_unsigned() ^ 1 << 31).to_be_bytes());
}

fn put_float(out: &mut Vec<u8>, n: f64) {
    let bits = if n == 0.0 { 0 } else { n.to_bits() };
    let ordered = if bits >> 63 == 1 {
        !bits
    } else {
        bits | 1 << 63
    };
    out.extend(ordered.to_be_bytes());
}

/// The least bytes greater than every key that starts with `prefix`, if there are any.
pub(super) fn after(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte != 0xFF)?;
    let mut next = prefix[..=last].to_vec();
    next[last] += 1;
    Some(next)
}

/// The number under which an index of references holds a target: its id, or for a reference to
/// any of several objects its id and object in one; nothing if missing.
pub(super) fn target(value: &Value) -> Result<Option<u64>> {
    let (object, RecordId(id)) = match value {
        Value::Missing => return Ok(None),
        Value::Reference(id) => (0, *id),
        Value::AnyReference(object, id) => (object.0, *id),
        other => {
            return Err(Error::new(
                Code::Internal,
                format!("{other:?} is no reference"),
            ));
        }
    };
    if id >= TARGET_LIMIT || object >= 1 << 24 {
        return Err(Error::new(
            Code::Limit,
            format!("record #{id} of object {object} is beyond what an index can hold"),
        ));
    }
    Ok(Some(u64::from(object) << 40 | id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::model;
    use proptest::prelude::*;
    use std::cmp::Ordering;

    fn key(ty: &FieldType, values: &[&Value], mut writer: KeyWriter) -> Vec<u8> {
        for value in values {
            writer.put(ty, value, false).unwrap();
        }
        writer.bytes
    }

    #[test]
    fn keys_are_as_specified() {
        let text = |text: &str| key(&FieldType::Text, &[&Value::text(text)], KeyWriter::new());
        assert_eq!(text("a\0b"), b"\x01a\x00\xffb\x00\x00");
        let long = "x".repeat(63) + "\u{e9}";
        assert_eq!(
            text(&long),
            [b"\x01", "x".repeat(63).as_bytes(), b"\x00\x01"].concat()
        );
        let int = |n| key(&FieldType::Integer, &[&Value::Integer(n)], KeyWriter::new());
        assert_eq!(int(-1), [1, 0x7f, 255, 255, 255, 255, 255, 255, 255]);
        assert_eq!(
            key(&FieldType::Text, &[&Value::Missing], KeyWriter::new()),
            [0xff]
        );
    }

    #[test]
    fn after_skips_all_that_start_so() {
        assert_eq!(after(&[1, 2]), Some(vec![1, 3]));
        assert_eq!(after(&[1, 0xFF]), Some(vec![2]));
        assert_eq!(after(&[0xFF]), None);
    }

    proptest! {
        #[test]
        fn key_order_is_value_order(
            pairs in model::types().iter().map(|ty| {
                let one = || model::value(ty);
                (one(), one(), one(), one())
            }).collect::<Vec<_>>()
        ) {
            for (ty, (a, b, c, d)) in model::types().iter().zip(&pairs) {
                let exact = |values: &[&Value]| key(ty, values, KeyWriter::exact());
                prop_assert_eq!(exact(&[a]).cmp(&exact(&[b])), a.compare(b), "{:?} {:?}", a, b);
                let both = a.compare(b).then(c.compare(d));
                prop_assert_eq!(exact(&[a, c]).cmp(&exact(&[b, d])), both);
                prop_assert!(exact(&[a]) == exact(&[b]) || !exact(&[a]).starts_with(&exact(&[b])));
                let cut = |values: &[&Value]| key(ty, values, KeyWriter::new());
                prop_assert!(cut(&[a]).cmp(&cut(&[b])) != a.compare(b).reverse()
                    || a.compare(b) == Ordering::Equal);
            }
        }
    }
}
