//! The loader: typed records in bulk, for the library's `add`, samples and tools.

use super::BATCH_RECORDS;
use super::rules::Rules;
use super::writer::{Refusal, Values, Writer};
use crate::catalog::Catalog;
use crate::error::Result;
use crate::query::pipeline::Environment;
use crate::storage::{Row, Transaction};
use crate::value::{ObjectId, RecordId};
use std::rc::Rc;
use std::sync::Arc;

/// Adds records to one object. Rules are bound once; checks run over many records at a time, the
/// last ones in [`Loader::finish`].
pub(crate) struct Loader<'a, 't> {
    writer: Writer<'a, 't>,
    rules: Rc<Rules>,
    unchecked_rows: Vec<Arc<Row>>,
    unchecked_ids: Vec<RecordId>,
}

impl<'a, 't> Loader<'a, 't> {
    pub(crate) fn new(
        transaction: &'a mut Transaction<'t>,
        catalog: Arc<Catalog>,
        environment: &'a Environment<'a>,
        object: ObjectId,
    ) -> Result<Self> {
        let mut writer = Writer::new(transaction, catalog, environment);
        let rules = writer.rules(object)?;
        Ok(Self {
            writer,
            rules,
            unchecked_rows: Vec::new(),
            unchecked_ids: Vec::new(),
        })
    }

    /// Adds a record. Text is read as the field's type or looked up as a label; other values are
    /// of the field's type or convert to it.
    pub(crate) fn add(&mut self, values: Values) -> Result<RecordId> {
        let mut assigned = Vec::with_capacity(values.len());
        let mut row = Row::default();
        for (field, value) in values {
            let value = self.writer.convert(self.rules.object, field, None, value)?;
            row.set(field, value);
            assigned.push(field);
        }
        let mut rows = [Arc::new(row)];
        self.writer.complete(&self.rules, &mut rows, &[assigned])?;
        let [row] = rows;
        if !self.rules.has_checks() {
            return self
                .writer
                .insert(&self.rules, row)
                .map_err(Refusal::into_error);
        }
        let id = self
            .writer
            .insert(&self.rules, Arc::clone(&row))
            .map_err(Refusal::into_error)?;
        self.unchecked_rows.push(row);
        self.unchecked_ids.push(id);
        if self.unchecked_ids.len() >= BATCH_RECORDS {
            self.check()?;
        }
        Ok(id)
    }

    /// Runs the checks that are left; without it nothing of this loader counts.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.check()?;
        self.writer.finish()
    }

    fn check(&mut self) -> Result<()> {
        self.writer.environment.interrupt.check()?;
        self.writer
            .check_rows(&self.rules, &self.unchecked_rows, Some(&self.unchecked_ids))?;
        self.unchecked_rows.clear();
        self.unchecked_ids.clear();
        Ok(())
    }
}
