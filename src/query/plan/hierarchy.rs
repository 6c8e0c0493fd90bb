//! A hierarchy in memory: every record's parent, and who lies above or below whom.

use crate::column::{Bitset, Vector};
use crate::error::{Code, Error, Result};
use crate::query::exec::Context;
use crate::value::{ChunkId, ObjectId, RecordId};

/// By record how many come before it in a walk that takes each one before those below it, itself
/// counted, and how many until it is left: what lies below it came in between.
#[derive(Debug)]
pub(crate) struct Places {
    starts: Vec<i64>,
    ends: Vec<i64>,
}

impl Places {
    /// Whether a record is the other one or lies below it.
    pub(crate) fn is_under(&self, node: i64, root: i64) -> bool {
        let place = |id| {
            usize::try_from(id)
                .ok()
                .filter(|&id| id < self.starts.len())
        };
        match (place(node), place(root)) {
            (Some(node), Some(root)) => {
                (self.starts[root]..=self.ends[root]).contains(&self.starts[node])
            }
            _ => false,
        }
    }

    /// About how many bytes it takes.
    pub(crate) fn held(&self) -> usize {
        self.starts.len() * size_of::<[i64; 2]>()
    }
}

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

    /// Every record's place, in one walk through the trees.
    pub(crate) fn places(&self) -> Places {
        let len = self.parents.len();
        let parent = |node: usize| self.parents[node].filter(|&up| up < len);
        // By node its first child, and by child the next one.
        let (mut first, mut next) = (vec![None; len], vec![None; len]);
        for node in (0..len).rev() {
            if let Some(up) = parent(node) {
                next[node] = first[up].replace(node);
            }
        }
        let (mut starts, mut ends) = (vec![0; len], vec![0; len]);
        let mut count = 0;
        let roots = (0..len).filter(|&node| parent(node).is_none());
        // What a cycle in damaged data holds hangs on no root: it starts anywhere.
        for root in roots.chain(0..len) {
            let mut at = Some(root).filter(|&root| ends[root] == 0);
            while let Some(node) = at {
                if starts[node] == 0 {
                    count += 1;
                    starts[node] = count;
                }
                at = match first[node].take() {
                    Some(child) => {
                        first[node] = next[child];
                        Some(child).filter(|&child| starts[child] == 0).or(at)
                    }
                    None => {
                        ends[node] = count;
                        parent(node).filter(|_| node != root)
                    }
                };
            }
        }
        Places { starts, ends }
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
        let places = hierarchy.places();
        assert!(places.is_under(5, 4) && places.is_under(6, 6) && places.is_under(3, 3));
        assert!(!places.is_under(4, 5) && !places.is_under(5, 1) && !places.is_under(0, 9));
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
            let places = hierarchy.places();
            for root in 0..ups.len() {
                let below = hierarchy.below(RecordId(root as u64));
                for node in 0..ups.len() {
                    let above = hierarchy.path(node).any(|up| up == root);
                    prop_assert_eq!(below.get(node), above);
                    prop_assert_eq!(places.is_under(node as i64, root as i64), above);
                }
            }
        }
    }
}
