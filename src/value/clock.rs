//! The clock of a book: the moment that is `now`, the zone, the calendar.

use super::{Currency, Date, DateTime};
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
    /// The month in which the fiscal year starts, 1 to 12.
    pub fiscal_start: i8,
    /// The currency of a bare number beside money.
    pub base: Currency,
}

impl Clock {
    /// The system's clock, in UTC with calendar years and US dollars.
    #[must_use]
    pub fn system() -> Self {
        let now = DateTime::from_micros(jiff::Timestamp::now().as_microsecond());
        Self {
            now,
            zone: TimeZone::UTC,
            fiscal_start: 1,
            base: Currency::USD,
        }
    }

    /// The day it is.
    #[must_use]
    pub fn today(&self) -> Date {
        self.date_of(self.now)
    }

    /// The day on which `moment` falls in the zone.
    #[must_use]
    pub fn date_of(&self, moment: DateTime) -> Date {
        let timestamp = jiff::Timestamp::from_microsecond(moment.micros()).unwrap_or_default();
        Date::from_civil(self.zone.to_datetime(timestamp).date())
    }

    /// The first moment of `day` in the zone.
    #[must_use]
    pub fn start_of(&self, day: Date) -> DateTime {
        let zoned = day.to_civil().to_zoned(self.zone.clone());
        DateTime::from_micros(zoned.map_or(0, |z| z.timestamp().as_microsecond()))
    }
}
