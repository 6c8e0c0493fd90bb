//! Grouped queries: groups, subtotals and totals as selects before the statement.

use super::aggregate::is_ranked;
use super::fragment::{Sql, heading, indent, name};
use super::frame::{Frame, Row, Tables};
use super::names::plain;
use super::order::{Key, Order};
use super::parts::{Part, distinct};
use super::rows::Branch;
use super::select::Select;
use super::subtotal::by_sums;
use super::translate::{Mode, Translator};
use crate::error::Result;
use crate::query::bind::{Aggregate, Expr, Group, Node, Query};
use crate::query::exec::computed;
use crate::value::ObjectId;
use std::collections::HashSet;

/// The records of a grouped query as columns: keys, then what each aggregate takes.
pub(super) struct Records {
    pub table: String,
    pub aggregates: Vec<Columns>,
}

/// What one aggregate takes, by the names of its columns.
pub(super) struct Columns {
    base: String,
    values: Vec<Sql>,
    by: Vec<Key>,
    /// Of one over a collection: the record that has it, for each of the group's.
    pub from: Option<Sql>,
}

impl Translator<'_> {
    pub(super) fn grouped(
        &self,
        query: &Query,
        group: &Group,
        mode: Mode,
        branches: &mut Vec<Branch>,
    ) -> Result<()> {
        if group.rollup {
            self.check_rollup(query, group)?;
        }
        let names = self.group_names(query, group);
        let full = group.keys.len();
        let more = group.empty || group.rollup || group.totals && full > 0;
        let apart = |aggregate: &Aggregate| is_ranked(aggregate) || aggregate.over.is_some();
        let simple = !more && !group.aggregates.iter().any(apart);
        let hierarchy = self.rolled_up(group);
        let mut totals = Vec::new();
        let groups = match simple {
            true => self.simple_groups(query, group, &names)?,
            false => {
                let mut records = self.records(query, group, &names, hierarchy)?;
                let groups = self.level(group, &records, &names, full)?;
                let mut groups = self.common("grouped", groups);
                if let Some(object) = hierarchy {
                    groups = self.in_tree(query, group, &groups, object, &names)?;
                }
                let summed = group.subtotals || group.rollup && !by_sums(query).is_empty();
                let depths = if summed { 1..full } else { 0..0 };
                let total = (group.totals && full > 0).then_some(0);
                let depths: Vec<usize> = depths.rev().chain(total).collect();
                if hierarchy.is_some() && !depths.is_empty() {
                    records = self.records(query, group, &names, None)?;
                }
                for depth in depths {
                    let text = self.level(group, &records, &names, depth)?;
                    let hint = if depth > 0 { "subtotals" } else { "total" };
                    totals.push((depth, self.common(hint, text)));
                }
                groups
            }
        };
        let mut rows = self.group_branch(query, group, (&groups, &totals), &names, mode)?;
        totals.retain(|(depth, _)| *depth == 0 || group.subtotals);
        if totals.iter().any(|(depth, _)| *depth > 0) {
            let keys = self.key_columns(&groups, &names[..full]);
            let key = |(at, key): (usize, &String)| format!("{key} AS key_{}", at + 1);
            rows.keys = keys.iter().enumerate().map(key).collect();
        }
        branches.push(rows);
        for (depth, table) in totals {
            let mut rows = self.total_branch(query, &table, &names, mode)?;
            if depth > 0 {
                rows.sums = Some(self.key_columns(&table, &names[..depth]));
            }
            branches.push(rows);
        }
        Ok(())
    }

    fn group_branch(
        &self,
        query: &Query,
        group: &Group,
        (groups, totals): (&str, &[(usize, String)]),
        names: &[Vec<Part>],
        mode: Mode,
    ) -> Result<Branch> {
        let (base, sums) = self.with_sums(query, groups, totals, names);
        let tables = Tables::new(base);
        let frame = Frame {
            tables: &tables,
            row: Row::Slots(self.slots(groups, names).into()),
        };
        let mut filter = Vec::new();
        let hierarchy = self.rolled_up(group);
        if let Some(having) = query.having.as_ref().filter(|_| hierarchy.is_none()) {
            filter = self.conjuncts(&frame, having)?;
        }
        let mut order = self.order(&frame, query)?;
        let slots: Vec<Expr> = group
            .keys
            .iter()
            .enumerate()
            .map(|(at, key)| Expr::new(Node::Slot(at), key.ty.clone(), &key.span))
            .collect();
        // What one subtotal sums stands together: the first keys come before the order asked for.
        let first = if group.rollup {
            slots.len().saturating_sub(1)
        } else {
            0
        };
        let mut before = Vec::new();
        for (at, slot) in slots[..first].iter().enumerate() {
            if let Some(row) = sums.get(at) {
                let frame = Frame {
                    tables: &tables,
                    row: row.clone(),
                };
                before.extend(self.keys(&frame, &by_sums(query))?);
            }
            before.extend(self.ascending(&frame, slot)?);
        }
        if hierarchy.is_some() {
            before.push(self.by_tree(groups));
            order = Order {
                all: before,
                ..Order::default()
            };
            return self.branch(&frame, query, mode, filter, order);
        }
        let given = order.all.split_off(order.all.len() - order.given.len());
        order.all.extend(before.iter().cloned());
        order.all.extend(given);
        if order.ordered {
            before.append(&mut order.given);
            order.given = before;
        }
        for slot in &slots[first..] {
            order.all.extend(self.ascending(&frame, slot)?);
        }
        self.branch(&frame, query, mode, filter, order)
    }

    /// One select, where SQL's own grouping is enough.
    fn simple_groups(&self, query: &Query, group: &Group, names: &[Vec<Part>]) -> Result<String> {
        let (tables, row) = self.source(&query.source)?;
        let frame = Frame {
            tables: &tables,
            row,
        };
        let mut columns = Vec::new();
        let mut keys = Vec::new();
        let mut add = |parts: &[Part], values: Vec<Sql>| {
            for (part, value) in parts.iter().zip(values) {
                if let Part::Column(column) = part {
                    columns.push(format!("{} AS {}", value.text, heading(column)));
                }
            }
            columns.len()
        };
        for (key, parts) in group.keys.iter().zip(names) {
            let values = self.value(&frame, key)?;
            let texts: Vec<String> = values.iter().map(|value| value.text.clone()).collect();
            let before = add(parts, values);
            let own = parts.iter().filter(|part| matches!(part, Part::Column(_)));
            let own = own.count();
            keys.extend((before - own..before).zip(texts));
        }
        for (aggregate, parts) in group.aggregates.iter().zip(&names[group.keys.len()..]) {
            let taken = self.taken(&frame, aggregate)?;
            add(parts, self.plain(aggregate, &taken)?);
        }
        if columns.is_empty() {
            columns.push("count(*) AS present".to_owned());
        }
        let mut select = tables.select();
        select.columns = columns;
        if let Some(filter) = &query.filter {
            select.filter = self.conjuncts(&frame, filter)?;
        }
        // Joins may have come with the filter.
        select.joins = tables.select().joins;
        select.group = match keys.iter().all(|(_, text)| is_column(text)) {
            true => keys.into_iter().map(|(_, text)| text).collect(),
            false => keys.iter().map(|(at, _)| (at + 1).to_string()).collect(),
        };
        Ok(self.common("grouped", select.text()))
    }

    /// The records with their keys and what the aggregates take of them.
    /// Under `hierarchy` a record stands for every node that the one of its last key hangs on.
    fn records(
        &self,
        query: &Query,
        group: &Group,
        names: &[Vec<Part>],
        hierarchy: Option<ObjectId>,
    ) -> Result<Records> {
        let (tables, row) = self.source(&query.source)?;
        let frame = Frame {
            tables: &tables,
            row,
        };
        let mut columns = Vec::new();
        let mut nothing = Vec::new();
        let mut nodes = None;
        for (at, (key, parts)) in group.keys.iter().zip(names).enumerate() {
            let mut values = self.value(&frame, key)?;
            if let Some(object) = hierarchy.filter(|_| at + 1 == group.keys.len()) {
                let tree = self.tree(object)?;
                let above = Sql::atom(format!("{tree}.above"));
                let node = std::mem::replace(&mut values[0], above);
                nodes = Some(format!("LEFT JOIN {tree} ON {tree}.id = {}", node.text));
            }
            for (part, value) in parts.iter().zip(values) {
                if let Part::Column(column) = part {
                    columns.push(format!("{} AS {}", value.text, heading(column)));
                }
            }
        }
        let mut aggregates = Vec::new();
        let mut known: Vec<(String, String)> = Vec::new();
        let mut used: HashSet<String> = names
            .iter()
            .flatten()
            .filter_map(|part| match part {
                Part::Column(column) => Some(column.to_lowercase()),
                Part::Same(_) => None,
            })
            .chain(["row_no".to_owned(), "depth".to_owned()])
            .collect();
        for (at, aggregate) in group.aggregates.iter().enumerate() {
            let base = match names[group.keys.len() + at].first() {
                Some(Part::Column(column)) => column.clone(),
                _ => format!("value_{at}"),
            };
            let mut put = |ending: &str, sql: &Sql| {
                if let Some((_, column)) = known.iter().find(|(text, _)| *text == sql.text) {
                    return Sql::atom(column);
                }
                let own = sql.text.rsplit_once('.').map(|(_, column)| column);
                let own = own.filter(|_| is_column(&sql.text));
                let column = match own {
                    Some(own) => distinct(&mut used, &plain(own), ""),
                    None => distinct(&mut used, &base, ending),
                };
                let column = heading(&column);
                columns.push(format!("{} AS {column}", sql.text));
                nothing.push(format!("NULL AS {column}"));
                known.push((sql.text.clone(), column.clone()));
                Sql::atom(column)
            };
            if let Some(over) = &aggregate.over {
                let from = put("_from", &self.value(&frame, &over.from)?[0]);
                aggregates.push(Columns {
                    base,
                    values: Vec::new(),
                    by: Vec::new(),
                    from: Some(from),
                });
                continue;
            }
            let taken = self.taken(&frame, aggregate)?;
            let by = self.taken_by(&frame, aggregate)?;
            let mut values = Vec::new();
            let rows = taken.values.is_empty() && taken.filter.is_none() && !group.empty;
            for (at, value) in taken.filtered().iter().enumerate().filter(|_| !rows) {
                values.push(match (at, value.text.starts_with('\'')) {
                    (0, _) => put("_value", value),
                    (_, true) => value.clone(),
                    _ => put("_value_2", value),
                });
            }
            let ranked = is_ranked(aggregate);
            let by = by.into_iter().filter(|_| ranked);
            let by = by
                .map(|key| Key {
                    sql: put("_by", &key.sql),
                    descending: key.descending,
                    tie: false,
                })
                .collect();
            aggregates.push(Columns {
                base,
                values,
                by,
                from: None,
            });
        }
        columns.push(format!("{} AS row_no", self.tie(&frame).sql.text));
        nothing.push("NULL AS row_no".to_owned());
        let mut filter = Vec::new();
        if let Some(condition) = &query.filter {
            filter = self.conjuncts(&frame, condition)?;
        }
        let mut select = tables.select();
        select.joins.extend(nodes);
        select.columns = columns;
        select.filter = filter;
        let mut text = select.text();
        if group.empty {
            // Periods go from the first to the last that the records have.
            let is_period = |key: &Expr| matches!(computed(key), Node::Bucket { .. });
            let mut seen = String::new();
            if group.keys.iter().any(is_period) {
                seen = self.common("seen", text);
                text = format!("SELECT * FROM {}", self.base_of(&seen));
            }
            let mut domain = self.domain(query, group, names, &seen)?;
            domain.columns.extend(nothing);
            text = format!("{text}\nUNION ALL\n{}", domain.text());
        }
        Ok(Records {
            table: self.common("records", text),
            aggregates,
        })
    }

    /// The groups by the first `depth` keys.
    fn level(
        &self,
        group: &Group,
        records: &Records,
        names: &[Vec<Part>],
        depth: usize,
    ) -> Result<String> {
        let mut columns = Vec::new();
        let mut keys = Vec::new();
        for (at, parts) in names[..group.keys.len()].iter().enumerate() {
            for part in parts {
                if let Part::Column(column) = part {
                    let column = heading(column);
                    if at < depth {
                        keys.push(column.clone());
                        columns.push(column);
                    } else {
                        columns.push(format!("NULL AS {column}"));
                    }
                }
            }
        }
        let mut numbers = Vec::new();
        let tie = Key {
            sql: Sql::atom("row_no"),
            descending: false,
            tie: true,
        };
        for (at, (aggregate, taken)) in group.aggregates.iter().zip(&records.aggregates).enumerate()
        {
            if aggregate.over.is_some() {
                continue;
            }
            let values = match is_ranked(aggregate) {
                true => {
                    let ranked = self.ranked(
                        aggregate,
                        &taken.base,
                        &taken.values,
                        &taken.values,
                        &taken.by,
                        &tie,
                        &keys,
                    )?;
                    numbers.extend(ranked.columns);
                    ranked.parts
                }
                false => self.plain(
                    aggregate,
                    &super::aggregate::Taken {
                        values: taken.values.clone(),
                        filter: None,
                    },
                )?,
            };
            for (part, value) in names[group.keys.len() + at].iter().zip(values) {
                if let Part::Column(column) = part {
                    columns.push(format!("{} AS {}", value.text, heading(column)));
                }
            }
        }
        // Without keys it takes an aggregate for one row of all.
        if keys.is_empty() && group.aggregates.iter().all(|own| own.over.is_some()) {
            columns.push("count(*) AS present".to_owned());
        }
        let from = match numbers.is_empty() {
            true => self.base_of(&records.table),
            false => {
                let mut items = vec!["*".to_owned()];
                items.extend(numbers);
                let numbered = Select {
                    columns: items,
                    from: self.base_of(&records.table),
                    ..Select::default()
                };
                let alias = name(&self.alias("numbered"));
                format!("(\n{}\n) AS {alias}", indent(&numbered.text()))
            }
        };
        let select = Select {
            columns,
            from,
            group: keys.clone(),
            ..Select::default()
        };
        if records.aggregates.iter().all(|taken| taken.from.is_none()) {
            return Ok(select.text());
        }
        self.with_collections(group, records, names, &select, &keys)
    }
}

/// Whether an expression is nothing but a table's column.
fn is_column(text: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || "._\"".contains(c);
    text.contains('.') && text.chars().all(word)
}
