//! Periods: half-open spans of days, and the units of the calendar that name them.

use super::date::out_of_range;
use super::{Clock, Date};
use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

/// A half-open span of days, from `start` up to but not including `end`.
///
/// A period of the fiscal year is named as one; it equals the calendar's of the same days.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Period {
    start: Date,
    end: Date,
    #[serde(skip)]
    fiscal: bool,
}

impl PartialEq for Period {
    fn eq(&self, other: &Self) -> bool {
        self.days() == other.days()
    }
}

impl Eq for Period {}

impl PartialOrd for Period {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Period {
    fn cmp(&self, other: &Self) -> Ordering {
        self.days().cmp(&other.days())
    }
}

impl Hash for Period {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.days().hash(state);
    }
}

/// A unit of the calendar or the clock, as written in `this quarter` or `7 days`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// 60 seconds.
    Minute,
    /// 60 minutes.
    Hour,
    /// A calendar day.
    Day,
    /// Seven days; calendar weeks begin on Monday.
    Week,
    /// A calendar month.
    Month,
    /// Three months.
    Quarter,
    /// Twelve months.
    Year,
    /// A month of the fiscal year: the calendar's, or 4 to 6 weeks.
    FiscalMonth,
    /// Three months of the fiscal year.
    FiscalQuarter,
    /// A fiscal year, named for the calendar year in which it ends.
    FiscalYear,
}

impl Period {
    /// The days from `start` up to but not including `end`; an end before the start is the start.
    #[must_use]
    pub fn new(start: Date, end: Date) -> Self {
        Self {
            start,
            end: end.max(start),
            fiscal: false,
        }
    }

    fn days(self) -> (Date, Date) {
        (self.start, self.end)
    }

    /// The same days, named as a part of the fiscal year.
    pub(crate) fn in_fiscal_year(self) -> Self {
        Self {
            fiscal: true,
            ..self
        }
    }

    /// The calendar year that a number is read as: one of four digits.
    pub(crate) fn of_year(year: i64) -> Option<Self> {
        let known = (1000..=9999).contains(&year);
        known.then(|| Self::numbered(Unit::Year, year, &Clock::system()).ok())?
    }

    /// The first day.
    #[must_use]
    pub fn start(self) -> Date {
        self.start
    }

    /// The day after the last.
    #[must_use]
    pub fn end(self) -> Date {
        self.end
    }

    /// Whether `day` lies in the period.
    #[must_use]
    pub fn contains(self, day: Date) -> bool {
        self.start <= day && day < self.end
    }

    /// The calendar `unit` that holds `day`, `offset` units later: -1 is the last one.
    ///
    /// `Minute` and `Hour` have no period of days and count as `Day`.
    pub fn of_unit(unit: Unit, day: Date, offset: i64, clock: &Clock) -> Result<Self> {
        unit.number_of(day, clock)
            .checked_add(offset)
            .ok_or_else(|| out_of_range("period"))
            .and_then(|number| Self::numbered(unit, number, clock))
    }

    /// The period of the unit with this number: the reverse of [`Unit::number_of`].
    pub(crate) fn numbered(unit: Unit, number: i64, clock: &Clock) -> Result<Self> {
        let start = |number: i64| {
            let scaled = |width: i64, shift: i64| {
                let n = number.checked_mul(width).and_then(|n| n.checked_add(shift));
                n.ok_or_else(|| out_of_range("period"))
            };
            let width = match unit {
                Unit::Minute | Unit::Hour | Unit::Day => {
                    return Date::default().add_days(number);
                }
                Unit::Week => return Date::default().add_days(scaled(7, -3)?),
                Unit::Month => 1,
                Unit::Quarter => 3,
                Unit::Year => 12,
                Unit::FiscalMonth => return clock.fiscal.start_of(number),
                Unit::FiscalQuarter => return clock.fiscal.start_of(scaled(3, 0)?),
                Unit::FiscalYear => return clock.fiscal.start_of(scaled(12, 0)?),
            };
            Date::of_month_number(scaled(width, 0)?)
        };
        let end = number
            .checked_add(1)
            .ok_or_else(|| out_of_range("period"))?;
        // The units that hold the first and the last day are cut at the ends of the calendar.
        let first = Date::from_days(i32::MIN);
        let beyond = Date::from_days(i32::MAX);
        let period = match (start(number), start(end)) {
            (Ok(start), end) if start < beyond => Self::new(start, end.unwrap_or(beyond)),
            (Ok(_), _) => return Err(out_of_range("period")),
            (Err(_), Ok(end)) if end > first => Self::new(first, end),
            (Err(error), _) => return Err(error),
        };
        Ok(Self {
            fiscal: unit.is_fiscal(),
            ..period
        })
    }

    /// The calendar year, quarter or month that `text` names: `2026`, `2026-Q3`, `2026-07`.
    pub(crate) fn parse_name(text: &str) -> Option<Self> {
        let (year, rest) = text.split_at_checked(4)?;
        if !year.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let year: i64 = year.parse().ok().filter(|&year| year > 0)?;
        let small = |text: &str, width: usize, most: i64| {
            let digits = text.len() == width && text.bytes().all(|b| b.is_ascii_digit());
            let n: i64 = digits.then(|| text.parse().ok()).flatten()?;
            (1..=most).contains(&n).then_some(n)
        };
        let (unit, number) = match rest.strip_prefix('-') {
            None if rest.is_empty() => (Unit::Year, year),
            None => return None,
            Some(rest) => match rest.strip_prefix(['Q', 'q']) {
                Some(quarter) => (Unit::Quarter, year * 4 + small(quarter, 1, 4)? - 1),
                None => (Unit::Month, year * 12 + small(rest, 2, 12)? - 1),
            },
        };
        Self::numbered(unit, number, &Clock::system()).ok()
    }

    /// The shortest name of the period, which reads as the same period: `2026`,
    /// `2026-Q3`, `2026-07`, `2026-05-15`; of a fiscal year that is not the calendar's `FY2026`,
    /// `FY2026-Q3` and `FY2026-P07` for its seventh month; else first and last day,
    /// `2026-01-01..2026-02-15`.
    #[must_use]
    pub fn name(self, clock: &Clock) -> String {
        let (year, month, _) = self.start.ymd();
        let is = |unit| Self::of_unit(unit, self.start, 0, clock).is_ok_and(|p| p == self);
        let calendar = !self.fiscal || clock.fiscal.first_month() == Some(1);
        if !calendar && let Some(name) = self.fiscal_name(clock) {
            return name;
        }
        if is(Unit::Year) {
            return format!("{year:04}");
        } else if is(Unit::Quarter) {
            return format!("{year:04}-Q{}", self.start.quarter());
        } else if is(Unit::Month) {
            return format!("{year:04}-{month:02}");
        } else if is(Unit::Day) {
            return self.start.to_string();
        }
        self.fiscal_name(clock).unwrap_or_else(|| {
            let last = Date::from_days(self.end.days() - 1);
            format!("{}..{last}", self.start)
        })
    }

    /// The name of a fiscal year, quarter or month.
    fn fiscal_name(self, clock: &Clock) -> Option<String> {
        let is = |unit| Self::of_unit(unit, self.start, 0, clock).is_ok_and(|p| p == self);
        let month = clock.fiscal.month_of(self.start);
        let year = month.div_euclid(12) + clock.fiscal.name_shift();
        Some(if is(Unit::FiscalYear) {
            format!("FY{year:04}")
        } else if is(Unit::FiscalQuarter) {
            format!("FY{year:04}-Q{}", month.rem_euclid(12) / 3 + 1)
        } else if is(Unit::FiscalMonth) {
            format!("FY{year:04}-P{:02}", month.rem_euclid(12) + 1)
        } else {
            return None;
        })
    }

    /// `last n units`: from today less n units up to and including today.
    pub fn last(n: i64, unit: Unit, clock: &Clock) -> Result<Self> {
        let today = clock.today();
        Ok(Self::new(
            unit.add_to(today, n.saturating_neg())?,
            today.end(),
        ))
    }

    /// `next n units`: from today up to and including today plus n units.
    pub fn next(n: i64, unit: Unit, clock: &Clock) -> Result<Self> {
        let today = clock.today();
        Ok(Self::new(today, unit.add_to(today, n)?.end()))
    }
}

impl Unit {
    /// The unit that `word` names, in singular or plural and any case: `months`,
    /// `fiscal quarter`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase().replace('_', " ");
        let word: Vec<&str> = word.split_whitespace().collect();
        let word = word.join(" ");
        Some(match word.strip_suffix('s').unwrap_or(&word) {
            "minute" => Self::Minute,
            "hour" => Self::Hour,
            "day" => Self::Day,
            "week" => Self::Week,
            "month" => Self::Month,
            "quarter" => Self::Quarter,
            "year" => Self::Year,
            "fiscal month" => Self::FiscalMonth,
            "fiscal quarter" => Self::FiscalQuarter,
            "fiscal year" => Self::FiscalYear,
            _ => return None,
        })
    }

    /// Whether it is a part of the fiscal year.
    pub(crate) fn is_fiscal(self) -> bool {
        matches!(
            self,
            Self::FiscalMonth | Self::FiscalQuarter | Self::FiscalYear
        )
    }

    /// The number of the unit that holds `day`: consecutive for consecutive units, so that a
    /// bucket is a small integer; [`Period::numbered`] is the period.
    pub(crate) fn number_of(self, day: Date, clock: &Clock) -> i64 {
        match self {
            Self::Minute | Self::Hour | Self::Day => i64::from(day.days()),
            // Day -3 was a Monday.
            Self::Week => (i64::from(day.days()) + 3).div_euclid(7),
            Self::Month => i64::from(day.month_number()),
            Self::Quarter => i64::from(day.month_number()).div_euclid(3),
            Self::Year => i64::from(day.month_number()).div_euclid(12),
            Self::FiscalMonth => clock.fiscal.month_of(day),
            Self::FiscalQuarter => clock.fiscal.month_of(day).div_euclid(3),
            Self::FiscalYear => clock.fiscal.month_of(day).div_euclid(12),
        }
    }

    /// `day` moved by `n` units, months clamped; minutes and hours in whole days, fiscal units
    /// as the calendar's.
    pub fn add_to(self, day: Date, n: i64) -> Result<Date> {
        match self {
            Self::Minute => day.add_days(n / 1440),
            Self::Hour => day.add_days(n / 24),
            Self::Day => day.add_days(n),
            Self::Week => day.add_days(n.saturating_mul(7)),
            Self::Month | Self::FiscalMonth => day.add_months(n),
            Self::Quarter | Self::FiscalQuarter => day.add_months(n.saturating_mul(3)),
            Self::Year | Self::FiscalYear => day.add_months(n.saturating_mul(12)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::FiscalYear;
    use crate::value::parse::parse_date;
    use proptest::prelude::*;

    fn date(text: &str) -> Date {
        parse_date(text).unwrap()
    }

    fn fiscal(start: i8) -> Clock {
        Clock {
            fiscal: FiscalYear::from_month(start).unwrap(),
            ..Clock::system()
        }
    }

    const UNITS: [Unit; 8] = [
        Unit::Day,
        Unit::Week,
        Unit::Month,
        Unit::Quarter,
        Unit::Year,
        Unit::FiscalMonth,
        Unit::FiscalQuarter,
        Unit::FiscalYear,
    ];

    #[test]
    fn a_year_is_its_days() {
        let year = Period::new(date("2026-01-01"), date("2027-01-01"));
        assert_eq!(Period::of_year(2026), Some(year));
        assert!(Period::of_year(9999).is_some());
        for no_year in [999, 5, 0, -2026, 10_000, 40_000] {
            assert_eq!(Period::of_year(no_year), None);
        }
        assert_eq!(Period::of_year(i64::MAX), None);
    }

    #[test]
    fn calendar_units_hold_the_day() {
        let clock = fiscal(2);
        let day = date("2026-05-15");
        for (unit, offset, start, end) in [
            (Unit::Week, 0, "2026-05-11", "2026-05-18"),
            (Unit::Month, -1, "2026-04-01", "2026-05-01"),
            (Unit::Quarter, 0, "2026-04-01", "2026-07-01"),
            (Unit::Quarter, -2, "2025-10-01", "2026-01-01"),
            (Unit::Year, 1, "2027-01-01", "2028-01-01"),
            (Unit::FiscalQuarter, 0, "2026-05-01", "2026-08-01"),
            (Unit::FiscalYear, 0, "2026-02-01", "2027-02-01"),
        ] {
            let period = Period::of_unit(unit, day, offset, &clock).unwrap();
            assert_eq!(
                period,
                Period::new(date(start), date(end)),
                "{unit:?} {offset}"
            );
        }
    }

    #[test]
    fn periods_have_names() {
        let clock = fiscal(2);
        for (start, end, name) in [
            ("2026-01-01", "2027-01-01", "2026"),
            ("2026-07-01", "2026-10-01", "2026-Q3"),
            ("2026-07-01", "2026-08-01", "2026-07"),
            ("2026-05-15", "2026-05-16", "2026-05-15"),
            ("2026-02-01", "2027-02-01", "FY2027"),
            ("2026-11-01", "2027-02-01", "FY2027-Q4"),
            ("2026-01-01", "2026-02-16", "2026-01-01..2026-02-15"),
        ] {
            assert_eq!(Period::new(date(start), date(end)).name(&clock), name);
        }
        // A part of the fiscal year keeps its name where the calendar has one for its days.
        let clock = fiscal(4);
        for (unit, name) in [
            (Unit::FiscalMonth, "FY2027-P02"),
            (Unit::FiscalQuarter, "FY2027-Q1"),
            (Unit::FiscalYear, "FY2027"),
            (Unit::Month, "2026-05"),
            (Unit::Quarter, "2026-Q2"),
            (Unit::Year, "2026"),
        ] {
            let period = Period::of_unit(unit, date("2026-05-15"), 0, &clock).unwrap();
            assert_eq!(period.name(&clock), name);
        }
        // With calendar years, there is no second name.
        let year = Period::of_unit(Unit::FiscalYear, date("2026-05-15"), 0, &fiscal(1));
        assert_eq!(year.unwrap().name(&fiscal(1)), "2026");
    }

    #[test]
    fn names_are_strict() {
        for text in [
            "2026-7", "2026-13", "2026-00", "2026-Q5", "2026-Q", "26", "0000", "+202",
        ] {
            assert_eq!(Period::parse_name(text), None, "{text}");
        }
    }

    #[test]
    fn units_have_words() {
        for (word, unit) in [
            ("Months", Some(Unit::Month)),
            ("fiscal  quarter", Some(Unit::FiscalQuarter)),
            ("fiscal_year", Some(Unit::FiscalYear)),
            ("s", None),
            ("fortnight", None),
        ] {
            assert_eq!(Unit::parse(word), unit);
        }
    }

    #[test]
    fn far_offsets_are_errors() {
        for unit in UNITS {
            for offset in [i64::MAX, i64::MIN, 20_000_000] {
                assert!(Period::of_unit(unit, date("2026-05-15"), offset, &fiscal(3)).is_err());
            }
        }
    }

    proptest! {
        #[test]
        fn units_hold_their_day(days in -719_162i32..=2_932_896, start in 1i8..=12) {
            let weeks = FiscalYear::from_weeks("4-4-5 ending last friday of june").unwrap();
            for clock in [fiscal(start), Clock { fiscal: weeks, ..Clock::system() }] {
            for day in [Date::from_days(days), date("0001-01-01"), date("9999-12-31")] {
                for unit in UNITS {
                    let period = Period::of_unit(unit, day, 0, &clock).unwrap();
                    prop_assert!(period.contains(day), "{:?} {:?} {:?}", unit, day, period);
                    if let Ok(next) = Period::of_unit(unit, day, 1, &clock) {
                        prop_assert_eq!(next.start(), period.end());
                    }
                }
            }
            }
        }
    }
}
