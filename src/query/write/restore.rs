//! `restore`: deleted records brought back under their ids, as the deletion found them.

use super::back::{Back, Reason};
use super::delete::target;
use super::writer::Writer;
use super::{BATCH_RECORDS, Tally};
use crate::catalog::{OnDelete, same_name};
use crate::error::{Code, Error, Result, nearest};
use crate::query::bind::Expr;
use crate::query::exec::{Batch, beginning};
use crate::storage::Row;
use crate::value::{FieldId, FieldType, ObjectId, RecordId, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Records listed when several have the label.
const LISTED: usize = 5;

/// Records that were deleted, with their last rows.
type Deleted = BTreeMap<RecordId, Arc<Row>>;

impl Writer<'_, '_> {
    pub(super) fn restore(
        &mut self,
        object: ObjectId,
        key: Option<&Expr>,
        filter: Option<&Expr>,
    ) -> Result<Tally> {
        let mut deleted = self.deleted(object)?;
        if let Some(key) = key {
            let id = self.named(object, key, &deleted)?;
            deleted.retain(|own, _| *own == id);
        }
        if let Some(filter) = filter {
            deleted = self.passing(object, filter, deleted)?;
        }
        let restored = deleted.len() as u64;
        self.bring_back(object, deleted)?;
        Ok(Tally {
            restored,
            ..Tally::default()
        })
    }

    /// The records of an object that are gone, also by this transaction.
    fn deleted(&self, object: ObjectId) -> Result<Deleted> {
        let gone = self.snapshot().gone(object)?.into_iter();
        let mut deleted: Deleted = gone.map(|(id, (_, row))| (id, row)).collect();
        let mut last = self.transaction.last_rows(object);
        for change in self.transaction.changes() {
            if change.object != object {
                continue;
            }
            match (change.before, change.after) {
                (_, Some(_)) => drop(deleted.remove(&change.id)),
                (Some(row), None) => {
                    let row = last.remove(&change.id).unwrap_or(row);
                    deleted.insert(change.id, row);
                }
                (None, None) => {}
            }
        }
        // Those that came back and went again.
        for (id, row) in last {
            if let Some(known) = deleted.get_mut(&id) {
                *known = row;
            }
        }
        Ok(deleted)
    }

    /// What is said of records that are not known to be deleted where the journal was pruned.
    fn forgotten(&self) -> Result<Option<String>> {
        Ok(self.snapshot().kept()?.map(|kept| {
            let begins = beginning(kept.at, self.environment.clock);
            format!("{begins}; what was deleted before is forgotten")
        }))
    }

    /// The deleted record that a label, a unique text or `#id` names.
    fn named(&self, object: ObjectId, key: &Expr, deleted: &Deleted) -> Result<RecordId> {
        let definition = self.catalog.object(object);
        let text = match self.evaluate_alone(&self.fold(key)?)? {
            Value::Reference(id) if deleted.contains_key(&id) => return Ok(id),
            Value::Reference(id) => {
                let name = &definition.singular;
                let forgotten = self.forgotten()?;
                let (message, hint) = match (self.snapshot().row(object, id)?, &forgotten) {
                    (Some(_), _) => (format!("{} is not deleted", self.name_of(object, id)), None),
                    (None, None) => (format!("there never was a {name} {id}"), None),
                    (None, Some(_)) => (format!("no deleted {name} {id} is known"), forgotten),
                };
                let error = Error::new(Code::UnknownRecord, message).at(key.span.clone());
                return Err(hint.into_iter().fold(error, Error::hint));
            }
            Value::Text(text) => text,
            _ => {
                let message = "no label or id is given";
                return Err(Error::new(Code::BadValue, message).at(key.span.clone()));
            }
        };
        let names = |row: &Row| {
            definition
                .key_fields()
                .any(|field| match row.get(field.id) {
                    Value::Text(own) => same_name(own.trim(), text.trim()),
                    _ => false,
                })
        };
        let found: Vec<_> = deleted.iter().filter(|(_, row)| names(row)).collect();
        match found[..] {
            [(id, _)] => Ok(*id),
            [] => {
                let message = format!("no deleted {} is called `{text}`", definition.singular);
                let error = Error::new(Code::UnknownRecord, message).at(key.span.clone());
                let labels: Vec<&str> = deleted
                    .values()
                    .flat_map(|row| definition.key_fields().map(|field| row.get(field.id)))
                    .filter_map(|value| match value {
                        Value::Text(text) => Some(&**text),
                        _ => None,
                    })
                    .collect();
                let label = definition
                    .label_field()
                    .map_or("FIELD", |field| &field.name);
                let error = match nearest(&text, labels) {
                    Some(near) => error.hint(format!("did you mean `{near}`?")),
                    None => error.hint(format!(
                        "those that were deleted: changes of {}.{label} where new is empty",
                        definition.name
                    )),
                };
                Err(self.forgotten()?.into_iter().fold(error, Error::hint))
            }
            _ => {
                let message = format!(
                    "{} deleted {} are called `{text}`",
                    found.len(),
                    definition.name
                );
                let mut error = Error::new(Code::AmbiguousLabel, message).at(key.span.clone());
                for (id, _) in found.iter().take(LISTED) {
                    let last = self.snapshot().life(object, **id)?.pop();
                    let by = last.map(|step| self.transaction_said(step.stamp));
                    let by = by.map_or_else(String::new, |by| format!(", deleted by {by}"));
                    error = error.hint(format!("{} {id}{by}", definition.name));
                }
                Err(error)
            }
        }
    }

    /// Those for which a condition holds, over what they were.
    fn passing(&self, object: ObjectId, filter: &Expr, deleted: Deleted) -> Result<Deleted> {
        let filter = self.fold(filter)?;
        let (ids, rows): (Vec<RecordId>, Vec<Arc<Row>>) = deleted.into_iter().unzip();
        let mut passing = Deleted::new();
        for (ids, rows) in ids.chunks(BATCH_RECORDS).zip(rows.chunks(BATCH_RECORDS)) {
            self.environment.interrupt.check()?;
            let batch = Batch::Rows {
                object,
                rows,
                ids: Some(ids),
            };
            let held = self.evaluate(&filter, &batch)?;
            for (at, (id, row)) in ids.iter().zip(rows).enumerate() {
                if held.value(&FieldType::Boolean, at) == Value::Boolean(true) {
                    passing.insert(*id, Arc::clone(row));
                }
            }
        }
        Ok(passing)
    }

    /// Puts records back and holds them against the rules of now.
    fn bring_back(&mut self, object: ObjectId, deleted: Deleted) -> Result<()> {
        let rules = self.rules(object)?;
        let catalog = Arc::clone(&self.catalog);
        let definition = catalog.object(object);
        let ids: Vec<_> = deleted.keys().copied().collect();
        let mut rows: Vec<_> = deleted.into_values().collect();
        for row in &mut rows {
            for field in definition.live_fields() {
                let Some((of, id)) = target(row.get(field.id), &field.ty) else {
                    continue;
                };
                let comes = of == object && ids.binary_search(&id).is_ok();
                if field.on_delete == OnDelete::Empty && !comes && !self.exists(of, id)? {
                    Arc::make_mut(row).set(field.id, Value::Missing);
                }
            }
        }
        // A field that is required since takes its default.
        let assigned: Vec<Vec<FieldId>> = rows
            .iter()
            .map(|row| {
                let wants = |field: &FieldId| {
                    definition.field(*field).required && row.get(*field).is_missing()
                };
                let fields = definition.live_fields().map(|field| field.id);
                fields.filter(|field| !wants(field)).collect()
            })
            .collect();
        self.complete(&rules, &mut rows, &assigned)?;
        let mut backs = Vec::with_capacity(ids.len());
        for (id, row) in ids.into_iter().zip(rows) {
            self.environment.interrupt.check()?;
            self.revive(&rules, id, &row)?;
            backs.push(Back {
                id,
                old: None,
                new: row,
            });
        }
        match self.broken(object, &backs)? {
            None => Ok(()),
            Some(reason) => {
                let Reason { code, text, since } = reason;
                let error = Error::new(code, format!("nothing is restored: {text}{since}"));
                Err(match code {
                    Code::UnknownRecord => error.hint("restore that record first"),
                    _ => error,
                })
            }
        }
    }
}
