//! Periods: half-open spans of days, and the units of the calendar that name them.

use super::{Clock, Date};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// A half-open span of days, from `start` up to but not including `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Period {
    start: Date,
    end: Date,
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
        }
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
        let (year, month, _) = day.ymd();
        let months = i64::from(year) * 12 + i64::from(month) - 1;
        let fiscal = months - i64::from(clock.fiscal_start - 1);
        let (first, width) = match unit {
            Unit::Minute | Unit::Hour | Unit::Day => {
                let start = day.add_days(offset)?;
                return Ok(Self::new(start, start.add_days(1)?));
            }
            Unit::Week => {
                let monday = day.add_days(1 - i64::from(day.weekday()) + 7 * offset)?;
                return Ok(Self::new(monday, monday.add_days(7)?));
            }
            Unit::Month => (months, 1),
            Unit::Quarter => (months - months.rem_euclid(3), 3),
            Unit::Year => (months - months.rem_euclid(12), 12),
            Unit::FiscalQuarter => (months - fiscal.rem_euclid(3), 3),
            Unit::FiscalYear => (months - fiscal.rem_euclid(12), 12),
        };
        let january = Date::from_ymd(1, 1, 1).unwrap_or_default();
        let start = january.add_months(first + offset * width - 12)?;
        Ok(Self::new(start, start.add_months(width)?))
    }

    /// `last n units`: from today less n units up to and including today.
    pub fn last(n: i64, unit: Unit, clock: &Clock) -> Result<Self> {
        let today = clock.today();
        Ok(Self::new(
            unit.add_to(today, n.saturating_neg())?,
            today.add_days(1)?,
        ))
    }

    /// `next n units`: from today up to and including today plus n units.
    pub fn next(n: i64, unit: Unit, clock: &Clock) -> Result<Self> {
        let today = clock.today();
        Ok(Self::new(today, unit.add_to(today, n)?.add_days(1)?))
    }
}

impl Unit {
    /// `day` moved by `n` units, months clamped; minutes and hours in whole days.
    pub fn add_to(self, day: Date, n: i64) -> Result<Date> {
        match self {
            Self::Minute => day.add_days(n / 1440),
            Self::Hour => day.add_days(n / 24),
            Self::Day => day.add_days(n),
            Self::Week => day.add_days(n.saturating_mul(7)),
            Self::Month => day.add_months(n),
            Self::Quarter | Self::FiscalQuarter => day.add_months(n.saturating_mul(3)),
            Self::Year | Self::FiscalYear => day.add_months(n.saturating_mul(12)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        Date::from_civil(text.parse().unwrap())
    }

    #[test]
    fn calendar_units_hold_the_day() {
        let clock = Clock {
            fiscal_start: 2,
            ..Clock::system()
        };
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
    fn months_clamp() {
        assert_eq!(
            date("2026-03-31").add_months(-1).unwrap(),
            date("2026-02-28")
        );
    }
}
