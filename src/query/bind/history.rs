//! History: `changes of opportunities.stage`, `spans of opportunities.stage`.

use super::aggregate::or_nothing;
use super::binder::Binder;
use super::item::Listed;
use super::joined::only_to;
use super::order::column;
use super::scope::{Base, Link, Outer, Scope, Slot, correlated};
use super::source::Start;
use super::{
    AggregateFunction, Column, ColumnValue, Expr, Function, Group, History, Life, Meant, Node,
    Query, Source, TRANSACTION, Type,
};
use crate::catalog::{Object, Role};
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax::{self, Call, ExprKind, HistoryKind, Literal, Name};
use crate::value::{FieldId, FieldType, ObjectId, RecordId, Value};
use std::cell::RefCell;

/// `changes(stage)` in the argument of an aggregate.
pub(super) fn past_argument(call: &Call) -> Option<(HistoryKind, &Call)> {
    match call.arguments.as_slice() {
        [
            syntax::Expr {
                kind: ExprKind::Call(inner),
                ..
            },
        ] => HistoryKind::named(&inner.name.text).map(|kind| (kind, inner)),
        _ => None,
    }
}

/// The names of what is known of each change or span.
fn rows_of(history: &History) -> Base {
    let slots = history.columns().into_iter();
    Base::Slots(
        slots
            .map(|(name, ty)| Slot::new(name.to_owned(), ty))
            .collect(),
    )
}

impl Binder<'_> {
    /// `changes of opportunities.stage`
    pub(super) fn history_of(&self, kind: HistoryKind, path: &[Name]) -> Result<Start> {
        let [name, field] = path else {
            let written: Vec<_> = path.iter().map(|name| name.text.as_str()).collect();
            let span = path[0].span.start..path[path.len() - 1].span.end;
            let message = format!("`{}` is no field of an object", written.join("."));
            return Err(Error::new(Code::UnknownField, message)
                .at(self.at(&span))
                .expected("an object and one of its fields")
                .hint(format!(
                    "for example `{} of {}.FIELD`",
                    kind.word(),
                    written[0]
                )));
        };
        let object = self.named_object(name)?;
        let span = &self.at(&(name.span.start..field.span.end));
        let history = self.history(kind, object, self.past_field(object, field)?, span);
        let columns = history.columns();
        let source = Source::History(Box::new(history));
        let mut start = Start::of_columns(columns, source, span);
        start.columns.retain(|column| column.name != TRANSACTION);
        Ok(start)
    }

    /// `history opportunities "Acme renewal"`
    pub(super) fn life(&self, name: &Name, key: &syntax::Expr) -> Result<Start> {
        let object = self.named_object(name)?;
        let ty = Type::Plain(FieldType::Reference(object.id));
        let life = Life {
            object: object.id,
            // One that was deleted is known by its id alone.
            record: match &key.kind {
                ExprKind::Literal(Literal::Record(id)) => {
                    let id = Value::Reference(RecordId(*id));
                    Expr::constant(id, ty, &self.at(&key.span))
                }
                _ => self.opposite(&Self::nothing(), key, &ty)?,
            },
            actors: self.catalog.playing(Role::Actors).map(|actors| actors.id),
        };
        let span = &self.at(&(name.span.start..key.span.end));
        let columns = life.columns();
        let source = Source::Life(Box::new(life));
        let mut start = Start::of_columns(columns, source, span);
        start.columns.retain(|column| column.name != TRANSACTION);
        Ok(start)
    }

    /// `count(changes(stage) where new = won)`: an aggregate over what happened to a field of one
    /// record.
    pub(super) fn past_aggregate(
        &self,
        scope: &Scope<'_>,
        call: &Call,
        function: AggregateFunction,
        (kind, inner): (HistoryKind, &Call),
        span: &Span,
    ) -> Result<Expr> {
        let plain = !inner.distinct && inner.filter.is_none() && inner.order.is_empty();
        let names = match inner.arguments.as_slice() {
            [argument] if plain => super::aggregate::path_of(argument),
            _ => None,
        };
        let Some((field, lead)) = names.and_then(<[Name]>::split_last) else {
            let message = format!("`{inner}` names no field");
            return Err(Error::new(Code::WrongArguments, message)
                .at(span.clone())
                .expected(format!("one field: {}(stage)", kind.word())));
        };
        if scope.group.is_some() {
            let message = format!("`{inner}` is of one record, and here are groups");
            return Err(Error::new(Code::MisplacedAggregate, message)
                .at(span.clone())
                .hint(format!(
                    "for each record first: `let n = {call}`, then an aggregate of n"
                )));
        }
        let (key, object) = self.past_record(scope, lead, field, span)?;
        let object = self.object(object);
        let history = self.history(kind, object, self.past_field(object, field)?, span);
        let given = RefCell::default();
        let mut rows = Scope::new(rows_of(&history));
        rows.outer = Some(Outer {
            scope,
            link: Link::Given(&given),
        });
        let argument = match inner.member.as_slice() {
            [] => None,
            names => Some(self.path(&rows, names, span)?),
        };
        let filter = call.filter.as_deref();
        let filter = filter
            .map(|filter| self.condition(&rows, filter))
            .transpose()?;
        let arguments = (argument, None);
        let mut aggregate = self.aggregate_of(&rows, call, function, arguments, filter, span)?;
        let record = Type::Plain(FieldType::Reference(history.object));
        let ty = aggregate.ty.clone();
        let columns = [("record", record.clone()), ("value", ty.clone())];
        let columns = columns
            .into_iter()
            .enumerate()
            .map(|(at, (name, ty))| Column {
                name: name.to_owned(),
                value: ColumnValue::Expr(Expr::new(Node::Slot(at), ty, span)),
            });
        let query = Query {
            filter: aggregate.filter.take(),
            columns: columns.collect(),
            group: Some(Group {
                keys: vec![Expr::new(Node::Slot(History::RECORD), record, span)],
                aggregates: vec![aggregate],
                totals: false,
                rollup: false,
                subtotals: false,
                empty: false,
            }),
            ..Query::of(Source::History(Box::new(history)))
        };
        let value = Expr::keyed(key, query, ty, span);
        let value = correlated(value, given);
        Ok(match function {
            AggregateFunction::Count | AggregateFunction::Sum | AggregateFunction::Exists => {
                or_nothing(value)
            }
            _ => value,
        })
    }

    /// `changes(stage) { old, new, at }`: what happened to a field of one record, as a list.
    pub(super) fn past_list(
        &self,
        scope: &Scope<'_>,
        kind: HistoryKind,
        path: &[Name],
        span: &Span,
    ) -> Result<Listed> {
        let Some((field, lead)) = path.split_last() else {
            return Err(Error::new(Code::Internal, "a history of no field"));
        };
        let (key, base) = self.past_record(scope, lead, field, span)?;
        let object = self.object(base);
        let history = self.history(kind, object, self.past_field(object, field)?, span);
        let record = Type::Plain(FieldType::Reference(base));
        Ok(Listed {
            from: (key.node != Node::Id).then_some(key),
            base,
            rows: rows_of(&history),
            source: Source::History(Box::new(history)),
            owner: Expr::new(Node::Slot(History::RECORD), record, span),
            subtree: None,
        })
    }

    /// The record whose history is meant: the one at hand, or one that references lead to.
    fn past_record(
        &self,
        scope: &Scope<'_>,
        lead: &[Name],
        field: &Name,
        span: &Span,
    ) -> Result<(Expr, ObjectId)> {
        if lead.is_empty() || matches!(lead, [name] if super::scope::same(&name.text, "this")) {
            let Some(object) = scope.object() else {
                return Err(Error::new(
                    Code::Misplaced,
                    "there is no record here whose history it is",
                )
                .at(span.clone())
                .hint("`changes of OBJECT.FIELD` is a source of its own"));
            };
            return Ok((Expr::this(object, span), object));
        }
        let reference = self.path(scope, lead, span)?;
        let written: Vec<_> = lead.iter().map(|name| name.text.as_str()).collect();
        let written = written.join(".");
        let refused = || {
            let is = self.describe(&reference.ty);
            Error::new(Code::TypeMismatch, format!("`{written}` is {is}")).at(span.clone())
        };
        match &reference.ty {
            Type::Plain(FieldType::Reference(object)) => Ok((reference.clone(), *object)),
            Type::Plain(FieldType::AnyReference(objects)) => {
                if let Some(object) = scope.known(lead) {
                    return Ok((only_to(reference, object), object));
                }
                let having = |id: &&ObjectId| self.object(**id).find_field(&field.text).is_some();
                let error = refused().expected("a reference to records of one object");
                Err(match objects.iter().find(having) {
                    Some(object) => error.hint(format!(
                        "the test comes first: `where {written} is {}`",
                        self.object(*object).singular
                    )),
                    None => error,
                })
            }
            _ => Err(refused().expected("a reference before the field")),
        }
    }

    /// `reached(stage = won)`, `entered(stage = won)`, `time_in(stage = proposal)`,
    /// `was(stage, 2026-03-31)`
    pub(super) fn past_call(
        &self,
        scope: &Scope<'_>,
        call: &Call,
        span: &Span,
    ) -> Result<Option<Expr>> {
        let name = call.name.text.to_lowercase();
        let (aggregate, history, column, value) = match name.as_str() {
            "reached" => ("exists", "changes", None, "new"),
            "entered" => ("min", "changes", Some("at"), "new"),
            "time_in" => ("sum", "spans", Some("days"), "value"),
            "was" => return self.was(scope, call, span).map(Some),
            name => {
                let Some(kind) = HistoryKind::named(name) else {
                    return Ok(None);
                };
                let message = format!("`{call}` are many, and here is one value");
                let error = Error::new(Code::Misplaced, message)
                    .at(span.clone())
                    .expected(format!("an aggregate of them: count({call})"));
                return Err(match call.filter.is_none() && call.member.is_empty() {
                    true => error.hint(format!(
                        "in `select` a list of them: {call} {{ {} }}",
                        kind.shown()
                    )),
                    false => error,
                });
            }
        };
        let named = |text: &str| Name {
            text: text.to_owned(),
            span: span.clone(),
        };
        let wrong = || {
            Error::new(
                Code::WrongArguments,
                format!("`{call}` names no field and value"),
            )
            .at(span.clone())
            .expected(format!(
                "a condition on one field: {}(stage = won)",
                call.name.text
            ))
        };
        let [condition] = call.arguments.as_slice() else {
            return Err(wrong());
        };
        let mut condition = condition.clone();
        let field = match &mut condition.kind {
            ExprKind::Binary { left, .. } => left,
            ExprKind::In { value, .. }
            | ExprKind::Between { value, .. }
            | ExprKind::Is { value, .. } => value,
            _ => return Err(wrong()),
        };
        if super::aggregate::path_of(field).is_none() {
            return Err(wrong());
        }
        let column_named = syntax::Expr {
            kind: ExprKind::Path(vec![named(value)]),
            span: field.span.clone(),
        };
        let of = std::mem::replace(&mut **field, column_named);
        let plain = |name: &str, argument: syntax::Expr| Call {
            name: named(name),
            arguments: vec![argument],
            distinct: false,
            filter: None,
            order: Vec::new(),
            member: Vec::new(),
        };
        let past = |history: &str, member: Option<&str>| syntax::Expr {
            kind: ExprKind::Call(Call {
                member: member.into_iter().map(named).collect(),
                ..plain(history, of.clone())
            }),
            span: span.clone(),
        };
        let whole = Call {
            filter: Some(Box::new(condition)),
            ..plain(aggregate, past(history, column))
        };
        let whole = self.call(scope, &whole, span)?;
        if aggregate == "exists" {
            return Ok(Some(whole));
        }
        // Of a record that is older than the journal it is not known.
        let older = syntax::Expr {
            kind: ExprKind::Is {
                value: Box::new(syntax::Expr {
                    kind: ExprKind::Path(vec![named("since")]),
                    span: span.clone(),
                }),
                what: named("empty"),
                negated: false,
            },
            span: span.clone(),
        };
        let older = Call {
            filter: Some(Box::new(older)),
            ..plain("exists", past("spans", None))
        };
        let (ty, older) = (whole.ty.clone(), self.call(scope, &older, span)?);
        let unknown = Expr::constant(Value::Missing, ty.clone(), span);
        let node = Node::Function {
            function: Function::If,
            arguments: vec![older, unknown, whole],
        };
        Ok(Some(Expr::new(node, ty, span)))
    }

    /// `was(stage, 2026-03-31)`: what an expression was at the end of a day or period, or at a
    /// moment.
    fn was(&self, scope: &Scope<'_>, call: &Call, span: &Span) -> Result<Expr> {
        let [value, moment] = call.arguments.as_slice() else {
            let message = format!(
                "`was` takes two arguments, and has {}",
                call.arguments.len()
            );
            return Err(Error::new(Code::WrongArguments, message)
                .at(span.clone())
                .expected("an expression and a moment: was(stage, 2026-03-31)"));
        };
        let Some(object) = scope.object().filter(|_| scope.group.is_none()) else {
            return Err(Error::new(
                Code::Misplaced,
                "`was` looks back at a record, and here is none",
            )
            .at(span.clone())
            .hint("for each record first: `let x = was(...)`"));
        };
        let value = self.in_past(|| self.expr(scope, value))?;
        let given: RefCell<Vec<Expr>> = RefCell::default();
        // A moment of the record's own is given to a query that runs for each such moment.
        let moment = match self.as_of(moment) {
            Ok(moment) => moment,
            Err(_) => {
                let own = self.expr(scope, moment)?;
                let (ty, span) = (own.ty.clone(), own.span.clone());
                self.check_moment(&own, moment)?;
                given.borrow_mut().push(own);
                Expr::new(Node::Given(0), ty, &span)
            }
        };
        let this = Expr::this(object, span);
        let ty = value.ty.clone();
        let columns = [("this", this.clone()), ("value", value)];
        let query = Query {
            as_of: Some(moment),
            views: self.views(),
            columns: columns
                .map(|(name, value)| Column {
                    name: name.to_owned(),
                    value: ColumnValue::Expr(value),
                })
                .into(),
            ..Query::of(Source::Object(object))
        };
        Ok(correlated(Expr::keyed(this, query, ty, span), given))
    }

    fn history(&self, kind: HistoryKind, object: &Object, field: FieldId, span: &Span) -> History {
        History {
            kind,
            object: object.id,
            field,
            span: span.clone(),
            ty: column(object, field, span).ty,
            actors: self.catalog.playing(Role::Actors).map(|actors| actors.id),
        }
    }

    /// A field that the journal knows.
    fn past_field(&self, object: &Object, name: &Name) -> Result<FieldId> {
        if let Some(field) = object.find_field(&name.text) {
            self.mention(Meant::Field(object.id, field.id), &name.span);
            return Ok(field.id);
        }
        let names = object.live_fields().map(|field| field.name.as_str());
        let error = match object.find_formula(&name.text) {
            Some(_) => Error::new(
                Code::UnknownField,
                format!("`{}` is computed, and has no history of its own", name.text),
            )
            .hint("ask for the history of a field that it is computed from, or `was(...)`"),
            None => Error::new(
                Code::UnknownField,
                format!("{} have no field `{}`", object.name, name.text),
            )
            .near(&name.text, names),
        };
        Err(error.at(self.at(&name.span)))
    }
}
