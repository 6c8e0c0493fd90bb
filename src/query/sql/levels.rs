//! Aggregates that need their rows in order: percentiles, the first and the last, deviations,
//! lists. The rows are numbered by window functions, which all of SQL has, and then picked.

use super::aggregate::is_json_in_lists;
use super::fragment::{Level, Sql, name};
use super::order::Key;
use super::translate::Translator;
use crate::error::Result;
use crate::query::bind::{Aggregate, AggregateFunction};
use crate::value::FieldType;

/// Columns that number the rows, and the aggregate over the numbered rows.
pub(super) struct Ranked {
    /// Items of the inner select, with their aliases.
    pub columns: Vec<String>,
    pub parts: Vec<Sql>,
}

impl Translator<'_> {
    /// The aggregate called `base` over `values`, which the numbered rows have under `names`,
    /// within each group of `partition`.
    #[allow(
        clippy::too_many_arguments,
        reason = "each is another part of one select"
    )]
    pub(super) fn ranked(
        &self,
        aggregate: &Aggregate,
        base: &str,
        values: &[Sql],
        names: &[Sql],
        by: &[Key],
        tie: &Key,
        partition: &[String],
    ) -> Result<Ranked> {
        use AggregateFunction as A;
        let (inner, value) = (&values[0].text, &names[0].text);
        let column = |ending: &str| name(&format!("{base}_{ending}"));
        let repeats = matches!(
            aggregate.function,
            A::First | A::Last | A::Minimum | A::Maximum
        );
        if aggregate.distinct && !repeats {
            return Err(self.unsaid(aggregate, "`distinct` in this aggregate"));
        }
        match aggregate.function {
            A::Percentile(part) => {
                // The wanted place may lie between two values: each counts the more the nearer
                // it is. In hundredths the place is a whole number.
                let away = column("away");
                let percent = (part * 100.0).round() as i64;
                let order = [format!("{inner} NULLS LAST")];
                let place = format!("row_number() {} - 1", over(partition, &order, ""));
                let last = format!("(count({inner}) {} - 1)", over(partition, &[], ""));
                let columns = vec![format!(
                    "abs({place} - {percent} * {last} / 100.0) AS {away}"
                )];
                let sql = format!("sum({value} * (1 - {away})) FILTER (WHERE {away} < 1)");
                let whole = !matches!(
                    aggregate.ty.field_type(),
                    FieldType::Number | FieldType::Percent
                );
                let sql = match whole {
                    true => format!("CAST(floor({sql} + 0.5) AS BIGINT)"),
                    false => sql,
                };
                let sql = Sql::atom(sql);
                Ok(self.of_amounts(aggregate, columns, sql))
            }
            A::Deviation => {
                let mean = column("mean");
                let columns = vec![format!(
                    "avg({inner}) {} AS {mean}",
                    over(partition, &[], "")
                )];
                let sql = Sql::atom(format!(
                    "sqrt(sum(({value} - {mean}) * ({value} - {mean})) / \
                     nullif(count({value}) - 1, 0))"
                ));
                let whole = matches!(
                    aggregate.ty.field_type(),
                    FieldType::Money | FieldType::Duration
                );
                let sql = if whole { sql.whole() } else { sql };
                Ok(self.of_amounts(aggregate, columns, sql))
            }
            A::Correlation | A::Slope => {
                let [x, y] = names else {
                    return Err(self.unsaid(aggregate, "this aggregate"));
                };
                let means = [column("mean"), column("mean_2")];
                let columns = values.iter().zip(&means).map(|(value, mean)| {
                    format!("avg({}) {} AS {mean}", value.text, over(partition, &[], ""))
                });
                let away = |of: &Sql, mean: &str| format!("({} - {mean})", of.text);
                let (x_away, y_away) = (away(x, &means[0]), away(y, &means[1]));
                let sum = |a: &str, b: &str| format!("sum({a} * {b})");
                let (both, squares) = (sum(&x_away, &y_away), sum(&x_away, &x_away));
                // Numbers that are all the same have no line through them.
                let varies = |of: &Sql| format!("min({0}) < max({0})", of.text);
                let sql = match aggregate.function {
                    A::Slope => format!("CASE WHEN {} THEN {both} / {squares} END", varies(x)),
                    _ => format!(
                        "CASE WHEN {} AND {} THEN {both} / (sqrt({squares}) * sqrt({})) END",
                        varies(x),
                        varies(y),
                        sum(&y_away, &y_away)
                    ),
                };
                Ok(Ranked {
                    columns: columns.collect(),
                    parts: vec![Sql::atom(sql)],
                })
            }
            A::List => {
                let list = column("list");
                let mut order: Vec<String> = by.iter().map(Key::text).collect();
                order.push(tie.text());
                let rows = " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING";
                let window = over(partition, &order, rows);
                let whole = match aggregate.argument.as_ref().is_some_and(is_json_in_lists) {
                    true => self.dialect.array_over(inner, &window),
                    false => format!("group_concat({inner}, ', ') {window}"),
                };
                let columns = vec![format!("{whole} AS {list}")];
                let parts = vec![Sql::atom(format!("max({list})"))];
                Ok(Ranked { columns, parts })
            }
            _ => {
                let place = column("place");
                let last = aggregate.function == A::Last;
                let mut order: Vec<String> = by.iter().map(|key| key.reversed_if(last)).collect();
                order.push(tie.reversed_if(last));
                let mut partition = partition.to_vec();
                partition.push(format!("{} IS NULL", values[0].at(Level::Sum)));
                let columns = vec![format!(
                    "row_number() {} AS {place}",
                    over(&partition, &order, "")
                )];
                let picked = |part: &Sql| match part.text.starts_with('\'') {
                    true => part.clone(),
                    false => Sql::atom(format!(
                        "max({}) FILTER (WHERE {place} = 1 AND {value} IS NOT NULL)",
                        part.text
                    )),
                };
                let parts = names.iter().map(picked).collect();
                Ok(Ranked { columns, parts })
            }
        }
    }

    fn of_amounts(&self, aggregate: &Aggregate, columns: Vec<String>, sql: Sql) -> Ranked {
        let mut parts = vec![sql];
        if aggregate.ty.field_type() == FieldType::Money {
            parts.push(self.base());
        }
        Ranked { columns, parts }
    }
}

/// The window of a group's rows in an order.
pub(super) fn over(partition: &[String], order: &[String], rows: &str) -> String {
    let mut words = Vec::new();
    if !partition.is_empty() {
        words.push(format!("PARTITION BY {}", partition.join(", ")));
    }
    if !order.is_empty() {
        words.push(format!("ORDER BY {}", order.join(", ")));
    }
    format!("OVER ({}{rows})", words.join(" "))
}
