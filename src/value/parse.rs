//! Reading values of a field type from text, as imports, parameters and literals do.

use super::decimal::{Decimal, all_digits};
use super::{Clock, Currency, Date, DateTime, Duration, FieldType, Money, Period, Unit, Value};
use crate::error::{Code, Error, Result};

impl FieldType {
    /// Reads `text` as a value of this type. Empty or blank text is missing.
    ///
    /// Labels and references are not values of text alone: for picklists, tags and references
    /// this is an internal error; the caller looks the label up. Filters and expressions are
    /// taken as text; the caller binds them.
    pub(crate) fn parse(&self, text: &str, clock: &Clock) -> Result<Value> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Ok(Value::Missing);
        }
        let (value, expected) = match self {
            Self::Text | Self::LongText | Self::Filter(_) | Self::Expression(_) => {
                (Some(Value::text(text)), "text")
            }
            Self::Integer => (
                Decimal::parse(trimmed)
                    .and_then(|decimal| decimal.scaled(0))
                    .and_then(|(n, exact)| exact.then_some(Value::Integer(n))),
                "a whole number such as 1200 or 12k",
            ),
            Self::Number => (parse_number(trimmed), "a number such as 1200 or 0.5"),
            Self::Percent => (parse_number(trimmed), "a percentage such as 40% or 0.4"),
            Self::Money => (
                parse_money(trimmed, clock.base).map(Value::Money),
                "an amount such as 1250.50 or 12 EUR",
            ),
            Self::Date => (
                parse_date(trimmed).map(Value::Date),
                "a date such as 2026-05-15",
            ),
            Self::DateTime => (
                parse_datetime(trimmed, clock)
                    .or_else(|| parse_date(trimmed).map(|day| clock.start_of(day)))
                    .map(Value::DateTime),
                "a date and time such as 2026-05-15T09:00",
            ),
            Self::Period => (
                parse_period(trimmed, clock).map(Value::Period),
                "a period such as 2026-Q3, 2026-07 or 2026-01-01..2026-02-15",
            ),
            Self::Boolean => (parse_boolean(trimmed).map(Value::Boolean), "true or false"),
            Self::Duration => (
                parse_duration(trimmed).map(Value::Duration),
                "a duration such as 90m, 2h 30m or 1d",
            ),
            Self::Email => (
                parse_email(trimmed).map(Value::text),
                "an address such as paz@acme.example",
            ),
            Self::Phone => (
                trimmed
                    .contains(|c: char| c.is_ascii_digit())
                    .then(|| Value::text(trimmed)),
                "a telephone number such as +1 555 0100",
            ),
            Self::Url => (
                is_url(trimmed).then(|| Value::text(trimmed)),
                "a web address such as https://acme.example",
            ),
            Self::Picklist | Self::Tags | Self::Reference(_) | Self::AnyReference(_) => {
                return Err(Error::new(
                    Code::Internal,
                    "labels and references are not read from text alone",
                ));
            }
        };
        value.ok_or_else(|| self.refuse(trimmed, expected))
    }

    fn refuse(&self, text: &str, expected: &str) -> Error {
        let mut shown: String = text.chars().take(60).collect();
        if shown.len() < text.len() {
            shown.push_str("...");
        }
        let date = matches!(self, Self::Date | Self::DateTime) && looks_like_date(text);
        let message = if date && parse_date(&text[..10]).is_none() {
            format!("there is no day `{}`", &text[..10])
        } else {
            let what = match self {
                Self::Integer => "a whole number of 64 bits",
                Self::Number => "a number",
                Self::Percent => "a percentage",
                Self::Money => "an amount of money",
                Self::Date => "a date",
                Self::DateTime => "a date and time",
                Self::Period => "a period",
                Self::Boolean => "a truth value",
                Self::Duration => "a duration",
                Self::Email => "an e-mail address",
                Self::Phone => "a telephone number",
                Self::Url => "a web address",
                _ => "a value",
            };
            format!("`{shown}` is not {what}")
        };
        Error::new(Code::BadValue, message).expected(expected)
    }
}

/// Reads an ISO date.
pub(crate) fn parse_date(text: &str) -> Option<Date> {
    if !looks_like_date(text) || text.len() != 10 {
        return None;
    }
    let year = text[..4].parse().ok()?;
    Date::from_ymd(year, text[5..7].parse().ok()?, text[8..].parse().ok()?)
}

/// Whether `text` begins with a date's digits and hyphens, whatever their values.
fn looks_like_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 10
        && bytes[..10].iter().enumerate().all(|(at, b)| match at {
            4 | 7 => *b == b'-',
            _ => b.is_ascii_digit(),
        })
}

/// Reads an ISO date and time, in the clock's zone unless it names an offset.
pub(crate) fn parse_datetime(text: &str, clock: &Clock) -> Option<DateTime> {
    let (day, rest) = text.split_at_checked(10)?;
    let day = parse_date(day)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let end = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (time, offset) = rest.split_at(end);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    if !(1..=9).contains(&fraction.len()) || !all_digits(fraction) {
        return None;
    }
    let seconds = parse_clock_time(time)?;
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
    let micros = digits.fold(0, |micros, digit| micros * 10 + i64::from(digit - b'0'));
    if time.len() == 5 && fraction != "0" {
        return None;
    }
    let micros = seconds * 1_000_000 + micros;
    let Some(sign) = offset.chars().next() else {
        return Some(clock.moment_at(day, micros));
    };
    let ahead = match (sign, &offset[1..]) {
        ('Z' | 'z', "") => 0,
        ('+', ahead) => parse_clock_time(ahead)?,
        ('-', behind) => -parse_clock_time(behind)?,
        _ => return None,
    };
    let day = i64::from(day.days()) * 86_400_000_000;
    Some(DateTime::from_micros(day + micros - ahead * 1_000_000))
}

/// The seconds of `HH:MM` or `HH:MM:SS`.
fn parse_clock_time(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let mut part = |most: i64| {
        let text = parts.next()?;
        let n = (text.len() == 2 && all_digits(text)).then(|| text.parse().ok())??;
        (0..=most).contains(&n).then_some(n)
    };
    let (hours, minutes) = (part(23)?, part(59)?);
    let seconds = if text.len() == 5 { 0 } else { part(59)? };
    parts
        .next()
        .is_none()
        .then_some((hours * 60 + minutes) * 60 + seconds)
}

/// Reads the name of a period, a day, or `first..last` with both days included.
fn parse_period(text: &str, clock: &Clock) -> Option<Period> {
    if let Some((first, last)) = text.split_once("..") {
        let (first, last) = (parse_date(first.trim())?, parse_date(last.trim())?);
        return (first <= last).then(|| Period::new(first, last.end()));
    }
    if let Some(day) = parse_date(text) {
        return Some(Period::new(day, day.end()));
    }
    let Some(fiscal) = text.strip_prefix("FY").or_else(|| text.strip_prefix("fy")) else {
        return Period::parse_name(text);
    };
    if let Some((year, "-P" | "-p", month)) = fiscal
        .split_at_checked(4)
        .and_then(|(year, rest)| Some((year, rest.get(..2)?, rest.get(2..)?)))
    {
        let year = i64::from(Period::parse_name(year)?.start().ymd().0);
        let month: i64 = (month.len() == 2 && all_digits(month)).then(|| month.parse().ok())??;
        let number = (year - clock.fiscal.name_shift()) * 12 + month - 1;
        let known = (1..=12).contains(&month);
        return known.then(|| Period::numbered(Unit::FiscalMonth, number, clock).ok())?;
    }
    // The name fits the calendar's grammar; only the unit differs.
    let calendar = Period::parse_name(fiscal)?;
    let year = i64::from(calendar.start().ymd().0);
    let number = year - clock.fiscal.name_shift();
    match fiscal.len() {
        4 => Period::numbered(Unit::FiscalYear, number, clock).ok(),
        _ if fiscal[5..].starts_with(['Q', 'q']) => {
            let quarter = i64::from(calendar.start().quarter());
            Period::numbered(Unit::FiscalQuarter, number * 4 + quarter - 1, clock).ok()
        }
        _ => None,
    }
}

fn parse_boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

fn parse_number(text: &str) -> Option<Value> {
    let (text, percent) = match text.strip_suffix('%') {
        Some(text) => (text.trim_end(), -2),
        None => (text, 0),
    };
    let mut decimal = Decimal::parse(text)?;
    decimal.exponent += percent;
    decimal.number().map(Value::Number)
}

/// Reads an amount with its currency before or behind it, as a code or a sign, or without.
fn parse_money(text: &str, base: Currency) -> Option<Money> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text),
    };
    let (currency, number) = split_currency(rest).unwrap_or((base, rest));
    // The sign stands before the amount or before the currency, not both.
    if negative && number.starts_with(['-', '+']) {
        return None;
    }
    let mut decimal = Decimal::parse(number)?;
    decimal.negative |= negative;
    let (units, _) = decimal.scaled(4)?;
    Some(Money::from_units(units, currency))
}

fn split_currency(text: &str) -> Option<(Currency, &str)> {
    let sign = |c: char| {
        Currency::new(match c {
            '$' => "USD",
            '\u{20ac}' => "EUR",
            '\u{a3}' => "GBP",
            '\u{a5}' => "JPY",
            _ => return None,
        })
    };
    if let Some(currency) = text.chars().next().and_then(sign) {
        let rest = text.trim_start_matches(|c| sign(c).is_some());
        return (text.chars().nth(1).and_then(sign).is_none()).then(|| (currency, rest.trim()));
    }
    if let Some((at, currency)) = text
        .char_indices()
        .last()
        .and_then(|(at, c)| Some((at, sign(c)?)))
    {
        return Some((currency, text[..at].trim()));
    }
    let (code, rest) = text.split_at_checked(3)?;
    if let Some(currency) = Currency::new(code) {
        return Some((currency, rest.trim()));
    }
    let (rest, code) = text.split_at_checked(text.len().checked_sub(3)?)?;
    Some((Currency::new(code)?, rest.trim()))
}

/// Reads lengths with units (`2h 30m`, `90 minutes`) or `hh:mm:ss`.
fn parse_duration(text: &str) -> Option<Duration> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text),
    };
    let mut total: i128 = 0;
    if rest.contains(':') {
        let (hours, clock) = rest.split_once(':')?;
        if !all_digits(hours) || clock.len() != 5 {
            return None;
        }
        let hours: i64 = hours.parse().ok()?;
        total = i128::from(hours) * 3600 + i128::from(parse_clock_time(&format!("00:{clock}"))?);
        rest = "";
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, behind) = rest.split_at(digits);
        let behind = behind.trim_start();
        let word = behind
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(word);
        let seconds = match unit.to_ascii_lowercase().as_str() {
            "w" | "week" | "weeks" => 604_800,
            "d" | "day" | "days" => 86_400,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3600,
            "m" | "min" | "mins" | "minute" | "minutes" => 60,
            "s" | "sec" | "secs" | "second" | "seconds" => 1,
            _ => return None,
        };
        // Nine decimals are exact for any fraction a person writes.
        let (billionths, exact) = Decimal::parse(number)?.scaled_wide(9)?;
        let billionths = billionths.checked_mul(seconds)?;
        if !exact || billionths % 1_000_000_000 != 0 {
            return None;
        }
        total = total.checked_add(billionths / 1_000_000_000)?;
        rest = behind.trim_start();
    }
    let total = if negative { -total } else { total };
    i64::try_from(total).ok().map(Duration::from_seconds)
}

fn parse_email(text: &str) -> Option<String> {
    let (name, host) = text.split_once('@')?;
    let plain = |c: char| !c.is_whitespace() && !c.is_control();
    let good =
        !name.is_empty() && !host.is_empty() && !host.contains('@') && text.chars().all(plain);
    good.then(|| text.to_lowercase())
}

fn is_url(text: &str) -> bool {
    let address = match text.split_once("://") {
        Some((scheme, rest)) => {
            let mut letters = scheme.bytes();
            letters.next().is_some_and(|b| b.is_ascii_alphabetic())
                && letters.all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b))
                && !rest.is_empty()
        }
        None => {
            text.len() > 4 && text.is_char_boundary(4) && text[..4].eq_ignore_ascii_case("www.")
        }
    };
    address && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::FiscalYear;
    use proptest::prelude::*;

    fn read(ty: FieldType, text: &str) -> Option<Value> {
        ty.parse(text, &Clock::system()).ok()
    }

    fn money(units: i64, code: &str) -> Option<Value> {
        Some(Value::Money(Money::from_units(units, Currency::new(code)?)))
    }

    #[test]
    fn numbers() {
        for (text, n) in [
            ("1200", Some(1200)),
            ("1,234,567", Some(1_234_567)),
            ("-12k", Some(-12_000)),
            ("1.5M", Some(1_500_000)),
            ("12.0", Some(12)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("1e9999", None),
            ("1.5", None),
            ("1,23", None),
            ("1234,567", None),
            (",123", None),
            ("12 apples", None),
            ("--1", None),
            ("k", None),
        ] {
            assert_eq!(
                read(FieldType::Integer, text),
                n.map(Value::Integer),
                "{text}"
            );
        }
        for (text, n) in [
            ("40%", Some(0.4)),
            ("40 %", Some(0.4)),
            ("0.4", Some(0.4)),
            (".5", Some(0.5)),
            ("1,234.5", Some(1234.5)),
            ("2.5k", Some(2500.0)),
            ("1e21", Some(1e21)),
            ("-0", Some(0.0)),
            ("5.", None),
            ("NaN", None),
            ("inf", None),
            ("1e999", None),
        ] {
            assert_eq!(
                read(FieldType::Number, text),
                n.map(Value::Number),
                "{text}"
            );
            assert_eq!(
                read(FieldType::Percent, text),
                n.map(Value::Number),
                "{text}"
            );
        }
    }

    #[test]
    fn amounts() {
        for (text, value) in [
            ("1234.5", money(12_345_000, "USD")),
            ("1,234.50", money(12_345_000, "USD")),
            ("USD 12", money(120_000, "USD")),
            ("12 eur", money(120_000, "EUR")),
            ("EUR12k", money(120_000_000, "EUR")),
            ("$12", money(120_000, "USD")),
            ("-$12", money(-120_000, "USD")),
            ("$ -12", money(-120_000, "USD")),
            ("\u{20ac}12", money(120_000, "EUR")),
            ("12,50 \u{20ac}", None),
            ("12 \u{20ac}", money(120_000, "EUR")),
            ("0.00005", money(1, "USD")),
            ("-$-12", None),
            ("USD", None),
            ("$$12", None),
            ("1e15", None),
            ("12%", None),
            ("922337203685477.5807", money(i64::MAX, "USD")),
        ] {
            assert_eq!(read(FieldType::Money, text), value, "{text}");
        }
    }

    #[test]
    fn times() {
        let clock = Clock::system().in_zone("Europe/Berlin").unwrap();
        let micros = |text| parse_datetime(text, &clock).map(DateTime::micros);
        let nine = 1_778_828_400_000_000;
        for (text, value) in [
            ("2026-05-15T09:00", Some(nine)),
            ("2026-05-15 09:00:00", Some(nine)),
            ("2026-05-15T07:00Z", Some(nine)),
            ("2026-05-15T12:30:00.123456+05:30", Some(nine + 123_456)),
            ("2026-05-15t09:00:01.5", Some(nine + 1_500_000)),
            ("2026-05-15T24:00", None),
            ("2026-05-15T09:60", None),
            ("2026-05-15T9:00", None),
            ("2026-02-30T09:00", None),
            ("2026-05-15T09:00.5", None),
            ("2026-05-15T09:00+", None),
            ("2026-05-15", None),
        ] {
            assert_eq!(micros(text), value, "{text}");
        }
        assert_eq!(parse_date("0001-01-01").map(Date::days), Some(-719_162));
        for text in [
            "2026-02-29",
            "2026-5-15",
            "20260515",
            "0000-01-01",
            "+026-01-01",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    #[test]
    fn lengths_and_periods() {
        for (text, seconds) in [
            ("90m", Some(5400)),
            ("2h 30m", Some(9000)),
            ("2h30m", Some(9000)),
            ("1.5h", Some(5400)),
            ("1d", Some(86_400)),
            ("-1d 1s", Some(-86_401)),
            ("01:30:00", Some(5400)),
            ("100:00:01", Some(360_001)),
            ("90 minutes", Some(5400)),
            ("90", None),
            ("1.00001s", None),
            ("1:30", None),
            ("99999999999999999d", None),
            ("m", None),
        ] {
            let value = seconds.map(|n| Value::Duration(Duration::from_seconds(n)));
            assert_eq!(read(FieldType::Duration, text), value, "{text}");
        }
        let day = |text| parse_date(text).unwrap();
        let clock = Clock {
            fiscal: FiscalYear::from_month(4).unwrap(),
            ..Clock::system()
        };
        for (text, start, end) in [
            ("2026", "2026-01-01", "2027-01-01"),
            ("2026-q3", "2026-07-01", "2026-10-01"),
            ("2026-07", "2026-07-01", "2026-08-01"),
            ("2026-05-15", "2026-05-15", "2026-05-16"),
            ("2026-01-01..2026-02-15", "2026-01-01", "2026-02-16"),
            ("FY2027", "2026-04-01", "2027-04-01"),
            ("FY2027-Q1", "2026-04-01", "2026-07-01"),
            ("FY2027-P12", "2027-03-01", "2027-04-01"),
        ] {
            let period = Period::new(day(start), day(end));
            assert_eq!(parse_period(text, &clock), Some(period), "{text}");
        }
        for text in [
            "2026-7",
            "2026-02-01..2026-01-31",
            "FY2027-07",
            "FY",
            "2026-07-32",
        ] {
            assert_eq!(parse_period(text, &clock), None, "{text}");
        }
    }

    #[test]
    fn addresses() {
        let email = |text| read(FieldType::Email, text);
        assert_eq!(
            email(" Paz@Acme.Example "),
            Some(Value::text("paz@acme.example"))
        );
        assert_eq!(email("root@localhost"), Some(Value::text("root@localhost")));
        for text in ["paz", "@acme", "paz@", "a@b@c", "a b@c"] {
            assert_eq!(email(text), None, "{text}");
        }
        assert_eq!(
            read(FieldType::Phone, " +1 555 "),
            Some(Value::text("+1 555"))
        );
        assert_eq!(read(FieldType::Phone, "none"), None);
        for (text, good) in [
            ("https://acme.example/a", true),
            ("WWW.acme.example", true),
            ("acme", false),
            ("http://a b", false),
            ("://a", false),
        ] {
            assert_eq!(read(FieldType::Url, text).is_some(), good, "{text}");
        }
    }

    #[test]
    fn blank_is_missing_and_errors_teach() {
        let clock = Clock::system();
        assert_eq!(read(FieldType::Text, " "), Some(Value::Missing));
        assert_eq!(read(FieldType::Text, " a"), Some(Value::text(" a")));
        let error = FieldType::Date.parse("2026-02-30", &clock).unwrap_err();
        assert_eq!(error.code(), Code::BadValue);
        assert_eq!(error.message(), "there is no day `2026-02-30`");
        let error = FieldType::Date.parse("15/05/2026", &clock).unwrap_err();
        assert_eq!(error.message(), "`15/05/2026` is not a date");
        assert_eq!(error.expectation(), Some("a date such as 2026-05-15"));
        let error = FieldType::Picklist.parse("won", &clock).unwrap_err();
        assert_eq!(error.code(), Code::Internal);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,12}|[-0-9:., TZ+eEkm%$QFYwdhs]{0,20}") {
            for ty in [
                FieldType::Integer, FieldType::Number, FieldType::Percent, FieldType::Money,
                FieldType::Date, FieldType::DateTime, FieldType::Period, FieldType::Boolean,
                FieldType::Duration, FieldType::Email, FieldType::Phone, FieldType::Url,
            ] {
                if let Err(error) = ty.parse(&text, &Clock::system()) {
                    prop_assert_eq!(error.code(), Code::BadValue);
                }
            }
        }
    }
}
