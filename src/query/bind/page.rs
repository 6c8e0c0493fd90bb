//! Pages: which queries have cursors, and by what a query is told from others.

use super::binder::{Binder, cast};
use super::scope::Scope;
use super::{Expr, Node, Page, Query, Source, Type};
use crate::error::{Code, Error, Result};
use crate::query::syntax::{self, ExprKind, Literal};
use std::fmt;

impl Binder<'_> {
    /// A query as a statement of its own: it may go on after a cursor.
    pub(crate) fn paged_query(&self, tree: &syntax::Query) -> Result<Query> {
        let whole = tree.limit.is_some() || tree.after.is_some();
        self.pages.set(whole);
        let mut query = self.query(tree);
        self.pages.set(false);
        if let (Ok(query), true) = (&mut query, whole) {
            query.page = self.page(tree, query)?;
        }
        query
    }

    fn page(&self, tree: &syntax::Query, query: &Query) -> Result<Option<Page>> {
        let after = match &tree.after {
            Some(after) => {
                let span = self.at(&after.span);
                if let Some(reason) = unpaged(query) {
                    return Err(Error::new(
                        Code::Misplaced,
                        format!("`after` does not go with {reason}"),
                    )
                    .at(span)
                    .expected("records or groups in one order"));
                }
                let scope: Scope<'_> = Self::nothing();
                if matches!(&after.kind, ExprKind::Literal(Literal::Text(text)) if text.is_empty())
                {
                    return Err(
                        Error::new(Code::BadValue, "the cursor after `after` is empty")
                            .at(span)
                            .expected("what a page before gave as its cursor")
                            .hint("for the first page leave `after` out"),
                    );
                }
                Some(cast(self.expr(&scope, after)?, Type::TEXT))
            }
            None if unpaged(query).is_some() => return Ok(None),
            None => None,
        };
        let mut fingerprint = Fingerprint::default();
        // Writing into a number does not fail.
        let _ = tree.print_rows(&mut fingerprint);
        let mut parameters = Vec::new();
        query.visit_all(&mut |expr: &Expr| {
            if let Node::Parameter(name) = &expr.node {
                parameters.push(name.clone());
            }
        });
        // How many rows a page has makes no other query.
        if let Some(Node::Parameter(count)) = query.limit.as_ref().map(|limit| &limit.count.node)
            && let Some(at) = parameters.iter().position(|name| name == count)
        {
            parameters.remove(at);
        }
        parameters.sort_unstable();
        parameters.dedup();
        Ok(Some(Page {
            after,
            fingerprint: fingerprint.0,
            parameters,
        }))
    }
}

/// Why a query's rows have no place that a cursor could name.
fn unpaged(query: &Query) -> Option<&'static str> {
    let group = query.group.as_ref();
    if query
        .limit
        .as_ref()
        .is_some_and(|limit| !limit.per.is_empty())
    {
        Some("`limit ... per`: it has a page in every group")
    } else if query.offset.is_some() {
        Some("`offset`")
    } else if !query.unions.is_empty() {
        Some("`union`: its rows have no common order")
    } else if group.is_some_and(|group| group.totals || group.rollup) {
        Some("totals: they would be cut off")
    } else if group.is_none() && matches!(query.source, Source::Find(_)) {
        Some("`find`: many of its rows have one score")
    } else if group.is_none()
        && matches!(
            query.source,
            Source::Query(_)
                | Source::History(_)
                | Source::Paired(_)
                | Source::Life(_)
                | Source::Duplicates(_)
        )
    {
        Some("rows that are no records: they have no identity")
    } else {
        None
    }
}

/// FNV-1a, which stays the same for ever.
#[derive(Clone, Copy)]
pub(crate) struct Fingerprint(pub u64);

impl Default for Fingerprint {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl fmt::Write for Fingerprint {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Ok(())
    }
}
