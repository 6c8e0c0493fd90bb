//! Golden scripts: every file under `tests/scripts` is run, its answers compared with those in it.
//!
//! A script is a list of commands (see [`Command`]) and statements behind `>`, each block
//! followed by `---` and the answer. `UPDATE_GOLDENFILES=1 cargo test --test golden` writes the
//! answers anew: review them, they are the specification. `GOLDEN=part/of/a/path` runs some only.
//!
//! It is 2026-05-15T09:00 in Phoenix (16:00 UTC) until a script says otherwise.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fieldbook::{Book, Date, Options, Outcome, Session, shell};
use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

/// The moment that is now, in microseconds.
const NOW: i64 = 1_778_860_800_000_000;
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

type Answer = Result<String, String>;
type Job = Box<dyn FnOnce(&Book, &mut Session<'_>) -> Answer + Send>;

/// A book and its session in a thread of their own, since one borrows the other.
struct Worker {
    jobs: Sender<Job>,
    answers: Receiver<Answer>,
    thread: JoinHandle<()>,
}

impl Worker {
    fn start(path: &Path, options: Options) -> Result<Self, String> {
        let (jobs, inbox) = channel::<Job>();
        let (outbox, answers) = channel::<Answer>();
        let path = path.to_owned();
        let thread = thread::spawn(move || {
            let book = match options.open(&path) {
                Ok(book) => book,
                Err(error) => return outbox.send(Err(error.report())).unwrap(),
            };
            outbox.send(Ok(String::new())).unwrap();
            let mut session = book.session();
            for job in inbox {
                outbox.send(job(&book, &mut session)).unwrap();
            }
            drop(session);
            book.close().unwrap();
        });
        answers.recv().map_err(|e| e.to_string())??;
        Ok(Self {
            jobs,
            answers,
            thread,
        })
    }

    fn ask(&self, job: impl FnOnce(&Book, &mut Session<'_>) -> Answer + Send + 'static) -> Answer {
        self.jobs.send(Box::new(job)).map_err(|e| e.to_string())?;
        self.answers.recv().map_err(|e| e.to_string())?
    }

    fn stop(self) {
        drop(self.jobs);
        self.thread.join().unwrap();
    }
}

/// Runs the commands of one script.
struct Runner {
    directory: tempfile::TempDir,
    options: Options,
    worker: Option<Worker>,
}

impl Runner {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            options: Book::options().now(fieldbook::DateTime::from_micros(NOW)),
            worker: None,
        }
    }

    fn ask(&self, job: impl FnOnce(&Book, &mut Session<'_>) -> Answer + Send + 'static) -> Answer {
        let none = "no book is open: `book crm` opens one";
        self.worker.as_ref().ok_or(none)?.ask(job)
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("book.fieldbook")
    }

    /// Closes the book and opens it again.
    fn reopen(&mut self) -> Result<(), String> {
        if let Some(worker) = self.worker.take() {
            worker.stop();
        }
        let worker = Worker::start(&self.path(), self.options.clone())?;
        let directory = self.directory.path().to_owned();
        worker.ask(move |_, session| {
            session.set_directory(directory);
            Ok(String::new())
        })?;
        self.worker = Some(worker);
        Ok(())
    }

    /// `book crm`, `book bare`, `book demo SCALE`, `book f0`, `book maven`
    fn book(&mut self, arguments: &[&str]) -> Result<(), String> {
        let options = self.options.clone();
        match arguments {
            ["crm"] => {}
            ["bare"] => {
                self.options = options.clone().bare(true);
                self.reopen()?;
            }
            ["demo", scale] => {
                let path = self.path();
                let path = path.to_str().ok_or("the path is no text")?;
                let save = [
                    "fieldbook",
                    "--demo",
                    "--save",
                    path,
                    "--scale",
                    scale,
                    "--quiet",
                ];
                let day = ["--today", "2026-05-15", "stages limit 0"];
                let (mut output, mut messages) = (Vec::new(), Vec::new());
                let mut input = &b""[..];
                let mut streams = shell::Streams::new(&mut input, &mut output, &mut messages);
                if shell::run(save.into_iter().chain(day), &mut streams) != 0 {
                    return Err(String::from_utf8_lossy(&messages).into_owned());
                }
            }
            ["f0"] => self.load(&Path::new(ROOT).join("tests/fixtures/f0.fb"))?,
            ["maven"] => self.load(&Path::new(ROOT).join("examples/maven-crm/load.fb"))?,
            _ => return Err("book crm, bare, demo SCALE, f0 or maven".to_owned()),
        }
        self.options = options;
        self.reopen()
    }

    /// Runs a script on a new book, with its own folder as the directory of its files.
    fn load(&mut self, script: &Path) -> Result<(), String> {
        self.reopen()?;
        let text = std::fs::read_to_string(script).map_err(|e| e.to_string())?;
        let folder = script.parent().ok_or("a script has a folder")?.to_owned();
        self.ask(move |_, session| {
            session.set_directory(folder);
            for outcome in session.execute(&text).map_err(|e| e.report())? {
                if let Outcome::Imported(report) = outcome
                    && !report.refused.is_empty()
                {
                    return Err(report.to_string());
                }
            }
            Ok(String::new())
        })?;
        Ok(())
    }
}

#[derive(goldenscript::Command)]
enum Command {
    /// `book KIND`: a new book, see [`Runner::book`].
    Book(Vec<String>),
    /// `today 2026-07-01`: another day, at noon in the book's zone; closes and opens the book.
    Today(String),
    /// Closes the book and opens it again.
    Reopen,
    /// `actor NAME`: who is asking.
    Actor(String),
    /// `param name=value ...`: parameters of the statements to come.
    Param(Vec<(String, String)>),
    /// `file NAME TEXT`: writes a file that statements can import.
    File(String, String),
    /// `bytes NAME TEXT`: writes a file of bytes, the characters U+0000 to U+00FF.
    Bytes(String, String),
    /// `show NAME`: prints a file, a carriage return as `\r`.
    Show(String),
    /// `describe NAME`: prints the statements that make an object or view.
    Describe(String),
    /// Compares what the book stores in several ways.
    Check,
    /// `> STATEMENT`: runs it and prints what it says, an error too; a tag such as `[csv]` names
    /// the format of its rows.
    #[command(other)]
    Statement(goldenscript::Command),
}

impl goldenscript::Runner for Runner {
    type Command = Command;

    fn run(
        &mut self,
        command: &Command,
        context: &goldenscript::Context,
    ) -> Result<String, Box<dyn Error>> {
        match command {
            Command::Book(kind) => {
                let words: Vec<&str> = kind.iter().map(String::as_str).collect();
                self.book(&words)?;
            }
            Command::Today(day) => {
                self.options = self.options.clone().today(date(day).ok_or("no such day")?);
                self.reopen()?;
            }
            Command::Reopen => self.reopen()?,
            Command::File(name, text) => std::fs::write(self.directory.path().join(name), text)?,
            Command::Bytes(name, text) => {
                let bytes = text.chars().map(|c| u8::try_from(u32::from(c)));
                let bytes = bytes.collect::<Result<Vec<_>, _>>()?;
                std::fs::write(self.directory.path().join(name), bytes)?;
            }
            Command::Show(name) => {
                let text = std::fs::read_to_string(self.directory.path().join(name))?;
                return Ok(text.replace('\r', "\\r"));
            }
            Command::Actor(name) => {
                let name = name.clone();
                self.ask(move |_, session| {
                    session.act_as(&name).map_err(|error| error.report())?;
                    Ok(String::new())
                })?;
            }
            Command::Param(values) => {
                let values = values.clone();
                self.ask(move |_, session| {
                    for (name, value) in values {
                        session.set_parameter(name, fieldbook::Value::text(value));
                    }
                    Ok(String::new())
                })?;
            }
            Command::Describe(name) => {
                let name = name.clone();
                return Ok(self.ask(move |_, session| {
                    let schema = session.schema().map_err(|error| error.report())?;
                    if let Some(view) = schema.view(&name) {
                        return Ok(view.definition.clone());
                    }
                    let object = schema.object(&name).map_err(|error| error.report())?;
                    Ok(object.definition.clone())
                })?);
            }
            Command::Check => return Ok(self.ask(|book, _| check(book))?),
            Command::Statement(words) if !words.args.is_empty() => {
                return Err(format!("no such command: {words}; statements stand behind >").into());
            }
            Command::Statement(statement) => {
                let text = statement.name.clone();
                let format = context.tags.iter().next().cloned();
                let format = format.unwrap_or_else(|| "table".to_owned());
                let answer = self.ask(move |_, session| Ok(execute(session, &text, &format)))?;
                // The folder has another name in each run.
                let folder = format!("{}/", self.directory.path().display());
                return Ok(answer.replace(&folder, ""));
            }
        }
        Ok(String::new())
    }
}

fn date(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let year = parts.next()?.parse().ok()?;
    let month = parts.next()?.parse().ok()?;
    Date::from_ymd(year, month, parts.next()?.parse().ok()?)
}

/// Runs statements and prints what each did, up to the first that fails, with its error.
fn execute(session: &mut Session<'_>, text: &str, format: &str) -> String {
    let mut out = Vec::new();
    match session.execute(text) {
        Err(error) => out.extend(error.report().into_bytes()),
        Ok(outcomes) => {
            for outcome in outcomes {
                match outcome {
                    Outcome::Rows(rows) => {
                        // So that the next statement can go on `after $cursor`.
                        if let Some(cursor) = rows.cursor() {
                            session.set_parameter("cursor", cursor);
                        }
                        shell::print(&rows, format, &mut out)
                    }
                    Outcome::DryRun { ref changes, .. } => shell::print(changes, format, &mut out)
                        .and_then(|()| writeln!(out, "{outcome}")),
                    Outcome::Plan(plan) => write!(out, "{}", without_times(&plan)),
                    other => writeln!(out, "{other}"),
                }
                .unwrap();
            }
        }
    }
    String::from_utf8(out).unwrap()
}

/// A plan with `? ms` in place of what each step took.
fn without_times(plan: &str) -> String {
    let mut text = String::new();
    for line in plan.lines() {
        let mut words: Vec<&str> = line.split(' ').collect();
        for at in 1..words.len() {
            if words[at].trim_end_matches(';') == "ms" {
                words[at - 1] = "?";
            }
        }
        text.push_str(&words.join(" "));
        text.push('\n');
    }
    text
}

fn check(book: &Book) -> Answer {
    let report = book.check().map_err(|error| error.report())?;
    match report.faults.is_empty() {
        true => Ok("no faults".to_owned()),
        false => Err(report.faults.join("\n")),
    }
}

/// The scripts in a folder and below.
fn scripts(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(scripts(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn every_script_gives_its_answers() {
    let mut waiting = scripts(&Path::new(ROOT).join("tests/scripts"));
    if let Ok(part) = std::env::var("GOLDEN") {
        waiting.retain(|path| path.to_string_lossy().contains(&part));
    }
    assert!(!waiting.is_empty(), "there is no script to run");
    let waiting = Mutex::new(waiting);
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let Some(path) = waiting.lock().unwrap().pop() else {
                        break;
                    };
                    let run = || goldenscript::run(&mut Runner::new(), &path).unwrap();
                    if std::panic::catch_unwind(run).is_err() {
                        failed.lock().unwrap().push(path.clone());
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "these scripts failed: {failed:#?}");
}
