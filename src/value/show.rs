//! The text of values, as tables, CSV and canonical statements print them, and their JSON.

use super::{Clock, DateTime, Duration, FieldType, Money, Value};
use serde_json::Value as Json;

impl Value {
    /// The value as a table or CSV shows it; missing is empty text.
    ///
    /// Reading the text as a value of its type gives the same value again, for the
    /// types that are text alone.
    #[must_use]
    pub fn show(&self, clock: &Clock) -> String {
        self.show_as(None, clock)
    }

    /// [`Value::show`] for a value of type `ty`: a percentage looks like a number without it.
    #[must_use]
    pub fn show_as(&self, ty: Option<&FieldType>, clock: &Clock) -> String {
        let joined = |values: &[Self], between: &str| {
            let shown: Vec<_> = values.iter().map(|v| v.show_as(ty, clock)).collect();
            shown.join(between)
        };
        match self {
            Self::Missing => String::new(),
            Self::Boolean(on) => on.to_string(),
            Self::Integer(n) => n.to_string(),
            Self::Number(n) if ty == Some(&FieldType::Percent) => show_number(*n, 2) + "%",
            Self::Number(n) => show_number(*n, 0),
            Self::Money(money) => show_money(*money, clock),
            Self::Text(text) => text.to_string(),
            Self::Date(day) => day.to_string(),
            Self::DateTime(moment) => show_moment(*moment, clock),
            Self::Period(period) => period.name(clock),
            Self::Duration(length) => show_duration(*length),
            Self::Label(code) => format!("label {}", code.0),
            Self::Tags(codes) => {
                let shown: Vec<_> = codes.iter().map(|c| format!("label {}", c.0)).collect();
                shown.join(", ")
            }
            Self::Reference(id) | Self::AnyReference(_, id) => id.to_string(),
            Self::Record(record) => record.label.to_string(),
            Self::List(values) => joined(values, ", "),
            Self::Nested(records) => {
                let shown: Vec<_> = records.iter().map(|r| joined(&r.values, ", ")).collect();
                shown.join("; ")
            }
        }
    }

    /// The value as JSON: numbers and amounts in base currency as numbers, missing as null,
    /// nested records as objects, everything else as the text of [`Value::show`]; so are amounts
    /// with a fraction from 450 billion on, where numbers no longer tell all of them apart.
    #[must_use]
    pub fn to_json(&self, clock: &Clock) -> Json {
        match self {
            Self::Missing => Json::Null,
            Self::Boolean(on) => Json::Bool(*on),
            Self::Integer(n) => Json::from(*n),
            Self::Number(n) => json_number(*n),
            Self::Money(money) if money.currency() == clock.base => {
                match money.units() % Money::SCALE {
                    0 => Json::from(money.units() / Money::SCALE),
                    _ if money.units().unsigned_abs() < TOLD_APART => json_number(money.amount()),
                    _ => Json::String(self.show(clock)),
                }
            }
            Self::List(values) => values.iter().map(|value| value.to_json(clock)).collect(),
            Self::Nested(records) => {
                let object = |record: &super::Record| {
                    let names = record.names.iter().map(|name| name.to_string());
                    let values = record.values.iter().map(|value| value.to_json(clock));
                    Json::Object(names.zip(values).collect())
                };
                records.iter().map(object).collect()
            }
            _ => Json::String(self.show(clock)),
        }
    }
}

/// Below so many units every amount has a floating-point number of its own.
const TOLD_APART: u64 = 1 << 52;

/// Whole numbers without a fraction; no value is ever NaN, for which JSON has no number.
fn json_number(n: f64) -> Json {
    if n.fract() == 0.0 && n.abs() < 1e15 {
        Json::from(n as i64)
    } else {
        Json::from(n)
    }
}

/// `n * 10^shift` in the fewest digits that read back as `n`; with an exponent only outside 1e-7
/// to 1e21.
fn show_number(n: f64, shift: i32) -> String {
    let text = format!("{:e}", n.abs());
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = digits.replace('.', "");
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() {
        return "0".to_owned();
    }
    let sign = if n < 0.0 { "-" } else { "" };
    // Digits before the point.
    let point = exponent.parse::<i32>().unwrap_or(0) + shift + 1;
    let (first, rest) = digits.split_at(1);
    match usize::try_from(point) {
        Ok(point) if point > 21 => {}
        Ok(point) if point >= digits.len() => return format!("{sign}{digits:0<point$}"),
        Ok(point) if point > 0 => {
            return format!("{sign}{}.{}", &digits[..point], &digits[point..]);
        }
        _ if point > -7 => {
            let zeros = usize::try_from(-point).unwrap_or(0);
            return format!("{sign}0.{}{digits}", "0".repeat(zeros));
        }
        _ => {}
    }
    let dot = if rest.is_empty() { "" } else { "." };
    format!("{sign}{first}{dot}{rest}e{}", point - 1)
}

/// Cents only when there are any; the currency only when it is not the base's.
fn show_money(money: Money, clock: &Clock) -> String {
    let scale = Money::SCALE.unsigned_abs();
    let units = money.units().unsigned_abs();
    let sign = if money.units() < 0 { "-" } else { "" };
    let mut text = format!("{sign}{}", units / scale);
    let fraction = units % scale;
    if fraction != 0 {
        let digits = format!("{fraction:04}");
        let used = digits.trim_end_matches('0').len().max(2);
        text = format!("{text}.{}", &digits[..used]);
    }
    if money.currency() != clock.base {
        text = format!("{text} {}", money.currency());
    }
    text
}

/// Day and time in the clock's zone, always with seconds; with the offset only in the hour that
/// clocks show twice.
fn show_moment(moment: DateTime, clock: &Clock) -> String {
    let (day, micros) = clock.local_of(moment);
    let mut text = format!("{day}T{}", show_seconds(micros / 1_000_000));
    if micros % 1_000_000 != 0 {
        let fraction = format!("{:06}", micros % 1_000_000);
        text = format!("{text}.{}", fraction.trim_end_matches('0'));
    }
    if clock.moment_at(day, micros) != moment {
        let offset = clock.offset_micros(moment) / 1_000_000;
        let sign = if offset < 0 { '-' } else { '+' };
        let shown = show_seconds(offset.abs());
        text = format!(
            "{text}{sign}{}",
            shown.strip_suffix(":00").unwrap_or(&shown)
        );
    }
    text
}

fn show_seconds(seconds: i64) -> String {
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}", seconds % 60)
}

fn show_duration(length: Duration) -> String {
    let seconds = length.seconds().unsigned_abs();
    let parts = [
        (seconds / 86_400, 'd'),
        (seconds / 3600 % 24, 'h'),
        (seconds / 60 % 60, 'm'),
        (seconds % 60, 's'),
    ];
    let shown: Vec<_> = parts
        .iter()
        .filter(|(n, _)| *n != 0)
        .map(|(n, unit)| format!("{n}{unit}"))
        .collect();
    let sign = if length.seconds() < 0 { "-" } else { "" };
    match shown.is_empty() {
        true => "0s".to_owned(),
        false => format!("{sign}{}", shown.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Currency, Date, FiscalYear, Period, Record, RecordId, RecordName};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn money(units: i64, code: &str) -> Value {
        Value::Money(Money::from_units(units, Currency::new(code).unwrap()))
    }

    #[test]
    fn values_have_texts() {
        let clock = Clock::system();
        let acme = RecordName {
            object: Arc::from("accounts"),
            id: RecordId(7),
            label: Arc::from("Acme"),
        };
        for (value, text) in [
            (Value::Number(3.0), "3"),
            (Value::Number(0.1 + 0.2), "0.30000000000000004"),
            (Value::Number(-1234.5), "-1234.5"),
            (Value::Number(1e20), "100000000000000000000"),
            (Value::Number(1.5e20), "150000000000000000000"),
            (Value::Number(1.5e21), "1.5e21"),
            (Value::Number(0.000_001), "0.000001"),
            (Value::Number(1e-9), "1e-9"),
            (Value::Number(-0.0), "0"),
            (money(400_000_000, "USD"), "40000"),
            (money(12_345_000, "USD"), "1234.50"),
            (money(-12_345_670, "USD"), "-1234.567"),
            (money(1, "USD"), "0.0001"),
            (money(200_000_000, "EUR"), "20000 EUR"),
            (money(i64::MIN, "USD"), "-922337203685477.5808"),
            (Value::Duration(Duration::from_seconds(9000)), "2h 30m"),
            (Value::Duration(Duration::from_seconds(0)), "0s"),
            (
                Value::Duration(Duration::from_seconds(-90_061)),
                "-1d 1h 1m 1s",
            ),
            (Value::Record(Arc::new(acme)), "Acme"),
            (
                Value::List(Arc::from([Value::Integer(1), Value::text("a")])),
                "1, a",
            ),
            (Value::Missing, ""),
        ] {
            assert_eq!(value.show(&clock), text);
        }
        let percent = |n| Value::Number(n).show_as(Some(&FieldType::Percent), &clock);
        assert_eq!(percent(0.4), "40%");
        assert_eq!(percent(0.29), "29%");
        assert_eq!(percent(1.0 / 3.0), "33.33333333333333%");
    }

    #[test]
    fn hours_shown_twice_are_told_apart() {
        let clock = Clock::system().in_zone("Europe/Berlin").unwrap();
        let show = |micros| Value::DateTime(DateTime::from_micros(micros)).show(&clock);
        // 2026-10-25T00:30Z and an hour later are both 02:30 in Berlin.
        assert_eq!(show(1_792_888_200_000_000), "2026-10-25T02:30:00");
        assert_eq!(show(1_792_891_800_000_000), "2026-10-25T02:30:00+01:00");
        assert_eq!(show(1_778_828_400_500_000), "2026-05-15T09:00:00.5");
    }

    #[test]
    fn values_have_json() {
        let clock = Clock::system();
        let nested = Record {
            names: Arc::from([Arc::from("name"), Arc::from("amount")]),
            values: vec![Value::text("a\"b"), money(15_000, "USD")],
        };
        for (value, json) in [
            (Value::Missing, "null"),
            (Value::Number(3.0), "3"),
            (Value::Number(0.5), "0.5"),
            (money(400_000_000, "USD"), "40000"),
            (money(4_503_599_627_370_495, "USD"), "450359962737.0495"),
            (
                money(12_345_678_901_234_567, "USD"),
                "\"1234567890123.4567\"",
            ),
            (money(20_000, "EUR"), "\"2 EUR\""),
            (Value::Date(Date::from_days(0)), "\"1970-01-01\""),
            (
                Value::List(Arc::from([Value::Integer(1), Value::Missing])),
                "[1,null]",
            ),
            (
                Value::Nested(Arc::from([nested])),
                r#"[{"name":"a\"b","amount":1.5}]"#,
            ),
        ] {
            assert_eq!(value.to_json(&clock).to_string(), json);
        }
    }

    fn values() -> impl Strategy<Value = (FieldType, Value)> {
        let days = -719_162i32..=2_932_896;
        let moments = prop_oneof![
            -62_135_596_800_000_000i64..253_402_300_800_000_000,
            1_792_880_000_000_000i64..1_792_900_000_000_000,
        ];
        let decimals = (-999_999_999_999_999i64..=999_999_999_999_999, -20i32..20);
        let number = decimals
            .prop_map(|(digits, e)| Value::Number(format!("{digits}e{e}").parse().unwrap()));
        let length = any::<i64>().prop_map(Duration::from_seconds);
        prop_oneof![
            any::<i64>().prop_map(|n| (FieldType::Integer, Value::Integer(n))),
            number.clone().prop_map(|n| (FieldType::Number, n)),
            number.prop_map(|n| (FieldType::Percent, n)),
            (any::<i64>(), 0u16..17_576).prop_map(|(units, code)| {
                let money = Money::from_units(units, Currency::from_code(code));
                (FieldType::Money, Value::Money(money))
            }),
            days.clone()
                .prop_map(|n| (FieldType::Date, Value::Date(Date::from_days(n)))),
            moments.prop_map(|n| (
                FieldType::DateTime,
                Value::DateTime(DateTime::from_micros(n))
            )),
            (days, 1i32..800).prop_map(|(n, width)| {
                let period = Period::new(Date::from_days(n), Date::from_days(n + width));
                (FieldType::Period, Value::Period(period))
            }),
            any::<bool>().prop_map(|on| (FieldType::Boolean, Value::Boolean(on))),
            length.prop_map(|length| (FieldType::Duration, Value::Duration(length))),
            "\\PC*[a-z]".prop_map(|text| (FieldType::Text, Value::text(text))),
        ]
    }

    proptest! {
        #[test]
        fn shown_values_are_read_again((ty, value) in values(), start in 1i8..=13) {
            for zone in ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"] {
                let fiscal = match start {
                    1..=12 => FiscalYear::from_month(start),
                    _ => FiscalYear::from_weeks("4-4-5 ending last saturday of january"),
                };
                let clock = Clock {
                    fiscal: fiscal.unwrap(),
                    ..Clock::system().in_zone(zone).unwrap()
                };
                let text = value.show_as(Some(&ty), &clock);
                let again = ty.parse(&text, &clock);
                prop_assert_eq!(again.as_ref().ok(), Some(&value), "{}", text);
            }
        }

        #[test]
        fn any_number_is_its_text(n in any::<f64>().prop_filter("finite", |n| n.is_finite())) {
            let clock = Clock::system();
            for ty in [FieldType::Number, FieldType::Percent] {
                let text = Value::Number(n).show_as(Some(&ty), &clock);
                prop_assert_eq!(ty.parse(&text, &clock).ok(), Some(Value::Number(n)), "{}", text);
            }
        }
    }
}
