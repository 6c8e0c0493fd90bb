//! Functions over all rows of a result: total, rank, running, previous, growth.

use super::fragment::{Level, Sql};
use super::frame::Frame;
use super::levels::over;
use super::order::Key;
use super::translate::Translator;
use super::untranslatable;
use super::value::internal;
use crate::error::Result;
use crate::query::bind::{Expr, Type, Window, WindowFunction};

impl Translator<'_> {
    /// A function over the rows of the query at hand, within each group of `limit ... per`.
    pub(super) fn window(
        &self,
        frame: &Frame<'_>,
        window: &Window,
        expr: &Expr,
    ) -> Result<Vec<Sql>> {
        let Some(order) = self.over.borrow().last().cloned() else {
            return Err(internal(expr));
        };
        let all: Vec<String> = order.all.iter().map(Key::text).collect();
        if all.iter().any(|key| key.contains(" OVER (")) {
            return Err(untranslatable(
                "a function over the rows in an order that is made of others",
                &expr.span,
            ));
        }
        if all.is_empty() && window.function.is_ordered() {
            return Err(untranslatable("this order", &expr.span));
        }
        let Some(argument) = &window.argument else {
            // Tied rows share a rank; without an order there are no ties.
            let given: Vec<String> = order.given.iter().map(Key::text).collect();
            return Ok(vec![Sql::atom(match order.ordered {
                true => format!("rank() {}", over(&order.partition, &given, "")),
                false => format!("row_number() {}", over(&order.partition, &all, "")),
            })]);
        };
        let mut parts = self.value(frame, argument)?;
        let value = parts[0].clone();
        let before = |part: &Sql| match part.text.starts_with('\'') {
            true => part.clone(),
            false => Sql::atom(format!(
                "lag({}) {}",
                part.text,
                over(&order.partition, &all, "")
            )),
        };
        parts[0] = match window.function {
            WindowFunction::Total => Sql::atom(format!(
                "coalesce(sum({}) {}, 0)",
                value.text,
                over(&order.partition, &[], "")
            )),
            WindowFunction::Running => Sql::atom(format!(
                "coalesce(sum({}) {}, 0)",
                value.text,
                over(&order.partition, &all, " ROWS UNBOUNDED PRECEDING")
            )),
            WindowFunction::Previous => return Ok(parts.iter().map(before).collect()),
            WindowFunction::Growth => {
                let before = before(&value);
                let more = Sql::binary(&value, "-", &before, Level::Sum).double();
                let base = Sql::atom(format!("nullif({}, 0)", before.text));
                return Ok(vec![Sql::binary(&more, "/", &base, Level::Product)]);
            }
            WindowFunction::Quartile => {
                // No row lies between the two neighbours of a bound: so the part of the rows that
                // is less tells on which side of it a value is.
                let there = format!("{} IS NULL", value.at(Level::Sum));
                let mut partition = order.partition.clone();
                partition.push(there);
                let part = over(&partition, std::slice::from_ref(&value.text), "");
                return Ok(vec![Sql::atom(format!(
                    "CASE WHEN {} IS NOT NULL THEN \
                     CAST({}(1, ceil(4 * percent_rank() {part})) AS BIGINT) END",
                    value.at(Level::Sum),
                    self.dialect.extreme(false)
                ))]);
            }
            WindowFunction::Rank => return Err(internal(expr)),
        };
        if expr.ty == Type::MONEY {
            parts.truncate(1);
            parts.push(self.base());
        }
        Ok(parts)
    }
}
