//! What a condition says of one column alone: a range, a set or one value, so that chunks can be
//! skipped and indexes used.

use super::condition::conjuncts;
use crate::column::{Bitset, Comparison};
use crate::query::bind::{Expr, History, Node, Type};
use crate::query::syntax::HistoryKind;
use crate::storage::{ChunkSummary, Summary};
use crate::value::{Clock, DateTime, FieldId, FieldType, RecordId, Shape, Value};
use std::sync::Arc;

/// The column that a condition is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Id,
    Field(FieldId),
    /// A column of a frame without object.
    Slot(usize),
}

/// The values that pass.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    /// Integer-shaped values from the first to the second, both included.
    Range(i64, i64),
    Integers(Arc<[i64]>),
    Records(Arc<Bitset>),
    /// Another shape, equal to this.
    Equal(Value),
}

impl Wanted {
    /// Whether it names its values one by one, those of an integer shape.
    pub(super) fn is_set(&self) -> bool {
        matches!(self, Self::Integers(_) | Self::Records(_))
    }

    /// The values of such a set, in their type.
    pub(super) fn members(&self, ty: &FieldType) -> impl Iterator<Item = Value> {
        let (integers, records) = match self {
            Self::Integers(set) => (Some(set), None),
            Self::Records(set) => (None, Some(set)),
            Self::Range(..) | Self::Equal(_) => (None, None),
        };
        let integers = integers.into_iter().flat_map(|set| set.iter().copied());
        let records = records.into_iter().flat_map(|set| set.ones());
        let records = records.map(|id| i64::try_from(id).unwrap_or(i64::MAX));
        integers.chain(records).map(|n| Value::from_int(ty, n))
    }
}

#[derive(Clone, Debug)]
pub(super) struct Probe {
    pub subject: Subject,
    pub wanted: Wanted,
}

/// What a chunk's summary tells of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// No record passes.
    None,
    /// Some may pass.
    Some,
    /// Every record passes.
    All,
}

impl Probe {
    /// What the condition says of one column, if it is about just one.
    pub(super) fn of(condition: &Expr, clock: &Clock) -> Option<Self> {
        let (value, wanted) = match &condition.node {
            Node::Compare {
                comparison,
                left,
                right,
            } => (left, compared(*comparison, left, right.as_constant()?)?),
            Node::InPeriod { value, period } => {
                let Some(Value::Period(period)) = period.as_constant() else {
                    return None;
                };
                let (start, end) = match value.ty {
                    Type::Plain(FieldType::Date) => (
                        i64::from(period.start().days()),
                        i64::from(period.end().days()),
                    ),
                    Type::Plain(FieldType::DateTime) => (
                        clock.start_of(period.start()).micros(),
                        clock.start_of(period.end()).micros(),
                    ),
                    _ => return None,
                };
                (value, Wanted::Range(start, end.saturating_sub(1)))
            }
            Node::InIntegers { value, set } => (value, Wanted::Integers(Arc::clone(set))),
            Node::InRecords { value, set } if value.ty.shape() == Shape::Ints => {
                (value, Wanted::Records(Arc::clone(set)))
            }
            _ => return None,
        };
        let subject = match value.node {
            Node::Id => Subject::Id,
            Node::Column(field) => Subject::Field(field),
            Node::Slot(at) => Subject::Slot(at),
            _ => return None,
        };
        Some(Self { subject, wanted })
    }

    /// The one value that passes.
    pub(super) fn only(&self) -> Option<Only<'_>> {
        match &self.wanted {
            Wanted::Range(low, high) if low == high => Some(Only::Integer(*low)),
            Wanted::Integers(set) => match **set {
                [one] => Some(Only::Integer(one)),
                _ => None,
            },
            Wanted::Equal(value) => Some(Only::Value(value)),
            Wanted::Range(..) | Wanted::Records(_) => None,
        }
    }

    /// What a chunk's summary says.
    pub(super) fn verdict(&self, chunk: &ChunkSummary) -> Verdict {
        if !chunk.exact || matches!(self.wanted, Wanted::Equal(_)) {
            return Verdict::Some;
        }
        let Some((low, high)) = chunk.range else {
            return Verdict::None;
        };
        let (inside, all) = match &self.wanted {
            Wanted::Range(from, to) => (low <= *to && high >= *from, low >= *from && high <= *to),
            Wanted::Integers(set) => {
                let count = set.partition_point(|&n| n <= high) - set.partition_point(|&n| n < low);
                (count > 0, width(low, high) == Some(count as u64))
            }
            Wanted::Records(set) => some_and_all(set, low, high),
            Wanted::Equal(_) => (true, false),
        };
        match (inside, all && chunk.missing == 0) {
            (false, _) => Verdict::None,
            (true, true) => Verdict::All,
            (true, false) => Verdict::Some,
        }
    }

    /// The records expected to pass, of `count` live ones.
    pub(super) fn expected(&self, summary: Option<&Summary>, count: u64) -> u64 {
        let Some(summary) = summary else {
            return match &self.wanted {
                Wanted::Records(set) => (set.count() as u64).min(count),
                Wanted::Integers(set) => (set.len() as u64).min(count),
                Wanted::Range(low, high) => width(*low, *high).unwrap_or(count).min(count),
                Wanted::Equal(_) => 1,
            };
        };
        let each = summary.present.div_ceil(summary.distinct.max(1));
        let found = match &self.wanted {
            Wanted::Equal(_) => each,
            Wanted::Integers(set) => each.saturating_mul(set.len() as u64),
            Wanted::Records(set) => each.saturating_mul(set.count() as u64),
            Wanted::Range(low, high) if low == high => each,
            Wanted::Range(low, high) => within(summary, *low, *high),
        };
        found.min(summary.present)
    }
}

/// The moment before which no change that a history tells of meets the folded filter.
pub(crate) fn first_change(
    history: &History,
    filter: Option<&Expr>,
    clock: &Clock,
) -> Option<DateTime> {
    if history.kind == HistoryKind::Spans {
        return None;
    }
    let conditions = conjuncts(filter);
    let probes = conditions.iter().filter_map(|c| Probe::of(c, clock));
    let lows = probes.filter_map(|probe| match probe.wanted {
        Wanted::Range(low, _) if probe.subject == Subject::Slot(History::AT) => Some(low),
        _ => None,
    });
    let first = lows.max().filter(|low| *low > i64::MIN)?;
    Some(DateTime::from_micros(first))
}

/// The records, in order, whose history alone a folded filter asks for.
pub(crate) fn asked_records(filter: Option<&Expr>, clock: &Clock) -> Option<Vec<RecordId>> {
    let conditions = conjuncts(filter);
    let probes = conditions.iter().filter_map(|c| Probe::of(c, clock));
    let mut own = probes.filter(|probe| probe.subject == Subject::Slot(History::RECORD));
    own.find_map(|probe| match &probe.wanted {
        Wanted::Records(set) => Some(set.ones().map(|id| RecordId(id as u64)).collect()),
        _ => match probe.only() {
            Some(Only::Integer(id)) => Some(vec![RecordId(id.cast_unsigned())]),
            _ => None,
        },
    })
}

/// The single value of a probe.
pub(super) enum Only<'a> {
    Integer(i64),
    Value(&'a Value),
}

fn compared(comparison: Comparison, left: &Expr, right: &Value) -> Option<Wanted> {
    if left.ty.shape() != Shape::Ints {
        let equal = comparison == Comparison::Equal && left.ty.shape() == Shape::Texts;
        return equal.then(|| Wanted::Equal(right.clone()));
    }
    let n = right.as_int()?;
    // No stored value is at the very ends of the range that a strict comparison excludes.
    Some(match comparison {
        Comparison::Equal => Wanted::Range(n, n),
        Comparison::Less if n == i64::MIN => Wanted::Integers(Arc::from([])),
        Comparison::Greater if n == i64::MAX => Wanted::Integers(Arc::from([])),
        Comparison::Less => Wanted::Range(i64::MIN, n - 1),
        Comparison::LessEqual => Wanted::Range(i64::MIN, n),
        Comparison::Greater => Wanted::Range(n + 1, i64::MAX),
        Comparison::GreaterEqual => Wanted::Range(n, i64::MAX),
    })
}

/// Integers from `low` to `high`, both included.
fn width(low: i64, high: i64) -> Option<u64> {
    u64::try_from(high.checked_sub(low)?.checked_add(1)?).ok()
}

/// Whether any id between two, both counted, is in a set, and whether all are. Looks no further
/// than is needed to know.
fn some_and_all(set: &Bitset, low: i64, high: i64) -> (bool, bool) {
    let end = usize::try_from(high).map_or(0, |high| high.saturating_add(1));
    let (low, last) = (usize::try_from(low).unwrap_or(0), end.min(set.len()));
    let (mut some, mut all) = (false, end <= set.len());
    for at in low / 64..last.div_ceil(64) {
        let mut asked = u64::MAX;
        if at == low / 64 {
            asked &= u64::MAX << (low % 64);
        }
        if at == last / 64 {
            asked &= (1 << (last % 64)) - 1;
        }
        let word = set.words()[at];
        some |= word & asked != 0;
        all &= word & asked == asked;
        if some && !all {
            break;
        }
    }
    (some, all && some)
}

/// Values expected between two bounds, taken as spread evenly within each chunk.
fn within(summary: &Summary, low: i64, high: i64) -> u64 {
    let ranges = || summary.chunks.iter().filter_map(|chunk| chunk.range);
    let chunks = ranges().count().max(1) as f64;
    let share: f64 = ranges()
        .map(|(from, to)| {
            let span = to as f64 - from as f64 + 1.0;
            let inside = high.min(to) as f64 - low.max(from) as f64 + 1.0;
            (inside / span).clamp(0.0, 1.0)
        })
        .sum();
    (share / chunks * summary.present as f64).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wanted() -> impl Strategy<Value = Wanted> {
        prop_oneof![
            (0i64..300, 0i64..300).prop_map(|(a, b)| Wanted::Range(a.min(b), a.max(b))),
            proptest::collection::btree_set(0i64..300, 0..200)
                .prop_map(|set| Wanted::Integers(set.into_iter().collect())),
            proptest::collection::vec(any::<bool>(), 0..300).prop_map(|bits| Wanted::Records(
                Arc::new(Bitset::from_fn(bits.len(), |at| bits[at]))
            )),
        ]
    }

    proptest! {
        #[test]
        fn a_verdict_never_contradicts_the_values(
            wanted in wanted(),
            values in proptest::collection::vec(proptest::option::of(0i64..300), 1..6),
        ) {
            let passes = |value: &Option<i64>| value.is_some_and(|n| match &wanted {
                Wanted::Range(low, high) => (*low..=*high).contains(&n),
                Wanted::Integers(set) => set.contains(&n),
                Wanted::Records(set) => set.get(usize::try_from(n).unwrap()),
                Wanted::Equal(_) => false,
            });
            let present = || values.iter().flatten().copied();
            let chunk = ChunkSummary {
                range: present().min().zip(present().max()),
                missing: u32::try_from(values.iter().filter(|v| v.is_none()).count()).unwrap(),
                exact: true,
            };
            let probe = Probe { subject: Subject::Id, wanted: wanted.clone() };
            match probe.verdict(&chunk) {
                Verdict::None => prop_assert!(!values.iter().any(passes)),
                Verdict::All => prop_assert!(values.iter().all(passes)),
                Verdict::Some => {}
            }
        }
    }
}
