//! Fiscal years: twelve months from any month on, or whole weeks in a pattern such as 4-4-5.

use super::Date;
use super::date::{days_from_ymd, days_in_month, out_of_range};
use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a book's fiscal years, quarters and months are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiscalYear(Cut);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Cut {
    /// Twelve months from this one, 1 to 12.
    Months(i8),
    Weeks(Weeks),
}

/// Years of 52 or 53 weeks that end on a weekday at the end of a month. The 53rd week belongs to
/// the last month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Weeks {
    /// Weeks of the three months of each quarter: two of 4 and one of 5.
    pattern: [u8; 3],
    /// The year's last day: 1 is Monday.
    weekday: i8,
    /// The month at whose end years end, 1 to 12.
    month: i8,
    /// Whether that is the weekday nearest the month's last day, not the last one in the month.
    nearest: bool,
}

const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const WEEKS_A_QUARTER: i64 = 13;

impl Default for FiscalYear {
    /// The calendar year.
    fn default() -> Self {
        Self(Cut::Months(1))
    }
}

impl FiscalYear {
    /// Years of twelve months from `month` on, 1 to 12.
    #[must_use]
    pub fn from_month(month: i8) -> Option<Self> {
        (1..=12)
            .contains(&month)
            .then_some(Self(Cut::Months(month)))
    }

    /// Years of whole weeks: `4-4-5 ending last saturday of january`, or
    /// `4-4-5 ending saturday nearest end of january`; also 4-5-4 and 5-4-4.
    #[must_use]
    pub fn from_weeks(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let words: Vec<&str> = text.split_whitespace().collect();
        let pattern = match *words.first()? {
            "4-4-5" => [4, 4, 5],
            "4-5-4" => [4, 5, 4],
            "5-4-4" => [5, 4, 4],
            _ => return None,
        };
        let (weekday, month, nearest) = match words[1..] {
            ["ending", "last", weekday, "of", month] => (weekday, month, false),
            ["ending", weekday, "nearest", "end", "of", month] => (weekday, month, true),
            _ => return None,
        };
        let place = |names: &[&str], word| {
            let at = names.iter().position(|name| *name == word)?;
            i8::try_from(at + 1).ok()
        };
        Some(Self(Cut::Weeks(Weeks {
            pattern,
            weekday: place(&WEEKDAYS, weekday)?,
            month: place(&MONTHS, month)?,
            nearest,
        })))
    }

    /// The month in which years start, unless they are of weeks.
    pub(crate) fn first_month(self) -> Option<i8> {
        match self.0 {
            Cut::Months(month) => Some(month),
            Cut::Weeks(_) => None,
        }
    }

    /// The number of the fiscal month that holds `day`; twelve make a year, three a quarter.
    pub(super) fn month_of(self, day: Date) -> i64 {
        match self.0 {
            Cut::Months(start) => i64::from(day.month_number()) - i64::from(start) + 1,
            Cut::Weeks(weeks) => weeks.month_of(day),
        }
    }

    /// The first day of the fiscal month with this number.
    pub(super) fn start_of(self, month: i64) -> Result<Date> {
        match self.0 {
            Cut::Months(start) => month
                .checked_add(i64::from(start) - 1)
                .ok_or_else(|| out_of_range("period"))
                .and_then(Date::of_month_number),
            Cut::Weeks(weeks) => weeks.start_of(month),
        }
    }

    /// The year that a fiscal year is named for, that in which it ends, less its number.
    pub(super) fn name_shift(self) -> i64 {
        match self.0 {
            Cut::Months(1) | Cut::Weeks(_) => 0,
            Cut::Months(_) => 1,
        }
    }
}

impl Weeks {
    /// The first day of a year, in days since 1970. A year has the number of the calendar year
    /// of the month at whose end it ends.
    fn first_day(&self, year: i32) -> i32 {
        let month = i32::from(self.month);
        let before = year - 1;
        let last = days_from_ymd(before, month, days_in_month(before, month));
        // Day -3 was a Monday.
        let after = (last + 3 + 1 - i32::from(self.weekday)).rem_euclid(7);
        let end = match self.nearest && after > 3 {
            true => last + 7 - after,
            false => last - after,
        };
        end + 1
    }

    fn month_of(&self, day: Date) -> i64 {
        let (year, ..) = day.ymd();
        let year = i32::from(year);
        let holds = |year: &i32| day.days() < self.first_day(year + 1);
        // The year before ends after this day, or this year does, or else the next one.
        let year = (year - 1..=year).find(holds).unwrap_or(year + 1);
        let week = i64::from(day.days() - self.first_day(year)) / 7;
        let quarter = (week / WEEKS_A_QUARTER).min(3);
        let rest = week - quarter * WEEKS_A_QUARTER;
        let month = match rest {
            _ if rest < self.weeks_before(1) => 0,
            _ if rest < self.weeks_before(2) => 1,
            _ => 2,
        };
        i64::from(year) * 12 + quarter * 3 + month
    }

    fn start_of(&self, month: i64) -> Result<Date> {
        let year = i32::try_from(month.div_euclid(12)).ok();
        let year = year.filter(|year| (0..=10_000).contains(year));
        let year = year.ok_or_else(|| out_of_range("period"))?;
        let (quarter, rest) = (month.rem_euclid(12) / 3, month.rem_euclid(3));
        let weeks = quarter * WEEKS_A_QUARTER + self.weeks_before(rest);
        Date::default().add_days(i64::from(self.first_day(year)) + weeks * 7)
    }

    /// The weeks of a quarter before its month `month`, 0 to 2.
    fn weeks_before(&self, month: i64) -> i64 {
        let count = usize::try_from(month).unwrap_or(0);
        self.pattern.iter().take(count).map(|n| i64::from(*n)).sum()
    }
}

impl fmt::Display for FiscalYear {
    /// As `set fiscal year = ...` takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Weeks {
            pattern: [a, b, c],
            weekday,
            month,
            nearest,
        } = match self.0 {
            Cut::Months(month) => return write!(f, "{month}"),
            Cut::Weeks(weeks) => weeks,
        };
        let word = |names: &[&'static str], at: i8| {
            let at = usize::try_from(at - 1).unwrap_or(0);
            names.get(at).copied().unwrap_or_default()
        };
        let (weekday, month) = (word(&WEEKDAYS, weekday), word(&MONTHS, month));
        match nearest {
            true => write!(f, "{a}-{b}-{c} ending {weekday} nearest end of {month}"),
            false => write!(f, "{a}-{b}-{c} ending last {weekday} of {month}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Clock, Period, Unit};
    use proptest::prelude::*;

    fn weeks(text: &str) -> Clock {
        Clock {
            fiscal: FiscalYear::from_weeks(text).unwrap(),
            ..Clock::system()
        }
    }

    fn date(year: i16, month: i8, day: i8) -> Date {
        Date::from_ymd(year, month, day).unwrap()
    }

    #[test]
    fn retail_years_begin_where_the_trade_says() {
        // The 4-5-4 calendar of the National Retail Federation: its year 2023 had 53 weeks and
        // began on 2023-01-29, 2024 on 2024-02-04, 2025 on 2025-02-02, 2026 on 2026-02-01.
        // Here a year is named for its end.
        let clock = weeks("4-5-4 ending saturday nearest end of january");
        for (year, start) in [
            (2024, date(2023, 1, 29)),
            (2025, date(2024, 2, 4)),
            (2026, date(2025, 2, 2)),
            (2027, date(2026, 2, 1)),
        ] {
            let period = Period::numbered(Unit::FiscalYear, year, &clock).unwrap();
            assert_eq!(period.start(), start);
            assert_eq!(period.name(&clock), format!("FY{year}"));
        }
        let year = Period::numbered(Unit::FiscalYear, 2024, &clock).unwrap();
        assert_eq!(year.end().days() - year.start().days(), 53 * 7);
        // February 2026 has 4 weeks, March 5.
        let month = Period::of_unit(Unit::FiscalMonth, date(2026, 3, 1), 0, &clock).unwrap();
        assert_eq!(
            (month.start(), month.end()),
            (date(2026, 3, 1), date(2026, 4, 5))
        );
        assert_eq!(month.name(&clock), "FY2027-P02");
    }

    #[test]
    fn the_last_weekday_of_a_month() {
        let clock = weeks("4-4-5 ending last saturday of january");
        let day = date(2026, 5, 15);
        let year = Period::of_unit(Unit::FiscalYear, day, 0, &clock).unwrap();
        assert_eq!(
            (year.start(), year.end()),
            (date(2026, 2, 1), date(2027, 1, 31))
        );
        let quarter = Period::of_unit(Unit::FiscalQuarter, day, 0, &clock).unwrap();
        assert_eq!(
            (quarter.start(), quarter.end()),
            (date(2026, 5, 3), date(2026, 8, 2))
        );
        assert_eq!(quarter.name(&clock), "FY2027-Q2");
    }

    #[test]
    fn settings_are_strict_and_print() {
        for text in [
            "4-4-5 ending last saturday of january",
            "5-4-4 ending sunday nearest end of december",
        ] {
            assert_eq!(FiscalYear::from_weeks(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "4-4-4 ending last saturday of january",
            "4-4-5",
            "4-4-5 ending saturday of january",
            "4-4-5 ending last caturday of january",
        ] {
            assert_eq!(FiscalYear::from_weeks(text), None, "{text}");
        }
        assert_eq!(FiscalYear::from_month(13), None);
    }

    proptest! {
        #[test]
        fn years_of_weeks_tile_time(
            // From the year 4 on: the first years have no year before them to end.
            days in -718_000i32..2_932_000,
            pattern in proptest::sample::select(vec!["4-4-5", "4-5-4", "5-4-4"]),
            weekday in proptest::sample::select(WEEKDAYS.to_vec()),
            month in proptest::sample::select(MONTHS.to_vec()),
            nearest in any::<bool>(),
        ) {
            let end = match nearest {
                true => format!("{weekday} nearest end of {month}"),
                false => format!("last {weekday} of {month}"),
            };
            let clock = weeks(&format!("{pattern} ending {end}"));
            let day = Date::from_days(days);
            for unit in [Unit::FiscalYear, Unit::FiscalQuarter, Unit::FiscalMonth] {
                let number = unit.number_of(day, &clock);
                let period = Period::numbered(unit, number, &clock).unwrap();
                prop_assert!(period.contains(day));
                let next = Period::numbered(unit, number + 1, &clock).unwrap();
                prop_assert_eq!(next.start(), period.end());
                prop_assert_eq!(unit.number_of(next.start(), &clock), number + 1);
                let length = period.end().days() - period.start().days();
                prop_assert_eq!(length % 7, 0);
                let weeks = length / 7;
                let allowed = match unit {
                    Unit::FiscalYear => 52..=53,
                    Unit::FiscalQuarter => 13..=14,
                    _ => 4..=6,
                };
                prop_assert!(allowed.contains(&weeks), "{:?} of {} weeks", unit, weeks);
                if unit == Unit::FiscalYear {
                    let last = Date::from_days(period.end().days() - 1);
                    let place = usize::try_from(last.weekday() - 1).unwrap();
                    prop_assert_eq!(WEEKDAYS[place], weekday);
                }
            }
        }
    }
}
