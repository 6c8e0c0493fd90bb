//! Records that are put back as they were: the rules they must keep, and who is in their way.

use super::BATCH_RECORDS;
use super::delete::target;
use super::writer::{Refusal, Writer};
use crate::catalog::{Field, Role};
use crate::error::{Code, Result};
use crate::query::label;
use crate::storage::{Row, Stamp};
use crate::value::{DateTime, FieldId, FieldType, LabelCode, ObjectId, RecordId, Value};
use std::collections::HashSet;
use std::sync::Arc;

/// A record that is put back: what it was just now, and is again.
pub(super) struct Back {
    pub id: RecordId,
    pub old: Option<Arc<Row>>,
    pub new: Arc<Row>,
}

/// Why a record cannot be put back.
pub(super) struct Reason {
    pub code: Code,
    pub text: String,
    /// ` since transaction 17 of ...`, or nothing.
    pub since: String,
}

impl Writer<'_, '_> {
    /// The first rule that records put back break, now that all are there.
    pub(super) fn broken(&mut self, object: ObjectId, backs: &[Back]) -> Result<Option<Reason>> {
        let rules = self.rules(object)?;
        for batch in backs.chunks(BATCH_RECORDS) {
            let rows: Vec<_> = batch.iter().map(|back| Arc::clone(&back.new)).collect();
            let ids: Vec<_> = batch.iter().map(|back| back.id).collect();
            if let Err(error) = self.check_rows(&rules, &rows, Some(&ids)) {
                return match error.code() {
                    code @ Code::CheckFailed => Ok(Some(Reason {
                        code,
                        text: error.message().to_owned(),
                        since: String::new(),
                    })),
                    _ => Err(error),
                };
            }
        }
        for back in backs {
            let (old, row) = (back.old.as_deref(), &*back.new);
            if let Some(reason) = self.out_of_date(object, back)? {
                return Ok(Some(reason));
            }
            let mut held = self.verify(&rules, old, row);
            if held.is_ok() {
                held = self.verify_unique(&rules, Some(back.id), old, row);
            }
            if held.is_ok() {
                held = self.verify_hierarchy(&rules, back.id);
            }
            if let Err(Refusal { error, .. }) = held {
                let code = error.code();
                let name = label::name_of_row(object, back.id, Some(row), &self.catalog);
                let found = self.in_the_way(object, back, code)?;
                let (text, since) =
                    found.unwrap_or_else(|| (error.message().to_owned(), String::new()));
                let text = format!("{name}: {text}");
                return Ok(Some(Reason { code, text, since }));
            }
        }
        Ok(None)
    }

    /// What a record that is put back says and the definitions of now do not know.
    fn out_of_date(&mut self, object: ObjectId, back: &Back) -> Result<Option<Reason>> {
        let catalog = Arc::clone(&self.catalog);
        for field in catalog.object(object).live_fields() {
            let value = back.new.get(field.id);
            if back
                .old
                .as_ref()
                .is_some_and(|old| old.get(field.id) == value)
            {
                continue;
            }
            let gone = |code: &&LabelCode| field.label_rank(**code).is_none();
            let text = match (value, &field.ty) {
                (Value::Label(code), _) if gone(&code) => self.label_gone(field, *code),
                (Value::Tags(codes), _) => match codes.iter().find(gone) {
                    Some(code) => self.label_gone(field, *code),
                    None => continue,
                },
                (Value::Text(text), FieldType::Filter(of) | FieldType::Expression(of)) => {
                    let condition = matches!(field.ty, FieldType::Filter(_));
                    match self.stored_text(*of, condition, text) {
                        Ok(_) => continue,
                        Err(error) => format!("its `{}`: {}", field.name, error.message()),
                    }
                }
                _ => continue,
            };
            let name = label::name_of_row(object, back.id, Some(&back.new), &self.catalog);
            return Ok(Some(Reason {
                code: Code::BadValue,
                text: format!("{name}: {text}"),
                since: String::new(),
            }));
        }
        Ok(None)
    }

    fn label_gone(&self, field: &Field, code: LabelCode) -> String {
        let label = field.label_name(code).unwrap_or_default();
        format!("the label `{label}` of `{}` was dropped since", field.name)
    }

    /// What stands in the way of a record that breaks a rule of this code, and since when.
    fn in_the_way(
        &self,
        object: ObjectId,
        back: &Back,
        code: Code,
    ) -> Result<Option<(String, String)>> {
        let definition = self.catalog.object(object);
        let name = |field: &FieldId| format!("`{}`", definition.field(*field).name);
        match code {
            Code::NotUnique => {
                for index in definition.indexes.iter().filter(|index| index.unique) {
                    let key = index
                        .fields
                        .iter()
                        .map(|field| back.new.get(*field).clone());
                    let key: Vec<Value> = key.collect();
                    if key.iter().any(Value::is_missing) {
                        continue;
                    }
                    let found = self.transaction.lookup(index.id, &key)?;
                    if let Some(other) = found.into_iter().find(|id| *id != back.id) {
                        let names: Vec<_> = index.fields.iter().map(name).collect();
                        let other_name = self.name_of(object, other);
                        let set = self.set_by(object, other, &index.fields)?;
                        let text = format!("{other_name} has its {}", names.join(", "));
                        let set = set.map(|stamp| self.transaction_said(stamp));
                        return Ok(Some((text, since(set))));
                    }
                }
            }
            Code::UnknownRecord => {
                for field in definition.live_fields() {
                    let Some((target, id)) = target(back.new.get(field.id), &field.ty) else {
                        continue;
                    };
                    if self.snapshot().row(target, id)?.is_none() {
                        let last = self.snapshot().life(target, id)?.pop();
                        let last = last.filter(|step| step.after.is_none());
                        let by = last.map(|step| self.transaction_said(step.stamp));
                        let by = by.map_or_else(String::new, |by| format!(" by {by}"));
                        let gone = self.name_gone(target, id)?;
                        let field = name(&field.id);
                        let text = format!("{gone} in its {field} was deleted{by}");
                        return Ok(Some((text, String::new())));
                    }
                }
            }
            Code::Cycle => {
                let above = definition.hierarchy_field().map(|field| field.id);
                let Some(above) = above else { return Ok(None) };
                let mut last: Option<Stamp> = None;
                let mut at = back.new.get(above).clone();
                let mut seen = HashSet::from([back.id]);
                while let Value::Reference(id) = at
                    && seen.insert(id)
                {
                    let set = self.set_by(object, id, &[above])?.into_iter();
                    last = set.chain(last).max_by_key(|stamp| stamp.sequence);
                    at = self.row(object, id)?.get(above).clone();
                }
                let text = format!("it would lie below itself through {}", name(&above));
                let last = last.map(|stamp| self.transaction_said(stamp));
                return Ok(Some((text, since(last))));
            }
            _ => {}
        }
        Ok(None)
    }

    /// The transaction that last gave one of these fields of a record its value.
    pub(super) fn set_by(
        &self,
        object: ObjectId,
        id: RecordId,
        fields: &[FieldId],
    ) -> Result<Option<Stamp>> {
        let values = |row: Option<&Row>| -> Vec<Value> {
            let value = |field: &FieldId| row.map_or(Value::Missing, |row| row.get(*field).clone());
            fields.iter().map(value).collect()
        };
        let steps = self.snapshot().life(object, id)?;
        let now = self.snapshot().row(object, id)?;
        let known = steps.last().and_then(|step| step.after.as_deref());
        // What is set in this transaction is no other's.
        if known.is_none() || values(known) != values(now.as_deref()) {
            return Ok(None);
        }
        let mut steps = steps.into_iter().rev();
        let last =
            steps.find(|step| values(step.before.as_deref()) != values(step.after.as_deref()));
        Ok(last.map(|step| step.stamp))
    }

    /// The name of a record that is gone.
    pub(super) fn name_gone(&self, object: ObjectId, id: RecordId) -> Result<String> {
        let steps = self.snapshot().life(object, id)?;
        let row = steps.iter().rev().find_map(|step| step.after.as_deref());
        Ok(label::name_of_row(object, id, row, &self.catalog))
    }

    /// `transaction 17 of 2026-05-15T09:00:00 by reps "Dee"`
    pub(super) fn transaction_said(&self, stamp: Stamp) -> String {
        match stamp.at {
            DateTime::FIRST => format!("transaction {}", stamp.sequence),
            _ => format!("transaction {} of {}", stamp.sequence, self.when(stamp)),
        }
    }

    pub(super) fn when(&self, stamp: Stamp) -> String {
        let at = Value::DateTime(stamp.at).show(self.environment.clock);
        match stamp.actor {
            Some(actor) => format!("{at} by {}", self.actor(actor)),
            None => at,
        }
    }

    pub(super) fn actor(&self, id: RecordId) -> String {
        match self.catalog.playing(Role::Actors) {
            Some(actors) => self.name_of(actors.id, id),
            None => id.to_string(),
        }
    }
}

/// ` since transaction 17 of ...`
pub(super) fn since(transaction: Option<String>) -> String {
    transaction.map_or_else(String::new, |transaction| format!(" since {transaction}"))
}
