//! `delete`: records, and what their references' rules make of those that refer to them.

use super::Tally;
use super::columns::each_value;
use super::writer::{Refusal, Writer};
use crate::catalog::{Catalog, Field, Object, OnDelete};
use crate::error::{Code, Error, Result};
use crate::query::bind::Query;
use crate::query::exec;
use crate::storage::IndexKind;
use crate::value::{FieldId, FieldType, IndexId, ObjectId, RecordId, Value};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Records that go.
#[derive(Default)]
pub(super) struct Gone(BTreeMap<ObjectId, BTreeSet<RecordId>>);

/// The records that refer to others through a field without an index, by those they refer to.
type Referring = HashMap<(ObjectId, RecordId), Vec<RecordId>>;

impl Writer<'_, '_> {
    pub(super) fn delete(&mut self, object: ObjectId, query: &Query) -> Result<Tally> {
        let ids = exec::records(query, &self.context())?;
        let deleted = ids.len() as u64;
        let gone = self.with_cascades(object, ids)?;
        let emptied = self.empty_references(&gone)?;
        let mut all = 0;
        for (object, ids) in &gone.0 {
            let rules = self.rules(*object)?;
            for id in ids {
                let old = self.transaction.delete(*object, *id)?;
                self.forget_labels(&rules, &old);
                all += 1;
            }
        }
        Ok(Tally {
            deleted,
            cascaded: all - deleted,
            emptied,
            ..Tally::default()
        })
    }

    /// The records and all that go with them, level by level.
    fn with_cascades(&self, object: ObjectId, ids: Vec<RecordId>) -> Result<Gone> {
        let catalog = Arc::clone(&self.catalog);
        let mut gone = Gone::default();
        let mut known = HashMap::new();
        let ids = gone.insert(object, ids);
        let mut waiting = vec![(object, ids)];
        while let Some((object, ids)) = waiting.pop() {
            self.environment.interrupt.check()?;
            for (referring, field) in references(&catalog, object, OnDelete::Cascade) {
                let more = match indexed(referring, field) {
                    Some(_) => self.referring(referring, field, &ids)?,
                    None => {
                        let known: &mut Referring = match known.entry((referring.id, field.id)) {
                            Entry::Occupied(known) => known.into_mut(),
                            Entry::Vacant(new) => new.insert(self.all_referring(referring, field)?),
                        };
                        let targets = ids.iter().filter_map(|id| known.get(&(object, *id)));
                        targets.flatten().copied().collect()
                    }
                };
                let new = gone.insert(referring.id, more);
                if !new.is_empty() {
                    waiting.push((referring.id, new));
                }
            }
        }
        Ok(gone)
    }

    /// Empties the references of records that stay to those that go, where that is their rule,
    /// and refuses where it is not; gives the number of records changed.
    fn empty_references(&mut self, gone: &Gone) -> Result<u64> {
        let catalog = Arc::clone(&self.catalog);
        let mut emptied: BTreeMap<(ObjectId, RecordId), Vec<FieldId>> = BTreeMap::new();
        for object in gone.0.keys() {
            for (referring, field) in references(&catalog, *object, OnDelete::Refuse) {
                self.refuse_referred(*object, gone, referring, field)?;
            }
            for (referring, field) in references(&catalog, *object, OnDelete::Empty) {
                for (_, id) in self.staying(*object, gone, (referring, field), false)? {
                    let fields = emptied.entry((referring.id, id)).or_default();
                    fields.push(field.id);
                }
            }
        }
        for ((object, id), fields) in &emptied {
            self.environment.interrupt.check()?;
            let rules = self.rules(*object)?;
            let values = fields.iter().map(|field| (*field, Value::Missing));
            self.replace_values(&rules, *id, values.collect())
                .map_err(Refusal::into_error)?;
        }
        Ok(emptied.len() as u64)
    }

    /// Refuses if a record that stays refers through this field to one that goes.
    fn refuse_referred(
        &self,
        object: ObjectId,
        gone: &Gone,
        referring: &Object,
        field: &Field,
    ) -> Result<()> {
        let staying = self.staying(object, gone, (referring, field), true)?;
        let Some((target, other)) = staying.first() else {
            return Ok(());
        };
        let others = staying.iter().filter(|(id, _)| id == target).count();
        let more = match others {
            1 => String::new(),
            n => format!(" and {} more", n - 1),
        };
        Err(Error::new(
            Code::StillReferenced,
            format!(
                "{} refers to {} in `{}`{more}",
                self.name_of(referring.id, *other),
                self.name_of(object, *target),
                field.name
            ),
        )
        .hint("delete those first, or point them to another record"))
    }

    /// The records of `object` that go, each with a record that stays and refers to it through
    /// this field; where an index tells, of the `first` such record alone if that is enough.
    pub(super) fn staying(
        &self,
        object: ObjectId,
        gone: &Gone,
        (referring, field): (&Object, &Field),
        first: bool,
    ) -> Result<Vec<(RecordId, RecordId)>> {
        let mut found = Vec::new();
        let Some(ids) = gone.0.get(&object) else {
            return Ok(found);
        };
        if indexed(referring, field).is_some() {
            for id in ids {
                let others = self.referring(referring, field, &[*id])?;
                let others = others.into_iter();
                let staying = others.filter(|other| !gone.holds(referring.id, *other));
                found.extend(staying.map(|other| (*id, other)));
                if first && !found.is_empty() {
                    break;
                }
            }
            return Ok(found);
        }
        each_value(self.snapshot(), referring.id, field, |other, value| {
            if let Some((of, target)) = target(&value, &field.ty)
                && of == object
                && ids.contains(&target)
                && !gone.holds(referring.id, other)
            {
                found.push((target, other));
            }
        })?;
        Ok(found)
    }

    /// The records that refer to some through a field with an index.
    fn referring(
        &self,
        referring: &Object,
        field: &Field,
        ids: &[RecordId],
    ) -> Result<Vec<RecordId>> {
        let mut found = Vec::new();
        if let Some(index) = indexed(referring, field) {
            for id in ids {
                found.extend(self.snapshot().lookup(index, &[Value::Reference(*id)])?);
            }
        }
        Ok(found)
    }

    fn all_referring(&self, referring: &Object, field: &Field) -> Result<Referring> {
        let mut all = Referring::new();
        each_value(self.snapshot(), referring.id, field, |other, value| {
            if let Some(target) = target(&value, &field.ty) {
                all.entry(target).or_default().push(other);
            }
        })?;
        Ok(all)
    }
}

impl Gone {
    /// Adds records; gives those that are new.
    pub(super) fn insert(&mut self, object: ObjectId, ids: Vec<RecordId>) -> Vec<RecordId> {
        let known = self.0.entry(object).or_default();
        ids.into_iter().filter(|id| known.insert(*id)).collect()
    }

    fn holds(&self, object: ObjectId, id: RecordId) -> bool {
        self.0.get(&object).is_some_and(|ids| ids.contains(&id))
    }
}

/// The fields of this rule that refer to records of an object.
pub(super) fn references(
    catalog: &Catalog,
    object: ObjectId,
    rule: OnDelete,
) -> impl Iterator<Item = (&Object, &Field)> {
    catalog.live_objects().flat_map(move |referring| {
        let fields = referring.live_fields();
        fields
            .filter(move |field| field.on_delete == rule && field.refers_to(object))
            .map(move |field| (referring, field))
    })
}

/// The index that finds who refers through a field.
fn indexed(referring: &Object, field: &Field) -> Option<IndexId> {
    referring
        .index_on(&[field.id], IndexKind::Reference)
        .filter(|_| matches!(field.ty, FieldType::Reference(_)))
        .map(|index| index.id)
}

/// The record that a value of a reference field is.
pub(super) fn target(value: &Value, ty: &FieldType) -> Option<(ObjectId, RecordId)> {
    match (value, ty) {
        (Value::Reference(id), FieldType::Reference(object)) => Some((*object, *id)),
        (Value::AnyReference(object, id), _) => Some((*object, *id)),
        _ => None,
    }
}
