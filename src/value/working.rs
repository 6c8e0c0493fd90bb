//! Working hours: the spans of a week in which work is done, the days on which none is, and time
//! counted in them. All is wall-clock time in the book's zone; lengths are what really passes.

use super::date::{DAY_MICROS, out_of_range};
use super::{Clock, Date, DateTime, Duration};
use crate::error::Result;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// The spans of each weekday and the holidays.
#[derive(Debug, Default)]
pub(crate) struct WorkingHours {
    /// Monday first; microseconds since midnight, sorted, apart from each other, not empty.
    week: [Vec<(i64, i64)>; 7],
    holidays: BTreeSet<Date>,
}

impl WorkingHours {
    /// Hours from spans of a weekday (1 is Monday) and the days without any. Spans that touch
    /// become one; what lies outside a day is cut.
    pub(crate) fn new(
        spans: impl IntoIterator<Item = (i64, Duration, Duration)>,
        holidays: impl IntoIterator<Item = Date>,
    ) -> Self {
        let mut week: [Vec<(i64, i64)>; 7] = Default::default();
        let time = |length: Duration| {
            let micros = length.seconds().saturating_mul(1_000_000);
            micros.clamp(0, DAY_MICROS)
        };
        for (weekday, opens, closes) in spans {
            let (opens, closes) = (time(opens), time(closes));
            let day = usize::try_from(weekday - 1).ok();
            if let Some(day) = day.and_then(|day| week.get_mut(day))
                && opens < closes
            {
                day.push((opens, closes));
            }
        }
        for day in &mut week {
            day.sort_unstable();
            day.dedup_by(|next, last| {
                let touch = next.0 <= last.1;
                if touch {
                    last.1 = last.1.max(next.1);
                }
                touch
            });
        }
        let holidays = holidays.into_iter().collect();
        Self { week, holidays }
    }

    /// Whether no work is ever done.
    pub(crate) fn is_empty(&self) -> bool {
        self.week.iter().all(Vec::is_empty)
    }

    fn spans(&self, day: Date) -> &[(i64, i64)] {
        if self.holidays.contains(&day) {
            return &[];
        }
        let weekday = usize::try_from(day.weekday() - 1).unwrap_or(0);
        &self.week[weekday]
    }

    /// The day that is `count` working days after `day`, or before it.
    pub(crate) fn add_days(&self, day: Date, count: i64) -> Result<Date> {
        let mut day = day;
        let mut left = count.unsigned_abs();
        while left > 0 {
            day = day.add_days(count.signum())?;
            if !self.spans(day).is_empty() {
                left -= 1;
            }
        }
        Ok(day)
    }
}

/// Working time along the calendar: sums over days, made as far as they are asked for.
pub(crate) struct WorkingTime<'a> {
    hours: &'a WorkingHours,
    clock: &'a Clock,
    /// The day at which counting starts.
    anchor: Date,
    /// Microseconds worked from the start of the anchor to that of the day so many days later.
    after: Vec<i64>,
    /// The same for days before, negative.
    before: Vec<i64>,
}

impl<'a> WorkingTime<'a> {
    pub(crate) fn new(hours: &'a WorkingHours, clock: &'a Clock) -> Self {
        Self {
            hours,
            clock,
            anchor: clock.today(),
            after: vec![0],
            before: vec![0],
        }
    }

    /// Seconds worked between two moments; negative if the second is earlier.
    pub(crate) fn between(&mut self, from: DateTime, to: DateTime) -> i64 {
        let mut seconds = |moment| self.worked_until(moment).div_euclid(1_000_000);
        seconds(to) - seconds(from)
    }

    /// The moment at which `seconds` more are worked: the earliest one. For negative seconds the
    /// latest one from which on so many were worked until `moment`.
    pub(crate) fn add(&mut self, moment: DateTime, seconds: i64) -> Result<DateTime> {
        let (mut day, _) = self.clock.local_of(moment);
        let target = seconds
            .checked_mul(1_000_000)
            .and_then(|micros| self.worked_until(moment).checked_add(micros))
            .ok_or_else(|| out_of_range("time"))?;
        match seconds.cmp(&0) {
            Ordering::Equal => return Ok(moment),
            Ordering::Greater => {
                while self.start_of(day.add_days(1)?) < target {
                    day = day.add_days(1)?;
                }
            }
            Ordering::Less => {
                while self.start_of(day) > target {
                    day = day.add_days(-1)?;
                }
            }
        }
        let mut left = target - self.start_of(day);
        for (opens, closes) in self.spans(day) {
            let length = closes.micros() - opens.micros();
            if left < length || (left == length && seconds > 0) {
                return Ok(DateTime::from_micros(opens.micros() + left));
            }
            left -= length;
        }
        Err(out_of_range("time"))
    }

    /// The spans of a day as moments. A span within a gap of the clock is empty.
    fn spans(&self, day: Date) -> impl Iterator<Item = (DateTime, DateTime)> + use<'a> {
        let (hours, clock) = (self.hours, self.clock);
        let moment = move |micros: i64| match micros {
            DAY_MICROS => clock.start_of(day.end()),
            _ => clock.moment_at(day, micros),
        };
        hours.spans(day).iter().map(move |(opens, closes)| {
            let opens = moment(*opens);
            (opens, moment(*closes).max(opens))
        })
    }

    /// Microseconds worked from the anchor's start until a moment; negative before it.
    fn worked_until(&mut self, moment: DateTime) -> i64 {
        let (day, _) = self.clock.local_of(moment);
        let today: i64 = self
            .spans(day)
            .map(|(opens, closes)| (moment.min(closes).micros() - opens.micros()).max(0))
            .sum();
        self.start_of(day) + today
    }

    /// Microseconds worked from the anchor's start until that of `day`.
    fn start_of(&mut self, day: Date) -> i64 {
        let away = day.days() - self.anchor.days();
        let place = usize::try_from(away.unsigned_abs()).unwrap_or(usize::MAX);
        let length = |of: &Self, days: i32| -> i64 {
            of.spans(Date::from_days(of.anchor.days() + days))
                .map(|(opens, closes)| closes.micros() - opens.micros())
                .sum()
        };
        if away >= 0 {
            while self.after.len() <= place {
                let days = i32::try_from(self.after.len() - 1).unwrap_or(i32::MAX);
                let next = self.after[self.after.len() - 1] + length(self, days);
                self.after.push(next);
            }
            self.after[place]
        } else {
            while self.before.len() <= place {
                let days = i32::try_from(self.before.len()).unwrap_or(i32::MAX);
                let next = self.before[self.before.len() - 1] - length(self, -days);
                self.before.push(next);
            }
            self.before[place]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse_datetime;
    use proptest::prelude::*;

    const HOUR: i64 = 3600;

    fn berlin() -> Clock {
        let mut clock = Clock::system().in_zone("Europe/Berlin").unwrap();
        clock.now = parse_datetime("2026-05-15T09:00", &clock).unwrap();
        clock
    }

    fn hours(spans: &[(i64, i64, i64)], holidays: &[&str]) -> WorkingHours {
        let seconds = Duration::from_seconds;
        let spans = spans
            .iter()
            .map(|&(day, opens, closes)| (day, seconds(opens * HOUR), seconds(closes * HOUR)));
        let day = |text: &&str| berlin().date_of(parse_datetime(text, &berlin()).unwrap());
        WorkingHours::new(spans, holidays.iter().map(day))
    }

    fn office() -> Vec<(i64, i64, i64)> {
        (1..=5).map(|day| (day, 9, 17)).collect()
    }

    #[test]
    fn hours_are_counted_and_added() {
        let clock = berlin();
        let hours = hours(&office(), &["2026-05-14T00:00"]);
        let mut time = WorkingTime::new(&hours, &clock);
        let at = |text| parse_datetime(text, &clock).unwrap();
        for (from, to, worked) in [
            ("2026-05-12T15:00", "2026-05-12T16:30", 5400),
            ("2026-05-12T15:00", "2026-05-13T11:00", 4 * HOUR),
            ("2026-05-13T15:00", "2026-05-15T11:00", 4 * HOUR),
            ("2026-05-15T18:00", "2026-05-18T08:00", 0),
            ("2026-05-18T10:00", "2026-05-15T16:00", -2 * HOUR),
            ("2020-01-01T00:00", "2020-01-08T00:00", 40 * HOUR),
        ] {
            assert_eq!(time.between(at(from), at(to)), worked, "{from} {to}");
        }
        for (from, seconds, to) in [
            ("2026-05-12T15:00", 4 * HOUR, "2026-05-13T11:00"),
            ("2026-05-12T15:00", 2 * HOUR, "2026-05-12T17:00"),
            ("2026-05-13T17:00", 1, "2026-05-15T09:00:01"),
            ("2026-05-15T18:00", HOUR, "2026-05-18T10:00"),
            ("2026-05-15T18:00", 0, "2026-05-15T18:00"),
            ("2026-05-13T11:00", -4 * HOUR, "2026-05-12T15:00"),
            ("2026-05-13T11:00", -2 * HOUR, "2026-05-13T09:00"),
            ("2026-05-18T07:00", -HOUR, "2026-05-15T16:00"),
        ] {
            assert_eq!(
                time.add(at(from), seconds).unwrap(),
                at(to),
                "{from} {seconds}"
            );
        }
        assert!(time.add(at("2026-05-15T18:00"), i64::MAX).is_err());
        let day = |text| clock.date_of(at(text));
        let wednesday = day("2026-05-13T00:00");
        for (count, to) in [(0, 13), (1, 15), (2, 18), (-1, 12), (-3, 8)] {
            let found = hours.add_days(wednesday, count).unwrap();
            assert_eq!(found, Date::from_ymd(2026, 5, to).unwrap());
        }
        assert!(hours.add_days(wednesday, i64::MIN).is_err());
    }

    #[test]
    fn clock_changes_count_what_really_passes() {
        let clock = berlin();
        let at = |text| parse_datetime(text, &clock).unwrap();
        // Sundays: clocks go forward on 2026-03-29 at 2 and back on 2026-10-25 at 3.
        let hours = hours(&[(7, 0, 8), (7, 22, 24)], &[]);
        let mut time = WorkingTime::new(&hours, &clock);
        let day = |from, to| (at(from), at(to));
        let (from, to) = day("2026-03-29T00:00", "2026-03-30T00:00");
        assert_eq!(time.between(from, to), 9 * HOUR);
        let (from, to) = day("2026-10-25T00:00", "2026-10-26T00:00");
        assert_eq!(time.between(from, to), 11 * HOUR);
        assert_eq!(time.add(from, 9 * HOUR).unwrap(), at("2026-10-25T08:00"));
    }

    #[test]
    fn spans_that_touch_are_one() {
        let clock = berlin();
        let hours = hours(
            &[
                (1, 9, 12),
                (1, 11, 14),
                (1, 14, 15),
                (1, 16, 15),
                (8, 9, 10),
            ],
            &[],
        );
        assert_eq!(hours.week[0], [(9 * 3_600_000_000, 15 * 3_600_000_000)]);
        assert!(!hours.is_empty());
        assert!(WorkingHours::default().is_empty());
        let mut time = WorkingTime::new(&hours, &clock);
        let from = parse_datetime("2026-05-11T00:00", &clock).unwrap();
        let to = parse_datetime("2026-05-12T00:00", &clock).unwrap();
        assert_eq!(time.between(from, to), 6 * HOUR);
    }

    fn moment() -> impl Strategy<Value = DateTime> {
        // Half a year around a change of clocks.
        (1_761_000_000i64..1_777_000_000).prop_map(|n| DateTime::from_micros(n * 1_000_000))
    }

    proptest! {
        #[test]
        fn working_time_adds_up(
            spans in proptest::collection::vec((1i64..8, 0i64..25, 0i64..25), 1..8),
            (a, b, c) in (moment(), moment(), moment()),
            seconds in -2_000_000i64..2_000_000,
        ) {
            let clock = berlin();
            let hours = hours(&spans, &["2026-01-01T00:00", "2025-12-25T00:00"]);
            prop_assume!(!hours.is_empty());
            let mut time = WorkingTime::new(&hours, &clock);
            let whole = time.between(a, c);
            prop_assert_eq!(time.between(a, b) + time.between(b, c), whole);
            prop_assert_eq!(time.between(c, a), -whole);
            let moved = time.add(a, seconds).unwrap();
            prop_assert_eq!(time.between(a, moved), seconds);
            prop_assert!((moved >= a) == (seconds >= 0) || moved == a);
            // No earlier moment has so much work done; no later one, counting back.
            let beyond = DateTime::from_micros(moved.micros() - seconds.signum() * 1_000_000);
            prop_assert!(seconds == 0 || time.between(a, beyond) != seconds);
        }
    }
}
