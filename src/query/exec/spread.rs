//! Groups whose records count for other groups too: a node's for every node above it.

use crate::error::{Code, Error, Result};

/// Pairs of a group and one that its records count for, at most.
const PAIRS_MAX: usize = 1 << 26;

/// For each group those that its records count for, once each.
#[derive(Debug)]
pub(crate) struct Spread {
    /// Where each group's targets start, and after all of them the end.
    starts: Vec<usize>,
    targets: Vec<u32>,
    count: usize,
}

impl Spread {
    /// Over `count` targets, of no group yet.
    pub(crate) fn new(count: usize) -> Self {
        Self {
            starts: vec![0],
            targets: Vec::new(),
            count,
        }
    }

    /// Adds the next group with its targets.
    pub(crate) fn push(&mut self, targets: impl IntoIterator<Item = u32>) -> Result<()> {
        let start = self.targets.len();
        self.targets.extend(targets);
        let own = &mut self.targets[start..];
        own.sort_unstable();
        let mut kept = start;
        for at in start..self.targets.len() {
            if kept == start || self.targets[kept - 1] != self.targets[at] {
                self.targets[kept] = self.targets[at];
                kept += 1;
            }
        }
        self.targets.truncate(kept);
        if kept > PAIRS_MAX {
            let message = format!(
                "too many records count for several others: more than {PAIRS_MAX} in all, in a \
                 deep hierarchy or in groups that share them"
            );
            return Err(Error::new(Code::Limit, message));
        }
        self.starts.push(kept);
        Ok(())
    }

    /// For each group those that the targets of its own count for.
    pub(crate) fn then(&self, next: &Self) -> Result<Self> {
        let mut spread = Self::new(next.count);
        for group in 0..self.len() {
            let targets = self.of(group).iter();
            spread.push(targets.flat_map(|&at| next.of(at as usize).iter().copied()))?;
        }
        Ok(spread)
    }

    /// The one target of each group that has any, where none has several.
    pub(crate) fn single(&self) -> Option<Vec<Option<u32>>> {
        let one = |group| match self.of(group) {
            [] => Some(None),
            [one] => Some(Some(*one)),
            _ => None,
        };
        (0..self.len()).map(one).collect()
    }

    /// How many targets there may be.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// How many groups there are.
    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// The targets of a group; of one that was not added, none.
    pub(crate) fn of(&self, group: usize) -> &[u32] {
        match (self.starts.get(group), self.starts.get(group + 1)) {
            (Some(&start), Some(&end)) => &self.targets[start..end],
            _ => &[],
        }
    }
}
