//! Queries: from the bound tree to one statement of SQL.

use super::Dialect;
use super::fragment::{Sql, Truth, indent, name};
use super::frame::{Frame, Row, Tables};
use super::order::{Key, Order};
use super::parts::{Part, names_of};
use super::relational::{Relational, free};
use super::rows::Branch;
use super::select::{Select, parenthesised};
use super::time::{Zone, offsets};
use super::untranslatable;
use super::value::internal;
use crate::error::Result;
use crate::query::bind::{ColumnValue, Expr, Query, Source};
use crate::query::exec::Context;
use crate::query::plan;
use crate::value::Value;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};

/// The query as a statement of SQL over the relational form, for this clock and asker.
pub(crate) fn translate(query: &Query, context: &Context<'_>, dialect: Dialect) -> Result<String> {
    // What the query itself would be refused for.
    plan::fold(query, context)?;
    Translator::new(context, dialect).statement(query)
}

pub(super) struct Translator<'a> {
    pub context: &'a Context<'a>,
    pub dialect: Dialect,
    pub relational: Relational,
    pub zone: Zone,
    /// Names that tables go by in this statement.
    used: RefCell<HashSet<String>>,
    pub with: RefCell<Vec<(String, String)>>,
    /// Selects that stand where they are read, by name.
    inner: RefCell<HashMap<String, String>>,
    pub recursive: Cell<bool>,
    /// The hierarchies walked so far: what they start from, and their names.
    pub sets: RefCell<Vec<(String, String)>>,
    /// The values given to the queries within, innermost last.
    pub given: RefCell<Vec<Vec<Vec<Sql>>>>,
    /// The order of the query at hand, innermost last.
    pub over: RefCell<Vec<Order>>,
}

/// What a select is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// To be read by people: labels, amounts.
    Shown,
    /// To be read by another select: ids, parts, and the place of each row as `row_no`.
    Rows,
    /// Values after `in`, or a value.
    List,
}

/// A select and the columns it has.
pub(super) struct Relation {
    pub text: String,
    /// By column of the query.
    pub columns: Vec<Vec<Part>>,
}

impl<'a> Translator<'a> {
    pub(super) fn new(context: &'a Context<'a>, dialect: Dialect) -> Self {
        let zone = match offsets(context.clock).as_slice() {
            [(_, offset)] => Zone::Fixed(*offset),
            _ => Zone::Table,
        };
        Self {
            context,
            dialect,
            relational: Relational::of(context.catalog),
            zone,
            used: RefCell::default(),
            with: RefCell::default(),
            inner: RefCell::default(),
            recursive: Cell::default(),
            sets: RefCell::default(),
            given: RefCell::default(),
            over: RefCell::default(),
        }
    }

    fn statement(&self, query: &Query) -> Result<String> {
        let main = self.relation(query, Mode::Shown)?.text;
        let with = self.with.borrow();
        if with.is_empty() {
            return Ok(main + ";");
        }
        let tables: Vec<String> = with
            .iter()
            .map(|(name, text)| format!("{name} AS (\n{}\n)", indent(text)))
            .collect();
        let recursive = if self.recursive.get() {
            "RECURSIVE "
        } else {
            ""
        };
        Ok(format!("WITH {recursive}{}\n{main};", tables.join(",\n")))
    }

    /// A name for a table of this statement, `hint` if it is free.
    pub(super) fn alias(&self, hint: &str) -> String {
        let mut used = self.used.borrow_mut();
        loop {
            let found = free(&mut used, hint);
            // Where a query within has a column of that name, DuckDB takes `found.x` for a part
            // of its value.
            if self.dialect == Dialect::DuckDb && self.relational.is_column(&found) {
                continue;
            }
            // A table goes by its own name, and nothing else does.
            if found == hint.to_lowercase() && self.relational.is_table(hint)
                || !self.relational.is_table(&found)
            {
                return found;
            }
        }
    }

    /// A name for a table that stands before the statement.
    pub(super) fn common_name(&self, hint: &str) -> String {
        match self.relational.is_table(hint) {
            true => self.alias(&format!("{hint}_rows")),
            false => self.alias(hint),
        }
    }

    /// Puts a select before the statement, under a name; within a query that knows the values
    /// of another the select stays where it is.
    pub(super) fn common(&self, hint: &str, text: String) -> String {
        let name = self.common_name(hint);
        if !self.given.borrow().is_empty() {
            self.inner.borrow_mut().insert(name.clone(), text);
            return name;
        }
        self.with
            .borrow_mut()
            .push((super::fragment::name(&name), text));
        name
    }

    /// What reads a select that has been given a name.
    pub(super) fn base_of(&self, table: &str) -> String {
        match self.inner.borrow().get(table) {
            Some(text) => format!("{} AS {}", parenthesised(text), name(table)),
            None => name(table),
        }
    }

    pub(super) fn relation(&self, query: &Query, mode: Mode) -> Result<Relation> {
        let mut branches = Vec::new();
        self.branches(query, mode, &mut branches)?;
        let columns = self.parts(query, mode, &branches);
        let stacked = branches.len() > 1;
        for branch in &branches {
            let numbered = stacked || mode == Mode::Rows || branch.is_ranked();
            let over = |key: &Key| key.sql.text.contains(" OVER (");
            if numbered && branch.order.all.iter().any(over) {
                let span = query.order.first().map(|key| key.value.span.clone());
                let what = "rows numbered in an order that functions over the rows decide";
                return Err(untranslatable(what, &span.unwrap_or_default()));
            }
        }
        if !stacked && let Some(branch) = branches.pop() {
            let text = self.finish(branch, &columns, mode).text();
            return Ok(Relation { text, columns });
        }
        let names = names_of(&columns);
        let (mut parts, mut rows, mut part, mut deep) = (Vec::new(), String::new(), 0, false);
        for (level, mut branch) in branches.into_iter().enumerate() {
            match &branch.sums {
                Some(sums) => {
                    deep = true;
                    let join = summed(&rows, sums);
                    branch.select.joins.insert(0, join);
                }
                None => part += 1,
            }
            let subtotal = branch.sums.is_some();
            let text = self.finish(branch, &columns, Mode::Rows).text();
            let hint = if subtotal { "subtotal" } else { "part" };
            let table = self.base_of(&self.common(hint, text));
            parts.push(format!(
                "SELECT {part} AS part, {level} AS level, {}, row_no FROM {table}",
                names.join(", ")
            ));
            if !subtotal {
                rows = table;
            }
        }
        let from = parenthesised(&parts.join("\nUNION ALL\n"));
        let mut select = Select {
            from: format!("{from} AS {}", name(&self.alias("stacked"))),
            columns: names,
            ..Select::default()
        };
        let order: &[&str] = match deep {
            true => &["part", "row_no", "level"],
            false => &["part", "row_no"],
        };
        match mode {
            Mode::Rows => {
                let number = format!(
                    "row_number() OVER (ORDER BY {}) AS row_no",
                    order.join(", ")
                );
                select.columns.push(number);
            }
            Mode::Shown => select.order = order.iter().map(|key| (*key).to_owned()).collect(),
            Mode::List => {}
        }
        Ok(Relation {
            text: select.text(),
            columns,
        })
    }

    fn branches(&self, query: &Query, mode: Mode, branches: &mut Vec<Branch>) -> Result<()> {
        if let Some(after) = query.page.as_ref().and_then(|page| page.after.as_ref()) {
            return Err(
                untranslatable("`after`", &after.span).hint("`offset` skips a number of rows")
            );
        }
        if let Some(moment) = &query.as_of {
            return Err(untranslatable("`as of`", &moment.span)
                .hint("the relational form holds what there is now"));
        }
        if let Some(group) = &query.group {
            self.grouped(query, group, mode, branches)?;
        } else {
            let (tables, row) = self.source(&query.source)?;
            let frame = Frame {
                tables: &tables,
                row,
            };
            let mut filter = Vec::new();
            for condition in query.filter.iter().chain(&query.having) {
                filter.extend(self.conjuncts(&frame, condition)?);
            }
            let mut order = self.order(&frame, query)?;
            order.all.push(self.tie(&frame));
            branches.push(self.branch(&frame, query, mode, filter, order)?);
        }
        for union in &query.unions {
            self.branches(union, mode, branches)?;
        }
        Ok(())
    }

    /// The rows of a frame with the query's columns.
    pub(super) fn branch(
        &self,
        frame: &Frame<'_>,
        query: &Query,
        mode: Mode,
        filter: Vec<Truth>,
        order: Order,
    ) -> Result<Branch> {
        let columns = self.within(order.clone(), || self.columns(frame, query, mode))?;
        let mut select = frame.tables.select();
        select.filter = filter;
        let limit = query.limit.as_ref().map(|limit| self.count(&limit.count));
        let offset = query.offset.as_ref().map(|offset| self.count(offset));
        Ok(Branch {
            select,
            columns,
            order,
            limit: limit.transpose()?,
            offset: offset.transpose()?.unwrap_or(0),
            ties: query.limit.as_ref().is_some_and(|limit| limit.with_ties),
            keys: Vec::new(),
            sums: None,
        })
    }

    /// The parts of the query's columns.
    fn columns(&self, frame: &Frame<'_>, query: &Query, mode: Mode) -> Result<Vec<Vec<Sql>>> {
        let mut columns = Vec::new();
        for column in &query.columns {
            columns.push(match &column.value {
                ColumnValue::Expr(expr) if mode == Mode::Shown => self.shown(frame, expr)?.parts,
                ColumnValue::Expr(expr) => self.value(frame, expr)?,
                ColumnValue::Nested(nested) => vec![self.nested(frame, nested)?],
            });
        }
        Ok(columns)
    }

    /// What a query reads.
    pub(super) fn source(&self, source: &Source) -> Result<(Tables, Row)> {
        match source {
            Source::Object(object) => Ok(self.open(*object)),
            Source::Query(query) => {
                let relation = self.relation(query, Mode::Rows)?;
                let alias = self.common("source", relation.text);
                let mut slots = self.slots(&alias, &relation.columns);
                slots.push(vec![self.qualified(&alias, "row_no")]);
                Ok((Tables::new(self.base_of(&alias)), Row::Slots(slots.into())))
            }
            Source::Life(life) => Err(untranslatable("history", &life.record.span)),
            Source::Paired(paired) => Err(untranslatable(
                "`compare`",
                &paired
                    .before
                    .as_of
                    .as_ref()
                    .map_or(0..0, |at| at.span.clone()),
            )),
            Source::History(history) => Err(untranslatable("history", &history.span).hint(
                format!("`{}` are read from the journal", history.kind.word()),
            )),
            Source::Find(find) => Err(untranslatable("`find`", &find.text.span)),
            Source::Duplicates(duplicates) => {
                Err(untranslatable("`duplicates of`", &duplicates.span))
            }
        }
    }

    /// A number of rows.
    pub(super) fn count(&self, expr: &Expr) -> Result<i64> {
        match plan::fold_expr(expr, self.context)?.as_constant() {
            Some(Value::Integer(n)) => Ok(*n),
            Some(Value::Number(n)) => Ok(*n as i64),
            _ => Err(internal(expr)),
        }
    }
}

/// The join of a subtotal with the last of the rows that it sums.
fn summed(rows: &str, own: &[String]) -> String {
    let keys: Vec<String> = (1..=own.len()).map(|at| format!("key_{at}")).collect();
    let same: Vec<String> = keys
        .iter()
        .zip(own)
        .map(|(key, own)| format!("summed.{key} IS NOT DISTINCT FROM {own}"))
        .collect();
    let keys = keys.join(", ");
    let last = format!("SELECT {keys}, max(row_no) AS row_no FROM {rows} GROUP BY {keys}");
    format!("JOIN ({last}) AS summed\n  ON {}", same.join(" AND "))
}
