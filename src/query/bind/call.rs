//! Calls: functions of one record's values, aggregates over groups and over collections.

use super::aggregate::{AGGREGATES, aggregate};
use super::binder::{Binder, cast};
use super::label::{is_labelled, word};
use super::scope::Scope;
use super::window::{WINDOWS, window};
use super::{Expr, Function, Node, Type};
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax::{self, ExprKind};
use crate::value::{FieldType, Unit};

/// Functions by name, with the numbers of arguments they take.
pub(crate) const FUNCTIONS: &[(&str, usize, usize)] = &[
    ("if", 2, 3),
    ("coalesce", 1, 32),
    ("least", 1, 32),
    ("greatest", 1, 32),
    ("abs", 1, 1),
    ("round", 1, 2),
    ("floor", 1, 1),
    ("ceil", 1, 1),
    ("lower", 1, 1),
    ("upper", 1, 1),
    ("length", 1, 1),
    ("concat", 1, 32),
    ("day", 1, 1),
    ("week", 1, 1),
    ("month", 1, 1),
    ("quarter", 1, 1),
    ("year", 1, 1),
    ("fiscal_month", 1, 1),
    ("fiscal_quarter", 1, 1),
    ("fiscal_year", 1, 1),
    ("weekday", 1, 1),
    ("month_of_year", 1, 1),
    ("currency", 1, 1),
    ("similar", 2, 2),
    ("has", 2, 2),
    ("days", 1, 2),
    ("business_hours", 2, 2),
    ("convert", 2, 2),
    ("start", 1, 1),
    ("end", 1, 1),
    ("revision", 0, 1),
    ("matches", 1, 2),
    ("value", 1, 2),
];

impl Binder<'_> {
    pub(super) fn call(&self, scope: &Scope<'_>, call: &syntax::Call, span: &Span) -> Result<Expr> {
        if let Some(function) = aggregate(&call.name.text) {
            return self.aggregate_call(scope, call, function, span);
        }
        if let Some(function) = window(&call.name.text) {
            return self.window(scope, call, function, span);
        }
        if let Some(term) = self.pair_call(scope, call, span)? {
            return Ok(term);
        }
        if let Some(past) = self.past_call(scope, call, span)? {
            return Ok(past);
        }
        let name = call.name.text.to_lowercase();
        let Some(&(name, least, most)) = FUNCTIONS.iter().find(|(known, ..)| *known == name) else {
            let error = self.unknown_function(scope, call);
            let collection = scope
                .object()
                .and_then(|object| self.catalog.find_collection(object, &call.name.text));
            return Err(match collection {
                Some(collection) => error.hint(format!(
                    "`{0}` is a collection: list it with `{0} {{ name }}`, or ask count({0})",
                    collection.name
                )),
                None => error,
            });
        };
        if call.filter.is_some() || call.distinct || !call.order.is_empty() {
            return Err(Error::new(
                Code::Misplaced,
                format!("`{name}` is no aggregate: `where`, `distinct` and `by` do not fit in it"),
            )
            .at(span.clone()));
        }
        let count = call.arguments.len();
        if count < least || count > most {
            let takes = match (least, most) {
                (1, 1) => "one argument".to_owned(),
                _ if least == most => format!("{least} arguments"),
                _ if most == least + 1 => format!("{least} or {most} arguments"),
                _ => format!("{least} to {most} arguments"),
            };
            let got = match count {
                0 => "has none".to_owned(),
                _ => format!("has {count}"),
            };
            return Err(Error::new(
                Code::WrongArguments,
                format!("`{name}` takes {takes}, and {got} here"),
            )
            .at(span.clone()));
        }
        self.function(scope, name, &call.arguments, &Type::Missing, span)
    }

    /// `if` and `coalesce` opposite a label: their values are labels of that type too.
    pub(super) fn labelled_call(
        &self,
        scope: &Scope<'_>,
        call: &syntax::Call,
        ty: &Type,
        span: &Span,
    ) -> Result<Option<Expr>> {
        let name = call.name.text.to_lowercase();
        let takes = match name.as_str() {
            "if" => 2..=3,
            "coalesce" => 1..=32,
            _ => return Ok(None),
        };
        if !takes.contains(&call.arguments.len()) {
            return Ok(None);
        }
        self.function(scope, &name, &call.arguments, ty, span)
            .map(Some)
    }

    fn unknown_function(&self, scope: &Scope<'_>, call: &syntax::Call) -> Error {
        let error = Error::new(
            Code::UnknownFunction,
            format!("there is no function `{}`", call.name.text),
        )
        .at(self.at(&call.name.span));
        if let Some(hint) = self.foreign_function(scope, call) {
            return error.hint(hint);
        }
        let names = FUNCTIONS
            .iter()
            .map(|(name, ..)| *name)
            .chain(AGGREGATES.iter().copied())
            .chain(WINDOWS.iter().map(|(name, _)| *name));
        error.near(&call.name.text, names)
    }

    pub(super) fn function(
        &self,
        scope: &Scope<'_>,
        name: &str,
        trees: &[syntax::Expr],
        wanted: &Type,
        span: &Span,
    ) -> Result<Expr> {
        let unit = match name {
            "day" => Some(Unit::Day),
            "week" => Some(Unit::Week),
            "month" => Some(Unit::Month),
            "quarter" => Some(Unit::Quarter),
            "year" => Some(Unit::Year),
            "fiscal_month" => Some(Unit::FiscalMonth),
            "fiscal_quarter" => Some(Unit::FiscalQuarter),
            "fiscal_year" => Some(Unit::FiscalYear),
            _ => None,
        };
        if let Some(unit) = unit {
            let value = Box::new(self.time(scope, &trees[0])?);
            let ty = Type::period_of(unit);
            return Ok(Expr::new(Node::Bucket { unit, value }, ty, span));
        }
        let make = |function, arguments, ty| {
            Ok(Expr::new(
                Node::Function {
                    function,
                    arguments,
                },
                ty,
                span,
            ))
        };
        match name {
            "if" => {
                let condition = self.condition(scope, &trees[0])?;
                let (mut values, ty) = self.same_type(scope, &trees[1..], wanted)?;
                if values.len() == 1 {
                    let empty = crate::value::Value::Missing;
                    values.push(Expr::constant(empty, ty.clone(), span));
                }
                values.insert(0, condition);
                make(Function::If, values, ty)
            }
            "coalesce" | "least" | "greatest" => {
                let (values, ty) = self.same_type(scope, trees, wanted)?;
                let function = match name {
                    "coalesce" => Function::Coalesce,
                    "least" => Function::Least,
                    _ => Function::Greatest,
                };
                let unordered = is_labelled(&ty) || matches!(ty, Type::List(_));
                if unordered && function != Function::Coalesce {
                    let is = self.describe(&ty);
                    return Err(Error::new(Code::NotOrdered, format!("`{name}` of {is}"))
                        .at(span.clone())
                        .expected("numbers, amounts, text or times"));
                }
                let money = ty == Type::MONEY && function != Function::Coalesce;
                let values = if money {
                    values
                        .into_iter()
                        .map(|value| self.to_base(scope, value))
                        .collect()
                } else {
                    values
                };
                make(function, values, ty)
            }
            "abs" | "round" | "floor" | "ceil" => {
                let value = self.numeric(scope, &trees[0])?;
                let ty = value.ty.clone();
                let mut arguments = vec![value];
                if let Some(digits) = trees.get(1) {
                    let mut digits = self.expr(scope, digits)?;
                    if digits.ty == Type::Missing {
                        digits = cast(digits, Type::INTEGER);
                    }
                    if digits.ty != Type::INTEGER {
                        let is = self.describe(&digits.ty);
                        return Err(Error::new(Code::TypeMismatch, format!("{is} as digits"))
                            .at(digits.span)
                            .expected("a whole number of digits"));
                    }
                    arguments.push(digits);
                }
                let function = match name {
                    "abs" => Function::Abs,
                    "round" => Function::Round,
                    "floor" => Function::Floor,
                    _ => Function::Ceil,
                };
                make(function, arguments, ty)
            }
            "lower" | "upper" | "length" | "concat" => {
                let mut arguments = Vec::new();
                for tree in trees {
                    let bound = self.expr(scope, tree)?;
                    arguments.push(self.text_of(bound, tree)?);
                }
                match name {
                    "lower" => make(Function::Lower, arguments, Type::TEXT),
                    "upper" => make(Function::Upper, arguments, Type::TEXT),
                    "length" => make(Function::Length, arguments, Type::INTEGER),
                    _ => make(Function::Concat, arguments, Type::TEXT),
                }
            }
            "revision" => {
                let this = syntax::Expr {
                    kind: ExprKind::Path(vec![syntax::Name {
                        text: "this".to_owned(),
                        span: span.clone(),
                    }]),
                    span: span.clone(),
                };
                let record = self.expr(scope, trees.first().unwrap_or(&this))?;
                if !matches!(record.ty, Type::Plain(FieldType::Reference(_))) {
                    let is = self.describe(&record.ty);
                    let of = trees.first().unwrap_or(&this);
                    return Err(Error::new(Code::TypeMismatch, format!("`{of}` is {is}"))
                        .at(record.span)
                        .expected("a record, or a reference to one object"));
                }
                make(Function::Revision, vec![record], Type::INTEGER)
            }
            "matches" | "value" => self.stored(scope, name, trees, span),
            "has" => self.has(scope, &trees[0], &trees[1], span),
            "similar" => {
                let mut arguments = Vec::new();
                for tree in trees {
                    let bound = self.expr(scope, tree)?;
                    arguments.push(self.text_of(bound, tree)?);
                }
                make(Function::Similar, arguments, Type::NUMBER)
            }
            "currency" => {
                let value = self.expr(scope, &trees[0])?;
                if !matches!(value.ty, Type::MONEY | Type::Missing) {
                    let is = self.describe(&value.ty);
                    let message = format!("`{}` is {is}", trees[0]);
                    return Err(Error::new(Code::TypeMismatch, message)
                        .at(value.span)
                        .expected("an amount"));
                }
                make(
                    Function::Currency,
                    vec![cast(value, Type::MONEY)],
                    Type::TEXT,
                )
            }
            "weekday" | "month_of_year" => {
                let value = cast(self.time(scope, &trees[0])?, Type::DATE);
                let function = if name == "weekday" {
                    Function::Weekday
                } else {
                    Function::MonthOfYear
                };
                make(function, vec![value], Type::INTEGER)
            }
            "days" if trees.len() == 2 => {
                let from = cast(self.time(scope, &trees[0])?, Type::DATE);
                let to = cast(self.time(scope, &trees[1])?, Type::DATE);
                make(Function::Days, vec![from, to], Type::INTEGER)
            }
            "business_hours" => self.business_hours(scope, trees, span),
            "convert" => self.convert(scope, &trees[0], &trees[1], span),
            "days" | "start" | "end" => {
                let value = self.expr(scope, &trees[0])?;
                let duration = name == "days" && value.ty == Type::DURATION;
                if !value.ty.is_period() && !duration {
                    let is = self.describe(&value.ty);
                    return Err(
                        Error::new(Code::TypeMismatch, format!("`{}` is {is}", trees[0]))
                            .at(value.span)
                            .expected("a period"),
                    );
                }
                match name {
                    "start" => make(Function::PeriodStart, vec![value], Type::DATE),
                    "end" => make(Function::PeriodEnd, vec![value], Type::DATE),
                    _ => make(Function::DaysOf, vec![value], Type::INTEGER),
                }
            }
            _ => Err(Error::new(
                Code::Internal,
                format!("`{name}` has no meaning"),
            )),
        }
    }

    /// A date, moment or period.
    pub(super) fn time(&self, scope: &Scope<'_>, tree: &syntax::Expr) -> Result<Expr> {
        let value = self.expr(scope, tree)?;
        match value.ty {
            _ if value.ty.is_time() => Ok(value),
            Type::Missing => Ok(Expr {
                ty: Type::DATE,
                ..value
            }),
            _ => {
                let is = self.describe(&value.ty);
                Err(Error::new(Code::TypeMismatch, format!("`{tree}` is {is}"))
                    .at(value.span)
                    .expected("a date or a moment"))
            }
        }
    }

    /// A number, amount or duration.
    pub(super) fn numeric(&self, scope: &Scope<'_>, tree: &syntax::Expr) -> Result<Expr> {
        let value = self.expr(scope, tree)?;
        match value.ty {
            Type::Plain(
                FieldType::Integer
                | FieldType::Number
                | FieldType::Percent
                | FieldType::Money
                | FieldType::Duration,
            ) => Ok(value),
            Type::Missing => Ok(Expr {
                ty: Type::NUMBER,
                ..value
            }),
            Type::Plain(FieldType::Text) if scope.columns_first => Ok(cast(value, Type::NUMBER)),
            _ => {
                let is = self.describe(&value.ty);
                Err(Error::new(Code::TypeMismatch, format!("`{tree}` is {is}"))
                    .at(value.span)
                    .expected("a number, an amount or a duration"))
            }
        }
    }

    /// Several values in one type: `wanted`, else that of the first that has one. A bare word is
    /// a field if there is one, else a label of that type.
    pub(super) fn same_type(
        &self,
        scope: &Scope<'_>,
        trees: &[syntax::Expr],
        wanted: &Type,
    ) -> Result<(Vec<Expr>, Type)> {
        let mut ty = wanted.clone();
        for tree in trees.iter().filter(|_| *wanted == Type::Missing) {
            let open = matches!(tree.kind, ExprKind::Literal(_) | ExprKind::Parameter(_));
            if let (false, Ok(bound)) = (open, self.expr(scope, tree)) {
                ty = bound.ty;
                break;
            }
        }
        let mut values = Vec::new();
        for tree in trees {
            let field = word(tree).is_some_and(|name| self.knows(scope, name));
            let bound = if is_labelled(&ty) && !field {
                self.opposite(scope, tree, &ty)?
            } else {
                self.expr(scope, tree)?
            };
            if ty == Type::Missing {
                ty = bound.ty.clone();
            }
            values.push(bound);
        }
        let numeric = |ty: &Type| {
            matches!(
                ty,
                Type::Plain(FieldType::Integer | FieldType::Number | FieldType::Percent)
            )
        };
        let widest = |wide: &Type| values.iter().any(|value| value.ty == *wide);
        if ty == Type::Fiscal && widest(&Type::PERIOD) {
            ty = Type::PERIOD;
        }
        if numeric(&ty) && widest(&Type::MONEY) {
            ty = Type::MONEY;
        } else if ty == Type::INTEGER && values.iter().any(|v| v.ty != ty && numeric(&v.ty)) {
            ty = Type::NUMBER;
        }
        for value in &mut values {
            let fits = value.ty == ty
                || value.ty == Type::Missing
                || (value.ty.is_period() && ty.is_period())
                || (numeric(&value.ty) && (numeric(&ty) || ty == Type::MONEY))
                || matches!((&value.ty, &ty), (Type::Plain(a), Type::Plain(b))
                    if a.is_text() && b.is_text());
            if !fits {
                let message = format!(
                    "{} and {} are mixed here",
                    self.describe(&ty),
                    self.describe(&value.ty)
                );
                return Err(Error::new(Code::TypeMismatch, message)
                    .at(value.span.clone())
                    .expected(self.describe(&ty)));
            }
            let both_text = matches!((&value.ty, &ty), (Type::Plain(a), Type::Plain(b))
                if a.is_text() && b.is_text());
            if !both_text {
                *value = cast(value.clone(), ty.clone());
            }
        }
        Ok((values, ty))
    }
}
