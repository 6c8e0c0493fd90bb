//! What SQLite and DuckDB spell differently: calendar arithmetic above all.

use super::fragment::{Level, Sql, integer};
use crate::query::syntax::Dialect;
use crate::value::Unit;

/// Seconds from the year 1 to 1970: added, no moment is negative, so that a quotient is cut down.
const BEFORE_1970: i64 = 62_135_596_800;

impl Dialect {
    /// The dialect's name as written in a statement.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::DuckDb => "duckdb",
        }
    }

    /// The function from a number to its character.
    pub(super) fn character(self) -> &'static str {
        match self {
            Self::Sqlite => "char",
            Self::DuckDb => "chr",
        }
    }

    /// The quotient of whole numbers that are not negative, cut down.
    pub(super) fn quotient(self, n: &Sql, by: i64) -> Sql {
        let sign = match self {
            Self::Sqlite => "/",
            Self::DuckDb => "//",
        };
        Sql::new(
            format!("{} {sign} {by}", n.at(Level::Product)),
            Level::Product,
        )
    }

    /// The day of what clocks showed.
    pub(super) fn day(self, local: &Sql) -> Sql {
        Sql::atom(match self {
            Self::Sqlite => format!("date({})", local.text),
            Self::DuckDb => format!("CAST({} AS DATE)", local.text),
        })
    }

    /// The day of microseconds since 1970 on local clocks.
    pub(super) fn day_of_micros(self, micros: &Sql) -> Sql {
        match self {
            Self::Sqlite => {
                let since = format!("{} + {}", micros.at(Level::Sum), BEFORE_1970 * 1_000_000);
                let seconds = self.quotient(&Sql::new(since, Level::Sum), 1_000_000);
                Sql::atom(format!(
                    "date({} - {BEFORE_1970}, 'unixepoch')",
                    seconds.text
                ))
            }
            Self::DuckDb => Sql::atom(format!("CAST(make_timestamp({}) AS DATE)", micros.text)),
        }
    }

    /// What local clocks show at microseconds since 1970, to the second or finer where need be.
    pub(super) fn clock_of_micros(self, micros: &Sql) -> Sql {
        match self {
            Self::Sqlite => {
                let since = format!("{} + {}", micros.at(Level::Sum), BEFORE_1970 * 1_000_000);
                let since = Sql::new(since, Level::Sum);
                let seconds = self.quotient(&since, 1_000_000);
                let rest = format!("{} % 1000000", since.at(Level::Product));
                Sql::atom(format!(
                    "(datetime({} - {BEFORE_1970}, 'unixepoch') || \
                     CASE {rest} WHEN 0 THEN '' ELSE printf('.%06d', {rest}) END)",
                    seconds.text
                ))
            }
            Self::DuckDb => Sql::call("make_timestamp", &[micros]),
        }
    }

    /// The first microsecond of a day, on local clocks, since 1970.
    pub(super) fn micros_of_day(self, day: &Sql) -> Sql {
        match self {
            Self::Sqlite => Sql::new(format!("unixepoch({}) * 1000000", day.text), Level::Product),
            Self::DuckDb => Sql::atom(format!("epoch_us(CAST({} AS TIMESTAMP))", day.text)),
        }
    }

    /// A day so many days, so many times, later.
    pub(super) fn add_days(self, day: &Sql, days: i64, times: Option<&Sql>) -> Sql {
        if let (1.. | ..=-1, Some(times)) = (days, times) {
            let count = scaled(days, times);
            return match self {
                Self::Sqlite => {
                    Sql::atom(format!("date({}, ({}) || ' days')", day.text, count.text))
                }
                Self::DuckDb => {
                    let count = Sql::atom(format!("CAST({} AS INTEGER)", count.text));
                    Sql::binary(day, "+", &count, Level::Sum)
                }
            };
        }
        match (self, days) {
            (_, 0) => day.clone(),
            (Self::Sqlite, _) => {
                let word = if days.abs() == 1 { "day" } else { "days" };
                Sql::atom(format!("date({}, '{days:+} {word}')", day.text))
            }
            (Self::DuckDb, _) => {
                let sign = if days < 0 { '-' } else { '+' };
                Sql::new(
                    format!("{} {sign} {}", day.at(Level::Sum), days.unsigned_abs()),
                    Level::Sum,
                )
            }
        }
    }

    /// The same day of another month, or its last.
    pub(super) fn add_months(self, day: &Sql, months: i64, times: Option<&Sql>) -> Sql {
        if let (1.. | ..=-1, Some(times)) = (months, times) {
            let count = scaled(months, times);
            let (d, n) = (&day.text, count.text);
            return Sql::atom(match self {
                Self::Sqlite => format!(
                    "min(date({d}, 'start of month', ({n}) || ' months', \
                     '+' || (strftime('%d', {d}) - 1) || ' days'), \
                     date({d}, 'start of month', ({n} + 1) || ' months', '-1 day'))"
                ),
                Self::DuckDb => format!(
                    "CAST({} + INTERVAL ({n}) MONTH AS DATE)",
                    day.at(Level::Sum)
                ),
            });
        }
        match (self, months) {
            (_, 0) => day.clone(),
            (Self::Sqlite, _) => {
                let d = &day.text;
                Sql::atom(format!(
                    "min(date({d}, 'start of month', '{months:+} months', \
                     '+' || (strftime('%d', {d}) - 1) || ' days'), \
                     date({d}, 'start of month', '{:+} months', '-1 day'))",
                    months.saturating_add(1)
                ))
            }
            (Self::DuckDb, _) => self.moved(day, months),
        }
    }

    /// DuckDB's months clamp.
    fn moved(self, day: &Sql, months: i64) -> Sql {
        let sign = if months < 0 { '-' } else { '+' };
        Sql::atom(format!(
            "CAST({} {sign} INTERVAL {} MONTH AS DATE)",
            day.at(Level::Sum),
            months.unsigned_abs()
        ))
    }

    /// The first day of another month, for a first day of a month.
    fn months_later(self, first: &Sql, months: i64) -> Sql {
        match self {
            Self::Sqlite => {
                let word = if months.abs() == 1 { "month" } else { "months" };
                Sql::atom(format!("date({}, '{months:+} {word}')", first.text))
            }
            Self::DuckDb => self.moved(first, months),
        }
    }

    pub(super) fn days_between(self, from: &Sql, to: &Sql) -> Sql {
        match self {
            Self::Sqlite => Sql::atom(format!(
                "CAST(julianday({}) - julianday({}) AS INTEGER)",
                to.text, from.text
            )),
            Self::DuckDb => Sql::binary(to, "-", from, Level::Sum),
        }
    }

    /// 1 (Monday) to 7.
    pub(super) fn weekday(self, day: &Sql) -> Sql {
        match self {
            Self::Sqlite => Sql::new(
                format!("(strftime('%w', {}) + 6) % 7 + 1", day.text),
                Level::Sum,
            ),
            Self::DuckDb => Sql::call("isodow", &[day]),
        }
    }

    pub(super) fn month_of_year(self, day: &Sql) -> Sql {
        match self {
            Self::Sqlite => Sql::atom(format!("CAST(strftime('%m', {}) AS INTEGER)", day.text)),
            Self::DuckDb => Sql::call("month", &[day]),
        }
    }

    /// The first day of the unit that holds the day, in a year that starts with the month `first`.
    pub(super) fn start_of(self, unit: Unit, day: &Sql, first: i64) -> Sql {
        let d = &day.text;
        let months = |width: i64, first: i64| match (self, width, first) {
            (Self::Sqlite, 1, _) => Sql::atom(format!("date({d}, 'start of month')")),
            (Self::Sqlite, 12, 1) => Sql::atom(format!("date({d}, 'start of year')")),
            (Self::Sqlite, ..) => Sql::atom(format!(
                "date({d}, 'start of month', \
                 '-' || ((strftime('%m', {d}) + {}) % {width}) || ' months')",
                12 - first
            )),
            (Self::DuckDb, ..) => {
                let word = match width {
                    1 => "month",
                    3 => "quarter",
                    _ => "year",
                };
                let ahead = (first - 1) % width;
                let day = match ahead {
                    0 => day.clone(),
                    _ => self.moved(day, -ahead),
                };
                let start = Sql::atom(format!("CAST(date_trunc('{word}', {}) AS DATE)", day.text));
                match ahead {
                    0 => start,
                    _ => self.moved(&start, ahead),
                }
            }
        };
        match unit {
            Unit::Minute | Unit::Hour | Unit::Day => day.clone(),
            Unit::Week => Sql::atom(match self {
                Self::Sqlite => format!("date({d}, 'weekday 0', '-6 days')"),
                Self::DuckDb => format!("CAST(date_trunc('week', {d}) AS DATE)"),
            }),
            Unit::Month | Unit::FiscalMonth => months(1, 1),
            Unit::Quarter => months(3, 1),
            Unit::Year => months(12, 1),
            Unit::FiscalQuarter => months(3, first),
            Unit::FiscalYear => months(12, first),
        }
    }

    /// The day after the last of the unit that starts on the day.
    pub(super) fn end_of(self, unit: Unit, start: &Sql) -> Sql {
        match unit {
            Unit::Minute | Unit::Hour | Unit::Day => self.add_days(start, 1, None),
            Unit::Week => self.add_days(start, 7, None),
            Unit::Month | Unit::FiscalMonth => self.months_later(start, 1),
            Unit::Quarter | Unit::FiscalQuarter => self.months_later(start, 3),
            Unit::Year | Unit::FiscalYear => self.months_later(start, 12),
        }
    }

    /// A value of JSON beside values of other types.
    pub(super) fn json(self, text: &str) -> String {
        match self {
            Self::Sqlite => text.to_owned(),
            Self::DuckDb => format!("to_json({text})"),
        }
    }

    /// The array of a JSON item of each row, `[]` of none.
    pub(super) fn array(self, item: &str) -> String {
        match self {
            Self::Sqlite => format!("json_group_array({item})"),
            Self::DuckDb => format!("coalesce(json_group_array({item}), '[]')"),
        }
    }

    /// The array of the JSON items of a window's rows that have one, NULL of none.
    pub(super) fn array_over(self, item: &str, window: &str) -> String {
        let there = format!("FILTER (WHERE {item} IS NOT NULL) {window}");
        match self {
            Self::Sqlite => format!("nullif(json_group_array({item}) {there}, '[]')"),
            Self::DuckDb => format!("to_json(list({item}) {there})"),
        }
    }

    /// The lesser or greater of two values that are there.
    pub(super) fn extreme(self, least: bool) -> &'static str {
        match (self, least) {
            (Self::Sqlite, true) => "min",
            (Self::Sqlite, false) => "max",
            (Self::DuckDb, true) => "least",
            (Self::DuckDb, false) => "greatest",
        }
    }
}

/// A number so many times.
pub(super) fn scaled(n: i64, times: &Sql) -> Sql {
    match n {
        1 => times.clone(),
        _ => Sql::binary(&integer(n), "*", times, Level::Product),
    }
}
