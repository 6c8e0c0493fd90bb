//! A session: statements one after the other, with `begin` and `commit` across them.

use super::outcome::Outcome;
use super::serialize::{Fields, ToFields};
use super::{ATTEMPTS_MAX, Book, Inner, Parameters, Schema, Script, State, Step};
use crate::catalog::{Catalog, Role, same_name};
use crate::error::{Code, Error, Result};
use crate::query::Known;
use crate::query::exec::{Interrupt, Threads, beginning};
use crate::query::pipeline::{self, Bound, Environment};
use crate::query::schema::describe_book;
#[cfg(feature = "shell")]
use crate::query::schema::loss;
use crate::query::syntax::{self, Expr, ExprKind, Item, Literal, Name, Query, Source, Statement};
use crate::storage::{CommitInfo, Mark, Transaction};
use crate::value::{Clock, DateTime, FieldType, RecordId, Value};
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;

/// Statements one after the other, as a shell runs them: with `begin` and `commit` across
/// statements, parameters, an actor, and a directory for files.
///
/// Dropping a session rolls back what is not committed.
///
/// ```
/// use fieldbook::Book;
///
/// let book = Book::in_memory()?;
/// let mut session = book.session();
/// session.execute("begin; add accounts (name = \"Acme\")")?;
/// assert!(session.in_transaction());
/// assert_eq!(book.query("accounts")?.len(), 0);
/// session.execute("commit")?;
/// assert_eq!(book.query("accounts")?.len(), 1);
/// # Ok::<(), fieldbook::Error>(())
/// ```
pub struct Session<'b> {
    book: &'b Book,
    open: Option<Open<'b>>,
    /// What ends the transaction, if that is not the script.
    held: Option<&'static str>,
    around: Around,
}

/// A transaction that is under way.
struct Open<'b> {
    transaction: Transaction<'b>,
    /// The moment of `begin at`, which is `now` until the end.
    at: Option<DateTime>,
    /// The actor of `begin as`.
    actor: Option<RecordId>,
    /// Those that can be rolled back to, oldest first.
    savepoints: Vec<(String, Mark)>,
}

/// What surrounds the statements of a session.
struct Around {
    parameters: Parameters,
    actor: Option<RecordId>,
    directory: PathBuf,
    interrupt: Interrupt,
    atomic: bool,
    memory_bytes: usize,
    threads: Threads,
    progress: Box<dyn Fn(u64, u64) + Send>,
    known: Arc<Known>,
}

impl Around {
    fn environment<'a>(&'a self, clock: &'a Clock, me: Option<RecordId>) -> Environment<'a> {
        Environment {
            clock,
            me,
            parameters: &self.parameters.0,
            interrupt: &self.interrupt,
            memory_bytes: self.memory_bytes,
            threads: self.threads,
            directory: &self.directory,
            alone: false,
            atomic: self.atomic,
            dry: false,
            progress: &*self.progress,
            known: &self.known,
            cards: crate::crm::CARDS,
        }
    }
}

impl<'b> Session<'b> {
    pub(super) fn new(book: &'b Book) -> Self {
        Self {
            book,
            open: None,
            held: None,
            around: Around {
                parameters: Parameters::new(),
                actor: book.0.actor,
                directory: PathBuf::new(),
                interrupt: Interrupt::default(),
                atomic: false,
                memory_bytes: book.work_bytes(),
                threads: book.0.threads,
                progress: Box::new(|_, _| {}),
                known: book.0.known.clone(),
            },
        }
    }

    /// Sets a parameter for the statements to come.
    pub fn set_parameter(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.around.parameters.set(name, value);
    }

    pub(super) fn swap_parameters(&mut self, parameters: Parameters) -> Parameters {
        std::mem::replace(&mut self.around.parameters, parameters)
    }

    /// The book that the session is on.
    #[must_use]
    pub fn book(&self) -> &'b Book {
        self.book
    }

    /// Sets where relative paths in `import` and `export` start; by default the process's
    /// working directory. Gives the directory before.
    pub fn set_directory(&mut self, directory: impl Into<PathBuf>) -> PathBuf {
        std::mem::replace(&mut self.around.directory, directory.into())
    }

    /// Whether an import is refused as a whole when one of its lines is. Default: no.
    pub fn set_atomic_imports(&mut self, on: bool) {
        self.around.atomic = on;
    }

    /// Sets what is told, while an import runs, the bytes read so far and the bytes in all. It must
    /// not change the book: that waits for the import.
    pub fn set_progress(&mut self, progress: impl Fn(u64, u64) + Send + 'static) {
        self.around.progress = Box::new(progress);
    }

    /// Sets who is asking, as [`Options::actor`](super::Options::actor) does for the whole book.
    ///
    /// # Errors
    /// `unknown-label` if there is no such actor.
    pub fn act_as(&mut self, label: &str) -> Result<()> {
        self.around.actor = Some(self.find_actor(label)?);
        Ok(())
    }

    /// A flag by which another thread stops the statement that runs.
    #[must_use]
    pub fn interrupt(&self) -> Interrupt {
        self.around.interrupt.clone()
    }

    /// Whether a transaction is open.
    #[must_use]
    pub fn in_transaction(&self) -> bool {
        self.open.is_some()
    }

    /// The objects and views, with the open transaction's changes.
    ///
    /// # Errors
    /// `corrupt` if the definitions cannot be read, `io`.
    pub fn schema(&self) -> Result<Schema> {
        let state = self.state()?;
        Schema::new(&state.catalog, &state.snapshot, &state.clock)
    }

    /// The script that makes the objects and views, run on a bare book.
    ///
    /// ```
    /// use fieldbook::Book;
    ///
    /// let script = Book::in_memory()?.session().schema_script()?;
    /// let copy = Book::options().bare(true).in_memory()?;
    /// copy.execute(&script)?;
    /// assert_eq!(copy.session().schema_script()?, script);
    /// # Ok::<(), fieldbook::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Session::schema`].
    pub fn schema_script(&self) -> Result<String> {
        let state = self.state()?;
        describe_book(&state.catalog, &state.clock)
    }

    /// Runs every statement of a script and gives what each did.
    ///
    /// # Errors
    /// Of the first statement that fails. Those before it stand, unless a transaction is open,
    /// which stays open: the failed statement alone is undone.
    pub fn execute(&mut self, script: &str) -> Result<Vec<Outcome>> {
        let script = Script::parse(script)?;
        script.steps().iter().map(|step| self.run(step)).collect()
    }

    /// Runs one statement of a script.
    ///
    /// # Errors
    /// Whatever is wrong with the statement; it has then changed nothing.
    pub fn run(&mut self, step: &Step) -> Result<Outcome> {
        self.perform(&step.statement)
            .map_err(|error| step.in_text(error))
    }

    pub(super) fn perform(&mut self, statement: &Statement) -> Result<Outcome> {
        match statement {
            Statement::Begin { at, actor } => self.begin_at(at.as_ref(), actor.as_ref()),
            Statement::Prune { before } => self.prune(before),
            Statement::Commit | Statement::Rollback(None) if self.held.is_some() => {
                let message = "this transaction is not the script's to end";
                Err(Error::new(Code::TransactionState, message).hint(self.ending("")))
            }
            Statement::Commit => {
                self.commit()?;
                Ok(Outcome::Done("transaction committed".to_owned()))
            }
            Statement::Rollback(None) => {
                self.rollback()?;
                Ok(Outcome::Done("transaction rolled back".to_owned()))
            }
            Statement::Rollback(Some(name)) => self.roll_back_to_name(name),
            Statement::Savepoint(name) => self.savepoint(name),
            _ if pipeline::is_read(statement) => {
                let state = self.state()?;
                let outcome = self.read(statement, &state)?;
                Ok(Outcome::new(outcome, &state.catalog, &state.clock))
            }
            _ => self
                .write(statement, |_| true)?
                .ok_or_else(|| Error::new(Code::Internal, "a statement was not agreed to")),
        }
    }

    /// Runs a statement that changes the book, and keeps what it did if `agree` says so, which is
    /// given a way to count the records that it changed.
    fn write(
        &mut self,
        statement: &Statement,
        mut agree: impl FnMut(&dyn Fn() -> u64) -> bool,
    ) -> Result<Option<Outcome>> {
        let book = self.book;
        let (done, number) = self.change(|transaction, environment| {
            let mark = transaction.mark();
            let catalog = book.catalog(transaction.snapshot())?;
            let done = pipeline::write(statement, transaction, &catalog, environment)?;
            if !agree(&|| transaction.changes_since(mark).len() as u64) {
                transaction.roll_back_to(mark);
                return Ok(None);
            }
            Ok(Some((done, catalog, environment.clock.clone())))
        })?;
        let Some(((mut outcome, numbered), catalog, clock)) = done else {
            return Ok(None);
        };
        if let (Some(number), Some(numbered)) = (number, numbered) {
            let environment = self.around.environment(&clock, self.me());
            // What is committed is not to be told as failed.
            if let Ok(rows) = numbered.rows(number, &environment) {
                outcome = Inner::Rows(rows);
            }
        }
        Ok(Some(Outcome::new(outcome, &catalog, &clock)))
    }

    /// Runs a bound statement on the state that it was bound in.
    pub(super) fn run_bound(&self, bound: &Bound, state: &State) -> Result<Outcome> {
        let environment = self.around.environment(&state.clock, self.me());
        let outcome = pipeline::run(bound, &state.snapshot, &state.catalog, &environment)?;
        Ok(Outcome::new(outcome, &state.catalog, &state.clock))
    }

    /// Adds one record from a struct or a map: see [`Book::add`].
    ///
    /// # Errors
    /// As [`Book::add`].
    pub fn add<T: Serialize + ?Sized>(&mut self, object: &str, record: &T) -> Result<RecordId> {
        let fields = record
            .serialize(ToFields)
            .map_err(|misfit| Error::new(Code::BadValue, format!("{object}: {}", misfit.0)))?;
        let (statement, values) = addition(object, fields.into_fields());
        let book = self.book;
        let added = self.change(|transaction, environment| {
            let environment = Environment {
                parameters: &values.0,
                ..environment.clone()
            };
            let catalog = book.catalog(transaction.snapshot())?;
            pipeline::write(&statement, transaction, &catalog, &environment)?;
            let snapshot = transaction.snapshot();
            // The record is the last one given an id.
            catalog
                .find_object(object)
                .and_then(|object| snapshot.record_bound(object.id).checked_sub(1))
                .map(RecordId)
                .ok_or_else(|| Error::new(Code::Internal, "the record added has no id"))
        });
        added.map(|(id, _)| id)
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// `transaction-state` if one is open, `read-only` on a book opened so.
    pub fn begin(&mut self) -> Result<()> {
        self.begin_at(None, None).map(|_| ())
    }

    /// Makes the open transaction one that scripts cannot end: their `commit` and `rollback`
    /// are errors, which say what ends it: [`Session::commit`] by someone else.
    pub(crate) fn hold(&mut self, ending: &'static str) {
        self.held = Some(ending);
    }

    /// Commits the open transaction: all of it or nothing. Gives the transaction's number, which
    /// `revision()` tells of the records that it changed.
    ///
    /// # Errors
    /// `transaction-state` if none is open; `conflict` if another transaction changed the same
    /// records, or the schema, first; `not-unique`, `still-referenced` or `unknown-record` if
    /// what was committed since forbids it; `io`. The transaction is over then. After `locked`, as
    /// another process writes to a [shared](crate::Options::shared) book, it is still open.
    pub fn commit(&mut self) -> Result<u64> {
        if self.open.is_some() {
            self.book.0.store.wake_up()?;
        }
        let open = self.open.take().ok_or_else(none_open)?;
        let info = CommitInfo {
            at: match open.at {
                Some(at) => at,
                None => self.book.clock(open.transaction.snapshot())?.now,
            },
            actor: open.actor.or(self.around.actor),
        };
        let committed = self.book.commit(open.transaction, info);
        committed.map_err(|error| self.book.named(error))
    }

    /// Forgets the open transaction's changes.
    ///
    /// # Errors
    /// `transaction-state` if none is open.
    pub fn rollback(&mut self) -> Result<()> {
        self.open.take().map(|_| ()).ok_or_else(none_open)
    }

    pub(super) fn mark(&self) -> Result<Mark> {
        let open = self.open.as_ref().ok_or_else(none_open)?;
        Ok(open.transaction.mark())
    }

    /// Runs one statement and keeps what it did if `agree` says so to the number of records that
    /// it changed; again, where another transaction was first. No lock is held meanwhile.
    #[cfg(feature = "shell")]
    pub(crate) fn run_if(
        &mut self,
        step: &Step,
        mut agree: impl FnMut(u64) -> bool,
    ) -> Result<Option<Outcome>> {
        self.write(&step.statement, |count| agree(count()))
            .map_err(|error| step.in_text(error))
    }

    /// What a statement drops that neither `undo` nor `as of` brings back, if that is anything.
    #[cfg(feature = "shell")]
    pub(crate) fn loss(&self, step: &Step) -> Result<Option<String>> {
        let state = self.state()?;
        loss(&step.statement, &state.snapshot, &state.catalog)
    }

    pub(super) fn roll_back_to(&mut self, mark: Mark) -> Result<()> {
        let open = self.open.as_mut().ok_or_else(none_open)?;
        open.transaction.roll_back_to(mark);
        open.savepoints.retain(|(_, other)| *other <= mark);
        Ok(())
    }

    /// Names this place of the transaction; the same name again means the later place, as long
    /// as that can be rolled back to.
    fn savepoint(&mut self, name: &Name) -> Result<Outcome> {
        let mark = self.mark().map_err(|error| error.at(name.span.clone()))?;
        if let Some(open) = &mut self.open {
            open.savepoints.push((name.text.clone(), mark));
        }
        Ok(Outcome::Done(format!("savepoint `{name}`")))
    }

    fn roll_back_to_name(&mut self, name: &Name) -> Result<Outcome> {
        let open = self.open.as_ref().ok_or_else(none_open)?;
        let known = open.savepoints.iter().map(|(known, _)| known.as_str());
        let at = known
            .clone()
            .rposition(|known| same_name(known, &name.text));
        let Some(at) = at else {
            let message = format!("there is no savepoint `{name}`");
            let error = Error::new(Code::TransactionState, message).at(name.span.clone());
            return Err(error.near(&name.text, known));
        };
        let mark = open.savepoints[at].1;
        self.roll_back_to(mark)?;
        // Later savepoints at the same place are void too.
        if let Some(open) = &mut self.open {
            open.savepoints.truncate(at + 1);
        }
        Ok(Outcome::Done(format!("rolled back to `{name}`")))
    }

    /// The savepoint that was made last and can be rolled back to.
    #[cfg(feature = "shell")]
    pub(crate) fn last_savepoint(&self) -> Option<&str> {
        let last = self.open.as_ref()?.savepoints.last()?;
        Some(&last.0)
    }

    /// Writes the definitions as they are: a change that marks a book as begun.
    pub(super) fn keep_schema(&mut self) -> Result<()> {
        let open = self.open.as_mut().ok_or_else(none_open)?;
        let catalog = Catalog::decode(open.transaction.snapshot().catalog())?;
        open.transaction
            .set_schema(catalog.encode()?, catalog.layouts())
    }

    /// The state that the next statement reads.
    pub(super) fn state(&self) -> Result<State> {
        match &self.open {
            None => self.book.state(),
            Some(open) => {
                let mut state = self.book.state_of(open.transaction.snapshot().clone())?;
                if let Some(at) = open.at {
                    state.clock.now = at;
                }
                Ok(state)
            }
        }
    }

    fn me(&self) -> Option<RecordId> {
        let of_transaction = self.open.as_ref().and_then(|open| open.actor);
        of_transaction.or(self.around.actor)
    }

    fn read(&self, statement: &Statement, state: &State) -> Result<Inner> {
        let environment = self.around.environment(&state.clock, self.me());
        pipeline::read(statement, &state.snapshot, &state.catalog, &environment)
    }

    /// Runs `work` in the open transaction, or else in one of its own, which is run again when
    /// another transaction was first; and gives its number.
    fn change<R>(
        &mut self,
        mut work: impl FnMut(&mut Transaction<'_>, &Environment<'_>) -> Result<R>,
    ) -> Result<(R, Option<u64>)> {
        let me = self.me();
        if let Some(open) = &mut self.open {
            let mut clock = self.book.clock(open.transaction.snapshot())?;
            clock.now = open.at.unwrap_or(clock.now);
            let environment = self.around.environment(&clock, me);
            return work(&mut open.transaction, &environment).map(|done| (done, None));
        }
        let mut attempts = 0;
        loop {
            let mut transaction = self.book.0.store.begin()?;
            let clock = self.book.clock(transaction.snapshot())?;
            let environment = Environment {
                alone: true,
                ..self.around.environment(&clock, me)
            };
            let info = CommitInfo {
                at: clock.now,
                actor: me,
            };
            attempts += 1;
            let done = work(&mut transaction, &environment).and_then(|result| {
                let number = self.book.commit(transaction, info)?;
                Ok((result, Some(number)))
            });
            match done {
                Err(error) if error.is_conflict() && attempts < ATTEMPTS_MAX => {}
                done => return done.map_err(|error| self.book.named(error)),
            }
        }
    }

    /// What ends the open transaction; `own` if the script may.
    fn ending(&self, own: &'static str) -> &'static str {
        self.held.unwrap_or(own)
    }

    fn begin_at(&mut self, at: Option<&Expr>, actor: Option<&Expr>) -> Result<Outcome> {
        if self.open.is_some() {
            let error = Error::new(Code::TransactionState, "a transaction is open already");
            return Err(error.hint(self.ending("`commit` or `rollback` ends it")));
        }
        let state = self.book.state()?;
        let actor = actor.map(|e| self.find_actor_in(e, &state)).transpose()?;
        let at = at.map(|e| self.beginning(e, &state)).transpose()?;
        self.open = Some(Open {
            transaction: self.book.0.store.begin()?,
            at,
            actor,
            savepoints: Vec::new(),
        });
        Ok(Outcome::Done("transaction begun".to_owned()))
    }

    fn prune(&mut self, before: &Expr) -> Result<Outcome> {
        if self.open.is_some() {
            let message = "the journal is pruned outside of transactions";
            let error = Error::new(Code::TransactionState, message);
            return Err(error.hint(self.ending("`commit` or `rollback` first")));
        }
        let state = self.book.state()?;
        let moment = self.moment(before, &state)?;
        if moment > state.clock.now {
            return Err(Error::new(Code::BadValue, "the moment lies ahead")
                .at(before.span.clone())
                .expected("a day or moment of the past"));
        }
        let gone = self.book.prune_journal(moment)?;
        let begins = self.journal_begins()?;
        let begins = begins.unwrap_or_else(|| "all of the journal is kept".to_owned());
        Ok(Outcome::Done(match gone {
            0 => format!("nothing is pruned; {begins}"),
            1 => format!("1 transaction pruned; {begins}"),
            _ => format!("{gone} transactions pruned; {begins}"),
        }))
    }

    /// When the journal begins, as a person reads it.
    pub(crate) fn journal_begins(&self) -> Result<Option<String>> {
        let begins = self.book.journal_begins()?;
        let said = begins.map(|at| Ok(beginning(at, &self.book.state()?.clock)));
        said.transpose()
    }

    /// The moment of `begin at`.
    fn beginning(&self, expr: &Expr, state: &State) -> Result<DateTime> {
        let moment = self.moment(expr, state)?;
        let now = state.clock.now;
        // All that is committed later would be of that moment too.
        if moment > now {
            let now = Value::DateTime(now).show(&state.clock);
            return Err(Error::new(Code::BadValue, "the moment lies ahead")
                .at(expr.span.clone())
                .expected(format!("a moment up to now, {now}")));
        }
        match state.snapshot.last_commit() {
            Some(last) if moment < last => {
                let last = Value::DateTime(last).show(&state.clock);
                let message = format!("the moment lies before the journal's last entry, of {last}");
                Err(Error::new(Code::ClockBackwards, message)
                    .at(expr.span.clone())
                    .hint("load history oldest first"))
            }
            _ => Ok(moment),
        }
    }

    /// The moment that a statement without records says.
    fn moment(&self, expr: &Expr, state: &State) -> Result<DateTime> {
        let clock = &state.clock;
        let value = match &expr.kind {
            ExprKind::Literal(Literal::Date(day)) => Value::Date(*day),
            ExprKind::Literal(Literal::DateTime(text) | Literal::Text(text)) => Value::text(text),
            ExprKind::Parameter(name) => {
                let given = self.around.parameters.get(name).cloned();
                given.ok_or_else(|| {
                    let message = format!("the parameter `${name}` has no value");
                    Error::new(Code::MissingParameter, message).at(expr.span.clone())
                })?
            }
            ExprKind::Path(path)
                if path.len() == 1 && path[0].text.eq_ignore_ascii_case("today") =>
            {
                Value::Date(clock.today())
            }
            ExprKind::Path(path) if path.len() == 1 && path[0].text.eq_ignore_ascii_case("now") => {
                Value::DateTime(clock.now)
            }
            _ => Value::Missing,
        };
        let value = match value {
            Value::Text(text) => FieldType::DateTime
                .parse(&text, clock)
                .map_err(|error| error.at(expr.span.clone()))?,
            value => value,
        };
        match value {
            Value::Date(day) => Ok(clock.start_of(day)),
            Value::DateTime(moment) => Ok(moment),
            _ => {
                let error = Error::new(Code::TypeMismatch, format!("`{expr}` is no moment"));
                let error = error.expected("a date, or a date and time");
                Err(error.at(expr.span.clone()))
            }
        }
    }

    /// The record of the actors' object with this label or key.
    pub(super) fn find_actor(&self, label: &str) -> Result<RecordId> {
        let key = Expr {
            kind: ExprKind::Literal(Literal::Text(label.to_owned())),
            span: 0..label.len(),
        };
        self.find_actor_in(&key, &self.state()?)
            .map_err(|error| error.in_text(label))
    }

    fn find_actor_in(&self, key: &Expr, state: &State) -> Result<RecordId> {
        let actors = state.catalog.playing(Role::Actors).ok_or_else(|| {
            let message = "the book has no object declared `actors`";
            Error::new(Code::UnknownObject, message).at(key.span.clone())
        })?;
        let mut key = key.clone();
        if let ExprKind::Path(path) = &key.kind {
            let words: Vec<_> = path.iter().map(|name| name.text.as_str()).collect();
            key.kind = ExprKind::Literal(Literal::Text(words.join(".")));
        }
        let query = single(&actors.name, key, "this");
        match self.read(&Statement::Query(query), state)? {
            Inner::Rows(table) => match table.rows.first().and_then(|row| row.first()) {
                Some(Value::Record(record)) => Ok(record.id),
                Some(Value::Reference(id)) => Ok(*id),
                _ => Err(Error::new(Code::UnknownLabel, "there is no such actor")),
            },
            _ => Err(Error::new(Code::Internal, "a query gave no rows")),
        }
    }
}

impl std::fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("in_transaction", &self.in_transaction())
            .finish_non_exhaustive()
    }
}

fn none_open() -> Error {
    Error::new(Code::TransactionState, "no transaction is open").hint("`begin` opens one")
}

fn name(text: &str) -> Name {
    Name {
        text: text.to_owned(),
        span: 0..0,
    }
}

fn expr(kind: ExprKind) -> Expr {
    Expr { kind, span: 0..0 }
}

/// `object key select what`, what being a word.
fn single(object: &str, key: Expr, what: &str) -> Query {
    let value = expr(ExprKind::Path(vec![name(what)]));
    Query {
        source: Source::Named {
            path: vec![name(object)],
            key: Some(key),
        },
        as_of: None,
        lets: Vec::new(),
        filter: None,
        group: None,
        having: None,
        select: vec![Item::Value { value, alias: None }],
        order: Vec::new(),
        limit: None,
        offset: None,
        after: None,
        unions: Vec::new(),
        span: 0..0,
    }
}

/// `add object (field = $field, ...)` and the values of its parameters.
fn addition(object: &str, fields: Fields) -> (Statement, Parameters) {
    let binding = |(field, _): &(String, Value)| syntax::Binding {
        name: name(field),
        value: expr(ExprKind::Parameter(field.clone())),
    };
    let add = syntax::Add {
        object: name(object),
        records: vec![fields.iter().map(binding).collect()],
    };
    (Statement::Add(add), fields.into_iter().collect())
}
