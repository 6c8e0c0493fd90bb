//! The crash test: a file that loses what was not synced must open as the last or next state.

use super::commit::PENDING_RECORDS;
use super::model::{self, Model, OBJECT, Step, at};
use super::{Row, Store, StoreOptions};
use crate::column::CHUNK_RECORDS;
use crate::value::{RecordId, Value};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use redb::StorageBackend;
use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex};

/// Bytes that remember what was safe at each sync.
#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<Bytes>>);

#[derive(Debug, Default)]
struct Bytes {
    live: Vec<u8>,
    synced: Vec<u8>,
    /// Writes since the last sync: where, and what.
    writes: Vec<(usize, Vec<u8>)>,
    /// What a crash could leave: after each sync, and after half the writes before it.
    images: Vec<Vec<u8>>,
}

impl Disk {
    fn holding(bytes: Vec<u8>) -> Self {
        let disk = Self::default();
        disk.0.lock().unwrap().live = bytes;
        disk
    }

    fn take_images(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.0.lock().unwrap().images)
    }
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, Error> {
        Ok(self.0.lock().unwrap().live.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        let bytes = self.0.lock().unwrap();
        let from = bytes.live.get(place(offset)..place(offset) + out.len());
        out.copy_from_slice(from.ok_or(Error::from(ErrorKind::UnexpectedEof))?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), Error> {
        self.0.lock().unwrap().live.resize(place(len), 0);
        Ok(())
    }

    fn sync_data(&self) -> Result<(), Error> {
        let mut bytes = self.0.lock().unwrap();
        let bytes = &mut *bytes;
        // Every other write reached the disk, then the power went.
        let mut torn = bytes.synced.clone();
        torn.resize(bytes.live.len().max(torn.len()), 0);
        for (at, data) in bytes.writes.drain(..).step_by(2) {
            if let Some(to) = torn.get_mut(at..at + data.len()) {
                to.copy_from_slice(&data);
            }
        }
        bytes.images.push(torn);
        bytes.synced.clone_from(&bytes.live);
        bytes.images.push(bytes.synced.clone());
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        let mut bytes = self.0.lock().unwrap();
        let at = place(offset);
        if bytes.live.len() < at + data.len() {
            bytes.live.resize(at + data.len(), 0);
        }
        bytes.live[at..at + data.len()].copy_from_slice(data);
        bytes.writes.push((at, data.to_vec()));
        Ok(())
    }
}

/// Opens what a crash left; it must hold one of the states.
fn assert_survives(image: Vec<u8>, states: &[&Model]) {
    let store = Store::on_backend(Disk::holding(image), false, &StoreOptions::default()).unwrap();
    let report = store.check().unwrap();
    assert_eq!(report.faults, Vec::<String>::new());
    let snapshot = store.snapshot().unwrap();
    let rows = |id: RecordId| snapshot.row(OBJECT, id).unwrap();
    let holds = |model: &Model| {
        snapshot.record_count(OBJECT) == model.len() as u64
            && model
                .iter()
                .all(|(id, row)| rows(*id).as_deref() == Some(row))
    };
    assert!(states.iter().any(|model| holds(model)));
}

/// The steps of the test: small commits that stay pending, a fold of them, a commit large enough
/// to fold by itself, and changes again.
fn steps(runner: &mut TestRunner) -> Vec<Vec<Step>> {
    let mut row = || model::row().new_tree(runner).unwrap().current();
    let mut commits = vec![(0..3).map(|_| Step::Insert(row())).collect::<Vec<_>>()];
    commits.push(vec![
        Step::Put(1, row()),
        Step::Insert(row()),
        Step::Delete(0),
    ]);
    commits.push(vec![Step::Fold]);
    commits.push(vec![Step::Bulk(row(), 300), Step::Put(0, row())]);
    commits.push(vec![Step::Put(200, row()), Step::Delete(100)]);
    commits.push(vec![Step::Delete(7), Step::Insert(row()), Step::Revive(0)]);
    commits.push(vec![Step::Fold]);
    commits.push(vec![Step::Put(9, row()), Step::Revive(1)]);
    commits
}

fn apply(store: &Store, steps: &[Step], model: &mut Model, clock: i64) {
    let mut transaction = store.begin().unwrap();
    let nth = |model: &Model, n: usize| *model.keys().nth(n % model.len()).unwrap();
    for step in steps {
        match step {
            Step::Insert(row) => {
                let id = transaction.insert(OBJECT, row.clone()).unwrap();
                model.insert(id, row.clone());
            }
            Step::Bulk(row, n) => {
                for n in 0..*n {
                    let mut row: Row = row.clone();
                    row.set(model::COUNT, Value::Integer(i64::from(n)));
                    let id = transaction.insert(OBJECT, row.clone()).unwrap();
                    model.insert(id, row);
                }
            }
            Step::Put(n, row) => {
                let id = nth(model, *n);
                transaction.put(OBJECT, id, row.clone()).unwrap();
                model.insert(id, row.clone());
            }
            Step::Delete(n) => {
                let id = nth(model, *n);
                transaction.delete(OBJECT, id).unwrap();
                model.remove(&id);
            }
            Step::Revive(n) => {
                if let Some(id) = model::revive(store, &mut transaction, *n) {
                    let row = transaction.snapshot().row(OBJECT, id).unwrap().unwrap();
                    model.insert(id, (*row).clone());
                }
            }
            Step::Fold => store.fold().unwrap(),
            _ => unreachable!("not among the steps of this test"),
        }
    }
    transaction.commit(at(clock)).unwrap();
}

/// Small commits, one after the other, up to the fold and beyond: each is there once it is made.
#[test]
fn every_small_commit_survives_once_it_is_made() {
    let disk = Disk::default();
    let store = Store::on_backend(disk.clone(), true, &StoreOptions::default()).unwrap();
    model::set_schema(&store);
    let mut model = Model::new();
    let row = |n: i64| Row::from_iter([(model::COUNT, Value::Integer(n))]);
    for n in 0..PENDING_RECORDS as i64 + 20 {
        let before = model.clone();
        disk.take_images();
        let steps = match n % 3 {
            2 => [Step::Put(0, row(n))],
            _ => [Step::Insert(row(n))],
        };
        apply(&store, &steps, &mut model, n);
        let images = disk.take_images();
        if n % 50 == 0 || n >= PENDING_RECORDS as i64 - 1 {
            let durable = images.last().unwrap().clone();
            for image in images {
                assert_survives(image, &[&before, &model]);
            }
            assert_survives(durable, &[&model]);
        }
    }
}

/// A store whose cache is far smaller than what is loaded, so that pages are written long before
/// the commit.
fn with_small_cache(disk: &Disk) -> Store {
    let options = StoreOptions {
        cache_bytes: 1 << 18,
        ..StoreOptions::default()
    };
    let store = Store::on_backend(disk.clone(), true, &options).unwrap();
    model::set_schema(&store);
    store
}

#[test]
fn a_cut_in_a_bulk_load_leaves_the_state_before() {
    let disk = Disk::default();
    let store = with_small_cache(&disk);
    let mut model = Model::new();
    let row = |n: i64| Row::from_iter([(model::COUNT, Value::Integer(n))]);
    apply(&store, &[Step::Insert(row(-1))], &mut model, 1);
    let before = model.clone();
    disk.take_images();
    let mut transaction = store.begin().unwrap();
    for n in 0..9_000 {
        let id = transaction.insert(OBJECT, row(n)).unwrap();
        model.insert(id, row(n));
        transaction.load(OBJECT).unwrap();
    }
    // Cut now: what was written since the last sync is there by halves, or all.
    disk.sync_data().unwrap();
    let images = disk.take_images();
    assert!(images[1].len() > images[0].len() / 2);
    for image in images {
        assert_survives(image, &[&before]);
    }
    transaction.commit(at(2)).unwrap();
    let images = disk.take_images();
    let durable = images.last().unwrap().clone();
    for image in images {
        assert_survives(image, &[&before, &model]);
    }
    assert_survives(durable, &[&model]);
}

#[test]
fn a_cut_in_a_spill_leaves_the_state_before() {
    let disk = Disk::default();
    let store = with_small_cache(&disk);
    let mut model = Model::new();
    let row = |n: i64| Row::from_iter([(model::COUNT, Value::Integer(n))]);
    apply(&store, &[Step::Bulk(row(-1), 4_000)], &mut model, 1);
    let before = model.clone();
    disk.take_images();
    let mut transaction = store.begin().unwrap();
    for id in before.keys() {
        let n = i64::try_from(id.0).unwrap();
        transaction.put(OBJECT, *id, row(n + 5)).unwrap();
        model.insert(*id, row(n + 5));
        let id = transaction.insert(OBJECT, row(n)).unwrap();
        model.insert(id, row(n));
        transaction.spill().unwrap();
    }
    disk.sync_data().unwrap();
    for image in disk.take_images() {
        assert_survives(image, &[&before]);
    }
    transaction.commit(at(2)).unwrap();
    let images = disk.take_images();
    let durable = images.last().unwrap().clone();
    for image in images {
        assert_survives(image, &[&before, &model]);
    }
    assert_survives(durable, &[&model]);
}

/// Pruning is done whole or not at all.
#[test]
fn a_cut_while_the_journal_is_pruned_leaves_it_whole_or_pruned() {
    let disk = Disk::default();
    let store = Store::on_backend(disk.clone(), true, &StoreOptions::default()).unwrap();
    model::set_schema(&store);
    let mut model = Model::new();
    let row = |n: i64| Row::from_iter([(model::COUNT, Value::Integer(n))]);
    for n in 1..40 {
        let steps = [Step::Insert(row(n)), Step::Put(0, row(-n))];
        apply(&store, &steps, &mut model, n);
    }
    disk.take_images();
    assert_eq!(store.prune_journal(at(30).at).unwrap(), 30);
    let images = disk.take_images();
    assert!(!images.is_empty());
    let mut begins = Vec::new();
    for image in images {
        assert_survives(image.clone(), &[&model]);
        let options = StoreOptions::default();
        let store = Store::on_backend(Disk::holding(image), false, &options).unwrap();
        let kept = store.snapshot().unwrap().kept().unwrap();
        begins.push(kept.map_or(0, |stamp| stamp.sequence));
    }
    assert!(begins.iter().all(|begin| [0, 30].contains(begin)));
    assert_eq!(begins.last(), Some(&30));
}

#[test]
fn a_cut_at_any_sync_leaves_a_committed_state() {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let disk = Disk::default();
    let store = Store::on_backend(disk.clone(), true, &StoreOptions::default()).unwrap();
    model::set_schema(&store);
    disk.take_images();
    let mut model = Model::new();
    let mut cuts = 0;
    for (clock, steps) in (1..).zip(steps(&mut runner)) {
        let before = model.clone();
        apply(&store, &steps, &mut model, clock);
        let images = disk.take_images();
        cuts += images.len();
        let durable = images.last().unwrap().clone();
        for image in images {
            assert_survives(image, &[&before, &model]);
        }
        assert_survives(durable, &[&model]);
    }
    drop(store);
    for image in disk.take_images() {
        cuts += 1;
        assert_survives(image, &[&model]);
    }
    assert!(cuts > 20, "only {cuts} cuts");
    assert!(model.len() < CHUNK_RECORDS);
}
