//! Pruning: transactions before a moment are forgotten. The journal then begins with the last of
//! them, as if the book of then had come with it.

use super::fault::OrFault;
use super::history::Stamp;
use super::journal::{self, Header, HeaderKind};
use super::{Snapshot, Store, codec, fold, meta, tables};
use crate::error::{Code, Error, Result};
use crate::value::DateTime;
use redb::{ReadableTable, WriteTransaction};

impl Store {
    /// Forgets what was before the last transaction before a moment, and how that one came about;
    /// gives how many transactions are forgotten.
    pub(crate) fn prune_journal(&self, before: DateTime) -> Result<u64> {
        self.write_guarded(|| {
            let _writer = self.writer()?;
            let latest = self.latest();
            let just = DateTime::from_micros(before.micros().saturating_sub(1));
            let (first, last) = (latest.base.kept, latest.sequence_at(just)?);
            if last <= first {
                return Ok(0);
            }
            let write = self.begin_write_on(&latest)?;
            fold::fold_log(&write, &latest)?;
            forget(&write, last)?;
            write.commit().or_fault()?;
            self.publish_folded(latest.pending.progress(), &latest.overlay, &|_, _| false)?;
            Ok(last - first)
        })
    }
}

/// Takes all up to a transaction from the journal; of itself it keeps the number and the moment.
fn forget(write: &WriteTransaction, last: u64) -> Result<()> {
    let mut journal = write.open_table(tables::JOURNAL).or_fault()?;
    journal.retain(|key, _| key.2 > last).or_fault()?;
    let mut by_record = write.open_table(tables::JOURNAL_RECORDS).or_fault()?;
    by_record.retain(|key, ()| key.2 > last).or_fault()?;
    let mut headers = write.open_table(tables::TRANSACTIONS).or_fault()?;
    headers.retain_in(..last, |_, _| false).or_fault()?;
    let header = headers.get(last).or_fault()?;
    let header = header
        .map(|bytes| journal::header(bytes.value()))
        .transpose()?;
    let lacks = || super::fault::corrupt(format!("the journal lacks transaction {last}"));
    let header = Header {
        actor: None,
        kind: HeaderKind::Records,
        touched: Vec::new(),
        old_settings: None,
        ..header.ok_or_else(lacks)?
    };
    headers
        .insert(last, codec::encode(&header)?.as_slice())
        .or_fault()?;
    // The definitions of then are those of the last catalog up to it.
    let mut catalogs = write.open_table(tables::CATALOGS).or_fault()?;
    let then = catalogs.range(..=last).or_fault()?.next_back();
    let then = then.transpose().or_fault()?.map(|(key, _)| key.value());
    if let Some(then) = then {
        catalogs.retain_in(..then, |_, _| false).or_fault()?;
    }
    meta::write_kept(write, last)
}

impl Snapshot {
    /// The transaction with which the journal begins, if what was before is forgotten.
    pub(crate) fn kept(&self) -> Result<Option<Stamp>> {
        match self.base.kept {
            0 => Ok(None),
            kept => self.stamp(kept).map(Some),
        }
    }

    /// An error if a state lies before the journal begins.
    pub(super) fn check_kept(&self, sequence: u64) -> Result<()> {
        if sequence >= self.base.kept {
            return Ok(());
        }
        Err(Error::new(
            Code::Pruned,
            "the journal was pruned and begins later",
        ))
    }
}

#[cfg(test)]
mod tests {
    use crate::error::Code;
    use crate::storage::model::{self, COUNT, OBJECT, at};
    use crate::storage::{EventKind, Row, Store, StoreOptions};
    use crate::value::{DateTime, RecordId, Value};

    fn counting(n: i64) -> Row {
        Row::from_iter([(COUNT, Value::Integer(n))])
    }

    /// Transactions 2 to 9 at the seconds 1 to 8: records come, the first one counts, one goes.
    fn store() -> Store {
        let store = model::store();
        for n in 1..=8 {
            let mut transaction = store.begin().unwrap();
            transaction.insert(OBJECT, counting(100 + n)).unwrap();
            if n > 1 {
                transaction.put(OBJECT, RecordId(0), counting(n)).unwrap();
            }
            if n == 4 || n == 6 {
                transaction
                    .delete(OBJECT, RecordId(n as u64 / 2 - 1))
                    .unwrap();
            }
            transaction.commit(at(n)).unwrap();
        }
        store
    }

    fn moment(n: i64) -> DateTime {
        at(n).at
    }

    #[test]
    fn what_is_kept_reads_as_before() {
        for (until, fold) in [
            (1, true),
            (3, false),
            (5, true),
            (6, false),
            (9, true),
            (9, false),
        ] {
            let (whole, pruned) = (store(), store());
            if fold {
                pruned.fold().unwrap();
            }
            let before = pruned.snapshot().unwrap();
            let gone = pruned.prune_journal(moment(until)).unwrap();
            let (whole, now) = (whole.snapshot().unwrap(), pruned.snapshot().unwrap());
            let kept = now.kept().unwrap().map_or(0, |stamp| stamp.sequence);
            assert_eq!(gone, kept);
            assert_eq!(
                pruned.check().unwrap().faults,
                Vec::<String>::new(),
                "{until}"
            );
            for sequence in 0..=whole.sequence() {
                let then = now.as_of(sequence);
                if sequence < kept {
                    assert_eq!(then.map(|_| ()).unwrap_err().code(), Code::Pruned);
                    // Who read before goes on to.
                    assert!(before.as_of(sequence).is_ok());
                    continue;
                }
                let (then, was) = (then.unwrap(), whole.as_of(sequence).unwrap());
                assert_eq!(then.record_count(OBJECT), was.record_count(OBJECT));
                for id in (0..9).map(RecordId) {
                    assert_eq!(then.row(OBJECT, id).unwrap(), was.row(OBJECT, id).unwrap());
                }
            }
            let later = |events: Vec<crate::storage::Event>| -> Vec<_> {
                events.into_iter().filter(|e| e.sequence > kept).collect()
            };
            let events = now.events(OBJECT, COUNT, 0).unwrap();
            let there = events.iter().filter(|e| e.kind == EventKind::Kept);
            let there = there.inspect(|e| assert_eq!(e.sequence, kept)).count();
            if kept > 0 {
                let was = whole.as_of(kept).unwrap().record_count(OBJECT);
                assert_eq!(there as u64, was);
            }
            assert_eq!(
                later(events),
                later(whole.events(OBJECT, COUNT, 0).unwrap())
            );
            for id in (0..9).map(RecordId) {
                let steps = now.life(OBJECT, id).unwrap();
                assert!(steps.iter().all(|step| step.stamp.sequence >= kept));
            }
            assert_eq!(pruned.prune_journal(moment(until)).unwrap(), 0);
            let mut transaction = pruned.begin().unwrap();
            transaction.put(OBJECT, RecordId(0), counting(0)).unwrap();
            transaction.commit(at(10)).unwrap();
            pruned.prune_journal(moment(20)).unwrap();
            assert_eq!(pruned.check().unwrap().faults, Vec::<String>::new());
        }
    }

    #[test]
    fn the_space_comes_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.fieldbook");
        let store = Store::open(&path, &StoreOptions::default()).unwrap();
        model::set_schema(&store);
        let mut transaction = store.begin().unwrap();
        for n in 0..1000 {
            transaction.insert(OBJECT, counting(n)).unwrap();
        }
        transaction.commit(at(1)).unwrap();
        for n in 2..40 {
            let mut transaction = store.begin().unwrap();
            for id in 0..1000 {
                let row = counting(i64::try_from(id).unwrap() * 7919 + n);
                transaction.put(OBJECT, RecordId(id), row).unwrap();
            }
            transaction.commit(at(n)).unwrap();
        }
        let (_, whole) = store.compact().unwrap();
        assert_eq!(store.prune_journal(moment(39)).unwrap(), 39);
        let (_, pruned) = store.compact().unwrap();
        assert!(pruned < whole / 2, "{whole} {pruned}");
        drop(store);
        let store = Store::open(&path, &StoreOptions::default()).unwrap();
        assert_eq!(store.check().unwrap().faults, Vec::<String>::new());
        let snapshot = store.snapshot().unwrap();
        assert_eq!(snapshot.kept().unwrap().unwrap().at, moment(38));
        let row = snapshot
            .as_of(39)
            .unwrap()
            .row(OBJECT, RecordId(5))
            .unwrap();
        assert_eq!(row.as_deref(), Some(&counting(5 * 7919 + 38)));
    }
}
