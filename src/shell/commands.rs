//! Dot-commands: one table, from which `.help` is made too.

use super::batch::Source;
use super::format::{self, Grid};
use super::help;
use super::interpreter::{Failure, Interpreter};
use crate::error::nearest;
use std::ops::ControlFlow;
use std::path::Path;

/// Whether the conversation goes on.
type Flow = Result<ControlFlow<()>, Failure>;

/// A command of the shell, said with a dot before it.
pub(super) struct Command {
    pub(super) name: &'static str,
    arguments: &'static str,
    help: &'static str,
    run: fn(&mut Interpreter<'_, '_>, &str) -> Flow,
}

macro_rules! commands {
    ($($name:ident $arguments:literal $help:literal;)*) => {
        /// Every command.
        pub(super) const COMMANDS: &[Command] = &[$(Command {
            name: stringify!($name),
            arguments: $arguments,
            help: $help,
            run: $name,
        },)*];
    };
}

commands! {
    backup "FILE" "copy the book into a new file";
    check "" "compare records, columns, indexes and journal with each other";
    compact "" "write the book's file anew without gaps";
    confirm "[N|off]" "ask before more than N records (100) change, and before a drop loses any";
    cursor "" "where the last query's limit cut off, for `after`; empty at the end of the rows";
    describe "NAME" "the fields of an object, the columns of a view";
    format "[FORMAT]" "how rows are printed: table csv json jsonl markdown line";
    help "[WORD]" "these commands, or what the language says of a word";
    more "" "the rows after those that the last query's limit cut off";
    objects "" "the objects and how many records they have";
    quit "" "leave, as Ctrl-D does";
    read "FILE" "run a script";
    schema "[NAME]" "the statements that make an object or view, or all of them";
    size "" "what each part of the book's file takes";
    timing "[on|off]" "tell how long each statement takes";
    views "" "the views";
}

const GO_ON: Flow = Ok(ControlFlow::Continue(()));

/// Runs a command, given without its dot.
pub(super) fn run(interpreter: &mut Interpreter<'_, '_>, text: &str) -> Flow {
    let text = text.trim().trim_end_matches(';').trim_end();
    let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        let mut message = format!("there is no command `.{name}`");
        let name = if name == "tables" { "objects" } else { name };
        match nearest(name, COMMANDS.iter().map(|command| command.name)) {
            Some(near) => message.push_str(&format!("\n  = did you mean `.{near}`?")),
            None => message.push_str("\n  = `.help` lists them"),
        }
        return Err(Failure::Command(message));
    };
    let takes = command.arguments;
    let wanted = !takes.is_empty() && !takes.starts_with('[');
    if (rest.is_empty() && wanted) || (!rest.is_empty() && takes.is_empty()) {
        let usage = format!("usage: .{name} {takes}");
        return Err(Failure::Command(usage.trim_end().to_owned()));
    }
    (command.run)(interpreter, rest)
}

fn grid(headings: &[&str], lines: Vec<Vec<String>>) -> Grid {
    Grid {
        headings: headings
            .iter()
            .map(|name| ((*name).to_owned(), ["records", "bytes"].contains(name)))
            .collect(),
        lines,
    }
}

fn backup(interpreter: &mut Interpreter<'_, '_>, file: &str) -> Flow {
    interpreter.session.book().backup(Path::new(file))?;
    interpreter.printer.note(&format!("copied to {file}"));
    GO_ON
}

fn check(interpreter: &mut Interpreter<'_, '_>, _: &str) -> Flow {
    let report = interpreter.session.book().check()?;
    for fault in &report.faults {
        interpreter.printer.result(fault)?;
    }
    let verdict = match report.faults.len() {
        0 => "all is well".to_owned(),
        count => format!("{count} faults"),
    };
    interpreter.printer.result(&format!(
        "{} records, {} chunks, {} index entries, {} journal entries: {verdict}",
        report.records, report.chunks, report.index_entries, report.journal_entries
    ))?;
    GO_ON
}

fn compact(interpreter: &mut Interpreter<'_, '_>, _: &str) -> Flow {
    let (before, after) = interpreter.session.book().compact()?;
    let line = format!("{before} bytes before, {after} after");
    interpreter.printer.result(&line)?;
    GO_ON
}

fn confirm(interpreter: &mut Interpreter<'_, '_>, above: &str) -> Flow {
    let confirm = &mut interpreter.confirm;
    confirm.above = match (above, above.parse()) {
        ("", _) => confirm.above,
        ("off", _) => None,
        (_, Ok(above)) => Some(above),
        _ => return Err(Failure::Command("usage: .confirm [N|off]".to_owned())),
    };
    let now = match confirm.above {
        Some(above) => format!("asked before more than {above} records change"),
        None => "never asked".to_owned(),
    };
    interpreter.printer.note(&now);
    GO_ON
}

fn size(interpreter: &mut Interpreter<'_, '_>, _: &str) -> Flow {
    let sizes = interpreter.session.book().sizes()?;
    let line = |(part, bytes): (&str, u64)| vec![part.to_owned(), bytes.to_string()];
    let all = ("all", sizes.total());
    let lines = sizes.parts().into_iter().chain([all]).map(line).collect();
    interpreter.printer.grid(&grid(&["part", "bytes"], lines))?;
    tell_beginning(interpreter)
}

/// Tells since when the past can be asked, if that is not always.
fn tell_beginning(interpreter: &mut Interpreter<'_, '_>) -> Flow {
    if let Some(begins) = interpreter.session.journal_begins()? {
        interpreter.printer.note(&begins);
    }
    GO_ON
}

fn cursor(interpreter: &mut Interpreter<'_, '_>, _: &str) -> Flow {
    // The empty line tells a script that there are no more rows.
    let cursor = interpreter.cursor.as_deref().unwrap_or_default();
    interpreter.printer.result(cursor)?;
    GO_ON
}

fn describe(interpreter: &mut Interpreter<'_, '_>, name: &str) -> Flow {
    let schema = interpreter.session.schema()?;
    let name = &*unquoted(name);
    if let Some(view) = schema.view(name) {
        let columns = view.columns.iter();
        let lines = columns.map(|(name, ty)| vec![name.clone(), (*ty).to_owned()]);
        let lines = lines.collect();
        let printer = &mut interpreter.printer;
        printer.grid(&grid(&["column", "type"], lines))?;
        for parameter in &view.parameters {
            printer.note(&format!("parameter ${parameter}"));
        }
        printer.note(&view.text);
        return GO_ON;
    }
    let object = schema.object(name)?;
    let fields = object.fields.iter();
    let mut lines: Vec<_> = fields
        .map(|f| vec![f.name.clone(), f.type_text.clone(), f.options.clone()])
        .collect();
    lines.extend(object.collections.iter().map(|(name, of)| {
        let what = format!("collection of {of}");
        vec![name.clone(), what, String::new()]
    }));
    interpreter
        .printer
        .grid(&grid(&["field", "type", "options"], lines))?;
    if let Some(field) = &object.ordered_by {
        interpreter.printer.note(&format!("ordered by {field}"));
    }
    for (fields, unique) in &object.indexes {
        let unique = if *unique { ", unique" } else { "" };
        let fields = fields.join(", ");
        interpreter
            .printer
            .note(&format!("index on ({fields}){unique}"));
    }
    for check in &object.checks {
        interpreter.printer.note(&format!("check ({check})"));
    }
    tell_beginning(interpreter)
}

fn format(interpreter: &mut Interpreter<'_, '_>, name: &str) -> Flow {
    if name.is_empty() {
        let name = interpreter.printer.format.name;
        interpreter.printer.result(name)?;
        return GO_ON;
    }
    match format::find(name) {
        Some(format) => interpreter.printer.format = format,
        None => {
            let names: Vec<_> = format::names().collect();
            let message = format!("there is no format `{name}`\n  = {}", names.join(", "));
            return Err(Failure::Command(message));
        }
    }
    GO_ON
}

fn help(interpreter: &mut Interpreter<'_, '_>, word: &str) -> Flow {
    let mut text = String::new();
    if word.is_empty() {
        for command in COMMANDS {
            let usage = format!(".{} {}", command.name, command.arguments);
            text.push_str(&format!("{usage:<20}{}\n", command.help));
        }
        text.push_str("\n.help WORD tells of a word of the language:\n");
        for part in help::entries().chunk_by(|a, b| a.part == b.part) {
            let words: Vec<_> = part
                .iter()
                .flat_map(|entry| &entry.words)
                .copied()
                .collect();
            text.push_str(&format!("\n{}:\n{}", part[0].part, help::fill(&words)));
        }
        text.push_str("\nA statement ends at `;`, or at Enter when it is complete.");
    } else if let Some(entry) = help::find(word) {
        text.push_str(entry.text().trim_end());
    } else if let Some(command) = COMMANDS
        .iter()
        .find(|command| command.name == word.trim_start_matches('.'))
    {
        let (name, takes, help) = (command.name, command.arguments, command.help);
        text.push_str(&format!(".{name} {takes}\n{help}"));
    } else {
        let entries = help::entries();
        let words = entries.iter().flat_map(|entry| &entry.words).copied();
        let words = words.chain(COMMANDS.iter().map(|command| command.name));
        let mut message = format!("there is no help on `{word}`");
        if let Some(near) = nearest(word, words) {
            message.push_str(&format!("\n  = did you mean `{near}`?"));
        }
        return Err(Failure::Command(message));
    }
    interpreter.printer.result(&text)?;
    GO_ON
}

fn more(interpreter: &mut Interpreter<'_, '_>, _: &str) -> Flow {
    let Some(step) = interpreter.more.clone() else {
        let message = "there are no more rows\n  = `.more` goes on with a query whose `limit` cut \
                       it off, without totals, `per` and `offset`";
        return Err(Failure::Command(message.to_owned()));
    };
    interpreter.step(&step)?;
    GO_ON
}

fn objects(interpreter: &mut Interpreter<'_, '_>, _: &str) -> Flow {
    let schema = interpreter.session.schema()?;
    let lines = schema.objects.iter();
    let lines = lines
        .map(|object| vec![object.name.clone(), object.records.to_string()])
        .collect();
    interpreter
        .printer
        .grid(&grid(&["object", "records"], lines))?;
    tell_beginning(interpreter)
}

fn quit(_: &mut Interpreter<'_, '_>, _: &str) -> Flow {
    Ok(ControlFlow::Break(()))
}

fn read(interpreter: &mut Interpreter<'_, '_>, file: &str) -> Flow {
    let file = file.trim_matches(['"', '\'']);
    Source::read(Path::new(file))?.run(interpreter)?;
    GO_ON
}

fn schema(interpreter: &mut Interpreter<'_, '_>, name: &str) -> Flow {
    let text = match &*unquoted(name) {
        "" => interpreter.session.schema_script()?,
        name => {
            let schema = interpreter.session.schema()?;
            let same = |view: &&crate::ViewDescription| view.name.eq_ignore_ascii_case(name);
            match schema.views.iter().find(same) {
                Some(view) => view.definition.clone(),
                None => schema.object(name)?.definition.clone(),
            }
        }
    };
    interpreter.printer.result(&text)?;
    GO_ON
}

/// A name without the quotes around it: back-quotes as in statements, or any others.
fn unquoted(name: &str) -> String {
    let inner = |quote: char| name.strip_prefix(quote)?.strip_suffix(quote);
    match ['`', '"', '\''].into_iter().find_map(inner) {
        Some(inner) => inner.replace("``", "`"),
        None => name.to_owned(),
    }
}

fn timing(interpreter: &mut Interpreter<'_, '_>, on: &str) -> Flow {
    interpreter.printer.timing = match on {
        "on" => true,
        "off" => false,
        "" => !interpreter.printer.timing,
        _ => return Err(Failure::Command("usage: .timing [on|off]".to_owned())),
    };
    let now = if interpreter.printer.timing {
        "on"
    } else {
        "off"
    };
    interpreter.printer.note(&format!("timing is {now}"));
    GO_ON
}

fn views(interpreter: &mut Interpreter<'_, '_>, _: &str) -> Flow {
    let schema = interpreter.session.schema()?;
    let line = |view: &crate::ViewDescription| {
        let name = match view.parameters.is_empty() {
            true => view.name.clone(),
            false => format!("{}({})", view.name, view.parameters.join(", ")),
        };
        vec![name, view.text.clone()]
    };
    let lines = schema.views.iter().map(line).collect();
    interpreter.printer.grid(&grid(&["view", "query"], lines))?;
    GO_ON
}
