//! The plan as a person reads it: an indented tree, what happens last on top.

use super::access::{Access, Path, choose};
use super::describe::Words;
use super::fold::fold;
use crate::error::Result;
use crate::query::bind::{Query, Source};
use crate::query::exec::{Context, Evaluator, Statistics, is_column_over_rows, run_counted};
use crate::value::IndexId;
use std::fmt::Write;

/// The plan of a query. With `analyze` the query runs, and what it did is added.
pub(crate) fn explain(query: &Query, context: &Context<'_>, analyze: bool) -> Result<String> {
    let folded = fold(query, context)?;
    let mut tree = Tree {
        context,
        text: String::new(),
    };
    tree.query(&folded, 0)?;
    if analyze {
        let (rows, counted) = run_counted(&folded, context)?;
        tree.counted(rows, &counted);
    }
    Ok(tree.text)
}

struct Tree<'a> {
    context: &'a Context<'a>,
    text: String,
}

impl Tree<'_> {
    fn line(&mut self, depth: usize, words: &str) {
        let _ = writeln!(self.text, "{:1$}{words}", "", depth * 2);
    }

    fn query(&mut self, query: &Query, mut depth: usize) -> Result<()> {
        if !query.unions.is_empty() {
            self.line(depth, "union");
            let first = Query {
                unions: Vec::new(),
                ..query.clone()
            };
            for part in std::iter::once(&first).chain(&query.unions) {
                self.query(part, depth + 1)?;
            }
            return Ok(());
        }
        let below = source_names(&query.source);
        let source = Words {
            context: self.context,
            object: match query.source {
                Source::Object(object) => Some(object),
                Source::Query(_) => None,
            },
            slots: &below,
        };
        let grouped: Vec<String> = query.group.iter().fold(Vec::new(), |mut names, group| {
            names.extend(group.keys.iter().map(|key| source.expr(key)));
            names.extend(group.aggregates.iter().map(|a| source.aggregate(a)));
            names
        });
        let rows = match query.group {
            Some(_) => Words {
                object: None,
                slots: &grouped,
                ..source
            },
            None => source,
        };
        for words in clauses(query, &rows) {
            self.line(depth, &words);
            depth += 1;
        }
        if let Some(group) = &query.group {
            let aggregates: Vec<_> = group
                .aggregates
                .iter()
                .map(|a| source.aggregate(a))
                .collect();
            let by = match group.keys.as_slice() {
                [] => "all in one".to_owned(),
                keys => format!("group by {}", source.list(keys)),
            };
            let marks = [(group.totals, " with totals"), (group.rollup, " rollup")];
            let marks: String = marks.iter().filter(|m| m.0).map(|m| m.1).collect();
            let what = if aggregates.is_empty() {
                String::new()
            } else {
                format!(": {}", aggregates.join(", "))
            };
            self.line(depth, &format!("{by}{marks}{what}"));
            depth += 1;
        }
        match &query.source {
            Source::Object(object) => {
                let evaluator = Evaluator::new(self.context);
                let access = choose(*object, query.filter.as_ref(), &evaluator, self.context)?;
                self.access(&access, &source, depth);
            }
            Source::Query(inner) => {
                if let Some(filter) = &query.filter {
                    self.line(depth, &format!("where {}", source.expr(filter)));
                    depth += 1;
                }
                self.query(inner, depth)?;
            }
        }
        Ok(())
    }

    fn access(&mut self, access: &Access, words: &Words<'_>, depth: usize) {
        let name = self.context.catalog.object(access.object).name.clone();
        let by = access
            .by
            .as_ref()
            .map(|by| words.expr(by))
            .unwrap_or_default();
        let records = counted(access.expected, "record");
        let how = match &access.path {
            Path::Nothing => format!("nothing of {name}: the condition never holds"),
            Path::Scan { chunks, total } => {
                let skipped = *total as usize - chunks.len();
                let skipped = if skipped > 0 {
                    format!(", {skipped} skipped")
                } else {
                    String::new()
                };
                let read = counted(chunks.len() as u64, "chunk");
                format!("scan {name}: {read} of {total}{skipped}, about {records}")
            }
            Path::Ids(_) => format!("{name} by id: {by}, at most {records}"),
            Path::Lookup { index, .. } | Path::Range { index, .. } => {
                let index = self.index(access, *index);
                format!("{name} by index on {index}: {by}, about {records}")
            }
        };
        self.line(depth, &how);
        for condition in &access.conditions {
            self.line(
                depth + 1,
                &format!("where {}", words.expr(&condition.shown)),
            );
        }
    }

    fn index(&self, access: &Access, id: IndexId) -> String {
        let object = self.context.catalog.object(access.object);
        let found = object.indexes.iter().find(|index| index.id == id);
        let fields = found.map_or(&[][..], |index| index.fields.as_slice());
        let names: Vec<_> = fields
            .iter()
            .map(|&f| object.field(f).name.as_str())
            .collect();
        names.join(", ")
    }

    fn counted(&mut self, rows: u64, did: &Statistics) {
        let words = format!(
            "ran: {} passed, {} read, {} skipped, {}",
            counted(did.passed, "record"),
            counted(did.read, "chunk"),
            counted(did.skipped, "chunk"),
            counted(rows, "row"),
        );
        self.line(0, &words);
    }
}

fn counted(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn source_names(source: &Source) -> Vec<String> {
    match source {
        Source::Object(_) => Vec::new(),
        Source::Query(inner) => inner.columns.iter().map(|c| c.name.clone()).collect(),
    }
}

/// The clauses after grouping, last first.
fn clauses(query: &Query, rows: &Words<'_>) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(offset) = &query.offset {
        found.push(format!("offset {}", rows.expr(offset)));
    }
    if query.page.as_ref().is_some_and(|page| page.after.is_some()) {
        found.push("after a cursor".to_owned());
    }
    if let Some(limit) = &query.limit {
        let per = match limit.per.as_slice() {
            [] => String::new(),
            per => format!(" per {}", rows.list(per)),
        };
        let ties = if limit.with_ties { " with ties" } else { "" };
        found.push(format!("limit {}{per}{ties}", rows.expr(&limit.count)));
    }
    let over = query.columns.iter().filter(|c| is_column_over_rows(c));
    let names: Vec<_> = over.map(|column| column.name.as_str()).collect();
    if !names.is_empty() {
        found.push(format!("over all rows: {}", names.join(", ")));
    }
    if !query.order.is_empty() {
        found.push(format!("order by {}", rows.order(&query.order)));
    }
    if let Some(having) = &query.having {
        found.push(format!("having {}", rows.expr(having)));
    }
    found
}
