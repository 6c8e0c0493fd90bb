//! Sets that are joined two at a time.

/// Disjoint sets of numbers, each known by its root.
pub(super) struct Forest {
    parents: Vec<u32>,
}

impl Forest {
    /// Memory for each number.
    pub(super) const BYTES: usize = size_of::<u32>();

    /// Each number alone.
    pub(super) fn new(len: usize) -> Self {
        Self {
            parents: (0..u32::try_from(len).unwrap_or(u32::MAX)).collect(),
        }
    }

    pub(super) fn root(&mut self, of: u32) -> u32 {
        let mut at = of;
        loop {
            let parent = self.parents[at as usize];
            if parent == at {
                return at;
            }
            // Half the way next time.
            let above = self.parents[parent as usize];
            self.parents[at as usize] = above;
            at = above;
        }
    }

    /// The lower root stays one.
    pub(super) fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b) as usize] = a.min(b);
    }

    pub(super) fn together(&mut self, a: u32, b: u32) -> bool {
        self.root(a) == self.root(b)
    }
}
