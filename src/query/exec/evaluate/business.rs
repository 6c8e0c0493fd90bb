//! Working time: between moments, and added to dates and moments.

use super::arithmetic::zip_ints;
use super::{Evaluator, internal};
use crate::column::Vector;
use crate::error::Result;
use crate::query::bind::{Expr, Type};
use crate::query::exec::Batch;
use crate::value::{Date, DateTime, WorkingTime};

impl Evaluator<'_> {
    /// Dates or moments moved by working days, then by seconds of working time.
    pub(super) fn work(
        &self,
        value: &Expr,
        by: [i64; 2],
        times: Option<&Expr>,
        expr: &Expr,
        batch: &Batch<'_>,
    ) -> Result<Vector> {
        let Vector::Ints(ints) = self.evaluate(value, batch)? else {
            return Err(internal("a time of another form", expr));
        };
        let times = self.times(times, ints.len(), expr, batch)?;
        let clock = self.context.clock;
        let hours = self
            .context
            .working_hours()
            .map_err(|error| error.at(expr.span.clone()))?;
        let mut time = WorkingTime::new(hours, clock);
        let timed = value.ty == Type::DATETIME;
        let mut moved = |n: i64, times: i64| {
            let [days, seconds] = by.map(|by| by.saturating_mul(times));
            if !timed {
                let day = Date::from_days(i32::try_from(n).unwrap_or(i32::MAX));
                return hours.add_days(day, days).map(|day| i64::from(day.days()));
            }
            let mut moment = DateTime::from_micros(n);
            if days != 0 {
                let (day, micros) = clock.local_of(moment);
                moment = clock.moment_at(hours.add_days(day, days)?, micros);
            }
            time.add(moment, seconds).map(DateTime::micros)
        };
        zip_ints(&ints, &times, |n, times| {
            moved(n, times)
                .map(Some)
                .map_err(|error| error.at(expr.span.clone()))
        })
        .map(Vector::Ints)
    }

    /// Seconds of working time between two moments.
    pub(super) fn business_hours(
        &self,
        from: &Expr,
        to: &Expr,
        expr: &Expr,
        batch: &Batch<'_>,
    ) -> Result<Vector> {
        let (Vector::Ints(from), Vector::Ints(to)) =
            (self.evaluate(from, batch)?, self.evaluate(to, batch)?)
        else {
            return Err(internal("a time of another form", expr));
        };
        let hours = self
            .context
            .working_hours()
            .map_err(|error| error.at(expr.span.clone()))?;
        let mut time = WorkingTime::new(hours, self.context.clock);
        let moment = DateTime::from_micros;
        zip_ints(&from, &to, |from, to| {
            Ok(Some(time.between(moment(from), moment(to))))
        })
        .map(Vector::Ints)
    }
}
