//! The clock of a book: the moment that is `now`, the zone, the calendar.

use super::date::{DAY_MICROS, out_of_range};
use super::{Currency, Date, DateTime, Duration, FiscalYear, Unit};
use crate::error::{Code, Error, Result};
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;

/// What `today`, `now` and `this quarter` mean: a moment, a time zone and a fiscal year.
///
/// The library reads the system's clock in [`Clock::system`] alone; everything else gets its
/// clock handed in, so that the same data and clock give the same answer.
#[derive(Clone, Debug)]
pub struct Clock {
    /// The moment that is now.
    pub now: DateTime,
    /// The zone in which days begin and end.
    pub zone: TimeZone,
    /// How fiscal years are cut.
    pub fiscal: FiscalYear,
    /// The currency of a bare number beside money.
    pub base: Currency,
}

impl Clock {
    /// The system's clock, in UTC with calendar years and US dollars.
    #[must_use]
    pub fn system() -> Self {
        let now = DateTime::from_micros(Timestamp::now().as_microsecond());
        Self {
            now,
            zone: TimeZone::UTC,
            fiscal: FiscalYear::default(),
            base: Currency::USD,
        }
    }

    /// The day it is.
    #[must_use]
    pub fn today(&self) -> Date {
        self.date_of(self.now)
    }

    /// The same clock in the zone with this IANA name, for example `Europe/Berlin`.
    pub fn in_zone(mut self, name: &str) -> Result<Self> {
        self.zone = TimeZone::get(name).map_err(|error| {
            Error::new(Code::BadValue, format!("there is no time zone `{name}`"))
                .expected("a zone such as UTC or Europe/Berlin")
                .caused_by(error)
        })?;
        Ok(self)
    }

    /// The day on which `moment` falls in the zone.
    #[must_use]
    pub fn date_of(&self, moment: DateTime) -> Date {
        self.local_of(moment).0
    }

    /// The first moment of `day` in the zone.
    #[must_use]
    pub fn start_of(&self, day: Date) -> DateTime {
        self.moment_at(day, 0)
    }

    /// Day and microseconds since its midnight as clocks in the zone show them at `moment`.
    pub(crate) fn local_of(&self, moment: DateTime) -> (Date, i64) {
        let shift = self.offset_micros(moment);
        let local = moment.micros().saturating_add(shift);
        let day = i32::try_from(local.div_euclid(DAY_MICROS)).unwrap_or(i32::MAX);
        (Date::from_days(day), local.rem_euclid(DAY_MICROS))
    }

    /// What clocks in the zone are ahead of UTC at `moment`. Outside jiff's range, which ends
    /// some hours before the year 9999 does, zones count as UTC here and in `moment_at`.
    pub(super) fn offset_micros(&self, moment: DateTime) -> i64 {
        Timestamp::from_microsecond(moment.micros()).map_or(0, |timestamp| {
            i64::from(self.zone.to_offset(timestamp).seconds()) * 1_000_000
        })
    }

    /// The moment at which clocks in the zone show `micros` after midnight of `day`: the first
    /// one where clocks show it twice, and as much after the gap where they skip it.
    pub(crate) fn moment_at(&self, day: Date, micros: i64) -> DateTime {
        let utc = i64::from(day.days()) * DAY_MICROS + micros;
        let zoned = day.to_civil().and_then(|date| {
            let time = civil::Time::midnight() + jiff::SignedDuration::from_micros(micros);
            date.to_datetime(time).to_zoned(self.zone.clone()).ok()
        });
        DateTime::from_micros(zoned.map_or(utc, |z| z.timestamp().as_microsecond()))
    }

    /// `moment` moved by `n` units. Minutes and hours are exact; longer units keep the time of
    /// day in the zone, and months clamp.
    pub fn add(&self, moment: DateTime, n: i64, unit: Unit) -> Result<DateTime> {
        let seconds = match unit {
            Unit::Minute => 60,
            Unit::Hour => 3600,
            _ => {
                let (day, micros) = self.local_of(moment);
                return Ok(self.moment_at(unit.add_to(day, n)?, micros));
            }
        };
        let length = n.checked_mul(seconds).ok_or_else(|| out_of_range("time"))?;
        moment.add(Duration::from_seconds(length))
    }

    /// What clocks in the zone are ahead of UTC, in microseconds: first in the earliest times, then
    /// from each moment on at which clocks were set, up to `until`.
    pub(crate) fn offsets(&self, until: DateTime) -> Vec<(DateTime, i64)> {
        let first = DateTime::from_micros(Timestamp::MIN.as_microsecond());
        let mut found = vec![(first, self.offset_micros(first))];
        for set in self.zone.following(Timestamp::MIN) {
            let moment = DateTime::from_micros(set.timestamp().as_microsecond());
            if moment > until {
                break;
            }
            let offset = i64::from(set.offset().seconds()) * 1_000_000;
            if found.last().is_none_or(|(_, last)| *last != offset) {
                found.push((moment, offset));
            }
        }
        found
    }

    /// A function from moments (microseconds) to days in the zone, fast for many moments: it
    /// keeps the offset until a moment lies outside the span in which that offset holds.
    pub(crate) fn days(&self) -> impl FnMut(i64) -> i32 + '_ {
        let (mut from, mut until, mut shift) = (0, 0, 0);
        move |micros| {
            if !(from..until).contains(&micros) {
                let timestamp = Timestamp::from_microsecond(micros).unwrap_or_default();
                let edge = |t: Option<jiff::tz::TimeZoneTransition<'_>>, open: i64| {
                    t.map_or(open, |t| t.timestamp().as_microsecond())
                };
                // `preceding` is strictly before; one microsecond later it includes the moment.
                let next = timestamp.saturating_add(jiff::SignedDuration::from_micros(1));
                let next = next.unwrap_or(timestamp);
                from = edge(self.zone.preceding(next).next(), i64::MIN);
                until = edge(self.zone.following(timestamp).next(), i64::MAX);
                if !(from..until).contains(&micros) {
                    (from, until) = (micros, micros.saturating_add(1));
                }
                shift = self.offset_micros(DateTime::from_micros(micros));
            }
            let day = micros.saturating_add(shift).div_euclid(DAY_MICROS);
            Date::from_days(i32::try_from(day).unwrap_or(i32::MAX)).days()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse_datetime;
    use proptest::prelude::*;

    fn berlin() -> Clock {
        Clock::system().in_zone("Europe/Berlin").unwrap()
    }

    #[test]
    fn units_keep_the_time_of_day_in_the_zone() {
        let clock = berlin();
        let at = |text| parse_datetime(text, &clock).unwrap();
        // Clocks go forward on 2026-03-29 and back on 2026-10-25.
        for (from, n, unit, to) in [
            ("2026-03-28T09:00", 1, Unit::Day, "2026-03-29T09:00+02:00"),
            ("2026-03-28T09:00", 24, Unit::Hour, "2026-03-29T10:00+02:00"),
            ("2026-01-31T09:00", 1, Unit::Month, "2026-02-28T09:00+01:00"),
            ("2026-03-28T02:30", 1, Unit::Day, "2026-03-29T03:30+02:00"),
            ("2026-10-24T02:30", 1, Unit::Day, "2026-10-25T02:30+02:00"),
        ] {
            assert_eq!(clock.add(at(from), n, unit).unwrap(), at(to), "{from}");
        }
        assert!(
            clock
                .add(at("2026-01-01T00:00"), i64::MAX, Unit::Hour)
                .is_err()
        );
    }

    #[test]
    fn days_begin_where_the_zone_says() {
        let clock = berlin();
        let day = Date::from_ymd(2026, 5, 15).unwrap();
        assert_eq!(clock.start_of(day).micros(), 1_778_796_000_000_000);
        let last = Date::from_ymd(9999, 12, 31).unwrap();
        assert!(clock.start_of(last) < clock.start_of(last.end()));
        assert!(Clock::system().in_zone("Mars/Olympus").is_err());
    }

    proptest! {
        #[test]
        fn cached_days_agree(moments in proptest::collection::vec(
            prop_oneof![
                -3_000_000_000_000_000i64..4_000_000_000_000_000,
                any::<i64>(),
                1_774_700_000_000_000i64..1_774_900_000_000_000,
            ], 1..40)) {
            for zone in ["Europe/Berlin", "America/New_York", "UTC", "Australia/Lord_Howe"] {
                let clock = Clock::system().in_zone(zone).unwrap();
                let mut days = clock.days();
                for &micros in &moments {
                    let day = clock.date_of(DateTime::from_micros(micros));
                    prop_assert_eq!(days(micros), day.days());
                }
            }
        }

        #[test]
        fn days_contain_their_start(days in -719_162i32..=2_932_896) {
            for zone in ["Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia"] {
                let clock = Clock::system().in_zone(zone).unwrap();
                let day = Date::from_days(days);
                // Apia skipped a whole day.
                prop_assume!(zone != "Pacific/Apia" || day.ymd() != (2011, 12, 30));
                let start = clock.start_of(day);
                prop_assert_eq!(clock.date_of(start), day);
                let before = DateTime::from_micros(start.micros() - 1);
                prop_assert!(clock.date_of(before) < day || days == -719_162);
            }
        }
    }
}
