//! A hierarchy walked once: the records below or above a node, the node included.

use crate::column::{Bitset, Vector};
use crate::error::{Code, Error, Result};
use crate::query::exec::Context;
use crate::value::{ChunkId, ObjectId, RecordId};

/// The parent of every record by id; none where there is none.
fn parents(object: ObjectId, context: &Context<'_>) -> Result<Vec<Option<usize>>> {
    let Some(field) = context.catalog.object(object).hierarchy_field() else {
        let name = &context.catalog.object(object).name;
        return Err(Error::new(
            Code::Misplaced,
            format!("{name} has no hierarchy"),
        ));
    };
    let mut found = Vec::new();
    for chunk in 0..context.snapshot.chunk_count(object) {
        context.interrupt.check()?;
        match context.snapshot.column(object, field.id, ChunkId(chunk))? {
            Vector::Ints(ints) => {
                found.extend(ints.iter().map(|n| n.and_then(|n| usize::try_from(n).ok())));
            }
            other => found.resize(found.len() + other.len(), None),
        }
    }
    Ok(found)
}

/// `root` and every record below it.
pub(super) fn below(object: ObjectId, root: RecordId, context: &Context<'_>) -> Result<Bitset> {
    let parents = parents(object, context)?;
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
    Ok(inside)
}

/// `root` and every record above it.
pub(super) fn above(object: ObjectId, root: RecordId, context: &Context<'_>) -> Result<Bitset> {
    let parents = parents(object, context)?;
    let mut inside = Bitset::new(parents.len());
    let mut at = usize::try_from(root.0).ok();
    while let Some(node) = at.filter(|&node| node < parents.len() && !inside.get(node)) {
        inside.set(node, true);
        at = parents[node];
    }
    Ok(inside)
}
