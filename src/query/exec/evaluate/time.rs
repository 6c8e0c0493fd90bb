//! Calendar arithmetic over vectors: periods of a unit, shifts, parts of dates.

use super::arithmetic::{map_ints, zip_ints};
use super::{Evaluator, internal};
use crate::column::{Bitset, Ints, Vector};
use crate::error::Result;
use crate::query::bind::{Expr, Function, Type};
use crate::query::exec::Batch;
use crate::value::{Date, DateTime, Duration, Period, Unit};

const DAY_SECONDS: i64 = 86_400;
/// Periods of so many days are worked out for each day between, not for each record.
const MANY_DAYS: u64 = 1 << 14;

impl Evaluator<'_> {
    pub(super) fn bucket(
        &self,
        unit: Unit,
        value: &Expr,
        expr: &Expr,
        batch: &Batch<'_>,
    ) -> Result<Vector> {
        let days = match self.evaluate(value, batch)? {
            Vector::Ints(moments) if value.ty == Type::DATETIME => self.days_of(&moments),
            Vector::Ints(days) | Vector::Pair(days, _) => days,
            _ if value.ty == Type::Missing => {
                return Ok(Vector::missing(expr.ty.shape(), batch.len()));
            }
            _ => return Err(internal("a time of another form", expr)),
        };
        let Some((min, max)) = days.min_max(&Bitset::full(days.len())) else {
            return Ok(Vector::missing(expr.ty.shape(), batch.len()));
        };
        let period = |day: i64| {
            Period::of_unit(unit, date(day), 0, self.context.clock)
                .map(|p| (i64::from(p.start().days()), i64::from(p.end().days())))
                .map_err(|error| error.at(expr.span.clone()))
        };
        if let Ints::Constant { len, .. } = days {
            let (start, end) = period(min)?;
            let ints = |n| Ints::Constant {
                value: Some(n),
                len,
            };
            return Ok(Vector::Pair(ints(start), ints(end)));
        }
        if max.abs_diff(min) < MANY_DAYS {
            let mut by_day: Vec<(i64, i64)> = Vec::new();
            let mut day = min;
            while day <= max {
                let (start, end) = period(day)?;
                // The last day of the calendar has no end of its own.
                let next = end.max(day + 1).min(max + 1);
                by_day.extend((day..next).map(|_| (start, end)));
                day = next;
            }
            let part = |pick: fn((i64, i64)) -> i64| {
                map_ints(&days, |day| Ok(Some(pick(by_day[(day - min) as usize]))))
            };
            return Ok(Vector::Pair(part(|p| p.0)?, part(|p| p.1)?));
        }
        let part =
            |pick: fn((i64, i64)) -> i64| map_ints(&days, |day| Ok(Some(pick(period(day)?))));
        Ok(Vector::Pair(part(|p| p.0)?, part(|p| p.1)?))
    }

    /// How many times values are moved; without a count once.
    pub(super) fn times(
        &self,
        times: Option<&Expr>,
        len: usize,
        expr: &Expr,
        batch: &Batch<'_>,
    ) -> Result<Ints> {
        match times.map(|times| self.evaluate(times, batch)).transpose()? {
            Some(Vector::Ints(times)) => Ok(times),
            Some(_) => Err(internal("a count of another form", expr)),
            None => Ok(Ints::Constant {
                value: Some(1),
                len,
            }),
        }
    }

    pub(super) fn shift(
        &self,
        value: &Expr,
        by: [i64; 3],
        times: Option<&Expr>,
        expr: &Expr,
        batch: &Batch<'_>,
    ) -> Result<Vector> {
        let clock = self.context.clock;
        let ints = match self.evaluate(value, batch)? {
            Vector::Ints(ints) => ints,
            _ if value.ty == Type::Missing => {
                return Ok(Vector::missing(expr.ty.shape(), batch.len()));
            }
            _ => return Err(internal("a time of another form", expr)),
        };
        let times = self.times(times, ints.len(), expr, batch)?;
        let timed = value.ty == Type::DATETIME;
        let one = |n: i64, times: i64| {
            let [months, days, seconds] = by.map(|by| by.saturating_mul(times));
            let moved = |day: Date| day.add_months(months)?.add_days(days);
            if !timed {
                return moved(date(n)).map(|day| i64::from(day.days()));
            }
            let mut moment = DateTime::from_micros(n);
            if months != 0 || days != 0 {
                let (day, micros) = clock.local_of(moment);
                moment = clock.moment_at(moved(day)?, micros);
            }
            moment
                .add(Duration::from_seconds(seconds))
                .map(DateTime::micros)
        };
        zip_ints(&ints, &times, |n, times| {
            one(n, times)
                .map(Some)
                .map_err(|error| error.at(expr.span.clone()))
        })
        .map(Vector::Ints)
    }

    /// A function of dates, periods or lengths of time.
    pub(super) fn calendar(
        &self,
        function: Function,
        arguments: &[Expr],
        expr: &Expr,
        batch: &Batch<'_>,
    ) -> Result<Vector> {
        let mut vectors = arguments
            .iter()
            .map(|argument| self.evaluate(argument, batch));
        let first = vectors.next().transpose()?;
        let second = vectors.next().transpose()?;
        if arguments
            .iter()
            .any(|argument| argument.ty == Type::Missing)
        {
            return Ok(Vector::missing(expr.ty.shape(), batch.len()));
        }
        let ints = match (function, first, second) {
            (Function::Weekday, Some(Vector::Ints(days)), _) => {
                map_ints(&days, |day| Ok(Some(i64::from(date(day).weekday()))))
            }
            (Function::MonthOfYear, Some(Vector::Ints(days)), _) => {
                map_ints(&days, |day| Ok(Some(i64::from(date(day).ymd().1))))
            }
            (Function::Days, Some(Vector::Ints(from)), Some(Vector::Ints(to))) => {
                zip_ints(&from, &to, |from, to| Ok(Some(to - from)))
            }
            (Function::DaysOf, Some(Vector::Ints(seconds)), _) => {
                map_ints(&seconds, |seconds| Ok(Some(seconds / DAY_SECONDS)))
            }
            (Function::DaysOf, Some(Vector::Pair(starts, ends)), _) => {
                zip_ints(&starts, &ends, |start, end| Ok(Some(end - start)))
            }
            (Function::PeriodStart, Some(Vector::Pair(starts, _)), _) => Ok(starts),
            (Function::PeriodEnd, Some(Vector::Pair(_, ends)), _) => Ok(ends),
            _ => Err(internal("a function of another form", expr)),
        };
        ints.map(Vector::Ints)
    }
}

fn date(day: i64) -> Date {
    Date::from_days(i32::try_from(day).unwrap_or(i32::MAX))
}
