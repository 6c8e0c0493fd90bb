//! Aggregates: over groups, over collections, and which names a group has.

use super::binder::{Binder, and, cast, not};
use super::history::past_argument;
use super::joined::{Joined, only_to};
use super::label::{is_labelled, is_special};
use super::scope::{GroupScope, Link, Scope, correlated, same};
use super::{Aggregate, AggregateFunction, Collect, Expr, Function, Node, Over, Type};
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax::{self, ExprKind, Name};
use crate::value::{Duration, FieldType, Value};
use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

impl Binder<'_> {
    pub(super) fn aggregate_call(
        &self,
        scope: &Scope<'_>,
        call: &syntax::Call,
        function: AggregateFunction,
        span: &Span,
    ) -> Result<Expr> {
        let pairs = function.is_of_pairs();
        if call.arguments.len() > 1 && !pairs || pairs && call.arguments.len() != 2 {
            let takes = if pairs {
                "two arguments"
            } else {
                "one argument"
            };
            let message = format!("`{}` takes {takes}", call.name.text);
            let error = Error::new(Code::WrongArguments, message).at(span.clone());
            return Err(match function {
                AggregateFunction::Minimum | AggregateFunction::Maximum => {
                    error.hint("for the larger of two values write greatest(a, b)")
                }
                _ => error,
            });
        }
        let path = call.arguments.first().and_then(path_of);
        if let Some((kind, inner)) = past_argument(call) {
            return self.past_aggregate(scope, call, function, (kind, inner), span);
        }
        if pairs && call.distinct {
            let message = format!("`distinct` does not fit in `{}`", call.name.text);
            return Err(Error::new(Code::Misplaced, message)
                .at(span.clone())
                .hint("pairs count as often as they come"));
        }
        let argument = argument_of(call);
        // What is around the query is the same for each of its groups.
        if let Some(argument) = &argument
            && let Some((joined, argument)) = self.through(scope, argument, span)?
            && (scope.group.is_none() || joined.is_outer)
        {
            return self.collect(scope, call, function, joined, argument, span);
        }
        if let Some(group) = &scope.group {
            return self.group_aggregate(group, call, function, span);
        }
        if let Some(error) = self.untested_in(scope, call) {
            return Err(error.at(span.clone()));
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
        if let (Some([name]), Some(object), Some(shown)) = (path, scope.object(), &scope.shown)
            && function == AggregateFunction::Exists
        {
            return Err(self.not_shown(object, shown, name));
        }
        let error = match path {
            Some([name]) if function == AggregateFunction::Exists => {
                let at = scope.object().map_or("this", |id| &self.object(id).name);
                let error = Error::new(
                    Code::UnknownObject,
                    format!("{at} have no collection `{}`", name.text),
                )
                .at(self.at(&name.span));
                match scope.object() {
                    Some(object) => self.other_way(object, &name.text, error),
                    None => error,
                }
            }
            _ => Error::new(
                Code::MisplacedAggregate,
                format!(
                    "`{}({what})` is about many records, and here is one",
                    call.name.text
                ),
            )
            .hint(match scope.object().map(|id| &self.object(id).name) {
                Some(all)
                    if scope.outer.is_none()
                        && path.is_some()
                        && !pairs
                        && function != AggregateFunction::Exists =>
                {
                    format!(
                        "over all records it is a query of its own: `({all} select {}({what}))`",
                        call.name.text
                    )
                }
                _ => "aggregates stand in `select`, `having` and `order by`".to_owned(),
            })
            .hint(self.collection_example(scope, &call.name.text)),
        };
        Err(error.at(span.clone()))
    }

    /// The error for an aggregate whose argument is a collection of what nobody tested.
    fn untested_in(&self, scope: &Scope<'_>, call: &syntax::Call) -> Option<Error> {
        let names = call.arguments.first().and_then(path_of)?;
        self.untested(scope, names, |of| format!("and {}({of})", call.name.text))
    }

    /// Whether a call is an aggregate over the rows of the query itself.
    pub(super) fn is_group_aggregate(&self, scope: &Scope<'_>, call: &syntax::Call) -> bool {
        if aggregate(&call.name.text).is_none() || past_argument(call).is_some() {
            return false;
        }
        match argument_of(call) {
            Some(argument) => {
                // A name that is not shown is the plainer mistake.
                let unknown = |names: &[Name]| {
                    scope.shown.is_some()
                        && !is_special(&names[0].text)
                        && !self.knows(scope, &names[0])
                };
                !path_of(&argument).is_some_and(unknown)
                    && matches!(self.through(scope, &argument, &(0..0)), Ok(None))
            }
            None => true,
        }
    }

    /// An aggregate over the records of a collection.
    pub(super) fn collect(
        &self,
        scope: &Scope<'_>,
        call: &syntax::Call,
        function: AggregateFunction,
        joined: Joined<'_>,
        argument: Option<syntax::Expr>,
        span: &Span,
    ) -> Result<Expr> {
        let given = RefCell::default();
        let (filter, aggregate) =
            self.inside(scope, call, function, (&joined, argument), &given, span)?;
        let ty = aggregate.ty.clone();
        let collect = Collect {
            object: joined.object,
            owner: joined.owner.clone(),
            subtree: joined.subtree.clone(),
            filter,
            aggregate,
        };
        let collect = Expr::new(Node::Collect(Arc::new(collect)), ty.clone(), span);
        let body = match joined.lead {
            None => collect,
            Some((mut reference, object)) => {
                if joined.is_outer && !given.borrow().is_empty() {
                    // What is given to the query around is not to the body.
                    let mut given = given.borrow_mut();
                    let (ty, span) = (reference.ty.clone(), reference.span.clone());
                    given.push(reference);
                    reference = Expr::new(Node::Given(given.len() - 1), ty, &span);
                }
                let node = Node::Follow {
                    reference: Box::new(reference),
                    object,
                    inner: Arc::new(collect),
                };
                let followed = Expr::new(node, ty, span);
                match function {
                    AggregateFunction::Count
                    | AggregateFunction::Sum
                    | AggregateFunction::Exists => or_nothing(followed),
                    _ => followed,
                }
            }
        };
        Ok(correlated(body, given))
    }

    /// The condition on a collection's records, and the aggregate over them.
    fn inside(
        &self,
        scope: &Scope<'_>,
        call: &syntax::Call,
        function: AggregateFunction,
        (joined, argument): (&Joined<'_>, Option<syntax::Expr>),
        given: &RefCell<Vec<Expr>>,
        span: &Span,
    ) -> Result<(Option<Expr>, Aggregate)> {
        let link = match (&joined.lead, &joined.subtree) {
            (None, None) => Link::Owner(&joined.owner, joined.base),
            _ => Link::Given(given),
        };
        let inner = Scope::inside(joined.object, scope, link);
        let trees = match &argument {
            Some(syntax::Expr {
                kind: ExprKind::List(pair),
                ..
            }) => pair,
            Some(tree) => std::slice::from_ref(tree),
            None => &[],
        };
        let mut bound = trees.iter().map(|tree| self.expr(&inner, tree));
        let (argument, second) = (bound.next().transpose()?, bound.next().transpose()?);
        let filter = match &call.filter {
            Some(filter) => Some(self.condition(&inner, filter)?),
            None => None,
        };
        let arguments = (argument, second);
        let mut aggregate = self.aggregate_of(&inner, call, function, arguments, filter, span)?;
        Ok((aggregate.filter.take(), aggregate))
    }

    /// An aggregate in a grouped query.
    pub(super) fn group_aggregate(
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
            && !self.keeps_mentions()
        {
            return Ok(slot(at, &group.aggregates.borrow()[at].1.ty));
        }
        let records = group.records;
        let whole = argument_of(call);
        let joined = match &whole {
            Some(argument) => self.through(records, argument, span)?,
            None => None,
        };
        let aggregate = if let Some((joined, argument)) = joined {
            self.over(records, call, function, joined, argument, span)?
        } else {
            let argument = match call.arguments.first() {
                Some(tree) => Some(self.expr(records, tree).map_err(|error| {
                    let untested = self.untested_in(records, call);
                    untested.map_or(error, |error| error.at(span.clone()))
                })?),
                None => None,
            };
            let second = match call.arguments.get(1) {
                Some(tree) => Some(self.expr(records, tree)?),
                None => None,
            };
            let filter = match &call.filter {
                Some(filter) => Some(self.condition(records, filter)?),
                None => None,
            };
            let arguments = (argument, second);
            self.aggregate_of(records, call, function, arguments, filter, span)?
        };
        let ty = aggregate.ty.clone();
        let mut aggregates = group.aggregates.borrow_mut();
        aggregates.push((call.clone(), aggregate));
        Ok(slot(aggregates.len() - 1, &ty))
    }

    /// An aggregate over the records that the group's have in a collection, each once.
    fn over(
        &self,
        records: &Scope<'_>,
        call: &syntax::Call,
        function: AggregateFunction,
        joined: Joined<'_>,
        argument: Option<syntax::Expr>,
        span: &Span,
    ) -> Result<Aggregate> {
        let given = RefCell::default();
        let (filter, aggregate) =
            self.inside(records, call, function, (&joined, argument), &given, span)?;
        if let Some(outer) = given.into_inner().first() {
            let what = call.arguments.first().map(ToString::to_string);
            let message = format!(
                "records of a group may share what `{}` starts from, and `outer` is one of them",
                what.unwrap_or_default()
            );
            return Err(Error::new(Code::MisplacedAggregate, message)
                .at(outer.span.clone())
                .expected("a condition on the collection's own records")
                .hint("for each record first: `let n = ...`, then an aggregate of n"));
        }
        let (from, base) = match joined.lead {
            Some((any, base)) if matches!(any.ty, Type::Plain(FieldType::AnyReference(_))) => {
                (only_to(any, base), base)
            }
            Some(lead) => lead,
            None => (Expr::this(joined.base, span), joined.base),
        };
        let over = Over {
            from,
            base,
            object: joined.object,
            owner: joined.owner,
            subtree: joined.subtree,
            filter,
        };
        Ok(Aggregate {
            over: Some(over),
            ..aggregate
        })
    }

    /// An aggregate with its argument in the form it works on, and its type.
    pub(super) fn aggregate_of(
        &self,
        inner: &Scope<'_>,
        call: &syntax::Call,
        function: AggregateFunction,
        (argument, second): (Option<Expr>, Option<Expr>),
        filter: Option<Expr>,
        span: &Span,
    ) -> Result<Aggregate> {
        use AggregateFunction as A;
        let name = &call.name.text;
        // A list shows amounts as they are; what else there is of many is in base.
        let argument = match function {
            A::List => argument,
            A::Count if !call.distinct => argument,
            _ => argument.map(|argument| self.to_base(inner, argument)),
        };
        let mut order = Vec::new();
        let mut conditions: Vec<Expr> = filter.into_iter().collect();
        for (at, key) in call.order.iter().enumerate() {
            let value = self.expr(inner, &key.value)?;
            // What has no place in the order is neither the first nor the last in it.
            if at == 0 && matches!(function, A::First | A::Last) {
                let missing = Node::IsMissing(Box::new(value.clone()));
                conditions.push(not(Expr::new(missing, Type::BOOLEAN, &value.span)));
            }
            order.extend(self.order_keys(inner, value, key.descending)?);
        }
        let filter = match conditions.len() {
            0 | 1 => conditions.pop(),
            _ => Some(and(conditions, span)),
        };
        let (argument, ty) = match (function, argument) {
            (A::Count, Some(argument)) if call.distinct => {
                (Some(self.to_base(inner, argument)), Type::INTEGER)
            }
            (A::Count, argument) => (argument, Type::INTEGER),
            (A::Exists, _) => (None, Type::BOOLEAN),
            (_, None) => {
                return Err(
                    Error::new(Code::WrongArguments, format!("`{name}` needs a value"))
                        .at(span.clone())
                        .expected(format!("what it is of: {name}(x)")),
                );
            }
            (A::Share, Some(argument)) => {
                if argument.ty != Type::BOOLEAN {
                    let is = self.describe(&argument.ty);
                    return Err(Error::new(Code::TypeMismatch, format!("`{name}` of {is}"))
                        .at(argument.span)
                        .expected("a condition: share(x = y)"));
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
                let order = self.order_keys(inner, argument.clone(), function == A::Maximum)?;
                let ty = argument.ty.clone();
                return Ok(Aggregate {
                    function: A::First,
                    argument: Some(argument),
                    second: None,
                    filter,
                    distinct: call.distinct,
                    order,
                    ty,
                    over: None,
                });
            }
            (A::Minimum | A::Maximum, Some(argument)) => {
                let ty = argument.ty.clone();
                (Some(argument), ty)
            }
            (A::Correlation | A::Slope, Some(argument)) => (
                Some(self.plain_number(inner, argument, name)?),
                Type::NUMBER,
            ),
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
                (Some(argument), ty)
            }
        };
        let second = match second {
            Some(second) => Some(self.plain_number(inner, second, name)?),
            None => None,
        };
        Ok(Aggregate {
            function,
            argument,
            second,
            filter,
            distinct: call.distinct,
            order,
            ty,
            over: None,
        })
    }

    /// A number, or an amount as one in base.
    fn plain_number(&self, scope: &Scope<'_>, value: Expr, function: &str) -> Result<Expr> {
        use FieldType as F;
        if matches!(
            value.ty,
            Type::Plain(F::Integer | F::Number | F::Percent | F::Money)
        ) {
            return Ok(cast(self.to_base(scope, value), Type::NUMBER));
        }
        let is = self.describe(&value.ty);
        Err(
            Error::new(Code::TypeMismatch, format!("`{function}` of {is}"))
                .at(value.span)
                .expected("a number or an amount"),
        )
    }

    /// A path within a grouped query: a key, an alias, or a field of a key's record.
    pub(super) fn group_path(
        &self,
        scope: &Scope<'_>,
        group: &GroupScope<'_>,
        names: &[Name],
        span: &Span,
    ) -> Result<Expr> {
        if same(&names[0].text, "outer") {
            return self.outer_path(scope, &names[1..], span);
        }
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
            let lead = syntax::Expr {
                kind: ExprKind::Path(names[..path.len()].to_vec()),
                span: span.clone(),
            };
            self.mention_in(group.records, &lead);
            if path.len() == names.len() {
                return Ok(Expr::new(Node::Slot(at), key.ty.clone(), span));
            }
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
        .hint(match group.keys.is_empty() {
            true => format!("an aggregate makes one row of all records: add `group by {written}`"),
            false => format!("add it to the keys: `group by ..., {written}`"),
        })
        .hint(format!(
            "or say which of the group's values: max({written}), list({written})"
        )))
    }
}

/// What an aggregate over nothing is, also where there is no record to have a collection.
pub(super) fn or_nothing(value: Expr) -> Expr {
    let (ty, span) = (value.ty.clone(), value.span.clone());
    let nothing = match ty {
        Type::BOOLEAN => Expr::constant(Value::Boolean(false), ty.clone(), &span),
        Type::DURATION => Expr::constant(
            Value::Duration(Duration::from_seconds(0)),
            ty.clone(),
            &span,
        ),
        _ => cast(
            Expr::constant(Value::Integer(0), Type::INTEGER, &span),
            ty.clone(),
        ),
    };
    let arguments = vec![value, nothing];
    let node = Node::Function {
        function: Function::Coalesce,
        arguments,
    };
    Expr::new(node, ty, &span)
}

/// What an aggregate is about; two arguments as a list.
fn argument_of(call: &syntax::Call) -> Option<Cow<'_, syntax::Expr>> {
    match call.arguments.as_slice() {
        [] => None,
        [one] => Some(Cow::Borrowed(one)),
        more => Some(Cow::Owned(syntax::Expr {
            kind: ExprKind::List(more.to_vec()),
            span: call.name.span.clone(),
        })),
    }
}

pub(crate) const AGGREGATES: &[&str] = &[
    "count", "exists", "sum", "avg", "min", "max", "median", "stddev", "share", "first", "last",
    "list", "corr", "slope",
];

/// The aggregate of this name.
pub(super) fn aggregate(name: &str) -> Option<AggregateFunction> {
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
        "corr" => A::Correlation,
        "slope" => A::Slope,
        other => {
            let rank: u8 = other.strip_prefix('p')?.parse().ok()?;
            A::Percentile((1..=99).contains(&rank).then(|| f64::from(rank) / 100.0)?)
        }
    })
}

/// The names of a tree that is a path.
pub(super) fn path_of(tree: &syntax::Expr) -> Option<&[Name]> {
    match &tree.kind {
        ExprKind::Path(names) => Some(names),
        _ => None,
    }
}
