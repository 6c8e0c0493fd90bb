//! Calls: functions of one record's values, aggregates over groups and over collections.

use super::binder::{Binder, cast, to_base};
use super::compare::{is_labelled, word};
use super::path::Joined;
use super::scope::{GroupScope, Scope, same};
use super::{Aggregate, AggregateFunction, Collect, Expr, Function, Node, Type};
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax::{self, ExprKind, Name};
use crate::value::{FieldType, Unit};
use std::sync::Arc;

/// Functions by name, with the numbers of arguments they take.
const FUNCTIONS: &[(&str, usize, usize)] = &[
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
    ("fiscal_quarter", 1, 1),
    ("fiscal_year", 1, 1),
    ("weekday", 1, 1),
    ("month_of_year", 1, 1),
    ("days", 1, 2),
    ("start", 1, 1),
    ("end", 1, 1),
];

const AGGREGATES: &[&str] = &[
    "count", "exists", "sum", "avg", "min", "max", "median", "stddev", "share", "first", "last",
    "list",
];

/// The aggregate of this name.
fn aggregate(name: &str) -> Option<AggregateFunction> {
    use AggregateFunction as A;
    Some(match name.to_lowercase().as_str() {
        "count" => A::Count,
        "exists" => A::Exists,
        "sum" => A::Sum,
        "avg" => A::Average,
        "min" => A::Minimum,
        "max" => A::Maximum,
        "median" => A::Percentile(0.5),
        "stddev" => A::Deviation,
        "share" => A::Share,
        "first" => A::First,
        "last" => A::Last,
        "list" => A::List,
        other => {
            let rank: u8 = other.strip_prefix('p')?.parse().ok()?;
            A::Percentile((1..=99).contains(&rank).then(|| f64::from(rank) / 100.0)?)
        }
    })
}

impl Binder<'_> {
    pub(super) fn call(&self, scope: &Scope<'_>, call: &syntax::Call, span: &Span) -> Result<Expr> {
        if let Some(function) = aggregate(&call.name.text) {
            return self.aggregate_call(scope, call, function, span);
        }
        let name = call.name.text.to_lowercase();
        let Some(&(name, least, most)) = FUNCTIONS.iter().find(|(known, ..)| *known == name) else {
            return Err(self.unknown_function(call));
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
            let takes = if least == most {
                format!("{least}")
            } else {
                format!("{least} to {most}")
            };
            return Err(Error::new(
                Code::WrongArguments,
                format!("`{name}` takes {takes} argument(s), and got {count}"),
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

    fn unknown_function(&self, call: &syntax::Call) -> Error {
        let error = Error::new(
            Code::UnknownFunction,
            format!("there is no function `{}`", call.name.text),
        )
        .at(self.at(&call.name.span));
        if ["total", "rank", "running", "previous", "growth"]
            .iter()
            .any(|known| same(known, &call.name.text))
        {
            return error
                .expected("a place of its own in `select`")
                .hint(format!(
                    "give it an alias: select {0}(...) as {0}",
                    call.name.text
                ));
        }
        let names = FUNCTIONS
            .iter()
            .map(|(name, ..)| *name)
            .chain(AGGREGATES.iter().copied());
        error.near(&call.name.text, names)
    }

    fn function(
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
            "fiscal_quarter" => Some(Unit::FiscalQuarter),
            "fiscal_year" => Some(Unit::FiscalYear),
            _ => None,
        };
        if let Some(unit) = unit {
            let value = Box::new(self.time(scope, &trees[0])?);
            return Ok(Expr::new(Node::Bucket { unit, value }, Type::PERIOD, span));
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
                if is_labelled(&ty) && function != Function::Coalesce {
                    let is = self.describe(&ty);
                    return Err(Error::new(Code::NotOrdered, format!("`{name}` of {is}"))
                        .at(span.clone())
                        .expected("numbers, amounts, text or times"));
                }
                let money = ty == Type::MONEY && function != Function::Coalesce;
                let values = if money {
                    values.into_iter().map(to_base).collect()
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
                    let digits = self.expr(scope, digits)?;
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
            "days" | "start" | "end" => {
                let value = self.expr(scope, &trees[0])?;
                let duration = name == "days" && value.ty == Type::DURATION;
                if value.ty != Type::PERIOD && !duration {
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
    fn time(&self, scope: &Scope<'_>, tree: &syntax::Expr) -> Result<Expr> {
        let value = self.expr(scope, tree)?;
        match value.ty {
            Type::Plain(FieldType::Date | FieldType::DateTime | FieldType::Period) => Ok(value),
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
    fn numeric(&self, scope: &Scope<'_>, tree: &syntax::Expr) -> Result<Expr> {
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
    fn same_type(
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
        if numeric(&ty) && widest(&Type::MONEY) {
            ty = Type::MONEY;
        } else if ty == Type::INTEGER && values.iter().any(|v| v.ty != ty && numeric(&v.ty)) {
            ty = Type::NUMBER;
        }
        for value in &mut values {
            let fits = value.ty == ty
                || value.ty == Type::Missing
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

    fn aggregate_call(
        &self,
        scope: &Scope<'_>,
        call: &syntax::Call,
        function: AggregateFunction,
        span: &Span,
    ) -> Result<Expr> {
        if call.arguments.len() > 1 {
            return Err(Error::new(
                Code::WrongArguments,
                format!("`{}` takes one argument", call.name.text),
            )
            .at(span.clone())
            .hint("for the larger of two values write greatest(a, b)"));
        }
        let path = call.arguments.first().and_then(path_of);
        if let Some(group) = &scope.group {
            return self.group_aggregate(group, call, function, span);
        }
        if let Some(names) = path
            && let Some(joined) = self.joined(scope, names, span)?
        {
            return self.collect(scope, call, function, joined, span);
        }
        if let Some(names) = path
            && function != AggregateFunction::Exists
        {
            // A name nobody knows is the plainer mistake.
            self.path(scope, names, span)?;
        }
        let what = call
            .arguments
            .first()
            .map_or_else(String::new, ToString::to_string);
        let error = match path {
            Some([name]) if function == AggregateFunction::Exists => {
                let at = scope.object().map_or("this", |id| &self.object(id).name);
                let error = Error::new(
                    Code::UnknownObject,
                    format!("{at} have no collection `{}`", name.text),
                );
                let all = scope
                    .object()
                    .map(|id| self.catalog.collections(id))
                    .unwrap_or_default();
                error.near(
                    &name.text,
                    all.iter().map(|collection| collection.name.as_str()),
                )
            }
            _ => Error::new(
                Code::MisplacedAggregate,
                format!(
                    "`{}({what})` is about many records, and here is one",
                    call.name.text
                ),
            )
            .hint("aggregates stand in `select`, `having` and `order by`")
            .hint("about the records of a collection: sum(opportunities.amount)"),
        };
        Err(error.at(span.clone()))
    }

    /// Whether a call is an aggregate over the rows of the query itself.
    pub(super) fn is_group_aggregate(&self, scope: &Scope<'_>, call: &syntax::Call) -> bool {
        if aggregate(&call.name.text).is_none() {
            return false;
        }
        match call.arguments.first().and_then(path_of) {
            Some(names) => !matches!(self.joined(scope, names, &(0..0)), Ok(Some(_)) | Err(_)),
            None => true,
        }
    }

    /// An aggregate over the records of a collection.
    fn collect(
        &self,
        scope: &Scope<'_>,
        call: &syntax::Call,
        function: AggregateFunction,
        joined: Joined<'_>,
        span: &Span,
    ) -> Result<Expr> {
        let link = joined
            .lead
            .is_none()
            .then(|| (joined.owner.clone(), joined.base));
        let inner = Scope::inside(joined.object, scope, link);
        let argument = match joined.rest {
            [] => None,
            names => Some(self.object_path(joined.object, names, span)?),
        };
        let filter = match &call.filter {
            Some(filter) => Some(self.condition(&inner, filter)?),
            None => None,
        };
        let aggregate = self.aggregate_of(&inner, call, function, argument, None, span)?;
        let ty = aggregate.ty.clone();
        let collect = Collect {
            object: joined.object,
            owner: joined.owner,
            filter,
            aggregate,
        };
        let collect = Expr::new(Node::Collect(Arc::new(collect)), ty.clone(), span);
        Ok(match joined.lead {
            None => collect,
            Some((reference, object)) => {
                let node = Node::Follow {
                    reference: Box::new(reference),
                    object,
                    inner: Arc::new(collect),
                };
                Expr::new(node, ty, span)
            }
        })
    }

    /// An aggregate in a grouped query.
    fn group_aggregate(
        &self,
        group: &GroupScope<'_>,
        call: &syntax::Call,
        function: AggregateFunction,
        span: &Span,
    ) -> Result<Expr> {
        let slot =
            |at: usize, ty: &Type| Expr::new(Node::Slot(group.keys.len() + at), ty.clone(), span);
        if let Some(at) = group
            .aggregates
            .borrow()
            .iter()
            .position(|(tree, _)| tree == call)
        {
            return Ok(slot(at, &group.aggregates.borrow()[at].1.ty));
        }
        let records = group.records;
        let joined = match call.arguments.first().and_then(path_of) {
            Some(names) => self.joined(records, names, span)?,
            None => None,
        };
        let aggregate = if let Some(joined) = joined {
            // Over the collections of the group's records: what each has, put together.
            let each = self.collect(records, call, function, joined, span)?;
            self.combined(each, function, call, span)?
        } else {
            let argument = match call.arguments.first() {
                Some(tree) => Some(self.expr(records, tree)?),
                None => None,
            };
            let filter = match &call.filter {
                Some(filter) => Some(self.condition(records, filter)?),
                None => None,
            };
            self.aggregate_of(records, call, function, argument, filter, span)?
        };
        let ty = aggregate.ty.clone();
        let mut aggregates = group.aggregates.borrow_mut();
        aggregates.push((call.clone(), aggregate));
        Ok(slot(aggregates.len() - 1, &ty))
    }

    /// The aggregate that puts together one value of each record of a group.
    fn combined(
        &self,
        each: Expr,
        function: AggregateFunction,
        call: &syntax::Call,
        span: &Span,
    ) -> Result<Aggregate> {
        use AggregateFunction as A;
        let outer = match function {
            A::Count | A::Sum if !call.distinct => A::Sum,
            A::Minimum => A::Minimum,
            A::Maximum => A::Maximum,
            A::Exists => A::Maximum,
            _ => {
                return Err(Error::new(
                    Code::MisplacedAggregate,
                    format!(
                        "`{}` over the collections of a group has no one meaning",
                        call.name.text
                    ),
                )
                .at(span.clone())
                .expected("count, sum, min, max or exists")
                .hint("or start from the collection's object and group that"));
            }
        };
        let ty = each.ty.clone();
        Ok(Aggregate {
            function: outer,
            argument: Some(each),
            filter: None,
            distinct: false,
            order: Vec::new(),
            ty,
        })
    }

    /// An aggregate with its argument in the form it works on, and its type.
    fn aggregate_of(
        &self,
        inner: &Scope<'_>,
        call: &syntax::Call,
        function: AggregateFunction,
        argument: Option<Expr>,
        filter: Option<Expr>,
        span: &Span,
    ) -> Result<Aggregate> {
        use AggregateFunction as A;
        let name = &call.name.text;
        let mut order = Vec::new();
        for key in &call.order {
            order.extend(self.order_keys(self.expr(inner, &key.value)?, key.descending)?);
        }
        let (argument, ty) = match (function, argument) {
            (A::Count, argument) => (argument, Type::INTEGER),
            (A::Exists, _) => (None, Type::BOOLEAN),
            (_, None) => {
                return Err(
                    Error::new(Code::WrongArguments, format!("`{name}` needs a value"))
                        .at(span.clone())
                        .expected(format!("for example {name}(amount)")),
                );
            }
            (A::Share, Some(argument)) => {
                if argument.ty != Type::BOOLEAN {
                    let is = self.describe(&argument.ty);
                    return Err(Error::new(Code::TypeMismatch, format!("`{name}` of {is}"))
                        .at(argument.span)
                        .expected("a condition: share(stage = won)"));
                }
                (Some(argument), Type::Plain(FieldType::Percent))
            }
            (A::First | A::Last, Some(argument)) => {
                let ty = argument.ty.clone();
                (Some(argument), ty)
            }
            (A::List, Some(argument)) => {
                let ty = Type::List(Box::new(argument.ty.clone()));
                (Some(argument), ty)
            }
            (A::Minimum | A::Maximum, Some(argument)) if is_labelled(&argument.ty) => {
                // Labels and references keep their kind: the first or last in their order.
                let order = self.order_keys(argument.clone(), function == A::Maximum)?;
                let ty = argument.ty.clone();
                return Ok(Aggregate {
                    function: A::First,
                    argument: Some(argument),
                    filter,
                    distinct: call.distinct,
                    order,
                    ty,
                });
            }
            (A::Minimum | A::Maximum, Some(argument)) => {
                let argument = to_base(argument);
                let ty = argument.ty.clone();
                (Some(argument), ty)
            }
            (A::Sum | A::Average | A::Percentile(_) | A::Deviation, Some(argument)) => {
                let ty = match (&argument.ty, function) {
                    (Type::Plain(FieldType::Integer), A::Sum) => Type::INTEGER,
                    (Type::Plain(FieldType::Integer | FieldType::Number), _) => Type::NUMBER,
                    (Type::Plain(FieldType::Percent), A::Sum) => Type::NUMBER,
                    (
                        Type::Plain(FieldType::Money | FieldType::Duration | FieldType::Percent),
                        _,
                    ) => argument.ty.clone(),
                    _ => {
                        let is = self.describe(&argument.ty);
                        return Err(Error::new(Code::TypeMismatch, format!("`{name}` of {is}"))
                            .at(argument.span)
                            .expected("a number, an amount or a duration"));
                    }
                };
                (Some(to_base(argument)), ty)
            }
        };
        Ok(Aggregate {
            function,
            argument,
            filter,
            distinct: call.distinct,
            order,
            ty,
        })
    }

    /// A path within a grouped query: a key, an alias, or a field of a key's record.
    pub(super) fn group_path(
        &self,
        scope: &Scope<'_>,
        group: &GroupScope<'_>,
        names: &[Name],
        span: &Span,
    ) -> Result<Expr> {
        if let [name] = names {
            if let Some(key) = group.alias(name) {
                return Ok(key);
            }
            if let Some(named) = scope.named(&name.text) {
                self.carry(named.weight, span)?;
                return Ok(Expr {
                    span: span.clone(),
                    ..named.value.clone()
                });
            }
            if ["today", "now", "me"]
                .iter()
                .any(|word| same(word, &name.text))
            {
                return self.path(&Scope::new(scope.base.clone()), names, span);
            }
        }
        // The longest lead of the path that is a key.
        for (at, key) in group.keys.iter().enumerate() {
            let Some(path) = path_of(&key.tree).filter(|path| names.starts_with(path)) else {
                continue;
            };
            if let (Type::Plain(FieldType::Reference(object)), [_, ..]) =
                (&key.ty, &names[path.len()..])
            {
                let rest = &names[path.len()..];
                let inner = self.object_path(*object, rest, span)?;
                let ty = inner.ty.clone();
                let slot = Expr::new(Node::Slot(at), key.ty.clone(), span);
                let node = Node::Follow {
                    reference: Box::new(slot),
                    object: *object,
                    inner: Arc::new(inner),
                };
                return Ok(Expr::new(node, ty, span));
            }
        }
        let written: Vec<_> = names.iter().map(|name| name.text.as_str()).collect();
        let written = written.join(".");
        // A name nobody knows is the plainer mistake.
        self.path(group.records, names, span)?;
        Err(Error::new(
            Code::MisplacedAggregate,
            format!("`{written}` differs within a group"),
        )
        .at(span.clone())
        .expected("a group key or an aggregate")
        .hint(format!(
            "group by {written} too, or say which: max({written}), list({written})"
        )))
    }
}

/// The names of a tree that is a path.
pub(super) fn path_of(tree: &syntax::Expr) -> Option<&[Name]> {
    match &tree.kind {
        ExprKind::Path(names) => Some(names),
        _ => None,
    }
}
