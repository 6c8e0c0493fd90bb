//! Going through the expressions of a bound tree.

use super::{Aggregate, Collect, ColumnValue, Expr, Nested, Node, OrderKey, Query, Source};

type Each<'v> = &'v mut dyn FnMut(&Expr);

impl Expr {
    /// The expression and its operands in its own frame, outermost first.
    pub(crate) fn visit(&self, each: Each<'_>) {
        self.walk(false, each);
    }

    /// The expression and everything in it: referred records, collections and sub-queries too.
    pub(crate) fn visit_all(&self, each: Each<'_>) {
        self.walk(true, each);
    }

    /// Whether a function over all rows stands in it.
    pub(crate) fn is_over_rows(&self) -> bool {
        let mut found = false;
        self.visit(&mut |expr| found |= matches!(expr.node, Node::Window(_)));
        found
    }

    fn walk(&self, deep: bool, each: Each<'_>) {
        each(self);
        let mut list = |list: &[Self]| list.iter().for_each(|expr| expr.walk(deep, each));
        match &self.node {
            Node::Constant(_)
            | Node::Id
            | Node::Column(_)
            | Node::Slot(_)
            | Node::Given(_)
            | Node::Parameter(_)
            | Node::Today
            | Node::Now
            | Node::Me
            | Node::RelativePeriod { .. }
            | Node::SpanPeriod { .. } => {}
            Node::And(parts) | Node::Or(parts) => list(parts),
            Node::Function { arguments, .. } => list(arguments),
            Node::InList { value, list: items } => {
                list(items);
                value.walk(deep, each);
            }
            Node::Not(value)
            | Node::IsMissing(value)
            | Node::IsObject { value, .. }
            | Node::Has { value, .. }
            | Node::Negate(value)
            | Node::Shift { value, .. }
            | Node::Work { value, .. }
            | Node::Bucket { value, .. }
            | Node::Cast(value)
            | Node::Rank(value)
            | Node::Lookup { label: value, .. }
            | Node::InRecords { value, .. }
            | Node::InIntegers { value, .. } => value.walk(deep, each),
            Node::Stored {
                rule: left,
                record: right,
                ..
            }
            | Node::Compare { left, right, .. }
            | Node::Arithmetic { left, right, .. }
            | Node::InPeriod {
                value: left,
                period: right,
            }
            | Node::Under {
                value: left,
                root: right,
                ..
            }
            | Node::Contains {
                value: left,
                pattern: right,
            }
            | Node::Like {
                value: left,
                pattern: right,
            } => {
                left.walk(deep, each);
                right.walk(deep, each);
            }
            Node::ToBase { value, on } | Node::Convert { value, on, .. } => {
                value.walk(deep, each);
                on.iter().for_each(|on| on.walk(deep, each));
            }
            Node::Window(window) => {
                let argument = window.argument.iter();
                argument.for_each(|argument| argument.walk(deep, each));
            }
            Node::Follow {
                reference, inner, ..
            } => {
                reference.walk(deep, each);
                if deep {
                    inner.walk(deep, each);
                }
            }
            Node::InQuery { value, query } => {
                value.walk(deep, each);
                if deep {
                    query.visit_all(each);
                }
            }
            Node::Correlated { given, body } => {
                list(given);
                if deep {
                    body.walk(deep, each);
                }
            }
            Node::Collect(collect) => {
                if deep {
                    collect.visit_all(each);
                }
            }
            Node::Subquery(query) => {
                if deep {
                    query.visit_all(each);
                }
            }
        }
    }
}

impl Collect {
    fn visit_all(&self, each: Each<'_>) {
        self.owner.visit_all(each);
        let subtree = self.subtree.iter();
        subtree.for_each(|subtree| subtree.owner.visit_all(each));
        self.filter.iter().for_each(|expr| expr.visit_all(each));
        self.aggregate.visit_all(each);
    }
}

impl Aggregate {
    fn visit_all(&self, each: Each<'_>) {
        let parts = [&self.argument, &self.second, &self.filter];
        parts
            .into_iter()
            .flatten()
            .for_each(|expr| expr.visit_all(each));
        keys(&self.order, each);
    }
}

impl Nested {
    fn visit_all(&self, each: Each<'_>) {
        self.owner.visit_all(each);
        let subtree = self.subtree.iter();
        subtree.for_each(|subtree| subtree.owner.visit_all(each));
        self.filter.iter().for_each(|expr| expr.visit_all(each));
        self.columns
            .iter()
            .for_each(|column| column.value.visit_all(each));
        keys(&self.order, each);
        self.limit.iter().for_each(|expr| expr.visit_all(each));
    }
}

impl ColumnValue {
    fn visit_all(&self, each: Each<'_>) {
        match self {
            Self::Expr(expr) => expr.visit_all(each),
            Self::Nested(nested) => nested.visit_all(each),
        }
    }
}

impl Query {
    /// Every expression of the query.
    pub(crate) fn visit_all(&self, each: Each<'_>) {
        match &self.source {
            Source::Query(query) => query.visit_all(each),
            Source::Find(find) => find.text.visit_all(each),
            Source::Object(_) => {}
        }
        self.filter.iter().for_each(|expr| expr.visit_all(each));
        if let Some(group) = &self.group {
            group.keys.iter().for_each(|expr| expr.visit_all(each));
            group
                .aggregates
                .iter()
                .for_each(|aggregate| aggregate.visit_all(each));
        }
        self.having.iter().for_each(|expr| expr.visit_all(each));
        self.columns
            .iter()
            .for_each(|column| column.value.visit_all(each));
        keys(&self.order, each);
        if let Some(limit) = &self.limit {
            limit.count.visit_all(each);
            limit.per.iter().for_each(|expr| expr.visit_all(each));
        }
        let after = self.page.iter().flat_map(|page| &page.after);
        let ends = self.offset.iter().chain(after);
        ends.for_each(|expr| expr.visit_all(each));
        self.unions.iter().for_each(|query| query.visit_all(each));
    }
}

fn keys(order: &[OrderKey], each: Each<'_>) {
    order.iter().for_each(|key| key.value.visit_all(each));
}
