//! Days, moments and lengths of time.

use crate::error::{Code, Error, Result};
use jiff::civil;
use serde::{Deserialize, Serialize};

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

/// Days from 0001-01-01 to 1970-01-01, negated.
const FIRST_DAY: i32 = -719_162;
/// 9999-12-31.
const LAST_DAY: i32 = 2_932_896;
const EPOCH: civil::Date = civil::Date::constant(1970, 1, 1);

impl Date {
    /// The day `year-month-day`, if there is one in years 1 to 9999.
    #[must_use]
    pub fn from_ymd(year: i16, month: i8, day: i8) -> Option<Self> {
        let date = civil::Date::new(year, month, day).ok()?;
        (1..=9999).contains(&year).then(|| Self::from_civil(date))
    }

    /// The day `days` after 1970-01-01, held within years 1 to 9999.
    #[must_use]
    pub fn from_days(days: i32) -> Self {
        Self(days.clamp(FIRST_DAY, LAST_DAY))
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub fn days(self) -> i32 {
        self.0
    }

    /// Year, month (1 to 12) and day (1 to 31).
    #[must_use]
    pub fn ymd(self) -> (i16, i8, i8) {
        let date = self.to_civil();
        (date.year(), date.month(), date.day())
    }

    /// Monday is 1 and Sunday is 7.
    #[must_use]
    pub fn weekday(self) -> i8 {
        self.to_civil().weekday().to_monday_one_offset()
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
        let (year, month, day) = self.ymd();
        let index = (i64::from(year) * 12 + i64::from(month) - 1)
            .checked_add(months)
            .ok_or_else(|| out_of_range("date"))?;
        let year = i16::try_from(index.div_euclid(12)).map_err(|_| out_of_range("date"))?;
        let month = i8::try_from(index.rem_euclid(12) + 1).unwrap_or(1);
        let first = civil::Date::new(year, month, 1).map_err(|_| out_of_range("date"))?;
        Self::from_ymd(year, month, day.min(first.days_in_month()))
            .ok_or_else(|| out_of_range("date"))
    }

    pub(crate) fn to_civil(self) -> civil::Date {
        EPOCH
            .checked_add(jiff::Span::new().days(self.0))
            .unwrap_or(EPOCH)
    }

    pub(crate) fn from_civil(date: civil::Date) -> Self {
        let days = date.duration_since(EPOCH).as_hours() / 24;
        Self::from_days(i32::try_from(days).unwrap_or(LAST_DAY))
    }
}

impl DateTime {
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
}

impl Duration {
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
