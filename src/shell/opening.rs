//! Opening the book that the command line asks for.

use super::End;
use super::arguments::Arguments;
use super::signals::Signals;
use super::terminal::{Progress, Streams};
use crate::error::{Error, Result};
use crate::query::syntax::{self, ExprKind, Literal};
use crate::value::{Clock, FieldType, Value};
use crate::{Book, Options, Session};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long to wait while another process writes to the book.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who is told how far a sample is, and may stop it.
type Told<'a> = &'a dyn Fn(u64, u64) -> ControlFlow<()>;

/// What to say and how to end when there is no book.
pub(super) type Refusal = (String, End);

pub(super) fn open(
    arguments: &Arguments,
    streams: &mut Streams<'_>,
    progress: &Progress,
    signals: &Signals,
    interactive: bool,
) -> Result<Book, Refusal> {
    // While a person thinks, others may go on.
    let options = options(arguments)?.shared(interactive).patience(PATIENCE);
    let cannot = |error: Error| (error.report().trim_end().to_owned(), End::CannotOpen);
    let Some(path) = arguments.book() else {
        let book = options.in_memory().map_err(cannot)?;
        if arguments.demo {
            let fill = |told: Told<'_>| book.fill_sample(arguments.scale, told);
            told(arguments, streams, progress, signals, fill).map_err(cannot)?;
        } else if !arguments.quiet {
            let note = "no BOOK is given: this one is in memory and gone at the end";
            drop(writeln!(streams.messages, "{note}"));
        }
        return Ok(book);
    };
    if let Some(hint) = mistaken_statement(path) {
        return Err((hint, End::WrongUsage));
    }
    if arguments.demo && path.exists() {
        let message = format!(
            "error: `{}` exists; --save makes a new file",
            path.display()
        );
        return Err((message, End::CannotOpen));
    }
    if arguments.demo {
        let save = |told: Told<'_>| options.save_demo(path, arguments.scale, told);
        told(arguments, streams, progress, signals, save).map_err(cannot)?;
    }
    options.open(path).map_err(cannot)
}

/// Makes a sample and shows how far it is.
fn told(
    arguments: &Arguments,
    streams: &Streams<'_>,
    progress: &Progress,
    signals: &Signals,
    make: impl FnOnce(Told<'_>) -> Result<()>,
) -> Result<()> {
    let shown = streams.terminal.messages && !arguments.quiet;
    let result = make(&|done, total| {
        if shown {
            progress.tell(done, total);
        }
        match signals.received() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    progress.clear();
    result
}

fn options(arguments: &Arguments) -> Result<Options, Refusal> {
    let mut options = Book::options()
        .read_only(arguments.readonly)
        .exclusive(arguments.exclusive)
        .bare(arguments.bare);
    if let Some(threads) = arguments.threads {
        options = options.threads(threads.into());
    }
    let Some(text) = &arguments.today else {
        return Ok(options);
    };
    // A moment without an offset is in UTC: the book's zone is not known before it is open.
    let clock = Clock::system();
    let read = |ty: FieldType| ty.parse(text, &clock).ok();
    match (read(FieldType::Date), read(FieldType::DateTime)) {
        (Some(Value::Date(day)), _) => Ok(options.today(day)),
        (_, Some(Value::DateTime(moment))) => Ok(options.now(moment)),
        _ => {
            let expected = "a date such as 2026-05-15, or a moment such as 2026-05-15T09:00";
            let message = format!("error: --today `{text}`: expected {expected}");
            Err((message, End::WrongUsage))
        }
    }
}

/// A word of advice where the book's name looks like a statement and is no file.
fn mistaken_statement(path: &Path) -> Option<String> {
    let text = path.to_str()?;
    let named = text.contains('/') || path.extension().is_some_and(|e| e == "fieldbook");
    let looks = text.contains(char::is_whitespace) || text.ends_with(';');
    (looks && !named && !path.exists()).then(|| {
        format!(
            "error: `{text}` is no file and looks like a statement\n  \
             = the book comes first: fieldbook BOOK '{text}'\n  \
             = or try it on the sample book: fieldbook --demo '{text}'\n  \
             = to make a book of this name, write ./ before it"
        )
    })
}

/// Gives a session the parameters, the actor and the rest of what the command line says.
pub(super) fn prepare(
    session: &mut Session<'_>,
    arguments: &Arguments,
    progress: Option<&Arc<Progress>>,
) -> Result<()> {
    for (name, text) in &arguments.parameters {
        session.set_parameter(name, parameter(text));
    }
    session.set_atomic_imports(arguments.atomic);
    if let Some(progress) = progress {
        let progress = progress.clone();
        session.set_progress(move |done, total| progress.tell(done, total));
    }
    match &arguments.actor {
        Some(actor) => session.act_as(actor),
        None => Ok(()),
    }
}

/// A parameter's value: a number, date or other literal where the text is one, else the text.
/// Digits that begin with a zero are a code and no number.
fn parameter(text: &str) -> Value {
    let code = text.len() > 1 && text.starts_with('0') && !text.starts_with("0.");
    let literal = syntax::parse_expression(text).ok().filter(|_| !code);
    match literal.map(|expr| expr.kind) {
        Some(ExprKind::Literal(Literal::Integer(n))) => Value::Integer(n),
        Some(ExprKind::Literal(Literal::Number(n) | Literal::Percent(n))) => Value::Number(n),
        Some(ExprKind::Literal(Literal::Boolean(on))) => Value::Boolean(on),
        Some(ExprKind::Literal(Literal::Date(day))) => Value::Date(day),
        Some(ExprKind::Literal(Literal::Period(period))) => Value::Period(period),
        Some(ExprKind::Literal(Literal::Text(text))) => Value::from(text),
        Some(ExprKind::Literal(Literal::Empty)) => Value::Missing,
        _ => Value::from(text),
    }
}
