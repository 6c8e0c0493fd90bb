//! A hierarchy in memory: every record's parent, and who lies above or below whom.

use crate::column::{Bitset, Vector};
use crate::error::{Code, Error, Result};
use crate::query::exec::Context;
use crate::value::{ChunkId, ObjectId, RecordId};

/// The parents of an object's records. Writing refuses cycles; in damaged data each walk ends all
/// the same.
#[derive(Debug)]
pub(crate) struct Hierarchy {
    /// By id; none where there is none.
    parents: Vec<Option<usize>>,
}

impl Hierarchy {
    pub(crate) fn read(object: ObjectId, context: &Context<'_>) -> Result<Self> {
        let Some(field) = context.catalog.object(object).hierarchy_field() else {
            let name = &context.catalog.object(object).name;
            return Err(Error::new(
                Code::Misplaced,
                format!("{name} has no hierarchy"),
            ));
        };
        let mut parents = Vec::new();
        for chunk in 0..context.snapshot.chunk_count(object) {
            context.interrupt.check()?;
            match context.snapshot.column(object, field.id, ChunkId(chunk))? {
                Vector::Ints(ints) => {
                    parents.extend(ints.iter().map(|n| n.and_then(|n| usize::try_from(n).ok())));
                }
                other => parents.resize(parents.len() + other.len(), None),
            }
        }
        Ok(Self { parents })
    }

    /// Ids up to this one have a place here.
    pub(crate) fn len(&self) -> usize {
        self.parents.len()
    }

    /// The record and every one above it, nearest first.
    pub(crate) fn path(&self, id: usize) -> impl Iterator<Item = usize> {
        let mut at = Some(id).filter(|&id| id < self.parents.len());
        // Brent's way to notice a cycle: a mark moves up at every doubling of the steps.
        let (mut mark, mut steps, mut most) = (id, 0_usize, 1_usize);
        std::iter::from_fn(move || {
            let node = at?;
            at = self.parents[node].filter(|&up| up < self.parents.len() && up != mark);
            steps += 1;
            if steps == most {
                (mark, steps, most) = (node, 0, most.saturating_mul(2));
            }
            Some(node)
        })
    }

    /// `root` and every record below it.
    pub(crate) fn below(&self, root: RecordId) -> Bitset {
        let parents = &self.parents;
        let mut inside = Bitset::new(parents.len());
        let mut decided = Bitset::new(parents.len());
        if let Some(root) = usize::try_from(root.0)
            .ok()
            .filter(|&root| root < parents.len())
        {
            inside.set(root, true);
            decided.set(root, true);
        }
        let mut path = Vec::new();
        for start in 0..parents.len() {
            let mut at = Some(start);
            while let Some(node) = at.filter(|&node| node < parents.len() && !decided.get(node)) {
                // Decided before it is known, so that a cycle in damaged data ends.
                decided.set(node, true);
                path.push(node);
                at = parents[node];
            }
            let found = at.is_some_and(|node| inside.get(node));
            for node in path.drain(..) {
                inside.set(node, found);
            }
        }
        inside
    }

    /// `root` and every record above it.
    pub(crate) fn above(&self, root: RecordId) -> Bitset {
        let mut inside = Bitset::new(self.parents.len());
        let root = usize::try_from(root.0).ok().into_iter();
        for node in root.flat_map(|root| self.path(root)) {
            inside.set(node, true);
        }
        inside
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nodes(set: &Bitset) -> Vec<usize> {
        set.ones().collect()
    }

    #[test]
    fn walks_end_on_cycles() {
        // 0 > 1 > 2 > 3 > 1, and 5 > 4, and 6 above itself.
        let parents = [Some(1), Some(2), Some(3), Some(1), None, Some(4), Some(6)];
        let hierarchy = Hierarchy {
            parents: parents.to_vec(),
        };
        let mut path: Vec<usize> = hierarchy.path(0).collect();
        path.sort_unstable();
        path.dedup();
        assert_eq!(path, [0, 1, 2, 3]);
        assert_eq!(hierarchy.path(5).collect::<Vec<_>>(), [5, 4]);
        assert_eq!(hierarchy.path(6).collect::<Vec<_>>(), [6]);
        assert_eq!(nodes(&hierarchy.below(RecordId(4))), [4, 5]);
        assert_eq!(nodes(&hierarchy.above(RecordId(0))), [0, 1, 2, 3]);
        assert_eq!(hierarchy.path(9).count(), 0);
    }

    proptest! {
        /// One node lies below another exactly if that lies above it.
        #[test]
        fn below_and_above_agree(ups in proptest::collection::vec(any::<prop::sample::Index>(), 1..20)) {
            let parents: Vec<Option<usize>> = ups
                .iter()
                .enumerate()
                .map(|(at, up)| Some(up.index(at + 1)).filter(|&up| up != at))
                .collect();
            let hierarchy = Hierarchy { parents };
            for root in 0..ups.len() {
                let below = hierarchy.below(RecordId(root as u64));
                for node in 0..ups.len() {
                    let above = hierarchy.path(node).any(|up| up == root);
                    prop_assert_eq!(below.get(node), above);
                }
            }
        }
    }
}
