//! The columns of a select: one for each part of a value, under names of their own.

use super::fragment::{Sql, heading, name};
use super::rows::Branch;
use super::translate::{Mode, Translator};
use crate::query::bind::{Query, Type};
use crate::value::FieldType;
use std::collections::HashSet;

/// A part of a column: a column of the select, or the same for every row.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Column(String),
    Same(Sql),
}

impl Translator<'_> {
    /// The names of all parts of a query's columns. A part that is the same in every row of every
    /// branch needs no column.
    pub(super) fn parts(&self, query: &Query, mode: Mode, branches: &[Branch]) -> Vec<Vec<Part>> {
        let mut used: HashSet<String> = (1..=20).map(|at| format!("key_{at}")).collect();
        used.extend(["row_no", "part", "place", "level"].map(str::to_owned));
        let base = self.base();
        let mut all = Vec::new();
        for (at, column) in query.columns.iter().enumerate() {
            let ty = column.ty();
            let same = |part: usize| {
                ty == Type::MONEY
                    && part == 1
                    && branches.iter().all(|branch| branch.columns[at][1] == base)
            };
            let parts = endings(&ty, mode)
                .iter()
                .enumerate()
                .map(|(part, ending)| match same(part) {
                    true => Part::Same(base.clone()),
                    false => Part::Column(distinct(&mut used, &column.name, ending)),
                })
                .collect();
            all.push(parts);
        }
        all
    }

    /// The columns of a select under a name.
    pub(super) fn slots(&self, alias: &str, columns: &[Vec<Part>]) -> Vec<Vec<Sql>> {
        let part = |part: &Part| match part {
            Part::Column(column) => Sql::atom(format!("{}.{}", name(alias), heading(column))),
            Part::Same(sql) => sql.clone(),
        };
        columns
            .iter()
            .map(|parts| parts.iter().map(part).collect())
            .collect()
    }
}

/// The endings of the names of a value's parts.
pub(super) fn endings(ty: &Type, mode: Mode) -> &'static [&'static str] {
    match (ty.field_type(), mode) {
        (FieldType::Money, Mode::Shown) => &["", "_currency"],
        (FieldType::Money, _) => &["_e4", "_currency"],
        (FieldType::Period, _) => &["_start", "_end"],
        (FieldType::AnyReference(_), _) => &["", "_kind"],
        (FieldType::DateTime, Mode::Rows | Mode::List) => &["_us"],
        _ => &[""],
    }
}

/// A name that nothing else of `used` has.
pub(super) fn distinct(used: &mut HashSet<String>, name: &str, ending: &str) -> String {
    let line: Vec<&str> = name.split_whitespace().collect();
    let wanted = format!("{}{ending}", line.join(" "));
    let mut found = wanted.clone();
    let mut number = 2;
    while !used.insert(found.to_lowercase()) {
        found = format!("{wanted}_{number}");
        number += 1;
    }
    found
}

/// The columns that a select with these parts has, as SQL names them.
pub(super) fn names_of(columns: &[Vec<Part>]) -> Vec<String> {
    let column = |part: &Part| match part {
        Part::Column(column) => Some(heading(column)),
        Part::Same(_) => None,
    };
    columns.iter().flatten().filter_map(column).collect()
}
