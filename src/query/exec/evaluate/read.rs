//! Reading of columns, ids and constants, and what an evaluator keeps of them.

use super::crossed::Crossed;
use super::keyed::RecordMap;
use super::{Evaluator, internal};
use crate::column::{Bits, Bitset, CHUNK_RECORDS, Floats, Ints, Tags, Texts, Vector};
use crate::error::{Code, Error, Result};
use crate::query::bind::{Collect, Expr, Query, Type};
use crate::query::exec::Batch;
use crate::query::exec::keys::KeyTable;
use crate::query::plan::Places;
use crate::storage::Row;
use crate::value::{ChunkId, FieldId, FieldType, ObjectId, RecordId, Shape, Value};
use foldhash::HashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// So few records are read as rows, not through chunks of columns.
const FEW_ROWS: usize = 8;
/// The same for values that are in rows only.
const FEW_ROW_ONLY: usize = 1024;
const KEPT_ROWS: usize = 1024;
/// More runs of records of one chunk than this are sorted first.
const MANY_RUNS: usize = 16;

/// What was computed for a tree over an object, by the tree's address.
type Kept<K, V> = HashMap<(usize, ObjectId), (Arc<K>, Arc<V>)>;

/// What is computed or read once. Keys that are addresses stay good because the entry holds what
/// lies there.
#[derive(Default)]
pub(super) struct Cache {
    pub conditions: Kept<Expr, Bitset>,
    pub columns: Kept<Expr, Vector>,
    pub collections: Kept<Collect, Vector>,
    /// Sub-queries over rules, by their address; none if they are of another form.
    pub crossed: HashMap<usize, (Arc<Expr>, Option<Arc<Crossed>>)>,
    /// Stored rules by object, kind, depth and text.
    pub rules: HashMap<(ObjectId, bool, u8, Arc<str>), Arc<Expr>>,
    /// The sets of values for which a body was run, by its address.
    pub given: HashMap<usize, (Arc<Expr>, KeyTable)>,
    /// What a query gives for all records, by its address.
    pub maps: HashMap<usize, (Arc<Query>, Arc<RecordMap>)>,
    /// The records for which a query was run that is not among those.
    pub asked: HashMap<usize, (Arc<Query>, usize)>,
    /// Where the records of a hierarchy are in it.
    pub places: HashMap<ObjectId, Arc<Places>>,
    rows: HashMap<(ObjectId, RecordId), Option<Arc<Row>>>,
}

impl Cache {
    /// What holds for all records, for another thread.
    pub(super) fn fork(&self) -> Self {
        Self {
            conditions: self.conditions.clone(),
            columns: self.columns.clone(),
            collections: self.collections.clone(),
            crossed: self.crossed.clone(),
            rules: self.rules.clone(),
            maps: self.maps.clone(),
            places: self.places.clone(),
            ..Self::default()
        }
    }

    /// About how many bytes of records it holds.
    pub(super) fn held(&self) -> usize {
        const CELL: usize = 8;
        const ROW: usize = 256;
        let conditions = self.conditions.values().map(|(_, bits)| bits.len() / 8);
        let columns = self.columns.values().map(|(_, vector)| vector.len() * CELL);
        let collections = self.collections.values();
        let collections = collections.map(|(_, vector)| vector.len() * CELL);
        let places = self.places.values().map(|places| places.held());
        let maps = self.maps.values().map(|(_, map)| map.held());
        let all = conditions.chain(columns).chain(collections);
        let all = all.chain(places).chain(maps);
        all.sum::<usize>() + self.rows.len() * ROW
    }
}

impl Evaluator<'_> {
    /// The ids of a batch's records.
    pub(super) fn ids(&self, batch: &Batch<'_>) -> Ints {
        let of =
            |ids: &[RecordId]| Ints::from_options(ids.iter().map(|id| Some(id.0.cast_signed())));
        match batch {
            Batch::Chunk { chunk, len, .. } => Ints::U16 {
                base: i64::from(chunk.0) * CHUNK_RECORDS as i64,
                codes: Arc::new((0..u16::MAX).take(*len).collect()),
            },
            Batch::Records { ids, .. } | Batch::Rows { ids: Some(ids), .. } => of(ids),
            Batch::Rows { .. } | Batch::Slots(_) => Ints::Constant {
                value: None,
                len: batch.len(),
            },
        }
    }

    pub(super) fn column(&self, field: FieldId, ty: &Type, batch: &Batch<'_>) -> Result<Vector> {
        match batch {
            Batch::Chunk { object, chunk, .. } => {
                self.context.snapshot.column(*object, field, *chunk)
            }
            Batch::Records { object, ids } => self.column_at(*object, field, ty.shape(), ids),
            Batch::Rows { rows, .. } => {
                let values: Vec<_> = rows.iter().map(|row| row.get(field).clone()).collect();
                Ok(Vector::from_values(ty.shape(), &values))
            }
            Batch::Slots(_) => Err(Error::new(
                Code::Internal,
                "a field without a record was read",
            )),
        }
    }

    fn column_at(
        &self,
        object: ObjectId,
        field: FieldId,
        shape: Shape,
        ids: &[RecordId],
    ) -> Result<Vector> {
        let few = match shape {
            Shape::RowOnly => FEW_ROW_ONLY,
            // The one chunk stays decoded.
            _ if self.context.snapshot.chunk_count(object) <= 1 => 0,
            _ => FEW_ROWS,
        };
        if ids.len() <= few {
            let mut values = Vec::with_capacity(ids.len());
            for &id in ids {
                let row = self.row(object, id)?;
                values.push(row.map_or(Value::Missing, |row| row.get(field).clone()));
            }
            return Ok(Vector::from_values(shape, &values));
        }
        let chunk_of = |id: &RecordId| id.0 / CHUNK_RECORDS as u64;
        let runs = || ids.chunk_by(|a, b| chunk_of(a) == chunk_of(b));
        if !ids.is_sorted() && runs().nth(MANY_RUNS).is_some() {
            let mut order: Vec<u32> = (0..).take(ids.len()).collect();
            order.sort_unstable_by_key(|&at| ids[at as usize]);
            let sorted: Vec<_> = order.iter().map(|&at| ids[at as usize]).collect();
            let found = self.column_at(object, field, shape, &sorted)?;
            let mut places = vec![None; ids.len()];
            for (to, &from) in (0..).zip(&order) {
                places[from as usize] = Some(to);
            }
            return Ok(found.gather(&places));
        }
        let mut parts = Vec::new();
        for run in runs() {
            let chunk = u32::try_from(chunk_of(&run[0])).ok();
            let chunk = chunk.filter(|&at| at < self.context.snapshot.chunk_count(object));
            let Some(chunk) = chunk else {
                parts.push(Vector::missing(shape, run.len()));
                continue;
            };
            let snapshot = self.context.snapshot;
            let vector = snapshot.column(object, field, ChunkId(chunk))?;
            let slots: Vec<_> = run
                .iter()
                .map(|id| (id.0 % CHUNK_RECORDS as u64) as u32)
                .map(|at| Some(at).filter(|&at| (at as usize) < vector.len()))
                .collect();
            parts.push(vector.gather(&slots));
        }
        Ok(concat(shape, parts))
    }

    /// The number of the transaction that last changed each record.
    pub(super) fn revision(&self, record: &Expr, expr: &Expr, batch: &Batch<'_>) -> Result<Vector> {
        let (Type::Plain(FieldType::Reference(object)), Vector::Ints(ids)) =
            (&record.ty, self.evaluate(record, batch)?)
        else {
            return Err(internal("the revision of another form", expr));
        };
        if self.context.past.is_some() {
            let message = "of the past it is not kept which transaction last changed a record";
            return Err(Error::new(Code::Misplaced, message)
                .at(expr.span.clone())
                .hint("ask `changes of` a field"));
        }
        let revision = |id: Option<i64>| -> Result<Option<i64>> {
            let Some(id) = id else { return Ok(None) };
            let id = RecordId(id.cast_unsigned());
            let Some(row) = self.row(*object, id)? else {
                return Ok(None);
            };
            let revision = self.context.snapshot.revision(*object, id, &row)?;
            Ok(revision.and_then(|number| i64::try_from(number).ok()))
        };
        let all: Vec<_> = ids.iter().map(revision).collect::<Result<_>>()?;
        Ok(Vector::Ints(Ints::from_options(all.into_iter())))
    }

    fn row(&self, object: ObjectId, id: RecordId) -> Result<Option<Arc<Row>>> {
        if let Some(row) = self.cache.borrow().rows.get(&(object, id)) {
            return Ok(row.clone());
        }
        let row = self.context.snapshot.row(object, id)?;
        let rows = &mut self.cache.borrow_mut().rows;
        if rows.len() >= KEPT_ROWS {
            rows.clear();
        }
        rows.insert((object, id), row.clone());
        Ok(row)
    }
}

/// `len` times one value.
pub(super) fn constant(value: &Value, shape: Shape, len: usize) -> Vector {
    let ints = |value| Ints::Constant { value, len };
    match (shape, value) {
        (_, Value::Missing) => Vector::missing(shape, len),
        (Shape::Bits, Value::Boolean(on)) => Vector::Bits(Bits {
            data: if *on {
                Bitset::full(len)
            } else {
                Bitset::new(len)
            },
            missing: None,
        }),
        (Shape::Floats, Value::Number(n)) => Vector::Floats(Floats::Constant {
            value: Some(*n),
            len,
        }),
        (Shape::Texts | Shape::RowOnly, Value::Text(text)) => Vector::Texts(Texts::Constant {
            value: Some(Arc::clone(text)),
            len,
        }),
        (Shape::Texts | Shape::RowOnly, Value::List(_)) => Vector::Lists(vec![value.clone(); len]),
        (Shape::Tags, Value::Tags(codes)) => Vector::Tags(Tags {
            sets: codes
                .iter()
                .map(|&code| (code, Bitset::full(len)))
                .collect(),
            len,
        }),
        (Shape::Pair, value) => {
            let pair = value.as_pair();
            Vector::Pair(ints(pair.map(|pair| pair.0)), ints(pair.map(|pair| pair.1)))
        }
        (Shape::Ints, value) => Vector::Ints(ints(value.as_int())),
        _ => Vector::missing(shape, len),
    }
}

/// Vectors of one shape, one after the other.
pub(super) fn concat(shape: Shape, mut parts: Vec<Vector>) -> Vector {
    if parts.len() == 1 {
        return parts.remove(0);
    }
    let len = parts.iter().map(Vector::len).sum();
    let ints = |part: fn(&Vector) -> Option<&Ints>| {
        let values: Vec<_> = parts.iter().filter_map(part).flat_map(Ints::iter).collect();
        Ints::pack(&values)
    };
    // A list over nothing is missing, which has the form of text.
    let lists = |part: &&Vector| matches!(part, Vector::Lists(_));
    match parts.iter().find(lists).or(parts.first()) {
        None => Vector::missing(shape, 0),
        Some(Vector::Ints(_)) => Vector::Ints(ints(|part| match part {
            Vector::Ints(ints) => Some(ints),
            _ => None,
        })),
        Some(Vector::Pair(..)) => Vector::Pair(
            ints(|part| match part {
                Vector::Pair(a, _) => Some(a),
                _ => None,
            }),
            ints(|part| match part {
                Vector::Pair(_, b) => Some(b),
                _ => None,
            }),
        ),
        Some(Vector::Floats(_)) => {
            let mut values = Vec::with_capacity(len);
            for part in &parts {
                if let Vector::Floats(floats) = part {
                    values.extend(floats.iter().map(|n| n.unwrap_or(f64::NAN)));
                }
            }
            Vector::Floats(values.into_iter().collect())
        }
        Some(Vector::Texts(_)) => {
            let mut values = Vec::with_capacity(len);
            for part in &parts {
                if let Vector::Texts(texts) = part {
                    values.extend(texts.iter());
                }
            }
            Vector::Texts(Texts::from_options(values.into_iter()))
        }
        Some(Vector::Bits(_)) => {
            let (mut data, mut missing) = (Bitset::new(len), Bitset::new(len));
            let mut from = 0;
            for part in &parts {
                if let Vector::Bits(bits) = part {
                    bits.data.ones().for_each(|at| data.set(from + at, true));
                    if let Some(none) = &bits.missing {
                        none.ones().for_each(|at| missing.set(from + at, true));
                    }
                }
                from += part.len();
            }
            Vector::Bits(Bits {
                data,
                missing: (!missing.none()).then_some(missing),
            })
        }
        Some(Vector::Tags(_)) => {
            let mut sets: BTreeMap<_, Bitset> = BTreeMap::new();
            let mut from = 0;
            for part in &parts {
                if let Vector::Tags(tags) = part {
                    for (&code, set) in &tags.sets {
                        let all = sets.entry(code).or_insert_with(|| Bitset::new(len));
                        set.ones().for_each(|at| all.set(from + at, true));
                    }
                }
                from += part.len();
            }
            Vector::Tags(Tags { sets, len })
        }
        Some(Vector::Lists(_)) => Vector::Lists(
            parts
                .into_iter()
                .flat_map(|part| match part {
                    Vector::Lists(lists) => lists,
                    part => vec![Value::Missing; part.len()],
                })
                .collect(),
        ),
    }
}
