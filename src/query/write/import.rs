//! `import`: the lines of a CSV file become records; each refused line is told, none is lost.
//!
//! References to records of the same file may come before the record: they wait until all lines
//! are read. If such a reference never finds its record, its line is refused after all: the
//! import is then run again without that line, so that nothing stands on a refused line.

use super::cells::{Cells, Line};
use super::keys::Keys;
use super::rejects::{Rejects, reason, rejected};
use super::rules::Rules;
use super::upsert::Upserted;
use super::writer::{Refusal, Values, Writer};
use super::{BATCH_RECORDS, Tally};
use crate::catalog::Catalog;
use crate::column::{Texts, Vector};
use crate::error::{Code, Error, Result};
use crate::query::bind::{Binder, Expr, Node, Type};
use crate::query::exec::{Batch, Frame};
use crate::query::outcome::{ImportReport, Outcome, RefusedLine};
use crate::query::pipeline::Environment;
use crate::query::syntax;
use crate::storage::Transaction;
use crate::value::{FieldId, ObjectId, RecordId, Value};
use csv::StringRecord;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// Runs of one import: a line that stands on a refused one is refused by the next run.
const RUNS: usize = 64;

/// Lines found in an earlier run to be refused, with field and reason.
type Withdrawn = HashMap<u64, (FieldId, String)>;

/// Imports a file as one statement. When it fails, the caller rolls back to its mark.
pub(crate) fn import(
    statement: &syntax::Import,
    transaction: &mut Transaction<'_>,
    catalog: &Arc<Catalog>,
    environment: &Environment<'_>,
) -> Result<Outcome> {
    let path = environment.directory.join(&statement.file.text);
    let mut withdrawn = Withdrawn::new();
    for _ in 0..RUNS {
        let mark = transaction.mark();
        let cells = Cells::open(&path).map_err(|e| e.at(statement.file.span.clone()))?;
        let mut run = Run::new(statement, &path, &cells, transaction, catalog, environment)?;
        let more = run.run(cells, &withdrawn)?;
        if more.is_empty() || environment.atomic {
            let report = run.finish(more)?;
            if environment.atomic && !report.refused.is_empty() {
                return Err(rejected(&report).at(statement.file.span.clone()));
            }
            return Ok(Outcome::Imported(report));
        }
        transaction.roll_back_to(mark);
        withdrawn.extend(more);
    }
    Err(Error::new(
        Code::Rejected,
        "too many lines stand on refused lines; mend those first",
    )
    .at(statement.file.span.clone()))
}

struct Run<'a, 't> {
    writer: Writer<'a, 't>,
    object: ObjectId,
    rules: Rc<Rules>,
    set: Vec<(FieldId, Source)>,
    keys: Option<Keys>,
    columns: usize,
    tally: Tally,
    refused: Vec<RefusedLine>,
    rejects: Rejects,
    /// References to records that no line has brought yet.
    waiting: Vec<Waiting>,
    /// Lines that cannot be stored without such a reference.
    held: Vec<Numbered>,
}

type Numbered = (u64, StringRecord);

enum Source {
    Cell(usize),
    Expr(Expr),
}

struct Waiting {
    line: u64,
    id: RecordId,
    field: FieldId,
    text: String,
}

/// A line's values, and the references that wait.
struct Draft {
    number: u64,
    record: StringRecord,
    values: Values,
    waiting: Vec<(FieldId, String)>,
}

enum Converted {
    Value(Value),
    Waits(String),
}

impl<'a, 't> Run<'a, 't> {
    fn new(
        statement: &syntax::Import,
        path: &Path,
        cells: &Cells,
        transaction: &'a mut Transaction<'t>,
        catalog: &Arc<Catalog>,
        environment: &'a Environment<'a>,
    ) -> Result<Self> {
        let binder = Binder::new(catalog, environment.clock);
        let (object, on, assignments) = binder.import(statement, &cells.header)?;
        let mut writer = Writer::new(transaction, Arc::clone(catalog), environment);
        writer.blanks_take_defaults = true;
        let rules = writer.rules(object)?;
        let mut set = Vec::new();
        for (field, expr) in assignments {
            set.push((
                field,
                match expr.node {
                    Node::Slot(at) if expr.ty == Type::TEXT => Source::Cell(at),
                    _ => Source::Expr(writer.fold(&expr)?),
                },
            ));
        }
        let keys = match on[..] {
            [] => None,
            _ => Some(Keys::new(&writer, object, &on)?),
        };
        Ok(Self {
            writer,
            object,
            rules,
            set,
            keys,
            columns: cells.header.len(),
            tally: Tally::default(),
            refused: Vec::new(),
            rejects: Rejects::new(
                path,
                environment.directory,
                &cells.header,
                cells.delimiter(),
            ),
            waiting: Vec::new(),
            held: Vec::new(),
        })
    }

    /// Imports what can be; gives the lines that turn out at the end to stand on nothing.
    fn run(&mut self, mut cells: Cells, withdrawn: &Withdrawn) -> Result<Withdrawn> {
        let environment = self.writer.environment;
        loop {
            environment.interrupt.check()?;
            let lines = cells.read(BATCH_RECORDS)?;
            if lines.is_empty() {
                break;
            }
            let mut good = Vec::with_capacity(lines.len());
            for Line { number, cells } in lines {
                match cells {
                    Ok(record) => match withdrawn.get(&number) {
                        None => good.push((number, record)),
                        Some((field, reason)) => {
                            self.refuse(number, &record, Some(*field), reason.clone())?;
                        }
                    },
                    Err((record, reason)) => {
                        self.rejects.write(&record, &reason)?;
                        self.refused.push(RefusedLine {
                            line: number,
                            field: None,
                            reason,
                        });
                    }
                }
            }
            self.lines(good, false)?;
            (environment.progress)(cells.bytes_read, cells.bytes_total);
        }
        loop {
            let held = std::mem::take(&mut self.held);
            let before = held.len();
            self.lines(held, false)?;
            if self.held.len() == before {
                let held = std::mem::take(&mut self.held);
                self.lines(held, true)?;
                break;
            }
        }
        self.resolve()
    }

    fn finish(mut self, withdrawn: Withdrawn) -> Result<ImportReport> {
        self.writer.finish()?;
        let object = self.writer.catalog.object(self.object);
        self.refused.extend(
            withdrawn
                .into_iter()
                .map(|(line, (field, reason))| RefusedLine {
                    line,
                    field: Some(object.field(field).name.clone()),
                    reason,
                }),
        );
        self.refused.sort_by_key(|line| line.line);
        Ok(ImportReport {
            object: object.name.clone(),
            added: self.tally.added,
            updated: self.tally.updated,
            refused: self.refused,
            rejects: self.rejects.finish()?,
        })
    }

    fn refuse(
        &mut self,
        line: u64,
        record: &StringRecord,
        field: Option<FieldId>,
        reason: String,
    ) -> Result<()> {
        self.rejects.write(record.as_byte_record(), &reason)?;
        let object = self.writer.catalog.object(self.object);
        self.refused.push(RefusedLine {
            line,
            field: field.map(|field| object.field(field).name.clone()),
            reason,
        });
        Ok(())
    }

    /// Refuses a line, or passes on an error that is not the line's.
    fn refuse_for(&mut self, line: &Numbered, refusal: Refusal) -> Result<()> {
        use crate::error::Kind;
        match refusal.error.kind() {
            Kind::Syntax | Kind::Bind | Kind::Constraint | Kind::NotFound | Kind::Limit => {
                self.refuse(line.0, &line.1, refusal.field, reason(&refusal.error))
            }
            _ => Err(refusal.error),
        }
    }

    /// Stores lines as records; `last` when no further line can bring what they refer to.
    fn lines(&mut self, lines: Vec<Numbered>, last: bool) -> Result<()> {
        let vectors = match self.evaluate(&lines) {
            Ok(vectors) => vectors,
            Err(refusal) => return self.one_by_one(lines, last, refusal),
        };
        let mut drafts = Vec::with_capacity(lines.len());
        for (at, line) in lines.into_iter().enumerate() {
            if let Some(draft) = self.draft(at, line, &vectors, last)? {
                drafts.push(draft);
            }
        }
        match self.keys {
            Some(_) => drafts.into_iter().try_for_each(|draft| self.upsert(draft)),
            None => self.insert(drafts),
        }
    }

    /// After an error somewhere in many lines: each alone, so that the right one is blamed.
    fn one_by_one(&mut self, lines: Vec<Numbered>, last: bool, refusal: Refusal) -> Result<()> {
        if let [line] = &lines[..] {
            return self.refuse_for(line, refusal);
        }
        lines
            .into_iter()
            .try_for_each(|line| self.lines(vec![line], last))
    }

    /// The values of the expressions over the lines; cells that are taken as they are need none.
    fn evaluate(&self, lines: &[Numbered]) -> Result<Vec<Option<Vector>>, Refusal> {
        let computed = |(_, source): &(FieldId, Source)| matches!(source, Source::Expr(_));
        let columns = if self.set.iter().any(computed) {
            self.columns
        } else {
            0
        };
        let column = |at| {
            let texts = lines.iter().map(|(_, record)| cell(record, at));
            Vector::Texts(Texts::from_options(texts))
        };
        let frame = Frame {
            columns: (0..columns).map(column).collect(),
            len: lines.len(),
        };
        let mut vectors = Vec::with_capacity(self.set.len());
        for (field, source) in &self.set {
            vectors.push(match source {
                Source::Cell(_) => None,
                Source::Expr(expr) => {
                    let vector = self.writer.evaluate(expr, &Batch::Slots(&frame));
                    Some(vector.map_err(|error| Refusal {
                        field: Some(*field),
                        error,
                    })?)
                }
            });
        }
        Ok(vectors)
    }

    /// The values of one line; nothing if it is refused, or held for a record to come.
    fn draft(
        &mut self,
        at: usize,
        line: Numbered,
        vectors: &[Option<Vector>],
        last: bool,
    ) -> Result<Option<Draft>> {
        let mut values = Values::with_capacity(self.set.len());
        let mut waiting = Vec::new();
        for (place, vector) in vectors.iter().enumerate() {
            let (field, source) = &self.set[place];
            let field = *field;
            let converted = match (source, vector) {
                (Source::Expr(expr), Some(vector)) => {
                    let value = vector.value(&expr.ty.field_type(), at);
                    let ty = expr.ty.clone();
                    self.converted(field, &ty, value)
                }
                (Source::Cell(slot), _) => match cell(&line.1, *slot) {
                    Some(text) => self.converted(field, &Type::TEXT, Value::text(text)),
                    None => Ok(Converted::Value(Value::Missing)),
                },
                (Source::Expr(_), None) => continue,
            };
            match converted {
                Ok(Converted::Value(value)) => values.push((field, value)),
                Ok(Converted::Waits(text)) if !self.is_required(field) => {
                    waiting.push((field, text));
                }
                Ok(Converted::Waits(_)) if !last => {
                    self.held.push(line);
                    return Ok(None);
                }
                Ok(Converted::Waits(text)) => {
                    let object = self.object;
                    let error = match self.writer.read(object, field, &text) {
                        Ok(_) => Error::new(Code::UnknownLabel, format!("`{text}` is unknown")),
                        Err(error) => error,
                    };
                    let field = Some(field);
                    self.refuse_for(&line, Refusal { field, error })?;
                    return Ok(None);
                }
                Err(error) => {
                    let field = Some(field);
                    self.refuse_for(&line, Refusal { field, error })?;
                    return Ok(None);
                }
            }
        }
        let (number, record) = line;
        Ok(Some(Draft {
            number,
            record,
            values,
            waiting,
        }))
    }

    fn is_required(&self, field: FieldId) -> bool {
        let is_key = |keys: &Keys| keys.fields().contains(&field);
        self.keys.as_ref().is_some_and(is_key)
            || self
                .writer
                .catalog
                .object(self.object)
                .field(field)
                .required
    }

    /// A value for a field; a text that names no record of the imported object yet waits.
    fn converted(&mut self, field: FieldId, ty: &Type, value: Value) -> Result<Converted> {
        let object = self.object;
        let definition = self.writer.catalog.object(object).field(field);
        if let Value::Text(text) = &value
            && definition.refers_to(object)
        {
            let text = text.to_string();
            return match self.writer.read_known(object, field, &text)? {
                Some(value) => Ok(Converted::Value(value)),
                None => Ok(Converted::Waits(text)),
            };
        }
        self.writer
            .convert(object, field, Some(ty), value)
            .map(Converted::Value)
    }

    fn upsert(&mut self, draft: Draft) -> Result<()> {
        let rules = Rc::clone(&self.rules);
        let Some(keys) = &mut self.keys else {
            return Ok(());
        };
        match self.writer.upsert_values(&rules, keys, draft.values) {
            Ok(done) => {
                self.tally.count(done);
                self.wait(draft.number, done, draft.waiting);
                Ok(())
            }
            Err(refusal) => self.refuse_for(&(draft.number, draft.record), refusal),
        }
    }

    fn wait(&mut self, line: u64, done: Upserted, waiting: Vec<(FieldId, String)>) {
        let id = done.id();
        self.waiting
            .extend(waiting.into_iter().map(|(field, text)| Waiting {
                line,
                id,
                field,
                text,
            }));
    }

    /// Adds records: defaults and checks over all at once, or one by one to blame the right line.
    fn insert(&mut self, mut drafts: Vec<Draft>) -> Result<()> {
        let rules = Rc::clone(&self.rules);
        let mut rows = Vec::with_capacity(drafts.len());
        let mut assigned = Vec::with_capacity(drafts.len());
        for draft in &mut drafts {
            assigned.push(self.writer.assigned(&draft.values));
            let values = draft.values.iter().cloned();
            rows.push(Arc::new(values.collect()));
        }
        let ready = self
            .writer
            .complete(&rules, &mut rows, &assigned)
            .and_then(|()| self.writer.check_rows(&rules, &rows, None));
        let alone = match ready {
            Ok(()) => false,
            Err(error) if drafts.len() == 1 => {
                let draft = drafts.remove(0);
                return self.refuse_for(&(draft.number, draft.record), Refusal::from(error));
            }
            Err(_) => true,
        };
        for (draft, row) in drafts.into_iter().zip(rows) {
            if alone {
                self.insert(vec![draft])?;
                continue;
            }
            match self.writer.insert(&rules, row) {
                Ok(id) => {
                    let done = Upserted::Added(id);
                    self.tally.count(done);
                    self.wait(draft.number, done, draft.waiting);
                }
                Err(refusal) => self.refuse_for(&(draft.number, draft.record), refusal)?,
            }
        }
        Ok(())
    }

    /// Sets the references that waited, now that all lines are read.
    fn resolve(&mut self) -> Result<Withdrawn> {
        let rules = Rc::clone(&self.rules);
        let mut withdrawn = Withdrawn::new();
        for waiting in std::mem::take(&mut self.waiting) {
            let value = self.writer.read(self.object, waiting.field, &waiting.text);
            let done = value.map_err(Refusal::from).and_then(|value| {
                let values = vec![(waiting.field, value)];
                self.writer.replace_values(&rules, waiting.id, values)
            });
            if let Err(refusal) = done {
                let field = refusal.field.unwrap_or(waiting.field);
                withdrawn.insert(waiting.line, (field, reason(&refusal.error)));
            }
        }
        Ok(withdrawn)
    }
}

/// The text of a cell; a blank one is missing.
fn cell(record: &StringRecord, at: usize) -> Option<&str> {
    record.get(at).filter(|text| !text.trim().is_empty())
}
