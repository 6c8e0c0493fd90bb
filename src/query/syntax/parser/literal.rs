//! Literals: numbers, times, durations, strings. The grammar takes what looks like one; here it
//! has to be one.

use super::{Node, Reader, Rule, first, parts, unquote};
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax::ast::{BusinessUnit, Literal};
use crate::value::{Date, Period, Unit};

impl Reader {
    /// Reads a literal; `negative` if a minus stands right before it.
    pub(super) fn literal(self, node: Node, negative: bool) -> Result<Literal> {
        let span = self.span(&node);
        let text = node.as_str().trim_end();
        match node.as_rule() {
            Rule::string => Ok(Literal::Text(unquote(text))),
            Rule::moment => moment(text).map_err(|error| error.at(span)),
            Rule::fiscal => fiscal(text).map_err(|error| error.at(span)),
            Rule::number => number(text, negative).map_err(|error| error.at(span)),
            Rule::duration => {
                let mut parts = parts(node);
                let (number, next) = (first(&mut parts), first(&mut parts));
                let unit = next.as_str();
                let count = self.whole(&number, unit, negative)?;
                Ok(match next.as_rule() {
                    Rule::business_unit => Literal::Business {
                        count,
                        unit: business_unit(unit),
                    },
                    _ => Literal::Duration {
                        count,
                        unit: self::unit(unit),
                    },
                })
            }
            Rule::relative => self.relative(node),
            Rule::constant => Ok(match text.to_ascii_lowercase().as_str() {
                "true" => Literal::Boolean(true),
                "false" => Literal::Boolean(false),
                _ => Literal::Empty,
            }),
            _ => text[1..].parse().map(Literal::Record).map_err(|_| {
                Error::new(Code::BadLiteral, format!("`{text}` is out of range")).at(span)
            }),
        }
    }

    /// `this month`, `last 6 months`
    fn relative(self, node: Node) -> Result<Literal> {
        let span = self.span(&node);
        let mut parts = parts(node);
        let which = first(&mut parts).as_str().to_ascii_lowercase();
        let next = first(&mut parts);
        if next.as_rule() == Rule::number {
            let unit = first(&mut parts);
            let count = self.whole(&next, unit.as_str(), false)?;
            let forward = which == "next";
            return match which.as_str() {
                "this" => Err(bad("`this` takes no number", span)
                    .hint("write `last 6 months` or `next 6 months`")),
                _ if count == 0 => Err(bad("a period of no length", span)),
                _ if unit.as_rule() == Rule::business_unit => Ok(Literal::BusinessSpan {
                    count,
                    unit: business_unit(unit.as_str()),
                    forward,
                }),
                _ => Ok(Literal::Span {
                    count,
                    unit: self::unit(unit.as_str()),
                    forward,
                }),
            };
        }
        let word = next.as_str();
        if next.as_rule() == Rule::business_unit {
            return Err(bad(format!("`{which} {word}` lacks a number"), span)
                .hint("write `next 1 business day` or `last 4 business hours`"));
        }
        if word.ends_with(['s', 'S']) {
            let singular = &word[..word.len() - 1];
            return Err(bad(format!("`{which} {word}` lacks a number"), span)
                .hint(format!("write `{which} {singular}`, or `last 6 {word}`")));
        }
        let offset = match which.as_str() {
            "last" => -1,
            "next" => 1,
            _ => 0,
        };
        Ok(Literal::RelativePeriod {
            offset,
            unit: unit(word),
        })
    }

    /// A count of units.
    fn whole(self, node: &Node, unit: &str, negative: bool) -> Result<i64> {
        match number(node.as_str(), negative).map_err(|error| error.at(self.span(node)))? {
            Literal::Integer(count) => Ok(count),
            other => {
                let message = format!("`{}` is no whole number", node.as_str());
                Err(bad(message, self.span(node)).hint(match other {
                    Literal::Number(count) => smaller(count, unit),
                    _ => "units are counted".to_owned(),
                }))
            }
        }
    }
}

/// How a broken count of units is written.
fn smaller(count: f64, unit: &str) -> String {
    let words = unit.to_ascii_lowercase();
    let business = match words.starts_with("business") {
        true => "business ",
        false => "",
    };
    let (name, times) = match (self::unit(words.trim_start_matches("business")), business) {
        (Unit::Hour, _) => ("minutes", 60.0),
        (Unit::Day, "") => ("hours", 24.0),
        (Unit::Week, _) => ("days", 7.0),
        (Unit::Year | Unit::FiscalYear, _) => ("months", 12.0),
        (Unit::Quarter | Unit::FiscalQuarter, _) => ("months", 3.0),
        (Unit::Day, _) => ("hours", f64::NAN),
        (Unit::Month | Unit::FiscalMonth, _) => ("days", f64::NAN),
        (Unit::Minute, _) => return "a minute is the smallest unit".to_owned(),
    };
    let many = count * times;
    match many.fract() == 0.0 {
        true => format!("write `{many} {business}{name}`"),
        false => format!("count in a smaller unit, `{business}{name}`"),
    }
}

fn bad(message: impl Into<String>, span: Span) -> Error {
    Error::new(Code::BadLiteral, message).at(span)
}

pub(super) fn unit(text: &str) -> Unit {
    let text = text.to_ascii_lowercase();
    let fiscal = text.starts_with("fiscal");
    match text
        .trim_start_matches("fiscal")
        .trim_start()
        .trim_end_matches('s')
    {
        "minute" => Unit::Minute,
        "hour" => Unit::Hour,
        "day" => Unit::Day,
        "week" => Unit::Week,
        "month" if fiscal => Unit::FiscalMonth,
        "month" => Unit::Month,
        "quarter" if fiscal => Unit::FiscalQuarter,
        "quarter" => Unit::Quarter,
        _ if fiscal => Unit::FiscalYear,
        _ => Unit::Year,
    }
}

pub(super) fn business_unit(text: &str) -> BusinessUnit {
    let text = text.to_ascii_lowercase();
    let unit = text.trim_start_matches("business").trim_start();
    match unit.trim_end_matches('s') {
        "minute" => BusinessUnit::Minute,
        "hour" => BusinessUnit::Hour,
        _ => BusinessUnit::Day,
    }
}

/// Before the point of a broken number; together with four behind it a floating-point number
/// holds them.
const EXACT_DIGITS: usize = 11;

/// Reads `12`, `1.5`, `100k`, `1.5m`, `40%`. Moving the point in the text keeps decimals exact.
fn number(text: &str, negative: bool) -> Result<Literal> {
    let sign = if negative { "-" } else { "" };
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let places = match &text[digits.len()..] {
        "" => 0,
        "k" | "K" => 3,
        "m" | "M" => 6,
        "%" => -2,
        _ => return Err(no_number(text)),
    };
    if !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') || digits.matches('.').count() > 1 {
        return Err(no_number(text));
    }
    let moved = format!("{sign}{}", move_point(digits, places));
    let out_of_range = || {
        Error::new(Code::BadLiteral, format!("`{text}` is out of range")).hint(format!(
            "whole numbers are at most {}, others below 1.8e308",
            i64::MAX
        ))
    };
    if places == -2 {
        return finite(&moved)
            .map(Literal::Percent)
            .ok_or_else(out_of_range);
    }
    let plain = places == 0 && digits.contains('.');
    if !plain && !moved.contains('.') {
        return moved
            .parse()
            .map(Literal::Integer)
            .map_err(|_| out_of_range());
    }
    let number = finite(&moved).ok_or_else(out_of_range)?;
    // A floating-point number may not hold it to the ten-thousandth of an amount.
    let whole = moved.trim_start_matches('-').find('.');
    Ok(match whole.is_some_and(|digits| digits > EXACT_DIGITS) {
        true => Literal::Decimal(moved),
        false => Literal::Number(number),
    })
}

fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Moves the decimal point of unsigned `digits`, to the right if `places` is positive.
pub(in crate::query::syntax) fn move_point(digits: &str, places: i32) -> String {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let shift = usize::try_from(places.unsigned_abs()).unwrap_or(0);
    let (whole, fraction) = if places >= 0 {
        let fraction = format!("{fraction:0<shift$}");
        (
            format!("{whole}{}", &fraction[..shift]),
            fraction[shift..].to_owned(),
        )
    } else {
        let whole = format!("{whole:0>width$}", width = shift + 1);
        let cut = whole.len() - shift;
        (
            whole[..cut].to_owned(),
            format!("{}{fraction}", &whole[cut..]),
        )
    };
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    match fraction.trim_end_matches('0') {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}

fn no_number(text: &str) -> Error {
    let error = Error::new(Code::BadLiteral, format!("`{text}` is no number"));
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    let digits = plain.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    match plain[digits.len()..].to_ascii_lowercase().as_str() {
        "" if plain != text => error.hint(format!("write `{plain}`")),
        "mio" | "mm" | "mn" | "mln" => error.hint(format!("write `{digits}m`")),
        "tsd" | "thousand" => error.hint(format!("write `{digits}k`")),
        "d" => error.hint(format!("write `{digits} days`")),
        "w" => error.hint(format!("write `{digits} weeks`")),
        "h" => error.hint(format!("write `{digits} hours`")),
        "y" => error.hint(format!("write `{digits} years`")),
        _ => error.hint(
            "a number is written `12`, `1.5`, `100k`, `1.5m` or `40%`; \
             a name that begins with a digit stands in back-quotes, a label in quotes",
        ),
    }
}

/// Reads `2026-07-15`, `2026-07`, `2026-Q3`, `2026-07-15T09:00`.
fn moment(text: &str) -> Result<Literal> {
    let parts: Vec<&str> = text.split('-').collect();
    let error = || {
        Error::new(
            Code::BadLiteral,
            format!("`{text}` is no date and no period"),
        )
    };
    if text.len() > 10 && matches!(text.as_bytes()[10], b'T' | b't') {
        return match date(&text[..10]) {
            Some(_) if is_clock(&text[11..]) => Ok(Literal::DateTime(text.to_ascii_uppercase())),
            _ => Err(error().hint("a date and time is written `2026-05-15T09:00`")),
        };
    }
    let year: i16 = parts[0].parse().map_err(|_| error())?;
    let subtract = "to subtract, put blanks around `-`";
    match parts[1..] {
        [quarter] if quarter.starts_with(['q', 'Q']) => match &quarter[1..] {
            "1" | "2" | "3" | "4" => {
                let number = i8::try_from(quarter.as_bytes()[1] - b'0').map_err(|_| error())?;
                period(year, number * 3 - 2, 3).ok_or_else(error)
            }
            _ => Err(error().hint(format!("the quarters are `{year:04}-Q1` to `{year:04}-Q4`"))),
        },
        [week] if week.starts_with(['w', 'W']) => Err(match monday(year, &week[1..]) {
            Some(monday) => error().hint(format!(
                "a week is named by a day in it: `week({monday})`, from that Monday up to {}",
                monday.add_days(7)?
            )),
            None => error().hint(format!("the weeks are `{year:04}-W01` to `{year:04}-W53`")),
        }),
        [month] => match (month.len(), month.parse::<i8>()) {
            (2, Ok(number @ 1..=12)) => period(year, number, 1).ok_or_else(error),
            (1, Ok(number @ 1..=9)) => Err(error().hint(format!(
                "the month is written `{year:04}-{number:02}`; {subtract}"
            ))),
            _ => Err(error().hint(format!(
                "the months are `{year:04}-01` to `{year:04}-12`; {subtract}"
            ))),
        },
        [month, day] => date(text).map(Literal::Date).ok_or_else(|| {
            match (month.parse::<i8>(), day.parse::<i8>()) {
                (Ok(month @ 1..=12), Ok(day @ 1..=31)) => {
                    if Date::from_ymd(year, month, day).is_some() {
                        return error().hint(format!(
                            "the day is written `{year:04}-{month:02}-{day:02}`"
                        ));
                    }
                    let last = (28..=31)
                        .rev()
                        .find(|day| Date::from_ymd(year, month, *day).is_some());
                    error().hint(match last {
                        Some(last) => format!("{year:04}-{month:02} has {last} days"),
                        None => "the years are 0001 to 9999".to_owned(),
                    })
                }
                _ => error().hint("a date is written `2026-07-15`: year, month, day"),
            }
        }),
        _ => Err(error().hint(subtract)),
    }
}

/// Reads `FY2027-Q1`, `FY2027-P03`.
fn fiscal(text: &str) -> Result<Literal> {
    let (year, part) = (&text[..6], &text[7..]);
    let number = part[1..].parse().unwrap_or(0);
    let known = match (part.starts_with(['q', 'Q']), part.len()) {
        (true, 2) => (1..=4).contains(&number),
        (false, 3) => (1..=12).contains(&number),
        _ => false,
    };
    if known && year[2..] != *"0000" {
        return Ok(Literal::Fiscal(text.to_ascii_uppercase()));
    }
    let year = year.to_ascii_uppercase();
    let error = Error::new(Code::BadLiteral, format!("`{text}` is no period"));
    Err(error.hint(format!(
        "fiscal quarters are `{year}-Q1` to `{year}-Q4`, fiscal months `{year}-P01` to `{year}-P12`"
    )))
}

/// The first day of a numbered week: week 1 has January 4.
fn monday(year: i16, week: &str) -> Option<Date> {
    let week: i64 = week.parse().ok().filter(|week| (1..=53).contains(week))?;
    let day = Date::from_ymd(year, 1, 4)?;
    let first = day.add_days(1 - i64::from(day.weekday())).ok()?;
    first.add_days(7 * (week - 1)).ok()
}

fn date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let digits = |range: Span| {
        text.get(range)
            .filter(|t| t.bytes().all(|b| b.is_ascii_digit()))
    };
    if text.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (digits(0..4)?, digits(5..7)?, digits(8..10)?);
    Date::from_ymd(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

fn period(year: i16, month: i8, months: i64) -> Option<Literal> {
    let start = Date::from_ymd(year, month, 1)?;
    Some(Literal::Period(Period::new(
        start,
        start.add_months(months).ok()?,
    )))
}

/// Whether `text` is `09:00`, `09:00:30`, `09:00:30.5`, with or without `Z` or an offset.
fn is_clock(text: &str) -> bool {
    let zone = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at(zone);
    let two = |text: &str, max: u8| {
        text.len() == 2
            && text
                .parse::<u8>()
                .is_ok_and(|n| n <= max && !text.starts_with('+'))
    };
    let clock_fits = match clock.split(':').collect::<Vec<_>>()[..] {
        [hour, minute] => two(hour, 23) && two(minute, 59),
        [hour, minute, second] => {
            let (second, fraction) = second.split_once('.').unwrap_or((second, "0"));
            let digits = fraction.bytes().all(|b| b.is_ascii_digit());
            two(hour, 23)
                && two(minute, 59)
                && two(second, 59)
                && digits
                && (1..=9).contains(&fraction.len())
        }
        _ => false,
    };
    clock_fits
        && match zone.get(1..).and_then(|offset| offset.split_once(':')) {
            Some((hour, minute)) => two(hour, 23) && two(minute, 59),
            None => zone.is_empty() || zone.eq_ignore_ascii_case("z"),
        }
}
