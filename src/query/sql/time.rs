//! Time: the days of moments on the book's clocks, moments of days, shifts, periods.

use super::fragment::{Level, Sql, Truth, name};
use super::frame::{Frame, Row, Target};
use super::translate::Translator;
use super::untranslatable;
use crate::column::Comparison;
use crate::error::Result;
use crate::query::bind::{Expr, Node, Type};
use crate::value::DateTime;

/// 2200: what clocks will show later than that nobody has decided.
const LAST: i64 = 7_258_118_400_000_000;

/// What the book's clocks are ahead of UTC.
pub(super) enum Zone {
    /// So many microseconds, always.
    Fixed(i64),
    /// As the zone's table says.
    Table,
}

/// The moments, in microseconds, from which on clocks are so far ahead of UTC.
pub(super) fn offsets(clock: &crate::value::Clock) -> Vec<(DateTime, i64)> {
    clock.offsets(DateTime::from_micros(LAST))
}

impl Translator<'_> {
    /// The day of a date, of a moment or of a period's start.
    pub(super) fn day_of(&self, frame: &Frame<'_>, expr: &Expr) -> Result<Sql> {
        if expr.ty != Type::DATETIME {
            return Ok(self.value(frame, expr)?.remove(0));
        }
        match self.clock_of(frame, expr)? {
            Some(shown) => Ok(self.dialect.day(&shown)),
            None => {
                let micros = self.value(frame, expr)?.remove(0);
                Ok(self.dialect.day_of_micros(&self.local(&micros)))
            }
        }
    }

    /// What clocks showed at a stored moment.
    pub(super) fn clock_of(&self, frame: &Frame<'_>, expr: &Expr) -> Result<Option<Sql>> {
        match (&expr.node, &frame.row) {
            (Node::Column(field), Row::Record { object, alias }) => {
                let columns = self.columns_of(*object, *field);
                let shown = columns.beside.as_ref();
                Ok(shown.map(|column| self.qualified(alias, column)))
            }
            (
                Node::Follow {
                    reference,
                    object,
                    inner,
                },
                _,
            ) => match self.target(frame, reference, *object)? {
                Target::Same(frame) | Target::Joined(frame, _) => self.clock_of(&frame, inner),
                Target::Apart => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// Microseconds on local clocks of a moment in microseconds.
    pub(super) fn local(&self, micros: &Sql) -> Sql {
        let offset = match &self.zone {
            Zone::Fixed(0) => return micros.clone(),
            Zone::Fixed(offset) => super::fragment::integer(*offset),
            Zone::Table => Sql::atom(format!(
                "(SELECT offset_us FROM {} WHERE since_us <= {} ORDER BY since_us DESC LIMIT 1)",
                name(&self.relational.zone),
                micros.at(Level::Sum)
            )),
        };
        Sql::binary(micros, "+", &offset, Level::Sum)
    }

    /// The moment at which local clocks show so many microseconds since 1970.
    fn moment_at(&self, local: &Sql) -> Sql {
        match &self.zone {
            Zone::Fixed(0) => local.clone(),
            Zone::Fixed(offset) => {
                Sql::binary(local, "-", &super::fragment::integer(*offset), Level::Sum)
            }
            Zone::Table => Sql::atom(format!(
                "(SELECT {0} - offset_us FROM {1} WHERE {0} < until_local_us \
                 ORDER BY since_us LIMIT 1)",
                local.at(Level::Sum),
                name(&self.relational.zone)
            )),
        }
    }

    /// The first moment of a day.
    pub(super) fn moment_of(&self, day: &Sql) -> Sql {
        self.moment_at(&self.dialect.micros_of_day(day))
    }

    pub(super) fn shift(
        &self,
        frame: &Frame<'_>,
        value: &Expr,
        [months, days, seconds]: [i64; 3],
        times: Option<&Expr>,
        expr: &Expr,
    ) -> Result<Vec<Sql>> {
        if value.ty == Type::Missing {
            return Ok(vec![Sql::null()]);
        }
        let times = match times {
            Some(times) => Some(self.value(frame, times)?.remove(0)),
            None => None,
        };
        let moved = |day: &Sql| {
            let day = self.dialect.add_months(day, months, times.as_ref());
            self.dialect.add_days(&day, days, times.as_ref())
        };
        if value.ty != Type::DATETIME {
            return Ok(vec![moved(&self.day_of(frame, value)?)]);
        }
        let mut micros = self.value(frame, value)?.remove(0);
        if months != 0 || days != 0 {
            if micros.text.contains("SELECT") {
                return Err(untranslatable("days added to this moment", &expr.span));
            }
            // The same time of another day.
            let local = self.local(&micros);
            let day = self.dialect.day_of_micros(&local);
            let start = self.dialect.micros_of_day(&day);
            let time = Sql::binary(&local, "-", &start, Level::Sum);
            let there = self.dialect.micros_of_day(&moved(&day));
            micros = self.moment_at(&Sql::binary(&there, "+", &time, Level::Sum));
        }
        if seconds != 0 {
            let more = seconds.saturating_mul(1_000_000);
            let more = match &times {
                Some(times) => super::dialect::scaled(more, times),
                None => super::fragment::integer(more),
            };
            micros = Sql::binary(&micros, "+", &more, Level::Sum);
        }
        Ok(vec![micros])
    }

    /// A moment before or from the start of a day: the day it falls on tells.
    pub(super) fn compare_days(
        &self,
        frame: &Frame<'_>,
        comparison: Comparison,
        left: &Expr,
        right: &Expr,
    ) -> Result<Option<Truth>> {
        let day = |expr: &Expr| match &expr.node {
            Node::Cast(day) if expr.ty == Type::DATETIME && day.ty == Type::DATE => {
                Some((**day).clone())
            }
            _ => None,
        };
        let (moment, day, comparison) = match (day(left), day(right)) {
            (None, Some(day)) => (left, day, comparison),
            (Some(day), None) => (right, day, comparison.flipped()),
            _ => return Ok(None),
        };
        let operator = match comparison {
            Comparison::Less => "<",
            Comparison::GreaterEqual => ">=",
            _ => return Ok(None),
        };
        let moment = match self.clock_of(frame, moment)? {
            Some(shown) => shown,
            None => self.day_of(frame, moment)?,
        };
        let day = self.value(frame, &day)?.remove(0);
        if day.is_null() {
            return Ok(Some(Truth::constant(false)));
        }
        let truth = Truth::open(Sql::binary(&moment, operator, &day, Level::Compare));
        Ok(Some(truth))
    }

    /// The two edges within which a time lies in a period.
    pub(super) fn in_period(
        &self,
        frame: &Frame<'_>,
        value: &Expr,
        period: &Expr,
    ) -> Result<Vec<Truth>> {
        let span = self.value(frame, period)?;
        if span[0].is_null() || value.ty == Type::Missing {
            return Ok(vec![Truth::constant(false)]);
        }
        let (first, last) = match value.ty {
            Type::Fiscal | Type::PERIOD => {
                let mut parts = self.value(frame, value)?;
                let last = parts.remove(1);
                (parts.remove(0), Some(last))
            }
            Type::DATETIME => match self.clock_of(frame, value)? {
                Some(shown) => (shown, None),
                None => (self.day_of(frame, value)?, None),
            },
            _ => (self.value(frame, value)?.remove(0), None),
        };
        let from = Sql::binary(&first, ">=", &span[0], Level::Compare);
        let until = match &last {
            Some(last) => Sql::binary(last, "<=", &span[1], Level::Compare),
            None => Sql::binary(&first, "<", &span[1], Level::Compare),
        };
        Ok(vec![Truth::open(from), Truth::open(until)])
    }
}
