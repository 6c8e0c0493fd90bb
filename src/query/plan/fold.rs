//! Folding: everything that depends on data, clock and parameters becomes constants and sets.

use super::nodes::{is_truth, map_operands};
use super::{condition, parameter};
use crate::column::Comparison;
use crate::error::{Code, Error, Result};
use crate::query::bind::{
    Aggregate, Collect, Column, ColumnValue, Duplicates, Expr, Find, Function, Group, Life, Limit,
    Nested, Node, OrderKey, Over, Page, Paired, Query, Rule, Source, Subtree, Type,
};
use crate::query::exec::{Batch, Context, Evaluator, Frame, Then, moment, settled};
use crate::query::label;
use crate::query::rule::Call;
use crate::value::{ObjectId, Period, Value};
use std::sync::Arc;

/// The query with everything folded that does not depend on the record at hand.
pub(crate) fn fold(query: &Query, context: &Context<'_>) -> Result<Query> {
    Folder::new(context).query(query)
}

/// A single expression folded, as the writer needs for assignments and defaults.
pub(crate) fn fold_expr(expr: &Expr, context: &Context<'_>) -> Result<Expr> {
    Folder::new(context).expr(expr)
}

/// The body of a correlated expression, folded for these values of what is around it.
pub(crate) fn fold_given(body: &Expr, given: &[Value], context: &Context<'_>) -> Result<Expr> {
    let folder = Folder {
        given,
        ..Folder::new(context)
    };
    folder.expr(body)
}

pub(super) struct Folder<'a> {
    pub(super) context: &'a Context<'a>,
    evaluator: Evaluator<'a>,
    given: &'a [Value],
}

impl<'a> Folder<'a> {
    fn new(context: &'a Context<'a>) -> Self {
        Self {
            context,
            evaluator: Evaluator::new(context),
            given: &[],
        }
    }

    pub(super) fn query(&self, query: &Query) -> Result<Query> {
        let Some(as_of) = &query.as_of else {
            return self.query_now(query);
        };
        let as_of = &match as_of.node {
            Node::Given(_) => self.expr(as_of)?,
            _ => as_of.clone(),
        };
        let Some(then) = Then::at(as_of, query.views, self.context)? else {
            return self.query_now(query);
        };
        let unions = query.unions.iter().map(|query| self.query(query));
        let unions = unions.collect::<Result<_>>()?;
        let context = then.context(self.context);
        let folder = Folder {
            given: self.given,
            ..Folder::new(&context)
        };
        let own = Query {
            as_of: Some(settled(as_of, then.moment())),
            unions: Vec::new(),
            ..query.clone()
        };
        Ok(Query {
            unions,
            ..folder.query_now(&own)?
        })
    }

    /// A query at the moment of the context.
    fn query_now(&self, query: &Query) -> Result<Query> {
        let source = match &query.source {
            Source::Object(object) => Source::Object(*object),
            Source::History(history) => Source::History(history.clone()),
            Source::Life(life) => Source::Life(Box::new(Life {
                record: self.expr(&life.record)?,
                ..(**life).clone()
            })),
            Source::Paired(paired) => Source::Paired(Box::new(Paired {
                before: self.query(&paired.before)?,
                after: self.query(&paired.after)?,
                keys: paired.keys,
            })),
            Source::Duplicates(duplicates) => {
                let rule = |rule: &Rule| {
                    Ok(Rule {
                        holds: self.condition(&rule.holds)?,
                        words: rule.words.clone(),
                    })
                };
                Source::Duplicates(Box::new(Duplicates {
                    among: self.query(&duplicates.among)?,
                    rules: duplicates.rules.iter().map(rule).collect::<Result<_>>()?,
                    ..(**duplicates).clone()
                }))
            }
            Source::Query(inner) => Source::Query(Box::new(self.query(inner)?)),
            Source::Find(find) => Source::Find(Box::new(Find {
                text: self.expr(&find.text)?,
                objects: find.objects.clone(),
            })),
        };
        let group = query.group.as_ref().map(|g| self.group(g)).transpose()?;
        let limit = query.limit.as_ref().map(|l| self.limit(l)).transpose()?;
        Ok(Query {
            source,
            as_of: query.as_of.clone(),
            views: query.views,
            filter: self.filter(query.filter.as_ref())?,
            group,
            having: self.filter(query.having.as_ref())?,
            columns: self.columns(&query.columns)?,
            order: self.order(&query.order)?,
            limit,
            offset: self.optional(query.offset.as_ref())?,
            page: match &query.page {
                Some(page) => Some(Page {
                    after: self.optional(page.after.as_ref())?,
                    ..page.clone()
                }),
                None => None,
            },
            unions: query
                .unions
                .iter()
                .map(|query| self.query(query))
                .collect::<Result<_>>()?,
        })
    }

    fn optional(&self, expr: Option<&Expr>) -> Result<Option<Expr>> {
        expr.map(|expr| self.expr(expr)).transpose()
    }

    fn exprs(&self, exprs: &[Expr]) -> Result<Vec<Expr>> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    /// A condition; none if every record passes it.
    fn filter(&self, filter: Option<&Expr>) -> Result<Option<Expr>> {
        let Some(filter) = filter else {
            return Ok(None);
        };
        let folded = self.condition(filter)?;
        Ok((!is_truth(&folded, true)).then_some(folded))
    }

    fn group(&self, group: &Group) -> Result<Group> {
        Ok(Group {
            keys: self.exprs(&group.keys)?,
            aggregates: group
                .aggregates
                .iter()
                .map(|aggregate| self.aggregate(aggregate))
                .collect::<Result<_>>()?,
            totals: group.totals,
            subtotals: group.subtotals,
            rollup: group.rollup,
            empty: group.empty,
        })
    }

    fn aggregate(&self, aggregate: &Aggregate) -> Result<Aggregate> {
        Ok(Aggregate {
            function: aggregate.function,
            argument: self.optional(aggregate.argument.as_ref())?,
            second: self.optional(aggregate.second.as_ref())?,
            filter: self.filter(aggregate.filter.as_ref())?,
            distinct: aggregate.distinct,
            order: self.order(&aggregate.order)?,
            ty: aggregate.ty.clone(),
            over: aggregate
                .over
                .as_ref()
                .map(|over| self.over(over))
                .transpose()?,
        })
    }

    fn over(&self, over: &Over) -> Result<Over> {
        Ok(Over {
            from: self.expr(&over.from)?,
            base: over.base,
            object: over.object,
            owner: self.expr(&over.owner)?,
            subtree: self.subtree(over.subtree.as_ref())?,
            filter: self.filter(over.filter.as_ref())?,
        })
    }

    fn order(&self, order: &[OrderKey]) -> Result<Vec<OrderKey>> {
        let fold = |key: &OrderKey| {
            Ok(OrderKey {
                value: self.expr(&key.value)?,
                descending: key.descending,
            })
        };
        order.iter().map(fold).collect()
    }

    fn limit(&self, limit: &Limit) -> Result<Limit> {
        Ok(Limit {
            count: self.expr(&limit.count)?,
            per: self.exprs(&limit.per)?,
            with_ties: limit.with_ties,
        })
    }

    fn columns(&self, columns: &[Column]) -> Result<Vec<Column>> {
        columns
            .iter()
            .map(|column| {
                let value = match &column.value {
                    ColumnValue::Expr(expr) => ColumnValue::Expr(self.expr(expr)?),
                    ColumnValue::Nested(nested) => {
                        ColumnValue::Nested(Box::new(self.nested(nested)?))
                    }
                };
                let name = column.name.clone();
                Ok(Column { name, value })
            })
            .collect()
    }

    fn nested(&self, nested: &Nested) -> Result<Nested> {
        Ok(Nested {
            from: match &nested.from {
                Some((from, base)) => Some((self.expr(from)?, *base)),
                None => None,
            },
            source: nested.source.clone(),
            owner: self.expr(&nested.owner)?,
            subtree: self.subtree(nested.subtree.as_ref())?,
            filter: self.filter(nested.filter.as_ref())?,
            columns: self.columns(&nested.columns)?,
            order: self.order(&nested.order)?,
            limit: self.optional(nested.limit.as_ref())?,
        })
    }

    fn subtree(&self, subtree: Option<&Subtree>) -> Result<Option<Subtree>> {
        let fold = |subtree: &Subtree| {
            Ok(Subtree {
                object: subtree.object,
                owner: Arc::new(self.expr(&subtree.owner)?),
            })
        };
        subtree.map(fold).transpose()
    }

    /// Whether a query is asked at a moment of the record around that is missing or to come.
    fn is_untold(&self, query: &Query) -> Result<bool> {
        let Some(asked) = &query.as_of else {
            return Ok(false);
        };
        if !matches!(asked.node, Node::Given(_)) {
            return Ok(false);
        }
        let clock = self.context.clock;
        let moment = moment(&self.expr(asked)?, self.context)?;
        Ok(moment.is_none_or(|moment| clock.date_of(moment) > clock.today()))
    }

    /// An expression whose truth alone counts: a missing one is false.
    fn condition(&self, expr: &Expr) -> Result<Expr> {
        let span = &expr.span;
        if let Some(value) = expr.else_false() {
            return self.condition(value);
        }
        Ok(match &expr.node {
            Node::And(list) => condition::all(self.conditions(list)?, span),
            Node::Or(list) => condition::any(self.conditions(list)?, span),
            Node::Not(inner) => condition::not(self.condition(inner)?, span),
            Node::Follow {
                reference,
                object,
                inner,
            } => {
                let reference = self.expr(reference)?;
                if reference.as_constant().is_some() {
                    condition::holds(self.follow(reference, *object, self.expr(inner)?)?)
                } else {
                    condition::follow(reference, *object, self.condition(inner)?)
                }
            }
            _ => condition::push(condition::holds(self.expr(expr)?)),
        })
    }

    fn conditions(&self, list: &[Expr]) -> Result<Vec<Expr>> {
        list.iter().map(|expr| self.condition(expr)).collect()
    }

    pub(super) fn expr(&self, expr: &Expr) -> Result<Expr> {
        self.node(expr).map_err(|e| e.at(expr.span.clone()))
    }

    fn node(&self, expr: &Expr) -> Result<Expr> {
        if let Some(meant) = parameter::coarsened(expr, self.context)? {
            return self.expr(&meant);
        }
        let clock = self.context.clock;
        let constant = |value| Ok(Expr::constant(value, expr.ty.clone(), &expr.span));
        match &expr.node {
            Node::Constant(_) | Node::Id | Node::Column(_) | Node::Slot(_) => Ok(expr.clone()),
            Node::Parameter(name) => self.parameter(name, &expr.ty, expr),
            Node::Cast(inner) => match &inner.node {
                // A parameter without a type of its own is read as the one it is cast to.
                Node::Parameter(name) if inner.ty == Type::Missing => {
                    self.parameter(name, &expr.ty, expr)
                }
                _ => self.operation(expr),
            },
            Node::Today => constant(Value::Date(clock.today())),
            Node::Now => constant(Value::DateTime(clock.now)),
            Node::Me => match self.context.me {
                Some(id) => constant(Value::Reference(id)),
                None => Err(Error::new(Code::MissingParameter, "nobody is `me` here")
                    .hint("say who is asking: --as NAME, or begin as NAME")),
            },
            Node::RelativePeriod { offset, unit } => {
                Period::of_unit(*unit, clock.today(), *offset, clock)
                    .and_then(|period| constant(Value::Period(period)))
            }
            Node::SpanPeriod {
                count,
                unit,
                forward,
            } => {
                let span = if *forward { Period::next } else { Period::last };
                match self.expr(count)?.as_constant() {
                    Some(Value::Integer(count)) => {
                        constant(Value::Period(span(*count, *unit, clock)?))
                    }
                    _ => constant(Value::Missing),
                }
            }
            Node::Lookup { object, label } => self.lookup(expr, *object, label),
            Node::Subquery(query) => self.subquery(expr, query),
            Node::Keyed { query, .. } if self.is_untold(query)? => constant(Value::Missing),
            Node::Keyed { key, query } => {
                let (key, query) = (key.clone(), Arc::new(self.query(query)?));
                let node = Node::Keyed { key, query };
                self.operation(&Expr::new(node, expr.ty.clone(), &expr.span))
            }
            Node::InQuery { value, query } => {
                let value = self.expr(value)?;
                let (ty, values) = self.list_of(query)?;
                let list = values
                    .into_iter()
                    .map(|value| Expr::constant(value, ty.clone(), &expr.span))
                    .collect();
                self.among(expr, value, list)
            }
            Node::InList { value, list } => {
                let (value, list) = (self.expr(value)?, self.exprs(list)?);
                self.among(expr, value, list)
            }
            Node::Under {
                value,
                root,
                object,
                above,
            } => self.under(expr, value, root, *object, *above),
            Node::Follow {
                reference,
                object,
                inner,
            } => self.follow(self.expr(reference)?, *object, self.expr(inner)?),
            Node::Collect(collect) => {
                let node = Node::Collect(Arc::new(Collect {
                    object: collect.object,
                    owner: self.expr(&collect.owner)?,
                    subtree: self.subtree(collect.subtree.as_ref())?,
                    filter: self.filter(collect.filter.as_ref())?,
                    aggregate: self.aggregate(&collect.aggregate)?,
                }));
                Ok(Expr::new(node, expr.ty.clone(), &expr.span))
            }
            // The rows decide it, whatever its argument is.
            Node::Window(_) => {
                let node = map_operands(&expr.node, |operand| self.expr(operand))?;
                Ok(Expr::new(node, expr.ty.clone(), &expr.span))
            }
            // The body is folded when it runs.
            Node::Correlated { given, body } => {
                let given = self.exprs(given)?;
                let body = Arc::clone(body);
                let node = Node::Correlated { given, body };
                Ok(Expr::new(node, expr.ty.clone(), &expr.span))
            }
            Node::Argument { value, views } => fold_expr(value, self.context.asker(*views)),
            Node::Given(at) => constant(self.given.get(*at).cloned().unwrap_or_default()),
            Node::And(_) | Node::Or(_) | Node::Not(_) => {
                Ok(condition::settled(self.condition(expr)?))
            }
            Node::Compare {
                comparison,
                left,
                right,
            } => self.compare(expr, *comparison, left, right),
            Node::Stored {
                rule,
                object,
                record,
                depth,
            } => {
                let rule = self.expr(rule)?;
                let call = Call {
                    object: *object,
                    truth: expr.ty == Type::BOOLEAN,
                    depth: *depth,
                    span: &expr.span,
                };
                let record = self.expr(record)?;
                if let Some(text) = rule.as_constant() {
                    let what = || format!("the rule `{}`", text.show(clock));
                    return self.stored(text, record, &call, &what);
                }
                let node = Node::Stored {
                    rule: Box::new(rule),
                    object: *object,
                    record: Box::new(record),
                    depth: *depth,
                };
                Ok(Expr::new(node, expr.ty.clone(), &expr.span))
            }
            _ => self.operation(expr),
        }
    }

    fn parameter(&self, name: &str, ty: &Type, expr: &Expr) -> Result<Expr> {
        let value = parameter::parameter(name, ty, self.context)?;
        let ty = match ty {
            Type::Missing => type_of(&value),
            _ => ty.clone(),
        };
        Ok(Expr::constant(value, ty, &expr.span))
    }

    /// A node whose value depends on its operands alone.
    fn operation(&self, expr: &Expr) -> Result<Expr> {
        if let Node::Function {
            function: Function::If,
            arguments,
        } = &expr.node
            && let [test, then, otherwise] = arguments.as_slice()
        {
            let test = self.condition(test)?;
            if let Some(value) = test.as_constant() {
                let taken = *value == Value::Boolean(true);
                return self.expr(if taken { then } else { otherwise });
            }
        }
        let mut constant = true;
        let node = map_operands(&expr.node, |operand| {
            let operand = self.expr(operand)?;
            constant &= operand.as_constant().is_some();
            Ok(operand)
        })?;
        let folded = Expr::new(node, expr.ty.clone(), &expr.span);
        if constant {
            return self.constant(&folded);
        }
        Ok(condition::settle(folded))
    }

    /// The value of an expression without columns.
    pub(super) fn constant(&self, expr: &Expr) -> Result<Expr> {
        let frame = Frame {
            columns: Vec::new(),
            len: 1,
        };
        let vector = self.evaluator.evaluate(expr, &Batch::Slots(&frame))?;
        let value = vector.value(&expr.ty.field_type(), 0);
        Ok(Expr::constant(value, expr.ty.clone(), &expr.span))
    }

    /// A rule that is the same for every record, in its place.
    fn stored(
        &self,
        text: &Value,
        record: Expr,
        call: &Call<'_>,
        what: &dyn Fn() -> String,
    ) -> Result<Expr> {
        let Value::Text(text) = text else {
            return Ok(call.nothing());
        };
        let rule = call.expr(text, self.context, what)?;
        if matches!(record.node, Node::Id) {
            return Ok(rule);
        }
        let value = self.follow(record, call.object, rule)?;
        Ok(if call.truth {
            condition::settled(condition::holds(value))
        } else {
            value
        })
    }

    fn follow(&self, reference: Expr, object: ObjectId, inner: Expr) -> Result<Expr> {
        let (ty, span) = (inner.ty.clone(), inner.span.clone());
        let target = match reference.as_constant() {
            None => return Ok(condition::lengthen(reference, object, inner)),
            Some(Value::Reference(id)) => Some(*id),
            Some(Value::AnyReference(of, id)) if *of == object => Some(*id),
            Some(_) => None,
        };
        let value = match target {
            Some(id) => {
                let ids = [id];
                let batch = Batch::Records { object, ids: &ids };
                self.evaluator
                    .evaluate(&inner, &batch)?
                    .value(&ty.field_type(), 0)
            }
            None => Value::Missing,
        };
        Ok(Expr::constant(value, ty, &span))
    }

    fn compare(
        &self,
        expr: &Expr,
        comparison: Comparison,
        left: &Expr,
        right: &Expr,
    ) -> Result<Expr> {
        let sides = [self.expr(left)?, self.expr(right)?];
        if comparison != Comparison::Equal {
            for (written, folded) in [left, right].into_iter().zip(&sides) {
                if folded.as_constant() == Some(&Value::Missing) {
                    self.check_position(written)?;
                }
            }
        }
        let [left, right] = sides;
        if [&left, &right]
            .iter()
            .all(|side| side.as_constant().is_some())
        {
            let node = Node::Compare {
                comparison,
                left: Box::new(left),
                right: Box::new(right),
            };
            return self.constant(&Expr::new(node, expr.ty.clone(), &expr.span));
        }
        let folded = condition::compare(comparison, left, right, &expr.span);
        Ok(condition::ranked(folded, self.context.catalog))
    }

    /// An error where an ordering names a record that has no place in the order.
    fn check_position(&self, written: &Expr) -> Result<()> {
        let Node::Follow {
            reference,
            object,
            inner,
        } = &written.node
        else {
            return Ok(());
        };
        let position = self.context.catalog.object(*object).ordered_by;
        // What a record around has is no word of the user's.
        let is_written = matches!(
            reference.node,
            Node::Lookup { .. } | Node::Constant(_) | Node::Subquery(_)
        );
        if !is_written || !matches!(inner.node, Node::Column(field) if Some(field) == position) {
            return Ok(());
        }
        let Some(Value::Reference(id)) = self.expr(reference)?.as_constant().cloned() else {
            return Ok(());
        };
        let object = self.context.catalog.object(*object);
        let row = self.context.snapshot.row(object.id, id)?;
        let label = object.label_field().zip(row).map_or_else(
            || id.to_string(),
            |(field, row)| row.get(field.id).show(self.context.clock),
        );
        let field = object
            .ordered_by
            .map_or("position", |field| object.field(field).name.as_str());
        Err(Error::new(
            Code::NotOrdered,
            format!("\"{label}\" has no {field} in {}", object.name),
        )
        .at(reference.span.clone())
        .expected(format!("one of {} with a {field}", object.name))
        .hint("only `=` and `!=` work with it"))
    }

    fn lookup(&self, expr: &Expr, object: ObjectId, label: &Expr) -> Result<Expr> {
        if let Node::Parameter(name) = &label.node
            && let Value::Reference(id) = parameter::given(name, &expr.ty, self.context)?
        {
            let value = Value::Reference(*id);
            return Ok(Expr::constant(value, expr.ty.clone(), &expr.span));
        }
        let label = self.expr(label)?;
        let value = match label.as_constant() {
            Some(Value::Text(text)) => {
                let found = label::lookup(object, text, self.context);
                Value::Reference(found.map_err(|e| e.at(label.span.clone()))?)
            }
            Some(Value::Missing) => Value::Missing,
            Some(Value::Reference(id)) => {
                let found = label::existing(object, *id, self.context);
                Value::Reference(found.map_err(|e| e.at(label.span.clone()))?)
            }
            _ => {
                return Err(Error::new(
                    Code::Misplaced,
                    "a label must not depend on the record at hand",
                ));
            }
        };
        Ok(Expr::constant(value, expr.ty.clone(), &expr.span))
    }
}

/// The type that a parameter's value brings along where the query asks for none.
pub(super) fn type_of(value: &Value) -> Type {
    match value {
        Value::Boolean(_) => Type::BOOLEAN,
        Value::Integer(_) => Type::INTEGER,
        Value::Number(_) => Type::NUMBER,
        Value::Money(_) => Type::MONEY,
        Value::Text(_) => Type::TEXT,
        Value::Date(_) => Type::DATE,
        Value::DateTime(_) => Type::DATETIME,
        Value::Period(_) => Type::PERIOD,
        Value::Duration(_) => Type::DURATION,
        _ => Type::Missing,
    }
}
