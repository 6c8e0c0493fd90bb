//! Writing rows of the sample book by field name, in batches. Knows no record of its own.

use crate::catalog::{Catalog, Field, Object};
use crate::error::{Code, Error, Result};
use crate::storage::{CommitInfo, Row, Store};
use crate::value::{DateTime, FieldId, LabelCode, ObjectId, RecordId, Value};
use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;

/// Records a transaction at most, of a book of fewer than a hundred times as many.
const BATCH_RECORDS: usize = 50_000;

/// Writes records of any object, committing now and then so that memory stays bounded.
pub(super) struct Sink<'a> {
    store: &'a Store,
    catalog: &'a Catalog,
    /// When, and by which of the reps, what follows is written.
    pub(super) at: DateTime,
    pub(super) actor: Option<RecordId>,
    ids: Ids,
    /// The next id of each object.
    next: BTreeMap<ObjectId, u64>,
    waiting: Vec<Waiting>,
    written: u64,
    expected: u64,
    progress: &'a dyn Fn(u64, u64) -> ControlFlow<()>,
}

/// Under which ids records are added.
enum Ids {
    Next,
    /// They are not added yet: their ids are kept free.
    Kept(VecDeque<RecordId>),
    /// They are added under ids that were kept free.
    Given(VecDeque<RecordId>),
}

enum Waiting {
    Add(ObjectId, Row),
    Keep(ObjectId),
    Come(ObjectId, RecordId, Row),
    Set(ObjectId, RecordId, Row),
}

/// Some fields of an object, in the order in which their values are given.
pub(super) struct Sheet<const N: usize> {
    object: ObjectId,
    fields: [FieldId; N],
}

impl<'a> Sink<'a> {
    pub(super) fn new(
        store: &'a Store,
        catalog: &'a Catalog,
        expected: u64,
        progress: &'a dyn Fn(u64, u64) -> ControlFlow<()>,
    ) -> Self {
        Self {
            store,
            catalog,
            at: DateTime::from_micros(0),
            actor: None,
            ids: Ids::Next,
            next: BTreeMap::new(),
            waiting: Vec::new(),
            written: 0,
            expected,
            progress,
        }
    }

    fn object(&self, name: &str) -> Result<&'a Object> {
        self.catalog.find_object(name).ok_or_else(|| {
            let message = format!("the sample needs the object `{name}`");
            Error::new(Code::UnknownObject, message)
                .hint("fill a new book with the built-in CRM objects")
        })
    }

    fn field(&self, object: &str, field: &str) -> Result<&'a Field> {
        self.object(object)?.find_field(field).ok_or_else(|| {
            let message = format!("the sample needs the field `{field}` of `{object}`");
            Error::new(Code::UnknownField, message)
        })
    }

    pub(super) fn sheet<const N: usize>(&self, object: &str, names: [&str; N]) -> Result<Sheet<N>> {
        let mut fields = [FieldId(0); N];
        for (field, name) in fields.iter_mut().zip(names) {
            *field = self.field(object, name)?.id;
        }
        let object = self.object(object)?.id;
        Ok(Sheet { object, fields })
    }

    /// The code of a label of a picklist.
    pub(super) fn label(&self, object: &str, field: &str, label: &str) -> Result<Value> {
        let found = self.field(object, field)?.find_label(label);
        found.map(|label| Value::Label(label.code)).ok_or_else(|| {
            let message = format!("the sample needs the label `{label}` of `{object}.{field}`");
            Error::new(Code::UnknownLabel, message)
        })
    }

    /// The codes of all labels of a picklist, as declared.
    pub(super) fn labels(&self, object: &str, field: &str) -> Result<Vec<Value>> {
        let labels = &self.field(object, field)?.labels;
        Ok(labels
            .iter()
            .map(|label| Value::Label(label.code))
            .collect())
    }

    pub(super) fn object_id(&self, object: &str) -> Result<ObjectId> {
        Ok(self.object(object)?.id)
    }

    /// The record of a small object, written before, whose field has this text.
    pub(super) fn find(&self, object: &str, field: &str, text: &str) -> Result<Value> {
        let (id, field) = (self.object(object)?.id, self.field(object, field)?.id);
        let snapshot = self.store.snapshot()?;
        for number in 0..snapshot.record_bound(id) {
            let row = snapshot.row(id, RecordId(number))?;
            if row.is_some_and(|row| *row.get(field) == Value::text(text)) {
                return Ok(reference(number));
            }
        }
        let message = format!("the sample needs `{text}` among `{object}`");
        Err(Error::new(Code::UnknownRecord, message))
    }

    /// Refuses an object that has records: ids of the sample count from 0.
    pub(super) fn must_be_empty(&self, object: &str) -> Result<()> {
        if self.store.snapshot()?.record_bound(self.object(object)?.id) == 0 {
            return Ok(());
        }
        let message = format!("the sample needs a new book, but `{object}` has records");
        Err(Error::new(Code::NotUnique, message))
    }

    /// Adds a record; missing values are left out.
    pub(super) fn add<const N: usize>(
        &mut self,
        sheet: &Sheet<N>,
        values: [Value; N],
    ) -> Result<()> {
        let object = sheet.object;
        let row = sheet.row(values);
        let next = self.next.entry(object).or_default();
        let waiting = match &mut self.ids {
            Ids::Next => Waiting::Add(object, row),
            Ids::Kept(ids) => {
                ids.push_back(RecordId(*next));
                Waiting::Keep(object)
            }
            Ids::Given(ids) => {
                let id = ids.pop_front().expect("as many are kept as come");
                return self.wait(Waiting::Come(object, id, row));
            }
        };
        *next += 1;
        self.wait(waiting)
    }

    /// Changes a record to these values.
    pub(super) fn set<const N: usize>(
        &mut self,
        sheet: &Sheet<N>,
        id: RecordId,
        values: [Value; N],
    ) -> Result<()> {
        self.wait(Waiting::Set(sheet.object, id, sheet.row(values)))
    }

    /// Keeps ids free for the records that `write` adds, and gives them.
    pub(super) fn keep(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<VecDeque<RecordId>> {
        self.ids = Ids::Kept(VecDeque::new());
        write(self)?;
        match std::mem::replace(&mut self.ids, Ids::Next) {
            Ids::Kept(ids) => Ok(ids),
            Ids::Next | Ids::Given(_) => Ok(VecDeque::new()),
        }
    }

    /// Adds the records of `write` under the ids that were kept free for them.
    pub(super) fn come(
        &mut self,
        ids: VecDeque<RecordId>,
        write: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        self.ids = Ids::Given(ids);
        write(self)?;
        self.ids = Ids::Next;
        Ok(())
    }

    fn wait(&mut self, waiting: Waiting) -> Result<()> {
        self.waiting.push(waiting);
        // Each transaction touches most pages of a large index, so there are not many.
        let enough = usize::try_from(self.expected / 100).unwrap_or(usize::MAX);
        if self.waiting.len() >= enough.max(BATCH_RECORDS) {
            self.commit()?;
        }
        Ok(())
    }

    /// Commits what waits.
    pub(super) fn commit(&mut self) -> Result<()> {
        let mut transaction = self.store.begin()?;
        for waiting in self.waiting.drain(..) {
            match waiting {
                Waiting::Add(object, row) => {
                    transaction.insert(object, row)?;
                    self.written += 1;
                }
                Waiting::Keep(object) => {
                    let id = transaction.insert(object, Row::default())?;
                    transaction.delete(object, id)?;
                }
                Waiting::Come(object, id, row) => {
                    transaction.restore(object, id, row)?;
                    self.written += 1;
                }
                Waiting::Set(object, id, row) => {
                    let before = transaction.row(object, id)?;
                    let before = before.ok_or_else(|| {
                        let message = format!("the sample changes a record `{id}` before it is");
                        Error::new(Code::Internal, message)
                    })?;
                    transaction.replace(object, id, before, row)?;
                }
            }
        }
        transaction.commit(CommitInfo {
            at: self.at,
            actor: self.actor,
        })?;
        match (self.progress)(self.written.min(self.expected), self.expected) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::new(Code::Interrupted, "the sample was stopped")),
        }
    }
}

impl<const N: usize> Sheet<N> {
    fn row(&self, values: [Value; N]) -> Row {
        let cells = self.fields.iter().copied().zip(values);
        cells.filter(|(_, value)| !value.is_missing()).collect()
    }
}

/// The reference to record `number`.
pub(super) fn reference(number: u64) -> Value {
    Value::Reference(RecordId(number))
}

/// The label that stands `at` in a list made by [`Sink::labels`].
pub(super) fn code(labels: &[Value], at: usize) -> Value {
    labels
        .get(at)
        .cloned()
        .unwrap_or(Value::Label(LabelCode(0)))
}
