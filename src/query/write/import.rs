//! `import`: the lines of a CSV file become records; each refused line is told, none is lost.
//!
//! References to records of the same file resolve when all lines are read: a line is stored behind
//! those it names. Of lines that name each other one is stored first and gets its references at
//! the end; if that breaks a rule, the import is run again without the line, so that nothing
//! stands on a refused line.

use super::input::{self, Again, Input, Line, Place};
use super::keys::Keys;
use super::linked::Linked;
use super::rejects::{Refused, Rejects, reason, rejected};
use super::rules::{Rules, looks_at_one};
use super::upsert::Upserted;
use super::writer::{Refusal, Values, Writer};
use super::{BATCH_RECORDS, Tally};
use crate::catalog::Catalog;
use crate::column::{Bitset, Texts, Vector};
use crate::error::{Code, Error, Kind, Result};
use crate::query::bind::{Binder, Expr, Node, Type};
use crate::query::exec::{Batch, Frame};
use crate::query::outcome::{ImportReport, Outcome, RefusedLine};
use crate::query::pipeline::Environment;
use crate::query::syntax;
use crate::storage::Transaction;
use crate::value::{FieldId, FieldType, ObjectId, RecordId, Value};
use csv::{ByteRecord, StringRecord};
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// Runs of one import: each but the last finds lines to be refused in the next.
const RUNS: usize = 64;

/// Lines kept in memory that are needed once more; of others the file is read again.
pub(super) const HELD_LINES: usize = if cfg!(test) { 50 } else { 1 << 16 };

/// Lines found in an earlier run to be refused, with field and reason.
pub(super) type Withdrawn = HashMap<Place, (FieldId, String)>;

/// Imports a file as one statement. When it fails, the caller rolls back to its mark.
pub(crate) fn import(
    statement: &syntax::Import,
    transaction: &mut Transaction<'_>,
    catalog: &Arc<Catalog>,
    environment: &Environment<'_>,
) -> Result<Outcome> {
    let path = environment.directory.join(&statement.file.text);
    let open = || {
        input::open(&path, &statement.object, catalog, environment)
            .map_err(|e| e.at(statement.file.span.clone()))
    };
    let mut withdrawn = Withdrawn::new();
    for _ in 0..RUNS {
        let mark = transaction.mark();
        let cells = open()?;
        let rereads = cells.lines().rereads;
        let mut run = Run::new(statement, &path, &*cells, transaction, catalog, environment)?;
        let more = run.run(cells, &withdrawn, &open)?;
        if !more.is_empty() && !rereads {
            let message = "lines stand on refused lines, so the file must be read again";
            return Err(Error::new(Code::Io, message)
                .at(statement.file.span.clone())
                .hint("import it from a file, not from a pipe"));
        }
        if more.is_empty() {
            let report = run.finish(&open)?;
            if environment.atomic && !report.refused.is_empty() {
                return Err(rejected(&report).at(statement.file.span.clone()));
            }
            // What was made for refused lines alone is as if it had never been.
            if report.added + report.updated == 0 {
                transaction.roll_back_to(mark);
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

pub(super) struct Run<'a, 't> {
    pub(super) writer: Writer<'a, 't>,
    pub(super) object: ObjectId,
    pub(super) rules: Rc<Rules>,
    pub(super) set: Vec<(FieldId, Source)>,
    pub(super) keys: Option<Keys>,
    /// The records that lines went to by their keys.
    met: Bitset,
    /// Those of them that are in the tally.
    counted: Bitset,
    repeated: Vec<u64>,
    columns: usize,
    /// Columns without a heading that nothing may stand in.
    nameless: Vec<usize>,
    /// Whether a blank cell leaves its field alone.
    blanks_stay: bool,
    /// Whether the file can be read again.
    pub(super) rereads: bool,
    /// Whether what is stored may go into the file before the end.
    spills: bool,
    /// What is known before the first line.
    report: ImportReport,
    tally: Tally,
    refused: Vec<Refused>,
    rejects: Rejects,
    /// References of records that were stored before those they refer to.
    waiting: Vec<Waiting>,
}

pub(super) type Placed = (Place, StringRecord);

pub(super) enum Source {
    Cell(usize),
    Expr(Expr),
}

struct Waiting {
    place: Place,
    id: RecordId,
    texts: Vec<(FieldId, String)>,
}

/// A line's values, and the references that wait.
struct Draft {
    place: Place,
    record: StringRecord,
    values: Values,
    waiting: Vec<(FieldId, String)>,
}

impl<'a, 't> Run<'a, 't> {
    fn new(
        statement: &syntax::Import,
        path: &Path,
        cells: &dyn Input,
        transaction: &'a mut Transaction<'t>,
        catalog: &Arc<Catalog>,
        environment: &'a Environment<'a>,
    ) -> Result<Self> {
        let binder = Binder::new(catalog, environment.clock);
        // Each line tells what is wrong with it, not the names of columns that there are not.
        let bare = cells.is_barren().then(|| syntax::Import {
            on: Vec::new(),
            fields: Vec::new(),
            creating: Vec::new(),
            ..statement.clone()
        });
        let statement = bare.as_ref().unwrap_or(statement);
        let (object, on, assignments) = binder.import(statement, cells.header())?;
        let mut writer = Writer::new(transaction, Arc::clone(catalog), environment);
        writer.blanks_take_defaults = true;
        let rules = writer.rules(object)?;
        let report = ImportReport {
            object: catalog.object(object).name.clone(),
            encoding: cells.lines().encoding().to_string(),
            columns: input::used(cells, &assignments, catalog.object(object)),
            ..ImportReport::default()
        };
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
        let fields: Vec<FieldId> = set.iter().map(|(field, _)| *field).collect();
        writer.creating.objects = binder.creating(statement, object, &fields)?;
        let header = cells.header().iter().zip(0..);
        let nameless = header.filter(|(name, _)| name.is_empty() && statement.fields.is_empty());
        Ok(Self {
            writer,
            object,
            rules,
            set,
            keys,
            met: Bitset::new(0),
            counted: Bitset::new(0),
            repeated: Vec::new(),
            columns: cells.header().len(),
            nameless: nameless.map(|(_, at)| at).collect(),
            blanks_stay: cells.blanks_stay(),
            rereads: cells.lines().rereads,
            spills: false,
            report,
            tally: Tally::default(),
            refused: Vec::new(),
            rejects: Rejects::new(
                path,
                environment.directory,
                cells.header(),
                cells.delimiter(),
            ),
            waiting: Vec::new(),
        })
    }

    /// Imports what can be; gives the lines that turn out at the end to break a rule.
    fn run(
        &mut self,
        mut cells: Box<dyn Input>,
        withdrawn: &Withdrawn,
        open: &dyn Fn() -> Result<Box<dyn Input>>,
    ) -> Result<Withdrawn> {
        let environment = self.writer.environment;
        let linked = self.set.iter().any(|(field, _)| self.is_link(*field));
        // A dry run lists each change from memory.
        let alone = environment.alone && !environment.dry;
        let loads = alone
            && !linked
            && self.writer.creating.objects.is_empty()
            && self.looks_at_each_once();
        self.spills = alone && !loads;
        let mut all = Linked::default();
        loop {
            environment.interrupt.check()?;
            let lines = cells.read(BATCH_RECORDS)?;
            if lines.is_empty() {
                break;
            }
            let mut good = Vec::with_capacity(lines.len());
            for Line { place, cells } in lines {
                match cells {
                    Ok(record) => match withdrawn.get(&place) {
                        None => good.push((place, record)),
                        Some((field, reason)) => {
                            self.refuse(place, record, Some(*field), reason.clone());
                        }
                    },
                    Err((record, reason)) => self.refuse_record(place, record, None, reason),
                }
            }
            if linked {
                self.link(&mut all, good);
            } else {
                self.lines(good, false)?;
                if loads {
                    self.writer.load(self.object)?;
                }
            }
            (environment.progress)(cells.lines().bytes_read(), cells.lines().bytes_total);
        }
        if linked {
            self.linked(all, open, withdrawn)?;
        }
        self.resolve()
    }

    /// Whether nothing looks at a record again that has been added, but for its unique keys. No
    /// line names another one.
    fn looks_at_each_once(&self) -> bool {
        let object = self.writer.catalog.object(self.object);
        let names = |field: FieldId| {
            let ty = &object.field(field).ty;
            matches!(ty, FieldType::Filter(_) | FieldType::Expression(_))
        };
        self.keys.is_none()
            && object.role.is_none()
            && self.rules.look_at_one()
            && self.set.iter().all(|(field, source)| match source {
                _ if names(*field) => false,
                Source::Cell(_) => true,
                Source::Expr(expr) => looks_at_one(expr, self.object),
            })
    }

    /// Whether the field refers to records of the imported object.
    pub(super) fn is_link(&self, field: FieldId) -> bool {
        let object = self.writer.catalog.object(self.object);
        object.field(field).refers_to(self.object)
    }

    fn finish(mut self, open: &dyn Fn() -> Result<Box<dyn Input>>) -> Result<ImportReport> {
        let created = self.writer.keep_created()?.into_iter();
        let catalog = self.writer.catalog();
        let name = |object| catalog.object(object).name.clone();
        self.report.created = created.map(|(object, n)| (name(object), n)).collect();
        self.writer.finish()?;
        let object = self.writer.catalog.object(self.object);
        self.refused.sort_by_key(|refused| refused.place);
        self.repeated.sort_unstable();
        if !self.writer.environment.dry {
            let mut again = Again::new(open, self.writer.environment.interrupt);
            self.rejects.write_all(&self.refused, &mut again)?;
        }
        let told = self.refused.into_iter().map(|refused| RefusedLine {
            line: refused.place.line,
            field: refused.field.map(|field| object.field(field).name.clone()),
            reason: refused.reason,
        });
        Ok(ImportReport {
            added: self.tally.added,
            updated: self.tally.updated,
            repeated: self.repeated,
            refused: told.collect(),
            rejects: self.rejects.finish()?,
            ..self.report
        })
    }

    fn refuse(
        &mut self,
        place: Place,
        record: StringRecord,
        field: Option<FieldId>,
        reason: String,
    ) {
        self.refuse_record(place, record.into_byte_record(), field, reason);
    }

    fn refuse_record(
        &mut self,
        place: Place,
        record: ByteRecord,
        field: Option<FieldId>,
        reason: String,
    ) {
        self.refused.push(Refused {
            place,
            field,
            reason,
            record: (self.refused.len() < HELD_LINES || !self.rereads).then_some(record),
        });
    }

    /// Refuses a line, or passes on an error that is not the line's.
    fn refuse_for(&mut self, line: Placed, refusal: Refusal) -> Result<()> {
        match refusal.error.kind() {
            Kind::Syntax | Kind::Bind | Kind::Constraint | Kind::NotFound | Kind::Limit => {
                self.refuse(line.0, line.1, refusal.field, reason(&refusal.error));
                Ok(())
            }
            _ => Err(refusal.error),
        }
    }

    /// Stores lines as records; a `loose` line comes before one that it refers to.
    pub(super) fn lines(&mut self, lines: Vec<Placed>, loose: bool) -> Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let vectors = match self.evaluate(&lines) {
            Ok(vectors) => vectors,
            Err(refusal) => return self.one_by_one(lines, loose, refusal),
        };
        let mut drafts = Vec::with_capacity(lines.len());
        for (at, line) in lines.into_iter().enumerate() {
            if let Some(draft) = self.draft(at, line, &vectors, loose)? {
                drafts.push(draft);
            }
        }
        self.writer.checks_wait = drafts.iter().any(|draft| !draft.waiting.is_empty());
        match self.keys {
            Some(_) => drafts.into_iter().try_for_each(|draft| self.upsert(draft)),
            None => self.insert(drafts, loose),
        }?;
        self.spill()
    }

    fn spill(&mut self) -> Result<()> {
        if self.spills
            && self.writer.spill()?
            && let Some(keys) = &self.keys
        {
            // Others may have added, changed and deleted records with keys.
            self.keys = Some(Keys::new(&self.writer, self.object, keys.fields())?);
        }
        Ok(())
    }

    /// After an error somewhere in many lines: each alone, so that the right one is blamed.
    fn one_by_one(&mut self, mut lines: Vec<Placed>, loose: bool, refusal: Refusal) -> Result<()> {
        if lines.len() == 1 {
            return self.refuse_for(lines.remove(0), refusal);
        }
        lines
            .into_iter()
            .try_for_each(|line| self.lines(vec![line], loose))
    }

    /// The values of the expressions over the lines; cells that are taken as they are need none.
    pub(super) fn evaluate(&self, lines: &[Placed]) -> Result<Vec<Option<Vector>>, Refusal> {
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

    /// The values of one line; nothing if it is refused.
    fn draft(
        &mut self,
        at: usize,
        line: Placed,
        vectors: &[Option<Vector>],
        loose: bool,
    ) -> Result<Option<Draft>> {
        if let Some(text) = self.nameless.iter().find_map(|at| cell(&line.1, *at)) {
            let reason = format!("`{text}` stands in a column without a heading");
            self.refuse(line.0, line.1, None, reason);
            return Ok(None);
        }
        let mut values = Values::with_capacity(self.set.len());
        let mut waiting = Vec::new();
        for ((field, source), vector) in self.set.iter().zip(vectors) {
            let field = *field;
            if loose
                && self.is_link(field)
                && !self.is_required(field)
                && let Value::Text(text) = value_at(source, vector.as_ref(), at, &line)
            {
                waiting.push((field, text.to_string()));
                continue;
            }
            let value = match source {
                Source::Cell(slot) => match cell(&line.1, *slot) {
                    Some(text) => self.writer.read(self.object, field, text),
                    None if self.blanks_stay => continue,
                    None => Ok(Value::Missing),
                },
                Source::Expr(expr) => {
                    let value = value_at(source, vector.as_ref(), at, &line);
                    let from = Some(&expr.ty);
                    self.writer.convert(self.object, field, from, value)
                }
            };
            match value {
                Ok(value) => values.push((field, value)),
                Err(error) => {
                    let field = Some(field);
                    self.refuse_for(line, Refusal { field, error })?;
                    return Ok(None);
                }
            }
        }
        let (place, record) = line;
        Ok(Some(Draft {
            place,
            record,
            values,
            waiting,
        }))
    }

    fn is_required(&self, field: FieldId) -> bool {
        let is_key = |keys: &Keys| keys.fields().contains(&field);
        let object = self.writer.catalog.object(self.object);
        self.keys.as_ref().is_some_and(is_key) || object.field(field).required
    }

    fn upsert(&mut self, draft: Draft) -> Result<()> {
        let rules = Rc::clone(&self.rules);
        let Some(keys) = &mut self.keys else {
            return Ok(());
        };
        match self.writer.upsert_values(&rules, keys, draft.values) {
            Ok(done) => {
                if note(&mut self.met, done.id()) {
                    self.repeated.push(draft.place.line);
                }
                if !matches!(done, Upserted::Same(_)) && !note(&mut self.counted, done.id()) {
                    self.tally.count(done);
                }
                self.writer.refers(self.object, done.id())?;
                self.wait(draft.place, done, draft.waiting);
                Ok(())
            }
            Err(refusal) => self.refuse_for((draft.place, draft.record), refusal),
        }
    }

    fn wait(&mut self, place: Place, done: Upserted, texts: Vec<(FieldId, String)>) {
        if !texts.is_empty() {
            let id = done.id();
            self.waiting.push(Waiting { place, id, texts });
        }
    }

    /// Adds records: defaults and checks over all at once, or one by one to blame the right line.
    fn insert(&mut self, mut drafts: Vec<Draft>, loose: bool) -> Result<()> {
        let rules = Rc::clone(&self.rules);
        let mut rows = Vec::with_capacity(drafts.len());
        let mut assigned = Vec::with_capacity(drafts.len());
        for draft in &mut drafts {
            assigned.push(self.writer.assigned(&draft.values));
            rows.push(Arc::new(draft.values.drain(..).collect()));
        }
        let ready = self
            .writer
            .complete(&rules, &mut rows, &assigned)
            .and_then(|()| self.writer.check_rows(&rules, &rows, None));
        if let Err(error) = ready {
            let lines = drafts.into_iter().map(|draft| (draft.place, draft.record));
            return self.one_by_one(lines.collect(), loose, Refusal::from(error));
        }
        for (draft, row) in drafts.into_iter().zip(rows) {
            match self.writer.insert(&rules, row) {
                Ok(id) => {
                    let done = Upserted::Added(id);
                    self.tally.count(done);
                    self.writer.refers(self.object, id)?;
                    self.wait(draft.place, done, draft.waiting);
                }
                Err(refusal) => self.refuse_for((draft.place, draft.record), refusal)?,
            }
        }
        Ok(())
    }

    /// Sets the references that waited, now that all lines are stored.
    fn resolve(&mut self) -> Result<Withdrawn> {
        self.writer.checks_wait = false;
        let rules = Rc::clone(&self.rules);
        let mut withdrawn = Withdrawn::new();
        for Waiting { place, id, texts } in std::mem::take(&mut self.waiting) {
            let Some(&(first, _)) = texts.first() else {
                continue;
            };
            if let Err(refusal) = self.settle(&rules, id, &texts) {
                let field = refusal.field.unwrap_or(first);
                withdrawn.insert(place, (field, reason(&refusal.error)));
            }
            self.spill()?;
        }
        Ok(withdrawn)
    }

    fn settle(
        &mut self,
        rules: &Rules,
        id: RecordId,
        texts: &[(FieldId, String)],
    ) -> Result<(), Refusal> {
        let mut values = Values::with_capacity(texts.len());
        for (field, text) in texts {
            let value = self.writer.read(self.object, *field, text);
            let value = value.map_err(|error| Refusal {
                field: Some(*field),
                error,
            })?;
            values.push((*field, value));
        }
        // Its checks waited too, so they are due even if nothing changes.
        let old = self.writer.row(self.object, id)?;
        let (row, _) = Writer::changed(&old, values);
        self.writer
            .check_rows(rules, std::slice::from_ref(&row), Some(&[id]))?;
        self.writer.replace(rules, id, &old, row)?;
        Ok(self.writer.refers(self.object, id)?)
    }
}

/// Notes a record; true if it was noted before.
fn note(records: &mut Bitset, id: RecordId) -> bool {
    let at = id.0 as usize;
    records.resize(records.len().max(at + 1));
    let before = records.get(at);
    records.set(at, true);
    before
}

/// The value that a line gives a field.
pub(super) fn value_at(
    source: &Source,
    vector: Option<&Vector>,
    at: usize,
    line: &Placed,
) -> Value {
    match (source, vector) {
        (Source::Cell(slot), _) => cell(&line.1, *slot).map_or(Value::Missing, Value::text),
        (Source::Expr(expr), Some(vector)) => vector.value(&expr.ty.field_type(), at),
        (Source::Expr(_), None) => Value::Missing,
    }
}

/// The text of a cell; a blank one is missing.
fn cell(record: &StringRecord, at: usize) -> Option<&str> {
    record.get(at).filter(|text| !text.trim().is_empty())
}
