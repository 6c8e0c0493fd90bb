//! The rules of an object: required, unique, references, hierarchy, checks, and defaults.

use super::writer::{Refusal, Values, Writer};
use crate::catalog::Object;
use crate::column::CHUNK_RECORDS;
use crate::error::{Code, Error, Result};
use crate::query::bind::{Binder, Expr, Node};
use crate::query::exec::Batch;
use crate::query::label;
use crate::query::syntax;
use crate::storage::Row;
use crate::value::{ChunkId, FieldId, FieldType, IndexId, ObjectId, RecordId, Value};
use std::cell::OnceCell;
use std::collections::HashSet;
use std::sync::Arc;

/// What every record of an object must meet, bound. What is folded holds for one statement.
#[derive(Clone)]
pub(crate) struct Rules {
    pub object: ObjectId,
    pub(super) defaults: Vec<DefaultRule>,
    checks: Vec<CheckRule>,
    required: Vec<FieldId>,
    pub(super) unique: Vec<(IndexId, Vec<FieldId>)>,
    references: Vec<FieldId>,
    hierarchy: Option<FieldId>,
    /// Fields whose text names a record.
    pub keys: Vec<FieldId>,
}

#[derive(Clone)]
pub(super) struct DefaultRule {
    pub field: FieldId,
    pub expr: Expr,
    pub folded: OnceCell<Expr>,
}

#[derive(Clone)]
struct CheckRule {
    text: String,
    expr: Expr,
    folded: OnceCell<Expr>,
}

impl Rules {
    pub(crate) fn new<'c>(object: &'c Object, binder: &Binder<'c>) -> Result<Self> {
        let fields = |test: &dyn Fn(&crate::catalog::Field) -> bool| {
            object
                .live_fields()
                .filter(|field| test(field))
                .map(|field| field.id)
                .collect::<Vec<_>>()
        };
        let mut checks = Vec::new();
        for text in &object.checks {
            let tree = syntax::parse_expression(text)?;
            checks.push(CheckRule {
                text: text.clone(),
                expr: binder.record_condition(object.id, &tree)?,
                folded: OnceCell::new(),
            });
        }
        let mut defaults = Vec::new();
        for field in super::defaults::order(object)? {
            let Some(text) = &object.field(field).default else {
                continue;
            };
            let tree = syntax::parse_expression(text)?;
            defaults.push(DefaultRule {
                field,
                expr: binder.assigned_in(object, object.field(field), &tree)?,
                folded: OnceCell::new(),
            });
        }
        let unique = object.indexes.iter().filter(|index| index.unique);
        Ok(Self {
            object: object.id,
            defaults,
            checks,
            required: fields(&|field| field.required),
            unique: unique
                .map(|index| (index.id, index.fields.clone()))
                .collect(),
            references: fields(&|field| {
                matches!(
                    field.ty,
                    FieldType::Reference(_) | FieldType::AnyReference(_)
                )
            }),
            hierarchy: object.hierarchy_field().map(|field| field.id),
            keys: object.key_fields().map(|field| field.id).collect(),
        })
    }

    /// Whether a new record can be held against the rules without another one of its object, but
    /// for those that share its keys.
    pub(super) fn look_at_one(&self) -> bool {
        let defaults = self.defaults.iter().map(|rule| &rule.expr);
        let checks = self.checks.iter().map(|rule| &rule.expr);
        defaults
            .chain(checks)
            .all(|expr| looks_at_one(expr, self.object))
    }

    pub(super) fn has_checks(&self) -> bool {
        !self.checks.is_empty()
    }
}

/// Whether an expression reads no collections or queries, and names no records of an object.
pub(super) fn looks_at_one(expr: &Expr, object: ObjectId) -> bool {
    let mut one = true;
    expr.visit_all(&mut |expr| {
        one &= match &expr.node {
            Node::Collect(_)
            | Node::Correlated { .. }
            | Node::InQuery { .. }
            | Node::Subquery(_)
            | Node::Stored { .. } => false,
            Node::Lookup { object: of, .. } => *of != object,
            _ => true,
        }
    });
    one
}

impl Writer<'_, '_> {
    /// Refuses the first row that breaks a check. `ids` are the rows' records, if they have any.
    pub(super) fn check_rows(
        &self,
        rules: &Rules,
        rows: &[Arc<Row>],
        ids: Option<&[RecordId]>,
    ) -> Result<()> {
        let checks = if self.checks_wait {
            &[][..]
        } else {
            &rules.checks
        };
        for check in checks {
            let expr = self.folded(&check.expr, &check.folded)?;
            let batch = Batch::Rows {
                object: rules.object,
                rows,
                ids,
            };
            let held = self.evaluate(expr, &batch)?;
            let broken = |at: &usize| held.value(&FieldType::Boolean, *at) != Value::Boolean(true);
            if let Some(at) = (0..rows.len()).find(broken) {
                let record = match ids {
                    Some(ids) => self.name_of(rules.object, ids[at]),
                    None => label::name_of_new(rules.object, &rows[at], &self.catalog),
                };
                let message = format!("{record} breaks the check `{}`", check.text);
                let error = Error::new(Code::CheckFailed, message);
                let missing = self.missing_in(rules.object, &check.expr, &rows[at]);
                return Err(missing.into_iter().fold(error, Error::hint));
            }
        }
        Ok(())
    }

    /// The fields that an expression reads and a record does not have, each told once.
    fn missing_in(&self, object: ObjectId, expr: &Expr, row: &Row) -> Vec<String> {
        let mut told = Vec::new();
        expr.visit(&mut |part| {
            if let Node::Column(field) = part.node
                && row.get(field).is_missing()
            {
                let name = &self.catalog.object(object).field(field).name;
                let hint = format!("its `{name}` is empty");
                if !told.contains(&hint) {
                    told.push(hint);
                }
            }
        });
        told
    }

    pub(super) fn folded<'c>(&self, expr: &Expr, cell: &'c OnceCell<Expr>) -> Result<&'c Expr> {
        match cell.get() {
            Some(folded) => Ok(folded),
            None => {
                let folded = self.fold(expr)?;
                Ok(cell.get_or_init(|| folded))
            }
        }
    }

    /// Required fields are there, references point to records. Of a record that is replaced only
    /// what changed is looked at.
    pub(super) fn verify(
        &mut self,
        rules: &Rules,
        old: Option<&Row>,
        row: &Row,
    ) -> Result<(), Refusal> {
        for &field in &rules.required {
            let had = old.is_none_or(|old| !old.get(field).is_missing());
            if had && row.get(field).is_missing() {
                let object = self.catalog.object(rules.object);
                let name = &object.field(field).name;
                return Err(Refusal {
                    field: Some(field),
                    error: Error::new(
                        Code::Required,
                        format!("a record of {} needs a `{name}`", object.name),
                    ),
                });
            }
        }
        for &field in &rules.references {
            let value = row.get(field);
            if old.is_some_and(|old| old.get(field) == value) {
                continue;
            }
            let (target, id) = match (value, &self.catalog.object(rules.object).field(field).ty) {
                (Value::Reference(id), FieldType::Reference(target)) => (*target, *id),
                (Value::AnyReference(target, id), _) => (*target, *id),
                _ => continue,
            };
            if !self.exists(target, id)? {
                let name = &self.catalog.object(rules.object).field(field).name;
                let target = &self.catalog.object(target).name;
                return Err(Refusal {
                    field: Some(field),
                    error: Error::new(
                        Code::UnknownRecord,
                        format!("`{name}`: {target} has no record {id}"),
                    ),
                });
            }
        }
        Ok(())
    }

    /// No other record than `own` has the row's unique keys.
    pub(super) fn verify_unique(
        &self,
        rules: &Rules,
        own: Option<RecordId>,
        old: Option<&Row>,
        row: &Row,
    ) -> Result<(), Refusal> {
        for (index, fields) in &rules.unique {
            let key: Vec<_> = fields.iter().map(|field| row.get(*field).clone()).collect();
            let same = |old: &Row| {
                fields
                    .iter()
                    .zip(&key)
                    .all(|(f, value)| old.get(*f) == value)
            };
            if key.iter().any(Value::is_missing) || old.is_some_and(same) {
                continue;
            }
            let found = self.transaction.lookup(*index, &key)?;
            if let Some(other) = found.into_iter().find(|id| Some(*id) != own) {
                return Err(Refusal {
                    field: fields.first().copied(),
                    error: self.not_unique(rules.object, fields, &key, other),
                });
            }
        }
        Ok(())
    }

    fn not_unique(
        &self,
        object: ObjectId,
        fields: &[FieldId],
        key: &[Value],
        other: RecordId,
    ) -> Error {
        let definition = self.catalog.object(object);
        let key = self.key_said(definition, fields, key);
        let (name, named) = (&definition.name, self.name_of(object, other));
        if other.0 >= self.own_from {
            let message = format!("this statement has given `{key}` to {named} before");
            return Error::new(Code::NotUnique, message).hint("no two records may have the same");
        }
        let message = format!("{name} has `{key}` already: {named}");
        Error::new(Code::NotUnique, message)
            .hint("change that record, or write `upsert ... on` to update it")
    }

    /// The values of a key behind the names of their fields.
    pub(super) fn key_said(&self, object: &Object, fields: &[FieldId], key: &[Value]) -> String {
        let said = fields.iter().zip(key).map(|(field, value)| {
            let name = &object.field(*field).name;
            format!("{name} {}", value.show(self.environment.clock))
        });
        said.collect::<Vec<_>>().join(", ")
    }

    /// A record does not lie below itself.
    pub(super) fn verify_hierarchy(&self, rules: &Rules, id: RecordId) -> Result<(), Refusal> {
        let Some(field) = rules.hierarchy else {
            return Ok(());
        };
        let mut seen = HashSet::from([id]);
        let mut at = id;
        while let Some(row) = self.snapshot().row(rules.object, at)? {
            let Value::Reference(above) = row.get(field) else {
                break;
            };
            if !seen.insert(*above) {
                let name = &self.catalog.object(rules.object).field(field).name;
                return Err(Refusal {
                    field: Some(field),
                    error: Error::new(
                        Code::Cycle,
                        format!(
                            "{} would lie below itself through `{name}`",
                            self.name_of(rules.object, *above)
                        ),
                    ),
                });
            }
            at = *above;
        }
        Ok(())
    }

    /// Completes, checks and stores one new record.
    pub(super) fn insert_values(
        &mut self,
        rules: &Rules,
        values: Values,
    ) -> Result<RecordId, Refusal> {
        let assigned = self.assigned(&values);
        let mut rows = [Arc::new(values.into_iter().collect::<Row>())];
        self.complete(rules, &mut rows, &[assigned])?;
        self.check_rows(rules, &rows, None)?;
        let [row] = rows;
        self.insert(rules, row)
    }

    /// Sets fields of one record, checks and stores it; false if nothing changed.
    pub(super) fn replace_values(
        &mut self,
        rules: &Rules,
        id: RecordId,
        values: Values,
    ) -> Result<bool, Refusal> {
        let old = self.row(rules.object, id)?;
        let (row, changed) = Self::changed(&old, values);
        if changed {
            self.check_rows(rules, std::slice::from_ref(&row), Some(&[id]))?;
            self.replace(rules, id, &old, row)?;
        }
        Ok(changed)
    }
}

impl Writer<'_, '_> {
    /// Holds every record of an object against its checks.
    pub(crate) fn check_all(&mut self, object: ObjectId) -> Result<()> {
        let rules = self.rules(object)?;
        for chunk in 0..self.snapshot().chunk_count(object) {
            let (ids, rows) = self.chunk_rows(object, ChunkId(chunk))?;
            self.check_rows(&rules, &rows, Some(&ids))?;
        }
        Ok(())
    }

    fn chunk_rows(
        &self,
        object: ObjectId,
        chunk: ChunkId,
    ) -> Result<(Vec<RecordId>, Vec<Arc<Row>>)> {
        let first = u64::from(chunk.0) * CHUNK_RECORDS as u64;
        let live = self.snapshot().live(object, chunk)?;
        let ids: Vec<_> = live.ones().map(|at| RecordId(first + at as u64)).collect();
        let rows = ids.iter().map(|id| self.row(object, *id));
        let rows = rows.collect::<Result<_>>()?;
        Ok((ids, rows))
    }

    /// Gives every record without a value in `field` the field's default.
    pub(crate) fn fill_default(&mut self, object: ObjectId, field: FieldId) -> Result<()> {
        let rules = self.rules(object)?;
        let others: Vec<_> = rules.defaults.iter().map(|rule| rule.field).collect();
        let others: Vec<_> = others.into_iter().filter(|other| *other != field).collect();
        for chunk in 0..self.snapshot().chunk_count(object) {
            let (ids, old) = self.chunk_rows(object, ChunkId(chunk))?;
            let mut rows = old.clone();
            self.complete(&rules, &mut rows, &vec![others.clone(); ids.len()])?;
            for ((id, old), row) in ids.into_iter().zip(old).zip(rows) {
                self.replace(&rules, id, &old, row)
                    .map_err(Refusal::into_error)?;
            }
        }
        Ok(())
    }
}
