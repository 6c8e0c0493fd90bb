//! The same sample book in three files, made once and kept.

use crate::fieldbook_engine::{number, today};
use crate::{Result, duck, sqlite};
use fieldbook::{Book, Rows, Value};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The files of the three books.
pub(crate) struct Files {
    pub fieldbook: PathBuf,
    pub sqlite: PathBuf,
    pub duckdb: PathBuf,
}

/// A table: its columns are fields of the object of the same name.
pub(crate) struct Table {
    pub name: &'static str,
    pub columns: &'static [(&'static str, Kind)],
}

/// What a column holds, and so its type in SQL.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Id,
    Text,
    /// A text beside which its folded form is kept.
    Searched,
    Reference,
    Whole,
    Number,
    /// Whole cents.
    Money,
    Boolean,
    Date,
    Moment,
    /// The first day of a period.
    Period,
}

/// A value on its way into a table.
pub(crate) enum Stored {
    Missing,
    Whole(i64),
    Number(f64),
    Text(String),
    Date(i32),
    Moment(i64),
}

use Kind::*;

pub(crate) const TABLES: &[Table] = &[
    Table {
        name: "stages",
        columns: &[
            ("id", Id),
            ("name", Text),
            ("position", Whole),
            ("probability", Number),
            ("outcome", Text),
        ],
    },
    Table {
        name: "territories",
        columns: &[
            ("id", Id),
            ("code", Text),
            ("name", Text),
            ("parent", Reference),
            ("manager", Reference),
        ],
    },
    Table {
        name: "reps",
        columns: &[
            ("id", Id),
            ("name", Text),
            ("handle", Text),
            ("email", Text),
            ("phone", Text),
            ("role", Text),
            ("manager", Reference),
            ("territory", Reference),
            ("hired_on", Date),
            ("active", Boolean),
        ],
    },
    Table {
        name: "accounts",
        columns: &[
            ("id", Id),
            ("name", Searched),
            ("parent", Reference),
            ("industry", Text),
            ("segment", Text),
            ("employees", Whole),
            ("revenue", Money),
            ("website", Text),
            ("phone", Text),
            ("city", Text),
            ("state", Text),
            ("country", Text),
            ("billing_address", Text),
            ("mailing_address", Text),
            ("territory", Reference),
            ("owner", Reference),
            ("csm", Reference),
        ],
    },
    Table {
        name: "contacts",
        columns: &[
            ("id", Id),
            ("name", Searched),
            ("account", Reference),
            ("title", Text),
            ("role", Text),
            ("department", Text),
            ("office", Text),
            ("influence", Whole),
            ("reports_to", Reference),
            ("email", Text),
            ("phone", Text),
            ("mobile", Text),
        ],
    },
    Table {
        name: "opportunities",
        columns: &[
            ("id", Id),
            ("name", Text),
            ("account", Reference),
            ("contact", Reference),
            ("owner", Reference),
            ("territory", Reference),
            ("stage", Reference),
            ("amount", Money),
            ("opened_on", Date),
            ("close_date", Date),
            ("source", Text),
            ("loss_reason", Text),
            ("next_step", Text),
        ],
    },
    Table {
        name: "activities",
        columns: &[
            ("id", Id),
            ("subject", Text),
            ("type", Text),
            ("contact", Reference),
            ("opportunity", Reference),
            ("lead", Reference),
            ("account", Reference),
            ("owner", Reference),
            ("due", Moment),
            ("done_at", Moment),
            ("minutes", Whole),
            ("outcome", Text),
            ("status", Text),
        ],
    },
    Table {
        name: "quotas",
        columns: &[
            ("id", Id),
            ("rep", Reference),
            ("territory", Reference),
            ("period", Period),
            ("amount", Money),
        ],
    },
];

/// The indexes that a careful person makes for these questions in a row store.
pub(crate) const INDEXES: &[&str] = &[
    "CREATE UNIQUE INDEX reps_email ON reps (email)",
    "CREATE INDEX reps_manager ON reps (manager)",
    "CREATE UNIQUE INDEX territories_code ON territories (code)",
    "CREATE INDEX accounts_name ON accounts (name)",
    "CREATE INDEX accounts_owner ON accounts (owner)",
    "CREATE INDEX accounts_territory ON accounts (territory)",
    "CREATE INDEX contacts_account ON contacts (account)",
    "CREATE INDEX contacts_email ON contacts (email)",
    "CREATE INDEX opportunities_account ON opportunities (account)",
    "CREATE INDEX opportunities_owner ON opportunities (owner, close_date)",
    "CREATE INDEX opportunities_territory ON opportunities (territory, stage, amount)",
    "CREATE INDEX opportunities_stage ON opportunities (stage, close_date)",
    "CREATE INDEX activities_account ON activities (account, done_at)",
    "CREATE INDEX activities_opportunity ON activities (opportunity)",
    "CREATE INDEX activities_owner ON activities (owner, due)",
    "CREATE INDEX quotas_rep ON quotas (rep, period)",
];

/// `CREATE TABLE` with these names for the types of whole numbers, days and moments.
pub(crate) fn create(table: &Table, whole: &str, day: &str, moment: &str) -> String {
    let columns: Vec<String> = table
        .columns
        .iter()
        .flat_map(|&(name, kind)| {
            let folded = (kind == Searched).then(|| format!("{name}_folded TEXT"));
            let ty = match kind {
                Id => return vec![format!("id {whole} PRIMARY KEY")],
                Text | Searched => "TEXT",
                Reference | Whole | Money => whole,
                Number => "DOUBLE",
                Boolean => "BOOLEAN",
                Date | Period => day,
                Moment => moment,
            };
            let mut columns = vec![format!("{name} {ty}")];
            columns.extend(folded);
            columns
        })
        .collect();
    format!("CREATE TABLE {} ({})", table.name, columns.join(", "))
}

/// The files at `scale`, made if they are not there.
pub(crate) fn files(directory: &Path, scale: u64, alone: bool) -> Result<Files> {
    let file = |ending: &str| directory.join(format!("{scale}.{ending}"));
    let files = Files {
        fieldbook: file("fieldbook"),
        sqlite: file("sqlite"),
        duckdb: file("duckdb"),
    };
    made("Fieldbook", &files.fieldbook, |path| {
        let options = Book::options().today(today()).memory_bytes(8 << 30);
        options.save_demo(path, scale, &|_, _| ControlFlow::Continue(()))?;
        Ok(())
    })?;
    if alone {
        return Ok(files);
    }
    made("SQLite", &files.sqlite, |path| {
        let mut into = sqlite::Loader::new(path)?;
        load(&files.fieldbook, |table, row| into.add(table, row))?;
        into.finish()
    })?;
    made("DuckDB", &files.duckdb, |path| {
        let mut into = duck::Loader::new(path)?;
        load(&files.fieldbook, |table, row| into.add(table, row))?;
        into.finish()
    })?;
    Ok(files)
}

/// Makes a file under another name first, so that what is there is whole.
fn made(name: &str, path: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    let start = Instant::now();
    let draft = path.with_extension("draft");
    let _ = std::fs::remove_file(&draft);
    make(&draft)?;
    std::fs::rename(&draft, path)?;
    eprintln!(
        "{name}: sample made in {:.1} s",
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Gives all records of all tables, in the order of ids.
fn load(path: &Path, mut each: impl FnMut(&'static Table, &[Stored]) -> Result<()>) -> Result<()> {
    const STEP: i64 = 100_000;
    let options = Book::options().today(today()).memory_bytes(4 << 30);
    let book = options.read_only(true).open(path)?;
    for table in TABLES {
        let name = table.name;
        let fields: Vec<_> = table.columns.iter().map(|column| column.0).collect();
        let fields = fields.join(", ");
        let last: Option<i64> = book.query(&format!("{name} select max(id)"))?.one()?;
        let text = format!("{name} where id >= $low and id < $high select {fields} order by id");
        let prepared = book.prepare(&text)?;
        let end = last.map_or(0, |last| last + 1);
        for low in (0..end).step_by(usize::try_from(STEP)?) {
            let mut parameters = number("low", low);
            parameters.set("high", low + STEP);
            let rows = prepared.query(parameters)?;
            for row in rows.iter() {
                let mut stored = Vec::new();
                for (value, &(_, kind)) in row.values().iter().zip(table.columns) {
                    stored.push(store(&rows, value));
                    if kind == Searched {
                        stored.push(match value {
                            Value::Text(text) => Stored::Text(text.to_lowercase()),
                            _ => Stored::Missing,
                        });
                    }
                }
                each(table, &stored)?;
            }
        }
    }
    Ok(())
}

fn store(rows: &Rows, value: &Value) -> Stored {
    match value {
        Value::Missing => Stored::Missing,
        Value::Boolean(b) => Stored::Whole(i64::from(*b)),
        Value::Integer(n) => Stored::Whole(*n),
        Value::Number(n) => Stored::Number(*n),
        Value::Money(money) => Stored::Whole(money.units() / 100),
        Value::Text(text) => Stored::Text(text.to_string()),
        Value::Date(date) => Stored::Date(date.days()),
        Value::DateTime(moment) => Stored::Moment(moment.micros()),
        Value::Period(period) => Stored::Date(period.start().days()),
        Value::Record(record) => Stored::Whole(record.id.0.cast_signed()),
        other => Stored::Text(rows.show(other)),
    }
}
