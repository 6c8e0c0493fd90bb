//! Columns over all rows of a result, in their order: total, rank, running, previous, growth.

use super::Executor;
use super::rows::Rows;
use super::sort::Sorted;
use crate::column::{Floats, Ints, Vector};
use crate::error::{Code, Error, Result};
use crate::query::bind::{Window, WindowFunction};
use crate::value::Currency;
use std::ops::Range;

impl Executor<'_> {
    /// The column's values; `keys` are the sort keys by which rows are tied.
    pub(super) fn window(
        &self,
        window: &Window,
        rows: &Rows,
        sorted: &Sorted,
        keys: Range<usize>,
    ) -> Result<Vector> {
        let argument = match &window.argument {
            Some(argument) => Some(self.evaluator.evaluate(argument, &rows.batch())?),
            None => None,
        };
        let Some(values) = argument else {
            return Ok(ranks(sorted, rows.len(), keys));
        };
        match window.function {
            WindowFunction::Rank => Ok(ranks(sorted, rows.len(), keys)),
            WindowFunction::Previous => {
                let slots: Vec<Option<u32>> = (0..)
                    .take(values.len())
                    .map(|at: u32| at.checked_sub(1))
                    .collect();
                Ok(values.gather(&slots))
            }
            WindowFunction::Growth => Ok(growth(&values)),
            WindowFunction::Total => summed(&values, true, self.context.clock.base),
            WindowFunction::Running => summed(&values, false, self.context.clock.base),
        }
    }
}

/// From 1; tied rows share a rank. With `limit ... per` each group has its own ranks.
fn ranks(sorted: &Sorted, len: usize, keys: Range<usize>) -> Vector {
    let (mut start, mut rank) = (0, 0);
    let ranks: Vec<Option<i64>> = (0..len)
        .map(|at| {
            let first = at == 0 || !sorted.same(at - 1, at, 0..keys.start);
            if first {
                start = at;
            }
            if first || keys.is_empty() || !sorted.same(at - 1, at, keys.clone()) {
                rank = (at - start) as i64 + 1;
            }
            Some(rank)
        })
        .collect();
    Vector::Ints(Ints::from_options(ranks.into_iter()))
}

/// A value as a number; of money its units, as only shares are made of these.
fn number(vector: &Vector, at: usize) -> Option<f64> {
    match vector {
        Vector::Ints(ints) => ints.get(at).map(|n| n as f64),
        Vector::Floats(floats) => floats.get(at),
        Vector::Pair(units, _) => units.get(at).map(|n| n as f64),
        _ => None,
    }
}

/// The share by which each value exceeds the one before; missing where that is zero.
fn growth(values: &Vector) -> Vector {
    let growth = (0..values.len()).map(|at| {
        let before = at.checked_sub(1).and_then(|before| number(values, before));
        let (now, before) = number(values, at).zip(before.filter(|&n| n != 0.0))?;
        Some((now - before) / before)
    });
    Vector::Floats(Floats::from_options(growth))
}

/// Sums up to each row, or of all rows at each; missing values count nothing.
fn summed(values: &Vector, total: bool, base: Currency) -> Result<Vector> {
    let integers = |ints: &Ints| -> Result<Ints> {
        let mut sums = Vec::with_capacity(ints.len());
        let mut sum = 0_i64;
        for value in ints.iter() {
            sum = sum
                .checked_add(value.unwrap_or(0))
                .ok_or_else(|| Error::new(Code::Overflow, "the sum is too large"))?;
            sums.push(Some(sum));
        }
        if total {
            sums.fill(Some(sum));
        }
        Ok(Ints::from_options(sums.into_iter()))
    };
    Ok(match values {
        Vector::Ints(ints) => Vector::Ints(integers(ints)?),
        // Amounts are in base by now; nothing is 0 of it.
        Vector::Pair(units, _) => {
            let len = units.len();
            let value = Some(i64::from(base.code()));
            Vector::Pair(integers(units)?, Ints::Constant { value, len })
        }
        Vector::Floats(floats) => {
            let mut sum = 0.0;
            let mut sums: Vec<Option<f64>> = floats
                .iter()
                .map(|value| {
                    sum += value.unwrap_or(0.0);
                    Some(sum)
                })
                .collect();
            if total {
                sums.fill(Some(sum));
            }
            Vector::Floats(Floats::from_options(sums.into_iter()))
        }
        _ => {
            return Err(Error::new(
                Code::TypeMismatch,
                "only numbers, money and lengths of time have a sum",
            ));
        }
    })
}
