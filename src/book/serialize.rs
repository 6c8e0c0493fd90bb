//! From Rust types to values, through serde: a caller's own struct into a record's fields.
//!
//! The library's own types (`Date`, `Money`, `RecordId` and so on) are known by the names under
//! which serde hands them over; text, numbers and booleans become what the field makes of them.

use super::deserialize::Misfit;
use crate::value::{Currency, Date, DateTime, Duration, Money, Period, RecordId, Value};
use serde::ser::{Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};

/// The fields of a record in the order of the struct; those without a value are left out.
pub(super) type Fields = Vec<(String, Value)>;

/// Takes a struct or a map with text keys.
pub(super) struct ToFields;

/// Takes anything that fits one field.
struct ToValue;

/// A struct or map on its way.
#[derive(Default)]
pub(super) struct Collecting {
    name: &'static str,
    fields: Fields,
    key: Option<String>,
}

/// A list on its way.
struct Listing(Vec<Value>);

fn no_fields(what: &str) -> Misfit {
    Misfit(format!(
        "a record is added from a struct or a map, not from {what}"
    ))
}

fn unfit(what: &str) -> Misfit {
    Misfit(format!("no field holds {what}"))
}

impl Collecting {
    fn named(name: &'static str) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    fn put<T: ?Sized + Serialize>(&mut self, name: &str, value: &T) -> Result<(), Misfit> {
        let value = value
            .serialize(ToValue)
            .map_err(|e| Misfit(format!("field `{name}`: {e}")))?;
        if !value.is_missing() {
            self.fields.push((name.to_owned(), value));
        }
        Ok(())
    }
}

impl SerializeStruct for Collecting {
    type Ok = Self;
    type Error = Misfit;

    fn serialize_field<T: ?Sized + Serialize>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Misfit> {
        self.put(name, value)
    }

    fn end(self) -> Result<Self, Misfit> {
        Ok(self)
    }
}

impl SerializeMap for Collecting {
    type Ok = Self;
    type Error = Misfit;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), Misfit> {
        match key.serialize(ToValue)? {
            Value::Text(text) => self.key = Some(text.to_string()),
            _ => return Err(Misfit("a field's name is text".to_owned())),
        }
        Ok(())
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Misfit> {
        let name = self.key.take().unwrap_or_default();
        self.put(&name, value)
    }

    fn end(self) -> Result<Self, Misfit> {
        Ok(self)
    }
}

impl SerializeSeq for Listing {
    type Ok = Value;
    type Error = Misfit;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Misfit> {
        self.0.push(value.serialize(ToValue)?);
        Ok(())
    }

    fn end(self) -> Result<Value, Misfit> {
        // Tags are written as text with commas.
        let text = |value: &Value| match value {
            Value::Text(text) => Ok(text.to_string()),
            _ => Err(unfit("a list of anything but text")),
        };
        let texts: Vec<_> = self.0.iter().map(text).collect::<Result<_, _>>()?;
        Ok(match texts.is_empty() {
            true => Value::Missing,
            false => Value::from(texts.join(", ")),
        })
    }
}

/// A struct that is one of the library's own values.
struct Whole(Collecting);

impl SerializeStruct for Whole {
    type Ok = Value;
    type Error = Misfit;

    fn serialize_field<T: ?Sized + Serialize>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Misfit> {
        self.0.put(name, value)
    }

    fn end(self) -> Result<Value, Misfit> {
        let Collecting { name, fields, .. } = self.0;
        let values: Vec<Value> = fields.into_iter().map(|(_, value)| value).collect();
        match (name, values.as_slice()) {
            ("Money", [Value::Integer(units), Value::Integer(code)]) => {
                let currency = Currency::from_code(u16::try_from(*code).unwrap_or_default());
                Ok(Value::Money(Money::from_units(*units, currency)))
            }
            ("Period", [Value::Date(start), Value::Date(end)]) => {
                Ok(Value::Period(Period::new(*start, *end)))
            }
            _ => Err(unfit("a struct")),
        }
    }
}

macro_rules! signed {
    ($($method:ident($ty:ty))*) => {$(
        fn $method(self, n: $ty) -> Result<Value, Misfit> {
            Ok(Value::Integer(i64::from(n)))
        }
    )*};
}

impl Serializer for ToValue {
    type Ok = Value;
    type Error = Misfit;
    type SerializeSeq = Listing;
    type SerializeTuple = Impossible<Value, Misfit>;
    type SerializeTupleStruct = Impossible<Value, Misfit>;
    type SerializeTupleVariant = Impossible<Value, Misfit>;
    type SerializeMap = Impossible<Value, Misfit>;
    type SerializeStruct = Whole;
    type SerializeStructVariant = Impossible<Value, Misfit>;

    signed! {
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32)
    }

    fn serialize_bool(self, on: bool) -> Result<Value, Misfit> {
        Ok(Value::Boolean(on))
    }

    fn serialize_u64(self, n: u64) -> Result<Value, Misfit> {
        i64::try_from(n)
            .map(Value::Integer)
            .map_err(|_| unfit("a whole number that large"))
    }

    fn serialize_f32(self, n: f32) -> Result<Value, Misfit> {
        self.serialize_f64(f64::from(n))
    }

    fn serialize_f64(self, n: f64) -> Result<Value, Misfit> {
        match n.is_finite() {
            true => Ok(Value::Number(n)),
            false => Err(unfit("a number that is not finite")),
        }
    }

    fn serialize_char(self, c: char) -> Result<Value, Misfit> {
        Ok(Value::Text(c.to_string().into()))
    }

    fn serialize_str(self, text: &str) -> Result<Value, Misfit> {
        Ok(Value::Text(text.into()))
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<Value, Misfit> {
        Err(unfit("bytes"))
    }

    fn serialize_none(self) -> Result<Value, Misfit> {
        Ok(Value::Missing)
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<Value, Misfit> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, Misfit> {
        Ok(Value::Missing)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, Misfit> {
        Ok(Value::Missing)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Value, Misfit> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Value, Misfit> {
        let value = value.serialize(self)?;
        Ok(match (name, &value) {
            ("Date", Value::Integer(n)) => Value::Date(Date::from_days(
                i32::try_from(*n).map_err(|_| unfit("a date that far away"))?,
            )),
            ("DateTime", Value::Integer(n)) => Value::DateTime(DateTime::from_micros(*n)),
            ("Duration", Value::Integer(n)) => Value::Duration(Duration::from_seconds(*n)),
            ("RecordId", Value::Integer(n)) => Value::Reference(RecordId(n.cast_unsigned())),
            _ => value,
        })
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Value, Misfit> {
        Err(unfit("an enum with data"))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Listing, Misfit> {
        Ok(Listing(Vec::new()))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Misfit> {
        Err(unfit("a tuple"))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Misfit> {
        Err(unfit("a tuple"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Misfit> {
        Err(unfit("an enum with data"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Misfit> {
        Err(unfit("a map"))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Whole, Misfit> {
        Ok(Whole(Collecting::named(name)))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Misfit> {
        Err(unfit("an enum with data"))
    }
}

macro_rules! refuse {
    ($($method:ident($($ty:ty),*) $what:literal)*) => {$(
        fn $method(self, $(_: $ty),*) -> Result<Collecting, Misfit> {
            Err(no_fields($what))
        }
    )*};
}

impl Serializer for ToFields {
    type Ok = Collecting;
    type Error = Misfit;
    type SerializeSeq = Impossible<Collecting, Misfit>;
    type SerializeTuple = Impossible<Collecting, Misfit>;
    type SerializeTupleStruct = Impossible<Collecting, Misfit>;
    type SerializeTupleVariant = Impossible<Collecting, Misfit>;
    type SerializeMap = Collecting;
    type SerializeStruct = Collecting;
    type SerializeStructVariant = Impossible<Collecting, Misfit>;

    refuse! {
        serialize_bool(bool) "a boolean"
        serialize_i8(i8) "a number"
        serialize_i16(i16) "a number"
        serialize_i32(i32) "a number"
        serialize_i64(i64) "a number"
        serialize_u8(u8) "a number"
        serialize_u16(u16) "a number"
        serialize_u32(u32) "a number"
        serialize_u64(u64) "a number"
        serialize_f32(f32) "a number"
        serialize_f64(f64) "a number"
        serialize_char(char) "text"
        serialize_str(&str) "text"
        serialize_bytes(&[u8]) "bytes"
        serialize_none() "nothing"
        serialize_unit() "nothing"
        serialize_unit_struct(&'static str) "nothing"
        serialize_unit_variant(&'static str, u32, &'static str) "an enum"
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<Collecting, Misfit> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Collecting, Misfit> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Collecting, Misfit> {
        Err(no_fields("an enum"))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Misfit> {
        Err(no_fields("a list"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Misfit> {
        Err(no_fields("a tuple"))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Misfit> {
        Err(no_fields("a tuple"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Misfit> {
        Err(no_fields("an enum"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Collecting, Misfit> {
        Ok(Collecting::default())
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Collecting, Misfit> {
        Ok(Collecting::named(name))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Misfit> {
        Err(no_fields("an enum"))
    }
}

impl Collecting {
    pub(super) fn into_fields(self) -> Fields {
        self.fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn fields<T: Serialize>(record: T) -> Result<Fields, String> {
        let collected = record.serialize(ToFields).map_err(|e| e.0)?;
        Ok(collected.into_fields())
    }

    #[test]
    fn a_struct_becomes_fields_and_none_is_left_out() {
        #[derive(serde::Serialize)]
        struct Deal {
            name: &'static str,
            amount: Money,
            close_date: Date,
            quarter: Period,
            account: RecordId,
            stage: Option<&'static str>,
            tags: Vec<&'static str>,
            rate: f64,
        }
        let day = Date::from_ymd(2026, 5, 15).unwrap();
        let money = Money::from_units(5, Currency::USD);
        let deal = Deal {
            name: "Renewal",
            amount: money,
            close_date: day,
            quarter: Period::new(day, day),
            account: RecordId(3),
            stage: None,
            tags: vec!["vip", "new"],
            rate: 0.5,
        };
        let wanted = [
            ("name", Value::text("Renewal")),
            ("amount", Value::Money(money)),
            ("close_date", Value::Date(day)),
            ("quarter", Value::Period(Period::new(day, day))),
            ("account", Value::Reference(RecordId(3))),
            ("tags", Value::text("vip, new")),
            ("rate", Value::Number(0.5)),
        ];
        let wanted: Fields = wanted.map(|(n, v)| (n.to_owned(), v)).into();
        assert_eq!(fields(&deal), Ok(wanted));
    }

    #[test]
    fn a_map_will_do_and_other_shapes_will_not() {
        let map = BTreeMap::from([("name", "Acme")]);
        let wanted = vec![("name".to_owned(), Value::text("Acme"))];
        assert_eq!(fields(&map), Ok(wanted));
        assert!(fields("Acme").unwrap_err().contains("struct or a map"));
        assert!(fields(vec![1]).is_err());
        let nan = BTreeMap::from([("n", f64::NAN)]);
        assert!(fields(nan).unwrap_err().contains("not finite"));
        let deep = BTreeMap::from([("n", BTreeMap::from([("m", 1)]))]);
        assert!(fields(deep).unwrap_err().starts_with("field `n`"));
    }
}
