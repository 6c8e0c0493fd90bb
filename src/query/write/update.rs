//! `update`: fields of the records a query gives. Right sides see the old values.

use super::rules::Rules;
use super::writer::{Refusal, Values, Writer};
use super::{BATCH_RECORDS, Tally};
use crate::catalog::Role;
use crate::error::{Code, Error, Result};
use crate::query::bind::{Assignments, Expr, Query};
use crate::query::exec::{self, Batch};
use crate::storage::Row;
use crate::value::{FieldId, ObjectId, RecordId, Value};
use std::sync::Arc;

/// Records that a conflict tells of.
const LISTED: usize = 5;

impl Writer<'_, '_> {
    pub(super) fn update(
        &mut self,
        object: ObjectId,
        query: &Query,
        set: &Assignments,
        unchanged: Option<&Expr>,
    ) -> Result<Tally> {
        let rules = self.rules(object)?;
        let ids = exec::records(query, &self.context())?;
        if let Some(since) = unchanged {
            self.verify_unchanged(object, &ids, since)?;
        }
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
                .map_err(|refusal| self.given_twice(&rules, &changes, *id, row, refusal))?;
            self.verify_hierarchy(&rules, *id)
                .map_err(Refusal::into_error)?;
        }
        Ok(Tally {
            updated: changes.len() as u64,
            ..Tally::default()
        })
    }

    /// The error for a key that another record has, or that the update itself gives two.
    fn given_twice(
        &self,
        rules: &Rules,
        changes: &[(RecordId, Arc<Row>, Arc<Row>)],
        id: RecordId,
        row: &Row,
        refusal: Refusal,
    ) -> Error {
        let has_key = |fields: &[FieldId], other: &Row| {
            fields
                .iter()
                .all(|field| other.get(*field) == row.get(*field))
        };
        let refused = |fields: &Vec<FieldId>| fields.first().copied() == refusal.field;
        let keys = rules.unique.iter().map(|(_, fields)| fields);
        let found = keys.filter(|fields| refused(fields)).find_map(|fields| {
            let mut others = changes.iter().filter(|(own, ..)| *own != id);
            let other = others.find(|(_, old, new)| has_key(fields, new) && !has_key(fields, old));
            Some((fields, other?.0))
        });
        match found {
            Some((fields, other)) if refusal.error.code() == Code::NotUnique => {
                let object = self.catalog.object(rules.object);
                let key: Vec<_> = fields.iter().map(|field| row.get(*field).clone()).collect();
                let (one, other) = (self.name_of(object.id, id), self.name_of(object.id, other));
                let key = self.key_said(object, fields, &key);
                let message = format!("this update gives `{key}` to both {one} and {other}");
                Error::new(Code::NotUnique, message).hint("no two records may have the same")
            }
            _ => refusal.into_error(),
        }
    }

    /// Refuses if another transaction changed one of the records after the one of this number.
    fn verify_unchanged(&self, object: ObjectId, ids: &[RecordId], since: &Expr) -> Result<()> {
        let Value::Integer(number) = self.evaluate_alone(since)? else {
            return Err(
                Error::new(Code::BadValue, "no number of a transaction is given")
                    .at(since.span.clone())
                    .hint("what an open transaction changed has one once that is committed"),
            );
        };
        let after = u64::try_from(number).unwrap_or(0);
        let mut changed = Vec::new();
        for id in ids {
            if self.row(object, *id)?.revision() > after {
                changed.push(*id);
            }
        }
        let Some(first) = changed.first() else {
            return Ok(());
        };
        let more = match changed.len() {
            1 => "has changed".to_owned(),
            n => format!("and {} more have changed", n - 1),
        };
        let message = format!("{} {more} since {after}", self.name_of(object, *first));
        let mut error = Error::new(Code::Conflict, message).at(since.span.clone());
        changed.truncate(LISTED);
        let snapshot = self.snapshot();
        let stamps = snapshot.transactions(after)?;
        let definition = self.catalog.object(object);
        let actors = self.catalog.playing(Role::Actors).map(|object| object.id);
        let all = snapshot.changed_after(object, &changed, after)?;
        for own in all.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let (id, sequence, _) = own[0];
            let fields = own.iter().map(|(.., field)| definition.field(*field));
            let fields = fields.filter(|field| !field.dropped);
            let fields: Vec<_> = fields.map(|field| format!("`{}`", field.name)).collect();
            let mut hint = format!("{}: {}", self.name_of(object, id), fields.join(", "));
            if let Some(stamp) = stamps.iter().find(|stamp| stamp.sequence == sequence) {
                let at = Value::DateTime(stamp.at).show(self.environment.clock);
                hint.push_str(&format!(" at {at}"));
                if let (Some(actors), Some(actor)) = (actors, stamp.actor) {
                    hint.push_str(&format!(" by {}", self.name_of(actors, actor)));
                }
            }
            error = error.hint(hint);
        }
        Err(error.hint("read them again, then change them"))
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
