//! The shell: arguments, batch, line editing, output formats, progress.
//!
//! The only part that prints and reads the environment; everything it does with a book it does
//! through a [`Session`](crate::Session).

mod arguments;
mod batch;
mod commands;
mod complete;
mod format;
mod help;
mod interpreter;
mod opening;
mod printer;
mod repl;
mod signals;
mod terminal;

pub use terminal::Streams;

use crate::Rows;
use arguments::Arguments;
use clap::Parser as _;
use interpreter::{Confirm, Failure, Interpreter};
use printer::Printer;
use signals::Signals;
use std::ffi::OsString;
use std::io::{self, BufReader, Write};
use std::sync::Arc;
use terminal::Progress;

/// How the program ends: its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Done = 0,
    StatementFailed = 1,
    WrongUsage = 2,
    CannotOpen = 3,
    /// Stopped by Ctrl-C or a termination signal, as shells tell it.
    Stopped = 130,
    /// Nobody reads the output any more, as shells tell it.
    PipeClosed = 141,
}

/// Runs the program on the process's own arguments and streams; gives its exit code.
#[must_use]
pub fn main() -> u8 {
    let mut input = BufReader::new(io::stdin());
    let mut output = io::BufWriter::new(io::stdout());
    let mut messages = io::stderr();
    let mut streams = Streams {
        input: &mut input,
        output: &mut output,
        messages: &mut messages,
        terminal: terminal::Terminal::of_process(),
    };
    run(std::env::args_os(), &mut streams)
}

/// Runs the program: `arguments` begin with its name. Gives the exit code: 0 done, 1 a
/// statement failed, 2 wrong usage, 3 the book cannot be opened, 130 stopped by a signal, 141
/// the output was closed.
///
/// ```
/// use fieldbook::shell::{Streams, run};
///
/// let (mut output, mut messages) = (Vec::new(), Vec::new());
/// let mut input = &b""[..];
/// let mut streams = Streams::new(&mut input, &mut output, &mut messages);
/// let statement = "stages select 2 + 3 as sum limit 1";
/// let code = run(["fieldbook", "--demo", "--format", "csv", statement], &mut streams);
/// assert_eq!((code, output.as_slice()), (0, &b"sum\n5\n"[..]));
/// ```
#[must_use]
pub fn run<A: Into<OsString> + Clone>(
    arguments: impl IntoIterator<Item = A>,
    streams: &mut Streams<'_>,
) -> u8 {
    let end = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => serve(&arguments, streams),
        Err(error) => say_usage(&error, streams),
    };
    let flushed = streams.output.flush();
    let end = match (end, flushed) {
        (End::Done, Err(_)) => End::PipeClosed,
        (end, _) => end,
    };
    end as u8
}

/// Prints rows in one of the formats of `--format`, for example `table` or `csv`.
///
/// ```
/// let book = fieldbook::Book::in_memory()?;
/// let rows = book.query("stages select 2 + 3 as sum limit 1")?;
/// let mut out = Vec::new();
/// fieldbook::shell::print(&rows, "csv", &mut out)?;
/// assert_eq!(out, b"sum\n5\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// `InvalidInput` if there is no such format, and whatever `out` refuses.
pub fn print(rows: &Rows, format: &str, out: &mut dyn Write) -> io::Result<()> {
    let unknown = || {
        let names: Vec<_> = format::names().collect();
        let message = format!("there is no format `{format}`: one of {}", names.join(", "));
        io::Error::new(io::ErrorKind::InvalidInput, message)
    };
    (format::find(format).ok_or_else(unknown)?.write)(rows, out, None)
}

/// Prints what clap has to say: help and version are answers, the rest wrong usage.
fn say_usage(error: &clap::Error, streams: &mut Streams<'_>) -> End {
    let asked = !error.use_stderr();
    let text = error.render();
    let written = match (asked, streams.terminal.output) {
        (true, true) => write!(streams.output, "{}", text.ansi()),
        (true, false) => write!(streams.output, "{text}"),
        (false, _) if streams.terminal.messages => write!(streams.messages, "{}", text.ansi()),
        (false, _) => write!(streams.messages, "{text}"),
    };
    match (asked, written) {
        (true, Ok(())) => End::Done,
        (true, Err(_)) => End::PipeClosed,
        (false, _) => End::WrongUsage,
    }
}

fn serve(arguments: &Arguments, streams: &mut Streams<'_>) -> End {
    let interactive = arguments.is_conversation() && streams.terminal.input;
    let sources = match batch::gather(arguments, interactive, streams) {
        Ok(sources) => sources,
        Err((message, end)) => return complain(streams, &message, end),
    };
    let signals = match streams.terminal.process {
        true => Signals::listen(),
        false => Signals::default(),
    };
    let progress = Arc::new(Progress::default());
    let book = match opening::open(arguments, streams, &progress, &signals, interactive) {
        Ok(book) => book,
        Err(_) if signals.received() => return End::Stopped,
        Err((message, end)) => return complain(streams, &message, end),
    };
    let mut session = book.session();
    signals.stops(session.interrupt());
    let shown = streams.terminal.messages && !arguments.quiet;
    let bar = shown.then_some(&progress);
    if let Err(error) = opening::prepare(&mut session, arguments, bar) {
        return complain(streams, error.report().trim_end(), End::StatementFailed);
    }
    let mut interpreter = Interpreter {
        session,
        printer: Printer::new(arguments, streams, progress),
        signals,
        more: None,
        cursor: None,
        confirm: Confirm::default(),
    };
    let end = match batch::run(&mut interpreter, &sources, arguments.atomic) {
        Ok(()) if interactive => repl::run(&mut interpreter, arguments),
        Ok(()) => End::Done,
        Err(Failure::Output) => End::PipeClosed,
        Err(_) if interpreter.signals.received() => End::Stopped,
        Err(failure) => {
            interpreter.complain(&failure);
            End::StatementFailed
        }
    };
    // What was told while it was open is not so.
    if interpreter.session.rollback().is_ok() {
        let message = "the open transaction is rolled back: nothing of it is kept";
        interpreter.printer.message(message);
    }
    drop(interpreter);
    match book.close() {
        Err(error) if end == End::Done => {
            complain(streams, error.report().trim_end(), End::StatementFailed)
        }
        _ => end,
    }
}

/// Says what is wrong; where nobody listens to messages there is nobody left to tell.
fn complain(streams: &mut Streams<'_>, message: &str, end: End) -> End {
    drop(writeln!(streams.messages, "{}", printer::legible(message)));
    end
}
