//! What depends on the record around it: run once for each set of the values it asks of that.

use super::{Evaluator, narrowed};
use crate::column::{Bitset, Vector};
use crate::error::{Code, Error, Result};
use crate::query::bind::Expr;
use crate::query::exec::Batch;
use crate::query::exec::keys::KeyTable;
use crate::query::exec::profile::part;
use crate::query::plan::fold_given;
use crate::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// Different sets of values for which a body is run in a query, at most.
const RUNS_MAX: usize = 100_000;
/// Bodies kept with what they have computed, for the batches to come.
const KEPT: usize = 64;
/// What these may hold of the memory of a query: one part in so many.
const KEPT_PART: usize = 8;

/// A body folded for one set of values, and the evaluator that knows what it has computed.
pub(super) struct Run<'a> {
    body: Arc<Expr>,
    given: Vec<Value>,
    folded: Expr,
    evaluator: Evaluator<'a>,
}

impl<'a> Evaluator<'a> {
    pub(super) fn correlated(
        &self,
        given: &[Expr],
        body: &Arc<Expr>,
        batch: &Batch<'_>,
    ) -> Result<Vector> {
        if let Some(found) = self.crossed(given, body, batch)? {
            return Ok(found);
        }
        let len = batch.len();
        let vectors = given
            .iter()
            .map(|value| self.evaluate(value, batch))
            .collect::<Result<Vec<_>>>()?;
        let shapes: Vec<_> = given.iter().map(|value| value.ty.shape()).collect();
        let mut cache = self.cache.borrow_mut();
        let (_, table) = cache
            .given
            .entry(part(&**body))
            .or_insert_with(|| (Arc::clone(body), KeyTable::new(&shapes)));
        let depths = table.number(&vectors, &Bitset::full(len));
        let numbers = depths.last().map_or(&[][..], Vec::as_slice);
        let count = table.len(shapes.len());
        drop(cache);
        if count > RUNS_MAX {
            let message = format!(
                "what is inside would run for {count} different records around it, and it may \
                 for {RUNS_MAX}"
            );
            return Err(Error::new(Code::Limit, message)
                .at(body.span.clone())
                .hint("ask for fewer records first, in a query of its own"));
        }
        let mut slots: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (slot, &number) in numbers.iter().enumerate() {
            slots.entry(number).or_default().push(slot);
        }
        let (mut parts, mut places) = (Vec::new(), vec![None; len]);
        let mut from = 0;
        let started = Instant::now();
        let ran = slots.len() as u64;
        for own in slots.into_values() {
            self.context.interrupt.check()?;
            let Some(&first) = own.first() else { continue };
            let values = given.iter().zip(&vectors);
            let values = values
                .map(|(value, vector)| vector.value(&value.ty.field_type(), first))
                .collect();
            parts.push(self.run(body, values, batch, &own)?);
            for (at, &slot) in (from..).zip(&own) {
                places[slot] = u32::try_from(at).ok();
            }
            from += own.len();
        }
        self.profile.add(part(&**body), |own| {
            own.runs += ran;
            own.all += started.elapsed();
        });
        if parts.is_empty() {
            return Ok(Vector::missing(body.ty.shape(), len));
        }
        Ok(super::concat(body.ty.shape(), parts).gather(&places))
    }

    /// The body's values for these slots, which have the same values given.
    fn run(
        &self,
        body: &Arc<Expr>,
        given: Vec<Value>,
        batch: &Batch<'_>,
        slots: &[usize],
    ) -> Result<Vector> {
        let same = |run: &Run<'_>| Arc::ptr_eq(&run.body, body) && run.given == given;
        let known = self.runs.borrow().iter().position(same);
        let run = match known {
            Some(at) => self.runs.borrow_mut().swap_remove(at),
            None => Run {
                body: Arc::clone(body),
                folded: fold_given(body, &given, self.context)?,
                given,
                evaluator: Evaluator::new(self.context),
            },
        };
        let found = narrowed(batch, slots, |batch| {
            run.evaluator.evaluate(&run.folded, batch)
        });
        let mut runs = self.runs.borrow_mut();
        let held: usize = runs.iter().map(|run| run.evaluator.held()).sum();
        let bound = self.context.memory_bytes / KEPT_PART;
        if runs.len() >= KEPT || held.saturating_add(run.evaluator.held()) > bound {
            runs.clear();
        }
        if run.evaluator.held() <= bound {
            runs.push(run);
        }
        found
    }

    /// About how many bytes of what was computed are kept.
    fn held(&self) -> usize {
        let runs = self.runs.borrow();
        let below: usize = runs.iter().map(|run| run.evaluator.held()).sum();
        self.cache.borrow().held() + below
    }
}
