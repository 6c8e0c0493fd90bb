//! Functions over all rows of a result, in their order: total, rank, running, previous, growth,
//! quartile; and the expressions in which they stand.

use super::rows::{Rows, place_again};
use super::sort::{Sorted, Sorter};
use super::{Batch, Executor, Frame};
use crate::column::{Bitset, Floats, Ints, Vector};
use crate::error::{Code, Error, Result};
use crate::query::bind::{Expr, Node, Query, Type, Window, WindowFunction, ascending};
use crate::query::plan::map_operands;
use crate::value::Currency;
use std::ops::Range;

/// The rows that functions over the rows run over: subtotals and totals are none of them.
pub(super) struct Over {
    /// The rows that count, in order, of `all` rows.
    rows: Rows,
    /// Of rows that hold each other, those that hold all: they alone count for a total.
    tops: Option<Bitset>,
    places: Vec<usize>,
    all: usize,
    /// Each function runs anew in each of these.
    runs: Vec<Range<usize>>,
    /// Whether a row has the sort keys of the one before it in its run.
    tied: Vec<bool>,
}

impl Over {
    /// Over `rows`, which are in order, and those of them that are `tops`.
    pub(super) fn of(
        rows: Rows,
        sorted: &Sorted,
        per: usize,
        order: Range<usize>,
        tops: Option<Bitset>,
    ) -> Self {
        let like_last = |at: usize, keys: Range<usize>| at > 0 && sorted.same(at - 1, at, keys);
        let len = rows.len();
        let mut starts: Vec<usize> = (0..len)
            .filter(|&at| at == 0 || !like_last(at, 0..per))
            .collect();
        starts.push(len);
        let runs = starts.windows(2).map(|pair| pair[0]..pair[1]).collect();
        let tied = |at| !order.is_empty() && like_last(at, order.clone());
        Self {
            tied: (0..len).map(tied).collect(),
            rows,
            tops,
            all: len,
            places: (0..len).collect(),
            runs,
        }
    }
}

impl Executor<'_> {
    /// The rows of `among` that functions run over while no order is known yet.
    pub(super) fn over_unsorted(
        &self,
        query: &Query,
        rows: &Rows,
        among: &Bitset,
        tops: Option<&Bitset>,
    ) -> Result<Over> {
        let per = query.limit.iter().flat_map(|limit| &limit.per);
        let keys = ascending(per, self.context.catalog);
        let vectors = keys
            .iter()
            .map(|key| self.evaluator.evaluate(&key.value, &rows.batch()))
            .collect::<Result<Vec<_>>>()?;
        let mut sorter = Sorter::new(vec![false; keys.len()], None, false, &self.evaluator.memory);
        sorter.push(&vectors, among, |slot| slot as u64)?;
        let sorted = sorter.finish();
        let places: Vec<usize> = sorted.rows.iter().map(|&row| row as usize).collect();
        let inner = rows.pick(&places);
        let tops = tops.map(|tops| Bitset::from_fn(places.len(), |at| tops.get(places[at])));
        let mut over = Over::of(inner, &sorted, keys.len(), 0..0, tops);
        over.places = places;
        over.all = rows.len();
        Ok(over)
    }

    /// The values of an expression in which functions over the rows stand; rows that do not count
    /// have none.
    pub(super) fn evaluate_over(&self, expr: &Expr, over: &Over) -> Result<Vector> {
        let mut parts = Vec::new();
        let outer = split(expr, &mut parts)?;
        let columns = parts
            .iter()
            .map(|part| match &part.node {
                Node::Window(window) => self.window(window, over, part),
                _ => self.evaluator.evaluate(part, &over.rows.batch()),
            })
            .collect::<Result<_>>()?;
        let len = over.places.len();
        let frame = Frame { columns, len };
        let values = self.evaluator.evaluate(&outer, &Batch::Slots(&frame))?;
        Ok(place_again(values, &over.places, over.all, expr.ty.shape()))
    }

    fn window(&self, window: &Window, over: &Over, expr: &Expr) -> Result<Vector> {
        let Some(argument) = &window.argument else {
            return Ok(ranks(over));
        };
        let mut values = self.evaluator.evaluate(argument, &over.rows.batch())?;
        if argument.ty == Type::Missing {
            values = Vector::missing(expr.ty.shape(), over.places.len());
        }
        match window.function {
            WindowFunction::Rank => Ok(ranks(over)),
            WindowFunction::Previous => Ok(previous(&values, over, expr)),
            WindowFunction::Growth => Ok(growth(&values, &over.runs)),
            WindowFunction::Quartile => Ok(quartiles(&values, &over.runs)),
            WindowFunction::Total => {
                if let Some(tops) = &over.tops {
                    let slots: Vec<_> = (0..tops.len())
                        .map(|at| u32::try_from(at).ok().filter(|_| tops.get(at)))
                        .collect();
                    values = values.gather(&slots);
                }
                summed(&values, &over.runs, true, self.context.clock.base)
                    .map_err(|error| error.at(expr.span.clone()))
            }
            WindowFunction::Running => summed(&values, &over.runs, false, self.context.clock.base)
                .map_err(|error| error.at(expr.span.clone())),
        }
    }
}

/// The expression over slots, each of which is a function over the rows or an expression without
/// one: `parts`.
fn split(expr: &Expr, parts: &mut Vec<Expr>) -> Result<Expr> {
    let window = matches!(expr.node, Node::Window(_));
    if expr.as_constant().is_some() {
        return Ok(expr.clone());
    }
    let node = if window || !expr.is_over_rows() {
        parts.push(expr.clone());
        Node::Slot(parts.len() - 1)
    } else {
        map_operands(&expr.node, |operand| split(operand, parts))?
    };
    Ok(Expr::new(node, expr.ty.clone(), &expr.span))
}

/// From 1; tied rows share a rank.
fn ranks(over: &Over) -> Vector {
    let mut ranks = Vec::with_capacity(over.places.len());
    for run in &over.runs {
        let mut rank = 0;
        for at in run.clone() {
            if at == run.start || !over.tied[at] {
                rank = (at - run.start) as i64 + 1;
            }
            ranks.push(Some(rank));
        }
    }
    Vector::Ints(Ints::from_options(ranks.into_iter()))
}

fn previous(values: &Vector, over: &Over, expr: &Expr) -> Vector {
    if values.len() == 0 {
        return Vector::missing(expr.ty.shape(), 0);
    }
    let before = |at: usize, start: usize| at.checked_sub(1).filter(|&before| before >= start);
    let slots: Vec<Option<u32>> = over
        .runs
        .iter()
        .flat_map(|run| run.clone().map(|at| before(at, run.start)))
        .map(|at| at.and_then(|at| u32::try_from(at).ok()))
        .collect();
    values.gather(&slots)
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
fn growth(values: &Vector, runs: &[Range<usize>]) -> Vector {
    let one = |at: usize, start: usize| {
        let before = number(values, at.checked_sub(1).filter(|&at| at >= start)?)?;
        let now = number(values, at)?;
        (before != 0.0).then(|| (now - before) / before)
    };
    let growth: Vec<Option<f64>> = runs
        .iter()
        .flat_map(|run| run.clone().map(|at| one(at, run.start)))
        .collect();
    Vector::Floats(Floats::from_options(growth.into_iter()))
}

/// 1 up to the first quartile of the run's values, 2 up to their median, 3 up to the third, else
/// 4. Quartiles lie between two neighbours as percentiles do.
fn quartiles(values: &Vector, runs: &[Range<usize>]) -> Vector {
    let mut found = Vec::with_capacity(values.len());
    for run in runs {
        let own = || run.clone().map(|at| number(values, at));
        let mut sorted: Vec<f64> = own().flatten().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        // Compared in quarters of the gap, so that no rounding parts a value from itself.
        let above = |n: f64, quarters: usize| {
            let place = quarters * sorted.len().saturating_sub(1);
            let (at, part) = (place / 4, (place % 4) as f64 / 4.0);
            let low = sorted[at];
            let high = sorted.get(at + 1).copied().unwrap_or(low);
            n > low + (high - low) * part
        };
        found.extend(own().map(|n| {
            let n = n?;
            Some(1 + (1..=3).filter(|&quarters| above(n, quarters)).count() as i64)
        }));
    }
    Vector::Ints(Ints::from_options(found.into_iter()))
}

/// Sums up to each row of its run, or of all its rows at each; missing values count nothing.
fn summed(values: &Vector, runs: &[Range<usize>], total: bool, base: Currency) -> Result<Vector> {
    let integers = |ints: &Ints| -> Result<Ints> {
        let mut sums = Vec::with_capacity(ints.len());
        for run in runs {
            let mut sum = 0_i64;
            for at in run.clone() {
                sum = sum
                    .checked_add(ints.get(at).unwrap_or(0))
                    .ok_or_else(|| Error::new(Code::Overflow, "the sum is too large"))?;
                sums.push(Some(sum));
            }
            if total {
                sums[run.clone()].fill(Some(sum));
            }
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
            let mut sums: Vec<Option<f64>> = Vec::with_capacity(floats.len());
            for run in runs {
                let mut sum = 0.0;
                for at in run.clone() {
                    sum += floats.get(at).unwrap_or(0.0);
                    sums.push(Some(sum));
                }
                if total {
                    sums[run.clone()].fill(Some(sum));
                }
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
