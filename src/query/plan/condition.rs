//! Conditions in their simplest form: constants gone, and whatever is asked of a referred record
//! pushed inside the reference, so that it is asked once a parent instead of once a record.

use super::nodes::{self, is_truth, map_operands, truth};
use crate::catalog::Catalog;
use crate::column::Comparison;
use crate::error::Span;
use crate::query::bind::{Expr, Node, Type};
use crate::value::{FieldType, ObjectId, RecordId, Value};

/// A truth value as a condition: a missing constant is false.
pub(super) fn holds(expr: Expr) -> Expr {
    match expr.as_constant() {
        Some(value) => truth(*value == Value::Boolean(true), &expr.span),
        None => expr,
    }
}

pub(super) fn not(inner: Expr, span: &Span) -> Expr {
    match inner.node {
        Node::Constant(value) => truth(value != Value::Boolean(true), span),
        Node::Not(inner) => *inner,
        _ => Expr::new(Node::Not(Box::new(inner)), Type::BOOLEAN, span),
    }
}

pub(super) fn any(list: Vec<Expr>, span: &Span) -> Expr {
    let mut kept = Vec::new();
    for expr in list {
        match expr.node {
            Node::Or(inner) => kept.extend(inner),
            _ if is_truth(&expr, true) => return truth(true, span),
            _ if is_truth(&expr, false) => {}
            _ => kept.push(expr),
        }
    }
    match kept.len() {
        0 => truth(false, span),
        1 => kept.remove(0),
        _ => Expr::new(Node::Or(kept), Type::BOOLEAN, span),
    }
}

/// All of a list; conditions on the same referred record become one.
pub(super) fn all(list: Vec<Expr>, span: &Span) -> Expr {
    let mut kept: Vec<Expr> = Vec::new();
    for expr in list {
        match expr.node {
            Node::And(inner) => kept.extend(inner),
            _ if is_truth(&expr, false) => return truth(false, span),
            _ if is_truth(&expr, true) => {}
            _ => kept.push(expr),
        }
    }
    let mut merged: Vec<Expr> = Vec::new();
    for expr in kept {
        let same = merged.iter_mut().find(|other| same_follow(other, &expr));
        match same {
            Some(other) => *other = merge(other, &expr),
            None => merged.push(expr),
        }
    }
    match merged.len() {
        0 => truth(true, span),
        1 => merged.remove(0),
        _ => Expr::new(Node::And(merged), Type::BOOLEAN, span),
    }
}

fn parts(expr: &Expr) -> Option<(&Expr, ObjectId, &Expr)> {
    match &expr.node {
        Node::Follow {
            reference,
            object,
            inner,
        } => Some((reference, *object, inner)),
        _ => None,
    }
}

fn same_follow(a: &Expr, b: &Expr) -> bool {
    match (parts(a), parts(b)) {
        (Some((a, of_a, _)), Some((b, of_b, _))) => of_a == of_b && a == b,
        _ => false,
    }
}

fn merge(a: &Expr, b: &Expr) -> Expr {
    match (parts(a), parts(b)) {
        (Some((reference, object, x)), Some((_, _, y))) => {
            let span = x.span.start.min(y.span.start)..x.span.end.max(y.span.end);
            let both = all(vec![x.clone(), y.clone()], &span);
            follow(reference.clone(), object, both)
        }
        _ => all(vec![a.clone(), b.clone()], &a.span),
    }
}

/// A condition on the record that `reference` points to.
pub(super) fn follow(reference: Expr, object: ObjectId, inner: Expr) -> Expr {
    let span = inner.span.clone();
    if is_truth(&inner, false) {
        return inner;
    }
    if is_truth(&inner, true) {
        let value = Box::new(reference);
        let any = matches!(value.ty, Type::Plain(FieldType::AnyReference(_)));
        return if any {
            Expr::new(Node::IsObject { value, object }, Type::BOOLEAN, &span)
        } else {
            let missing = Expr::new(Node::IsMissing(value), Type::BOOLEAN, &span);
            not(missing, &span)
        };
    }
    match only_id(&inner) {
        Some(id) if !matches!(reference.ty, Type::Plain(FieldType::AnyReference(_))) => {
            refers_to(reference, id, &span)
        }
        _ => lengthen(reference, object, inner),
    }
}

/// The one id that a condition asks a record to have.
fn only_id(condition: &Expr) -> Option<RecordId> {
    match &condition.node {
        Node::Compare {
            comparison: Comparison::Equal,
            left,
            right,
        } if matches!(left.node, Node::Id) => match right.as_constant() {
            Some(Value::Integer(id)) => u64::try_from(*id).ok().map(RecordId),
            _ => None,
        },
        _ => None,
    }
}

/// The condition that a reference, or a path that ends with one, points to this record.
fn refers_to(reference: Expr, id: RecordId, span: &Span) -> Expr {
    if let Some((first, object, second)) = parts(&reference) {
        let inner = refers_to(second.clone(), id, span);
        return lengthen(first.clone(), object, inner);
    }
    let ty = reference.ty.clone();
    let right = Expr::constant(Value::Reference(id), ty, span);
    compare(Comparison::Equal, reference, right, span)
}

/// `inner` at the referred record; a path that starts with another reference starts there.
pub(super) fn lengthen(reference: Expr, object: ObjectId, inner: Expr) -> Expr {
    match parts(&reference) {
        Some((first, through, second)) => {
            let inner = lengthen(second.clone(), object, inner);
            lengthen(first.clone(), through, inner)
        }
        None => nodes::follow(reference, object, inner),
    }
}

/// A comparison, with a constant on the right where there is one; a missing constant never fits.
pub(super) fn compare(comparison: Comparison, left: Expr, right: Expr, span: &Span) -> Expr {
    let missing = |side: &Expr| side.as_constant() == Some(&Value::Missing);
    if missing(&left) || missing(&right) {
        return truth(false, span);
    }
    let (comparison, left, right) = if left.as_constant().is_some() {
        (comparison.flipped(), right, left)
    } else {
        (comparison, left, right)
    };
    let node = Node::Compare {
        comparison,
        left: Box::new(left),
        right: Box::new(right),
    };
    Expr::new(node, Type::BOOLEAN, span)
}

/// The rank of a label compared with a constant becomes a set of codes.
pub(super) fn ranked(expr: Expr, catalog: &Catalog) -> Expr {
    let Node::Compare {
        comparison,
        left,
        right,
    } = &expr.node
    else {
        return expr;
    };
    let (inside, value) = match &left.node {
        Node::Follow { inner, .. } => (Some(left), &**inner),
        _ => (None, &**left),
    };
    let (Node::Rank(label), Some(Value::Integer(rank))) = (&value.node, right.as_constant()) else {
        return expr;
    };
    let Type::Label(object, field) = label.ty else {
        return expr;
    };
    let fits = |at: i64| match comparison {
        Comparison::Equal => at == *rank,
        Comparison::Less => at < *rank,
        Comparison::LessEqual => at <= *rank,
        Comparison::Greater => at > *rank,
        Comparison::GreaterEqual => at >= *rank,
    };
    let labels = &catalog.object(object).field(field).labels;
    let mut codes: Vec<i64> = (0..)
        .zip(labels)
        .filter(|&(at, _)| fits(at))
        .map(|(_, label)| i64::from(label.code.0))
        .collect();
    codes.sort_unstable();
    let value = match inside.and_then(|path| parts(path)) {
        Some((reference, object, _)) => nodes::follow(reference.clone(), object, (**label).clone()),
        None => (**label).clone(),
    };
    let node = Node::InIntegers {
        value: Box::new(value),
        set: codes.into(),
    };
    Expr::new(node, Type::BOOLEAN, &expr.span)
}

/// A computed value in its simplest form: conditions that can never hold are false, and what is
/// computed of one field of a referred record is computed there.
pub(super) fn settle(expr: Expr) -> Expr {
    let missing = |side: &Expr| side.as_constant() == Some(&Value::Missing);
    match &expr.node {
        Node::InPeriod { period: other, .. }
        | Node::Contains { pattern: other, .. }
        | Node::Like { pattern: other, .. }
            if missing(other) =>
        {
            truth(false, &expr.span)
        }
        Node::Rank(_)
        | Node::Bucket { .. }
        | Node::Cast(_)
        | Node::Shift { .. }
        | Node::Work { .. }
        | Node::Negate(_)
        | Node::ToBase { .. }
        | Node::Convert { .. }
        | Node::Arithmetic { .. } => pushed(&expr).unwrap_or(expr),
        _ => expr,
    }
}

/// A condition of one field of a referred record, asked there. Not for values: where the
/// reference is missing, this is missing and not false.
pub(super) fn push(expr: Expr) -> Expr {
    match &expr.node {
        Node::IsMissing(value) => match parts(value) {
            Some((reference, object, inner)) => {
                let span = &expr.span;
                let missing = Node::IsMissing(Box::new(inner.clone()));
                let missing = push(Expr::new(missing, Type::BOOLEAN, span));
                not(follow(reference.clone(), object, not(missing, span)), span)
            }
            None => expr,
        },
        Node::Compare { .. }
        | Node::InList { .. }
        | Node::InPeriod { .. }
        | Node::IsObject { .. }
        | Node::Has { .. }
        | Node::Contains { .. }
        | Node::Like { .. }
        | Node::InRecords { .. }
        | Node::InIntegers { .. } => match pushed(&expr) {
            Some(path) => match parts(&path) {
                Some((reference, object, inner)) => {
                    follow(reference.clone(), object, push(inner.clone()))
                }
                None => path,
            },
            None => expr,
        },
        _ => expr,
    }
}

/// The node inside the reference, if exactly one operand varies and that is one of a referred
/// record.
fn pushed(expr: &Expr) -> Option<Expr> {
    let mut varying = expr
        .node
        .operands()
        .into_iter()
        .filter(|operand| operand.as_constant().is_none());
    let (only, more) = (varying.next()?, varying.next());
    let (reference, object, inner) = parts(only)?;
    if more.is_some() {
        return None;
    }
    let node = map_operands(&expr.node, |operand| {
        Ok(if operand.as_constant().is_some() {
            operand.clone()
        } else {
            inner.clone()
        })
    })
    .ok()?;
    let moved = settle(Expr::new(node, expr.ty.clone(), &expr.span));
    Some(nodes::follow(reference.clone(), object, moved))
}

/// A condition as a value: true or false, never missing.
pub(super) fn settled(expr: Expr) -> Expr {
    match &expr.node {
        Node::Constant(_)
        | Node::And(_)
        | Node::Or(_)
        | Node::Not(_)
        | Node::Compare { .. }
        | Node::IsMissing(_)
        | Node::Under { .. }
        | Node::InRecords { .. }
        | Node::InIntegers { .. } => expr,
        _ => {
            let span = expr.span.clone();
            Expr::new(Node::And(vec![expr]), Type::BOOLEAN, &span)
        }
    }
}

/// The conditions that must all hold.
pub(super) fn conjuncts(expr: Option<&Expr>) -> Vec<Expr> {
    match expr {
        None => Vec::new(),
        Some(expr) => match &expr.node {
            Node::And(list) => list.clone(),
            _ => vec![expr.clone()],
        },
    }
}
