//! Writing rows of the sample book by field name, in batches. Knows no record of its own.

use crate::catalog::{Catalog, Field, Object};
use crate::error::{Code, Error, Result};
use crate::storage::{CommitInfo, Row, Store};
use crate::value::{Clock, FieldId, LabelCode, ObjectId, RecordId, Value};

/// Records a transaction.
const BATCH_RECORDS: usize = 50_000;

/// Writes records of any object, committing now and then so that memory stays bounded.
pub(super) struct Sink<'a> {
    store: &'a Store,
    catalog: &'a Catalog,
    clock: &'a Clock,
    waiting: Vec<(ObjectId, Row)>,
    written: u64,
    expected: u64,
    progress: &'a dyn Fn(u64, u64),
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
        clock: &'a Clock,
        expected: u64,
        progress: &'a dyn Fn(u64, u64),
    ) -> Self {
        Self {
            store,
            catalog,
            clock,
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
        let cells = sheet.fields.iter().copied().zip(values);
        let row = cells.filter(|(_, value)| !value.is_missing()).collect();
        self.waiting.push((sheet.object, row));
        if self.waiting.len() == BATCH_RECORDS {
            self.commit()?;
        }
        Ok(())
    }

    /// Commits what waits.
    pub(super) fn commit(&mut self) -> Result<()> {
        self.written += self.waiting.len() as u64;
        let mut transaction = self.store.begin()?;
        for (object, row) in self.waiting.drain(..) {
            transaction.insert(object, row)?;
        }
        transaction.commit(CommitInfo {
            at: self.clock.now,
            actor: None,
        })?;
        (self.progress)(self.written.min(self.expected), self.expected);
        Ok(())
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
