//! The writer: a transaction with what every write needs around it.

use super::creating::Creating;
use super::rules::Rules;
use crate::catalog::Catalog;
use crate::column::{Bitset, Vector};
use crate::error::{Code, Error, Result};
use crate::query::bind::{Assignments, Expr};
use crate::query::exec::{Batch, Context, Evaluator, Roles, alone};
use crate::query::label::{self, Known};
use crate::query::pipeline::Environment;
use crate::query::plan;
use crate::storage::{Row, Snapshot, Transaction, place};
use crate::value::{ChunkId, Clock, FieldId, LabelCode, ObjectId, RecordId, Value};
use foldhash::HashMap;
use std::rc::Rc;
use std::sync::Arc;

/// An error with the field at fault, where there is one.
pub(crate) struct Refusal {
    pub field: Option<FieldId>,
    pub error: Error,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { field: None, error }
    }
}

impl Refusal {
    pub(super) fn into_error(self) -> Error {
        self.error
    }
}

/// A label that a field with open labels got.
pub(super) struct AddedLabel {
    pub(super) object: ObjectId,
    pub(super) field: FieldId,
    pub(super) code: LabelCode,
    /// Whether the field had it before, and it was dropped.
    pub(super) again: bool,
}

/// Values for the fields of one record.
pub(crate) type Values = Vec<(FieldId, Value)>;

/// A transaction being written to by one statement.
pub(crate) struct Writer<'a, 't> {
    pub(super) transaction: &'a mut Transaction<'t>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) environment: &'a Environment<'a>,
    pub(super) labels: Known,
    rules: HashMap<ObjectId, Rc<Rules>>,
    /// Records seen to exist; nothing is deleted while references are written.
    live: HashMap<(ObjectId, ChunkId), Bitset>,
    /// Labels added to fields whose labels are open, and given to no record yet.
    pub(super) unused_labels: Vec<AddedLabel>,
    /// Whether records were given labels that the stored catalog does not have.
    grown: bool,
    /// Whether a field assigned a missing value takes its default, as blank cells do.
    pub(super) blanks_take_defaults: bool,
    /// From which id on records of the object written to are known to be this statement's.
    pub(super) own_from: u64,
    /// Whether checks are held later, by the caller.
    pub(super) checks_wait: bool,
    /// What references make that name nobody.
    pub(super) creating: Creating,
}

impl<'a, 't> Writer<'a, 't> {
    pub(crate) fn new(
        transaction: &'a mut Transaction<'t>,
        catalog: Arc<Catalog>,
        environment: &'a Environment<'a>,
    ) -> Self {
        Self {
            transaction,
            catalog,
            environment,
            labels: Known::default(),
            rules: HashMap::default(),
            live: HashMap::default(),
            unused_labels: Vec::new(),
            grown: false,
            blanks_take_defaults: false,
            own_from: u64::MAX,
            checks_wait: false,
            creating: Creating::default(),
        }
    }

    /// Stores the catalog if records were given labels that it did not have; what was added for
    /// refused records alone is taken from it again.
    pub(crate) fn finish(&mut self) -> Result<()> {
        for added in std::mem::take(&mut self.unused_labels) {
            let catalog = Arc::make_mut(&mut self.catalog);
            let field = catalog.field_mut(added.object, added.field)?;
            field.take_label(added.code, added.again);
        }
        if std::mem::take(&mut self.grown) {
            self.transaction.set_labels(self.catalog.encode()?);
        }
        Ok(())
    }

    /// Notes that what was converted so far is stored by the caller.
    pub(crate) fn keep_labels(&mut self) {
        self.grown |= !self.unused_labels.is_empty();
        self.unused_labels.clear();
    }

    /// Notes that a record has the labels of a row.
    fn give_labels(&mut self, object: ObjectId, row: &Row) {
        let before = self.unused_labels.len();
        self.unused_labels.retain(|added| {
            added.object != object
                || !matches!(row.get(added.field), Value::Tags(of) if of.contains(&added.code))
        });
        self.grown |= self.unused_labels.len() < before;
    }

    /// The definitions, with the labels added so far.
    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog)
    }

    pub(crate) fn clock(&self) -> &'a Clock {
        self.environment.clock
    }

    pub(super) fn snapshot(&self) -> &Snapshot {
        self.transaction.snapshot()
    }

    pub(super) fn context(&self) -> Context<'_> {
        Context {
            snapshot: self.transaction.snapshot(),
            catalog: &self.catalog,
            clock: self.environment.clock,
            past: None,
            me: self.environment.me,
            parameters: self.environment.parameters,
            interrupt: self.environment.interrupt,
            memory_bytes: self.environment.memory_bytes,
            threads: self.environment.threads,
            roles: Roles::default(),
        }
    }

    /// The rules of an object, bound once a statement.
    pub(super) fn rules(&mut self, object: ObjectId) -> Result<Rc<Rules>> {
        if let Some(rules) = self.rules.get(&object) {
            return Ok(Rc::clone(rules));
        }
        let known = self.environment.known;
        let rules = Rc::new(known.rules(object, &self.catalog, self.environment.clock)?);
        self.rules.insert(object, Rc::clone(&rules));
        Ok(rules)
    }

    /// An expression with labels, clock and parameters filled in.
    pub(super) fn fold(&self, expr: &Expr) -> Result<Expr> {
        plan::fold_expr(expr, &self.context())
    }

    pub(super) fn fold_all(&self, assignments: &Assignments) -> Result<Assignments> {
        assignments
            .iter()
            .map(|(field, expr)| Ok((*field, self.fold(expr)?)))
            .collect()
    }

    /// The values of a folded expression over a batch.
    pub(super) fn evaluate(&self, expr: &Expr, batch: &Batch<'_>) -> Result<Vector> {
        Evaluator::new(&self.context()).evaluate(expr, batch)
    }

    /// The value of an expression that has no frame.
    pub(super) fn evaluate_alone(&self, expr: &Expr) -> Result<Value> {
        alone(expr, &self.context())
    }

    /// Values of a record from expressions that have no frame.
    pub(super) fn values_alone(
        &mut self,
        object: ObjectId,
        assignments: &Assignments,
    ) -> Result<Values> {
        let mut values = Vec::with_capacity(assignments.len());
        for (field, expr) in assignments {
            let value = self.evaluate_alone(expr)?;
            let value = self
                .convert(object, *field, Some(&expr.ty), value)
                .map_err(|e| e.at(expr.span.clone()))?;
            values.push((*field, value));
        }
        Ok(values)
    }

    pub(super) fn row(&self, object: ObjectId, id: RecordId) -> Result<Arc<Row>> {
        self.snapshot().row(object, id)?.ok_or_else(|| {
            let name = &self.catalog.object(object).name;
            Error::new(Code::UnknownRecord, format!("{name} has no record {id}"))
        })
    }

    /// A record as messages call it: `accounts "Acme"`, or `accounts #12`.
    pub(crate) fn name_of(&self, object: ObjectId, id: RecordId) -> String {
        let row = self.transaction.row(object, id).ok().flatten();
        label::name_of_row(object, id, row.as_deref(), &self.catalog)
    }

    /// What a record is called; without a label that is its id.
    pub(crate) fn label(&self, object: ObjectId, id: RecordId) -> Result<String> {
        let row = self.transaction.row(object, id)?;
        Ok(label::called(object, id, row.as_deref(), &self.catalog))
    }

    pub(super) fn exists(&mut self, object: ObjectId, id: RecordId) -> Result<bool> {
        let (chunk, slot) = place(id);
        let seen = |set: &Bitset| slot < set.len() && set.get(slot);
        if id.0 >= self.snapshot().record_bound(object) {
            return Ok(false);
        }
        if self.live.get(&(object, chunk)).is_some_and(seen) {
            return Ok(true);
        }
        let set = self.snapshot().live(object, chunk)?;
        let found = seen(&set);
        self.live.insert((object, chunk), set);
        Ok(found)
    }

    /// Stores a new row that keeps every rule but the checks.
    pub(super) fn insert(&mut self, rules: &Rules, row: Arc<Row>) -> Result<RecordId, Refusal> {
        self.verify(rules, None, &row)?;
        self.verify_unique(rules, None, None, &row)?;
        self.forget_labels(rules, &row);
        self.give_labels(rules.object, &row);
        let row = Arc::unwrap_or_clone(row);
        let id = self.transaction.insert(rules.object, row)?;
        let (chunk, slot) = place(id);
        if let Some(set) = self.live.get_mut(&(rules.object, chunk)) {
            set.resize(set.len().max(slot + 1));
            set.set(slot, true);
        }
        Ok(id)
    }

    /// Lets what was inserted into an object go into the file, if that is much and nothing will
    /// look at it again.
    pub(super) fn load(&mut self, object: ObjectId) -> Result<()> {
        if self.transaction.load(object)? {
            // Of what others have changed too.
            self.labels = Known::default();
            self.live.clear();
        }
        Ok(())
    }

    /// Lets what was changed go into the file, if that is much. True if what others have
    /// committed lies under it from now on.
    pub(super) fn spill(&mut self) -> Result<bool> {
        let moved = self.transaction.spill()?;
        if moved {
            self.labels = Known::default();
            self.live.clear();
        }
        Ok(moved)
    }

    /// Replaces a row by one that keeps every rule but the checks.
    pub(super) fn replace(
        &mut self,
        rules: &Rules,
        id: RecordId,
        old: &Arc<Row>,
        row: Arc<Row>,
    ) -> Result<(), Refusal> {
        self.verify(rules, Some(old), &row)?;
        self.verify_unique(rules, Some(id), Some(old), &row)?;
        self.put(rules, id, old, row)?;
        self.verify_hierarchy(rules, id)
    }

    pub(super) fn put(
        &mut self,
        rules: &Rules,
        id: RecordId,
        old: &Arc<Row>,
        row: Arc<Row>,
    ) -> Result<()> {
        self.forget_labels(rules, old);
        self.forget_labels(rules, &row);
        self.give_labels(rules.object, &row);
        let row = Arc::unwrap_or_clone(row);
        self.transaction
            .replace(rules.object, id, Arc::clone(old), row)
    }

    /// Brings a deleted record back with this row.
    pub(super) fn revive(&mut self, rules: &Rules, id: RecordId, row: &Row) -> Result<()> {
        self.forget_labels(rules, row);
        self.transaction.restore(rules.object, id, row.clone())
    }

    pub(super) fn forget_labels(&mut self, rules: &Rules, row: &Row) {
        for &field in &rules.keys {
            if let Value::Text(text) = row.get(field) {
                self.labels.forget(rules.object, text);
            }
        }
    }

    /// The fields that get no default.
    pub(super) fn assigned(&self, values: &Values) -> Vec<FieldId> {
        let blanks = !self.blanks_take_defaults;
        let given = values
            .iter()
            .filter(|(_, value)| blanks || !value.is_missing());
        given.map(|(field, _)| *field).collect()
    }

    /// `old` with `values` set, and whether that changed anything.
    pub(super) fn changed(old: &Arc<Row>, values: Values) -> (Arc<Row>, bool) {
        let mut row = Arc::clone(old);
        let mut changed = false;
        for (field, value) in values {
            if *row.get(field) != value {
                Arc::make_mut(&mut row).set(field, value);
                changed = true;
            }
        }
        (row, changed)
    }
}
