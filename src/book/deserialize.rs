//! From values to Rust types, through serde: rows into a caller's own struct.
//!
//! A type asks for what it wants: a record gives its id where an integer is wanted and its label
//! where text is; a day gives days since 1970 or its ISO text; an amount gives its number.

use crate::value::{Clock, Money, Value};
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use std::fmt;

/// Why a value does not fit a type; the caller makes it an [`crate::Error`].
#[derive(Debug)]
pub(super) struct Misfit(pub(super) String);

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misfit {}

impl serde::de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl serde::ser::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// One value.
pub(super) struct Cell<'a> {
    pub(super) value: Value,
    pub(super) clock: &'a Clock,
}

/// One row: a map by column names, a sequence by their order, or its only value.
#[derive(Clone, Copy)]
pub(super) struct Line<'a, N> {
    pub(super) names: &'a [N],
    pub(super) values: &'a [Value],
    pub(super) clock: &'a Clock,
}

/// Names and values, handed out in turn.
struct Entries<'a, N> {
    line: Line<'a, N>,
    at: usize,
    named: bool,
}

impl<'a> Cell<'a> {
    fn misfit(&self, wanted: &str) -> Misfit {
        match &self.value {
            Value::Missing => Misfit(format!(
                "a missing value where {wanted} is wanted; an `Option` takes it"
            )),
            value => Misfit(format!(
                "`{}` where {wanted} is wanted",
                value.show(self.clock)
            )),
        }
    }

    fn integer(&self) -> Option<i64> {
        let whole = |n: f64| (n.fract() == 0.0 && n.abs() < 9e15).then_some(n as i64);
        match &self.value {
            Value::Integer(n) => Some(*n),
            Value::Number(n) => whole(*n),
            Value::Money(money) if money.units() % Money::SCALE == 0 => {
                Some(money.units() / Money::SCALE)
            }
            Value::Date(day) => Some(i64::from(day.days())),
            Value::DateTime(moment) => Some(moment.micros()),
            Value::Duration(length) => Some(length.seconds()),
            Value::Label(code) => Some(i64::from(code.0)),
            Value::Reference(id) | Value::AnyReference(_, id) => i64::try_from(id.0).ok(),
            Value::Record(record) => i64::try_from(record.id.0).ok(),
            _ => None,
        }
    }

    fn number(&self) -> Option<f64> {
        match &self.value {
            Value::Integer(n) => Some(*n as f64),
            Value::Number(n) => Some(*n),
            Value::Money(money) => Some(money.amount()),
            _ => None,
        }
    }

    /// The value as a struct of the library's own types, where it is one.
    fn parts(&self) -> Option<(&'static [&'static str], Vec<Value>)> {
        match &self.value {
            Value::Money(money) => Some((
                &["units", "currency"],
                vec![
                    Value::Integer(money.units()),
                    Value::Integer(i64::from(money.currency().code())),
                ],
            )),
            Value::Period(period) => Some((
                &["start", "end"],
                vec![Value::Date(period.start()), Value::Date(period.end())],
            )),
            Value::Record(record) => Some((
                &["object", "id", "label"],
                vec![
                    Value::Text(record.object.clone()),
                    Value::Reference(record.id),
                    Value::Text(record.label.clone()),
                ],
            )),
            _ => None,
        }
    }
}

macro_rules! integers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            match self.integer() {
                Some(n) => visitor.visit_i64(n),
                None => Err(self.misfit("a whole number")),
            }
        }
    )*};
}

macro_rules! floats {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            match self.number() {
                Some(n) => visitor.visit_f64(n),
                None => Err(self.misfit("a number")),
            }
        }
    )*};
}

macro_rules! texts {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            match &self.value {
                Value::Missing | Value::List(_) | Value::Nested(_) => Err(self.misfit("text")),
                value => visitor.visit_string(value.show(self.clock)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Cell<'_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.value {
            Value::Missing => visitor.visit_unit(),
            Value::Boolean(on) => visitor.visit_bool(*on),
            Value::Integer(n) => visitor.visit_i64(*n),
            Value::Number(_) | Value::Money(_) => self.deserialize_f64(visitor),
            Value::Label(_) | Value::Reference(_) | Value::AnyReference(..) => {
                self.deserialize_i64(visitor)
            }
            Value::Tags(_) | Value::List(_) | Value::Nested(_) => self.deserialize_seq(visitor),
            _ => self.deserialize_string(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.value {
            Value::Boolean(on) => visitor.visit_bool(*on),
            _ => Err(self.misfit("true or false")),
        }
    }

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }
    floats! { deserialize_f32 deserialize_f64 }
    texts! { deserialize_char deserialize_str deserialize_string deserialize_identifier }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.value {
            Value::Missing => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let clock = self.clock;
        let cell = |value| Cell { value, clock };
        match &self.value {
            Value::Tags(codes) => {
                let codes = codes.iter().map(|code| cell(Value::Label(*code)));
                visitor.visit_seq(serde::de::value::SeqDeserializer::new(codes))
            }
            Value::List(values) => {
                let values = values.iter().map(|value| cell(value.clone()));
                visitor.visit_seq(serde::de::value::SeqDeserializer::new(values))
            }
            Value::Nested(records) => {
                let lines = records.iter().map(|record| Line {
                    names: &record.names,
                    values: &record.values,
                    clock,
                });
                visitor.visit_seq(serde::de::value::SeqDeserializer::new(lines))
            }
            // Tags that are missing are an empty list.
            Value::Missing => {
                visitor.visit_seq(serde::de::value::SeqDeserializer::new(std::iter::empty::<
                    Cell<'_>,
                >()))
            }
            _ => Err(self.misfit("a list")),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, v: V) -> Result<V::Value, Misfit> {
        self.deserialize_seq(v)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.parts() {
            Some((names, values)) => Line {
                names,
                values: &values,
                clock: self.clock,
            }
            .deserialize_map(visitor),
            None => Err(self.misfit("a structure")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let text = match &self.value {
            Value::Text(text) => text,
            Value::Record(record) => &record.label,
            _ => return Err(self.misfit("a label")),
        };
        let variant: StrDeserializer<'_, Misfit> = text.as_ref().into_deserializer();
        visitor.visit_enum(variant)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { i128 u128 bytes byte_buf unit unit_struct }
}

impl<'a> IntoDeserializer<'_, Misfit> for Cell<'a> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'a, N: AsRef<str>> Line<'a, N> {
    fn entries(self, named: bool) -> Entries<'a, N> {
        Entries {
            line: self,
            at: 0,
            named,
        }
    }

    fn only(self) -> Result<Cell<'a>, Misfit> {
        match self.values {
            [value] => Ok(Cell {
                value: value.clone(),
                clock: self.clock,
            }),
            values => Err(Misfit(format!(
                "a row of {} columns where one value is wanted",
                values.len()
            ))),
        }
    }
}

macro_rules! single {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            self.only()?.$method(visitor)
        }
    )*};
}

impl<'de, N: AsRef<str>> Deserializer<'de> for Line<'_, N> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_map(self.entries(true))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_seq(self.entries(false))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, size: usize, v: V) -> Result<V::Value, Misfit> {
        if size != self.values.len() {
            let columns = self.values.len();
            return Err(Misfit(format!(
                "a row of {columns} columns where {size} are wanted"
            )));
        }
        self.deserialize_seq(v)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        size: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_tuple(size, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.only()?.deserialize_enum(name, variants, visitor)
    }

    single! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32
        deserialize_f64 deserialize_char deserialize_str deserialize_string deserialize_option
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        i128 u128 bytes byte_buf unit unit_struct map identifier ignored_any
    }
}

impl<'a, N: AsRef<str>> IntoDeserializer<'_, Misfit> for Line<'a, N> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<N: AsRef<str>> Entries<'_, N> {
    fn value<'de, T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Misfit> {
        let value = self.line.values.get(self.at).cloned().unwrap_or_default();
        let name = self.line.names.get(self.at).map_or("", AsRef::as_ref);
        self.at += 1;
        seed.deserialize(Cell {
            value,
            clock: self.line.clock,
        })
        .map_err(|e| match self.named {
            true => Misfit(format!("column `{name}`: {e}")),
            false => Misfit(format!("column {} (`{name}`): {e}", self.at)),
        })
    }
}

impl<'de, N: AsRef<str>> MapAccess<'de> for Entries<'_, N> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        match self.line.names.get(self.at) {
            Some(name) => {
                let key: StrDeserializer<'_, Misfit> = name.as_ref().into_deserializer();
                seed.deserialize(key).map(Some)
            }
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        self.value(seed)
    }
}

impl<'de, N: AsRef<str>> SeqAccess<'de> for Entries<'_, N> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        if self.at == self.line.values.len() {
            return Ok(None);
        }
        self.value(seed).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Currency, Date, Period, Record, RecordId, RecordName};
    use serde::Deserialize;
    use std::sync::Arc;

    fn read<'de, T: Deserialize<'de>>(values: &[(&str, Value)]) -> Result<T, Misfit> {
        let names: Vec<_> = values.iter().map(|(name, _)| *name).collect();
        let cells: Vec<_> = values.iter().map(|(_, value)| value.clone()).collect();
        T::deserialize(Line {
            names: &names,
            values: &cells,
            clock: &Clock::system(),
        })
    }

    fn day() -> Date {
        Date::from_ymd(2026, 5, 15).unwrap()
    }

    fn acme() -> Value {
        Value::Record(Arc::new(RecordName {
            object: "accounts".into(),
            id: RecordId(7),
            label: "Acme".into(),
        }))
    }

    fn dollars(amount: i64) -> Money {
        Money::from_units(amount * Money::SCALE, Currency::USD)
    }

    #[test]
    fn a_row_becomes_a_struct() {
        #[derive(Debug, Deserialize, PartialEq)]
        #[serde(rename_all = "lowercase")]
        enum Stage {
            Won,
            Lost,
        }
        #[derive(Debug, Deserialize, PartialEq)]
        struct Contact {
            name: String,
            age: Option<u8>,
        }
        #[derive(Debug, Deserialize, PartialEq)]
        struct Deal {
            name: String,
            stage: Stage,
            amount: f64,
            exact: Money,
            closed: Date,
            closed_text: String,
            quarter: Period,
            account: String,
            account_id: RecordId,
            next: Option<Date>,
            tags: Vec<String>,
            contacts: Vec<Contact>,
        }
        let quarter = Period::new(day(), day());
        let people = Value::Nested(Arc::new([Record {
            names: Arc::new(["name".into(), "age".into()]),
            values: vec![Value::text("Paz"), Value::Missing],
        }]));
        let deal: Deal = read(&[
            ("name", Value::text("Renewal")),
            ("stage", Value::text("won")),
            ("amount", Value::Money(dollars(40))),
            ("exact", Value::Money(dollars(40))),
            ("closed", Value::Date(day())),
            ("closed_text", Value::Date(day())),
            ("quarter", Value::Period(quarter)),
            ("account", acme()),
            ("account_id", acme()),
            ("next", Value::Missing),
            ("tags", Value::List(Arc::new([Value::text("vip")]))),
            ("contacts", people),
            ("more", Value::Integer(1)),
        ])
        .unwrap();
        let wanted = Deal {
            name: "Renewal".to_owned(),
            stage: Stage::Won,
            amount: 40.0,
            exact: dollars(40),
            closed: day(),
            closed_text: "2026-05-15".to_owned(),
            quarter,
            account: "Acme".to_owned(),
            account_id: RecordId(7),
            next: None,
            tags: vec!["vip".to_owned()],
            contacts: vec![Contact {
                name: "Paz".to_owned(),
                age: None,
            }],
        };
        assert_eq!(deal, wanted);
    }

    #[test]
    fn a_row_becomes_a_tuple_or_its_only_value() {
        let row = [("name", Value::text("Acme")), ("n", Value::Integer(2))];
        assert_eq!(read(&row).ok(), Some(("Acme".to_owned(), 2_u64)));
        assert!(read::<(String,)>(&row).is_err());
        assert_eq!(read(&[("n", Value::Integer(3))]).ok(), Some(3_i64));
        assert_eq!(read(&[("n", Value::Missing)]).ok(), Some(None::<i64>));
        assert!(read::<i64>(&row).is_err());
    }

    #[test]
    fn what_does_not_fit_names_its_column() {
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "only read")]
        struct One {
            count: u8,
        }
        let error = |value| read::<One>(&[("count", value)]).unwrap_err().0;
        assert_eq!(
            error(Value::Missing),
            "column `count`: a missing value where a whole number is wanted; \
             an `Option` takes it"
        );
        assert_eq!(
            error(Value::Number(1.5)),
            "column `count`: `1.5` where a whole number is wanted"
        );
        assert!(error(Value::Integer(300)).contains("300"));
    }
}
