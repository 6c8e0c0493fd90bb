//! The conversation: lines edited, remembered and completed, until the user leaves.

use super::arguments::Arguments;
use super::complete::Helper;
use super::interpreter::{Ask, Failure, Interpreter};
use super::signals::Signals;
use super::{End, terminal};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, DefaultEditor, Editor};
use std::ops::ControlFlow;

/// Reads and runs lines until the user leaves.
pub(super) fn run(interpreter: &mut Interpreter<'_, '_>, arguments: &Arguments) -> End {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .auto_add_history(true)
        .history_ignore_space(true)
        .build();
    let mut editor = match Editor::<Helper, FileHistory>::with_config(config) {
        Ok(editor) => editor,
        Err(error) => {
            let message = format!("error: the terminal cannot be used: {error}");
            interpreter.printer.message(&message);
            return End::StatementFailed;
        }
    };
    editor.set_helper(Some(Helper::default()));
    let history = terminal::history_file();
    if let Some(file) = &history {
        // The first conversation has no history yet.
        drop(editor.load_history(file));
    }
    greet(interpreter, arguments);
    if interpreter.printer.is_terminal() {
        interpreter.confirm.ask = Some(ask(interpreter.signals.clone()));
    }
    let end = converse(interpreter, &mut editor);
    if let Some(file) = &history {
        let made = file.parent().map_or(Ok(()), std::fs::create_dir_all);
        let kept = made.is_ok() && editor.save_history(file).is_ok();
        if !kept {
            let message = format!("the history cannot be kept in {}", file.display());
            interpreter.printer.note(&message);
        }
    }
    end
}

/// Asks on the terminal; whatever is no yes is a no.
fn ask(signals: Signals) -> Ask {
    Box::new(move |question| {
        signals.wait_for_line(true);
        let answer = DefaultEditor::new().and_then(|mut editor| editor.readline(question));
        signals.wait_for_line(false);
        answer.is_ok_and(|answer| ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
    })
}

fn greet(interpreter: &mut Interpreter<'_, '_>, arguments: &Arguments) {
    let book = match (arguments.book(), arguments.demo) {
        (Some(path), _) => path.display().to_string(),
        (None, true) => "the sample book".to_owned(),
        (None, false) => "a book in memory".to_owned(),
    };
    let version = env!("CARGO_PKG_VERSION");
    let text = format!("Fieldbook {version}, {book}. `.help` helps, Ctrl-D leaves.");
    interpreter.printer.note(&text);
}

fn converse(
    interpreter: &mut Interpreter<'_, '_>,
    editor: &mut Editor<Helper, FileHistory>,
) -> End {
    loop {
        // A question may have been what waited when the signal came.
        if interpreter.signals.leave() {
            return End::Stopped;
        }
        if let (Some(helper), Ok(schema)) = (editor.helper_mut(), interpreter.session.schema()) {
            helper.schema = schema;
        }
        // After an error, and after what stood on the command line.
        if let Err(failure) = interpreter.rest() {
            interpreter.complain(&failure);
        }
        let session = &interpreter.session;
        let prompt = match (session.in_transaction(), session.last_savepoint()) {
            (false, _) => "fieldbook> ".to_owned(),
            (true, None) => "fieldbook*> ".to_owned(),
            (true, Some(savepoint)) => format!("fieldbook*{savepoint}> "),
        };
        interpreter.signals.wait_for_line(true);
        let line = editor.readline(&prompt);
        interpreter.signals.wait_for_line(false);
        if interpreter.signals.leave() {
            return End::Stopped;
        }
        interpreter.signals.reset();
        match line {
            Ok(line) => match interpreter.line(&line) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => return End::Done,
                Err(Failure::Output) => return End::PipeClosed,
                Err(failure) => interpreter.complain(&failure),
            },
            Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => {}
            Err(ReadlineError::Eof) => return End::Done,
            Err(error) => {
                interpreter.printer.message(&format!("error: {error}"));
                return End::StatementFailed;
            }
        }
    }
}
