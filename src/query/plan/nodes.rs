//! The bound tree's nodes as a tree: their operands, and small expressions that planning makes.

use crate::error::{Result, Span};
use crate::query::bind::{Expr, Node, Type, Window};
use crate::value::{ObjectId, Value};
use std::sync::Arc;

pub(super) fn truth(on: bool, span: &Span) -> Expr {
    Expr::constant(Value::Boolean(on), Type::BOOLEAN, span)
}

pub(super) fn is_truth(expr: &Expr, on: bool) -> bool {
    expr.as_constant() == Some(&Value::Boolean(on))
}

pub(super) fn follow(reference: Expr, object: ObjectId, inner: Expr) -> Expr {
    let (ty, span) = (inner.ty.clone(), inner.span.clone());
    let node = Node::Follow {
        reference: Box::new(reference),
        object,
        inner: Arc::new(inner),
    };
    Expr::new(node, ty, &span)
}

/// The node with each operand of its own frame replaced; a reference's inside, a collection's
/// and a sub-query's are other frames and stay.
pub(crate) fn map_operands(
    node: &Node,
    mut each: impl FnMut(&Expr) -> Result<Expr>,
) -> Result<Node> {
    let mut one = |expr: &Expr| each(expr).map(Box::new);
    Ok(match node {
        Node::Constant(_)
        | Node::Id
        | Node::Column(_)
        | Node::Slot(_)
        | Node::Collect(_)
        | Node::Given(_)
        | Node::Parameter(_)
        | Node::Today
        | Node::Now
        | Node::Me
        | Node::RelativePeriod { .. }
        | Node::Subquery(_) => node.clone(),
        Node::Window(window) => Node::Window(Arc::new(Window {
            function: window.function,
            argument: match &window.argument {
                Some(argument) => Some(each(argument)?),
                None => None,
            },
        })),
        Node::Follow {
            reference,
            object,
            inner,
        } => Node::Follow {
            reference: one(reference)?,
            object: *object,
            inner: Arc::clone(inner),
        },
        Node::Correlated { given, body } => Node::Correlated {
            given: given.iter().map(each).collect::<Result<_>>()?,
            body: Arc::clone(body),
        },
        Node::And(list) => Node::And(list.iter().map(each).collect::<Result<_>>()?),
        Node::Or(list) => Node::Or(list.iter().map(each).collect::<Result<_>>()?),
        Node::Not(inner) => Node::Not(one(inner)?),
        Node::Compare {
            comparison,
            left,
            right,
        } => Node::Compare {
            comparison: *comparison,
            left: one(left)?,
            right: one(right)?,
        },
        Node::IsMissing(value) => Node::IsMissing(one(value)?),
        Node::Argument { value, views } => Node::Argument {
            value: one(value)?,
            views: *views,
        },
        Node::InList { value, list } => Node::InList {
            value: one(value)?,
            list: list.iter().map(each).collect::<Result<_>>()?,
        },
        Node::InPeriod { value, period } => Node::InPeriod {
            value: one(value)?,
            period: one(period)?,
        },
        Node::Under {
            value,
            root,
            object,
            above,
        } => Node::Under {
            value: one(value)?,
            root: one(root)?,
            object: *object,
            above: *above,
        },
        Node::InQuery { value, query } => Node::InQuery {
            value: one(value)?,
            query: query.clone(),
        },
        Node::IsObject { value, object } => Node::IsObject {
            value: one(value)?,
            object: *object,
        },
        Node::Has { value, label } => Node::Has {
            value: one(value)?,
            label: *label,
        },
        Node::Contains { value, pattern } => Node::Contains {
            value: one(value)?,
            pattern: one(pattern)?,
        },
        Node::Like { value, pattern } => Node::Like {
            value: one(value)?,
            pattern: one(pattern)?,
        },
        Node::Arithmetic {
            operator,
            left,
            right,
        } => Node::Arithmetic {
            operator: *operator,
            left: one(left)?,
            right: one(right)?,
        },
        Node::Negate(value) => Node::Negate(one(value)?),
        Node::Shift {
            value,
            months,
            days,
            seconds,
            times,
        } => Node::Shift {
            value: one(value)?,
            months: *months,
            days: *days,
            seconds: *seconds,
            times: times.as_deref().map(one).transpose()?,
        },
        Node::Work {
            value,
            days,
            seconds,
            times,
        } => Node::Work {
            value: one(value)?,
            days: *days,
            seconds: *seconds,
            times: times.as_deref().map(one).transpose()?,
        },
        Node::SpanPeriod {
            count,
            unit,
            forward,
        } => Node::SpanPeriod {
            count: one(count)?,
            unit: *unit,
            forward: *forward,
        },
        Node::Bucket { unit, value } => Node::Bucket {
            unit: *unit,
            value: one(value)?,
        },
        Node::ToBase { value, on } => Node::ToBase {
            value: one(value)?,
            on: on.as_deref().map(one).transpose()?,
        },
        Node::Convert { value, to, on } => Node::Convert {
            value: one(value)?,
            to: *to,
            on: on.as_deref().map(one).transpose()?,
        },
        Node::Cast(value) => Node::Cast(one(value)?),
        Node::Rank(value) => Node::Rank(one(value)?),
        Node::Function {
            function,
            arguments,
        } => Node::Function {
            function: *function,
            arguments: arguments.iter().map(each).collect::<Result<_>>()?,
        },
        Node::Stored {
            rule,
            object,
            record,
            depth,
        } => Node::Stored {
            rule: one(rule)?,
            object: *object,
            record: one(record)?,
            depth: *depth,
        },
        Node::Lookup { object, label } => Node::Lookup {
            object: *object,
            label: one(label)?,
        },
        Node::InRecords { value, set } => Node::InRecords {
            value: one(value)?,
            set: Arc::clone(set),
        },
        Node::Keyed { key, query } => Node::Keyed {
            key: one(key)?,
            query: Arc::clone(query),
        },
        Node::InIntegers { value, set } => Node::InIntegers {
            value: one(value)?,
            set: Arc::clone(set),
        },
    })
}
