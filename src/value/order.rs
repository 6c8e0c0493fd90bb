//! The total order of values, by which results are sorted and smallest values found.

use super::{Money, Value};
use std::cmp::Ordering;

impl Value {
    /// Compares any two values: missing is last, whole and other numbers compare as numbers,
    /// text by code point, money by amount within its currency. Different kinds of value never
    /// meet in one column; they come in a fixed order.
    ///
    /// References compare by id and labels by code here: their declared order needs the book.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => compare_floats(*a, *b),
            (Self::Integer(a), Self::Number(b)) => compare_mixed(*a, *b),
            (Self::Number(a), Self::Integer(b)) => compare_mixed(*b, *a).reverse(),
            (Self::Money(a), Self::Money(b)) => {
                let key = |money: &Money| (money.currency(), money.units());
                key(a).cmp(&key(b))
            }
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Date(a), Self::Date(b)) => a.cmp(b),
            (Self::DateTime(a), Self::DateTime(b)) => a.cmp(b),
            (Self::Period(a), Self::Period(b)) => a.cmp(b),
            (Self::Duration(a), Self::Duration(b)) => a.cmp(b),
            (Self::Label(a), Self::Label(b)) => a.cmp(b),
            (Self::Tags(a), Self::Tags(b)) => a.cmp(b),
            (Self::Reference(a), Self::Reference(b)) => a.cmp(b),
            (Self::AnyReference(a, n), Self::AnyReference(b, m)) => (a, n).cmp(&(b, m)),
            (Self::Record(a), Self::Record(b)) => {
                (&a.label, &a.object, a.id).cmp(&(&b.label, &b.object, b.id))
            }
            (Self::List(a), Self::List(b)) => compare_lists(a, b),
            (Self::Nested(a), Self::Nested(b)) => a
                .iter()
                .zip(b.iter())
                .map(|(a, b)| compare_lists(&a.values, &b.values))
                .find(|order| order.is_ne())
                .unwrap_or_else(|| a.len().cmp(&b.len())),
            _ => self.kind().cmp(&other.kind()),
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Boolean(_) => 0,
            Self::Integer(_) | Self::Number(_) => 1,
            Self::Money(_) => 2,
            Self::Text(_) => 3,
            Self::Date(_) => 4,
            Self::DateTime(_) => 5,
            Self::Period(_) => 6,
            Self::Duration(_) => 7,
            Self::Label(_) => 8,
            Self::Tags(_) => 9,
            Self::Reference(_) => 10,
            Self::AnyReference(..) => 11,
            Self::Record(_) => 12,
            Self::List(_) => 13,
            Self::Nested(_) => 14,
            Self::Missing => 15,
        }
    }
}

fn compare_lists(a: &[Value], b: &[Value]) -> Ordering {
    a.iter()
        .zip(b)
        .map(|(a, b)| a.compare(b))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| a.len().cmp(&b.len()))
}

/// Numbers in their order, both zeros equal; NaN, which no value is, after all others.
fn compare_floats(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b)
        .unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// Exact: rounding `a` to a float would make unequal numbers equal, and the order not transitive.
fn compare_mixed(a: i64, b: f64) -> Ordering {
    if b.is_nan() || b >= 9_223_372_036_854_775_808.0 {
        Ordering::Less
    } else if b < -9_223_372_036_854_775_808.0 {
        Ordering::Greater
    } else {
        let whole = b.trunc();
        a.cmp(&(whole as i64))
            .then(0.0_f64.total_cmp(&(b - whole + 0.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Currency, Date, DateTime, Duration, Period};
    use proptest::prelude::*;
    use std::sync::Arc;

    #[test]
    fn numbers_compare_exactly() {
        let big = 9_007_199_254_740_993;
        let compare = |a: i64, b: f64| Value::Integer(a).compare(&Value::Number(b));
        assert_eq!(compare(big, big as f64), Ordering::Greater);
        assert_eq!(compare(2, 2.5), Ordering::Less);
        assert_eq!(compare(-2, -2.5), Ordering::Greater);
        assert_eq!(compare(0, -0.0), Ordering::Equal);
        assert_eq!(compare(i64::MAX, 9.3e18), Ordering::Less);
        assert_eq!(compare(i64::MIN, i64::MIN as f64), Ordering::Equal);
        assert_eq!(compare(i64::MIN, f64::NEG_INFINITY), Ordering::Greater);
    }

    #[test]
    fn missing_is_last_and_text_goes_by_code_point() {
        assert_eq!(
            Value::Missing.compare(&Value::Integer(i64::MAX)),
            Ordering::Greater
        );
        assert_eq!(Value::text("Z").compare(&Value::text("a")), Ordering::Less);
        assert_eq!(
            Value::text("\u{ff5e}").compare(&Value::text("\u{1f600}")),
            Ordering::Less
        );
    }

    fn value() -> impl Strategy<Value = Value> {
        let edges = prop_oneof![
            Just(i64::MIN),
            Just(i64::MAX),
            Just(1 << 53),
            Just((1 << 53) + 1),
            -3i64..3,
            any::<i64>()
        ];
        let leaf = prop_oneof![
            Just(Value::Missing),
            any::<bool>().prop_map(Value::Boolean),
            edges.clone().prop_map(Value::Integer),
            edges.clone().prop_map(|n| Value::Number(n as f64)),
            (-6i32..6).prop_map(|n| Value::Number(f64::from(n) / 2.0)),
            any::<f64>().prop_map(Value::Number),
            (edges.clone(), 0u16..3)
                .prop_map(|(n, c)| { Value::Money(Money::from_units(n, Currency::from_code(c))) }),
            "[a-c]{0,2}".prop_map(Value::text),
            (-2i32..2).prop_map(|n| Value::Date(Date::from_days(n))),
            edges
                .clone()
                .prop_map(|n| Value::DateTime(DateTime::from_micros(n))),
            edges.prop_map(|n| Value::Duration(Duration::from_seconds(n))),
            (0i32..3, 0i32..3).prop_map(|(a, b)| {
                Value::Period(Period::new(Date::from_days(a), Date::from_days(b)))
            }),
        ];
        leaf.prop_recursive(2, 8, 3, |inner| {
            proptest::collection::vec(inner, 0..3).prop_map(|list| Value::List(Arc::from(list)))
        })
    }

    proptest! {
        #[test]
        fn order_is_total(a in value(), b in value(), c in value()) {
            prop_assert_eq!(a.compare(&a), Ordering::Equal);
            prop_assert_eq!(a.compare(&b), b.compare(&a).reverse());
            let mut sorted = [&a, &b, &c];
            sorted.sort_by(|x, y| x.compare(y));
            prop_assert!(sorted[0].compare(sorted[1]).is_le());
            prop_assert!(sorted[1].compare(sorted[2]).is_le());
            prop_assert!(sorted[0].compare(sorted[2]).is_le());
            if a.compare(&b).is_eq() {
                prop_assert_eq!(a.compare(&c), b.compare(&c));
            }
        }
    }
}
