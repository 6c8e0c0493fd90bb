//! Field types and the value a field holds.

use super::{Currency, Date, DateTime, Duration, LabelCode, Money, ObjectId, Period, RecordId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The type of a field.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FieldType {
    /// Short text: names, codes. Compared by code point; stored in columns.
    Text,
    /// Long text: notes. Stored in rows only.
    LongText,
    /// A whole number of 64 bits.
    Integer,
    /// A floating point number; never NaN or infinite.
    Number,
    /// An amount with a currency.
    Money,
    /// A fraction written as a percentage: `40%` is 0.4.
    Percent,
    /// A calendar day.
    Date,
    /// A moment, in microseconds; shown in the book's zone.
    DateTime,
    /// A half-open span of days, for example a quarter.
    Period,
    /// True or false.
    Boolean,
    /// One of declared, ordered labels.
    Picklist,
    /// Any number of labels.
    Tags,
    /// An e-mail address; folded to lower case when written.
    Email,
    /// A telephone number, kept as written.
    Phone,
    /// A web address.
    Url,
    /// A length of time in whole seconds.
    Duration,
    /// A record of one object.
    Reference(ObjectId),
    /// A record of any of several objects.
    AnyReference(Vec<ObjectId>),
    /// A stored condition over the records of an object.
    Filter(ObjectId),
    /// A stored expression over the records of an object.
    Expression(ObjectId),
}

/// The physical form of a field's column: what its parts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Shape {
    /// One part of true, false or missing.
    Bits,
    /// One part of 64-bit integers: integers, dates, moments, durations, labels, references.
    Ints,
    /// One part of floats.
    Floats,
    /// One part of text.
    Texts,
    /// Two parts of integers: money (amount, currency), period (start, end),
    /// reference to any of several (object, id).
    Pair,
    /// One part of bits for each label code in use.
    Tags,
    /// No column: the value lives in the row alone.
    RowOnly,
}

impl FieldType {
    pub(crate) fn shape(&self) -> Shape {
        match self {
            Self::Boolean => Shape::Bits,
            Self::Integer
            | Self::Date
            | Self::DateTime
            | Self::Duration
            | Self::Picklist
            | Self::Reference(_) => Shape::Ints,
            Self::Number | Self::Percent => Shape::Floats,
            Self::Text | Self::Email | Self::Phone | Self::Url => Shape::Texts,
            Self::Money | Self::Period | Self::AnyReference(_) => Shape::Pair,
            Self::Tags => Shape::Tags,
            Self::LongText | Self::Filter(_) | Self::Expression(_) => Shape::RowOnly,
        }
    }

    /// Whether its values may be records of the object.
    pub(crate) fn refers_to(&self, object: ObjectId) -> bool {
        match self {
            Self::Reference(target) => *target == object,
            Self::AnyReference(targets) => targets.contains(&object),
            _ => false,
        }
    }

    /// Whether values are text to the language: `~`, `like` and `lower` work on them.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self.shape(), Shape::Texts) || *self == Self::LongText
    }
}

/// The value of a field of a record, or of an expression.
///
/// Stored values are closed over codes and ids ([`Value::Label`], [`Value::Reference`]); results
/// handed to a user carry names instead ([`Value::Text`], [`Value::Record`]).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// No value. Equal to nothing but the word `empty` in the language.
    #[default]
    Missing,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A floating point number, also a percentage as a fraction; never NaN or infinite.
    Number(f64),
    /// An amount of money.
    Money(Money),
    /// Text of any kind.
    Text(Arc<str>),
    /// A day.
    Date(Date),
    /// A moment.
    DateTime(DateTime),
    /// A span of days.
    Period(Period),
    /// A length of time.
    Duration(Duration),
    /// A picklist label by its code.
    Label(LabelCode),
    /// Tags by their codes, sorted, without doubles, never empty (an empty set is missing).
    Tags(Arc<[LabelCode]>),
    /// A reference to a record of the field's object.
    Reference(RecordId),
    /// A reference to a record of one of several objects.
    AnyReference(ObjectId, RecordId),
    /// In results: a record with its label.
    Record(Arc<RecordName>),
    /// In results: a list of values.
    List(Arc<[Value]>),
    /// In results: records of a nested collection.
    Nested(Arc<[Record]>),
}

/// A record as a result shows it: its object, id and label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordName {
    /// The object's name, for example `accounts`.
    pub object: Arc<str>,
    /// The record's id.
    pub id: RecordId,
    /// The record's label, or `#id` where it has none.
    pub label: Arc<str>,
}

/// A record of a nested result: values under names, in the order of the query.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The columns' names, shared by all records of the list.
    pub names: Arc<[Arc<str>]>,
    /// The values, one a name.
    pub values: Vec<Value>,
}

impl Value {
    /// Whether this is [`Value::Missing`].
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }

    /// A text value.
    #[must_use]
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::Text(Arc::from(text.as_ref()))
    }

    /// The integer of a value with the integer shape ([`Shape::Ints`]), or nothing if missing.
    pub(crate) fn as_int(&self) -> Option<i64> {
        match self {
            Self::Integer(n) => Some(*n),
            Self::Date(d) => Some(i64::from(d.days())),
            Self::DateTime(t) => Some(t.micros()),
            Self::Duration(d) => Some(d.seconds()),
            Self::Label(code) => Some(i64::from(code.0)),
            Self::Reference(id) => Some(id.0.cast_signed()),
            _ => None,
        }
    }

    /// The two integers of a value with the pair shape ([`Shape::Pair`]), or nothing if missing.
    pub(crate) fn as_pair(&self) -> Option<(i64, i64)> {
        match self {
            Self::Money(m) => Some((m.units(), i64::from(m.currency().code()))),
            Self::Period(p) => Some((i64::from(p.start().days()), i64::from(p.end().days()))),
            Self::AnyReference(object, id) => Some((i64::from(object.0), id.0.cast_signed())),
            _ => None,
        }
    }

    /// The value of type `ty` whose integer is `n`: the reverse of [`Value::as_int`].
    pub(crate) fn from_int(ty: &FieldType, n: i64) -> Self {
        match ty {
            FieldType::Integer => Self::Integer(n),
            FieldType::Date => Self::Date(Date::from_days(i32::try_from(n).unwrap_or(0))),
            FieldType::DateTime => Self::DateTime(DateTime::from_micros(n)),
            FieldType::Duration => Self::Duration(Duration::from_seconds(n)),
            FieldType::Picklist => Self::Label(LabelCode(u32::try_from(n).unwrap_or(u32::MAX))),
            FieldType::Reference(_) => Self::Reference(RecordId(n.cast_unsigned())),
            _ => Self::Missing,
        }
    }

    /// The value of type `ty` whose pair is `(a, b)`: the reverse of [`Value::as_pair`].
    pub(crate) fn from_pair(ty: &FieldType, a: i64, b: i64) -> Self {
        let day = |n: i64| Date::from_days(i32::try_from(n).unwrap_or(0));
        match ty {
            FieldType::Money => {
                let code = u16::try_from(b).unwrap_or(0);
                Self::Money(Money::from_units(a, Currency::from_code(code)))
            }
            FieldType::Period => Self::Period(Period::new(day(a), day(b))),
            FieldType::AnyReference(_) => Self::AnyReference(
                ObjectId(u32::try_from(a).unwrap_or(u32::MAX)),
                RecordId(b.cast_unsigned()),
            ),
            _ => Self::Missing,
        }
    }
}
