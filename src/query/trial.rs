//! A book for the tests of writes and definitions: statements in, their outcomes out, with
//! statement rollback as the pipeline does it.

use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::query::bind::Binder;
use crate::query::exec::{Interrupt, Threads};
use crate::query::outcome::{ImportReport, Outcome};
use crate::query::pipeline::{self, Environment};
use crate::query::syntax::{self, Statement};
use crate::query::{Known, schema, write};
use crate::storage::{Store, StoreOptions, Transaction, image};
use crate::value::{Clock, RecordId, Value};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) struct Trial {
    store: Store,
    pub directory: PathBuf,
    pub atomic: bool,
    /// Whether each statement is a transaction of its own.
    pub alone: bool,
}

impl Trial {
    pub(crate) fn new(script: &str) -> Self {
        let trial = Self {
            store: Store::in_memory(&StoreOptions::default()).unwrap(),
            directory: PathBuf::new(),
            atomic: false,
            alone: true,
        };
        trial.run(script).unwrap();
        trial
    }

    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        Arc::new(Catalog::decode(self.store.snapshot().unwrap().catalog()).unwrap())
    }

    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>, &Environment<'_>) -> Result<T>,
    ) -> Result<T> {
        let clock = Clock::system();
        let environment = Environment {
            clock: &clock,
            me: None,
            parameters: &HashMap::new(),
            interrupt: &Interrupt::default(),
            memory_bytes: 1 << 30,
            threads: Threads::ONE,
            directory: &self.directory,
            atomic: self.atomic,
            dry: false,
            alone: self.alone,
            progress: &|_, _| {},
            known: &Known::default(),
            cards: &[],
        };
        let mut transaction = self.store.begin()?;
        let done = work(&mut transaction, &environment)?;
        transaction.commit(crate::storage::CommitInfo {
            at: clock.now,
            actor: None,
        })?;
        Ok(done)
    }

    /// Runs statements, each in a transaction of its own; the last one's outcome.
    pub(crate) fn run(&self, script: &str) -> Result<Outcome> {
        let mut last = Outcome::Done(String::new());
        for (statement, _) in syntax::parse_script(script)? {
            last = self.statement(&statement).map_err(|e| e.in_text(script))?;
        }
        let report = self.store.check()?;
        assert_eq!(report.faults, Vec::<String>::new(), "after {script}");
        Ok(last)
    }

    fn statement(&self, statement: &Statement) -> Result<Outcome> {
        let catalog = self.catalog();
        self.with(|transaction, environment| {
            let binder = Binder::new(&catalog, environment.clock);
            let change = match statement {
                Statement::Add(tree) => binder.add(tree)?,
                Statement::Update(tree) => binder.update(tree)?,
                Statement::Upsert(tree) => binder.upsert(tree)?,
                Statement::Delete(tree) => binder.delete(tree)?,
                Statement::Merge(tree) => binder.merge(tree)?,
                Statement::Restore(tree) => binder.restore(tree)?,
                Statement::Import(tree) => {
                    return write::import(tree, transaction, &catalog, environment);
                }
                Statement::DryRun(_) => {
                    let done = pipeline::write(statement, transaction, &catalog, environment);
                    return done.map(|(outcome, _)| outcome);
                }
                Statement::Undo(tree) => {
                    return write::undo(tree, transaction, &catalog, environment);
                }
                _ => return schema::define(statement, transaction, &catalog, environment),
            };
            write::change(&change, transaction, &catalog, environment)
        })
    }

    pub(crate) fn refused(&self, script: &str) -> Error {
        self.run(script).expect_err(script)
    }

    /// Imports `text` as a file; the report.
    pub(crate) fn import(&mut self, statement: &str, text: &str) -> Result<ImportReport> {
        let directory = tempfile::tempdir().unwrap();
        self.directory = directory.path().to_owned();
        std::fs::write(self.directory.join("a.csv"), text).unwrap();
        match self.run(statement)? {
            Outcome::Imported(mut report) => {
                // The text of the rejects in place of their path.
                if let Some(path) = &mut report.rejects {
                    *path = std::fs::read_to_string(&*path).unwrap().into();
                }
                Ok(report)
            }
            other => panic!("{other:?}"),
        }
    }

    /// All that is stored of all records, but for the numbers of their last changes.
    pub(crate) fn image(&self) -> Vec<String> {
        image(&self.store.snapshot().unwrap())
    }

    /// The number of transactions.
    pub(crate) fn transactions(&self) -> u64 {
        self.store.snapshot().unwrap().sequence()
    }

    pub(crate) fn fold(&self) {
        self.store.fold().unwrap();
    }

    /// All records, a line each: id, then the fields' values with labels and references shown.
    pub(crate) fn dump(&self, object: &str) -> String {
        let catalog = self.catalog();
        let object = catalog.find_object(object).unwrap();
        let snapshot = self.store.snapshot().unwrap();
        let mut out = String::new();
        for id in 0..snapshot.record_bound(object.id) {
            let Some(row) = snapshot.row(object.id, RecordId(id)).unwrap() else {
                continue;
            };
            out += &format!("#{id}");
            for field in object.live_fields() {
                let shown = match row.get(field.id) {
                    Value::Label(code) => field.label_name(*code).unwrap().to_owned(),
                    Value::Tags(codes) => {
                        let names: Vec<_> =
                            codes.iter().filter_map(|c| field.label_name(*c)).collect();
                        names.join("+")
                    }
                    Value::AnyReference(of, id) => format!("{}:{id}", catalog.object(*of).name),
                    value => value.show(&Clock::system()),
                };
                out += &format!("|{shown}");
            }
            out.push('\n');
        }
        out
    }
}
