//! How a query's records are found: by id, through an index, or by a scan of those chunks whose
//! summaries do not rule them out.

use super::condition::{all, conjuncts};
use super::probe::{Only, Probe, Subject, Verdict, Wanted};
use crate::catalog::Index;
use crate::column::CHUNK_RECORDS;
use crate::error::{Kind, Result};
use crate::query::bind::{Expr, Node, Type};
use crate::query::exec::{Context, Evaluator};
use crate::storage::{IndexKind, KeyBound, Summary};
use crate::value::{ChunkId, FieldId, FieldType, IndexId, ObjectId, RecordId, Shape, Value};
use std::ops::Bound;

/// An index answers faster than a scan below this share of an object's records. Tests have few
/// records and want both.
const SELECTIVE: u64 = if cfg!(test) { 4 } else { 100 };

/// A second index is read if it finds no more than so many times as many records as the first: for
/// each record that only the first finds, a chunk of another column may have to be decoded.
const NO_MORE: f64 = 2.0;

/// The share of the records that meet a condition of which nothing is known.
const UNKNOWN: f64 = 1.0 / 3.0;

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
    /// Records under any of these keys, or first parts of keys, of an index.
    Lookup {
        index: IndexId,
        keys: Vec<Vec<Value>>,
    },
    /// Records within a range of keys.
    Range {
        index: IndexId,
        low: KeyBound,
        high: KeyBound,
    },
    /// Records that each of these indexes finds.
    Both(Box<[Self; 2]>),
}

struct Candidate {
    path: Path,
    /// Of the records, those expected to be found.
    share: f64,
    /// The conditions that it answers, those first that it answers exactly.
    answers: Vec<usize>,
    exact: usize,
}

impl Candidate {
    /// What both find, if it is about as cheap to find as one of them: then columns of the others
    /// need not be read.
    fn and(self, other: Self) -> Self {
        let apart = other.answers.iter().all(|at| !self.answers.contains(at));
        let cheap = other.share <= self.share * NO_MORE;
        let indexed = |path: &Path| matches!(path, Path::Lookup { .. } | Path::Range { .. });
        if !(apart && cheap && indexed(&self.path) && indexed(&other.path)) {
            return self;
        }
        let (exact, tested) = self.answers.split_at(self.exact);
        let (other_exact, other_tested) = other.answers.split_at(other.exact);
        let answers = [exact, other_exact, tested, other_tested].concat();
        Self {
            path: Path::Both(Box::new([self.path, other.path])),
            share: self.share * other.share,
            exact: self.exact + other.exact,
            answers,
        }
    }
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
    chooser.probe();
    if let Some(found) = chooser.key() {
        return Ok(chooser.answered(found));
    }
    chooser.summarise()?;
    chooser.resolve(evaluator)?;
    match chooser.selective() {
        Some(found) => Ok(chooser.answered(found)),
        None => Ok(chooser.scan()),
    }
}

impl Chooser<'_> {
    fn probe(&mut self) {
        let of = |condition: &Condition| Probe::of(&condition.test, self.context.clock);
        self.probes = self.conditions.iter().map(of).collect();
    }

    fn summarise(&mut self) -> Result<()> {
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
        let by_id = self
            .probes()
            .find_map(|(at, probe)| match (probe.subject, probe.only()) {
                (Subject::Id, Some(Only::Integer(id))) => Some(Candidate {
                    path: Path::Ids(vec![RecordId(id.cast_unsigned())]),
                    share: self.one(),
                    answers: vec![at],
                    exact: 1,
                }),
                _ => None,
            });
        let unique = || self.indexes().filter(|index| index.unique);
        by_id.or_else(|| {
            unique().find_map(|index| {
                let (answers, key) = self.first_values(index);
                (key.len() == index.fields.len()).then(|| Candidate {
                    path: Path::Lookup {
                        index: index.id,
                        keys: vec![key],
                    },
                    share: self.one(),
                    exact: answers.len(),
                    answers,
                })
            })
        })
    }

    /// Indexes whose keys are the values as they are.
    fn indexes(&self) -> impl Iterator<Item = &Index> {
        let object = self.context.catalog.object(self.object);
        let plain = |index: &&Index| index.kind != IndexKind::Folded;
        object.indexes.iter().filter(plain)
    }

    /// The conditions that ask the first fields of an index for one value each, and the values.
    fn first_values(&self, index: &Index) -> (Vec<usize>, Vec<Value>) {
        let one = |field: &FieldId| {
            let mut asked = self.asked(*field);
            asked.find_map(|(at, probe)| Some((at, self.key_value(*field, &probe.only()?))))
        };
        index.fields.iter().map_while(one).unzip()
    }

    /// What is asked of a field.
    fn asked(&self, field: FieldId) -> impl Iterator<Item = (usize, &Probe)> {
        let of_field = move |(_, probe): &(usize, &Probe)| probe.subject == Subject::Field(field);
        self.probes().filter(of_field)
    }

    /// The share of the records expected to meet what is asked of the field of a condition.
    fn share(&self, at: usize, probe: &Probe) -> f64 {
        let expected = probe.expected(self.summaries[at].as_ref(), self.count);
        expected as f64 * self.one()
    }

    /// The share of the records expected to meet some of the conditions, taken as independent.
    fn share_of_all(&self, conditions: impl IntoIterator<Item = usize>) -> f64 {
        let shares = conditions.into_iter().map(|at| match &self.probes[at] {
            Some(probe) => self.share(at, probe),
            None => UNKNOWN,
        });
        shares.product()
    }

    /// The share of one record.
    fn one(&self) -> f64 {
        1.0 / self.count.max(1) as f64
    }

    /// The records of a share; a little more than a whole number is that number.
    fn expected(&self, share: f64) -> u64 {
        (self.count as f64 * share - 1e-6).ceil() as u64
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
        self.probe();
        self.summarise()
    }

    /// The ids or the indexes that leave the fewest records, if these are few enough.
    fn selective(&self) -> Option<Candidate> {
        let ids = self.probes().filter_map(|(at, probe)| match &probe.wanted {
            Wanted::Records(set) if probe.subject == Subject::Id => {
                let ids = || set.ones().map(|id| RecordId(id as u64)).collect();
                self.few(self.share(at, probe), vec![at], 1, || Path::Ids(ids()))
            }
            _ => None,
        });
        let indexes = self.indexes().filter_map(|index| self.through(index));
        let mut found: Vec<_> = ids.chain(indexes).collect();
        found.sort_by(|a, b| a.share.total_cmp(&b.share));
        found.into_iter().reduce(Candidate::and)
    }

    /// A way to a share of the records, if they are few.
    fn few(
        &self,
        share: f64,
        answers: Vec<usize>,
        exact: usize,
        path: impl FnOnce() -> Path,
    ) -> Option<Candidate> {
        let expected = self.expected(share);
        (expected.saturating_mul(SELECTIVE) <= self.count).then(|| Candidate {
            path: path(),
            share,
            answers,
            exact,
        })
    }

    /// What an index finds whose first fields are asked for one value each, and the next one for
    /// any of several or for a range.
    fn through(&self, index: &Index) -> Option<Candidate> {
        let (mut answers, first) = self.first_values(index);
        let exact = answers.len();
        let share = self.share_of_all(answers.iter().copied());
        let lookup = |keys| Path::Lookup {
            index: index.id,
            keys,
        };
        let then = |value: Value| [first.as_slice(), &[value]].concat();
        let Some(&next) = index.fields.get(exact) else {
            return self.few(share, answers, exact, || lookup(vec![first.clone()]));
        };
        let ty = &self.context.catalog.object(self.object).field(next).ty;
        if let Some((at, probe)) = self.asked(next).find(|(_, probe)| probe.wanted.is_set()) {
            answers.push(at);
            let keys = || probe.wanted.members(ty).map(then).collect();
            let share = share * self.share(at, probe);
            return self.few(share, answers, exact + 1, || lookup(keys()));
        }
        let (mut low, mut high) = (i64::MIN, i64::MAX);
        for (at, probe) in self.asked(next) {
            if let Wanted::Range(from, to) = probe.wanted {
                (low, high) = (low.max(from), high.min(to));
                answers.push(at);
            }
        }
        let Some(&at) = answers.get(exact) else {
            if first.is_empty() {
                return None;
            }
            return self.few(share, answers, exact, || lookup(vec![first.clone()]));
        };
        let both = Probe {
            subject: Subject::Field(next),
            wanted: Wanted::Range(low, high),
        };
        let share = share * self.share(at, &both);
        // A bound may lie outside of the type's values.
        let bounded = |n: i64, end: i64| n != end && Value::from_int(ty, n).as_int() == Some(n);
        let low = match bounded(low, i64::MIN) {
            true => Bound::Included(then(Value::from_int(ty, low))),
            false if first.is_empty() => Bound::Unbounded,
            false => Bound::Included(first.clone()),
        };
        let high = match bounded(high, i64::MAX) {
            true => Bound::Included(then(Value::from_int(ty, high))),
            // Missing comes last and does not pass.
            false => Bound::Excluded(then(Value::Missing)),
        };
        let index = index.id;
        self.few(share, answers, exact, || Path::Range { index, low, high })
    }

    /// An access through a candidate; the other conditions are tested on what it finds.
    fn answered(mut self, found: Candidate) -> Access {
        let expected = self.expected(found.share);
        let shown = |at: &usize| self.conditions[*at].shown.clone();
        let by: Vec<Expr> = found.answers.iter().map(shown).collect();
        let by = by.first().map(|first| all(by.clone(), &first.span));
        let mut exact = found.answers;
        exact.truncate(found.exact);
        let mut at = 0..;
        self.conditions
            .retain(|_| at.next().is_none_or(|at| !exact.contains(&at)));
        Access {
            object: self.object,
            path: found.path,
            by,
            conditions: self.conditions,
            expected,
        }
    }

    fn scan(self) -> Access {
        let total = self.context.snapshot.chunk_count(self.object);
        let chunks = (0..total)
            .filter_map(|chunk| self.settled(chunk).map(|bits| (ChunkId(chunk), bits)))
            .collect();
        Access {
            object: self.object,
            expected: self.expected(self.share_of_all(0..self.conditions.len())),
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
}

/// What a condition costs to test, roughly: integers before text before collections.
fn cost(expr: &Expr) -> u32 {
    let own = match &expr.node {
        Node::Collect(_) | Node::Correlated { .. } | Node::Keyed { .. } => 1000,
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
