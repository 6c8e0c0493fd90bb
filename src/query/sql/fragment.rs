//! Pieces of SQL text: how strongly they bind, when parentheses are needed, names and literals.

use super::Dialect;
use crate::value::{Date, Value};
use std::fmt::Write as _;

/// How strongly a piece binds, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Or,
    And,
    Not,
    Compare,
    Sum,
    Product,
    Atom,
}

/// An expression's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sql {
    pub text: String,
    pub level: Level,
}

/// A condition's text.
#[derive(Clone, Debug)]
pub(super) struct Truth {
    pub sql: Sql,
    /// Never NULL; otherwise NULL stands for false.
    pub exact: bool,
}

impl Sql {
    pub(super) fn new(text: impl Into<String>, level: Level) -> Self {
        let text = text.into();
        Self { text, level }
    }

    pub(super) fn atom(text: impl Into<String>) -> Self {
        Self::new(text, Level::Atom)
    }

    pub(super) fn null() -> Self {
        Self::atom("NULL")
    }

    /// The text as an operand of something that binds as strongly as `level`.
    pub(super) fn at(&self, level: Level) -> String {
        if self.level >= level {
            return self.text.clone();
        }
        if self.text.contains('\n') {
            return format!("(\n{}\n)", indent(&self.text));
        }
        format!("({})", self.text)
    }

    /// `left operator right`, the right side binding more strongly.
    pub(super) fn binary(left: &Self, operator: &str, right: &Self, level: Level) -> Self {
        let next = match level {
            Level::Compare => Level::Sum,
            Level::Sum => Level::Product,
            _ => Level::Atom,
        };
        let of_left = if level == Level::Compare { next } else { level };
        Self::new(
            format!("{} {operator} {}", left.at(of_left), right.at(next)),
            level,
        )
    }

    pub(super) fn call(name: &str, arguments: &[&Self]) -> Self {
        let texts: Vec<&str> = arguments.iter().map(|sql| sql.text.as_str()).collect();
        Self::atom(format!("{name}({})", texts.join(", ")))
    }

    pub(super) fn is_null(&self) -> bool {
        self.text == "NULL"
    }

    /// The number as a floating point one.
    pub(super) fn double(&self) -> Self {
        Self::atom(format!("CAST({} AS DOUBLE)", self.text))
    }

    /// The nearest whole number, halves away from zero.
    pub(super) fn whole(&self) -> Self {
        Self::atom(format!("CAST(round({}) AS BIGINT)", self.text))
    }
}

impl Truth {
    pub(super) fn exact(sql: Sql) -> Self {
        Self { sql, exact: true }
    }

    pub(super) fn open(sql: Sql) -> Self {
        Self { sql, exact: false }
    }

    pub(super) fn constant(truth: bool) -> Self {
        Self::exact(Sql::atom(if truth { "TRUE" } else { "FALSE" }))
    }

    pub(super) fn not(&self) -> Self {
        let text = if self.exact {
            return Self::exact(Sql::new(
                format!("NOT {}", self.sql.at(Level::Compare)),
                Level::Not,
            ));
        } else {
            format!("{} IS NOT TRUE", self.sql.at(Level::Sum))
        };
        Self::exact(Sql::new(text, Level::Compare))
    }

    /// The condition as a value, TRUE or FALSE.
    pub(super) fn value(&self) -> Sql {
        if self.exact {
            return self.sql.clone();
        }
        Sql::atom(format!("coalesce({}, FALSE)", self.sql.text))
    }

    pub(super) fn all(parts: &[Self]) -> Self {
        Self::join(parts, "AND", Level::And)
    }

    pub(super) fn any(parts: &[Self]) -> Self {
        Self::join(parts, "OR", Level::Or)
    }

    fn join(parts: &[Self], word: &str, level: Level) -> Self {
        match parts {
            [] => Self::constant(level == Level::And),
            [one] => one.clone(),
            _ => {
                let texts: Vec<String> = parts
                    .iter()
                    .map(|part| match part.sql.level == level {
                        true => part.sql.text.clone(),
                        false => part.sql.at(Level::Not),
                    })
                    .collect();
                let short = texts.iter().map(String::len).sum::<usize>() < 70;
                let plain = texts.iter().all(|text| !text.contains('\n'));
                let between = match short && plain {
                    true => format!(" {word} "),
                    false => format!("\n{word} "),
                };
                Self {
                    sql: Sql::new(texts.join(&between), level),
                    exact: parts.iter().all(|part| part.exact),
                }
            }
        }
    }
}

/// The text two columns further in.
pub(super) fn indent(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("  {line}")).collect();
    lines.join("\n")
}

/// A table's or column's name, in quotes where a plain one would not do.
pub(super) fn name(name: &str) -> String {
    let letter = |c: char| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit();
    let plain = name.chars().all(letter)
        && name.starts_with(|c: char| !c.is_ascii_digit())
        && !KEYWORDS.contains(&name);
    if plain {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The name of a result's column, which users read.
pub(super) fn heading(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    name(&line.join(" "))
}

/// A text literal. Line ends stand outside of the quotes, so that text can be indented.
pub(super) fn text(text: &str, dialect: Dialect) -> Sql {
    if !text.contains(['\n', '\r', '\0']) {
        return Sql::atom(format!("'{}'", text.replace('\'', "''")));
    }
    let mut parts = Vec::new();
    let mut plain = String::new();
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\0' => {
                if !plain.is_empty() {
                    parts.push(format!("'{}'", plain.replace('\'', "''")));
                    plain.clear();
                }
                parts.push(format!("{}({})", dialect.character(), u32::from(c)));
            }
            _ => plain.push(c),
        }
    }
    if !plain.is_empty() {
        parts.push(format!("'{}'", plain.replace('\'', "''")));
    }
    Sql::atom(format!("({})", parts.join(" || ")))
}

/// A floating point literal, which both dialects read as such.
pub(super) fn number(n: f64) -> Sql {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write!(text, "{n:?}");
    match n < 0.0 {
        true => Sql::new(text, Level::Product),
        false => Sql::atom(text),
    }
}

pub(super) fn integer(n: i64) -> Sql {
    match n {
        // Its digits alone are beyond the type.
        i64::MIN => Sql::atom("(-9223372036854775807 - 1)"),
        _ if n < 0 => Sql::new(n.to_string(), Level::Product),
        _ => Sql::atom(n.to_string()),
    }
}

pub(super) fn date(day: Date, dialect: Dialect) -> Sql {
    Sql::atom(match dialect {
        Dialect::Sqlite => format!("'{day}'"),
        Dialect::DuckDb => format!("DATE '{day}'"),
    })
}

pub(super) fn boolean(on: bool) -> Sql {
    Sql::atom(if on { "TRUE" } else { "FALSE" })
}

/// A value of one part that needs no type beside it.
pub(super) fn plain(value: &Value, dialect: Dialect) -> Option<Sql> {
    Some(match value {
        Value::Missing => Sql::null(),
        Value::Boolean(on) => boolean(*on),
        Value::Integer(n) => integer(*n),
        Value::Number(n) => number(*n),
        Value::Text(value) => text(value, dialect),
        Value::Date(day) => date(*day, dialect),
        Value::DateTime(moment) => integer(moment.micros()),
        Value::Duration(length) => integer(length.seconds()),
        Value::Reference(id) => integer(id.0.cast_signed()),
        _ => return None,
    })
}

/// Words that SQLite or DuckDB would not read as a name.
const KEYWORDS: &[&str] = &[
    "abort",
    "action",
    "add",
    "after",
    "all",
    "alter",
    "always",
    "analyse",
    "analyze",
    "and",
    "anti",
    "any",
    "array",
    "as",
    "asc",
    "asof",
    "asymmetric",
    "attach",
    "at",
    "authorization",
    "autoincrement",
    "before",
    "begin",
    "between",
    "binary",
    "both",
    "by",
    "cascade",
    "case",
    "cast",
    "check",
    "collate",
    "collation",
    "column",
    "columns",
    "commit",
    "concurrently",
    "conflict",
    "constraint",
    "create",
    "cross",
    "current",
    "current_date",
    "current_time",
    "current_timestamp",
    "database",
    "default",
    "deferrable",
    "deferred",
    "delete",
    "desc",
    "describe",
    "detach",
    "distinct",
    "do",
    "drop",
    "each",
    "else",
    "end",
    "escape",
    "except",
    "exclude",
    "exclusive",
    "exists",
    "explain",
    "fail",
    "false",
    "fetch",
    "filter",
    "first",
    "following",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "generated",
    "glob",
    "grant",
    "group",
    "groups",
    "having",
    "if",
    "ignore",
    "ilike",
    "immediate",
    "in",
    "index",
    "indexed",
    "initially",
    "inner",
    "insert",
    "instead",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "key",
    "lambda",
    "last",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "map",
    "match",
    "materialized",
    "natural",
    "no",
    "not",
    "nothing",
    "notnull",
    "null",
    "nulls",
    "of",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "others",
    "outer",
    "over",
    "overlaps",
    "partition",
    "pivot",
    "pivot_longer",
    "pivot_wider",
    "placing",
    "plan",
    "positional",
    "pragma",
    "preceding",
    "primary",
    "qualify",
    "query",
    "raise",
    "range",
    "recursive",
    "references",
    "regexp",
    "reindex",
    "release",
    "rename",
    "replace",
    "restrict",
    "returning",
    "right",
    "rollback",
    "row",
    "rows",
    "savepoint",
    "select",
    "semi",
    "set",
    "show",
    "similar",
    "some",
    "summarize",
    "struct",
    "symmetric",
    "table",
    "tablesample",
    "temp",
    "temporary",
    "then",
    "ties",
    "to",
    "trailing",
    "transaction",
    "trigger",
    "true",
    "try_cast",
    "unbounded",
    "union",
    "unique",
    "unpivot",
    "update",
    "using",
    "vacuum",
    "values",
    "variadic",
    "verbose",
    "view",
    "virtual",
    "when",
    "where",
    "window",
    "with",
    "within",
    "without",
];
