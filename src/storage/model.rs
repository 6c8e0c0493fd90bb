//! A model test: random steps on a store and on plain maps must agree at every step.

use super::*;
use crate::column::{CHUNK_RECORDS, Vector};
use crate::value::{
    ChunkId, Currency, Date, DateTime, Duration, FieldId, FieldType, IndexId, LabelCode, Money,
    ObjectId, Period, RecordId, Shape, Sought, Value, each_word_of, length_band,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

pub(super) const OBJECT: ObjectId = ObjectId(1);
pub(super) const OTHER: ObjectId = ObjectId(2);
pub(super) const NAME_INDEX: IndexId = IndexId(1);
pub(super) const PARENT_INDEX: IndexId = IndexId(2);
pub(super) const PAIR_INDEX: IndexId = IndexId(3);

/// A field of every type.
pub(super) fn types() -> Vec<FieldType> {
    vec![
        FieldType::Text,
        FieldType::LongText,
        FieldType::Integer,
        FieldType::Number,
        FieldType::Money,
        FieldType::Percent,
        FieldType::Date,
        FieldType::DateTime,
        FieldType::Period,
        FieldType::Boolean,
        FieldType::Picklist,
        FieldType::Tags,
        FieldType::Email,
        FieldType::Duration,
        FieldType::Reference(OBJECT),
        FieldType::AnyReference(vec![OBJECT, OTHER]),
        FieldType::Filter(OBJECT),
        FieldType::Phone,
    ]
}

pub(super) const NAME: FieldId = FieldId(0);
pub(super) const COUNT: FieldId = FieldId(2);
pub(super) const PARENT: FieldId = FieldId(14);

pub(super) fn layouts() -> Vec<Arc<ObjectLayout>> {
    let fields: Vec<_> = types()
        .into_iter()
        .map(|ty| FieldLayout { ty, dropped: false })
        .collect();
    let index = |id, kind, fields: &[FieldId], unique| IndexLayout {
        id,
        kind,
        fields: fields.to_vec(),
        unique,
    };
    let object = ObjectLayout {
        id: OBJECT,
        fields,
        indexes: vec![
            index(NAME_INDEX, IndexKind::Folded, &[NAME], false),
            index(PARENT_INDEX, IndexKind::Reference, &[PARENT], false),
            index(PAIR_INDEX, IndexKind::Ordered, &[COUNT, NAME], false),
        ],
        hierarchy: None,
    };
    let other = ObjectLayout {
        id: OTHER,
        fields: vec![FieldLayout {
            ty: FieldType::Email,
            dropped: false,
        }],
        indexes: vec![index(IndexId(4), IndexKind::Ordered, &[NAME], true)],
        hierarchy: None,
    };
    vec![Arc::new(object), Arc::new(other)]
}

pub(super) fn at(n: i64) -> CommitInfo {
    CommitInfo {
        at: DateTime::from_micros(n),
        actor: None,
    }
}

/// A store in memory with the layouts above.
pub(super) fn store() -> Store {
    let store = Store::in_memory(&StoreOptions::default()).unwrap();
    set_schema(&store);
    store
}

pub(super) fn set_schema(store: &Store) {
    let mut transaction = store.begin().unwrap();
    transaction
        .set_schema(Arc::from(*b"catalog"), layouts())
        .unwrap();
    transaction.commit(at(0)).unwrap();
}

pub(super) fn value(ty: &FieldType) -> BoxedStrategy<Value> {
    let day = || (-1000..30_000).prop_map(Date::from_days);
    let text = || {
        let short = prop::sample::select(vec!["", "a", "Acme", "acme", "\u{c9}clair", "z\0z"]);
        prop_oneof![
            4 => short.prop_map(Value::text),
            1 => "[a-c]{60,70}".prop_map(Value::text),
            1 => ".{0,12}".prop_map(Value::text),
        ]
    };
    let present = match ty {
        FieldType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        FieldType::Integer => prop_oneof![
            4 => (-3_i64..300).prop_map(Value::Integer),
            1 => any::<i64>().prop_map(Value::Integer),
            1 => prop::sample::select(vec![i64::MIN, i64::MAX, 1 << 33]).prop_map(Value::Integer),
        ]
        .boxed(),
        FieldType::Number | FieldType::Percent => prop_oneof![
            Just(0.5),
            Just(-0.0),
            prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO
        ]
        .prop_map(Value::Number)
        .boxed(),
        FieldType::Money => (any::<i64>(), any::<bool>())
            .prop_map(|(units, usd)| {
                let currency = if usd {
                    Currency::USD
                } else {
                    Currency::new("EUR").unwrap()
                };
                Value::Money(Money::from_units(units, currency))
            })
            .boxed(),
        FieldType::Date => day().prop_map(Value::Date).boxed(),
        FieldType::DateTime => any::<i64>()
            .prop_map(|n| Value::DateTime(DateTime::from_micros(n)))
            .boxed(),
        FieldType::Period => (day(), day())
            .prop_map(|(a, b)| Value::Period(Period::new(a, b)))
            .boxed(),
        FieldType::Duration => any::<i32>()
            .prop_map(|n| Value::Duration(Duration::from_seconds(i64::from(n))))
            .boxed(),
        FieldType::Picklist => (0_u32..9).prop_map(|n| Value::Label(LabelCode(n))).boxed(),
        FieldType::Tags => prop::collection::btree_set(0_u32..5, 1..4)
            .prop_map(|codes| Value::Tags(codes.into_iter().map(LabelCode).collect()))
            .boxed(),
        FieldType::Reference(_) => (0_u64..6)
            .prop_map(|n| Value::Reference(RecordId(n)))
            .boxed(),
        FieldType::AnyReference(_) => (any::<bool>(), 0_u64..6)
            .prop_map(|(other, n)| {
                Value::AnyReference(if other { OTHER } else { OBJECT }, RecordId(n))
            })
            .boxed(),
        FieldType::Phone => prop::sample::select(vec!["+1 602-555", "602 555", "z acme"])
            .prop_map(Value::text)
            .boxed(),
        _ => text().boxed(),
    };
    prop_oneof![1 => Just(Value::Missing), 3 => present].boxed()
}

pub(super) fn row() -> impl Strategy<Value = Row> {
    let values: Vec<_> = types().iter().map(value).collect();
    values.prop_map(|values| (0..).map(FieldId).zip(values).collect())
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Insert(Row),
    /// Many records that differ in one field.
    Bulk(Row, u16),
    Put(usize, Row),
    Delete(usize),
    /// One record goes into another.
    Merge(usize, usize),
    /// Brings back one of the deleted records.
    Revive(usize),
    Commit,
    Rollback,
    Mark,
    Back,
    Fold,
    /// What the transaction has changed goes into the file.
    Spill,
    Reopen,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => row().prop_map(Step::Insert),
        1 => (row(), 1_u16..600).prop_map(|(row, n)| Step::Bulk(row, n)),
        4 => (any::<usize>(), row()).prop_map(|(at, row)| Step::Put(at, row)),
        2 => any::<usize>().prop_map(Step::Delete),
        4 => any::<(usize, usize)>().prop_map(|(at, into)| Step::Merge(at, into)),
        2 => any::<usize>().prop_map(Step::Revive),
        6 => Just(Step::Commit),
        1 => Just(Step::Rollback),
        1 => Just(Step::Mark),
        1 => Just(Step::Back),
        2 => Just(Step::Fold),
        2 => Just(Step::Spill),
        1 => Just(Step::Reopen),
    ]
}

pub(super) type Model = BTreeMap<RecordId, Row>;
type Merges = BTreeMap<RecordId, RecordId>;

/// The store's content through every way of reading equals the model.
pub(super) fn assert_equal(snapshot: &Snapshot, model: &Model) {
    assert_eq!(snapshot.record_count(OBJECT), model.len() as u64);
    for (ty, field) in types().iter().zip((0..).map(FieldId)) {
        let mut present = 0;
        let summary = snapshot.summary(OBJECT, field).unwrap();
        for chunk in (0..snapshot.chunk_count(OBJECT)).map(ChunkId) {
            let live = snapshot.live(OBJECT, chunk).unwrap();
            let vector = snapshot.column(OBJECT, field, chunk).unwrap();
            assert_eq!(vector.len(), live.len());
            let known = summary.chunks[chunk.0 as usize];
            for slot in 0..vector.len() {
                let id = RecordId(u64::from(chunk.0) * CHUNK_RECORDS as u64 + slot as u64);
                let expected = model.get(&id).map_or(&Value::Missing, |row| row.get(field));
                assert_eq!(live.get(slot), model.contains_key(&id), "{id}");
                let found = match (&vector, ty.shape()) {
                    (Vector::Texts(texts), Shape::RowOnly) => {
                        texts.get(slot).map_or(Value::Missing, Value::text)
                    }
                    _ => vector.value(ty, slot),
                };
                assert_eq!(found, *expected, "{ty:?} {id}");
                present += u64::from(!expected.is_missing());
                if let (true, Some(n)) = (known.exact, expected.as_int()) {
                    assert!(known.range.is_some_and(|(a, b)| a <= n && n <= b));
                }
            }
            if known.exact && ty.shape() != Shape::RowOnly {
                assert_eq!(vector.missing_slots().count(), known.missing as usize);
            }
        }
        if ty.shape() != Shape::RowOnly && snapshot.past.is_none() {
            assert_eq!(summary.present, present, "{ty:?}");
        }
    }
    for text in ["acme", "acmen", "602555", "60", "bcb", "eclairs", "z"] {
        let sought = &Sought::all(text)[0];
        let found = snapshot
            .find_word(OBJECT, sought, &mut |_| Ok(()))
            .unwrap()
            .hits;
        let expected: Vec<_> = model
            .iter()
            .flat_map(|(id, row)| hits(sought, *id, row))
            .collect();
        assert_eq!(found, expected, "{text}");
    }
    for (id, row) in model.iter().take(50) {
        assert_eq!(snapshot.row(OBJECT, *id).unwrap().as_deref(), Some(row));
        let name = row.get(NAME);
        let fold = |value: &Value| match value {
            Value::Text(text) => Some(crate::value::fold(text).into_owned()),
            _ => None,
        };
        let same = |test: &dyn Fn(&Row) -> bool| -> Vec<RecordId> {
            let rows = model.iter().filter(|(_, row)| test(row));
            rows.map(|(id, _)| *id).collect()
        };
        assert_eq!(
            snapshot
                .lookup(NAME_INDEX, std::slice::from_ref(name))
                .unwrap(),
            same(&|other| fold(other.get(NAME)) == fold(name))
        );
        let parent = row.get(PARENT);
        assert_eq!(
            snapshot
                .lookup(PARENT_INDEX, std::slice::from_ref(parent))
                .unwrap(),
            same(&|other| other.get(PARENT) == parent)
        );
        let low = vec![row.get(COUNT).clone(), name.clone()];
        let mut expected: Vec<_> = model
            .iter()
            .map(|(id, row)| (order(row), *id))
            .filter(|(key, _)| *key >= order(row))
            .collect();
        expected.sort();
        let expected: Vec<_> = expected.into_iter().map(|(_, id)| id).collect();
        let found = snapshot.scan(PAIR_INDEX, Bound::Included(low), Bound::Unbounded);
        assert_eq!(found.unwrap(), expected);
    }
}

/// All that is stored of all records, but for the numbers of their last changes: rows, columns
/// and index entries, each as text.
pub(crate) fn image(snapshot: &Snapshot) -> Vec<String> {
    let mut all = Vec::new();
    for (object, layout) in &snapshot.overlay.schema.layouts {
        let object = *object;
        all.push(format!("{object:?}: {}", snapshot.record_count(object)));
        snapshot
            .every_row(object, |id, row| {
                let mut row = (**row).clone();
                row.changed = row.created;
                all.push(format!("{object:?} {id}: {:?}", row.encode()));
                Ok(())
            })
            .unwrap();
        for (at, field) in layout.fields.iter().enumerate() {
            let id = journal::field_id(at);
            let present = snapshot.summary(object, id).unwrap().present;
            all.push(format!("{object:?} {id:?}: {present}"));
            for chunk in (0..snapshot.chunk_count(object)).map(ChunkId) {
                let vector = snapshot.column(object, id, chunk).unwrap();
                let live = snapshot.live(object, chunk).unwrap();
                for slot in 0..vector.len() {
                    let value = match &vector {
                        Vector::Texts(texts) => texts.get(slot).map_or(Value::Missing, Value::text),
                        vector => vector.value(&field.ty, slot),
                    };
                    match live.get(slot) {
                        true => all.push(format!("{chunk:?} {slot}: {value:?}")),
                        false => assert!(value.is_missing()),
                    }
                }
            }
        }
        for index in &layout.indexes {
            let found = match index.kind {
                IndexKind::Reference => (0..40)
                    .map(|id| [Value::Reference(RecordId(id))])
                    .flat_map(|key| snapshot.lookup(index.id, &key).unwrap())
                    .collect(),
                _ => snapshot
                    .scan(index.id, Bound::Unbounded, Bound::Unbounded)
                    .unwrap(),
            };
            all.push(format!("{:?}: {found:?}", index.id));
        }
        for word in ["f1", "f2", "f3", "p1", "p2", "p3"] {
            let sought = &Sought::all(word)[0];
            let found = snapshot.find_word(object, sought, &mut |_| Ok(()));
            all.push(format!("{word}: {:?}", found.unwrap().hits));
        }
    }
    all
}

/// Where a word is met in a row.
fn hits(sought: &Sought, id: RecordId, row: &Row) -> Vec<TextHit> {
    let mut found = Vec::new();
    for (ty, field) in types().iter().zip((0..).map(FieldId)) {
        let Value::Text(text) = row.get(field) else {
            continue;
        };
        let mut words = Vec::new();
        each_word_of(ty, text, |_, word| words.push(word.to_owned()));
        let closeness = words.iter().filter_map(|word| sought.closeness(word)).max();
        if let (true, Some(closeness)) = (ty.is_text(), closeness) {
            found.push(TextHit {
                id,
                field,
                closeness,
                band: length_band(words.len()),
            });
        }
    }
    found
}

/// Integers, then texts by code point; missing last.
fn order(row: &Row) -> (Option<()>, i64, bool, String) {
    let count = row.get(COUNT).as_int();
    let name = match row.get(NAME) {
        Value::Text(text) => Some(text.to_string()),
        _ => None,
    };
    (
        count.is_none().then_some(()),
        count.unwrap_or(0),
        name.is_none(),
        name.unwrap_or_default(),
    )
}

/// Takes one step; gives what is committed then.
struct Run<'a> {
    /// What was committed, by transaction.
    past: BTreeMap<u64, Model>,
    /// Which record went into which other, by transaction.
    past_merges: BTreeMap<u64, Merges>,
    committed: Model,
    current: Model,
    merges: Merges,
    marked: Option<(Mark, Model, Merges)>,
    transaction: Option<Transaction<'a>>,
    clock: i64,
}

fn nth(model: &Model, n: usize) -> Option<RecordId> {
    model.keys().nth(n % model.len().max(1)).copied()
}

/// Brings back one of the records that are gone, if there are any.
pub(super) fn revive(
    store: &Store,
    transaction: &mut Transaction<'_>,
    n: usize,
) -> Option<RecordId> {
    let gone = store.snapshot().unwrap().gone(OBJECT).unwrap();
    let (id, (_, row)) = gone.into_iter().nth(n % 7)?;
    if transaction.snapshot().row(OBJECT, id).unwrap().is_some() {
        return None;
    }
    transaction.restore(OBJECT, id, (*row).clone()).unwrap();
    Some(id)
}

impl<'a> Run<'a> {
    /// The last row that a record is known to have had.
    fn known(&self, id: RecordId) -> &Row {
        let past = self.past.values().rev().chain([&self.committed]);
        past.filter_map(|then| then.get(&id)).next().unwrap()
    }

    fn step(&mut self, store: &'a Store, step: Step) {
        let transaction = self
            .transaction
            .get_or_insert_with(|| store.begin().unwrap());
        match step {
            Step::Insert(row) => {
                let id = transaction.insert(OBJECT, row.clone()).unwrap();
                self.current.insert(id, row);
            }
            Step::Bulk(mut row, n) => {
                for n in 0..n {
                    row.set(COUNT, Value::Integer(i64::from(n)));
                    let id = transaction.insert(OBJECT, row.clone()).unwrap();
                    self.current.insert(id, row.clone());
                }
            }
            Step::Put(at, row) => {
                if let Some(id) = nth(&self.current, at) {
                    transaction.put(OBJECT, id, row.clone()).unwrap();
                    self.current.insert(id, row);
                }
            }
            Step::Delete(at) => {
                if let Some(id) = nth(&self.current, at) {
                    transaction.delete(OBJECT, id).unwrap();
                    self.current.remove(&id);
                    self.merges.remove(&id);
                }
            }
            // A transaction that goes into the file merges nothing.
            Step::Merge(..) if transaction.is_loading() => {}
            Step::Merge(at, into) => {
                let pair = nth(&self.current, at).zip(nth(&self.current, into));
                if let Some((id, into)) = pair.filter(|(id, into)| id != into) {
                    transaction.merge(OBJECT, id, into).unwrap();
                    self.current.remove(&id);
                    self.merges.insert(id, into);
                }
            }
            Step::Revive(at) => {
                if let Some(id) = revive(store, transaction, at) {
                    let row = self.known(id).clone();
                    self.current.insert(id, row);
                    self.merges.remove(&id);
                }
            }
            Step::Mark if transaction.is_loading() => {}
            Step::Mark => {
                let (model, merges) = (self.current.clone(), self.merges.clone());
                self.marked = Some((transaction.mark(), model, merges));
            }
            Step::Back => {
                if let Some((mark, model, merges)) = self.marked.take() {
                    transaction.roll_back_to(mark);
                    (self.current, self.merges) = (model, merges);
                }
            }
            Step::Rollback => {
                self.transaction = None;
                self.marked = None;
                self.merges.clear();
                self.current = self.committed.clone();
            }
            Step::Commit => {
                self.clock += 1;
                let transaction = self.transaction.take().unwrap();
                let sequence = transaction.commit(at(self.clock)).unwrap();
                self.marked = None;
                // What came in the transaction itself was never there.
                let mut merges = std::mem::take(&mut self.merges);
                merges.retain(|id, _| self.committed.contains_key(id));
                self.past_merges.entry(sequence).or_default().extend(merges);
                self.committed = self.current.clone();
                self.past.insert(sequence, self.committed.clone());
            }
            // Who has spilled is the only one to write.
            Step::Fold if transaction.is_loading() => {}
            Step::Fold => store.fold().unwrap(),
            Step::Spill => {
                transaction.spill_all().unwrap();
                self.marked = None;
                self.merges.clear();
            }
            Step::Reopen => unreachable!("handled by the caller"),
        }
        if let Some(transaction) = &self.transaction {
            assert_equal(transaction.snapshot(), &self.current);
        }
        assert_equal(&store.snapshot().unwrap(), &self.committed);
    }

    /// What happened to a deed's records after it is what the states since tell.
    fn look_at_later(&self, now: &Snapshot, after: u64, deed: &Deed) {
        let all = now.later(OBJECT, deed, after).unwrap();
        let ids = deed.came.iter().chain(deed.went.keys());
        for id in ids.chain(deed.changed.keys()).take(20) {
            let mut before = &self.past[&after];
            for (sequence, then) in self.past.range(after + 1..) {
                let found: Vec<_> = all
                    .iter()
                    .filter(|later| (later.sequence, later.id) == (*sequence, *id))
                    .map(|later| later.what)
                    .collect();
                let expected = match (before.get(id), then.get(id)) {
                    (None, Some(_)) => vec![LaterChange::Came],
                    (Some(_), None) => vec![LaterChange::Went],
                    (Some(a), Some(b)) => (0..types().len())
                        .map(journal::field_id)
                        .filter(|field| a.get(*field) != b.get(*field))
                        .filter(|field| {
                            let olds = deed.changed.get(id);
                            deed.came.contains(id)
                                || olds.is_some_and(|olds| olds.iter().any(|(f, _)| f == field))
                        })
                        .map(LaterChange::Field)
                        .collect(),
                    (None, None) => Vec::new(),
                };
                assert_eq!(found, expected, "{id} in {sequence}, after {after}");
                before = then;
            }
        }
    }

    /// Some states of the past are what they were, also from within a transaction.
    fn look_back(&self, store: &Store) {
        let now = store.snapshot().unwrap();
        let within = self.transaction.as_ref().map(Transaction::snapshot);
        let step = self.past.len().div_ceil(4).max(1);
        for (sequence, then) in self.past.iter().rev().skip(1).step_by(step) {
            for now in [Some(&now), within].into_iter().flatten() {
                assert_equal(&now.as_of(*sequence).unwrap(), then);
            }
        }
        let ids: BTreeSet<RecordId> = self
            .past
            .values()
            .flat_map(|then| then.keys())
            .copied()
            .collect();
        let merged = self.past_merges.values().rev().flatten().take(4);
        let merged: Vec<_> = merged.flat_map(|(id, into)| [*id, *into]).collect();
        for id in ids.into_iter().step_by(97).take(8).chain(merged) {
            let steps = now.life(OBJECT, id).unwrap();
            let states = steps
                .iter()
                .map(|step| (step.stamp.sequence, step.after.as_deref().cloned()));
            let states: BTreeMap<u64, Option<Row>> = states.collect();
            for (sequence, then) in &self.past {
                let last = states.range(..=*sequence).next_back();
                let known = last.and_then(|(_, row)| row.as_ref());
                assert_eq!(known, then.get(&id), "{id} after {sequence}");
            }
            let told = steps.iter().flat_map(|step| {
                let sequence = step.stamp.sequence;
                let taken = step.taken.iter().map(move |source| (sequence, *source, id));
                taken.chain(step.into.map(|into| (sequence, id, into)))
            });
            let merges = self.past_merges.iter().flat_map(|(sequence, merges)| {
                let merges = merges.iter();
                merges.map(move |(source, into)| (*sequence, *source, *into))
            });
            let own = merges.filter(|(_, source, into)| *source == id || *into == id);
            assert_eq!(told.collect::<BTreeSet<_>>(), own.collect());
        }
        let mut gone = Model::new();
        for then in self.past.values() {
            gone.extend(then.iter().map(|(id, row)| (*id, row.clone())));
        }
        gone.retain(|id, _| !self.committed.contains_key(id));
        let known = now.gone(OBJECT).unwrap().into_iter();
        let known: Model = known.map(|(id, (_, row))| (id, (*row).clone())).collect();
        assert_eq!(known, gone);
        let states: Vec<_> = self.past.iter().collect();
        for pair in states.windows(2).rev().step_by(3).take(4) {
            let ((_, before), (sequence, after)) = (pair[0], pair[1]);
            let deeds = now.deeds(*sequence).unwrap();
            let mut undone = after.clone();
            if let Some(deed) = deeds.get(&OBJECT) {
                undone.retain(|id, _| !deed.came.contains(id));
                undone.extend(deed.went.iter().map(|(id, row)| (*id, (**row).clone())));
                for (id, olds) in &deed.changed {
                    let row = undone.get_mut(id).unwrap();
                    olds.iter()
                        .for_each(|(field, old)| row.set(*field, old.clone()));
                }
                self.look_at_later(&now, *sequence, deed);
            }
            assert_eq!(undone, *before, "before {sequence}");
        }
        for event in now
            .events(OBJECT, NAME, 0)
            .unwrap()
            .iter()
            .step_by(31)
            .take(50)
        {
            let then = &self.past[&event.sequence];
            let value = then
                .get(&event.id)
                .map_or(&Value::Missing, |row| row.get(NAME));
            assert_eq!(event.new, *value);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 8,
        max_shrink_iters: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn store_equals_model(steps in prop::collection::vec(step(), 1..30)) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("model.fieldbook");
        let mut committed = Model::new();
        let (mut past, mut past_merges) = (BTreeMap::new(), BTreeMap::new());
        let mut clock = 1;
        for (number, steps) in steps.split(|step| matches!(step, Step::Reopen)).enumerate() {
            let store = Store::open(&path, &StoreOptions::default()).unwrap();
            if number == 0 {
                set_schema(&store);
            }
            let mut run = Run {
                past,
                past_merges,
                merges: Merges::new(),
                current: committed.clone(),
                committed,
                marked: None,
                transaction: None,
                clock,
            };
            for step in steps {
                run.step(&store, step.clone());
                run.look_back(&store);
                let alone = run.transaction.as_ref().is_some_and(Transaction::is_loading);
                if alone || !matches!(step, Step::Commit | Step::Fold) {
                    continue;
                }
                let report = store.check().unwrap();
                prop_assert!(report.faults.is_empty(), "{:?}", report.faults);
            }
            committed = run.committed;
            (past, past_merges) = (run.past, run.past_merges);
            clock = run.clock;
        }
        let store = Store::open(&path, &StoreOptions::default()).unwrap();
        assert_equal(&store.snapshot().unwrap(), &committed);
    }
}
