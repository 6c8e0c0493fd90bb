//! The whole chain in one place: text, tree, bound tree, plan, vectors, rows.

use crate::catalog::Catalog;
use crate::error::{Code, Error, Result, Span};
use crate::query::bind::{Binder, Change, Parameter, Query};
use crate::query::exec::{self, Context, Interrupt, Roles, Threads};
use crate::query::outcome::{Outcome, Table};
use crate::query::syntax::{self, Dialect, Statement, Text};
use crate::query::write::{Before, Numbered};
use crate::query::{Known, plan, schema, sql, write};
use crate::storage::{Snapshot, Transaction};
use crate::value::{Clock, RecordId, Value};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// What surrounds a statement: clock, asker, parameters, limits, and where its files are.
#[derive(Clone)]
pub(crate) struct Environment<'a> {
    pub clock: &'a Clock,
    pub me: Option<RecordId>,
    pub parameters: &'a HashMap<String, Value>,
    pub interrupt: &'a Interrupt,
    pub memory_bytes: usize,
    pub threads: Threads,
    /// Relative paths in `import` and `export` start here.
    pub directory: &'a Path,
    /// Whether the statement is a transaction of its own, so that what it makes may go into the
    /// file before it ends.
    pub alone: bool,
    /// Refuse a whole import when one line of it is refused.
    pub atomic: bool,
    /// The statement is undone: it writes no file either.
    pub dry: bool,
    /// Told the bytes read and the bytes in all while an import runs.
    pub progress: &'a dyn Fn(u64, u64),
    pub known: &'a Known,
    /// Objects whose records are written as cards.
    pub cards: &'static [write::Cards],
}

impl<'a> Environment<'a> {
    /// What an execution over `snapshot` may look at.
    pub(crate) fn context(&self, snapshot: &'a Snapshot, catalog: &'a Catalog) -> Context<'a> {
        Context {
            snapshot,
            catalog,
            clock: self.clock,
            past: None,
            me: self.me,
            parameters: self.parameters,
            interrupt: self.interrupt,
            memory_bytes: self.memory_bytes,
            threads: self.threads,
            roles: Roles::default(),
        }
    }
}

/// Reads a script into statements with their places.
pub(crate) fn parse(text: &str) -> Result<Vec<(Statement, Span)>> {
    syntax::parse_script(text).map_err(|error| error.in_text(text))
}

/// Whether a statement only reads, so that it runs on a snapshot.
pub(crate) fn is_read(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::Query(_)
            | Statement::Explain { .. }
            | Statement::Sql { .. }
            | Statement::Export { .. }
            | Statement::ExportRelational { .. }
    )
}

/// A statement that reads, its names looked up in one catalog.
#[derive(Debug)]
pub(crate) enum Bound {
    Query {
        query: Box<Query>,
        give: Give,
        parameters: Vec<Parameter>,
    },
    Relational {
        file: Text,
        dialect: Dialect,
    },
}

impl Bound {
    /// The parameters, in the order of their names.
    pub(crate) fn parameters(&self) -> &[Parameter] {
        match self {
            Self::Query { parameters, .. } => parameters,
            Self::Relational { .. } => &[],
        }
    }
}

/// The parameters of a statement that reads records or changes them.
pub(crate) fn parameters(
    statement: &Statement,
    catalog: &Catalog,
    clock: &Clock,
) -> Result<Vec<Parameter>> {
    let binder = Binder::new(catalog, clock);
    match statement {
        Statement::DryRun(inner) => return parameters(inner, catalog, clock),
        Statement::Import(_) | Statement::Undo(_) => return Ok(Vec::new()),
        _ => {}
    }
    match changing(statement, &binder)? {
        Some((change, returning)) => binder.parameters_of_change(&change, returning.as_ref()),
        None => Ok(bind(statement, catalog, clock)?.parameters().to_vec()),
    }
}

/// Whether a statement is of a kind that takes parameters.
pub(crate) fn has_parameters(statement: &Statement) -> bool {
    is_read(statement)
        || matches!(
            statement,
            Statement::Add(_)
                | Statement::Update(_)
                | Statement::Upsert(_)
                | Statement::Delete(_)
                | Statement::Merge(_)
                | Statement::Restore(_)
                | Statement::Returning { .. }
                | Statement::DryRun(_)
        )
}

/// A statement that changes records by what it says, bound, with what it returns.
fn changing(statement: &Statement, binder: &Binder<'_>) -> Result<Option<(Change, Option<Query>)>> {
    let change = match statement {
        Statement::Add(tree) => binder.add(tree)?,
        Statement::Update(tree) => binder.update(tree)?,
        Statement::Upsert(tree) => binder.upsert(tree)?,
        Statement::Delete(tree) => binder.delete(tree)?,
        Statement::Merge(tree) => binder.merge(tree)?,
        Statement::Restore(tree) => binder.restore(tree)?,
        Statement::Returning { change, select } => {
            let bound = changing(change, binder)?;
            let object = bound.as_ref().map(|(change, _)| change.object());
            let query = object.map(|object| binder.returning(object, select));
            let query = query.transpose()?;
            return Ok(bound.map(|(change, _)| (change, query)));
        }
        _ => return Ok(None),
    };
    Ok(Some((change, None)))
}

/// An error if a name is none of the parameters.
pub(crate) fn check_names<'n>(
    known: &[Parameter],
    given: impl Iterator<Item = &'n String>,
) -> Result<()> {
    let names = || known.iter().map(|parameter| parameter.name.as_str());
    for name in given {
        if !names().any(|known| known == name) {
            let all: Vec<_> = names().map(|name| format!("${name}")).collect();
            let message = format!("the statement has no parameter `${name}`");
            let expected = match all.as_slice() {
                [] => "no parameters".to_owned(),
                all => all.join(", "),
            };
            return Err(Error::new(Code::WrongArguments, message)
                .expected(expected)
                .near(name, names()));
        }
    }
    Ok(())
}

/// What becomes of a query's rows.
#[derive(Debug)]
pub(crate) enum Give {
    Rows,
    Sql(Dialect),
    Plan { analyze: bool },
    File(Text),
}

/// Looks up the names of a statement that reads. Of the clock only the zone counts.
pub(crate) fn bind(statement: &Statement, catalog: &Catalog, clock: &Clock) -> Result<Bound> {
    let (query, give) = match statement {
        Statement::Query(query) => (query, Give::Rows),
        Statement::Explain { analyze, query } => (query, Give::Plan { analyze: *analyze }),
        Statement::Sql { dialect, query } => (query, Give::Sql(*dialect)),
        Statement::Export { query, file } => (query, Give::File(file.clone())),
        Statement::ExportRelational { file, dialect } => {
            return Ok(Bound::Relational {
                file: file.clone(),
                dialect: *dialect,
            });
        }
        _ => {
            return Err(Error::new(
                Code::ReadOnly,
                "this statement changes the book",
            ));
        }
    };
    let binder = Binder::new(catalog, clock);
    let query = match &give {
        Give::File(file) => write::with_record(query, file, &binder)?,
        _ => binder.paged_query(query)?,
    };
    Ok(Bound::Query {
        parameters: binder.parameters(&query)?,
        query: Box::new(query),
        give,
    })
}

/// Runs a bound statement on a state that has the catalog it was bound in.
pub(crate) fn run(
    bound: &Bound,
    snapshot: &Snapshot,
    catalog: &Catalog,
    environment: &Environment<'_>,
) -> Result<Outcome> {
    let context = environment.context(snapshot, catalog);
    let (query, give) = match bound {
        Bound::Query { query, give, .. } => (query, give),
        Bound::Relational { file, dialect } => {
            return sql::export(file, *dialect, &context, environment);
        }
    };
    match give {
        Give::Rows => exec::run(query, &context).map(Outcome::Rows),
        Give::Plan { analyze } => plan::explain(query, &context, *analyze).map(Outcome::Plan),
        Give::Sql(dialect) => sql::translate(query, &context, *dialect).map(Outcome::Sql),
        Give::File(file) => {
            let table = exec::run(query, &context)?;
            write::export(&table, file, catalog, environment)
        }
    }
}

/// Runs a statement that reads.
pub(crate) fn read(
    statement: &Statement,
    snapshot: &Snapshot,
    catalog: &Catalog,
    environment: &Environment<'_>,
) -> Result<Outcome> {
    let bound = bind(statement, catalog, environment.clock)?;
    run(&bound, snapshot, catalog, environment)
}

/// The stored fields of one record as a single row; nothing if there is no such record.
pub(crate) fn record(
    object: &str,
    id: RecordId,
    snapshot: &Snapshot,
    catalog: &Arc<Catalog>,
    environment: &Environment<'_>,
) -> Result<Option<Table>> {
    let object = schema::find_object(catalog, object)?;
    let context = environment.context(snapshot, catalog);
    let columns = environment
        .known
        .headings(object, catalog, environment.clock);
    let values = exec::record(object, &columns, id, &context)?;
    Ok(values.map(|values| Table {
        columns,
        rows: vec![values],
        next: None,
        marks: Vec::new(),
    }))
}

/// Runs a statement that changes records or definitions. A statement that fails leaves the
/// transaction as it was. `begin`, `commit` and `rollback` are the session's.
///
/// What is returned and says the transaction's number is there twice: without it, and to be read
/// again once that is known.
pub(crate) fn write(
    statement: &Statement,
    transaction: &mut Transaction<'_>,
    catalog: &Arc<Catalog>,
    environment: &Environment<'_>,
) -> Result<(Outcome, Option<Numbered>)> {
    let mark = transaction.mark();
    let outcome = change(statement, transaction, catalog, environment);
    if outcome.is_err() {
        transaction.roll_back_to(mark);
    }
    outcome
}

fn change(
    statement: &Statement,
    transaction: &mut Transaction<'_>,
    catalog: &Arc<Catalog>,
    environment: &Environment<'_>,
) -> Result<(Outcome, Option<Numbered>)> {
    let Statement::DryRun(statement) = statement else {
        let (outcome, returned) = carry_out(statement, transaction, catalog, environment)?;
        return Ok(match returned {
            Some((rows, numbered)) => (Outcome::Rows(rows), numbered),
            None => (outcome, None),
        });
    };
    let environment = &Environment {
        dry: true,
        ..environment.clone()
    };
    let before = Before::new(transaction, catalog);
    let (outcome, returned) = carry_out(statement, transaction, catalog, environment)?;
    let changes = match returned {
        Some((rows, _)) => rows,
        None => before.changes(transaction, environment)?,
    };
    before.restore(transaction);
    let outcome = Outcome::DryRun {
        changes,
        outcome: Box::new(outcome),
    };
    Ok((outcome, None))
}

/// Rows, and the same to be read again where they say the transaction's number.
type Returned = (Table, Option<Numbered>);

/// What a statement did, and the rows that it returns.
fn carry_out(
    statement: &Statement,
    transaction: &mut Transaction<'_>,
    catalog: &Arc<Catalog>,
    environment: &Environment<'_>,
) -> Result<(Outcome, Option<Returned>)> {
    let binder = Binder::new(catalog, environment.clock);
    if let Some((change, returning)) = changing(statement, &binder)? {
        binder.parameters_of_change(&change, returning.as_ref())?;
        let before = returning.map(|query| (query, Before::new(transaction, catalog)));
        let outcome = write::change(&change, transaction, catalog, environment)?;
        let rows = before
            .map(|(query, before)| before.returning(&query, &change, transaction, environment));
        return Ok((outcome, rows.transpose()?));
    }
    let outcome = match statement {
        Statement::Import(tree) => write::import(tree, transaction, catalog, environment),
        Statement::Undo(tree) => write::undo(tree, transaction, catalog, environment),
        Statement::CreateObject(_)
        | Statement::AlterObject { .. }
        | Statement::CreateIndex { .. }
        | Statement::CreateView(_)
        | Statement::Drop { .. }
        | Statement::Set { .. } => schema::define(statement, transaction, catalog, environment),
        Statement::Query(_)
        | Statement::Explain { .. }
        | Statement::Sql { .. }
        | Statement::Export { .. }
        | Statement::ExportRelational { .. } => {
            read(statement, transaction.snapshot(), catalog, environment)
        }
        Statement::Add(_)
        | Statement::Update(_)
        | Statement::Upsert(_)
        | Statement::Delete(_)
        | Statement::Merge(_)
        | Statement::Restore(_)
        | Statement::Returning { .. }
        | Statement::DryRun(_) => Err(Error::new(
            Code::Internal,
            "a change of records was not carried out",
        )),
        Statement::Prune { .. }
        | Statement::Begin { .. }
        | Statement::Commit
        | Statement::Rollback(_)
        | Statement::Savepoint(_) => Err(Error::new(
            Code::TransactionState,
            "a transaction is begun and ended by a session",
        )),
    }?;
    Ok((outcome, None))
}
