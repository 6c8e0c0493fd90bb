//! Parameters of a statement: values under names, written `$name` in the text; and how Rust's
//! types become values.

use crate::value::{Date, DateTime, Duration, Money, Period, RecordId, Value};
use std::collections::HashMap;

/// Values for the `$name`s of a statement.
///
/// A text stands for whatever the statement compares it with, as a string literal does: a label,
/// a key, a date. A missing value equals nothing.
///
/// ```
/// use fieldbook::{Parameters, params};
///
/// let short = params! { min: 100_000, territory: "SW" };
/// let long = Parameters::new().with("min", 100_000).with("territory", "SW");
/// assert_eq!(short, long);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters(pub(super) HashMap<String, Value>);

impl Parameters {
    /// No parameters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// These and one more; a name given twice has its last value.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// Sets one parameter.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }

    /// The value under `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Parameters {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(values: T) -> Self {
        let pairs = values.into_iter();
        Self(pairs.map(|(n, v)| (n.into(), v.into())).collect())
    }
}

impl<N: Into<String>, V: Into<Value>, const COUNT: usize> From<[(N, V); COUNT]> for Parameters {
    fn from(values: [(N, V); COUNT]) -> Self {
        values.into_iter().collect()
    }
}

/// [`Parameters`] as they are written: `params! { min: 100_000, territory: "SW" }`.
#[macro_export]
macro_rules! params {
    ($($name:ident : $value:expr),* $(,)?) => {
        $crate::Parameters::new()$(.with(stringify!($name), $value))*
    };
}

macro_rules! from {
    ($($variant:ident($($ty:ty),*);)*) => {$($(
        impl From<$ty> for Value {
            fn from(value: $ty) -> Self {
                Self::$variant(value.into())
            }
        }
    )*)*};
}

from! {
    Boolean(bool);
    Integer(i8, i16, i32, i64, u8, u16, u32);
    Text(&str, String);
    Money(Money);
    Date(Date);
    DateTime(DateTime);
    Period(Period);
    Duration(Duration);
    Reference(RecordId);
}

impl From<f64> for Value {
    /// NaN and the infinities are no numbers of a book: they become missing.
    fn from(n: f64) -> Self {
        match n.is_finite() {
            true => Self::Number(n),
            false => Self::Missing,
        }
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Missing, Into::into)
    }
}
