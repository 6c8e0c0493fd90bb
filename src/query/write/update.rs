//! `update`: fields of the records a query gives. Right sides see the old values.

use super::writer::{Refusal, Values, Writer};
use super::{BATCH_RECORDS, Tally};
use crate::error::Result;
use crate::query::bind::{Assignments, Query};
use crate::query::exec::{self, Batch};
use crate::value::{ObjectId, RecordId};

impl Writer<'_, '_> {
    pub(super) fn update(
        &mut self,
        object: ObjectId,
        query: &Query,
        set: &Assignments,
    ) -> Result<Tally> {
        let rules = self.rules(object)?;
        let ids = exec::records(query, &self.context())?;
        let mut changes = Vec::new();
        for (id, values) in self.set_values(object, &ids, set)? {
            let old = self.row(object, id)?;
            let (row, changed) = Self::changed(&old, values);
            if changed {
                changes.push((id, old, row));
            }
        }
        for batch in changes.chunks(BATCH_RECORDS) {
            if rules.has_checks() {
                let rows: Vec<_> = batch.iter().map(|(_, _, row)| row.clone()).collect();
                let ids: Vec<_> = batch.iter().map(|(id, ..)| *id).collect();
                self.check_rows(&rules, &rows, Some(&ids))?;
            }
        }
        for (id, old, row) in &changes {
            self.verify(&rules, Some(old), row)
                .map_err(Refusal::into_error)?;
            self.put(&rules, *id, old, row.clone())?;
        }
        // Only now that all are written: keys may have been swapped, subtrees moved.
        for (id, old, row) in &changes {
            self.verify_unique(&rules, Some(*id), Some(old), row)
                .map_err(Refusal::into_error)?;
            self.verify_hierarchy(&rules, *id)
                .map_err(Refusal::into_error)?;
        }
        Ok(Tally {
            updated: changes.len() as u64,
            ..Tally::default()
        })
    }

    /// The values that `set` gives each record, all over the old values.
    fn set_values(
        &mut self,
        object: ObjectId,
        ids: &[RecordId],
        set: &Assignments,
    ) -> Result<Vec<(RecordId, Values)>> {
        let set = self.fold_all(set)?;
        let mut all = Vec::with_capacity(ids.len());
        for ids in ids.chunks(BATCH_RECORDS) {
            self.environment.interrupt.check()?;
            let batch = Batch::Records { object, ids };
            let mut vectors = Vec::with_capacity(set.len());
            for (field, expr) in &set {
                let vector = self
                    .evaluate(expr, &batch)
                    .map_err(|e| e.at(expr.span.clone()))?;
                vectors.push((*field, expr, vector));
            }
            for (at, id) in ids.iter().enumerate() {
                let mut values = Values::with_capacity(set.len());
                for (field, expr, vector) in &vectors {
                    let value = vector.value(&expr.ty.field_type(), at);
                    let value = self
                        .convert(object, *field, Some(&expr.ty), value)
                        .map_err(|e| e.at(expr.span.clone()))?;
                    values.push((*field, value));
                }
                all.push((*id, values));
            }
        }
        Ok(all)
    }
}
