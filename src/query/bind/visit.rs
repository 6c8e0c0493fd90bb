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
        for operand in self.node.operands() {
            operand.walk(deep, each);
        }
        if !deep {
            return;
        }
        match &self.node {
            Node::Follow { inner, .. } => inner.walk(deep, each),
            Node::Correlated { body, .. } => body.walk(deep, each),
            Node::Collect(collect) => collect.visit_all(each),
            Node::InQuery { query, .. } | Node::Subquery(query) => query.visit_all(each),
            Node::Keyed { query, .. } => query.visit_all(each),
            _ => {}
        }
    }
}

impl Node {
    /// The operands of its own frame, from left to right; a reference's inside, a collection's and
    /// a sub-query's are of other frames.
    pub(crate) fn operands(&self) -> Vec<&Expr> {
        match self {
            Self::Constant(_)
            | Self::Id
            | Self::Column(_)
            | Self::Slot(_)
            | Self::Given(_)
            | Self::Parameter(_)
            | Self::Today
            | Self::Now
            | Self::Me
            | Self::RelativePeriod { .. }
            | Self::Collect(_)
            | Self::Subquery(_) => Vec::new(),
            Self::And(list)
            | Self::Or(list)
            | Self::Function {
                arguments: list, ..
            }
            | Self::Correlated { given: list, .. } => list.iter().collect(),
            Self::Shift { value, times, .. } | Self::Work { value, times, .. } => {
                std::iter::once(&**value).chain(times.as_deref()).collect()
            }
            Self::InList { value, list } => std::iter::once(&**value).chain(list).collect(),
            Self::Not(value)
            | Self::Argument { value, .. }
            | Self::IsMissing(value)
            | Self::IsObject { value, .. }
            | Self::Has { value, .. }
            | Self::Negate(value)
            | Self::SpanPeriod { count: value, .. }
            | Self::Bucket { value, .. }
            | Self::Cast(value)
            | Self::Rank(value)
            | Self::Lookup { label: value, .. }
            | Self::InRecords { value, .. }
            | Self::InIntegers { value, .. }
            | Self::InQuery { value, .. }
            | Self::Keyed { key: value, .. }
            | Self::Follow {
                reference: value, ..
            } => vec![value],
            Self::Stored {
                rule: left,
                record: right,
                ..
            }
            | Self::Compare { left, right, .. }
            | Self::Arithmetic { left, right, .. }
            | Self::InPeriod {
                value: left,
                period: right,
            }
            | Self::Under {
                value: left,
                root: right,
                ..
            }
            | Self::Contains {
                value: left,
                pattern: right,
            }
            | Self::Like {
                value: left,
                pattern: right,
            } => vec![left, right],
            Self::ToBase { value, on } | Self::Convert { value, on, .. } => {
                std::iter::once(&**value).chain(on.as_deref()).collect()
            }
            Self::Window(window) => window.argument.iter().collect(),
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
        if let Some(over) = &self.over {
            over.from.visit_all(each);
            over.owner.visit_all(each);
            let subtree = over.subtree.iter();
            subtree.for_each(|subtree| subtree.owner.visit_all(each));
            over.filter.iter().for_each(|expr| expr.visit_all(each));
        }
    }
}

impl Nested {
    fn visit_all(&self, each: Each<'_>) {
        self.from.iter().for_each(|(from, _)| from.visit_all(each));
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
            Source::Life(life) => life.record.visit_all(each),
            Source::Paired(paired) => {
                paired.before.visit_all(each);
                paired.after.visit_all(each);
            }
            Source::Duplicates(duplicates) => {
                duplicates.among.visit_all(each);
                let rules = duplicates.rules.iter();
                rules.for_each(|rule| rule.holds.visit_all(each));
            }
            Source::Object(_) | Source::History(_) => {}
        }
        self.as_of.iter().for_each(|expr| expr.visit_all(each));
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
