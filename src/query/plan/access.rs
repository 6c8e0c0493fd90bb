//! How a query's records are found: by id, through an index, or by a scan of those chunks whose
//! summaries do not rule them out.

use super::condition::conjuncts;
use super::probe::{Only, Probe, Subject, Verdict, Wanted};
use crate::column::{Bitset, CHUNK_RECORDS};
use crate::error::{Kind, Result};
use crate::query::bind::{Expr, Node, Type};
use crate::query::exec::{Context, Evaluator};
use crate::storage::{IndexKind, KeyBound, Summary};
use crate::value::{ChunkId, FieldId, FieldType, IndexId, ObjectId, RecordId, Shape, Value};
use std::ops::Bound;
use std::sync::Arc;

/// An index answers faster than a scan below this share of an object's records.
const SELECTIVE: u64 = 100;

/// How the records of one object that meet a condition are found.
#[derive(Debug)]
pub(crate) struct Access {
    pub object: ObjectId,
    pub path: Path,
    /// The condition that the path itself answers.
    pub by: Option<Expr>,
    /// What is tested on the records found, cheapest first.
    pub conditions: Vec<Condition>,
    /// Records expected to pass all.
    pub expected: u64,
}

#[derive(Debug)]
pub(crate) struct Condition {
    /// In the user's terms.
    pub shown: Expr,
    /// As it is tested.
    pub test: Expr,
}

#[derive(Debug)]
pub(crate) enum Path {
    /// No record can pass.
    Nothing,
    Scan {
        /// Chunks to read; a bit for each condition that need not be tested there.
        chunks: Vec<(ChunkId, u64)>,
        /// Chunks in all.
        total: u32,
    },
    /// Records by their ids.
    Ids(Vec<RecordId>),
    /// Records under any of these keys of an index.
    Lookup { index: IndexId, keys: Vec<Value> },
    /// Records within a range of keys.
    Range {
        index: IndexId,
        low: KeyBound,
        high: KeyBound,
    },
}

struct Candidate {
    path: Path,
    expected: u64,
    /// Which condition it answers, and whether exactly.
    answers: usize,
    exact: bool,
}

struct Chooser<'a> {
    object: ObjectId,
    context: &'a Context<'a>,
    conditions: Vec<Condition>,
    probes: Vec<Option<Probe>>,
    summaries: Vec<Option<Summary>>,
    count: u64,
}

/// Chooses how to find the records of `object` that meet `filter`, which is folded.
pub(crate) fn choose(
    object: ObjectId,
    filter: Option<&Expr>,
    evaluator: &Evaluator<'_>,
    context: &Context<'_>,
) -> Result<Access> {
    let mut conditions: Vec<_> = conjuncts(filter)
        .into_iter()
        .map(|expr| Condition {
            shown: expr.clone(),
            test: expr,
        })
        .collect();
    if conditions
        .iter()
        .any(|c| c.test.as_constant() == Some(&Value::Boolean(false)))
    {
        return Ok(Access {
            object,
            path: Path::Nothing,
            by: None,
            conditions: Vec::new(),
            expected: 0,
        });
    }
    conditions.sort_by_key(|condition| cost(&condition.test));
    let mut chooser = Chooser {
        object,
        context,
        probes: Vec::new(),
        summaries: Vec::new(),
        conditions,
        count: context.snapshot.record_count(object),
    };
    chooser.probe()?;
    if let Some(found) = chooser.key() {
        return Ok(chooser.answered(found));
    }
    chooser.resolve(evaluator)?;
    match chooser.selective()? {
        Some(found) => Ok(chooser.answered(found)),
        None => Ok(chooser.scan()),
    }
}

impl Chooser<'_> {
    fn probe(&mut self) -> Result<()> {
        self.probes = self
            .conditions
            .iter()
            .map(|condition| Probe::of(&condition.test, self.context.clock))
            .collect();
        self.summaries = self
            .probes
            .iter()
            .map(|probe| match probe {
                Some(Probe {
                    subject: Subject::Field(field),
                    ..
                }) => self.context.snapshot.summary(self.object, *field).map(Some),
                _ => Ok(None),
            })
            .collect::<Result<_>>()?;
        Ok(())
    }

    fn probes(&self) -> impl Iterator<Item = (usize, &Probe)> {
        self.probes
            .iter()
            .enumerate()
            .filter_map(|(at, probe)| probe.as_ref().map(|probe| (at, probe)))
    }

    /// A record's id, or the key of a unique index.
    fn key(&self) -> Option<Candidate> {
        let unique = |field: FieldId| {
            let object = self.context.catalog.object(self.object);
            object
                .index_on(&[field], IndexKind::Ordered)
                .filter(|index| index.unique)
                .map(|index| index.id)
        };
        self.probes().find_map(|(at, probe)| {
            let path = match (probe.subject, probe.only()) {
                (Subject::Id, Some(Only::Integer(id))) => {
                    Path::Ids(vec![RecordId(id.cast_unsigned())])
                }
                (Subject::Field(field), Some(only)) => Path::Lookup {
                    index: unique(field)?,
                    keys: vec![self.key_value(field, &only)],
                },
                _ => return None,
            };
            Some(Candidate {
                path,
                expected: 1,
                answers: at,
                exact: true,
            })
        })
    }

    fn key_value(&self, field: FieldId, only: &Only<'_>) -> Value {
        let ty = &self.context.catalog.object(self.object).field(field).ty;
        match only {
            Only::Integer(n) => Value::from_int(ty, *n),
            Only::Value(value) => (*value).clone(),
        }
    }

    /// Conditions on a referred record become sets of records.
    fn resolve(&mut self, evaluator: &Evaluator<'_>) -> Result<()> {
        let mut resolved = false;
        for condition in &mut self.conditions {
            let Node::Follow {
                reference,
                object,
                inner,
            } = &condition.test.node
            else {
                continue;
            };
            let plain = matches!(reference.ty, Type::Plain(FieldType::Reference(_)));
            if !plain || !matches!(reference.node, Node::Column(_) | Node::Id) {
                continue;
            }
            let set = match evaluator.record_bits(inner, *object) {
                Ok(set) => set,
                // A record that nobody refers to may have failed.
                Err(error) if error.kind() == Kind::Constraint => continue,
                Err(error) => return Err(error),
            };
            let value = reference.clone();
            condition.test = Expr::new(
                Node::InRecords { value, set },
                Type::BOOLEAN,
                &condition.test.span.clone(),
            );
            resolved = true;
        }
        if !resolved {
            return Ok(());
        }
        self.conditions
            .sort_by_key(|condition| cost(&condition.test));
        self.probe()
    }

    /// The index that leaves the fewest records, if that is few enough.
    fn selective(&self) -> Result<Option<Candidate>> {
        let mut best: Option<Candidate> = None;
        for (at, probe) in self.probes() {
            let expected = probe.expected(self.summaries[at].as_ref(), self.count);
            if expected.saturating_mul(SELECTIVE) > self.count {
                continue;
            }
            if best.as_ref().is_some_and(|best| best.expected <= expected) {
                continue;
            }
            let Some((path, exact)) = self.path(probe) else {
                continue;
            };
            best = Some(Candidate {
                path,
                expected,
                answers: at,
                exact,
            });
        }
        Ok(best)
    }

    fn path(&self, probe: &Probe) -> Option<(Path, bool)> {
        let object = self.context.catalog.object(self.object);
        let field = match probe.subject {
            Subject::Id => {
                let Wanted::Records(set) = &probe.wanted else {
                    return None;
                };
                let ids = set.ones().map(|id| RecordId(id as u64)).collect();
                return Some((Path::Ids(ids), true));
            }
            Subject::Field(field) => field,
            Subject::Slot(_) => return None,
        };
        let ty = &object.field(field).ty;
        let keys: Option<Vec<Value>> = match &probe.wanted {
            Wanted::Records(set) => Some(targets(set)),
            Wanted::Integers(set) => Some(set.iter().map(|&n| Value::from_int(ty, n)).collect()),
            _ => probe.only().map(|only| vec![self.key_value(field, &only)]),
        };
        if matches!(ty, FieldType::Reference(_))
            && let Some(keys) = &keys
            && let Some(index) = object.index_on(&[field], IndexKind::Reference)
        {
            let keys = keys.clone();
            return Some((
                Path::Lookup {
                    index: index.id,
                    keys,
                },
                true,
            ));
        }
        let index = object.index_on(&[field], IndexKind::Ordered)?.id;
        if let Some(keys) = keys {
            return Some((Path::Lookup { index, keys }, true));
        }
        match probe.wanted {
            Wanted::Range(low, high) if ty.shape() == Shape::Ints => {
                let key = |n| vec![Value::from_int(ty, n)];
                let bounded = |n: i64, end| in_type(ty, n) && n != end;
                let low = if bounded(low, i64::MIN) {
                    Bound::Included(key(low))
                } else {
                    Bound::Unbounded
                };
                let high = if bounded(high, i64::MAX) {
                    Bound::Included(key(high))
                } else {
                    // Missing comes last and does not pass.
                    Bound::Excluded(vec![Value::Missing])
                };
                Some((Path::Range { index, low, high }, false))
            }
            _ => None,
        }
    }

    /// An access through a candidate; the other conditions are tested on what it finds.
    fn answered(mut self, found: Candidate) -> Access {
        let by = if found.exact {
            self.conditions.remove(found.answers).shown
        } else {
            self.conditions[found.answers].shown.clone()
        };
        Access {
            object: self.object,
            path: found.path,
            by: Some(by),
            conditions: self.conditions,
            expected: found.expected,
        }
    }

    fn scan(self) -> Access {
        let total = self.context.snapshot.chunk_count(self.object);
        let chunks = (0..total)
            .filter_map(|chunk| self.settled(chunk).map(|bits| (ChunkId(chunk), bits)))
            .collect();
        Access {
            object: self.object,
            expected: self.estimate(),
            path: Path::Scan { chunks, total },
            by: None,
            conditions: self.conditions,
        }
    }

    /// The conditions that hold for every record of a chunk; nothing if none can pass.
    fn settled(&self, chunk: u32) -> Option<u64> {
        let mut settled = 0;
        for (at, probe) in self.probes() {
            let verdict = match (probe.subject, &self.summaries[at]) {
                (Subject::Id, _) => {
                    let first = i64::from(chunk) * CHUNK_RECORDS as i64;
                    probe.verdict(&crate::storage::ChunkSummary {
                        range: Some((first, first + CHUNK_RECORDS as i64 - 1)),
                        missing: 0,
                        exact: true,
                    })
                }
                (_, Some(summary)) => summary
                    .chunks
                    .get(chunk as usize)
                    .map_or(Verdict::Some, |summary| probe.verdict(summary)),
                (_, None) => Verdict::Some,
            };
            match verdict {
                Verdict::None => return None,
                Verdict::All if at < 64 => settled |= 1 << at,
                _ => {}
            }
        }
        Some(settled)
    }

    /// Records expected to pass: conditions taken as independent, unknown ones as one in three.
    fn estimate(&self) -> u64 {
        let count = self.count as f64;
        let mut expected = count;
        for (probe, summary) in self.probes.iter().zip(&self.summaries) {
            expected *= match probe {
                Some(probe) => probe.expected(summary.as_ref(), self.count) as f64 / count.max(1.0),
                None => 1.0 / 3.0,
            };
        }
        expected.ceil() as u64
    }
}

fn targets(set: &Arc<Bitset>) -> Vec<Value> {
    set.ones()
        .map(|id| Value::Reference(RecordId(id as u64)))
        .collect()
}

/// Whether the integer is one of the type's, so that it can be a key.
fn in_type(ty: &FieldType, n: i64) -> bool {
    Value::from_int(ty, n).as_int() == Some(n)
}

/// What a condition costs to test, roughly: integers before text before collections.
fn cost(expr: &Expr) -> u32 {
    let own = match &expr.node {
        Node::Collect(_) | Node::Correlated { .. } => 1000,
        Node::Stored { .. } => 500,
        Node::Like { .. } => 200,
        Node::Contains { .. } => 100,
        Node::Follow { .. } => 20,
        Node::Function { .. } | Node::Work { .. } => 10,
        Node::InList { .. } => 5,
        Node::Arithmetic { .. }
        | Node::Cast(_)
        | Node::ToBase { .. }
        | Node::Convert { .. }
        | Node::Bucket { .. } => 3,
        Node::Column(_) if expr.ty.shape() == Shape::Texts => 6,
        Node::Column(_) if expr.ty.shape() == Shape::RowOnly => 500,
        Node::Column(_) => 1,
        _ => 0,
    };
    let inside = match &expr.node {
        Node::Follow { inner, .. } => cost(inner),
        _ => 0,
    };
    let operands: u32 = expr.node.operands().into_iter().map(cost).sum();
    own + inside + operands
}
