//! Values of referred records, and aggregates over the records that refer here.

use super::{Evaluator, concat, constant, internal, object_of};
use crate::column::{Bitset, CHUNK_RECORDS, Ints, Vector};
use crate::error::{Kind, Result};
use crate::query::bind::{Aggregate, Collect, Expr, Node, Subtree, Type};
use crate::query::exec::Batch;
use crate::query::exec::aggregate::{Accumulator, Input};
use crate::query::exec::profile::part;
use crate::query::exec::spread::Spread;
use crate::query::plan::Hierarchy;
use crate::storage::IndexKind;
use crate::value::{ChunkId, FieldType, ObjectId, RecordId, Shape, Value};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

/// So few records of a batch are followed one by one, not through a column of all.
const FEW_FOLLOWED: usize = 64;
/// For so few records a collection may be looked up in its index, not read as a whole.
pub(super) const FEW_OWNERS: usize = 32;
/// So many records are read in a scan in the time of one found through an index.
const SCANNED_PER_LOOKUP: u64 = 64;
/// So few records are found through an index at once in any case.
const FEW_OWNED: u64 = 64;

/// The records of a collection, and what each belongs to.
pub(super) struct Owned<'e> {
    /// What counts their work.
    pub part: usize,
    pub object: ObjectId,
    pub owner: &'e Expr,
    pub subtree: Option<&'e Subtree>,
    pub filter: Option<&'e Expr>,
}

impl Evaluator<'_> {
    /// The records that meet a condition, among all live ones of an object.
    pub(crate) fn record_bits(&self, inner: &Arc<Expr>, object: ObjectId) -> Result<Arc<Bitset>> {
        let key = (part(&**inner), object);
        if let Some((_, bits)) = self.cache.borrow().conditions.get(&key) {
            return Ok(Arc::clone(bits));
        }
        let (mut words, mut len) = (Vec::new(), 0);
        self.each_chunk(
            part(&**inner),
            object,
            |evaluator, batch, live| evaluator.test_among(inner, batch, &live),
            |hits| {
                // Chunks are whole words, but for the last.
                words.extend_from_slice(hits.words());
                len += hits.len();
                Ok(())
            },
        )?;
        let bits = Arc::new(Bitset::from_words(words, len));
        let entry = (Arc::clone(inner), Arc::clone(&bits));
        self.cache.borrow_mut().conditions.insert(key, entry);
        Ok(bits)
    }

    /// The values of an expression for all records of an object, by id.
    pub(crate) fn column_of(&self, inner: &Arc<Expr>, object: ObjectId) -> Result<Arc<Vector>> {
        let key = (part(&**inner), object);
        if let Some((_, vector)) = self.cache.borrow().columns.get(&key) {
            return Ok(Arc::clone(vector));
        }
        let mut parts = Vec::new();
        self.each_chunk(
            part(&**inner),
            object,
            |evaluator, batch, live| evaluator.evaluate_among(inner, batch, &live),
            |part| {
                parts.push(part);
                Ok(())
            },
        )?;
        let vector = Arc::new(concat(inner.ty.shape(), parts));
        let entry = (Arc::clone(inner), Arc::clone(&vector));
        self.cache.borrow_mut().columns.insert(key, entry);
        Ok(vector)
    }

    /// Works on each chunk of an object with its live slots, as `part`, and takes what that gives
    /// in the order of the chunks.
    fn each_chunk<T: Send>(
        &self,
        part: usize,
        object: ObjectId,
        map: impl Fn(&Self, &Batch<'_>, Bitset) -> Result<T> + Sync,
        mut take: impl FnMut(T) -> Result<()>,
    ) -> Result<()> {
        let started = Instant::now();
        let chunks = self.context.snapshot.chunk_count(object);
        let step = |evaluator: &Self, at: usize| {
            let context = evaluator.context;
            context.interrupt.check()?;
            let chunk = ChunkId(u32::try_from(at).unwrap_or(u32::MAX));
            let live = context.snapshot.live(object, chunk)?;
            let len = live.len();
            evaluator.profile.add(part, |own| {
                own.chunks += 1;
                own.records += live.count() as u64;
            });
            map(evaluator, &Batch::Chunk { object, chunk, len }, live)
        };
        self.in_order(chunks as usize, step, |given| {
            take(given).map(ControlFlow::Continue)
        })?;
        self.profile
            .add(part, |own| own.finding += started.elapsed());
        Ok(())
    }

    pub(super) fn follow(
        &self,
        reference: &Expr,
        object: ObjectId,
        inner: &Arc<Expr>,
        batch: &Batch<'_>,
    ) -> Result<Vector> {
        let ids = self.targets(reference, object, batch)?;
        if let Ints::Constant { value, len } = ids {
            let value = match value {
                Some(id) => {
                    let ids = [RecordId(id.cast_unsigned())];
                    let one = self.evaluate(inner, &Batch::Records { object, ids: &ids })?;
                    one.value(&inner.ty.field_type(), 0)
                }
                None => Value::Missing,
            };
            return Ok(constant(&value, inner.ty.shape(), len));
        }
        let key = (part(&**inner), object);
        let known = self.cache.borrow().columns.contains_key(&key);
        if known || (ids.len() > FEW_FOLLOWED && inner.ty.shape() != Shape::RowOnly) {
            match self.column_of(inner, object) {
                Ok(all) => {
                    let slots: Vec<_> = ids.iter().map(|id| place(id, all.len())).collect();
                    return Ok(all.gather(&slots));
                }
                // A record that nobody refers to may have failed.
                Err(error) if error.kind() == Kind::Constraint => {}
                Err(error) => return Err(error),
            }
        }
        let (distinct, slots) = distinct(&ids);
        let batch = Batch::Records {
            object,
            ids: &distinct,
        };
        Ok(self.evaluate(inner, &batch)?.gather(&slots))
    }

    pub(super) fn test_follow(
        &self,
        reference: &Expr,
        object: ObjectId,
        inner: &Arc<Expr>,
        batch: &Batch<'_>,
    ) -> Result<Bitset> {
        let ids = self.targets(reference, object, batch)?;
        let key = (part(&**inner), object);
        let known = self.cache.borrow().conditions.contains_key(&key);
        if known || ids.len() > FEW_FOLLOWED {
            match self.record_bits(inner, object) {
                Ok(set) => return Ok(ids.in_bits(&set)),
                Err(error) if error.kind() == Kind::Constraint => {}
                Err(error) => return Err(error),
            }
        }
        let (distinct, slots) = distinct(&ids);
        let batch = Batch::Records {
            object,
            ids: &distinct,
        };
        let hits = self.test(inner, &batch)?;
        Ok(Bitset::from_fn(slots.len(), |at| {
            slots[at].is_some_and(|at| hits.get(at as usize))
        }))
    }

    /// The ids of the records of `object` that a reference points to.
    pub(super) fn targets(
        &self,
        reference: &Expr,
        object: ObjectId,
        batch: &Batch<'_>,
    ) -> Result<Ints> {
        ids_in(self.evaluate(reference, batch)?, reference, object)
    }

    /// An aggregate over a collection, for each record of the batch.
    pub(super) fn collect(&self, collect: &Arc<Collect>, batch: &Batch<'_>) -> Result<Vector> {
        let Some(object) = object_of(batch) else {
            return Err(internal("a collection without a record", &collect.owner));
        };
        let ids = self.ids(batch);
        let key = (part(&**collect), object);
        let known = self.cache.borrow().collections.contains_key(&key);
        if !known
            && ids.len() <= FEW_OWNERS
            && let Some(found) = self.collect_few(collect, object, &ids)?
        {
            return Ok(found);
        }
        let all = self.collected(collect, object)?;
        // The last one is what there is over nothing.
        let nothing = all.len() - 1;
        let slots: Vec<_> = ids
            .iter()
            .map(|id| place(id, nothing).or_else(|| u32::try_from(nothing).ok()))
            .collect();
        Ok(all.gather(&slots))
    }

    /// The aggregate for each record of `object` by id, and after those the one over nothing.
    fn collected(&self, collect: &Arc<Collect>, object: ObjectId) -> Result<Arc<Vector>> {
        let key = (part(&**collect), object);
        if let Some((_, vector)) = self.cache.borrow().collections.get(&key) {
            return Ok(Arc::clone(vector));
        }
        let count = self.bound(object) + 1;
        let mut accumulator = match &collect.subtree {
            None => Accumulator::new(&collect.aggregate, self.context)?,
            Some(_) => Accumulator::spreading(&collect.aggregate, self.context)?,
        };
        // The records owned by each node are put together first, then those of all below it.
        let node = collect.subtree.as_ref().map_or(object, |s| s.object);
        let nodes = self.bound(node);
        self.each_owned(
            &Owned::of(collect),
            node,
            |evaluator, batch, among, groups| {
                let input = Input::of(&collect.aggregate, evaluator, batch, among)?;
                Ok((input, groups))
            },
            |(input, groups)| accumulator.take(&input, &groups, nodes + 1, self),
        )?;
        if let Some(subtree) = &collect.subtree {
            let spread = self.spread(subtree, object)?;
            accumulator = accumulator.spread(&spread, self.context, self)?;
        }
        let vector = Arc::new(accumulator.finish(count, self)?);
        let entry = (Arc::clone(collect), Arc::clone(&vector));
        self.cache.borrow_mut().collections.insert(key, entry);
        Ok(vector)
    }

    /// Works on each chunk of a collection with the slots that belong to a record of `node`, and
    /// by slot the id of that; takes what that gives in the order of the chunks.
    pub(super) fn each_owned<T: Send>(
        &self,
        owned: &Owned<'_>,
        node: ObjectId,
        map: impl Fn(&Self, &Batch<'_>, &Bitset, Vec<u32>) -> Result<T> + Sync,
        mut take: impl FnMut(T) -> Result<()>,
    ) -> Result<()> {
        let nodes = self.bound(node);
        let owners = |evaluator: &Self, batch: &Batch<'_>, mut among: Bitset| {
            if let Some(filter) = owned.filter {
                among = evaluator.test_among(filter, batch, &among)?;
            }
            let passed = among.count() as u64;
            evaluator
                .profile
                .add(owned.part, |own| own.passed += passed);
            if among.none() {
                return Ok(None);
            }
            let few = batch.sparse(&among);
            let few = few.as_deref().map(|ids| Batch::Records {
                object: owned.object,
                ids,
            });
            let batch = few.as_ref().unwrap_or(batch);
            if few.is_some() {
                among = Bitset::full(batch.len());
            }
            let owner = evaluator.evaluate_among(owned.owner, batch, &among)?;
            let owners = ids_in(owner, owned.owner, node)?;
            let mut groups = vec![u32::MAX; batch.len()];
            let mut known_words = Vec::with_capacity(groups.len().div_ceil(64));
            let mut loaded = [0; 64];
            for (index, (groups, &word)) in groups.chunks_mut(64).zip(among.words()).enumerate() {
                if word == 0 {
                    known_words.push(0);
                    continue;
                }
                let present = owners.load(index, &mut loaded);
                let mut known = 0;
                for (at, (group, id)) in groups.iter_mut().zip(loaded).enumerate() {
                    *group = id as u32;
                    known |= u64::from(id.cast_unsigned() < nodes as u64) << at;
                }
                known_words.push(present & known);
            }
            among.and(&Bitset::from_words(known_words, groups.len()));
            map(evaluator, batch, &among, groups).map(Some)
        };
        self.each_chunk(owned.part, owned.object, owners, |given| {
            given.map_or(Ok(()), &mut take)
        })
    }

    /// For each node of a hierarchy the records of `object` that it, or one above it, belongs to;
    /// and a last one, which belongs to nothing.
    pub(in crate::query::exec) fn spread(
        &self,
        subtree: &Subtree,
        object: ObjectId,
    ) -> Result<Spread> {
        let hierarchy = Hierarchy::read(subtree.object, self.context)?;
        let bound = self.bound(object);
        let owners = match subtree.owner.node {
            Node::Id => None,
            _ => match &*self.column_of(&subtree.owner, subtree.object)? {
                Vector::Ints(ids) => Some(ids.clone()),
                Vector::Pair(objects, ids) => Some(only_of(objects, ids, object)),
                _ => return Err(internal("a path that is no reference", &subtree.owner)),
            },
        };
        let owner = |node: usize| match &owners {
            None => place(i64::try_from(node).ok(), bound),
            Some(owners) => place(owners.get(node), bound),
        };
        let mut spread = Spread::new(bound + 1);
        for node in 0..hierarchy.len() {
            spread.push(hierarchy.path(node).filter_map(owner))?;
        }
        Ok(spread)
    }

    pub(super) fn bound(&self, object: ObjectId) -> usize {
        usize::try_from(self.context.snapshot.record_bound(object)).unwrap_or(0)
    }

    /// The same for a few records through the index of the reference, if there is one.
    fn collect_few(
        &self,
        collect: &Collect,
        object: ObjectId,
        ids: &Ints,
    ) -> Result<Option<Vector>> {
        let owned = Owned::of(collect);
        let Some(found) = self.few_owned(&owned, object, ids)? else {
            return Ok(None);
        };
        let count = ids.len();
        let accumulator = self.accumulated(&collect.aggregate, &owned, &found, count)?;
        accumulator.finish(count, self).map(Some)
    }

    /// The records of a collection that belong to a few records, each with the place of its own
    /// among these, in order; none if there is no index of the reference.
    pub(super) fn few_owned(
        &self,
        owned: &Owned<'_>,
        object: ObjectId,
        ids: &Ints,
    ) -> Result<Option<Vec<(u32, RecordId)>>> {
        let Node::Column(field) = owned.owner.node else {
            return Ok(None);
        };
        let definition = self.context.catalog.object(owned.object);
        let Some(index) = definition.index_on(&[field], IndexKind::Reference) else {
            return Ok(None);
        };
        let Some(owners) = self.few_owners(owned, object, ids)? else {
            return Ok(None);
        };
        let all = self.context.snapshot.record_count(owned.object);
        let each = all / self.context.snapshot.record_count(object).max(1);
        let expected = each.saturating_mul(owners.len() as u64);
        if expected > FEW_OWNED && expected > all / SCANNED_PER_LOOKUP {
            return Ok(None);
        }
        let any = matches!(owned.owner.ty, Type::Plain(FieldType::AnyReference(_)));
        let mut found = Vec::new();
        for (group, id) in owners {
            let key = if any {
                Value::AnyReference(object, id)
            } else {
                Value::Reference(id)
            };
            let records = self.context.snapshot.lookup(index.id, &[key])?;
            found.extend(records.into_iter().map(|record| (group, record)));
        }
        if owned.subtree.is_some() {
            // Those of several nodes, in order.
            found.sort_unstable();
        }
        Ok(Some(found))
    }

    /// An aggregate over these records of a collection, each with its group.
    pub(super) fn accumulated(
        &self,
        aggregate: &Aggregate,
        owned: &Owned<'_>,
        found: &[(u32, RecordId)],
        count: usize,
    ) -> Result<Accumulator> {
        let mut accumulator = Accumulator::new(aggregate, self.context)?;
        for found in found.chunks(CHUNK_RECORDS) {
            self.context.interrupt.check()?;
            let (groups, ids): (Vec<u32>, Vec<RecordId>) = found.iter().copied().unzip();
            let batch = Batch::Records {
                object: owned.object,
                ids: &ids,
            };
            let mut among = Bitset::full(ids.len());
            if let Some(filter) = owned.filter {
                among = self.test_among(filter, &batch, &among)?;
            }
            self.profile.add(owned.part, |own| {
                own.records += ids.len() as u64;
                own.passed += among.count() as u64;
            });
            accumulator.update(self, &batch, &among, &groups, count)?;
        }
        Ok(accumulator)
    }

    /// The records whose collections count for each of a few, each with its place among these;
    /// none if they are many after all.
    fn few_owners(
        &self,
        owned: &Owned<'_>,
        object: ObjectId,
        ids: &Ints,
    ) -> Result<Option<Vec<(u32, RecordId)>>> {
        let own = (0..).zip(ids.iter()).filter_map(|(group, id)| {
            let id = RecordId(id?.cast_unsigned());
            Some((group, id))
        });
        let Some(subtree) = owned.subtree else {
            return Ok(Some(own.collect()));
        };
        if subtree.object != object || !matches!(subtree.owner.node, Node::Id) {
            return Ok(None);
        }
        let hierarchy = Hierarchy::read(object, self.context)?;
        let mut owners = Vec::new();
        for (group, root) in own {
            let below = hierarchy.below(root);
            if owners.len() + below.count() > FEW_OWNERS {
                return Ok(None);
            }
            owners.extend(below.ones().map(|id| (group, RecordId(id as u64))));
        }
        Ok(Some(owners))
    }
}

impl<'e> Owned<'e> {
    fn of(collect: &'e Collect) -> Self {
        Self {
            part: part(collect),
            object: collect.object,
            owner: &collect.owner,
            subtree: collect.subtree.as_ref(),
            filter: collect.filter.as_ref(),
        }
    }
}

/// The ids of the records of `object` among the values of a reference.
pub(super) fn ids_in(values: Vector, reference: &Expr, object: ObjectId) -> Result<Ints> {
    match values {
        Vector::Ints(ids) => Ok(ids),
        Vector::Pair(objects, ids) => Ok(only_of(&objects, &ids, object)),
        vector if reference.ty == Type::Missing => Ok(Ints::Constant {
            value: None,
            len: vector.len(),
        }),
        _ => Err(internal("a path that is no reference", reference)),
    }
}

/// The ids of those that are of the object.
fn only_of(objects: &Ints, ids: &Ints, object: ObjectId) -> Ints {
    let object = i64::from(object.0);
    let pairs = objects.iter().zip(ids.iter());
    Ints::from_options(pairs.map(|(of, id)| id.filter(|_| of == Some(object))))
}

/// The slot of a record in a vector over all records.
fn place(id: Option<i64>, len: usize) -> Option<u32> {
    id.and_then(|id| u32::try_from(id).ok())
        .filter(|&at| (at as usize) < len)
}

/// The distinct ids in order, and for each slot its place among them.
pub(super) fn distinct(ids: &Ints) -> (Vec<RecordId>, Vec<Option<u32>>) {
    let mut distinct: Vec<i64> = ids.iter().flatten().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let slots = ids
        .iter()
        .map(|id| {
            let at = distinct.binary_search(&id?).ok()?;
            u32::try_from(at).ok()
        })
        .collect();
    let ids = distinct
        .iter()
        .map(|id| RecordId(id.cast_unsigned()))
        .collect();
    (ids, slots)
}
