//! `upsert ... on`: records found by key are updated, others are added.

use super::Tally;
use super::add::refused;
use super::keys::Keys;
use super::rules::Rules;
use super::writer::{Refusal, Values, Writer};
use crate::error::{Code, Error, Result};
use crate::query::bind::{Assignments, From};
use crate::query::exec::{self, Batch};
use crate::value::{FieldId, FieldType, ObjectId, RecordId, Value};

/// What became of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Upserted {
    Added(RecordId),
    Updated(RecordId),
    Same(RecordId),
}

impl Upserted {
    pub(super) fn id(self) -> RecordId {
        match self {
            Self::Added(id) | Self::Updated(id) | Self::Same(id) => id,
        }
    }
}

impl Tally {
    pub(super) fn count(&mut self, what: Upserted) {
        match what {
            Upserted::Added(_) => self.added += 1,
            Upserted::Updated(_) => self.updated += 1,
            Upserted::Same(_) => {}
        }
    }
}

impl Writer<'_, '_> {
    pub(super) fn upsert(
        &mut self,
        object: ObjectId,
        on: &[FieldId],
        from: Option<&From>,
        records: &[Assignments],
    ) -> Result<()> {
        let rules = self.rules(object)?;
        self.own_from = self.snapshot().record_bound(object);
        let mut keys = Keys::new(self, object, on)?;
        match from {
            None => {
                for assignments in records {
                    let values = self.values_alone(object, assignments)?;
                    self.upsert_values(&rules, &mut keys, values)
                        .map_err(|refusal| refused(refusal, assignments))?;
                }
            }
            Some(from) => {
                for values in self.values_from(object, from, records)? {
                    self.upsert_values(&rules, &mut keys, values)
                        .map_err(Refusal::into_error)?;
                }
            }
        }
        Ok(())
    }

    /// The values of `records` for each row of the query, row by row.
    fn values_from(
        &mut self,
        object: ObjectId,
        from: &From,
        records: &[Assignments],
    ) -> Result<Vec<Values>> {
        let (ids, frame);
        let batch = match from.object {
            Some(object) => {
                ids = exec::records(&from.query, &self.context())?;
                Batch::Records { object, ids: &ids }
            }
            None => {
                frame = exec::run_frame(&from.query, &self.context())?;
                Batch::Slots(&frame)
            }
        };
        let mut columns = Vec::new();
        for assignments in records {
            let mut vectors = Vec::new();
            for (field, expr) in self.fold_all(assignments)? {
                let vector = self
                    .evaluate(&expr, &batch)
                    .map_err(|e| e.at(expr.span.clone()))?;
                vectors.push((field, expr, vector));
            }
            columns.push(vectors);
        }
        let mut all = Vec::with_capacity(batch.len() * records.len());
        for at in 0..batch.len() {
            for vectors in &columns {
                let mut values = Values::with_capacity(vectors.len());
                for (field, expr, vector) in vectors {
                    let value = vector.value(&expr.ty.field_type(), at);
                    let value = self
                        .convert(object, *field, Some(&expr.ty), value)
                        .map_err(|e| e.at(expr.span.clone()))?;
                    values.push((*field, value));
                }
                all.push(values);
            }
        }
        Ok(all)
    }

    /// Updates the one record with the key that `values` hold, or adds one.
    pub(super) fn upsert_values(
        &mut self,
        rules: &Rules,
        keys: &mut Keys,
        values: Values,
    ) -> Result<Upserted, Refusal> {
        let key = self.key_of(keys, &values)?;
        let found = keys.find(self, &key)?;
        match found[..] {
            [] => {
                let id = self.insert_values(rules, values)?;
                keys.added(&key, id);
                Ok(Upserted::Added(id))
            }
            [id] => Ok(if self.replace_values(rules, id, values)? {
                Upserted::Updated(id)
            } else {
                Upserted::Same(id)
            }),
            _ => {
                let object = keys.object();
                let named = found.iter().take(5).map(|id| {
                    Ok(match self.label(object, *id)? {
                        label if label == id.to_string() => label,
                        label => format!("{label} ({id})"),
                    })
                });
                let listed = named.collect::<Result<Vec<_>>>()?;
                let of = self.catalog.object(object);
                let fields = keys.fields().iter().map(|field| &of.field(*field).ty);
                let said = fields.zip(&key).map(|(ty, value)| match (ty, value) {
                    (FieldType::Reference(other), Value::Reference(id)) => self.label(*other, *id),
                    _ => Ok(value.show(self.environment.clock)),
                });
                let said = said.collect::<Result<Vec<_>>>()?;
                Err(Refusal {
                    field: keys.fields().first().copied(),
                    error: Error::new(
                        Code::AmbiguousKey,
                        format!(
                            "{} records of {} have the key `{}`: {}",
                            found.len(),
                            of.name,
                            said.join(", "),
                            listed.join(", ")
                        ),
                    )
                    .hint("upsert on fields that tell records apart"),
                })
            }
        }
    }

    fn key_of(&self, keys: &Keys, values: &Values) -> Result<Vec<Value>, Refusal> {
        let object = self.catalog.object(keys.object());
        keys.fields()
            .iter()
            .map(|field| {
                let value = values.iter().find(|(own, _)| own == field);
                match value {
                    Some((_, value)) if !value.is_missing() => Ok(value.clone()),
                    _ => Err(Refusal {
                        field: Some(*field),
                        error: Error::new(
                            Code::Required,
                            format!(
                                "`{}` is empty: no key to look for",
                                object.field(*field).name
                            ),
                        ),
                    }),
                }
            })
            .collect()
    }
}
