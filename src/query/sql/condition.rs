//! Conditions: truth has two values here, so a condition that SQL leaves open counts as false.

use super::fragment::{self, Level, Sql, Truth};
use super::frame::{Frame, Row, Target, is_strict_condition};
use super::translate::Translator;
use super::untranslatable;
use super::value::internal;
use crate::column::Comparison;
use crate::error::Result;
use crate::query::bind::{AggregateFunction, Expr, Function, Node, Type};
use crate::query::plan;
use crate::value::{FieldId, LabelCode, ObjectId, Value};

impl Translator<'_> {
    pub(super) fn condition(&self, frame: &Frame<'_>, expr: &Expr) -> Result<Truth> {
        if let Some(value) = self.closed(expr)? {
            return Ok(Truth::constant(value == Value::Boolean(true)));
        }
        if let Some(value) = expr.else_false() {
            return self.condition(frame, value);
        }
        if let Some(meant) = plan::coarsened(expr, self.context)? {
            return self.condition(frame, &meant);
        }
        match &expr.node {
            Node::Constant(value) => Ok(Truth::constant(*value == Value::Boolean(true))),
            Node::And(parts) => Ok(Truth::all(&self.conditions(frame, parts)?)),
            Node::Or(parts) => Ok(Truth::any(&self.conditions(frame, parts)?)),
            Node::Not(inner) => self.negation(frame, inner),
            Node::Compare {
                comparison,
                left,
                right,
            } => self.compare(frame, *comparison, left, right),
            Node::IsMissing(value) => {
                if let Type::Tags(..) = value.ty {
                    return self.tagged(frame, value, None).map(|tagged| tagged.not());
                }
                let value = self.value(frame, value)?.remove(0);
                Ok(Truth::exact(Sql::new(
                    format!("{} IS NULL", value.at(Level::Sum)),
                    Level::Compare,
                )))
            }
            Node::InList { value, list } => self.in_list(frame, value, list),
            Node::InPeriod { value, period } => {
                Ok(Truth::all(&self.in_period(frame, value, period)?))
            }
            Node::Under {
                value,
                root,
                object,
                above,
            } => {
                let fixed = match root.node {
                    Node::Subquery(_) => self.given.borrow().is_empty(),
                    Node::Constant(_) | Node::Lookup { .. } | Node::Me => true,
                    _ => false,
                };
                if !fixed {
                    let (low, high) = if *above { (root, value) } else { (value, root) };
                    let low = self.value(frame, low)?.remove(0);
                    let high = self.value(frame, high)?.remove(0);
                    return Ok(Truth::open(Sql::new(
                        format!(
                            "({}, {}) IN (SELECT id, above FROM {})",
                            low.text,
                            high.text,
                            self.tree(*object)?
                        ),
                        Level::Compare,
                    )));
                }
                let set = self.hierarchy(frame, root, *object, *above)?;
                let value = self.value(frame, value)?.remove(0);
                Ok(Truth::open(Sql::new(
                    format!("{} IN (SELECT id FROM {set})", value.at(Level::Sum)),
                    Level::Compare,
                )))
            }
            Node::InQuery { value, query } => {
                let parts = self.value(frame, value)?;
                let among = self.column_select(query)?;
                let texts: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
                let value = match texts.as_slice() {
                    [_] => parts[0].at(Level::Sum),
                    _ => format!("({})", texts.join(", ")),
                };
                let text = format!("{value} IN {}", among.text);
                Ok(Truth::open(Sql::new(text, Level::Compare)))
            }
            Node::IsObject { value, object } => {
                let parts = self.value(frame, value)?;
                match parts.get(1) {
                    Some(kind) => Ok(Truth::open(Sql::binary(
                        kind,
                        "=",
                        &self.kind(*object),
                        Level::Compare,
                    ))),
                    None => Ok(Truth::exact(Sql::new(
                        format!("{} IS NOT NULL", parts[0].at(Level::Sum)),
                        Level::Compare,
                    ))),
                }
            }
            Node::Has { value, label } => self.tagged(frame, value, Some(*label)),
            Node::Contains { value, pattern } => self.contains(frame, value, pattern),
            Node::Like { value, pattern } => self.like(frame, value, pattern),
            Node::Correlated { given, body } => {
                self.giving(frame, given, || self.condition(frame, body))
            }
            Node::Follow {
                reference,
                object,
                inner,
            } => self.follow_condition(frame, reference, *object, inner),
            Node::Collect(collect) if collect.aggregate.function == AggregateFunction::Exists => {
                self.exists(frame, collect)
            }
            Node::Function {
                function: Function::If,
                arguments,
            } => {
                let [test, yes, no] = arguments.as_slice() else {
                    return Err(internal(expr));
                };
                let text = format!(
                    "CASE WHEN {} THEN {} ELSE {} END",
                    self.condition(frame, test)?.sql.text,
                    self.value(frame, yes)?[0].text,
                    self.value(frame, no)?[0].text
                );
                Ok(Truth::open(Sql::atom(text)))
            }
            Node::Column(_)
            | Node::Slot(_)
            | Node::Given(_)
            | Node::Collect(_)
            | Node::Function { .. }
            | Node::Subquery(_)
            | Node::Cast(_) => Ok(Truth::open(self.value(frame, expr)?.remove(0))),
            Node::Stored { .. } => Err(untranslatable("a stored rule", &expr.span)
                .hint("each record may have another: write what it says in the query")),
            _ => Err(untranslatable("this condition", &expr.span)),
        }
    }

    fn conditions(&self, frame: &Frame<'_>, parts: &[Expr]) -> Result<Vec<Truth>> {
        parts
            .iter()
            .map(|part| self.condition(frame, part))
            .collect()
    }

    /// The exact complement, in the plainest words there are.
    fn negation(&self, frame: &Frame<'_>, inner: &Expr) -> Result<Truth> {
        let exact = |left: &Sql, words: &str, right: &str| {
            Truth::exact(Sql::new(
                format!("{} {words}{right}", left.at(Level::Sum)),
                Level::Compare,
            ))
        };
        if let Some(meant) = plan::coarsened(inner, self.context)? {
            return self.negation(frame, &meant);
        }
        match &inner.node {
            Node::IsMissing(value) if !matches!(value.ty, Type::Tags(..)) => {
                let value = self.value(frame, value)?.remove(0);
                Ok(exact(&value, "IS NOT NULL", ""))
            }
            Node::Compare {
                comparison: Comparison::Equal,
                left,
                right,
            } if is_constant(right) && super::value::width(&left.ty) == 1 => {
                let left = self.value(frame, left)?.remove(0);
                let right = self.value(frame, right)?.remove(0);
                if right.is_null() {
                    return Ok(Truth::constant(true));
                }
                let right = right.at(Level::Sum);
                Ok(exact(&left, "IS DISTINCT FROM ", &right))
            }
            _ => Ok(self.condition(frame, inner)?.not()),
        }
    }

    pub(super) fn compare(
        &self,
        frame: &Frame<'_>,
        comparison: Comparison,
        left: &Expr,
        right: &Expr,
    ) -> Result<Truth> {
        if let Some(truth) = self.compare_days(frame, comparison, left, right)? {
            return Ok(truth);
        }
        if let (Type::Tags(..), Type::Tags(..)) = (&left.ty, &right.ty) {
            return Err(untranslatable("the comparison of tags", &left.span));
        }
        let a = self.value(frame, left)?;
        let b = self.value(frame, right)?;
        if a[0].is_null() || b[0].is_null() {
            return Ok(Truth::constant(false));
        }
        let amounts = left.ty == Type::MONEY;
        let same = |(a, b): (&Sql, &Sql)| Truth::open(Sql::binary(a, "=", b, Level::Compare));
        if comparison == Comparison::Equal && !amounts {
            let parts: Vec<Truth> = a.iter().zip(&b).map(same).collect();
            return Ok(Truth::all(&parts));
        }
        if a.len() > 1 && !amounts {
            return Err(untranslatable("the order of these", &left.span));
        }
        let operator = match comparison {
            Comparison::Equal => "=",
            Comparison::Less => "<",
            Comparison::LessEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterEqual => ">=",
        };
        Ok(Truth::open(Sql::binary(
            &a[0],
            operator,
            &b[0],
            Level::Compare,
        )))
    }

    fn in_list(&self, frame: &Frame<'_>, value: &Expr, list: &[Expr]) -> Result<Truth> {
        if let Type::Tags(..) = value.ty {
            return Err(untranslatable("the comparison of tags", &value.span));
        }
        let mut items = Vec::new();
        for item in list {
            let parts = self.value(frame, item)?;
            if !parts[0].is_null() {
                items.push(parts);
            }
        }
        if items.is_empty() {
            return Ok(Truth::constant(false));
        }
        let parts = self.value(frame, value)?;
        if let ([value], [item]) = (parts.as_slice(), items.as_slice()) {
            return Ok(Truth::open(Sql::binary(
                value,
                "=",
                &item[0],
                Level::Compare,
            )));
        }
        let texts = |parts: &[Sql]| {
            let texts: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
            match texts.as_slice() {
                [one] => (*one).to_owned(),
                _ => format!("({})", texts.join(", ")),
            }
        };
        let listed: Vec<String> = items.iter().map(|item| texts(item)).collect();
        let (value, listed) = match parts.as_slice() {
            [value] => (value.at(Level::Sum), listed.join(", ")),
            parts => (texts(parts), format!("VALUES {}", listed.join(", "))),
        };
        let text = format!("{value} IN ({listed})");
        Ok(Truth::open(Sql::new(text, Level::Compare)))
    }

    fn follow_condition(
        &self,
        frame: &Frame<'_>,
        reference: &Expr,
        object: ObjectId,
        inner: &Expr,
    ) -> Result<Truth> {
        match self.target(frame, reference, object)? {
            Target::Same(frame) => self.condition(&frame, inner),
            Target::Joined(joined, alias) => {
                let truth = self.condition(&joined, inner)?;
                if is_strict_condition(inner) {
                    return Ok(truth);
                }
                let id = self.id_of(object, &alias);
                let there =
                    Truth::exact(Sql::new(format!("{} IS NOT NULL", id.text), Level::Compare));
                Ok(Truth::all(&[there, truth]))
            }
            Target::Apart => {
                let mut parts = self.apart(frame, reference, object, |frame| {
                    Ok(vec![self.condition(frame, inner)?.sql])
                })?;
                Ok(Truth::open(parts.remove(0)))
            }
        }
    }

    /// That a record has a tag, or has this one.
    fn tagged(&self, frame: &Frame<'_>, tags: &Expr, label: Option<LabelCode>) -> Result<Truth> {
        let (id, object, field) = self.tags_of(frame, tags)?;
        let Some(links) = &self.columns_of(object, field).links else {
            return Err(internal(tags));
        };
        let mut text = format!(
            "EXISTS (SELECT * FROM {0} WHERE {0}.id = {1}",
            fragment::name(links),
            id.text
        );
        if let Some(label) = label {
            let field = self.context.catalog.object(object).field(field);
            let label = field.label_name(label).unwrap_or_default();
            let label = fragment::text(label, self.dialect);
            text = format!("{text} AND label = {}", label.text);
        }
        Ok(Truth::exact(Sql::atom(text + ")")))
    }

    /// The record whose tags these are, and the field they are in.
    pub(super) fn tags_of(
        &self,
        frame: &Frame<'_>,
        tags: &Expr,
    ) -> Result<(Sql, ObjectId, FieldId)> {
        match (&tags.node, &frame.row) {
            (Node::Column(field), Row::Record { object, alias }) => {
                Ok((self.id_of(*object, alias), *object, *field))
            }
            (
                Node::Follow {
                    reference,
                    object,
                    inner,
                },
                _,
            ) => match self.target(frame, reference, *object)? {
                Target::Same(frame) | Target::Joined(frame, _) => self.tags_of(&frame, inner),
                Target::Apart => Err(untranslatable("these tags", &tags.span)),
            },
            _ => Err(untranslatable("computed tags", &tags.span)),
        }
    }
}

/// Whether an expression is the same for every row and is not missing, or NULL at sight.
fn is_constant(expr: &Expr) -> bool {
    matches!(expr.node, Node::Constant(_) | Node::Lookup { .. })
}
