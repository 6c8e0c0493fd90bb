//! Typed columns as a user sees them: labels and records by name.

use super::{Batch, Executor};
use crate::catalog::Field;
use crate::column::{Bitset, Vector};
use crate::error::Result;
use crate::query::bind;
use crate::query::bind::Type;
use crate::query::rule;
use crate::value::{FieldId, FieldType, LabelCode, ObjectId, RecordId, RecordName, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// So few records are named one by one.
const FEW: usize = 8;

impl Executor<'_> {
    /// The values of a column with names in place of codes and ids.
    pub(super) fn present(&self, vector: &Vector, ty: &Type) -> Result<Vec<Value>> {
        let form = ty.field_type();
        let values = (0..vector.len()).map(|at| vector.value(&form, at));
        self.name_values(values.collect(), ty)
    }

    /// Stored values with names in place of codes and ids.
    pub(super) fn name_values(&self, values: Vec<Value>, ty: &Type) -> Result<Vec<Value>> {
        match ty {
            Type::Label(object, field) => {
                let mut names = self.label_names(*object, *field);
                Ok(values.into_iter().map(|value| names.name(value)).collect())
            }
            Type::Tags(object, field) => {
                let mut names = self.label_names(*object, *field);
                let field = self.context.catalog.object(*object).field(*field);
                let rank = |code: &LabelCode| field.label_rank(*code);
                Ok(values
                    .into_iter()
                    .map(|value| match value {
                        Value::Tags(codes) => {
                            let mut codes = codes.to_vec();
                            codes.sort_by_key(rank);
                            let codes = codes.into_iter().map(Value::Label);
                            Value::List(codes.map(|code| names.name(code)).collect())
                        }
                        other => other,
                    })
                    .collect())
            }
            Type::Plain(FieldType::Reference(_) | FieldType::AnyReference(_)) => {
                self.record_names(values, ty)
            }
            Type::Fiscal => Ok(values.into_iter().map(|value| ty.named(value)).collect()),
            Type::Plain(ty @ (FieldType::Filter(_) | FieldType::Expression(_))) => {
                let mut known: HashMap<Arc<str>, Value> = HashMap::new();
                let name = |value: Value| match value {
                    Value::Text(text) => Ok(match known.get(&text) {
                        Some(shown) => shown.clone(),
                        None => {
                            let shown = Value::text(rule::shown(&text, ty, self.context)?);
                            known.entry(text).or_insert(shown).clone()
                        }
                    }),
                    other => Ok(other),
                };
                values.into_iter().map(name).collect()
            }
            Type::List(inner) => values
                .into_iter()
                .map(|value| match value {
                    Value::List(items) => {
                        let vector = Vector::from_values(inner.shape(), &items);
                        Ok(Value::List(self.present(&vector, inner)?.into()))
                    }
                    other => Ok(other),
                })
                .collect(),
            _ => Ok(values),
        }
    }

    /// A stored value with a name in place of a code or an id.
    pub(super) fn name_value(&self, value: Value, ty: &Type) -> Result<Value> {
        match (&value, ty) {
            (Value::Missing, _) => Ok(value),
            (_, Type::Plain(FieldType::Filter(_) | FieldType::Expression(_)))
            | (_, Type::Label(..) | Type::Tags(..) | Type::Fiscal | Type::List(_)) => self
                .name_values(vec![value], ty)
                .map(|mut one| one.remove(0)),
            _ => match target(&value, ty) {
                Some((object, id)) => self.name(object, id),
                None => Ok(value),
            },
        }
    }

    fn label_names(&self, object: ObjectId, field: FieldId) -> LabelNames<'_> {
        LabelNames {
            field: self.context.catalog.object(object).field(field),
            known: HashMap::new(),
        }
    }

    /// References as records with their labels, each read once.
    fn record_names(&self, values: Vec<Value>, ty: &Type) -> Result<Vec<Value>> {
        if values.len() <= FEW {
            let named = |value| self.name_value(value, ty);
            return values.into_iter().map(named).collect();
        }
        let mut wanted: BTreeMap<ObjectId, Vec<RecordId>> = BTreeMap::new();
        for (object, id) in values.iter().filter_map(|value| target(value, ty)) {
            wanted.entry(object).or_default().push(id);
        }
        let mut names = BTreeMap::new();
        for (object, mut ids) in wanted {
            ids.sort_unstable();
            ids.dedup();
            names.insert(object, (self.names(object, &ids)?, ids));
        }
        let named = |value: Value| match target(&value, ty) {
            Some((object, id)) => {
                let name = names.get(&object).and_then(|(names, ids)| {
                    let at = ids.binary_search(&id).ok()?;
                    names.get(at).cloned()
                });
                name.unwrap_or(Value::Missing)
            }
            None => value,
        };
        Ok(values.into_iter().map(named).collect())
    }

    /// The records of these ids, each with its label.
    fn names(&self, object: ObjectId, ids: &[RecordId]) -> Result<Vec<Value>> {
        let definition = self.context.catalog.object(object);
        let labels = match definition.label_field() {
            Some(field) => {
                let label = bind::column(definition, field.id, &(0..0));
                let batch = Batch::Records { object, ids };
                let vector =
                    self.evaluator
                        .evaluate_among(&label, &batch, &Bitset::full(ids.len()))?;
                Some((vector, field.ty.clone()))
            }
            None => None,
        };
        let object: Arc<str> = definition.name.as_str().into();
        let name = |(at, &id): (usize, &RecordId)| {
            let label = labels
                .as_ref()
                .map_or(Value::Missing, |(v, ty)| v.value(ty, at));
            self.called(Arc::clone(&object), id, label)
        };
        Ok(ids.iter().enumerate().map(name).collect())
    }

    /// The same of one record.
    fn name(&self, object: ObjectId, id: RecordId) -> Result<Value> {
        let definition = self.context.catalog.object(object);
        let label = match definition.label_field() {
            Some(field) => self.context.snapshot.value(object, field.id, id)?,
            None => Value::Missing,
        };
        Ok(self.called(definition.name.as_str().into(), id, label))
    }

    fn called(&self, object: Arc<str>, id: RecordId, label: Value) -> Value {
        let label = match label {
            Value::Missing => id.to_string().into(),
            Value::Text(text) => text,
            other => other.show(self.context.clock).into(),
        };
        Value::Record(Arc::new(RecordName { object, id, label }))
    }
}

/// The record that a value of a type refers to.
fn target(value: &Value, ty: &Type) -> Option<(ObjectId, RecordId)> {
    match (value, ty) {
        (Value::Reference(id), Type::Plain(FieldType::Reference(object))) => Some((*object, *id)),
        (Value::AnyReference(object, id), _) => Some((*object, *id)),
        _ => None,
    }
}

/// The names of a picklist's labels, each made once.
struct LabelNames<'a> {
    field: &'a Field,
    known: HashMap<LabelCode, Value>,
}

impl LabelNames<'_> {
    fn name(&mut self, value: Value) -> Value {
        let Value::Label(code) = value else {
            return value;
        };
        let name = || {
            self.field
                .label_name(code)
                .map_or(Value::Missing, Value::text)
        };
        self.known.entry(code).or_insert_with(name).clone()
    }
}
