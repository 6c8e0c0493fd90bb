//! Statements that are given at the start: on the command line, in files, on standard input.

use super::End;
use super::arguments::Arguments;
use super::commands;
use super::interpreter::{Failure, Interpreter};
use super::opening::Refusal;
use super::terminal::Streams;
use crate::error::{Code, Error};
use crate::query::syntax::is_between;
use std::io;
use std::path::{Path, PathBuf};

/// A script to run, and where its relative paths start.
pub(super) struct Source {
    text: String,
    directory: PathBuf,
}

/// Reads everything there is to run. This comes before the book is opened, so that waiting for
/// input holds no file.
pub(super) fn gather(
    arguments: &Arguments,
    interactive: bool,
    streams: &mut Streams<'_>,
) -> Result<Vec<Source>, Refusal> {
    let mut sources = Vec::new();
    for path in &arguments.files {
        sources.push(Source::read(path).map_err(|error| {
            let end = match error.code() {
                Code::BadLiteral => End::StatementFailed,
                _ => End::WrongUsage,
            };
            (error.report().trim_end().to_owned(), end)
        })?);
    }
    sources.extend(arguments.statements().map(|text| Source {
        text: text.to_owned(),
        directory: PathBuf::new(),
    }));
    if arguments.is_conversation() && !interactive {
        let mut bytes = Vec::new();
        let read = io::Read::read_to_end(streams.input, &mut bytes);
        let text = read
            .map_err(|e| unreadable("standard input", e))
            .and_then(|_| decode(bytes, "standard input"));
        let text = text.map_err(|e| (e.report().trim_end().to_owned(), End::StatementFailed))?;
        sources.push(Source {
            text,
            directory: PathBuf::new(),
        });
    }
    if interactive && arguments.atomic {
        let message = "error: --atomic needs statements; in a conversation, say `begin`";
        return Err((message.to_owned(), End::WrongUsage));
    }
    Ok(sources)
}

impl Source {
    /// Reads a script file; its directory is where its relative paths start.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let name = format!("`{}`", path.display());
        let bytes = std::fs::read(path).map_err(|e| unreadable(&name, e))?;
        Ok(Self {
            text: decode(bytes, &name)?,
            directory: path.parent().map(Path::to_path_buf).unwrap_or_default(),
        })
    }

    pub(super) fn run(&self, interpreter: &mut Interpreter<'_, '_>) -> Result<(), Failure> {
        let before = interpreter.session.set_directory(&self.directory);
        let result = self.run_parts(interpreter);
        interpreter.session.set_directory(before);
        result
    }

    /// Runs the dot-commands, each a line of its own where no statement has begun, and what is
    /// between them, at the lines it has in the whole.
    fn run_parts(&self, interpreter: &mut Interpreter<'_, '_>) -> Result<(), Failure> {
        let (mut part, mut lines) = (String::new(), 0);
        for line in self.text.split_inclusive('\n') {
            let command = line.strip_prefix('.').filter(|name| {
                name.starts_with(|c: char| c.is_ascii_alphabetic()) && is_between(&part)
            });
            match command {
                None => part.push_str(line),
                Some(command) => {
                    interpreter.script(&part)?;
                    if commands::run(interpreter, command)?.is_break() {
                        return Ok(());
                    }
                    part = "\n".repeat(lines + 1);
                }
            }
            lines += 1;
        }
        interpreter.script(&part)
    }
}

/// Runs the scripts in order up to the first failure; atomic ones all in one transaction.
pub(super) fn run(
    interpreter: &mut Interpreter<'_, '_>,
    sources: &[Source],
    atomic: bool,
) -> Result<(), Failure> {
    if atomic {
        interpreter.session.begin()?;
        interpreter
            .session
            .hold("`--atomic` makes all statements one transaction");
    }
    for source in sources {
        source.run(interpreter)?;
    }
    if atomic {
        interpreter.session.commit()?;
    } else if interpreter.session.in_transaction() && !sources.is_empty() {
        interpreter.session.rollback()?;
        let message = "the script ends inside a transaction, which is rolled back";
        return Err(Error::new(Code::TransactionState, message)
            .hint("end it with `commit`")
            .into());
    }
    Ok(())
}

fn unreadable(name: &str, error: io::Error) -> Error {
    let code = match error.kind() {
        io::ErrorKind::NotFound => Code::NoSuchFile,
        _ => Code::Io,
    };
    Error::new(code, format!("{name} cannot be read: {error}")).caused_by(error)
}

fn decode(bytes: Vec<u8>, name: &str) -> Result<String, Error> {
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Error::new(
            Code::BadLiteral,
            format!("{name} is no UTF-8 text at byte {at}"),
        )
    })
}
