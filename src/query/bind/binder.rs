//! The binder: expressions of every kind but paths, comparisons and calls.

use super::arithmetic::seconds_of;
use super::interval::whole;
use super::scope::{Base, Scope};
use super::{Arithmetic, Expr, Mention, Node, Type};
use crate::catalog::{Catalog, Object};
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax::{self, BinaryOp, ExprKind, Literal};
use crate::value::{Clock, Duration, FieldType, Value, parse_datetime};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// Parts that one statement may be made of once names, formulas and views are put in place: names
/// that stand on each other double with every step.
const WEIGHT_MAX: u64 = 100_000;

/// Binds trees to the definitions of a catalog.
pub(crate) struct Binder<'a> {
    pub(super) catalog: &'a Catalog,
    /// Gives the zone in which written moments lie; `today` stays open until a query runs.
    pub(super) clock: &'a Clock,
    /// Formulas and views being expanded, innermost last: none may reach itself.
    pub(super) expanding: RefCell<Vec<String>>,
    /// Arguments of the view being expanded.
    pub(super) arguments: RefCell<Vec<HashMap<String, Expr>>>,
    /// For each `as of` around what is bound: the views that it stands within.
    pasts: RefCell<Vec<usize>>,
    /// Within a stored text, the user's words that brought it in: errors point there.
    pub(super) place: RefCell<Option<Span>>,
    /// Parts bound so far; see [`WEIGHT_MAX`].
    weight: Cell<u64>,
    /// Whether the query about to be bound may go on after a cursor.
    pub(super) pages: Cell<bool>,
    /// Stored rules around what is bound.
    pub(super) depth: u8,
    /// The last parameter met, of which a stored text has none.
    asked: RefCell<Option<(String, Span)>>,
    /// Labels of records met in the text itself, not in a formula or view it stands on.
    pub(super) labels: RefCell<Vec<SpokenLabel>>,
    /// Names met in the text itself, if they are kept.
    pub(super) mentions: RefCell<Option<Vec<Mention>>>,
}

/// A label as a text says it, the object whose record it names, and where it stands.
pub(crate) struct SpokenLabel {
    pub object: crate::value::ObjectId,
    pub text: String,
    pub span: Span,
}

impl<'a> Binder<'a> {
    pub(crate) fn new(catalog: &'a Catalog, clock: &'a Clock) -> Self {
        Self {
            catalog,
            clock,
            expanding: RefCell::default(),
            arguments: RefCell::default(),
            pasts: RefCell::default(),
            place: RefCell::default(),
            weight: Cell::new(0),
            pages: Cell::new(false),
            depth: 0,
            asked: RefCell::default(),
            labels: RefCell::default(),
            mentions: RefCell::default(),
        }
    }

    /// The labels of records met so far.
    pub(crate) fn spoken_labels(self) -> Vec<SpokenLabel> {
        self.labels.into_inner()
    }

    /// The place errors about `span` should show.
    pub(super) fn at(&self, span: &Span) -> Span {
        self.place.borrow().clone().unwrap_or_else(|| span.clone())
    }

    /// Runs `work` on a stored text named `what`, which stands for the user's words at `span`.
    pub(super) fn expand<T>(
        &self,
        what: String,
        span: &Span,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let place = self.at(span);
        if self.expanding.borrow().contains(&what) {
            let chain = self.expanding.borrow().join(", then ");
            return Err(
                Error::new(Code::Recursive, format!("{what} reaches itself"))
                    .at(place)
                    .hint(format!("it goes through {chain}")),
            );
        }
        if self.expanding.borrow().len() >= 32 {
            return Err(
                Error::new(Code::Recursive, format!("{what} stands on too many others"))
                    .at(place)
                    .hint("formulas and views may stand on each other up to 32 deep"),
            );
        }
        let before = self.place.replace(Some(place));
        self.expanding.borrow_mut().push(what);
        let result = work();
        self.expanding.borrow_mut().pop();
        self.place.replace(before);
        result
    }

    /// Counts `parts` more of the statement; too many are an error.
    pub(super) fn carry(&self, parts: u64, span: &Span) -> Result<()> {
        self.weight.set(self.weight.get().saturating_add(parts));
        if self.weight.get() > WEIGHT_MAX {
            let message = format!("the names in the statement stand for over {WEIGHT_MAX} parts");
            return Err(Error::new(Code::TooDeep, message)
                .at(span.clone())
                .hint("names that use each other twice double with every step"));
        }
        Ok(())
    }

    /// What `work` binds, and how many parts it is made of.
    pub(super) fn weighed<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<(T, u64)> {
        let before = self.weight.get();
        let bound = work()?;
        Ok((bound, self.weight.get() - before))
    }

    pub(super) fn object(&self, id: crate::value::ObjectId) -> &'a Object {
        self.catalog.object(id)
    }

    /// An expression whose type is its own.
    pub(super) fn expr(&self, scope: &Scope<'_>, tree: &syntax::Expr) -> Result<Expr> {
        if let Some(group) = &scope.group
            && let Some(key) = group.key(tree)
        {
            self.mention_in(group.records, tree);
            return Ok(key);
        }
        let span = &self.at(&tree.span);
        self.carry(1, span)?;
        match &tree.kind {
            ExprKind::Literal(literal) => self.literal(literal, span),
            ExprKind::Parameter(name) => Ok(self.parameter(name, span)),
            ExprKind::Path(names) => {
                self.path(scope, names, span)
                    .or_else(|error| match &names[..] {
                        // What is no name here may be that of a fiscal year.
                        [name] => self.fiscal(&name.text, span).map_err(|_| error),
                        _ => Err(error),
                    })
            }
            ExprKind::Call(call) => self.call(scope, call, span),
            ExprKind::Binary { op, left, right } => self.binary(scope, *op, left, right, span),
            ExprKind::Not(inner) => Ok(not(self.condition(scope, inner)?)),
            ExprKind::Negate(inner) => self.negate(scope, inner, span),
            ExprKind::In {
                value,
                list,
                negated,
            } => self
                .membership(scope, value, list, span)
                .map(|e| negate_if(e, *negated)),
            ExprKind::Between {
                value,
                low,
                high,
                negated,
            } => {
                let low = self.compare(scope, BinaryOp::GreaterEqual, value, low, span)?;
                let high = self.compare(scope, BinaryOp::LessEqual, value, high, span)?;
                Ok(negate_if(and(vec![low, high], span), *negated))
            }
            ExprKind::Is {
                value,
                what,
                negated,
            } => self
                .is(scope, value, what, span)
                .map(|e| negate_if(e, *negated)),
            ExprKind::List(_) => Err(Error::new(Code::Misplaced, "a list stands on its own")
                .at(span.clone())
                .expected("one value")
                .hint("lists come after `in`: x in (a, b)")),
            ExprKind::Query(query) => self.subquery(scope, query, span),
        }
    }

    /// An expression that must be true or false.
    pub(super) fn condition(&self, scope: &Scope<'_>, tree: &syntax::Expr) -> Result<Expr> {
        let bound = self.expr(scope, tree)?;
        match bound.ty {
            Type::Plain(FieldType::Boolean) => Ok(bound),
            Type::Missing if matches!(bound.node, Node::Parameter(_)) => Ok(Expr {
                ty: Type::BOOLEAN,
                ..bound
            }),
            _ => {
                let is = self.describe(&bound.ty);
                Err(Error::new(
                    Code::TypeMismatch,
                    format!("`{tree}` is {is}, not a condition"),
                )
                .at(bound.span)
                .expected("something true or false")
                .hint(match &tree.kind {
                    ExprKind::Call(call) if call.name.text.eq_ignore_ascii_case("count") => {
                        let exists = tree.to_string().replacen(&call.name.text, "exists", 1);
                        format!("write `{exists}`, or `{tree} > 0`")
                    }
                    _ => format!("compare it: `{tree} = ...`, or ask `{tree} is not empty`"),
                }))
            }
        }
    }

    pub(super) fn binary(
        &self,
        scope: &Scope<'_>,
        op: BinaryOp,
        left: &syntax::Expr,
        right: &syntax::Expr,
        span: &Span,
    ) -> Result<Expr> {
        match op {
            BinaryOp::And | BinaryOp::Or => {
                let mut parts = Vec::new();
                let known = scope.facts.borrow().len();
                for side in [left, right] {
                    match (op, self.condition(scope, side)?) {
                        (
                            BinaryOp::And,
                            Expr {
                                node: Node::And(inner),
                                ..
                            },
                        )
                        | (
                            BinaryOp::Or,
                            Expr {
                                node: Node::Or(inner),
                                ..
                            },
                        ) => {
                            parts.extend(inner);
                        }
                        (_, one) => parts.push(one),
                    }
                    if op == BinaryOp::And {
                        self.learn(scope, side);
                    }
                }
                scope.facts.borrow_mut().truncate(known);
                let node = if op == BinaryOp::And {
                    Node::And(parts)
                } else {
                    Node::Or(parts)
                };
                Ok(Expr::new(node, Type::BOOLEAN, span))
            }
            BinaryOp::Equal
            | BinaryOp::NotEqual
            | BinaryOp::Less
            | BinaryOp::LessEqual
            | BinaryOp::Greater
            | BinaryOp::GreaterEqual => self.compare(scope, op, left, right, span),
            BinaryOp::Contains | BinaryOp::Like => self.text_match(scope, op, left, right, span),
            BinaryOp::ContainsNot => self
                .text_match(scope, BinaryOp::Contains, left, right, span)
                .map(not),
            BinaryOp::NotLike => self
                .text_match(scope, BinaryOp::Like, left, right, span)
                .map(not),
            BinaryOp::Under => self.under(scope, left, right, false, span),
            BinaryOp::NotUnder => self.under(scope, left, right, false, span).map(not),
            BinaryOp::Above => self.under(scope, left, right, true, span),
            BinaryOp::NotAbove => self.under(scope, left, right, true, span).map(not),
            BinaryOp::Has => self.has(scope, left, right, span),
            BinaryOp::NotHas => self.has(scope, left, right, span).map(not),
            BinaryOp::Add => self.arithmetic(scope, Arithmetic::Add, left, right, span),
            BinaryOp::Subtract => self.arithmetic(scope, Arithmetic::Subtract, left, right, span),
            BinaryOp::Multiply => self.arithmetic(scope, Arithmetic::Multiply, left, right, span),
            BinaryOp::Divide => self.arithmetic(scope, Arithmetic::Divide, left, right, span),
        }
    }

    pub(super) fn literal(&self, literal: &Literal, span: &Span) -> Result<Expr> {
        let (value, ty) = match literal {
            Literal::Empty => (Value::Missing, Type::Missing),
            Literal::Boolean(b) => (Value::Boolean(*b), Type::BOOLEAN),
            Literal::Integer(n) => (Value::Integer(*n), Type::INTEGER),
            Literal::Number(n) => (Value::Number(*n), Type::NUMBER),
            Literal::Decimal(text) => {
                let bad = |_| Error::new(Code::BadLiteral, format!("`{text}` is no number"));
                let number = text.parse().map_err(|e| bad(e).at(span.clone()))?;
                (Value::Number(number), Type::NUMBER)
            }
            Literal::Percent(n) => (Value::Number(*n), Type::Plain(FieldType::Percent)),
            Literal::Text(text) => (Value::text(text), Type::TEXT),
            Literal::Date(date) => (Value::Date(*date), Type::DATE),
            Literal::DateTime(text) => match parse_datetime(text, self.clock) {
                Some(moment) => (Value::DateTime(moment), Type::DATETIME),
                None => {
                    return Err(Error::new(
                        Code::BadLiteral,
                        format!("`{text}` is no date and time"),
                    )
                    .at(span.clone())
                    .expected("for example 2026-05-15T09:00"));
                }
            },
            Literal::Period(period) => (Value::Period(*period), Type::PERIOD),
            Literal::Fiscal(name) => return self.fiscal(name, span),
            Literal::RelativePeriod { offset, unit } => {
                let node = Node::RelativePeriod {
                    offset: *offset,
                    unit: *unit,
                };
                return Ok(Expr::new(node, Type::period_of(*unit), span));
            }
            Literal::Span {
                count,
                unit,
                forward,
            } => {
                let node = Node::SpanPeriod {
                    count: Box::new(whole(*count, span)),
                    unit: *unit,
                    forward: *forward,
                };
                return Ok(Expr::new(node, Type::PERIOD, span));
            }
            Literal::Duration { count, unit } => {
                let seconds = seconds_of(*unit).and_then(|s| s.checked_mul(*count));
                let Some(seconds) = seconds else {
                    return Err(Error::new(
                        Code::TypeMismatch,
                        "months and years have no fixed length",
                    )
                    .at(span.clone())
                    .hint("add them to a date: x + 3 months"));
                };
                (
                    Value::Duration(Duration::from_seconds(seconds)),
                    Type::DURATION,
                )
            }
            Literal::Business { count, unit } => {
                return Err(self.misplaced_business(*count, *unit, span));
            }
            Literal::BusinessSpan { .. } => {
                let message = format!("`{literal}` stands after `in` alone");
                return Err(Error::new(Code::Misplaced, message)
                    .at(span.clone())
                    .expected("a moment or date before it: x in next 4 business hours"));
            }
            Literal::Record(id) => {
                return Err(
                    Error::new(Code::Misplaced, format!("`#{id}` could be of any object"))
                        .at(span.clone())
                        .hint("compare it with a reference: x = #42"),
                );
            }
        };
        Ok(Expr::constant(value, ty, span))
    }

    /// A period of the book's fiscal year by its name.
    pub(super) fn fiscal(&self, name: &str, span: &Span) -> Result<Expr> {
        let named = name
            .get(..2)
            .filter(|start| start.eq_ignore_ascii_case("fy"));
        let name = name.to_ascii_uppercase();
        match named.map(|_| FieldType::Period.parse(&name, self.clock)) {
            Some(Ok(value)) => Ok(Expr::constant(value, Type::Fiscal, span)),
            _ => Err(
                Error::new(Code::BadLiteral, format!("`{name}` is no period"))
                    .at(span.clone())
                    .expected("for example FY2027, FY2027-Q1 or FY2027-P03"),
            ),
        }
    }

    /// How many views what is bound stands within.
    pub(super) fn views(&self) -> usize {
        self.arguments.borrow().len()
    }

    /// What `bind` makes of what stands within an `as of`.
    pub(super) fn in_past<T>(&self, bind: impl FnOnce() -> Result<T>) -> Result<T> {
        self.pasts.borrow_mut().push(self.views());
        let bound = bind();
        self.pasts.borrow_mut().pop();
        bound
    }

    /// A parameter; its type comes from what it stands opposite to.
    pub(super) fn parameter(&self, name: &str, span: &Span) -> Expr {
        let arguments = self.arguments.borrow();
        if let Some((known, around)) = arguments.split_last()
            && let Some(value) = known.get(&name.to_lowercase())
        {
            let here = self.pasts.borrow().last() == Some(&arguments.len());
            if !here || value.as_constant().is_some() {
                return Expr {
                    span: span.clone(),
                    ..value.clone()
                };
            }
            let node = Node::Argument {
                value: Box::new(value.clone()),
                views: around.len(),
            };
            return Expr::new(node, value.ty.clone(), span);
        }
        self.asked.replace(Some((name.to_owned(), span.clone())));
        Expr::new(Node::Parameter(name.to_owned()), Type::Missing, span)
    }

    /// Refuses a stored text that asks for a parameter, which nobody could give.
    pub(super) fn without_parameters(&self, bound: Expr) -> Result<Expr> {
        match self.asked.take() {
            None => Ok(bound),
            Some((name, span)) => Err(Error::new(
                Code::Misplaced,
                format!("`${name}` would have no value here"),
            )
            .at(span)
            .expected("a constant, a field, `today` or `me`")
            .hint("what is stored runs by itself; a view has parameters: create view ...($x ...)")),
        }
    }

    /// What a type is called in messages: `an amount`, `a reference to accounts`.
    pub(crate) fn describe(&self, ty: &Type) -> String {
        let plural = |ids: &[crate::value::ObjectId]| {
            let names: Vec<_> = ids
                .iter()
                .map(|id| self.object(*id).name.as_str())
                .collect();
            names.join(" or ")
        };
        match ty {
            Type::Missing => "empty".to_owned(),
            Type::Label(object, field) => {
                format!("a label of `{}`", self.object(*object).field(*field).name)
            }
            Type::Tags(object, field) => {
                format!("the tags of `{}`", self.object(*object).field(*field).name)
            }
            Type::List(of) => format!("a list ({})", self.describe(of)),
            Type::Nested => "a list of records".to_owned(),
            Type::Fiscal => "a period".to_owned(),
            Type::Plain(ty) => match ty {
                FieldType::Text | FieldType::LongText => "text".to_owned(),
                FieldType::Integer => "a whole number".to_owned(),
                FieldType::Number => "a number".to_owned(),
                FieldType::Money => "an amount".to_owned(),
                FieldType::Percent => "a percentage".to_owned(),
                FieldType::Date => "a date".to_owned(),
                FieldType::DateTime => "a moment".to_owned(),
                FieldType::Period => "a period".to_owned(),
                FieldType::Boolean => "true or false".to_owned(),
                FieldType::Picklist => "a label".to_owned(),
                FieldType::Tags => "tags".to_owned(),
                FieldType::Email => "an e-mail address".to_owned(),
                FieldType::Phone => "a phone number".to_owned(),
                FieldType::Url => "a web address".to_owned(),
                FieldType::Duration => "a duration".to_owned(),
                FieldType::Reference(object) => format!("a reference to {}", plural(&[*object])),
                FieldType::AnyReference(objects) => {
                    format!("a reference to {}", plural(objects))
                }
                FieldType::Filter(object) => format!("a filter on {}", plural(&[*object])),
                FieldType::Expression(object) => {
                    format!("an expression on {}", plural(&[*object]))
                }
            },
        }
    }

    /// A scope with no names at all, for constants.
    pub(super) fn nothing<'s>() -> Scope<'s> {
        Scope::new(Base::Nothing)
    }
}

pub(super) fn not(inner: Expr) -> Expr {
    let span = inner.span.clone();
    match inner.node {
        Node::Not(twice) => *twice,
        _ => Expr::new(Node::Not(Box::new(inner)), Type::BOOLEAN, &span),
    }
}

pub(super) fn negate_if(inner: Expr, negated: bool) -> Expr {
    if negated { not(inner) } else { inner }
}

pub(super) fn and(parts: Vec<Expr>, span: &Span) -> Expr {
    Expr::new(Node::And(parts), Type::BOOLEAN, span)
}

/// `value` as another type of the same quantity; the same type needs nothing.
pub(super) fn cast(value: Expr, ty: Type) -> Expr {
    if value.ty == ty {
        return value;
    }
    let span = value.span.clone();
    match value.node {
        _ if value.ty.is_period() && ty.is_period() => Expr { ty, ..value },
        Node::Parameter(_) if value.ty == Type::Missing => Expr { ty, ..value },
        Node::Constant(Value::Missing) => Expr { ty, ..value },
        Node::Constant(Value::Integer(n)) if ty == Type::NUMBER => {
            Expr::constant(Value::Number(n as f64), ty, &span)
        }
        _ => Expr::new(Node::Cast(Box::new(value)), ty, &span),
    }
}
