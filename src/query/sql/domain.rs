//! `with empty`: every value that a group's keys may have.

use super::fragment::{self, Sql, heading, name};
use super::frame::Row;
use super::parts::Part;
use super::select::Select;
use super::translate::Translator;
use super::untranslatable;
use super::value::internal;
use crate::error::Result;
use crate::query::bind::{Expr, Function, Group, Node, Query, Type};
use crate::query::exec::{asked_period, boundless, computed};
use crate::query::plan;
use crate::value::{FieldType, Period, Unit};

impl Translator<'_> {
    /// All combinations of the values that the keys may have; `seen` is the table of the records.
    pub(super) fn domain(
        &self,
        query: &Query,
        group: &Group,
        names: &[Vec<Part>],
        seen: &str,
    ) -> Result<Select> {
        let mut select = Select::default();
        let mut tables = Vec::new();
        for (at, (key, parts)) in group.keys.iter().zip(names).enumerate() {
            let columns = parts.iter().map(|part| match part {
                Part::Column(column) => Ok(heading(column)),
                Part::Same(_) => Err(internal(key)),
            });
            let columns = columns.collect::<Result<Vec<_>>>()?;
            let (values, table) = self.values_of(query, (at, key), &columns, seen)?;
            let named = values.iter().zip(&columns);
            select
                .columns
                .extend(named.map(|(value, column)| format!("{value} AS {column}")));
            tables.push(table);
        }
        select.from = tables.join(" CROSS JOIN ");
        Ok(select)
    }

    /// The values of one key, and the table that has them.
    fn values_of(
        &self,
        query: &Query,
        (at, key): (usize, &Expr),
        columns: &[String],
        seen: &str,
    ) -> Result<(Vec<String>, String)> {
        let among = |hint: &str, column: &str, table: &str| {
            let alias = name(&self.alias(hint));
            (
                vec![format!("{alias}.{column}")],
                format!("{table} AS {alias}"),
            )
        };
        let whole = |last: u8| {
            let all: Vec<_> = (2..=last).map(|n| format!("SELECT {n}")).collect();
            format!("(SELECT 1 AS number UNION ALL {})", all.join(" UNION ALL "))
        };
        Ok(match (&key.ty, computed(key)) {
            (Type::Label(object, field), _) => {
                let Some(labels) = &self.columns_of(*object, *field).labels else {
                    return Err(internal(key));
                };
                among(labels, "label", &name(labels))
            }
            (Type::Plain(FieldType::Boolean), _) => {
                let both = "(SELECT FALSE AS truth UNION ALL SELECT TRUE)";
                among("truth", "truth", both)
            }
            (Type::Plain(FieldType::Reference(object)), _) => {
                let (tables, row) = self.open(*object);
                let Row::Record { object, alias } = row else {
                    return Err(internal(key));
                };
                (vec![self.id_of(object, &alias).text], tables.base)
            }
            (_, Node::Bucket { unit, .. }) => {
                let [start, end] = columns else {
                    return Err(internal(key));
                };
                self.periods(query, (at, key), *unit, [start, end], seen)?
            }
            (
                _,
                Node::Function {
                    function: Function::MonthOfYear,
                    ..
                },
            ) => among("months", "number", &whole(12)),
            (
                _,
                Node::Function {
                    function: Function::Weekday,
                    ..
                },
            ) => among("weekdays", "number", &whole(7)),
            _ => return Err(boundless(key)),
        })
    }

    /// The periods of the span that the query asks for, else of the one that its records have.
    fn periods(
        &self,
        query: &Query,
        (at, key): (usize, &Expr),
        unit: Unit,
        [start, end]: [&String; 2],
        seen: &str,
    ) -> Result<(Vec<String>, String)> {
        if !self.given.borrow().is_empty() {
            let what = "`with empty` over periods in a query about the record around it";
            return Err(untranslatable(what, &key.span));
        }
        // Folded as it runs, since there the condition and the key are told to be of one day.
        let run = plan::fold(query, self.context)?;
        let keys = run.group.as_ref().map_or(&[][..], |group| &group.keys);
        let asked = run.filter.as_ref().zip(keys.get(at));
        let asked = asked.and_then(|(filter, key)| asked_period(filter, key));
        let (first, last) = match asked {
            Some(asked) => {
                let first = Period::of_unit(unit, asked.start(), 0, self.context.clock)?;
                let day = |day| fragment::date(day, self.dialect).text;
                let none = match asked.start() < asked.end() {
                    true => "",
                    false => " WHERE FALSE",
                };
                (
                    format!("SELECT {}{none}", day(first.start())),
                    day(asked.end()),
                )
            }
            None => {
                let seen = self.base_of(seen);
                (
                    format!("SELECT min({start}) FROM {seen}"),
                    format!("(SELECT max({end}) FROM {seen})"),
                )
            }
        };
        let next = self
            .dialect
            .end_of(unit, &Sql::atom("starts.day".to_owned()))
            .text;
        let alias = name(&self.alias("periods"));
        let table = format!(
            "(WITH RECURSIVE starts (day) AS ({first} UNION ALL SELECT {next} FROM starts \
             WHERE {next} < {last}) SELECT day, {next} AS later FROM starts \
             WHERE day IS NOT NULL) AS {alias}"
        );
        Ok((
            vec![format!("{alias}.day"), format!("{alias}.later")],
            table,
        ))
    }
}
