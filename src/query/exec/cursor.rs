//! Cursors: where a page ended, as one text. It holds the last row's place in the order and not
//! its number, so that records may come and go between two pages.

use super::Context;
use super::sort::{KeyColumn, Sorted};
use crate::error::{Code, Error, Result};
use crate::query::bind::{Fingerprint, Page};
use crate::value::Value;
use std::cmp::Ordering;
use std::fmt::Write;
use std::sync::Arc;

/// The form of the text; an older one would be refused as no cursor.
const FORM: u8 = 1;

/// The place of a row in a query's order.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    /// Of the statement and the parameters that decide about its rows.
    query: u64,
    pub(super) place: Place,
}

/// The sort keys of a row, and its record's id; groups are told apart by their keys alone.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub keys: Vec<KeyColumn>,
    pub row: u64,
}

impl Cursor {
    /// The cursor that a statement goes on after.
    pub(super) fn of(page: &Page, context: &Context<'_>) -> Result<Option<Place>> {
        let Some(after) = &page.after else {
            return Ok(None);
        };
        let Some(Value::Text(text)) = after.as_constant() else {
            return Ok(None);
        };
        // As a script gives it that has none yet.
        if text.is_empty() {
            return Ok(None);
        }
        let cursor = Self::decode(text).ok_or_else(|| {
            let short: String = text.chars().take(24).collect();
            Error::new(Code::BadValue, format!("`{short}` is no cursor"))
                .at(after.span.clone())
                .expected("what a page before gave as its cursor")
        })?;
        if cursor.query != fingerprint(page, context) {
            let message = "the cursor belongs to another query";
            return Err(Error::new(Code::BadValue, message)
                .at(after.span.clone())
                .expected("a cursor of this same query, with the same parameters")
                .hint("only the number after `limit` may differ between pages"));
        }
        Ok(Some(cursor.place))
    }

    pub(super) fn at(page: &Page, place: Place, context: &Context<'_>) -> Self {
        let query = fingerprint(page, context);
        Self { query, place }
    }

    /// The cursor as text.
    pub(crate) fn encode(&self) -> String {
        let mut bytes = vec![FORM];
        bytes.extend(self.query.to_le_bytes());
        bytes.extend(self.place.row.to_le_bytes());
        self.place
            .keys
            .iter()
            .for_each(|key| key.encode(&mut bytes));
        let mut text = String::with_capacity(2 * bytes.len());
        for byte in bytes {
            // Writing into a text does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    fn decode(text: &str) -> Option<Self> {
        let text = text.trim();
        if !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let bytes: Vec<u8> = (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
            .collect::<Option<_>>()?;
        let mut rest = Bytes(&bytes);
        if rest.take(1)? != [FORM] {
            return None;
        }
        let query = u64::from_le_bytes(rest.eight()?);
        let row = u64::from_le_bytes(rest.eight()?);
        let mut keys = Vec::new();
        while !rest.0.is_empty() {
            keys.push(KeyColumn::decode(&mut rest)?);
        }
        let place = Place { keys, row };
        Some(Self { query, place })
    }
}

/// Of the statement's words and the values that its rows depend on.
fn fingerprint(page: &Page, context: &Context<'_>) -> u64 {
    let mut fingerprint = Fingerprint(page.fingerprint);
    for name in &page.parameters {
        let value = context.parameters.get(name);
        let shown = value.map_or_else(String::new, |value| value.show(context.clock));
        let _ = write!(fingerprint, "${name}={shown};");
    }
    fingerprint.0
}

/// Bytes not yet read.
struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn eight(&mut self) -> Option<[u8; 8]> {
        self.take(8)?.try_into().ok()
    }

    fn int(&mut self) -> Option<i64> {
        self.eight().map(i64::from_le_bytes)
    }
}

/// One key's value: a form, with 16 added if it is missing, and the value.
impl KeyColumn {
    fn encode(&self, bytes: &mut Vec<u8>) {
        fn one<T>(form: u8, values: &[Option<T>], bytes: &mut Vec<u8>) -> Option<T>
        where
            T: Clone,
        {
            let value = values.first().cloned().flatten();
            bytes.push(if value.is_some() { form } else { form + 16 });
            value
        }
        match self {
            Self::Ints(values) => {
                let n = one(0, values, bytes);
                n.iter().for_each(|n| bytes.extend(n.to_le_bytes()));
            }
            Self::Floats(values) => {
                let n = one(1, values, bytes);
                n.iter().for_each(|n| bytes.extend(n.to_le_bytes()));
            }
            Self::Texts(values) => {
                if let Some(text) = one(2, values, bytes) {
                    bytes.extend((text.len() as u64).to_le_bytes());
                    bytes.extend(text.bytes());
                }
            }
            Self::Pairs(values) => {
                if let Some((a, b)) = one(3, values, bytes) {
                    bytes.extend(a.to_le_bytes());
                    bytes.extend(b.to_le_bytes());
                }
            }
        }
    }

    fn decode(bytes: &mut Bytes<'_>) -> Option<Self> {
        let [form] = bytes.take(1)? else { return None };
        Some(match form {
            0 => Self::Ints(vec![Some(bytes.int()?)]),
            1 => Self::Floats(vec![Some(f64::from_le_bytes(bytes.eight()?))]),
            2 => {
                let len = usize::try_from(bytes.int()?).ok()?;
                let text = std::str::from_utf8(bytes.take(len)?).ok()?;
                Self::Texts(vec![Some(Arc::from(text))])
            }
            3 => Self::Pairs(vec![Some((bytes.int()?, bytes.int()?))]),
            16 => Self::Ints(vec![None]),
            17 => Self::Floats(vec![None]),
            18 => Self::Texts(vec![None]),
            19 => Self::Pairs(vec![None]),
            _ => return None,
        })
    }
}

impl Place {
    /// Whether the keys are of the forms that the order has now.
    pub(super) fn check(&self, keys: &[KeyColumn]) -> Result<()> {
        let same = |(a, b): (&KeyColumn, &KeyColumn)| {
            std::mem::discriminant(a) == std::mem::discriminant(b)
        };
        if self.keys.len() == keys.len() && self.keys.iter().zip(keys).all(same) {
            return Ok(());
        }
        let message = "the order of the rows has changed since the cursor was made";
        Err(Error::new(Code::BadValue, message).hint("begin again without it"))
    }
}

impl Sorted {
    /// How many rows lie at or before a place; `row` gives a row's id.
    pub(super) fn up_to(&self, place: &Place, row: impl Fn(usize) -> u64) -> Result<usize> {
        if self.rows.is_empty() {
            return Ok(0);
        }
        place.check(&self.columns)?;
        let compare = |at: usize| {
            let columns = self.columns.iter().zip(&place.keys);
            columns
                .zip(&self.descending)
                .map(|((column, key), &descending)| column.compare_with(at, key, descending))
                .find(|&ordering| ordering != Ordering::Equal)
                .unwrap_or_else(|| row(at).cmp(&place.row))
        };
        let (mut low, mut high) = (0, self.rows.len());
        while low < high {
            let middle = low.midpoint(high);
            if compare(middle) == Ordering::Greater {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low)
    }

    /// The place of the row at `at`, whose id is `row`.
    pub(super) fn place(&self, at: usize, row: u64) -> Place {
        let keys = self.columns.iter();
        Place {
            keys: keys.map(|column| column.pick(&[at])).collect(),
            row,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> impl Strategy<Value = KeyColumn> {
        prop_oneof![
            any::<Option<i64>>().prop_map(|n| KeyColumn::Ints(vec![n])),
            any::<Option<f64>>().prop_map(|n| KeyColumn::Floats(vec![n])),
            any::<Option<String>>()
                .prop_map(|text| KeyColumn::Texts(vec![text.map(|text| Arc::from(&*text))])),
            any::<Option<(i64, i64)>>().prop_map(|pair| KeyColumn::Pairs(vec![pair])),
        ]
    }

    proptest! {
        #[test]
        fn a_cursor_is_read_as_written(
            keys in proptest::collection::vec(key(), 0..4),
            query: u64,
            row: u64,
            cut in 0usize..200,
        ) {
            let place = Place { keys, row };
            let text = Cursor { query, place: place.clone() }.encode();
            let read = Cursor::decode(&text).unwrap();
            prop_assert_eq!(read.query, query);
            prop_assert_eq!(format!("{:?}", read.place), format!("{place:?}"));
            // A part of one is none, or one of fewer keys; it never panics.
            let _ = Cursor::decode(&text[..cut.min(text.len())]);
        }

        #[test]
        fn other_texts_are_no_cursors(text in "\\PC{0,20}") {
            prop_assert!(Cursor::decode(&text).is_none());
        }
    }
}
