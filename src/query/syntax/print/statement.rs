//! Printing statements and definitions.

use super::expression::sum;
use super::{Spoken, list};
use crate::query::syntax::ast::{
    Add, Alteration, Binding, CreateObject, CreateView, Delete, Dialect, DropKind, Expr,
    FieldChange, FieldDefinition, FieldOption, Import, Merge, Name, Restore, Setting, Statement,
    TypeName, Undo, Update, Upsert, ViewParameter,
};
use std::fmt::{self, Display, Formatter, Write};

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Query(query) => write!(f, "{query}"),
            Self::Explain { analyze, query } => {
                write!(
                    f,
                    "explain {}{query}",
                    if *analyze { "analyze " } else { "" }
                )
            }
            Self::Sql { dialect, query } => write!(f, "sql {}{query}", Prefix(*dialect)),
            Self::ExportRelational { file, dialect } => {
                write!(f, "export relational {file}")?;
                match dialect {
                    Dialect::Sqlite => Ok(()),
                    Dialect::DuckDb => f.write_str(" for duckdb"),
                }
            }
            Self::Add(add) => write!(f, "{add}"),
            Self::Update(update) => write!(f, "{update}"),
            Self::Upsert(upsert) => write!(f, "{upsert}"),
            Self::Delete(delete) => write!(f, "{delete}"),
            Self::Merge(merge) => write!(f, "{merge}"),
            Self::Restore(restore) => write!(f, "{restore}"),
            Self::Undo(Undo::Last) => f.write_str("undo"),
            Self::Undo(Undo::Redo) => f.write_str("redo"),
            Self::Undo(Undo::Transaction { number, .. }) => write!(f, "undo {number}"),
            Self::Returning { change, select } => {
                write!(f, "{change} returning ")?;
                list(f, select)
            }
            Self::Import(import) => write!(f, "{import}"),
            Self::DryRun(statement) => write!(f, "dry run {statement}"),
            Self::Export { query, file } => write!(f, "export ({query}) to {file}"),
            Self::CreateObject(object) => write!(f, "{object}"),
            Self::AlterObject { object, changes } => {
                write!(f, "alter object {object} ")?;
                list(f, changes)
            }
            Self::CreateIndex {
                object,
                fields,
                unique,
            } => {
                write!(f, "create index on {object} (")?;
                list(f, fields)?;
                f.write_str(if *unique { ") unique" } else { ")" })
            }
            Self::CreateView(view) => write!(f, "{view}"),
            Self::Drop {
                kind: DropKind::Object,
                name,
                ..
            } => write!(f, "drop object {name}"),
            Self::Drop {
                kind: DropKind::View,
                name,
                ..
            } => write!(f, "drop view {name}"),
            Self::Drop {
                kind: DropKind::Index,
                name,
                fields,
            } => {
                write!(f, "drop index on {name} (")?;
                list(f, fields)?;
                f.write_char(')')
            }
            Self::Prune { before } => write!(f, "prune journal before {}", sum(before)),
            Self::Begin { at, actor } => {
                f.write_str("begin")?;
                at.iter().try_for_each(|at| write!(f, " at {}", sum(at)))?;
                actor
                    .iter()
                    .try_for_each(|actor| write!(f, " as {}", sum(actor)))
            }
            Self::Commit => f.write_str("commit"),
            Self::Rollback(None) => f.write_str("rollback"),
            Self::Rollback(Some(name)) => write!(f, "rollback to {name}"),
            Self::Savepoint(name) => write!(f, "savepoint {name}"),
            Self::Set { setting, value } => write!(f, "set {setting} = {}", sum(value)),
        }
    }
}

/// The dialect where it is not the usual one.
struct Prefix(Dialect);

impl Display for Prefix {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Dialect::Sqlite => Ok(()),
            Dialect::DuckDb => f.write_str("for duckdb "),
        }
    }
}

impl Display for Setting {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BaseCurrency => "base currency",
            Self::Zone => "zone",
            Self::FiscalYear => "fiscal year",
        })
    }
}

/// `(name = "Acme", ...)`
struct Record<'a>(&'a [Binding]);

impl Display for Record<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('(')?;
        list(f, self.0)?;
        f.write_char(')')
    }
}

fn on(f: &mut Formatter<'_>, names: &[Name]) -> fmt::Result {
    if names.is_empty() {
        return Ok(());
    }
    f.write_str(" on ")?;
    list(f, names)
}

fn key_and_filter(f: &mut Formatter<'_>, key: Option<&Expr>, filter: Option<&Expr>) -> fmt::Result {
    key.iter().try_for_each(|key| write!(f, " {key}"))?;
    filter
        .iter()
        .try_for_each(|filter| write!(f, " where {filter}"))
}

impl Display for Add {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "add {} ", self.object)?;
        list(f, self.records.iter().map(|record| Record(record)))
    }
}

impl Display for Update {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "update {}", self.object)?;
        key_and_filter(f, self.key.as_ref(), self.filter.as_ref())?;
        f.write_str(" set ")?;
        list(f, &self.set)?;
        self.unchanged
            .iter()
            .try_for_each(|since| write!(f, " if unchanged since {}", sum(since)))
    }
}

impl Display for Upsert {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "upsert {}", self.object)?;
        on(f, &self.on)?;
        self.from
            .iter()
            .try_for_each(|query| write!(f, " from ({query})"))?;
        f.write_char(' ')?;
        list(f, self.records.iter().map(|record| Record(record)))
    }
}

impl Display for Delete {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "delete {}", self.object)?;
        key_and_filter(f, self.key.as_ref(), self.filter.as_ref())
    }
}

impl Display for Merge {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            object,
            source,
            target,
            ..
        } = self;
        write!(f, "merge {object} {source} into {target}")?;
        self.keep
            .iter()
            .try_for_each(|side| write!(f, " keep {}", side.word()))?;
        if self.fields.is_empty() {
            return Ok(());
        }
        let fields = self.fields.iter();
        let fields: Vec<_> = fields
            .map(|(name, side)| format!("{name} = {}", side.word()))
            .collect();
        write!(f, " ({})", fields.join(", "))
    }
}

impl Display for Restore {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "restore {}", self.object)?;
        key_and_filter(f, self.key.as_ref(), self.filter.as_ref())
    }
}

impl Display for Import {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "import {} from {}", self.object, self.file)?;
        on(f, &self.on)?;
        if !self.creating.is_empty() {
            f.write_str(" creating ")?;
            list(f, &self.creating)?;
        }
        if self.fields.is_empty() {
            Ok(())
        } else {
            write!(f, " {}", Record(&self.fields))
        }
    }
}

impl Display for CreateObject {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // The alternate form has a line for each field.
        let (mut before, between, after) = match f.alternate() {
            true => ("\n  ", ",\n  ", "\n)"),
            false => ("", ", ", ")"),
        };
        write!(f, "create object {} (", self.name)?;
        for field in &self.fields {
            write!(f, "{before}{field}")?;
            before = between;
        }
        for check in &self.checks {
            write!(f, "{before}check ({check})")?;
            before = between;
        }
        f.write_str(after)?;
        self.ordered_by
            .iter()
            .try_for_each(|field| write!(f, " ordered by {field}"))?;
        self.role
            .iter()
            .try_for_each(|role| write!(f, " {}", role.word()))?;
        self.singular
            .iter()
            .try_for_each(|name| write!(f, " singular {name}"))?;
        if self.show.is_empty() {
            return Ok(());
        }
        f.write_str(" show ")?;
        list(f, &self.show)
    }
}

impl Display for FieldDefinition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.ty)?;
        self.options
            .iter()
            .try_for_each(|option| write!(f, " {option}"))
    }
}

/// A label: a bare word, else a string.
struct Label<'a>(&'a Name);

impl Display for Label<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Spoken(&self.0.text))
    }
}

impl Display for TypeName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(name) => write!(f, "{name}"),
            Self::Labels { name, labels } if labels.is_empty() => write!(f, "{name}"),
            Self::Labels { name, labels } => {
                write!(f, "{name} (")?;
                list(f, labels.iter().map(Label))?;
                f.write_char(')')
            }
            Self::Reference(object) => write!(f, "ref {object}"),
            Self::AnyReference(objects) => {
                f.write_str("ref any (")?;
                list(f, objects)?;
                f.write_char(')')
            }
            Self::Filter(object) => write!(f, "filter on {object}"),
            Self::Expression(object) => write!(f, "expression on {object}"),
            Self::Formula(formula) => write!(f, "formula ({formula})"),
        }
    }
}

impl Display for FieldOption {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Required => f.write_str("required"),
            Self::Unique => f.write_str("unique"),
            Self::Label => f.write_str("label"),
            Self::Hierarchy => f.write_str("hierarchy"),
            Self::Default(value) => write!(f, "default {}", sum(value)),
            Self::Collection(name) => write!(f, "collection {name}"),
            Self::DatedBy(field) => write!(f, "dated by {field}"),
            Self::OnDelete(rule) => write!(f, "on delete {}", rule.word()),
        }
    }
}

impl Display for Alteration {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddField(field) => write!(f, "add field {field}"),
            Self::AlterField { field, change } => write!(f, "alter field {field} {change}"),
            Self::DropField(field) => write!(f, "drop field {field}"),
            Self::RenameField { from, to } => write!(f, "rename field {from} to {to}"),
            Self::Rename(name) => write!(f, "rename to {name}"),
            Self::AddCheck(check) => write!(f, "add check ({check})"),
            Self::DropCheck(check) => write!(f, "drop check ({check})"),
            Self::AddLabel { field, label } => write!(f, "add label {field} {}", Label(label)),
            Self::RenameLabel { field, from, to } => {
                write!(f, "rename label {field} {} to {}", Label(from), Label(to))
            }
            Self::DropLabel { field, label } => write!(f, "drop label {field} {}", Label(label)),
            Self::SetShow(names) => {
                f.write_str("show ")?;
                list(f, names)
            }
        }
    }
}

impl Display for FieldChange {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnDelete(rule) => write!(f, "on delete {}", rule.word()),
            Self::Default(Some(value)) => write!(f, "default {}", sum(value)),
            Self::Default(None) => f.write_str("drop default"),
            Self::Order(labels) => {
                f.write_str("order (")?;
                list(f, labels.iter().map(Label))?;
                f.write_char(')')
            }
            Self::Type { ty, default } => {
                write!(f, "type {ty}")?;
                default
                    .iter()
                    .try_for_each(|value| write!(f, " default {}", sum(value)))
            }
        }
    }
}

impl Display for CreateView {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "create view {}", self.name)?;
        if !self.parameters.is_empty() {
            f.write_char('(')?;
            list(f, &self.parameters)?;
            f.write_char(')')?;
        }
        write!(f, " as {}", self.query)
    }
}

impl Display for ViewParameter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "${} {}", self.name, self.ty)?;
        self.default
            .iter()
            .try_for_each(|value| write!(f, " default {}", sum(value)))
    }
}
