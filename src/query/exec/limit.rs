//! `limit` and `offset`: which places of the ordered rows remain.

use super::sort::Sorted;
use crate::error::{Code, Error, Result};
use crate::query::bind::{Expr, Query};
use crate::value::Value;

#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    offset: usize,
    count: Option<usize>,
    ties: bool,
    /// Leading sort keys within which the count holds.
    per: usize,
}

impl Cut {
    /// The limits of a query whose first `per` sort keys are those of `limit ... per`.
    pub(super) fn of(query: &Query, per: usize) -> Result<Self> {
        let count = query
            .limit
            .as_ref()
            .map(|limit| whole(&limit.count, "limit"));
        let offset = query.offset.as_ref().map(|offset| whole(offset, "offset"));
        Ok(Self {
            offset: offset.transpose()?.unwrap_or(0),
            count: count.transpose()?,
            ties: query.limit.as_ref().is_some_and(|limit| limit.with_ties),
            per,
        })
    }

    /// Rows to keep while sorting, if that is known; and whether those tied with the last count.
    pub(super) fn keep(&self) -> (Option<usize>, bool) {
        let keep = self.count.filter(|_| self.per == 0);
        (
            keep.map(|count| count.saturating_add(self.offset)),
            self.ties,
        )
    }

    /// The same of the rows of each group, where the limit holds within groups.
    pub(super) fn keep_of_each(&self) -> Option<(Option<usize>, bool)> {
        (self.per > 0).then_some((self.count, self.ties))
    }

    /// The places that remain of rows sorted by `keys` keys, `from` one on.
    pub(super) fn places(&self, sorted: &Sorted, keys: usize, from: usize) -> Vec<usize> {
        let offset = self.offset.saturating_add(from);
        let mut places: Vec<usize> = (0..sorted.rows.len()).collect();
        let Some(count) = self.count else {
            return places.split_off(offset.min(places.len()));
        };
        if self.per > 0 {
            let kept = self.first_of_each(sorted, count, keys);
            return kept.into_iter().skip(self.offset).collect();
        }
        let mut end = offset.saturating_add(count).min(places.len());
        if self.ties && keys > 0 && count > 0 && end > offset {
            while end < places.len() && sorted.same(end - 1, end, 0..keys) {
                end += 1;
            }
        }
        places.truncate(end);
        places.split_off(offset.min(end))
    }

    fn first_of_each(&self, sorted: &Sorted, count: usize, keys: usize) -> Vec<usize> {
        let mut kept = Vec::new();
        let mut taken = 0;
        for at in 0..sorted.rows.len() {
            if at > 0 && !sorted.same(at - 1, at, 0..self.per) {
                taken = 0;
            }
            let tied = self.ties
                && taken == count
                && count > 0
                && keys > self.per
                && sorted.same(at - 1, at, self.per..keys);
            if taken < count {
                taken += 1;
                kept.push(at);
            } else if tied {
                kept.push(at);
            } else {
                // Nothing of this group follows, ties included.
                taken = usize::MAX;
            }
        }
        kept
    }
}

/// A count of rows: a whole number that is not negative.
pub(super) fn whole(expr: &Expr, clause: &str) -> Result<usize> {
    let count = match expr.as_constant() {
        Some(Value::Integer(n)) => usize::try_from(*n).ok(),
        Some(Value::Number(n)) if n.fract() == 0.0 && (0.0..9.0e15).contains(n) => {
            Some(*n as usize)
        }
        _ => None,
    };
    count.ok_or_else(|| {
        Error::new(
            Code::BadValue,
            format!("`{clause}` needs a whole number of rows"),
        )
        .at(expr.span.clone())
        .expected("0 or more")
    })
}
