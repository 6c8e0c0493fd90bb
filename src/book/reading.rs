//! Values as people read them: no more digits than tell something.
//!
//! What other programs read (CSV, JSON) stays exact.

use crate::value::{FieldType, Money, Value};

/// Decimals of a number; a percentage is a number with two less.
const NUMBER_DECIMALS: i32 = 4;
const PERCENT_DECIMALS: i32 = 3;

/// The value with its last digits rounded away. What would become zero stays as it is.
pub(super) fn rounded(value: &Value, ty: Option<&FieldType>) -> Value {
    match value {
        Value::Number(n) => {
            let decimals = match ty {
                Some(FieldType::Percent) => PERCENT_DECIMALS,
                _ => NUMBER_DECIMALS,
            };
            let scale = 10f64.powi(decimals);
            let near = (n * scale).round() / scale;
            // Large numbers have no such digits, and their product may be infinite.
            let tells = near != 0.0 && near.is_finite();
            Value::Number(if tells { near } else { *n })
        }
        Value::Money(money) => {
            let cent = Money::SCALE / 100;
            let half = cent / 2 * money.units().signum();
            let near = money.units().saturating_add(half) / cent * cent;
            let units = if near == 0 { money.units() } else { near };
            Value::Money(Money::from_units(units, money.currency()))
        }
        Value::List(values) => Value::List(values.iter().map(|value| rounded(value, ty)).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Clock, Currency};

    #[test]
    fn digits_that_tell_nothing_go() {
        let clock = Clock::system();
        let show = |value: Value, ty: FieldType| {
            let ty = Some(&ty);
            rounded(&value, ty).show_as(ty, &clock)
        };
        let percent = |n| show(Value::Number(n), FieldType::Percent);
        assert_eq!(percent(0.558_139_5), "55.8%");
        assert_eq!(percent(0.25), "25%");
        assert_eq!(percent(1e-9), "0.0000001%");
        let number = |n| show(Value::Number(n), FieldType::Number);
        assert_eq!(number(2.0 / 3.0), "0.6667");
        assert_eq!(number(-1234.5), "-1234.5");
        assert_eq!(number(1e308), "1e308");
        assert_eq!(number(0.000_01), "0.00001");
        let money = |units| {
            let money = Money::from_units(units, Currency::USD);
            show(Value::Money(money), FieldType::Money)
        };
        assert_eq!(money(12_345_678), "1234.57");
        assert_eq!(money(-12_345_650), "-1234.57");
        assert_eq!(money(400_000_000), "40000");
        assert_eq!(money(19_999_999), "2000");
        assert_eq!(money(3), "0.0003");
        let list = Value::List([Value::Number(1.0 / 3.0)].into());
        assert_eq!(show(list, FieldType::Percent), "33.3%");
    }
}
