//! The expressions that an expression is made of. Sub-queries are not gone into.

use super::{Call, Expr, ExprKind};

impl Expr {
    /// Operands, items and arguments, from left to right; of an aggregate its arguments alone.
    pub(crate) fn children(&self) -> Vec<&Self> {
        match &self.kind {
            ExprKind::Call(call) => call.arguments.iter().collect(),
            ExprKind::List(items) => items.iter().collect(),
            ExprKind::Binary { left, right, .. } => vec![left, right],
            ExprKind::Not(inner) | ExprKind::Negate(inner) => vec![inner],
            ExprKind::In { value, list, .. } => vec![value, list],
            ExprKind::Between {
                value, low, high, ..
            } => vec![value, low, high],
            ExprKind::Is { value, .. } => vec![value],
            ExprKind::Literal(_)
            | ExprKind::Parameter(_)
            | ExprKind::Path(_)
            | ExprKind::Query(_) => Vec::new(),
        }
    }

    /// The same expression with each of its [`children`](Self::children) replaced.
    pub(crate) fn map_children(&self, each: impl Fn(&Self) -> Self) -> Self {
        let one = |tree: &Self| Box::new(each(tree));
        let all = |trees: &[Self]| trees.iter().map(&each).collect();
        let kind = match &self.kind {
            ExprKind::Call(call) => ExprKind::Call(Call {
                arguments: all(&call.arguments),
                ..call.clone()
            }),
            ExprKind::List(items) => ExprKind::List(all(items)),
            ExprKind::Binary { op, left, right } => ExprKind::Binary {
                op: *op,
                left: one(left),
                right: one(right),
            },
            ExprKind::Not(inner) => ExprKind::Not(one(inner)),
            ExprKind::Negate(inner) => ExprKind::Negate(one(inner)),
            ExprKind::In {
                value,
                list,
                negated,
            } => ExprKind::In {
                value: one(value),
                list: one(list),
                negated: *negated,
            },
            ExprKind::Between {
                value,
                low,
                high,
                negated,
            } => ExprKind::Between {
                value: one(value),
                low: one(low),
                high: one(high),
                negated: *negated,
            },
            ExprKind::Is {
                value,
                what,
                negated,
            } => ExprKind::Is {
                value: one(value),
                what: what.clone(),
                negated: *negated,
            },
            ExprKind::Literal(_)
            | ExprKind::Parameter(_)
            | ExprKind::Path(_)
            | ExprKind::Query(_) => return self.clone(),
        };
        Self {
            kind,
            span: self.span.clone(),
        }
    }
}
