//! Printing expressions and literals, with parentheses only where the tree needs them.

use super::{Path, function, list, quoted};
use crate::query::syntax::ast::{BinaryOp, BusinessUnit, Call, Expr, ExprKind, Literal};
use crate::query::syntax::parser::move_point;
use crate::value::{Date, Period, Unit};
use std::fmt::{self, Display, Formatter, Write};

/// How tightly an expression holds together; a looser one inside a tighter needs parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Or,
    And,
    Not,
    Comparison,
    Sum,
    Product,
    Unary,
    Operand,
}

impl Level {
    fn of(expr: &Expr) -> Self {
        match &expr.kind {
            ExprKind::Binary { op, .. } => Self::of_operator(*op),
            ExprKind::Not(_) => Self::Not,
            ExprKind::In { .. } | ExprKind::Between { .. } | ExprKind::Is { .. } => {
                Self::Comparison
            }
            ExprKind::Negate(_) => Self::Unary,
            ExprKind::Literal(literal) if is_negative(literal) => Self::Unary,
            _ => Self::Operand,
        }
    }

    fn of_operator(op: BinaryOp) -> Self {
        match op {
            BinaryOp::Or => Self::Or,
            BinaryOp::And => Self::And,
            BinaryOp::Add | BinaryOp::Subtract => Self::Sum,
            BinaryOp::Multiply | BinaryOp::Divide => Self::Product,
            _ => Self::Comparison,
        }
    }

    fn tighter(self) -> Self {
        match self {
            Self::Or => Self::And,
            Self::And => Self::Not,
            Self::Not => Self::Comparison,
            Self::Comparison => Self::Sum,
            Self::Sum => Self::Product,
            Self::Product => Self::Unary,
            Self::Unary | Self::Operand => Self::Operand,
        }
    }
}

/// An expression where a sum must stand.
pub(super) fn sum(expr: &Expr) -> impl Display {
    At(Level::Sum, expr)
}

/// An expression where one at least as tight as the level must stand.
struct At<'a>(Level, &'a Expr);

impl Display for At<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if Level::of(self.1) < self.0 {
            write!(f, "({})", self.1)
        } else {
            write!(f, "{}", self.1)
        }
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let not = |negated: bool| if negated { "not " } else { "" };
        match &self.kind {
            ExprKind::Literal(literal) => write!(f, "{literal}"),
            ExprKind::Parameter(name) => write!(f, "${name}"),
            ExprKind::Path(path) => write!(f, "{}", Path(path)),
            ExprKind::Call(call) => write!(f, "{call}"),
            ExprKind::Binary {
                op: op @ (BinaryOp::And | BinaryOp::Or),
                left,
                right,
            } => connective(f, self, *op, left, right),
            ExprKind::Binary { op, left, right } => {
                let level = Level::of_operator(*op);
                // Arithmetic leans left; comparisons do not chain at all.
                let left_level = if level == Level::Comparison {
                    Level::Sum
                } else {
                    level
                };
                write!(
                    f,
                    "{} {op} {}",
                    At(left_level, left),
                    At(level.tighter(), right)
                )
            }
            ExprKind::Not(operand) => write!(f, "not {}", At(Level::Not, operand)),
            ExprKind::Negate(operand) => match &operand.kind {
                ExprKind::Literal(literal) if is_signed(literal) => write!(f, "-({operand})"),
                _ => write!(f, "-{}", At(Level::Operand, operand)),
            },
            ExprKind::In {
                value,
                list,
                negated,
            } => {
                write!(
                    f,
                    "{} {}in {}",
                    At(Level::Sum, value),
                    not(*negated),
                    At(Level::Sum, list)
                )
            }
            ExprKind::Between {
                value,
                low,
                high,
                negated,
            } => {
                write!(f, "{} {}between ", At(Level::Sum, value), not(*negated))?;
                write!(f, "{} and {}", At(Level::Sum, low), At(Level::Sum, high))
            }
            ExprKind::Is {
                value,
                what,
                negated,
            } => {
                write!(f, "{} is {}", At(Level::Sum, value), not(*negated))?;
                if what.text.eq_ignore_ascii_case("empty") {
                    f.write_str("empty")
                } else {
                    write!(f, "{what}")
                }
            }
            ExprKind::List(members) => {
                f.write_char('(')?;
                list(f, members)?;
                f.write_char(')')
            }
            ExprKind::Query(query) => write!(f, "({query})"),
        }
    }
}

/// A run of `and` or `or` prints flat if the parser would balance it to this very tree.
fn connective(
    f: &mut Formatter<'_>,
    expr: &Expr,
    op: BinaryOp,
    left: &Expr,
    right: &Expr,
) -> fmt::Result {
    let level = Level::of_operator(op);
    let mut operands = Vec::new();
    if balanced(expr, op, &mut operands).is_none() {
        operands = vec![left, right];
    }
    for (at, operand) in operands.into_iter().enumerate() {
        if at > 0 {
            write!(f, " {op} ")?;
        }
        write!(f, "{}", At(level.tighter(), operand))?;
    }
    Ok(())
}

/// The operands of a run of `op`, and how many, if the tree is the balanced one.
fn balanced<'a>(expr: &'a Expr, op: BinaryOp, operands: &mut Vec<&'a Expr>) -> Option<usize> {
    match &expr.kind {
        ExprKind::Binary {
            op: own,
            left,
            right,
        } if *own == op => {
            let left = balanced(left, op, operands)?;
            let right = balanced(right, op, operands)?;
            (left == (left + right).div_ceil(2)).then_some(left + right)
        }
        _ => {
            operands.push(expr);
            Some(1)
        }
    }
}

impl Display for BinaryOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::And => "and",
            Self::Or => "or",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Contains => "~",
            Self::ContainsNot => "!~",
            Self::Like => "like",
            Self::NotLike => "not like",
            Self::Under => "under",
            Self::NotUnder => "not under",
            Self::Above => "above",
            Self::NotAbove => "not above",
            Self::Has => "has",
            Self::NotHas => "not has",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
        })
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        function(f, &self.name)?;
        f.write_char('(')?;
        let mut gap = "";
        if self.distinct {
            f.write_str("distinct")?;
            gap = " ";
        }
        if !self.arguments.is_empty() {
            f.write_str(gap)?;
            list(f, &self.arguments)?;
            gap = " ";
        }
        if let Some(filter) = &self.filter {
            write!(f, "{gap}where {filter}")?;
            gap = " ";
        }
        if !self.order.is_empty() {
            write!(f, "{gap}by ")?;
            list(f, &self.order)?;
        }
        f.write_char(')')?;
        match self.member.as_slice() {
            [] => Ok(()),
            names => write!(f, ".{}", Path(names)),
        }
    }
}

/// Whether a minus right before the literal would become part of it.
fn is_signed(literal: &Literal) -> bool {
    matches!(
        literal,
        Literal::Integer(_)
            | Literal::Number(_)
            | Literal::Decimal(_)
            | Literal::Percent(_)
            | Literal::Duration { .. }
            | Literal::Business { .. }
    )
}

fn is_negative(literal: &Literal) -> bool {
    match literal {
        Literal::Integer(n)
        | Literal::Duration { count: n, .. }
        | Literal::Business { count: n, .. } => *n < 0,
        Literal::Number(n) | Literal::Percent(n) => n.is_sign_negative(),
        Literal::Decimal(text) => text.starts_with('-'),
        _ => false,
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("empty"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Integer(n) => write!(f, "{n}"),
            Self::Number(n) => {
                let text = n.to_string();
                write!(f, "{text}{}", if text.contains('.') { "" } else { ".0" })
            }
            Self::Percent(n) => {
                let sign = if n.is_sign_negative() { "-" } else { "" };
                write!(f, "{sign}{}%", move_point(&n.abs().to_string(), 2))
            }
            Self::Text(text) => quoted(f, text, '"'),
            Self::Date(date) => day(f, *date),
            Self::Decimal(text) | Self::DateTime(text) | Self::Fiscal(text) => f.write_str(text),
            Self::Period(period) => named_period(f, *period),
            Self::RelativePeriod { offset, unit } => {
                let which = match offset {
                    0 => "this",
                    ..0 => "last",
                    1.. => "next",
                };
                write!(f, "{which} {}", unit_word(*unit))
            }
            Self::Span {
                count,
                unit,
                forward,
            } => {
                let which = if *forward { "next" } else { "last" };
                write!(f, "{which} ")?;
                counted(f, *count, unit_word(*unit))
            }
            Self::Duration { count, unit } => counted(f, *count, unit_word(*unit)),
            Self::Business { count, unit } => counted(f, *count, business_word(*unit)),
            Self::BusinessSpan {
                count,
                unit,
                forward,
            } => {
                f.write_str(if *forward { "next " } else { "last " })?;
                counted(f, *count, business_word(*unit))
            }
            Self::Record(id) => write!(f, "#{id}"),
        }
    }
}

fn day(f: &mut Formatter<'_>, date: Date) -> fmt::Result {
    let (year, month, day) = date.ymd();
    write!(f, "{year:04}-{month:02}-{day:02}")
}

/// A period of the calendar: the text knows months, quarters and years.
fn named_period(f: &mut Formatter<'_>, period: Period) -> fmt::Result {
    let (year, month, _) = period.start().ymd();
    match period.end().days() - period.start().days() {
        ..32 => write!(f, "{year:04}-{month:02}"),
        32..93 => write!(f, "{year:04}-Q{}", (month + 2) / 3),
        _ => write!(f, "{year:04}"),
    }
}

fn counted(f: &mut Formatter<'_>, count: i64, unit: &str) -> fmt::Result {
    write!(f, "{count} {unit}{}", if count == 1 { "" } else { "s" })
}

fn business_word(unit: BusinessUnit) -> &'static str {
    match unit {
        BusinessUnit::Minute => "business minute",
        BusinessUnit::Hour => "business hour",
        BusinessUnit::Day => "business day",
    }
}

fn unit_word(unit: Unit) -> &'static str {
    match unit {
        Unit::Minute => "minute",
        Unit::Hour => "hour",
        Unit::Day => "day",
        Unit::Week => "week",
        Unit::Month => "month",
        Unit::Quarter => "quarter",
        Unit::Year => "year",
        Unit::FiscalMonth => "fiscal month",
        Unit::FiscalQuarter => "fiscal quarter",
        Unit::FiscalYear => "fiscal year",
    }
}
