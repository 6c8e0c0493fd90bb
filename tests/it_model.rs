//! Random statements against a model: after each step the book answers as the model does, what
//! fails leaves no trace, and every earlier step can be asked for.
//!
//! `FIELDBOOK_MODEL_CASES` is the number of cases.

mod model;

use fieldbook::{Book, Code, DateTime, Durability, Outcome, ReadTransaction, Rows, Session};
use model::{
    Alter, Applied, Model, Moment, NOW, Op, SCHEMA, ask, churn, clash, day_said, define,
    moment_said, op, story,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

#[derive(Clone, Debug)]
enum Inner {
    Op(Op),
    /// A savepoint of one of some names.
    Save(u8),
    Back(u8),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Commit,
    Rollback,
    /// Rolled back when a statement fails.
    Atomic,
}

#[derive(Clone, Debug)]
enum Step {
    /// Who does it, and the minutes since the last one.
    One(Op, usize, Moment),
    Several(Vec<Inner>, End, usize, Moment),
    /// Two transactions that begin in one state, the second of which commits last.
    Two([Vec<Op>; 2], usize, Moment),
    /// Transactions one after the other, each by the first or the second of two.
    Story(Vec<(usize, Vec<Op>)>, usize, Moment),
    Reopen,
    Compact,
    /// Which of the transactions known is the first after the day.
    Prune(usize),
}

const ACTORS: [Option<&str>; 4] = [None, Some("Dee"), Some("Ben"), None];

fn step() -> impl Strategy<Value = Step> {
    let inner = || {
        prop_oneof![
            8 => op().prop_map(Inner::Op),
            1 => (0..3_u8).prop_map(Inner::Save),
            1 => (0..3_u8).prop_map(Inner::Back),
        ]
    };
    let several = prop_oneof![
        4 => vec(inner(), 1..6),
        1 => (op(), churn(), op()).prop_map(|(first, ops, last)| {
            let all = [vec![first], ops, vec![last]].concat();
            all.into_iter().map(Inner::Op).collect()
        }),
    ];
    let two = prop_oneof![2 => [vec(op(), 1..3), vec(op(), 1..3)], 3 => clash()];
    let gone = vec(prop_oneof![3 => op(), 1 => define()], 1..4);
    // What came after a savepoint is forgotten, and the rest goes on.
    let several = prop_oneof![
        3 => several,
        1 => (vec(op(), 0..2), gone, vec(op(), 0..3)).prop_map(|(first, gone, last)| {
            let ops = |ops: Vec<Op>| ops.into_iter().map(Inner::Op);
            let gone = ops(gone).chain([Inner::Back(0)]);
            let all = ops(first).chain([Inner::Save(0)]).chain(gone).chain(ops(last));
            all.collect()
        }),
    ];
    let end = prop_oneof![4 => Just(End::Commit), 2 => Just(End::Rollback), 2 => Just(End::Atomic)];
    let gap = || prop_oneof![1 => Just(0), 1 => Just(60), 3 => Just(1440), 1 => Just(3 * 1440 + 7)];
    let actor = || 0..ACTORS.len();
    prop_oneof![
        14 => (op(), actor(), gap()).prop_map(|(a, b, c)| Step::One(a, b, c)),
        5 => (several, end, actor(), gap()).prop_map(|(a, b, c, d)| Step::Several(a, b, c, d)),
        4 => (two, actor(), gap()).prop_map(|(a, b, c)| Step::Two(a, b, c)),
        3 => (story(), actor(), gap()).prop_map(|(a, b, c)| Step::Story(a, b, c)),
        1 => Just(Step::Reopen),
        1 => Just(Step::Compact),
        1 => (0..64_usize).prop_map(Step::Prune),
    ]
}

fn cells(rows: &Rows) -> Vec<Vec<String>> {
    let width = rows.columns().len();
    let texts = rows
        .iter()
        .map(|row| (0..width).map(|at| row.text(at)).collect());
    texts.collect()
}

/// The number of the last transaction.
fn sequence(book: &Book) -> u64 {
    book.write().expect("no fault").commit().expect("no fault")
}

/// A session, and all that was said in this and earlier ones.
struct Talk<'b> {
    session: Session<'b>,
    log: &'b RefCell<Vec<String>>,
}

impl Talk<'_> {
    fn say(&mut self, text: &str) -> fieldbook::Result<Vec<Outcome>> {
        self.log.borrow_mut().push(format!("{text};"));
        self.session.execute(text)
    }

    /// Runs a statement, and holds what becomes of it against what is expected.
    fn run(&mut self, applied: &Applied) {
        let Applied {
            text,
            done,
            rows,
            refused,
        } = applied;
        let told = self.say(text);
        assert_eq!(told.is_ok(), *done, "{text}: {told:?}");
        if let Ok([Outcome::Imported(report)]) = told.as_deref() {
            assert_eq!(report.refused.len(), *refused, "{text}: {report:?}");
        }
        if let (Ok(told), Some(rows)) = (told, rows) {
            match &told[..] {
                [Outcome::DryRun { changes, .. }] => assert_eq!(changes.len(), *rows, "{text}"),
                told => panic!("{text}: {told:?}"),
            }
        }
    }
}

struct Run {
    directory: tempfile::TempDir,
    /// The file of the book, which a copy takes the place of where the program crashes before it
    /// is opened again.
    file: PathBuf,
    crashes: bool,
    /// Whether it is yet being set up, and asked nothing.
    quiet: bool,
    book: Book,
    model: Model,
    /// Whether the book's clock gives the time of the transactions.
    clock: bool,
    /// A frozen state, and what was in it.
    frozen: Option<(ReadTransaction, Model)>,
    log: RefCell<Vec<String>>,
}

impl Run {
    fn new(crashes: bool) -> Self {
        let directory = tempfile::tempdir().expect("no fault");
        let file = directory.path().join("book.fieldbook");
        let book = Self::open(&file, crashes).expect("no fault");
        let mut model = Model::new();
        book.execute(&format!("begin at {}; {SCHEMA}; commit", moment_said(600)))
            .expect("no fault");
        model.commit(sequence(&book), 600);
        Self {
            directory,
            file,
            crashes,
            quiet: true,
            book,
            model,
            clock: false,
            frozen: None,
            log: RefCell::default(),
        }
    }

    fn talk(&self) -> Talk<'_> {
        let log = &self.log;
        let session = self.book.session();
        Talk { session, log }
    }

    fn open(file: &Path, crashes: bool) -> fieldbook::Result<Book> {
        let now = DateTime::from_micros((1_577_836_800 + NOW * 60) * 1_000_000);
        let durability = match crashes {
            true => Durability::Committed,
            false => Durability::Closed,
        };
        let options = Book::options().bare(true).durability(durability).now(now);
        options.open(file)
    }

    /// Asks a session, which may be in a transaction.
    fn ask_in(talk: &mut Talk<'_>, model: &Model) {
        let session = RefCell::new(&mut talk.session);
        ask::schema(model, &session.borrow().schema().expect("no fault"));
        ask::state(model, &model.state, "", |text: &str| {
            match session.borrow_mut().execute(text).as_deref() {
                Ok([Outcome::Rows(rows)]) => Ok(cells(rows)),
                Ok(told) => Err(format!("{told:?}")),
                Err(error) => Err(error.report()),
            }
        });
    }

    fn ask(&self) -> impl Fn(&str) -> Result<Vec<Vec<String>>, String> {
        |text| {
            let rows = self.book.query(text);
            rows.map(|rows| cells(&rows))
                .map_err(|error| error.report())
        }
    }

    /// When the next transaction is, and how it begins.
    fn begin(&self, gap: Moment) -> (Moment, String) {
        let at = match self.clock {
            true => NOW,
            false => self.model.past.last().expect("there is one").at + gap,
        };
        let mut text = "begin".to_owned();
        if !self.clock {
            text.push_str(&format!(" at {}", moment_said(at)));
        }
        if let Some(actor) = self.model.open.actor {
            text.push_str(&format!(" as \"{actor}\""));
        }
        (at, text)
    }

    fn step(&mut self, step: &Step) {
        let before = sequence(&self.book);
        let old = self.model.clone();
        match step {
            Step::One(op, actor, gap) => {
                self.model.open.actor = ACTORS[*actor];
                let (at, begin) = self.begin(*gap);
                let applied = self.model.apply(op, self.directory.path());
                let Some(applied) = applied else {
                    self.model = old;
                    return;
                };
                let mut talk = self.talk();
                if let Some(actor) = ACTORS[*actor] {
                    talk.session.act_as(actor).expect("no fault");
                }
                if self.clock || !applied.done || applied.rows.is_some() {
                    talk.run(&applied);
                } else {
                    talk.say(&begin).expect("no fault");
                    talk.run(&applied);
                    talk.say("commit").expect("no fault");
                }
                drop(talk);
                self.committed(before, old, at, applied.done && applied.rows.is_none());
            }
            Step::Several(inner, end, actor, gap) => {
                self.model.open.actor = ACTORS[*actor];
                let (at, begin) = self.begin(*gap);
                let mut talk = self.talk();
                talk.say(&begin).expect("no fault");
                let directory = self.directory.path().to_owned();
                let mut model = self.model.clone();
                let all = Self::several(&mut model, &mut talk, inner, *end, &directory);
                Self::ask_in(&mut talk, &model);
                let commit = all && *end != End::Rollback;
                talk.say(if commit { "commit" } else { "rollback" })
                    .expect("no fault");
                drop(talk);
                self.model = model;
                self.committed(before, old, at, commit);
            }
            Step::Two(ops, actor, gap) => {
                self.model.open.actor = ACTORS[*actor];
                let (at, begin) = self.begin(*gap);
                self.frozen = Some((self.book.read().expect("no fault"), self.model.clone()));
                self.two(ops, &begin, at);
            }
            Step::Story(parts, actor, gap) => {
                let begin = self.model.past.last().expect("there is one").at;
                for (other, ops) in parts {
                    let who = (actor + other) % ACTORS.len();
                    let step = match &ops[..] {
                        [op] => Step::One(op.clone(), who, *gap),
                        ops => {
                            let inner = ops.iter().cloned().map(Inner::Op).collect();
                            Step::Several(inner, End::Commit, who, *gap)
                        }
                    };
                    self.step(&step);
                }
                ask::as_of(&self.model, begin, 2, self.ask());
                return;
            }
            Step::Reopen => {
                self.frozen = None;
                let again = Self::open(&self.file, self.crashes);
                assert_eq!(again.expect_err("it is open").code(), Code::Locked);
                if self.crashes {
                    let copy = self.file.with_extension(format!("{before}.fieldbook"));
                    std::fs::copy(&self.file, &copy).expect("no fault");
                    self.file = copy;
                }
                let book = std::mem::replace(&mut self.book, Book::in_memory().expect("no fault"));
                book.close().expect("no fault");
                self.book = Self::open(&self.file, self.crashes).expect("no fault");
            }
            Step::Compact => drop(self.book.compact().expect("no fault")),
            Step::Prune(at) => {
                let at = self.model.past[at % self.model.past.len()].at;
                let text = format!("prune journal before {}", day_said(at));
                let day = at - at % 1440;
                if day > 0 {
                    let pruned = self.model.prune(day);
                    let told = self.talk().say(&text).expect("no fault")[0].to_string();
                    assert_eq!(
                        !told.starts_with("nothing is pruned"),
                        pruned,
                        "{text}: {told}"
                    );
                }
            }
        }
        if self.quiet {
            return;
        }
        let schema = self.book.session().schema().expect("no fault");
        ask::schema(&self.model, &schema);
        ask::state(&self.model, &self.model.state, "", self.ask());
        if let (Some((frozen, then)), true) = (&self.frozen, before.is_multiple_of(3)) {
            ask::state(then, &then.state, "", |text: &str| {
                let rows = frozen.query(text);
                rows.map(|rows| cells(&rows))
                    .map_err(|error| error.report())
            });
        }
    }

    /// The first transaction commits; the second goes with it, or is refused and leaves no trace.
    fn two(&mut self, ops: &[Vec<Op>; 2], begin: &str, at: Moment) {
        let before = sequence(&self.book);
        let (base, path) = (self.model.clone(), self.directory.path());
        let other = self.book.clone();
        let log = &self.log;
        let talk = |book| {
            let session = Book::session(book);
            let mut talk = Talk { session, log };
            talk.say(begin).expect("no fault");
            talk
        };
        let (mut first, mut second) = (talk(&self.book), talk(&other));
        let mut theirs = base.after(&base);
        let run = |model: &mut Model, talk: &mut Talk<'_>, ops: &[Op], who: &str| {
            for op in ops {
                if let Some(applied) = model.apply(op, path) {
                    log.borrow_mut().push(format!("-- {who}"));
                    talk.run(&applied);
                }
            }
        };
        run(&mut theirs, &mut first, &ops[0], "first");
        let mut mine = base.after(&theirs);
        run(&mut mine, &mut second, &ops[1], "second");
        Self::ask_in(&mut first, &theirs);
        first.say("commit").expect("no fault");
        drop(first);
        let now = sequence(&self.book);
        match now == before {
            true => theirs.open = base.open.clone(),
            false => theirs.commit(now, at),
        }
        // What is committed is not seen.
        Self::ask_in(&mut second, &mine);
        let told = second.say("commit");
        drop(second);
        let joined = theirs.join(&base, &mine);
        assert_eq!(told.is_ok(), joined.is_some(), "{told:?}");
        self.model = match (told, joined) {
            (Ok(_), Some(mut joined)) => {
                match sequence(&self.book) {
                    last if last == now => joined.open = base.open.clone(),
                    last => joined.commit(last, at),
                }
                joined
            }
            (told, _) => {
                assert!(told.is_err_and(|error| error.is_conflict()));
                assert_eq!(sequence(&self.book), now, "it left a trace");
                theirs
            }
        };
        self.model.open = model::Open::default();
    }

    /// Runs statements until one fails that may not; whether none did.
    fn several(
        model: &mut Model,
        talk: &mut Talk<'_>,
        inner: &[Inner],
        end: End,
        directory: &Path,
    ) -> bool {
        let mut saved: Vec<(u8, Model)> = Vec::new();
        for inner in inner {
            match inner {
                Inner::Op(op) => {
                    let Some(applied) = model.apply(op, directory) else {
                        continue;
                    };
                    talk.run(&applied);
                    if !applied.done && end == End::Atomic {
                        return false;
                    }
                }
                Inner::Save(name) => {
                    talk.say(&format!("savepoint s{name}")).expect("no fault");
                    saved.push((*name, model.clone()));
                }
                Inner::Back(name) => {
                    let told = talk.say(&format!("rollback to s{name}"));
                    let at = saved.iter().rposition(|(known, _)| known == name);
                    assert_eq!(told.is_ok(), at.is_some(), "rollback to s{name}");
                    if let Some(at) = at {
                        saved.truncate(at + 1);
                        *model = saved[at].1.clone();
                    }
                }
            }
        }
        true
    }

    /// After a transaction that changed something, or left no trace.
    fn committed(&mut self, before: u64, old: Model, at: Moment, done: bool) {
        let now = sequence(&self.book);
        if !done {
            self.model = old;
            assert_eq!(now, before, "it left a trace");
        } else if now != before {
            self.model.commit(now, at);
        } else {
            assert_eq!(self.model.state, old.state, "it is not in the journal");
            self.model.open = old.open;
        }
    }

    /// The past, where some of it is asked for.
    fn assert_past(&self, [then, object, field]: [Index; 3]) {
        let model = &self.model;
        let report = self.book.check().expect("no fault");
        assert!(report.faults.is_empty(), "{:?}", report.faults);
        ask::revisions(model, self.ask());
        let at = model.past[then.index(model.past.len())].at;
        ask::as_of(model, at, field.index(64), self.ask());
        let objects: Vec<_> = model.live().collect();
        let object = objects[object.index(objects.len())];
        let fields = &model.object(object).fields;
        // Those that were added are the last ones, and asked for more often.
        let nth = field.index(fields.len() + 3).min(fields.len() - 1);
        ask::history(model, object, &fields[nth], at, self.ask());
        let mut keys = model.state.of(object).keys();
        if let Some(key) = keys.nth(field.index(model.state.of(object).len().max(1))) {
            ask::life(model, object, *key, self.ask());
        }
    }
}

fn cases() -> u32 {
    let asked = std::env::var("FIELDBOOK_MODEL_CASES").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(6)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(),
        max_shrink_time: 60_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_book_is_as_the_model(
        steps in vec((step(), any::<[Index; 3]>()), 1..50),
        clock in any::<Index>(),
        crashes in prop::bool::weighted(0.3),
    ) {
        let mut run = Run::new(crashes);
        let clock = clock.index(2 * steps.len());
        let whole = AssertUnwindSafe(|| {
            for n in 0..4 {
                run.step(&Step::One(Op::AddFirm(Some(3), Some(n)), 0, 0));
                run.step(&Step::One(Op::AddPerson(Some(n as u8), Some(n), Some(n)), n, 60));
            }
            run.step(&Step::One(Op::AddOrders(3, Some(1), 4), 1, 1440));
            run.step(&Step::One(Op::CreateVisits, 0, 60));
            for n in 1..4 {
                run.step(&Step::One(Op::AddVisit(Some(n), n), n, 0));
            }
            for (object, n) in [(0, 0), (1, 1), (2, 2), (3, 3)] {
                run.step(&Step::One(Op::Alter(object, Alter::AddField(2)), 0, 60));
                run.step(&Step::One(Op::Alter(object, Alter::AddField(4)), 0, 0));
                run.step(&Step::One(Op::SetFields(object, 0, Some(n)), 1, 60));
                run.step(&Step::One(Op::SetField(object, 0, 1, Some(4)), 2, 60));
                run.step(&Step::One(Op::SetField(object, 1, n, Some(n)), 2, 60));
            }
            run.step(&Step::One(Op::Alter(0, Alter::AddField(14)), 0, 0));
            run.step(&Step::One(Op::Alter(2, Alter::AddField(13)), 0, 0));
            run.step(&Step::One(Op::Alter(1, Alter::AddJoint(2, 3, false)), 0, 60));
            run.quiet = false;
            for (at, (step, then)) in steps.iter().enumerate() {
                run.clock |= at == clock;
                run.step(step);
                run.assert_past(*then);
            }
        });
        if let Err(fault) = catch_unwind(whole) {
            let said = fault.downcast_ref::<String>().cloned();
            let said = said.or_else(|| fault.downcast_ref::<&str>().map(|text| text.to_string()));
            let script = run.log.borrow().join("\n");
            return Err(TestCaseError::fail(format!("{}\nafter\n{script}", said.unwrap_or_default())));
        }
    }
}
