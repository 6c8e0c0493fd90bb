//! Typed columns as a user sees them: labels and records by name.

use super::{Batch, Executor};
use crate::column::{Bitset, Vector};
use crate::error::Result;
use crate::query::bind;
use crate::query::bind::Type;
use crate::value::{FieldId, FieldType, LabelCode, ObjectId, RecordId, RecordName, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

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
                let names = self.label_names(*object, *field);
                Ok(values.iter().map(|value| named(value, &names)).collect())
            }
            Type::Tags(object, field) => {
                let names = self.label_names(*object, *field);
                let field = self.context.catalog.object(*object).field(*field);
                let rank = |code: &LabelCode| field.label_rank(*code);
                Ok(values
                    .into_iter()
                    .map(|value| match value {
                        Value::Tags(codes) => {
                            let mut codes = codes.to_vec();
                            codes.sort_by_key(rank);
                            let codes = codes.into_iter().map(Value::Label);
                            Value::List(codes.map(|code| named(&code, &names)).collect())
                        }
                        other => other,
                    })
                    .collect())
            }
            Type::Plain(FieldType::Reference(_) | FieldType::AnyReference(_)) => {
                self.record_names(values, ty)
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

    fn label_names(&self, object: ObjectId, field: FieldId) -> HashMap<LabelCode, Value> {
        let field = self.context.catalog.object(object).field(field);
        let name = |label: &crate::catalog::Label| (label.code, Value::text(&label.name));
        field.labels.iter().map(name).collect()
    }

    /// References as records with their labels, each read once.
    fn record_names(&self, values: Vec<Value>, ty: &Type) -> Result<Vec<Value>> {
        let target = |value: &Value| match (value, ty) {
            (Value::Reference(id), Type::Plain(FieldType::Reference(object))) => {
                Some((*object, *id))
            }
            (Value::AnyReference(object, id), _) => Some((*object, *id)),
            _ => None,
        };
        let mut wanted: BTreeMap<ObjectId, Vec<RecordId>> = BTreeMap::new();
        for (object, id) in values.iter().filter_map(target) {
            wanted.entry(object).or_default().push(id);
        }
        let mut names: HashMap<(ObjectId, RecordId), Value> = HashMap::new();
        for (object, mut ids) in wanted {
            ids.sort_unstable();
            ids.dedup();
            for (id, name) in self.names(object, &ids)? {
                names.insert((object, id), name);
            }
        }
        let named = |value: Value| match target(&value) {
            Some(target) => names.get(&target).cloned().unwrap_or(Value::Missing),
            None => value,
        };
        Ok(values.into_iter().map(named).collect())
    }

    fn names(&self, object: ObjectId, ids: &[RecordId]) -> Result<Vec<(RecordId, Value)>> {
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
            let label = match label {
                Value::Missing => id.to_string().into(),
                Value::Text(text) => text,
                other => other.show(self.context.clock).into(),
            };
            let object = Arc::clone(&object);
            (
                id,
                Value::Record(Arc::new(RecordName { object, id, label })),
            )
        };
        Ok(ids.iter().enumerate().map(name).collect())
    }
}

fn named(value: &Value, names: &HashMap<LabelCode, Value>) -> Value {
    match value {
        Value::Label(code) => names.get(code).cloned().unwrap_or(Value::Missing),
        other => other.clone(),
    }
}
