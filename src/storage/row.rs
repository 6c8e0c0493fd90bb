//! A record's row: one value a field, and its form in bytes.
//!
//! The bytes are: the numbers of the transactions that created and last changed the record, a
//! length-prefixed bitmap of the fields present, and each present value in field order, encoded
//! by its field's type. A field never changes its type, so a row needs no layout number.

use super::codec::{Reader, Writer};
use super::key;
use super::{FieldLayout, ObjectLayout};
use crate::error::{Code, Error, Result};
use crate::value::{
    Currency, Date, DateTime, Duration, FieldId, FieldType, LabelCode, Money, ObjectId, Period,
    RecordId, Value,
};

/// What most rows need.
const ROW_BYTES: usize = 120;
const ROW_FIELDS: usize = 16;

/// The values of one record by field id; fields beyond the end are missing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    values: Vec<Value>,
    /// The transaction that made the record; 0 until it commits.
    pub(super) created: u64,
    /// The transaction that last changed the record.
    pub(super) changed: u64,
}

/// Rows are equal if their values are.
impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        let fields = self.values.len().max(other.values.len());
        (0..fields).all(|at| {
            let missing = Value::Missing;
            self.values.get(at).unwrap_or(&missing) == other.values.get(at).unwrap_or(&missing)
        })
    }
}

impl Row {
    pub(crate) fn get(&self, field: FieldId) -> &Value {
        self.values
            .get(usize::from(field.0))
            .unwrap_or(&Value::Missing)
    }

    /// The number of the transaction that last changed the record; 0 until it is committed.
    pub(crate) fn revision(&self) -> u64 {
        self.changed
    }

    pub(crate) fn set(&mut self, field: FieldId, value: Value) {
        let at = usize::from(field.0);
        if at >= self.values.len() {
            self.values.resize(at + 1, Value::Missing);
        }
        self.values[at] = value;
    }

    /// Gives the row the number of the transaction that makes it.
    pub(super) fn stamp(&mut self, sequence: u64) {
        self.changed = sequence;
        if self.created == 0 {
            self.created = sequence;
        }
    }

    /// The records this one refers to. What a dropped field holds is no reference.
    pub(super) fn targets<'a>(
        &'a self,
        layout: &'a ObjectLayout,
    ) -> impl Iterator<Item = (ObjectId, RecordId)> + 'a {
        self.values
            .iter()
            .zip(&layout.fields)
            .filter(|(_, field)| !field.dropped)
            .filter_map(|(value, field)| match (value, &field.ty) {
                (Value::Reference(id), FieldType::Reference(object)) => Some((*object, *id)),
                (Value::AnyReference(object, id), _) => Some((*object, *id)),
                _ => None,
            })
    }

    /// An error unless every value fits its field.
    pub(super) fn check(&self, layout: &ObjectLayout) -> Result<()> {
        for (at, value) in self.values.iter().enumerate() {
            let fits = match layout.fields.get(at) {
                Some(field) => fits(&field.ty, value),
                None => value.is_missing(),
            };
            if matches!(value, Value::Reference(_) | Value::AnyReference(..)) {
                key::target(value)?;
            }
            if !fits {
                return Err(Error::new(
                    Code::Internal,
                    format!(
                        "the value {value:?} does not fit field {at} of object {}",
                        layout.id.0
                    ),
                ));
            }
        }
        Ok(())
    }

    /// The bytes of a row whose values fit their fields.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Writer {
            bytes: Vec::with_capacity(ROW_BYTES),
        };
        out.put(self.created);
        out.put(self.changed);
        let fields = self
            .values
            .iter()
            .rposition(|value| !value.is_missing())
            .map_or(0, |last| last + 1);
        let mut bitmap = vec![0_u8; fields.div_ceil(8)];
        for (at, value) in self.values[..fields].iter().enumerate() {
            bitmap[at / 8] |= u8::from(!value.is_missing()) << (at % 8);
        }
        out.put_block(&bitmap);
        for value in &self.values[..fields] {
            put_value(&mut out, value);
        }
        out.bytes
    }

    pub(super) fn decode(bytes: &[u8], fields: &[FieldLayout]) -> Result<Self> {
        let mut reader = Reader::new("a row", bytes);
        let (created, changed) = (reader.get()?, reader.get()?);
        let bitmap = reader.get_block()?;
        let mut values = Vec::with_capacity((bitmap.len() * 8).min(fields.len()));
        for at in 0..bitmap.len() * 8 {
            let present = bitmap[at / 8] >> (at % 8) & 1 == 1;
            match fields.get(at) {
                Some(field) if present => values.push(get_value(&mut reader, &field.ty)?),
                Some(_) => values.push(Value::Missing),
                None if present => return Err(reader.fault()),
                None => {}
            }
        }
        reader.end()?;
        Ok(Self {
            values,
            created,
            changed,
        })
    }
}

/// Whether a field of type `ty` can hold `value`.
pub(super) fn fits(ty: &FieldType, value: &Value) -> bool {
    match (ty, value) {
        (_, Value::Missing)
        | (
            FieldType::Text
            | FieldType::LongText
            | FieldType::Email
            | FieldType::Phone
            | FieldType::Url
            | FieldType::Filter(_)
            | FieldType::Expression(_),
            Value::Text(_),
        )
        | (FieldType::Boolean, Value::Boolean(_))
        | (FieldType::Integer, Value::Integer(_))
        | (FieldType::Money, Value::Money(_))
        | (FieldType::Date, Value::Date(_))
        | (FieldType::DateTime, Value::DateTime(_))
        | (FieldType::Period, Value::Period(_))
        | (FieldType::Duration, Value::Duration(_))
        | (FieldType::Picklist, Value::Label(_))
        | (FieldType::Reference(_), Value::Reference(_)) => true,
        (FieldType::Number | FieldType::Percent, Value::Number(n)) => n.is_finite(),
        (FieldType::Tags, Value::Tags(tags)) => {
            !tags.is_empty() && tags.windows(2).all(|pair| pair[0] < pair[1])
        }
        (FieldType::AnyReference(objects), Value::AnyReference(object, _)) => {
            objects.contains(object)
        }
        _ => false,
    }
}

fn put_value(out: &mut Writer, value: &Value) {
    match value {
        Value::Boolean(b) => out.put(*b),
        Value::Integer(n) => out.put(*n),
        Value::Number(n) => out.put(*n),
        Value::Money(m) => out.put((m.units(), m.currency().code())),
        Value::Text(text) => out.put(&**text),
        Value::Date(date) => out.put(date.days()),
        Value::DateTime(moment) => out.put(moment.micros()),
        Value::Period(period) => out.put((period.start().days(), period.end().days())),
        Value::Duration(length) => out.put(length.seconds()),
        Value::Label(code) => out.put(code.0),
        Value::Tags(codes) => {
            out.put(codes.len() as u64);
            codes.iter().for_each(|code| out.put(code.0));
        }
        Value::Reference(id) => out.put(id.0),
        Value::AnyReference(object, id) => out.put((object.0, id.0)),
        Value::Missing | Value::Record(_) | Value::List(_) | Value::Nested(_) => {}
    }
}

fn get_value(reader: &mut Reader<'_>, ty: &FieldType) -> Result<Value> {
    let value = match ty {
        FieldType::Boolean => Value::Boolean(reader.get()?),
        FieldType::Integer => Value::Integer(reader.get()?),
        FieldType::Number | FieldType::Percent => Value::Number(reader.get()?),
        FieldType::Money => {
            let (units, code) = reader.get()?;
            Value::Money(Money::from_units(units, Currency::from_code(code)))
        }
        FieldType::Text
        | FieldType::LongText
        | FieldType::Email
        | FieldType::Phone
        | FieldType::Url
        | FieldType::Filter(_)
        | FieldType::Expression(_) => Value::text(reader.get::<&str>()?),
        FieldType::Date => Value::Date(Date::from_days(reader.get()?)),
        FieldType::DateTime => Value::DateTime(DateTime::from_micros(reader.get()?)),
        FieldType::Period => {
            let (start, end) = reader.get()?;
            Value::Period(Period::new(Date::from_days(start), Date::from_days(end)))
        }
        FieldType::Duration => Value::Duration(Duration::from_seconds(reader.get()?)),
        FieldType::Picklist => Value::Label(LabelCode(reader.get()?)),
        FieldType::Tags => {
            let len = reader.get_len()?;
            let codes: Result<Vec<_>> = (0..len).map(|_| reader.get().map(LabelCode)).collect();
            Value::Tags(codes?.into())
        }
        FieldType::Reference(_) => Value::Reference(RecordId(reader.get()?)),
        FieldType::AnyReference(_) => {
            let (object, id) = reader.get()?;
            Value::AnyReference(ObjectId(object), RecordId(id))
        }
    };
    if fits(ty, &value) {
        Ok(value)
    } else {
        Err(reader.fault())
    }
}

impl FromIterator<(FieldId, Value)> for Row {
    fn from_iter<T: IntoIterator<Item = (FieldId, Value)>>(values: T) -> Self {
        let mut row = Self {
            values: Vec::with_capacity(ROW_FIELDS),
            ..Self::default()
        };
        for (field, value) in values {
            row.set(field, value);
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::model;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_come_back(row in model::row(), created in 1_u64..1 << 40) {
            let layouts = model::layouts();
            let row = Row { created, changed: created + 1, ..row };
            let back = Row::decode(&row.encode(), &layouts[0].fields).unwrap();
            prop_assert_eq!((back.created, back.changed), (created, created + 1));
            prop_assert_eq!(back, row);
        }

        #[test]
        fn damaged_rows_are_errors_or_rows(
            row in model::row(),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let fields = &model::layouts()[0].fields;
            let mut bytes = row.encode();
            let at = at.index(bytes.len());
            if let Err(error) = Row::decode(&bytes[..at], fields) {
                prop_assert_eq!(error.code(), Code::Corrupt);
            }
            bytes[at] = byte;
            if let Err(error) = Row::decode(&bytes, fields) {
                prop_assert_eq!(error.code(), Code::Corrupt);
            }
        }
    }

    #[test]
    fn bytes_are_as_specified() {
        let fields = |types: &[FieldType]| -> Vec<FieldLayout> {
            let layout = |ty: &FieldType| FieldLayout {
                ty: ty.clone(),
                dropped: false,
            };
            types.iter().map(layout).collect()
        };
        let mut row: Row = [
            (FieldId(0), Value::text("ab")),
            (FieldId(2), Value::Integer(-1)),
        ]
        .into_iter()
        .collect();
        (row.created, row.changed) = (5, 300);
        let bytes = row.encode();
        assert_eq!(bytes, [5, 251, 44, 1, 1, 0b101, 2, b'a', b'b', 1]);
        let types = [FieldType::Text, FieldType::Date, FieldType::Integer];
        assert_eq!(Row::decode(&bytes, &fields(&types)).unwrap(), row);
        assert!(Row::decode(&bytes, &fields(&types[..2])).is_err());
    }
}
