//! Comparisons that no record can meet, whatever the data: most likely another thing was meant.

use super::binder::Binder;
use super::{Expr, Function, Node, Type};
use crate::error::{Code, Error, Result};
use crate::query::syntax::{self, BinaryOp, ExprKind, Literal};
use crate::value::{FieldType, Period, Unit, Value};

impl Binder<'_> {
    /// Refuses a bucket beside what never is one, a part of the calendar beside a number it never
    /// has, and a percentage beside a bare number above 1.
    pub(super) fn check_possible(
        &self,
        op: BinaryOp,
        trees: [&syntax::Expr; 2],
        bound: [&Expr; 2],
    ) -> Result<()> {
        for (at, other) in [(0, 1), (1, 0)] {
            self.check_percent(op, trees, bound, (at, other))?;
            match &bound[at].node {
                Node::Bucket { unit, .. } => {
                    self.check_bucket(op, *unit, (trees[at], trees[other]), bound[other])?;
                }
                Node::Function { function, .. } if is_equality(op) => {
                    let (last, what) = match function {
                        Function::MonthOfYear => (12, "month_of_year counts from 1 to 12"),
                        Function::Weekday => (7, "weekday counts from 1, Monday, to 7, Sunday"),
                        _ => continue,
                    };
                    if let Some(Value::Integer(n)) = bound[other].as_constant()
                        && !(1..=last).contains(n)
                    {
                        let message = format!("`{}` is never {n}", trees[at]);
                        return Err(Error::new(Code::BadLiteral, message)
                            .at(bound[other].span.clone())
                            .hint(what));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn check_percent(
        &self,
        op: BinaryOp,
        trees: [&syntax::Expr; 2],
        bound: [&Expr; 2],
        (at, other): (usize, usize),
    ) -> Result<()> {
        let n = match trees[other].kind {
            ExprKind::Literal(Literal::Integer(n)) => n as f64,
            ExprKind::Literal(Literal::Number(n)) => n,
            _ => return Ok(()),
        };
        if bound[at].ty != Type::Plain(FieldType::Percent) || n.abs() <= 1.0 {
            return Ok(());
        }
        let [left, right] = [at, other].map(|side| &trees[side]);
        let all = Literal::Percent(n);
        let message = format!("`{left}` is a percentage, and `{right}` a number: {all}");
        let written = |percent: &str| match at {
            0 => format!("{left} {op} {percent}"),
            _ => format!("{percent} {op} {left}"),
        };
        let (meant, said) = (written(&format!("{right}%")), written(&all.to_string()));
        Err(Error::new(Code::TypeMismatch, message)
            .at(bound[other].span.clone())
            .expected("a percentage such as 40% or 0.4")
            .hint(format!("write `{meant}`, or `{said}` if that is meant")))
    }

    fn check_bucket(
        &self,
        op: BinaryOp,
        unit: Unit,
        (bucket, tree): (&syntax::Expr, &syntax::Expr),
        other: &Expr,
    ) -> Result<()> {
        let years = matches!(unit, Unit::Year | Unit::FiscalYear);
        if let ExprKind::Literal(Literal::Integer(n)) = tree.kind
            && !years
            && n < 1000
        {
            let message = format!("`{bucket}` is a period, and `{n}` a number");
            let error = Error::new(Code::TypeMismatch, message)
                .at(other.span.clone())
                .expected("a period such as 2026-05 or 2026-Q2");
            return Err(match unit {
                Unit::Month => {
                    error.hint(format!("the number of the month: month_of_year(...) = {n}"))
                }
                Unit::Day => error.hint("the number of the day in the week: weekday(...) = 1"),
                _ => error,
            });
        }
        if !is_equality(op) {
            return Ok(());
        }
        let (never, is) = match &other.node {
            Node::Constant(Value::Period(period)) => {
                let own = Period::of_unit(unit, period.start(), 0, self.clock)?;
                (own != *period, self.kind_of(*period))
            }
            Node::RelativePeriod { unit: of, .. } | Node::Bucket { unit: of, .. } => {
                (length(*of) != length(unit), name(*of))
            }
            _ => return Ok(()),
        };
        if !never {
            return Ok(());
        }
        let is = if is == name(unit) {
            "another period"
        } else {
            is
        };
        let message = format!("`{bucket}` is {}, and `{tree}` {is}", name(unit));
        let error = Error::new(Code::TypeMismatch, message).at(other.span.clone());
        let ExprKind::Call(call) = &bucket.kind else {
            return Err(error.hint(format!("for all within write `{bucket} in {tree}`")));
        };
        let value = &call.arguments[0];
        let not = if op == BinaryOp::Equal { "" } else { "not " };
        Err(error.hint(match is {
            "a year" | "a fiscal year" => {
                let function = if is == "a year" {
                    "year"
                } else {
                    "fiscal_year"
                };
                format!("write `{function}({value}) {op} {tree}` or `{value} {not}in {tree}`")
            }
            _ => format!("write `{value} {not}in {tree}`"),
        }))
    }

    /// What a period is called by its length.
    fn kind_of(&self, period: Period) -> &'static str {
        let units = [
            Unit::Day,
            Unit::Week,
            Unit::Month,
            Unit::Quarter,
            Unit::Year,
            Unit::FiscalMonth,
            Unit::FiscalQuarter,
            Unit::FiscalYear,
        ];
        let is = |unit: &Unit| {
            let own = Period::of_unit(*unit, period.start(), 0, self.clock);
            own.is_ok_and(|own| own == period)
        };
        units.into_iter().find(is).map_or("another period", name)
    }
}

fn is_equality(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::Equal | BinaryOp::NotEqual)
}

/// Months, or fractions of one: units of other lengths never are the same period.
fn length(unit: Unit) -> u8 {
    match unit {
        Unit::Minute => 0,
        Unit::Hour => 1,
        Unit::Day => 2,
        Unit::Week => 3,
        Unit::Month | Unit::FiscalMonth => 4,
        Unit::Quarter | Unit::FiscalQuarter => 5,
        Unit::Year | Unit::FiscalYear => 6,
    }
}

fn name(unit: Unit) -> &'static str {
    match unit {
        Unit::Minute => "a minute",
        Unit::Hour => "an hour",
        Unit::Day => "a day",
        Unit::Week => "a week",
        Unit::Month => "a month",
        Unit::Quarter => "a quarter",
        Unit::Year => "a year",
        Unit::FiscalMonth => "a fiscal month",
        Unit::FiscalQuarter => "a fiscal quarter",
        Unit::FiscalYear => "a fiscal year",
    }
}
