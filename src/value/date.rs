//! Days, moments and lengths of time.

use crate::error::{Code, Error, Result};
use jiff::civil;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A calendar day of the Gregorian calendar, years 1 to 9999.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Date(i32);

/// A moment: microseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct DateTime(i64);

/// A length of time in whole seconds; a day is 24 hours.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Duration(i64);

/// 0001-01-01.
const FIRST_DAY: i32 = -719_162;
/// 9999-12-31.
const LAST_DAY: i32 = 2_932_896;
/// 10000-01-01: no day of its own, only the end of a period that holds the last day.
const END_OF_DAYS: i32 = LAST_DAY + 1;

/// Microseconds in a day of 24 hours.
pub(super) const DAY_MICROS: i64 = 86_400_000_000;

impl Date {
    /// The day `year-month-day`, if there is one in years 1 to 9999.
    #[must_use]
    pub fn from_ymd(year: i16, month: i8, day: i8) -> Option<Self> {
        let real = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in_month(year.into(), month.into())).contains(&day.into());
        real.then(|| Self(days_from_ymd(year.into(), month.into(), day.into())))
    }

    /// The day `days` after 1970-01-01, held within years 1 to 9999 (and the day after, which
    /// ends periods).
    #[must_use]
    pub fn from_days(days: i32) -> Self {
        Self(days.clamp(FIRST_DAY, END_OF_DAYS))
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub fn days(self) -> i32 {
        self.0
    }

    /// Year, month (1 to 12) and day (1 to 31).
    #[must_use]
    pub fn ymd(self) -> (i16, i8, i8) {
        let (year, month, day) = ymd_from_days(self.0);
        let small = |n: i32| i8::try_from(n).unwrap_or(1);
        (
            i16::try_from(year).unwrap_or(i16::MAX),
            small(month),
            small(day),
        )
    }

    /// Monday is 1 and Sunday is 7.
    #[must_use]
    pub fn weekday(self) -> i8 {
        // 1970-01-01 was a Thursday.
        i8::try_from((i64::from(self.0) + 3).rem_euclid(7) + 1).unwrap_or(1)
    }

    /// The calendar quarter, 1 to 4.
    #[must_use]
    pub fn quarter(self) -> i8 {
        (self.ymd().1 + 2) / 3
    }

    /// Whole days from `earlier` to this day; negative if it is later.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> i64 {
        i64::from(self.0) - i64::from(earlier.0)
    }

    /// Months since January of the year 0: consecutive numbers for consecutive months.
    pub(crate) fn month_number(self) -> i32 {
        let (year, month, _) = ymd_from_days(self.0);
        year * 12 + month - 1
    }

    /// The first day of the month with this number.
    pub(super) fn of_month_number(number: i64) -> Result<Self> {
        i32::try_from(number)
            .ok()
            .filter(|n| (12..=120_000).contains(n))
            .map(|n| Self(days_from_ymd(n.div_euclid(12), n.rem_euclid(12) + 1, 1)))
            .ok_or_else(|| out_of_range("date"))
    }

    /// The day `days` later; an error beyond the year 9999.
    pub fn add_days(self, days: i64) -> Result<Self> {
        i64::from(self.0)
            .checked_add(days)
            .filter(|n| (i64::from(FIRST_DAY)..=i64::from(LAST_DAY)).contains(n))
            .map(|n| Self(i32::try_from(n).unwrap_or(LAST_DAY)))
            .ok_or_else(|| out_of_range("date"))
    }

    /// The same day `months` later, clamped to the end of a shorter month:
    /// 31 March less one month is 28 February.
    pub fn add_months(self, months: i64) -> Result<Self> {
        let (_, _, day) = ymd_from_days(self.0);
        let first = i64::from(self.month_number())
            .checked_add(months)
            .ok_or_else(|| out_of_range("date"))
            .and_then(Self::of_month_number)?;
        let (year, month, _) = ymd_from_days(first.0);
        first.add_days(i64::from(day.min(days_in_month(year, month)) - 1))
    }

    /// The day after, which for the last day is the end of days.
    pub(crate) fn end(self) -> Self {
        Self((self.0 + 1).min(END_OF_DAYS))
    }

    pub(super) fn to_civil(self) -> Option<civil::Date> {
        let (year, month, day) = self.ymd();
        civil::Date::new(year, month, day).ok()
    }

    #[cfg(test)]
    fn from_civil(date: civil::Date) -> Self {
        Self::from_days(days_from_ymd(
            date.year().into(),
            date.month().into(),
            date.day().into(),
        ))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// Days since 1970-01-01, counted in years that begin in March so that leap days come last.
pub(super) fn days_from_ymd(year: i32, month: i32, day: i32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The reverse of [`days_from_ymd`].
fn ymd_from_days(days: i32) -> (i32, i32, i32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    (year + era * 400 + i32::from(month <= 2), month, day)
}

pub(super) fn days_in_month(year: i32, month: i32) -> i32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl DateTime {
    /// The first there is, at which a new book is made: so all history comes after it.
    pub(crate) const FIRST: Self = Self(FIRST_DAY as i64 * DAY_MICROS);

    /// The moment `micros` microseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0
    }

    /// The moment `length` later; an error beyond the year 9999.
    #[allow(clippy::should_implement_trait, reason = "it can fail")]
    pub fn add(self, length: Duration) -> Result<Self> {
        let years = i64::from(FIRST_DAY) * DAY_MICROS..i64::from(END_OF_DAYS) * DAY_MICROS;
        length
            .0
            .checked_mul(1_000_000)
            .and_then(|micros| self.0.checked_add(micros))
            .filter(|micros| years.contains(micros))
            .map(Self)
            .ok_or_else(|| out_of_range("time"))
    }

    /// The length from `earlier` to this moment in whole seconds; negative if it is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let micros = i128::from(self.0) - i128::from(earlier.0);
        Duration(i64::try_from(micros / 1_000_000).unwrap_or(i64::MAX))
    }
}

impl Duration {
    /// The sum, if it is in range.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// A length of `seconds`.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// The length in seconds.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0
    }
}

pub(super) fn out_of_range(what: &str) -> Error {
    Error::new(
        Code::Overflow,
        format!("the {what} leaves the years 1 to 9999"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn edges_of_the_calendar() {
        let first = Date::from_ymd(1, 1, 1).unwrap();
        let last = Date::from_ymd(9999, 12, 31).unwrap();
        assert_eq!((first.days(), last.days()), (FIRST_DAY, LAST_DAY));
        assert!(first.add_days(-1).is_err() && last.add_days(1).is_err());
        assert!(first.add_months(-1).is_err() && last.add_months(1).is_err());
        assert!(first.add_months(i64::MAX).is_err() && first.add_days(i64::MIN).is_err());
        assert_eq!(last.end().ymd(), (10000, 1, 1));
        assert_eq!(last.weekday(), 5);
        for (year, month, day) in [(0, 1, 1), (10000, 1, 1), (2026, 2, 29), (1900, 2, 29)] {
            assert_eq!(Date::from_ymd(year, month, day), None);
        }
        assert!(Date::from_ymd(2000, 2, 29).is_some());
    }

    #[test]
    fn months_clamp() {
        let day = |y, m, d| Date::from_ymd(y, m, d).unwrap();
        assert_eq!(day(2026, 3, 31).add_months(-1).unwrap(), day(2026, 2, 28));
        assert_eq!(day(2024, 2, 29).add_months(12).unwrap(), day(2025, 2, 28));
        assert_eq!(
            day(2026, 1, 31).add_months(-12 * 2025).unwrap(),
            day(1, 1, 31)
        );
    }

    #[test]
    fn moments_move_within_their_years() {
        let day = DateTime(0).add(Duration(86_400)).unwrap();
        assert_eq!(day, DateTime(DAY_MICROS));
        assert_eq!(day.since(DateTime(1)), Duration(86_399));
        assert!(DateTime(0).add(Duration(i64::MAX)).is_err());
        assert!(DateTime(0).add(Duration(300_000_000_000)).is_err());
    }

    proptest! {
        #[test]
        fn arithmetic_agrees_with_jiff(days in FIRST_DAY..=LAST_DAY) {
            let date = Date::from_days(days);
            let civil = civil::date(1970, 1, 1) + jiff::Span::new().days(days);
            prop_assert_eq!(date.ymd(), (civil.year(), civil.month(), civil.day()));
            prop_assert_eq!(date.weekday(), civil.weekday().to_monday_one_offset());
            prop_assert_eq!(date.to_civil(), Some(civil));
            prop_assert_eq!(Date::from_civil(civil), date);
            let (year, month, day) = date.ymd();
            prop_assert_eq!(Date::from_ymd(year, month, day), Some(date));
        }
    }
}
