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
                "the hierarchy is too deep: its records lie below more than {PAIRS_MAX} others \
                 in all"
            );
            return Err(Error::new(Code::Limit, message));
        }
        self.starts.push(kept);
        Ok(())
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
