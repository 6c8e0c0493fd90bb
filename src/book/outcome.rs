//! What a statement did, as the library hands it out.

use super::Rows;
use crate::catalog::Catalog;
use crate::query::outcome::{self, ImportReport as Report};
use crate::value::Clock;
use std::fmt;
use std::path::PathBuf;

/// The result of one statement of a script.
///
/// `Display` gives the sentence that the shell prints: `2 accounts added`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// A query's rows, or those that a change returns.
    Rows(Rows),
    /// Records were added, updated, deleted or brought back.
    Changed {
        /// The object, by its plural name.
        object: String,
        /// The name of one: `account`.
        singular: String,
        /// Records added.
        added: u64,
        /// Records updated, those that had the new values already aside.
        updated: u64,
        /// Records deleted.
        deleted: u64,
        /// Deleted records brought back.
        restored: u64,
        /// Records of any object deleted because they referred to a deleted one.
        cascaded: u64,
        /// Records of any object whose reference to a deleted one was emptied.
        emptied: u64,
    },
    /// A file was imported.
    Imported(ImportReport),
    /// One record went into another: `merge`.
    Merged {
        /// The record that went: `contacts "Jo Doe"`.
        source: String,
        /// The record that it went into.
        target: String,
        /// Fields of the target that changed.
        fields: u64,
        /// References to the source that lead to the target now.
        references: u64,
    },
    /// A transaction was undone by a new one.
    Undone {
        /// The number of the transaction undone.
        transaction: u64,
        /// When it was, and whose: `2026-05-15T09:00:00 by reps "Dee"`.
        of: String,
        /// Records back that it had deleted.
        restored: u64,
        /// Records that it had changed.
        updated: u64,
        /// Records gone that it had added.
        deleted: u64,
    },
    /// What a statement would have done, which `dry run` undid.
    DryRun {
        /// A row for each record that would come or go, and for each field that would change.
        changes: Rows,
        /// What the statement would have given.
        outcome: Box<Outcome>,
    },
    /// A file was written.
    Exported {
        /// Where.
        file: PathBuf,
        /// Records in it.
        records: u64,
    },
    /// A plan, as `explain` prints it.
    Plan(String),
    /// A query as SQL, as `sql` prints it.
    Sql(String),
    /// A definition, a setting or the transaction changed; a short sentence.
    Done(String),
}

/// Lines that the text of a report lists of those with the key of an earlier one.
const LISTED: usize = 20;

/// What an import did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportReport {
    /// The object, by its plural name.
    pub object: String,
    /// The name of one: `account`.
    pub singular: String,
    /// The encoding that the file was found to have: UTF-8, UTF-16 or Windows-1252.
    pub encoding: String,
    /// The columns of the file, in order.
    pub columns: Vec<ImportedColumn>,
    /// Records added.
    pub added: u64,
    /// Records updated, as the import's `on` fields found them: each once, and none that was added.
    pub updated: u64,
    /// The lines that have the key of an earlier line, and so went to its record.
    pub repeated: Vec<u64>,
    /// Records added because a line refers to them, of each object `creating` names.
    pub created: Vec<CreatedRecords>,
    /// The lines that broke a rule, in order.
    pub refused: Vec<RefusedLine>,
    /// The file that the refused lines were written to, if there were any.
    pub rejects: Option<PathBuf>,
}

/// Records that an import added for references to them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CreatedRecords {
    /// The object, by its plural name.
    pub object: String,
    /// The name of one: `account`.
    pub singular: String,
    /// How many were added.
    pub added: u64,
}

/// A column of an imported file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportedColumn {
    /// Its name.
    pub name: String,
    /// The fields that it was used for; none if it was not used.
    pub fields: Vec<String>,
}

/// A line of an import that broke a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedLine {
    /// The line's number from 1; the header is line 1.
    pub line: u64,
    /// The field at fault, where there is one.
    pub field: Option<String>,
    /// What is wrong.
    pub reason: String,
}

impl Outcome {
    pub(super) fn new(outcome: outcome::Outcome, catalog: &Catalog, clock: &Clock) -> Self {
        use outcome::Outcome as Inner;
        let singular = |object: &str| match catalog.find_object(object) {
            Some(object) => object.singular.clone(),
            None => object.to_owned(),
        };
        match outcome {
            Inner::Rows(table) => Self::Rows(Rows::new(table, clock.clone())),
            Inner::Changed {
                added,
                updated,
                deleted,
                restored,
                cascaded,
                emptied,
                object,
            } => Self::Changed {
                singular: singular(&object),
                object,
                added,
                updated,
                deleted,
                restored,
                cascaded,
                emptied,
            },
            Inner::Imported(report) => {
                let singular = singular(&report.object);
                let created = report.created.iter().map(|(object, added)| CreatedRecords {
                    object: object.clone(),
                    singular: catalog
                        .find_object(object)
                        .map_or_else(|| object.clone(), |object| object.singular.clone()),
                    added: *added,
                });
                let created = created.collect();
                Self::Imported(ImportReport::new(report, singular, created))
            }
            Inner::Merged {
                source,
                target,
                fields,
                references,
            } => Self::Merged {
                source,
                target,
                fields,
                references,
            },
            Inner::Undone {
                transaction,
                of,
                restored,
                updated,
                deleted,
            } => Self::Undone {
                transaction,
                of,
                restored,
                updated,
                deleted,
            },
            Inner::DryRun { changes, outcome } => Self::DryRun {
                changes: Rows::new(changes, clock.clone()),
                outcome: Box::new(Self::new(*outcome, catalog, clock)),
            },
            Inner::Exported { file, records } => Self::Exported { file, records },
            Inner::Plan(plan) => Self::Plan(plan),
            Inner::Sql(text) => Self::Sql(text),
            Inner::Done(what) => Self::Done(what),
        }
    }
}

impl ImportReport {
    fn new(report: Report, singular: String, created: Vec<CreatedRecords>) -> Self {
        let refused = report.refused.into_iter();
        let columns = report.columns.into_iter();
        Self {
            object: report.object,
            singular,
            encoding: report.encoding,
            columns: columns
                .map(|column| ImportedColumn {
                    name: column.name,
                    fields: column.fields,
                })
                .collect(),
            added: report.added,
            updated: report.updated,
            repeated: report.repeated,
            created,
            refused: refused
                .map(|line| RefusedLine {
                    line: line.line,
                    field: line.field,
                    reason: line.reason,
                })
                .collect(),
            rejects: report.rejects,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows(rows) => f.write_str(&counted(rows.len() as u64, "row", "rows")),
            Self::Changed {
                object,
                singular,
                added,
                updated,
                deleted,
                restored,
                cascaded,
                emptied,
            } => {
                let counts = [
                    (added, "added"),
                    (updated, "updated"),
                    (deleted, "deleted"),
                    (restored, "restored"),
                ];
                let said = counts
                    .iter()
                    .filter(|(count, _)| **count > 0)
                    .map(|(count, verb)| format!("{} {verb}", counted(**count, singular, object)));
                let more = [(cascaded, "more by cascade"), (emptied, "emptied")];
                let more = more
                    .iter()
                    .filter(|(count, _)| **count > 0)
                    .map(|(count, what)| format!("{count} {what}"));
                let said: Vec<_> = said.chain(more).collect();
                match said.is_empty() {
                    true => write!(f, "no {object} changed"),
                    false => f.write_str(&said.join(", ")),
                }
            }
            Self::Imported(report) => report.fmt(f),
            Self::Merged {
                source,
                target,
                fields,
                references,
            } => {
                let fields = counted(*fields, "field", "fields");
                let references = counted(*references, "reference", "references");
                write!(
                    f,
                    "{source} merged into {target}: {fields} taken, {references} moved"
                )
            }
            Self::Undone {
                transaction,
                of,
                restored,
                updated,
                deleted,
            } => {
                let counts = [
                    (restored, "restored"),
                    (updated, "changed back"),
                    (deleted, "deleted"),
                ];
                let said: Vec<_> = counts
                    .iter()
                    .filter(|(count, _)| **count > 0)
                    .map(|(count, verb)| {
                        format!("{} {verb}", counted(**count, "record", "records"))
                    })
                    .collect();
                write!(
                    f,
                    "transaction {transaction} of {of} undone: {}",
                    said.join(", ")
                )
            }
            Self::DryRun { outcome, .. } => {
                write!(f, "{outcome}; a dry run, nothing is changed")
            }
            Self::Exported { file, records } => {
                let records = counted(*records, "record", "records");
                write!(f, "{records} written to {}", file.display())
            }
            Self::Plan(text) | Self::Sql(text) => f.write_str(text.trim_end()),
            Self::Done(what) => f.write_str(what),
        }
    }
}

impl fmt::Display for ImportReport {
    /// What was made of the columns unless they are called as the fields, every refused line, lines
    /// of one key, then the counts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unlike = |column: &ImportedColumn| column.fields != [column.name.to_lowercase()];
        let named = || self.columns.iter().filter(|column| !column.name.is_empty());
        if named().any(unlike) {
            let (used, unused): (Vec<_>, Vec<_>) = named().partition(|c| !c.fields.is_empty());
            let used: Vec<_> = used.into_iter().map(ToString::to_string).collect();
            write!(f, "columns: {}", used.join(", "))?;
            if !unused.is_empty() {
                let unused: Vec<_> = unused.into_iter().map(|c| &*c.name).collect();
                write!(f, "; not used: {}", unused.join(", "))?;
            }
            writeln!(f)?;
        }
        if self.encoding != "UTF-8" {
            writeln!(f, "the file is in {}", self.encoding)?;
        }
        for refused in &self.refused {
            writeln!(f, "{refused}")?;
        }
        if !self.repeated.is_empty() {
            let listed = self.repeated.iter().take(LISTED).map(u64::to_string);
            let listed = listed.collect::<Vec<_>>().join(", ");
            let more = match self.repeated.len().saturating_sub(LISTED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            match self.repeated.len() {
                1 => writeln!(f, "line {listed} has the key of an earlier line")?,
                _ => writeln!(f, "lines {listed}{more} have the key of an earlier line")?,
            }
        }
        let added = counted(self.added, &self.singular, &self.object);
        write!(f, "{added} added")?;
        if self.updated > 0 {
            write!(f, ", {} updated", self.updated)?;
        }
        for created in &self.created {
            let records = counted(created.added, &created.singular, &created.object);
            write!(f, ", {records} added")?;
        }
        if !self.refused.is_empty() {
            let refused = counted(self.refused.len() as u64, "line", "lines");
            write!(f, ", {refused} refused")?;
        }
        if let Some(rejects) = &self.rejects {
            write!(f, " (see {})", rejects.display())?;
        }
        Ok(())
    }
}

impl fmt::Display for ImportedColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if !self.fields.is_empty() && self.fields != [self.name.to_lowercase()] {
            write!(f, " -> {}", self.fields.join(" and "))?;
        }
        Ok(())
    }
}

impl fmt::Display for RefusedLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        if let Some(field) = &self.field {
            write!(f, "{field}: ")?;
        }
        f.write_str(&self.reason)
    }
}

fn counted(count: u64, one: &str, many: &str) -> String {
    let noun = if count == 1 { one } else { many };
    format!("{count} {noun}")
}
