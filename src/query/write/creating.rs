//! Records made on demand: those that the lines of an import refer to and that nobody has yet.

use super::writer::{Refusal, Writer};
use crate::error::{Code, Error, Kind, Result};
use crate::value::{FieldType, ObjectId, RecordId, Value};
use std::collections::BTreeMap;

/// The objects whose records are made when a reference names none.
#[derive(Default)]
pub(super) struct Creating {
    pub objects: Vec<ObjectId>,
    /// Those made, and whether a stored line refers to them.
    made: BTreeMap<(ObjectId, RecordId), bool>,
}

impl Writer<'_, '_> {
    /// Makes the record of an object that a reference calls so.
    pub(super) fn create(&mut self, object: ObjectId, label: &str) -> Result<RecordId> {
        // What waits with the checks of a line is not this record's.
        let waiting = std::mem::take(&mut self.checks_wait);
        let made = self.create_labelled(object, label);
        self.checks_wait = waiting;
        let id = made.map_err(|refusal| {
            let error = refusal.into_error();
            match error.kind() {
                Kind::Syntax | Kind::Bind | Kind::Constraint | Kind::NotFound => {
                    let one = &self.catalog.object(object).singular;
                    let message = format!(
                        "no {one} is called \"{label}\", and none can be added: {}",
                        error.message()
                    );
                    Error::new(error.code(), message)
                }
                _ => error,
            }
        })?;
        self.labels.keep(object, label, id);
        self.creating.made.insert((object, id), false);
        Ok(id)
    }

    fn create_labelled(&mut self, object: ObjectId, label: &str) -> Result<RecordId, Refusal> {
        let definition = self.catalog.object(object);
        let Some(field) = definition.label_field().map(|field| field.id) else {
            let message = format!("{} have no label", definition.name);
            return Err(Error::new(Code::Misplaced, message).into());
        };
        let value = self.read(object, field, label)?;
        let rules = self.rules(object)?;
        self.insert_values(&rules, vec![(field, value)])
    }

    /// Notes what a stored record refers to.
    pub(super) fn refers(&mut self, object: ObjectId, id: RecordId) -> Result<()> {
        if self.creating.made.is_empty() {
            return Ok(());
        }
        let row = self.row(object, id)?;
        for field in self.catalog.object(object).live_fields() {
            let target = match (&field.ty, row.get(field.id)) {
                (FieldType::Reference(target), Value::Reference(id)) => (*target, *id),
                (_, Value::AnyReference(target, id)) => (*target, *id),
                _ => continue,
            };
            if let Some(used) = self.creating.made.get_mut(&target) {
                *used = true;
            }
        }
        Ok(())
    }

    /// Takes back what was made for lines that were refused; gives how many records of each
    /// object stay.
    pub(super) fn keep_created(&mut self) -> Result<Vec<(ObjectId, u64)>> {
        let mut counts: BTreeMap<ObjectId, u64> = BTreeMap::new();
        for ((object, id), used) in std::mem::take(&mut self.creating.made) {
            if used {
                *counts.entry(object).or_default() += 1;
                continue;
            }
            let row = self.transaction.delete(object, id)?;
            let rules = self.rules(object)?;
            self.forget_labels(&rules, &row);
        }
        Ok(counts.into_iter().collect())
    }
}
