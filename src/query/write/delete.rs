//! `delete`: records that nobody else refers to.

use super::Tally;
use super::columns::each_value;
use super::writer::Writer;
use crate::catalog::Object;
use crate::error::{Code, Error, Result};
use crate::query::bind::Query;
use crate::query::exec;
use crate::storage::IndexKind;
use crate::value::{FieldId, FieldType, ObjectId, RecordId, Value};
use std::collections::HashSet;
use std::sync::Arc;

impl Writer<'_, '_> {
    pub(super) fn delete(&mut self, object: ObjectId, query: &Query) -> Result<Tally> {
        let rules = self.rules(object)?;
        let ids = exec::records(query, &self.context())?;
        let gone: HashSet<_> = ids.iter().copied().collect();
        let catalog = Arc::clone(&self.catalog);
        for referring in catalog.live_objects() {
            for field in referring
                .live_fields()
                .filter(|field| field.refers_to(object))
            {
                self.refuse_referred(object, &ids, &gone, referring, field.id)?;
            }
        }
        for id in &ids {
            let old = self.transaction.delete(object, *id)?;
            self.forget_labels(&rules, &old);
        }
        Ok(Tally {
            deleted: ids.len() as u64,
            ..Tally::default()
        })
    }

    /// Refuses if a record that stays refers to one of `gone` through this field.
    fn refuse_referred(
        &self,
        object: ObjectId,
        ids: &[RecordId],
        gone: &HashSet<RecordId>,
        referring: &Object,
        field: FieldId,
    ) -> Result<()> {
        let stays = |id: &RecordId| referring.id != object || !gone.contains(id);
        let definition = referring.field(field);
        let index = referring
            .index_on(&[field], IndexKind::Reference)
            .filter(|_| matches!(definition.ty, FieldType::Reference(_)));
        if let Some(index) = index {
            for id in ids {
                let found = self.snapshot().lookup(index.id, &[Value::Reference(*id)])?;
                if let Some(other) = found.iter().find(|id| stays(id)) {
                    let others = found.iter().filter(|id| stays(id)).count();
                    return Err(
                        self.still_referenced(object, *id, referring, field, *other, others)
                    );
                }
            }
            return Ok(());
        }
        let mut hit = None;
        each_value(self.snapshot(), referring.id, definition, |other, value| {
            let target = match value {
                Value::Reference(id) => id,
                Value::AnyReference(of, id) if of == object => id,
                _ => return,
            };
            if hit.is_none() && gone.contains(&target) && stays(&other) {
                hit = Some((target, other));
            }
        })?;
        match hit {
            None => Ok(()),
            Some((id, other)) => Err(self.still_referenced(object, id, referring, field, other, 1)),
        }
    }

    fn still_referenced(
        &self,
        object: ObjectId,
        id: RecordId,
        referring: &Object,
        field: FieldId,
        other: RecordId,
        others: usize,
    ) -> Error {
        let more = match others {
            0 | 1 => String::new(),
            n => format!(" and {} more", n - 1),
        };
        Error::new(
            Code::StillReferenced,
            format!(
                "{} refers to {} in `{}`{more}",
                self.name_of(referring.id, other),
                self.name_of(object, id),
                referring.field(field).name
            ),
        )
        .hint("delete those first, or point them to another record")
    }
}
