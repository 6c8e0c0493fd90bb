//! Functions of values of one record.

use super::fragment::{self, Level, Sql};
use super::frame::Frame;
use super::translate::Translator;
use super::untranslatable;
use super::value::{internal, width};
use crate::error::Result;
use crate::query::bind::{Expr, Function, Type};
use crate::value::{FieldType, Money, Value};

impl Translator<'_> {
    pub(super) fn function(
        &self,
        frame: &Frame<'_>,
        function: Function,
        arguments: &[Expr],
        expr: &Expr,
    ) -> Result<Vec<Sql>> {
        let first = || self.value(frame, &arguments[0]);
        let one = |sql: Sql| Ok(vec![sql]);
        match function {
            Function::If => {
                let [test, yes, no] = arguments else {
                    return Err(internal(expr));
                };
                let test = self.condition(frame, test)?.sql.text;
                let yes = self.typed(frame, yes, expr)?;
                let no = self.typed(frame, no, expr)?;
                let choice = |(yes, no): (&Sql, &Sql)| match no.is_null() {
                    true => Sql::atom(format!("CASE WHEN {test} THEN {} END", yes.text)),
                    false if yes == no => yes.clone(),
                    false => Sql::atom(format!(
                        "CASE WHEN {test} THEN {} ELSE {} END",
                        yes.text, no.text
                    )),
                };
                Ok(yes.iter().zip(&no).map(choice).collect())
            }
            Function::Coalesce => {
                let values = arguments
                    .iter()
                    .map(|argument| self.typed(frame, argument, expr))
                    .collect::<Result<Vec<_>>>()?;
                let part = |at: usize| {
                    let parts: Vec<&Sql> = values.iter().map(|value| &value[at]).collect();
                    match parts.iter().all(|part| *part == parts[0]) {
                        true => parts[0].clone(),
                        false => Sql::call("coalesce", &parts),
                    }
                };
                Ok((0..width(&expr.ty)).map(part).collect())
            }
            Function::Least | Function::Greatest => self.extreme(frame, function, arguments, expr),
            Function::Abs => {
                let mut parts = first()?;
                parts[0] = Sql::call("abs", &[&parts[0]]);
                Ok(parts)
            }
            Function::Round | Function::Floor | Function::Ceil => {
                self.rounded(frame, function, arguments)
            }
            Function::Lower | Function::Upper => {
                Err(untranslatable("the case of letters", &expr.span)
                    .hint("SQL changes the case of plain letters only, if of any others"))
            }
            Function::Length => one(Sql::call("length", &[&first()?[0]])),
            Function::Concat => {
                let mut texts = Vec::new();
                for argument in arguments {
                    let part = self.value(frame, argument)?.remove(0);
                    texts.push(match argument.as_constant() {
                        Some(Value::Missing) => continue,
                        Some(_) => part.text,
                        None => format!("coalesce({}, '')", part.text),
                    });
                }
                one(match texts.is_empty() {
                    true => Sql::atom("''"),
                    false => Sql::atom(format!("({})", texts.join(" || "))),
                })
            }
            Function::Weekday => one(self.dialect.weekday(&first()?[0])),
            Function::MonthOfYear => one(self.dialect.month_of_year(&first()?[0])),
            Function::Days => {
                let to = self.value(frame, &arguments[1])?;
                one(self.dialect.days_between(&first()?[0], &to[0]))
            }
            Function::DaysOf => {
                let parts = first()?;
                one(match parts.get(1) {
                    Some(end) => self.dialect.days_between(&parts[0], end),
                    None => self.dialect.quotient(&parts[0], 86_400),
                })
            }
            Function::PeriodStart => one(first()?.remove(0)),
            Function::PeriodEnd => {
                let mut parts = first()?;
                one(parts.remove(parts.len() - 1))
            }
            Function::Currency => {
                let parts = first()?;
                one(Sql::atom(format!(
                    "CASE WHEN {} IS NOT NULL THEN {} END",
                    parts[0].at(Level::Sum),
                    parts[1].text
                )))
            }
            Function::Revision => Err(untranslatable("`revision`", &expr.span)
                .hint("the tables have no numbers of transactions")),
            _ => Err(untranslatable("this function", &expr.span)
                .hint("SQL has none like it: working time and likeness are the book's own")),
        }
    }

    /// A value in as many parts as the expression it is a choice of.
    fn typed(&self, frame: &Frame<'_>, value: &Expr, expr: &Expr) -> Result<Vec<Sql>> {
        if let Type::Tags(..) = value.ty {
            return Err(untranslatable("computed tags", &value.span));
        }
        match value.ty {
            Type::Missing => Ok(vec![Sql::null(); width(&expr.ty)]),
            _ => self.value(frame, value),
        }
    }

    /// The least or greatest of those that are there.
    fn extreme(
        &self,
        frame: &Frame<'_>,
        function: Function,
        arguments: &[Expr],
        expr: &Expr,
    ) -> Result<Vec<Sql>> {
        let mut values = Vec::new();
        let mut rest = Vec::new();
        for argument in arguments {
            let mut parts = self.typed(frame, argument, expr)?;
            rest = parts.split_off(1);
            values.append(&mut parts);
        }
        if !rest.is_empty() && expr.ty != Type::MONEY {
            return Err(untranslatable("the order of these", &expr.span));
        }
        let least = function == Function::Least;
        let all: Vec<&Sql> = values.iter().collect();
        let picked = match all.as_slice() {
            [one] => (*one).clone(),
            [a, b] => {
                let picked = Sql::call(self.dialect.extreme(least), &[a, b]);
                Sql::call("coalesce", &[&picked, a, b])
            }
            _ => {
                let items: Vec<String> = all
                    .iter()
                    .enumerate()
                    .map(|(at, value)| match at {
                        0 => format!("SELECT {} AS item", value.text),
                        _ => format!("SELECT {}", value.text),
                    })
                    .collect();
                let aggregate = if least { "min" } else { "max" };
                Sql::atom(format!(
                    "(SELECT {aggregate}(item) FROM ({}) AS items)",
                    items.join(" UNION ALL ")
                ))
            }
        };
        rest.insert(0, picked);
        Ok(rest)
    }

    fn rounded(
        &self,
        frame: &Frame<'_>,
        function: Function,
        arguments: &[Expr],
    ) -> Result<Vec<Sql>> {
        let digits = match arguments.get(1) {
            None => 0,
            Some(digits) => match self.closed(digits)?.as_ref().or(digits.as_constant()) {
                Some(Value::Integer(n)) => *n,
                _ => {
                    let what = "rounding to digits that differ by record";
                    return Err(untranslatable(what, &digits.span));
                }
            },
        };
        let word = match function {
            Function::Floor => "floor",
            Function::Ceil => "ceil",
            _ => "round",
        };
        let value = &arguments[0];
        let mut parts = self.value(frame, value)?;
        let floating = matches!(
            value.ty.field_type(),
            FieldType::Number | FieldType::Percent
        );
        let places = u32::try_from(digits.unsigned_abs().min(15)).unwrap_or(15);
        let power = 10_i64.pow(places);
        let call = |sql: &Sql| Sql::call(word, &[sql]);
        let factor = fragment::number(power as f64);
        let scaled = |sql: &Sql, operator| Sql::binary(sql, operator, &factor, Level::Product);
        parts[0] = if floating {
            match digits {
                0 => call(&parts[0]),
                1.. => scaled(&call(&scaled(&parts[0], "*")), "/"),
                _ => scaled(&call(&scaled(&parts[0], "/")), "*"),
            }
        } else {
            // In the smallest unit, which is a whole number.
            let unit = match value.ty {
                Type::MONEY => Money::SCALE,
                _ => 1,
            };
            let step = match digits {
                0.. => unit / power,
                _ => unit.saturating_mul(power),
            };
            if step <= 1 {
                return Ok(parts);
            }
            let step = fragment::integer(step);
            let share = Sql::binary(&parts[0].double(), "/", &step, Level::Product);
            let whole = Sql::atom(format!("CAST({} AS BIGINT)", call(&share).text));
            Sql::binary(&whole, "*", &step, Level::Product)
        };
        Ok(parts)
    }
}
